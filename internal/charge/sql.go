package charge

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

const columns = `customer, id, cycle, bill_type, charge_mode, trade, line, instance, service, resource_type, product, spec, region, project,
	payer, official, discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment, consumed_from, consumed_to, traded_at, recorded_at`

func insert(ctx context.Context, tx *db.Tx, f *Fee) error {
	p := &f.Parts
	_, err := tx.Exec(ctx, `INSERT INTO charge_fee (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
		$16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)`,
		f.Customer, f.ID, int64(period.CycleOf(f.Consumed.Start)), int64(f.Bill), int64(f.Mode), f.Trade, int64(f.Line), f.Instance, f.Service,
		f.ResourceType, f.Product, f.Spec, f.Region, f.Project, f.Payer, int64(f.Official), int64(f.Discount), int64(f.Amount), int64(p.Cash),
		int64(p.Credit), int64(p.Coupon), int64(p.Flexi), int64(p.Stored), int64(p.Bonus), int64(p.Debt), int64(p.Adjustment),
		db.Micros(f.Consumed.Start), db.Micros(f.Consumed.End), db.Micros(f.Traded), db.Micros(f.Recorded))
	if err != nil {
		return fmt.Errorf("record a fee: %w", err)
	}
	return nil
}

func ofTrade(ctx context.Context, r db.Reader, customer, trade string) ([]Fee, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM charge_fee WHERE customer = $1 AND trade = $2 ORDER BY line, bill_type, instance`, customer, trade)
	if err != nil {
		return nil, fmt.Errorf("read fees: %w", err)
	}
	defer rows.Close()
	var out []Fee
	for rows.Next() {
		f, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read fees: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

func paidBy(ctx context.Context, r db.Reader, payer string) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM (
		SELECT amount FROM charge_fee WHERE customer = $1 AND payer = customer
		UNION ALL SELECT amount FROM charge_fee WHERE payer = $1 AND payer <> customer) both_ways`, payer).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("sum fees: %w", err)
	}
	return sum, nil
}

func scan(row db.Row) (f Fee, err error) {
	var cycle, from, to, traded, recorded int64
	p := &f.Parts
	err = row.Scan(&f.Customer, &f.ID, &cycle, &f.Bill, &f.Mode, &f.Trade, &f.Line, &f.Instance, &f.Service, &f.ResourceType, &f.Product, &f.Spec,
		&f.Region, &f.Project, &f.Payer, &f.Official, &f.Discount, &f.Amount, &p.Cash, &p.Credit, &p.Coupon, &p.Flexi, &p.Stored, &p.Bonus, &p.Debt,
		&p.Adjustment, &from, &to, &traded, &recorded)
	f.Consumed = period.Span{Start: db.TimeOf(from), End: db.TimeOf(to)}
	f.Traded, f.Recorded = db.TimeOf(traded), db.TimeOf(recorded)
	return f, err
}
