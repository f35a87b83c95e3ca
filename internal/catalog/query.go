package catalog

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Language picks one of the two names. What is not English is Chinese, the contract's default.
type Language bool

// The languages.
const (
	Chinese Language = false
	English Language = true
)

// LanguageOf reads an X-Language header: en_US in any case, also en-us or en, is English.
func LanguageOf(header string) Language {
	return Language(len(header) >= 2 && strings.EqualFold(header[:2], "en"))
}

// In is the name in a language.
func (t Text) In(language Language) string {
	if language == English {
		return t.En
	}
	return t.Zh
}

// Page is a part of a list: rows from Offset on, at most Limit.
type Page struct{ Offset, Limit int }

func cut[T any](list []T, page Page) []T {
	from := min(max(page.Offset, 0), len(list))
	return list[from : from+min(max(page.Limit, 0), len(list)-from)]
}

// marketplace is what others sell here; the Products API leaves it out of its lists of services (api.md 1.1, 1.3).
const marketplace = "hws.service.type.marketplace"

// ServiceTypes pages through the services whose name in the language contains the text, without regard to case.
func (s *Snapshot) ServiceTypes(language Language, name string, page Page) (total int, rows []Service) {
	all := s.listed
	if name != "" {
		name = strings.ToLower(name)
		all = keep(all, func(v *Service) bool { return strings.Contains(strings.ToLower(v.Name.In(language)), name) })
	}
	return len(all), cut(all, page)
}

func keep[T any](list []T, want func(*T) bool) []T {
	var out []T
	for i := range list {
		if want(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

// ResourceTypes pages through all resource types.
func (s *Snapshot) ResourceTypes(page Page) (total int, rows []ResourceType) {
	return len(s.content.ResourceTypes), cut(s.content.ResourceTypes, page)
}

// ServiceResources pages through the resource types of a service; an unknown service has none.
func (s *Snapshot) ServiceResources(service string, page Page) (total int, rows []*ResourceType) {
	if service == marketplace {
		return 0, nil
	}
	all := s.bySvc[service]
	return len(all), cut(all, page)
}

// UsageRow is a usage type with what it is metered on.
type UsageRow struct {
	Usage   *UsageType
	Type    *ResourceType
	Service *Service
}

// UsageTypes pages through usage types, of one resource type when it is named.
func (s *Snapshot) UsageTypes(resourceType string, page Page) (total int, rows []UsageRow) {
	all := s.usages
	if resourceType != "" {
		all = s.byType[resourceType]
	}
	part := cut(all, page)
	rows = make([]UsageRow, len(part))
	for i, r := range part {
		rows[i] = UsageRow{r.usage, r.kind, s.services[r.kind.Service]}
	}
	return len(all), rows
}

// MeasureUnits lists all units.
func (s *Snapshot) MeasureUnits() []Unit { return s.content.Units }

// Conversions lists conversions, of one measure type unless it is 0.
func (s *Snapshot) Conversions(measureType int32) []Conversion {
	if measureType == 0 {
		return s.content.Conversions
	}
	return keep(s.content.Conversions, func(v *Conversion) bool { return v.Type == measureType })
}

// Regions lists all regions.
func (s *Snapshot) Regions() []Region { return s.content.Regions }

// Service finds a service by code.
func (s *Snapshot) Service(code string) (*Service, bool) {
	v, ok := s.services[code]
	return v, ok
}

// ServiceCode is a service's code as the catalogue writes it, whatever case it is given in; one that no service has is
// left as it is.
func (s *Snapshot) ServiceCode(given string) string {
	if _, ok := s.services[given]; ok || given == "" {
		return given
	}
	for code := range s.services {
		if strings.EqualFold(code, given) {
			return code
		}
	}
	return given
}

// ResourceType finds a resource type by code.
func (s *Snapshot) ResourceType(code string) (*ResourceType, bool) {
	t, ok := s.types[code]
	return t, ok
}

// SpecQuery asks for the specs that are sold.
type SpecQuery struct {
	Service, ResourceType, Region string
	Terms                         bool   // sold yearly/monthly; else pay-per-use
	Text                          string // part of the spec's code, without case; empty: all
	Marker                        string // the last spec of the page before
	Limit                         int
}

// ResourceSpecs pages through specs by code; next is the marker of the page after, empty at the end.
func (s *Snapshot) ResourceSpecs(q SpecQuery, now time.Time) (specs []*Product, next string) {
	from, _ := slices.BinarySearchFunc(s.content.Products, q, func(p Product, q SpecQuery) int {
		return cmp.Or(cmp.Compare(p.Service, q.Service), cmp.Compare(p.ResourceType, q.ResourceType), cmp.Compare(p.Region, q.Region))
	})
	text := strings.ToLower(q.Text)
	for i := from; i < len(s.content.Products); i++ {
		p := &s.content.Products[i]
		if p.Service != q.Service || p.ResourceType != q.ResourceType || p.Region != q.Region {
			break
		}
		prices := p.at(now)
		if p.Spec <= q.Marker || prices == nil || !p.OnSale(now) || !strings.Contains(strings.ToLower(p.Spec), text) {
			continue
		}
		if q.Terms && len(prices.Terms) == 0 || !q.Terms && len(prices.Charges) == 0 {
			continue
		}
		if len(specs) == q.Limit {
			return specs, specs[len(specs)-1].Spec
		}
		specs = append(specs, p)
	}
	return specs, ""
}

// ProductQuery asks for products on sale; empty fields leave nothing out.
type ProductQuery struct {
	Service, ResourceType, Region string
	Text                          string // part of the spec's code or of the name in either language
}

// Products pages through the products on sale, by service, resource type, region and spec.
func (s *Snapshot) Products(q ProductQuery, now time.Time, page Page) (total int, rows []*Product) {
	text := strings.ToLower(q.Text)
	for i := range s.content.Products {
		p := &s.content.Products[i]
		if q.Service != "" && p.Service != q.Service || q.ResourceType != "" && p.ResourceType != q.ResourceType ||
			q.Region != "" && p.Region != q.Region || !p.OnSale(now) {
			continue
		}
		if text != "" && !strings.Contains(strings.ToLower(p.Spec+"\x00"+p.Name.En+"\x00"+p.Name.Zh), text) {
			continue
		}
		if total >= page.Offset && len(rows) < page.Limit {
			rows = append(rows, p)
		}
		total++
	}
	return total, rows
}

// PricesFrom lists the prices in force at an instant and those announced after it.
func (p *Product) PricesFrom(now time.Time) []Prices {
	for i := len(p.Prices) - 1; i > 0; i-- {
		if !p.Prices[i].From.After(now) {
			return p.Prices[i:]
		}
	}
	return p.Prices
}
