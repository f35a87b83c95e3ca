package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/period"
)

// serve answers pages of rows with one JSON row, total times.
func serve(t *testing.T, list, row string, total int) *client.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offset, n := 0, 0
		fmt.Sscan(r.URL.Query().Get("offset"), &offset) //nolint:errcheck // 0
		var rows []string
		for ; offset+n < total && n < 2; n++ {
			rows = append(rows, strings.ReplaceAll(row, "{n}", fmt.Sprint(offset+n)))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"total_count": %d, "currency": "USD", "%s": [%s]}`, total, list, strings.Join(rows, ","))
	}))
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, client.Credential{AccessKey: "a", SecretKey: "b"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func month(t *testing.T) period.Cycle {
	t.Helper()
	c, err := period.ParseCycle("2026-11")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDetails(t *testing.T) {
	c := serve(t, "fee_records", `{"id": "r{n}", "customer_id": "me", "resource_name": "=1+1", "amount": -0.12345678, "official_amount": 92233720368.54775807, "bill_type": 5, "charge_mode": "3"}`, 5)
	var out bytes.Buffer
	e := Export{BSS: c.BSS, Cycle: month(t)}
	n, next, done, err := e.Details(t.Context(), &out)
	if err != nil || n != 5 || next != 5 || !done {
		t.Fatal(n, err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(lines) != 6 {
		t.Fatal(lines, err)
	}
	at := map[string]string{}
	for i, name := range lines[0] {
		at[name] = lines[5][i]
	}
	for name, want := range map[string]string{"Record ID": "r4", "Amount": "-0.12345678", "List Price": "92233720368.54775807", "Resource Name": "'=1+1", "Bill Type": "5", "Unit Price": ""} {
		if at[name] != want {
			t.Errorf("%s: %q, want %q", name, at[name], want)
		}
	}
}

func TestSummary(t *testing.T) {
	c := serve(t, "bill_sums", `{"bill_cycle": "2026-11", "customer_id": "me", "consume_amount": 1234567.89, "official_amount": 92233720368.54775807, "bill_type": 1, "charging_mode": 7}`, 3)
	var out bytes.Buffer
	e := Export{BSS: c.BSS, Cycle: month(t)}
	n, err := e.Summary(t.Context(), &out)
	if err != nil || n != 3 {
		t.Fatal(n, err)
	}
	book, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("2026-11", excelize.Options{RawCellValue: true})
	if err != nil || len(rows) != 4 {
		t.Fatal(rows, err)
	}
	for i, name := range rows[0] {
		if want := map[string]string{"Amount": "1234567.89", "List Price": "92233720368.54775807", "Customer ID": "me", "Bill Type": "Expenditure", "Billing Mode": "7"}[name]; want != "" && rows[3][i] != want {
			t.Errorf("%s: %s, want %s", name, rows[3][i], want)
		}
	}
}
