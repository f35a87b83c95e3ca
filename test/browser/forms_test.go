package browser

import (
	"strings"
	"testing"
)

// The forms of an account: paying in through the sandbox, keys made, switched off and deleted, a project's budget and what a user may do in it,
// and at last another password, with which one signs in again.
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
