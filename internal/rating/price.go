package rating

import (
	"fmt"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Shape says how the steps of a tiered price work together.
type Shape uint8

// The shapes (billing-rules 3.3).
const (
	Graduated Shape = iota + 1 // each part of the quantity at the price of the step it lies in
	Volume                     // the whole quantity at the price of the step it reaches
)

// Base says which quantity runs through the steps.
type Base uint8

// The bases. A charge by duration, or a term, runs on size; a charge by traffic or calls on usage.
const (
	OnUsage Base = iota + 1
	OnSize
)

// Price is what one usage factor of a product costs on demand. With Tiers, UnitPrice is not used.
//
//	flat        usage × UnitPrice
//	linear      usage × UnitPrice × size               (SizeUnit set)
//	on usage    steps(usage) [× size, SizeUnit set]
//	on size     usage × steps(size)                    (SizeUnit set)
//
// Everything is divided by Per and multiplied by the number of subscriptions.
type Price struct {
	Unit      int32           `json:"unit"`                // measure id the price is per (4 hour, 10 GB)
	Per       int64           `json:"per,omitempty"`       // the price is per this many units; 0 means 1
	UnitPrice money.UnitPrice `json:"unit_price"`          // of the flat and the linear shape
	SizeUnit  int32           `json:"size_unit,omitempty"` // measure id of the size; 0 = the size plays no part
	Tiers     *Tiers          `json:"tiers,omitempty"`
}

// Tiers is a price by steps of the size or of the usage.
type Tiers struct {
	Shape      Shape       `json:"shape"`
	On         Base        `json:"on"`
	Accumulate period.Unit `json:"accumulate,omitempty"` // on usage: period.None, Hour, Day or Month, calendar GMT+8
	Steps      []Tier      `json:"steps"`                // rising bounds; only the last is Open
}

// Accumulates says that the price has tiers that usage runs through over time.
func (p *Price) Accumulates() bool {
	return p.Tiers != nil && p.Tiers.On == OnUsage && p.Tiers.Accumulate != period.None
}

// Tier is one step: it begins after the bound before it (exclusive; the first at 0) and ends at UpTo (inclusive).
// Each bound has a unit of its own, always written out: a loader puts the default in.
type Tier struct {
	UpTo      money.Decimal   `json:"up_to"`
	Unit      int32           `json:"unit"`           // measure id of UpTo
	Open      bool            `json:"open,omitempty"` // no upper bound; UpTo and Unit are not used
	UnitPrice money.UnitPrice `json:"unit_price"`     // per pricing unit (on usage), or per pricing unit and size unit (on size)
}

// Term is what one period of a yearly/monthly (or hourly, daily) product costs. With Tiers (which run on size),
// UnitPrice is not used. A product has at most one Term for each Period.
type Term struct {
	Period    period.Unit     `json:"period"` // Hour, Day, Month or Year
	UnitPrice money.UnitPrice `json:"unit_price"`
	SizeUnit  int32           `json:"size_unit,omitempty"` // linear or tiered: measure id of the size; 0 = no part
	Tiers     *Tiers          `json:"tiers,omitempty"`
	Steps     []Step          `json:"steps,omitempty"` // rising Periods
}

// Step makes every period cheaper (or dearer) when at least Periods of them are bought at once. A step of a
// tiered term has tiers of its own: a loader works a factor out into prices.
type Step struct {
	Periods   int32           `json:"periods"`
	UnitPrice money.UnitPrice `json:"unit_price"`
	Tiers     *Tiers          `json:"tiers,omitempty"`
}

var shapeNames = [...]string{Graduated: "graduated", Volume: "volume"}
var baseNames = [...]string{OnUsage: "usage", OnSize: "size"}

// String is the name catalogue files use: graduated or volume.
func (s Shape) String() string { return nameOf(shapeNames[:], uint8(s)) }

// MarshalText writes the name.
func (s Shape) MarshalText() ([]byte, error) { return textOf(shapeNames[:], uint8(s)) }

// UnmarshalText reads the name.
func (s *Shape) UnmarshalText(text []byte) error {
	i, err := indexOf(shapeNames[:], text)
	*s = Shape(i)
	return err
}

// String is the name catalogue files use: usage or size.
func (b Base) String() string { return nameOf(baseNames[:], uint8(b)) }

// MarshalText writes the name.
func (b Base) MarshalText() ([]byte, error) { return textOf(baseNames[:], uint8(b)) }

// UnmarshalText reads the name.
func (b *Base) UnmarshalText(text []byte) error {
	i, err := indexOf(baseNames[:], text)
	*b = Base(i)
	return err
}

func nameOf(names []string, i uint8) string {
	if int(i) < len(names) && names[i] != "" {
		return names[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

func textOf(names []string, i uint8) ([]byte, error) {
	if int(i) < len(names) && names[i] != "" {
		return []byte(names[i]), nil
	}
	return nil, fmt.Errorf("rating: no name for value %d", i)
}

func indexOf(names []string, text []byte) (uint8, error) {
	for i, name := range names {
		if name != "" && name == string(text) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("rating: unknown name %q", text)
}
