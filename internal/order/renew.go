package order

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Codes of a renewal that is refused (api.md 6.2, 2.3); a query of its price names the same things by others.
type renewCodes struct{ notPrimary, noPeriod, gone, unpaid, busy, offSale, tooLong string }

var (
	renewing = renewCodes{"CBC.30010036", "CBC.30010069", "CBC.99003016", "CBC.99003100", "CBC.99003144", "CBC.30010069", "CBC.99003154"}
	asking   = renewCodes{"CBC.30050007", "CBC.30050008", "CBC.30050009", "CBC.30050010", "CBC.30050011", "CBC.30050013", "CBC.30050008"}
)

// renewal is a primary resource with what is attached to it, or a resource package, priced for another term.
type renewal struct {
	resources []subscription.Resource
	pack      *quota.Package
	lines     []Line
}

// Renew places an order that renews a primary resource with what is attached to it, for n months or years. While it is
// not paid no other order works on them.
//
// Faults, in this order: the account is frozen or closed (CBC.0155), then of the resource as api.md 6.2: expired and deleted or
// unknown, not primary, in an unpaid order or another transaction, a period that is not sold, CBC.99003154 too long in all.
func (d *Desk) Renew(ctx context.Context, tx *db.Tx, customer *account.Customer, resource string, unit period.Unit, n int, source int32, user string) (Order, error) {
	if err := mayOrder(customer); err != nil {
		return Order{}, err
	}
	found, err := d.renewal(ctx, tx, customer, resource, unit, n, &renewing, source == BySystem)
	if err != nil {
		return Order{}, err
	}
	id, err := ident.NewOrderID(d.Random, tx.Now)
	if err != nil {
		return Order{}, err
	}
	o := Order{Customer: customer.ID, ID: string(id), Type: Renew, Status: Unpaid, Source: source, User: user, Created: tx.Now, Deadline: tx.Now.Add(d.Rules.Life)}
	if p := found.pack; p != nil {
		o.Service, o.Project, o.Base = p.Service, p.Project, p.Order
		if p.Project == "" {
			o.Project = defaultProject
		}
	} else {
		first := &found.resources[0]
		o.Service, o.CloudProject, o.Project, o.Base = first.Service, first.CloudProject, first.Project, first.Order
	}
	for i := range found.lines {
		l := &found.lines[i]
		l.Order = o.ID
		if o.Official, err = money.Add(o.Official, l.Official); err != nil {
			return o, catalog.PriceFault(nil, rating.ErrAboveMaximum)
		}
	}
	if err := d.setTax(ctx, tx, customer, found.lines); err != nil {
		return o, err
	}
	for i := range found.lines {
		o.Tax += found.lines[i].Tax
	}
	o.Amount = o.Official
	if err := d.setDeadline(ctx, tx, &o, found.lines); err != nil {
		return o, err
	}
	if err := insertHead(ctx, tx, &o); err != nil {
		return o, err
	}
	for i := range found.lines {
		if err := insertLine(ctx, tx, o.Customer, &found.lines[i]); err != nil {
			return o, err
		}
		if found.pack != nil {
			continue
		}
		if err := subscription.Occupy(ctx, tx, &found.resources[i], o.ID); err != nil {
			return o, err
		}
	}
	return o, nil
}

// packRenewal prices another term of a resource package: it begins where the package ends (billing-rules 4). One that has
// ended is not renewed any more.
func (d *Desk) packRenewal(ctx context.Context, r db.Reader, p *quota.Package, unit period.Unit, n int, codes *renewCodes) (out renewal, err error) {
	now, _ := r.Instant()
	if status := p.Status(now); status == quota.Expired || status == quota.Unsubscribed {
		return out, fault.New(fault.Invalid, codes.gone, "resource package %s has ended", p.ID)
	}
	end, ok := p.Renewed(unit, n)
	if !ok {
		return out, fault.New(fault.Invalid, codes.noPeriod, "resource package %s is not renewed by that period", p.ID)
	}
	if end.After(now.AddDate(0, d.Rules.TermMost, 0)) {
		return out, fault.New(fault.Invalid, codes.tooLong, "resource package %s would be paid for more than %d months ahead", p.ID, d.Rules.TermMost)
	}
	shelf, err := d.Catalogue.At(ctx, r)
	if err != nil {
		return out, err
	}
	l := Line{
		No: 1, Name: p.Name.En, Service: p.Service, ResourceType: p.ResourceType, Spec: p.Spec, Region: p.Region, Unit: unit, Periods: n, Num: 1,
		Effective: p.Expires, Expires: end, Instance: p.ID,
	}
	w := l.wanted()
	rated, err := shelf.ByTerm(&w, now)
	if err != nil {
		if _, sold := shelf.Product(p.Service, p.ResourceType, p.Region, p.Spec); sold {
			return out, fault.New(fault.Invalid, codes.noPeriod, "resource package %s: %v", p.ID, err)
		}
		return out, fault.New(fault.Invalid, codes.offSale, "resource package %s: its product is no longer sold", p.ID)
	}
	l.Product = rated.Product
	l.Official = money.CutCharge(rating.PeriodPrecision(d.Currency).Cut(rated.Official))
	l.Amount = l.Official
	return renewal{pack: p, lines: []Line{l}}, nil
}

// renewal finds what a renewal is for and prices it; the codes are those of the operation that asks. What renews by itself goes
// on when its product is no longer sold (billing-rules 2.6).
func (d *Desk) renewal(ctx context.Context, r db.Reader, owner *account.Customer, resource string, unit period.Unit, n int, codes *renewCodes, offSale bool) (renewal, error) {
	customer := owner.ID
	var out renewal
	refuse := func(code, format string, args ...any) (renewal, error) {
		return out, fault.New(fault.Invalid, code, format, args...)
	}
	primary, err := d.Resource(ctx, r, customer, resource)
	if fault.Is(err, "CBC.99003012") {
		p, other := d.Package(ctx, r, customer, resource)
		if other == nil {
			return d.packRenewal(ctx, r, &p, unit, n, codes)
		}
		if !fault.Is(other, "PURSER.1001") {
			return out, other
		}
	}
	switch {
	case fault.Is(err, "CBC.99003012"), err == nil && primary.Status == subscription.Closed:
		return refuse(codes.gone, "resource %s does not exist, or was deleted", resource)
	case err != nil:
		return out, err
	case primary.Parent != "":
		return refuse(codes.notPrimary, "resource %s is not a primary resource", resource)
	}
	if out.resources, err = subscription.WithAttached(ctx, r, &primary); err != nil {
		return out, err
	}
	kept := out.resources[:0]
	for _, one := range out.resources {
		if one.Status == subscription.Closed {
			continue
		}
		if one.BusyWith != "" {
			if by, err := Find(ctx, r, customer, one.BusyWith); err == nil && by.Status == Unpaid {
				return refuse(codes.unpaid, "resource %s is in the unpaid order %s", resource, by.ID)
			}
		}
		if one.BusyWith != "" || one.Status == subscription.Provisioning { // what is being provisioned has no term to follow yet
			return refuse(codes.busy, "another transaction is in progress on resource %s", resource)
		}
		kept = append(kept, one)
	}
	out.resources = kept
	now, _ := r.Instant()
	shelf, err := d.Catalogue.At(ctx, r)
	if err != nil {
		return out, err
	}
	for i := range out.resources {
		one := &out.resources[i]
		span, extra, ok := one.Ahead(unit, n, owner.RenewDay)
		if !ok {
			return refuse(codes.noPeriod, "resource %s is not renewed by that period", resource)
		}
		if span.End.After(now.AddDate(0, d.Rules.TermMost, 0)) {
			return refuse(codes.tooLong, "resource %s would be paid for more than %d months ahead", resource, d.Rules.TermMost)
		}
		l := Line{
			No: int32(i + 1), Name: one.Name, Service: one.Service, ResourceType: one.ResourceType, Spec: one.Spec, Region: one.Region, Zone: one.Zone,
			Size: one.Size, Unit: unit, Periods: n, Num: 1, Effective: span.Start, Expires: span.End, Instance: one.Instance,
		}
		if one.Parent != "" {
			l.Parent = 1
		}
		w := l.wanted()
		w.OffSale = offSale
		rated, err := shelf.ByTerm(&w, now)
		if err != nil {
			if _, sold := shelf.Product(one.Service, one.ResourceType, one.Region, one.Spec); sold {
				return refuse(codes.noPeriod, "resource %s: %v", resource, err)
			}
			return refuse(codes.offSale, "resource %s: its product is no longer sold", resource)
		}
		l.Product = rated.Product
		l.Official = money.CutCharge(rating.PeriodPrecision(d.Currency).Cut(rated.Official))
		if extra > 0 {
			more, err := d.extraDays(shelf, &w, span.End, extra, now)
			if err != nil {
				return refuse(codes.noPeriod, "resource %s: %v", resource, err)
			}
			l.Official += more
		}
		l.Amount = l.Official
		out.lines = append(out.lines, l)
	}
	return out, nil
}

// extraDays is what the days to a unified renewal day cost: the monthly price by the days of the month that they begin in,
// half-up to the minor unit (billing-rules 2.5, our choice).
func (d *Desk) extraDays(shelf *catalog.Snapshot, w *catalog.Wanted, end time.Time, days int64, now time.Time) (money.Amount, error) {
	month := *w
	month.PeriodType, month.Periods = period.Month.Code(), 1
	rated, err := shelf.ByTerm(&month, now)
	if err != nil {
		return 0, err
	}
	y, m, _ := end.AddDate(0, 0, -int(days)).Add(-time.Second).In(period.GMT8).Date()
	return money.ShareHalfUp(money.CutCharge(rated.Official), days, int64(period.DaysIn(y, m)), d.Currency)
}

// RenewalPrice is what renewing resources would cost: the list price, and each discount of the customer.
type RenewalPrice struct {
	Resources []RenewalOf
	List      rating.Quote
	Offers    []rating.Offer
	Best      int
	Failed    []FailedResource
}

// RenewalOf is the price of one primary resource with what is attached to it, with the best discount.
type RenewalOf struct {
	Resource string
	Amount   money.Quoted
	lines    []int // of the quote
}

// FailedResource is a resource that an operation could not be done for.
type FailedResource struct {
	Resource string
	Why      *fault.Fault
}

// RenewalPrice prices the renewal of primary resources, with relatives also of those that go with them; those that cannot be
// renewed are named with the codes of api.md 2.3.
func (d *Desk) RenewalPrice(ctx context.Context, r db.Reader, customer *account.Customer, resources []string, relatives bool, unit period.Unit, n int, granted []rating.Discount) (RenewalPrice, error) {
	out := RenewalPrice{Best: -1}
	if relatives {
		var err error
		if resources, err = d.withRelated(ctx, r, customer.ID, resources); err != nil {
			return out, err
		}
	}
	var rated []rating.Line
	for _, id := range resources {
		found, err := d.renewal(ctx, r, customer, id, unit, n, &asking, false)
		if why, ok := fault.As(err); ok {
			out.Failed = append(out.Failed, FailedResource{id, why})
			continue
		}
		if err != nil {
			return out, err
		}
		one := RenewalOf{Resource: id}
		for i := range found.lines {
			line, err := found.lines[i].rated()
			if err != nil {
				return out, err
			}
			one.lines = append(one.lines, len(rated))
			rated = append(rated, line)
		}
		out.Resources = append(out.Resources, one)
	}
	var err error
	precision := rating.PeriodPrecision(d.Currency)
	if out.List, err = rating.List(rated, precision); err != nil {
		return out, catalog.PriceFault(nil, err)
	}
	if len(rated) > 0 && len(granted) > 0 {
		if out.Offers, out.Best, err = rating.Offers(granted, rated, precision); err != nil {
			return out, catalog.PriceFault(nil, err)
		}
	}
	best := out.List
	if out.Best >= 0 {
		best = out.Offers[out.Best].Quote
	}
	for i := range out.Resources {
		for _, k := range out.Resources[i].lines {
			out.Resources[i].Amount += best.Lines[k].Amount // parts of a sum that fits
		}
	}
	return out, nil
}

// withRelated puts behind each primary resource those that go with it and are not closed, each once.
func (d *Desk) withRelated(ctx context.Context, r db.Reader, customer string, resources []string) ([]string, error) {
	seen := map[string]bool{}
	for _, id := range resources {
		seen[id] = true
	}
	var out []string
	for _, id := range resources {
		out = append(out, id)
		one, err := d.Resource(ctx, r, customer, id)
		if fault.Is(err, "CBC.99003012") {
			continue // pricing it will say so
		}
		if err != nil {
			return nil, err
		}
		list, err := subscription.Related(ctx, r, &one)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if rel := &list[i]; rel.ID != "" && rel.Status != subscription.Closed && d.sees(rel.Project) && !seen[rel.ID] {
				seen[rel.ID] = true
				out = append(out, rel.ID)
			}
		}
	}
	return out, nil
}

// extend adds the term of a paid renewal to each of its resources. What had expired or was frozen is in use again.
func (d *Desk) extend(ctx context.Context, tx *db.Tx, o *Order, units []unit, life subscription.Life) error {
	var resumed []subscription.Resource
	for i := range units {
		u := &units[i]
		l := u.line
		if shelf, err := d.Catalogue.At(ctx, tx); err != nil {
			return err
		} else if product := packageOf(shelf, l); product != nil {
			if err := d.extendPack(ctx, tx, o, u, shelf, product); err != nil {
				return err
			}
			continue
		}
		r, err := subscription.Instance(ctx, tx, o.Customer, l.Instance)
		if err != nil {
			return err
		}
		if r.Status == subscription.Closed {
			return errMoved(o.ID)
		}
		stopped := r.Status != subscription.InUse
		term := subscription.Term{
			Order: o.ID, Line: l.No, Span: period.Span{Start: l.Effective, End: l.Expires}, Unit: l.Unit, Periods: l.Periods, Official: u.official, Amount: u.due.Amount, Parts: u.amounts, Tax: u.due.Tax, TaxParts: u.taxes,
		}
		if err := subscription.Renew(ctx, tx, &r, &term, life); err != nil {
			return err
		}
		u.instance = r.Instance
		o.charge(tx.Now, u)
		if stopped && r.Status == subscription.InUse {
			resumed = append(resumed, r)
		}
	}
	if len(resumed) == 0 {
		return nil
	}
	return d.tellResource(ctx, tx, resumed, &resumed[0], "resumed", "")
}

// extendPack lets a package whose renewal was paid go on.
func (d *Desk) extendPack(ctx context.Context, tx *db.Tx, o *Order, u *unit, shelf *catalog.Snapshot, product *catalog.Product) error {
	more, err := quota.Of(product, u.line.Unit, u.line.Periods, u.line.Effective)
	if err != nil {
		return err
	}
	if err := more.Measure(shelf); err != nil {
		return err
	}
	more.Source, more.Order = quota.ByOrder, o.ID
	p, err := quota.Renew(ctx, tx, d.Random, o.Customer, u.line.Instance, u.line.Expires, &more)
	if fault.Is(err, "PURSER.1002") {
		return errMoved(o.ID)
	}
	if err != nil {
		return err
	}
	u.instance = p.ID
	o.charge(tx.Now, u)
	return nil
}

// AutoRenew renews a primary resource by itself at the transaction's instant: for the period that was set, or that of its last
// order (a month for months, a year for years), paid with the best means. The refusal of either is returned.
func (d *Desk) AutoRenew(ctx context.Context, tx *db.Tx, customer, payer *account.Customer, r *subscription.Resource) (Order, error) {
	unit := r.AutoUnit
	if unit == period.None {
		terms, err := subscription.Terms(ctx, tx, r.Customer, r.Instance)
		if err != nil {
			return Order{}, err
		}
		unit = period.Month
		var last time.Time
		for i := range terms { // a change numbers what is left of a term anew: the last is the one that ends last
			if t := &terms[i]; t.Span.End.After(last) {
				last = t.Span.End
				if unit = period.Month; t.Unit == period.Year {
					unit = period.Year
				}
			}
		}
	}
	o, err := d.Renew(ctx, tx, customer, r.ID, unit, 1, BySystem, "")
	if err != nil {
		return o, err
	}
	if o, err = d.Pay(ctx, tx, customer, payer, o.ID, Means{Best: true}); err != nil {
		return o, err
	}
	if r.AutoLeft > 0 {
		renewed, err := subscription.Instance(ctx, tx, r.Customer, r.Instance)
		if err != nil {
			return o, err
		}
		policy, left, unit := renewed.Policy, r.AutoLeft-1, renewed.AutoUnit
		if left == 0 { // used up: it is renewed by hand again
			policy, left, unit = subscription.Grace, subscription.Unlimited, period.None
		}
		all, err := subscription.WithAttached(ctx, tx, &renewed)
		if err != nil {
			return o, err
		}
		if err := d.SetPolicy(ctx, tx, all, customer, policy, left, unit); err != nil {
			return o, err
		}
	}
	return o, nil
}

// Age moves a primary resource with what is attached to it on at the instant when that is due, and says what happened.
func (d *Desk) Age(ctx context.Context, tx *db.Tx, customer *account.Customer, r *subscription.Resource) (event string, err error) {
	all, err := subscription.WithAttached(ctx, tx, r)
	if err != nil {
		return "", err
	}
	event, err = subscription.Age(ctx, tx, r, d.life(customer))
	if err != nil || event == "" {
		return event, err
	}
	for i := range all[1:] {
		if one := &all[i+1]; one.Status != subscription.Closed {
			if err := subscription.Follow(ctx, tx, one, r); err != nil {
				return event, err
			}
		}
	}
	for i := range all { // unpaid orders on what is released go with it (billing-rules 1.2)
		if by := all[i].BusyWith; by != "" && r.Status == subscription.Closed {
			if o, err := Find(ctx, tx, r.Customer, by); err == nil && o.Status == Unpaid {
				if err := d.cancel(ctx, tx, &o, "the resource was released"); err != nil {
					return event, err
				}
			}
		}
	}
	return event, d.tellResource(ctx, tx, all, r, event, "")
}

// tellResource says what happened to a resource and what is attached to it, and why where there is a reason.
func (d *Desk) tellResource(ctx context.Context, tx *db.Tx, all []subscription.Resource, r *subscription.Resource, event, why string) error {
	if d.Tell == nil {
		return nil
	}
	m := Told{Topic: "resource." + event, Customer: r.Customer, Order: r.Order, Type: New, Status: Completed, Reason: why, Key: r.Instance + " " + tx.Now.UTC().Format(time.RFC3339)}
	for i := range all {
		m.Resources = append(m.Resources, ToldResource{
			Instance: all[i].Instance, ID: all[i].ID, Name: all[i].Name, Service: all[i].Service, Type: all[i].ResourceType, Spec: all[i].Spec, Region: all[i].Region, Project: all[i].CloudProject, EP: all[i].Project,
		})
	}
	return d.Tell(ctx, tx, &m)
}

// SetPolicy changes what happens to a primary resource, the first of all, and what is attached to it at expiry.
func (d *Desk) SetPolicy(ctx context.Context, tx *db.Tx, all []subscription.Resource, customer *account.Customer, policy subscription.Policy, left int, unit period.Unit) error {
	for i := range all {
		if all[i].Status == subscription.Closed {
			continue
		}
		if err := subscription.SetPolicy(ctx, tx, &all[i], policy, left, unit, d.life(customer)); err != nil {
			return err
		}
	}
	return nil
}

// Reschedule works out anew when each of a customer's automatic renewals is due.
func (d *Desk) Reschedule(ctx context.Context, tx *db.Tx, customer *account.Customer) error {
	list, err := subscription.Renewing(ctx, tx, customer.ID)
	for i := range list {
		if err == nil {
			err = subscription.Reschedule(ctx, tx, &list[i], d.life(customer))
		}
	}
	return err
}

// PutOff moves an automatic renewal that was refused to the next try, or to expiry, and says so.
func (d *Desk) PutOff(ctx context.Context, tx *db.Tx, customer *account.Customer, r *subscription.Resource, why *fault.Fault) error {
	if err := subscription.Reschedule(ctx, tx, r, d.life(customer)); err != nil {
		return err
	}
	all, err := subscription.WithAttached(ctx, tx, r)
	if err != nil {
		return err
	}
	return d.tellResource(ctx, tx, all, r, "renewal-refused", why.Code+" "+why.Message)
}
