package operation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/job"
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

// closeMonth closes a customer's month, in transactions that are short each. One that fails is parked, and the rest go on;
// closed says which.
func (c *Counter) closeMonth(ctx context.Context, real time.Time, due *Due) (closed bool, err error) {
	at := db.Instants{Now: due.At, Real: real, About: due.Customer}
	for done := false; !done; {
		err := c.DB.Update(ctx, at, func(tx *db.Tx) (err error) {
			done, err = c.closeSome(ctx, tx, due.Customer, due.Month.Cycle)
			return err
		})
		if err != nil && ctx.Err() == nil {
			c.Log.Error("the close of a month failed and is parked", "customer", due.Customer, "cycle", due.Month.Cycle.String(), "error", err)
			return false, c.parkMonth(ctx, at, due, err) // where the store itself has failed, this does too: the next round tries again
		}
		if err != nil {
			return false, err
		}
	}
	c.told()
	return true, nil
}

func (c *Counter) parkMonth(ctx context.Context, at db.Instants, due *Due, why error) error {
	text := why.Error()
	if f, ok := fault.As(why); ok {
		text = f.Code + " " + f.Message
	}
	return c.DB.Update(ctx, at, func(tx *db.Tx) error { return bill.Park(ctx, tx, due.Customer, due.Month.Cycle, text) })
}

// Closes keeps how far the close of each month is that went on (job), with who still waits; at the end of a round the jobs end.
func (c *Counter) Closes(ctx context.Context, real time.Time, happened *Happened, done bool) error {
	at := db.Instants{Now: real, Real: real}
	running := false
	if done && c.Bills != nil {
		if err := c.DB.View(ctx, at, func(v *db.View) error {
			list, err := job.Unfinished(ctx, v, job.Close, closesAtOnce)
			running = len(list) > 0
			return err
		}); err != nil {
			return err
		}
	}
	if len(happened.Closed)+len(happened.Parked) == 0 && !running {
		return nil
	}
	return c.DB.Update(ctx, at, func(tx *db.Tx) error {
		list, err := job.Unfinished(ctx, tx, job.Close, closesAtOnce)
		if err != nil {
			return err
		}
		more := map[period.Cycle]int{}
		maps.Copy(more, happened.Closed)
		for cycle := range happened.Parked {
			more[cycle] += 0
		}
		for i := range list {
			cycle := period.LastClosed(list[i].Target)
			if _, ok := more[cycle]; !ok && !done {
				continue
			}
			if err := keepClose(ctx, tx, &list[i], more[cycle], done); err != nil {
				return err
			}
			delete(more, cycle)
		}
		for _, cycle := range slices.Sorted(maps.Keys(more)) {
			w := job.Work{Kind: job.Close, Target: cycle.Closes()}
			if err := job.Open(ctx, tx, c.Random, &w); err != nil {
				return err
			}
			if err := keepClose(ctx, tx, &w, more[cycle], done); err != nil {
				return err
			}
		}
		return nil
	})
}

// closesAtOnce is how many months' closes are under way at a time: test clocks may stand years apart.
const closesAtOnce = 1000

func keepClose(ctx context.Context, tx *db.Tx, w *job.Work, more int, done bool) error {
	cycle := period.LastClosed(w.Target)
	waiting, err := charge.CountWaiting(ctx, tx, cycle)
	if err != nil {
		return err
	}
	parked, err := bill.CountParked(ctx, tx, cycle)
	if err != nil {
		return err
	}
	if err := job.Advanced(ctx, tx, w.ID, more); err != nil {
		return err
	}
	message := fmt.Sprintf("%s: %d customers wait", cycle, waiting)
	if parked > 0 {
		message = fmt.Sprintf("%s: %d customers wait, %d are parked (purser close list)", cycle, waiting, parked)
	}
	if done {
		return job.Finish(ctx, tx, w.ID, job.Done, message)
	}
	return job.Told(ctx, tx, w.ID, message)
}

// ParkedMonths pages through the months whose close failed, the first first. The operator's.
func (c *Counter) ParkedMonths(ctx context.Context, call *Call, offset, limit int) (total int, page []bill.Closing, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		total, page, err = bill.ParkedOnes(ctx, v, offset, limit)
		return err
	})
	return total, page, err
}

// monthsShown is how many months of closes are shown, the first of them as long ago.
const monthsShown = 12

// CloseProgress says how far the close of each of the last months is. The operator's.
func (c *Counter) CloseProgress(ctx context.Context, call *Call) (list []bill.Progress, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		last := period.LastClosed(v.Now)
		list, err = bill.Progresses(ctx, v, last.Add(1-monthsShown), last, monthsShown)
		return err
	})
	return list, err
}

// RetryMonth lets the close of a parked month be tried again, at once where a night shift runs. The operator's.
func (c *Counter) RetryMonth(ctx context.Context, call *Call, customer string, cycle period.Cycle) error {
	call.Of(customer)
	call.About(customer, cycle.String())
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, bill.Retry(ctx, tx, customer, cycle)
	})
	if err == nil && c.Turned != nil {
		c.Turned()
	}
	return err
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
