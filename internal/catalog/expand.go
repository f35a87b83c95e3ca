package catalog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Decimals of a unit price where a rule says none.
const (
	chargeDecimals = 4
	termDecimals   = 2
)

// attributes are a spec's numbers that rates are multiplied by; base is always 1.
type attributes map[string]money.Decimal

// ladder works out the prices of one product: one spec and variant in one region.
type ladder struct {
	c          *checker
	at         place
	kind       *ResourceType
	attributes attributes
	extra      map[string]string // rates that the variant adds
	factor     money.Decimal     // of the region
	name       string            // for problems: spec in region
}

func (c *checker) productsOf(s *source) {
	for i := range s.file.Products {
		c.rule(place{s, fmt.Sprintf("$.products[%d]", i)}, &s.file.Products[i])
	}
}

// rule expands one rule to its products.
func (c *checker) rule(at place, rule *ProductEntry) {
	c.code(at, "rule", rule.Rule)
	if c.rules[rule.Rule] {
		c.wrong(at, "rule %s is there twice", rule.Rule)
	}
	c.rules[rule.Rule] = true
	c.text(at, "rule "+rule.Rule, rule.Name)
	kind := c.types[rule.ResourceType]
	if kind == nil {
		c.wrong(at.in(".resource_type"), "rule %s: there is no resource type %q", rule.Rule, rule.ResourceType)
		return
	}
	regions := rule.Regions
	if len(regions) == 0 {
		for _, r := range c.content.Regions {
			regions = append(regions, r.Code)
		}
	}
	variants := sorted(rule.Variants)
	if len(variants) == 0 {
		variants = []string{""}
	}
	switch count := len(regions) * len(rule.Specs) * len(variants); {
	case len(rule.Specs) == 0:
		c.wrong(at, "rule %s has no specs", rule.Rule)
	case len(rule.Prices) == 0:
		c.wrong(at, "rule %s has no prices", rule.Rule)
	case rule.ProductID != "" && count != 1:
		c.wrong(at, "rule %s gives a product_id but makes %d products", rule.Rule, count)
	}
	held := c.packaged(at.in(".package"), rule.Package, rule.Prices)
	before := len(c.problems)
	for _, code := range regions {
		region := c.regions[code]
		if region == nil {
			c.wrong(at.in(".regions"), "rule %s: there is no region %q", rule.Rule, code)
			continue
		}
		for _, spec := range sorted(rule.Specs) {
			for _, variant := range variants {
				c.product(at, rule, kind, region, held, spec, variant)
			}
			if len(c.problems) > before {
				return // the same would be said of every product of the rule
			}
		}
	}
}

func (c *checker) product(at place, rule *ProductEntry, kind *ResourceType, region *Region, held *Package, spec, variant string) {
	p := Product{
		ID: rule.ProductID, Service: kind.Service, ResourceType: kind.Code, Region: region.Code, Spec: spec + variant,
		Name: joined(rule.Name, rule.Variants[variant].Name), Package: held,
	}
	if p.ID == "" {
		p.ID = string(ident.Product(p.Service, p.ResourceType, p.Region, p.Spec))
	}
	c.code(at, "spec", p.Spec)
	if c.products[p.key()] || c.ids[p.ID] {
		c.wrong(at, "rule %s: spec %s in region %s is sold twice", rule.Rule, p.Spec, p.Region)
	}
	c.products[p.key()], c.ids[p.ID] = true, true
	l := ladder{c: c, at: at, kind: kind, extra: rule.Variants[variant].Rates, factor: region.Factor, name: p.Spec + " in " + p.Region}
	l.attributes = attributes{"base": money.DecimalOf(1)}
	for _, from := range []map[string]string{rule.Attributes, rule.Specs[spec]} {
		for name, value := range from {
			l.attributes[name] = c.decimal(at, "attribute "+name, value)
		}
	}
	for i := range rule.Prices {
		p.Prices = append(p.Prices, l.prices(at.in(".prices[%d]", i), &rule.Prices[i]))
	}
	slices.SortStableFunc(p.Prices, func(a, b Prices) int { return a.From.Compare(b.From) })
	for i := 1; i < len(p.Prices); i++ {
		if p.Prices[i].From.Equal(p.Prices[i-1].From) {
			c.wrong(at.in(".prices"), "rule %s: two prices from the same instant", rule.Rule)
		}
	}
	c.content.Products = append(c.content.Products, p)
}

// joined puts a variant's name behind the rule's.
func joined(name, variant Text) Text {
	if variant.En != "" {
		name.En += " (" + variant.En + ")"
	}
	if variant.Zh != "" {
		name.Zh += "（" + variant.Zh + "）"
	}
	return name
}

func (l *ladder) prices(at place, entry *PriceEntry) Prices {
	out := Prices{From: l.c.instant(at.in(".from"), entry.From)}
	if len(entry.OnDemand)+len(entry.Terms) == 0 {
		l.c.wrong(at, "the price from %s has neither on_demand nor terms", entry.From)
	}
	for i := range entry.OnDemand {
		charge := l.charge(at.in(".on_demand[%d]", i), &entry.OnDemand[i])
		for _, other := range out.Charges {
			if other.Factor == charge.Factor {
				l.c.wrong(at, "usage type %s is priced twice", charge.Factor)
			}
		}
		out.Charges = append(out.Charges, charge)
	}
	for i := range entry.Terms {
		if term, ok := l.term(at.in(".terms[%d]", i), &entry.Terms[i], &out); ok {
			out.Terms = append(out.Terms, term)
		}
	}
	if err := rating.CheckTerms(out.Terms, l.c.units); err != nil {
		l.c.wrong(at.in(".terms"), "%s: %v", l.name, err)
	}
	return out
}

func (l *ladder) charge(at place, entry *ChargeEntry) Charge {
	usage := l.kind.usage(entry.UsageType)
	if usage == nil {
		l.c.wrong(at, "resource type %s has no usage type %q", l.kind.Code, entry.UsageType)
		return Charge{Factor: entry.UsageType}
	}
	if _, ok := l.c.units.Ratio(usage.Unit, entry.Unit); !ok {
		l.c.wrong(at.in(".unit"), "usage type %s is metered in unit %d, which does not convert to unit %d", usage.Code, usage.Unit, entry.Unit)
	}
	decimals := decimalsOf(entry.Decimals, chargeDecimals)
	price := rating.Price{Unit: entry.Unit, SizeUnit: entry.SizeUnit, UnitPrice: l.unitPrice(at, entry.Rates, entry.UnitPrice, decimals)}
	if entry.PerUnits != "" {
		per, whole := l.c.decimal(at.in(".per_units"), "per_units", entry.PerUnits).Int64()
		if !whole || per < 1 {
			l.c.wrong(at.in(".per_units"), "per_units must be a whole number of at least 1")
		}
		if per != 1 {
			price.Per = per
		}
	}
	price.Tiers = l.tiers(at.in(".tiers"), entry.Tiers, price.UnitPrice, decimals, entry.Unit, entry.SizeUnit)
	if err := price.Check(l.c.units); err != nil {
		l.c.wrong(at, "%s: %v", l.name, err)
	}
	return Charge{Factor: usage.Code, Price: price}
}

func decimalsOf(given *int, byDefault int) int {
	if given == nil {
		return byDefault
	}
	return *given
}

// unitPrice is Σ attribute × rate × region factor, rounded half-up once; or what is written, as it is.
func (l *ladder) unitPrice(at place, rates map[string]string, written string, decimals int) money.UnitPrice {
	if written != "" {
		if len(rates) > 0 {
			l.c.wrong(at, "rates and unit_price exclude each other")
		}
		price, err := money.ParseUnitPrice(written)
		if err != nil {
			l.c.wrong(at.in(".unit_price"), "unit_price %q: a decimal with at most 10 decimals", written)
		}
		return price
	}
	if decimals < 0 || decimals > money.UnitPriceDecimals {
		l.c.wrong(at.in(".decimals"), "decimals must be from 0 to 10")
		return 0
	}
	if len(rates) == 0 {
		l.c.wrong(at, "needs rates or a unit_price")
		return 0
	}
	sum, err := l.weigh(at, rates)
	if err == nil && len(l.extra) > 0 {
		var more money.Decimal
		if more, err = l.weigh(at, l.extra); err == nil {
			sum, err = sum.Add(more)
		}
	}
	if err == nil {
		sum, err = sum.Mul(l.factor)
	}
	return l.round(at, sum, decimals, err)
}

// weigh is Σ attribute × rate.
func (l *ladder) weigh(at place, rates map[string]string) (sum money.Decimal, err error) {
	for _, name := range sorted(rates) {
		value, known := l.attributes[name]
		if !known {
			l.c.wrong(at.in(".rates"), "%s has no attribute %q", l.name, name)
			continue
		}
		part, failed := l.c.decimal(at.in(".rates"), "rate "+name, rates[name]).Mul(value)
		if failed == nil {
			sum, failed = sum.Add(part)
		}
		err = errors.Join(err, failed)
	}
	return sum, err
}

func (l *ladder) round(at place, exact money.Decimal, decimals int, err error) money.UnitPrice {
	var price money.UnitPrice
	if err == nil {
		price, err = money.HalfUpUnitPrice(exact, decimals)
	}
	if err != nil {
		l.c.wrong(at, "%s: the unit price cannot be worked out: %v", l.name, err)
	}
	return price
}

// scaled is a price × factor, rounded half-up.
func (l *ladder) scaled(at place, price money.UnitPrice, factor string, decimals int) money.UnitPrice {
	exact, err := price.Decimal().Mul(l.c.decimal(at, "factor", factor))
	return l.round(at, exact, decimals, err)
}

var accumulations = map[string]period.Unit{"": period.Month, "none": period.None, "hour": period.Hour, "day": period.Day, "month": period.Month}

// tiers puts the steps' prices and units in.
func (l *ladder) tiers(at place, entry *TiersEntry, base money.UnitPrice, decimals int, unit, sizeUnit int32) *rating.Tiers {
	if entry == nil {
		return nil
	}
	t := &rating.Tiers{}
	if err := t.Shape.UnmarshalText([]byte(entry.Shape)); err != nil {
		l.c.wrong(at.in(".shape"), "shape must be graduated or volume")
	}
	if err := t.On.UnmarshalText([]byte(entry.On)); err != nil {
		l.c.wrong(at.in(".on"), "on must be size or usage")
	}
	bound := unit
	if t.On == rating.OnSize {
		bound = sizeUnit
		if entry.Accumulate != "" && entry.Accumulate != "none" {
			l.c.wrong(at.in(".accumulate"), "steps of the size do not accumulate")
		}
	} else {
		window, ok := accumulations[entry.Accumulate]
		if !ok {
			l.c.wrong(at.in(".accumulate"), "accumulate must be none, hour, day or month")
		}
		t.Accumulate = window
	}
	if entry.Unit != 0 {
		bound = entry.Unit
	}
	for i, s := range entry.Steps {
		step := at.in(".steps[%d]", i)
		tier := rating.Tier{Open: s.UpTo == "", Unit: bound}
		switch {
		case s.UnitPrice != "" && s.Factor == "":
			tier.UnitPrice = l.unitPrice(step, nil, s.UnitPrice, decimals)
		case s.Factor != "" && s.UnitPrice == "":
			tier.UnitPrice = l.scaled(step, base, s.Factor, decimals)
		default:
			l.c.wrong(step, "a step has either a factor or a unit_price")
		}
		if s.Unit != 0 {
			tier.Unit = s.Unit
		}
		if tier.Open {
			tier.Unit = 0
		} else {
			tier.UpTo = l.c.decimal(step.in(".up_to"), "up_to", s.UpTo)
		}
		t.Steps = append(t.Steps, tier)
	}
	return t
}

var periods = map[string]period.Unit{"hour": period.Hour, "day": period.Day, "month": period.Month, "year": period.Year}

// term works out what one period costs. `of` takes another price × times: of "hour" the on-demand price of an hour
// by Duration, of "month" the month's term; its size unit and tiers come along unless the entry has its own.
func (l *ladder) term(at place, entry *TermEntry, so *Prices) (rating.Term, bool) {
	unit, ok := periods[entry.Period]
	if !ok {
		l.c.wrong(at.in(".period"), "period must be hour, day, month or year")
		return rating.Term{}, false
	}
	decimals := decimalsOf(entry.Decimals, termDecimals)
	t := rating.Term{Period: unit, SizeUnit: entry.SizeUnit}
	if entry.Of == "" {
		t.UnitPrice = l.unitPrice(at, entry.Rates, entry.UnitPrice, decimals)
	} else if !l.of(at, entry, so, decimals, &t) {
		return t, false
	}
	if entry.Tiers != nil {
		t.Tiers = l.tiers(at.in(".tiers"), entry.Tiers, t.UnitPrice, decimals, 0, t.SizeUnit)
	}
	for i, s := range entry.Steps {
		t.Steps = append(t.Steps, l.step(at.in(".steps[%d]", i), s, &t, decimals))
	}
	return t, true
}

func (l *ladder) of(at place, entry *TermEntry, so *Prices, decimals int, t *rating.Term) bool {
	var price money.UnitPrice
	var sizeUnit int32
	var tiers *rating.Tiers
	found := false
	switch entry.Of {
	case "hour":
		for i := range so.Charges {
			p := &so.Charges[i].Price
			if ratio, ok := l.c.units.Ratio(hourUnit, p.Unit); ok && ratio.Num == 1 && ratio.Den == 1 && !found {
				price, sizeUnit, tiers, found = p.UnitPrice, p.SizeUnit, p.Tiers, true
			}
		}
	case "month":
		for i := range so.Terms {
			if m := &so.Terms[i]; m.Period == period.Month {
				price, sizeUnit, tiers, found = m.UnitPrice, m.SizeUnit, m.Tiers, true
			}
		}
	}
	if !found {
		l.c.wrong(at.in(".of"), "%s: there is no price of %q to multiply: hour is the on-demand price of an hour, month a term before this one", l.name, entry.Of)
		return false
	}
	t.UnitPrice = l.scaled(at.in(".times"), price, entry.Times, decimals)
	if t.SizeUnit == 0 {
		t.SizeUnit = sizeUnit
	}
	t.Tiers = l.scaledTiers(at, tiers, entry.Times, decimals)
	return true
}

// hourUnit is the measure unit of an hour (billing-rules 11.1).
const hourUnit = 4

func (l *ladder) scaledTiers(at place, tiers *rating.Tiers, factor string, decimals int) *rating.Tiers {
	if tiers == nil {
		return nil
	}
	out := *tiers
	out.Steps = slices.Clone(tiers.Steps)
	for i := range out.Steps {
		out.Steps[i].UnitPrice = l.scaled(at, out.Steps[i].UnitPrice, factor, decimals)
	}
	return &out
}

func (l *ladder) step(at place, entry StepEntry, t *rating.Term, decimals int) rating.Step {
	out := rating.Step{Periods: entry.Periods}
	switch {
	case entry.UnitPrice != "" && entry.Factor == "" && (t.Tiers == nil) == (entry.Tiers == nil):
		out.UnitPrice = l.unitPrice(at, nil, entry.UnitPrice, decimals)
		out.Tiers = l.tiers(at.in(".tiers"), entry.Tiers, out.UnitPrice, decimals, 0, t.SizeUnit)
	case entry.Factor != "" && entry.UnitPrice == "":
		out.UnitPrice = l.scaled(at, t.UnitPrice, entry.Factor, decimals)
		out.Tiers = l.scaledTiers(at, t.Tiers, entry.Factor, decimals)
	default:
		l.c.wrong(at, "a step has either a factor or a unit_price (with tiers of its own where the term has tiers)")
	}
	return out
}
