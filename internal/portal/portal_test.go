package portal

import (
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
)

var (
	textUsed = regexp.MustCompile(`\bv\.t\("([a-z0-9_.]+)"|"([a-z_0-9]+\.[a-z0-9_.]+)"`)
	verbs    = regexp.MustCompile(`%[a-z]`)
)

// Every text that is used is in the catalogue, in both languages with the same places to fill in, and none is left over.
func TestEveryTextIsThereInBothLanguages(t *testing.T) {
	used := map[string]bool{}
	for _, pattern := range []string{"*.templ", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasPrefix(name, "texts") || strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range textUsed.FindAllStringSubmatch(string(source), -1) {
				if key := m[1]; key != "" {
					used[key] = true
					if _, ok := texts[key]; !ok && !strings.HasSuffix(key, ".") {
						t.Errorf("%s: no text %q", name, key)
					}
				} else {
					used[m[2]] = true
				}
			}
			// Codes: v.code("kind", …) uses all of a kind.
			for _, m := range regexp.MustCompile(`(?:code|codeChoices)\("([a-z_]+)"|"([a-z_]+)\."\s*\+|v\.t\("([a-z_]+)\."`).FindAllStringSubmatch(string(source), -1) {
				for _, prefix := range m[1:] {
					if prefix == "" {
						continue
					}
					for key := range texts {
						if strings.HasPrefix(key, prefix+".") {
							used[key] = true
						}
					}
				}
			}
		}
	}
	for key, pair := range texts {
		if !used[key] {
			t.Errorf("the text %q is used nowhere", key)
		}
		if strings.TrimSpace(pair[english]) == "" || strings.TrimSpace(pair[chinese]) == "" {
			t.Errorf("the text %q lacks a language", key)
		}
		if a, b := verbs.FindAllString(pair[english], -1), verbs.FindAllString(pair[chinese], -1); strings.Join(a, "") != strings.Join(b, "") {
			t.Errorf("the text %q has %v in English and %v in Chinese", key, a, b)
		}
	}
}

// What the house says in English is known in Chinese too, word for word as its rooms say it.
func TestSayings(t *testing.T) {
	var source strings.Builder
	names, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "../portal/") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, one := range sayings {
		if !strings.Contains(source.String(), strconv.Quote(one[english])) {
			t.Errorf("nobody says %q", one[english])
		}
		if out := fmt.Sprintf(one[chinese], "1", "2", "3", "4", "5"); strings.Contains(one[chinese], "%[") && strings.Contains(out, "%!") {
			t.Errorf("%q in Chinese: %s", one[english], out)
		}
		if a, b := len(verbs.FindAllString(one[english], -1)), strings.Count(one[chinese], "%s"); !strings.Contains(one[chinese], "%[") && a != b {
			t.Errorf("%q has %d parts, %d in Chinese", one[english], a, b)
		}
	}
	v := &visit{lang: chinese}
	for said, want := range map[string]string{
		"2026-10: 3 customers wait": "2026-10：3 个客户待月结", "2026-10: 3 customers wait, 1 are parked (purser close list)": "2026-10：3 个客户待月结，1 个失败",
		"PURSER.0302 the customer's books are parked (x): no money moves until the operator releases them": "该客户的账本已挂起（x）：运营商解除之前资金不会变动（PURSER.0302）",
		"coupon CP1 cannot be used for this order: it covers none of its products":                         "优惠券 CP1 不适用于此订单：不覆盖其中任何产品",
		"usage_factor: Duration of s3 has no price at that time":                                           "s3 的 Duration 在该时间没有价格",
		"the disk is full": "the disk is full", "": "",
	} {
		if got := v.said(said); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if got := (&visit{}).said("CBC.99005003 insufficient balance"); got != "insufficient balance (CBC.99005003)" {
		t.Error(got)
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0.00", "12": "12.00", "1234567.5": "1,234,567.50", "-0.015": "−0.015", "0.00000001": "0.00000001", "1e3": "1,000.00", "1.5E-3": "0.0015", "": "0.00", "x": "0.00",
		"99999999999999999999": "0.00", "0.000000000019": "0.00", "-1000": "−1,000.00",
	} {
		if got := amountOf(text).String(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if got := amountOf("-12.50").plain(); got != "-12.5" {
		t.Errorf("plain: %s", got)
	}
	v := &visit{}
	for text, want := range map[string]string{"1073741824": "1 GB", "10200547328": "9.5 GB", "0": "0 GB", "12345678901234567890123": "0 GB"} {
		if n, unit := v.usageOf(text, 13); n.quantity()+" "+unit != want {
			t.Errorf("%s bytes: %s %s, want %s", text, n.quantity(), unit, want)
		}
	}
	if n, unit := v.usageOf("1.5", 4); n.quantity() != "1.5" || unit != "hours" {
		t.Errorf("hours: %s %s", n.quantity(), unit)
	}
	for text, want := range map[string]string{"3600": "1 hour", "5400": "1.5 hours", "7201": "7,201 seconds", "59": "59 seconds"} {
		if n, unit := v.usageOf(text, 6); n.quantity()+" "+unit != want {
			t.Errorf("%s seconds: %s %s, want %s", text, n.quantity(), unit, want)
		}
	}
	if got := percent(1, 3); got != "33.3 %" {
		t.Errorf("percent: %s", got)
	}
}

// An address that a form names leads nowhere but into the portal.
func TestLocal(t *testing.T) {
	for at, want := range map[string]bool{"/": true, "/orders?status=6": true, "//evil.example": false, "https://evil.example/": false, "orders": false, "/\\evil.example": false, "": false, "javascript:alert(1)": false} {
		if local(at) != want {
			t.Errorf("%q: %v", at, !want)
		}
	}
}

// Labels of a chart that differ do not look alike when they are cut.
func TestShortenedLabels(t *testing.T) {
	for _, k := range []struct {
		most        int
		names, want string
	}{
		{22, "Object Storage Service|Elastic Cloud Server", "Object Storage Service|Elastic Cloud Server"},
		{10, "Object Storage Service|Elastic Cloud Server", "Object Sto…|Elastic Cl…"},
		{10, "Object Storage Service|Object Storage Migration Service|Cloud Eye", "…Service|…Migration…|Cloud Eye"},
		{7, "对象存储服务|对象存储迁移服务", "…服务|…迁移服…"},
		{8, "2026-01-01|2026-01-02", "…01|…02"},
		{6, "webserver1|webserver2|web", "…1|…2|web"},
		{6, "webserver|webserver1", "webser…|…1"},
		{6, "a long long name|a long long name|a long long nest", "…name|…nam… 2|…nest"},
		{4, "one|one|two", "one|one|two"},
	} {
		if got := strings.Join(shortened(strings.Split(k.names, "|"), k.most), "|"); got != k.want {
			t.Errorf("%s: %s, want %s", k.names, got, k.want)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	body := string(withoutSecrets([]byte(`{"auth":{"identity":{"password":{"user":{"name":"a","password":"hunter2"}}}},"secret":"s3","n":1.10}`)))
	if strings.Contains(body, "hunter2") || strings.Contains(body, "s3") || !strings.Contains(body, "1.10") {
		t.Error(body)
	}
}

// endpoint answers calls of the API in a test.
type endpoint func(*http.Request) (status int, body string)

func (e endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := e(r)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// A file of fee records holds all of them, page after page of the API, and nothing less: a page that fails makes it fail.
func TestAllFeeRecordsAreInTheFile(t *testing.T) {
	const all = 2345
	fails := false
	p, err := New(Config{Endpoints: Endpoints{BSS: "http://cloud.example"}, Key: make([]byte, 32), Clock: time.Now, Random: rand.Reader, Transport: endpoint(func(r *http.Request) (int, string) {
		q := r.URL.Query()
		offset, _ := strconv.Atoi(q.Get("offset"))
		limit, _ := strconv.Atoi(q.Get("limit"))
		if fails && offset > 0 {
			return http.StatusInternalServerError, `{"error_code":"CBC.0999","error_msg":"not now"}`
		}
		var rows []string
		for i := offset; i < min(all, offset+limit); i++ {
			rows = append(rows, fmt.Sprintf(`{"trade_id":"T%d","usage":1,"official_amount":0.01,"discount_amount":0,"amount":0.01,"cash_amount":0.01,"credit_amount":0,"coupon_amount":0,"bonus_amount":0,"debt_amount":0,"adjustment_amount":0}`, i))
		}
		return http.StatusOK, fmt.Sprintf(`{"total_count":%d,"currency":"USD","fee_records":[%s]}`, all, strings.Join(rows, ","))
	})})
	if err != nil {
		t.Fatal(err)
	}
	file := func() (string, error) {
		v := p.visit(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/fees/csv?cycle=2026-10", nil))
		v.session = &session{}
		v.connect(client.Credential{Token: "t"})
		f, err := feesCSV(v)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		err = f.write(&out)
		return out.String(), err
	}
	text, err := file()
	lines, bad := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || bad != nil || len(lines) != all+1 {
		t.Fatalf("%v, %v, %d lines", err, bad, len(lines))
	}
	for i, line := range lines[1:] {
		if line[2] != fmt.Sprintf("T%d", i) {
			t.Fatalf("line %d: %v", i+1, line)
		}
	}
	fails = true
	if _, err := file(); err == nil {
		t.Error("half a file passes for a whole one")
	}
}
