package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/provider"
)

const cent = dollar / 100

var sandbox = provider.NewSandbox([]byte("a secret"))

// flaky is the sandbox with a line that may be down.
type flaky struct {
	*provider.Sandbox
	down  bool
	begun int
}

func (f *flaky) Begin(ctx context.Context, a provider.Attempt) (provider.Begun, error) {
	f.begun++
	if f.down {
		return provider.Begun{}, errors.New("no route to host")
	}
	return f.Sandbox.Begin(ctx, a)
}

// till is an office that takes payments, its customer and its operator.
type till struct {
	*office
	t                  *testing.T
	customer, operator *operation.Call
}

func openTill(t *testing.T, d *db.DB) *till {
	t.Helper()
	o := open(t, d)
	o.Providers = map[string]provider.Provider{provider.SandboxName: sandbox}
	return &till{o, t, o.by("cedar-labs", now), o.by("purser-operator", now)}
}

func (o *till) begin(amount money.Amount) provider.Attempt {
	o.t.Helper()
	a, err := o.BeginTopUp(o.t.Context(), o.customer, operation.Payment{Amount: amount, Method: provider.Card})
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

// tell sends a callback at an instant, as nobody.
func (o *till) tell(at time.Time, header http.Header, body []byte) error {
	call := &operation.Call{Operation: &contract.Operation{ID: "Test", Open: true}, Real: at, Header: header, Body: body}
	return o.TakeCallback(o.t.Context(), call, provider.SandboxName)
}

// callback is the sandbox's, for an attempt as changed.
func (o *till) callback(a provider.Attempt, paid bool, change func(*provider.Attempt)) (http.Header, []byte) {
	o.t.Helper()
	if change != nil {
		change(&a)
	}
	header, body, err := sandbox.Callback(&a, paid)
	if err != nil {
		o.t.Fatal(err)
	}
	return header, body
}

// stands is cash and debt, and the attempt's state and reason as seen at an instant.
func (o *till) stands(at time.Time, id string) string {
	o.t.Helper()
	call := *o.customer
	call.Real = at
	b, err := o.ShowBalances(o.t.Context(), &call)
	if err != nil {
		o.t.Fatal(err)
	}
	a, real, err := o.ShowTopUp(o.t.Context(), &call, id)
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprint(b.Cash, " ", b.Debt, " ", a.StateAt(real), " ", a.Reason))
}

func (o *till) owe(amount money.Amount) {
	o.t.Helper()
	err := o.DB.Update(o.t.Context(), dbtest.At(now), func(tx *db.Tx) error {
		return ledger.Post(o.t.Context(), tx, o.Random, &ledger.Entry{Customer: o.customer.Caller.DomainID, Cause: "usage", Reference: "u1", Postings: []ledger.Posting{
			{Giver: ledger.Cash, Taker: ledger.Adjustment, Amount: 10_000 * dollar}, {Giver: ledger.Debt, Taker: ledger.Adjustment, Amount: amount},
		}})
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// The same callback twenty times at once books once, and debt goes first.
func TestCallbackBooksOnce(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		before, _, err := o.Entries(t.Context(), o.customer, o.customer.Caller.DomainID, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		o.owe(30 * dollar)
		a := o.begin(100 * dollar)
		if a.State != provider.Pending || a.Reference == "" || a.PayURL == "" {
			t.Fatalf("begun: %+v", a)
		}
		header, body := o.callback(a, true, nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := o.tell(now, header, body); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := o.stands(now, a.ID); got != "70 0 succeeded" {
			t.Errorf("after 20 callbacks: %s", got)
		}
		// Other events of the same payment: a second success under another id, a failure after it.
		var again map[string]string
		if err := json.Unmarshal(body, &again); err != nil {
			t.Fatal(err)
		}
		if err := o.tell(o.forged(again, "event_id", "other")); err != nil {
			t.Errorf("another success: %v", err)
		}
		fails, failed := o.callback(a, false, nil)
		if err := o.tell(now, fails, failed); err != nil {
			t.Errorf("a failure after success: %v", err)
		}
		if got := o.stands(now, a.ID); got != "70 0 succeeded" {
			t.Errorf("after more of them: %s", got)
		}
		total, page, err := o.Entries(t.Context(), o.customer, o.customer.Caller.DomainID, 0, 10)
		if err != nil || total != before+2 || !slices.ContainsFunc(page, func(e ledger.Entry) bool {
			return e.Cause == "topup" && e.Reference == "sandbox:"+a.Reference && len(e.Postings) == 2
		}) {
			t.Errorf("its entries: %+v, %v", page, err)
		}
		if _, err := o.CheckBooks(t.Context(), o.operator, false, func(x operation.Wrong) { t.Error(x) }); err != nil {
			t.Error(err)
		}
	})
}

// forged is a callback with fields changed and signed all the same, as only the provider itself could.
func (o *till) forged(fields map[string]string, changes ...string) (time.Time, http.Header, []byte) {
	o.t.Helper()
	for i := 0; i < len(changes); i += 2 {
		fields[changes[i]] = changes[i+1]
	}
	body, err := json.Marshal(fields)
	if err != nil {
		o.t.Fatal(err)
	}
	return now, sandbox.Sign(body), body
}

func TestCallbacksThatDoNotFit(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		a, other := o.begin(100*dollar), o.begin(100*dollar)
		header, body := o.callback(a, true, nil)
		_, bodyOfOther := o.callback(other, true, nil)
		text := string(body)
		for name, k := range map[string]struct {
			header http.Header
			body   string
			want   string
		}{
			"tampered":          {header, strings.Replace(text, `"100"`, `"1000"`, 1), "PURSER.0704"},
			"another's":         {header, string(bodyOfOther), "PURSER.0704"},
			"not signed":        {http.Header{}, text, "PURSER.0704"},
			"of another secret": {provider.NewSandbox([]byte("guess")).Sign(body), text, "PURSER.0704"},
			"signed nonsense":   {sandbox.Sign([]byte(`{}`)), `{}`, "CBC.0100"},
		} {
			if err := o.tell(now, k.header, []byte(k.body)); code(err) != k.want {
				t.Errorf("%s: %v, want %s", name, err, k.want)
			}
		}
		header, body = o.callback(a, true, func(a *provider.Attempt) { a.ID = "TU261123NOBODY" })
		if err := o.tell(now, header, body); code(err) != "PURSER.0702" {
			t.Errorf("of a top-up that is not there: %v", err)
		}
		if got := o.stands(now, a.ID); got != "10000 0 pending" {
			t.Errorf("nothing of this counts: %s", got)
		}
		for _, k := range []struct {
			name   string
			change func(*provider.Attempt)
			want   string
		}{
			{"amount", func(a *provider.Attempt) { a.Amount += cent }, "10000 0 failed paid 100.01 USD, begun with 100 USD"},
			{"currency", func(a *provider.Attempt) { a.Currency = "EUR" }, "10000 0 failed paid 100 EUR, begun with 100 USD"},
			{"reference", func(a *provider.Attempt) { a.Reference = "SBX" }, "10000 0 failed paid under the reference SBX, begun under"},
		} {
			a := o.begin(100 * dollar)
			header, body := o.callback(a, true, k.change)
			for range 2 { // the provider tries again: the same answer
				if err := o.tell(now, header, body); code(err) != "PURSER.0705" {
					t.Errorf("another %s: %v", k.name, err)
				}
			}
			if got := o.stands(now, a.ID); !strings.HasPrefix(got, k.want) {
				t.Errorf("another %s: %s, want %s", k.name, got, k.want)
			}
		}
		total, _, _, err := o.TopUps(t.Context(), o.operator, provider.Query{State: provider.Failed}, 0, 10)
		if err != nil || total != 3 {
			t.Errorf("the operator sees %d failed, %v", total, err)
		}
		o.Providers = nil
		if err := o.tell(now, header, body); code(err) != "PURSER.0706" {
			t.Errorf("without a provider: %v", err)
		}
	})
}

// Money that comes late has come all the same; money for nobody, or twice, is for the operator to see.
func TestLatePayments(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		late := now.Add(2 * time.Hour)
		a := o.begin(5 * dollar)
		if got := o.stands(late, a.ID); got != "10000 0 expired" {
			t.Errorf("not paid in time: %s", got)
		}
		for state, want := range map[string]int{provider.Expired: 1, provider.Pending: 0, "": 1} {
			call := *o.customer
			call.Real = late
			if total, page, _, err := o.TopUps(t.Context(), &call, provider.Query{State: state}, 0, 10); err != nil || total != want || len(page) != want {
				t.Errorf("%q: %d, %v", state, total, err)
			}
		}
		header, body := o.callback(a, true, nil)
		if err := o.tell(late, header, body); err != nil {
			t.Error(err)
		}
		if got := o.stands(late, a.ID); got != "10005 0 succeeded" {
			t.Errorf("expired, then paid: %s", got)
		}
		a = o.begin(7 * dollar)
		for _, paid := range []bool{false, true} { // declined, then paid with another card
			header, body := o.callback(a, paid, nil)
			if err := o.tell(now, header, body); err != nil {
				t.Error(err)
			}
		}
		if got := o.stands(now, a.ID); got != "10012 0 succeeded" {
			t.Errorf("failed, then paid: %s", got)
		}
		a = o.begin(8 * dollar) // the operator was faster
		id := o.customer.Caller.DomainID
		if _, err := o.TopUp(t.Context(), o.operator, operation.Movement{Customer: id, Amount: 8 * dollar, Reference: a.Booking()}); err != nil {
			t.Fatal(err)
		}
		header, body = o.callback(a, true, nil)
		if err := o.tell(now, header, body); err != nil {
			t.Error(err)
		}
		if got := o.stands(now, a.ID); got != "10020 0 succeeded booked by hand before" {
			t.Errorf("booked by hand: %s", got)
		}
		parked := o.begin(9 * dollar)
		header, body = o.callback(parked, true, nil)
		err := o.DB.Update(t.Context(), dbtest.At(now), func(tx *db.Tx) error { return ledger.Park(t.Context(), tx, id, "test") })
		if err != nil {
			t.Fatal(err)
		}
		if err := o.tell(now, header, body); code(err) != "PURSER.0302" {
			t.Errorf("parked: %v", err)
		}
		if err := o.ReleaseBooks(t.Context(), o.operator, id); err != nil {
			t.Fatal(err)
		}
		if err := o.tell(now, header, body); err != nil || o.stands(now, parked.ID) != "10029 0 succeeded" {
			t.Errorf("told again once released: %v, %s", err, o.stands(now, parked.ID))
		}
		a = o.begin(dollar)
		if _, err := o.ChangeCustomer(t.Context(), o.operator, id, func(c *account.Customer) { c.Standing = account.Closed }); err != nil {
			t.Fatal(err)
		}
		header, body = o.callback(a, true, nil)
		if err := o.tell(now, header, body); code(err) != "PURSER.0705" || o.stands(now, a.ID) != "10029 0 failed paid, but the customer is closed" {
			t.Errorf("closed: %v, %s", err, o.stands(now, a.ID))
		}
		if _, err := o.BeginTopUp(t.Context(), o.customer, operation.Payment{Amount: dollar, Method: provider.Card}); code(err) != "PURSER.0106" {
			t.Errorf("begun by a closed customer: %v", err)
		}
	})
}

// Whatever is lost between keeping the attempt, telling the provider and keeping its reference, nothing is paid twice.
func TestRestartInBetween(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		line := &flaky{Sandbox: sandbox, down: true}
		o.Providers[provider.SandboxName] = line
		o.customer.IdempotencyKey, o.customer.Body = "k", []byte("b")
		wanted := operation.Payment{Amount: 10 * dollar, Method: provider.Transfer}
		if _, err := o.BeginTopUp(t.Context(), o.customer, wanted); code(err) != "PURSER.0703" {
			t.Errorf("the provider is down: %v", err)
		}
		line.down = false
		a, err := o.BeginTopUp(t.Context(), o.customer, wanted)
		if err != nil || a.Reference == "" || a.Instructions == "" {
			t.Fatalf("with its key again: %+v, %v", a, err)
		}
		same, err := o.BeginTopUp(t.Context(), o.customer, wanted)
		if err != nil || same != a || line.begun != 2 {
			t.Errorf("and again: %+v, told %d times, %v", same, line.begun, err)
		}
		o.customer.IdempotencyKey = ""
		if total, _, _, err := o.TopUps(t.Context(), o.customer, provider.Query{}, 0, 1); err != nil || total != 1 {
			t.Errorf("%d top-ups, %v", total, err)
		}

		// The provider has heard, its answer was lost; it tells of the payment by our id. Another process takes it.
		line.down = true
		if _, err := o.BeginTopUp(t.Context(), o.customer, wanted); code(err) != "PURSER.0703" {
			t.Error(err)
		}
		_, page, _, err := o.TopUps(t.Context(), o.customer, provider.Query{State: provider.Pending}, 0, 10)
		i := slices.IndexFunc(page, func(a provider.Attempt) bool { return a.Reference == "" })
		if err != nil || i < 0 {
			t.Fatalf("%+v, %v", page, err)
		}
		lost := page[i]
		begun, err := sandbox.Begin(t.Context(), lost)
		if err != nil {
			t.Fatal(err)
		}
		next := &till{&office{Counter: &operation.Counter{
			DB: d, Clock: o.Clock, Random: o.Random, Log: o.Log, Identity: o.Identity, Catalogue: o.Catalogue, Discounts: o.Discounts,
			Providers: map[string]provider.Provider{provider.SandboxName: provider.NewSandbox([]byte("a secret"))},
		}}, t, o.customer, o.operator}
		header, body := next.callback(lost, true, func(a *provider.Attempt) { a.Reference = begun.Reference })
		if err := next.tell(now, header, body); err != nil {
			t.Error(err)
		}
		if got := next.stands(now, lost.ID); got != "10010 0 succeeded" {
			t.Errorf("after the restart: %s", got)
		}
		if a, _, err := next.PaySandbox(t.Context(), o.customer, begun.Reference, true); err != nil || a.Reference != begun.Reference || a.Entry == "" {
			t.Errorf("paid again: %+v, %v", a, err)
		}
	})
}

func TestTopUpRefusals(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		partner, other := o.by("demo-partner", now), o.by("blue-harbour", now)
		id := o.customer.Caller.DomainID
		for name, k := range map[string]struct {
			by   *operation.Call
			p    operation.Payment
			want string
		}{
			"good":                {o.customer, operation.Payment{Amount: dollar, Method: "card", Provider: "sandbox"}, ""},
			"by the operator":     {o.operator, operation.Payment{Customer: id, Amount: dollar, Method: "card"}, ""},
			"of the operator":     {o.operator, operation.Payment{Amount: dollar, Method: "card"}, "PURSER.0104"},
			"another customer's":  {other, operation.Payment{Customer: id, Amount: dollar, Method: "card"}, "CBC.0151"},
			"by a partner":        {partner, operation.Payment{Customer: id, Amount: dollar, Method: "card"}, "CBC.0151"},
			"no such provider":    {o.customer, operation.Payment{Method: "card", Provider: "bank"}, "PURSER.0701"},
			"nothing":             {o.customer, operation.Payment{Method: "card"}, "CBC.0100"},
			"a part of a cent":    {o.customer, operation.Payment{Amount: cent / 2, Method: "card"}, "CBC.0100"},
			"too much":            {o.customer, operation.Payment{Amount: 10_000_000*dollar + cent, Method: "card"}, "CBC.0100"},
			"no such method":      {o.customer, operation.Payment{Amount: dollar, Method: "cheque"}, "CBC.0100"},
			"the sandbox is deaf": {o.customer, operation.Payment{Amount: dollar + 14*cent, Method: "card"}, "PURSER.0703"},
		} {
			if _, err := o.BeginTopUp(t.Context(), k.by, k.p); code(err) != k.want {
				t.Errorf("%s: %v, want %q", name, err, k.want)
			}
		}
		a := o.begin(dollar + 13*cent)
		if got, _, err := o.PaySandbox(t.Context(), o.customer, a.Reference, true); err != nil || got.State != provider.Failed || got.Reason == "" {
			t.Errorf("an amount that is declined: %+v, %v", got, err)
		}
		if _, _, err := o.PaySandbox(t.Context(), other, a.Reference, true); code(err) != "PURSER.0702" {
			t.Errorf("another pays: %v", err)
		}
		if _, _, err := o.ShowTopUp(t.Context(), other, a.ID); code(err) != "PURSER.0702" {
			t.Errorf("another looks: %v", err)
		}
		if _, _, _, err := o.TopUps(t.Context(), other, provider.Query{Customer: id}, 0, 1); code(err) != "PURSER.0104" {
			t.Errorf("another lists: %v", err)
		}
		if total, _, _, err := o.TopUps(t.Context(), other, provider.Query{}, 0, 1); err != nil || total != 0 {
			t.Errorf("its own: %d, %v", total, err)
		}
		o.Providers = nil
		if _, err := o.BeginTopUp(t.Context(), o.customer, operation.Payment{Amount: dollar, Method: "card"}); code(err) != "PURSER.0701" {
			t.Errorf("without a provider: %v", err)
		}
		if _, _, err := o.PaySandbox(t.Context(), o.customer, a.Reference, true); code(err) != "PURSER.0701" {
			t.Errorf("without the sandbox: %v", err)
		}
	})
}

// A payment is booked at the business instant of its customer; its deadline is real.
func TestTopUpUnderATestClock(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		o.Clocks = &clock.Wall{}
		turned := now.AddDate(1, 0, 0)
		if _, err := o.MoveClock(t.Context(), o.operator, o.customer.Caller.DomainID, turned); err != nil {
			t.Fatal(err)
		}
		if err := o.Date(t.Context(), o.customer); err != nil {
			t.Fatal(err)
		}
		a := o.begin(dollar)
		if !a.Created.Equal(turned) || !a.Expires.Equal(now.Add(time.Hour)) {
			t.Errorf("created %s, expires %s", a.Created, a.Expires)
		}
		header, body := o.callback(a, true, nil)
		if err := o.tell(now, header, body); err != nil {
			t.Fatal(err)
		}
		_, page, err := o.Entries(t.Context(), o.customer, o.customer.Caller.DomainID, 0, 1)
		if err != nil || !page[0].Booked.Equal(turned) {
			t.Errorf("booked %s, %v", page[0].Booked, err)
		}
	})
}
