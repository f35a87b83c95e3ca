package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func mustAmount(t *testing.T, text string) Amount {
	t.Helper()
	a, err := ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestMinorUnit(t *testing.T) {
	for _, c := range []struct {
		amount, cut, halfUp, floor string
		in                         Currency
	}{
		{"0.45998222", "0.45", "0.46", "0.45", USD},
		{"100.12501236", "100.12", "100.13", "100.12", USD},
		{"0.005", "0", "0.01", "0", USD},
		{"0.00499999", "0", "0", "0", USD},
		{"-0.005", "0", "-0.01", "-0.01", USD},
		{"-7.129", "-7.12", "-7.13", "-7.13", USD},
		{"-7.12", "-7.12", "-7.12", "-7.12", USD},
		{"150.5", "150", "151", "150", JPY},
		{"0", "0", "0", "0", JPY},
	} {
		a := mustAmount(t, c.amount)
		halfUp, err := HalfUpMinor(a, c.in)
		if err != nil {
			t.Fatal(err)
		}
		floor, err := FloorMinor(a, c.in)
		if err != nil {
			t.Fatal(err)
		}
		if cut := CutMinor(a, c.in); cut.String() != c.cut || halfUp.String() != c.halfUp || floor.String() != c.floor {
			t.Errorf("%s %s: cut %s, half-up %s, floor %s, want %s, %s, %s", c.amount, c.in, cut, halfUp, floor, c.cut, c.halfUp, c.floor)
		}
	}
	if _, err := HalfUpMinor(math.MaxInt64, JPY); !errors.Is(err, ErrOverflow) {
		t.Errorf("half-up over the end: %v", err)
	}
	if _, err := FloorMinor(-math.MaxInt64, JPY); !errors.Is(err, ErrOverflow) {
		t.Errorf("floor over the end: %v", err)
	}
}

func TestQuotes(t *testing.T) {
	q, err := ParseQuoted("0.4599822222")
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]string{
		"0.459982": CutQuote6(q).String(), "0.4599822222": CutQuote10(q).String(), "0.45": CutQuoteMinor(q, USD).String(),
		"0": CutQuoteMinor(q, JPY).String(), "0.45998222": CutCharge(q).String(),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := CutCharge(-4599822299); got != -45998222 {
		t.Errorf("a refund is cut as its charge: %d", got)
	}
}

func TestCutQuantity(t *testing.T) {
	for _, c := range []struct {
		value    string
		num, den int64
		want     string
	}{
		{"1", 1, 3600, "0.0002777777"},
		{"25874", 1, 3600, "7.1872222222"},
		{"1", 24, 1, "24"},
		{"0.000000000019", 1, 1, "0"},
		{"0.000000000119", 10, 1, "0.0000000011"},
	} {
		d, err := ParseDecimal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecimalOfWide(CutQuantity(d, c.num, c.den), QuotedDecimals)
		if err != nil || got.String() != c.want {
			t.Errorf("%s × %d/%d = %s, %v, want %s", c.value, c.num, c.den, got, err, c.want)
		}
	}
}

func TestHalfUpUnitPrice(t *testing.T) {
	for _, c := range []struct {
		value    string
		decimals int
		want     string
	}{
		{"0.03245", 4, "0.0325"}, {"0.03244999", 4, "0.0324"}, {"0.5", 0, "1"}, {"-0.5", 0, "-1"}, {"0.1", 10, "0.1"},
		{"0.00000000005", 10, "0.0000000001"},
	} {
		d, err := ParseDecimal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := HalfUpUnitPrice(d, c.decimals); err != nil || got.String() != c.want {
			t.Errorf("%s at %d: %s, %v, want %s", c.value, c.decimals, got, err, c.want)
		}
	}
	if _, err := HalfUpUnitPrice(DecimalOf(math.MaxInt64), 4); !errors.Is(err, ErrOverflow) {
		t.Errorf("%v", err)
	}
}

// The refund example of billing-rules 2.8: 344 of 758 hours, paid 100.00.
func TestRefundExample(t *testing.T) {
	paid := mustAmount(t, "100")
	consumed, err := ShareHalfUp(paid, 344, 758, USD)
	if err != nil || consumed.String() != "45.38" {
		t.Errorf("consumed %s, %v", consumed, err)
	}
	fee, err := ShareHalfUp(paid, 10, 100, USD)
	if err != nil || fee.String() != "10" {
		t.Errorf("fee %s, %v", fee, err)
	}
}

func TestShareHalfUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64().Draw(t, "a")
		num := rapid.Int64Min(0).Draw(t, "num")
		den := rapid.Int64Min(1).Draw(t, "den")
		in := rapid.SampledFrom([]Currency{USD, JPY}).Draw(t, "currency")
		// floor(|a|·num/(den·unit) + 1/2) × unit, with the sign of a
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).Abs(big.NewInt(a)), big.NewInt(num)),
			new(big.Int).Mul(big.NewInt(den), big.NewInt(int64(in.Unit()))))
		exact.Add(exact, big.NewRat(1, 2))
		want := new(big.Int).Quo(exact.Num(), exact.Denom())
		want.Mul(want, big.NewInt(int64(in.Unit())))
		if a < 0 {
			want.Neg(want)
		}
		got, err := ShareHalfUp(Amount(a), num, den, in)
		fits := want.IsInt64() && want.Int64() != math.MinInt64
		if fits != (err == nil) || err == nil && want.Int64() != int64(got) {
			t.Fatalf("got %d, %v, want %s", got, err, want)
		}
	})
}
