// Package cycle is the night shift: what happens because time passes: orders lapse, resources renew by themselves, expire,
// are frozen and released. Usage is settled, months are closed. Beside it the trackers' files are written.
//
// It does not own any rule: each due thing is an operation of the counter, at its own business instant, in a
// transaction of its own. It begins none and keeps nothing in memory between rounds.
//
// Invariants: a round may be cut off at any point and begun anew; what has happened does not happen again; after
// downtime, and when a clock is turned far, everything in between happens, each thing at its own instant.
package cycle

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/operation"
)

// Shift is the night shift of one process.
type Shift struct {
	counter *operation.Counter
	clock   func() time.Time
	log     *slog.Logger
	nudged  chan struct{}
	AtOnce  int // how many customers are served at a time; a simulation that is to be repeatable sets 1
}

// New makes a shift that looks at real time through clock.
func New(counter *operation.Counter, clock func() time.Time, log *slog.Logger) *Shift {
	return &Shift{counter: counter, clock: clock, log: log, nudged: make(chan struct{}, 1), AtOnce: atOnce}
}

// Nudge begins a round soon: a clock was turned. It never waits.
func (s *Shift) Nudge() {
	select {
	case s.nudged <- struct{}{}:
	default:
	}
}

// between is how often the shift looks when nobody nudges it.
const between = 15 * time.Second

// Run makes rounds until ctx ends.
func (s *Shift) Run(ctx context.Context) {
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for {
		err := s.Round(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("night shift", "error", err)
		}
		s.counter.Pulse.Beat(operation.NightShift, s.clock(), err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.nudged:
		}
	}
}

// atOnce is how many customers are served at a time: order is kept within a customer, not across customers.
const atOnce = 16

// How often a round goes back to a customer that another node is at work on, and how long it waits, times the round.
const (
	crowdedMost = 20
	crowdedWait = 200 * time.Millisecond
)

// Round lets everything happen that is due, customer by customer, and ends the advances that were asked for before it
// began. What fails is logged and left for the next round, with what lies behind it for that customer; the rest goes on, and the
// advances say so.
func (s *Shift) Round(ctx context.Context) error {
	advances, err := s.counter.Advances(ctx, s.clock())
	if err != nil {
		return err
	}
	if err := s.counter.ForgetUsage(ctx, s.clock()); err != nil {
		return err
	}
	if _, err := s.counter.KeepMonths(ctx, s.clock()); err != nil && ctx.Err() == nil {
		s.log.Error("months of usage", "error", err) // it is kept all the same
	}
	way := &way{shift: s, advances: advances}
	for place := (operation.Place{}); ; {
		visits, next, done, err := s.counter.DueCustomers(ctx, s.clock(), place)
		if err != nil {
			return err
		}
		s.serve(ctx, visits, way)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if done {
			if err := s.counter.SealInvoices(ctx, s.clock()); err != nil && ctx.Err() == nil {
				s.log.Error("numbers of invoices", "error", err)
			}
		}
		if err := way.report(ctx, done); err != nil || done {
			return err
		}
		place = next
	}
}

// way is how far a round has come.
type way struct {
	shift    *Shift
	advances []job.Work
	mu       sync.Mutex
	happened operation.Happened // and not reported yet
	wrong    []string           // customers for whom something failed, and what
}

// report adds what has happened to the advances, and ends them when all is done.
func (w *way) report(ctx context.Context, done bool) error {
	wrong := ""
	if w.mu.Lock(); done && len(w.wrong) > 0 {
		wrong = fmt.Sprintf("left for the next round of the night shift: %d customers, the first %s", len(w.wrong), w.wrong[0])
	}
	happened := w.happened
	w.happened = operation.Happened{}
	w.mu.Unlock()
	if err := w.shift.counter.Closes(ctx, w.shift.clock(), &happened, done); err != nil {
		return err
	}
	return w.shift.counter.Driven(ctx, w.shift.clock(), w.advances, happened.Things, done, wrong)
}

// tellEvery is how often an advance says how far it is.
const tellEvery = 500 * time.Millisecond

// telling reports while customers are served, until it is stopped.
func (w *way) telling(ctx context.Context) (stop func()) {
	if len(w.advances) == 0 {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(tellEvery)
		defer ticker.Stop()
		for {
			select {
			case <-over:
				return
			case <-ticker.C:
				if err := w.report(ctx, false); err != nil && ctx.Err() == nil {
					w.shift.log.Error("night shift", "error", err)
				}
			}
		}
	}()
	return func() { close(over); <-ended }
}

// serve lets some customers catch up.
func (s *Shift) serve(ctx context.Context, visits []operation.Visit, way *way) {
	if len(visits) == 0 {
		return
	}
	defer way.telling(ctx)()
	if s.AtOnce > 1 { // else a run can be repeated
		rand.Shuffle(len(visits), func(i, j int) { visits[i], visits[j] = visits[j], visits[i] }) // several nodes meet seldom
	}
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(visits)); i = next.Add(1) - 1 {
			s.visit(ctx, visits[i], way)
		}
	}
	var wg sync.WaitGroup
	for range min(s.AtOnce, len(visits)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// visit lets a customer catch up.
func (s *Shift) visit(ctx context.Context, visit operation.Visit, way *way) {
	_, err := s.counter.CatchUpTelling(ctx, s.clock(), visit, way.note)
	for again := 1; db.Crowded(err) && again <= crowdedMost && ctx.Err() == nil; again++ { // another node is at work on it: what it did is not done again
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(time.Duration(again) * crowdedWait)):
		}
		_, err = s.counter.CatchUpTelling(ctx, s.clock(), operation.Visit{Customer: visit.Customer}, way.note)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("night shift", "customer", visit.Customer, "error", err)
		way.mu.Lock()
		way.wrong = append(way.wrong, visit.Customer+": "+err.Error())
		way.mu.Unlock()
	}
}

// note keeps what happened until it is reported.
func (w *way) note(h operation.Happened) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happened.Add(h)
}

// archiveBetween is how often the shift looks whether months of usage are to be put away.
const archiveBetween = time.Hour

// Archive puts months of usage away until ctx ends, beside the rounds: it takes as long as it takes.
func (s *Shift) Archive(ctx context.Context) {
	ticker := time.NewTicker(archiveBetween)
	defer ticker.Stop()
	for {
		if _, err := s.counter.PutUsageAway(ctx, s.clock()); err != nil && ctx.Err() == nil {
			s.log.Error("archive of usage", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// carryBetween is how often the shift looks whether trackers have something to carry.
const carryBetween = 5 * time.Second

// Carry writes the files and digests of trackers until ctx ends, beside the rounds: a bucket may be slow.
func (s *Shift) Carry(ctx context.Context) {
	ticker := time.NewTicker(carryBetween)
	defer ticker.Stop()
	for {
		if _, err := s.counter.CarryTraces(ctx, s.clock); err != nil && ctx.Err() == nil {
			s.log.Error("trackers", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
