package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/purser-cloud/purser/client"
)

// A month that is replayed under the terms that were in force is the bill, to the digit; under others it differs by what they differ
// by; nothing is written.
func TestWhatIf(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		operator := client.Credential{AccessKey: s.Operator.AccessKey, SecretKey: s.Operator.SecretKey, DomainID: s.Operator.DomainID}
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		running, last := s.months(t)
		replay := func(month string, more map[string]any) map[string]any {
			t.Helper()
			ask := map[string]any{"customer_id": c.DomainID, "month": month}
			for name, value := range more {
				ask[name] = value
			}
			text, _ := json.Marshal(ask)
			answer, out := s.send(t, operator, "POST", "/purser/v1/what-ifs", string(text), time.Now(), nil)
			if answer.StatusCode != 200 {
				t.Fatal(answer.Status, out)
			}
			return out
		}
		number := func(of any, name string) decimal.Decimal {
			t.Helper()
			return decimal.RequireFromString(fmt.Sprint(of.(map[string]any)[name]))
		}
		billOf := func(month string) decimal.Decimal {
			_, out := s.send(t, key, "GET", "/v2/bills/customer-bills/monthly-sum?method=oneself&limit=1000&bill_cycle="+month, "", time.Now(), nil)
			return number(out, "consume_amount")
		}
		var bought decimal.Decimal
		before := map[string]decimal.Decimal{last: billOf(last), running: billOf(running)}
		for _, month := range []string{last, running} {
			same := replay(month, nil)
			if got := number(same["billed"], "consume_amount"); !got.Equal(before[month]) && month == last || got.IsZero() || same["unpriced"] != 0.0 {
				t.Errorf("%s: billed %s, the bill says %s; %v lines without a price", month, got, before[month], same["unpriced"])
			}
			for _, row := range append(same["rows"].([]any), any(map[string]any{"billed": same["billed"], "then": same["then"]})) {
				r := row.(map[string]any)
				for name := range r["billed"].(map[string]any) {
					if was, then := number(r["billed"], name), number(r["then"], name); !was.Equal(then) {
						t.Errorf("%s: %s of %v %v: %s, replayed %s", month, name, r["cloud_service_type"], r["charge_mode"], was, then)
					}
				}
				if r["charge_mode"] == 1.0 && r["bill_type"] == 1.0 {
					bought = bought.Add(number(r["billed"], "official_amount"))
				}
			}
		}
		if bought.IsZero() {
			t.Error("nothing was bought by the term")
		}

		// Without discounts: what is used and bought comes to its list price.
		list := replay(last, map[string]any{"without_discounts": true})
		for _, row := range list["rows"].([]any) {
			r := row.(map[string]any)
			if r["bill_type"] == 1.0 && !number(r["then"], "discount_amount").IsZero() {
				t.Errorf("a discount is left: %v", r)
			}
		}
		half := replay(last, map[string]any{"discounts": []any{map[string]any{"discount_type": 605, "ratio": "0.5"}}})
		if full, cut := number(list["then"], "consume_amount"), number(half["then"], "consume_amount"); !cut.LessThan(full) {
			t.Errorf("at half price %s, at list prices %s", cut, full)
		}
		official, lowered := decimal.Zero, decimal.Zero
		for _, row := range half["rows"].([]any) {
			if r := row.(map[string]any); r["bill_type"] == 1.0 && r["charge_mode"] == 3.0 {
				official, lowered = official.Add(number(r["then"], "official_amount")), lowered.Add(number(r["then"], "discount_amount"))
			}
		}
		if off := official.Sub(lowered.Mul(decimal.NewFromInt(2))).Abs(); official.IsZero() || off.GreaterThan(decimal.RequireFromString("0.001")) {
			t.Errorf("half of %s is %s", official, lowered) // each record is cut at 8 decimals
		}

		// Another price book: one service costs twice as much.
		_, book := s.send(t, operator, "GET", "/purser/v1/catalogue", "", time.Now(), nil)
		files := book["files"].([]any)
		price := regexp.MustCompile(`\b(unit_price|amount): "?([0-9]+\.[0-9]+)"?`)
		changed := 0
		for _, one := range files {
			f := one.(map[string]any)
			f["text"] = price.ReplaceAllStringFunc(f["text"].(string), func(found string) string {
				parts := price.FindStringSubmatch(found)
				changed++
				return parts[1] + `: "` + decimal.RequireFromString(parts[2]).Mul(decimal.NewFromInt(2)).String() + `"`
			})
		}
		if changed == 0 {
			t.Fatalf("no prices found: %.2000s", files[len(files)-1])
		}
		twice := replay(last, map[string]any{"files": files})
		if was, then := number(twice["billed"], "official_amount"), number(twice["then"], "official_amount"); !then.GreaterThan(was) || twice["unpriced"] != 0.0 {
			t.Errorf("%s, at twice the prices %s, %v lines without one", was, then, twice["unpriced"])
		}
		if diff := number(twice["then"], "consume_amount").Sub(number(twice["billed"], "consume_amount")); !diff.Equal(number(twice, "difference")) {
			t.Errorf("difference %v, want %s", twice["difference"], diff)
		}

		// Refusals, and nothing was written.
		for body, want := range map[string]int{
			`{"customer_id":"nobody","month":"` + last + `"}`: 404, `{"customer_id":"` + c.DomainID + `","month":"2026-13"}`: 400,
			`{"customer_id":"` + c.DomainID + `","month":"` + last + `","discounts":[{"discount_type":605,"ratio":"1.5"}]}`:           400,
			`{"customer_id":"` + c.DomainID + `","month":"` + last + `","files":[{"name":"units.yaml","text":"units: [nothing]\n"}]}`: 400,
		} {
			if answer, out := s.send(t, operator, "POST", "/purser/v1/what-ifs", body, time.Now(), nil); answer.StatusCode != want {
				t.Errorf("%s: %s %v", body, answer.Status, out)
			}
		}
		if answer, _ := s.send(t, key, "POST", "/purser/v1/what-ifs", `{"customer_id":"`+c.DomainID+`","month":"`+last+`"}`, time.Now(), nil); answer.StatusCode != 403 {
			t.Errorf("a customer: %s", answer.Status)
		}
		if again := billOf(last); !again.Equal(before[last]) {
			t.Errorf("the bill was %s and is %s", before[last], again)
		}
		if _, after := s.send(t, operator, "GET", "/purser/v1/catalogue", "", time.Now(), nil); after["version"] != book["version"] {
			t.Errorf("the catalogue was %v and is %v", book["version"], after["version"])
		}
	})
}
