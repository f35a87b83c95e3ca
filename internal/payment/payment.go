// Package payment owns how an amount due is met, for orders and for usage alike, and how it is given back.
//
// It does not own prices and discounts (they come before) nor the books (ledger): it decides, in pure functions, and
// says which postings follow.
//
// The sequence (billing-rules 1.3): one cash coupon for what it covers; then, for a customer who settles monthly,
// the month (unpaid until it is settled: debt); for others cash, then credit. Nothing is ever half paid. Tax is paid
// with its amount, and a coupon does not cover it.
//
// What is given back goes the way it came: what is still owed of it is written off, debt before credit, the rest
// is cash.
//
// Invariants: the parts of each due sum to it to the last digit; a coupon pays at most its balance and only for what
// it covers; cash is never below zero.
package payment

import (
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// Due is one thing to be paid.
type Due struct {
	Official money.Amount
	Amount   money.Amount // after discount
	Tax      money.Amount // on top of Amount
	Within   money.Amount // tax that Amount contains
	// What it is for, as limits of coupons name it.
	Service, ResourceType, Product, Region string
	At                                     time.Time // when it was used; zero for what is ordered
}

// Purse is what a payer has.
type Purse struct {
	Held    ledger.Balances
	Limit   money.Amount // credit in all
	Monthly bool         // settles once a month
}

// Plan is how dues are met.
type Plan struct {
	Amounts []charge.Parts  // of each due's Amount
	Taxes   []charge.Parts  // of each due's Tax
	Total   charge.Parts    // of all
	Due     money.Amount    // of all, with tax
	Within  money.Amount    // tax that amounts contain
	Tax     money.Amount    // on top
	Held    ledger.Balances // before it
}

// Occasion is what limits of coupons ask about the order as a whole.
type Occasion struct {
	Subscribe string      // new, renew or change
	Discount  rating.Kind // of the discount that is used; 0: none
	Uses      int         // earlier uses of the coupon
}

// Meet decides how the dues are met from a purse, the coupon (nil: none) paying for the dues that covered names.
// ledger.ErrShort when cash and credit do not suffice.
func Meet(p *Purse, dues []Due, c *coupon.Coupon, covered []int, currency money.Currency) (Plan, error) {
	plan := Plan{Amounts: make([]charge.Parts, len(dues)), Taxes: make([]charge.Parts, len(dues)), Held: p.Held}
	rest := make([]money.Amount, 2*len(dues)) // what is left of each amount, then of each tax
	for i := range dues {
		rest[i], rest[len(dues)+i] = dues[i].Amount, dues[i].Tax
		var err error
		if plan.Due, err = money.Sum(plan.Due, dues[i].Amount, dues[i].Tax); err != nil {
			return plan, rating.ErrAboveMaximum
		}
		plan.Tax += dues[i].Tax // parts of Due: they fit
		plan.Within += dues[i].Within
	}
	if c != nil {
		if err := plan.useCoupon(c, dues, covered, rest, currency); err != nil {
			return plan, err
		}
	}
	left := plan.Due - plan.Total.Coupon
	if p.Monthly {
		plan.Total.Debt = left
	} else {
		plan.Total.Cash = min(money.CutMinor(p.Held.Cash, currency), left)
		plan.Total.Credit = left - plan.Total.Cash
		if plan.Total.Credit > max(0, p.Limit-p.Held.Credit) {
			return plan, ledger.ErrShort
		}
	}
	return plan, plan.share(rest, currency)
}

// Brings is how much of the dues that covered names a coupon pays: what it has left in whole minor units, and no more than they are.
func Brings(c *coupon.Coupon, dues []Due, covered []int, currency money.Currency) (money.Amount, error) {
	var all money.Amount
	var err error
	for _, i := range covered {
		if all, err = money.Add(all, dues[i].Amount); err != nil {
			return 0, rating.ErrAboveMaximum
		}
	}
	return min(money.CutMinor(c.Balance, currency), all), nil
}

// useCoupon lets the coupon pay for what it covers, by their amounts.
func (plan *Plan) useCoupon(c *coupon.Coupon, dues []Due, covered []int, rest []money.Amount, currency money.Currency) error {
	weights := make([]money.Amount, len(plan.Amounts))
	for _, i := range covered {
		weights[i] = rest[i]
	}
	var err error
	if plan.Total.Coupon, err = Brings(c, dues, covered, currency); err != nil {
		return err
	}
	shares, err := money.SplitBy(plan.Total.Coupon, currency.Unit(), weights)
	if err != nil {
		return err
	}
	for i, share := range shares {
		plan.Amounts[i].Coupon = share
		rest[i] -= share
	}
	return nil
}

// share gives every due its part of the cash; what remains of it is credit, or debt.
func (plan *Plan) share(rest []money.Amount, currency money.Currency) error {
	cash, err := money.SplitBy(plan.Total.Cash, currency.Unit(), rest)
	if err != nil {
		return err
	}
	n := len(plan.Amounts)
	for i := range rest {
		part := &plan.Amounts[i%n]
		if i >= n {
			part = &plan.Taxes[i-n]
		}
		part.Cash = cash[i]
		if plan.Total.Debt > 0 {
			part.Debt = rest[i] - cash[i]
		} else {
			part.Credit = rest[i] - cash[i]
		}
	}
	return nil
}

// Postings are the movements of a plan. Tax within the amounts is taken from the payers' parts in turn, the coupon's
// last.
func (plan *Plan) Postings() []ledger.Posting {
	t := &plan.Total
	tax := plan.Tax + plan.Within
	var out []ledger.Posting
	for _, source := range []struct {
		account ledger.Account
		amount  money.Amount
	}{{ledger.Cash, t.Cash}, {ledger.Credit, t.Credit}, {ledger.Debt, t.Debt}, {ledger.Coupon, t.Coupon}} {
		toTax := min(tax, source.amount)
		tax -= toTax
		out = append(out, post(source.account, ledger.Tax, toTax)...)
		out = append(out, post(source.account, ledger.Revenue, source.amount-toTax)...)
	}
	return out
}

func post(giver, taker ledger.Account, amount money.Amount) []ledger.Posting {
	if amount <= 0 {
		return nil
	}
	return []ledger.Posting{{Giver: giver, Taker: taker, Amount: amount}}
}

// Return decides how an amount that was paid with these parts goes back: what is still owed of it is written off,
// the rest is cash. amount is at most the parts' cash, credit and debt.
func Return(paid charge.Parts, amount money.Amount, held *ledger.Balances) charge.Parts {
	var back charge.Parts
	back.Debt = min(amount, paid.Debt, held.Debt)
	held.Debt -= back.Debt
	back.Credit = min(amount-back.Debt, paid.Credit, held.Credit)
	held.Credit -= back.Credit
	back.Cash = amount - back.Debt - back.Credit
	return back
}

// ReturnPostings are the movements that give amounts and tax back; coupons go back beside the books' accounts of the
// customer, as what they no longer paid.
func ReturnPostings(amount, tax charge.Parts) []ledger.Posting {
	var out []ledger.Posting
	for _, k := range []struct {
		from  ledger.Account
		parts charge.Parts
	}{{ledger.Refund, amount}, {ledger.Tax, tax}} {
		out = append(out, post(k.from, ledger.Debt, k.parts.Debt)...)
		out = append(out, post(k.from, ledger.Credit, k.parts.Credit)...)
		out = append(out, post(k.from, ledger.Cash, k.parts.Cash)...)
		out = append(out, post(k.from, ledger.Coupon, k.parts.Coupon)...)
	}
	return out
}

// WithinBack moves the tax that a returned amount contains from what was given back to the tax that is no longer owed.
func WithinBack(within money.Amount) []ledger.Posting {
	return post(ledger.Tax, ledger.Refund, within)
}
