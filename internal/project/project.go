// Package project owns enterprise projects: which an account has, whether billing knows of them, what was moved between
// them, and what a project may cost in a month.
//
// It does not own what belongs to a project (order, subscription, usage … carry its id), nor who may see it (identity).
//
// States: enabled ↔ disabled; where deleting is allowed, either → deleted. The default project (`0`) is every account's,
// always enabled and never changed; it has no row.
//
// Meanings of time: all instants are business time; a budget's month is a bill cycle (GMT+8).
//
// Invariants: of the projects that are not deleted no two have one name, and none is named default; there are never more
// than Rules.Most of them, disabled ones included; a move is only added.
package project

import (
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Default is the project that every account has, and its name.
const (
	Default     = "0"
	DefaultName = "default"
)

// Kinds of projects.
const (
	Commercial = "prod"
	Trial      = "poc"
)

// Project is an enterprise project of a customer.
type Project struct {
	Customer    string
	ID          string
	Name        string
	Description string
	Kind        string
	Enabled     bool
	Created     time.Time
	Updated     time.Time
	Deleted     time.Time // zero: not
}

// Rules are the settings of the room; see docs/settings.md.
type Rules struct {
	Most      int  // projects of an account, beside the default one
	Deletable bool // projects can be deleted
}

// StandardRules are the defaults: 100 projects, none of them ever deleted (billing-rules 7).
func StandardRules() Rules { return Rules{Most: 100} }

// descriptionMost is how long a description is, in characters.
const descriptionMost = 512

// nameForm: Latin letters, digits, Chinese characters, underscore, hyphen (billing-rules 7).
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_\x{4e00}-\x{9fff}-]{1,64}$`)

// Open opens enterprise projects to a customer; again says that they were open before.
func Open(ctx context.Context, tx *db.Tx, customer string) (again bool, err error) {
	added, err := insertOpened(ctx, tx, customer)
	return !added, err
}

// Opened says whether enterprise projects are open to a customer.
func Opened(ctx context.Context, r db.Reader, customer string) (bool, error) {
	return opened(ctx, r, customer)
}

// defaultOf is the default project of a customer that has been there since an instant.
func defaultOf(customer string, since time.Time) Project {
	return Project{Customer: customer, ID: Default, Name: DefaultName, Description: "Resources assigned to no other project", Kind: Commercial, Enabled: true, Created: since, Updated: since}
}

// Unknown is what is said of a project that the account has not, or that the caller does not see.
func Unknown(id string) error {
	return fault.New(fault.NotFound, "EPS.0005", "the account has no enterprise project %s", id)
}

func checkName(name string) error {
	if !nameForm.MatchString(name) || strings.EqualFold(name, DefaultName) {
		return fault.New(fault.Invalid, "EPS.0007", "name: 1 to 64 letters, digits, Chinese characters, _ or -, and not %s in any mix of capitals", DefaultName)
	}
	return nil
}

func checkDescription(text string) error {
	if utf8.RuneCountInString(text) > descriptionMost {
		return fault.New(fault.Invalid, "EPS.0008", "description: at most %d characters", descriptionMost)
	}
	return nil
}

// Add makes a project, enabled. Faults, in this order: EPS.0007, EPS.0008, EPS.0039 not open to the customer, EPS.0010 the
// name is taken, EPS.0009 as many as there may be.
func Add(ctx context.Context, tx *db.Tx, random io.Reader, rules *Rules, p *Project) error {
	if err := checkName(p.Name); err != nil {
		return err
	}
	if err := checkDescription(p.Description); err != nil {
		return err
	}
	open, err := opened(ctx, tx, p.Customer)
	if err != nil {
		return err
	}
	if !open {
		return fault.New(fault.Forbidden, "EPS.0039", "enterprise projects are not open to this account yet: POST /v2/enterprises/enterprise-projects/authority opens them")
	}
	all, err := entries(ctx, tx, p.Customer)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(other Project) bool { return other.Name == p.Name }) {
		return errTaken(p.Name)
	}
	if len(all) >= rules.Most {
		return fault.New(fault.Invalid, "EPS.0009", "the account has %d enterprise projects, as many as it may have", len(all))
	}
	id, err := ident.NewEnterpriseProjectID(random)
	if err != nil {
		return err
	}
	p.ID, p.Enabled, p.Created, p.Updated, p.Kind = string(id), true, tx.Now, tx.Now, cmp.Or(p.Kind, Commercial)
	return insert(ctx, tx, p)
}

func errTaken(name string) error {
	return fault.New(fault.Conflict, "EPS.0010", "the account already has an enterprise project named %s", name)
}

// Find finds a project of a customer that is not deleted; since dates the default one. EPS.0005.
func Find(ctx context.Context, r db.Reader, customer, id string, since time.Time) (Project, error) {
	if id == Default {
		return defaultOf(customer, since), nil
	}
	p, err := read(ctx, r, customer, id)
	if errors.Is(err, db.ErrNoRows) {
		return p, Unknown(id)
	}
	return p, err
}

// Query filters and sorts projects; empty fields leave nothing out.
type Query struct {
	ID      string
	Name    string // part of it, without case
	Enabled *bool
	Kind    string
	By      string   // created_at, updated_at or name
	Down    bool     // the largest first
	Within  []string // nil: all; else these projects only
}

// List pages through a customer's projects, the default one among them; since dates that. An account has so few that all
// are read: names are sorted alike on every engine.
func List(ctx context.Context, r db.Reader, customer string, q *Query, since time.Time, offset, limit int) (total int, page []Project, err error) {
	all, err := entries(ctx, r, customer)
	if err != nil {
		return 0, nil, err
	}
	part := strings.ToLower(q.Name)
	var found []Project
	for _, p := range append(all, defaultOf(customer, since)) {
		if q.ID != "" && q.ID != p.ID || !strings.Contains(strings.ToLower(p.Name), part) || q.Enabled != nil && *q.Enabled != p.Enabled ||
			q.Kind != "" && q.Kind != p.Kind || q.Within != nil && !slices.Contains(q.Within, p.ID) {
			continue
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b Project) int {
		n := 0
		switch q.By {
		case "name":
			n = cmp.Compare(a.Name, b.Name)
		case "updated_at":
			n = a.Updated.Compare(b.Updated)
		default:
			n = a.Created.Compare(b.Created)
		}
		if n = cmp.Or(n, cmp.Compare(a.ID, b.ID)); q.Down {
			return -n
		}
		return n
	})
	from := min(offset, len(found))
	return len(found), found[from:min(from+limit, len(found))], nil
}

// Used is how many projects a customer has beside the default one.
func Used(ctx context.Context, r db.Reader, customer string) (int, error) {
	all, err := entries(ctx, r, customer)
	return len(all), err
}

// Names are the names of a customer's projects by id, deleted ones and the default one included.
func Names(ctx context.Context, r db.Reader, customer string) (map[string]string, error) {
	out, err := names(ctx, r, customer)
	if err == nil {
		out[Default] = DefaultName
	}
	return out, err
}

// Change renames and describes a project; nil leaves the description, an empty kind the kind. Faults, in this order:
// EPS.0007, EPS.0008, EPS.0012 the default project, EPS.0005, EPS.0014 disabled, EPS.0002 a commercial one on trial,
// EPS.0010 the name is taken.
func Change(ctx context.Context, tx *db.Tx, customer, id, name string, description *string, kind string) (Project, error) {
	if err := checkName(name); err != nil {
		return Project{}, err
	}
	if description != nil {
		if err := checkDescription(*description); err != nil {
			return Project{}, err
		}
	}
	if id == Default {
		return Project{}, fault.New(fault.Invalid, "EPS.0012", "the default project cannot be changed")
	}
	p, err := Find(ctx, tx, customer, id, time.Time{})
	if err != nil {
		return p, err
	}
	switch {
	case !p.Enabled:
		return p, fault.New(fault.Invalid, "EPS.0014", "enterprise project %s is disabled and cannot be changed", id)
	case kind == Trial && p.Kind == Commercial:
		return p, fault.New(fault.Invalid, "EPS.0002", "type: a commercial project cannot be put on trial")
	}
	if name != p.Name {
		all, err := entries(ctx, tx, customer)
		if err != nil {
			return p, err
		}
		if slices.ContainsFunc(all, func(other Project) bool { return other.Name == name }) {
			return p, errTaken(name)
		}
	}
	p.Name, p.Kind, p.Updated = name, cmp.Or(kind, p.Kind), tx.Now
	if description != nil {
		p.Description = *description
	}
	return p, update(ctx, tx, &p)
}

// Switch enables or disables a project; what it is already, it stays. Who disables has looked for unfinished orders.
// Faults, in this order: EPS.0015 the default project, EPS.0005.
func Switch(ctx context.Context, tx *db.Tx, customer, id string, on bool) error {
	if id == Default {
		return fault.New(fault.Invalid, "EPS.0015", "the default project can be neither enabled nor disabled")
	}
	p, err := Find(ctx, tx, customer, id, time.Time{})
	if err != nil || p.Enabled == on {
		return err
	}
	p.Enabled, p.Updated = on, tx.Now
	return update(ctx, tx, &p)
}

// Deletable refuses to delete a project, before anybody looks for what it holds. Faults, in this order: EPS.0039 switched
// off, EPS.0012 the default project, EPS.0005.
func Deletable(ctx context.Context, tx *db.Tx, rules *Rules, customer, id string) error {
	if !rules.Deletable {
		return fault.New(fault.Forbidden, "EPS.0039", "enterprise projects cannot be deleted here")
	}
	if id == Default {
		return fault.New(fault.Invalid, "EPS.0012", "the default project cannot be deleted")
	}
	_, err := Find(ctx, tx, customer, id, time.Time{})
	return err
}

// Delete deletes a project that holds nothing, with its budget.
func Delete(ctx context.Context, tx *db.Tx, customer, id string) error {
	p, err := Find(ctx, tx, customer, id, time.Time{})
	if err != nil {
		return err
	}
	p.Deleted, p.Updated = tx.Now, tx.Now
	if err := update(ctx, tx, &p); err != nil {
		return err
	}
	return dropBudget(ctx, tx, customer, id)
}

// Takes refuses a project into which nothing new may come: EPS.0005 unknown, EPS.0034 disabled.
func Takes(ctx context.Context, r db.Reader, customer, id string) (Project, error) {
	p, err := Find(ctx, r, customer, id, time.Time{})
	if err == nil && !p.Enabled {
		err = fault.New(fault.Invalid, "EPS.0034", "enterprise project %s is disabled and takes nothing in", id)
	}
	return p, err
}

// Move is a resource that was moved between projects. Names are those of the time.
type Move struct {
	Customer, ID                 string
	Resource, Name, Type, Region string
	CloudProject                 string
	Origin, OriginName           string
	Target, TargetName           string
	Associated                   bool
	User                         string
	At                           time.Time
}

// Keep keeps a move.
func Keep(ctx context.Context, tx *db.Tx, random io.Reader, m *Move) error {
	id, err := ident.NewMoveID(random, tx.Now)
	if err != nil {
		return err
	}
	m.ID, m.At = string(id), tx.Now
	return insertMove(ctx, tx, m)
}

// MoveQuery filters moves; empty fields leave nothing out.
type MoveQuery struct {
	From, To time.Time // To exclusive
	Resource string
	Within   []string // nil: all; else moves of which both projects are among these
}

// Moves pages through a customer's moves, newest first.
func Moves(ctx context.Context, r db.Reader, customer string, q *MoveQuery, offset, limit int) ([]Move, error) {
	return moves(ctx, r, customer, q, offset, limit)
}
