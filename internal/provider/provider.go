// Package provider owns the payments that customers make from outside into their balance (top-ups through a payment
// provider), each callback that was taken for them, the interface that a payment provider implements, and a sandbox
// that implements it without money.
//
// It does not own the balance: what a payment moves is booked by the counter (ledger), in the same transaction.
//
// States of an attempt:
//
//	pending → succeeded   the provider says that the money came
//	pending → failed      it says that none came, or what it says does not fit (the reason tells)
//	pending → expired     nothing was heard until its deadline; worked out, not kept
//	failed, expired → succeeded   money that comes late has come all the same
//	succeeded → refunded  not built yet
//
// Meanings of time: created and finished are business time; the deadline is real time, as the provider's own page is.
//
// Invariants: an attempt is kept before its provider hears of it; a callback is taken once for its provider and its
// id; an attempt succeeds at most once, with the amount and the currency it was begun with.
package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
)

// Provider takes payments. Implementations are safe for concurrent use and keep nothing that a restart would lose.
type Provider interface {
	// Name is what attempts and callbacks call it: letters, digits and -.
	Name() string
	// Begin tells the provider of an attempt, outside of any transaction. It is called again with the same attempt
	// when its answer was lost, and must then give the same reference. A fault is shown to the caller; any other
	// error says that it is not known whether the provider has heard.
	Begin(ctx context.Context, a Attempt) (Begun, error)
	// Verify proves that a callback is the provider's own before it reads it. Refusals: ErrSignature, CBC.0100.
	Verify(header http.Header, body []byte) (Event, error)
}

// Begun is a provider's answer to an attempt.
type Begun struct {
	Reference    string // what the provider calls the payment
	PayURL       string // where the customer pays; empty without a page
	Instructions string // for the customer, such as which account to transfer to
}

// Event is what a callback says.
type Event struct {
	ID        string // unique for its provider
	Attempt   string // our id of the attempt, where the provider echoes it
	Reference string // the provider's
	Outcome   string // Succeeded or Failed
	Amount    money.Amount
	Currency  string
	Reason    string // of a failure, for a person
}

// Methods, states.
const (
	Card     = "card"
	Transfer = "transfer"

	Pending   = "pending"
	Succeeded = "succeeded"
	Failed    = "failed"
	Expired   = "expired"
	Refunded  = "refunded"
)

// lives is how long an attempt waits for its payment, real time: a bank takes days.
var lives = map[string]time.Duration{Card: time.Hour, Transfer: 7 * 24 * time.Hour}

// most is the largest single top-up: balances stay far from the end of the numbers.
const most = money.Amount(10_000_000 * 100_000_000)

// Attempt is one payment into a customer's balance.
type Attempt struct {
	ID           string
	Customer     string
	Amount       money.Amount
	Currency     string
	Provider     string
	Method       string
	State        string // as kept; see StateAt
	Reference    string // the provider's; empty until it has answered
	PayURL       string
	Instructions string
	Reason       string    // why it failed
	Entry        string    // of the ledger, once succeeded
	Created      time.Time // business time
	Expires      time.Time // real time
	Finished     time.Time // business time
}

// StateAt is the state at a real instant.
func (a *Attempt) StateAt(real time.Time) string {
	if a.State == Pending && !real.Before(a.Expires) {
		return Expired
	}
	return a.State
}

// Booking is what the ledger calls this payment: the same for every callback that tells of it.
func (a *Attempt) Booking() string { return a.Provider + ":" + cmp.Or(a.Reference, a.ID) }

// Refusals.
var (
	ErrNone      = fault.New(fault.Conflict, "PURSER.0701", "this server has no such payment provider (--sandbox-payments has one for tests)")
	ErrSignature = fault.New(fault.Unauthenticated, "PURSER.0704", "the callback is not signed by the payment provider")
)

// Check says what is wrong with an attempt that is to be begun.
func Check(a *Attempt, currency money.Currency) error {
	if lives[a.Method] == 0 {
		return fault.New(fault.Invalid, "CBC.0100", "method: must be card or transfer")
	}
	if a.Amount <= 0 || a.Amount > most || money.CutMinor(a.Amount, currency) != a.Amount {
		return fault.New(fault.Invalid, "CBC.0100", "amount: must be above 0, at most %s, and have at most %d decimals", most, currency.Minor())
	}
	return nil
}

// Open keeps a new attempt, pending.
func Open(ctx context.Context, tx *db.Tx, random io.Reader, currency money.Currency, a *Attempt) error {
	if err := Check(a, currency); err != nil {
		return err
	}
	id, err := ident.NewTopUpID(random, tx.Now)
	if err != nil {
		return err
	}
	a.ID, a.Currency, a.State = string(id), currency.Code(), Pending
	a.Created, a.Expires = tx.Now, tx.Real.Add(lives[a.Method])
	return insert(ctx, tx, a)
}

// Keep keeps the provider's answer to an attempt, unless one is kept already: a callback may have been faster.
func Keep(ctx context.Context, tx *db.Tx, customer, id string, b Begun) error {
	return keep(ctx, tx, customer, id, b)
}

// Find finds an attempt by our id.
func Find(ctx context.Context, r db.Reader, id string) (Attempt, error) {
	return orUnknown(find(ctx, r, id))
}

// FindReference finds an attempt by its provider's reference.
func FindReference(ctx context.Context, r db.Reader, provider, reference string) (Attempt, error) {
	return orUnknown(findReference(ctx, r, provider, reference))
}

// Unknown is the refusal for an attempt that is not there, or not the caller's to see.
func Unknown() error { return fault.New(fault.NotFound, "PURSER.0702", "there is no such top-up") }

func orUnknown(a Attempt, err error) (Attempt, error) {
	if errors.Is(err, db.ErrNoRows) {
		return a, Unknown()
	}
	return a, err
}

// Of finds the attempt that an event tells of. Our own id goes first: the reference may not be kept yet.
func Of(ctx context.Context, r db.Reader, provider string, e *Event) (a Attempt, err error) {
	switch {
	case e.Attempt != "":
		a, err = Find(ctx, r, e.Attempt)
	case e.Reference != "":
		a, err = FindReference(ctx, r, provider, e.Reference)
	default:
		err = Unknown()
	}
	if err == nil && a.Provider != provider {
		err = Unknown()
	}
	return a, err
}

// Query filters a list. Customer empty: all customers.
type Query struct{ Customer, State string }

// List pages through attempts, newest first.
func List(ctx context.Context, r db.Reader, q Query, offset, limit int) (total int, page []Attempt, err error) {
	return list(ctx, r, q, offset, limit)
}

// What became of a callback.
const (
	Booked  = "booked"  // money came, the ledger has it
	Fails   = "failed"  // no money came
	Refused = "refused" // it does not fit or could not be booked: for the operator to see
	Ignored = "ignored" // it says nothing new, or too late
)

// Taken is a callback that was taken, with what became of it.
type Taken struct{ Verdict, Note string }

// Again looks for the same callback, taken before.
func Again(ctx context.Context, r db.Reader, provider, event string) (Taken, bool, error) {
	return readEvent(ctx, r, provider, event)
}

// Judge decides what becomes of a callback for an attempt. Booked means: book it, then Take.
func Judge(a *Attempt, e *Event) Taken {
	done := a.State == Succeeded || a.State == Refunded
	switch {
	case e.Outcome == Failed && a.State == Pending:
		return Taken{Fails, cmp.Or(e.Reason, "the payment failed")}
	case e.Outcome == Failed:
		return Taken{Ignored, "a failure of a top-up that has " + a.State}
	case a.Reference != "" && e.Reference != "" && e.Reference != a.Reference:
		return Taken{Refused, fmt.Sprintf("paid under the reference %s, begun under %s", e.Reference, a.Reference)}
	case e.Amount != a.Amount || e.Currency != a.Currency:
		return Taken{Refused, fmt.Sprintf("paid %s %s, begun with %s %s", e.Amount, e.Currency, a.Amount, a.Currency)}
	case done:
		return Taken{Ignored, "a success of a top-up that has " + a.State}
	}
	return Taken{Booked, ""}
}

// Take keeps a callback and what it does to its attempt; entry is the ledger's when it was booked. An attempt that
// has succeeded stays as it is.
func Take(ctx context.Context, tx *db.Tx, a *Attempt, e *Event, t Taken, entry string) error {
	if err := insertEvent(ctx, tx, a, e, t); err != nil {
		return err
	}
	if t.Verdict == Ignored || a.State == Succeeded || a.State == Refunded {
		return nil
	}
	a.State, a.Reason, a.Entry, a.Finished = Failed, t.Note, entry, tx.Now
	if t.Verdict == Booked {
		a.State = Succeeded
	}
	a.Reference = cmp.Or(a.Reference, e.Reference)
	return finish(ctx, tx, a)
}
