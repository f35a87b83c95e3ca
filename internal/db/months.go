package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/purser-cloud/purser/internal/period"
)

// Monthly is the upkeep of tables that PostgreSQL keeps in one table for each month (see schema): one process at a time does it.
// Which tables these are, and which months there are, the engine knows.
type Monthly struct {
	conn   *pgx.Conn
	tables []monthlyTable
}

type monthlyTable struct {
	name, column string
	parts        []part // with bounds; by their end
}

// part is one of a table's tables: from (exclusive) to (inclusive), in microseconds.
type part struct {
	name     string
	from, to int64
}

// monthsLock is the lock that the upkeep holds; any number that nothing else locks.
const monthsLock = 7_218_400_067

// lockWait is how long the upkeep waits for a table, and others for it, before it comes again another time.
const lockWait = `SET LOCAL lock_timeout = '1s'`

// Monthly runs fn for the upkeep of monthly tables, when no other process is at it and the engine has such.
func (d *DB) Monthly(ctx context.Context, fn func(*Monthly) error) error {
	on, ok := d.engine.(*postgres)
	if !ok {
		return nil
	}
	c, err := on.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	mine := false
	if err := c.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(monthsLock)).Scan(&mine); err != nil || !mine {
		return err
	}
	defer func() {
		if _, err := c.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(monthsLock)); err != nil {
			c.Conn().Close(context.WithoutCancel(ctx)) //nolint:errcheck // the lock goes with the connection
		}
	}()
	m := &Monthly{conn: c.Conn()}
	if err := m.read(ctx); err != nil {
		return err
	}
	return fn(m)
}

var (
	partKey   = regexp.MustCompile(`^RANGE \(([a-z_]+)\)$`)
	partBound = regexp.MustCompile(`^FOR VALUES FROM \((MINVALUE|'(-?\d+)')\) TO \('(-?\d+)'\)$`)
	partName  = regexp.MustCompile(`^(.+)_(before|m(\d{4})(\d\d))$`)
)

// read learns which tables there are.
func (m *Monthly) read(ctx context.Context) error {
	rows, err := m.conn.Query(ctx, `SELECT t.relname, pg_get_partkeydef(t.oid), coalesce(p.relname, ''), coalesce(pg_get_expr(p.relpartbound, p.oid), '')
		FROM pg_class t JOIN pg_partitioned_table k ON k.partrelid = t.oid AND k.partstrat = 'r'
		LEFT JOIN pg_inherits i ON i.inhparent = t.oid LEFT JOIN pg_class p ON p.oid = i.inhrelid
		WHERE t.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY t.relname`)
	if err != nil {
		return fmt.Errorf("read the months: %w", err)
	}
	var name, key, child, bound string
	m.tables = nil
	_, err = pgx.ForEachRow(rows, []any{&name, &key, &child, &bound}, func() error {
		if n := len(m.tables); n == 0 || m.tables[n-1].name != name {
			column := partKey.FindStringSubmatch(key)
			if column == nil {
				return fmt.Errorf("table %s is kept by %q, not by months", name, key)
			}
			m.tables = append(m.tables, monthlyTable{name: name, column: column[1]})
		}
		of := partBound.FindStringSubmatch(bound)
		if of == nil {
			return nil // what there is no month for
		}
		p := part{name: child, from: -1 << 62}
		if of[2] != "" {
			p.from, _ = strconv.ParseInt(of[2], 10, 64) //nolint:errcheck // digits
		}
		p.to, _ = strconv.ParseInt(of[3], 10, 64) //nolint:errcheck // likewise
		p.from, p.to = p.from-1, p.to-1
		t := &m.tables[len(m.tables)-1]
		t.parts = append(t.parts, p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the months: %w", err)
	}
	for i := range m.tables {
		slices.SortFunc(m.tables[i].parts, func(a, b part) int { return int(min(max(a.to-b.to, -1), 1)) })
	}
	return nil
}

// Make sees that each table has its months from first to last, and says how many were made. A month of which rows have come before
// it was made stays without a table of its own, as does one whose table cannot be locked at the moment.
func (m *Monthly) Make(ctx context.Context, first, last period.Cycle) (made int, err error) {
	for i := range m.tables {
		t := &m.tables[i]
		for month := first; month <= last; month++ {
			span := month.Span()
			from, to := Micros(span.Start), Micros(span.End)
			if slices.ContainsFunc(t.parts, func(p part) bool { return p.from < to && from < p.to }) {
				continue
			}
			name := monthName(t.name, month)
			err := pgx.BeginFunc(ctx, m.conn, func(tx pgx.Tx) error {
				for _, text := range []string{
					lockWait, "CREATE TABLE " + name + " (LIKE " + t.name + " INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE)",
					fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)", t.name, name, from+1, to+1),
				} {
					if _, err := tx.Exec(ctx, text); err != nil {
						return err
					}
				}
				return nil
			})
			switch code := codeOf(err); {
			case code == "23514", code == "42P07": // rows are there without it; a table of that month was put away
			case code == "55P03", code == "40P01":
				return made, nil
			case err != nil:
				return made, fmt.Errorf("make %s: %w", name, err)
			default:
				t.parts = append(t.parts, part{name, from, to})
				made++
			}
		}
	}
	return made, nil
}

func monthName(table string, month period.Cycle) string {
	return fmt.Sprintf("%s_m%04d%02d", table, month.Year(), int(month.Month()))
}

func codeOf(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Detach takes the parts away that end no later than an instant, but for those of which a condition holds for some row
// (conditions by table), and says how many. They are tables of their own then, which nothing reads. Since a table with a part for what
// has no month cannot let go of one CONCURRENTLY, it is locked for a moment; where that is not to be had, it is done another time.
func (m *Monthly) Detach(ctx context.Context, before time.Time, unless map[string]string) (gone int, err error) {
	for i := range m.tables {
		t := &m.tables[i]
		for _, p := range slices.Clone(t.parts) {
			if p.to > Micros(before) {
				break
			}
			if condition := unless[t.name]; condition != "" {
				var waits bool
				if err := m.conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+p.name+" WHERE "+condition+")").Scan(&waits); err != nil {
					return gone, fmt.Errorf("look into %s: %w", p.name, err)
				}
				if waits {
					continue
				}
			}
			err := pgx.BeginFunc(ctx, m.conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, lockWait); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "ALTER TABLE "+t.name+" DETACH PARTITION "+p.name)
				return err
			})
			if code := codeOf(err); code == "55P03" || code == "40P01" {
				return gone, nil
			}
			if err != nil {
				return gone, fmt.Errorf("detach %s: %w", p.name, err)
			}
			t.parts = slices.DeleteFunc(t.parts, func(o part) bool { return o == p })
			gone++
		}
	}
	return gone, nil
}

// PutAway is a part that was taken out of its table.
type PutAway struct {
	Table string // that it was a part of
	Name  string
	Note  string // that was left on it
}

// PutAway lists the parts that were taken out and are still there, by name.
func (m *Monthly) PutAway(ctx context.Context) (out []PutAway, err error) {
	rows, err := m.conn.Query(ctx, `SELECT relname, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class
		WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind = 'r' AND NOT relispartition ORDER BY relname`)
	if err != nil {
		return nil, err
	}
	var p PutAway
	_, err = pgx.ForEachRow(rows, []any{&p.Name, &p.Note}, func() error {
		of := partName.FindStringSubmatch(p.Name)
		if of != nil && slices.ContainsFunc(m.tables, func(t monthlyTable) bool { return t.name == of[1] }) {
			p.Table = of[1]
			out = append(out, p)
		}
		return nil
	})
	return out, err
}

// CopyOut writes a part that was taken out as CSV with a line of headings, by the order of its key, and says how many rows there were.
func (m *Monthly) CopyOut(ctx context.Context, p *PutAway, to io.Writer) (rows int64, err error) {
	var key string
	err = m.conn.QueryRow(ctx, `SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.n) FROM pg_index i, unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY k(attnum, n), pg_attribute a
		WHERE i.indisprimary AND i.indrelid = CAST($1 AS regclass) AND a.attrelid = i.indrelid AND a.attnum = k.attnum`, p.Name).Scan(&key)
	if err != nil {
		return 0, fmt.Errorf("key of %s: %w", p.Name, err)
	}
	tag, err := m.conn.PgConn().CopyTo(ctx, to, "COPY (SELECT * FROM "+p.Name+" ORDER BY "+key+") TO STDOUT (FORMAT csv, HEADER)")
	if err != nil {
		return 0, fmt.Errorf("copy %s: %w", p.Name, err)
	}
	return tag.RowsAffected(), nil
}

// Leave leaves a note on a part that was taken out.
func (m *Monthly) Leave(ctx context.Context, p *PutAway, note string) error {
	text, err := m.conn.PgConn().EscapeString(note)
	if err != nil {
		return err
	}
	_, err = m.conn.Exec(ctx, "COMMENT ON TABLE "+p.Name+" IS '"+text+"'")
	return err
}

// Drop forgets a part that was taken out.
func (m *Monthly) Drop(ctx context.Context, p *PutAway) error {
	_, err := m.conn.Exec(ctx, "DROP TABLE "+p.Name)
	return err
}

// makeFor makes the months of which a SQLite store has rows.
func (m *Monthly) makeFor(ctx context.Context, from *sql.Conn) error {
	for _, t := range m.tables {
		var least, most sql.NullInt64
		if err := from.QueryRowContext(ctx, "SELECT min("+t.column+"), max("+t.column+") FROM "+t.name).Scan(&least, &most); err != nil {
			return err
		}
		if !least.Valid {
			continue
		}
		first, last := period.CycleOf(TimeOf(least.Int64-1)), period.CycleOf(TimeOf(most.Int64-1))
		one := &Monthly{conn: m.conn, tables: []monthlyTable{t}}
		if _, err := one.Make(ctx, max(first, last-movedMost), last); err != nil {
			return err
		}
	}
	return nil
}

// movedMost is how many months back a move makes a table for.
const movedMost = 240
