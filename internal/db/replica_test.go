package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// A standby that follows is read from; one that has stopped replaying is read from as long as it is near enough, and says of when
// it is; then, and whenever it cannot answer, the primary is.
func TestOlder(t *testing.T) {
	pair := dbtest.NewPair(t)
	ctx := context.Background()
	d := openAt(t, pair.Writable)
	standby := openAt(t, pair.StandbyAlone())
	if _, err := d.SQL().Exec(`CREATE TABLE note (id TEXT NOT NULL PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	if err := d.Follow(pair.Standby, 10*time.Second); err != nil { // both hosts: the one that follows is found
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 28, 4, 0, 0, 0, time.UTC)
	seconds := func(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }
	add := func(id string) {
		t.Helper()
		err := d.Update(ctx, dbtest.At(start), func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO note (id) VALUES ($1)`, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(v *db.View) (out []string, err error) {
		rows, err := v.Query(ctx, `SELECT id FROM note ORDER BY id`)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return nil, err
			}
			out = append(out, id)
		}
		return out, rows.Err()
	}
	// read says what is seen at an instant, and as of when; the zero time: on the primary.
	read := func(at time.Time, about string, least time.Time) (seen string, asOf time.Time) {
		t.Helper()
		asOf, err := d.Older(ctx, db.Instants{Now: at, Real: at, About: about}, least, func(v *db.View) error {
			ids, err := list(v)
			seen = strings.Join(ids, " ")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen, asOf
	}
	follows := func(at time.Time, about, want string) time.Time {
		t.Helper()
		for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if seen, asOf := read(at, about, time.Time{}); !asOf.IsZero() && seen == want {
				return asOf
			} else if time.Now().After(limit) {
				t.Fatalf("the standby does not follow: %q as of %s", seen, asOf)
			}
			at = at.Add(10 * time.Millisecond) // a mark is only taken again when time passes
		}
	}
	check := func(what, seen string, asOf time.Time, want string, replica bool) {
		t.Helper()
		if seen != want || asOf.IsZero() == replica {
			t.Errorf("%s: saw %q as of %v, want %q, of a replica: %v", what, seen, asOf, want, replica)
		}
	}

	add("a")
	reached := follows(seconds(0), "", "a")
	if _, err := standby.SQL().Exec(`SELECT pg_wal_replay_pause()`); err != nil {
		t.Fatal(err)
	}
	for state := ""; state != "paused"; {
		if err := standby.SQL().QueryRow(`SELECT pg_get_wal_replay_pause_state()`).Scan(&state); err != nil {
			t.Fatal(err)
		}
	}
	add("b")
	seen, asOf := read(reached.Add(5*time.Second), "", time.Time{})
	check("paused, within the lag", seen, asOf, "a", true)
	if asOf.After(reached.Add(time.Second)) {
		t.Errorf("it says %s, but had stopped by %s", asOf, reached)
	}
	if lag, err := d.ReplicaLag(ctx, reached.Add(6*time.Second)); err != nil || lag < 5*time.Second {
		t.Errorf("lag %s, %v", lag, err)
	}
	d.Wrote("me")
	seen, asOf = read(reached.Add(5*time.Second), "me", time.Time{})
	check("who has written", seen, asOf, "a b", false)
	seen, asOf = read(reached.Add(5*time.Second), "other", time.Time{})
	check("somebody else", seen, asOf, "a", true)
	seen, asOf = read(reached.Add(5*time.Second), "", reached.Add(4*time.Second))
	check("no older than", seen, asOf, "a b", false)
	seen, asOf = read(reached.Add(12*time.Second), "", time.Time{})
	check("beyond the lag", seen, asOf, "a b", false)
	old, primary := d.ReplicaReads()
	if old == 0 || primary < 3 {
		t.Errorf("%d reads of the replica, %d of the primary", old, primary)
	}

	if _, err := standby.SQL().Exec(`SELECT pg_wal_replay_resume()`); err != nil {
		t.Fatal(err)
	}
	asOf = follows(seconds(20), "me", "a b")
	lag, err := d.ReplicaLag(ctx, asOf.Add(time.Second))
	if err != nil || lag > 2*time.Second {
		t.Errorf("lag %s, %v", lag, err)
	}

	// What fails on the replica is done on the primary; what is read there never counts as the newest.
	ran := 0
	failed := errors.New("as if it had gone away")
	asOf, err = d.Older(ctx, dbtest.At(asOf), time.Time{}, func(v *db.View) error {
		if ran++; db.IsOlder(v) {
			return failed
		}
		return nil
	})
	if err != nil || ran != 2 || !asOf.IsZero() {
		t.Errorf("ran %d times, %v, as of %s", ran, err, asOf)
	}
	looks := 0
	var watch db.Watch
	look := func(context.Context, db.Reader) (int64, error) { looks++; return 7, nil }
	at := seconds(40)
	follows(at, "", "a b")
	for range 3 {
		_, err := d.Older(ctx, dbtest.At(at), time.Time{}, func(v *db.View) error { _, err := watch.Look(ctx, v, look); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := d.View(ctx, dbtest.At(at), func(v *db.View) error { _, err := watch.Look(ctx, v, look); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if looks != 4 {
		t.Errorf("%d looks, want each of the replica's and one of the primary's", looks)
	}

	// A standby that is gone costs nothing but the look, once a second; it is found again.
	pair.StopStandby()
	seen, asOf = read(seconds(60), "", time.Time{})
	check("no standby", seen, asOf, "a b", false)
	seen, asOf = read(seconds(60.5), "", time.Time{})
	check("no standby, not asked", seen, asOf, "a b", false)
	pair.StartStandby()
	add("c")
	follows(seconds(65), "", "a b c")

	// One that was promoted is no standby any more.
	if _, err := openAt(t, pair.StandbyAlone()).SQL().Exec(`SELECT pg_promote()`); err != nil {
		t.Fatal(err)
	}
	add("d")
	for _, n := range []float64{80, 82, 84} {
		seen, asOf = read(seconds(n), "", time.Time{})
		check("promoted", seen, asOf, "a b c d", false)
	}

	// The primary goes: the same store goes on with the promoted one, without being opened anew.
	pair.StopPrimary()
	add("e")
	seen, asOf = read(seconds(90), "", time.Time{})
	check("failed over", seen, asOf, "a b c e", false)
}

func TestNoReplicaOfSQLite(t *testing.T) {
	d := dbtest.SQLite(t)
	if err := d.Follow("postgres://127.0.0.1/x", time.Second); err == nil || !strings.Contains(err.Error(), "only PostgreSQL") {
		t.Errorf("%v", err)
	}
	asOf, err := d.Older(context.Background(), at, time.Time{}, func(v *db.View) error { return nil })
	if err != nil || !asOf.IsZero() || d.HasReplica() {
		t.Errorf("%s, %v", asOf, err)
	}
}

func openAt(t *testing.T, address string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() }) //nolint:errcheck // its server may be gone
	return d
}
