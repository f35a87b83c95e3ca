// Package quota owns resource packages: which a customer was granted, until when, what each holds and what is left of
// it in the running cycle.
//
// It does not own what a package costs (catalog, order), nor which usage is taken from it and in which order
// (settlement): it keeps what is left, and every use.
//
// States at an instant (business time), the first that applies; they are worked out, not kept:
//
//	unsubscribed (4)  ← ended before its time
//	not in effect (0) ← its beginning lies ahead
//	expired (3)       ← its end has come
//	used up (2)       ← nothing is left of any item; of a resettable package until its next cycle
//	in effect (1)     ← the rest
//
// Meanings of time: Effective (inclusive) and Expires (exclusive) bound the use that may be taken from it. The cycles of a
// resettable package are counted from Effective (cycle.go).
//
// Invariants: an item's rest is between 0 and its amount; the cycles of a package tile it; what is left of a cycle is
// lost with it; a package of an order names it, a gift names none.
package quota

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Status is the state of a package, with the numbers of the contract (api.md 7.1).
type Status int32

// The states.
const (
	NotInEffect  Status = 0
	InEffect     Status = 1
	UsedUp       Status = 2
	Expired      Status = 3
	Unsubscribed Status = 4
)

// Sources of packages.
const (
	ByOrder int32 = 0
	Gift    int32 = 1
)

// What becomes of a package's amount.
const (
	Resettable int32 = 1
	OneOff     int32 = 2
)

// Package is one resource package of one customer, a copy of what the catalogue said when it was granted.
type Package struct {
	Customer     string
	ID           string
	Source       int32
	Order        string // empty: a gift
	Product      string
	Spec         string
	Name         catalog.Text
	Service      string
	ResourceType string
	Region       string
	Project      string // enterprise project that alone it serves; empty: all
	Bundle       string
	Reuse        int32
	Cycle        int32     // resettable: 1 hour, 2 day, 3 week, 4 month, 5 year
	CycleType    int32     // resettable: 1 by the calendar, 2 from Effective
	Effective    time.Time // anchor of the cycles
	Expires      time.Time // exclusive
	EmptyUntil   time.Time // nothing is left until then; zero: something is
	Ended        time.Time // unsubscribed; zero: not
	Created      time.Time
	Items        []Item
}

// Item is an amount of one usage type.
type Item struct {
	No           int32 // from 1
	ResourceType string
	UsageType    string
	Amount       money.Decimal // of a cycle, or in all
	Rest         money.Decimal // left in cycle K; see Left
	Unit         int32
	K            int
	Specs        []string // products it is for; empty: all of the resource type
	Whole        int64    // Amount in the unit that the usage type is metered in, at Scale decimals; 0: not worked out
	Used         int64    // in cycle K, likewise
	Scale        int
}

// ItemID is the id of an item (free_resource_id).
func (p *Package) ItemID(i *Item) string { return fmt.Sprintf("%s-%02d", p.ID, i.No) }

// Of is the package that a product makes when it is bought for a number of periods, still without customer and source.
// A one-off package holds its amount for each period (billing-rules 4: each renewed period adds its own).
func Of(product *catalog.Product, unit period.Unit, periods int, from time.Time) (Package, error) {
	held := product.Package
	if held == nil {
		return Package{}, fault.New(fault.Invalid, "CBC.0100", "resource_spec %s is no resource package", product.Spec)
	}
	p := Package{
		Product: product.ID, Spec: product.Spec, Name: product.Name, Service: product.Service, ResourceType: product.ResourceType,
		Region: product.Region, Bundle: held.Bundle, Reuse: OneOff, Effective: from, Expires: period.End(from, unit, periods),
	}
	times := money.DecimalOf(int64(periods))
	if held.Reuse == catalog.Resettable {
		p.Reuse, p.Cycle, p.CycleType = Resettable, held.CycleCode(), byCalendar
		if held.CycleType == catalog.PurchaseDay {
			p.CycleType = fromAnchor
		}
		times = money.DecimalOf(1)
	}
	for i, h := range held.Items {
		amount, err := h.Amount.Mul(times)
		if err != nil {
			return p, catalog.PriceFault(nil, err)
		}
		p.Items = append(p.Items, Item{No: int32(i + 1), ResourceType: h.ResourceType, UsageType: h.UsageType, Amount: amount, Rest: amount, Unit: h.Unit, Specs: h.Specs})
	}
	return p, nil
}

// Measure works out what the items hold in the units that usage is metered in, cut at their decimals.
func (p *Package) Measure(s *catalog.Snapshot) error {
	for i := range p.Items {
		item := &p.Items[i]
		usage, ok := s.UsageType(item.ResourceType, item.UsageType)
		if !ok || item.Whole != 0 {
			continue // a usage type that is gone covers nothing
		}
		ratio, ok := s.Units().Ratio(item.Unit, usage.Unit)
		if !ok {
			continue
		}
		item.Scale = s.Scale(usage.Unit)
		w := money.WideOf(uint64(item.Amount.Coef()))
		w.Mul(uint64(ratio.Num))
		w.Mul(money.Pow10(item.Scale))
		w.Quo(uint64(ratio.Den))
		w.Quo(money.Pow10(item.Amount.Scale()))
		whole, err := w.Int64(false)
		if err != nil {
			return catalog.PriceFault(nil, err)
		}
		item.Whole = whole
	}
	return nil
}

// Grant gives a package to its customer.
func Grant(ctx context.Context, tx *db.Tx, random io.Reader, p *Package) error {
	id, err := ident.NewPackageID(random, tx.Now)
	if err != nil {
		return err
	}
	p.ID, p.Created = string(id), tx.Now
	return insert(ctx, tx, p)
}

// Status is the package's state at a business instant.
func (p *Package) Status(now time.Time) Status {
	switch {
	case !p.Ended.IsZero():
		return Unsubscribed
	case now.Before(p.Effective):
		return NotInEffect
	case !now.Before(p.Expires):
		return Expired
	case now.Before(p.EmptyUntil):
		return UsedUp
	}
	return InEffect
}

// Left is what is left of an item at a business instant: of the running cycle when the package is resettable, of its
// first one before it, of its last one after it.
func (p *Package) Left(i *Item, now time.Time) money.Decimal {
	if k, _ := p.Running(now); p.Reuse == Resettable && k != i.K {
		return i.Amount
	}
	return i.Rest
}

// Find finds a package of a customer.
func Find(ctx context.Context, r db.Reader, customer, id string) (Package, error) {
	p, err := find(ctx, r, customer, id)
	if errors.Is(err, db.ErrNoRows) {
		err = Unknown(id)
	}
	return p, err
}

// Unknown is what is said of an id that no package of the customer has, or none that the caller sees.
func Unknown(id string) error {
	return fault.New(fault.NotFound, "PURSER.1001", "the customer has no resource package %s", id)
}

// End ends a package before its time; nothing can be taken from it any more. Nothing is given back here.
func End(ctx context.Context, tx *db.Tx, customer, id string) (Package, error) {
	p, err := Find(ctx, tx, customer, id)
	if err != nil {
		return p, err
	}
	if status := p.Status(tx.Now); status == Expired || status == Unsubscribed {
		return p, fault.New(fault.Conflict, "PURSER.1002", "resource package %s is in status %d: it has ended", id, status)
	}
	p.Ended = tx.Now
	return p, end(ctx, tx, &p)
}

// Renewed is when the package would end, renewed for n months or years; false when it is not sold by months or years. Its end
// comes from its beginning and all months so far.
func (p *Package) Renewed(unit period.Unit, n int) (time.Time, bool) {
	months, ok := period.Months(unit, n)
	if !ok || n < 1 {
		return time.Time{}, false
	}
	for k := 1; ; k++ {
		switch end := period.End(p.Effective, period.Month, k); {
		case end.Equal(p.Expires):
			return period.End(p.Effective, period.Month, k+months), true
		case end.After(p.Expires):
			return time.Time{}, false
		}
	}
}

// Renew lets a package go on (billing-rules 4): a resettable one until another end, with the same amount in each cycle; of a
// one-off one the new periods hold an amount of their own, a package that begins where the old one ends. PURSER.1002: it
// has ended meanwhile, or does not end where the renewal begins any more.
func Renew(ctx context.Context, tx *db.Tx, random io.Reader, customer, id string, until time.Time, more *Package) (Package, error) {
	p, err := Find(ctx, tx, customer, id)
	if err != nil {
		return p, err
	}
	if status := p.Status(tx.Now); status == Expired || status == Unsubscribed || !p.Expires.Equal(more.Effective) {
		return p, fault.New(fault.Conflict, "PURSER.1002", "resource package %s has ended, or was renewed meanwhile", id)
	}
	if p.Reuse == Resettable {
		p.Expires = until
		return p, setExpiry(ctx, tx, &p)
	}
	more.Customer, more.Project, more.Expires = customer, p.Project, until
	return *more, Grant(ctx, tx, random, more)
}

// Query filters a customer's packages; empty fields leave nothing out, but Project does: without one only those that
// serve all projects are shown (api.md 7.1).
type Query struct {
	Region   string
	Order    string
	Product  string
	Name     string // part of the name in the language, without case
	Language catalog.Language
	Project  string
	Status   *Status
	Services []string
	Within   []string // enterprise projects; nil: all. With it and no Project, those of all of these
}

// shownFor is how long an expired package stays in lists (api.md 7.1).
const shownFor = 18 // months

// List pages through a customer's packages with their items, newest first. Those that expired over 18 months ago are
// left out.
func List(ctx context.Context, r db.Reader, customer string, q *Query, offset, limit int) (total int, page []Package, err error) {
	now, _ := r.Instant()
	return list(ctx, r, customer, q, now, now.AddDate(0, -shownFor, 0), offset, limit)
}

// OfOrder lists the packages that an order bought.
func OfOrder(ctx context.Context, r db.Reader, customer, order string) ([]Package, error) {
	return ofOrder(ctx, r, customer, order)
}
