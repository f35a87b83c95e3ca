package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

// liteConn is one connection to a SQLite file with its prepared statements. It speaks with the driver itself: what database/sql does
// for a statement takes about as long as a small statement does.
type liteConn struct {
	conn     driver.Conn
	prepared map[string]*liteStmt
	open     []*liteRows
	args     []driver.NamedValue // of the statement that is being done
}

// liteStmt is a prepared statement.
type liteStmt struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	stmt  driver.Stmt
	order []int // which argument each parameter is; nil: as they come
}

func openConn(address string) (*liteConn, error) {
	conn, err := new(sqlite.Driver).Open(address)
	if err != nil {
		return nil, err
	}
	return &liteConn{conn: conn, prepared: map[string]*liteStmt{}}, nil
}

func (c *liteConn) ping(ctx context.Context) error {
	if p, ok := c.conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *liteConn) close() {
	for _, s := range c.prepared {
		s.stmt.Close() //nolint:errcheck // the connection goes away
	}
	c.conn.Close() //nolint:errcheck // as above
}

// stale says that the connection holds so many statements that it is better opened anew.
func (c *liteConn) stale() bool { return len(c.prepared) >= preparedMost }

// statement is the prepared statement of a text; kept says that it stays so.
func (c *liteConn) statement(text string) (s *liteStmt, kept bool, err error) {
	if s, ok := c.prepared[text]; ok {
		return s, true, nil
	}
	plain, order := positional(text)
	stmt, err := c.conn.(driver.ConnPrepareContext).PrepareContext(context.Background(), plain)
	if err != nil {
		return nil, false, err
	}
	s = &liteStmt{exec: stmt.(driver.StmtExecContext), query: stmt.(driver.StmtQueryContext), stmt: stmt, order: order}
	if kept = len(c.prepared) < preparedMost; kept {
		c.prepared[text] = s
	}
	return s, kept, nil
}

// positional puts a question mark in the place of each $1, $2 …, with which argument it is: a parameter with a number has a name, and
// the driver looks each name up each time. Texts that hold anything but names, numbers, marks and quoted text stay as they are.
func positional(text string) (plain string, order []int) {
	if !strings.Contains(text, "$") || strings.ContainsAny(text, "?\"`[") || strings.Contains(text, "--") || strings.Contains(text, "/*") {
		return text, nil
	}
	var b strings.Builder
	quoted, inOrder := false, true
	for i := 0; i < len(text); i++ {
		if text[i] == '\'' {
			quoted = !quoted // a quote within is two of them
		}
		end := i + 1
		for text[i] == '$' && end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		n, err := strconv.Atoi(text[i+1 : end])
		if quoted || err != nil || n == 0 {
			b.WriteByte(text[i])
			continue
		}
		b.WriteByte('?')
		order = append(order, n-1)
		inOrder = inOrder && n == len(order)
		i = end - 1
	}
	if inOrder {
		order = nil
	}
	return b.String(), order
}

// named are arguments as the driver takes them, in the statement's order; they are lent until the next statement.
func (c *liteConn) named(s *liteStmt, args []any) ([]driver.NamedValue, error) {
	c.args = c.args[:0]
	add := func(arg any) (err error) {
		v := driver.NamedValue{Ordinal: len(c.args) + 1}
		switch x := arg.(type) {
		case int64, string, []byte:
			v.Value = x
		case int:
			v.Value = int64(x)
		default:
			v.Value, err = driver.DefaultParameterConverter.ConvertValue(x)
		}
		c.args = append(c.args, v)
		return err
	}
	if s.order == nil {
		for i := range args {
			if err := add(args[i]); err != nil {
				return nil, fmt.Errorf("argument %d: %w", i+1, err)
			}
		}
		return c.args, nil
	}
	for _, i := range s.order {
		if i >= len(args) {
			return nil, fmt.Errorf("argument %d is missing", i+1)
		}
		if err := add(args[i]); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return c.args, nil
}

// Statements are done without the caller's context: cut off in the middle, the engine would roll back the whole group.
func (c *liteConn) exec(_ context.Context, text string, args []any) (int64, error) {
	s, kept, err := c.statement(text)
	if err != nil {
		return 0, err
	}
	if !kept {
		defer s.stmt.Close() //nolint:errcheck // it was done
	}
	values, err := c.named(s, args)
	if err != nil {
		return 0, err
	}
	result, err := s.exec.ExecContext(context.Background(), values)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *liteConn) query(_ context.Context, text string, args []any) (Rows, error) {
	s, kept, err := c.statement(text)
	if err != nil {
		return nil, err
	}
	rows := &liteRows{conn: c}
	if !kept {
		rows.stmt = s.stmt
	}
	values, err := c.named(s, args)
	if err == nil {
		rows.on, err = s.query.QueryContext(context.Background(), values)
	}
	if err != nil {
		if rows.stmt != nil {
			rows.stmt.Close() //nolint:errcheck // the first error is told
		}
		return nil, err
	}
	rows.values = make([]driver.Value, len(rows.on.Columns()))
	c.open = append(c.open, rows)
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
	conn   *liteConn
	on     driver.Rows // nil: closed
	stmt   driver.Stmt // that is not kept; else nil
	values []driver.Value
	err    error
}

func (r *liteRows) Next() bool {
	if r.on == nil || r.err != nil {
		return false
	}
	if err := r.on.Next(r.values); err != nil {
		if !errors.Is(err, io.EOF) {
			r.err = err
		}
		r.Close()
		return false
	}
	return true
}

func (r *liteRows) Scan(dest ...any) error {
	if r.on == nil {
		return errors.New("db: no row to scan")
	}
	if len(dest) != len(r.values) {
		return fmt.Errorf("db: %d columns are scanned into %d places", len(r.values), len(dest))
	}
	for i, v := range r.values {
		if err := scanInto(dest[i], v); err != nil {
			return fmt.Errorf("column %q: %w", r.on.Columns()[i], err)
		}
	}
	return nil
}

func (r *liteRows) Err() error { return r.err }

func (r *liteRows) Close() {
	if r.on == nil {
		return
	}
	if err := r.on.Close(); err != nil && r.err == nil {
		r.err = err
	}
	r.on = nil
	if r.stmt != nil {
		r.stmt.Close() //nolint:errcheck // its rows were read
	}
	if i := slices.Index(r.conn.open, r); i >= 0 {
		r.conn.open = slices.Delete(r.conn.open, i, i+1)
	}
}

// scanInto puts a value of the engine (a number, text, bytes, or nothing) where it is wanted.
func scanInto(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
	case *int:
		if n, ok := v.(int64); ok {
			*d = int(n)
			return nil
		}
	case *[]byte:
		switch x := v.(type) {
		case []byte: // a copy of the driver's
			*d = x
			return nil
		case string:
			*d = []byte(x)
			return nil
		case nil:
			*d = nil
			return nil
		}
	case *any:
		*d = v
		return nil
	case sql.Scanner:
		return d.Scan(v)
	}
	return reflectInto(dest, v)
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
