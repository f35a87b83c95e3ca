package clock

import (
	"context"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

func readVersion(ctx context.Context, r db.Reader) (n int64, err error) {
	if err = r.QueryRow(ctx, `SELECT n FROM clock_version WHERE one = 1`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of clocks: %w", err)
	}
	return n, nil
}

func put(ctx context.Context, tx *db.Tx, scope string, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO clock_bound (scope, at, set_at) VALUES ($1, $2, $3)
		ON CONFLICT (scope) DO UPDATE SET at = excluded.at, set_at = excluded.set_at`, scope, db.Micros(at), db.Micros(tx.Real))
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE clock_version SET n = n + 1 WHERE one = 1`)
	}
	if err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	return nil
}

func list(ctx context.Context, r db.Reader) ([]Bound, error) {
	rows, err := r.Query(ctx, `SELECT scope, at, set_at FROM clock_bound ORDER BY scope`)
	if err != nil {
		return nil, fmt.Errorf("read clocks: %w", err)
	}
	defer rows.Close()
	var out []Bound
	for rows.Next() {
		var b Bound
		var at, set int64
		if err := rows.Scan(&b.Scope, &at, &set); err != nil {
			return nil, fmt.Errorf("read clocks: %w", err)
		}
		b.At, b.Set = db.TimeOf(at), db.TimeOf(set)
		out = append(out, b)
	}
	return out, rows.Err()
}
