package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

const headColumns = `customer, id, type, status, source, trade, service, cloud_project, project, official, amount, tax, fee, consumed, discount_id,
	discount_kind, coupon_id, coupon_held, payer, cash, credit, coupon, debt, policy, base, reason, user_name, created_at, deadline_at,
	effective_at, paid_at, finished_at, unconditional`

func insertHead(ctx context.Context, tx *db.Tx, o *Order) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_head (`+headColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
		$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)`,
		o.Customer, o.ID, int64(o.Type), int64(o.Status), int64(o.Source), o.Trade, o.Service, o.CloudProject, o.Project, int64(o.Official),
		int64(o.Amount), int64(o.Tax), int64(o.Fee), int64(o.Consumed), o.DiscountID, int64(o.DiscountKind), o.CouponID, o.CouponHeld, o.Payer,
		int64(o.Paid.Cash), int64(o.Paid.Credit), int64(o.Paid.Coupon), int64(o.Paid.Debt), int64(o.Policy), o.Base, o.Reason, o.User,
		db.Micros(o.Created), db.Micros(o.Deadline), db.Micros(o.Effective), db.Micros(o.PaidAt), db.Micros(o.Finished),
		db.Bool(o.Unconditional))
	if err != nil {
		return fmt.Errorf("keep order %s: %w", o.ID, err)
	}
	return count(ctx, tx, o.Customer, o.Status)
}

// update writes what a verb may change of a head, when its status is still what it was read with.
// update changes an order that is in a status. It is found by its id: whoever comes by the index of statuses instead has read, as
// PostgreSQL sees it, the others of that status, and is in everybody's way.
func update(ctx context.Context, tx *db.Tx, o *Order, from Status) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE order_head SET status = $1, amount = $2, tax = $3, discount_id = $4, discount_kind = $5, coupon_id = $6,
		coupon_held = $7, payer = $8, cash = $9, credit = $10, coupon = $11, debt = $12, deadline_at = $13, paid_at = $14, finished_at = $15,
		reason = $16 WHERE customer = $17 AND id = $18 AND status + 0 = $19`,
		int64(o.Status), int64(o.Amount), int64(o.Tax), o.DiscountID, int64(o.DiscountKind), o.CouponID, o.CouponHeld, o.Payer, int64(o.Paid.Cash),
		int64(o.Paid.Credit), int64(o.Paid.Coupon), int64(o.Paid.Debt), db.Micros(o.Deadline), db.Micros(o.PaidAt), db.Micros(o.Finished), o.Reason,
		o.Customer, o.ID, int64(from))
	if err != nil {
		return false, fmt.Errorf("change order %s: %w", o.ID, err)
	}
	return n == 1, nil
}

// unconditionals counts the unconditional unsubscriptions that a customer asked for in a span; one that was refused does not count.
func unconditionals(ctx context.Context, r db.Reader, customer string, in period.Span) (n int, err error) {
	err = r.QueryRow(ctx, `SELECT count(*) FROM order_head WHERE customer = $1 AND unconditional = 1 AND created_at >= $2 AND created_at < $3 AND status <> 4`,
		customer, db.Micros(in.Start), db.Micros(in.End)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count unconditional unsubscriptions: %w", err)
	}
	return n, nil
}

// changed says whether a change of a resource was ever completed.
func changed(ctx context.Context, r db.Reader, customer, instance string) (bool, error) {
	var n int64
	err := r.QueryRow(ctx, `SELECT count(*) FROM order_head h JOIN order_line l ON l.customer = h.customer AND l.order_id = h.id
		WHERE h.customer = $1 AND h.type = 3 AND h.status = 5 AND l.instance = $2`, customer, instance).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for changes of a resource: %w", err)
	}
	return n > 0, nil
}

// count counts an order that has come into a status.
func count(ctx context.Context, tx *db.Tx, customer string, status Status) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_count (customer, status, n) VALUES ($1, $2, 1) ON CONFLICT (customer, status) DO UPDATE SET n = order_count.n + 1`,
		customer, int64(status))
	if err != nil {
		return fmt.Errorf("count orders: %w", err)
	}
	return nil
}

// countMove moves one order from a status to another, in the numbers of both.
func countMove(ctx context.Context, tx *db.Tx, customer string, from, to Status) error {
	n, err := tx.Exec(ctx, `UPDATE order_count SET n = n + CASE WHEN status = $1 THEN -1 ELSE 1 END WHERE customer = $2 AND status IN ($1, $3)`, int64(from), customer, int64(to))
	if err != nil {
		return fmt.Errorf("count orders: %w", err)
	}
	if n == 2 {
		return nil
	}
	return count(ctx, tx, customer, to) // it is the first
}

func scanHead(row db.Row) (o Order, err error) {
	var created, deadline, effective, paid, finished, unconditional int64
	err = row.Scan(&o.Customer, &o.ID, &o.Type, &o.Status, &o.Source, &o.Trade, &o.Service, &o.CloudProject, &o.Project, &o.Official, &o.Amount,
		&o.Tax, &o.Fee, &o.Consumed, &o.DiscountID, &o.DiscountKind, &o.CouponID, &o.CouponHeld, &o.Payer, &o.Paid.Cash, &o.Paid.Credit,
		&o.Paid.Coupon, &o.Paid.Debt, &o.Policy, &o.Base, &o.Reason, &o.User, &created, &deadline, &effective, &paid, &finished, &unconditional)
	o.Created, o.Deadline, o.Effective = db.TimeOf(created), db.TimeOf(deadline), db.TimeOf(effective)
	o.PaidAt, o.Finished, o.Unconditional = db.TimeOf(paid), db.TimeOf(finished), unconditional == 1
	return o, err
}

func find(ctx context.Context, r db.Reader, customer, id string) (Order, error) {
	return scanHead(r.QueryRow(ctx, `SELECT `+headColumns+` FROM order_head WHERE customer = $1 AND id = $2`, customer, id))
}

func heads(rows db.Rows, err error) ([]Order, error) {
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	defer rows.Close()
	var out []Order
	for rows.Next() {
		o, err := scanHead(rows)
		if err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// combinedOf reads of some orders the combined purchase that they belong to; of the others nothing.
func combinedOf(ctx context.Context, r db.Reader, customer string, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for some := range slices.Chunk(ids, db.InMost) {
		args := []any{customer}
		rows, err := r.Query(ctx, `SELECT id, trade FROM order_head WHERE customer = $1 AND trade <> '' AND id IN `+db.In(some, &args), args...)
		if err != nil {
			return nil, fmt.Errorf("read combined purchases: %w", err)
		}
		for rows.Next() {
			var id, trade string
			if err := rows.Scan(&id, &trade); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read combined purchases: %w", err)
			}
			out[id] = trade
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read combined purchases: %w", err)
		}
	}
	return out, nil
}

func ofTrade(ctx context.Context, r db.Reader, customer, trade string) ([]Order, error) {
	return heads(r.Query(ctx, `SELECT `+headColumns+` FROM order_head WHERE customer = $1 AND trade = $2 AND trade <> '' ORDER BY id`, customer, trade))
}

func overdue(ctx context.Context, r db.Reader, by time.Time, after Mark, n int) ([]Order, error) {
	return heads(r.Query(ctx, `SELECT `+headColumns+` FROM order_head
		WHERE status = 6 AND deadline_at <= $1 AND (deadline_at, id) > ($2, $3) ORDER BY deadline_at, id LIMIT $4`,
		db.Micros(by), db.Micros(after.Deadline), after.ID, n))
}

func firstOverdue(ctx context.Context, r db.Reader, customer string, by time.Time) (m Mark, err error) {
	var deadline int64
	err = r.QueryRow(ctx, `SELECT deadline_at, id FROM order_head WHERE customer = $1 AND status = 6 AND deadline_at <= $2
		ORDER BY deadline_at, id LIMIT 1`, customer, db.Micros(by)).Scan(&deadline, &m.ID)
	m.Deadline = db.TimeOf(deadline)
	return m, err
}

func waiting(ctx context.Context, r db.Reader, offset, limit int) (total int, page []Order, err error) {
	if err := r.QueryRow(ctx, `SELECT count(*) FROM order_head WHERE status IN (1, 9)`).Scan(&total); err != nil {
		return 0, nil, fmt.Errorf("count orders: %w", err)
	}
	page, err = heads(r.Query(ctx, `SELECT `+headColumns+` FROM order_head WHERE status IN (1, 9) ORDER BY created_at, customer, id LIMIT $1 OFFSET $2`, limit, offset))
	return total, page, err
}

const lineColumns = `order_id, no, parent, name, service, resource_type, product, spec, region, zone, size, size_unit, unit, periods, num, official,
	amount, coupon, fee, consumed, tax_rate, tax_inclusive, tax, effective_at, expires_at, base, instance, related`

func insertLine(ctx context.Context, tx *db.Tx, customer string, l *Line) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_line (customer, `+lineColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
		$15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)`,
		customer, l.Order, int64(l.No), int64(l.Parent), l.Name, l.Service, l.ResourceType, l.Product, l.Spec, l.Region, l.Zone, l.Size.Value.String(),
		int64(l.Size.Unit), int64(l.Unit), l.Periods, l.Num, int64(l.Official), int64(l.Amount), int64(l.Coupon), int64(l.Fee), int64(l.Consumed),
		l.TaxRate, db.Bool(l.TaxInclusive), int64(l.Tax), db.Micros(l.Effective), db.Micros(l.Expires), l.Base, l.Instance,
		int64(l.Related))
	if err != nil {
		return fmt.Errorf("keep a line of order %s: %w", l.Order, err)
	}
	return nil
}

// updateLine writes what paying and fulfilling change of a line.
func updateLine(ctx context.Context, tx *db.Tx, customer string, l *Line) error {
	_, err := tx.Exec(ctx, `UPDATE order_line SET amount = $1, coupon = $2, tax_rate = $3, tax_inclusive = $4, tax = $5, effective_at = $6, expires_at = $7
		WHERE customer = $8 AND order_id = $9 AND no = $10`,
		int64(l.Amount), int64(l.Coupon), l.TaxRate, db.Bool(l.TaxInclusive), int64(l.Tax), db.Micros(l.Effective), db.Micros(l.Expires), customer, l.Order, int64(l.No))
	if err != nil {
		return fmt.Errorf("change a line of order %s: %w", l.Order, err)
	}
	return nil
}

func lines(ctx context.Context, r db.Reader, customer, order string, offset, limit int) (total int, page []Line, err error) {
	text := `SELECT ` + lineColumns + ` FROM order_line WHERE customer = $1 AND order_id = $2 ORDER BY no`
	args := []any{customer, order}
	if limit > 0 {
		if err := r.QueryRow(ctx, `SELECT count(*) FROM order_line WHERE customer = $1 AND order_id = $2`, args...).Scan(&total); err != nil {
			return 0, nil, fmt.Errorf("count lines: %w", err)
		}
		text += ` LIMIT $3 OFFSET $4`
		args = append(args, limit, offset)
	}
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return 0, nil, fmt.Errorf("read lines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var l Line
		var inclusive, effective, expires int64
		var size string
		if err := rows.Scan(&l.Order, &l.No, &l.Parent, &l.Name, &l.Service, &l.ResourceType, &l.Product, &l.Spec, &l.Region, &l.Zone, &size, &l.Size.Unit,
			&l.Unit, &l.Periods, &l.Num, &l.Official, &l.Amount, &l.Coupon, &l.Fee, &l.Consumed, &l.TaxRate, &inclusive, &l.Tax, &effective, &expires, &l.Base, &l.Instance, &l.Related); err != nil {
			return 0, nil, fmt.Errorf("read lines: %w", err)
		}
		if l.Size.Value, err = money.ParseDecimal(size); err != nil {
			return 0, nil, fmt.Errorf("size of a line of %s: %w", order, err)
		}
		l.TaxInclusive, l.Effective, l.Expires = inclusive == 1, db.TimeOf(effective), db.TimeOf(expires)
		page = append(page, l)
	}
	return max(total, len(page)), page, rows.Err()
}

// taxOfLine reads at which rate a line was taxed; an empty rate: it was not, or there is no such line.
func taxOfLine(ctx context.Context, r db.Reader, customer, order string, no int32) (rate string, inclusive bool, err error) {
	var within int64
	err = r.QueryRow(ctx, `SELECT tax_rate, tax_inclusive FROM order_line WHERE customer = $1 AND order_id = $2 AND no = $3`, customer, order, int64(no)).
		Scan(&rate, &within)
	if errors.Is(err, db.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read the tax of a line: %w", err)
	}
	return rate, within == 1, nil
}

// couponOfLine is what a coupon paid of a line, all of its resources together.
func couponOfLine(ctx context.Context, r db.Reader, customer, order string, no int32) (paid money.Amount, err error) {
	err = r.QueryRow(ctx, `SELECT coupon FROM order_line WHERE customer = $1 AND order_id = $2 AND no = $3`, customer, order, int64(no)).Scan(&paid)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the coupon of a line: %w", err)
	}
	return paid, nil
}

// changesByCoupon are the changes of a resource that a coupon paid, the latest first: their ids, payers and coupons only.
func changesByCoupon(ctx context.Context, r db.Reader, customer, instance string) (out []Order, err error) {
	rows, err := r.Query(ctx, `SELECT h.id, h.payer, h.coupon_id FROM order_head h JOIN order_line l ON l.customer = h.customer AND l.order_id = h.id
		WHERE h.customer = $1 AND h.type = $2 AND h.coupon_id <> '' AND l.instance = $3 ORDER BY h.created_at DESC, h.id DESC`, customer, int64(Change), instance)
	if err != nil {
		return nil, fmt.Errorf("read changes that a coupon paid: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o Order
		if err := rows.Scan(&o.ID, &o.Payer, &o.CouponID); err != nil {
			return nil, fmt.Errorf("read changes that a coupon paid: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// list composes its text from fixed pieces, so that each filter uses its index; every value is bound. Rows are found in
// the index alone first, so that a deep page costs no more than its walk.
func list(ctx context.Context, r db.Reader, customer string, q *Query, offset, limit int) (total int, page []Order, err error) {
	where, args := ` WHERE customer = $1`, []any{customer}
	also := func(text string, value any) {
		args = append(args, value)
		where += ` AND ` + text + `$` + strconv.Itoa(len(args))
	}
	counted := true
	only := func(given bool, text string, value any) {
		if given {
			counted = false
			also(text, value)
		}
	}
	if q.Status != 0 {
		also(`status = `, int64(q.Status))
	}
	only(q.ID != "", `id = `, strings.ToUpper(q.ID))
	only(q.Service != "", `service = `, q.Service)
	only(q.Type != 0, `type = `, int64(q.Type))
	only(!q.CreatedFrom.IsZero(), `created_at >= `, db.Micros(q.CreatedFrom))
	only(!q.CreatedTo.IsZero(), `created_at < `, db.Micros(q.CreatedTo)+1_000_000)
	only(!q.PaidFrom.IsZero(), `paid_at >= `, db.Micros(q.PaidFrom))
	only(!q.PaidTo.IsZero(), `paid_at > 0 AND paid_at < `, db.Micros(q.PaidTo)+1_000_000)
	only(q.Payer != "", `payer <> customer AND payer = `, q.Payer)
	if q.Within != nil {
		counted = false
		where += db.Within("project", q.Within, &args)
	}
	if total, err = totalOf(ctx, r, customer, q.Status, counted, where, args); err != nil || total <= offset {
		return total, nil, err
	}
	direction := ` DESC`
	if q.OldestFirst {
		direction = ``
	}
	by := ` ORDER BY created_at` + direction + `, id` + direction
	n := len(args)
	args = append(args, limit, offset)
	page, err = heads(r.Query(ctx, `SELECT `+headColumns+` FROM order_head WHERE customer = $1 AND id IN (SELECT id FROM order_head`+where+by+
		` LIMIT $`+strconv.Itoa(n+1)+` OFFSET $`+strconv.Itoa(n+2)+`)`+by, args...))
	return total, page, err
}

func unfinished(ctx context.Context, r db.Reader, customer, project string) (n int, err error) {
	err = r.QueryRow(ctx, `SELECT count(*) FROM order_head WHERE customer = $1 AND project = $2 AND status IN (1, 2, 3, 6, 9)`, customer, project).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count unfinished orders: %w", err)
	}
	return n, nil
}

func totalOf(ctx context.Context, r db.Reader, customer string, status Status, counted bool, where string, args []any) (total int, err error) {
	if counted {
		err = r.QueryRow(ctx, `SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM order_count WHERE customer = $1 AND (CAST($2 AS BIGINT) = 0 OR status = $2)`,
			customer, int64(status)).Scan(&total)
	} else {
		err = r.QueryRow(ctx, `SELECT count(*) FROM order_head`+where, args...).Scan(&total)
	}
	if err != nil {
		return 0, fmt.Errorf("count orders: %w", err)
	}
	return total, nil
}

func checkCounts(ctx context.Context, r db.Reader, customer string) ([]string, error) {
	rows, err := r.Query(ctx, `SELECT status, CAST(sum(kept) AS BIGINT), CAST(sum(found) AS BIGINT) FROM (
			SELECT status, n AS kept, 0 AS found FROM order_count WHERE customer = $1
			UNION ALL SELECT status, 0, count(*) FROM order_head WHERE customer = $1 GROUP BY status) both_sides
		GROUP BY status HAVING sum(kept) <> sum(found) ORDER BY status`, customer)
	if err != nil {
		return nil, fmt.Errorf("check counts of orders: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var status, kept, found int64
		if err := rows.Scan(&status, &kept, &found); err != nil {
			return nil, fmt.Errorf("check counts of orders: %w", err)
		}
		out = append(out, fmt.Sprintf("orders in status %d: kept %d, there are %d", status, kept, found))
	}
	return out, rows.Err()
}

// RefundRow is one amount that an unsubscription is made of.
type RefundRow struct {
	Customer, Order                                         string
	No                                                      int32
	Amount                                                  money.Amount // below zero: given back; above: consumed, or fee
	Kind                                                    string       // refund, consumed or fee
	Instance, Resource, ResourceType, Service, Region, Base string
}

func insertRefund(ctx context.Context, tx *db.Tx, row *RefundRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_refund (customer, order_id, no, amount, kind, instance, resource, resource_type, service, region, base)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		row.Customer, row.Order, int64(row.No), int64(row.Amount), row.Kind, row.Instance, row.Resource, row.ResourceType, row.Service, row.Region, row.Base)
	if err != nil {
		return fmt.Errorf("keep a refund of %s: %w", row.Order, err)
	}
	return nil
}

func refundRows(ctx context.Context, r db.Reader, customer, order string) ([]RefundRow, error) {
	rows, err := r.Query(ctx, `SELECT customer, order_id, no, amount, kind, instance, resource, resource_type, service, region, base
		FROM order_refund WHERE customer = $1 AND order_id = $2 ORDER BY no`, customer, order)
	if err != nil {
		return nil, fmt.Errorf("read refunds: %w", err)
	}
	defer rows.Close()
	var out []RefundRow
	for rows.Next() {
		var row RefundRow
		if err := rows.Scan(&row.Customer, &row.Order, &row.No, &row.Amount, &row.Kind, &row.Instance, &row.Resource, &row.ResourceType, &row.Service, &row.Region, &row.Base); err != nil {
			return nil, fmt.Errorf("read refunds: %w", err)
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// dateLine dates a line by the first of its resources that is in use.
func dateLine(ctx context.Context, tx *db.Tx, r *subscription.Resource) error {
	_, err := tx.Exec(ctx, `UPDATE order_line SET effective_at = $1, expires_at = $2 WHERE customer = $3 AND order_id = $4 AND no = $5 AND effective_at = 0`,
		db.Micros(r.Anchor), db.Micros(r.Expires), r.Customer, r.Order, int64(r.Line))
	if err != nil {
		return fmt.Errorf("date a line of order %s: %w", r.Order, err)
	}
	return nil
}

// spansAtOnce is how many customers are named in one statement.
const spansAtOnce = 500

func spans(ctx context.Context, r db.Reader, customers []string) (map[Place]period.Span, error) {
	out := map[Place]period.Span{}
	for some := range slices.Chunk(customers, spansAtOnce) {
		args, marks := make([]any, len(some)), make([]string, len(some))
		for i, c := range some {
			args[i], marks[i] = c, "$"+strconv.Itoa(i+1)
		}
		rows, err := r.Query(ctx, `SELECT order_id, no, effective_at, expires_at FROM order_line WHERE customer IN (`+strings.Join(marks, ", ")+`) AND expires_at > 0`, args...)
		if err != nil {
			return nil, fmt.Errorf("read spans of orders: %w", err)
		}
		for rows.Next() {
			var p Place
			var from, to int64
			if err := rows.Scan(&p.Order, &p.Line, &from, &to); err != nil {
				rows.Close()
				return nil, fmt.Errorf("read spans of orders: %w", err)
			}
			out[p] = period.Span{Start: db.TimeOf(from), End: db.TimeOf(to)}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read spans of orders: %w", err)
		}
	}
	return out, nil
}
