package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// replica is a standby of the store, or one of several, from which snapshots may be read that are a little old.
//
// How old is known without any clock but the caller's: now and then the primary is asked how far its log is (a mark). A standby
// that has replayed its log up to a mark shows everything that was committed before the mark was asked for.
type replica struct {
	pool    *pgxpool.Pool
	primary *pgxpool.Pool
	lag     time.Duration // a snapshot may be this old

	mu       sync.Mutex
	begun    int64            // marks asked for
	marks    []mark           // that were answered, in order; none older than the lag but the last
	needs    map[string]int64 // by customer: the first mark that was asked for behind its own last write
	all      int64            // and for those who are not among them: the first that they need
	away     time.Time        // real; until then no standby is tried
	shown    time.Time        // the newest instant that a standby was seen to have reached
	old, new atomic.Int64     // reads that were answered by a standby, and by the primary for want of one
}

// mark is how far the primary's log was at an instant.
type mark struct {
	no  int64
	at  time.Time // real, before it was asked
	lsn int64
}

// Bounds of asking a standby.
const (
	markShare   = 20          // a mark is taken again after this part of the lag
	replicaWait = time.Second // for a connection, and for a mark
	replicaRest = time.Second // after one that did not answer, real time
	needsMost   = 10_000      // customers whose last writes are remembered; beyond it all count as having written
)

// errOld says that no standby is near enough.
var errOld = errors.New("db: no replica is near enough")

// Follow opens the standby that the address names (several hosts: the first that answers as one), from which Older reads what is no
// older than the lag. It need not be there yet.
func (d *DB) Follow(address string, lag time.Duration) error {
	primary, ok := d.engine.(*postgres)
	if !ok {
		return errors.New("only PostgreSQL has replicas")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return fmt.Errorf("address of the replica: %w", err)
	}
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > 2*replicaWait {
		config.ConnConfig.ConnectTimeout = 2 * replicaWait
	}
	setPatience(config)
	if config.ConnConfig.ValidateConnect == nil { // of several hosts one that follows
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsStandby
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return fmt.Errorf("replica: %w", err)
	}
	d.replica = &replica{pool: pool, primary: primary.pool, lag: lag, needs: map[string]int64{}}
	return nil
}

// IsOlder says that a reader is one of Older's: what it shows must not be kept as what is so now.
func IsOlder(r Reader) bool {
	v, ok := r.(*View)
	return ok && v.older
}

// HasReplica says whether Older may read from a standby.
func (d *DB) HasReplica() bool { return d.replica != nil }

// Wrote says that somebody has just written: what Older reads for it from now on holds that.
func (d *DB) Wrote(who string) {
	if r := d.replica; r != nil && who != "" {
		r.mu.Lock()
		if len(r.needs) >= needsMost {
			clear(r.needs)
			r.all = r.begun + 1
		}
		r.needs[who] = r.begun + 1
		r.mu.Unlock()
	}
}

// Older is View for what may be a little old: it reads from a standby that is near enough, and holds what was committed before
// least and what at.About has written in this process. asOf is the instant before which everything committed was seen. When
// there is no such standby, or it does not answer, or fn fails on it, fn runs (again) on the primary, and asOf is zero.
func (d *DB) Older(ctx context.Context, at Instants, least time.Time, fn func(*View) error) (asOf time.Time, err error) {
	if d.replica == nil {
		return asOf, d.view(ctx, at, fn)
	}
	if asOf, err = d.replica.view(ctx, at, least, fn); err == nil {
		d.replica.old.Add(1)
		return asOf, nil
	}
	if ctx.Err() != nil {
		return time.Time{}, rethrow(err)
	}
	d.replica.new.Add(1)
	return time.Time{}, d.view(ctx, at, fn)
}

// ReplicaReads says how many reads were answered by a standby, and by the primary for want of one.
func (d *DB) ReplicaReads() (old, primary int64) {
	if d.replica == nil {
		return 0, 0
	}
	return d.replica.old.Load(), d.replica.new.Load()
}

// ReplicaLag says how old a snapshot of the standby is at most; it grows while none answers. It fails when none ever has.
func (d *DB) ReplicaLag(ctx context.Context, real time.Time) (time.Duration, error) {
	r := d.replica
	if r == nil {
		return 0, errOld
	}
	_, err := r.view(ctx, Instants{Now: real, Real: real}, time.Time{}, func(*View) error { return nil })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shown.IsZero() {
		return 0, err
	}
	return max(0, real.Sub(r.shown)), nil
}

// view runs fn on a standby.
func (r *replica) view(ctx context.Context, at Instants, least time.Time, fn func(*View) error) (asOf time.Time, err error) {
	need, err := r.marked(ctx, at, least)
	if err != nil {
		return asOf, err
	}
	wait, cancel := context.WithTimeout(ctx, replicaWait)
	defer cancel()
	c, err := r.pool.Acquire(wait)
	if err != nil {
		r.rest(at.Real)
		return asOf, err
	}
	defer c.Release()
	// The snapshot is taken behind this answer, and holds at least what was replayed by then.
	var standby bool
	var replayed int64
	err = c.QueryRow(wait, `SELECT pg_is_in_recovery(), CAST(coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), 0) AS BIGINT)`).Scan(&standby, &replayed)
	if err != nil {
		r.rest(at.Real)
		return asOf, err
	}
	if !standby { // it was promoted: whether it is the primary now is for the primary's address to find out
		c.Conn().Close(ctx) //nolint:errcheck // the next connection may find a standby
		r.rest(at.Real)
		return asOf, errOld
	}
	if asOf = r.asOf(replayed, need, least); asOf.IsZero() || at.Real.Sub(asOf) > r.lag {
		return time.Time{}, errOld
	}
	tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return time.Time{}, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // a view has nothing to keep
	v := &View{Now: at.Now, Real: at.Real, on: pgSession{tx}, older: true}
	return asOf, guarded(func() error { return fn(v) })
}

func (r *replica) rest(real time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = real.Add(replicaRest)
}

// marked sees that there is a mark which is new enough, and says from which one on they are.
func (r *replica) marked(ctx context.Context, at Instants, least time.Time) (need int64, err error) {
	r.mu.Lock()
	if at.Real.Before(r.away) {
		r.mu.Unlock()
		return 0, errOld
	}
	need = max(r.needs[at.About], r.all)
	if n := len(r.marks); n > 0 {
		last := r.marks[n-1]
		if last.no >= need && !last.at.Before(least) && at.Real.Sub(last.at) < r.lag/markShare {
			r.mu.Unlock()
			return need, nil
		}
	}
	r.begun++
	m := mark{no: r.begun, at: at.Real}
	r.mu.Unlock()
	wait, cancel := context.WithTimeout(ctx, replicaWait)
	defer cancel()
	err = r.primary.QueryRow(wait, `SELECT CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS BIGINT)`).Scan(&m.lsn)
	if err != nil {
		return need, ctx.Err() // older marks may do
	}
	r.keep(m)
	return need, nil
}

// keep adds a mark and drops those that are of no more use.
func (r *replica) keep(m mark) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.marks); n > 0 {
		switch last := r.marks[n-1]; {
		case m.lsn < last.lsn && m.no > last.no:
			r.marks = r.marks[:0] // another server is the primary now, and its log is another
		case m.no < last.no || m.at.Before(last.at):
			return // somebody else was faster
		}
	}
	r.marks = append(r.marks, m)
	i := 0
	for i < len(r.marks)-1 && m.at.Sub(r.marks[i].at) > r.lag {
		i++
	}
	if i > 0 {
		r.marks = append(r.marks[:0], r.marks[i:]...)
		first := r.marks[0].no
		maps.DeleteFunc(r.needs, func(_ string, no int64) bool { return no <= first })
	}
}

// asOf is the last mark that a log which was replayed up to some place has passed, or zero.
func (r *replica) asOf(replayed, need int64, least time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.marks) - 1; i >= 0; i-- {
		if m := r.marks[i]; m.no < need || m.at.Before(least) {
			break
		} else if m.lsn <= replayed {
			if m.at.After(r.shown) {
				r.shown = m.at
			}
			return m.at
		}
	}
	return time.Time{}
}
