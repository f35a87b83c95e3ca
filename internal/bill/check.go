package bill

import (
	"context"
	"fmt"
	"slices"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// CutOff is what the closes of all months took off what a payer pays, for itself or for members.
func CutOff(ctx context.Context, r db.Reader, payer string) (money.Amount, error) {
	return cutOff(ctx, r, payer)
}

// Check holds everything that a customer's bills say against each other, and names what differs: kept sums are those of the
// fee records; each fee record's amount is the sum of its parts; fee records and resource records of a month come to the same;
// a closed month's rows come to its fee records, row by row, less what was cut off, which is less than a minor unit each; and
// what was cut off for a payer is what the ledger's truncation account gave it. Months before since are not looked into, nor are
// their sums; what was cut off is that of all time.
func (d *Desk) Check(ctx context.Context, r db.Reader, customer string, since period.Cycle) (wrong []string, err error) {
	if wrong, err = charge.CheckSums(ctx, r, customer, since); err != nil {
		return nil, err
	}
	cycles, err := charge.Cycles(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	for _, cycle := range cycles {
		if cycle < since {
			continue
		}
		more, err := d.checkMonth(ctx, r, customer, cycle)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, more...)
	}
	cut, err := cutOff(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	given, err := ledger.TakenBy(ctx, r, customer, ledger.Truncation)
	if err == nil && cut != -given {
		wrong = append(wrong, fmt.Sprintf("bills cut off %s, the truncation account gave %s", cut, -given))
	}
	return wrong, err
}

func (d *Desk) checkMonth(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (wrong []string, err error) {
	differs := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("cycle %s: ", cycle)+fmt.Sprintf(format, args...))
	}
	rows, final, err := d.Of(ctx, r, customer, cycle)
	if err != nil {
		return nil, err
	}
	var amount, truncated, consume money.Amount
	for i := range rows {
		row := &rows[i]
		parts, err := row.Parts.Sum()
		if err != nil {
			return nil, err
		}
		if row.Consume != row.Official-row.Discount-row.Truncated || row.Consume != parts {
			differs("row %d: %s less %s less %s is not %s, or its parts, %s, are not", row.No, row.Official, row.Discount, row.Truncated, row.Consume, parts)
		}
		if money.CutMinor(row.Consume, d.Currency) != row.Consume || row.Truncated >= d.Currency.Unit() || row.Truncated <= -d.Currency.Unit() {
			differs("row %d: %s, of which %s were cut off, is not in whole minor units", row.No, row.Consume, row.Truncated)
		}
		amount, truncated, consume = amount+row.Official-row.Discount, truncated+row.Truncated, consume+row.Consume
	}
	if amount-truncated != consume {
		differs("rows come to %s less %s, consumed is %s", amount, truncated, consume)
	}
	details, err := resourceSum(ctx, r, customer, cycle)
	if err != nil {
		return nil, err
	}
	if details != amount {
		differs("resource records come to %s, fee records to %s", details, amount)
	}
	if final {
		again, err := d.estimate(ctx, r, customer, cycle, &charge.Filter{})
		if err != nil {
			return nil, err
		}
		if !slices.EqualFunc(rows, again, sameAmount) {
			differs("the closed rows, %s in all, are not what the fee records come to", amount)
		}
	}
	return wrong, nil
}

// resourceSum is what the resource records of a month come to.
func resourceSum(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (sum money.Amount, err error) {
	const most = 10_000
	for offset, total := 0, 1; offset < total; offset += most {
		var page []charge.Resource
		if total, page, err = charge.Resources(ctx, r, customer, cycle, &charge.Filter{}, charge.ByCycle, offset, most); err != nil {
			return 0, err
		}
		for i := range page {
			if sum, err = money.Add(sum, page[i].Amount); err != nil {
				return 0, err
			}
		}
	}
	return sum, nil
}

// sameAmount says whether two rows are of the same fee records. What was cut off may be another: the setting may have changed.
func sameAmount(a, b Row) bool {
	a.Truncated, a.Consume, a.Parts, a.Cut = b.Truncated, b.Consume, b.Parts, b.Cut
	return a == b
}
