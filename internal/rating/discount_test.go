package rating

import (
	"errors"
	"math"
	"testing"

	"github.com/purser-cloud/purser/internal/money"
)

func TestApply(t *testing.T) {
	lines := []Line{
		{ID: "vm", Service: "ecs", ResourceType: "vm", Product: "p1", Region: "r1", Charging: ByPeriod, Official: quoted(t, "100.019"), Quantity: dec(t, "2")},
		{ID: "disk", Service: "evs", ResourceType: "volume", Product: "p2", Region: "r1", Charging: ByPeriod, Official: quoted(t, "33.33"), Quantity: dec(t, "1")},
		{ID: "ip", Service: "vpc", ResourceType: "ip", Product: "p3", Region: "r2", Charging: OnDemand, Official: quoted(t, "0.0049"), Quantity: dec(t, "1")},
	}
	usd, jpy := PeriodPrecision(money.USD), PeriodPrecision(money.JPY)
	for _, c := range []struct {
		name  string
		mode  Mode
		value string
		scope Scope
		p     Precision
		want  [3]string // amounts
		total string
		saved string
	}{
		{"ratio", ByRatio, "0.85", Scope{}, usd, [3]string{"85", "28.33", "0"}, "113.33", "20.01"},
		{"ratio at 6", ByRatio, "0.85", Scope{}, Inquiry6, [3]string{"85.01615", "28.3305", "0.004165"}, "113.350815", "20.003085"},
		{"ratio of nothing", ByRatio, "0", Scope{}, usd, [3]string{"0", "0", "0"}, "0", "133.34"},
		{"ratio, whole yen", ByRatio, "0.9", Scope{}, jpy, [3]string{"90", "29", "0"}, "119", "14"},
		{"one service", ByRatio, "0.5", Scope{Services: []string{"evs", "obs"}}, usd, [3]string{"100.01", "16.66", "0"}, "116.67", "16.67"},
		{"one type", ByRatio, "0.5", Scope{ResourceTypes: []string{"vm"}}, usd, [3]string{"50", "33.33", "0"}, "83.33", "50.01"},
		{"one product elsewhere", ByRatio, "0.5", Scope{Products: []string{"p1"}, Regions: []string{"r2"}}, usd, [3]string{"100.01", "33.33", "0"}, "133.34", "0"},
		{"on demand only", ByRatio, "0.5", Scope{Charging: OnDemand}, Inquiry6, [3]string{"100.019", "33.33", "0.00245"}, "133.35145", "0.00245"},
		{"fixed price", ByFixedPrice, "40.5", Scope{Services: []string{"ecs"}}, usd, [3]string{"81", "33.33", "0"}, "114.33", "19.01"},
		{"fixed price, never dearer", ByFixedPrice, "40.5", Scope{}, usd, [3]string{"81", "33.33", "0"}, "114.33", "19.01"},
		{"fixed price of another world", ByFixedPrice, "9223372036854775807", Scope{}, usd, [3]string{"100.01", "33.33", "0"}, "133.34", "0"},
		{"reduction", ByReduction, "10", Scope{}, usd, [3]string{"92.51", "30.83", "0"}, "123.34", "10"},
		{"reduction finer than a cent", ByReduction, "0.019", Scope{}, usd, [3]string{"100", "33.33", "0"}, "133.33", "0.01"},
		{"reduction of all", ByReduction, "9223372036854775807", Scope{Regions: []string{"r1"}}, usd, [3]string{"0", "0", "0"}, "0", "133.34"},
		{"reduction of nothing", ByReduction, "5", Scope{Regions: []string{"r9"}}, usd, [3]string{"100.01", "33.33", "0"}, "133.34", "0"},
	} {
		d := Discount{ID: "d", Kind: Commercial, Mode: c.mode, Value: dec(t, c.value), Scope: c.scope}
		q, err := d.Apply(lines, c.p)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, want := range c.want {
			if got := q.Lines[i].Amount.String(); got != want {
				t.Errorf("%s: line %s costs %s, want %s", c.name, q.Lines[i].ID, got, want)
			}
		}
		if q.Amount.String() != c.total || q.Discount.String() != c.saved {
			t.Errorf("%s: total %s, saved %s, want %s, %s", c.name, q.Amount, q.Discount, c.total, c.saved)
		}
	}
}

// A correction under volume tiers is lowered like the charge that it corrects.
func TestNegativeLine(t *testing.T) {
	lines := []Line{{ID: "a", Official: quoted(t, "-10.16")}, {ID: "b", Official: quoted(t, "20")}}
	for mode, want := range map[Mode]string{ByRatio: "4.92", ByReduction: "8.84"} {
		d := Discount{Kind: Partner, Mode: mode, Value: dec(t, "0.5")}
		if mode == ByReduction {
			d.Value = dec(t, "1")
		}
		q, err := d.Apply(lines, Inquiry6)
		if err != nil || q.Amount.String() != want || q.Official != q.Amount+q.Discount {
			t.Errorf("mode %d: %+v, %v, want %s", mode, q, err, want)
		}
	}
}

func TestBadDiscounts(t *testing.T) {
	for name, d := range map[string]Discount{
		"kind":     {Kind: 604, Mode: ByRatio, Value: dec(t, "0.5")},
		"mode":     {Kind: Commercial, Mode: 3, Value: dec(t, "0.5")},
		"ratio":    {Kind: Commercial, Mode: ByRatio, Value: dec(t, "1.01")},
		"negative": {Kind: Commercial, Mode: ByReduction, Value: dec(t, "-1")},
		"decimals": {Kind: Commercial, Mode: ByFixedPrice, Value: dec(t, "0.00000000001")},
	} {
		if _, err := d.Apply([]Line{{Official: 1}}, Inquiry6); !errors.Is(err, ErrDiscount) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := Offers([]Discount{d}, []Line{{Official: 1, Quantity: dec(t, "1")}}, Inquiry6); !errors.Is(err, ErrDiscount) {
			t.Errorf("%s among offers: %v", name, err)
		}
	}
}

func TestOffers(t *testing.T) {
	lines := []Line{{ID: "vm", Service: "ecs", Official: quoted(t, "100")}, {ID: "disk", Service: "evs", Official: quoted(t, "50")}}
	give := func(id string, kind Kind, mode Mode, value string, services ...string) Discount {
		return Discount{ID: id, Kind: kind, Mode: mode, Value: dec(t, value), Scope: Scope{Services: services}}
	}
	for _, c := range []struct {
		name            string
		discounts       []Discount
		offers          int
		best, preferred string
	}{
		{"none", nil, 0, "", ""},
		{"none for these", []Discount{give("a", Commercial, ByRatio, "0.5", "obs")}, 0, "", ""},
		{"none that saves", []Discount{give("a", Commercial, ByRatio, "1")}, 1, "", ""},
		{"largest", []Discount{give("a", Commercial, ByRatio, "0.9"), give("b", Partner, ByRatio, "0.8")}, 2, "b", "a"},
		{"tie: commercial", []Discount{give("a", Partner, ByRatio, "0.8"), give("b", Distributor, ByReduction, "30"), give("c", Commercial, ByRatio, "0.8")}, 3, "c", "c"},
		{"tie: distributor before partner", []Discount{give("a", Partner, ByRatio, "0.8"), give("b", Distributor, ByRatio, "0.8")}, 2, "b", "b"},
		{"tie: smaller id", []Discount{give("z", Partner, ByRatio, "0.8"), give("y", Partner, ByReduction, "30")}, 2, "y", "y"},
		{"of parts", []Discount{give("a", Commercial, ByRatio, "0.5", "evs"), give("b", Commercial, ByRatio, "0.8", "ecs"), give("c", Partner, ByRatio, "0.1", "obs")}, 2, "a", "a"},
	} {
		offers, best, err := Offers(c.discounts, lines, Inquiry6)
		if err != nil || len(offers) != c.offers {
			t.Errorf("%s: %d offers, %v, want %d", c.name, len(offers), err, c.offers)
			continue
		}
		id := func(i int) string {
			if i < 0 {
				return ""
			}
			return offers[i].Discount.ID
		}
		if id(best) != c.best || id(Preferred(offers)) != c.preferred {
			t.Errorf("%s: best %q, preferred %q, want %q, %q", c.name, id(best), id(Preferred(offers)), c.best, c.preferred)
		}
	}
}

func TestListAndMerge(t *testing.T) {
	a, err := List([]Line{{ID: "a", Official: quoted(t, "0.1234567899")}, {ID: "b", Official: quoted(t, "0.0000009999")}}, Inquiry6)
	if err != nil || a.Amount.String() != "0.123456" { // the sum of cut lines, not the cut sum 0.123457
		t.Errorf("%+v, %v", a, err)
	}
	half := Discount{Kind: Commercial, Mode: ByRatio, Value: dec(t, "0.5")}
	b, err := half.Apply([]Line{{ID: "c", Official: quoted(t, "3")}}, Inquiry6)
	if err != nil {
		t.Fatal(err)
	}
	q, err := Merge(a, b)
	if err != nil || len(q.Lines) != 3 || q.Lines[2].ID != "c" || q.Official.String() != "3.123456" || q.Amount.String() != "1.623456" || q.Discount.String() != "1.5" {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err := List([]Line{{Official: math.MaxInt64}, {Official: math.MaxInt64}}, Inquiry10); !errors.Is(err, ErrAboveMaximum) {
		t.Errorf("a sum that does not fit: %v", err)
	}
	if _, err := (&Discount{Kind: Commercial, Mode: ByReduction}).Apply([]Line{{Official: math.MaxInt64}, {Official: math.MaxInt64}}, Inquiry10); !errors.Is(err, ErrAboveMaximum) {
		t.Errorf("a reduced sum that does not fit: %v", err)
	}
	for code, want := range map[int32]Precision{0: Inquiry6, 1: Inquiry10} {
		if p, ok := InquiryPrecision(code); !ok || p != want {
			t.Errorf("inquiry_precision %d: %d", code, p)
		}
	}
	if _, ok := InquiryPrecision(2); ok {
		t.Error("inquiry_precision 2 was taken")
	}
}
