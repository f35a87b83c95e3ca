package quota

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/period"
)

// at reads "2024-01-01 10:30:00" as GMT+8.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.ParseInLocation(time.DateTime, text, period.GMT8)
	if err != nil {
		t.Fatal(err)
	}
	return instant.UTC()
}

func show(t time.Time) string { return t.In(period.GMT8).Format(time.DateTime) }

func resettable(from time.Time, cycle, cycleType int32, unit period.Unit, n int) *Package {
	return &Package{Reuse: Resettable, Cycle: cycle, CycleType: cycleType, Effective: from, Expires: period.End(from, unit, n)}
}

// The worked examples of billing-rules 4, and what follows from them.
func TestCycles(t *testing.T) {
	for _, c := range []struct {
		from             string
		cycle, cycleType int32
		months           int
		want             []string // starts, then the end of the last
	}{
		{"2024-08-26 18:00:00", monthly, byCalendar, 1, []string{"2024-08-26 18:00:00", "2024-09-01 00:00:00", "2024-09-27 00:00:00"}},
		{"2024-01-31 10:30:00", monthly, fromAnchor, 3, []string{"2024-01-31 10:30:00", "2024-03-01 00:00:00", "2024-04-01 00:00:00", "2024-05-01 00:00:00"}},
		{"2024-02-29 00:00:00", yearly, fromAnchor, 24, []string{"2024-02-29 00:00:00", "2025-03-01 00:00:00", "2026-03-01 00:00:00"}},
		{"2024-11-15 12:00:00", yearly, byCalendar, 12, []string{"2024-11-15 12:00:00", "2025-01-01 00:00:00", "2025-11-16 00:00:00"}},
		{"2024-02-28 12:00:00", weekly, byCalendar, 1, []string{"2024-02-28 12:00:00", "2024-03-04 00:00:00", "2024-03-11 00:00:00", "2024-03-18 00:00:00", "2024-03-25 00:00:00", "2024-03-29 00:00:00"}},
		{"2024-02-28 12:00:00", weekly, fromAnchor, 1, []string{"2024-02-28 12:00:00", "2024-03-07 00:00:00", "2024-03-14 00:00:00", "2024-03-21 00:00:00", "2024-03-28 00:00:00", "2024-03-29 00:00:00"}},
	} {
		p := resettable(at(t, c.from), c.cycle, c.cycleType, period.Month, c.months)
		for k := range len(c.want) - 1 {
			s := p.Span(k)
			if show(s.Start) != c.want[k] || show(s.End) != c.want[k+1] {
				t.Errorf("%s, cycle %d of type %d, %d: %s to %s, want %s to %s", c.from, c.cycle, c.cycleType, k, show(s.Start), show(s.End), c.want[k], c.want[k+1])
			}
		}
		if last, s := p.Running(p.Expires); last != len(c.want)-2 || !s.End.Equal(p.Expires) {
			t.Errorf("%s: the last cycle is %d, %v", c.from, last, s)
		}
		if first, s := p.Running(p.Effective.Add(-time.Hour)); first != 0 || !s.Start.Equal(p.Effective) {
			t.Errorf("%s: the first cycle is %d, %v", c.from, first, s)
		}
	}
	once := &Package{Reuse: OneOff, Effective: at(t, "2024-08-26 18:00:00"), Expires: at(t, "2025-08-27 00:00:00")}
	if k, s := once.Running(at(t, "2025-01-01 00:00:00")); k != 0 || !s.Start.Equal(once.Effective) || !s.End.Equal(once.Expires) {
		t.Errorf("once: %d, %v", k, s)
	}
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// tile checks that the cycles of a package lie end to end from its beginning to its end, and that each instant finds
// its own.
func tile(t failer, p *Package) {
	t.Helper()
	edge, k := p.Effective, 0
	for ; edge.Before(p.Expires); k++ {
		s := p.Span(k)
		if !s.Start.Equal(edge) || !s.End.After(s.Start) {
			t.Fatalf("from %s, cycle %d of type %d, %d: %s to %s, the one before ended %s", show(p.Effective), p.Cycle, p.CycleType, k, show(s.Start), show(s.End), show(edge))
		}
		for _, instant := range []time.Time{s.Start, s.Start.Add(s.End.Sub(s.Start) / 2), s.End.Add(-time.Microsecond)} {
			if got, found := p.Running(instant); got != k || found != s {
				t.Fatalf("from %s, cycle %d of type %d: %s lies in %d, %v, want %d, %v", show(p.Effective), p.Cycle, p.CycleType, show(instant), got, found, k, s)
			}
		}
		edge = s.End
	}
	if !edge.Equal(p.Expires) {
		t.Fatalf("from %s: the cycles end %s, the package %s", show(p.Effective), show(edge), show(p.Expires))
	}
}

// For every purchase day of four years around a leap year: the cycles of four years tile.
func TestCyclesTileForEveryPurchaseDay(t *testing.T) {
	for first := time.Date(2023, 1, 1, 15, 4, 5, 6000, period.GMT8); first.Year() < 2027; first = first.AddDate(0, 0, 1) {
		for _, cycleType := range []int32{byCalendar, fromAnchor} {
			for _, cycle := range []int32{weekly, monthly, yearly} {
				tile(t, resettable(first.UTC(), cycle, cycleType, period.Year, 4))
			}
			tile(t, resettable(first.UTC(), daily, cycleType, period.Month, 2))
			tile(t, resettable(first.UTC(), hourly, cycleType, period.Day, 2))
		}
	}
}

func TestCyclesTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.UnixMicro(rapid.Int64Range(0, 5e15).Draw(t, "microsecond")).UTC()
		unit := rapid.SampledFrom([]period.Unit{period.Hour, period.Day, period.Month, period.Year}).Draw(t, "unit")
		cycle := rapid.Int32Range(weekly, yearly).Draw(t, "cycle")
		if unit == period.Hour || unit == period.Day {
			cycle = rapid.Int32Range(hourly, yearly).Draw(t, "short cycle")
		}
		tile(t, resettable(first, cycle, rapid.SampledFrom([]int32{byCalendar, fromAnchor}).Draw(t, "type"), unit, rapid.IntRange(1, 10).Draw(t, "n")))
	})
}
