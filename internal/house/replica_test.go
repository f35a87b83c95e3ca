package house_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// Over the wire: what may be a little old is read from the standby and says of when it is, nothing else is; who has just written, or
// asks for it, sees the primary's; a standby that is too far behind is not read from.
func TestReadsFromAReplica(t *testing.T) {
	pair, ctx := dbtest.NewPair(t), context.Background()
	var ahead atomic.Int64 // nanoseconds
	h, err := house.Open(ctx, house.Config{
		Version: "test", Data: t.TempDir(), Database: pair.Primary, Replica: pair.Standby, ReplicaLag: 10 * time.Second, Limits: "off",
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close() //nolint:errcheck // nothing is kept
	handler, err := h.Handler(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	wire := &wire{t: t, to: handler}
	local := func(id string) *operation.Call { return operation.LocalOperator(id, time.Now()) }
	if _, err := h.Counter.ImportCatalogue(ctx, local("ImportCatalogue"), func() (*catalog.Content, error) { return catalog.Read(cloud.Files) }, false, false); err != nil {
		t.Fatal(err)
	}
	add := func(account string, kind string) (id, token string) {
		u, password, err := h.Counter.AddUser(ctx, local("AddUser"), operation.NewUser{Account: account, User: "anna", Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := wire.ask("POST", "/v3/auth/tokens", fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"anna","password":%q,"domain":{"name":%q}}}},"scope":{"domain":{"name":%q}}}}`,
			password.Reveal(), account, account), "")
		return u.DomainID, answer.Get("X-Subject-Token")
	}
	_, boss := add("house", identity.Operator)
	customer, anna := add("acme", identity.Customer)
	var projects struct{ Projects []struct{ ID string } }
	_, text := wire.ask("GET", "/v3/auth/projects", "", anna)
	if err := json.Unmarshal([]byte(text), &projects); err != nil || len(projects.Projects) == 0 {
		t.Fatal(text, err)
	}
	month := time.Now().In(time.FixedZone("", 8*3600)).Format("2006-01")
	day := time.Now().UTC().Truncate(24 * time.Hour)
	records := "/purser/v1/usage-records?start_time=" + day.AddDate(0, 0, -2).Format(time.RFC3339) + "&end_time=" + day.AddDate(0, 0, 2).Format(time.RFC3339) + "&customer_id=" + customer
	asks := map[string][3]string{
		"ListCosts": {"POST", "/v4/costs/cost-analysed-bills/query", fmt.Sprintf(`{"time_condition":{"time_measure_id":1,"begin_time":"%s-01","end_time":"%[1]s-02"},"groupby":[{"type":"dimension","key":"CLOUD_SERVICE_TYPE"}],
			"cost_type":"ORIGINAL_COST","amount_type":"PAYMENT_AMOUNT"}`, month)},
		"ListCustomerselfResourceRecordDetails": {"POST", "/v2/bills/customer-bills/res-records/query", `{"cycle":"` + month + `"}`},
		"ListCustomerselfResourceRecords":       {"GET", "/v2/bills/customer-bills/res-fee-records?cycle=" + month},
		"ShowCustomerMonthlySum":                {"GET", "/v2/bills/customer-bills/monthly-sum?bill_cycle=" + month},
		"ShowMonthlySumOld":                     {"GET", "/v1.0/" + customer + "/customer/account-mgr/bill/monthly-sum?cycle=" + month},
		"ExportDetails":                         {"GET", "/purser/v1/exports/details?month=" + month},
		"ExportFocus":                           {"GET", "/purser/v1/exports/focus?month=" + month},
		"ExportSummary":                         {"GET", "/purser/v1/exports/summary?month=" + month},
		"ListFeeRecords":                        {"GET", "/purser/v1/fee-records?cycle=" + month},
		"ListUsageRecords":                      {"GET", records},
		"ListFreeResourcesUsageRecords":         {"GET", "/v2/bills/customer-bills/free-resources-usage-records?deduct_time_begin=" + month + "-01&deduct_time_end=" + month + "-02"},
		"ListTraces":                            {"GET", "/v3/" + projects.Projects[0].ID + "/traces?trace_type=system"},
		"ListUserResources":                     {"GET", "/v3/" + projects.Projects[0].ID + "/user-resources"},
	}
	if have, want := slices.Sorted(maps.Keys(asks)), slices.Sorted(slices.Values(operation.MayBeOlder)); !slices.Equal(have, want) {
		t.Errorf("asked %v, the list is %v", have, want)
	}
	standby, err := db.Open(ctx, pair.StandbyAlone())
	if err != nil {
		t.Fatal(err)
	}
	defer standby.Close() //nolint:errcheck // only read
	follows := func() {
		t.Helper()
		for limit := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if headers, _ := wire.ask("GET", records, "", boss); headers.Get(asOf) != "" {
				return
			} else if time.Now().After(limit) {
				t.Fatal("the standby does not follow")
			}
		}
	}
	follows()
	for _, id := range operation.MayBeOlder {
		headers, _ := wire.ask(asks[id][0], asks[id][1], asks[id][2], anna)
		at, err := time.Parse(time.RFC3339Nano, headers.Get(asOf))
		if now := time.Now().Add(time.Duration(ahead.Load())); err != nil || !strings.HasSuffix(headers.Get(asOf), "Z") || at.After(now) || now.Sub(at) > 10*time.Second {
			t.Errorf("%s: %s: %q at %s", id, asOf, headers.Get(asOf), now)
		}
		if headers, _ := wire.ask(asks[id][0], asks[id][1], asks[id][2], anna, "X-Purser-Read", "primary"); headers.Get(asOf) != "" {
			t.Errorf("%s of the primary: as of %s", id, headers.Get(asOf))
		}
	}
	for _, path := range []string{"/v2/accounts/customer-accounts/balances", "/v2/orders/customer-orders?limit=1", "/purser/v1/usage-resources", "/v2/promotions/benefits/coupons"} {
		if headers, _ := wire.ask("GET", path, "", anna); headers.Get(asOf) != "" {
			t.Errorf("%s is as of %s", path, headers.Get(asOf))
		}
	}
	if r := wire.send("GET", records, "", anna, "X-Purser-Read", "anything"); r.Code != http.StatusBadRequest || !strings.Contains(r.Body.String(), "X-Purser-Read") {
		t.Errorf("%d %s", r.Code, r.Body)
	}

	// The standby stops; a record comes.
	if _, err := standby.SQL().Exec(`SELECT pg_wal_replay_pause()`); err != nil {
		t.Fatal(err)
	}
	for state := ""; state != "paused"; {
		if err := standby.SQL().QueryRow(`SELECT pg_get_wal_replay_pause_state()`).Scan(&state); err != nil {
			t.Fatal(err)
		}
	}
	if _, said := wire.ask("POST", "/purser/v1/usage-records", fmt.Sprintf(`[{"source":"test","id":"1","customer_id":%q,"resource_id":"r-1","cloud_service_type":"hws.service.type.ec2",
		"resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","usage_factor":"Duration","usage_value":"60","usage_measure_id":6,"start_time":%q,"end_time":%q}]`,
		customer, day.Add(-2*time.Hour).Format(time.RFC3339), day.Add(-time.Hour).Format(time.RFC3339)), boss); !strings.Contains(said, `"accepted":1`) {
		t.Fatal(said)
	}
	seen := func(what, token string, want int, old bool, headers ...string) {
		t.Helper()
		var page struct {
			Total int `json:"total_count"`
		}
		got, text := wire.ask("GET", records, "", token, headers...)
		if err := json.Unmarshal([]byte(text), &page); err != nil || page.Total != want || (got.Get(asOf) != "") != old {
			t.Errorf("%s: %d as of %q, want %d: %s %v", what, page.Total, got.Get(asOf), want, text, err)
		}
	}
	ahead.Add(int64(time.Second))
	seen("the customer", anna, 0, true)
	seen("the customer, of the primary", anna, 1, false, "X-Purser-Read", "primary")
	seen("who reported it", boss, 1, false)
	ahead.Add(int64(11 * time.Second))
	seen("beyond the lag", anna, 1, false)
	if r := wire.send("GET", "/readyz", "", ""); r.Code != http.StatusOK {
		t.Errorf("not ready: %s", r.Body)
	}
	if _, err := standby.SQL().Exec(`SELECT pg_wal_replay_resume()`); err != nil {
		t.Fatal(err)
	}
	follows()
	ahead.Add(int64(time.Second))
	seen("again", anna, 1, true)
}

// SQLite has none: that is said at the start.
func TestReplicaNeedsPostgreSQL(t *testing.T) {
	_, err := house.Open(context.Background(), house.Config{Data: t.TempDir(), Replica: "postgres://purser@127.0.0.1/purser"})
	if err == nil || !strings.Contains(err.Error(), "--database-replica: only PostgreSQL has replicas") {
		t.Errorf("%v", err)
	}
}

const asOf = "X-Purser-Read-As-Of"

// wire asks a handler.
type wire struct {
	t  *testing.T
	to http.Handler
}

func (w *wire) send(method, path, body, token string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, io.NopCloser(strings.NewReader(body)))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.to.ServeHTTP(answer, r)
	return answer
}

// ask is send that wants a good answer.
func (w *wire) ask(method, path, body, token string, headers ...string) (http.Header, string) {
	w.t.Helper()
	answer := w.send(method, path, body, token, headers...)
	if answer.Code >= http.StatusBadRequest {
		w.t.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	return answer.Header(), answer.Body.String()
}
