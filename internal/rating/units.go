package rating

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/purser-cloud/purser/internal/money"
)

// ErrUnits says what is wrong with a table of units.
var ErrUnits = errors.New("rating: bad table of units")

// Unit is a measure unit and its dimension (measure_id, measure_type).
type Unit struct{ ID, Type int32 }

// Conversion says that 1 From = Ratio × To.
type Conversion struct {
	From, To int32
	Ratio    int64
}

// Ratio says that one unit is Num/Den of another, in lowest terms, both positive.
type Ratio struct{ Num, Den int64 }

// Units converts between units of a dimension, along any path of the conversions. It does not change after NewUnits and may be
// shared.
type Units struct {
	known  map[int32]bool
	ratios map[uint64]Ratio // of every ordered pair that is connected, each unit with itself too
}

// NewUnits builds the table. It refuses, with an error that wraps ErrUnits: a unit named twice, a conversion that names an
// unknown unit, joins two dimensions or has a ratio below 1, two paths that disagree, and a ratio beyond int64.
func NewUnits(units []Unit, conversions []Conversion) (*Units, error) {
	types := make(map[int32]int32, len(units))
	for _, unit := range units {
		if _, twice := types[unit.ID]; twice {
			return nil, fmt.Errorf("%w: unit %d is there twice", ErrUnits, unit.ID)
		}
		types[unit.ID] = unit.Type
	}
	edges := make(map[int32][]edge)
	for _, c := range conversions {
		from, ok := types[c.From]
		to, too := types[c.To]
		switch {
		case !ok || !too:
			return nil, fmt.Errorf("%w: conversion %d to %d names an unknown unit", ErrUnits, c.From, c.To)
		case from != to:
			return nil, fmt.Errorf("%w: conversion %d to %d joins the types %d and %d", ErrUnits, c.From, c.To, from, to)
		case c.Ratio < 1:
			return nil, fmt.Errorf("%w: conversion %d to %d has ratio %d", ErrUnits, c.From, c.To, c.Ratio)
		}
		edges[c.From] = append(edges[c.From], edge{c.To, Ratio{c.Ratio, 1}})
		edges[c.To] = append(edges[c.To], edge{c.From, Ratio{1, c.Ratio}})
	}
	u := &Units{known: make(map[int32]bool, len(units)), ratios: make(map[uint64]Ratio)}
	for _, unit := range units {
		u.known[unit.ID] = true
		if err := u.walk(unit.ID, edges); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// edge: one of the unit it hangs on is ratio × to.
type edge struct {
	to    int32
	ratio Ratio
}

// walk finds the ratio of start to every unit it reaches, and checks every edge on the way against what is known.
func (u *Units) walk(start int32, edges map[int32][]edge) error {
	u.ratios[pair(start, start)] = Ratio{1, 1}
	for queue := []int32{start}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, e := range edges[at] {
			ratio, ok := u.ratios[pair(start, at)].times(e.ratio)
			if !ok {
				return fmt.Errorf("%w: the ratio of %d to %d is out of range", ErrUnits, start, e.to)
			}
			known, seen := u.ratios[pair(start, e.to)]
			if seen && known != ratio {
				return fmt.Errorf("%w: %d to %d is %d/%d one way and %d/%d another", ErrUnits, start, e.to,
					known.Num, known.Den, ratio.Num, ratio.Den)
			}
			if !seen {
				u.ratios[pair(start, e.to)] = ratio
				queue = append(queue, e.to)
			}
		}
	}
	return nil
}

// times multiplies in lowest terms; false when the result is out of range.
func (r Ratio) times(o Ratio) (Ratio, bool) {
	a, b := gcd(r.Num, o.Den), gcd(o.Num, r.Den)
	nh, num := bits.Mul64(uint64(r.Num/a), uint64(o.Num/b))
	dh, den := bits.Mul64(uint64(r.Den/b), uint64(o.Den/a))
	if nh|dh != 0 || num > math.MaxInt64 || den > math.MaxInt64 {
		return Ratio{}, false
	}
	return Ratio{int64(num), int64(den)}, true
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func pair(from, to int32) uint64 { return uint64(uint32(from))<<32 | uint64(uint32(to)) }

// Known says whether there is such a unit.
func (u *Units) Known(id int32) bool { return u.known[id] }

// Ratio says what one of from is in to; false when either is unknown or they are not connected.
func (u *Units) Ratio(from, to int32) (Ratio, bool) {
	r, ok := u.ratios[pair(from, to)]
	return r, ok
}

// Convert is a quantity in another unit, cut at 10 decimals as rating cuts it: to be shown. ErrUnit, ErrQuantity,
// ErrAboveMaximum.
func (u *Units) Convert(value money.Decimal, from, to int32) (money.Decimal, error) {
	ratio, ok := u.Ratio(from, to)
	if !ok {
		return money.Decimal{}, ErrUnit
	}
	if value.Sign() < 0 {
		return money.Decimal{}, ErrQuantity
	}
	w := money.CutQuantity(value, ratio.Num, ratio.Den)
	d, err := money.DecimalOfWide(w, money.QuotedDecimals)
	if err != nil {
		return money.Decimal{}, ErrAboveMaximum
	}
	return d, nil
}
