package money

import (
	"cmp"
	"math"
	"math/bits"
)

// maxScale is the most decimals that a Decimal has.
const maxScale = 18

// Decimal is a small exact decimal: a usage value, a size, a ratio. The zero value is 0. Equal values are equal
// with ==: a Decimal has no needless zeros.
type Decimal struct {
	coef  int64
	scale uint8
}

// NewDecimal is coef × 10^-scale; ErrPrecision when scale is not in 0..18 after needless zeros are gone.
func NewDecimal(coef int64, scale int) (Decimal, error) {
	for scale > 0 && coef != 0 && coef%10 == 0 {
		coef, scale = coef/10, scale-1
	}
	if coef == 0 {
		return Decimal{}, nil
	}
	if scale < 0 || scale > maxScale {
		return Decimal{}, ErrPrecision
	}
	return Decimal{coef: coef, scale: uint8(scale)}, nil
}

// DecimalOf is a whole number.
func DecimalOf(n int64) Decimal { return Decimal{coef: n} }

// normal is NewDecimal where the scale is known to be right.
func normal(coef int64, scale int) Decimal {
	d, _ := NewDecimal(coef, scale)
	return d
}

// Coef is the whole number that, times 10^-Scale, is d.
func (d Decimal) Coef() int64 { return d.coef }

// Scale is the number of decimals, 0 to 18.
func (d Decimal) Scale() int { return int(d.scale) }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int { return cmp.Compare(d.coef, 0) }

// IsZero says whether d is 0.
func (d Decimal) IsZero() bool { return d.coef == 0 }

// Int64 is d when it is whole; false otherwise.
func (d Decimal) Int64() (int64, bool) { return d.coef, d.scale == 0 }

// Cmp is -1, 0 or 1 as d is less than, equal to or greater than e.
func (d Decimal) Cmp(e Decimal) int {
	if d.Sign() != e.Sign() {
		return cmp.Compare(d.Sign(), e.Sign())
	}
	hi, lo := bits.Mul64(magnitude(d.coef), pow10[max(d.scale, e.scale)-d.scale])
	hj, lj := bits.Mul64(magnitude(e.coef), pow10[max(d.scale, e.scale)-e.scale])
	return d.Sign() * cmp.Or(cmp.Compare(hi, hj), cmp.Compare(lo, lj))
}

// Mul is d × e exactly, or ErrOverflow, ErrPrecision.
func (d Decimal) Mul(e Decimal) (Decimal, error) {
	w := WideOf(magnitude(d.coef))
	w.Mul(magnitude(e.coef))
	return narrow(w, int(d.scale)+int(e.scale), (d.coef < 0) != (e.coef < 0))
}

// Add is d + e exactly, or ErrOverflow, ErrPrecision.
func (d Decimal) Add(e Decimal) (Decimal, error) {
	scale := max(d.scale, e.scale)
	x, y := WideOf(magnitude(d.coef)), WideOf(magnitude(e.coef))
	x.Mul(pow10[scale-d.scale])
	y.Mul(pow10[scale-e.scale])
	neg := d.coef < 0
	switch {
	case neg == (e.coef < 0):
		x.Add(&y)
	case x.Cmp(&y) >= 0:
		x.Sub(&y)
	default:
		y.Sub(&x)
		x, neg = y, !neg
	}
	return narrow(x, int(scale), neg)
}

// Sub is d − e exactly, or ErrOverflow, ErrPrecision.
func (d Decimal) Sub(e Decimal) (Decimal, error) {
	if e.coef == math.MinInt64 {
		return Decimal{}, ErrOverflow
	}
	return d.Add(Decimal{coef: -e.coef, scale: e.scale})
}

// narrow drops needless zeros and takes the number out. A value whose digits do not fit is too fine when
// it has decimals, too large when it has none.
func narrow(w Wide, scale int, neg bool) (Decimal, error) {
	if w.IsZero() {
		return Decimal{}, nil
	}
	for scale > 0 {
		tenth := w
		if tenth.Quo(10) != 0 {
			break
		}
		w, scale = tenth, scale-1
	}
	if scale > maxScale {
		return Decimal{}, ErrPrecision
	}
	coef, err := w.Int64(neg)
	switch {
	case err == nil:
		return Decimal{coef: coef, scale: uint8(scale)}, nil
	case scale > 0:
		return Decimal{}, ErrPrecision
	}
	return Decimal{}, err
}

// AmountOf is d with at most 8 decimals, or ErrPrecision, ErrOverflow.
func AmountOf(d Decimal) (Amount, error) {
	n, err := d.fixed(AmountDecimals)
	return Amount(n), err
}

// UnitPriceOf is d with at most 10 decimals, or ErrPrecision, ErrOverflow.
func UnitPriceOf(d Decimal) (UnitPrice, error) {
	n, err := d.fixed(UnitPriceDecimals)
	return UnitPrice(n), err
}

// QuotedOf is d with at most 10 decimals, or ErrPrecision, ErrOverflow.
func QuotedOf(d Decimal) (Quoted, error) {
	n, err := d.fixed(QuotedDecimals)
	return Quoted(n), err
}

func (d Decimal) fixed(decimals int) (int64, error) {
	if int(d.scale) > decimals {
		return 0, ErrPrecision
	}
	return MulDiv(d.coef, int64(pow10[decimals-int(d.scale)]), 1)
}

// AppendText appends the shortest plain decimal; it never fails.
func (d Decimal) AppendText(b []byte) ([]byte, error) {
	return appendFixed(b, d.coef, int(d.scale)), nil
}

// String is the shortest plain decimal.
func (d Decimal) String() string { return string(appendFixed(nil, d.coef, int(d.scale))) }

// MarshalJSON writes a JSON number.
func (d Decimal) MarshalJSON() ([]byte, error) { return d.AppendText(nil) }

// UnmarshalJSON reads a number, quoted or not (SDKs quote decimals, api.md 0.6).
func (d *Decimal) UnmarshalJSON(data []byte) error {
	text, ok := unquote(data)
	if !ok {
		return nil
	}
	v, err := ParseDecimal(text)
	if err == nil {
		*d = v
	}
	return err
}

// DecimalOfWide is w × 10^-scale, or ErrOverflow, ErrPrecision.
func DecimalOfWide(w Wide, scale int) (Decimal, error) { return narrow(w, scale, false) }
