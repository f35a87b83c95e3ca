// Package money owns exact decimal amounts: the fixed types that are stored, the small decimal that travels on
// the wire, the currency, every rounding by name (rounding.go), splitting without loss, and the 256-bit product
// that multiplies before it divides.
//
// It does not own prices, discounts or tax rates, nor where an amount is written; it reads no clock and knows no
// table. An Amount, UnitPrice or Quoted is stored as its int64 in a BIGINT.
//
// Invariants:
//   - No floating point anywhere, and no wrapping: what does not fit is ErrOverflow.
//   - What is read is what is kept: a text with more decimals than its type holds is ErrPrecision, never cut.
//   - Nothing is rounded but by a function of rounding.go.
//   - The text of a value is the shortest plain decimal: no exponent, no needless zero, "0" for zero.
package money

import (
	"errors"
	"math"
)

var (
	// ErrOverflow says that a value does not fit its type.
	ErrOverflow = errors.New("money: value out of range")
	// ErrPrecision says that a value has more decimals than its type.
	ErrPrecision = errors.New("money: too many decimals")
	// ErrSyntax says that a text is not a decimal number.
	ErrSyntax = errors.New("money: not a decimal number")
)

// Decimals that the fixed types keep (billing-rules 3.4).
const (
	AmountDecimals    = 8
	UnitPriceDecimals = 10
	QuotedDecimals    = 10
)

// Amount is money as it is charged and posted: a whole number of 10⁻⁸ of the currency unit.
type Amount int64

// UnitPrice is the price of one unit: a whole number of 10⁻¹⁰ of the currency unit.
type UnitPrice int64

// Quoted is an amount worked out but not yet cut at the precision asked for: a whole number of 10⁻¹⁰ of the
// currency unit.
type Quoted int64

// Fixed is any of the fixed types; sums stay within one of them.
type Fixed interface{ Amount | UnitPrice | Quoted }

// Add is a + b, or ErrOverflow.
func Add[T Fixed](a, b T) (T, error) {
	sum := a + b
	if (sum > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return sum, nil
}

// Sub is a − b, or ErrOverflow.
func Sub[T Fixed](a, b T) (T, error) {
	rest := a - b
	if (rest < a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return rest, nil
}

// Neg is −a, or ErrOverflow for the one value that has no opposite.
func Neg[T Fixed](a T) (T, error) {
	if a == math.MinInt64 {
		return 0, ErrOverflow
	}
	return -a, nil
}

// Times is a × n, or ErrOverflow.
func Times[T Fixed](a T, n int64) (T, error) {
	product, err := MulDiv(int64(a), n, 1)
	return T(product), err
}

// Sum adds a list, or returns ErrOverflow. A sum that overflows on the way only is an overflow too.
func Sum[T Fixed](list ...T) (T, error) {
	var sum T
	var err error
	for _, a := range list {
		if sum, err = Add(sum, a); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// Quoted is the same value with two more decimals, or ErrOverflow above about 92 million.
func (a Amount) Quoted() (Quoted, error) {
	q, err := MulDiv(int64(a), 100, 1)
	return Quoted(q), err
}

// Decimal is the same value.
func (a Amount) Decimal() Decimal { return normal(int64(a), AmountDecimals) }

// Decimal is the same value.
func (p UnitPrice) Decimal() Decimal { return normal(int64(p), UnitPriceDecimals) }

// Decimal is the same value.
func (q Quoted) Decimal() Decimal { return normal(int64(q), QuotedDecimals) }
