package charge_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

var now = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// Whatever a filter wants and wherever a page begins, it is the one that going through all records would give, and its total is
// theirs: the days that are skipped are skipped rightly. What is kept is the sum of the records.
func TestListIsTheWholeInPieces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 500
		random := rand.New(rand.NewPCG(1, 2))
		fees := make([]charge.Fee, n)
		month := period.CycleOf(now)
		for i := range fees {
			at := month.Span().Start.Add(time.Duration(random.IntN(29*24)) * time.Hour)
			amount := money.Amount(random.IntN(3)) * 1_000_003
			fees[i] = charge.Fee{
				Customer: "c", ID: fmt.Sprintf("RC%04d", i), Bill: []charge.BillType{charge.Usage, charge.Purchase, charge.Tax}[random.IntN(3)], Mode: []int32{charge.OnDemand, charge.ByPeriod}[random.IntN(2)],
				Trade: fmt.Sprint("T", random.IntN(9)), Service: fmt.Sprint("s", random.IntN(3)), ResourceType: "r", Region: fmt.Sprint("r", random.IntN(2)), Project: fmt.Sprint(random.IntN(3)), Payer: "c",
				Official: amount, Amount: amount, Parts: charge.Parts{Cash: amount}, Consumed: period.Span{Start: at, End: at.Add(time.Hour)},
				Traded: at.Add(time.Duration(random.IntN(5)) * time.Hour), Resource: fmt.Sprint("i-", random.IntN(7)),
			}
		}
		ctx := t.Context()
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error { return charge.RecordAll(ctx, tx, fees) })
		if err != nil {
			t.Fatal(err)
		}
		first := period.DateOf(month.Span().Start)
		for _, f := range []charge.Filter{
			{}, {NoZeros: true}, {Service: new("s1")}, {Service: new("none")}, {Mode: charge.ByPeriod, Region: new("r1")}, {Bill: charge.Tax, NoZeros: true}, {Within: []string{"0", "2"}},
			{Within: []string{}}, {From: first + 3, To: first + 9}, {From: first + 3, To: first + 9, Service: new("s2"), NoZeros: true}, {Resource: new("i-3")}, {Resource: new("i-3"), Instances: []string{"none"}}, {Trade: new("T4"), NoZeros: true},
			{Before: now}, {Project: new("1")},
		} {
			err := d.View(ctx, dbtest.At(now), func(v *db.View) error {
				total, all, err := charge.List(ctx, v, "c", month, &f, 0, n)
				if err != nil || total != len(all) {
					t.Errorf("%+v: %d of %d, %v", f, len(all), total, err)
				}
				if f.Resource != nil {
					of := 0
					for i := range fees {
						if fees[i].Resource == *f.Resource {
							of++
						}
					}
					if total != of || of == 0 {
						return fmt.Errorf("%+v: %d, want %d", f, total, of)
					}
				}
				for i := 1; i < len(all); i++ {
					if a, b := &all[i-1], &all[i]; a.Traded.After(b.Traded) || a.Traded.Equal(b.Traded) && a.ID >= b.ID {
						return fmt.Errorf("%+v: %s before %s", f, a.ID, b.ID)
					}
				}
				for _, limit := range []int{1, 7, 100} {
					for offset := 0; offset <= total+3; offset += 1 + random.IntN(20) {
						again, page, err := charge.List(ctx, v, "c", month, &f, offset, limit)
						want := all[min(offset, total):min(offset+limit, total)]
						if err != nil || again != total || len(page) != len(want) {
							return fmt.Errorf("%+v from %d: %d of %d, want %d, %v", f, offset, len(page), again, len(want), err)
						}
						for i := range page {
							if page[i].ID != want[i].ID {
								return fmt.Errorf("%+v from %d: %s, want %s", f, offset, page[i].ID, want[i].ID)
							}
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err = d.View(ctx, dbtest.At(now), func(v *db.View) error {
			wrong, err := charge.CheckSums(ctx, v, "c", 0)
			if len(wrong) > 0 {
				t.Error(wrong)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Without zeros a resource that comes to nothing is left out; one that comes to something keeps its records of nothing, so that its list
// price and discount stay what they are.
func TestResourcesWithoutZeros(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fee := func(id, resource string, official, amount money.Amount) charge.Fee {
			return charge.Fee{
				Customer: "c", ID: id, Bill: charge.Usage, Mode: charge.OnDemand, Trade: id, Service: "s", ResourceType: "r", Region: "r1", Project: "0", Payer: "c", Resource: resource,
				Official: official, Discount: official - amount, Amount: amount, Parts: charge.Parts{Cash: amount}, Consumed: period.Span{Start: now.Add(-time.Hour), End: now}, Traded: now,
			}
		}
		ctx := t.Context()
		fees := []charge.Fee{fee("RC1", "mixed", 500, 500), fee("RC2", "mixed", 300, 0), fee("RC3", "nothing", 200, 0)}
		if err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error { return charge.RecordAll(ctx, tx, fees) }); err != nil {
			t.Fatal(err)
		}
		err := d.View(ctx, dbtest.At(now), func(v *db.View) error {
			for _, grain := range []charge.Grain{charge.ByDay, charge.Grain(0)} {
				total, page, err := charge.Resources(ctx, v, "c", period.CycleOf(now), &charge.Filter{NoZeros: true}, grain, 0, 10)
				if err != nil || total != 1 || len(page) != 1 || page[0].Cloud != "mixed" || page[0].Official != 800 || page[0].Amount != 500 {
					t.Errorf("%d: %+v, %v", total, page, err)
				}
				if total, _, err = charge.Resources(ctx, v, "c", period.CycleOf(now), &charge.Filter{}, grain, 0, 10); err != nil || total != 2 {
					t.Errorf("with zeros: %d, %v", total, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// A kept sum that is wrong is found by who looks since its month, and left to others by who looks since a later one; what usage came to
// is added up from a month on, the one in which it was used.
func TestSumsSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cycle := t.Context(), period.CycleOf(now)
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			fees := []charge.Fee{{
				Customer: "c", ID: "RC1", Bill: charge.Usage, Mode: charge.OnDemand, Trade: "T1", Service: "s", ResourceType: "r", Region: "r1", Project: "0", Payer: "c", Resource: "b",
				UsageType: "f", Used: 5, Official: 300, Amount: 300, Parts: charge.Parts{Cash: 300}, Consumed: period.Span{Start: now.Add(-time.Hour), End: now}, Traded: now,
			}}
			if err := charge.RecordAll(ctx, tx, fees); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE charge_sum SET records = records + 1 WHERE customer = $1`, "c")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.View(ctx, dbtest.At(now), func(v *db.View) error {
			for since, want := range map[period.Cycle]int{0: 1, cycle: 1, cycle + 1: 0} {
				wrong, err := charge.CheckSums(ctx, v, "c", since)
				if err != nil || len(wrong) != want {
					t.Errorf("since %s: %v, %v, want %d", since, wrong, err, want)
				}
				sums, err := charge.UsageSums(ctx, v, "c", since)
				if err != nil || len(sums) != want {
					t.Errorf("since %s: %v, %v, want %d", since, sums, err, want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
