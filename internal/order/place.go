package order

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

// Bounds of one order.
const (
	linesMost     = 100
	resourcesMost = 500
)

// Item is a product that is to be ordered, with what is attached to it. The number of an attached one counts for each
// primary one, and its period is the primary's.
type Item struct {
	catalog.Wanted
	Name      string
	RelatedTo string // ID of an earlier primary product of the order that this primary one goes with; empty: none
	Attached  []Item
}

// Draft is an order that is to be placed.
type Draft struct {
	Customer     account.Customer
	User         string
	Source       int32
	CloudProject string
	Project      string // enterprise project
	Items        []Item
	Policy       subscription.Policy
	Coupon       string    // held for the order until it is paid or cancelled; empty: none
	Effective    time.Time // chosen start; zero: when it is paid
	Trade        string    // combined purchase
	Confirm      bool      // waits until the customer confirms it
}

// Place places an order: prices are those of now, its tax is worked out, its deadline set. It moves no money.
//
// Faults, in this order: the customer is frozen or closed, CBC.0100 bounds and form, the catalogue's for each item,
// CBC.99003112 the coupon.
func (d *Desk) Place(ctx context.Context, tx *db.Tx, draft *Draft) (Order, []Line, error) {
	o := Order{
		Customer: draft.Customer.ID, Type: New, Status: Unpaid, Source: draft.Source, Trade: draft.Trade, CloudProject: draft.CloudProject,
		Project: draft.Project, Policy: draft.Policy, CouponHeld: draft.Coupon, User: draft.User, Created: tx.Now, Effective: draft.Effective,
		Deadline: tx.Now.Add(d.Rules.Life),
	}
	if err := mayOrder(&draft.Customer); err != nil {
		return o, nil, err
	}
	if !draft.Effective.IsZero() && !draft.Effective.After(tx.Now) {
		return o, nil, fault.New(fault.Invalid, "CBC.0100", "effective_time: must lie in the future")
	}
	if draft.Effective.After(tx.Now.AddDate(0, d.Rules.TermMost, 0)) {
		return o, nil, fault.New(fault.Invalid, "CBC.0100", "effective_time: more than %d months ahead", d.Rules.TermMost)
	}
	shelf, err := d.Catalogue.At(ctx, tx)
	if err != nil {
		return o, nil, err
	}
	id, err := ident.NewOrderID(d.Random, tx.Now)
	if err != nil {
		return o, nil, err
	}
	o.ID = string(id)
	lines, err := price(shelf, d.Currency, draft.Items, o.ID, tx.Now)
	if err != nil {
		return o, nil, err
	}
	o.Service = lines[0].Service
	if err := d.setTax(ctx, tx, &draft.Customer, lines); err != nil {
		return o, nil, err
	}
	for i := range lines {
		if o.Official, err = money.Add(o.Official, lines[i].Official); err != nil {
			return o, nil, catalog.PriceFault(nil, rating.ErrAboveMaximum)
		}
		o.Tax += lines[i].Tax
	}
	o.Amount = o.Official
	if err := d.setDeadline(ctx, tx, &o, lines); err != nil {
		return o, nil, err
	}
	switch {
	case draft.Confirm:
		o.Status = Confirming
	case d.Rules.ReviewOrders > 0 && o.Official > d.Rules.ReviewOrders:
		o.Status = Approving
	}
	if err := insertHead(ctx, tx, &o); err != nil {
		return o, nil, err
	}
	for i := range lines {
		if err := insertLine(ctx, tx, o.Customer, &lines[i]); err != nil {
			return o, nil, err
		}
	}
	return o, lines, nil
}

// mayOrder refuses customers who cannot order or pay.
func mayOrder(c *account.Customer) error {
	if c.Standing != account.Active {
		return fault.New(fault.Forbidden, "CBC.0155", "the account is %s: it cannot order or pay", c.Standing)
	}
	return nil
}

// price makes lines of items, each primary one followed by what is attached to it.
func price(shelf *catalog.Snapshot, currency money.Currency, items []Item, order string, now time.Time) ([]Line, error) {
	var lines []Line
	resources := 0
	add := func(item *Item, parent *Line) error {
		if len(lines) == linesMost {
			return fault.New(fault.Invalid, "CBC.0100", "products: at most %d in an order, attached ones included", linesMost)
		}
		w := item.Wanted
		if w.Num < 1 || w.Num > resourcesMost {
			return fault.New(fault.Invalid, "CBC.0100", "product %q: subscription_num must be 1 to %d", w.ID, resourcesMost)
		}
		l := Line{Order: order, No: int32(len(lines) + 1), Name: item.Name, Service: w.Service, ResourceType: w.ResourceType, Spec: w.Spec, Region: w.Region, Zone: w.Zone, Size: w.Size}
		if parent != nil {
			l.Parent = parent.No
			w.Num *= int32(parent.Num)
			w.PeriodType, w.Periods = parent.Unit.Code(), int32(parent.Periods)
			if w.Region != parent.Region {
				return fault.New(fault.Invalid, "CBC.0100", "product %q: an attached product is in its primary product's region", w.ID)
			}
		}
		if resources += int(w.Num); w.Num > resourcesMost || resources > resourcesMost {
			return fault.New(fault.Invalid, "CBC.0100", "products: at most %d resources in an order", resourcesMost)
		}
		if w.Periods < 1 || w.Periods > periodsMost {
			return fault.New(fault.Invalid, "CBC.0100", "product %q: period_num must be 1 to %d", w.ID, periodsMost)
		}
		rated, err := shelf.ByTerm(&w, now)
		if err != nil {
			return err
		}
		l.Product, l.Num, l.Periods = rated.Product, int(w.Num), int(w.Periods)
		l.Unit, _ = period.UnitOf(w.PeriodType) // ByTerm has refused others
		l.Official = money.CutCharge(rating.PeriodPrecision(currency).Cut(rated.Official))
		l.Amount = l.Official
		if packageOf(shelf, &l) != nil && (parent != nil || len(item.Attached) > 0) {
			return fault.New(fault.Invalid, "CBC.0100", "product %q: a resource package is neither attached nor has anything attached", w.ID)
		}
		lines = append(lines, l)
		return nil
	}
	primaries := map[string]int{} // index of the line of a primary product, by its id
	for i := range items {
		if err := add(&items[i], nil); err != nil {
			return nil, err
		}
		if err := relate(shelf, lines, primaries, &items[i]); err != nil {
			return nil, err
		}
		primaries[items[i].ID] = len(lines) - 1
		primary := lines[len(lines)-1]
		for k := range items[i].Attached {
			if err := add(&items[i].Attached[k], &primary); err != nil {
				return nil, err
			}
		}
	}
	if len(lines) == 0 {
		return nil, fault.New(fault.Invalid, "CBC.0100", "products: at least one")
	}
	return lines, nil
}

// relate notes on the last line which earlier primary product its item goes with.
func relate(shelf *catalog.Snapshot, lines []Line, primaries map[string]int, item *Item) error {
	if item.RelatedTo == "" {
		return nil
	}
	l := &lines[len(lines)-1]
	k, ok := primaries[item.RelatedTo]
	switch {
	case !ok:
		return fault.New(fault.Invalid, "CBC.0100", "product %q: related_to %q is no earlier primary product of the order", item.ID, item.RelatedTo)
	case packageOf(shelf, l) != nil || packageOf(shelf, &lines[k]) != nil:
		return fault.New(fault.Invalid, "CBC.0100", "product %q: a resource package goes with nothing", item.ID)
	case l.Region != lines[k].Region:
		return fault.New(fault.Invalid, "CBC.0100", "product %q: it is not in the region of %q, with which it goes", item.ID, item.RelatedTo)
	}
	l.Related = lines[k].No
	return nil
}

// periodsMost bounds a term; what a product is sold for, the catalogue says.
const periodsMost = 120

// setTax fixes the rate of each line and works its tax out on what the line comes to. A rate that is not to be had is
// looked for again when the order is paid.
func (d *Desk) setTax(ctx context.Context, r db.Reader, c *account.Customer, lines []Line) error {
	table, err := tax.For(ctx, r, c.Country)
	if err != nil {
		return err
	}
	for i := range lines {
		l := &lines[i]
		if l.TaxRate != "" {
			continue
		}
		rate, err := table.Of(l.Service)
		if fault.Is(err, "CBC.99006093") {
			continue
		}
		if err != nil {
			return err
		}
		l.TaxRate, l.TaxInclusive = rate.Rate.String(), rate.Inclusive
		if err := l.tax(d.Currency); err != nil {
			return err
		}
	}
	return nil
}

// tax works the line's tax out on its amount, by the rate that was fixed.
func (l *Line) tax(currency money.Currency) error {
	l.Tax = 0
	if l.TaxRate == "" || l.TaxInclusive {
		return nil
	}
	rate, err := l.rate()
	if err == nil {
		l.Tax, err = rate.On(l.Amount, currency)
	}
	return err
}

func (l *Line) rate() (tax.Rate, error) {
	value, err := money.ParseDecimal(l.TaxRate)
	return tax.Rate{Rate: value, Inclusive: l.TaxInclusive}, err
}

// setDeadline brings the deadline nearer when a promotion that covers the order, or the coupon held for it, ends earlier
// (billing-rules 1.2), and holds the coupon.
func (d *Desk) setDeadline(ctx context.Context, tx *db.Tx, o *Order, lines []Line) error {
	nearer := func(at time.Time) {
		if at.Before(o.Deadline) {
			o.Deadline = at
		}
	}
	grants, err := d.Discounts.InForce(ctx, tx, o.Customer)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.Kind == rating.Promotion && covers(&g, lines) {
			nearer(g.Expires)
		}
	}
	if o.CouponHeld == "" {
		return nil
	}
	c, err := coupon.Lock(ctx, tx, o.Customer, o.CouponHeld, o.ID)
	if fault.Is(err, "PURSER.0403") {
		return errNoCoupon(o.CouponHeld)
	}
	if err == nil {
		nearer(c.Expires)
	}
	return err
}

func covers(g *discount.Grant, lines []Line) bool {
	offer := g.Offer()
	for i := range lines {
		if rated, err := lines[i].rated(); err == nil && offer.Covers(&rated) {
			return true
		}
	}
	return false
}

func errNoCoupon(id string) error {
	return fault.New(fault.Invalid, "CBC.99003112", "the customer has no coupon %s that can be used", id)
}
