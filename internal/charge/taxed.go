package charge

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// TaxedSum is what fee records of a trade come to that were taxed at a rate.
type TaxedSum struct {
	Trade, Base  string
	Service      string
	ResourceType string
	Mode         int32
	Bill         BillType // of one of them
	Rate         string
	Traded       time.Time    // of the first of them
	Amount       money.Amount // tax records included
	Tax          money.Amount // of it, in records of its own
	Within       money.Amount // of it, contained in the others
}

// TaxedOf adds up the taxed fee records of a customer's cycle that a payer paid, by trade, product and rate.
func TaxedOf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, payer string) (out []TaxedSum, err error) {
	rows, err := r.Query(ctx, `SELECT trade, base, service, resource_type, charge_mode, CAST(min(bill_type) AS BIGINT), tax_rate, CAST(min(traded_at) AS BIGINT),
		CAST(sum(amount) AS BIGINT), CAST(sum(CASE WHEN bill_type IN (15, 100, 101, 102) THEN amount ELSE 0 END) AS BIGINT), CAST(sum(within) AS BIGINT)
		FROM charge_fee WHERE customer = $1 AND cycle = $2 AND payer = $3 AND tax_rate NOT IN ('', '0')
		GROUP BY trade, base, service, resource_type, charge_mode, tax_rate ORDER BY trade, base, service, resource_type, charge_mode, tax_rate`, customer, int64(cycle), payer)
	if err != nil {
		return nil, fmt.Errorf("sum taxes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s TaxedSum
		var traded int64
		if err := rows.Scan(&s.Trade, &s.Base, &s.Service, &s.ResourceType, &s.Mode, &s.Bill, &s.Rate, &traded, &s.Amount, &s.Tax, &s.Within); err != nil {
			return nil, fmt.Errorf("sum taxes: %w", err)
		}
		s.Traded = db.TimeOf(traded)
		out = append(out, s)
	}
	return out, rows.Err()
}

// BookedOn says whether a payer was charged anything on a day, for itself or for members.
func BookedOn(ctx context.Context, r db.Reader, payer string, day period.Date) (bool, error) {
	var n int64
	cycle := period.CycleOf(day.Span().Start)
	err := r.QueryRow(ctx, `SELECT count(*) FROM (
		SELECT 1 FROM charge_sum WHERE customer = $1 AND cycle >= $2 AND booked = $3 AND payer = customer
		UNION ALL SELECT 1 FROM charge_sum WHERE payer = $1 AND cycle >= $2 AND booked = $3 AND payer <> customer) a`, payer, int64(cycle-1), int64(day)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for charges: %w", err)
	}
	return n > 0, nil
}

// Neg is what takes a sum away.
func (s Sum) Neg() Sum {
	s.Records, s.Zeros, s.Official, s.Discount, s.Amount, s.Parts = -s.Records, -s.Zeros, -s.Official, -s.Discount, -s.Amount, s.Parts.Neg()
	return s
}

// Plus adds another sum. ErrOverflow.
func (s *Sum) Plus(o *Sum) error { return s.add(o) }
