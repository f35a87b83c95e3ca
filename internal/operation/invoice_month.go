package operation

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/payment"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/tax"
)

// taxMonth charges the tax on a month's usage and adjustments: on each row of the bill at its rate, half-up, a fee record of
// type 15 each (101 and 102 of adjustments, 101 too of usage that comes to less than nothing), paid as usage is, but by no
// coupon. Rates are those in force when the month ended. Where prices contain it no record is made: the ledger moves it from
// revenue to tax.
func (c *Counter) taxMonth(ctx context.Context, tx *db.Tx, who *account.Customer, cycle period.Cycle, rows []bill.Row) (charged bool, err error) {
	table, err := tax.At(ctx, tx, who.Country, lastInstant(cycle))
	if err != nil {
		return false, err
	}
	var fees []charge.Fee
	within := map[string]money.Amount{}
	for i := range rows {
		r := &rows[i]
		rate, amount, err := taxOfRow(&table, r)
		if err != nil || amount == 0 {
			if err != nil {
				return false, err
			}
			continue
		}
		if rate.Inclusive {
			within[r.Payer] += amount
			continue
		}
		kind := charge.Tax
		switch {
		case amount < 0:
			kind = charge.TaxBack
		case r.Type == bill.Adjustment:
			kind = charge.TaxMore
		}
		id, err := ident.NewChargeID(ident.Stream("tax", who.ID, cycle.String(), fmt.Sprint(r.No)), tx.Now)
		if err != nil {
			return false, err
		}
		fees = append(fees, charge.Fee{
			Customer: who.ID, ID: string(id), Bill: kind, Mode: r.Mode, Trade: "TX" + cycle.String() + who.ID, Line: int32(r.No), Service: r.Service,
			ResourceType: r.ResourceType, Project: r.Project, Payer: r.Payer, Official: amount, Amount: amount, TaxRate: rate.Rate.String(),
			Consumed: period.Span{Start: lastInstant(cycle), End: lastInstant(cycle)}, Traded: tx.Now, AtClose: true,
		})
	}
	for _, payer := range bill.Payers(rows) {
		if err := c.payTax(ctx, tx, who, payer, cycle, fees, within[payer]); err != nil {
			return false, err
		}
	}
	if len(fees) == 0 {
		return false, nil
	}
	return true, charge.RecordAll(ctx, tx, fees)
}

// lastInstant is when a month's taxes are dated: its last second.
func lastInstant(cycle period.Cycle) time.Time { return period.LastSecond(cycle.Span().End) }

// taxOfRow is the tax on a row of a month, of what is taxed with the bill: usage and adjustments. What was bought by the term was
// taxed when it was paid.
func taxOfRow(table *tax.Table, r *bill.Row) (tax.Rate, money.Amount, error) {
	if r.Mode != charge.OnDemand && r.Type != bill.Adjustment || r.Consume == 0 {
		return tax.Rate{}, 0, nil
	}
	rate, err := table.Of(r.Service)
	if err != nil {
		return rate, 0, err
	}
	amount, err := rate.On(r.Consume, currency)
	return rate, amount, err
}

// payTax meets a payer's part of the tax on a month, and fills in with what each record was paid.
func (c *Counter) payTax(ctx context.Context, tx *db.Tx, who *account.Customer, payer string, cycle period.Cycle, fees []charge.Fee, within money.Amount) error {
	var dues []payment.Due
	var of []*charge.Fee
	for i := range fees {
		if fees[i].Payer == payer {
			dues, of = append(dues, payment.Due{Official: fees[i].Amount, Amount: fees[i].Amount}), append(of, &fees[i])
		}
	}
	var postings []ledger.Posting
	if within != 0 {
		p := ledger.Posting{Giver: ledger.Revenue, Taker: ledger.Tax, Amount: within}
		if within < 0 {
			p = ledger.Posting{Giver: ledger.Tax, Taker: ledger.Revenue, Amount: -within}
		}
		postings = append(postings, p)
	}
	if len(dues) == 0 && len(postings) == 0 {
		return nil
	}
	purse, err := account.Find(ctx, tx, payer)
	if err != nil {
		return err
	}
	held, err := ledger.Of(ctx, tx, payer)
	if err != nil {
		return err
	}
	plan := payment.MeetUsage(&payment.Purse{Held: held, Limit: purse.CreditLimit, Monthly: purse.Settlement == account.Monthly}, dues, make([]rating.Kind, len(dues)), nil)
	owes := money.Amount(0)
	for i := range of {
		of[i].Parts = plan.Parts[i]
		owes += plan.Parts[i].Debt
	}
	postings = append(postings, payment.TaxPostings(plan.Parts)...)
	if len(postings) == 0 {
		return nil
	}
	reference := cycle.String() + " " + who.ID
	entry := &ledger.Entry{Customer: payer, Cause: "tax", Reference: reference, Postings: postings}
	if err := ledger.Post(ctx, tx, ident.Stream(entry.Cause, payer, reference), entry); err != nil {
		return err
	}
	if owes <= 0 {
		return nil
	}
	_, err = c.owed(ctx, tx, &purse)
	return err
}

// invoiceMonth issues the invoices of a customer's closed month, one for each payer: of everything that does not stand on
// another already and is not invoiced by receipt. A month that comes to less than nothing is a credit memo of the one before.
func (c *Counter) invoiceMonth(ctx context.Context, tx *db.Tx, who *account.Customer, cycle period.Cycle, rows []bill.Row) error {
	for _, payer := range bill.Payers(rows) {
		if err := c.invoicePayer(ctx, tx, who, cycle, payer); err != nil {
			return err
		}
	}
	return nil
}

func (c *Counter) invoicePayer(ctx context.Context, tx *db.Tx, who *account.Customer, cycle period.Cycle, payer string) error {
	to, reseller, err := holder(ctx, tx, who.ID, payer)
	if err != nil {
		return err
	}
	lines, err := c.monthLines(ctx, tx, who, cycle, payer, reseller)
	if err != nil || len(lines) == 0 {
		return err
	}
	p := &invoice.Paper{
		Customer: to, Payer: payer, Method: account.ByCycle, TradeType: invoice.CardMonth, Class: invoice.TaxInvoice, Cycle: cycle, Applicant: systemUser,
	}
	if !reseller {
		if p.Method, err = methodOf(ctx, tx, payer, false); err != nil {
			return err
		}
		if p.Method == account.ByReceipt { // of the days before it was so
			p.Method = account.ByCycle
		}
		held, err := ledger.Of(ctx, tx, payer)
		if err != nil {
			return err
		}
		if held.Debt > 0 {
			p.TradeType = invoice.UnpaidMonth
		}
	} else {
		p.TradeType = invoice.PartnerMonth
	}
	var all money.Amount
	for i := range lines {
		all += lines[i].Charged - lines[i].Coupon + lines[i].Tax
	}
	if all < 0 {
		before, found, err := invoice.LastMonth(ctx, tx, who.ID, payer)
		if err != nil {
			return err
		}
		if p.Memo, p.Reason = true, "refunds exceed the charges of "+cycle.String(); found {
			p.Source = before.ID
		}
	}
	if p.TradeType == invoice.UnpaidMonth && all > 0 && c.InvoiceDue > 0 {
		p.Due = tx.Now.AddDate(0, 0, c.InvoiceDue)
	}
	_, err = invoice.Issue(ctx, tx, currency, invoice.Month(who.ID, cycle, payer), p, lines)
	return err
}

// monthSums are the sums of a month's fee records that a payer paid while it was not invoiced by receipt.
func (c *Counter) monthSums(ctx context.Context, r db.Reader, about string, cycle period.Cycle, payer string, reseller bool) ([]charge.Sum, error) {
	all := func(until period.Date) ([]charge.Sum, error) {
		return charge.Products(ctx, r, about, cycle, &charge.Filter{Payer: &payer, Until: until})
	}
	if reseller {
		return all(0)
	}
	who, err := account.Find(ctx, r, payer)
	if err != nil {
		return nil, err
	}
	spells, err := invoice.Spells(ctx, r, payer, who.InvoiceMethod)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(spells, func(s invoice.Spell) bool { return s.Method == account.ByReceipt }) {
		return all(0)
	}
	sums := map[charge.Key]charge.Sum{}
	add := func(until period.Date, sign money.Amount) error {
		list, err := all(until)
		for _, s := range list {
			if sign < 0 {
				s = s.Neg()
			}
			t, ok := sums[s.Key]
			if !ok {
				t.Key = s.Key
			}
			if err := t.Plus(&s); err != nil {
				return err
			}
			sums[s.Key] = t
		}
		return err
	}
	for i, s := range spells {
		if s.Method == account.ByReceipt {
			continue
		}
		if from := period.DateOf(s.Since); i > 0 {
			if err := add(from-1, -1); err != nil {
				return nil, err
			}
		}
		until := period.Date(0)
		if i+1 < len(spells) {
			until = period.DateOf(spells[i+1].Since) - 1
		}
		if err := add(until, 1); err != nil {
			return nil, err
		}
	}
	var out []charge.Sum
	for _, s := range sums {
		if s.Records > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b charge.Sum) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.ResourceType, b.ResourceType), cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Bill, b.Bill), cmp.Compare(a.Project, b.Project))
	})
	return out, nil
}

// monthLines are the lines of a month's invoice: what each product came to in the rows of the bill, tax apart, less what stands
// on papers of single orders and refunds.
func (c *Counter) monthLines(ctx context.Context, r db.Reader, who *account.Customer, cycle period.Cycle, payer string, reseller bool) ([]invoice.Line, error) {
	sums, err := c.monthSums(ctx, r, who.ID, cycle, payer, reseller)
	if err != nil || len(sums) == 0 {
		return nil, err
	}
	rows, err := bill.Summarise(sums, c.Bills.Rounding, currency)
	if err != nil {
		return nil, err
	}
	taxes := map[invoice.Product]money.Amount{}
	product := func(s, t string, mode int32, k bill.Type) invoice.Product {
		return invoice.Product{Service: s, ResourceType: t, Mode: mode, Memo: k == bill.Refund}
	}
	for i := range sums {
		if s := &sums[i]; isTax(s.Bill) {
			taxes[product(s.Service, s.ResourceType, s.Mode, bill.TypeOf(s.Bill))] += s.Amount
		}
	}
	apart, err := invoice.Traded(ctx, r, who.ID, payer, cycle)
	if err != nil {
		return nil, err
	}
	table, err := tax.At(ctx, r, who.Country, lastInstant(cycle))
	if err != nil {
		return nil, err
	}
	shelf, err := c.Catalogue.At(ctx, r)
	if err != nil {
		return nil, err
	}
	at := map[invoice.Product]int{}
	var lines []invoice.Line
	contained := map[invoice.Product]invoice.Taxed{}
	for i := range rows {
		row := &rows[i]
		key := product(row.Service, row.ResourceType, row.Mode, row.Type)
		j, ok := at[key]
		if !ok {
			j = len(lines)
			at[key] = j
			l := invoice.Line{Service: row.Service, ResourceType: row.ResourceType, Mode: row.Mode, Starts: cycle.Span().Start, Ends: period.LastSecond(cycle.Span().End)}
			nameLine(shelf, &l)
			lines = append(lines, l)
		}
		l := &lines[j]
		l.Charged += row.Consume
		l.Coupon += unpaidFor(&row.Parts)
		l.Cut += row.Truncated
		l.Num += row.Records
		if rate, amount, err := taxOfRow(&table, row); err == nil && rate.Inclusive {
			t := contained[key]
			t.Rate, t.Tax, t.Base = rate, t.Tax+amount, t.Base+row.Consume-amount
			contained[key] = t
		}
	}
	terms, within, err := c.termTaxes(ctx, r, who, cycle, payer)
	if err != nil {
		return nil, err
	}
	out := lines[:0]
	for i := range lines {
		l := &lines[i]
		key := invoice.Product{Service: l.Service, ResourceType: l.ResourceType, Mode: l.Mode, Memo: keyMemo(at, i)}
		l.Taxed = terms[key]
		l.Tax += within[key]
		l.Charged -= within[key]
		if t, ok := contained[key]; ok {
			l.Tax += t.Tax
			l.Charged -= t.Tax
			l.Taxed = append(l.Taxed, t)
		}
		l.Charged -= taxes[key]
		l.Tax += taxes[key]
		single, some := apart[key]
		l.Charged -= single.Charged
		l.Coupon -= single.Coupon
		l.Tax -= single.Tax
		l.Num = 0
		if some && l.Charged == 0 && l.Coupon == 0 && l.Tax == 0 {
			continue // all of it stands elsewhere
		}
		due, err := money.HalfUpMinor(l.Charged-l.Coupon+l.Tax, currency) // coupons pay usage at 8 decimals
		if err != nil {
			return nil, err
		}
		l.Coupon = l.Charged + l.Tax - due
		for i := range l.Taxed {
			if t := &l.Taxed[i]; t.Base == 0 && !t.Rate.Inclusive { // tax of usage: its base is the line
				t.Base = l.Charged
			}
		}
		out = append(out, *l)
	}
	return out, nil
}

func keyMemo(at map[invoice.Product]int, i int) bool {
	for key, j := range at {
		if j == i && key.Memo {
			return true
		}
	}
	return false
}

// termTaxes are the taxes of a month by product and rate, of orders and refunds that do not stand on papers of their own, and of
// usage; and what of the amounts of all of them is tax.
func (c *Counter) termTaxes(ctx context.Context, r db.Reader, who *account.Customer, cycle period.Cycle, payer string) (out map[invoice.Product][]invoice.Taxed, within map[invoice.Product]money.Amount, err error) {
	list, err := charge.TaxedOf(ctx, r, who.ID, cycle, payer)
	if err != nil {
		return nil, nil, err
	}
	rates := rateBook{customer: who.ID}
	out, within = map[invoice.Product][]invoice.Taxed{}, map[invoice.Product]money.Amount{}
	for i := range list {
		s := &list[i]
		key := invoice.Product{Service: s.Service, ResourceType: s.ResourceType, Mode: s.Mode, Memo: bill.TypeOf(s.Bill) == bill.Refund}
		within[key] += s.Within
		if s.Mode == charge.ByPeriod {
			of := invoice.Order(who.ID, s.Trade)
			if s.Base != "" {
				of = invoice.Back(who.ID, s.Trade, s.Base)
			}
			if _, found, err := invoice.On(ctx, r, of); err != nil || found {
				if err != nil {
					return nil, nil, err
				}
				continue
			}
		}
		rate, err := rates.named(ctx, r, s.Service, s.Rate, s.Traded)
		if err != nil {
			return nil, nil, err
		}
		rate.Inclusive = s.Within != 0
		t := invoice.Taxed{Rate: rate, Base: s.Amount - s.Tax - s.Within, Tax: s.Tax + s.Within}
		same := slices.IndexFunc(out[key], func(o invoice.Taxed) bool {
			return o.Rate.Rate.Cmp(rate.Rate) == 0 && o.Rate.Inclusive == rate.Inclusive && o.Rate.Kind == rate.Kind
		})
		if same < 0 {
			out[key] = append(out[key], t)
			continue
		}
		out[key][same].Base += t.Base
		out[key][same].Tax += t.Tax
	}
	return out, within, nil
}

// checkInvoices holds a customer's papers against its charges and receipts: every fee record and every receipt stands on at most
// one. For each month since a month: what single orders and refunds come to is on their papers; with the month's own paper that is all of the
// month, as far as it is not invoiced by receipt.
func (c *Counter) checkInvoices(ctx context.Context, r db.Reader, customer string, since period.Cycle) (wrong []string, err error) {
	book, wrong, err := invoice.Read(ctx, r, customer)
	if err != nil || len(book.Papers) == 0 {
		return wrong, err
	}
	type month struct {
		cycle period.Cycle
		payer string
	}
	months := map[month]bool{}
	for i := range book.Papers {
		p := &book.Papers[i]
		if p.Cycle != 0 && p.Cycle < since {
			continue
		}
		for _, t := range book.Things[p.ID] {
			var fees []charge.Fee
			switch {
			case t.Kind == invoice.OfMonth:
				months[month{p.Cycle, p.Payer}] = true
				continue
			case t.Kind == invoice.OfEntry:
				moved, err := ledger.Moved(ctx, r, customer, p.Trade)
				if err != nil {
					return nil, err
				}
				if !p.Memo && moved != p.Amount || p.Memo && -p.Amount > moved {
					wrong = append(wrong, fmt.Sprintf("invoice %s is over %s, the receipt %s over %s", p.ID, p.Amount, p.Trade, moved))
				}
				continue
			}
			months[month{p.Cycle, p.Payer}] = true
			if fees, err = charge.OfTrade(ctx, r, customer, p.Trade); err != nil {
				return nil, err
			}
			var sum money.Amount
			for i := range fees {
				f := &fees[i]
				of := invoice.Order(customer, f.Trade)
				if f.Base != "" {
					of = invoice.Back(customer, f.Trade, f.Base)
				}
				if of == t && f.Payer == p.Payer {
					sum += f.Amount
				}
			}
			if sum != book.Exact(p) {
				wrong = append(wrong, fmt.Sprintf("invoice %s comes to %s, the fee records of %s to %s", p.ID, book.Exact(p), t.ID, sum))
			}
		}
	}
	for m := range months {
		trades, own, closed := book.Months(m.cycle, m.payer)
		if !closed {
			continue
		}
		_, reseller, err := holder(ctx, r, customer, m.payer)
		if err != nil {
			return nil, err
		}
		sums, err := c.monthSums(ctx, r, customer, m.cycle, m.payer, reseller)
		if err != nil {
			return nil, err
		}
		var all money.Amount
		for i := range sums {
			all += sums[i].Amount
		}
		if all != trades+own {
			wrong = append(wrong, fmt.Sprintf("cycle %s, paid by %s: fee records come to %s, invoices of orders to %s and of the month to %s", m.cycle, m.payer, all, trades, own))
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}
