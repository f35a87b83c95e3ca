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
// has seen, and the rows of old days are looked at again with everything else at the ends of half-years.
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
const lookBack = 48 * time.Hour

// checkDay holds everybody's money, charges and usage against what the simulation was told, and coupons and the terms of those who
// acted against their rules.
func (w *world) checkDay(acted []*customer) error {
	var wrong []string
	err := w.house.Counter.DB.View(w.ctx, db.Instants{Now: w.now.UTC(), Real: w.now.UTC()}, func(v *db.View) error {
		kept, err := w.look(v)
		if err != nil {
			return err
		}
		for _, c := range w.people {
			found, err := w.checkBooks(v, c, kept[c.id])
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
		found, err := w.checkCoupons(v, db.Micros(w.now.Add(-lookBack)))
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

// look adds what is new to everybody's shadow, and says what balances are kept.
func (w *world) look(v *db.View) (map[string]map[ledger.Account]money.Amount, error) {
	since := w.now.Add(-lookBack)
	ids := make([]string, len(w.people))
	shadows := make(map[string]*shadow, len(w.people))
	for i, c := range w.people {
		s := &c.books
		ids[i], shadows[c.id] = c.id, s
		if s.seen == nil {
			s.seen = map[string]time.Time{}
		}
		for id, at := range s.seen {
			if at.Before(since) {
				delete(s.seen, id)
			}
		}
	}
	if err := w.newEntries(v, ids, shadows, since); err != nil {
		return nil, err
	}
	if err := w.newFees(v, ids, shadows, since); err != nil {
		return nil, err
	}
	kept := make(map[string]map[ledger.Account]money.Amount, len(ids))
	var args []any
	return kept, each(v, w, func(scan func(...any) error) error {
		var customer string
		var account ledger.Account
		var amount money.Amount
		if err := scan(&customer, &account, &amount); err != nil {
			return err
		}
		if kept[customer] == nil {
			kept[customer] = map[ledger.Account]money.Amount{}
		}
		kept[customer][account] = amount
		return nil
	}, `SELECT customer, account, amount FROM ledger_balance WHERE customer IN `+db.In(ids, &args), args...)
}

// checkBooks compares a customer's shadow with what the house keeps.
func (w *world) checkBooks(v *db.View, c *customer, kept map[ledger.Account]money.Amount) (wrong []string, err error) {
	s := &c.books
	have := ledger.Balances{Cash: kept[ledger.Cash], Bonus: kept[ledger.Bonus], Deposit: kept[ledger.Deposit], Credit: kept[ledger.Credit], Debt: kept[ledger.Debt]}
	name := c.caller.DomainName
	if have != s.balances {
		wrong = append(wrong, fmt.Sprintf("%s: balances are kept as %+v, entries come to %+v", name, have, s.balances))
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
func (w *world) newEntries(v *db.View, ids []string, shadows map[string]*shadow, since time.Time) error {
	last, known := "", false
	args := []any{db.Micros(since)}
	return each(v, w, func(scan func(...any) error) error {
		var customer, id, giver, taker string
		var at int64
		var amount money.Amount
		if err := scan(&customer, &id, &at, &giver, &taker, &amount); err != nil {
			return err
		}
		s := shadows[customer]
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
	}, `SELECT e.customer, e.id, e.booked_at, p.giver, p.taker, p.amount FROM ledger_entry e JOIN ledger_posting p ON p.customer = e.customer AND p.entry = e.id
		WHERE e.booked_at >= $1 AND e.customer IN `+db.In(ids, &args)+` ORDER BY e.customer, e.booked_at, e.id`, args...)
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
func (w *world) newFees(v *db.View, ids []string, shadows map[string]*shadow, since time.Time) error {
	cycle := period.CycleOf(w.now)
	args := []any{int64(cycle), int64(cycle) - 1, db.Micros(since)}
	return each(v, w, func(scan func(...any) error) error {
		var customer, id, resource, factor string
		var at, kind, used int64
		var amount money.Amount
		if err := scan(&customer, &id, &at, &kind, &resource, &factor, &amount, &used); err != nil {
			return err
		}
		s := shadows[customer]
		if _, known := s.seen[id]; known {
			return nil
		}
		s.seen[id] = db.TimeOf(at)
		s.charged += amount
		if kind == int64(charge.Usage) && strings.HasPrefix(resource, "bucket-") && factor == "upflow" {
			s.used += used
		}
		return nil
	}, `SELECT customer, id, traded_at, bill_type, resource, usage_type, amount, used FROM charge_fee WHERE cycle IN ($1, $2) AND traded_at >= $3 AND customer IN `+
		db.In(ids, &args), args...)
}
