// Package job owns long work: what is being done, how far it is, how it ended. Its cursor lies in the store, so that
// another process can go on with it.
//
// It does not own the work itself: who does it (the night shift) reports here.
//
// States: running → done, or failed. All times are real time; Target is the business instant that an advance of a
// clock drives to, or that of the close of a month.
//
// Invariants: work that has ended stays as it ended.
package job

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Kinds of work.
const (
	Advance = "advance" // a test clock was turned
	Close   = "close"   // a month is closed; Target is its instant
)

// States.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Work is one piece of long work.
type Work struct {
	ID      string
	Kind    string
	Scope   string // a customer, or the house when empty
	Target  time.Time
	State   string
	Count   int // things done so far
	Message string
	Created time.Time
	Updated time.Time
}

// Open begins a piece of work and mints its id.
func Open(ctx context.Context, tx *db.Tx, random io.Reader, w *Work) error {
	id, err := ident.NewJobID(random, tx.Real)
	if err != nil {
		return err
	}
	w.ID, w.State, w.Created, w.Updated = string(id), Running, tx.Real, tx.Real
	return insert(ctx, tx, w)
}

// Find finds a piece of work.
func Find(ctx context.Context, r db.Reader, id string) (Work, error) {
	w, err := find(ctx, r, id)
	if errors.Is(err, db.ErrNoRows) {
		return w, fault.New(fault.NotFound, "PURSER.0114", "there is no job %s", id)
	}
	return w, err
}

// Unfinished lists running work of a kind, the oldest first.
func Unfinished(ctx context.Context, r db.Reader, kind string, n int) ([]Work, error) {
	return running(ctx, r, kind, n)
}

// Advanced adds to what running work has done.
func Advanced(ctx context.Context, tx *db.Tx, id string, by int) error {
	return advance(ctx, tx, id, by)
}

// Told keeps a word on how far running work is.
func Told(ctx context.Context, tx *db.Tx, id, message string) error {
	return tell(ctx, tx, id, message)
}

// Finish ends running work.
func Finish(ctx context.Context, tx *db.Tx, id, state, message string) error {
	return finish(ctx, tx, id, state, message)
}

// List pages through all work, the newest first.
func List(ctx context.Context, r db.Reader, offset, limit int) (total int, page []Work, err error) {
	return list(ctx, r, offset, limit)
}
