package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
)

const columns = `customer, id, code, version, face, balance, limits, issuer, plan, plan_name, plan_desc, purpose, frozen, locked_by,
	used_by, effective_at, expires_at, created_at, active_at, used_at, withdrawn_at`

func insert(ctx context.Context, tx *db.Tx, c *Coupon) error {
	limits, err := c.limitsText()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO coupon_grant (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		c.Customer, c.ID, c.Code, c.Version, int64(c.Face), int64(c.Balance), limits, c.Issuer, c.Plan, c.PlanName, c.PlanDesc, c.Purpose,
		db.Bool(c.Frozen), c.LockedBy, c.UsedBy, db.Micros(c.Effective), db.Micros(c.Expires), db.Micros(c.Created), db.Micros(c.Activated),
		db.Micros(c.UsedAt), db.Micros(c.WithdrawnAt))
	if err != nil {
		return fmt.Errorf("issue a coupon: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx *db.Tx, c *Coupon) error {
	_, err := tx.Exec(ctx, `UPDATE coupon_grant SET balance = $1, frozen = $2, locked_by = $3, used_by = $4, active_at = $5, used_at = $6,
		withdrawn_at = $7 WHERE customer = $8 AND id = $9`,
		int64(c.Balance), db.Bool(c.Frozen), c.LockedBy, c.UsedBy, db.Micros(c.Activated), db.Micros(c.UsedAt), db.Micros(c.WithdrawnAt), c.Customer, c.ID)
	if err != nil {
		return fmt.Errorf("change coupon %s: %w", c.ID, err)
	}
	return nil
}

func scan(row db.Row) (c Coupon, err error) {
	var face, balance, frozen, effective, expires, created, active, used, withdrawn int64
	var limits string
	err = row.Scan(&c.Customer, &c.ID, &c.Code, &c.Version, &face, &balance, &limits, &c.Issuer, &c.Plan, &c.PlanName, &c.PlanDesc, &c.Purpose,
		&frozen, &c.LockedBy, &c.UsedBy, &effective, &expires, &created, &active, &used, &withdrawn)
	if err != nil {
		return c, err
	}
	c.Face, c.Balance, c.Frozen = money.Amount(face), money.Amount(balance), frozen == 1
	c.Effective, c.Expires, c.Created = db.TimeOf(effective), db.TimeOf(expires), db.TimeOf(created)
	c.Activated, c.UsedAt, c.WithdrawnAt = db.TimeOf(active), db.TimeOf(used), db.TimeOf(withdrawn)
	return c, json.Unmarshal([]byte(limits), &c.Limits)
}

func find(ctx context.Context, r db.Reader, customer, id string) (Coupon, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM coupon_grant WHERE customer = $1 AND id = $2`, customer, id))
}

// state is Coupon.Status as the database works it out; $2 is now.
const state = `CASE WHEN withdrawn_at > 0 THEN 5 WHEN balance = 0 OR version = 1 AND used_at > 0 THEN 3 WHEN expires_at <= $2 THEN 4
	WHEN active_at = 0 THEN 1 ELSE 2 END`

// wanted is the filter of a list. Every argument is always bound, so that one text serves every combination.
const wanted = ` FROM coupon_grant WHERE customer = $1 AND (CAST($3 AS BIGINT) = 0 OR ` + state + ` = $3)
	AND (withdrawn_at = 0 OR withdrawn_at >= $4) AND (balance > 0 OR used_at >= $4) AND expires_at >= $4
	AND ($5 = '' OR id = $5) AND ($6 = '' OR used_by = $6 OR locked_by = $6) AND ($7 = '' OR plan = $7) AND ($8 = '' OR issuer = $8)
	AND (CAST($9 AS BIGINT) = 0 OR active_at >= $9) AND (CAST($10 AS BIGINT) = 0 OR active_at > 0 AND active_at < $10)`

func list(ctx context.Context, r db.Reader, customer string, q Query, now, since time.Time, offset, limit int) (total int, page []Coupon, err error) {
	args := []any{customer, db.Micros(now), int64(q.Status), db.Micros(since), q.ID, q.Order, q.Plan, q.Issuer, db.Micros(q.ActiveFrom), db.Micros(q.ActiveTo)}
	if err := r.QueryRow(ctx, `SELECT count(*)`+wanted, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count coupons: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+columns+wanted+` ORDER BY created_at DESC, id DESC LIMIT $11 OFFSET $12`, append(args, limit, offset)...)
	if err != nil {
		return 0, nil, fmt.Errorf("list coupons: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return 0, nil, fmt.Errorf("list coupons: %w", err)
		}
		page = append(page, c)
	}
	return total, page, rows.Err()
}

// insertUse keeps a use; an order that had its use given back and pays again adds to it.
func insertUse(ctx context.Context, tx *db.Tx, customer, id, order string, amount money.Amount) error {
	_, err := tx.Exec(ctx, `INSERT INTO coupon_use (customer, coupon, order_id, amount, returned, used_at) VALUES ($1, $2, $3, $4, 0, $5)
		ON CONFLICT (customer, coupon, order_id) DO UPDATE SET amount = coupon_use.amount + excluded.amount, used_at = excluded.used_at`,
		customer, id, order, int64(amount), db.Micros(tx.Now))
	if err != nil {
		return fmt.Errorf("use coupon %s: %w", id, err)
	}
	return nil
}

// returnUse marks an amount of a use as given back and says what is left of the use.
func returnUse(ctx context.Context, tx *db.Tx, customer, id, order string, amount money.Amount) (open money.Amount, err error) {
	n, err := tx.Exec(ctx, `UPDATE coupon_use SET returned = returned + $1 WHERE customer = $2 AND coupon = $3 AND order_id = $4 AND returned + $1 <= amount`,
		int64(amount), customer, id, order)
	if err == nil && n == 0 {
		return 0, fmt.Errorf("give coupon %s back: order %s did not use %s of it", id, order, amount)
	}
	if err == nil {
		err = tx.QueryRow(ctx, `SELECT amount - returned FROM coupon_use WHERE customer = $1 AND coupon = $2 AND order_id = $3`, customer, id, order).Scan(&open)
	}
	if err != nil {
		return 0, fmt.Errorf("give coupon %s back: %w", id, err)
	}
	return open, nil
}

// openUse is what is left of a use.
func openUse(ctx context.Context, r db.Reader, customer, id, order string) (open money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT amount - returned FROM coupon_use WHERE customer = $1 AND coupon = $2 AND order_id = $3`, customer, id, order).Scan(&open)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the use of coupon %s: %w", id, err)
	}
	return open, nil
}

func checkUses(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT g.id FROM coupon_grant g WHERE g.customer = $1 AND g.face - g.balance <>
		(SELECT coalesce(sum(u.amount - u.returned), 0) FROM coupon_use u WHERE u.customer = g.customer AND u.coupon = g.id) ORDER BY g.id`, customer)
	if err != nil {
		return nil, fmt.Errorf("check coupons: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("check coupons: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func uses(ctx context.Context, r db.Reader, customer, id string) (n int, err error) {
	err = r.QueryRow(ctx, `SELECT count(*) FROM coupon_use WHERE customer = $1 AND coupon = $2 AND returned < amount`, customer, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count uses of coupon %s: %w", id, err)
	}
	return n, nil
}

// spendable lists coupons with something left, with their uses where a limit asks for them.
func spendable(ctx context.Context, r db.Reader, customer string, n int) ([]Coupon, error) {
	now, _ := r.Instant()
	rows, err := r.Query(ctx, `SELECT `+columns+`, CASE WHEN limits LIKE '%`+UsageTimes+`%'
			THEN (SELECT count(*) FROM coupon_use u WHERE u.customer = coupon_grant.customer AND u.coupon = coupon_grant.id AND u.returned < u.amount) ELSE 0 END
		FROM coupon_grant WHERE customer = $1 AND balance > 0 AND withdrawn_at = 0 AND expires_at > $2 ORDER BY balance DESC, expires_at, id LIMIT $3`,
		customer, db.Micros(now), n)
	if err != nil {
		return nil, fmt.Errorf("find coupons: %w", err)
	}
	defer rows.Close()
	var out []Coupon
	for rows.Next() {
		var uses int
		c, err := scan(with{rows, &uses})
		if err != nil {
			return nil, fmt.Errorf("find coupons: %w", err)
		}
		c.Uses = uses
		out = append(out, c)
	}
	return out, rows.Err()
}

// with scans one column more than a coupon has.
type with struct {
	row  db.Row
	more any
}

func (w with) Scan(dest ...any) error { return w.row.Scan(append(dest, w.more)...) }
