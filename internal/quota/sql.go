package quota

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
)

const columns = `customer, id, source, order_id, product, spec, name_en, name_zh, service, resource_type, region, project, bundle, reuse, cycle,
	cycle_type, effective_at, expires_at, empty_until, ended_at, created_at`

func insert(ctx context.Context, tx *db.Tx, p *Package) error {
	_, err := tx.Exec(ctx, `INSERT INTO quota_package (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		p.Customer, p.ID, int64(p.Source), p.Order, p.Product, p.Spec, p.Name.En, p.Name.Zh, p.Service, p.ResourceType, p.Region, p.Project,
		p.Bundle, int64(p.Reuse), int64(p.Cycle), int64(p.CycleType), db.Micros(p.Effective), db.Micros(p.Expires), db.Micros(p.EmptyUntil),
		db.Micros(p.Ended), db.Micros(p.Created))
	if err != nil {
		return fmt.Errorf("grant a package: %w", err)
	}
	for i := range p.Items {
		item := &p.Items[i]
		_, err := tx.Exec(ctx, `INSERT INTO quota_item (customer, package, no, resource_type, usage_type, amount, rest, unit, k, specs, whole, used, scale)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
			p.Customer, p.ID, int64(item.No), item.ResourceType, item.UsageType, item.Amount.String(), item.Rest.String(), int64(item.Unit), int64(item.K),
			strings.Join(item.Specs, ","), item.Whole, item.Used, int64(item.Scale))
		if err != nil {
			return fmt.Errorf("grant a package's item: %w", err)
		}
	}
	return nil
}

func end(ctx context.Context, tx *db.Tx, p *Package) error {
	if _, err := tx.Exec(ctx, `UPDATE quota_package SET ended_at = $1 WHERE customer = $2 AND id = $3`, db.Micros(p.Ended), p.Customer, p.ID); err != nil {
		return fmt.Errorf("end package %s: %w", p.ID, err)
	}
	return nil
}

func scan(row db.Row) (p Package, err error) {
	var effective, expires, empty, ended, created int64
	err = row.Scan(&p.Customer, &p.ID, &p.Source, &p.Order, &p.Product, &p.Spec, &p.Name.En, &p.Name.Zh, &p.Service, &p.ResourceType, &p.Region,
		&p.Project, &p.Bundle, &p.Reuse, &p.Cycle, &p.CycleType, &effective, &expires, &empty, &ended, &created)
	p.Effective, p.Expires, p.EmptyUntil = db.TimeOf(effective), db.TimeOf(expires), db.TimeOf(empty)
	p.Ended, p.Created = db.TimeOf(ended), db.TimeOf(created)
	return p, err
}

// collect reads packages and then, with one statement more, what is in them.
func collect(ctx context.Context, r db.Reader, customer string, rows db.Rows, err error) ([]Package, error) {
	if err != nil {
		return nil, fmt.Errorf("read packages: %w", err)
	}
	defer rows.Close()
	var out []Package
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read packages: %w", err)
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read packages: %w", err)
	}
	rows.Close()
	return out, fill(ctx, r, customer, out)
}

// fill reads the items of packages of one customer.
func fill(ctx context.Context, r db.Reader, customer string, packages []Package) error {
	if len(packages) == 0 {
		return nil
	}
	args, byID := []any{customer}, make(map[string]*Package, len(packages))
	var marks []string
	for i := range packages {
		args = append(args, packages[i].ID)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
		byID[packages[i].ID] = &packages[i]
	}
	rows, err := r.Query(ctx, `SELECT package, no, resource_type, usage_type, amount, rest, unit, k, specs, whole, used, scale FROM quota_item
		WHERE customer = $1 AND package IN (`+strings.Join(marks, ", ")+`) ORDER BY package, no`, args...)
	if err != nil {
		return fmt.Errorf("read the items of packages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var i Item
		var id, amount, rest, specs string
		if err := rows.Scan(&id, &i.No, &i.ResourceType, &i.UsageType, &amount, &rest, &i.Unit, &i.K, &specs, &i.Whole, &i.Used, &i.Scale); err != nil {
			return fmt.Errorf("read the items of packages: %w", err)
		}
		if specs != "" {
			i.Specs = strings.Split(specs, ",")
		}
		if i.Amount, err = money.ParseDecimal(amount); err == nil {
			i.Rest, err = money.ParseDecimal(rest)
		}
		if err != nil {
			return fmt.Errorf("read the items of package %s: %w", id, err)
		}
		byID[id].Items = append(byID[id].Items, i)
	}
	return rows.Err()
}

func find(ctx context.Context, r db.Reader, customer, id string) (Package, error) {
	p, err := scan(r.QueryRow(ctx, `SELECT `+columns+` FROM quota_package WHERE customer = $1 AND id = $2`, customer, id))
	if err != nil {
		return p, err
	}
	one := []Package{p}
	err = fill(ctx, r, customer, one)
	return one[0], err
}

func ofOrder(ctx context.Context, r db.Reader, customer, order string) ([]Package, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM quota_package WHERE customer = $1 AND order_id = $2 AND order_id <> '' ORDER BY created_at, id`, customer, order)
	return collect(ctx, r, customer, rows, err)
}

// state is Package.Status as the database works it out; $2 is now.
const state = `CASE WHEN ended_at > 0 THEN 4 WHEN effective_at > $2 THEN 0 WHEN expires_at <= $2 THEN 3 WHEN empty_until > $2 THEN 2 ELSE 1 END`

// pattern finds a text as a part, whatever stands in it.
var pattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// list composes its text from fixed pieces, every value is bound.
func list(ctx context.Context, r db.Reader, customer string, q *Query, now, since time.Time, offset, limit int) (total int, page []Package, err error) {
	where, args := ` FROM quota_package WHERE customer = $1 AND (`+state+` = CAST($3 AS BIGINT) OR CAST($3 AS BIGINT) < 0) AND expires_at >= $4
		AND ($5 = '' OR region = $5) AND ($6 = '' OR order_id = $6) AND ($7 = '' OR product = $7)`,
		[]any{customer, db.Micros(now), int64(-1), db.Micros(since), q.Region, strings.ToUpper(q.Order), q.Product}
	if q.Status != nil {
		args[2] = int64(*q.Status)
	}
	bind := func(value any) string {
		args = append(args, value)
		return "$" + strconv.Itoa(len(args))
	}
	if q.Within == nil || q.Project != "" {
		where += ` AND project = ` + bind(q.Project)
	}
	where += db.Within("project", q.Within, &args)
	if q.Name != "" {
		column := "name_zh"
		if q.Language == catalog.English {
			column = "name_en"
		}
		where += ` AND lower(` + column + `) LIKE ` + bind("%"+pattern.Replace(strings.ToLower(q.Name))+"%") + ` ESCAPE '\'`
	}
	if len(q.Services) > 0 {
		var marks []string
		for _, service := range q.Services {
			marks = append(marks, bind(service))
		}
		where += ` AND service IN (` + strings.Join(marks, ", ") + `)`
	}
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count packages: %w", err)
	}
	rows, err := r.Query(ctx, `SELECT `+columns+where+` ORDER BY created_at DESC, id DESC LIMIT `+bind(limit)+` OFFSET `+bind(offset), args...)
	page, err = collect(ctx, r, customer, rows, err)
	return total, page, err
}

func forUsage(ctx context.Context, r db.Reader, customer string, from, to time.Time) ([]Package, error) {
	rows, err := r.Query(ctx, `SELECT `+columns+` FROM quota_package WHERE customer = $1 AND effective_at < $2 AND expires_at > $3
		AND (ended_at = 0 OR ended_at > $3) ORDER BY id`, customer, db.Micros(to), db.Micros(from))
	return collect(ctx, r, customer, rows, err)
}

func usedOf(ctx context.Context, r db.Reader, customer string, p Pool) (used int64, err error) {
	err = r.QueryRow(ctx, `SELECT used FROM quota_pool WHERE customer = $1 AND package = $2 AND item = $3 AND k = $4`, customer, p.Package, int64(p.Item), int64(p.K)).Scan(&used)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return 0, fmt.Errorf("read what packages were used: %w", err)
	}
	return used, nil
}

func setPool(ctx context.Context, tx *db.Tx, customer string, p Pool, used int64) error {
	if _, err := tx.Exec(ctx, `INSERT INTO quota_pool (customer, package, item, k, used) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (customer, package, item, k) DO UPDATE SET used = excluded.used`, customer, p.Package, int64(p.Item), int64(p.K), used); err != nil {
		return fmt.Errorf("use package %s: %w", p.Package, err)
	}
	return nil
}

func setItem(ctx context.Context, tx *db.Tx, customer, id string, i *Item) error {
	if _, err := tx.Exec(ctx, `UPDATE quota_item SET rest = $1, k = $2, whole = $3, used = $4, scale = $5 WHERE customer = $6 AND package = $7 AND no = $8`,
		i.Rest.String(), int64(i.K), i.Whole, i.Used, int64(i.Scale), customer, id, int64(i.No)); err != nil {
		return fmt.Errorf("use package %s: %w", id, err)
	}
	return nil
}

func setExpiry(ctx context.Context, tx *db.Tx, p *Package) error {
	if _, err := tx.Exec(ctx, `UPDATE quota_package SET expires_at = $1 WHERE customer = $2 AND id = $3`, db.Micros(p.Expires), p.Customer, p.ID); err != nil {
		return fmt.Errorf("renew package %s: %w", p.ID, err)
	}
	return nil
}

func setEmpty(ctx context.Context, tx *db.Tx, p *Package) error {
	if _, err := tx.Exec(ctx, `UPDATE quota_package SET empty_until = $1 WHERE customer = $2 AND id = $3`, db.Micros(p.EmptyUntil), p.Customer, p.ID); err != nil {
		return fmt.Errorf("use package %s: %w", p.ID, err)
	}
	return nil
}

var useColumns = []string{"customer", "id", "package", "item", "resource", "before", "used", "after", "span_from", "span_to", "deducted_at"}

func insertUses(ctx context.Context, tx *db.Tx, rows [][]any) error {
	if err := tx.Load(ctx, "quota_use", useColumns, rows); err != nil {
		return fmt.Errorf("record uses of packages: %w", err)
	}
	return nil
}

func uses(ctx context.Context, r db.Reader, customer string, q *UseQuery, offset, limit int) (total int, page []UseRecord, err error) {
	where, args := ` FROM quota_use u JOIN quota_package p ON p.customer = u.customer AND p.id = u.package JOIN quota_item i ON i.customer = u.customer AND i.package = u.package AND i.no = u.item
		WHERE u.customer = $1 AND u.deducted_at >= $2 AND u.deducted_at < $3`, []any{customer, db.Micros(q.From), db.Micros(q.To)}
	for _, f := range []struct {
		column string
		value  any
		on     bool
	}{{"u.package", q.Package, q.Package != ""}, {"u.item", int64(q.Item), q.Item != 0}, {"p.product", q.Product, q.Product != ""}, {"i.resource_type", q.ResourceType, q.ResourceType != ""}} {
		if f.on {
			args = append(args, f.value)
			where += fmt.Sprintf(` AND %s = $%d`, f.column, len(args))
		}
	}
	where += db.Within("p.project", q.Within, &args)
	if err := r.QueryRow(ctx, `SELECT count(*)`+where, args...).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count uses of packages: %w", err)
	}
	args = append(args, int64(limit), int64(offset))
	rows, err := r.Query(ctx, fmt.Sprintf(`SELECT u.package, u.item, u.resource, u.before, u.used, u.after, u.span_from, u.span_to, u.deducted_at, p.product, p.name_en, p.name_zh,
		i.resource_type, i.usage_type, i.unit%s ORDER BY u.deducted_at DESC, u.id DESC LIMIT $%d OFFSET $%d`, where, len(args)-1, len(args)), args...)
	if err != nil {
		return 0, nil, fmt.Errorf("read uses of packages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var u UseRecord
		var from, to, at int64
		if err := rows.Scan(&u.Package, &u.Item, &u.Resource, &u.Before, &u.Used, &u.After, &from, &to, &at, &u.Product, &u.Name.En, &u.Name.Zh, &u.ResourceType, &u.UsageType, &u.Unit); err != nil {
			return 0, nil, fmt.Errorf("read uses of packages: %w", err)
		}
		u.From, u.To, u.At = db.TimeOf(from), db.TimeOf(to), db.TimeOf(at)
		page = append(page, u)
	}
	return total, page, rows.Err()
}

func pools(ctx context.Context, r db.Reader, customer string) (map[Pool]int64, error) {
	rows, err := r.Query(ctx, `SELECT package, item, k, used FROM quota_pool WHERE customer = $1`, customer)
	if err != nil {
		return nil, fmt.Errorf("read what packages were used: %w", err)
	}
	defer rows.Close()
	out := map[Pool]int64{}
	for rows.Next() {
		var p Pool
		var used int64
		if err := rows.Scan(&p.Package, &p.Item, &p.K, &used); err != nil {
			return nil, fmt.Errorf("read what packages were used: %w", err)
		}
		out[p] = used
	}
	return out, rows.Err()
}
