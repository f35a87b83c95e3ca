package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// customerPages are all pages of a customer, with the names of their pictures.
var customerPages = []struct{ name, path string }{
	{"overview", "/"},
	{"buy", "/buy"},
	{"calculator", "/calculator"},
	{"orders", "/orders"},
	{"renewals", "/renewals"},
	{"calendar", "/renewals?tab=calendar"},
	{"renewals-use", "/renewals?tab=use"},
	{"renewals-none", "/renewals?tab=none"},
	{"packages", "/packages"},
	{"coupons", "/coupons"},
	{"use", "/use"},
	{"bills", "/bills"},
	{"bills-resource", "/bills?by=resource"},
	{"bills-region", "/bills?by=region"},
	{"fees", "/fees"},
	{"costs", "/costs"},
	{"costs-amortised", "/costs?kind=AMORTIZED_COST&first=REGION_CODE&second=CHARGING_MODE"},
	{"invoices", "/invoices"},
	{"projects", "/projects"},
	{"account", "/account"},
	{"credential", "/credential"},
	{"discounts", "/discounts"},
	{"contracts", "/contracts"},
	{"traces", "/traces"},
	{"api", "/api"},
}

// operatorPages are all pages of the operator.
var operatorPages = []struct{ name, path string }{
	{"desk", "/"},
	{"customers", "/customers"},
	{"customer", "/customer?id=%s"},
	{"prices", "/prices?text=s3.small"},
	{"offers", "/offers?customer=%s"},
	{"reviews", "/reviews"},
	{"applications", "/applications"},
	{"papers", "/papers"},
	{"intake", "/intake"},
	{"closes", "/closes"},
	{"outbox", "/outbox"},
	{"clock", "/clock"},
	{"health", "/health"},
}

// Every page in both languages and both colours: no error in the console, nothing serious for accessibility, small enough, and not
// wider than a phone.
func walkPages(t *testing.T, c *cloud) {
	b := open(t, c.Endpoint)
	b.goTo("/signin")
	b.accessible()
	b.picture("signin")
	b.signIn(c.Customers[0])
	b.byKeyboard()
	b.everyPage(customerPages, "")
	b.t = t
	b.press("form[action='/signout'] button")
	b.signIn(c.Operator)
	b.everyPage(operatorPages, c.Customers[0].DomainID)
}

// byKeyboard uses the overview without a pointer: the first key leads past the navigation, and a chart says its values.
func (b *tab) byKeyboard() {
	b.t.Helper()
	b.goTo("/")
	b.do(chromedp.KeyEvent(kb.Tab))
	if at := eval[string](b, "document.activeElement.className"); at != "skip" {
		b.t.Errorf("the first key leads to %q", at)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if at := eval[string](b, "document.activeElement.id"); at != "main" {
		b.t.Errorf("past the navigation is %q", at)
	}
	eval[bool](b, "document.querySelector('svg.chart').focus() === undefined")
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	tip := b.text(".tip")
	if !strings.Contains(tip, "USD") {
		b.t.Errorf("the chart's first value: %q", tip)
	}
	until(b.t, "the value for a screen reader", func() bool { return b.text("#live") == tip })
}

// everyPage looks at pages; those of a customer are of the one that is named.
func (b *tab) everyPage(pages []struct{ name, path string }, customer string) {
	whole := b.t
	for _, lang := range []string{"en", "zh"} {
		theme := map[string]string{"en": "light", "zh": "dark"}[lang]
		b.look(lang, theme)
		for _, p := range pages {
			whole.Run(lang+"/"+p.name, func(t *testing.T) {
				b.t = t
				b.goTo(strings.ReplaceAll(p.path, "%s", customer))
				if heading := b.text("h1"); heading == "" || strings.Contains(heading, ".") {
					t.Errorf("heading %q", heading)
				}
				if calls := eval[int](b, "document.querySelectorAll('#calls > ol > li').length"); calls == 0 || calls > 8 {
					t.Errorf("%d calls of the API", calls)
				}
				if size := eval[int](b, "performance.getEntriesByType('navigation')[0].transferSize"); size > 150<<10 {
					t.Errorf("%d bytes", size)
				}
				if bare := b.text("main .empty"); bare != "" {
					t.Errorf("the demo cloud leaves it empty: %.300s", bare)
				}
				if bad := eval[int](b, "[...document.querySelectorAll('main .note.bad')].length"); bad > 0 {
					t.Errorf("%d parts are refused: %.300s", bad, b.text("main .note.bad"))
				}
				b.accessible()
				b.picture(p.name + "-" + lang)
				other := map[string]string{"light": "dark", "dark": "light"}[theme]
				eval[bool](b, fmt.Sprintf("(document.documentElement.dataset.theme = %q) !== ''", other))
				b.picture(p.name + "-" + lang + "-" + other)
				for _, line := range b.said() {
					t.Error(line)
				}
			})
			b.t = whole
		}
	}
	b.look("en", "light")
	b.do(chromedp.EmulateViewport(390, 800))
	for _, p := range pages {
		whole.Run("phone/"+p.name, func(t *testing.T) {
			b.t = t
			b.goTo(strings.ReplaceAll(p.path, "%s", customer))
			if wide := eval[int](b, "document.documentElement.scrollWidth"); wide > 390 {
				t.Errorf("the page is %d wide", wide)
			}
			b.picture(p.name + "-phone")
		})
		b.t = whole
	}
	b.do(chromedp.EmulateViewport(1280, 900))
}
