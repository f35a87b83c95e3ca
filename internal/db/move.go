package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Moved says how far a table is on its way from one engine to another.
type Moved struct {
	Table    string
	Rows, Of int64
	Sum      string // of what all rows hold, in any order; empty: still under way
}

// ErrInUse says that somebody has the store of a move open.
var ErrInUse = errors.New("the store is in use: stop the server (and other commands) on it first")

// NotEmptyError names a table of the target of a move that holds something already.
type NotEmptyError struct {
	Table string
	Rows  int64
}

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("the target is not empty: %s holds %d rows; nothing was written", e.Table, e.Rows)
}

// moveEvery is after how many rows of a table a move says how far it is.
const moveEvery = 100_000

// Move copies every table of a SQLite file that nobody has open into PostgreSQL, but for those in except, and holds each
// against its origin, row by row, before it commits: all of it is there afterwards, or nothing. Both have the same schema.
// fresh says how many rows a table has in a store that is new; a target with more is refused.
func Move(ctx context.Context, file string, to *DB, except []string, fresh map[string]int64, tell func(Moved)) (err error) {
	target, ok := to.engine.(*postgres)
	if !ok {
		return errors.New("db: the target of a move is PostgreSQL")
	}
	from, free, err := alone(ctx, file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, free()) }()
	tables, err := tablesOf(ctx, from)
	if err != nil {
		return fmt.Errorf("list the tables: %w", err)
	}
	tables = slices.DeleteFunc(tables, func(t string) bool { return slices.Contains(except, t) })
	if err := to.Monthly(ctx, func(m *Monthly) error { return m.makeFor(ctx, from) }); err != nil {
		return err
	}
	tx, err := target.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}) // the locks below keep everybody out
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit it does nothing, else the first error counts
	if err := takeOver(ctx, tx, tables, fresh); err != nil {
		return err
	}
	for _, table := range tables {
		if err := moveTable(ctx, from, tx, table, tell); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if _, err := target.pool.Exec(ctx, `ANALYZE`); err != nil { // the planner knows nothing of rows that were just copied
		return fmt.Errorf("all is there, but ANALYZE failed: %w", err)
	}
	return nil
}

// Counts says how many rows each table has.
func (d *DB) Counts(ctx context.Context) (map[string]int64, error) {
	conn, err := d.sql().Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	tables, err := tablesOf(ctx, conn)
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, table := range tables {
		var n int64
		if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", table, err)
		}
		counts[table] = n
	}
	return counts, nil
}

// alone opens a SQLite file that nobody else has open, and keeps everybody out until it is freed.
func alone(ctx context.Context, file string) (conn *sql.Conn, free func() error, err error) {
	on, err := sql.Open("sqlite", fileURL(file, "busy_timeout(2000)"))
	if err != nil {
		return nil, nil, err
	}
	on.SetMaxOpenConns(1)
	if conn, err = on.Conn(ctx); err != nil {
		return nil, nil, errors.Join(err, on.Close())
	}
	// The log can be given up by the only one who uses it; whoever opens the store next takes it up again.
	for _, text := range []string{`PRAGMA journal_mode = DELETE`, `BEGIN EXCLUSIVE`} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			if Trouble(err) == "the store is busy" {
				err = ErrInUse
			}
			return nil, nil, errors.Join(err, conn.Close(), on.Close())
		}
	}
	return conn, func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		return errors.Join(err, conn.Close(), on.Close())
	}, nil
}

// tablesOf are the tables of a SQLite store, each behind those that it refers to.
func tablesOf(ctx context.Context, from *sql.Conn) (ordered []string, err error) {
	names, err := texts(ctx, from, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		before, err := texts(ctx, from, `SELECT DISTINCT "table" FROM pragma_foreign_key_list('`+name+`')`)
		if err != nil {
			return err
		}
		for _, b := range before {
			if err := add(b); err != nil {
				return err
			}
		}
		ordered = append(ordered, name)
		return nil
	}
	for _, name := range names {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}

func texts(ctx context.Context, from *sql.Conn, query string) (out []string, err error) {
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// takeOver locks all tables of the target, refuses one that holds more than a new store does, and empties those few that a
// migration put a row into.
func takeOver(ctx context.Context, tx pgx.Tx, tables []string, fresh map[string]int64) error {
	if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '5s'`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE `+strings.Join(tables, ", ")+` IN ACCESS EXCLUSIVE MODE`); err != nil {
		var e *pgconn.PgError
		if errors.As(err, &e) && e.Code == "55P03" {
			return fmt.Errorf("the target: %w", ErrInUse)
		}
		return fmt.Errorf("lock the target: %w", err)
	}
	for _, table := range tables {
		var n int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			return err
		}
		if n > fresh[table] {
			return &NotEmptyError{Table: table, Rows: n}
		}
		if n > 0 {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
	}
	return nil
}

func moveTable(ctx context.Context, from *sql.Conn, tx pgx.Tx, table string, tell func(Moved)) error {
	columns, err := texts(ctx, from, `SELECT name FROM pragma_table_info('`+table+`') ORDER BY cid`)
	if err != nil {
		return err
	}
	at := Moved{Table: table}
	if err := from.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&at.Of); err != nil {
		return err
	}
	list := `"` + strings.Join(columns, `", "`) + `"`
	rows, err := from.QueryContext(ctx, `SELECT `+list+` FROM `+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	var sent, kept sum
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		for i, v := range values {
			if blob, ok := v.([]byte); ok && blob == nil {
				values[i] = []byte{} // an empty one, which the driver does not tell from none
			}
		}
		if at.Rows++; at.Rows%moveEvery == 0 {
			tell(at)
		}
		return values, sent.add(values)
	}))
	if err != nil {
		return err
	}
	back, err := tx.Query(ctx, `SELECT `+list+` FROM `+table)
	if err != nil {
		return err
	}
	defer back.Close()
	for back.Next() {
		got, err := back.Values()
		if err != nil {
			return err
		}
		if err := kept.add(got); err != nil {
			return err
		}
	}
	if err := back.Err(); err != nil {
		return err
	}
	if sent != kept || at.Rows != at.Of {
		return fmt.Errorf("%d rows were read (%s), %d are there (%s): they are not the same", sent.rows, sent, kept.rows, kept)
	}
	at.Sum = kept.String()
	tell(at)
	return nil
}

// sum adds up the hashes of rows: two tables have the same one when they hold the same rows, in whatever order.
type sum struct {
	rows      int64
	high, low uint64
}

func (s sum) String() string { return fmt.Sprintf("%016x%016x", s.high, s.low) }

// add adds a row; every value says its kind and its length, so that no two rows read alike.
func (s *sum) add(row []any) error {
	var b []byte
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 's'), uint64(len(v))), v...)
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...)
		default:
			return fmt.Errorf("a value of type %T", v)
		}
	}
	hash := sha256.Sum256(b)
	low, carry := bits.Add64(s.low, binary.BigEndian.Uint64(hash[:8]), 0)
	high, _ := bits.Add64(s.high, binary.BigEndian.Uint64(hash[8:16]), carry)
	s.rows, s.low, s.high = s.rows+1, low, high
	return nil
}
