package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/purser"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// fill writes into a field of a form.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	if !eval[bool](b, fmt.Sprintf("(() => { const e = document.querySelector(%q); if (!e) return false; e.value = %q; return true; })()", selector, text)) {
		b.t.Fatalf("no %s in %.800s", selector, b.text("main"))
	}
}

// newcomer opens an account at the operator's desk, and says how its owner signs in.
func (b *tab) newcomer(account, user string) credentials {
	b.t.Helper()
	b.goTo("/customers")
	b.fill("#f-name", account)
	b.fill("#f-user", user)
	b.press("form[action='/customers/add'] button")
	if said := b.text("#said"); !strings.Contains(said, "The account "+account+" is open") {
		b.t.Fatalf("said %q", said)
	}
	return credentials{DomainName: account, User: user, Password: eval[string](b, "document.querySelector('dl.facts dd:last-of-type').textContent")}
}

// The operator publishes a price: what would change is said first, the customer's calculator and the API show it on its date
// and not before.
func walkOperatorPublishesPrice(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Operator)
	b.goTo("/prices?text=s3.small.1.linux&region=" + c.Region)
	b.press("tbody th a")
	if page := b.text("main"); !strings.Contains(page, "0.0203") {
		t.Fatalf("the product: %s", page)
	}
	day := eval[string](b, "document.querySelector('#f-from').min")
	year := fmt.Sprint(number(t, day[:4])/100000000 + 1)
	b.fill("#f-from", year+"-03-01")
	b.fill("input[name='price.use.Duration']", "0.0456")
	b.press("form[action='/price/plan'] button")
	diff := b.text("main pre")
	if !strings.Contains(diff, "0.0456") || strings.Count(strings.TrimSpace(diff), "\n") > 3 {
		t.Errorf("what would change: %s", diff)
	}
	if sheet := b.text("main table"); !strings.Contains(sheet, "0.0203") || !strings.Contains(sheet, "0.0456") {
		t.Errorf("what changes, beside what is: %s", sheet)
	}
	b.accessible()
	b.picture("price-diff")
	late := open(t, c.Endpoint) // another operator, who looks at the same and publishes later
	late.signIn(c.Operator)
	late.goTo(eval[string](b, "document.querySelector('form[action=\"/price/publish\"] a').getAttribute('href')"))
	late.fill("#f-from", year+"-04-01")
	late.fill("input[name='price.use.Duration']", "0.0999")
	late.press("form[action='/price/plan'] button")
	b.press("form[action='/price/publish'] button")
	late.press("form[action='/price/publish'] button")
	if bad := late.text("#said .note.bad"); !strings.Contains(bad, "PURSER.0202") {
		t.Errorf("over what another published: %q", late.text("#said"))
	}
	if said := b.text("#said"); !strings.Contains(said, "Published as version") {
		t.Fatalf("said %q", said)
	}
	if page := b.text("main"); !strings.Contains(page, "0.0456") || !strings.Contains(page, "Announced") {
		t.Errorf("after publishing: %s", page)
	}
	b.accessible()
	b.picture("price")

	// The customer, before and on the day.
	buyer := open(t, c.Endpoint)
	buyer.signIn(c.Customers[1])
	hour := func() string {
		buyer.goTo("/calculator?text=s3.small.1.linux&spec=s3.small.1.linux&region=" + c.Region)
		return buyer.text("main")
	}
	const before, after = "14.82", "33.29" // 730 hours at 0.0203 and at 0.0456
	if page := hour(); !strings.Contains(page, before) || strings.Contains(page, after) {
		t.Errorf("the calculator shows the price before its day: %.500s", page)
	}
	b.goTo("/clock")
	b.fill("#f-customer", c.Customers[1].DomainID)
	b.fill("#f-time", year+"-03-01T00:01")
	b.press("form[action='/clock/move'] button")
	if said := b.text("#said"); !strings.Contains(said, "The clock is turned to "+year+"-03-01") {
		t.Fatalf("said %q", said)
	}
	if page := hour(); !strings.Contains(page, after) {
		t.Errorf("the calculator on the day: %.1500s", page)
	}
	buyer.picture("calculator-later")
	for _, line := range append(b.said(), buyer.said()...) {
		t.Error(line)
	}
}

// The operator opens an account, moves its money once however often the form is sent, gives it a discount and a coupon, freezes it;
// what is wrong is refused in words.
func walkOperatorKeepsCustomers(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Operator)
	nina := b.newcomer("newcomer", "nina")
	b.press("main a.button")
	id := eval[string](b, "new URLSearchParams(location.search).get('id')")

	b.fill("#f-amount", "250")
	b.fill("#f-reference", "bank-1")
	b.press("form[action='/customer/money'] button")
	if said := b.text("#said"); !strings.Contains(said, "Booked as LE") {
		t.Fatalf("said %q", said)
	}
	b.fill("#f-amount", "250")
	b.fill("#f-reference", "bank-1")
	b.press("form[action='/customer/money'] button")
	if said := b.text("#said"); !strings.Contains(said, "PURSER.0301") {
		t.Errorf("the same reference again: %q", said)
	}
	b.do(chromedp.SetValue("#f-movement", "adjustment"))
	b.fill("#f-amount", "-12.50")
	b.press("form[action='/customer/money'] button")
	if cash := b.text("dl.money dd"); number(t, cash) != 23750000000 {
		t.Errorf("cash %s", cash)
	}
	b.fill("#f-amount", "1")
	b.fill("#f-resource_type", "hws.resource.type.vm") // of a top-up: the form's first movement
	b.press("form[action='/customer/money'] button")
	if said := b.text("#said"); !strings.Contains(said, "Only a correction") {
		t.Errorf("a top-up on the bill: %q", said)
	}
	b.do(chromedp.SetValue("#f-movement", "adjustment"))
	b.fill("#f-amount", "12.50")
	b.fill("#f-resource_type", "hws.resource.type.vm")
	b.press("form[action='/customer/money'] button")
	if cash := b.text("dl.money dd"); number(t, cash) != 25000000000 {
		t.Errorf("cash %s after a compensation", cash)
	}
	b.fill("#f-credit", "1000")
	b.press("form[action='/customer/change'] button.second:not([name])")
	if page := b.text("dl.money"); !strings.Contains(page, "1,000.00") {
		t.Errorf("credit: %s", page)
	}

	b.goTo("/offers?customer=" + id)
	b.fill("#g-name", "Welcome")
	b.fill("#f-ratio", "0.9")
	b.press("form[action='/offers/grant'] button")
	if page := b.text("main"); !strings.Contains(page, "Welcome is granted") {
		t.Errorf("the discount: %.600s", page)
	}
	b.fill("#c-value", "30")
	b.press("form[action='/offers/issue'] button")
	said := b.text("#said")
	coupon := regexp.MustCompile(`CP[0-9A-Z]+`).FindString(said)
	if !strings.Contains(said, "is issued") || coupon == "" {
		t.Errorf("the coupon: %q", said)
	}
	b.press("form[action='/offers/withdraw'] button")
	if said := b.text("#said"); !strings.Contains(said, "withdrawn") {
		t.Errorf("withdrawn: %q", said)
	}

	// The customer sees it.
	other := open(t, c.Endpoint)
	other.signIn(nina)
	other.goTo("/account")
	if page := other.text("main"); !strings.Contains(page, "250.00") || !strings.Contains(page, "1,000.00") {
		t.Errorf("the customer's account: %.900s", page)
	}
	other.goTo("/coupons")
	if page := other.text("main"); !strings.Contains(page, "30.00") {
		t.Errorf("the customer's coupons: %.600s", page)
	}
	// Pages of the operator are not there for others.
	other.goTo("/customers")
	if page := other.text("main"); !strings.Contains(page, "not there") && strings.Contains(page, "newcomer") {
		t.Errorf("a customer sees customers: %.300s", page)
	}

	b.goTo("/customers?name=NEWCOM")
	if page := b.text("#list"); !strings.Contains(page, "newcomer") || strings.Contains(page, "alpine") {
		t.Errorf("found by a part of the name: %.600s", page)
	}
	b.goTo("/customer?id=" + id)
	b.press("button[value=frozen]")
	if page := b.text("main h2"); !strings.Contains(page, "frozen") {
		t.Errorf("frozen: %s", page)
	}
	b.press("button[value=active]")
	if page := b.text("main h2"); strings.Contains(page, "frozen") {
		t.Errorf("let go on: %s", page)
	}
	b.press("button[name=verified][value=yes]")
	if page := b.text("main .status.good, main dl.facts"); strings.Contains(page, "not verified") {
		t.Errorf("verified: %.300s", page)
	}
	for movement, amount := range map[string]string{"bonus": "10", "withdrawal": "37.50"} {
		b.do(chromedp.SetValue("#f-movement", movement))
		b.fill("#f-amount", amount)
		b.press("form[action='/customer/money'] button")
		if said := b.text("#said"); !strings.Contains(said, "Booked as LE") {
			t.Errorf("%s: %q", movement, said)
		}
	}
	if cash := b.text("dl.money dd"); number(t, cash) != 21250000000 {
		t.Errorf("cash after paying back: %s", cash)
	}

	// What can be done to its coupon.
	b.goTo("/offers?customer=" + id)
	for _, action := range []string{"freeze", "unfreeze", "withdraw"} {
		b.fill("#f-coupon", coupon)
		b.press("form[action='/offers/coupon'] button[value=" + action + "]")
		if bad := b.text("#said .note.bad"); bad != "" {
			t.Errorf("%s: %s", action, bad)
		}
	}

	// Who issues invoices, and what tax is taken from a later day on.
	b.goTo("/papers")
	b.fill("#i-code", "nz")
	b.fill("#i-name", "Kiwi Cloud Ltd.")
	b.fill("#i-countries", "nz")
	b.press("form[action='/papers/issuer'] button")
	if page := b.text("main"); !strings.Contains(page, "Kiwi Cloud Ltd.") || !strings.Contains(page, "NZ") {
		t.Errorf("the issuer: %.300s", b.text("#said"))
	}
	b.fill("#r-country", "nz")
	b.fill("#r-rate", "0.15")
	b.press("form[action='/papers/rate'] button")
	if page := b.text("main"); !strings.Contains(page, "0.15") {
		t.Errorf("the rate: %.300s", b.text("#said"))
	}
	b.fill("#r-country", "nz")
	b.fill("#r-rate", "15")
	b.press("form[action='/papers/rate'] button")
	if bad := b.text("#said .note.bad"); !strings.Contains(bad, "CBC.0100") {
		t.Errorf("a rate of 1500 %%: %q", b.text("#said"))
	}
	b.accessible()

	// Whom to tell: a webhook is added, switched off and on, and taken away.
	b.goTo("/outbox")
	b.fill("#f-url", "http://127.0.0.1:9/hook")
	b.fill("#f-topics", "nothing.at.all")
	b.press("form[action='/outbox/add'] button")
	if page := b.text("main"); !strings.Contains(page, "127.0.0.1:9/hook") {
		t.Errorf("the webhook: %.300s", page)
	}
	b.goTo("/outbox")
	hook := func(state string) string {
		return "tr:has(th code) form[action='/outbox/change'] button[value=" + state + "]"
	}
	for _, state := range []string{"off", "on", "remove"} {
		b.press(hook(state))
		if bad := b.text("#said .note.bad"); bad != "" {
			t.Errorf("%s: %s", state, bad)
		}
	}

	b.goTo("/closes")
	for report, want := range map[string][2]string{
		"a[href='/closes/receivables.csv']":         {"customer_id,account_name,", "blue-harbour"},
		"button[formaction='/closes/revenue.csv']":  {"month,service_type_code,", "hws.service.type.ec2"},
		"button[formaction='/closes/payments.csv']": {"top_up_id,customer_id,", "sandbox"},
	} {
		if name, csv := b.download(report); !strings.HasSuffix(name, ".csv") || !strings.HasPrefix(csv, want[0]) || !strings.Contains(csv, want[1]) {
			t.Errorf("%s: %s %.300s", report, name, csv)
		}
	}
	b.goTo("/papers")
	if name, paper := b.download("a[href^='/papers/pdf']"); !strings.HasPrefix(name, "invoice-") || !strings.HasPrefix(paper, "%PDF-") {
		t.Errorf("an invoice of the operator: %s %.20q", name, paper)
	}
	b.said() // the lost page answered 404, which is no error here
}

// The operator mends what stood still: a record kept aside is counted once its resource is known and another given up; a delivery
// that failed is tried again, and once more when it was given up; a customer whose books were parked when its month was to be closed is let go on, and the close is
// tried again.
func walkOperatorKeepsHouse(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Operator)
	api, err := client.New(c.Endpoint, client.Credential{AccessKey: c.Operator.AccessKey, SecretKey: c.Operator.SecretKey}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	who := c.Customers[0].DomainID
	says := func(want string) {
		t.Helper()
		if said := b.text("#said"); !strings.Contains(said, want) {
			t.Errorf("said %q, not %q", said, want)
		}
	}

	end := time.Now().UTC().Truncate(time.Hour)
	var records []map[string]any
	for _, id := range []string{"kept-1", "kept-2"} {
		records = append(records, map[string]any{
			"source": "browser", "id": id, "customer_id": who, "resource_id": "vm-" + id, "usage_factor": "Duration", "usage_value": "1", "usage_measure_id": 4,
			"start_time": end.Add(-time.Hour), "end_time": end,
		})
	}
	body, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	got, err := api.Purser.AcceptUsageWithBodyWithResponse(t.Context(), "application/json", bytes.NewReader(body))
	if err != nil || got.JSON200 == nil || len(got.JSON200.Quarantined) != 2 {
		t.Fatalf("the records are not kept aside: %v %s", err, got.Body)
	}
	row := func(id string) string { return "tr:has(td form[action='/intake/replay']):has(code[title=" + id + "])" }
	b.goTo("/intake")
	b.press(row("kept-1") + " button[value=replay]")
	says("PURSER.1103")
	made, err := api.Purser.RegisterUsageResourceWithResponse(t.Context(), purser.RegisterUsageResourceRequest{
		CustomerId: who, ResourceId: "vm-kept-1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux", Region: c.Region,
	})
	if err != nil || made.JSON200 == nil {
		t.Fatalf("register: %v %s", err, made.Body)
	}
	b.press(row("kept-1") + " button[value=replay]")
	says("Done: Replay")
	b.press(row("kept-2") + " button[value=drop]")
	says("Done: Drop")
	if page := b.text("main"); strings.Contains(page, "kept-1") || strings.Contains(page, "kept-2") {
		t.Errorf("still kept aside: %.600s", page)
	}
	b.goTo("/intake?state=replayed")
	if page := b.text("main"); !strings.Contains(page, "kept-1") {
		t.Errorf("not replayed: %.600s", page)
	}
	b.goTo("/intake?state=dropped")
	if page := b.text("main"); !strings.Contains(page, "kept-2") {
		t.Errorf("not dropped: %.600s", page)
	}

	// Handed in by hand: counted, and sent again counted once.
	records[0]["id"] = "by-hand"
	one, err := json.Marshal(records[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 taken in, 0 there already", "0 taken in, 1 there already"} {
		b.goTo("/intake")
		b.fill("#f-records", string(one))
		b.press("form[action='/intake/take'] button")
		says(want)
	}

	// The demo's orders that wait: one for its customer's confirmation, one for approval.
	b.goTo("/reviews")
	for _, verdict := range []string{"confirm", "approve"} {
		b.press("form[action='/reviews/judge'] button[value=" + verdict + "]")
		if bad := b.text("#said .note.bad"); bad != "" || !strings.Contains(b.text("#said"), "CS") {
			t.Errorf("%s: %s", verdict, b.text("#said"))
		}
	}
	if page := b.text("main .empty"); !strings.Contains(page, "No order waits") {
		t.Errorf("all are decided: %.600s", b.text("main"))
	}

	// Somebody who does not listen, until he does.
	var tries, good atomic.Int64
	ear := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		if good.Load() == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(ear.Close)
	b.goTo("/outbox")
	b.fill("#f-url", ear.URL)
	b.fill("#f-topics", "ping")
	b.press("form[action='/outbox/add'] button")
	b.goTo("/outbox")
	b.press("form[action='/outbox/ping'] button")
	says("on its way")
	until(t, "the first try", func() bool { return tries.Load() > 0 })
	retry := "tr:has(form[action='/outbox/retry']) button"
	until(t, "a delivery that can be tried again", func() bool {
		b.goTo("/outbox?state=waiting")
		return eval[bool](b, "document.querySelector(\""+retry+"\") != null")
	})
	if page := b.text("main"); !strings.Contains(page, "503") {
		t.Errorf("what it was answered: %.600s", b.text("main"))
	}
	// Three days later it is tried for the last time, and given up until somebody lets it be tried again.
	c.behind(t, `UPDATE outbox_delivery SET created_at = created_at - $1 WHERE topic = 'ping' AND state = 'waiting'`, (73 * time.Hour).Microseconds())
	b.press(retry)
	says("tried again now")
	until(t, "a delivery that is given up", func() bool {
		b.goTo("/outbox?state=given_up")
		return strings.Contains(b.text("main"), "503")
	})
	b.goTo("/")
	if card := b.text(".card:has(a[href='/outbox?state=given_up'])"); !strings.Contains(card, "1") || !strings.Contains(card, "waits for you") {
		t.Errorf("the desk says of what is given up: %q", card)
	}
	good.Store(1)
	b.goTo("/outbox?state=given_up")
	b.press(retry)
	says("tried again now")
	until(t, "the delivery", func() bool {
		b.goTo("/outbox?state=delivered")
		return strings.Contains(b.text("main"), "200")
	})
	b.goTo("/outbox")
	b.press("tr:has(th code) form[action='/outbox/change'] button[value=remove]")

	// The month of a customer whose books are parked when something of it is still to be booked.
	pia := b.newcomer("parked", "pia")
	b.press("main a.button")
	pia.DomainID = eval[string](b, "new URLSearchParams(location.search).get('id')")
	b.fill("#f-amount", "20")
	b.press("form[action='/customer/money'] button")
	says("Booked as LE")
	body, err = json.Marshal([]map[string]any{{
		"source": "browser", "id": "p-1", "customer_id": pia.DomainID, "resource_id": "vm-p", "usage_factor": "Duration", "usage_value": "1", "usage_measure_id": 4,
		"cloud_service_type": "hws.service.type.ec2", "resource_type": "hws.resource.type.vm", "resource_spec": "s3.small.1.linux", "region": c.Region,
		"start_time": end.Add(-time.Hour), "end_time": end,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err = api.Purser.AcceptUsageWithBodyWithResponse(t.Context(), "application/json", bytes.NewReader(body)); err != nil || got.JSON200 == nil || got.JSON200.Accepted != 1 {
		t.Fatalf("the record: %v %s", err, got.Body)
	}
	turn := func(to time.Time) {
		t.Helper()
		b.goTo("/clock")
		b.fill("#f-customer", pia.DomainID)
		b.fill("#f-time", to.In(time.FixedZone("GMT+8", 8*60*60)).Format("2006-01-02T15:04"))
		b.press("form[action='/clock/move'] button")
		says("The clock is turned to")
	}
	turn(end.Add(12 * time.Hour))
	until(t, "the charge", func() bool {
		b.goTo("/customer?id=" + pia.DomainID)
		return strings.Contains(b.text("dl.money dd"), "19.97")
	})
	c.behind(t, `INSERT INTO ledger_parked (customer, reason, parked_at) VALUES ($1, $2, $3)`, pia.DomainID, "parked by the browser's test", db.Micros(time.Now()))
	b.goTo("/health")
	books := func() string { return b.text("tr:has(a[href='/customers'])") }
	if row := books(); !strings.Contains(row, "not well") || b.text("tr:has(a[href='/customers']) a[title='"+pia.DomainID+"']") != "parked" {
		t.Errorf("the health of parked books: %q", row)
	}
	if night := b.text("main tbody tr:nth-of-type(2)"); !strings.Contains(night, "Night shift") || !strings.Contains(night, "well") || strings.Contains(night, "not well") {
		t.Errorf("the night shift: %q", night)
	}
	b.accessible()
	b.picture("health-parked")
	month := period.CycleOf(end)
	turn(month.Closes().Add(time.Hour))
	const parked = "tr:has(form[action='/closes/retry'])"
	until(t, "the parked close", func() bool {
		b.goTo("/closes")
		return strings.Contains(b.text(parked), "PURSER.0302")
	})
	b.accessible()
	b.picture("closes-parked")
	b.press(parked + " button")
	says("is tried again by the next night shift")
	until(t, "the close to be parked again", func() bool {
		b.goTo("/closes")
		return strings.Contains(b.text(parked), "PURSER.0302")
	})
	b.goTo("/customer?id=" + pia.DomainID)
	b.press("form[action='/customer/release'] button")
	if bad := b.text("#said .note.bad"); bad != "" {
		t.Errorf("the release: %s", bad)
	}
	b.press("form[action='/customer/release'] button")
	says("PURSER.0303")
	b.goTo("/health")
	if row := books(); strings.Contains(row, "not well") {
		t.Errorf("the health of released books: %q", row)
	}
	b.goTo("/closes")
	b.press(parked + " button")
	until(t, "the close", func() bool {
		b.goTo("/closes")
		return b.text(parked) == ""
	})
	if row := b.text("#progress tbody tr"); !strings.Contains(row, month.String()) || !strings.Contains(row, "1 of ") {
		t.Errorf("how far the close is: %q", row)
	}
	for _, line := range b.said() {
		t.Error(line)
	}
}

// until waits for something that must come.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for range 600 {
		if there() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

// The pages alone face a server elsewhere: a customer signs in and cancels an order there, as in the server's own pages. What an
// endpoint does not offer, as the real cloud does not offer purser's own operations, is hidden, and the rest works. What goes on at
// an endpoint is seen to go on, without anybody's doing, until it is over.
func walkPagesAlone(t *testing.T, c *cloud) {
	alone := func(endpoint string, who credentials) *tab {
		line := run(t, "the pages are at", c.binary, "portal", "--endpoint", endpoint, "--listen", "127.0.0.1:0")
		at := line[strings.LastIndex(line, " ")+1:]
		if !strings.HasPrefix(at, "http") {
			at = "http://" + at
		}
		b := open(t, at)
		b.signIn(who)
		return b
	}
	b := alone(c.Endpoint, c.Customers[0])
	for _, path := range []string{"/", "/bills", "/orders?status=6"} {
		b.goTo(path)
		if bad := b.text("main .note.bad"); bad != "" {
			t.Errorf("%s: %s", path, bad)
		}
	}
	b.press("tbody th a")
	b.press("form[action='/order/cancel'] button")
	if said := b.text("#said"); !strings.Contains(said, "is cancelled") {
		t.Errorf("said %q", said)
	}
	if shown := b.text("#calls") + eval[string](b, "document.querySelector('#calls pre').textContent"); !strings.Contains(shown, c.Endpoint) {
		t.Errorf("the calls do not go to the endpoint: %.400s", shown)
	}

	to, err := url.Parse(c.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	forth := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }}
	var asked atomic.Int64
	lesser := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/purser/") {
			asked.Add(1)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error_code":"APIGW.0101","error_msg":"The API does not exist or has not been published in the environment"}`) //nolint:errcheck // a test's
			return
		}
		forth.ServeHTTP(w, r)
	}))
	t.Cleanup(lesser.Close)
	b = alone(lesser.URL, c.Customers[0])
	if asked.Load() != 1 {
		t.Errorf("purser's own operations were asked for %d times at sign-in", asked.Load())
	}
	hrefs := eval[[]string](b, "[...document.querySelectorAll('#nav a')].map(a => a.getAttribute('href'))")
	if list := strings.Join(hrefs, " "); len(hrefs) < 12 || strings.Contains(list, "/buy") || strings.Contains(list, "/contracts") || strings.Contains(list, "/use") || strings.Contains(list, "/discounts") {
		t.Errorf("the navigation: %v", hrefs)
	}
	for _, path := range append(hrefs, "/renewals?tab=all", "/bills?by=region") {
		b.goTo(path)
		if bad := b.text("main .note.bad"); bad != "" || b.text("h1") == "" {
			t.Errorf("%s: %s", path, bad)
		}
	}
	b.goTo("/bills")
	if page := b.text("main"); strings.Contains(page, "FOCUS") || strings.Contains(page, "XLSX") {
		t.Errorf("exports that the endpoint lacks: %.300s", page)
	}
	b.goTo("/orders?status=6")
	b.press("tbody th a")
	if form := b.text("form[action='/order/pay']"); !strings.Contains(form, "Welcome") || strings.Contains(form, "leaves") || strings.Contains(form, "Work out") {
		t.Errorf("paying without what coupons bring: %s", form)
	}
	b.press("form[action='/order/pay'] button:not([formaction])")
	if page := b.text("main"); !strings.Contains(page, "Completed") {
		t.Errorf("paid: %.600s", page)
	}
	if asked.Load() != 1 {
		t.Errorf("purser's own operations were asked for %d times", asked.Load())
	}
	for _, line := range b.said() {
		t.Error(line)
	}

	// A close of a month that goes on.
	var closed atomic.Int64
	closed.Store(5)
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/purser/v1/closes/progress" {
			forth.ServeHTTP(w, r)
			return
		}
		n := closed.Load()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"months":[{"cycle":"2026-01","closes_time":"2026-02-02T19:00:00Z","closed":%d,"waiting":%d,"parked":0}]}`, n, 5-n)
	}))
	t.Cleanup(busy.Close)
	b = alone(busy.URL, c.Operator)
	closed.Store(3)
	b.goTo("/closes")
	eval[bool](b, "window.before_ = true")
	for i, says := range []string{"under way", "under way", "closed"} {
		n := int64(3 + i)
		closed.Store(n)
		until(t, "how far the close is", func() bool {
			row := b.text("#progress tbody tr")
			return strings.Contains(row, fmt.Sprintf("%d of 5", n)) && strings.Contains(row, says)
		})
	}
	if eval[bool](b, "!window.before_ || document.querySelector('[data-again]') != null") {
		t.Error("the page was left, or looks still at a close that has ended")
	}
	for _, line := range b.said() {
		t.Error(line)
	}
}
