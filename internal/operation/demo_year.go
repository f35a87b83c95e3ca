package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// demoYear lets the demo's customers, once, have lived for a year until a month ago: servers renewed by themselves each month,
// and storage, traffic and servers by use, more of them from month to month. Everything that was due in
// between happened at its own instant, as on a turned clock. What the year holds is a function of its first day.
func (c *Counter) demoYear(ctx context.Context, customers []*DemoAccount, m order.Means, say func(string)) error {
	const day = 24 * time.Hour
	now := c.Clock()
	fresh := now.Add(-demoFresh * day)
	for i, account := range customers {
		s := &shopper{Counter: c, ctx: ctx, account: account, now: now}
		switch i {
		case 0:
			s.monthly(350*day, m, demoServer("portal", "s3.medium.2.linux", 1, 1))
			s.monthly(230*day, m, demoServer("database", "s3.large.2.linux", 1, 1))
			s.used(350, 40, usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: "ap-southeast-1"}, "backup", "upflow", 13, 1<<32)
			s.used(300, 25, usage.Described{Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1"}, "batch", "Duration", 4, 1)
		case 1:
			s.monthly(320*day, order.Means{}, demoServer("ledger", "s3.medium.2.linux", 1, 1))
			s.used(320, 30, usage.Described{Service: "hws.service.type.cdn", ResourceType: "hws.resource.type.cdn", Spec: "cdn.flow.mainland", Region: "ap-southeast-1"}, "site", "upflow", 13, 1<<33)
		default:
			s.used(290, 20, usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: "ap-southeast-1"}, "results", "upflow", 13, 1<<32)
		}
		if s.err != nil {
			return fmt.Errorf("demo year: %w", s.err)
		}
		happened, err := c.CatchUp(ctx, fresh, account.Domain.ID)
		if err != nil {
			return fmt.Errorf("demo year: %w", err)
		}
		say(fmt.Sprintf("demo cloud: a year of %s, %d things that happened by themselves", account.Domain.Name, happened))
		err = c.DB.Update(ctx, db.Instants{Now: fresh, Real: now}, func(tx *db.Tx) error { return c.demoMoney(ctx, tx, account) })
		if err != nil {
			return fmt.Errorf("demo year: %w", err)
		}
	}
	return nil
}

// monthly buys something for a month that is renewed by itself from then on.
func (s *shopper) monthly(back time.Duration, m order.Means, one order.Item) {
	id := s.buy(back, m, one)
	if s.err != nil {
		return
	}
	call := s.ago(back-2*time.Minute, "AutoRenewalResources", "setResourcesAutorenew")
	list, err := s.ListResources(s.ctx, call, "", subscription.Query{Order: id, OnlyMain: true}, 0, 10)
	if err == nil && len(list.Resources) == 0 {
		err = fmt.Errorf("%s is not there", one.Name)
	}
	if err == nil {
		err = s.SetAutoRenewal(s.ctx, call, list.Resources[0].ID, nil, period.Month)
	}
	s.err = err
}

// used reports use of a resource, once a day from a day on until the demo's last month begins: more from month to month, less
// at weekends.
func (s *shopper) used(from, hours int, as usage.Described, name, factor string, unit int32, each int64) {
	if s.err != nil {
		return
	}
	noon := s.now.UTC().Truncate(24 * time.Hour).Add(4 * time.Hour)
	var records []usage.Record
	for back := from; back > demoFresh+1; back-- {
		end := noon.AddDate(0, 0, -back)
		n := int64(hours) * int64(from-back+60) / int64(from+60) / 4
		if w := end.Weekday(); w == time.Saturday || w == time.Sunday {
			n /= 2
		}
		records = append(records, usage.Record{
			Source: "demo", ID: fmt.Sprintf("%s-%s-%d", name, factor, back), Customer: s.account.Domain.ID, Resource: name, Name: name, Described: as,
			Factor: factor, Value: money.DecimalOf((n + 1) * each), Unit: unit, Start: end.Add(-time.Hour), End: end,
		})
	}
	out, err := s.AcceptUsage(s.ctx, LocalOperator("AcceptUsage", s.now), records)
	for i := range out {
		if err == nil && out[i].Why != nil {
			err = out[i].Why
		}
	}
	s.err = err
}
