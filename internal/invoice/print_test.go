package invoice_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/invoice"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

func amount(t *testing.T, text string) money.Amount {
	t.Helper()
	a, err := money.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// busy is a month with lines of many services.
func busy(t *testing.T, services, each int) (*invoice.Paper, []invoice.Line, []invoice.Tax) {
	cycle, err := period.ParseCycle("2026-11")
	if err != nil {
		t.Fatal(err)
	}
	p := &invoice.Paper{
		Customer: "c", ID: "IV261203ABCDEFGHIJKLM", About: "c", Payer: "c", Method: "cycle", TradeType: invoice.CardMonth, Cycle: cycle, Currency: "USD",
		Applied: time.Date(2026, 12, 2, 19, 0, 0, 0, time.UTC), Applicant: "system",
		Seal: &invoice.Seal{
			Issuer: invoice.Issuer{Code: "house", Name: "Example Cloud International Pte. Ltd.", Address: "1 Raffles Place, #12-34, Singapore 048616", TaxID: "201912345K", Note: "Bank: Example Bank, IBAN SG00 EXAM 0000 0000 0000"},
			No:     1, Number: "INV-0000000001", Enterprise: true, Title: "上海示例科技股份有限公司 (Shanghai Example Technology Co., Ltd., Overseas Operations and Very Long Names Division)", TaxID: "91310000EXAMPLE001", Country: "CN",
			Address: "上海市浦东新区示例路 100 号 5 楼", Zip: "200120", Recipient: "王小明", Phone: "+86 21 5555 0000", Email: "finance@example.com", AboutName: "acme-member",
		},
	}
	var lines []invoice.Line
	for i := range services {
		for j := range each {
			l := invoice.Line{
				Service: fmt.Sprintf("s%02d", i), ResourceType: fmt.Sprintf("t%02d", j), Mode: int32(1 + 2*(j%2)),
				ServiceName: catalog.Text{En: fmt.Sprintf("Elastic Service %02d", i), Zh: fmt.Sprintf("弹性服务 %02d", i)},
				Name:        catalog.Text{En: fmt.Sprintf("Resource of a fairly long name %02d", j), Zh: fmt.Sprintf("云服务器资源类型 %02d", j)},
				Starts:      cycle.Span().Start, Ends: period.LastSecond(cycle.Span().End), Charged: amount(t, fmt.Sprintf("%d.%02d", 1000*i+j, (i*7+j)%100)), TaxRate: "0.09",
			}
			l.Tax, _ = money.ShareHalfUp(l.Charged, 9, 100, money.USD)
			if j == 0 {
				l.Coupon = amount(t, "0.05")
			}
			l.Amount = l.Charged - l.Coupon + l.Tax
			lines = append(lines, l)
			p.Charged, p.Coupon, p.Tax, p.Amount = p.Charged+l.Charged, p.Coupon+l.Coupon, p.Tax+l.Tax, p.Amount+l.Amount
		}
	}
	taxes := []invoice.Tax{{Class: "GST", SubClass: "CGST", Rate: "0.045", Base: p.Charged, Amount: p.Tax / 2}, {Class: "GST", SubClass: "SGST", Rate: "0.045", Base: p.Charged, Amount: p.Tax - p.Tax/2}}
	return p, lines, taxes
}

func TestPapersArePrinted(t *testing.T) {
	month, lines, taxes := busy(t, 12, 9)
	one, oneLines, oneTaxes := busy(t, 2, 2)
	memo, memoLines, _ := busy(t, 1, 1)
	memo.Memo, memo.Reason, memo.Source, memo.Trade, memo.TradeType = true, "no longer needed", "x", "CS2611230459ABCDEFGHIJKL", invoice.OnlineOrder
	for i := range memoLines {
		l := &memoLines[i]
		l.Charged, l.Coupon, l.Tax, l.Amount = amount(t, "-12345.67"), 0, amount(t, "-1111.11"), amount(t, "-13456.78")
		l.Spec, l.Region, l.Num, l.Mode = "s3.small.1.linux", "ap-southeast-1", 3, 1
	}
	memo.Charged, memo.Coupon, memo.Tax, memo.Amount = amount(t, "-12345.67"), 0, amount(t, "-1111.11"), amount(t, "-13456.78")
	memoTaxes := []invoice.Tax{{Class: "VAT", SubClass: "VAT", Rate: "0.09", Base: memo.Charged, Amount: memo.Tax}}
	zero, zeroLines, _ := busy(t, 1, 1)
	zeroLines[0].Charged, zeroLines[0].Coupon, zeroLines[0].Tax, zeroLines[0].Amount = amount(t, "10"), amount(t, "10"), 0, 0
	zero.Charged, zero.Coupon, zero.Tax, zero.Amount = amount(t, "10"), amount(t, "10"), 0, 0
	receipt, receiptLines, _ := busy(t, 1, 1)
	receipt.TradeType, receipt.Class, receipt.Trade, receipt.Method = invoice.TopUp, invoice.Commercial, "LE261123ABC", "receipt"
	receiptLines[0] = invoice.Line{Name: catalog.Text{En: "Top-up of the account", Zh: "账户充值"}, Charged: receipt.Amount, Amount: receipt.Amount, Starts: month.Applied, Ends: month.Applied}
	receipt.Charged, receipt.Tax, receipt.Coupon = receipt.Amount, 0, 0
	owed, owedLines, owedTaxes := busy(t, 1, 2)
	owed.TradeType, owed.Due = invoice.UnpaidMonth, month.Applied.AddDate(0, 0, 15)
	for _, k := range []struct {
		name   string
		paper  *invoice.Paper
		lines  []invoice.Line
		taxes  []invoice.Tax
		source string
		pages  int
	}{{"month", month, lines, taxes, "", 0}, {"one", one, oneLines, oneTaxes, "", 1}, {"memo", memo, memoLines, memoTaxes, "INV-0000000001", 1}, {"zero", zero, zeroLines, nil, "", 1}, {"receipt", receipt, receiptLines, nil, "", 1}, {"owed", owed, owedLines, owedTaxes, "", 1}} {
		for language, name := range map[catalog.Language]string{catalog.English: "en", catalog.Chinese: "zh"} {
			made, err := invoice.Print(k.paper, k.source, k.lines, k.taxes, language, money.USD, nil)
			if err != nil {
				t.Fatalf("%s %s: %v", k.name, name, err)
			}
			again, err := invoice.Print(k.paper, k.source, k.lines, k.taxes, language, money.USD, nil)
			if err != nil || !bytes.Equal(made, again) {
				t.Errorf("%s %s: printed again it is not the same bytes (%v)", k.name, name, err)
			}
			if !bytes.HasPrefix(made, []byte("%PDF-")) || !bytes.Contains(made, []byte("%%EOF")) {
				t.Errorf("%s %s is no PDF", k.name, name)
			}
			pages := bytes.Count(made, []byte("/Type /Page\n"))
			if k.pages > 0 && pages != k.pages || k.pages == 0 && pages < 3 {
				t.Errorf("%s %s has %d pages", k.name, name, pages)
			}
			if dir := os.Getenv("PURSER_PAPERS"); dir != "" { // to look at them
				if err := os.WriteFile(filepath.Join(dir, k.name+"-"+name+".pdf"), made, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if len(lines) != 108 || strings.Contains(lines[0].Name.En, "□") {
		t.Error("the test is wrong")
	}
}

// Countries have names in both languages, regions of their own theirs behind; what is unknown stays as it is.
func TestCountryNames(t *testing.T) {
	for code, want := range map[string]catalog.Text{
		"SG": {En: "Singapore", Zh: "新加坡"}, "CN": {En: "China", Zh: "中国"}, "DE": {En: "Germany", Zh: "德国"}, "IN-KA": {En: "India (IN-KA)", Zh: "印度 (IN-KA)"}, "XX": {En: "XX", Zh: "XX"}, "": {},
	} {
		if en, zh := invoice.CountryName(code, catalog.English), invoice.CountryName(code, catalog.Chinese); en != want.En || zh != want.Zh {
			t.Errorf("%q is called %q and %q, want %+v", code, en, zh, want)
		}
	}
}
