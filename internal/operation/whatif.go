package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/tax"
)

// WhatIfAsk is which month is to be replayed, and under what.
type WhatIfAsk struct {
	Customer  string
	Cycle     period.Cycle
	Read      func() (*catalog.Content, error) // another price book; nil: the one in force
	PricesAt  time.Time                        // at which its prices are looked up; zero: each at its own instant
	Replace   bool                             // the customer's discounts by these
	Discounts []discount.Grant                 // of kind, ratio and scope; they need no dates
}

// WhatIfRow is a row of the summary as it is and as it would be; either may be a row of nothing.
type WhatIfRow struct{ Billed, Then bill.Row }

// WhatIf is a month as it is billed and as it would be.
type WhatIf struct {
	Final        bool // the month is closed
	Billed, Then bill.Row
	Rows         []WhatIfRow
	Unpriced     int // lines that have no price under the other terms: they stay as they are
}

// ReplayMonth works out what a customer's month would come to with other prices or discounts, by the functions that charged and
// billed it, over one snapshot of the store; nothing is written, and nobody waits. The operator's.
func (c *Counter) ReplayMonth(ctx context.Context, call *Call, ask *WhatIfAsk) (out WhatIf, err error) {
	scope, err := c.authorise(call)
	if err != nil {
		return out, err
	}
	if err := operatorOnly(scope); err != nil {
		return out, err
	}
	var other *catalog.Snapshot
	if ask.Read != nil {
		content, err := ask.Read()
		if err == nil {
			other, err = catalog.Of(content)
		}
		if err != nil {
			return out, catalogueFault(err)
		}
	}
	discounts := make([]rating.Discount, len(ask.Discounts))
	for i := range ask.Discounts {
		g := &ask.Discounts[i]
		g.Effective, g.Expires = ask.Cycle.Span().Start, ask.Cycle.Span().End
		if err := g.Check(currency); err != nil {
			return out, err
		}
		discounts[i] = g.Offer()
	}
	call.Of(ask.Customer)
	if err := c.archived(call.Real, ask.Cycle.Span().Start); err != nil {
		return out, err
	}
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := seesCustomer(ctx, v, scope, ask.Customer); err != nil {
			return err
		}
		who, err := account.Find(ctx, v, ask.Customer)
		if err != nil {
			return err
		}
		if other == nil {
			if other, err = c.Catalogue.At(ctx, v); err != nil {
				return err
			}
		}
		deltas := charge.Deltas{}
		usage := settlement.Otherwise{Shelf: other, PricesAt: ask.PricesAt, Replace: ask.Replace, Discounts: forUsage(discounts)}
		if out.Unpriced, err = c.Settling.WhatIf(ctx, v, who.ID, ask.Cycle, &usage, deltas); err != nil {
			return err
		}
		terms := order.Otherwise{Shelf: other, PricesAt: ask.PricesAt, Replace: ask.Replace, Discounts: discounts}
		n, err := c.Orders.WhatIf(ctx, v, who.ID, ask.Cycle, &terms, deltas)
		if err != nil {
			return err
		}
		out.Unpriced += n
		return c.replayed(ctx, v, &who, ask.Cycle, deltas.List(), &out)
	})
	return out, err
}

// forUsage are the discounts that usage is charged with: by ratio, no promotions.
func forUsage(list []rating.Discount) (out []rating.Discount) {
	for _, d := range list {
		if d.Mode == rating.ByRatio && d.Kind != rating.Promotion {
			out = append(out, d)
		}
	}
	return out
}

// replayed makes the rows of a month as it is billed, and with differences added, the tax of its close worked out again.
func (c *Counter) replayed(ctx context.Context, v *db.View, who *account.Customer, cycle period.Cycle, deltas []charge.Sum, out *WhatIf) error {
	billed, final, err := c.Bills.Of(ctx, v, who.ID, cycle)
	if err != nil {
		return err
	}
	out.Final = final
	sums, err := charge.Products(ctx, v, who.ID, cycle, &charge.Filter{})
	if err != nil {
		return err
	}
	var untaxed []charge.Sum
	taxed := false
	for i := range sums {
		s := &sums[i]
		if atClose(s) {
			taxed = true
		} else {
			untaxed = append(untaxed, *s)
		}
	}
	for i := range deltas {
		deltas[i].Payer = payerOf(sums, &deltas[i], who.ID)
	}
	untaxed = append(untaxed, deltas...)
	then, err := bill.Summarise(untaxed, c.Bills.Rounding, currency)
	if err != nil {
		return err
	}
	if taxed {
		table, err := tax.At(ctx, v, who.Country, lastInstant(cycle))
		if err != nil {
			return err
		}
		for i := range then {
			rate, amount, err := taxOfRow(&table, &then[i])
			if err != nil {
				return err
			}
			if amount == 0 || rate.Inclusive {
				continue
			}
			x := &then[i]
			key := charge.Key{Customer: who.ID, Cycle: cycle, Bill: charge.Tax, Mode: x.Mode, Service: x.Service, ResourceType: x.ResourceType, Project: x.Project, Payer: x.Payer}
			switch {
			case amount < 0:
				key.Bill = charge.TaxBack
			case x.Type == bill.Adjustment:
				key.Bill = charge.TaxMore
			}
			untaxed = append(untaxed, charge.Sum{Key: key, Official: amount, Amount: amount, Parts: charge.Parts{Cash: amount}})
		}
		if then, err = bill.Summarise(untaxed, c.Bills.Rounding, currency); err != nil {
			return err
		}
	}
	return out.pair(billed, then)
}

// atClose says whether a sum is of taxes that the close of the month charged.
func atClose(s *charge.Sum) bool {
	switch s.Bill {
	case charge.Tax, charge.TaxBack, charge.TaxMore:
		return s.Mode == charge.OnDemand || bill.TypeOf(s.Bill) == bill.Adjustment
	}
	return false
}

// payerOf is who pays for charges of a difference's kind in the month; itself where there are none.
func payerOf(sums []charge.Sum, d *charge.Sum, itself string) string {
	for i := range sums {
		if s := &sums[i]; s.Mode == d.Mode && s.Service == d.Service && s.ResourceType == d.ResourceType && s.Project == d.Project {
			return s.Payer
		}
	}
	return itself
}

// pair puts rows beside each other that are of the same product.
func (w *WhatIf) pair(billed, then []bill.Row) error {
	key := func(r *bill.Row) bill.Row {
		return bill.Row{Type: r.Type, Mode: r.Mode, Service: r.Service, ResourceType: r.ResourceType, Project: r.Project, Payer: r.Payer}
	}
	at := map[bill.Row]int{}
	for i := range billed {
		at[key(&billed[i])] = len(w.Rows)
		w.Rows = append(w.Rows, WhatIfRow{Billed: billed[i], Then: key(&billed[i])})
		if err := w.Billed.Include(&billed[i]); err != nil {
			return err
		}
	}
	for i := range then {
		j, ok := at[key(&then[i])]
		if !ok {
			j = len(w.Rows)
			w.Rows = append(w.Rows, WhatIfRow{Billed: key(&then[i])})
		}
		w.Rows[j].Then = then[i]
		if err := w.Then.Include(&then[i]); err != nil {
			return err
		}
	}
	return nil
}
