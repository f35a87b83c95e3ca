package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// waiting lists from a place on the months that are to be closed, and moves the place on.
func (c *Counter) waiting(ctx context.Context, v *db.View, horizon time.Time, at *Place) (out []Due, err error) {
	if c.Bills == nil {
		return nil, nil
	}
	list, err := charge.AllWaiting(ctx, v, period.LastClosed(horizon), at.months, duesAtOnce)
	for i := range list {
		at.months = list[i]
		out = append(out, Due{Customer: list[i].Customer, At: list[i].Cycle.Closes()})
	}
	return out, err
}

// firstMonth looks whether a month is to be closed no later than what was found: what falls on the same instant comes after the
// close, such as the charge of who settles monthly.
func (c *Counter) firstMonth(ctx context.Context, r db.Reader, customer string, now time.Time, due *Due, found *bool) error {
	if c.Bills == nil {
		return nil
	}
	w, has, err := charge.FirstWaiting(ctx, r, customer, period.LastClosed(now))
	if at := w.Cycle.Closes(); err == nil && has && (!*found || !at.After(due.At)) {
		*due, *found = Due{Customer: customer, At: at, Month: &w}, true
	}
	return err
}

// closeMonth closes a customer's month, in transactions that are short each. One that fails is parked, and the rest go on.
func (c *Counter) closeMonth(ctx context.Context, real time.Time, due *Due) error {
	at := db.Instants{Now: due.At, Real: real, About: due.Customer}
	for done := false; !done; {
		err := c.DB.Update(ctx, at, func(tx *db.Tx) (err error) {
			done, err = c.closeSome(ctx, tx, due.Customer, due.Month.Cycle)
			return err
		})
		if err != nil && ctx.Err() == nil {
			why := err
			c.Log.Error("the close of a month failed and is parked", "customer", due.Customer, "cycle", due.Month.Cycle.String(), "error", why)
			done = true
			err = c.DB.Update(ctx, at, func(tx *db.Tx) error { return bill.Park(ctx, tx, due.Customer, due.Month.Cycle, why.Error()) })
		}
		if err != nil {
			return err
		}
	}
	c.told()
	return nil
}

// closeSome goes on with the close of a month; done when it is closed.
func (c *Counter) closeSome(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle) (done bool, err error) {
	who, err := account.Find(ctx, tx, customer)
	if err != nil {
		return false, err
	}
	rows, done, err := c.Bills.Close(ctx, tx, customer, cycle, func(rows []bill.Row) (charged bool, err error) {
		return c.beforeClose(ctx, tx, &who, cycle, rows)
	})
	if err != nil || !done || rows == nil {
		return done, err
	}
	return true, c.monthClosed(ctx, tx, &who, cycle, rows)
}

// beforeClose charges what belongs to a month and is known at its end only, in the transaction that then freezes the cycle: rows
// are what its summary comes to without it. Fee records of it are marked AtClose.
// Here tax on the month's usage is charged. charged says that something was.
func (c *Counter) beforeClose(ctx context.Context, tx *db.Tx, who *account.Customer, cycle period.Cycle, rows []bill.Row) (charged bool, err error) {
	return c.taxMonth(ctx, tx, who, cycle, rows)
}

// monthClosed does what belongs to the close of a customer's month, in the transaction that closes it: rows are all of its
// summary, what was cut off is booked, tx.Now is the instant of the close. Here invoices of the month are issued. It may be run
// again, as every deed; an error parks the month.
func (c *Counter) monthClosed(ctx context.Context, tx *db.Tx, who *account.Customer, cycle period.Cycle, rows []bill.Row) error {
	for _, payer := range bill.Payers(rows) {
		if err := c.settledDebt(ctx, tx, payer); err != nil { // what was owed may have been cut off
			return err
		}
	}
	return c.invoiceMonth(ctx, tx, who, cycle, rows)
}
