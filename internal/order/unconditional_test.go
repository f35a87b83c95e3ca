package order_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

// fiveDays is a shop in which a new resource goes back in full within five days, so often in a year.
func fiveDays(t *testing.T, d *db.DB, each int) *shop {
	s := open(t, d)
	s.desk.Rules.FreeDays, s.desk.Rules.FreeEach = 5, each
	s.topUp("c", 10_000*dollar)
	return s
}

// ended unsubscribes the first resource of an order at an instant.
func (s *shop) ended(id string, at time.Time) order.Order {
	s.Helper()
	s.at = at
	back, err := s.end(s.resources(id)[0].ID)
	if err != nil {
		s.Fatal(err)
	}
	return back
}

// Within five days to the second all comes back: money, coupon, tax, and a renewal that has not begun; a server and its disk
// are one. A second later, and where the rule is off, it is the ordinary refund.
func TestNewResourceGoesBackInFull(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := fiveDays(t, d, 2)
		s.do(func(ctx context.Context, tx *db.Tx) error {
			return tax.Set(ctx, tx, &tax.Rate{Country: "SG", Rate: ratio("0.09")})
		})
		c := s.issue(coupon.Coupon{Face: 3 * dollar})
		before := s.held("c").Cash
		o, list := s.bought(order.Means{Coupon: c.ID}, server(1, 1, 100))
		owner := s.customer("c")
		var renewal order.Order
		s.do(func(ctx context.Context, tx *db.Tx) (err error) {
			renewal, err = s.desk.Renew(ctx, tx, &owner, list[0].ID, period.Month, 1, order.ByCustomer, "alice")
			return err
		})
		if _, err := s.pay(renewal.ID, order.Means{}); err != nil {
			t.Fatal(err)
		}
		last := now.Add(5*24*time.Hour - time.Second)
		back := s.ended(o.ID, last)
		if !back.Unconditional || back.Fee != 0 || back.Consumed != 0 || back.Paid.Coupon != 3*dollar || back.Amount != o.Amount+renewal.Amount || s.held("c").Cash != before {
			t.Errorf("%+v, %s of %s left", back, s.held("c").Cash, before)
		}
		if kept := s.find(back.ID); kept != back {
			t.Errorf("kept %+v\nsaid %+v", kept, back)
		}
		s.do(func(ctx context.Context, tx *db.Tx) error {
			again, err := coupon.Find(ctx, tx, "c", c.ID)
			if again.Balance != 3*dollar {
				t.Errorf("coupon %+v", again)
			}
			return err
		})
		s.at = now
		late, _ := s.bought(order.Means{}, server(1, 1, 0))
		if back := s.ended(late.ID, last.Add(time.Second)); back.Unconditional || back.Fee == 0 || back.Consumed == 0 {
			t.Errorf("a second late: %+v", back)
		}
		s.desk.Rules.FreeDays = 0
		s.at = now
		off, _ := s.bought(order.Means{}, server(1, 1, 0))
		if back := s.ended(off.ID, now.Add(time.Hour)); back.Unconditional || back.Fee == 0 {
			t.Errorf("switched off: %+v", back)
		}
		s.sound()
	})
}

// Each calendar year of GMT+8 has its own; what has not begun and what was changed take none.
func TestUnconditionalOnesOfAYear(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := fiveDays(t, d, 1)
		s.at = time.Date(2026, 12, 31, 10, 0, 0, 0, time.UTC)
		buy := func(disk int64) string { o, _ := s.bought(order.Means{}, server(1, 1, disk)); return o.ID }
		first, second, third, grown := buy(0), buy(0), buy(0), buy(100)
		ahead := s.draft(order.Draft{Items: []order.Item{server(1, 1, 0)}, Effective: s.at.AddDate(0, 0, 9)})
		if _, err := s.pay(ahead.ID, order.Means{}); err != nil {
			t.Fatal(err)
		}
		if up, err := s.modify(s.resources(grown)[1].ID, "", 200); err != nil {
			t.Fatal(err)
		} else if _, err := s.pay(up.ID, order.Means{}); err != nil {
			t.Fatal(err)
		}
		year := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC) // midnight of GMT+8
		if back := s.ended(ahead.ID, year.Add(-3*time.Hour)); back.Unconditional || back.Amount != ahead.Amount || back.Fee != 0 {
			t.Errorf("not begun: %+v", back)
		}
		if back := s.ended(grown, year.Add(-2*time.Hour)); back.Unconditional || back.Fee == 0 {
			t.Errorf("changed: %+v", back)
		}
		for _, k := range []struct {
			id   string
			at   time.Time
			want bool
		}{{first, year.Add(-time.Minute), true}, {second, year.Add(-time.Second), false}, {third, year, true}} {
			if back := s.ended(k.id, k.at); back.Unconditional != k.want || (back.Fee == 0) != k.want {
				t.Errorf("at %s: %+v", k.at, back)
			}
		}
		s.sound()
	})
}

// A large one waits for approval and is then that of the instant it was asked for; refused, it can be asked for again.
func TestLargeUnconditionalOne(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		s := fiveDays(t, d, 1)
		s.desk.Rules.ReviewRefunds = dollar
		before := s.held("c").Cash
		o, _ := s.bought(order.Means{}, server(1, 1, 0))
		asked := s.ended(o.ID, now.AddDate(0, 0, 1))
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, err := s.desk.Refuse(ctx, tx, "c", asked.ID, "no")
			return err
		})
		asked = s.ended(o.ID, now.AddDate(0, 0, 2))
		if asked.Status != order.Approving || !asked.Unconditional {
			t.Fatalf("%+v", asked)
		}
		s.at = now.AddDate(0, 0, 12)
		s.do(func(ctx context.Context, tx *db.Tx) error {
			_, err := s.desk.Approve(ctx, tx, "c", asked.ID)
			return err
		})
		if got := s.held("c").Cash; got != before || s.resources(o.ID)[0].Status != subscription.Closed {
			t.Errorf("%s of %s", got, before)
		}
		s.sound()
	})
}

// Many at once never take more of them than the year has.
func TestUnconditionalOnesAtOnce(t *testing.T) {
	stocked.Each(t, func(t *testing.T, d *db.DB) {
		const all, each = 12, 5
		s := fiveDays(t, d, each)
		o, list := s.bought(order.Means{}, server(all, 1, 0))
		s.at = now.Add(time.Hour)
		owner := s.customer("c")
		free := make([]bool, all)
		var wg sync.WaitGroup
		for i := range list {
			wg.Go(func() {
				if err := s.try(func(ctx context.Context, tx *db.Tx) error {
					back, err := s.desk.End(ctx, tx, &owner, list[i].ID, "alice", "")
					free[i] = back.Unconditional
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		taken := 0
		for _, yes := range free {
			if yes {
				taken++
			}
		}
		if taken != each {
			t.Errorf("%d of %s went back in full, want %d", taken, o.ID, each)
		}
		s.sound()
	})
}
