package db

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// Arguments come where their numbers are, however often and in whatever order; a statement is done within itself.
func TestArguments(t *testing.T) {
	ctx, at := t.Context(), Instants{Now: time.Unix(1, 0), Real: time.Unix(1, 0)}
	d, err := Open(ctx, filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // the test is over
	err = d.Update(ctx, at, func(tx *Tx) error {
		for text, want := range map[string]string{
			`SELECT $1 || $2 || $3`:               "abc",
			`SELECT $3 || $1 || $2 || $1`:         "caba",
			`SELECT ? || ? || ?`:                  "abc",
			`SELECT '$2' || $2 -- and it's $1`:    "$2b",
			`SELECT $2 /* $1 */ || 'it''s' || $1`: "bit'sa",
		} {
			var got string
			if err := tx.QueryRow(ctx, text, "a", "b", "c").Scan(&got); err != nil || got != want {
				t.Errorf("%s: %q, %v, want %q", text, got, err, want)
			}
		}
		for _, text := range []string{`SELECT :name`, `SELECT $1; SELECT $2`, `SELECT $4`} {
			var got string
			if err := tx.QueryRow(ctx, text, "a", "b", "c").Scan(&got); err == nil {
				t.Errorf("%s: %q", text, got)
			}
		}
		const pair = `SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2) ORDER BY n`
		outer, err := tx.Query(ctx, pair)
		if err != nil {
			return err
		}
		defer outer.Close()
		sum := 0
		for outer.Next() {
			inner, err := tx.Query(ctx, pair)
			if err != nil {
				return err
			}
			var a, b int
			for inner.Next() {
				if err := errors.Join(outer.Scan(&a), inner.Scan(&b)); err != nil {
					return err
				}
				sum += 10*a + b
			}
			if err := inner.Err(); err != nil {
				return err
			}
		}
		if sum != 11+12+21+22 || outer.Err() != nil {
			t.Error(sum, outer.Err())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type (
	amount int64
	small  int8
	word   string
)

// What the engine holds comes into every kind of place that code has for it, and into no other.
func TestScan(t *testing.T) {
	for name, open := range map[string]func(context.Context, string) (*DB, error){"several": Open, "alone": OpenUnsynced} {
		t.Run(name, func(t *testing.T) {
			ctx, at := t.Context(), Instants{Now: time.Unix(1, 0), Real: time.Unix(1, 0)}
			d, err := open(ctx, filepath.Join(t.TempDir(), "x.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close() //nolint:errcheck // the test is over
			err = d.Update(ctx, at, func(tx *Tx) error {
				if _, err := tx.Exec(ctx, `CREATE TABLE t (n INTEGER, s TEXT, b BLOB)`); err != nil {
					return err
				}
				n, err := tx.Exec(ctx, `INSERT INTO t (n, s, b) VALUES ($1, $2, $3)`, amount(1000), word("a"), []byte{1})
				if n != 1 {
					t.Errorf("%d rows", n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			err = d.View(ctx, at, func(v *View) error {
				var n int64
				var i int
				var a amount
				var s string
				var w word
				var b []byte
				var any1 any
				if err := v.QueryRow(ctx, `SELECT n, n, n, s, s, b, n FROM t WHERE n = $1 OR n = $2 OR n = $1`, 1, amount(1000)).Scan(&n, &i, &a, &s, &w, &b, &any1); err != nil {
					return err
				}
				if n != 1000 || i != 1000 || a != 1000 || s != "a" || w != "a" || len(b) != 1 || any1 != int64(1000) {
					t.Error(n, i, a, s, w, b, any1)
				}
				var few small
				var no *string
				for text, into := range map[string]any{`SELECT n FROM t`: &few, `SELECT s FROM t`: &n, `SELECT NULL`: &s, `SELECT b FROM t`: &no, `SELECT n, s FROM t`: &n} {
					if err := v.QueryRow(ctx, text).Scan(into); err == nil {
						t.Errorf("%s into %T", text, into)
					}
				}
				if err := v.QueryRow(ctx, `SELECT n FROM t WHERE n = $1 AND s = $2`, 1).Scan(&n); err == nil {
					t.Error("an argument was missing")
				}
				if err := v.QueryRow(ctx, `SELECT n FROM t WHERE n = $1`, 1).Scan(&n); err != ErrNoRows {
					t.Errorf("no row: %v", err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The store of who is alone keeps what was committed, also over a close, and nothing of what failed or panicked.
func TestAlone(t *testing.T) {
	ctx, at, path := t.Context(), Instants{Now: time.Unix(1, 0), Real: time.Unix(1, 0)}, filepath.Join(t.TempDir(), "x.db")
	var d *DB
	open := func() {
		t.Helper()
		var err error
		if d, err = OpenUnsynced(ctx, path); err != nil {
			t.Fatal(err)
		}
	}
	add := func(n int, then func() error) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = context.Canceled
			}
		}()
		return d.Update(ctx, at, func(tx *Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO t (n) VALUES ($1)`, n); err != nil {
				return err
			}
			return then()
		})
	}
	open()
	if _, err := d.SQL().Exec(`CREATE TABLE t (n INTEGER PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	fine := func() error { return nil }
	if err := add(1, fine); err != nil {
		t.Error(err)
	}
	if err := add(2, func() error { return context.DeadlineExceeded }); err != context.DeadlineExceeded {
		t.Error(err)
	}
	if err := add(3, func() error { panic("boom") }); err != context.Canceled {
		t.Error(err)
	}
	if err := add(1, fine); !IsUnique(err) {
		t.Error(err)
	}
	if err := add(4, fine); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := add(5, fine); err != ErrClosed {
		t.Error(err)
	}
	open()
	defer d.Close() //nolint:errcheck // the test is over
	sum := 0
	err := d.View(ctx, at, func(v *View) error { return v.QueryRow(ctx, `SELECT CAST(sum(n) AS BIGINT) FROM t`).Scan(&sum) })
	if err != nil || sum != 5 {
		t.Errorf("%d, %v", sum, err)
	}
}
