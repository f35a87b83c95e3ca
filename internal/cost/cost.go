// Package cost analyses what was charged: by day or month, by up to two dimensions, as it was charged or with what was paid
// by term spread over its days, with or without what coupons paid.
//
// It does not own fee records (charge), which it adds up, nor how a term is spread (amortise). It owns no table and writes
// nothing.
//
// Meanings of time: a cost is of the day of the bill (charge.Fee.Day); one that is spread, of each day of its term from the
// day on which it was charged. Days and months are those of GMT+8.
//
// Invariants: over the whole life of what was charged, amortised costs come to the original ones; costs grouped by anything
// come to the costs that are not grouped; taxes, usage and adjustments are the same in both views.
package cost

import (
	"cmp"
	"context"
	"slices"

	"github.com/purser-cloud/purser/internal/amortise"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/usage"
)

// Kinds of groups.
const (
	Dimension = "dimension"
	Tag       = "tag"
	CostUnit  = "cost_unit"
)

// Group is something to group by: a dimension, or the tag of a key.
type Group struct{ Kind, Key string }

// Filter leaves costs out: those with none of the values, or those with one of them.
type Filter struct {
	Exclude bool
	Key     string
	Values  []string
}

// Query is what is asked.
type Query struct {
	Customer  string // and the others that it pays for
	Within    []string
	From, To  period.Date // both within; of a query by month the first and the last day of months
	Until     period.Date // the last day of booking that is shown; 0: any
	ByMonth   bool
	Groups    []Group
	Filters   []Filter
	Amortised bool
	Net       bool // without what coupons paid
	Offset    int
	Limit     int
}

// Cost is what a day or a month comes to.
type Cost struct {
	Time             string // YYYY-MM-DD or YYYY-MM
	Amount, Official money.Amount
}

// Row is a combination of dimensions.
type Row struct {
	Values           []string // in the order of the groups
	Costs            []Cost   // of the days or months in which something was charged, in order
	Amount, Official money.Amount
}

// Answer is a page of rows, the dearest first.
type Answer struct {
	Total int
	Rows  []Row
}

// key is the values of up to two groups.
type key [2]string

// fact is a cost with what it can be grouped by; when is a day, or a cycle.
type fact struct {
	charge.Cost
	when int64
}

type sums struct{ amount, official money.Amount }

func (s *sums) add(amount, official money.Amount) (err error) {
	if s.amount, err = money.Add(s.amount, amount); err == nil {
		s.official, err = money.Add(s.official, official)
	}
	return err
}

// Analyse answers a query. CBC.0100.
func Analyse(ctx context.Context, r db.Reader, q *Query) (Answer, error) {
	a, err := q.plan()
	if err != nil {
		return Answer{}, err
	}
	if err := a.learn(ctx, r); err != nil {
		return Answer{}, err
	}
	totals := map[key]*sums{}
	err = a.walk(ctx, r, false, func(k key, _ int64, amount, official money.Amount) error {
		if totals[k] == nil {
			totals[k] = &sums{}
		}
		return totals[k].add(amount, official)
	})
	if err != nil {
		return Answer{}, tooLarge(err)
	}
	keys := make([]key, 0, len(totals))
	for k := range totals {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y key) int {
		return cmp.Or(cmp.Compare(totals[y].amount, totals[x].amount), cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	})
	out := Answer{Total: len(keys)}
	keys = keys[min(q.Offset, len(keys)):min(q.Offset+q.Limit, len(keys))]
	if len(keys) == 0 {
		return out, nil
	}
	out.Rows, err = a.page(ctx, r, keys, totals)
	return out, tooLarge(err)
}

func tooLarge(err error) error {
	if err == money.ErrOverflow {
		return fault.New(fault.Invalid, "CBC.0100", "time_condition: the costs are too large to be added up")
	}
	return err
}

// page says for some keys what each day or month comes to.
func (a *analysis) page(ctx context.Context, r db.Reader, keys []key, totals map[key]*sums) ([]Row, error) {
	times := make(map[key]map[int64]*sums, len(keys))
	for _, k := range keys {
		times[k] = map[int64]*sums{}
	}
	err := a.walk(ctx, r, true, func(k key, when int64, amount, official money.Amount) error {
		of := times[k]
		if of == nil {
			return nil
		}
		if of[when] == nil {
			of[when] = &sums{}
		}
		return of[when].add(amount, official)
	})
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(keys))
	for i, k := range keys {
		row := &rows[i]
		row.Values, row.Amount, row.Official = slices.Clone(k[:len(a.q.Groups)]), totals[k].amount, totals[k].official
		whens := make([]int64, 0, len(times[k]))
		for when := range times[k] {
			whens = append(whens, when)
		}
		slices.Sort(whens)
		for _, when := range whens {
			s := times[k][when]
			row.Costs = append(row.Costs, Cost{a.q.text(when), s.amount, s.official})
		}
	}
	return rows, nil
}

func (q *Query) text(when int64) string {
	if q.ByMonth {
		return period.Cycle(when).String()
	}
	return period.Date(when).String()
}

// analysis is a query with what is needed to answer it.
type analysis struct {
	q        *Query
	columns  []charge.Column
	where    map[string]subscription.Whereabouts // by instance; nil: not needed
	tags     map[usage.Owned]map[string]string   // nil: not needed
	spans    map[order.Place]period.Span
	resource bool // what is in the cloud, and where, is needed
	tagged   bool
}

// learn reads what names the resources, and the spans of what was charged by term.
func (a *analysis) learn(ctx context.Context, r db.Reader) error {
	if !a.resource && !a.tagged && !a.q.Amortised {
		return nil
	}
	others, err := charge.PaidFor(ctx, r, a.q.Customer)
	if err != nil {
		return err
	}
	customers := append([]string{a.q.Customer}, others...)
	if a.resource || a.tagged {
		if a.where, err = subscription.Where(ctx, r, customers); err != nil {
			return err
		}
	}
	if a.tagged {
		if a.tags, err = usage.Tags(ctx, r, customers); err != nil {
			return err
		}
	}
	if a.q.Amortised {
		a.spans, err = order.Spans(ctx, r, customers)
	}
	return err
}

// walk hands every cost that the filters let through to a function, with its key; with or without when it was.
func (a *analysis) walk(ctx context.Context, r db.Reader, timed bool, each func(k key, when int64, amount, official money.Amount) error) error {
	by := slices.Clone(a.columns)
	switch {
	case timed && a.q.ByMonth:
		by = append(by, charge.ColumnCycle)
	case timed:
		by = append(by, charge.ColumnDay)
	}
	give := func(f *fact) error {
		k, ok := a.keyOf(f)
		if !ok {
			return nil
		}
		amount := f.Amount
		if a.q.Net {
			amount -= f.Coupon
		}
		return each(k, f.when, amount, f.Official)
	}
	q := charge.CostQuery{Customer: a.q.Customer, From: a.q.From, To: a.q.To, By: by, Within: a.q.Within, Unspread: a.q.Amortised, Until: a.q.Until}
	f := fact{}
	err := charge.Costs(ctx, r, &q, func(c *charge.Cost) error {
		if len(by) == 0 && *c == (charge.Cost{}) { // the sum of nothing
			return nil
		}
		f.Cost, f.when = *c, int64(c.Day)
		if a.q.ByMonth {
			f.when = int64(c.Cycle)
		}
		return give(&f)
	})
	if err != nil || !a.q.Amortised {
		return err
	}
	return a.spread(ctx, r, timed, give)
}

// termMost is how many days before a day something may have been charged that it still bears: terms are 120 months in all.
const termMost = 3700

// spread hands the shares of what was charged by term to a function.
func (a *analysis) spread(ctx context.Context, r db.Reader, timed bool, give func(*fact) error) error {
	var fees []charge.Fee
	var charges []amortise.Charge
	err := charge.ByTerm(ctx, r, a.q.Customer, a.q.From-termMost, a.q.To+1, a.q.Within, func(f *charge.Fee) error {
		if a.q.Until != 0 && f.Booked() > a.q.Until {
			return nil
		}
		fees = append(fees, *f)
		charges = append(charges, a.charge(f))
		return nil
	})
	if err != nil {
		return err
	}
	for i, s := range amortise.Lay(charges) {
		from, to := max(s.First(), a.q.From), min(s.Last(), a.q.To)
		if from > to {
			continue
		}
		f := &fees[i]
		c := fact{Cost: charge.Cost{
			Customer: f.Customer, Bill: f.Bill, Mode: f.Mode, Service: f.Service, ResourceType: f.ResourceType, Region: f.Region, Project: f.Project,
			Payer: f.Payer, Spec: f.Spec, UsageType: f.UsageType, Resource: f.Resource, Instance: f.Instance,
		}}
		share := func(from, to period.Date) error {
			on := func(total money.Amount) money.Amount {
				s.Total = total
				return s.Between(from, to)
			}
			c.Official, c.Amount, c.Coupon = on(f.Official), on(f.Amount), 0
			if a.q.Net {
				c.Amount = on(f.Amount - f.Parts.Coupon - f.Parts.Flexi - f.Parts.Stored)
			}
			return give(&c)
		}
		if !timed {
			if err := share(from, to); err != nil {
				return err
			}
			continue
		}
		for from <= to {
			end := from
			c.when = int64(from)
			if a.q.ByMonth {
				cycle := period.CycleOf(from.Span().Start)
				c.when, end = int64(cycle), min(to, period.DateOf(cycle.Span().End)-1)
			}
			if err := share(from, end); err != nil {
				return err
			}
			from = end + 1
		}
	}
	return nil
}

// charge is a fee record as it is spread.
func (a *analysis) charge(f *charge.Fee) amortise.Charge {
	c := amortise.Charge{Resource: f.Instance, Order: f.Trade, Day: f.Day()}
	if c.Resource == "" {
		c.Resource = f.ID
	}
	switch f.Bill {
	case charge.Refund, charge.ToOnDemand:
		c.Kind = amortise.Refund
	case charge.ChangeRefund:
		c.Kind = amortise.ChangeBack
	case charge.Change:
		c.Kind = amortise.Change
	}
	if span, ok := a.spans[order.Place{Order: f.Trade, Line: f.Line}]; ok && c.Kind != amortise.Refund && c.Kind != amortise.ChangeBack {
		over := amortise.Over(span, 0)
		c.From, c.To = over.From, over.To
	}
	return c
}
