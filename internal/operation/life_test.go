package operation_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// told lists what the outside is told about a customer, in order: each topic with its business instant.
func (o *office) told(t *testing.T, customer string) (list []string) {
	t.Helper()
	err := o.DB.View(t.Context(), dbtest.At(now), func(v *db.View) error {
		rows, err := v.Query(t.Context(), `SELECT topic, body, happened_at FROM outbox_message WHERE customer = $1 ORDER BY happened_at, topic, id`, customer)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var topic, body string
			var at int64
			if err := rows.Scan(&topic, &body, &at); err != nil {
				return err
			}
			var m order.Told
			if err := json.Unmarshal([]byte(body), &m); err != nil {
				return err
			}
			list = append(list, fmt.Sprintf("%s %s %d %s", db.TimeOf(at).In(period.GMT8).Format("01-02 15:04"), topic, len(m.Resources), m.Reason))
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// newcomer is a customer of its own with some money.
func (o *office) newcomer(t *testing.T, name string, at time.Time, cash money.Amount) func(time.Time) *operation.Call {
	t.Helper()
	made, err := o.CreateCustomer(t.Context(), o.by("purser-operator", at), operation.NewCustomer{Account: name, User: name, Record: account.Customer{Country: "SG"}})
	if err != nil {
		t.Fatal(err)
	}
	if cash > 0 {
		if _, err := o.TopUp(t.Context(), o.by("purser-operator", at), operation.Movement{Customer: made.Customer.ID, Amount: cash, Reference: name}); err != nil {
			t.Fatal(err)
		}
	}
	return func(at time.Time) *operation.Call {
		call := o.by("cedar-labs", at)
		call.Caller.DomainID, call.Caller.UserID = made.Customer.ID, "u-"+name
		return call
	}
}

// serverAndDisk is an order of a server with its disk for a month.
func serverAndDisk() *operation.NewOrder {
	in := oneServer(1)
	in.AutoPay = true
	in.Items[0].Attached = []order.Item{{Wanted: with(vm("d", "1"), func(w *catalog.Wanted) {
		w.Service, w.ResourceType, w.Spec, w.Size = "hws.service.type.ebs", "hws.resource.type.volume", "SAS", rating.Size{Value: money.DecimalOf(100), Unit: 17}
	})}}
	return in
}

// serverWithDisk orders a server with its disk and pays; the server is the first.
func (o *office) serverWithDisk(t *testing.T, call *operation.Call) []subscription.Resource {
	t.Helper()
	placed, err := o.PlaceOrder(t.Context(), call, serverAndDisk())
	if err != nil || placed.Refused != nil {
		t.Fatal(err, placed.Refused)
	}
	list, err := o.ListResources(t.Context(), call, "", subscription.Query{Order: placed.Order.ID}, 0, 10)
	if err != nil || len(list.Resources) != 2 {
		t.Fatal(err, list)
	}
	slices.SortFunc(list.Resources, func(a, b subscription.Resource) int { return strings.Compare(a.Parent, b.Parent) })
	return list.Resources
}

// The cloud is told each step of a resource's life, of the server and its disk together, at the instant at which it happened.
func TestEventsOfALife(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		o.Orders.Tell = o.TellOrder
		if _, err := o.AddWebhook(ctx, o.by("purser-operator", now), "https://cloud.example/purser", []string{"order.paid", "resource.*"}); err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 12, 10, 10, 0, 0, 0, period.GMT8)
		me := o.newcomer(t, "life", start, 20*dollar)
		customer := me(start).Caller.DomainID
		list := o.serverWithDisk(t, me(start)) // 15.24; until the end of January 10
		server := list[0].ID
		if err := o.SetAutoRenewal(ctx, me(start), server, nil, period.None); err != nil {
			t.Fatal(err)
		}
		at := func(month, day, hour int) time.Time {
			return time.Date(2027, time.Month(month), day, hour, 0, 0, 0, period.GMT8)
		}
		topUp := func(at time.Time, amount money.Amount) {
			t.Helper()
			if _, err := o.TopUp(ctx, o.by("purser-operator", at), operation.Movement{Customer: customer, Amount: amount, Reference: at.String()}); err != nil {
				t.Fatal(err)
			}
		}
		o.shift(t, customer, at(1, 4, 12)) // two tries
		topUp(at(1, 4, 12), 14*dollar)
		o.shift(t, customer, at(1, 5, 12)) // renewed until the end of February 10
		if err := o.CancelAutoRenewal(ctx, me(at(1, 6, 0)), server); err != nil {
			t.Fatal(err)
		}
		topUp(at(1, 7, 12), 100*dollar)
		if _, err := o.ChangeResource(ctx, me(at(1, 7, 12)), list[1].ID, "", rating.Size{Value: money.DecimalOf(50), Unit: 17}, false); err != nil {
			t.Fatal(err)
		}
		o.shift(t, customer, at(2, 27, 0)) // expired and frozen
		if made, err := o.RenewResources(ctx, me(at(2, 27, 0)), []string{server}, 2, 1, true); err != nil || len(made.Failed) > 0 {
			t.Fatal(err, made)
		}
		if err := func() error {
			failed, err := o.ToOnDemand(ctx, me(at(3, 1, 0)), []string{server}, false)
			if len(failed) > 0 {
				return failed[0].Why
			}
			return err
		}(); err != nil {
			t.Fatal(err)
		}
		second := o.serverWithDisk(t, me(at(3, 1, 0)))
		o.shift(t, customer, at(5, 20, 0))
		want := []string{
			"12-10 10:00 order.paid 2 ",
			"01-04 03:00 resource.renewal-refused 2 CBC.99005003",
			"01-05 03:00 order.paid 2 ",
			"01-07 12:00 resource.changed 1 ",
			"02-11 00:00 resource.expired 2 ",
			"02-26 00:00 resource.frozen 2 ",
			"02-27 00:00 order.paid 2 ",
			"02-27 00:00 resource.resumed 2 ",
			"03-01 00:00 order.paid 2 ",
			"03-11 00:00 resource.converted 2 ",
			"04-02 00:00 resource.expired 2 ",
			"04-17 00:00 resource.frozen 2 ",
			"05-02 00:00 resource.released 2 ",
		}
		got := o.told(t, customer)
		fits := len(got) >= len(want)
		for i, j := 0, 0; fits && i < len(want); i, j = i+1, j+1 {
			for j < len(got) && !strings.HasPrefix(got[j], want[i]) && strings.Contains(got[j], "renewal-refused") {
				j++ // the other tries
			}
			fits = j < len(got) && strings.HasPrefix(got[j], want[i])
		}
		if !fits {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, id := range []string{server, second[0].ID, second[1].ID} {
			if page, err := o.ListResources(ctx, me(at(5, 20, 0)), "", subscription.Query{IDs: []string{id}}, 0, 1); err != nil || page.Resources[0].Status != subscription.Closed {
				t.Errorf("%v, %+v", err, page)
			}
		}
		o.sound(t)
	})
}

// outcome is everything that a customer has, with its instants: the ids apart.
func (o *office) outcome(t *testing.T, me func(time.Time) *operation.Call, at time.Time) (out []string) {
	t.Helper()
	resources, err := o.ListResources(t.Context(), me(at), "", subscription.Query{}, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources.Resources {
		out = append(out, fmt.Sprint("resource ", r.Spec, r.Status, r.Policy, r.AutoLeft, r.Unit, r.Periods, r.Size.Value, r.Effective.UTC(), r.Expires.UTC(), r.Next.UTC(), r.Updated.UTC()))
	}
	err = o.DB.View(t.Context(), dbtest.At(at), func(v *db.View) error {
		_, list, err := order.List(t.Context(), v, me(at).Caller.DomainID, &order.Query{}, 0, 10_000)
		for i := range list {
			x := &list[i]
			out = append(out, fmt.Sprint("order ", x.Type, x.Status, x.Source, x.Official, x.Amount, x.Fee, x.Consumed, x.Paid, x.Created.UTC(), x.PaidAt.UTC(), x.Deadline.UTC()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	held, err := o.ShowBalances(t.Context(), me(at))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return append(out, fmt.Sprint("cash ", held.Cash))
}

// deed is one of what customers do to their resources; what is refused is refused to both of two equal ones.
func (o *office) deed(t *testing.T, r *rand.Rand, call *operation.Call, servers *[]subscription.Resource, disks *[]subscription.Resource) string {
	t.Helper()
	ctx, n := t.Context(), r.IntN(len(*servers)+1)
	what, amount := r.IntN(9), int64(20+10*r.IntN(20))
	if n == len(*servers) && n < 6 {
		list := o.serverWithDisk(t, call)
		*servers, *disks = append(*servers, list[0]), append(*disks, list[1])
		return "bought"
	}
	n = min(n, len(*servers)-1)
	server, disk := (*servers)[n].ID, (*disks)[n].ID
	var err error
	switch what {
	case 0, 1:
		times := r.IntN(4)
		err = o.SetAutoRenewal(ctx, call, server, &times, []period.Unit{period.None, period.Month, period.Year}[r.IntN(3)])
	case 2:
		err = o.CancelAutoRenewal(ctx, call, server)
	case 3, 4:
		var made operation.OrdersMade
		made, err = o.RenewResources(ctx, call, []string{server}, 2, 1+r.IntN(3), r.IntN(4) > 0)
		if err == nil && len(made.Failed) > 0 {
			err = made.Failed[0].Why
		}
	case 5:
		_, err = o.ChangeResource(ctx, call, disk, "", rating.Size{Value: money.DecimalOf(amount), Unit: 17}, r.IntN(4) > 0)
	case 6:
		_, err = o.Unsubscribe(ctx, call, []string{server}, r.IntN(4) > 0, "")
	case 7:
		err = o.SetRenewConfig(ctx, call, "EXPIRE_DATE", []string{"1", "15", "28", "-1"}[r.IntN(4)])
	default:
		err = o.SetRenewConfig(ctx, call, "DEDUCTION_DATE", fmt.Sprint(2+r.IntN(6)))
	}
	return fmt.Sprint(what, " ", code(err))
}

// Whatever customers do to their resources over years, in any state: terms tile, books add up. It makes no difference whether the
// night shift came every few hours or was down for weeks: each thing happens at its own instant. Two equal
// customers end alike, to the digit.
func TestLivesThroughTime(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		rounds, deeds := 6, 60
		if d.Engine() == db.PostgreSQL {
			rounds, deeds = 2, 40
		}
		for round := range rounds {
			start := time.Date(2027, 1, 26+round, 9, 30, 0, 0, period.GMT8)
			cash := money.Amount(200+800*(round%3)) * dollar
			always := o.newcomer(t, fmt.Sprint("always-", round), start, cash)
			seldom := o.newcomer(t, fmt.Sprint("seldom-", round), start, cash)
			script := rand.New(rand.NewPCG(4, uint64(round)))
			var sa, da, sb, db []subscription.Resource
			at := start
			sa, da, sb, db = o.serverWithDisk(t, always(at)), nil, o.serverWithDisk(t, seldom(at)), nil
			sa, da, sb, db = sa[:1], sa[1:], sb[:1], sb[1:]
			for n := range deeds {
				next := at.Add(time.Duration(1+script.IntN(24*25)) * time.Hour)
				for tick := at; tick.Before(next); tick = tick.Add(time.Duration(5+script.IntN(40)) * time.Hour) {
					o.shift(t, always(at).Caller.DomainID, tick)
				}
				at = next
				o.shift(t, always(at).Caller.DomainID, at)
				o.shift(t, seldom(at).Caller.DomainID, at)
				seed := script.Uint64()
				a := o.deed(t, rand.New(rand.NewPCG(seed, 1)), always(at), &sa, &da)
				b := o.deed(t, rand.New(rand.NewPCG(seed, 1)), seldom(at), &sb, &db)
				if a != b {
					t.Fatalf("round %d, deed %d at %s: %s, after downtime %s", round, n, at, a, b)
				}
			}
			at = at.AddDate(0, 3, 0)
			o.shift(t, seldom(at).Caller.DomainID, at)
			for tick := at.AddDate(0, -3, 0); tick.Before(at); tick = tick.Add(7 * time.Hour) {
				o.shift(t, always(at).Caller.DomainID, tick)
			}
			o.shift(t, always(at).Caller.DomainID, at)
			a, b := o.outcome(t, always, at), o.outcome(t, seldom, at)
			if !slices.Equal(a, b) {
				t.Errorf("round %d:\n%s\nafter downtime\n%s", round, strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
			if len(a) < 20 {
				t.Errorf("round %d: next to nothing happened: %q", round, a)
			}
		}
		o.sound(t)
	})
}

// Who lives ahead of the house by a clock of its own is served, nobody else is; an advance says how far it is, and that it failed
// when something did.
func TestOneClockAhead(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := open(t, d), t.Context()
		o.Clocks = &clock.Wall{}
		boss := func() *operation.Call { return o.by("purser-operator", now) }
		ahead, here := o.newcomer(t, "ahead", now, 1000*dollar), o.newcomer(t, "here", now, 1000*dollar)
		for _, me := range []func(time.Time) *operation.Call{ahead, here} {
			if err := o.SetAutoRenewal(ctx, me(now), o.serverWithDisk(t, me(now))[0].ID, nil, period.None); err != nil {
				t.Fatal(err)
			}
		}
		work, err := o.MoveClock(ctx, boss(), ahead(now).Caller.DomainID, now.AddDate(1, 0, 0))
		if err != nil || work.State != job.Running {
			t.Fatal(err, work)
		}
		visits, _, done, err := o.DueCustomers(ctx, now, operation.Place{})
		if err != nil || !done || len(visits) != 1 || visits[0].Customer != ahead(now).Caller.DomainID {
			t.Errorf("%v, %t, %v", err, done, visits)
		}
		shift := cycle.New(o.Counter, func() time.Time { return now }, slog.New(slog.DiscardHandler))
		if err := shift.Round(ctx); err != nil {
			t.Fatal(err)
		}
		if work, err = o.Job(ctx, boss(), work.ID); err != nil || work.State != job.Done || work.Count < 11 || work.Message != "" {
			t.Errorf("%v, %+v", err, work)
		}
		if visits, _, _, err := o.DueCustomers(ctx, now, operation.Place{}); err != nil || len(visits) != 0 {
			t.Errorf("%v, still due: %v", err, visits)
		}
		// A resource whose customer is not to be found cannot go on.
		err = d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			one := subscription.New{Resource: subscription.Resource{Customer: "ghost", Instance: "g", ID: "g", Unit: period.Month, Periods: 1}}
			if err := one.Begin(o.Random, now, now, subscription.Life{Grace: 15, Retention: 15, Ahead: 7}); err != nil {
				return err
			}
			return subscription.Keep(ctx, tx, []subscription.New{one})
		})
		if err != nil {
			t.Fatal(err)
		}
		if work, err = o.MoveClock(ctx, boss(), clock.House, now.AddDate(0, 2, 0)); err != nil {
			t.Fatal(err)
		}
		if err := shift.Round(ctx); err != nil {
			t.Fatal(err)
		}
		if work, err = o.Job(ctx, boss(), work.ID); err != nil || work.State != job.Failed || work.Count < 2 || !strings.Contains(work.Message, "ghost") {
			t.Errorf("%v, %+v", err, work)
		}
		if page, err := o.ListResources(ctx, here(now.AddDate(0, 2, 0)), "", subscription.Query{}, 0, 1); err != nil || page.Resources[0].Expires.Before(now.AddDate(0, 2, 0)) {
			t.Errorf("the others go on: %v, %+v", err, page)
		}
	})
}
