// Package coupon owns promises to charge less: cash coupons that the operator or a partner issues to customers, what
// is left of them, and each use of them.
//
// It does not own which order may use one together with a discount (payment), nor money (ledger): a coupon is no
// money, it is a promise.
//
// Versions: 1 is used once, what it does not cover is lost; 2 is used again until its balance is gone.
//
// States at an instant (business time), the first that applies; they are worked out, not kept:
//
//	withdrawn (5) ← withdrawn by who issued it
//	used (3)      ← version 1 used, or balance 0
//	expired (4)   ← its end has come
//	inactive (1)  ← not activated yet
//	usable (2)    ← the rest; it may be frozen, or locked by an order
//
// Invariants: 0 ≤ balance ≤ face, by a constraint; uses less what was given back = face − balance; an order holds at
// most one lock on a coupon; a coupon is never used for more than its balance, under any concurrency.
package coupon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
)

// Status is the state of a coupon, with the numbers of the contract (api.md 4.1).
type Status int32

// The states.
const (
	Inactive  Status = 1
	Usable    Status = 2
	Used      Status = 3
	Expired   Status = 4
	Withdrawn Status = 5
)

// Limit is one rule of what a coupon can be used for.
type Limit struct {
	Key    string `json:"key"` // one of limitKeys
	Value1 string `json:"value1,omitempty"`
	Value2 string `json:"value2,omitempty"`
	Unit   string `json:"unit,omitempty"`
}

// limitKeys are the keys of limits (api.md 4.1, billing-rules 5).
var limitKeys = map[string]bool{
	"serviceType": true, "regionCode": true, "productId": true, "subscribeType": true, UsageTimes: true, "minConsume": true,
	"minConsumeDiscount": true, "simultaneousUseWithEmpowerDiscount": true, "simultaneousUseWithContractDiscount": true,
	"simultaneousUseWithPromotionDiscount": true,
}

// Coupon is one promise to one customer.
type Coupon struct {
	Customer string
	ID       string
	Code     string // 16 digits
	Version  int32  // 1 or 2
	Face     money.Amount
	Balance  money.Amount
	Limits   []Limit
	Issuer   string // domain id of who issued it
	Plan     string
	PlanName string
	PlanDesc string
	Purpose  string
	Frozen   bool
	LockedBy string // order that holds it
	UsedBy   string // order that used it last
	Uses     int    // that were not given back; read for payments only, and where a limit asks for them
	// Instants of business time; the zero time: not yet.
	Effective, Expires, Created, Activated, UsedAt, WithdrawnAt time.Time
}

// Status is the coupon's state at a business instant.
func (c *Coupon) Status(now time.Time) Status {
	switch {
	case !c.WithdrawnAt.IsZero():
		return Withdrawn
	case c.Balance == 0 || c.Version == 1 && !c.UsedAt.IsZero():
		return Used
	case !now.Before(c.Expires):
		return Expired
	case c.Activated.IsZero():
		return Inactive
	}
	return Usable
}

// Check says what is wrong with a coupon before it is issued.
func (c *Coupon) Check(currency money.Currency) error {
	wrong := func(format string, args ...any) error { return fault.New(fault.Invalid, "CBC.0100", format, args...) }
	switch {
	case c.Version != 1 && c.Version != 2:
		return wrong("version: must be 1 or 2")
	case c.Face <= 0 || money.CutMinor(c.Face, currency) != c.Face:
		return wrong("face_value: must be above 0 and have at most %d decimals", currency.Minor())
	case !c.Expires.After(c.Effective):
		return wrong("expire_time: must be after effective_time")
	case len(c.Limits) > 20:
		return wrong("limits: at most 20")
	}
	for i, l := range c.Limits {
		if !limitKeys[l.Key] {
			return wrong("limits[%d].limit_key: %q is not known", i, l.Key)
		}
		if strings.HasPrefix(l.Key, "simultaneousUse") && l.Value1 != "0" && l.Value1 != "1" {
			return wrong("limits[%d].value1: must be 0 or 1", i)
		}
		if strings.HasPrefix(l.Key, "minConsume") || l.Key == UsageTimes {
			if d, err := money.ParseDecimal(l.Value1); err != nil || d.Sign() < 0 {
				return wrong("limits[%d].value1: must be a number of at least 0", i)
			}
		} else if l.Value1 == "" {
			return wrong("limits[%d].value1: is required", i)
		}
	}
	return nil
}

// Issue issues a coupon; it is active at once unless its holder must enter its code first (offline).
func Issue(ctx context.Context, tx *db.Tx, random io.Reader, currency money.Currency, c *Coupon, offline bool) error {
	if c.Effective.IsZero() {
		c.Effective = tx.Now
	}
	if c.Expires.IsZero() {
		c.Expires = c.Effective.AddDate(1, 0, 0)
	}
	if err := c.Check(currency); err != nil {
		return err
	}
	id, err := ident.NewCouponID(random, tx.Now)
	if err != nil {
		return err
	}
	code, err := ident.NewCouponCode(random)
	if err != nil {
		return err
	}
	c.ID, c.Code, c.Balance, c.Created = string(id), code, c.Face, tx.Now
	if !offline {
		c.Activated = tx.Now
	}
	return insert(ctx, tx, c)
}

// Actions on a coupon by who issued it, and activation by its holder.
const (
	Freeze   = "freeze"
	Unfreeze = "unfreeze"
	Withdraw = "withdraw"
	Activate = "activate"
)

// Act changes a coupon's state. One that an order holds cannot be withdrawn, one that is used, expired or withdrawn
// does not change.
func Act(ctx context.Context, tx *db.Tx, customer, id, action string) (Coupon, error) {
	c, err := Find(ctx, tx, customer, id)
	if err != nil {
		return c, err
	}
	if s := c.Status(tx.Now); s != Usable && s != Inactive {
		return c, fault.New(fault.Conflict, "PURSER.0401", "coupon %s is used, expired or withdrawn", id)
	}
	switch action {
	case Freeze, Unfreeze:
		c.Frozen = action == Freeze
	case Withdraw:
		if c.LockedBy != "" {
			return c, fault.New(fault.Conflict, "PURSER.0402", "coupon %s is held by order %s", id, c.LockedBy)
		}
		c.WithdrawnAt = tx.Now
	case Activate:
		if c.Activated.IsZero() {
			c.Activated = tx.Now
		}
	default:
		return c, fault.New(fault.Invalid, "CBC.0100", "action: must be freeze, unfreeze, withdraw or activate")
	}
	return c, update(ctx, tx, &c)
}

// Find finds a coupon of a customer.
func Find(ctx context.Context, r db.Reader, customer, id string) (Coupon, error) {
	c, err := find(ctx, r, customer, id)
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.New(fault.NotFound, "PURSER.0403", "the customer has no coupon %s", id)
	}
	return c, err
}

// errUsed is what the pay operation answers when a coupon can no longer be used (api.md 5.4).
func errUsed(id string) error {
	return fault.New(fault.Invalid, "CBC.99003112", "coupon %s is used, expired, frozen or held by another order", id)
}

// Lock lets an order hold a coupon, so that no other order uses it meanwhile. The same order may lock again.
func Lock(ctx context.Context, tx *db.Tx, customer, id, order string) (Coupon, error) {
	c, err := Find(ctx, tx, customer, id)
	if err != nil {
		return c, err
	}
	if !c.usableBy(order, tx.Now) {
		return c, errUsed(id)
	}
	c.LockedBy = order
	return c, update(ctx, tx, &c)
}

func (c *Coupon) usableBy(order string, now time.Time) bool {
	return c.Status(now) == Usable && !c.Frozen && !now.Before(c.Effective) && (c.LockedBy == "" || c.LockedBy == order)
}

// ForPayment finds a coupon that an order may be paid with now: active, in force, not frozen, with something left and not
// held by another order. CBC.99003112 otherwise, also when the customer has no such coupon.
func ForPayment(ctx context.Context, r db.Reader, customer, id, order string) (Coupon, error) {
	c, err := find(ctx, r, customer, id)
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.New(fault.Invalid, "CBC.99003112", "the customer has no coupon %s", id)
	}
	if err != nil {
		return c, err
	}
	if now, _ := r.Instant(); !c.usableBy(order, now) {
		return c, errUsed(id)
	}
	if slices.ContainsFunc(c.Limits, func(l Limit) bool { return l.Key == UsageTimes }) {
		c.Uses, err = uses(ctx, r, customer, id)
	}
	return c, err
}

// UsageTimes is the key of the limit that says how often a coupon may be used.
const UsageTimes = "usageTimes"

// atChoice bounds how many coupons an automatic payment looks at.
const atChoice = 100

// ForOrder lists the coupons that an order may be paid with now, the largest balance first.
func ForOrder(ctx context.Context, r db.Reader, customer, order string) ([]Coupon, error) {
	list, err := spendable(ctx, r, customer, atChoice)
	now, _ := r.Instant()
	return UsableOf(list, order, now), err
}

// UsableOf keeps of a list the coupons that an order may be paid with at an instant; no order: usage. The list stays as it was.
func UsableOf(list []Coupon, order string, now time.Time) (out []Coupon) {
	for i := range list {
		if list[i].usableBy(order, now) {
			out = append(out, list[i])
		}
	}
	return out
}

// Spendable lists a customer's coupons with something left, the largest balance first; those that another order holds, that are
// frozen or not yet in force too (UsableFor).
func Spendable(ctx context.Context, r db.Reader, customer string) ([]Coupon, error) {
	return spendable(ctx, r, customer, atChoice)
}

// UsableFor refuses a coupon that an order cannot be paid with at an instant, whatever is in it: CBC.99003112.
func (c *Coupon) UsableFor(order string, now time.Time) error {
	if !c.usableBy(order, now) {
		return errUsed(c.ID)
	}
	return nil
}

// ForUsage lists the coupons that usage may be paid with now, without regard to their limits.
func ForUsage(ctx context.Context, r db.Reader, customer string) ([]Coupon, error) {
	return ForOrder(ctx, r, customer, "")
}

// Unlock gives up an order's hold; without one nothing happens.
func Unlock(ctx context.Context, tx *db.Tx, customer, id, order string) error {
	c, err := Find(ctx, tx, customer, id)
	if err != nil || c.LockedBy != order {
		return err
	}
	c.LockedBy = ""
	return update(ctx, tx, &c)
}

// Use takes an amount off a coupon that was read in the same transaction for an order, and its lock with it. An amount above the
// balance is refused: who pays asks for at most what there is.
func Use(ctx context.Context, tx *db.Tx, c *Coupon, order string, amount money.Amount) error {
	if amount <= 0 || !c.usableBy(order, tx.Now) || amount > c.Balance {
		return errUsed(c.ID)
	}
	c.Balance -= amount
	c.LockedBy, c.UsedBy, c.UsedAt = "", order, tx.Now
	if err := insertUse(ctx, tx, c.Customer, c.ID, order, amount); err != nil {
		return err
	}
	return update(ctx, tx, c)
}

// Return gives back to a coupon an amount of what an order used: provisioning failed, or a renewal had not begun. More
// than what is left of the use is an error of the caller. A coupon that has expired meanwhile stays expired.
func Return(ctx context.Context, tx *db.Tx, customer, id, order string, amount money.Amount) error {
	c, err := Find(ctx, tx, customer, id)
	if err != nil {
		return err
	}
	open, err := returnUse(ctx, tx, customer, id, order, amount)
	if err != nil {
		return err
	}
	c.Balance += amount
	if c.Version == 1 && open == 0 {
		c.UsedBy, c.UsedAt = "", time.Time{}
	}
	return update(ctx, tx, &c)
}

// UsedBy is what an order used of a coupon and was not given back.
func UsedBy(ctx context.Context, r db.Reader, customer, id, order string) (money.Amount, error) {
	return openUse(ctx, r, customer, id, order)
}

// Query filters a customer's coupons; empty fields leave nothing out.
type Query struct {
	ID, Order, Plan, Issuer string
	Status                  Status
	ActiveFrom, ActiveTo    time.Time // activated from (inclusive) to (exclusive)
}

// shownFor is how long used, expired and withdrawn coupons stay in lists (api.md 4.1).
const shownFor = 12 // months

// List pages through a customer's coupons, newest first. Those used, expired or withdrawn over 12 months ago are left out.
func List(ctx context.Context, r db.Reader, customer string, q Query, offset, limit int) (total int, page []Coupon, err error) {
	now, _ := r.Instant()
	return list(ctx, r, customer, q, now, now.AddDate(0, -shownFor, 0), offset, limit)
}

// CheckUses names each coupon of a customer whose uses do not come to face less balance.
func CheckUses(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	return checkUses(ctx, r, customer)
}

func (c *Coupon) limitsText() (string, error) {
	text, err := json.Marshal(c.Limits)
	if err != nil {
		return "", fmt.Errorf("limits of coupon %s: %w", c.ID, err)
	}
	return string(text), nil
}
