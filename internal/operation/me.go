package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/order"
)

// Me is who a caller is.
type Me struct {
	Domain     identity.Domain
	User       identity.User
	Customer   *Customer // nil: not a customer
	Now, Real  time.Time
	TestClocks bool
	Currency   string
}

// ShowMe shows the caller to itself.
func (c *Counter) ShowMe(ctx context.Context, call *Call) (me Me, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		me = Me{TestClocks: c.Clocks != nil, Currency: currency.String()}
		me.Now, me.Real = v.Instant()
		if me.Domain, err = identity.FindDomain(ctx, v, call.Caller.DomainID); err != nil {
			return err
		}
		if me.User, err = identity.FindUser(ctx, v, call.Caller.DomainID, call.Caller.UserID); err != nil || me.Domain.Kind != identity.Customer || !scope.AllProjects {
			return err
		}
		found, err := account.Find(ctx, v, call.Caller.DomainID)
		if err != nil {
			return err
		}
		own, err := withRelations(ctx, v, &found)
		me.Customer = &own
		return err
	})
	return me, err
}

// ChangeMe changes what a customer decides about itself.
func (c *Counter) ChangeMe(ctx context.Context, call *Call, change func(*account.Customer)) (Customer, error) {
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (Customer, error) {
		if scope.Operator || scope.Partner {
			return Customer{}, fault.New(fault.Forbidden, "CBC.0151", "access denied: this operation is a customer's")
		}
		call.About(scope.Customer, call.Caller.DomainName)
		changed, err := account.Change(ctx, tx, scope.Customer, change)
		if err != nil {
			return Customer{}, err
		}
		return withRelations(ctx, tx, &changed)
	})
}

// PreviewedEnd is what unsubscribing one resource would come to, or why it cannot be done.
type PreviewedEnd struct {
	Resource string
	order.Ending
	Refused *fault.Fault
}

// PreviewUnsubscription works out what Unsubscribe would give back now. Attached ones that are named go with their primary.
func (c *Counter) PreviewUnsubscription(ctx context.Context, call *Call, resources []string, onlyRenewals bool) (out []PreviewedEnd, err error) {
	if err := distinctIDs(resources, "CBC.0100"); err != nil {
		return nil, err
	}
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		who, err := account.Find(ctx, v, scope.Customer)
		if err != nil {
			return err
		}
		out = out[:0]
		desk := c.orders(scope)
		for _, id := range resources {
			if along, err := goesAlong(ctx, v, desk, scope.Customer, id, resources); along || err != nil {
				if err != nil {
					return err
				}
				continue
			}
			one := PreviewedEnd{Resource: id}
			one.Ending, err = desk.PreviewEnd(ctx, v, &who, id, onlyRenewals)
			if why, ok := fault.As(err); ok && why.Kind == fault.Invalid {
				one.Refused = why
			} else if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}
