package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

// SandboxName is what the sandbox is called.
const SandboxName = "sandbox"

// SandboxSignature is the header of the sandbox's callbacks: HMAC-SHA256 of the body with the sandbox's secret, in hex.
const SandboxSignature = "X-Sandbox-Signature"

// Hundredths of an amount that make the sandbox fail.
const (
	declines = 13 // an amount that ends in .13 is declined, whatever the payment page is told
	hangs    = 14 // one that ends in .14 is not taken: as if the provider could not be reached
)

// Sandbox is a payment provider without money: its payment page is an operation that says how the payment ends. It
// keeps nothing: references and event ids are functions of the attempt, so that it outlives a restart.
type Sandbox struct{ secret []byte }

// NewSandbox makes a sandbox that signs with a secret.
func NewSandbox(secret []byte) *Sandbox { return &Sandbox{secret} }

// Name is SandboxName.
func (*Sandbox) Name() string { return SandboxName }

func (s *Sandbox) mark(text string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func hundredths(a money.Amount) int { return int(a / 1_000_000 % 100) }

// Begin gives the attempt a reference.
func (s *Sandbox) Begin(_ context.Context, a Attempt) (Begun, error) {
	if hundredths(a.Amount) == hangs {
		return Begun{}, errors.New("the sandbox does not answer for amounts that end in .14")
	}
	reference := "SB" + strings.ToUpper(s.mark("reference " + a.ID)[:22])
	b := Begun{Reference: reference, PayURL: "/purser/v1/sandbox/payments/" + reference}
	if a.Method == Transfer {
		b.Instructions = "Transfer " + a.Amount.String() + " " + a.Currency + " to the sandbox bank, quoting " + reference + "."
	}
	return b, nil
}

// sandboxCallback is the body of a callback.
type sandboxCallback struct {
	EventID   string `json:"event_id"`
	TopUpID   string `json:"top_up_id"`
	Reference string `json:"reference"`
	Outcome   string `json:"outcome"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Reason    string `json:"reason,omitempty"`
}

// Callback makes the signed callback for an attempt that was paid, or was not. The same end has the same event id.
func (s *Sandbox) Callback(a *Attempt, paid bool) (http.Header, []byte, error) {
	out := sandboxCallback{TopUpID: a.ID, Reference: a.Reference, Outcome: Succeeded, Amount: a.Amount.String(), Currency: a.Currency}
	switch {
	case hundredths(a.Amount) == declines:
		out.Outcome, out.Reason = Failed, "declined: the amount ends in .13"
	case !paid:
		out.Outcome, out.Reason = Failed, "the payment was cancelled"
	}
	out.EventID = "SE" + strings.ToUpper(s.mark("event " + out.Outcome + " " + a.ID)[:22])
	body, err := json.Marshal(out)
	if err != nil {
		return nil, nil, err
	}
	return s.Sign(body), body, nil
}

// Sign is the header of a callback with this body.
func (s *Sandbox) Sign(body []byte) http.Header {
	return http.Header{SandboxSignature: {s.mark("callback " + string(body))}}
}

// Verify takes what this sandbox has signed, byte for byte.
func (s *Sandbox) Verify(header http.Header, body []byte) (Event, error) {
	if !hmac.Equal([]byte(header.Get(SandboxSignature)), []byte(s.mark("callback "+string(body)))) {
		return Event{}, ErrSignature
	}
	var in sandboxCallback
	if err := json.Unmarshal(body, &in); err != nil {
		return Event{}, fault.New(fault.Invalid, "CBC.0100", "the callback is not JSON of its form")
	}
	amount, err := money.ParseAmount(in.Amount)
	if err != nil || in.EventID == "" || in.TopUpID == "" && in.Reference == "" || in.Outcome != Succeeded && in.Outcome != Failed {
		return Event{}, fault.New(fault.Invalid, "CBC.0100", "the callback needs event_id, top_up_id or reference, outcome and amount")
	}
	return Event{ID: in.EventID, Attempt: in.TopUpID, Reference: in.Reference, Outcome: in.Outcome, Amount: amount, Currency: in.Currency, Reason: in.Reason}, nil
}
