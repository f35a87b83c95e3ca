package operation

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/usage"
)

// Archive says what becomes of usage of long ago, where the engine keeps it by months.
type Archive struct {
	After int          // full months that stay, counted from the running one; 0: all
	To    bucket.Store // where what does not stay is written
	Drop  bool         // and then dropped; else it stays beside the tables as one that nothing reads
}

// MonthsKept remembers up to when there are months. The zero MonthsKept is ready.
type MonthsKept struct {
	mu   sync.Mutex
	last period.Cycle
	next time.Time // real; not looked at before unless the house's time has come further
}

// Bounds of months that are made ahead, and how often is looked.
const (
	monthsAhead     = 3
	monthsAheadMost = 60 // of real time: a test clock may be turned by centuries
	monthsEvery     = time.Hour
)

// KeepMonths sees that monthly tables have their months: from before the oldest record that is taken in to some ahead of the house's
// time, or the latest test clock's. What there is no month for is kept all the same.
func (c *Counter) KeepMonths(ctx context.Context, real time.Time) (made int, err error) {
	if c.DB.Engine() != db.PostgreSQL || c.Settling == nil {
		return 0, nil
	}
	latest := real
	if c.Clocks != nil {
		if err := c.DB.View(ctx, realOnly(real), func(v *db.View) error { _, _, latest, err = c.horizon(ctx, v, real); return err }); err != nil {
			return 0, err
		}
	}
	first, last := period.CycleOf(real).Add(-c.Settling.Rules.Oldest-1), period.CycleOf(latest).Add(monthsAhead)
	last = min(last, period.CycleOf(real).Add(monthsAheadMost))
	if k := c.Months; k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		if real.Before(k.next) && last <= k.last {
			return 0, nil
		}
		defer func() {
			if err == nil {
				k.last, k.next = last, real.Add(monthsEvery)
			}
		}()
	}
	err = c.DB.Monthly(ctx, func(m *db.Monthly) error { made, err = m.Make(ctx, first, last); return err })
	return made, err
}

// PutUsageAway takes months of usage away that do not stay, writes them out, and drops what is written when that was set. Cut off at any
// point it goes on from there.
func (c *Counter) PutUsageAway(ctx context.Context, real time.Time) (written int, err error) {
	if c.Archive.After == 0 || c.DB.Engine() != db.PostgreSQL {
		return 0, nil
	}
	before := period.CycleOf(real).Add(-c.Archive.After).Span().Start
	waits := false
	err = c.DB.View(ctx, realOnly(real), func(v *db.View) error {
		due, err := usage.AllDue(ctx, v, before, usage.Mark{}, 1)
		waits = len(due) > 0
		return err
	})
	if err != nil {
		return 0, err
	}
	err = c.DB.Monthly(ctx, func(m *db.Monthly) error {
		if !waits { // usage of that time that was not settled yet
			if _, err := m.Detach(ctx, before, usage.StillKnown); err != nil {
				return err
			}
		}
		list, err := m.PutAway(ctx)
		if err != nil {
			return err
		}
		for i := range list {
			p := &list[i]
			if !strings.HasPrefix(p.Note, writtenNote) {
				if err := c.writeOut(ctx, m, p); err != nil {
					return fmt.Errorf("%s: %w", p.Name, err)
				}
				written++
			}
			if c.Archive.Drop {
				if err := m.Drop(ctx, p); err != nil {
					return fmt.Errorf("drop %s: %w", p.Name, err)
				}
				c.Log.Info("months of usage", "dropped", p.Name, "written", p.Note)
			}
		}
		return nil
	})
	return written, err
}

// writtenNote is how the note on a part begins that was written out.
const writtenNote = "written: "

// writeOut writes a part as a file, reads it back, holds it against the part, and leaves a note of that on the part.
func (c *Counter) writeOut(ctx context.Context, m *db.Monthly, p *db.PutAway) error {
	aside, err := os.CreateTemp("", "purser-archive-*")
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name()) //nolint:errcheck // a temporary file
	defer aside.Close()           //nolint:errcheck // it was read
	packed, hash := gzip.NewWriter(aside), sha256.New()
	rows, err := m.CopyOut(ctx, p, io.MultiWriter(packed, hash))
	if err == nil {
		err = packed.Close()
	}
	if err == nil {
		_, err = aside.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	if rows == 0 {
		p.Note = writtenNote + "nothing, it has no rows"
		return m.Leave(ctx, p, p.Note)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	key := "usage-archive/" + p.Table + "/" + p.Name + ".csv.gz"
	if err := c.Archive.To.Put(ctx, key, aside, map[string]string{"rows": strconv.FormatInt(rows, 10), "sha256": sum}); err != nil {
		return err
	}
	body, _, err := c.Archive.To.Get(ctx, key)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // only read
	back, there := sha256.New(), sha256.New()
	unpacked, err := gzip.NewReader(body)
	if err == nil {
		_, err = io.Copy(back, unpacked)
	}
	if err != nil {
		return fmt.Errorf("read %s back: %w", key, err)
	}
	again, err := m.CopyOut(ctx, p, there)
	if err != nil {
		return err
	}
	if hex.EncodeToString(back.Sum(nil)) != sum || hex.EncodeToString(there.Sum(nil)) != sum || again != rows {
		return errors.New(key + " does not hold what the table holds")
	}
	p.Note = fmt.Sprintf("%s%s, %d rows, sha256 %s of the unpacked file", writtenNote, key, rows, sum)
	if err := m.Leave(ctx, p, p.Note); err != nil {
		return err
	}
	c.Log.Info("months of usage", "table", p.Name, "note", p.Note)
	return nil
}

// archived refuses what needs usage of a month that was put away.
func (c *Counter) archived(real time.Time, at time.Time) error {
	if n := c.Archive.After; n > 0 && c.DB.Engine() == db.PostgreSQL && at.Before(period.CycleOf(real).Add(-n).Span().Start) {
		return fault.New(fault.Conflict, "PURSER.1140", "usage of more than %d months ago was put away: it is in the operator's archive", n)
	}
	return nil
}
