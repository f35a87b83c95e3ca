package bssapi

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/cost"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
)

// unassigned are the names of the enterprise project of what has none (api.md 8.1). Everything that is sold here has one.
var unassigned = []string{"-1", "null"}

// projectFilter reads the filter of a bill's project; nil: any.
func projectFilter(given *string) *string {
	if given == nil || *given == "" {
		return nil
	}
	for _, name := range unassigned {
		if *given == name {
			return new("") // what has no project: nothing that is sold here
		}
	}
	return given
}

func whose[M ~string](method *M, member *string) operation.Whose {
	w := operation.Whose{Member: contract.Text(member)}
	if method != nil {
		w.Method = string(*method)
	}
	return w
}

func cycleOf(name, text string) (period.Cycle, error) {
	c, err := period.ParseCycle(text)
	if err != nil {
		return 0, &contract.Problem{Where: name, What: "must be a month of the form YYYY-MM"}
	}
	return c, nil
}

// some is a filter that is off when it is absent or empty.
func some(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	return text
}

// ShowCustomerMonthlySum shows the summary bill of a month. It has no X-Language: names are English.
func (d *Door) ShowCustomerMonthlySum(ctx context.Context, r ShowCustomerMonthlySumRequestObject) (ShowCustomerMonthlySumResponseObject, error) {
	in := &r.Params
	cycle, err := cycleOf("bill_cycle", in.BillCycle)
	if err != nil {
		return nil, err
	}
	sum, err := d.counter.MonthlySum(ctx, doorway.CallOf(ctx), &operation.SummaryAsk{
		Whose: whose(in.Method, in.SubCustomerId), Cycle: cycle, Service: some(in.ServiceTypeCode), Project: projectFilter(in.EnterpriseProjectId),
		Offset: contract.Int(in.Offset, 0), Limit: contract.Int(in.Limit, 10),
	})
	if err != nil {
		return nil, err
	}
	p := &sum.Sum.Parts
	out := ShowCustomerMonthlySum200JSONResponse{
		TotalCount: contract.Int32(sum.Total), ConsumeAmount: amount(sum.Sum.Consume), DebtAmount: amount(p.Debt), CouponAmount: amount(p.Coupon), FlexipurchaseCouponAmount: amount(p.Flexi),
		StoredValueCardAmount: amount(p.Stored), CashAmount: amount(p.Cash + p.Bonus), CreditAmount: amount(p.Credit), WriteoffAmount: amount(sum.WrittenOff),
		MeasureId: measureMoney, Currency: money.USD.Code(), BillSums: make([]BillSumRecordInfoV2, len(sum.Rows)),
	}
	for i := range sum.Rows {
		x := &sum.Rows[i]
		q := &x.Parts
		out.BillSums[i] = BillSumRecordInfoV2{
			BillCycle: x.Cycle.String(), ServiceTypeCode: x.Service, ServiceTypeName: serviceName(sum.Shelf, x.Service, catalog.English), ResourceTypeCode: x.ResourceType,
			ResourceTypeName: typeName(sum.Shelf, x.ResourceType, catalog.English), ChargingMode: contract.Int32(x.Mode), BillType: contract.Int32(x.Type), CustomerId: x.Customer,
			AccountName: sum.Names[x.Customer], OfficialAmount: amount(x.Official), OfficialDiscountAmount: amount(x.Discount), TruncatedAmount: amount(x.Truncated),
			ConsumeAmount: amount(x.Consume), CouponAmount: amount(q.Coupon), FlexipurchaseCouponAmount: amount(q.Flexi), StoredValueCardAmount: amount(q.Stored),
			DebtAmount: amount(q.Debt), WriteoffAmount: amount(0), CashAmount: amount(q.Cash + q.Bonus), CreditAmount: amount(q.Credit), MeasureId: measureMoney,
		}
	}
	return showCustomerMonthlySumOK{&out}, nil
}

// Measures of the old summary bill: cents.
const (
	measureCent = 3
	centsOfUnit = 100
)

// cents is an amount of whole minor units in cents, as the old bill has it.
func cents(a money.Amount) contract.Decimal { return contract.Decimal((a * centsOfUnit).String()) }

// ShowMonthlySumOld is the summary bill in its old form: cents, rows by service, or by resource type of one service.
func (d *Door) ShowMonthlySumOld(ctx context.Context, r ShowMonthlySumOldRequestObject) (ShowMonthlySumOldResponseObject, error) {
	call := doorway.CallOf(ctx)
	if r.DomainId != call.Caller.DomainID {
		return nil, fault.New(fault.Forbidden, "CBC.0151", "access denied: domain_id is another account's")
	}
	cycle, err := cycleOf("cycle", r.Params.Cycle)
	if err != nil {
		return nil, err
	}
	in := &r.Params
	out := ShowMonthlySumOld200JSONResponse{ErrorCode: "CBC.0000", ErrorMsg: "success", Currency: money.USD.Code(), MeasureId: measureCent, BillSums: []OldBillSum{}}
	sum, err := d.counter.MonthlySum(ctx, call, &operation.SummaryAsk{
		Whose: operation.Whose{Method: operation.Oneself}, Cycle: cycle, Service: some(in.CloudServiceTypeCode), Project: projectFilter(in.EnterpriseProjectId), Limit: oldRowsMost,
	})
	if err != nil {
		return nil, err
	}
	if in.Type != nil && *in.Type == "1" {
		sum.Rows, sum.Sum = nil, bill.Row{} // the budget account of a partner: nobody has one here
	}
	byType := some(in.CloudServiceTypeCode) != nil
	type key struct {
		service, kind, project string
		mode                   int32
		refund                 bool
	}
	at := map[key]int{}
	var rows []bill.Row
	for i := range sum.Rows {
		x := &sum.Rows[i]
		k := key{service: x.Service, project: x.Project, mode: x.Mode, refund: x.Type == bill.Refund}
		if byType {
			k.kind = x.ResourceType
		}
		j, ok := at[k]
		if !ok {
			j, at[k] = len(rows), len(rows)
			rows = append(rows, bill.Row{Customer: x.Customer, Cycle: x.Cycle, Service: x.Service, ResourceType: k.kind, Project: x.Project, Mode: x.Mode, Type: x.Type})
		}
		if err := rows[j].Include(x); err != nil {
			return nil, err
		}
	}
	p := &sum.Sum.Parts
	out.TotalCount, out.TotalAmount, out.DebtAmount = contract.Int32(len(rows)), cents(sum.Sum.Consume), cents(p.Debt)
	out.CouponAmount, out.CashcouponAmount, out.StoredcardAmount = cents(p.Coupon), cents(p.Flexi), cents(p.Stored)
	out.DebitAmount, out.CreditAmount = cents(p.Cash+p.Bonus), cents(p.Credit)
	for i := range rows {
		x := &rows[i]
		row := OldBillSum{
			CustomerId: x.Customer, CloudServiceTypeCode: x.Service, ConsumeTime: x.Cycle.String(), PayMethod: strconv.Itoa(int(x.Mode)), ConsumeAmount: cents(x.Consume), Debt: cents(x.Parts.Debt),
			Discount: cents(x.Discount), MeasureId: measureCent, EnterpriseProjectId: x.Project, AccountDetails: []OldAccountDetail{}, DiscountDetailInfos: []OldDiscountDetail{},
		}
		if x.Type == bill.Refund {
			row.BillType = 1
		}
		if byType {
			row.ResourceTypeCode = &x.ResourceType
		}
		for _, k := range []struct {
			name   string
			amount money.Amount
		}{
			{"BALANCE_TYPE_DEBIT", x.Parts.Cash}, {"BALANCE_TYPE_CREDIT", x.Parts.Credit}, {"BALANCE_TYPE_COUPON", x.Parts.Coupon}, {"BALANCE_TYPE_BONUS", x.Parts.Bonus},
		} {
			if k.amount != 0 {
				row.AccountDetails = append(row.AccountDetails, OldAccountDetail{BalanceTypeId: k.name, DeductAmount: cents(k.amount)})
			}
		}
		out.BillSums = append(out.BillSums, row)
	}
	return showMonthlySumOldOK{&out}, nil
}

// oldRowsMost bounds the rows that the old bill adds up: it has no pages.
const oldRowsMost = 100_000

// days reads the two ends of days of a month; both or none.
func days(first, last string, from, to *string, cycle period.Cycle) (period.Date, period.Date, error) {
	if some(from) == nil || some(to) == nil {
		return 0, 0, nil
	}
	var out [2]period.Date
	for i, k := range []struct{ name, text string }{{first, *from}, {last, *to}} {
		day, err := period.ParseDay(k.text)
		if err != nil {
			return 0, 0, &contract.Problem{Where: k.name, What: "must be a day of the form YYYY-MM-DD"}
		}
		if period.CycleOf(day.Start) != cycle {
			return 0, 0, &contract.Problem{Where: k.name, What: "must lie in the month of cycle"}
		}
		out[i] = period.DateOf(day.Start)
	}
	if out[1] < out[0] {
		return 0, 0, &contract.Problem{Where: last, What: "is before " + first}
	}
	return out[0], out[1], nil
}

// Statistic types (api.md 8.2, 8.3).
const (
	byCycle  = 1
	byDay    = 2
	byRecord = 3
)

// ListCustomerselfResourceRecords lists the fee records of a month, or what they come to by resource.
func (d *Door) ListCustomerselfResourceRecords(ctx context.Context, r ListCustomerselfResourceRecordsRequestObject) (ListCustomerselfResourceRecordsResponseObject, error) {
	in := &r.Params
	cycle, err := cycleOf("cycle", in.Cycle)
	if err != nil {
		return nil, err
	}
	ask := operation.FeeAsk{
		Whose: whose(in.Method, in.SubCustomerId), Cycle: cycle, Grain: charge.ByCycle, Offset: contract.Int(in.Offset, 0), Limit: contract.Int(in.Limit, 10),
		Filter: charge.Filter{
			Service: in.CloudServiceType, Region: in.Region, Resource: in.ResourceId, Trade: in.TradeId, Project: projectFilter(in.EnterpriseProjectId),
			Bill: charge.BillType(contract.Int(in.BillType, 0)), NoZeros: in.IncludeZeroRecord != nil && !*in.IncludeZeroRecord,
		},
	}
	if in.ChargeMode != nil {
		mode, err := strconv.Atoi(string(*in.ChargeMode))
		if err != nil {
			return nil, &contract.Problem{Where: "charge_mode", What: "is not a number"}
		}
		ask.Mode = int32(mode)
	}
	language := languageOf(in.XLanguage)
	out := ListCustomerselfResourceRecords200JSONResponse{Currency: money.USD.Code(), FeeRecords: []ResFeeRecordV2{}}
	if contract.Int(in.StatisticType, byRecord) == byCycle {
		list, err := d.counter.ListBilledResources(ctx, doorway.CallOf(ctx), &ask)
		if err != nil {
			return nil, err
		}
		out.TotalCount = contract.Int32(list.Total)
		for i := range list.Resources {
			out.FeeRecords = append(out.FeeRecords, feeOfResource(&list.Resources[i], &list.Billed, language))
		}
		return listCustomerselfResourceRecordsOK{&out}, nil
	}
	if ask.From, ask.To, err = days("bill_date_begin", "bill_date_end", in.BillDateBegin, in.BillDateEnd, cycle); err != nil {
		return nil, err
	}
	list, err := d.counter.ListFees(ctx, doorway.CallOf(ctx), &ask)
	if err != nil {
		return nil, err
	}
	out.TotalCount = contract.Int32(list.Total)
	for i := range list.Fees {
		out.FeeRecords = append(out.FeeRecords, feeOf(&list.Fees[i], &list.Billed, language))
	}
	return listCustomerselfResourceRecordsOK{&out}, nil
}

// thing is what a fee record was charged for.
type thing struct {
	id, name   string
	tag        *string
	zone       string
	size       rating.Size
	parent     string // the cloud's id of the primary resource; empty: it is one itself
	term       subscription.PaidTerm
	periodType int
}

// Codes of period types on bills (api.md 0.12).
const oneTime = 5

var billPeriods = map[period.Unit]int{period.Year: 19, period.Month: 20, period.Day: 24, period.Hour: 25}

var settlePeriods = map[string]int{"hour": 25, "day": 24, "month": 20}

// thingOf finds what a record was charged for: what is known of the resource, and the time that was paid for or used.
func thingOf(b *operation.Billed, customer, instance, cloud, trade, resourceType, factor string) thing {
	t := thing{id: cloud, periodType: oneTime}
	bought := b.Bought[customer]
	if r, ok := bought.Resources[instance]; ok {
		t.id, t.name, t.zone, t.size = r.ID, r.Name, r.Zone, r.Size
		if p, ok := bought.Resources[r.Parent]; ok {
			t.parent = p.ID
		}
	} else if instance != "" {
		t.id = instance // a package
	}
	if term, ok := bought.Terms[subscription.Paid{Instance: instance, Order: trade}]; ok {
		t.term = term
		if code, ok := billPeriods[term.Unit]; ok {
			t.periodType = code
		}
	}
	if r, ok := b.Resources[customer+" "+cloud]; ok && cloud != "" {
		t.name, t.tag, t.size = r.Name, tagOf(r.Tags), r.Size
	}
	if factor != "" {
		if u, ok := b.Shelf.UsageType(resourceType, factor); ok {
			if code, ok := settlePeriods[u.Settle]; ok {
				t.periodType = code
			}
		}
	}
	return t
}

func regionName(shelf *catalog.Snapshot, code string, in catalog.Language) string {
	for _, r := range shelf.Regions() {
		if r.Code == code {
			return r.Name.In(in)
		}
	}
	return code
}

func productName(shelf *catalog.Snapshot, service, resourceType, region, spec string, in catalog.Language) string {
	if p, ok := shelf.Product(service, resourceType, region, spec); ok {
		return p.Name.In(in)
	}
	return spec
}

// dec is a whole number of the smallest step at a scale, as a decimal of JSON.
func dec(n int64, scale int) contract.Decimal {
	d, _ := money.NewDecimal(n, scale) // scales are within bounds
	return contract.Decimal(d.String())
}

func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func keyOf(f *charge.Fee) *charge.Key {
	return &charge.Key{Customer: f.Customer, Cycle: f.Cycle, Day: f.Day(), Bill: f.Bill, Mode: f.Mode, Service: f.Service, ResourceType: f.ResourceType, Region: f.Region, Project: f.Project, Payer: f.Payer}
}

// feeOf is a fee record as the wire has it.
func feeOf(f *charge.Fee, b *operation.Billed, in catalog.Language) ResFeeRecordV2 {
	s := charge.Resource{
		Sum:      charge.Sum{Key: *keyOf(f), Official: f.Official, Discount: f.Discount, Amount: f.Amount, Parts: f.Parts},
		Instance: f.Instance, Cloud: f.Resource, Product: f.Product, Spec: f.Spec, Factor: f.UsageType, Trade: f.Trade, Base: f.Base, Unit: f.UsageUnit, Scale: f.Scale, Used: f.Used, Covered: f.Covered, Consumed: f.Consumed, Traded: f.Traded,
	}
	out := feeOfResource(&s, b, in)
	out.Id, out.TradeTime = &f.ID, f.Traded.UTC().Format(stampForm)
	if f.Mode == charge.OnDemand {
		out.ConsumeTime = stamp(f.Consumed.End)
		out.EffectiveTime, out.ExpireTime = stamp(f.Consumed.Start), stamp(f.Consumed.End)
	} else {
		out.ConsumeTime = stamp(f.Consumed.Start)
	}
	if f.Size.Unit != 0 {
		out.SpecSize, out.SpecSizeMeasureId = new(contract.Decimal(f.Size.Value.String())), new(contract.Int32(f.Size.Unit))
	}
	if f.UnitPrice != 0 {
		out.UnitPrice = new(contract.Decimal(f.UnitPrice.String()))
		out.Unit, out.Formula = priceText(f, b.Shelf, in)
	}
	if f.Bill == charge.Purchase || f.Bill == charge.Renewal || f.Bill == charge.AutoRenewal {
		t := thingOf(b, f.Customer, f.Instance, f.Resource, f.Trade, f.ResourceType, f.UsageType)
		out.UnitPrice, out.Unit, out.Formula = termText(f, &t, b.Shelf)
	}
	return out
}

// termText is the price of a period of a simple or linear term, its unit, and how the amount without coupons comes from it (billing-rules
// 6); nothing where the list price is more than that: tiers, days up to a unified day, a price that has changed since it was ordered.
func termText(f *charge.Fee, t *thing, shelf *catalog.Snapshot) (price *contract.Decimal, unit, formula *string) {
	product, ok := shelf.Product(f.Service, f.ResourceType, f.Region, f.Spec)
	if !ok || t.term.Periods == 0 {
		return nil, nil, nil
	}
	terms := shelf.TermsAt(product, f.Traded)
	i := slices.IndexFunc(terms, func(one rating.Term) bool { return one.Period == t.term.Unit })
	if i < 0 || terms[i].Tiers != nil {
		return nil, nil, nil
	}
	rated, err := rating.Period(terms, shelf.Units(), &rating.Order{Period: t.term.Unit, Periods: int32(t.term.Periods), Size: t.size, Num: 1})
	if err != nil || money.CutCharge(rating.PeriodPrecision(money.USD).Cut(rated.Amount)) != f.Official {
		return nil, nil, nil
	}
	text := "dollar"
	var b strings.Builder
	b.WriteString(strconv.Itoa(t.term.Periods) + " " + termNames[t.term.Unit] + " * " + rated.UnitPrice.String())
	if size := terms[i].SizeUnit; size != 0 {
		text += "/" + unitName(shelf, size, catalog.English)
		b.WriteString(" * " + t.size.Value.String())
	}
	text += "/" + termNames[t.term.Unit]
	lessText(&b, f)
	return new(contract.Decimal(rated.UnitPrice.String())), &text, new(b.String())
}

// termNames are the names of periods in units and formulas.
var termNames = map[period.Unit]string{period.Year: "Year", period.Month: "Month", period.Day: "Day", period.Hour: "Hour"}

// lessText writes what is taken off a list price.
func lessText(b *strings.Builder, f *charge.Fee) {
	if f.Discount != 0 {
		b.WriteString(" - " + f.Discount.String())
	}
	if f.Parts.Coupon != 0 {
		b.WriteString(" - " + f.Parts.Coupon.String())
	}
}

// priceText is the unit of a simple or linear price, and how the amount without coupons comes from it (api.md 8.2).
func priceText(f *charge.Fee, shelf *catalog.Snapshot, in catalog.Language) (unit, formula *string) {
	product, ok := shelf.Product(f.Service, f.ResourceType, f.Region, f.Spec)
	if !ok || f.Corrects != "" {
		return nil, nil
	}
	price, ok := shelf.PriceAt(product, f.UsageType, f.Consumed.Start)
	if !ok || price.Tiers != nil {
		return nil, nil
	}
	per := unitName(shelf, price.Unit, catalog.English)
	text := "dollar"
	if price.SizeUnit != 0 {
		text += "/" + unitName(shelf, price.SizeUnit, catalog.English)
	}
	if price.Per > 1 {
		per = strconv.FormatInt(price.Per, 10) + " " + per
	}
	text += "/" + per
	ratio, ok := shelf.Units().Ratio(f.UsageUnit, price.Unit)
	if !ok {
		return &text, nil
	}
	var b strings.Builder
	b.WriteString(f.Quantity(f.Used-f.Covered).String() + " " + unitName(shelf, f.UsageUnit, in))
	if ratio.Num != 1 {
		b.WriteString(" * " + strconv.FormatInt(ratio.Num, 10))
	}
	if over := ratio.Den * max(1, price.Per); over != 1 {
		b.WriteString(" / " + strconv.FormatInt(over, 10))
	}
	b.WriteString(" * " + f.UnitPrice.String())
	if price.SizeUnit != 0 {
		b.WriteString(" * " + f.Size.Value.String())
	}
	lessText(&b, f)
	return &text, new(b.String())
}

// feeOfResource is what the records of a resource come to, as a fee record of the wire: without an id of its own.
func feeOfResource(x *charge.Resource, b *operation.Billed, in catalog.Language) ResFeeRecordV2 {
	t := thingOf(b, x.Customer, x.Instance, x.Cloud, x.Trade, x.ResourceType, x.Factor)
	p := &x.Parts
	out := ResFeeRecordV2{
		CustomerId: x.Customer, AccountName: b.Names[x.Customer], BillType: contract.Int32(x.Bill), ChargeMode: strconv.Itoa(int(x.Mode)), Region: x.Region,
		RegionName: regionName(b.Shelf, x.Region, in), CloudServiceType: x.Service, CloudServiceTypeName: serviceName(b.Shelf, x.Service, in), ResourceType: x.ResourceType,
		ResourceTypeName: typeName(b.Shelf, x.ResourceType, in), ResourceId: t.id, ResourceName: t.name, ResourceTag: t.tag, ProductId: x.Product,
		ProductName: productName(b.Shelf, x.Service, x.ResourceType, x.Region, x.Spec, in), ProductSpecDesc: specName(b.Shelf, x.Service, x.ResourceType, x.Region, x.Spec, in),
		SkuCode: textOrNil(x.Spec), TradeId: x.Trade, TradeTime: x.Traded.UTC().Format(stampForm), EnterpriseProjectId: x.Project, EnterpriseProjectName: b.Projects[x.Customer].Of(x.Project),
		PeriodType: strconv.Itoa(t.periodType), UsageType: x.Factor, Usage: dec(x.Used, x.Scale), UsageMeasureId: contract.Int32(x.Unit), FreeResourceUsage: dec(x.Covered, x.Scale),
		FreeResourceMeasureId: contract.Int32(x.Unit), RiUsage: "0", RiUsageMeasureId: contract.Int32(x.Unit), OfficialAmount: amount(x.Official), DiscountAmount: amount(x.Discount),
		Amount: amount(x.Amount), CashAmount: amount(p.Cash), CreditAmount: amount(p.Credit), CouponAmount: amount(p.Coupon), FlexipurchaseCouponAmount: amount(p.Flexi),
		StoredCardAmount: amount(p.Stored), BonusAmount: amount(p.Bonus), DebtAmount: amount(p.Debt), AdjustmentAmount: amount(p.Adjustment), MeasureId: measureMoney,
		BillDate: new(x.Day.String()),
	}
	if x.Day == 0 {
		out.BillDate = nil
	}
	if x.Mode == charge.ByPeriod {
		out.OrderId, out.RelativeOrderId = textOrNil(x.Trade), textOrNil(b.Combined[x.Trade])
		if t.term.Periods != 0 {
			out.PeriodNum = new(contract.Decimal(strconv.Itoa(t.term.Periods)))
			out.EffectiveTime, out.ExpireTime = stamp(t.term.Span.Start), stamp(period.LastSecond(t.term.Span.End))
		}
	}
	if t.size.Unit != 0 {
		out.SpecSize, out.SpecSizeMeasureId = new(contract.Decimal(t.size.Value.String())), new(contract.Int32(t.size.Unit))
	}
	return out
}

// ListCustomerselfResourceRecordDetails lists what resources cost: in a month, on each day, or record by record.
func (d *Door) ListCustomerselfResourceRecordDetails(ctx context.Context, r ListCustomerselfResourceRecordDetailsRequestObject) (ListCustomerselfResourceRecordDetailsResponseObject, error) {
	in := r.Body
	cycle, err := cycleOf("cycle", in.Cycle)
	if err != nil {
		return nil, err
	}
	if cycle < firstDetails {
		return nil, &contract.Problem{Where: "cycle", What: "must be " + firstDetails.String() + " or later"}
	}
	statistic := contract.Int(in.StatisticType, byCycle)
	ask := operation.FeeAsk{
		Whose: whose(in.Method, in.SubCustomerId), Cycle: cycle, Grain: charge.Grain(statistic), Offset: contract.Int(in.Offset, 0), Limit: contract.Int(in.Limit, 10),
		Filter: charge.Filter{
			Service: some(in.CloudServiceType), ResourceType: some(in.ResourceType), Region: some(in.Region), Resource: some(in.ResInstanceId), Project: projectFilter(in.EnterpriseProjectId),
			Payer: some(in.PayerAccountId), Mode: int32(contract.Int(in.ChargeMode, 0)), Bill: charge.BillType(contract.Int(in.BillType, 0)),
			NoZeros: in.IncludeZeroRecord != nil && !*in.IncludeZeroRecord,
		},
	}
	if in.QueryType != nil && *in.QueryType == "DAILY" {
		switch {
		case statistic == byCycle:
			return nil, &contract.Problem{Where: "statistic_type", What: "must be 2 or 3 when query_type is DAILY"}
		case some(in.BillCycleBegin) == nil || some(in.BillCycleEnd) == nil:
			return nil, &contract.Problem{Where: "bill_cycle_begin", What: "must be given with bill_cycle_end when query_type is DAILY"}
		}
		if ask.From, ask.To, err = days("bill_cycle_begin", "bill_cycle_end", in.BillCycleBegin, in.BillCycleEnd, cycle); err != nil {
			return nil, err
		}
	}
	language := catalog.English
	if r.Params.XLanguage != nil {
		language = catalog.LanguageOf(*r.Params.XLanguage)
	}
	out := ListCustomerselfResourceRecordDetails200JSONResponse{Currency: money.USD.Code(), MonthlyRecords: []MonthlyBillRes{}}
	if statistic == byRecord {
		list, err := d.counter.ListFees(ctx, doorway.CallOf(ctx), &ask)
		if err != nil {
			return nil, err
		}
		out.TotalCount = contract.Int32(list.Total)
		for i := range list.Fees {
			f := feeOf(&list.Fees[i], &list.Billed, language)
			row := recordOf(&f, keyOf(&list.Fees[i]), list.Fees[i].Instance, list.Fees[i].Resource, list.Fees[i].Base, &list.Billed)
			row.EffectiveTime, row.ExpireTime, row.ConsumeTime = f.EffectiveTime, f.ExpireTime, f.ConsumeTime
			out.MonthlyRecords = append(out.MonthlyRecords, row)
		}
		return listCustomerselfResourceRecordDetailsOK{&out}, nil
	}
	list, err := d.counter.ListBilledResources(ctx, doorway.CallOf(ctx), &ask)
	if err != nil {
		return nil, err
	}
	out.TotalCount = contract.Int32(list.Total)
	for i := range list.Resources {
		x := &list.Resources[i]
		f := feeOfResource(x, &list.Billed, language)
		row := recordOf(&f, &x.Key, x.Instance, x.Cloud, x.Base, &list.Billed)
		if statistic == byDay {
			row.BillDate = f.BillDate
		}
		out.MonthlyRecords = append(out.MonthlyRecords, row)
	}
	return listCustomerselfResourceRecordDetailsOK{&out}, nil
}

// firstDetails is the first month of resource records (api.md 8.3).
const firstDetails = period.Cycle(2019 * 12)

// recordOf is a row of 8.3 from one of 8.2: numbers where that has texts.
func recordOf(f *ResFeeRecordV2, k *charge.Key, instance, cloud, base string, b *operation.Billed) MonthlyBillRes {
	t := thingOf(b, k.Customer, instance, cloud, f.TradeId, k.ResourceType, f.UsageType)
	periodType, _ := strconv.Atoi(f.PeriodType)
	out := MonthlyBillRes{
		Cycle: k.Cycle.String(), BillType: f.BillType, CustomerId: f.CustomerId, AccountName: f.AccountName, Region: f.Region, RegionName: f.RegionName,
		CloudServiceType: f.CloudServiceType, CloudServiceTypeName: f.CloudServiceTypeName, ResourceTypeCode: f.ResourceType, ResourceTypeName: f.ResourceTypeName,
		ResInstanceId: f.ResourceId, ResourceName: f.ResourceName, ResourceTag: f.ResourceTag, SkuCode: f.SkuCode, EnterpriseProjectId: f.EnterpriseProjectId,
		EnterpriseProjectName: f.EnterpriseProjectName, ChargeMode: contract.Int32(k.Mode), PeriodType: contract.Int32(periodType), PeriodNum: f.PeriodNum, ConsumeAmount: f.Amount,
		CashAmount: f.CashAmount, CreditAmount: f.CreditAmount, CouponAmount: f.CouponAmount, FlexipurchaseCouponAmount: f.FlexipurchaseCouponAmount,
		StoredCardAmount: f.StoredCardAmount, BonusAmount: f.BonusAmount, DebtAmount: f.DebtAmount, AdjustmentAmount: f.AdjustmentAmount, OfficialAmount: f.OfficialAmount,
		DiscountAmount: f.DiscountAmount, MeasureId: measureMoney, RootResourceId: f.ResourceId, ParentResourceId: textOrNil(t.parent), TradeId: f.TradeId,
		ProductSpecDesc: f.ProductSpecDesc, PayerAccountId: textOrNil(k.Payer), BeId: new(cost.BEID), PreOrderId: textOrNil(base), AzCodeInfos: []AzCodeInfo{},
	}
	if t.zone != "" {
		out.AzCodeInfos = append(out.AzCodeInfos, AzCodeInfo{AzCode: t.zone})
	}
	relation := ResRelation{SelfResourceId: f.ResourceId, RelationInfos: []RelationInfo{}}
	if t.parent != "" {
		out.RootResourceId = t.parent
		for _, kind := range []string{"PARENT", "ROOT"} {
			relation.RelationInfos = append(relation.RelationInfos, RelationInfo{RelativeResourceId: t.parent, RelativeType: kind})
		}
	}
	out.ExtendParams = &relation
	return out
}
