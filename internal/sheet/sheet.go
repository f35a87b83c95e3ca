// Package sheet writes a month for people with spreadsheets: its fee records as CSV, its summary as an XLSX workbook. It reads
// the wire (api.md 8.1 and 8.2), so that whatever speaks that contract can be exported, purser or another.
//
// It knows no room of the business, no store and no clock, and keeps one page of rows in memory.
//
// Invariants: amounts are the literals of the wire, to the last digit. In a workbook a number is a cell of numbers up to 15
// digits, which is what spreadsheets keep; one with more is written as text.
package sheet

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/period"
)

// Export is a month that is read through the public client.
type Export struct {
	BSS    *bss.ClientWithResponses
	Fees   client.FeesReader // of Details; nil: BSS
	Page   int               // of Details: records that are asked for at once; 0: as many as the contract lets
	Cycle  period.Cycle
	Member string // whose charges; empty: the caller's own and its members'
	From   int    // of Details: records that lie behind; the heading is at the beginning only
	Most   int    // of Details: records that are read, to the end of a page; 0: all
	Say    func(done, total int)

	Invoices client.InvoicesReader  // nil: the endpoint is not asked which invoice a charge stands on
	Reached  func(offset int) error // of Details, after each page was written; nil: nobody wants to know
}

// pageSize is how many rows are asked for at once (api.md: at most 1000).
const pageSize = 1000

// details are the columns of a month's records (billing-rules 6), and what they show.
var details = []struct {
	name string
	of   func(f *bss.ResFeeRecordV2) string
}{
	{"Customer ID", func(f *bss.ResFeeRecordV2) string { return f.CustomerId }},
	{"Account Name", func(f *bss.ResFeeRecordV2) string { return f.AccountName }},
	{"Bill Date", func(f *bss.ResFeeRecordV2) string { return text(f.BillDate) }},
	{"Enterprise Project ID", func(f *bss.ResFeeRecordV2) string { return f.EnterpriseProjectId }},
	{"Enterprise Project Name", func(f *bss.ResFeeRecordV2) string { return f.EnterpriseProjectName }},
	{"Resource ID", func(f *bss.ResFeeRecordV2) string { return f.ResourceId }},
	{"Resource Name", func(f *bss.ResFeeRecordV2) string { return f.ResourceName }},
	{"Resource Tag", func(f *bss.ResFeeRecordV2) string { return text(f.ResourceTag) }},
	{"Service Type Code", func(f *bss.ResFeeRecordV2) string { return f.CloudServiceType }},
	{"Service Type Name", func(f *bss.ResFeeRecordV2) string { return f.CloudServiceTypeName }},
	{"Resource Type Code", func(f *bss.ResFeeRecordV2) string { return f.ResourceType }},
	{"Resource Type Name", func(f *bss.ResFeeRecordV2) string { return f.ResourceTypeName }},
	{"Product ID", func(f *bss.ResFeeRecordV2) string { return f.ProductId }},
	{"Product Name", func(f *bss.ResFeeRecordV2) string { return f.ProductName }},
	{"Specifications Code", func(f *bss.ResFeeRecordV2) string { return text(f.SkuCode) }},
	{"Specifications Description", func(f *bss.ResFeeRecordV2) string { return f.ProductSpecDesc }},
	{"Size", func(f *bss.ResFeeRecordV2) string { return number(f.SpecSize) }},
	{"Size Measure ID", func(f *bss.ResFeeRecordV2) string { return id(f.SpecSizeMeasureId) }},
	{"Region Code", func(f *bss.ResFeeRecordV2) string { return f.Region }},
	{"Region Name", func(f *bss.ResFeeRecordV2) string { return f.RegionName }},
	{"Usage Type Code", func(f *bss.ResFeeRecordV2) string { return f.UsageType }},
	{"Usage", func(f *bss.ResFeeRecordV2) string { return f.Usage.String() }},
	{"Usage Measure ID", func(f *bss.ResFeeRecordV2) string { return id(&f.UsageMeasureId) }},
	{"Package Usage", func(f *bss.ResFeeRecordV2) string { return f.FreeResourceUsage.String() }},
	{"Unit Price", func(f *bss.ResFeeRecordV2) string { return number(f.UnitPrice) }},
	{"Unit", func(f *bss.ResFeeRecordV2) string { return text(f.Unit) }},
	{"Billing Mode", func(f *bss.ResFeeRecordV2) string { return f.ChargeMode }},
	{"Bill Type", func(f *bss.ResFeeRecordV2) string { return id(&f.BillType) }},
	{"Order/Transaction ID", func(f *bss.ResFeeRecordV2) string { return f.TradeId }},
	{"Transaction Time", func(f *bss.ResFeeRecordV2) string { return f.TradeTime }},
	{"Effective Time", func(f *bss.ResFeeRecordV2) string { return text(f.EffectiveTime) }},
	{"Expire Time", func(f *bss.ResFeeRecordV2) string { return text(f.ExpireTime) }},
	{"List Price", func(f *bss.ResFeeRecordV2) string { return f.OfficialAmount.String() }},
	{"Discount", func(f *bss.ResFeeRecordV2) string { return f.DiscountAmount.String() }},
	{"Amount", func(f *bss.ResFeeRecordV2) string { return f.Amount.String() }},
	{"Cash", func(f *bss.ResFeeRecordV2) string { return f.CashAmount.String() }},
	{"Credit", func(f *bss.ResFeeRecordV2) string { return f.CreditAmount.String() }},
	{"Cash Coupons", func(f *bss.ResFeeRecordV2) string { return f.CouponAmount.String() }},
	{"Flexi-Purchase Coupons", func(f *bss.ResFeeRecordV2) string { return f.FlexipurchaseCouponAmount.String() }},
	{"Stored-Value Cards", func(f *bss.ResFeeRecordV2) string { return f.StoredCardAmount.String() }},
	{"Bonus", func(f *bss.ResFeeRecordV2) string { return f.BonusAmount.String() }},
	{"Debt", func(f *bss.ResFeeRecordV2) string { return f.DebtAmount.String() }},
	{"Adjustment", func(f *bss.ResFeeRecordV2) string { return f.AdjustmentAmount.String() }},
	{"Record ID", func(f *bss.ResFeeRecordV2) string { return text(f.Id) }},
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *json.Number) string {
	if n == nil {
		return ""
	}
	return n.String()
}

func id(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// plain keeps a spreadsheet from taking a text of a customer for a formula.
func plain(s string) string {
	if _, err := strconv.ParseFloat(s, 64); err != nil && s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// invoiceColumn follows the details.
const invoiceColumn = "Invoice Number"

// Details writes the records of the month as CSV. It says how many it has read, and where to go on; done when there is nothing
// behind that.
func (e *Export) Details(ctx context.Context, to io.Writer) (records, next int, done bool, err error) {
	invoices, err := client.InvoicesOf(ctx, e.Invoices, e.Cycle.String())
	if err != nil {
		return 0, e.From, false, err
	}
	if e.Fees == nil {
		e.Fees = e.BSS
	}
	if e.Page == 0 {
		e.Page = pageSize
	}
	w := csv.NewWriter(to)
	line := make([]string, len(details)+1)
	if e.From == 0 {
		for i := range details {
			line[i] = details[i].name
		}
		line[len(details)] = invoiceColumn
		if err := w.Write(line); err != nil {
			return 0, 0, false, err
		}
	}
	in := bss.ListCustomerselfResourceRecordsParams{
		Cycle: e.Cycle.String(), Limit: new(int32(e.Page)), StatisticType: new(bss.ListCustomerselfResourceRecordsParamsStatisticType(3)), XLanguage: new("en_US"),
	}
	if e.Member != "" {
		in.Method, in.SubCustomerId = new(bss.ListCustomerselfResourceRecordsParamsMethod("sub_customer")), &e.Member
	}
	for next = e.From; ; {
		in.Offset = new(int32(next))
		r, err := e.Fees.ListCustomerselfResourceRecordsWithResponse(ctx, &in)
		if err == nil && r.JSON200 == nil {
			err = fmt.Errorf("list fee records of %s: %s: %s", e.Cycle, r.Status(), r.Body)
		}
		if err != nil {
			return records, next, false, err
		}
		for i := range r.JSON200.FeeRecords {
			f := &r.JSON200.FeeRecords[i]
			for j := range details {
				line[j] = plain(details[j].of(f))
			}
			line[len(details)] = plain(invoices.Of(f.CustomerId, f.TradeId))
			if err := w.Write(line); err != nil {
				return records, next, false, err
			}
		}
		w.Flush()
		n := len(r.JSON200.FeeRecords)
		records, next = records+n, next+n
		if e.Say != nil {
			e.Say(next, int(r.JSON200.TotalCount))
		}
		err = w.Error()
		if err == nil && e.Reached != nil {
			err = e.Reached(next)
		}
		done = n == 0 || next >= int(r.JSON200.TotalCount)
		if err != nil || done || e.Most > 0 && records >= e.Most {
			return records, next, done, err
		}
	}
}

// summary are the columns of a month's summary.
var summary = []struct {
	name string
	of   func(s *bss.BillSumRecordInfoV2) any
}{
	{"Bill Cycle", func(s *bss.BillSumRecordInfoV2) any { return s.BillCycle }},
	{"Customer ID", func(s *bss.BillSumRecordInfoV2) any { return s.CustomerId }},
	{"Account Name", func(s *bss.BillSumRecordInfoV2) any { return s.AccountName }},
	{"Service Type Code", func(s *bss.BillSumRecordInfoV2) any { return s.ServiceTypeCode }},
	{"Service Type Name", func(s *bss.BillSumRecordInfoV2) any { return s.ServiceTypeName }},
	{"Resource Type Code", func(s *bss.BillSumRecordInfoV2) any { return s.ResourceTypeCode }},
	{"Resource Type Name", func(s *bss.BillSumRecordInfoV2) any { return s.ResourceTypeName }},
	{"Billing Mode", func(s *bss.BillSumRecordInfoV2) any { return word(modes, s.ChargingMode) }},
	{"Bill Type", func(s *bss.BillSumRecordInfoV2) any { return word(billTypes, s.BillType) }},
	{"List Price", func(s *bss.BillSumRecordInfoV2) any { return s.OfficialAmount }},
	{"Discount", func(s *bss.BillSumRecordInfoV2) any { return s.OfficialDiscountAmount }},
	{"Truncated", func(s *bss.BillSumRecordInfoV2) any { return s.TruncatedAmount }},
	{"Amount", func(s *bss.BillSumRecordInfoV2) any { return s.ConsumeAmount }},
	{"Cash", func(s *bss.BillSumRecordInfoV2) any { return s.CashAmount }},
	{"Credit", func(s *bss.BillSumRecordInfoV2) any { return s.CreditAmount }},
	{"Cash Coupons", func(s *bss.BillSumRecordInfoV2) any { return s.CouponAmount }},
	{"Flexi-Purchase Coupons", func(s *bss.BillSumRecordInfoV2) any { return s.FlexipurchaseCouponAmount }},
	{"Stored-Value Cards", func(s *bss.BillSumRecordInfoV2) any { return s.StoredValueCardAmount }},
	{"Debt", func(s *bss.BillSumRecordInfoV2) any { return s.DebtAmount }},
	{"Written Off", func(s *bss.BillSumRecordInfoV2) any { return s.WriteoffAmount }},
}

// Words of the summary for numbers of the wire (api.md 0.12, 8.1).
var (
	modes     = map[int32]string{1: "Yearly/Monthly", 3: "Pay-per-Use", 10: "Reserved Instance", 11: "Savings Plan"}
	billTypes = map[int32]string{1: "Expenditure", 2: "Refund", 3: "Adjustment"}
)

// word is the word for a number; one that is not known stays a number.
func word(words map[int32]string, n int32) any {
	if text, ok := words[n]; ok {
		return text
	}
	return n
}

// Widths of the summary's columns, in characters: of texts, and of amounts.
const (
	textWidth   = 24
	amountWidth = 18
	texts       = 9 // columns of texts, which come first
)

// digitsMost is how many digits of a number spreadsheets keep.
const digitsMost = 15

// cell is a number as a number where a spreadsheet keeps all of it.
func cell(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(n.String()), "0")
	if f, err := strconv.ParseFloat(n.String(), 64); err == nil && len(digits) <= digitsMost {
		return f
	}
	return n.String()
}

// Summary writes the summary of the month as a workbook, and says how many rows it has.
func (e *Export) Summary(ctx context.Context, to io.Writer) (rows int, err error) {
	book := excelize.NewFile()
	defer book.Close() //nolint:errcheck // its temporary files
	name := e.Cycle.String()
	if err := book.SetSheetName(book.GetSheetName(0), name); err != nil {
		return 0, err
	}
	eight, err := book.NewStyle(&excelize.Style{CustomNumFmt: new("0.00000000")})
	if err != nil {
		return 0, err
	}
	w, err := book.NewStreamWriter(name)
	if err != nil {
		return 0, err
	}
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err == nil {
		err = errors.Join(w.SetColWidth(1, texts, textWidth), w.SetColWidth(texts+1, len(summary), amountWidth),
			w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	}
	if err != nil {
		return 0, err
	}
	head := make([]any, len(summary))
	for i := range summary {
		head[i] = excelize.Cell{StyleID: bold, Value: summary[i].name}
	}
	if err := w.SetRow("A1", head); err != nil {
		return 0, err
	}
	in := bss.ShowCustomerMonthlySumParams{BillCycle: name, Limit: new(int32(pageSize))}
	if e.Member != "" {
		in.Method, in.SubCustomerId = new(bss.ShowCustomerMonthlySumParamsMethod("sub_customer")), &e.Member
	}
	for {
		in.Offset = new(int32(rows))
		r, err := e.BSS.ShowCustomerMonthlySumWithResponse(ctx, &in)
		if err == nil && r.JSON200 == nil {
			err = fmt.Errorf("show the summary of %s: %s: %s", e.Cycle, r.Status(), r.Body)
		}
		if err != nil {
			return rows, err
		}
		for i := range r.JSON200.BillSums {
			line := make([]any, len(summary))
			for j := range summary {
				v := summary[j].of(&r.JSON200.BillSums[i])
				if line[j] = cell(v); line[j] != v {
					line[j] = excelize.Cell{StyleID: eight, Value: line[j]}
				}
			}
			if err := w.SetRow("A"+strconv.Itoa(rows+2), line); err != nil {
				return rows, err
			}
			rows++
		}
		if e.Say != nil {
			e.Say(rows, int(r.JSON200.TotalCount))
		}
		if len(r.JSON200.BillSums) == 0 || rows >= int(r.JSON200.TotalCount) {
			break
		}
	}
	if err := w.Flush(); err != nil {
		return rows, err
	}
	return rows, book.Write(to)
}
