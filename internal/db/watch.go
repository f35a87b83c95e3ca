package db

import (
	"context"
	"sync"
	"time"
)

// freshness is how long a change by another process may go unseen by a cache, real time.
const freshness = time.Second

// Watch tells a cache when to forget. It watches a number that every change of the cached facts raises in the same
// transaction, looks at it at most once a second of real time, and at once after Changed. The zero Watch is ready.
//
// Readers of all ages look: one whose snapshot is older than what is known neither counts as a look nor may keep what it loads.
type Watch struct {
	mu      sync.Mutex
	known   bool
	version int64 // in the store
	serial  int64 // of what is known
	since   int64 // transactions up to this one may have begun before that was so
	told    bool  // Changed has come
	after   int64 // transactions up to this one may not see it
	checked time.Time
}

// Sight is what a look found.
type Sight struct {
	// Serial is another one whenever the facts may be others: what a cache holds belongs to one.
	Serial int64
	Moved  bool // the first look that found this one: the cache forgets
	Keep   bool // what the reader loads now is of this serial, so that the cache may keep it
}

// Changed makes the next look a real one: called after a transaction that changed the facts has ended, well or not.
func (w *Watch) Changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checked, w.told, w.after = time.Time{}, true, begun.Load()
}

// Serial is the one that was seen last.
func (w *Watch) Serial() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.serial
}

// Look says what a reader may go by; read reads the number from the store.
//
// What an Older view says of it may be older than what is known, and never counts as a look: the next View or Update looks.
func (w *Watch) Look(ctx context.Context, r Reader, read func(context.Context, Reader) (int64, error)) (Sight, error) {
	_, real := r.Instant()
	older := IsOlder(r)
	w.mu.Lock()
	if w.known && real.Sub(w.checked) < freshness && !real.Before(w.checked) {
		defer w.mu.Unlock()
		return Sight{Serial: w.serial, Keep: !older && numberOf(r) > w.since}, nil
	}
	w.mu.Unlock()
	version, err := read(ctx, r)
	if err != nil {
		return Sight{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Sight{Keep: !older}
	counts := !older && numberOf(r) > w.after
	switch {
	case !w.known, version > w.version, w.told && counts: // told: also when it is no higher, as what was seen may have been rolled back
		w.known, w.version, w.since, s.Moved = true, version, begun.Load(), true
		w.serial++
	case version < w.version:
		return Sight{Serial: w.serial}, nil // its snapshot is older: what is known is not turned back
	}
	if counts {
		w.checked, w.told = real, false
	}
	s.Serial = w.serial
	return s, nil
}
