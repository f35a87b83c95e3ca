package operation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/operation"
)

// written is a report as of an instant, its lines by what they contain.
func (o *office) written(t *testing.T, at time.Time, kind, about string) (lines []string) {
	t.Helper()
	var text strings.Builder
	if err := o.WriteReport(t.Context(), o.by("purser-operator", at), kind, operation.Months{}, &text); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(text.String(), "\n") {
		if strings.Contains(line, about) {
			lines = append(lines, line)
		}
	}
	return lines
}

// Reports say what the books say: debts by their age, with what was paid taken from the oldest; what a service came to, less what
// was cut off; payments with their bookings.
func TestReports(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := openTill(t, d)
		customer := o.own(t, "owing", now, 0, nil)
		closes := november.Closes()
		hour, later := now.Truncate(time.Hour), november.Span().End.Add(12*time.Hour)
		o.report(t, ran(customer, "a", hour, 3599), ran(customer, "b", later, 1801))
		o.shift(t, customer, closes.Add(40*24*time.Hour))
		held := o.held(t, customer)
		rows, _ := o.bill(t, customer, november)
		next, final := o.bill(t, customer, november+1)
		if held.Debt != rows[0].Consume+next[0].Consume || !final {
			t.Fatalf("debt is %s, bills are %s and %s", held.Debt, rows[0].Consume, next[0].Consume)
		}
		want := fmt.Sprintf("%s,owing,0,%s,%s,0,0,%s,0,USD", customer, next[0].Consume, rows[0].Consume, held.Debt)
		if got := o.written(t, closes.Add(40*24*time.Hour), operation.Receivables, customer); len(got) != 1 || got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
		o.pays(t, customer, closes.Add(40*24*time.Hour), 1)
		want = fmt.Sprintf("%s,owing,0,%s,%s,0,0,%s,0,USD", customer, next[0].Consume, rows[0].Consume-1_000_000, held.Debt-1_000_000)
		if got := o.written(t, closes.Add(40*24*time.Hour), operation.Receivables, customer); len(got) != 1 || got[0] != want {
			t.Errorf("after a payment: %q, want %q", got, want)
		}
		left := held.Debt - 1_000_000
		for days, want := range map[int]string{ // the same debts grow older
			-1: fmt.Sprintf("%s,0,0,0,0", left), 70: fmt.Sprintf("0,0,%s,%s,0", next[0].Consume, rows[0].Consume-1_000_000), 130: fmt.Sprintf("0,0,0,0,%s", left),
		} {
			want = fmt.Sprintf("%s,owing,%s,%s,0,USD", customer, want, left)
			if got := o.written(t, closes.Add(time.Duration(days)*24*time.Hour), operation.Receivables, customer); len(got) != 1 || got[0] != want {
				t.Errorf("%d days after the close: %q, want %q", days, got, want)
			}
		}
		revenue := o.written(t, closes.Add(40*24*time.Hour), operation.Revenue, "2026-12,hws.service.type.ec2")
		want = fmt.Sprintf("2026-12,hws.service.type.ec2,Elastic Cloud Server,3,1,%s,%s,%s,%s,0,0,USD", next[0].Official, next[0].Discount, next[0].Truncated, next[0].Consume)
		if len(revenue) != 1 || revenue[0] != want {
			t.Errorf("%q, want %q", revenue, want)
		}
		paid, open := o.begin(7*dollar), o.begin(9*dollar)
		header, body := o.callback(paid, true, nil)
		if err := o.tell(now, header, body); err != nil {
			t.Fatal(err)
		}
		if got := o.written(t, now, operation.Payments, paid.ID); len(got) != 1 || !strings.HasSuffix(got[0], ",7,0,USD") || !strings.Contains(got[0], ",succeeded,7,") {
			t.Errorf("%q", got)
		}
		if got := o.written(t, now, operation.Payments, open.ID); len(got) != 1 || !strings.HasSuffix(got[0], ",,0,0,USD") {
			t.Errorf("%q", got)
		}
		if err := o.WriteReport(t.Context(), o.by("cedar-labs", now), operation.Revenue, operation.Months{}, &strings.Builder{}); code(err) != "CBC.0151" {
			t.Errorf("a customer's own: %v", err)
		}
		for _, m := range []operation.Months{{From: november + 1, To: november}} {
			if err := o.WriteReport(t.Context(), o.by("purser-operator", now), operation.Revenue, m, &strings.Builder{}); code(err) != "CBC.0100" {
				t.Errorf("%+v: %v", m, err)
			}
		}
	})
}
