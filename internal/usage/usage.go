// Package usage owns what resources used: every resource id that usage is reported of, the records, each counted once,
// and the records that cannot be counted yet (quarantine).
//
// It does not own what usage costs (rating, settlement) nor whether it comes too late: Accept judges no time, settlement
// does, by each customer's clock.
//
// A record is known by its source and id. Dedup and write are one act: a key is claimed in the transaction that keeps the
// record. What was accepted lies in segments: those records of one batch that belong to the same bucket, packed.
//
// A meter is a usage factor of a resource as it was described (service, type, spec, region, project, size): when a
// resource is resized, another meter begins. A bucket is the hour, day or month of GMT+8, as the usage type says, in which
// a record ends (exclusive); a record without length belongs to the bucket it lies in.
//
// Meanings of time: Start and End bound what was used (business time of the cloud that reports); received is real time.
//
// Invariants: a record that is accepted counts once, whatever is sent again; the quantity of a record is exact in the unit
// its usage type is metered in, at that unit's decimals (catalog.Scale); accepted records are never changed; a bucket with
// something to settle is on the agenda.
package usage

import (
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Record is one usage record as it was reported.
type Record struct {
	Source, ID string // what it is known by, for its customer
	Customer   string
	Resource   string // the cloud's id
	Described
	Name       string            // of the resource; empty: not said
	Tags       map[string]string // of the resource; nil: not said
	Factor     string
	Value      money.Decimal // in Unit
	Unit       int32
	Start, End time.Time // End exclusive
}

// Described is what a resource is. A record says Service, ResourceType, Spec and Region all four, and then no Project means
// the one that the resource was moved to by hand, else the default one, and no Size none; or none of them, and then all is as the resource is known.
type Described struct {
	Service, ResourceType, Spec, Region string
	Project                             string // enterprise project; empty in the end: the default one, 0
	Size                                rating.Size
}

// DefaultProject is the enterprise project of what names none.
const DefaultProject = "0"

// Meter is a usage factor of a resource as it was described.
type Meter struct {
	Customer string
	No       int64 // follows from the rest
	Resource string
	Factor   string // as the catalogue writes it
	Described
	Unit  int32 // that its quantities are in
	Scale int   // decimals of its quantities
}

// Decimal is a quantity of the meter.
func (m *Meter) Decimal(quantity int64) money.Decimal {
	d, _ := money.NewDecimal(quantity, m.Scale) // scales are within bounds
	return d
}

// text is the meter in the order in which meters of a bucket are served: by resource, factor and description.
func (m *Meter) text() string {
	return strings.Join([]string{m.Resource, m.Factor, m.Service, m.ResourceType, m.Spec, m.Region, m.Project, sizeText(m.Size.Value), strconv.Itoa(int(m.Size.Unit))}, "\x1f")
}

// Less says whether a meter is served before another of its bucket.
func (m *Meter) Less(o *Meter) int {
	if c := strings.Compare(m.Resource, o.Resource); c != 0 {
		return c
	}
	return strings.Compare(m.text(), o.text())
}

func sizeText(d money.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// Bucket is a period of usage that is settled at once.
type Bucket struct {
	Unit period.Unit // Hour, Day or Month
	End  time.Time   // exclusive
}

// Start is where the bucket begins.
func (b Bucket) Start() time.Time { return b.Span().Start }

// Span is the bucket's time.
func (b Bucket) Span() period.Span {
	s, _ := period.Window(b.End.Add(-time.Microsecond), b.Unit)
	return s
}

// After says whether a bucket of a customer is served after another: by end, shorter ones first.
func (b Bucket) After(o Bucket) bool {
	return b.End.After(o.End) || b.End.Equal(o.End) && b.Unit > o.Unit
}

// BucketOf is the bucket of a record.
func BucketOf(unit period.Unit, start, end time.Time) Bucket {
	if end.After(start) {
		end = end.Add(-time.Microsecond)
	}
	s, _ := period.Window(end, unit)
	return Bucket{Unit: unit, End: s.End}
}

// What a record may be.
const (
	textMost   = 128                 // characters of an id, a source, a resource …
	spanMost   = 31 * 24 * time.Hour // a record is for
	valueMost  = 1_000_000_000_000_000_000
	tagsMost   = 50
	firstYear  = 2000
	beyondYear = 2200
)

func wrong(format string, args ...any) *fault.Fault {
	return fault.New(fault.Invalid, "CBC.0100", format, args...)
}

// check finds what is wrong with a record by itself.
func (r *Record) check() *fault.Fault {
	for _, f := range [...]struct {
		name, value string
		needed      bool
	}{
		{"source", r.Source, true}, {"id", r.ID, true}, {"customer_id", r.Customer, true}, {"resource_id", r.Resource, true},
		{"usage_factor", r.Factor, true}, {"cloud_service_type", r.Service, false}, {"resource_type", r.ResourceType, false},
		{"resource_spec", r.Spec, false}, {"region", r.Region, false}, {"enterprise_project_id", r.Project, false}, {"resource_name", r.Name, false},
	} {
		switch {
		case f.needed && f.value == "":
			return wrong("%s: is missing", f.name)
		case len(f.value) > textMost:
			return wrong("%s: has over %d bytes", f.name, textMost)
		case hasControl(f.value):
			return wrong("%s: has control characters", f.name)
		}
	}
	said := 0
	for _, text := range [...]string{r.Service, r.ResourceType, r.Spec, r.Region} {
		if text != "" {
			said++
		}
	}
	switch {
	case said != 0 && said != 4:
		return wrong("cloud_service_type, resource_type, resource_spec and region: say all four, or none for a resource that is known")
	case r.Value.Sign() < 0:
		return wrong("usage_value: must not be below 0")
	case r.Start.IsZero() || r.End.IsZero():
		return wrong("start_time and end_time: one is missing")
	case r.End.Before(r.Start):
		return wrong("end_time: must not lie before start_time")
	case r.End.Sub(r.Start) > spanMost:
		return wrong("start_time: a record is for 31 days at most")
	case r.Start.Year() < firstYear || r.End.Year() >= beyondYear:
		return wrong("start_time: must lie between the years %d and %d", firstYear, beyondYear)
	case r.Size.Value.Sign() < 0 || (r.Size.Unit != 0) != !r.Size.Value.IsZero():
		return wrong("resource_size: goes with size_measure_id, and is above 0")
	case len(r.Tags) > tagsMost:
		return wrong("tags: over %d", tagsMost)
	}
	return nil
}

func hasControl(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return true
		}
	}
	return false
}

// key is what a record is known by.
func (r *Record) key() string { return r.Source + "\x1f" + r.ID }

// digest follows from a record's content, so that the same id with other content is found.
func (r *Record) digest() int64 {
	h := fnvText(fnvStart, r.Resource)
	for _, text := range [...]string{r.Service, r.ResourceType, r.Spec, r.Region, r.Project, r.Factor} {
		h = fnvText(h, text)
	}
	for _, n := range [...]int64{r.Size.Value.Coef(), int64(r.Size.Value.Scale()), int64(r.Size.Unit), r.Value.Coef(), int64(r.Value.Scale()), int64(r.Unit), r.Start.UnixMicro(), r.End.UnixMicro()} {
		h = fnvNumber(h, n)
	}
	return int64(h)
}

// FNV-1a, 64 bits: the same on every machine and for ever, since it is stored.
const (
	fnvStart uint64 = 14695981039346656037
	fnvPrime uint64 = 1099511628211
)

func fnvText(h uint64, text string) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * fnvPrime
	}
	return (h ^ 0x1f) * fnvPrime
}

func fnvNumber(h uint64, n int64) uint64 {
	for range 8 {
		h = (h ^ uint64(n&0xff)) * fnvPrime
		n >>= 8
	}
	return h
}
