package db_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

var at = dbtest.At(time.Date(2026, 11, 23, 4, 59, 12, 0, time.UTC))

const put = `INSERT INTO once_answer (customer, caller, operation, key, digest, body, given_at)
	VALUES ($1, 'u', 'op', $2, 'd', $3, $4)`

func count(t *testing.T, d *db.DB) (n int) {
	t.Helper()
	err := d.View(context.Background(), at, func(v *db.View) error {
		return v.QueryRow(context.Background(), `SELECT count(*) FROM once_answer`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Of operations that are committed as one group, each that fails keeps nothing and takes no other with it.
func TestEachDeedStandsAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		refused := errors.New("refused")
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				err := d.Update(context.Background(), at, func(tx *db.Tx) error {
					if _, err := tx.Exec(context.Background(), put, "c", fmt.Sprint(i), []byte("x"), db.Micros(tx.Now)); err != nil {
						return err
					}
					if i%3 == 0 {
						return refused
					}
					return nil
				})
				if (i%3 == 0) != errors.Is(err, refused) {
					t.Errorf("operation %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := count(t, d); n != 133 {
			t.Errorf("%d rows kept, want 133", n)
		}
	})
}

// Increments by many writers are never lost: SERIALIZABLE with retry, or one writer.
func TestNoLostUpdate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if err := d.Update(ctx, at, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, put, "c", "counter", []byte("x"), int64(1))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					err := d.Update(ctx, at, func(tx *db.Tx) error {
						var n int64
						if err := tx.QueryRow(ctx, `SELECT given_at FROM once_answer WHERE key = $1`, "counter").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(ctx, `UPDATE once_answer SET given_at = $1 WHERE key = $2`, n+1, "counter")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var n int64
		if err := d.View(ctx, at, func(v *db.View) error {
			return v.QueryRow(ctx, `SELECT given_at FROM once_answer WHERE key = $1`, "counter").Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
		if n != 81 {
			t.Errorf("counted %d, want 81", n)
		}
	})
}

// A read neither waits for a writer in the middle of its work nor sees it.
func TestReadDoesNotWaitForTheWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		wrote, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		done := make(chan error, 1)
		go func() {
			done <- d.Update(ctx, at, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, put, "c", "k", []byte("x"), int64(1))
				once.Do(func() { close(wrote) })
				<-goOn
				return err
			})
		}()
		<-wrote
		if n := count(t, d); n != 0 {
			t.Errorf("saw %d rows that are not committed", n)
		}
		close(goOn)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows after the commit, want 1", n)
		}
	})
}

func TestViewIsOneSnapshotAndCannotWrite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.View(ctx, at, func(v *db.View) error {
			var before, after int
			if err := v.QueryRow(ctx, `SELECT count(*) FROM once_answer`).Scan(&before); err != nil {
				return err
			}
			if err := d.Update(ctx, at, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, put, "c", "k", []byte("x"), int64(1))
				return err
			}); err != nil {
				return err
			}
			if err := v.QueryRow(ctx, `SELECT count(*) FROM once_answer`).Scan(&after); err != nil {
				return err
			}
			if before != 0 || after != 0 {
				t.Errorf("snapshot moved: %d then %d", before, after)
			}
			rows, err := v.Query(ctx, `DELETE FROM once_answer WHERE key = $1`, "k")
			if err == nil {
				rows.Next()
				err = rows.Err()
				rows.Close()
			}
			if err == nil {
				t.Error("a view could write")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(t, d); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

func TestPanicRollsBackAndSurfaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not surface")
				}
			}()
			d.Update(ctx, at, func(tx *db.Tx) error { //nolint:errcheck // it panics
				if _, err := tx.Exec(ctx, put, "c", "k", []byte("x"), int64(1)); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
		}()
		if n := count(t, d); n != 0 {
			t.Errorf("%d rows kept after a panic", n)
		}
	})
}

func TestIsUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		insert := func() error {
			return d.Update(ctx, at, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, put, "c", "k", []byte("x"), int64(1))
				return err
			})
		}
		if err := insert(); err != nil {
			t.Fatal(err)
		}
		if err := insert(); !db.IsUnique(err) {
			t.Errorf("second insert: %v, want a unique violation", err)
		}
	})
}

func TestCancelledCallerKeepsNothingButOthersGoOn(t *testing.T) {
	d := dbtest.SQLite(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var ran atomic.Bool
	err := d.Update(ctx, at, func(*db.Tx) error { ran.Store(true); return nil })
	if !errors.Is(err, context.Canceled) || ran.Load() {
		t.Errorf("cancelled: err %v, ran %v", err, ran.Load())
	}
	if n := count(t, d); n != 0 {
		t.Error("rows kept")
	}
}

func TestClosedRefuses(t *testing.T) {
	d, err := db.Open(context.Background(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Update(context.Background(), at, func(*db.Tx) error { return nil }); !errors.Is(err, db.ErrClosed) {
		t.Errorf("update after close: %v", err)
	}
}

// Readiness is asked while every reading connection is, or has been, in use: it answers all the same.
func TestPingWithAllReadersOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		gate := make(chan struct{})
		for range 8 { // at least as many as SQLite opens here; more wait their turn
			wg.Go(func() {
				err := d.View(context.Background(), at, func(v *db.View) error {
					var n int
					err := v.QueryRow(context.Background(), `SELECT count(*) FROM once_answer`).Scan(&n)
					select {
					case <-gate:
					case <-time.After(200 * time.Millisecond):
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		close(gate)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := d.Ping(ctx); err != nil {
			t.Errorf("after all readers were open: %v", err)
		}
	})
}

// A server that ends connections at any moment (a restart, a fail-over) costs no transaction whose commit was not under way,
// and none is done twice.
func TestLostConnections(t *testing.T) {
	address := os.Getenv("PURSER_TEST_POSTGRES")
	if address == "" {
		t.Skip("PURSER_TEST_POSTGRES names no server")
	}
	var template dbtest.Template
	d, ctx := template.Postgres(t, address), context.Background()
	var ran, kept, open atomic.Int64
	over := make(chan struct{})
	var crew sync.WaitGroup
	for i := range 4 {
		crew.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				err := d.Update(ctx, at, func(tx *db.Tx) error {
					ran.Add(1)
					_, err := tx.Exec(ctx, put, "c", fmt.Sprint(i, "-", n), []byte("x"), int64(1))
					return err
				})
				switch {
				case err == nil:
					kept.Add(1)
				case db.Trouble(err) != "":
					open.Add(1) // its commit was under way
				default:
					t.Errorf("%v", err)
				}
			}
		})
	}
	var name string // other tests' connections on the same server are left alone
	if err := d.SQL().QueryRow(`SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	killer, err := db.Open(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer killer.Close()
	for range 40 {
		time.Sleep(20 * time.Millisecond)
		if _, err := killer.SQL().Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name); err != nil {
			t.Fatal(err)
		}
	}
	close(over)
	crew.Wait()
	there, did, unsure := int64(count(t, d)), kept.Load(), open.Load()
	t.Logf("%d kept, %d open, of %d tries; %d there", did, unsure, ran.Load(), there)
	if there < did || there > did+unsure {
		t.Errorf("%d are there, %d were acknowledged and %d left open", there, did, unsure)
	}
	if ran.Load() <= did+unsure {
		t.Error("no transaction was run again: the test shows nothing")
	}
}

// Why no connection came about is said by its cause alone, not by what was tried before it; and it still is the database's trouble.
func TestOpenSaysWhy(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" {
		t.Skip("on PostgreSQL")
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path, u.RawQuery = "/nowhere", "" // TLS is tried first, which the server has not
	_, err = db.Open(t.Context(), u.String())
	if err == nil {
		t.Fatal("it was opened")
	}
	text := err.Error()
	if !strings.Contains(text, `: connect to the database "nowhere" as "purser": `) || !strings.Contains(text, `database "nowhere" does not exist`) || strings.Contains(text, "TLS") {
		t.Error(text)
	}
	u.Host = "127.0.0.1:1"
	if _, err := db.Open(t.Context(), u.String()); err == nil || db.Trouble(err) != "the database does not answer" || strings.Count(err.Error(), "refused") != 1 {
		t.Errorf("nobody there: %v", err)
	}
}
