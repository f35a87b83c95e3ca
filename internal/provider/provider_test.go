package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/provider"
)

const dollar = money.Amount(100_000_000)

// What becomes of a callback, for every state of the attempt.
func TestJudge(t *testing.T) {
	event := func(outcome string, change func(*provider.Event)) *provider.Event {
		e := &provider.Event{ID: "e", Attempt: "a", Reference: "r", Outcome: outcome, Amount: dollar, Currency: "USD"}
		if change != nil {
			change(e)
		}
		return e
	}
	paid, failed := event(provider.Succeeded, nil), event(provider.Failed, nil)
	less := event(provider.Succeeded, func(e *provider.Event) { e.Amount-- })
	yen := event(provider.Succeeded, func(e *provider.Event) { e.Currency = "JPY" })
	elsewhere := event(provider.Succeeded, func(e *provider.Event) { e.Reference = "other" })
	unnamed := event(provider.Succeeded, func(e *provider.Event) { e.Reference = "" })
	const booked, fails, refused, ignored = provider.Booked, provider.Fails, provider.Refused, provider.Ignored
	for _, k := range []struct {
		state string
		want  [6]string // paid, failed, less, yen, elsewhere, unnamed
	}{
		{provider.Pending, [6]string{booked, fails, refused, refused, refused, booked}},
		{provider.Failed, [6]string{booked, ignored, refused, refused, refused, booked}},
		{provider.Succeeded, [6]string{ignored, ignored, refused, refused, refused, ignored}},
		{provider.Refunded, [6]string{ignored, ignored, refused, refused, refused, ignored}},
	} {
		for i, e := range []*provider.Event{paid, failed, less, yen, elsewhere, unnamed} {
			a := &provider.Attempt{ID: "a", Amount: dollar, Currency: "USD", State: k.state, Reference: "r"}
			if got := provider.Judge(a, e); got.Verdict != k.want[i] || (got.Note == "") != (got.Verdict == booked) {
				t.Errorf("%s, event %d: %+v, want %s", k.state, i, got, k.want[i])
			}
		}
	}
}

func TestStateAt(t *testing.T) {
	end := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for _, k := range []struct {
		state string
		at    time.Time
		want  string
	}{
		{provider.Pending, end.Add(-1), provider.Pending}, {provider.Pending, end, provider.Expired}, {provider.Succeeded, end, provider.Succeeded}, {provider.Failed, end, provider.Failed},
	} {
		if got := (&provider.Attempt{State: k.state, Expires: end}).StateAt(k.at); got != k.want {
			t.Errorf("%s at %s: %s, want %s", k.state, k.at, got, k.want)
		}
	}
}

// The sandbox is a function of its secret and the attempt: the same after a restart, another for another secret.
func TestSandbox(t *testing.T) {
	a := provider.Attempt{ID: "TU1", Amount: 12*dollar + dollar/2, Currency: "USD", Method: provider.Card}
	begin := func(secret string, a provider.Attempt) provider.Begun {
		t.Helper()
		b, err := provider.NewSandbox([]byte(secret)).Begin(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := begin("s", a)
	if b != begin("s", a) || b.Reference == begin("other", a).Reference || !strings.HasSuffix(b.PayURL, b.Reference) || b.Instructions != "" {
		t.Errorf("%+v", b)
	}
	a.Reference = b.Reference
	header, body, err := provider.NewSandbox([]byte("s")).Callback(&a, true)
	if err != nil {
		t.Fatal(err)
	}
	want := provider.Event{Attempt: "TU1", Reference: b.Reference, Outcome: provider.Succeeded, Amount: a.Amount, Currency: "USD"}
	got, err := provider.NewSandbox([]byte("s")).Verify(header, body)
	if want.ID = got.ID; err != nil || got != want || got.ID == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := provider.NewSandbox([]byte("other")).Verify(header, body); err != provider.ErrSignature {
		t.Errorf("another secret: %v", err)
	}
	for name, text := range map[string]string{
		"not JSON": `[`, "no id": `{"top_up_id":"a","outcome":"failed","amount":"1"}`, "of nothing": `{"event_id":"e","outcome":"failed","amount":"1"}`,
		"no outcome": `{"event_id":"e","top_up_id":"a","amount":"1"}`, "no amount": `{"event_id":"e","top_up_id":"a","outcome":"failed"}`, "a number": `{"event_id":"e","top_up_id":"a","outcome":"failed","amount":1}`,
	} {
		s := provider.NewSandbox([]byte("s"))
		if _, err := s.Verify(s.Sign([]byte(text)), []byte(text)); err == nil || err == provider.ErrSignature {
			t.Errorf("%s: %v", name, err)
		}
	}
}
