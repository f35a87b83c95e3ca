// Package cli is the command line: it turns words into a configuration or an operation and prints what came of it.
//
// It owns no rule. Exit codes: 0 done, 1 failed, 2 the command line was wrong (nothing was done).
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/order"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// noCustomer is the code of a customer that is not there: mostly somebody gave an account's name.
const noCustomer = "PURSER.0104"

// usageError says that the words of the command line are wrong.
type usageError struct{ error }

// desk is what every command shares.
type desk struct {
	version  string
	in       io.Reader
	out, err io.Writer
	config   house.Config
	rules    rules
	logForm  string
	logLevel string
}

// Main runs purser and returns its exit code.
func Main(version string, args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := &desk{version: version, in: in, out: out, err: errs, config: house.Config{Orders: order.StandardRules()}}
	root := d.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if f, ok := fault.As(err); ok {
		fmt.Fprintf(errs, "purser: %s\n", f.Message)
		if f.Code == noCustomer {
			fmt.Fprintln(errs, "`purser customer list` names customers and their accounts; commands take the id.")
		}
		if problems, ok := f.Detail["problems"].([]string); ok {
			for _, p := range problems {
				fmt.Fprintln(errs, "  "+p)
			}
		}
		return exitFailed
	}
	fmt.Fprintf(errs, "purser: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") {
		fmt.Fprintln(errs, "Run with --help to see what there is.")
		return exitUsage
	}
	return exitFailed
}

func (d *desk) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "purser",
		Short: "The business office of a cloud",
		Long: `purser is the business office of a cloud in one program: what is sold and for how much, who may ask, what it
costs. On the wire it is Huawei Cloud's Operations Capability (BSS) API with the parts of IAM, EPS and CTS that go
with it: point an official SDK at it by endpoint alone.

Start with a made-up cloud, then look at the sign-ins and keys it prints:

    purser serve --demo --data ./purser-data

Every flag can also be set in the environment: --tls-listen is PURSER_TLS_LISTEN.`,
		SilenceErrors: true, SilenceUsage: true, Version: d.version,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return d.settle(c) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetVersionTemplate("purser {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := root.PersistentFlags()
	f.StringVar(&d.config.Data, "data", "purser-data", "`folder` of the store, the key file and demo.json")
	f.StringVar(&d.config.Database, "database", "", "PostgreSQL instead of the embedded SQLite: a `URL` postgres://user@host/name")
	f.StringVar(&d.logForm, "log-format", "text", "log lines as `text` or json")
	f.StringVar(&d.logLevel, "log-level", "info", "least `level` logged: debug, info, warn, error")
	root.AddCommand(d.serve(), d.portal(), d.catalog(), d.user(), d.project(), d.key(), d.customer(), d.clocks(), d.usage(), d.closes(), d.bill(), d.report(), d.invoice(), d.trace(), d.export(), d.check(), d.backup(), d.restore(), d.migrate(), d.versionCommand())
	return root
}

// settle reads the environment for flags that were not given, and makes the log.
func (d *desk) settle(c *cobra.Command) error {
	var wrong error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		name := "PURSER_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok && !f.Changed && f.Name != "help" {
			if err := f.Value.Set(value); err != nil {
				wrong = usageError{fmt.Errorf("%s=%q: %w", name, value, err)}
			}
		}
	})
	if wrong != nil {
		return wrong
	}
	if err := d.rules.apply(&d.config.Orders, &d.config.Settling); err != nil {
		return err
	}
	d.config.Version = d.version
	d.config.Key = os.Getenv("PURSER_KEY")
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.logLevel)); err != nil {
		return usageError{fmt.Errorf("--log-level %q: want debug, info, warn or error", d.logLevel)}
	}
	options := &slog.HandlerOptions{Level: level}
	switch d.logForm {
	case "text":
		d.config.Log = slog.New(slog.NewTextHandler(d.err, options))
	case "json":
		d.config.Log = slog.New(slog.NewJSONHandler(d.err, options))
	default:
		return usageError{fmt.Errorf("--log-format %q: want text or json", d.logForm)}
	}
	return nil
}

// open opens the house for a command that works on the store itself.
func (d *desk) open(ctx context.Context) (*house.House, error) {
	quiet := d.config
	quiet.Log = slog.New(slog.NewTextHandler(d.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return house.Open(ctx, quiet)
}

// with runs a command's work in an open house.
func (d *desk) with(ctx context.Context, work func(*house.House) error) error {
	h, err := d.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(work(h), h.Close())
}

func (d *desk) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: exactly(0),
		Run: func(*cobra.Command, []string) { fmt.Fprintln(d.out, "purser", d.version) },
	}
}

// exactly wants n arguments and says which are missing in the command's own words.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s: takes %d arguments, not %d; usage: %s", c.CommandPath(), n, len(args), c.UseLine())}
		}
		return nil
	}
}

// group is a command that only holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%s: there is no %q", c.CommandPath(), args[0])}
			}
			return c.Help()
		},
	}
	c.AddCommand(commands...)
	return c
}
