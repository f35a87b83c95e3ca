package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

func (d *desk) bill() *cobra.Command {
	return group("bill", "Bills: what a month would have come to otherwise", "", d.billWhatIf())
}

// asking is one run of bill what-if.
type asking struct {
	folder, at, ratio, service string
	without                    bool
}

func (d *desk) billWhatIf() *cobra.Command {
	in := asking{}
	c := &cobra.Command{
		Use: "what-if ACCOUNT MONTH", Short: "What a month would have come to with other prices or discounts", Args: exactly(2),
		Long: `Replays a customer's month (YYYY-MM) by the functions that charged and billed it: against the catalogue of a folder, the prices of
another day, or another discount. Without any of these the result is the bill. Nothing is written. What packages covered stays covered;
refunds and changes stay as they were charged.`,
		RunE: func(c *cobra.Command, args []string) error {
			ask, err := in.ask(args[0], args[1])
			if err != nil {
				return err
			}
			return d.with(c.Context(), func(h *house.House) error {
				users, err := h.Counter.AccountUsers(c.Context(), local("ListUsers"), args[0]) // by name, too
				if err != nil {
					return err
				}
				if len(users) > 0 {
					ask.Customer = users[0].DomainID
				}
				found, err := h.Counter.ReplayMonth(c.Context(), local("ReplayMonth"), ask)
				if err != nil {
					return err
				}
				return d.whatIf(found)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&in.folder, "catalog", "", "`FOLDER` of another catalogue, or \"shipped\"")
	f.StringVar(&in.at, "prices-at", "", "all prices as of this `DAY`, YYYY-MM-DD, GMT+8")
	f.StringVar(&in.ratio, "discount", "", "the customer pays this `RATIO` of the list price, in place of its discounts")
	f.StringVar(&in.service, "service", "", "with --discount: of one service `CODE` only")
	f.BoolVar(&in.without, "without-discounts", false, "the customer pays list prices")
	return c
}

func (in *asking) ask(customer, month string) (*operation.WhatIfAsk, error) {
	cycle, err := period.ParseCycle(month)
	if err != nil {
		return nil, usageError{err}
	}
	ask := &operation.WhatIfAsk{Customer: customer, Cycle: cycle, Replace: in.without || in.ratio != ""}
	if in.folder != "" {
		folder, err := folderOf(in.folder)
		if err != nil {
			return nil, err
		}
		ask.Read = func() (*catalog.Content, error) { return catalog.Read(folder) }
	}
	if in.at != "" {
		day, err := period.ParseDay(in.at)
		if err != nil {
			return nil, usageError{fmt.Errorf("--prices-at %q: want YYYY-MM-DD", in.at)}
		}
		ask.PricesAt = day.End.Add(-time.Second)
	}
	if in.ratio != "" {
		ratio, err := money.ParseDecimal(in.ratio)
		if err != nil {
			return nil, usageError{fmt.Errorf("--discount %q: want a number above 0 and at most 1", in.ratio)}
		}
		ask.Discounts = []discount.Grant{{Customer: customer, Kind: rating.Commercial, Value: ratio, Service: in.service}}
	}
	return ask, nil
}

// whatIf prints a month as it is billed and as it would be.
func (d *desk) whatIf(w operation.WhatIf) error {
	err := d.table("SERVICE\tRESOURCE TYPE\tMODE\tBILLED\tTHEN\tDIFFERENCE", func(put func(string, ...any)) {
		for i := range w.Rows {
			x := &w.Rows[i]
			put("%s\t%s\t%d\t%s\t%s\t%s", x.Billed.Service, x.Billed.ResourceType, x.Billed.Mode, x.Billed.Consume, x.Then.Consume, x.Then.Consume-x.Billed.Consume)
		}
		put("in all\t\t\t%s\t%s\t%s", w.Billed.Consume, w.Then.Consume, w.Then.Consume-w.Billed.Consume)
	})
	if err == nil && w.Unpriced > 0 {
		_, err = fmt.Fprintf(d.out, "%d lines have no price under these terms: they are as they were billed\n", w.Unpriced)
	}
	if err == nil && !w.Final {
		_, err = fmt.Fprintln(d.out, "the month is not closed: both are estimates")
	}
	return err
}
