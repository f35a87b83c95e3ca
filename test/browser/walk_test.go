package browser

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
)

// number is an amount of a page as hundred-millionths.
func number(t *testing.T, text string) int64 {
	t.Helper()
	text = strings.NewReplacer(",", "", "−", "-", "USD", "", " ", "").Replace(strings.TrimSpace(text))
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole+(fraction + "00000000")[:8], 10, 64)
	if err != nil {
		t.Fatalf("%q is no amount: %v", text, err)
	}
	return n
}

// A customer buys a server, pays with the best discount, renews it with the price first, unsubscribes it and sees what went back;
// a form that is sent twice is done once.
func walkBuyPayRenewUnsubscribe(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Customers[0])

	b.goTo("/buy?text=s3.medium.2.linux")
	b.press("tbody tr form button")
	if said := b.text("#said"); !strings.Contains(said, "is in the basket") {
		t.Fatalf("said %q", said)
	}
	if row := b.text("section[aria-labelledby=basket] tfoot"); !strings.Contains(row, "Framework contract") {
		t.Errorf("the basket's total: %q", row)
	}
	b.picture("walk-1-basket")
	b.press("form[action='/buy/order'] button:last-child")
	id := eval[string](b, "new URLSearchParams(location.search).get('id')")
	if !strings.HasPrefix(id, "CS") || !strings.Contains(b.text("main"), "To be paid") {
		t.Fatalf("order %q: %s", id, b.text("main"))
	}
	best := b.text("form[action='/order/pay'] fieldset:first-of-type label:has(input:checked)")
	if !strings.Contains(best, "Framework contract") || !strings.Contains(best, "best") {
		t.Errorf("the discount that is chosen: %q", best)
	}
	b.accessible()
	b.picture("walk-2-pay")

	// A coupon that was chosen stays so while the order is worked out with the chosen discount.
	const coupons = "form[action='/order/pay'] fieldset:nth-of-type(2) "
	b.do(chromedp.Click(coupons + "label:nth-of-type(2) input"))
	b.press("form[action='/order/pay'] button[formaction='/order']")
	if chosen := b.text(coupons + "label:has(input:checked)"); !strings.Contains(chosen, "left, until") {
		t.Errorf("the coupon that is chosen: %q", chosen)
	}
	b.do(chromedp.Click(coupons + "label:nth-of-type(1) input"))

	// The same form twice, as a double click would send it: paid once, the same answer twice.
	answers := eval[[]string](b, `(async () => {
		const form = document.querySelector("form[action='/order/pay']");
		const body = new URLSearchParams(new FormData(form));
		const send = () => fetch(form.action, {method: "POST", body}).then(async r => new DOMParser().parseFromString(await r.text(), "text/html").querySelector("h2 .tag").textContent);
		return Promise.all([send(), send()]);
	})()`)
	if len(answers) != 2 || answers[0] != "Completed" || answers[1] != "Completed" {
		t.Errorf("paid twice: %v", answers)
	}
	b.goTo("/order?id=" + id)
	if !strings.Contains(b.text("main h2"), "Completed") {
		t.Fatalf("after paying: %s", b.text("main"))
	}
	b.picture("walk-3-paid")

	b.goTo("/renewals?order=" + id)
	expires := b.text("tbody tr td:nth-of-type(4)")
	b.do(chromedp.Click("tbody input[name=res]"))
	b.press("form[action='/renew'] button:not([formaction])")
	if price := b.text("dl.money dd.total"); number(t, price) <= 0 {
		t.Errorf("price of the renewal %q", price)
	}
	b.accessible()
	b.picture("walk-4-renew")
	b.press("form[action='/renew/do'] button[value='1']")
	if said := b.text("#said"); !strings.Contains(said, "Renewed by order CS") {
		t.Fatalf("said %q", said)
	}
	b.goTo("/renewals?tab=all&order=" + id)
	if later := b.text("tbody tr td:nth-of-type(4)"); later == expires {
		t.Errorf("still expires %s", later)
	}

	b.do(chromedp.Click("tbody input[name=res]"))
	b.press("button[formaction='/unsubscribe']")
	back, coupon := b.text("tfoot td"), b.text("tbody td:nth-of-type(4)")
	if number(t, back) <= 0 {
		t.Errorf("goes back: %q", back)
	}
	b.accessible()
	b.picture("walk-5-unsubscribe")
	b.press("form[action='/unsubscribe/do'] button")
	if said := b.text("#said"); !strings.Contains(said, "Unsubscribed by order CS") {
		t.Fatalf("said %q", said)
	}
	page := b.text("main")
	if !strings.Contains(page, "What went back") {
		t.Errorf("no refund: %s", page)
	}
	// What the preview said is what went back.
	after := eval[string](b, "[...document.querySelectorAll('dl.facts dt')].find(e => e.textContent .trim() === 'Went back').nextElementSibling.textContent")
	if number(t, after) != number(t, back)+number(t, coupon) {
		t.Errorf("the preview said %s and %s to the coupon, the order %s", back, coupon, after)
	}
	b.picture("walk-6-refund")
	for _, line := range b.said() {
		t.Error(line)
	}
}

// A month's bill adds up from its total down to single fee records.
func walkBillAddsUp(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Customers[0])
	b.goTo("/bills")
	cells := func(selector string) []string {
		return eval[[]string](b, fmt.Sprintf("[...document.querySelectorAll(%q)].map(e => e.textContent)", selector))
	}
	total := number(t, b.text("#total td:nth-of-type(4)"))
	if shown := number(t, b.text(".big")); shown != total {
		t.Errorf("the card says %d, the table %d", shown, total)
	}
	var sum int64
	for _, cell := range cells("tbody tr td:nth-of-type(4)") {
		sum += number(t, cell)
	}
	if sum != total || total == 0 {
		t.Errorf("services come to %d, the total is %d", sum, total)
	}
	month := eval[string](b, "document.querySelector('#f-cycle').value")
	for path, want := range map[string][2]string{"summary.xlsx": {"bill-", "PK"}, "details.csv": {"fee-records-", "Customer ID,"}, "focus.csv": {"focus-", "AvailabilityZone"}} {
		name, body := b.download("a[href^='/bills/" + path + "']")
		if !strings.HasPrefix(name, want[0]+month) || !strings.HasPrefix(body, want[1]) || len(body) < 200 {
			t.Errorf("%s: %s %.300q", path, name, body)
		}
	}
	payable, cut := number(t, b.text(".card.scroll tbody tr td:nth-of-type(4)")), number(t, b.text(".card.scroll tbody tr td:nth-of-type(3)"))
	b.press(".card.scroll tbody tr th a")
	if rows := number(t, b.text("#total td:nth-of-type(3)")); rows != payable+cut {
		t.Errorf("resources come to %d, the service to %d with %d cut off", rows, payable, cut)
	}
	resource := number(t, b.text(".card.scroll tbody tr td:nth-of-type(3)"))
	b.press(".card.scroll tbody tr th a")
	if total := b.text("#total td"); total != "" && number(t, total) != resource {
		t.Errorf("fee records come to %s, the resource to %d", total, resource)
	}
	record := number(t, b.text("tbody tr td:nth-of-type(7)"))
	b.press("tbody tr td:last-child a")
	if one := number(t, b.text("dl.money dd.total")); one != record {
		t.Errorf("the record says %d, the list %d", one, record)
	}
	b.accessible()
	b.picture("fee-record")

	// The records as a file, and an invoice as its paper.
	b.goTo("/fees")
	rows := eval[int](b, "document.querySelectorAll('main tbody tr').length")
	if _, body := b.download("a[href^='/fees/csv']"); rows == 0 || !strings.HasPrefix(body, "bill_date,") || strings.Count(body, "\n") < rows+1 {
		t.Errorf("the file of %d and more fee records: %.300q", rows, body)
	}
	b.goTo("/invoices")
	invoice := strings.TrimPrefix(eval[string](b, "document.querySelector('a[href^=\"/invoices/pdf\"]').getAttribute('aria-label')"), "PDF ")
	if name, paper := b.download("a[href^='/invoices/pdf']"); name != "invoice-"+invoice+".pdf" || !strings.HasPrefix(paper, "%PDF-") || !strings.Contains(paper, "%%EOF") {
		t.Errorf("the paper of invoice %s: %s %.20q", invoice, name, paper)
	}
}

// A user of one enterprise project sees only what belongs to it.
func walkProjectUser(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Customers[0])
	b.goTo("/renewals?tab=all")
	all := eval[int](b, "document.querySelectorAll('tbody tr').length")
	other := open(t, c.Endpoint)
	other.signIn(c.ProjectUser)
	other.goTo("/renewals?tab=all")
	own := eval[int](other, "document.querySelectorAll('tbody tr').length")
	if own == 0 || own >= all || strings.Contains(other.text("main"), "worker-0001") {
		t.Errorf("the owner sees %d resources, the project's user %d", all, own)
	}
	other.goTo("/account")
	if page := other.text("main"); !strings.Contains(page, "You may not see this") {
		t.Errorf("the account of a project's user: %.600s", page)
	}
	other.picture("project-user")
}

// The trace list as chapter 10.2 of the guide has it, sentence by sentence: region and project, time range, trace type, source, resource
// type, what is searched by, operator and status are chosen on the page; a trace is expanded, and viewed. What is looked for was done
// just before: an order is cancelled in the browser, and once more by the API, which is refused.
func walkTraceSearch(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Customers[0])
	b.goTo("/orders?status=6")
	b.press("tbody th a")
	order := eval[string](b, "new URLSearchParams(location.search).get('id')")
	b.press("form[action='/order/cancel'] button")
	if !strings.Contains(b.text("#said"), "is cancelled") {
		t.Fatalf("said %q", b.text("#said"))
	}
	api, err := client.New(c.Endpoint, client.Credential{AccessKey: c.Customers[0].AccessKey, SecretKey: c.Customers[0].SecretKey}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := api.BSS.CancelCustomerOrderWithResponse(t.Context(), bss.CancelCustomerOrderReq{OrderId: order}); err != nil || got.StatusCode() < 400 {
		t.Fatalf("cancelled again: %v %s", err, got.Body)
	}

	b.goTo("/traces")
	const name, kind, source, status, user = "th summary", "td:nth-of-type(1)", "td:nth-of-type(2)", "td:nth-of-type(4)", "td:nth-of-type(5)"
	column := func(selector string) []string {
		return eval[[]string](b, fmt.Sprintf("[...document.querySelectorAll('#list > .card:not(#trackers) tbody tr')].map(r => r.querySelector(%q).textContent.trim())", selector))
	}
	only := func(what, selector, want string) {
		t.Helper()
		if all := column(selector); len(all) == 0 || slices.ContainsFunc(all, func(one string) bool { return one != want }) {
			t.Errorf("%s: %v, not all %s", what, all, want)
		}
	}
	search := func() {
		t.Helper()
		b.anew("list", func() { b.do(chromedp.Click("form[action='/traces'] button")) })
	}
	names := func() []string { return column(name) }

	// Region and project.
	other := eval[string](b, fmt.Sprintf("[...document.querySelector('#f-project').options].find(o => o.text !== %q).value", c.Region))
	here := eval[string](b, "document.querySelector('#f-project').value")
	b.choose("#f-project", other)
	if len(names()) != 0 || !strings.Contains(b.text("#list"), "is not enabled in this region and project") {
		t.Errorf("another region: %.600s", b.text("#list"))
	}
	b.choose("#f-project", here)

	// Time range: what was done days ago is not of the last hour, and not of the last day.
	cancelled := func() (n int) {
		for _, one := range names() {
			if one == "cancelCustomerOrder" {
				n++
			}
		}
		return n
	}
	b.choose("#f-by", "trace_name")
	b.fill("#f-text", "cancelCustomerOrder")
	hour, spans := 0, map[string]int{}
	for _, span := range []string{"1h", "1d", "1w"} {
		b.choose("#f-span", span)
		only("by name, "+span, name, "cancelCustomerOrder")
		spans[span] = cancelled()
	}
	if hour = spans["1h"]; hour < 2 || spans["1d"] < hour || spans["1w"] <= spans["1d"] {
		t.Errorf("cancelled in the last hour, day and week: %v", spans)
	}
	at := time.Now().In(time.FixedZone("GMT+8", 8*60*60))
	const field = "2006-01-02T15:04"
	b.fill("#f-from", at.AddDate(0, 0, -6).Format(field))
	b.fill("#f-until", at.AddDate(0, 0, -2).Format(field))
	b.choose("#f-span", "own")
	if n := cancelled(); n == 0 || n >= spans["1w"] {
		t.Errorf("%d cancelled in a time of one's own, %d in the week", n, spans["1w"])
	}
	b.choose("#f-span", "1h")

	// Status: what was done, what was refused, and what is worse.
	b.choose("#f-state", "warning")
	only("status", status, "warning")
	b.choose("#f-state", "incident")
	if len(names()) != 0 || !strings.Contains(b.text("#list .empty"), "No trace with these filters") {
		t.Errorf("incidents: %.300s", b.text("#list"))
	}
	b.choose("#f-state", "normal")
	only("status", status, "normal")
	b.choose("#f-state", "")

	// Search by the other fields.
	b.fill("#f-text", order)
	b.choose("#f-by", "resource_id")
	if list := names(); !slices.Contains(list, "cancelCustomerOrder") || strings.Count(b.text("#list > .card"), order) != len(list) {
		t.Errorf("by the order's id: %v", list)
	}
	b.choose("#f-by", "resource_name")
	if len(names()) != 0 {
		t.Errorf("a resource of the order's name: %v", names())
	}
	b.fill("#f-text", "alice")
	search()
	only("by the name of who signed in", name, "login")
	b.fill("#f-text", "")
	search()

	// Trace type, source, resource type, operator.
	b.choose("#f-kind", "data")
	if len(names()) != 0 {
		t.Errorf("traces of data: %v", names())
	}
	b.choose("#f-kind", "system")
	b.choose("#f-source", "IAM")
	only("source", source, "IAM")
	b.choose("#f-source", "BSS")
	b.choose("#f-resource_type", "order")
	only("resource type", kind, "order")
	only("source", source, "BSS")
	b.choose("#f-user", "alice")
	only("operator", user, "alice")
	b.accessible()

	// Expanded: where it came from, and what it answered.
	const row = "#list > .card tbody tr:has(td:nth-of-type(4) .good)"
	b.do(chromedp.Click(row+" summary"), chromedp.WaitVisible(row+" dl.facts"))
	if facts := b.text(row + " dl.facts"); !strings.Contains(facts, "127.0.0.1") || !strings.Contains(facts, "ConsoleAction") {
		t.Errorf("expanded: %q", facts)
	}
	id := eval[string](b, fmt.Sprintf("document.querySelector(%q).textContent.trim()", row+" dl.facts dd"))
	b.fill("#f-text", id)
	b.choose("#f-by", "trace_id")
	if list := names(); len(list) != 1 {
		t.Errorf("by its id: %v", list)
	}

	// View Trace: its structure.
	b.do(chromedp.Click("#list > .card tbody td:last-child a"), chromedp.WaitVisible("#trace"))
	shown := b.text("#trace")
	for _, part := range []string{
		`"trace_id": "` + id + `"`, `"trace_name": "cancelCustomerOrder"`, `"source_ip": "127.0.0.1"`, `"trace_type": "ConsoleAction"`, `"trace_rating": "normal"`,
		`"resource_type": "order"`, `"service_type": "BSS"`, `"resource_id": "` + order + `"`, `"time":`, `"record_time":`, `"user":`, `"name": "alice"`,
	} {
		if !strings.Contains(shown, part) {
			t.Errorf("the trace has no %s: %s", part, shown)
		}
	}
	b.accessible()
	b.picture("trace")
	b.press("form[action='/traces'] a.button")
	if text := eval[string](b, "document.querySelector('#f-text').value + location.search"); text != "" || len(names()) < 3 {
		t.Errorf("reset: %q, %d traces", text, len(names()))
	}
	for _, line := range b.said() {
		t.Error(line)
	}
}

// An account that has not enabled CTS is told what it is, enables it with one click, and then sees what it does; its tracker is
// switched off and on again.
func walkEnableTraces(t *testing.T, c *cloud) {
	desk := open(t, c.Endpoint)
	desk.signIn(c.Operator)
	newcomer := desk.newcomer("untraced", "uma")
	b := open(t, c.Endpoint)
	b.signIn(newcomer)
	b.goTo("/traces")
	if page := b.text("main"); !strings.Contains(page, "is not enabled in this region and project") || strings.Contains(page, "Trackers") {
		t.Fatalf("before: %.900s", page)
	}
	b.accessible()
	b.picture("traces-never")
	b.press("form[action='/traces/switch'] button")
	if said := b.text("#said"); !strings.Contains(said, "CTS is enabled") {
		t.Fatalf("said %q", said)
	}
	b.goTo("/account")
	b.fill("#f-alert", "25")
	b.press("form[action='/account/preferences'] button")
	b.goTo("/traces")
	rows := b.text("tbody")
	for _, name := range []string{"createTracker", "changeOwnCustomer"} {
		if !strings.Contains(rows, name) {
			t.Errorf("no %s in %.900s", name, b.text("main"))
		}
	}
	if tracker := b.text("#trackers"); !strings.Contains(tracker, "enabled") || !strings.Contains(tracker, "not transferred") {
		t.Errorf("the tracker: %q", tracker)
	}
	b.accessible()
	b.picture("traces-enabled")

	// Where its files go: a name that is none is refused in words.
	for bucket, says := range map[string]string{"No_Bucket": "CTS.0231", "uma-audit": "The transfer is set"} {
		b.goTo("/traces")
		b.do(chromedp.Click("#trackers summary"))
		b.fill("#t-bucket", bucket)
		b.press("form[action='/traces/transfer'] button")
		if said := b.text("#said"); !strings.Contains(said, says) {
			t.Errorf("a transfer to %s: %q", bucket, said)
		}
	}
	b.goTo("/traces")
	if tracker := b.text("#trackers"); !strings.Contains(tracker, "uma-audit/CloudTraces/") || !strings.Contains(tracker, "hourly, signed") {
		t.Errorf("the transfer: %q", tracker)
	}
	b.press("#trackers form[action='/traces/switch'] button")
	if page := b.text("main"); !strings.Contains(page, "is switched off in this region") || !strings.Contains(page, "createTracker") {
		t.Errorf("switched off: %.900s", page)
	}
	b.press("form[action='/traces/switch'] button")
	if page := b.text("main"); strings.Contains(page, "is switched off in this region") {
		t.Errorf("switched on again: %.900s", page)
	}
	for _, line := range b.said() {
		t.Error(line)
	}
}

// Without scripts the pages can be read, and every form works.
func walkWithoutScripts(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.signIn(c.Customers[0])
	page := eval[string](b, `fetch("/orders?status=6").then(r => r.text())`)
	if !strings.Contains(page, "<table>") || strings.Contains(page, "onclick=") || strings.Contains(page, "style=") || strings.Contains(page, "<script>") {
		t.Error("the page has inline parts, or needs scripts")
	}
	// From another site nothing is done, and a form token of another session is not good.
	status := eval[int](b, `fetch("/order/cancel", {method: "POST", body: new URLSearchParams({id: "CS1", _once: "x.y"})}).then(async r => (await r.text()).includes("no longer good") ? 1 : 0)`)
	if status != 1 {
		t.Error("a forged form was taken")
	}
}
