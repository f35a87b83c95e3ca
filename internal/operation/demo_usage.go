package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/usage"
)

// demoUsage lets a customer have used something for a day: a bucket whose storage its package covers, traffic, and a
// server that the house meters itself and that goes on running.
func (c *Counter) demoUsage(ctx context.Context, s *shopper) error {
	const hours = 24 // all of them closed
	customer, start := s.account.Domain.ID, s.now.Truncate(time.Hour).Add(-(hours+2)*time.Hour)
	bucket := usage.Described{Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.standard.single", Region: "ap-southeast-1"}
	site := usage.Described{Service: "hws.service.type.cdn", ResourceType: "hws.resource.type.cdn", Spec: "cdn.flow.mainland", Region: "ap-southeast-1"}
	var records []usage.Record
	for hour := range hours {
		at := start.Add(time.Duration(hour) * time.Hour)
		for _, r := range []usage.Record{
			{Resource: "archive", Name: "archive", Described: bucket, Factor: "size", Value: money.DecimalOf(3), Unit: 17},
			{Resource: "archive", Name: "archive", Described: bucket, Factor: "upflow", Value: money.DecimalOf(int64(hour%7+1) << 28), Unit: 13},
			{Resource: "www", Name: "www", Described: site, Factor: "upflow", Value: money.DecimalOf(int64(hour%5+1) << 30), Unit: 13, Tags: map[string]string{"team": "web"}},
		} {
			r.Source, r.ID, r.Customer = "demo", fmt.Sprintf("%s-%s-%02d", r.Resource, r.Factor, hour), customer
			r.Start, r.End = at, at.Add(time.Hour)
			records = append(records, r)
		}
	}
	out, err := c.AcceptUsage(ctx, LocalOperator("AcceptUsage", s.now), records)
	if err != nil {
		return err
	}
	for i := range out {
		if out[i].Why != nil {
			return fmt.Errorf("demo usage: %w", out[i].Why)
		}
	}
	if err := c.demoAside(ctx, s, start); err != nil {
		return err
	}
	burst := usage.Resource{
		Customer: customer, ID: "burst-" + customer[:8], Name: "burst", Factor: "Duration",
		Described: usage.Described{Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1"},
	}
	call := LocalOperator("RegisterUsageResource", s.now)
	call.Now = start.Add(20 * time.Minute)
	if _, err := c.RegisterResource(ctx, call, burst); err != nil {
		return err
	}
	if _, err := c.ActOnResource(ctx, call, customer, burst.ID, "start"); err != nil {
		return err
	}
	for at := start.Add(2 * time.Hour); at.Before(s.now); at = at.Add(time.Hour) { // hour by hour, as it would have been charged
		if _, err := c.CatchUpTelling(ctx, at, Visit{Customer: customer}, s.happened.Add); err != nil {
			return err
		}
	}
	_, err = c.CatchUpTelling(ctx, s.now, Visit{Customer: customer}, s.happened.Add)
	return err
}

// demoAside lets records be kept aside: of a server that nobody has described, and of a product that the catalogue does not have.
func (c *Counter) demoAside(ctx context.Context, s *shopper, start time.Time) error {
	records := []usage.Record{
		{Resource: "gpu-07", Name: "gpu-07", Factor: "Duration", Value: money.DecimalOf(1), Unit: 4},
		{Resource: "vault", Name: "vault", Factor: "upflow", Value: money.DecimalOf(1 << 30), Unit: 13, Described: usage.Described{
			Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.vault.single", Region: "ap-southeast-1",
		}},
	}
	for i := range records {
		r := &records[i]
		r.Source, r.ID, r.Customer, r.Start, r.End = "demo", r.Resource+"-"+r.Factor, s.account.Domain.ID, start, start.Add(time.Hour)
	}
	out, err := c.AcceptUsage(ctx, LocalOperator("AcceptUsage", s.now), records)
	if err != nil {
		return err
	}
	for i := range out {
		if out[i].Verdict != usage.Quarantined {
			return fmt.Errorf("demo usage: %s is not kept aside: %v", records[i].ID, out[i].Why)
		}
	}
	return nil
}
