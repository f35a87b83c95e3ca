package cli_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/purser-cloud/purser/internal/house/housetest"
)

// wait waits until what is asked for is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 1200 {
		if so() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within a minute: %s", what)
}

// records is how many records of a customer's November are in the store.
func (o *office) records(customer string) (n int) {
	var page struct {
		Total int `json:"total_count"`
	}
	if err := o.ask("GET", "/purser/v1/usage-records?start_time="+anHour.Format(time.RFC3339)+"&end_time="+anHour.Add(time.Hour).Format(time.RFC3339)+"&limit=1&customer_id="+customer, nil, &page); err != nil {
		return -1
	}
	return page.Total
}

// With a queue before usage, in the server itself: what was answered as accepted is counted once, also when the server was killed
// in between; form is judged at once, and what only the store knows is found among what was dropped, once.
func TestQueue(t *testing.T) {
	o := newOffice(t, "")
	ready := func(path string) string {
		t.Helper()
		answer, err := http.Get(o.demo.Endpoint + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close() //nolint:errcheck // only read
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d %s", answer.StatusCode, strings.TrimSpace(string(text)))
	}
	// A queue that nobody is at keeps a node from reports of usage, and from nothing else.
	o.args = []string{"--nats", "nats://127.0.0.1:1"}
	o.start()
	for path, want := range map[string]string{
		"/readyz": "200 ready, but not for reports of usage: the queue is not reached yet", "/readyz/usage": "503 ready, but not for reports of usage: the queue is not reached yet",
	} {
		if got := ready(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	o.kill()
	o.args = []string{"--cluster", "127.0.0.1:0", "--cluster-peers", "127.0.0.1:0"}
	o.start()
	defer func() { o.kill() }()
	customer := o.demo.Customer[2].Domain
	before := o.records(customer)
	var said struct {
		Accepted int
		Queued   bool
		Refused  []struct{ Code string }
	}
	batch := fmt.Appendf(nil, "[%s,%s,%s]", strings.Trim(string(one(customer, 1)), "[]"), strings.Trim(string(one("nobody", 2)), "[]"),
		strings.Replace(strings.Trim(string(one(customer, 3)), "[]"), `"usage_value":"1"`, `"usage_value":"-1"`, 1))
	post := func() {
		t.Helper()
		wait(t, "the queue is reached", func() bool { return o.ask("POST", "/purser/v1/usage-records", batch, &said) == nil })
		if said.Accepted != 2 || !said.Queued || len(said.Refused) != 1 || said.Refused[0].Code != "CBC.0100" {
			t.Fatalf("%+v", said)
		}
	}
	post()
	for _, path := range []string{"/readyz", "/readyz/usage"} {
		if got := ready(path); got != "200 ready" {
			t.Errorf("%s: %s", path, got)
		}
	}
	o.kill() // what is in the queue now is counted by the next one
	o.start()
	post()
	var aside struct {
		Total   int `json:"total_count"`
		Records []struct{ Code string }
	}
	wait(t, "the queue is empty", func() bool {
		answer, err := http.Get(o.demo.Endpoint + "/metrics")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return err == nil && strings.Count(string(text), "purser_queue_messages{") == 8 && strings.Count(string(text), `"} 0`+"\n") >= 8 && o.records(customer) == before+1 &&
			!strings.Contains(string(text), `"} 1`+"\npurser_queue_messages")
	})
	if err := o.ask("GET", "/purser/v1/usage-quarantine?state=dropped&customer_id=nobody", nil, &aside); err != nil || aside.Total != 1 || aside.Records[0].Code != "PURSER.1105" {
		t.Errorf("%+v, %v", aside, err)
	}
}

// freePorts are addresses that nobody listens on.
func freePorts(t *testing.T, n int) (list []string) {
	t.Helper()
	for range n {
		on, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer on.Close()
		list = append(list, on.Addr().String())
	}
	return list
}

// Three nodes keep a queue of three replicas together, on one PostgreSQL. One after the other is killed under load, again and
// again: every record that was acknowledged, by whichever node, is in the store once.
func TestQueueNodes(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" || os.Getenv("PURSER_LONG") == "" {
		t.Skip("in test-long, on PostgreSQL")
	}
	data, database := housetest.Furnished(t, admin)
	addresses := freePorts(t, 3)
	var nodes [3]*office
	for i := range nodes {
		folder := t.TempDir()
		if err := os.CopyFS(folder, os.DirFS(data)); err != nil {
			t.Fatal(err)
		}
		nodes[i] = &office{t: t, purser: program(t), data: folder, database: database, args: []string{"--cluster", addresses[i], "--cluster-peers", strings.Join(addresses, ",")}}
		nodes[i].start()
		t.Cleanup(nodes[i].kill)
	}
	customers := nodes[0].demo.Customer[:3]
	before := 0
	for _, c := range customers {
		before += nodes[0].records(c.Domain)
	}
	var acknowledged, refused, longest atomic.Int64
	over := make(chan struct{})
	var crew sync.WaitGroup
	for w := range 4 {
		crew.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				body := one(customers[n%3].Domain, w*1_000_000+n)
				began := time.Now()
				for nodes[rand.IntN(3)].ask("POST", "/purser/v1/usage-records", body, &struct{}{}) != nil {
					refused.Add(1)
					time.Sleep(20 * time.Millisecond)
				}
				acknowledged.Add(1)
				for took := int64(time.Since(began)); took > longest.Load(); {
					longest.Store(took)
				}
			}
		})
	}
	wait(t, "the queue is reached", func() bool { return acknowledged.Load() > 0 })
	kills := 0
	for ; kills < 12; kills++ {
		frail := nodes[kills%3]
		n := acknowledged.Load()
		wait(t, "records are taken in", func() bool { return acknowledged.Load() > n+50 })
		frail.kill()
		n = acknowledged.Load()
		wait(t, "two nodes go on", func() bool { return acknowledged.Load() > n+50 })
		args := frail.args
		frail.again()
		frail.args = args
	}
	close(over)
	crew.Wait()
	in := func() (n int) {
		for _, c := range customers {
			n += nodes[0].records(c.Domain)
		}
		return n - before
	}
	wait(t, "all that was acknowledged is in the store", func() bool { return in() >= int(acknowledged.Load()) })
	if n := in(); n != int(acknowledged.Load()) {
		t.Errorf("%d records were acknowledged, %d are in the store", acknowledged.Load(), n)
	}
	t.Logf("%d records acknowledged by three nodes that were killed %d times: all in the store once; %d answers were none; the longest stall %s", acknowledged.Load(), kills, refused.Load(), time.Duration(longest.Load()).Round(time.Millisecond))
	for _, o := range nodes {
		o.stop()
	}
	if out, err := exec.Command(nodes[0].purser, "check", "--data", data, "--database", database).CombinedOutput(); err != nil {
		t.Errorf("purser check: %v\n%s", err, out)
	}
}

// Three nodes keep a queue together. With two of them killed the third is ready, and not for reports of usage: its queue has no
// majority, and its numbers of what waits are gone rather than 0. With one of them back it takes reports again by itself. And a
// server is not let into another one's folder.
func TestQueueMajorityNodes(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" || os.Getenv("PURSER_LONG") == "" {
		t.Skip("in test-long, on PostgreSQL")
	}
	data, database := housetest.Furnished(t, admin)
	addresses := freePorts(t, 3)
	var nodes [3]*office
	for i := range nodes {
		folder := t.TempDir()
		if err := os.CopyFS(folder, os.DirFS(data)); err != nil {
			t.Fatal(err)
		}
		nodes[i] = &office{t: t, purser: program(t), data: folder, database: database, args: []string{"--cluster", addresses[i], "--cluster-peers", strings.Join(addresses, ",")}}
		nodes[i].start()
		t.Cleanup(nodes[i].kill)
	}
	last := nodes[2]
	get := func(path string) (int, string) {
		answer, err := http.Get(last.demo.Endpoint + path)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close() //nolint:errcheck // only read
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return 0, err.Error()
		}
		return answer.StatusCode, strings.TrimSpace(string(text))
	}
	numbers := func() string { // of the queue
		_, text := get("/metrics")
		return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.HasPrefix(line, "purser_queue") }), "\n")
	}
	takes := func() bool { status, _ := get("/readyz/usage"); return status == http.StatusOK }
	customer := last.demo.Customer[2].Domain
	sent := 0
	report := func() bool {
		if last.ask("POST", "/purser/v1/usage-records", one(customer, sent), &struct{}{}) != nil {
			return false
		}
		sent++
		return true
	}
	before := last.records(customer)
	wait(t, "the queue is reached", takes)
	wait(t, "a report is acknowledged", report)
	for round := range 2 { // either of them brings the majority back
		nodes[0].kill()
		nodes[1].kill()
		began := time.Now()
		var status int
		var text string
		wait(t, "the survivor says that its queue is away", func() bool { // a partition that it leads itself it gives up later
			status, text = get("/readyz/usage")
			return strings.HasSuffix(text, "the queue does not answer")
		})
		t.Logf("said after %s", time.Since(began).Round(100*time.Millisecond))
		if status != http.StatusServiceUnavailable {
			t.Errorf("%d %s", status, text)
		}
		if status, text := get("/readyz"); status != http.StatusOK || !strings.Contains(text, "not for reports of usage") {
			t.Errorf("%d %s", status, text)
		}
		if text := numbers(); strings.Contains(text, "purser_queue_messages{") || strings.Count(text, `"} 0`+"\n") < 8 || strings.Count(text, `purser_queue_answers{`) != 8 {
			t.Errorf("numbers of a queue that does not answer:\n%s", text)
		}
		if err := last.ask("POST", "/purser/v1/usage-records", one(customer, sent), &struct{}{}); err == nil || !strings.Contains(err.Error(), "PURSER.1131") {
			t.Errorf("a report without a majority: %v", err)
		}
		nodes[round].start()
		began = time.Now()
		wait(t, "the survivor takes reports again", func() bool { return takes() && report() })
		t.Logf("back after %s", time.Since(began).Round(100*time.Millisecond))
		nodes[1-round].start()
		wait(t, "all three are there", func() bool {
			return strings.Count(numbers(), "purser_queue_messages{") == 8
		})
	}
	wait(t, "all that was acknowledged is in the store", func() bool { return last.records(customer) >= before+sent })
	if n := last.records(customer) - before; n > sent+2 { // those that were refused may have been kept all the same
		t.Errorf("%d records are in the store, %d were sent", n, sent)
	}
	other := exec.Command(last.purser, "serve", "--data", last.data, "--database", database, "--listen", "127.0.0.1:0", "--cluster", addresses[0], "--cluster-peers", strings.Join(addresses, ","))
	if out, err := other.CombinedOutput(); err == nil || other.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), filepath.Join(last.data, "queue")+" is another running server's") {
		t.Errorf("a second server in one folder: %v\n%s", err, out)
	}
	for _, o := range nodes {
		o.stop()
	}
}

// natsServer is a NATS server of its own with one replica: a folder and a port.
func natsServer() {
	port, err := strconv.Atoi(os.Args[2])
	if err == nil {
		var s *server.Server
		if s, err = server.NewServer(&server.Options{ServerName: "outside", StoreDir: os.Args[1], Host: "127.0.0.1", Port: port, JetStream: true, SyncAlways: true, NoLog: true, NoSigs: true}); err == nil {
			s.Start()
			s.WaitForShutdown()
			os.Exit(0)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// With a NATS server that is not purser's: usage goes through it, and goes on when it was killed and is back, without a restart of purser;
// what was acknowledged is counted once.
func TestQueueOutside(t *testing.T) {
	test, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	program := filepath.Join(t.TempDir(), "nats-server")
	if err := os.Symlink(test, program); err != nil {
		t.Fatal(err)
	}
	address := freePorts(t, 1)[0]
	_, port, _ := strings.Cut(address, ":")
	var nats *exec.Cmd
	start := func() {
		nats = exec.Command(program, folder, port)
		nats.Stderr = os.Stderr
		if err := nats.Start(); err != nil {
			t.Fatal(err)
		}
	}
	kill := func() {
		nats.Process.Kill() //nolint:errcheck // it may be gone
		nats.Wait()         //nolint:errcheck // killed
	}
	start()
	defer func() { kill() }()
	o := newOffice(t, "")
	o.args = []string{"--nats", "nats://" + address, "--queue-replicas", "1"}
	o.start()
	defer func() { o.kill() }()
	customer := o.demo.Customer[2].Domain
	before, sent := o.records(customer), 0
	some := func(n int) {
		t.Helper()
		for range n {
			var said struct {
				Accepted int
				Queued   bool
			}
			wait(t, "a record is acknowledged", func() bool { return o.ask("POST", "/purser/v1/usage-records", one(customer, sent), &said) == nil })
			if said.Accepted != 1 || !said.Queued {
				t.Fatalf("%+v", said)
			}
			sent++
		}
	}
	some(20)
	kill()
	start()
	some(20)
	kill()
	start()
	some(5)
	wait(t, "all are in the store", func() bool { return o.records(customer) >= before+sent })
	if n := o.records(customer) - before; n != sent {
		t.Errorf("%d records are in the store, %d were sent", n, sent)
	}
}
