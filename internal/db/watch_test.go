package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// A change is known to whoever begins after it: readers whose snapshot is older neither hide it for the second that a look counts
// for, nor bring what they load into the memory; nor does what is rolled back.
func TestWatchAmongReadersOfAllAges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, at := t.Context(), time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)
		fail := errors.New("rolled back")
		read := func(ctx context.Context, r db.Reader) (n int64, err error) {
			err = r.QueryRow(ctx, `SELECT n FROM watched`).Scan(&n)
			return n, err
		}
		var watch db.Watch
		look := func(r db.Reader) db.Sight {
			t.Helper()
			seen, err := watch.Look(ctx, r, read)
			if err != nil {
				t.Fatal(err)
			}
			return seen
		}
		view := func(fn func(*db.View)) {
			t.Helper()
			if err := d.View(ctx, dbtest.At(at), func(v *db.View) error { fn(v); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		update := func(text string, then func(*db.Tx) error) {
			t.Helper()
			err := d.Update(ctx, dbtest.At(at), func(tx *db.Tx) error {
				if _, err := tx.Exec(ctx, text); err != nil {
					return err
				}
				return then(tx)
			})
			if err != nil && !errors.Is(err, fail) {
				t.Fatal(err)
			}
		}
		fine := func(*db.Tx) error { return nil }
		if _, err := d.SQL().Exec(`CREATE TABLE watched (n BIGINT NOT NULL)`); err != nil {
			t.Fatal(err)
		}
		update(`INSERT INTO watched VALUES (1)`, fine)
		var first, second db.Sight
		view(func(v *db.View) { first = look(v) })
		if !first.Moved || !first.Keep {
			t.Errorf("the first look: %+v", first)
		}
		view(func(old *db.View) {
			if n, err := read(ctx, old); err != nil || n != 1 { // its snapshot is taken
				t.Fatal(n, err)
			}
			update(`UPDATE watched SET n = 2`, fine)
			watch.Changed()
			if seen := look(old); seen.Serial != first.Serial || seen.Moved {
				t.Errorf("the old reader: %+v", seen)
			}
			view(func(v *db.View) { second = look(v) })
			if second.Serial == first.Serial || !second.Moved || !second.Keep {
				t.Errorf("the change was hidden: %+v", second)
			}
			if seen := look(old); seen.Serial != second.Serial || seen.Keep {
				t.Errorf("the old reader may keep what it loads: %+v", seen)
			}
		})
		view(func(v *db.View) {
			if seen := look(v); seen != (db.Sight{Serial: second.Serial, Keep: true}) {
				t.Errorf("nothing has changed: %+v", seen)
			}
		})

		// What a transaction saw of its own is forgotten when it is rolled back.
		at = at.Add(2 * time.Second)
		var own db.Sight
		update(`UPDATE watched SET n = 3`, func(tx *db.Tx) error {
			own = look(tx)
			return fail
		})
		watch.Changed()
		view(func(v *db.View) {
			if seen := look(v); seen.Serial == own.Serial || !seen.Moved || !seen.Keep {
				t.Errorf("rolled back: %+v", seen)
			}
		})
		update(`UPDATE watched SET n = 3`, fine)
		at = at.Add(2 * time.Second)
		view(func(v *db.View) {
			if seen := look(v); !seen.Moved || !seen.Keep {
				t.Errorf("another node's change, after its second: %+v", seen)
			}
		})
	})
}
