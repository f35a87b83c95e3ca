package focus

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/amortise"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// providerHere is who sells where nothing else is said.
const providerHere = "Huawei Cloud"

// Source is what a mapping knows beside the records.
type Source struct {
	Provider string           // who provides and publishes; empty: Huawei Cloud
	Issuer   string           // of invoices; empty: the provider
	Currency string           // ISO 4217
	Units    map[int32]string // names of measure units
	Invoices client.Invoices  // of the month whose records are mapped
}

// Bill types (api.md 0.12).
const (
	purchase, renewal, change, unsubscription = 1, 2, 3, 4
	autoRenewal, compensation                 = 8, 9
	supportPlan, tax, deduction, guaranteed   = 14, 15, 16, 17
	monthly, changeRefund, toOnDemandRefund   = 18, 20, 24
	taxRefund, taxCompensated, taxDeducted    = 100, 101, 102
)

// category is the ChargeCategory of a bill type (billing-rules 6.1).
func category(billType int32) string {
	switch billType {
	case purchase, renewal, change, unsubscription, autoRenewal, monthly, changeRefund, toOnDemandRefund:
		return "Purchase"
	case tax, taxRefund, taxCompensated, taxDeducted:
		return "Tax"
	case compensation:
		return "Credit"
	case supportPlan, deduction, guaranteed:
		return "Adjustment"
	}
	return "Usage"
}

// record is a fee record with its numbers read.
type record struct {
	*bss.ResFeeRecordV2
	official, discount, amount, coupon money.Amount
	cycle                              period.Cycle
	category                           string
	from, to                           time.Time // of the charge period
	term                               bool      // it was bought for that time
}

func read(f *bss.ResFeeRecordV2, cycle period.Cycle) (r record, err error) {
	r = record{ResFeeRecordV2: f, cycle: cycle, category: category(f.BillType)}
	for _, k := range []struct {
		name string
		text json.Number
		into *money.Amount
	}{
		{"official_amount", f.OfficialAmount, &r.official}, {"discount_amount", f.DiscountAmount, &r.discount}, {"amount", f.Amount, &r.amount}, {"coupon_amount", f.CouponAmount, &r.coupon},
	} {
		d, err := money.ParseDecimal(k.text.String())
		if err == nil {
			*k.into, err = money.AmountOf(d)
		}
		if err != nil {
			return r, fmt.Errorf("fee record %s: %s %q: %w", text(f.Id), k.name, k.text, err)
		}
	}
	begins, err := instant(first(f.EffectiveTime, f.ConsumeTime), f.TradeTime)
	if err != nil {
		return r, fmt.Errorf("fee record %s: %w", text(f.Id), err)
	}
	r.from, r.to = begins, begins.Add(time.Second)
	if f.EffectiveTime != nil && f.ExpireTime != nil {
		ends, err := instant(f.ExpireTime, "")
		if err != nil {
			return r, fmt.Errorf("fee record %s: %w", text(f.Id), err)
		}
		if f.ChargeMode == "1" { // the last second of a term is written
			ends = ends.Add(time.Second)
			r.term = r.category == "Purchase" && r.amount > 0
		}
		if ends.After(begins) {
			r.to = ends
		}
	}
	return r, nil
}

func first(some ...*string) *string {
	for _, s := range some {
		if s != nil && *s != "" {
			return s
		}
	}
	return nil
}

func instant(given *string, otherwise string) (time.Time, error) {
	if given != nil {
		otherwise = *given
	}
	return time.Parse("2006-01-02T15:04:05Z", otherwise)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Rows maps a fee record of a cycle: a row of its own, one for what a coupon paid, and for a purchase or refund one for what the
// days of the cycle bear of it.
func (s *Source) Rows(f *bss.ResFeeRecordV2, cycle period.Cycle, into []Row) ([]Row, error) {
	r, err := read(f, cycle)
	if err != nil {
		return into, err
	}
	row := s.row(&r)
	row.BilledCost, row.ListCost, row.ContractedCost = int64(r.amount), int64(r.official), int64(r.official-r.discount)
	bought := r.category == "Purchase" // borne by rows of its own: the cost of a purchase is not that of a use
	if !bought {
		row.EffectiveCost = int64(r.amount)
	}
	if err := s.price(&r, &row); err != nil {
		return into, err
	}
	into = append(into, *row.priced())
	if r.coupon != 0 {
		credit := s.row(&r)
		credit.ChargeCategory, credit.ChargeFrequency, credit.PricingCategory = "Credit", "One-Time", ""
		credit.ChargeDescription = "Paid with a coupon: " + row.ChargeDescription
		credit.BilledCost = -int64(r.coupon)
		if !bought {
			credit.EffectiveCost = -int64(r.coupon)
		}
		into = append(into, *credit.priced())
	}
	if bought {
		if borne := s.borne(&r); borne.EffectiveCost != 0 {
			into = append(into, borne)
		}
	}
	return into, nil
}

// priced says the same in the pricing currency, which is the billing currency.
func (r *Row) priced() *Row {
	effective := r.EffectiveCost
	r.PricingCurrency, r.PricingCurrencyEffectiveCost = r.BillingCurrency, &effective
	r.PricingCurrencyListUnitPrice, r.PricingCurrencyContractedUnitPrice = r.ListUnitPrice, r.ContractedUnitPrice
	return r
}

// Later maps what of a term that was bought in an earlier cycle falls into a later one: it was billed then and is borne now. False:
// nothing does.
func (s *Source) Later(f *bss.ResFeeRecordV2, bought, cycle period.Cycle) (row Row, ok bool, err error) {
	r, err := read(f, bought)
	if err != nil || !r.term || !r.to.After(cycle.Span().Start) {
		return row, false, err
	}
	r.cycle = cycle
	row = s.borne(&r)
	return row, row.EffectiveCost != 0, nil
}

// borne is the row of what the days of the record's cycle bear of a purchase: a term's share by day, all of anything else.
func (s *Source) borne(r *record) Row {
	row := s.row(r)
	row.ChargeCategory, row.ChargeFrequency, row.ChargeDescription = "Usage", "Usage-Based", "Borne in this month: "+row.ChargeDescription
	row.SkuPriceID, row.PricingCategory, row.InvoiceID = "", "Committed", "" // the purchase stands on the invoice
	if !r.term {
		row.EffectiveCost = int64(r.amount - r.coupon)
		return *row.priced()
	}
	span := r.cycle.Span()
	row.ChargePeriodStart, row.ChargePeriodEnd = TimeOf(later(r.from, span.Start)), TimeOf(earlier(r.to, span.End))
	spread := amortise.Over(period.Span{Start: r.from, End: r.to}, r.amount-r.coupon)
	row.EffectiveCost = int64(spread.Between(period.DateOf(span.Start), period.DateOf(span.End)-1))
	return *row.priced()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// row has the columns that all rows of a record share.
func (s *Source) row(r *record) Row {
	provider, issuer := s.Provider, s.Issuer
	if provider == "" {
		provider = providerHere
	}
	if issuer == "" {
		issuer = provider
	}
	span := r.cycle.Span()
	out := Row{
		BillingAccountID: r.CustomerId, BillingAccountName: r.AccountName, BillingAccountType: "Account", BillingCurrency: s.Currency,
		BillingPeriodStart: TimeOf(span.Start), BillingPeriodEnd: TimeOf(span.End), ChargeCategory: r.category, ChargeDescription: r.describe(),
		ChargeFrequency: r.frequency(), ChargePeriodStart: TimeOf(r.from), ChargePeriodEnd: TimeOf(r.to),
		InvoiceID: s.Invoices.Of(r.CustomerId, r.TradeId), InvoiceIssuerName: issuer, ProviderName: provider, PublisherName: provider,
		RegionID: r.Region, RegionName: r.RegionName, ResourceID: r.ResourceId, ResourceName: r.ResourceName, ResourceType: r.ResourceTypeName, ServiceName: r.CloudServiceTypeName,
		SubAccountID: r.EnterpriseProjectId, SubAccountName: r.EnterpriseProjectName, SubAccountType: "Enterprise project", Tags: tags(text(r.ResourceTag)),
	}
	if out.ServiceName == "" {
		out.ServiceName = r.CloudServiceType
	}
	out.ServiceCategory = serviceCategory(r.CloudServiceType)
	out.ServiceSubcategory = "Other (" + out.ServiceCategory + ")"
	if out.ResourceID == "" {
		out.ResourceName, out.ResourceType = "", ""
	}
	switch r.category {
	case "Tax":
		out.ResourceID, out.ResourceName, out.ResourceType = "", "", ""
	case "Usage", "Purchase":
		out.SkuID, out.SkuMeter, out.PricingCategory = text(r.SkuCode), r.UsageType, "Standard"
		if out.SkuMeter == "" {
			out.SkuMeter = r.ResourceTypeName
		}
	}
	if out.SkuID == "" {
		out.SkuMeter = ""
	}
	return out
}

func (r *record) describe() string {
	what := r.ProductName
	if what == "" {
		what = r.ResourceTypeName
	}
	if r.UsageType != "" {
		what += ", " + r.UsageType
	}
	if kind, ok := kinds[r.BillType]; ok {
		what += ": " + kind
	}
	return what
}

var kinds = map[int32]string{
	purchase: "purchase", renewal: "renewal", change: "change", unsubscription: "refund of an unsubscription", autoRenewal: "automatic renewal", compensation: "compensation",
	supportPlan: "support plan", tax: "tax", deduction: "deduction", guaranteed: "up to the guaranteed minimum", monthly: "monthly payment", changeRefund: "refund of a change",
	toOnDemandRefund: "refund when it became pay-per-use", taxRefund: "tax refunded", taxCompensated: "tax of a compensation", taxDeducted: "tax of a deduction",
}

func (r *record) frequency() string {
	switch {
	case r.category == "Usage":
		return "Usage-Based"
	case r.BillType == renewal || r.BillType == autoRenewal || r.BillType == monthly:
		return "Recurring"
	}
	return "One-Time"
}

// price fills in quantities and unit prices: a term is one of it; usage by a simple or linear price has its own, tiered usage none.
func (s *Source) price(r *record, row *Row) error {
	switch r.category {
	case "Purchase":
		one, unit := int64(100_000_000), "Terms"
		list, contracted := int64(r.official), int64(r.official-r.discount)
		if r.official < 0 {
			one, list, contracted = -one, -list, -contracted
		}
		const finer = 100 // prices have two decimals more than amounts
		list, contracted = list*finer, contracted*finer
		row.PricingQuantity, row.PricingUnit, row.ListUnitPrice, row.ContractedUnitPrice = &one, unit, &list, &contracted
		row.SkuPriceID = r.ProductId
	case "Usage":
		used, err := money.ParseDecimal(r.Usage.String())
		if err != nil {
			return fmt.Errorf("fee record %s: usage %q: %w", text(r.Id), r.Usage, err)
		}
		if consumed, ok := thousandths(used); ok {
			row.ConsumedQuantity, row.ConsumedUnit = &consumed, unitOf(s.Units[r.UsageMeasureId])
		}
		if r.UnitPrice == nil || r.Unit == nil {
			return nil
		}
		price, err := money.ParseDecimal(r.UnitPrice.String())
		if err != nil {
			return fmt.Errorf("fee record %s: unit_price %q: %w", text(r.Id), *r.UnitPrice, err)
		}
		each, err := money.UnitPriceOf(price)
		if err != nil || each == 0 {
			return err
		}
		quantity, err := money.MulDiv(int64(r.official), 10_000_000_000, int64(each)) // amounts at 8, prices at 10 decimals: a quantity at 8
		if err != nil {
			return fmt.Errorf("fee record %s: quantity: %w", text(r.Id), err)
		}
		list, contracted := int64(each), int64(each)
		if r.official != 0 {
			if contracted, err = money.MulDiv(int64(each), int64(r.official-r.discount), int64(r.official)); err != nil {
				return fmt.Errorf("fee record %s: contracted price: %w", text(r.Id), err)
			}
		}
		_, per, _ := strings.Cut(*r.Unit, "/")
		row.PricingQuantity, row.PricingUnit, row.ListUnitPrice, row.ContractedUnitPrice = &quantity, unitOf(per), &list, &contracted
		row.SkuPriceID = r.ProductId + "/" + r.UsageType
	}
	return nil
}

// unitOf writes a unit of the provider's (Hour, GB/Hour) as the specification wants it: Hours, GB-Hours.
func unitOf(given string) string {
	parts := strings.Split(given, "/")
	last := &parts[len(parts)-1]
	switch *last {
	case "Year", "Month", "Day", "Hour", "Minute", "Second":
		*last += "s"
	}
	return strings.Join(parts, "-")
}

// thousandths is a quantity at 3 decimals, cut; false: it is too large for the column.
func thousandths(d money.Decimal) (int64, bool) {
	scale := int64(1)
	for range d.Scale() {
		scale *= 10
	}
	n, err := money.MulDiv(d.Coef(), 1000, scale)
	return n, err == nil
}

// tags turns key=value;key=value into JSON; nothing into nothing.
func tags(given string) string {
	if given == "" {
		return ""
	}
	out := map[string]string{}
	for _, one := range strings.FieldsFunc(given, func(c rune) bool { return c == ';' || c == ',' }) {
		key, value, _ := strings.Cut(one, "=")
		out[strings.TrimSpace(key)] = value
	}
	b, _ := json.Marshal(out) // texts always marshal
	return string(b)
}

// serviceCategory is a service's category, of the specification's list.
func serviceCategory(code string) string {
	short := strings.TrimPrefix(code, "hws.service.type.")
	if c, ok := categories[short]; ok {
		return c
	}
	return "Other"
}

var categories = map[string]string{
	"ec2": "Compute", "baremetal": "Compute", "bms": "Compute", "iec": "Compute", "cce": "Compute", "vdi": "Compute", "ims": "Compute", "functiongraph": "Compute",
	"ebs": "Storage", "obs": "Storage", "sfs": "Storage", "sfsturbo": "Storage", "cbr": "Storage",
	"vpc": "Networking", "elb": "Networking", "natgateway": "Networking", "vpn": "Networking", "dcaas": "Networking", "cdn": "Networking",
	"rds": "Databases", "dds": "Databases", "gaussdb": "Databases", "taurus": "Databases", "dcs": "Databases",
	"waf": "Security", "cfw": "Security", "hss": "Security", "dbss": "Security", "cbh": "Security", "ccm": "Security", "sdg": "Security", "sa": "Security",
	"modelarts": "AI and Machine Learning", "drs": "Migration", "dataarts": "Analytics",
}
