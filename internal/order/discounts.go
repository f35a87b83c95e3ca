package order

import (
	"context"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
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
