package conformance

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

// filesIn lists the files below a folder with when they were written.
func filesIn(t *testing.T, root string) map[string]time.Time {
	t.Helper()
	out := map[string]time.Time{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			out[path] = info.ModTime()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The daily export of bills is made once, by whichever node; one that dies in the middle is followed by another behind what is
// there; the next day it is made again.
func TestDailyExport(t *testing.T) {
	onEngines(t, func(t *testing.T, address string) {
		data, database := housetest.Furnished(t, address)
		to := t.TempDir()
		var now atomic.Int64
		start := time.Now().Add(-pushHour(time.Now())) // today or yesterday, 04:30 GMT+8
		now.Store(start.UnixMicro())
		var dies atomic.Pointer[context.CancelFunc]
		clock := func() time.Time {
			if kill := dies.Load(); kill != nil && len(filesIn(t, to)) > 1 {
				(*kill)()
			}
			return time.UnixMicro(now.Load())
		}
		node := func() *house.House {
			h, err := house.Open(t.Context(), house.Config{
				Data: data, Database: database, Limits: "off", Clock: clock, Log: slog.New(slog.DiscardHandler), ExportTo: to, ExportFiles: []string{"focus.csv", "details.csv"},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { h.Close() }) //nolint:errcheck // a temporary store
			return h
		}
		a, b := node(), node()

		ctx, kill := context.WithCancel(t.Context())
		dies.Store(&kill)
		cut, err := a.Push(ctx)
		if ctx.Err() == nil {
			t.Fatalf("it did not die: %d files, %v", cut, err)
		}
		dies.Store(nil)
		before := filesIn(t, to)
		if n, err := b.Push(t.Context()); err != nil || n != 0 {
			t.Fatalf("while the other may be alive: %d files, %v", n, err)
		}
		now.Add((6 * time.Minute).Microseconds())
		rest, err := b.Push(t.Context())
		if err != nil || rest == 0 {
			t.Fatal(rest, err)
		}
		all := filesIn(t, to)
		if len(all) <= len(before) {
			t.Errorf("%d files before, %d behind", len(before), len(all))
		}
		again := 0 // those of the customer at whom it died
		for path, at := range before {
			if !all[path].Equal(at) {
				again++
			}
		}
		if again > 4 || int(cut+rest)-again > len(all) {
			t.Errorf("%d files were written again; %d and %d, %d in all", again, cut, rest, len(all))
		}
		for _, h := range []*house.House{a, b} {
			if n, err := h.Push(t.Context()); err != nil || n != 0 {
				t.Errorf("once more on the same day: %d files, %v", n, err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(to, "*", "*", ".part-*")); len(left) > 0 {
			t.Error(left)
		}

		// The next day both begin at once.
		now.Add((24 * time.Hour).Microseconds())
		var wg sync.WaitGroup
		var files atomic.Int64
		for _, h := range []*house.House{a, b} {
			wg.Go(func() {
				n, err := h.Push(t.Context())
				files.Add(n)
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := files.Load(); n == 0 || n > int64(len(filesIn(t, to))) {
			t.Errorf("%d files on the next day", n)
		}
		for path := range all {
			text, err := os.ReadFile(path)
			if err != nil || !bytes.HasPrefix(text, []byte("AvailabilityZone,")) && !bytes.HasPrefix(text, []byte("Customer ID,")) || bytes.Count(text, []byte("\n")) < 1 {
				t.Errorf("%s: %v, %.60s", path, err, text)
			}
		}
	})
}

// pushHour is how long ago it was last 04:30 GMT+8.
func pushHour(at time.Time) time.Duration {
	day := at.UTC().Add(8*time.Hour - 4*time.Hour - 30*time.Minute)
	return day.Sub(day.Truncate(24 * time.Hour))
}
