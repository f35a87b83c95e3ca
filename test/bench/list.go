package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
)

// The list bench: one customer with a million orders, one with a hundred, loaded in bulk with the counts that go with
// them.

const (
	large, small  = 1_000_000, 100
	deepPage      = 10_000 // of ten rows
	ordersStarted = 1_700_000_000_000_000
)

// loadOrders writes n orders of a customer, a second apart, their statuses, types and services mixed.
func loadOrders(ctx context.Context, tx *db.Tx, customer string, n int) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_head (customer, id, type, status, source, trade, service, cloud_project, project, official, amount, tax, fee,
			consumed, discount_id, discount_kind, coupon_id, coupon_held, payer, cash, credit, coupon, debt, policy, base, reason, user_name, created_at,
			deadline_at, effective_at, paid_at, finished_at)
		WITH RECURSIVE numbers(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < CAST($2 AS BIGINT))
		SELECT CAST($1 AS TEXT), 'CS' || CAST(1000000000 + i AS TEXT), CASE WHEN i % 20 = 0 THEN 4 ELSE 1 END, CASE WHEN i % 10 = 0 THEN 4 WHEN i % 10 = 1 THEN 6 ELSE 5 END,
			1, '', CASE WHEN i % 3 = 0 THEN 'hws.service.type.ebs' ELSE 'hws.service.type.ec2' END, '', '0', 1000000000, 1000000000, 0, 0, 0, '', 0, '', '',
			CAST($1 AS TEXT), 1000000000, 0, 0, 0, 0, '', '', 'bench', CAST($3 AS BIGINT) + i * 1000000, CAST($3 AS BIGINT) + i * 1000000, 0,
			CASE WHEN i % 10 > 1 THEN CAST($3 AS BIGINT) + i * 1000000 + 60000000 ELSE 0 END, 0 FROM numbers`, customer, n, int64(ordersStarted))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO order_count (customer, status, n) SELECT customer, status, count(*) FROM order_head WHERE customer = $1 GROUP BY customer, status`, customer)
	return err
}

// benchLists makes the lines of the order list on one engine.
func benchLists(name, data, database string) (lines []line, err error) {
	h, err := openShop(data, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx, now := context.Background(), time.Now()
	for customer, n := range map[string]int{"large": large, "small": small} {
		err := h.Counter.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error { return loadOrders(ctx, tx, customer, n) })
		if err != nil {
			return nil, fmt.Errorf("load orders: %w", err)
		}
	}
	bare, err := bareDB(data, database)
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	if _, err := bare.ExecContext(ctx, map[bool]string{true: "VACUUM ANALYZE", false: "ANALYZE"}[database != ""]); err != nil {
		return nil, err
	}
	b := &lister{h: h, raw: bare, now: now, name: name}
	for _, k := range []struct {
		what string
		q    order.Query
	}{{"first page", order.Query{}}, {"first page by status", order.Query{Status: order.Unpaid}}} {
		b.compare(k.what+" of a million orders, against a hundred", b.page("large", k.q, 0), b.page("small", k.q, 0))
	}
	half := time.UnixMicro(ordersStarted + large/2*1_000_000).UTC()
	for _, k := range []struct {
		what, where string
		arg         any
		q           order.Query
	}{
		{"by service", `service = $2`, "hws.service.type.ec2", order.Query{Service: "hws.service.type.ec2"}},
		{"by type", `type = $2`, 4, order.Query{Type: order.Unsubscribe}},
		{"created since", `created_at >= $2`, half.UnixMicro(), order.Query{CreatedFrom: half}},
		{"paid since", `paid_at >= $2`, half.UnixMicro(), order.Query{PaidFrom: half}},
	} {
		b.compare("first page "+k.what+" of a million, against a bare COUNT", b.page("large", k.q, 0), b.bare(`SELECT count(*) FROM order_head WHERE customer = $1 AND `+k.where, "large", k.arg))
	}
	b.compare("page 10,000, against a bare index scan to it", b.page("large", order.Query{}, deepPage*10),
		b.bare(`SELECT id FROM order_head WHERE customer = $1 ORDER BY created_at DESC, id DESC LIMIT 10 OFFSET $2`, "large", deepPage*10))
	return b.lines, b.err
}

// bareDB opens the store beside purser.
func bareDB(data, database string) (*sql.DB, error) {
	if database != "" {
		return sql.Open("pgx", database)
	}
	return sql.Open("sqlite", "file:"+filepath.Join(data, "purser.db")+"?_pragma=busy_timeout(10000)")
}

type lister struct {
	h     *house.House
	raw   *sql.DB
	now   time.Time
	name  string
	lines []line
	err   error
}

// typical is the median time of a read: of 25, or of as many as fit into ten seconds.
func (b *lister) typical(read func() error) time.Duration {
	var all []time.Duration
	for start := time.Now(); len(all) < 25 && (len(all) < 3 || time.Since(start) < 10*time.Second); {
		began := time.Now()
		if err := read(); err != nil {
			b.err = errors.Join(b.err, err)
			return 1
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func (b *lister) page(customer string, q order.Query, offset int) func() error {
	return func() error {
		call := &operation.Call{Operation: &contract.Operation{ID: "ListCustomerOrders"}, Caller: identity.Caller{DomainID: customer, DomainKind: identity.Customer, Owner: true}, Real: b.now}
		page, err := b.h.Counter.ListOrders(context.Background(), call, "", false, q, offset, 10)
		if err == nil && len(page.Orders) != 10 {
			err = fmt.Errorf("%d rows of %s, %+v", len(page.Orders), customer, q)
		}
		return err
	}
}

func (b *lister) bare(text string, args ...any) func() error {
	return func() error {
		rows, err := b.raw.QueryContext(context.Background(), text, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return errors.Join(rows.Err(), rows.Close())
	}
}

func (b *lister) compare(what string, ours, peer func() error) {
	a, p := b.typical(ours), b.typical(peer)
	ratio := a.Seconds() / p.Seconds()
	b.lines = append(b.lines, line{b.name + ": " + what, a.Round(time.Microsecond).String(), p.Round(time.Microsecond).String(), fmt.Sprintf("%.2f×", ratio), "3×", ratio <= 3})
}
