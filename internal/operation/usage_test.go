package operation_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
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
	_, page, err := o.FeeRecords(t.Context(), o.by("purser-operator", at), customer, period.CycleOf(at), 0, 1000)
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
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
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
