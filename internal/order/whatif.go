package order

import (
	"context"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Otherwise is under what the purchases of a month are made again.
type Otherwise struct {
	Shelf     *catalog.Snapshot
	PricesAt  time.Time         // at which all prices are looked up; zero: when the order was placed, as ever
	Replace   bool              // the discount that an order was paid with by the best of these
	Discounts []rating.Discount // that orders can be paid with
}

// bought are the bill types that are worked out anew. What was given back or changed follows from what was paid, and stays.
var bought = []charge.BillType{charge.Purchase, charge.Renewal, charge.AutoRenewal}

// WhatIf works out by how much what a customer bought by the term in a month would have come to something else: for each
// resource type and project, without a payer, tax apart. A line that is no plain price (days up to a unified day) follows in proportion. What
// has no price under the other terms stays as it was: unpriced counts these lines. Nothing is written.
func (d *Desk) WhatIf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, o *Otherwise, into charge.Deltas) (unpriced int, err error) {
	const atOnce = 1000
	var seen []string // orders of a month: as many as people place
	for offset := 0; ; offset += atOnce {
		total, fees, err := charge.List(ctx, r, customer, cycle, &charge.Filter{Mode: charge.ByPeriod, Bills: bought}, offset, atOnce)
		if err != nil {
			return 0, err
		}
		for i := range fees {
			if at, found := slices.BinarySearch(seen, fees[i].Trade); !found {
				seen = slices.Insert(seen, at, fees[i].Trade)
				n, err := d.again(ctx, r, &fees[i], o, into)
				if err != nil {
					return 0, err
				}
				unpriced += n
			}
		}
		if offset+atOnce >= total {
			return unpriced, nil
		}
	}
}

// again makes one order again, that a fee record names.
func (d *Desk) again(ctx context.Context, r db.Reader, f *charge.Fee, w *Otherwise, into charge.Deltas) (unpriced int, err error) {
	o, err := Find(ctx, r, f.Customer, f.Trade)
	if err != nil {
		return 0, err
	}
	was, err := allLines(ctx, r, &o)
	if err != nil {
		return 0, err
	}
	shelf, err := d.Catalogue.At(ctx, r)
	if err != nil {
		return 0, err
	}
	lines := slices.Clone(was)
	for i := range lines {
		official, ok, err := d.officialAgain(&lines[i], &o, shelf, w)
		if err != nil {
			return 0, err
		}
		if !ok {
			unpriced++
			continue
		}
		lines[i].Official = official
	}
	if err := d.discountAgain(ctx, r, &o, lines, was, w); err != nil {
		return 0, err
	}
	for i := range lines {
		l := &lines[i]
		if err := l.tax(d.Currency); err != nil {
			return 0, err
		}
		key := charge.Key{Customer: f.Customer, Cycle: f.Cycle, Bill: f.Bill, Mode: charge.ByPeriod, Service: l.Service, ResourceType: l.ResourceType, Project: o.Project}
		if err := into.Add(key, l.Official-was[i].Official, (l.Official-l.Amount)-(was[i].Official-was[i].Amount)); err != nil {
			return 0, err
		}
		key.Bill = charge.Tax
		if err := into.Add(key, l.Tax-was[i].Tax, 0); err != nil {
			return 0, err
		}
	}
	return unpriced, nil
}

// officialAgain is a line's list price under other terms; false: there is none.
func (d *Desk) officialAgain(l *Line, o *Order, shelf *catalog.Snapshot, w *Otherwise) (money.Amount, bool, error) {
	quote := func(shelf *catalog.Snapshot, at time.Time) (money.Amount, error) {
		wanted := l.wanted()
		wanted.OffSale, wanted.Zone = true, ""
		rated, err := shelf.ByTerm(&wanted, at)
		return money.CutCharge(rating.PeriodPrecision(d.Currency).Cut(rated.Official)), err
	}
	at := o.Created
	if !w.PricesAt.IsZero() {
		at = w.PricesAt
	}
	other, err := quote(w.Shelf, at)
	if _, ok := fault.As(err); ok {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	own, err := quote(shelf, o.Created)
	if err != nil || own == l.Official || own == 0 {
		if _, ok := fault.As(err); ok || err == nil {
			return other, true, nil
		}
		return 0, false, err
	}
	n, err := money.MulDiv(int64(l.Official), int64(other), int64(own))
	return money.CutMinor(money.Amount(n), d.Currency), err == nil, err
}

// discountAgain applies the discount of an order to lines whose list prices may be others.
func (d *Desk) discountAgain(ctx context.Context, r db.Reader, o *Order, lines, was []Line, w *Otherwise) error {
	changed := slices.ContainsFunc(lines, func(l Line) bool {
		return l.Official != was[slices.IndexFunc(was, func(o Line) bool { return o.No == l.No })].Official
	})
	if !changed && !w.Replace {
		return nil
	}
	offered := w.Discounts
	if !w.Replace {
		offered = nil
		if o.DiscountID != "" {
			_, grants, err := discount.List(ctx, r, o.Customer, 0, grantsMost)
			if err != nil {
				return err
			}
			for i := range grants {
				if grants[i].ID == o.DiscountID {
					offered = append(offered, grants[i].Offer())
				}
			}
		}
	}
	rated := make([]rating.Line, len(lines))
	for i := range lines {
		lines[i].Amount = lines[i].Official
		var err error
		if rated[i], err = lines[i].rated(); err != nil {
			return err
		}
	}
	offers, best, err := rating.Offers(offered, rated, rating.PeriodPrecision(d.Currency))
	if err != nil || best < 0 {
		return err
	}
	for i := range lines {
		lines[i].Amount = money.CutCharge(offers[best].Quote.Lines[i].Amount)
	}
	return nil
}

// grantsMost bounds the grants of a customer that are looked through for that of an order.
const grantsMost = 10_000
