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

	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/house"
)

// folder is what a data folder holds.
type folder map[string][]byte

var (
	making   sync.Mutex
	sqlite   folder // a furnished data folder
	postgres folder // the one beside the furnished database
	database = dbtest.Template{Furnish: func(t testing.TB, address string) {
		data := t.TempDir()
		furnish(t, data, address)
		postgres = read(t, data)
	}}
)

// Furnished makes a copy of a furnished house on SQLite, or on the PostgreSQL server at the address, and says where its
// data and its database ("" on SQLite) are.
func Furnished(t testing.TB, address string) (data, at string) {
	t.Helper()
	making.Lock()
	defer making.Unlock()
	if address == "" && sqlite == nil {
		made := t.TempDir()
		furnish(t, made, "")
		sqlite = read(t, made)
	}
	files := sqlite
	if address != "" {
		at = database.Database(t, address)
		files = postgres
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

func furnish(t testing.TB, data, address string) {
	t.Helper()
	ctx := context.Background()
	h, err := house.Open(ctx, house.Config{
		Version: "test", Data: data, Database: address, Demo: true, TestClock: true, Limits: "off", Log: slog.New(slog.DiscardHandler),
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
