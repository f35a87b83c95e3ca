package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// lone is a SQLite file of one process that does one thing after the other, a simulation's: everything goes through one connection, in
// the goroutine that asks. The file is locked for good and never synced, what a transaction would have to take back lies in memory, and
// each Update is a savepoint in a transaction of many: what is done is written to the file now and then, and when the store is closed.
// A transaction within another one waits for ever.
//
// How transactions of several are grouped, and what a reader sees of a writer, is lite's, and is tested there.
type lone struct {
	setUp  *sql.DB // for the migrations, before anything else
	file   liteFile
	mu     sync.Mutex
	conn   *liteConn // nil: not open yet
	done   int       // Updates of the transaction that is open; < 0: none is
	lost   error     // the transaction was thrown away with all its Updates
	closed bool
}

func openLone(ctx context.Context, path string) (*lone, error) {
	file := liteFile{path, []string{"locking_mode(EXCLUSIVE)", "journal_mode(MEMORY)", "synchronous(OFF)", "foreign_keys(1)", "temp_store(MEMORY)", writerCache}}
	setUp, err := openSetUp(ctx, file)
	if err != nil {
		return nil, err
	}
	return &lone{setUp: setUp, file: file, done: -1}, nil
}

func (e *lone) sql() *sql.DB { return e.setUp }

func (e *lone) ping(ctx context.Context) error {
	return e.within(func(c *liteConn) error { return c.ping(ctx) })
}

func (e *lone) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	var err error
	if e.conn != nil {
		err = e.commit()
		e.conn.close()
		e.conn = nil
	}
	return errors.Join(err, e.setUp.Close())
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
		conn, err := openConn(e.file)
		if err != nil {
			return fmt.Errorf("open the file: %w", err)
		}
		e.conn = conn
	}
	return do(e.conn)
}

// loneGroup is how many Updates are committed together.
const loneGroup = 500

// begin opens the transaction that Updates are savepoints of, unless it is open.
func (e *lone) begin() error {
	if e.lost != nil || e.done >= 0 {
		return e.lost
	}
	if _, err := e.conn.exec(context.Background(), "BEGIN IMMEDIATE", nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	e.done = 0
	return nil
}

// commit ends the transaction, if one is open.
func (e *lone) commit() error {
	if e.lost != nil || e.done < 0 {
		return e.lost
	}
	if _, err := e.conn.exec(context.Background(), "COMMIT", nil); err != nil {
		e.lost = fmt.Errorf("commit: %w", err)
		return e.lost
	}
	e.done = -1
	return nil
}

func (e *lone) update(ctx context.Context, at Instants, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return rethrow(e.within(func(c *liteConn) error {
		if err := e.begin(); err != nil {
			return err
		}
		w := &write{at: at, fn: fn}
		if c.runOne(ctx, w) {
			e.lost = fmt.Errorf("all since the last commit are lost: %w", w.err)
			return e.lost
		}
		if e.done++; e.done >= loneGroup {
			return errors.Join(w.err, e.commit())
		}
		return w.err
	}))
}

func (e *lone) view(ctx context.Context, at Instants, fn func(*View) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return rethrow(e.within(func(c *liteConn) error {
		if err := e.begin(); err != nil {
			return err
		}
		defer c.closeRows()
		open := func(context.Context) (session, error) { return c, nil }
		return guarded(func() error { return fn(&View{Now: at.Now, Real: at.Real, open: open}) })
	}))
}
