// Package invoice owns papers: invoices and credit memos, what stands on them, their numbers, who issues them, to whom they
// are addressed, and the files that were printed of them.
//
// It does not own charges, receipts, taxes or bills: it is told what a paper is about, once, by the counter, in the transaction
// in which that happens.
//
// A paper is made for a thing: an order, what a refund gives back of an order, a month of a customer for a payer, a receipt. A
// thing stands on at most one paper, which the table's key holds. By the payer's method:
//
//	order    each order at once, the rest of the month with its close
//	cycle    everything of a month with its close
//	receipt  money that came in, at once; charges are never invoiced
//
// What is given back of something that stands on a paper is a credit memo that names it; what is given back before its month
// was invoiced makes that month's invoice smaller.
//
// States: draft → done, or draft → to be filled in → done: behind the commit a job seals each paper with its number, and with
// the addresses that are in force then; an enterprise's without a tax id waits for that. An invoice all of which was credited
// is returned; that is worked out, not kept.
//
// Meanings of time: applied is business time and dates the paper, due is counted from it; recorded and sealed are real time.
//
// Invariants: papers, lines, taxes, seals and files are only added; charged − coupon + tax = amount, for each line and for the
// paper; numbers of an issuer have no gap; credit memos of an invoice never exceed it where it was for a receipt.
package invoice

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/tax"
)

// Trade types of the contract (api.md 0.12, 9.2).
const (
	CardMonth    = 3  // a month that was paid
	UnpaidMonth  = 4  // a month that is still owed
	PartnerMonth = 6  // a month of a partner's customer
	TopUp        = 7  // a receipt
	OnlineOrder  = 8  // an order
	Withdrawal   = 10 // money that went back
)

// Classes of the contract.
const (
	TaxInvoice = 0
	Commercial = 1
)

// Kinds of things.
const (
	OfTrade = "trade"
	OfMonth = "month"
	OfEntry = "entry"
)

// Thing is what a paper is made for.
type Thing struct {
	Customer string // whose it is
	Kind     string
	ID       string
}

// Order is the thing of an order that was paid.
func Order(customer, order string) Thing { return Thing{customer, OfTrade, order} }

// Back is the thing of what a refund gives back of an order.
func Back(customer, refund, base string) Thing { return Thing{customer, OfTrade, refund + "/" + base} }

// Month is the thing of a customer's month as far as a payer pays for it.
func Month(customer string, cycle period.Cycle, payer string) Thing {
	return Thing{customer, OfMonth, cycle.String() + "/" + payer}
}

// Receipt is the thing of money that came in or went back: a ledger entry; of one that went back, the part that an earlier
// paper is credited with.
func Receipt(customer, entry, source string) Thing {
	if source != "" {
		entry += "/" + source
	}
	return Thing{customer, OfEntry, entry}
}

// Paper is an invoice or a credit memo.
type Paper struct {
	Customer  string // in whose list it is
	ID        string
	About     string // whose charges or receipts
	Payer     string // whose money
	Method    string
	TradeType int32
	Class     int32
	Memo      bool   // amounts are below zero
	Source    string // invoice that a credit memo credits
	Reason    string
	Cycle     period.Cycle
	Trade     string // order or ledger entry
	Currency  string
	Charged   money.Amount // before tax
	Coupon    money.Amount // of it, not paid with money
	Tax       money.Amount
	Amount    money.Amount // Charged − Coupon + Tax
	Applicant string
	Applied   time.Time // business time
	Recorded  time.Time // real time
	Due       time.Time // of what is still owed: until the end of that day of GMT+8; zero: nothing is

	// Worked out when it is read.
	Seal     *Seal        // nil: none yet
	Waits    bool         // for a tax id
	Credited money.Amount // by credit memos, above zero
}

// States of the contract.
const (
	Draft    = 0
	ToFill   = 5
	Done     = 8
	Returned = 9
)

// State is the paper's state in the numbers of the contract.
func (p *Paper) State() int32 {
	switch {
	case p.Seal == nil && p.Waits:
		return ToFill
	case p.Seal == nil:
		return Draft
	case p.AllCredited():
		return Returned
	}
	return Done
}

// AllCredited says that nothing is left of an invoice.
func (p *Paper) AllCredited() bool { return !p.Memo && p.Amount > 0 && p.Credited >= p.Amount }

// Number is the paper's number; empty: none yet.
func (p *Paper) Number() string {
	if p.Seal == nil {
		return ""
	}
	return p.Seal.Number
}

// Line is one line of a paper.
type Line struct {
	No           int
	Service      string
	ResourceType string
	Spec         string
	Region       string
	Mode         int32 // charge mode; 0: none
	ServiceName  catalog.Text
	Name         catalog.Text // of what was charged
	Num          int64        // how many; 0: not told
	Starts, Ends time.Time    // of what was consumed
	Charged      money.Amount
	Coupon       money.Amount
	Tax          money.Amount
	Amount       money.Amount
	Cut          money.Amount // what lies below the minor unit and was not charged
	TaxRate      string       // empty: several
	Inclusive    bool
	Taxed        []Taxed // until it is issued: Tax by rates
}

// Taxed is tax on a base at one rate.
type Taxed struct {
	Rate tax.Rate
	Base money.Amount
	Tax  money.Amount
}

// Tax is a row of a paper's taxes.
type Tax struct {
	Class, SubClass string
	Rate            string
	Base            money.Amount
	Amount          money.Amount
}

// Issue makes a paper for a thing, with its lines; the sums are theirs. false: the thing stands on one already, nothing was
// done. The paper's id is a function of its thing.
func Issue(ctx context.Context, tx *db.Tx, currency money.Currency, of Thing, p *Paper, lines []Line) (bool, error) {
	id, err := ident.NewInvoiceID(ident.Stream("invoice", of.Customer, of.Kind, of.ID), tx.Now)
	if err != nil {
		return false, err
	}
	p.ID, p.About, p.Currency, p.Applied, p.Recorded = string(id), of.Customer, currency.Code(), tx.Now, tx.Real
	if fresh, err := insertThing(ctx, tx, &of, p); err != nil || !fresh {
		return false, err
	}
	taxes, err := sum(p, lines, currency)
	if err != nil {
		return false, err
	}
	if err := insertPaper(ctx, tx, p, lines, taxes); err != nil {
		return false, err
	}
	return true, enqueue(ctx, tx, p)
}

// sum adds lines up to their paper and numbers them, and makes the rows of its taxes.
func sum(p *Paper, lines []Line, currency money.Currency) ([]Tax, error) {
	p.Charged, p.Coupon, p.Tax, p.Amount = 0, 0, 0, 0
	type rated struct{ rate, kind, parts string }
	at := map[rated]int{}
	var all []Taxed
	for i := range lines {
		l := &lines[i]
		l.No, l.Amount = i+1, l.Charged-l.Coupon+l.Tax
		var err error
		if p.Charged, err = money.Add(p.Charged, l.Charged); err != nil {
			return nil, err
		}
		p.Coupon += l.Coupon
		p.Tax += l.Tax
		rates := map[string]bool{}
		for _, t := range l.Taxed {
			rates[t.Rate.Rate.String()] = true
			l.TaxRate, l.Inclusive = t.Rate.Rate.String(), t.Rate.Inclusive
			key := rated{t.Rate.Rate.String(), t.Rate.Kind, ""}
			for _, part := range t.Rate.Parts {
				key.parts += part.Name + part.Rate.String()
			}
			j, ok := at[key]
			if !ok {
				j = len(all)
				at[key] = j
				all = append(all, Taxed{Rate: t.Rate})
			}
			all[j].Base += t.Base
			all[j].Tax += t.Tax
		}
		if len(rates) > 1 {
			l.TaxRate, l.Inclusive = "", false
		}
	}
	p.Amount = p.Charged - p.Coupon + p.Tax
	return taxRows(all, currency)
}

// subNames are the sub-classes that the contract knows for taxes of one part.
var subNames = map[string]string{"VAT": "VAT", "ISS": "ISS", "WHT": "WHT", "GST": "IGST"}

func taxRows(all []Taxed, currency money.Currency) (out []Tax, err error) {
	slices.SortStableFunc(all, func(a, b Taxed) int {
		return cmp.Or(cmp.Compare(a.Rate.Kind, b.Rate.Kind), a.Rate.Rate.Cmp(b.Rate.Rate))
	})
	for _, t := range all {
		kind := cmp.Or(t.Rate.Kind, "VAT")
		if len(t.Rate.Parts) == 0 {
			out = append(out, Tax{Class: kind, SubClass: subNames[kind], Rate: t.Rate.Rate.String(), Base: t.Base, Amount: t.Tax})
			continue
		}
		shares, err := t.Rate.Shares(t.Tax, currency)
		if err != nil {
			return nil, err
		}
		for i, part := range t.Rate.Parts {
			out = append(out, Tax{Class: kind, SubClass: part.Name, Rate: part.Rate.String(), Base: t.Base, Amount: shares[i]})
		}
	}
	return out, nil
}

// On finds the paper on which a thing stands.
func On(ctx context.Context, r db.Reader, of Thing) (p Paper, found bool, err error) {
	holder, id, found, err := thing(ctx, r, &of)
	if err != nil || !found {
		return p, false, err
	}
	p, err = Find(ctx, r, holder, id)
	return p, err == nil, err
}

// Unknown is the refusal for a paper that is not there, or not the caller's to see.
func Unknown(id string) error {
	return fault.New(fault.NotFound, "PURSER.0911", "there is no invoice %s that you may see", id)
}

// Find finds a paper; a customer of "" is anyone's.
func Find(ctx context.Context, r db.Reader, customer, id string) (Paper, error) {
	list, err := find(ctx, r, customer, id)
	if err == nil && len(list) == 0 {
		err = Unknown(id)
	}
	if err != nil {
		return Paper{}, err
	}
	return list[0], fill(ctx, r, list)
}

// Query filters papers. Customer empty: everyone's.
type Query struct {
	Customer string
	About    string
	From, To time.Time // applied within, both inclusive; zero: any
	Cycle    period.Cycle
	Memo     *bool
}

// List pages through papers, the newest first.
func List(ctx context.Context, r db.Reader, q Query, offset, limit int) (total int, page []Paper, err error) {
	if total, page, err = list(ctx, r, &q, offset, limit); err != nil {
		return 0, nil, err
	}
	return total, page, fill(ctx, r, page)
}

// Numbers are the numbers of the invoices that charges of a customer's bill month stand on, by their trades: that over the order
// or refund, else the month's own. Empty: none, none that has its number yet, or several.
func Numbers(ctx context.Context, r db.Reader, about string, cycle period.Cycle, trades []string) (map[string]string, error) {
	found, err := numbers(ctx, r, about, cycle, append(slices.Clone(trades), ""))
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(trades))
	for _, trade := range trades {
		number, own := found[trade]
		if !own {
			number = found[""]
		}
		out[trade] = number
	}
	return out, nil
}

// Lines pages through the lines of a paper; a limit of 0 reads all.
func Lines(ctx context.Context, r db.Reader, p *Paper, offset, limit int) (total int, page []Line, err error) {
	return lines(ctx, r, p.Customer, p.ID, offset, limit)
}

// Taxes lists the taxes of papers of one customer, by paper.
func Taxes(ctx context.Context, r db.Reader, customer string, ids []string) (map[string][]Tax, error) {
	return taxesOf(ctx, r, customer, ids)
}

// Receipts lists a customer's papers about receipts of which something is left, the newest first.
func Receipts(ctx context.Context, r db.Reader, about string) ([]Paper, error) {
	return receipts(ctx, r, about)
}

// Product is what lines of a month are added up by.
type Product struct {
	Service, ResourceType string
	Mode                  int32
	Memo                  bool
}

// Traded adds up the lines of papers about single orders and refunds of a customer's cycle, as far as a payer pays: what its
// month's invoice leaves out.
func Traded(ctx context.Context, r db.Reader, about, payer string, cycle period.Cycle) (map[Product]Line, error) {
	return traded(ctx, r, about, payer, cycle)
}

// Spell is a method of a customer from an instant on.
type Spell struct {
	Since  time.Time
	Method string
}

// Spells lists by which methods a customer was invoiced, the first from the zero time on; current is the method it has now.
func Spells(ctx context.Context, r db.Reader, customer, current string) ([]Spell, error) {
	list, err := spells(ctx, r, customer)
	if err == nil && len(list) == 0 {
		list = []Spell{{Method: current}}
	}
	return list, err
}

// Switch notes that a customer's method changes now. Between receipts and the others only while its books are empty: money that
// was invoiced when it came must not be invoiced again when it is spent, nor the other way round.
func Switch(ctx context.Context, tx *db.Tx, customer, from, to string, empty bool) error {
	if from == to {
		return nil
	}
	if (from == account.ByReceipt || to == account.ByReceipt) && !empty {
		return fault.New(fault.Conflict, "PURSER.0912", "the invoice method changes between receipt and the others only while the customer has no balance, used no credit and owes nothing")
	}
	list, err := spells(ctx, tx, customer)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		if err := addSpell(ctx, tx, customer, time.Unix(0, 0), from); err != nil {
			return err
		}
	}
	return addSpell(ctx, tx, customer, tx.Now, to)
}

// none says whether an error is that there is no row.
func none(err error) bool { return errors.Is(err, db.ErrNoRows) }
