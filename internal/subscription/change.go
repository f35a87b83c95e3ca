package subscription

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Rest is what is left of a term, and the number of the term that it is of.
type Rest struct {
	Term
	From int
}

// Split cuts the term that a resource is in at an instant: what was used stays a term of its own (without a unit: it counts
// no months any more), what is left becomes another. Each payment part is shared by hours. It returns the open terms from the
// instant on, the current one first.
func Split(ctx context.Context, tx *db.Tx, r *Resource, at time.Time, currency money.Currency) ([]Rest, error) {
	list, err := Terms(ctx, tx, r.Customer, r.Instance)
	if err != nil {
		return nil, err
	}
	last, err := lastTerm(ctx, tx, r.Customer, r.Instance)
	if err != nil {
		return nil, err
	}
	var out []Rest
	for i := range list {
		t := &list[i]
		if !t.Span.End.After(at) {
			continue
		}
		used, hours := t.Span.HoursUsed(at), t.Span.Hours()
		if used == 0 || hours == 0 {
			out = append(out, Rest{*t, t.K})
			continue
		}
		rest := *t
		last++
		rest.K, rest.Span.Start = last, t.Span.Start.Truncate(time.Hour).Add(time.Duration(used)*time.Hour)
		weights := []int64{used, hours - used}
		share := func(whole, left *money.Amount) error {
			parts, err := money.SplitBy(*whole, currency.Unit(), weights)
			if err == nil {
				*whole, *left = parts[0], parts[1]
			}
			return err
		}
		for _, k := range [][2]*money.Amount{
			{&t.Official, &rest.Official}, {&t.Parts.Cash, &rest.Parts.Cash}, {&t.Parts.Credit, &rest.Parts.Credit}, {&t.Parts.Coupon, &rest.Parts.Coupon},
			{&t.Parts.Debt, &rest.Parts.Debt}, {&t.TaxParts.Cash, &rest.TaxParts.Cash}, {&t.TaxParts.Credit, &rest.TaxParts.Credit}, {&t.TaxParts.Debt, &rest.TaxParts.Debt},
		} {
			if err := share(k[0], k[1]); err != nil {
				return nil, err
			}
		}
		t.sum()
		rest.sum()
		t.Span.End, t.Unit, t.Periods = rest.Span.Start, period.None, 1
		if err := updateTerm(ctx, tx, t); err != nil {
			return nil, err
		}
		if err := insertTerm(ctx, tx, &rest); err != nil {
			return nil, err
		}
		out = append(out, Rest{rest, t.K})
	}
	return out, nil
}

// Begun is when a term began before changes of its resource split it: the terms are those of the resource that are open.
func Begun(terms []Term, t *Term) time.Time {
	since := t.Span.Start
	for i := 0; i < len(terms); i++ {
		if u := &terms[i]; u.Unit == period.None && u.Span.End.Equal(since) && u.Span.Start.Before(since) {
			since, i = u.Span.Start, -1
		}
	}
	return since
}

// sum makes the amounts of a term those of its parts.
func (t *Term) sum() {
	t.Amount = t.Parts.Cash + t.Parts.Credit + t.Parts.Coupon + t.Parts.Debt
	t.Tax = t.TaxParts.Cash + t.TaxParts.Credit + t.TaxParts.Debt
}

// Lower takes what was given back off a term.
func Lower(ctx context.Context, tx *db.Tx, t *Term, amount, taxed charge.Parts) error {
	// What came back as cash may have been paid on credit or as debt that is settled since.
	take := func(from *charge.Parts, back charge.Parts) {
		left := back.Cash + back.Credit + back.Debt
		for _, p := range []*money.Amount{&from.Debt, &from.Credit, &from.Cash} {
			n := min(left, *p)
			*p -= n
			left -= n
		}
	}
	take(&t.Parts, amount)
	take(&t.TaxParts, taxed)
	t.sum()
	return updateTerm(ctx, tx, t)
}

// Raise adds what an upgrade was paid with to the term that is left.
func Raise(ctx context.Context, tx *db.Tx, t *Term, official money.Amount, amount, taxed charge.Parts) error {
	t.Official += official
	t.Parts.Cash, t.Parts.Credit, t.Parts.Debt, t.Parts.Coupon = t.Parts.Cash+amount.Cash, t.Parts.Credit+amount.Credit, t.Parts.Debt+amount.Debt, t.Parts.Coupon+amount.Coupon
	t.TaxParts.Cash, t.TaxParts.Credit, t.TaxParts.Debt = t.TaxParts.Cash+taxed.Cash, t.TaxParts.Credit+taxed.Credit, t.TaxParts.Debt+taxed.Debt
	t.sum()
	return updateTerm(ctx, tx, t)
}

// Become makes a resource another product; no order works on it any more.
func Become(ctx context.Context, tx *db.Tx, r *Resource, product, spec string, size rating.Size, life Life) error {
	r.Product, r.Spec, r.Size, r.BusyWith, r.Updated = product, spec, size, "", tx.Now
	r.Next = life.next(r, tx.Now)
	if err := become(ctx, tx, r); err != nil {
		return err
	}
	return update(ctx, tx, r)
}
