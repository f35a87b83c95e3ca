package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// Ways in which a member's charges are accounted for.
const (
	Unified     = "unified"     // the master pays for the member
	Independent = "independent" // the member pays for itself
)

// Relation says that a customer was another's member, under one way of accounting, for a span of business time.
type Relation struct {
	Member, Master string
	Accounting     string
	Since          time.Time
	Until          time.Time // exclusive; zero: it is so now
	Changed        time.Time // when the row was last written
	no             int64     // counts a member's rows
}

// related refuses a relation that may not be, in this order.
func related(ctx context.Context, tx *db.Tx, r *Relation) error {
	refuse := func(text string, args ...any) error { return fault.New(fault.Conflict, "PURSER.0107", text, args...) }
	switch {
	case r.Accounting != Unified && r.Accounting != Independent:
		return fault.New(fault.Invalid, "CBC.0100", "accounting: must be unified or independent")
	case r.Since.After(tx.Now):
		return fault.New(fault.Invalid, "CBC.0100", "since: must not be in the future")
	case r.Member == r.Master:
		return refuse("a customer cannot be its own master")
	}
	for _, id := range []string{r.Member, r.Master} {
		c, err := Find(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.Standing == Closed {
			return fault.New(fault.Conflict, "PURSER.0106", "customer %s is closed", id)
		}
	}
	members, err := countOpen(ctx, tx, r.Member)
	if err != nil {
		return err
	}
	if members > 0 {
		return refuse("customer %s is itself a master of %d members", r.Member, members)
	}
	over, err := lastRelation(ctx, tx, r.Master)
	if err == nil && over.Until.IsZero() {
		return refuse("customer %s is itself a member of %s", r.Master, over.Master)
	}
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return err
}

// Join makes a customer the member of a master, or changes the accounting of one that is. A Since of zero is now; it is
// not before what was so last began or ended. What is so already stays as it is, and is returned.
func Join(ctx context.Context, tx *db.Tx, r Relation) (Relation, error) {
	if r.Since.IsZero() {
		r.Since = tx.Now
	}
	r.Since = r.Since.Truncate(time.Microsecond) // as it is kept
	if err := related(ctx, tx, &r); err != nil {
		return r, err
	}
	last, err := lastRelation(ctx, tx, r.Member)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return r, fmt.Errorf("read the member's master: %w", err)
	}
	known, open := err == nil, err == nil && last.Until.IsZero()
	switch {
	case open && last.Master != r.Master:
		return r, fault.New(fault.Conflict, "PURSER.0107", "customer %s is a member of %s: it must leave first", r.Member, last.Master)
	case open && last.Accounting == r.Accounting:
		return last, nil
	case known && (r.Since.Before(last.Since) || r.Since.Before(last.Until)):
		return r, fault.New(fault.Invalid, "CBC.0100", "since: must not be before the last change of the member's relation")
	case open:
		if _, err := endRelation(ctx, tx, r.Member, db.Micros(r.Since)); err != nil {
			return r, err
		}
	}
	r.no, r.Changed, r.Until = last.no+1, tx.Now, time.Time{}
	added, err := insertRelation(ctx, tx, &r)
	if err == nil && !added {
		err = fault.New(fault.Conflict, "PURSER.0107", "customer %s is a member already", r.Member)
	}
	return r, err
}

// Leave ends a member's relation now. It may be closed by then.
func Leave(ctx context.Context, tx *db.Tx, member string) error {
	last, err := lastRelation(ctx, tx, member)
	if errors.Is(err, db.ErrNoRows) || err == nil && !last.Until.IsZero() {
		return fault.New(fault.NotFound, "PURSER.0108", "customer %s has no master", member)
	}
	if err != nil {
		return err
	}
	// The member's clock may have been unbound meanwhile: a span never ends before it begins.
	until := tx.Now
	if until.Before(last.Since) {
		until = last.Since
	}
	_, err = endRelation(ctx, tx, member, db.Micros(until))
	return err
}

// Members pages through the members that a master has now, by id.
func Members(ctx context.Context, r db.Reader, master string, offset, limit int) (total int, page []Relation, err error) {
	if total, err = countOpen(ctx, r, master); err != nil {
		return 0, nil, err
	}
	page, err = listMembers(ctx, r, master, offset, limit)
	return total, page, err
}

// Joined finds the relation that is not ended, whatever a clock shows: what the operator recorded last.
func Joined(ctx context.Context, r db.Reader, member string) (Relation, bool, error) {
	last, err := lastRelation(ctx, r, member)
	switch {
	case errors.Is(err, db.ErrNoRows) || err == nil && !last.Until.IsZero():
		return Relation{}, false, nil
	case err != nil:
		return Relation{}, false, fmt.Errorf("read the member's master: %w", err)
	}
	return last, true, nil
}

// MasterOf finds the relation that a customer is a member under, at the reader's business instant.
func MasterOf(ctx context.Context, r db.Reader, member string) (Relation, bool, error) {
	now, _ := r.Instant()
	found, err := relationAt(ctx, r, member, db.Micros(now))
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Relation{}, false, nil
	case err != nil:
		return Relation{}, false, fmt.Errorf("read the member's master: %w", err)
	}
	return found, true, nil
}

// PayerOf is who pays for a customer at the reader's business instant: its master under unified accounting, else itself.
func PayerOf(ctx context.Context, r db.Reader, customer string) (string, error) {
	found, member, err := MasterOf(ctx, r, customer)
	if err != nil || !member || found.Accounting != Unified {
		return customer, err
	}
	return found.Master, nil
}
