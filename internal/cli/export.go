package cli

import (
	"bufio"
	"context"
	"encoding/json"
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
	resume                     bool
	fees                       client.FeesReader // of this machine's store; nil: the client
	page                       int
}

// exportDetails writes fee records as CSV.
func (d *desk) exportDetails() *cobra.Command {
	in := focusing{sheet: "details", form: "csv"}
	c := &cobra.Command{
		Use: "details", Short: "Its fee records, CSV", Args: exactly(0), Long: "Writes a month's fee records as CSV, with their codes and names, and amounts at 8 decimals.",
		RunE: func(c *cobra.Command, _ []string) error { return in.run(c.Context(), d) },
	}
	in.from(c)
	in.resumes(c)
	return c
}

// resumes adds the flag of what can be gone on with.
func (in *focusing) resumes(c *cobra.Command) {
	c.Flags().BoolVar(&in.resume, "resume", false, "go on with FILE.part of an export that was cut off (CSV); exact for a closed month")
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
	in.resumes(c)
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
		c, fees, err := h.As(ctx, in.customer)
		if err != nil {
			return err
		}
		in.fees, in.page = fees, focus.PageWithin
		return in.write(ctx, d, c, cycle)
	})
}

// write writes the file beside its name and renames it when it is whole. What is there of a CSV file when it is cut off stays, with
// how far it is, for --resume.
func (in *focusing) write(ctx context.Context, d *desk, c *client.Client, cycle period.Cycle) error {
	told := time.Time{}
	say := func(done, total int) {
		if isTerminal(d.err) && (time.Since(told) > progressEvery || done == total) {
			told = time.Now()
			fmt.Fprintf(d.err, "\r%d of %d rows", done, total)
		}
	}
	var n int
	var err error
	if in.out == "-" {
		n, err = in.rows(ctx, d.out, c, cycle, focus.Place{}, say, nil)
	} else {
		n, err = in.writeFile(ctx, c, cycle, say)
	}
	if err != nil {
		return err
	}
	if isTerminal(d.err) {
		fmt.Fprintln(d.err)
	}
	what := "fee records"
	if in.sheet == "summary" {
		what = "rows"
	}
	fmt.Fprintf(d.err, "%s: %d %s of %s\n", in.out, n, what, cycle)
	return nil
}

// progress is how far a file is that was cut off.
type progress struct {
	Month, Kind, Member, Place string
	Bytes                      int64
}

// progressFile lies beside the part of a file.
const progressFile = ".at"

func (in *focusing) writeFile(ctx context.Context, c *client.Client, cycle period.Cycle, say func(done, total int)) (n int, err error) {
	part := in.out + ".part"
	at := progress{Month: cycle.String(), Kind: in.sheet, Member: in.member}
	from, err := in.resumed(part, &at)
	if err != nil {
		return 0, err
	}
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(file.Truncate(at.Bytes), seekEnd(file))
	}
	if err != nil {
		return 0, fmt.Errorf("write the export: %w", err)
	}
	buffered := bufio.NewWriterSize(file, 1<<20)
	kept := from != focus.Place{}
	var reached func(focus.Place) error
	if in.form == "csv" {
		reached = func(p focus.Place) error {
			if err := buffered.Flush(); err != nil {
				return err
			}
			if at.Bytes, err = file.Seek(0, io.SeekCurrent); err != nil {
				return err
			}
			at.Place, kept = p.String(), true
			text, err := json.Marshal(at)
			if err != nil {
				return err
			}
			return os.WriteFile(part+progressFile, text, 0o600)
		}
	}
	n, err = in.rows(ctx, buffered, c, cycle, from, say, reached)
	if err = errors.Join(err, buffered.Flush(), file.Close()); err != nil {
		if kept {
			return n, fmt.Errorf("%w\n%s holds what was read; --resume goes on with it", err, part)
		}
		os.Remove(part) //nolint:errcheck // the first error is told
		return n, err
	}
	os.Remove(part + progressFile) //nolint:errcheck // there may be none
	return n, os.Rename(part, in.out)
}

func seekEnd(file *os.File) error {
	_, err := file.Seek(0, io.SeekEnd)
	return err
}

// resumed reads how far the part of a file is that is to be gone on with; at the beginning without --resume.
func (in *focusing) resumed(part string, at *progress) (focus.Place, error) {
	if !in.resume {
		return focus.Place{}, nil
	}
	if in.form != "csv" {
		return focus.Place{}, usageError{errors.New("--resume: only a CSV file can be gone on with")}
	}
	text, err := os.ReadFile(part + progressFile)
	if errors.Is(err, os.ErrNotExist) {
		return focus.Place{}, nil
	}
	if err != nil {
		return focus.Place{}, fmt.Errorf("go on with the export: %w", err)
	}
	var was progress
	if err := json.Unmarshal(text, &was); err != nil {
		return focus.Place{}, fmt.Errorf("go on with %s: %w", part, err)
	}
	info, err := os.Stat(part)
	if err != nil {
		return focus.Place{}, fmt.Errorf("go on with the export: %w", err)
	}
	if was.Month != at.Month || was.Kind != at.Kind || was.Member != at.Member || was.Bytes > info.Size() {
		return focus.Place{}, fmt.Errorf("%s is part of another export: remove it, or begin anew without --resume", part)
	}
	*at = was
	return focus.ParsePlace(was.Place)
}

// rows writes what is wanted from a place on, and says how many records or rows there were.
func (in *focusing) rows(ctx context.Context, to io.Writer, c *client.Client, cycle period.Cycle, from focus.Place, say func(done, total int), reached func(focus.Place) error) (n int, err error) {
	if in.sheet != "" {
		run := &sheet.Export{BSS: c.BSS, Fees: in.fees, Page: in.page, Invoices: c.Purser, Cycle: cycle, Member: in.member, From: from.Offset, Say: say}
		if in.sheet == "summary" {
			return run.Summary(ctx, to)
		}
		if reached != nil {
			run.Reached = func(offset int) error { return reached(focus.Place{Offset: offset}) }
		}
		n, _, _, err = run.Details(ctx, to)
		return from.Offset + n, err
	}
	var rows focus.Writer
	if in.form == "parquet" {
		rows = focus.NewParquet(to)
	} else if rows, err = focus.NewCSV(to, from == focus.Place{}); err != nil {
		return 0, err
	}
	run := focus.Export{
		BSS: c.BSS, Fees: in.fees, Page: in.page, Invoices: c.Purser, Cycle: cycle, Member: in.member, Back: in.back, From: from, Source: focus.Source{Provider: in.provider, Issuer: in.issuer},
		Say: say, Reached: reached,
	}
	n, _, _, err = run.Run(ctx, rows)
	if err != nil {
		return n, err
	}
	if from.Back == 0 {
		n += from.Offset
	}
	return n, rows.Close()
}
