// Package simulation runs the whole house on a simulated clock with a seed: customers who buy, pay, renew, cancel,
// unsubscribe, use things, run out of money and top up; an operator who changes prices and gives coupons; usage that comes
// late, twice and out of order; crashes at any statement, commits whose answer is lost, a house that is closed and
// opened again, a courier that dies with what it leased. After each day the invariants of the house are looked at from
// outside (see check.go).
//
// A run follows from its seed alone: nothing in it asks for real time or chance.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

// Plan is what is simulated.
type Plan struct {
	Seed      uint64
	Customers int
	Days      int
	Faults    bool
	CheckIn   int    // days between looks at everything (0: at the end of each half-year); those at what is new are daily
	Data      string // empty folder
	Database  string // postgres://…; empty: the embedded store
	Yearly    bool   // nothing is turned to pay-per-use: a server that is, is metered and settled each hour, which is most of a year's work
	Busy      int    // of a hundred: how likely a customer does something on a day, beside the usage that it is metered for
	Say       func(string)
}

// Report is what came of a run.
type Report struct {
	Deeds, Refused, Retried, Prices, Crashes, Losses, Restarts, Records, Delivered int
	Digest                                                                         string // of the store at the end
}

func (r *Report) String() string {
	return fmt.Sprintf("%d deeds (%d refused by a rule, %d done again), %d records of usage, %d messages, %d new prices; %d crashes, %d lost answers, %d restarts; state %s",
		r.Deeds, r.Refused, r.Retried, r.Records, r.Delivered, r.Prices, r.Crashes, r.Losses, r.Restarts, r.Digest)
}

// Busy is how busy customers are in simulated years: each does something about every tenth day, and is metered daily. Short runs take them
// to be busier.
const Busy = 10

// begin is the first day, GMT+8: a year with 29 February follows.
var begin = time.Date(2027, 3, 1, 0, 0, 0, 0, period.GMT8)

type world struct {
	Plan
	Report
	ctx        context.Context
	rng        *rand.Rand
	now        time.Time
	house      *house.House
	store      *db.DB // the house's, while it stays open when the house is closed
	content    *catalog.Content
	breaker    *breaker
	operator   identity.Caller
	people     []*customer
	requests   int
	checked    period.Cycle         // when everything was looked at last
	webhook    string               // whom the outbox tells
	heard      map[string]time.Time // message → when its webhook heard it
	complaints complaints           // of the house
}

// Run simulates. Its error names the day and what did not hold.
func Run(ctx context.Context, p Plan) (*Report, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // little of it lives, and nothing else runs
	w := &world{Plan: p, ctx: ctx, rng: rand.New(rand.NewPCG(p.Seed, 7)), now: begin, checked: period.CycleOf(begin), heard: map[string]time.Time{}}
	w.breaker = &breaker{rng: rand.New(rand.NewPCG(p.Seed, 11)), statements: -1, commits: -1}
	if w.Say == nil {
		w.Say = func(string) {}
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	defer func() {
		if w.store != nil {
			w.close() //nolint:errcheck // the run is over
		}
	}()
	if err := w.furnish(); err != nil {
		return nil, fmt.Errorf("seed %d: furnish: %w", p.Seed, err)
	}
	w.breaker.armed = p.Faults
	for day := range p.Days {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := w.day(day); err != nil {
			return nil, fmt.Errorf("seed %d, day %d (%s): %w", p.Seed, day, w.now.In(period.GMT8).Format("2006-01-02 15:04"), err)
		}
	}
	err := w.checkAll(true, 0)
	if err != nil {
		return nil, fmt.Errorf("seed %d, at the end: %w", p.Seed, err)
	}
	w.Crashes, w.Losses = w.breaker.crashes, w.breaker.losses
	w.Digest, err = w.digest()
	return &w.Report, err
}

// stream is chance that follows from the seed, for ids and keys.
func (w *world) stream() *rand.ChaCha8 {
	var key [32]byte
	copy(key[:], fmt.Sprintf("purser simulation %d", w.Seed))
	return rand.NewChaCha8(key)
}

func (w *world) open() error {
	var random *rand.ChaCha8
	if w.house == nil {
		random = w.stream()
	} else {
		random = rand.NewChaCha8([32]byte{byte(w.Restarts), byte(w.Restarts >> 8), byte(w.Seed), byte(w.Seed >> 8), byte(w.Seed >> 16)})
	}
	h, err := house.Open(w.ctx, house.Config{
		Version: "simulation", Data: w.Data, Database: w.Database, Limits: "off", Log: slog.New(&w.complaints),
		Clock: func() time.Time { return w.now.UTC() }, Random: random, Simulated: true, Store: w.store,
	})
	if err != nil {
		return err
	}
	w.house, w.store = h, h.Counter.DB
	h.Counter.DB.Break(w.breaker)
	return nil
}

// storeIn is how many times the house is opened anew until its store is, too: what the house remembers is gone each time, but a store takes
// longer to open than most days do.
const storeIn = 10

// restart closes the house and opens it again, as another process would.
func (w *world) restart() error {
	w.breaker.calm()
	if w.Restarts++; w.Restarts%storeIn == 0 {
		if err := w.close(); err != nil {
			return err
		}
	}
	return w.open()
}

// close closes the house with its store.
func (w *world) close() error {
	err := w.store.Close()
	w.store = nil
	return err
}

// sold is the part of the shipped cloud that is sold here: a small catalogue is quick to change.
var sold = []string{"ec2", "ebs", "obs", "cdn", "vpc"}

func (w *world) furnish() error {
	all, err := catalog.Read(cloud.Files)
	if err != nil {
		return err
	}
	keep := func(code string) bool {
		for _, s := range sold {
			if code == "hws.service.type."+s {
				return true
			}
		}
		return false
	}
	c := *all
	c.Services, c.ResourceTypes, c.Products = nil, nil, nil
	for _, s := range all.Services {
		if keep(s.Code) {
			c.Services = append(c.Services, s)
		}
	}
	for _, r := range all.ResourceTypes {
		if keep(r.Service) {
			c.ResourceTypes = append(c.ResourceTypes, r)
		}
	}
	for _, p := range all.Products {
		if keep(p.Service) && p.Region == region && (p.Service != ecs || strings.HasPrefix(p.Spec, "s3.")) {
			c.Products = append(c.Products, p)
		}
	}
	w.content = &c
	w.operator = identity.Caller{DomainKind: identity.Operator, UserName: "operator", UserID: "operator", Owner: true}
	if _, err := w.house.Counter.ImportCatalogue(w.ctx, w.call(w.operator, "ImportCatalogue"), func() (*catalog.Content, error) { return w.content, nil }, false, true); err != nil {
		return err
	}
	hook, err := w.house.Counter.AddWebhook(w.ctx, w.call(w.operator, "AddWebhook"), "https://cloud.example/hook", []string{"*"})
	if err != nil {
		return err
	}
	w.webhook = hook.ID
	for i := range w.Customers {
		if err := w.addCustomer(i); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) addCustomer(i int) error {
	c := w.house.Counter
	d := identity.Domain{Name: fmt.Sprintf("customer-%03d", i), Kind: identity.Customer}
	u := identity.User{Name: "owner", Owner: true}
	record := account.Customer{Kind: account.Enterprise, Verified: true, Country: "SG", TaxID: "SG1", Tier: "V3"}
	switch i % 5 {
	case 1:
		record.Settlement, record.CreditLimit, record.Quota = account.Monthly, 3000*dollar, 2000*dollar
	case 2:
		record.CreditLimit = 50 * dollar
	}
	err := c.DB.Update(w.ctx, db.Instants{Now: w.now.UTC(), Real: w.now.UTC()}, func(tx *db.Tx) error {
		if _, err := c.Identity.AddDomain(w.ctx, tx, &d, []string{region}); err != nil {
			return err
		}
		u.DomainID = d.ID
		if err := c.Identity.AddUser(w.ctx, tx, &u, []byte("nobody signs in here")); err != nil {
			return err
		}
		record.ID = d.ID
		return account.Open(w.ctx, tx, c.Random, &record)
	})
	if err != nil {
		return err
	}
	w.people = append(w.people, &customer{
		id: d.ID, no: i, caller: identity.Caller{DomainID: d.ID, DomainName: d.Name, DomainKind: identity.Customer, UserID: u.ID, UserName: u.Name, Owner: true},
		rng: rand.New(rand.NewPCG(w.Seed, uint64(100+i))), known: map[string]bool{},
	})
	return nil
}

// dollar is one unit of the currency.
const dollar = money.Amount(100_000_000)

// call is a request now, with a key that repeats keep.
func (w *world) call(by identity.Caller, name string) *operation.Call {
	w.requests++
	id := fmt.Sprintf("r%08d", w.requests)
	return &operation.Call{Operation: &contract.Operation{ID: name, Event: events[name]}, Caller: by, Source: "10.0.0.1", Real: w.now.UTC(), RequestID: id, IdempotencyKey: id, Path: name}
}

// events are those of the contracts for what is done here.
var events = map[string]contract.Event{
	"PayOrders": {Type: "order", Name: "payCustomerOrderV3"}, "CancelCustomerOrder": {Type: "order", Name: "cancelCustomerOrder"},
	"RenewalResources":            {Type: "subscription", Name: "renewResources"},
	"CancelResourcesSubscription": {Type: "subscription", Name: "unsubscribeResources"},
	"AutoRenewalResources":        {Type: "subscription", Name: "setResourcesAutorenew"},
}

// do does a deed as a client does it: what was cut off is asked for again with the same key until there is an answer. An
// answer that is a refusal is no error of the simulation.
func (w *world) do(by identity.Caller, name string, deed func(call *operation.Call) error) (refused *fault.Fault, err error) {
	w.Deeds++
	call := w.call(by, name)
	for {
		again := *call
		w.breaker.plan()
		err := deed(&again)
		w.breaker.calm()
		if err == nil {
			return nil, nil
		}
		if why, ok := fault.As(err); ok {
			w.Refused++
			return why, nil
		}
		if !errors.Is(err, errCrash) && !errors.Is(err, errLost) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		w.Retried++
		if w.rng.IntN(4) == 0 {
			if err := w.restart(); err != nil {
				return nil, err
			}
		}
	}
}

// day lets a day pass: the night shift at 03:00 and some times after, people's deeds in between.
func (w *world) day(n int) error {
	start := begin.AddDate(0, 0, n)
	w.now = start.Add(3*time.Hour + time.Minute)
	if err := w.night(); err != nil {
		return err
	}
	var acted []*customer
	for _, c := range w.people {
		if c.rng.IntN(100) >= w.Busy && n > 0 {
			continue
		}
		w.later(start, 20*time.Hour)
		if err := w.act(c); err != nil {
			return fmt.Errorf("%s: %w", c.caller.DomainName, err)
		}
		acted = append(acted, c)
	}
	if err := w.operate(n); err != nil {
		return err
	}
	w.later(start, 23*time.Hour)
	if err := w.meter(start); err != nil {
		return err
	}
	w.now = start.Add(23*time.Hour + 30*time.Minute)
	if err := w.courier(); err != nil {
		return err
	}
	if w.Faults && w.rng.IntN(40) == 0 {
		if err := w.restart(); err != nil {
			return err
		}
	}
	if err := w.checkDay(acted); err != nil {
		return err
	}
	due := n%max(w.CheckIn, 1) == w.CheckIn-1
	if next := start.AddDate(0, 0, 1); w.CheckIn == 0 {
		due = next.Day() == 1 && next.Month()%6 == 3
	}
	if !due {
		return nil
	}
	since := w.checked
	w.checked = period.CycleOf(start)
	return w.checkAll(false, since-1)
}

// later lets a little time pass, within the day's first hours.
func (w *world) later(start time.Time, within time.Duration) {
	if next := w.now.Add(time.Duration(w.rng.IntN(40*60)) * time.Second); next.Before(start.Add(within)) {
		w.now = next
	}
}

// night is the night shift: a few rounds that may be cut off, then one that is not.
func (w *world) night() error {
	for range 2 {
		w.breaker.plan()
		if w.breaker.statements < 0 && w.breaker.commits < 0 {
			break
		}
		err := w.house.Night(w.ctx)
		w.breaker.calm()
		if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, errLost) {
			return fmt.Errorf("night shift: %w", err)
		}
		if w.rng.IntN(4) == 0 {
			if err := w.restart(); err != nil {
				return err
			}
		}
	}
	w.complaints.heard = nil
	if err := w.house.Night(w.ctx); err != nil {
		return fmt.Errorf("night shift: %w", err)
	}
	if len(w.complaints.heard) > 0 {
		return fmt.Errorf("night shift: %s", strings.Join(w.complaints.heard, "; "))
	}
	return nil
}

// complaints keeps what the house logs as errors.
type complaints struct{ heard []string }

func (c *complaints) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (c *complaints) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	c.heard = append(c.heard, text)
	return nil
}

func (c *complaints) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c *complaints) WithGroup(string) slog.Handler      { return c }
