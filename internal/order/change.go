package order

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

// Modify places an order that changes what a resource is (type 3): its spec, or its size. An upgrade waits for the payment of
// the difference for the hours that remain; a degrade is done at once and gives the difference back, of what was paid with
// money: coupons are not returned (billing-rules 2.8).
//
//	upgrade: Σ over terms of (new − old list price of the term) × hours that remain / hours, half-up for each
//	degrade: Σ over terms of paid × hours that remain / hours × (old − new) / old, half-up for each
//
// Faults, in this order: the account is frozen or closed (CBC.0155); CBC.99003012 unknown or released, CBC.99003656 not in
// use, CBC.99003100 in an unpaid order, CBC.99003651 another transaction; CBC.0100 nothing changes, or the size; the
// catalogue's.
func (d *Desk) Modify(ctx context.Context, tx *db.Tx, customer *account.Customer, resource, spec string, size rating.Size, user string) (Order, error) {
	if err := mayOrder(customer); err != nil {
		return Order{}, err
	}
	r, err := d.Resource(ctx, tx, customer.ID, resource)
	if err != nil {
		return Order{}, err
	}
	if err := d.changeable(ctx, tx, &r); err != nil {
		return Order{}, err
	}
	c := change{resource: &r, spec: r.Spec, size: r.Size}
	if spec != "" {
		c.spec = spec
	}
	if size.Unit != 0 {
		c.size = size
	}
	if c.spec == r.Spec && c.size == r.Size {
		return Order{}, fault.New(fault.Invalid, "CBC.0100", "nothing of resource %s would change", resource)
	}
	if c.terms, err = subscription.Terms(ctx, tx, r.Customer, r.Instance); err != nil {
		return Order{}, err
	}
	shelf, err := d.Catalogue.At(ctx, tx)
	if err != nil {
		return Order{}, err
	}
	if err := c.price(shelf, tx.Now, d.Currency); err != nil {
		return Order{}, err
	}
	id, err := ident.NewOrderID(d.Random, tx.Now)
	if err != nil {
		return Order{}, err
	}
	o := Order{
		Customer: customer.ID, ID: string(id), Type: Change, Status: Unpaid, Source: ByCustomer, Service: r.Service, CloudProject: r.CloudProject,
		Project: r.Project, Base: r.Order, User: user, Created: tx.Now, Deadline: tx.Now.Add(d.Rules.Life),
	}
	l := Line{
		Order: o.ID, No: 1, Name: r.Name, Service: r.Service, ResourceType: r.ResourceType, Product: c.product, Spec: c.spec, Region: r.Region, Zone: r.Zone,
		Size: c.size, Unit: r.Unit, Periods: r.Periods, Num: 1, Effective: tx.Now, Expires: r.Expires, Instance: r.Instance, Base: r.Order,
	}
	if c.last.Unit != period.None {
		l.Unit, l.Periods = c.last.Unit, c.last.Periods
	}
	if c.more < 0 {
		return o, d.degrade(ctx, tx, &o, &l, &c, d.life(customer))
	}
	l.Official, l.Amount = c.more, c.more
	lines := []Line{l}
	if err := d.setTax(ctx, tx, customer, lines); err != nil {
		return o, err
	}
	o.Official, o.Amount, o.Tax = c.more, c.more, lines[0].Tax
	if err := insertHead(ctx, tx, &o); err != nil {
		return o, err
	}
	if err := insertLine(ctx, tx, o.Customer, &lines[0]); err != nil {
		return o, err
	}
	return o, subscription.Occupy(ctx, tx, &r, o.ID)
}

func (d *Desk) changeable(ctx context.Context, tx *db.Tx, r *subscription.Resource) error {
	switch {
	case r.Status == subscription.Closed:
		return fault.New(fault.Invalid, "CBC.99003012", "the customer has no yearly/monthly resource %s", r.ID)
	case r.Status != subscription.InUse:
		return fault.New(fault.Invalid, "CBC.99003656", "resource %s has expired or is frozen", r.ID)
	}
	return idle(ctx, tx, r, r.ID)
}

// change is what becomes of a resource and of each of its open terms.
type change struct {
	resource  *subscription.Resource
	spec      string
	size      rating.Size
	product   string
	terms     []subscription.Term
	old, next []money.Amount // list prices of each term, of its whole
	parts     []money.Amount // what the hours that remain of each term cost more; below zero: less
	last      subscription.Term
	more      money.Amount // the sum of parts
}

// price works out what each term costs before and after, at today's list prices.
func (c *change) price(shelf *catalog.Snapshot, now time.Time, currency money.Currency) error {
	of := func(t *subscription.Term, spec string, size rating.Size) (money.Amount, string, error) {
		unit, n := t.Unit, t.Periods
		if unit == period.None { // what was split off by an earlier change
			unit, n = period.Month, 1
		}
		w := catalog.Wanted{
			ID: c.resource.ID, Service: c.resource.Service, ResourceType: c.resource.ResourceType, Spec: spec, Region: c.resource.Region, Size: size, Num: 1,
			PeriodType: unit.Code(), Periods: int32(n),
		}
		rated, err := shelf.ByTerm(&w, now)
		return money.CutCharge(rating.PeriodPrecision(currency).Cut(rated.Official)), rated.Product, err
	}
	for i := range c.terms {
		t := &c.terms[i]
		old, _, err := of(t, c.resource.Spec, c.resource.Size)
		if err != nil {
			return err
		}
		next, product, err := of(t, c.spec, c.size)
		if err != nil {
			return err
		}
		c.product, c.last = product, *t
		c.old, c.next = append(c.old, old), append(c.next, next)
		c.parts = append(c.parts, 0)
		if hours := t.Span.Hours(); hours > 0 && t.Span.End.After(now) {
			part, err := money.ShareHalfUp(max(next, old)-min(next, old), hours-t.Span.HoursUsed(now), hours, currency)
			if err != nil {
				return err
			}
			if next < old {
				part = -part
			}
			c.parts[i] = part
			c.more += part
		}
	}
	return nil
}

// degrade gives back what the hours that remain cost less, and changes the resource.
func (d *Desk) degrade(ctx context.Context, tx *db.Tx, o *Order, l *Line, c *change, life subscription.Life) error {
	r := c.resource
	o.Status, o.deed = Refunding, &deed{counted: true}
	before := *r
	left, err := subscription.Split(ctx, tx, r, tx.Now, d.Currency)
	if err != nil {
		return err
	}
	old, next := map[int]money.Amount{}, map[int]money.Amount{}
	for i := range c.terms {
		old[c.terms[i].K], next[c.terms[i].K] = c.old[i], c.next[i]
	}
	postings, held := map[string][]ledger.Posting{}, map[string]*ledger.Balances{}
	var rows []RefundRow
	for i := range left {
		t := &left[i].Term
		full := old[left[i].From]
		if full == 0 || next[left[i].From] >= full {
			continue
		}
		paid := t.Parts.Cash + t.Parts.Credit + t.Parts.Debt
		keeps, err := money.ShareHalfUp(paid, int64(next[left[i].From]), int64(full), d.Currency)
		if err != nil {
			return err
		}
		base, err := Find(ctx, tx, o.Customer, t.Order)
		if err != nil {
			return err
		}
		if held[base.Payer] == nil {
			b, err := ledger.Of(ctx, tx, base.Payer)
			if err != nil {
				return err
			}
			held[base.Payer] = &b
		}
		p := part{resource: &before, term: *t, payer: base.Payer, refund: Refund{Paid: paid, Money: paid - keeps}}
		if p.tax, err = tax.Back(t.Tax, p.refund.Money, t.Amount, d.Currency); err != nil {
			return err
		}
		if err := d.taxed(ctx, tx, &p); err != nil {
			return err
		}
		amount := payment.Return(t.Parts, p.refund.Money, held[base.Payer])
		taxed := payment.Return(t.TaxParts, p.tax, held[base.Payer])
		postings[base.Payer] = append(postings[base.Payer], payment.ReturnPostings(amount, taxed)...)
		postings[base.Payer] = append(postings[base.Payer], payment.WithinBack(p.within)...)
		o.Amount -= p.refund.Money
		o.Tax -= p.tax
		o.Paid.Cash -= amount.Cash + taxed.Cash
		o.Paid.Credit -= amount.Credit + taxed.Credit
		o.Paid.Debt -= amount.Debt + taxed.Debt
		o.Payer = base.Payer
		o.chargeBack(tx.Now, &p, charge.ChangeRefund, amount, taxed)
		if err := subscription.Lower(ctx, tx, t, amount, taxed); err != nil {
			return err
		}
		rows = append(rows, RefundRow{Amount: -p.refund.Money, Kind: "refund", Base: t.Order})
	}
	o.Official = o.Amount
	l.Official, l.Amount, l.Tax = o.Amount, o.Amount, o.Tax
	o.PaidAt = tx.Now
	if err := insertHead(ctx, tx, o); err != nil {
		return err
	}
	if err := insertLine(ctx, tx, o.Customer, l); err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		row.Customer, row.Order, row.No, row.Instance, row.Resource = o.Customer, o.ID, int32(i+1), r.Instance, r.ID
		row.ResourceType, row.Service, row.Region = r.ResourceType, r.Service, r.Region
		if err := insertRefund(ctx, tx, row); err != nil {
			return err
		}
	}
	for payer, list := range postings {
		entry := ledger.Entry{Customer: payer, Cause: "refund", Reference: o.ID, Postings: merge(list)}
		if len(list) == 0 {
			continue
		}
		if err := ledger.Post(ctx, tx, d.Random, &entry); err != nil {
			return err
		}
	}
	if err := subscription.Become(ctx, tx, r, c.product, c.spec, c.size, life); err != nil {
		return err
	}
	if err := d.book(ctx, tx, o); err != nil {
		return err
	}
	if err := move(ctx, tx, o, Completed); err != nil {
		return err
	}
	if err := d.charged(ctx, tx, o); err != nil {
		return err
	}
	return d.tellResource(ctx, tx, []subscription.Resource{*r}, r, "changed", "")
}

// upgrade changes a resource whose difference has been paid: the rest of its terms is worth more from now on, each by its own
// part of the difference, so that a renewal that is unsubscribed before it begins gives back what was paid for it.
func (d *Desk) upgrade(ctx context.Context, tx *db.Tx, o *Order, units []unit, life subscription.Life) error {
	u := &units[0]
	r, err := subscription.Instance(ctx, tx, o.Customer, u.line.Instance)
	if err != nil {
		return err
	}
	if r.Status == subscription.Closed {
		return errMoved(o.ID)
	}
	c := change{resource: &r, spec: u.line.Spec, size: u.line.Size}
	if c.terms, err = subscription.Terms(ctx, tx, r.Customer, r.Instance); err != nil {
		return err
	}
	shelf, err := d.Catalogue.At(ctx, tx)
	if err != nil {
		return err
	}
	if err := c.price(shelf, tx.Now, d.Currency); err != nil {
		return err
	}
	left, err := subscription.Split(ctx, tx, &r, tx.Now, d.Currency)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return errMoved(o.ID)
	}
	if err := c.raise(ctx, tx, left, u, d.Currency); err != nil {
		return err
	}
	if err := subscription.Become(ctx, tx, &r, u.line.Product, u.line.Spec, u.line.Size, life); err != nil {
		return err
	}
	u.instance = r.Instance
	o.charge(tx.Now, u)
	return d.tellResource(ctx, tx, []subscription.Resource{r}, &r, "changed", "")
}

// raise shares what an upgrade was paid with out to what is left of the terms, by what each costs more.
func (c *change) raise(ctx context.Context, tx *db.Tx, left []subscription.Rest, u *unit, currency money.Currency) error {
	of := map[int]money.Amount{}
	for i := range c.terms {
		of[c.terms[i].K] = max(c.parts[i], 0)
	}
	weights := make([]money.Amount, len(left))
	for i := range left {
		weights[i] = of[left[i].From]
	}
	shared := func(whole charge.Parts) ([]charge.Parts, error) {
		out := make([]charge.Parts, len(left))
		for _, k := range []struct {
			whole money.Amount
			to    func(*charge.Parts) *money.Amount
		}{
			{whole.Cash, func(p *charge.Parts) *money.Amount { return &p.Cash }}, {whole.Credit, func(p *charge.Parts) *money.Amount { return &p.Credit }},
			{whole.Coupon, func(p *charge.Parts) *money.Amount { return &p.Coupon }}, {whole.Debt, func(p *charge.Parts) *money.Amount { return &p.Debt }},
		} {
			parts, err := splitLike(k.whole, weights, currency)
			if err != nil {
				return nil, err
			}
			for i := range out {
				*k.to(&out[i]) = parts[i]
			}
		}
		return out, nil
	}
	official, err := splitLike(u.official, weights, currency)
	if err != nil {
		return err
	}
	amounts, err := shared(u.amounts)
	if err != nil {
		return err
	}
	taxes, err := shared(u.taxes)
	if err != nil {
		return err
	}
	for i := range left {
		if err := subscription.Raise(ctx, tx, &left[i].Term, official[i], amounts[i], taxes[i]); err != nil {
			return err
		}
	}
	return nil
}
