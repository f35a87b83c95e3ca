package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/trace"
)

// The trace bench: an account with a million traces (ten million with BENCH=long) beside one with 50,000; and the transfer of
// traces into files, against gzip alone on the same bytes.

const (
	fewTraces    = 50_000
	carriedMost  = 200_000
	gzipAbsolute = 100e6 // bytes a second: the bar is this, or half of gzip alone
)

func manyTraces() int {
	if os.Getenv("BENCH") == "long" {
		return 10_000_000
	}
	return 1_000_000
}

// loadTraces writes n traces of an account, the newest now, one a minute.
func loadTraces(ctx context.Context, d *db.DB, customer, project string, now time.Time, n int) error {
	const atOnce = 500_000
	for from := 0; from < n; from += atOnce {
		err := d.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO trace_line (customer, id, happened_at, recorded_at, service, resource_type, name, resource_id, resource_name, rating, caller,
					caller_name, caller_domain, source, request_id, operation, code, message, request, project, kind, caller_account, caller_root, access_key,
					signed_in_at, console, response, api_version, endpoint, url, enterprise_project, read_only, resource_account)
				WITH RECURSIVE numbers(i) AS (SELECT CAST($3 AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < CAST($4 AS BIGINT))
				SELECT CAST($1 AS TEXT), CAST(100000000 - i AS TEXT) || '-0000-7000-8000-000000000000', CAST($5 AS BIGINT) - i * 60000000, CAST($5 AS BIGINT), 'BSS', 'order', 'payCustomerOrderV3', 'CS' || CAST(i AS TEXT), '',
					'normal', '3c0a7f52d1a94f0c8be2f6ad54c3e901', 'user' || CAST(i % 10 AS TEXT), 'quay', '203.0.113.7', CAST(i * 7919 AS TEXT) || 'd1f4a7f8f0c1a2b3c4d5e6f', 'PayOrders', '204', '',
					'{"discount_infos":[{"id":"DI' || CAST(i * 31 AS TEXT) || '","type":2}],"order_id":"CS' || CAST(i AS TEXT) || '","use_coupon":"NO","use_discount":"YES"}', CAST($2 AS TEXT), 'ApiCall', CAST($1 AS TEXT), 1, 'HARBOURKEY0000000001', 0, 0, '', 'v3',
					'bss.example.com', '/v3/orders/customer-orders/pay', '0', 0, '' FROM numbers`, customer, project, from, min(from+atOnce, n), db.Micros(now))
			return err
		})
		if err != nil {
			return fmt.Errorf("load traces: %w", err)
		}
	}
	return nil
}

// benchTraces makes the lines of traces on one engine.
func benchTraces(name, data string, fresh func(string) (string, error)) (lines []line, err error) {
	database, err := fresh("traces")
	if err != nil {
		return nil, err
	}
	h, err := house.Open(context.Background(), house.Config{Data: data, Database: database, Demo: true, TraceStore: filepath.Join(data, "traces")})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx, now := context.Background(), time.Now().UTC()
	if err := h.Furnish(ctx, func(string) {}); err != nil {
		return nil, err
	}
	accounts, err := h.Counter.Accounts(ctx, operation.LocalOperator("bench", now))
	if err != nil {
		return nil, err
	}
	home := map[string]identity.Project{}
	var ids []string
	for _, a := range accounts {
		if a.Kind != identity.Customer {
			continue
		}
		list, err := h.Counter.Projects(ctx, &operation.Call{Operation: &contract.Operation{ID: "bench"}, Caller: identity.Caller{DomainID: a.ID, Owner: true}, Real: now})
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			if p.Name == "ap-southeast-1" {
				home[a.ID] = p
			}
		}
		ids = append(ids, a.ID)
	}
	large, small := ids[len(ids)-1], ids[len(ids)-2]
	for customer, n := range map[string]int{large: manyTraces(), small: fewTraces} {
		if err := loadTraces(ctx, h.Counter.DB, customer, home[customer].ID, now, n); err != nil {
			return nil, err
		}
	}
	bare, err := bareDB(data, database)
	if err != nil {
		return nil, err
	}
	_, err = bare.ExecContext(ctx, map[bool]string{true: "VACUUM ANALYZE trace_line", false: "ANALYZE"}[database != ""])
	if err = errors.Join(err, bare.Close()); err != nil {
		return nil, err
	}
	b := &lister{h: h, now: now, name: name}
	page := func(customer string, change func(*trace.Query)) func() error {
		return func() error {
			call := &operation.Call{Operation: &contract.Operation{ID: "ListTraces"}, Caller: identity.Caller{DomainID: customer, DomainKind: identity.Customer, Owner: true}, Real: now}
			q := trace.Query{Project: home[customer].ID, From: now.Add(-trace.Window), To: now.Add(time.Hour), Limit: 200}
			change(&q)
			got, err := h.Counter.ListTraces(ctx, call, q)
			if err == nil && len(got) != 200 {
				err = fmt.Errorf("%d traces", len(got))
			}
			return err
		}
	}
	for what, change := range map[string]func(*trace.Query){"newest page": func(*trace.Query) {}, "newest page by user": func(q *trace.Query) { q.User = "user3" }} {
		b.inTurns(fmt.Sprintf("%s of %d traces, against %d", what, manyTraces(), fewTraces), page(large, change), page(small, change))
	}
	if b.err != nil {
		return nil, b.err
	}
	carried, err := benchTransfer(ctx, name, h, large, home[large], data, now)
	return append(b.lines, carried...), err
}

// inTurns compares two reads that are made in turns, so that a busy moment meets both.
func (b *lister) inTurns(what string, ours, peer func() error) {
	var times [2][]time.Duration
	for range 51 {
		for i, read := range []func() error{ours, peer} {
			began := time.Now()
			b.err = errors.Join(b.err, read())
			times[i] = append(times[i], time.Since(began))
		}
	}
	slices.Sort(times[0])
	slices.Sort(times[1])
	a, p := times[0][25], times[1][25]
	ratio := a.Seconds() / p.Seconds()
	b.lines = append(b.lines, line{b.name + ": " + what, a.Round(time.Microsecond).String(), p.Round(time.Microsecond).String(), fmt.Sprintf("%.2f×", ratio), "3×", ratio <= 3})
}

// benchTransfer carries traces into files, and compresses the same bytes alone.
func benchTransfer(ctx context.Context, name string, h *house.House, customer string, p identity.Project, data string, now time.Time) ([]line, error) {
	call := &operation.Call{Operation: &contract.Operation{ID: "bench"}, Caller: identity.Caller{DomainID: customer, DomainKind: identity.Customer, Owner: true}, Real: now}
	if err := h.Counter.UpdateTracker(ctx, call, p.ID, &trace.Change{Kind: trace.System, Name: trace.System, Bucket: new("bench-audit")}); err != nil {
		return nil, err
	}
	err := h.Counter.DB.Update(ctx, db.Instants{Now: now, Real: now}, func(tx *db.Tx) error {
		list, err := trace.Latest(ctx, tx, customer, carriedMost)
		if err != nil {
			return err
		}
		return trace.Wait(ctx, tx, list)
	})
	if err != nil {
		return nil, err
	}
	began := time.Now()
	files, err := h.Counter.CarryTraces(ctx, time.Now)
	took := time.Since(began)
	if err != nil {
		return nil, err
	}
	var plain bytes.Buffer
	err = filepath.WalkDir(filepath.Join(data, "traces"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/Digest/") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err == nil {
			_, err = io.Copy(&plain, z)
		}
		return err
	})
	if err != nil || files < carriedMost/trace.LinesMost {
		return nil, errors.Join(err, fmt.Errorf("%d files", files))
	}
	began = time.Now()
	z := gzip.NewWriter(io.Discard)
	_, err = z.Write(plain.Bytes())
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	alone := float64(plain.Len()) / time.Since(began).Seconds()
	ours := float64(plain.Len()) / took.Seconds()
	bar := min(gzipAbsolute, alone/2)
	return []line{{fmt.Sprintf("%s: transfer of %d traces, against gzip alone", name, carriedMost), fmt.Sprintf("%.1f MB/s", ours/1e6), fmt.Sprintf("%.1f MB/s", alone/1e6),
		fmt.Sprintf("%.2f×", ours/alone), fmt.Sprintf("%.0f MB/s", bar/1e6), ours >= bar}}, nil
}
