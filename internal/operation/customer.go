package operation

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/settlement"
)

// Relations are the name of a customer's account and what it belongs to.
type Relations struct {
	Account string
	Partner string           // account of its partner; empty without
	Master  account.Relation // the one that is not ended; empty without
}

// Customer is a customer with what it belongs to.
type Customer struct {
	account.Customer
	Relations Relations
}

func relationsOf(ctx context.Context, r db.Reader, customer string) (out Relations, err error) {
	d, err := identity.FindDomain(ctx, r, customer)
	if err != nil {
		return out, err
	}
	out.Account, out.Partner = d.Name, d.Partner
	out.Master, _, err = account.Joined(ctx, r, customer)
	return out, err
}

func withRelations(ctx context.Context, r db.Reader, c *account.Customer) (Customer, error) {
	relations, err := relationsOf(ctx, r, c.ID)
	return Customer{*c, relations}, err
}

// NewCustomer is a customer that is to be created, with its account and the user who owns it.
type NewCustomer struct {
	Account, User string
	Password      identity.Secret  // empty: made
	Partner       string           // account, by id or name; a partner creates its own
	Master        string           // account, by id or name, of the master that it joins; empty: none
	Accounting    string           // with a master
	Since         time.Time        // with a master; zero: now
	Record        account.Customer // what is empty gets its default
}

// CreatedCustomer is what came of it.
type CreatedCustomer struct {
	Customer
	UserID, User string
	Password     identity.Secret `json:"-"` // made for the user and shown now, never again; empty: it was given
}

// CreateCustomer opens an account, its owner and its books, in one. The operator's; a partner creates customers of its
// own, on the house's terms: no credit, no quota, prepaid. A repetition by its key does not show the password again:
// nothing keeps it.
func (c *Counter) CreateCustomer(ctx context.Context, call *Call, in NewCustomer) (out CreatedCustomer, err error) {
	scope, err := c.authorise(call)
	if err == nil {
		err = mayCreate(scope, &in)
	}
	call.About("", in.Account)
	if err != nil {
		c.Refused(ctx, call, err)
		return out, err
	}
	var password identity.Secret
	var hash []byte
	if call.DryRun && in.Password == "" {
		hash = []byte{} // nobody will sign in with it
	} else if password, hash, err = c.newPassword(ctx, in.Password, in.User); err != nil {
		return out, err
	}
	mine := "" // the user that this call added, if it did not find the answer to an earlier one
	out, err = write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (made CreatedCustomer, err error) {
		made, err = c.createCustomer(ctx, tx, scope, in, hash)
		mine = made.UserID
		call.About(made.ID, in.Account)
		return made, err
	})
	c.Identity.Changed()
	if err == nil && in.Password == "" && out.UserID == mine {
		out.Password = password
	}
	return out, err
}

// mayCreate refuses who may not create this customer.
func mayCreate(scope identity.Scope, in *NewCustomer) error {
	switch {
	case scope.Operator:
		return nil
	case !scope.Partner:
		return fault.New(fault.Forbidden, "CBC.0151", "access denied: the operator and partners create customers")
	case in.Record.CreditLimit != 0 || in.Record.Quota != 0 || in.Record.Settlement != "" || in.Record.Resold || in.Master != "":
		return fault.New(fault.Forbidden, "CBC.0151", "access denied: credit_limit, quota, settlement, resold and master are the operator's to give")
	}
	return nil
}

func (c *Counter) createCustomer(ctx context.Context, tx *db.Tx, scope identity.Scope, in NewCustomer, hash []byte) (out CreatedCustomer, err error) {
	if scope.Partner {
		if in.Partner != "" {
			d, err := identity.FindDomain(ctx, tx, in.Partner)
			if err != nil && !fault.Is(err, "PURSER.0104") {
				return out, err
			}
			if d.ID != scope.Customer {
				return out, fault.New(fault.Forbidden, "CBC.0151", "access denied: partner: a partner creates its own customers")
			}
		}
		in.Partner = scope.Customer
	}
	d, err := c.openAccount(ctx, tx, NewUser{Account: in.Account, Kind: identity.Customer, Partner: in.Partner}, in.Record)
	if err != nil {
		return out, err
	}
	u := identity.User{DomainID: d.ID, DomainName: d.Name, Name: in.User, Owner: true}
	if err := c.Identity.AddUser(ctx, tx, &u, hash); err != nil {
		return out, err
	}
	if in.Master != "" {
		if _, err := c.join(ctx, tx, account.Relation{Member: d.ID, Master: in.Master, Accounting: in.Accounting, Since: in.Since}); err != nil {
			return out, err
		}
	}
	opened, err := account.Find(ctx, tx, d.ID)
	if err != nil {
		return out, err
	}
	out.UserID, out.User = u.ID, u.Name
	out.Customer, err = withRelations(ctx, tx, &opened)
	return out, err
}

// dateBy makes a call run at a customer's own business instant: what the operator writes about it lies on its clock.
func (c *Counter) dateBy(ctx context.Context, call *Call, customer string) (*Call, error) {
	dated := *call
	if c.Clocks == nil {
		return &dated, nil
	}
	err := c.DB.View(ctx, db.Instants{Now: call.Real, Real: call.Real}, func(v *db.View) (err error) {
		dated.Now, err = c.Clocks.Now(ctx, v, customer)
		return err
	})
	return &dated, err
}

// JoinMaster makes a customer a master's member, or changes its accounting; a since of zero is now. The operator's.
func (c *Counter) JoinMaster(ctx context.Context, call *Call, member, master, accounting string, since time.Time) (out account.Relation, err error) {
	if call, err = c.dateBy(ctx, call, member); err != nil {
		return out, err
	}
	call.About(member, "")
	call.Of(member)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (account.Relation, error) {
		if err := operatorOnly(scope); err != nil {
			return account.Relation{}, err
		}
		return c.join(ctx, tx, account.Relation{Member: member, Master: master, Accounting: accounting, Since: since})
	})
}

// join joins a master that is named by its account's id or name.
func (c *Counter) join(ctx context.Context, tx *db.Tx, r account.Relation) (account.Relation, error) {
	master, err := identity.FindDomain(ctx, tx, r.Master)
	if err != nil {
		return r, err
	}
	r.Master = master.ID
	if r, err = account.Join(ctx, tx, r); err != nil {
		return r, err
	}
	return r, c.follow(ctx, tx, r.Member)
}

// follow lets a customer's pay-per-use resources stand as whoever pays for it now stands.
func (c *Counter) follow(ctx context.Context, tx *db.Tx, customer string) error {
	turn, err := settlement.Follow(ctx, tx, customer)
	if err != nil {
		return err
	}
	return c.traceTurn(ctx, tx, turn)
}

// RewriteCustomer changes a customer and, with a master, its relation, in one: a row of a file. The operator's.
func (c *Counter) RewriteCustomer(ctx context.Context, call *Call, id string, change func(*account.Customer), master, accounting string, since time.Time) (out Customer, err error) {
	if call, err = c.dateBy(ctx, call, id); err != nil {
		return out, err
	}
	call.About(id, "")
	call.Of(id)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (Customer, error) {
		if err := operatorOnly(scope); err != nil {
			return Customer{}, err
		}
		changed, err := changeCustomer(ctx, tx, id, change)
		if err != nil {
			return Customer{}, err
		}
		if master != "" {
			if _, err := c.join(ctx, tx, account.Relation{Member: id, Master: master, Accounting: accounting, Since: since}); err != nil {
				return Customer{}, err
			}
		}
		return withRelations(ctx, tx, &changed)
	})
}

// LeaveMaster ends a customer's relation to its master now. The operator's.
func (c *Counter) LeaveMaster(ctx context.Context, call *Call, member string) error {
	call, err := c.dateBy(ctx, call, member)
	if err != nil {
		return err
	}
	call.About(member, "")
	call.Of(member)
	_, err = write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		if _, err := account.Find(ctx, tx, member); err != nil {
			return struct{}{}, err
		}
		if err := account.Leave(ctx, tx, member); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, c.follow(ctx, tx, member)
	})
	return err
}

// Members pages through the members of a master. The operator's, its partner's and the master's own.
func (c *Counter) Members(ctx context.Context, call *Call, master string, offset, limit int) (total int, page []account.Relation, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := seesCustomer(ctx, v, scope, master); err != nil {
			return err
		}
		total, page, err = account.Members(ctx, v, master, offset, limit)
		return err
	})
	return total, page, err
}
