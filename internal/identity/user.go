package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Domain is an account.
type Domain struct {
	ID, Name string
	Kind     string // operator, partner or customer
	Partner  string // domain id of the customer's partner; empty without
	Enabled  bool
}

// Project is a region's share of an account; its name is the region's code.
type Project struct{ ID, Name string }

// User is a person or a program of an account.
type User struct {
	DomainID, DomainName       string
	ID, Name                   string
	Email, Mobile, Description string
	Enabled, Owner             bool
	Created, PasswordSet       time.Time // real time
	domainOn                   bool
	password                   []byte
	failures                   int64
	lockedUntil                time.Time
}

var nameForm = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} _.@\-]{0,63}$`)

func checkName(what, name string) error {
	if !nameForm.MatchString(name) {
		return fault.New(fault.Invalid, "CBC.0100", "%s: 1 to 64 letters, digits, spaces or _ . @ -, beginning with a letter or a digit", what)
	}
	return nil
}

// CheckPassword says what is wrong with a new password.
func CheckPassword(password Secret, userName string) error {
	n := utf8.RuneCountInString(string(password))
	switch {
	case n < 8 || n > 64:
		return fault.New(fault.Invalid, "IAM.1109", "the password must have 8 to 64 characters")
	case strings.EqualFold(string(password), userName):
		return fault.New(fault.Invalid, "IAM.1109", "the password must not be the user name")
	}
	return nil
}

// AddDomain opens an account with a project in each region; the projects' names are region codes.
func (d *Desk) AddDomain(ctx context.Context, tx *db.Tx, domain *Domain, regions []string) ([]Project, error) {
	if err := checkName("account name", domain.Name); err != nil {
		return nil, err
	}
	id, err := ident.NewDomainID(d.random)
	if err != nil {
		return nil, err
	}
	domain.ID, domain.Enabled = string(id), true
	added, err := insertDomain(ctx, tx, domain)
	if err != nil {
		return nil, fmt.Errorf("open the account: %w", err)
	}
	if !added {
		return nil, fault.New(fault.Conflict, "PURSER.0101", "there is already an account named %s", domain.Name)
	}
	projects := make([]Project, 0, len(regions))
	for _, region := range regions {
		p, err := d.addProject(ctx, tx, domain.ID, region)
		if err != nil {
			return nil, err
		}
		projects = append(projects, p)
	}
	return projects, changed(ctx, tx)
}

func (d *Desk) addProject(ctx context.Context, tx *db.Tx, domain, name string) (Project, error) {
	id, err := ident.NewProjectID(d.random)
	if err != nil {
		return Project{}, err
	}
	p := Project{ID: string(id), Name: name}
	added, err := insertProject(ctx, tx, domain, p)
	if err != nil {
		return Project{}, fmt.Errorf("add the project: %w", err)
	}
	if !added {
		return Project{}, fault.New(fault.Conflict, "PURSER.0101", "the account already has a project %s", name)
	}
	return p, nil
}

// AddUser adds a user to an account. Hash the password outside of the transaction: it takes tens of milliseconds.
func (d *Desk) AddUser(ctx context.Context, tx *db.Tx, u *User, hash []byte) error {
	if err := checkName("user name", u.Name); err != nil {
		return err
	}
	id, err := ident.NewUserID(d.random)
	if err != nil {
		return err
	}
	u.ID, u.password, u.Enabled, u.Created, u.PasswordSet = string(id), hash, true, tx.Real, tx.Real
	added, err := insertUser(ctx, tx, u)
	if err != nil {
		return fmt.Errorf("add the user: %w", err)
	}
	if !added {
		return fault.New(fault.Conflict, "PURSER.0101", "the account already has a user %s", u.Name)
	}
	return changed(ctx, tx)
}

// HashPassword makes what is kept of a password. At most two run at once: each takes 19 MiB.
func (d *Desk) HashPassword(ctx context.Context, password Secret) ([]byte, error) {
	if err := d.mayHash(ctx); err != nil {
		return nil, err
	}
	defer func() { <-d.hashing }()
	return hashPassword(d.random, password)
}

func (d *Desk) mayHash(ctx context.Context) error {
	select {
	case d.hashing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AddGroup adds a user group and puts users into it.
func (d *Desk) AddGroup(ctx context.Context, tx *db.Tx, domain, name string, users ...string) (string, error) {
	id, err := ident.NewGroupID(d.random)
	if err != nil {
		return "", err
	}
	added, err := insertGroup(ctx, tx, domain, string(id), name)
	if err != nil {
		return "", fmt.Errorf("add the group: %w", err)
	}
	if !added {
		return "", fault.New(fault.Conflict, "PURSER.0101", "the account already has a group %s", name)
	}
	for _, user := range users {
		if err := insertMember(ctx, tx, domain, string(id), user); err != nil {
			return "", fmt.Errorf("join the group: %w", err)
		}
	}
	return string(id), changed(ctx, tx)
}

// SetPolicy gives a user or a group a policy under a name, in place of the one it had.
func (d *Desk) SetPolicy(ctx context.Context, tx *db.Tx, domain, principal, name string, statements []Statement) error {
	if err := CheckStatements(statements); err != nil {
		return err
	}
	text, err := json.Marshal(statements)
	if err != nil {
		return err
	}
	if err := putPolicy(ctx, tx, domain, principal, name, string(text)); err != nil {
		return fmt.Errorf("set the policy: %w", err)
	}
	return changed(ctx, tx)
}

// UserChange is what UpdateUser changes; nil leaves a field.
type UserChange struct {
	Name, Email, Mobile, Description *string
	Enabled                          *bool
}

// UpdateUser changes a user's record. Disabling voids its tokens; the account's owner cannot be disabled.
func (d *Desk) UpdateUser(ctx context.Context, tx *db.Tx, domain, id string, change UserChange) (User, error) {
	u, err := FindUser(ctx, tx, domain, id)
	if err != nil {
		return u, err
	}
	set := func(field *string, value *string) {
		if value != nil {
			*field = *value
		}
	}
	if change.Name != nil && *change.Name != u.Name {
		if err := checkName("user name", *change.Name); err != nil {
			return u, err
		}
		if _, err := readUserByDomainID(ctx, tx, domain, *change.Name); !errors.Is(err, db.ErrNoRows) {
			if err != nil {
				return u, err
			}
			return u, fault.New(fault.Conflict, "PURSER.0101", "the account already has a user %s", *change.Name)
		}
	}
	set(&u.Name, change.Name)
	set(&u.Email, change.Email)
	set(&u.Mobile, change.Mobile)
	set(&u.Description, change.Description)
	if change.Enabled != nil {
		if u.Owner && !*change.Enabled {
			return u, fault.New(fault.Forbidden, "CBC.0151", "the owner of an account cannot be disabled; disable the account")
		}
		if u.Enabled = *change.Enabled; !u.Enabled {
			if err := voidCredentials(ctx, tx, domain, id); err != nil {
				return u, fmt.Errorf("void tokens: %w", err)
			}
		}
	}
	if err := updateUser(ctx, tx, &u); err != nil {
		return u, fmt.Errorf("update the user: %w", err)
	}
	return u, changed(ctx, tx)
}

// SetPassword changes a password to one hashed before, and voids the user's tokens and temporary keys.
func (d *Desk) SetPassword(ctx context.Context, tx *db.Tx, domain, id string, hash []byte) error {
	if err := setPassword(ctx, tx, domain, id, hash); err != nil {
		return fmt.Errorf("set the password: %w", err)
	}
	if err := voidCredentials(ctx, tx, domain, id); err != nil {
		return fmt.Errorf("void tokens: %w", err)
	}
	return changed(ctx, tx)
}

// SetDomainEnabled opens or shuts an account: none of its users can call while it is shut.
func (d *Desk) SetDomainEnabled(ctx context.Context, tx *db.Tx, id string, enabled bool) error {
	found, err := setDomainEnabled(ctx, tx, id, enabled)
	if err != nil {
		return fmt.Errorf("change the account: %w", err)
	}
	if !found {
		return fault.New(fault.NotFound, "PURSER.0104", "there is no account %s", id)
	}
	return changed(ctx, tx)
}

// FindUser finds a user of an account by id.
func FindUser(ctx context.Context, r db.Reader, domain, id string) (User, error) {
	u, err := readUser(ctx, r, domain, id)
	if errors.Is(err, db.ErrNoRows) {
		return u, fault.New(fault.NotFound, "IAM.0004", "Could not find user: %s.", printable(id))
	}
	return u, err
}

// FindUserByName finds a user of an account by name.
func FindUserByName(ctx context.Context, r db.Reader, domain, name string) (User, error) {
	u, err := readUserByDomainID(ctx, r, domain, name)
	if errors.Is(err, db.ErrNoRows) {
		return u, fault.New(fault.NotFound, "IAM.0004", "the account has no user %s", printable(name))
	}
	return u, err
}

// FindDomain finds an account by its id, or by its name.
func FindDomain(ctx context.Context, r db.Reader, idOrName string) (Domain, error) {
	found, err := readDomain(ctx, r, "id", idOrName)
	if errors.Is(err, db.ErrNoRows) {
		found, err = readDomain(ctx, r, "name", idOrName)
	}
	if errors.Is(err, db.ErrNoRows) {
		return found, fault.New(fault.NotFound, "PURSER.0104", "there is no account %s", printable(idOrName))
	}
	return found, err
}

// Users lists an account's users by name.
func Users(ctx context.Context, r db.Reader, domain string) ([]User, error) {
	return listUsers(ctx, r, domain)
}

// Domains lists all accounts: the operator's view.
func Domains(ctx context.Context, r db.Reader) ([]Domain, error) { return listDomains(ctx, r) }

// Named are the ids, in order, of at most n accounts with a part of a name in any case.
func Named(ctx context.Context, r db.Reader, part string, n int) ([]string, error) {
	return named(ctx, r, part, n)
}

// Projects lists an account's projects by name.
func Projects(ctx context.Context, r db.Reader, domain string) ([]Project, error) {
	return listProjects(ctx, r, domain)
}
