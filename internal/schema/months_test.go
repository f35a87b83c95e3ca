package schema_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/schema"
)

// A store that had usage before its tables were kept by months keeps every row, in the first of them; statements that name a month look
// into that month only; a row that there is no month for is kept as well, and found.
func TestMonthsOfAStoreWithUsage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine() == db.SQLite {
			return // it keeps plain tables
		}
		ctx := context.Background()
		do := func(text string, args ...any) {
			t.Helper()
			if _, err := d.SQL().Exec(text, args...); err != nil {
				t.Fatal(text, err)
			}
		}
		one := func(text string, args ...any) (n int) {
			t.Helper()
			if err := d.SQL().QueryRow(text, args...).Scan(&n); err != nil {
				t.Fatal(text, err)
			}
			return n
		}
		// Back to how it was.
		do(`DROP TABLE usage_segment, settlement_line`)
		do(`CREATE TABLE usage_segment (customer TEXT NOT NULL, ends_at BIGINT NOT NULL, unit BIGINT NOT NULL, batch BIGINT NOT NULL, records BIGINT NOT NULL CHECK (records > 0),
			forgotten BIGINT NOT NULL DEFAULT 0, received_at BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (customer, ends_at, unit, batch))`)
		do(`CREATE INDEX usage_segment_old ON usage_segment (ends_at) WHERE forgotten = 0`)
		do(`CREATE TABLE settlement_line (customer TEXT NOT NULL, ends_at BIGINT NOT NULL, unit BIGINT NOT NULL, meter BIGINT NOT NULL, fee TEXT NOT NULL, PRIMARY KEY (customer, ends_at, unit, meter))`)
		do(`DELETE FROM goose_db_version WHERE version_id = 67`)
		add := func(at time.Time) {
			t.Helper()
			do(`INSERT INTO usage_segment (customer, ends_at, unit, batch, records, received_at, body) VALUES ('c', $1, 4, 1, 1, $1, '\x01')`, db.Micros(at))
		}
		nov, _ := period.ParseCycle("2026-11") //nolint:errcheck // it is one
		last := nov.Span().End                 // the end of the month's last bucket is the next month's first instant
		for _, at := range []time.Time{nov.Add(-20).Span().Start.Add(time.Hour), nov.Span().Start.Add(time.Hour), last} {
			add(at)
		}
		if _, err := schema.Apply(ctx, d.SQL(), false); err != nil {
			t.Fatal(err)
		}
		if n := one(`SELECT count(*) FROM usage_segment`); n != 3 || one(`SELECT count(*) FROM usage_segment_before`) != 3 {
			t.Errorf("%d rows are there", n)
		}
		keep := func() (made int) {
			t.Helper()
			err := d.Monthly(ctx, func(m *db.Monthly) (err error) { made, err = m.Make(ctx, nov.Add(-14), nov.Add(3)); return err })
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		// November's are in what was there before; settlement_line was empty.
		if made := keep(); made != 3+18 {
			t.Errorf("%d months were made", made)
		}
		if made := keep(); made != 0 {
			t.Errorf("%d months were made again", made)
		}
		for part, at := range map[string]time.Time{
			"before": last.Add(-30 * time.Minute), "m202612": last.Add(time.Hour), "m202702": nov.Add(3).Span().End, "other": nov.Add(3).Span().End.Add(time.Hour),
		} {
			add(at)
			if n := one(`SELECT count(*) FROM usage_segment_`+part+` WHERE ends_at = $1`, db.Micros(at)); n != 1 {
				t.Errorf("the row of %s is not in %s", at, part)
			}
			if n := one(`SELECT count(*) FROM usage_segment WHERE customer = 'c' AND ends_at = $1 AND unit = 4`, db.Micros(at)); n != 1 {
				t.Errorf("the row of %s is not found", at)
			}
		}
		// A month that rows have come of already is not made, and costs no other one.
		var made int
		err := d.Monthly(ctx, func(m *db.Monthly) (err error) { made, err = m.Make(ctx, nov, nov.Add(5)); return err })
		if err != nil || made != 3 {
			t.Errorf("%d months made, %v", made, err)
		}
		// Hot statements look into one month.
		for _, text := range []string{
			`SELECT body FROM usage_segment WHERE customer = 'c' AND ends_at = %[1]d AND unit = 4 ORDER BY batch`,
			`UPDATE usage_segment SET records = 1 WHERE customer = 'c' AND ends_at = %[1]d AND unit = 4 AND batch = 1`,
			`SELECT fee FROM settlement_line WHERE customer = 'c' AND ends_at > %[1]d AND ends_at <= %[2]d`,
			`SELECT fee FROM settlement_line WHERE customer = 'c' AND (ends_at > %[1]d AND ends_at < %[2]d OR ends_at = %[1]d AND unit >= 4)`,
		} {
			dec := nov.Add(1).Span()
			if parts := plan(t, d, fmt.Sprintf(text, db.Micros(dec.Start.Add(time.Hour)), db.Micros(dec.End))); !slices.Equal(parts, []string{"m202612"}) {
				t.Errorf("%s looks into %v", text, parts)
			}
		}
	})
}

// plan is which parts a statement looks into.
func plan(t *testing.T, d *db.DB, text string) (parts []string) {
	t.Helper()
	rows, err := d.SQL().Query("EXPLAIN " + text)
	if err != nil {
		t.Fatal(text, err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		if _, rest, found := strings.Cut(line, " on "); found {
			name := strings.Fields(rest)[0]
			for _, table := range []string{"usage_segment_", "settlement_line_"} {
				if part, found := strings.CutPrefix(name, table); found && !strings.Contains(part, "_") && !slices.Contains(parts, part) {
					parts = append(parts, part)
				}
			}
		}
	}
	return parts
}
