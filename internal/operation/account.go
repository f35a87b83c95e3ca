package operation

import (
	"context"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
)

// These are the operator's operations on accounts, users and keys, behind `purser user` and `purser key`.

// NewUser is a user that is to be added; with an account that is not there yet, that is opened first.
type NewUser struct {
	Account, User string
	Kind          string          // of a new account
	Partner       string          // account of a new customer's partner
	Password      identity.Secret // empty: made
	Actions       []string        // what a user who is not the owner may do
}

// inAccount runs a read on an account that the operator names.
func (c *Counter) inAccount(ctx context.Context, call *Call, account string, deed func(v *db.View, d identity.Domain) error) error {
	return c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		d, err := identity.FindDomain(ctx, v, account)
		if err != nil {
			return err
		}
		return deed(v, d)
	})
}

// changeAccount runs a change of an account that the operator names.
func (c *Counter) changeAccount(ctx context.Context, call *Call, account string, deed func(tx *db.Tx, d identity.Domain) error) error {
	scope, err := c.authorise(call)
	if err != nil {
		return err
	}
	if err := operatorOnly(scope); err != nil {
		return err
	}
	return c.change(ctx, call, func(tx *db.Tx) error {
		d, err := identity.FindDomain(ctx, tx, account)
		if err != nil {
			return err
		}
		return deed(tx, d)
	})
}

// Accounts lists all accounts.
func (c *Counter) Accounts(ctx context.Context, call *Call) (list []identity.Domain, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		list, err = identity.Domains(ctx, v)
		return err
	})
	return list, err
}

// AccountUsers lists the users of an account.
func (c *Counter) AccountUsers(ctx context.Context, call *Call, account string) (list []identity.User, err error) {
	err = c.inAccount(ctx, call, account, func(v *db.View, d identity.Domain) error {
		list, err = identity.Users(ctx, v, d.ID)
		return err
	})
	return list, err
}

// AddUser adds a user, and the account where there is none of that name. The password is returned to be shown once.
func (c *Counter) AddUser(ctx context.Context, call *Call, in NewUser) (u identity.User, password identity.Secret, err error) {
	scope, err := c.authorise(call)
	if err == nil {
		err = operatorOnly(scope)
	}
	if err != nil {
		return u, "", err
	}
	if in.Kind != identity.Operator && in.Kind != identity.Partner && in.Kind != identity.Customer {
		return u, "", fault.New(fault.Invalid, "CBC.0100", "kind: must be operator, partner or customer")
	}
	password, hash, err := c.newPassword(ctx, in.Password, in.User)
	if err != nil {
		return u, "", err
	}
	err = c.change(ctx, call, func(tx *db.Tx) error {
		u = identity.User{Name: in.User}
		d, err := identity.FindDomain(ctx, tx, in.Account)
		if fault.Is(err, "PURSER.0104") {
			u.Owner = true
			d, err = c.openAccount(ctx, tx, in, account.Customer{})
		}
		if err != nil {
			return err
		}
		u.DomainID, u.DomainName = d.ID, d.Name
		if err := c.Identity.AddUser(ctx, tx, &u, hash); err != nil {
			return err
		}
		if len(in.Actions) == 0 {
			return nil
		}
		return c.Identity.SetPolicy(ctx, tx, d.ID, u.ID, "given", []identity.Statement{{Effect: "allow", Actions: in.Actions}})
	})
	return u, password, err
}

// openAccount opens an account with a project in each region of the catalogue, and a customer's books as the record says.
func (c *Counter) openAccount(ctx context.Context, tx *db.Tx, in NewUser, record account.Customer) (identity.Domain, error) {
	d := identity.Domain{Name: in.Account, Kind: in.Kind}
	if in.Partner != "" {
		partner, err := identity.FindDomain(ctx, tx, in.Partner)
		if err != nil {
			return d, err
		}
		if partner.Kind != identity.Partner || in.Kind != identity.Customer {
			return d, fault.New(fault.Invalid, "CBC.0100", "partner: a customer belongs to a partner's account")
		}
		d.Partner = partner.ID
	}
	shelf, err := c.Catalogue.At(ctx, tx)
	if err != nil {
		return d, err
	}
	var regions []string
	for _, r := range shelf.Regions() {
		regions = append(regions, r.Code)
	}
	if _, err = c.Identity.AddDomain(ctx, tx, &d, regions); err != nil || d.Kind != identity.Customer {
		return d, err
	}
	record.ID = d.ID
	return d, account.Open(ctx, tx, c.Random, &record)
}

// newPassword checks the given password, or makes one, and hashes it.
func (c *Counter) newPassword(ctx context.Context, given identity.Secret, user string) (password identity.Secret, hash []byte, err error) {
	if password = given; password == "" {
		if password, err = c.Identity.NewPassword(); err != nil {
			return "", nil, err
		}
	}
	if err := identity.CheckPassword(password, user); err != nil {
		return "", nil, err
	}
	hash, err = c.Identity.HashPassword(ctx, password)
	return password, hash, err
}

// ResetPassword gives a user a new password, made when none is given.
func (c *Counter) ResetPassword(ctx context.Context, call *Call, account, user string, given identity.Secret) (identity.Secret, error) {
	password, hash, err := c.newPassword(ctx, given, user)
	if err != nil {
		return "", err
	}
	err = c.changeAccount(ctx, call, account, func(tx *db.Tx, d identity.Domain) error {
		u, err := identity.FindUserByName(ctx, tx, d.ID, user)
		if err != nil {
			return err
		}
		return c.Identity.SetPassword(ctx, tx, d.ID, u.ID, hash)
	})
	return password, err
}

// Switch enables or disables a user, or the account when no user is named.
func (c *Counter) Switch(ctx context.Context, call *Call, account, user string, on bool) error {
	return c.changeAccount(ctx, call, account, func(tx *db.Tx, d identity.Domain) error {
		if user == "" {
			return c.Identity.SetDomainEnabled(ctx, tx, d.ID, on)
		}
		u, err := identity.FindUserByName(ctx, tx, d.ID, user)
		if err != nil {
			return err
		}
		_, err = c.Identity.UpdateUser(ctx, tx, d.ID, u.ID, identity.UserChange{Enabled: &on})
		return err
	})
}

// AccountKeys lists the access keys of an account.
func (c *Counter) AccountKeys(ctx context.Context, call *Call, account string) (list []identity.Key, err error) {
	err = c.inAccount(ctx, call, account, func(v *db.View, d identity.Domain) error {
		list, err = identity.Keys(ctx, v, d.ID, "")
		return err
	})
	return list, err
}

// CreateKey makes an access key for a user.
func (c *Counter) CreateKey(ctx context.Context, call *Call, account, user string) (k identity.Key, err error) {
	err = c.changeAccount(ctx, call, account, func(tx *db.Tx, d identity.Domain) error {
		u, err := identity.FindUserByName(ctx, tx, d.ID, user)
		if err != nil {
			return err
		}
		k, err = c.Identity.AddKey(ctx, tx, d.ID, u.ID, "by the operator")
		return err
	})
	return k, err
}

// SwitchKey turns a key on or off; nil deletes it.
func (c *Counter) SwitchKey(ctx context.Context, call *Call, account, access string, on *bool) error {
	return c.changeAccount(ctx, call, account, func(tx *db.Tx, d identity.Domain) error {
		if on == nil {
			return c.Identity.DeleteKey(ctx, tx, d.ID, access)
		}
		_, err := c.Identity.UpdateKey(ctx, tx, d.ID, access, on, nil)
		return err
	})
}
