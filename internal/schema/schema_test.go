package schema_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/schema"
)

// One step newer is what a rolling upgrade needs; two steps are refused in words.
func TestNewerStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, lite := context.Background(), d.Engine() == db.SQLite
		known, err := schema.Apply(ctx, d.SQL(), lite)
		if err != nil {
			t.Fatal(err)
		}
		pretend := func(version int64) {
			t.Helper()
			_, err := d.SQL().Exec(`INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES ($1, $2, $3)`, version, true, time.Unix(0, 0))
			if err != nil {
				t.Fatal(err)
			}
		}
		pretend(known + 10) // numbers have gaps: this is one step
		if v, err := schema.Apply(ctx, d.SQL(), lite); err != nil || v != known+10 {
			t.Errorf("one step newer: version %d, %v", v, err)
		}
		pretend(known + 11)
		var newer *schema.NewerError
		if _, err := schema.Apply(ctx, d.SQL(), lite); !errors.As(err, &newer) || newer.Steps != 2 || newer.Known != known {
			t.Errorf("two steps newer: %v, want a NewerError of two steps", err)
		}
	})
}

// A migration that fills a gap in the numbers is applied to a store that is past it.
func TestFilledGap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, lite := context.Background(), d.Engine() == db.SQLite
		known, err := schema.Apply(ctx, d.SQL(), lite)
		if err != nil {
			t.Fatal(err)
		}
		for _, forget := range []string{`DROP TABLE agreement_contract`, `DELETE FROM goose_db_version WHERE version_id = 66`} {
			if _, err := d.SQL().Exec(forget); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.SQL().Exec(`INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES ($1, $2, $3)`, known+1, true, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		if v, err := schema.Apply(ctx, d.SQL(), lite); err != nil || v != known+1 {
			t.Fatalf("version %d, %v", v, err)
		}
		if _, err := d.SQL().Exec(`SELECT 1 FROM agreement_contract`); err != nil {
			t.Error(err)
		}
	})
}
