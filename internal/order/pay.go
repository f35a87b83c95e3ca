package order

import (
	"context"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

// Means are what the payer chose to pay with. Best leaves the choice to the house, as an automatic payment does.
type Means struct {
	Discount     string // empty: none
	DiscountType PayType
	Coupon       string // empty: none
	Best         bool
	AnyCoupon    bool // without a coupon named, the one with the largest balance is taken
	Combined     bool // an order of a combined purchase may be paid: all of them are
}

// unit is one resource's share of a line: what payments, terms and fee records are made of.
type unit struct {
	line           *Line
	k              int // which of the line's, from 0
	official       money.Amount
	due            payment.Due
	amounts, taxes charge.Parts
	instance       string // of the resource, or the id of the package
	granted        bool   // it is a package
	primary        string // instance that it is attached to
	related        string // instance that it goes with
}

// Pay pays an order of a customer whole; payer is the customer itself, or the master that pays for it. The discount lowers its lines, the coupon pays for what it covers, the rest comes from the
// payer (payment.Meet); fee records and resources follow, and with the house's own provisioner the order is complete.
//
// Faults, in this order (api.md 5.4): CBC.30000010 unknown, CBC.0155 the account is frozen or closed, PURSER.0302 its
// books are parked, CBC.99000089 part of a combined purchase, CBC.99003106 not to be paid in this status,
// CBC.99003110 past the deadline, CBC.99003162 past the chosen start, CBC.99003108 the discount, CBC.99003112,
// CBC.99003116 and CBC.99003117 the coupon, CBC.99003141 a product is no longer sold, CBC.99003198 the payer's monthly
// quota, CBC.99006093 no tax rate, CBC.99005003 not enough money, CBC.99003155 the fund quota of the order's enterprise project.
func (d *Desk) Pay(ctx context.Context, tx *db.Tx, customer *account.Customer, payer *account.Customer, id string, m Means) (Order, error) {
	o, err := d.Find(ctx, tx, customer.ID, id)
	if err != nil {
		return o, err
	}
	if err := d.payable(ctx, tx, &o, customer, payer, &m); err != nil {
		return o, err
	}
	lines, err := allLines(ctx, tx, &o)
	if err != nil {
		return o, err
	}
	offers, err := d.Offers(ctx, tx, &o, lines)
	if err != nil {
		return o, err
	}
	if m.Best {
		if offers, err = d.automatic(ctx, tx, &o, lines, offers); err != nil {
			return o, err
		}
	}
	offer, err := choose(offers, &m)
	if err != nil {
		return o, err
	}
	if offer != nil {
		o.DiscountID, o.DiscountKind = offer.Grant.ID, offer.Grant.Kind
		for i := range lines {
			lines[i].Amount = money.CutCharge(offer.Quote.Lines[i].Amount)
		}
	}
	units, err := share(lines, d.Currency)
	if err != nil {
		return o, err
	}
	c, covered, err := d.coupon(ctx, tx, &o, payer, units, &m)
	if err != nil {
		return o, err
	}
	if err := d.stillSold(ctx, tx, &o, lines); err != nil {
		return o, err
	}
	purse, err := d.purse(ctx, tx, payer, units, lines, customer)
	if err != nil {
		return o, err
	}
	plan, err := payment.Meet(purse, dues(units), c, covered, d.Currency)
	if err != nil {
		return o, err
	}
	budgeted, err := project.Allow(ctx, tx, o.Customer, o.Project, period.CycleOf(tx.Now), plan.Due-plan.Total.Coupon)
	if err != nil {
		return o, err
	}
	o.deed = &deed{counted: budgeted}
	for i := range units {
		units[i].amounts, units[i].taxes = plan.Amounts[i], plan.Taxes[i]
	}
	return o, d.settle(ctx, tx, &o, payer, lines, units, &plan, c, d.life(customer))
}

// payable refuses an order that cannot be paid whatever it is paid with.
func (d *Desk) payable(ctx context.Context, tx *db.Tx, o *Order, customer *account.Customer, payer *account.Customer, m *Means) error {
	for _, c := range []*account.Customer{customer, payer} {
		if err := mayOrder(c); err != nil {
			return err
		}
	}
	if err := ledger.RefuseParked(ctx, tx, payer.ID); err != nil {
		return err
	}
	switch {
	case o.Trade != "" && !m.Combined:
		return errCombined(o)
	case o.Status != Unpaid:
		return fault.New(fault.Invalid, "CBC.99003106", "order %s is in status %d and cannot be paid", o.ID, o.Status)
	case !tx.Now.Before(o.Deadline):
		return fault.New(fault.Invalid, "CBC.99003110", "order %s had to be paid before %s", o.ID, o.Deadline.UTC().Format("2006-01-02T15:04:05Z"))
	case !o.Effective.IsZero() && tx.Now.After(o.Effective):
		return fault.New(fault.Invalid, "CBC.99003162", "order %s was to take effect on %s", o.ID, o.Effective.UTC().Format("2006-01-02T15:04:05Z"))
	}
	return nil
}

// share splits every line into its resources; shares sum to the line.
func share(lines []Line, currency money.Currency) ([]unit, error) {
	n := 0
	for i := range lines {
		n += lines[i].Num
	}
	units := make([]unit, 0, n)
	for i := range lines {
		l := &lines[i]
		one := make([]money.Amount, l.Num)
		for k := range one {
			one[k] = 1
		}
		official, err := money.SplitBy(l.Official, currency.Unit(), one)
		if err != nil {
			return nil, err
		}
		// Shares of the amount follow those of the official price, so that no discount is below zero.
		amount, err := splitLike(l.Amount, official, currency)
		if err != nil {
			return nil, err
		}
		for k := range one {
			units = append(units, unit{line: l, k: k, official: official[k], due: payment.Due{
				Official: official[k], Amount: amount[k], Service: l.Service, ResourceType: l.ResourceType, Product: l.Product, Region: l.Region,
			}})
		}
	}
	return units, nil
}

// splitLike splits an amount by weights, all to the first when there are none.
func splitLike(amount money.Amount, weights []money.Amount, currency money.Currency) ([]money.Amount, error) {
	for _, w := range weights {
		if w != 0 {
			return money.SplitBy(amount, currency.Unit(), weights)
		}
	}
	out := make([]money.Amount, len(weights))
	out[0] = amount
	return out, nil
}

func dues(units []unit) []payment.Due {
	out := make([]payment.Due, len(units))
	for i := range units {
		out[i] = units[i].due
	}
	return out
}

// coupon finds the coupon of a payment and what it covers; nil: none.
func (d *Desk) coupon(ctx context.Context, tx *db.Tx, o *Order, payer *account.Customer, units []unit, m *Means) (*coupon.Coupon, []int, error) {
	occasion := func(uses int) payment.Occasion {
		return payment.Occasion{Subscribe: subscribeOf(o.Type), Uses: uses, Discount: o.DiscountKind}
	}
	id := m.Coupon
	if m.Best && id == "" {
		id = o.CouponHeld
	}
	if id == "" {
		if !m.Best && !m.AnyCoupon {
			return nil, nil, nil
		}
		list, err := coupon.ForOrder(ctx, tx, payer.ID, o.ID)
		if err != nil {
			return nil, nil, err
		}
		c, covered := payment.Choose(list, dues(units), func(c *coupon.Coupon) payment.Occasion { return occasion(c.Uses) })
		return c, covered, nil
	}
	c, err := coupon.ForPayment(ctx, tx, payer.ID, id, o.ID)
	if err != nil {
		return nil, nil, err
	}
	covered, err := payment.Covers(&c, dues(units), occasion(c.Uses))
	return &c, covered, err
}

// subscribeOf is the type of an order as limits of coupons name it.
func subscribeOf(t Type) string {
	switch t {
	case Renew:
		return "renew"
	case Change:
		return "change"
	}
	return "new"
}

// stillSold refuses an order with a product that has gone off sale since (api.md 5.4: quota_infos, reason 3).
func (d *Desk) stillSold(ctx context.Context, tx *db.Tx, o *Order, lines []Line) error {
	shelf, err := d.Catalogue.At(ctx, tx)
	if err != nil {
		return err
	}
	var gone []map[string]any
	for i := range lines {
		w := lines[i].wanted()
		w.OffSale = o.Type == Renew && o.Source == BySystem
		if _, err := shelf.ByTerm(&w, tx.Now); err != nil {
			gone = append(gone, map[string]any{"region": w.Region, "service_type_code": w.Service, "available_zone": w.Zone, "reason": specChanged})
		}
	}
	if len(gone) == 0 {
		return nil
	}
	refusal := fault.New(fault.Invalid, "CBC.99003141", "a product of the order is no longer sold as it was ordered")
	refusal.Detail = map[string]any{"quota_infos": gone}
	return refusal
}

// specChanged is the reason of a quota_info.
const specChanged = 3

// purse reads what the payer has, works out the tax of every unit, and holds the sum against the payer's quota.
func (d *Desk) purse(ctx context.Context, tx *db.Tx, payer *account.Customer, units []unit, lines []Line, customer *account.Customer) (*payment.Purse, error) {
	held, err := ledger.Of(ctx, tx, payer.ID)
	if err != nil {
		return nil, err
	}
	missing := d.tax(ctx, tx, customer, lines, units)
	if missing != nil && !fault.Is(missing, "CBC.99006093") {
		return nil, missing
	}
	if payer.Settlement == account.Monthly && payer.Quota > 0 {
		month := period.CycleOf(tx.Now).Span()
		sum, err := ledger.Spent(ctx, tx, payer.ID, month.Start, month.End)
		if err != nil {
			return nil, err
		}
		for i := range units {
			if sum, err = money.Sum(sum, units[i].due.Amount, units[i].due.Tax); err != nil {
				return nil, catalog.PriceFault(nil, rating.ErrAboveMaximum)
			}
		}
		if sum > payer.Quota {
			return nil, fault.New(fault.Invalid, "CBC.99003198", "the expenditure quota of %s a month does not suffice: with this order %s", payer.Quota, sum)
		}
	}
	return &payment.Purse{Held: held, Limit: payer.CreditLimit, Monthly: payer.Settlement == account.Monthly}, missing
}

// tax works the tax of each line out on its discounted amount and shares it out to the line's units. A rate that was
// not to be had when the order was placed is looked for again; CBC.99006093 when it still is not.
func (d *Desk) tax(ctx context.Context, tx *db.Tx, customer *account.Customer, lines []Line, units []unit) error {
	for i := range lines {
		if lines[i].TaxRate == "" {
			if err := d.setTax(ctx, tx, customer, lines); err != nil {
				return err
			}
			break
		}
	}
	for i, at := 0, 0; i < len(lines); i++ {
		l := &lines[i]
		if l.TaxRate == "" {
			return tax.Missing(customer.Country)
		}
		if err := l.tax(d.Currency); err != nil {
			return err
		}
		rate, err := l.rate()
		if err != nil {
			return err
		}
		weights := make([]money.Amount, l.Num)
		for k := range weights {
			weights[k] = units[at+k].due.Amount
		}
		shares, err := splitLike(l.Tax, weights, d.Currency)
		if err != nil {
			return err
		}
		for k := range shares {
			u := &units[at+k]
			if u.due.Tax = shares[k]; l.TaxInclusive {
				if u.due.Within, err = rate.On(u.due.Amount, d.Currency); err != nil {
					return err
				}
			}
		}
		at += l.Num
	}
	return nil
}

// settle writes what was decided: coupon, books, resources with their fee records, lines, order.
func (d *Desk) settle(ctx context.Context, tx *db.Tx, o *Order, payer *account.Customer, lines []Line, units []unit, plan *payment.Plan, c *coupon.Coupon, life subscription.Life) error {
	if o.CouponHeld != "" && (c == nil || c.ID != o.CouponHeld || plan.Total.Coupon == 0) {
		if err := d.letGo(ctx, tx, o); err != nil {
			return err
		}
	}
	if c != nil && plan.Total.Coupon > 0 {
		if err := coupon.Use(ctx, tx, c, o.ID, plan.Total.Coupon); err != nil {
			return err
		}
		o.CouponID, o.CouponHeld = c.ID, ""
	}
	if plan.Due > 0 {
		entry := ledger.Entry{Customer: payer.ID, Cause: "payment", Reference: o.ID, Postings: plan.Postings()}
		if err := ledger.PostFrom(ctx, tx, d.Random, &plan.Held, &entry); err != nil {
			return err
		}
	}
	o.Payer, o.Paid, o.PaidAt = payer.ID, plan.Total, tx.Now
	o.Amount, o.Tax = plan.Due-plan.Tax, plan.Tax
	var err error
	switch o.Type {
	case Renew:
		err = d.extend(ctx, tx, o, units, life)
	case Change:
		err = d.upgrade(ctx, tx, o, units, life)
	default:
		err = d.deliver(ctx, tx, o, units, life)
	}
	if err != nil {
		return err
	}
	for i := range units {
		units[i].line.Coupon += units[i].amounts.Coupon
	}
	for i := range lines {
		if err := updateLine(ctx, tx, o.Customer, &lines[i]); err != nil {
			return err
		}
	}
	if err := d.book(ctx, tx, o); err != nil {
		return err
	}
	next := Completed
	if d.Rules.External && o.Type == New && !allGranted(units) {
		next = Processing
	}
	if err := move(ctx, tx, o, next); err != nil {
		return err
	}
	if err := d.charged(ctx, tx, o); err != nil {
		return err
	}
	return d.tell(ctx, tx, o, "order.paid", units)
}
