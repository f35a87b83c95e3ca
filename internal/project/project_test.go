package project_test

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
)

var now = time.Date(2026, 11, 30, 15, 59, 59, 0, time.UTC) // the last second of November, GMT+8

const dollar = money.Amount(100_000_000)

// A month of GMT+8 has its own count and its own alerts; shares are told once, the highest that was reached.
func TestMonthsOfABudget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		spend := func(at time.Time, amount money.Amount) (share int, spent money.Amount) {
			t.Helper()
			err := d.Update(ctx, dbtest.At(at), func(tx *db.Tx) error {
				alert, err := project.Spend(ctx, tx, "c", "p", period.CycleOf(at), amount)
				share = 0
				if alert != nil {
					share = alert.Share
				}
				if err != nil {
					return err
				}
				list, err := project.Spendings(ctx, tx, "c", period.CycleOf(at))
				spent = list[0].Spent
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return share, spent
		}
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			b := project.Budget{Customer: "c", Project: "p", Amount: 100 * dollar, Shares: []int{100, 50, 80, 50}}
			s, alert, err := project.SetBudget(ctx, tx, &b, 55*dollar)
			if err == nil && (alert == nil || alert.Share != 50 || s.Alerted != 50 || len(s.Shares) != 3) {
				t.Errorf("%+v, %+v", s, alert)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, k := range []struct {
			at           time.Time
			amount, want money.Amount
			share        int
		}{
			{now, 10 * dollar, 65 * dollar, 0},
			{now, 34*dollar + 99_999_999, 100*dollar - 1, 80},
			{now, 1, 100 * dollar, 100},
			{now, -50 * dollar, 50 * dollar, 0},
			{now, 60 * dollar, 110 * dollar, 0}, // told before
			{now.Add(time.Second), 85 * dollar, 85 * dollar, 80},
		} {
			if share, spent := spend(k.at, k.amount); share != k.share || spent != k.want {
				t.Errorf("step %d: share %d, spent %s; want %d, %s", i, share, spent, k.share, k.want)
			}
		}
	})
}

// Two who began from the same count: the second is refused and begins again.
func TestCountIsCompareAndSet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			b := project.Budget{Customer: "c", Project: "p", Quota: 100 * dollar}
			s, _, err := project.SetBudget(ctx, tx, &b, 0)
			if err != nil {
				return err
			}
			stale := s
			if _, err := s.Add(ctx, tx, dollar); err != nil {
				return err
			}
			if _, err := stale.Add(ctx, tx, dollar); !fault.Is(err, "CBC.99003651") {
				t.Errorf("from an old count: %v", err)
			}
			if _, err := project.Allow(ctx, tx, "c", "p", s.Cycle, 99*dollar); err != nil {
				t.Errorf("to the quota: %v", err)
			}
			if _, err := project.Allow(ctx, tx, "c", "p", s.Cycle, 99*dollar+1); !fault.Is(err, "CBC.99003155") {
				t.Errorf("above the quota: %v", err)
			}
			budgeted, err := project.Allow(ctx, tx, "c", "other", s.Cycle, 1_000_000*dollar)
			if budgeted {
				t.Error("a project without a budget is counted")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
