package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

// The year bench: customers with five servers each that renew by themselves every month; the clock is turned. BENCH=long turns
// a whole year of 10,000 customers, about 600,000 renewals, BENCH=wide a month of them; else the larger store of 2,000 lives a month.

// renewers furnishes a store with n customers of five resources each.
func renewers(dir string, n int) (*house.House, error) {
	ctx, now := context.Background(), time.Now()
	h, err := house.Open(ctx, house.Config{Version: "bench", Data: dir, Limits: "off", TestClock: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	c := h.Counter
	content, err := catalog.Read(cloud.Files)
	if err != nil {
		return nil, err
	}
	if _, err := c.ImportCatalogue(ctx, operation.LocalOperator("import", now), func() (*catalog.Content, error) { return content, nil }, false, false); err != nil {
		return nil, err
	}
	return h, parallel(n, hands, func(i int) error {
		d := due{customer: fmt.Sprintf("renewer-%06d", i)}
		err := c.DB.Update(ctx, db.Instants{Now: now, Real: now, About: d.customer}, func(tx *db.Tx) error {
			if err := account.Open(ctx, tx, rand.Reader, &account.Customer{ID: d.customer, Country: "SG"}); err != nil {
				return err
			}
			return ledger.Post(ctx, tx, rand.Reader, &ledger.Entry{Customer: d.customer, Cause: "topup", Reference: "bench", Postings: []ledger.Posting{{Giver: ledger.Topup, Taker: ledger.Cash, Amount: 1_000_000 * dollar}}})
		})
		if err != nil {
			return err
		}
		placed, err := c.PlaceOrder(ctx, callOf(&d, now), &operation.NewOrder{AutoPay: true, Draft: order.Draft{Policy: subscription.AutoRenew, Items: []order.Item{{
			Wanted: catalog.Wanted{ID: "1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", Spec: "s3.small.1.linux", Region: "ap-southeast-1", Num: 5, PeriodType: period.Month.Code(), Periods: 1},
		}}}})
		if err == nil && placed.Refused != nil {
			err = placed.Refused
		}
		return err
	})
}

// turn advances the house's clock and drives the night shift; it says how long that took, and how much time of the processors,
// which does not count what else runs on the machine meanwhile.
func turn(h *house.House, by time.Time, renewals int) (took, used time.Duration, err error) {
	ctx := context.Background()
	if _, err := h.Counter.MoveClock(ctx, operation.LocalOperator("MoveClock", time.Now()), "", by); err != nil {
		return 0, 0, err
	}
	shift := cycle.New(h.Counter, time.Now, slog.New(slog.DiscardHandler))
	began := time.Now()
	before, err := cpu(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	if err := shift.Round(ctx); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := cpu(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	var have int
	err = h.Counter.DB.View(ctx, db.Instants{Now: time.Now(), Real: time.Now()}, func(v *db.View) error {
		return v.QueryRow(ctx, `SELECT count(*) FROM order_head WHERE type = 2 AND status = 5`).Scan(&have)
	})
	if err == nil && have < renewals {
		err = fmt.Errorf("%d renewals, want %d", have, renewals)
	}
	return took, after - before, err
}

// benchYear makes the lines of the turned clock on SQLite: against the rate of paying orders measured before.
func benchYear(dir string, paying float64) ([]line, error) {
	few, many := 200, 2_000
	months := 1
	switch os.Getenv("BENCH") {
	case "wide": // as many resources as the long one, for a month
		many = 10_000
	case "long":
		many, months = 10_000, 12
	}
	small, err := renewers(filepath.Join(dir, "few"), few)
	if err != nil {
		return nil, err
	}
	defer small.Close()
	year, usedFew, err := turn(small, time.Now().AddDate(1, 0, 0), few*5*11)
	if err != nil {
		return nil, fmt.Errorf("a year of %d: %w", few, err)
	}
	large, err := renewers(filepath.Join(dir, "many"), many)
	if err != nil {
		return nil, err
	}
	defer large.Close()
	took, usedMany, err := turn(large, time.Now().AddDate(0, months, 0), many*5*max(months-1, 1))
	if err != nil {
		return nil, fmt.Errorf("%d months of %d: %w", months, many, err)
	}
	tick, err := idle(large)
	if err != nil {
		return nil, err
	}
	// One customer lives a year ahead of all others by a clock of its own.
	if _, err := large.Counter.MoveClock(context.Background(), operation.LocalOperator("MoveClock", time.Now()), "renewer-000000", time.Now().AddDate(0, months+12, 0)); err != nil {
		return nil, err
	}
	if err := cycle.New(large.Counter, time.Now, slog.New(slog.DiscardHandler)).Round(context.Background()); err != nil {
		return nil, err
	}
	ahead, err := idle(large)
	if err != nil {
		return nil, err
	}
	rate, each := float64(few*5*12)/year.Seconds(), usedFew/time.Duration(few*5*12)
	eachLarge := usedMany / time.Duration(many*5*months)
	rateLarge := float64(many*5*months) / took.Seconds()
	ratio := eachLarge.Seconds() / each.Seconds()
	lines := []line{
		share(fmt.Sprintf("SQLite: a year of %d resources renewing monthly, against paying orders", few*5), rate, paying, 0.30),
		{fmt.Sprintf("SQLite: processor time of a renewal among %d resources, against one among %d", many*5, few*5), eachLarge.Round(time.Microsecond).String(), each.Round(time.Microsecond).String(), fmt.Sprintf("%.2f×", ratio), "1.5×", ratio <= 1.5},
		{fmt.Sprintf("SQLite: a tick with nothing due, %d resources", many*5), tick.Round(time.Microsecond).String(), "-", "-", "1 ms", tick < time.Millisecond},
		{"SQLite: the same, one customer's clock a year ahead", ahead.Round(time.Microsecond).String(), "-", "-", "1 ms", ahead < time.Millisecond},
	}
	if months == 12 {
		lines = append(lines, share(fmt.Sprintf("SQLite: a year of %d resources, in %s, against paying orders", many*5, took.Round(time.Second)), rateLarge, paying, 0.30))
	}
	return lines, nil
}

// idle is how long a tick takes when nothing is due: the best of some rows of ticks, so that what else runs on the machine does
// not count.
func idle(h *house.House) (time.Duration, error) {
	shift := cycle.New(h.Counter, time.Now, slog.New(slog.DiscardHandler))
	const rows, ticks = 20, 10
	best := time.Hour
	for range rows {
		began := time.Now()
		for range ticks {
			if err := shift.Round(context.Background()); err != nil {
				return 0, err
			}
		}
		best = min(best, time.Since(began)/ticks)
	}
	return best, nil
}

// runYear measures the turned clock alone.
func runYear() error {
	dir, err := os.MkdirTemp("", "purser-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := furnishedSQLite(filepath.Join(dir, "sqlite"))
	if err != nil {
		return err
	}
	_, paying, err := benchPayments("SQLite", s)
	if err != nil {
		return err
	}
	lines, err := benchYear(filepath.Join(dir, "years"), paying)
	if err != nil {
		return err
	}
	return report(lines)
}
