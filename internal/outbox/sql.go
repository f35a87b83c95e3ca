package outbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

const targetColumns = `id, url, secret, topics, active, created_at, changed_at`

func insertTarget(ctx context.Context, tx *db.Tx, t *Target) error {
	_, err := tx.Exec(ctx, `INSERT INTO outbox_target (`+targetColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		t.ID, t.URL, t.Sealed, strings.Join(t.Topics, ","), db.Bool(t.Active), db.Micros(t.Created), db.Micros(t.Changed))
	if err != nil {
		return fmt.Errorf("register a webhook: %w", err)
	}
	return nil
}

func updateTarget(ctx context.Context, tx *db.Tx, t *Target) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_target SET topics = $1, active = $2, changed_at = $3 WHERE id = $4`,
		strings.Join(t.Topics, ","), db.Bool(t.Active), db.Micros(t.Changed), t.ID)
	if err != nil {
		return fmt.Errorf("change webhook %s: %w", t.ID, err)
	}
	return nil
}

func remove(ctx context.Context, tx *db.Tx, id string) (bool, error) {
	if _, err := tx.Exec(ctx, `DELETE FROM outbox_delivery WHERE target = $1`, id); err != nil {
		return false, fmt.Errorf("remove webhook %s: %w", id, err)
	}
	n, err := tx.Exec(ctx, `DELETE FROM outbox_target WHERE id = $1`, id)
	return n == 1, err
}

func scanTarget(row db.Row) (t Target, err error) {
	var topics string
	var on, created, changed int64
	err = row.Scan(&t.ID, &t.URL, &t.Sealed, &topics, &on, &created, &changed)
	t.Topics, t.Active, t.Created, t.Changed = strings.Split(topics, ","), on == 1, db.TimeOf(created), db.TimeOf(changed)
	return t, err
}

func collectTargets(rows db.Rows, err error) ([]Target, error) {
	if err != nil {
		return nil, fmt.Errorf("read webhooks: %w", err)
	}
	defer rows.Close()
	var out []Target
	for rows.Next() {
		t, err := scanTarget(rows)
		if err != nil {
			return nil, fmt.Errorf("read webhooks: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

func target(ctx context.Context, r db.Reader, id string) (Target, error) {
	return scanTarget(r.QueryRow(ctx, `SELECT `+targetColumns+` FROM outbox_target WHERE id = $1`, id))
}

func targets(ctx context.Context, r db.Reader) ([]Target, error) {
	return collectTargets(r.Query(ctx, `SELECT `+targetColumns+` FROM outbox_target ORDER BY created_at DESC, id DESC`))
}

func active(ctx context.Context, r db.Reader) ([]Target, error) {
	return collectTargets(r.Query(ctx, `SELECT `+targetColumns+` FROM outbox_target WHERE active = 1 ORDER BY id`))
}

func insertMessage(ctx context.Context, tx *db.Tx, m *Message) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO outbox_message (customer, id, topic, key, body, happened_at, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (customer, topic, key) DO NOTHING`, m.Customer, m.ID, m.Topic, m.Key, m.Body, db.Micros(m.Happened), db.Micros(m.Recorded))
	if err != nil {
		return false, fmt.Errorf("put a message: %w", err)
	}
	return n == 1, nil
}

const deliveryColumns = `target, customer, message, topic, state, attempts, next_at, answer, created_at, changed_at`

func insertDelivery(ctx context.Context, tx *db.Tx, target string, m *Message) error {
	_, err := tx.Exec(ctx, `INSERT INTO outbox_delivery (`+deliveryColumns+`, leased_until) VALUES ($1, $2, $3, $4, 'waiting', 0, $5, '', $5, $5, 0)`,
		target, m.Customer, m.ID, m.Topic, db.Micros(m.Recorded))
	if err != nil {
		return fmt.Errorf("put a delivery: %w", err)
	}
	return nil
}

// due lists what may be delivered now: nothing that another courier has, and of each customer's messages to a target
// the first only.
func due(ctx context.Context, tx *db.Tx, n int) ([]Delivery, error) {
	rows, err := tx.Query(ctx, `SELECT d.target, d.customer, d.message, d.topic, d.state, d.attempts, d.next_at, d.answer, d.created_at, d.changed_at,
			t.url, t.secret, m.body
		FROM outbox_delivery d JOIN outbox_target t ON t.id = d.target JOIN outbox_message m ON m.customer = d.customer AND m.id = d.message
		WHERE d.state = 'waiting' AND d.next_at <= $1 AND d.leased_until <= $1 AND t.active = 1 AND NOT EXISTS (
			SELECT 1 FROM outbox_delivery e WHERE e.target = d.target AND e.customer = d.customer AND e.state = 'waiting' AND e.message < d.message)
		ORDER BY d.next_at LIMIT $2`, db.Micros(tx.Real), n)
	if err != nil {
		return nil, fmt.Errorf("find deliveries: %w", err)
	}
	defer rows.Close()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		if err := scanDelivery(rows, &d, &d.URL, &d.Sealed, &d.Body); err != nil {
			return nil, fmt.Errorf("find deliveries: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

func scanDelivery(row db.Row, d *Delivery, more ...any) error {
	var next, created, changed int64
	err := row.Scan(append([]any{&d.Target, &d.Customer, &d.Message, &d.Topic, &d.State, &d.Attempts, &next, &d.Answer, &created, &changed}, more...)...)
	d.Next, d.Created, d.Changed = db.TimeOf(next), db.TimeOf(created), db.TimeOf(changed)
	return err
}

func lease(ctx context.Context, tx *db.Tx, d *Delivery, until time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE outbox_delivery SET leased_until = $1 WHERE target = $2 AND customer = $3 AND message = $4 AND state = 'waiting'
		AND leased_until <= $5`, db.Micros(until), d.Target, d.Customer, d.Message, db.Micros(tx.Real))
	if err != nil {
		return false, fmt.Errorf("lease a delivery: %w", err)
	}
	return n == 1, nil
}

// settle writes how a try ended; one that somebody has settled meanwhile stays as it is.
func settle(ctx context.Context, tx *db.Tx, d *Delivery, state, answer string, next time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE outbox_delivery SET state = $1, attempts = attempts + 1, answer = $2, next_at = $3, leased_until = 0, changed_at = $4
		WHERE target = $5 AND customer = $6 AND message = $7 AND state = 'waiting'`,
		state, answer, db.Micros(next), db.Micros(tx.Real), d.Target, d.Customer, d.Message)
	if err != nil {
		return fmt.Errorf("settle a delivery: %w", err)
	}
	return nil
}

func retry(ctx context.Context, tx *db.Tx, target, customer, message string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE outbox_delivery SET state = 'waiting', next_at = $1, leased_until = 0, changed_at = $1
		WHERE target = $2 AND customer = $3 AND message = $4 AND state <> 'delivered'`, db.Micros(tx.Real), target, customer, message)
	return n == 1, err
}

func deliveries(ctx context.Context, r db.Reader, target, state string, offset, limit int) (total int, page []Delivery, err error) {
	const where = ` FROM outbox_delivery WHERE ($1 = '' OR target = $1) AND ($2 = '' OR state = $2)`
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, target, state).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count deliveries: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+deliveryColumns+where+` ORDER BY created_at DESC, message DESC LIMIT $3 OFFSET $4`, target, state, limit, offset)
	if err != nil {
		return 0, nil, fmt.Errorf("list deliveries: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Delivery
		if err := scanDelivery(rows, &d); err != nil {
			return 0, nil, fmt.Errorf("list deliveries: %w", err)
		}
		page = append(page, d)
	}
	return total, page, rows.Err()
}

// waiting counts deliveries that are due to targets that listen, up to one.
func waiting(ctx context.Context, r db.Reader) (n int, err error) {
	_, real := r.Instant()
	err = r.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM outbox_delivery d JOIN outbox_target t ON t.id = d.target
		WHERE d.state = 'waiting' AND d.next_at <= $1 AND d.leased_until <= $1 AND t.active = 1 LIMIT 1) a`, db.Micros(real)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("look for deliveries: %w", err)
	}
	return n, nil
}
