package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

func (d *desk) closes() *cobra.Command {
	return group("close", "The close of months: what failed, and trying it again",
		"Months are closed by the night shift of a server, on the 3rd of the next one at 03:00 GMT+8.", d.closeList(), d.closeRetry())
}

func (d *desk) closeList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List customers' months whose close failed", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(c.Context(), func(h *house.House) (failed error) {
				total := 0
				err := d.table("CUSTOMER\tMONTH\tREASON", func(put func(string, ...any)) {
					const most = 1000
					for offset := 0; ; offset += most {
						n, page, err := h.Counter.ParkedMonths(c.Context(), local("ListParkedCloses"), offset, most)
						total = n
						if failed = err; err != nil || len(page) == 0 {
							return
						}
						for i := range page {
							put("%s\t%s\t%s", page[i].Customer, page[i].Cycle, page[i].Reason)
						}
					}
				})
				if total == 0 && failed == nil {
					fmt.Fprintln(d.out, "no close is parked")
				}
				return errors.Join(failed, err)
			})
		},
	}
}

func (d *desk) closeRetry() *cobra.Command {
	return &cobra.Command{
		Use: "retry CUSTOMER MONTH", Short: "Let the close of a month be tried again", Args: exactly(2),
		Long: `Once the reason that purser close list names is gone. The night shift of a running server closes the month next, within a minute;
where it fails again the list names it again. CUSTOMER is an account's id or name, MONTH is YYYY-MM.`,
		RunE: func(c *cobra.Command, args []string) error {
			month, err := period.ParseCycle(args[1])
			if err != nil {
				return usageError{err}
			}
			return d.with(c.Context(), func(h *house.House) error {
				customer := args[0]
				users, err := h.Counter.AccountUsers(c.Context(), local("ListUsers"), customer) // by name, too
				if err != nil {
					return err
				}
				if len(users) > 0 {
					customer = users[0].DomainID
				}
				if err := h.Counter.RetryMonth(c.Context(), local("RetryClose"), customer, month); err != nil {
					return err
				}
				fmt.Fprintf(d.out, "%s of %s waits to be closed: the night shift of a running server does so within a minute\n", month, args[0])
				return nil
			})
		},
	}
}

func (d *desk) report() *cobra.Command {
	return group("report", "Reports for finance, as CSV", "Written to the standard output, or to the file that --output names.",
		d.oneReport(operation.Receivables, "What each customer owes, by its age",
			"The age counts from the close of the month in which it was charged; what was paid is taken from the oldest first.", false),
		d.oneReport(operation.Revenue, "What each service came to, by month", "Of months that are still open what is cut off is not known yet.", true),
		d.oneReport(operation.Payments, "Payments through payment providers against what was booked for them", "A difference other than 0 is to be looked at.", true))
}

func (d *desk) oneReport(kind, short, long string, months bool) *cobra.Command {
	var from, to, output string
	c := &cobra.Command{
		Use: kind, Short: short, Long: long, Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			span, err := operation.ParseMonths(from, to)
			if err != nil {
				return usageError{err}
			}
			return d.with(c.Context(), func(h *house.House) (err error) {
				into := d.out
				if output != "" {
					f, err := os.OpenFile(output, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
					if err != nil {
						return err
					}
					defer func() { err = errors.Join(err, f.Close()) }()
					into = f
				}
				return h.Counter.WriteReport(c.Context(), local("ShowReport"), kind, span, into)
			})
		},
	}
	c.Flags().StringVar(&output, "output", "", "write to a `file`")
	if months {
		c.Flags().StringVar(&from, "from", "", "first `month` YYYY-MM, a year before the last unless given")
		c.Flags().StringVar(&to, "to", "", "last `month`, the running one unless given")
	}
	return c
}
