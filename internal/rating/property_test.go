package rating

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"

	"pgregory.net/rapid"
)

func drawDecimal(t *rapid.T, label string, max int64) money.Decimal {
	d, err := money.NewDecimal(rapid.Int64Range(0, max).Draw(t, label), rapid.IntRange(0, 6).Draw(t, label+" decimals"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// drawTiers makes a rising ladder, some bounds in a smaller unit; the last step is open.
func drawTiers(t *rapid.T, shape Shape, on Base, unit, small int32, falling bool) *Tiers {
	tiers := &Tiers{Shape: shape, On: on}
	if on == OnUsage {
		tiers.Accumulate = period.Month
	}
	bound, cost := int64(0), rapid.Int64Range(1e6, 1e10).Draw(t, "first price")
	for i := range rapid.IntRange(1, 6).Draw(t, "steps") {
		if i > 0 && falling {
			cost = rapid.Int64Range(0, cost).Draw(t, "price")
		} else if i > 0 {
			cost = rapid.Int64Range(0, 1e10).Draw(t, "price")
		}
		bound += rapid.Int64Range(1, 5000).Draw(t, "width")
		step := Tier{UpTo: money.DecimalOf(bound), Unit: unit, UnitPrice: money.UnitPrice(cost)}
		if rapid.Bool().Draw(t, "small") {
			step.UpTo, step.Unit = money.DecimalOf(bound*1024), small
		}
		tiers.Steps = append(tiers.Steps, step)
	}
	last := &tiers.Steps[len(tiers.Steps)-1]
	last.Open, last.UpTo, last.Unit = true, money.Decimal{}, 0
	return tiers
}

func ratOf(d money.Decimal) *big.Rat {
	r, _ := new(big.Rat).SetString(d.String())
	return r
}

func ratioOf(u *Units, from, to int32) *big.Rat {
	r, _ := u.Ratio(from, to)
	return big.NewRat(r.Num, r.Den)
}

// cut10 cuts at 10 decimals.
func cut10(r *big.Rat) *big.Rat {
	scaled := new(big.Rat).Mul(r, big.NewRat(1e10, 1))
	return new(big.Rat).SetFrac(new(big.Int).Quo(scaled.Num(), scaled.Denom()), big.NewInt(1e10))
}

func priceOf(p money.UnitPrice) *big.Rat { return big.NewRat(int64(p), 1e10) }

// model rates a quantity over steps by the book, with rationals.
func (t *Tiers) model(u *Units, unit int32, q *big.Rat) *big.Rat {
	sum, lower := new(big.Rat), new(big.Rat)
	for _, step := range t.Steps {
		upper := q
		if !step.Open {
			if bound := cut10(new(big.Rat).Mul(ratOf(step.UpTo), ratioOf(u, step.Unit, unit))); q.Cmp(bound) > 0 {
				upper = bound
			}
		}
		sum.Add(sum, new(big.Rat).Mul(new(big.Rat).Sub(upper, lower), priceOf(step.UnitPrice)))
		if upper == q {
			if t.Shape == Volume {
				return new(big.Rat).Mul(q, priceOf(step.UnitPrice))
			}
			return sum
		}
		lower = upper
	}
	return sum
}

// Every shape agrees with the book: quantities cut at 10, the product cut once at 10. Multiplied by the model in another order of
// factors, so the order does not matter either.
func TestAgreesWithTheBook(t *testing.T) {
	u := units(t)
	rapid.Check(t, func(t *rapid.T) {
		p := &Price{Unit: gigabyte, UnitPrice: money.UnitPrice(rapid.Int64Range(0, 1e12).Draw(t, "price")), Per: rapid.Int64Range(0, 10000).Draw(t, "per")}
		if rapid.Bool().Draw(t, "sized") {
			p.SizeUnit = diskGB
		}
		shape := rapid.SampledFrom([]Shape{Graduated, Volume}).Draw(t, "shape")
		switch rapid.IntRange(0, 2).Draw(t, "tiers") {
		case 1:
			p.Tiers = drawTiers(t, shape, OnUsage, gigabyte, megabyte, false)
		case 2:
			p.SizeUnit = diskGB
			p.Tiers = drawTiers(t, shape, OnSize, diskGB, diskMB, false)
		}
		if err := p.Check(u); err != nil {
			t.Fatal(err)
		}
		use := Use{Value: drawDecimal(t, "value", 1e12), Unit: rapid.SampledFrom([]int32{gigabyte, megabyte, kilobyte, byt}).Draw(t, "unit"),
			Num: rapid.Int32Range(1, 100).Draw(t, "num")}
		use.Size = Size{money.DecimalOf(rapid.Int64Range(1, 1e6).Draw(t, "size")), rapid.SampledFrom([]int32{diskGB, diskMB}).Draw(t, "size unit")}

		want := big.NewRat(int64(use.Num), max(p.Per, 1))
		usage := cut10(new(big.Rat).Mul(ratioOf(u, use.Unit, gigabyte), ratOf(use.Value)))
		size := cut10(new(big.Rat).Mul(ratioOf(u, use.Size.Unit, diskGB), ratOf(use.Size.Value)))
		switch {
		case p.Tiers != nil && p.Tiers.On == OnSize:
			want.Mul(want, p.Tiers.model(u, diskGB, size)).Mul(want, usage)
		case p.Tiers != nil:
			want.Mul(want, p.Tiers.model(u, gigabyte, usage))
		default:
			want.Mul(want, priceOf(p.UnitPrice)).Mul(want, usage)
		}
		if p.SizeUnit != 0 && (p.Tiers == nil || p.Tiers.On == OnUsage) {
			want.Mul(want, size)
		}
		r, err := Usage(p, u, &use)
		if errors.Is(err, ErrAboveMaximum) {
			if want.Cmp(big.NewRat(math.MaxInt64, 1e10)) <= 0 {
				t.Fatalf("refused, is %s", want.FloatString(10))
			}
			return
		}
		if err != nil || cut10(want).Cmp(big.NewRat(int64(r.Amount), 1e10)) != 0 {
			t.Fatalf("%s, %v, want %s", r.Amount, err, want.FloatString(14))
		}
	})
}

// A quantity rated in parts, each on top of those before, comes to what the whole comes to: exactly before the cut,
// within 10⁻¹⁰ for each cut after it.
func TestTiersAddUpAcrossASplit(t *testing.T) {
	u := units(t)
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SampledFrom([]Shape{Graduated, Volume}).Draw(t, "shape")
		p := &Price{Unit: gigabyte, Tiers: drawTiers(t, shape, OnUsage, gigabyte, megabyte, false)}
		unit := rapid.SampledFrom([]int32{gigabyte, megabyte, byt}).Draw(t, "unit")
		ratio, _ := u.Ratio(unit, gigabyte)
		var already money.Decimal
		var parts money.Quoted
		exact := new(big.Rat)
		n := rapid.IntRange(1, 8).Draw(t, "parts")
		for range n {
			use := Use{Value: drawDecimal(t, "part", 1e7), Unit: unit, Already: already, Num: 1}
			r, err := Usage(p, u, &use)
			if err != nil {
				t.Fatal(err)
			}
			parts += r.Amount
			quantity := money.CutQuantity(use.Value, ratio.Num, ratio.Den)
			cost, neg, err := onUsage(p, u, &use, ratio, &quantity, &Result{})
			if err != nil {
				t.Fatal(err)
			}
			exact.Add(exact, ratOfCost(t, cost, neg))
			if already, err = already.Add(use.Value); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := Usage(p, u, &Use{Value: already, Unit: unit, Num: 1})
		if err != nil {
			t.Fatal(err)
		}
		quantity := money.CutQuantity(already, ratio.Num, ratio.Den)
		cost, err := p.Tiers.cost(u, gigabyte, &quantity, &Result{})
		if err != nil || ratOfCost(t, cost, false).Cmp(exact) != 0 {
			t.Fatalf("before the cut: parts %s, whole %s, %v", exact.FloatString(20), ratOfCost(t, cost, false).FloatString(20), err)
		}
		if off := whole.Amount - parts; off < -money.Quoted(n) || off > money.Quoted(n) {
			t.Fatalf("%d parts come to %s, the whole to %s", n, parts, whole.Amount)
		}
	})
}

// ratOfCost is a cost of 10⁻²⁰ as a rational.
func ratOfCost(t *rapid.T, cost money.Wide, neg bool) *big.Rat {
	rem := cost.Quo(1e18)
	high, err := cost.Int64(neg)
	if err != nil {
		t.Fatal(err)
	}
	low := new(big.Int).SetUint64(rem)
	if neg {
		low.Neg(low)
	}
	n := new(big.Int).Mul(big.NewInt(high), big.NewInt(1e18))
	return new(big.Rat).SetFrac(n.Add(n, low), new(big.Int).Exp(big.NewInt(10), big.NewInt(20), nil))
}

// More usage never costs less under graduated steps, whatever the prices; and when prices fall, volume never costs more than
// graduated. Under volume steps the whole quantity is at the price of the step reached.
func TestShapesCompare(t *testing.T) {
	u := units(t)
	rapid.Check(t, func(t *rapid.T) {
		falling := rapid.Bool().Draw(t, "falling")
		graduated := &Price{Unit: gigabyte, Tiers: drawTiers(t, Graduated, OnUsage, gigabyte, megabyte, falling)}
		flat := *graduated.Tiers
		flat.Shape = Volume
		volume := &Price{Unit: gigabyte, Tiers: &flat}
		a, b := drawDecimal(t, "a", 1e8), drawDecimal(t, "b", 1e8)
		if a.Cmp(b) > 0 {
			a, b = b, a
		}
		rate := func(p *Price, value money.Decimal) Result {
			r, err := Usage(p, u, &Use{Value: value, Unit: gigabyte, Num: 1})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		ga, gb, va := rate(graduated, a), rate(graduated, b), rate(volume, a)
		if ga.Amount > gb.Amount || ga.Tier > gb.Tier {
			t.Fatalf("%s costs %s, %s only %s", a, ga.Amount, b, gb.Amount)
		}
		if falling && va.Amount > ga.Amount {
			t.Fatalf("volume %s, graduated %s", va.Amount, ga.Amount)
		}
		one := &Price{Unit: gigabyte, UnitPrice: flat.Steps[va.Tier].UnitPrice}
		if plain := rate(one, a); plain.Amount != va.Amount || ga.Tier != va.Tier {
			t.Fatalf("volume %s at step %d, flat %s", va.Amount, va.Tier, plain.Amount)
		}
	})
}

// Whatever the numbers are, rating gives an amount that is not negative or one of its refusals; nothing wraps or panics.
func TestOverflowIsAnError(t *testing.T) {
	u := units(t)
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]int32{day, hour, second}).Draw(t, "unit")
		p := &Price{Unit: unit, UnitPrice: money.UnitPrice(rapid.Int64Min(0).Draw(t, "price")), SizeUnit: diskGB}
		value, _ := money.NewDecimal(rapid.Int64Min(0).Draw(t, "value"), rapid.IntRange(0, 18).Draw(t, "scale"))
		size := money.DecimalOf(rapid.Int64Min(1).Draw(t, "size"))
		use := &Use{Value: value, Unit: day, Size: Size{size, diskGB}, Num: rapid.Int32Min(1).Draw(t, "num")}
		want := cut10(new(big.Rat).Mul(ratOf(value), ratioOf(u, day, unit)))
		want.Mul(want, priceOf(p.UnitPrice)).Mul(want, ratOf(size)).Mul(want, big.NewRat(int64(use.Num), 1))
		fits := cut10(want).Cmp(big.NewRat(math.MaxInt64, 1e10)) <= 0
		r, err := Usage(p, u, use)
		if fits != (err == nil) || err != nil && !errors.Is(err, ErrAboveMaximum) {
			t.Fatalf("%s, %v; it is %s", r.Amount, err, want.FloatString(10))
		}
		if err == nil && cut10(want).Cmp(big.NewRat(int64(r.Amount), 1e10)) != 0 {
			t.Fatalf("%s, want %s", r.Amount, want.FloatString(10))
		}
	})
}

// Terms: one order of k periods and n subscriptions costs k×n times one, as long as no step is reached.
func TestTermsMultiply(t *testing.T) {
	u := units(t)
	rapid.Check(t, func(t *rapid.T) {
		terms := []Term{{Period: period.Month, UnitPrice: money.UnitPrice(rapid.Int64Range(0, 1e13).Draw(t, "price"))}}
		k, n := rapid.Int32Range(1, 60).Draw(t, "periods"), rapid.Int32Range(1, 100).Draw(t, "num")
		rate := func(unit period.Unit, k, n int32) money.Quoted {
			r, err := Period(terms, u, &Order{Period: unit, Periods: k, Num: n})
			if err != nil {
				t.Fatal(err)
			}
			return r.Amount
		}
		one := rate(period.Month, 1, 1)
		if got := rate(period.Month, k, n); got != one*money.Quoted(k)*money.Quoted(n) {
			t.Fatalf("%d×%d months cost %s, one %s", k, n, got, one)
		}
		if got := rate(period.Year, k, n); got != rate(period.Month, 12*k, n) {
			t.Fatalf("%d years cost %s", k, got)
		}
	})
}

func drawLines(t *rapid.T) []Line {
	lines := make([]Line, rapid.IntRange(1, 12).Draw(t, "lines"))
	for i := range lines {
		lines[i] = Line{ID: string(rune('a' + i)), Service: rapid.SampledFrom([]string{"ecs", "evs"}).Draw(t, "service"),
			Official: money.Quoted(rapid.Int64Range(0, 1e15).Draw(t, "official")), Quantity: drawDecimal(t, "quantity", 1000)}
	}
	return lines
}

func drawDiscount(t *rapid.T) Discount {
	d := Discount{ID: rapid.StringMatching("[a-z]{3}").Draw(t, "id"), Kind: Kind(rapid.IntRange(605, 607).Draw(t, "kind")),
		Mode: Mode(rapid.IntRange(0, 2).Draw(t, "mode")), Value: drawDecimal(t, "value", 1e6)}
	if d.Mode == ByRatio {
		d.Value, _ = money.NewDecimal(rapid.Int64Range(0, 1e6).Draw(t, "ratio"), 6)
	}
	if rapid.Bool().Draw(t, "scoped") {
		d.Scope.Services = []string{"ecs"}
	}
	return d
}

var precisions = []Precision{Inquiry6, Inquiry10, Charge8, PeriodPrecision(money.USD), PeriodPrecision(money.JPY)}

// Nothing is lost to rounding: official = amount + discount on each line and in total, totals are the sums of what is shown,
// everything is a whole number of the precision's steps, and the order of products does not matter for totals.
func TestQuotesLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines, d := drawLines(t), drawDiscount(t)
		p := rapid.SampledFrom(precisions).Draw(t, "precision")
		q, err := d.Apply(lines, p)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := List(lines, p)
		if err != nil || plain.Official != q.Official || plain.Discount != 0 || plain.Amount != plain.Official {
			t.Fatalf("%+v, %v beside %+v", plain, err, q)
		}
		var official, amount, discount money.Quoted
		for i, line := range q.Lines {
			if line.ID != lines[i].ID || line.Official != p.Cut(lines[i].Official) || line.Official != line.Amount+line.Discount {
				t.Fatalf("line %+v", line)
			}
			if line.Amount < 0 || line.Discount < 0 || line.Amount%p.Step() != 0 || line.Discount%p.Step() != 0 {
				t.Fatalf("line %+v at step %s", line, p.Step())
			}
			if !d.Covers(&lines[i]) && line.Discount != 0 {
				t.Fatalf("a discount on a line outside: %+v", line)
			}
			official, amount, discount = official+line.Official, amount+line.Amount, discount+line.Discount
		}
		if q.Official != official || q.Amount != amount || q.Discount != discount || official != amount+discount {
			t.Fatalf("%+v sums to %s, %s, %s", q, official, amount, discount)
		}
		turned, err := d.Apply(rapid.Permutation(lines).Draw(t, "turned"), p)
		if err != nil || turned.Official != q.Official || turned.Amount != q.Amount || turned.Discount != q.Discount {
			t.Fatalf("turned round %+v, before %+v, %v", turned, q, err)
		}
	})
}

// No offer saves more than the best one; the best does not depend on the order of the discounts.
func TestBestIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t)
		p := rapid.SampledFrom(precisions).Draw(t, "precision")
		discounts := rapid.SliceOfNDistinct(rapid.Custom(drawDiscount), 0, 6, func(d Discount) string { return d.ID }).Draw(t, "discounts")
		offers, best, err := Offers(discounts, lines, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, offer := range offers {
			switch {
			case best < 0 && offer.Quote.Discount > 0:
				t.Fatalf("%+v is not found", offer)
			case best >= 0 && offer.Quote.Discount > offers[best].Quote.Discount,
				best >= 0 && offer.Quote.Discount == offers[best].Quote.Discount && offer.Discount.Kind < offers[best].Discount.Kind:
				t.Fatalf("%+v is better than %+v", offer, offers[best])
			}
		}
		turned, again, err := Offers(rapid.Permutation(discounts).Draw(t, "turned"), lines, p)
		if err != nil || len(turned) != len(offers) || (best < 0) != (again < 0) {
			t.Fatalf("%d offers, best %d, %v", len(turned), again, err)
		}
		if best >= 0 && turned[again].Discount.ID != offers[best].Discount.ID {
			t.Fatalf("best %s, turned round %s", offers[best].Discount.ID, turned[again].Discount.ID)
		}
	})
}
