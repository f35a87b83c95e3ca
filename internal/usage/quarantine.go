package usage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// Aside is the state of a record in quarantine.
type Aside int32

// The states: kept → replayed or dropped.
const (
	Kept     Aside = 0
	Replayed Aside = 1
	Dropped  Aside = 2
)

// Held is a record in quarantine.
type Held struct {
	ID     string
	Code   string
	Reason string
	Record Record
	State  Aside
	At     time.Time // real time
}

// setAside keeps a record in quarantine; its key is claimed already.
func setAside(ctx context.Context, tx *db.Tx, random io.Reader, r *Record, why *fault.Fault) (string, error) {
	id, err := ident.NewTradeID(random, tx.Real)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	h := Held{ID: string(id), Code: why.Code, Reason: why.Message, At: tx.Real}
	return h.ID, insertHeld(ctx, tx, r.Customer, r.key(), &h, string(body))
}

// KeepRefused keeps, among what was dropped, a record that Accept refused when nobody was there any more to be told so. It is kept once,
// and cannot be replayed: its key is another's, or nobody's.
func KeepRefused(ctx context.Context, tx *db.Tx, r *Record, why *fault.Fault) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x1f%s\x1f%s\x1f%x", r.Customer, r.key(), why.Code, r.digest()))
	h := Held{ID: hex.EncodeToString(sum[:16]), Code: why.Code, Reason: why.Message, State: Dropped, At: tx.Real}
	return insertHeld(ctx, tx, r.Customer, r.key(), &h, string(body))
}

// PutAside takes records of a customer's bucket out of it into quarantine, but those that stay: asked of each record's meter
// and its number among those of the meter, from 1 in the order in which they came. It says how many there were.
func PutAside(ctx context.Context, tx *db.Tx, random io.Reader, customer string, b Bucket, stays func(meter, n int64) bool, why *fault.Fault) (moved int, err error) {
	segments, err := segmentsOf(ctx, tx, customer, b)
	if err != nil {
		return 0, err
	}
	seen := map[int64]int64{}
	for i := range segments {
		var left, out []counted
		err := unpackSegment(b.End, segments[i].body, func(meter, quantity, start, end int64, key []byte) error {
			r := counted{meter, quantity, start, end, string(key)}
			if seen[meter]++; stays(meter, seen[meter]) {
				left = append(left, r)
			} else {
				out = append(out, r)
			}
			return nil
		})
		if err == nil && len(out) > 0 {
			err = aside(ctx, tx, random, customer, out, why)
		}
		if err == nil && len(out) > 0 {
			err = rewriteSegment(ctx, tx, customer, b, segments[i].batch, left)
		}
		if err != nil {
			return moved, err
		}
		moved += len(out)
	}
	return moved, nil
}

// aside keeps counted records in quarantine, in the units they were counted in.
func aside(ctx context.Context, tx *db.Tx, random io.Reader, customer string, list []counted, why *fault.Fault) error {
	records, err := asRecords(ctx, tx, customer, list)
	for i := 0; i < len(records) && err == nil; i++ {
		_, err = setAside(ctx, tx, random, &records[i], why)
	}
	return err
}

// asRecords makes counted records whole again, in the units they were counted in.
func asRecords(ctx context.Context, r db.Reader, customer string, list []counted) ([]Record, error) {
	numbers := make([]int64, len(list))
	for i := range list {
		numbers[i] = list[i].meter
	}
	slices.Sort(numbers)
	meters, err := MetersOf(ctx, r, customer, slices.Compact(numbers))
	if err != nil {
		return nil, err
	}
	out := make([]Record, len(list))
	for i := range list {
		c, m := &list[i], meters[list[i].meter]
		if m == nil {
			return nil, errSegment
		}
		source, id, _ := strings.Cut(c.key, "\x1f")
		out[i] = Record{
			Source: source, ID: id, Customer: customer, Resource: m.Resource, Described: m.Described, Factor: m.Factor,
			Value: m.Decimal(c.quantity), Unit: m.Unit, Start: db.TimeOf(c.start), End: db.TimeOf(c.end),
		}
	}
	return out, nil
}

// Replay takes a record out of quarantine, as it is or mended, and counts it. Its source, id and customer stay. What is
// still wrong with it is the fault; it stays where it is. PURSER.1120 not there, PURSER.1121 no longer kept.
func (in *Intake) Replay(ctx context.Context, tx *db.Tx, random io.Reader, s *catalog.Snapshot, customer, id string, mended *Record) (Held, Learnt, error) {
	h, err := FindHeld(ctx, tx, customer, id)
	if err != nil {
		return h, Learnt{}, err
	}
	if h.State != Kept {
		return h, Learnt{}, fault.New(fault.Conflict, "PURSER.1121", "record %s is no longer in quarantine", id)
	}
	if mended != nil {
		mended.Source, mended.ID, mended.Customer = h.Record.Source, h.Record.ID, h.Record.Customer
		h.Record = *mended
	}
	seen, err := in.look(ctx, tx)
	if err != nil {
		return h, Learnt{}, err
	}
	p := &pending{in: in, records: []Record{h.Record}, out: make([]Outcome, 1), metered: make([]*known, 1), learnt: map[uint64]*known{}}
	if p.batch, err = newBatch(random); err != nil {
		return h, Learnt{}, err
	}
	customers, err := p.check(ctx, tx)
	if err == nil {
		err = p.describe(ctx, tx, s)
	}
	if err != nil {
		return h, Learnt{}, err
	}
	if why := p.out[0].Why; why != nil {
		return h, Learnt{}, why
	}
	if err := p.keep(ctx, tx, random); err != nil {
		return h, Learnt{}, err
	}
	h.State = Replayed
	return h, Learnt{s.Version, seen, customers, p.learnt}, setHeld(ctx, tx, customer, &h)
}

// Drop gives a record in quarantine up; sent again it is still known.
func Drop(ctx context.Context, tx *db.Tx, customer, id string) (Held, error) {
	h, err := FindHeld(ctx, tx, customer, id)
	if err == nil && h.State != Kept {
		err = fault.New(fault.Conflict, "PURSER.1121", "record %s is no longer in quarantine", id)
	}
	if err != nil {
		return h, err
	}
	h.State = Dropped
	return h, setHeld(ctx, tx, customer, &h)
}

// FindHeld finds a record in quarantine, or that was. PURSER.1120.
func FindHeld(ctx context.Context, r db.Reader, customer, id string) (Held, error) {
	list, err := held(ctx, r, customer, id)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "PURSER.1120", "the customer has no record %s in quarantine", id)
	}
	if err != nil {
		return Held{}, err
	}
	return list[0], nil
}
