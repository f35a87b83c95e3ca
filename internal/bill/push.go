package bill

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
)

// Push is a day's export of bills to a folder or bucket. All its times are real time: files are for the outside.
type Push struct {
	Day     period.Date
	Since   period.Date // the day before it on which one ended; 0: none
	Reached string      // customer whose files were written last, in the order of ids
	Files   int64
	Failed  int64  // customers
	Trouble string // of the last one that failed
	Leased  time.Time
	Done    time.Time // zero: it is not over
}

// PushLease is for how long a node may be silent before another goes on with its day.
const PushLease = 5 * time.Minute

// LeasePush takes a day's export over, from its beginning or where it was left. false: it is done, or another node is at work.
func LeasePush(ctx context.Context, tx *db.Tx, day period.Date) (Push, bool, error) {
	return leasePush(ctx, tx, day, tx.Real.Add(PushLease))
}

// KeepPush says how far an export is, and that its node is alive; false: another has taken over.
func KeepPush(ctx context.Context, tx *db.Tx, p *Push) (bool, error) {
	until := tx.Real.Add(PushLease)
	mine, err := keepPush(ctx, tx, p, until, time.Time{})
	if mine {
		p.Leased = until
	}
	return mine, err
}

// EndPush ends a day's export.
func EndPush(ctx context.Context, tx *db.Tx, p *Push) error {
	_, err := keepPush(ctx, tx, p, time.Time{}, tx.Real)
	return err
}

// Pushed says whether a day's export is over.
func Pushed(ctx context.Context, r db.Reader, day period.Date) (bool, error) {
	return pushed(ctx, r, day)
}

// Months are the months whose files are written on a day, up to the running one: a month is final from its fourth day on, so the one
// before is written until an export has ended on the fifth.
func (p *Push) Months(running period.Cycle) (from, to period.Cycle) {
	from = running - 1
	if p.Since != 0 {
		at := p.Since.Span().Start
		if from = period.CycleOf(at); p.Since < period.DateOf(from.Span().Start)+finalAfter {
			from--
		}
	}
	return max(min(from, running), running-pushMost), running
}

// finalAfter is how many days after its beginning a month knows that the one before is final; pushMost how many are made up for at most.
const (
	finalAfter = 4
	pushMost   = 12
)
