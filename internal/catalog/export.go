package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Document is one file of a catalogue, by its path inside the folder.
type Document struct{ Name, Text string }

// Export writes the catalogue as files in the explicit form: what import takes back without a change. Products that
// are off sale at the reader's business instant are left out.
func Export(ctx context.Context, r db.Reader) (version int64, out []Document, err error) {
	s, err := Load(ctx, r)
	if err != nil {
		return 0, nil, err
	}
	now, _ := r.Instant()
	c := &s.content
	var units, regions File
	for _, u := range c.Units {
		units.Units = append(units.Units, UnitEntry(u))
	}
	for _, v := range c.Conversions {
		units.Conversions = append(units.Conversions, ConversionEntry{v.From, v.To, v.Ratio})
	}
	for _, v := range c.Regions {
		entry := RegionEntry{Code: v.Code, Name: v.Name, PriceFactor: v.Factor.String()}
		for _, z := range v.Zones {
			entry.Zones = append(entry.Zones, ZoneEntry(z))
		}
		regions.Regions = append(regions.Regions, entry)
	}
	files := []File{units, regions}
	names := []string{"units.yaml", "regions.yaml"}
	products := map[string][]*Product{}
	for i := range c.Products {
		if p := &c.Products[i]; p.OnSale(now) {
			products[p.Service] = append(products[p.Service], p)
		}
	}
	for i, v := range c.Services {
		files = append(files, s.serviceFile(v, products[v.Code]))
		// Numbered: the order of services is the order of files.
		names = append(names, fmt.Sprintf("services/%03d-%s.yaml", i+1, strings.TrimPrefix(v.Code, "hws.service.type.")))
	}
	for i := range files {
		text, err := yaml.MarshalWithOptions(files[i], yaml.Indent(2), yaml.IndentSequence(true))
		if err != nil {
			return 0, nil, fmt.Errorf("export %s: %w", names[i], err)
		}
		out = append(out, Document{names[i], string(text)})
	}
	return s.Version, out, nil
}

func (s *Snapshot) serviceFile(v Service, products []*Product) File {
	f := File{Services: []ServiceEntry{ServiceEntry(v)}}
	for _, t := range s.bySvc[v.Code] {
		entry := ResourceTypeEntry{Code: t.Code, Service: t.Service, Name: t.Name, Description: t.Description, Attached: t.Attached, SizeUnit: t.SizeUnit}
		for _, u := range t.UsageTypes {
			entry.UsageTypes = append(entry.UsageTypes, UsageTypeEntry(u))
		}
		f.ResourceTypes = append(f.ResourceTypes, entry)
	}
	for _, p := range products {
		entry := ProductEntry{
			Rule: p.ID, ProductID: p.ID, ResourceType: p.ResourceType, Name: p.Name, Regions: []string{p.Region},
			Specs: map[string]map[string]string{p.Spec: {}}, Package: packageEntry(p.Package),
		}
		for i := range p.Prices {
			entry.Prices = append(entry.Prices, pricesEntry(&p.Prices[i]))
		}
		f.Products = append(f.Products, entry)
	}
	return f
}

func pricesEntry(p *Prices) PriceEntry {
	out := PriceEntry{From: p.From.In(period.GMT8).Format(time.RFC3339)}
	for i := range p.Charges {
		c := &p.Charges[i]
		entry := ChargeEntry{
			UsageType: c.Factor, Unit: c.Price.Unit, UnitPrice: c.Price.UnitPrice.String(), SizeUnit: c.Price.SizeUnit, Tiers: tiersEntry(c.Price.Tiers),
		}
		if c.Price.Per != 0 {
			entry.PerUnits = strconv.FormatInt(c.Price.Per, 10)
		}
		out.OnDemand = append(out.OnDemand, entry)
	}
	for i := range p.Terms {
		t := &p.Terms[i]
		entry := TermEntry{Period: t.Period.String(), UnitPrice: t.UnitPrice.String(), SizeUnit: t.SizeUnit, Tiers: tiersEntry(t.Tiers)}
		for _, s := range t.Steps {
			entry.Steps = append(entry.Steps, StepEntry{Periods: s.Periods, UnitPrice: s.UnitPrice.String(), Tiers: tiersEntry(s.Tiers)})
		}
		out.Terms = append(out.Terms, entry)
	}
	return out
}

func tiersEntry(t *rating.Tiers) *TiersEntry {
	if t == nil {
		return nil
	}
	out := &TiersEntry{Shape: t.Shape.String(), On: t.On.String()}
	if t.On == rating.OnUsage {
		out.Accumulate = t.Accumulate.String()
	}
	for _, s := range t.Steps {
		entry := TierStepEntry{UnitPrice: s.UnitPrice.String()}
		if !s.Open {
			entry.UpTo, entry.Unit = s.UpTo.String(), s.Unit
		}
		out.Steps = append(out.Steps, entry)
	}
	return out
}
