package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/order"
)

// Due is something that is to happen because its time has come.
type Due struct {
	Customer string
	At       time.Time // business instant at which it happens
	Order    string    // an unpaid order whose deadline it is
}

// duesAtOnce is how many due things are looked up together.
const duesAtOnce = 200

// Dues lists what is due at the business instants of its customers, in the order in which it is to happen, from after
// a due thing on (the zero Due: from the beginning), with where to go on; done when there is nothing more.
func (c *Counter) Dues(ctx context.Context, real time.Time, after Due) (due []Due, next Due, done bool, err error) {
	err = c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) error {
		horizon, err := c.horizon(ctx, v, real)
		if err != nil {
			return err
		}
		list, err := order.Overdue(ctx, v, horizon, order.Mark{Deadline: after.At, ID: after.Order}, duesAtOnce)
		if err != nil {
			return err
		}
		done = len(list) < duesAtOnce
		for i := range list {
			next = Due{list[i].Customer, list[i].Deadline, list[i].ID}
			now, err := c.nowOf(ctx, v, list[i].Customer)
			if err != nil {
				return err
			}
			if !now.Before(list[i].Deadline) {
				due = append(due, next)
			}
		}
		return nil
	})
	return due, next, done, err
}

// horizon is the latest business instant of anybody.
func (c *Counter) horizon(ctx context.Context, r db.Reader, real time.Time) (time.Time, error) {
	if c.Clocks == nil {
		return real, nil
	}
	list, err := clock.List(ctx, r)
	for _, b := range list {
		if b.At.After(real) {
			real = b.At
		}
	}
	return real, err
}

func (c *Counter) nowOf(ctx context.Context, r db.Reader, customer string) (time.Time, error) {
	if c.Clocks == nil {
		_, real := r.Instant()
		return real, nil
	}
	return c.Clocks.Now(ctx, r, customer)
}

// Happen lets a due thing happen at its own instant. What has been overtaken (a payment, a cancellation) does nothing.
func (c *Counter) Happen(ctx context.Context, real time.Time, due Due) (happened bool, err error) {
	err = c.DB.Update(ctx, db.Instants{Now: due.At, Real: real, About: due.Customer}, func(tx *db.Tx) (err error) {
		happened, err = c.Orders.Lapse(ctx, tx, due.Customer, due.Order)
		return err
	})
	if happened {
		c.told()
	}
	return happened, err
}

// advancesAtOnce is how many advances of clocks are driven in one round.
const advancesAtOnce = 100

// Advances lists the turns of test clocks that the night shift has not driven yet.
func (c *Counter) Advances(ctx context.Context, real time.Time) (list []job.Work, err error) {
	err = c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) error {
		list, err = job.Unfinished(ctx, v, job.Advance, advancesAtOnce)
		return err
	})
	return list, err
}

// Driven ends advances, which had this many things happen on the way.
func (c *Counter) Driven(ctx context.Context, real time.Time, list []job.Work, happened int) error {
	if len(list) == 0 {
		return nil
	}
	return c.DB.Update(ctx, db.Instants{Now: real, Real: real}, func(tx *db.Tx) error {
		for i := range list {
			if err := job.Advanced(ctx, tx, list[i].ID, happened); err != nil {
				return err
			}
			if err := job.Finish(ctx, tx, list[i].ID, job.Done, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// Jobs pages through long work, the newest first. The operator's.
func (c *Counter) Jobs(ctx context.Context, call *Call, offset, limit int) (total int, page []job.Work, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		total, page, err = job.List(ctx, v, offset, limit)
		return err
	})
	return total, page, err
}

// Job finds a piece of long work. The operator's.
func (c *Counter) Job(ctx context.Context, call *Call, id string) (w job.Work, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		w, err = job.Find(ctx, v, id)
		return err
	})
	return w, err
}
