package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text, want string
		err        error
	}{
		{"0", "0", nil}, {"-0", "0", nil}, {"0.000", "0", nil}, {"1.5", "1.5", nil}, {"1.50", "1.5", nil},
		{"-12.0340", "-12.034", nil}, {"100", "100", nil}, {"1e3", "1000", nil}, {"1.5E-3", "0.0015", nil},
		{"1200e-2", "12", nil}, {"0e99999999", "0", nil}, {"1e18", "1000000000000000000", nil},
		{"9223372036854775807", "9223372036854775807", nil}, {"9223372036854775808", "", ErrOverflow},
		{"-9223372036854775807", "-9223372036854775807", nil}, {"1e19", "", ErrOverflow}, {"1e999999999999", "", ErrOverflow},
		{"0.000000000000000001", "0.000000000000000001", nil}, {"0.0000000000000000001", "", ErrPrecision},
		{"1e-19", "", ErrPrecision}, {"1.2345678901234567890123", "", ErrPrecision}, {"99999999999999999999999", "", ErrOverflow},
		{"10000000000000000000000e-20", "100", nil},
		{"", "", ErrSyntax}, {"-", "", ErrSyntax}, {"+1", "", ErrSyntax}, {".5", "", ErrSyntax}, {"5.", "", ErrSyntax},
		{"01", "", ErrSyntax}, {"1e", "", ErrSyntax}, {"1e+", "", ErrSyntax}, {"1.2.3", "", ErrSyntax}, {" 1", "", ErrSyntax},
		{"NaN", "", ErrSyntax}, {"0x10", "", ErrSyntax}, {"1,5", "", ErrSyntax}, {"1f", "", ErrSyntax},
	} {
		d, err := ParseDecimal(c.text)
		if !errors.Is(err, c.err) || err == nil && d.String() != c.want {
			t.Errorf("ParseDecimal(%q) = %s, %v, want %s, %v", c.text, d, err, c.want, c.err)
		}
		if err != nil && d != (Decimal{}) {
			t.Errorf("ParseDecimal(%q): a value beside an error: %v", c.text, d)
		}
	}
}

func TestFixedText(t *testing.T) {
	for _, c := range []struct {
		text string
		want Amount
		err  error
	}{
		{"0.45998222", 45998222, nil}, {"-0.00000001", -1, nil}, {"92233720368.54775807", math.MaxInt64, nil},
		{"0.000000001", 0, ErrPrecision}, {"0.450000000000", 45000000, nil}, {"92233720368.54775808", 0, ErrOverflow},
	} {
		a, err := ParseAmount(c.text)
		if !errors.Is(err, c.err) || a != c.want {
			t.Errorf("ParseAmount(%q) = %d, %v, want %d, %v", c.text, a, err, c.want, c.err)
		}
	}
	if p, err := ParseUnitPrice("0.0000640001"); err != nil || p != 640001 || p.String() != "0.0000640001" {
		t.Errorf("unit price %s, %v", p, err)
	}
	if _, err := ParseQuoted("0.00000000001"); !errors.Is(err, ErrPrecision) {
		t.Errorf("11 decimals: %v", err)
	}
	if got := Amount(math.MinInt64).String(); got != "-92233720368.54775808" {
		t.Errorf("least amount is %s", got)
	}
}

func TestJSON(t *testing.T) {
	type wire struct {
		A Amount    `json:"a"`
		P UnitPrice `json:"p"`
		Q Quoted    `json:"q"`
		D Decimal   `json:"d"`
		E Decimal   `json:"e,omitzero"`
	}
	var w wire
	if err := json.Unmarshal([]byte(`{"a":"1.50","p":0.33,"q":240.9,"d":"1.5","e":null}`), &w); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(w)
	if want := `{"a":1.5,"p":0.33,"q":240.9,"d":1.5}`; err != nil || string(out) != want {
		t.Errorf("%s, %v, want %s", out, err, want)
	}
	for _, bad := range []string{`{"a":true}`, `{"d":""}`, `{"d":"x"}`, `{"q":[1]}`, `{"p":"1e-11"}`} {
		if err := json.Unmarshal([]byte(bad), &w); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// What is written is read back, and is the shortest form: no exponent, no needless zero.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "n")
		scale := rapid.IntRange(0, 18).Draw(t, "scale")
		d := normal(n, scale)
		back, err := ParseDecimal(d.String())
		if err != nil || back != d {
			t.Fatalf("%d×10^-%d: %s came back as %s, %v", n, scale, d, back, err)
		}
		want := new(big.Rat).SetFrac(big.NewInt(n), new(big.Int).SetUint64(pow10[scale]))
		if got, ok := new(big.Rat).SetString(d.String()); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s is not %s", d, want)
		}
		a, err := ParseAmount(Amount(n).String())
		if err != nil || a != Amount(n) {
			t.Fatalf("amount %d came back as %d, %v", n, a, err)
		}
	})
}

func rat(d Decimal) *big.Rat {
	return new(big.Rat).SetFrac(big.NewInt(d.coef), new(big.Int).SetUint64(pow10[d.scale]))
}

func decimals() *rapid.Generator[Decimal] {
	return rapid.Custom(func(t *rapid.T) Decimal {
		return normal(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "coef"), rapid.IntRange(0, 18).Draw(t, "scale"))
	})
}

// Decimal arithmetic agrees with rationals, or refuses.
func TestDecimalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, e := decimals().Draw(t, "d"), decimals().Draw(t, "e")
		if got, want := d.Cmp(e), rat(d).Cmp(rat(e)); got != want {
			t.Fatalf("%s cmp %s = %d, want %d", d, e, got, want)
		}
		check := func(op string, got Decimal, err error, want *big.Rat) {
			if err == nil && (rat(got).Cmp(want) != 0 || normal(got.coef, int(got.scale)) != got) {
				t.Fatalf("%s %s %s = %s, want %s", d, op, e, got, want)
			}
			if err != nil && !errors.Is(err, ErrOverflow) && !errors.Is(err, ErrPrecision) {
				t.Fatal(err)
			}
		}
		sum, err := d.Add(e)
		check("+", sum, err, new(big.Rat).Add(rat(d), rat(e)))
		rest, err := d.Sub(e)
		check("-", rest, err, new(big.Rat).Sub(rat(d), rat(e)))
		product, err := d.Mul(e)
		check("×", product, err, new(big.Rat).Mul(rat(d), rat(e)))
	})
	for _, c := range [][3]string{{"0.5", "0.2", "0.1"}, {"1.05", "4", "4.2"}, {"0", "9", "0"}, {"-2.5", "4", "-10"}} {
		d, _ := ParseDecimal(c[0])
		e, _ := ParseDecimal(c[1])
		if got, err := d.Mul(e); err != nil || got.String() != c[2] {
			t.Errorf("%s × %s = %s, %v, want %s", c[0], c[1], got, err, c[2])
		}
	}
}

func bigOf(w Wide) *big.Int {
	n := new(big.Int)
	for i := 3; i >= 0; i-- {
		n.Add(n.Lsh(n, 64), new(big.Int).SetUint64(w.w[i]))
	}
	return n
}

func wides() *rapid.Generator[Wide] {
	return rapid.Custom(func(t *rapid.T) Wide {
		var w Wide
		for i := range rapid.IntRange(0, 4).Draw(t, "words") {
			w.w[i] = rapid.Uint64().Draw(t, "word")
		}
		return w
	})
}

// Wide agrees with big.Int as long as the result has 256 bits, and knows when it has more.
func TestWide(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		x, y := wides().Draw(t, "x"), wides().Draw(t, "y")
		small := rapid.Uint64Min(1).Draw(t, "small")
		check := func(op string, got Wide, want *big.Int) {
			fits := want.Sign() >= 0 && want.Cmp(limit) < 0
			if got.over == fits || fits && bigOf(got).Cmp(want) != 0 {
				t.Fatalf("%s: got %s (over %t), want %s", op, bigOf(got), got.over, want)
			}
		}
		mul, wide, add, sub, quo := x, x, x, x, x
		mul.Mul(small)
		check("×", mul, new(big.Int).Mul(bigOf(x), new(big.Int).SetUint64(small)))
		wide.MulWide(&y)
		check("××", wide, new(big.Int).Mul(bigOf(x), bigOf(y)))
		add.Add(&y)
		check("+", add, new(big.Int).Add(bigOf(x), bigOf(y)))
		sub.Sub(&y)
		check("-", sub, new(big.Int).Sub(bigOf(x), bigOf(y)))
		rem := quo.Quo(small)
		want, wantRem := new(big.Int).QuoRem(bigOf(x), new(big.Int).SetUint64(small), new(big.Int))
		check("/", quo, want)
		if wantRem.Uint64() != rem {
			t.Fatalf("remainder %d, want %s", rem, wantRem)
		}
		if x.Cmp(&y) != bigOf(x).Cmp(bigOf(y)) {
			t.Fatal("Cmp")
		}
	})
}

func TestWideOverflowSticks(t *testing.T) {
	top := Wide{w: [4]uint64{0, 0, 0, 1 << 63}}
	one := WideOf(1)
	for name, f := range map[string]func(x *Wide){
		"Mul":          func(x *Wide) { x.Mul(2) },
		"Add":          func(x *Wide) { x.Add(&top) },
		"Sub":          func(x *Wide) { *x = one; x.Sub(&top) },
		"MulWide":      func(x *Wide) { y := WideOf(2); x.MulWide(&y) },
		"MulWide high": func(x *Wide) { y := Wide{w: [4]uint64{0, 1}}; x.MulWide(&y) },
	} {
		x := top
		f(&x)
		for range 4 {
			x.Quo(1 << 63)
		}
		x.Add(&one)
		if n, err := x.Int64(false); !errors.Is(err, ErrOverflow) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// Whatever comes over the wire is refused or read for what it is.
func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"0", "-1.50", "1e3", "25874", "0.0000000001", "1e-18", "9223372036854775808", "1e1000", "0e10000000000000000000", ".5", "\"1\""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDecimal(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok && d.IsZero() {
			want, ok = new(big.Rat), strings.Trim(text[:strings.IndexAny(text, "eE")], "-0.") == "" // 0e(huge) is too much for big.Rat
		}
		if !ok || rat(d).Cmp(want) != 0 {
			t.Fatalf("%q was read as %s", text, d)
		}
		if back, err := ParseDecimal(d.String()); err != nil || back != d {
			t.Fatalf("%q came back as %s, %v", text, back, err)
		}
	})
}

func TestMulDiv(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		c := rapid.Int64().Filter(func(c int64) bool { return c != 0 }).Draw(t, "c")
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		want.Quo(want, big.NewInt(c))
		got, err := MulDiv(a, b, c)
		switch {
		case err == nil && want.Cmp(big.NewInt(got)) != 0:
			t.Fatalf("%d×%d/%d = %d, want %s", a, b, c, got, want)
		case err != nil && want.IsInt64() && want.Int64() != math.MinInt64:
			t.Fatalf("%d×%d/%d refused, is %s", a, b, c, want)
		}
	})
	if _, err := MulDiv(1, 1, 0); !errors.Is(err, ErrOverflow) {
		t.Errorf("division by zero: %v", err)
	}
}

// Sums either are right or are refused; nothing wraps.
func TestSumsNeverWrap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		check := func(op string, got Amount, err error, want *big.Int) {
			if want.IsInt64() != (err == nil) || err == nil && want.Int64() != int64(got) {
				t.Fatalf("%d %s %d = %d, %v, want %s", a, op, b, got, err, want)
			}
		}
		sum, err := Add(Amount(a), Amount(b))
		check("+", sum, err, new(big.Int).Add(big.NewInt(a), big.NewInt(b)))
		rest, err := Sub(Amount(a), Amount(b))
		check("-", rest, err, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)))
	})
	if _, err := Sum(Quoted(math.MaxInt64), 1); !errors.Is(err, ErrOverflow) {
		t.Errorf("Sum: %v", err)
	}
	if _, err := Neg(Amount(math.MinInt64)); !errors.Is(err, ErrOverflow) {
		t.Errorf("Neg: %v", err)
	}
	if a, err := Times(Amount(-3), 4); err != nil || a != -12 {
		t.Errorf("Times: %d, %v", a, err)
	}
	if _, err := Amount(math.MaxInt64 / 99).Quoted(); !errors.Is(err, ErrOverflow) {
		t.Errorf("Quoted: %v", err)
	}
}

func TestCurrency(t *testing.T) {
	for code, unit := range map[string]string{"USD": "0.01", "JPY": "1", "EUR": "0.01"} {
		c, err := CurrencyOf(code)
		if err != nil || c.Code() != code || c.Unit().String() != unit {
			t.Errorf("%s: %v, unit %s, %v", code, c, c.Unit(), err)
		}
	}
	if _, err := CurrencyOf("usd"); err == nil {
		t.Error("usd was taken")
	}
}

func TestNoAllocations(t *testing.T) {
	buffer := make([]byte, 0, 64)
	d, e := normal(12345, 4), normal(-7, 3)
	for name, f := range map[string]func(){
		"Add":         func() { _, _ = Add(Amount(1), Amount(2)) },
		"MulDiv":      func() { _, _ = MulDiv(1<<40, 1<<40, 1<<50) },
		"Amount text": func() { _, _ = Amount(-123456789).AppendText(buffer) },
		"Quoted text": func() { _, _ = Quoted(71872222222).AppendText(buffer) },
		"Decimal":     func() { _, _ = d.Mul(e); _, _ = d.Add(e); _ = d.Cmp(e) },
		"text":        func() { _, _ = d.AppendText(buffer) },
		"parse":       func() { _, _ = ParseDecimal("25874.001") },
		"half-up":     func() { _, _ = ShareHalfUp(100, 344, 758, USD) },
		"product": func() {
			w := CutQuantity(d, 1, 3600)
			w.Mul(640000)
			_, _ = CutProduct(w, 20, false)
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
