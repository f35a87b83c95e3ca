package charge

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/outbox"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/project"
)

// Spent is what fee records come to, by enterprise project and bill cycle, less what coupons paid: what budgets count.
type Spent map[ProjectCycle]money.Amount

// ProjectCycle is a bill cycle of an enterprise project.
type ProjectCycle struct {
	Project string
	Cycle   period.Cycle
}

// Add adds a record that was recorded, in the cycle that it was booked in.
func (s Spent) Add(f *Fee) {
	s[ProjectCycle{f.Project, f.Cycle}] += f.Amount - f.Parts.Coupon // parts of sums that fit
}

// Count adds to what the months of a customer's projects have cost, of those with a budget, and tells of each share of a
// budget that is reached. Who adds fee records one by one counts them together; RecordAll does by itself.
func Count(ctx context.Context, tx *db.Tx, customer string, spent Spent) error {
	if len(spent) == 0 {
		return nil
	}
	budgeted, err := project.Budgeted(ctx, tx, customer)
	if err != nil || len(budgeted) == 0 {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(spent), func(a, b ProjectCycle) int {
		if a.Project != b.Project {
			return slices.Compare([]string{a.Project}, []string{b.Project})
		}
		return int(a.Cycle - b.Cycle)
	})
	for _, k := range keys {
		if !slices.Contains(budgeted, k.Project) {
			continue
		}
		alert, err := project.Spend(ctx, tx, customer, k.Project, k.Cycle, spent[k])
		if err == nil && alert != nil {
			err = TellBudget(ctx, tx, alert)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TellBudget puts into the outbox that a month of a project has reached a share of its budget.
func TellBudget(ctx context.Context, tx *db.Tx, a *project.Alert) error {
	body, err := json.Marshal(map[string]any{
		"customer_id": a.Customer, "enterprise_project_id": a.Project, "bill_cycle": a.Cycle.String(), "share": a.Share,
		"budget": a.Amount.String(), "spent": a.Spent.String(), "time": tx.Now.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	key := a.Project + " " + a.Cycle.String() + " " + strconv.Itoa(a.Share) + " " + a.Changed.UTC().Format(time.RFC3339)
	return outbox.Put(ctx, tx, ident.Stream("budget", a.Customer, key), &outbox.Message{Customer: a.Customer, Topic: "project.budget.reached", Key: key, Body: string(body)})
}

// SpentIn is what a project's fee records of a bill cycle come to, less what coupons paid.
func SpentIn(ctx context.Context, r db.Reader, customer, project string, cycle period.Cycle) (money.Amount, error) {
	return spentIn(ctx, r, customer, project, cycle)
}
