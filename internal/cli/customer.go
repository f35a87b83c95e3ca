package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/ledger"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/provider"
)

func (d *desk) customer() *cobra.Command {
	return group("customer", "Customers, what they belong to, and their money",
		"Adds, lists and changes customers and moves their money, in the store itself. CUSTOMER is an account's id\n(`purser customer list` has it beside the account's name); amounts are decimals such as 12.50.",
		d.customerAdd(), d.customerImport(), d.customerExport(), d.customerList(), d.customerShow(), d.customerSet(),
		d.customerStand("freeze", "Keep a customer from buying; it can read and be topped up", account.Frozen),
		d.customerStand("unfreeze", "Let a frozen customer buy again", account.Active),
		d.customerStand("close", "Close a customer, for good; its members leave first", account.Closed),
		d.customerJoin(), d.customerLeave(),
		d.customerMove("top-up", "Book money that came in; debt is written off first", (*operation.Counter).TopUp),
		d.customerMove("withdraw", "Book money that goes back to the customer", (*operation.Counter).Withdraw),
		d.customerMove("bonus", "Give money that has not been paid for", (*operation.Counter).Bonus),
		d.customerAdjust(),
		d.customerTopUps(), d.customerRelease())
}

func (d *desk) customerList() *cobra.Command {
	var standing string
	c := &cobra.Command{
		Use: "list", Short: "List customers", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(c.Context(), func(h *house.House) (failed error) {
				err := d.table("CUSTOMER\tACCOUNT\tKIND\tSETTLEMENT\tSTANDING\tCREDIT\tQUOTA", func(put func(string, ...any)) {
					for offset := 0; ; offset += 100 {
						_, page, err := h.Counter.Customers(c.Context(), local("ListCustomers"), operation.WantedCustomers{Standing: standing}, offset, 100)
						if failed = err; err != nil || len(page) == 0 {
							return
						}
						for i := range page {
							x := &page[i]
							put("%s\t%s\t%s\t%s\t%s\t%s\t%s", x.ID, x.Relations.Account, x.Kind, x.Settlement, x.Standing, x.CreditLimit, x.Quota)
						}
					}
				})
				return errors.Join(failed, err)
			})
		},
	}
	c.Flags().StringVar(&standing, "standing", "", "only those that are active, frozen or closed")
	return c
}

func (d *desk) customerShow() *cobra.Command {
	return &cobra.Command{
		Use: "show CUSTOMER", Short: "Show a customer, its balances and its last movements", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error { return d.showCustomer(c.Context(), h, args[0]) })
		},
	}
}

func (d *desk) showCustomer(ctx context.Context, h *house.House, id string) error {
	b, err := h.Counter.Customer(ctx, local("ShowCustomer"), id)
	if err != nil {
		return err
	}
	x := &b.Customer
	fmt.Fprintf(d.out, "customer %s: %s, %s, %s, verified %t, country %s\n", x.ID, x.Standing, x.Kind, x.Settlement, x.Verified, x.Country)
	of := &b.Relations
	fmt.Fprintf(d.out, "account %s, tax id %q, tier %q, invoices by %s\n", of.Account, x.TaxID, x.Tier, x.InvoiceMethod)
	if of.Partner != "" {
		fmt.Fprintf(d.out, "partner %s\n", of.Partner)
	}
	if m := &of.Master; m.Master != "" {
		fmt.Fprintf(d.out, "member of %s, %s accounting since %s\n", m.Master, m.Accounting, m.Since.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(d.out, "cash %s  bonus %s  deposit %s  credit used %s of %s  debt %s  (%s)\n", b.Cash, b.Bonus, b.Deposit, b.Credit, x.CreditLimit, b.Debt, b.Currency.Code())
	total, page, err := h.Counter.Entries(ctx, local("ListLedgerEntries"), id, 0, 10)
	if err != nil || total == 0 {
		return err
	}
	fmt.Fprintf(d.out, "%d movements, the newest first:\n", total)
	for i := range page {
		e := &page[i]
		var parts []string
		for _, p := range e.Postings {
			parts = append(parts, fmt.Sprintf("%s → %s %s", p.Giver, p.Taker, p.Amount))
		}
		fmt.Fprintf(d.out, "  %s  %s %s  %s\n", e.Booked.Format("2006-01-02T15:04:05Z"), e.Cause, e.Reference, strings.Join(parts, ", "))
	}
	return nil
}

func (d *desk) customerSet() *cobra.Command {
	var r record
	c := &cobra.Command{
		Use: "set CUSTOMER", Short: "Change who a customer is and on what terms", Args: exactly(1),
		Long: "Changes what is given; the rest stays. An empty --country, --tax-id or --tier takes it away.",
		RunE: func(c *cobra.Command, args []string) error {
			change, err := r.change(c)
			if err != nil {
				return err
			}
			return d.changeCustomer(c.Context(), args[0], change)
		},
	}
	r.flags(c, true)
	return c
}

func (d *desk) changeCustomer(ctx context.Context, id string, change func(*account.Customer)) error {
	return d.with(ctx, func(h *house.House) error {
		x, err := h.Counter.ChangeCustomer(ctx, local("ChangeCustomer"), id, change)
		if err == nil {
			fmt.Fprintf(d.out, "customer %s: %s, %s, credit %s, quota %s\n", x.ID, x.Standing, x.Settlement, x.CreditLimit, x.Quota)
		}
		return err
	})
}

// customerStand is a word for a standing.
func (d *desk) customerStand(word, short, standing string) *cobra.Command {
	return &cobra.Command{
		Use: word + " CUSTOMER", Short: short, Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.changeCustomer(c.Context(), args[0], func(x *account.Customer) { x.Standing = standing })
		},
	}
}

func (d *desk) customerMove(word, short string, book func(*operation.Counter, context.Context, *operation.Call, operation.Movement) (ledger.Entry, error)) *cobra.Command {
	return d.moveCommand(word, short, &operation.Movement{}, book)
}

// customerAdjust is a movement that may stand on the bill.
func (d *desk) customerAdjust() *cobra.Command {
	var m operation.Movement
	c := d.moveCommand("adjust", "Correct the balance or the bill; the amount may be below zero", &m, (*operation.Counter).Adjust)
	c.Long += "\n\nWith --resource-type it stands on the bill of the running month, a compensation where it is above zero and a deduction where\nit is below, and is taxed with it; without, it corrects the balance alone. An amount below zero goes behind --:\n\n    purser customer adjust --reference TEXT -- CUSTOMER -2.50"
	c.Flags().StringVar(&m.ResourceType, "resource-type", "", "`code` of what it stands on the bill for, such as hws.resource.type.vm")
	return c
}

// moveCommand is a command that books a movement.
func (d *desk) moveCommand(word, short string, m *operation.Movement, book func(*operation.Counter, context.Context, *operation.Call, operation.Movement) (ledger.Entry, error)) *cobra.Command {
	c := &cobra.Command{
		Use: word + " CUSTOMER AMOUNT --reference TEXT", Short: short, Args: exactly(2),
		Long: short + ".\n\nThe reference is what the movement is called where it comes from (a bank's number): it is booked once, so the\nsame command can be repeated safely.",
		RunE: func(c *cobra.Command, args []string) error {
			a, err := money.ParseAmount(args[1])
			if err != nil {
				return usageError{fmt.Errorf("%q is not an amount", args[1])}
			}
			if m.Reference == "" {
				return usageError{fmt.Errorf("%s needs --reference", c.CommandPath())}
			}
			m.Customer, m.Amount = args[0], a
			return d.with(c.Context(), func(h *house.House) error {
				e, err := book(h.Counter, c.Context(), local(word), *m)
				if err == nil {
					fmt.Fprintf(d.out, "booked %s\n", e.ID)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&m.Reference, "reference", "", "what the movement is called where it comes from")
	c.Flags().StringVar(&m.Note, "note", "", "why, for a person")
	return c
}

func (d *desk) customerTopUps() *cobra.Command {
	var state string
	c := &cobra.Command{
		Use: "topups CUSTOMER", Short: "List top-ups through payment providers, the newest first", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) (failed error) {
				err := d.table("TOP-UP\tAMOUNT\tPROVIDER\tMETHOD\tSTATE\tCREATED\tBOOKED AS\tREASON", func(put func(string, ...any)) {
					for offset := 0; ; offset += 100 {
						_, page, now, err := h.Counter.TopUps(c.Context(), local("ListTopUps"), provider.Query{Customer: args[0], State: state}, offset, 100)
						if failed = err; err != nil || len(page) == 0 {
							return
						}
						for i := range page {
							a := &page[i]
							put("%s\t%s %s\t%s\t%s\t%s\t%s\t%s\t%s", a.ID, a.Amount, a.Currency, a.Provider, a.Method, a.StateAt(now), a.Created.Format("2006-01-02T15:04:05Z"), a.Booking(), a.Reason)
						}
					}
				})
				return errors.Join(failed, err)
			})
		},
	}
	c.Flags().StringVar(&state, "state", "", "only those that are pending, succeeded, failed or expired")
	return c
}

func (d *desk) customerRelease() *cobra.Command {
	return &cobra.Command{
		Use: "release CUSTOMER", Short: "Let a parked customer's money move again", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				return h.Counter.ReleaseBooks(c.Context(), local("ReleaseBooks"), args[0])
			})
		},
	}
}

func (d *desk) check() *cobra.Command {
	var park bool
	var from string
	c := &cobra.Command{
		Use: "check", Short: "Recompute every balance and coupon, and name what differs", Args: exactly(0),
		Long: "Recomputes every customer's balances from the ledger's postings, and what is left of coupons from their uses. What differs is named, and the exit code is 1.\nWith --park, money of the customers concerned no longer moves until `purser customer release`.\nWith --since, what months before came to (bills, kept sums, usage, invoices) is left out; balances, coupons, packages and what was charged and paid in all are recomputed whole.",
		RunE: func(c *cobra.Command, _ []string) error {
			since := period.Cycle(0)
			if from != "" {
				var err error
				if since, err = period.ParseCycle(from); err != nil {
					return fmt.Errorf("--since: %q is not a month YYYY-MM", from)
				}
			}
			d.config.AnyKey = true // books are not sealed: a copy is checked without its key
			return d.with(c.Context(), func(h *house.House) error { return d.checkBooks(c.Context(), h, since, park) })
		},
	}
	c.Flags().BoolVar(&park, "park", false, "park the customers whose books differ")
	c.Flags().StringVar(&from, "since", "", "look into months from this one on, YYYY-MM; empty: all")
	return c
}

// checkBooks checks an open house, in detail since a month, and prints what it finds.
func (d *desk) checkBooks(ctx context.Context, h *house.House, since period.Cycle, park bool) error {
	found := 0
	books, err := h.Counter.CheckBooksSince(ctx, local("CheckBooks"), since, park, func(x operation.Wrong) {
		found++
		fmt.Fprintf(d.out, "customer %s: %s\n", x.Customer, x.What)
	})
	if err != nil {
		return err
	}
	if found > 0 {
		return fmt.Errorf("%d things do not add up in the books of %d customers", found, books)
	}
	where := "PostgreSQL"
	if d.config.Database == "" {
		where = filepath.Join(d.config.Data, "purser.db")
	}
	fmt.Fprintf(d.out, "the books of %d customers add up (%s)\n", books, where)
	return nil
}

func (d *desk) backup() *cobra.Command {
	return &cobra.Command{
		Use: "backup FOLDER", Short: "Copy the store and the key file to a new folder, online", Args: exactly(1),
		Long: "Writes purser.db, a copy of the store as of one instant, and purser.key, which opens the secrets in it, to the\nfolder; a server may be running meanwhile. Keep the key file apart from the copy. SQLite only: PostgreSQL has its\nown tools (pg_dump).",
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				files, err := h.Backup(c.Context(), args[0])
				for _, f := range files {
					fmt.Fprintln(d.out, "wrote", f)
				}
				return err
			})
		},
	}
}

func (d *desk) restore() *cobra.Command {
	return &cobra.Command{
		Use: "restore FOLDER", Short: "Put a backup into a data folder that has no store", Args: exactly(1),
		Long: "Checks the backup and puts it, with its key file, into the folder that --data names, where no store may be yet.\nRun purser check afterwards.",
		RunE: func(c *cobra.Command, args []string) error {
			if err := house.Restore(c.Context(), args[0], d.config.Data); err != nil {
				return err
			}
			fmt.Fprintf(d.out, "restored into %s; now run: purser check --data %s\n", d.config.Data, d.config.Data)
			return nil
		},
	}
}
