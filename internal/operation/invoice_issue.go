package operation

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/tax"
)

// holder is in whose list papers are that are about a customer and its payer: its partner's when it is resold (billing-rules 8:
// customers of a reseller get none), else the master's, else its own.
func holder(ctx context.Context, r db.Reader, about, payer string) (customer string, reseller bool, err error) {
	customer = payer
	if payer == about {
		master, member, err := account.MasterOf(ctx, r, about)
		if err != nil {
			return "", false, err
		}
		if member {
			customer = master.Master
		}
	}
	for _, id := range slices.Compact([]string{about, customer}) {
		who, err := account.Find(ctx, r, id)
		if err != nil {
			return "", false, err
		}
		if !who.Resold {
			continue
		}
		d, err := identity.FindDomain(ctx, r, id)
		if fault.Is(err, "PURSER.0104") {
			continue // books without an account: only in tests
		}
		if err != nil {
			return "", false, err
		}
		if d.Partner != "" {
			return d.Partner, true, nil
		}
	}
	return customer, false, nil
}

// methodOf is by which method what a payer pays is invoiced now. What a partner is invoiced for its customers is by the month.
func methodOf(ctx context.Context, r db.Reader, payer string, reseller bool) (string, error) {
	if reseller {
		return account.ByCycle, nil
	}
	who, err := account.Find(ctx, r, payer)
	return who.InvoiceMethod, err
}

// InvoiceOrder is the hook of the order room: an order took money, or gave it back, in the given transaction.
func (c *Counter) InvoiceOrder(ctx context.Context, tx *db.Tx, o *order.Order) error {
	fees := o.Charged()
	type group struct{ payer, base string }
	byGroup := map[group][]charge.Fee{}
	var groups []group
	for i := range fees {
		g := group{fees[i].Payer, fees[i].Base}
		if byGroup[g] == nil {
			groups = append(groups, g)
		}
		byGroup[g] = append(byGroup[g], fees[i])
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Or(cmp.Compare(a.payer, b.payer), cmp.Compare(a.base, b.base)) })
	for _, g := range groups {
		var err error
		if g.base != "" {
			err = c.creditOrder(ctx, tx, o, g.payer, g.base, byGroup[g])
		} else {
			err = c.invoiceOrder(ctx, tx, o, g.payer, byGroup[g])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Counter) invoiceOrder(ctx context.Context, tx *db.Tx, o *order.Order, payer string, fees []charge.Fee) error {
	method, err := methodOf(ctx, tx, payer, false)
	if err != nil || method != account.ByOrder {
		return err
	}
	to, reseller, err := holder(ctx, tx, o.Customer, payer)
	if err != nil || reseller { // a partner is invoiced by the month
		return err
	}
	lines, err := c.feeLines(ctx, tx, fees)
	if err != nil {
		return err
	}
	p := &invoice.Paper{
		Customer: to, Payer: payer, Method: method, TradeType: invoice.OnlineOrder, Class: invoice.TaxInvoice, Cycle: fees[0].Cycle, Trade: o.ID,
		Applicant: cmp.Or(o.User, systemUser),
	}
	_, err = invoice.Issue(ctx, tx, currency, invoice.Order(o.Customer, o.ID), p, lines)
	return err
}

// systemUser applies for what nobody asked for.
const systemUser = "system"

// creditOrder credits what a refund gives back of an order, where that stands on an invoice: its own, or its month's.
func (c *Counter) creditOrder(ctx context.Context, tx *db.Tx, o *order.Order, payer, base string, fees []charge.Fee) error {
	bought, found, err := invoice.On(ctx, tx, invoice.Order(o.Customer, base))
	if err != nil {
		return err
	}
	if !found {
		was, err := charge.OfTrade(ctx, tx, o.Customer, base)
		if err != nil || len(was) == 0 {
			return err
		}
		if bought, found, err = invoice.On(ctx, tx, invoice.Month(o.Customer, was[0].Cycle, payer)); err != nil || !found {
			return err
		}
	}
	lines, err := c.feeLines(ctx, tx, fees)
	if err != nil {
		return err
	}
	p := &invoice.Paper{
		Customer: bought.Customer, Payer: payer, Method: bought.Method, TradeType: bought.TradeType, Class: bought.Class, Memo: true, Source: bought.ID,
		Reason: cmp.Or(o.Reason, "refund of order "+base), Cycle: fees[0].Cycle, Trade: o.ID, Applicant: cmp.Or(o.User, systemUser),
	}
	if len(p.Reason) > reasonMost {
		p.Reason = p.Reason[:reasonMost]
	}
	_, err = invoice.Issue(ctx, tx, currency, invoice.Back(o.Customer, o.ID, base), p, lines)
	return err
}

// reasonMost is how long the reason of a credit memo may be (api.md 9.2).
const reasonMost = 256

// feeLines are the lines of the fee records of an order: one for each of its lines, with the tax on it.
func (c *Counter) feeLines(ctx context.Context, r db.Reader, fees []charge.Fee) ([]invoice.Line, error) {
	shelf, err := c.Catalogue.At(ctx, r)
	if err != nil {
		return nil, err
	}
	rates := rateBook{customer: fees[0].Customer}
	type key struct {
		line                  int32
		spec, region, service string
		rate                  string
	}
	at := map[key]int{}
	var lines []invoice.Line
	for i := range fees {
		f := &fees[i]
		k := key{f.Line, f.Spec, f.Region, f.Service, f.TaxRate}
		j, ok := at[k]
		if !ok {
			j = len(lines)
			at[k] = j
			l := invoice.Line{
				Service: f.Service, ResourceType: f.ResourceType, Spec: f.Spec, Region: f.Region, Mode: f.Mode, Starts: f.Traded, Ends: f.Traded,
			}
			nameLine(shelf, &l)
			lines = append(lines, l)
		}
		l := &lines[j]
		if isTax(f.Bill) {
			l.Tax += f.Amount
		} else {
			l.Num++
			l.Charged += f.Amount - f.Within
			l.Tax += f.Within
			l.Coupon += unpaidFor(&f.Parts)
		}
		if f.TaxRate == "" || f.TaxRate == "0" && f.Within == 0 {
			continue
		}
		rate, err := rates.named(ctx, r, f.Service, f.TaxRate, f.Traded)
		if err != nil {
			return nil, err
		}
		if len(l.Taxed) == 0 {
			rate.Inclusive = f.Within != 0
			l.Taxed = []invoice.Taxed{{Rate: rate}}
		}
	}
	for i := range lines {
		if l := &lines[i]; len(l.Taxed) > 0 {
			l.Taxed[0].Base, l.Taxed[0].Tax = l.Charged, l.Tax
		}
	}
	return lines, nil
}

// unpaidFor is what of an amount was not paid with money, and is not invoiced (billing-rules 5).
func unpaidFor(p *charge.Parts) money.Amount { return p.Coupon + p.Flexi + p.Bonus }

func isTax(b charge.BillType) bool {
	return b == charge.Tax || b == charge.TaxRefund || b == charge.TaxBack || b == charge.TaxMore
}

// nameLine writes onto a line how what it is for is called now.
func nameLine(shelf *catalog.Snapshot, l *invoice.Line) {
	l.ServiceName, l.Name = catalog.Text{En: l.Service, Zh: l.Service}, catalog.Text{En: l.ResourceType, Zh: l.ResourceType}
	if s, ok := shelf.Service(l.Service); ok {
		l.ServiceName = s.Name
	}
	if t, ok := shelf.ResourceType(l.ResourceType); ok {
		l.Name = t.Name
	}
}

// rateBook finds again what a rate was called and made of.
type rateBook struct {
	customer string
	country  *string
	tables   map[time.Time]tax.Table
}

func (b *rateBook) at(ctx context.Context, r db.Reader, at time.Time) (tax.Table, error) {
	if b.country == nil {
		who, err := account.Find(ctx, r, b.customer)
		if err != nil {
			return tax.Table{}, err
		}
		b.country, b.tables = &who.Country, map[time.Time]tax.Table{}
	}
	if t, ok := b.tables[at]; ok {
		return t, nil
	}
	t, err := tax.At(ctx, r, *b.country, at)
	b.tables[at] = t
	return t, err
}

// named is the rate of a service that was taken at an instant as a number. One that is no longer what the country takes (it was
// fixed when the order was placed) is a tax of the same kind, in one part.
func (b *rateBook) named(ctx context.Context, r db.Reader, service, rate string, at time.Time) (tax.Rate, error) {
	table, err := b.at(ctx, r, at)
	if err != nil {
		return tax.Rate{}, err
	}
	value, err := money.ParseDecimal(rate)
	if err != nil {
		return tax.Rate{}, err
	}
	now, err := table.Of(service)
	if fault.Is(err, "CBC.99006093") {
		now, err = tax.Rate{}, nil
	}
	if err != nil || now.Rate.Cmp(value) == 0 && now.Kind != "" {
		return now, err
	}
	return tax.Rate{Rate: value, Kind: cmp.Or(now.Kind, "VAT")}, nil
}

// invoiceReceipt invoices money that came in, or credits what went back, for who is invoiced by receipt.
func (c *Counter) invoiceReceipt(ctx context.Context, tx *db.Tx, e *ledger.Entry, amount money.Amount, back bool) error {
	to, reseller, err := holder(ctx, tx, e.Customer, e.Customer)
	if err != nil || reseller {
		return err
	}
	method, err := methodOf(ctx, tx, e.Customer, false)
	if err != nil || method != account.ByReceipt {
		return err
	}
	p := invoice.Paper{
		Customer: to, Payer: e.Customer, Method: method, TradeType: invoice.TopUp, Class: invoice.Commercial, Cycle: period.CycleOf(tx.Now), Trade: e.ID,
		Applicant: systemUser,
	}
	line := invoice.Line{Name: catalog.Text{En: "Top-up of the account", Zh: "账户充值"}, Starts: tx.Now, Ends: tx.Now, Charged: amount}
	if !back {
		_, err = invoice.Issue(ctx, tx, currency, invoice.Receipt(e.Customer, e.ID, ""), &p, []invoice.Line{line})
		return err
	}
	// The latest receipts go back first, each as far as it was invoiced; what never was is not credited.
	receipts, err := invoice.Receipts(ctx, tx, e.Customer)
	if err != nil {
		return err
	}
	p.Memo, p.TradeType, p.Reason = true, invoice.Withdrawal, "withdrawal"
	line.Name = catalog.Text{En: "Withdrawal from the account", Zh: "账户提现"}
	for i := range receipts {
		of := &receipts[i]
		part := min(amount, of.Amount-of.Credited)
		if part <= 0 {
			continue
		}
		memo, l := p, line
		memo.Customer, memo.Source, l.Charged = of.Customer, of.ID, -part
		if _, err := invoice.Issue(ctx, tx, currency, invoice.Receipt(e.Customer, e.ID, of.ID), &memo, []invoice.Line{l}); err != nil {
			return err
		}
		if amount -= part; amount == 0 {
			break
		}
	}
	return nil
}

// switchMethod notes that a customer's invoice method changes.
func switchMethod(ctx context.Context, tx *db.Tx, before, after *account.Customer) error {
	if before.InvoiceMethod == after.InvoiceMethod {
		return nil
	}
	held, err := ledger.Of(ctx, tx, after.ID)
	if err != nil {
		return err
	}
	today, err := charge.BookedOn(ctx, tx, after.ID, period.DateOf(tx.Now))
	if err != nil {
		return err
	}
	return invoice.Switch(ctx, tx, after.ID, before.InvoiceMethod, after.InvoiceMethod, held.Cash == 0 && held.Credit == 0 && held.Debt == 0 && !today)
}
