package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
)

const columns = `customer, account_no, kind, verified, country, tax_id, settlement, tier, standing, credit_limit, quota, opened_at, changed_at, invoice_method,
	renew_ahead, renew_day, alert_below, alerted, invoice_by, resold`

// oldMethod is the invoice method in the words of a purser that does not know invoices by receipt: its column still stands.
func oldMethod(c *Customer) string {
	if c.InvoiceMethod == ByReceipt {
		return ByCycle
	}
	return c.InvoiceMethod
}

func insert(ctx context.Context, tx *db.Tx, c *Customer) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO account_customer (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (customer) DO NOTHING`,
		c.ID, c.No, c.Kind, db.Bool(c.Verified), c.Country, c.TaxID, c.Settlement, c.Tier, c.Standing, int64(c.CreditLimit), int64(c.Quota),
		db.Micros(c.Opened), db.Micros(c.Changed), oldMethod(c), c.RenewAhead, c.RenewDay,
		int64(c.AlertBelow), db.Bool(c.Alerted), c.InvoiceMethod, db.Bool(c.Resold))
	if err != nil {
		return false, fmt.Errorf("open the customer: %w", err)
	}
	return n == 1, nil
}

func update(ctx context.Context, tx *db.Tx, c *Customer) error {
	_, err := tx.Exec(ctx, `UPDATE account_customer SET kind = $1, verified = $2, country = $3, tax_id = $4, settlement = $5, tier = $6,
		standing = $7, credit_limit = $8, quota = $9, changed_at = $10, invoice_method = $11, renew_ahead = $12, renew_day = $13,
		alert_below = $14, invoice_by = $15, resold = $16 WHERE customer = $17`,
		c.Kind, db.Bool(c.Verified), c.Country, c.TaxID, c.Settlement, c.Tier, c.Standing, int64(c.CreditLimit), int64(c.Quota), db.Micros(c.Changed),
		oldMethod(c), c.RenewAhead, c.RenewDay, int64(c.AlertBelow), c.InvoiceMethod, db.Bool(c.Resold), c.ID)
	if err != nil {
		return fmt.Errorf("change the customer: %w", err)
	}
	return nil
}

func setAlerted(ctx context.Context, tx *db.Tx, id string, alerted bool) error {
	if _, err := tx.Exec(ctx, `UPDATE account_customer SET alerted = $1 WHERE customer = $2`, db.Bool(alerted), id); err != nil {
		return fmt.Errorf("change the customer: %w", err)
	}
	return nil
}

func scan(row db.Row) (c Customer, err error) {
	var verified, limit, quota, opened, changed, alert, alerted, resold int64
	var by string
	err = row.Scan(&c.ID, &c.No, &c.Kind, &verified, &c.Country, &c.TaxID, &c.Settlement, &c.Tier, &c.Standing, &limit, &quota, &opened, &changed, &c.InvoiceMethod,
		&c.RenewAhead, &c.RenewDay, &alert, &alerted, &by, &resold)
	c.InvoiceMethod = cmp.Or(by, c.InvoiceMethod)
	c.AlertBelow, c.Alerted, c.Resold = money.Amount(alert), alerted == 1, resold == 1
	c.Verified, c.CreditLimit, c.Quota = verified == 1, money.Amount(limit), money.Amount(quota)
	c.Opened, c.Changed = db.TimeOf(opened), db.TimeOf(changed)
	return c, err
}

func find(ctx context.Context, r db.Reader, id string) (Customer, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM account_customer WHERE customer = $1`, id))
}

func known(ctx context.Context, r db.Reader, ids []string) (map[string]bool, error) {
	out := make(map[string]bool, len(ids))
	for part := range slices.Chunk(ids, db.InMost) {
		var args []any
		rows, err := r.Query(ctx, `SELECT customer FROM account_customer WHERE customer IN `+db.In(part, &args), args...)
		if err != nil {
			return nil, fmt.Errorf("look for customers: %w", err)
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				rows.Close()
				return nil, fmt.Errorf("look for customers: %w", err)
			}
			out[id] = true
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("look for customers: %w", err)
		}
	}
	return out, nil
}

func list(ctx context.Context, r db.Reader, standing string, offset, limit int) (total int, page []Customer, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM account_customer WHERE $1 = '' OR standing = $1`, standing).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count customers: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM account_customer WHERE $1 = '' OR standing = $1 ORDER BY customer LIMIT $2 OFFSET $3`, standing, limit, offset)
	if err != nil {
		return 0, nil, fmt.Errorf("list customers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return 0, nil, fmt.Errorf("list customers: %w", err)
		}
		page = append(page, c)
	}
	return total, page, rows.Err()
}

func among(ctx context.Context, r db.Reader, ids []string, standing string) (out []Customer, err error) {
	for part := range slices.Chunk(ids, db.InMost) {
		args := []any{standing}
		rows, err := r.Query(ctx, `SELECT `+columns+` FROM account_customer WHERE ($1 = '' OR standing = $1) AND customer IN `+db.In(part, &args)+` ORDER BY customer`, args...)
		if err != nil {
			return nil, fmt.Errorf("list customers by id: %w", err)
		}
		for rows.Next() {
			c, err := scan(rows)
			if err != nil {
				rows.Close()
				return nil, fmt.Errorf("list customers by id: %w", err)
			}
			out = append(out, c)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("list customers by id: %w", err)
		}
	}
	return out, nil
}

const relationColumns = `member, no, master, accounting, since, until, changed_at`

func scanRelation(row db.Row) (r Relation, err error) {
	var since, until, changed int64
	err = row.Scan(&r.Member, &r.no, &r.Master, &r.Accounting, &since, &until, &changed)
	if until > 0 {
		r.Until = db.TimeOf(until)
	}
	r.Since, r.Changed = db.TimeOf(since), db.TimeOf(changed)
	return r, err
}

// lastRelation reads the latest row of a member, ended or not.
func lastRelation(ctx context.Context, r db.Reader, member string) (Relation, error) {
	return scanRelation(r.QueryRow(ctx, `SELECT `+relationColumns+` FROM account_relation WHERE member = $1 ORDER BY no DESC LIMIT 1`, member))
}

// relationAt reads the row of a member whose span holds the instant. Spans do not overlap, and an empty one holds none.
func relationAt(ctx context.Context, r db.Reader, member string, at int64) (Relation, error) {
	return scanRelation(r.QueryRow(ctx, `SELECT `+relationColumns+` FROM account_relation
		WHERE member = $1 AND since <= $2 AND (until = 0 OR until > $2) ORDER BY no DESC LIMIT 1`, member, at))
}

// insertRelation adds a row; false: another is open.
func insertRelation(ctx context.Context, tx *db.Tx, r *Relation) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO account_relation (`+relationColumns+`) VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT DO NOTHING`,
		r.Member, r.no, r.Master, r.Accounting, db.Micros(r.Since), db.Micros(r.Changed))
	if err != nil {
		return false, fmt.Errorf("join the master: %w", err)
	}
	return n == 1, nil
}

// endRelation ends the open row of a member; false: none is open.
func endRelation(ctx context.Context, tx *db.Tx, member string, until int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE account_relation SET until = $1, changed_at = $2 WHERE member = $3 AND until = 0`, until, db.Micros(tx.Now), member)
	if err != nil {
		return false, fmt.Errorf("end the relation: %w", err)
	}
	return n == 1, nil
}

func countOpen(ctx context.Context, r db.Reader, master string) (n int, err error) {
	if err = r.QueryRow(ctx, `SELECT count(*) FROM account_relation WHERE master = $1 AND until = 0`, master).Scan(&n); err != nil {
		err = fmt.Errorf("count members: %w", err)
	}
	return n, err
}

func listMembers(ctx context.Context, r db.Reader, master string, offset, limit int) (page []Relation, err error) {
	rows, err := r.Query(ctx, `SELECT `+relationColumns+` FROM account_relation WHERE master = $1 AND until = 0
		ORDER BY member LIMIT $2 OFFSET $3`, master, limit, offset)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scanRelation(rows)
		if err != nil {
			return nil, fmt.Errorf("list members: %w", err)
		}
		page = append(page, one)
	}
	return page, rows.Err()
}

func behind(ctx context.Context, r db.Reader, after string, n int) (out []string, err error) {
	rows, err := r.Query(ctx, `SELECT customer FROM account_customer WHERE customer > $1 ORDER BY customer LIMIT $2`, after, n)
	if err != nil {
		return nil, fmt.Errorf("list customers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list customers: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
