// Package account owns customers as the business knows them: who they are for the tax office, how they pay, how far
// they have credit, their standing, and which master has which members.
//
// It does not own sign-ins nor which partner a customer belongs to (identity), nor money (ledger): a credit limit is a
// promise, what is used of it stands in the ledger.
//
// Standing: active → frozen → active (by the operator), active or frozen → closed (for good). A frozen customer can
// read and be topped up; a closed one can only read.
//
// Relations: a member joins a master, its accounting changes (unified: the master pays; independent: it pays itself),
// it leaves. Each is a row with its span; rows are ended, never rewritten.
//
// Invariants: a customer is opened once, with its account; limits are never below zero; closed is the end. A member has
// at most one master at a time; a master is not itself a member; a master with members is not closed.
package account

import (
	"context"
	"errors"
	"io"
	"regexp"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
)

// Kinds, ways of settling, what an invoice is made of, standings.
const (
	Individual = "individual"
	Enterprise = "enterprise"

	Prepaid = "prepaid" // pays when it orders, and its usage from the balance
	Monthly = "monthly" // its usage is charged once a month

	ByOrder   = "order"   // an invoice for each order, the rest by the month
	ByCycle   = "cycle"   // one for each bill month
	ByReceipt = "receipt" // one for each payment that came in

	Active = "active"
	Frozen = "frozen"
	Closed = "closed"
)

// Bounds of RenewAhead (api.md 6.7).
const RenewAheadLeast, RenewAheadMost = 2, 7

// Customer is a customer of the house. The id is its account's (domain).
type Customer struct {
	ID            string
	No            string // number of its accounts of money
	Kind          string
	Verified      bool
	Country       string // ISO 3166-1 alpha-2, or 3166-2 where a region is taxed apart; empty: unknown
	TaxID         string
	InvoiceMethod string
	Resold        bool // it buys through its partner, who is invoiced for it
	Settlement    string
	Tier          string // of support and retention: V0 to V5; empty: none
	Standing      string
	CreditLimit   money.Amount // in all, not what is left
	Quota         money.Amount // most that a month may cost; 0: none granted
	RenewAhead    int          // days before expiry at which automatic renewal begins, 2 to 7
	RenewDay      int          // day of the month on which renewed resources expire: 1 to 28, -1 the last; 0: their own
	AlertBelow    money.Amount // tell when what is there to spend falls below; 0: never
	Alerted       bool         // told, and not above again since
	Opened        time.Time    // business time
	Changed       time.Time    // business time
}

var (
	country = regexp.MustCompile(`^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$`)
	tier    = regexp.MustCompile(`^(V[0-5])?$`)
)

// IsTier says whether a text names a tier: V0 to V5.
func IsTier(text string) bool { return text != "" && tier.MatchString(text) }

// Check says what is wrong with a customer's record.
func (c *Customer) Check() error {
	wrong := func(text string) error { return fault.New(fault.Invalid, "CBC.0100", "%s", text) }
	switch {
	case c.Kind != Individual && c.Kind != Enterprise:
		return wrong("kind: must be individual or enterprise")
	case c.InvoiceMethod != ByOrder && c.InvoiceMethod != ByCycle && c.InvoiceMethod != ByReceipt:
		return wrong("invoice_method: must be cycle, receipt or order")
	case c.Settlement != Prepaid && c.Settlement != Monthly:
		return wrong("settlement: must be prepaid or monthly")
	case c.Standing != Active && c.Standing != Frozen && c.Standing != Closed:
		return wrong("standing: must be active, frozen or closed")
	case !country.MatchString(c.Country):
		return wrong("country: must be two capital letters, such as SG, with a region where that is taxed apart, such as IN-KA")
	case !tier.MatchString(c.Tier):
		return wrong("tier: must be V0 to V5")
	case len(c.TaxID) > 64:
		return wrong("tax_id: must have at most 64 characters")
	case c.RenewAhead < RenewAheadLeast || c.RenewAhead > RenewAheadMost:
		return wrong("renew_ahead: must be 2 to 7 days")
	case c.RenewDay < -1 || c.RenewDay > 28:
		return wrong("renew_day: must be 1 to 28, or -1 for the last day of the month")
	case c.CreditLimit < 0 || c.Quota < 0 || c.AlertBelow < 0:
		return wrong("credit_limit, quota and alert_below must not be below 0")
	}
	return nil
}

// Open opens the books of a new customer: an active, prepaid individual, invoiced by the month, unless c says otherwise.
func Open(ctx context.Context, tx *db.Tx, random io.Reader, c *Customer) error {
	or := func(field *string, byDefault string) {
		if *field == "" {
			*field = byDefault
		}
	}
	or(&c.Kind, Individual)
	or(&c.InvoiceMethod, ByCycle)
	or(&c.Settlement, Prepaid)
	or(&c.Standing, Active)
	if c.RenewAhead == 0 {
		c.RenewAhead = RenewAheadMost
	}
	if err := c.Check(); err != nil {
		return err
	}
	no, err := ident.NewAccountNo(random)
	if err != nil {
		return err
	}
	c.No, c.Opened, c.Changed = string(no), tx.Now, tx.Now
	added, err := insert(ctx, tx, c)
	if err == nil && !added {
		err = fault.New(fault.Conflict, "PURSER.0101", "customer %s is open already", c.ID)
	}
	return err
}

// Find finds a customer by id.
func Find(ctx context.Context, r db.Reader, id string) (Customer, error) {
	c, err := find(ctx, r, id)
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.New(fault.NotFound, "PURSER.0104", "there is no customer %s", id)
	}
	return c, err
}

// Known says which of some ids are customers, in any standing.
func Known(ctx context.Context, r db.Reader, ids []string) (map[string]bool, error) {
	return known(ctx, r, ids)
}

// SetAlerted keeps whether a customer was told that its balance is low.
func SetAlerted(ctx context.Context, tx *db.Tx, id string, alerted bool) error {
	return setAlerted(ctx, tx, id, alerted)
}

// Change rewrites what may change of a customer. A closed one stays as it is; one with members is not closed.
func Change(ctx context.Context, tx *db.Tx, id string, change func(*Customer)) (Customer, error) {
	c, err := Find(ctx, tx, id)
	if err != nil {
		return c, err
	}
	if c.Standing == Closed {
		return c, fault.New(fault.Conflict, "PURSER.0106", "customer %s is closed", id)
	}
	no, opened := c.No, c.Opened
	change(&c)
	c.ID, c.No, c.Opened, c.Changed = id, no, opened, tx.Now
	if err := c.Check(); err != nil {
		return c, err
	}
	if c.Standing == Closed {
		if members, err := countOpen(ctx, tx, id); err != nil || members > 0 {
			if err == nil {
				err = fault.New(fault.Conflict, "PURSER.0107", "customer %s has %d members: they must leave before it is closed", id, members)
			}
			return c, err
		}
	}
	return c, update(ctx, tx, &c)
}

// Behind lists the next customers behind one, in the order of their ids.
func Behind(ctx context.Context, r db.Reader, after string, n int) ([]string, error) {
	return behind(ctx, r, after, n)
}

// List pages through all customers by id; standing filters when it is not empty.
func List(ctx context.Context, r db.Reader, standing string, offset, limit int) (total int, page []Customer, err error) {
	return list(ctx, r, standing, offset, limit)
}

// Among are the customers among some ids, by id; standing filters when it is not empty.
func Among(ctx context.Context, r db.Reader, ids []string, standing string) ([]Customer, error) {
	return among(ctx, r, ids, standing)
}
