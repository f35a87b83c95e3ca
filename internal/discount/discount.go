// Package discount owns the discounts that customers were granted: commercial (605), commercial through a
// distributor (606) and partner-granted (607), each a share of the list price for what it covers and while it lasts.
//
// It does not own how a discount changes a price or which offer is best (rating), nor coupons.
//
// Invariants: a grant never changes but for its end, which only comes nearer; a ratio is above 0 and at most 1;
// a grant is in force from its effective instant (inclusive) to its expiry (exclusive), both business time.
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
	Kind         int32         // 605, 606 or 607: rating.Kind
	Ratio        money.Decimal // what is paid of the list price
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
		ID: g.ID, Name: g.Name, Kind: rating.Kind(g.Kind), Mode: rating.ByRatio, Value: g.Ratio,
		Scope: rating.Scope{Services: only(g.Service), ResourceTypes: only(g.ResourceType), Regions: only(g.Region)},
	}
}

func only(code string) []string {
	if code == "" {
		return nil
	}
	return []string{code}
}

// ratioDecimals is how fine a ratio may be.
const ratioDecimals = 4

// Check says what is wrong with a grant before it is kept.
func (g *Grant) Check() error {
	one := money.DecimalOf(1)
	if g.Ratio.Sign() <= 0 || g.Ratio.Cmp(one) > 0 || g.Ratio.Scale() > ratioDecimals {
		return fault.New(fault.Invalid, "CBC.0100", "ratio: must be above 0 and at most 1, with at most %d decimals", ratioDecimals)
	}
	if !g.Expires.After(g.Effective) {
		return fault.New(fault.Invalid, "CBC.0100", "expire_time: must be after effective_time")
	}
	return nil
}

// Add keeps a new grant and mints its id.
func Add(ctx context.Context, tx *db.Tx, random io.Reader, g *Grant) error {
	if err := g.Check(); err != nil {
		return err
	}
	id, err := ident.NewDiscountID(random, tx.Now)
	if err != nil {
		return err
	}
	g.ID, g.Granted = string(id), tx.Now
	if err := insert(ctx, tx, g); err != nil {
		return err
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
	watch   db.Watch
	mu      sync.RWMutex
	version int64
	grants  map[string][]Grant // of a customer: all of them: a test clock may ask for any instant
}

// customersMost bounds the memory; beyond it the book is emptied.
const customersMost = 50_000

// Changed makes the next reader look whether grants have changed: called after a transaction that changed some.
func (b *Book) Changed() { b.watch.Changed() }

// InForce lists the grants of a customer that are in force at the reader's business instant, commercial ones
// first and then by id, which is the order in which equal offers win.
func (b *Book) InForce(ctx context.Context, r db.Reader, customer string) ([]Grant, error) {
	version, _, err := b.watch.Look(ctx, r, readVersion)
	if err != nil {
		return nil, err
	}
	now, _ := r.Instant()
	b.mu.RLock()
	all, known := b.grants[customer]
	known = known && b.version == version
	b.mu.RUnlock()
	if !known {
		if all, err = ofCustomer(ctx, r, customer); err != nil {
			return nil, err
		}
		b.keep(customer, all, version)
	}
	return slices.DeleteFunc(slices.Clone(all), func(g Grant) bool { return now.Before(g.Effective) || !now.Before(g.Expires) }), nil
}

func (b *Book) keep(customer string, all []Grant, version int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if version < b.version {
		return
	}
	if b.grants == nil || version > b.version || len(b.grants) >= customersMost {
		b.grants, b.version = map[string][]Grant{}, version
	}
	b.grants[customer] = all
}

// List pages through a customer's grants, newest first, and says how many there are in all.
func List(ctx context.Context, r db.Reader, customer string, offset, limit int) (total int, page []Grant, err error) {
	return list(ctx, r, customer, offset, limit)
}
