package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/rating"
)

// ListDiscounts pages through the discounts of a customer: its own, or any for the operator, or its customers' for a partner.
func (c *Counter) ListDiscounts(ctx context.Context, call *Call, customer string, offset, limit int) (total int, page []discount.Grant, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if customer == "" {
			customer = scope.Customer
		}
		if scope.DiscountsHidden {
			return fault.New(fault.Forbidden, "CBC.0151", "user access denied.checkCustomerPermission,correct permission code is bss:discount:view")
		}
		if err := seesCustomer(ctx, v, scope, customer); err != nil {
			return err
		}
		total, page, err = discount.List(ctx, v, customer, offset, limit)
		return err
	})
	return total, page, err
}

// seesCustomer refuses a customer that is not the caller's own, nor its partner's, unless the operator asks. The
// refusal does not tell whether the customer exists.
func seesCustomer(ctx context.Context, r db.Reader, scope identity.Scope, customer string) error {
	if customer == scope.Customer {
		return nil
	}
	unknown := fault.New(fault.NotFound, "PURSER.0104", "there is no customer %s that you may see", customer)
	if !scope.Operator && !scope.Partner {
		return unknown
	}
	domain, err := identity.FindDomain(ctx, r, customer)
	if fault.Is(err, "PURSER.0104") || err == nil && (domain.ID != customer || !scope.Operator && domain.Partner != scope.Customer) {
		return unknown
	}
	return err
}

// GrantDiscount grants a customer a discount: the operator any kind, a partner its own customers kind 607.
func (c *Counter) GrantDiscount(ctx context.Context, call *Call, g discount.Grant) (discount.Grant, error) {
	defer c.Discounts.Changed()
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (discount.Grant, error) {
		if err := grants(ctx, tx, scope, &g); err != nil {
			return g, err
		}
		g.GrantedBy = scope.Customer
		if g.Effective.IsZero() {
			g.Effective = tx.Now
		}
		if g.Expires.IsZero() {
			g.Expires = g.Effective.AddDate(1, 0, 0)
		}
		err := discount.Add(ctx, tx, c.Random, currency, &g)
		return g, err
	})
}

// grants refuses who may not grant this discount.
func grants(ctx context.Context, r db.Reader, scope identity.Scope, g *discount.Grant) error {
	if !scope.Operator && !(scope.Partner && g.Kind == rating.Partner) {
		return fault.New(fault.Forbidden, "CBC.0151", "access denied: the operator grants discounts, and a partner those of type 607 to its customers")
	}
	if err := seesCustomer(ctx, r, scope, g.Customer); err != nil {
		return err
	}
	domain, err := identity.FindDomain(ctx, r, g.Customer)
	if err != nil {
		return err
	}
	if domain.Kind != identity.Customer {
		return fault.New(fault.Invalid, "CBC.0100", "customer_id: %s is not a customer's account", g.Customer)
	}
	return nil
}

// WithdrawDiscount ends a discount now.
func (c *Counter) WithdrawDiscount(ctx context.Context, call *Call, customer, id string) error {
	defer c.Discounts.Changed()
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if !scope.Operator && !scope.Partner {
			return struct{}{}, fault.New(fault.Forbidden, "CBC.0151", "access denied: the operator and the partner end discounts")
		}
		if err := seesCustomer(ctx, tx, scope, customer); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, discount.Withdraw(ctx, tx, customer, id)
	})
	return err
}
