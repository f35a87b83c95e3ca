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
type Watch struct {
	mu      sync.Mutex
	known   bool
	version int64
	checked time.Time
}

// Changed makes the next look a real one: called after a transaction that changed the facts has committed.
func (w *Watch) Changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checked = time.Time{}
}

// Version is the one that was seen last.
func (w *Watch) Version() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// Look returns the version; moved says that it is not the one of the look before. read reads it from the store.
//
// What an Older view says of the version may be older than what is known, and never counts as a look: the next View or Update looks.
func (w *Watch) Look(ctx context.Context, r Reader, read func(context.Context, Reader) (int64, error)) (version int64, moved bool, err error) {
	_, real := r.Instant()
	older := IsOlder(r)
	w.mu.Lock()
	version, fresh := w.version, w.known && real.Sub(w.checked) < freshness && !real.Before(w.checked)
	w.mu.Unlock()
	if fresh {
		return version, false, nil
	}
	if version, err = read(ctx, r); err != nil {
		return 0, false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// A slow reader on an older snapshot does not turn the version back.
	if w.known && version <= w.version {
		if !older {
			w.checked = real
		}
		return w.version, false, nil
	}
	w.known, w.version = true, version
	if w.checked = real; older {
		w.checked = time.Time{}
	}
	return version, true, nil
}
