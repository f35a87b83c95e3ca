package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/house/housetest"
	"github.com/purser-cloud/purser/internal/period"
)

// credentials and demoCloud are what demo.json holds.
type credentials struct {
	DomainID   string `json:"domain_id"`
	DomainName string `json:"domain_name"`
	User       string `json:"user"`
	Password   string `json:"password"`
	AccessKey  string `json:"access_key"`
	SecretKey  string `json:"secret_key"`
	ProjectID  string `json:"project_id"`

	EnterpriseProjectID string `json:"enterprise_project_id"`
}

type demoCloud struct {
	Endpoint    string        `json:"endpoint"`
	TLSEndpoint string        `json:"tls_endpoint"`
	TLSCA       string        `json:"tls_ca"`
	Region      string        `json:"region"`
	Operator    credentials   `json:"operator"`
	Partner     credentials   `json:"partner"`
	Customers   []credentials `json:"customers"`
	ProjectUser credentials   `json:"project_user"`
}

// server is a running purser with a demo cloud of its own.
type server struct {
	demoCloud
	binary, data, database string
	log                    *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path)) //nolint:errcheck // a temporary folder
	}
	os.Exit(code)
}

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "purser-conformance")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "purser")
	out, err := exec.Command("go", "build", "-o", path, "github.com/purser-cloud/purser/cmd/purser").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// onEach runs a test against a server of its own on each engine.
func onEach(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	onEngines(t, func(t *testing.T, address string) { test(t, start(t, address)) })
}

// onEngines runs a test for SQLite, with no address, and for the PostgreSQL server at the address when there is one.
func onEngines(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
		t.Run("postgres", func(t *testing.T) { test(t, address) })
	}
}

// start runs a server with a demo cloud, on SQLite or on the PostgreSQL server at the address, and stops it, as a service
// manager would, at the test's end.
func start(t *testing.T, address string) *server {
	t.Helper()
	data, database := housetest.Furnished(t, address)
	return startOn(t, data, database)
}

func startOn(t *testing.T, data, database string, more ...string) *server {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{binary: path, data: data, database: database, log: &lockedBuffer{}}
	c := exec.Command(path, "serve", "--demo", "--data", s.data, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--test-clock", "--database", database)
	c.Args = append(c.Args, more...)
	c.Stderr = s.log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
		if err := c.Wait(); err != nil {
			t.Errorf("the server ended with %v\n%s", err, s.log)
		}
		if strings.Contains(s.log.String(), "level=ERROR") {
			t.Errorf("the server logged errors:\n%s", s.log)
		}
		s.nothingSecretIn(t, s.log.String())
	})
	open := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.Contains(lines.Text(), "purser is open") {
				close(open)
			}
		}
	}()
	select {
	case <-open:
	case <-time.After(time.Minute):
		t.Fatalf("the server did not open:\n%s", s.log)
	}
	text, err := os.ReadFile(filepath.Join(s.data, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s.demoCloud); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(s.data, "demo.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("demo.json: %v %v", info.Mode(), err)
	}
	return s
}

func (s *server) nothingSecretIn(t *testing.T, text string) {
	t.Helper()
	for _, c := range append([]credentials{s.Operator, s.Partner}, s.Customers...) {
		for _, secret := range []string{c.Password, c.SecretKey} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret of %s is in the log", c.DomainName)
			}
		}
	}
}

// still lets the house's clock stand, so that no hour ends, and settles, between two answers that are held against each other.
func (s *server) still(t *testing.T) {
	t.Helper()
	housetest.Stand(t, s.own(t, s.Operator), housetest.Soon())
}

// months lets the house's clock stand too, in a running bill month with something in it, which it returns with the one before.
func (s *server) months(t *testing.T) (running, last string) {
	t.Helper()
	at := housetest.InTheMonth()
	housetest.Stand(t, s.own(t, s.Operator), at)
	month := period.CycleOf(at)
	return month.String(), month.Add(-1).String()
}

// cli runs a command on the server's store and returns what it prints.
func (s *server) cli(t *testing.T, args ...string) string {
	t.Helper()
	args = append(args, "--data", s.data)
	if s.database != "" {
		args = append(args, "--database", s.database)
	}
	out, err := exec.Command(s.binary, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("purser %v: %v\n%s", args, err, out)
	}
	return string(out)
}
