package money

import (
	"math"
	"math/bits"
)

var pow10 = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// Pow10 is 10^n for n from 0 to 19.
func Pow10(n int) uint64 { return pow10[n] }

// Wide is an unsigned whole number of 256 bits, in which products are built before they are divided. An overflow
// sticks: it is asked for once, when the number is taken out.
//
// Dividing by a and then by b cuts to the same number as dividing by a×b at once: a chain of Quo cuts only once.
type Wide struct {
	w    [4]uint64 // least significant first
	over bool
}

// WideOf is x.
func WideOf(x uint64) Wide { return Wide{w: [4]uint64{x}} }

// Mul multiplies by y.
func (x *Wide) Mul(y uint64) {
	var carry uint64
	for i, w := range x.w {
		if w == 0 && carry == 0 {
			continue
		}
		hi, lo := bits.Mul64(w, y)
		var c uint64
		x.w[i], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	x.over = x.over || carry != 0
}

// MulWide multiplies by y.
func (x *Wide) MulWide(y *Wide) {
	var sum Wide
	for i := range y.w {
		if y.w[i] == 0 {
			continue
		}
		part := *x
		part.Mul(y.w[i])
		part.shift(i)
		sum.Add(&part)
	}
	sum.over = sum.over || x.over || y.over
	*x = sum
}

// shift multiplies by 2^(64×words).
func (x *Wide) shift(words int) {
	for ; words > 0; words-- {
		x.over = x.over || x.w[3] != 0
		x.w[3], x.w[2], x.w[1], x.w[0] = x.w[2], x.w[1], x.w[0], 0
	}
}

// Quo divides by y, cutting, and returns the remainder. y is not zero.
func (x *Wide) Quo(y uint64) (rem uint64) {
	for i := 3; i >= 0; i-- {
		if x.w[i] == 0 && rem == 0 {
			continue
		}
		x.w[i], rem = bits.Div64(rem, x.w[i], y)
	}
	return rem
}

// Add adds y.
func (x *Wide) Add(y *Wide) {
	var c uint64
	for i := range x.w {
		x.w[i], c = bits.Add64(x.w[i], y.w[i], c)
	}
	x.over = x.over || y.over || c != 0
}

// Sub subtracts y, which is not greater than x.
func (x *Wide) Sub(y *Wide) {
	var c uint64
	for i := range x.w {
		x.w[i], c = bits.Sub64(x.w[i], y.w[i], c)
	}
	x.over = x.over || y.over || c != 0
}

// Cmp is -1, 0 or 1 as x is less than, equal to or greater than y. It means nothing once either has overflowed.
func (x *Wide) Cmp(y *Wide) int {
	for i := 3; i >= 0; i-- {
		if x.w[i] != y.w[i] {
			if x.w[i] < y.w[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// IsZero says whether x is 0.
func (x *Wide) IsZero() bool { return x.w == [4]uint64{} && !x.over }

// Int64 takes the number out, with its sign, or returns ErrOverflow.
func (x *Wide) Int64(neg bool) (int64, error) {
	if x.over || x.w[0] > math.MaxInt64 || x.w[1]|x.w[2]|x.w[3] != 0 {
		return 0, ErrOverflow
	}
	if neg {
		return -int64(x.w[0]), nil
	}
	return int64(x.w[0]), nil
}

// MulDiv is a × b / c cut towards zero, the product in 128 bits, or ErrOverflow; c is not zero.
func MulDiv(a, b, c int64) (int64, error) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	d := magnitude(c)
	if hi >= d {
		return 0, ErrOverflow
	}
	q, _ := bits.Div64(hi, lo, d)
	neg := (a < 0) != (b < 0) != (c < 0)
	if q > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if neg {
		return -int64(q), nil
	}
	return int64(q), nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
