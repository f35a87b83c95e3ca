// Package amortise spreads what a term cost over the days of GMT+8 that it touches: the amortised cost of a day, a month or any
// stretch of days, to the last digit.
//
// It is pure: it knows no record, no table and no clock. Which amounts are spread, over which days, and what ends them is for
// those who ask: cost for the API, focus for exports.
//
// Rules [I]: every day that the term touches bears the same share, the first and the last one too; the shares sum to the
// whole by largest remainder, of equal ones the earlier day first. A spread that is ended (a refund) bears what it has not
// yet borne on the day of its end.
//
// Invariants: over all days a spread comes to its total, whatever ended it and however the days are cut into stretches; no
// share has another sign than the total, and two shares differ by one unit at most, but on the day of an end.
package amortise

import (
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Spread is an amount over days.
type Spread struct {
	From  period.Date // the first day
	To    period.Date // the day after the last; From or before it: all falls on From
	End   period.Date // day that bears what is left; 0: none. Behind the last day it changes nothing
	Total money.Amount
}

// Over spreads an amount over the days that a span of time touches. An empty span is its day alone.
func Over(span period.Span, total money.Amount) Spread {
	s := Spread{From: period.DateOf(span.Start), Total: total}
	s.To = s.From + 1
	if span.End.After(span.Start) {
		s.To = period.DateOf(period.LastSecond(span.End)) + 1
	}
	return s
}

// Days is how many days bear a share, had nothing ended it.
func (s *Spread) Days() int64 { return max(1, int64(s.To-s.From)) }

// Between is what the days from one to another, both within, bear.
func (s *Spread) Between(from, to period.Date) money.Amount {
	if to < from {
		return 0
	}
	return s.before(to+1) - s.before(from)
}

// On is what a day bears.
func (s *Spread) On(day period.Date) money.Amount { return s.Between(day, day) }

// before is what all days before one bear.
func (s *Spread) before(day period.Date) money.Amount {
	if s.ended() {
		if day > s.End {
			return s.Total
		}
		return s.whole(day)
	}
	return s.whole(day)
}

func (s *Spread) ended() bool { return s.End != 0 && s.End < s.From+period.Date(s.Days()) }

// whole is what all days before one bear of a spread that nothing ends: the first so many days bear one unit more.
func (s *Spread) whole(day period.Date) money.Amount {
	days := s.Days()
	n := min(max(0, int64(day-s.From)), days)
	share, odd := int64(s.Total)/days, int64(s.Total)%days // odd has the total's sign
	more := min(n, max(odd, -odd))
	if odd < 0 {
		more = -more
	}
	return money.Amount(share*n + more)
}

// Last is the last day that bears anything.
func (s *Spread) Last() period.Date {
	if s.ended() {
		return s.End
	}
	return s.From + period.Date(s.Days()) - 1
}

// First is the first day that bears anything.
func (s *Spread) First() period.Date {
	if s.ended() {
		return min(s.From, s.End)
	}
	return s.From
}
