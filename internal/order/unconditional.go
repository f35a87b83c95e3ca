package order

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

// FreeDaysMost bounds Rules.FreeDays: a month is never shorter, so that no renewal has begun by then.
const FreeDaysMost = 28

// unconditional says whether a primary resource, the first, with what is attached to it is new enough to go back in full
// (billing-rules 2.8, five-day rule): it has begun, some days of 24 hours ago at most, nothing of it was changed, and the
// customer has one left of the calendar year (GMT+8). What has not begun goes back in full anyhow and takes none.
//
// The year's are counted in the transaction that takes one, so that many at once never take more than there are.
func (d *Desk) unconditional(ctx context.Context, from db.Reader, all []subscription.Resource) (bool, error) {
	primary := &all[0]
	now, _ := from.Instant()
	until := primary.Effective.Add(time.Duration(d.Rules.FreeDays) * 24 * time.Hour)
	if primary.Status != subscription.InUse || primary.Effective.After(now) || !now.Before(until) {
		return false, nil
	}
	for i := range all {
		if touched, err := changed(ctx, from, all[i].Customer, all[i].Instance); err != nil || touched {
			return false, err
		}
	}
	year, _ := period.Window(now, period.Year)
	taken, err := unconditionals(ctx, from, primary.Customer, year)
	return taken < d.Rules.FreeEach, err
}
