package rating

import (
	"errors"
	"strings"
	"testing"

	"github.com/purser-cloud/purser/internal/period"
)

func TestCheckPrice(t *testing.T) {
	onUsage := func(change func(*Tiers)) *Price {
		p := traffic(t, Graduated)
		change(p.Tiers)
		return p
	}
	onSize := func(change func(*Price)) *Price {
		p := vpn(t)
		change(p)
		return p
	}
	for _, c := range []struct {
		price *Price
		want  string
	}{
		{&Price{Unit: 1234}, "unit 1234 is unknown"},
		{&Price{Unit: hour, SizeUnit: 1234}, "size unit 1234 is unknown"},
		{&Price{Unit: hour, Per: -1}, "per -1 units"},
		{&Price{Unit: hour, UnitPrice: -1}, "-0.0000000001 is negative"},
		{onUsage(func(s *Tiers) { s.Shape = 0 }), "the shape of the tiers is unknown(0)"},
		{onUsage(func(s *Tiers) { s.Steps = nil }), "tiers without steps"},
		{onUsage(func(s *Tiers) { s.Accumulate = period.Year }), "not by year"},
		{onUsage(func(s *Tiers) { s.Steps[0].Open = true }), "step 1 has no bound and is not the last"},
		{onUsage(func(s *Tiers) { s.Steps[1].UnitPrice = -1 }), "step 2: the unit price"},
		{onUsage(func(s *Tiers) { s.Steps[1].UpTo = dec(t, "10485760") }), "step 2: the bound 10485760 does not rise"},
		{onUsage(func(s *Tiers) { s.Steps[0].UpTo = dec(t, "0") }), "step 1: the bound 0 is not above 0"},
		{onUsage(func(s *Tiers) { s.Steps[1].Unit = hour }), "cannot be converted"},
		{onUsage(func(s *Tiers) { s.On = 0 }), "tiers run on unknown(0)"},
		{onSize(func(p *Price) { p.SizeUnit = 0 }), "tiers on size need a size unit"},
		{onSize(func(p *Price) { p.Tiers.Accumulate = period.Day }), "tiers on size do not accumulate"},
		{onSize(func(p *Price) { p.Tiers.Steps[0].Unit = hour }), "cannot be converted"},
	} {
		if err := c.price.Check(units(t)); !errors.Is(err, ErrPrice) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestCheckTerms(t *testing.T) {
	tiers := func(on Base) *Tiers {
		return &Tiers{Shape: Graduated, On: on, Steps: steps(t, mbits, "5", "3", "", "10")}
	}
	for _, c := range []struct {
		terms []Term
		want  string
	}{
		{[]Term{{Period: period.None}}, "no term lasts one none"},
		{[]Term{{Period: 9}}, "no term lasts one unknown(9)"},
		{[]Term{{Period: period.Month}, {Period: period.Month}}, "the term of one month is there twice"},
		{[]Term{{Period: period.Month, SizeUnit: 1234}}, "size unit 1234 is unknown"},
		{[]Term{{Period: period.Month, UnitPrice: -1}}, "is negative"},
		{[]Term{{Period: period.Month, Tiers: tiers(OnSize)}}, "need a size unit"},
		{[]Term{{Period: period.Month, SizeUnit: mbits, Tiers: tiers(OnUsage)}}, "tiers run on usage"},
		{[]Term{{Period: period.Month, Steps: []Step{{Periods: 1}}}}, "steps must rise"},
		{[]Term{{Period: period.Month, Steps: []Step{{Periods: 6}, {Periods: 6}}}}, "steps must rise"},
		{[]Term{{Period: period.Month, Steps: []Step{{Periods: 6, UnitPrice: -1}}}}, "is negative"},
		{[]Term{{Period: period.Month, SizeUnit: mbits, Tiers: tiers(OnSize), Steps: []Step{{Periods: 6}}}}, "either every step has tiers or none"},
	} {
		if err := CheckTerms(c.terms, units(t)); !errors.Is(err, ErrPrice) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
