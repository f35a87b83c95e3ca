package rating

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/purser-cloud/purser/internal/money"
)

// ErrDiscount says what is wrong with a discount.
var ErrDiscount = errors.New("rating: bad discount")

// Kind is who gives a discount: the discount_type of the rating operations (api.md 2.1, 2.2) and of orders (0.12). They
// rank in the order of rank when they save the same.
type Kind int32

// The kinds. Those of contracts and partners compete for the best offer of a price query; promotions and adjustments
// exist for orders only.
const (
	Promotion   Kind = 200 // of a product, for a while
	Commercial  Kind = 605 // by the provider's contract
	Distributor Kind = 606 // by the distributor's contract
	Partner     Kind = 607 // granted by the partner
	Adjustment  Kind = 609 // of one order's price
)

// rank is the kind's place among offers that save the same: contract before distributor before partner (api.md 2.2),
// promotions behind them.
func (k Kind) rank() Kind {
	if k == Promotion {
		return Adjustment + 1
	}
	return k
}

// Mode is how a discount works: the discount_mode of order discounts (api.md 5.3).
type Mode int32

// The modes.
const (
	ByRatio      Mode = 0 // Value (0 to 1) of the official amount is paid
	ByFixedPrice Mode = 1 // Value is paid for each of the line's Quantity; never more than official
	ByReduction  Mode = 2 // Value is taken off all lines together; never more than they cost
)

// Charging is a way of being charged.
type Charging uint8

// The ways; AnyCharging is for scopes only.
const (
	AnyCharging Charging = iota
	OnDemand
	ByPeriod
)

// Scope is what a discount is for. An empty list, and AnyCharging, leave nothing out.
type Scope struct {
	Services      []string
	ResourceTypes []string
	Products      []string
	Regions       []string
	Charging      Charging
}

// Discount is a promise to charge less than the official amount.
type Discount struct {
	ID    string
	Name  string
	Kind  Kind
	Mode  Mode
	Value money.Decimal // a ratio, a price in the house's currency, or an amount in it
	Scope Scope
}

// Line is one rated product on its way into a quote.
type Line struct {
	ID           string // the caller's, echoed
	Service      string
	ResourceType string
	Product      string
	Region       string
	Charging     Charging
	Official     money.Quoted // as rated, before the cut
	// Quantity is what a fixed price is multiplied by: months × subscriptions (× size) of a term, usage in the pricing unit
	// × subscriptions (× size) on demand. Without it no fixed price covers the line.
	Quantity money.Decimal
}

// Covers says whether the discount is for that line.
func (d *Discount) Covers(l *Line) bool {
	s := &d.Scope
	return within(s.Services, l.Service) && within(s.ResourceTypes, l.ResourceType) && within(s.Products, l.Product) &&
		within(s.Regions, l.Region) && (s.Charging == AnyCharging || s.Charging == l.Charging) &&
		(d.Mode != ByFixedPrice || l.Quantity.Sign() > 0)
}

func within(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// Check finds what would make a discount fail when it is applied. The error wraps ErrDiscount.
func (d *Discount) Check() error {
	switch {
	case (d.Kind < Commercial || d.Kind > Partner) && d.Kind != Promotion && d.Kind != Adjustment:
		return fmt.Errorf("%w: no kind %d", ErrDiscount, d.Kind)
	case d.Mode < ByRatio || d.Mode > ByReduction:
		return fmt.Errorf("%w: no mode %d", ErrDiscount, d.Mode)
	case d.Value.Sign() < 0:
		return fmt.Errorf("%w: the value %s is negative", ErrDiscount, d.Value)
	case d.Mode == ByRatio && d.Value.Cmp(money.DecimalOf(1)) > 0:
		return fmt.Errorf("%w: the ratio %s is above 1", ErrDiscount, d.Value)
	case d.Mode != ByRatio && d.Value.Scale() > money.QuotedDecimals:
		return fmt.Errorf("%w: the value %s has over 10 decimals", ErrDiscount, d.Value)
	}
	return nil
}

// Apply quotes the lines with the discount; lines it does not cover stay at their official amount. The discounted amount
// goes from the cut official amount and is cut at the same precision; a reduction is shared out by largest remainder.
// A negative line (a correction under volume tiers) is lowered by a ratio like its charge was, by nothing else.
// ErrDiscount, ErrAboveMaximum.
func (d *Discount) Apply(lines []Line, p Precision) (Quote, error) {
	if err := d.Check(); err != nil {
		return Quote{}, err
	}
	priced := make([]Priced, len(lines))
	covered := make([]money.Quoted, len(lines)) // official amounts of the lines covered, 0 for the others
	for i := range lines {
		official := p.Cut(lines[i].Official)
		priced[i] = Priced{ID: lines[i].ID, Official: official, Amount: official}
		if d.Covers(&lines[i]) && (official > 0 || d.Mode == ByRatio) {
			covered[i] = official
		}
	}
	if err := d.reduce(lines, priced, covered, p); err != nil {
		return Quote{}, err
	}
	return total(priced)
}

// reduce lowers Amount of the covered lines.
func (d *Discount) reduce(lines []Line, priced []Priced, covered []money.Quoted, p Precision) error {
	if d.Mode == ByReduction {
		return d.takeOff(priced, covered, p)
	}
	for i, official := range covered {
		if official == 0 {
			continue
		}
		amount, err := d.due(official, lines[i].Quantity)
		if err != nil {
			return err
		}
		if amount = p.Cut(amount); d.Mode == ByRatio || amount < official {
			priced[i].Amount = amount
		}
	}
	return nil
}

// due is what is to be paid instead of the official amount, by ratio or fixed price, cut at 10 decimals.
func (d *Discount) due(official money.Quoted, quantity money.Decimal) (money.Quoted, error) {
	w, decimals := money.WideOf(uint64(d.Value.Coef())), d.Value.Scale()
	if d.Mode == ByRatio {
		w.Mul(uint64(max(official, -official)))
		decimals += money.QuotedDecimals
	} else {
		w.Mul(uint64(quantity.Coef()))
		w.Mul(money.Pow10(money.QuotedDecimals)) // so that there is something to cut, however few decimals the factors have
		decimals += quantity.Scale() + money.QuotedDecimals
	}
	amount, err := money.CutProduct(w, decimals, official < 0)
	if err == nil {
		return amount, nil
	}
	if d.Mode == ByFixedPrice { // beyond all amounts is certainly not less than official
		return official, nil
	}
	return 0, ErrAboveMaximum
}

func (d *Discount) takeOff(priced []Priced, covered []money.Quoted, p Precision) error {
	sum, err := money.Sum(covered...)
	if err != nil {
		return ErrAboveMaximum
	}
	off := sum
	if value, err := money.QuotedOf(d.Value); err == nil { // a value beyond all amounts takes all off
		off = min(sum, p.Cut(value))
	}
	shares, err := money.SplitBy(off, p.Step(), covered)
	if err != nil {
		return fmt.Errorf("share out a reduction: %w", err)
	}
	for i, share := range shares {
		priced[i].Amount -= share
	}
	return nil
}

// Offer is the quote that a discount makes of a list of lines.
type Offer struct {
	Discount *Discount
	Quote    Quote
}

// Offers quotes the lines with each discount that covers any of them, in the order of the list, and finds the best:
// the largest reduction, of equals commercial before distributor before partner, then the smaller id (api.md 2.2). best is -1
// when nothing is saved.
func Offers(discounts []Discount, lines []Line, p Precision) (offers []Offer, best int, err error) {
	best = -1
	for i := range discounts {
		d := &discounts[i]
		if !slices.ContainsFunc(lines, func(l Line) bool { return d.Covers(&l) }) {
			continue
		}
		quote, err := d.Apply(lines, p)
		if err != nil {
			return nil, -1, fmt.Errorf("discount %s: %w", d.ID, err)
		}
		offers = append(offers, Offer{d, quote})
		if quote.Discount > 0 && (best < 0 || byReduction(&offers[len(offers)-1], &offers[best]) < 0) {
			best = len(offers) - 1
		}
	}
	return offers, best, nil
}

// Preferred is the offer that an on-demand price takes by itself: commercial before distributor before partner, of
// equals the largest reduction, then the smaller id (api.md 2.1). -1 when nothing is saved.
func Preferred(offers []Offer) int {
	best := -1
	for i := range offers {
		if offers[i].Quote.Discount > 0 && (best < 0 || byKind(&offers[i], &offers[best]) < 0) {
			best = i
		}
	}
	return best
}

func byReduction(a, b *Offer) int {
	return cmp.Or(cmp.Compare(b.Quote.Discount, a.Quote.Discount), cmp.Compare(a.Discount.Kind.rank(), b.Discount.Kind.rank()),
		strings.Compare(a.Discount.ID, b.Discount.ID))
}

func byKind(a, b *Offer) int {
	return cmp.Or(cmp.Compare(a.Discount.Kind.rank(), b.Discount.Kind.rank()), byReduction(a, b))
}
