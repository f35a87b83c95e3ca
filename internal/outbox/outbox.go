// Package outbox owns what the outside is to be told, until it has heard: messages, the webhooks that want them, and
// how far each delivery is.
//
// It does not own what is told (who puts a message) nor the telling itself (courier).
//
// Deliveries: waiting → delivered, or given_up after the last try; retried by hand they wait again. Messages of one
// customer go to a webhook in their order: a later one waits for the earlier.
//
// Meanings of time: happened is business time; everything else is real time.
//
// Invariants: a message is put in the transaction of its cause, once for a customer, topic and key; a delivery is
// leased to one courier at a time; a webhook's secret is sealed at rest (by who registers it).
package outbox

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Message is something that happened to a customer.
type Message struct {
	Customer string
	ID       string
	Topic    string // order.paid …
	Key      string // once for a customer and topic
	Body     string // JSON
	Happened time.Time
	Recorded time.Time
}

// Target is a webhook that wants messages.
type Target struct {
	ID      string
	URL     string
	Sealed  []byte   // its secret
	Topics  []string // "*": all; "order.*": all of a kind
	Active  bool
	Created time.Time
	Changed time.Time
}

// States of a delivery.
const (
	Waiting   = "waiting"
	Delivered = "delivered"
	GivenUp   = "given_up"
)

// Delivery is a message on its way to a target.
type Delivery struct {
	Target   string
	Customer string
	Message  string
	Topic    string
	State    string
	Attempts int
	Next     time.Time
	Answer   string // last one: a status, or why there was none
	Created  time.Time
	Changed  time.Time
	// Of a leased one only.
	URL    string
	Sealed []byte
	Body   string
}

// Put keeps a message and a delivery for each active target that wants it. Without one nothing is kept; put twice it is
// kept once.
func Put(ctx context.Context, tx *db.Tx, random io.Reader, m *Message) error {
	targets, err := active(ctx, tx)
	if err != nil {
		return err
	}
	targets = slices.DeleteFunc(targets, func(t Target) bool { return !t.Wants(m.Topic) })
	if len(targets) == 0 {
		return nil
	}
	id, err := ident.NewMessageID(random, tx.Real)
	if err != nil {
		return err
	}
	m.ID, m.Happened, m.Recorded = string(id), tx.Now, tx.Real
	added, err := insertMessage(ctx, tx, m)
	if err != nil || !added {
		return err
	}
	for i := range targets {
		if err := insertDelivery(ctx, tx, targets[i].ID, m); err != nil {
			return err
		}
	}
	return nil
}

// Wants says whether a topic is among a target's.
func (t *Target) Wants(topic string) bool {
	return slices.ContainsFunc(t.Topics, func(wanted string) bool {
		kind, all := strings.CutSuffix(wanted, "*")
		return wanted == topic || all && strings.HasPrefix(topic, kind)
	})
}

// topicsMost bounds a target's list.
const topicsMost = 50

// Check says what is wrong with a target before it is kept.
func (t *Target) Check() error {
	wrong := func(format string, args ...any) error { return fault.New(fault.Invalid, "CBC.0100", format, args...) }
	at, err := url.Parse(t.URL)
	switch {
	case err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || at.User != nil || at.Fragment != "":
		return wrong("url: must be an http or https address without user and fragment")
	case len(t.Topics) == 0 || len(t.Topics) > topicsMost:
		return wrong("topics: 1 to %d", topicsMost)
	}
	for i, topic := range t.Topics {
		if topic == "" || len(topic) > 64 || strings.ContainsAny(topic, " ,\n") || strings.Contains(strings.TrimSuffix(topic, "*"), "*") {
			return wrong("topics[%d]: must be a topic such as order.paid, a kind such as order.*, or *", i)
		}
	}
	return nil
}

// Register keeps a new target and mints its id; its secret is sealed already, under that id by Seal.
func Register(ctx context.Context, tx *db.Tx, random io.Reader, t *Target, seal func(id string) ([]byte, error)) error {
	if err := t.Check(); err != nil {
		return err
	}
	id, err := ident.NewWebhookID(random, tx.Real)
	if err != nil {
		return err
	}
	t.ID, t.Active, t.Created, t.Changed = string(id), true, tx.Real, tx.Real
	if t.Sealed, err = seal(t.ID); err != nil {
		return err
	}
	return insertTarget(ctx, tx, t)
}

// Change rewrites what may change of a target: topics and whether it is active.
func Change(ctx context.Context, tx *db.Tx, id string, change func(*Target)) (Target, error) {
	t, err := Find(ctx, tx, id)
	if err != nil {
		return t, err
	}
	change(&t)
	t.ID, t.Changed = id, tx.Real
	if err := t.Check(); err != nil {
		return t, err
	}
	return t, updateTarget(ctx, tx, &t)
}

// Remove forgets a target with its deliveries.
func Remove(ctx context.Context, tx *db.Tx, id string) error {
	found, err := remove(ctx, tx, id)
	if err == nil && !found {
		err = errNoTarget(id)
	}
	return err
}

func errNoTarget(id string) error {
	return fault.New(fault.NotFound, "PURSER.0901", "there is no webhook %s", id)
}

// Find finds a target.
func Find(ctx context.Context, r db.Reader, id string) (Target, error) {
	t, err := target(ctx, r, id)
	if errors.Is(err, db.ErrNoRows) {
		return t, errNoTarget(id)
	}
	return t, err
}

// Targets lists all targets, the newest first.
func Targets(ctx context.Context, r db.Reader) ([]Target, error) { return targets(ctx, r) }

// LeaseTime is how long a courier has for a delivery before another may take it.
const LeaseTime = time.Minute

// Lease takes up to n due deliveries for LeaseTime of real time.
func Lease(ctx context.Context, tx *db.Tx, n int) ([]Delivery, error) {
	list, err := due(ctx, tx, n)
	if err != nil {
		return nil, err
	}
	out := list[:0]
	for i := range list {
		taken, err := lease(ctx, tx, &list[i], tx.Real.Add(LeaseTime))
		if err != nil {
			return nil, err
		}
		if taken {
			out = append(out, list[i])
		}
	}
	return out, nil
}

// waits are how long a delivery waits after each failure; then it is tried hourly.
var waits = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// patience is how long a message is tried.
const patience = 72 * time.Hour

// Heard ends a delivery that the target has taken.
func Heard(ctx context.Context, tx *db.Tx, d *Delivery, answer string) error {
	return settle(ctx, tx, d, Delivered, answer, tx.Real)
}

// Failed puts a delivery off, or gives it up when its time is over.
func Failed(ctx context.Context, tx *db.Tx, d *Delivery, answer string) error {
	if tx.Real.Sub(d.Created) >= patience {
		return settle(ctx, tx, d, GivenUp, answer, tx.Real)
	}
	wait := time.Hour
	if d.Attempts < len(waits) {
		wait = waits[d.Attempts]
	}
	return settle(ctx, tx, d, Waiting, answer, tx.Real.Add(wait))
}

// Retry lets a delivery be tried again now.
func Retry(ctx context.Context, tx *db.Tx, target, customer, message string) error {
	found, err := retry(ctx, tx, target, customer, message)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "PURSER.0902", "there is no such delivery that has not been made")
	}
	return err
}

// Deliveries pages through deliveries, the newest first; target and state filter when they are not empty.
func Deliveries(ctx context.Context, r db.Reader, target, state string, offset, limit int) (total int, page []Delivery, err error) {
	return deliveries(ctx, r, target, state, offset, limit)
}

// Idle says that no delivery is due: a look that needs no writer.
func Idle(ctx context.Context, r db.Reader) (bool, error) {
	n, err := waiting(ctx, r)
	return n == 0, err
}
