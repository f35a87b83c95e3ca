package cli_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// one is a batch of one record.
func one(customer string, n int) []byte {
	return fmt.Appendf(nil, `[{"source":"fault","id":"%d","customer_id":%q,"resource_id":"k-1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","usage_factor":"Duration","usage_value":"1","usage_measure_id":6,"start_time":%q,"end_time":%q}]`,
		n, customer, anHour.Format(time.RFC3339), anHour.Add(time.Hour).Format(time.RFC3339))
}

// anHour is one of a few days ago, the same in all of these tests.
var anHour = time.Now().UTC().AddDate(0, 0, -3).Truncate(time.Hour)

// A torn last block of the log (a write that power cut short) loses nothing that was acknowledged; a damaged store is named
// as such.
func TestTornAndDamaged(t *testing.T) {
	o := newOffice(t, "")
	o.start()
	customer := o.demo.Customer[2].Domain
	for i := range 50 {
		if err := o.ask("POST", "/purser/v1/usage-records", one(customer, i), &struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	o.kill()
	log := filepath.Join(o.data, "purser.db-wal")
	f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(strings.Repeat("torn", 3000)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	o.start()
	for i := range 50 {
		var said struct{ Accepted, Duplicates int }
		if err := o.ask("POST", "/purser/v1/usage-records", one(customer, i), &said); err != nil || said.Duplicates != 1 {
			t.Fatalf("record %d: %+v, %v", i, said, err)
		}
	}
	o.kill()
	text, err := os.ReadFile(filepath.Join(o.data, "purser.db"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4096 {
		text[i] = 'x'
	}
	if err := os.WriteFile(filepath.Join(o.data, "purser.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	os.Remove(log)
	out, err := exec.Command(o.purser, "serve", "--data", o.data, "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not a database") {
		t.Errorf("a damaged store: %v\n%s", err, out)
	}
}

// cable is a way to a server that can be cut.
type cable struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	cut      bool
	open     []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	on, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { on.Close() })
	c := &cable{listener: on, to: to}
	go func() {
		for {
			near, err := on.Accept()
			if err != nil {
				return
			}
			c.carry(near)
		}
	}()
	return c
}

func (c *cable) carry(near net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	far, err := net.Dial("tcp", c.to)
	if c.cut || err != nil {
		near.Close()
		return
	}
	c.open = append(c.open, near, far)
	go func() { io.Copy(near, far); near.Close() }() //nolint:errcheck // it ends when it ends
	go func() { io.Copy(far, near); far.Close() }()  //nolint:errcheck // as above
}

func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for _, conn := range c.open {
			conn.Close()
		}
		c.open = nil
	}
}

// A database that goes away is named in the answer; when it is back, everything goes on without a restart.
func TestDatabaseGoesAway(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" {
		t.Skip("PURSER_TEST_POSTGRES names no server")
	}
	o := newOffice(t, admin)
	at, err := url.Parse(o.database)
	if err != nil {
		t.Fatal(err)
	}
	c := newCable(t, at.Host)
	at.Host = c.listener.Addr().String()
	o.database = at.String()
	o.start()
	defer o.kill()
	customer := o.demo.Customer[2].Domain
	sent := 0
	send := func() error {
		var said struct{ Accepted, Duplicates int }
		err := o.ask("POST", "/purser/v1/usage-records", one(customer, sent), &said)
		if err == nil && said.Accepted+said.Duplicates != 1 {
			err = fmt.Errorf("record %d: %+v", sent, said)
		}
		if err == nil {
			sent++
		}
		return err
	}
	for range 10 {
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	c.set(true)
	away := time.Second
	if os.Getenv("PURSER_LONG") != "" {
		away = time.Minute
	}
	for gone := time.Now(); time.Since(gone) < away; {
		if err := send(); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "the database") {
			t.Errorf("without a database: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	if err := o.ask("GET", "/readyz", nil, &struct{}{}); err == nil {
		t.Error("it says that it is ready")
	}
	c.set(false)
	if err := send(); err != nil {
		t.Errorf("with the database again: %v", err)
	}
	for i := range sent {
		var said struct{ Duplicates int }
		if err := o.ask("POST", "/purser/v1/usage-records", one(customer, i), &said); err != nil || said.Duplicates != 1 {
			t.Errorf("record %d: %+v, %v", i, said, err)
		}
	}
}
