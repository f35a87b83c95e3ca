package focus

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/purser-cloud/purser/client"
)

// gatherer keeps what an export writes.
type gatherer struct{ ids []string }

func (g *gatherer) Write(rows []Row) error {
	for i := range rows {
		g.ids = append(g.ids, rows[i].ResourceID)
	}
	return nil
}
func (g *gatherer) Close() error { return nil }

// A month of many pages is read whole and in order, in parts too, though pages are asked for ahead; what a server says of a
// page is told once the pages before are written.
func TestPagesAhead(t *testing.T) {
	const total = 4_321
	broken := -1
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		offset, limit := 0, 0
		fmt.Sscan(r.URL.Query().Get("offset"), &offset) //nolint:errcheck // 0
		fmt.Sscan(r.URL.Query().Get("limit"), &limit)   //nolint:errcheck // 0
		switch {
		case strings.Contains(r.URL.Path, "measurements"):
			fmt.Fprint(w, `{"measure_units": []}`)
		case offset == broken:
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Query().Get("charge_mode") != "":
			fmt.Fprint(w, `{"total_count": 0, "currency": "USD", "fee_records": []}`)
		default:
			var rows []string
			for i := offset; i < min(offset+limit, total); i++ {
				rows = append(rows, fmt.Sprintf(`{"resource_id": "r%d", "bill_type": 9, "charge_mode": "3", "amount": 1, "official_amount": 1, "discount_amount": 0, "coupon_amount": 0, "usage": 0, "trade_time": "2026-10-01T00:00:00Z"}`, i))
			}
			fmt.Fprintf(w, `{"total_count": %d, "currency": "USD", "fee_records": [%s]}`, total, strings.Join(rows, ","))
		}
	}))
	defer s.Close()
	c, err := client.New(s.URL, client.Credential{AccessKey: "a", SecretKey: "b"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := func(g *gatherer) {
		t.Helper()
		if len(g.ids) != total {
			t.Fatalf("%d records", len(g.ids))
		}
		for i, id := range g.ids {
			if id != fmt.Sprint("r", i) {
				t.Fatalf("record %d is %s", i, id)
			}
		}
	}
	export := Export{BSS: c.BSS, Cycle: month(t, "2026-10"), Back: 2}
	var g gatherer
	if n, _, done, err := export.Run(t.Context(), &g); err != nil || n != total || !done {
		t.Fatal(n, done, err)
	}
	whole(&g)
	g = gatherer{}
	parts := 0
	for done := false; !done; parts++ {
		export.Most = 1500
		if _, export.From, done, err = export.Run(t.Context(), &g); err != nil {
			t.Fatal(err)
		}
	}
	if whole(&g); parts != 3 {
		t.Errorf("%d parts", parts)
	}
	export.From, export.Most, broken, g = Place{}, 0, 3000, gatherer{}
	if n, next, done, err := export.Run(t.Context(), &g); err == nil || n != 3000 || next != (Place{Offset: 3000}) || done || len(g.ids) != 3000 {
		t.Errorf("%d, %v, %v: %v", n, next, done, err)
	}
}

func TestPlaces(t *testing.T) {
	for text, want := range map[string]Place{"": {}, "0.0": {}, "3.1000": {3, 1000}} {
		if got, err := ParsePlace(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"1", "37.0", "0.-1", "00.1", "0.1x", "0.99999999999"} {
		if got, err := ParsePlace(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
