// Package rating owns what a quantity costs: conversion between units, price shapes, discounts, and quotes that
// lose nothing. See README.md: Owns, Does not own, Meanings of units and quantities, Invariants.
//
// It is pure: no store, no clock, no text of the contract. What a price is comes from the catalogue, what has
// already run through a tier from settlement.
package rating

import (
	"errors"
	"fmt"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// The refusals that a caller tells apart, with the contract's code where it has one (billing-rules 3.3, api.md 2.1).
var (
	ErrUnit        = errors.New("rating: the usage unit cannot be converted to the unit of the price") // CBC.99006050
	ErrSizeMissing = errors.New("rating: the price needs a size with its unit")                        // CBC.6001
	ErrSizeUnit    = errors.New("rating: the size unit cannot be converted to the size unit of the price")
	ErrNoPeriod    = errors.New("rating: the product is not sold for this period")
	ErrQuantity    = errors.New("rating: a quantity is negative or a count is not positive")

	// ErrAboveMaximum is CBC.99006055; it also covers a number that outgrew its type (errors.Is money.ErrOverflow).
	ErrAboveMaximum = fmt.Errorf("rating: the price is above the maximum: %w", money.ErrOverflow)
)

// Size is how big a resource is (40 GB, 5 Mbit/s). Without value or unit it was not given.
type Size struct {
	Value money.Decimal
	Unit  int32
}

// Use is what is to be rated on demand.
type Use struct {
	Value   money.Decimal // usage of one subscription, in Unit
	Unit    int32         // measure id
	Already money.Decimal // in Unit: usage earlier in the same accumulation window; only accumulating tiers look at it
	Size    Size          // looked at only by a price with a SizeUnit
	Num     int32         // subscriptions, at least 1
}

// Order is a term that is to be rated.
type Order struct {
	Period  period.Unit // Hour, Day, Month, Year
	Periods int32       // how many of them, at least 1
	Size    Size
	Num     int32 // subscriptions, at least 1
}

// Result is a rated price before discounts.
type Result struct {
	Amount    money.Quoted    // official amount, cut once, at 10 decimals
	UnitPrice money.UnitPrice // of the price; of the step reached when it has tiers
	Tier      int             // step reached, from 0; -1 without tiers
}

// Usage rates a use: usage in the pricing unit, cut at 10 decimals, times everything else, cut once at 10
// (billing-rules 3.4). With accumulating tiers it is the price of all usage so far less the price of what was
// there already; under volume tiers that is negative when a lower price reaches back over the whole quantity.
//
// Errors: ErrUnit, ErrSizeMissing, ErrSizeUnit, ErrQuantity, ErrAboveMaximum. p and u are only read.
func Usage(p *Price, u *Units, use *Use) (Result, error) {
	if use.Value.Sign() < 0 || use.Already.Sign() < 0 || use.Num < 1 {
		return Result{}, ErrQuantity
	}
	ratio, ok := u.Ratio(use.Unit, p.Unit)
	if !ok {
		return Result{}, ErrUnit
	}
	usage := money.CutQuantity(use.Value, ratio.Num, ratio.Den)
	r := Result{UnitPrice: p.UnitPrice, Tier: -1}
	neg, decimals := false, 20
	cost := usage
	switch {
	case p.Tiers != nil && p.Tiers.On == OnUsage:
		var err error
		if cost, neg, err = onUsage(p, u, use, ratio, &usage, &r); err != nil {
			return Result{}, err
		}
		if p.SizeUnit != 0 {
			size, err := sizeIn(u, use.Size, p.SizeUnit)
			if err != nil {
				return Result{}, err
			}
			cost.MulWide(&size)
			decimals = 30
		}
	case p.SizeUnit != 0:
		sized, err := bySize(p.UnitPrice, p.SizeUnit, p.Tiers, u, use.Size, &r)
		if err != nil {
			return Result{}, err
		}
		cost.MulWide(&sized)
		decimals = 30
	default:
		cost.Mul(uint64(p.UnitPrice))
	}
	cost.Mul(uint64(use.Num))
	if p.Per > 1 {
		cost.Quo(uint64(p.Per))
	}
	amount, err := money.CutProduct(cost, decimals, neg)
	if err != nil {
		return Result{}, ErrAboveMaximum
	}
	r.Amount = amount
	return r, nil
}

// onUsage runs the usage, on top of what is there already, through the steps. The cost counts 10⁻²⁰.
func onUsage(p *Price, u *Units, use *Use, ratio Ratio, usage *money.Wide, r *Result) (cost money.Wide, neg bool, err error) {
	t := p.Tiers
	if t.Accumulate == period.None || use.Already.IsZero() {
		cost, err = t.cost(u, p.Unit, usage, r)
		return cost, false, err
	}
	all, err := use.Already.Add(use.Value)
	if err != nil {
		return cost, false, ErrAboveMaximum
	}
	was, now := money.CutQuantity(use.Already, ratio.Num, ratio.Den), money.CutQuantity(all, ratio.Num, ratio.Den)
	before, err := t.cost(u, p.Unit, &was, r)
	if err != nil {
		return cost, false, err
	}
	if cost, err = t.cost(u, p.Unit, &now, r); err != nil {
		return cost, false, err
	}
	if cost.Cmp(&before) < 0 {
		before.Sub(&cost)
		return before, true, nil
	}
	cost.Sub(&before)
	return cost, false, nil
}

// Period rates a term: price × size × periods × subscriptions, cut once at 10 decimals. terms are those of one product.
// A product without a price for years is sold at 12 months for a year (billing-rules 3.3); steps of the
// month's price then count months.
//
// Errors: ErrNoPeriod, ErrSizeMissing, ErrSizeUnit, ErrQuantity, ErrAboveMaximum.
func Period(terms []Term, u *Units, o *Order) (Result, error) {
	if o.Periods < 1 || o.Num < 1 {
		return Result{}, ErrQuantity
	}
	periods := int64(o.Periods)
	term := termOf(terms, o.Period)
	if term == nil && o.Period == period.Year {
		term, periods = termOf(terms, period.Month), 12*periods
	}
	if term == nil {
		return Result{}, ErrNoPeriod
	}
	price, tiers := term.UnitPrice, term.Tiers
	for i := range term.Steps {
		if step := &term.Steps[i]; int64(step.Periods) <= periods {
			price, tiers = step.UnitPrice, step.Tiers
		}
	}
	r := Result{UnitPrice: price, Tier: -1}
	cost, decimals := money.WideOf(uint64(price)), 10
	if term.SizeUnit != 0 {
		var err error
		if cost, err = bySize(price, term.SizeUnit, tiers, u, o.Size, &r); err != nil {
			return Result{}, err
		}
		decimals = 20
	}
	cost.Mul(uint64(periods))
	cost.Mul(uint64(o.Num))
	amount, err := money.CutProduct(cost, decimals, false)
	if err != nil {
		return Result{}, ErrAboveMaximum
	}
	r.Amount = amount
	return r, nil
}

func termOf(terms []Term, unit period.Unit) *Term {
	for i := range terms {
		if terms[i].Period == unit {
			return &terms[i]
		}
	}
	return nil
}

// bySize is the price of one usage unit or period of a resource of that size, counting 10⁻²⁰.
func bySize(price money.UnitPrice, unit int32, t *Tiers, u *Units, given Size, r *Result) (money.Wide, error) {
	size, err := sizeIn(u, given, unit)
	if err != nil {
		return size, err
	}
	if t != nil {
		return t.cost(u, unit, &size, r)
	}
	size.Mul(uint64(price))
	return size, nil
}

// sizeIn is the size in that unit, cut at 10 decimals like every quantity.
func sizeIn(u *Units, given Size, unit int32) (size money.Wide, err error) {
	switch {
	case given.Value.Sign() < 0:
		return size, ErrQuantity
	case given.Value.IsZero() || given.Unit == 0:
		return size, ErrSizeMissing
	}
	ratio, ok := u.Ratio(given.Unit, unit)
	if !ok {
		return size, ErrSizeUnit
	}
	return money.CutQuantity(given.Value, ratio.Num, ratio.Den), nil
}

// cost is what the quantity q (10⁻¹⁰ of unit) comes to over the steps, counting 10⁻²⁰. It notes in r the step reached.
// Above the last bound of closed steps it is ErrAboveMaximum.
func (t *Tiers) cost(u *Units, unit int32, q *money.Wide, r *Result) (sum money.Wide, err error) {
	var lower money.Wide
	for i := range t.Steps {
		step := &t.Steps[i]
		upper := *q
		last := step.Open
		if !last {
			bound, err := step.bound(u, unit)
			if err != nil {
				return sum, err
			}
			if last = q.Cmp(&bound) <= 0; !last {
				upper = bound
			}
		}
		if t.Shape == Graduated {
			width := upper
			width.Sub(&lower)
			width.Mul(uint64(step.UnitPrice))
			sum.Add(&width)
		}
		if last {
			if t.Shape == Volume {
				sum = *q
				sum.Mul(uint64(step.UnitPrice))
			}
			r.Tier, r.UnitPrice = i, step.UnitPrice
			return sum, nil
		}
		lower = upper
	}
	return sum, ErrAboveMaximum
}

// bound is the upper bound in that unit, cut at 10 decimals as the quantities are that are compared with it.
func (t *Tier) bound(u *Units, unit int32) (money.Wide, error) {
	if t.Unit == unit {
		return money.CutQuantity(t.UpTo, 1, 1), nil
	}
	ratio, ok := u.Ratio(t.Unit, unit)
	if !ok {
		return money.Wide{}, fmt.Errorf("rating: the unit %d of a tier's bound cannot be converted to %d: %w", t.Unit, unit, ErrUnit)
	}
	return money.CutQuantity(t.UpTo, ratio.Num, ratio.Den), nil
}
