package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/cost"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
)

// CostAnswer is a page of costs with its currency.
type CostAnswer struct {
	cost.Answer
	Currency money.Currency
}

// ListCosts analyses the caller's costs, and those of members that it pays for.
func (c *Counter) ListCosts(ctx context.Context, call *Call, q cost.Query) (out CostAnswer, err error) {
	out.Currency = currency
	err = older(ctx, c, call, &out, func(v *db.View, scope identity.Scope) error {
		q.Customer, q.Within, q.Until = scope.Customer, scope.Within(), c.billsUntil(v)
		out.Answer, err = cost.Analyse(ctx, v, &q)
		return err
	})
	return out, err
}
