package catalog

import (
	"errors"
	"time"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Wanted is one product of a price query or an order.
type Wanted struct {
	ID           string // the caller's own, unique in the query or order
	Service      string
	ResourceType string
	Spec         string
	Region       string
	Zone         string // looked at only to be refused when the region has no such zone
	Size         rating.Size
	Num          int32
	Factor       string        // on demand
	Usage        money.Decimal // on demand
	UsageUnit    int32         // on demand
	PeriodType   int32         // by term
	Periods      int32         // by term
	OffSale      bool          // also a product that is no longer sold: it renews by itself as before
}

// find finds the product that a query names.
func (w *Wanted) find(s *Snapshot, at time.Time) (*Product, error) {
	product, ok := s.Product(w.Service, w.ResourceType, w.Region, w.Spec)
	if !ok || !product.OnSale(at) && !w.OffSale {
		return nil, fault.New(fault.Invalid, "CBC.99006006", "product %q: there is no product with cloud_service_type %s, resource_type %s, resource_spec %s in region %s", w.ID, w.Service, w.ResourceType, w.Spec, w.Region)
	}
	if w.Zone != "" && !s.HasZone(w.Region, w.Zone) {
		return nil, fault.New(fault.Invalid, "CBC.99006006", "product %q: region %s has no available zone %s", w.ID, w.Region, w.Zone)
	}
	return product, nil
}

// OnDemand prices usage at a business instant, before discounts. Faults: CBC.99006006 no such product, CBC.99006074 no
// such usage factor, CBC.99006050 bad usage unit, CBC.0100 bad size, CBC.99006055 above the maximum.
func (s *Snapshot) OnDemand(w *Wanted, at time.Time) (rating.Line, error) {
	product, err := w.find(s, at)
	if err != nil {
		return rating.Line{}, err
	}
	price, ok := s.PriceAt(product, w.Factor, at)
	if !ok {
		return rating.Line{}, fault.New(fault.Invalid, "CBC.99006074", "product %q: usage_factor %q is not charged on this product", w.ID, w.Factor)
	}
	rated, err := rating.Usage(price, s.Units(), &rating.Use{Value: w.Usage, Unit: w.UsageUnit, Size: w.Size, Num: w.Num})
	if err != nil {
		return rating.Line{}, PriceFault(w, err)
	}
	return w.line(product, rating.OnDemand, rated.Amount), nil
}

// ByTerm prices a subscription at a business instant, before discounts. Faults as OnDemand, without those of usage; a
// period that the product is not sold for is CBC.99006006.
func (s *Snapshot) ByTerm(w *Wanted, at time.Time) (rating.Line, error) {
	product, err := w.find(s, at)
	if err != nil {
		return rating.Line{}, err
	}
	unit, ok := period.UnitOf(w.PeriodType)
	if !ok {
		return rating.Line{}, fault.New(fault.Invalid, "CBC.0100", "product %q: period_type must be 0, 2, 3 or 4", w.ID)
	}
	terms := s.TermsAt(product, at)
	if len(terms) == 0 {
		return rating.Line{}, fault.New(fault.Invalid, "CBC.99006006", "product %q: not sold yearly/monthly", w.ID)
	}
	rated, err := rating.Period(terms, s.Units(), &rating.Order{Period: unit, Periods: w.Periods, Size: w.Size, Num: w.Num})
	if err != nil {
		return rating.Line{}, PriceFault(w, err)
	}
	line := w.line(product, rating.ByPeriod, rated.Amount)
	if line.Quantity, err = w.fixedFor(unit); err != nil {
		return line, PriceFault(w, err)
	}
	return line, nil
}

// fixedFor is what a fixed price, which is for a month (and a unit of size where one is given), is multiplied by;
// nothing for terms that are not months.
func (w *Wanted) fixedFor(unit period.Unit) (money.Decimal, error) {
	months, ok := period.Months(unit, int(w.Periods))
	if !ok {
		return money.Decimal{}, nil
	}
	size := w.Size.Value
	if w.Size.Unit == 0 {
		size = money.DecimalOf(1)
	}
	return size.Mul(money.DecimalOf(int64(months) * int64(w.Num)))
}

func (w *Wanted) line(product *Product, how rating.Charging, official money.Quoted) rating.Line {
	return rating.Line{
		ID: w.ID, Service: w.Service, ResourceType: w.ResourceType, Product: product.ID, Region: w.Region,
		Charging: how, Official: official, Quantity: money.DecimalOf(int64(w.Num)),
	}
}

// PriceFault puts a refusal of the rating room into the contract's words; w may be nil.
func PriceFault(w *Wanted, err error) error {
	id := ""
	if w != nil {
		id = w.ID
	}
	code := ""
	switch {
	case errors.Is(err, rating.ErrUnit):
		code = "CBC.99006050"
	case errors.Is(err, money.ErrOverflow):
		code = "CBC.99006055"
	case errors.Is(err, rating.ErrNoPeriod):
		code = "CBC.99006006"
	case errors.Is(err, rating.ErrSizeMissing), errors.Is(err, rating.ErrSizeUnit), errors.Is(err, rating.ErrQuantity):
		code = "CBC.0100"
	default:
		return err
	}
	if id == "" {
		return fault.New(fault.Invalid, code, "%s", plain(err))
	}
	return fault.New(fault.Invalid, code, "product %q: %s", id, plain(err))
}

// plain is the room's text without its name.
func plain(err error) string {
	const prefix = "rating: "
	text := err.Error()
	if len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return text
}
