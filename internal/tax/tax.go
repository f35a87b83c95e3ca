// Package tax owns the rates of tax: by country, or region of one, and class (a service's code, or every service), each
// from an instant until the next one's, on top of prices (exclusive) or within them (inclusive), and what they are made of.
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
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

// Every is the class of every service that has no rate of its own.
const Every = ""

// Rate is what a country takes of a class from an instant on.
type Rate struct {
	Country   string // ISO 3166-1 alpha-2, or 3166-2 for a region of its own
	Class     string // a service's code, or Every
	From      time.Time
	Rate      money.Decimal // 0.19
	Inclusive bool          // prices contain it
	Kind      string        // VAT, GST, ISS or WHT
	Parts     []Part        // that sum to it; none: it is one tax of its kind
}

// Part is one of the taxes that a rate is made of, such as CGST and SGST.
type Part struct {
	Name string
	Rate money.Decimal
}

// What taxes and their parts are called (api.md 9.2).
var (
	kinds = []string{"VAT", "GST", "ISS", "WHT"}
	names = []string{"PIS", "COFINS", "CGST", "SGST", "IGST", "ISS", "WHT", "VAT"}
)

// Missing refuses what cannot be taxed (api.md 5.4).
func Missing(country string) error {
	return fault.New(fault.Invalid, "CBC.99006093", "there is no tax rate for country %q", country)
}

// rateDecimals is how fine a rate may be.
const rateDecimals = 6

// Set adds a rate; one that is in force already stays as it was until From, which is not in the past: but where the country had no
// rate then and was refused for it, so that the close of a month that waits for one can go on.
func Set(ctx context.Context, tx *db.Tx, rate *Rate) error {
	if rate.From.IsZero() {
		rate.From = tx.Now
	}
	rate.Kind = cmp.Or(rate.Kind, kinds[0])
	switch {
	case !country.MatchString(rate.Country):
		return fault.New(fault.Invalid, "CBC.0100", "country: must be two capital letters, such as SG, or a region, such as IN-KA")
	case !slices.Contains(kinds, rate.Kind):
		return fault.New(fault.Invalid, "CBC.0100", "tax_class: must be VAT, GST, ISS or WHT")
	case rate.Rate.Sign() < 0 || rate.Rate.Cmp(money.DecimalOf(1)) >= 0 || rate.Rate.Scale() > rateDecimals:
		return fault.New(fault.Invalid, "CBC.0100", "rate: must be from 0 to below 1, with at most %d decimals", rateDecimals)
	}
	if rate.From.Before(tx.Now) {
		then, err := At(ctx, tx, rate.Country, rate.From)
		if err != nil {
			return err
		}
		if _, err := then.Of(rate.Class); !fault.Is(err, "CBC.99006093") {
			return fault.New(fault.Invalid, "CBC.0100", "from: must not lie in the past: a rate that was in force does not change")
		}
	}
	sum := money.Decimal{}
	for i := range rate.Parts {
		p := &rate.Parts[i]
		if !slices.Contains(names, p.Name) || p.Rate.Sign() < 0 || p.Rate.Scale() > rateDecimals {
			return fault.New(fault.Invalid, "CBC.0100", "parts: must be PIS, COFINS, CGST, SGST, IGST, ISS, WHT or VAT, each with a rate")
		}
		var err error
		if sum, err = sum.Add(p.Rate); err != nil {
			return err
		}
	}
	if len(rate.Parts) > 0 && sum.Cmp(rate.Rate) != 0 {
		return fault.New(fault.Invalid, "CBC.0100", "parts: come to %s, the rate is %s", sum, rate.Rate)
	}
	return put(ctx, tx, rate)
}

var country = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)

// List lists all rates, by country, class and instant.
func List(ctx context.Context, r db.Reader) ([]Rate, error) { return list(ctx, r) }

// Table is what is in force at an instant, for one country.
type Table struct {
	country string
	taxed   bool // the house has rates at all
	byClass map[string]Rate
}

// For reads what is in force in a country, or a region of it, at the reader's business instant.
func For(ctx context.Context, r db.Reader, country string) (Table, error) {
	now, _ := r.Instant()
	return At(ctx, r, country, now)
}

// At reads what is in force in a country, or a region of it, at an instant. A region's own rates go before its country's.
func At(ctx context.Context, r db.Reader, country string, at time.Time) (Table, error) {
	whole, _, _ := strings.Cut(country, "-")
	return inForce(ctx, r, country, whole, at)
}

// Shares splits a tax into what its rate is made of, by the parts' rates, without loss; one share of its kind when it is
// one tax.
func (r *Rate) Shares(tax money.Amount, c money.Currency) ([]money.Amount, error) {
	if len(r.Parts) == 0 {
		return []money.Amount{tax}, nil
	}
	weights := make([]money.Amount, len(r.Parts))
	for i, p := range r.Parts {
		var err error
		if weights[i], err = money.AmountOf(p.Rate); err != nil {
			return nil, err
		}
	}
	return money.SplitBy(tax, c.Unit(), weights)
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
