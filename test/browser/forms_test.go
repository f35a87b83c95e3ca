package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/purser"
)

// The forms of an account: paying in through the sandbox, keys made, switched off and deleted, a project's budget and what a user may do in it,
// contracts applied for, orders paid together, what happens at an expiry, and at last another password, with which one signs in again.
func walkAccountForms(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	me := &c.Customers[0]
	b.signIn(*me)
	says := func(want string) {
		t.Helper()
		if said := b.text("#said"); !strings.Contains(said, want) {
			t.Errorf("said %q, not %q; at %s", said, want, eval[string](b, "location.href"))
		}
	}

	b.goTo("/account")
	before := number(t, b.text("dl.money dd"))
	b.fill("#f-amount", "60")
	b.press("form[action='/account/topup'] button")
	says("The payment of 60.00 has begun")
	b.press("form[action='/account/pay'] button")
	says("The payment has ended: paid in")
	if after := number(t, b.text("dl.money dd")); after != before+6000000000 {
		t.Errorf("cash was %d, is %d", before, after)
	}
	b.fill("#f-amount", "much")
	b.press("form[action='/account/topup'] button")
	if kind := b.text("#said .note.bad"); kind == "" {
		t.Error("an amount that is none was taken")
	}

	b.goTo("/credential")
	b.fill("#f-description", "for the test")
	b.press("form[action='/credential/key'] button")
	if page := b.text("main"); !strings.Contains(page, "for the test") {
		t.Errorf("the key: %.600s", page)
	}
	b.goTo("/credential")
	one := "form[action='/credential/switch']:has(input[name=access]:not([value='" + me.AccessKey + "']))"
	b.press(one + " button[value=inactive]")
	says("is changed")
	b.press(one + " button[value=delete]")
	says("is changed")
	if page := b.text("main"); strings.Contains(page, "for the test") {
		t.Errorf("the key is still there: %.600s", page)
	}

	b.goTo("/projects")
	b.fill("#f-name", "forms")
	b.press("form[action='/projects/make'] button")
	says("forms")
	id := eval[string](b, "(r => r ? r.querySelector('th code').textContent : '')([...document.querySelectorAll('main tbody tr')].find(r => r.querySelector('th').firstChild.textContent.trim() === 'forms'))")
	if id == "" {
		t.Fatalf("the new project is not listed: %.900s", b.text("main"))
	}
	b.goTo("/projects?id=" + id)
	b.fill("#f-budget", "500")
	b.press("form[action='/projects/budget'] button")
	says("budget")
	if value := eval[string](b, "document.querySelector('#f-budget').value"); value != "500" {
		t.Errorf("the budget is %q", value)
	}
	b.press("form[action='/projects/grant'] button")
	if bad := b.text("#said .note.bad"); bad != "" {
		t.Errorf("the grant: %s", bad)
	}
	for _, state := range []string{"disable", "enable"} {
		b.press("form[action='/projects/switch'] button[value=" + state + "]")
		if bad := b.text("#said .note.bad"); bad != "" {
			t.Errorf("%s: %s", state, bad)
		}
	}
	carol := open(t, c.Endpoint) // who has none yet
	carol.signIn(c.Customers[2])
	carol.goTo("/projects")
	carol.press("form[action='/projects/open'] button")
	if said := carol.text("#said"); !strings.Contains(said, "Enterprise projects are open") {
		t.Errorf("opened: %q", said)
	}

	// Two orders paid together; what one of their servers does at its expiry, and on which day.
	api, err := client.New(c.Endpoint, client.Credential{AccessKey: me.AccessKey, SecretKey: me.SecretKey}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var orders []string
	for _, name := range []string{"together-1", "together-2"} {
		placed, err := api.Purser.PlaceOrderWithResponse(t.Context(), nil, purser.PlaceOrderRequest{Products: []purser.PrimaryProduct{{
			Id: "1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux", Region: c.Region,
			PeriodType: 2, PeriodNum: 1, SubscriptionNum: 1, ResourceName: &name,
		}}})
		if err != nil || placed.JSON201 == nil {
			t.Fatalf("placed: %v %s", err, placed.Body)
		}
		orders = append(orders, placed.JSON201.OrderId)
	}
	b.goTo("/orders?status=6")
	for _, id := range orders {
		b.do(chromedp.Click("input[name=order][value='" + id + "']"))
	}
	b.press("form[action='/orders/pay'] .spread button")
	says("2 orders paid")
	b.goTo("/renewals?order=" + orders[0])
	b.do(chromedp.Click("tbody input[name=res]"))
	b.press("button[formaction='/expiry']")
	for _, step := range [][2]string{{"auto", "auto"}, {"manual", "manual"}, {"use", "use"}} {
		at := eval[string](b, "location.pathname + location.search")
		b.press("button[value=" + step[0] + "]")
		says("at its expiry is changed")
		b.goTo("/renewals?tab=" + step[1])
		if page := b.text("#list"); !strings.Contains(page, "together-1") {
			t.Errorf("not under %s: %.600s", step[1], page)
		}
		b.goTo(at)
	}
	b.goTo("/renewals")
	b.do(chromedp.SetValue("select[name=day]", "15"))
	b.press("form[action='/renewals/day']:has(select[name=day]) button")
	says("The setting is kept")
	if day := eval[string](b, "document.querySelector('select[name=day]').value"); day != "15" {
		t.Errorf("the renew day is %s", day)
	}

	b.goTo("/contracts")
	b.fill("#c-title", "Forms only")
	b.press("form[action='/contracts/apply'] button")
	says("is applied for")
	b.fill("#c-title", "One more")
	b.press("form[action='/contracts/apply'] button")
	says("PURSER.1150")
	desk := open(t, c.Endpoint)
	desk.signIn(c.Operator)
	desk.goTo("/applications?state=applied")
	desk.press("form[action='/applications/decide']:has(input[value='" + me.DomainID + "']) button[value=accept]")
	if said := desk.text("#said"); !strings.Contains(said, "Accepted") {
		t.Errorf("the operator accepts: %q", said)
	}
	b.goTo("/contracts?state=accepted")
	if page := b.text("main"); !strings.Contains(page, "Forms only") || !strings.Contains(page, "In force") {
		t.Errorf("the accepted contract: %.600s", page)
	}
	b.goTo("/contracts")
	b.fill("#c-title", "Not needed")
	b.press("form[action='/contracts/apply'] button")
	says("is applied for")
	b.press("form[action='/contracts/decide'] button")
	says("Withdrawn")

	b.goTo("/credential")
	b.fill("#f-email", "alice@alpine.example")
	b.press("form[action='/credential/contact'] button")
	says("Saved")
	if email := eval[string](b, "document.querySelector('#f-email').value"); email != "alice@alpine.example" {
		t.Errorf("the e-mail is %q", email)
	}

	b.goTo("/credential")
	b.fill("#f-old", me.Password)
	b.fill("#f-new", "Another-one-2026")
	b.fill("#f-again", "Another-two-2026")
	b.press("form[action='/credential/password'] button")
	if bad := b.text("#said .note.bad"); bad == "" {
		t.Error("two passwords that differ were taken")
	}
	b.fill("#f-old", me.Password)
	b.fill("#f-new", "Another-one-2026")
	b.fill("#f-again", "Another-one-2026")
	b.press("form[action='/credential/password'] button")
	if at := eval[string](b, "location.pathname"); at != "/signin" {
		t.Errorf("after the change of the password: %s %.300s", at, b.text("main"))
	}
	me.Password = "Another-one-2026"
	b.signIn(*me)
}
