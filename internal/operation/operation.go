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
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/once"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/provider"
	"github.com/purser-cloud/purser/internal/queue"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/trace"
	"github.com/purser-cloud/purser/internal/usage"
)

// Counter has what operations need. Its fields are set once, by the wiring.
type Counter struct {
	DB          *db.DB
	Clock       func() time.Time // real time
	Random      io.Reader
	Log         *slog.Logger
	Identity    *identity.Desk
	Catalogue   *catalog.Shelf
	Discounts   *discount.Book
	Clocks      *clock.Wall                  // nil: the house runs on real time only
	Providers   map[string]provider.Provider // payment providers by name; nil: none
	Orders      *order.Desk
	Usage       *usage.Intake
	Settling    *settlement.Desk
	EP          project.Rules // of enterprise projects
	Bills       *bill.Desk
	BillsLate   bool          // summaries and fee records are as late as the provider's
	InvoiceDue  int           // days until an invoice of a month that is still owed is to be paid; 0 and below: it does not say
	InvoiceFont []byte        // prints characters that the shipped font lacks; nil: none
	Queue       *queue.Queue  // where reported usage waits; nil: it goes straight into the store
	Accepting   chan struct{} // room for batches of usage on their way in; nil: any number
	Told        func()        // called after a commit that may have left something for the outbox; nil: nobody waits for it
	Turned      func()        // called after a test clock was turned; nil: this process has no night shift
	Pulse       *Pulse        // how the work went that this process does by itself; nil: nobody remembers
	Version     string        // of the program
	Started     time.Time     // real: when the store was opened

	Traces     *trace.Book       // nil: the store is asked each time
	Homes      *Homes            // likewise
	Signing    *Signing          // nil: the key of digests is opened each time
	HomeRegion string            // whose projects hold the traces of global services
	EventTypes map[string]string // resource types of traces by operation, where they are not those of the contract
	Objects    bucket.Store      // where trace files are written; nil: nowhere
	Carrying   TraceRules
	Archive    Archive
	Months     *MonthsKept // nil: the engine is asked each time
	events     []Reported
}

func (c *Counter) told() {
	if c.Told != nil {
		c.Told()
	}
}

// Call is one request for an operation: which, by whom, from where.
type Call struct {
	Operation      *contract.Operation
	Caller         identity.Caller
	RequestID      string
	Source         string    // network address of the caller
	Console        bool      // it comes through the house's own pages
	Host           string    // that was asked
	Real           time.Time // when it arrived
	Now            time.Time // the business instant it runs at; zero: real time
	IdempotencyKey string
	Path           string // as called: a repeated request is one to the same path
	Body           []byte // as received; the fingerprint of a repeated request
	Encoding       string // of the body: gzip …; empty: as it is
	resourceID     string // what the call is about, for its trace
	resourceName   string
	project        string               // enterprise project of that
	traceProject   string               // where its trace lies; empty: the account's home
	event          *contract.Event      // its trace's, when not that of the operation
	always         bool                 // traced also when the account does not record (any more)
	response       string               // what was answered, for its trace
	customer       string               // whose rows it changes; empty: the caller's own
	Shows          func(answer any) any // how the door writes an answer, for its trace; nil: it has no body
	Fresh          bool                 // the caller wants the primary's answer
	Least          time.Time            // real: what is read holds all that was committed before; zero: it may be as old as may be
	AsOf           time.Time            // real: it was read from a replica and may lack what was committed from then on; zero: it was not
	Outer          *Call                // that this one is a part of
	DryRun         bool                 // a write is done and taken back: only its refusal is wanted
	Header         http.Header          // as received, of operations that are open only: what a callback is signed with
}

// About says what a call is about, for its trace.
func (c *Call) About(id, name string) { c.resourceID, c.resourceName = id, name }

// In says which enterprise project what a call is about belongs to.
func (c *Call) In(project string) { c.project = project }

// Of says whose rows a call changes when they are not the caller's own.
func (c *Call) Of(customer string) { c.customer = customer }

// instants are the two times of the call's transaction.
func (c *Counter) instants(call *Call) db.Instants {
	at := db.Instants{Now: call.Now, Real: call.Real, About: call.customer}
	if at.Now.IsZero() {
		at.Now = call.Real
	}
	if at.About == "" {
		at.About = call.Caller.DomainID
	}
	return at
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

// BusinessNow is the business instant of a customer, or of the house when none is named.
func (c *Counter) BusinessNow(ctx context.Context, customer string) (now time.Time, err error) {
	real := c.Clock()
	err = c.DB.View(ctx, db.Instants{Now: real, Real: real}, func(v *db.View) error { now, err = c.nowOf(ctx, v, customer); return err })
	return now, err
}

// MoveClock sets the test clock of a customer, or of the house when none is named, forward. The night shift then lets
// everything happen that lies in between; the answer waits for it, up to advanceWait, and says how far it is. The
// operator's.
func (c *Counter) MoveClock(ctx context.Context, call *Call, customer string, at time.Time) (job.Work, error) {
	call.About(customer, "")
	w, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (job.Work, error) {
		w := job.Work{Kind: job.Advance, Scope: customer, Target: at}
		if err := operatorOnly(scope); err != nil {
			return w, err
		}
		if err := c.noTestClocks(); err != nil {
			return w, err
		}
		if customer != clock.House {
			if _, err := account.Find(ctx, tx, customer); err != nil {
				return w, err
			}
		}
		if err := clock.Move(ctx, tx, customer, at); err != nil {
			return w, err
		}
		return w, job.Open(ctx, tx, c.Random, &w)
	})
	if c.Clocks != nil {
		c.Clocks.Changed()
	}
	if err != nil || c.Turned == nil {
		return w, err
	}
	c.Turned()
	return c.await(ctx, call, w)
}

// How long an answer waits for the night shift, and how often it looks.
const (
	advanceWait = 30 * time.Second
	advanceLook = 5 * time.Millisecond
)

func (c *Counter) await(ctx context.Context, call *Call, w job.Work) (job.Work, error) {
	limit := time.NewTimer(advanceWait)
	defer limit.Stop()
	look := time.NewTicker(advanceLook)
	defer look.Stop()
	for {
		err := c.DB.View(ctx, c.instants(call), func(v *db.View) (err error) { w, err = job.Find(ctx, v, w.ID); return err })
		if err != nil || w.State != job.Running {
			return w, err
		}
		select {
		case <-look.C:
		case <-limit.C:
			return w, nil
		case <-ctx.Done():
			return w, nil
		}
	}
}

// authorise checks the operation's actions and yields what the caller may see.
func (c *Counter) authorise(call *Call) (identity.Scope, error) {
	return identity.Authorise(&call.Caller, call.Operation.Role, call.Operation.Identity, call.Operation.ByProject)
}

// read runs a deed that changes nothing. Where it has an event its trace is written alone.
func (c *Counter) read(ctx context.Context, call *Call, deed func(v *db.View, scope identity.Scope) error) error {
	scope, err := c.authorise(call)
	if err != nil {
		c.Refused(ctx, call, err)
		return err
	}
	err = c.DB.View(ctx, c.instants(call), func(v *db.View) error { return deed(v, scope) })
	if err != nil {
		c.Refused(ctx, call, err)
		return err
	}
	return c.traceRead(ctx, call)
}

// write runs a deed that changes facts. With an idempotency key the answer is kept with the deed; the same request
// again gets it without the deed being done.
func write[A any](ctx context.Context, c *Counter, call *Call, deed func(tx *db.Tx, scope identity.Scope) (A, error)) (answer A, err error) {
	scope, err := c.authorise(call)
	if err != nil {
		c.Refused(ctx, call, err)
		return answer, err
	}
	if err := c.ready(ctx, call); err != nil {
		return answer, err
	}
	key := once.Key{Customer: call.Caller.DomainID, Caller: call.Caller.UserID, Operation: call.Operation.ID, Key: call.IdempotencyKey}
	err = c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error {
		if call.DryRun || key.Key == "" {
			if answer, err = traced(ctx, c, call, tx, scope, deed); err == nil && call.DryRun {
				err = errDryRun
			}
			return err
		}
		digest := once.Digest(append([]byte(call.Path+"\n"), call.Body...))
		kept, found, err := once.Given(ctx, tx, key, digest)
		if err != nil {
			return err
		}
		if found {
			return json.Unmarshal(kept, &answer)
		}
		if answer, err = traced(ctx, c, call, tx, scope, deed); err != nil {
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
	if errors.Is(err, errDryRun) {
		return answer, nil
	}
	if err != nil {
		c.Refused(ctx, call, err)
	}
	c.DB.Wrote(call.Caller.DomainID)
	c.DB.Wrote(call.customer)
	return answer, err
}

// traced does a deed and leaves its trace in the same transaction.
func traced[A any](ctx context.Context, c *Counter, call *Call, tx *db.Tx, scope identity.Scope, deed func(tx *db.Tx, scope identity.Scope) (A, error)) (A, error) {
	answer, err := deed(tx, scope)
	if err != nil || !traceable(call) {
		return answer, err
	}
	if call.Shows != nil {
		if text, err := json.Marshal(call.Shows(answer)); err == nil {
			call.response = trace.Body(text)
		}
	}
	return answer, c.record(ctx, tx, c.Random, call, nil)
}

// errDryRun takes a write back that would have been done.
var errDryRun = errors.New("dry run")

// forgetAtOnce is how many answers past their life each kept one takes with it: more go than come.
const forgetAtOnce = 20

// operatorOnly refuses everyone but the house's operator.
func operatorOnly(scope identity.Scope) error {
	if !scope.Operator {
		return fault.New(fault.Forbidden, "CBC.0151", "access denied: this operation is the operator's")
	}
	return nil
}

// LocalOperator is the caller of commands that are run on the machine itself: who can read the data folder is the
// operator.
func LocalOperator(id string, now time.Time) *Call {
	return &Call{
		Operation: &contract.Operation{ID: id}, Caller: identity.Caller{DomainKind: identity.Operator, UserName: "local operator", Owner: true},
		Source: "local", Real: now, RequestID: "local",
	}
}
