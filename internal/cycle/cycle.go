// Package cycle is the night shift: what happens because time passes. So far that is the lapsing of unpaid orders;
// renewals, expiry, settlement and the month's close join it.
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
	"time"

	"github.com/purser-cloud/purser/internal/operation"
)

// Shift is the night shift of one process.
type Shift struct {
	counter *operation.Counter
	clock   func() time.Time
	log     *slog.Logger
	nudged  chan struct{}
}

// New makes a shift that looks at real time through clock.
func New(counter *operation.Counter, clock func() time.Time, log *slog.Logger) *Shift {
	return &Shift{counter: counter, clock: clock, log: log, nudged: make(chan struct{}, 1)}
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

// Round lets everything happen that is due, and ends the advances that were asked for before it began. A thing that
// fails is logged and left for the next round; the rest goes on.
func (s *Shift) Round(ctx context.Context) error {
	advances, err := s.counter.Advances(ctx, s.clock())
	if err != nil {
		return err
	}
	happened, after := 0, operation.Due{}
	for {
		due, next, done, err := s.counter.Dues(ctx, s.clock(), after)
		if err != nil {
			return err
		}
		for _, one := range due {
			did, err := s.counter.Happen(ctx, s.clock(), one)
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.log.Error("night shift", "customer", one.Customer, "order", one.Order, "error", err)
			}
			if did {
				happened++
			}
		}
		if after = next; done {
			break
		}
	}
	return s.counter.Driven(ctx, s.clock(), advances, happened)
}
