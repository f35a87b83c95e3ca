package order

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

func errCombined(o *Order) error {
	return fault.New(fault.Invalid, "CBC.99000089", "order %s belongs to the combined purchase %s: use that number", o.ID, o.Trade)
}

// Cancel cancels an order that waits for its payment. Faults, in this order (api.md 5.5): CBC.30000010 unknown,
// CBC.99000089 part of a combined purchase, CBC.99005010 in another status.
func (d *Desk) Cancel(ctx context.Context, tx *db.Tx, customer, id string) (Order, error) {
	o, err := d.Find(ctx, tx, customer, id)
	if err != nil {
		return o, err
	}
	if o.Trade != "" {
		return o, errCombined(&o)
	}
	return o, d.cancel(ctx, tx, &o, "")
}

// CancelTrade cancels every order of a combined purchase.
func (d *Desk) CancelTrade(ctx context.Context, tx *db.Tx, customer, trade string) ([]Order, error) {
	list, err := d.Trade(ctx, tx, customer, trade)
	for i := range list {
		if err == nil {
			err = d.cancel(ctx, tx, &list[i], "")
		}
	}
	return list, err
}

// Trade lists the orders of a combined purchase. Who does not see all of them sees none.
func (d *Desk) Trade(ctx context.Context, r db.Reader, customer, trade string) ([]Order, error) {
	list, err := ofTrade(ctx, r, customer, trade)
	if err == nil && (len(list) == 0 || slices.ContainsFunc(list, func(o Order) bool { return !d.sees(o.Project) })) {
		return nil, errUnknown(trade)
	}
	return list, err
}

func (d *Desk) cancel(ctx context.Context, tx *db.Tx, o *Order, reason string) error {
	if o.Status != Unpaid && o.Status != Confirming && !(o.Status == Approving && o.Type == New) {
		return fault.New(fault.Invalid, "CBC.99005010", "order %s is in status %d and cannot be cancelled", o.ID, o.Status)
	}
	if err := d.letGo(ctx, tx, o); err != nil {
		return err
	}
	if o.Type == Renew || o.Type == Change {
		if err := vacate(ctx, tx, o); err != nil {
			return err
		}
	}
	o.Reason = reason
	if err := move(ctx, tx, o, Cancelled); err != nil {
		return err
	}
	return d.tell(ctx, tx, o, "order.cancelled", nil)
}

// letGo gives up the coupon that is held for the order.
func (d *Desk) letGo(ctx context.Context, tx *db.Tx, o *Order) error {
	if o.CouponHeld == "" {
		return nil
	}
	held := o.CouponHeld
	o.CouponHeld = ""
	return coupon.Unlock(ctx, tx, o.Customer, held, o.ID)
}

// Mark is a place in the list of overdue orders.
type Mark struct {
	Deadline time.Time
	ID       string
}

// Overdue lists unpaid orders of all customers whose deadline has come by a business instant, by deadline, at most n
// after a mark.
func Overdue(ctx context.Context, r db.Reader, by time.Time, after Mark, n int) ([]Order, error) {
	return overdue(ctx, r, by, after, n)
}

// FirstOverdue finds the unpaid order of a customer whose deadline came first, by a business instant; false: there is none.
func FirstOverdue(ctx context.Context, r db.Reader, customer string, by time.Time) (Mark, bool, error) {
	m, err := firstOverdue(ctx, r, customer, by)
	if errors.Is(err, db.ErrNoRows) {
		return m, false, nil
	}
	return m, err == nil, err
}

// Lapse cancels an order whose deadline has come; one that was paid or cancelled meanwhile is left alone.
func (d *Desk) Lapse(ctx context.Context, tx *db.Tx, customer, id string) (lapsed bool, err error) {
	o, err := Find(ctx, tx, customer, id)
	if err != nil || o.Status != Unpaid || tx.Now.Before(o.Deadline) {
		return false, err
	}
	return true, d.cancel(ctx, tx, &o, "not paid in time")
}

// Confirm turns an order that was placed on the customer's behalf into one that can be paid.
func (d *Desk) Confirm(ctx context.Context, tx *db.Tx, customer, id string) (Order, error) {
	return d.open(ctx, tx, customer, id, Confirming)
}

// Approve lets an order that waits for approval be paid; its life begins anew. An unsubscription is refunded.
func (d *Desk) Approve(ctx context.Context, tx *db.Tx, customer, id string) (Order, error) {
	o, err := Find(ctx, tx, customer, id)
	if err != nil {
		return o, err
	}
	if o.Type == Unsubscribe {
		return o, d.approveRefund(ctx, tx, &o)
	}
	return d.open(ctx, tx, customer, id, Approving)
}

func (d *Desk) open(ctx context.Context, tx *db.Tx, customer, id string, from Status) (Order, error) {
	o, err := Find(ctx, tx, customer, id)
	if err != nil {
		return o, err
	}
	if o.Status != from {
		return o, fault.New(fault.Conflict, "PURSER.0801", "order %s is in status %d, not %d", o.ID, o.Status, from)
	}
	o.Deadline = tx.Now.Add(d.Rules.Life)
	return o, move(ctx, tx, &o, Unpaid)
}

// Refuse ends an order that waits for approval; the resources of an unsubscription stay.
func (d *Desk) Refuse(ctx context.Context, tx *db.Tx, customer, id, reason string) (Order, error) {
	o, err := Find(ctx, tx, customer, id)
	if err != nil {
		return o, err
	}
	if o.Status != Approving {
		return o, fault.New(fault.Conflict, "PURSER.0801", "order %s is in status %d, not %d", o.ID, o.Status, Approving)
	}
	if o.Type == Unsubscribe {
		if err := vacate(ctx, tx, &o); err != nil {
			return o, err
		}
	}
	if err := d.letGo(ctx, tx, &o); err != nil {
		return o, err
	}
	o.Reason = reason
	return o, move(ctx, tx, &o, Cancelled)
}
