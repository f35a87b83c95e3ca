package settlement

import (
	"context"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/period"
)

// Sitting is what has been read of a customer and of who pays for it while buckets of it are settled behind each other in one
// transaction, so that it is not read again for each. It ends with its transaction; who moves money of the payer there otherwise, or
// changes coupons or packages, begins a new one.
type Sitting struct {
	Who, Payer *account.Customer

	held    *ledger.Balances // of the payer; nil: they are not read
	coupons []coupon.Coupon  // of the payer, with something left
	read    time.Time        // the business instant at which they were
	book    *book            // nil: it is not open
	span    period.Span      // that its packages are those of
}

// Pays says who pays from here on.
func (s *Sitting) Pays(payer *account.Customer) {
	if s.Payer == nil || s.Payer.ID != payer.ID {
		s.held, s.coupons = nil, nil
	}
	s.Payer = payer
}

// forget has everything read again.
func (s *Sitting) forget() { s.held, s.coupons, s.book = nil, nil, nil }

// fewCoupons is how many coupons are remembered: with more of them, which are looked at for a payment follows from what is left in each.
const fewCoupons = 20

// purse is what the payer holds now, and its coupons with something left, for whom a payment is; they are the sitting's.
func (s *Sitting) purse(ctx context.Context, tx *db.Tx) (*ledger.Balances, []coupon.Coupon, error) {
	if s.held != nil && !tx.Now.Before(s.read) {
		return s.held, s.coupons, nil
	}
	held, err := ledger.Of(ctx, tx, s.Payer.ID)
	if err != nil {
		return nil, nil, err
	}
	coupons, err := coupon.Spendable(ctx, tx, s.Payer.ID)
	if err != nil {
		return nil, nil, err
	}
	if s.held, s.coupons, s.read = nil, nil, tx.Now; len(coupons) <= fewCoupons {
		s.held, s.coupons = &held, coupons
	}
	return &held, coupons, nil
}

// used remembers a coupon that was used.
func (s *Sitting) used(c *coupon.Coupon) {
	if i := slices.IndexFunc(s.coupons, func(k coupon.Coupon) bool { return k.ID == c.ID }); i >= 0 {
		s.coupons[i] = *c
	}
}

// ahead is for how long behind a bucket packages are read: the buckets behind it look at them, too.
const ahead = 31 * 24 * time.Hour

// open is the book for a bucket's span, in which the lines of earlier buckets stand.
func (s *Sitting) open(ctx context.Context, d *Desk, tx *db.Tx, span period.Span) (*book, error) {
	if s.book != nil && !span.Start.Before(s.span.Start) && !span.End.After(s.span.End) {
		s.book.on = tx
		return s.book, nil
	}
	span.End = span.End.Add(ahead)
	b, err := d.open(ctx, tx, s.Who.ID, span)
	if err == nil {
		s.book, s.span = b, span
	}
	return b, err
}
