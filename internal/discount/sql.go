package discount

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

const columns = `customer, id, name, kind, mode, value, order_id, service, resource_type, region, granted_by, effective_at, expires_at, granted_at`

func insert(ctx context.Context, tx *db.Tx, g *Grant) (bool, error) {
	if g.Kind == rating.Adjustment { // one that has ended makes room
		_, err := tx.Exec(ctx, `DELETE FROM discount_offer WHERE customer = $1 AND order_id = $2 AND kind = 609 AND expires_at <= $3`,
			g.Customer, g.Order, db.Micros(tx.Now))
		if err != nil {
			return false, fmt.Errorf("make room for the discount: %w", err)
		}
	}
	n, err := tx.Exec(ctx, `INSERT INTO discount_offer (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT DO NOTHING`,
		g.Customer, g.ID, g.Name, int64(g.Kind), int64(g.Mode), g.Value.String(), g.Order, g.Service, g.ResourceType, g.Region, g.GrantedBy,
		db.Micros(g.Effective), db.Micros(g.Expires), db.Micros(g.Granted))
	if err != nil {
		return false, fmt.Errorf("keep the discount: %w", err)
	}
	return n == 1, nil
}

// end brings the expiry to now; one that has not begun yet ends where it would have begun.
func end(ctx context.Context, tx *db.Tx, customer, id string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE discount_offer SET expires_at = CASE WHEN effective_at > $1 THEN effective_at ELSE $1 END
		WHERE customer = $2 AND id = $3 AND expires_at > $1`, db.Micros(tx.Now), customer, id)
	if err != nil {
		return false, fmt.Errorf("end the discount: %w", err)
	}
	return n == 1, nil
}

func readVersion(ctx context.Context, r db.Reader) (n int64, err error) {
	if err = r.QueryRow(ctx, `SELECT n FROM discount_version WHERE one = 1`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of discounts: %w", err)
	}
	return n, nil
}

// changed tells every process on this store that what it remembers may be old.
func changed(ctx context.Context, tx *db.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE discount_version SET n = n + 1 WHERE one = 1`)
	return err
}

func ofCustomer(ctx context.Context, r db.Reader, customer string) ([]Grant, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM discount_offer WHERE customer = $1 ORDER BY kind, id`, customer)
	return scan(rows, err)
}

func list(ctx context.Context, r db.Reader, customer string, offset, limit int) (total int, page []Grant, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM discount_offer WHERE customer = $1`, customer).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count discounts: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM discount_offer
		WHERE customer = $1 ORDER BY granted_at DESC, id DESC LIMIT $2 OFFSET $3`, customer, limit, offset)
	page, err = scan(rows, err)
	return total, page, err
}

func scan(rows db.Rows, err error) ([]Grant, error) {
	if err != nil {
		return nil, fmt.Errorf("read discounts: %w", err)
	}
	defer rows.Close()
	var out []Grant
	for rows.Next() {
		var g Grant
		var value string
		var effective, expires, granted int64
		if err := rows.Scan(&g.Customer, &g.ID, &g.Name, &g.Kind, &g.Mode, &value, &g.Order, &g.Service, &g.ResourceType, &g.Region, &g.GrantedBy, &effective, &expires, &granted); err != nil {
			return nil, fmt.Errorf("read discounts: %w", err)
		}
		if g.Value, err = money.ParseDecimal(value); err != nil {
			return nil, fmt.Errorf("discount %s of %s: %w", g.ID, g.Customer, err)
		}
		g.Effective, g.Expires, g.Granted = db.TimeOf(effective), db.TimeOf(expires), db.TimeOf(granted)
		out = append(out, g)
	}
	return out, rows.Err()
}
