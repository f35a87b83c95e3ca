package bill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

var rowColumns = []string{
	"customer", "cycle", "no", "type", "charge_mode", "service", "resource_type", "project", "payer", "records", "official", "discount", "truncated", "consume",
	"cash", "credit", "coupon", "flexi", "stored", "bonus", "debt", "adjustment",
}

const rowFields = `customer, cycle, no, type, charge_mode, service, resource_type, project, payer, records, official, discount, truncated, consume,
	cash, credit, coupon, flexi, stored, bonus, debt, adjustment`

func insertRows(ctx context.Context, tx *db.Tx, rows []Row) error {
	values := make([][]any, len(rows))
	for i := range rows {
		r := &rows[i]
		p := &r.Parts
		values[i] = []any{
			r.Customer, int64(r.Cycle), int64(r.No), int64(r.Type), int64(r.Mode), r.Service, r.ResourceType, r.Project, r.Payer, r.Records, int64(r.Official),
			int64(r.Discount), int64(r.Truncated), int64(r.Consume), int64(p.Cash), int64(p.Credit), int64(p.Coupon), int64(p.Flexi), int64(p.Stored),
			int64(p.Bonus), int64(p.Debt), int64(p.Adjustment),
		}
	}
	if _, err := tx.Bulk(ctx, "bill_row", rowColumns, values, ""); err != nil {
		return fmt.Errorf("write the bill: %w", err)
	}
	return nil
}

func scanRow(row db.Row) (r Row, err error) {
	p := &r.Parts
	err = row.Scan(&r.Customer, &r.Cycle, &r.No, &r.Type, &r.Mode, &r.Service, &r.ResourceType, &r.Project, &r.Payer, &r.Records, &r.Official, &r.Discount,
		&r.Truncated, &r.Consume, &p.Cash, &p.Credit, &p.Coupon, &p.Flexi, &p.Stored, &p.Bonus, &p.Debt, &p.Adjustment)
	return r, err
}

func rowsOf(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (out []Row, err error) {
	rows, err := r.Query(ctx, `SELECT `+rowFields+` FROM bill_row WHERE customer = $1 AND cycle = $2 ORDER BY no`, customer, int64(cycle))
	return collectRows(rows, err)
}

func collectRows(rows db.Rows, err error) (out []Row, _ error) {
	if err != nil {
		return nil, fmt.Errorf("read the bill: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("read the bill: %w", err)
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

const closingFields = `customer, cycle, state, reason, lines`

func scanClosing(row db.Row) (c Closing, err error) {
	err = row.Scan(&c.Customer, &c.Cycle, &c.State, &c.Reason, &c.Rows)
	return c, err
}

func closing(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (Closing, error) {
	c, err := scanClosing(r.QueryRow(ctx, `SELECT `+closingFields+` FROM bill_close WHERE customer = $1 AND cycle = $2`, customer, int64(cycle)))
	if errors.Is(err, db.ErrNoRows) {
		return Closing{Customer: customer, Cycle: cycle}, nil
	}
	if err != nil {
		err = fmt.Errorf("read the close: %w", err)
	}
	return c, err
}

func setClosing(ctx context.Context, tx *db.Tx, c *Closing) error {
	if _, err := tx.Exec(ctx, `INSERT INTO bill_close (`+closingFields+`, closed_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (customer, cycle) DO UPDATE SET
		state = excluded.state, reason = excluded.reason, lines = excluded.lines, closed_at = excluded.closed_at`,
		c.Customer, int64(c.Cycle), int64(c.State), c.Reason, int64(c.Rows), db.Micros(tx.Now)); err != nil {
		return fmt.Errorf("keep the close: %w", err)
	}
	return nil
}

func dropClosing(ctx context.Context, tx *db.Tx, c *Closing) error {
	if _, err := tx.Exec(ctx, `DELETE FROM bill_close WHERE customer = $1 AND cycle = $2`, c.Customer, int64(c.Cycle)); err != nil {
		return fmt.Errorf("keep the close: %w", err)
	}
	return nil
}

func countParked(ctx context.Context, r db.Reader, cycle period.Cycle) (n int, err error) {
	if err = r.QueryRow(ctx, `SELECT count(*) FROM bill_close WHERE state = 3 AND cycle = $1`, int64(cycle)).Scan(&n); err != nil {
		err = fmt.Errorf("count closes: %w", err)
	}
	return n, err
}

func progresses(ctx context.Context, r db.Reader, from period.Cycle, n int) ([]Progress, error) {
	rows, err := r.Query(ctx, `SELECT cycle, CAST(sum(CASE WHEN state = 2 THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(CASE WHEN state = 3 THEN 1 ELSE 0 END) AS BIGINT)
		FROM bill_close WHERE cycle >= $1 GROUP BY cycle ORDER BY cycle DESC LIMIT $2`, int64(from), n)
	if err != nil {
		return nil, fmt.Errorf("count closes: %w", err)
	}
	defer rows.Close()
	var out []Progress
	for rows.Next() {
		var p Progress
		if err := rows.Scan(&p.Cycle, &p.Closed, &p.Parked); err != nil {
			return nil, fmt.Errorf("count closes: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func parkedOnes(ctx context.Context, r db.Reader, offset, limit int) (total int, out []Closing, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM bill_close WHERE state = 3`).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count closes: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+closingFields+` FROM bill_close WHERE state = 3 ORDER BY cycle, customer LIMIT $1 OFFSET $2`, limit, offset)
	if err != nil {
		return 0, nil, fmt.Errorf("read closes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scanClosing(rows)
		if err != nil {
			return 0, nil, fmt.Errorf("read closes: %w", err)
		}
		out = append(out, c)
	}
	return total, out, rows.Err()
}

func cutOff(ctx context.Context, r db.Reader, payer string) (sum money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(truncated), 0) AS BIGINT) FROM (
		SELECT truncated FROM bill_row WHERE customer = $1 AND payer = customer
		UNION ALL SELECT truncated FROM bill_row WHERE payer = $1 AND payer <> customer) both_ways`, payer).Scan(&sum)
	if err != nil {
		return 0, fmt.Errorf("sum what was cut off: %w", err)
	}
	return sum, nil
}

func debts(ctx context.Context, r db.Reader, payer string) (map[charge.Waiting]money.Amount, error) {
	rows, err := r.Query(ctx, `SELECT customer, cycle, CAST(sum(debt) AS BIGINT) FROM (
		SELECT customer, cycle, debt FROM bill_row WHERE customer = $1 AND payer = customer
		UNION ALL SELECT customer, cycle, debt FROM bill_row WHERE payer = $1 AND payer <> customer) both_ways GROUP BY customer, cycle`, payer)
	if err != nil {
		return nil, fmt.Errorf("sum debts: %w", err)
	}
	defer rows.Close()
	out := map[charge.Waiting]money.Amount{}
	for rows.Next() {
		var of charge.Waiting
		var amount money.Amount
		if err := rows.Scan(&of.Customer, &of.Cycle, &amount); err != nil {
			return nil, fmt.Errorf("sum debts: %w", err)
		}
		out[of] = amount
	}
	return out, rows.Err()
}

func cutByService(ctx context.Context, r db.Reader, cycle period.Cycle) (out []Row, err error) {
	rows, err := r.Query(ctx, `SELECT service, charge_mode, type, CAST(sum(truncated) AS BIGINT) FROM bill_row WHERE cycle = $1 GROUP BY service, charge_mode, type`, int64(cycle))
	if err != nil {
		return nil, fmt.Errorf("sum what was cut off: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		one := Row{Cycle: cycle}
		if err := rows.Scan(&one.Service, &one.Mode, &one.Type, &one.Truncated); err != nil {
			return nil, fmt.Errorf("sum what was cut off: %w", err)
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

func leasePush(ctx context.Context, tx *db.Tx, day period.Date, until time.Time) (p Push, mine bool, err error) {
	n, err := tx.Exec(ctx, `INSERT INTO bill_push (day, since, reached, leased_until, files, failed, trouble, done_at)
		SELECT CAST($1 AS BIGINT), COALESCE(max(day), 0), '', CAST($2 AS BIGINT), 0, 0, '', 0 FROM bill_push WHERE done_at > 0 AND day < $1
		ON CONFLICT (day) DO UPDATE SET leased_until = excluded.leased_until WHERE bill_push.done_at = 0 AND bill_push.leased_until <= $3`,
		int64(day), db.Micros(until), db.Micros(tx.Real))
	if err != nil {
		return p, false, fmt.Errorf("lease the day's export: %w", err)
	}
	if n != 1 {
		return p, false, nil
	}
	p.Day, p.Leased = day, until
	err = tx.QueryRow(ctx, `SELECT since, reached, files, failed, trouble FROM bill_push WHERE day = $1`, int64(day)).Scan(&p.Since, &p.Reached, &p.Files, &p.Failed, &p.Trouble)
	if err != nil {
		return p, false, fmt.Errorf("read the day's export: %w", err)
	}
	return p, true, nil
}

func keepPush(ctx context.Context, tx *db.Tx, p *Push, until, done time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE bill_push SET reached = $1, files = $2, failed = $3, trouble = $4, leased_until = $5, done_at = $6 WHERE day = $7 AND leased_until = $8 AND done_at = 0`,
		p.Reached, p.Files, p.Failed, p.Trouble, db.Micros(until), db.Micros(done), int64(p.Day), db.Micros(p.Leased))
	if err != nil {
		return false, fmt.Errorf("keep how far the day's export is: %w", err)
	}
	return n == 1, nil
}

func pushed(ctx context.Context, r db.Reader, day period.Date) (bool, error) {
	var n int64
	err := r.QueryRow(ctx, `SELECT count(*) FROM bill_push WHERE day = $1 AND done_at > 0`, int64(day)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for the day's export: %w", err)
	}
	return n == 1, nil
}
