package quota

import (
	"time"

	"github.com/purser-cloud/purser/internal/period"
)

// How the cycles of a resettable package are counted, with the numbers of the contract (api.md 7.2).
const (
	byCalendar int32 = 1
	fromAnchor int32 = 2
)

// Cycles, with the numbers of the contract.
const (
	hourly  int32 = 1
	daily   int32 = 2
	weekly  int32 = 3
	monthly int32 = 4
	yearly  int32 = 5
)

const (
	day  = 24 * time.Hour // GMT+8 has no summer time
	week = 7 * day
)

// nominal is about how long a cycle is: a first guess at its number.
var nominal = [...]time.Duration{hourly: time.Hour, daily: day, weekly: week, monthly: 30 * day, yearly: 365 * day}

// Span is the k-th cycle of the package, k from 0, from its anchor and k alone; it ends with the package at the latest.
// A package that is not resettable has one, its life.
func (p *Package) Span(k int) period.Span {
	whole := period.Span{Start: p.Effective, End: p.Expires}
	if p.Reuse != Resettable {
		return whole
	}
	s := p.window(k)
	if s.Start.Before(whole.Start) {
		s.Start = whole.Start // the first cycle by the calendar has begun before
	}
	if whole.End.Before(s.End) {
		s.End = whole.End
	}
	return s
}

// window is the k-th cycle as if the package had no bounds.
func (p *Package) window(k int) period.Span {
	if p.CycleType == fromAnchor {
		switch p.Cycle {
		case hourly:
			return period.Term(p.Effective, period.Hour, k)
		case daily:
			return period.Term(p.Effective, period.Day, k)
		case monthly:
			return period.Term(p.Effective, period.Month, k)
		case yearly:
			return period.Term(p.Effective, period.Year, k)
		}
		// Weeks end as terms do: at midnight after the day that is seven, fourteen … days on.
		s := period.Span{Start: p.Effective, End: period.End(p.Effective, period.Day, 7*(k+1))}
		if k > 0 {
			s.Start = period.End(p.Effective, period.Day, 7*k)
		}
		return s
	}
	switch p.Cycle {
	case hourly:
		s, _ := period.Window(p.Effective.Add(time.Duration(k)*time.Hour), period.Hour)
		return s
	case daily:
		s, _ := period.Window(p.Effective.Add(time.Duration(k)*day), period.Day)
		return s
	case monthly:
		return period.CycleOf(p.Effective).Add(k).Span()
	case yearly:
		s, _ := period.Window(period.CycleOf(p.Effective).Add(12*k).Span().Start, period.Year)
		return s
	}
	first, _ := period.Window(p.Effective, period.Day) // weeks begin on Monday
	since := (int(first.Start.In(period.GMT8).Weekday()) + 6) % 7
	start := first.Start.Add(-time.Duration(since) * day).Add(time.Duration(k) * week)
	return period.Span{Start: start, End: start.Add(week)}
}

// Running is the cycle that an instant lies in, and its number; before the package that is the first one, after it
// the last one.
func (p *Package) Running(now time.Time) (int, period.Span) {
	if p.Reuse != Resettable {
		return 0, p.Span(0)
	}
	switch {
	case now.Before(p.Effective):
		now = p.Effective
	case !now.Before(p.Expires):
		now = p.Expires.Add(-time.Microsecond)
	}
	k := int(now.Sub(p.Effective) / nominal[p.Cycle])
	for k > 0 && now.Before(p.window(k).Start) {
		k--
	}
	for !now.Before(p.window(k).End) {
		k++
	}
	return k, p.Span(k)
}
