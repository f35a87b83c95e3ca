package settlement

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
)

// Otherwise is under what a month is replayed.
type Otherwise struct {
	Shelf     *catalog.Snapshot
	PricesAt  time.Time         // at which all prices are looked up; zero: each at its own instant, as ever
	Replace   bool              // the customer's discounts by these
	Discounts []rating.Discount // that usage can be charged with
}

// At is the instant at which a price is looked up that would be that of another one.
func (o *Otherwise) At(own time.Time) time.Time {
	if o.PricesAt.IsZero() {
		return own
	}
	return o.PricesAt
}

// WhatIf works out by how much the usage of a customer's month would have come to something else: for each resource type and
// project, without a payer. What packages covered stays covered; corrections that were booked
// later count with the month that they correct. What has no price under the other terms stays as it was charged: unpriced counts
// these lines. Nothing is written.
func (d *Desk) WhatIf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, o *Otherwise, into charge.Deltas) (unpriced int, err error) {
	month := cycle.Span()
	b := &book{desk: d, customer: customer, on: r, shelf: o.Shelf, otherwise: o, used: map[quota.Pool]int64{}, tiers: map[tier]int64{}, ran: map[tier]int64{}, offers: map[time.Time][]rating.Discount{}}
	for day := month; day.Start.Before(month.End); day.Start = day.Start.Add(24 * time.Hour) { // GMT+8 has no other days
		day.End = day.Start.Add(24 * time.Hour)
		lines, was, err := d.linesWithin(ctx, r, customer, day)
		if err != nil {
			return 0, err
		}
		for i := range lines {
			l := &lines[i]
			err := b.price(ctx, l, l.quantity-l.covered)
			if _, ok := fault.As(err); ok {
				unpriced++
				continue
			}
			if err != nil {
				return 0, err
			}
			key := charge.Key{Customer: customer, Cycle: cycle, Bill: charge.Usage, Mode: charge.OnDemand, Service: l.meter.Service, ResourceType: l.meter.ResourceType, Project: l.meter.Project}
			if err := into.Add(key, l.official-was[i].official, l.discount-was[i].discount); err != nil {
				return 0, err
			}
		}
	}
	return unpriced, nil
}

// linesWithin are the settled lines whose buckets end within a span, in their order, each with what it came to.
func (d *Desk) linesWithin(ctx context.Context, r db.Reader, customer string, span period.Span) ([]line, []struct{ official, discount money.Amount }, error) {
	settled, err := settledWithin(ctx, r, customer, span)
	if err != nil {
		return nil, nil, err
	}
	numbers := map[int64]bool{}
	for i := range settled {
		numbers[settled[i].meter] = true
	}
	meters, err := d.meters.Of(ctx, r, customer, slices.Collect(maps.Keys(numbers)))
	if err != nil {
		return nil, nil, err
	}
	lines := make([]line, len(settled))
	for i := range settled {
		s := &settled[i]
		lines[i] = line{Bucket: s.Bucket, meter: meters[s.meter], quantity: s.quantity, covered: s.covered, official: s.official, discount: s.discount}
	}
	slices.SortFunc(lines, func(a, b line) int { return a.compare(&b) })
	was := make([]struct{ official, discount money.Amount }, len(lines))
	for i := range lines {
		was[i].official, was[i].discount = lines[i].official, lines[i].discount
	}
	return lines, was, nil
}
