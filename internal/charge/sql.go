package charge

import (
	"context"
	"fmt"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

const columns = `customer, id, cycle, bill_type, charge_mode, trade, line, instance, service, resource_type, product, spec, region, project,
	payer, official, discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment, consumed_from, consumed_to, traded_at, recorded_at,
	resource, usage_type, used, covered, scale, usage_unit, unit_price, size, size_unit, corrects,
	base, tax_rate, within`

var columnNames = func() []string {
	names := strings.Split(columns, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	return names
}()

func (f *Fee) row() []any {
	p, size := &f.Parts, ""
	if f.Size.Unit != 0 {
		size = f.Size.Value.String()
	}
	return []any{
		f.Customer, f.ID, int64(period.CycleOf(f.Consumed.Start)), int64(f.Bill), int64(f.Mode), f.Trade, int64(f.Line), f.Instance, f.Service,
		f.ResourceType, f.Product, f.Spec, f.Region, f.Project, f.Payer, int64(f.Official), int64(f.Discount), int64(f.Amount), int64(p.Cash),
		int64(p.Credit), int64(p.Coupon), int64(p.Flexi), int64(p.Stored), int64(p.Bonus), int64(p.Debt), int64(p.Adjustment),
		db.Micros(f.Consumed.Start), db.Micros(f.Consumed.End), db.Micros(f.Traded), db.Micros(f.Recorded),
		f.Resource, f.UsageType, f.Used, f.Covered, int64(f.Scale), int64(f.UsageUnit), int64(f.UnitPrice), size, int64(f.Size.Unit), f.Corrects,
		f.Base, f.TaxRate, int64(f.Within),
	}
}

func insert(ctx context.Context, tx *db.Tx, f *Fee) error { return load(ctx, tx, [][]any{f.row()}) }

func load(ctx context.Context, tx *db.Tx, rows [][]any) error {
	var err error
	if len(rows) < copyLeast {
		_, err = tx.Bulk(ctx, "charge_fee", columnNames, rows, "")
	} else {
		err = tx.Load(ctx, "charge_fee", columnNames, rows)
	}
	if err != nil {
		return fmt.Errorf("record fees: %w", err)
	}
	return nil
}

// copyLeast is how many rows are worth a COPY.
const copyLeast = 20

func ofCycle(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, offset, limit int) (total int, page []Fee, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM charge_fee WHERE customer = $1 AND cycle = $2`, customer, int64(cycle)).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count fees: %w", err)
	}
	page, err = collect(r.Query(ctx, `SELECT `+columns+` FROM charge_fee WHERE customer = $1 AND cycle = $2 ORDER BY traded_at, id LIMIT $3 OFFSET $4`,
		customer, int64(cycle), int64(limit), int64(offset)))
	return total, page, err
}

func ofTrade(ctx context.Context, r db.Reader, customer, trade string) ([]Fee, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM charge_fee WHERE customer = $1 AND trade = $2 ORDER BY line, bill_type, instance`, customer, trade))
}

func collect(rows db.Rows, err error) ([]Fee, error) {
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

func usageSums(ctx context.Context, r db.Reader, customer string) (map[string]UsageSum, error) {
	rows, err := r.Query(ctx, `SELECT resource, usage_type, spec, project, cycle, CAST(sum(used) AS BIGINT), CAST(sum(covered) AS BIGINT),
		CAST(sum(official) AS BIGINT), CAST(sum(discount) AS BIGINT)
		FROM charge_fee WHERE customer = $1 AND bill_type = $2 GROUP BY resource, usage_type, spec, project, cycle`, customer, int64(Usage))
	if err != nil {
		return nil, fmt.Errorf("sum fees of usage: %w", err)
	}
	defer rows.Close()
	out := map[string]UsageSum{}
	for rows.Next() {
		var resource, factor, spec, project string
		var cycle period.Cycle
		var s UsageSum
		if err := rows.Scan(&resource, &factor, &spec, &project, &cycle, &s.Used, &s.Covered, &s.Official, &s.Discount); err != nil {
			return nil, fmt.Errorf("sum fees of usage: %w", err)
		}
		out[UsageKey(resource, factor, spec, project, cycle)] = s
	}
	return out, rows.Err()
}

func debtOf(ctx context.Context, r db.Reader, payer string, from period.Cycle) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(debt), 0) AS BIGINT) FROM (
		SELECT debt FROM charge_fee WHERE customer = $1 AND cycle >= $2 AND payer = customer
		UNION ALL SELECT debt FROM charge_fee WHERE payer = $1 AND payer <> customer AND cycle >= $2) both_ways`, payer, int64(from)).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("sum debts: %w", err)
	}
	return sum, nil
}

func scan(row db.Row) (f Fee, err error) {
	var cycle, from, to, traded, recorded int64
	p := &f.Parts
	var size string
	err = row.Scan(&f.Customer, &f.ID, &cycle, &f.Bill, &f.Mode, &f.Trade, &f.Line, &f.Instance, &f.Service, &f.ResourceType, &f.Product, &f.Spec,
		&f.Region, &f.Project, &f.Payer, &f.Official, &f.Discount, &f.Amount, &p.Cash, &p.Credit, &p.Coupon, &p.Flexi, &p.Stored, &p.Bonus, &p.Debt,
		&p.Adjustment, &from, &to, &traded, &recorded,
		&f.Resource, &f.UsageType, &f.Used, &f.Covered, &f.Scale, &f.UsageUnit, &f.UnitPrice, &size, &f.Size.Unit, &f.Corrects,
		&f.Base, &f.TaxRate, &f.Within)
	if err == nil && size != "" {
		f.Size.Value, err = money.ParseDecimal(size)
	}
	f.Consumed = period.Span{Start: db.TimeOf(from), End: db.TimeOf(to)}
	f.Traded, f.Recorded = db.TimeOf(traded), db.TimeOf(recorded)
	return f, err
}
