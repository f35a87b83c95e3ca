package order

import (
	"context"
	"slices"

	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Offer is a discount that an order can be paid with, and what it makes of the order's lines.
type Offer struct {
	Grant discount.Grant
	Quote rating.Quote
	Best  bool
}

// Offers lists the discounts that an order can be paid with: those in force when it was placed, or now; its price
// adjustment alone where it has one. The best is that with the lowest amount (billing-rules 1.3).
func (d *Desk) Offers(ctx context.Context, r db.Reader, o *Order, lines []Line) ([]Offer, error) {
	now, _ := r.Instant()
	grants, err := d.Discounts.InForceAt(ctx, r, o.Customer, o.Created, now)
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	grants = discount.ForOrder(grants, o.ID)
	discounts := make([]rating.Discount, len(grants))
	byID := make(map[string]*discount.Grant, len(grants))
	for i := range grants {
		discounts[i] = grants[i].Offer()
		byID[grants[i].ID] = &grants[i]
	}
	rated := make([]rating.Line, len(lines))
	for i := range lines {
		if rated[i], err = lines[i].rated(); err != nil {
			return nil, err
		}
	}
	offers, best, err := rating.Offers(discounts, rated, rating.PeriodPrecision(d.Currency))
	if err != nil {
		return nil, err
	}
	out := make([]Offer, len(offers))
	for i := range offers {
		out[i] = Offer{*byID[offers[i].Discount.ID], offers[i].Quote, i == best}
	}
	return out, nil
}

// CouponOffer is what a coupon would bring to the payment of an order.
type CouponOffer struct {
	Coupon coupon.Coupon
	Brings money.Amount
	Best   bool
	Why    error // it brings nothing: the refusal that a payment with it would meet
}

// Without names no discount, where one that is not named is the best.
const Without = "none"

// Coupons works out what each of the payer's coupons would bring to the order, by the functions of a payment. name is the id of the
// discount that is used beside, Without, or empty for the best; due is what the order comes to with it. The best coupon brings the
// most, of equals the one that expires first. CBC.99003108: the discount cannot be used.
func (d *Desk) Coupons(ctx context.Context, r db.Reader, o *Order, lines []Line, offers []Offer, payer, name string) (list []CouponOffer, used *Offer, due money.Amount, err error) {
	for i := range offers {
		if offers[i].Grant.ID == name || name == "" && offers[i].Best {
			used = &offers[i]
		}
	}
	if used == nil && name != "" && name != Without {
		return nil, nil, 0, fault.New(fault.Invalid, "CBC.99003108", "discount %s cannot be used for this order", name)
	}
	kind := rating.Kind(0)
	lines = slices.Clone(lines)
	for i := range lines {
		if used != nil {
			kind, lines[i].Amount = used.Grant.Kind, money.CutCharge(used.Quote.Lines[i].Amount)
		}
		if due, err = money.Add(due, lines[i].Amount); err != nil {
			return nil, nil, 0, err
		}
	}
	units, err := share(lines, d.Currency)
	if err != nil {
		return nil, nil, 0, err
	}
	parts := dues(units)
	all, err := coupon.Spendable(ctx, r, payer)
	if err != nil {
		return nil, nil, 0, err
	}
	now, _ := r.Instant()
	best := -1
	list = make([]CouponOffer, len(all))
	for i := range all {
		one := &list[i]
		one.Coupon = all[i]
		if one.Why = one.Coupon.UsableFor(o.ID, now); one.Why != nil {
			continue
		}
		var covered []int
		if covered, one.Why = payment.Covers(&one.Coupon, parts, payment.Occasion{Subscribe: subscribeOf(o.Type), Uses: one.Coupon.Uses, Discount: kind}); one.Why != nil {
			continue
		}
		if one.Brings, err = payment.Brings(&one.Coupon, parts, covered, d.Currency); err != nil {
			return nil, nil, 0, err
		}
		if best < 0 || one.Brings > list[best].Brings || one.Brings == list[best].Brings && one.Coupon.Expires.Before(list[best].Coupon.Expires) {
			best = i
		}
	}
	if best >= 0 && list[best].Brings > 0 {
		list[best].Best = true
	}
	return list, used, due, nil
}

// automatic leaves of an order's offers those that an automatic payment may take, the best marked anew. A promotion is one only
// for a renewal by hand and for a change, of a resource that an earlier order paid for with it (billing-rules 1.3).
func (d *Desk) automatic(ctx context.Context, r db.Reader, o *Order, lines []Line, offers []Offer) ([]Offer, error) {
	used := map[string]bool{}
	if o.Type == Renew && o.Source != BySystem || o.Type == Change {
		seen := map[string]bool{}
		for i := range lines {
			terms, err := subscription.Terms(ctx, r, o.Customer, lines[i].Instance)
			if err != nil {
				return nil, err
			}
			for k := range terms {
				if id := terms[k].Order; !seen[id] {
					seen[id] = true
					by, err := Find(ctx, r, o.Customer, id)
					if err != nil {
						return nil, err
					}
					used[by.DiscountID] = true
				}
			}
		}
	}
	var out []Offer
	best := -1
	for i := range offers {
		offer := offers[i]
		if offer.Grant.Kind == rating.Promotion && !used[offer.Grant.ID] {
			continue
		}
		if best < 0 || offer.Quote.Amount < out[best].Quote.Amount || offer.Best && offer.Quote.Amount == out[best].Quote.Amount {
			best = len(out)
		}
		offer.Best = false
		out = append(out, offer)
	}
	if best >= 0 {
		out[best].Best = true
	}
	return out, nil
}

// PayType is the type under which a discount is named in a payment (api.md 5.4).
type PayType int32

// The types.
const (
	PayPromotion  PayType = 0
	PayCommercial PayType = 2
	PayPartner    PayType = 3
	PayAdjustment PayType = 609
)

// PayTypeOf is the payment's type of a kind of discount.
func PayTypeOf(k rating.Kind) PayType {
	switch k {
	case rating.Promotion:
		return PayPromotion
	case rating.Partner:
		return PayPartner
	case rating.Adjustment:
		return PayAdjustment
	}
	return PayCommercial
}

// choose picks the discount of a payment; nil: none. CBC.99003108 when it is not one of the order's, or another must
// be used.
func choose(offers []Offer, m *Means) (*Offer, error) {
	not := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "CBC.99003108", format, args...)
	}
	if m.Best {
		for i := range offers {
			if offers[i].Best || offers[i].Grant.Kind == rating.Adjustment {
				return &offers[i], nil
			}
		}
		return nil, nil
	}
	for i := range offers {
		o := &offers[i]
		if m.Discount == o.Grant.ID {
			if m.DiscountType != PayTypeOf(o.Grant.Kind) {
				return nil, not("discount %s is not of type %d", m.Discount, m.DiscountType)
			}
			return o, nil
		}
	}
	for i := range offers {
		if offers[i].Grant.Kind == rating.Adjustment {
			return nil, not("the order has a price adjustment, %s, which must be used", offers[i].Grant.ID)
		}
	}
	if m.Discount != "" {
		return nil, not("discount %s cannot be used for this order", m.Discount)
	}
	return nil, nil
}
