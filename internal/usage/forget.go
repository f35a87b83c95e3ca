package usage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

// Forget forgets the keys of at most n segments that were received, and whose usage ended, before a real instant. The
// records stay; one of them sent again would be found too old by settlement and kept aside. It says how many segments
// there were.
func Forget(ctx context.Context, tx *db.Tx, before time.Time, n int) (forgotten int, err error) {
	old, err := oldSegments(ctx, tx, before, n)
	if err != nil {
		return 0, err
	}
	for i := range old {
		s := &old[i]
		var keys []string
		err := unpackSegment(s.End, s.body, func(_, _, _, _ int64, key []byte) error {
			keys = append(keys, string(key))
			return nil
		})
		if err != nil {
			return 0, err
		}
		for part := range slices.Chunk(keys, db.InMost) {
			args := []any{s.customer}
			if _, err := tx.Exec(ctx, `DELETE FROM usage_key WHERE customer = $1 AND key IN `+db.In(part, &args), args...); err != nil {
				return 0, fmt.Errorf("forget keys of usage: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE usage_segment SET forgotten = 1 WHERE customer = $1 AND ends_at = $2 AND unit = $3 AND batch = $4`,
			s.customer, db.Micros(s.End), int64(s.Unit), s.batch); err != nil {
			return 0, fmt.Errorf("forget keys of usage: %w", err)
		}
	}
	return len(old), nil
}

// HasOld says whether there is something to forget.
func HasOld(ctx context.Context, r db.Reader, before time.Time) (bool, error) {
	list, err := oldSegments(ctx, r, before, 1)
	return len(list) > 0, err
}

// oldSegment is a segment whose keys are still known.
type oldSegment struct {
	customer string
	Bucket
	segment
}

func oldSegments(ctx context.Context, r db.Reader, before time.Time, n int) (out []oldSegment, err error) {
	rows, err := r.Query(ctx, `SELECT customer, ends_at, unit, batch, body FROM usage_segment WHERE forgotten = 0 AND ends_at < $1 AND received_at < $1 ORDER BY ends_at LIMIT $2`,
		db.Micros(before), int64(n))
	if err != nil {
		return nil, fmt.Errorf("read old usage: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s oldSegment
		var ends int64
		if err := rows.Scan(&s.customer, &ends, &s.Unit, &s.batch, &s.body); err != nil {
			return nil, fmt.Errorf("read old usage: %w", err)
		}
		s.End = db.TimeOf(ends)
		out = append(out, s)
	}
	return out, rows.Err()
}
