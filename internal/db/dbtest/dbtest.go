// Package dbtest opens empty stores for tests: SQLite always, PostgreSQL too when PURSER_TEST_POSTGRES names a server.
//
// It owns nothing that lasts: a SQLite file lies in the test's own folder, a PostgreSQL schema is dropped at its end.
package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/schema"
)

var serial atomic.Int64

// Each runs fn on every engine, each time on an empty store with the schema applied.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
		t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t, address)) })
	}
}

// SQLite opens an empty SQLite store.
func SQLite(t testing.TB) *db.DB {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "purser.db"))
}

// Postgres opens an empty store in a database of its own on the server at the address.
func Postgres(t testing.TB, address string) *db.DB {
	t.Helper()
	return open(t, NewDatabase(t, address))
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
	admin := func(text string) {
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
	quoted := pgx.Identifier{name}.Sanitize()
	admin("CREATE DATABASE " + quoted + " TEMPLATE " + pgx.Identifier{template}.Sanitize())
	t.Cleanup(func() { admin("DROP DATABASE " + quoted + " WITH (FORCE)") }) // a client that was killed may not be gone yet
	return on(t, address, name)
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
	if _, err := schema.Apply(context.Background(), d.SQL(), d.Engine() == db.SQLite); err != nil {
		t.Fatal(err)
	}
	return d
}

// At makes a transaction's instants from one.
func At(instant time.Time) db.Instants {
	return db.Instants{Now: instant.UTC(), Real: instant.UTC()}
}
