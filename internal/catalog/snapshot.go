package catalog

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/rating"
)

// Snapshot is a whole catalogue in memory. It never changes.
type Snapshot struct {
	Version  int64
	content  Content
	units    *rating.Units
	products map[productKey]*Product
	services map[string]*Service
	types    map[string]*ResourceType
	regions  map[string]*Region
	listed   []Service                  // those that the Products API lists
	bySvc    map[string][]*ResourceType // resource types of a service
	usages   []usageRow                 // all usage types, in the order of resource types
	byType   map[string][]usageRow
	whole    map[int32]bool // units whose quantities are whole
}

// usageRow is a usage type with the resource type it belongs to.
type usageRow struct {
	usage *UsageType
	kind  *ResourceType
}

// Shelf hands out the current snapshot. The zero Shelf is ready.
type Shelf struct {
	watch   db.Watch
	current atomic.Pointer[shelved]
	mu      sync.Mutex // one loads at a time
}

type shelved struct {
	*Snapshot
	serial int64
}

// Changed makes the next reader look at the version: called after an import has ended.
func (s *Shelf) Changed() { s.watch.Changed() }

// At returns the current catalogue; it loads it only when an import has come since.
func (s *Shelf) At(ctx context.Context, r db.Reader) (*Snapshot, error) {
	seen, err := s.watch.Look(ctx, r, readVersion)
	if err != nil {
		return nil, err
	}
	if known := s.current.Load(); known != nil && known.serial >= seen.Serial {
		return known.Snapshot, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.current.Load(); known != nil && known.serial >= seen.Serial {
		return known.Snapshot, nil // somebody else has loaded it meanwhile
	}
	snapshot, err := Load(ctx, r)
	if err == nil && seen.Keep {
		s.current.Store(&shelved{snapshot, seen.Serial})
	}
	return snapshot, err
}

// Load reads the catalogue from the store.
func Load(ctx context.Context, r db.Reader) (*Snapshot, error) {
	version, err := readVersion(ctx, r)
	if err != nil {
		return nil, err
	}
	content, err := load(ctx, r)
	if err != nil {
		return nil, err
	}
	return newSnapshot(version, content)
}

// Of is the snapshot of a catalogue that is in no store.
func Of(content *Content) (*Snapshot, error) { return newSnapshot(0, content) }

func newSnapshot(version int64, content *Content) (*Snapshot, error) {
	units, err := ratingUnits(content)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		Version: version, content: *content, units: units, whole: wholeUnits(content),
		products: make(map[productKey]*Product, len(content.Products)), services: map[string]*Service{}, types: map[string]*ResourceType{},
		regions: map[string]*Region{}, bySvc: map[string][]*ResourceType{}, byType: map[string][]usageRow{},
	}
	for i := range content.Products {
		s.products[content.Products[i].key()] = &content.Products[i]
	}
	for i := range content.Services {
		s.services[content.Services[i].Code] = &content.Services[i]
		if content.Services[i].Code != marketplace {
			s.listed = append(s.listed, content.Services[i])
		}
	}
	for i := range content.Regions {
		s.regions[content.Regions[i].Code] = &content.Regions[i]
	}
	for i := range content.ResourceTypes {
		t := &content.ResourceTypes[i]
		s.types[t.Code] = t
		s.bySvc[t.Service] = append(s.bySvc[t.Service], t)
		for j := range t.UsageTypes {
			row := usageRow{&t.UsageTypes[j], t}
			s.usages = append(s.usages, row)
			s.byType[t.Code] = append(s.byType[t.Code], row)
		}
	}
	return s, nil
}

// Units is the conversion table.
func (s *Snapshot) Units() *rating.Units { return s.units }

// Product finds what a client names; it may be off sale.
func (s *Snapshot) Product(service, resourceType, region, spec string) (*Product, bool) {
	p, ok := s.products[productKey{service, resourceType, region, spec}]
	return p, ok
}

// HasZone says whether a region has an availability zone; the code is compared without case.
func (s *Snapshot) HasZone(region, zone string) bool {
	r := s.regions[region]
	if r == nil {
		return false
	}
	for i := range r.Zones {
		if strings.EqualFold(r.Zones[i].Code, zone) {
			return true
		}
	}
	return false
}

// at finds the prices in force at a business instant.
func (p *Product) at(now time.Time) *Prices {
	for i := len(p.Prices) - 1; i >= 0; i-- {
		if !p.Prices[i].From.After(now) {
			return &p.Prices[i]
		}
	}
	return nil
}

// PriceAt is the price of a usage factor at a business instant; the factor is compared without case.
func (s *Snapshot) PriceAt(p *Product, factor string, now time.Time) (*rating.Price, bool) {
	prices := p.at(now)
	if prices == nil {
		return nil, false
	}
	for i := range prices.Charges {
		if c := &prices.Charges[i]; strings.EqualFold(c.Factor, factor) {
			return &c.Price, true
		}
	}
	return nil, false
}

// Accumulates says whether any price of a usage factor, past or to come, has tiers that usage runs through over time.
func (s *Snapshot) Accumulates(p *Product, factor string) bool {
	for i := range p.Prices {
		if price, ok := s.PriceAt(p, factor, p.Prices[i].From); ok && price.Accumulates() {
			return true
		}
	}
	return false
}

// TermsAt are the term prices at a business instant.
func (s *Snapshot) TermsAt(p *Product, now time.Time) []rating.Term {
	if prices := p.at(now); prices != nil {
		return prices.Terms
	}
	return nil
}

// UsageType finds a usage factor of a resource type; the code is compared without case.
func (s *Snapshot) UsageType(resourceType, code string) (*UsageType, bool) {
	kind := s.types[resourceType]
	if kind == nil {
		return nil, false
	}
	usage := kind.usage(code)
	return usage, usage != nil
}

// fineDecimals is how many decimals a metered quantity has where its unit can be divided.
const fineDecimals = 6

// Scale is how many decimals a quantity metered in a unit has: none for the smallest unit of time, traffic or capacity
// (seconds and bytes are whole), else 6.
func (s *Snapshot) Scale(unit int32) int {
	if s.whole[unit] {
		return 0
	}
	return fineDecimals
}

// wholeUnits are those of time, traffic and capacity that nothing smaller is made of.
func wholeUnits(content *Content) map[int32]bool {
	whole := map[int32]bool{}
	for i := range content.Units {
		switch content.Units[i].Type {
		case 2, 3, 7, 40: // duration, traffic, capacity, traffic by 1000 (billing-rules 11.1)
			whole[content.Units[i].ID] = true
		}
	}
	for _, c := range content.Conversions {
		delete(whole, c.From)
	}
	return whole
}

// Factors lists the usage factors of a resource type.
func (s *Snapshot) Factors(resourceType string) (codes []string) {
	if kind := s.types[resourceType]; kind != nil {
		for i := range kind.UsageTypes {
			codes = append(codes, kind.UsageTypes[i].Code)
		}
	}
	return codes
}
