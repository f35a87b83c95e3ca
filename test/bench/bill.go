package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/purser-cloud/purser/internal/charge"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

// The bill bench: one customer with a million fee records of a month (ten million with BENCH=long) beside one with 10,000; and the
// close of a month of 2,000 customers (100,000) with 50 resources each.

const (
	fewFees       = 10_000
	linesOfClosed = 50
	servedAtOnce  = 16 // customers in the night shift: so many are committed together
)

func manyFees() int {
	if os.Getenv("BENCH") == "long" {
		return 10_000_000
	}
	return 1_000_000
}

func closedCustomers() int {
	if os.Getenv("BENCH") == "long" {
		return 100_000
	}
	return 2_000
}

// loadFees writes n fee records of each customer of a range, spread over 27 days of a month, with what is kept beside them.
// Customers are named by a prefix and a number; 0 customers: the prefix itself is one.
func loadFees(ctx context.Context, tx *db.Tx, prefix string, customers, n int, month period.Cycle) error {
	start := month.Span().Start.UnixMicro()
	who := `CAST($1 AS TEXT)`
	if customers > 0 {
		who = `CAST($1 AS TEXT) || CAST(i / CAST($5 AS BIGINT) AS TEXT)`
	} else {
		customers = 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO charge_fee (customer, id, cycle, bill_type, charge_mode, trade, line, instance, service, resource_type, product, spec, region, project, payer,
			official, discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment, consumed_from, consumed_to, traded_at, recorded_at,
			resource, usage_type, used, covered, scale, usage_unit, unit_price, size, size_unit, corrects, used_cycle)
		WITH RECURSIVE numbers(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < CAST($2 AS BIGINT))
		SELECT `+who+`, 'RC' || CAST(10000000000 + i AS TEXT), CAST($3 AS BIGINT), 5, 3, 'TR1', 0, '', CASE WHEN i % 3 = 0 THEN 'hws.service.type.ebs' ELSE 'hws.service.type.ec2' END,
			CASE WHEN i % 3 = 0 THEN 'hws.resource.type.volume' ELSE 'hws.resource.type.vm' END, 'OFFI1', 's3.small.1.linux', 'ap-southeast-1', '0', `+who+`,
			2030000 + i % 7, 0, 2030000 + i % 7, 2030000 + i % 7, 0, 0, 0, 0, 0, 0, 0, CAST($4 AS BIGINT) + i % 648 * 3600000000, CAST($4 AS BIGINT) + (i % 648 + 1) * 3600000000,
			CAST($4 AS BIGINT) + (i % 648 + 2) * 3600000000, 0, 'i-' || CAST(i % 14000 AS TEXT), 'Duration', 3600, 0, 0, 6, 203000000, '', 0, '', 0
		FROM numbers WHERE CAST($5 AS BIGINT) > 0`, prefix, int64(n*customers), int64(month), start, int64(n))
	if err != nil {
		return err
	}
	like := prefix + "%"
	if _, err = tx.Exec(ctx, `INSERT INTO charge_sum (customer, cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer, records, zeros, official,
			discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment)
		SELECT customer, cycle, (traded_at + 28800000000) / 86400000000, (consumed_from + 28800000000) / 86400000000, bill_type, charge_mode, service, resource_type,
			region, project, payer, count(*), 0, CAST(sum(official) AS BIGINT), 0, CAST(sum(amount) AS BIGINT), CAST(sum(cash) AS BIGINT), 0, 0, 0, 0, 0, 0, 0
		FROM charge_fee WHERE customer LIKE $1 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11`, like); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO charge_cycle (customer, cycle, frozen_at, waits) SELECT DISTINCT customer, cycle, CAST(0 AS BIGINT), CAST(1 AS BIGINT) FROM charge_fee WHERE customer LIKE $1`, like)
	return err
}

// opened writes accounts for customers, as CreateCustomer would.
func opened(ctx context.Context, tx *db.Tx, prefix string, from, to int) error {
	var domains, customers [][]any
	for i := from; i < to; i++ {
		id := prefix
		if to > 1 {
			id = fmt.Sprint(prefix, i)
		}
		domains = append(domains, []any{id, id, identity.Customer, "", int64(1), int64(1)})
		customers = append(customers, []any{id, "no-" + id, "individual", int64(0), "", "", "prepaid", "", "active", int64(0), int64(0), int64(1), int64(1), "cycle"})
	}
	if _, err := tx.Bulk(ctx, "identity_domain", []string{"id", "name", "kind", "partner", "enabled", "created_at"}, domains, ""); err != nil {
		return err
	}
	_, err := tx.Bulk(ctx, "account_customer", []string{
		"customer", "account_no", "kind", "verified", "country", "tax_id", "settlement", "tier", "standing", "credit_limit", "quota", "opened_at", "changed_at", "invoice_method",
	}, customers, "")
	return err
}

// benchBills makes the lines of bills on one engine: what is asked of a month.
func benchBills(name, data, database string) (lines []line, err error) {
	h, err := openShop(data, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx, now := context.Background(), time.Now()
	month := period.CycleOf(now) - 1
	many := manyFees()
	for customer, n := range map[string]int{"large": many, "small": fewFees} {
		if err := h.Counter.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
			if err := opened(ctx, tx, customer, 0, 1); err != nil {
				return err
			}
			return loadFees(ctx, tx, customer, 0, n, month)
		}); err != nil {
			return nil, fmt.Errorf("load fee records: %w", err)
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
	call := func(customer, id string) *operation.Call {
		return &operation.Call{Operation: &contract.Operation{ID: id}, Caller: identity.Caller{DomainID: customer, DomainKind: identity.Customer, Owner: true}, Real: now}
	}
	sum := func(customer string, n int) func() error {
		return func() error {
			out, err := h.Counter.MonthlySum(ctx, call(customer, "ShowCustomerMonthlySum"), &operation.SummaryAsk{Cycle: month, Limit: 10})
			if err == nil && out.Sum.Records != int64(n) {
				err = fmt.Errorf("%d fee records of %s", out.Sum.Records, customer)
			}
			return err
		}
	}
	page := func(customer string, n, offset int, f charge.Filter) func() error {
		return func() error {
			out, err := h.Counter.ListFees(ctx, call(customer, "ListCustomerselfResourceRecords"), &operation.FeeAsk{Cycle: month, Filter: f, Offset: offset, Limit: 10})
			if err == nil && (len(out.Fees) != 10 || n > 0 && out.Total != n) {
				err = fmt.Errorf("%d of %d fee records of %s", len(out.Fees), out.Total, customer)
			}
			return err
		}
	}
	b := &lister{h: h, raw: bare, now: now, name: name}
	ofMany := fmt.Sprintf("%d fee records of a month, ", many)
	b.slowest(ofMany+"monthly sum, p99, against 10,000", sum("large", many), sum("small", fewFees), 2)
	b.compare(ofMany+"first page with its total, against 10,000", page("large", many, 0, charge.Filter{}), page("small", fewFees, 0, charge.Filter{}))
	one := charge.Filter{Service: new("hws.service.type.ebs")}
	b.compare(ofMany+"first page of a service, against 10,000", page("large", 0, 0, one), page("small", 0, 0, one))
	scan := `SELECT id FROM charge_fee WHERE customer = $1 AND cycle = $2 ORDER BY traded_at, id LIMIT 10 OFFSET $3`
	b.compare(ofMany+"last page, against a bare index scan to it", page("large", many, many-10, charge.Filter{}), b.bare(scan, "large", int64(month), many-10))
	b.compare(ofMany+"page in the middle, against a bare index scan to it", page("large", many, many/2, charge.Filter{}), b.bare(scan, "large", int64(month), many/2))
	return b.lines, errors.Join(b.err, b.focus(exporter(now), month))
}

// exportedFees are the fee records of the month that is exported: enough to tell the speed.
const exportedFees = 100_000

// focus exports a month as Parquet, against reading all columns of the same rows from the engine.
func (b *lister) focus(call *operation.Call, month period.Cycle) error {
	ctx := context.Background()
	if err := b.h.Counter.DB.Update(ctx, db.Instants{Now: b.now, Real: b.now}, func(tx *db.Tx) error {
		if err := opened(ctx, tx, "exported", 0, 1); err != nil {
			return err
		}
		return loadFees(ctx, tx, "exported", 0, exportedFees, month)
	}); err != nil {
		return fmt.Errorf("load fee records: %w", err)
	}
	read, err := b.h.Reader()
	if err != nil {
		return err
	}
	c, fees, err := read(call)
	if err != nil {
		return err
	}
	export := func() error {
		to := focus.NewParquet(io.Discard)
		run := focus.Export{BSS: c.BSS, Fees: fees, Page: focus.PageWithin, Invoices: c.Purser, Cycle: month, Back: 36}
		n, _, done, err := run.Run(ctx, to)
		if err == nil && (n != exportedFees || !done) {
			err = fmt.Errorf("%d fee records exported", n)
		}
		return errors.Join(err, to.Close())
	}
	bare := func() error {
		rows, err := b.raw.QueryContext(ctx, `SELECT * FROM charge_fee WHERE customer = $1 AND cycle = $2 ORDER BY traded_at, id`, "exported", int64(month))
		if err != nil {
			return err
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		n := 0
		for rows.Next() {
			if err := rows.Scan(values...); err != nil {
				return err
			}
			n++
		}
		if n != exportedFees {
			return fmt.Errorf("%d rows read", n)
		}
		return rows.Err()
	}
	best := func(deed func() error) (least time.Duration, err error) {
		for range 3 {
			began := time.Now()
			if err := deed(); err != nil {
				return 1, err
			}
			if took := time.Since(began); least == 0 || took < least {
				least = took
			}
		}
		return least, nil
	}
	ours, err := best(export)
	if err != nil {
		return err
	}
	peer, err := best(bare)
	if err != nil {
		return err
	}
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f rows/s", exportedFees/d.Seconds()) }
	ratio := peer.Seconds() / ours.Seconds()
	b.lines = append(b.lines, line{b.name + ": FOCUS as Parquet, against reading the same rows from the engine", rate(ours), rate(peer), fmt.Sprintf("%.0f %%", 100*ratio), "30 %", ratio >= 0.3})
	return nil
}

// slowest compares the 99th hundredth of many reads.
func (b *lister) slowest(what string, ours, peer func() error, bar float64) {
	p99 := func(read func() error) time.Duration {
		for range 30 { // the store was just loaded
			if err := read(); err != nil {
				b.err = errors.Join(b.err, err)
			}
		}
		all := make([]time.Duration, 300)
		for i := range all {
			began := time.Now()
			if err := read(); err != nil {
				b.err = errors.Join(b.err, err)
				return 1
			}
			all[i] = time.Since(began)
		}
		slices.Sort(all)
		return all[len(all)*99/100]
	}
	a, p := p99(ours), p99(peer)
	ratio := a.Seconds() / p.Seconds()
	b.lines = append(b.lines, line{b.name + ": " + what, a.Round(time.Microsecond).String(), p.Round(time.Microsecond).String(), fmt.Sprintf("%.2f×", ratio), fmt.Sprintf("%.0f×", bar), ratio <= bar})
}

// toClose furnishes a store with customers whose last month but one is to be closed.
func (s *stores) toClose(data, database string, n int) error {
	h, err := openShop(data, database)
	if err != nil {
		return err
	}
	ctx, now := context.Background(), time.Now()
	err = h.Counter.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		if err := opened(ctx, tx, "c", 0, n); err != nil {
			return err
		}
		return loadFees(ctx, tx, "c", n, linesOfClosed, period.CycleOf(now)-2)
	})
	return errors.Join(err, h.Close())
}

// closeAll lets the night shift close everything, and says how long it took and how much memory it left in use.
func closeAll(s *stores, n int, listen func([]db.Statement)) (took time.Duration, heap uint64, err error) {
	data, database, err := s.copy()
	if err != nil {
		return 0, 0, err
	}
	h, err := openShop(data, database)
	if err != nil {
		return 0, 0, err
	}
	if listen != nil {
		h.Counter.DB.Listen(listen)
	}
	ctx, began := context.Background(), time.Now()
	var most uint64
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-over:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	err = h.Night(ctx)
	took = time.Since(began)
	close(over)
	<-ended
	if err == nil {
		err = closed(ctx, h, n)
	}
	return took, most, errors.Join(err, h.Close())
}

func closed(ctx context.Context, h *house.House, n int) error {
	var have int
	err := h.Counter.DB.View(ctx, db.Instants{Now: time.Now(), Real: time.Now()}, func(v *db.View) error {
		return v.QueryRow(ctx, `SELECT count(*) FROM bill_close WHERE state = 2`).Scan(&have)
	})
	if err == nil && have != n {
		err = fmt.Errorf("%d of %d customers are closed", have, n)
	}
	return err
}

// benchClose makes the lines of the month's close on one engine.
func benchClose(name, dir, admin string) ([]line, error) {
	n := closedCustomers()
	store := func(n int, base string) (*stores, error) {
		s := &stores{dir: dir, admin: admin, base: filepath.Join(dir, base)}
		if admin == "" {
			return s, s.toClose(s.base, "", n)
		}
		s.dir, s.base = filepath.Join(dir, base), fmt.Sprintf("bench_%s_%d", base, os.Getpid())
		if err := s.command("CREATE DATABASE " + s.base); err != nil {
			return nil, err
		}
		return s, s.toClose(filepath.Join(s.dir, "pg-base"), s.address(s.base), n)
	}
	some, err := store(n/10, "some")
	if err != nil {
		return nil, fmt.Errorf("furnish: %w", err)
	}
	_, lean, err := closeAll(some, n/10, nil)
	if err != nil {
		return nil, err
	}
	all, err := store(n, "all")
	if err != nil {
		return nil, fmt.Errorf("furnish: %w", err)
	}
	took, heap, err := closeAll(all, n, nil)
	if err != nil {
		return nil, err
	}
	again, _, err := closeAll(all, n, nil) // of two runs the shorter: syncs come and go
	if err != nil {
		return nil, err
	}
	took = min(took, again)
	var mu sync.Mutex
	var heard [][]db.Statement
	if _, _, err := closeAll(all, n, func(tx []db.Statement) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, slices.Clone(tx))
	}); err != nil {
		return nil, err
	}
	bare := time.Duration(1<<63 - 1)
	for range 2 {
		data, database, err := all.copy()
		if err != nil {
			return nil, err
		}
		once, err := replayOn(data, database, heard, servedAtOnce, pgx.Serializable)
		if err != nil {
			return nil, err
		}
		bare = min(bare, once)
	}
	what := fmt.Sprintf("%s: close of %d customers × %d lines", name, n, linesOfClosed)
	grown := float64(heap) / float64(lean)
	return []line{
		share(what+", against the same statements bare", float64(n)/took.Seconds(), float64(n)/bare.Seconds(), 0.5),
		{what + ", memory, against a tenth of them", fmt.Sprintf("%d MiB", heap>>20), fmt.Sprintf("%d MiB", lean>>20), fmt.Sprintf("%.2f×", grown), "2×", grown <= 2},
	}, nil
}

// runFocus runs the export alone.
func runFocus() error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := openShop(dir, "")
	if err != nil {
		return err
	}
	bare, err := bareDB(dir, "")
	if err != nil {
		return err
	}
	defer bare.Close()
	now := time.Now()
	b := &lister{h: h, raw: bare, now: now, name: "SQLite"}
	if err := errors.Join(b.focus(exporter(now), period.CycleOf(now)-1), h.Close()); err != nil {
		return err
	}
	return report(b.lines)
}

// exporter is the call of an export.
func exporter(now time.Time) *operation.Call {
	return &operation.Call{Operation: &contract.Operation{ID: "DailyExport"}, Caller: identity.Caller{DomainID: "exported", DomainKind: identity.Customer, Owner: true}, Real: now}
}

// runBills runs the bill bench alone.
func runBills() error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := onBills(dir)
	if err != nil {
		return err
	}
	return report(lines)
}

func onBills(dir string) (lines []line, err error) {
	if lines, err = benchBills("SQLite", filepath.Join(dir, "bills"), ""); err != nil {
		return nil, fmt.Errorf("bills on SQLite: %w", err)
	}
	more, err := benchClose("SQLite", filepath.Join(dir, "closes"), "")
	if err != nil {
		return nil, fmt.Errorf("the close on SQLite: %w", err)
	}
	lines = append(lines, more...)
	address := os.Getenv("PURSER_TEST_POSTGRES")
	if address == "" {
		return lines, nil
	}
	database, err := (&stores{admin: address}).fresh("bills")
	if err != nil {
		return nil, err
	}
	if more, err = benchBills("PostgreSQL", filepath.Join(dir, "pg-bills"), database); err != nil {
		return nil, fmt.Errorf("bills on PostgreSQL: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchClose("PostgreSQL", filepath.Join(dir, "pg-closes"), address); err != nil {
		return nil, fmt.Errorf("the close on PostgreSQL: %w", err)
	}
	return append(lines, more...), nil
}
