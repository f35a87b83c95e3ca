package house_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/rating"
)

// What one node changes, another one on the same database knows a second later, although it had the old in memory: prices, discounts,
// a user that may no longer sign in.
func TestNodesNoticeEachOther(t *testing.T) {
	admin := os.Getenv("PURSER_TEST_POSTGRES")
	if admin == "" {
		t.Skip("PURSER_TEST_POSTGRES names no server")
	}
	ctx, database, data := context.Background(), dbtest.NewDatabase(t, admin), t.TempDir()
	began := time.Now()
	var passed atomic.Int64 // nanoseconds
	clock := func() time.Time { return began.Add(time.Duration(passed.Load())) }
	var nodes [2]*house.House
	var wires [2]*wire
	for i := range nodes {
		h, err := house.Open(ctx, house.Config{Version: "test", Data: data, Database: database, Limits: "off", Clock: clock, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close() //nolint:errcheck // nothing is kept
		handler, err := h.Handler(prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		nodes[i], wires[i] = h, &wire{t: t, to: handler}
	}
	one, other := nodes[0].Counter, nodes[1].Counter
	local := func(id string) *operation.Call { return operation.LocalOperator(id, clock()) }
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(c *catalog.Content) {
		t.Helper()
		if _, err := one.ImportCatalogue(ctx, local("ImportCatalogue"), func() (*catalog.Content, error) { return c, nil }, false, false); err != nil {
			t.Fatal(err)
		}
	}
	publish(content)
	add := func(user string) (u identity.User, token string) {
		u, password, err := one.AddUser(ctx, local("AddUser"), operation.NewUser{Account: "acme", User: user, Kind: identity.Customer})
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := wires[0].ask("POST", "/v3/auth/tokens", fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"password":%q,"domain":{"name":"acme"}}}},"scope":{"domain":{"name":"acme"}}}}`,
			user, password.Reveal()), "")
		return u, answer.Get("X-Subject-Token")
	}
	anna, _ := add("anna")
	ben, token := add("ben")
	err = one.DB.Update(ctx, db.Instants{Now: clock(), Real: clock()}, func(tx *db.Tx) error {
		return account.Open(ctx, tx, one.Random, &account.Customer{ID: anna.DomainID, Country: "SG"})
	})
	if err != nil {
		t.Log(err) // it may have been opened with its first user
	}
	call := func(id string) *operation.Call {
		return &operation.Call{
			Operation: &contract.Operation{ID: id}, Source: "127.0.0.1", Real: clock(), RequestID: id,
			Caller: identity.Caller{DomainID: anna.DomainID, DomainName: "acme", DomainKind: identity.Customer, UserID: anna.ID, UserName: anna.Name, Owner: true},
		}
	}
	wanted := catalog.Wanted{ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 1}
	price := func() money.Amount {
		t.Helper()
		placed, err := other.PlaceOrder(ctx, call("PlaceOrder"), &operation.NewOrder{Draft: order.Draft{Items: []order.Item{{Wanted: wanted}}}})
		if err != nil {
			t.Fatal(err)
		}
		return placed.Order.Official
	}
	grants := func() (n int) {
		t.Helper()
		err := other.DB.View(ctx, db.Instants{Now: clock(), Real: clock()}, func(v *db.View) error {
			list, err := other.Discounts.InForce(ctx, v, anna.DomainID)
			n = len(list)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	enters := func() int { return wires[1].send("GET", "/v3/auth/projects", "", token).Code }
	before := price()
	if n, code := grants(), enters(); n != 0 || code != http.StatusOK {
		t.Fatalf("before: %d grants, ben is told %d", n, code)
	}

	changed := *content
	changed.Products = slices.Clone(content.Products)
	from := clock().UTC().Add(2 * time.Hour).Truncate(time.Hour)
	for i := range changed.Products {
		if p := &changed.Products[i]; p.Service == wanted.Service && p.Spec == wanted.Spec && p.Region == wanted.Region {
			next := p.Prices[len(p.Prices)-1]
			next.From, next.Terms = from, slices.Clone(next.Terms)
			for k := range next.Terms {
				next.Terms[k].UnitPrice *= 2
			}
			p.Prices = append(slices.Clone(p.Prices), next)
		}
	}
	passed.Store(int64(from.Sub(began)) - int64(500*time.Millisecond))
	price() // looks at the catalogue, so that nothing looks again by itself within the second
	grants()
	publish(&changed)
	value, err := money.ParseDecimal("0.9")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.GrantDiscount(ctx, local("GrantDiscount"), discount.Grant{Customer: anna.DomainID, Name: "contract", Kind: rating.Commercial, Value: value, Effective: clock(), Expires: clock().AddDate(1, 0, 0)}); err != nil {
		t.Fatal(err)
	}
	no := false
	if _, err := one.UpdateUser(ctx, call("UpdateUser"), ben.ID, identity.UserChange{Enabled: &no}, nil); err != nil {
		t.Fatal(err)
	}
	passed.Add(int64(1001 * time.Millisecond))
	if after := price(); after <= before {
		t.Errorf("the other node sells at %s, it was %s before the price was doubled", after, before)
	}
	if n := grants(); n != 1 {
		t.Errorf("the other node knows %d grants", n)
	}
	if code := enters(); code != http.StatusUnauthorized {
		t.Errorf("the other node tells a disabled user %d", code)
	}
}
