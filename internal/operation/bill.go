package operation

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// Whose bills are wanted (api.md 8.1).
type Whose struct {
	Method string // oneself, sub_customer or all; empty: all
	Member string // with sub_customer
}

// The methods.
const (
	Oneself   = "oneself"
	OfMember  = "sub_customer"
	OfAll     = "all"
	membersTo = 100 // members whose bills are shown in one answer
)

// billed is an account whose charges are shown, to its payer only what that one paid for.
type billed struct {
	customer string
	payer    string // empty: whoever paid
}

// accounts are those whose bills a caller sees, itself first, then its members in the order of their ids: of one with unified
// accounting what its master paid, of one that accounts for itself all of it. CBC.0100: no such member; CBC.18000048: too many.
func (c *Counter) accounts(ctx context.Context, r db.Reader, scope identity.Scope, w Whose, cycle period.Cycle) (out []billed, err error) {
	if w.Method == OfMember && w.Member == "" {
		return nil, fault.New(fault.Invalid, "CBC.0100", "sub_customer_id: is required when method is sub_customer")
	}
	if w.Method != OfMember {
		out = append(out, billed{customer: scope.Customer})
	}
	if w.Method == Oneself {
		return out, nil
	}
	total, members, err := account.Members(ctx, r, scope.Customer, 0, membersTo)
	if err != nil {
		return nil, err
	}
	if total > membersTo && w.Method != OfMember {
		return nil, fault.New(fault.Invalid, "CBC.18000048", "too many independent accounting members: name one by method sub_customer and sub_customer_id")
	}
	if w.Method == OfMember {
		relation, ok, err := account.Joined(ctx, r, w.Member)
		if err != nil {
			return nil, err
		}
		if !ok || relation.Master != scope.Customer {
			return nil, fault.New(fault.Invalid, "CBC.0100", "sub_customer_id: you have no member %s", w.Member)
		}
		members = []account.Relation{relation}
	}
	slices.SortFunc(members, func(a, b account.Relation) int { return strings.Compare(a.Member, b.Member) })
	for _, m := range members {
		if period.CycleOf(m.Since) > cycle {
			continue // nothing of the time before it joined
		}
		b := billed{customer: m.Member}
		if m.Accounting == account.Unified {
			b.payer = scope.Customer
		}
		out = append(out, b)
	}
	return out, nil
}

// yearsOfBills is for how long bills are kept for queries (api.md 8.1).
const yearsOfBills = 3

func checkCycle(r db.Reader, cycle period.Cycle) error {
	now, _ := r.Instant()
	if cycle < period.CycleOf(now.AddDate(-yearsOfBills, 0, 0)) {
		return fault.New(fault.Invalid, "CBC.0100", "the month %s is more than %d years ago", cycle, yearsOfBills)
	}
	return nil
}

// MonthlySum is the summary of a month.
type MonthlySum struct {
	Shelf *catalog.Snapshot
	Total int
	Sum   bill.Row   // over all rows that match
	Rows  []bill.Row // the page
	Names map[string]string

	WrittenOff money.Amount // of debts, in the month, by the caller
	Final      bool         // the months of all accounts are closed
}

// SummaryAsk is which rows of a summary are wanted; nil stands for any.
type SummaryAsk struct {
	Whose
	Cycle         period.Cycle
	Service       *string
	Project       *string
	Offset, Limit int
}

// MonthlySum shows the summary bill of a month: as it was closed, or as it would be closed now. Rows of one product in several
// enterprise projects are rows of their own.
func (c *Counter) MonthlySum(ctx context.Context, call *Call, ask *SummaryAsk) (out MonthlySum, err error) {
	out.Final = true
	err = older(ctx, c, call, &out, func(v *db.View, scope identity.Scope) error {
		if err := checkCycle(v, ask.Cycle); err != nil {
			return err
		}
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		whose, err := c.accounts(ctx, v, scope, ask.Whose, ask.Cycle)
		if err != nil {
			return err
		}
		out.Names = map[string]string{}
		var all []bill.Row
		for _, b := range whose { // as many as there are members, at most membersTo
			rows, final, err := c.Bills.Seen(ctx, v, b.customer, ask.Cycle, c.billsUntil(v))
			if err != nil {
				return err
			}
			out.Final = out.Final && final
			for i := range rows {
				x := &rows[i]
				if b.payer != "" && x.Payer != b.payer || ask.Service != nil && x.Service != *ask.Service || ask.Project != nil && x.Project != *ask.Project || !scope.Sees(x.Project) {
					continue
				}
				all = append(all, *x)
			}
		}
		for i := range all {
			if err := out.Sum.Include(&all[i]); err != nil {
				return err
			}
		}
		if out.WrittenOff, err = ledger.WrittenOff(ctx, v, scope.Customer, ask.Cycle.Span().Start, ask.Cycle.Span().End); err != nil || !scope.AllProjects {
			out.WrittenOff = 0 // the account's, not a project's
		}
		if err != nil {
			return err
		}
		out.Total = len(all)
		out.Rows = all[min(ask.Offset, len(all)):min(ask.Offset+ask.Limit, len(all))]
		return accountNames(ctx, v, whose, out.Names)
	})
	return out, err
}

// billsUntil is the last day of which summaries and costs are shown: the provider's latency, when it is imitated.
func (c *Counter) billsUntil(r db.Reader) period.Date {
	if !c.BillsLate {
		return 0
	}
	now, _ := r.Instant()
	return period.DateOf(now) - 1
}

func accountNames(ctx context.Context, r db.Reader, whose []billed, into map[string]string) error {
	for _, b := range whose {
		d, err := identity.FindDomain(ctx, r, b.customer)
		if err != nil {
			return err
		}
		into[b.customer] = d.Name
	}
	return nil
}

// FeeAsk is which fee records of a month are wanted.
type FeeAsk struct {
	Whose
	Cycle         period.Cycle
	charge.Filter              // Resource is the cloud's id, of whatever kind the resource is
	Grain         charge.Grain // of BilledResources
	Offset, Limit int
}

// Billed is what fee records name.
type Billed struct {
	Shelf     *catalog.Snapshot
	Names     map[string]string       // of accounts
	Projects  map[string]ProjectNames // by account
	Resources map[string]usage.Resource
	Bought    map[string]subscription.Billed // by account
	Combined  map[string]string              // purchase that an order belongs to
}

// FeePage is a page of fee records.
type FeePage struct {
	Billed
	Total int
	Fees  []charge.Fee
}

// ResourceSums is a page of fee records added up by resource.
type ResourceSums struct {
	Billed
	Total     int
	Resources []charge.Resource
}

// ListFees pages through the fee records of a month, account by account, in the order in which they were charged.
func (c *Counter) ListFees(ctx context.Context, call *Call, ask *FeeAsk) (out FeePage, err error) {
	err = billedBy(ctx, c, call, ask, &out, &out.Billed, &out.Total, func(v *db.View, customer string, f *charge.Filter, offset, limit int) (int, error) {
		total, page, err := charge.List(ctx, v, customer, ask.Cycle, f, offset, limit)
		out.Fees = append(out.Fees, page...)
		return total, err
	}, func(v *db.View) error {
		return out.name(ctx, v, len(out.Fees), func(i int) (customer, instance, resource, order string) {
			f := &out.Fees[i]
			return f.Customer, f.Instance, f.Resource, orderOf(f.Mode, f.Trade)
		})
	})
	return out, err
}

// ListBilledResources pages through what the fee records of a month come to by resource, of the cycle or of each day.
func (c *Counter) ListBilledResources(ctx context.Context, call *Call, ask *FeeAsk) (out ResourceSums, err error) {
	err = billedBy(ctx, c, call, ask, &out, &out.Billed, &out.Total, func(v *db.View, customer string, f *charge.Filter, offset, limit int) (int, error) {
		total, page, err := charge.Resources(ctx, v, customer, ask.Cycle, f, ask.Grain, offset, limit)
		out.Resources = append(out.Resources, page...)
		return total, err
	}, func(v *db.View) error {
		return out.name(ctx, v, len(out.Resources), func(i int) (customer, instance, resource, order string) {
			f := &out.Resources[i]
			return f.Customer, f.Instance, f.Cloud, orderOf(f.Mode, f.Trade)
		})
	})
	return out, err
}

// orderOf is the order of what was charged by the term; usage has none.
func orderOf(mode int32, trade string) string {
	if mode == charge.ByPeriod {
		return trade
	}
	return ""
}

// billedBy asks each account for its part of a page, then names what is on it. Out and total are parts of the whole answer.
func billedBy[A any](ctx context.Context, c *Counter, call *Call, ask *FeeAsk, whole *A, out *Billed, total *int, part func(v *db.View, customer string, f *charge.Filter, offset, limit int) (int, error), name func(*db.View) error) error {
	return older(ctx, c, call, whole, func(v *db.View, scope identity.Scope) (err error) {
		if err := checkCycle(v, ask.Cycle); err != nil {
			return err
		}
		if out.Shelf, err = c.Catalogue.At(ctx, v); err != nil {
			return err
		}
		whose, err := c.accounts(ctx, v, scope, ask.Whose, ask.Cycle)
		if err != nil {
			return err
		}
		offset, left := ask.Offset, ask.Limit
		for _, b := range whose {
			f := ask.Filter
			f.Within = scope.Within()
			if b.payer != "" && f.Payer == nil {
				f.Payer = &b.payer
			}
			if f.Resource != nil {
				if f.Instances, err = subscription.InstancesOf(ctx, v, b.customer, *f.Resource); err != nil {
					return err
				}
				if len(f.Instances) == 0 { // a package goes by its own id
					f.Instances = []string{*f.Resource}
				}
			}
			if c.BillsLate {
				f.Before = v.Now.Add(-feesLate)
			}
			n, err := part(v, b.customer, &f, offset, left)
			if err != nil {
				return err
			}
			*total += n
			shown := max(0, min(left, n-offset))
			offset, left = max(0, offset-n), left-shown
		}
		out.Names = map[string]string{}
		if err := accountNames(ctx, v, whose, out.Names); err != nil {
			return err
		}
		out.Projects, out.Bought, out.Resources = map[string]ProjectNames{}, map[string]subscription.Billed{}, map[string]usage.Resource{}
		return name(v)
	})
}

// feesLate is by how much fee records are late where the provider's latency is imitated (api.md 8.2: about an hour).
const feesLate = time.Hour

// name finds what the rows of a page name: projects, resources, terms, combined purchases; a few queries for each account on it.
func (b *Billed) name(ctx context.Context, v *db.View, n int, row func(int) (customer, instance, resource, order string)) (err error) {
	instances, clouds, orders := map[string][]string{}, map[string][]string{}, map[string][]string{}
	type thing struct{ customer, instance, cloud, order string }
	met := map[thing]bool{}
	once := func(t thing) bool {
		was := met[t]
		met[t] = true
		return !was
	}
	for i := range n {
		customer, instance, cloud, bought := row(i)
		if instance != "" && once(thing{customer: customer, instance: instance}) {
			instances[customer] = append(instances[customer], instance)
		}
		if cloud != "" && once(thing{customer: customer, cloud: cloud}) {
			clouds[customer] = append(clouds[customer], cloud)
		}
		if bought != "" && once(thing{customer: customer, order: bought}) {
			orders[customer] = append(orders[customer], bought)
		}
		if _, ok := b.Projects[customer]; !ok {
			if b.Projects[customer], err = projectNames(ctx, v, customer); err != nil {
				return err
			}
		}
	}
	for customer, list := range instances {
		if b.Bought[customer], err = subscription.BilledOf(ctx, v, customer, list); err != nil {
			return err
		}
	}
	b.Combined = map[string]string{}
	for customer, list := range orders {
		found, err := order.CombinedOf(ctx, v, customer, list)
		if err != nil {
			return err
		}
		maps.Copy(b.Combined, found)
	}
	for customer, list := range clouds {
		found, err := usage.ResourcesByID(ctx, v, customer, list)
		if err != nil {
			return err
		}
		for id, r := range found {
			b.Resources[customer+" "+id] = r
		}
	}
	return nil
}
