package operation_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/trace"
	"github.com/purser-cloud/purser/internal/usage"
)

var server = usage.Described{Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1"}

// ran is a record of a server that ran for a number of seconds of an hour.
func ran(customer, id string, hour time.Time, seconds int64) usage.Record {
	return usage.Record{
		Source: "meter", ID: id, Customer: customer, Resource: "i-" + id, Described: server, Factor: "Duration", Value: money.DecimalOf(seconds), Unit: 6,
		Start: hour, End: hour.Add(time.Duration(seconds) * time.Second),
	}
}

func (o *office) report(t *testing.T, records ...usage.Record) []usage.Outcome {
	t.Helper()
	out, err := o.AcceptUsage(t.Context(), o.by("purser-operator", now), records)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shift lets a customer catch up at a real instant.
func (o *office) shift(t *testing.T, customer string, at time.Time) {
	t.Helper()
	if _, err := o.CatchUp(t.Context(), at, customer); err != nil {
		t.Fatal(err)
	}
}

func (o *office) fees(t *testing.T, customer string, at time.Time) []charge.Fee {
	t.Helper()
	_, page, _, err := o.FeeRecords(t.Context(), o.by("purser-operator", at), customer, period.CycleOf(at), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []charge.Fee
	for _, f := range page {
		if f.Bill == charge.Usage {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b charge.Fee) int {
		return cmp.Or(a.Traded.Compare(b.Traded), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Used, b.Used))
	})
	return out
}

// sound fails when any books do not add up.
func (o *office) sound(t *testing.T) {
	t.Helper()
	_, err := o.CheckBooks(t.Context(), operation.LocalOperator("check", now), false, func(w operation.Wrong) { t.Errorf("%s: %s", w.Customer, w.What) })
	if err != nil {
		t.Fatal(err)
	}
}

func sum(fees []charge.Fee) (total money.Amount) {
	for i := range fees {
		total += fees[i].Amount
	}
	return total
}

// Records become fee records once their hour has closed; sent again they change nothing.
func TestUsageBecomesMoney(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.by("cedar-labs", now).Caller.DomainID
		hour := now.Truncate(time.Hour)
		batch := []usage.Record{ran(customer, "a", hour, 3600), ran(customer, "b", hour, 1800), ran(customer, "a", hour, 3600), ran(customer, "c", hour.Add(time.Hour), 60)}
		for i, want := range []usage.Verdict{usage.Accepted, usage.Accepted, usage.Duplicate, usage.Accepted} {
			if got := o.report(t, batch...)[i]; got.Verdict != want && got.Verdict != usage.Duplicate {
				t.Errorf("record %d: %+v", i, got)
			}
		}
		o.shift(t, customer, hour.Add(2*time.Hour-time.Second))
		if fees := o.fees(t, customer, now); len(fees) != 0 {
			t.Errorf("before the hour has closed: %+v", fees)
		}
		o.shift(t, customer, hour.Add(2*time.Hour))
		fees := o.fees(t, customer, now)
		if len(fees) != 2 || fees[0].Resource != "i-a" || fees[0].Used != 3600 || fees[0].Amount <= 0 || fees[0].Official != 2*fees[1].Official {
			t.Fatalf("%+v", fees)
		}
		before := sum(fees)
		for range 3 {
			o.report(t, batch...)
			o.shift(t, customer, hour.Add(2*time.Hour))
		}
		if after := sum(o.fees(t, customer, now)); after != before {
			t.Errorf("sent again: %s, was %s", after, before)
		}
		o.report(t, ran(customer, "late", hour, 7))
		o.shift(t, customer, hour.Add(2*time.Hour))
		fees = o.fees(t, customer, now)
		if len(fees) != 3 || fees[2].Resource != "i-late" || fees[2].Used != 7 {
			t.Fatalf("a late record: %+v", fees)
		}
		first := fees[0].ID
		o.report(t, ran(customer, "later", hour, 7))
		again := ran(customer, "later2", hour, 11)
		again.Resource = "i-a"
		o.report(t, again)
		o.shift(t, customer, hour.Add(2*time.Hour))
		fees = o.fees(t, customer, now)
		if len(fees) != 5 {
			t.Fatalf("more late records: %+v", fees)
		}
		if c := fees[0]; c.Used != 11 || c.Resource != "i-a" || c.Corrects != first {
			t.Errorf("a correction: %+v", c)
		}
		o.sound(t)
	})
}

// A round of the night shift lets happen what it saw to be due, whether a bucket is all there is for a customer, one of several, came
// late, has a self-metered resource in it that goes on, or makes its customer owe. Afterwards nothing is due.
func TestARoundLeavesNothing(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		hour := now.Truncate(time.Hour)
		one, several, late, owing, running := o.own(t, "one", now, 100, nil), o.own(t, "several", now, 100, nil), o.own(t, "late", now, 100, nil), o.own(t, "owing", now, 0, nil), o.own(t, "running", now, 100, nil)
		o.report(t, ran(one, "1", hour, 60), ran(several, "2", hour, 60), ran(several, "3", hour.Add(time.Hour), 60), ran(late, "4", hour.Add(time.Hour), 60), ran(owing, "5", hour, 3600), ran(running, "6", hour, 60))
		o.shift(t, late, hour.Add(3*time.Hour))
		o.report(t, ran(late, "7", hour, 60))
		o.started(t, running, "self", hour)
		at := hour.Add(3 * time.Hour)
		shift := cycle.New(o.Counter, func() time.Time { return at }, slog.New(slog.DiscardHandler))
		if err := shift.Round(ctx); err != nil {
			t.Fatal(err)
		}
		for customer, want := range map[string]int{one: 1, several: 2, late: 2, owing: 1, running: 3} { // two hours of its own, and the record
			if fees := o.fees(t, customer, now); len(fees) != want {
				t.Errorf("%s: %d fees, want %d: %+v", customer, len(fees), want, fees)
			}
		}
		if visits, _, _, err := o.DueCustomers(ctx, at, operation.Place{}); err != nil || len(visits) != 0 {
			t.Errorf("%v, still due: %v", err, visits)
		}
		if a, in := o.inArrears(t, owing); !in || a.Stage != settlement.Grace {
			t.Errorf("who owes: %+v, %t", a, in)
		}
		o.sound(t)
	})
}

// Hours that are settled behind each other in one transaction come to what they come to one by one, whoever pays, with whichever coupon:
// one coupon begins among them, one ends, one runs out, and at last a master pays.
func TestASeriesIsAsOneByOne(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		hour := now.Truncate(time.Hour)
		settled := func(k int) time.Time { return hour.Add(time.Duration(k+2) * time.Hour) } // the k-th
		var came [2][]string
		for twin := range came {
			name := fmt.Sprint("twin-", twin)
			customer, master := o.own(t, name, now, 20, nil), o.own(t, name+"-master", now, 15, func(c *account.Customer) { c.CreditLimit = 10_000_000 })
			for _, c := range []coupon.Coupon{
				{Face: 1_000_000, Limits: []coupon.Limit{{Key: "serviceType", Value1: server.Service}}},
				{Face: 90_000_000, Effective: hour.Add(2 * time.Hour), Expires: settled(3).Add(time.Minute)},
				{Face: 1_000_000, Effective: hour.Add(5 * time.Hour)},
			} {
				if c.Version = 2; c.Expires.IsZero() {
					c.Expires = now.AddDate(1, 0, 0)
				}
				if _, err := o.IssueCoupons(ctx, o.by("purser-operator", now), []string{customer}, c, false); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := o.JoinMaster(ctx, o.by("purser-operator", settled(9)), customer, master, account.Unified, settled(6)); err != nil {
				t.Fatal(err)
			}
			for k := range 9 {
				o.report(t, ran(customer, fmt.Sprint(k), hour.Add(time.Duration(k)*time.Hour), 3600))
				if twin == 0 {
					o.shift(t, customer, settled(k))
				}
			}
			o.shift(t, customer, settled(9))
			for _, f := range o.fees(t, customer, now) {
				payer := "itself"
				if f.Payer == master {
					payer = "master"
				}
				came[twin] = append(came[twin], fmt.Sprint(f.Resource, " ", f.Amount, " by ", payer, " ", f.Parts))
			}
			own, others := o.held(t, customer), o.held(t, master)
			came[twin] = append(came[twin], fmt.Sprint(own, others))
		}
		if len(came[0]) != 10 || !slices.Equal(came[0], came[1]) {
			t.Errorf("one by one:\n%s\nin a series:\n%s", strings.Join(came[0], "\n"), strings.Join(came[1], "\n"))
		}
		for k, want := range []string{"{0.0103 0 0.01 ", "{0.0203 0 0 ", "{0 0 0.0203 ", "{0 0 0.0203 ", "{0.0203 0 0 ", "{0.0103 0 0.01 ", "by master {"} {
			if !strings.Contains(came[0][k], want) {
				t.Errorf("hour %d: %s, want %s", k, came[0][k], want)
			}
		}
		o.sound(t)
	})
}

// own opens a customer of its own with some money.
func (o *office) own(t *testing.T, name string, at time.Time, cash int64, change func(*account.Customer)) string {
	t.Helper()
	boss := func() *operation.Call { return o.by("purser-operator", at) }
	in := operation.NewCustomer{Account: name, User: name}
	if change != nil {
		change(&in.Record)
	}
	made, err := o.CreateCustomer(t.Context(), boss(), in)
	if err != nil {
		t.Fatal(err)
	}
	if cash > 0 {
		o.pays(t, made.Customer.ID, at, cash)
	}
	return made.Customer.ID
}

// pays tops a customer up by so many cents.
func (o *office) pays(t *testing.T, customer string, at time.Time, cents int64) {
	t.Helper()
	call := o.by("purser-operator", at)
	call.RequestID = fmt.Sprint(customer, at, cents)
	if _, err := o.TopUp(t.Context(), call, operation.Movement{Customer: customer, Amount: money.Amount(cents) * 1_000_000}); err != nil {
		t.Fatal(err)
	}
}

func (o *office) held(t *testing.T, customer string) (b ledger.Balances) {
	t.Helper()
	err := o.DB.View(t.Context(), dbtest.At(now), func(v *db.View) (err error) { b, err = ledger.Of(t.Context(), v, customer); return err })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (o *office) status(t *testing.T, customer, resource string, at time.Time) usage.Status {
	t.Helper()
	_, page, err := o.UsageResources(t.Context(), o.by("purser-operator", at), customer, usage.ResourceQuery{ID: resource}, 0, 10)
	if err != nil || len(page) != 1 {
		t.Fatalf("%v, %v", page, err)
	}
	return page[0].Status
}

// traced switches traces on for a customer.
func (o *office) traced(t *testing.T, customer string, at time.Time) {
	t.Helper()
	call := o.as(customer, at)
	var home string
	err := o.DB.View(t.Context(), dbtest.At(at), func(v *db.View) error {
		list, err := identity.Projects(t.Context(), v, customer)
		home = list[0].ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.CreateTracker(t.Context(), call, home, &trace.Change{Kind: trace.System, Name: trace.System}); err != nil {
		t.Fatal(err)
	}
}

// left are the traces of a customer, the oldest first: their names and ratings.
func (o *office) left(t *testing.T, customer string) (out []string) {
	t.Helper()
	err := o.DB.View(t.Context(), dbtest.At(now), func(v *db.View) error {
		list, err := trace.Latest(t.Context(), v, customer, 100)
		for i := range list {
			l := &list[i]
			if l.Kind != trace.BySystem || l.Caller != "" || l.Customer != customer {
				t.Errorf("%+v", l)
			}
			out = append(out, l.Name+" "+l.Rating)
		}
		slices.Reverse(out)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// started registers a server that the house meters itself and starts it.
func (o *office) started(t *testing.T, customer, id string, at time.Time) {
	t.Helper()
	call := o.by("purser-operator", at)
	if _, err := o.RegisterResource(t.Context(), call, usage.Resource{Customer: customer, ID: id, Described: server, Factor: "duration"}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.ActOnResource(t.Context(), call, customer, id, "start"); err != nil {
		t.Fatal(err)
	}
}

// A self-metered server runs from start to stop, to the second; it owes when money runs out, is frozen after the grace,
// thawed by a top-up that pays all, and released when none comes.
func TestArrears(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		const day = 24 * time.Hour
		customer := o.own(t, "thin", now, 10, nil)
		o.traced(t, customer, now)
		begin := now.Add(17 * time.Minute)
		o.started(t, customer, "i-1", begin)
		o.shift(t, customer, begin.Add(8*time.Hour))
		var seconds int64
		for _, f := range o.fees(t, customer, now) {
			seconds += f.Used
			if f.Consumed.Start.Before(begin) {
				t.Errorf("charged from %s", f.Consumed.Start)
			}
		}
		if want := int64(43*60 + 6*3600); seconds != want {
			t.Errorf("%d s charged by then, want %d", seconds, want)
		}
		held := o.held(t, customer)
		if held.Cash != 0 || held.Debt <= 0 {
			t.Errorf("%+v", held)
		}
		owes := begin.Truncate(time.Hour).Add(6*time.Hour + 15*day)
		o.shift(t, customer, owes)
		if s := o.status(t, customer, "i-1", owes); s != usage.InUse {
			t.Errorf("in grace: %d", s)
		}
		frozen := owes.Add(3 * time.Hour)
		o.shift(t, customer, frozen)
		if s := o.status(t, customer, "i-1", frozen); s != usage.Frozen {
			t.Fatalf("after the grace: %d", s)
		}
		if _, err := o.ActOnResource(t.Context(), o.by("purser-operator", frozen), customer, "i-1", "start"); !fault.Is(err, "PURSER.1113") {
			t.Errorf("a frozen one: %v", err)
		}
		owed := o.held(t, customer).Debt
		o.shift(t, customer, frozen.Add(5*time.Hour))
		if more := o.held(t, customer).Debt; more != owed {
			t.Errorf("frozen, and still %s became %s", owed, more)
		}
		o.pays(t, customer, frozen.Add(6*time.Hour), 1)
		if s := o.status(t, customer, "i-1", frozen); s != usage.Frozen {
			t.Errorf("not all was paid: %d", s)
		}
		o.pays(t, customer, frozen.Add(7*time.Hour), 1500)
		if s := o.status(t, customer, "i-1", frozen); s != usage.InUse {
			t.Errorf("all was paid: %d", s)
		}
		if got := o.left(t, customer); !slices.Equal(got, []string{"freezeResource normal", "unfreezeResource normal"}) {
			t.Errorf("traces: %q", got)
		}
		before := len(o.fees(t, customer, frozen))
		o.shift(t, customer, frozen.Add(11*time.Hour))
		if after := len(o.fees(t, customer, frozen)); after <= before {
			t.Errorf("thawed, and not metered: %d, %d", before, after)
		}
		if _, err := o.ActOnResource(t.Context(), o.by("purser-operator", frozen.Add(12*time.Hour)), customer, "i-1", "stop"); err != nil {
			t.Fatal(err)
		}

		poor := o.own(t, "poor", now, 0, nil)
		o.traced(t, poor, now)
		o.started(t, poor, "i-2", now)
		o.shift(t, poor, now.Add(40*day))
		if s := o.status(t, poor, "i-2", now); s != usage.Deleted {
			t.Errorf("in the end: %d", s)
		}
		if got := o.left(t, poor); !slices.Equal(got, []string{"freezeResource normal", "deleteResource normal"}) {
			t.Errorf("traces: %q", got)
		}
		o.sound(t)
	})
}

// Members that a master pays for stand with it: their servers are frozen and go on with the master's arrears. One that leaves
// goes on at once, one that comes is frozen, and nothing is started meanwhile.
func TestArrearsOfMembers(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		const day = 24 * time.Hour
		boss := func(at time.Time) *operation.Call { return o.by("purser-operator", at) }
		master := o.own(t, "master", now, 0, nil)
		join := func(member, accounting string, at time.Time) {
			t.Helper()
			if _, err := o.JoinMaster(t.Context(), boss(at), member, master, accounting, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		stands := func(customer string, want usage.Status, when string, at time.Time) {
			t.Helper()
			if got := o.status(t, customer, "i-"+customer[:4], at); got != want {
				t.Errorf("%s: %d, want %d", when, got, want)
			}
		}
		var members [4]string
		for i := range members {
			members[i] = o.own(t, fmt.Sprint("member-", i), now, 100_000, nil)
			o.traced(t, members[i], now)
			if i < 3 {
				join(members[i], []string{account.Unified, account.Unified, account.Independent}[i], now)
			}
			o.started(t, members[i], "i-"+members[i][:4], now)
		}
		at := now.Add(16 * day)
		for _, id := range append(members[:], master) {
			o.shift(t, id, at)
		}
		for i, want := range []usage.Status{usage.Frozen, usage.Frozen, usage.InUse, usage.InUse} {
			stands(members[i], want, fmt.Sprint("member ", i, " after the grace"), at)
		}
		o.pays(t, members[0], at, 1000)
		stands(members[0], usage.Frozen, "the member's own money does not matter", at)
		if _, err := o.RegisterResource(t.Context(), boss(at), usage.Resource{Customer: members[0], ID: "i-new", Described: server, Factor: "duration"}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.ActOnResource(t.Context(), boss(at), members[0], "i-new", "start"); !fault.Is(err, "PURSER.1113") {
			t.Errorf("started in arrears: %v", err)
		}
		if err := o.LeaveMaster(t.Context(), boss(at), members[1]); err != nil {
			t.Fatal(err)
		}
		stands(members[1], usage.InUse, "it left", at)
		join(members[2], account.Unified, at)
		stands(members[2], usage.Frozen, "it came", at)
		o.pays(t, master, at.Add(time.Hour), 100_000)
		stands(members[0], usage.InUse, "all was paid", at)
		stands(members[2], usage.InUse, "all was paid", at)
		for i, want := range [][]string{{"freezeResource normal", "unfreezeResource normal"}, {"freezeResource normal", "unfreezeResource normal"}, {"freezeResource normal", "unfreezeResource normal"}, nil} {
			if got := o.left(t, members[i]); !slices.Equal(got, want) {
				t.Errorf("traces of member %d: %q", i, got)
			}
		}
		for i := range members {
			before := len(o.fees(t, members[i], at))
			o.shift(t, members[i], at.Add(5*time.Hour))
			if after := len(o.fees(t, members[i], at)); after <= before {
				t.Errorf("member %d goes on, and is not metered: %d, %d", i, before, after)
			}
		}
		for i := range members {
			if _, err := o.ActOnResource(t.Context(), boss(at.Add(5*time.Hour)), members[i], "i-"+members[i][:4], "stop"); err != nil {
				t.Fatal(err)
			}
		}

		poor, child := o.own(t, "poor-master", now, 0, nil), o.own(t, "child", now, 0, nil)
		master = poor
		join(child, account.Unified, now)
		o.started(t, child, "i-"+child[:4], now)
		for _, id := range []string{child, poor, child} {
			o.shift(t, id, now.Add(40*day))
		}
		stands(child, usage.Deleted, "in the end", now)
		o.sound(t)
	})
}

// A customer who settles monthly owes nothing until the 3rd; then cash and credit pay for the month before, and not for the
// running one.
func TestMonthly(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		start := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
		customer := o.own(t, "direct", start, 50, func(c *account.Customer) { c.Settlement, c.CreditLimit = account.Monthly, 100_000_000 })
		o.started(t, customer, "i-1", start)
		third := time.Date(2026, 12, 2, 19, 0, 0, 0, time.UTC) // 03:00 on the 3rd, GMT+8
		o.shift(t, customer, third.Add(-time.Second))
		held := o.held(t, customer)
		if held.Cash != 50_000_000 || held.Credit != 0 || held.Debt == 0 {
			t.Fatalf("before the 3rd: %+v", held)
		}
		november := sum(o.fees(t, customer, start))
		november -= november % (dollar / 100) // the month is closed before it is paid: what its bill cuts off is not owed
		o.shift(t, customer, third)
		after := o.held(t, customer)
		if paid := held.Cash - after.Cash + after.Credit; paid != november || after.Cash != 0 {
			t.Errorf("on the 3rd %s was paid for %s of November: %+v", paid, november, after)
		}
		if after.Debt != sum(o.fees(t, customer, third)) {
			t.Errorf("owed is %s, December comes to %s", after.Debt, sum(o.fees(t, customer, third)))
		}
		o.shift(t, customer, third.AddDate(0, 1, 0))
		if in, found := o.inArrears(t, customer); !found || !in.Since.Equal(third.AddDate(0, 1, 0)) {
			t.Errorf("credit does not suffice for December: %+v, %v", in, found)
		}
		o.sound(t)
	})
}

func (o *office) inArrears(t *testing.T, customer string) (a settlement.Arrears, found bool) {
	t.Helper()
	err := o.DB.View(t.Context(), dbtest.At(now), func(v *db.View) (err error) {
		a, found, err = settlement.ArrearsOf(t.Context(), v, customer)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, found
}

// What is far too old or far ahead is kept aside when its customer's clock says so; mended it counts.
func TestQuarantine(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "odd", now, 1000, nil)
		hour := now.Truncate(time.Hour)
		lost := ran(customer, "lost", hour, 60)
		lost.Described = usage.Described{}
		wrong := ran(customer, "wrong", hour, 60)
		wrong.Spec = "s3.nothing"
		fine := ran(customer, "fine", hour, 60)
		half := ran(customer, "half", hour, 60)
		half.Value, _ = money.ParseDecimal("0.5")
		other := ran(customer, "fine", hour, 61)
		other.Resource = "i-fine"
		strange := ran("nobody", "x", hour, 60)
		unit := ran(customer, "unit", hour, 60)
		unit.Unit = 17
		out := o.report(t, fine, ran(customer, "old", hour.AddDate(-1, -2, 0), 60), ran(customer, "ahead", hour.AddDate(0, 3, 0), 60), lost, wrong, half, other, strange, unit)
		for i, code := range []string{"", "", "", usage.NoResource, usage.NoProduct, "CBC.99006050", "PURSER.1104", "PURSER.1105", "CBC.99006050"} {
			if f := out[i].Why; code == "" && f != nil || code != "" && (f == nil || f.Code != code) {
				t.Errorf("record %d: %+v, want %s", i, out[i], code)
			}
		}
		o.shift(t, customer, hour.Add(3*time.Hour))
		boss := o.by("purser-operator", now)
		total, page, err := o.Quarantine(t.Context(), boss, customer, usage.Kept, 0, 10)
		codes := map[string]string{}
		for i := range page {
			codes[page[i].Record.ID] = page[i].Code
		}
		if err != nil || total != 4 || codes["old"] != usage.TooLate || codes["ahead"] != usage.TooEarly || codes["lost"] != usage.NoResource || codes["wrong"] != usage.NoProduct {
			t.Fatalf("%d, %v, %v", total, codes, err)
		}
		if fees := o.fees(t, customer, now); len(fees) != 1 {
			t.Errorf("%+v", fees)
		}
		for i := range page {
			h := &page[i]
			if h.Record.ID == "lost" {
				if _, err := o.ReplayUsage(t.Context(), boss, customer, h.ID, nil); !fault.Is(err, usage.NoResource) {
					t.Errorf("as it was: %v", err)
				}
				mended := h.Record
				mended.Described = server
				if _, err := o.ReplayUsage(t.Context(), boss, customer, h.ID, &mended); err != nil {
					t.Errorf("mended: %v", err)
				}
				if _, err := o.ReplayUsage(t.Context(), boss, customer, h.ID, &mended); !fault.Is(err, "PURSER.1121") {
					t.Errorf("again: %v", err)
				}
			} else if _, err := o.DropUsage(t.Context(), boss, customer, h.ID); err != nil {
				t.Error(err)
			}
		}
		if out := o.report(t, lost); out[0].Verdict != usage.Duplicate {
			t.Errorf("sent again: %+v", out[0])
		}
		o.shift(t, customer, hour.Add(3*time.Hour))
		if fees := o.fees(t, customer, now); len(fees) != 2 {
			t.Errorf("%+v", fees)
		}
		total, records, err := o.UsageRecords(t.Context(), boss, customer, "i-lost", period.Span{Start: hour, End: hour.Add(time.Hour)}, 0, 10)
		if err != nil || total != 1 || records[0].Value != money.DecimalOf(60) {
			t.Errorf("%d, %+v, %v", total, records, err)
		}
		if _, _, err := o.UsageRecords(t.Context(), o.by("cedar-labs", now), customer, "", period.Span{Start: hour, End: hour.Add(time.Hour)}, 0, 10); !fault.Is(err, "CBC.0151") {
			t.Errorf("another's: %v", err)
		}
		if _, err := o.AcceptUsage(t.Context(), o.by("cedar-labs", now), []usage.Record{fine}); !fault.Is(err, "CBC.0151") {
			t.Errorf("by a customer: %v", err)
		}
	})
}

// After its time a record is forgotten: its id may come again, and is then far too old.
func TestForget(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "long", now, 1000, nil)
		one := ran(customer, "a", now.Truncate(time.Hour), 60)
		younger := ran(o.own(t, "younger", now, 1000, nil), "a", now.Truncate(time.Hour).AddDate(0, 0, 3), 60) // another's, of the same name
		if out := o.report(t, one, younger); out[0].Verdict != usage.Accepted || out[1].Verdict != usage.Accepted {
			t.Fatalf("%+v", out)
		}
		later := now.AddDate(0, 13, 1)
		if err := o.ForgetUsage(t.Context(), later.AddDate(0, 0, -3)); err != nil {
			t.Fatal(err)
		}
		if out := o.report(t, one); out[0].Verdict != usage.Duplicate {
			t.Errorf("remembered: %+v", out[0])
		}
		out := o.report(t, one)
		for n := 0; n < 1000 && out[0].Verdict == usage.Duplicate; n++ { // a few at a time, and the demo's are older
			if err := o.ForgetUsage(t.Context(), later); err != nil {
				t.Fatal(err)
			}
			out = o.report(t, one)
		}
		if out[0].Verdict != usage.Accepted {
			t.Errorf("forgotten: %+v", out[0])
		}
		if out := o.report(t, younger); out[0].Verdict != usage.Duplicate {
			t.Errorf("another's of the same name is forgotten, too: %+v", out[0])
		}
	})
}

// Pages of all records tile them, wherever in a bucket they begin, and each says how many there are.
func TestPagesOfRecords(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "pages", now, 1000, nil)
		hour, ids := now.Truncate(time.Hour), []string{}
		for i := range 7 { // 1, 2, 3, 1 in hours one after another, each hour in two batches or one
			ids = append(ids, fmt.Sprintf("r%d", i))
			at := hour.Add(time.Duration([]int{0, 1, 1, 2, 2, 2, 3}[i]) * time.Hour)
			if out := o.report(t, ran(customer, ids[i], at, 60)); out[0].Verdict != usage.Accepted {
				t.Fatalf("%+v", out[0])
			}
		}
		boss, span := o.by("purser-operator", now), period.Span{Start: hour, End: hour.Add(4 * time.Hour)}
		for limit := 1; limit <= 8; limit++ {
			got := map[string]bool{}
			for offset := 0; offset <= len(ids); offset += limit {
				total, page, err := o.UsageRecords(t.Context(), boss, customer, "", span, offset, limit)
				if err != nil || total != len(ids) || len(page) != min(limit, len(ids)-offset) {
					t.Fatalf("page of %d at %d: %d of %d, %v", limit, offset, len(page), total, err)
				}
				for i := range page {
					got[page[i].ID] = true
				}
			}
			if len(got) != len(ids) {
				t.Errorf("pages of %d: %v", limit, got)
			}
		}
	})
}

// When too much is on its way in, a batch is turned away with when to come again, and nothing of it is kept.
func TestBackPressure(t *testing.T) {
	o := open(t, furnished.SQLite(t))
	customer := o.own(t, "many", now, 100, nil)
	one := ran(customer, "a", now.Truncate(time.Hour), 60)
	o.Accepting = make(chan struct{}) // no room at all
	_, err := o.AcceptUsage(t.Context(), o.by("purser-operator", now), []usage.Record{one})
	if f, ok := fault.As(err); !ok || f.Code != "PURSER.1130" || f.Kind != fault.TooMany || f.Retry != 1 {
		t.Errorf("%v", err)
	}
	o.Accepting = make(chan struct{}, 1)
	if out := o.report(t, one); out[0].Verdict != usage.Accepted {
		t.Errorf("with room: %+v", out[0])
	}
}
