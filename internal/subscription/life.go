package subscription

import (
	"context"
	"errors"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/period"
)

// Life is what a customer's resources live by (billing-rules 2.2, 2.6).
type Life struct {
	Grace     int // days after expiry in which a resource is usable
	Retention int // days after grace in which it is frozen
	Ahead     int // days before expiry at which automatic renewal begins, 2 to 7
	Day       int // unified renewal day: 1 to 28, -1 the last of the month; 0: none
}

// shiftHour is the hour of GMT+8 at which automatic renewals are tried.
const shiftHour = 3

// next is when the night shift is next due for a resource, after an instant: the next automatic renewal before expiry,
// expiry itself, the end of grace, the end of retention. Attached resources follow their primary.
func (l Life) next(r *Resource, after time.Time) time.Time {
	if r.Parent != "" {
		return time.Time{}
	}
	switch r.Status {
	case InUse:
		if r.Policy == AutoRenew && r.AutoLeft != 0 {
			if at := l.attempt(r.Expires, after); at.Before(r.Expires) {
				return at
			}
		}
		return r.Expires
	case Expired:
		return r.Expires.AddDate(0, 0, l.Grace)
	case Frozen:
		return r.Expires.AddDate(0, 0, l.Grace+l.Retention)
	}
	return time.Time{}
}

// attempt is the first 03:00 GMT+8 after an instant that is at most Ahead days before the day of expiry.
func (l Life) attempt(expires, after time.Time) time.Time {
	y, m, d := expires.Add(-time.Second).In(period.GMT8).Date() // the last day
	first := time.Date(y, m, d-l.Ahead, shiftHour, 0, 0, 0, period.GMT8)
	if after.Before(first) {
		return first.UTC()
	}
	y, m, d = after.In(period.GMT8).Date()
	at := time.Date(y, m, d, shiftHour, 0, 0, 0, period.GMT8)
	for !at.After(after) {
		at = at.AddDate(0, 0, 1)
	}
	return at.UTC()
}

// Mark is a place in the list of due resources.
type Mark struct {
	At                 time.Time
	Customer, Instance string
}

// Due lists resources of all customers whose next instant has come by a business instant, by it, at most n after a mark.
func Due(ctx context.Context, r db.Reader, by time.Time, after Mark, n int) ([]Resource, error) {
	return due(ctx, r, by, after, n)
}

// Instance finds a resource by the house's own id.
func Instance(ctx context.Context, r db.Reader, customer, instance string) (Resource, error) {
	out, err := byInstance(ctx, r, customer, instance)
	if errors.Is(err, db.ErrNoRows) {
		return out, fault.New(fault.Invalid, "CBC.99003012", "the customer has no resource instance %s", instance)
	}
	return out, err
}

// InMonths puts a resource's periods into months, which renewals of both kinds add to; false for terms that have none.
func (r *Resource) InMonths() bool {
	months, ok := period.Months(r.Unit, r.Periods)
	if ok {
		r.Unit, r.Periods = period.Month, months
	}
	return ok
}

// Ahead is where a renewal of a resource by n months or years would end; it stacks on the expiry, whatever day it is. With a
// unified day (1 to 28, -1 the last of the month; 0: none) it goes on to that day, and extra is by how many days.
func (r *Resource) Ahead(unit period.Unit, n, day int) (span period.Span, extra int64, ok bool) {
	after := *r
	months, ok := period.Months(unit, n)
	if !ok || !after.InMonths() {
		return period.Span{}, 0, false
	}
	end := period.End(r.Anchor, period.Month, after.Periods+months)
	span = period.Span{Start: r.Expires, End: end}
	if day != 0 {
		span.End = period.UnifiedEnd(end, day)
		extra = period.DaysBetween(end, span.End)
	}
	return span, extra, true
}

// anchorAt moves the anchor so that the resource's periods end at an end, where they would not or where the end is the last
// of the month by the unified day (-1): that is counted from a day 31, so that it stays the last.
func (r *Resource) anchorAt(end time.Time, day int) {
	y, m, d := end.Add(-time.Second).In(period.GMT8).Date()
	natural := period.End(r.Anchor, period.Month, r.Periods).Equal(end)
	if day == period.LastDay && d == period.DaysIn(y, m) {
		d = 31
		natural = natural && r.Anchor.In(period.GMT8).Day() == d
	}
	if natural {
		return
	}
	for ; ; r.Periods++ {
		at := time.Date(y, m-time.Month(r.Periods), 1, 0, 0, 0, 0, period.GMT8)
		if period.DaysIn(at.Year(), at.Month()) >= d {
			r.Anchor = time.Date(at.Year(), at.Month(), d, 0, 0, 0, 0, period.GMT8).UTC()
			return
		}
	}
}

// Renew adds a paid term with its span: the resource lasts longer, and is in use again when it had expired and the term
// reaches beyond now.
func Renew(ctx context.Context, tx *db.Tx, r *Resource, t *Term, life Life) error {
	months, ok := period.Months(t.Unit, t.Periods)
	if !ok || !r.InMonths() {
		return fault.New(fault.Invalid, "CBC.30010069", "resource %s is not renewed by that period", r.ID)
	}
	k, err := lastTerm(ctx, tx, r.Customer, r.Instance)
	if err != nil {
		return err
	}
	r.Periods += months
	r.anchorAt(t.Span.End, life.Day)
	t.Customer, t.Instance, t.K = r.Customer, r.Instance, k+1
	r.Expires, r.BusyWith, r.Updated = t.Span.End, "", tx.Now
	if r.Expires.After(tx.Now) {
		r.Status = InUse
	}
	r.Next = life.next(r, tx.Now)
	if err := insertTerm(ctx, tx, t); err != nil {
		return err
	}
	return update(ctx, tx, r)
}

// First finds the resource of a customer for which something is due first, by a business instant; false: nothing is due.
func First(ctx context.Context, r db.Reader, customer string, by time.Time) (Mark, bool, error) {
	out, err := first(ctx, r, customer, by)
	if errors.Is(err, db.ErrNoRows) {
		return out, false, nil
	}
	return out, err == nil, err
}

// Renewing lists a customer's primary resources that renew by themselves.
func Renewing(ctx context.Context, r db.Reader, customer string) ([]Resource, error) {
	return renewing(ctx, r, customer)
}

// Shorten takes the terms away that have not begun at an instant: the resource expires where the last begun one ends.
func Shorten(ctx context.Context, tx *db.Tx, r *Resource, order string, from time.Time, life Life) error {
	list, err := Terms(ctx, tx, r.Customer, r.Instance)
	if err != nil {
		return err
	}
	months, last := 0, time.Time{}
	for _, t := range list { // by number: a change cuts a term in two, and the second part comes behind renewals that were there
		if !t.Span.Start.After(from) {
			n, _ := period.Months(t.Unit, t.Periods)
			months += n
			if t.Span.End.After(last) {
				last = t.Span.End
			}
		}
	}
	if !last.IsZero() {
		r.Expires = last
	}
	r.Unit, r.Periods, r.BusyWith, r.Updated = period.Month, months, "", tx.Now
	r.anchorAt(r.Expires, life.Day)
	r.Next = life.next(r, tx.Now)
	if err := endTermsFrom(ctx, tx, r.Customer, r.Instance, order, from); err != nil {
		return err
	}
	return update(ctx, tx, r)
}

// SetPolicy changes what happens at expiry. Automatic renewal that is switched on when its last hour has gone by is tried at
// once (billing-rules 2.6).
func SetPolicy(ctx context.Context, tx *db.Tx, r *Resource, policy Policy, left int, unit period.Unit, life Life) error {
	r.Policy, r.AutoLeft, r.AutoUnit, r.Updated = policy, left, unit, tx.Now
	r.Next = life.next(r, tx.Now)
	if at := tx.Now.Add(time.Second); r.Parent == "" && policy == AutoRenew && left != 0 && r.Status == InUse && r.Next.Equal(r.Expires) && at.Before(r.Expires) {
		r.Next = at
	}
	return update(ctx, tx, r)
}

// Reschedule works out anew when the night shift is next due: the customer's settings have changed, or a try has failed.
func Reschedule(ctx context.Context, tx *db.Tx, r *Resource, life Life) error {
	r.Next = life.next(r, tx.Now)
	return update(ctx, tx, r)
}

// Age moves a resource on at the instant when that is due: in use → expired (or frozen, or closed, by its policy) →
// frozen → closed. It says what happened: expired, frozen, released, converted; nothing when it is not due.
func Age(ctx context.Context, tx *db.Tx, r *Resource, life Life) (event string, err error) {
	switch {
	case r.Status == InUse && !tx.Now.Before(r.Expires):
		switch r.Policy {
		case ToOnDemand:
			r.Status, event = Closed, "converted"
		case Delete:
			r.Status, event = Closed, "released"
		case Freeze:
			r.Status, event = Frozen, "frozen"
		default:
			r.Status, event = Expired, "expired"
		}
	case r.Status == Expired && !tx.Now.Before(r.Expires.AddDate(0, 0, life.Grace)):
		r.Status, event = Frozen, "frozen"
	case r.Status == Frozen && !tx.Now.Before(r.Expires.AddDate(0, 0, life.Grace+life.Retention)):
		r.Status, event = Closed, "released"
	default:
		return "", Reschedule(ctx, tx, r, life)
	}
	r.Updated = tx.Now
	r.Next = life.next(r, tx.Now)
	return event, update(ctx, tx, r)
}

// Follow puts an attached resource into its primary's state.
func Follow(ctx context.Context, tx *db.Tx, r, primary *Resource) error {
	r.Status, r.Updated, r.Next = primary.Status, tx.Now, time.Time{}
	return update(ctx, tx, r)
}
