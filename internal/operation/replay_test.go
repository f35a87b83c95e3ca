package operation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/usage"
)

// What usage of a customer comes to in the end.
type net struct {
	resource, factor string
	cycle            period.Cycle
}

type came struct {
	used, covered      int64
	official, discount money.Amount
}

var storage = usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: "ap-southeast-1"}

// madeUp is usage of some days around the end of a month: servers by the second, storage, traffic that runs through tiers
// by the month and by the day.
func madeUp(r *rand.Rand, start time.Time) (list []usage.Record) {
	add := func(resource string, d usage.Described, factor string, value int64, unit int32, hour int) {
		from := start.Add(time.Duration(hour) * time.Hour)
		list = append(list, usage.Record{
			Source: "m", ID: fmt.Sprintf("%s-%s-%d-%d", resource, factor, hour, len(list)), Resource: resource, Described: d, Factor: factor,
			Value: money.DecimalOf(value), Unit: unit, Start: from, End: from.Add(time.Hour),
		})
	}
	for hour := range 60 {
		for n := range 4 {
			if r.IntN(4) > 0 {
				add(fmt.Sprint("i-", n), server, "Duration", r.Int64N(36000), 6, hour)
			}
		}
		for n := range 2 {
			if r.IntN(3) > 0 {
				add(fmt.Sprint("bucket-", n), storage, "upflow", r.Int64N(60<<30), 13, hour)
			}
			if r.IntN(6) == 0 {
				add(fmt.Sprint("bucket-", n), storage, "reqNumber", r.Int64N(40000), 14, hour)
			}
			add(fmt.Sprint("bucket-", n), storage, "size", r.Int64N(100), 17, hour)
		}
	}
	return list
}

// tenant is a customer of its own with a discount and three packages.
func (o *office) tenant(t *testing.T, name string, start time.Time) string {
	t.Helper()
	at := start.Add(-24 * time.Hour)
	boss := func() *operation.Call { return o.by("purser-operator", at) }
	made, err := o.CreateCustomer(t.Context(), boss(), operation.NewCustomer{Account: name, User: name})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Customer.ID
	half, _ := money.ParseDecimal("0.73")
	_, err = o.GrantDiscount(t.Context(), boss(), discount.Grant{Customer: id, Name: "d", Kind: rating.Commercial, Value: half, Service: storage.Service, Effective: at, Expires: at.AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []catalog.Wanted{
		{Service: server.Service, ResourceType: server.ResourceType, Spec: "ecs.package.750h"},
		{Service: storage.Service, ResourceType: storage.ResourceType, Spec: "obs.package.traffic.1tb"},
		{Service: storage.Service, ResourceType: storage.ResourceType, Spec: "obs.package.starter"},
	} {
		w.Region, w.Num, w.Periods = server.Region, 1, 1
		if _, err := o.GivePackage(t.Context(), boss(), operation.Gift{Customer: id, Wanted: w, OwnTerm: true}); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// nets adds up what was charged for a customer's usage, with what is left of its packages.
func (o *office) nets(t *testing.T, d *db.DB, customer string, cycles ...time.Time) (map[net]came, []string) {
	t.Helper()
	out := map[net]came{}
	for _, at := range cycles {
		_, page, _, err := o.FeeRecords(t.Context(), o.by("purser-operator", at), customer, period.CycleOf(at), 0, 100000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page {
			f := &page[i]
			if f.Bill != charge.Usage {
				continue
			}
			k := net{f.Resource, f.UsageType, period.CycleOf(f.Consumed.Start)}
			c := out[k]
			c.used, c.covered, c.official, c.discount = c.used+f.Used, c.covered+f.Covered, c.official+f.Official, c.discount+f.Discount
			out[k] = c
		}
	}
	var left []string
	last := cycles[len(cycles)-1]
	err := d.View(t.Context(), dbtest.At(last), func(v *db.View) error {
		packages, err := quota.ForUsage(t.Context(), v, customer, last.AddDate(0, -3, 0), last)
		for i := range packages {
			for j := range packages[i].Items {
				item := &packages[i].Items[j]
				left = append(left, fmt.Sprintf("%s %s: %s in cycle %d", packages[i].Spec, item.UsageType, item.Rest, item.K))
			}
		}
		slices.Sort(left)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, left
}

// corrections counts a customer's corrections.
func (o *office) corrections(t *testing.T, customer string, cycles ...time.Time) (n int) {
	for _, at := range cycles {
		for _, f := range o.fees(t, customer, at) {
			if f.Corrects != "" {
				n++
			}
		}
	}
	return n
}

// However the same records arrive (in any order, late by days, twice, in any batches, with the night shift in between),
// the net amounts and what packages covered are the same.
func TestArrivalDoesNotMatter(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		rounds := 6
		switch {
		case os.Getenv("PURSER_LONG") != "":
			rounds = 60
		case d.Engine() == db.PostgreSQL:
			rounds = 2
		}
		start := time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC) // the last day of the month in GMT+8 has begun
		end := start.Add(70 * time.Hour)
		for round := range rounds {
			r := rand.New(rand.NewPCG(7, uint64(round)))
			records := madeUp(r, start)
			send := func(customer string, at time.Time, list []usage.Record) {
				for i := range list {
					list[i].Customer = customer
				}
				out, err := o.AcceptUsage(t.Context(), o.by("purser-operator", at), list)
				if err != nil {
					t.Fatal(err)
				}
				for i := range out {
					if out[i].Why != nil {
						t.Fatalf("%+v: %v", list[i], out[i].Why)
					}
				}
			}
			inTime := o.tenant(t, fmt.Sprint("in-time-", round), start)
			send(inTime, start, slices.Clone(records))
			o.shift(t, inTime, end)
			want, wantLeft := o.nets(t, d, inTime, start, end)
			if !slices.ContainsFunc(wantLeft, func(text string) bool { return strings.Contains(text, ": 0 in") }) || len(want) < 8 {
				t.Fatalf("round %d: no package was used up: %q", round, wantLeft)
			}

			late := o.tenant(t, fmt.Sprint("late-", round), start)
			if o.Settling.AtOnce = 0; round%2 == 1 {
				o.Settling.AtOnce = 1 + r.IntN(3)
			}
			mixed := slices.Clone(records)
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			for at := start; len(mixed) > 0; at = at.Add(time.Duration(r.IntN(600)) * time.Minute) {
				n := min(len(mixed), 1+r.IntN(120))
				send(late, at, slices.Clone(mixed[:n]))
				if r.IntN(3) == 0 {
					send(late, at, slices.Clone(mixed[:n]))
				}
				mixed = mixed[n:]
				if at.Before(end) {
					o.shift(t, late, at)
				}
			}
			o.shift(t, late, end)
			got, gotLeft := o.nets(t, d, late, start, end)
			for k, w := range want {
				if got[k] != w {
					t.Errorf("round %d, %+v: %+v, in time %+v", round, k, got[k], w)
				}
			}
			if len(got) != len(want) || !slices.Equal(gotLeft, wantLeft) {
				t.Errorf("round %d: %d nets of %d\nleft    %q\nin time %q", round, len(got), len(want), gotLeft, wantLeft)
			}
			if t.Failed() {
				return
			}
			if n := o.corrections(t, late, start, end); n == 0 {
				t.Fatalf("round %d: nothing was late", round)
			}
		}
		o.sound(t)
	})
}

// A replay that is written in small parts, cut off after each and begun anew, comes to what would have been in time.
func TestReplayInParts(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		start := time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC)
		end := start.Add(70 * time.Hour)
		r := rand.New(rand.NewPCG(23, 1))
		records := madeUp(r, start)
		inTime, late := o.tenant(t, "in-time", start), o.tenant(t, "late", start)
		send := func(customer string, list []usage.Record) {
			for i := range list {
				list[i].Customer = customer
			}
			for i, out := range o.report(t, list...) {
				if out.Why != nil {
					t.Fatalf("%+v: %v", list[i], out.Why)
				}
			}
		}
		send(inTime, slices.Clone(records))
		o.shift(t, inTime, end)
		want, wantLeft := o.nets(t, d, inTime, start, end)

		var missing []usage.Record // all of an hour, and some of the two behind it
		rest := slices.DeleteFunc(slices.Clone(records), func(x usage.Record) bool {
			hour := x.Start.Sub(start) / time.Hour
			if hour == 1 || hour > 1 && hour < 4 && r.IntN(2) == 0 {
				missing = append(missing, x)
				return true
			}
			return false
		})
		send(late, rest)
		o.shift(t, late, end)
		o.Settling.AtOnce = 1
		send(late, missing)
		cuts := 0
		for done := false; !done && cuts < 500; cuts++ {
			short, stop := context.WithCancel(t.Context())
			o.Told = stop // after each part
			_, err := o.CatchUp(short, end, late)
			done = err == nil
			stop()
		}
		o.Told = nil
		got, gotLeft := o.nets(t, d, late, start, end)
		for k, w := range want {
			if got[k] != w {
				t.Errorf("%+v: %+v, in time %+v", k, got[k], w)
			}
		}
		if len(got) != len(want) || !slices.Equal(gotLeft, wantLeft) {
			t.Errorf("%d nets of %d\nleft    %q\nin time %q", len(got), len(want), gotLeft, wantLeft)
		}
		if cuts < 8 {
			t.Errorf("it was cut off %d times", cuts)
		}
		o.sound(t)
	})
}

// What was accepted is what packages covered, what was priced and what was kept aside after all; nothing is taken from a
// package beyond what it holds in a cycle; tiers run through what packages left, month by month.
func TestNothingIsLost(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		start := time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC)
		end := start.Add(70 * time.Hour)
		for round := range 2 {
			r := rand.New(rand.NewPCG(19, uint64(round)))
			customer := o.tenant(t, fmt.Sprint("whole-", round), start)
			records := madeUp(r, start)
			for i := range records {
				switch r.IntN(12) { // some are far too late, some far ahead: accepted, and kept aside when their time comes
				case 0:
					records[i].Start, records[i].End = records[i].Start.AddDate(-2, 0, 0), records[i].End.AddDate(-2, 0, 0)
				case 1:
					records[i].Start, records[i].End = records[i].Start.AddDate(0, 5, 0), records[i].End.AddDate(0, 5, 0)
				}
			}
			r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			accepted, aside := map[string]int64{}, map[string]int64{}
			add := func(into map[string]int64, rec *usage.Record) {
				n, _ := rec.Value.Int64()
				into[rec.Resource+" "+rec.Factor] += n * map[int32]int64{6: 1, 13: 1}[rec.Unit]
				into[rec.Resource+" "+rec.Factor] += n * map[int32]int64{14: 1_000_000, 17: 1_000_000}[rec.Unit]
			}
			for at := start; len(records) > 0; at = at.Add(time.Duration(r.IntN(500)) * time.Minute) {
				n := min(len(records), 1+r.IntN(150))
				for i := range records[:n] {
					records[i].Customer = customer
				}
				out, err := o.AcceptUsage(t.Context(), o.by("purser-operator", at), records[:n])
				if err != nil {
					t.Fatal(err)
				}
				for i := range out {
					if out[i].Verdict == usage.Accepted {
						add(accepted, &records[i])
					} else if out[i].Verdict != usage.Quarantined { // there was no price two years ago
						t.Fatalf("%+v: %v", records[i], out[i].Why)
					}
				}
				if records = records[n:]; at.Before(end) {
					o.shift(t, customer, at)
				}
			}
			o.shift(t, customer, end)
			_, held, err := o.Quarantine(t.Context(), o.by("purser-operator", end), customer, usage.Kept, 0, 100000)
			if err != nil {
				t.Fatal(err)
			}
			for i := range held {
				if h := &held[i]; h.Code == usage.TooLate || h.Code == usage.TooEarly {
					add(aside, &h.Record)
				}
			}
			came, _ := o.nets(t, d, customer, start, end)
			charged, covered, tiers := map[string]int64{}, map[string]int64{}, map[period.Cycle]int64{}
			for k, c := range came {
				key := k.resource + " " + k.factor
				charged[key] += c.used
				covered[k.factor] += c.covered
				if k.factor == "upflow" {
					tiers[k.cycle] += c.used - c.covered
				}
			}
			for key, n := range accepted {
				if got := charged[key] + aside[key]; got != n {
					t.Errorf("round %d, %s: %d charged and %d aside of %d accepted", round, key, charged[key], aside[key], n)
				}
			}
			if len(aside) < 5 || len(tiers) != 2 {
				t.Errorf("round %d: %d kept aside, %d months", round, len(aside), len(tiers))
			}
			err = d.View(t.Context(), dbtest.At(end), func(v *db.View) error {
				used, err := quota.Pools(t.Context(), v, customer)
				if err != nil {
					return err
				}
				packages, err := quota.ForUsage(t.Context(), v, customer, start.AddDate(0, -1, 0), end)
				if err != nil {
					return err
				}
				shelf, err := o.Catalogue.At(t.Context(), v)
				if err != nil {
					return err
				}
				most := 0
				for i := range packages {
					if err := packages[i].Measure(shelf); err != nil {
						return err
					}
					for _, item := range packages[i].Items {
						for pool, n := range used {
							if pool.Package != packages[i].ID || pool.Item != item.No {
								continue
							}
							if n > item.Whole {
								t.Errorf("round %d: %d taken of %d that %s holds of %s", round, n, item.Whole, packages[i].Spec, item.UsageType)
							} else if n == item.Whole {
								most++
							}
							covered[item.UsageType] -= n
						}
					}
				}
				for factor, rest := range covered {
					if rest != 0 {
						t.Errorf("round %d: of %s packages gave %d less than fee records say", round, factor, rest)
					}
				}
				if most == 0 {
					t.Errorf("round %d: no package was used up", round)
				}
				for cycle, want := range tiers {
					var ran int64
					err := v.QueryRow(t.Context(), `SELECT CAST(coalesce(sum(already), 0) AS BIGINT) FROM settlement_tier WHERE customer = $1 AND factor = 'upflow' AND starts_at = $2`,
						customer, db.Micros(cycle.Span().Start)).Scan(&ran)
					if err != nil || ran != want {
						t.Errorf("round %d: %d ran through the tiers of %s, want %d, %v", round, ran, cycle, want, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		o.sound(t)
	})
}

// Inside the lateness window not even the fee records differ, however the records arrive.
func TestWithinTheWindow(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		start := time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC)
		end := start.Add(70 * time.Hour)
		r := rand.New(rand.NewPCG(11, 1))
		records := madeUp(r, start)
		var told [2][]string
		for i := range told {
			customer := o.tenant(t, fmt.Sprint("window-", i), start)
			list := slices.Clone(records)
			if i == 1 {
				r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
			for j := range list {
				list[j].Customer = customer
			}
			for len(list) > 0 {
				n := min(len(list), 1+r.IntN(200))
				if i == 0 {
					n = len(list)
				}
				o.report(t, list[:n]...)
				list = list[n:]
			}
			o.shift(t, customer, end)
			for _, at := range []time.Time{start, end} {
				for _, f := range o.fees(t, customer, at) {
					told[i] = append(told[i], fmt.Sprint(f.Resource, f.UsageType, f.Used, f.Covered, f.Official, f.Discount, f.Amount, f.Parts, f.Consumed, f.Traded, f.UnitPrice, f.Corrects))
				}
			}
		}
		if len(told[0]) < 100 || !slices.Equal(told[0], told[1]) {
			t.Errorf("%d fee records in one batch, %d in many", len(told[0]), len(told[1]))
		}
	})
}

// Who set an alert is told once when what it has falls below, and again only after it was above.
func TestBalanceAlert(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "careful", now, 10, func(c *account.Customer) { c.AlertBelow = 5_000_000 })
		if _, err := o.AddWebhook(t.Context(), o.by("purser-operator", now), "http://127.0.0.1:9/hook", []string{"balance.*"}); err != nil {
			t.Fatal(err)
		}
		alerts := func() (n int) {
			err := d.View(t.Context(), dbtest.At(now), func(v *db.View) error {
				return v.QueryRow(t.Context(), `SELECT count(*) FROM outbox_message WHERE customer = $1 AND topic = 'balance.low'`, customer).Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		o.started(t, customer, "i-1", now)
		o.shift(t, customer, now.Add(3*time.Hour)) // two hours at 0.0203 of 0.10
		if got := alerts(); got != 0 {
			t.Errorf("above: %d alerts", got)
		}
		o.shift(t, customer, now.Add(5*time.Hour))
		o.shift(t, customer, now.Add(8*time.Hour))
		if got := alerts(); got != 1 {
			t.Errorf("below: %d alerts", got)
		}
		o.pays(t, customer, now.Add(8*time.Hour), 100)
		o.shift(t, customer, now.Add(9*time.Hour))
		o.shift(t, customer, now.Add(60*time.Hour))
		if got := alerts(); got != 2 {
			t.Errorf("above, and below again: %d alerts", got)
		}
		o.pays(t, customer, now.Add(60*time.Hour), 1000)
		if _, err := o.Withdraw(t.Context(), o.by("purser-operator", now.Add(60*time.Hour)), operation.Movement{Customer: customer, Amount: 800_000_000, Reference: "w"}); err != nil {
			t.Fatal(err)
		}
		if got := alerts(); got != 2 {
			t.Errorf("withdrawn, and still above: %d alerts", got)
		}
		if _, err := o.Withdraw(t.Context(), o.by("purser-operator", now.Add(60*time.Hour)), operation.Movement{Customer: customer, Amount: money.CutMinor(o.held(t, customer).Cash, money.USD) - 1_000_000, Reference: "w2"}); err != nil {
			t.Fatal(err)
		}
		if got := alerts(); got != 3 {
			t.Errorf("withdrawn below it: %d alerts", got)
		}
	})
}
