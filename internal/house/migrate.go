package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/schema"
)

// Migrate moves the store of the data folder, which nobody may have open, into the empty PostgreSQL database that the
// configuration names: all of it, or nothing. The key file stays where it is and opens the secrets in both.
func Migrate(ctx context.Context, c Config, tell func(db.Moved)) (err error) {
	file := filepath.Join(c.Data, storeFile)
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("there is no store to move: %w", err)
	}
	if c.Key == "" {
		if _, err := os.Stat(filepath.Join(c.Data, keyFile)); err != nil {
			return fmt.Errorf("the key that opens the store's secrets is missing (PURSER_KEY is not set either): %w", err)
		}
	}
	_, from, err := prepared(ctx, file) // this version's schema, so that both sides are alike
	if err != nil {
		return err
	}
	fresh, err := newStore(ctx, c.Data)
	if err != nil {
		return fmt.Errorf("make an empty store to compare with: %w", err)
	}
	target, err := db.Open(ctx, c.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	to, err := schema.Apply(ctx, target.SQL(), target.Engine() == db.SQLite)
	if err != nil {
		return fmt.Errorf("prepare the target: %w", err)
	}
	if from != to {
		return fmt.Errorf("the store has schema version %d, the target %d: use the newer purser", from, to)
	}
	return db.Move(ctx, file, target, []string{schema.VersionTable}, fresh, tell)
}

// prepared opens a SQLite store, brings its schema up to date, counts its rows and closes it.
func prepared(ctx context.Context, file string) (counts map[string]int64, version int64, err error) {
	store, err := db.Open(ctx, file)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if version, err = schema.Apply(ctx, store.SQL(), true); err != nil {
		return nil, 0, err
	}
	counts, err = store.Counts(ctx)
	return counts, version, err
}

// newStore says how many rows each table has in a store that is new.
func newStore(ctx context.Context, data string) (counts map[string]int64, err error) {
	folder, err := os.MkdirTemp(data, "new-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	counts, _, err = prepared(ctx, filepath.Join(folder, storeFile))
	return counts, err
}
