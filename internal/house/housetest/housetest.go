// Package housetest gives whole-system tests a house with the demo cloud in it: furnished once in a process for each
// engine, and copied for each test, as a demo cloud with its year of history takes longer than most tests do.
package housetest

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/house"
)

// folder is what a data folder holds.
type folder map[string][]byte

// Template is a house that is furnished once for each engine, at the time that its clock then shows. The zero one goes by real time.
type Template struct {
	Clock func() time.Time

	making   sync.Mutex
	sqlite   folder // a furnished data folder
	postgres folder // the one beside the furnished database
	database *dbtest.Template
}

var today Template

// Furnished makes a copy of a furnished house on SQLite, or on the PostgreSQL server at the address, and says where its
// data and its database ("" on SQLite) are.
func Furnished(t testing.TB, address string) (data, at string) {
	t.Helper()
	return today.Furnished(t, address)
}

// Furnished is the function of that name, for the template's clock.
func (m *Template) Furnished(t testing.TB, address string) (data, at string) {
	t.Helper()
	m.making.Lock()
	defer m.making.Unlock()
	if address == "" && m.sqlite == nil {
		made := t.TempDir()
		m.furnish(t, made, "")
		m.sqlite = read(t, made)
	}
	files := m.sqlite
	if address != "" {
		if m.database == nil {
			m.database = &dbtest.Template{Furnish: func(t testing.TB, address string) {
				data := t.TempDir()
				m.furnish(t, data, address)
				m.postgres = read(t, data)
			}}
		}
		at = m.database.Database(t, address)
		files = m.postgres
	}
	data = t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(data, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(data, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data, at
}

func (m *Template) furnish(t testing.TB, data, address string) {
	t.Helper()
	ctx := context.Background()
	h, err := house.Open(ctx, house.Config{
		Version: "test", Data: data, Database: address, Demo: true, TestClock: true, Limits: "off", Log: slog.New(slog.DiscardHandler), Clock: m.Clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Furnish(ctx, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.WriteDemo("http://127.0.0.1:0", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, data string) folder {
	t.Helper()
	out := folder{}
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "-shm") {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		out[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
