package operation

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
)

// Authenticate says who sent a request.
func (c *Counter) Authenticate(ctx context.Context, call *Call, r *http.Request, body []byte) (caller identity.Caller, err error) {
	err = c.DB.View(ctx, c.instants(call), func(v *db.View) error {
		caller, err = c.Identity.Authenticate(ctx, v, r, body)
		return err
	})
	return caller, err
}

// own runs a read that a user may do for itself even without the operation's actions; mine says that it lacks them.
func (c *Counter) own(ctx context.Context, call *Call, deed func(v *db.View, scope identity.Scope, mine bool) error) error {
	scope, err := c.authorise(call)
	mine := fault.Is(err, "CBC.0151")
	if err != nil && !mine {
		return err
	}
	if mine {
		scope = identity.Scope{Customer: call.Caller.DomainID}
	}
	return c.DB.View(ctx, c.instants(call), func(v *db.View) error { return deed(v, scope, mine) })
}

// mayFor refuses a write for another user without the operation's actions; for oneself none are needed.
func (c *Counter) mayFor(call *Call, user string) error {
	if user == call.Caller.UserID {
		return nil
	}
	_, err := c.authorise(call)
	return err
}

// change runs a deed that changes identities with its trace, and lets the desk forget afterwards.
func (c *Counter) change(ctx context.Context, call *Call, deed func(tx *db.Tx) error) error {
	if err := c.ready(ctx, call); err != nil {
		return err
	}
	err := c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error {
		if err := deed(tx); err != nil {
			return err
		}
		return c.record(ctx, tx, c.Random, call, nil)
	})
	c.Identity.Changed()
	return err
}

// refusal leaves the trace of a change that was refused; deferred by it.
func (c *Counter) refusal(ctx context.Context, call *Call, err *error) {
	if *err != nil {
		c.Refused(ctx, call, *err)
	}
}

// IssueToken signs a user in by password. The comparison of passwords takes tens of milliseconds and stays outside
// of the writing transaction.
func (c *Counter) IssueToken(ctx context.Context, call *Call, s *identity.SignIn) (token identity.Token, err error) {
	if err := c.Identity.Throttle(call.Source, call.Real); err != nil {
		return token, err
	}
	var candidate identity.Candidate
	err = c.DB.View(ctx, c.instants(call), func(v *db.View) error {
		candidate, err = c.Identity.Examine(ctx, v, s)
		return err
	})
	if err != nil {
		return token, err
	}
	// The trace lies with the account that was to be entered.
	entered := *call
	entered.Caller = candidate.Who()
	entered.About(entered.Caller.UserID, entered.Caller.UserName)
	if err := errors.Join(c.Date(ctx, &entered), c.ready(ctx, &entered)); err != nil {
		return token, err
	}
	var refusal error
	err = c.DB.Update(ctx, c.instants(&entered), func(tx *db.Tx) error {
		if token, refusal, err = c.Identity.Issue(ctx, tx, candidate, s); err != nil {
			return err
		}
		return c.record(ctx, tx, c.Random, &entered, refusal)
	})
	return token, errors.Join(err, refusal)
}

// CheckToken finds a token that is good.
func (c *Counter) CheckToken(ctx context.Context, call *Call, text identity.Secret) (token identity.Token, err error) {
	err = c.read(ctx, call, func(v *db.View, _ identity.Scope) error {
		token, err = c.Identity.CheckToken(ctx, v, &call.Caller, text)
		return err
	})
	return token, err
}

// Projects lists the projects of the caller's account.
func (c *Counter) Projects(ctx context.Context, call *Call) (list []identity.Project, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		list, err = identity.Projects(ctx, v, scope.Customer)
		return err
	})
	return list, err
}

// Users lists the users of the caller's account; without the action a user sees itself.
func (c *Counter) Users(ctx context.Context, call *Call) (list []identity.User, err error) {
	err = c.own(ctx, call, func(v *db.View, scope identity.Scope, mine bool) error {
		if !mine {
			list, err = identity.Users(ctx, v, scope.Customer)
			return err
		}
		u, err := identity.FindUser(ctx, v, scope.Customer, call.Caller.UserID)
		list = []identity.User{u}
		return err
	})
	return list, err
}

// ChangePassword changes the caller's own password, which must be known.
func (c *Counter) ChangePassword(ctx context.Context, call *Call, user string, original, password identity.Secret) (err error) {
	call.About(user, "")
	defer c.refusal(ctx, call, &err)
	if user != call.Caller.UserID {
		return fault.New(fault.Forbidden, "IAM.0003", "a password is changed by its own user; an administrator updates the user instead")
	}
	if original == password {
		return fault.New(fault.Invalid, "IAM.1109", "the new password is the old one")
	}
	if err := identity.CheckPassword(password, call.Caller.UserName); err != nil {
		return err
	}
	var u identity.User
	err = c.DB.View(ctx, c.instants(call), func(v *db.View) (err error) {
		u, err = identity.FindUser(ctx, v, call.Caller.DomainID, user)
		return err
	})
	if err != nil {
		return err
	}
	if err := c.Identity.Throttle(call.Source, call.Real); err != nil {
		return err
	}
	right, err := c.Identity.ComparePassword(ctx, &u, original)
	if err != nil {
		return err
	}
	if !right {
		return fault.New(fault.Invalid, "IAM.0101", "the original password is wrong")
	}
	hash, err := c.Identity.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	call.About(user, u.Name)
	return c.change(ctx, call, func(tx *db.Tx) error {
		return c.Identity.SetPassword(ctx, tx, call.Caller.DomainID, user, hash)
	})
}

// UpdateUser changes a user of the caller's account, by an administrator; a new password may come with it.
func (c *Counter) UpdateUser(ctx context.Context, call *Call, user string, change identity.UserChange, password *identity.Secret) (u identity.User, err error) {
	call.About(user, "")
	defer c.refusal(ctx, call, &err)
	if _, err := c.authorise(call); err != nil {
		return u, err
	}
	domain := call.Caller.DomainID
	var hash []byte
	if password != nil {
		if err := identity.CheckPassword(*password, ""); err != nil {
			return u, err
		}
		if hash, err = c.Identity.HashPassword(ctx, *password); err != nil {
			return u, err
		}
	}
	err = c.change(ctx, call, func(tx *db.Tx) error {
		if u, err = c.Identity.UpdateUser(ctx, tx, domain, user, change); err != nil || password == nil {
			return err
		}
		return c.Identity.SetPassword(ctx, tx, domain, user, hash)
	})
	return u, err
}

// UpdateContact changes the caller's own e-mail and mobile: nobody changes another's, who is there or not.
func (c *Counter) UpdateContact(ctx context.Context, call *Call, user string, email, mobile *string) (err error) {
	call.About(user, "")
	defer c.refusal(ctx, call, &err)
	if user != call.Caller.UserID {
		return fault.New(fault.Forbidden, "IAM.0003", "a user can change no data but their own")
	}
	return c.change(ctx, call, func(tx *db.Tx) error {
		_, err := c.Identity.UpdateUser(ctx, tx, call.Caller.DomainID, user, identity.UserChange{Email: email, Mobile: mobile})
		return err
	})
}

// Keys lists the access keys of a user; of the caller when none is named.
func (c *Counter) Keys(ctx context.Context, call *Call, user string) (list []identity.Key, err error) {
	if user == "" {
		user = call.Caller.UserID
	}
	if err := c.mayFor(call, user); err != nil {
		return nil, err
	}
	err = c.DB.View(ctx, c.instants(call), func(v *db.View) error {
		list, err = identity.Keys(ctx, v, call.Caller.DomainID, user)
		return err
	})
	return list, err
}

// AddKey makes an access key; its secret is in this answer only.
func (c *Counter) AddKey(ctx context.Context, call *Call, user, description string) (k identity.Key, err error) {
	call.About(user, "")
	defer c.refusal(ctx, call, &err)
	if err := c.mayFor(call, user); err != nil {
		return k, err
	}
	err = c.change(ctx, call, func(tx *db.Tx) error {
		k, err = c.Identity.AddKey(ctx, tx, call.Caller.DomainID, user, description)
		call.About(user, k.Access)
		return err
	})
	return k, err
}

// Key finds an access key.
func (c *Counter) Key(ctx context.Context, call *Call, access string) (k identity.Key, err error) {
	err = c.DB.View(ctx, c.instants(call), func(v *db.View) error {
		k, err = c.ownKey(ctx, call, v, access)
		return err
	})
	return k, err
}

func (c *Counter) ownKey(ctx context.Context, call *Call, r db.Reader, access string) (identity.Key, error) {
	k, err := identity.FindKey(ctx, r, call.Caller.DomainID, access)
	if err == nil {
		err = c.mayFor(call, k.UserID)
	}
	return k, err
}

// UpdateKey turns a key on or off and describes it.
func (c *Counter) UpdateKey(ctx context.Context, call *Call, access string, active *bool, description *string) (k identity.Key, err error) {
	call.About("", access)
	defer c.refusal(ctx, call, &err)
	err = c.change(ctx, call, func(tx *db.Tx) error {
		if _, err := c.ownKey(ctx, call, tx, access); err != nil {
			return err
		}
		k, err = c.Identity.UpdateKey(ctx, tx, call.Caller.DomainID, access, active, description)
		return err
	})
	return k, err
}

// DeleteKey deletes a key.
func (c *Counter) DeleteKey(ctx context.Context, call *Call, access string) (err error) {
	call.About("", access)
	defer c.refusal(ctx, call, &err)
	return c.change(ctx, call, func(tx *db.Tx) error {
		if _, err := c.ownKey(ctx, call, tx, access); err != nil {
			return err
		}
		return c.Identity.DeleteKey(ctx, tx, call.Caller.DomainID, access)
	})
}

// AddTemporary makes a temporary key for the caller. A temporary key cannot make another.
func (c *Counter) AddTemporary(ctx context.Context, call *Call, life time.Duration) (t identity.Temporary, err error) {
	if call.Caller.By == identity.ByTemporary {
		return t, fault.New(fault.Forbidden, "IAM.0003", "a temporary access key cannot make another one")
	}
	err = c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error {
		t, err = c.Identity.AddTemporary(ctx, tx, call.Caller.DomainID, call.Caller.UserID, life)
		return err
	})
	return t, err
}

// CheckKey holds the sealing key against the store: identity.ErrOtherKey.
func (c *Counter) CheckKey(ctx context.Context, now time.Time) error {
	return c.DB.View(ctx, db.Instants{Now: now, Real: now}, func(v *db.View) error { return c.Identity.CheckKey(ctx, v) })
}
