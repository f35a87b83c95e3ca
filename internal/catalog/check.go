package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// checker turns sources into a content and collects what is wrong on the way.
type checker struct {
	problems []string
	content  Content
	units    *rating.Units
	unitType map[int32]int32
	regions  map[string]*Region
	services map[string]bool
	types    map[string]*ResourceType
	rules    map[string]bool
	products map[productKey]bool
	ids      map[string]bool
}

func (c *checker) wrong(at place, format string, args ...any) {
	if len(c.problems) <= problemsMost {
		c.problems = append(c.problems, at.String()+": "+fmt.Sprintf(format, args...))
	}
}

// whole checks all files together, what is referred to first.
func (c *checker) whole(sources []source) {
	c.unitType, c.regions, c.services = map[int32]int32{}, map[string]*Region{}, map[string]bool{}
	c.types, c.rules, c.products, c.ids = map[string]*ResourceType{}, map[string]bool{}, map[productKey]bool{}, map[string]bool{}
	each := func(check func(s *source)) {
		for i := range sources {
			check(&sources[i])
		}
	}
	each(c.unitsOf)
	each(c.conversionsOf)
	c.convert(sources)
	each(c.regionsOf)
	each(c.servicesOf)
	each(c.typesOf)
	if c.units == nil {
		return // prices cannot be worked out
	}
	each(c.productsOf)
}

func (c *checker) text(at place, what string, t Text) {
	if strings.TrimSpace(t.En) == "" || strings.TrimSpace(t.Zh) == "" {
		c.wrong(at, "%s needs a name in English (en) and Chinese (zh)", what)
	}
	if len(t.En) > 200 || len(t.Zh) > 600 {
		c.wrong(at, "%s has a name of more than 200 characters", what)
	}
}

func (c *checker) code(at place, what, code string) {
	if code == "" || len(code) > 64 || strings.IndexFunc(code, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) >= 0 {
		c.wrong(at, "%s %q: 1 to 64 characters without spaces", what, code)
	}
}

func (c *checker) unitsOf(s *source) {
	for i, u := range s.file.Units {
		at := place{s, fmt.Sprintf("$.units[%d]", i)}
		if _, twice := c.unitType[u.ID]; twice {
			c.wrong(at, "unit %d is there twice", u.ID)
		}
		c.unitType[u.ID] = u.Type
		c.text(at, fmt.Sprintf("unit %d", u.ID), u.Name)
		c.content.Units = append(c.content.Units, Unit(u))
	}
}

func (c *checker) conversionsOf(s *source) {
	for i, v := range s.file.Conversions {
		at := place{s, fmt.Sprintf("$.conversions[%d]", i)}
		from, okFrom := c.unitType[v.From]
		to, okTo := c.unitType[v.To]
		switch {
		case !okFrom || !okTo:
			c.wrong(at, "conversion %d → %d: no such unit", v.From, v.To)
		case from != to:
			c.wrong(at, "conversion %d → %d joins measure types %d and %d", v.From, v.To, from, to)
		case v.Ratio < 1:
			c.wrong(at, "conversion %d → %d: the ratio must be at least 1", v.From, v.To)
		}
		c.content.Conversions = append(c.content.Conversions, Conversion{v.From, v.To, v.Ratio, from})
	}
}

// convert builds the conversion table, which finds contradictions.
func (c *checker) convert(sources []source) {
	if len(c.problems) > 0 {
		return
	}
	units, err := ratingUnits(&c.content)
	if err != nil {
		c.wrong(place{&sources[0], "$"}, "%v", err)
		return
	}
	c.units = units
}

// ratingUnits is the conversion table of a content.
func ratingUnits(content *Content) (*rating.Units, error) {
	units := make([]rating.Unit, len(content.Units))
	for i, u := range content.Units {
		units[i] = rating.Unit{ID: u.ID, Type: u.Type}
	}
	conversions := make([]rating.Conversion, len(content.Conversions))
	for i, v := range content.Conversions {
		conversions[i] = rating.Conversion{From: v.From, To: v.To, Ratio: v.Ratio}
	}
	return rating.NewUnits(units, conversions)
}

func (c *checker) regionsOf(s *source) {
	for i, r := range s.file.Regions {
		at := place{s, fmt.Sprintf("$.regions[%d]", i)}
		c.code(at, "region", r.Code)
		c.text(at, "region "+r.Code, r.Name)
		if c.regions[r.Code] != nil {
			c.wrong(at, "region %s is there twice", r.Code)
		}
		region := Region{Code: r.Code, Name: r.Name, Factor: c.decimal(at.in(".price_factor"), "price_factor", r.PriceFactor)}
		if region.Factor.Sign() <= 0 {
			c.wrong(at, "region %s: price_factor must be above 0", r.Code)
		}
		seen := map[string]bool{}
		for j, z := range r.Zones {
			zone := at.in(".zones[%d]", j)
			c.code(zone, "zone", z.Code)
			c.text(zone, "zone "+z.Code, z.Name)
			if seen[z.Code] {
				c.wrong(zone, "zone %s is there twice", z.Code)
			}
			seen[z.Code] = true
			region.Zones = append(region.Zones, Zone(z))
		}
		c.content.Regions = append(c.content.Regions, region)
		c.regions[r.Code] = &region
	}
}

func (c *checker) servicesOf(s *source) {
	for i, v := range s.file.Services {
		at := place{s, fmt.Sprintf("$.services[%d]", i)}
		c.code(at, "service", v.Code)
		c.text(at, "service "+v.Code, v.Name)
		if c.services[v.Code] {
			c.wrong(at, "service %s is there twice", v.Code)
		}
		if v.Abbreviation == "" || v.Category == "" {
			c.wrong(at, "service %s needs an abbreviation and a category", v.Code)
		}
		c.services[v.Code] = true
		c.content.Services = append(c.content.Services, Service(v))
	}
}

func (c *checker) typesOf(s *source) {
	for i, t := range s.file.ResourceTypes {
		at := place{s, fmt.Sprintf("$.resource_types[%d]", i)}
		c.code(at, "resource type", t.Code)
		c.text(at, "resource type "+t.Code, t.Name)
		c.text(at, "the description of "+t.Code, t.Description)
		if c.types[t.Code] != nil {
			c.wrong(at, "resource type %s is there twice", t.Code)
		}
		if !c.services[t.Service] {
			c.wrong(at.in(".service"), "resource type %s: there is no service %q", t.Code, t.Service)
		}
		if _, known := c.unitType[t.SizeUnit]; t.SizeUnit != 0 && !known {
			c.wrong(at.in(".size_unit"), "resource type %s: there is no unit %d", t.Code, t.SizeUnit)
		}
		kind := ResourceType{Code: t.Code, Service: t.Service, Name: t.Name, Description: t.Description, Attached: t.Attached, SizeUnit: t.SizeUnit}
		for j, u := range t.UsageTypes {
			usage := at.in(".usage_types[%d]", j)
			c.code(usage, "usage type", u.Code)
			c.text(usage, "usage type "+u.Code, u.Name)
			if _, known := c.unitType[u.Unit]; !known {
				c.wrong(usage, "usage type %s: there is no unit %d", u.Code, u.Unit)
			}
			if !slices.Contains([]string{"hour", "day", "month"}, u.Settle) {
				c.wrong(usage, "usage type %s: settle must be hour, day or month", u.Code)
			}
			if kind.usage(u.Code) != nil {
				c.wrong(usage, "usage type %s is there twice", u.Code)
			}
			kind.UsageTypes = append(kind.UsageTypes, UsageType(u))
		}
		c.content.ResourceTypes = append(c.content.ResourceTypes, kind)
		c.types[t.Code] = &kind
	}
}

// usage finds a usage type; its code is compared without case.
func (t *ResourceType) usage(code string) *UsageType {
	for i := range t.UsageTypes {
		if strings.EqualFold(t.UsageTypes[i].Code, code) {
			return &t.UsageTypes[i]
		}
	}
	return nil
}

func (c *checker) decimal(at place, what, text string) money.Decimal {
	d, err := money.ParseDecimal(text)
	if err != nil {
		c.wrong(at, "%s %q is not a decimal number", what, text)
	}
	return d
}

func (c *checker) instant(at place, text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		c.wrong(at, "from %q must be an instant such as 2027-01-01T00:00:00+08:00", text)
	}
	return t.UTC()
}

// sorted lists the keys of a map of the file in their order, so that the same files always come out the same.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
