package operation

import (
	"context"
	"errors"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// Due is something that is to happen because its time has come.
type Due struct {
	Customer string
	At       time.Time // business instant at which it happens
	Order    string    // an unpaid order whose deadline it is
	Instance string    // or a resource that renews, expires, is frozen or released

	Bucket  *usage.Due          // or a bucket of usage that is settled
	still   bool                // no self-metered resource runs in it or later, as is known in the transaction
	Arrears *settlement.Arrears // or a date of a customer that owes
	Month   *charge.Waiting     // or a month that is closed
}

// Place is how far a walk over everything due has come.
type Place struct {
	orders    order.Mark
	resources subscription.Mark
	usage     usage.Mark
	early     usage.Mark
	arrears   settlement.Mark
	months    charge.Waiting
}

// duesAtOnce is how many due things are looked up together.
const duesAtOnce = 500

// Visit is a customer for whom something is due.
type Visit struct {
	Customer string
	only     *Due // a bucket of usage, and nothing else, as far as was seen; nil: it is to be looked at
}

// DueCustomers lists customers for whom something is due at their own business instants, from a place on (the zero
// Place: from the beginning), with where to go on; done when there is nothing behind it. With nothing due it is two looks
// at indexes.
func (c *Counter) DueCustomers(ctx context.Context, real time.Time, from Place) (visits []Visit, next Place, done bool, err error) {
	err = c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) error {
		horizon, ahead, latest, err := c.horizon(ctx, v, real)
		if err != nil {
			return err
		}
		seen := map[string]int{} // where in visits
		if from == (Place{}) {   // what would be found for them behind everything that is not due for the others
			for _, customer := range ahead {
				_, found, err := c.firstIn(ctx, v, customer)
				if err != nil {
					return err
				}
				if found {
					seen[customer] = len(visits)
					visits = append(visits, Visit{Customer: customer})
				}
			}
		}
		orders, err := order.Overdue(ctx, v, horizon, from.orders, duesAtOnce)
		if err != nil {
			return err
		}
		resources, err := subscription.Due(ctx, v, horizon, from.resources, duesAtOnce)
		if err != nil {
			return err
		}
		next, done = from, len(orders) < duesAtOnce && len(resources) < duesAtOnce
		more, err := c.usageDues(ctx, v, horizon, latest, &next)
		if err != nil {
			return err
		}
		months, err := c.waiting(ctx, v, horizon, &next)
		if err != nil {
			return err
		}
		more = append(more, months...)
		done = done && len(more) == 0                                                   // a full or a last short page: the next look finds nothing behind it
		whole := from == (Place{}) && len(orders)+len(resources)+len(more) < duesAtOnce // these are all that is due
		add := func(due *Due) error {
			now, err := c.nowOf(ctx, v, due.Customer)
			if err != nil || now.Before(due.At) {
				return err
			}
			if i, there := seen[due.Customer]; there {
				visits[i].only = nil
				return nil
			}
			seen[due.Customer] = len(visits)
			visit := Visit{Customer: due.Customer}
			if whole && due.Bucket != nil && now.Equal(horizon) {
				visit.only = due
				if due.At.Before(due.Bucket.Noted) { // what came late is settled now
					due.At = now
				}
			}
			visits = append(visits, visit)
			return nil
		}
		for i := range orders {
			next.orders = order.Mark{Deadline: orders[i].Deadline, ID: orders[i].ID}
			if err := add(&Due{Customer: orders[i].Customer, At: orders[i].Deadline}); err != nil {
				return err
			}
		}
		for i := range resources {
			next.resources = subscription.Mark{At: resources[i].Next, Customer: resources[i].Customer, Instance: resources[i].Instance}
			if err := add(&Due{Customer: resources[i].Customer, At: resources[i].Next}); err != nil {
				return err
			}
		}
		for i := range more {
			if err := add(&more[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return visits, next, done, err
}

// horizon is the business instant of the house, which is everybody's without a clock of its own; the customers whose own clock
// is ahead of it; and the latest business instant of anybody.
func (c *Counter) horizon(ctx context.Context, r db.Reader, real time.Time) (house time.Time, ahead []string, latest time.Time, err error) {
	if c.Clocks == nil {
		return real, nil, real, nil
	}
	house, latest = real, real
	list, err := c.Clocks.All(ctx, r)
	for _, b := range list {
		if b.At.After(latest) {
			latest = b.At
		}
		switch {
		case b.Scope == clock.House && b.At.After(house):
			house = b.At
		case b.Scope != clock.House && b.At.After(house):
			ahead = append(ahead, b.Scope)
		}
	}
	return house, ahead, latest, err
}

func (c *Counter) nowOf(ctx context.Context, r db.Reader, customer string) (time.Time, error) {
	if c.Clocks == nil {
		_, real := r.Instant()
		return real, nil
	}
	return c.Clocks.Now(ctx, r, customer)
}

// CatchUp lets everything happen to a customer that is due at its business instant, each thing at its own, in their order,
// and says how many there were.
func (c *Counter) CatchUp(ctx context.Context, real time.Time, customer string) (happened int, err error) {
	return c.CatchUpTelling(ctx, real, Visit{Customer: customer}, func(Happened) {})
}

// Happened is what a night shift let happen.
type Happened struct {
	Things int
	Closed map[period.Cycle]int // months that were closed
	Parked map[period.Cycle]int // months whose close failed
}

// Add adds what happened to other customers.
func (h *Happened) Add(o Happened) {
	h.Things += o.Things
	add := func(into *map[period.Cycle]int, from map[period.Cycle]int) {
		for cycle, n := range from {
			if *into == nil {
				*into = map[period.Cycle]int{}
			}
			(*into)[cycle] += n
		}
	}
	add(&h.Closed, o.Closed)
	add(&h.Parked, o.Parked)
}

// CatchUpTelling is CatchUp that tells on the way of each few what they were. Where a bucket is all that was seen to be due it is settled
// without looking first, nor behind it; what has come since then is the next round's.
func (c *Counter) CatchUpTelling(ctx context.Context, real time.Time, v Visit, tell func(Happened)) (happened int, err error) {
	var due Due
	found, only := true, v.only != nil
	if only {
		due = *v.only
	} else if due, found, err = c.first(ctx, real, v.Customer); err != nil {
		return 0, err
	}
	for err == nil && found && ctx.Err() == nil {
		var ran series
		if due.Bucket != nil {
			if ran, err = c.settleSeries(ctx, real, due, only); err != nil {
				return happened, err
			}
		}
		if only && ran.settled == 0 { // it is not as simple as that
			only = false
			due, found, err = c.first(ctx, real, v.Customer)
			continue
		}
		only = false
		var told Happened
		n := ran.settled
		switch {
		case due.Month != nil:
			closed, failed := c.closeMonth(ctx, real, &due)
			n, err = 1, failed
			if one := map[period.Cycle]int{due.Month.Cycle: 1}; closed {
				told.Closed = one
			} else {
				told.Parked = one
			}
		case n == 0:
			n, err = 1, c.happen(ctx, real, due)
		}
		if err != nil {
			return happened, err
		}
		happened += n
		told.Things = n
		tell(told)
		if due, found = ran.next, ran.found; !ran.looked {
			due, found, err = c.first(ctx, real, v.Customer)
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return happened, err
}

// usageDues lists from a place on what usage and debts make due by the house's horizon, and what usage lies too far ahead of the
// latest instant of anybody; it moves the place on.
func (c *Counter) usageDues(ctx context.Context, v *db.View, horizon, latest time.Time, at *Place) (out []Due, err error) {
	if c.Settling == nil {
		return nil, nil
	}
	buckets, err := usage.AllDue(ctx, v, horizon.Add(-c.Settling.Rules.Lateness), at.usage, duesAtOnce)
	if err != nil {
		return nil, err
	}
	for i := range buckets {
		b := &buckets[i]
		at.usage = usage.Mark{End: b.End, Customer: b.Customer, Unit: b.Unit}
		out = append(out, Due{Customer: b.Customer, At: b.End.Add(c.Settling.Rules.Lateness), Bucket: b})
	}
	arrears, err := settlement.ArrearsDue(ctx, v, horizon, at.arrears, duesAtOnce)
	if err != nil {
		return nil, err
	}
	for i := range arrears {
		at.arrears = settlement.Mark{At: arrears[i].Next, Customer: arrears[i].Customer, Kind: arrears[i].Kind}
		out = append(out, Due{Customer: arrears[i].Customer, At: arrears[i].Next})
	}
	// What lies too far ahead is looked at now, not then.
	if at.early.End.IsZero() {
		at.early.End = latest.Add(c.Settling.Rules.Ahead + 32*24*time.Hour) // a bucket is a month at most
	}
	early, err := usage.AllDue(ctx, v, farthest, at.early, duesAtOnce)
	for i := range early {
		b := &early[i]
		at.early = usage.Mark{End: b.End, Customer: b.Customer, Unit: b.Unit}
		out = append(out, Due{Customer: b.Customer})
	}
	return out, err
}

// farthest is beyond every usage record.
var farthest = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)

// first finds what is due first for a customer; of two at the same instant the order's lapse.
func (c *Counter) first(ctx context.Context, real time.Time, customer string) (due Due, found bool, err error) {
	err = c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) error {
		due, found, err = c.firstIn(ctx, v, customer)
		return err
	})
	return due, found, err
}

func (c *Counter) firstIn(ctx context.Context, r db.Reader, customer string) (due Due, found bool, err error) {
	now, err := c.nowOf(ctx, r, customer)
	if err != nil {
		return due, false, err
	}
	o, hasOrder, err := order.FirstOverdue(ctx, r, customer, now)
	if err != nil {
		return due, false, err
	}
	s, hasResource, err := subscription.First(ctx, r, customer, now)
	if err != nil {
		return due, false, err
	}
	switch {
	case hasOrder && (!hasResource || !s.At.Before(o.Deadline)):
		due, found = Due{Customer: customer, At: o.Deadline, Order: o.ID}, true
	case hasResource:
		due, found = Due{Customer: customer, At: s.At, Instance: s.Instance}, true
	}
	if err := c.firstMonth(ctx, r, customer, now, &due, &found); err != nil {
		return due, false, err
	}
	return due, found, c.firstOfUsage(ctx, r, customer, now, &due, &found)
}

// happen lets a due thing happen at its own instant. What has been overtaken does nothing. Ids that are minted on the way follow
// from what is due, so that the same thing done again has the same ids.
func (c *Counter) happen(ctx context.Context, real time.Time, due Due) error {
	switch {
	case due.Bucket != nil:
		return c.settleBucket(ctx, real, &due)
	case due.Arrears != nil:
		return c.stepArrears(ctx, real, &due)
	}
	desk := *c.Orders
	desk.Random = ident.Stream(due.Customer, due.Order, due.Instance, due.At.UTC().Format(time.RFC3339Nano))
	night := *c
	night.Orders, night.Random = &desk, desk.Random
	desk.Tell = night.TellOrder
	at := db.Instants{Now: due.At, Real: real, About: due.Customer}
	err := c.DB.Update(ctx, at, func(tx *db.Tx) error {
		desk.Random = ident.Stream(due.Customer, due.Order, due.Instance, due.At.UTC().Format(time.RFC3339Nano)) // a deed may be run again
		night.Random = desk.Random
		if due.Order != "" {
			lapsed, err := desk.Lapse(ctx, tx, due.Customer, due.Order)
			if err != nil || !lapsed {
				return err
			}
			o, err := order.Find(ctx, tx, due.Customer, due.Order)
			if err != nil {
				return err
			}
			l, err := c.systemLine(ctx, tx, due.Customer, "order", "lapseOrder", nil)
			if err != nil {
				return err
			}
			l.ResourceID, l.Enterprise = o.ID, o.Project
			return c.leave(ctx, tx, ident.Stream("trace", o.Customer, o.ID, "lapse"), l, false)
		}
		return night.live(ctx, tx, due)
	})
	var refused *notRenewedError
	if errors.As(err, &refused) {
		err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
			desk.Random = ident.Stream("refused", due.Customer, due.Instance, due.At.UTC().Format(time.RFC3339Nano))
			night.Random = desk.Random
			return night.putOff(ctx, tx, due, refused.why)
		})
	}
	c.told()
	return err
}

// notRenewedError takes back an automatic renewal that was refused.
type notRenewedError struct{ why *fault.Fault }

func (e *notRenewedError) Error() string { return "not renewed: " + e.why.Error() }

// live is what a resource does at its instant: renew by itself before it expires, else age. A renewal that is
// refused is a notRenewedError.
func (c *Counter) live(ctx context.Context, tx *db.Tx, due Due) error {
	r, err := subscription.Instance(ctx, tx, due.Customer, due.Instance)
	if err != nil || !r.Next.Equal(due.At) {
		return err
	}
	who, err := account.Find(ctx, tx, due.Customer)
	if err != nil {
		return err
	}
	if r.Status == subscription.InUse && r.Policy == subscription.AutoRenew && r.AutoLeft != 0 && tx.Now.Before(r.Expires) {
		payer, err := c.payer(ctx, tx, &who)
		if err != nil {
			return err
		}
		_, err = c.Orders.AutoRenew(ctx, tx, &who, payer, &r)
		if why, ok := fault.As(err); ok {
			return &notRenewedError{why}
		}
		if err != nil {
			return err
		}
		return c.systemTrace(ctx, tx, &r, "renewResource", nil)
	}
	event, err := c.Orders.Age(ctx, tx, &who, &r)
	if err != nil || event == "" {
		return err
	}
	if event == "converted" {
		if err := c.converted(ctx, tx, &r); err != nil {
			return err
		}
	}
	return c.systemTrace(ctx, tx, &r, eventNames[event], nil)
}

// eventNames are the names of traces of what happens to a resource (billing-rules 9).
var eventNames = map[string]string{"expired": "expireResource", "frozen": "freezeResource", "released": "deleteResource", "converted": "changeBillingMode"}

// putOff keeps that an automatic renewal was refused, and when it is tried again.
func (c *Counter) putOff(ctx context.Context, tx *db.Tx, due Due, refused *fault.Fault) error {
	r, err := subscription.Instance(ctx, tx, due.Customer, due.Instance)
	if err != nil || !r.Next.Equal(due.At) {
		return err
	}
	who, err := account.Find(ctx, tx, due.Customer)
	if err != nil {
		return err
	}
	if err := c.Orders.PutOff(ctx, tx, &who, &r, refused); err != nil {
		return err
	}
	return c.systemTrace(ctx, tx, &r, "renewResource", refused)
}

// systemTrace records what the house did to a resource by itself.
func (c *Counter) systemTrace(ctx context.Context, tx *db.Tx, r *subscription.Resource, name string, refused error) error {
	l, err := c.systemLine(ctx, tx, r.Customer, cloudResource, name, refused)
	if err != nil {
		return err
	}
	l.ResourceID, l.ResourceName, l.Enterprise = r.ID, r.Name, r.Project
	return c.leave(ctx, tx, ident.Stream("trace", r.Customer, r.Instance, name, tx.Now.UTC().Format(time.RFC3339Nano)), l, false)
}

// cloudResource is the type of resources in traces of the console and the system (sic, billing-rules 9).
const cloudResource = "cloudresouce"

// advancesAtOnce is how many advances of clocks are driven in one round.
const advancesAtOnce = closesAtOnce // one text of the statement: the engine plans it anew for each other limit

// Advances lists the turns of test clocks that the night shift has not driven yet.
func (c *Counter) Advances(ctx context.Context, real time.Time) (list []job.Work, err error) {
	err = c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) error {
		list, err = job.Unfinished(ctx, v, job.Advance, advancesAtOnce)
		return err
	})
	return list, err
}

// Driven adds to advances what happened on the way, and ends them when done: with what went wrong, if something did.
func (c *Counter) Driven(ctx context.Context, real time.Time, list []job.Work, happened int, done bool, wrong string) error {
	if len(list) == 0 || happened == 0 && !done {
		return nil
	}
	state := job.Done
	if wrong != "" {
		state = job.Failed
	}
	return c.DB.Update(ctx, db.Instants{Now: real, Real: real}, func(tx *db.Tx) error {
		for i := range list {
			if err := job.Advanced(ctx, tx, list[i].ID, happened); err != nil {
				return err
			}
			if !done {
				continue
			}
			if err := job.Finish(ctx, tx, list[i].ID, state, wrong); err != nil {
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
