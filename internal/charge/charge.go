// Package charge owns fee records: what was charged, for what, and with what it was paid; the ground of every bill.
//
// It does not own money (ledger) nor what anything costs (rating): who charges books both in one transaction.
//
// Meanings of time: consumed is when the thing was used or, by term, paid for, and decides the cycle; traded is when
// it was charged; recorded is real time.
//
// Invariants (constraints of the table): records are only added, a correction is a record of its own; amount is
// official less discount; amount is the sum of its eight payment parts. What is given back is below zero.
package charge

import (
	"context"
	"io"
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
	Tax          BillType = 15
	ChangeRefund BillType = 20
	TaxRefund    BillType = 100
	TaxBack      BillType = 101 // of a correction that gives back
	TaxMore      BillType = 102 // of a correction that takes more
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
	for _, part := range []*money.Amount{&p.Cash, &p.Credit, &p.Coupon, &p.Flexi, &p.Stored, &p.Bonus, &p.Debt, &p.Adjustment} {
		change(part)
	}
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

// Record adds a fee record and mints its id. Its cycle is that of the start of what was consumed.
func Record(ctx context.Context, tx *db.Tx, random io.Reader, f *Fee) error {
	id, err := ident.NewChargeID(random, tx.Now)
	if err != nil {
		return err
	}
	f.ID, f.Recorded = string(id), tx.Real
	if f.Traded.IsZero() {
		f.Traded = tx.Now
	}
	return insert(ctx, tx, f)
}

// RecordAll adds fee records whose ids and instants of trade were given by who made them.
func RecordAll(ctx context.Context, tx *db.Tx, fees []Fee) error {
	rows := make([][]any, len(fees))
	for i := range fees {
		fees[i].Recorded = tx.Real
		rows[i] = fees[i].row()
	}
	return load(ctx, tx, rows)
}

// OfCycle pages through a customer's fee records of a bill cycle, by when they were charged and id.
func OfCycle(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, offset, limit int) (total int, page []Fee, err error) {
	return ofCycle(ctx, r, customer, cycle, offset, limit)
}

// UsageSum is what fee records of usage come to.
type UsageSum struct {
	Used, Covered      int64
	Official, Discount money.Amount
}

// UsageKey names what a sum of usage is for: a resource's factor as a product, in a project and bill cycle.
func UsageKey(resource, factor, spec, project string, cycle period.Cycle) string {
	return resource + " " + factor + " " + spec + " " + project + " " + cycle.String()
}

// UsageSums adds up a customer's fee records of usage.
func UsageSums(ctx context.Context, r db.Reader, customer string) (map[string]UsageSum, error) {
	return usageSums(ctx, r, customer)
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
