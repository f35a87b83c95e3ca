// Package subscription owns yearly/monthly resources: which there are, in what state, until when, attached to which
// primary one, and the terms that were paid for.
//
// It does not own orders and refunds (order) nor what a resource uses (usage).
//
// States (api.md 0.12):
//
//	0 being provisioned → 2 in use → 5 expired → 4 frozen → 3 closed
//	0 → 3 provisioning failed          2, 4, 5 → 3 unsubscribed
//
// Only 2 to 5 are shown. What comes after expiry happens in the night shift.
//
// Terms: k counts the paid terms of a resource from 0. All ends come from the anchor, the instant when the first
// term began (period.End), and the periods so far: a renewal adds to those and moves no anchor.
//
// Invariants: the cloud's id of a resource is unique for a customer; the terms of a resource tile from the anchor to
// its expiry; while an order is at work on a resource (BusyWith) no other one is.
package subscription

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Status is the state of a resource.
type Status int32

// The states.
const (
	Provisioning Status = 0
	InUse        Status = 2
	Closed       Status = 3
	Frozen       Status = 4
	Expired      Status = 5
)

// Policy is what happens at expiry (api.md 0.12).
type Policy int32

// The policies.
const (
	Grace       Policy = 0
	ToOnDemand  Policy = 1
	Delete      Policy = 2 // at expiry
	AutoRenew   Policy = 3
	Freeze      Policy = 4 // at expiry
	DeleteLater Policy = 5 // after retention, as every other
)

// Unlimited automatic renewals.
const Unlimited = -1

// Resource is one yearly/monthly resource.
type Resource struct {
	Customer     string
	Instance     string // the house's own id
	ID           string // the cloud's id; empty until it is provisioned
	Name         string
	Status       Status
	Order        string // that bought it
	Line         int32
	Parent       string // instance of the primary resource; empty: it is one itself
	Related      string // instance of another primary resource that this one was bought to go with; empty: none
	Service      string
	ResourceType string
	Product      string
	Spec         string
	Region       string
	Zone         string
	Size         rating.Size
	CloudProject string // project of the region
	Project      string // enterprise project
	Unit         period.Unit
	Periods      int       // in all, from the anchor
	Effective    time.Time // when the first term began
	Anchor       time.Time // that ends are counted from: Effective, until a unified renewal day moves it
	Expires      time.Time // exclusive
	Policy       Policy
	AutoLeft     int         // automatic renewals that are left; Unlimited
	AutoUnit     period.Unit // of an automatic renewal; None: as the last order
	Next         time.Time   // when the night shift is next due; zero: never, and for attached ones
	BusyWith     string      // order at work on it
	Created      time.Time
	Updated      time.Time
}

// Term is one paid term of a resource.
type Term struct {
	Customer, Instance string
	K                  int
	Order              string
	Line               int32
	Span               period.Span
	Unit               period.Unit
	Periods            int
	Official           money.Amount
	Amount             money.Amount // after discount
	Parts              charge.Parts // what Amount was paid with
	Tax                money.Amount
	TaxParts           charge.Parts
	EndedBy            string // order that unsubscribed it
}

// New is a resource that has been paid, with its first term.
type New struct {
	Resource
	First Term
}

// Prepare dates a resource that is to be provisioned. The instance is minted by the caller, since fee records name it. Keep keeps it.
func (n *New) Prepare(now time.Time) {
	r := &n.Resource
	r.Status, r.AutoLeft, r.Created, r.Updated = Provisioning, Unlimited, now, now
}

// Begin is Prepare and Start in one, for a house that provisions by itself. Keep keeps it.
func (n *New) Begin(random io.Reader, now, at time.Time, life Life) error {
	id, err := ident.NewResourceID(random)
	if err != nil {
		return err
	}
	r := &n.Resource
	r.ID, r.Status, r.AutoLeft, r.Created, r.Updated = string(id), InUse, Unlimited, now, now
	r.Effective, r.Anchor, r.Expires = at, at, period.End(at, r.Unit, r.Periods)
	r.Next = life.next(r, at)
	n.First.Span = period.Span{Start: r.Anchor, End: r.Expires}
	return nil
}

// Keep keeps new resources with their first terms.
func Keep(ctx context.Context, tx *db.Tx, list []New) error {
	resources, terms := make([][]any, len(list)), make([][]any, len(list))
	for i := range list {
		r, t := &list[i].Resource, &list[i].First
		t.Customer, t.Instance, t.K, t.Order, t.Line, t.Unit, t.Periods = r.Customer, r.Instance, 0, r.Order, r.Line, r.Unit, r.Periods
		resources[i], terms[i] = r.row(), t.row()
	}
	return keep(ctx, tx, resources, terms)
}

// Start puts a provisioned resource into use: its first term begins at the given instant. Without an id of the cloud
// one is minted. A resource that is in use already under the same id is left as it is, under another one it is refused.
func Start(ctx context.Context, tx *db.Tx, random io.Reader, r *Resource, id, name string, at time.Time, life Life) error {
	if r.Status != Provisioning {
		if r.ID == id && r.Status != Closed {
			return nil
		}
		return fault.New(fault.Conflict, "PURSER.0802", "resource instance %s is not waiting to be provisioned", r.Instance)
	}
	if id == "" {
		minted, err := ident.NewResourceID(random)
		if err != nil {
			return err
		}
		id = string(minted)
	}
	r.ID, r.Status, r.Effective, r.Anchor, r.Updated, r.BusyWith = id, InUse, at, at, tx.Now, ""
	if name != "" {
		r.Name = name
	}
	r.Expires = period.End(at, r.Unit, r.Periods)
	r.Next = life.next(r, at)
	started, err := start(ctx, tx, r)
	if err == nil && !started {
		err = fault.New(fault.Conflict, "PURSER.0803", "the customer has a resource %s already", id)
	}
	if err != nil {
		return err
	}
	return startTerm(ctx, tx, r)
}

// Close ends a resource and the terms that an order gives back.
func Close(ctx context.Context, tx *db.Tx, r *Resource, order string) error {
	r.Status, r.BusyWith, r.Updated, r.Next = Closed, "", tx.Now, time.Time{}
	if err := update(ctx, tx, r); err != nil {
		return err
	}
	return endTerms(ctx, tx, r.Customer, r.Instance, order)
}

// Occupy lets an order work on a resource; Vacate ends that.
func Occupy(ctx context.Context, tx *db.Tx, r *Resource, order string) error {
	r.BusyWith, r.Updated = order, tx.Now
	return update(ctx, tx, r)
}

// Vacate ends an order's work on a resource.
func Vacate(ctx context.Context, tx *db.Tx, r *Resource) error { return Occupy(ctx, tx, r, "") }

// Find finds a customer's resource by the cloud's id; closed ones too.
func Find(ctx context.Context, r db.Reader, customer, id string) (Resource, error) {
	out, err := byID(ctx, r, customer, id)
	if errors.Is(err, db.ErrNoRows) {
		err = Unknown(id)
	}
	return out, err
}

// Unknown is what is said of an id that no resource of the customer has, or none that the caller sees.
func Unknown(id string) error {
	return fault.New(fault.Invalid, "CBC.99003012", "the customer has no yearly/monthly resource %s", id)
}

// WithAttached lists a primary resource and what is attached to it.
func WithAttached(ctx context.Context, r db.Reader, primary *Resource) ([]Resource, error) {
	attached, err := ofParent(ctx, r, primary.Customer, primary.Instance)
	return append([]Resource{*primary}, attached...), err
}

// Related lists the other primary resources that a primary one goes with, either way round; closed ones too.
func Related(ctx context.Context, r db.Reader, primary *Resource) ([]Resource, error) {
	return related(ctx, r, primary)
}

// OfOrder lists the resources that an order bought, by line.
func OfOrder(ctx context.Context, r db.Reader, customer, order string) ([]Resource, error) {
	return ofOrder(ctx, r, customer, order)
}

// BusyWith lists the resources that an order is at work on.
func BusyWith(ctx context.Context, r db.Reader, customer, order string) ([]Resource, error) {
	return busyWith(ctx, r, customer, order)
}

// ParentsOf finds the cloud's ids of the primary resources that some of these are attached to, by instance.
func ParentsOf(ctx context.Context, r db.Reader, list []Resource) (map[string]string, error) {
	return parentsOf(ctx, r, list)
}

// Terms lists the terms of a resource that were not given back, by k.
func Terms(ctx context.Context, r db.Reader, customer, instance string) ([]Term, error) {
	return terms(ctx, r, customer, instance)
}

// Check holds the terms of a customer's resources against the resources: without gap or overlap from where the resource began
// to where it expires. It says what does not fit.
func Check(ctx context.Context, r db.Reader, customer string) (wrong []string, err error) {
	var at Resource
	var end time.Time
	over := func() {
		if at.Instance != "" && !end.Equal(at.Expires) {
			wrong = append(wrong, fmt.Sprintf("resource %s: its terms end %s, it expires %s", at.ID, end.UTC().Format(time.RFC3339), at.Expires.UTC().Format(time.RFC3339)))
		}
	}
	err = spans(ctx, r, customer, func(one *Resource, s period.Span) {
		if one.Instance != at.Instance {
			over()
			at, end = *one, one.Effective
		}
		if !s.Start.Equal(end) || !s.End.After(s.Start) {
			wrong = append(wrong, fmt.Sprintf("resource %s: a term from %s to %s, the one before it ends %s", at.ID, s.Start.UTC().Format(time.RFC3339), s.End.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339)))
		}
		end = s.End
	})
	over()
	return wrong, err
}

// Place moves a resource into an enterprise project; what was charged before stays where it was.
func Place(ctx context.Context, tx *db.Tx, r *Resource, project string) error {
	r.Project, r.Updated = project, tx.Now
	return place(ctx, tx, r)
}

// Query filters a customer's resources (api.md 6.1); empty fields leave nothing out.
type Query struct {
	IDs                []string
	Order              string
	OnlyMain           bool
	Statuses           []Status
	ExpiresFrom        time.Time
	ExpiresTo          time.Time
	Service            string
	WithAttachedOfThem bool     // IDs of primary resources bring their attached ones along
	Open               bool     // not closed
	Types              []string // resource types; nil: all
	Regions            []string // nil: all
	Name               string   // part of it, without case
	Within             []string // enterprise projects; nil: all
}

// List pages through a customer's resources, newest first. Those being provisioned are left out.
func List(ctx context.Context, r db.Reader, customer string, q *Query, offset, limit int) (total int, page []Resource, err error) {
	return list(ctx, r, customer, q, offset, limit)
}

// Whereabouts of a resource: its id in the cloud and its zone.
type Whereabouts struct{ ID, Zone string }

// Where says of all resources of some customers where they are, by instance; instances are unique among all.
func Where(ctx context.Context, r db.Reader, customers []string) (map[string]Whereabouts, error) {
	return where(ctx, r, customers)
}
