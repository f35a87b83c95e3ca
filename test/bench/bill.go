package main

import (
	"context"
	"database/sql"
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

// firstNumber is added to the number of a customer, so that names in the order of their text are in that of their numbers.
const firstNumber = 1_000_000

// rowsAtOnce is how many fee records one transaction of the filling writes: SQLite's log then stays below what a disk has to spare.
const rowsAtOnce = 500_000

// loadFees writes n fee records of each of so many customers, who are the prefix and a number, or of one whom the prefix names
// (customers 0), one hour after the other over 27 days of a month, with the sums that are kept beside them.
func loadFees(ctx context.Context, h *house.House, prefix string, customers, n int, month period.Cycle) error {
	all, step := n*max(customers, 1), rowsAtOnce
	if customers > 0 {
		step = rowsAtOnce / n * n // whole customers
	}
	say := progress(fmt.Sprintf("fee records of %s", prefix), all)
	now := time.Now()
	for from := 0; from < all; from += step {
		to := min(from+step, all)
		if err := h.Counter.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
			return loadSome(ctx, tx, prefix, customers > 0, from, to, n, month)
		}); err != nil {
			return fmt.Errorf("load fee records: %w", err)
		}
		say(to)
	}
	return nil
}

func loadSome(ctx context.Context, tx *db.Tx, prefix string, numbered bool, from, to, n int, month period.Cycle) error {
	who, first, last := `CAST($1 AS TEXT)`, prefix, prefix
	if numbered {
		who = fmt.Sprintf(`CAST($1 AS TEXT) || CAST(%d + i / CAST($6 AS BIGINT) AS TEXT)`, firstNumber)
		first, last = fmt.Sprint(prefix, firstNumber+from/n), fmt.Sprint(prefix, firstNumber+(to-1)/n)
	}
	_, err := tx.Exec(ctx, `INSERT INTO charge_fee (customer, id, cycle, bill_type, charge_mode, trade, line, instance, service, resource_type, product, spec, region, project, payer,
			official, discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment, consumed_from, consumed_to, traded_at, recorded_at,
			resource, usage_type, used, covered, scale, usage_unit, unit_price, size, size_unit, corrects, used_cycle)
		WITH RECURSIVE numbers(i) AS (SELECT CAST($2 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < CAST($3 AS BIGINT))
		SELECT `+who+`, 'RC' || CAST(10000000000 + i AS TEXT), CAST($4 AS BIGINT), 5, 3, 'TR1', 0, '', CASE WHEN i % 3 = 0 THEN 'hws.service.type.ebs' ELSE 'hws.service.type.ec2' END,
			CASE WHEN i % 3 = 0 THEN 'hws.resource.type.volume' ELSE 'hws.resource.type.vm' END, 'OFFI1', 's3.small.1.linux', 'ap-southeast-1', '0', `+who+`,
			2030000 + i % 7, 0, 2030000 + i % 7, 2030000 + i % 7, 0, 0, 0, 0, 0, 0, 0, CAST($5 AS BIGINT) + i % CAST($6 AS BIGINT) * 648 / CAST($6 AS BIGINT) * 3600000000, CAST($5 AS BIGINT) + (i % CAST($6 AS BIGINT) * 648 / CAST($6 AS BIGINT) + 1) * 3600000000,
			CAST($5 AS BIGINT) + (i % CAST($6 AS BIGINT) * 648 / CAST($6 AS BIGINT) + 2) * 3600000000, 0, 'i-' || CAST(i % 5000 AS TEXT), 'Duration', 3600, 0, 0, 6, 203000000, '', 0, '', 0
		FROM numbers WHERE CAST($6 AS BIGINT) > 0`, prefix, int64(from), int64(to), int64(month), month.Span().Start.UnixMicro(), int64(n))
	if err != nil {
		return err
	}
	id := func(i int) string { return fmt.Sprint("RC", 10_000_000_000+i) }
	if _, err = tx.Exec(ctx, `INSERT INTO charge_sum (customer, cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer, records, zeros, official,
			discount, amount, cash, credit, coupon, flexi, stored, bonus, debt, adjustment)
		SELECT customer, cycle, (traded_at + 28800000000) / 86400000000, (consumed_from + 28800000000) / 86400000000, bill_type, charge_mode, service, resource_type,
			region, project, payer, count(*), 0, CAST(sum(official) AS BIGINT), 0, CAST(sum(amount) AS BIGINT), CAST(sum(cash) AS BIGINT), 0, 0, 0, 0, 0, 0, 0
		FROM charge_fee WHERE customer BETWEEN $1 AND $2 AND id BETWEEN $3 AND $4 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
		ON CONFLICT (customer, cycle, booked, day, bill_type, charge_mode, service, resource_type, region, project, payer)
		DO UPDATE SET records = charge_sum.records + excluded.records, official = charge_sum.official + excluded.official,
			amount = charge_sum.amount + excluded.amount, cash = charge_sum.cash + excluded.cash`, first, last, id(from), id(to-1)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO charge_cycle (customer, cycle, frozen_at, waits) SELECT DISTINCT customer, cycle, CAST(0 AS BIGINT), CAST(1 AS BIGINT) FROM charge_sum
		WHERE customer BETWEEN $1 AND $2 AND cycle = $3 ON CONFLICT (customer, cycle) DO NOTHING`, first, last, int64(month))
	return err
}

// progress says on the error stream how much of something long is done, and since when: the long forms take minutes.
func progress(what string, all int) func(done int) {
	began := time.Now()
	return func(done int) {
		if os.Getenv("BENCH") == "long" {
			fmt.Fprintf(os.Stderr, "bench: %s: %d of %d, %s\n", what, done, all, time.Since(began).Round(time.Second))
		}
	}
}

// opened writes accounts for customers, as CreateCustomer would: for one whom the prefix names (n 0), or for so many.
func opened(ctx context.Context, h *house.House, prefix string, n int) error {
	var domains, customers [][]any
	for i := range max(n, 1) {
		id := prefix
		if n > 0 {
			id = fmt.Sprint(prefix, firstNumber+i)
		}
		domains = append(domains, []any{id, id, identity.Customer, "", int64(1), int64(1)})
		customers = append(customers, []any{id, "no-" + id, "individual", int64(0), "", "", "prepaid", "", "active", int64(0), int64(0), int64(1), int64(1), "cycle"})
	}
	now := time.Now()
	return h.Counter.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		if _, err := tx.Bulk(ctx, "identity_domain", []string{"id", "name", "kind", "partner", "enabled", "created_at"}, domains, ""); err != nil {
			return err
		}
		_, err := tx.Bulk(ctx, "account_customer", []string{
			"customer", "account_no", "kind", "verified", "country", "tax_id", "settlement", "tier", "standing", "credit_limit", "quota", "opened_at", "changed_at", "invoice_method",
		}, customers, "")
		return err
	})
}

// furnished opens an account and fills it.
func furnished(ctx context.Context, h *house.House, prefix string, customers, n int, month period.Cycle) error {
	if err := opened(ctx, h, prefix, customers); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	return loadFees(ctx, h, prefix, customers, n, month)
}

// looked makes the engine look at what its tables hold, as it does by itself in the course of time.
func looked(ctx context.Context, bare *sql.DB, database string) error {
	text := "PRAGMA analysis_limit = 1000; ANALYZE"
	if database != "" {
		text = "VACUUM ANALYZE"
	}
	_, err := bare.ExecContext(ctx, text)
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
		if err := furnished(ctx, h, customer, 0, n, month); err != nil {
			return nil, err
		}
	}
	bare, err := bareDB(data, database)
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	if err := looked(ctx, bare, database); err != nil {
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
	if err := furnished(ctx, b.h, "exported", 0, exportedFees, month); err != nil {
		return err
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
	err = furnished(context.Background(), h, "c", n, linesOfClosed, period.CycleOf(time.Now())-2)
	return errors.Join(err, h.Close())
}

// closing is one run of the night shift over a copy of a store.
type closing struct {
	took   time.Duration
	heap   uint64 // the most that was in use
	closed int
}

// closeAll lets the night shift close everything, or, when there is somebody who listens, as long as that one wants to.
func closeAll(s *stores, n int, listen func([]db.Statement) (enough bool)) (out closing, err error) {
	data, database, err := s.copy()
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.away(data, database)) }()
	h, err := openShop(data, database)
	if err != nil {
		return out, err
	}
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	if listen != nil {
		h.Counter.DB.Listen(func(tx []db.Statement) {
			if listen(tx) {
				enough()
			}
		})
	}
	say := progress(fmt.Sprintf("close of %d customers", n), n)
	began := time.Now()
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for turn := 1; ; turn++ {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			out.heap = max(out.heap, m.HeapInuse)
			select {
			case <-over:
				return
			case <-time.After(50 * time.Millisecond):
			}
			if turn%400 == 0 { // twenty seconds
				if done, err := closed(context.Background(), h); err == nil {
					say(done)
				}
			}
		}
	}()
	err = h.Night(ctx)
	out.took = time.Since(began)
	close(over)
	<-ended
	if ctx.Err() != nil {
		err = nil
	}
	if err == nil {
		out.closed, err = closed(context.Background(), h)
	}
	if err == nil && ctx.Err() == nil && out.closed != n {
		err = fmt.Errorf("%d of %d customers are closed", out.closed, n)
	}
	return out, errors.Join(err, h.Close())
}

func closed(ctx context.Context, h *house.House) (have int, err error) {
	err = h.Counter.DB.View(ctx, db.Instants{Now: time.Now(), Real: time.Now()}, func(v *db.View) error {
		return v.QueryRow(ctx, `SELECT count(*) FROM bill_close WHERE state = 2`).Scan(&have)
	})
	return have, err
}

// heardAtMost is how many transactions of a close are kept for the bare engine: enough to tell its speed.
const heardAtMost = 20_000

// benchClose makes the lines of the month's close on one engine. The bare engine runs the statements of the first customers, on a
// store as large as the whole.
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
	lean, err := closeAll(some, n/10, nil)
	if err != nil {
		return nil, err
	}
	all, err := store(n, "all")
	if err != nil {
		return nil, fmt.Errorf("furnish: %w", err)
	}
	ours, err := closeAll(all, n, nil)
	if err != nil {
		return nil, err
	}
	took := ours.took
	if n <= heardAtMost { // a short one: of two runs the better, syncs come and go
		again, err := closeAll(all, n, nil)
		if err != nil {
			return nil, err
		}
		took = min(took, again.took)
	}
	var mu sync.Mutex
	var heard [][]db.Statement
	part, err := closeAll(all, n, func(tx []db.Statement) bool {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, slices.Clone(tx))
		return len(heard) >= heardAtMost
	})
	if err != nil {
		return nil, err
	}
	bare := time.Duration(1<<63 - 1)
	for range 2 {
		data, database, err := all.copy()
		if err != nil {
			return nil, err
		}
		once, err := replayOn(data, database, heard, servedAtOnce, pgx.Serializable)
		if err = errors.Join(err, all.away(data, database)); err != nil {
			return nil, err
		}
		bare = min(bare, once)
	}
	what := fmt.Sprintf("%s: close of %d customers × %d lines", name, n, linesOfClosed)
	grown := float64(ours.heap) / float64(lean.heap)
	return []line{
		share(what+", against the same statements bare", float64(n)/took.Seconds(), float64(part.closed)/bare.Seconds(), 0.5),
		{what + ", memory, against a tenth of them", fmt.Sprintf("%d MiB", ours.heap>>20), fmt.Sprintf("%d MiB", lean.heap>>20), fmt.Sprintf("%.2f×", grown), "2×", grown <= 2},
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

// runBills runs the bill bench alone, on one engine ("sqlite", "postgres") or on both.
func runBills(engine string) error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := onBills(dir, engine)
	return errors.Join(err, report(lines))
}

// onBills makes the lines of bills; those that were made before something failed are given, too.
func onBills(dir, engine string) (lines []line, err error) {
	if engine != "postgres" {
		if lines, err = benchBills("SQLite", filepath.Join(dir, "bills"), ""); err != nil {
			return lines, fmt.Errorf("bills on SQLite: %w", err)
		}
		os.RemoveAll(filepath.Join(dir, "bills")) // gigabytes in the long form
		more, err := benchClose("SQLite", filepath.Join(dir, "closes"), "")
		if err != nil {
			return lines, fmt.Errorf("the close on SQLite: %w", err)
		}
		os.RemoveAll(filepath.Join(dir, "closes"))
		lines = append(lines, more...)
	}
	address := os.Getenv("PURSER_TEST_POSTGRES")
	if address == "" || engine == "sqlite" {
		return lines, nil
	}
	s := &stores{admin: address}
	database, err := s.fresh("bills")
	if err != nil {
		return lines, err
	}
	more, err := benchBills("PostgreSQL", filepath.Join(dir, "pg-bills"), database)
	if err = errors.Join(err, s.away(filepath.Join(dir, "pg-bills"), database)); err != nil {
		return lines, fmt.Errorf("bills on PostgreSQL: %w", err)
	}
	lines = append(lines, more...)
	if more, err = benchClose("PostgreSQL", filepath.Join(dir, "pg-closes"), address); err != nil {
		return lines, fmt.Errorf("the close on PostgreSQL: %w", err)
	}
	return append(lines, more...), nil
}
