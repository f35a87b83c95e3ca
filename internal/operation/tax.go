package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/tax"
)

// TaxRates lists the rates of tax. The operator's.
func (c *Counter) TaxRates(ctx context.Context, call *Call) (list []tax.Rate, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		list, err = tax.List(ctx, v)
		return err
	})
	return list, err
}

// SetTaxRate sets a rate of tax from an instant on. The operator's.
func (c *Counter) SetTaxRate(ctx context.Context, call *Call, rate tax.Rate) (tax.Rate, error) {
	call.About(rate.Country, "")
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (tax.Rate, error) {
		if err := operatorOnly(scope); err != nil {
			return rate, err
		}
		err := tax.Set(ctx, tx, &rate)
		return rate, err
	})
}
