package payment

import (
	"cmp"
	"slices"
	"strings"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// UsagePlan is how usage is met.
type UsagePlan struct {
	Parts   []charge.Parts // of each due
	Coupons []money.Amount // taken from each coupon
}

// MeetUsage decides how usage is met, one due after the other (billing-rules 3.2): coupons in their order, each for what it
// covers; then, for a customer who settles monthly, the month (debt until it is settled); for others cash to its last
// decimal, then credit, and what is left is debt. Usage is never refused. What comes to less than nothing goes back: it
// lowers debt, then credit, and the rest is cash. held is brought up to date.
func MeetUsage(p *Purse, dues []Due, kinds []rating.Kind, coupons []coupon.Coupon) UsagePlan {
	plan := UsagePlan{Parts: make([]charge.Parts, len(dues)), Coupons: make([]money.Amount, len(coupons))}
	for i := range dues {
		rest, part := dues[i].Amount, &plan.Parts[i]
		if rest < 0 {
			*part = Return(charge.Parts{Cash: -rest, Credit: -rest, Debt: -rest}, -rest, &p.Held).Neg()
			p.Held.Cash -= part.Cash
			continue
		}
		for j := range coupons {
			if left := coupons[j].Balance - plan.Coupons[j]; rest > 0 && left > 0 && coversUsage(&coupons[j], &dues[i], kinds[i]) {
				take := min(left, rest)
				plan.Coupons[j] += take
				part.Coupon += take
				rest -= take
			}
		}
		if !p.Monthly {
			part.Cash = min(max(0, p.Held.Cash), rest)
			part.Credit = min(max(0, p.Limit-p.Held.Credit), rest-part.Cash)
		}
		part.Debt = rest - part.Cash - part.Credit
		p.Held.Cash -= part.Cash
		p.Held.Credit += part.Credit
		p.Held.Debt += part.Debt
	}
	return plan
}

// ForUsage keeps of a customer's coupons those that pay for usage, in the order in which they do: the more restricted
// first, then the soonest to expire, then by id (billing-rules 3.2). One that is for a single use, or for orders of a
// certain kind or size, does not pay for usage.
func ForUsage(list []coupon.Coupon) []coupon.Coupon {
	list = slices.DeleteFunc(list, func(c coupon.Coupon) bool {
		return c.Version != 2 || c.LockedBy != "" || slices.ContainsFunc(c.Limits, func(l coupon.Limit) bool {
			switch l.Key {
			case "subscribeType", "firstOrderInService", "minConsume":
				return true
			case coupon.UsageTimes:
				return l.Value1 != "0"
			}
			return false
		})
	})
	slices.SortFunc(list, func(a, b coupon.Coupon) int {
		return cmp.Or(cmp.Compare(restrictions(&b), restrictions(&a)), a.Expires.Compare(b.Expires), strings.Compare(a.ID, b.ID))
	})
	return list
}

// restrictions is 1 for a coupon that is for certain services, regions or products only.
func restrictions(c *coupon.Coupon) int {
	for _, l := range c.Limits {
		switch l.Key {
		case "serviceType", "regionCode", "productId":
			return 1
		}
	}
	return 0
}

func coversUsage(c *coupon.Coupon, d *Due, kind rating.Kind) bool {
	if !coversDue(c, d) || !d.At.IsZero() && (d.At.Before(c.Effective) || !d.At.Before(c.Expires)) || together(c, kind) != nil {
		return false
	}
	return deepEnough(c, []Due{*d}, kind) == nil
}

// UsagePostings are the movements of usage that was met with these parts.
func UsagePostings(parts []charge.Parts) []ledger.Posting {
	var in, back charge.Parts
	for i := range parts {
		p := &parts[i]
		for _, k := range []struct{ part, in, back *money.Amount }{
			{&p.Cash, &in.Cash, &back.Cash}, {&p.Credit, &in.Credit, &back.Credit}, {&p.Debt, &in.Debt, &back.Debt}, {&p.Coupon, &in.Coupon, &back.Coupon},
		} {
			if *k.part > 0 {
				*k.in += *k.part
			} else {
				*k.back -= *k.part
			}
		}
	}
	out := slices.Concat(post(ledger.Cash, ledger.Revenue, in.Cash), post(ledger.Credit, ledger.Revenue, in.Credit),
		post(ledger.Debt, ledger.Revenue, in.Debt), post(ledger.Coupon, ledger.Revenue, in.Coupon))
	return append(out, ReturnPostings(back, charge.Parts{})...)
}

// Truncation are the movements by which the close of a month gives back what it cut off, by the parts that had paid it, and takes
// what rounding added. What a part had left unpaid and is paid meanwhile goes back as cash; a coupon is not made larger. What
// is taken is cash, then credit, and else owed.
func Truncation(off, on charge.Parts, held ledger.Balances, limit money.Amount) ([]ledger.Posting, error) {
	back := charge.Parts{Coupon: off.Coupon}
	all, err := off.Sum()
	if err != nil {
		return nil, err
	}
	cash := Return(off, all-off.Coupon, &held)
	back.Cash, back.Credit, back.Debt = cash.Cash, cash.Credit, cash.Debt
	held.Cash += back.Cash
	add, err := on.Sum()
	if err != nil {
		return nil, err
	}
	out := slices.Concat(post(ledger.Truncation, ledger.Debt, back.Debt), post(ledger.Truncation, ledger.Credit, back.Credit),
		post(ledger.Truncation, ledger.Cash, back.Cash), post(ledger.Truncation, ledger.Coupon, back.Coupon))
	paid := min(max(0, held.Cash), add)
	credit := min(max(0, limit-held.Credit), add-paid)
	return slices.Concat(out, post(ledger.Cash, ledger.Truncation, paid), post(ledger.Credit, ledger.Truncation, credit),
		post(ledger.Debt, ledger.Truncation, add-paid-credit)), nil
}

// TaxPostings are the movements of tax that was met with these parts.
func TaxPostings(parts []charge.Parts) []ledger.Posting {
	out := UsagePostings(parts)
	for i := range out {
		if p := &out[i]; p.Taker == ledger.Revenue {
			p.Taker = ledger.Tax
		}
		if p := &out[i]; p.Giver == ledger.Refund {
			p.Giver = ledger.Tax
		}
	}
	return out
}
