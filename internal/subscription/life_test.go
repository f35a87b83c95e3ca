package subscription

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/period"
)

// renewed is a resource after renewals, without a store: what Renew does to it.
func (r *Resource) renewed(t *testing.T, unit period.Unit, n, day int) period.Span {
	t.Helper()
	span, _, ok := r.Ahead(unit, n, day)
	if !ok {
		t.Fatalf("no renewal by %d %s", n, unit)
	}
	months, _ := period.Months(unit, n)
	r.InMonths()
	r.Periods += months
	r.anchorAt(span.End, day)
	r.Expires = span.End
	return span
}

func begun(at time.Time, unit period.Unit, n int) *Resource {
	return &Resource{Effective: at, Anchor: at, Unit: unit, Periods: n, Expires: period.End(at, unit, n), Status: InUse}
}

// For every start day over four years, and first terms and renewals of months and years: terms tile without gap or
// overlap, end at midnight of GMT+8 after the day that the purchase had (or the month's last), and k renewals of one
// month end where one of k months ends.
func TestRenewalsTile(t *testing.T) {
	for day := range 4*365 + 1 {
		at := time.Date(2026, 1, 1, 10, 30, 0, 0, period.GMT8).AddDate(0, 0, day)
		for _, first := range []struct {
			unit period.Unit
			n    int
		}{{period.Month, 1}, {period.Month, 5}, {period.Year, 1}} {
			step := begun(at, first.unit, first.n)
			end := step.Expires
			for k := 1; k <= 11; k++ {
				span := step.renewed(t, period.Month, 1, 0)
				if !span.Start.Equal(end) || !span.End.After(span.Start) {
					t.Fatalf("bought %s, renewal %d: %v does not begin at %s", at, k, span, end)
				}
				end = span.End
				last := end.Add(-time.Second).In(period.GMT8)
				if want := min(at.Day(), period.DaysIn(last.Year(), last.Month())); last.Day() != want || last.Hour() != 23 || last.Second() != 59 {
					t.Fatalf("bought %s, renewal %d ends %s, want day %d", at, k, last, want)
				}
				once := begun(at, first.unit, first.n)
				if whole := once.renewed(t, period.Month, k, 0); !whole.End.Equal(end) {
					t.Fatalf("bought %s: %d renewals of a month end %s, one of %d months %s", at, k, end, k, whole.End)
				}
			}
			years := begun(at, first.unit, first.n)
			a := years.renewed(t, period.Year, 1, 0)
			months := begun(at, first.unit, first.n)
			months.renewed(t, period.Month, 6, 0)
			if b := months.renewed(t, period.Month, 6, 0); !a.End.Equal(b.End) {
				t.Fatalf("bought %s: a year ends %s, twice six months %s", at, a.End, b.End)
			}
		}
	}
}

// With a unified day every renewal ends on that day, whatever the day of the purchase was, and later ones stay there.
func TestUnifiedDay(t *testing.T) {
	for day := range 366 {
		at := time.Date(2027, 3, 1, 12, 0, 0, 0, period.GMT8).AddDate(0, 0, day)
		for _, unified := range []int{1, 15, 28, -1} {
			r := begun(at, period.Month, 1)
			for k := range 14 {
				before := r.Expires
				span, extra, _ := r.Ahead(period.Month, 1, unified)
				r.renewed(t, period.Month, 1, unified)
				last := span.End.Add(-time.Second).In(period.GMT8)
				want := unified
				if unified == -1 {
					want = period.DaysIn(last.Year(), last.Month())
				}
				if last.Day() != want || !span.Start.Equal(before) || extra < 0 || extra > 31 || k > 0 && extra != 0 {
					t.Fatalf("bought %s, day %d, renewal %d: %v, %d extra days", at, unified, k, span, extra)
				}
				if !period.End(r.Anchor, r.Unit, r.Periods).Equal(r.Expires) {
					t.Fatalf("bought %s, day %d: the anchor %s with %d months does not end at %s", at, unified, r.Anchor, r.Periods, r.Expires)
				}
			}
		}
	}
}

// When the night shift looks at a resource next.
func TestNext(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", text, period.GMT8)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	expires := at("2027-04-11 00:00:00") // the last day is the 10th
	life := Life{Grace: 15, Retention: 15, Ahead: 7}
	for i, k := range []struct {
		status Status
		policy Policy
		left   int
		after  string
		ahead  int
		want   string
	}{
		{InUse, Grace, Unlimited, "2027-03-10 09:00:00", 7, "2027-04-11 00:00:00"},
		{InUse, AutoRenew, Unlimited, "2027-03-10 09:00:00", 7, "2027-04-03 03:00:00"},
		{InUse, AutoRenew, Unlimited, "2027-03-10 09:00:00", 2, "2027-04-08 03:00:00"},
		{InUse, AutoRenew, Unlimited, "2027-04-03 03:00:00", 7, "2027-04-04 03:00:00"},
		{InUse, AutoRenew, Unlimited, "2027-04-03 02:59:59", 7, "2027-04-03 03:00:00"},
		{InUse, AutoRenew, Unlimited, "2027-04-10 03:00:00", 7, "2027-04-11 00:00:00"},
		{InUse, AutoRenew, 0, "2027-03-10 09:00:00", 7, "2027-04-11 00:00:00"},
		{Expired, AutoRenew, Unlimited, "2027-04-11 00:00:00", 7, "2027-04-26 00:00:00"},
		{Frozen, Grace, Unlimited, "2027-04-26 00:00:00", 7, "2027-05-11 00:00:00"},
	} {
		life.Ahead = k.ahead
		r := &Resource{Status: k.status, Policy: k.policy, AutoLeft: k.left, Expires: expires}
		if got := life.next(r, at(k.after)); !got.Equal(at(k.want)) {
			t.Errorf("%d: %s, want %s", i, got.In(period.GMT8), k.want)
		}
	}
	if !life.next(&Resource{Status: Closed, Expires: expires}, expires).IsZero() || !life.next(&Resource{Status: InUse, Parent: "p", Expires: expires}, expires).IsZero() {
		t.Error("a closed or an attached resource is looked at")
	}
}

// What is due is found by its instant, however many resources there are that are not.
func TestDue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		err := d.Update(ctx, dbtest.At(start), func(tx *db.Tx) error {
			for i := range 20 {
				one := New{Resource: Resource{Customer: fmt.Sprint("c", i%3), Instance: fmt.Sprintf("i%02d", i), ID: fmt.Sprint("r", i), Unit: period.Month, Periods: 1 + i}}
				if err := one.Begin(rand.Reader, start, start, Life{Grace: 15, Retention: 15, Ahead: 7}); err != nil {
					return err
				}
				if err := Keep(ctx, tx, []New{one}); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			err = d.View(ctx, dbtest.At(start), func(v *db.View) error {
				all, err := Due(ctx, v, start.AddDate(0, 5, 3), Mark{}, 100)
				if err != nil || len(all) != 5 || all[0].Instance != "i00" || all[4].Instance != "i04" {
					t.Errorf("%v, %d due", err, len(all))
				}
				rest, err := Due(ctx, v, start.AddDate(0, 5, 3), Mark{all[1].Next, all[1].Customer, all[1].Instance}, 100)
				if err != nil || len(rest) != 3 {
					t.Errorf("%v, %d behind the mark", err, len(rest))
				}
				one, found, err := First(ctx, v, "c1", start.AddDate(0, 5, 3))
				if err != nil || !found || one.Instance != "i01" {
					t.Errorf("%v, %v %s", err, found, one.Instance)
				}
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}
