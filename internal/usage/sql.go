package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

var keyColumns = []string{"customer", "key", "digest", "batch"}

func claimKeys(ctx context.Context, tx *db.Tx, rows [][]any, likely bool) (int64, error) {
	n, err := tx.Claim(ctx, "usage_key", keyColumns, rows, likely)
	if err != nil {
		return 0, fmt.Errorf("claim keys of usage: %w", err)
	}
	return n, nil
}

// claimedKey is who claimed a key, and for what content.
type claimedKey struct{ digest, batch int64 }

func keysOf(ctx context.Context, r db.Reader, customer string, keys []string) (map[string]claimedKey, error) {
	out := make(map[string]claimedKey, len(keys))
	for part := range slices.Chunk(keys, db.InMost) {
		args := []any{customer}
		rows, err := r.Query(ctx, `SELECT key, digest, batch FROM usage_key WHERE customer = $1 AND key IN `+db.In(part, &args), args...)
		if err != nil {
			return nil, fmt.Errorf("read keys of usage: %w", err)
		}
		for rows.Next() {
			var key string
			var k claimedKey
			if err := rows.Scan(&key, &k.digest, &k.batch); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read keys of usage: %w", err)
			}
			out[key] = k
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read keys of usage: %w", err)
		}
	}
	return out, nil
}

// StillKnown is what holds for rows of monthly tables, by table, that must stay: keys of their records are not forgotten.
var StillKnown = map[string]string{"usage_segment": "forgotten = 0"}

var segmentColumns = []string{"customer", "ends_at", "unit", "batch", "records", "received_at", "body"}

func insertSegments(ctx context.Context, tx *db.Tx, rows [][]any) error {
	if _, err := tx.Bulk(ctx, "usage_segment", segmentColumns, rows, ""); err != nil {
		return fmt.Errorf("keep usage: %w", err)
	}
	return nil
}

var dueColumns = []string{"customer", "ends_at", "unit", "touched", "noted_at"}

// touch puts buckets of customers on the agenda. Each touch changes the row, so that a settlement which has not seen what was added
// does not take it off.
func touch(ctx context.Context, tx *db.Tx, places []Due) error {
	rows := make([][]any, len(places))
	for i, p := range places {
		rows[i] = []any{p.Customer, db.Micros(p.End), int64(p.Unit), int64(1), db.Micros(tx.Now)}
	}
	if _, err := tx.Bulk(ctx, "usage_due", dueColumns, rows, "ON CONFLICT (customer, ends_at, unit) DO UPDATE SET touched = usage_due.touched + 1"); err != nil {
		return fmt.Errorf("put usage on the agenda: %w", err)
	}
	return nil
}

var meterColumns = []string{"customer", "no", "resource", "factor", "service", "resource_type", "spec", "region", "project", "size", "size_unit", "unit", "scale"}

func (m *Meter) row() []any {
	return []any{m.Customer, m.No, m.Resource, m.Factor, m.Service, m.ResourceType, m.Spec, m.Region, m.Project, sizeText(m.Size.Value), int64(m.Size.Unit), int64(m.Unit), int64(m.Scale)}
}

func insertMeters(ctx context.Context, tx *db.Tx, rows [][]any) error {
	if _, err := tx.Bulk(ctx, "usage_meter", meterColumns, rows, "ON CONFLICT DO NOTHING"); err != nil {
		return fmt.Errorf("keep meters: %w", err)
	}
	return nil
}

// MetersOf reads meters of a customer by their numbers.
func MetersOf(ctx context.Context, r db.Reader, customer string, numbers []int64) (map[int64]*Meter, error) {
	out := make(map[int64]*Meter, len(numbers))
	for part := range slices.Chunk(numbers, db.InMost) {
		args := []any{customer}
		rows, err := r.Query(ctx, `SELECT customer, no, resource, factor, service, resource_type, spec, region, project, size, size_unit, unit, scale
			FROM usage_meter WHERE customer = $1 AND no IN `+db.In(part, &args), args...)
		if err != nil {
			return nil, fmt.Errorf("read meters: %w", err)
		}
		for rows.Next() {
			var m Meter
			var size string
			err := rows.Scan(&m.Customer, &m.No, &m.Resource, &m.Factor, &m.Service, &m.ResourceType, &m.Spec, &m.Region, &m.Project, &size, &m.Size.Unit, &m.Unit, &m.Scale)
			if err == nil {
				m.Size.Value, err = sizeOf(size)
			}
			if err != nil {
				rows.Close()
				return nil, fmt.Errorf("read meters: %w", err)
			}
			out[m.No] = &m
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read meters: %w", err)
		}
	}
	return out, nil
}

func sizeOf(text string) (money.Decimal, error) {
	if text == "" {
		return money.Decimal{}, nil
	}
	return money.ParseDecimal(text)
}

// Due is a bucket on the agenda.
type Due struct {
	Customer string
	Bucket
	Touched int64     // changes whenever something is added
	Noted   time.Time // when it came onto the agenda, business time of who reported
}

const dueFields = `customer, ends_at, unit, touched, noted_at`

func scanDue(row db.Row) (d Due, err error) {
	var ends, noted int64
	err = row.Scan(&d.Customer, &ends, &d.Unit, &d.Touched, &noted)
	d.End, d.Noted = db.TimeOf(ends), db.TimeOf(noted)
	return d, err
}

// FirstDue finds the first bucket on a customer's agenda that ended at or before an instant.
func FirstDue(ctx context.Context, r db.Reader, customer string, until time.Time) (d Due, found bool, err error) {
	d, err = scanDue(r.QueryRow(ctx, `SELECT `+dueFields+` FROM usage_due WHERE customer = $1 AND ends_at <= $2 ORDER BY ends_at, unit LIMIT 1`, customer, db.Micros(until)))
	if errors.Is(err, db.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read the agenda of usage: %w", err)
	}
	return d, true, nil
}

// Peek looks into a customer's bucket: small says that there is little in it, at most n records and n stretches of self-metered
// resources, and then uses is what meters used in it. still: no such resource adds to it, or runs later.
func Peek(ctx context.Context, r db.Reader, customer string, b Bucket, n int) (uses []Use, small, still bool, err error) {
	if uses, small, err = fewUses(ctx, r, customer, b, n); err != nil || !small {
		return nil, false, false, err
	}
	if b.Unit != period.Hour {
		return uses, true, true, nil
	}
	var runs int
	err = r.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM usage_run WHERE customer = $1 AND (to_at = 0 OR to_at > $2) LIMIT $3) few`,
		customer, db.Micros(b.Start()), int64(n+1)).Scan(&runs)
	if err != nil {
		return nil, false, false, fmt.Errorf("look into a bucket: %w", err)
	}
	return uses, runs <= n, runs == 0, nil
}

// fewUses is UsesOf for a bucket of at most n records; small is false when there are more.
func fewUses(ctx context.Context, r db.Reader, customer string, b Bucket, n int) (list []Use, small bool, err error) {
	rows, err := r.Query(ctx, `SELECT records, CASE WHEN records <= $1 THEN body END FROM usage_segment WHERE customer = $2 AND ends_at = $3 AND unit = $4 ORDER BY batch LIMIT $5`,
		int64(n), customer, db.Micros(b.End), int64(b.Unit), int64(n+1))
	if err != nil {
		return nil, false, fmt.Errorf("look into a bucket: %w", err)
	}
	defer rows.Close()
	sums := uses{}
	for rows.Next() {
		var records int
		var body []byte
		if err := rows.Scan(&records, &body); err != nil {
			return nil, false, fmt.Errorf("look into a bucket: %w", err)
		}
		if n -= records; n < 0 {
			return nil, false, nil
		}
		if err := sums.addSegment(customer, b, body); err != nil {
			return nil, false, err
		}
	}
	return sums.list(), true, rows.Err()
}

// FindDue finds a bucket on the agenda.
func FindDue(ctx context.Context, r db.Reader, customer string, b Bucket) (d Due, found bool, err error) {
	d, err = scanDue(r.QueryRow(ctx, `SELECT `+dueFields+` FROM usage_due WHERE customer = $1 AND ends_at = $2 AND unit = $3`, customer, db.Micros(b.End), int64(b.Unit)))
	if errors.Is(err, db.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read the agenda of usage: %w", err)
	}
	return d, true, nil
}

// LastDue finds the last bucket on a customer's agenda that ends after an instant.
func LastDue(ctx context.Context, r db.Reader, customer string, after time.Time) (d Due, found bool, err error) {
	d, err = scanDue(r.QueryRow(ctx, `SELECT `+dueFields+` FROM usage_due WHERE customer = $1 AND ends_at > $2 ORDER BY ends_at DESC, unit DESC LIMIT 1`, customer, db.Micros(after)))
	if errors.Is(err, db.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, fmt.Errorf("read the agenda of usage: %w", err)
	}
	return d, true, nil
}

// Mark is a place in the agenda of everybody.
type Mark struct {
	End      time.Time
	Customer string
	Unit     period.Unit
}

// AllDue lists what is on anybody's agenda and ended at or before an instant, from a place on.
func AllDue(ctx context.Context, r db.Reader, until time.Time, after Mark, n int) (out []Due, err error) {
	rows, err := r.Query(ctx, `SELECT `+dueFields+` FROM usage_due WHERE ends_at <= $1 AND (ends_at, customer, unit) > ($2, $3, $4)
		ORDER BY ends_at, customer, unit LIMIT $5`, db.Micros(until), db.Micros(after.End), after.Customer, int64(after.Unit), int64(n))
	if err != nil {
		return nil, fmt.Errorf("read the agenda of usage: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		d, err := scanDue(rows)
		if err != nil {
			return nil, fmt.Errorf("read the agenda of usage: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// Done takes a bucket off the agenda, unless something was added since it was looked at; false says so.
func Done(ctx context.Context, tx *db.Tx, d *Due) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM usage_due WHERE customer = $1 AND ends_at = $2 AND unit = $3 AND touched = $4`, d.Customer, db.Micros(d.End), int64(d.Unit), d.Touched)
	if err != nil {
		return false, fmt.Errorf("take usage off the agenda: %w", err)
	}
	return n > 0, nil
}

// Again puts a bucket of a customer on the agenda.
func Again(ctx context.Context, tx *db.Tx, customer string, b Bucket) error {
	return touch(ctx, tx, []Due{{Customer: customer, Bucket: b}})
}

// Use is what a meter used in a bucket.
type Use struct {
	Meter       int64
	Records     int64
	Quantity    int64
	First, Last time.Time // from the first start to the last end
}

// UsesOf adds up the records of a customer's bucket by meter, in no order.
func UsesOf(ctx context.Context, r db.Reader, customer string, b Bucket) ([]Use, error) {
	sums := uses{}
	err := eachRecord(ctx, r, customer, b, func(meter, quantity, start, end int64, _ []byte) error {
		return sums.add(customer, b, meter, quantity, start, end)
	})
	return sums.list(), err
}

// EachBucket adds up the records of a customer's buckets by meter, from a bucket on, one bucket after the other.
func EachBucket(ctx context.Context, r db.Reader, customer string, from Bucket, each func(b Bucket, uses []Use)) error {
	rows, err := r.Query(ctx, `SELECT ends_at, unit, body FROM usage_segment WHERE customer = $1 AND (ends_at, unit) >= ($2, $3) ORDER BY ends_at, unit`,
		customer, db.Micros(from.End), int64(from.Unit))
	if err != nil {
		return fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close()
	var last Bucket
	sums := uses{}
	for rows.Next() {
		var b Bucket
		var ends int64
		var body []byte
		if err := rows.Scan(&ends, &b.Unit, &body); err != nil {
			return fmt.Errorf("read usage: %w", err)
		}
		if b.End = db.TimeOf(ends); b != last {
			if len(sums) > 0 {
				each(last, sums.list())
			}
			last, sums = b, uses{}
		}
		if err := sums.addSegment(customer, last, body); err != nil {
			return err
		}
	}
	if len(sums) > 0 {
		each(last, sums.list())
	}
	return rows.Err()
}

// uses are what meters used in a bucket.
type uses map[int64]*Use

func (sums uses) add(customer string, b Bucket, meter, quantity, start, end int64) error {
	u := sums[meter]
	if u == nil {
		u = &Use{Meter: meter, First: db.TimeOf(start), Last: db.TimeOf(end)}
		sums[meter] = u
	}
	u.Records++
	if u.Quantity += quantity; u.Quantity < 0 {
		return fmt.Errorf("usage: the quantity of meter %d of customer %s in the bucket to %s: %w", meter, customer, b.End, money.ErrOverflow)
	}
	if first := db.TimeOf(start); first.Before(u.First) {
		u.First = first
	}
	if last := db.TimeOf(end); last.After(u.Last) {
		u.Last = last
	}
	return nil
}

// addSegment adds what is in a segment of a bucket.
func (sums uses) addSegment(customer string, b Bucket, body []byte) error {
	return unpackSegment(b.End, body, func(meter, quantity, start, end int64, _ []byte) error {
		return sums.add(customer, b, meter, quantity, start, end)
	})
}

func (sums uses) list() []Use {
	out := make([]Use, 0, len(sums))
	for _, u := range sums {
		out = append(out, *u)
	}
	return out
}

// eachRecord calls each with every record of a customer's bucket.
func eachRecord(ctx context.Context, r db.Reader, customer string, b Bucket, each func(meter, quantity, start, end int64, key []byte) error) error {
	rows, err := r.Query(ctx, `SELECT body FROM usage_segment WHERE customer = $1 AND ends_at = $2 AND unit = $3 ORDER BY batch`, customer, db.Micros(b.End), int64(b.Unit))
	if err != nil {
		return fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return fmt.Errorf("read usage: %w", err)
		}
		if err := unpackSegment(b.End, body, each); err != nil {
			return err
		}
	}
	return rows.Err()
}

// segment is a row of usage_segment.
type segment struct {
	batch int64
	body  []byte
}

func segmentsOf(ctx context.Context, r db.Reader, customer string, b Bucket) ([]segment, error) {
	rows, err := r.Query(ctx, `SELECT batch, body FROM usage_segment WHERE customer = $1 AND ends_at = $2 AND unit = $3 ORDER BY received_at, batch`, customer, db.Micros(b.End), int64(b.Unit))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close()
	var out []segment
	for rows.Next() {
		var s segment
		if err := rows.Scan(&s.batch, &s.body); err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// rewriteSegment leaves some records in a segment; without any it is gone.
func rewriteSegment(ctx context.Context, tx *db.Tx, customer string, b Bucket, batch int64, left []counted) error {
	var err error
	if len(left) == 0 {
		_, err = tx.Exec(ctx, `DELETE FROM usage_segment WHERE customer = $1 AND ends_at = $2 AND unit = $3 AND batch = $4`, customer, db.Micros(b.End), int64(b.Unit), batch)
	} else {
		_, err = tx.Exec(ctx, `UPDATE usage_segment SET records = $1, body = $2 WHERE customer = $3 AND ends_at = $4 AND unit = $5 AND batch = $6`,
			int64(len(left)), packSegment(b.End, left), customer, db.Micros(b.End), int64(b.Unit), batch)
	}
	if err != nil {
		return fmt.Errorf("take records out of a bucket: %w", err)
	}
	return nil
}

const resourceFields = `customer, id, name, service, resource_type, spec, region, project, size, size_unit, tags, factor, status, running, created_at, ended_at, placed`

var resourceColumns = []string{"customer", "id", "name", "service", "resource_type", "spec", "region", "project", "size", "size_unit", "tags", "factor", "status", "running", "created_at", "ended_at", "placed"}

func (r *Resource) row() []any {
	return []any{r.Customer, r.ID, r.Name, r.Service, r.ResourceType, r.Spec, r.Region, r.Project, sizeText(r.Size.Value), int64(r.Size.Unit), tagText(r.Tags), r.Factor, int64(r.Status), db.Bool(r.Running), db.Micros(r.Created), db.Micros(r.Ended), r.Placed}
}

// upsertResources keeps resources, or what is said of those that are there; their state stays.
func upsertResources(ctx context.Context, tx *db.Tx, rows [][]any) error {
	_, err := tx.Bulk(ctx, "usage_resource", resourceColumns, rows, `ON CONFLICT (customer, id) DO UPDATE SET name = excluded.name, service = excluded.service,
		resource_type = excluded.resource_type, spec = excluded.spec, region = excluded.region, project = excluded.project, size = excluded.size,
		size_unit = excluded.size_unit, tags = excluded.tags, factor = excluded.factor`)
	if err != nil {
		return fmt.Errorf("keep resources: %w", err)
	}
	return nil
}

func scanResource(row db.Row, more ...any) (r Resource, err error) {
	var size, tags string
	var running, created, ended int64
	err = row.Scan(append([]any{&r.Customer, &r.ID, &r.Name, &r.Service, &r.ResourceType, &r.Spec, &r.Region, &r.Project, &size, &r.Size.Unit, &tags, &r.Factor, &r.Status, &running, &created, &ended, &r.Placed}, more...)...)
	if err != nil {
		return r, err
	}
	r.Running, r.Created, r.Ended = running != 0, db.TimeOf(created), db.TimeOf(ended)
	if tags != "" {
		if err := json.Unmarshal([]byte(tags), &r.Tags); err != nil {
			return r, err
		}
	}
	r.Size.Value, err = sizeOf(size)
	return r, err
}

func resources(rows db.Rows, err error) ([]Resource, error) {
	if err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	defer rows.Close()
	var out []Resource
	for rows.Next() {
		r, err := scanResource(rows)
		if err != nil {
			return nil, fmt.Errorf("read resources: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func resourcesOf(ctx context.Context, r db.Reader, customer string, ids []string) (out []Resource, err error) {
	for part := range slices.Chunk(ids, db.InMost) {
		args := []any{customer}
		list, err := resources(r.Query(ctx, `SELECT `+resourceFields+` FROM usage_resource WHERE customer = $1 AND id IN `+db.In(part, &args), args...))
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// ResourceQuery filters a customer's pay-per-use resources; empty fields leave nothing out.
type ResourceQuery struct {
	ID      string
	Service string
	Status  Status
	Open    bool     // neither deleted nor released
	Types   []string // resource types; nil: all
	Regions []string // nil: all
	Name    string   // part of it, without case
	Within  []string // enterprise projects; nil: all
}

// Resources pages through a customer's pay-per-use resources by id.
func Resources(ctx context.Context, r db.Reader, customer string, q *ResourceQuery, offset, limit int) (total int, page []Resource, err error) {
	where, args := ` FROM usage_resource WHERE customer = $1`, []any{customer}
	for _, f := range []struct {
		column string
		value  any
		on     bool
	}{{"id", q.ID, q.ID != ""}, {"service", q.Service, q.Service != ""}, {"status", int64(q.Status), q.Status != 0}} {
		if f.on {
			args = append(args, f.value)
			where += fmt.Sprintf(` AND %s = $%d`, f.column, len(args))
		}
	}
	if q.Open {
		where += ` AND status <> 3`
	}
	where += db.Within("resource_type", q.Types, &args) + db.Within("region", q.Regions, &args) + db.Within("project", q.Within, &args)
	if q.Name != "" {
		args = append(args, db.Like(q.Name))
		where += fmt.Sprintf(` AND lower(name) LIKE $%d ESCAPE '!'`, len(args))
	}
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count resources: %w", err)
	}
	args = append(args, int64(limit), int64(offset))
	page, err = resources(r.Query(ctx, fmt.Sprintf(`SELECT %s%s ORDER BY id LIMIT $%d OFFSET $%d`, resourceFields, where, len(args)-1, len(args)), args...))
	return total, page, err
}

func readVersion(ctx context.Context, r db.Reader) (n int64, err error) {
	if err = r.QueryRow(ctx, `SELECT n FROM usage_version WHERE one = 1`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read the version of resources: %w", err)
	}
	return n, nil
}

func place(ctx context.Context, tx *db.Tx, r *Resource) error {
	if _, err := tx.Exec(ctx, `UPDATE usage_resource SET project = $1, placed = $1 WHERE customer = $2 AND id = $3`, r.Project, r.Customer, r.ID); err != nil {
		return fmt.Errorf("move resource %s: %w", r.ID, err)
	}
	if _, err := tx.Exec(ctx, `UPDATE usage_version SET n = n + 1 WHERE one = 1`); err != nil {
		return fmt.Errorf("move resource %s: %w", r.ID, err)
	}
	return nil
}

func setState(ctx context.Context, tx *db.Tx, r *Resource) error {
	if _, err := tx.Exec(ctx, `UPDATE usage_resource SET status = $1, running = $2, ended_at = $3 WHERE customer = $4 AND id = $5`,
		int64(r.Status), db.Bool(r.Running), db.Micros(r.Ended), r.Customer, r.ID); err != nil {
		return fmt.Errorf("change resource %s: %w", r.ID, err)
	}
	return nil
}

func insertRun(ctx context.Context, tx *db.Tx, customer, resource string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO usage_run (customer, resource, from_at, to_at) VALUES ($1, $2, $3, 0)
		ON CONFLICT (customer, resource, from_at) DO UPDATE SET to_at = 0`, customer, resource, db.Micros(tx.Now)); err != nil {
		return fmt.Errorf("start resource %s: %w", resource, err)
	}
	return nil
}

func endRuns(ctx context.Context, tx *db.Tx, customer, resource string) error {
	if _, err := tx.Exec(ctx, `UPDATE usage_run SET to_at = $1 WHERE customer = $2 AND resource = $3 AND to_at = 0`, db.Micros(tx.Now), customer, resource); err != nil {
		return fmt.Errorf("stop resource %s: %w", resource, err)
	}
	return nil
}

func freezeAll(ctx context.Context, tx *db.Tx, customer string) (frozen int64, err error) {
	if _, err := tx.Exec(ctx, `UPDATE usage_run SET to_at = $1 WHERE customer = $2 AND to_at = 0`, db.Micros(tx.Now), customer); err != nil {
		return 0, fmt.Errorf("freeze resources: %w", err)
	}
	frozen, err = tx.Exec(ctx, `UPDATE usage_resource SET status = $1 WHERE customer = $2 AND status IN ($3, $4)`, int64(Frozen), customer, int64(InUse), int64(Stopped))
	if err != nil {
		return 0, fmt.Errorf("freeze resources: %w", err)
	}
	return frozen, nil
}

func thawAll(ctx context.Context, tx *db.Tx, customer string) (runs, thawed int64, err error) {
	runs, err = tx.Exec(ctx, `INSERT INTO usage_run (customer, resource, from_at, to_at) SELECT customer, id, CAST($1 AS BIGINT), 0 FROM usage_resource
		WHERE customer = $2 AND status = $3 AND running = 1 ON CONFLICT (customer, resource, from_at) DO UPDATE SET to_at = 0`, db.Micros(tx.Now), customer, int64(Frozen))
	if err != nil {
		return 0, 0, fmt.Errorf("thaw resources: %w", err)
	}
	thawed, err = tx.Exec(ctx, `UPDATE usage_resource SET status = CASE WHEN factor <> '' AND running = 0 THEN CAST($1 AS BIGINT) ELSE CAST($2 AS BIGINT) END WHERE customer = $3 AND status = $4`,
		int64(Stopped), int64(InUse), customer, int64(Frozen))
	if err != nil {
		return 0, 0, fmt.Errorf("thaw resources: %w", err)
	}
	return runs, thawed, nil
}

func releaseAll(ctx context.Context, tx *db.Tx, customer string) (released int64, err error) {
	released, err = tx.Exec(ctx, `UPDATE usage_resource SET status = $1, running = 0, ended_at = $2 WHERE customer = $3 AND status = $4`,
		int64(Deleted), db.Micros(tx.Now), customer, int64(Frozen))
	if err != nil {
		return 0, fmt.Errorf("release resources: %w", err)
	}
	return released, nil
}

// runsIn lists stretches that touch a span, by resource and beginning, from a place on.
func runsIn(ctx context.Context, r db.Reader, customer string, span period.Span, after RunMark, n int) (out []Run, err error) {
	rows, err := r.Query(ctx, `SELECT s.customer, s.id, s.name, s.service, s.resource_type, s.spec, s.region, s.project, s.size, s.size_unit, s.tags, s.factor, s.status, s.running,
		s.created_at, s.ended_at, s.placed, u.from_at, u.to_at FROM usage_run u JOIN usage_resource s ON s.customer = u.customer AND s.id = u.resource
		WHERE u.customer = $1 AND (u.resource, u.from_at) > ($2, $3) AND (u.to_at > $4 OR u.to_at = 0) AND u.from_at < $5
		ORDER BY u.resource, u.from_at LIMIT $6`,
		customer, after.Resource, db.Micros(after.From), db.Micros(span.Start), db.Micros(span.End), int64(n))
	if err != nil {
		return nil, fmt.Errorf("read what ran: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var run Run
		var from, to int64
		if run.Resource, err = scanResource(rows, &from, &to); err != nil {
			return nil, fmt.Errorf("read what ran: %w", err)
		}
		run.From, run.To = db.TimeOf(from), db.TimeOf(to)
		out = append(out, run)
	}
	return out, rows.Err()
}

// RunsAfter says whether any self-metered resource of a customer ran after an instant, or runs.
func RunsAfter(ctx context.Context, r db.Reader, customer string, at time.Time) (bool, error) {
	var n int
	if err := r.QueryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM usage_run WHERE customer = $1 AND (to_at = 0 OR to_at > $2) LIMIT 1) one`, customer, db.Micros(at)).Scan(&n); err != nil {
		return false, fmt.Errorf("read what runs: %w", err)
	}
	return n > 0, nil
}

func insertHeld(ctx context.Context, tx *db.Tx, customer, key string, h *Held, record string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO usage_quarantine (customer, id, key, code, reason, record, state, kept_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (customer, id) DO NOTHING`,
		customer, h.ID, key, h.Code, h.Reason, record, int64(h.State), db.Micros(h.At)); err != nil {
		return fmt.Errorf("keep a record aside: %w", err)
	}
	return nil
}

const heldFields = `id, code, reason, record, state, kept_at`

func heldOf(rows db.Rows, err error) ([]Held, error) {
	if err != nil {
		return nil, fmt.Errorf("read the quarantine: %w", err)
	}
	defer rows.Close()
	var out []Held
	for rows.Next() {
		var h Held
		var record string
		var at int64
		if err := rows.Scan(&h.ID, &h.Code, &h.Reason, &record, &h.State, &at); err != nil {
			return nil, fmt.Errorf("read the quarantine: %w", err)
		}
		if err := json.Unmarshal([]byte(record), &h.Record); err != nil {
			return nil, fmt.Errorf("read the quarantine: %w", err)
		}
		h.At = db.TimeOf(at)
		out = append(out, h)
	}
	return out, rows.Err()
}

func held(ctx context.Context, r db.Reader, customer, id string) ([]Held, error) {
	return heldOf(r.Query(ctx, `SELECT `+heldFields+` FROM usage_quarantine WHERE customer = $1 AND id = $2`, customer, id))
}

func setHeld(ctx context.Context, tx *db.Tx, customer string, h *Held) error {
	record, err := json.Marshal(&h.Record)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE usage_quarantine SET state = $1, record = $2 WHERE customer = $3 AND id = $4`, int64(h.State), string(record), customer, h.ID); err != nil {
		return fmt.Errorf("change the quarantine: %w", err)
	}
	return nil
}

// Quarantine pages through everybody's records in a state, or one customer's, the oldest first.
func Quarantine(ctx context.Context, r db.Reader, customer string, state Aside, offset, limit int) (total int, page []Held, err error) {
	where, args := ` FROM usage_quarantine WHERE state = $1`, []any{int64(state)}
	if customer != "" {
		where, args = where+` AND customer = $2`, append(args, customer)
	}
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count the quarantine: %w", err)
	}
	args = append(args, int64(limit), int64(offset))
	page, err = heldOf(r.Query(ctx, fmt.Sprintf(`SELECT %s%s ORDER BY kept_at, id LIMIT $%d OFFSET $%d`, heldFields, where, len(args)-1, len(args)), args...))
	return total, page, err
}

// Records pages through a customer's records in buckets that end in a span, by the end of the buckets. What lies before the
// page and behind it is counted by segment; only where a resource or projects are named is all of it unpacked.
func Records(ctx context.Context, r db.Reader, customer, resource string, within []string, span period.Span, offset, limit int) (total int, page []Record, err error) {
	buckets, err := bucketsIn(ctx, r, customer, span)
	if err != nil {
		return 0, nil, err
	}
	all, wanted := resource == "" && within == nil, map[int64]bool{}
	if !all {
		numbers, err := metersOn(ctx, r, customer, resource, within)
		if err != nil {
			return 0, nil, err
		}
		for _, no := range numbers {
			wanted[no] = true
		}
	}
	var picked []counted
	for _, b := range buckets {
		if all && (total+b.records <= offset || len(picked) == limit) {
			total += b.records
			continue
		}
		err := eachRecord(ctx, r, customer, b.Bucket, func(meter, quantity, start, end int64, key []byte) error {
			if !all && !wanted[meter] {
				return nil
			}
			if total >= offset && len(picked) < limit {
				picked = append(picked, counted{meter, quantity, start, end, string(key)})
			}
			total++
			return nil
		})
		if err != nil {
			return 0, nil, err
		}
	}
	page, err = asRecords(ctx, r, customer, picked)
	return total, page, err
}

// filled is a bucket with how many records it has.
type filled struct {
	Bucket
	records int
}

func bucketsIn(ctx context.Context, r db.Reader, customer string, span period.Span) (out []filled, err error) {
	rows, err := r.Query(ctx, `SELECT ends_at, unit, CAST(sum(records) AS BIGINT) FROM usage_segment WHERE customer = $1 AND ends_at > $2 AND ends_at <= $3
		GROUP BY ends_at, unit ORDER BY ends_at, unit`, customer, db.Micros(span.Start), db.Micros(span.End))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var ends int64
		var b filled
		if err := rows.Scan(&ends, &b.Unit, &b.records); err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		b.End = db.TimeOf(ends)
		out = append(out, b)
	}
	return out, rows.Err()
}

// MeterNumbers lists all of a customer's meters.
func MeterNumbers(ctx context.Context, r db.Reader, customer string) ([]int64, error) {
	return metersOn(ctx, r, customer, "", nil)
}

// metersOn lists the meters of a resource, or of all, in some enterprise projects, or in all.
func metersOn(ctx context.Context, r db.Reader, customer, resource string, within []string) (out []int64, err error) {
	text, args := `SELECT no FROM usage_meter WHERE customer = $1`, []any{customer}
	if resource != "" {
		text, args = text+` AND resource = $2`, append(args, resource)
	}
	rows, err := r.Query(ctx, text+db.Within("project", within, &args), args...)
	if err != nil {
		return nil, fmt.Errorf("read meters: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var no int64
		if err := rows.Scan(&no); err != nil {
			return nil, fmt.Errorf("read meters: %w", err)
		}
		out = append(out, no)
	}
	return out, rows.Err()
}

// tagsAtOnce is how many customers are named in one statement.
const tagsAtOnce = 500

func tagsOf(ctx context.Context, r db.Reader, customers []string) (map[Owned]map[string]string, error) {
	out := map[Owned]map[string]string{}
	for some := range slices.Chunk(customers, tagsAtOnce) {
		args, marks := make([]any, len(some)), make([]string, len(some))
		for i, c := range some {
			args[i], marks[i] = c, "$"+strconv.Itoa(i+1)
		}
		rows, err := r.Query(ctx, `SELECT customer, id, tags FROM usage_resource WHERE customer IN (`+strings.Join(marks, ", ")+`) AND tags <> ''`, args...)
		if err != nil {
			return nil, fmt.Errorf("read tags: %w", err)
		}
		for rows.Next() {
			var o Owned
			var text string
			tags := map[string]string{}
			err := rows.Scan(&o.Customer, &o.ID, &text)
			if err == nil {
				err = json.Unmarshal([]byte(text), &tags)
			}
			if err != nil {
				rows.Close()
				return nil, fmt.Errorf("read tags: %w", err)
			}
			out[o] = tags
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read tags: %w", err)
		}
	}
	return out, nil
}
