package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/period"
)

// far is a server of the provider's API alone that has a month of fee records and refuses from some record on.
type far struct{ total, refuses int }

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	offset, n := 0, 0
	fmt.Sscan(r.URL.Query().Get("offset"), &offset) //nolint:errcheck // 0
	switch {
	case strings.Contains(r.URL.Path, "measurements"):
		fmt.Fprint(w, `{"measure_units": []}`)
	case !strings.Contains(r.URL.Path, "res-fee-records"):
		w.WriteHeader(http.StatusNotFound)
	case offset >= f.refuses:
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Query().Get("charge_mode") != "":
		fmt.Fprint(w, `{"total_count": 0, "currency": "USD", "fee_records": []}`)
	default:
		var rows []string
		for ; offset+n < f.total && n < 2; n++ {
			rows = append(rows, fmt.Sprintf(`{"id": "r%d", "customer_id": "me", "bill_type": 5, "charge_mode": "3", "amount": 1.00000001, "official_amount": 1.00000001, "discount_amount": 0,
				"coupon_amount": 0, "usage": 1, "trade_time": "2026-10-01T00:00:00Z", "product_name": "p%d"}`, offset+n, offset+n))
		}
		fmt.Fprintf(w, `{"total_count": %d, "currency": "USD", "fee_records": [%s]}`, f.total, strings.Join(rows, ","))
	}
}

// An export of another endpoint that is cut off goes on where it was, and ends as the same file.
func TestExportResumes(t *testing.T) {
	for _, kind := range []string{"", "details"} {
		t.Run("export "+kind, func(t *testing.T) {
			there := &far{total: 7, refuses: 1000}
			s := httptest.NewServer(there)
			defer s.Close()
			c, err := client.New(s.URL, client.Credential{AccessKey: "a", SecretKey: "b"}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			cycle, err := period.ParseCycle("2026-10")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			say := func(int, int) {}
			whole := focusing{sheet: kind, form: "csv", out: filepath.Join(dir, "whole.csv"), back: 2}
			if n, err := whole.writeFile(t.Context(), c, cycle, say); err != nil || n != 7 {
				t.Fatal(n, err)
			}
			there.refuses = 4
			cut := focusing{sheet: kind, form: "csv", out: filepath.Join(dir, "cut.csv"), back: 2, resume: true}
			if _, err := cut.writeFile(t.Context(), c, cycle, say); err == nil || !strings.Contains(err.Error(), "--resume goes on") {
				t.Fatal(err)
			}
			if f, err := os.OpenFile(cut.out+".part", os.O_APPEND|os.O_WRONLY, 0); err != nil { // a torn line behind what was noted
				t.Fatal(err)
			} else if _, err := f.WriteString("torn"); err != nil || f.Close() != nil {
				t.Fatal(err)
			}
			there.refuses = 1000
			other := cut
			other.member = "x"
			if _, err := other.writeFile(t.Context(), c, cycle, say); err == nil || !strings.Contains(err.Error(), "another export") {
				t.Error(err)
			}
			if n, err := cut.writeFile(t.Context(), c, cycle, say); err != nil || n != 7 {
				t.Fatal(n, err)
			}
			a, err := os.ReadFile(whole.out)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(cut.out)
			if err != nil || string(a) != string(b) || strings.Count(string(a), "\n") != 8 {
				t.Errorf("%v\n%s\n%s", err, a, b)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*.part*")); len(left) > 0 {
				t.Error(left)
			}
		})
	}
}
