// Package discount owns the discounts that customers were granted: promotions (200), commercial (605), commercial
// through a distributor (606), partner-granted (607), and the price adjustment of one order (609). Each is a share of
// the list price, a fixed price or a reduction, for what it covers and while it lasts.
//
// It does not own how a discount changes a price or which offer is best (rating), nor coupons.
//
// Invariants: a grant never changes but for its end, which only comes nearer; a ratio is above 0 and at most 1;
// a grant is in force from its effective instant (inclusive) to its expiry (exclusive), both business time; an order
// has one price adjustment at most.
package discount

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// Grant is one discount of one customer. Empty scopes cover everything.
type Grant struct {
	Customer     string
	ID           string
	Name         string
	Kind         rating.Kind
	Mode         rating.Mode
	Value        money.Decimal // what is paid of the list price, what is paid for a unit and month, or what is taken off
	Order        string        // of a price adjustment: the order it is for
	Service      string
	ResourceType string
	Region       string
	GrantedBy    string // domain id
	Effective    time.Time
	Expires      time.Time
	Granted      time.Time
}

// Offer is the grant in the form in which rating weighs it.
func (g *Grant) Offer() rating.Discount {
	return rating.Discount{
		ID: g.ID, Name: g.Name, Kind: g.Kind, Mode: g.Mode, Value: g.Value,
		Scope: rating.Scope{Services: only(g.Service), ResourceTypes: only(g.ResourceType), Regions: only(g.Region)},
	}
}

func only(code string) []string {
	if code == "" {
		return nil
	}
	return []string{code}
}

// How fine a value may be.
const (
	ratioDecimals  = 4
	amountDecimals = 10 // of a fixed price; a reduction goes by the currency
)

// Check says what is wrong with a grant before it is kept.
func (g *Grant) Check(currency money.Currency) error {
	wrong := func(format string, args ...any) error { return fault.New(fault.Invalid, "CBC.0100", format, args...) }
	switch g.Kind {
	case rating.Promotion, rating.Commercial, rating.Distributor, rating.Partner, rating.Adjustment:
	default:
		return wrong("discount_type: must be 200, 605, 606, 607 or 609")
	}
	switch one := money.DecimalOf(1); {
	case g.Mode == rating.ByRatio && (g.Value.Sign() <= 0 || g.Value.Cmp(one) > 0 || g.Value.Scale() > ratioDecimals):
		return wrong("ratio: must be above 0 and at most 1, with at most %d decimals", ratioDecimals)
	case g.Mode == rating.ByFixedPrice && (g.Value.Sign() < 0 || g.Value.Scale() > amountDecimals):
		return wrong("value: a fixed price must not be below 0 and have at most %d decimals", amountDecimals)
	case g.Mode == rating.ByReduction && (g.Value.Sign() <= 0 || g.Value.Scale() > currency.Minor()):
		return wrong("value: a reduction must be above 0 and have at most %d decimals", currency.Minor())
	case g.Mode < rating.ByRatio || g.Mode > rating.ByReduction:
		return wrong("discount_mode: must be 0 (ratio), 1 (fixed price) or 2 (reduction)")
	case (g.Kind == rating.Adjustment) != (g.Order != ""):
		return wrong("order_id: goes with type 609, and only with it")
	case !g.Expires.After(g.Effective):
		return wrong("expire_time: must be after effective_time")
	}
	return nil
}

// ErrAdjusted refuses a second price adjustment of an order.
var ErrAdjusted = fault.New(fault.Conflict, "PURSER.0112", "the order has a price adjustment already: withdraw it first")

// Add keeps a new grant and mints its id.
func Add(ctx context.Context, tx *db.Tx, random io.Reader, currency money.Currency, g *Grant) error {
	if err := g.Check(currency); err != nil {
		return err
	}
	id, err := ident.NewDiscountID(random, tx.Now)
	if err != nil {
		return err
	}
	g.ID, g.Granted = string(id), tx.Now
	added, err := insert(ctx, tx, g)
	if err != nil {
		return err
	}
	if !added {
		return ErrAdjusted
	}
	return changed(ctx, tx)
}

// Withdraw ends a grant at the transaction's business instant.
func Withdraw(ctx context.Context, tx *db.Tx, customer, id string) error {
	found, err := end(ctx, tx, customer, id)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "PURSER.0105", "the customer has no discount %s in force", id)
	}
	return changed(ctx, tx)
}

// Book remembers customers' grants between price queries. The zero Book is ready.
type Book struct {
	watch  db.Watch
	mu     sync.RWMutex
	serial int64
	grants map[string][]Grant // of a customer: all of them: a test clock may ask for any instant
}

// customersMost bounds the memory; beyond it the book is emptied.
const customersMost = 50_000

// Changed makes the next reader look whether grants have changed: called after a transaction that changed some.
func (b *Book) Changed() { b.watch.Changed() }

// InForce lists the grants of a customer that are in force at the reader's business instant, in the order of their
// kinds and then by id. Price adjustments are among them: who asks picks what is for its order.
func (b *Book) InForce(ctx context.Context, r db.Reader, customer string) ([]Grant, error) {
	now, _ := r.Instant()
	return b.InForceAt(ctx, r, customer, now)
}

// InForceAt is InForce for any of several instants: an order may be paid with what was in force when it was placed.
func (b *Book) InForceAt(ctx context.Context, r db.Reader, customer string, instants ...time.Time) ([]Grant, error) {
	seen, err := b.watch.Look(ctx, r, readVersion)
	if err != nil {
		return nil, err
	}
	b.mu.RLock()
	all, known := b.grants[customer]
	known = known && b.serial == seen.Serial
	b.mu.RUnlock()
	if !known {
		if all, err = ofCustomer(ctx, r, customer); err != nil {
			return nil, err
		}
		if seen.Keep {
			b.keep(customer, all, seen.Serial)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(g Grant) bool {
		return !slices.ContainsFunc(instants, func(at time.Time) bool { return !at.Before(g.Effective) && at.Before(g.Expires) })
	}), nil
}

// ForOrder picks from grants in force those that an order may be paid with: its price adjustment alone where it has
// one, since that must be used (api.md 5.4), else all that are not bound to an order.
func ForOrder(grants []Grant, order string) []Grant {
	var out []Grant
	for _, g := range grants {
		if g.Order == order && order != "" {
			return []Grant{g}
		}
		if g.Order == "" {
			out = append(out, g)
		}
	}
	return out
}

func (b *Book) keep(customer string, all []Grant, serial int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if serial < b.serial {
		return
	}
	if b.grants == nil || serial > b.serial || len(b.grants) >= customersMost {
		b.grants, b.serial = map[string][]Grant{}, serial
	}
	b.grants[customer] = all
}

// List pages through a customer's grants, newest first, and says how many there are in all.
func List(ctx context.Context, r db.Reader, customer string, offset, limit int) (total int, page []Grant, err error) {
	return list(ctx, r, customer, offset, limit)
}
