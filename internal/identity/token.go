package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// SignIn is an attempt to get a token by password. The user is named by id, or by name with its account.
type SignIn struct {
	UserID     string
	UserName   string
	DomainName string
	DomainID   string
	Password   Secret
	// Scope: a project wins over a domain; none means the account.
	ProjectID, ProjectName    string
	ScopeDomain, ScopeDomName string
}

// Token is a token that was issued or found. Text is set only when it is issued.
type Token struct {
	Text            Secret
	Caller          Caller
	Project         *Project // in project scope
	Issued, Expires time.Time
	PasswordSet     time.Time
}

// Candidate is the user that a sign-in names, with whether its password is right.
type Candidate struct {
	user  User
	found bool
	right bool
}

// Who is the user that a sign-in named, without what it may do; nobody when there is none.
func (c *Candidate) Who() Caller {
	if !c.found {
		return Caller{}
	}
	return Caller{DomainID: c.user.DomainID, DomainName: c.user.DomainName, UserID: c.user.ID, UserName: c.user.Name, Owner: c.user.Owner}
}

// errSignIn is the one refusal for a wrong user, a wrong account and a wrong password.
func errSignIn() error {
	return fault.New(fault.Unauthenticated, "IAM.0101", "The username or password is wrong.")
}

// Examine finds the user of a sign-in and compares its password, which takes as long for a user that is not there.
// It runs outside of the writing transaction.
func (d *Desk) Examine(ctx context.Context, r db.Reader, s *SignIn) (Candidate, error) {
	var c Candidate
	var err error
	switch {
	case s.UserID != "":
		c.user, err = readUserByID(ctx, r, s.UserID)
	case s.DomainID != "":
		c.user, err = readUserByDomainID(ctx, r, s.DomainID, s.UserName)
	default:
		c.user, err = readUserByName(ctx, r, s.DomainName, s.UserName)
	}
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return c, fmt.Errorf("sign in: %w", err)
	}
	c.found = err == nil
	if err := d.mayHash(ctx); err != nil {
		return c, err
	}
	defer func() { <-d.hashing }()
	c.right = samePassword(c.user.password, s.Password)
	return c, nil
}

// Issue issues a token to a candidate. A refusal is returned apart from err, because the failure that it counts
// must be kept: wrong password or locked (after 5 failures, for 15 minutes), disabled, scope not the user's own.
func (d *Desk) Issue(ctx context.Context, tx *db.Tx, c Candidate, s *SignIn) (t Token, refusal, err error) {
	if !c.found {
		return t, errSignIn(), nil
	}
	u, err := readUser(ctx, tx, c.user.DomainID, c.user.ID) // again: other attempts may have counted meanwhile
	if err != nil {
		return t, nil, fmt.Errorf("sign in: %w", err)
	}
	if tx.Real.Before(u.lockedUntil) {
		f := fault.New(fault.Unauthenticated, "IAM.0062", "too many wrong passwords: the user is locked until %s", u.lockedUntil.Format(time.RFC3339))
		f.Retry = int(u.lockedUntil.Sub(tx.Real)/time.Second) + 1
		return t, f, nil
	}
	if !c.right {
		return t, errSignIn(), d.countFailure(ctx, tx, &u)
	}
	if !u.Enabled || !u.domainOn {
		return t, fault.New(fault.Unauthenticated, "IAM.0063", "the user or its account is disabled"), nil
	}
	if u.failures > 0 {
		if err := setFailures(ctx, tx, &u, 0, time.Time{}); err != nil {
			return t, nil, fmt.Errorf("sign in: %w", err)
		}
	}
	project, refusal, err := scopeOf(ctx, tx, &u, s)
	if refusal != nil || err != nil {
		return t, refusal, err
	}
	t, err = d.issue(ctx, tx, &u, project)
	return t, nil, err
}

func (d *Desk) countFailure(ctx context.Context, tx *db.Tx, u *User) error {
	failures, until := u.failures+1, time.Time{}
	if failures >= FailuresMost {
		failures, until = 0, tx.Real.Add(LockTime)
	}
	if err := setFailures(ctx, tx, u, failures, until); err != nil {
		return fmt.Errorf("count the failed sign-in: %w", err)
	}
	return nil
}

// scopeOf finds the project that is asked for; nil is the account itself.
func scopeOf(ctx context.Context, r db.Reader, u *User, s *SignIn) (project *Project, refusal, err error) {
	if s.ProjectID == "" && s.ProjectName == "" {
		if s.ScopeDomain != "" && s.ScopeDomain != u.DomainID || s.ScopeDomName != "" && s.ScopeDomName != u.DomainName {
			return nil, fault.New(fault.Forbidden, "IAM.0002", "the scope is not the user's account"), nil
		}
		return nil, nil, nil
	}
	projects, err := listProjects(ctx, r, u.DomainID)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range projects {
		if s.ProjectID != "" && p.ID == s.ProjectID || s.ProjectID == "" && p.Name == s.ProjectName {
			return &p, nil, nil
		}
	}
	return nil, fault.New(fault.Forbidden, "IAM.0002", "the account has no such project"), nil
}

func (d *Desk) issue(ctx context.Context, tx *db.Tx, u *User, project *Project) (t Token, err error) {
	text, err := ident.NewSecret(d.random, 64)
	if err != nil {
		return t, err
	}
	t = Token{Text: Secret(text), Project: project, Issued: tx.Real, Expires: tx.Real.Add(TokenLife), PasswordSet: u.PasswordSet}
	kept := keptToken{domain: u.DomainID, user: u.ID, Issued: t.Issued, Expires: t.Expires}
	if project != nil {
		kept.Project = project.ID
	}
	if err := insertToken(ctx, tx, fingerprint(t.Text), kept); err != nil {
		return t, fmt.Errorf("issue a token: %w", err)
	}
	if t.Caller, _, err = readCaller(ctx, tx, u.DomainID, u.ID); err != nil {
		return t, err
	}
	t.Caller.ProjectID, t.Caller.By = kept.Project, ByToken
	return t, dropExpired(ctx, tx)
}

// CheckToken finds a token that is good, for a caller of the same account or the operator.
func (d *Desk) CheckToken(ctx context.Context, r db.Reader, by *Caller, text Secret) (t Token, err error) {
	notFound := fault.New(fault.NotFound, "IAM.0004", "Could not find token.")
	_, real := r.Instant()
	kept, err := readToken(ctx, r, fingerprint(text))
	if errors.Is(err, db.ErrNoRows) {
		return t, notFound
	}
	if err != nil {
		return t, fmt.Errorf("check the token: %w", err)
	}
	caller, usable, err := readCaller(ctx, r, kept.domain, kept.user)
	if err != nil {
		return t, err
	}
	if usable != nil || !real.Before(kept.Expires) || by.DomainKind != Operator && by.DomainID != kept.domain {
		return t, notFound
	}
	u, err := FindUser(ctx, r, kept.domain, kept.user)
	if err != nil {
		return t, err
	}
	caller.ProjectID, caller.By = kept.Project, ByToken
	t = Token{Caller: caller, Issued: kept.Issued, Expires: kept.Expires, PasswordSet: u.PasswordSet}
	if kept.Project != "" {
		projects, err := listProjects(ctx, r, kept.domain)
		if err != nil {
			return t, err
		}
		for _, p := range projects {
			if p.ID == kept.Project {
				t.Project = &p
			}
		}
	}
	return t, nil
}

// ComparePassword says whether a user's password is this one; it runs outside of the writing transaction.
func (d *Desk) ComparePassword(ctx context.Context, u *User, password Secret) (bool, error) {
	if err := d.mayHash(ctx); err != nil {
		return false, err
	}
	defer func() { <-d.hashing }()
	return samePassword(u.password, password), nil
}
