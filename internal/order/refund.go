package order

import (
	"time"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Fees are the handling fees of an unsubscription, in percent of what was paid: for terms of one year and shorter,
// of two years, of three and more; each list by years used (billing-rules 2.8).
type Fees struct{ Year, TwoYears, ThreeYears []int64 }

// StandardFees are those of the international site.
func StandardFees() Fees {
	return Fees{Year: []int64{10}, TwoYears: []int64{15, 10}, ThreeYears: []int64{15, 10, 5}}
}

// of is the fee of a term in percent, once it has been in use from an instant until another.
func (f *Fees) of(t *subscription.Term, since, at time.Time) int64 {
	months, _ := period.Months(t.Unit, t.Periods)
	list := f.Year
	switch {
	case months >= 36:
		list = f.ThreeYears
	case months > 12:
		list = f.TwoYears
	}
	if len(list) == 0 {
		return 0
	}
	years := 0
	for years < len(list)-1 && !at.Before(period.End(since, period.Year, years+1)) {
		years++
	}
	return list[years]
}

// Refund is what ending a term gives back. Paid = Consumed + Fee + Money, to the last digit.
type Refund struct {
	Paid     money.Amount // with cash, credit and debt; coupons are not paid money
	Consumed money.Amount
	Fee      money.Amount
	Money    money.Amount // goes back
	Coupon   money.Amount // goes back to the coupon
}

// refundOf works out what ending a term at an instant gives back (billing-rules 2.8):
//
//	consumed = paid × used hours / hours of the term, half-up to the minor unit; hours from the hour of effect
//	fee      = paid × rate, half-up, at most what consumed leaves
//	money    = the rest; never below zero
//
// The rate goes by the years since the term began, before an order of type 3 may have split it.
//
// A term that has not begun goes back in full, its coupon too; so does any term when the whole is given back: its resource
// never came to be, or is new enough.
func refundOf(t *subscription.Term, since, at time.Time, fees *Fees, whole bool, currency money.Currency) (Refund, error) {
	r := Refund{Paid: t.Parts.Cash + t.Parts.Credit + t.Parts.Debt} // parts of an amount: they fit
	if whole || t.Span.Start.After(at) || t.Span.Start.IsZero() {
		r.Money, r.Coupon = r.Paid, t.Parts.Coupon
		return r, nil
	}
	hours := t.Span.Hours()
	if hours == 0 {
		r.Consumed = r.Paid
		return r, nil
	}
	var err error
	if r.Consumed, err = money.ShareHalfUp(r.Paid, t.Span.HoursUsed(at), hours, currency); err != nil {
		return r, err
	}
	r.Consumed = min(r.Consumed, r.Paid)
	fee, err := money.ShareHalfUp(r.Paid, fees.of(t, since, at), 100, currency)
	if err != nil {
		return r, err
	}
	r.Fee = min(fee, r.Paid-r.Consumed)
	r.Money = r.Paid - r.Consumed - r.Fee
	return r, nil
}
