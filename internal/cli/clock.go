package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/clock"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/job"
)

func (d *desk) clocks() *cobra.Command {
	return group("clock", "Test clocks: see what a year does in seconds",
		"Shows and turns the business clock of a customer or of the whole house, in the store itself. Only where the server was\nstarted with --test-clock. A clock stands still until it is turned, moves only forward, and has no effect any more once\nreal time has caught up. Everything that lies in between happens, each thing at its own instant.\nIt happens by the settings of this command: give those that the server has (the environment serves both).",
		d.clockShow(), d.clockSet(), d.clockAdvance())
}

// withClocks opens a store that was made for test clocks.
func (d *desk) withClocks(ctx context.Context, work func(*house.House) error) error {
	if _, err := os.Stat(filepath.Join(d.config.Data, house.TestClockFile)); err != nil {
		return fmt.Errorf("no server with --test-clock was ever started on %s: its clock is real time", d.config.Data)
	}
	d.config.TestClock = true
	return d.with(ctx, work)
}

func (d *desk) clockShow() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the clocks that were turned", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return d.withClocks(c.Context(), func(h *house.House) error {
				list, err := h.Counter.TestClocks(c.Context(), local("ListClocks"))
				if err != nil {
					return err
				}
				if len(list) == 0 {
					fmt.Fprintln(d.out, "no clock was turned: everything runs on real time")
					return nil
				}
				return d.table("OF\tSHOWS (UTC)\tTURNED", func(put func(string, ...any)) {
					for _, b := range list {
						of := b.Scope
						if of == clock.House {
							of = "the house"
						}
						put("%s\t%s\t%s", of, b.At.UTC().Format(time.RFC3339), b.Set.UTC().Format(time.RFC3339))
					}
				})
			})
		},
	}
}

func (d *desk) clockSet() *cobra.Command {
	var customer string
	c := &cobra.Command{
		Use: "set TIME", Short: "Turn a clock to an instant (2027-01-31T10:30:00Z)", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := time.Parse(time.RFC3339, args[0])
			if err != nil {
				return fmt.Errorf("%q is not an instant such as 2027-01-31T10:30:00Z", args[0])
			}
			return d.turn(c.Context(), customer, func(time.Time) time.Time { return at })
		},
	}
	c.Flags().StringVar(&customer, "customer", "", "only this `customer`'s; without it the whole house's")
	d.ruleFlags(c.Flags())
	return c
}

func (d *desk) clockAdvance() *cobra.Command {
	var customer string
	c := &cobra.Command{
		Use: "advance LENGTH", Short: "Turn a clock forward by a length (90m, 36h, 7d, 2w, 3mo, 1y)", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			step, err := lengthOf(args[0])
			if err != nil {
				return err
			}
			return d.turn(c.Context(), customer, step)
		},
	}
	c.Flags().StringVar(&customer, "customer", "", "only this `customer`'s; without it the whole house's")
	d.ruleFlags(c.Flags())
	return c
}

// lengthOf reads a length: a number with m, h, d, w, mo or y.
func lengthOf(text string) (func(time.Time) time.Time, error) {
	for _, k := range []struct {
		unit string
		step func(at time.Time, n int) time.Time
	}{
		{"mo", func(at time.Time, n int) time.Time { return at.AddDate(0, n, 0) }},
		{"y", func(at time.Time, n int) time.Time { return at.AddDate(n, 0, 0) }},
		{"w", func(at time.Time, n int) time.Time { return at.AddDate(0, 0, 7*n) }},
		{"d", func(at time.Time, n int) time.Time { return at.AddDate(0, 0, n) }},
		{"h", func(at time.Time, n int) time.Time { return at.Add(time.Duration(n) * time.Hour) }},
		{"m", func(at time.Time, n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }},
	} {
		if number, ok := strings.CutSuffix(text, k.unit); ok {
			if n, err := strconv.Atoi(number); err == nil && n > 0 {
				return func(at time.Time) time.Time { return k.step(at, n) }, nil
			}
		}
	}
	return nil, fmt.Errorf("%q is not a length such as 90m, 36h, 7d, 2w, 3mo or 1y", text)
}

// turn moves a clock and lets the night happen here, telling how far it is.
func (d *desk) turn(ctx context.Context, customer string, to func(time.Time) time.Time) error {
	return d.withClocks(ctx, func(h *house.House) error {
		now, err := h.Counter.BusinessNow(ctx, customer)
		if err != nil {
			return err
		}
		call := local("MoveClock")
		work, err := h.Counter.MoveClock(ctx, call, customer, to(now))
		if err != nil {
			return err
		}
		over := make(chan error, 1)
		go func() { over <- h.Night(ctx) }()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case err = <-over:
				if w, look := h.Counter.Job(ctx, call, work.ID); look == nil {
					fmt.Fprintf(d.out, "the clock shows %s; %d things happened\n", work.Target.UTC().Format(time.RFC3339), w.Count)
					if w.State == job.Failed {
						err = errors.Join(err, errors.New(w.Message))
					}
				} else {
					err = errors.Join(err, look)
				}
				return err
			case <-tick.C:
				if w, err := h.Counter.Job(ctx, call, work.ID); err == nil {
					fmt.Fprintf(d.err, "%d things have happened so far\n", w.Count)
				}
			}
		}
	})
}
