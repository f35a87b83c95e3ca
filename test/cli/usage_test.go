package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

// office is a server on a data folder that is started, killed and started again.
type office struct {
	t        *testing.T
	purser   string
	data     string
	database string
	args     []string // besides what every start is given
	process  *exec.Cmd
	demo     struct {
		Endpoint string
		Operator account
		Customer []account `json:"customers"`
	}
}

type account struct {
	Domain string `json:"domain_id"`
	Access string `json:"access_key"`
	Secret string `json:"secret_key"`
}

// newOffice is an office with the demo cloud, on SQLite or on the PostgreSQL server at the address.
func newOffice(t *testing.T, address string) *office {
	t.Helper()
	data, database := housetest.Furnished(t, address)
	return &office{t: t, purser: program(t), data: data, database: database}
}

// launch starts the server.
func (o *office) launch() {
	o.t.Helper()
	args := []string{"serve", "--demo", "--test-clock", "--limits", "off", "--log-level", "error", "--listen", "127.0.0.1:0", "--data", o.data}
	if o.database != "" {
		args = append(args, "--database", o.database)
	}
	o.process = exec.Command(o.purser, append(args, o.args...)...)
	o.process.Stderr = os.Stderr
	o.forgetEndpoint()
	if err := o.process.Start(); err != nil {
		o.t.Fatal(err)
	}
}

// start starts the server and waits until it answers.
func (o *office) start() {
	o.t.Helper()
	o.launch()
	for range 600 {
		time.Sleep(50 * time.Millisecond)
		text, err := os.ReadFile(filepath.Join(o.data, "demo.json"))
		if err != nil || json.Unmarshal(text, &o.demo) != nil {
			continue
		}
		if answer, err := http.Get(o.demo.Endpoint + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
	}
	o.t.Fatal("the server does not start")
}

// forgetEndpoint takes the endpoint of the start before out of demo.json.
func (o *office) forgetEndpoint() {
	o.t.Helper()
	path, demo := filepath.Join(o.data, "demo.json"), map[string]any{}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &demo)
	}
	if err == nil {
		demo["endpoint"] = ""
		text, err = json.Marshal(demo)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) kill() {
	o.process.Process.Kill() //nolint:errcheck // it may be over
	o.process.Wait()         //nolint:errcheck // it was killed
}

// ask asks as the operator; what is answered is read into out.
func (o *office) ask(method, path string, body []byte, out any) error {
	return o.askAs(o.demo.Operator, "", method, path, body, out)
}

// askAs asks as an account, with an idempotency key unless that is empty.
func (o *office) askAs(who account, key, method, path string, body []byte, out any) error {
	r, err := http.NewRequest(method, o.demo.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	if err := (client.Credential{AccessKey: who.Access, SecretKey: who.Secret, DomainID: who.Domain}).Sign(r, time.Now()); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}

// rounds is how often the server is killed; the long form kills it a hundred times.
func rounds(few int) int {
	if os.Getenv("PURSER_LONG") != "" {
		return 100
	}
	return few
}

// kill -9 at random under full load, again and again: no acknowledged record is lost, none counts twice, and what is
// settled comes to what was sent.
func TestKillUnderUsage(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killUnderUsage(t, "") })
	if admin := os.Getenv("PURSER_TEST_POSTGRES"); admin != "" {
		t.Run("postgres", func(t *testing.T) { killUnderUsage(t, admin) })
	}
}

func killUnderUsage(t *testing.T, address string) {
	o := newOffice(t, address)
	o.start()
	customers := o.demo.Customer[len(o.demo.Customer)-2:]
	hour := time.Now().Add(-30 * time.Hour).Truncate(time.Hour).UTC()
	batch := func(n int) []byte {
		var list []string
		from := hour.Add(time.Duration(n%24) * time.Hour)
		for i := range 200 {
			list = append(list, fmt.Sprintf(`{"source":"kill","id":"%d-%d","customer_id":%q,"resource_id":"k-%d","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","usage_factor":"Duration","usage_value":"%d","usage_measure_id":6,"start_time":%q,"end_time":%q}`,
				n, i, customers[n%len(customers)].Domain, i%40, 1+i%7, from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339)))
		}
		return []byte("[" + strings.Join(list, ",") + "]")
	}
	var perBatch int64
	for i := range 200 {
		perBatch += int64(1 + i%7)
	}
	var mu sync.Mutex
	next, pending, acked := 0, map[int]bool{}, 0
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		for n := range pending {
			delete(pending, n)
			return n
		}
		next++
		return next - 1
	}
	send := func(n int) error {
		var said struct{ Accepted, Duplicates int }
		err := o.ask("POST", "/purser/v1/usage-records", batch(n), &said)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			pending[n] = true
			return err
		}
		if said.Accepted+said.Duplicates != 200 {
			err = fmt.Errorf("batch %d: %+v", n, said)
		}
		acked++
		return err
	}
	for round := range rounds(6) {
		if round > 0 {
			o.start()
		}
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := send(take()); err != nil {
						if strings.Contains(err.Error(), "batch") {
							t.Error(err)
						}
						time.Sleep(5 * time.Millisecond)
					}
				}
			})
		}
		time.Sleep(time.Duration(150+rand.IntN(500)) * time.Millisecond)
		o.kill()
		close(stop)
		wg.Wait()
	}
	o.start()
	defer o.kill()
	for len(pending) > 0 {
		if err := send(take()); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // some once more
		if err := send(rand.IntN(next)); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.ask("PUT", "/purser/v1/clocks", fmt.Appendf(nil, `{"time":%q}`, time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339)), &struct{}{}); err != nil {
		t.Fatal(err)
	}
	used := map[string]int64{}
	for _, customer := range customers {
		for _, cycle := range slices.Compact([]string{cycleOf(hour), cycleOf(hour.Add(25 * time.Hour))}) {
			sum, err := o.used(customer.Domain, cycle)
			if err != nil {
				t.Fatal(err)
			}
			used[customer.Domain] += sum
		}
	}
	for i, customer := range customers {
		batches := int64((next + len(customers) - 1 - i) / len(customers))
		if want := batches * perBatch; used[customer.Domain] != want {
			t.Errorf("customer %d: %d s charged, %d were sent", i, used[customer.Domain], want)
		}
	}
	t.Logf("%d batches, %d acknowledged", next, acked)
	o.process.Process.Signal(os.Interrupt) //nolint:errcheck // it is killed in the end
	o.process.Wait()                       //nolint:errcheck // as above
	args := []string{"check", "--data", o.data}
	if o.database != "" {
		args = append(args, "--database", o.database)
	}
	if out, err := exec.Command(o.purser, args...).CombinedOutput(); err != nil {
		t.Errorf("purser check: %v\n%s", err, out)
	}
}

func cycleOf(t time.Time) string { return t.Add(8 * time.Hour).Format("2006-01") }

// used adds up the seconds that a customer's resources k-… were charged for in a cycle.
func (o *office) used(customer, cycle string) (sum int64, err error) {
	for offset := 0; ; offset += 1000 {
		var page struct {
			Total   int `json:"total_count"`
			Records []struct {
				Resource string `json:"resource_id"`
				Usage    json.Number
			} `json:"fee_records"`
		}
		path := fmt.Sprintf("/purser/v1/fee-records?customer_id=%s&cycle=%s&offset=%d&limit=1000", customer, cycle, offset)
		if err := o.ask("GET", path, nil, &page); err != nil {
			return 0, err
		}
		for _, r := range page.Records {
			if strings.HasPrefix(r.Resource, "k-") {
				n, err := r.Usage.Int64()
				if err != nil {
					return 0, errors.Join(err, fmt.Errorf("usage %q", r.Usage))
				}
				sum += n
			}
		}
		if offset+1000 >= page.Total {
			return sum, nil
		}
	}
}
