package portal

import (
	"context"
	"encoding/csv"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

// billMost is how many rows of a bill one call brings.
const billMost = 1000

// cycle is the bill month that is looked at: what was asked for, or the running one.
func (v *visit) cycle() string {
	if at, err := time.ParseInLocation("2006-01", v.q("cycle"), zone); err == nil {
		return at.Format("2006-01")
	}
	return monthOf(v.now)
}

// cycles are the months that can be chosen, the newest first.
func (v *visit) cycles() []choice {
	var out []choice
	for back := range 36 {
		m := monthsBack(v.now, back)
		out = append(out, choice{m, m})
	}
	return out
}

// bill is a month by one dimension.
type bill struct {
	cycle, by string
	sum       *asked[*bss.ShowCustomerMonthlySumReply]
	records   *asked[*bss.ListCustomerselfResourceRecordDetailsReply]
	costs     *asked[*bss.ListCostsReply]
	services  map[string]string
	rows      []billRow
	total     billRow
	picture   *chart
}

// billRow is a line of a bill.
type billRow struct {
	Key, Name, More                               string
	Official, Discount, Cut, Amount               amount
	Cash, Coupon, Credit, Debt, Bonus, Adjustment amount
	Href                                          string
}

func (r *billRow) add(other *billRow) {
	r.Official += other.Official
	r.Discount += other.Discount
	r.Cut += other.Cut
	r.Amount += other.Amount
	r.Cash += other.Cash
	r.Coupon += other.Coupon
	r.Credit += other.Credit
	r.Debt += other.Debt
	r.Bonus += other.Bonus
	r.Adjustment += other.Adjustment
}

// places is how many decimals a column of the bill's rows is written with.
func (b *bill) places(of func(*billRow) amount) int {
	n := places(of(&b.total))
	for i := range b.rows {
		n = max(n, places(of(&b.rows[i])))
	}
	return n
}

// billWays are the ways in which a bill can be looked at.
var billWays = []string{"service", "resource", "project", "region"}

func showBills(v *visit) (templ.Component, error) {
	b := &bill{cycle: v.cycle(), by: v.q("by")}
	if b.by == "" {
		b.by = "service"
		if v.q("service") != "" || v.q("resource") != "" {
			b.by = "resource"
		}
	}
	switch b.by {
	case "resource":
		b.records = askRecords(v, b.cycle)
	case "project", "region":
		key := map[string]string{"project": "ENTERPRISE_PROJECT_ID", "region": "REGION_CODE"}[b.by]
		b.costs = ask(v, func(ctx context.Context) (*bss.ListCostsReply, error) {
			return v.api.BSS.ListCostsWithResponse(ctx, nil, bss.ListCostsReq{
				AmountType: "PAYMENT_AMOUNT", CostType: "ORIGINAL_COST", Groupby: []bss.GroupBy{{Type: "dimension", Key: key}}, Limit: new(int32(billMost)),
				TimeCondition: bss.TimeCondition{TimeMeasureId: 2, BeginTime: b.cycle, EndTime: b.cycle},
			})
		})
	}
	b.sum = ask(v, func(ctx context.Context) (*bss.ShowCustomerMonthlySumReply, error) {
		return v.api.BSS.ShowCustomerMonthlySumWithResponse(ctx, &bss.ShowCustomerMonthlySumParams{BillCycle: b.cycle, Limit: new(int32(billMost)), ServiceTypeCode: v.some("service")})
	})
	services := askServices(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	b.services = names(services)
	b.work(v)
	return billsPage(v, b), nil
}

// askRecords asks for a month's bill by resources.
func askRecords(v *visit, cycle string) *asked[*bss.ListCustomerselfResourceRecordDetailsReply] {
	in := bss.QueryResRecordsDetailReq{Cycle: cycle, StatisticType: new(bss.QueryResRecordsDetailReqStatisticType(1)), Limit: new(int32(billMost)), CloudServiceType: v.some("service"), ResInstanceId: v.some("resource")}
	return ask(v, func(ctx context.Context) (*bss.ListCustomerselfResourceRecordDetailsReply, error) {
		return v.api.BSS.ListCustomerselfResourceRecordDetailsWithResponse(ctx, nil, in)
	})
}

func (b *bill) work(v *visit) {
	at := map[string]int{}
	put := func(row billRow) {
		i, ok := at[row.Key]
		if !ok {
			i = len(b.rows)
			at[row.Key] = i
			b.rows = append(b.rows, billRow{Key: row.Key, Name: row.Name, More: row.More, Href: row.Href})
		}
		b.rows[i].add(&row)
		b.total.add(&row)
	}
	switch {
	case b.by == "service" && b.sum.ok():
		for _, s := range b.sum.reply.JSON200.BillSums {
			put(billRow{
				Key: s.ServiceTypeCode, Name: named(b.services, s.ServiceTypeCode, s.ServiceTypeName), Official: amountOf(s.OfficialAmount), Discount: amountOf(s.OfficialDiscountAmount), Cut: amountOf(s.TruncatedAmount),
				Amount: amountOf(s.ConsumeAmount), Cash: amountOf(s.CashAmount), Coupon: amountOf(s.CouponAmount), Credit: amountOf(s.CreditAmount), Debt: amountOf(s.DebtAmount),
				Href: to("/bills", "cycle", b.cycle, "by", "resource", "service", s.ServiceTypeCode),
			})
		}
	case b.by == "resource" && b.records.ok():
		for _, r := range b.records.reply.JSON200.MonthlyRecords {
			name := r.ResourceName
			if name == "" {
				name = r.ResInstanceId
			}
			put(billRow{
				Key: r.ResInstanceId + "/" + r.CloudServiceType, Name: name, More: named(b.services, r.CloudServiceType, r.CloudServiceTypeName) + ", " + r.RegionName, Official: amountOf(r.OfficialAmount), Discount: amountOf(r.DiscountAmount),
				Amount: amountOf(r.ConsumeAmount), Cash: amountOf(r.CashAmount), Coupon: amountOf(r.CouponAmount), Credit: amountOf(r.CreditAmount), Debt: amountOf(r.DebtAmount),
				Bonus: amountOf(r.BonusAmount), Adjustment: amountOf(r.AdjustmentAmount), Href: to("/fees", "cycle", b.cycle, "resource", r.ResInstanceId, "service", r.CloudServiceType),
			})
		}
	case b.costs.ok():
		for _, c := range b.costs.reply.JSON200.CostData {
			key := ""
			if len(c.Dimensions) > 0 {
				key = c.Dimensions[0].Value
			}
			row := billRow{Key: key, Name: key, Official: amountOf(c.OfficialAmountByCosts), Amount: amountOf(c.AmountByCosts)}
			row.Discount = row.Official - row.Amount
			put(row)
		}
	}
	sort.SliceStable(b.rows, func(i, k int) bool { return b.rows[i].Amount > b.rows[k].Amount })
	if len(b.rows) > 0 {
		c := &chart{ID: "bill", Title: v.t("bills.picture", b.cycle), Unit: v.currency(), Series: []series{{}}}
		for i, r := range b.rows {
			if i == 11 && len(b.rows) > 12 {
				var rest amount
				for _, other := range b.rows[i:] {
					rest += other.Amount
				}
				c.Labels = append(c.Labels, v.t("bills.others"))
				c.Series[0].Values = append(c.Series[0].Values, rest)
				break
			}
			c.Labels = append(c.Labels, r.Name)
			c.Series[0].Values = append(c.Series[0].Values, r.Amount)
		}
		b.picture = c
	}
}

// bad says why a bill is not there.
func (b *bill) bad() *problem {
	switch {
	case b.by == "service" && b.sum.bad != nil:
		return b.sum.bad
	case b.records != nil && b.records.bad != nil:
		return b.records.bad
	case b.costs != nil && b.costs.bad != nil:
		return b.costs.bad
	}
	return nil
}

// fees are fee records: what a bill is made of.
type fees struct {
	cycle  string
	list   *asked[*bss.ListCustomerselfResourceRecordsReply]
	one    *bss.ResFeeRecordV2
	sum    amount
	places [3]int // decimals of list price, discount and amount
}

func (v *visit) feeQuery() *bss.ListCustomerselfResourceRecordsParams {
	q := &bss.ListCustomerselfResourceRecordsParams{
		Cycle: v.cycle(), StatisticType: new(bss.ListCustomerselfResourceRecordsParamsStatisticType(3)), CloudServiceType: v.some("service"), ResourceId: v.some("resource"), TradeId: v.some("trade"),
		Offset: new(int32(v.offset())), Limit: new(int32(pageSize)), Region: v.some("region"),
	}
	if mode := v.q("mode"); mode != "" {
		q.ChargeMode = new(bss.ListCustomerselfResourceRecordsParamsChargeMode(mode))
	}
	if v.q("id") != "" {
		q.Limit, q.Offset = new(int32(billMost)), nil
	}
	return q
}

func askFees(v *visit, q *bss.ListCustomerselfResourceRecordsParams) *asked[*bss.ListCustomerselfResourceRecordsReply] {
	return ask(v, func(ctx context.Context) (*bss.ListCustomerselfResourceRecordsReply, error) {
		return v.api.BSS.ListCustomerselfResourceRecordsWithResponse(ctx, q)
	})
}

func showFees(v *visit) (templ.Component, error) {
	f := &fees{cycle: v.cycle()}
	f.list = askFees(v, v.feeQuery())
	if err := v.wait(); err != nil {
		return nil, err
	}
	if f.list.ok() {
		records := f.list.reply.JSON200.FeeRecords
		for i := range records {
			f.sum += amountOf(records[i].Amount)
			for k, a := range []amount{amountOf(records[i].OfficialAmount), amountOf(records[i].DiscountAmount), amountOf(records[i].Amount)} {
				f.places[k] = max(f.places[k], places(a))
			}
			if id := v.q("id"); id != "" && textOf(records[i].Id) == id {
				f.one = &records[i]
			}
		}
	}
	if f.one != nil {
		return feePage(v, f), nil
	}
	return feesPage(v, f), nil
}

// feesCSV is a month's fee records as a file, all that the filters leave however many: every amount as the API has it. Pages follow
// one another while the file is written; none is kept.
func feesCSV(v *visit) (*download, error) {
	list, err := v.feesFrom(0)
	if err != nil {
		return nil, err
	}
	write := func(out io.Writer) error {
		if _, err := io.WriteString(out, "\ufeff"); err != nil { // spreadsheets take it for UTF-8 then
			return err
		}
		w := csv.NewWriter(out)
		if err := w.Write(feeColumns); err != nil {
			return err
		}
		for done := 0; ; {
			for i := range list.FeeRecords {
				if err := w.Write(v.feeLine(&list.FeeRecords[i])); err != nil {
					return err
				}
			}
			done += len(list.FeeRecords)
			if len(list.FeeRecords) == 0 || done >= int(list.TotalCount) {
				w.Flush()
				return w.Error()
			}
			if list, err = v.feesFrom(done); err != nil {
				return err
			}
		}
	}
	return &download{name: "fee-records-" + v.cycle() + ".csv", kind: "text/csv; charset=utf-8", write: write}, nil
}

// feesFrom asks for a page of what feesCSV writes.
func (v *visit) feesFrom(offset int) (*bss.ListCustomerselfResourceRecordsAnswer, error) {
	q := v.feeQuery()
	q.Limit, q.Offset = new(int32(billMost)), new(int32(offset))
	list := askFees(v, q)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if list.bad != nil {
		return nil, list.bad
	}
	return list.reply.JSON200, nil
}

var feeColumns = []string{
	"bill_date", "id", "trade_id", "bill_type", "charge_mode", "cloud_service_type", "resource_type", "region", "resource_id", "resource_name", "enterprise_project_id", "product_spec_desc", "usage_type", "usage", "unit",
	"unit_price", "official_amount", "discount_amount", "amount", "cash_amount", "credit_amount", "coupon_amount", "bonus_amount", "debt_amount", "adjustment_amount", "formula",
}

func (v *visit) feeLine(r *bss.ResFeeRecordV2) []string {
	price := ""
	if r.UnitPrice != nil {
		price = r.UnitPrice.String()
	}
	line := []string{
		textOf(r.BillDate), textOf(r.Id), r.TradeId, v.code("bill_type", r.BillType), v.code("mode", r.ChargeMode), r.CloudServiceType, r.ResourceType, r.Region, r.ResourceId, r.ResourceName,
		r.EnterpriseProjectId, r.ProductSpecDesc, r.UsageType, r.Usage.String(), textOf(r.Unit), price, r.OfficialAmount.String(), r.DiscountAmount.String(), r.Amount.String(), r.CashAmount.String(),
		r.CreditAmount.String(), r.CouponAmount.String(), r.BonusAmount.String(), r.DebtAmount.String(), r.AdjustmentAmount.String(), textOf(r.Formula),
	}
	for i, cell := range line {
		if cell != "" && strings.ContainsRune("=+@", rune(cell[0])) {
			line[i] = "'" + cell // a spreadsheet would take it for a formula
		}
	}
	return line
}

// costKeys are the dimensions that costs can be looked at by.
var costKeys = []string{"CLOUD_SERVICE_TYPE", "RESOURCE_TYPE", "REGION_CODE", "ENTERPRISE_PROJECT_ID", "CHARGING_MODE", "BILL_TYPE", "RES_SPEC_CODE", "USAGE_TYPE", "RESOURCE_ID", "ASSOCIATED_ACCOUNT"}

// costs is the analysis of costs by up to two keys.
type costs struct {
	first, second, kind, amount, step string
	from, until                       string
	list                              *asked[*bss.ListCostsReply]
	picture                           *chart
	rows                              []costRow
	columns                           []string
	total                             amount
}

type costRow struct {
	Keys   []string
	Values []amount
	Sum    amount
}

// seriesMost is how many series a picture shows; the smallest are put together.
const seriesMost = 8

func showCosts(v *visit) (templ.Component, error) {
	c := &costs{first: v.q("first"), second: v.q("second"), kind: v.q("kind"), amount: v.q("amount"), step: v.q("step"), from: v.q("from"), until: v.q("until")}
	or := func(field *string, otherwise string) {
		if *field == "" {
			*field = otherwise
		}
	}
	or(&c.first, "CLOUD_SERVICE_TYPE")
	or(&c.kind, "ORIGINAL_COST")
	or(&c.amount, "PAYMENT_AMOUNT")
	or(&c.step, "month")
	form, measure := "2006-01", bss.TimeConditionTimeMeasureId(2)
	if c.step == "day" {
		form, measure = "2006-01-02", 1
	}
	from, err := time.ParseInLocation("2006-01-02", c.from, zone)
	until, err2 := time.ParseInLocation("2006-01-02", c.until, zone)
	if err != nil || err2 != nil || from.After(until) {
		until = v.now.In(zone)
		from = time.Date(until.Year(), until.Month()-5, 1, 0, 0, 0, 0, zone)
		if c.step == "day" {
			from = until.AddDate(0, 0, -30)
		}
		c.from, c.until = from.Format("2006-01-02"), until.Format("2006-01-02")
	}
	by := []bss.GroupBy{{Type: "dimension", Key: c.first}}
	if c.second != "" && c.second != c.first {
		by = append(by, bss.GroupBy{Type: "dimension", Key: c.second})
	}
	c.list = ask(v, func(ctx context.Context) (*bss.ListCostsReply, error) {
		return v.api.BSS.ListCostsWithResponse(ctx, nil, bss.ListCostsReq{
			AmountType: bss.ListCostsReqAmountType(c.amount), CostType: bss.ListCostsReqCostType(c.kind), Groupby: by, Limit: new(int32(billMost)),
			TimeCondition: bss.TimeCondition{TimeMeasureId: measure, BeginTime: from.Format(form), EndTime: until.Format(form)},
		})
	})
	services := askServices(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	if c.list.ok() {
		for at := from; !at.After(until) && len(c.columns) < 400; {
			c.columns = append(c.columns, at.Format(form))
			if c.step == "day" {
				at = at.AddDate(0, 0, 1)
			} else {
				at = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, zone)
			}
		}
		c.work(v, names(services))
	}
	return costsPage(v, c), nil
}

// named is a service's name in the visitor's language, which not every call speaks.
func named(names map[string]string, code, otherwise string) string {
	if name := names[code]; name != "" {
		return name
	}
	return otherwise
}

// names are those of services by code.
func names(services *asked[*bss.ListServiceTypesReply]) map[string]string {
	out := map[string]string{}
	if services.ok() {
		for _, s := range services.reply.JSON200.ServiceTypes {
			out[s.ServiceTypeCode] = s.ServiceTypeName
		}
	}
	return out
}

func (c *costs) work(v *visit, services map[string]string) {
	at := map[string]int{}
	for i, column := range c.columns {
		at[column] = i
	}
	for _, d := range c.list.reply.JSON200.CostData {
		row := costRow{Values: make([]amount, len(c.columns)), Sum: amountOf(d.AmountByCosts)}
		for _, dim := range d.Dimensions {
			name := dim.Value
			switch dim.Key {
			case "CLOUD_SERVICE_TYPE":
				if known := services[name]; known != "" {
					name = known
				}
			case "CHARGING_MODE":
				name = v.code("mode", name)
			case "BILL_TYPE":
				name = v.code("bill_type", name)
			}
			if name == "" {
				name = "–"
			}
			row.Keys = append(row.Keys, name)
		}
		for _, one := range d.Costs {
			if i, ok := at[one.TimeDimensionValue]; ok {
				row.Values[i] += amountOf(one.Amount)
			}
		}
		c.total += row.Sum
		c.rows = append(c.rows, row)
	}
	sort.SliceStable(c.rows, func(i, k int) bool { return c.rows[i].Sum > c.rows[k].Sum })
	if len(c.rows) == 0 {
		return
	}
	c.picture = &chart{ID: "costs", Title: v.t("costs.picture"), Unit: v.currency(), Labels: c.columns}
	for _, column := range c.columns {
		c.picture.Short = append(c.picture.Short, strings.TrimPrefix(column, c.columns[0][:5]))
	}
	for i, row := range c.rows {
		if i == seriesMost-1 && len(c.rows) > seriesMost {
			rest := series{Name: v.t("bills.others"), Values: make([]amount, len(c.columns))}
			for _, other := range c.rows[i:] {
				for k, a := range other.Values {
					rest.Values[k] += a
				}
			}
			c.picture.Series = append(c.picture.Series, rest)
			break
		}
		c.picture.Series = append(c.picture.Series, series{Name: strings.Join(row.Keys, " · "), Values: row.Values})
	}
}

func showInvoices(v *visit) (templ.Component, error) {
	begin, end := v.now.AddDate(-1, 0, 0), v.now
	if text := wireDay(v.q("from"), false); text != nil {
		begin = when(*text)
	}
	if text := wireDay(v.q("until"), true); text != nil {
		end = when(*text)
	}
	list := ask(v, func(ctx context.Context) (*bss.ListInvoicesReply, error) {
		return v.api.BSS.ListInvoicesWithResponse(ctx, v.session.AccountID, &bss.ListInvoicesParams{StartTime: wire(begin), EndTime: wire(end), Offset: int32(v.offset()/pageSize + 1), Limit: pageSize})
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	return invoicesPage(v, list), nil
}

// exportAt is where the file of what is shown is.
func exportAt(v *visit) string {
	q := v.r.URL.Query()
	q.Del("offset")
	return link("/fees/csv", q)
}

// keyChoices are the dimensions of costs.
func (v *visit) keyChoices(none bool) []choice {
	var out []choice
	if none {
		out = append(out, choice{"", v.t("costs.none")})
	}
	for _, key := range costKeys {
		out = append(out, choice{key, v.code("cost_key", key)})
	}
	return out
}

// sum is what all of a column come to.
func (c *costs) sum(column int) (all amount) {
	for k := range c.rows {
		all += c.rows[k].Values[column]
	}
	return all
}

// places is how many decimals a column of the costs is written with: the i-th step, or below zero the sum.
func (c *costs) places(i int) int {
	n := places(c.total)
	if i >= 0 {
		n = places(c.sum(i))
	}
	for k := range c.rows {
		if i < 0 {
			n = max(n, places(c.rows[k].Sum))
		} else {
			n = max(n, places(c.rows[k].Values[i]))
		}
	}
	return n
}

func invoiceKind(state int32) string {
	switch state {
	case 8:
		return "good"
	case 9:
		return "bad"
	}
	return "warn"
}

// pdfAt is where an invoice's paper is; empty: it has no number yet, or the endpoint has no papers.
func (v *visit) pdfAt(i *bss.InvoiceRequestInfoIntl) string {
	if !v.session.Own || i.InvoiceNo == "" {
		return ""
	}
	return to("/invoices/pdf", "id", i.RequestId, "no", i.InvoiceNo)
}

// invoicePDF is an invoice as its paper.
func invoicePDF(v *visit) (*download, error) {
	got, bad := do(v, func(ctx context.Context) (*purser.PrintInvoiceReply, error) {
		return v.api.Purser.PrintInvoiceWithResponse(ctx, v.q("id"), nil)
	})
	if bad != nil {
		return nil, bad
	}
	return &download{name: "invoice-" + v.q("no") + ".pdf", kind: "application/pdf", content: got.Body}, nil
}
