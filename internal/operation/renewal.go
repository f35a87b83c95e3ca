package operation

import (
	"context"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// renewable refuses periods that no renewal has (api.md 6.2): months 1 to 11, years 1 to 3.
func renewable(periodType int32, n int) (period.Unit, error) {
	unit, ok := period.UnitOf(periodType)
	switch {
	case ok && unit == period.Month && n >= 1 && n <= 11, ok && unit == period.Year && n >= 1 && n <= 3:
		return unit, nil
	case ok && (unit == period.Month || unit == period.Year):
		return unit, fault.New(fault.Invalid, "CBC.0100", "period_num: months 1 to 11, years 1 to 3")
	}
	return unit, fault.New(fault.Invalid, "CBC.0100", "period_type: must be 2 or 3")
}

// distinctIDs refuses an id that is there twice, with the operation's code.
func distinctIDs(ids []string, code string) error {
	seen := map[string]bool{}
	for i, id := range ids {
		if seen[id] {
			return fault.New(fault.Invalid, code, "resource_ids[%d]: %s is there twice", i, id)
		}
		seen[id] = true
	}
	return nil
}

// OrdersMade are the orders that an operation on several resources made, and the resources that it could not be done for.
type OrdersMade struct {
	Orders []string
	Failed []order.FailedResource
}

// RenewResources places a renewal order for each primary resource and, when asked to, pays it with the best means. A resource
// that cannot be renewed is named among the failed ones, the others go on; when none can, the first refusal is the answer. A
// payment that is refused leaves its order to be paid by hand and is named as CBC.30050006.
func (c *Counter) RenewResources(ctx context.Context, call *Call, ids []string, periodType int32, n int, autoPay bool) (OrdersMade, error) {
	call.About(strings.Join(ids, ","), "")
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (out OrdersMade, err error) {
		unit, err := renewable(periodType, n)
		if err != nil {
			return out, err
		}
		if err := distinctIDs(ids, "CBC.0100"); err != nil {
			return out, err
		}
		who, err := account.Find(ctx, tx, scope.Customer)
		if err != nil {
			return out, err
		}
		for _, id := range ids {
			o, err := c.orders(scope).Renew(ctx, tx, &who, id, unit, n, order.ByCustomer, call.Caller.UserName)
			if why, ok := fault.As(err); ok {
				out.Failed = append(out.Failed, order.FailedResource{Resource: id, Why: why})
				continue
			}
			if err != nil {
				return out, err
			}
			out.Orders = append(out.Orders, o.ID)
			call.In(o.Project)
			if !autoPay {
				continue
			}
			_, err = c.pay(ctx, tx, scope, who.ID, o.ID, order.Means{Best: true})
			if why, ok := fault.As(err); ok {
				out.Failed = append(out.Failed, order.FailedResource{Resource: id, Why: fault.New(fault.Invalid, "CBC.30050006", "automatic payment failed: %s %s", why.Code, why.Message)})
			} else if err != nil {
				return out, err
			}
		}
		if len(out.Orders) == 0 {
			return out, out.Failed[0].Why
		}
		return out, nil
	})
	c.told()
	return out, err
}

// ChangeResource orders another spec or size of a resource of the caller's. An automatic payment that is refused leaves the
// order to be paid by hand.
func (c *Counter) ChangeResource(ctx context.Context, call *Call, id, spec string, size rating.Size, autoPay bool) (Placed, error) {
	call.About(id, "")
	out, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (out Placed, err error) {
		who, err := account.Find(ctx, tx, scope.Customer)
		if err != nil {
			return out, err
		}
		if out.Order, err = c.orders(scope).Modify(ctx, tx, &who, id, spec, size, call.Caller.UserName); err != nil {
			return out, err
		}
		if autoPay && out.Order.Status == order.Unpaid {
			paid, err := c.pay(ctx, tx, scope, who.ID, out.Order.ID, order.Means{Best: true})
			if why, ok := fault.As(err); ok {
				out.Refused = why
			} else if err != nil {
				return out, err
			} else {
				out.Order = paid
			}
		}
		call.In(out.Order.Project)
		_, out.Lines, err = order.Lines(ctx, tx, &out.Order, 0, 0)
		return out, err
	})
	c.told()
	return out, err
}

// RenewalPrice prices the renewal of primary resources, with relatives also of those that go with them.
func (c *Counter) RenewalPrice(ctx context.Context, call *Call, ids []string, relatives bool, periodType int32, n int) (out order.RenewalPrice, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		unit, err := renewable(periodType, n)
		if err != nil {
			return err
		}
		if err := distinctIDs(ids, "CBC.30050012"); err != nil {
			return err
		}
		who, err := account.Find(ctx, v, scope.Customer)
		if err != nil {
			return err
		}
		granted, err := c.offersFor(ctx, v, scope)
		if err != nil {
			return err
		}
		out, err = c.orders(scope).RenewalPrice(ctx, v, &who, ids, relatives, unit, n, granted)
		return err
	})
	return out, err
}

// SetAutoRenewal lets a resource renew by itself: times is how often (0: without end; nil: without end when it was off, else
// nothing changes), unit by what (None: as its last order). An attached resource stands for its primary.
func (c *Counter) SetAutoRenewal(ctx context.Context, call *Call, id string, times *int, unit period.Unit) error {
	call.About(id, "")
	return c.onPrimary(ctx, call, id, func(tx *db.Tx, r *subscription.Resource, all []subscription.Resource, who *account.Customer) error {
		if r.Status != subscription.InUse {
			return fault.New(fault.Invalid, "CBC.99003602", "resource %s has expired or is frozen", id)
		}
		if r.Policy == subscription.AutoRenew && times == nil {
			return nil
		}
		shelf, err := c.Catalogue.At(ctx, tx)
		if err != nil {
			return err
		}
		if product, known := shelf.Product(r.Service, r.ResourceType, r.Region, r.Spec); !known || !product.OnSale(tx.Now) {
			return fault.New(fault.Invalid, "CBC.0100", "resource %s: its product is no longer sold, automatic renewal can only be ended", id)
		}
		left := subscription.Unlimited
		if times != nil && *times > 0 {
			left = *times
		}
		if unit == period.None {
			unit = r.AutoUnit
		}
		return c.Orders.SetPolicy(ctx, tx, all, who, subscription.AutoRenew, left, unit)
	})
}

// CancelAutoRenewal ends it; the resource is renewed by hand again.
func (c *Counter) CancelAutoRenewal(ctx context.Context, call *Call, id string) error {
	call.About(id, "")
	return c.onPrimary(ctx, call, id, func(tx *db.Tx, r *subscription.Resource, all []subscription.Resource, who *account.Customer) error {
		if r.Policy != subscription.AutoRenew {
			return fault.New(fault.Invalid, "CBC.99003605", "resource %s does not renew by itself", id)
		}
		return c.Orders.SetPolicy(ctx, tx, all, who, subscription.Grace, subscription.Unlimited, period.None)
	})
}

// onPrimary runs a change of the caller's resource, or of the primary one that it is attached to.
func (c *Counter) onPrimary(ctx context.Context, call *Call, id string, deed func(*db.Tx, *subscription.Resource, []subscription.Resource, *account.Customer) error) error {
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		r, err := c.orders(scope).Resource(ctx, tx, scope.Customer, id)
		if err == nil && r.Status == subscription.Closed {
			err = fault.New(fault.Invalid, "CBC.99003012", "the customer has no yearly/monthly resource %s", id)
		}
		if err == nil && r.Parent != "" {
			r, err = subscription.Instance(ctx, tx, scope.Customer, r.Parent)
		}
		if err != nil {
			return struct{}{}, err
		}
		call.About(id, r.Name)
		call.In(r.Project)
		who, err := account.Find(ctx, tx, scope.Customer)
		if err != nil {
			return struct{}{}, err
		}
		all, err := subscription.WithAttached(ctx, tx, &r)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, deed(tx, &r, all, &who)
	})
	return err
}

// ToOnDemand sets that resources turn pay-per-use when they expire, or takes that back; those for which it cannot be done
// are named, the others are done.
func (c *Counter) ToOnDemand(ctx context.Context, call *Call, ids []string, cancel bool) ([]order.FailedResource, error) {
	call.About(strings.Join(ids, ","), "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) ([]order.FailedResource, error) {
		who, err := account.Find(ctx, tx, scope.Customer)
		if err != nil {
			return nil, err
		}
		if who.Standing != account.Active {
			return nil, fault.New(fault.Invalid, "CBC.99003626", "the account is %s", who.Standing)
		}
		failed := []order.FailedResource{}
		for _, id := range ids {
			err := c.toOnDemand(ctx, tx, c.orders(scope), &who, id, cancel)
			if why, ok := fault.As(err); ok {
				failed = append(failed, order.FailedResource{Resource: id, Why: why})
			} else if err != nil {
				return nil, err
			}
		}
		return failed, nil
	})
}

func (c *Counter) toOnDemand(ctx context.Context, tx *db.Tx, desk *order.Desk, who *account.Customer, id string, cancel bool) error {
	r, err := desk.Resource(ctx, tx, who.ID, id)
	if fault.Is(err, "CBC.99003012") {
		if _, other := desk.Package(ctx, tx, who.ID, id); other == nil {
			return fault.New(fault.Invalid, "CBC.99003611", "%s is a resource package", id)
		} else if !fault.Is(other, "PURSER.1001") {
			return other
		}
	}
	switch {
	case err != nil:
		return err
	case r.Status == subscription.Closed:
		return fault.New(fault.Invalid, "CBC.99003012", "the customer has no yearly/monthly resource %s", id)
	case r.Status != subscription.InUse:
		return fault.New(fault.Invalid, "CBC.99003610", "resource %s is in grace or retention", id)
	case r.Parent != "":
		return fault.New(fault.Invalid, "CBC.99003609", "resource %s is not a primary resource", id)
	case r.BusyWith != "":
		return fault.New(fault.Invalid, "CBC.99003623", "another transaction is in progress on resource %s", id)
	case cancel && r.Policy != subscription.ToOnDemand:
		return fault.New(fault.Invalid, "CBC.99003609", "resource %s does not turn pay-per-use", id)
	}
	all, err := subscription.WithAttached(ctx, tx, &r)
	if err != nil {
		return err
	}
	policy := subscription.ToOnDemand
	if cancel {
		policy = subscription.Grace
	}
	return c.Orders.SetPolicy(ctx, tx, all, who, policy, subscription.Unlimited, period.None)
}

// Names of renewal settings (api.md 6.7).
const (
	deductionDate = "DEDUCTION_DATE"
	expireDate    = "EXPIRE_DATE"
)

// SetRenewConfig sets how many days before expiry automatic renewals begin (DEDUCTION_DATE), or on which day of the month
// renewed resources expire (EXPIRE_DATE); what renews by itself is rescheduled.
func (c *Counter) SetRenewConfig(ctx context.Context, call *Call, name, value string) error {
	call.About(name, "")
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		n, err := strconv.Atoi(value)
		ahead := name == deductionDate
		switch {
		case err != nil, value != strconv.Itoa(n), ahead && (n < account.RenewAheadLeast || n > account.RenewAheadMost):
			return struct{}{}, fault.New(fault.Invalid, "CBC.0100", "config_value: must be 2 to 7 for DEDUCTION_DATE, 1 to 28 or -1 for EXPIRE_DATE")
		case !ahead && (name != expireDate || n == 0 || n < -1 || n > 28):
			return struct{}{}, fault.New(fault.Invalid, "CBC.0100", "config_value: must be 2 to 7 for DEDUCTION_DATE, 1 to 28 or -1 for EXPIRE_DATE")
		}
		who, err := account.Change(ctx, tx, scope.Customer, func(a *account.Customer) {
			if ahead {
				a.RenewAhead = n
			} else {
				a.RenewDay = n
			}
		})
		if err != nil || !ahead {
			return struct{}{}, err
		}
		return struct{}{}, c.Orders.Reschedule(ctx, tx, &who)
	})
	return err
}
