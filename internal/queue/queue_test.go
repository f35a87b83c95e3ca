package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
)

// Whatever nodes come, go and fall silent in whatever order: nobody has what another holds, and when every living node has had
// two turns all partitions are held, shares differ by one at most.
func TestDivide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
		leases := map[int]Lease{}
		turn := func(node string, nodes []string) {
			var list []Lease
			for p := range Partitions {
				if l, there := leases[p]; there {
					list = append(list, l)
				}
			}
			keep, take, leave := divide(list, nodes, node, now)
			for _, p := range take {
				if l := leases[p]; l.Node != "" && l.Node != node && l.Until.After(now) {
					t.Fatalf("%s takes %d from %s", node, p, l.Node)
				}
			}
			for _, p := range leave {
				leases[p] = Lease{Partition: p}
			}
			for _, p := range append(keep, take...) {
				leases[p] = Lease{p, node, now.Add(LeaseTime)}
			}
		}
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			nodes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}), 1, 10, rapid.ID[string]).Draw(t, "nodes")
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			for range rapid.IntRange(0, 5).Draw(t, "turns") {
				turn(rapid.SampledFrom(nodes).Draw(t, "node"), nodes)
			}
		}
		nodes := []string{"a", "c", "e"}
		now = now.Add(2 * LeaseTime)
		for range 2 {
			for _, node := range nodes {
				turn(node, nodes)
			}
		}
		held := map[string]int{}
		for p := range Partitions {
			held[leases[p].Node]++
		}
		if held["a"] != 3 || held["c"] != 3 || held["e"] != 2 {
			t.Fatalf("shares: %v", held)
		}
	})
}

// Partitions move when nodes come, go and fall silent; only who holds one commits on it.
func TestShare(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
		update := func(deed func(tx *db.Tx) error) error {
			return d.Update(t.Context(), db.Instants{Now: now, Real: now, Apart: true}, deed)
		}
		share := func(node string, want int) (mine []int) {
			t.Helper()
			if err := update(func(tx *db.Tx) (err error) { mine, err = Share(t.Context(), tx, node); return err }); err != nil {
				t.Fatal(err)
			}
			if len(mine) != want {
				t.Fatalf("%s has %v, want %d", node, mine, want)
			}
			return mine
		}
		hold := func(p int, node string) error {
			return update(func(tx *db.Tx) error { return Hold(t.Context(), tx, p, node) })
		}
		share("a", 8)
		share("b", 0)
		left := share("a", 4)
		mine := share("b", 4)
		for _, p := range mine {
			if slices.Contains(left, p) || hold(p, "b") != nil || !errors.Is(hold(p, "a"), ErrNotHeld) {
				t.Errorf("partition %d: %v, %v", p, hold(p, "b"), hold(p, "a"))
			}
		}
		now = now.Add(LeaseTime - time.Second)
		share("b", 4)
		now = now.Add(2 * time.Second) // a was silent
		share("b", 8)
		if err := hold(left[0], "a"); !errors.Is(err, ErrNotHeld) {
			t.Errorf("who was silent: %v", err)
		}
		if err := update(func(tx *db.Tx) error { return Leave(t.Context(), tx, "b") }); err != nil {
			t.Fatal(err)
		}
		share("c", 8)
	})
}

// A partition that changes its leader is not away; one that has been silent for longer is, and says so until it answers again.
func TestAway(t *testing.T) {
	var missed [Partitions]int
	say := func(want string) {
		t.Helper()
		if got := away(&missed); got != want {
			t.Errorf("%v: %q, want %q", missed, got, want)
		}
	}
	say("")
	missed[3] = awayLooks - 1
	say("")
	missed[3], missed[5] = awayLooks, awayLooks+7
	say("2 of 8 partitions of the queue do not answer")
	for p := range missed {
		missed[p] = awayLooks
	}
	say("the queue does not answer")
}

// What is put into the server inside comes out of its partition until it is acknowledged, also after the server was closed and opened
// again, and then no more.
func TestInside(t *testing.T) {
	t.Parallel()
	config := Config{Listen: "127.0.0.1:0", Secret: "test", Folder: t.TempDir(), Replicas: 1, Log: slog.New(slog.DiscardHandler)}
	open := func() *Queue {
		q, err := Open(config)
		if err != nil {
			t.Fatal(err)
		}
		<-q.Reached()
		return q
	}
	take := func(q *Queue, want int) (list []Taken) {
		t.Helper()
		for len(list) < want {
			some, err := q.Take(t.Context(), 3, 4*bodyMost, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, some...)
		}
		if len(list) != want {
			t.Fatalf("%d messages, want %d", len(list), want)
		}
		return list
	}
	q := open()
	var list []Message
	for i := range 5 {
		list = append(list, Message{3, fmt.Append(nil, i)})
	}
	if err := q.Put(t.Context(), list); err != nil || q.Away() != "" {
		t.Fatal(err, q.Away())
	}
	for i, m := range take(q, 5) {
		if string(m.Body) != fmt.Sprint(i) {
			t.Errorf("message %d: %s", i, m.Body)
		}
		if i < 3 {
			if err := m.Done(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for waiting := q.Messages(t.Context()); waiting[3] != 2; waiting = q.Messages(t.Context()) {
		if len(waiting) != Partitions {
			t.Fatal(waiting)
		}
	}
	q.Close()
	q = open()
	defer q.Close()
	if waiting := q.Messages(t.Context()); len(waiting) != Partitions || waiting[3] != 2 {
		t.Errorf("%v wait", waiting)
	}
	second := config
	if _, err := Open(second); err == nil || !strings.Contains(err.Error(), config.Folder+" is another running server's") {
		t.Errorf("a second server in one folder: %v", err)
	}
}
