package operation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// demoYear lets the demo's customers, once, have lived for a year until a month ago: servers renewed by themselves each month,
// and storage, traffic and servers by use, more of them from month to month. Day after day each catches up, so that everything that
// was due in between happened at its own instant, as on a turned clock. What the year holds is a function of its first day.
func (c *Counter) demoYear(ctx context.Context, customers []*DemoAccount, m order.Means, say func(string)) error {
	now := c.Clock()
	bucket := usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: "ap-southeast-1"}
	server := usage.Described{Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1"}
	site := usage.Described{Service: "hws.service.type.cdn", ResourceType: "hws.resource.type.cdn", Spec: "cdn.flow.mainland", Region: "ap-southeast-1"}
	var all Happened
	for i, account := range customers {
		y := &year{shopper: &shopper{Counter: c, ctx: ctx, account: account, now: now}, days: map[int][]func(){}, used: map[int][]usage.Record{}}
		switch i {
		case 0:
			y.monthly(350, m, demoServer("portal", "s3.medium.2.linux", 1, 1))
			y.monthly(230, m, demoServer("database", "s3.large.2.linux", 1, 1))
			y.use(350, 40, bucket, "backup", "upflow", 13, 1<<32)
			y.use(300, 25, server, "batch", "Duration", 4, 1)
		case 1:
			y.monthly(320, order.Means{}, demoServer("ledger", "s3.medium.2.linux", 1, 1))
			y.use(320, 30, site, "site", "upflow", 13, 1<<33)
		default:
			y.use(290, 20, bucket, "results", "upflow", 13, 1<<32)
		}
		happened, err := y.live(demoFresh)
		if err != nil {
			return fmt.Errorf("demo year: %w", err)
		}
		all.Add(happened)
		say(fmt.Sprintf("demo cloud: a year of %s, %d things that happened by themselves", account.Domain.Name, happened.Things))
		fresh := db.Instants{Now: now.AddDate(0, 0, -demoFresh), Real: now}
		if err := c.DB.Update(ctx, fresh, func(tx *db.Tx) error { return c.demoMoney(ctx, tx, account) }); err != nil {
			return fmt.Errorf("demo year: %w", err)
		}
	}
	return c.demoCloses(ctx, all)
}

// demoCloses keeps for each month that was closed the work that its close was, as the night shift of that time would have.
func (c *Counter) demoCloses(ctx context.Context, happened Happened) error {
	for _, cycle := range slices.Sorted(maps.Keys(happened.Closed)) {
		if err := c.Closes(ctx, cycle.Closes(), &Happened{Closed: map[period.Cycle]int{cycle: happened.Closed[cycle]}}, true); err != nil {
			return err
		}
	}
	return nil
}

// year is what a customer does on which day, counted back from today, and what its resources use.
type year struct {
	*shopper
	days map[int][]func()
	used map[int][]usage.Record
}

// live goes through the year day after day, until a day.
func (y *year) live(until int) (happened Happened, err error) {
	for back := demoDays - 1; back >= until; back-- {
		for _, do := range y.days[back] {
			do()
		}
		if records := y.used[back]; len(records) > 0 && y.err == nil {
			out, err := y.AcceptUsage(y.ctx, LocalOperator("AcceptUsage", y.now), records)
			for i := range out {
				if err == nil && out[i].Why != nil {
					err = out[i].Why
				}
			}
			y.err = err
		}
		if y.err != nil {
			return happened, y.err
		}
		n, err := y.CatchUpTelling(y.ctx, y.now.AddDate(0, 0, -back), Visit{Customer: y.account.Domain.ID}, happened.Add)
		if happened.Things += n; err != nil {
			return happened, err
		}
	}
	return happened, nil
}

// monthly buys something for a month that is renewed by itself from then on.
func (y *year) monthly(back int, m order.Means, one order.Item) {
	y.days[back] = append(y.days[back], func() {
		ago := time.Duration(back)*24*time.Hour + time.Hour
		id := y.buy(ago, m, one)
		if y.err != nil {
			return
		}
		call := y.ago(ago-2*time.Minute, "AutoRenewalResources", "setResourcesAutorenew")
		list, err := y.ListResources(y.ctx, call, "", subscription.Query{Order: id, OnlyMain: true}, 0, 10)
		if err == nil && len(list.Resources) == 0 {
			err = fmt.Errorf("%s is not there", one.Name)
		}
		if err == nil {
			err = y.SetAutoRenewal(y.ctx, call, list.Resources[0].ID, nil, period.Month)
		}
		y.err = err
	})
}

// use lets a resource use something once a day from a day on: more from month to month, less at weekends.
func (y *year) use(from, hours int, as usage.Described, name, factor string, unit int32, each int64) {
	for back := from; back > demoFresh+1; back-- {
		end := y.now.AddDate(0, 0, -back).Truncate(time.Hour).Add(-3 * time.Hour)
		n := int64(hours) * int64(from-back+60) / int64(from+60) / 4
		if w := end.Weekday(); w == time.Saturday || w == time.Sunday {
			n /= 2
		}
		y.used[back] = append(y.used[back], usage.Record{
			Source: "demo", ID: fmt.Sprintf("%s-%s-%d", name, factor, back), Customer: y.account.Domain.ID, Resource: name, Name: name, Described: as,
			Factor: factor, Value: money.DecimalOf((n + 1) * each), Unit: unit, Start: end.Add(-time.Hour), End: end,
		})
	}
}
