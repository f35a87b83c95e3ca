// Package charge owns fee records: what was charged, for what, and with what it was paid; the ground of every bill.
//
// It does not own money (ledger) nor what anything costs (rating): who charges books both in one transaction. It says which
// bill cycle is frozen, not what the close of one makes (bill).
//
// Meanings of time: consumed is when the thing was used or, by term, paid for, and decides the cycle; traded is when
// it was charged, its day of GMT+8 is the day on which it was booked; recorded is real time. The day of the bill is that of
// the start of what was consumed. What is charged after its cycle was closed belongs to the cycle in which it is charged, on
// the day on which it is booked, and says in which cycle it was used.
//
// Invariants (constraints of the table): records are only added, a correction is a record of its own; amount is
// official less discount; amount is the sum of its eight payment parts. What is given back is below zero. Sums are the sums
// of their records. Nothing is added to a frozen cycle.
package charge

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// BillType is what kind of charge a record is, with the numbers of the contract (api.md 0.12).
type BillType int32

// The types that exist so far.
const (
	Purchase     BillType = 1
	Renewal      BillType = 2
	Usage        BillType = 5
	Change       BillType = 3
	Refund       BillType = 4 // of an unsubscription
	AutoRenewal  BillType = 8
	Compensation BillType = 9 // an adjustment of the bill in the customer's favour
	Tax          BillType = 15
	Deduction    BillType = 16 // an adjustment of the bill against the customer
	ChangeRefund BillType = 20
	ToOnDemand   BillType = 24 // given back when a resource turns pay-per-use
	TaxRefund    BillType = 100
	TaxBack      BillType = 101 // of a month's row that gives back: compensations, corrections of usage
	TaxMore      BillType = 102 // of a month's deductions
)

// Charging modes of the contract.
const (
	ByPeriod = 1
	OnDemand = 3
)

// Parts are what an amount was paid with. Debt is what was unpaid when it was charged.
type Parts struct {
	Cash, Credit, Coupon, Flexi, Stored, Bonus, Debt, Adjustment money.Amount
}

// Sum is the amount that the parts come to. ErrOverflow.
func (p *Parts) Sum() (money.Amount, error) {
	return money.Sum(p.Cash, p.Credit, p.Coupon, p.Flexi, p.Stored, p.Bonus, p.Debt, p.Adjustment)
}

// Each calls change with every part.
func (p *Parts) Each(change func(*money.Amount)) {
	for _, part := range p.list() {
		change(part)
	}
}

func (p *Parts) list() [8]*money.Amount {
	return [8]*money.Amount{&p.Cash, &p.Credit, &p.Coupon, &p.Flexi, &p.Stored, &p.Bonus, &p.Debt, &p.Adjustment}
}

// LastFirst are the parts with those first that pay last: what nothing paid, credit, cash, and before these the others.
func (p *Parts) LastFirst() [8]*money.Amount {
	return [8]*money.Amount{&p.Debt, &p.Credit, &p.Cash, &p.Bonus, &p.Stored, &p.Flexi, &p.Coupon, &p.Adjustment}
}

// Add adds other parts to these. ErrOverflow.
func (p *Parts) Add(o *Parts) (err error) {
	mine, theirs := p.list(), o.list()
	for i := range mine {
		if *mine[i], err = money.Add(*mine[i], *theirs[i]); err != nil {
			return err
		}
	}
	return nil
}

// Neg is what gives the parts back.
func (p Parts) Neg() Parts {
	p.Each(func(part *money.Amount) { *part = -*part })
	return p
}

// Fee is one fee record.
type Fee struct {
	Customer     string
	ID           string
	Bill         BillType
	Mode         int32  // ByPeriod or OnDemand
	Trade        string // order id, or the id of a settlement
	Line         int32  // of the order
	Instance     string // the subscription inside the house; empty for tax
	Service      string
	ResourceType string
	Product      string
	Spec         string
	Region       string
	Project      string // enterprise project
	Payer        string // whose money it was
	Official     money.Amount
	Discount     money.Amount
	Amount       money.Amount
	Parts        Parts
	Cycle        period.Cycle // bill cycle that it belongs to; set when it is recorded
	AtClose      bool         // charged by the close of its cycle, which takes it though its time has come
	UsedCycle    period.Cycle // of one that came after its cycle was closed: that cycle; else 0
	Consumed     period.Span
	Traded       time.Time
	Recorded     time.Time
	Base         string       // of a refund: the order that it gives back
	TaxRate      string       // of tax on the amount; empty: none was looked for
	Within       money.Amount // tax that the amount contains

	// Of usage.
	Resource  string // the cloud's id
	UsageType string
	Used      int64 // what was used, in UsageUnit at Scale decimals
	Covered   int64 // of it by packages
	Scale     int
	UsageUnit int32
	UnitPrice money.UnitPrice // 0: a price with tiers has none
	Size      rating.Size
	Corrects  string // id of the record that this one corrects; the first of several
}

// Quantity is a number of the record's usage as a decimal.
func (f *Fee) Quantity(n int64) money.Decimal {
	d, _ := money.NewDecimal(n, f.Scale) // scales are within bounds
	return d
}

// Booked is the day on which it was booked.
func (f *Fee) Booked() period.Date { return period.DateOf(f.Traded) }

// Day is its day on the bill.
func (f *Fee) Day() period.Date {
	if f.UsedCycle != 0 {
		return f.Booked()
	}
	return period.DateOf(f.Consumed.Start)
}

// Record adds fee records and mints their ids. The cycle of each is that of the start of what was consumed, or the running one when
// that is closed. Budgets do not know of them until they are counted (Count).
func Record(ctx context.Context, tx *db.Tx, random io.Reader, fees []Fee) error {
	for i := range fees {
		id, err := ident.NewChargeID(random, tx.Now)
		if err != nil {
			return err
		}
		f := &fees[i]
		if f.ID = string(id); f.Traded.IsZero() {
			f.Traded = tx.Now
		}
	}
	return record(ctx, tx, fees)
}

// RecordAll adds fee records whose ids and instants of trade were given by who made them, and counts them for the budgets of
// their projects.
func RecordAll(ctx context.Context, tx *db.Tx, fees []Fee) error {
	if err := record(ctx, tx, fees); err != nil {
		return err
	}
	spent := map[string]Spent{}
	for i := range fees {
		of := spent[fees[i].Customer]
		if of == nil {
			of = Spent{}
			spent[fees[i].Customer] = of
		}
		of.Add(&fees[i])
	}
	for _, customer := range slices.Sorted(maps.Keys(spent)) {
		if err := Count(ctx, tx, customer, spent[customer]); err != nil {
			return err
		}
	}
	return nil
}

// record adds fee records to their cycles, with the sums beside them.
func record(ctx context.Context, tx *db.Tx, fees []Fee) error {
	if len(fees) == 0 {
		return nil
	}
	if err := place(ctx, tx, fees); err != nil {
		return err
	}
	rows := make([][]any, len(fees))
	for i := range fees {
		fees[i].Recorded = tx.Real
		rows[i] = fees[i].row()
	}
	if err := load(ctx, tx, rows); err != nil {
		return err
	}
	return addSums(ctx, tx, fees)
}

// place says which cycle each record belongs to: that of its consumption while it is open, then the running one.
func place(ctx context.Context, tx *db.Tx, fees []Fee) error {
	type wanted struct {
		customer string
		cycle    period.Cycle
	}
	open := map[wanted]bool{}
	isOpen := func(w wanted, closing bool) (bool, error) {
		known, ok := open[w]
		if ok || !closing && !tx.Now.Before(w.cycle.Closes()) {
			return known, nil
		}
		frozen, found, err := frozenAt(ctx, tx, w.customer, w.cycle)
		if err == nil && !found {
			err = openCycle(ctx, tx, w.customer, w.cycle)
		}
		open[w] = frozen.IsZero()
		return open[w], err
	}
	for i := range fees {
		f := &fees[i]
		closing := f.AtClose
		f.Cycle, f.UsedCycle = period.CycleOf(f.Consumed.Start), 0
		for first := f.Cycle; ; {
			ok, err := isOpen(wanted{f.Customer, f.Cycle}, closing)
			if err != nil {
				return err
			}
			if ok {
				break
			}
			if closing {
				return fmt.Errorf("charge: cycle %s of customer %s is frozen", f.Cycle, f.Customer)
			}
			f.Cycle, f.UsedCycle = max(f.Cycle+1, period.CycleOf(tx.Now)), first
		}
	}
	return nil
}

// OfCycle pages through a customer's fee records of a bill cycle, by when they were charged and id; of some enterprise projects
// only when within is not nil.
func OfCycle(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, within []string, offset, limit int) (total int, page []Fee, err error) {
	return ofCycle(ctx, r, customer, cycle, within, offset, limit)
}

// UsageSum is what fee records of usage come to.
type UsageSum struct {
	Used, Covered      int64
	Official, Discount money.Amount
}

// UsageKey names what a sum of usage is for: a resource's factor as a product, in a project and the cycle of its use.
func UsageKey(resource, factor, spec, project string, cycle period.Cycle) string {
	return resource + " " + factor + " " + spec + " " + project + " " + cycle.String()
}

// UsageSums adds up a customer's fee records of usage in a bill cycle and later ones.
func UsageSums(ctx context.Context, r db.Reader, customer string, since period.Cycle) (map[string]UsageSum, error) {
	return usageSums(ctx, r, customer, since)
}

// DebtOf is what fee records of a bill cycle and later ones left unpaid when they were charged to a payer.
func DebtOf(ctx context.Context, r db.Reader, payer string, from period.Cycle) (money.Amount, error) {
	return debtOf(ctx, r, payer, from)
}

// OfTrade lists the fee records of an order or settlement, by line.
func OfTrade(ctx context.Context, r db.Reader, customer, trade string) ([]Fee, error) {
	return ofTrade(ctx, r, customer, trade)
}

// PaidBy is what all fee records come to that were paid with a customer's money, for itself or for members.
func PaidBy(ctx context.Context, r db.Reader, payer string) (money.Amount, error) {
	return paidBy(ctx, r, payer)
}
