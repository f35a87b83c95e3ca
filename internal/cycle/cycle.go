// Package cycle is the night shift: what happens because time passes: orders lapse, resources renew by themselves, expire,
// are frozen and released. Settlement and the month's close join it.
//
// It does not own any rule: each due thing is an operation of the counter, at its own business instant, in a
// transaction of its own. It begins none and keeps nothing in memory between rounds.
//
// Invariants: a round may be cut off at any point and begun anew; what has happened does not happen again; after
// downtime, and when a clock is turned far, everything in between happens, each thing at its own instant.
package cycle

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

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
		if err := s.Round(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("night shift", "error", err)
		}
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

// Round lets everything happen that is due, customer by customer, and ends the advances that were asked for before it
// began. What fails is logged and left for the next round, with what lies behind it for that customer; the rest goes on.
func (s *Shift) Round(ctx context.Context) error {
	advances, err := s.counter.Advances(ctx, s.clock())
	if err != nil {
		return err
	}
	if err := s.counter.ForgetUsage(ctx, s.clock()); err != nil {
		return err
	}
	for place := (operation.Place{}); ; {
		customers, next, done, err := s.counter.DueCustomers(ctx, s.clock(), place)
		if err != nil {
			return err
		}
		happened := s.serve(ctx, customers)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if done {
			if err := s.counter.SealInvoices(ctx, s.clock()); err != nil {
				s.log.Error("numbers of invoices", "error", err)
			}
		}
		if err := s.counter.Driven(ctx, s.clock(), advances, happened, done); err != nil || done {
			return err
		}
		place = next
	}
}

// serve lets some customers catch up and says how many things happened.
func (s *Shift) serve(ctx context.Context, customers []string) int {
	var happened atomic.Int64
	var wg sync.WaitGroup
	turn := make(chan struct{}, s.AtOnce)
	for _, customer := range customers {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			n, err := s.counter.CatchUp(ctx, s.clock(), customer)
			happened.Add(int64(n))
			if err != nil && ctx.Err() == nil {
				s.log.Error("night shift", "customer", customer, "error", err)
			}
		})
	}
	wg.Wait()
	return int(happened.Load())
}
