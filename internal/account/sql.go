package account

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
)

const columns = `customer, account_no, kind, verified, country, tax_id, settlement, tier, standing, credit_limit, quota, opened_at, changed_at`

func insert(ctx context.Context, tx *db.Tx, c *Customer) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO account_customer (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (customer) DO NOTHING`,
		c.ID, c.No, c.Kind, db.Bool(c.Verified), c.Country, c.TaxID, c.Settlement, c.Tier, c.Standing, int64(c.CreditLimit), int64(c.Quota),
		db.Micros(c.Opened), db.Micros(c.Changed))
	if err != nil {
		return false, fmt.Errorf("open the customer: %w", err)
	}
	return n == 1, nil
}

func update(ctx context.Context, tx *db.Tx, c *Customer) error {
	_, err := tx.Exec(ctx, `UPDATE account_customer SET kind = $1, verified = $2, country = $3, tax_id = $4, settlement = $5, tier = $6,
		standing = $7, credit_limit = $8, quota = $9, changed_at = $10 WHERE customer = $11`,
		c.Kind, db.Bool(c.Verified), c.Country, c.TaxID, c.Settlement, c.Tier, c.Standing, int64(c.CreditLimit), int64(c.Quota), db.Micros(c.Changed), c.ID)
	if err != nil {
		return fmt.Errorf("change the customer: %w", err)
	}
	return nil
}

func scan(row db.Row) (c Customer, err error) {
	var verified, limit, quota, opened, changed int64
	err = row.Scan(&c.ID, &c.No, &c.Kind, &verified, &c.Country, &c.TaxID, &c.Settlement, &c.Tier, &c.Standing, &limit, &quota, &opened, &changed)
	c.Verified, c.CreditLimit, c.Quota = verified == 1, money.Amount(limit), money.Amount(quota)
	c.Opened, c.Changed = db.TimeOf(opened), db.TimeOf(changed)
	return c, err
}

func find(ctx context.Context, r db.Reader, id string) (Customer, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM account_customer WHERE customer = $1`, id))
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
