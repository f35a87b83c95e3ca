// Package clock owns test clocks: at which business instant an operation runs, for one customer or for the whole
// house. Without one that is real time.
//
// It does not own what happens because time passes (cycle): it only says what time it is. Credentials, signatures
// and throttles never look here; they live in real time.
//
// Invariants: a clock lies in the store, so it survives a restart and is the same on every node; it stands still
// until it is moved, and moves only forward; once real time has caught up with it, it has no effect any more.
package clock

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// House is the scope of the whole house.
const House = ""

// Bound is one test clock.
type Bound struct {
	Scope string // a customer, or House
	At    time.Time
	Set   time.Time // real time
}

// Wall tells the time. The zero Wall is ready.
type Wall struct {
	watch   db.Watch
	current atomic.Pointer[read]
}

type read struct {
	serial int64
	list   []Bound // the house's first
	bound  map[string]time.Time
}

// Changed makes the next look a real one: called after a transaction that moved a clock has ended.
func (w *Wall) Changed() { w.watch.Changed() }

// Now is the business instant for a customer: its own clock's, else the house's, else real time; never before real time.
func (w *Wall) Now(ctx context.Context, r db.Reader, customer string) (time.Time, error) {
	_, real := r.Instant()
	known, err := w.known(ctx, r)
	if err != nil {
		return real, err
	}
	at, ok := known.bound[customer]
	if !ok {
		at = known.bound[House]
	}
	if at.Before(real) {
		return real, nil
	}
	return at, nil
}

// All lists all test clocks, the house's first, as Now goes by them: they are read again only when one was moved.
func (w *Wall) All(ctx context.Context, r db.Reader) ([]Bound, error) {
	known, err := w.known(ctx, r)
	if err != nil {
		return nil, err
	}
	return known.list, nil
}

// known are the clocks as this process knows them.
func (w *Wall) known(ctx context.Context, r db.Reader) (*read, error) {
	seen, err := w.watch.Look(ctx, r, readVersion)
	if err != nil {
		return nil, err
	}
	known := w.current.Load()
	if known != nil && known.serial == seen.Serial {
		return known, nil
	}
	list, err := List(ctx, r)
	if err != nil {
		return nil, err
	}
	known = &read{seen.Serial, list, make(map[string]time.Time, len(list))}
	for _, b := range list {
		known.bound[b.Scope] = b.At
	}
	if seen.Keep {
		w.current.Store(known)
	}
	return known, nil
}

// farthest is how far ahead of real time a clock may be set: beyond it somebody has mistyped a year.
const farthest = 50 // years

// Move sets a clock, forward only: not before what it shows, nor before real time.
func Move(ctx context.Context, tx *db.Tx, scope string, at time.Time) error {
	list, err := List(ctx, tx)
	if err != nil {
		return err
	}
	least := tx.Real
	bound := map[string]time.Time{}
	for _, b := range list {
		bound[b.Scope] = b.At
	}
	for _, of := range []string{scope, House} {
		if shown, ok := bound[of]; ok {
			if shown.After(least) {
				least = shown
			}
			break
		}
	}
	if at.Before(least) {
		return fault.New(fault.Invalid, "PURSER.0601", "a test clock moves only forward: it shows %s", least.UTC().Format(time.RFC3339))
	}
	if at.After(tx.Real.AddDate(farthest, 0, 0)) {
		return fault.New(fault.Invalid, "CBC.0100", "time: more than %d years ahead", farthest)
	}
	return put(ctx, tx, scope, at)
}

// List lists all test clocks, the house's first.
func List(ctx context.Context, r db.Reader) ([]Bound, error) { return list(ctx, r) }
