// Package catalog owns what is sold and for how much: services, resource types, usage types, measure units and
// their conversions, regions and zones, products and their dated prices, with names in English and Chinese.
//
// It does not own what a quantity comes to (rating) nor who gets a discount (discount).
//
// The catalogue is written as YAML files (file.go) in which a product's ladder of prices follows from a rule. An
// import reads all files as one whole, checks everything and takes all or nothing; readers see one immutable
// Snapshot, which is loaded again when the version in the store has moved.
// A product may be a resource package: an amount of usage that is sold by terms (package.go). What a customer holds of
// it is not here (quota).
//
// Meanings of time: a price is in force from its instant (business time) until the next one's; a product that an
// import no longer holds is off sale from the import's business instant.
//
// Invariants: a price that is in effect never changes (an import that tries is refused, unless told to rewrite
// history); a product keeps its id; import of an export changes nothing.
package catalog

import (
	"time"

	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// Unit is a measure unit.
type Unit struct {
	ID           int32  `json:"id"`
	Type         int32  `json:"type"`
	Name         Text   `json:"name"`
	Abbreviation string `json:"abbreviation"`
}

// Conversion says that 1 From = Ratio × To; Type is the measure type of both.
type Conversion struct {
	From  int32 `json:"from"`
	To    int32 `json:"to"`
	Ratio int64 `json:"ratio"`
	Type  int32 `json:"type"`
}

// Zone is an availability zone.
type Zone struct {
	Code string `json:"code"`
	Name Text   `json:"name"`
}

// Region is a region with its zones.
type Region struct {
	Code   string        `json:"code"`
	Name   Text          `json:"name"`
	Factor money.Decimal `json:"factor"`
	Zones  []Zone        `json:"zones"`
}

// Service is a cloud service (service type).
type Service struct {
	Code         string `json:"code"`
	Abbreviation string `json:"abbreviation"`
	Name         Text   `json:"name"`
	Category     string `json:"category"`
}

// UsageType is a usage factor that is metered on a resource type.
type UsageType struct {
	Code   string `json:"code"`
	Name   Text   `json:"name"`
	Unit   int32  `json:"unit"`
	Settle string `json:"settle"` // hour, day or month
}

// ResourceType is a kind of resource of a service.
type ResourceType struct {
	Code        string      `json:"code"`
	Service     string      `json:"service"`
	Name        Text        `json:"name"`
	Description Text        `json:"description"`
	Attached    bool        `json:"attached"`
	SizeUnit    int32       `json:"size_unit"`
	UsageTypes  []UsageType `json:"usage_types"`
}

// Charge is the price of one usage factor.
type Charge struct {
	Factor string       `json:"usage_type"`
	Price  rating.Price `json:"price"`
}

// Prices is what a product costs from an instant until the next Prices'.
type Prices struct {
	From    time.Time     `json:"-"`
	Charges []Charge      `json:"on_demand,omitempty"`
	Terms   []rating.Term `json:"terms,omitempty"`
}

// Product is something that is sold in a region.
type Product struct {
	ID           string
	Service      string
	ResourceType string
	Region       string
	Spec         string
	Name         Text
	Package      *Package // nil: it is not a resource package
	Prices       []Prices // rising From
	offSale      int64    // microseconds; 0: on sale
}

// OnSale says whether the product is sold at that business instant.
func (p *Product) OnSale(at time.Time) bool { return p.offSale == 0 || at.UnixMicro() < p.offSale }

// productKey is how a client names a product.
type productKey struct{ service, resourceType, region, spec string }

func (p *Product) key() productKey {
	return productKey{p.Service, p.ResourceType, p.Region, p.Spec}
}

// Content is a whole catalogue, in the order of its files.
type Content struct {
	Units         []Unit
	Conversions   []Conversion
	Regions       []Region
	Services      []Service
	ResourceTypes []ResourceType
	Products      []Product
}
