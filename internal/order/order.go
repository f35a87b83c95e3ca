// Package order owns orders: placing, paying, fulfilling, cancelling, unsubscribing and refunding; one file per verb.
//
// It does not own prices (catalog, rating), discounts, coupons, money (ledger, payment), nor resources (subscription):
// a verb asks them in turn, in one transaction.
//
// Statuses (api.md 0.12, billing-rules 1.1):
//
//	place ─┬─► 6 pending payment ──pay──► 3 processing ──fulfil──► 5 completed
//	       ├─► 9 pending confirmation ─confirm─► 6      └─fail─► 5, and an unsubscription without fee
//	       └─► 1 pending approval ──approve──► 6
//	1, 6, 9 ──cancel, refuse, deadline──► 4 cancelled
//
//	unsubscribe ─┬─► 5 completed, refunded at once
//	             └─► 1 (refund above the limit of review) ──approve──► 2 refunding ──► 5
//	                                                      └─refuse──► 4, the resource stays
//
// 4 and 5 are the end. With the default provisioner 3 passes within the payment's own transaction.
//
// Invariants: an order is paid once and whole (a constraint: amount and tax are the sum of what they were paid with);
// what lines were paid sums to the order; counts by status are kept with every change; every change of status is
// compare-and-set.
package order

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// Type is what an order is for, with the numbers of the contract.
type Type int32

// The types that exist so far.
const (
	New         Type = 1
	Renew       Type = 2
	Change      Type = 3
	Unsubscribe Type = 4
)

// Status is where an order stands.
type Status int32

// The statuses.
const (
	Approving  Status = 1
	Refunding  Status = 2
	Processing Status = 3
	Cancelled  Status = 4
	Completed  Status = 5
	Unpaid     Status = 6
	Confirming Status = 9
)

// Sources of orders.
const (
	ByCustomer     int32 = 1
	ByProxy        int32 = 2
	ByCompensation int32 = 7
	BySystem       int32 = 8
)

// Order is an order with its sums; lines are read apart.
type Order struct {
	Customer      string
	ID            string
	Type          Type
	Status        Status
	Source        int32
	Trade         string // combined purchase; empty without
	Service       string // of the first line
	CloudProject  string
	Project       string // enterprise project
	Official      money.Amount
	Amount        money.Amount // after discount, before coupon; of an unsubscription what goes back
	Tax           money.Amount // on top
	Fee           money.Amount // of an unsubscription
	Consumed      money.Amount // of an unsubscription
	DiscountID    string
	DiscountKind  rating.Kind
	CouponID      string // that paid
	CouponHeld    string // that waits for the payment
	Payer         string // whose money it is; empty until paid
	Paid          charge.Parts
	Policy        subscription.Policy // at expiry
	Base          string              // of an unsubscription: the order that bought it
	Reason        string
	User          string // name of who placed it; empty: the system
	Unconditional bool   // an unsubscription that took one of the year's, see Desk.unconditional
	Created       time.Time
	Deadline      time.Time // of payment, exclusive
	Effective     time.Time // chosen start; zero: when it is paid
	PaidAt        time.Time
	Finished      time.Time
	deed          *deed // that is being done to it; nil: none that charges
}

// deed is what a payment, or giving back, comes to.
type deed struct {
	fees    []charge.Fee // recorded together, at its end
	counted bool         // for the budgets of projects, of which there may be one
}

// Line is one product of an order, or one resource of an unsubscription.
type Line struct {
	Order        string
	No           int32 // from 1
	Parent       int32 // line of the primary product; 0: it is one itself
	Related      int32 // line of another primary product that this one goes with; 0: none
	Name         string
	Service      string
	ResourceType string
	Product      string
	Spec         string
	Region       string
	Zone         string
	Size         rating.Size
	Unit         period.Unit
	Periods      int
	Num          int
	Official     money.Amount
	Amount       money.Amount
	Coupon       money.Amount
	Fee          money.Amount
	Consumed     money.Amount
	TaxRate      string // empty: there was none for the customer when it was placed
	TaxInclusive bool
	Tax          money.Amount // on top
	Effective    time.Time
	Expires      time.Time
	Base         string // of an unsubscription
	Instance     string // of a renewal: the resource
}

// ID is the line's own id.
func (l *Line) ID() string { return fmt.Sprintf("%s-%06d", l.Order, l.No) }

// wanted is the line in the form in which the catalogue prices it.
func (l *Line) wanted() catalog.Wanted {
	return catalog.Wanted{
		ID: l.ID(), Service: l.Service, ResourceType: l.ResourceType, Spec: l.Spec, Region: l.Region, Zone: l.Zone, Size: l.Size,
		Num: int32(l.Num), PeriodType: l.Unit.Code(), Periods: int32(l.Periods),
	}
}

// rated is the line as discounts look at it; its official amount was fixed when the order was placed.
func (l *Line) rated() (rating.Line, error) {
	quantity := money.Decimal{}
	if months, ok := period.Months(l.Unit, l.Periods); ok && (l.Instance == "" || l.Base == "") { // a fixed price is not for the difference of a change
		size := l.Size.Value
		if l.Size.Unit == 0 {
			size = money.DecimalOf(1)
		}
		var err error
		if quantity, err = size.Mul(money.DecimalOf(int64(months) * int64(l.Num))); err != nil {
			return rating.Line{}, err
		}
	}
	return rating.Line{
		ID: l.ID(), Service: l.Service, ResourceType: l.ResourceType, Product: l.Product, Region: l.Region, Charging: rating.ByPeriod,
		Official: money.Quoted(l.Official) * quotedPerAmount, Quantity: quantity,
	}, nil
}

// quotedPerAmount: a quote has two decimals more than an amount.
const quotedPerAmount = 100

// Rules are the settings of the room; see docs/settings.md.
type Rules struct {
	Life          time.Duration // how long an order can be paid
	ReviewOrders  money.Amount  // orders above it wait for approval; 0: none
	ReviewRefunds money.Amount  // refunds above it wait for approval; 0: none
	Fees          Fees
	Grace         int                          // days, for customers whose tier is not in Tiers
	Retention     int                          // days
	Tiers         map[string]subscription.Life // grace and retention by tier
	TermMost      int                          // months that a resource may be paid ahead in all
	FreeDays      int                          // days of 24 hours from its provisioning in which a new resource goes back in full; 0: none
	FreeEach      int                          // how often in a calendar year (GMT+8) a customer may do so
	External      bool                         // an external provisioner fulfils
}

// StandardRules are the defaults: 7 days (billing-rules 1.2), refunds above 7,000 are reviewed (2.8), fees of 2.8,
// 15 days of grace and 15 of retention (2.2, international site), no unconditional unsubscription (12: that site has none).
func StandardRules() Rules {
	return Rules{Life: 7 * 24 * time.Hour, ReviewRefunds: 7_000 * 100_000_000, Fees: StandardFees(), Grace: 15, Retention: 15, TermMost: 120, FreeEach: 10}
}

// life is what a customer's resources live by.
func (d *Desk) life(c *account.Customer) subscription.Life {
	out, ok := d.Rules.Tiers[c.Tier]
	if !ok {
		out = subscription.Life{Grace: d.Rules.Grace, Retention: d.Rules.Retention}
	}
	out.Ahead, out.Day = c.RenewAhead, c.RenewDay
	return out
}

// Desk has what the verbs need. Its fields are set once.
type Desk struct {
	Random    io.Reader
	Currency  money.Currency
	Catalogue *catalog.Shelf
	Discounts *discount.Book
	Rules     Rules
	Tell      func(ctx context.Context, tx *db.Tx, m *Told) error  // nil: nobody is told
	Charged   func(ctx context.Context, tx *db.Tx, o *Order) error // an order took money or gave it back; nil: nobody asks
	Sees      func(project string) bool                            // enterprise projects that the caller sees; nil: all
}

// Within is the desk for a caller who sees some enterprise projects only: what belongs to others is not there.
func (d *Desk) Within(sees func(project string) bool) *Desk {
	limited := *d
	limited.Sees = sees
	return &limited
}

func (d *Desk) sees(project string) bool { return d.Sees == nil || d.Sees(project) }

// Find finds an order of a customer that the caller sees.
func (d *Desk) Find(ctx context.Context, r db.Reader, customer, id string) (Order, error) {
	o, err := Find(ctx, r, customer, id)
	if err == nil && !d.sees(o.Project) {
		return Order{}, errUnknown(id)
	}
	return o, err
}

// Resource finds a resource of a customer that the caller sees.
func (d *Desk) Resource(ctx context.Context, r db.Reader, customer, id string) (subscription.Resource, error) {
	one, err := subscription.Find(ctx, r, customer, id)
	if err == nil && !d.sees(one.Project) {
		return subscription.Resource{}, subscription.Unknown(id)
	}
	return one, err
}

// Package finds a resource package of a customer that the caller sees. One that serves all projects is seen by who sees all.
func (d *Desk) Package(ctx context.Context, r db.Reader, customer, id string) (quota.Package, error) {
	p, err := quota.Find(ctx, r, customer, id)
	if err == nil && !d.sees(p.Project) {
		return quota.Package{}, quota.Unknown(id)
	}
	return p, err
}

// errUnknown is what every operation says of an order that is not the customer's.
func errUnknown(id string) error {
	return fault.New(fault.Invalid, "CBC.30000010", "the customer has no order %s", id)
}

// Find finds an order of a customer; ids are compared without case (api.md 5.1).
func Find(ctx context.Context, r db.Reader, customer, id string) (Order, error) {
	o, err := find(ctx, r, customer, strings.ToUpper(id))
	if errors.Is(err, db.ErrNoRows) {
		return o, errUnknown(id)
	}
	return o, err
}

// Lines pages through the lines of an order; limit 0: all.
func Lines(ctx context.Context, r db.Reader, o *Order, offset, limit int) (total int, page []Line, err error) {
	return lines(ctx, r, o.Customer, o.ID, offset, limit)
}

// CombinedOf says of some orders of a customer which combined purchase they belong to; of the others nothing.
func CombinedOf(ctx context.Context, r db.Reader, customer string, ids []string) (map[string]string, error) {
	return combinedOf(ctx, r, customer, ids)
}

func allLines(ctx context.Context, r db.Reader, o *Order) ([]Line, error) {
	_, list, err := lines(ctx, r, o.Customer, o.ID, 0, 0)
	return list, err
}

// move changes an order's status from what it was read with, keeping the counts; an order that has moved meanwhile
// is a conflict of the caller.
func move(ctx context.Context, tx *db.Tx, o *Order, to Status) error {
	from := o.Status
	o.Status = to
	if to == Cancelled || to == Completed {
		o.Finished = tx.Now
	}
	changed, err := update(ctx, tx, o, from)
	if err != nil {
		return err
	}
	if !changed {
		return errMoved(o.ID)
	}
	if from == to {
		return nil
	}
	return countMove(ctx, tx, o.Customer, from, to)
}

func errMoved(id string) error {
	return fault.New(fault.Invalid, "CBC.99003106", "the status of order %s has changed", id)
}

// Query filters orders; empty fields leave nothing out.
type Query struct {
	ID                     string
	Service                string
	Status                 Status
	Type                   Type
	CreatedFrom, CreatedTo time.Time // both inclusive
	PaidFrom, PaidTo       time.Time
	OldestFirst            bool
	Payer                  string   // paid by this account for the customer
	Within                 []string // enterprise projects; nil: all
}

// List pages through a customer's orders, newest first unless the query says otherwise. The total of all orders and
// that of one status are kept; any other filter counts on its index.
func List(ctx context.Context, r db.Reader, customer string, q *Query, offset, limit int) (total int, page []Order, err error) {
	return list(ctx, r, customer, q, offset, limit)
}

// Unfinished counts the orders of an enterprise project that are neither completed nor cancelled.
func Unfinished(ctx context.Context, r db.Reader, customer, project string) (int, error) {
	return unfinished(ctx, r, customer, project)
}

// Waiting pages through the orders of all customers that wait for approval or confirmation, the oldest first.
func Waiting(ctx context.Context, r db.Reader, offset, limit int) (total int, page []Order, err error) {
	return waiting(ctx, r, offset, limit)
}

// CheckCounts names each kept count of a customer that its orders do not bear out.
func CheckCounts(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	return checkCounts(ctx, r, customer)
}
