package job

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
)

const columns = `id, kind, scope, target_at, state, done, message, created_at, updated_at`

func insert(ctx context.Context, tx *db.Tx, w *Work) error {
	_, err := tx.Exec(ctx, `INSERT INTO job_work (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		w.ID, w.Kind, w.Scope, db.Micros(w.Target), w.State, w.Count, w.Message, db.Micros(w.Created), db.Micros(w.Updated))
	if err != nil {
		return fmt.Errorf("open a job: %w", err)
	}
	return nil
}

func advance(ctx context.Context, tx *db.Tx, id string, by int) error {
	_, err := tx.Exec(ctx, `UPDATE job_work SET done = done + $1, updated_at = $2 WHERE id = $3 AND state = 'running'`, by, db.Micros(tx.Real), id)
	if err != nil {
		return fmt.Errorf("advance job %s: %w", id, err)
	}
	return nil
}

func tell(ctx context.Context, tx *db.Tx, id, message string) error {
	_, err := tx.Exec(ctx, `UPDATE job_work SET message = $1, updated_at = $2 WHERE id = $3 AND state = 'running'`, message, db.Micros(tx.Real), id)
	if err != nil {
		return fmt.Errorf("keep how far job %s is: %w", id, err)
	}
	return nil
}

func finish(ctx context.Context, tx *db.Tx, id, state, message string) error {
	_, err := tx.Exec(ctx, `UPDATE job_work SET state = $1, message = $2, updated_at = $3 WHERE id = $4 AND state = 'running'`, state, message, db.Micros(tx.Real), id)
	if err != nil {
		return fmt.Errorf("finish job %s: %w", id, err)
	}
	return nil
}

func scan(row db.Row) (w Work, err error) {
	var target, created, updated int64
	err = row.Scan(&w.ID, &w.Kind, &w.Scope, &target, &w.State, &w.Count, &w.Message, &created, &updated)
	w.Target, w.Created, w.Updated = db.TimeOf(target), db.TimeOf(created), db.TimeOf(updated)
	return w, err
}

func find(ctx context.Context, r db.Reader, id string) (Work, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM job_work WHERE id = $1`, id))
}

func collect(rows db.Rows, err error) ([]Work, error) {
	if err != nil {
		return nil, fmt.Errorf("read jobs: %w", err)
	}
	defer rows.Close()
	var out []Work
	for rows.Next() {
		w, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read jobs: %w", err)
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

func running(ctx context.Context, r db.Reader, kind string, n int) ([]Work, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM job_work WHERE kind = $1 AND state = 'running' ORDER BY created_at, id LIMIT $2`, kind, n))
}

func list(ctx context.Context, r db.Reader, offset, limit int) (total int, page []Work, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM job_work`).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count jobs: %w", err)
	}
	page, err = collect(r.Query(ctx, `SELECT `+columns+` FROM job_work ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2`, limit, offset))
	return total, page, err
}
