package amortise

import "github.com/purser-cloud/purser/internal/period"

// Kind is what was charged by term.
type Kind int

// The kinds. Taxes are not spread.
const (
	Term       Kind = iota // a purchase or a renewal: over its term
	Change                 // the resource is worth more from that day on: over what is left
	Refund                 // given back: it ends what it is for
	ChangeBack             // the resource is worth less from that day on: over what is left
)

// Charge is something that was charged by term, or given back.
type Charge struct {
	Resource string
	Order    string
	Base     string // of what is given back: the order that it was paid with; empty: it is not known
	Kind     Kind
	Day      period.Date // on which it was charged
	From, To period.Date // the term's first day, and the day after its last; To not behind From: it is not known
}

// Lay says over which days charges are spread, without their totals, in the charges' order. The rules [I]:
//
//   - No cost falls on a day before it was charged: of a term that was renewed late, the days that are left bear it.
//   - A charge without a term is its day's.
//   - A refund ends, on its day, the terms of its resource that it gives back (all, where it does not say which), and with
//     the current one the changes of the resource. It falls on its day itself.
//   - What a change gives back lowers the days from then to the end of the term that it is of.
func Lay(charges []Charge) []Spread {
	out := make([]Spread, len(charges))
	of := map[string][]int{}
	for i := range charges {
		c := &charges[i]
		out[i] = Spread{From: c.Day, To: c.Day + 1}
		if c.Kind != Refund && c.To > c.Day {
			out[i].From, out[i].To = max(c.From, c.Day), c.To
			if c.Kind != Term {
				out[i].From = c.Day
			}
		}
		of[c.Resource] = append(of[c.Resource], i)
	}
	for i := range charges {
		switch c := &charges[i]; c.Kind {
		case ChangeBack:
			for _, j := range of[c.Resource] {
				if t := &charges[j]; t.Kind == Term && t.Day <= c.Day && (c.Base == "" || c.Base == t.Order) {
					out[i].To = max(out[i].To, t.To)
				}
			}
		case Refund:
			end(charges, out, of[c.Resource], c)
		}
	}
	return out
}

// end ends what a refund gives back.
func end(charges []Charge, out []Spread, mine []int, refund *Charge) {
	running := refund.Base == ""
	stop := func(j int) {
		if s := &out[j]; charges[j].Day <= refund.Day && s.To > refund.Day && (s.End == 0 || refund.Day < s.End) {
			s.End = refund.Day
		}
	}
	for _, j := range mine {
		if c := &charges[j]; c.Kind == Term && (refund.Base == "" || refund.Base == c.Order) {
			running = running || out[j].From <= refund.Day && refund.Day < out[j].To
			stop(j)
		}
	}
	for _, j := range mine {
		if k := charges[j].Kind; running && (k == Change || k == ChangeBack) {
			stop(j)
		}
	}
}
