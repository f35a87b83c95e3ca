// Package db opens an engine and runs transactions on it: SQLite (one writer with group commit, a pool of
// readers) or PostgreSQL (SERIALIZABLE with retry).
//
// It owns no table and knows none. It does not decide what time it is: every transaction is handed its
// two instants, Now (business) and Real, by who begins it; only the counter (and tests) begin one.
//
// Invariants:
//   - Update commits whole or not at all, and may run its function again: the function has no effect but tx.
//   - When Update returns nil the change is on disk (synchronous=FULL; a group shares one sync).
//   - A View is one snapshot, never waits for the writer, and cannot write.
//   - One SQL text for every engine: `$1…` in order of first use. What differs between engines lives here.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// ErrNoRows is what Row.Scan returns when there is no row.
var ErrNoRows = sql.ErrNoRows

// ErrClosed is returned by Update and View after Close.
var ErrClosed = errors.New("db: closed")

// Instants are the two times of a transaction, UTC: Now dates the business (a test clock may have turned it),
// Real dates what machines need (signatures, leases, record times). About may name what an Update is about (a
// customer): two of this process that are about the same do not run into each other on PostgreSQL.
type Instants struct {
	Now, Real time.Time
	About     string
	// Apart says that an Update stands on constraints and single statements alone, and needs no SERIALIZABLE: on PostgreSQL
	// it is READ COMMITTED.
	Apart bool
}

// Rows walks over the rows of a query. Close it before the next statement of the same transaction
// (PostgreSQL streams one result at a time).
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Row is the single row of a query; Scan returns ErrNoRows when there is none.
type Row interface{ Scan(dest ...any) error }

// Reader is what a read needs. Both Tx and View are one.
type Reader interface {
	Query(ctx context.Context, text string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, text string, args ...any) Row
	Instant() (now, real time.Time)
}

// session is one open transaction of an engine.
type session interface {
	exec(ctx context.Context, text string, args []any) (int64, error)
	query(ctx context.Context, text string, args []any) (Rows, error)
}

// Tx is a transaction that may write.
type Tx struct {
	Now, Real time.Time
	on        session
	seen      *[]Statement // of a store whose statements are listened to
	breaker   Breaker      // of a store that a simulation breaks
	number    int64
}

// begun counts the transactions of this process: each is numbered before its snapshot is taken, so that a Watch knows which are older.
var begun atomic.Int64

// numberOf is a reader's number; a snapshot that is not taken yet is newer than all.
func numberOf(r Reader) int64 {
	switch r := r.(type) {
	case *Tx:
		return r.number
	case *View:
		if r.on != nil {
			return r.number
		}
	}
	return math.MaxInt64
}

// Statement is one statement of a transaction, as a listener hears it; or rows that are copied into a table (PostgreSQL).
type Statement struct {
	Text  string // of a copy: the table
	Args  []any
	Query bool

	Columns []string // of a copy
	Rows    [][]any
}

func (t *Tx) hear(text string, args []any, query bool) {
	if t.seen != nil {
		*t.seen = append(*t.seen, Statement{Text: text, Args: args, Query: query})
	}
}

func (t *Tx) hearCopy(table string, columns []string, rows [][]any) {
	if t.seen != nil {
		*t.seen = append(*t.seen, Statement{Text: table, Columns: columns, Rows: rows})
	}
}

// Exec runs a statement and says how many rows it touched.
func (t *Tx) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	if err := t.broken(); err != nil {
		return 0, err
	}
	t.hear(text, args, false)
	return t.on.exec(ctx, text, args)
}

// Query runs a query in the transaction.
func (t *Tx) Query(ctx context.Context, text string, args ...any) (Rows, error) {
	if err := t.broken(); err != nil {
		return nil, err
	}
	t.hear(text, args, true)
	return t.on.query(ctx, text, args)
}

// QueryRow runs a query that yields at most one row.
func (t *Tx) QueryRow(ctx context.Context, text string, args ...any) Row {
	return single(t.Query(ctx, text, args...))
}

// At is the same transaction at another business instant: what happens one after the other may be committed together, each
// thing at its own instant.
func (t *Tx) At(now time.Time) *Tx {
	return &Tx{Now: now, Real: t.Real, on: t.on, seen: t.seen, breaker: t.breaker, number: t.number}
}

// Instant gives the transaction's two instants.
func (t *Tx) Instant() (now, real time.Time) { return t.Now, t.Real }

// View is a snapshot to read from. It is opened at its first query, so that a View which finds its
// answer in memory costs nothing.
type View struct {
	Now, Real time.Time
	open      func(context.Context) (session, error)
	on        session
	older     bool // it is a replica's
	number    int64
}

func (v *View) session(ctx context.Context) (session, error) {
	if v.on == nil {
		v.number = begun.Add(1)
		on, err := v.open(ctx)
		if err != nil {
			return nil, err
		}
		v.on = on
	}
	return v.on, nil
}

// Query runs a query in the snapshot.
func (v *View) Query(ctx context.Context, text string, args ...any) (Rows, error) {
	on, err := v.session(ctx)
	if err != nil {
		return nil, err
	}
	return on.query(ctx, text, args)
}

// QueryRow runs a query that yields at most one row.
func (v *View) QueryRow(ctx context.Context, text string, args ...any) Row {
	return single(v.Query(ctx, text, args...))
}

// Instant gives the view's two instants.
func (v *View) Instant() (now, real time.Time) { return v.Now, v.Real }

// engine is SQLite or PostgreSQL.
type engine interface {
	update(ctx context.Context, at Instants, fn func(*Tx) error) error
	view(ctx context.Context, at Instants, fn func(*View) error) error
	ping(ctx context.Context) error
	sql() *sql.DB
	close() error
}

// DB is an open engine.
type DB struct {
	engine
	name    string
	listen  func([]Statement)
	breaker Breaker
	replica *replica // nil: none
}

// Engine names.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Open opens the engine that the address names: "postgres://…" (or "postgresql://…"), else a SQLite file's path.
func Open(ctx context.Context, address string) (*DB, error) {
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		on, err := openPostgres(ctx, address)
		if err != nil {
			return nil, fmt.Errorf("open PostgreSQL: %w", err)
		}
		return &DB{engine: on, name: PostgreSQL}, nil
	}
	on, err := openSQLite(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open SQLite file %s: %w", address, err)
	}
	return &DB{engine: on, name: SQLite}, nil
}

// OpenUnsynced opens a SQLite file that is not synced to the disk and that nobody else may open, for who does one thing after the
// other: a simulation's, which is thrown away with its machine.
func OpenUnsynced(ctx context.Context, path string) (*DB, error) {
	on, err := openLone(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open SQLite file %s: %w", path, err)
	}
	return &DB{engine: on, name: SQLite}, nil
}

// Engine is SQLite or PostgreSQL.
func (d *DB) Engine() string { return d.name }

// SQL is the engine for the migrations only.
func (d *DB) SQL() *sql.DB { return d.sql() }

// Ping says whether the engine answers.
func (d *DB) Ping(ctx context.Context) error { return d.ping(ctx) }

// Close ends the engine; running transactions are finished first.
func (d *DB) Close() error {
	if d.replica != nil {
		d.replica.pool.Close()
	}
	return d.close()
}

// Update runs fn in one serializable transaction and commits it. fn may be run again after a conflict with
// another transaction. An error of fn keeps nothing and is returned as it is.
func (d *DB) Update(ctx context.Context, at Instants, fn func(*Tx) error) error {
	if b := d.breaker; b != nil {
		if err := d.update(ctx, at, func(tx *Tx) error { tx.breaker = b; return fn(tx) }); err != nil {
			return err
		}
		return b.Answer()
	}
	if d.listen == nil {
		return d.update(ctx, at, fn)
	}
	var heard []Statement
	err := d.update(ctx, at, func(tx *Tx) error {
		heard = heard[:0]
		tx.seen = &heard
		return fn(tx)
	})
	if err == nil {
		d.listen(heard)
	}
	return err
}

// Listen hands the statements of every transaction that commits to a listener, for benches that replay them on the
// bare engine. Called before anything else uses the store.
func (d *DB) Listen(listener func([]Statement)) { d.listen = listener }

// View runs fn on one snapshot. An error of fn is returned as it is.
func (d *DB) View(ctx context.Context, at Instants, fn func(*View) error) error {
	return d.view(ctx, at, fn)
}

// Micros is how an instant is stored: microseconds since 1970, UTC. The zero time is stored as 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// TimeOf is the instant of stored microseconds, UTC; 0 is the zero time.
func TimeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Bool is how a truth is stored: 0 or 1.
func Bool(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// row adapts a result of at most one row.
type row struct {
	rows Rows
	err  error
}

func single(rows Rows, err error) Row { return row{rows, err} }

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// crash is a panic inside a transaction, carried from the writer to who asked.
type crash struct{ value any }

func (c crash) Error() string { return fmt.Sprintf("panic in a transaction: %v", c.value) }

// guarded runs fn and turns a panic into a crash, so that the engine can roll back first.
func guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = crash{p}
		}
	}()
	return fn()
}

// rethrow panics again where the transaction was asked for.
func rethrow(err error) error {
	var c crash
	if errors.As(err, &c) {
		panic(c.value)
	}
	return err
}
