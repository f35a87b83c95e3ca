package operation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/job"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/outbox"
	"github.com/purser-cloud/purser/internal/queue"
	"github.com/purser-cloud/purser/internal/usage"
)

// What a process does by itself, as its Pulse and the checks of Health name it.
const (
	NightShift = "night_shift"
	Courier    = "courier"
)

// Pulse remembers in memory how the work that a process does by itself last ended. Nil remembers nothing. All times are real.
type Pulse struct {
	mu    sync.Mutex
	beats map[string]beat
}

type beat struct {
	good time.Time // when it last ended well; zero: never
	why  string    // it went wrong since; empty: it did not
}

// NewPulse makes a pulse.
func NewPulse() *Pulse { return &Pulse{beats: map[string]beat{}} }

// Beat keeps how some work ended.
func (p *Pulse) Beat(work string, at time.Time, err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.beats[work]
	if b.why = ""; err != nil {
		b.why = err.Error()
	} else {
		b.good = at
	}
	p.beats[work] = b
}

func (p *Pulse) of(work string) beat {
	if p == nil {
		return beat{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beats[work]
}

// States of a check, from the best to the worst.
const (
	Good = "good"
	Warn = "warn"
	Bad  = "bad"
)

// Check is one thing that is well, or is not.
type Check struct {
	Name      string
	State     string
	Count     int       // how many of what it is about
	Since     time.Time // real: when it was last well; zero: not yet, or not known
	Message   string
	Customers []string // whom it is about
}

// Health is how the house is.
type Health struct {
	Version string
	Started time.Time
	Real    time.Time
	Engine  string
	Checks  []Check
}

// State is the worst of the checks.
func (h *Health) State() string {
	worst := Good
	for i := range h.Checks {
		if s := h.Checks[i].State; s == Bad || s == Warn && worst == Good {
			worst = s
		}
	}
	return worst
}

// silentMost is how long work that is done every few seconds may not have ended well before something is wrong: rounds take long when
// much is due, or a clock was turned far.
const silentMost = 10 * time.Minute

// parkedShown is how many customers whose books are parked are named.
const parkedShown = 100

// ShowHealth says how the house is, as this process sees it. The operator's.
func (c *Counter) ShowHealth(ctx context.Context, call *Call) (h Health, err error) {
	h = Health{Version: c.Version, Started: c.Started, Real: call.Real, Engine: c.DB.Engine()}
	began := c.Clock()
	var standing []Check
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) (err error) {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		standing, err = standingStill(ctx, v)
		return err
	})
	if err != nil {
		return h, err
	}
	h.Checks = append(h.Checks, Check{Name: "store", State: Good, Since: call.Real, Message: c.Clock().Sub(began).Round(100 * time.Microsecond).String()})
	for _, work := range []string{NightShift, Courier} {
		h.Checks = append(h.Checks, c.Pulse.of(work).check(work, c.Started, call.Real))
	}
	if c.Queue != nil {
		h.Checks = append(h.Checks, c.queueCheck(ctx, call.Real))
	}
	if c.DB.HasReplica() {
		one := Check{Name: "replica", State: Good, Since: call.Real}
		lag, err := c.DB.ReplicaLag(ctx, call.Real)
		if one.Message = lag.Round(time.Millisecond).String(); err != nil {
			one.State, one.Since, one.Message = Warn, time.Time{}, err.Error()
		}
		h.Checks = append(h.Checks, one)
	}
	h.Checks = append(h.Checks, standing...)
	return h, nil
}

// check says whether work that began at an instant is well.
func (b beat) check(work string, began, real time.Time) Check {
	one := Check{Name: work, State: Good, Since: b.good, Message: b.why}
	last := b.good
	if last.IsZero() {
		last = began
	}
	switch {
	case b.why != "" || real.Sub(last) > silentMost:
		one.State = Bad
	case b.good.IsZero():
		one.State = Warn
	}
	return one
}

func (c *Counter) queueCheck(ctx context.Context, real time.Time) Check {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	one := Check{Name: "queue", State: Good, Since: real}
	list := c.Queue.Messages(ctx)
	if away := queue.Partitions - len(list); away > 0 {
		one.State, one.Since, one.Message = Bad, time.Time{}, fmt.Sprintf("%d of %d partitions of the queue do not answer", away, queue.Partitions)
	}
	for _, n := range list {
		one.Count += int(n)
	}
	return one
}

// standingStill are the checks of what waits in the store for somebody.
func standingStill(ctx context.Context, v *db.View) ([]Check, error) {
	parked, customers, err := ledger.Parked(ctx, v, parkedShown)
	closes, _, err2 := bill.ParkedOnes(ctx, v, 0, 1)
	given, _, err3 := outbox.Deliveries(ctx, v, "", outbox.GivenUp, 0, 1)
	waiting, _, err4 := outbox.Deliveries(ctx, v, "", outbox.Waiting, 0, 1)
	aside, _, err5 := usage.Quarantine(ctx, v, "", usage.Kept, 0, 1)
	running := 0
	for _, kind := range []string{job.Advance, job.Close} {
		list, err6 := job.Unfinished(ctx, v, kind, advancesAtOnce)
		running += len(list)
		err = errors.Join(err, err6)
	}
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	wrong := func(name string, n int, state string) Check {
		if n == 0 {
			state = Good
		}
		return Check{Name: name, State: state, Count: n}
	}
	books := wrong("books", parked, Bad)
	books.Customers = customers
	return []Check{
		books, wrong("closes", closes, Bad), wrong("deliveries", given, Warn), wrong("usage", aside, Warn), wrong("messages", waiting, Good), wrong("work", running, Good),
	}, nil
}
