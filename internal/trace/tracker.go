package trace

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/ident"
)

// System is the name of every management tracker, and its kind.
const System = "system"

// Data is the kind of trackers of stored data. There is no stored data here: they are kept and carry nothing.
const Data = "data"

// Quotas, for each project.
const (
	SystemMost = 1
	DataMost   = 100
	TagsMost   = 20
)

// Tracker switches traces on for a project, and says where to they are carried.
type Tracker struct {
	Customer, Project, Name string
	ID                      string
	Region                  string // of the project
	Kind                    string // System or Data
	Enabled                 bool
	Agency                  string
	Bucket                  string // empty: nothing is carried
	Prefix                  string // how the names of files begin
	MadeBucket              bool
	Lifecycle               int64    // days, of data trackers
	Plain                   bool     // files are not compressed
	ByService               bool     // each service has a folder of its own
	Validated               bool     // hourly digests are written
	Excluded                []string // services that are not carried
	DataBucket              string
	DataEvents              []string
	Tags                    []Tag
	Created                 time.Time // business time
	// Of transfers, real time.
	Next       time.Time // when one is due; zero: never
	DigestNext time.Time // end of the hour that the next digest is for; zero: none
	Trouble    string    // what was wrong with the last one
	leased     time.Time
}

// Tag is a label.
type Tag struct{ Key, Value string }

// Carries says whether the tracker writes files.
func (t *Tracker) Carries() bool { return t.Kind == System && t.Enabled && t.Bucket != "" }

// Setup is what an account has set up, as recording needs it.
type Setup struct {
	trackers []Tracker
	notices  []Notice
}

// Records says whether lines of a project are kept, and whether those of a service are carried further.
func (s *Setup) Records(project, service string) (kept, carried bool) {
	for i := range s.trackers {
		if t := &s.trackers[i]; t.Kind == System && t.Project == project && t.Enabled {
			return true, t.Carries() && !slices.Contains(t.Excluded, service)
		}
	}
	return false, false
}

// Wanted lists the notifications that want a line.
func (s *Setup) Wanted(l *Line) (out []*Notice) {
	for i := range s.notices {
		if n := &s.notices[i]; n.Project == l.Project && n.wants(l) {
			out = append(out, n)
		}
	}
	return out
}

// Read reads what an account has set up from the store.
func Read(ctx context.Context, r db.Reader, customer string) (*Setup, error) {
	list, err := trackers(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	s := &Setup{trackers: list}
	s.notices, err = notices(ctx, r, customer)
	return s, err
}

// Book keeps setups in memory, so that recording costs no look at the store. It notices changes: its own at once (Changed),
// those of other processes within a second. The zero Book is ready; none at all asks the store each time.
type Book struct {
	watch  db.Watch
	mu     sync.RWMutex
	serial int64
	setups map[string]*Setup
}

// setupsMost bounds the memory; beyond it the book is emptied.
const setupsMost = 50_000

// Changed makes the book look whether trackers have changed: called after a transaction that changed some.
func (b *Book) Changed() {
	if b != nil {
		b.watch.Changed()
	}
}

// Of is what an account has set up.
func (b *Book) Of(ctx context.Context, r db.Reader, customer string) (*Setup, error) {
	if b == nil {
		return Read(ctx, r, customer)
	}
	seen, err := b.watch.Look(ctx, r, readVersion)
	if err != nil {
		return nil, err
	}
	if seen.Moved {
		b.mu.Lock()
		if seen.Serial > b.serial {
			b.setups, b.serial = map[string]*Setup{}, seen.Serial
		}
		b.mu.Unlock()
	}
	b.mu.RLock()
	found := b.setups[customer]
	b.mu.RUnlock()
	if found != nil {
		return found, nil
	}
	if found, err = Read(ctx, r, customer); err != nil || !seen.Keep {
		return found, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.setups == nil || len(b.setups) >= setupsMost {
		b.setups = map[string]*Setup{}
	}
	if seen.Serial == b.serial {
		b.setups[customer] = found
	}
	return found, nil
}

// Change is what a request says of a tracker; what is nil is left as it is.
type Change struct {
	Kind, Name   string
	Enabled      *bool
	Agency       *string
	Organization *bool
	Logged       *bool // to the log service
	Encrypted    *bool
	Key          *string
	Validated    *bool
	Excluded     []string
	Bucket       *string
	Prefix       *string
	MakeBucket   *bool
	Lifecycle    *int64
	Plain        *bool
	ByService    *bool
	DataBucket   *string
	DataEvents   []string
	HasData      bool // a data bucket is spoken of
}

func invalid(code, format string, args ...any) error {
	return fault.New(fault.Invalid, code, format, args...)
}

var noTracker = fault.New(fault.NotFound, "CTS.0214", "There is no such tracker.")

// check says what is wrong with a request, in the order of the contract.
func (c *Change) check(fresh bool) error {
	switch {
	case c.Kind != System && c.Kind != Data:
		return invalid("CTS.0202", "The tracker type is neither system nor data.")
	case c.Kind == System && c.Name != System:
		return invalid("CTS.0204", "A management tracker is always named system.")
	case c.Kind == System && c.HasData:
		return invalid("CTS.0206", "A management tracker watches no bucket.")
	case fresh && c.Kind == Data && c.Name == System:
		return invalid("CTS.0207", "A data tracker cannot be named system.")
	case fresh && c.Kind == Data && (c.DataBucket == nil || *c.DataBucket == ""):
		return invalid("CTS.0210", "A data tracker needs a bucket to watch.")
	case c.Encrypted != nil && *c.Encrypted && (c.Key == nil || *c.Key == ""):
		return invalid("CTS.0221", "The encryption key is not valid: kms_id is missing.")
	case c.Encrypted != nil && *c.Encrypted:
		return invalid("CTS.0222", "The encryption key cannot be used: there is no key service here.")
	case c.Organization != nil && *c.Organization:
		return invalid("CTS.0003", "is_organization_tracker: there are no organizations here.")
	case c.Logged != nil && *c.Logged:
		return invalid("CTS.0003", "is_lts_enabled: there is no log service here.")
	}
	return nil
}

// put writes what a request says into a tracker.
func (c *Change) put(t *Tracker) {
	set(&t.Enabled, c.Enabled)
	set(&t.Agency, c.Agency)
	set(&t.Validated, c.Validated)
	set(&t.Bucket, c.Bucket)
	set(&t.Prefix, c.Prefix)
	set(&t.MadeBucket, c.MakeBucket)
	set(&t.Lifecycle, c.Lifecycle)
	set(&t.Plain, c.Plain)
	set(&t.ByService, c.ByService)
	if c.Excluded != nil {
		t.Excluded = c.Excluded
	}
	if c.DataEvents != nil {
		t.DataEvents = c.DataEvents
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*$`)

// CheckBucket says what is wrong with the name of a bucket.
func CheckBucket(name string) error {
	if len(name) < 3 || len(name) > 63 || !bucketName.MatchString(name) {
		return invalid("CTS.0231", "The bucket name %q is not valid.", name)
	}
	return nil
}

// schedule lets transfers begin, or ends them.
func (t *Tracker) schedule(tx *db.Tx) {
	switch {
	case t.Next.IsZero() && !t.Carries():
	case !t.Carries():
		t.Next = tx.Real // once more: what was recorded until now
	case t.Next.IsZero():
		t.Next = tx.Real
	}
	switch {
	case !t.Carries() || !t.Validated:
		t.DigestNext = time.Time{}
	case t.DigestNext.IsZero():
		t.DigestNext = tx.Real.Truncate(time.Hour).Add(time.Hour)
	}
}

// claim checks the buckets of a tracker and makes its target the customer's own. reachable says whether files can be written at all.
func (t *Tracker) claim(ctx context.Context, tx *db.Tx, reachable error) error {
	for _, name := range []string{t.Bucket, t.DataBucket} {
		if name == "" {
			continue
		}
		if err := CheckBucket(name); err != nil {
			return err
		}
	}
	if t.Bucket == "" {
		return nil
	}
	if t.Bucket == t.DataBucket {
		return invalid("CTS.0213", "The bucket watched and the bucket written to are the same.")
	}
	mine, err := claimBucket(ctx, tx, t.Customer, t.Bucket)
	if err != nil {
		return err
	}
	if !mine {
		return invalid("CTS.0231", "The bucket %s belongs to somebody else.", t.Bucket)
	}
	return reachable
}

// Create adds a tracker to a project.
func Create(ctx context.Context, tx *db.Tx, random io.Reader, customer, project, region string, c *Change, reachable error) (t Tracker, err error) {
	if err := c.check(true); err != nil {
		return t, err
	}
	id, err := ident.NewTrackerID(random)
	if err != nil {
		return t, err
	}
	t = Tracker{Customer: customer, Project: project, Name: c.Name, ID: string(id), Region: region, Kind: c.Kind, Enabled: true, ByService: true, Validated: c.Kind == System, Created: tx.Now}
	c.put(&t)
	t.Enabled = true
	set(&t.DataBucket, c.DataBucket)
	if c.Kind == Data && len(t.DataEvents) == 0 {
		t.DataEvents = []string{"WRITE", "READ"}
	}
	slices.Sort(t.DataEvents)
	all, err := trackers(ctx, tx, customer)
	if err != nil {
		return t, err
	}
	n := 0
	for i := range all {
		other := &all[i]
		if other.Project != project {
			continue
		}
		switch {
		case other.Name == c.Name && c.Kind == System:
			return t, invalid("CTS.0201", "There is a management tracker already.")
		case other.Name == c.Name:
			return t, invalid("CTS.0208", "There is a tracker named %s already.", c.Name)
		case other.Kind == Data && other.DataBucket == t.DataBucket && overlap(other.DataEvents, t.DataEvents):
			return t, invalid("CTS.0209", "The tracker %s watches the same operations of this bucket.", other.Name)
		case other.Kind == Data:
			n++
		}
	}
	if c.Kind == Data && n >= DataMost {
		return t, invalid("CTS.0200", "There are as many trackers as there may be: %d.", DataMost)
	}
	if err := t.claim(ctx, tx, reachable); err != nil {
		return t, err
	}
	t.schedule(tx)
	return t, errors.Join(insertTracker(ctx, tx, &t), raiseVersion(ctx, tx))
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(one string) bool { return slices.Contains(b, one) })
}

// Update changes a tracker. What it wrote to another bucket until now gets its digest there.
func Update(ctx context.Context, tx *db.Tx, customer, project string, c *Change, reachable error) (Tracker, error) {
	if err := c.check(false); err != nil {
		return Tracker{}, err
	}
	t, err := tracker(ctx, tx, customer, project, c.Name)
	if errors.Is(err, db.ErrNoRows) || err == nil && t.Kind != c.Kind {
		return t, noTracker
	}
	if err != nil {
		return t, err
	}
	was := t
	c.put(&t)
	if t.Bucket == was.Bucket {
		reachable = nil
	}
	if err := t.claim(ctx, tx, reachable); err != nil {
		return t, err
	}
	if was.Carries() && was.Validated && was.Bucket != t.Bucket {
		if _, _, err := planDigest(ctx, tx, &was, tx.Real.Truncate(time.Second), 0); err != nil {
			return t, err
		}
	}
	t.schedule(tx)
	return t, rewrite(ctx, tx, &t)
}

// rewrite keeps a tracker that has changed.
func rewrite(ctx context.Context, tx *db.Tx, t *Tracker) error {
	return errors.Join(deleteTracker(ctx, tx, t), insertTracker(ctx, tx, t), raiseVersion(ctx, tx))
}

// Delete removes a data tracker by name, or all of a project when none is named; the management tracker only by name and kind. Lines
// that were recorded stay. It says what it removed.
func Delete(ctx context.Context, tx *db.Tx, customer, project, kind, name string) (gone []Tracker, err error) {
	if kind == System && name != System {
		return nil, invalid("CTS.0204", "A management tracker is always named system.")
	}
	all, err := trackers(ctx, tx, customer)
	if err != nil {
		return nil, err
	}
	for i := range all {
		t := &all[i]
		if t.Project != project || t.Kind != kind || name != "" && t.Name != name {
			continue
		}
		if err := deleteTracker(ctx, tx, t); err != nil {
			return nil, err
		}
		gone = append(gone, *t)
	}
	if len(gone) == 0 && name != "" {
		return nil, noTracker
	}
	return gone, raiseVersion(ctx, tx)
}

// Trackers lists the trackers of a project, one by name or all, of a kind or all.
func Trackers(ctx context.Context, r db.Reader, customer, project, kind, name string) ([]Tracker, error) {
	all, err := trackers(ctx, r, customer)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t Tracker) bool {
		return t.Project != project || kind != "" && t.Kind != kind || name != "" && t.Name != name
	})
	if len(all) == 0 && name != "" {
		return nil, fault.New(fault.NotFound, "CTS.0214", "There is no tracker named %s.", name)
	}
	return all, nil
}

// Tagged changes the tags of a tracker: new ones are put on, or those named are taken off; one with a value only when it has that.
func Tagged(ctx context.Context, tx *db.Tx, customer, project, id string, tags []Tag, valued func(i int) bool, off bool) error {
	t, err := trackerByID(ctx, tx, customer, project, id)
	if errors.Is(err, db.ErrNoRows) {
		return noTracker
	}
	if err != nil {
		return err
	}
	for i, tag := range tags {
		t.Tags = slices.DeleteFunc(t.Tags, func(has Tag) bool {
			return has.Key == tag.Key && (!off || !valued(i) || has.Value == tag.Value)
		})
		if !off {
			t.Tags = append(t.Tags, tag)
		}
	}
	if len(t.Tags) > TagsMost {
		return invalid("CTS.0003", "tags: a tracker has at most %d", TagsMost)
	}
	return rewrite(ctx, tx, &t)
}

// MayUse says whether a customer may write to a bucket: it is its own, or still nobody's.
func MayUse(ctx context.Context, r db.Reader, customer, bucket string) (bool, error) {
	return ownsBucket(ctx, r, customer, bucket, true)
}
