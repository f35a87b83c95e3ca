package period

import (
	"fmt"
	"time"
)

// Cycle is a bill cycle: a calendar month of GMT+8, counted from January of year 0. Cycles are compared and stored as numbers.
type Cycle int32

// CycleOf is the cycle that t lies in.
func CycleOf(t time.Time) Cycle {
	y, m, _ := t.In(GMT8).Date()
	return cycle(y, m)
}

// ParseCycle reads YYYY-MM, years 1970 to 9999.
func ParseCycle(text string) (Cycle, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil || len(text) != len("2006-01") || t.Year() < 1970 {
		return 0, fmt.Errorf("period: %q is not a month in the form YYYY-MM", text)
	}
	return cycle(t.Year(), t.Month()), nil
}

func cycle(y int, m time.Month) Cycle { return Cycle(y*12 + int(m) - 1) }

// Year is the calendar year.
func (c Cycle) Year() int { return int(c) / 12 }

// Month is the calendar month.
func (c Cycle) Month() time.Month { return time.Month(c%12) + 1 }

// Days is the number of days of the month.
func (c Cycle) Days() int { return DaysIn(c.Year(), c.Month()) }

// Add is the cycle n months later.
func (c Cycle) Add(n int) Cycle { return c + Cycle(n) }

// Span is the time of the cycle, UTC: from 00:00 GMT+8 of the 1st to that of the next month.
func (c Cycle) Span() Span {
	return utc(midnight(c.Year(), c.Month(), 1), midnight(c.Year(), c.Month()+1, 1))
}

// When a cycle is closed (billing-rules 6): on the 3rd of the next month at 03:00 GMT+8.
const closesAfter = 2*24*time.Hour + 3*time.Hour

// Closes is the instant at which the cycle's bill becomes final; what is charged later belongs to a later one.
func (c Cycle) Closes() time.Time { return c.Span().End.Add(closesAfter) }

// LastClosed is the last cycle that closes at or before an instant.
func LastClosed(at time.Time) Cycle { return CycleOf(at.Add(-closesAfter)) - 1 }

// String is YYYY-MM.
func (c Cycle) String() string {
	b, _ := c.AppendText(nil)
	return string(b)
}

// AppendText appends YYYY-MM; it never fails.
func (c Cycle) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "%04d-%02d", c.Year(), int(c.Month())), nil
}

// MarshalText writes YYYY-MM.
func (c Cycle) MarshalText() ([]byte, error) { return c.AppendText(nil) }

// UnmarshalText reads YYYY-MM.
func (c *Cycle) UnmarshalText(text []byte) error {
	v, err := ParseCycle(string(text))
	if err == nil {
		*c = v
	}
	return err
}
