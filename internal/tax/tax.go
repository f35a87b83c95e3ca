// Package tax owns the rates of tax: by country and class (a service's code, or every service), each from an
// instant until the next one's, on top of prices (exclusive) or within them (inclusive).
//
// It does not own who is taxed where (account) nor the money of it (ledger).
//
// A house without any rate takes no tax. In a house with rates a customer without a country, and one of a country
// without a rate, cannot be taxed: CBC.99006093, until the operator names a rate, which may be 0.
//
// Invariants: a rate that is in force never changes, a new one begins later; tax of a line is rounded once, half-up
// to the minor unit, and what is given back of it never exceeds it.
package tax

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

// Every is the class of every service that has no rate of its own.
const Every = ""

// Rate is what a country takes of a class from an instant on.
type Rate struct {
	Country   string // ISO 3166 alpha-2
	Class     string // a service's code, or Every
	From      time.Time
	Rate      money.Decimal // 0.19
	Inclusive bool          // prices contain it
}

// Missing refuses what cannot be taxed (api.md 5.4).
func Missing(country string) error {
	return fault.New(fault.Invalid, "CBC.99006093", "there is no tax rate for country %q", country)
}

// rateDecimals is how fine a rate may be.
const rateDecimals = 6

// Set adds a rate; one that is in force already stays as it was until From.
func Set(ctx context.Context, tx *db.Tx, rate *Rate) error {
	if rate.From.IsZero() {
		rate.From = tx.Now
	}
	switch {
	case len(rate.Country) != 2 || rate.Country[0] < 'A' || rate.Country[0] > 'Z' || rate.Country[1] < 'A' || rate.Country[1] > 'Z':
		return fault.New(fault.Invalid, "CBC.0100", "country: must be two capital letters, such as SG")
	case rate.Rate.Sign() < 0 || rate.Rate.Cmp(money.DecimalOf(1)) >= 0 || rate.Rate.Scale() > rateDecimals:
		return fault.New(fault.Invalid, "CBC.0100", "rate: must be from 0 to below 1, with at most %d decimals", rateDecimals)
	case rate.From.Before(tx.Now):
		return fault.New(fault.Invalid, "CBC.0100", "from: must not lie in the past: a rate that was in force does not change")
	}
	return put(ctx, tx, rate)
}

// List lists all rates, by country, class and instant.
func List(ctx context.Context, r db.Reader) ([]Rate, error) { return list(ctx, r) }

// Table is what is in force at an instant, for one country.
type Table struct {
	country string
	taxed   bool // the house has rates at all
	byClass map[string]Rate
}

// For reads what is in force in a country at the reader's business instant.
func For(ctx context.Context, r db.Reader, country string) (Table, error) {
	now, _ := r.Instant()
	return inForce(ctx, r, country, now)
}

// Of is the rate of a service: its own class's, else every service's. Without rates in the house it is zero.
func (t *Table) Of(service string) (Rate, error) {
	if !t.taxed {
		return Rate{}, nil
	}
	for _, class := range []string{service, Every} {
		if rate, ok := t.byClass[class]; ok {
			return rate, nil
		}
	}
	return Rate{}, Missing(t.country)
}

// On is the tax of an amount: on top of it, or within it when the rate is inclusive.
func (r *Rate) On(amount money.Amount, c money.Currency) (money.Amount, error) {
	num, den := r.Rate.Coef(), int64(1)
	for range r.Rate.Scale() {
		den *= 10
	}
	if r.Inclusive {
		den += num
	}
	if num == 0 {
		return 0, nil
	}
	return money.ShareHalfUp(amount, num, den, c)
}

// Back is what of a tax goes back when part of the taxed amount does; all of it with all of the amount.
func Back(tax, part, whole money.Amount, c money.Currency) (money.Amount, error) {
	if tax == 0 || part == 0 || whole == 0 {
		return 0, nil
	}
	return money.ShareHalfUp(tax, int64(part), int64(whole), c)
}
