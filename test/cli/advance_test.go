package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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

// renewals furnishes a store with the demo cloud and servers of two customers, some of which renew by themselves; one
// customer's money will not last.
func renewals(t *testing.T, data, database string) {
	t.Helper()
	ctx := context.Background()
	h, err := house.Open(ctx, house.Config{Version: "test", Data: data, Database: database, TestClock: true, Demo: true})
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
func dump(t *testing.T, data, database string) []string {
	t.Helper()
	driver, at := "sqlite", "file:"+filepath.Join(data, "purser.db")
	if database != "" {
		driver, at = "pgx", database
	}
	store, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var out []string
	for _, table := range []string{
		"ledger_entry", "ledger_posting", "ledger_balance", "ledger_parked", "charge_fee", "subscription_resource", "subscription_term", "order_head", "order_line",
		"order_refund", "order_count", "coupon_grant", "coupon_use", "trace_line", "quota_package", "quota_item", "quota_pool", "quota_use", "outbox_message",
		"bill_row", "bill_close", "charge_sum", "charge_cycle", "invoice_paper", "invoice_line", "invoice_tax", "invoice_thing", "settlement_customer", "settlement_line", "settlement_cover", "settlement_tier", "settlement_arrears", "usage_resource", "usage_run", "usage_meter", "usage_due",
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
				if name != "recorded_at" && name != "version" && name != "touched" { // how often somebody looked is not of the business
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
// in peace; and as of one that three processes drove at once.
func TestKillDuringAdvance(t *testing.T) {
	months := 2 // some renew twice in them
	if os.Getenv("PURSER_LONG") != "" {
		months = 5
	}
	t.Run("sqlite", func(t *testing.T) { killDuringAdvance(t, "", "", months) })
	if admin := os.Getenv("PURSER_TEST_POSTGRES"); admin != "" {
		t.Run("postgres", func(t *testing.T) { killDuringAdvance(t, dbtest.NewDatabase(t, admin), admin, (months+1)/2) })
	}
}

// forked copies a database on a server.
func forked(t *testing.T, admin, database string) string {
	t.Helper()
	to := dbtest.NewDatabase(t, admin)
	name := func(address string) string {
		at, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return pgx.Identifier{strings.TrimPrefix(at.Path, "/")}.Sanitize()
	}
	conn, err := pgx.Connect(context.Background(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, text := range []string{"DROP DATABASE " + name(to), "CREATE DATABASE " + name(to) + " TEMPLATE " + name(database)} {
		if _, err := conn.Exec(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func killDuringAdvance(t *testing.T, database, admin string, months int) {
	dir := t.TempDir()
	purser := program(t)
	peace, war, crowd := filepath.Join(dir, "peace"), filepath.Join(dir, "war"), filepath.Join(dir, "crowd")
	renewals(t, peace, database)
	databases := map[string]string{peace: database}
	for _, copied := range []string{war, crowd} {
		if err := os.CopyFS(copied, os.DirFS(peace)); err != nil {
			t.Fatal(err)
		}
		if database != "" {
			databases[copied] = forked(t, admin, database)
		}
	}
	on := func(data string, args ...string) *exec.Cmd {
		args = append(args, "--data", data)
		if at := databases[data]; at != "" {
			args = append(args, "--database", at)
		}
		return exec.Command(purser, args...)
	}
	target := time.Now().UTC().AddDate(0, months, 0).Truncate(time.Hour).Format(time.RFC3339)
	began := time.Now()
	if out, err := on(peace, "clock", "set", target).CombinedOutput(); err != nil || strings.Contains(string(out), "; 0 things") {
		t.Fatalf("%v\n%s", err, out)
	}
	whole := time.Since(began)
	killed := 0
	for i := range 10 {
		c := on(war, "clock", "set", target)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole/20 + whole*time.Duration(i)/14)
		c.Process.Kill() //nolint:errcheck // it may be over
		if c.Wait() != nil {
			killed++
		}
	}
	if out, err := on(war, "clock", "set", target).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Several at once turn the same clock: each thing happens once, whoever comes first.
	var many []*exec.Cmd
	for range 3 {
		c := on(crowd, "clock", "set", target)
		c.Stdout, c.Stderr = new(bytes.Buffer), new(bytes.Buffer)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		many = append(many, c)
	}
	for _, c := range many {
		if err := c.Wait(); err != nil {
			t.Errorf("one of several: %v\n%s%s", err, c.Stdout, c.Stderr)
		}
	}
	a, b, together := dump(t, peace, databases[peace]), dump(t, war, databases[war]), dump(t, crowd, databases[crowd])
	if !slices.Equal(a, together) {
		for i := range min(len(a), len(together)) {
			if a[i] != together[i] {
				t.Errorf("row %d\npeace %s\ncrowd %s", i, a[i], together[i])
				break
			}
		}
		t.Errorf("%d rows in peace, %d in a crowd", len(a), len(together))
	}
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
	for _, data := range []string{peace, war, crowd} {
		if out, err := on(data, "check").CombinedOutput(); err != nil {
			t.Errorf("purser check: %v\n%s", err, out)
		}
	}
}
