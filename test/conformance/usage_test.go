package conformance

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite" // driver "sqlite"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

// packed are the encodings of a body.
var packed = map[string]func(t *testing.T, text string) string{
	"": func(_ *testing.T, text string) string { return text },
	"gzip": func(t *testing.T, text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	},
	"zstd": func(t *testing.T, text string) string {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(z.EncodeAll([]byte(text), nil))
	},
}

// bodies are the forms of a body of usage records.
var bodies = map[string]func(records []string) string{
	"application/json":     func(records []string) string { return "[" + strings.Join(records, ",") + "]" },
	"application/x-ndjson": func(records []string) string { return strings.Join(records, "\n") + "\n" },
	"application/cloudevents-batch+json": func(records []string) string {
		var events []string
		for _, r := range records {
			id := r[strings.Index(r, `"id":"`)+6:]
			id = id[:strings.IndexByte(id, '"')]
			events = append(events, fmt.Sprintf(`{"specversion":"1.0","type":"usage","source":"wire","id":%q,"datacontenttype":"application/json","data":%s}`, id, r))
		}
		return "[" + strings.Join(events, ",") + "]"
	},
}

const usagePath = "/purser/v1/usage-records"

func (s *server) operatorKey() client.Credential {
	return client.Credential{AccessKey: s.Operator.AccessKey, SecretKey: s.Operator.SecretKey, DomainID: s.Operator.DomainID}
}

func (s *server) usage(id, spec string, start time.Time) string {
	return fmt.Sprintf(`{"source":"wire","id":%q,"customer_id":%q,"resource_id":"w-%s","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":%q,"region":%q,"usage_factor":"Duration","usage_value":"60","usage_measure_id":6,"start_time":%q,"end_time":%q}`,
		id, s.Customers[2].DomainID, id, spec, s.Region, start.Format(time.RFC3339), start.Add(time.Minute).Format(time.RFC3339))
}

// The same records come in every form and every encoding: each counts once, whichever was first, and a bad one of a batch
// is named without harm to the others.
func TestUsageInEveryForm(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		hour := time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Hour)
		n, all := 0, []string{}
		send := func(kind, encoding, body string) (int, map[string]any) {
			t.Helper()
			headers := map[string]string{"Content-Type": kind}
			if encoding != "" {
				headers["Content-Encoding"] = encoding
			}
			answer, out := s.send(t, s.operatorKey(), http.MethodPost, usagePath, body, time.Now(), headers)
			return answer.StatusCode, out
		}
		count := func(out map[string]any) string {
			refused, _ := out["refused"].([]any)
			aside, _ := out["quarantined"].([]any)
			return fmt.Sprint(out["accepted"], " ", out["duplicates"], " ", len(refused), " ", len(aside))
		}
		for kind, write := range bodies {
			for encoding, pack := range packed {
				fresh := []string{s.usage(fmt.Sprint("f", n), "s3.small.1.linux", hour), s.usage(fmt.Sprint("g", n), "s3.small.1.linux", hour)}
				bad := strings.Replace(s.usage(fmt.Sprint("b", n), "s3.small.1.linux", hour), `"60"`, `"sixty"`, 1)
				lost := s.usage(fmt.Sprint("q", n), "s3.nothing", hour)
				n++
				status, out := send(kind, encoding, pack(t, write(append(fresh, bad, lost))))
				if status != 200 || count(out) != "2 0 1 1" {
					t.Fatalf("%s %s: %d, %s: %v", kind, encoding, status, count(out), out)
				}
				if first := out["refused"].([]any)[0].(map[string]any); fmt.Sprint(first["index"]) != "2" {
					t.Errorf("%s %s: refused %v", kind, encoding, first)
				}
				all = append(all, fresh...)
			}
		}
		for kind, write := range bodies {
			for encoding, pack := range packed {
				if status, out := send(kind, encoding, pack(t, write(all))); status != 200 || count(out) != fmt.Sprint("0 ", len(all), " 0 0") {
					t.Errorf("again as %s %s: %d, %s", kind, encoding, status, count(out))
				}
			}
		}
		whole := bodies["application/json"]([]string{s.usage("never", "s3.small.1.linux", hour)})
		for name, c := range map[string]struct {
			encoding, body string
			want           int
		}{
			"gzip cut off":         {"gzip", packed["gzip"](t, whole)[:40], 400},
			"zstd cut off":         {"zstd", packed["zstd"](t, whole)[:40], 400},
			"plain, called gzip":   {"gzip", whole, 400},
			"plain, called zstd":   {"zstd", whole, 400},
			"an encoding of ours":  {"br", whole, 400},
			"a bomb as gzip":       {"gzip", packed["gzip"](t, strings.Repeat(" ", 40<<20)), 413},
			"a bomb as zstd":       {"zstd", packed["zstd"](t, strings.Repeat(" ", 40<<20)), 413},
			"an object, no array":  {"", s.usage("never", "s3.small.1.linux", hour), 400},
			"two arrays":           {"", whole + whole, 400},
			"an array cut off":     {"", whole[:len(whole)-1], 400},
			"nothing":              {"", "", 400},
			"an array of nothings": {"", "[]", 200},
		} {
			if status, out := send("application/json", c.encoding, c.body); status != c.want || c.want != 200 && out["error_code"] == nil {
				t.Errorf("%s: %d %v, want %d", name, status, out, c.want)
			}
		}
		query := usagePath + "?customer_id=" + s.Customers[2].DomainID + "&start_time=" + hour.Format(time.RFC3339) + "&end_time=" + hour.Add(time.Hour).Format(time.RFC3339) + "&limit=100"
		_, out := s.send(t, s.operatorKey(), http.MethodGet, query, "", time.Now(), nil)
		ours := 0
		list, _ := out["usage_records"].([]any)
		for _, r := range list {
			if r.(map[string]any)["source"] == "wire" {
				ours++
			}
		}
		if ours != len(all) {
			t.Errorf("%d records of %d: %v", ours, len(all), out["total_count"])
		}
	})
}

// What is kept aside is there after a crash, is mended once, and counts.
func TestQuarantineAfterACrash(t *testing.T) {
	onEngines(t, func(t *testing.T, address string) {
		data, database := housetest.Furnished(t, address)
		process, demo := openServer(t, data, database)
		s := &server{demoCloud: demo}
		hour := time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Hour)
		body := "[" + s.usage("odd", "s3.nothing", hour) + "," + s.usage("even", "s3.small.1.linux", hour) + "]"
		json := map[string]string{"Content-Type": "application/json"}
		answer, out := s.send(t, s.operatorKey(), http.MethodPost, usagePath, body, time.Now(), json)
		if answer.StatusCode != 200 || fmt.Sprint(out["accepted"]) != "1" {
			t.Fatalf("%d %v", answer.StatusCode, out)
		}
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		process.Wait() //nolint:errcheck // killed
		_, s.demoCloud = openServer(t, data, database)
		kept := func(state string) []any {
			t.Helper()
			_, out := s.send(t, s.operatorKey(), http.MethodGet, "/purser/v1/usage-quarantine?customer_id="+s.Customers[2].DomainID+"&state="+state, "", time.Now(), nil)
			list, _ := out["records"].([]any)
			return list
		}
		list := kept("kept")
		if len(list) != 1 {
			t.Fatalf("kept: %v", list)
		}
		aside := list[0].(map[string]any)
		one := fmt.Sprintf("/purser/v1/usage-quarantine/%s", aside["id"])
		mend := fmt.Sprintf(`{"customer_id":%q,"action":"replay","record":%s}`, s.Customers[2].DomainID, s.usage("odd", "s3.small.1.linux", hour))
		if answer, out := s.send(t, s.operatorKey(), http.MethodPost, one, mend, time.Now(), json); answer.StatusCode >= 300 {
			t.Fatalf("mended: %d %v", answer.StatusCode, out)
		}
		if answer, _ := s.send(t, s.operatorKey(), http.MethodPost, one, mend, time.Now(), json); answer.StatusCode < 400 {
			t.Errorf("mended again: %d", answer.StatusCode)
		}
		if len(kept("kept")) != 0 || len(kept("replayed")) != 1 {
			t.Errorf("afterwards: %v, %v", kept("kept"), kept("replayed"))
		}
		if answer, out := s.send(t, s.operatorKey(), http.MethodPost, usagePath, body, time.Now(), json); answer.StatusCode != 200 || fmt.Sprint(out["duplicates"]) != "2" {
			t.Errorf("all of it again: %d %v", answer.StatusCode, out)
		}
	})
}

// While the store takes nothing, as many batches wait as there is room for, and the rest are told when to come again; none of
// them is lost or counted twice when they do.
func TestTooMuchUsage(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		const batches = 20 // there is room for 16
		hour := time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Hour)
		send := func(i int) (status int, retry string, out map[string]any) {
			answer, out := s.send(t, s.operatorKey(), http.MethodPost, usagePath, "["+s.usage(fmt.Sprint("much-", i), "s3.small.1.linux", hour)+"]", time.Now(), map[string]string{"Content-Type": "application/json"})
			return answer.StatusCode, answer.Header.Get("Retry-After"), out
		}
		release := s.hold(t)
		refused, ended := make(chan int, batches), make(chan int, batches)
		for i := range batches {
			go func() {
				switch status, retry, out := send(i); {
				case status == http.StatusTooManyRequests && retry == "1" && out["error_code"] == "PURSER.1130":
					refused <- i
				case status == http.StatusOK:
					ended <- i
				default:
					t.Errorf("batch %d: %d, Retry-After %q, %v", i, status, retry, out)
					ended <- i
				}
			}()
		}
		again := <-refused // at least one, while nothing can be written
		release()
		for n := 1; n < batches; n++ {
			select {
			case i := <-refused:
				if status, _, out := send(i); status != http.StatusOK || out["accepted"] != 1.0 {
					t.Errorf("batch %d again: %d, %v", i, status, out)
				}
			case <-ended:
			}
		}
		if status, _, out := send(again); status != http.StatusOK || out["accepted"] != 1.0 {
			t.Errorf("batch %d again: %d, %v", again, status, out)
		}
		for i := range batches {
			if status, _, out := send(i); status != http.StatusOK || out["duplicates"] != 1.0 {
				t.Errorf("batch %d once more: %d, %v", i, status, out)
			}
		}
	})
}

// hold keeps the server from writing until it is released, as somebody else at its store would.
func (s *server) hold(t *testing.T) (release func()) {
	t.Helper()
	driver, at, lock := "sqlite", "file:"+filepath.Join(s.data, "purser.db")+"?_pragma=busy_timeout(5000)", "BEGIN IMMEDIATE"
	if s.database != "" {
		driver, at, lock = "pgx", s.database, "BEGIN; LOCK TABLE usage_key"
	}
	pool, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), lock)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		_, err := conn.ExecContext(t.Context(), "ROLLBACK")
		if err = errors.Join(err, conn.Close(), pool.Close()); err != nil {
			t.Error(err)
		}
	}
}
