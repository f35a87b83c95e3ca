// Package operation is the counter: every operation of the contracts, one file per chapter. Each is one transaction
// at one instant: the caller's action is authorised, which yields a scope, then rooms are asked in a db.View, or in
// a db.Update where facts change.
//
// It is the only package that begins a transaction. It knows no wire form (doors) and no route (doorway).
//
// Invariants: nothing is read or written for a caller that was not authorised; every reading function gets the
// scope; a write that carries an idempotency key keeps its answer in the same transaction.
package operation

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/once"
	"github.com/purser-cloud/purser/internal/provider"
)

// Counter has what operations need. Its fields are set once, by the wiring.
type Counter struct {
	DB        *db.DB
	Clock     func() time.Time // real time
	Random    io.Reader
	Log       *slog.Logger
	Identity  *identity.Desk
	Catalogue *catalog.Shelf
	Discounts *discount.Book
	Clocks    *clock.Wall                  // nil: the house runs on real time only
	Providers map[string]provider.Provider // payment providers by name; nil: none
}

// Call is one request for an operation: which, by whom, from where.
type Call struct {
	Operation      *contract.Operation
	Caller         identity.Caller
	RequestID      string
	Source         string    // network address of the caller
	Real           time.Time // when it arrived
	Now            time.Time // the business instant it runs at; zero: real time
	IdempotencyKey string
	Body           []byte      // as received; the fingerprint of a repeated request
	Header         http.Header // as received, of operations that are open only: what a callback is signed with
}

// instants are the two times of the call's transaction.
func (c *Counter) instants(call *Call) db.Instants {
	if call.Now.IsZero() {
		return db.Instants{Now: call.Real, Real: call.Real}
	}
	return db.Instants{Now: call.Now, Real: call.Real}
}

// Date asks the test clocks at which business instant an authenticated call runs.
func (c *Counter) Date(ctx context.Context, call *Call) error {
	if c.Clocks == nil {
		return nil
	}
	return c.DB.View(ctx, db.Instants{Now: call.Real, Real: call.Real}, func(v *db.View) (err error) {
		call.Now, err = c.Clocks.Now(ctx, v, call.Caller.DomainID)
		return err
	})
}

// noTestClocks is the refusal of a house that was not opened for them.
func (c *Counter) noTestClocks() error {
	if c.Clocks == nil {
		return fault.New(fault.Conflict, "PURSER.0602", "this server was not started for test clocks: --test-clock")
	}
	return nil
}

// TestClocks lists the test clocks. The operator's.
func (c *Counter) TestClocks(ctx context.Context, call *Call) (list []clock.Bound, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		if err := c.noTestClocks(); err != nil {
			return err
		}
		list, err = clock.List(ctx, v)
		return err
	})
	return list, err
}

// MoveClock sets the test clock of a customer, or of the house when none is named, forward. Nothing happens because of
// it yet: the night shift comes with subscriptions. The operator's.
func (c *Counter) MoveClock(ctx context.Context, call *Call, customer string, at time.Time) error {
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		if err := c.noTestClocks(); err != nil {
			return struct{}{}, err
		}
		if customer != clock.House {
			if _, err := account.Find(ctx, tx, customer); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, clock.Move(ctx, tx, customer, at)
	})
	if c.Clocks != nil {
		c.Clocks.Changed()
	}
	return err
}

// authorise checks the operation's actions and yields what the caller may see.
func (c *Counter) authorise(call *Call) (identity.Scope, error) {
	return identity.Authorise(&call.Caller, call.Operation.Role, call.Operation.Identity)
}

// read runs a deed that changes nothing.
func (c *Counter) read(ctx context.Context, call *Call, deed func(v *db.View, scope identity.Scope) error) error {
	scope, err := c.authorise(call)
	if err != nil {
		return err
	}
	return c.DB.View(ctx, c.instants(call), func(v *db.View) error { return deed(v, scope) })
}

// write runs a deed that changes facts. With an idempotency key the answer is kept with the deed; the same request
// again gets it without the deed being done.
func write[A any](ctx context.Context, c *Counter, call *Call, deed func(tx *db.Tx, scope identity.Scope) (A, error)) (answer A, err error) {
	scope, err := c.authorise(call)
	if err != nil {
		return answer, err
	}
	key := once.Key{Customer: call.Caller.DomainID, Caller: call.Caller.UserID, Operation: call.Operation.ID, Key: call.IdempotencyKey}
	err = c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error {
		if key.Key == "" {
			answer, err = deed(tx, scope)
			return err
		}
		digest := once.Digest(call.Body)
		kept, found, err := once.Given(ctx, tx, key, digest)
		if err != nil {
			return err
		}
		if found {
			return json.Unmarshal(kept, &answer)
		}
		if answer, err = deed(tx, scope); err != nil {
			return err
		}
		kept, err = json.Marshal(answer)
		if err != nil {
			return err
		}
		if err := once.Keep(ctx, tx, key, digest, kept); err != nil {
			return err
		}
		_, err = once.Forget(ctx, tx, forgetAtOnce)
		return err
	})
	return answer, err
}

// forgetAtOnce is how many answers past their life each kept one takes with it: more go than come.
const forgetAtOnce = 20

// operatorOnly refuses everyone but the house's operator.
func operatorOnly(scope identity.Scope) error {
	if !scope.Operator {
		return fault.New(fault.Forbidden, "CBC.0151", "access denied: this operation is the operator's")
	}
	return nil
}

// Refused is told of every call that was refused after authentication; the trace of it comes with the audit issue.
func (c *Counter) Refused(context.Context, *Call, error) {}

// LocalOperator is the caller of commands that are run on the machine itself: who can read the data folder is the
// operator.
func LocalOperator(id string, now time.Time) *Call {
	return &Call{
		Operation: &contract.Operation{ID: id}, Caller: identity.Caller{DomainKind: identity.Operator, UserName: "local operator", Owner: true},
		Source: "local", Real: now, RequestID: "local",
	}
}
