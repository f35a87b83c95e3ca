package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/house/housetest"
	"github.com/purser-cloud/purser/internal/period"
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

// objects is an S3 bucket in memory, as far as an export wants one: requests are signed, bodies are what was signed.
type objects struct {
	mu   sync.Mutex
	held map[string][]byte
	bad  []string
}

func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // cut off: the server of another engine's test has stopped in the middle of its export
		return
	}
	sum := sha256.Sum256(body)
	signed := r.Header.Get("Authorization")
	o.mu.Lock()
	defer o.mu.Unlock()
	switch given := r.Header.Get("X-Amz-Content-Sha256"); {
	case r.Method != http.MethodPut || !strings.HasPrefix(r.URL.Path, "/bills/of house/"):
		o.bad = append(o.bad, r.Method+" "+r.URL.Path)
	case !strings.HasPrefix(signed, "AWS4-HMAC-SHA256 Credential=the-key/") || !strings.Contains(signed, "/ap-southeast-1/s3/aws4_request") || strings.Contains(signed, "the-secret"):
		o.bad = append(o.bad, signed)
	case given != hex.EncodeToString(sum[:]) && given != "UNSIGNED-PAYLOAD":
		o.bad = append(o.bad, r.URL.Path+": signed for another body")
	default:
		o.held[strings.TrimPrefix(r.URL.Path, "/bills/of house/")] = body
		return
	}
	w.WriteHeader(http.StatusBadRequest)
}

func (o *objects) get(key string) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.held[key]
}

// A server that was told of a bucket writes the day's export into it by itself: what a customer finds there is what it would be sent.
func TestDailyExportToABucket(t *testing.T) {
	bucket := &objects{held: map[string][]byte{}}
	service := httptest.NewServer(bucket)
	defer service.Close()
	t.Setenv("PURSER_S3_ACCESS_KEY", "the-key")
	t.Setenv("PURSER_S3_SECRET_KEY", "the-secret")
	onEngines(t, func(t *testing.T, address string) {
		bucket.mu.Lock()
		clear(bucket.held)
		bucket.mu.Unlock()
		data, database := housetest.Furnished(t, address)
		s := startOn(t, data, database, "--export-to", "s3+"+service.URL+"/bills/of house?region=ap-southeast-1", "--export-files", "details.csv,focus.parquet,summary.xlsx")
		month := period.CycleOf(time.Now().Add(-3 * 24 * time.Hour)) // the running one, or the one before that still is not final
		for _, c := range s.Customers[:1] {
			prefix := c.DomainID + "/" + month.String() + "/"
			for until := time.Now().Add(2 * time.Minute); bucket.get(prefix+"summary.xlsx") == nil; time.Sleep(50 * time.Millisecond) { // the last of its files
				if time.Now().After(until) {
					t.Fatalf("not exported; the bucket refused %v\n%s", bucket.bad, s.log)
				}
			}
			sent, _ := s.fetch(t, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, "/purser/v1/exports/details?month="+month.String())
			if got := bucket.get(prefix + "details.csv"); !bytes.HasPrefix(sent, got[:min(len(got), 1000)]) || len(got) < 1000 {
				t.Errorf("details: %d bytes in the bucket, %d were sent", len(got), len(sent))
			}
			packed := bucket.get(prefix + "focus.parquet")
			if rows, err := parquet.Read[focus.Row](bytes.NewReader(packed), int64(len(packed))); err != nil || len(rows) == 0 || rows[0].BillingAccountID != c.DomainID {
				t.Errorf("FOCUS: %d rows, %v", len(rows), err)
			}
			if book := bucket.get(prefix + "summary.xlsx"); !bytes.HasPrefix(book, []byte("PK")) {
				t.Errorf("summary: %.20q", book)
			}
		}
		bucket.mu.Lock()
		defer bucket.mu.Unlock()
		if len(bucket.bad) > 0 {
			t.Error(bucket.bad)
		}
		if strings.Contains(s.log.String(), "the-secret") {
			t.Error("the bucket's secret is in the log")
		}
	})
}

// pushHour is how long ago it was last 04:30 GMT+8.
func pushHour(at time.Time) time.Duration {
	day := at.UTC().Add(8*time.Hour - 4*time.Hour - 30*time.Minute)
	return day.Sub(day.Truncate(24 * time.Hour))
}
