package bill

import (
	"testing"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/period"
)

func date(t *testing.T, text string) period.Date {
	t.Helper()
	at, err := time.ParseInLocation(time.DateOnly, text, period.GMT8)
	if err != nil {
		t.Fatal(err)
	}
	return period.DateOf(at)
}

// A month's files are written until they are final, also after days without an export.
func TestPushMonths(t *testing.T) {
	running := period.CycleOf(date(t, "2026-11-07").Span().Start)
	for since, want := range map[string]int{"": 1, "2026-11-06": 0, "2026-11-05": 0, "2026-11-04": 1, "2026-11-01": 1, "2026-10-31": 1, "2026-10-05": 1, "2026-10-03": 2, "2024-01-01": 12} {
		p := Push{}
		if since != "" {
			p.Since = date(t, since)
		}
		if from, to := p.Months(running); to != running || from != running.Add(-want) {
			t.Errorf("since %s: %s to %s, want %d months before", since, from, to, want)
		}
	}
}

// A day has one export: one node at a time, taken over when it is silent, never again when it is over.
func TestPushLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		day := date(t, "2026-11-07")
		start := day.Span().Start
		update := func(at time.Time, deed func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Update(t.Context(), db.Instants{Now: at, Real: at}, deed); err != nil {
				t.Fatal(err)
			}
		}
		lease := func(day period.Date, at time.Time) (p Push, mine bool) {
			t.Helper()
			update(at, func(tx *db.Tx) (err error) { p, mine, err = LeasePush(t.Context(), tx, day); return err })
			return p, mine
		}
		keep := func(p *Push, at time.Time) (mine bool) {
			t.Helper()
			update(at, func(tx *db.Tx) (err error) { mine, err = KeepPush(t.Context(), tx, p); return err })
			return mine
		}
		a, mine := lease(day, start)
		if !mine || a.Since != 0 || a.Reached != "" {
			t.Fatalf("%+v", a)
		}
		if _, mine := lease(day, start.Add(time.Minute)); mine {
			t.Error("two nodes at once")
		}
		a.Reached, a.Files = "c-5", 3
		if !keep(&a, start.Add(2*time.Minute)) {
			t.Error("not kept")
		}
		if _, mine := lease(day, start.Add(6*time.Minute)); mine {
			t.Error("taken over although it was heard of")
		}
		b, mine := lease(day, start.Add(8*time.Minute))
		if !mine || b.Reached != "c-5" || b.Files != 3 {
			t.Fatalf("%+v", b)
		}
		if keep(&a, start.Add(8*time.Minute)) {
			t.Error("the first one goes on too")
		}
		update(start.Add(9*time.Minute), func(tx *db.Tx) error { return EndPush(t.Context(), tx, &b) })
		if _, mine := lease(day, start.Add(time.Hour)); mine {
			t.Error("made twice")
		}
		if c, mine := lease(day+2, start.Add(49*time.Hour)); !mine || c.Since != day {
			t.Errorf("%+v", c)
		}
	})
}
