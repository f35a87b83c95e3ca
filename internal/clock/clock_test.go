package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

var real = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func TestClocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		var wall, otherNode clock.Wall
		shows := func(w *clock.Wall, at time.Time, customer string) (now time.Time) {
			t.Helper()
			err := d.View(ctx, dbtest.At(at), func(v *db.View) (err error) { now, err = w.Now(ctx, v, customer); return err })
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		move := func(scope string, at time.Time) error {
			err := d.Update(ctx, dbtest.At(real), func(tx *db.Tx) error { return clock.Move(ctx, tx, scope, at) })
			wall.Changed()
			return err
		}
		if got := shows(&wall, real, "c"); !got.Equal(real) {
			t.Errorf("without a clock: %s", got)
		}
		shows(&otherNode, real, "c")
		day, year := real.AddDate(0, 0, 1), real.AddDate(1, 0, 0)
		if err := move("c", year); err != nil {
			t.Fatal(err)
		}
		if err := move(clock.House, day); err != nil {
			t.Fatal(err)
		}
		for name, k := range map[string]struct {
			wall     *clock.Wall
			at       time.Time
			customer string
			want     time.Time
		}{
			"its own clock":            {&wall, real, "c", year},
			"the house's":              {&wall, real, "other", day},
			"it stands still":          {&wall, real.Add(time.Hour), "c", year},
			"real time has caught up":  {&wall, day.Add(time.Hour), "other", day.Add(time.Hour)},
			"another node in a second": {&otherNode, real.Add(1001 * time.Millisecond), "c", year},
		} {
			if got := shows(k.wall, k.at, k.customer); !got.Equal(k.want) {
				t.Errorf("%s: %s, want %s", name, got, k.want)
			}
		}
		for name, at := range map[string]time.Time{"back": year.Add(-time.Second), "before real time": real.Add(-time.Hour), "a mistyped year": real.AddDate(100, 0, 0)} {
			if err := move("c", at); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		all := func(w *clock.Wall, at time.Time) (scopes string) {
			t.Helper()
			if err := d.View(ctx, dbtest.At(at), func(v *db.View) error {
				list, err := w.All(ctx, v)
				for _, b := range list {
					scopes += b.Scope + b.At.Format(" 2006-01-02;")
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return scopes
		}
		later := real.Add(2 * time.Second)
		if got, want := all(&wall, later), " 2026-11-24;c 2027-11-23;"; got != want {
			t.Errorf("all: %s, want %s", got, want)
		}
		// What nobody has moved is not read again: a row that changes behind the version's back is not seen.
		if _, err := d.SQL().Exec(`UPDATE clock_bound SET at = at + 86400000000 WHERE scope = 'c'`); err != nil {
			t.Fatal(err)
		}
		if got, want := all(&wall, later.Add(time.Hour)), " 2026-11-24;c 2027-11-23;"; got != want {
			t.Errorf("unmoved: %s, want %s", got, want)
		}
		if err := move("c", year.AddDate(0, 0, 2)); err != nil {
			t.Fatal(err)
		}
		if got, want := all(&wall, later.Add(time.Hour)), " 2026-11-24;c 2027-11-25;"; got != want {
			t.Errorf("moved: %s, want %s", got, want)
		}
		year = year.AddDate(0, 0, 2)
		if err := move("new", day.Add(-time.Hour)); err == nil {
			t.Error("a customer's clock was set before the house's, which it has lived by")
		}
		if err := move("c", year); err != nil {
			t.Errorf("to where it is: %v", err)
		}
	})
}
