// Package schema owns the numbered migrations of the store and applies them.
//
// A migration only adds: the code of one version runs before and after the next one's migration, so that
// nodes can be upgraded one by one. One text serves every engine: it is written in PostgreSQL's types
// (BIGINT, TEXT, BYTEA) and rewritten for SQLite, where tables are STRICT.
//
// It does not own what the tables mean: each belongs to the room that its name begins with.
package schema

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var files embed.FS

// VersionTable is where each store keeps which migrations it has had.
const VersionTable = "goose_db_version"

// NewerError says that the store was written by a purser too new for this one: it has had Steps migrations beyond Known.
type NewerError struct {
	Store, Known int64
	Steps        int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the store has schema version %d, this purser knows up to %d and is %d steps behind; it can run at most one step behind: use a newer purser", e.Store, e.Known, e.Steps)
}

// Apply brings the store to this version's schema. A store one step newer is left as it is (a rolling
// upgrade needs that); one that is newer still is refused with a NewerError. Steps are migrations that the store has had,
// not numbers: those have gaps, and one that fills a gap is applied late, which does no harm as migrations only add.
func Apply(ctx context.Context, store *sql.DB, sqlite bool) (version int64, err error) {
	from, err := fs.Sub(files, "migrations")
	if err != nil {
		return 0, err
	}
	if version, all := hasAll(ctx, store, from); all {
		return version, nil
	}
	if from, err = rewrite(from, sqlite); err != nil {
		return 0, err
	}
	dialect, options := goose.DialectPostgres, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true)}
	if sqlite {
		dialect = goose.DialectSQLite3
	} else {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return 0, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, store, from, options...)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the schema version: %w", err)
	}
	if current > target {
		var steps int
		err := store.QueryRowContext(ctx, `SELECT count(DISTINCT version_id) FROM `+VersionTable+` WHERE version_id > $1`, target).Scan(&steps)
		if err != nil {
			return 0, fmt.Errorf("read the schema version: %w", err)
		}
		if steps > 1 {
			return current, &NewerError{Store: current, Known: target, Steps: steps}
		}
	}
	if pending, err := provider.HasPending(ctx); err != nil || !pending {
		return current, err
	}
	if _, err := provider.Up(ctx); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) && partial.Failed != nil {
			return 0, fmt.Errorf("migration %s: %w", partial.Failed.Source.Path, partial.Err)
		}
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return max(current, target), nil
}

// hasAll says whether a store has had each of our migrations and no other: then there is nothing to be read or done. Whatever goes
// wrong here is left to the long way.
func hasAll(ctx context.Context, store *sql.DB, from fs.FS) (version int64, all bool) {
	names, err := fs.Glob(from, "*.sql")
	if err != nil {
		return 0, false
	}
	wanted := make(map[int64]bool, len(names))
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, false
		}
		wanted[n], version = true, max(version, n)
	}
	rows, err := store.QueryContext(ctx, `SELECT version_id FROM `+VersionTable)
	if err != nil {
		return 0, false // a new store
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var n int64
		if rows.Scan(&n) != nil || n > version {
			return 0, false
		}
		delete(wanted, n)
	}
	return version, rows.Err() == nil && len(wanted) == 0
}

var (
	bigint = regexp.MustCompile(`\bBIGINT\b`)
	bytea  = regexp.MustCompile(`\bBYTEA\b`)
	table  = regexp.MustCompile(`(?s)(CREATE TABLE [^;]*?\n\))(;)`)

	// Two words of our own behind a table. CLUSTERED: its rows lie in the order of its key (SQLite; PostgreSQL knows no
	// such thing). HASHED BY: besides, PostgreSQL keeps them in several tables by a column's hash.
	clustered = regexp.MustCompile(`\n\) (?:CLUSTERED|HASHED BY \w+);`)
	hashed    = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \(([^;]*?)\n\) HASHED BY (\w+);`)
)

// hashedInto is in how many tables PostgreSQL keeps a hashed one.
const hashedInto = 8

// addOnly marks a table whose rows may not be changed or deleted.
var addOnly = regexp.MustCompile(`(?m)^-- add only: ([a-z_]+)$`)

// monthly marks a table that PostgreSQL keeps in one table for each month of GMT+8, by a column of microseconds that is in each of its
// keys. What it holds so far becomes the first of them (NAME_before), as it is: nothing is copied. The months are made by db.MakeMonths;
// what none has been made for is in NAME_other.
var monthly = regexp.MustCompile(`(?m)^-- monthly: ([a-z_]+) by ([a-z_]+)$`)

const monthlyPostgres = `
-- +goose StatementBegin
DO $$
DECLARE bound BIGINT;
BEGIN
	LOCK TABLE ${1} IN ACCESS EXCLUSIVE MODE;
	ALTER TABLE ${1} RENAME TO ${1}_before;
	CREATE TABLE ${1} (LIKE ${1}_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE) PARTITION BY RANGE (${2});
	-- behind the end of the month of the last row; a month's last instant is in it, the first is the one before's
	SELECT CAST(extract(epoch FROM date_trunc('month', to_timestamp((coalesce(max(${2}), 0) - 1) / 1000000.0) AT TIME ZONE 'UTC' + interval '8 hours')
		+ interval '1 month' - interval '8 hours') AS BIGINT) * 1000000 + 1 INTO bound FROM ${1}_before;
	EXECUTE format('ALTER TABLE ${1} ATTACH PARTITION ${1}_before FOR VALUES FROM (MINVALUE) TO (%s)', bound);
	CREATE TABLE ${1}_other PARTITION OF ${1} DEFAULT;
END $$;
-- +goose StatementEnd`

// What refuses a change, on each engine.
const (
	addOnlySQLite = `
-- +goose StatementBegin
CREATE TRIGGER ${1}_update BEFORE UPDATE ON $1 BEGIN SELECT RAISE(ABORT, 'rows of $1 are only added'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ${1}_delete BEFORE DELETE ON $1 BEGIN SELECT RAISE(ABORT, 'rows of $1 are only added'); END;
-- +goose StatementEnd`
	addOnlyPostgres = `
-- +goose StatementBegin
CREATE FUNCTION ${1}_only_added() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''rows of $1 are only added''; END';
-- +goose StatementEnd
CREATE TRIGGER ${1}_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON $1 FOR EACH STATEMENT EXECUTE FUNCTION ${1}_only_added();`
)

// rewrite puts the migrations into an engine's words: SQLite's names of the same types, and STRICT, without which SQLite
// would take any type in any column; and on both what refuses changes of tables whose rows are only added.
func rewrite(from fs.FS, sqlite bool) (fs.FS, error) {
	names, err := fs.Glob(from, "*.sql")
	if err != nil {
		return nil, err
	}
	out := fstest.MapFS{} // the standard library's file system in memory
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		if !sqlite {
			parts := "CREATE TABLE ${1} (${2}\n) PARTITION BY HASH (${3});"
			for i := range hashedInto {
				parts += fmt.Sprintf("\nCREATE TABLE ${1}_%d PARTITION OF ${1} FOR VALUES WITH (MODULUS %d, REMAINDER %d);", i, hashedInto, i)
			}
			text = hashed.ReplaceAll(text, []byte(parts))
			text = clustered.ReplaceAll(text, []byte("\n);"))
			text = monthly.ReplaceAll(text, []byte(strings.ReplaceAll(monthlyPostgres, "$$", "$$$$")))
			out[name] = &fstest.MapFile{Data: addOnly.ReplaceAll(text, []byte(addOnlyPostgres))}
			continue
		}
		text = bigint.ReplaceAll(text, []byte("INTEGER"))
		text = bytea.ReplaceAll(text, []byte("BLOB"))
		text = clustered.ReplaceAll(text, []byte("\n) STRICT, WITHOUT ROWID;"))
		text = table.ReplaceAll(text, []byte("$1 STRICT$2"))
		if bytes.Count(text, []byte("CREATE TABLE")) != bytes.Count(text, []byte("\n) STRICT")) {
			return nil, fmt.Errorf("migration %s: a CREATE TABLE must end with a line that is \");\"", name)
		}
		out[name] = &fstest.MapFile{Data: addOnly.ReplaceAll(text, []byte(addOnlySQLite))}
	}
	return out, nil
}
