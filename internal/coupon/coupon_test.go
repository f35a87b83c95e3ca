package coupon_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
)

var now = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

const dollar = money.Amount(100_000_000)

func do(d *db.DB, at time.Time, deed func(tx *db.Tx) error) error {
	return d.Update(context.Background(), dbtest.At(at), deed)
}

func issue(t testing.TB, d *db.DB, c coupon.Coupon, offline bool) coupon.Coupon {
	t.Helper()
	c.Customer = "c"
	err := do(d, now, func(tx *db.Tx) error {
		return coupon.Issue(context.Background(), tx, rand.Reader, money.USD, &c, offline)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func use(d *db.DB, at time.Time, id, order string, amount money.Amount) error {
	return do(d, at, func(tx *db.Tx) error {
		c, err := coupon.Find(context.Background(), tx, "c", id)
		if err != nil {
			return err
		}
		return coupon.Use(context.Background(), tx, &c, order, amount)
	})
}

func count(t testing.TB, d *db.DB, at time.Time, q coupon.Query) int {
	t.Helper()
	total := 0
	err := d.View(context.Background(), dbtest.At(at), func(v *db.View) (err error) {
		total, _, err = coupon.List(context.Background(), v, "c", q, 0, 1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func TestIssueRefuses(t *testing.T) {
	d := dbtest.SQLite(t)
	for name, c := range map[string]coupon.Coupon{
		"version":      {Version: 3, Face: dollar},
		"no face":      {Version: 1},
		"half a cent":  {Version: 1, Face: dollar / 200},
		"ends first":   {Version: 1, Face: dollar, Effective: now, Expires: now},
		"unknown key":  {Version: 1, Face: dollar, Limits: []coupon.Limit{{Key: "moonPhase", Value1: "1"}}},
		"empty value":  {Version: 1, Face: dollar, Limits: []coupon.Limit{{Key: "serviceType"}}},
		"neither 0 1":  {Version: 1, Face: dollar, Limits: []coupon.Limit{{Key: "simultaneousUseWithContractDiscount", Value1: "yes"}}},
		"not a number": {Version: 1, Face: dollar, Limits: []coupon.Limit{{Key: "minConsume", Value1: "lots"}}},
	} {
		c.Customer = "c"
		err := do(d, now, func(tx *db.Tx) error {
			return coupon.Issue(context.Background(), tx, rand.Reader, money.USD, &c, false)
		})
		if !fault.Is(err, "CBC.0100") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Version 1 is used once, whatever it covers; version 2 until it is empty; both come back when a payment is given back.
func TestUseAndGiveBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		once := issue(t, d, coupon.Coupon{Version: 1, Face: 10 * dollar}, false)
		again := issue(t, d, coupon.Coupon{Version: 2, Face: 10 * dollar}, false)
		for i, k := range []struct {
			id     string
			amount money.Amount
			ok     bool
		}{
			{once.ID, 11 * dollar, false}, {once.ID, 4 * dollar, true}, {once.ID, dollar, false},
			{again.ID, 4 * dollar, true}, {again.ID, 7 * dollar, false}, {again.ID, 6 * dollar, true}, {again.ID, dollar, false}, {again.ID, 0, false},
		} {
			err := use(d, now, k.id, fmt.Sprint("o", i), k.amount)
			if (err == nil) != k.ok || err != nil && !fault.Is(err, "CBC.99003112") {
				t.Errorf("use %d: %v", i, err)
			}
		}
		if n := count(t, d, now, coupon.Query{Status: coupon.Used}); n != 2 {
			t.Errorf("%d used, want 2", n)
		}
		for _, k := range []struct {
			id, order string
			amount    money.Amount
			ok        bool
		}{{once.ID, "o1", 5 * dollar, false}, {once.ID, "o1", 4 * dollar, true}, {once.ID, "o1", dollar, false}, {again.ID, "o5", 2 * dollar, true}, {again.ID, "o5", 4 * dollar, true}, {again.ID, "none", dollar, false}} {
			err := do(d, now, func(tx *db.Tx) error {
				return coupon.Return(context.Background(), tx, "c", k.id, k.order, k.amount)
			})
			if (err == nil) != k.ok {
				t.Errorf("%s back from %s of %s: %v", k.amount, k.order, k.id, err)
			}
		}
		if err := use(d, now, once.ID, "o9", 10*dollar); err != nil {
			t.Errorf("after it came back: %v", err)
		}
		err := d.View(context.Background(), dbtest.At(now), func(v *db.View) error {
			bad, err := coupon.CheckUses(context.Background(), v, "c")
			if len(bad) > 0 {
				t.Errorf("uses do not come to face less balance: %v", bad)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Many orders at once: never more than the face, and a lock keeps the others out.
func TestNeverOverTheFace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := issue(t, d, coupon.Coupon{Version: 2, Face: 10 * dollar}, false)
		var used atomic.Int64
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				amount := money.Amount(1+i%3) * dollar
				if err := use(d, now, c.ID, fmt.Sprint("o", i), amount); err == nil {
					used.Add(int64(amount))
				} else if !fault.Is(err, "CBC.99003112") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if money.Amount(used.Load()) != 10*dollar {
			t.Errorf("used %s of 10", money.Amount(used.Load()))
		}
		held := issue(t, d, coupon.Coupon{Version: 1, Face: dollar}, false)
		lock := func(order string) error {
			return do(d, now, func(tx *db.Tx) error {
				_, err := coupon.Lock(context.Background(), tx, "c", held.ID, order)
				return err
			})
		}
		if err := lock("a"); err != nil {
			t.Fatal(err)
		}
		if err := lock("b"); !fault.Is(err, "CBC.99003112") {
			t.Errorf("two orders hold it: %v", err)
		}
		if err := use(d, now, held.ID, "b", dollar); !fault.Is(err, "CBC.99003112") {
			t.Errorf("used past another's hold: %v", err)
		}
		if err := use(d, now, held.ID, "a", dollar); err != nil {
			t.Errorf("its holder: %v", err)
		}
	})
}

func TestStatesAndFilters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		year := now.AddDate(1, 0, 0)
		a := issue(t, d, coupon.Coupon{Version: 1, Face: dollar, Plan: "p1", Issuer: "i1"}, false)
		offline := issue(t, d, coupon.Coupon{Version: 1, Face: dollar}, true)
		gone := issue(t, d, coupon.Coupon{Version: 1, Face: dollar}, false)
		act := func(id, action string) error {
			return do(d, now, func(tx *db.Tx) error { _, err := coupon.Act(context.Background(), tx, "c", id, action); return err })
		}
		for _, k := range []struct{ id, action, want string }{
			{gone.ID, coupon.Withdraw, ""}, {gone.ID, coupon.Freeze, "PURSER.0401"}, {a.ID, "burn", "CBC.0100"}, {a.ID, coupon.Freeze, ""}, {"none", coupon.Freeze, "PURSER.0403"},
		} {
			if err := act(k.id, k.action); (k.want == "") != (err == nil) || err != nil && !fault.Is(err, k.want) {
				t.Errorf("%s %s: %v, want %q", k.action, k.id, err, k.want)
			}
		}
		if err := use(d, now, a.ID, "o", dollar); !fault.Is(err, "CBC.99003112") {
			t.Errorf("a frozen coupon was used: %v", err)
		}
		if err := use(d, now, offline.ID, "o", dollar); !fault.Is(err, "CBC.99003112") {
			t.Errorf("a coupon that is not active was used: %v", err)
		}
		for name, k := range map[string]struct {
			at   time.Time
			q    coupon.Query
			want int
		}{
			"all": {now, coupon.Query{}, 3}, "usable": {now, coupon.Query{Status: coupon.Usable}, 1}, "inactive": {now, coupon.Query{Status: coupon.Inactive}, 1},
			"withdrawn": {now, coupon.Query{Status: coupon.Withdrawn}, 1}, "expired now": {now, coupon.Query{Status: coupon.Expired}, 0},
			"expired in a year": {year, coupon.Query{Status: coupon.Expired}, 2}, "forgotten in two": {year.AddDate(1, 0, 1), coupon.Query{}, 0},
			"by id": {now, coupon.Query{ID: a.ID}, 1}, "by plan": {now, coupon.Query{Plan: "p1"}, 1}, "by issuer": {now, coupon.Query{Issuer: "i1"}, 1}, "by order": {now, coupon.Query{Order: "o"}, 0},
			"active before": {now, coupon.Query{ActiveTo: now}, 0}, "active from": {now, coupon.Query{ActiveFrom: now}, 2},
		} {
			if n := count(t, d, k.at, k.q); n != k.want {
				t.Errorf("%s: %d, want %d", name, n, k.want)
			}
		}
	})
}
