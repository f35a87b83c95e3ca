package operation

import (
	"context"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/period"
)

// pushHour is when a day's export of bills begins, GMT+8: behind what happens at 03:00.
const pushHour = 4 * time.Hour

// PushPart is what a day's export writes for one customer: its months, and the call that reads them as its owner would.
type PushPart struct {
	Customer string
	Months   []period.Cycle
	Call     *Call
}

// PushDue takes over the day's export of bills, when it has not been made yet and no other node is at it.
func (c *Counter) PushDue(ctx context.Context, real time.Time) (p bill.Push, mine bool, err error) {
	day := period.DateOf(real.Add(-pushHour))
	at := pushing(real)
	over := false
	if err := c.DB.View(ctx, at, func(v *db.View) error { over, err = bill.Pushed(ctx, v, day); return err }); err != nil || over {
		return p, false, err
	}
	err = c.DB.Update(ctx, at, func(tx *db.Tx) error { p, mine, err = bill.LeasePush(ctx, tx, day); return err })
	return p, mine, err
}

func pushing(real time.Time) db.Instants {
	return db.Instants{Now: real, Real: real, About: "export of bills"}
}

// pushAtOnce is how many customers are looked through for one that has something to export.
const pushAtOnce = 200

// PushNext is the next customer of an export that has charges, or members, in one of its months; done when there is none.
func (c *Counter) PushNext(ctx context.Context, real time.Time, p *bill.Push) (part PushPart, done bool, err error) {
	err = c.DB.View(ctx, pushing(real), func(v *db.View) error {
		for after := p.Reached; ; {
			list, err := account.Behind(ctx, v, after, pushAtOnce)
			if err != nil {
				return err
			}
			for _, id := range list {
				after = id
				now, err := c.nowOf(ctx, v, id)
				if err != nil {
					return err
				}
				months, err := pushMonths(ctx, v, id, p, period.CycleOf(now))
				if err != nil {
					return err
				}
				if len(months) > 0 {
					part = PushPart{Customer: id, Months: months, Call: &Call{
						Operation: &contract.Operation{ID: "DailyExport"}, Caller: identity.Caller{DomainID: id, DomainKind: identity.Customer, UserName: "daily export", Owner: true},
						Source: "local", Real: real, Now: now, RequestID: "local", Least: real,
					}}
					return nil
				}
			}
			if len(list) < pushAtOnce {
				done = true
				return nil
			}
		}
	})
	return part, done, err
}

func pushMonths(ctx context.Context, r db.Reader, customer string, p *bill.Push, running period.Cycle) (out []period.Cycle, err error) {
	from, to := p.Months(running)
	who := []string{customer}
	_, members, err := account.Members(ctx, r, customer, 0, membersTo)
	if err != nil {
		return nil, err
	}
	for i := range members {
		who = append(who, members[i].Member)
	}
	for _, id := range who {
		list, err := charge.Cycles(ctx, r, id)
		if err != nil {
			return nil, err
		}
		for _, cycle := range list {
			if cycle >= from && cycle <= to && !slices.Contains(out, cycle) {
				out = append(out, cycle)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// PushKept keeps how far an export is; false: this node was silent for so long that another has taken over.
func (c *Counter) PushKept(ctx context.Context, real time.Time, p *bill.Push) (mine bool, err error) {
	var kept bill.Push
	err = c.DB.Update(ctx, pushing(real), func(tx *db.Tx) error {
		kept = *p // a transaction may be run again
		mine, err = bill.KeepPush(ctx, tx, &kept)
		return err
	})
	if err == nil {
		*p = kept
	}
	return mine, err
}

// PushOver ends a day's export.
func (c *Counter) PushOver(ctx context.Context, real time.Time, p *bill.Push) error {
	return c.DB.Update(ctx, pushing(real), func(tx *db.Tx) error { return bill.EndPush(ctx, tx, p) })
}
