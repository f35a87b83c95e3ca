package usage

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

// Status is the state of a pay-per-use resource, with the numbers of yearly/monthly ones (api.md 0.12).
//
//	2 in use ↔ 6 stopped          2, 6 → 4 frozen (arrears) → back as it was, or
//	2, 4, 6 → 3 deleted or released
type Status int32

// The states. Only a self-metered resource is stopped and started here; the cloud knows of the others by itself.
const (
	InUse   Status = 2
	Deleted Status = 3
	Frozen  Status = 4
	Stopped Status = 6
)

// Resource is a pay-per-use resource.
type Resource struct {
	Customer string
	ID       string // the cloud's
	Name     string
	Described
	Tags    map[string]string
	Factor  string // the factor it is metered by while it runs, by the house itself; empty: the cloud reports
	Status  Status
	Running bool // a self-metered one that runs, or that was running when it was frozen
	Created time.Time
	Ended   time.Time // deleted or released; zero: not
	Placed  string    // enterprise project that it was moved to by hand, where records count that name none; empty: never
}

// SelfMetered says whether the house writes the resource's usage records.
func (r *Resource) SelfMetered() bool { return r.Factor != "" }

// told is a resource after a record said something of it; nil is one that was not known.
func (r *Resource) told(by *Record, d Described) *Resource {
	out := Resource{Customer: by.Customer, ID: by.Resource, Status: InUse, Created: by.Start}
	if r != nil {
		out = *r
	}
	out.Described = d
	if by.Name != "" {
		out.Name = by.Name
	}
	if by.Tags != nil {
		out.Tags = maps.Clone(by.Tags)
	}
	return &out
}

func tagText(tags map[string]string) string {
	if len(tags) == 0 {
		return ""
	}
	b, _ := json.Marshal(tags) // keys in order; texts always marshal
	return string(b)
}

// FindResource finds a pay-per-use resource of a customer. PURSER.1110.
func FindResource(ctx context.Context, r db.Reader, customer, id string) (Resource, error) {
	list, err := resourcesOf(ctx, r, customer, []string{id})
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "PURSER.1110", "the customer has no pay-per-use resource %s", id)
	}
	if err != nil {
		return Resource{}, err
	}
	return list[0], nil
}

// ResourcesByID finds those of some resources of a customer that are known.
func ResourcesByID(ctx context.Context, r db.Reader, customer string, ids []string) (map[string]Resource, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	list, err := resourcesOf(ctx, r, customer, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Resource, len(list))
	for i := range list {
		out[list[i].ID] = list[i]
	}
	return out, nil
}

// Register makes a resource known before its first record. A resource that is known is described anew; one that was
// deleted is refused (PURSER.1111).
func Register(ctx context.Context, tx *db.Tx, r *Resource) error {
	known, err := FindResource(ctx, tx, r.Customer, r.ID)
	switch {
	case fault.Is(err, "PURSER.1110"):
		r.Status, r.Created = InUse, tx.Now
		if r.SelfMetered() {
			r.Status = Stopped // until it is started
		}
	case err != nil:
		return err
	case known.Status == Deleted:
		return fault.New(fault.Conflict, "PURSER.1111", "resource %s was deleted", r.ID)
	case known.Running && known.Factor != r.Factor:
		return fault.New(fault.Conflict, "PURSER.1111", "resource %s is running: stop it before it is metered otherwise", r.ID)
	default:
		r.Status, r.Running, r.Created = known.Status, known.Running, known.Created
	}
	if r.Placed = known.Placed; r.Project == "" {
		r.Project = cmp.Or(r.Placed, DefaultProject)
	}
	if r.Size.Value.Sign() < 0 || (r.Size.Unit != 0) != !r.Size.Value.IsZero() {
		return wrong("resource_size: goes with size_measure_id, and is above 0")
	}
	return upsertResources(ctx, tx, [][]any{r.row()})
}

// Start lets a self-metered resource run from now on. Starting a running one changes nothing.
func Start(ctx context.Context, tx *db.Tx, customer, id string) (Resource, error) {
	r, err := FindResource(ctx, tx, customer, id)
	switch {
	case err != nil:
		return r, err
	case !r.SelfMetered():
		return r, fault.New(fault.Conflict, "PURSER.1112", "resource %s is metered by the cloud: only self-metered ones are started and stopped here", id)
	case r.Status == Frozen:
		return r, fault.New(fault.Conflict, "PURSER.1113", "resource %s is frozen for arrears", id)
	case r.Status == Deleted:
		return r, fault.New(fault.Conflict, "PURSER.1111", "resource %s was deleted", id)
	case r.Running:
		return r, nil
	}
	r.Status, r.Running = InUse, true
	if err := setState(ctx, tx, &r); err != nil {
		return r, err
	}
	return r, r.run(ctx, tx)
}

// run begins a stretch of running and puts its hour on the agenda.
func (r *Resource) run(ctx context.Context, tx *db.Tx) error {
	if err := insertRun(ctx, tx, r.Customer, r.ID); err != nil {
		return err
	}
	hour := BucketOf(period.Hour, tx.Now, tx.Now)
	return Again(ctx, tx, r.Customer, hour)
}

// Stop ends the running of a self-metered resource. Stopping one that does not run changes nothing.
func Stop(ctx context.Context, tx *db.Tx, customer, id string) (Resource, error) {
	r, err := FindResource(ctx, tx, customer, id)
	switch {
	case err != nil || !r.Running:
		return r, err
	case r.Status == Frozen:
		r.Running = false // it does not begin again when it is thawed
		return r, setState(ctx, tx, &r)
	}
	r.Status, r.Running = Stopped, false
	if err := setState(ctx, tx, &r); err != nil {
		return r, err
	}
	return r, endRuns(ctx, tx, customer, id)
}

// Delete ends a resource. What was used of it is still settled; deleting it again changes nothing.
func Delete(ctx context.Context, tx *db.Tx, customer, id string) (Resource, error) {
	r, err := FindResource(ctx, tx, customer, id)
	if err != nil || r.Status == Deleted {
		return r, err
	}
	r.Status, r.Running, r.Ended = Deleted, false, tx.Now
	if err := setState(ctx, tx, &r); err != nil {
		return r, err
	}
	return r, endRuns(ctx, tx, customer, id)
}

// Place moves a resource into an enterprise project: records that are taken from now on count there, unless they name
// another. In the memory of Intakes it is known at once (Moved) or within a second.
func Place(ctx context.Context, tx *db.Tx, r *Resource, project string) error {
	r.Project, r.Placed = project, project
	return place(ctx, tx, r)
}

// Moved makes an Intake look whether resources were moved: called after a transaction that moved some.
func (in *Intake) Moved() { in.moves.Changed() }

// FreezeAll freezes all resources of a customer in arrears; self-metered ones stop running. It says how many were frozen.
func FreezeAll(ctx context.Context, tx *db.Tx, customer string) (int64, error) {
	return freezeAll(ctx, tx, customer)
}

// ThawAll lets frozen resources go on as they were before, and says how many; self-metered ones that ran run from now on.
func ThawAll(ctx context.Context, tx *db.Tx, customer string) (int64, error) {
	runs, thawed, err := thawAll(ctx, tx, customer)
	if err != nil || runs == 0 {
		return thawed, err
	}
	return thawed, Again(ctx, tx, customer, BucketOf(period.Hour, tx.Now, tx.Now))
}

// ReleaseAll ends all frozen resources of a customer, and says how many.
func ReleaseAll(ctx context.Context, tx *db.Tx, customer string) (int64, error) {
	return releaseAll(ctx, tx, customer)
}

// Run is a stretch in which a self-metered resource ran.
type Run struct {
	Resource
	From, To time.Time // To zero: it still does
}

// RunMark is a place in a customer's stretches.
type RunMark struct {
	Resource string
	From     time.Time
}

// SelfRecords makes the usage records of a customer's self-metered resources for an hour, of at most n stretches from a
// place on: a duration for each, in a unit that is the second. more says that next is the place to go on from.
func SelfRecords(ctx context.Context, r db.Reader, customer string, hour Bucket, second int32, after RunMark, n int) (records []Record, next RunMark, more bool, err error) {
	span := hour.Span()
	runs, err := runsIn(ctx, r, customer, span, after, n)
	if err != nil {
		return nil, next, false, err
	}
	for i := range runs {
		run := &runs[i]
		next = RunMark{run.ID, run.From}
		from, to := run.From, run.To
		if from.Before(span.Start) {
			from = span.Start
		}
		if to.IsZero() || to.After(span.End) {
			to = span.End
		}
		if from, to = from.Truncate(time.Second), to.Truncate(time.Second); !to.After(from) {
			continue
		}
		records = append(records, Record{
			Source: selfSource, ID: run.ID + "/" + from.UTC().Format(time.RFC3339), Customer: customer, Resource: run.ID, Described: run.Described,
			Factor: run.Factor, Value: money.DecimalOf(int64(to.Sub(from) / time.Second)), Unit: second, Start: from, End: to,
		})
	}
	return records, next, len(runs) == n, nil
}

// selfSource is the source of the records that the house writes itself.
const selfSource = "purser"

// Owned names a resource of a customer.
type Owned struct{ Customer, ID string }

// Tags are those of the resources of some customers that have any.
func Tags(ctx context.Context, r db.Reader, customers []string) (map[Owned]map[string]string, error) {
	return tagsOf(ctx, r, customers)
}
