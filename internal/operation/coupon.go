package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
)

// Coupons pages through the caller's coupons; now is the business instant at which their states are to be seen.
func (c *Counter) Coupons(ctx context.Context, call *Call, q coupon.Query, offset, limit int) (total int, page []coupon.Coupon, now time.Time, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		now = v.Now
		total, page, err = coupon.List(ctx, v, scope.Customer, q, offset, limit)
		return err
	})
	return total, page, now, err
}

// mayIssue refuses who is neither the operator nor the customer's partner.
func mayIssue(ctx context.Context, tx *db.Tx, scope identity.Scope, customer string) error {
	if !scope.Operator && !scope.Partner {
		return fault.New(fault.Forbidden, "CBC.0151", "access denied: the operator and the customer's partner issue coupons")
	}
	if err := seesCustomer(ctx, tx, scope, customer); err != nil {
		return err
	}
	known, err := account.Find(ctx, tx, customer)
	if err == nil && known.Standing == account.Closed {
		err = fault.New(fault.Conflict, "PURSER.0106", "customer %s is closed", customer)
	}
	return err
}

// IssueCoupons issues the same coupon to each customer named, to all or to none.
func (c *Counter) IssueCoupons(ctx context.Context, call *Call, customers []string, pattern coupon.Coupon, offline bool) ([]coupon.Coupon, error) {
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) ([]coupon.Coupon, error) {
		out := make([]coupon.Coupon, 0, len(customers))
		seen := map[string]bool{}
		for i, customer := range customers {
			if seen[customer] {
				return nil, fault.New(fault.Invalid, "CBC.0100", "customer_ids[%d]: %s is there twice", i, customer)
			}
			seen[customer] = true
			if err := mayIssue(ctx, tx, scope, customer); err != nil {
				return nil, err
			}
			one := pattern
			one.Customer, one.Issuer = customer, scope.Customer
			if err := coupon.Issue(ctx, tx, c.Random, currency, &one, offline); err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		return out, nil
	})
}

// ActOnCoupon freezes, unfreezes or withdraws a coupon (who may issue it), or activates it (its holder too).
func (c *Counter) ActOnCoupon(ctx context.Context, call *Call, customer, id, action string) error {
	call.About(id, "")
	call.Of(customer)
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if action != coupon.Activate || customer != scope.Customer {
			if err := mayIssue(ctx, tx, scope, customer); err != nil {
				return struct{}{}, err
			}
		}
		_, err := coupon.Act(ctx, tx, customer, id, action)
		return struct{}{}, err
	})
	return err
}
