package cli_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/house/housetest"
)

// nodes are two servers, each with a data folder of its own, on one database.
func nodes(t *testing.T, admin string) [2]*office {
	t.Helper()
	data, database := housetest.Furnished(t, admin)
	var two [2]*office
	for i := range two {
		folder := t.TempDir()
		if err := os.CopyFS(folder, os.DirFS(data)); err != nil { // the key that opens the secrets is everybody's
			t.Fatal(err)
		}
		two[i] = &office{t: t, purser: program(t), data: folder, database: database}
		two[i].start()
		t.Cleanup(two[i].kill)
	}
	return two
}

// Two nodes on one database under load: each deed is asked of both at once, one node is killed again and again in the
// middle. What was acknowledged is there once: money that came in, orders, usage. A clock that one node turns is turned for
// both; the month is closed and invoices are numbered without a gap whoever lives; one node's messages go out although it was
// killed.
func TestTwoNodes(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" {
		t.Skip("PURSER_TEST_POSTGRES names no server")
	}
	two := nodes(t, admin)
	safe, frail := two[0], two[1]
	operator, buyer := safe.demo.Operator, safe.demo.Customer[1]
	var heard sync.Map // message → how often
	var twice atomic.Int64
	hooks := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Purser-Topic") != "order.paid" {
			return
		}
		if _, there := heard.LoadOrStore(r.Header.Get("X-Purser-Delivery"), true); there {
			twice.Add(1)
		}
	}))
	defer hooks.Close()
	if err := safe.askAs(operator, "", "POST", "/purser/v1/webhooks", fmt.Appendf(nil, `{"url":%q,"topics":["order.paid"]}`, hooks.URL), &struct{}{}); err != nil {
		t.Fatal(err)
	}
	var opened struct {
		Customer struct {
			ID string `json:"customer_id"`
		}
	}
	if err := frail.ask("POST", "/purser/v1/customers", []byte(`{"account_name":"nodes","user_name":"anna","kind":"enterprise","verified":true,"country":"SG"}`), &opened); err != nil {
		t.Fatal(err)
	}
	customer := opened.Customer.ID

	// every deed is asked of both nodes until both have acknowledged it
	const topUps, orders, batches = 40, 10, 40
	var longest atomic.Int64 // nanoseconds that a deed waited for its first answer
	deeds := make(chan func() error, topUps+orders+batches)
	both := func(ask func(o *office) error) func() error {
		return func() error {
			began := time.Now()
			var first sync.Once
			var wg sync.WaitGroup
			var errs [2]error
			for i, o := range two {
				wg.Go(func() {
					for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
						if errs[i] = ask(o); errs[i] == nil {
							first.Do(func() {
								for took := int64(time.Since(began)); took > longest.Load(); {
									longest.Store(took)
								}
							})
							return
						}
						if text := errs[i].Error(); !strings.Contains(text, "503") && !strings.Contains(text, "connect") && !strings.Contains(text, "EOF") && !strings.Contains(text, "reset") {
							return
						}
					}
				})
			}
			wg.Wait()
			if errs[0] != nil {
				return errs[0]
			}
			return errs[1]
		}
	}
	var mu sync.Mutex
	bought := map[string]bool{}
	for i := range topUps {
		deeds <- both(func(o *office) error {
			err := o.askAs(operator, "", "POST", "/purser/v1/customers/"+customer+"/top-ups", fmt.Appendf(nil, `{"amount":"%d.01","reference":"n-%d"}`, i, i), &struct{}{})
			if err != nil && strings.Contains(err.Error(), "PURSER.0301") { // booked already: by the other node, or before it was killed
				return nil
			}
			return err
		})
	}
	for i := range orders {
		deeds <- both(func(o *office) error {
			var placed struct {
				ID string `json:"order_id"`
			}
			err := o.askAs(buyer, fmt.Sprintf("order-%d", i), "POST", "/purser/v1/orders", []byte(`{"auto_pay":true,"products":[{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","period_type":2,"period_num":1,"subscription_num":1}]}`), &placed)
			if err == nil {
				mu.Lock()
				bought[placed.ID] = true
				mu.Unlock()
			}
			return err
		})
	}
	for i := range batches {
		deeds <- both(func(o *office) error {
			return o.askAs(operator, "", "POST", "/purser/v1/usage-records", one(safe.demo.Customer[2].Domain, i), &struct{}{})
		})
	}
	close(deeds)
	over := make(chan struct{})
	var crew, killer sync.WaitGroup
	kills := 0
	killer.Go(func() {
		for kills < rounds(2) {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(200+rand.IntN(500)) * time.Millisecond):
			}
			frail.kill()
			kills++
			frail.again()
		}
	})
	for range 6 {
		crew.Go(func() {
			for deed := range deeds {
				if err := deed(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	crew.Wait()
	close(over)
	killer.Wait()
	var shown struct{ Cash string }
	if err := frail.ask("GET", "/purser/v1/customers/"+customer, nil, &shown); err != nil || shown.Cash != fmt.Sprintf("%d.4", topUps*(topUps-1)/2) {
		t.Errorf("cash %s, want %d.4 (%v)", shown.Cash, topUps*(topUps-1)/2, err)
	}
	if len(bought) != orders {
		t.Errorf("%d keys made %d orders", orders, len(bought))
	}
	for i := range batches {
		var said struct{ Duplicates int }
		if err := frail.ask("POST", "/purser/v1/usage-records", one(safe.demo.Customer[2].Domain, i), &said); err != nil || said.Duplicates != 1 {
			t.Errorf("record %d: %+v, %v", i, said, err)
		}
	}

	// over the end of a month: one node turns the clock and is killed in the middle of it, the other ends what it began
	target := time.Now().UTC().AddDate(0, 1, 5).Truncate(time.Hour).Format(time.RFC3339)
	turned := make(chan error, 1)
	go func() {
		turned <- frail.ask("PUT", "/purser/v1/clocks", fmt.Appendf(nil, `{"time":%q}`, target), &struct{}{})
	}()
	time.Sleep(300 * time.Millisecond)
	frail.kill()
	<-turned
	var job struct {
		State string
		Done  int
	}
	for range 100 { // it waits for it; when the other was killed before its order was kept, this is the order
		err := safe.ask("PUT", "/purser/v1/clocks", fmt.Appendf(nil, `{"time":%q}`, target), &job)
		if err == nil && job.State == "done" {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if job.State != "done" {
		t.Errorf("the clock: %+v", job)
	}
	frail.again()
	var clocks struct{ Clocks []struct{ Time string } }
	if err := frail.ask("GET", "/purser/v1/clocks", nil, &clocks); err != nil || len(clocks.Clocks) == 0 || clocks.Clocks[0].Time != target {
		t.Errorf("the other node's clock: %+v, %v", clocks, err)
	}
	var invoices struct {
		Total int `json:"total_count"`
	}
	if err := frail.ask("GET", "/purser/v1/invoices?limit=1", nil, &invoices); err != nil || invoices.Total == 0 {
		t.Errorf("%d invoices, %v", invoices.Total, err)
	}
	told, patience := 0, 2*time.Second
	if os.Getenv("PURSER_LONG") != "" {
		patience = 90 * time.Second // a dead courier's lease lasts a minute
	}
	for until := time.Now().Add(patience); told < orders && time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		told = 0
		heard.Range(func(_, _ any) bool { told++; return true })
	}
	if told == 0 || told < orders && patience > time.Minute {
		t.Errorf("%d messages of %d orders were heard", told, orders)
	}
	t.Logf("%d deeds asked of both nodes, one killed %d times: all there once; the longest stall %s; %d invoices; %d messages, %d told twice",
		topUps+orders+batches, kills, time.Duration(longest.Load()).Round(time.Millisecond), invoices.Total, told, twice.Load())
	for _, o := range two {
		o.stop()
	}
	if out, err := exec.Command(safe.purser, "check", "--data", safe.data, "--database", safe.database).CombinedOutput(); err != nil {
		t.Errorf("purser check: %v\n%s", err, out)
	}
}

// again starts the server where it was before, as its clients go on asking there; they may be asking meanwhile.
func (o *office) again() {
	o.t.Helper()
	o.args = append(o.args, "--listen", strings.TrimPrefix(o.demo.Endpoint, "http://"))
	o.launch()
	for range 600 {
		time.Sleep(50 * time.Millisecond)
		if answer, err := http.Get(o.demo.Endpoint + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
	}
	o.t.Error("the server does not start again")
}
