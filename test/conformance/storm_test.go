package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"

	"github.com/purser-cloud/purser/internal/house/housetest"
)

// openServer starts a server that is to be killed, and waits until it answers.
func openServer(t *testing.T, data, database string, more ...string) (*exec.Cmd, demoCloud) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, append([]string{"serve", "--demo", "--data", data, "--listen", "127.0.0.1:0", "--database", database, "--limits", "off"}, more...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() }) //nolint:errcheck // it may have been killed already
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "purser is open") {
			break
		}
	}
	go func() { // so that it never waits for somebody to read
		for lines := bufio.NewScanner(out); lines.Scan(); {
		}
	}()
	var demo demoCloud
	text, err := os.ReadFile(filepath.Join(data, "demo.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &demo); err != nil {
		t.Fatal(err)
	}
	return c, demo
}

// kill -9 in the middle of a payment storm: every payment that was acknowledged is there, once; the others are paid
// whole or not at all; the books add up.
func TestKillInAPaymentStorm(t *testing.T) {
	onEngines(t, func(t *testing.T, address string) {
		data, database := housetest.Furnished(t, address)
		acknowledged := map[string]bool{}
		var all []string
		for round := range 3 {
			c, demo := openServer(t, data, database)
			me := ownClient(t, demo, demo.Customers[2])
			more := placeMany(t, me, 150)
			all = append(all, more...)
			var mu sync.Mutex
			before, enough := len(acknowledged), make(chan struct{})
			var wg sync.WaitGroup
			orders := make(chan string, len(more))
			for _, id := range more {
				orders <- id
			}
			close(orders)
			for range 8 {
				wg.Go(func() {
					for id := range orders {
						r, err := me.BSS.PayOrdersWithResponse(context.Background(), bss.PayOrdersJSONRequestBody{OrderId: id, UseCoupon: "NO", UseDiscount: "NO"})
						if err != nil {
							return // killed
						}
						if r.StatusCode() == http.StatusNoContent {
							mu.Lock()
							acknowledged[id] = true
							if now := len(acknowledged); now == before+5+20*round {
								close(enough)
							}
							mu.Unlock()
						} else {
							t.Errorf("%d %s", r.StatusCode(), r.Body)
						}
					}
				})
			}
			select {
			case <-enough:
			case <-time.After(time.Minute): // the test says below what was acknowledged
			}
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			c.Wait() //nolint:errcheck // it was killed
			wg.Wait()
		}
		t.Logf("%d of %d payments were acknowledged", len(acknowledged), len(all))
		if len(acknowledged) == 0 || len(acknowledged) == len(all) {
			t.Errorf("the kills came too early or too late: %d of %d", len(acknowledged), len(all))
		}
		_, demo := openServer(t, data, database)
		me, customer := ownClient(t, demo, demo.Customers[2]), demo.Customers[2].DomainID
		booked := map[string]int{}
		for offset := int32(0); ; offset += 100 {
			page, err := me.Purser.ListLedgerEntriesWithResponse(t.Context(), customer, &purser.ListLedgerEntriesParams{Offset: &offset, Limit: new(int32(100))})
			if err != nil || page.JSON200 == nil {
				t.Fatalf("%v %s", err, page.Body)
			}
			for _, e := range page.JSON200.Entries {
				if e.Cause == "payment" {
					booked[e.Reference]++
				}
			}
			if len(page.JSON200.Entries) < 100 {
				break
			}
		}
		for _, id := range all {
			o, err := me.BSS.ShowCustomerOrderDetailsWithResponse(t.Context(), id, nil)
			if err != nil || o.JSON200 == nil {
				t.Fatalf("%v %s", err, o.Body)
			}
			status, n := o.JSON200.OrderInfo.Status, booked[id]
			if acknowledged[id] && (status != 5 || n != 1) || !acknowledged[id] && !(status == 6 && n == 0 || status == 5 && n == 1) {
				t.Errorf("order %s: acknowledged %v, status %d, booked %d times", id, acknowledged[id], status, n)
			}
		}
		path, _ := binary()
		args := []string{"check", "--data", data}
		if database != "" {
			args = append(args, "--database", database)
		}
		if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Errorf("purser check: %v\n%s", err, out)
		}
	})
}

func ownClient(t *testing.T, demo demoCloud, c credentials) *client.Client {
	t.Helper()
	out, err := client.New(demo.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, &http.Client{Timeout: 20 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func placeMany(t *testing.T, me *client.Client, n int) (ids []string) {
	t.Helper()
	for range n {
		r, err := me.Purser.PlaceOrderWithResponse(t.Context(), nil, purser.PlaceOrderRequest{Products: []purser.PrimaryProduct{{
			Id: "1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux", Region: "ap-southeast-1", PeriodType: 2, PeriodNum: 1, SubscriptionNum: 1,
		}}})
		if err != nil || r.JSON201 == nil {
			t.Fatalf("%v %s", err, r.Body)
		}
		ids = append(ids, r.JSON201.OrderId)
	}
	return ids
}
