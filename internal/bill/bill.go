// Package bill owns the summary of a month: what its fee records come to for each product, cut to the currency's minor unit,
// and the close that makes it final.
//
// It does not own fee records nor their sums (charge), money (ledger), nor paper (invoice): it reads the first, posts to the
// second what was cut off, and knows nothing of the third. It also lists fee records by resource, and checks that all of these
// say the same, and keeps how far the day's export of all bills is.
//
// A month of a customer: open (its rows are an estimate, worked out from the sums of the fee records whenever they are asked
// for) → frozen (nothing is added any more) → closed (its rows are kept and what was cut off is booked), or parked (the close
// failed: the operator is told, and lets it be tried again). The rows of an open month and of a closed one are made by the same
// pure function.
//
// Meanings of time: a cycle is a month of GMT+8 by consumption; it closes on the 3rd of the next one at 03:00 (period.Cycle).
//
// Invariants (constraints of the table): consumed = official − discount − truncated = Σ of the eight parts; rows are only
// added, once. Σ truncated = what the ledger's truncation account gave, by payer.
package bill

import (
	"cmp"
	"slices"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Type is what kind of row it is, with the numbers of the contract (api.md 8.1).
type Type int32

// The types.
const (
	Consumption Type = 1
	Refund      Type = 2
	Adjustment  Type = 3
)

// TypeOf is the type of the row that fee records of a bill type are added to.
func TypeOf(b charge.BillType) Type {
	switch b {
	case charge.Refund, charge.ChangeRefund, charge.ToOnDemand, charge.TaxRefund:
		return Refund
	case charge.Compensation, charge.Deduction, charge.TaxBack, charge.TaxMore:
		return Adjustment
	}
	return Consumption
}

// Row is one row of a month's summary: what one product came to, in one mode, for one payer and enterprise project.
type Row struct {
	Customer     string
	Cycle        period.Cycle
	No           int // of a closed month
	Type         Type
	Mode         int32
	Service      string
	ResourceType string
	Project      string
	Payer        string
	Records      int64 // fee records in it
	Official     money.Amount
	Discount     money.Amount
	Truncated    money.Amount // what was cut off; below zero where rounding added
	Consume      money.Amount // Official − Discount − Truncated, in whole minor units
	Parts        charge.Parts // what Consume was paid with
	Cut          charge.Parts // what Truncated was taken from, as fee records say; not kept
}

// Rounding is how the amount of a row is brought to the minor unit.
type Rounding string

// The roundings. Sources differ (billing-rules 3.4): what is cut off is dropped, or the row is rounded half-up.
const (
	Truncate Rounding = "truncate"
	HalfUp   Rounding = "half-up"
)

// round brings a row to the minor unit: what goes too far is taken from the last part that paid (billing-rules 3.2: coupons pay
// first, then cash, then credit; what nothing paid is debt).
func (r *Row) round(how Rounding, currency money.Currency) error {
	whole, err := r.Parts.Sum()
	if err != nil {
		return err
	}
	r.Consume = money.CutMinor(whole, currency)
	if how == HalfUp {
		if r.Consume, err = money.HalfUpMinor(whole, currency); err != nil {
			return err
		}
	}
	r.Truncated = whole - r.Consume
	rest := r.Truncated
	mine, cut := r.Parts.LastFirst(), r.Cut.LastFirst()
	for i := range mine {
		take := money.Amount(0)
		switch part := *mine[i]; {
		case rest > 0 && part > 0:
			take = min(rest, part)
		case rest < 0 && part < 0:
			take = max(rest, part)
		}
		*mine[i] -= take
		*cut[i] += take
		rest -= take
	}
	if rest != 0 { // rounding added: the last part that paid pays more, a coupon does not
		i := 0
		for i < len(mine)-1 && *mine[i] == 0 {
			i++
		}
		if mine[i] != &r.Parts.Debt && mine[i] != &r.Parts.Credit {
			mine[i], cut[i] = &r.Parts.Cash, &r.Cut.Cash
		}
		*mine[i] -= rest
		*cut[i] += rest
	}
	return nil
}

// Summarise makes the rows of a month from sums of its fee records, in their order.
func Summarise(sums []charge.Sum, how Rounding, currency money.Currency) ([]Row, error) {
	at := map[Row]int{}
	var rows []Row
	for i := range sums {
		s := &sums[i]
		key := Row{
			Customer: s.Customer, Cycle: s.Cycle, Type: TypeOf(s.Bill), Mode: s.Mode, Service: s.Service, ResourceType: s.ResourceType, Project: s.Project, Payer: s.Payer,
		}
		j, ok := at[key]
		if !ok {
			j = len(rows)
			at[key] = j
			rows = append(rows, key)
		}
		if err := rows[j].add(s); err != nil {
			return nil, err
		}
	}
	for i := range rows {
		if err := rows[i].round(how, currency); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.compare(&b) })
	for i := range rows {
		rows[i].No = i + 1
	}
	return rows, nil
}

func (r *Row) compare(o *Row) int {
	return cmp.Or(cmp.Compare(r.Service, o.Service), cmp.Compare(r.ResourceType, o.ResourceType), cmp.Compare(r.Mode, o.Mode), cmp.Compare(r.Type, o.Type),
		cmp.Compare(r.Project, o.Project), cmp.Compare(r.Payer, o.Payer))
}

func (r *Row) add(s *charge.Sum) (err error) {
	r.Records += s.Records
	if r.Official, err = money.Add(r.Official, s.Official); err != nil {
		return err
	}
	if r.Discount, err = money.Add(r.Discount, s.Discount); err != nil {
		return err
	}
	return r.Parts.Add(&s.Parts)
}

// Include adds another row's amounts to this one: a total over rows of several products.
func (r *Row) Include(o *Row) (err error) {
	for _, k := range []struct {
		into *money.Amount
		more money.Amount
	}{{&r.Official, o.Official}, {&r.Discount, o.Discount}, {&r.Truncated, o.Truncated}, {&r.Consume, o.Consume}} {
		if *k.into, err = money.Add(*k.into, k.more); err != nil {
			return err
		}
	}
	r.Records += o.Records
	return r.Parts.Add(&o.Parts)
}
