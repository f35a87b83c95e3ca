package operation

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/outbox"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/usage"
)

// UsageMost is how many records a batch has at most.
const UsageMost = 10_000

// acceptWait is how long a batch waits for room before its caller is asked to come again.
const acceptWait = 2 * time.Second

// AcceptUsage takes usage records in. What it says was accepted is on disk. The operator's. PURSER.1130: too much is on its
// way in.
func (c *Counter) AcceptUsage(ctx context.Context, call *Call, records []usage.Record) (out []usage.Outcome, err error) {
	leave, err := c.admitBatch(ctx, call, len(records))
	if err != nil {
		return nil, err
	}
	defer leave()
	at := c.instants(call)
	at.About, at.Apart = "", true
	out, err = c.accept(ctx, at, records)
	c.DB.Wrote(call.Caller.DomainID)
	return out, err
}

// admitBatch lets in a batch of n records, the operator's, when there is room for it; leave makes room for the next.
func (c *Counter) admitBatch(ctx context.Context, call *Call, n int) (leave func(), err error) {
	scope, err := c.authorise(call)
	if err == nil {
		err = operatorOnly(scope)
	}
	if err != nil {
		return nil, err
	}
	if n > UsageMost {
		return nil, fault.New(fault.Invalid, "CBC.0100", "a batch has at most %d records", UsageMost)
	}
	return c.room(ctx)
}

func (c *Counter) room(ctx context.Context) (leave func(), err error) {
	if c.Accepting == nil {
		return func() {}, nil
	}
	limit := time.NewTimer(acceptWait)
	defer limit.Stop()
	select {
	case c.Accepting <- struct{}{}:
		return func() { <-c.Accepting }, nil
	case <-limit.C:
		return nil, &fault.Fault{Kind: fault.TooMany, Code: "PURSER.1130", Message: "too much usage is on its way in: send the batch again", Retry: 1}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// accept is the one way in for usage.
func (c *Counter) accept(ctx context.Context, at db.Instants, records []usage.Record) (out []usage.Outcome, err error) {
	var learnt usage.Learnt
	err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return err
		}
		out, learnt, err = c.Usage.Accept(ctx, tx, c.Random, shelf, records)
		return err
	})
	if err == nil {
		c.Usage.Remember(&learnt)
	}
	return out, err
}

// customerOf is whose rows are wanted: the operator names a customer, others see their own.
func customerOf(scope identity.Scope, named string) (string, error) {
	switch {
	case !scope.Operator && named != "" && named != scope.Customer:
		return "", fault.New(fault.Forbidden, "CBC.0151", "access denied: customer_id is another's")
	case !scope.Operator:
		return scope.Customer, nil
	case named == "":
		return "", fault.New(fault.Invalid, "CBC.0100", "customer_id: is required of the operator")
	}
	return named, nil
}

// recordsSpanMost bounds a listing of records.
const recordsSpanMost = 31 * 24 * time.Hour

// UsageRecords pages through a customer's records in buckets that end in a span.
func (c *Counter) UsageRecords(ctx context.Context, call *Call, customer, resource string, span period.Span, offset, limit int) (total int, page []usage.Record, err error) {
	if !span.End.After(span.Start) || span.End.Sub(span.Start) > recordsSpanMost {
		return 0, nil, fault.New(fault.Invalid, "CBC.0100", "end_time: must be after start_time, by 31 days at most")
	}
	if err := c.archived(call.Real, span.Start); err != nil {
		return 0, nil, err
	}
	err = older(ctx, c, call, &page, func(v *db.View, scope identity.Scope) error {
		if customer, err = customerOf(scope, customer); err != nil {
			return err
		}
		total, page, err = usage.Records(ctx, v, customer, resource, scope.Within(), span, offset, limit)
		return err
	})
	return total, page, err
}

// Quarantine pages through records that are kept aside. The operator's.
func (c *Counter) Quarantine(ctx context.Context, call *Call, customer string, state usage.Aside, offset, limit int) (total int, page []usage.Held, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		total, page, err = usage.Quarantine(ctx, v, customer, state, offset, limit)
		return err
	})
	return total, page, err
}

// ReplayUsage counts a record that was kept aside, as it is or mended. The operator's.
func (c *Counter) ReplayUsage(ctx context.Context, call *Call, customer, id string, mended *usage.Record) (usage.Held, error) {
	call.Of(customer)
	call.About(id, "")
	var learnt usage.Learnt
	h, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (h usage.Held, err error) {
		if err := operatorOnly(scope); err != nil {
			return h, err
		}
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return h, err
		}
		h, learnt, err = c.Usage.Replay(ctx, tx, c.Random, shelf, customer, id, mended)
		return h, err
	})
	if err == nil {
		c.Usage.Remember(&learnt)
	}
	return h, err
}

// DropUsage gives a record up that was kept aside. The operator's.
func (c *Counter) DropUsage(ctx context.Context, call *Call, customer, id string) (usage.Held, error) {
	call.Of(customer)
	call.About(id, "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (usage.Held, error) {
		if err := operatorOnly(scope); err != nil {
			return usage.Held{}, err
		}
		return usage.Drop(ctx, tx, customer, id)
	})
}

// UsageResources pages through a customer's pay-per-use resources.
func (c *Counter) UsageResources(ctx context.Context, call *Call, customer string, q usage.ResourceQuery, offset, limit int) (total int, page []usage.Resource, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if customer, err = customerOf(scope, customer); err != nil {
			return err
		}
		q.Within = scope.Within()
		total, page, err = usage.Resources(ctx, v, customer, &q, offset, limit)
		return err
	})
	return total, page, err
}

// secondUnit is the measure unit of self-metered durations (billing-rules 11.1).
const secondUnit = 6

// RegisterResource makes a pay-per-use resource known. The operator's.
func (c *Counter) RegisterResource(ctx context.Context, call *Call, r usage.Resource) (usage.Resource, error) {
	call.Of(r.Customer)
	call.About(r.ID, r.Name)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (usage.Resource, error) {
		if err := operatorOnly(scope); err != nil {
			return r, err
		}
		if _, err := account.Find(ctx, tx, r.Customer); err != nil {
			return r, err
		}
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return r, err
		}
		if err := sellable(shelf, &r, tx.Now); err != nil {
			return r, err
		}
		return r, usage.Register(ctx, tx, &r)
	})
}

// sellable refuses a resource that could not be charged for.
func sellable(shelf *catalog.Snapshot, r *usage.Resource, now time.Time) error {
	product, ok := shelf.Product(r.Service, r.ResourceType, r.Region, r.Spec)
	if !ok {
		return fault.New(fault.Invalid, usage.NoProduct, "there is no product with cloud_service_type %s, resource_type %s, resource_spec %s in region %s", r.Service, r.ResourceType, r.Spec, r.Region)
	}
	if !r.SelfMetered() {
		return nil
	}
	factor, ok := shelf.UsageType(r.ResourceType, r.Factor)
	if !ok {
		return fault.New(fault.Invalid, usage.NoFactor, "self_metered_by: resource type %s is not metered by %s", r.ResourceType, r.Factor)
	}
	if _, ok := shelf.PriceAt(product, factor.Code, now); !ok {
		return fault.New(fault.Invalid, usage.NoFactor, "self_metered_by: %s is not charged by %s", r.Spec, factor.Code)
	}
	if _, ok := shelf.Units().Ratio(secondUnit, factor.Unit); !ok || factor.Settle != "hour" {
		return fault.New(fault.Invalid, usage.NoFactor, "self_metered_by: %s is not a duration that is settled by the hour", factor.Code)
	}
	r.Factor = factor.Code
	return nil
}

// ActOnResource starts, stops or deletes a pay-per-use resource. The operator's.
func (c *Counter) ActOnResource(ctx context.Context, call *Call, customer, id, action string) (usage.Resource, error) {
	call.Of(customer)
	call.About(id, "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (usage.Resource, error) {
		if err := operatorOnly(scope); err != nil {
			return usage.Resource{}, err
		}
		switch action {
		case "start":
			r, err := usage.Start(ctx, tx, customer, id)
			if err != nil {
				return r, err
			}
			frozen, err := settlement.IsFrozen(ctx, tx, customer)
			if err == nil && frozen {
				err = fault.New(fault.Conflict, "PURSER.1113", "resource %s cannot be started: its customer is in arrears", id)
			}
			return r, err
		case "stop":
			return usage.Stop(ctx, tx, customer, id)
		}
		return usage.Delete(ctx, tx, customer, id)
	})
}

// FeeRecords pages through what a customer was charged in a bill cycle.
func (c *Counter) FeeRecords(ctx context.Context, call *Call, customer string, cycle period.Cycle, offset, limit int) (total int, page []charge.Fee, invoices map[string]string, err error) {
	err = older(ctx, c, call, &page, func(v *db.View, scope identity.Scope) error {
		if customer, err = customerOf(scope, customer); err != nil {
			return err
		}
		if total, page, err = charge.OfCycle(ctx, v, customer, cycle, scope.Within(), offset, limit); err != nil {
			return err
		}
		trades := map[string]bool{}
		for i := range page {
			trades[page[i].Trade] = true
		}
		invoices, err = invoice.Numbers(ctx, v, customer, cycle, slices.Sorted(maps.Keys(trades)))
		return err
	})
	return total, page, invoices, err
}

// PackageUses is a page of uses of packages, with the resources that they were for.
type PackageUses struct {
	Total     int
	Uses      []quota.UseRecord
	Resources map[string]usage.Resource // by id; one that is not known is missing
	Shelf     *catalog.Snapshot
}

// PackageUses pages through the uses of the caller's packages, newest first.
func (c *Counter) PackageUses(ctx context.Context, call *Call, q quota.UseQuery, offset, limit int) (out PackageUses, err error) {
	err = older(ctx, c, call, &out, func(v *db.View, scope identity.Scope) error {
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		q.Within = scope.Within()
		if out.Total, out.Uses, err = quota.Uses(ctx, v, scope.Customer, &q, offset, limit); err != nil {
			return err
		}
		ids := make([]string, len(out.Uses))
		for i := range out.Uses {
			ids[i] = out.Uses[i].Resource
		}
		out.Resources, err = usage.ResourcesByID(ctx, v, scope.Customer, ids)
		return err
	})
	return out, err
}

// PackageItems finds items of the caller's packages by their ids; what is not there, or gone for 18 months, is left out. No
// ids: all items.
func (c *Counter) PackageItems(ctx context.Context, call *Call, ids []string) (out PackagePage, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		out.Now = v.Now
		out.Packages, err = quota.ByItems(ctx, v, scope.Customer, ids, scope.Within())
		return err
	})
	return out, err
}

// tellCustomer puts a message about a customer into the outbox.
func (c *Counter) tellCustomer(ctx context.Context, tx *db.Tx, customer, topic string, about map[string]any) error {
	about["customer_id"], about["time"] = customer, tx.Now.UTC().Format(time.RFC3339)
	body, err := json.Marshal(about)
	if err != nil {
		return err
	}
	return outbox.Put(ctx, tx, c.Random, &outbox.Message{Customer: customer, Topic: topic, Key: tx.Now.UTC().Format(time.RFC3339Nano), Body: string(body)})
}

// owed notes what a payer owes, and tells when that puts it in arrears.
func (c *Counter) owed(ctx context.Context, tx *db.Tx, payer *account.Customer) (began bool, err error) {
	began, err = c.Settling.Owe(ctx, tx, payer)
	if err != nil || !began {
		return began, err
	}
	return began, c.tellCustomer(ctx, tx, payer.ID, "arrears.began", map[string]any{})
}

// settledDebt ends a customer's arrears when nothing is owed any more.
func (c *Counter) settledDebt(ctx context.Context, tx *db.Tx, customer string) error {
	if c.Settling == nil {
		return nil
	}
	was, turn, ended, err := c.Settling.Clear(ctx, tx, customer)
	if err != nil || !ended {
		return err
	}
	if err := c.traceTurn(ctx, tx, turn); err != nil {
		return err
	}
	return c.tellCustomer(ctx, tx, customer, "arrears.ended", map[string]any{"stage": int(was)})
}
