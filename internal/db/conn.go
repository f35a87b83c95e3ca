package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"
)

// liteFile is a SQLite file and what is set on each connection to it.
type liteFile struct {
	path    string
	pragmas []string
}

// liteConn is one connection to a SQLite file with its prepared statements, of one goroutine at a time. It speaks with the engine
// through a thin binding: what database/sql and a driver for it do for a statement takes about as long as a small statement does.
type liteConn struct {
	conn     *sqlite.Conn
	prepared map[string]*liteStmt
	open     []*liteRows
}

// liteStmt is a prepared statement.
type liteStmt struct {
	*sqlite.Stmt
	columns int
	params  []int // which argument each is
	busy    bool  // its rows are being read
	heavy   bool  // it holds long arguments
}

// heavyLeast is from which length on an argument is not held by a statement that rests.
const heavyLeast = 4 << 10

func openConn(file liteFile) (*liteConn, error) {
	conn, err := sqlite.OpenConn(file.path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	c := &liteConn{conn: conn, prepared: map[string]*liteStmt{}}
	for _, pragma := range file.pragmas {
		if err := c.transient("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return c, nil
}

// transient does a statement that is not kept, whatever it answers.
func (c *liteConn) transient(text string) error {
	stmt, _, err := c.conn.PrepareTransient(text)
	if err != nil {
		return err
	}
	return errors.Join(run(stmt), stmt.Finalize())
}

// run runs a statement to its end.
func run(stmt *sqlite.Stmt) error {
	for {
		if more, err := stmt.Step(); err != nil || !more {
			return err
		}
	}
}

func (c *liteConn) ping(context.Context) error { return c.transient("SELECT 1") }

func (c *liteConn) close() {
	c.closeRows()
	for _, s := range c.prepared {
		s.Finalize() //nolint:errcheck // the connection goes away
	}
	c.conn.Close() //nolint:errcheck // as above
}

// stale says that the connection holds so many statements that it is better opened anew.
func (c *liteConn) stale() bool { return len(c.prepared) >= preparedMost }

// statement is the prepared statement of a text; kept says that it stays so.
func (c *liteConn) statement(text string) (s *liteStmt, kept bool, err error) {
	s, there := c.prepared[text]
	if there && !s.busy {
		return s, true, nil
	}
	kept = !there && len(c.prepared) < preparedMost
	stmt, err := c.prepare(text, kept)
	if err != nil {
		return nil, false, err
	}
	s = &liteStmt{Stmt: stmt, columns: stmt.ColumnCount(), params: make([]int, stmt.BindParamCount())}
	for i := range s.params {
		s.params[i] = i
		if name := stmt.BindParamName(i + 1); name != "" {
			n, err := strconv.Atoi(strings.TrimPrefix(name, "$"))
			if err != nil || n < 1 {
				return nil, false, errors.Join(fmt.Errorf("db: parameter %q has no number", name), stmt.Finalize())
			}
			s.params[i] = n - 1
		}
	}
	if kept {
		c.prepared[text] = s
	}
	return s, kept, nil
}

// prepare prepares a statement; one that is kept takes no memory from what the engine sets aside for those that run.
func (c *liteConn) prepare(text string, kept bool) (*sqlite.Stmt, error) {
	if kept {
		return c.conn.Prepare(text)
	}
	stmt, rest, err := c.conn.PrepareTransient(text)
	if err == nil && rest > 0 {
		err = errors.Join(errors.New("db: one statement at a time"), stmt.Finalize())
	}
	return stmt, err
}

// bind gives the statement its arguments.
func (s *liteStmt) bind(args []any) error {
	for i, from := range s.params {
		if from >= len(args) {
			return fmt.Errorf("argument %d is missing", from+1)
		}
		switch x := args[from].(type) {
		case int64:
			s.BindInt64(i+1, x)
		case string:
			s.bindText(i+1, x)
		case []byte:
			s.bindBytes(i+1, x)
		case int:
			s.BindInt64(i+1, int64(x))
		default:
			if err := s.bindOther(i+1, x); err != nil {
				return fmt.Errorf("argument %d: %w", from+1, err)
			}
		}
	}
	return nil
}

func (s *liteStmt) bindText(param int, x string) {
	s.heavy = s.heavy || len(x) >= heavyLeast
	s.BindText(param, x)
}

func (s *liteStmt) bindBytes(param int, x []byte) {
	if s.heavy = s.heavy || len(x) >= heavyLeast; x == nil {
		s.BindNull(param)
	} else {
		s.BindBytes(param, x)
	}
}

// bindOther binds what is made of numbers and text.
func (s *liteStmt) bindOther(param int, arg any) error {
	value, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return err
	}
	switch x := value.(type) {
	case nil:
		s.BindNull(param)
	case int64:
		s.BindInt64(param, x)
	case string:
		s.bindText(param, x)
	case []byte:
		s.bindBytes(param, x)
	case bool:
		s.BindBool(param, x)
	default:
		return fmt.Errorf("a %T is not kept", arg) // nothing in the store is a float
	}
	return nil
}

// Statements are done without the caller's context: cut off in the middle, the engine would roll back the whole group.
func (c *liteConn) exec(_ context.Context, text string, args []any) (int64, error) {
	s, kept, err := c.statement(text)
	if err != nil {
		return 0, err
	}
	if err = s.bind(args); err == nil {
		err = run(s.Stmt)
	}
	touched := int64(c.conn.Changes())
	s.rest(kept)
	return touched, err
}

// rest ends what the statement did; kept: it may do it again.
func (s *liteStmt) rest(kept bool) {
	s.busy = false
	if !kept {
		s.Finalize() //nolint:errcheck // it tells the error of the last step again
		return
	}
	s.Reset() //nolint:errcheck // as above
	if s.heavy {
		s.heavy = false
		s.ClearBindings() //nolint:errcheck // it has no error of its own
	}
}

func (c *liteConn) query(_ context.Context, text string, args []any) (Rows, error) {
	s, kept, err := c.statement(text)
	if err != nil {
		return nil, err
	}
	rows := &liteRows{conn: c, on: s, kept: kept}
	s.busy = true
	c.open = append(c.open, rows)
	if err = s.bind(args); err == nil {
		rows.first, err = s.Step()
	}
	if err != nil {
		rows.Close()
		return nil, err
	}
	rows.ended = !rows.first
	return rows, nil
}

// closeRows closes what a deed has left open; an open cursor would keep the transaction from ending.
func (c *liteConn) closeRows() {
	for len(c.open) > 0 {
		c.open[len(c.open)-1].Close()
	}
}

// liteRows walks over the rows of a query.
type liteRows struct {
	conn  *liteConn
	on    *liteStmt // nil: closed
	kept  bool      // the statement stays prepared
	first bool      // it stands on the first row, which is still to be asked for
	ended bool
	err   error
}

func (r *liteRows) Next() bool {
	if r.on == nil || r.err != nil {
		return false
	}
	if r.first {
		r.first = false
		return true
	}
	if !r.ended {
		var more bool
		more, r.err = r.on.Step()
		r.ended = !more || r.err != nil
	}
	if r.ended {
		r.Close()
	}
	return !r.ended
}

func (r *liteRows) Scan(dest ...any) error {
	if r.on == nil {
		return errors.New("db: no row to scan")
	}
	if len(dest) != r.on.columns {
		return fmt.Errorf("db: %d columns are scanned into %d places", r.on.columns, len(dest))
	}
	for i := range dest {
		if err := r.on.scanInto(i, dest[i]); err != nil {
			return fmt.Errorf("column %q: %w", r.on.ColumnName(i), err)
		}
	}
	return nil
}

func (r *liteRows) Err() error { return r.err }

func (r *liteRows) Close() {
	s := r.on
	if s == nil {
		return
	}
	r.on = nil
	s.rest(r.kept)
	if i := slices.Index(r.conn.open, r); i >= 0 {
		r.conn.open = slices.Delete(r.conn.open, i, i+1)
	}
}

// scanInto puts a column of the row (a number, text, bytes, or nothing) where it is wanted.
func (s *liteStmt) scanInto(i int, dest any) error {
	kind := s.ColumnType(i)
	switch d := dest.(type) {
	case *string:
		if kind == sqlite.TypeText {
			*d = s.ColumnText(i)
			return nil
		}
	case *int64:
		if kind == sqlite.TypeInteger {
			*d = s.ColumnInt64(i)
			return nil
		}
	case *int:
		if kind == sqlite.TypeInteger {
			*d = int(s.ColumnInt64(i))
			return nil
		}
	case *[]byte:
		switch kind {
		case sqlite.TypeBlob, sqlite.TypeText:
			*d = s.bytes(i)
			return nil
		case sqlite.TypeNull:
			*d = nil
			return nil
		}
	case *any:
		*d = s.value(i)
		return nil
	case sql.Scanner:
		return d.Scan(s.value(i))
	}
	return reflectInto(dest, s.value(i))
}

// bytes are a copy of a column's.
func (s *liteStmt) bytes(i int) []byte {
	out := make([]byte, s.ColumnLen(i))
	s.ColumnBytes(i, out)
	return out
}

// value is a column; nil: nothing, or a kind that the store has not.
func (s *liteStmt) value(i int) driver.Value {
	switch s.ColumnType(i) {
	case sqlite.TypeInteger:
		return s.ColumnInt64(i)
	case sqlite.TypeText:
		return s.ColumnText(i)
	case sqlite.TypeBlob:
		return s.bytes(i)
	}
	return nil
}

// reflectInto is scanInto for types that are made of numbers and text.
func reflectInto(dest any, v driver.Value) error {
	at := reflect.ValueOf(dest)
	if at.Kind() != reflect.Pointer || at.IsNil() {
		return fmt.Errorf("cannot be scanned into %T", dest)
	}
	at = at.Elem()
	switch x := v.(type) {
	case int64:
		switch {
		case at.CanInt() && !at.OverflowInt(x):
			at.SetInt(x)
			return nil
		case at.CanUint() && x >= 0 && !at.OverflowUint(uint64(x)):
			at.SetUint(uint64(x))
			return nil
		case at.Kind() == reflect.Bool && (x == 0 || x == 1):
			at.SetBool(x == 1)
			return nil
		case at.Kind() == reflect.String:
			at.SetString(strconv.FormatInt(x, 10))
			return nil
		}
	case string:
		if at.Kind() == reflect.String {
			at.SetString(x)
			return nil
		}
	}
	return fmt.Errorf("%T cannot be scanned into %T", v, dest)
}
