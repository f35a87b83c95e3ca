package subscription

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
)

const columns = `customer, instance, resource, name, status, order_id, line, parent, service, resource_type, product, spec, region, zone, size,
	size_unit, cloud_project, project, unit, periods, anchor_at, expires_at, policy, busy_with, created_at, updated_at,
	auto_left, auto_unit, next_at, effective_at, related`

var columnNames, termColumnNames = db.Columns(columns), db.Columns(termColumns)

func (r *Resource) row() []any {
	return []any{
		r.Customer, r.Instance, r.ID, r.Name, int64(r.Status), r.Order, int64(r.Line), r.Parent, r.Service, r.ResourceType, r.Product, r.Spec,
		r.Region, r.Zone, r.Size.Value.String(), int64(r.Size.Unit), r.CloudProject, r.Project, int64(r.Unit), int64(r.Periods), db.Micros(r.Anchor),
		db.Micros(r.Expires), int64(r.Policy), r.BusyWith, db.Micros(r.Created), db.Micros(r.Updated), int64(r.AutoLeft), int64(r.AutoUnit), db.Micros(r.Next),
		db.Micros(r.Effective), r.Related,
	}
}

func (t *Term) row() []any {
	return []any{
		t.Customer, t.Instance, int64(t.K), t.Order, int64(t.Line), db.Micros(t.Span.Start), db.Micros(t.Span.End), int64(t.Unit), int64(t.Periods),
		int64(t.Official), int64(t.Amount), int64(t.Parts.Cash), int64(t.Parts.Credit), int64(t.Parts.Coupon), int64(t.Parts.Debt),
		int64(t.Tax), int64(t.TaxParts.Cash), int64(t.TaxParts.Credit), int64(t.TaxParts.Debt), t.EndedBy,
	}
}

func keep(ctx context.Context, tx *db.Tx, resources, terms [][]any) error {
	if _, err := tx.Bulk(ctx, "subscription_resource", columnNames, resources, ""); err != nil {
		return fmt.Errorf("keep resources: %w", err)
	}
	if _, err := tx.Bulk(ctx, "subscription_term", termColumnNames, terms, ""); err != nil {
		return fmt.Errorf("keep terms: %w", err)
	}
	return nil
}

// start puts a resource into use unless the customer has another one under its id.
func start(ctx context.Context, tx *db.Tx, r *Resource) (bool, error) {
	var taken int64
	err := tx.QueryRow(ctx, `SELECT count(*) FROM subscription_resource WHERE customer = $1 AND resource = $2 AND instance <> $3`, r.Customer, r.ID, r.Instance).Scan(&taken)
	if err != nil {
		return false, fmt.Errorf("start a resource: %w", err)
	}
	if taken > 0 {
		return false, nil
	}
	_, err = tx.Exec(ctx, `UPDATE subscription_resource SET resource = $1, name = $2, status = $3, anchor_at = $4, expires_at = $5, busy_with = $6, updated_at = $7, next_at = $8,
		effective_at = $9 WHERE customer = $10 AND instance = $11`,
		r.ID, r.Name, int64(r.Status), db.Micros(r.Anchor), db.Micros(r.Expires), r.BusyWith, db.Micros(r.Updated), db.Micros(r.Next), db.Micros(r.Effective),
		r.Customer, r.Instance)
	if err != nil {
		return false, fmt.Errorf("start a resource: %w", err)
	}
	return true, nil
}

func update(ctx context.Context, tx *db.Tx, r *Resource) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_resource SET status = $1, unit = $2, periods = $3, expires_at = $4, policy = $5, busy_with = $6, updated_at = $7,
		auto_left = $8, auto_unit = $9, next_at = $10, anchor_at = $11 WHERE customer = $12 AND instance = $13`,
		int64(r.Status), int64(r.Unit), r.Periods, db.Micros(r.Expires), int64(r.Policy), r.BusyWith, db.Micros(r.Updated), r.AutoLeft, int64(r.AutoUnit),
		db.Micros(r.Next), db.Micros(r.Anchor), r.Customer, r.Instance)
	if err != nil {
		return fmt.Errorf("change resource %s: %w", r.ID, err)
	}
	return nil
}

const termColumns = `customer, instance, k, order_id, line, starts_at, ends_at, unit, periods, official, amount, cash, credit, coupon, debt,
	tax, tax_cash, tax_credit, tax_debt, ended_by`

func insertTerm(ctx context.Context, tx *db.Tx, t *Term) error {
	return keep(ctx, tx, nil, [][]any{t.row()})
}

// updateTerm writes what a change of the resource changes of a term.
func updateTerm(ctx context.Context, tx *db.Tx, t *Term) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_term SET ends_at = $1, unit = $2, periods = $3, official = $4, amount = $5, cash = $6, credit = $7,
		coupon = $8, debt = $9, tax = $10, tax_cash = $11, tax_credit = $12, tax_debt = $13 WHERE customer = $14 AND instance = $15 AND k = $16`,
		db.Micros(t.Span.End), int64(t.Unit), t.Periods, int64(t.Official), int64(t.Amount), int64(t.Parts.Cash), int64(t.Parts.Credit), int64(t.Parts.Coupon),
		int64(t.Parts.Debt), int64(t.Tax), int64(t.TaxParts.Cash), int64(t.TaxParts.Credit), int64(t.TaxParts.Debt), t.Customer, t.Instance, t.K)
	if err != nil {
		return fmt.Errorf("change a term: %w", err)
	}
	return nil
}

func place(ctx context.Context, tx *db.Tx, r *Resource) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_resource SET project = $1, updated_at = $2 WHERE customer = $3 AND instance = $4`,
		r.Project, db.Micros(r.Updated), r.Customer, r.Instance)
	if err != nil {
		return fmt.Errorf("move resource %s: %w", r.ID, err)
	}
	return nil
}

func become(ctx context.Context, tx *db.Tx, r *Resource) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_resource SET product = $1, spec = $2, size = $3, size_unit = $4 WHERE customer = $5 AND instance = $6`,
		r.Product, r.Spec, r.Size.Value.String(), int64(r.Size.Unit), r.Customer, r.Instance)
	if err != nil {
		return fmt.Errorf("change resource %s: %w", r.ID, err)
	}
	return nil
}

// startTerm dates the first term once the resource is in use.
func startTerm(ctx context.Context, tx *db.Tx, r *Resource) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_term SET starts_at = $1, ends_at = $2 WHERE customer = $3 AND instance = $4 AND k = 0`,
		db.Micros(r.Anchor), db.Micros(r.Expires), r.Customer, r.Instance)
	if err != nil {
		return fmt.Errorf("start the term of %s: %w", r.ID, err)
	}
	return nil
}

func endTerms(ctx context.Context, tx *db.Tx, customer, instance, order string) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_term SET ended_by = $1 WHERE customer = $2 AND instance = $3 AND ended_by = ''`, order, customer, instance)
	if err != nil {
		return fmt.Errorf("end terms: %w", err)
	}
	return nil
}

func terms(ctx context.Context, r db.Reader, customer, instance string) ([]Term, error) {
	rows, err := r.Query(ctx, `SELECT `+termColumns+` FROM subscription_term WHERE customer = $1 AND instance = $2 AND ended_by = '' ORDER BY k`, customer, instance)
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	defer rows.Close()
	var out []Term
	for rows.Next() {
		var t Term
		var start, end int64
		if err := rows.Scan(&t.Customer, &t.Instance, &t.K, &t.Order, &t.Line, &start, &end, &t.Unit, &t.Periods, &t.Official, &t.Amount,
			&t.Parts.Cash, &t.Parts.Credit, &t.Parts.Coupon, &t.Parts.Debt, &t.Tax, &t.TaxParts.Cash, &t.TaxParts.Credit, &t.TaxParts.Debt, &t.EndedBy); err != nil {
			return nil, fmt.Errorf("read terms: %w", err)
		}
		t.Span = period.Span{Start: db.TimeOf(start), End: db.TimeOf(end)}
		out = append(out, t)
	}
	return out, rows.Err()
}

// spans reads the terms of a customer's resources that are not closed, by resource and time.
func spans(ctx context.Context, r db.Reader, customer string, each func(*Resource, period.Span)) error {
	rows, err := r.Query(ctx, `SELECT s.instance, s.resource, s.effective_at, s.expires_at, t.starts_at, t.ends_at FROM subscription_resource s
		JOIN subscription_term t ON t.customer = s.customer AND t.instance = s.instance
		WHERE s.customer = $1 AND s.status IN (2, 4, 5) AND t.ended_by = '' ORDER BY s.instance, t.starts_at, t.k`, customer)
	if err != nil {
		return fmt.Errorf("read terms: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one Resource
		var effective, expires, start, end int64
		if err := rows.Scan(&one.Instance, &one.ID, &effective, &expires, &start, &end); err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
		one.Effective, one.Expires = db.TimeOf(effective), db.TimeOf(expires)
		each(&one, period.Span{Start: db.TimeOf(start), End: db.TimeOf(end)})
	}
	return rows.Err()
}

func scan(row db.Row) (r Resource, err error) {
	var anchor, expires, created, updated, next, effective int64
	var size string
	err = row.Scan(&r.Customer, &r.Instance, &r.ID, &r.Name, &r.Status, &r.Order, &r.Line, &r.Parent, &r.Service, &r.ResourceType, &r.Product, &r.Spec,
		&r.Region, &r.Zone, &size, &r.Size.Unit, &r.CloudProject, &r.Project, &r.Unit, &r.Periods, &anchor, &expires, &r.Policy, &r.BusyWith, &created, &updated,
		&r.AutoLeft, &r.AutoUnit, &next, &effective, &r.Related)
	if err != nil {
		return r, err
	}
	r.Next, r.Effective = db.TimeOf(next), db.TimeOf(effective)
	r.Anchor, r.Expires, r.Created, r.Updated = db.TimeOf(anchor), db.TimeOf(expires), db.TimeOf(created), db.TimeOf(updated)
	r.Size.Value, err = money.ParseDecimal(size)
	return r, err
}

func collect(rows db.Rows, err error) ([]Resource, error) {
	if err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	defer rows.Close()
	var out []Resource
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read resources: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func byID(ctx context.Context, r db.Reader, customer, id string) (Resource, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND resource = $2 AND resource <> ''`, customer, id))
}

func ofParent(ctx context.Context, r db.Reader, customer, parent string) ([]Resource, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND parent = $2 AND parent <> '' ORDER BY line, instance`, customer, parent))
}

func related(ctx context.Context, r db.Reader, primary *Resource) ([]Resource, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND related = $2 AND related <> ''
		UNION ALL SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND instance = $3 ORDER BY line, instance`,
		primary.Customer, primary.Instance, primary.Related))
}

func ofOrder(ctx context.Context, r db.Reader, customer, order string) ([]Resource, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND order_id = $2 ORDER BY line, instance`, customer, order))
}

func busyWith(ctx context.Context, r db.Reader, customer, order string) ([]Resource, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND busy_with = $2 AND busy_with <> '' ORDER BY parent, line, instance`, customer, order))
}

func parentsOf(ctx context.Context, r db.Reader, list []Resource) (map[string]string, error) {
	out := map[string]string{}
	var marks []string
	var args []any
	for i := range list {
		if parent := list[i].Parent; parent != "" {
			if _, known := out[parent]; !known {
				out[parent] = ""
				args = append(args, parent)
				marks = append(marks, "$"+strconv.Itoa(len(args)+1))
			}
		}
	}
	if len(args) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT instance, resource FROM subscription_resource WHERE customer = $1 AND instance IN (`+strings.Join(marks, ", ")+`)`,
		append([]any{list[0].Customer}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("find primary resources: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var instance, resource string
		if err := rows.Scan(&instance, &resource); err != nil {
			return nil, fmt.Errorf("find primary resources: %w", err)
		}
		out[instance] = resource
	}
	return out, rows.Err()
}

// due lists resources whose next instant has come, by it, after a mark.
func due(ctx context.Context, r db.Reader, by time.Time, after Mark, n int) ([]Resource, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource
		WHERE next_at > 0 AND next_at <= $1 AND (next_at, customer, instance) > ($2, $3, $4)
		ORDER BY next_at, customer, instance LIMIT $5`, db.Micros(by), db.Micros(after.At), after.Customer, after.Instance, n))
}

// first finds the resource of a customer for which something is due first, by an instant.
func first(ctx context.Context, r db.Reader, customer string, by time.Time) (m Mark, err error) {
	var next int64
	err = r.QueryRow(ctx, `SELECT next_at, customer, instance FROM subscription_resource WHERE customer = $1 AND next_at > 0 AND next_at <= $2
		ORDER BY next_at, instance LIMIT 1`, customer, db.Micros(by)).Scan(&next, &m.Customer, &m.Instance)
	m.At = db.TimeOf(next)
	return m, err
}

// renewing lists a customer's resources that renew by themselves.
func renewing(ctx context.Context, r db.Reader, customer string) ([]Resource, error) {
	return collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND next_at > 0 AND status = 2 AND policy = 3 ORDER BY instance`, customer))
}

func byInstance(ctx context.Context, r db.Reader, customer, instance string) (Resource, error) {
	return scan(r.QueryRow(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1 AND instance = $2`, customer, instance))
}

// lastTerm is the number of the last term that a resource ever had.
func lastTerm(ctx context.Context, r db.Reader, customer, instance string) (k int, err error) {
	err = r.QueryRow(ctx, `SELECT coalesce(max(k), -1) FROM subscription_term WHERE customer = $1 AND instance = $2`, customer, instance).Scan(&k)
	if err != nil {
		return 0, fmt.Errorf("number a term: %w", err)
	}
	return k, nil
}

// endTermsFrom ends the terms that begin at an instant or later.
func endTermsFrom(ctx context.Context, tx *db.Tx, customer, instance, order string, from time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE subscription_term SET ended_by = $1 WHERE customer = $2 AND instance = $3 AND ended_by = '' AND starts_at > $4`,
		order, customer, instance, db.Micros(from))
	if err != nil {
		return fmt.Errorf("end terms: %w", err)
	}
	return nil
}

// list composes its text from fixed pieces, so that each filter can use its index; every value is bound.
func list(ctx context.Context, r db.Reader, customer string, q *Query, offset, limit int) (total int, page []Resource, err error) {
	where, args := ` FROM subscription_resource s WHERE s.customer = $1 AND s.status <> 0`, []any{customer}
	bind := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	if len(q.IDs) > 0 {
		var marks []string
		for _, id := range q.IDs {
			marks = append(marks, bind(id))
		}
		in := strings.Join(marks, ", ")
		if q.WithAttachedOfThem {
			where += ` AND (s.resource IN (` + in + `) OR s.parent IN (SELECT p.instance FROM subscription_resource p WHERE p.customer = $1 AND p.resource IN (` + in + `)))`
		} else {
			where += ` AND s.resource IN (` + in + `)`
		}
	}
	if q.Order != "" {
		where += ` AND s.order_id = ` + bind(strings.ToUpper(q.Order))
	}
	if q.OnlyMain {
		where += ` AND s.parent = ''`
	}
	if len(q.Statuses) > 0 {
		var marks []string
		for _, status := range q.Statuses {
			marks = append(marks, bind(int64(status)))
		}
		where += ` AND s.status IN (` + strings.Join(marks, ", ") + `)`
	}
	if !q.ExpiresFrom.IsZero() {
		where += ` AND s.expires_at > ` + bind(db.Micros(q.ExpiresFrom))
	}
	if !q.ExpiresTo.IsZero() {
		where += ` AND s.expires_at <= ` + bind(db.Micros(q.ExpiresTo)+1_000_000)
	}
	if q.Service != "" {
		where += ` AND s.service = ` + bind(q.Service)
	}
	if q.Open {
		where += ` AND s.status <> 3`
	}
	where += db.Within("s.resource_type", q.Types, &args) + db.Within("s.region", q.Regions, &args) + db.Within("s.project", q.Within, &args)
	if q.Name != "" {
		where += ` AND lower(s.name) LIKE ` + bind(db.Like(q.Name)) + ` ESCAPE '!'`
	}
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count resources: %w", err)
	}
	page, err = collect(r.Query(ctx, `SELECT `+columns+where+` ORDER BY s.created_at DESC, s.instance DESC LIMIT `+bind(limit)+` OFFSET `+bind(offset), args...))
	return total, page, err
}

// whereAtOnce is how many customers are named in one statement.
const whereAtOnce = 500

func where(ctx context.Context, r db.Reader, customers []string) (map[string]Whereabouts, error) {
	out := map[string]Whereabouts{}
	for some := range slices.Chunk(customers, whereAtOnce) {
		args, marks := make([]any, len(some)), make([]string, len(some))
		for i, c := range some {
			args[i], marks[i] = c, "$"+strconv.Itoa(i+1)
		}
		rows, err := r.Query(ctx, `SELECT instance, resource, zone FROM subscription_resource WHERE customer IN (`+strings.Join(marks, ", ")+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("read where resources are: %w", err)
		}
		for rows.Next() {
			var instance string
			var w Whereabouts
			if err := rows.Scan(&instance, &w.ID, &w.Zone); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read where resources are: %w", err)
			}
			out[instance] = w
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read where resources are: %w", err)
		}
	}
	return out, nil
}

// instancesAtOnce is how many instances are named in one statement.
const instancesAtOnce = 500

func byInstances(ctx context.Context, r db.Reader, customer string, instances []string, into map[string]Resource) error {
	for some := range slices.Chunk(instances, instancesAtOnce) {
		args := []any{customer}
		list, err := collect(r.Query(ctx, `SELECT `+columns+` FROM subscription_resource WHERE customer = $1`+db.Within("instance", some, &args), args...))
		if err != nil {
			return err
		}
		for i := range list {
			into[list[i].Instance] = list[i]
		}
	}
	return nil
}

func paidTerms(ctx context.Context, r db.Reader, customer string, instances []string, into map[Paid]PaidTerm) error {
	for some := range slices.Chunk(instances, instancesAtOnce) {
		args := []any{customer}
		rows, err := r.Query(ctx, `SELECT instance, order_id, min(starts_at), max(ends_at), min(unit), CAST(sum(periods) AS BIGINT) FROM subscription_term
			WHERE customer = $1`+db.Within("instance", some, &args)+` GROUP BY instance, order_id`, args...)
		if err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
		for rows.Next() {
			var key Paid
			var t PaidTerm
			var from, to int64
			if err := rows.Scan(&key.Instance, &key.Order, &from, &to, &t.Unit, &t.Periods); err != nil {
				rows.Close()
				return fmt.Errorf("read terms: %w", err)
			}
			t.Span = period.Span{Start: db.TimeOf(from), End: db.TimeOf(to)}
			into[key] = t
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
	}
	return nil
}
