package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/focus"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/sheet"
)

func (d *desk) export() *cobra.Command {
	return group("export", "Write a month's charges to a file", "Writes what customers were charged in a month, in forms that other programs read.", d.exportFocus(), d.exportDetails(), d.exportSummary())
}

// focusing is one run of export focus.
type focusing struct {
	month, out, form           string
	customer, member, endpoint string
	access, secret, domain     string
	provider, issuer           string
	back                       int
	sheet                      string // details or summary instead
}

// exportDetails writes fee records as CSV.
func (d *desk) exportDetails() *cobra.Command {
	in := focusing{sheet: "details", form: "csv"}
	c := &cobra.Command{
		Use: "details", Short: "Its fee records, CSV", Args: exactly(0), Long: "Writes a month's fee records as CSV, with their codes and names, and amounts at 8 decimals.",
		RunE: func(c *cobra.Command, _ []string) error { return in.run(c.Context(), d) },
	}
	in.from(c)
	return c
}

// exportSummary writes the summary as a workbook.
func (d *desk) exportSummary() *cobra.Command {
	in := focusing{sheet: "summary", form: "xlsx"}
	c := &cobra.Command{
		Use: "summary", Short: "Its summary, XLSX", Args: exactly(0),
		Long: "Writes a month's summary as a workbook. Numbers of more than 15 digits, which spreadsheets would round, are written as text.",
		RunE: func(c *cobra.Command, _ []string) error { return in.run(c.Context(), d) },
	}
	in.from(c)
	return c
}

// from adds the flags that say which month is read from where, and the file it is written to.
func (in *focusing) from(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&in.month, "month", "", "`YYYY-MM`, GMT+8; default the month before this one")
	f.StringVar(&in.out, "out", "", "`FILE`; default "+in.sheet+"-MONTH."+in.form+"; - for standard output")
	f.StringVar(&in.customer, "customer", "", "`ACCOUNT` of this machine's store, by id or name")
	f.StringVar(&in.member, "member", "", "`ID` of one member of an enterprise account; default the account and its members")
	f.StringVar(&in.endpoint, "endpoint", "", "`URL` of another server of the API")
	f.StringVar(&in.access, "access-key", "", "`KEY` for --endpoint; better in the environment: PURSER_ACCESS_KEY")
	f.StringVar(&in.secret, "secret-key", "", "its secret; better in the environment: PURSER_SECRET_KEY")
	f.StringVar(&in.domain, "domain-id", "", "`ID` of the account of the key, where the server wants it")
}

func (d *desk) exportFocus() *cobra.Command {
	in := focusing{}
	c := &cobra.Command{
		Use: "focus", Short: "As FOCUS 1.2 (57 columns), CSV or Parquet", Args: exactly(0),
		Long: `Writes a month of a customer as FOCUS 1.2. Without --endpoint it reads this machine's store; with it, any server of the same
API, the real cloud too: give the access key in PURSER_ACCESS_KEY and PURSER_SECRET_KEY. The mapping is in docs/focus.md.
The file appears under its name when it is whole.`,
		RunE: func(c *cobra.Command, _ []string) error { return in.run(c.Context(), d) },
	}
	f := c.Flags()
	f.StringVar(&in.month, "month", "", "`YYYY-MM`, GMT+8; default the month before this one")
	f.StringVar(&in.out, "out", "", "`FILE`; default focus-MONTH.csv; - for standard output (CSV)")
	f.StringVar(&in.form, "format", "", "csv or parquet; default by the file's ending, else csv")
	f.StringVar(&in.customer, "customer", "", "`ACCOUNT` of this machine's store, by id or name")
	f.StringVar(&in.member, "member", "", "`ID` of one member of an enterprise account; default the account and its members")
	f.StringVar(&in.endpoint, "endpoint", "", "`URL` of another server of the API")
	f.StringVar(&in.access, "access-key", "", "`KEY` for --endpoint; better in the environment: PURSER_ACCESS_KEY")
	f.StringVar(&in.secret, "secret-key", "", "its secret; better in the environment: PURSER_SECRET_KEY")
	f.StringVar(&in.domain, "domain-id", "", "`ID` of the account of the key, where the server wants it")
	f.StringVar(&in.provider, "provider", "Huawei Cloud", "`NAME` in ProviderName and PublisherName")
	f.StringVar(&in.issuer, "issuer", "", "`NAME` in InvoiceIssuerName; default the provider")
	f.IntVar(&in.back, "look-back", 36, "`MONTHS` before it that are looked through for terms that reach into it")
	return c
}

func (in *focusing) run(ctx context.Context, d *desk) error {
	cycle := period.CycleOf(time.Now()) - 1
	if in.month != "" {
		var err error
		if cycle, err = period.ParseCycle(in.month); err != nil {
			return usageError{fmt.Errorf("--month %q: want YYYY-MM", in.month)}
		}
	}
	if in.out == "" && in.sheet != "" {
		in.out = in.sheet + "-" + cycle.String() + "." + in.form
	}
	if in.out == "" {
		in.out = "focus-" + cycle.String() + ".csv"
		if in.form == "parquet" {
			in.out = "focus-" + cycle.String() + ".parquet"
		}
	}
	if in.form == "" {
		in.form = "csv"
		if strings.EqualFold(filepath.Ext(in.out), ".parquet") {
			in.form = "parquet"
		}
	}
	switch {
	case in.sheet == "" && in.form != "csv" && in.form != "parquet":
		return usageError{fmt.Errorf("--format %q: want csv or parquet", in.form)}
	case in.endpoint == "" && in.customer == "":
		return usageError{errors.New("--customer is needed, or --endpoint with an access key")}
	case in.endpoint != "" && (in.access == "" || in.secret == ""):
		return usageError{errors.New("--endpoint needs an access key: PURSER_ACCESS_KEY and PURSER_SECRET_KEY")}
	case in.back < 0 || in.back > 36:
		return usageError{errors.New("--look-back: 0 to 36 months")}
	}
	if in.endpoint != "" {
		c, err := client.New(strings.TrimRight(in.endpoint, "/"), client.Credential{AccessKey: in.access, SecretKey: in.secret, DomainID: in.domain}, nil, nil)
		if err != nil {
			return err
		}
		return in.write(ctx, d, c, cycle)
	}
	return d.with(ctx, func(h *house.House) error {
		c, err := h.As(ctx, in.customer)
		if err != nil {
			return err
		}
		return in.write(ctx, d, c, cycle)
	})
}

// write writes the file beside its name and renames it when it is whole.
func (in *focusing) write(ctx context.Context, d *desk, c *client.Client, cycle period.Cycle) (err error) {
	var to io.Writer = d.out
	if in.out != "-" {
		part := in.out + ".part"
		file, err := os.Create(part)
		if err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
		defer func() {
			if err = errors.Join(err, file.Close()); err != nil {
				os.Remove(part) //nolint:errcheck // the first error is told
				return
			}
			err = os.Rename(part, in.out)
		}()
		buffered := bufio.NewWriterSize(file, 1<<20)
		defer func() { err = errors.Join(err, buffered.Flush()) }()
		to = buffered
	}
	told := time.Time{}
	say := func(done, total int) {
		if isTerminal(d.err) && (time.Since(told) > progressEvery || done == total) {
			told = time.Now()
			fmt.Fprintf(d.err, "\r%d of %d rows", done, total)
		}
	}
	if in.sheet != "" {
		return in.writeSheet(ctx, d, &sheet.Export{BSS: c.BSS, Cycle: cycle, Member: in.member, Say: say}, to)
	}
	var rows focus.Writer
	if in.form == "parquet" {
		rows = focus.NewParquet(to)
	} else if rows, err = focus.NewCSV(to); err != nil {
		return err
	}
	run := focus.Export{
		BSS: c.BSS, Cycle: cycle, Member: in.member, Back: in.back, Source: focus.Source{Provider: in.provider, Issuer: in.issuer},
		Say: say,
	}
	n, err := run.Run(ctx, rows)
	if err != nil {
		return err
	}
	if err := rows.Close(); err != nil {
		return err
	}
	if isTerminal(d.err) {
		fmt.Fprintln(d.err)
	}
	fmt.Fprintf(d.err, "%s: %d fee records of %s\n", in.out, n, cycle)
	return nil
}

func (in *focusing) writeSheet(ctx context.Context, d *desk, run *sheet.Export, to io.Writer) error {
	write, what := run.Details, "fee records"
	if in.sheet == "summary" {
		write, what = run.Summary, "rows"
	}
	n, err := write(ctx, to)
	if err != nil {
		return err
	}
	if isTerminal(d.err) {
		fmt.Fprintln(d.err)
	}
	fmt.Fprintf(d.err, "%s: %d %s of %s\n", in.out, n, what, run.Cycle)
	return nil
}
