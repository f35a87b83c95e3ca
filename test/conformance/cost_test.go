package conformance

import (
	"testing"
	"time"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"

	"github.com/purser-cloud/purser/internal/money"
)

// costs is a query for a month around now.
func costQuery(kind, amount string, groups ...string) *bssmodel.ListCostsReq {
	now := time.Now().In(time.FixedZone("", 8*3600))
	q := &bssmodel.ListCostsReq{
		TimeCondition: &bssmodel.TimeCondition{TimeMeasureId: 2, BeginTime: now.AddDate(0, -1, 0).Format("2006-01"), EndTime: now.Format("2006-01")},
		CostType:      kind, AmountType: amount, Limit: new(int32(1000)),
	}
	for _, g := range groups {
		q.Groupby = append(q.Groupby, bssmodel.GroupBy{Type: "dimension", Key: g})
	}
	return q
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
