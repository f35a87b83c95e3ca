package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/purser-cloud/purser/internal/db"
)

const columns = `customer, id, happened_at, recorded_at, service, resource_type, name, resource_id, resource_name, rating, caller,
	caller_name, caller_domain, source, request_id, operation, code, message, request, project, kind, caller_account, caller_root,
	access_key, signed_in_at, console, response, api_version, endpoint, url, enterprise_project, read_only, resource_account`

func insert(ctx context.Context, tx *db.Tx, l *Line) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_line (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28,
			$29, $30, $31, $32, $33)`,
		l.Customer, l.ID, db.Micros(l.Happened), db.Micros(l.Recorded), l.Service, l.ResourceType, l.Name, l.ResourceID, l.ResourceName, l.Rating,
		l.Caller, l.CallerName, l.CallerDomain, l.Source, l.RequestID, l.Operation, l.Code, l.Message, l.Request, l.Project, l.Kind,
		l.CallerAccount, db.Bool(l.Root), l.AccessKey, db.Micros(l.SignedIn), db.Bool(l.Console), l.Response, l.APIVersion, l.Endpoint, l.URL,
		l.Enterprise, db.Bool(l.ReadOnly), l.ResourceAccount)
	if err != nil {
		return fmt.Errorf("record a trace: %w", err)
	}
	return nil
}

func scanLine(row db.Row, l *Line) error {
	var happened, recorded, root, signedIn, console, readOnly int64
	err := row.Scan(&l.Customer, &l.ID, &happened, &recorded, &l.Service, &l.ResourceType, &l.Name, &l.ResourceID, &l.ResourceName, &l.Rating,
		&l.Caller, &l.CallerName, &l.CallerDomain, &l.Source, &l.RequestID, &l.Operation, &l.Code, &l.Message, &l.Request, &l.Project, &l.Kind,
		&l.CallerAccount, &root, &l.AccessKey, &signedIn, &console, &l.Response, &l.APIVersion, &l.Endpoint, &l.URL, &l.Enterprise, &readOnly,
		&l.ResourceAccount)
	l.Happened, l.Recorded, l.SignedIn = db.TimeOf(happened), db.TimeOf(recorded), db.TimeOf(signedIn)
	l.Root, l.Console, l.ReadOnly = root == 1, console == 1, readOnly == 1
	return err
}

func collect(rows db.Rows, err error) ([]Line, error) {
	if err != nil {
		return nil, fmt.Errorf("list traces: %w", err)
	}
	defer rows.Close()
	var out []Line
	for rows.Next() {
		var l Line
		if err := scanLine(rows, &l); err != nil {
			return nil, fmt.Errorf("list traces: %w", err)
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

func latest(ctx context.Context, r db.Reader, customer string, limit int) ([]Line, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM trace_line WHERE customer = $1 ORDER BY happened_at DESC, id DESC LIMIT $2`, customer, limit))
}

func find(ctx context.Context, r db.Reader, customer, id string) (l Line, err error) {
	err = scanLine(r.QueryRow(ctx, `SELECT `+columns+` FROM trace_line WHERE customer = $1 AND id = $2`, customer, id), &l)
	return l, err
}

// mark is a place in the order of lines: what is listed lies before it.
type mark struct {
	at int64
	id string
}

// list walks back from a place. A home project also has the lines without one.
func list(ctx context.Context, r db.Reader, customer string, q *Query, from int64, before mark) ([]Line, error) {
	other := q.Project
	if q.Home {
		other = ""
	}
	args := []any{customer, from, before.at, before.id, q.Project, other, q.Service, q.User, q.ResourceID, q.ResourceName, q.ResourceType, q.Name, q.Rating, q.AccessKey, q.Enterprise, q.Limit}
	only := ""
	if q.Enterprises != nil {
		if len(q.Enterprises) == 0 {
			return nil, nil
		}
		only = " AND enterprise_project IN " + db.In(q.Enterprises, &args)
	}
	return collect(r.Query(ctx, `SELECT `+columns+` FROM trace_line
		WHERE customer = $1 AND happened_at > $2 AND (happened_at, id) < ($3, $4) AND (project = $5 OR project = $6)
			AND ($7 = '' OR service = $7) AND ($8 = '' OR caller_name = $8) AND ($9 = '' OR resource_id = $9) AND ($10 = '' OR resource_name = $10)
			AND ($11 = '' OR resource_type = $11) AND ($12 = '' OR name = $12) AND ($13 = '' OR rating = $13) AND ($14 = '' OR access_key = $14)
			AND ($15 = '' OR enterprise_project = $15)`+only+`
		ORDER BY happened_at DESC, id DESC LIMIT $16`, args...))
}

// users walks from name to name along the index, however many lines each has.
func users(ctx context.Context, r db.Reader, customer, project string, home bool, since int64) ([]string, error) {
	other := project
	if home {
		other = ""
	}
	rows, err := r.Query(ctx, `WITH RECURSIVE names(n) AS (
			SELECT min(caller_name) FROM trace_line WHERE customer = $1
			UNION ALL SELECT (SELECT min(l.caller_name) FROM trace_line l WHERE l.customer = $1 AND l.caller_name > names.n) FROM names WHERE names.n IS NOT NULL)
		SELECT n FROM names WHERE n IS NOT NULL AND n <> '' AND EXISTS (
			SELECT 1 FROM trace_line l WHERE l.customer = $1 AND l.caller_name = names.n AND l.happened_at > $2 AND (l.project = $3 OR l.project = $4))
		ORDER BY n`, customer, since, project, other)
	return texts(rows, err)
}

func texts(rows db.Rows, err error) (out []string, _ error) {
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read traces: %w", err)
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

func readVersion(ctx context.Context, r db.Reader) (version int64, err error) {
	if err = r.QueryRow(ctx, `SELECT version FROM trace_version WHERE one = 1`).Scan(&version); err != nil {
		err = fmt.Errorf("read the version of trackers: %w", err)
	}
	return version, err
}

func raiseVersion(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.Exec(ctx, `UPDATE trace_version SET version = version + 1 WHERE one = 1`); err != nil {
		return fmt.Errorf("raise the version of trackers: %w", err)
	}
	return nil
}

const trackerColumns = `customer, project, name, id, region, kind, enabled, agency, bucket, prefix, made_bucket, lifecycle, plain, by_service, validated,
	excluded, data_bucket, data_events, tags, created_at, next_at, digest_at, leased_until, trouble`

func trackerArgs(t *Tracker) []any {
	return []any{t.Customer, t.Project, t.Name, t.ID, t.Region, t.Kind, db.Bool(t.Enabled), t.Agency, t.Bucket, t.Prefix, db.Bool(t.MadeBucket), t.Lifecycle,
		db.Bool(t.Plain), db.Bool(t.ByService), db.Bool(t.Validated), jsonText(t.Excluded), t.DataBucket, jsonText(t.DataEvents), jsonText(t.Tags),
		db.Micros(t.Created), db.Micros(t.Next), db.Micros(t.DigestNext), db.Micros(t.leased), t.Trouble}
}

// jsonText is a list as it is kept; nil is the empty list.
func jsonText[T any](list []T) string {
	if list == nil {
		return "[]"
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // plain structs of texts
	}
	return string(text)
}

func scanTracker(row db.Row) (t Tracker, err error) {
	var enabled, made, plain, by, validated, created, next, digest, leased int64
	var excluded, events, tags string
	err = row.Scan(&t.Customer, &t.Project, &t.Name, &t.ID, &t.Region, &t.Kind, &enabled, &t.Agency, &t.Bucket, &t.Prefix, &made, &t.Lifecycle, &plain, &by,
		&validated, &excluded, &t.DataBucket, &events, &tags, &created, &next, &digest, &leased, &t.Trouble)
	if err != nil {
		return t, err
	}
	t.Enabled, t.MadeBucket, t.Plain, t.ByService, t.Validated = enabled == 1, made == 1, plain == 1, by == 1, validated == 1
	t.Created, t.Next, t.DigestNext, t.leased = db.TimeOf(created), db.TimeOf(next), db.TimeOf(digest), db.TimeOf(leased)
	for text, list := range map[string]any{excluded: &t.Excluded, events: &t.DataEvents, tags: &t.Tags} {
		if text == "[]" {
			continue
		}
		if err := json.Unmarshal([]byte(text), list); err != nil {
			return t, err
		}
	}
	return t, nil
}

func collectTrackers(rows db.Rows, err error) ([]Tracker, error) {
	if err != nil {
		return nil, fmt.Errorf("read trackers: %w", err)
	}
	defer rows.Close()
	var out []Tracker
	for rows.Next() {
		t, err := scanTracker(rows)
		if err != nil {
			return nil, fmt.Errorf("read trackers: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

func trackers(ctx context.Context, r db.Reader, customer string) ([]Tracker, error) {
	return collectTrackers(r.Query(ctx, `SELECT `+trackerColumns+` FROM trace_tracker WHERE customer = $1 ORDER BY project, kind DESC, name`, customer))
}

func tracker(ctx context.Context, r db.Reader, customer, project, name string) (Tracker, error) {
	return scanTracker(r.QueryRow(ctx, `SELECT `+trackerColumns+` FROM trace_tracker WHERE customer = $1 AND project = $2 AND name = $3`, customer, project, name))
}

func trackerByID(ctx context.Context, r db.Reader, customer, project, id string) (Tracker, error) {
	return scanTracker(r.QueryRow(ctx, `SELECT `+trackerColumns+` FROM trace_tracker WHERE customer = $1 AND project = $2 AND id = $3`, customer, project, id))
}

func insertTracker(ctx context.Context, tx *db.Tx, t *Tracker) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_tracker (`+trackerColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`, trackerArgs(t)...)
	if err != nil {
		return fmt.Errorf("add a tracker: %w", err)
	}
	return nil
}

func deleteTracker(ctx context.Context, tx *db.Tx, t *Tracker) error {
	if _, err := tx.Exec(ctx, `DELETE FROM trace_tracker WHERE customer = $1 AND project = $2 AND name = $3`, t.Customer, t.Project, t.Name); err != nil {
		return fmt.Errorf("delete a tracker: %w", err)
	}
	return nil
}

// claimBucket says whether a bucket is the customer's, which it is from the first use on.
func claimBucket(ctx context.Context, tx *db.Tx, customer, name string) (bool, error) {
	if _, err := tx.Exec(ctx, `INSERT INTO trace_bucket (customer, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, customer, name); err != nil {
		return false, fmt.Errorf("claim a bucket: %w", err)
	}
	return ownsBucket(ctx, tx, customer, name, false)
}

func ownsBucket(ctx context.Context, r db.Reader, customer, name string, orNobodys bool) (bool, error) {
	var mine, others int
	err := r.QueryRow(ctx, `SELECT count(CASE WHEN customer = $1 THEN 1 END), count(CASE WHEN customer <> $1 THEN 1 END) FROM trace_bucket WHERE name = $2`, customer, name).Scan(&mine, &others)
	if err != nil {
		return false, fmt.Errorf("look for a bucket: %w", err)
	}
	return mine == 1 || orNobodys && others == 0, nil
}

const noticeColumns = `customer, id, project, name, every, agency, operations, users, enabled, topic, filter, created_at`

func noticeArgs(n *Notice) []any {
	filter := ""
	if n.Filter != nil {
		filter = jsonText([]Filter{*n.Filter})
	}
	return []any{n.Customer, n.ID, n.Project, n.Name, db.Bool(n.Every), n.Agency, jsonText(n.Operations), jsonText(n.Users), db.Bool(n.Enabled), n.Topic, filter, db.Micros(n.Created)}
}

func scanNotice(row db.Row) (n Notice, err error) {
	var every, enabled, created int64
	var operations, users, filter string
	if err = row.Scan(&n.Customer, &n.ID, &n.Project, &n.Name, &every, &n.Agency, &operations, &users, &enabled, &n.Topic, &filter, &created); err != nil {
		return n, err
	}
	n.Every, n.Enabled, n.Created = every == 1, enabled == 1, db.TimeOf(created)
	if err = json.Unmarshal([]byte(operations), &n.Operations); err == nil {
		err = json.Unmarshal([]byte(users), &n.Users)
	}
	if err == nil && filter != "" {
		var list []Filter
		if err = json.Unmarshal([]byte(filter), &list); err == nil {
			n.Filter = &list[0]
			err = n.Filter.parse()
		}
	}
	return n, err
}

func notices(ctx context.Context, r db.Reader, customer string) ([]Notice, error) {
	rows, err := r.Query(ctx, `SELECT `+noticeColumns+` FROM trace_notice WHERE customer = $1 ORDER BY created_at, id`, customer)
	if err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	defer rows.Close()
	var out []Notice
	for rows.Next() {
		n, err := scanNotice(rows)
		if err != nil {
			return nil, fmt.Errorf("read notifications: %w", err)
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

func insertNotice(ctx context.Context, tx *db.Tx, n *Notice) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_notice (`+noticeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, noticeArgs(n)...)
	if err != nil {
		return fmt.Errorf("add a notification: %w", err)
	}
	return nil
}

func deleteNotice(ctx context.Context, tx *db.Tx, customer, project, id string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM trace_notice WHERE customer = $1 AND project = $2 AND id = $3`, customer, project, id)
	if err != nil {
		return false, fmt.Errorf("delete a notification: %w", err)
	}
	return n == 1, nil
}

func insertWaiting(ctx context.Context, tx *db.Tx, l *Line) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_outgoing (customer, project, service, recorded_at, id, line) VALUES ($1, $2, $3, $4, $5, $6)`,
		l.Customer, l.Project, l.Service, db.Micros(l.Recorded), l.ID, l.pack())
	if err != nil {
		return fmt.Errorf("record a trace: %w", err)
	}
	return nil
}

var waitingColumns = []string{"customer", "project", "service", "recorded_at", "id", "line"}

// takeOver moves lines that wait where an earlier purser, which may still run beside this one, lets them wait; it says how many.
func takeOver(ctx context.Context, tx *db.Tx, customer, project string, most int) (int, error) {
	rows, err := tx.Query(ctx, `SELECT service, recorded_at, id, line FROM trace_waiting WHERE customer = $1 AND project = $2 ORDER BY service, recorded_at, id LIMIT $3`,
		customer, project, most)
	if err != nil {
		return 0, fmt.Errorf("take over lines that wait: %w", err)
	}
	defer rows.Close()
	var taken [][]any
	var last place
	for rows.Next() {
		var line string
		if err := rows.Scan(&last.service, &last.at, &last.id, &line); err != nil {
			return 0, fmt.Errorf("take over lines that wait: %w", err)
		}
		taken = append(taken, []any{customer, project, last.service, last.at, last.id, []byte(line)})
	}
	if err := rows.Err(); err != nil || len(taken) == 0 {
		return 0, err
	}
	rows.Close()
	if _, err = tx.Bulk(ctx, "trace_outgoing", waitingColumns, taken, ""); err == nil {
		_, err = tx.Exec(ctx, `DELETE FROM trace_waiting WHERE customer = $1 AND project = $2 AND (service, recorded_at, id) <= ($3, $4, $5)`,
			customer, project, last.service, last.at, last.id)
	}
	if err != nil {
		return 0, fmt.Errorf("take over lines that wait: %w", err)
	}
	return len(taken), nil
}

// dueTrackers lists trackers whose next transfer or digest is due and that nobody is at.
func dueTrackers(ctx context.Context, r db.Reader, n int) ([]Tracker, error) {
	_, real := r.Instant()
	return collectTrackers(r.Query(ctx, `SELECT `+trackerColumns+` FROM trace_tracker WHERE next_at > 0 AND next_at <= $1 AND leased_until <= $1 ORDER BY next_at LIMIT $2`, db.Micros(real), n))
}

// lease takes a tracker's transfers for a while; only one who asks gets it.
func lease(ctx context.Context, tx *db.Tx, t *Tracker, until time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE trace_tracker SET leased_until = $1 WHERE customer = $2 AND project = $3 AND name = $4 AND next_at > 0 AND next_at <= $5 AND leased_until <= $5`,
		db.Micros(until), t.Customer, t.Project, t.Name, db.Micros(tx.Real))
	if err != nil {
		return false, fmt.Errorf("lease a tracker: %w", err)
	}
	return n == 1, nil
}

// release gives a tracker back and says when it is due again, unless it was switched off meanwhile.
func release(ctx context.Context, tx *db.Tx, t *Tracker, next time.Time, trouble string) error {
	_, err := tx.Exec(ctx, `UPDATE trace_tracker SET leased_until = 0, trouble = $1, next_at = CASE WHEN next_at = 0 OR enabled = 0 OR bucket = '' THEN 0 ELSE CAST($2 AS BIGINT) END
		WHERE customer = $3 AND project = $4 AND name = $5`, trouble, db.Micros(next), t.Customer, t.Project, t.Name)
	if err != nil {
		return fmt.Errorf("release a tracker: %w", err)
	}
	return nil
}

func setDigestNext(ctx context.Context, tx *db.Tx, t *Tracker) error {
	_, err := tx.Exec(ctx, `UPDATE trace_tracker SET digest_at = $1 WHERE customer = $2 AND project = $3 AND name = $4`,
		db.Micros(t.DigestNext), t.Customer, t.Project, t.Name)
	if err != nil {
		return fmt.Errorf("keep when the next digest is due: %w", err)
	}
	return nil
}

// waitingServices lists the services with lines that wait for a file: from name to name along the key, however many each has.
func waitingServices(ctx context.Context, r db.Reader, customer, project string) ([]string, error) {
	rows, err := r.Query(ctx, `WITH RECURSIVE names(n) AS (
			SELECT min(service) FROM trace_outgoing WHERE customer = $1 AND project = $2
			UNION ALL SELECT (SELECT min(o.service) FROM trace_outgoing o WHERE o.customer = $1 AND o.project = $2 AND o.service > names.n) FROM names WHERE names.n IS NOT NULL)
		SELECT n FROM names WHERE n IS NOT NULL ORDER BY n`, customer, project)
	return texts(rows, err)
}

// waiting walks over the oldest lines that wait behind a place: of a service, or of all when none is named.
func waiting(ctx context.Context, r db.Reader, t *Tracker, service string, after place, n int) (rows db.Rows, err error) {
	if service == "" {
		rows, err = r.Query(ctx, `SELECT service, recorded_at, id, line FROM trace_outgoing WHERE customer = $1 AND project = $2
			AND (service, recorded_at, id) > ($3, $4, $5) ORDER BY service, recorded_at, id LIMIT $6`, t.Customer, t.Project, after.service, after.at, after.id, n)
	} else {
		rows, err = r.Query(ctx, `SELECT service, recorded_at, id, line FROM trace_outgoing WHERE customer = $1 AND project = $2 AND service = $3
			AND (recorded_at, id) > ($4, $5) ORDER BY recorded_at, id LIMIT $6`, t.Customer, t.Project, service, after.at, after.id, n)
	}
	if err != nil {
		return nil, fmt.Errorf("read the lines of a trace file: %w", err)
	}
	return rows, nil
}

// waitNoMore takes lines out that wait, up to the last one of a file, and says how many there were.
func waitNoMore(ctx context.Context, tx *db.Tx, f *File) (n int64, err error) {
	if f.service == "" {
		n, err = tx.Exec(ctx, `DELETE FROM trace_outgoing WHERE customer = $1 AND project = $2 AND (service, recorded_at, id) <= ($3, $4, $5)`,
			f.Customer, f.Project, f.last.service, f.last.at, f.last.id)
	} else {
		n, err = tx.Exec(ctx, `DELETE FROM trace_outgoing WHERE customer = $1 AND project = $2 AND service = $3 AND (recorded_at, id) <= ($4, $5)`,
			f.Customer, f.Project, f.service, f.last.at, f.last.id)
	}
	if err != nil {
		return 0, fmt.Errorf("plan a trace file: %w", err)
	}
	return n, nil
}

const fileColumns = `customer, project, tracker, object, bucket, plain, state, lines, bytes, hash, planned_at, written_at, digest`

func insertFile(ctx context.Context, tx *db.Tx, f *File) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_file (`+fileColumns+`, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		f.Customer, f.Project, f.Tracker, f.Object, f.Bucket, db.Bool(f.Plain), f.State, f.Lines, f.Bytes, f.Hash, db.Micros(f.Planned), db.Micros(f.Written), f.Digest, f.Body)
	if err != nil {
		return fmt.Errorf("plan a trace file: %w", err)
	}
	return nil
}

func collectFiles(rows db.Rows, err error) ([]File, error) {
	if err != nil {
		return nil, fmt.Errorf("read trace files: %w", err)
	}
	defer rows.Close()
	var out []File
	for rows.Next() {
		var f File
		var plain, planned, written int64
		if err := rows.Scan(&f.Customer, &f.Project, &f.Tracker, &f.Object, &f.Bucket, &plain, &f.State, &f.Lines, &f.Bytes, &f.Hash, &planned, &written, &f.Digest); err != nil {
			return nil, fmt.Errorf("read trace files: %w", err)
		}
		f.Plain, f.Planned, f.Written = plain == 1, db.TimeOf(planned), db.TimeOf(written)
		out = append(out, f)
	}
	return out, rows.Err()
}

func filesOfDigest(ctx context.Context, r db.Reader, t *Tracker, digest int64) ([]File, error) {
	return collectFiles(r.Query(ctx, `SELECT `+fileColumns+` FROM trace_file WHERE customer = $1 AND project = $2 AND tracker = $3 AND digest = $4 ORDER BY object`,
		t.Customer, t.Project, t.Name, digest))
}

func plannedFiles(ctx context.Context, r db.Reader, t *Tracker) ([]File, error) {
	return collectFiles(r.Query(ctx, `SELECT `+fileColumns+` FROM trace_file WHERE customer = $1 AND project = $2 AND tracker = $3 AND digest = 0 AND state = 'planned' ORDER BY object`,
		t.Customer, t.Project, t.Name))
}

// readBody reads the bytes of a planned file.
func readBody(ctx context.Context, r db.Reader, f *File) error {
	err := r.QueryRow(ctx, `SELECT body FROM trace_file WHERE customer = $1 AND project = $2 AND tracker = $3 AND object = $4`, f.Customer, f.Project, f.Tracker, f.Object).Scan(&f.Body)
	if err != nil {
		return fmt.Errorf("read a trace file: %w", err)
	}
	return nil
}

// fileWritten ends a planned file, once.
func fileWritten(ctx context.Context, tx *db.Tx, f *File) error {
	_, err := tx.Exec(ctx, `UPDATE trace_file SET state = 'written', written_at = $1, body = NULL WHERE customer = $2 AND project = $3 AND tracker = $4
		AND object = $5 AND state = 'planned'`, db.Micros(tx.Real), f.Customer, f.Project, f.Tracker, f.Object)
	if err != nil {
		return fmt.Errorf("keep that a trace file was written: %w", err)
	}
	return nil
}

const digestColumns = `customer, project, tracker, n, starts_at, ends_at, kept_from, bucket, object, state, hash, signature`

func scanDigest(row db.Row) (d Digest, err error) {
	var starts, ends, kept int64
	err = row.Scan(&d.Customer, &d.Project, &d.Tracker, &d.N, &starts, &ends, &kept, &d.Bucket, &d.Object, &d.State, &d.Hash, &d.Signature)
	d.Starts, d.Ends, d.KeptFrom = db.TimeOf(starts), db.TimeOf(ends), db.TimeOf(kept)
	return d, err
}

func lastDigest(ctx context.Context, r db.Reader, t *Tracker) (Digest, error) {
	return scanDigest(r.QueryRow(ctx, `SELECT `+digestColumns+` FROM trace_digest WHERE customer = $1 AND project = $2 AND tracker = $3 ORDER BY n DESC LIMIT 1`,
		t.Customer, t.Project, t.Name))
}

func digestAt(ctx context.Context, r db.Reader, t *Tracker, n int64) (Digest, error) {
	return scanDigest(r.QueryRow(ctx, `SELECT `+digestColumns+` FROM trace_digest WHERE customer = $1 AND project = $2 AND tracker = $3 AND n = $4`,
		t.Customer, t.Project, t.Name, n))
}

func insertDigest(ctx context.Context, tx *db.Tx, d *Digest) error {
	_, err := tx.Exec(ctx, `INSERT INTO trace_digest (`+digestColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		d.Customer, d.Project, d.Tracker, d.N, db.Micros(d.Starts), db.Micros(d.Ends), db.Micros(d.KeptFrom), d.Bucket, d.Object, d.State, d.Hash, d.Signature)
	if err != nil {
		return fmt.Errorf("plan a digest: %w", err)
	}
	return nil
}

// assign gives every written file of a bucket that no digest has to this one.
func assign(ctx context.Context, tx *db.Tx, d *Digest) error {
	_, err := tx.Exec(ctx, `UPDATE trace_file SET digest = $1 WHERE customer = $2 AND project = $3 AND tracker = $4 AND digest = 0 AND state = 'written'`,
		d.N, d.Customer, d.Project, d.Tracker)
	if err != nil {
		return fmt.Errorf("plan a digest: %w", err)
	}
	return nil
}

func digestWritten(ctx context.Context, tx *db.Tx, d *Digest) error {
	_, err := tx.Exec(ctx, `UPDATE trace_digest SET state = 'written', hash = $1, signature = $2 WHERE customer = $3 AND project = $4 AND tracker = $5 AND n = $6
		AND state = 'planned'`, d.Hash, d.Signature, d.Customer, d.Project, d.Tracker, d.N)
	if err != nil {
		return fmt.Errorf("keep that a digest was written: %w", err)
	}
	return nil
}

// removable lists written digests that end at or before an instant, the oldest first.
func removable(ctx context.Context, r db.Reader, t *Tracker, until time.Time, n int) ([]Digest, error) {
	rows, err := r.Query(ctx, `SELECT `+digestColumns+` FROM trace_digest WHERE customer = $1 AND project = $2 AND tracker = $3 AND state = 'written' AND ends_at <= $4
		ORDER BY n LIMIT $5`, t.Customer, t.Project, t.Name, db.Micros(until), n)
	if err != nil {
		return nil, fmt.Errorf("find old digests: %w", err)
	}
	defer rows.Close()
	var out []Digest
	for rows.Next() {
		d, err := scanDigest(rows)
		if err != nil {
			return nil, fmt.Errorf("find old digests: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// removed keeps that a digest and its files are gone.
func removed(ctx context.Context, tx *db.Tx, d *Digest) error {
	_, err := tx.Exec(ctx, `UPDATE trace_file SET state = 'removed' WHERE customer = $1 AND project = $2 AND tracker = $3 AND digest = $4`, d.Customer, d.Project, d.Tracker, d.N)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE trace_digest SET state = 'removed' WHERE customer = $1 AND project = $2 AND tracker = $3 AND n = $4`, d.Customer, d.Project, d.Tracker, d.N)
	}
	if err != nil {
		return fmt.Errorf("keep that old files are gone: %w", err)
	}
	return nil
}

func readKey(ctx context.Context, r db.Reader) (sealed []byte, public string, err error) {
	err = r.QueryRow(ctx, `SELECT sealed, public FROM trace_key WHERE one = 1`).Scan(&sealed, &public)
	return sealed, public, err
}

func insertKey(ctx context.Context, tx *db.Tx, sealed []byte, public string) error {
	if _, err := tx.Exec(ctx, `INSERT INTO trace_key (one, sealed, public, created_at) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING`, sealed, public, db.Micros(tx.Real)); err != nil {
		return fmt.Errorf("keep the key of digests: %w", err)
	}
	return nil
}
