package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
)

// Grant is what a user or a group may do in one enterprise project, beside what it may everywhere.
type Grant struct {
	User, Group string // name of the one that it is for; the other is empty
	Project     string
	Actions     []string
	principal   string
}

// Group is a group of users.
type Group struct {
	ID, Name string
	Users    []string // names
}

// SetGrant lets a user or a group do the actions in a project, in place of what it could there before. Who calls has
// looked whether the project exists. Denials are for policies: what is denied everywhere is denied here too.
func (d *Desk) SetGrant(ctx context.Context, tx *db.Tx, domain string, g *Grant) error {
	statements := []Statement{{Effect: "allow", Actions: g.Actions}}
	if err := CheckStatements(statements); err != nil {
		return err
	}
	principal, err := principalOf(ctx, tx, domain, g)
	if err != nil {
		return err
	}
	text, err := json.Marshal(statements)
	if err != nil {
		return err
	}
	if err := putGrant(ctx, tx, domain, principal, g.Project, string(text)); err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	return changed(ctx, tx)
}

// DropGrant takes back what a user or a group may do in a project. PURSER.0115: nothing was granted.
func (d *Desk) DropGrant(ctx context.Context, tx *db.Tx, domain string, g *Grant) error {
	principal, err := principalOf(ctx, tx, domain, g)
	if err != nil {
		return err
	}
	had, err := dropGrant(ctx, tx, domain, principal, g.Project)
	if err != nil {
		return fmt.Errorf("take a grant back: %w", err)
	}
	if !had {
		return fault.New(fault.NotFound, "PURSER.0115", "nothing was granted to %s in project %s", printable(g.User+g.Group), printable(g.Project))
	}
	return changed(ctx, tx)
}

// DropGrantsOf takes back everything that was granted in a project: it is deleted.
func (d *Desk) DropGrantsOf(ctx context.Context, tx *db.Tx, domain, project string) error {
	if err := dropGrantsOf(ctx, tx, domain, project); err != nil {
		return fmt.Errorf("take grants back: %w", err)
	}
	return changed(ctx, tx)
}

// Grants lists what is granted in single projects of an account, or in one of them.
func Grants(ctx context.Context, r db.Reader, domain, project string) ([]Grant, error) {
	return listGrants(ctx, r, domain, project)
}

func principalOf(ctx context.Context, r db.Reader, domain string, g *Grant) (string, error) {
	switch {
	case (g.User == "") == (g.Group == ""):
		return "", fault.New(fault.Invalid, "CBC.0100", "user_name, group_name: exactly one of them")
	case g.User != "":
		u, err := FindUserByName(ctx, r, domain, g.User)
		return u.ID, err
	}
	return findGroup(ctx, r, domain, g.Group)
}

func findGroup(ctx context.Context, r db.Reader, domain, name string) (string, error) {
	id, err := readGroup(ctx, r, domain, name)
	if errors.Is(err, db.ErrNoRows) {
		err = fault.New(fault.NotFound, "PURSER.0116", "the account has no group %s", printable(name))
	}
	return id, err
}

// Groups lists the groups of an account by name.
func Groups(ctx context.Context, r db.Reader, domain string) ([]Group, error) {
	return listGroups(ctx, r, domain)
}

// SetGroup makes a group, or changes whom it holds: users by their names.
func (d *Desk) SetGroup(ctx context.Context, tx *db.Tx, domain, name string, users []string) (Group, error) {
	g := Group{Name: name, Users: []string{}}
	if err := checkName("group name", name); err != nil {
		return g, err
	}
	var ids []string
	for _, user := range users {
		u, err := FindUserByName(ctx, tx, domain, strings.TrimSpace(user))
		if err != nil {
			return g, err
		}
		ids, g.Users = append(ids, u.ID), append(g.Users, u.Name)
	}
	id, err := findGroup(ctx, tx, domain, name)
	if fault.Is(err, "PURSER.0116") {
		g.ID, err = d.AddGroup(ctx, tx, domain, name, ids...)
		return g, err
	}
	if err != nil {
		return g, err
	}
	g.ID = id
	if err := dropMembers(ctx, tx, domain, id); err != nil {
		return g, fmt.Errorf("change the group: %w", err)
	}
	for _, user := range ids {
		if err := insertMember(ctx, tx, domain, id, user); err != nil {
			return g, fmt.Errorf("join the group: %w", err)
		}
	}
	return g, changed(ctx, tx)
}

// DropGroup forgets a group and what it was allowed.
func (d *Desk) DropGroup(ctx context.Context, tx *db.Tx, domain, name string) error {
	id, err := findGroup(ctx, tx, domain, name)
	if err != nil {
		return err
	}
	if err := dropGroup(ctx, tx, domain, id); err != nil {
		return fmt.Errorf("forget the group: %w", err)
	}
	return changed(ctx, tx)
}
