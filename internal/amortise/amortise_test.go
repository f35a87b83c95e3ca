package amortise

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

func day(t testing.TB, text string) period.Date {
	t.Helper()
	span, err := period.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return period.DateOf(span.Start)
}

func amount(t testing.TB, text string) money.Amount {
	t.Helper()
	a, err := money.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A year for 365 is 1 a day, and 31 in a month of 31 days; 100 for three months does not go evenly into its days.
func TestExamples(t *testing.T) {
	year := Spread{From: day(t, "2026-03-01"), To: day(t, "2027-03-01"), Total: amount(t, "365")}
	if got := year.Between(day(t, "2026-08-01"), day(t, "2026-08-31")); got != amount(t, "31") {
		t.Errorf("August: %s", got)
	}
	bought, _ := time.Parse(time.RFC3339, "2026-11-28T02:30:00Z")
	term := period.Span{Start: bought, End: period.End(bought, period.Month, 3)}
	s := Over(term, amount(t, "100"))
	if s.Days() != 93 || s.From != day(t, "2026-11-28") || s.Last() != day(t, "2027-02-28") {
		t.Errorf("%d days from %s to %s", s.Days(), s.From, s.Last())
	}
	// 100 / 93 = 1.07526881 and 67 units of 10⁻⁸ more, one for each of the first 67 days
	for date, want := range map[string]string{
		"2026-11-27": "0", "2026-11-28": "1.07526882", "2027-02-02": "1.07526882", "2027-02-03": "1.07526881", "2027-02-28": "1.07526881", "2027-03-01": "0",
	} {
		if got := s.On(day(t, date)); got != amount(t, want) {
			t.Errorf("%s: %s, want %s", date, got, want)
		}
	}
	s.End = day(t, "2026-12-01") // refunded
	for date, want := range map[string]string{"2026-11-30": "1.07526882", "2026-12-01": "96.77419354", "2026-12-02": "0"} {
		if got := s.On(day(t, date)); got != amount(t, want) {
			t.Errorf("ended, %s: %s, want %s", date, got, want)
		}
	}
	now := Over(period.Span{Start: bought, End: bought}, amount(t, "-5"))
	if now.On(day(t, "2026-11-28")) != amount(t, "-5") || now.Days() != 1 {
		t.Errorf("an instant: %v", now)
	}
}

func spreads(t *rapid.T) Spread {
	from := period.Date(rapid.Int64Range(20000, 21000).Draw(t, "from"))
	s := Spread{From: from, To: from + period.Date(rapid.Int64Range(-1, 1200).Draw(t, "days")), Total: money.Amount(rapid.Int64Range(-1e15, 1e15).Draw(t, "total"))}
	if rapid.Bool().Draw(t, "ended") {
		s.End = from + period.Date(rapid.Int64Range(-20, 1300).Draw(t, "end"))
	}
	return s
}

// The days come to the total, whatever ended the spread; what a stretch comes to is what its days come to.
func TestDaysSumToTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spreads(t)
		var sum money.Amount
		for d := s.First() - 3; d <= s.Last()+3; d++ {
			on := s.On(d)
			sum += on
			if d < s.First() || d > s.Last() {
				if on != 0 {
					t.Fatalf("%s on %s, outside", on, d)
				}
			}
			if on != 0 && (on < 0) != (s.Total < 0) {
				t.Fatalf("%s on %s of %s", on, d, s.Total)
			}
		}
		if sum != s.Total {
			t.Fatalf("%+v comes to %s", s, sum)
		}
		cut := s.First() + period.Date(rapid.Int64Range(-5, 1300).Draw(t, "cut"))
		if parts := s.Between(s.First()-10, cut) + s.Between(cut+1, s.Last()+10); parts != s.Total {
			t.Fatalf("cut at %s: %s of %s", cut, parts, s.Total)
		}
	})
}

// The shares are those of a split by equal weights: largest remainder, the earlier day first.
func TestSharesAreASplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spreads(t)
		s.End = 0
		weights := make([]int64, s.Days())
		for i := range weights {
			weights[i] = 1
		}
		shares, err := money.Split(s.Total, weights)
		if err != nil {
			t.Fatal(err)
		}
		for i, share := range shares {
			if got := s.On(s.From + period.Date(i)); got != share {
				t.Fatalf("day %d: %s, want %s", i, got, share)
			}
		}
	})
}

// Until the day of an end a spread bears what it would have borne without; a renewal begins where the term before ended, and
// no day bears both: terms of a resource tile.
func TestEndsAndRenewals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spreads(t)
		free := s
		free.End = 0
		for d := s.First(); d < s.Last(); d++ {
			if s.On(d) != free.On(d) {
				t.Fatalf("%s: %s, want %s", d, s.On(d), free.On(d))
			}
		}
		at := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "bought"), 0)
		n := rapid.IntRange(1, 14).Draw(t, "months")
		first := period.Span{Start: at, End: period.End(at, period.Month, n)}
		second := period.Span{Start: first.End, End: period.End(at, period.Month, 2*n)}
		a, b := Over(first, 1), Over(second, 1)
		if a.Last()+1 != b.From {
			t.Fatalf("from %s: the first term ends on %s, the second begins on %s", at, a.Last(), b.From)
		}
	})
}
