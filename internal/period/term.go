package period

import "time"

// End is where n periods from the anchor end (exclusive, UTC); End(anchor, unit, 0) is the end of the anchor's own day,
// or the anchor itself for hours. Rule (billing-rules 2.1): a term lasts until 23:59:59 GMT+8 of the anniversary day,
// that is to the midnight after it; a month without that day ends on its last, and later months have the day again.
// Hourly terms end on the exact instant.
//
// The anchor is the instant of the first purchase; a renewal adds to n and keeps the anchor.
func End(anchor time.Time, unit Unit, n int) time.Time {
	y, m, d := anchor.In(GMT8).Date()
	switch unit {
	case Hour:
		return anchor.Add(time.Duration(n) * time.Hour).UTC()
	case Day:
		return midnight(y, m, d+n+1).UTC()
	case Year:
		n *= 12
	}
	total := y*12 + int(m) - 1 + n
	y, m = floorDiv(total, 12), time.Month(total-floorDiv(total, 12)*12+1)
	return midnight(y, m, min(d, DaysIn(y, m))+1).UTC()
}

// Term is the k-th period from the anchor, k from 0: the first begins at the anchor itself, each later one where the one
// before it ends.
func Term(anchor time.Time, unit Unit, k int) Span {
	if k == 0 {
		return Span{anchor.UTC(), End(anchor, unit, 1)}
	}
	return Span{End(anchor, unit, k), End(anchor, unit, k+1)}
}

// Months is how many months n periods of the unit come to; false for units that have no months.
func Months(unit Unit, n int) (int, bool) {
	switch unit {
	case Month:
		return n, true
	case Year:
		return 12 * n, true
	}
	return 0, false
}

// LastDay stands for the last day of a month in UnifiedEnd (the contract's -1).
const LastDay = -1

// UnifiedEnd moves an end (exclusive, at midnight GMT+8) to the end of the first following day that is the configured
// day of the month: 1 to 28, or LastDay. An end already there stays. Rule: billing-rules 2.5.
func UnifiedEnd(end time.Time, day int) time.Time {
	y, m, d := end.Add(-time.Nanosecond).In(GMT8).Date() // the last day of the term
	target := func(y int, m time.Month) int {
		if day == LastDay {
			return DaysIn(y, m)
		}
		return day
	}
	if d > target(y, m) {
		y, m, _ = midnight(y, m+1, 1).Date()
	}
	return midnight(y, m, target(y, m)+1).UTC()
}

// DaysBetween is the number of GMT+8 midnights passed from one instant to a later one: the extra days that a unified end
// adds.
func DaysBetween(from, to time.Time) int64 {
	return day(to) - day(from)
}

func day(t time.Time) int64 {
	y, m, d := t.In(GMT8).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// DaysIn is the number of days of a month.
func DaysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
