package period

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// at reads "2024-01-01 10:30:00" as GMT+8.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	instant, err := time.ParseInLocation(time.DateTime, text, GMT8)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

func show(t time.Time) string { return t.In(GMT8).Format(time.DateTime) }

// The worked examples of billing-rules 2.1, and what follows from them.
func TestExpiry(t *testing.T) {
	for _, c := range []struct {
		bought string
		unit   Unit
		n      int
		want   string
	}{
		{"2024-01-01 10:30:00", Month, 1, "2024-02-01 23:59:59"},
		{"2024-03-31 10:00:00", Month, 1, "2024-04-30 23:59:59"},
		{"2024-03-31 10:00:00", Month, 2, "2024-05-31 23:59:59"},
		{"2024-01-31 00:00:00", Month, 1, "2024-02-29 23:59:59"},
		{"2023-01-31 23:59:59", Month, 1, "2023-02-28 23:59:59"},
		{"2023-01-31 23:59:59", Month, 2, "2023-03-31 23:59:59"},
		{"2024-02-29 12:00:00", Year, 1, "2025-02-28 23:59:59"},
		{"2024-02-29 12:00:00", Year, 4, "2028-02-29 23:59:59"},
		{"2024-11-30 12:00:00", Month, 3, "2025-02-28 23:59:59"},
		{"2024-12-31 23:59:59", Day, 1, "2025-01-01 23:59:59"},
		{"2024-12-31 23:30:00", Hour, 1, "2025-01-01 00:29:59"},
		{"2024-05-05 05:05:05", Month, 0, "2024-05-05 23:59:59"},
	} {
		if got := show(LastSecond(End(at(t, c.bought), c.unit, c.n))); got != c.want {
			t.Errorf("bought %s for %d %s: expires %s, want %s", c.bought, c.n, c.unit, got, c.want)
		}
	}
	// The day is that of GMT+8, wherever the instant comes from: 17:00 UTC is already the next day.
	bought := time.Date(2024, 1, 30, 17, 0, 0, 0, time.UTC)
	if got := show(LastSecond(End(bought, Month, 1))); got != "2024-02-29 23:59:59" {
		t.Errorf("bought on the 31st of GMT+8: %s", got)
	}
	if got := End(bought, Month, 1).Location(); got != time.UTC {
		t.Errorf("an end comes in %v", got)
	}
}

// The refund example of billing-rules 2.8: 758 hours ordered, 344 used.
func TestRefundHours(t *testing.T) {
	term := Term(at(t, "2024-01-01 10:30:00"), Month, 0)
	if got := term.Hours(); got != 758 {
		t.Errorf("order of %d hours, want 758", got)
	}
	for instant, want := range map[string]int64{
		"2024-01-15 18:40:00": 344, "2024-01-01 10:30:00": 0, "2024-01-01 10:59:59": 0, "2024-01-01 11:00:00": 1,
		"2023-12-31 00:00:00": 0, "2024-02-01 23:59:59": 757, "2024-02-02 00:00:00": 758, "2025-01-01 00:00:00": 758,
	} {
		if got := term.HoursUsed(at(t, instant)); got != want {
			t.Errorf("unsubscribed %s: %d hours used, want %d", instant, got, want)
		}
	}
	backwards := Span{term.End, term.Start}
	if backwards.Hours() != 0 || backwards.HoursUsed(term.Start) != 0 {
		t.Error("an empty span has hours")
	}
	if got := (Span{time.Unix(-1, 0), time.Unix(1, 0)}).Hours(); got != 1 { // 23:59:59 counts from 23:00, in any year
		t.Errorf("across 1970: %d hours, want 1", got)
	}
}

// For every start day of four years around a leap year, and one before a century without one: the periods tile, the day
// comes back, months and years agree.
func TestPeriodsTileForEveryStartDay(t *testing.T) {
	for _, from := range []int{2023, 2099} {
		for day := time.Date(from, 1, 1, 15, 4, 5, 6, GMT8); day.Year() < from+4; day = day.AddDate(0, 0, 1) {
			for _, unit := range []Unit{Hour, Day, Month, Year} {
				tile(t, day, unit, 26)
			}
		}
	}
}

func TestPeriodsTile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anchor := time.Unix(rapid.Int64Range(-1e9, 5e9).Draw(t, "second"), 0)
		tile(t, anchor, rapid.SampledFrom([]Unit{Hour, Day, Month, Year}).Draw(t, "unit"), rapid.IntRange(1, 60).Draw(t, "n"))
	})
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// tile checks n periods of an anchor one after the other.
func tile(t failer, anchor time.Time, unit Unit, n int) {
	t.Helper()
	edge := anchor
	day := anchor.In(GMT8).Day()
	for k := range n {
		term := Term(anchor, unit, k)
		if !term.Start.Equal(edge) || !term.End.After(term.Start) {
			t.Fatalf("anchor %s, %s %d: %s to %s, the one before ended %s", show(anchor), unit, k, show(term.Start), show(term.End), show(edge))
		}
		if !term.Contains(term.Start) || term.Contains(term.End) || !term.Contains(LastSecond(term.End)) {
			t.Fatalf("anchor %s, %s %d is not half-open", show(anchor), unit, k)
		}
		edge = term.End
		last := edge.Add(-time.Nanosecond).In(GMT8)
		switch unit {
		case Month, Year:
			months, _ := Months(unit, k+1)
			want := min(day, DaysIn(last.Year(), last.Month()))
			a := anchor.In(GMT8)
			passed := (last.Year()-a.Year())*12 + int(last.Month()) - int(a.Month())
			if last.Day() != want || passed != months || show(LastSecond(edge))[11:] != "23:59:59" {
				t.Fatalf("anchor %s, %s %d ends %s, want day %d, %d months on", show(anchor), unit, k, show(LastSecond(edge)), want, months)
			}
		case Day:
			if got := DaysBetween(anchor, last); got != int64(k+1) {
				t.Fatalf("anchor %s: day %d ends %d days on", show(anchor), k, got)
			}
		case Hour:
			if got := term.End.Sub(term.Start); got != time.Hour {
				t.Fatalf("an hour of %s", got)
			}
		}
	}
}

// k renewals of one month end where one of k months ends, and renewals of months and years in any order too.
func TestRenewalsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		anchor := time.Unix(rapid.Int64Range(0, 5e9).Draw(t, "second"), 0)
		total := 0
		var end time.Time
		for range rapid.IntRange(1, 24).Draw(t, "renewals") {
			unit := rapid.SampledFrom([]Unit{Month, Year}).Draw(t, "unit")
			n, ok := Months(unit, rapid.IntRange(1, 3).Draw(t, "n"))
			if !ok {
				t.Fatal("no months")
			}
			total += n
			if next := End(anchor, Month, total); !next.After(end) {
				t.Fatalf("renewal ends %s, before it %s", next, end)
			} else {
				end = next
			}
		}
		if total%12 == 0 && !End(anchor, Year, total/12).Equal(end) {
			t.Fatalf("%d years end %s, their months %s", total/12, End(anchor, Year, total/12), end)
		}
		if got := Term(anchor, Month, total-1).End; !got.Equal(end) {
			t.Fatalf("month %d ends %s, %d months end %s", total, got, total, end)
		}
	})
}

func TestMonths(t *testing.T) {
	if n, ok := Months(Year, 3); n != 36 || !ok {
		t.Errorf("3 years: %d, %t", n, ok)
	}
	if _, ok := Months(Day, 30); ok {
		t.Error("days have months")
	}
}

func TestWindow(t *testing.T) {
	instant := at(t, "2024-02-29 23:15:00")
	for unit, want := range map[Unit][2]string{
		Hour:  {"2024-02-29 23:00:00", "2024-03-01 00:00:00"},
		Day:   {"2024-02-29 00:00:00", "2024-03-01 00:00:00"},
		Month: {"2024-02-01 00:00:00", "2024-03-01 00:00:00"},
		Year:  {"2024-01-01 00:00:00", "2025-01-01 00:00:00"},
	} {
		w, ok := Window(instant.UTC(), unit)
		if !ok || show(w.Start) != want[0] || show(w.End) != want[1] {
			t.Errorf("%s: %s to %s, want %v", unit, show(w.Start), show(w.End), want)
		}
	}
	if _, ok := Window(instant, None); ok {
		t.Error("none is a window")
	}
	rapid.Check(t, func(t *rapid.T) {
		instant := time.Unix(rapid.Int64Range(-1e9, 5e9).Draw(t, "second"), rapid.Int64Range(0, 999999999).Draw(t, "ns"))
		unit := rapid.SampledFrom([]Unit{Hour, Day, Month, Year}).Draw(t, "unit")
		w, _ := Window(instant, unit)
		next, _ := Window(w.End, unit)
		last, _ := Window(w.End.Add(-1), unit)
		if !w.Contains(instant) || !next.Start.Equal(w.End) || last != w || w.Overlaps(next) || !w.Overlaps(last) {
			t.Fatalf("%s of %s: %v, next %v", unit, instant, w, next)
		}
	})
}

func TestCycle(t *testing.T) {
	c, err := ParseCycle("2024-02")
	if err != nil || c.String() != "2024-02" || c.Days() != 29 || c.Add(-2).String() != "2023-12" || c.Add(11).String() != "2025-01" {
		t.Fatalf("%v %v", c, err)
	}
	if s := c.Span(); show(s.Start) != "2024-02-01 00:00:00" || show(s.End) != "2024-03-01 00:00:00" || s.Start.Format(time.RFC3339) != "2024-01-31T16:00:00Z" {
		t.Errorf("span %v", s)
	}
	// 16:00 UTC of the last day is the 1st in GMT+8.
	for text, want := range map[string]string{"2024-01-31T15:59:59Z": "2024-01", "2024-01-31T16:00:00Z": "2024-02"} {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := CycleOf(instant).String(); got != want {
			t.Errorf("%s lies in %s, want %s", text, got, want)
		}
	}
	for _, bad := range []string{"", "2024-13", "2024-00", "2024-1", "24-01", "2024-01-01", "1969-12", "2024/01"} {
		if _, err := ParseCycle(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	var back struct{ C Cycle }
	if err := json.Unmarshal([]byte(`{"C":"2025-11"}`), &back); err != nil || back.C.Year() != 2025 || back.C.Month() != time.November {
		t.Errorf("%v %v", back, err)
	}
	for c := CycleOf(time.Unix(0, 0)); c.Year() < 2110; c++ {
		if back, err := ParseCycle(c.String()); err != nil || back != c || !c.Span().End.Equal(c.Add(1).Span().Start) || CycleOf(c.Span().Start) != c {
			t.Fatalf("cycle %s: %v, %v", c, back, err)
		}
	}
}

func TestUnifiedEnd(t *testing.T) {
	for _, c := range []struct {
		expires string
		day     int
		want    string
		extra   int64
	}{
		{"2024-02-01", 1, "2024-02-01", 0},
		{"2024-02-02", 1, "2024-03-01", 28},
		{"2024-02-10", 28, "2024-02-28", 18},
		{"2024-02-10", LastDay, "2024-02-29", 19},
		{"2023-02-28", LastDay, "2023-02-28", 0},
		{"2024-12-31", 15, "2025-01-15", 15},
		{"2024-12-31", LastDay, "2024-12-31", 0},
	} {
		end := at(t, c.expires+" 23:59:59").Add(time.Second)
		got := UnifiedEnd(end, c.day)
		if show(LastSecond(got)) != c.want+" 23:59:59" || DaysBetween(end, got) != c.extra {
			t.Errorf("%s to day %d: %s, %d days more, want %s, %d", c.expires, c.day, show(LastSecond(got)), DaysBetween(end, got), c.want, c.extra)
		}
	}
}

func TestUnit(t *testing.T) {
	for unit, code := range map[Unit]int32{Hour: 4, Day: 0, Month: 2, Year: 3} {
		if back, ok := UnitOf(code); !ok || back != unit || unit.Code() != code {
			t.Errorf("%s is %d, %d is %s", unit, unit.Code(), code, back)
		}
		text, err := unit.MarshalText()
		var back Unit
		if err != nil || back.UnmarshalText(text) != nil || back != unit {
			t.Errorf("%s is written %s", unit, text)
		}
	}
	for _, code := range []int32{-1, 1, 5} {
		if u, ok := UnitOf(code); ok {
			t.Errorf("period_type %d is %s", code, u)
		}
	}
	var u Unit
	if u.UnmarshalText([]byte("week")) == nil || None.Code() != -1 || Unit(9).Code() != -1 {
		t.Error("a unit that is none was taken")
	}
	if _, err := Unit(9).MarshalText(); err == nil {
		t.Error("a unit that is none was written")
	}
}
