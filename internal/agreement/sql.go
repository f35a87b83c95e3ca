package agreement

import (
	"context"
	"fmt"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
)

const columns = `customer, id, title, contact, note, state, reason, from_at, until_at, applied_at, decided_at`

func insert(ctx context.Context, tx *db.Tx, c *Contract) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO agreement_contract (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		c.Customer, c.ID, c.Title, c.Contact, c.Note, int64(c.State), c.Reason, db.Micros(c.From), db.Micros(c.Until), db.Micros(c.Applied), db.Micros(c.Decided))
	if err != nil {
		return false, fmt.Errorf("keep a contract: %w", err)
	}
	return n == 1, nil
}

func decide(ctx context.Context, tx *db.Tx, c *Contract) error {
	_, err := tx.Exec(ctx, `UPDATE agreement_contract SET state = $1, reason = $2, from_at = $3, until_at = $4, decided_at = $5 WHERE customer = $6 AND id = $7`,
		int64(c.State), c.Reason, db.Micros(c.From), db.Micros(c.Until), db.Micros(c.Decided), c.Customer, c.ID)
	if err != nil {
		return fmt.Errorf("decide a contract: %w", err)
	}
	return nil
}

func find(ctx context.Context, r db.Reader, customer, id string) ([]Contract, error) {
	return scan(r.Query(ctx, `SELECT `+columns+` FROM agreement_contract WHERE customer = $1 AND id = $2`, customer, id))
}

func list(ctx context.Context, r db.Reader, customer string, state State, offset, limit int) (total int, page []Contract, err error) {
	var where []string
	var args []any
	for _, limit := range []struct {
		column string
		value  any
		wanted bool
	}{{"customer", customer, customer != ""}, {"state", int64(state), state != 0}} {
		if limit.wanted {
			args = append(args, limit.value)
			where = append(where, fmt.Sprintf("%s = $%d", limit.column, len(args)))
		}
	}
	from := ` FROM agreement_contract`
	if len(where) > 0 {
		from += ` WHERE ` + strings.Join(where, ` AND `)
	}
	if err := r.QueryRow(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count contracts: %w", err)
	}
	args = append(args, int64(limit), int64(offset))
	page, err = scan(r.Query(ctx, fmt.Sprintf(`SELECT %s%s ORDER BY applied_at DESC, customer DESC, id DESC LIMIT $%d OFFSET $%d`, columns, from, len(args)-1, len(args)), args...))
	return total, page, err
}

func scan(rows db.Rows, err error) ([]Contract, error) {
	if err != nil {
		return nil, fmt.Errorf("read contracts: %w", err)
	}
	defer rows.Close()
	var out []Contract
	for rows.Next() {
		var c Contract
		var from, until, applied, decided int64
		if err := rows.Scan(&c.Customer, &c.ID, &c.Title, &c.Contact, &c.Note, &c.State, &c.Reason, &from, &until, &applied, &decided); err != nil {
			return nil, fmt.Errorf("read contracts: %w", err)
		}
		c.From, c.Until, c.Applied, c.Decided = db.TimeOf(from), db.TimeOf(until), db.TimeOf(applied), db.TimeOf(decided)
		out = append(out, c)
	}
	return out, rows.Err()
}
