package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// Rated is a product of an answer: the line, the product found, and the offers that cover it.
type Rated struct {
	rating.Priced
	ProductID string
	Offers    []rating.Offer // on demand; each quotes this line alone
}

// PriceOnDemand is the answer of a pay-per-use query.
type PriceOnDemand struct {
	Official, Amount, Discount money.Quoted
	Lines                      []Rated
	Currency                   money.Currency
}

// PriceByTerm is the answer of a yearly/monthly query.
type PriceByTerm struct {
	List       rating.Quote
	ProductIDs []string
	Offers     []rating.Offer
	Best       int // index into Offers; -1 without
	Currency   money.Currency
}

// house currency; a setting comes with accounts.
var currency = money.USD

// RateOnDemand prices usage. Of several discounts a commercial one is preferred to a larger one by the partner
// (api.md 2.1). precision is the contract's inquiry_precision: 0 cuts at 6 decimals, 1 at 10.
//
// Faults, in this order over the products as given: CBC.0100 duplicate ids and unknown project; for each product
// CBC.99006006 no such product, CBC.99006074 no such usage factor, CBC.99006050 bad usage unit, CBC.0100 bad size,
// CBC.99006055 above the maximum.
func (c *Counter) RateOnDemand(ctx context.Context, call *Call, project string, precision int32, wanted []catalog.Wanted) (PriceOnDemand, error) {
	out := PriceOnDemand{Currency: currency}
	cut, ok := rating.InquiryPrecision(precision)
	if !ok {
		return out, fault.New(fault.Invalid, "CBC.0100", "inquiry_precision: must be 0 or 1")
	}
	err := c.price(ctx, call, project, wanted, func(v *db.View, shelf *catalog.Snapshot, granted []rating.Discount) error {
		out.Lines = make([]Rated, len(wanted))
		for i := range wanted {
			line, err := shelf.OnDemand(&wanted[i], v.Now)
			if err != nil {
				return err
			}
			if err := out.Lines[i].offer(line, granted, cut); err != nil {
				return catalog.PriceFault(&wanted[i], err)
			}
		}
		return out.sum()
	})
	return out, err
}

// offer quotes one line with each discount that covers it and takes the preferred one.
func (r *Rated) offer(line rating.Line, granted []rating.Discount, cut rating.Precision) error {
	lines := [1]rating.Line{line}
	r.ProductID = line.Product
	official := cut.Cut(line.Official)
	r.Priced = rating.Priced{ID: line.ID, Official: official, Amount: official}
	if len(granted) == 0 {
		return nil
	}
	offers, _, err := rating.Offers(granted, lines[:], cut)
	if err != nil {
		return err
	}
	r.Offers = offers
	if best := rating.Preferred(offers); best >= 0 {
		r.Priced = offers[best].Quote.Lines[0]
	}
	return nil
}

func (p *PriceOnDemand) sum() (err error) {
	for i := range p.Lines {
		line := &p.Lines[i]
		if p.Official, err = money.Add(p.Official, line.Official); err != nil {
			return catalog.PriceFault(nil, err)
		}
		// Amount and discount are parts of official and of its sign: they fit when it does.
		p.Amount += line.Amount
		p.Discount += line.Discount
	}
	return nil
}

// RateByTerm prices yearly/monthly (or daily, hourly) subscriptions: the list price, and each discount of the
// customer that covers some of it, the largest marked best (commercial before partner when equal; api.md 2.2).
//
// Faults as RateOnDemand, without those of usage; a period that the product is not sold for is CBC.99006006.
func (c *Counter) RateByTerm(ctx context.Context, call *Call, project string, wanted []catalog.Wanted) (PriceByTerm, error) {
	out := PriceByTerm{Currency: currency, Best: -1, ProductIDs: make([]string, len(wanted))}
	cut := rating.PeriodPrecision(currency)
	err := c.price(ctx, call, project, wanted, func(v *db.View, shelf *catalog.Snapshot, granted []rating.Discount) error {
		lines := make([]rating.Line, len(wanted))
		for i := range wanted {
			line, err := shelf.ByTerm(&wanted[i], v.Now)
			if err != nil {
				return err
			}
			lines[i], out.ProductIDs[i] = line, line.Product
		}
		var err error
		if out.List, err = rating.List(lines, cut); err != nil {
			return catalog.PriceFault(nil, err)
		}
		if len(granted) > 0 {
			if out.Offers, out.Best, err = rating.Offers(granted, lines, cut); err != nil {
				return catalog.PriceFault(nil, err)
			}
		}
		return nil
	})
	return out, err
}

// price is what both queries share: authorise, check the query as a whole, find the customer's discounts.
func (c *Counter) price(ctx context.Context, call *Call, project string, wanted []catalog.Wanted, rate func(*db.View, *catalog.Snapshot, []rating.Discount) error) error {
	return c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := distinct(wanted); err != nil {
			return err
		}
		if err := c.ownProject(ctx, v, scope, project); err != nil {
			return err
		}
		shelf, err := c.Catalogue.At(ctx, v)
		if err != nil {
			return err
		}
		granted, err := c.offersFor(ctx, v, scope)
		if err != nil {
			return err
		}
		return rate(v, shelf, granted)
	})
}

func distinct(wanted []catalog.Wanted) error {
	if len(wanted) == 1 {
		return nil
	}
	seen := make(map[string]struct{}, len(wanted))
	for i := range wanted {
		if _, twice := seen[wanted[i].ID]; twice {
			return fault.New(fault.Invalid, "CBC.0100", "product_infos[%d].id: %q is there twice", i, wanted[i].ID)
		}
		seen[wanted[i].ID] = struct{}{}
	}
	return nil
}

// ownProject refuses a project that is not one of the caller's account.
func (c *Counter) ownProject(ctx context.Context, r db.Reader, scope identity.Scope, project string) error {
	own, err := c.Identity.OwnsProject(ctx, r, scope.Customer, project)
	if err != nil {
		return err
	}
	if !own {
		return fault.New(fault.Invalid, "CBC.0100", "project_id: the account has no project %q", project)
	}
	return nil
}

// offersFor lists the discounts in force of the scope's customer. They are hidden from users who may not see them:
// such a user gets list prices, and the call still succeeds (api.md 0.10).
func (c *Counter) offersFor(ctx context.Context, r db.Reader, scope identity.Scope) ([]rating.Discount, error) {
	if scope.DiscountsHidden {
		return nil, nil
	}
	grants, err := c.Discounts.InForce(ctx, r, scope.Customer)
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	out := make([]rating.Discount, 0, len(grants))
	for i := range grants { // promotions and price adjustments do not compete in price queries (api.md 2.2)
		if k := grants[i].Kind; k != rating.Promotion && k != rating.Adjustment {
			out = append(out, grants[i].Offer())
		}
	}
	return out, nil
}
