package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/purser-cloud/purser/internal/money"
)

// The words of a package in the files. An atomic package has one item, a bundle several.
const (
	Atomic      = "ATOMIC_PKG"
	Bundle      = "BUNDLE_PKG"
	Resettable  = "resettable"   // the whole amount again each cycle, what is left of the last one is lost
	OneOff      = "one_off"      // the amount once for each period that is paid
	Natural     = "natural"      // cycles are those of the calendar (GMT+8)
	PurchaseDay = "purchase_day" // cycles run from when the package takes effect
)

// Cycles are those after which a resettable package is whole again, by the number that the contract gives them (api.md
// 7.2): 1 hour, 2 day, 3 week, 4 month, 5 year.
var cycles = []string{1: "hour", 2: "day", 3: "week", 4: "month", 5: "year"}

// Package is what a product holds that is sold as a resource package.
type Package struct {
	Bundle    string        `json:"bundle"`
	Reuse     string        `json:"reuse"`
	Cycle     string        `json:"cycle,omitempty"` // resettable only
	CycleType string        `json:"cycle_type,omitempty"`
	Items     []PackageItem `json:"items"`
}

// PackageItem is an amount of one usage type that may be used without being charged.
type PackageItem struct {
	ResourceType string        `json:"resource_type"`
	UsageType    string        `json:"usage_type"`
	Amount       money.Decimal `json:"amount"` // per cycle of a resettable package, else per period paid
	Unit         int32         `json:"unit"`
	Specs        []string      `json:"specs,omitempty"` // it is for; empty: every spec of the resource type
}

// CycleCode is the contract's number of a package's cycle; 0 when it is not resettable.
func (p *Package) CycleCode() int32 { return int32(max(0, slices.Index(cycles, p.Cycle))) }

// text is the package as it is kept; none is empty.
func (p *Package) text() (string, error) {
	if p == nil {
		return "", nil
	}
	return canonical(p)
}

func packageOf(text string) (*Package, error) {
	if text == "" {
		return nil, nil
	}
	out := &Package{}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		return nil, fmt.Errorf("read a package: %w", err)
	}
	return out, nil
}

// packaged reads what a rule says of its package; all products of the rule hold the same.
func (c *checker) packaged(at place, entry *PackageEntry, prices []PriceEntry) *Package {
	if entry == nil {
		return nil
	}
	out := &Package{Bundle: entry.Bundle, Reuse: entry.Reuse, Cycle: entry.Cycle, CycleType: entry.CycleType}
	switch {
	case entry.Bundle != Atomic && entry.Bundle != Bundle:
		c.wrong(at.in(".bundle"), "bundle must be %s or %s", Atomic, Bundle)
	case len(entry.Items) == 0:
		c.wrong(at, "a package has at least one item")
	case entry.Bundle == Atomic && len(entry.Items) != 1:
		c.wrong(at.in(".items"), "an %s has one item, not %d", Atomic, len(entry.Items))
	}
	switch {
	case entry.Reuse != Resettable && entry.Reuse != OneOff:
		c.wrong(at.in(".reuse"), "reuse must be %s or %s", Resettable, OneOff)
	case entry.Reuse == OneOff && entry.Cycle+entry.CycleType != "":
		c.wrong(at, "a %s package has no cycle", OneOff)
	case entry.Reuse == Resettable && out.CycleCode() == 0:
		c.wrong(at.in(".cycle"), "cycle must be hour, day, week, month or year")
	case entry.Reuse == Resettable && entry.CycleType != Natural && entry.CycleType != PurchaseDay:
		c.wrong(at.in(".cycle_type"), "cycle_type must be %s or %s", Natural, PurchaseDay)
	}
	for i := range entry.Items {
		item := c.packageItem(at.in(".items[%d]", i), &entry.Items[i])
		for _, other := range out.Items {
			if other.ResourceType == item.ResourceType && other.UsageType == item.UsageType {
				c.wrong(at.in(".items[%d]", i), "usage type %s of %s is there twice", item.UsageType, item.ResourceType)
			}
		}
		out.Items = append(out.Items, item)
	}
	for i := range prices {
		price := &prices[i]
		if len(price.OnDemand) > 0 {
			c.wrong(at, "a package is sold by terms, not on demand")
		}
		// Its amount is for each period that is paid, so that periods of two lengths would buy the same.
		if entry.Reuse == OneOff && len(price.Terms) > 1 {
			c.wrong(at, "a %s package is sold by one kind of term", OneOff)
		}
	}
	return out
}

func (c *checker) packageItem(at place, entry *PackageItemEntry) PackageItem {
	out := PackageItem{ResourceType: entry.ResourceType, UsageType: entry.UsageType, Unit: entry.Unit, Specs: entry.Specs, Amount: c.decimal(at.in(".amount"), "amount", entry.Amount)}
	if out.Amount.Sign() <= 0 {
		c.wrong(at.in(".amount"), "amount must be above 0")
	}
	for j, spec := range entry.Specs {
		if spec == "" || strings.Contains(spec, ",") {
			c.wrong(at.in(".specs[%d]", j), "a spec is a code without commas")
		}
	}
	kind := c.types[entry.ResourceType]
	if kind == nil {
		c.wrong(at.in(".resource_type"), "there is no resource type %q", entry.ResourceType)
		return out
	}
	usage := kind.usage(entry.UsageType)
	if usage == nil {
		c.wrong(at.in(".usage_type"), "resource type %s has no usage type %q", kind.Code, entry.UsageType)
		return out
	}
	out.UsageType = usage.Code
	if _, ok := c.units.Ratio(usage.Unit, entry.Unit); !ok {
		c.wrong(at.in(".unit"), "usage type %s is metered in unit %d, which does not convert to unit %d", usage.Code, usage.Unit, entry.Unit)
	}
	return out
}

// packageEntry is the explicit form of a package.
func packageEntry(p *Package) *PackageEntry {
	if p == nil {
		return nil
	}
	out := &PackageEntry{Bundle: p.Bundle, Reuse: p.Reuse, Cycle: p.Cycle, CycleType: p.CycleType}
	for _, i := range p.Items {
		out.Items = append(out.Items, PackageItemEntry{ResourceType: i.ResourceType, UsageType: i.UsageType, Amount: i.Amount.String(), Unit: i.Unit, Specs: i.Specs})
	}
	return out
}
