package catalog

// The catalogue as people write it: a folder of YAML files, read as one whole. Any file may hold any part;
// by custom units.yaml, regions.yaml and services/<name>.yaml (one service a file).
//
// A product rule is a ladder: one unit price per charge follows from attributes × rates × region factor,
// rounded half-up to `decimals`; terms follow from the on-demand price of an hour or have rates of their own.
// The explicit form (what `catalog export` writes) is the same rule with one spec, one region and `unit_price`.
//
// Decimals are written as quoted strings; dates as RFC 3339 instants.

// File is one YAML file of a catalogue.
type File struct {
	Units         []UnitEntry         `yaml:"units,omitempty"`
	Conversions   []ConversionEntry   `yaml:"conversions,omitempty"`
	Regions       []RegionEntry       `yaml:"regions,omitempty"`
	Services      []ServiceEntry      `yaml:"services,omitempty"`
	ResourceTypes []ResourceTypeEntry `yaml:"resource_types,omitempty"`
	Products      []ProductEntry      `yaml:"products,omitempty"`
}

// Text is a name in the two languages of the contract.
type Text struct {
	En string `yaml:"en"`
	Zh string `yaml:"zh"`
}

// UnitEntry is a measure unit (measure_id).
type UnitEntry struct {
	ID           int32  `yaml:"id"`
	Type         int32  `yaml:"type"` // measure_type: 1 currency, 2 duration, 3 traffic …
	Name         Text   `yaml:"name"`
	Abbreviation string `yaml:"abbreviation"`
}

// ConversionEntry says that 1 From = Ratio × To.
type ConversionEntry struct {
	From  int32 `yaml:"from"`
	To    int32 `yaml:"to"`
	Ratio int64 `yaml:"ratio"`
}

// RegionEntry is a region with its zones; PriceFactor multiplies every rate.
type RegionEntry struct {
	Code        string      `yaml:"code"`
	Name        Text        `yaml:"name"`
	PriceFactor string      `yaml:"price_factor"`
	Zones       []ZoneEntry `yaml:"zones"`
}

// ZoneEntry is an availability zone.
type ZoneEntry struct {
	Code string `yaml:"code"`
	Name Text   `yaml:"name"`
}

// ServiceEntry is a cloud service (service type).
type ServiceEntry struct {
	Code         string `yaml:"code"` // hws.service.type.ec2
	Abbreviation string `yaml:"abbreviation"`
	Name         Text   `yaml:"name"`
	Category     string `yaml:"category"` // FOCUS ServiceCategory: Compute, Storage, Networking, Databases, Security …
}

// ResourceTypeEntry is a resource type with the usage types that can be metered on it.
type ResourceTypeEntry struct {
	Code        string           `yaml:"code"` // hws.resource.type.vm
	Service     string           `yaml:"service"`
	Name        Text             `yaml:"name"`
	Description Text             `yaml:"description"`
	Attached    bool             `yaml:"attached,omitempty"`  // sold with a primary resource (disk, address)
	SizeUnit    int32            `yaml:"size_unit,omitempty"` // measure_id of its size when it is sold by size (17 GB, 15 Mbit/s)
	UsageTypes  []UsageTypeEntry `yaml:"usage_types,omitempty"`
}

// UsageTypeEntry is a usage factor.
type UsageTypeEntry struct {
	Code   string `yaml:"code"` // Duration, upflow …
	Name   Text   `yaml:"name"`
	Unit   int32  `yaml:"unit"`   // measure_id in which it is metered (6 second, 13 byte …)
	Settle string `yaml:"settle"` // hour, day, month
}

// ProductEntry is a rule that makes one product per spec × variant × region.
type ProductEntry struct {
	Rule         string                       `yaml:"rule"`                 // names the rule; unique in the catalogue
	ProductID    string                       `yaml:"product_id,omitempty"` // only when the rule makes exactly one product
	ResourceType string                       `yaml:"resource_type"`
	Name         Text                         `yaml:"name"`              // "General computing s6"; the spec's code is added when shown
	Regions      []string                     `yaml:"regions,omitempty"` // none = all
	Specs        map[string]map[string]string `yaml:"specs"`             // spec code → attribute → value (decimal)
	Variants     map[string]VariantEntry      `yaml:"variants,omitempty"`
	Attributes   map[string]string            `yaml:"attributes,omitempty"` // shared by all specs; a spec's own win
	Package      *PackageEntry                `yaml:"package,omitempty"`    // what it holds when it is a resource package
	Prices       []PriceEntry                 `yaml:"prices"`
}

// PackageEntry says what a resource package holds. It is sold by terms.
type PackageEntry struct {
	Bundle    string             `yaml:"bundle"`               // ATOMIC_PKG (one item) or BUNDLE_PKG
	Reuse     string             `yaml:"reuse"`                // resettable or one_off
	Cycle     string             `yaml:"cycle,omitempty"`      // resettable: hour, day, week, month, year
	CycleType string             `yaml:"cycle_type,omitempty"` // resettable: natural or purchase_day
	Items     []PackageItemEntry `yaml:"items"`
}

// PackageItemEntry is an amount of one usage type.
type PackageItemEntry struct {
	ResourceType string `yaml:"resource_type"` // on which the usage is metered
	UsageType    string `yaml:"usage_type"`
	Amount       string `yaml:"amount"` // per cycle when resettable, else per period paid
	Unit         int32  `yaml:"unit"`   // measure_id of the amount
	// Specs of the resource type that it is for; all without it.
	Specs []string `yaml:"specs"`
}

// VariantEntry is a suffix to every spec (".linux", ".win") and what it adds to every charge's rates.
type VariantEntry struct {
	Name  Text              `yaml:"name,omitempty"`
	Rates map[string]string `yaml:"rates,omitempty"`
}

// PriceEntry is one price book line: what the product costs from this instant until the next entry's.
type PriceEntry struct {
	From     string        `yaml:"from"` // RFC 3339
	OnDemand []ChargeEntry `yaml:"on_demand,omitempty"`
	Terms    []TermEntry   `yaml:"terms,omitempty"`
}

// ChargeEntry is the price of one usage factor.
type ChargeEntry struct {
	UsageType string            `yaml:"usage_type"`
	Unit      int32             `yaml:"unit"`                 // measure_id that the price is per (4 hour, 10 GB)
	PerUnits  string            `yaml:"per_units,omitempty"`  // price is per this many units ("10000"); default 1
	Rates     map[string]string `yaml:"rates,omitempty"`      // attribute → price; attribute "base" is always 1
	UnitPrice string            `yaml:"unit_price,omitempty"` // instead of rates; the region factor is not applied
	Decimals  *int              `yaml:"decimals,omitempty"`   // of the unit price; default 4, at most 10
	SizeUnit  int32             `yaml:"size_unit,omitempty"`  // linear: × size in this unit
	Tiers     *TiersEntry       `yaml:"tiers,omitempty"`
}

// TermEntry is the price of a yearly/monthly (or hourly/daily) term.
type TermEntry struct {
	Period    string            `yaml:"period"`               // hour, day, month, year
	Of        string            `yaml:"of,omitempty"`         // "hour": × the Duration price of an hour; "month": × the month term
	Times     string            `yaml:"times,omitempty"`      // with Of
	Rates     map[string]string `yaml:"rates,omitempty"`      // instead of Of
	UnitPrice string            `yaml:"unit_price,omitempty"` // instead of either
	Decimals  *int              `yaml:"decimals,omitempty"`   // default 2, at most 10
	SizeUnit  int32             `yaml:"size_unit,omitempty"`
	Tiers     *TiersEntry       `yaml:"tiers,omitempty"`
	Steps     []StepEntry       `yaml:"steps,omitempty"` // cheaper when more periods are bought at once
}

// StepEntry says that from this many periods on, each costs unit price × Factor, or UnitPrice, or by Tiers.
type StepEntry struct {
	Periods   int32       `yaml:"periods"`
	Factor    string      `yaml:"factor,omitempty"`
	UnitPrice string      `yaml:"unit_price,omitempty"`
	Tiers     *TiersEntry `yaml:"tiers,omitempty"` // with UnitPrice: the explicit form of a tiered term's step
}

// TiersEntry is a price by steps of the size or of the usage. Bounds: begin exclusive, end inclusive.
type TiersEntry struct {
	Shape      string          `yaml:"shape"`                // graduated (each step at its price) or volume (all at the step reached)
	On         string          `yaml:"on"`                   // size or usage
	Unit       int32           `yaml:"unit,omitempty"`       // measure_id of the bounds; default the charge's unit or size unit
	Accumulate string          `yaml:"accumulate,omitempty"` // on usage: none, hour, day, month (default month), GMT+8
	Steps      []TierStepEntry `yaml:"steps"`
}

// TierStepEntry ends at UpTo (inclusive); the last one has none.
type TierStepEntry struct {
	UpTo      string `yaml:"up_to,omitempty"`
	Unit      int32  `yaml:"unit,omitempty"`       // its own unit, when it differs from the tiers'
	Factor    string `yaml:"factor,omitempty"`     // × the unit price
	UnitPrice string `yaml:"unit_price,omitempty"` // instead of Factor
}
