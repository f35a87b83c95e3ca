package rating

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Some of the contract's measure units (billing-rules 11.1).
const (
	day, hour, minute, second = 0, 4, 5, 6
	gigabyte, megabyte, byt   = 10, 11, 13
	kilobyte                  = 12
	piece                     = 14
	mbits                     = 15
	diskGB, diskMB            = 17, 21
	lonely                    = 99
)

func units(t testing.TB) *Units {
	t.Helper()
	u, err := NewUnits([]Unit{{day, 2}, {hour, 2}, {minute, 2}, {second, 2}, {gigabyte, 3}, {megabyte, 3}, {kilobyte, 3}, {byt, 3},
		{piece, 12}, {mbits, 16}, {diskGB, 7}, {diskMB, 7}, {lonely, 40}},
		[]Conversion{{day, hour, 24}, {hour, minute, 60}, {minute, second, 60}, {hour, second, 3600},
			{gigabyte, megabyte, 1024}, {megabyte, kilobyte, 1024}, {kilobyte, byt, 1024}, {diskGB, diskMB, 1024}})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func dec(t testing.TB, text string) money.Decimal {
	t.Helper()
	d, err := money.ParseDecimal(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func price(t testing.TB, text string) money.UnitPrice {
	t.Helper()
	p, err := money.ParseUnitPrice(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func quoted(t testing.TB, text string) money.Quoted {
	t.Helper()
	q, err := money.ParseQuoted(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return q
}

// steps reads bound, price, bound, price, …, "" for no bound.
func steps(t testing.TB, unit int32, pairs ...string) []Tier {
	t.Helper()
	var list []Tier
	for i := 0; i < len(pairs); i += 2 {
		step := Tier{UnitPrice: price(t, pairs[i+1]), Open: pairs[i] == ""}
		if !step.Open {
			step.UpTo, step.Unit = dec(t, pairs[i]), unit
		}
		list = append(list, step)
	}
	return list
}

func simple(t testing.TB) *Price { return &Price{Unit: hour, UnitPrice: price(t, "0.000064")} }

// The VPN gateway of billing-rules 3.3: the first connection 0.33 an hour, each further one 0.035.
func vpn(t testing.TB) *Price {
	return &Price{Unit: hour, SizeUnit: piece, Tiers: &Tiers{Shape: Graduated, On: OnSize, Steps: steps(t, piece, "1", "0.33", "", "0.035")}}
}

// Traffic: 10 TB at 0.081 a GB, 40 TB more at 0.08, the rest at 0.07; bounds are in GB and MB.
func traffic(t testing.TB, shape Shape) *Price {
	list := steps(t, gigabyte, "10240", "0.081", "51200", "0.08", "", "0.07")
	list[1].UpTo, list[1].Unit = dec(t, "52428800"), megabyte
	return &Price{Unit: gigabyte, Tiers: &Tiers{Shape: shape, On: OnUsage, Accumulate: period.Month, Steps: list}}
}

func TestUsage(t *testing.T) {
	linear := &Price{Unit: hour, UnitPrice: price(t, "0.000064"), SizeUnit: diskGB}
	calls := &Price{Unit: piece, Per: 10000, UnitPrice: price(t, "0.01")}
	perSize := &Price{Unit: gigabyte, SizeUnit: mbits, Tiers: &Tiers{Shape: Graduated, On: OnUsage, Steps: steps(t, gigabyte, "1", "2", "", "1")}}
	byVolume := &Price{Unit: hour, SizeUnit: diskGB, Tiers: &Tiers{Shape: Volume, On: OnSize, Steps: steps(t, diskGB, "100", "0.001", "1000", "0.0008", "", "0.0005")}}
	for _, c := range []struct {
		name  string
		price *Price
		use   Use
		want  string
		tier  int
	}{
		{"a second of an hour is cut at 10", &Price{Unit: hour, UnitPrice: price(t, "1")}, Use{Value: dec(t, "1"), Unit: second}, "0.0002777777", -1},
		{"linear, FAQ", linear, Use{Value: dec(t, "25874"), Unit: second, Size: Size{dec(t, "1000"), diskGB}}, "0.4599822222", -1},
		{"other FAQ, size 10", &Price{Unit: hour, UnitPrice: price(t, "0.00017"), SizeUnit: diskGB},
			Use{Value: dec(t, "1775064"), Unit: second, Size: Size{dec(t, "10"), diskGB}}, "0.8382246666", -1},
		{"size in another unit", linear, Use{Value: dec(t, "1"), Unit: hour, Size: Size{dec(t, "512"), diskMB}}, "0.000032", -1},
		{"a day is 24 hours", simple(t), Use{Value: dec(t, "2"), Unit: day}, "0.003072", -1},
		{"several", simple(t), Use{Value: dec(t, "1"), Unit: hour, Num: 3}, "0.000192", -1},
		{"a size that plays no part", simple(t), Use{Value: dec(t, "1"), Unit: hour, Size: Size{dec(t, "5"), lonely}}, "0.000064", -1},
		{"nothing used", simple(t), Use{Value: dec(t, "0"), Unit: hour}, "0", -1},
		{"per 10,000", calls, Use{Value: dec(t, "12345"), Unit: piece}, "0.012345", -1},
		{"vpn 1", vpn(t), Use{Value: dec(t, "730"), Unit: hour, Size: Size{dec(t, "1"), piece}}, "240.9", 0},
		{"vpn 2", vpn(t), Use{Value: dec(t, "730"), Unit: hour, Size: Size{dec(t, "2"), piece}}, "266.45", 1},
		{"vpn 10", vpn(t), Use{Value: dec(t, "730"), Unit: hour, Size: Size{dec(t, "10"), piece}}, "470.85", 1},
		{"volume at the bound", byVolume, Use{Value: dec(t, "1"), Unit: hour, Size: Size{dec(t, "100"), diskGB}}, "0.1", 0},
		{"volume above the bound", byVolume, Use{Value: dec(t, "1"), Unit: hour, Size: Size{dec(t, "101"), diskGB}}, "0.0808", 1},
		{"volume, last step", byVolume, Use{Value: dec(t, "10"), Unit: hour, Size: Size{dec(t, "2000"), diskGB}}, "10", 2},
		{"tiers on usage, by size", perSize, Use{Value: dec(t, "3"), Unit: gigabyte, Size: Size{dec(t, "5"), mbits}}, "20", 1},
	} {
		if c.use.Num == 0 {
			c.use.Num = 1
		}
		if err := c.price.Check(units(t)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r, err := Usage(c.price, units(t), &c.use)
		if err != nil || r.Amount.String() != c.want || r.Tier != c.tier {
			t.Errorf("%s: %s, step %d, %v, want %s, step %d", c.name, r.Amount, r.Tier, err, c.want, c.tier)
		}
	}
}

// The FAQ's chain to the digit: 7.1872222222 h → 0.45998222 on the record → 0.46 on the bill.
func TestFAQChain(t *testing.T) {
	u := units(t)
	hours, err := u.Convert(dec(t, "25874"), second, hour)
	if err != nil || hours.String() != "7.1872222222" {
		t.Errorf("%s hours, %v", hours, err)
	}
	p := &Price{Unit: hour, UnitPrice: price(t, "0.000064"), SizeUnit: diskGB}
	r, err := Usage(p, u, &Use{Value: dec(t, "25874"), Unit: second, Size: Size{dec(t, "1000"), diskGB}, Num: 1})
	if err != nil {
		t.Fatal(err)
	}
	charged := money.CutCharge(r.Amount)
	billed, err := money.HalfUpMinor(charged, money.USD)
	if charged.String() != "0.45998222" || billed.String() != "0.46" || err != nil || money.CutMinor(charged, money.USD).String() != "0.45" {
		t.Errorf("charged %s, billed %s, %v", charged, billed, err)
	}
}

// Bounds: begin exclusive, end inclusive, each in its own unit.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		value, graduated, volume string
		unit                     int32
		tier                     int
	}{
		{"0", "0", "0", gigabyte, 0},
		{"10240", "829.44", "829.44", gigabyte, 0},
		{"10241", "829.52", "819.28", gigabyte, 1},
		{"10995116277760", "829.44", "829.44", byt, 0},
		{"10995116277761", "829.44", "819.2", byt, 1},
		{"51200", "4106.24", "4096", gigabyte, 1},
		{"51201", "4106.31", "3584.07", gigabyte, 2},
		{"52428800", "4106.24", "4096", megabyte, 1},
	} {
		for shape, want := range map[Shape]string{Graduated: c.graduated, Volume: c.volume} {
			r, err := Usage(traffic(t, shape), units(t), &Use{Value: dec(t, c.value), Unit: c.unit, Num: 1})
			if got := money.CutQuote6(r.Amount).String(); err != nil || got != want || r.Tier != c.tier {
				t.Errorf("%s of unit %d, %s: %s, step %d, %v, want %s, step %d", c.value, c.unit, shape, got, r.Tier, err, want, c.tier)
			}
		}
	}
}

func TestAccumulation(t *testing.T) {
	for _, c := range []struct {
		shape          Shape
		window         period.Unit
		already, value string
		want           string
	}{
		{Graduated, period.Month, "10000", "1000", "80.24"}, // 240 at 0.081, 760 at 0.08
		{Graduated, period.Day, "60000", "10", "0.7"},
		{Graduated, period.None, "60000", "10", "0.81"},
		{Volume, period.Month, "10000", "1000", "70"}, // 11000 at 0.08 less 10000 at 0.081
		{Volume, period.Month, "10240", "1", "-10.16"},
		{Volume, period.None, "10240", "1", "0.081"},
	} {
		p := traffic(t, c.shape)
		p.Tiers.Accumulate = c.window
		r, err := Usage(p, units(t), &Use{Value: dec(t, c.value), Unit: gigabyte, Already: dec(t, c.already), Num: 1})
		if err != nil || r.Amount.String() != c.want {
			t.Errorf("%s on top of %s, %s by %s: %s, %v, want %s", c.value, c.already, c.shape, c.window, r.Amount, err, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	one := dec(t, "1")
	linear := &Price{Unit: hour, UnitPrice: price(t, "1"), SizeUnit: diskGB}
	closed := &Price{Unit: hour, SizeUnit: piece, Tiers: &Tiers{Shape: Graduated, On: OnSize, Steps: steps(t, piece, "10", "1")}}
	dear := &Price{Unit: hour, UnitPrice: math.MaxInt64}
	for _, c := range []struct {
		name  string
		price *Price
		use   Use
		want  error
	}{
		{"unit of another dimension", simple(t), Use{Value: one, Unit: gigabyte, Num: 1}, ErrUnit},
		{"unknown unit", simple(t), Use{Value: one, Unit: 12345, Num: 1}, ErrUnit},
		{"no size", linear, Use{Value: one, Unit: hour, Num: 1}, ErrSizeMissing},
		{"size without unit", linear, Use{Value: one, Unit: hour, Size: Size{Value: one}, Num: 1}, ErrSizeMissing},
		{"unit without size", linear, Use{Value: one, Unit: hour, Size: Size{Unit: diskGB}, Num: 1}, ErrSizeMissing},
		{"no size on tiers", vpn(t), Use{Value: one, Unit: hour, Num: 1}, ErrSizeMissing},
		{"bad size unit", linear, Use{Value: one, Unit: hour, Size: Size{one, mbits}, Num: 1}, ErrSizeUnit},
		{"negative size", linear, Use{Value: one, Unit: hour, Size: Size{dec(t, "-1"), diskGB}, Num: 1}, ErrQuantity},
		{"negative usage", simple(t), Use{Value: dec(t, "-1"), Unit: hour, Num: 1}, ErrQuantity},
		{"negative counter", simple(t), Use{Value: one, Already: dec(t, "-1"), Unit: hour, Num: 1}, ErrQuantity},
		{"no subscription", simple(t), Use{Value: one, Unit: hour}, ErrQuantity},
		{"above the last bound", closed, Use{Value: one, Unit: hour, Size: Size{dec(t, "11"), piece}, Num: 1}, ErrAboveMaximum},
		{"just above the maximum", dear, Use{Value: one, Unit: hour, Num: 2}, ErrAboveMaximum},
		{"far above the maximum", linear, Use{Value: money.DecimalOf(math.MaxInt64), Unit: day,
			Size: Size{money.DecimalOf(math.MaxInt64), diskGB}, Num: math.MaxInt32}, money.ErrOverflow},
		{"a counter that overflows", traffic(t, Volume), Use{Value: money.DecimalOf(math.MaxInt64), Already: money.DecimalOf(1), Unit: gigabyte, Num: 1}, ErrAboveMaximum},
	} {
		if r, err := Usage(c.price, units(t), &c.use); !errors.Is(err, c.want) || r != (Result{}) {
			t.Errorf("%s: %+v, %v, want %v", c.name, r, err, c.want)
		}
	}
	if r, err := Usage(dear, units(t), &Use{Value: one, Unit: hour, Num: 1}); err != nil || r.Amount != math.MaxInt64 {
		t.Errorf("the maximum itself: %s, %v", r.Amount, err)
	}
}

func TestPeriod(t *testing.T) {
	terms := []Term{
		{Period: period.Hour, UnitPrice: price(t, "0.02")},
		{Period: period.Month, UnitPrice: price(t, "10.5"), Steps: []Step{{Periods: 6, UnitPrice: price(t, "10")}, {Periods: 12, UnitPrice: price(t, "9.125")}}},
	}
	withYear := append([]Term{{Period: period.Year, UnitPrice: price(t, "100")}}, terms...)
	linear := []Term{{Period: period.Month, UnitPrice: price(t, "0.033"), SizeUnit: diskGB}}
	tiered := []Term{{Period: period.Month, SizeUnit: mbits, Tiers: &Tiers{Shape: Graduated, On: OnSize, Steps: steps(t, mbits, "5", "3", "", "10")},
		Steps: []Step{{Periods: 3, Tiers: &Tiers{Shape: Volume, On: OnSize, Steps: steps(t, mbits, "5", "2", "", "1")}}}}}
	none := Size{}
	for _, c := range []struct {
		name  string
		terms []Term
		order Order
		want  string
		err   error
	}{
		{"a month", terms, Order{period.Month, 1, none, 1}, "10.5", nil},
		{"below the first step", terms, Order{period.Month, 5, none, 1}, "52.5", nil},
		{"at the first step", terms, Order{period.Month, 6, none, 1}, "60", nil},
		{"above it, twice", terms, Order{period.Month, 9, none, 2}, "180", nil},
		{"a year as 12 months", terms, Order{period.Year, 1, none, 1}, "109.5", nil},
		{"two years as 24 months", terms, Order{period.Year, 2, none, 1}, "219", nil},
		{"a year of its own price", withYear, Order{period.Year, 3, none, 1}, "300", nil},
		{"hours", terms, Order{period.Hour, 50, none, 2}, "2", nil},
		{"no days", terms, Order{period.Day, 1, none, 1}, "", ErrNoPeriod},
		{"no year without a month", terms[:1], Order{period.Year, 1, none, 1}, "", ErrNoPeriod},
		{"no terms", nil, Order{period.Month, 1, none, 1}, "", ErrNoPeriod},
		{"no such period", terms, Order{period.None, 1, none, 1}, "", ErrNoPeriod},
		{"no periods", terms, Order{period.Month, 0, none, 1}, "", ErrQuantity},
		{"no subscriptions", terms, Order{period.Month, 1, none, -1}, "", ErrQuantity},
		{"linear", linear, Order{period.Month, 3, Size{dec(t, "40"), diskGB}, 1}, "3.96", nil},
		{"linear, year", linear, Order{period.Year, 1, Size{dec(t, "40"), diskGB}, 2}, "31.68", nil},
		{"linear without size", linear, Order{period.Month, 3, none, 1}, "", ErrSizeMissing},
		{"linear, bad unit", linear, Order{period.Month, 3, Size{dec(t, "40"), mbits}, 1}, "", ErrSizeUnit},
		{"tiered", tiered, Order{period.Month, 1, Size{dec(t, "7"), mbits}, 1}, "35", nil},
		{"tiered, cheaper step", tiered, Order{period.Month, 3, Size{dec(t, "7"), mbits}, 1}, "21", nil},
		{"above the maximum", terms, Order{period.Month, math.MaxInt32, none, math.MaxInt32}, "", ErrAboveMaximum},
	} {
		if err := CheckTerms(c.terms, units(t)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r, err := Period(c.terms, units(t), &c.order)
		if !errors.Is(err, c.err) || err == nil && r.Amount.String() != c.want {
			t.Errorf("%s: %s, %v, want %s, %v", c.name, r.Amount, err, c.want, c.err)
		}
	}
}

// A price survives being written and read, and the names are those of catalogue files.
func TestPriceJSON(t *testing.T) {
	p := traffic(t, Volume)
	out, err := json.Marshal(p)
	want := `{"unit":10,"unit_price":0,"tiers":{"shape":"volume","on":"usage","accumulate":"month","steps":[` +
		`{"up_to":10240,"unit":10,"unit_price":0.081},{"up_to":52428800,"unit":11,"unit_price":0.08},{"up_to":0,"unit":0,"open":true,"unit_price":0.07}]}}`
	if err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
	var back Price
	if err := json.Unmarshal(out, &back); err != nil || !reflect.DeepEqual(&back, p) {
		t.Errorf("%+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"shape":"steep"}`), &Tiers{}); err == nil {
		t.Error("an unknown shape was taken")
	}
	if _, err := json.Marshal(Tiers{}); err == nil {
		t.Error("tiers without shape were written")
	}
}

func TestNoAllocations(t *testing.T) {
	u := units(t)
	p, vpn, graduated, volume := simple(t), vpn(t), traffic(t, Graduated), traffic(t, Volume)
	use := &Use{Value: dec(t, "25874"), Unit: second, Size: Size{dec(t, "10"), piece}, Num: 1}
	load := &Use{Value: dec(t, "123456789012"), Unit: byt, Already: dec(t, "10995116277760"), Num: 1}
	terms := []Term{{Period: period.Month, UnitPrice: price(t, "10.5")}}
	order := &Order{Period: period.Year, Periods: 1, Num: 1}
	for name, f := range map[string]func() error{
		"simple":    func() error { _, err := Usage(p, u, use); return err },
		"on size":   func() error { _, err := Usage(vpn, u, use); return err },
		"graduated": func() error { _, err := Usage(graduated, u, load); return err },
		"volume":    func() error { _, err := Usage(volume, u, load); return err },
		"term":      func() error { _, err := Period(terms, u, order); return err },
	} {
		if err := f(); err != nil {
			t.Fatal(name, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = f() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func bench(b *testing.B, p *Price, use *Use) {
	u := units(b)
	if err := p.Check(u); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Usage(p, u, use); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSimple(b *testing.B) {
	bench(b, simple(b), &Use{Value: dec(b, "25874"), Unit: second, Num: 1})
}

func BenchmarkLinear(b *testing.B) {
	bench(b, &Price{Unit: hour, UnitPrice: price(b, "0.000064"), SizeUnit: diskGB},
		&Use{Value: dec(b, "25874"), Unit: second, Size: Size{dec(b, "1000"), diskGB}, Num: 1})
}

func BenchmarkGraduated(b *testing.B) {
	bench(b, traffic(b, Graduated), &Use{Value: dec(b, "60000000000000"), Unit: byt, Num: 1})
}

func BenchmarkGraduatedAccumulating(b *testing.B) {
	bench(b, traffic(b, Graduated), &Use{Value: dec(b, "123456789012"), Already: dec(b, "60000000000000"), Unit: byt, Num: 1})
}

func BenchmarkVolume(b *testing.B) {
	bench(b, traffic(b, Volume), &Use{Value: dec(b, "60000000000000"), Unit: byt, Num: 1})
}

func BenchmarkOnSize(b *testing.B) {
	bench(b, vpn(b), &Use{Value: dec(b, "730"), Unit: hour, Size: Size{dec(b, "10"), piece}, Num: 1})
}

func BenchmarkPeriod(b *testing.B) {
	u := units(b)
	terms := []Term{{Period: period.Month, UnitPrice: price(b, "10.5"), Steps: []Step{{Periods: 12, UnitPrice: price(b, "9")}}}}
	order := &Order{Period: period.Year, Periods: 2, Num: 3}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Period(terms, u, order); err != nil {
			b.Fatal(err)
		}
	}
}
