package operation

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/provider"
)

// Reports.
const (
	Receivables = "receivables"
	Revenue     = "revenue"
	Payments    = "payments"
)

// Months are those of a report, both within; 0: the running one, and a year before it.
type Months struct{ From, To period.Cycle }

// reportMonths is how many months a report has when it is not told.
const reportMonths = 12

func (m *Months) settle(now time.Time) error {
	m.To = cmp.Or(m.To, period.CycleOf(now))
	m.From = cmp.Or(m.From, m.To-reportMonths+1)
	if m.From > m.To {
		return fault.New(fault.Invalid, "CBC.0100", "from: must not be after to")
	}
	return nil
}

// WriteReport writes a report as CSV: with a line of headings, amounts at full length. The operator's.
func (c *Counter) WriteReport(ctx context.Context, call *Call, kind string, months Months, into io.Writer) error {
	write := map[string]func(context.Context, *Call, Months, *table) error{Receivables: c.receivables, Revenue: c.revenue, Payments: c.payments}[kind]
	if write == nil {
		return fault.New(fault.Invalid, "CBC.0100", "report: must be %s, %s or %s", Receivables, Revenue, Payments)
	}
	if err := months.settle(c.instants(call).Now); err != nil {
		return err
	}
	t := &table{out: csv.NewWriter(into)}
	if err := write(ctx, call, months, t); err != nil {
		return err
	}
	t.out.Flush()
	return t.out.Error()
}

// table writes lines of CSV.
type table struct{ out *csv.Writer }

// line writes one line. A text that a spreadsheet would take for a formula gets an apostrophe in front.
func (t *table) line(cells ...any) error {
	text := make([]string, len(cells))
	for i, cell := range cells {
		switch x := cell.(type) {
		case money.Amount:
			text[i] = x.String()
		case string:
			if text[i] = x; x != "" && strings.ContainsRune("=+-@\t\r", rune(x[0])) {
				text[i] = "'" + x
			}
		case time.Time:
			if !x.IsZero() {
				text[i] = x.UTC().Format(time.RFC3339)
			}
		default:
			text[i] = fmt.Sprint(x)
		}
	}
	return t.out.Write(text)
}

// owingAtOnce is how many customers a report reads in one view.
const owingAtOnce = 500

// ages are the bounds of the columns of receivables, in days from the close of the month in which it was charged.
var ages = []int{30, 60, 90}

// receivables lists what each customer owes, by how long ago the month was closed in which it was charged, in the end as the
// ledger says: what was paid is taken from the oldest first.
func (c *Counter) receivables(ctx context.Context, call *Call, _ Months, t *table) error {
	if err := t.line("customer_id", "account_name", "not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90", "debt", "credit_used", "currency"); err != nil {
		return err
	}
	for after := ""; ; {
		more := 0
		err := c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
			if err := operatorOnly(scope); err != nil {
				return err
			}
			list, err := ledger.Owing(ctx, v, after, owingAtOnce)
			if err != nil {
				return err
			}
			for i := range list {
				after = list[i].Customer
				if err := c.receivable(ctx, v, &list[i], t); err != nil {
					return err
				}
			}
			more = len(list)
			return nil
		})
		if err != nil || more < owingAtOnce {
			return err
		}
	}
}

func (c *Counter) receivable(ctx context.Context, v *db.View, owing *ledger.Owed, t *table) error {
	now, err := c.nowOf(ctx, v, owing.Customer)
	if err != nil {
		return err
	}
	debts, err := bill.Debts(ctx, v, owing.Customer)
	if err != nil {
		return err
	}
	columns := make([]money.Amount, len(ages)+2)
	rest, last := owing.Debt, 0
	for _, cycle := range slices.Backward(slices.Sorted(maps.Keys(debts))) {
		take := min(rest, max(0, debts[cycle]))
		rest -= take
		last = age(cycle, now)
		columns[last] += take
	}
	columns[last] += rest // what no month explains, such as a debt that was moved by hand, is as old as the oldest
	name, err := accountName(ctx, v, owing.Customer)
	if err != nil {
		return err
	}
	cells := []any{owing.Customer, name}
	for _, amount := range columns {
		cells = append(cells, amount)
	}
	return t.line(append(cells, owing.Debt, owing.Credit, currency.Code())...)
}

// age is the column of receivables that a month belongs to.
func age(cycle period.Cycle, now time.Time) int {
	if now.Before(cycle.Closes()) {
		return 0
	}
	days := int(now.Sub(cycle.Closes()).Hours() / 24)
	i, _ := slices.BinarySearch(ages, days)
	return i + 1
}

func accountName(ctx context.Context, r db.Reader, id string) (string, error) {
	d, err := identity.FindDomain(ctx, r, id)
	return d.Name, err
}

// revenue lists what each service came to in each month. consume_amount is what customers pay: of months that are still open what
// is cut off of them is not known yet.
func (c *Counter) revenue(ctx context.Context, call *Call, months Months, t *table) error {
	if err := t.line("month", "service_type_code", "service_type_name", "charge_mode", "bill_type", "official_amount", "discount_amount", "truncated_amount", "consume_amount",
		"coupon_amount", "customers_open", "currency"); err != nil {
		return err
	}
	return c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
		if err := operatorOnly(scope); err != nil {
			return err
		}
		shelf, err := c.Catalogue.At(ctx, v)
		if err != nil {
			return err
		}
		for month := months.From; month <= months.To; month++ {
			rows, err := bill.Revenue(ctx, v, month)
			if err != nil {
				return err
			}
			open, err := charge.CountOpen(ctx, v, month)
			if err != nil {
				return err
			}
			for i := range rows {
				r := &rows[i]
				name := r.Service
				if s, ok := shelf.Service(r.Service); ok {
					name = s.Name.In(catalog.English)
				}
				if err := t.line(month.String(), r.Service, name, int(r.Mode), int(r.Type), r.Official, r.Discount, r.Truncated, r.Consume, r.Parts.Coupon, open, currency.Code()); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// paymentsAtOnce is how many payments a report reads in one view.
const paymentsAtOnce = 500

// payments lists payments through payment providers, the newest first, with what was booked for each. A payment that came and its
// booking are the same amount, else difference says by how much not.
func (c *Counter) payments(ctx context.Context, call *Call, months Months, t *table) error {
	if err := t.line("top_up_id", "customer_id", "provider", "method", "reference", "state", "amount", "created_time", "finished_time", "entry_id", "booked_amount", "difference", "currency"); err != nil {
		return err
	}
	from, to := months.From.Span().Start, months.To.Span().End
	for offset := 0; ; offset += paymentsAtOnce {
		done := false
		err := c.read(ctx, call, func(v *db.View, scope identity.Scope) error {
			if err := operatorOnly(scope); err != nil {
				return err
			}
			_, page, err := provider.List(ctx, v, provider.Query{}, offset, paymentsAtOnce)
			if err != nil {
				return err
			}
			done = len(page) < paymentsAtOnce
			for i := range page {
				a := &page[i]
				if a.Created.Before(from) {
					done = true // they come by creation
					break
				}
				if a.Created.Before(to) {
					if err := paymentLine(ctx, v, a, t); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil || done {
			return err
		}
	}
}

func paymentLine(ctx context.Context, v *db.View, a *provider.Attempt, t *table) error {
	entry, _, err := ledger.Booked(ctx, v, a.Customer, topUpCause, a.Booking())
	if err != nil {
		return err
	}
	var booked, came money.Amount
	for _, p := range entry.Postings {
		if p.Giver == ledger.Topup {
			booked += p.Amount
		}
	}
	state := a.StateAt(v.Real)
	if state == provider.Succeeded {
		came = a.Amount
	}
	return t.line(a.ID, a.Customer, a.Provider, a.Method, a.Reference, state, a.Amount, a.Created, a.Finished, entry.ID, booked, came-booked, a.Currency)
}

// ParseMonths reads the months of a report; empty texts stand for what is usual.
func ParseMonths(from, to string) (m Months, err error) {
	for _, k := range []struct {
		name, text string
		into       *period.Cycle
	}{{"from", from, &m.From}, {"to", to, &m.To}} {
		if k.text == "" {
			continue
		}
		if *k.into, err = period.ParseCycle(k.text); err != nil {
			return m, fault.New(fault.Invalid, "CBC.0100", "%s: %s is not a month YYYY-MM", k.name, strconv.Quote(k.text))
		}
	}
	return m, nil
}
