// Package once owns the answers already given, by idempotency key: a write that is repeated with its key gets
// the same answer again and is not done again.
//
// It does not own what the answer means. Keys belong to a caller and an operation; they are kept for Life of
// real time. The provider's own operations are never remembered here: they are safe by state.
//
// Invariant: the answer is kept in the transaction of the deed, so that both are there or neither.
package once

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// Life is how long an answer is kept, real time.
const Life = 24 * time.Hour

// Key names a write.
type Key struct{ Customer, Caller, Operation, Key string }

// Digest is the fingerprint of a request body, kept to tell a repetition from another request with the same key.
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Given looks the key up: the answer given before, or none. Another body under the same key is refused.
func Given(ctx context.Context, r db.Reader, k Key, digest string) (answer []byte, found bool, err error) {
	_, real := r.Instant()
	var kept string
	err = r.QueryRow(ctx, `SELECT digest, body FROM once_answer
		WHERE customer = $1 AND caller = $2 AND operation = $3 AND key = $4 AND given_at > $5`,
		k.Customer, k.Caller, k.Operation, k.Key, db.Micros(real.Add(-Life))).Scan(&kept, &answer)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("look up the idempotency key: %w", err)
	case kept != digest:
		return nil, false, fault.New(fault.Unprocessable, "PURSER.0110", "Idempotency-Key %q was used with another request body", k.Key)
	}
	return answer, true, nil
}

// Keep remembers the answer. A forgotten one under the same key, past its life, is replaced.
func Keep(ctx context.Context, tx *db.Tx, k Key, digest string, answer []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO once_answer (customer, caller, operation, key, digest, body, given_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (customer, caller, operation, key) DO UPDATE
		SET digest = excluded.digest, body = excluded.body, given_at = excluded.given_at`,
		k.Customer, k.Caller, k.Operation, k.Key, digest, answer, db.Micros(tx.Real))
	if err != nil {
		return fmt.Errorf("keep the answer: %w", err)
	}
	return nil
}

// Forget drops answers past their life, at most n at a time, and says how many went.
func Forget(ctx context.Context, tx *db.Tx, n int) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM once_answer WHERE given_at IN
		(SELECT given_at FROM once_answer WHERE given_at <= $1 ORDER BY given_at LIMIT $2)`, db.Micros(tx.Real.Add(-Life)), n)
}
