package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
)

const columns = `customer, id, amount, currency, provider, method, state, reference, pay_url, instructions, reason, entry, created_at,
	expires_at, finished_at`

func insert(ctx context.Context, tx *db.Tx, a *Attempt) error {
	_, err := tx.Exec(ctx, `INSERT INTO provider_attempt (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		a.Customer, a.ID, int64(a.Amount), a.Currency, a.Provider, a.Method, a.State, a.Reference, a.PayURL, a.Instructions, a.Reason, a.Entry,
		db.Micros(a.Created), db.Micros(a.Expires), db.Micros(a.Finished))
	if err != nil {
		return fmt.Errorf("begin a top-up: %w", err)
	}
	return nil
}

func keep(ctx context.Context, tx *db.Tx, customer, id string, b Begun) error {
	_, err := tx.Exec(ctx, `UPDATE provider_attempt SET reference = $1, pay_url = $2, instructions = $3
		WHERE customer = $4 AND id = $5 AND reference = ''`, b.Reference, b.PayURL, b.Instructions, customer, id)
	if err != nil {
		return fmt.Errorf("keep the reference of top-up %s: %w", id, err)
	}
	return nil
}

func finish(ctx context.Context, tx *db.Tx, a *Attempt) error {
	_, err := tx.Exec(ctx, `UPDATE provider_attempt SET state = $1, reference = $2, reason = $3, entry = $4, finished_at = $5
		WHERE customer = $6 AND id = $7`, a.State, a.Reference, a.Reason, a.Entry, db.Micros(a.Finished), a.Customer, a.ID)
	if err != nil {
		return fmt.Errorf("finish top-up %s: %w", a.ID, err)
	}
	return nil
}

func scan(row db.Row) (a Attempt, err error) {
	var amount, created, expires, finished int64
	err = row.Scan(&a.Customer, &a.ID, &amount, &a.Currency, &a.Provider, &a.Method, &a.State, &a.Reference, &a.PayURL, &a.Instructions,
		&a.Reason, &a.Entry, &created, &expires, &finished)
	a.Amount, a.Created, a.Expires, a.Finished = money.Amount(amount), db.TimeOf(created), db.TimeOf(expires), db.TimeOf(finished)
	return a, err
}

func find(ctx context.Context, r db.Reader, id string) (Attempt, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM provider_attempt WHERE id = $1`, id))
}

func findReference(ctx context.Context, r db.Reader, provider, reference string) (Attempt, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM provider_attempt WHERE provider = $1 AND reference = $2 AND reference <> ''`, provider, reference))
}

// ofAll and ofOne are the filter of a list, with the state as Attempt.StateAt works it out; $2 is real time. They are
// two texts so that each finds its index.
const (
	inState = ` ($1 = '' OR CASE WHEN state = 'pending' AND expires_at <= $2 THEN 'expired' ELSE state END = $1)`
	ofAll   = ` FROM provider_attempt WHERE` + inState
	ofOne   = ofAll + ` AND customer = $3`
)

func list(ctx context.Context, r db.Reader, q Query, offset, limit int) (total int, page []Attempt, err error) {
	_, real := r.Instant()
	wanted, paging, args := ofAll, ` ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`, []any{q.State, db.Micros(real)}
	if q.Customer != "" {
		wanted, paging, args = ofOne, ` ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5`, append(args, q.Customer)
	}
	if err := r.QueryRow(ctx, `SELECT count(*)`+wanted, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count top-ups: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+columns+wanted+paging, append(args, limit, offset)...)
	if err != nil {
		return 0, nil, fmt.Errorf("list top-ups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return 0, nil, fmt.Errorf("list top-ups: %w", err)
		}
		page = append(page, a)
	}
	return total, page, rows.Err()
}

func readEvent(ctx context.Context, r db.Reader, provider, id string) (t Taken, found bool, err error) {
	err = r.QueryRow(ctx, `SELECT verdict, note FROM provider_event WHERE provider = $1 AND id = $2`, provider, id).Scan(&t.Verdict, &t.Note)
	if errors.Is(err, db.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("look the callback up: %w", err)
	}
	return t, true, nil
}

// insertEvent fails for a callback that is there already: on PostgreSQL another one slipped in, and serializable
// transactions make the later one run again, when it finds it.
func insertEvent(ctx context.Context, tx *db.Tx, a *Attempt, e *Event, t Taken) error {
	n, err := tx.Exec(ctx, `INSERT INTO provider_event (provider, id, customer, attempt, outcome, amount, currency, verdict, note, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (provider, id) DO NOTHING`,
		a.Provider, e.ID, a.Customer, a.ID, e.Outcome, int64(e.Amount), e.Currency, t.Verdict, t.Note, db.Micros(tx.Real))
	if err == nil && n == 0 {
		err = errors.New("it was taken meanwhile")
	}
	if err != nil {
		return fmt.Errorf("keep the callback: %w", err)
	}
	return nil
}
