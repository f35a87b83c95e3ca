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
	return insert(ctx, tx, g)
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
	return nil
}

// InForce lists the grants of a customer that are in force at the reader's business instant, commercial ones
// first and then by id, which is the order in which equal offers win.
func InForce(ctx context.Context, r db.Reader, customer string) ([]Grant, error) {
	now, _ := r.Instant()
	return inForce(ctx, r, customer, now)
}

// List pages through a customer's grants, newest first, and says how many there are in all.
func List(ctx context.Context, r db.Reader, customer string, offset, limit int) (total int, page []Grant, err error) {
	return list(ctx, r, customer, offset, limit)
}
