package money

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
)

// ErrWeights says that a split has no weight to go by: a negative one, or none at all for a total that is not zero.
var ErrWeights = errors.New("money: weights of a split must be positive in sum and none negative")

// Split shares a total out by weights, without loss: each share is cut, and what is left over goes unit by unit to the
// largest remainders, the earlier share first among equals. The shares sum to the total. ErrWeights, ErrOverflow.
func Split[T, W ~int64](total T, weights []W) ([]T, error) { return SplitBy(total, 1, weights) }

// SplitBy is Split in steps of a unit: every share is a whole number of units when the total is (otherwise the part of
// the total below one unit goes to the first share with a weight).
func SplitBy[T, W ~int64](total, unit T, weights []W) ([]T, error) {
	sum, err := weigh(weights)
	if err != nil {
		return nil, err
	}
	shares := make([]T, len(weights))
	if total == 0 {
		return shares, nil
	}
	if sum == 0 || unit <= 0 {
		return nil, ErrWeights
	}
	units := magnitude(int64(total)) / uint64(unit)
	odd := total % unit // has the total's sign
	rest := units
	type remainder struct {
		of   uint64
		line int
	}
	remainders := make([]remainder, 0, len(weights))
	for i, weight := range weights {
		if weight == 0 {
			continue
		}
		hi, lo := bits.Mul64(units, uint64(weight))
		whole, rem := bits.Div64(hi, lo, sum) // weight ≤ sum, so the quotient fits
		shares[i] = T(whole)
		rest -= whole
		remainders = append(remainders, remainder{rem, i})
	}
	slices.SortFunc(remainders, func(a, b remainder) int {
		return cmp.Or(cmp.Compare(b.of, a.of), cmp.Compare(a.line, b.line))
	})
	for _, r := range remainders[:rest] {
		shares[r.line]++
	}
	first := true
	for i := range shares {
		if shares[i] *= unit; total < 0 {
			shares[i] = -shares[i]
		}
		if first && weights[i] > 0 {
			shares[i], first = shares[i]+odd, false
		}
	}
	return shares, nil
}

func weigh[W ~int64](weights []W) (uint64, error) {
	var sum uint64
	for _, weight := range weights {
		if weight < 0 {
			return 0, ErrWeights
		}
		var c uint64
		if sum, c = bits.Add64(sum, uint64(weight), 0); c != 0 {
			return 0, ErrOverflow
		}
	}
	return sum, nil
}
