package operation

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/provider"
)

// beginMost is how long a payment provider may take to answer.
const beginMost = 20 * time.Second

// Payment is a top-up that a customer wants to make.
type Payment struct {
	Customer string // empty: the caller
	Amount   money.Amount
	Method   string
	Provider string // empty: the only one there is
}

// BeginTopUp begins a payment into a customer's balance: by the customer, or by the operator on its behalf. The
// attempt is kept first, then its provider is told outside of any transaction, then its reference is kept. Whatever is
// lost in between, the same request with its idempotency key goes on from there; else the attempt expires. Which
// refusal wins: who may, no provider, method and amount, no such customer, closed.
func (c *Counter) BeginTopUp(ctx context.Context, call *Call, p Payment) (provider.Attempt, error) {
	a, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (a provider.Attempt, err error) {
		customer := cmp.Or(p.Customer, scope.Customer)
		if customer != scope.Customer && !scope.Operator {
			return a, fault.New(fault.Forbidden, "CBC.0151", "access denied: a customer tops itself up, or the operator does")
		}
		a = provider.Attempt{Customer: customer, Amount: p.Amount, Method: p.Method}
		if a.Provider, err = c.providerFor(p.Provider); err != nil {
			return a, err
		}
		if err := provider.Check(&a, currency); err != nil {
			return a, err
		}
		if _, err := openCustomer(ctx, tx, customer); err != nil {
			return a, err
		}
		err = provider.Open(ctx, tx, c.Random, currency, &a)
		return a, err
	})
	if err != nil {
		return a, err
	}
	if call.IdempotencyKey != "" { // it may be an answer given before: look at what became of it
		err := c.DB.View(ctx, c.instants(call), func(v *db.View) (err error) { a, err = provider.Find(ctx, v, a.ID); return err })
		if err != nil {
			return a, err
		}
	}
	if a.Reference != "" || a.StateAt(call.Real) != provider.Pending {
		return a, nil
	}
	return c.tellProvider(ctx, call, a)
}

// providerFor picks the provider: the one named, or the only one.
func (c *Counter) providerFor(name string) (string, error) {
	if name == "" && len(c.Providers) > 1 {
		return "", fault.New(fault.Invalid, "CBC.0100", "provider: there are several, name one")
	}
	for known := range c.Providers {
		if name == "" || name == known {
			return known, nil
		}
	}
	return "", provider.ErrNone
}

// tellProvider tells the provider of a kept attempt and keeps its answer. An answer that does not come leaves the
// attempt pending: the provider may have heard.
func (c *Counter) tellProvider(ctx context.Context, call *Call, a provider.Attempt) (provider.Attempt, error) {
	on, ok := c.Providers[a.Provider]
	if !ok {
		return a, provider.ErrNone
	}
	within, cancel := context.WithTimeout(ctx, beginMost)
	defer cancel()
	begun, err := on.Begin(within, a)
	if err == nil && begun.Reference == "" {
		err = errors.New("it gave no reference")
	}
	if _, meant := fault.As(err); err != nil && !meant {
		c.Log.Warn("a payment provider failed", "provider", a.Provider, "top_up", a.ID, "error", err)
		f := fault.New(fault.Unavailable, "PURSER.0703", "the payment provider %s does not answer; top-up %s is pending, try again with the same Idempotency-Key or begin another", a.Provider, a.ID)
		f.Retry = 5
		return a, f
	}
	if err != nil {
		return a, err
	}
	err = c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error {
		if err := provider.Keep(ctx, tx, a.Customer, a.ID, begun); err != nil {
			return err
		}
		var err error
		a, err = provider.Find(ctx, tx, a.ID)
		return err
	})
	return a, err
}

// TopUps pages through the top-ups of a customer, or of all for the operator who names none; now is the real instant
// at which their states are to be seen.
func (c *Counter) TopUps(ctx context.Context, call *Call, q provider.Query, offset, limit int) (total int, page []provider.Attempt, now time.Time, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		now = v.Real
		if q.Customer == "" && !scope.Operator {
			q.Customer = scope.Customer
		}
		if q.Customer != "" {
			if err := seesCustomer(ctx, v, scope, q.Customer); err != nil {
				return err
			}
		}
		total, page, err = provider.List(ctx, v, q, offset, limit)
		return err
	})
	return total, page, now, err
}

// ShowTopUp reads one top-up of a customer that the caller sees.
func (c *Counter) ShowTopUp(ctx context.Context, call *Call, id string) (a provider.Attempt, now time.Time, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		now = v.Real
		if a, err = provider.Find(ctx, v, id); err != nil {
			return err
		}
		return seesTopUp(ctx, v, scope, &a)
	})
	return a, now, err
}

// seesTopUp refuses another's top-up as if it were not there.
func seesTopUp(ctx context.Context, r db.Reader, scope identity.Scope, a *provider.Attempt) error {
	err := seesCustomer(ctx, r, scope, a.Customer)
	if fault.Is(err, "PURSER.0104") {
		return provider.Unknown()
	}
	return err
}

// TakeCallback takes what a payment provider tells of a payment. Nothing is looked up before its signature is proved.
// One that does not fit is kept, with its attempt as failed, and refused: to the provider's next try as well.
func (c *Counter) TakeCallback(ctx context.Context, call *Call, name string) error {
	on, ok := c.Providers[name]
	if !ok {
		return fault.New(fault.NotFound, "PURSER.0706", "there is no such payment provider here")
	}
	e, err := on.Verify(call.Header, call.Body)
	if err != nil {
		return err
	}
	if e.ID == "" {
		return fault.New(fault.Invalid, "CBC.0100", "the callback has no id")
	}
	at, err := c.instantsOfPayment(ctx, call, name, &e)
	if err != nil {
		return err
	}
	var a provider.Attempt
	var taken provider.Taken
	err = c.DB.Update(ctx, at, func(tx *db.Tx) error {
		a, taken, err = c.takePayment(ctx, tx, call, name, &e)
		return err
	})
	if err != nil {
		return err
	}
	if taken.Verdict != provider.Fails && taken.Note != "" {
		c.Log.Warn("a payment callback was not booked", "provider", name, "event", e.ID, "top_up", a.ID, "verdict", taken.Verdict, "why", taken.Note)
	}
	if taken.Verdict == provider.Refused {
		return fault.New(fault.Conflict, "PURSER.0705", "the callback was not booked, the operator will look at it: %s", taken.Note)
	}
	return nil
}

// instantsOfPayment dates a callback by the clock of the customer that it is for; its caller is nobody.
func (c *Counter) instantsOfPayment(ctx context.Context, call *Call, name string, e *provider.Event) (at db.Instants, err error) {
	at = db.Instants{Now: call.Real, Real: call.Real}
	err = c.DB.View(ctx, at, func(v *db.View) error {
		a, err := provider.Of(ctx, v, name, e)
		if err == nil && c.Clocks != nil {
			at.Now, err = c.Clocks.Now(ctx, v, a.Customer)
		}
		return err
	})
	return at, err
}

// takePayment is the transaction of a callback: the books and the attempt move together, once.
func (c *Counter) takePayment(ctx context.Context, tx *db.Tx, call *Call, name string, e *provider.Event) (a provider.Attempt, taken provider.Taken, err error) {
	if a, err = provider.Of(ctx, tx, name, e); err != nil {
		return a, taken, err
	}
	taken, again, err := provider.Again(ctx, tx, name, e.ID)
	if err != nil || again {
		return a, taken, err
	}
	var entry ledger.Entry
	if taken = provider.Judge(&a, e); taken.Verdict == provider.Booked {
		a.Reference = cmp.Or(a.Reference, e.Reference)
		m := Movement{Customer: a.Customer, Amount: a.Amount, Reference: a.Booking(), Note: "top-up " + a.ID}
		entry, err = c.book(ctx, tx, topUpCause, m, topUpPostings(m.Amount))
		switch {
		case fault.Is(err, ledger.ErrBooked.Code): // by the operator, by hand
			entry.ID, taken.Note, err = "", "booked by hand before", nil
		case fault.Is(err, "PURSER.0106"): // the money came for nobody
			taken, err = provider.Taken{Verdict: provider.Refused, Note: "paid, but the customer is closed"}, nil
		}
		if err == nil && entry.ID != "" {
			err = c.paidIn(ctx, tx, call, name, &a)
		}
		if err != nil { // parked books too: nothing is kept, the provider tells again
			return a, taken, err
		}
	}
	err = provider.Take(ctx, tx, &a, e, taken, entry.ID)
	return a, taken, err
}

// PaySandbox says how a payment in the sandbox ends: the sandbox then sends its callback, on the way that every
// callback takes. By who sees the top-up.
func (c *Counter) PaySandbox(ctx context.Context, call *Call, reference string, paid bool) (a provider.Attempt, now time.Time, err error) {
	sandbox, ok := c.Providers[provider.SandboxName].(*provider.Sandbox)
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if !ok {
			return provider.ErrNone
		}
		if a, err = provider.FindReference(ctx, v, provider.SandboxName, reference); err != nil {
			return err
		}
		return seesTopUp(ctx, v, scope, &a)
	})
	if err != nil {
		return a, call.Real, err
	}
	callback := *call
	if callback.Header, callback.Body, err = sandbox.Callback(&a, paid); err != nil {
		return a, call.Real, err
	}
	if err := c.TakeCallback(ctx, &callback, provider.SandboxName); err != nil {
		return a, call.Real, err
	}
	return c.ShowTopUp(ctx, call, a.ID)
}

// paidIn leaves the trace of money that came in through a provider, which told of it.
func (c *Counter) paidIn(ctx context.Context, tx *db.Tx, call *Call, name string, a *provider.Attempt) error {
	l, err := c.systemLine(ctx, tx, a.Customer, "balance", "accountTopUp", nil)
	if err != nil {
		return err
	}
	l.ResourceID, l.ResourceName, l.Source, l.RequestID, l.Operation = a.ID, name, call.Source, call.RequestID, call.Operation.ID
	return c.leave(ctx, tx, ident.Stream("trace", a.Customer, a.ID, "paid in"), l, false)
}
