package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrOwnTools says that an engine is backed up by its own tools.
var ErrOwnTools = errors.New("PostgreSQL is backed up by its own tools: pg_dump, or a base backup with archived WAL")

// Backup writes a copy of the store as of one instant to a new file, while the store goes on being used. SQLite only.
func (d *DB) Backup(ctx context.Context, file string) error {
	on, ok := d.engine.(*lite)
	if !ok {
		return ErrOwnTools
	}
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there already: nothing was written", file)
	}
	from, err := sql.Open("sqlite", fileURL(on.path, "busy_timeout(10000)"))
	if err != nil {
		return err
	}
	defer from.Close()
	if _, err := from.ExecContext(ctx, `VACUUM INTO $1`, file); err != nil {
		return errors.Join(fmt.Errorf("copy the store: %w", err), os.Remove(file))
	}
	return nil
}

// Restore puts a backup in the place of a store that is not there yet, after checking that it is whole.
func Restore(ctx context.Context, backup, file string) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("there is a store at %s already: nothing was changed", file)
	}
	text, err := os.ReadFile(backup)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	next := file + ".restoring"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("write the store: %w", err)
	}
	if err := whole(ctx, next); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// whole runs the engine's own check over a file.
func whole(ctx context.Context, file string) error {
	on, err := sql.Open("sqlite", fileURL(file))
	if err != nil {
		return err
	}
	defer on.Close()
	var verdict string
	if err := on.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil {
		return fmt.Errorf("the backup is not a store: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("the backup is damaged: %s", verdict)
	}
	return nil
}
