package rating

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/purser-cloud/purser/internal/money"

	"pgregory.net/rapid"
)

func TestUnits(t *testing.T) {
	u := units(t)
	for _, c := range []struct {
		from, to int32
		want     Ratio
		ok       bool
	}{
		{day, second, Ratio{86400, 1}, true},
		{second, day, Ratio{1, 86400}, true},
		{gigabyte, byt, Ratio{1 << 30, 1}, true},
		{byt, megabyte, Ratio{1, 1 << 20}, true},
		{piece, piece, Ratio{1, 1}, true},
		{gigabyte, diskGB, Ratio{}, false},
		{second, byt, Ratio{}, false},
		{1234, 1234, Ratio{}, false},
	} {
		if got, ok := u.Ratio(c.from, c.to); got != c.want || ok != c.ok {
			t.Errorf("%d to %d: %v, %t, want %v, %t", c.from, c.to, got, ok, c.want, c.ok)
		}
	}
	if !u.Known(day) || u.Known(1234) {
		t.Error("Known")
	}
	if _, err := u.Convert(dec(t, "1"), second, byt); !errors.Is(err, ErrUnit) {
		t.Errorf("seconds to bytes: %v", err)
	}
	if _, err := u.Convert(dec(t, "-1"), second, hour); !errors.Is(err, ErrQuantity) {
		t.Errorf("negative: %v", err)
	}
	if _, err := u.Convert(money.DecimalOf(math.MaxInt64), day, second); !errors.Is(err, ErrAboveMaximum) {
		t.Errorf("too large: %v", err)
	}
}

func TestBadUnits(t *testing.T) {
	list := []Unit{{1, 2}, {2, 2}, {3, 2}, {4, 2}, {5, 9}}
	for _, c := range []struct {
		name  string
		units []Unit
		conv  []Conversion
		want  string
	}{
		{"twice", append(list, Unit{1, 2}), nil, "unit 1 is there twice"},
		{"unknown", list, []Conversion{{1, 9, 2}}, "names an unknown unit"},
		{"two dimensions", list, []Conversion{{1, 5, 2}}, "joins the types 2 and 9"},
		{"zero", list, []Conversion{{1, 2, 0}}, "has ratio 0"},
		{"negative", list, []Conversion{{1, 2, -5}}, "has ratio -5"},
		{"itself", list, []Conversion{{1, 1, 2}}, "one way"},
		{"both ways", list, []Conversion{{1, 2, 60}, {2, 1, 60}}, "one way"},
		{"said twice differently", list, []Conversion{{1, 2, 60}, {1, 2, 61}}, "one way"},
		{"two paths", list, []Conversion{{1, 2, 60}, {2, 3, 60}, {3, 4, 2}, {1, 4, 7201}}, "one way"},
		{"too far apart", list, []Conversion{{1, 2, math.MaxInt64}, {2, 3, 2}}, "out of range"},
	} {
		if u, err := NewUnits(c.units, c.conv); u != nil || !errors.Is(err, ErrUnits) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := NewUnits(list, []Conversion{{1, 2, 60}, {2, 3, 60}, {3, 4, 2}, {1, 4, 7200}, {1, 2, 60}, {1, 1, 1}}); err != nil {
		t.Errorf("paths that agree: %v", err)
	}
}

// Over any tree of conversions, there and back is 1, and a way over a third unit is the direct one.
func TestConversionsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := int32(rapid.IntRange(2, 7).Draw(t, "units"))
		var list []Unit
		var conv []Conversion
		for id := range n {
			list = append(list, Unit{id, 1})
			if id == 0 {
				continue
			}
			c := Conversion{rapid.Int32Range(0, id-1).Draw(t, "parent"), id, rapid.Int64Range(1, 1024).Draw(t, "ratio")}
			if rapid.Bool().Draw(t, "turned") {
				c.From, c.To = c.To, c.From
			}
			conv = append(conv, c)
		}
		u, err := NewUnits(list, conv)
		if err != nil {
			t.Fatal(err)
		}
		a, b, c := rapid.Int32Range(0, n-1).Draw(t, "a"), rapid.Int32Range(0, n-1).Draw(t, "b"), rapid.Int32Range(0, n-1).Draw(t, "c")
		rat := func(from, to int32) *big.Rat {
			r, ok := u.Ratio(from, to)
			if !ok {
				t.Fatalf("%d to %d is not connected", from, to)
			}
			return big.NewRat(r.Num, r.Den)
		}
		if got := new(big.Rat).Mul(rat(a, b), rat(b, a)); got.Cmp(big.NewRat(1, 1)) != 0 {
			t.Fatalf("%d to %d and back is %s", a, b, got)
		}
		if got := new(big.Rat).Mul(rat(a, c), rat(c, b)); got.Cmp(rat(a, b)) != 0 {
			t.Fatalf("%d to %d over %d is %s, directly %s", a, b, c, got, rat(a, b))
		}
		for _, e := range conv {
			if rat(e.From, e.To).Cmp(big.NewRat(e.Ratio, 1)) != 0 {
				t.Fatalf("%d to %d is %s, want %d", e.From, e.To, rat(e.From, e.To), e.Ratio)
			}
		}
	})
}

// A whole number of large units survives the way to small ones and back; the other way loses less than 10⁻¹⁰ of the
// large unit.
func TestConvertRoundTrip(t *testing.T) {
	u := units(t)
	rapid.Check(t, func(t *rapid.T) {
		value := money.DecimalOf(rapid.Int64Range(0, 1e6).Draw(t, "value"))
		large, small := int32(gigabyte), int32(byt)
		if rapid.Bool().Draw(t, "time") {
			large, small = day, second
		}
		there, err := u.Convert(value, large, small)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := u.Convert(there, small, large); err != nil || back != value {
			t.Fatalf("%s became %s and then %s, %v", value, there, back, err)
		}
		there, err = u.Convert(value, small, large)
		if err != nil {
			t.Fatal(err)
		}
		back, err := u.Convert(there, large, small)
		if err != nil {
			t.Fatal(err)
		}
		lost, err := value.Sub(back)
		ratio, _ := u.Ratio(large, small)
		if limit, _ := money.NewDecimal(ratio.Num, 10); err != nil || lost.Sign() < 0 || lost.Cmp(limit) >= 0 {
			t.Fatalf("%s became %s and then %s: lost %s, %v", value, there, back, lost, err)
		}
	})
}
