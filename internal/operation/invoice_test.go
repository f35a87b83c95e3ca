package operation_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
	"github.com/purser-cloud/purser/internal/usage"
)

// subscriptionQuery is everything in use.
var subscriptionQuery = subscription.Query{Statuses: []subscription.Status{subscription.InUse}}

func recordsOf(customer, id string, at time.Time) []usage.Record {
	return []usage.Record{ran(customer, id, at.Truncate(time.Hour).Add(-time.Hour), 3599)}
}

// openPapers is an office that closes months and issues invoices.
func openPapers(t *testing.T, d *db.DB) *office {
	t.Helper()
	o := open(t, d)
	o.Bills = &bill.Desk{Currency: money.USD, Rounding: bill.Truncate}
	o.InvoiceDue = 10
	o.Orders.Charged = o.InvoiceOrder
	return o
}

// as is a call of a customer's owner.
func (o *office) as(customer string, at time.Time) *operation.Call {
	call := *o.by("purser-operator", at)
	call.Caller = identity.Caller{DomainID: customer, DomainKind: identity.Customer, UserID: "u", Owner: true}
	return &call
}

// papers are all papers in a customer's list, the oldest first, once they have their numbers.
func (o *office) papers(t *testing.T, customer string, at time.Time) []invoice.Paper {
	t.Helper()
	if err := o.SealInvoices(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	page, err := o.Invoices(t.Context(), o.by("purser-operator", at), invoice.Query{Customer: customer}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(page.Papers)
	return page.Papers
}

func (o *office) buys(t *testing.T, customer string, at time.Time, num int32) order.Order {
	t.Helper()
	placed, err := o.PlaceOrder(t.Context(), o.as(customer, at), oneServer(num))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.PayOrder(t.Context(), o.as(customer, at), placed.Order.ID, order.Means{}); err != nil {
		t.Fatal(err)
	}
	paid, err := o.ShowOrder(t.Context(), o.as(customer, at), "", placed.Order.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	return paid.Order
}

// taxed counts a customer's fee records of November that are taxes, by their type.
func (o *office) taxed(t *testing.T, customer string) map[charge.BillType]int {
	t.Helper()
	return o.taxedIn(t, customer, november)
}

func (o *office) taxedIn(t *testing.T, customer string, month period.Cycle) map[charge.BillType]int {
	t.Helper()
	list, err := o.ListFees(t.Context(), o.as(customer, month.Closes()), &operation.FeeAsk{Cycle: month, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[charge.BillType]int{}
	for i := range list.Fees {
		switch f := &list.Fees[i]; f.Bill {
		case charge.Tax, charge.TaxRefund, charge.TaxBack, charge.TaxMore:
			out[f.Bill]++
			if f.Amount == 0 || f.TaxRate == "" || f.Parts.Coupon != 0 || (f.Amount < 0) != (f.Bill == charge.TaxRefund || f.Bill == charge.TaxBack) {
				t.Errorf("a tax: %+v", f)
			}
		}
	}
	return out
}

func (o *office) endsAll(t *testing.T, customer string, at time.Time) {
	t.Helper()
	list, err := o.ListResources(t.Context(), o.as(customer, at), "", subscriptionQuery, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Resources {
		if _, err := o.Unsubscribe(t.Context(), o.as(customer, at), []string{list.Resources[i].ID}, false, "not needed"); err != nil {
			t.Fatal(err)
		}
	}
}

func (o *office) taxes(t *testing.T, rate tax.Rate) {
	t.Helper()
	if _, err := o.SetTaxRate(t.Context(), o.by("purser-operator", now), rate); err != nil {
		t.Fatal(err)
	}
}

var (
	third  = time.Date(2026, 12, 2, 19, 0, 0, 0, time.UTC) // the close of November
	fourth = third.AddDate(0, 1, 0)                        // of December
)

// Each method issues its papers when its trigger comes, credit memos name what they credit, and everything adds up.
func TestInvoiceMethods(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.09"), Kind: "GST"})
		by := func(method string) func(*account.Customer) {
			return func(c *account.Customer) { c.Country, c.InvoiceMethod = "SG", method }
		}
		orders, cycles, receipts := o.own(t, "by-order", now, 100_000, by(account.ByOrder)), o.own(t, "by-cycle", now, 100_000, by(account.ByCycle)), o.own(t, "by-receipt", now, 100_000, by(account.ByReceipt))
		all := []string{orders, cycles, receipts}
		var bought []order.Order
		for _, customer := range all {
			o.report(t, ran(customer, "u-"+customer[:4], now.Truncate(time.Hour), 360_000))
			bought = append(bought, o.buys(t, customer, now, 2))
		}
		one := o.papers(t, orders, now)
		if len(one) != 1 || one[0].TradeType != invoice.OnlineOrder || one[0].Amount != bought[0].Amount+bought[0].Tax || one[0].Tax != bought[0].Tax || one[0].Tax == 0 || one[0].Number() == "" {
			t.Fatalf("by order: %+v", one)
		}
		if list := o.papers(t, cycles, now); len(list) != 0 {
			t.Errorf("by cycle before the close: %+v", list)
		}
		if list := o.papers(t, receipts, now); len(list) != 1 || list[0].TradeType != invoice.TopUp || list[0].Amount != 1000*dollar || list[0].Class != invoice.Commercial {
			t.Errorf("by receipt: %+v", list)
		}
		// The servers go back on the next day: the order's invoice is credited, the month not issued yet gets smaller.
		for _, customer := range all {
			o.endsAll(t, customer, now.Add(24*time.Hour))
		}
		list := o.papers(t, orders, now)
		if len(list) != 3 || !list[1].Memo || list[1].Source != one[0].ID || list[1].Amount >= 0 || list[1].Tax >= 0 || list[1].TradeType != invoice.OnlineOrder {
			t.Fatalf("credit memos: %+v", list)
		}
		if first := list[0]; first.Credited != -list[1].Amount-list[2].Amount {
			t.Errorf("credited %s", first.Credited)
		}
		// Money that goes back is credited to the receipts, as far as they go.
		call := o.by("purser-operator", now.Add(25*time.Hour))
		call.RequestID = "w1"
		if _, err := o.Withdraw(t.Context(), call, operation.Movement{Customer: receipts, Amount: 100 * dollar}); err != nil {
			t.Fatal(err)
		}
		list = o.papers(t, receipts, now)
		if len(list) != 2 || list[1].TradeType != invoice.Withdrawal || list[1].Source != list[0].ID || list[1].Amount != -100*dollar {
			t.Errorf("a withdrawal: %+v", list)
		}
		// Things of a month that is closed are credited when they go back later.
		late := now.Add(3 * 24 * time.Hour)
		o.buys(t, cycles, late, 1)
		for _, customer := range all {
			o.shift(t, customer, third)
		}
		list = o.papers(t, cycles, third)
		if len(list) != 1 || list[0].TradeType != invoice.CardMonth || list[0].Memo || list[0].Cycle.String() != "2026-11" {
			t.Fatalf("the month: %+v", list)
		}
		page, err := o.Invoice(t.Context(), o.by("purser-operator", third), list[0].ID)
		if err != nil || len(page.Taxes[list[0].ID]) != 1 || page.Taxes[list[0].ID][0].Class != "GST" || page.Taxes[list[0].ID][0].Amount != list[0].Tax {
			t.Errorf("taxes of the month: %+v, %v", page.Taxes, err)
		}
		_, lines, err := o.InvoiceLines(t.Context(), o.by("purser-operator", third), list[0].ID, 0, 100)
		if err != nil || len(lines) < 3 {
			t.Errorf("lines of the month: %+v, %v", lines, err)
		}
		for _, l := range lines { // half-up of what was taxed
			if l.Mode == 3 {
				if want, _ := money.ShareHalfUp(l.Charged, 9, 100, money.USD); l.Tax != want || l.TaxRate != "0.09" {
					t.Errorf("tax on usage of %s: %s at %s, want %s", l.Charged, l.Tax, l.TaxRate, want)
				}
			}
		}
		// Two servers were taxed when they were paid (15) and when they went back (100), usage with its month (15); by cycle one more was bought.
		for customer, want := range map[string]map[charge.BillType]int{
			orders: {charge.Tax: 3, charge.TaxRefund: 2}, cycles: {charge.Tax: 4, charge.TaxRefund: 2}, receipts: {charge.Tax: 3, charge.TaxRefund: 2},
		} {
			if got := o.taxed(t, customer); !maps.Equal(got, want) {
				t.Errorf("taxes on fee records: %v, want %v", got, want)
			}
		}
		if n := len(o.papers(t, receipts, third)); n != 2 {
			t.Errorf("by receipt nothing of a month is invoiced: %d papers", n)
		}
		if list := o.papers(t, orders, third); len(list) != 4 || list[3].TradeType != invoice.CardMonth {
			t.Errorf("by order usage comes with the month: %+v", list)
		}
		o.endsAll(t, cycles, third.Add(time.Hour))
		list = o.papers(t, cycles, third)
		if len(list) != 2 || !list[1].Memo || list[1].Source != list[0].ID {
			t.Errorf("a refund of a closed month: %+v", list)
		}
		for _, customer := range all {
			o.shift(t, customer, fourth)
		}
		if n := len(o.papers(t, cycles, fourth)); n != 2 { // all of December stands on the memo
			t.Errorf("%d papers", n)
		}
		o.sound(t)
	})
}

// Members' papers are the master's, those of a partner's customers the partner's; an enterprise waits for its tax id; numbers are
// an issuer's, without gaps; what is sealed keeps its addresses.
func TestWhoGetsInvoices(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := openPapers(t, d), t.Context()
		boss := o.by("purser-operator", now)
		byOrder := func(c *account.Customer) { c.InvoiceMethod, c.Country = account.ByOrder, "SG" }
		master := o.own(t, "the-master", now, 100_000, byOrder)
		member := o.own(t, "the-member", now, 0, nil)
		if _, err := o.JoinMaster(ctx, boss, member, master, account.Unified, time.Time{}); err != nil {
			t.Fatal(err)
		}
		o.buys(t, member, now, 1)
		list := o.papers(t, master, now)
		if len(list) != 1 || list[0].About != member || list[0].Payer != master || list[0].Seal.AboutName != "the-member" || len(o.papers(t, member, now)) != 0 {
			t.Fatalf("a member's: %+v", list)
		}
		made, err := o.CreateCustomer(ctx, boss, operation.NewCustomer{Account: "resold", User: "resold", Partner: "demo-partner", Record: account.Customer{InvoiceMethod: account.ByOrder, Resold: true}})
		if err != nil {
			t.Fatal(err)
		}
		resold := made.Customer.ID
		o.pays(t, resold, now, 100_000)
		o.buys(t, resold, now, 1)
		o.shift(t, resold, third)
		partner := made.Relations.Partner
		if list := o.papers(t, partner, third); len(list) != 1 || list[0].TradeType != invoice.PartnerMonth || list[0].About != resold || len(o.papers(t, resold, third)) != 0 {
			t.Errorf("a reseller's: %+v", list)
		}
		// An enterprise without a tax id.
		firm := o.own(t, "the-firm", now, 100_000, func(c *account.Customer) { byOrder(c); c.Kind = account.Enterprise })
		o.buys(t, firm, now, 1)
		list = o.papers(t, firm, now)
		if len(list) != 1 || list[0].Seal != nil || list[0].State() != invoice.ToFill {
			t.Fatalf("without a tax id: %+v", list)
		}
		if _, _, err := o.InvoicePDF(ctx, boss, list[0].ID, catalog.English); code(err) != "PURSER.0914" {
			t.Errorf("printed without a number: %v", err)
		}
		profile := invoice.Profile{Customer: firm, Title: "The Firm Ltd", Address: "1 Example Road", Zip: "048616", Recipient: "Ann", Phone: "+65", Email: "a@example.com"}
		if _, err := o.SetInvoiceProfile(ctx, o.as(firm, now), profile); code(err) != "CBC.0100" {
			t.Errorf("a profile without a tax id: %v", err)
		}
		if _, err := o.ChangeCustomer(ctx, boss, firm, func(c *account.Customer) { c.TaxID = "T1" }); err != nil {
			t.Fatal(err)
		}
		if _, err := o.SetInvoiceProfile(ctx, o.as(firm, now), profile); err != nil {
			t.Fatal(err)
		}
		if _, err := o.SetInvoiceProfile(ctx, o.as(member, now), profile); code(err) != "PURSER.0104" {
			t.Errorf("another's profile: %v", err)
		}
		if _, err := o.SetIssuer(ctx, boss, invoice.Issuer{Code: "sg", Name: "Cloud SG", Countries: []string{"SG"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.SetIssuer(ctx, boss, invoice.Issuer{Code: "my", Name: "Cloud MY", Countries: []string{"MY", "SG"}}); code(err) != "PURSER.0913" {
			t.Errorf("two issuers for a country: %v", err)
		}
		list = o.papers(t, firm, now)
		s := list[0].Seal
		if s == nil || s.Number != "SG-0000000001" || s.Title != "The Firm Ltd" || s.TaxID != "T1" || s.Issuer.Name != "Cloud SG" || list[0].State() != invoice.Done {
			t.Fatalf("sealed: %+v", s)
		}
		files := func() (n int64) {
			t.Helper()
			if err := d.View(ctx, dbtest.At(now), func(v *db.View) error {
				return v.QueryRow(ctx, `SELECT count(*) FROM invoice_file WHERE customer = $1`, firm).Scan(&n)
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := files(); n != 0 {
			t.Errorf("%d files before anybody has asked for one", n)
		}
		first, number, err := o.InvoicePDF(ctx, o.as(firm, now), list[0].ID, catalog.Chinese)
		if err != nil || number != s.Number || len(first) < 10_000 {
			t.Fatal(err, len(first))
		}
		profile.Title = "Another Name"
		if _, err := o.SetInvoiceProfile(ctx, o.as(firm, now), profile); err != nil {
			t.Fatal(err)
		}
		if n := files(); n != 1 {
			t.Errorf("%d files once it was asked for", n)
		}
		again, _, err := o.InvoicePDF(ctx, o.as(firm, now), list[0].ID, catalog.Chinese)
		if err != nil || string(again) != string(first) || o.papers(t, firm, now)[0].Seal.Title != "The Firm Ltd" {
			t.Errorf("it has changed: %v", err)
		}
		if _, _, err := o.InvoicePDF(ctx, o.as(master, now), list[0].ID, catalog.Chinese); code(err) != "PURSER.0911" {
			t.Errorf("another's: %v", err)
		}
		// The provider's list: the caller's own only, times and order.
		if _, err := o.ListInvoices(ctx, o.as(firm, now), master, now, now, 0, 10); code(err) != "CBC.0151" {
			t.Errorf("another's list: %v", err)
		}
		if _, err := o.ListInvoices(ctx, o.as(firm, now), firm, now, now.Add(-time.Second), 0, 10); code(err) != "CBC.0100" {
			t.Errorf("end before start: %v", err)
		}
		if page, err := o.ListInvoices(ctx, o.as(firm, now), firm, now, now, 0, 10); err != nil || page.Total != 1 {
			t.Errorf("%d, %v", page.Total, err)
		}
		if page, err := o.ListInvoices(ctx, o.as(firm, now), firm, now.Add(time.Second), now.Add(time.Hour), 0, 10); err != nil || page.Total != 0 {
			t.Errorf("%d, %v", page.Total, err)
		}
		// Receipts and the others do not mix while there is money.
		if _, err := o.ChangeCustomer(ctx, boss, firm, func(c *account.Customer) { c.InvoiceMethod = account.ByReceipt }); code(err) != "PURSER.0912" {
			t.Errorf("a switch to receipts: %v", err)
		}
		if _, err := o.ChangeCustomer(ctx, boss, firm, func(c *account.Customer) { c.InvoiceMethod = account.ByCycle }); err != nil {
			t.Errorf("a switch to the month: %v", err)
		}
		o.buys(t, firm, now, 1)
		o.shift(t, firm, third)
		if list := o.papers(t, firm, third); len(list) != 2 || list[1].TradeType != invoice.CardMonth {
			t.Errorf("after the switch: %+v", list)
		}
		o.sound(t)
	})
}

// Prices that contain the tax: the paper takes it out of them, usage too, and the ledger moves it.
func TestInclusiveTax(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "IN", Rate: mustDecimal("0.18"), Inclusive: true, Kind: "GST"})
		o.taxes(t, tax.Rate{Country: "IN-KA", Rate: mustDecimal("0.18"), Inclusive: true, Kind: "GST", Parts: []tax.Part{{Name: "CGST", Rate: mustDecimal("0.09")}, {Name: "SGST", Rate: mustDecimal("0.09")}}})
		customer := o.own(t, "bangalore", now, 100_000, func(c *account.Customer) { c.Country, c.InvoiceMethod = "IN-KA", account.ByOrder })
		o.report(t, ran(customer, "u", now.Truncate(time.Hour), 360_000))
		bought := o.buys(t, customer, now, 1)
		list := o.papers(t, customer, now)
		page, err := o.Invoice(t.Context(), o.by("purser-operator", now), list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		taxes := page.Taxes[list[0].ID]
		if len(list) != 1 || list[0].Amount != bought.Amount || bought.Tax != 0 || list[0].Tax == 0 || len(taxes) != 2 || taxes[0].SubClass != "CGST" || taxes[1].SubClass != "SGST" ||
			taxes[0].Amount+taxes[1].Amount != list[0].Tax || taxes[0].Base != list[0].Charged {
			t.Errorf("%+v, %+v", list, taxes)
		}
		o.endsAll(t, customer, now.Add(time.Hour))
		o.shift(t, customer, third)
		list = o.papers(t, customer, third)
		if len(list) != 3 || !list[1].Memo || list[1].Tax >= 0 || list[2].TradeType != invoice.CardMonth || list[2].Tax <= 0 {
			t.Fatalf("%+v", list)
		}
		if got := o.taxed(t, customer); len(got) != 0 {
			t.Errorf("prices contain it, and yet there are records of it: %v", got)
		}
		o.sound(t)
	})
}

// Usage that comes to less than was charged for it, since more of it is cheaper, gives its tax back with the close of the month in which
// that turned out (101); what that month then comes to is a credit memo of the one before.
func TestTaxOfWhatIsGivenBack(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.09"), Kind: "GST"})
		customer := o.own(t, "much-traffic", now, 100_000, func(c *account.Customer) { c.Country = "SG" })
		sent := func(id string, gigabytes int64, from time.Time) usage.Record {
			return usage.Record{
				Source: "edge", ID: id, Customer: customer, Resource: "site", Factor: "upflow", Value: money.DecimalOf(gigabytes << 30), Unit: 13, Start: from, End: from.Add(time.Hour),
				Described: usage.Described{Service: "hws.service.type.cdn", ResourceType: "hws.resource.type.cdn", Spec: "cdn.flow.volume", Region: "ap-southeast-1"},
			}
		}
		o.report(t, sent("first", 1000, now)) // at 0.08
		o.shift(t, customer, third)
		o.report(t, sent("late", 30, now.Add(time.Hour))) // all of the day at 0.072
		o.shift(t, customer, third.Add(2*time.Hour))
		o.shift(t, customer, fourth)
		if got, want := o.taxedIn(t, customer, november+1), (map[charge.BillType]int{charge.TaxBack: 1}); !maps.Equal(got, want) {
			t.Errorf("taxes on fee records: %v, want %v", got, want)
		}
		var shown []string
		rows, final := o.bill(t, customer, november+1)
		for _, r := range rows {
			shown = append(shown, fmt.Sprintf("type %d: %s", r.Type, r.Consume))
		}
		if want := []string{"type 1: -5.84", "type 3: -0.53"}; !final || !slices.Equal(shown, want) {
			t.Errorf("the bill of December, closed %v: %q, want %q", final, shown, want)
		}
		list := o.papers(t, customer, fourth)
		if len(list) != 2 || list[0].Amount.String() != "87.2" || !list[1].Memo || list[1].Source != list[0].ID || list[1].Amount.String() != "-6.37" || list[1].Tax.String() != "-0.53" {
			t.Fatalf("papers: %+v", list)
		}
		page, err := o.Invoice(t.Context(), o.by("purser-operator", fourth), list[1].ID)
		if rows := page.Taxes[list[1].ID]; err != nil || len(rows) != 1 || rows[0].Class != "GST" || rows[0].Amount.String() != "-0.53" || rows[0].Base.String() != "-5.84" {
			t.Errorf("taxes of the memo: %+v, %v", page.Taxes, err)
		}
		if got := o.held(t, customer).Cash; got.String() != "919.17" { // 74.16 and 6.67 of tax
			t.Errorf("cash is %s", got)
		}
		o.sound(t)
	})
}

// A month that is parked since its country has no rate of tax is closed once it has one, for that month too, and is tried again.
func TestParkedWithoutARate(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o, ctx := openPapers(t, d), t.Context()
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.09")})
		customer := o.own(t, "from-france", now, 1000, func(c *account.Customer) { c.Country = "FR" })
		o.report(t, ran(customer, "u", now.Truncate(time.Hour), 360_000))
		o.shift(t, customer, third)
		boss := func() *operation.Call { return o.by("purser-operator", third.Add(time.Hour)) }
		if total, list, err := o.ParkedMonths(ctx, boss(), 0, 10); err != nil || total != 1 || list[0].Customer != customer || !strings.Contains(list[0].Reason, "CBC.99006093") {
			t.Fatalf("%d %+v, %v", total, list, err)
		}
		if _, err := o.SetTaxRate(ctx, boss(), tax.Rate{Country: "SG", Rate: mustDecimal("0.1"), From: now.Add(time.Hour)}); code(err) != "CBC.0100" {
			t.Errorf("over a rate that was in force: %v", err)
		}
		if _, err := o.SetTaxRate(ctx, boss(), tax.Rate{Country: "FR", Rate: mustDecimal("0.2"), From: november.Span().Start}); err != nil {
			t.Fatal(err)
		}
		if err := o.RetryMonth(ctx, boss(), customer, november); err != nil {
			t.Fatal(err)
		}
		o.shift(t, customer, third.Add(2*time.Hour))
		if rows, final := o.bill(t, customer, november); !final || len(rows) != 1 || rows[0].Consume.String() != "2.44" { // 2.03 and 0.41 of tax
			t.Errorf("closed %v: %+v", final, rows)
		}
		if list := o.papers(t, customer, third); len(list) != 1 || list[0].Tax.String() != "0.41" {
			t.Errorf("%+v", list)
		}
		o.sound(t)
	})
}

// Coupons pay usage to its last decimal, and no tax: what an invoice asks for is in whole cents all the same, and what it shows adds up.
func TestInvoicesAreInCents(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.09")})
		customer := o.own(t, "with-coupon", now, 1000, func(c *account.Customer) { c.Country = "SG" })
		if _, err := o.IssueCoupons(t.Context(), o.by("purser-operator", now), []string{customer}, coupon.Coupon{Version: 2, Face: 50 * dollar}, false); err != nil {
			t.Fatal(err)
		}
		o.report(t, ran(customer, "u", now.Truncate(time.Hour), 354_321)) // 1.99797675, by the coupon; its tax is 0.18
		o.shift(t, customer, third)
		rows, _ := o.bill(t, customer, november)
		list := o.papers(t, customer, third)
		if len(rows) != 1 || money.CutMinor(rows[0].Parts.Coupon, money.USD) == rows[0].Parts.Coupon || len(list) != 1 {
			t.Fatalf("the test shows nothing: %+v, %+v", rows, list)
		}
		p := &list[0]
		for _, amount := range []money.Amount{p.Charged, p.Coupon, p.Tax, p.Amount} {
			if money.CutMinor(amount, money.USD) != amount {
				t.Errorf("not in whole cents: %+v", p)
			}
		}
		if p.Amount.String() != "0.17" || p.Tax.String() != "0.18" || p.Amount+p.Coupon != rows[0].Consume || p.Coupon.String() != "2" {
			t.Errorf("%+v of %+v", p, rows[0])
		}
		o.sound(t)
	})
}

// What the operator adjusts stands on the bill of the running month (9, 16), is borne as usage is, taxed with the close of the month
// (101, 102), and invoiced with it.
func TestAdjustmentsOfTheBill(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.09"), Kind: "GST"})
		singapore := func(c *account.Customer) { c.Country = "SG" }
		favoured, charged := o.own(t, "favoured", now, 100_000, singapore), o.own(t, "charged", now, 100, singapore)
		master, member := o.own(t, "pays-for-all", now, 100_000, singapore), o.own(t, "pays-nothing", now, 0, singapore)
		if _, err := o.JoinMaster(t.Context(), o.by("purser-operator", now), member, master, account.Unified, time.Time{}); err != nil {
			t.Fatal(err)
		}
		adjust := func(customer string, amount money.Amount, reference, of string) (ledgerID string, err error) {
			e, err := o.Adjust(t.Context(), o.by("purser-operator", now), operation.Movement{Customer: customer, Amount: amount, Reference: reference, ResourceType: of})
			return e.ID, err
		}
		o.report(t, ran(favoured, "u", now.Truncate(time.Hour), 360_000))
		for _, k := range []struct {
			customer string
			amount   money.Amount
		}{{favoured, dollar}, {charged, -3 * dollar}, {member, -2 * dollar}} {
			id, err := adjust(k.customer, k.amount, "a-1", server.ResourceType)
			if err != nil || id == "" {
				t.Fatal(err)
			}
			if _, err := adjust(k.customer, k.amount, "a-1", server.ResourceType); code(err) != "PURSER.0301" {
				t.Errorf("the same again: %v", err)
			}
			list, err := o.ListFees(t.Context(), o.as(k.customer, now), &operation.FeeAsk{Cycle: november, Limit: 10})
			if err != nil || len(list.Fees) != 1 {
				t.Fatalf("%+v, %v", list.Fees, err)
			}
			want := charge.Compensation
			if k.amount < 0 {
				want = charge.Deduction
			}
			if f := &list.Fees[0]; f.Bill != want || f.Amount != -k.amount || f.Trade != id || f.Service != server.Service || f.Project != "0" || !f.Traded.Equal(now) {
				t.Errorf("on the bill: %+v", f)
			}
		}
		if held := o.held(t, favoured); held.Cash != 1001*dollar {
			t.Errorf("a compensation: %+v", held)
		}
		if held := o.held(t, charged); held.Cash != 0 || held.Debt != 2*dollar {
			t.Errorf("a deduction: %+v", held)
		}
		if _, late := o.inArrears(t, charged); !late {
			t.Error("what is owed is no arrears")
		}
		if held := o.held(t, master); held.Cash != 998*dollar {
			t.Errorf("a member's deduction: %+v", held)
		}
		for name, k := range map[string]struct {
			amount money.Amount
			of     string
		}{"nothing": {0, server.ResourceType}, "less than a cent": {1, server.ResourceType}, "no such resource type": {dollar, "none"}} {
			if _, err := adjust(favoured, k.amount, "a-2", k.of); code(err) != "CBC.0100" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := o.Adjust(t.Context(), o.as(favoured, now), operation.Movement{Customer: favoured, Amount: dollar, Reference: "a-3", ResourceType: server.ResourceType}); code(err) != "CBC.0151" {
			t.Errorf("by the customer itself: %v", err)
		}
		for customer, want := range map[string]map[charge.BillType]int{favoured: {charge.Tax: 1, charge.TaxBack: 1}, charged: {charge.TaxMore: 1}, member: {charge.TaxMore: 1}} {
			o.shift(t, customer, third)
			if got := o.taxed(t, customer); !maps.Equal(got, want) {
				t.Errorf("taxes on fee records: %v, want %v", got, want)
			}
		}
		rows, _ := o.bill(t, favoured, november)
		if len(rows) != 2 || rows[1].Type != bill.Adjustment || rows[1].Consume.String() != "-1.09" || o.held(t, favoured).Cash != 1000*dollar-rows[0].Consume-rows[1].Consume {
			t.Errorf("the bill: %+v", rows)
		}
		if list := o.papers(t, favoured, third); len(list) != 1 || len(rows) == 2 && list[0].Amount != rows[0].Consume+rows[1].Consume || !list[0].Due.IsZero() {
			t.Errorf("its invoice: %+v", list)
		}
		if list := o.papers(t, charged, third); len(list) != 1 || list[0].TradeType != invoice.UnpaidMonth || list[0].Amount.String() != "3.27" || list[0].Tax.String() != "0.27" || o.held(t, charged).Debt.String() != "2.27" || !list[0].Due.Equal(third.AddDate(0, 0, 10)) {
			t.Errorf("what is owed: %+v", list)
		}
		if list := o.papers(t, master, third); len(list) != 1 || list[0].About != member || list[0].Amount.String() != "2.18" {
			t.Errorf("the member's: %+v", list)
		}
		o.sound(t)
	})
}

// What purser check proves of bills and invoices, it also sees broken: each table with something in it that should not be there.
func TestCheckSeesWrongBills(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.09")})
		customer := o.own(t, "well-kept", now, 100_000, func(c *account.Customer) { c.Country = "SG" })
		o.report(t, ran(customer, "u", now.Truncate(time.Hour), 360_000))
		o.shift(t, customer, third)
		paper := o.papers(t, customer, third)[0]
		o.sound(t)
		do := func(text string, args ...any) {
			t.Helper()
			err := d.Update(t.Context(), dbtest.At(third), func(tx *db.Tx) error {
				n, err := tx.Exec(t.Context(), text, args...)
				if err == nil && n == 0 {
					err = errors.New("nothing was changed")
				}
				return err
			})
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		sees := func(want string) {
			t.Helper()
			var found []string
			if _, err := o.CheckBooks(t.Context(), operation.LocalOperator("check", third), false, func(w operation.Wrong) { found = append(found, w.Customer+": "+w.What) }); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, want) }) {
				t.Errorf("not seen: %q; seen %q", want, found)
			}
		}
		more := `UPDATE charge_sum SET official = official + $1, amount = amount + $1, cash = cash + $1 WHERE customer = $2 AND bill_type = 5`
		do(more, int64(1), customer)
		sees("kept are")
		do(more, int64(-1), customer)
		o.sound(t)
		// From here on tables that are added to only: what is wrong stays wrong.
		do(`INSERT INTO invoice_thing (customer, kind, id, holder, invoice) VALUES ($1, 'trade', 'CS1', $1, $2)`, customer, paper.ID)
		sees("invoice " + paper.ID + ": 2 things stand on it")
		do(`INSERT INTO invoice_tax (customer, invoice, no, class, sub_class, rate, base, amount) VALUES ($1, $2, 9, 'VAT', 'VAT', '0.09', 0, 1)`, customer, paper.ID)
		sees("its taxes to")
		do(`INSERT INTO invoice_line (customer, invoice, no, service, resource_type, spec, region, mode, service_en, service_zh, name_en, name_zh, num, starts_at, ends_at, charged, coupon, tax, amount, cut,
			tax_rate, inclusive) SELECT customer, invoice, 9, service, resource_type, spec, region, mode, service_en, service_zh, name_en, name_zh, num, starts_at, ends_at, charged, coupon, tax, amount, 0,
			tax_rate, inclusive FROM invoice_line WHERE customer = $1 AND invoice = $2 AND no = 1`, customer, paper.ID)
		sees("its lines to")
		do(`INSERT INTO bill_row (customer, cycle, no, type, charge_mode, service, resource_type, project, payer, records, official, discount, truncated, consume, cash, credit, coupon, flexi, stored,
			bonus, debt, adjustment) SELECT customer, cycle, 9, 2, charge_mode, service, resource_type, project, payer, records, official, discount, truncated + 1, consume - 1, cash - 1, credit, coupon,
			flexi, stored, bonus, debt, adjustment FROM bill_row WHERE customer = $1 AND no = 1`, customer)
		for _, want := range []string{"is not in whole minor units", "the closed rows,", "resource records come to", "the truncation account gave"} {
			sees(want)
		}
		do(`INSERT INTO invoice_seal (issuer, no, customer, invoice, number, sealed_at, title_type, title, tax_id, country, address, recipient, zip, phone, email, about_name, issuer_name, issuer_address,
			issuer_tax_id, issuer_note) SELECT issuer, no + 1000000, customer, 'IVX', 'X', sealed_at, title_type, title, tax_id, country, address, recipient, zip, phone, email, about_name, issuer_name,
			issuer_address, issuer_tax_id, issuer_note FROM invoice_seal WHERE invoice = $1`, paper.ID)
		sees("there is a gap")
	})
}

// Whatever triggers come in whatever order, again and at the same time: no thing is on two papers, books and papers say the same,
// numbers have no gap.
func TestInvoicesAtRandom(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openPapers(t, d)
		o.taxes(t, tax.Rate{Country: "SG", Rate: mustDecimal("0.0825")})
		seed := uint64(time.Now().UnixNano()) //nolint:forbidigo // printed, so that it can be run again
		t.Logf("seed %d", seed)
		methods := []string{account.ByCycle, account.ByOrder, account.ByReceipt}
		var customers []string
		for i := range 4 {
			customers = append(customers, o.own(t, fmt.Sprint("random-", i), now, 200_000, func(c *account.Customer) {
				c.Country, c.InvoiceMethod = "SG", methods[i%3]
				if i == 3 {
					c.Settlement, c.CreditLimit = account.Monthly, 1000*dollar
				}
			}))
		}
		for month := range 2 {
			var hands sync.WaitGroup
			for hand := range 4 {
				hands.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(hand+10*month)))
					for i := range 8 {
						customer := customers[r.IntN(len(customers))]
						at := now.AddDate(0, month, 0).Add(time.Duration(i) * time.Hour)
						switch call := o.as(customer, at); r.IntN(5) {
						case 0, 1:
							placed, err := o.PlaceOrder(t.Context(), call, oneServer(int32(1+r.IntN(2))))
							if err == nil {
								o.PayOrder(t.Context(), call, placed.Order.ID, order.Means{}) //nolint:errcheck // a refusal is an answer too
								o.PayOrder(t.Context(), call, placed.Order.ID, order.Means{}) //nolint:errcheck // again
							}
						case 2:
							list, err := o.ListResources(t.Context(), call, "", subscriptionQuery, 0, 10)
							if err == nil && len(list.Resources) > 0 {
								o.Unsubscribe(t.Context(), call, []string{list.Resources[r.IntN(len(list.Resources))].ID}, false, "") //nolint:errcheck // likewise
							}
						case 3:
							boss := o.by("purser-operator", at)
							boss.RequestID = fmt.Sprint("t", r.IntN(6))
							move := o.TopUp
							if r.IntN(2) == 0 {
								move = o.Withdraw
							}
							move(t.Context(), boss, operation.Movement{Customer: customer, Amount: money.Amount(1+r.IntN(90)) * dollar}) //nolint:errcheck // likewise
						case 4:
							o.AcceptUsage(t.Context(), o.by("purser-operator", at), recordsOf(customer, fmt.Sprint(hand, i, month), at)) //nolint:errcheck // likewise
							if err := o.SealInvoices(t.Context(), at); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			hands.Wait()
			closes := third.AddDate(0, month, 0)
			for range 2 { // two nodes at once
				hands.Go(func() {
					for _, customer := range customers {
						if _, err := o.CatchUp(t.Context(), closes, customer); err != nil {
							t.Error(err)
						}
					}
					if err := o.SealInvoices(t.Context(), closes); err != nil {
						t.Error(err)
					}
				})
			}
			hands.Wait()
		}
		o.sound(t)
		n := 0
		for _, customer := range customers {
			for _, p := range o.papers(t, customer, third) {
				if n++; p.Seal == nil {
					t.Errorf("without a number: %+v", p)
				}
			}
		}
		if n == 0 {
			t.Error("nothing was invoiced")
		}
	})
}
