package conformance

import (
	"testing"
	"time"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"

	"github.com/purser-cloud/purser/internal/money"
)

// costQueries makes queries for some months.
func costQueries(from, to string) func(kind, amount string, groups ...string) *bssmodel.ListCostsReq {
	return func(kind, amount string, groups ...string) *bssmodel.ListCostsReq {
		q := &bssmodel.ListCostsReq{
			TimeCondition: &bssmodel.TimeCondition{TimeMeasureId: 2, BeginTime: from, EndTime: to},
			CostType:      kind, AmountType: amount, Limit: new(int32(1000)),
		}
		for _, g := range groups {
			q.Groupby = append(q.Groupby, bssmodel.GroupBy{Type: "dimension", Key: g})
		}
		return q
	}
}

// lastDay is the last day of a month.
func lastDay(t *testing.T, month string) string {
	t.Helper()
	first, err := time.Parse("2006-01", month)
	if err != nil {
		t.Fatal(err)
	}
	return first.AddDate(0, 1, -1).Format(time.DateOnly)
}

func sumOf(t *testing.T, texts ...*string) (sum money.Amount) {
	t.Helper()
	for _, text := range texts {
		a, err := money.ParseAmount(*text)
		if err != nil {
			t.Fatal(err)
		}
		sum += a
	}
	return sum
}

// Costs of the demo: each grouping comes to the same, amortised ones are less than the year that was paid for, and what is
// asked badly is refused.
func TestGoSDKCosts(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		running, last := s.months(t)
		costQuery := costQueries(last, running)
		total := func(q *bssmodel.ListCostsReq) money.Amount {
			t.Helper()
			out, err := b.ListCosts(&bssmodel.ListCostsRequest{Body: q})
			if err != nil {
				t.Fatal(err)
			}
			var all []*string
			for _, row := range *out.CostData {
				var parts []*string
				for _, c := range *row.Costs {
					parts = append(parts, c.Amount)
				}
				if sumOf(t, parts...) != sumOf(t, row.AmountByCosts) {
					t.Errorf("the months of %v do not come to its sum", row)
				}
				all = append(all, row.AmountByCosts)
			}
			if *out.Currency != "USD" || int(*out.TotalCount) != len(*out.CostData) || len(all) == 0 {
				t.Errorf("%v", out)
			}
			return sumOf(t, all...)
		}
		whole := total(costQuery("ORIGINAL_COST", "PAYMENT_AMOUNT", "CLOUD_SERVICE_TYPE"))
		for _, groups := range [][]string{{"REGION_CODE", "CHARGING_MODE"}, {"RESOURCE_ID"}, {"BILL_TYPE", "USAGE_TYPE"}} {
			if got := total(costQuery("ORIGINAL_COST", "PAYMENT_AMOUNT", groups...)); got != whole || whole <= 0 {
				t.Errorf("%v: %s, want %s", groups, got, whole)
			}
		}
		if got := total(costQuery("AMORTIZED_COST", "PAYMENT_AMOUNT", "CLOUD_SERVICE_TYPE")); got <= 0 || got >= whole {
			t.Errorf("amortised %s of %s", got, whole)
		}
		if got := total(costQuery("ORIGINAL_COST", "NET_AMOUNT", "CLOUD_SERVICE_TYPE")); got <= 0 || got > whole {
			t.Errorf("net %s of %s", got, whole)
		}
		for name, change := range map[string]func(*bssmodel.ListCostsReq){
			"dimension":   func(q *bssmodel.ListCostsReq) { q.Groupby[0].Key = "COLOUR" },
			"cost unit":   func(q *bssmodel.ListCostsReq) { q.Groupby[0].Type = "cost_unit" },
			"cost type":   func(q *bssmodel.ListCostsReq) { q.CostType = "COST" },
			"end":         func(q *bssmodel.ListCostsReq) { q.TimeCondition.EndTime = "2020-01" },
			"days":        func(q *bssmodel.ListCostsReq) { q.TimeCondition.TimeMeasureId = 1 },
			"three":       func(q *bssmodel.ListCostsReq) { q.Groupby = append(q.Groupby, q.Groupby[0], q.Groupby[0]) },
			"twice":       func(q *bssmodel.ListCostsReq) { q.Groupby = append(q.Groupby, q.Groupby[0]) },
			"three years": func(q *bssmodel.ListCostsReq) { q.TimeCondition.BeginTime = "2020-01" },
		} {
			q := costQuery("ORIGINAL_COST", "PAYMENT_AMOUNT", "CLOUD_SERVICE_TYPE")
			change(q)
			_, err := b.ListCosts(&bssmodel.ListCostsRequest{Body: q})
			refused(t, name, err, 400, "CBC.0100")
		}
	})
}

// Every key to group by comes to the whole, by month and by day; each value of it, as a filter, leaves exactly its row, and without it
// the others; so do tags.
func TestKeysOfCosts(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		ask := func(q *bssmodel.ListCostsReq) (rows map[string]money.Amount, sum money.Amount) {
			t.Helper()
			out, err := b.ListCosts(&bssmodel.ListCostsRequest{Body: q})
			if err != nil {
				t.Fatal(err)
			}
			rows = map[string]money.Amount{}
			for _, row := range *out.CostData {
				key := ""
				for i, d := range *row.Dimensions {
					if *d.Key != q.Groupby[i].Key {
						t.Errorf("dimension %s of a query by %v", *d.Key, q.Groupby)
					}
					key += *d.Value
				}
				amount := sumOf(t, row.AmountByCosts)
				var times money.Amount
				for _, one := range *row.Costs {
					if *one.TimeMeasureId != q.TimeCondition.TimeMeasureId || len(*one.TimeDimensionValue) != len(q.TimeCondition.BeginTime) {
						t.Errorf("%v", one)
					}
					times += sumOf(t, one.Amount)
				}
				if times != amount {
					t.Errorf("%s: times come to %s, the row to %s", key, times, amount)
				}
				rows[key], sum = amount, sum+amount
			}
			if len(rows) != int(*out.TotalCount) {
				t.Errorf("%d rows of %d", len(rows), *out.TotalCount)
			}
			return rows, sum
		}
		filter := func(operator int32, key string, values ...string) *[]bssmodel.FilterV2 {
			return &[]bssmodel.FilterV2{{Operator: operator, FilterFactor: &bssmodel.FilterFactor{Key: key, Value: values}}}
		}
		running, last := s.months(t)
		costQuery := costQueries(last, running)
		for _, kind := range []string{"ORIGINAL_COST", "AMORTIZED_COST"} {
			_, whole := ask(costQuery(kind, "PAYMENT_AMOUNT", "BE_ID"))
			if whole <= 0 {
				t.Fatalf("%s: %s", kind, whole)
			}
			for _, key := range []string{"CLOUD_SERVICE_TYPE", "RESOURCE_TYPE", "ASSOCIATED_ACCOUNT", "REGION_CODE", "AZ_CODE", "ENTERPRISE_PROJECT_ID", "RES_SPEC_CODE", "CHARGING_MODE", "USAGE_TYPE", "BILL_TYPE", "BE_ID", "PAYER_ACCOUNT_ID", "RESOURCE_ID"} {
				q := costQuery(kind, "PAYMENT_AMOUNT", key)
				rows, sum := ask(q)
				if sum != whole {
					t.Errorf("%s by %s: %s, want %s", kind, key, sum, whole)
				}
				if _, zoned := rows["ap-southeast-1a"]; key == "AZ_CODE" && (!zoned || len(rows) < 2) {
					t.Errorf("%s by zone: %v", kind, rows)
				}
				for value, amount := range rows {
					if value == "" {
						continue // what has none: a filter has no word for it
					}
					q.Filters = filter(0, key, value)
					if got, sum := ask(q); len(got) != 1 || sum != amount {
						t.Errorf("%s with %s=%s: %v, want %s", kind, key, value, got, amount)
					}
					q.Filters = filter(1, key, value)
					if got, sum := ask(q); len(got) != len(rows)-1 || sum != whole-amount {
						t.Errorf("%s without %s=%s: %s, want %s", kind, key, value, sum, whole-amount)
					}
					break
				}
			}
			tagged := costQuery(kind, "PAYMENT_AMOUNT")
			tagged.Groupby = []bssmodel.GroupBy{{Type: "tag", Key: "team"}, {Type: "dimension", Key: "RESOURCE_ID"}}
			if _, sum := ask(tagged); sum != whole {
				t.Errorf("%s by tag: %s, want %s", kind, sum, whole)
			}
			only, without := costQuery(kind, "PAYMENT_AMOUNT", "BE_ID"), costQuery(kind, "PAYMENT_AMOUNT", "BE_ID")
			only.Filters, without.Filters = filter(0, "RESOURCE_TAG", "team"), filter(1, "RESOURCE_TAG", "team")
			_, with := ask(only)
			if _, rest := ask(without); with+rest != whole {
				t.Errorf("%s with the tag %s, without it %s, want %s", kind, with, rest, whole)
			}
			// The same span by day.
			daily := costQuery(kind, "PAYMENT_AMOUNT", "BE_ID")
			daily.TimeCondition = &bssmodel.TimeCondition{TimeMeasureId: 1, BeginTime: last + "-01", EndTime: lastDay(t, running)}
			if _, sum := ask(daily); sum != whole {
				t.Errorf("%s by day: %s, want %s", kind, sum, whole)
			}
		}
	})
}
