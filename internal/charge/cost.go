package charge

import (
	"context"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Column is something by which fee records are added up.
type Column int

// The columns. Those up to ColumnPayer are kept beside the records; the others are read from the records themselves.
const (
	ColumnCycle Column = iota
	ColumnDay
	ColumnCustomer
	ColumnBill
	ColumnMode
	ColumnService
	ColumnType
	ColumnRegion
	ColumnProject
	ColumnPayer
	ColumnSpec
	ColumnUsageType
	ColumnResource // the cloud's id, and the instance inside the house
)

// CostQuery asks what a customer's fee records come to, and those of others that it pays for.
type CostQuery struct {
	Customer string
	From, To period.Date // days of the bill, both within
	By       []Column
	Within   []string    // enterprise projects; nil: any
	Unspread bool        // without what was charged by term
	Until    period.Date // the last day of booking that counts; 0: any
}

// Cost is what fee records come to that agree in the columns asked for; the others are zero.
type Cost struct {
	Customer     string
	Cycle        period.Cycle
	Day          period.Date
	Bill         BillType
	Mode         int32
	Service      string
	ResourceType string
	Region       string
	Project      string
	Payer        string
	Spec         string
	UsageType    string
	Resource     string
	Instance     string

	Official money.Amount
	Amount   money.Amount
	Coupon   money.Amount // of the amount, what coupons and cards paid
}

// Costs adds fee records up, and hands each sum to a function, in the order of the columns.
func Costs(ctx context.Context, r db.Reader, q *CostQuery, each func(*Cost) error) error {
	return costs(ctx, r, q, each)
}

// ByTerm hands every fee record to a function that was charged by term, given back ones too but no taxes, of a customer and
// of others that it pays for, consumed from one day on and before another.
func ByTerm(ctx context.Context, r db.Reader, customer string, from, to period.Date, within []string, each func(*Fee) error) error {
	return byTerm(ctx, r, customer, from, to, within, each)
}

// PaidFor lists the others that a customer has paid for.
func PaidFor(ctx context.Context, r db.Reader, payer string) ([]string, error) {
	return paidFor(ctx, r, payer)
}
