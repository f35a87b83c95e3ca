package order

import (
	"context"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Ending is what unsubscribing a primary resource would come to at the instant of the snapshot.
type Ending struct {
	Resources     []string     // what ends, the primary one first
	Paid          money.Amount // for the terms that are open
	Consumed, Fee money.Amount
	Back          money.Amount // to the account, without tax and coupon
	Coupon, Tax   money.Amount // go back too
	Unconditional bool         // new enough to go back in full
	Review        bool         // the refund would wait for approval
}

// PreviewEnd works out what End would give back, or EndRenewals when only renewals are to go, without doing it. It refuses as
// they do.
func (d *Desk) PreviewEnd(ctx context.Context, r db.Reader, customer *account.Customer, resource string, onlyRenewals bool) (e Ending, err error) {
	open, err := d.ending(ctx, r, customer, resource)
	if err != nil {
		return e, err
	}
	now, _ := r.Instant()
	var which func(*subscription.Term) bool
	if onlyRenewals {
		which = func(t *subscription.Term) bool { return t.Span.Start.After(now) }
	} else if e.Unconditional, err = d.unconditional(ctx, r, open); err != nil {
		return e, err
	}
	o, parts, err := d.unsubscription(ctx, r, customer.ID, open, ByCustomer, "", "", which, e.Unconditional)
	if err != nil {
		return e, err
	}
	if onlyRenewals && len(parts) == 0 {
		return e, fault.New(fault.Invalid, "CBC.99003128", "resource %s has no renewed period that has not begun", resource)
	}
	for i := range open {
		e.Resources = append(e.Resources, open[i].ID)
	}
	for i := range parts {
		e.Paid += parts[i].term.Amount
		e.Back += parts[i].refund.Money
		e.Coupon += parts[i].refund.Coupon
	}
	e.Consumed, e.Fee, e.Tax = o.Consumed, o.Fee, o.Tax
	e.Review = !onlyRenewals && d.Rules.ReviewRefunds > 0 && o.Amount > d.Rules.ReviewRefunds
	return e, nil
}
