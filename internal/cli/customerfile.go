package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// customerColumns are the columns of a file of customers, as export writes them; import also takes what only a new
// customer has.
func customerColumns() (out []string) {
	out = []string{"customer_id", "account_name", "partner", "master", "accounting", "member_since"}
	for _, f := range recordFields {
		out = append(out, f.name)
	}
	return out
}

var newColumns = []string{"user_name", "password"}

func (d *desk) customerExport() *cobra.Command {
	var standing string
	c := &cobra.Command{
		Use: "export", Short: "Print all customers as CSV", Args: exactly(0),
		Long: "Prints a header and a row for each customer, to be changed and given back to `purser customer import`.",
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				w := csv.NewWriter(d.out)
				if err := w.Write(customerColumns()); err != nil {
					return err
				}
				for offset := 0; ; offset += 100 {
					_, page, err := h.Counter.Customers(c.Context(), local("ListCustomers"), operation.WantedCustomers{Standing: standing}, offset, 100)
					if err != nil {
						return err
					}
					for i := range page {
						if err := w.Write(customerRow(&page[i])); err != nil {
							return err
						}
					}
					if w.Flush(); len(page) == 0 || w.Error() != nil {
						return w.Error()
					}
				}
			})
		},
	}
	c.Flags().StringVar(&standing, "standing", "", "only those that are active, frozen or closed")
	return c
}

func customerRow(c *operation.Customer) []string {
	of, since := &c.Relations, ""
	if of.Master.Master != "" {
		since = of.Master.Since.UTC().Format(time.RFC3339Nano)
	}
	return []string{
		c.ID, of.Account, of.Partner, of.Master.Master, of.Master.Accounting, since,
		c.Kind, strconv.FormatBool(c.Verified), c.Country, c.TaxID, c.InvoiceMethod, c.Settlement, c.Tier, c.Standing, c.CreditLimit.String(), c.Quota.String(), strconv.FormatBool(c.Resold),
	}
}

func (d *desk) customerImport() *cobra.Command {
	var dry bool
	var passwords string
	c := &cobra.Command{
		Use: "import FILE.csv", Short: "Add and change customers as a CSV file says", Args: exactly(1),
		Long: `Reads a CSV file with a header; "-" is standard input. A row without customer_id adds a customer and needs account_name
and user_name; a row with one changes that customer, and an empty cell leaves what it has. Columns: ` + strings.Join(customerColumns(), ", ") + `,
and of a new customer user_name and password.

Each row is taken or refused on its own. Refused rows are named on standard error with their line; the exit code is
1 then. Passwords that were made are printed, or written to the new file that --passwords names, which only its owner
can read.`,
		RunE: func(c *cobra.Command, args []string) error {
			in := d.in
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			return d.with(c.Context(), func(h *house.House) (err error) {
				i, err := newCustomerImport(h.Counter, in, dry)
				if err != nil {
					return err
				}
				out := d.out
				if passwords != "" && !dry {
					// Exclusive: a file that is there might be open to others, or hold the passwords of the last import.
					f, err := os.OpenFile(passwords, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
					if err != nil {
						return err
					}
					defer func() { err = errors.Join(err, f.Sync(), f.Close()) }()
					out = f
				}
				i.passwords, i.report = csv.NewWriter(out), d.err
				return i.run(c.Context())
			})
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say which rows would be refused")
	c.Flags().StringVar(&passwords, "passwords", "", "new `file` for the passwords that are made, mode 0600")
	return c
}

// customerImport is one run over a file.
type customerImport struct {
	counter                            *operation.Counter
	rows                               *csv.Reader
	columns                            []string
	passwords                          *csv.Writer
	report                             io.Writer
	dry                                bool
	names                              map[string]int // of accounts that a dry run would have added, by line
	added, changed, unchanged, refused int
	shown                              bool // the header of the passwords
}

// newCustomerImport reads the header; one that is wrong is refused before anything is done.
func newCustomerImport(counter *operation.Counter, in io.Reader, dry bool) (*customerImport, error) {
	text := bufio.NewReader(in)
	if mark, _ := text.Peek(3); string(mark) == "\ufeff" { // as spreadsheets write it
		text.Discard(3)
	}
	i := &customerImport{counter: counter, rows: csv.NewReader(text), dry: dry, names: map[string]int{}}
	header, err := i.rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	known := append(customerColumns(), newColumns...)
	for n, name := range header {
		name = strings.TrimSpace(name)
		switch {
		case !slices.Contains(known, name):
			return nil, fmt.Errorf("line 1: there is no column %q; there are %s", name, strings.Join(known, ", "))
		case slices.Contains(header[:n], name):
			return nil, fmt.Errorf("line 1: column %s is there twice", name)
		}
		header[n] = name
	}
	if !slices.Contains(header, "customer_id") && !(slices.Contains(header, "account_name") && slices.Contains(header, "user_name")) {
		return nil, errors.New("line 1: columns account_name and user_name are needed to add customers, or customer_id to change them")
	}
	i.columns = header
	return i, nil
}

// refusal is what a row itself is refused for; like a fault, and unlike a failure, the import goes on after it.
type refusal struct{ error }

func refuse(text string, args ...any) error { return refusal{fmt.Errorf(text, args...)} }

func (i *customerImport) run(ctx context.Context) error {
	told := time.Now()
	for {
		cells, err := i.rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var malformed *csv.ParseError
		line := 0
		switch {
		case errors.As(err, &malformed):
			line, err = malformed.StartLine, refusal{malformed.Err}
		case err != nil:
			return err
		default:
			line, _ = i.rows.FieldPos(0)
			err = i.row(ctx, line, cells)
		}
		var wrong refusal
		f, isFault := fault.As(err)
		switch {
		case isFault:
			i.refused++
			fmt.Fprintf(i.report, "line %d: %s\n", line, f.Message)
		case errors.As(err, &wrong):
			i.refused++
			fmt.Fprintf(i.report, "line %d: %v\n", line, wrong)
		case err != nil || ctx.Err() != nil:
			return fmt.Errorf("stopped at line %d, after %s: %w", line, i.sum(), errors.Join(ctx.Err(), err))
		}
		if time.Since(told) > time.Second {
			told = time.Now()
			fmt.Fprintf(i.report, "line %d: %s so far\n", line, i.sum())
		}
	}
	if i.dry {
		fmt.Fprintln(i.report, "dry run, nothing was kept:", i.sum())
	} else {
		fmt.Fprintln(i.report, i.sum())
	}
	if i.refused > 0 {
		return fmt.Errorf("%d rows were refused", i.refused)
	}
	return nil
}

func (i *customerImport) sum() string {
	return fmt.Sprintf("%d added, %d changed, %d unchanged, %d refused", i.added, i.changed, i.unchanged, i.refused)
}

func (i *customerImport) call(id string) *operation.Call {
	call := local(id)
	call.DryRun = i.dry
	return call
}

// row takes one row.
func (i *customerImport) row(ctx context.Context, line int, cells []string) error {
	given := map[string]string{}
	for n, cell := range cells {
		if i.columns[n] != "password" {
			cell = strings.TrimSpace(cell)
		}
		if cell != "" {
			given[i.columns[n]] = cell
		}
	}
	change, err := changeOf(given)
	if err != nil {
		return refusal{err}
	}
	since, err := sinceOf(given["member_since"])
	if err != nil {
		return refuse("member_since: %w", err)
	}
	if given["customer_id"] != "" {
		return i.change(ctx, given, change, since)
	}
	return i.add(ctx, line, given, change, since)
}

func (i *customerImport) add(ctx context.Context, line int, given map[string]string, change func(*account.Customer), since time.Time) error {
	in := operation.NewCustomer{
		Account: given["account_name"], User: given["user_name"], Password: identity.Secret(given["password"]), Partner: given["partner"],
		Master: given["master"], Accounting: given["accounting"], Since: since,
	}
	change(&in.Record)
	if i.dry {
		if earlier, ok := i.names[in.Account]; ok {
			return refuse("account_name: line %d adds an account named %s already", earlier, in.Account)
		}
		if _, ok := i.names[in.Master]; ok {
			in.Master = "" // is not there to be joined
		}
	}
	made, err := i.counter.CreateCustomer(ctx, i.call("CreateCustomer"), in)
	if err != nil {
		return err
	}
	i.added++
	i.names[in.Account] = line
	if made.Password == "" || i.dry {
		return nil
	}
	if !i.shown {
		i.shown = true
		err = i.passwords.Write([]string{"account_name", "user_name", "password"})
	}
	if err = errors.Join(err, i.passwords.Write([]string{made.Relations.Account, made.User, made.Password.Reveal()})); err == nil {
		i.passwords.Flush()
		err = i.passwords.Error()
	}
	if err != nil {
		return fmt.Errorf("a password could not be written, user %s of account %s needs a new one: %w", made.User, made.Relations.Account, err)
	}
	return nil
}

func (i *customerImport) change(ctx context.Context, given map[string]string, change func(*account.Customer), since time.Time) error {
	id := given["customer_id"]
	b, err := i.counter.Customer(ctx, i.call("ShowCustomer"), id)
	if err != nil {
		return err
	}
	of := &b.Relations
	for name, is := range map[string]string{"account_name": of.Account, "partner": of.Partner} {
		if given[name] != "" && given[name] != is {
			return refuse("%s: customer %s has %q, which does not change", name, id, is)
		}
	}
	for _, name := range newColumns {
		if given[name] != "" {
			return refuse("%s: only for a new customer", name)
		}
	}
	master := given["master"]
	if master == of.Master.Master && (given["accounting"] == "" || given["accounting"] == of.Master.Accounting) {
		master = ""
	}
	wanted := b.Customer
	if change(&wanted); wanted == b.Customer && master == "" {
		i.unchanged++
		return nil
	}
	if since.Equal(of.Master.Since) {
		since = time.Time{} // as it was exported: of the relation that ends
	}
	if _, err := i.counter.RewriteCustomer(ctx, i.call("ChangeCustomer"), id, change, master, given["accounting"], since); err != nil {
		return err
	}
	i.changed++
	return nil
}
