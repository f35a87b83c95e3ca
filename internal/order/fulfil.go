package order

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/subscription"
)

// deliver makes the resources of a paid order, each with its first term and its fee records. Attached ones belong to
// the primary ones in turn; so do those that go with others. With the house's own provisioner they are in use at once.
//
// A resource package is granted instead: it needs nobody to provision it, so that it is the customer's even in a house
// with an external provisioner, and it is no resource that could be renewed or unsubscribed.
func (d *Desk) deliver(ctx context.Context, tx *db.Tx, o *Order, units []unit, life subscription.Life) error {
	shelf, err := d.Catalogue.At(ctx, tx)
	if err != nil {
		return err
	}
	primaries := map[int32][]string{} // instances of a primary line
	made := make([]subscription.New, 0, len(units))
	for i := range units {
		u := &units[i]
		if l := u.line; packageOf(shelf, l) != nil {
			if err := d.grant(ctx, tx, shelf, o, u); err != nil {
				return err
			}
			continue
		}
		id, err := ident.NewInstanceID(d.Random)
		if err != nil {
			return err
		}
		u.instance = string(id)
		if l := u.line; l.Parent == 0 {
			primaries[l.No] = append(primaries[l.No], u.instance)
			if of := primaries[l.Related]; len(of) > 0 {
				u.related = of[u.k%len(of)]
			}
		} else {
			of := primaries[l.Parent]
			u.primary = of[u.k%len(of)]
		}
		one, err := d.resource(o, u, tx.Now, life)
		if err != nil {
			return err
		}
		made = append(made, one)
		o.charge(tx.Now, u)
	}
	return subscription.Keep(ctx, tx, made)
}

// resource is what a unit becomes: in use, or waiting for its provisioner.
func (d *Desk) resource(o *Order, u *unit, now time.Time, life subscription.Life) (subscription.New, error) {
	l := u.line
	one := subscription.New{
		Resource: subscription.Resource{
			Customer: o.Customer, Instance: u.instance, Name: nameOf(l, u.k), Order: o.ID, Line: l.No, Parent: u.primary, Related: u.related, Service: l.Service,
			ResourceType: l.ResourceType, Product: l.Product, Spec: l.Spec, Region: l.Region, Zone: l.Zone, Size: l.Size, CloudProject: o.CloudProject,
			Project: o.Project, Unit: l.Unit, Periods: l.Periods, Policy: o.Policy,
		},
		First: subscription.Term{Official: u.official, Amount: u.due.Amount, Parts: u.amounts, Tax: u.due.Tax, TaxParts: u.taxes},
	}
	if d.Rules.External {
		one.Prepare(now)
		return one, nil
	}
	err := one.Begin(d.Random, now, o.begins(now), life)
	l.Effective, l.Expires = one.Anchor, one.Expires
	return one, err
}

// packageOf finds the product of a line when it is a resource package.
func packageOf(shelf *catalog.Snapshot, l *Line) *catalog.Product {
	if p, ok := shelf.Product(l.Service, l.ResourceType, l.Region, l.Spec); ok && p.Package != nil {
		return p
	}
	return nil
}

// grant gives the package of a unit to its customer. One that was bought in the default project serves all of them.
func (d *Desk) grant(ctx context.Context, tx *db.Tx, shelf *catalog.Snapshot, o *Order, u *unit) error {
	l := u.line
	p, err := quota.Of(packageOf(shelf, l), l.Unit, l.Periods, o.begins(tx.Now))
	if err != nil {
		return err
	}
	if err := p.Measure(shelf); err != nil {
		return err
	}
	p.Customer, p.Source, p.Order = o.Customer, quota.ByOrder, o.ID
	if o.Project != defaultProject {
		p.Project = o.Project
	}
	if err := quota.Grant(ctx, tx, d.Random, &p); err != nil {
		return err
	}
	u.instance, u.granted = p.ID, true
	l.Effective, l.Expires = p.Effective, p.Expires
	o.charge(tx.Now, u)
	return nil
}

// allGranted says that nothing is left for a provisioner to do.
func allGranted(units []unit) bool {
	for i := range units {
		if !units[i].granted {
			return false
		}
	}
	return true
}

// defaultProject is the enterprise project that every account has.
const defaultProject = "0"

// charge adds the fee records of a unit: of what it costs, and of the tax on it.
func (o *Order) charge(now time.Time, u *unit) {
	l := u.line
	fee := charge.Fee{
		Customer: o.Customer, Bill: o.bill(), Mode: charge.ByPeriod, Trade: o.ID, Line: l.No, Instance: u.instance, Service: l.Service,
		ResourceType: l.ResourceType, Product: l.Product, Spec: l.Spec, Region: l.Region, Project: o.Project, Payer: o.Payer, Official: u.official,
		Discount: u.official - u.due.Amount, Amount: u.due.Amount, Parts: u.amounts, Consumed: period.Span{Start: now, End: now},
		TaxRate: l.TaxRate, Within: u.due.Within,
	}
	o.deed.fees = append(o.deed.fees, fee)
	if u.due.Tax == 0 {
		return
	}
	fee.Bill, fee.Official, fee.Discount, fee.Amount, fee.Parts, fee.Within = charge.Tax, u.due.Tax, 0, u.due.Tax, u.taxes, 0
	o.deed.fees = append(o.deed.fees, fee)
}

// book records the fees that a deed comes to, and counts them for the budgets of projects.
func (d *Desk) book(ctx context.Context, tx *db.Tx, o *Order) error {
	fees := o.deed.fees
	if err := charge.Record(ctx, tx, d.Random, fees); err != nil || !o.deed.counted {
		return err
	}
	spent := charge.Spent{}
	for i := range fees {
		spent.Add(&fees[i])
	}
	return charge.Count(ctx, tx, o.Customer, spent)
}

// Charged are the fee records that the deed which is being done has added to the order, by line, bill type and instance.
func (o *Order) Charged() []charge.Fee {
	slices.SortStableFunc(o.deed.fees, func(a, b charge.Fee) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Bill, b.Bill), cmp.Compare(a.Instance, b.Instance))
	})
	return o.deed.fees
}

// bill is the bill type of what an order charges.
func (o *Order) bill() charge.BillType {
	switch {
	case o.Type == Renew && o.Source == BySystem:
		return charge.AutoRenewal
	case o.Type == Renew:
		return charge.Renewal
	case o.Type == Change:
		return charge.Change
	}
	return charge.Purchase
}

// Outcome is what an external provisioner says of one resource.
type Outcome struct {
	Instance string // the house's own id, as it was told
	Resource string // the cloud's id; empty: the house mints one
	Name     string // empty: as ordered
	Failed   bool
	Reason   string // of a failure
}

// Fulfil takes what an external provisioner reports of an order: each resource in use from now on, or failed and given
// back in full. Once none is left to be provisioned the order is complete. A report may be repeated.
func (d *Desk) Fulfil(ctx context.Context, tx *db.Tx, customer, id string, outcomes []Outcome) (Order, error) {
	o, err := Find(ctx, tx, customer, id)
	if err != nil {
		return o, err
	}
	if o.Status != Processing && o.Status != Completed {
		return o, fault.New(fault.Conflict, "PURSER.0801", "order %s is in status %d, not %d", o.ID, o.Status, Processing)
	}
	list, err := subscription.OfOrder(ctx, tx, customer, o.ID)
	if err != nil {
		return o, err
	}
	byInstance := make(map[string]*subscription.Resource, len(list))
	for i := range list {
		byInstance[list[i].Instance] = &list[i]
	}
	owner, err := account.Find(ctx, tx, customer)
	if err != nil {
		return o, err
	}
	life := d.life(&owner)
	var failed []subscription.Resource
	reason := ""
	for i := range outcomes {
		r, ok := byInstance[outcomes[i].Instance]
		switch {
		case !ok:
			return o, fault.New(fault.Invalid, "CBC.0100", "resources[%d].instance_id: order %s has no resource instance %s", i, o.ID, outcomes[i].Instance)
		case outcomes[i].Failed && r.Status == subscription.Provisioning:
			failed = append(failed, *r)
			r.Status = subscription.Closed
			reason = outcomes[i].Reason
		case !outcomes[i].Failed:
			if err := d.start(ctx, tx, &o, r, &outcomes[i], life); err != nil {
				return o, err
			}
		}
	}
	if len(failed) > 0 {
		if err := d.fail(ctx, tx, &o, failed, reason); err != nil {
			return o, err
		}
	}
	for i := range list {
		if list[i].Status == subscription.Provisioning {
			return o, nil
		}
	}
	if o.Status == Completed {
		return o, nil
	}
	return o, move(ctx, tx, &o, Completed)
}

func (d *Desk) start(ctx context.Context, tx *db.Tx, o *Order, r *subscription.Resource, out *Outcome, life subscription.Life) error {
	if err := subscription.Start(ctx, tx, d.Random, r, out.Resource, out.Name, o.begins(tx.Now), life); err != nil {
		return err
	}
	return dateLine(ctx, tx, r)
}
