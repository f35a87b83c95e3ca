package contract

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// order is an operation with every kind of argument.
var order = Operation{
	ID: "Order", Method: "POST", Path: "/v2/orders/{order_id}",
	Params: []Param{
		{Name: "order_id", In: "path", Required: true, Schema: &Schema{Kind: String, Empty: EmptyRefused, MaxLen: 8}},
		{Name: "X-Language", In: "header", Schema: &Schema{Kind: String, MaxLen: 5}},
		{Name: "limit", In: "query", Default: "10", Schema: &Schema{Kind: Integer, HasMin: true, Min: 1, HasMax: true, Max: 100}},
		{Name: "name", In: "query", Schema: &Schema{Kind: String, MaxLen: 4}},
		{Name: "raw", In: "query", Schema: &Schema{Kind: String, Empty: EmptyValue}},
		{Name: "must", In: "query", Schema: &Schema{Kind: String, Empty: EmptyRefused}},
		{Name: "sort", In: "query", Schema: &Schema{Kind: String, Enum: []string{"createTime"}, FoldCase: true}},
		{Name: "zero", In: "query", Schema: &Schema{Kind: Boolean}},
	},
	Body: Obj(
		Field{"id", true, &Schema{Kind: String, Empty: EmptyRefused, MaxLen: 4}},
		Field{"num", false, &Schema{Kind: Integer, HasMin: true, Min: 1, Enum: []string{"1", "2"}}},
		Field{"value", false, &Schema{Kind: Number, HasMin: true}},
		Field{"amount", false, &Schema{Kind: String, Decimal: true}},
		Field{"flag", false, &Schema{Kind: Boolean}},
		Field{"day", false, &Schema{Kind: String, Pattern: Re(`^\d{4}-\d{2}$`)}},
		Field{"list", false, &Schema{Kind: Array, MinLen: 1, MaxLen: 2, Items: Obj(Field{"id", true, &Schema{Kind: String}})}},
	),
	BodyMust: true,
}

func TestCheckBody(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"a"}`:                                     "",
		`{"id":"a","more":{"x":[1,2]}}`:                  "",
		`{"id":"a","num":"2","value":"1.5","flag":true}`: "",
		`{"id":"a","num":null,"list":null}`:              "",
		`{"id":"a","list":[{"id":""}]} `:                 "",
		`{"id":"a","amount":"-1.50","day":"2026-11"}`:    "",
		``:                                      "body: a JSON body is required",
		`{`:                                     "body: not valid JSON",
		`[]`:                                    "body: must be an object, not array",
		`{"id":"a"} x`:                          "body: more text after the JSON value",
		"{\"id\":\"\xff\"}":                     "body: not valid UTF-8",
		`{}`:                                    "id: is required",
		`{"id":null}`:                           "id: must not be null",
		`{"id":""}`:                             "id: must not be empty",
		`{"id":"abcde"}`:                        "id: must have at most 4 characters",
		`{"id":"中文中文"}`:                         "",
		`{"id":1}`:                              "id: must be a string, not number",
		`{"ID":"a"}`:                            `ID: unknown field; did you mean "id"?`,
		`{"id":"a","num":0}`:                    "num: must be at least 1",
		`{"id":"a","num":3}`:                    "num: must be one of 1, 2",
		`{"id":"a","num":1.0}`:                  "num: must be an integer",
		`{"id":"a","num":"x"}`:                  "num: must be an integer",
		`{"id":"a","num":99999999999999999999}`: "num: is too large",
		`{"id":"a","value":-1}`:                 "value: must be at least 0",
		`{"id":"a","value":1e3}`:                "value: must be a decimal number",
		`{"id":"a","value":"1."}`:               "value: must be a decimal number",
		`{"id":"a","amount":"ten"}`:             "amount: must hold a decimal number",
		`{"id":"a","flag":"true"}`:              "flag: must be true or false, not string",
		`{"id":"a","day":"2026-1"}`:             `day: must look like ^\d{4}-\d{2}$`,
		`{"id":"a","list":[]}`:                  "list: must have at least 1 items",
		`{"id":"a","list":[{"id":"a"},{"id":"b"},{"id":"c"}]}`: "list: must have at most 2 items",
		`{"id":"a","list":[{"id":"a"},{}]}`:                    "list[1].id: is required",
		`{"id":"a","list":[null]}`:                             "list[0]: must not be null",
	} {
		err := order.CheckBody([]byte(body))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	if err := order.CheckBody([]byte(`{"id":` + strings.Repeat("[", 100_000))); err == nil {
		t.Error("a deep body was taken")
	}
}

func TestCheckQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                          "limit=10",
		"limit=20":                  "limit=20",
		"limit=":                    "limit=10",
		"name=&raw=&unknown=1":      "limit=10&raw=",
		"sort=CREATETIME&zero=true": "limit=10&sort=createTime&zero=true",
		"limit=0":                   "limit: must be from 1 to 100",
		"limit=ten":                 "limit: must be an integer",
		`limit=""`:                  "limit: must be an integer",
		"limit=1&limit=2":           "limit: is given 2 times",
		"name=abcde":                "name: must have at most 4 characters",
		"must=":                     "must: must not be empty",
		"sort=other":                "sort: must be one of createTime",
		"zero=yes":                  "zero: must be true or false",
		"name=%zz":                  "query: is not well-formed",
	} {
		got, err := order.CheckQuery(raw)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestCheckPathAndHeader(t *testing.T) {
	for value, ok := range map[string]bool{"CS1": true, "": false, "123456789": false} {
		if err := order.CheckPath(func(string) string { return value }); (err == nil) != ok {
			t.Errorf("path %q: %v", value, err)
		}
	}
	for value, ok := range map[string]bool{"": true, "en_US": true, "en_US_x": false} {
		if err := order.CheckHeader(func(string) string { return value }); (err == nil) != ok {
			t.Errorf("header %q: %v", value, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	var in struct {
		D Decimal
		N Int32
		M Int64
	}
	if err := json.Unmarshal([]byte(`{"D":"0.10","N":"7","M":9007199254740993}`), &in); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"D":0.10,"N":7,"M":9007199254740993}` {
		t.Errorf("%s %v", text, err)
	}
	if text, _ := json.Marshal(Decimal("")); string(text) != "0" {
		t.Errorf("an empty decimal is %s", text)
	}
	if _, err := json.Marshal(Decimal("NaN")); err == nil {
		t.Error("NaN was written")
	}
	if err := json.Unmarshal([]byte(`{"N":"2147483648"}`), &in); err == nil {
		t.Error("an int32 overflowed")
	}
}

// Whatever is sent, the check answers without a panic; what it takes, the decoder takes too.
func FuzzCheckBody(f *testing.F) {
	for _, seed := range []string{`{"id":"a","num":"1","value":1.5,"list":[{"id":"x"}]}`, `{"id":null}`, `[`, `{"id":"\u0000"}`, `{"id":"a","value":"0.1"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if order.CheckBody(body) != nil {
			return
		}
		var in struct {
			ID    string  `json:"id"`
			Num   *Int32  `json:"num"`
			Value Decimal `json:"value"`
			List  []struct {
				ID string `json:"id"`
			} `json:"list"`
		}
		if err := json.Unmarshal(body, &in); err != nil {
			t.Errorf("checked but not decoded: %q: %v", body, err)
		}
	})
}

func FuzzCheckQuery(f *testing.F) {
	f.Add("limit=1&name=a")
	f.Add("%zz&=&&a=b=c")
	f.Fuzz(func(t *testing.T, raw string) {
		out, err := order.CheckQuery(raw)
		if err != nil {
			return
		}
		if _, err := url.ParseQuery(out); err != nil {
			t.Errorf("%q became %q: %v", raw, out, err)
		}
		if again, err := order.CheckQuery(out); err != nil || again != out {
			t.Errorf("%q is not settled: %q then %q, %v", raw, out, again, err)
		}
	})
}
