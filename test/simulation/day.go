package simulation

import (
	"fmt"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// shadow is a customer's books as the simulation adds them up by itself, day by day, from rows that it has not seen yet. A row
// that it would miss, or that changed behind its back, makes it differ from what the house keeps: it is exact for what it
// has seen, and the rows of old days are looked at again with everything else at the ends of quarters.
type shadow struct {
	seen     map[string]time.Time // entries and fee records that are added, and when they were booked
	balances ledger.Balances
	paidIn   money.Amount
	spent    money.Amount // what revenue, tax, refunds and truncation took
	charged  money.Amount // by fee records
	cut      money.Amount // off bills
	used     int64        // bytes, by fee records
}

// lookBack is how far back a look goes for rows that are new: the night shift books things at instants since the last night.
const lookBack = 72 * time.Hour

// checkDay holds everybody's money, charges and usage against what the simulation was told, and coupons and the terms of those who
// acted against their rules.
func (w *world) checkDay(acted []*customer) error {
	var wrong []string
	err := w.house.Counter.DB.View(w.ctx, db.Instants{Now: w.now.UTC(), Real: w.now.UTC()}, func(v *db.View) error {
		for _, c := range w.people {
			found, err := w.checkBooks(v, c)
			if err != nil {
				return err
			}
			wrong = append(wrong, found...)
		}
		for _, c := range acted {
			found, err := w.checkTerms(v, c.id)
			if err != nil {
				return err
			}
			wrong = append(wrong, found...)
		}
		found, err := w.checkCoupons(v)
		wrong = append(wrong, found...)
		return err
	})
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d things do not hold:\n  %s", len(wrong), strings.Join(wrong, "\n  "))
	}
	return w.checkSome(acted)
}

// checkBooks adds what is new to a customer's shadow and compares.
func (w *world) checkBooks(v *db.View, c *customer) (wrong []string, err error) {
	s := &c.books
	if s.seen == nil {
		s.seen = map[string]time.Time{}
	}
	since := w.now.Add(-lookBack)
	for id, at := range s.seen {
		if at.Before(since) {
			delete(s.seen, id)
		}
	}
	if err := w.newEntries(v, c.id, s, since); err != nil {
		return nil, err
	}
	if err := w.newFees(v, c.id, s, since); err != nil {
		return nil, err
	}
	kept, err := ledger.Of(w.ctx, v, c.id)
	if err != nil {
		return nil, err
	}
	name := c.caller.DomainName
	if kept != s.balances {
		wrong = append(wrong, fmt.Sprintf("%s: balances are kept as %+v, entries come to %+v", name, kept, s.balances))
	}
	if s.paidIn != c.paidIn {
		wrong = append(wrong, fmt.Sprintf("%s: paid in %s as acknowledged, %s in the books", name, c.paidIn, s.paidIn))
	}
	if s.charged-s.cut != s.spent { // a close may have cut something off
		if s.cut, err = bill.CutOff(w.ctx, v, c.id); err != nil {
			return nil, err
		}
	}
	if s.charged-s.cut != s.spent {
		wrong = append(wrong, fmt.Sprintf("%s: fee records come to %s, of which %s were cut off, the books to %s", name, s.charged, s.cut, s.spent))
	}
	return append(wrong, w.checkUsed(c, s.used)...), nil
}

// newEntries adds what was booked and is not seen yet.
func (w *world) newEntries(v *db.View, customer string, s *shadow, since time.Time) error {
	last, known := "", false
	return each(v, w, func(scan func(...any) error) error {
		var id, giver, taker string
		var at int64
		var amount money.Amount
		if err := scan(&id, &at, &giver, &taker, &amount); err != nil {
			return err
		}
		if id != last { // the first line of an entry
			last = id
			if _, known = s.seen[id]; !known {
				s.seen[id] = db.TimeOf(at)
			}
		}
		if known {
			return nil
		}
		s.add(giver, -amount)
		s.add(taker, amount)
		return nil
	}, `SELECT e.id, e.booked_at, p.giver, p.taker, p.amount FROM ledger_entry e JOIN ledger_posting p ON p.customer = e.customer AND p.entry = e.id
		WHERE e.customer = $1 AND e.booked_at >= $2 ORDER BY e.booked_at, e.id`, customer, db.Micros(since))
}

// add adds to an account.
func (s *shadow) add(account string, amount money.Amount) {
	switch ledger.Account(account) {
	case ledger.Cash:
		s.balances.Cash += amount
	case ledger.Bonus:
		s.balances.Bonus += amount
	case ledger.Deposit:
		s.balances.Deposit += amount
	case ledger.Credit:
		s.balances.Credit -= amount // what is owed grows as it gives
	case ledger.Debt:
		s.balances.Debt -= amount
	case ledger.Revenue, ledger.Refund, ledger.Tax, ledger.Truncation:
		s.spent += amount
	case ledger.Topup:
		s.paidIn -= amount
	}
}

// newFees adds fee records that are not seen yet.
func (w *world) newFees(v *db.View, customer string, s *shadow, since time.Time) error {
	cycle := period.CycleOf(w.now)
	return each(v, w, func(scan func(...any) error) error {
		var id, resource, factor string
		var at, kind, used int64
		var amount money.Amount
		if err := scan(&id, &at, &kind, &resource, &factor, &amount, &used); err != nil {
			return err
		}
		if _, known := s.seen[id]; known {
			return nil
		}
		s.seen[id] = db.TimeOf(at)
		s.charged += amount
		if kind == int64(charge.Usage) && strings.HasPrefix(resource, "bucket-") && factor == "upflow" {
			s.used += used
		}
		return nil
	}, `SELECT id, traded_at, bill_type, resource, usage_type, amount, used FROM charge_fee WHERE customer = $1 AND cycle IN ($2, $3) AND traded_at >= $4`,
		customer, int64(cycle), int64(cycle)-1, db.Micros(since))
}
