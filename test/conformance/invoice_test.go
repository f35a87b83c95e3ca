package conformance

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	"github.com/shopspring/decimal"

	"github.com/purser-cloud/purser/client/purser"
)

// The list of invoices through the SDK: offset is a page, credit memos name what they credit; then the same papers through
// purser's own operations, to the printed page.
func TestGoSDKInvoices(t *testing.T) {
	onEach(t, invoicesOf)
}

func invoicesOf(t *testing.T, s *server) {
	me := s.Customers[0]
	client := s.bss(t, me.AccessKey, me.SecretKey, "", me.DomainID)
	const form = "2006-01-02T15:04:05Z"
	from, to := time.Now().UTC().AddDate(0, 0, -60).Format(form), time.Now().UTC().Add(time.Minute).Format(form)
	list := func(page, limit int32) *bssmodel.ListInvoicesResponse {
		t.Helper()
		out, err := client.ListInvoices(&bssmodel.ListInvoicesRequest{StartTime: from, EndTime: to, Offset: page, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	all := list(1, 100)
	if *all.Count < 4 || len(*all.Invoices) != int(*all.Count) {
		t.Fatalf("%d invoices, %d rows", *all.Count, len(*all.Invoices))
	}
	second := list(2, 1)
	if *second.Count != *all.Count || len(*second.Invoices) != 1 || *(*second.Invoices)[0].RequestId != *(*all.Invoices)[1].RequestId {
		t.Errorf("page 2 of rows of one: %+v", second)
	}
	if beyond := list(999, 100); *beyond.Count != *all.Count || len(*beyond.Invoices) != 0 {
		t.Errorf("beyond the end: %+v", beyond)
	}
	byID := map[string]bssmodel.InvoiceRequestInfoIntl{}
	memos := 0
	for _, row := range *all.Invoices {
		byID[*row.RequestId] = row
	}
	for _, row := range *all.Invoices {
		if *row.InvoiceNo == "" || *row.TitleType != 1 || *row.InvoiceTitle != "Alpine Robotics Ltd." || *row.InvoiceMethod != 2 || (*row.TradeType != 8 && *row.TradeType != 3) || row.AddressInfo == nil || *row.AddressInfo.ZipCode != "000002" {
			t.Errorf("%+v", row)
		}
		if *row.SrcRequestId != "" {
			memos++
			of, ok := byID[*row.SrcRequestId]
			if !ok || *row.RequestMode != "1" || !row.InvoiceAmount.IsNegative() || of.InvoiceAmount.Add(*row.InvoiceAmount).LessThan(decimal.Zero) {
				t.Errorf("a credit memo: %+v of %+v", row, of)
			}
		} else if row.InvoiceAmount.IsNegative() {
			t.Errorf("below zero: %+v", row)
		}
	}
	if memos == 0 {
		t.Error("the demo's unsubscription has no credit memo")
	}
	for name, q := range map[string]bssmodel.ListInvoicesRequest{
		"page 0": {StartTime: from, EndTime: to, Offset: 0, Limit: 10}, "101 rows": {StartTime: from, EndTime: to, Offset: 1, Limit: 101}, "page 100000": {StartTime: from, EndTime: to, Offset: 100000, Limit: 1},
		"no such day": {StartTime: "2026-02-30T00:00:00Z", EndTime: to, Offset: 1, Limit: 1}, "end before start": {StartTime: to, EndTime: from, Offset: 1, Limit: 1}, "no time": {StartTime: "today", EndTime: to, Offset: 1, Limit: 1},
	} {
		_, err := client.ListInvoices(&q)
		refused(t, name, err, 400, "CBC.0100")
	}
	own, ctx := s.own(t, me), t.Context()
	id := *(*all.Invoices)[0].RequestId
	paper, err := own.ShowInvoicePaperWithResponse(ctx, id)
	if err != nil || paper.JSON200 == nil || paper.JSON200.Number != *(*all.Invoices)[0].InvoiceNo {
		t.Fatalf("%v %s", err, paper.Body)
	}
	lines, err := own.ListInvoiceLinesWithResponse(ctx, id, nil)
	if err != nil || lines.JSON200 == nil || len(lines.JSON200.Lines) == 0 {
		t.Fatalf("%v %s", err, lines.Body)
	}
	sum := decimal.Zero
	for _, l := range lines.JSON200.Lines {
		sum = sum.Add(decimal.RequireFromString(l.Amount))
	}
	if !sum.Equal(decimal.RequireFromString(paper.JSON200.Amount)) {
		t.Errorf("lines come to %s, the invoice to %s", sum, paper.JSON200.Amount)
	}
	var printed [][]byte
	for _, language := range []string{"en_US", "zh_CN", "en_US"} {
		got, err := own.PrintInvoiceWithResponse(ctx, id, &purser.PrintInvoiceParams{XLanguage: &language})
		if err != nil || got.StatusCode() != http.StatusOK || got.HTTPResponse.Header.Get("Content-Type") != "application/pdf" || !bytes.HasPrefix(got.Body, []byte("%PDF-")) {
			t.Fatalf("%v, %d", err, got.StatusCode())
		}
		if !strings.Contains(got.HTTPResponse.Header.Get("Content-Disposition"), paper.JSON200.Number) {
			t.Errorf("its name: %s", got.HTTPResponse.Header.Get("Content-Disposition"))
		}
		printed = append(printed, got.Body)
	}
	for i, country := range []string{"Singapore", "新加坡"} {
		if texts := printedTexts(t, printed[i]); !slices.Contains(texts, country) || slices.Contains(texts, "SG") {
			t.Errorf("the country is not called %s: %q", country, texts)
		}
	}
	if !bytes.Equal(printed[0], printed[2]) || bytes.Equal(printed[0], printed[1]) {
		t.Error("printed again it is not the same, or both languages are")
	}
	if got, err := s.own(t, s.Customers[2]).PrintInvoiceWithResponse(ctx, id, nil); err != nil || got.StatusCode() != http.StatusNotFound {
		t.Errorf("another's: %v, %d", err, got.StatusCode())
	}
}
