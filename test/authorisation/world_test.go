package authorisation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/house/housetest"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/trace"
	"github.com/purser-cloud/purser/internal/usage"
)

// world are the ids of an account's objects (or of those in one of its enterprise projects) by kind.
type world map[string]string

// caller is somebody who calls, with the objects that it calls its own.
type caller struct {
	name  string
	token string
	own   world
}

// city is a house with everybody in it, served.
type city struct {
	*testing.T
	*house.House
	url    string
	client *http.Client
	nonce  int
}

const password = "Quay-Master-1"

// Everybody does everything on one morning, so that no hour ends, and settles, while an account is watched.
var (
	now   = housetest.From(time.Date(2026, 12, 10, 1, 0, 0, 0, time.UTC))
	today = housetest.Template{Clock: now}
)

func open_(t *testing.T, address string) *city {
	t.Helper()
	data, database := today.Furnished(t, address)
	h, err := house.Open(t.Context(), house.Config{
		Data: data, Database: database, Demo: true, Limits: "off", TestClock: true, Log: slog.New(slog.DiscardHandler), Projects: project.Rules{Most: 100, Deletable: true}, Clock: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() }) //nolint:errcheck // a temporary store
	handler, err := h.Handler(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &city{T: t, House: h, url: server.URL, client: server.Client()}
}

func (c *city) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *city) local() *operation.Call {
	c.nonce++
	call := operation.LocalOperator("Test", now())
	call.RequestID = fmt.Sprint("test ", c.nonce)
	return call
}

// user adds a user, to a new account when there is none of that name, and signs it in.
func (c *city) user(account, kind, name string, actions ...string) (token string) {
	c.Helper()
	_, _, err := c.Counter.AddUser(c.Context(), c.local(), operation.NewUser{Account: account, User: name, Kind: kind, Password: password, Actions: actions})
	c.must(err)
	return c.signIn(account, name)
}

func (c *city) signIn(account, name string) string {
	c.Helper()
	call := c.local()
	call.Source = fmt.Sprint(name, c.nonce)
	t, err := c.Counter.IssueToken(c.Context(), call, &identity.SignIn{DomainName: account, UserName: name, Password: password})
	c.must(err)
	return t.Text.Reveal()
}

// owner is a call of an account's owner.
func (c *city) owner(domain identity.Domain) *operation.Call {
	return &operation.Call{
		Operation: &contract.Operation{ID: "Test"}, Real: now(),
		Caller: identity.Caller{DomainID: domain.ID, DomainName: domain.Name, DomainKind: domain.Kind, UserID: "owner", UserName: "owner", Owner: true},
	}
}

func (c *city) domain(name string) (d identity.Domain) {
	c.Helper()
	list, err := c.Counter.Accounts(c.Context(), c.local())
	c.must(err)
	for _, d := range list {
		if d.Name == name {
			return d
		}
	}
	c.Fatalf("no account %s", name)
	return d
}

var item = order.Item{Wanted: catalog.Wanted{
	ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 1,
}}

// projectOf makes an enterprise project of an account.
func (c *city) projectOf(domain identity.Domain, name string) string {
	c.Helper()
	call := c.owner(domain)
	c.must(c.Counter.OpenProjects(c.Context(), call))
	p, err := c.Counter.CreateProject(c.Context(), call, project.Project{Name: name})
	c.must(err)
	return p.ID
}

// build makes one object of each kind for an account; those that belong to an enterprise project in this one.
func (c *city) build(domain identity.Domain, ep, mark string) world {
	c.Helper()
	ctx, n := c.Context(), c.Counter
	w := world{"customer": domain.ID, "account": domain.Name, "ep": ep, "password": password}
	place := func() string {
		c.Helper()
		in := operation.NewOrder{Draft: order.Draft{Items: []order.Item{item}, Project: ep}}
		in.Items[0].Name = mark + "-server"
		placed, err := n.PlaceOrder(ctx, c.owner(domain), &in)
		c.must(err)
		return placed.Order.ID
	}
	buy := func() (string, subscription.Resource) {
		c.Helper()
		id := place()
		c.must(n.PayOrder(ctx, c.owner(domain), id, order.Means{}))
		page, err := n.ListResources(ctx, c.owner(domain), "", subscription.Query{Order: id}, 0, 1)
		c.must(err)
		return id, page.Resources[0]
	}
	c.top(domain)
	_, err := n.ChangeCustomer(ctx, c.local(), domain.ID, func(a *account.Customer) { a.InvoiceMethod, a.TaxID = account.ByOrder, "T1" })
	c.must(err)
	w["payable"], w["payable2"], w["cancellable"] = place(), place(), place()
	id, r := buy()
	w["order"], w["resource"], w["instance"] = id, r.ID, r.Instance
	_, r = buy()
	w["ending"] = r.ID
	_, r = buy()
	_, changing := buy()
	w["changing"] = changing.ID
	ended, err := n.Unsubscribe(ctx, c.owner(domain), []string{r.ID}, false, "")
	c.must(err)
	w["refund"] = ended.Orders[0]
	one := operation.NewOrder{Draft: order.Draft{Items: []order.Item{item}, Project: ep}}
	trade, _, err := n.PlaceCombined(ctx, c.owner(domain), &operation.NewCombined{Orders: []operation.NewOrder{one, one}})
	c.must(err)
	w["trade"] = trade
	proxy := one
	proxy.Customer = domain.ID
	waiting, err := n.PlaceOrder(ctx, c.local(), &proxy)
	c.must(err)
	w["waiting"] = waiting.Order.ID
	pack, err := n.GivePackage(ctx, c.local(), operation.Gift{Customer: domain.ID, Project: ep, Wanted: catalog.Wanted{
		ID: "p", Service: "hws.service.type.obs", ResourceType: "hws.resource.type.obs", Spec: "obs.package.100gb", Region: "ap-southeast-1", Num: 1, PeriodType: 2, Periods: 3,
	}})
	c.must(err)
	w["package"], w["item"] = pack.ID, pack.ItemID(&pack.Items[0])
	for _, k := range []string{"coupon", "coupon2"} {
		list, err := n.IssueCoupons(ctx, c.local(), []string{domain.ID}, coupon.Coupon{Version: 1, Face: 5 * 100_000_000, PlanName: mark + "-coupon"}, false)
		c.must(err)
		w[k] = list[0].ID
	}
	for _, k := range []string{"discount", "discount2"} {
		g, err := n.GrantDiscount(ctx, c.local(), discount.Grant{Customer: domain.ID, Name: mark + "-contract", Kind: rating.Partner, Value: decimal("0.99"), Service: "hws.service.type.cdn"})
		c.must(err)
		w[k] = g.ID
	}
	a, err := n.BeginTopUp(ctx, c.owner(domain), operation.Payment{Amount: 5 * 100_000_000, Method: "card"})
	c.must(err)
	w["topup"], w["reference"] = a.ID, a.Reference
	c.must(n.SealInvoices(ctx, now()))
	papers, err := n.Invoices(ctx, c.owner(domain), invoice.Query{}, 0, 1)
	c.must(err)
	if len(papers.Papers) == 0 {
		c.Fatalf("%s has no invoice", domain.Name)
	}
	w["invoice"] = papers.Papers[0].ID
	c.build2(domain, mark, w)
	return w
}

// build2 makes what is metered, and people with keys.
func (c *city) build2(domain identity.Domain, mark string, w world) {
	c.Helper()
	ctx, n := c.Context(), c.Counter
	w["metered"] = mark + "-bucket"
	_, err := n.RegisterResource(ctx, c.local(), usage.Resource{Customer: domain.ID, ID: w["metered"], Name: mark + "-burst", Factor: "Duration", Described: usage.Described{
		Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Project: w["ep"],
	}})
	c.must(err)
	at := now().Truncate(time.Hour).Add(-3 * time.Hour)
	record := usage.Record{Source: "test", ID: mark, Customer: domain.ID, Resource: mark + "-site", Factor: "upflow", Value: money.DecimalOf(1 << 30), Unit: 13, Start: at, End: at.Add(time.Hour),
		Described: usage.Described{Service: "hws.service.type.cdn", ResourceType: "hws.resource.type.cdn", Spec: "cdn.flow.mainland", Region: "ap-southeast-1", Project: w["ep"]}}
	aside := record
	aside.ID, aside.Resource, aside.Spec = mark+"-aside", mark+"-aside", "no.such.spec"
	out, err := n.AcceptUsage(ctx, c.local(), []usage.Record{record, aside})
	c.must(err)
	if out[0].Verdict != usage.Accepted || out[1].Verdict != usage.Quarantined {
		c.Fatalf("%+v", out)
	}
	w["held"] = out[1].ID
	_, err = n.CatchUp(ctx, now(), domain.ID)
	c.must(err)
	c.nonce++
	w["username"] = fmt.Sprint(mark, "-user", c.nonce)
	u, _, err := n.AddUser(ctx, c.local(), operation.NewUser{Account: domain.Name, User: w["username"], Kind: identity.Customer, Password: password})
	c.must(err)
	w["user"] = u.ID
	u, _, err = n.AddUser(ctx, c.local(), operation.NewUser{Account: domain.Name, User: w["username"] + "-2", Kind: identity.Customer, Password: password})
	c.must(err)
	w["user2"] = u.ID
	for _, k := range []string{"key", "key2"} {
		made, err := n.CreateKey(ctx, c.local(), domain.Name, w["username"])
		c.must(err)
		w[k] = made.Access
	}
	w["token"] = c.signIn(domain.Name, w["username"])
	projects, err := n.Projects(ctx, c.owner(domain))
	c.must(err)
	for _, p := range projects {
		if p.Name == "ap-southeast-1" {
			w["region"] = p.ID
		}
	}
	c.build3(domain, mark, w)
	_, err = n.SetBudget(ctx, c.owner(domain), "", project.Budget{Project: w["ep"], Amount: 1_000_000 * 100_000_000, Shares: []int{50}})
	c.must(err)
	_, err = n.Grant(ctx, c.owner(domain), "", identity.Grant{User: w["username"], Project: w["ep"], Actions: []string{"none:at:all"}})
	c.must(err)
}

// build3 makes trackers, notifications and a trace.
func (c *city) build3(domain identity.Domain, mark string, w world) {
	c.Helper()
	ctx, n := c.Context(), c.Counter
	list, err := n.Trackers(ctx, c.owner(domain), w["region"], trace.System, "")
	c.must(err)
	if len(list) == 0 {
		_, err := n.CreateTracker(ctx, c.owner(domain), w["region"], &trace.Change{Kind: trace.System, Name: trace.System})
		c.must(err)
	}
	for _, k := range []string{"tracker", "tracker2"} {
		watched := mark + "-" + k
		t, err := n.CreateTracker(ctx, c.owner(domain), w["region"], &trace.Change{Kind: trace.Data, Name: watched, DataBucket: &watched, HasData: true})
		c.must(err)
		w[k] = t.ID
	}
	w["trackername"], w["trackername2"] = mark+"-tracker", mark+"-tracker2"
	for _, k := range []string{"notice", "notice2"} {
		notice, err := n.CreateNotification(ctx, c.owner(domain), trace.Notice{Project: w["region"], Name: mark + "_" + k, Every: true})
		c.must(err)
		w[k] = notice.ID
	}
	call := c.owner(domain)
	call.Operation = &contract.Operation{ID: "PayOrders", Service: "BSS", Event: contract.Event{Type: "order", Name: "payCustomerOrderV3"}}
	if n.PayOrder(ctx, call, "CS-NONE-"+mark, order.Means{}) == nil {
		c.Fatal("an order was paid that is not there")
	}
	lines, err := n.ListTraces(ctx, c.owner(domain), trace.Query{Project: w["region"], ResourceID: "CS-NONE-" + mark, Limit: 1})
	c.must(err)
	w["trace"] = lines[0].ID
}

func (c *city) top(domain identity.Domain) {
	c.Helper()
	_, err := c.Counter.TopUp(c.Context(), c.local(), operation.Movement{Customer: domain.ID, Amount: 5_000 * 100_000_000})
	c.must(err)
}

func decimal(text string) money.Decimal {
	d, err := money.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

// enterprise opens an account that may have enterprise projects.
func (c *city) enterprise(name string) (identity.Domain, string) {
	c.Helper()
	token := c.user(name, identity.Customer, "owner")
	d := c.domain(name)
	_, err := c.Counter.ChangeCustomer(c.Context(), c.local(), d.ID, func(a *account.Customer) { a.Kind, a.Verified, a.Country = account.Enterprise, true, "SG" })
	c.must(err)
	return d, token
}

// fake is an id of the same looks that nobody has.
func fake(id string) string {
	b := []byte(id)
	for i := max(0, len(b)-10); i < len(b); i++ {
		switch ch := b[i]; {
		case ch >= '0' && ch <= '9':
			b[i] = '0' + (ch-'0'+7)%10
		case ch >= 'a' && ch <= 'f':
			b[i] = 'a' + (ch-'a'+3)%6
		case ch >= 'g' && ch <= 'z':
			b[i] = 'g' + (ch-'g'+5)%20
		case ch >= 'A' && ch <= 'Z':
			b[i] = 'A' + (ch-'A'+5)%26
		}
	}
	return string(b)
}

// answer is what came back, without what differs from call to call.
type answer struct {
	status int
	text   string
}

var volatile = regexp.MustCompile(`"request_id":"[^"]*"|"(X-Request-Id|trace_id|issued_at|expires_at|now|real_time)":"[^"]*"`)

// call sends a request; nobody has no token.
func (c *city) call(ctx context.Context, token, method, path, query, body string, header map[string]string) answer {
	c.Helper()
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	c.must(err)
	r.URL.RawQuery = query
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("X-Language", "en_US")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := c.client.Do(r)
	c.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	c.must(err)
	return answer{resp.StatusCode, volatile.ReplaceAllString(string(text), "")}
}

// state is everything that an account has, as text: nobody else may change it.
func (c *city) state(domain identity.Domain) string {
	c.Helper()
	ctx, n := c.Context(), c.Counter
	call := c.owner(domain)
	var b bytes.Buffer
	put := func(list any, err error) {
		c.Helper()
		c.must(err)
		c.must(json.NewEncoder(&b).Encode(list))
	}
	orders, err := n.ListOrders(ctx, call, "", false, order.Query{}, 0, 10_000)
	put(orders.Orders, err)
	resources, err := n.ListResources(ctx, call, "", subscription.Query{}, 0, 10_000)
	put(resources.Resources, err)
	_, coupons, _, err := n.Coupons(ctx, call, coupon.Query{}, 0, 10_000)
	put(coupons, err)
	_, discounts, err := n.ListDiscounts(ctx, call, domain.ID, 0, 10_000)
	put(discounts, err)
	packages, err := n.ListPackages(ctx, call, quota.Query{}, 0, 10_000)
	put(packages.Packages, err)
	_, entries, err := n.Entries(ctx, call, domain.ID, 0, 10_000)
	put(entries, err)
	_, projects, err := n.ListProjects(ctx, call, project.Query{}, 0, 1000)
	put(projects, err)
	_, metered, err := n.UsageResources(ctx, call, "", usage.ResourceQuery{}, 0, 10_000)
	put(metered, err)
	keys, err := n.AccountKeys(ctx, c.local(), domain.Name)
	put(keys, err)
	users, err := n.AccountUsers(ctx, c.local(), domain.Name)
	for i := range users {
		users[i].DomainName = ""
	}
	put(users, err)
	groups, err := n.Groups(ctx, call, "")
	put(groups, err)
	budgets, err := n.Budgets(ctx, call, "")
	put(budgets.List, err)
	grants, _, err := n.Grants(ctx, call, "", "")
	put(grants, err)
	who, err := n.Customer(ctx, c.local(), domain.ID)
	put(who, err)
	return b.String()
}

var placeholder = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// fill puts ids into a template; what nobody has is an id of nobody.
func (c *city) fill(text string, w world) string {
	at := now().In(time.FixedZone("", 8*3600))
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		switch kind := m[1 : len(m)-1]; kind {
		case "nonce":
			c.nonce++
			return fmt.Sprint(c.nonce)
		case "day":
			return at.Format(time.DateOnly)
		case "month":
			return at.Format("2006-01")
		case "hour":
			return at.UTC().Truncate(time.Hour).Add(-24 * time.Hour).Format(time.RFC3339)
		case "later":
			return at.UTC().Truncate(time.Hour).Format(time.RFC3339)
		default:
			if id, ok := w[kind]; ok {
				return id
			}
			return nobodys
		}
	})
}

const nobodys = "0000000000000000000000000000abcd"

func escape(text string) string { return url.PathEscape(text) }
