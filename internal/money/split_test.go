package money

import (
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		total, unit Amount
		weights     []int64
		want        []Amount
	}{
		{100, 1, []int64{1, 1, 1}, []Amount{34, 33, 33}},
		{-100, 1, []int64{1, 1, 1}, []Amount{-34, -33, -33}},
		{10, 1, []int64{1, 2, 0}, []Amount{3, 7, 0}},
		{1, 1, []int64{0, 1, 1}, []Amount{0, 1, 0}},
		{2, 1, []int64{1, 1, 1, 1, 1}, []Amount{1, 1, 0, 0, 0}},
		{1000, 100, []int64{1, 1, 1}, []Amount{400, 300, 300}},
		{1007, 100, []int64{0, 1, 1}, []Amount{0, 507, 500}},
		{0, 1, []int64{0, 0}, []Amount{0, 0}},
		{0, 1, nil, []Amount{}},
		{math.MinInt64, 1, []int64{5}, []Amount{math.MinInt64}},
		{math.MaxInt64, 1, []int64{math.MaxInt64, math.MaxInt64}, []Amount{math.MaxInt64/2 + 1, math.MaxInt64 / 2}},
	} {
		got, err := SplitBy(c.total, c.unit, c.weights)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, %v, want %v", c.total, c.weights, got, err, c.want)
		}
	}
	for _, weights := range [][]int64{nil, {0, 0}, {1, -1}, {2, -1}} {
		if _, err := Split(Amount(1), weights); !errors.Is(err, ErrWeights) {
			t.Errorf("weights %v: %v", weights, err)
		}
	}
	if _, err := Split(Amount(1), []int64{math.MaxInt64, math.MaxInt64, 2}); !errors.Is(err, ErrOverflow) {
		t.Errorf("sum of weights: %v", err)
	}
}

// The shares sum to the whole, each lies within one unit of its exact share, none is on the wrong side of zero, and a share of
// a whole number of units is one too.
func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := Amount(rapid.Int64Range(-1e15, 1e15).Draw(t, "total"))
		unit := Amount(rapid.SampledFrom([]int64{1, 100, 1e6, 1e8}).Draw(t, "unit"))
		total -= total % unit
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 20).Draw(t, "weights")
		weights[len(weights)-1]++
		var sum int64
		for _, w := range weights {
			sum += w
		}
		shares, err := SplitBy(total, unit, weights)
		if err != nil {
			t.Fatal(err)
		}
		var whole Amount
		for i, share := range shares {
			whole += share
			exact, err := MulDiv(int64(total/unit), weights[i], sum)
			if err != nil {
				t.Fatal(err)
			}
			if off := int64(share/unit) - exact; share%unit != 0 || off < -1 || off > 1 || share != 0 && (share < 0) != (total < 0) {
				t.Fatalf("share %d is %d units, exactly %d", i, share/unit, exact)
			}
			if weights[i] == 0 && share != 0 {
				t.Fatalf("share %d without a weight: %d", i, share)
			}
		}
		if whole != total {
			t.Fatalf("shares of %d sum to %d", total, whole)
		}
	})
}
