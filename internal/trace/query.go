package trace

import (
	"context"
	"errors"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// How far back queries go, business time.
const (
	Window      = 7 * 24 * time.Hour
	UserWindow  = 30 * 24 * time.Hour
	defaultSpan = time.Hour
)

// Query says which lines are wanted; what is empty does not filter.
type Query struct {
	Project      string
	Home         bool      // Project is the account's home: lines from before there were projects lie there too
	From, To     time.Time // both excluded; both zero: the last hour
	Next         string    // id of the last line of the page before
	ID           string    // this line only; all else is ignored
	Tracker      string
	Service      string
	User         string
	ResourceID   string
	ResourceName string
	ResourceType string
	Name         string
	Rating       string
	AccessKey    string
	Enterprise   string
	Enterprises  []string // only these, unless nil: what the caller may see
	Limit        int
}

// span settles from when to when a query looks, at a business instant.
func (q *Query) span(now time.Time) (from, to time.Time, err error) {
	switch {
	case q.From.IsZero() && q.To.IsZero():
		return now.Add(-defaultSpan), now.Add(time.Millisecond), nil // what happened right now belongs to the last hour
	case q.From.IsZero() || q.To.IsZero():
		return from, to, fault.New(fault.Invalid, "CTS.0003", "from and to come together")
	case !q.From.Before(q.To):
		return from, to, fault.New(fault.Invalid, "CTS.0003", "from: must lie before to")
	}
	from, to = q.From, q.To
	if oldest := now.Add(-Window); from.Before(oldest) {
		from = oldest
	}
	return from, to, nil
}

// List finds lines of a customer, newest first, at most as many as wanted.
func List(ctx context.Context, r db.Reader, customer string, q *Query) ([]Line, error) {
	now, _ := r.Instant()
	if q.ID != "" {
		l, err := find(ctx, r, customer, q.ID)
		if errors.Is(err, db.ErrNoRows) {
			return nil, nil
		}
		if err != nil || !q.shows(&l) || l.Happened.Before(now.Add(-Window)) {
			return nil, err
		}
		return []Line{l}, nil
	}
	from, to, err := q.span(now)
	if err != nil {
		return nil, err
	}
	before := mark{db.Micros(to), ""}
	if q.Next != "" {
		last, err := find(ctx, r, customer, q.Next)
		if errors.Is(err, db.ErrNoRows) {
			return nil, fault.New(fault.Invalid, "CTS.0003", "next: %q is not a marker", q.Next)
		}
		if err != nil {
			return nil, err
		}
		if last.Happened.Before(to) {
			before = mark{db.Micros(last.Happened), last.ID}
		}
	}
	if q.Tracker != "" && q.Tracker != System {
		return nil, nil // management lines have the management tracker, and there are no others
	}
	return list(ctx, r, customer, q, db.Micros(from), before)
}

// shows says whether a line lies in the query's project and within what its caller may see.
func (q *Query) shows(l *Line) bool {
	if l.Project != q.Project && (l.Project != "" || !q.Home) {
		return false
	}
	if q.Enterprises == nil {
		return true
	}
	for _, p := range q.Enterprises {
		if p == l.Enterprise {
			return true
		}
	}
	return false
}

// Users lists the names of users who left a line in a project in the last 30 days.
func Users(ctx context.Context, r db.Reader, customer, project string, home bool) ([]string, error) {
	now, _ := r.Instant()
	return users(ctx, r, customer, project, home, db.Micros(now.Add(-UserWindow)))
}
