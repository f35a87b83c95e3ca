package operation

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// BatchesAtOnce is how many batches of usage are on their way in at a time; others wait a little.
const BatchesAtOnce = 16

// firstOfUsage looks whether usage or debts make something due before what was found.
func (c *Counter) firstOfUsage(ctx context.Context, v db.Reader, customer string, now time.Time, due *Due, found *bool) error {
	if c.Settling == nil {
		return nil
	}
	earlier := func(at time.Time) bool { return !*found || at.Before(due.At) }
	bucket, has, err := usage.FirstDue(ctx, v, customer, now.Add(-c.Settling.Rules.Lateness))
	if err == nil && !has {
		bucket, has, err = usage.LastDue(ctx, v, customer, now.Add(c.Settling.Rules.Ahead+32*24*time.Hour)) // too far ahead
	}
	if err != nil {
		return err
	}
	if has {
		at := bucket.End.Add(c.Settling.Rules.Lateness)
		if at.After(now) {
			at = now
		} else if late, err := c.Settling.Late(ctx, v, &bucket); err != nil {
			return err
		} else if late || at.Before(bucket.Noted) { // what came late is settled now
			at = now
		}
		if earlier(at) {
			*due, *found = Due{Customer: customer, At: at, Bucket: &bucket}, true
		}
	}
	arrears, has, err := settlement.FirstArrears(ctx, v, customer, now)
	if err == nil && has && earlier(arrears.Next) {
		*due, *found = Due{Customer: customer, At: arrears.Next, Arrears: &arrears}, true
	}
	return err
}

// A series is buckets of one customer that are settled in one transaction, each at its own instant, where there is little in
// each and nothing came late (a replay may reach far): what a customer's few resources use in a year is a hundred commits, not
// ten thousand.
const (
	seriesMost = 72  // buckets
	littleMost = 100 // records, and stretches of self-metered resources
)

// series is how a series of buckets ended.
type series struct {
	settled int  // buckets
	looked  bool // what is due then was looked at, in its transaction
	found   bool // there is something
	next    Due
}

// settleSeries settles the bucket that is due first and those behind it, until something else is due or there is much in
// one. None is settled when already the first has too much in it. only: nothing else was due, so that nothing is looked for unless
// something may follow from it by now: the next hour of what runs, the close of a month that had no charges, the charge of who settles
// monthly, a step of arrears.
func (c *Counter) settleSeries(ctx context.Context, real time.Time, first Due, only bool) (ran series, err error) {
	var learnt []usage.Learnt
	err = c.DB.Update(ctx, db.Instants{Now: first.At, Real: real, About: first.Customer}, func(tx *db.Tx) error {
		learnt, ran = nil, series{}
		var sit settlement.Sitting
		for due := first; ran.settled < seriesMost; due = ran.next {
			uses, small, still, err := usage.Peek(ctx, tx, due.Customer, due.Bucket.Bucket, littleMost)
			if err != nil || !small {
				return err
			}
			due.still = still
			state, err := c.Settling.StateOf(ctx, tx, due.Customer)
			if err != nil || state.Closed(due.Bucket) {
				return err
			}
			began, err := c.settleSmall(ctx, tx.At(due.At), &sit, &due, state, uses, &learnt)
			ran.settled++
			if err != nil || began {
				ran.looked = false
				return err
			}
			now, err := c.nowOf(ctx, tx, due.Customer)
			if err != nil {
				return err
			}
			if ran.looked = true; only && due.still && now.Before(period.CycleOf(due.Bucket.Start()).Closes()) {
				return nil
			}
			if ran.next, ran.found, err = c.firstIn(ctx, tx, due.Customer); err != nil {
				return err
			}
			if !ran.found || ran.next.Bucket == nil {
				return nil
			}
		}
		return nil
	})
	if err != nil || ran.settled == 0 {
		return series{}, err
	}
	for i := range learnt {
		c.Usage.Remember(&learnt[i])
	}
	c.told()
	return ran, nil
}

// settleSmall settles a bucket in the given transaction, where it was seen how far its customer is settled and what little is in it;
// began says that arrears began with it.
func (c *Counter) settleSmall(ctx context.Context, tx *db.Tx, sit *settlement.Sitting, due *Due, state settlement.State, uses []usage.Use, learnt *[]usage.Learnt) (began bool, err error) {
	seen := true // and nothing has changed since
	if due.Bucket.Unit == period.Hour && !due.still {
		records, _, _, err := usage.SelfRecords(ctx, tx, due.Customer, due.Bucket.Bucket, secondUnit, usage.RunMark{}, selfAtOnce)
		if err != nil {
			return false, err
		}
		if len(records) > 0 {
			shelf, err := c.Catalogue.At(ctx, tx)
			if err != nil {
				return false, err
			}
			out, more, err := c.Usage.Accept(ctx, tx, c.Random, shelf, records)
			if err != nil {
				return false, err
			}
			*learnt = append(*learnt, more)
			c.complain(due.Customer, records, out)
			seen = false
		}
	}
	for ; ; seen = false {
		now, there, err := usage.FindDue(ctx, tx, due.Customer, due.Bucket.Bucket)
		if err != nil || !there {
			return began, err
		}
		var plan *settlement.Plan
		if seen {
			plan, err = c.Settling.PlanFrom(ctx, tx, state, now, uses)
		} else {
			plan, err = c.Settling.Plan(ctx, tx, now)
		}
		if err != nil {
			return began, err
		}
		outcome, more, err := c.settlePart(ctx, tx, sit, due, plan)
		began = began || more
		if err != nil || outcome.Done && !plan.Again() {
			return began, err
		}
	}
}

// settleBucket settles a bucket of a customer in transactions that are short each.
func (c *Counter) settleBucket(ctx context.Context, real time.Time, due *Due) error {
	at := db.Instants{Now: due.At, Real: real, About: due.Customer}
	if due.Bucket.Unit == period.Hour {
		if err := c.meterSelf(ctx, at, due); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		plan, err := c.planBucket(ctx, at, due)
		if err != nil || plan == nil {
			return err
		}
		done := false
		for err == nil && !done {
			done, err = c.settleSome(ctx, at, due, plan)
		}
		if !errors.Is(err, settlement.ErrStale) {
			return err
		}
	}
	return ctx.Err()
}

// planBucket reads what is to be settled; nil when it is off the agenda meanwhile.
func (c *Counter) planBucket(ctx context.Context, at db.Instants, due *Due) (plan *settlement.Plan, err error) {
	err = c.DB.View(ctx, at, func(v *db.View) error {
		now, there, err := usage.FindDue(ctx, v, due.Customer, due.Bucket.Bucket)
		if err != nil || !there {
			return err
		}
		plan, err = c.Settling.Plan(ctx, v, now)
		return err
	})
	return plan, err
}

func (c *Counter) settleSome(ctx context.Context, at db.Instants, due *Due, plan *settlement.Plan) (done bool, err error) {
	var outcome settlement.Outcome
	err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
		outcome, _, err = c.settlePart(ctx, tx, new(settlement.Sitting), due, plan)
		return err
	})
	if err == nil {
		plan.Settled(&outcome)
		c.told()
	}
	return outcome.Done, err
}

// settlePart settles the next lines of a plan, with all that follows from it.
func (c *Counter) settlePart(ctx context.Context, tx *db.Tx, sit *settlement.Sitting, due *Due, plan *settlement.Plan) (outcome settlement.Outcome, began bool, err error) {
	if err := c.sit(ctx, tx, sit, due.Customer); err != nil {
		return outcome, false, err
	}
	if outcome, err = c.Settling.Settle(ctx, tx, sit, plan); err != nil {
		return outcome, false, err
	}
	if outcome.Owed > 0 {
		if began, err = c.owed(ctx, tx, sit.Payer); err != nil {
			return outcome, began, err
		}
	}
	if !outcome.Done {
		return outcome, began, nil
	}
	if err := c.goOn(ctx, tx, due); err != nil {
		return outcome, began, err
	}
	return outcome, began, c.alert(ctx, tx, sit.Payer)
}

// sit says in a sitting who it is about, and who pays at the transaction's instant.
func (c *Counter) sit(ctx context.Context, tx *db.Tx, sit *settlement.Sitting, customer string) error {
	if sit.Who == nil {
		who, err := account.Find(ctx, tx, customer)
		if err != nil {
			return err
		}
		sit.Who = &who
	}
	payer, err := account.PayerOf(ctx, tx, customer)
	if err != nil || sit.Payer != nil && sit.Payer.ID == payer {
		return err
	}
	if payer == customer {
		sit.Pays(sit.Who)
		return nil
	}
	master, err := account.Find(ctx, tx, payer)
	if err == nil {
		sit.Pays(&master)
	}
	return err
}

// complain logs what of the house's own records was not taken.
func (c *Counter) complain(customer string, records []usage.Record, out []usage.Outcome) {
	for i := range out {
		if out[i].Why != nil && out[i].Verdict != usage.Duplicate {
			c.Log.Error("a self-metered record was not taken", "customer", customer, "resource", records[i].Resource, "error", out[i].Why)
		}
	}
}

// How many segments' keys are forgotten in one transaction, and how many such there are in a round.
const (
	forgetAtATime = 5
	forgetTimes   = 100
)

// ForgetUsage forgets keys of records that are older than they are remembered, a few at a time.
func (c *Counter) ForgetUsage(ctx context.Context, real time.Time) error {
	if c.Settling == nil {
		return nil
	}
	before := real.AddDate(0, -c.Settling.Rules.Oldest, 0)
	old := false
	err := c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) (err error) { old, err = usage.HasOld(ctx, v, before); return err })
	if err != nil || !old {
		return err
	}
	for n := forgetTimes; n > 0 && old && err == nil && ctx.Err() == nil; n-- {
		err = c.DB.Update(ctx, db.Instants{Now: real, Real: real}, func(tx *db.Tx) error {
			done, err := usage.Forget(ctx, tx, before, forgetAtATime)
			old = done == forgetAtATime
			return err
		})
	}
	return err
}

// selfAtOnce is how many records of self-metered resources are written in one transaction.
const selfAtOnce = 1000

// meterSelf writes the records of a customer's self-metered resources for an hour; those that are there stay.
func (c *Counter) meterSelf(ctx context.Context, at db.Instants, due *Due) error {
	for after, more := (usage.RunMark{}), true; more; {
		var records []usage.Record
		err := c.DB.View(ctx, at, func(v *db.View) (err error) {
			records, after, more, err = usage.SelfRecords(ctx, v, due.Customer, due.Bucket.Bucket, secondUnit, after, selfAtOnce)
			return err
		})
		if err != nil {
			return err
		}
		if len(records) == 0 {
			continue
		}
		apart := at
		apart.Apart = true
		out, err := c.accept(ctx, apart, records)
		if err != nil {
			return err
		}
		c.complain(due.Customer, records, out)
	}
	return nil
}

// goOn puts the next hour of a customer whose self-metered resources run on the agenda.
func (c *Counter) goOn(ctx context.Context, tx *db.Tx, due *Due) error {
	if due.Bucket.Unit != period.Hour || due.still {
		return nil
	}
	runs, err := usage.RunsAfter(ctx, tx, due.Customer, due.Bucket.End)
	if err != nil || !runs {
		return err
	}
	return usage.Again(ctx, tx, due.Customer, usage.BucketOf(period.Hour, due.Bucket.End, due.Bucket.End))
}

// alert tells when a payer's balance, with its credit and coupons, is below what it set, once until it is above again.
func (c *Counter) alert(ctx context.Context, tx *db.Tx, payer *account.Customer) error {
	if payer.AlertBelow == 0 {
		return nil
	}
	held, err := ledger.Of(ctx, tx, payer.ID)
	if err != nil {
		return err
	}
	coupons, err := coupon.ForUsage(ctx, tx, payer.ID)
	if err != nil {
		return err
	}
	left := held.Cash + max(0, payer.CreditLimit-held.Credit)
	for i := range coupons {
		left += coupons[i].Balance
	}
	low := left < payer.AlertBelow
	if low == payer.Alerted {
		return nil
	}
	payer.Alerted = low
	if err := account.SetAlerted(ctx, tx, payer.ID, low); err != nil || !low {
		return err
	}
	return c.tellCustomer(ctx, tx, payer.ID, "balance.low", map[string]any{"available": left.Decimal().String(), "alert_below": payer.AlertBelow.Decimal().String()})
}

// stepArrears lets a date of a customer that owes come.
func (c *Counter) stepArrears(ctx context.Context, real time.Time, due *Due) error {
	err := c.DB.Update(ctx, db.Instants{Now: due.At, Real: real, About: due.Customer}, func(tx *db.Tx) error {
		a, found, err := settlement.FirstArrears(ctx, tx, due.Customer, due.At)
		if err != nil || !found || a.Kind != due.Arrears.Kind {
			return err
		}
		who, err := account.Find(ctx, tx, due.Customer)
		if err != nil {
			return err
		}
		if a.Kind == settlement.Statement {
			began, err := c.Settling.Collect(ctx, tx, &who, &a)
			if err != nil || !began {
				return err
			}
			return c.tellCustomer(ctx, tx, due.Customer, "arrears.began", map[string]any{})
		}
		if _, turn, ended, err := c.Settling.Clear(ctx, tx, due.Customer); err != nil || ended {
			return errors.Join(err, c.traceTurn(ctx, tx, turn))
		}
		turn, err := c.Settling.Step(ctx, tx, &who, &a)
		if err != nil {
			return err
		}
		if err := c.traceTurn(ctx, tx, turn); err != nil {
			return err
		}
		topic := map[settlement.Stage]string{settlement.Frozen: "arrears.frozen", settlement.Released: "arrears.released"}[a.Stage]
		return c.tellCustomer(ctx, tx, due.Customer, topic, map[string]any{})
	})
	c.told()
	return err
}

// converted starts a resource as a self-metered pay-per-use one, where its yearly/monthly term has ended, with what is
// attached to it. What has no price by duration goes on as a resource that the cloud meters.
func (c *Counter) converted(ctx context.Context, tx *db.Tx, r *subscription.Resource) error {
	shelf, err := c.Catalogue.At(ctx, tx)
	if err != nil {
		return err
	}
	all, err := subscription.WithAttached(ctx, tx, r)
	if err != nil {
		return err
	}
	for i := range all {
		s := &all[i]
		u := usage.Resource{
			Customer: s.Customer, ID: s.ID, Name: s.Name,
			Described: usage.Described{Service: s.Service, ResourceType: s.ResourceType, Spec: s.Spec, Region: s.Region, Project: s.Project, Size: s.Size},
		}
		for _, factor := range shelf.Factors(u.ResourceType) {
			if u.Factor = factor; strings.Contains(strings.ToLower(factor), "duration") && sellable(shelf, &u, tx.Now) == nil {
				break
			}
			u.Factor = ""
		}
		if err := usage.Register(ctx, tx, &u); err != nil {
			return err
		}
		if u.SelfMetered() {
			if _, err := usage.Start(ctx, tx, u.Customer, u.ID); err != nil {
				return err
			}
		}
	}
	if frozen, err := settlement.IsFrozen(ctx, tx, r.Customer); err != nil || !frozen {
		return err
	}
	return c.follow(ctx, tx, r.Customer)
}

// traceTurn leaves with each customer the trace of what arrears, or their end, did to its pay-per-use resources, to all of them at once.
func (c *Counter) traceTurn(ctx context.Context, tx *db.Tx, turn settlement.Turn) error {
	name := map[string]string{settlement.Freezes: "freezeResource", settlement.Thaws: "unfreezeResource", settlement.Releases: "deleteResource"}[turn.Event]
	for _, customer := range turn.Customers {
		l, err := c.systemLine(ctx, tx, customer, cloudResource, name, nil)
		if err != nil {
			return err
		}
		l.ResourceID, l.Message = customer, "pay-per-use resources of an account in arrears"
		if turn.Event == settlement.Thaws {
			l.Message = "pay-per-use resources of an account whose arrears have ended"
		}
		if err := c.leave(ctx, tx, ident.Stream("trace", customer, name, tx.Now.UTC().Format(time.RFC3339Nano)), l, false); err != nil {
			return err
		}
	}
	return nil
}
