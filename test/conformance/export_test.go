package conformance

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/shopspring/decimal"
	"github.com/xuri/excelize/v2"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3/model"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/period"
)

// fetch gets a file, in a language or the one that is usual.
func (s *server) fetch(t *testing.T, c client.Credential, path string, language ...string) ([]byte, http.Header) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.Endpoint+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range language {
		r.Header.Set("X-Language", in)
	}
	if err := c.Apply(r, time.Now()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", path, answer.Status, text[:min(len(text), 300)], err)
	}
	return text, answer.Header
}

// inParts joins an export that is asked for piece by piece.
func (s *server) inParts(t *testing.T, c client.Credential, path string) (all []byte, parts int) {
	t.Helper()
	for cursor := ""; ; parts++ {
		part, header := s.fetch(t, c, path+"&limit=1"+cursor)
		all = append(all, part...)
		if header.Get("X-Next-Cursor") == "" {
			return all, parts + 1
		}
		cursor = "&cursor=" + header.Get("X-Next-Cursor")
	}
}

func table(t *testing.T, text []byte) (rows []map[string]string) {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatal(err, len(lines))
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func columnSum(rows []map[string]string, column string, where func(map[string]string) bool) (sum decimal.Decimal) {
	for _, r := range rows {
		if where == nil || where(r) {
			sum = sum.Add(decimal.RequireFromString(r[column]))
		}
	}
	return sum
}

// A closed month as files says what its bill says, whole or in parts, in every form; each charge names the invoice that it stands on.
func TestExports(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		_, last := s.months(t)
		b := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		var amount, coupon decimal.Decimal
		n := 0
		for total := 1; n < total; {
			page, err := b.ListCustomerselfResourceRecords(&bssmodel.ListCustomerselfResourceRecordsRequest{Cycle: last, Offset: new(int32(n)), Limit: new(int32(1000))})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range *page.FeeRecords {
				amount, coupon = amount.Add(*r.Amount), coupon.Add(*r.CouponAmount)
			}
			total, n = int(*page.TotalCount), n+len(*page.FeeRecords)
		}

		whole, header := s.fetch(t, key, "/purser/v1/exports/focus?month="+last)
		if header.Get("Content-Disposition") != `attachment; filename="focus-`+last+`.csv"` || header.Get("Content-Length") != "" && len(whole) > 1<<17 {
			t.Errorf("%v", header)
		}
		rows := table(t, whole)
		if billed := columnSum(rows, "BilledCost", nil); !billed.Equal(amount.Sub(coupon)) || billed.IsZero() {
			t.Errorf("FOCUS comes to %s, the bill to %s less coupons of %s", billed, amount, coupon)
		}
		// From afar, through the public client, it is the same file.
		far, err := client.New(s.Endpoint, key, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var afar bytes.Buffer
		month, err := period.ParseCycle(last)
		if err != nil {
			t.Fatal(err)
		}
		to, err := focus.NewCSV(&afar, true)
		if err != nil {
			t.Fatal(err)
		}
		run := focus.Export{BSS: far.BSS, Invoices: far.Purser, Cycle: month, Back: focus.LookBackMost}
		if read, _, done, err := run.Run(t.Context(), to); err != nil || !done || read != n || !bytes.Equal(afar.Bytes(), whole) {
			t.Errorf("from afar: %d of %d records, %v, %d of %d bytes", read, n, err, afar.Len(), len(whole))
		}
		joined, parts := s.inParts(t, key, "/purser/v1/exports/focus?month="+last)
		if !bytes.Equal(joined, whole) || parts < 2 {
			t.Errorf("%d parts of %d bytes, the whole has %d", parts, len(joined), len(whole))
		}
		packed, _ := s.fetch(t, key, "/purser/v1/exports/focus?format=parquet&month="+last)
		back, err := parquet.Read[focus.Row](bytes.NewReader(packed), int64(len(packed)))
		if err != nil || len(back) != len(rows) {
			t.Fatal(err, len(back), len(rows))
		}
		for i := range back {
			if want := decimal.RequireFromString(rows[i]["EffectiveCost"]); !decimal.New(back[i].EffectiveCost, -8).Equal(want) || back[i].InvoiceID != rows[i]["InvoiceId"] {
				t.Fatalf("row %d: %+v, as CSV %v", i, back[i], rows[i])
			}
		}

		// Invoices: those of the month, each with what its rows come to.
		_, list := s.send(t, key, "GET", "/purser/v1/invoices?limit=100&bill_cycle="+last, "", time.Now(), nil)
		papers := 0
		for _, p := range list["invoices"].([]any) {
			p := p.(map[string]any)
			if p["method"] == "receipt" {
				continue
			}
			papers++
			billed := columnSum(rows, "BilledCost", func(r map[string]string) bool {
				return r["InvoiceId"] == p["number"] && r["ChargeCategory"] != "Credit"
			})
			coupons := decimal.RequireFromString(p["coupon_amount"].(string)) // in whole cents
			cut := decimal.Zero
			_, lines := s.send(t, key, "GET", fmt.Sprintf("/purser/v1/invoices/%s/lines?limit=1000", p["invoice_id"]), "", time.Now(), nil)
			for _, l := range lines["lines"].([]any) {
				cut = cut.Add(decimal.RequireFromString(l.(map[string]any)["truncated_amount"].(string)))
			}
			if want := decimal.RequireFromString(p["amount"].(string)); !billed.Sub(coupons).Sub(cut).Equal(want) {
				t.Errorf("invoice %s is over %s, its rows come to %s and %s by coupons, with %s cut off", p["number"], want, billed, coupons, cut)
			}
		}
		covered := 0
		for _, r := range rows {
			if r["InvoiceId"] != "" {
				covered++
			}
		}
		on := map[string]int{} // as the extension API says it of each record
		for offset := 0; offset < n; offset += 1000 {
			_, page := s.send(t, key, "GET", fmt.Sprintf("/purser/v1/fee-records?cycle=%s&limit=1000&offset=%d", last, offset), "", time.Now(), nil)
			for _, f := range page["fee_records"].([]any) {
				on[f.(map[string]any)["invoice_number"].(string)]++
			}
		}
		for _, r := range rows {
			if r["ChargeCategory"] != "Credit" && r["BilledCost"] != "0" {
				if number := r["InvoiceId"]; on[number] == 0 && number != "" {
					t.Errorf("no fee record stands on %s", number)
				}
			}
		}
		if len(on) < 2 && on[""] > 0 {
			t.Errorf("fee records stand on %v", on)
		}
		if papers == 0 || covered == 0 {
			t.Errorf("%d invoices of %s, %d rows name one", papers, last, covered)
		}

		// Details and the summary.
		details, _ := s.fetch(t, key, "/purser/v1/exports/details?month="+last)
		if got := table(t, details); len(got) != n || !columnSum(got, "Amount", nil).Equal(amount) {
			t.Errorf("details: %d of %d records, %s of %s", len(got), n, columnSum(got, "Amount", nil), amount)
		}
		if joined, _ := s.inParts(t, key, "/purser/v1/exports/details?month="+last); !bytes.Equal(joined, details) {
			t.Error("the parts of the details are not the whole")
		}
		book, _ := s.fetch(t, key, "/purser/v1/exports/summary?month="+last)
		sheet, err := excelize.OpenReader(bytes.NewReader(book))
		if err != nil {
			t.Fatal(err)
		}
		summary, err := b.ShowCustomerMonthlySum(&bssmodel.ShowCustomerMonthlySumRequest{BillCycle: last, Limit: new(int32(1000))})
		if err != nil {
			t.Fatal(err)
		}
		if lines, err := sheet.GetRows(last); err != nil || len(lines) != 1+int(*summary.TotalCount) {
			t.Errorf("summary: %d rows, %v; want %d", len(lines), err, *summary.TotalCount)
		}

		// Refusals, before a byte of the file.
		for path, code := range map[string]string{
			"focus?month=" + last + "&cursor=1": "CBC.0100", "focus?month=" + last + "&cursor=37.0": "CBC.0100", "details?month=2019-01": "CBC.0100", "summary?month=2026-13": "CBC.0100",
			"focus?month=" + last + "&sub_customer_id=nobody": "CBC.0100",
		} {
			if answer, body := s.send(t, key, "GET", "/purser/v1/exports/"+path, "", time.Now(), nil); answer.StatusCode != 400 || body["error_code"] != code || answer.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s: %s %v", path, answer.Status, body)
			}
		}
		if !strings.HasPrefix(string(whole), "AvailabilityZone,BilledCost,") {
			t.Errorf("heading: %s", whole[:60])
		}
	})
}

// Who looks at bills and invoices, or takes them away as files, leaves a trace of each call, refused ones too; an export leaves one
// of its own and none for the pages that it reads.
func TestTracesOfBills(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		me, b := s.cts(t, c, c.ProjectID), s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		_, last := s.months(t)
		count := func(name, kind string) (good, bad int) {
			t.Helper()
			r, err := me.ListTraces(&model.ListTracesRequest{TraceType: model.GetListTracesRequestTraceTypeEnum().SYSTEM, TraceName: &name, ResourceType: &kind, Limit: new(int32(200))})
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range *r.Traces {
				if *one.Code == "200" {
					good++
				} else {
					bad++
				}
			}
			return good, bad
		}
		kinds := map[string]string{
			"queryResFeeRecords": "billDetail", "queryResRecordsDetail": "billDetail", "queryInvoiceIntlList": "invoice", "exportFocus": "billDetail", "exportNvlMonthlyBillResDetail": "billDetail", "exportNvlMonthlyBill": "billDetail",
		}
		before := map[string][2]int{}
		for name, kind := range kinds {
			good, bad := count(name, kind)
			before[name] = [2]int{good, bad}
		}
		if _, err := b.ListCustomerselfResourceRecords(&bssmodel.ListCustomerselfResourceRecordsRequest{Cycle: last}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ListCustomerselfResourceRecordDetails(&bssmodel.ListCustomerselfResourceRecordDetailsRequest{Body: &bssmodel.QueryResRecordsDetailReq{Cycle: last}}); err != nil {
			t.Fatal(err)
		}
		day := time.Now().UTC().Format(time.DateOnly)
		if answer, body := s.send(t, key, "GET", "/v1.0/"+c.DomainID+"/payments/intl-invoices?start_time="+day+"T00:00:00Z&end_time="+day+"T23:59:59Z&offset=1&limit=10", "", time.Now(), nil); answer.StatusCode != 200 {
			t.Fatal(answer.Status, body)
		}
		for _, path := range []string{"focus", "details", "summary"} {
			s.fetch(t, key, "/purser/v1/exports/"+path+"?month="+last)
			s.send(t, key, "GET", "/purser/v1/exports/"+path+"?month=2019-01", "", time.Now(), nil)
		}
		if _, err := b.ListCustomerselfResourceRecords(&bssmodel.ListCustomerselfResourceRecordsRequest{Cycle: "2019-01"}); err == nil {
			t.Error("a month that is not kept is shown")
		}
		want := map[string][2]int{
			"queryResFeeRecords": {1, 1}, "queryResRecordsDetail": {1, 0}, "queryInvoiceIntlList": {1, 0}, "exportFocus": {1, 1}, "exportNvlMonthlyBillResDetail": {1, 1}, "exportNvlMonthlyBill": {1, 1},
		}
		for name, kind := range kinds {
			good, bad := count(name, kind)
			if got := [2]int{good - before[name][0], bad - before[name][1]}; got != want[name] {
				t.Errorf("%s: %v traces of what was done and refused, want %v", name, got, want[name])
			}
		}
	})
}
