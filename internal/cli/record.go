package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
)

// recordFields are what may be said of a customer, by the names that the API and files have for them.
var recordFields = []struct{ name, usage string }{
	{"kind", "individual or enterprise"},
	{"verified", "`true` or false: it has shown who it is"},
	{"country", "two capital letters, such as `SG`, with a region where it is taxed apart, such as IN-KA"},
	{"tax_id", "its `number` with the tax office"},
	{"invoice_method", "order (an invoice for each order), cycle (one a bill month) or receipt (one for each payment that came in)"},
	{"settlement", "prepaid or monthly"},
	{"tier", "`V0` to V5"},
	{"standing", "active, frozen or closed (for good)"},
	{"credit_limit", "`amount` of credit in all"},
	{"quota", "`amount` that a month may cost at most"},
	{"resold", "`true` or false: it buys through its partner, who is invoiced for it"},
}

// flagFields are those of them that are true or false.
var flagFields = map[string]func(*account.Customer) *bool{
	"verified": func(c *account.Customer) *bool { return &c.Verified }, "resold": func(c *account.Customer) *bool { return &c.Resold },
}

// record are the flags of a customer's record.
type record map[string]*string

// flags adds the flags to a command; a customer that is added has no standing of its own yet.
func (r *record) flags(c *cobra.Command, standing bool) {
	*r = record{}
	for _, f := range recordFields {
		if f.name != "standing" || standing {
			(*r)[f.name] = c.Flags().String(strings.ReplaceAll(f.name, "_", "-"), "", f.usage)
		}
	}
	for name := range flagFields {
		c.Flags().Lookup(name).NoOptDefVal = "true"
	}
}

// change is what the flags given make of a customer.
func (r *record) change(c *cobra.Command) (func(*account.Customer), error) {
	given := map[string]string{}
	for name, value := range *r {
		if *value != "" || c.Flags().Changed(strings.ReplaceAll(name, "_", "-")) {
			given[name] = *value
		}
	}
	change, err := changeOf(given)
	if err != nil {
		return nil, usageError{err}
	}
	return change, nil
}

// changeOf is what the fields given make of a customer.
func changeOf(given map[string]string) (func(*account.Customer), error) {
	flags := map[string]bool{}
	amounts := map[string]money.Amount{}
	for _, f := range recordFields {
		name := f.name
		text, ok := given[name]
		if !ok {
			continue
		}
		var err error
		switch name {
		case "verified", "resold":
			if flags[name], err = strconv.ParseBool(text); err != nil {
				return nil, fmt.Errorf("%s: %q is neither true nor false", name, text)
			}
		case "credit_limit", "quota":
			if amounts[name], err = money.ParseAmount(text); err != nil {
				return nil, fmt.Errorf("%s: %q is not an amount", name, text)
			}
		}
	}
	return func(x *account.Customer) {
		fields := map[string]*string{
			"kind": &x.Kind, "country": &x.Country, "tax_id": &x.TaxID, "invoice_method": &x.InvoiceMethod,
			"settlement": &x.Settlement, "tier": &x.Tier, "standing": &x.Standing,
		}
		for name, text := range given {
			switch field := fields[name]; {
			case field != nil:
				*field = text
			case flagFields[name] != nil:
				*flagFields[name](x) = flags[name]
			case name == "credit_limit":
				x.CreditLimit = amounts[name]
			case name == "quota":
				x.Quota = amounts[name]
			}
		}
	}, nil
}

func (d *desk) customerAdd() *cobra.Command {
	var r record
	var in operation.NewCustomer
	var fromInput bool
	c := &cobra.Command{
		Use: "add ACCOUNT USER", Short: "Add a customer: its account, the user who owns it, its books", Args: exactly(2),
		Long: "Opens an account of that name with a project in each region, the user who owns it, and its books. A password is\nmade and printed once, unless --password-stdin reads one.",
		RunE: func(c *cobra.Command, args []string) error {
			change, err := r.change(c)
			if err != nil {
				return err
			}
			if (in.Master == "") != (in.Accounting == "") {
				return usageError{fmt.Errorf("%s: --master and --accounting go together", c.CommandPath())}
			}
			if in.Password, err = d.password(fromInput); err != nil {
				return err
			}
			in.Account, in.User = args[0], args[1]
			change(&in.Record)
			return d.with(c.Context(), func(h *house.House) error {
				made, err := h.Counter.CreateCustomer(c.Context(), local("CreateCustomer"), in)
				if err != nil {
					return err
				}
				fmt.Fprintf(d.out, "customer %s: account %s, user %s (%s)\n", made.ID, made.Relations.Account, made.User, made.UserID)
				if made.Password != "" {
					fmt.Fprintf(d.out, "password %s\n", made.Password.Reveal())
				}
				return nil
			})
		},
	}
	r.flags(c, false)
	f := c.Flags()
	f.StringVar(&in.Partner, "partner", "", "`ACCOUNT` of the partner that it belongs to")
	f.StringVar(&in.Master, "master", "", "`ACCOUNT` of the master whose member it becomes")
	f.StringVar(&in.Accounting, "accounting", "", "of a member: unified (the master pays) or independent")
	f.BoolVar(&fromInput, "password-stdin", false, "read the password from standard input")
	return c
}

func (d *desk) customerJoin() *cobra.Command {
	var accounting, since string
	c := &cobra.Command{
		Use: "join CUSTOMER MASTER", Short: "Make a customer a master's member, or change its accounting", Args: exactly(2),
		Long: "Under unified accounting the master pays for the member, under independent accounting the member pays itself. What\nwas so before is kept. A member has one master; a master is not itself a member. MASTER is an account's name or id.",
		RunE: func(c *cobra.Command, args []string) error {
			at, err := sinceOf(since)
			if err != nil {
				return usageError{err}
			}
			return d.with(c.Context(), func(h *house.House) error {
				r, err := h.Counter.JoinMaster(c.Context(), local("JoinMaster"), args[0], args[1], accounting, at)
				if err == nil {
					fmt.Fprintf(d.out, "customer %s: member of %s, %s accounting\n", r.Member, r.Master, r.Accounting)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&accounting, "accounting", account.Unified, "unified (the master pays) or independent")
	c.Flags().StringVar(&since, "since", "", "`instant` in UTC such as 2026-01-31T00:00:00Z, not in the future; now when it is not given")
	return c
}

func sinceOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q is not an instant such as 2026-01-31T00:00:00Z", text)
	}
	return at.UTC(), nil
}

func (d *desk) customerLeave() *cobra.Command {
	return &cobra.Command{
		Use: "leave CUSTOMER", Short: "End a customer's relation to its master now", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				err := h.Counter.LeaveMaster(c.Context(), local("LeaveMaster"), args[0])
				if err == nil {
					fmt.Fprintln(d.out, "left")
				}
				return err
			})
		},
	}
}
