package settlement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/usage"
)

// State is how far a customer is settled.
type State struct {
	until   usage.Bucket // the last bucket that was closed
	version int64
}

// Closed says whether a bucket on the agenda was closed before.
func (s *State) Closed(due *usage.Due) bool { return !due.Bucket.After(s.until) }

func stateOf(ctx context.Context, r db.Reader, customer string) (s State, err error) {
	var ends, unit int64
	err = r.QueryRow(ctx, `SELECT ends_at, unit, version FROM settlement_customer WHERE customer = $1`, customer).Scan(&ends, &unit, &s.version)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return s, fmt.Errorf("read how far a customer is settled: %w", err)
	}
	s.until = usage.Bucket{Unit: period.Unit(unit), End: db.TimeOf(ends)}
	return s, nil
}

// advance takes the customer's settlement from the version that was planned from to the next one, and to a bucket that is closed with
// it (nil: to none). ErrStale.
func advance(ctx context.Context, tx *db.Tx, customer string, version int64, closed *usage.Bucket) error {
	var n int64
	var err error
	switch {
	case version == 0:
		var b usage.Bucket
		if closed != nil {
			b = *closed
		}
		n, err = tx.Exec(ctx, `INSERT INTO settlement_customer (customer, ends_at, unit, version) VALUES ($1, $2, $3, 1) ON CONFLICT DO NOTHING`, customer, db.Micros(b.End), int64(b.Unit))
	case closed != nil:
		n, err = tx.Exec(ctx, `UPDATE settlement_customer SET version = version + 1, ends_at = $1, unit = $2 WHERE customer = $3 AND version = $4`,
			db.Micros(closed.End), int64(closed.Unit), customer, version)
	default:
		n, err = tx.Exec(ctx, `UPDATE settlement_customer SET version = version + 1 WHERE customer = $1 AND version = $2`, customer, version)
	}
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if n == 0 {
		return ErrStale
	}
	return nil
}

// settledLine is a line as it is kept.
type settledLine struct {
	usage.Bucket
	meter    int64
	records  int64
	quantity int64
	covered  int64
	official money.Amount
	discount money.Amount
	coupon   money.Amount
	fee      string
}

const lineFields = `ends_at, unit, meter, records, quantity, covered, official, discount, coupon, fee`

func scanLine(row db.Row) (l settledLine, err error) {
	var ends int64
	err = row.Scan(&ends, &l.Unit, &l.meter, &l.records, &l.quantity, &l.covered, &l.official, &l.discount, &l.coupon, &l.fee)
	l.End = db.TimeOf(ends)
	return l, err
}

// linesOf reads the lines of a bucket by meter.
func linesOf(ctx context.Context, r db.Reader, customer string, b usage.Bucket) (map[int64]settledLine, error) {
	rows, err := r.Query(ctx, `SELECT `+lineFields+` FROM settlement_line WHERE customer = $1 AND ends_at = $2 AND unit = $3`, customer, db.Micros(b.End), int64(b.Unit))
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	defer rows.Close()
	out := map[int64]settledLine{}
	for rows.Next() {
		l, err := scanLine(rows)
		if err != nil {
			return nil, fmt.Errorf("read lines: %w", err)
		}
		out[l.meter] = l
	}
	return out, rows.Err()
}

// linesFrom calls each with the lines of a customer from a bucket on.
func linesFrom(ctx context.Context, r db.Reader, customer string, b usage.Bucket, each func(settledLine)) error {
	rows, err := r.Query(ctx, `SELECT `+lineFields+` FROM settlement_line WHERE customer = $1 AND (ends_at, unit) >= ($2, $3)`, customer, db.Micros(b.End), int64(b.Unit))
	if err != nil {
		return fmt.Errorf("read lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scanLine(rows)
		if err != nil {
			return fmt.Errorf("read lines: %w", err)
		}
		each(l)
	}
	return rows.Err()
}

// settledWithin reads the lines whose buckets end after a span's start and no later than its end.
func settledWithin(ctx context.Context, r db.Reader, customer string, span period.Span) (out []settledLine, err error) {
	rows, err := r.Query(ctx, `SELECT `+lineFields+` FROM settlement_line WHERE customer = $1 AND ends_at > $2 AND ends_at <= $3`, customer, db.Micros(span.Start), db.Micros(span.End))
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		l, err := scanLine(rows)
		if err != nil {
			return nil, fmt.Errorf("read lines: %w", err)
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

var lineColumns = []string{"customer", "ends_at", "unit", "meter", "records", "quantity", "covered", "official", "discount", "coupon", "fee"}

func insertLines(ctx context.Context, tx *db.Tx, customer string, lines []line) error {
	rows := make([][]any, len(lines))
	for i := range lines {
		l := &lines[i]
		rows[i] = []any{customer, db.Micros(l.End), int64(l.Unit), l.meter.No, l.records, l.quantity, l.covered, int64(l.official), int64(l.discount), int64(l.coupon), l.fee}
	}
	if _, err := tx.Bulk(ctx, "settlement_line", lineColumns, rows, `ON CONFLICT (customer, ends_at, unit, meter) DO UPDATE SET records = excluded.records,
		quantity = excluded.quantity, covered = excluded.covered, official = excluded.official, discount = excluded.discount, coupon = excluded.coupon,
		fee = excluded.fee`); err != nil {
		return fmt.Errorf("keep lines: %w", err)
	}
	return nil
}

var coverColumns = []string{"customer", "package", "item", "ends_at", "unit", "meter", "k", "used"}

func coverRow(customer string, l *line, t taking) []any {
	return []any{customer, t.ID, int64(t.Item.No), db.Micros(l.End), int64(l.Unit), l.meter.No, int64(t.Pool.K), t.amount}
}

func insertCovers(ctx context.Context, tx *db.Tx, rows [][]any) error {
	if _, err := tx.Bulk(ctx, "settlement_cover", coverColumns, rows, ""); err != nil {
		return fmt.Errorf("keep what packages covered: %w", err)
	}
	return nil
}

// cover is what a line took from a pool, as it is kept.
type cover struct {
	pool  quota.Pool
	ends  int64
	unit  period.Unit
	meter int64
	used  int64
}

// coversFrom reads what lines from a bucket on took from an item of a package.
func coversFrom(ctx context.Context, r db.Reader, customer, id string, item int32, b usage.Bucket) ([]cover, error) {
	rows, err := r.Query(ctx, `SELECT k, ends_at, unit, meter, used FROM settlement_cover WHERE customer = $1 AND package = $2 AND item = $3
		AND (ends_at, unit) >= ($4, $5)`, customer, id, int64(item), db.Micros(b.End), int64(b.Unit))
	if err != nil {
		return nil, fmt.Errorf("read what packages covered: %w", err)
	}
	defer rows.Close()
	var out []cover
	for rows.Next() {
		c := cover{pool: quota.Pool{Package: id, Item: item}}
		if err := rows.Scan(&c.pool.K, &c.ends, &c.unit, &c.meter, &c.used); err != nil {
			return nil, fmt.Errorf("read what packages covered: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func deleteCover(ctx context.Context, tx *db.Tx, customer string, c *cover) error {
	if _, err := tx.Exec(ctx, `DELETE FROM settlement_cover WHERE customer = $1 AND package = $2 AND item = $3 AND ends_at = $4 AND unit = $5 AND meter = $6`,
		customer, c.pool.Package, int64(c.pool.Item), c.ends, int64(c.unit), c.meter); err != nil {
		return fmt.Errorf("keep what packages covered: %w", err)
	}
	return nil
}

func readTier(ctx context.Context, r db.Reader, customer string, key tier) (already int64, err error) {
	err = r.QueryRow(ctx, `SELECT already FROM settlement_tier WHERE customer = $1 AND product = $2 AND factor = $3 AND starts_at = $4`,
		customer, key.product, key.factor, db.Micros(key.starts)).Scan(&already)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return 0, fmt.Errorf("read a tier: %w", err)
	}
	return already, nil
}

var tierColumns = []string{"customer", "product", "factor", "starts_at", "already"}

func setTiers(ctx context.Context, tx *db.Tx, customer string, tiers map[tier]int64) error {
	rows := make([][]any, 0, len(tiers))
	for key, already := range tiers {
		rows = append(rows, []any{customer, key.product, key.factor, db.Micros(key.starts), already})
	}
	slices.SortFunc(rows, func(a, b []any) int {
		return cmp.Or(cmp.Compare(a[1].(string), b[1].(string)), cmp.Compare(a[2].(string), b[2].(string)), cmp.Compare(a[3].(int64), b[3].(int64)))
	})
	if _, err := tx.Bulk(ctx, "settlement_tier", tierColumns, rows, "ON CONFLICT (customer, product, factor, starts_at) DO UPDATE SET already = excluded.already"); err != nil {
		return fmt.Errorf("keep tiers: %w", err)
	}
	return nil
}

const arrearsFields = `customer, kind, since, stage, next_at`

func scanArrears(row db.Row) (a Arrears, err error) {
	var since, next int64
	err = row.Scan(&a.Customer, &a.Kind, &since, &a.Stage, &next)
	a.Since, a.Next = db.TimeOf(since), db.TimeOf(next)
	return a, err
}

func arrearsOf(ctx context.Context, r db.Reader, customer string, kind Kind) (a Arrears, found bool, err error) {
	a, err = scanArrears(r.QueryRow(ctx, `SELECT `+arrearsFields+` FROM settlement_arrears WHERE customer = $1 AND kind = $2`, customer, int64(kind)))
	if errors.Is(err, db.ErrNoRows) {
		return Arrears{Customer: customer, Kind: kind}, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("read arrears: %w", err)
	}
	return a, true, nil
}

func firstArrears(ctx context.Context, r db.Reader, customer string, until time.Time) (a Arrears, found bool, err error) {
	a, err = scanArrears(r.QueryRow(ctx, `SELECT `+arrearsFields+` FROM settlement_arrears WHERE customer = $1 AND next_at > 0 AND next_at <= $2 ORDER BY next_at, kind LIMIT 1`,
		customer, db.Micros(until)))
	if errors.Is(err, db.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("read arrears: %w", err)
	}
	return a, true, nil
}

func setArrears(ctx context.Context, tx *db.Tx, a *Arrears) error {
	if _, err := tx.Exec(ctx, `INSERT INTO settlement_arrears (`+arrearsFields+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (customer, kind) DO UPDATE SET since = excluded.since, stage = excluded.stage, next_at = excluded.next_at`,
		a.Customer, int64(a.Kind), db.Micros(a.Since), int64(a.Stage), db.Micros(a.Next)); err != nil {
		return fmt.Errorf("keep arrears: %w", err)
	}
	return nil
}

func endArrears(ctx context.Context, tx *db.Tx, a *Arrears) error {
	if _, err := tx.Exec(ctx, `DELETE FROM settlement_arrears WHERE customer = $1 AND kind = $2`, a.Customer, int64(a.Kind)); err != nil {
		return fmt.Errorf("end arrears: %w", err)
	}
	return nil
}

func arrearsDue(ctx context.Context, r db.Reader, until time.Time, after Mark, n int) (out []Arrears, err error) {
	rows, err := r.Query(ctx, `SELECT `+arrearsFields+` FROM settlement_arrears WHERE next_at > 0 AND next_at <= $1
		AND (next_at, customer, kind) > ($2, $3, $4) ORDER BY next_at, customer, kind LIMIT $5`,
		db.Micros(until), db.Micros(after.At), after.Customer, int64(after.Kind), int64(n))
	if err != nil {
		return nil, fmt.Errorf("read arrears: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scanArrears(rows)
		if err != nil {
			return nil, fmt.Errorf("read arrears: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

func allCovers(ctx context.Context, r db.Reader, customer string, each func(cover)) error {
	rows, err := r.Query(ctx, `SELECT package, item, k, ends_at, unit, meter, used FROM settlement_cover WHERE customer = $1`, customer)
	if err != nil {
		return fmt.Errorf("read what packages covered: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c cover
		if err := rows.Scan(&c.pool.Package, &c.pool.Item, &c.pool.K, &c.ends, &c.unit, &c.meter, &c.used); err != nil {
			return fmt.Errorf("read what packages covered: %w", err)
		}
		each(c)
	}
	return rows.Err()
}

func allTiers(ctx context.Context, r db.Reader, customer string, each func(tier, int64)) error {
	rows, err := r.Query(ctx, `SELECT product, factor, starts_at, already FROM settlement_tier WHERE customer = $1`, customer)
	if err != nil {
		return fmt.Errorf("read tiers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key tier
		var starts, already int64
		if err := rows.Scan(&key.product, &key.factor, &starts, &already); err != nil {
			return fmt.Errorf("read tiers: %w", err)
		}
		key.starts = db.TimeOf(starts)
		each(key, already)
	}
	return rows.Err()
}
