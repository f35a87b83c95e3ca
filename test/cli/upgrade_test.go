package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/house/housetest"
)

// newer builds a purser whose schema is some steps ahead of this one's: the same source with more migrations.
func newer(t *testing.T, steps int) (path string) {
	t.Helper()
	folder, err := filepath.Abs("../../internal/schema/migrations")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.sql"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	last, dir, added := 0, t.TempDir(), map[string]string{}
	if _, err := fmt.Sscanf(filepath.Base(slices.Max(names)), "%05d_", &last); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	for n := 1; n <= steps; n++ { // numbers have gaps, as ours do
		name := fmt.Sprintf("%05d_step.sql", last+5*n)
		added[filepath.Join(folder, name)] = write(name, fmt.Sprintf("-- +goose Up\nCREATE TABLE step_ahead_%d (\n    id BIGINT NOT NULL PRIMARY KEY\n);\n", n))
	}
	text, err := json.Marshal(map[string]any{"Replace": added})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "purser")
	build := exec.Command("go", "build", "-trimpath", "-overlay", write("overlay.json", string(text)), "-o", path, "../../cmd/purser")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// balancer sends requests to nodes that say they are ready, as one that looks at /readyz does.
type balancer struct {
	nodes [3]*office
	ready [3]atomic.Bool
	next  atomic.Int64

	again   atomic.Int64 // requests that were sent once more
	longest atomic.Int64 // ns until the answer
}

// look asks each node again and again until over is closed.
func (b *balancer) look(over <-chan struct{}) {
	asks := &http.Client{Timeout: 3 * time.Second}
	for i := range b.nodes {
		go func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(20 * time.Millisecond):
				}
				answer, err := asks.Get(b.nodes[i].demo.Endpoint + "/readyz")
				b.ready[i].Store(err == nil && answer.StatusCode == http.StatusOK)
				if err == nil {
					answer.Body.Close()
				}
			}
		}()
	}
}

// send does a deed at a node that is ready; one that gets no answer, or 503, is done again with its key, elsewhere.
func (b *balancer) send(deed func(o *office) error) error {
	began := time.Now()
	for time.Since(began) < time.Minute {
		i := b.next.Add(1) % int64(len(b.nodes))
		if !b.ready[i].Load() {
			time.Sleep(time.Millisecond)
			continue
		}
		err := deed(b.nodes[i])
		if err == nil {
			for took := int64(time.Since(began)); took > b.longest.Load(); {
				b.longest.Store(took)
			}
			return nil
		}
		if text := err.Error(); !strings.Contains(text, " 503 ") && !strings.Contains(text, "connect") && !strings.Contains(text, "EOF") && !strings.Contains(text, "reset") {
			return err
		}
		b.again.Add(1)
	}
	return fmt.Errorf("no answer within a minute")
}

// A rolling upgrade under load, with real programs: three nodes, and two newer pursers, one and two schema steps ahead. Each node is
// told to stop, says that it is not ready while it still answers, ends with what is under way, and comes again as the newer
// one, whose first start takes the schema ahead under the others; an old one may even be started again beside it. Every request
// is answered in the end, nothing acknowledged is lost or there twice. One that is two steps behind refuses to start, in words.
func TestRollingUpgrade(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" || os.Getenv("PURSER_LONG") == "" {
		t.Skip("in test-long, on PostgreSQL: it builds two programs")
	}
	old, one1, two2 := program(t), newer(t, 1), newer(t, 2)
	data, database := housetest.Furnished(t, admin)
	b := &balancer{}
	for i := range b.nodes {
		folder := t.TempDir()
		if err := os.CopyFS(folder, os.DirFS(data)); err != nil { // the key that opens the secrets is everybody's
			t.Fatal(err)
		}
		b.nodes[i] = &office{t: t, purser: old, data: folder, database: database, args: []string{"--drain-notice", "300ms"}}
		b.nodes[i].start()
		t.Cleanup(b.nodes[i].kill)
	}
	operator, customer, user := b.nodes[0].demo.Operator, b.nodes[0].demo.Customer[0].Domain, b.nodes[0].demo.Customer[2].Domain
	before := b.nodes[0].records(user)
	over := make(chan struct{})
	b.look(over)
	var booked, reported atomic.Int64
	var crew sync.WaitGroup
	for who := range 2 {
		crew.Go(func() {
			for n := who; ; n += 2 {
				select {
				case <-over:
					return
				default:
				}
				err := b.send(func(o *office) error {
					return o.askAs(operator, fmt.Sprintf("upgrade-%d", n), "POST", "/purser/v1/customers/"+customer+"/top-ups", fmt.Appendf(nil, `{"amount":"0.01","reference":"upgrade-%d"}`, n), &struct{}{})
				})
				if err == nil {
					booked.Add(1)
					err = b.send(func(o *office) error {
						return o.askAs(operator, "", "POST", "/purser/v1/usage-records", one(user, 5_000_000+n), &struct{}{})
					})
				}
				if err != nil {
					t.Error(err)
					return
				}
				reported.Add(1)
			}
		})
	}
	goesOn := func(what string) {
		t.Helper()
		n := reported.Load()
		wait(t, what, func() bool { return reported.Load() > n+10 })
	}
	change := func(i int, to string) {
		t.Helper()
		o := b.nodes[i]
		if err := o.process.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		wait(t, "a node that stops is not ready", func() bool { return !b.ready[i].Load() })
		if err := o.process.Wait(); err != nil {
			t.Errorf("stopped: %v", err)
		}
		o.purser = to
		o.again()
		wait(t, "a node that came again is ready", func() bool { return b.ready[i].Load() })
	}
	goesOn("three old nodes")
	change(0, one1)
	goesOn("one new node, two old")
	change(1, old) // finds the schema a step ahead
	goesOn("an old node started again")
	change(1, one1)
	change(2, one1)
	goesOn("three new nodes")
	change(0, two2)
	goesOn("one newer still, two new")
	out, err := exec.Command(old, "serve", "--data", t.TempDir(), "--database", database, "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is 2 steps behind; it can run at most one step behind: use a newer purser") {
		t.Errorf("two steps behind: %v\n%s", err, out)
	}
	close(over)
	crew.Wait()
	if n := b.nodes[1].records(user) - before; n != int(reported.Load()) {
		t.Errorf("%d records were acknowledged, %d are there", reported.Load(), n)
	}
	out, err = exec.Command("psql", "-Atq", database, "-c", "SELECT count(*), count(DISTINCT reference) FROM ledger_entry WHERE reference LIKE 'upgrade-%'", "-c", "SELECT count(*) FROM step_ahead_2").CombinedOutput()
	if want := fmt.Sprintf("%d|%d\n0\n", booked.Load(), booked.Load()); err != nil || string(out) != want {
		t.Errorf("%d top-ups were acknowledged: %v\n%s", booked.Load(), err, out)
	}
	t.Logf("%d top-ups and %d records over five changes of nodes, all there once; %d requests were sent again, the longest took %s",
		booked.Load(), reported.Load(), b.again.Load(), time.Duration(b.longest.Load()).Round(time.Millisecond))
	for _, o := range b.nodes {
		o.stop()
	}
	if out, err := exec.Command(two2, "check", "--data", b.nodes[0].data, "--database", database).CombinedOutput(); err != nil {
		t.Errorf("purser check: %v\n%s", err, out)
	}
}
