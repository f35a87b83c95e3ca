package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
)

// MayBeOlder are the operations whose answers may be a little old where the store has a replica: long lists of what happened some time
// ago. Nothing of it is what a client looks up to see whether a deed of its own was done (balances, orders, payments, coupons,
// resources, settings), nor what it decides on (prices, quotes). Each reads by older instead of read.
var MayBeOlder = []string{
	"ListCosts", "ListCustomerselfResourceRecordDetails", "ListCustomerselfResourceRecords", "ShowCustomerMonthlySum", "ShowMonthlySumOld", // summaries, fee records, costs
	"ExportDetails", "ExportFocus", "ExportSummary",
	"ListFeeRecords", "ListUsageRecords", "ListFreeResourcesUsageRecords",
	"ListTraces", "ListUserResources",
}

// older is read for what may be a little old. What the caller has written on this node it sees. The deed may be run twice, each time
// with out as it was; whatever it is refused on a replica is asked of the primary.
func older[A any](ctx context.Context, c *Counter, call *Call, out *A, deed func(v *db.View, scope identity.Scope) error) error {
	if call.Fresh || !c.DB.HasReplica() {
		return c.read(ctx, call, deed)
	}
	scope, err := c.authorise(call)
	if err != nil {
		c.Refused(ctx, call, err)
		return err
	}
	at, first := c.instants(call), *out
	at.About = call.Caller.DomainID
	asOf, err := c.DB.Older(ctx, at, call.Least, func(v *db.View) error {
		*out = first
		return deed(v, scope)
	})
	if err != nil {
		c.Refused(ctx, call, err)
		return err
	}
	call.saw(asOf)
	return c.traceRead(ctx, call)
}

// saw notes of when an answer is. What the same call reads next is no older.
func (c *Call) saw(asOf time.Time) {
	least := asOf
	if asOf.IsZero() { // of the primary
		least = c.Real
	} else if c.AsOf.IsZero() || asOf.Before(c.AsOf) {
		c.AsOf = asOf
	}
	if least.After(c.Least) {
		c.Least = least
	}
	if c.Outer != nil {
		c.Outer.saw(asOf)
	}
}
