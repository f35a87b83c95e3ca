package period

import "time"

// Date is a calendar day of GMT+8, counted from 1970-01-01. Dates are compared and stored as numbers.
type Date int64

const secondsADay = 24 * 60 * 60

// DateOf is the day that t lies in.
func DateOf(t time.Time) Date {
	s := t.Unix() + 8*60*60
	d := s / secondsADay
	if s%secondsADay < 0 {
		d--
	}
	return Date(d)
}

// Span is the time of the day, UTC.
func (d Date) Span() Span {
	start := time.Unix(int64(d)*secondsADay-8*60*60, 0).UTC()
	return Span{start, start.Add(secondsADay * time.Second)}
}

// String is YYYY-MM-DD.
func (d Date) String() string { return d.Span().Start.In(GMT8).Format(time.DateOnly) }
