package rating

import (
	"errors"
	"fmt"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// ErrPrice says what is wrong with a price; a catalogue is refused for it.
var ErrPrice = errors.New("rating: bad price")

// Check finds what would make a price fail or lie when it is used: unknown units, negative prices, steps that do
// not rise. Rating relies on it and does not check again. The error wraps ErrPrice.
func (p *Price) Check(u *Units) error {
	switch {
	case !u.Known(p.Unit):
		return fmt.Errorf("%w: unit %d is unknown", ErrPrice, p.Unit)
	case p.SizeUnit != 0 && !u.Known(p.SizeUnit):
		return fmt.Errorf("%w: size unit %d is unknown", ErrPrice, p.SizeUnit)
	case p.Per < 0:
		return fmt.Errorf("%w: it is per %d units", ErrPrice, p.Per)
	case p.UnitPrice < 0:
		return fmt.Errorf("%w: the unit price %s is negative", ErrPrice, p.UnitPrice)
	case p.Tiers == nil:
		return nil
	case p.Tiers.On == OnUsage:
		if p.Tiers.Accumulate > period.Month {
			return fmt.Errorf("%w: usage accumulates by hour, day or month, not by %s", ErrPrice, p.Tiers.Accumulate)
		}
		return p.Tiers.check(u, p.Unit)
	}
	return p.Tiers.checkOnSize(u, p.SizeUnit)
}

// CheckTerms does the same for the terms of one product.
func CheckTerms(terms []Term, u *Units) error {
	seen := map[period.Unit]bool{}
	for i := range terms {
		t := &terms[i]
		if seen[t.Period] {
			return fmt.Errorf("%w: the term of one %s is there twice", ErrPrice, t.Period)
		}
		seen[t.Period] = true
		if err := t.Check(u); err != nil {
			return fmt.Errorf("term of one %s: %w", t.Period, err)
		}
	}
	return nil
}

// Check is for a term what it is for a Price.
func (t *Term) Check(u *Units) error {
	switch {
	case t.Period < period.Hour || t.Period > period.Year:
		return fmt.Errorf("%w: no term lasts one %s", ErrPrice, t.Period)
	case t.SizeUnit != 0 && !u.Known(t.SizeUnit):
		return fmt.Errorf("%w: size unit %d is unknown", ErrPrice, t.SizeUnit)
	}
	if err := t.checkOne(u, t.UnitPrice, t.Tiers); err != nil {
		return err
	}
	before := int32(1)
	for i := range t.Steps {
		step := &t.Steps[i]
		if step.Periods <= before {
			return fmt.Errorf("%w: the steps must rise and begin above 1 period", ErrPrice)
		}
		before = step.Periods
		if (step.Tiers == nil) != (t.Tiers == nil) {
			return fmt.Errorf("%w: either every step has tiers or none has", ErrPrice)
		}
		if err := t.checkOne(u, step.UnitPrice, step.Tiers); err != nil {
			return err
		}
	}
	return nil
}

func (t *Term) checkOne(u *Units, price money.UnitPrice, tiers *Tiers) error {
	if price < 0 {
		return fmt.Errorf("%w: the unit price %s is negative", ErrPrice, price)
	}
	if tiers == nil {
		return nil
	}
	return tiers.checkOnSize(u, t.SizeUnit)
}

func (t *Tiers) checkOnSize(u *Units, sizeUnit int32) error {
	switch {
	case t.On != OnSize:
		return fmt.Errorf("%w: tiers run on %s", ErrPrice, t.On)
	case sizeUnit == 0:
		return fmt.Errorf("%w: tiers on size need a size unit", ErrPrice)
	case t.Accumulate != period.None:
		return fmt.Errorf("%w: tiers on size do not accumulate", ErrPrice)
	}
	return t.check(u, sizeUnit)
}

func (t *Tiers) check(u *Units, unit int32) error {
	if t.Shape != Graduated && t.Shape != Volume {
		return fmt.Errorf("%w: the shape of the tiers is %s", ErrPrice, t.Shape)
	}
	if len(t.Steps) == 0 {
		return fmt.Errorf("%w: tiers without steps", ErrPrice)
	}
	var lower money.Wide
	for i := range t.Steps {
		step := &t.Steps[i]
		if step.UnitPrice < 0 {
			return fmt.Errorf("%w: step %d: the unit price %s is negative", ErrPrice, i+1, step.UnitPrice)
		}
		if step.Open {
			if i != len(t.Steps)-1 {
				return fmt.Errorf("%w: step %d has no bound and is not the last", ErrPrice, i+1)
			}
			return nil
		}
		if step.UpTo.Sign() <= 0 {
			return fmt.Errorf("%w: step %d: the bound %s is not above 0", ErrPrice, i+1, step.UpTo)
		}
		bound, err := step.bound(u, unit)
		if err != nil {
			return fmt.Errorf("%w: step %d: %w", ErrPrice, i+1, err)
		}
		if bound.Cmp(&lower) <= 0 {
			return fmt.Errorf("%w: step %d: the bound %s does not rise", ErrPrice, i+1, step.UpTo)
		}
		lower = bound
	}
	return nil
}
