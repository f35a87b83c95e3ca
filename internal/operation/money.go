package operation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Balances is a customer with what its accounts come to.
type Balances struct {
	Customer  account.Customer
	Relations Relations // for the operator only
	ledger.Balances
	Currency money.Currency
}

// ShowBalances reads the caller's balances. An account without books (the operator's, a partner's) has none.
func (c *Counter) ShowBalances(ctx context.Context, call *Call) (out Balances, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		out, err = balances(ctx, v, scope.Customer)
		return err
	})
	return out, err
}

func balances(ctx context.Context, r db.Reader, customer string) (out Balances, err error) {
	out.Currency = currency
	if out.Customer, err = account.Find(ctx, r, customer); err != nil {
		return out, err
	}
	out.Balances, err = ledger.Of(ctx, r, customer)
	return out, err
}

// Quota is the expenditure quota of a customer in the current bill month.
type Quota struct {
	Granted, Used money.Amount
	Share         money.Decimal // used of granted, in percent, cut at 2 decimals; 0 without a quota
	Currency      money.Currency
}

// ShowQuota reads the caller's expenditure quota and what this bill month (GMT+8) has used of it. Customers that do
// not settle monthly have none (api.md 3.2).
func (c *Counter) ShowQuota(ctx context.Context, call *Call) (out Quota, err error) {
	out.Currency = currency
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		customer, err := account.Find(ctx, v, scope.Customer)
		if err != nil || customer.Settlement != account.Monthly {
			return err
		}
		month := period.CycleOf(v.Now).Span()
		out.Granted = customer.Quota
		if out.Used, err = ledger.Spent(ctx, v, scope.Customer, month.Start, month.End); err != nil || out.Granted == 0 {
			return err
		}
		hundredths, err := money.MulDiv(int64(max(out.Used, 0)), 10_000, int64(out.Granted))
		if err != nil {
			return err
		}
		out.Share, err = money.NewDecimal(hundredths, 2)
		return err
	})
	return out, err
}

// WantedCustomers says which customers are listed; what is empty filters nothing.
type WantedCustomers struct {
	Standing string
	Name     string   // a part of the account's name, in any case
	IDs      []string // at most wantedMost
}

const (
	wantedMost = 100
	namedMost  = 1000 // accounts with a part of a name that are looked at: whoever has more types another letter
)

// among are the ids that a name or a list of ids leave; limited is false when they filter nothing.
func (w *WantedCustomers) among(ctx context.Context, r db.Reader) (ids []string, limited bool, err error) {
	if len(w.IDs) > wantedMost {
		return nil, false, fault.New(fault.Invalid, "CBC.0100", "customer_ids: at most %d", wantedMost)
	}
	ids = slices.Compact(slices.Sorted(slices.Values(w.IDs)))
	if w.Name == "" {
		return ids, len(ids) > 0, nil
	}
	named, err := identity.Named(ctx, r, w.Name, namedMost)
	if len(ids) > 0 {
		named = slices.DeleteFunc(named, func(id string) bool { return !slices.Contains(ids, id) })
	}
	return named, true, err
}

// Customers pages through customers, by id. The operator's.
func (c *Counter) Customers(ctx context.Context, call *Call, wanted WantedCustomers, offset, limit int) (total int, page []Customer, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		var found []account.Customer
		ids, limited, err := wanted.among(ctx, v)
		if err == nil && limited {
			found, err = account.Among(ctx, v, ids, wanted.Standing)
			total = len(found)
			found = found[min(offset, total):min(offset+limit, total)]
		} else if err == nil {
			total, found, err = account.List(ctx, v, wanted.Standing, offset, limit)
		}
		if err != nil {
			return err
		}
		page = make([]Customer, len(found))
		for i := range found {
			if page[i], err = withRelations(ctx, v, &found[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return total, page, err
}

// Customer reads a customer with its balances. The operator's.
func (c *Counter) Customer(ctx context.Context, call *Call, id string) (out Balances, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		if out, err = balances(ctx, v, id); err != nil {
			return err
		}
		out.Relations, err = relationsOf(ctx, v, id)
		return err
	})
	return out, err
}

// ChangeCustomer changes what may change of a customer: standing, credit, quota, who it is. The operator's.
func (c *Counter) ChangeCustomer(ctx context.Context, call *Call, id string, change func(*account.Customer)) (Customer, error) {
	call.About(id, "")
	call.Of(id)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (Customer, error) {
		if err := operatorOnly(scope); err != nil {
			return Customer{}, err
		}
		var was account.Customer
		changed, err := changeCustomer(ctx, tx, id, func(a *account.Customer) { was = *a; change(a) })
		if err != nil {
			return Customer{}, err
		}
		was.AlertBelow, was.Changed = changed.AlertBelow, changed.Changed
		if call.event = nil; was == changed {
			call.event = &contract.Event{Type: "balance", Name: changeBalanceAlert}
		}
		return withRelations(ctx, tx, &changed)
	})
}

// changeCustomer changes a customer's record, and what of it invoices depend on.
func changeCustomer(ctx context.Context, tx *db.Tx, id string, change func(*account.Customer)) (account.Customer, error) {
	before, err := account.Find(ctx, tx, id)
	if err != nil {
		return before, err
	}
	changed, err := account.Change(ctx, tx, id, change)
	if err != nil {
		return changed, err
	}
	if err := switchMethod(ctx, tx, &before, &changed); err != nil {
		return changed, err
	}
	return changed, invoice.Retry(ctx, tx, id) // its tax id may be there by now
}

// Movement is money that the operator moves by hand.
type Movement struct {
	Customer     string
	Amount       money.Amount // above zero; of an adjustment also below
	Reference    string       // what it is called where it comes from; booked once. Empty: the request's id
	Note         string
	ResourceType string // of an adjustment: for what it stands on the bill; empty: it does not
}

// TopUp books money that came in. Debt is written off first, in the same entry (billing-rules 3.5). A closed customer
// is refused.
func (c *Counter) TopUp(ctx context.Context, call *Call, m Movement) (ledger.Entry, error) {
	return c.move(ctx, call, topUpCause, m, topUpPostings(m.Amount))
}

// topUpCause is what the ledger calls money that came in, by hand or through a payment provider.
const topUpCause = "topup"

// withdrawalCause is what it calls money that goes back.
const withdrawalCause = "withdrawal"

// topUpPostings take money that came in into the cash, and out of it what is owed.
func topUpPostings(amount money.Amount) decide {
	return func(_ *account.Customer, held ledger.Balances) ([]ledger.Posting, error) {
		postings := []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: amount}}
		if writeOff := min(held.Debt, amount); writeOff > 0 {
			postings = append(postings, ledger.Posting{Giver: ledger.Cash, Taker: ledger.Debt, Amount: writeOff})
		}
		return postings, nil
	}
}

// Withdraw books money that goes back to the customer. Not while there is debt.
func (c *Counter) Withdraw(ctx context.Context, call *Call, m Movement) (ledger.Entry, error) {
	return c.move(ctx, call, withdrawalCause, m, func(_ *account.Customer, held ledger.Balances) ([]ledger.Posting, error) {
		if held.Debt > 0 {
			return nil, fault.New(fault.Conflict, "PURSER.0304", "the customer owes %s: nothing can be withdrawn", held.Debt)
		}
		return []ledger.Posting{{Giver: ledger.Cash, Taker: ledger.Topup, Amount: m.Amount}}, nil
	})
}

// Bonus gives a customer money that it has not paid for.
func (c *Counter) Bonus(ctx context.Context, call *Call, m Movement) (ledger.Entry, error) {
	return c.move(ctx, call, "bonus", m, func(*account.Customer, ledger.Balances) ([]ledger.Posting, error) {
		return []ledger.Posting{{Giver: ledger.Promotion, Taker: ledger.Bonus, Amount: m.Amount}}, nil
	})
}

// decide says which postings a movement makes for a customer that holds these balances.
type decide func(*account.Customer, ledger.Balances) ([]ledger.Posting, error)

// move books one movement by the operator.
func (c *Counter) move(ctx context.Context, call *Call, cause string, m Movement, postings decide) (ledger.Entry, error) {
	call.Of(m.Customer)
	return write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (ledger.Entry, error) {
		if err := operatorOnly(scope); err != nil {
			return ledger.Entry{}, err
		}
		if m.Reference == "" {
			m.Reference = call.RequestID
		}
		e, err := c.book(ctx, tx, cause, m, postings)
		call.About(e.ID, "")
		return e, err
	})
}

// book books one movement: whole minor units only, once for each reference, not for a closed customer.
func (c *Counter) book(ctx context.Context, tx *db.Tx, cause string, m Movement, postings decide) (e ledger.Entry, err error) {
	if m.Amount <= 0 || money.CutMinor(m.Amount, currency) != m.Amount {
		return e, fault.New(fault.Invalid, "CBC.0100", "amount: must be above 0 and have at most %d decimals", currency.Minor())
	}
	customer, err := openCustomer(ctx, tx, m.Customer)
	if err != nil {
		return e, err
	}
	held, err := ledger.Of(ctx, tx, m.Customer)
	if err != nil {
		return e, err
	}
	e = ledger.Entry{Customer: m.Customer, Cause: cause, Reference: m.Reference, Note: m.Note}
	if e.Postings, err = postings(&customer, held); err != nil {
		return e, err
	}
	if err = ledger.Post(ctx, tx, c.Random, &e); err != nil {
		return e, err
	}
	if cause == topUpCause || cause == withdrawalCause {
		if err := c.invoiceReceipt(ctx, tx, &e, m.Amount, cause == withdrawalCause); err != nil {
			return e, err
		}
	}
	if err = c.settledDebt(ctx, tx, m.Customer); err != nil {
		return e, err
	}
	return e, c.alert(ctx, tx, &customer)
}

// openCustomer finds a customer that is not closed.
func openCustomer(ctx context.Context, r db.Reader, id string) (account.Customer, error) {
	customer, err := account.Find(ctx, r, id)
	if err == nil && customer.Standing == account.Closed {
		err = fault.New(fault.Conflict, "PURSER.0106", "customer %s is closed", id)
	}
	return customer, err
}

// Entries pages through a customer's ledger, newest first. The operator's, and the customer's own.
func (c *Counter) Entries(ctx context.Context, call *Call, customer string, offset, limit int) (total int, page []ledger.Entry, err error) {
	err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := seesCustomer(ctx, v, scope, customer); err != nil {
			return err
		}
		total, page, err = ledger.List(ctx, v, customer, offset, limit)
		return err
	})
	return total, page, err
}

// booksAtOnce is how many customers are checked in one view.
const booksAtOnce = 200

// Wrong is something in a customer's books that does not add up.
type Wrong struct{ Customer, What string }

// CheckBooks recomputes every balance from its postings, what is left of every coupon from its uses, and holds the terms of
// resources against each other. What differs
// is told, and its customer is parked when park is set. The operator's.
func (c *Counter) CheckBooks(ctx context.Context, call *Call, park bool, tell func(Wrong)) (books int, err error) {
	return c.CheckBooksSince(ctx, call, 0, park, tell)
}

// CheckBooksSince is CheckBooks that does not look into bills, invoices of charges, kept sums, usage and what it came to of months
// before since: what it costs does not grow so much with the years. Sums over all time (balances, coupons, packages, what was charged
// and paid) are recomputed whole.
func (c *Counter) CheckBooksSince(ctx context.Context, call *Call, since period.Cycle, park bool, tell func(Wrong)) (books int, err error) {
	for after := ""; ; {
		var names []string
		var found []Wrong
		err = c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
			if err := operatorOnly(scope); err != nil {
				return err
			}
			if names, err = ledger.Customers(ctx, v, after, booksAtOnce); err != nil {
				return err
			}
			for _, name := range names {
				some, err := c.wrongIn(ctx, v, name, since)
				if err != nil {
					return err
				}
				found = append(found, some...)
			}
			return nil
		})
		if err == nil && len(names) == 0 {
			err = c.read(ctx, call, func(v *db.View, _ identity.Scope) error {
				gaps, err := invoice.Gaps(ctx, v)
				for _, text := range gaps {
					tell(Wrong{What: text})
				}
				return err
			})
		}
		if err != nil || len(names) == 0 {
			return books, err
		}
		books += len(names)
		after = names[len(names)-1]
		for _, w := range found {
			tell(w)
			if park {
				err := c.DB.Update(ctx, c.instants(call), func(tx *db.Tx) error { return ledger.Park(ctx, tx, w.Customer, w.What) })
				if err != nil {
					return books, err
				}
			}
		}
	}
}

// wrongIn checks one customer's books, in detail since a month.
func (c *Counter) wrongIn(ctx context.Context, r db.Reader, customer string, since period.Cycle) (out []Wrong, err error) {
	balances, err := ledger.Check(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	for _, d := range balances {
		out = append(out, Wrong{customer, fmt.Sprintf("%s: kept %s, postings come to %s", d.Account, d.Kept, d.Recomputed)})
	}
	coupons, err := coupon.CheckUses(ctx, r, customer)
	for _, id := range coupons {
		out = append(out, Wrong{customer, fmt.Sprintf("coupon %s: its uses do not come to face less balance", id)})
	}
	if err != nil {
		return nil, err
	}
	counts, err := order.CheckCounts(ctx, r, customer)
	for _, text := range counts {
		out = append(out, Wrong{customer, text})
	}
	if err != nil {
		return nil, err
	}
	terms, err := subscription.Check(ctx, r, customer)
	for _, text := range terms {
		out = append(out, Wrong{customer, text})
	}
	if err != nil {
		return nil, err
	}
	if c.Settling != nil {
		settled, err := c.Settling.Check(ctx, r, customer, since)
		if err != nil {
			return nil, err
		}
		for _, text := range settled {
			out = append(out, Wrong{customer, text})
		}
	}
	about, err := invoice.AboutOthers(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	for _, name := range append(about, customer) {
		papers, err := c.checkInvoices(ctx, r, name, since)
		if err != nil {
			return nil, err
		}
		for _, text := range papers {
			out = append(out, Wrong{customer, text})
		}
	}
	now, _ := r.Instant()
	spendings, err := project.Spendings(ctx, r, customer, period.CycleOf(now))
	if err != nil {
		return nil, err
	}
	for i := range spendings {
		s := &spendings[i]
		found, err := charge.SpentIn(ctx, r, customer, s.Project, s.Cycle)
		if err != nil {
			return nil, err
		}
		if found != s.Spent {
			out = append(out, Wrong{customer, fmt.Sprintf("budget of enterprise project %s: counted %s in %s, fee records come to %s", s.Project, s.Spent, s.Cycle, found)})
		}
	}
	charged, err := charge.PaidBy(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	cut, err := bill.CutOff(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	booked, err := ledger.Spent(ctx, r, customer, time.Unix(0, 0), time.Unix(1<<40, 0))
	if err != nil {
		return nil, err
	}
	if charged-cut != booked {
		out = append(out, Wrong{customer, fmt.Sprintf("fee records come to %s, of which %s were cut off, the books to %s", charged, cut, booked)})
	}
	if c.Bills == nil {
		return out, nil
	}
	bills, err := c.Bills.Check(ctx, r, customer, since)
	for _, text := range bills {
		out = append(out, Wrong{customer, text})
	}
	return out, err
}

// ReleaseBooks lets a parked customer's money move again. The operator's.
func (c *Counter) ReleaseBooks(ctx context.Context, call *Call, customer string) error {
	call.About(customer, "")
	call.Of(customer)
	_, err := write(ctx, c, call, func(tx *db.Tx, scope identity.Scope) (struct{}, error) {
		if err := operatorOnly(scope); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ledger.Release(ctx, tx, customer)
	})
	return err
}
