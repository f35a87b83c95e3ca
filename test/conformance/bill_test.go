package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	"github.com/shopspring/decimal"

	"github.com/purser-cloud/purser/client"
)

// formula works out the formula of a fee record: numbers and units, times, over, less.
func formula(t *testing.T, text string) decimal.Decimal {
	t.Helper()
	terms := strings.Split(text, " - ")
	value, how := decimal.NewFromInt(1), "*"
	for _, word := range strings.Fields(terms[0]) {
		n, err := decimal.NewFromString(word)
		switch {
		case word == "*" || word == "/":
			how = word
		case err != nil: // a unit
		case how == "*":
			value = value.Mul(n)
		default:
			value = value.DivRound(n, 20)
		}
	}
	for _, less := range terms[1:] {
		n, err := decimal.NewFromString(less)
		if err != nil {
			t.Fatal(text, err)
		}
		value = value.Sub(n)
	}
	return value
}

func plus(list ...*decimal.Decimal) (sum decimal.Decimal) {
	for _, d := range list {
		if d != nil {
			sum = sum.Add(*d)
		}
	}
	return sum
}

// The three bill queries say the same of a month, to the last digit, whatever they are asked by; what is asked badly is refused.
func TestGoSDKBills(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		running, last := s.months(t)
		explained := map[string]int{} // records with a formula, by mode
		for _, month := range []string{last, running} {
			// The summary: each row and the whole.
			sum, err := b.ShowCustomerMonthlySum(&bssmodel.ShowCustomerMonthlySumRequest{BillCycle: month, Limit: new(int32(1000))})
			if err != nil {
				t.Fatal(err)
			}
			var consumed, truncated decimal.Decimal
			for _, r := range *sum.BillSums {
				if !r.ConsumeAmount.Equal(r.OfficialAmount.Sub(*r.OfficialDiscountAmount).Sub(*r.TruncatedAmount)) || !r.ConsumeAmount.Equal(r.ConsumeAmount.Truncate(2)) ||
					!r.ConsumeAmount.Equal(plus(r.CashAmount, r.CreditAmount, r.CouponAmount, r.FlexipurchaseCouponAmount, r.StoredValueCardAmount, r.DebtAmount)) {
					t.Errorf("%s: a row does not add up: %v", month, r)
				}
				if *r.BillCycle != month || *r.CustomerId != c.DomainID || *r.AccountName != c.DomainName || *r.ServiceTypeName == "" || *r.ResourceTypeName == "" || *r.MeasureId != 1 {
					t.Errorf("%v", r)
				}
				consumed, truncated = consumed.Add(*r.ConsumeAmount), truncated.Add(*r.TruncatedAmount)
			}
			if !consumed.Equal(*sum.ConsumeAmount) || int(*sum.TotalCount) != len(*sum.BillSums) || consumed.IsZero() || *sum.Currency != "USD" {
				t.Errorf("%s: rows come to %s: %v", month, consumed, sum)
			}
			// The fee records, in pages; each is the sum of its eight parts.
			var fees decimal.Decimal
			seen := map[string]bool{}
			total := 1
			for offset := 0; offset < total; offset += 1000 {
				page, err := b.ListCustomerselfResourceRecords(&bssmodel.ListCustomerselfResourceRecordsRequest{Cycle: month, Offset: new(int32(offset)), Limit: new(int32(1000)), XLanguage: new("en_US")})
				if err != nil {
					t.Fatal(err)
				}
				total = int(*page.TotalCount)
				for _, r := range *page.FeeRecords {
					if !r.Amount.Equal(plus(r.CashAmount, r.CreditAmount, r.CouponAmount, r.FlexipurchaseCouponAmount, r.StoredCardAmount, r.BonusAmount, r.DebtAmount, r.AdjustmentAmount)) ||
						!r.Amount.Equal(r.OfficialAmount.Sub(*r.DiscountAmount)) {
						t.Errorf("a fee record does not add up: %v", r)
					}
					if (*r.BillDate)[:7] != month || *r.CustomerId != c.DomainID || seen[*r.Id] || *r.ChargeMode != "1" && *r.ChargeMode != "3" {
						t.Errorf("%v", r)
					}
					seen[*r.Id] = true
					if r.Formula != nil {
						explained[*r.ChargeMode]++
						off := formula(t, *r.Formula).Sub(r.Amount.Sub(*r.CouponAmount))
						if off.Abs().GreaterThan(decimal.RequireFromString(map[string]string{"1": "0.01", "3": "0.00000001"}[*r.ChargeMode])) || r.Unit == nil || r.UnitPrice == nil || !strings.HasPrefix(*r.Unit, "dollar/") {
							t.Errorf("%s is not %s less coupons of %s: %v", *r.Formula, r.Amount, r.CouponAmount, r)
						}
					}
					fees = fees.Add(*r.Amount)
				}
			}
			if len(seen) != total || !fees.Sub(truncated).Equal(consumed) {
				t.Errorf("%s: %d of %d fee records come to %s, the summary to %s and %s cut off", month, len(seen), total, fees, consumed, truncated)
			}
			// The resource records, by cycle, by day and by record.
			for kind := int32(1); kind <= 3; kind++ {
				var resources decimal.Decimal
				total := 1
				for offset := 0; offset < total; offset += 1000 {
					page, err := b.ListCustomerselfResourceRecordDetails(&bssmodel.ListCustomerselfResourceRecordDetailsRequest{Body: &bssmodel.QueryResRecordsDetailReq{
						Cycle: month, StatisticType: &kind, Offset: new(int32(offset)), Limit: new(int32(1000)),
					}})
					if err != nil {
						t.Fatal(err)
					}
					total = int(*page.TotalCount)
					for _, r := range *page.MonthlyRecords {
						if !r.ConsumeAmount.Equal(plus(r.CashAmount, r.CreditAmount, r.CouponAmount, r.FlexipurchaseCouponAmount, r.StoredCardAmount, r.BonusAmount, r.DebtAmount, r.AdjustmentAmount)) {
							t.Errorf("a resource record does not add up: %v", r)
						}
						if *r.ResourceTypeCode == "" || (kind == 2) != (r.BillDate != nil) || (kind == 3) != (r.ConsumeTime != nil) {
							t.Errorf("statistic type %d: %v", kind, r)
						}
						resources = resources.Add(*r.ConsumeAmount)
					}
				}
				if !resources.Equal(fees) {
					t.Errorf("%s, statistic type %d: resource records come to %s, fee records to %s", month, kind, resources, fees)
				}
			}
		}
		if explained["1"] == 0 || explained["3"] == 0 {
			t.Errorf("formulas: %v", explained)
		}
		sum := func(change func(*bssmodel.ShowCustomerMonthlySumRequest)) error {
			r := &bssmodel.ShowCustomerMonthlySumRequest{BillCycle: running}
			change(r)
			_, err := b.ShowCustomerMonthlySum(r)
			return err
		}
		fee := func(change func(*bssmodel.ListCustomerselfResourceRecordsRequest)) error {
			r := &bssmodel.ListCustomerselfResourceRecordsRequest{Cycle: running}
			change(r)
			_, err := b.ListCustomerselfResourceRecords(r)
			return err
		}
		detail := func(change func(*bssmodel.QueryResRecordsDetailReq)) error {
			r := &bssmodel.QueryResRecordsDetailReq{Cycle: running}
			change(r)
			_, err := b.ListCustomerselfResourceRecordDetails(&bssmodel.ListCustomerselfResourceRecordDetailsRequest{Body: r})
			return err
		}
		for name, err := range map[string]error{
			"month":    sum(func(r *bssmodel.ShowCustomerMonthlySumRequest) { r.BillCycle = "2026-13" }),
			"long ago": sum(func(r *bssmodel.ShowCustomerMonthlySumRequest) { r.BillCycle = "2019-01" }),
			"member":   sum(func(r *bssmodel.ShowCustomerMonthlySumRequest) { r.Method = new("sub_customer") }),
			"method":   sum(func(r *bssmodel.ShowCustomerMonthlySumRequest) { r.Method = new("nobody") }),
			"limit":    fee(func(r *bssmodel.ListCustomerselfResourceRecordsRequest) { r.Limit = new(int32(1001)) }),
			"mode":     fee(func(r *bssmodel.ListCustomerselfResourceRecordsRequest) { r.ChargeMode = new("2") }),
			"other month": fee(func(r *bssmodel.ListCustomerselfResourceRecordsRequest) {
				r.BillDateBegin, r.BillDateEnd = new("2020-01-01"), new("2020-01-02")
			}),
			"statistic": fee(func(r *bssmodel.ListCustomerselfResourceRecordsRequest) { r.StatisticType = new(int32(2)) }),
			"daily":     detail(func(r *bssmodel.QueryResRecordsDetailReq) { r.QueryType = new("DAILY") }),
			"not a member": detail(func(r *bssmodel.QueryResRecordsDetailReq) {
				r.Method, r.SubCustomerId = new("sub_customer"), new("nobody")
			}),
		} {
			refused(t, name, err, 400, "CBC.0100")
		}
	})
}

// The guide's own summary bill, which no SDK has: cents, by service or by resource type, CBC.0000 on success.
func TestOldSummaryBill(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		_, last := s.months(t)
		ask := func(account, query string) (*http.Response, map[string]any) {
			return s.send(t, key, "GET", "/v1.0/"+account+"/customer/account-mgr/bill/monthly-sum?"+query, "", time.Now(), nil)
		}
		_, now := s.send(t, key, "GET", "/v2/bills/customer-bills/monthly-sum?limit=1000&method=oneself&bill_cycle="+last, "", time.Now(), nil)
		number := func(of map[string]any, name string) decimal.Decimal {
			t.Helper()
			text, _ := json.Marshal(of[name])
			d, err := decimal.NewFromString(string(text))
			if err != nil {
				t.Fatalf("%s: %v", name, of[name])
			}
			return d
		}
		answer, out := ask(c.DomainID, "cycle="+last)
		if answer.StatusCode != 200 || out["error_code"] != "CBC.0000" || out["error_msg"] != "success" || out["currency"] != "USD" || out["measure_id"] != 3.0 {
			t.Fatalf("%d %v", answer.StatusCode, out)
		}
		hundred := decimal.NewFromInt(100)
		if got, want := number(out, "total_amount"), number(now, "consume_amount").Mul(hundred); !got.Equal(want) || got.IsZero() {
			t.Errorf("in all %s cents, want %s", got, want)
		}
		var sum decimal.Decimal
		service := ""
		for _, row := range out["bill_sums"].([]any) {
			r := row.(map[string]any)
			if r["resource_type_code"] != nil || r["consume_time"] != last || r["customer_id"] != c.DomainID || r["measure_id"] != 3.0 {
				t.Errorf("%v", r)
			}
			service = fmt.Sprint(r["cloud_service_type_code"])
			sum = sum.Add(number(r, "consume_amount"))
		}
		if !sum.Equal(number(out, "total_amount")) {
			t.Errorf("rows come to %s, in all %v", sum, out["total_amount"])
		}
		_, byType := ask(c.DomainID, "cycle="+last+"&cloud_service_type_code="+service)
		rows := byType["bill_sums"].([]any)
		for _, row := range rows {
			if r := row.(map[string]any); r["resource_type_code"] == nil || r["cloud_service_type_code"] != service {
				t.Errorf("%v", r)
			}
		}
		if len(rows) == 0 {
			t.Error("no rows by resource type")
		}
		for project, most := range map[string]bool{"0": true, "-1": false, "null": false} {
			_, out := ask(c.DomainID, "cycle="+last+"&enterpriseProjectId="+project)
			if got := number(out, "total_amount"); got.IsZero() == most {
				t.Errorf("project %s: %s cents", project, got)
			}
			paid := number(out, "debit_amount").Add(number(out, "credit_amount")).Add(number(out, "coupon_amount")).Add(number(out, "cashcoupon_amount")).Add(number(out, "storedcard_amount")).Add(number(out, "debt_amount"))
			if got := number(out, "total_amount"); !got.Equal(paid) {
				t.Errorf("project %s: %s cents, paid with %s", project, got, paid)
			}
		}
		if _, out := ask(c.DomainID, "cycle="+last+"&type=1"); out["total_count"] != 0.0 {
			t.Errorf("a partner's budget account: %v", out)
		}
		for query, want := range map[string]int{"cycle=2026-13": 400, "": 400, "cycle=" + last + "&type=2": 400} {
			if answer, out := ask(c.DomainID, query); answer.StatusCode != want || out["error_code"] != "CBC.0100" {
				t.Errorf("%s: %d %v", query, answer.StatusCode, out)
			}
		}
		if answer, out := ask(s.Customers[1].DomainID, "cycle="+last); answer.StatusCode != 403 || out["error_code"] != "CBC.0151" {
			t.Errorf("another account: %d %v", answer.StatusCode, out)
		}
	})
}
