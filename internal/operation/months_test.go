package operation_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/settlement"
)

// Months that do not stay are taken out, but for those whose keys are still known, written, read back, and only then dropped; a
// record of such a month that comes all the same is kept. SQLite has no months, and nothing is put away.
func TestUsageIsPutAway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, folder := context.Background(), t.TempDir()
		place, err := bucket.Open(folder, bucket.Keys{}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		c := &operation.Counter{
			DB: d, Log: slog.New(slog.DiscardHandler), Settling: &settlement.Desk{Rules: settlement.StandardRules()},
			Archive: operation.Archive{After: 15, To: place}, Months: &operation.MonthsKept{},
		}
		then, now := time.Date(2025, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		keep := func(at time.Time, want int) {
			t.Helper()
			if made, err := c.KeepMonths(ctx, at); err != nil || made != want {
				t.Errorf("%d months made, %v; want %d", made, err, want)
			}
		}
		put := func(want int) {
			t.Helper()
			if written, err := c.PutUsageAway(ctx, now); err != nil || written != want {
				t.Errorf("%d written, %v; want %d", written, err, want)
			}
		}
		if d.Engine() == db.SQLite {
			keep(then, 0)
			put(0)
			return
		}
		keep(then, 2*18) // from a month before the oldest that is taken, 13 months ago, to three ahead
		keep(then.Add(time.Minute), 0)
		keep(then.AddDate(0, 1, 0), 2)
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
		january, february := db.Micros(time.Date(2025, 1, 20, 3, 0, 0, 0, time.UTC)), db.Micros(time.Date(2025, 2, 20, 3, 0, 0, 0, time.UTC))
		segment := `INSERT INTO usage_segment (customer, ends_at, unit, batch, records, forgotten, received_at, body) VALUES ($1, $2, 4, $3, 1, $4, $2, $5)`
		for i := range 3 {
			do(segment, "b", january, i, 1, []byte("one\n,\"two"))
		}
		do(segment, "a", january, 0, 1, []byte{})
		do(segment, "a", february, 0, 0, []byte("still known"))
		for _, at := range []int64{january, february} {
			do(`INSERT INTO settlement_line (customer, ends_at, unit, meter, records, quantity, covered, official, discount, coupon, fee) VALUES ('a', $1, 4, 1, 1, 1, 0, 1, 0, 0, 'a "fee", so')`, at)
		}

		c.Archive.To = spoilt{place}
		if _, err := c.PutUsageAway(ctx, now); err == nil || !strings.Contains(err.Error(), "does not hold what the table holds") {
			t.Errorf("a file that cannot be read back: %v", err)
		}
		c.Archive.To = place
		// Both tables' January and settlement's February, and what has no rows: 19 months and what was before, of both tables, but February of one.
		written, err := c.PutUsageAway(ctx, now)
		if err != nil || written == 0 {
			t.Fatalf("%d written, %v", written, err)
		}
		if n := one(`SELECT count(*) FROM pg_class WHERE relkind = 'r' AND NOT relispartition AND obj_description(oid, 'pg_class') LIKE 'written: %'`); n != 2*20-1 {
			t.Errorf("%d are out and written", n)
		}
		files, _ := filepath.Glob(filepath.Join(folder, "usage-archive", "*", "*.gz")) //nolint:errcheck // the pattern is well formed
		if len(files) != 3 {
			t.Errorf("files %v", files)
		}
		text := unpack(t, filepath.Join(folder, "usage-archive", "usage_segment", "usage_segment_m202501.csv.gz"))
		if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != 5 || !strings.HasPrefix(lines[0], "customer,ends_at,unit,batch,") || !strings.HasPrefix(lines[1], "a,") || !strings.HasPrefix(lines[4], "b,") {
			t.Errorf("the file says %q", text)
		}
		put(0)
		if n := one(`SELECT count(*) FROM usage_segment`); n != 1 {
			t.Errorf("%d rows are still read, want February's", n)
		}
		if n := one(`SELECT count(*) FROM usage_segment_m202501`); n != 4 {
			t.Errorf("%d rows lie beside", n)
		}
		do(segment, "late", january, 0, 0, []byte("x"))
		if n := one(`SELECT count(*) FROM usage_segment WHERE customer = 'late' AND ends_at = $1`, january); n != 1 {
			t.Error("a late record is lost")
		}
		c.Months = nil
		keep(now, 2*18) // October 2025 to March 2027: nothing of what was put away is made again
		do(`DELETE FROM usage_segment WHERE customer = 'late'`)
		c.Archive.Drop = true
		put(0)
		if n := one(`SELECT count(*) FROM pg_class WHERE relkind = 'r' AND NOT relispartition AND relname LIKE '%\_m2025%'`); n != 0 {
			t.Errorf("%d were not dropped", n)
		}
		if n := one(`SELECT count(*) FROM usage_segment`); n != 1 {
			t.Errorf("%d rows are still read, want February's", n)
		}
		do(`UPDATE usage_segment SET forgotten = 1`)
		put(1)
		if n := one(`SELECT count(*) FROM usage_segment`); n != 0 {
			t.Errorf("%d rows are still read", n)
		}
		if text := unpack(t, filepath.Join(folder, "usage-archive", "usage_segment", "usage_segment_m202502.csv.gz")); !strings.Contains(text, `\x7374696c6c`) {
			t.Errorf("February's file says %q", text)
		}
	})
}

// spoilt is a store whose objects come back other than they were put.
type spoilt struct{ bucket.Store }

func (s spoilt) Get(ctx context.Context, key string) (io.ReadCloser, map[string]string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, "something else") //nolint:errcheck // into memory
	w.Close()                           //nolint:errcheck // likewise
	return io.NopCloser(&b), nil, nil
}

func unpack(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
