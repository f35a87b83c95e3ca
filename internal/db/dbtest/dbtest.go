// Package dbtest opens empty stores for tests: SQLite always, PostgreSQL too when PURSER_TEST_POSTGRES names a server.
//
// A store is made once in a process for each Template and copied for each test, as migrating and filling one takes longer
// than most tests do.
//
// It owns nothing that lasts: a SQLite file lies in the test's own folder, a PostgreSQL database is dropped at its end;
// what the templates of a process were made of on PostgreSQL is dropped by the next process that makes one.
package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/schema"
)

var serial atomic.Int64

// Template makes stores that are alike: the first one of an engine gets the schema and is filled, the others are copies.
type Template struct {
	// Fill puts into the store what every copy is to hold; nil: nothing but the schema.
	Fill func(t testing.TB, d *db.DB)
	// Furnish, when there is one, is given the address of an empty store instead and does everything by itself.
	Furnish func(t testing.TB, address string)

	lite struct {
		sync.Mutex
		file []byte
	}
	postgres struct {
		sync.Mutex
		database string
	}
}

var empty Template

// Each runs fn on every engine, each time on an empty store with the schema applied.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	empty.Each(t, fn)
}

// SQLite opens an empty SQLite store.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return empty.SQLite(t)
}

// Each runs fn on every engine, each time on a copy of its own; without SQLite when PURSER_TEST_SQLITE is "off", as when
// it has had its turn already.
func (m *Template) Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	if os.Getenv("PURSER_TEST_SQLITE") != "off" {
		t.Run("sqlite", func(t *testing.T) { fn(t, m.SQLite(t)) })
	}
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
		t.Run("postgres", func(t *testing.T) { fn(t, m.Postgres(t, address)) })
	}
}

// SQLite opens a copy in a file of the test's own.
func (m *Template) SQLite(t testing.TB) *db.DB {
	t.Helper()
	m.lite.Lock()
	defer m.lite.Unlock()
	if m.lite.file == nil {
		path := filepath.Join(t.TempDir(), "template.db")
		m.make(t, path)
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := os.Stat(path + "-wal"); err == nil && left.Size() > 0 {
			t.Fatalf("the template's log holds %d bytes after it was closed", left.Size())
		}
		m.lite.file = file
	}
	path := filepath.Join(t.TempDir(), "purser.db")
	if err := os.WriteFile(path, m.lite.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// Postgres opens a copy in a database of its own on the server at the address.
func (m *Template) Postgres(t testing.TB, address string) *db.DB {
	t.Helper()
	return open(t, m.Database(t, address))
}

// Database makes a copy on the server at the address and says where it is.
func (m *Template) Database(t testing.TB, address string) string {
	t.Helper()
	m.postgres.Lock()
	defer m.postgres.Unlock()
	if m.postgres.database == "" {
		dropForgotten(t, address)
		name := fmt.Sprintf("template_%d_%d", os.Getpid(), serial.Add(1))
		admin(t, address, "CREATE DATABASE "+name)
		m.make(t, on(t, address, name))
		m.postgres.database = name
	}
	return copyOf(t, address, m.postgres.database)
}

// make migrates and fills a store, and closes it.
func (m *Template) make(t testing.TB, address string) {
	t.Helper()
	if m.Furnish != nil {
		m.Furnish(t, address)
		return
	}
	ctx := context.Background()
	d, err := db.Open(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Apply(ctx, d.SQL(), d.Engine() == db.SQLite); err != nil {
		t.Fatal(err)
	}
	if m.Fill != nil {
		m.Fill(t, d)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// dropForgotten drops the templates of processes that are gone.
func dropForgotten(t testing.TB, address string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatalf("PURSER_TEST_POSTGRES: %v", err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(context.Background(), `SELECT datname FROM pg_database WHERE datname LIKE 'template\_%\_%'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var pid, n int
		if _, err := fmt.Sscanf(name, "template_%d_%d", &pid, &n); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			admin(t, address, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize())
		}
	}
}

// NewDatabase makes an empty database on the server at the address and says where it is; it is dropped at the test's
// end.
func NewDatabase(t testing.TB, address string) string {
	t.Helper()
	return copyOf(t, address, "template1")
}

// CopyDatabase makes a copy of a database, which nobody may be using, as NewDatabase makes an empty one.
func CopyDatabase(t testing.TB, address string) string {
	t.Helper()
	of, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	return copyOf(t, on(t, address, "postgres"), of.Database)
}

func copyOf(t testing.TB, address, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), serial.Add(1))
	quoted := pgx.Identifier{name}.Sanitize()
	admin(t, address, "CREATE DATABASE "+quoted+" TEMPLATE "+pgx.Identifier{template}.Sanitize())
	t.Cleanup(func() { admin(t, address, "DROP DATABASE "+quoted+" WITH (FORCE)") }) // a client that was killed may not be gone yet
	return on(t, address, name)
}

// admin runs a statement on the server.
func admin(t testing.TB, address, text string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), address)
	if err != nil {
		t.Fatalf("PURSER_TEST_POSTGRES: %v", err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// on is the address of another database on the same server.
func on(t testing.TB, address, name string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	at.Path = "/" + name
	return at.String()
}

func open(t testing.TB, address string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

// At makes a transaction's instants from one.
func At(instant time.Time) db.Instants {
	return db.Instants{Now: instant.UTC(), Real: instant.UTC()}
}
