package rating

import (
	"fmt"

	"github.com/purser-cloud/purser/internal/money"
)

// Precision is the number of decimals that every amount of a quote is cut at.
type Precision uint8

// The precisions that do not depend on the currency (billing-rules 3.4).
const (
	Inquiry6  Precision = 6  // on demand, inquiry_precision 0
	Inquiry10 Precision = 10 // on demand, inquiry_precision 1
	Charge8   Precision = 8  // what is charged
)

// InquiryPrecision is the precision of an on-demand quote, from the contract's inquiry_precision; false when there is no such.
func InquiryPrecision(code int32) (Precision, bool) {
	switch code {
	case 0:
		return Inquiry6, true
	case 1:
		return Inquiry10, true
	}
	return 0, false
}

// PeriodPrecision is the precision of a yearly/monthly quote: the minor unit.
func PeriodPrecision(c money.Currency) Precision { return Precision(c.Minor()) }

// Cut cuts an amount.
func (p Precision) Cut(q money.Quoted) money.Quoted { return money.CutQuote(q, int(p)) }

// Step is the smallest amount of the precision.
func (p Precision) Step() money.Quoted {
	return money.Quoted(money.Pow10(money.QuotedDecimals - int(p)))
}

// Priced is a line of a quote. Official = Amount + Discount, each cut at the precision of the quote.
type Priced struct {
	ID                         string
	Official, Amount, Discount money.Quoted
}

// Quote is a list of priced lines, in the order given, and their sums: of what was cut, so that they add up.
type Quote struct {
	Lines                      []Priced
	Official, Amount, Discount money.Quoted
}

// List quotes the lines without a discount. ErrAboveMaximum when the sum does not fit.
func List(lines []Line, p Precision) (Quote, error) {
	priced := make([]Priced, len(lines))
	for i := range lines {
		official := p.Cut(lines[i].Official)
		priced[i] = Priced{ID: lines[i].ID, Official: official, Amount: official}
	}
	return total(priced)
}

// Merge joins quotes of one precision into one, lines in order: an on-demand answer is made of quotes of single lines, each with
// its own discount. ErrAboveMaximum.
func Merge(quotes ...Quote) (Quote, error) {
	var priced []Priced
	for i := range quotes {
		priced = append(priced, quotes[i].Lines...)
	}
	return total(priced)
}

// total works out each line's discount and the sums.
func total(priced []Priced) (Quote, error) {
	q := Quote{Lines: priced}
	for i := range priced {
		line := &priced[i]
		line.Discount = line.Official - line.Amount // of one sign, and Amount no larger: it cannot overflow
		var err error
		if q.Official, err = money.Add(q.Official, line.Official); err != nil {
			return Quote{}, ErrAboveMaximum
		}
		if q.Amount, err = money.Add(q.Amount, line.Amount); err != nil {
			return Quote{}, ErrAboveMaximum
		}
	}
	var err error
	if q.Discount, err = money.Sub(q.Official, q.Amount); err != nil {
		return Quote{}, fmt.Errorf("discount of a quote: %w", ErrAboveMaximum)
	}
	return q, nil
}
