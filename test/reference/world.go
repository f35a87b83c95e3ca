// Package reference works out what usage costs a second time: slowly, in the order in which the rules are told, with
// nothing of the house but its measure units' numbers. What purser settles is held against it, to the digit.
//
//	world.go      what a settlement looks at
//	reference.go  the rules, a page each, in their order
//	cloud.go      a made-up day of a made-up cloud, from a seed
//	shop.go       what it uses of the shipped catalogue, and a small one of its own
//	day_test.go   the day sent to a purser, which is killed now and then; then both are compared
//
// It imports the standard library only; every number is a big.Rat, so that nothing is rounded but where a rule says so.
package reference

import (
	"math/big"
	"time"
)

// World is everything that a settlement looks at.
type World struct {
	Conversions []Conversion
	UsageTypes  []UsageType
	Products    []Product
	Customers   []*Customer
	Records     []Record  // as sent, in the order in which they arrived: with repetitions and wrong ones
	Now         time.Time // business time up to which buckets are settled
	Lateness    time.Duration
}

// Conversion says that 1 From = Ratio × To.
type Conversion struct {
	From, To int
	Ratio    int64
}

// UsageType is one usage factor of a resource type: in which unit it is metered, and how often it is settled.
type UsageType struct {
	ResourceType, Factor string
	Unit                 int
	Settle               string // hour, day or month
}

// Product is what is sold, with its prices by date.
type Product struct {
	ID, Service, Type, Spec, Region string
	Books                           []Book // by From, rising
}

// Book is what a product costs from an instant on, by usage factor.
type Book struct {
	From   time.Time
	Prices map[string]Price
}

// Price is what one usage factor costs: Each for Per units of Unit; times the size when SizeUnit is not 0; by Tiers
// instead of Each when there are some.
type Price struct {
	Unit     int
	Per      int64
	Each     *big.Rat
	SizeUnit int
	Tiers    *Tiers
}

// Tiers are the steps of a price.
type Tiers struct {
	Volume     bool   // the whole quantity at the price of the step reached; else each part at its own
	OnSize     bool   // the size runs through the steps; else the usage
	Accumulate string // of the usage: none, hour, day or month
	Steps      []Step
}

// Step ends at UpTo (inclusive); the last one has none.
type Step struct {
	UpTo *big.Rat
	Unit int
	Each *big.Rat
}

// Customer is who pays, and with what.
type Customer struct {
	ID          string
	Monthly     bool     // settles by the month: after coupons all is debt
	Cash        *big.Rat // before the first settlement
	CreditLimit *big.Rat
	CreditUsed  *big.Rat
	Debt        *big.Rat
	Grants      []Grant
	Coupons     []Coupon
	Packages    []Package
}

// Grant is a discount: Ratio of the official amount is paid. Empty scopes cover all.
type Grant struct {
	ID                    string
	Kind                  int // 605 commercial, 606 through a distributor, 607 granted by the partner
	Ratio                 *big.Rat
	Service, Type, Region string
	From, Until           time.Time
}

// Coupon is a promise to charge less. Empty limits leave nothing out.
type Coupon struct {
	ID                         string
	Version                    int
	Balance                    *big.Rat
	Services, Regions, Product []string
	From, Until                time.Time
}

// Package is a resource package that a customer holds.
type Package struct {
	ID                 string
	Gift               bool
	Project            string // it alone; empty: all
	Region             string
	Resettable         bool
	Cycle              string // hour, day, week, month or year
	Natural            bool   // cycles by the calendar; else from Effective
	Effective, Expires time.Time
	Ended              time.Time // unsubscribed then; zero: not
	Items              []Item
}

// Item is an amount of one usage type.
type Item struct {
	ResourceType, UsageType string
	Specs                   []string // it alone; empty: all
	Amount                  *big.Rat
	Unit                    int
}

// Record is one metered use as it is sent.
type Record struct {
	Source       string `json:"source"`
	ID           string `json:"id"`
	CustomerID   string `json:"customer_id"`
	ResourceID   string `json:"resource_id"`
	Service      string `json:"cloud_service_type,omitempty"`
	ResourceType string `json:"resource_type,omitempty"`
	Spec         string `json:"resource_spec,omitempty"`
	Region       string `json:"region,omitempty"`
	Size         string `json:"resource_size,omitempty"`
	SizeUnit     int    `json:"size_measure_id,omitempty"`
	Project      string `json:"enterprise_project_id,omitempty"`
	Name         string `json:"resource_name,omitempty"` // of the resource; it changes nothing
	Factor       string `json:"usage_factor"`
	Value        string `json:"usage_value"`
	Unit         int    `json:"usage_measure_id"`
	Start        string `json:"start_time"`
	End          string `json:"end_time"`
}

// Num reads a decimal; it is for numbers written in programs.
func Num(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("not a number: " + text)
	}
	return r
}

// Text writes a number with that many decimals, dropping what lies beyond and zeros at the end.
func Text(r *big.Rat, decimals int) string {
	text := cut(r, decimals).FloatString(decimals)
	if decimals > 0 {
		for text[len(text)-1] == '0' {
			text = text[:len(text)-1]
		}
		if text[len(text)-1] == '.' {
			text = text[:len(text)-1]
		}
	}
	return text
}
