package charge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Key is what a sum of fee records is kept for.
type Key struct {
	Customer     string
	Cycle        period.Cycle
	Booked       period.Date // on which they were charged
	Day          period.Date // of the bill
	Bill         BillType
	Mode         int32
	Service      string
	ResourceType string
	Region       string
	Project      string
	Payer        string
}

// Sum is what the fee records of a key come to. Asked for in a coarser form, what was added up is zero in its key.
type Sum struct {
	Key
	Records  int64
	Zeros    int64 // of them, records whose amount is 0
	Official money.Amount
	Discount money.Amount
	Amount   money.Amount
	Parts    Parts
}

// add adds another sum to this one. ErrOverflow.
func (s *Sum) add(o *Sum) error {
	s.Records += o.Records
	s.Zeros += o.Zeros
	err := error(nil)
	plus := func(a *money.Amount, b money.Amount) {
		if err == nil {
			*a, err = money.Add(*a, b)
		}
	}
	plus(&s.Official, o.Official)
	plus(&s.Discount, o.Discount)
	plus(&s.Amount, o.Amount)
	if err != nil {
		return err
	}
	return s.Parts.Add(&o.Parts)
}

// sumOf is the sum of one record.
func sumOf(f *Fee) Sum {
	return Sum{
		Key: Key{
			Customer: f.Customer, Cycle: f.Cycle, Booked: f.Booked(), Day: f.Day(), Bill: f.Bill, Mode: f.Mode, Service: f.Service, ResourceType: f.ResourceType,
			Region: f.Region, Project: f.Project, Payer: f.Payer,
		},
		Records: 1, Zeros: db.Bool(f.Amount == 0), Official: f.Official, Discount: f.Discount, Amount: f.Amount, Parts: f.Parts,
	}
}

func (k *Key) compare(o *Key) int {
	return cmp.Or(cmp.Compare(k.Customer, o.Customer), cmp.Compare(k.Cycle, o.Cycle), cmp.Compare(k.Booked, o.Booked), cmp.Compare(k.Day, o.Day),
		cmp.Compare(k.Bill, o.Bill), cmp.Compare(k.Mode, o.Mode), cmp.Compare(k.Service, o.Service), cmp.Compare(k.ResourceType, o.ResourceType),
		cmp.Compare(k.Region, o.Region), cmp.Compare(k.Project, o.Project), cmp.Compare(k.Payer, o.Payer))
}

// addSums adds records to what is kept, those of one key at once.
func addSums(ctx context.Context, tx *db.Tx, fees []Fee) error {
	at := make(map[Key]int, 4)
	var sums []Sum
	for i := range fees {
		s := sumOf(&fees[i])
		i, ok := at[s.Key]
		if !ok {
			at[s.Key] = len(sums)
			sums = append(sums, s)
		} else if err := sums[i].add(&s); err != nil {
			return fmt.Errorf("sum fees: %w", err)
		}
	}
	slices.SortFunc(sums, func(a, b Sum) int { return a.compare(&b.Key) }) // always in the same order: nobody waits in a ring
	return keepSums(ctx, tx, sums)
}

// Filter is which fee records of a cycle are wanted; nil and zero stand for any. Sums are kept for all of it but Resource,
// Instances and Trade.
type Filter struct {
	Service      *string
	ResourceType *string
	Region       *string
	Project      *string
	Payer        *string
	Mode         int32
	Bill         BillType
	Bills        []BillType  // any of them
	Within       []string    // enterprise projects; nil: all
	NoZeros      bool        // only what comes to something: records, or resources where they are added up
	From, To     period.Date // days of the bill, both within
	Until        period.Date // booked on it or before
	Before       time.Time   // traded before it, within Until

	Resource  *string  // the cloud's id of a pay-per-use resource
	Instances []string // or ids inside the house of yearly/monthly ones
	Trade     *string

	booked []period.Date // days on which something was booked at all; see placed
}

// placed is the filter with what finds the records of a resource by their index.
func (f *Filter) placed(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (*Filter, error) {
	if f.Resource == nil || *f.Resource == "" {
		return f, nil
	}
	out := *f
	var err error
	out.booked, err = bookedDays(ctx, r, customer, cycle)
	return &out, err
}

// single says that the sums do not answer the filter.
func (f *Filter) single() bool { return f.Resource != nil || f.Instances != nil || f.Trade != nil }

// Products adds up a customer's fee records of a cycle by bill type, mode, service, resource type, project and payer, in that
// order. From what is kept: the filter names no single resource or trade.
func Products(ctx context.Context, r db.Reader, customer string, cycle period.Cycle, f *Filter) ([]Sum, error) {
	return products(ctx, r, customer, cycle, f)
}

// Frozen says since when nothing is added to a customer's cycle; the zero time: it is open.
func Frozen(ctx context.Context, r db.Reader, customer string, cycle period.Cycle) (time.Time, error) {
	at, _, err := frozenAt(ctx, r, customer, cycle)
	return at, err
}

// Freeze freezes a cycle: what is charged from now on belongs to a later one. It may be done again.
func Freeze(ctx context.Context, tx *db.Tx, customer string, cycle period.Cycle) error {
	return freeze(ctx, tx, customer, cycle)
}

// Waiting is a cycle of a customer that is to be closed.
type Waiting struct {
	Customer string
	Cycle    period.Cycle
}

// AllWaiting lists cycles up to one that are to be closed, from a place on.
func AllWaiting(ctx context.Context, r db.Reader, upTo period.Cycle, after Waiting, n int) ([]Waiting, error) {
	return allWaiting(ctx, r, upTo, after, n)
}

// FirstWaiting finds the first cycle of a customer up to one that is to be closed.
func FirstWaiting(ctx context.Context, r db.Reader, customer string, upTo period.Cycle) (w Waiting, found bool, err error) {
	return firstWaiting(ctx, r, customer, upTo)
}

// CountWaiting is how many customers' cycles are to be closed.
func CountWaiting(ctx context.Context, r db.Reader, cycle period.Cycle) (n int, err error) {
	return countWaiting(ctx, r, cycle)
}

// Waitings is how many customers' cycles are to be closed, by cycle, of those from the first to the last that have any.
func Waitings(ctx context.Context, r db.Reader, first, last period.Cycle) (map[period.Cycle]int, error) {
	return waitings(ctx, r, first, last)
}

// SetWaiting says whether a cycle is to be closed.
func SetWaiting(ctx context.Context, tx *db.Tx, w Waiting, waits bool) error {
	return setWaiting(ctx, tx, w, waits)
}

// Cycles lists the bill cycles that a customer has fee records of, in order.
func Cycles(ctx context.Context, r db.Reader, customer string) ([]period.Cycle, error) {
	return cycles(ctx, r, customer)
}

// Debts are what was left unpaid when it was charged to a payer, by the customer and cycle that it was charged to.
func Debts(ctx context.Context, r db.Reader, payer string) (map[Waiting]money.Amount, error) {
	return debtsByCycle(ctx, r, payer)
}

// Services adds everybody's fee records of a cycle up by service, mode and bill type.
func Services(ctx context.Context, r db.Reader, cycle period.Cycle) ([]Sum, error) {
	return services(ctx, r, cycle)
}

// CountOpen is how many customers have a cycle that still takes records.
func CountOpen(ctx context.Context, r db.Reader, cycle period.Cycle) (n int, err error) {
	return countOpen(ctx, r, cycle)
}

// CheckSums recomputes what is kept of a customer's fee records of a bill cycle and later ones, and names what differs.
func CheckSums(ctx context.Context, r db.Reader, customer string, since period.Cycle) (wrong []string, err error) {
	kept, err := sums(ctx, r, customer, since, true)
	if err != nil {
		return nil, err
	}
	made, err := sums(ctx, r, customer, since, false)
	if err != nil {
		return nil, err
	}
	for key, s := range made {
		if k := kept[key]; k != s {
			wrong = append(wrong, fmt.Sprintf("cycle %s, booked %s, %s, bill type %d: %d fee records come to %s, kept are %d and %s", key.Cycle, key.Booked, key.ResourceType, key.Bill, s.Records, s.Amount, k.Records, k.Amount))
		}
		delete(kept, key)
	}
	for key, k := range kept {
		wrong = append(wrong, fmt.Sprintf("cycle %s, booked %s, %s, bill type %d: %d records and %s are kept of fee records that are not there", key.Cycle, key.Booked, key.ResourceType, key.Bill, k.Records, k.Amount))
	}
	slices.Sort(wrong)
	return wrong, nil
}

// Deltas add up by how much charges would come to something else, under other prices; they are no records.
type Deltas map[Key]*Sum

// Add adds a difference. Amounts count as cash: what would have paid them is not said. ErrOverflow.
func (d Deltas) Add(k Key, official, discount money.Amount) error {
	if official == 0 && discount == 0 {
		return nil
	}
	s := d[k]
	if s == nil {
		s = &Sum{Key: k}
		d[k] = s
	}
	amount, err := money.Add(official, -discount)
	if err != nil {
		return err
	}
	return s.add(&Sum{Official: official, Discount: discount, Amount: amount, Parts: Parts{Cash: amount}})
}

// List is what was added up, in the order of the keys.
func (d Deltas) List() []Sum {
	out := make([]Sum, 0, len(d))
	for _, s := range d {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Sum) int { return a.compare(&b.Key) })
	return out
}
