package settlement

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/usage"
)

// Life says how long a customer in arrears keeps its pay-per-use resources (billing-rules 2.2, 3.5).
type Life struct {
	Grace     time.Duration // usable, and charged
	Retention time.Duration // frozen
}

// Kind is what a customer's date is for.
type Kind int32

// The kinds: a customer who settles monthly has a day on which the month is charged; a customer in arrears has its next
// stage.
const (
	Statement Kind = 0
	InArrears Kind = 1
)

// Stage is how far arrears have come.
//
//	grace → frozen → released        any → none, when nothing is owed any more
type Stage int32

// The stages.
const (
	Grace    Stage = 1
	Frozen   Stage = 2
	Released Stage = 3
)

// Arrears is a date of a customer that owes.
type Arrears struct {
	Customer string
	Kind     Kind
	Since    time.Time
	Stage    Stage
	Next     time.Time // when it is the customer's turn; zero: never
}

// Mark is a place in everybody's dates.
type Mark struct {
	At       time.Time
	Customer string
	Kind     Kind
}

// ArrearsDue lists dates at or before an instant, from a place on.
func ArrearsDue(ctx context.Context, r db.Reader, until time.Time, after Mark, n int) ([]Arrears, error) {
	return arrearsDue(ctx, r, until, after, n)
}

// FirstArrears finds a customer's first date at or before an instant.
func FirstArrears(ctx context.Context, r db.Reader, customer string, until time.Time) (Arrears, bool, error) {
	return firstArrears(ctx, r, customer, until)
}

// ArrearsOf says whether a customer is in arrears, and how far.
func ArrearsOf(ctx context.Context, r db.Reader, customer string) (Arrears, bool, error) {
	return arrearsOf(ctx, r, customer, InArrears)
}

// statementAfter is when the month is charged (billing-rules 3.2): when it is closed.
func statementAfter(at time.Time) time.Time { return period.CycleOf(at).Closes() }

// Owe notes that a payer owes since now: one who settles monthly is charged on the 3rd, any other is in arrears. began says
// that the arrears began with this.
func (d *Desk) Owe(ctx context.Context, tx *db.Tx, payer *account.Customer) (began bool, err error) {
	kind, next := InArrears, tx.Now.Add(d.Rules.life(payer).Grace)
	if payer.Settlement == account.Monthly {
		kind, next = Statement, statementAfter(tx.Now)
	}
	a, found, err := arrearsOf(ctx, tx, payer.ID, kind)
	if err != nil || found {
		return false, err
	}
	a.Since, a.Stage, a.Next = tx.Now, Grace, next
	return kind == InArrears, setArrears(ctx, tx, &a)
}

// Collect charges a payer who settles monthly for what it owes of the months before: from cash, then credit. What is left
// puts it in arrears.
func (d *Desk) Collect(ctx context.Context, tx *db.Tx, payer *account.Customer, a *Arrears) (began bool, err error) {
	held, err := ledger.Of(ctx, tx, payer.ID)
	if err != nil {
		return false, err
	}
	running, err := charge.DebtOf(ctx, tx, payer.ID, period.CycleOf(tx.Now))
	if err != nil {
		return false, err
	}
	due := dueOf(held.Debt, running)
	cash := min(max(0, held.Cash), due)
	credit := min(max(0, payer.CreditLimit-held.Credit), due-cash)
	var postings []ledger.Posting
	for _, p := range []ledger.Posting{{Giver: ledger.Cash, Taker: ledger.Debt, Amount: cash}, {Giver: ledger.Credit, Taker: ledger.Debt, Amount: credit}} {
		if p.Amount > 0 {
			postings = append(postings, p)
		}
	}
	if len(postings) > 0 {
		reference := period.CycleOf(tx.Now).Add(-1).String()
		random := ident.Stream("statement", payer.ID, reference)
		if err := ledger.Post(ctx, tx, random, &ledger.Entry{Customer: payer.ID, Cause: "statement", Reference: reference, Postings: postings}); err != nil {
			return false, err
		}
	}
	a.Next = statementAfter(tx.Now)
	if held.Debt == due {
		err = endArrears(ctx, tx, a) // nothing of the running month yet: the next charge sets a new date
	} else {
		err = setArrears(ctx, tx, a)
	}
	if err != nil || due == cash+credit {
		return false, err
	}
	in, found, err := arrearsOf(ctx, tx, payer.ID, InArrears)
	if err != nil || found {
		return false, err
	}
	in.Since, in.Stage, in.Next = tx.Now, Grace, tx.Now.Add(d.Rules.life(payer).Grace)
	return true, setArrears(ctx, tx, &in)
}

// dueOf is what of a debt is of the months before. What the running month gave back of an older debt is below zero, and no
// reason to collect more than is owed.
func dueOf(debt, running money.Amount) money.Amount { return max(0, debt-max(0, running)) }

// Turn is what arrears, or their end, did to the pay-per-use resources of some customers.
type Turn struct {
	Event     string   // Freezes, Thaws or Releases
	Customers []string // those who had such resources
}

// Events of a Turn.
const (
	Freezes  = "frozen"
	Thaws    = "thawed"
	Releases = "released"
)

// Step takes a customer in arrears to its next stage: its pay-per-use resources, and those of members it pays for, are
// frozen, then released.
func (d *Desk) Step(ctx context.Context, tx *db.Tx, who *account.Customer, a *Arrears) (turn Turn, err error) {
	switch a.Stage {
	case Grace:
		a.Stage, a.Next = Frozen, a.Next.Add(d.Rules.life(who).Retention)
		turn, err = eachPaidFor(ctx, tx, a.Customer, Freezes, usage.FreezeAll)
	case Frozen:
		a.Stage, a.Next = Released, time.Time{}
		turn, err = eachPaidFor(ctx, tx, a.Customer, Releases, usage.ReleaseAll)
	default:
		a.Next = time.Time{}
	}
	if err != nil {
		return turn, err
	}
	return turn, setArrears(ctx, tx, a)
}

// Clear ends a customer's arrears when nothing is owed any more; what was frozen goes on. was says how far they had come.
func (d *Desk) Clear(ctx context.Context, tx *db.Tx, customer string) (was Stage, turn Turn, ended bool, err error) {
	a, found, err := arrearsOf(ctx, tx, customer, InArrears)
	if err != nil || !found {
		return 0, turn, false, err
	}
	held, err := ledger.Of(ctx, tx, customer)
	if err != nil || held.Debt > 0 {
		return 0, turn, false, err
	}
	if a.Stage >= Frozen {
		if turn, err = eachPaidFor(ctx, tx, customer, Thaws, usage.ThawAll); err != nil {
			return 0, turn, false, err
		}
	}
	return a.Stage, turn, true, endArrears(ctx, tx, &a)
}

// membersAtOnce is how many members are read at a time.
const membersAtOnce = 500

// eachPaidFor does a thing for a payer and for every member that it pays for, and says for whom that changed something.
func eachPaidFor(ctx context.Context, tx *db.Tx, payer, event string, do func(context.Context, *db.Tx, string) (int64, error)) (turn Turn, err error) {
	turn.Event = event
	one := func(customer string) error {
		n, err := do(ctx, tx, customer)
		if n > 0 {
			turn.Customers = append(turn.Customers, customer)
		}
		return err
	}
	if err := one(payer); err != nil {
		return turn, err
	}
	for offset := 0; ; offset += membersAtOnce {
		_, page, err := account.Members(ctx, tx, payer, offset, membersAtOnce)
		if err != nil {
			return turn, err
		}
		for i := range page {
			if page[i].Accounting == account.Unified {
				if err := one(page[i].Member); err != nil {
					return turn, err
				}
			}
		}
		if len(page) < membersAtOnce {
			return turn, nil
		}
	}
}

// IsFrozen says whether who pays for a customer is so far in arrears that resources are frozen, or were released.
func IsFrozen(ctx context.Context, r db.Reader, customer string) (bool, error) {
	payer, err := account.PayerOf(ctx, r, customer)
	if err != nil {
		return false, err
	}
	a, found, err := arrearsOf(ctx, r, payer, InArrears)
	return found && a.Stage >= Frozen, err
}

// Follow freezes a customer's resources, or lets them go on, as whoever pays for it now stands.
func Follow(ctx context.Context, tx *db.Tx, customer string) (turn Turn, err error) {
	frozen, err := IsFrozen(ctx, tx, customer)
	if err != nil {
		return turn, err
	}
	do, event := usage.ThawAll, Thaws
	if frozen {
		do, event = usage.FreezeAll, Freezes
	}
	n, err := do(ctx, tx, customer)
	if n > 0 {
		turn = Turn{Event: event, Customers: []string{customer}}
	}
	return turn, err
}
