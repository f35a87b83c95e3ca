package focus

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

func fee(t *testing.T, text string) *bss.ResFeeRecordV2 {
	t.Helper()
	f := bss.ResFeeRecordV2{
		CustomerId: "c", AccountName: "firm", Region: "ap-southeast-1", CloudServiceType: "hws.service.type.ec2", CloudServiceTypeName: "Elastic Cloud Server", ResourceId: "r",
		ResourceTypeName: "Cloud Host", ProductId: "P", ProductName: "s3", EnterpriseProjectId: "0", EnterpriseProjectName: "default", CouponAmount: "0", DiscountAmount: "0",
		Usage: "0", TradeTime: "2026-11-10T02:00:00Z", SkuCode: new("s3.small.1.linux"),
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	return &f
}

func month(t *testing.T, text string) period.Cycle {
	t.Helper()
	c, err := period.ParseCycle(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestColumns(t *testing.T) {
	names := Columns()
	if len(names) != 57 {
		t.Errorf("%d columns, want 57", len(names))
	}
	for i := 1; i < len(names); i++ {
		if names[i-1] >= names[i] {
			t.Errorf("%s before %s", names[i-1], names[i])
		}
	}
}

// A term is billed in its month and borne by its days: over all months both come to what was paid.
func TestATermIsBorneByItsDays(t *testing.T) {
	s := Source{Currency: "USD"}
	f := fee(t, `{"bill_type":1,"charge_mode":"1","official_amount":120,"discount_amount":20,"amount":100,"coupon_amount":7,
		"effective_time":"2026-11-10T02:00:00Z","expire_time":"2027-02-10T15:59:59Z"}`)
	rows, err := s.Rows(f, month(t, "2026-11"), nil)
	if err != nil || len(rows) != 3 {
		t.Fatal(err, rows)
	}
	if rows[0].ChargeCategory != "Purchase" || rows[1].ChargeCategory != "Credit" || rows[0].BilledCost+rows[1].BilledCost != 93e8 ||
		rows[0].EffectiveCost != 0 || rows[1].EffectiveCost != 0 || rows[2].ChargeCategory != "Usage" || rows[2].BilledCost != 0 || rows[2].ChargePeriodEnd != "2026-11-30T16:00:00Z" {
		t.Errorf("%+v", rows)
	}
	if rows[0].ChargePeriodEnd != "2027-02-10T16:00:00Z" || *rows[0].ListUnitPrice != 120e10 || *rows[0].ContractedUnitPrice != 100e10 {
		t.Errorf("%+v", rows[0])
	}
	borne := rows[2].EffectiveCost
	for _, m := range []string{"2026-12", "2027-01", "2027-02"} {
		row, ok, err := s.Later(f, month(t, "2026-11"), month(t, m))
		if err != nil || !ok || row.BilledCost != 0 || row.ChargeCategory != "Usage" {
			t.Fatal(m, err, ok, row)
		}
		borne += row.EffectiveCost
	}
	if borne != 93e8 {
		t.Errorf("borne %d of %d", borne, int64(93e8))
	}
	if _, ok, _ := s.Later(f, month(t, "2026-11"), month(t, "2027-03")); ok {
		t.Error("something after the term")
	}
}

// The kinds of charges, and what each says of itself.
func TestKinds(t *testing.T) {
	s := Source{Currency: "USD", Units: map[int32]string{6: "Second"}}
	for _, k := range []struct {
		text, category, frequency, pricing string
	}{
		{`{"bill_type":5,"charge_mode":"3","official_amount":0.0151,"amount":0.0151,"usage":3600,"usage_measure_id":6,"usage_type":"Duration","unit_price":0.0151,"unit":"dollar/Hour","effective_time":"2026-11-09T18:00:00Z","expire_time":"2026-11-09T19:00:00Z"}`, "Usage", "Usage-Based", "Standard"},
		{`{"bill_type":8,"charge_mode":"1","official_amount":10,"amount":10,"effective_time":"2026-11-10T02:00:00Z","expire_time":"2026-12-10T15:59:59Z"}`, "Purchase", "Recurring", "Standard"},
		{`{"bill_type":4,"charge_mode":"1","official_amount":-3,"amount":-3,"consume_time":"2026-11-10T02:00:00Z"}`, "Purchase", "One-Time", "Standard"},
		{`{"bill_type":15,"charge_mode":"1","official_amount":0.9,"amount":0.9,"consume_time":"2026-11-10T02:00:00Z"}`, "Tax", "One-Time", ""},
	} {
		rows, err := s.Rows(fee(t, k.text), month(t, "2026-11"), nil)
		if err != nil || len(rows) != map[bool]int{true: 2, false: 1}[k.category == "Purchase"] {
			t.Fatal(k.text, err)
		}
		r := &rows[0]
		if bears := &rows[len(rows)-1]; len(rows) == 2 && (r.EffectiveCost != 0 || bears.ChargeCategory != "Usage" || bears.EffectiveCost == 0 || bears.BilledCost != 0 || r.BilledCost < 0 && bears.EffectiveCost != r.BilledCost) {
			t.Errorf("%+v\n%+v", r, bears)
		}
		if r.ChargeCategory != k.category || r.ChargeFrequency != k.frequency || r.PricingCategory != k.pricing || (k.category == "Tax") != (r.SkuID == "") {
			t.Errorf("%s\n%+v", k.text, r)
		}
		if r.PricingQuantity != nil { // list cost is unit price times quantity
			product, err := money.MulDiv(*r.PricingQuantity, *r.ListUnitPrice, 10_000_000_000)
			if err != nil || product != r.ListCost {
				t.Errorf("%s: %d × %d = %d, not %d", k.text, *r.PricingQuantity, *r.ListUnitPrice, product, r.ListCost)
			}
		}
		if k.category == "Usage" && (*r.ConsumedQuantity != 3_600_000 || r.ConsumedUnit != "Seconds" || r.PricingUnit != "Hours") {
			t.Errorf("%+v", r)
		}
	}
}

// Both forms of a file say the same.
func TestFiles(t *testing.T) {
	s := Source{Currency: "USD"}
	rows, err := s.Rows(fee(t, `{"bill_type":1,"charge_mode":"1","official_amount":12.5,"amount":12.5,"coupon_amount":0.00000001,"resource_tag":"team=web;a=b",
		"effective_time":"2026-11-10T02:00:00Z","expire_time":"2026-11-20T15:59:59Z"}`), month(t, "2026-11"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var plain, packed bytes.Buffer
	w, err := NewCSV(&plain, true)
	if err != nil {
		t.Fatal(err)
	}
	p := NewParquet(&packed)
	for _, x := range []Writer{w, p} {
		if err := x.Write(rows); err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := csv.NewReader(&plain).ReadAll()
	if err != nil || len(lines) != 4 {
		t.Fatal(err, len(lines))
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
	}
	if got := lines[2][at["BilledCost"]]; got != "-0.00000001" {
		t.Errorf("billed %q in %v", got, lines[2])
	}
	if got := lines[1][at["Tags"]]; got != `{"a":"b","team":"web"}` {
		t.Errorf("tags %s", got)
	}
	back, err := parquet.Read[Row](bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil || len(back) != 3 || back[0].BilledCost != rows[0].BilledCost || *back[0].ListUnitPrice != *rows[0].ListUnitPrice || back[1].Tags != rows[1].Tags {
		t.Errorf("%v, %+v", err, back)
	}
}
