package usage

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Verdict is what became of a record.
type Verdict uint8

// The verdicts.
const (
	Accepted    Verdict = iota
	Duplicate           // it was there already: nothing changed
	Refused             // it was not kept
	Quarantined         // it is kept aside
)

// Outcome is what became of one record, with the reason of what was refused or kept aside.
type Outcome struct {
	Verdict Verdict
	Why     *fault.Fault
	ID      string // of what is kept aside
}

// Why records are kept aside.
const (
	NoProduct  = "PURSER.1101" // the catalogue has no such product
	NoFactor   = "PURSER.1102" // the product is not charged by that usage factor at that time
	NoResource = "PURSER.1103" // the resource is not known, and the record does not describe it
	NoPrice    = "PURSER.1108" // it cannot be priced: a size is missing, or it is beyond the last step
	TooLate    = "PURSER.1106"
	TooEarly   = "PURSER.1107"
)

// Why records are refused.
const (
	otherContent = "PURSER.1104"
	noCustomer   = "PURSER.1105"
	badUnit      = "CBC.99006050"
)

// Intake takes records in. It remembers, in bounds, which customers and meters are in the store. The zero Intake is ready.
type Intake struct {
	mu        sync.RWMutex
	catalogue int64 // version that meters were looked up in
	customers map[string]struct{}
	meters    map[uint64]*known // by a hash of what a record says
	moves     db.Watch          // of resources between projects

	resent atomic.Int32 // batches for which records are still expected to come again
}

// resentFor is for how many batches records are expected to come again after one had some.
const resentFor = 20

func (in *Intake) noteResent(some bool) {
	if some {
		in.resent.Store(resentFor)
	} else if n := in.resent.Load(); n > 0 {
		in.resent.CompareAndSwap(n, n-1)
	}
}

// knownMost bounds the memory of an Intake; beyond it the memory begins anew.
const knownMost = 500_000

// known is a meter as records describe it.
type known struct {
	said  said
	meter Meter
	unit  period.Unit // of its bucket
	ratio rating.Ratio
	about uint64 // hash of the name and tags that were last told
}

// said is everything of a record that its meter follows from.
type said struct {
	customer, resource, factor string
	Described
	unit int32
}

var seed = maphash.MakeSeed()

func (s *said) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, text := range [...]string{s.customer, s.resource, s.factor, s.Service, s.ResourceType, s.Spec, s.Region, s.Project} {
		h.WriteString(text) //nolint:errcheck // it never fails
		h.WriteByte(0)      //nolint:errcheck // as above
	}
	return h.Sum64() + uint64(s.Size.Value.Coef())<<8 + uint64(s.Size.Unit)<<4 + uint64(s.unit)
}

// pending is a batch on its way in.
type pending struct {
	in        *Intake
	records   []Record
	out       []Outcome
	metered   []*known // of each record; nil: it is not to be counted
	learnt    map[uint64]*known
	resources map[string]*Resource // of the store, by customer and id; nil: there is none
	batch     int64

	undescribed []*known // meters of records that rest on what is known of their resource: not to be remembered
}

// Learnt is what an Intake may remember once a batch is in the store.
type Learnt struct {
	catalogue int64
	moves     db.Sight
	customers []string
	meters    map[uint64]*known
}

// Accept takes records in: in one act it claims their keys and keeps those that are new, in the given transaction. out says
// of each record what became of it. What is learnt is handed to Remember after the commit.
//
// It judges no time: a record may be for any instant. Faults of single records: CBC.0100 malformed, PURSER.1105 unknown
// customer, CBC.99006050 bad unit, PURSER.1104 the same id with other content (refused); PURSER.1101 to 1103 (kept aside).
func (in *Intake) Accept(ctx context.Context, tx *db.Tx, random io.Reader, s *catalog.Snapshot, records []Record) (out []Outcome, learnt Learnt, err error) {
	p := &pending{in: in, records: records, out: make([]Outcome, len(records)), metered: make([]*known, len(records)), learnt: map[uint64]*known{}}
	if p.batch, err = newBatch(random); err != nil {
		return nil, learnt, err
	}
	seen, err := in.look(ctx, tx)
	if err != nil {
		return nil, learnt, err
	}
	customers, err := p.check(ctx, tx)
	if err != nil {
		return nil, learnt, err
	}
	if err := p.describe(ctx, tx, s); err != nil {
		return nil, learnt, err
	}
	if err := p.claim(ctx, tx); err != nil {
		return nil, learnt, err
	}
	if err := p.keep(ctx, tx, random); err != nil {
		return nil, learnt, err
	}
	return p.out, Learnt{s.Version, seen, customers, p.learnt}, nil
}

// look empties the memory when resources were moved between projects.
func (in *Intake) look(ctx context.Context, tx *db.Tx) (db.Sight, error) {
	seen, err := in.moves.Look(ctx, tx, readVersion)
	if err == nil && seen.Moved {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.meters = map[uint64]*known{}
	}
	return seen, err
}

// Remember keeps in memory what a batch taught that is now in the store.
func (in *Intake) Remember(l *Learnt) {
	if len(l.customers) == 0 && len(l.meters) == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if !l.moves.Keep || l.moves.Serial != in.moves.Serial() { // moved meanwhile: what was learnt may be old
		return
	}
	if in.meters == nil || in.catalogue != l.catalogue || len(in.meters)+len(l.meters) > knownMost || len(in.customers) > knownMost {
		in.catalogue, in.meters, in.customers = l.catalogue, map[uint64]*known{}, map[string]struct{}{}
	}
	for _, c := range l.customers {
		in.customers[c] = struct{}{}
	}
	for h, m := range l.meters {
		in.meters[h] = m
	}
}

func newBatch(random io.Reader) (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, err
	}
	var n int64
	for _, x := range b {
		n = n<<8 | int64(x)
	}
	return n & (1<<63 - 1), nil
}

// check refuses what is malformed, what names no customer, and within the batch what was said before.
func (p *pending) check(ctx context.Context, tx *db.Tx) (learnt []string, err error) {
	type key struct{ customer, source, id string }
	first := make(map[key]int, len(p.records))
	asked := map[string]bool{}
	var unknown []string
	for i := range p.records {
		r := &p.records[i]
		if why := r.check(); why != nil {
			p.out[i] = Outcome{Verdict: Refused, Why: why}
			continue
		}
		k := key{r.Customer, r.Source, r.ID}
		if j, twice := first[k]; twice {
			p.out[i] = sameOrOther(r.digest() == p.records[j].digest())
			continue
		}
		first[k] = i
		if !asked[r.Customer] {
			asked[r.Customer] = true
			p.in.mu.RLock()
			_, there := p.in.customers[r.Customer]
			p.in.mu.RUnlock()
			if !there {
				unknown = append(unknown, r.Customer)
			}
		}
	}
	if len(unknown) == 0 {
		return nil, nil
	}
	there, err := account.Known(ctx, tx, unknown)
	if err != nil {
		return nil, err
	}
	for i := range p.records {
		if customer := p.records[i].Customer; p.out[i].Verdict == Accepted && slices.Contains(unknown, customer) && !there[customer] {
			p.out[i] = Outcome{Verdict: Refused, Why: fault.New(fault.Invalid, noCustomer, "customer_id: there is no customer %s", customer)}
		}
	}
	for c := range there {
		learnt = append(learnt, c)
	}
	return learnt, nil
}

func sameOrOther(same bool) Outcome {
	if same {
		return Outcome{Verdict: Duplicate}
	}
	return Outcome{Verdict: Refused, Why: fault.New(fault.Conflict, otherContent, "id: a record of this source with this id and other content is there already")}
}

// describe finds the meter of each record that is still in the running.
func (p *pending) describe(ctx context.Context, tx *db.Tx, s *catalog.Snapshot) error {
	var strange []int // records whose meter is not in memory
	p.in.mu.RLock()
	remembered := p.in.meters
	if p.in.catalogue != s.Version {
		remembered = nil
	}
	for i := range p.records {
		if p.out[i].Verdict != Accepted {
			continue
		}
		of := saidBy(&p.records[i])
		if k := remembered[of.hash()]; k != nil && k.said == of && k.about == p.records[i].about(k.about) {
			p.metered[i] = k
		} else {
			strange = append(strange, i)
		}
	}
	p.in.mu.RUnlock()
	if err := p.lookUp(ctx, tx, strange); err != nil {
		return err
	}
	for _, i := range strange {
		p.meet(s, i)
	}
	for i, k := range p.metered {
		if k == nil || p.out[i].Verdict != Accepted {
			continue
		}
		if _, why := k.quantity(&p.records[i]); why != nil {
			p.out[i] = Outcome{Verdict: Refused, Why: why}
		} else if why := k.priced(s, &p.records[i]); why != nil { // also for a quantity that nothing was used before
			p.out[i] = Outcome{Verdict: Quarantined, Why: why}
		}
	}
	return nil
}

func saidBy(r *Record) said {
	return said{r.Customer, r.Resource, r.Factor, r.Described, r.Unit}
}

// about is a hash of what a record says of its resource beside the meter; of nothing it is what was known before.
func (r *Record) about(before uint64) uint64 {
	if r.Name == "" && r.Tags == nil {
		return before
	}
	h := fnvText(fnvStart, r.Name)
	return fnvText(h, tagText(r.Tags))
}

// lookUp reads the resources of records that do not describe them fully, or may change them.
func (p *pending) lookUp(ctx context.Context, tx *db.Tx, strange []int) error {
	wanted := map[string][]string{}
	for _, i := range strange {
		r := &p.records[i]
		if ids := wanted[r.Customer]; !slices.Contains(ids[max(0, len(ids)-1):], r.Resource) {
			wanted[r.Customer] = append(ids, r.Resource)
		}
	}
	p.resources = map[string]*Resource{}
	for customer, ids := range wanted {
		list, err := resourcesOf(ctx, tx, customer, ids)
		if err != nil {
			return err
		}
		for i := range list {
			p.resources[customer+"\x1f"+list[i].ID] = &list[i]
		}
	}
	return nil
}

// meet works out the meter of a record that is not in memory, and what its resource is now.
func (p *pending) meet(s *catalog.Snapshot, i int) {
	r := &p.records[i]
	of := saidBy(r)
	h := of.hash()
	if k := p.learnt[h]; k != nil && k.said == of && k.about == r.about(k.about) {
		p.metered[i] = k
		return
	}
	place := r.Customer + "\x1f" + r.Resource
	resource := p.resources[place]
	d := r.Described
	if !r.describes() && resource != nil {
		d = d.over(resource.Described)
	}
	if d.Project == "" && resource != nil {
		d.Project = resource.Placed
	}
	if d.Project == "" {
		d.Project = DefaultProject
	}
	aside := func(code, format string, args ...any) {
		p.out[i] = Outcome{Verdict: Quarantined, Why: fault.New(fault.Invalid, code, format, args...)}
	}
	if d.Service == "" || d.ResourceType == "" || d.Spec == "" || d.Region == "" {
		aside(NoResource, "resource_id: resource %s is not known, and the record does not say its cloud_service_type, resource_type, resource_spec and region", r.Resource)
		return
	}
	if _, sold := s.Product(d.Service, d.ResourceType, d.Region, d.Spec); !sold {
		aside(NoProduct, "there is no product with cloud_service_type %s, resource_type %s, resource_spec %s in region %s", d.Service, d.ResourceType, d.Spec, d.Region)
		return
	}
	factor, there := s.UsageType(d.ResourceType, r.Factor)
	if !there {
		aside(NoFactor, "usage_factor: resource type %s is not metered by %s", d.ResourceType, r.Factor)
		return
	}
	k := &known{said: of, meter: Meter{Customer: r.Customer, Resource: r.Resource, Factor: factor.Code, Described: d, Unit: factor.Unit, Scale: s.Scale(factor.Unit)}, about: r.about(0)}
	k.meter.No = int64(fnvText(fnvStart, k.meter.text()) >> 1)
	k.unit = bucketUnits[factor.Settle]
	var ok bool
	if k.ratio, ok = s.Units().Ratio(r.Unit, factor.Unit); !ok {
		p.out[i] = Outcome{Verdict: Refused, Why: fault.New(fault.Invalid, badUnit, "usage_measure_id: %d does not convert to unit %d, in which %s is metered", r.Unit, factor.Unit, factor.Code)}
		return
	}
	p.resources[place] = resource.told(r, d)
	if p.metered[i] = k; r.describes() {
		p.learnt[h] = k
	} else {
		p.undescribed = append(p.undescribed, k)
	}
}

var bucketUnits = map[string]period.Unit{"hour": period.Hour, "day": period.Day, "month": period.Month}

// over is a description with the gaps filled from another.
func (d Described) over(known Described) Described {
	known.Project = cmp.Or(d.Project, known.Project)
	if d.Size.Unit != 0 {
		known.Size = d.Size
	}
	return known
}

// describes says whether a record says itself what its resource is.
func (r *Record) describes() bool { return r.Service != "" }

// quantity is a record's value in the unit and at the decimals of its meter, exactly.
func (k *known) quantity(r *Record) (int64, *fault.Fault) {
	w := money.WideOf(uint64(r.Value.Coef()))
	w.Mul(uint64(k.ratio.Num))
	w.Mul(money.Pow10(k.meter.Scale))
	if w.Quo(uint64(k.ratio.Den)) != 0 || w.Quo(money.Pow10(r.Value.Scale())) != 0 {
		return 0, fault.New(fault.Invalid, badUnit, "usage_value: %s of unit %d is not a whole number of the smallest part (10^-%d) of unit %d, in which %s is metered", r.Value, r.Unit, k.meter.Scale, k.meter.Unit, k.meter.Factor)
	}
	n, err := w.Int64(false)
	if err != nil || n > valueMost {
		return 0, wrong("usage_value: is too large")
	}
	return n, nil
}

// priced says whether there is a price for the record's meter where its bucket begins.
func (k *known) priced(s *catalog.Snapshot, r *Record) *fault.Fault {
	var price *rating.Price
	product, ok := s.Product(k.meter.Service, k.meter.ResourceType, k.meter.Region, k.meter.Spec)
	if ok {
		price, ok = s.PriceAt(product, k.meter.Factor, BucketOf(k.unit, r.Start, r.End).Start())
	}
	if !ok {
		return fault.New(fault.Invalid, NoFactor, "usage_factor: %s of %s has no price at that time", k.meter.Factor, k.meter.Spec)
	}
	quantity, _ := k.quantity(r) // looked at before
	_, err := rating.Usage(price, s.Units(), &rating.Use{Value: k.meter.Decimal(quantity), Unit: k.meter.Unit, Size: k.meter.Size, Num: 1})
	switch {
	case errors.Is(err, rating.ErrSizeMissing):
		return fault.New(fault.Invalid, NoPrice, "resource_size: %s is charged by its size", k.meter.Spec)
	case errors.Is(err, rating.ErrSizeUnit):
		return fault.New(fault.Invalid, NoPrice, "size_measure_id: %d does not convert to the unit that %s is sold by", k.meter.Size.Unit, k.meter.Spec)
	case err != nil:
		return fault.New(fault.Invalid, NoPrice, "usage_value: %s of %s is beyond what has a price", r.Value, k.meter.Factor)
	}
	return nil
}

// claim takes the keys of all that is to be kept; what was there before is a duplicate or refused.
func (p *pending) claim(ctx context.Context, tx *db.Tx) error {
	var rows [][]any
	for i := range p.records {
		if v := p.out[i].Verdict; v == Accepted || v == Quarantined {
			r := &p.records[i]
			rows = append(rows, []any{r.Customer, r.key(), r.digest(), p.batch})
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { // two batches that meet take their keys in the same order
		return cmp.Or(cmp.Compare(a[0].(string), b[0].(string)), cmp.Compare(a[1].(string), b[1].(string)))
	})
	claimed, err := claimKeys(ctx, tx, rows, p.in.resent.Load() == 0)
	if err != nil {
		return err
	}
	p.in.noteResent(claimed < int64(len(rows)))
	if claimed == int64(len(rows)) {
		return nil
	}
	wanted := map[string][]string{}
	for _, row := range rows {
		customer := row[0].(string)
		wanted[customer] = append(wanted[customer], row[1].(string))
	}
	taken := map[string]map[string]claimedKey{}
	for customer, keys := range wanted {
		if taken[customer], err = keysOf(ctx, tx, customer, keys); err != nil {
			return err
		}
	}
	for i := range p.records {
		if v := p.out[i].Verdict; v != Accepted && v != Quarantined {
			continue
		}
		r := &p.records[i]
		if k := taken[r.Customer][r.key()]; k.batch != p.batch {
			p.out[i] = sameOrOther(k.digest == r.digest())
		}
	}
	return nil
}

// keep writes what was claimed: segments, what is kept aside, meters and resources that are new, and the agenda.
func (p *pending) keep(ctx context.Context, tx *db.Tx, random io.Reader) error {
	type place struct {
		customer string
		Bucket
	}
	parts := map[place][]counted{}
	for i := range p.records {
		r := &p.records[i]
		switch p.out[i].Verdict {
		case Accepted:
			k := p.metered[i]
			quantity, _ := k.quantity(r) // looked at before
			at := place{r.Customer, BucketOf(k.unit, r.Start, r.End)}
			parts[at] = append(parts[at], counted{k.meter.No, quantity, r.Start.UnixMicro(), r.End.UnixMicro(), r.key()})
		case Quarantined:
			id, err := setAside(ctx, tx, random, r, p.out[i].Why)
			if err != nil {
				return err
			}
			p.out[i].ID = id
		}
	}
	if err := p.introduce(ctx, tx); err != nil {
		return err
	}
	places := make([]place, 0, len(parts))
	for at := range parts {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), a.End.Compare(b.End), cmp.Compare(a.Unit, b.Unit))
	})
	segments, due := make([][]any, len(places)), make([]Due, len(places))
	for i, at := range places {
		list := parts[at]
		segments[i] = []any{at.customer, db.Micros(at.End), int64(at.Unit), p.batch, int64(len(list)), db.Micros(tx.Real), packSegment(at.End, list)}
		due[i] = Due{Customer: at.customer, Bucket: at.Bucket}
	}
	if err := insertSegments(ctx, tx, segments); err != nil {
		return err
	}
	return touch(ctx, tx, due)
}

// introduce keeps meters that were not in memory and what is known of their resources.
func (p *pending) introduce(ctx context.Context, tx *db.Tx) error {
	used := make(map[*known]bool, len(p.learnt)+len(p.undescribed))
	for i, k := range p.metered {
		if k != nil && p.out[i].Verdict == Accepted {
			used[k] = true
		}
	}
	meters, resources := map[string][]any{}, map[string][]any{}
	bring := func(k *known) bool {
		if !used[k] {
			return false
		}
		m := &k.meter
		meters[m.Customer+"\x1f"+strconv.FormatInt(m.No, 10)] = m.row()
		place := m.Customer + "\x1f" + m.Resource
		resources[place] = p.resources[place].row()
		return true
	}
	for h, k := range p.learnt {
		if !bring(k) {
			delete(p.learnt, h)
		}
	}
	for _, k := range p.undescribed {
		bring(k)
	}
	if err := insertMeters(ctx, tx, inOrder(meters)); err != nil {
		return err
	}
	return upsertResources(ctx, tx, inOrder(resources))
}

// inOrder is a map's values in the order of its keys: what two batches share they lock in the same order.
func inOrder(rows map[string][]any) [][]any {
	keys := make([]string, 0, len(rows))
	for k := range rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([][]any, len(keys))
	for i, k := range keys {
		out[i] = rows[k]
	}
	return out
}
