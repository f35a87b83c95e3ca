package project

import (
	"context"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Budget is what a project's month (a bill cycle, GMT+8) should not pass and may not. What counts is what its fee records
// of the cycle come to, less what coupons paid: taxes and what is given back included.
type Budget struct {
	Customer, Project string
	Amount            money.Amount // alerts at shares of it; 0: none
	Quota             money.Amount // most that payments may bring the month to; 0: none
	Shares            []int        // percent of Amount at which to alert, rising
	Changed           time.Time
}

// Spending is a budget with what a cycle has cost.
type Spending struct {
	Budget
	Cycle   period.Cycle
	Spent   money.Amount
	Alerted int // highest share that was told
	kept    bool
}

// Alert says that a project's month has reached a share of its budget.
type Alert struct {
	Spending
	Share int
}

// sharesMost bounds the alerts of a budget.
const sharesMost = 10

// Check says what is wrong with a budget.
func (b *Budget) Check() error {
	wrong := func(text string) error { return fault.New(fault.Invalid, "CBC.0100", "%s", text) }
	switch {
	case b.Amount < 0 || b.Quota < 0:
		return wrong("budget, quota: must not be below 0")
	case b.Amount == 0 && b.Quota == 0:
		return wrong("budget, quota: at least one is above 0")
	case len(b.Shares) > sharesMost:
		return wrong("alert_shares: at most 10")
	case len(b.Shares) > 0 && b.Amount == 0:
		return wrong("alert_shares: are shares of a budget")
	}
	for _, share := range b.Shares {
		if share < 1 || share > 1000 {
			return wrong("alert_shares: 1 to 1000 percent")
		}
	}
	return nil
}

// SetBudget sets a project's budget; spent is what its fee records of the running cycle come to. It alerts at once when a
// share is reached.
func SetBudget(ctx context.Context, tx *db.Tx, b *Budget, spent money.Amount) (Spending, *Alert, error) {
	if err := b.Check(); err != nil {
		return Spending{}, nil, err
	}
	slices.Sort(b.Shares)
	b.Shares, b.Changed = slices.Compact(b.Shares), tx.Now
	if err := dropBudget(ctx, tx, b.Customer, b.Project); err != nil {
		return Spending{}, nil, err
	}
	if err := putBudget(ctx, tx, b); err != nil {
		return Spending{}, nil, err
	}
	s := Spending{Budget: *b, Cycle: period.CycleOf(tx.Now)}
	alert, err := s.Add(ctx, tx, spent)
	return s, alert, err
}

// DropBudget takes a project's budget away; false: it had none.
func DropBudget(ctx context.Context, tx *db.Tx, customer, project string) (bool, error) {
	_, had, err := spendingOf(ctx, tx, customer, project, period.CycleOf(tx.Now))
	if err != nil || !had {
		return false, err
	}
	return true, dropBudget(ctx, tx, customer, project)
}

// Spendings lists a customer's budgets with what a cycle has cost.
func Spendings(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) ([]Spending, error) {
	return spendings(ctx, r, customer, cycle)
}

// Budgeted lists a customer's projects that have a budget.
func Budgeted(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	return budgeted(ctx, r, customer)
}

// Spend counts what a project's month has cost more, when it has a budget.
func Spend(ctx context.Context, tx *db.Tx, customer, project string, cycle period.Cycle, amount money.Amount) (*Alert, error) {
	s, has, err := spendingOf(ctx, tx, customer, project, cycle)
	if err != nil || !has {
		return nil, err
	}
	return s.Add(ctx, tx, amount)
}

// Allow refuses a payment that would bring a project's month above its quota (CBC.99003155). budgeted says whether what is
// paid is to be counted.
func Allow(ctx context.Context, r db.Reader, customer, project string, cycle period.Cycle, amount money.Amount) (budgeted bool, err error) {
	s, has, err := spendingOf(ctx, r, customer, project, cycle)
	if err != nil || !has {
		return false, err
	}
	sum, err := money.Add(s.Spent, amount)
	if err != nil {
		return false, err
	}
	if s.Quota > 0 && amount > 0 && sum > s.Quota {
		refusal := fault.New(fault.Invalid, "CBC.99003155", "the fund quota of enterprise project %s is %s a month: with this payment the month would cost %s", project, s.Quota, sum)
		refusal.Detail = map[string]any{"enterprise_project_auth_result": project}
		return false, refusal
	}
	return true, nil
}

// Add counts what was charged, or given back, and says which share of the budget that reaches; nil: none that was not told.
// Somebody else's change meanwhile is an error: who pays began from it, and begins again.
func (s *Spending) Add(ctx context.Context, tx *db.Tx, amount money.Amount) (*Alert, error) {
	was := s.Spent
	sum, err := money.Add(was, amount)
	if err != nil {
		return nil, err
	}
	s.Spent = sum
	reached := 0
	for _, share := range s.Shares {
		// spent ≥ budget × share %, without rounding
		if at, err := money.MulDiv(int64(s.Amount), int64(share), 100); err == nil && s.Amount > 0 && int64(s.Spent) >= at && s.Spent > 0 {
			reached = share
		}
	}
	tell := reached > s.Alerted
	if tell {
		s.Alerted = reached
	}
	written, err := setSpent(ctx, tx, s, was)
	if err != nil {
		return nil, err
	}
	if !written {
		return nil, fault.New(fault.Conflict, "CBC.99003651", "another payment of enterprise project %s is in progress", s.Project)
	}
	s.kept = true
	if !tell {
		return nil, nil
	}
	return &Alert{Spending: *s, Share: reached}, nil
}
