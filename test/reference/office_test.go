package reference

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/client"
)

// office is a purser in a process of its own, which can be killed and opened again.
type office struct {
	*testing.T
	binary, data, address string
	database              string // PostgreSQL; empty: the embedded store
	serve                 *exec.Cmd
	log                   *journal
	operator              client.Credential
}

// journal keeps what the servers log; more than one may write for a moment.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// onEach runs a test on SQLite, and on PostgreSQL when there is one.
func onEach(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	address := os.Getenv("PURSER_TEST_POSTGRES")
	if address == "" {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context()) //nolint:errcheck // nothing is left to lose
		name := fmt.Sprintf("day_%d_%d", os.Getpid(), time.Now().UnixNano())
		if _, err := conn.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		at, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		at.Path = "/" + name
		test(t, at.String())
	})
}

// newOffice builds purser and opens it with a demo cloud: that makes an operator with a key.
func newOffice(t *testing.T, database string) *office {
	t.Helper()
	o := &office{T: t, binary: filepath.Join(t.TempDir(), "purser"), data: filepath.Join(t.TempDir(), "data"), database: database, log: &journal{}}
	if out, err := exec.Command("go", "build", "-o", o.binary, "github.com/purser-cloud/purser/cmd/purser").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o.open()
	t.Cleanup(func() {
		o.serve.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
		if err := o.serve.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if strings.Contains(o.log.String(), "level=ERROR") {
			t.Errorf("the server logged errors:\n%s", tail(o.log.String()))
		}
	})
	text, err := os.ReadFile(filepath.Join(o.data, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	var demo struct {
		Operator struct {
			DomainID  string `json:"domain_id"`
			AccessKey string `json:"access_key"`
			SecretKey string `json:"secret_key"`
		}
	}
	if err := json.Unmarshal(text, &demo); err != nil {
		t.Fatal(err)
	}
	o.operator = client.Credential{AccessKey: demo.Operator.AccessKey, SecretKey: demo.Operator.SecretKey, DomainID: demo.Operator.DomainID}
	return o
}

func tail(text string) string { return text[max(0, len(text)-4000):] }

// open starts the server and waits until it is open.
func (o *office) open() {
	o.Helper()
	o.serve = o.command("serve", "--demo", "--test-clock", "--limits", "off", "--listen", "127.0.0.1:0")
	o.serve.Stderr = o.log
	out, err := o.serve.StdoutPipe()
	if err != nil {
		o.Fatal(err)
	}
	if err := o.serve.Start(); err != nil {
		o.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, at, found := strings.Cut(lines.Text(), "purser is open: "); found {
				address <- at
			}
		}
	}()
	select {
	case o.address = <-address:
	case <-time.After(time.Minute):
		o.Fatalf("the server did not open:\n%s", tail(o.log.String()))
	}
}

// kill ends the server as a power cut would.
func (o *office) kill() {
	o.serve.Process.Kill() //nolint:errcheck // it may have ended
	o.serve.Wait()         //nolint:errcheck // it was killed
}

// command is a command of purser on the store.
func (o *office) command(args ...string) *exec.Cmd {
	return exec.Command(o.binary, append(args, "--data", o.data, "--database", o.database)...)
}

// run runs a command of purser on the store.
func (o *office) run(args ...string) string {
	o.Helper()
	out, err := o.command(args...).CombinedOutput()
	if err != nil {
		o.Fatalf("purser %v: %v\n%s", args, err, tail(string(out)))
	}
	return string(out)
}

// ask sends one signed request. An error means that there was no answer.
func (o *office) ask(who client.Credential, method, path string, body []byte, kind string) (int, []byte, error) {
	r, err := http.NewRequest(method, o.address+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if len(body) > 0 {
		kind, packed := strings.CutSuffix(kind, "; gzip")
		r.Header.Set("Content-Type", kind)
		if packed {
			r.Header.Set("Content-Encoding", "gzip")
		}
	}
	if err := who.Apply(r, time.Now()); err != nil {
		return 0, nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}

// do asks and wants an answer of 2xx, which it reads into out.
func (o *office) do(who client.Credential, method, path string, in, out any) {
	o.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			o.Fatal(err)
		}
	}
	status, answer, err := o.ask(who, method, path, body, "application/json")
	if err != nil || status/100 != 2 {
		o.Fatalf("%s %s: %d %v %s\n%s", method, path, status, err, answer, body)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			o.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
}

// figure is a number in an answer, whether written as a number or as text.
type figure struct{ *big.Rat }

func (f *figure) UnmarshalJSON(text []byte) error {
	r, ok := new(big.Rat).SetString(strings.Trim(string(text), `"`))
	if !ok {
		return fmt.Errorf("%s is no number", text)
	}
	f.Rat = r
	return nil
}

// turn turns the clock of the house and waits until what lies in between has happened. With a delay the server is
// killed after it, opened again, and the clock turned again.
func (o *office) turn(to time.Time, killAfter time.Duration) {
	o.Helper()
	body, err := json.Marshal(map[string]string{"time": wire(to)})
	if err != nil {
		o.Fatal(err)
	}
	if killAfter > 0 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.ask(o.operator, "PUT", "/purser/v1/clocks", body, "application/json") //nolint:errcheck // the server dies of it
		}()
		time.Sleep(killAfter)
		o.kill()
		<-done
		o.open()
	}
	status, answer, err := o.ask(o.operator, "PUT", "/purser/v1/clocks", body, "application/json")
	if err != nil || status != 200 {
		o.Fatalf("turn the clock to %s: %d %v %s\n%s", wire(to), status, err, answer, tail(o.log.String()))
	}
	var job struct {
		ID      string `json:"job_id"`
		State   string `json:"state"`
		Message string `json:"message"`
	}
	for err = json.Unmarshal(answer, &job); err == nil && job.State == "running"; {
		time.Sleep(100 * time.Millisecond)
		o.do(o.operator, "GET", "/purser/v1/jobs/"+job.ID, nil, &job)
	}
	if err != nil || job.State != "done" {
		o.Fatalf("turn the clock to %s: %+v %v", wire(to), job, err)
	}
}
