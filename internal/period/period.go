// Package period owns the calendar of the business: bill cycles, the terms of yearly/monthly (and hourly, daily)
// products, the windows in which usage accumulates, and the hours that a refund counts.
//
// It does not own money, nor what happens when a term ends; it reads no clock: every instant is given.
//
// Days and months are those of GMT+8, which has no daylight saving; instants come in any zone and go out in UTC.
//
// Invariants:
//   - Spans are half-open: the end belongs to the next one. A term that "expires at 23:59:59" ends at the following 00:00.
//   - Period k is worked out from (anchor, k), never from period k−1: the 31st comes back after February.
//   - The periods of an anchor tile: no instant twice, none left out.
package period

import (
	"fmt"
	"time"
)

// GMT8 is the zone of business days.
var GMT8 = time.FixedZone("GMT+08:00", 8*60*60)

// Span is the time from Start (inclusive) to End (exclusive).
type Span struct{ Start, End time.Time }

// Contains says whether t lies in the span.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// Overlaps says whether an instant lies in both.
func (s Span) Overlaps(o Span) bool {
	return s.Start.Before(o.End) && o.Start.Before(s.End) && s.Start.Before(s.End) && o.Start.Before(o.End)
}

// Hours is the length as a refund counts it: both ends go down to their hour (billing-rules 2.8: bought 10:30 counts
// from 10:00). Never negative.
func (s Span) Hours() int64 {
	return max(0, floorHour(s.End)-floorHour(s.Start))
}

// HoursUsed is how much of Hours had been used at an instant: counted to the hour of t, between 0 and Hours.
func (s Span) HoursUsed(t time.Time) int64 {
	return min(max(0, floorHour(t)-floorHour(s.Start)), s.Hours())
}

// floorHour is the number of whole hours since 1970, rounding down before it too. GMT+8 is whole hours from UTC.
func floorHour(t time.Time) int64 {
	hour := t.Unix() / 3600
	if t.Unix()%3600 < 0 {
		hour--
	}
	return hour
}

// LastSecond is how an end is shown: 23:59:59 for a term that ends at midnight (billing-rules 2.1). UTC.
func LastSecond(end time.Time) time.Time { return end.Add(-time.Second).UTC() }

// Window is the calendar hour, day, month or year (GMT+8) that t lies in; false for None, which is no window.
func Window(t time.Time, unit Unit) (Span, bool) {
	t = t.In(GMT8)
	y, m, d := t.Date()
	switch unit {
	case Hour:
		start := time.Date(y, m, d, t.Hour(), 0, 0, 0, GMT8)
		return utc(start, start.Add(time.Hour)), true
	case Day:
		return utc(midnight(y, m, d), midnight(y, m, d+1)), true
	case Month:
		return utc(midnight(y, m, 1), midnight(y, m+1, 1)), true
	case Year:
		return utc(midnight(y, 1, 1), midnight(y+1, 1, 1)), true
	}
	return Span{}, false
}

func midnight(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, GMT8) }

func utc(start, end time.Time) Span { return Span{start.UTC(), end.UTC()} }

// ParseDay reads YYYY-MM-DD, years 1970 to 9999: a day of GMT+8.
func ParseDay(text string) (Span, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < 1970 {
		return Span{}, fmt.Errorf("period: %q is not a day in the form YYYY-MM-DD", text)
	}
	y, m, d := t.Date()
	return utc(midnight(y, m, d), midnight(y, m, d+1)), nil
}
