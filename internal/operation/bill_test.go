package operation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/cost"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

// A master sees by method its own bill, a member's or all of them: of one under unified accounting what it paid, of one that accounts
// for itself all of it. Where the provider's latency is imitated, a summary and costs end with the day before, and records are shown
// when they are an hour old.
func TestBillsOfMembersAndTheirLatency(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		hour := now.Truncate(time.Hour)
		master, unified, independent := o.own(t, "big", now, 100, nil), o.own(t, "shares", now, 0, nil), o.own(t, "own-money", now, 100, nil)
		for member, how := range map[string]string{unified: account.Unified, independent: account.Independent} {
			if _, err := o.JoinMaster(t.Context(), o.by("purser-operator", now), member, master, how, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, customer := range []string{master, unified, independent} {
			o.report(t, ran(customer, "a", hour, 3600))
			o.shift(t, customer, hour.Add(2*time.Hour)) // charged now
		}
		charged := hour.Add(2 * time.Hour)
		seen := func(at time.Time, w operation.Whose) (bills, records, resources, costs int) {
			t.Helper()
			sum, err := o.MonthlySum(t.Context(), o.as(master, at), &operation.SummaryAsk{Whose: w, Cycle: november, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			fees, err := o.ListFees(t.Context(), o.as(master, at), &operation.FeeAsk{Whose: w, Cycle: november, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			list, err := o.ListBilledResources(t.Context(), o.as(master, at), &operation.FeeAsk{Whose: w, Cycle: november, Grain: 1, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for i := range fees.Fees {
				if fees.Names[fees.Fees[i].Customer] == "" || w.Method == operation.OfMember && fees.Fees[i].Customer != w.Member {
					t.Errorf("%+v: %+v", w, fees.Fees[i])
				}
			}
			span := november.Span()
			for _, spread := range []bool{false, true} {
				found, err := o.ListCosts(t.Context(), o.as(master, at), cost.Query{From: period.DateOf(span.Start), To: period.DateOf(span.End) - 1, ByMonth: true, Amortised: spread, Groups: []cost.Group{{Kind: "dimension", Key: "ASSOCIATED_ACCOUNT"}}, Limit: 100})
				if err != nil {
					t.Fatal(err)
				}
				costs += len(found.Rows)
			}
			return sum.Total, fees.Total, list.Total, costs
		}
		for _, k := range []struct {
			whose operation.Whose
			want  int
		}{
			{operation.Whose{}, 3}, {operation.Whose{Method: operation.OfAll}, 3}, {operation.Whose{Method: operation.Oneself}, 1},
			{operation.Whose{Method: operation.OfMember, Member: unified}, 1}, {operation.Whose{Method: operation.OfMember, Member: independent}, 1},
		} {
			if bills, records, resources, _ := seen(charged, k.whose); bills != k.want || records != k.want || resources != k.want {
				t.Errorf("%+v: %d rows, %d records, %d resources; want %d of each", k.whose, bills, records, resources, k.want)
			}
		}
		for _, w := range []operation.Whose{{Method: operation.OfMember}, {Method: operation.OfMember, Member: "nobody"}} {
			if _, err := o.ListFees(t.Context(), o.as(master, charged), &operation.FeeAsk{Whose: w, Cycle: november, Limit: 1}); !fault.Is(err, "CBC.0100") {
				t.Errorf("%+v: %v", w, err)
			}
		}
		if _, err := o.ListFees(t.Context(), o.as(unified, charged), &operation.FeeAsk{Whose: operation.Whose{Method: operation.OfMember, Member: independent}, Cycle: november, Limit: 1}); !fault.Is(err, "CBC.0100") {
			t.Errorf("a member about another: %v", err)
		}

		paidFor := 4 // its own and the unified member's, original and amortised
		if _, _, _, costs := seen(charged, operation.Whose{}); costs != paidFor {
			t.Errorf("%d costs, want %d", costs, paidFor)
		}
		o.BillsLate = true
		tomorrow := period.DateOf(charged).Span().End
		for _, k := range []struct {
			at                    time.Time
			bills, records, costs int
		}{
			{charged, 0, 0, 0}, {charged.Add(time.Hour), 0, 0, 0}, {charged.Add(time.Hour + time.Microsecond), 0, 3, 0}, {tomorrow.Add(-time.Second), 0, 3, 0}, {tomorrow, 3, 3, paidFor},
		} {
			if bills, records, resources, costs := seen(k.at, operation.Whose{}); bills != k.bills || records != k.records || resources != k.records || costs != k.costs {
				t.Errorf("late, %s after it was charged: %d rows, %d records, %d resources, %d costs; want %+v", k.at.Sub(charged), bills, records, resources, costs, k)
			}
		}
	})
}

// What was paid of debts stands in the total of the month in which it was paid, not in that in which it was charged.
func TestWrittenOff(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		customer := o.own(t, "pays-late", now, 0, nil)
		o.report(t, ran(customer, "a", now.Truncate(time.Hour), 36_000)) // ten hours, 0.203
		closes := november.Closes()
		o.shift(t, customer, closes)
		o.pays(t, customer, closes.Add(time.Hour), 15)
		o.pays(t, customer, closes.Add(2*time.Hour), 25)
		for month, want := range map[period.Cycle]string{november: "0", november + 1: "0.2"} { // the rest of what came in is cash
			sum, err := o.MonthlySum(t.Context(), o.as(customer, closes.Add(3*time.Hour)), &operation.SummaryAsk{Cycle: month, Limit: 10})
			if err != nil || sum.WrittenOff.String() != want {
				t.Errorf("%s: %s written off, %v; want %s", month, sum.WrittenOff, err, want)
			}
			if (sum.Sum.Parts.Debt != 0) != (month == november) {
				t.Errorf("%s: %s was charged unpaid", month, sum.Sum.Parts.Debt)
			}
		}
		if held := o.held(t, customer); held.Debt != 0 || held.Cash != dollar/5 {
			t.Errorf("%+v", held)
		}
	})
}

// A master of more members than are shown in one answer names one, or asks for itself.
func TestTooManyMembers(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		master, member := o.own(t, "huge", now, 0, nil), o.own(t, "one-of-many", now, 0, nil)
		if _, err := o.JoinMaster(t.Context(), o.by("purser-operator", now), member, master, account.Unified, time.Time{}); err != nil {
			t.Fatal(err)
		}
		err := d.Update(t.Context(), dbtest.At(now), func(tx *db.Tx) error {
			for i := range 100 {
				if _, err := tx.Exec(t.Context(), `INSERT INTO account_relation (member, no, master, accounting, since, until, changed_at)
					SELECT $1, no, master, accounting, since, until, changed_at FROM account_relation WHERE member = $2`, fmt.Sprint("m", i), member); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(w operation.Whose) [3]string {
			_, sum := o.MonthlySum(t.Context(), o.as(master, now), &operation.SummaryAsk{Whose: w, Cycle: november, Limit: 1})
			_, fees := o.ListFees(t.Context(), o.as(master, now), &operation.FeeAsk{Whose: w, Cycle: november, Limit: 1})
			_, resources := o.ListBilledResources(t.Context(), o.as(master, now), &operation.FeeAsk{Whose: w, Cycle: november, Grain: 1, Limit: 1})
			return [3]string{code(sum), code(fees), code(resources)}
		}
		for w, want := range map[operation.Whose]string{{}: "CBC.18000048", {Method: operation.OfAll}: "CBC.18000048", {Method: operation.Oneself}: "", {Method: operation.OfMember, Member: member}: ""} {
			if got := ask(w); got != [3]string{want, want, want} {
				t.Errorf("%+v: %q, want %q", w, got, want)
			}
		}
	})
}
