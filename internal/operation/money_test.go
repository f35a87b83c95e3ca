package operation_test

import (
	"fmt"
	"testing"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
)

const dollar = money.Amount(100_000_000)

func TestOperatorMovesMoney(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		operator, customer := o.by("purser-operator", now), o.by("cedar-labs", now)
		id := customer.Caller.DomainID
		before, _, err := o.Entries(ctx, customer, id, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		move := operation.Movement{Customer: id, Amount: 25 * dollar, Reference: "bank-1"}
		if _, err := o.TopUp(ctx, customer, move); code(err) != "CBC.0151" {
			t.Errorf("a customer tops itself up: %v", err)
		}
		if _, err := o.TopUp(ctx, operator, move); err != nil {
			t.Fatal(err)
		}
		if _, err := o.TopUp(ctx, operator, move); code(err) != "PURSER.0301" {
			t.Errorf("the same top-up again: %v", err)
		}
		for name, amount := range map[string]money.Amount{"nothing": 0, "below zero": -dollar, "a part of a cent": dollar / 1000} {
			if _, err := o.TopUp(ctx, operator, operation.Movement{Customer: id, Amount: amount, Reference: name}); code(err) != "CBC.0100" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := o.Withdraw(ctx, operator, operation.Movement{Customer: id, Amount: 99_999 * dollar, Reference: "w"}); code(err) != "CBC.99005003" {
			t.Errorf("more than there is: %v", err)
		}
		for _, step := range []struct {
			book func() (ledger.Entry, error)
			cash string
		}{
			{func() (ledger.Entry, error) {
				return o.Withdraw(ctx, operator, operation.Movement{Customer: id, Amount: 5 * dollar, Reference: "w1"})
			}, "10020"},
			{func() (ledger.Entry, error) {
				return o.Adjust(ctx, operator, operation.Movement{Customer: id, Amount: -20 * dollar, Reference: "a1"})
			}, "10000"},
			{func() (ledger.Entry, error) {
				return o.Adjust(ctx, operator, operation.Movement{Customer: id, Amount: dollar / 2, Reference: "a2"})
			}, "10000.5"},
			{func() (ledger.Entry, error) {
				return o.Bonus(ctx, operator, operation.Movement{Customer: id, Amount: dollar, Reference: "b1"})
			}, "10000.5"},
		} {
			e, err := step.book()
			if err != nil {
				t.Fatal(err)
			}
			b, err := o.ShowBalances(ctx, customer)
			if err != nil || b.Cash.String() != step.cash {
				t.Errorf("after %s: cash %s, want %s (%v)", e.Cause, b.Cash, step.cash, err)
			}
		}
		total, page, err := o.Entries(ctx, customer, id, 0, 10)
		if err != nil || total != before+5 || page[0].Customer != id {
			t.Errorf("its entries: %d, %d before, %v", total, before, err)
		}
		if _, _, err := o.Entries(ctx, customer, o.by("blue-harbour", now).Caller.DomainID, 0, 10); code(err) != "PURSER.0104" {
			t.Errorf("another's entries: %v", err)
		}
	})
}

// A top-up writes debt off first; while there is debt nothing goes back.
func TestDebtFirst(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		operator, customer := o.by("purser-operator", now), o.by("cedar-labs", now)
		id := customer.Caller.DomainID
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			return ledger.Post(ctx, tx, o.Random, &ledger.Entry{Customer: id, Cause: "usage", Reference: "u1", Postings: []ledger.Posting{
				{Giver: ledger.Cash, Taker: ledger.Adjustment, Amount: 10_000 * dollar}, {Giver: ledger.Debt, Taker: ledger.Adjustment, Amount: 30 * dollar},
			}})
		})
		if err != nil {
			t.Fatal(err)
		}
		state := func() string {
			b, err := o.ShowBalances(ctx, customer)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(b.Cash, " ", b.Debt)
		}
		if _, err := o.Withdraw(ctx, operator, operation.Movement{Customer: id, Amount: dollar, Reference: "w"}); code(err) != "PURSER.0304" {
			t.Errorf("withdrawn in debt: %v", err)
		}
		for i, want := range []string{"0 10", "10 0", "30 0"} {
			if _, err := o.TopUp(ctx, operator, operation.Movement{Customer: id, Amount: 20 * dollar, Reference: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
			if got := state(); got != want {
				t.Errorf("after top-up %d: cash and debt %s, want %s", i+1, got, want)
			}
		}
		books, err := o.CheckBooks(ctx, operator, false, func(x operation.Wrong) { t.Error(x) })
		if err != nil || books != 3 {
			t.Errorf("%d books checked, %v", books, err)
		}
	})
}

func TestQuotaAndStanding(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		operator, bob := o.by("purser-operator", now), o.by("blue-harbour", now)
		id := bob.Caller.DomainID
		before, err := o.ShowQuota(ctx, bob) // the demo's own orders
		if err != nil {
			t.Fatal(err)
		}
		err = d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			return ledger.Post(ctx, tx, o.Random, &ledger.Entry{Customer: id, Cause: "usage", Reference: "u1", Postings: []ledger.Posting{
				{Giver: ledger.Credit, Taker: ledger.Revenue, Amount: 333 * dollar}, {Giver: ledger.Revenue, Taker: ledger.Cash, Amount: 33 * dollar},
			}})
		})
		if err != nil {
			t.Fatal(err)
		}
		q, err := o.ShowQuota(ctx, bob)
		if share := (before.Used + 300*dollar) / 20 / (dollar / 100); err != nil || fmt.Sprint(q.Granted, " ", q.Used-before.Used) != "2000 300" || q.Share.Cmp(mustDecimal(fmt.Sprintf("%d.%02d", share/100, share%100))) != 0 {
			t.Errorf("%+v, %v", q, err)
		}
		next := o.by("blue-harbour", now.AddDate(0, 1, 0))
		if q, err := o.ShowQuota(ctx, next); err != nil || q.Used != 0 {
			t.Errorf("in the next month: %+v, %v", q, err)
		}
		set := func(standing string) error {
			_, err := o.ChangeCustomer(ctx, operator, id, func(c *account.Customer) { c.Standing = standing })
			return err
		}
		for _, k := range []struct{ standing, want string }{{"frozen", ""}, {"active", ""}, {"asleep", "CBC.0100"}, {"closed", ""}, {"active", "PURSER.0106"}} {
			if err := set(k.standing); code(err) != k.want {
				t.Errorf("%s: %v, want %q", k.standing, err, k.want)
			}
		}
		if _, err := o.TopUp(ctx, operator, operation.Movement{Customer: id, Amount: dollar, Reference: "late"}); code(err) != "PURSER.0106" {
			t.Errorf("a closed customer was topped up: %v", err)
		}
		if total, page, err := o.Customers(ctx, operator, operation.WantedCustomers{Standing: "closed"}, 0, 10); err != nil || total != 1 || page[0].ID != id {
			t.Errorf("closed customers: %d, %v", total, err)
		}
	})
}

// The operator issues to anyone, a partner to its own customers, a customer to nobody; all or none.
func TestCouponsAreIssued(t *testing.T) {
	furnished.Each(t, func(t *testing.T, d *db.DB) {
		o := open(t, d)
		ctx := t.Context()
		alice, bob, partner := o.by("alpine-robotics", now), o.by("blue-harbour", now), o.by("demo-partner", now)
		pattern := coupon.Coupon{Version: 2, Face: 5 * dollar}
		count := func() int {
			total, _, _, err := o.Coupons(ctx, alice, coupon.Query{}, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			return total
		}
		before := count()
		for name, k := range map[string]struct {
			by        *operation.Call
			customers []string
			want      string
		}{
			"a customer":      {alice, []string{alice.Caller.DomainID}, "CBC.0151"},
			"to nobody":       {partner, []string{alice.Caller.DomainID, "nobody"}, "PURSER.0104"},
			"twice in one":    {partner, []string{alice.Caller.DomainID, alice.Caller.DomainID}, "CBC.0100"},
			"to the operator": {partner, []string{o.by("purser-operator", now).Caller.DomainID}, "PURSER.0104"},
		} {
			if _, err := o.IssueCoupons(ctx, k.by, k.customers, pattern, false); code(err) != k.want {
				t.Errorf("%s: %v, want %s", name, err, k.want)
			}
		}
		if count() != before {
			t.Errorf("a refused batch left %d coupons", count()-before)
		}
		partner.IdempotencyKey, partner.Body = "k", []byte("b")
		issued, err := o.IssueCoupons(ctx, partner, []string{alice.Caller.DomainID, bob.Caller.DomainID}, pattern, true)
		if err != nil || len(issued) != 2 {
			t.Fatalf("%+v, %v", issued, err)
		}
		if again, err := o.IssueCoupons(ctx, partner, []string{alice.Caller.DomainID, bob.Caller.DomainID}, pattern, true); err != nil || again[0].ID != issued[0].ID || count() != before+1 {
			t.Errorf("repeated with its key: %+v, %v", again, err)
		}
		if err := o.ActOnCoupon(ctx, bob, alice.Caller.DomainID, issued[0].ID, coupon.Activate); code(err) != "CBC.0151" {
			t.Errorf("another customer activates it: %v", err)
		}
		if err := o.ActOnCoupon(ctx, alice, alice.Caller.DomainID, issued[0].ID, coupon.Freeze); code(err) != "CBC.0151" {
			t.Errorf("its holder freezes it: %v", err)
		}
		if err := o.ActOnCoupon(ctx, alice, alice.Caller.DomainID, issued[0].ID, coupon.Activate); err != nil {
			t.Errorf("its holder activates it: %v", err)
		}
		partner.IdempotencyKey = ""
		if err := o.ActOnCoupon(ctx, partner, alice.Caller.DomainID, issued[0].ID, coupon.Withdraw); err != nil {
			t.Errorf("its issuer withdraws it: %v", err)
		}
	})
}
