package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// lone is a SQLite file of one process that does one thing after the other, a simulation's: everything goes through one connection, in
// the goroutine that asks. The file is locked for good and never synced, and what a transaction would have to take back lies in memory,
// so that what was read stays known and a commit writes its pages and nothing else. A transaction within another one waits for ever.
//
// How transactions of several are grouped, and what a reader sees of a writer, is lite's, and is tested there.
type lone struct {
	setUp   *sql.DB // for the migrations, before anything else
	address string
	mu      sync.Mutex
	conn    *liteConn // nil: not open yet
	closed  bool
}

func openLone(ctx context.Context, path string) (*lone, error) {
	address := fileURL(path, "locking_mode(EXCLUSIVE)", "journal_mode(MEMORY)", "synchronous(OFF)", "foreign_keys(1)", "temp_store(MEMORY)", writerCache)
	setUp, err := openSetUp(ctx, address)
	if err != nil {
		return nil, err
	}
	return &lone{setUp: setUp, address: address}, nil
}

func (e *lone) sql() *sql.DB { return e.setUp }

func (e *lone) ping(ctx context.Context) error {
	return e.within(func(c *liteConn) error { return c.ping(ctx) })
}

func (e *lone) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.conn != nil {
		e.conn.close()
		e.conn = nil
	}
	return e.setUp.Close()
}

// within does something with the connection, alone.
func (e *lone) within(do func(*liteConn) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	if e.conn == nil {
		e.setUp.SetMaxIdleConns(-1) // it holds the file
		conn, err := openConn(e.address)
		if err != nil {
			return fmt.Errorf("open the file: %w", err)
		}
		e.conn = conn
	}
	return do(e.conn)
}

func (e *lone) update(ctx context.Context, at Instants, fn func(*Tx) error) error {
	return e.transact(ctx, "BEGIN IMMEDIATE", func(c *liteConn) (end string, err error) {
		if err := guarded(func() error { return fn(&Tx{Now: at.Now, Real: at.Real, on: c}) }); err != nil {
			return "ROLLBACK", err
		}
		return "COMMIT", nil
	})
}

func (e *lone) view(ctx context.Context, at Instants, fn func(*View) error) error {
	return e.transact(ctx, "BEGIN", func(c *liteConn) (end string, err error) {
		open := func(context.Context) (session, error) { return c, nil }
		return "ROLLBACK", guarded(func() error { return fn(&View{Now: at.Now, Real: at.Real, open: open}) })
	})
}

// transact runs a transaction that says itself how it ends.
func (e *lone) transact(ctx context.Context, begin string, run func(*liteConn) (end string, err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return rethrow(e.within(func(c *liteConn) error {
		if _, err := c.exec(ctx, begin, nil); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		end, err := run(c)
		c.closeRows()
		if _, failed := c.exec(ctx, end, nil); failed != nil {
			if end == "COMMIT" {
				c.exec(ctx, "ROLLBACK", nil) //nolint:errcheck // nothing more can be done
			}
			err = errors.Join(err, fmt.Errorf("end: %w", failed))
		}
		return err
	}))
}
