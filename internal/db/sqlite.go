package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"sync"

	driver "modernc.org/sqlite"
	"zombiezen.com/go/sqlite"
)

const (
	groupMost    = 64   // operations that share one commit
	queueMost    = 1024 // operations that wait for the writer before callers are held back
	preparedMost = 512  // statements kept prepared per connection
)

// lite is SQLite: all writes run one after another on one connection, and those that wait together are
// committed together, each in a savepoint of its own. Reads run on other connections and see the last commit (WAL).
type lite struct {
	path    string
	setUp   *sql.DB // for the migrations
	writing liteFile
	reading liteFile
	queue   chan *write
	turns   chan struct{} // one for each reader that may be at work
	mu      sync.Mutex
	idle    []*liteConn // the one that was used last is at the end: it is warm, with its pages and prepared statements
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
}

// write is an operation on its way to the writer.
type write struct {
	ctx  context.Context
	at   Instants
	fn   func(*Tx) error
	err  error
	done chan struct{}
}

// errGroupLost says that the engine threw away the whole group because of another operation (disk full, I/O);
// this one is run again.
var errGroupLost = errors.New("db: group rolled back")

// The writer keeps the pages that it comes back to (at most 64 MiB), and lets the log grow to 16 MiB before it is moved into
// the file: a page that many writes change is moved once.
const (
	writerCache = "cache_size(-65536)"
	writerLog   = "wal_autocheckpoint(4000)"
)

// openSQLite opens a file; more is set on the writer besides what it needs.
func openSQLite(ctx context.Context, path string, more ...string) (*lite, error) {
	file := func(pragmas ...string) liteFile {
		// busy_timeout comes first: the change to WAL may itself have to wait.
		return liteFile{path, append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)"}, pragmas...)}
	}
	writing := file(append([]string{writerCache, writerLog}, more...)...)
	setUp, err := openSetUp(ctx, writing)
	if err != nil {
		return nil, err
	}
	most := max(4, 2*runtime.GOMAXPROCS(0))
	e := &lite{
		path: path, setUp: setUp, writing: writing, reading: file("query_only(1)"),
		queue: make(chan *write, queueMost), turns: make(chan struct{}, most),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go e.writeAll()
	return e, nil
}

// openSetUp opens a file for the migrations.
func openSetUp(ctx context.Context, file liteFile) (*sql.DB, error) {
	on, err := sql.Open("sqlite", fileURL(file.path, file.pragmas...))
	if err != nil {
		return nil, err
	}
	on.SetMaxOpenConns(1)
	if err := on.PingContext(ctx); err != nil {
		return nil, errors.Join(err, on.Close())
	}
	return on, nil
}

// fileURL names a SQLite file for the driver, with what is set on each connection.
func fileURL(path string, pragmas ...string) string {
	values := url.Values{"_txlock": {"immediate"}, "_pragma": pragmas}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: values.Encode()}).String()
}

func (e *lite) sql() *sql.DB { return e.setUp }

// ping asks a connection of the pool: the pool keeps every one that the engine may open, so a new one for the ping
// alone would never come.
func (e *lite) ping(ctx context.Context) error {
	c, err := e.borrow(ctx)
	if err != nil {
		return err
	}
	if err = c.ping(ctx); err != nil {
		c.close()
		c = nil
	}
	e.giveBack(c)
	return err
}

func (e *lite) close() error {
	e.once.Do(func() { close(e.stop) })
	<-e.done
	for range cap(e.turns) { // wait for those that read
		e.turns <- struct{}{}
	}
	for _, c := range e.idle {
		c.close()
	}
	e.idle = nil
	return e.setUp.Close()
}

func (e *lite) update(ctx context.Context, at Instants, fn func(*Tx) error) error {
	for {
		w := &write{ctx: ctx, at: at, fn: fn, done: make(chan struct{})}
		select {
		case e.queue <- w:
		case <-e.stop:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-w.done:
		case <-e.done: // the writer has ended: either it served this one at the last moment or never
			select {
			case <-w.done:
			default:
				return ErrClosed
			}
		}
		if errors.Is(w.err, errGroupLost) {
			continue
		}
		return rethrow(w.err)
	}
}

// writeAll is the one writer.
func (e *lite) writeAll() {
	defer close(e.done)
	var conn *liteConn
	defer func() {
		if conn != nil {
			conn.close()
		}
	}()
	for {
		var first *write
		select {
		case first = <-e.queue:
		case <-e.stop:
			select {
			case first = <-e.queue: // finish what was asked before the stop
			default:
				return
			}
		}
		if conn == nil {
			c, err := openConn(e.writing)
			if err != nil {
				first.answer(fmt.Errorf("open the writer: %w", err))
				continue
			}
			conn = c
		}
		e.group(conn, first)
		if conn.stale() {
			conn.close()
			conn = nil
		}
	}
}

// group runs first and whatever waits behind it in one engine transaction.
func (e *lite) group(conn *liteConn, first *write) {
	ctx := context.Background() // an interrupted statement would roll back the whole group
	if _, err := conn.exec(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		first.answer(fmt.Errorf("begin: %w", err))
		return
	}
	ran := make([]*write, 0, groupMost)
	for w := first; w != nil; {
		if w.ctx.Err() != nil {
			w.answer(w.ctx.Err())
		} else {
			lost := conn.runOne(ctx, w)
			ran = append(ran, w)
			if lost {
				conn.exec(ctx, "ROLLBACK", nil) //nolint:errcheck // the engine has done it already
				for _, other := range ran[:len(ran)-1] {
					other.answer(errGroupLost)
				}
				w.answer(w.err)
				return
			}
		}
		w = nil
		if len(ran) < groupMost {
			select {
			case w = <-e.queue:
			default:
			}
		}
	}
	if _, err := conn.exec(ctx, "COMMIT", nil); err != nil {
		conn.exec(ctx, "ROLLBACK", nil) //nolint:errcheck // nothing more can be done
		for _, w := range ran {
			if w.err == nil {
				w.err = fmt.Errorf("commit: %w", err)
			}
		}
	}
	for _, w := range ran {
		w.answer(w.err)
	}
}

func (w *write) answer(err error) {
	w.err = err
	close(w.done)
}

// runOne runs one operation in its savepoint. It reports whether the engine has lost the whole transaction.
func (c *liteConn) runOne(ctx context.Context, w *write) (lost bool) {
	if _, err := c.exec(ctx, "SAVEPOINT deed", nil); err != nil {
		w.err = fmt.Errorf("savepoint: %w", err)
		return true
	}
	w.err = guarded(func() error { return w.fn(&Tx{Now: w.at.Now, Real: w.at.Real, on: c, number: begun.Add(1)}) })
	c.closeRows()
	if w.err != nil {
		if _, err := c.exec(ctx, "ROLLBACK TO deed", nil); err != nil {
			return true
		}
	}
	if _, err := c.exec(ctx, "RELEASE deed", nil); err != nil {
		if w.err == nil {
			w.err = fmt.Errorf("release: %w", err)
		}
		return true
	}
	return false
}

func (e *lite) view(ctx context.Context, at Instants, fn func(*View) error) error {
	var held *liteConn
	v := &View{Now: at.Now, Real: at.Real, open: func(ctx context.Context) (session, error) {
		c, err := e.borrow(ctx)
		if err != nil {
			return nil, err
		}
		held = c
		if _, err := c.exec(ctx, "BEGIN", nil); err != nil {
			return nil, fmt.Errorf("begin a view: %w", err)
		}
		return c, nil
	}}
	err := guarded(func() error { return fn(v) })
	if held != nil {
		held.closeRows()
		if _, end := held.exec(context.WithoutCancel(ctx), "ROLLBACK", nil); end != nil {
			held.close() // an unknown state is not handed on
			held = nil
		}
		e.giveBack(held)
	}
	return rethrow(err)
}

// borrow takes the reading connection that was used last, or opens one when all are at work.
func (e *lite) borrow(ctx context.Context) (*liteConn, error) {
	select {
	case <-e.stop:
		return nil, ErrClosed
	default:
	}
	select {
	case e.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	e.mu.Lock()
	var c *liteConn
	if n := len(e.idle); n > 0 {
		c, e.idle = e.idle[n-1], e.idle[:n-1]
	}
	e.mu.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := openConn(e.reading)
	if err != nil {
		e.giveBack(nil)
		return nil, fmt.Errorf("open a reader: %w", err)
	}
	return c, nil
}

// giveBack ends a turn; nil: its connection is closed.
func (e *lite) giveBack(c *liteConn) {
	if c != nil {
		e.mu.Lock()
		e.idle = append(e.idle, c)
		e.mu.Unlock()
	}
	<-e.turns
}

// isUniqueSQLite says whether a unique or primary key constraint refused.
func isUniqueSQLite(err error) bool {
	code := liteCode(err)
	return code == sqlite.ResultConstraintUnique || code == sqlite.ResultConstraintPrimaryKey
}

// liteCode is the engine's extended code for an error, of a connection or of the migrations' driver. ResultOK: it is not the engine's.
func liteCode(err error) sqlite.ResultCode {
	var e *driver.Error
	if errors.As(err, &e) {
		return sqlite.ResultCode(e.Code()) //nolint:gosec // codes are small
	}
	if code := sqlite.ErrCode(err); code != sqlite.ResultError {
		return code
	}
	return sqlite.ResultOK
}
