package ledger_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
)

var at = dbtest.At(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))

const dollar = money.Amount(100_000_000)

func post(d *db.DB, customer, cause, reference string, postings ...ledger.Posting) error {
	return d.Update(context.Background(), at, func(tx *db.Tx) error {
		return ledger.Post(context.Background(), tx, rand.Reader, &ledger.Entry{Customer: customer, Cause: cause, Reference: reference, Postings: postings})
	})
}

func balances(t testing.TB, d *db.DB, customer string) (b ledger.Balances) {
	t.Helper()
	err := d.View(context.Background(), at, func(v *db.View) (err error) {
		b, err = ledger.Of(context.Background(), v, customer)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func differences(t testing.TB, d *db.DB, customer string) (out []ledger.Difference) {
	t.Helper()
	err := d.View(context.Background(), at, func(v *db.View) (err error) {
		out, err = ledger.Check(context.Background(), v, customer)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPosting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := post(d, "c", "topup", "1", ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 100 * dollar}); err != nil {
			t.Fatal(err)
		}
		if err := post(d, "c", "topup", "1", ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 100 * dollar}); !errors.Is(err, ledger.ErrBooked) {
			t.Errorf("the same top-up twice: %v", err)
		}
		if err := post(d, "other", "topup", "1", ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: dollar}); err != nil {
			t.Errorf("another customer's: %v", err)
		}
		if err := post(d, "c", "payment", "o1", ledger.Posting{Giver: ledger.Cash, Taker: ledger.Revenue, Amount: 101 * dollar}); !errors.Is(err, ledger.ErrShort) {
			t.Errorf("more than there is: %v", err)
		}
		err := post(d, "c", "payment", "o1", ledger.Posting{Giver: ledger.Cash, Taker: ledger.Revenue, Amount: 100 * dollar}, ledger.Posting{Giver: ledger.Credit, Taker: ledger.Revenue, Amount: 5 * dollar})
		if err != nil {
			t.Fatal(err)
		}
		if b := balances(t, d, "c"); b.Cash != 0 || b.Credit != 5*dollar {
			t.Errorf("after the payment: %+v", b)
		}
		if diff := differences(t, d, "c"); len(diff) != 0 {
			t.Errorf("%v", diff)
		}
	})
}

// The tables themselves refuse what would break the books: tried by hand, around the room's code.
func TestTablesHoldTheBooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if err := post(d, "c", "topup", "1", ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: dollar}); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"a negative amount":             `INSERT INTO ledger_posting (customer, entry, line, giver, taker, amount) SELECT customer, id, 7, 'topup', 'cash', -5 FROM ledger_entry`,
			"from an account to itself":     `INSERT INTO ledger_posting (customer, entry, line, giver, taker, amount) SELECT customer, id, 7, 'cash', 'cash', 5 FROM ledger_entry`,
			"a posting without entry":       `INSERT INTO ledger_posting (customer, entry, line, giver, taker, amount) VALUES ('c', 'none', 0, 'topup', 'cash', 5)`,
			"one side only":                 `INSERT INTO ledger_posting (customer, entry, line, giver, amount) SELECT customer, id, 7, 'topup', 5 FROM ledger_entry`,
			"cash below zero":               `UPDATE ledger_balance SET amount = -1 WHERE customer = 'c'`,
			"an entry without its postings": `DELETE FROM ledger_entry WHERE customer = 'c'`,
		} {
			err := d.Update(ctx, at, func(tx *db.Tx) error { _, err := tx.Exec(ctx, text); return err })
			if err == nil {
				t.Errorf("%s was taken", name)
			}
		}
	})
}

// A balance that somebody changed by hand is found and named; the customer is parked and comes back.
func TestCheckParkRelease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		topUp := func(reference string) error {
			return post(d, "c", "topup", reference, ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: dollar})
		}
		if err := topUp("1"); err != nil {
			t.Fatal(err)
		}
		do := func(deed func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Update(ctx, at, deed); err != nil {
				t.Fatal(err)
			}
		}
		do(func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE ledger_balance SET amount = amount + 1 WHERE customer = 'c'`)
			return err
		})
		diff := differences(t, d, "c")
		if len(diff) != 1 || diff[0].String() != "customer c, account cash: kept 1.00000001, postings come to 1" {
			t.Fatalf("%v", diff)
		}
		do(func(tx *db.Tx) error { return ledger.Park(ctx, tx, "c", "cash differs") })
		if err := topUp("2"); !fault.Is(err, "PURSER.0302") || !strings.Contains(err.Error(), "cash differs") {
			t.Errorf("money moved for a parked customer: %v", err)
		}
		do(func(tx *db.Tx) error { return ledger.Release(ctx, tx, "c") })
		if err := topUp("2"); err != nil {
			t.Errorf("after the release: %v", err)
		}
		if err := d.Update(ctx, at, func(tx *db.Tx) error { return ledger.Release(ctx, tx, "c") }); !fault.Is(err, "PURSER.0303") {
			t.Errorf("released twice: %v", err)
		}
	})
}

// Any interleaving of movements by many: no balance below zero, none lost, kept = recomputed.
func TestConcurrentMovements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rounds := 0
		rapid.Check(t, func(rt *rapid.T) {
			if rounds++; rounds > 5 {
				return // each round is many transactions
			}
			customer := fmt.Sprint("c", rounds)
			amounts := rapid.SliceOfN(rapid.Int64Range(1, 5), 24, 24).Draw(rt, "amounts")
			var mu sync.Mutex
			var want money.Amount
			var wg sync.WaitGroup
			for i, n := range amounts {
				wg.Go(func() {
					p, cause := ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: money.Amount(n) * dollar}, "topup"
					if i%2 == 1 {
						p, cause = ledger.Posting{Giver: ledger.Cash, Taker: ledger.Revenue, Amount: money.Amount(n) * dollar}, "payment"
					}
					err := post(d, customer, cause, fmt.Sprint(i), p)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case errors.Is(err, ledger.ErrShort):
					case err != nil:
						t.Error(err)
					case cause == "topup":
						want += p.Amount
					default:
						want -= p.Amount
					}
				})
			}
			wg.Wait()
			if b := balances(t, d, customer); b.Cash != want || b.Cash < 0 {
				rt.Fatalf("cash %s, want %s", b.Cash, want)
			}
			if diff := differences(t, d, customer); len(diff) != 0 {
				rt.Fatalf("%v", diff)
			}
		})
	})
}

func TestListAndWalk(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for i := range 5 {
			if err := post(d, "c", "topup", fmt.Sprint(i), ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: dollar}, ledger.Posting{Giver: ledger.Promotion, Taker: ledger.Bonus, Amount: dollar}); err != nil {
				t.Fatal(err)
			}
		}
		if err := post(d, "b", "topup", "1", ledger.Posting{Giver: ledger.Topup, Taker: ledger.Cash, Amount: dollar}); err != nil {
			t.Fatal(err)
		}
		err := d.View(context.Background(), at, func(v *db.View) error {
			total, page, err := ledger.List(context.Background(), v, "c", 3, 10)
			if err != nil || total != 5 || len(page) != 2 || len(page[0].Postings) != 2 {
				t.Errorf("%d %+v %v", total, page, err)
			}
			first, err := ledger.Customers(context.Background(), v, "", 1)
			if err != nil || len(first) != 1 || first[0] != "b" {
				t.Errorf("%v %v", first, err)
			}
			rest, err := ledger.Customers(context.Background(), v, "b", 10)
			if err != nil || len(rest) != 1 || rest[0] != "c" {
				t.Errorf("%v %v", rest, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Rows of the books are only added: the engine itself refuses anything else, whoever tries.
func TestPostingsAreOnlyAdded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		at := dbtest.At(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC))
		err := d.Update(ctx, at, func(tx *db.Tx) error {
			return ledger.Post(ctx, tx, rand.Reader, &ledger.Entry{Customer: "c", Cause: "topup", Reference: "1", Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 5}}})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			`UPDATE ledger_posting SET amount = 6`, `DELETE FROM ledger_posting`, `UPDATE ledger_entry SET note = 'x'`, `DELETE FROM ledger_entry`,
			`INSERT INTO ledger_posting (customer, entry, line, giver, taker, amount) VALUES ('c', 'none', 0, 'topup', 'cash', 1)`, // of no entry
			`INSERT INTO ledger_posting (customer, entry, line, giver, taker, amount) SELECT customer, id, 7, 'topup', 'topup', 1 FROM ledger_entry`,
			`INSERT INTO ledger_posting (customer, entry, line, giver, taker, amount) SELECT customer, id, 7, 'topup', 'cash', -1 FROM ledger_entry`,
		} {
			if err := d.Update(ctx, at, func(tx *db.Tx) error { _, err := tx.Exec(ctx, text); return err }); err == nil {
				t.Errorf("%s was taken", text)
			}
		}
	})
}
