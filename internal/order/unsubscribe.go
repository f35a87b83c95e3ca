package order

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

// share of an unsubscription: one term of one resource.
type part struct {
	resource *subscription.Resource
	term     subscription.Term
	refund   Refund
	tax      money.Amount // goes back
	rate     string       // of the tax
	within   money.Amount // tax that what goes back contains
	payer    string       // whose money it was
	coupons  []couponBack // where the coupon's part goes
}

// couponBack is what goes back to a coupon that an order used.
type couponBack struct {
	payer, coupon, order string
	amount               money.Amount
}

// back is what of the term's amount goes back, the coupon's part included.
func (p *part) back() money.Amount { return p.refund.Money + p.refund.Coupon }

// End unsubscribes a primary resource with what is attached to it and all its renewals (type 1). A refund above the limit of
// review waits for approval, the resource stays in use meanwhile. A new resource may go back in full: see unconditional.
//
// Faults, in this order (api.md 6.3): CBC.99003647 a resource package, CBC.99003012 unknown, CBC.30000067 deleted already, CBC.30000052 the account is
// frozen, CBC.99003185 attached: to be unsubscribed with its primary, CBC.99003656 frozen, CBC.99003100 in an unpaid order,
// CBC.99003651 another transaction is at work on it. All of them before the first write.
func (d *Desk) End(ctx context.Context, tx *db.Tx, customer *account.Customer, resource, user, reason string) (Order, error) {
	open, err := d.ending(ctx, tx, customer, resource)
	if err != nil {
		return Order{}, err
	}
	free, err := d.unconditional(ctx, tx, open)
	if err != nil {
		return Order{}, err
	}
	o, parts, err := d.unsubscription(ctx, tx, customer.ID, open, ByCustomer, user, reason, nil, free)
	if err != nil {
		return o, err
	}
	o.Unconditional = free
	if d.Rules.ReviewRefunds > 0 && o.Amount > d.Rules.ReviewRefunds {
		o.Status = Approving
		if err := d.keepUnsubscription(ctx, tx, &o, parts); err != nil {
			return o, err
		}
		for i := range open {
			if err := subscription.Occupy(ctx, tx, &open[i], o.ID); err != nil {
				return o, err
			}
		}
		return o, nil
	}
	o.Status = Refunding
	if err := d.keepUnsubscription(ctx, tx, &o, parts); err != nil {
		return o, err
	}
	return o, d.giveBack(ctx, tx, &o, parts, d.closing(ctx, tx, &o))
}

// ending finds a primary resource that is to be unsubscribed, with what is attached to it and not closed, or refuses.
func (d *Desk) ending(ctx context.Context, r db.Reader, customer *account.Customer, resource string) ([]subscription.Resource, error) {
	primary, err := d.Resource(ctx, r, customer.ID, resource)
	if fault.Is(err, "CBC.99003012") {
		return nil, d.refusePackage(ctx, r, customer.ID, resource, err)
	}
	if err != nil {
		return nil, err
	}
	if err := endable(&primary, customer); err != nil {
		return nil, err
	}
	all, err := subscription.WithAttached(ctx, r, &primary)
	if err != nil {
		return nil, err
	}
	open := all[:0]
	for i := range all {
		if all[i].Status == subscription.Closed {
			continue
		}
		if err := idle(ctx, r, &all[i], resource); err != nil {
			return nil, err
		}
		open = append(open, all[i])
	}
	return open, nil
}

// refusePackage is the refusal of an id that is no resource: as a package when it is one, else as unknown.
func (d *Desk) refusePackage(ctx context.Context, r db.Reader, customer, id string, unknown error) error {
	switch _, err := d.Package(ctx, r, customer, id); {
	case err == nil:
		return fault.New(fault.Invalid, "CBC.99003647", "%s is a resource package: it cannot be unsubscribed", id)
	case !fault.Is(err, "PURSER.1001"):
		return err
	}
	return unknown
}

// EndRenewals unsubscribes the renewals of a primary resource that have not begun, with those of what is attached to it
// (type 2): they go back in full, coupons included, and the resource stays until its current term ends. Such a refund is
// not reviewed. Faults as End, and CBC.99003128 when there is no such renewal.
func (d *Desk) EndRenewals(ctx context.Context, tx *db.Tx, customer *account.Customer, resource, user, reason string) (Order, error) {
	open, err := d.ending(ctx, tx, customer, resource)
	if err != nil {
		return Order{}, err
	}
	o, parts, err := d.unsubscription(ctx, tx, customer.ID, open, ByCustomer, user, reason, func(t *subscription.Term) bool { return t.Span.Start.After(tx.Now) }, false)
	if err != nil {
		return o, err
	}
	if len(parts) == 0 {
		return o, fault.New(fault.Invalid, "CBC.99003128", "resource %s has no renewed period that has not begun", resource)
	}
	o.Status = Refunding
	if err := d.keepUnsubscription(ctx, tx, &o, parts); err != nil {
		return o, err
	}
	life := d.life(customer)
	return o, d.giveBack(ctx, tx, &o, parts, func(r *subscription.Resource) error { return subscription.Shorten(ctx, tx, r, o.ID, tx.Now, life) })
}

// closing ends resources whole: what giveBack does with them unless it is told otherwise.
func (d *Desk) closing(ctx context.Context, tx *db.Tx, o *Order) func(*subscription.Resource) error {
	return func(r *subscription.Resource) error {
		if r.Status == subscription.Closed {
			return nil
		}
		return subscription.Close(ctx, tx, r, o.ID)
	}
}

func errBusy(resource string) error {
	return fault.New(fault.Invalid, "CBC.99003651", "another transaction is in progress on resource %s", resource)
}

// idle refuses when an order is at work on a resource: an unpaid one (CBC.99003100), or another transaction, which being
// provisioned is too (CBC.99003651). The refusal names the resource that was asked for.
func idle(ctx context.Context, r db.Reader, one *subscription.Resource, named string) error {
	if one.BusyWith != "" {
		if by, err := Find(ctx, r, one.Customer, one.BusyWith); err == nil && by.Status == Unpaid {
			return fault.New(fault.Invalid, "CBC.99003100", "resource %s is in the unpaid order %s", named, by.ID)
		}
	}
	if one.BusyWith != "" || one.Status == subscription.Provisioning {
		return errBusy(named)
	}
	return nil
}

func endable(r *subscription.Resource, customer *account.Customer) error {
	switch {
	case r.Status == subscription.Closed:
		return fault.New(fault.Invalid, "CBC.30000067", "Unsubscription not supported. Resource %s has been deleted.", r.ID)
	case customer.Standing != account.Active:
		return fault.New(fault.Invalid, "CBC.30000052", "The resource or account has been already frozen.")
	case r.Parent != "":
		return fault.New(fault.Invalid, "CBC.99003185", "resource %s is attached: unsubscribe its primary resource", r.ID)
	case r.Status == subscription.Frozen:
		return fault.New(fault.Invalid, "CBC.99003656", "resource %s is frozen", r.ID)
	}
	return nil
}

// unsubscription works out the order that ends resources: its sums are those of its parts.
func (d *Desk) unsubscription(ctx context.Context, r db.Reader, customer string, resources []subscription.Resource, source int32, user, reason string, which func(*subscription.Term) bool, whole bool) (Order, []part, error) {
	first := &resources[0]
	now, _ := r.Instant()
	id, err := ident.NewOrderID(d.Random, now)
	if err != nil {
		return Order{}, nil, err
	}
	o := Order{
		Customer: customer, ID: string(id), Type: Unsubscribe, Source: source, Service: first.Service, CloudProject: first.CloudProject,
		Project: first.Project, Base: first.Order, User: user, Reason: reason, Created: now, Deadline: now, PaidAt: now,
	}
	parts, err := d.parts(ctx, r, resources, &o, which, whole)
	if err != nil {
		return o, nil, err
	}
	for i := range parts {
		p := &parts[i]
		if o.Amount, err = money.Sum(o.Amount, p.back()); err != nil {
			return o, nil, err
		}
		o.Tax += p.tax
		o.Fee += p.refund.Fee
		o.Consumed += p.refund.Consumed
	}
	o.Official = o.Amount // api.md 5.1
	return o, parts, nil
}

// parts are the open terms of resources with what ending them at the order's instant gives back.
func (d *Desk) parts(ctx context.Context, from db.Reader, resources []subscription.Resource, o *Order, which func(*subscription.Term) bool, whole bool) ([]part, error) {
	var out []part
	bought := map[string]Order{}
	taken := map[string]money.Amount{}
	for i := range resources {
		r := &resources[i]
		terms, err := subscription.Terms(ctx, from, r.Customer, r.Instance)
		if err != nil {
			return nil, err
		}
		for _, t := range terms {
			if which != nil && !which(&t) {
				continue
			}
			base, known := bought[t.Order]
			if !known {
				if base, err = Find(ctx, from, r.Customer, t.Order); err != nil {
					return nil, err
				}
				bought[t.Order] = base
			}
			p := part{resource: r, term: t, payer: base.Payer}
			if p.refund, err = refundOf(&t, subscription.Begun(terms, &t), o.Created, &d.Rules.Fees, whole, d.Currency); err != nil {
				return nil, err
			}
			if err := p.toCoupons(ctx, from, &base, taken); err != nil {
				return nil, err
			}
			if p.tax, err = tax.Back(t.Tax, p.back(), t.Amount, d.Currency); err != nil {
				return nil, err
			}
			if err := d.taxed(ctx, from, &p); err != nil {
				return nil, err
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// toCoupons says to which coupons the coupon's part of a term goes back: what its own order used first, then what changes of the
// resource used that made the term dearer, the latest first. taken is what other terms of the same order take back already.
func (p *part) toCoupons(ctx context.Context, r db.Reader, base *Order, taken map[string]money.Amount) error {
	left := p.refund.Coupon
	take := func(o *Order, most money.Amount) error {
		if left == 0 || o.CouponID == "" {
			return nil
		}
		used, err := coupon.UsedBy(ctx, r, o.Payer, o.CouponID, o.ID)
		if err != nil {
			return err
		}
		if n := min(left, most, used-taken[o.ID]); n > 0 {
			p.coupons = append(p.coupons, couponBack{o.Payer, o.CouponID, o.ID, n})
			taken[o.ID] += n
			left -= n
		}
		return nil
	}
	if left == 0 {
		return nil
	}
	line := fmt.Sprint(base.ID, " ", p.term.Line) // of all resources of the line
	own, err := couponOfLine(ctx, r, p.resource.Customer, base.ID, p.term.Line)
	if err != nil {
		return err
	}
	before := left
	if err := take(base, own-taken[line]); err != nil {
		return err
	}
	taken[line] += before - left
	if left > 0 {
		changes, err := changesByCoupon(ctx, r, p.resource.Customer, p.resource.Instance)
		if err != nil {
			return err
		}
		for i := range changes {
			if err := take(&changes[i], left); err != nil {
				return err
			}
		}
	}
	p.refund.Coupon -= left
	return nil
}

// keepUnsubscription writes the order, a line for each resource and the rows of its refund.
func (d *Desk) keepUnsubscription(ctx context.Context, tx *db.Tx, o *Order, parts []part) error {
	if err := insertHead(ctx, tx, o); err != nil {
		return err
	}
	var lines []Line
	no := int32(0)
	for i := range parts {
		p := &parts[i]
		r := p.resource
		if i == 0 || parts[i-1].resource != r {
			lines = append(lines, Line{
				Order: o.ID, No: int32(len(lines) + 1), Name: r.Name, Service: r.Service, ResourceType: r.ResourceType, Product: r.Product, Spec: r.Spec,
				Region: r.Region, Zone: r.Zone, Size: r.Size, Unit: r.Unit, Num: 1, Effective: r.Anchor, Expires: o.Created, Base: r.Order,
			})
		}
		l := &lines[len(lines)-1]
		l.Amount += p.back()
		l.Official, l.Coupon, l.Fee, l.Consumed, l.Tax = l.Amount, l.Coupon+p.refund.Coupon, l.Fee+p.refund.Fee, l.Consumed+p.refund.Consumed, l.Tax+p.tax
		for _, row := range []RefundRow{{Amount: -p.refund.Money, Kind: "refund"}, {Amount: p.refund.Consumed, Kind: "consumed"}, {Amount: p.refund.Fee, Kind: "fee"}} {
			if row.Amount == 0 && row.Kind != "refund" {
				continue
			}
			no++
			row.Customer, row.Order, row.No, row.Instance, row.Resource = o.Customer, o.ID, no, r.Instance, r.ID
			row.ResourceType, row.Service, row.Region, row.Base = r.ResourceType, r.Service, r.Region, p.term.Order
			if err := insertRefund(ctx, tx, &row); err != nil {
				return err
			}
		}
	}
	for i := range lines {
		if err := insertLine(ctx, tx, o.Customer, &lines[i]); err != nil {
			return err
		}
	}
	return nil
}

// giveBack books what an unsubscription gives back, to whom it came from, ends the resources (or their renewals) and completes
// the order.
func (d *Desk) giveBack(ctx context.Context, tx *db.Tx, o *Order, parts []part, end func(*subscription.Resource) error) error {
	o.deed = &deed{counted: true}
	postings := map[string][]ledger.Posting{}
	held := map[string]*ledger.Balances{}
	var payers []string
	for i := range parts {
		p := &parts[i]
		if held[p.payer] == nil {
			b, err := ledger.Of(ctx, tx, p.payer)
			if err != nil {
				return err
			}
			held[p.payer] = &b
			payers = append(payers, p.payer)
		}
		amount := payment.Return(p.term.Parts, p.refund.Money, held[p.payer])
		amount.Coupon = p.refund.Coupon
		taxed := payment.Return(p.term.TaxParts, p.tax, held[p.payer])
		postings[p.payer] = append(postings[p.payer], payment.ReturnPostings(amount, taxed)...)
		postings[p.payer] = append(postings[p.payer], payment.WithinBack(p.within)...)
		for _, back := range p.coupons {
			if err := coupon.Return(ctx, tx, back.payer, back.coupon, back.order, back.amount); err != nil {
				return err
			}
		}
		o.Paid.Cash += amount.Cash + taxed.Cash
		o.Paid.Credit += amount.Credit + taxed.Credit
		o.Paid.Debt += amount.Debt + taxed.Debt
		o.Paid.Coupon += amount.Coupon
		o.chargeBack(tx.Now, p, charge.Refund, amount, taxed)
	}
	for _, payer := range payers {
		if len(postings[payer]) == 0 {
			continue
		}
		entry := ledger.Entry{Customer: payer, Cause: "refund", Reference: o.ID, Postings: merge(postings[payer])}
		if err := ledger.Post(ctx, tx, d.Random, &entry); err != nil {
			return err
		}
	}
	if err := d.book(ctx, tx, o); err != nil {
		return err
	}
	if len(payers) > 0 {
		o.Payer = payers[0]
	}
	for i := range parts {
		if i == 0 || parts[i-1].resource != parts[i].resource {
			if err := end(parts[i].resource); err != nil {
				return err
			}
		}
	}
	if err := move(ctx, tx, o, Completed); err != nil {
		return err
	}
	if err := d.charged(ctx, tx, o); err != nil {
		return err
	}
	return d.tell(ctx, tx, o, "order.unsubscribed", nil)
}

// merge joins postings between the same accounts.
func merge(list []ledger.Posting) []ledger.Posting {
	var out []ledger.Posting
next:
	for _, p := range list {
		for i := range out {
			if out[i].Giver == p.Giver && out[i].Taker == p.Taker {
				out[i].Amount += p.Amount
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

// taxed finds the rate at which a part was taxed, and what of that tax lies within the amount that goes back.
func (d *Desk) taxed(ctx context.Context, r db.Reader, p *part) error {
	rate, inclusive, err := taxOfLine(ctx, r, p.resource.Customer, p.term.Order, p.term.Line)
	if err != nil || rate == "" {
		return err
	}
	p.rate = rate
	if inclusive {
		l := Line{TaxRate: rate, TaxInclusive: true}
		of, err := l.rate()
		if err != nil {
			return err
		}
		p.within, err = of.On(p.back(), d.Currency)
		return err
	}
	return nil
}

// chargeBack adds the fee records of what goes back: below zero, of the bill type and, for tax, of 100.
func (o *Order) chargeBack(now time.Time, p *part, bill charge.BillType, amount, taxed charge.Parts) {
	r := p.resource
	for _, k := range []struct {
		bill  charge.BillType
		value money.Amount
		parts charge.Parts
	}{{bill, p.back(), amount}, {charge.TaxRefund, p.tax, taxed}} {
		if k.value == 0 && k.bill == charge.TaxRefund {
			continue
		}
		fee := charge.Fee{
			Customer: o.Customer, Bill: k.bill, Mode: charge.ByPeriod, Trade: o.ID, Line: p.term.Line, Instance: r.Instance, Service: r.Service,
			ResourceType: r.ResourceType, Product: r.Product, Spec: r.Spec, Region: r.Region, Project: r.Project, Payer: p.payer,
			Official: -k.value, Amount: -k.value, Parts: k.parts.Neg(), Consumed: period.Span{Start: now, End: now},
			Base: p.term.Order, TaxRate: p.rate,
		}
		if k.bill == bill {
			fee.Within = -p.within
		}
		o.deed.fees = append(o.deed.fees, fee)
	}
}

// approveRefund gives back what was worked out when the unsubscription was asked for.
func (d *Desk) approveRefund(ctx context.Context, tx *db.Tx, o *Order) error {
	if o.Status != Approving {
		return fault.New(fault.Conflict, "PURSER.0801", "order %s is in status %d, not %d", o.ID, o.Status, Approving)
	}
	resources, err := subscription.BusyWith(ctx, tx, o.Customer, o.ID)
	if err != nil {
		return err
	}
	parts, err := d.parts(ctx, tx, resources, o, nil, o.Unconditional)
	if err != nil {
		return err
	}
	if err := move(ctx, tx, o, Refunding); err != nil {
		return err
	}
	return d.giveBack(ctx, tx, o, parts, d.closing(ctx, tx, o))
}

// vacate lets the resources of a refused unsubscription go on.
func vacate(ctx context.Context, tx *db.Tx, o *Order) error {
	resources, err := subscription.BusyWith(ctx, tx, o.Customer, o.ID)
	if err != nil {
		return err
	}
	for i := range resources {
		if err := subscription.Vacate(ctx, tx, &resources[i]); err != nil {
			return err
		}
	}
	return nil
}

// fail gives resources back in full that could not be provisioned: no fee, nothing consumed, coupons returned
// (billing-rules 1.2).
func (d *Desk) fail(ctx context.Context, tx *db.Tx, o *Order, resources []subscription.Resource, reason string) error {
	back, parts, err := d.unsubscription(ctx, tx, o.Customer, resources, BySystem, "", reason, nil, true)
	if err != nil {
		return err
	}
	back.Status = Refunding
	if err := d.keepUnsubscription(ctx, tx, &back, parts); err != nil {
		return err
	}
	return d.giveBack(ctx, tx, &back, parts, d.closing(ctx, tx, &back))
}

// Refunds lists what an unsubscription is made of. CBC.99005026 when there is none, or the order is of another type.
func (d *Desk) Refunds(ctx context.Context, r db.Reader, customer, id string) ([]RefundRow, error) {
	o, err := d.Find(ctx, r, customer, id)
	if _, meant := fault.As(err); err != nil && !meant {
		return nil, err
	}
	if err != nil || o.Type != Unsubscribe && !(o.Type == Change && o.Amount < 0) {
		return nil, fault.New(fault.Invalid, "CBC.99005026", "%s is not an unsubscription or downgrade order", id)
	}
	return refundRows(ctx, r, customer, o.ID)
}
