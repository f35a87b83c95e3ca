package invoice

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Book is everything that stands on papers about a customer, for who holds it against charges and receipts.
type Book struct {
	Papers []Paper
	Things map[string][]Thing // by paper
	cut    map[string]money.Amount
}

// Exact is what the fee records of a paper came to, below the minor unit too.
func (b *Book) Exact(p *Paper) money.Amount { return p.Amount + p.Coupon + b.cut[p.ID] }

// Months adds up the papers of a cycle for a payer: those of single orders and refunds, and the month's own.
func (b *Book) Months(cycle period.Cycle, payer string) (trades, month money.Amount, closed bool) {
	for i := range b.Papers {
		p := &b.Papers[i]
		if p.Cycle != cycle || p.Payer != payer {
			continue
		}
		for _, t := range b.Things[p.ID] {
			switch t.Kind {
			case OfTrade:
				trades += b.Exact(p)
			case OfMonth:
				month, closed = month+b.Exact(p), true
			}
		}
	}
	return trades, month, closed
}

// Read reads a customer's book, and names what of it is wrong by itself: a paper that nothing stands on or several things do,
// sums that are not those of the lines and the taxes, credit memos that exceed their invoice for a receipt.
func Read(ctx context.Context, r db.Reader, about string) (b Book, wrong []string, err error) {
	if b.Papers, err = papersAbout(ctx, r, about); err != nil {
		return b, nil, err
	}
	if b.Things, err = thingsOf(ctx, r, about); err != nil {
		return b, nil, err
	}
	lines, taxes, err := lineSums(ctx, r, about)
	if err != nil {
		return b, nil, err
	}
	if err := fill(ctx, r, b.Papers); err != nil {
		return b, nil, err
	}
	b.cut = map[string]money.Amount{}
	known := map[string]bool{}
	for i := range b.Papers {
		p := &b.Papers[i]
		l := lines[p.ID]
		known[p.ID], b.cut[p.ID] = true, l.Cut
		if n := len(b.Things[p.ID]); n != 1 {
			wrong = append(wrong, fmt.Sprintf("invoice %s: %d things stand on it, not one", p.ID, n))
		}
		if l.Charged != p.Charged || l.Coupon != p.Coupon || l.Tax != p.Tax || l.Amount != p.Amount || taxes[p.ID] != p.Tax {
			wrong = append(wrong, fmt.Sprintf("invoice %s comes to %s with tax %s; its lines to %s with %s, its taxes to %s", p.ID, p.Amount, p.Tax, l.Amount, l.Tax, taxes[p.ID]))
		}
		if p.TradeType == TopUp && p.Credited > p.Amount {
			wrong = append(wrong, fmt.Sprintf("invoice %s over %s was credited with %s", p.ID, p.Amount, p.Credited))
		}
	}
	for id := range b.Things {
		if !known[id] {
			wrong = append(wrong, fmt.Sprintf("%v stands on invoice %s, which is not there", b.Things[id], id))
		}
	}
	return b, wrong, nil
}

// Gaps names issuers whose numbers have a gap.
func Gaps(ctx context.Context, r db.Reader) ([]string, error) { return gaps(ctx, r) }

// LastMonth finds the latest invoice of a customer's months for a payer.
func LastMonth(ctx context.Context, r db.Reader, about, payer string) (Paper, bool, error) {
	return lastOf(ctx, r, about, payer)
}

// AboutOthers lists about whom else there are papers in a customer's list: its members.
func AboutOthers(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	return aboutOthers(ctx, r, customer)
}
