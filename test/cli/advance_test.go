package cli_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

// place is where a store is: its data folder, and its PostgreSQL database when it has one.
type place struct{ data, database string }

// run runs a command of purser on the store.
func (p place) run(purser string, args ...string) *exec.Cmd {
	args = append(args, "--data", p.data)
	if p.database != "" {
		args = append(args, "--database", p.database)
	}
	return exec.Command(purser, args...)
}

func (p place) open() (*sql.DB, error) {
	if p.database != "" {
		return sql.Open("pgx", p.database)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(p.data, "purser.db"))
}

// renewals furnishes a store with the demo cloud and servers of two customers, some of which renew by themselves; one
// customer's money will not last.
func renewals(t *testing.T, at place) {
	t.Helper()
	ctx := context.Background()
	h, err := house.Open(ctx, house.Config{Version: "test", Data: at.data, Database: at.database, TestClock: true, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Furnish(ctx, func(string) {}); err != nil {
		t.Fatal(err)
	}
	demo, err := h.WriteDemo("http://127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range demo.Customers {
		call := func() *operation.Call {
			return &operation.Call{Operation: &contract.Operation{ID: "test"}, Caller: identity.Caller{DomainID: c.DomainID, DomainKind: identity.Customer, UserID: "u", UserName: c.User, Owner: true}, Real: time.Now(), RequestID: "test"}
		}
		for k := range 6 {
			placed, err := h.Counter.PlaceOrder(ctx, call(), &operation.NewOrder{AutoPay: k < 5, Draft: order.Draft{Items: []order.Item{{Name: "s", Wanted: catalog.Wanted{
				ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: int32(1 + k%2),
			}}}}})
			if err != nil || placed.Refused != nil {
				t.Fatal(err, placed.Refused)
			}
			if k >= 4 {
				continue
			}
			list, err := h.Counter.ListResources(ctx, call(), "", subscription.Query{Order: placed.Order.ID}, 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			times := 3 * k
			if err := h.Counter.SetAutoRenewal(ctx, call(), list.Resources[0].ID, &times, period.None); err != nil {
				t.Fatal(err)
			}
		}
		if i == 2 {
			operator := operation.LocalOperator("Withdraw", time.Now())
			if _, err := h.Counter.Withdraw(ctx, operator, operation.Movement{Customer: c.DomainID, Amount: 9_900 * 100_000_000, Reference: "most"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// dump writes down every row of the business without what is dated by real time.
func dump(t *testing.T, at place) []string {
	t.Helper()
	store, err := at.open()
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var out []string
	for _, table := range []string{
		"ledger_entry", "ledger_posting", "ledger_balance", "ledger_parked", "charge_fee", "subscription_resource", "subscription_term", "order_head", "order_line",
		"order_refund", "order_count", "coupon_grant", "coupon_use", "trace_line", "quota_package", "quota_item", "outbox_message",
	} {
		rows, err := store.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			line := table
			for i, name := range names {
				if name != "recorded_at" {
					line += fmt.Sprintf(" %s=%v", name, *values[i].(*any))
				}
			}
			out = append(out, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	slices.Sort(out)
	return out
}

// kill -9 at any moment of an advance, and again: what comes out is the same, to the byte, as of an advance that was left
// in peace.
func TestKillDuringAdvance(t *testing.T) {
	purser := filepath.Join(t.TempDir(), "purser")
	if out, err := exec.Command("go", "build", "-o", purser, "github.com/purser-cloud/purser/cmd/purser").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Run("sqlite", func(t *testing.T) { killDuringAdvance(t, purser, "") })
	if address := os.Getenv("PURSER_TEST_POSTGRES"); address != "" {
		t.Run("postgres", func(t *testing.T) { killDuringAdvance(t, purser, dbtest.NewDatabase(t, address)) })
	}
}

func killDuringAdvance(t *testing.T, purser, database string) {
	dir := t.TempDir()
	peace, war := place{filepath.Join(dir, "peace"), database}, place{data: filepath.Join(dir, "war")}
	renewals(t, peace)
	if err := os.CopyFS(war.data, os.DirFS(peace.data)); err != nil {
		t.Fatal(err)
	}
	if database != "" {
		war.database = dbtest.CopyDatabase(t, database)
	}
	target := time.Now().UTC().AddDate(1, 1, 0).Truncate(time.Hour).Format(time.RFC3339)
	began := time.Now()
	if out, err := peace.run(purser, "clock", "set", target).CombinedOutput(); err != nil || strings.Contains(string(out), "; 0 things") {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(began)
	killed := 0
	for i := range 10 {
		c := war.run(purser, "clock", "set", target)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole/20 + whole*time.Duration(i)/14)
		c.Process.Kill() //nolint:errcheck // it may be over
		if c.Wait() != nil {
			killed++
		}
	}
	if out, err := war.run(purser, "clock", "set", target).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a, b := dump(t, peace), dump(t, war)
	t.Logf("%d rows; %d of 10 advances were killed; one in peace took %s", len(a), killed, whole)
	if killed < 3 {
		t.Errorf("only %d of 10 were killed", killed)
	}
	if !slices.Equal(a, b) {
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("row %d\npeace %s\nwar   %s", i, a[i], b[i])
				break
			}
		}
		t.Errorf("%d rows in peace, %d in war", len(a), len(b))
	}
	for _, at := range []place{peace, war} {
		if out, err := at.run(purser, "check").CombinedOutput(); err != nil {
			t.Errorf("purser check: %v\n%s", err, out)
		}
	}
}
