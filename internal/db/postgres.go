package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// attemptsMost bounds how often a transaction is run again after a serialization failure.
const attemptsMost = 30

type postgres struct {
	pool  *pgxpool.Pool
	std   *sql.DB
	lanes lanes
}

func openPostgres(ctx context.Context, address string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("address of the database: %w", err)
	}
	setPatience(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, plainly(err)
	}
	return &postgres{pool: pool, std: stdlib.OpenDBFromPool(pool)}, nil
}

func (e *postgres) sql() *sql.DB { return e.std }

func (e *postgres) ping(ctx context.Context) error { return e.pool.Ping(ctx) }

func (e *postgres) close() error {
	err := e.std.Close()
	e.pool.Close()
	return err
}

func (e *postgres) update(ctx context.Context, at Instants, fn func(*Tx) error) error {
	if at.About != "" {
		if err := e.lanes.enter(ctx, at.About); err != nil {
			return err
		}
		defer e.lanes.leave(at.About)
	}
	for attempt, lost := 0, 0; ; attempt++ {
		perhaps, err := e.attempt(ctx, at, fn)
		if gone(err) && !perhaps && lost < lostMost && ctx.Err() == nil {
			if lost++; pause(ctx, lost) != nil {
				return err
			}
			continue
		}
		if err == nil || !conflict(err) || attempt >= attemptsMost || ctx.Err() != nil {
			return rethrow(err)
		}
		// Full jitter: those who collided come back at different moments.
		most := time.Millisecond << min(attempt, 7)
		select {
		case <-time.After(rand.N(most)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lostMost is how often a transaction is run again that lost its connection before its commit was sent: as long as a server
// takes to come back from a restart of its processes, in all some 600 ms; who waits for more is told that it is away.
const lostMost = 7

// pause waits before the n-th time, from 1 on.
func pause(ctx context.Context, n int) error {
	select {
	case <-time.After(5 * time.Millisecond << (n - 1)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gone says that the connection is lost, or there is none.
func gone(err error) bool {
	switch Trouble(err) {
	case awayForNow, awayAltogether:
		return true
	}
	return false
}

// attempt runs the transaction once. Perhaps says that the commit was sent: an error leaves open whether all is kept or
// nothing.
func (e *postgres) attempt(ctx context.Context, at Instants, fn func(*Tx) error) (perhaps bool, err error) {
	level := pgx.Serializable
	if at.Apart {
		level = pgx.ReadCommitted
	}
	number := begun.Add(1)
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
	if err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	if err := guarded(func() error { return fn(&Tx{Now: at.Now, Real: at.Real, on: pgSession{tx}, number: number}) }); err != nil {
		tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // the first error is the one that counts
		return false, err
	}
	return true, tx.Commit(ctx)
}

// conflict says that the transaction lost against another one and can be run again.
func conflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// Crowded says whether a transaction failed because another process got in its way: it kept losing, or it made a row that the
// other had just made (what happens by the clock has the same ids wherever it is done). Looked at anew, it is done or will do.
func Crowded(err error) bool {
	var e *pgconn.PgError
	return conflict(err) || errors.As(err, &e) && e.Code == "23505"
}

func (e *postgres) view(ctx context.Context, at Instants, fn func(*View) error) error {
	var held pgx.Tx
	v := &View{Now: at.Now, Real: at.Real, open: func(ctx context.Context) (session, error) {
		for lost := 0; ; {
			tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
			if err == nil {
				held = tx
				return pgSession{tx}, nil
			}
			if lost++; lost > lostMost || !gone(err) || pause(ctx, lost) != nil {
				return nil, fmt.Errorf("begin a view: %w", err)
			}
		}
	}}
	err := guarded(func() error { return fn(v) })
	if held != nil {
		held.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a view has nothing to keep
	}
	return rethrow(err)
}

type pgSession struct{ tx pgx.Tx }

func (s pgSession) exec(ctx context.Context, text string, args []any) (int64, error) {
	tag, err := s.tx.Exec(ctx, text, args...)
	return tag.RowsAffected(), err
}

// bulk is one statement over an array for each column.
func (s pgSession) bulk(table string, columns []string, rows [][]any, tail string) (text string, args []any, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) SELECT * FROM unnest(", table, strings.Join(columns, ", "))
	for j := range columns {
		kind := ""
		switch rows[0][j].(type) {
		case int64:
			list := make([]int64, len(rows))
			for i := range rows {
				list[i] = rows[i][j].(int64)
			}
			kind, args = "bigint", append(args, list)
		case string:
			list := make([]string, len(rows))
			for i := range rows {
				list[i] = rows[i][j].(string)
			}
			kind, args = "text", append(args, list)
		case []byte:
			list := make([][]byte, len(rows))
			for i := range rows {
				list[i] = rows[i][j].([]byte)
			}
			kind, args = "bytea", append(args, list)
		default:
			return "", nil, fmt.Errorf("db: column %s of %s: a bulk holds no %T", columns[j], table, rows[0][j])
		}
		if j > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d::%s[]", j+1, kind)
	}
	b.WriteString(") " + tail)
	return b.String(), args, nil
}

// load copies rows.
func (s pgSession) load(ctx context.Context, table string, columns []string, rows [][]any) error {
	_, err := s.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}

func (s pgSession) tryLoad(ctx context.Context, table string, columns []string, rows [][]any) (done bool, err error) {
	inner, err := s.tx.Begin(ctx) // a savepoint
	if err != nil {
		return false, err
	}
	if err = (pgSession{inner}).load(ctx, table, columns, rows); err == nil {
		return true, inner.Commit(ctx)
	}
	if back := inner.Rollback(ctx); IsUnique(err) {
		return false, back
	}
	return false, err
}

func (s pgSession) query(ctx context.Context, text string, args []any) (Rows, error) {
	return s.tx.Query(ctx, text, args...)
}

// IsUnique says whether a unique constraint refused the statement. On PostgreSQL the transaction is then
// lost: prefer ON CONFLICT DO NOTHING and look at the rows touched.
func IsUnique(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code == "23505"
	}
	return isUniqueSQLite(err)
}
