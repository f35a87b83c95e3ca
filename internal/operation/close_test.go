package operation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

const november = period.Cycle(2026*12 + 10)

// bill reads the summary of a customer's month.
func (o *office) bill(t *testing.T, customer string, month period.Cycle) (rows []bill.Row, final bool) {
	t.Helper()
	err := o.DB.View(t.Context(), dbtest.At(now), func(v *db.View) (err error) {
		rows, final, err = o.Bills.Of(t.Context(), v, customer, month)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, final
}

// night makes a whole round at an instant.
func (o *office) night(t *testing.T, at time.Time) {
	t.Helper()
	if err := cycle.New(o.Counter, func() time.Time { return at }, o.Log).Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (o *office) closing(t *testing.T, at time.Time) (list []job.Work) {
	t.Helper()
	_, page, err := o.Jobs(t.Context(), o.by("purser-operator", at), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(page, func(w job.Work) bool { return w.Kind != job.Close || w.Target.Before(now) }) // before: the demo's year
}

// A month is closed on the 3rd at 03:00 GMT+8: its row is cut to the cent, what is cut off goes back, and what comes late for it
// belongs to the running month, which names where it was used.
func TestMonthClose(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "closing", now, 1000, nil)
		hour := now.Truncate(time.Hour)
		o.report(t, ran(customer, "a", hour, 3600), ran(customer, "b", hour, 1801))
		last := november.Span().End.Add(-time.Hour)
		closes := november.Closes()
		if want := time.Date(2026, 12, 2, 19, 0, 0, 0, time.UTC); !closes.Equal(want) {
			t.Fatalf("closes %s", closes)
		}
		o.report(t, ran(customer, "last", last, 3600)) // the last hour of the month, charged in the next one
		o.shift(t, customer, closes.Add(-time.Second))
		estimate, final := o.bill(t, customer, november)
		amount := sum(o.fees(t, customer, now))
		if final || len(estimate) != 1 || estimate[0].Records != 3 || estimate[0].Consume != money.CutMinor(amount, money.USD) || estimate[0].Truncated != amount-estimate[0].Consume {
			t.Fatalf("before the close: %v %+v, fee records come to %s", final, estimate, amount)
		}
		if estimate[0].Truncated == 0 {
			t.Fatal("nothing is cut off: the test shows nothing")
		}
		cash := o.held(t, customer).Cash
		o.shift(t, customer, closes)
		rows, final := o.bill(t, customer, november)
		estimate[0].Cut = charge.Parts{} // is not kept
		if !final || !slices.Equal(rows, estimate) {
			t.Errorf("closed: %v %+v, want %+v", final, rows, estimate)
		}
		if got := o.held(t, customer).Cash; got != cash+rows[0].Truncated || money.CutMinor(got, money.USD) != got {
			t.Errorf("cash is %s, was %s", got, cash)
		}
		o.sound(t)
		o.shift(t, customer, closes.Add(time.Hour)) // again: nothing
		if again, _ := o.bill(t, customer, november); !slices.Equal(again, rows) {
			t.Errorf("closed again: %+v", again)
		}
		// Late for the closed month: another resource, and more of one that is there.
		late := ran(customer, "late", hour, 7)
		more := ran(customer, "more", hour, 11)
		more.Resource = "i-a"
		o.report(t, late, more)
		o.shift(t, customer, closes.Add(2*time.Hour))
		if again, _ := o.bill(t, customer, november); !slices.Equal(again, rows) {
			t.Errorf("the closed month has changed: %+v", again)
		}
		december := o.fees(t, customer, closes)
		if len(december) != 2 {
			t.Fatalf("late usage: %+v", december)
		}
		for _, f := range december {
			if f.UsedCycle != november || f.Cycle != november+1 || f.Day() != period.DateOf(closes.Add(2*time.Hour)) || !november.Span().Contains(f.Consumed.Start) {
				t.Errorf("late usage: %+v", f)
			}
		}
		o.sound(t)
		o.shift(t, customer, (november + 1).Closes())
		if rows, final := o.bill(t, customer, november+1); !final || len(rows) != 1 || rows[0].Records != 2 {
			t.Errorf("december: %v %+v", final, rows)
		}
		o.sound(t)
	})
}

// Rounded half-up, a row may cost a little more: it is taken from what is there, else owed.
func TestMonthCloseHalfUp(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		o.Bills.Rounding = bill.HalfUp
		rich, poor := o.own(t, "rich", now, 1000, nil), o.own(t, "poor", now, 0, nil)
		hour := now.Truncate(time.Hour)
		for _, customer := range []string{rich, poor} {
			r := ran(customer, "a", hour, 3000) // 0.0169…
			r.Resource = "i-" + customer
			o.report(t, r)
			o.shift(t, customer, november.Closes())
			rows, final := o.bill(t, customer, november)
			if !final || len(rows) != 1 || rows[0].Consume != 2_000_000 || rows[0].Truncated >= 0 {
				t.Errorf("%v %+v", final, rows)
			}
		}
		if cash := o.held(t, rich).Cash; cash != 998_000_000 {
			t.Errorf("cash is %s", cash)
		}
		if debt := o.held(t, poor).Debt; debt != 2_000_000 {
			t.Errorf("debt is %s", debt)
		}
		o.sound(t)
	})
}

// A customer whose close fails is parked and reported; the rest go on. It is closed once it is tried again.
func TestMonthCloseParks(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		hour := now.Truncate(time.Hour)
		var customers []string
		for _, name := range []string{"one", "two", "three"} {
			id := o.own(t, name, now, 1000, nil)
			customers = append(customers, id)
			r := ran(id, "a", hour, 1234)
			o.report(t, r)
		}
		o.night(t, november.Closes().Add(-time.Second))
		parked := customers[1]
		if err := d.Update(t.Context(), dbtest.At(now), func(tx *db.Tx) error { return ledger.Park(t.Context(), tx, parked, "a test") }); err != nil {
			t.Fatal(err)
		}
		o.night(t, november.Closes())
		for _, customer := range customers {
			if _, final := o.bill(t, customer, november); final != (customer != parked) {
				t.Errorf("customer %s is closed: %v", customer, final)
			}
		}
		boss := func() *operation.Call { return o.by("purser-operator", november.Closes()) }
		total, list, err := o.ParkedMonths(t.Context(), boss(), 0, 10)
		if err != nil || total != 1 || len(list) != 1 || list[0].Customer != parked || list[0].Cycle != november || !strings.Contains(list[0].Reason, "PURSER.0302") {
			t.Fatalf("%d %+v, %v", total, list, err)
		}
		jobs := o.closing(t, november.Closes())
		if len(jobs) != 1 || jobs[0].State != job.Done || !jobs[0].Target.Equal(november.Closes()) || jobs[0].Count < 2 || !strings.Contains(jobs[0].Message, "1 are parked") {
			t.Errorf("%+v", jobs)
		}
		progress, err := o.CloseProgress(t.Context(), boss())
		if err != nil || len(progress) == 0 || progress[0] != (bill.Progress{Cycle: november, Closed: jobs[0].Count, Parked: 1}) {
			t.Errorf("%+v, %v; the job says %d", progress, err, jobs[0].Count)
		}
		if _, err := o.CloseProgress(t.Context(), o.by("alpine-robotics", november.Closes())); !fault.Is(err, "CBC.0151") {
			t.Errorf("a customer sees the progress: %v", err)
		}
		o.night(t, november.Closes().Add(time.Hour)) // it is not tried again by itself
		if _, final := o.bill(t, parked, november); final {
			t.Error("closed while parked")
		}
		if err := o.RetryMonth(t.Context(), boss(), customers[0], november); !fault.Is(err, "PURSER.1201") {
			t.Errorf("a month that is not parked: %v", err)
		}
		if err := o.ReleaseBooks(t.Context(), boss(), parked); err != nil {
			t.Fatal(err)
		}
		if err := o.RetryMonth(t.Context(), boss(), parked, november); err != nil {
			t.Fatal(err)
		}
		if progress, err = o.CloseProgress(t.Context(), boss()); err != nil || progress[0].Waiting != 1 || progress[0].Parked != 0 {
			t.Errorf("tried again: %+v, %v", progress, err)
		}
		o.night(t, november.Closes().Add(2*time.Hour))
		if _, final := o.bill(t, parked, november); !final {
			t.Error("not closed after it was tried again")
		}
		o.sound(t)
	})
}

// Who settles monthly pays what its closed bill says, in whole cents, and a member's close gives back to its master.
func TestMonthCloseOfMonthlyAndMembers(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		hour := now.Truncate(time.Hour)
		monthly := o.own(t, "monthly", now, 1000, func(c *account.Customer) { c.Settlement = account.Monthly })
		master := o.own(t, "master", now, 1000, nil)
		member := o.own(t, "member", now, 0, nil)
		if _, err := o.JoinMaster(t.Context(), o.by("purser-operator", now), member, master, account.Unified, time.Time{}); err != nil {
			t.Fatal(err)
		}
		for _, customer := range []string{monthly, member, master} {
			o.report(t, ran(customer, "a", hour, 2222))
		}
		o.night(t, november.Closes())
		rows, _ := o.bill(t, monthly, november)
		if held := o.held(t, monthly); len(rows) != 1 || held.Cash != 1_000_000_000-rows[0].Consume || held.Debt != 0 {
			t.Errorf("who settles monthly holds %+v; %+v", held, rows)
		}
		rows, _ = o.bill(t, member, november)
		own, _ := o.bill(t, master, november)
		if len(rows) != 1 || rows[0].Payer != master || len(own) != 1 {
			t.Fatalf("%+v, %+v", rows, own)
		}
		if held := o.held(t, master); held.Cash != 1_000_000_000-rows[0].Consume-own[0].Consume {
			t.Errorf("the master holds %+v", held)
		}
		o.sound(t)
	})
}

// A month of many rows is closed in several transactions, and may be cut off between any of them.
func TestMonthCloseInPieces(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "wide", now, 100_000, nil)
		const n = 1203
		fees := make([]charge.Fee, n)
		var all money.Amount
		for i := range fees {
			amount := money.Amount(1_000_000 + i*1003)
			all += amount
			fees[i] = charge.Fee{
				Customer: customer, ID: fmt.Sprintf("RC%06d", i), Bill: charge.Usage, Mode: charge.OnDemand, Trade: "TR1", Service: server.Service, ResourceType: server.ResourceType,
				Spec: server.Spec, Region: server.Region, Project: fmt.Sprint(i), Payer: customer, Official: amount, Amount: amount, Parts: charge.Parts{Cash: amount},
				Consumed: period.Span{Start: now, End: now.Add(time.Hour)}, Traded: now, Resource: fmt.Sprint("i-", i),
			}
		}
		err := d.Update(t.Context(), dbtest.At(now), func(tx *db.Tx) error {
			if err := charge.RecordAll(t.Context(), tx, fees); err != nil {
				return err
			}
			return ledger.Post(t.Context(), tx, o.Random, &ledger.Entry{Customer: customer, Cause: "usage", Reference: "TR1", Postings: []ledger.Posting{{Giver: ledger.Cash, Taker: ledger.Revenue, Amount: all}}})
		})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := o.bill(t, customer, november)
		pieces := 0
		for done := false; !done; pieces++ {
			err := d.Update(t.Context(), dbtest.At(november.Closes()), func(tx *db.Tx) (err error) {
				_, done, err = o.Bills.Close(t.Context(), tx, customer, november, func([]bill.Row) (bool, error) { return false, nil })
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := o.bill(t, customer, november); len(got) != n { // the same whenever it is asked for
				t.Fatalf("%d rows on the way", len(got))
			}
		}
		got, final := o.bill(t, customer, november)
		for i := range want {
			want[i].Cut = charge.Parts{}
		}
		if pieces != 3 || !final || !slices.Equal(got, want) {
			t.Errorf("%d pieces, final %v, %d rows", pieces, final, len(got))
		}
	})
}
