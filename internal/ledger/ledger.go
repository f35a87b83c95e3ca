// Package ledger owns every movement of money: entries of balanced postings, the balances kept beside them, and the
// customers whose books are parked.
//
// It asks nobody who a customer is or why money moves: it gets a cause and a reference. It owns no coupon, no order
// and no price.
//
// A posting takes an amount from one account and gives it to another in one row, so that an entry balances by its
// shape. Accounts of a customer, whose balance is kept and never below zero:
//
//	cash     money paid in and not spent
//	bonus    given, not paid
//	deposit  held as security
//	credit   spent on credit (the limit is the account room's)
//	debt     charged and not paid
//
// credit and debt are owed by the customer: they rise when the customer takes without paying. Accounts of the house,
// summed from postings when asked, so that customers never collide on a row: topup (the world outside that money
// comes from and goes back to), promotion (bonuses), coupon (what coupons paid for), revenue, refund (what of it
// was given back), tax, adjustment, truncation (what the close of a month cut off and gave back).
//
// Meanings of time: booked is business time; recorded is real time. Neither orders postings: an entry's id does.
//
// Invariants: postings are only added; an entry with its postings and balances is one transaction; the same cause
// and reference is booked once for a customer; kept balance = Σ taken − Σ given; nothing moves for a parked customer.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
)

// Account is one of a customer's or of the house's.
type Account string

// Accounts of a customer.
const (
	Cash    Account = "cash"
	Bonus   Account = "bonus"
	Deposit Account = "deposit"
	Credit  Account = "credit"
	Debt    Account = "debt"
)

// Accounts of the house.
const (
	Topup      Account = "topup"
	Promotion  Account = "promotion"
	Coupon     Account = "coupon"
	Revenue    Account = "revenue"
	Refund     Account = "refund"
	Tax        Account = "tax"
	Adjustment Account = "adjustment"
	Truncation Account = "truncation"
)

var (
	kept  = []Account{Cash, Bonus, Deposit, Credit, Debt}
	house = []Account{Topup, Promotion, Coupon, Revenue, Refund, Tax, Adjustment, Truncation}
	owed  = []Account{Credit, Debt}
)

// Posting takes Amount (above zero) from Giver and gives it to Taker.
type Posting struct {
	Giver, Taker Account
	Amount       money.Amount
}

// Entry is one movement with its cause. Cause and Reference together are unique for a customer: the same top-up of
// the same payment provider is booked once.
type Entry struct {
	ID        string
	Customer  string
	Cause     string // topup, withdrawal, payment, refund, adjustment …
	Reference string // what the cause is called where it comes from
	Note      string
	Booked    time.Time // business time
	Recorded  time.Time // real time
	Postings  []Posting
}

// Refusals.
var (
	ErrBooked = fault.New(fault.Conflict, "PURSER.0301", "this movement is booked already")
	ErrShort  = fault.New(fault.Invalid, "CBC.99005003", "insufficient balance")
)

// Balances are what a customer's kept accounts come to. Credit and Debt are what is owed.
type Balances struct{ Cash, Bonus, Deposit, Credit, Debt money.Amount }

func (b *Balances) of(a Account) *money.Amount {
	switch a {
	case Cash:
		return &b.Cash
	case Bonus:
		return &b.Bonus
	case Deposit:
		return &b.Deposit
	case Credit:
		return &b.Credit
	case Debt:
		return &b.Debt
	}
	return nil
}

// Post books an entry: its postings and the balances they change, in the given transaction. It mints the id.
// Refusals: a parked customer (PURSER.0302), ErrBooked for a cause that is booked, ErrShort when a balance would go
// below zero. An entry that is not well-formed is an error of the caller.
func Post(ctx context.Context, tx *db.Tx, random io.Reader, e *Entry) error {
	return PostFrom(ctx, tx, random, nil, e)
}

// PostFrom is Post by who has read the customer's balances before, in the same transaction, and moved nothing since; nil: they are
// read. They are brought up to date.
func PostFrom(ctx context.Context, tx *db.Tx, random io.Reader, held *Balances, e *Entry) error {
	if err := check(e); err != nil {
		return err
	}
	if err := refuseParked(ctx, tx, e.Customer); err != nil {
		return err
	}
	id, err := ident.NewEntryID(random, tx.Now)
	if err != nil {
		return err
	}
	e.ID, e.Booked, e.Recorded = string(id), tx.Now, tx.Real
	added, err := insertEntry(ctx, tx, e)
	if err != nil {
		return err
	}
	if !added {
		return ErrBooked
	}
	if err := insertPostings(ctx, tx, e); err != nil {
		return err
	}
	if held == nil {
		read, err := Of(ctx, tx, e.Customer)
		if err != nil {
			return err
		}
		held = &read
	}
	before := *held
	after, err := before.with(e.Postings)
	if err != nil {
		return err
	}
	var changed []Account
	for _, a := range kept {
		if *after.of(a) == *before.of(a) {
			continue
		}
		if *after.of(a) < 0 {
			return ErrShort
		}
		changed = append(changed, a)
	}
	*held = after
	return setBalances(ctx, tx, e.Customer, held, changed)
}

// check finds what the tables could not say: accounts that do not exist, an entry without postings.
func check(e *Entry) error {
	if e.Customer == "" || e.Cause == "" || e.Reference == "" || len(e.Postings) == 0 {
		return errors.New("ledger: an entry has a customer, a cause, a reference and postings")
	}
	for _, p := range e.Postings {
		if p.Amount <= 0 || p.Giver == p.Taker || !known(p.Giver) || !known(p.Taker) {
			return fmt.Errorf("ledger: a posting of %s from %q to %q", p.Amount, p.Giver, p.Taker)
		}
	}
	return nil
}

func known(a Account) bool { return slices.Contains(kept, a) || slices.Contains(house, a) }

// with is what balances come to after postings. What is owed rises when its account gives.
func (b Balances) with(postings []Posting) (Balances, error) {
	for _, p := range postings {
		for _, side := range []struct {
			account Account
			takes   bool
		}{{p.Giver, false}, {p.Taker, true}} {
			balance := b.of(side.account)
			if balance == nil {
				continue
			}
			var err error
			if side.takes != slices.Contains(owed, side.account) {
				*balance, err = money.Add(*balance, p.Amount)
			} else {
				*balance, err = money.Sub(*balance, p.Amount)
			}
			if err != nil {
				return b, fmt.Errorf("ledger: balance of %s: %w", side.account, err)
			}
		}
	}
	return b, nil
}

// Of reads a customer's balances; one without postings has none.
func Of(ctx context.Context, r db.Reader, customer string) (Balances, error) {
	return readBalances(ctx, r, customer)
}

// Difference is a kept balance that its postings do not bear out.
type Difference struct {
	Customer         string
	Account          Account
	Kept, Recomputed money.Amount
}

func (d Difference) String() string {
	return fmt.Sprintf("customer %s, account %s: kept %s, postings come to %s", d.Customer, d.Account, d.Kept, d.Recomputed)
}

// Check recomputes a customer's balances from the postings and names what differs.
func Check(ctx context.Context, r db.Reader, customer string) ([]Difference, error) {
	keptNow, err := Of(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	var sum Balances
	if err := eachSum(ctx, r, customer, func(p Posting) error { sum, err = sum.with([]Posting{p}); return err }); err != nil {
		return nil, err
	}
	var out []Difference
	for _, a := range kept {
		if *sum.of(a) != *keptNow.of(a) {
			out = append(out, Difference{customer, a, *keptNow.of(a), *sum.of(a)})
		}
	}
	return out, nil
}

// Owed is what a customer owes.
type Owed struct {
	Customer     string
	Debt, Credit money.Amount
}

// Owing lists customers that owe something, after the given one, at most n.
func Owing(ctx context.Context, r db.Reader, after string, n int) ([]Owed, error) {
	return owing(ctx, r, after, n)
}

// Booked finds the entry of a customer that was booked for a cause by its reference.
func Booked(ctx context.Context, r db.Reader, customer, cause, reference string) (e Entry, found bool, err error) {
	return booked(ctx, r, customer, cause, reference)
}

// TakenBy is what a house account took from a customer's books, less what it gave.
func TakenBy(ctx context.Context, r db.Reader, customer string, house Account) (sum money.Amount, err error) {
	err = eachSum(ctx, r, customer, func(p Posting) error {
		if p.Taker == house && err == nil {
			sum, err = money.Add(sum, p.Amount)
		}
		if p.Giver == house && err == nil {
			sum, err = money.Sub(sum, p.Amount)
		}
		return err
	})
	return sum, err
}

// Customers lists who has an entry, after the given one, at most n: a walk over all books in pieces.
func Customers(ctx context.Context, r db.Reader, after string, n int) ([]string, error) {
	return customers(ctx, r, after, n)
}

// Park stops a customer's money: reads work, nothing moves, until Release.
func Park(ctx context.Context, tx *db.Tx, customer, reason string) error {
	return park(ctx, tx, customer, reason)
}

// Release lets a parked customer's money move again.
func Release(ctx context.Context, tx *db.Tx, customer string) error {
	found, err := release(ctx, tx, customer)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "PURSER.0303", "customer %s is not parked", customer)
	}
	return err
}

// Parked says how many customers' books are parked, and names up to n of them, who was parked first before others.
func Parked(ctx context.Context, r db.Reader, n int) (total int, customers []string, err error) {
	return parked(ctx, r, n)
}

// RefuseParked is Post's refusal (PURSER.0302), for who decides before writing.
func RefuseParked(ctx context.Context, r db.Reader, customer string) error {
	return refuseParked(ctx, r, customer)
}

func refuseParked(ctx context.Context, r db.Reader, customer string) error {
	reason, parked, err := parkedFor(ctx, r, customer)
	if err == nil && parked {
		err = fault.New(fault.Conflict, "PURSER.0302", "the customer's books are parked (%s): no money moves until the operator releases them", reason)
	}
	return err
}

// List pages through a customer's entries, newest first, with their postings.
func List(ctx context.Context, r db.Reader, customer string, offset, limit int) (total int, page []Entry, err error) {
	return list(ctx, r, customer, offset, limit)
}

// Spent is what a customer was charged between two business instants (from inclusive, to exclusive), less what was
// given back: everything that revenue and tax took, whatever it was paid with, less what refund, tax and truncation gave.
func Spent(ctx context.Context, r db.Reader, customer string, from, to time.Time) (sum money.Amount, err error) {
	err = eachSumBetween(ctx, r, customer, from, to, func(p Posting) error {
		for _, a := range []Account{Revenue, Refund, Tax, Truncation} {
			if p.Taker == a && err == nil {
				sum, err = money.Add(sum, p.Amount)
			}
			if p.Giver == a && err == nil {
				sum, err = money.Sub(sum, p.Amount)
			}
		}
		return err
	})
	return sum, err
}

// WrittenOff is what of a customer's debt was paid after it was charged, between two business instants (from inclusive, to
// exclusive).
func WrittenOff(ctx context.Context, r db.Reader, customer string, from, to time.Time) (sum money.Amount, err error) {
	err = eachSumBetween(ctx, r, customer, from, to, func(p Posting) error {
		if p.Taker == Debt && (p.Giver == Cash || p.Giver == Credit) {
			sum, err = money.Add(sum, p.Amount)
		}
		return err
	})
	return sum, err
}

// Moved is what an entry moved between a customer and the world outside: in or out, above zero. 0: there is no such entry.
func Moved(ctx context.Context, r db.Reader, customer, entry string) (money.Amount, error) {
	return moved(ctx, r, customer, entry)
}
