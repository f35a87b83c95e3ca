package conformance

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/focus"
)

// One line for each identity: bill, ledger, exports and paper of the made-up cloud say the same, to the last digit.
func TestIdentities(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		b := books{T: t, s: s, who: s.Customers[0]}
		_, b.month = s.months(t)
		same := func(what string, a, b decimal.Decimal) {
			t.Helper()
			if !a.Equal(b) || a.IsZero() {
				t.Errorf("%s: %s and %s", what, a, b)
			}
		}
		fees, records, sum, rows := b.fees(), b.resources(), b.summary(b.month), table(t, b.file("focus"))
		same("amount of a fee record = its eight parts", fees["amount"], fees["parts"])
		same("amount = list price − discount", fees["amount"], fees["official_amount"].Sub(fees["discount_amount"]))
		same("fee records = resource records", fees["amount"], records)
		same("fee records − what was cut off = the bill", fees["amount"].Sub(sum["truncated_amount"]), sum["consume_amount"])
		same("rows of the bill = the bill", sum["rows"], sum["consume_amount"])
		same("the bill = its parts", sum["consume_amount"], sum["parts"])
		same("the old bill = the bill", b.old(), sum["consume_amount"])
		same("details as CSV = fee records", columnSum(table(t, b.file("details")), "Amount", nil), fees["amount"])
		same("summary as XLSX = the bill", b.sheet(), sum["consume_amount"])
		same("FOCUS = fee records − coupons", columnSum(rows, "BilledCost", nil), fees["amount"].Sub(fees["coupon_amount"]))
		billed, list := b.parquet()
		same("FOCUS as Parquet = FOCUS as CSV", billed, columnSum(rows, "BilledCost", nil))
		same("list cost of FOCUS as Parquet = list prices", list, fees["official_amount"])
		same("list cost of FOCUS = list prices", columnSum(rows, "ListCost", nil), fees["official_amount"])
		same("costs = fee records", b.costs("PAYMENT_AMOUNT"), fees["amount"])
		same("net costs = fee records − coupons", b.costs("NET_AMOUNT"), fees["amount"].Sub(fees["coupon_amount"]))
		same("the month replayed = the bill", b.replayed(), sum["consume_amount"])
		invoiced, coupons, printed, english := b.papers()
		same("invoices and their coupons = the bill", invoiced.Add(coupons), sum["consume_amount"])
		same("PDFs = invoices", printed, invoiced)
		same("PDFs in English = invoices", english, invoiced)
		same("postings = all bills", b.postings(), b.allBills())
	})
}

// books are what a customer can see of a month.
type books struct {
	*testing.T
	s     *server
	who   credentials
	month string
}

func (b *books) key() client.Credential {
	return client.Credential{AccessKey: b.who.AccessKey, SecretKey: b.who.SecretKey, DomainID: b.who.DomainID}
}

func (b *books) ask(method, path, body string) map[string]any {
	b.Helper()
	answer, out := b.s.send(b.T, b.key(), method, path, body, time.Now(), nil)
	if answer.StatusCode != 200 {
		b.Fatal(path, answer.Status, out)
	}
	return out
}

func (b *books) file(kind string) []byte {
	text, _ := b.s.fetch(b.T, b.key(), "/purser/v1/exports/"+kind+"?month="+b.month)
	return text
}

// exact is a number of an answer, to its last digit.
func exact(of any, name string) decimal.Decimal {
	switch x := of.(map[string]any)[name].(type) {
	case nil:
		return decimal.Zero
	case json.Number:
		return decimal.RequireFromString(x.String())
	default:
		return decimal.RequireFromString(fmt.Sprint(x))
	}
}

// pages adds columns up over all rows of a list.
func (b *books) pages(list string, ask func(offset int) map[string]any, columns ...string) map[string]decimal.Decimal {
	sums := map[string]decimal.Decimal{}
	for offset, total := 0, 1; offset < total; {
		page := ask(offset)
		rows := page[list].([]any)
		for _, row := range rows {
			for _, name := range columns {
				sums[name] = sums[name].Add(exact(row, name))
			}
		}
		total, offset = int(page["total_count"].(float64)), offset+len(rows)
	}
	return sums
}

func (b *books) fees() map[string]decimal.Decimal {
	parts := []string{"cash_amount", "credit_amount", "coupon_amount", "flexipurchase_coupon_amount", "stored_card_amount", "bonus_amount", "debt_amount", "adjustment_amount"}
	sums := b.pages("fee_records", func(offset int) map[string]any {
		return b.ask("GET", fmt.Sprintf("/v2/bills/customer-bills/res-fee-records?cycle=%s&limit=1000&offset=%d", b.month, offset), "")
	}, append(parts, "amount", "official_amount", "discount_amount")...)
	for _, part := range parts {
		sums["parts"] = sums["parts"].Add(sums[part])
	}
	return sums
}

func (b *books) resources() decimal.Decimal {
	return b.pages("monthly_records", func(offset int) map[string]any {
		return b.ask("POST", "/v2/bills/customer-bills/res-records/query", fmt.Sprintf(`{"cycle":%q,"limit":1000,"offset":%d}`, b.month, offset))
	}, "consume_amount")["consume_amount"]
}

func (b *books) summary(month string) map[string]decimal.Decimal {
	all := b.ask("GET", "/v2/bills/customer-bills/monthly-sum?limit=1000&bill_cycle="+month, "")
	sums := map[string]decimal.Decimal{"consume_amount": exact(all, "consume_amount")}
	for _, row := range all["bill_sums"].([]any) {
		sums["rows"] = sums["rows"].Add(exact(row, "consume_amount"))
		for _, name := range []string{"truncated_amount", "coupon_amount"} {
			sums[name] = sums[name].Add(exact(row, name))
		}
		for _, name := range []string{"cash_amount", "credit_amount", "coupon_amount", "flexipurchase_coupon_amount", "stored_value_card_amount", "debt_amount"} {
			sums["parts"] = sums["parts"].Add(exact(row, name))
		}
	}
	return sums
}

func (b *books) old() decimal.Decimal {
	return exact(b.ask("GET", "/v1.0/"+b.who.DomainID+"/customer/account-mgr/bill/monthly-sum?cycle="+b.month, ""), "total_amount").Div(decimal.NewFromInt(100))
}

// parquet adds up what was billed and the list costs of the month as FOCUS in Parquet.
func (b *books) parquet() (billed, list decimal.Decimal) {
	packed, _ := b.s.fetch(b.T, b.key(), "/purser/v1/exports/focus?format=parquet&month="+b.month)
	rows, err := parquet.Read[focus.Row](bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows {
		billed, list = billed.Add(decimal.New(rows[i].BilledCost, -8)), list.Add(decimal.New(rows[i].ListCost, -8))
	}
	return billed, list
}

func (b *books) sheet() (sum decimal.Decimal) {
	book, err := excelize.OpenReader(bytes.NewReader(b.file("summary")))
	if err != nil {
		b.Fatal(err)
	}
	rows, err := book.GetRows(b.month, excelize.Options{RawCellValue: true})
	if err != nil {
		b.Fatal(err)
	}
	for i, name := range rows[0] {
		if name != "Amount" {
			continue
		}
		for _, row := range rows[1:] {
			sum = sum.Add(decimal.RequireFromString(row[i]))
		}
	}
	return sum
}

func (b *books) costs(kind string) (sum decimal.Decimal) {
	page := b.ask("POST", "/v4/costs/cost-analysed-bills/query", fmt.Sprintf(`{"time_condition":{"time_measure_id":2,"begin_time":%q,"end_time":%q},"groupby":[{"type":"dimension","key":"CLOUD_SERVICE_TYPE"}],
		"cost_type":"ORIGINAL_COST","amount_type":%q,"limit":1000}`, b.month, b.month, kind))
	for _, row := range page["cost_data"].([]any) {
		sum = sum.Add(exact(row, "amount_by_costs"))
	}
	return sum
}

func (b *books) replayed() decimal.Decimal {
	operator := client.Credential{AccessKey: b.s.Operator.AccessKey, SecretKey: b.s.Operator.SecretKey, DomainID: b.s.Operator.DomainID}
	_, out := b.s.send(b.T, operator, "POST", "/purser/v1/what-ifs", fmt.Sprintf(`{"customer_id":%q,"month":%q}`, b.who.DomainID, b.month), time.Now(), nil)
	return exact(out["then"], "consume_amount")
}

// papers adds up the invoices of the month over its charges and what coupons paid of them, as they are listed, and as they are printed.
func (b *books) papers() (listed, coupons, printed, english decimal.Decimal) {
	for _, paper := range b.ask("GET", "/purser/v1/invoices?limit=100&bill_cycle="+b.month, "")["invoices"].([]any) {
		p := paper.(map[string]any)
		if p["method"] == "receipt" {
			continue
		}
		listed, coupons = listed.Add(exact(p, "amount")), coupons.Add(exact(p, "coupon_amount"))
		path := fmt.Sprintf("/purser/v1/invoices/%s/pdf", p["invoice_id"])
		pdf, _ := b.s.fetch(b.T, b.key(), path)
		printed = printed.Add(totalOf(b.T, pdf, "价税合计 (USD)", "冲销合计 (USD)"))
		pdf, _ = b.s.fetch(b.T, b.key(), path, "en_US")
		english = english.Add(totalOf(b.T, pdf, "Total (USD)", "Total credited (USD)"))
	}
	return listed, coupons, printed, english
}

// postings is what revenue and tax took in all, less what was given back.
func (b *books) postings() (sum decimal.Decimal) {
	ours := map[string]bool{"revenue": true, "tax": true, "refund": true, "truncation": true}
	for offset, total := 0, 1; offset < total; {
		page := b.ask("GET", fmt.Sprintf("/purser/v1/customers/%s/entries?limit=100&offset=%d", b.who.DomainID, offset), "")
		list := page["entries"].([]any)
		for _, entry := range list {
			for _, posting := range entry.(map[string]any)["postings"].([]any) {
				p := posting.(map[string]any)
				if ours[p["taker"].(string)] {
					sum = sum.Add(exact(p, "amount"))
				}
				if ours[p["giver"].(string)] {
					sum = sum.Sub(exact(p, "amount"))
				}
			}
		}
		total, offset = int(page["total_count"].(float64)), offset+len(list)
	}
	return sum
}

// allBills is what all closed months came to, and the fee records of those that are open.
func (b *books) allBills() (sum decimal.Decimal) {
	first, err := time.Parse("2006-01", b.month)
	if err != nil {
		b.Fatal(err)
	}
	for back := -1; back <= 14; back++ {
		month := first.AddDate(0, -back, 0).Format("2006-01")
		one := b.summary(month)
		sum = sum.Add(one["consume_amount"])
		if back < 0 { // still open: nothing is cut off yet
			sum = sum.Add(one["truncated_amount"])
		}
	}
	return sum
}

var (
	pdfMap   = regexp.MustCompile(`(?s)/(F\d+) (\d+) 0 R`)
	pdfText  = regexp.MustCompile(`/(F\d+) [\d.]+ Tf|\[?<([0-9A-Fa-f]+)>\]? ?TJ?`)
	pdfGlyph = regexp.MustCompile(`<([0-9A-Fa-f]{4})><[0-9A-Fa-f]{4}><([0-9A-Fa-f]+)>`)
)

// totalOf reads the total off a printed paper, by what stands before it.
func totalOf(t *testing.T, pdf []byte, before ...string) decimal.Decimal {
	t.Helper()
	texts := printedTexts(t, pdf)
	for i, text := range texts {
		if slices.Contains(before, text) {
			return decimal.RequireFromString(strings.ReplaceAll(texts[i+1], ",", ""))
		}
	}
	t.Fatalf("no total among %q", texts)
	return decimal.Zero
}

// printedTexts are the texts of a paper, in the order in which they are printed.
func printedTexts(t *testing.T, pdf []byte) (out []string) {
	t.Helper()
	objects := map[string][]byte{}
	for _, m := range regexp.MustCompile(`(?s)(\d+) 0 obj\s(.*?)endobj`).FindAllSubmatch(pdf, -1) {
		objects[string(m[1])] = m[2]
	}
	stream := func(object []byte) []byte {
		from, to := bytes.Index(object, []byte("stream\n")), bytes.LastIndex(object, []byte("\nendstream"))
		if from < 0 || to < 0 {
			return nil
		}
		body := object[from+len("stream\n") : to]
		if !bytes.Contains(object[:from], []byte("FlateDecode")) {
			return body
		}
		r, err := zlib.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	glyphs := map[string]map[string]string{} // by font
	for _, object := range objects {
		if !bytes.Contains(object, []byte("/ProcSet")) {
			continue
		}
		for _, m := range pdfMap.FindAllSubmatch(object, -1) {
			known := map[string]string{}
			to := regexp.MustCompile(`/ToUnicode (\d+) 0 R`).FindSubmatch(objects[string(m[2])])
			for _, g := range pdfGlyph.FindAllSubmatch(stream(objects[string(to[1])]), -1) {
				code, _ := hex.DecodeString(string(g[2]))
				var units []uint16
				for i := 0; i+1 < len(code); i += 2 {
					units = append(units, uint16(code[i])<<8|uint16(code[i+1]))
				}
				known[strings.ToUpper(string(g[1]))] = string(utf16.Decode(units))
			}
			glyphs[string(m[1])] = known
		}
	}
	for no := 1; no <= len(objects); no++ {
		object := objects[fmt.Sprint(no)]
		if bytes.Contains(object[:min(len(object), 100)], []byte("/Length1")) {
			continue // a font
		}
		font := ""
		for _, m := range pdfText.FindAllSubmatch(stream(object), -1) {
			if len(m[1]) > 0 {
				font = string(m[1])
				continue
			}
			if glyphs[font] == nil {
				continue
			}
			text := ""
			for i := 0; i+4 <= len(m[2]); i += 4 {
				text += glyphs[font][strings.ToUpper(string(m[2][i:i+4]))]
			}
			out = append(out, text)
		}
	}
	return out
}
