package account_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
)

var now = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// Who is whose member is kept with its history: each instant has its own answer, and refusals come in their order.
func TestRelations(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		update := func(at time.Time, deed func(tx *db.Tx) error) string {
			t.Helper()
			return code(d.Update(ctx, dbtest.At(at), deed))
		}
		join := func(days int, member, master, accounting string, since ...time.Time) string {
			t.Helper()
			return update(now.AddDate(0, 0, days), func(tx *db.Tx) error {
				r := account.Relation{Member: member, Master: master, Accounting: accounting}
				for _, at := range since {
					r.Since = at
				}
				_, err := account.Join(ctx, tx, r)
				return err
			})
		}
		leave := func(days int, member string) string {
			t.Helper()
			return update(now.AddDate(0, 0, days), func(tx *db.Tx) error { return account.Leave(ctx, tx, member) })
		}
		payer := func(days int, customer string) (id string) {
			t.Helper()
			err := d.View(ctx, dbtest.At(now.AddDate(0, 0, days)), func(v *db.View) (err error) {
				id, err = account.PayerOf(ctx, v, customer)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		set := func(id, standing string) string {
			t.Helper()
			return update(now, func(tx *db.Tx) error {
				_, err := account.Change(ctx, tx, id, func(c *account.Customer) { c.Standing = standing })
				return err
			})
		}
		for _, id := range []string{"a", "b", "c", "m", "shut"} {
			if got := update(now, func(tx *db.Tx) error { return account.Open(ctx, tx, rand.Reader, &account.Customer{ID: id}) }); got != "" {
				t.Fatal(got)
			}
		}
		if got := set("shut", account.Closed); got != "" {
			t.Fatal(got)
		}
		for _, k := range []struct {
			what, got, want string
		}{
			{"no accounting", join(0, "a", "m", ""), "CBC.0100"},
			{"in the future", join(0, "a", "m", account.Unified, now.Add(time.Second)), "CBC.0100"},
			{"itself", join(0, "a", "a", account.Unified), "PURSER.0107"},
			{"no member", join(0, "x", "m", account.Unified), "PURSER.0104"},
			{"no master", join(0, "a", "x", account.Unified), "PURSER.0104"},
			{"a closed master", join(0, "a", "shut", account.Unified), "PURSER.0106"},
			{"a closed member", join(0, "shut", "m", account.Unified), "PURSER.0106"},
			{"leaves nobody", leave(0, "a"), "PURSER.0108"},
			{"a joins", join(0, "a", "m", account.Unified), ""},
			{"a joins again", join(1, "a", "m", account.Unified), ""},
			{"another master", join(1, "a", "b", account.Unified), "PURSER.0107"},
			{"a chain below", join(1, "b", "a", account.Unified), "PURSER.0107"},
			{"a chain above", join(1, "m", "b", account.Unified), "PURSER.0107"},
			{"b joins", join(1, "b", "m", account.Independent), ""},
			{"the master is closed", set("m", account.Closed), "PURSER.0107"},
			{"before it began", join(2, "a", "m", account.Independent, now.Add(-time.Hour)), "CBC.0100"},
			{"a changes", join(10, "a", "m", account.Independent), ""},
			{"a leaves", leave(20, "a"), ""},
			{"a leaves again", leave(20, "a"), "PURSER.0108"},
			{"back before it left", join(20, "a", "m", account.Unified, now), "CBC.0100"},
			{"back at once", join(20, "a", "c", account.Unified), ""},
			{"gone at once", leave(20, "a"), ""},
			{"and back, the clock standing still", join(20, "a", "m", account.Unified), ""},
		} {
			if k.got != k.want {
				t.Errorf("%s: %q, want %q", k.what, k.got, k.want)
			}
		}
		for days, want := range map[int]string{-1: "a", 0: "m", 9: "m", 10: "a", 19: "a", 20: "m", 99: "m"} {
			if got := payer(days, "a"); got != want {
				t.Errorf("on day %d %s pays for a, want %s", days, got, want)
			}
		}
		if payer(5, "b") != "b" || payer(5, "m") != "m" || payer(5, "nobody") != "nobody" {
			t.Error("who is under independent accounting or no member pays itself")
		}
		err := d.View(ctx, dbtest.At(now.AddDate(0, 0, 12)), func(v *db.View) error {
			r, ok, err := account.MasterOf(ctx, v, "a")
			if got := fmt.Sprintln(ok, r.Master, r.Accounting, r.Since.Sub(now), r.Until.Sub(now)); err != nil || got != "true m independent 240h0m0s 480h0m0s\n" {
				t.Errorf("on day 12: %s, %v", got, err)
			}
			total, page, err := account.Members(ctx, v, "m", 1, 10)
			if err != nil || total != 2 || len(page) != 1 || page[0].Member != "b" || !page[0].Until.IsZero() {
				t.Errorf("members: %d, %+v, %v", total, page, err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What an invoice is made of is the month unless it is said.
func TestInvoiceMethod(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			if err := account.Open(ctx, tx, rand.Reader, &account.Customer{ID: "a"}); err != nil {
				return err
			}
			if c, err := account.Find(ctx, tx, "a"); err != nil || c.InvoiceMethod != account.ByCycle {
				t.Errorf("opened with %q, %v", c.InvoiceMethod, err)
			}
			if _, err := account.Change(ctx, tx, "a", func(c *account.Customer) { c.InvoiceMethod = "never" }); code(err) != "CBC.0100" {
				t.Errorf("never: %v", err)
			}
			_, err := account.Change(ctx, tx, "a", func(c *account.Customer) { c.InvoiceMethod = account.ByOrder })
			if err != nil {
				return err
			}
			if c, err := account.Find(ctx, tx, "a"); err != nil || c.InvoiceMethod != account.ByOrder {
				t.Errorf("changed to %q, %v", c.InvoiceMethod, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
