package bill

import (
	"context"
	"fmt"
	"slices"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
)

// Desk makes bills.
type Desk struct {
	Currency money.Currency
	Rounding Rounding
}

// State is how far the close of a month is.
type State int32

// The states; a month that is not known is open.
const (
	Open    State = 0
	Writing State = 1 // frozen, rows are being written
	Closed  State = 2
	Parked  State = 3 // the close failed
)

// Closing is the close of a customer's month.
type Closing struct {
	Customer string
	Cycle    period.Cycle
	State    State
	Reason   string // of a parked one
	Rows     int    // written so far
}

// Of reads the summary of a customer's month: as it was closed, or as it would be closed by now; final says which.
func (d *Desk) Of(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (rows []Row, final bool, err error) {
	c, err := closing(ctx, r, customer, cycle)
	if err != nil {
		return nil, false, err
	}
	if c.State == Closed {
		rows, err = rowsOf(ctx, r, customer, cycle)
		return rows, true, err
	}
	rows, err = d.estimate(ctx, r, customer, cycle, &charge.Filter{})
	return rows, false, err
}

// Seen is Of as it is shown: of an open month only what was booked until a day; 0: all of it.
func (d *Desk) Seen(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, until period.Date) (rows []Row, final bool, err error) {
	c, err := closing(ctx, r, customer, cycle)
	if err != nil {
		return nil, false, err
	}
	if c.State == Closed || until == 0 {
		return d.Of(ctx, r, customer, cycle)
	}
	rows, err = d.estimate(ctx, r, customer, cycle, &charge.Filter{Until: until})
	return rows, false, err
}

func (d *Desk) estimate(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *charge.Filter) ([]Row, error) {
	sums, err := charge.Products(ctx, r, customer, cycle, f)
	if err != nil {
		return nil, err
	}
	return Summarise(sums, d.Rounding, d.Currency)
}

// rowsAtOnce is how many rows are written in one transaction.
const rowsAtOnce = 500

// Close goes on closing a month in the given transaction: it freezes the cycle, writes its rows, and with the last of them
// books what was cut off. done says that the month is closed; rows are then all of them, those that another transaction wrote
// included. What is closed or parked already is done without rows.
//
// before is called once, with the rows as they would be, while the cycle still takes records: what it charges to the cycle (tax
// on the month's usage) is part of the bill; charged says that it did.
func (d *Desk) Close(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle, before func([]Row) (charged bool, err error)) (rows []Row, done bool, err error) {
	c, err := closing(ctx, tx, customer, cycle)
	if err != nil || c.State == Closed || c.State == Parked {
		return nil, true, err
	}
	if rows, err = d.estimate(ctx, tx, customer, cycle, &charge.Filter{}); err != nil {
		return nil, false, err
	}
	if c.State == Open {
		charged, err := before(rows)
		if err != nil {
			return nil, false, err
		}
		if err := charge.Freeze(ctx, tx, customer, cycle); err != nil { // from here on the rows are always the same
			return nil, false, err
		}
		if charged {
			if rows, err = d.estimate(ctx, tx, customer, cycle, &charge.Filter{}); err != nil {
				return nil, false, err
			}
		}
	}
	part := rows[c.Rows:min(len(rows), c.Rows+rowsAtOnce)]
	if err := insertRows(ctx, tx, part); err != nil {
		return nil, false, err
	}
	c.Rows += len(part)
	if c.Rows < len(rows) {
		c.State = Writing
		return nil, false, setClosing(ctx, tx, &c)
	}
	if err := d.cut(ctx, tx, customer, cycle, rows); err != nil {
		return nil, false, err
	}
	c.State = Closed
	if err := setClosing(ctx, tx, &c); err != nil {
		return nil, false, err
	}
	return rows, true, charge.SetWaiting(ctx, tx, charge.Waiting{Customer: customer, Cycle: cycle}, false)
}

// Park puts the close of a month aside.
func Park(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle, reason string) error {
	c, err := closing(ctx, tx, customer, cycle)
	if err != nil || c.State == Closed {
		return err
	}
	c.State, c.Reason = Parked, reason
	if err := setClosing(ctx, tx, &c); err != nil {
		return err
	}
	return charge.SetWaiting(ctx, tx, charge.Waiting{Customer: customer, Cycle: cycle}, false)
}

// Retry lets the close of a parked month be tried again. PURSER.1201: it is not parked.
func Retry(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle) error {
	c, err := closing(ctx, tx, customer, cycle)
	if err != nil {
		return err
	}
	if c.State != Parked {
		return fault.New(fault.Conflict, "PURSER.1201", "the close of %s of customer %s is not parked", cycle, customer)
	}
	if c.State = Open; c.Rows > 0 {
		c.State = Writing
	}
	c.Reason = ""
	if c.State == Open {
		err = dropClosing(ctx, tx, &c)
	} else {
		err = setClosing(ctx, tx, &c)
	}
	if err != nil {
		return err
	}
	return charge.SetWaiting(ctx, tx, charge.Waiting{Customer: customer, Cycle: cycle}, true)
}

// ParkedOnes pages through months whose close failed, the first first.
func ParkedOnes(ctx context.Context, r db.Reader, offset, limit int) (total int, page []Closing, err error) {
	return parkedOnes(ctx, r, offset, limit)
}

// CountParked is how many customers' closes of a month failed.
func CountParked(ctx context.Context, r db.Reader, cycle period.Cycle) (n int, err error) {
	return countParked(ctx, r, cycle)
}

// Progress is how far the close of a month is, in customers.
type Progress struct {
	Cycle          period.Cycle
	Closed, Parked int
	Waiting        int // to be closed, or under way
}

// Progresses says for each month from a first one on in which anything was closed, and for the last that has ended, how far it is,
// the newest first, at most n.
func Progresses(ctx context.Context, r db.Reader, from, last period.Cycle, n int) ([]Progress, error) {
	list, err := progresses(ctx, r, from, n)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(p Progress) bool { return p.Cycle == last }) {
		list = append(list, Progress{Cycle: last})
		slices.SortFunc(list, func(a, b Progress) int { return int(b.Cycle - a.Cycle) })
	}
	waiting, err := charge.Waitings(ctx, r, list[len(list)-1].Cycle, list[0].Cycle)
	for i := range list {
		list[i].Waiting = waiting[list[i].Cycle]
	}
	return list, err
}

// Payers are who pays for some rows, each once, in their order.
func Payers(rows []Row) (out []string) {
	seen := map[string]bool{}
	for i := range rows {
		if p := rows[i].Payer; !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// cut books what the close of a month cut off, an entry in the books of each payer.
func (d *Desk) cut(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle, rows []Row) error {
	for _, payer := range Payers(rows) {
		var off, on charge.Parts
		for i := range rows {
			r := &rows[i]
			if r.Payer != payer || r.Truncated == 0 {
				continue
			}
			sum := &off
			if r.Truncated < 0 {
				sum = &on
			}
			if err := sum.Add(&r.Cut); err != nil {
				return err
			}
		}
		if off == (charge.Parts{}) && on == (charge.Parts{}) {
			continue
		}
		who, err := account.Find(ctx, tx, payer)
		if err != nil {
			return err
		}
		held, err := ledger.Of(ctx, tx, payer)
		if err != nil {
			return err
		}
		entry := &ledger.Entry{Customer: payer, Cause: "truncation", Reference: cycle.String() + " " + customer}
		if entry.Postings, err = payment.Truncation(off, on.Neg(), held, who.CreditLimit); err != nil {
			return err
		}
		if err := ledger.Post(ctx, tx, ident.Stream(entry.Cause, payer, entry.Reference), entry); err != nil {
			return fmt.Errorf("book what was cut off: %w", err)
		}
	}
	return nil
}
