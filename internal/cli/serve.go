package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/house"
)

func (d *desk) serve() *cobra.Command {
	c := &cobra.Command{
		Use: "serve", Short: "Serve the API", Args: exactly(0),
		Long: `Serves every contract on one address, with /healthz, /readyz, /metrics and the API reference at /docs.

With --demo an empty store gets a made-up cloud (catalogue, an operator, customers); demo.json in the data folder
holds its sign-ins and keys. SIGTERM or Ctrl-C drains: /readyz turns false, requests under way are finished.

Secrets in the store are sealed with 32 bytes from PURSER_KEY (base64 or hex) or from the key file in the data
folder, which is made when there is none. Without the key the store's secrets are lost: back it up apart.`,
		RunE: func(c *cobra.Command, _ []string) error { return d.runServer(c) },
	}
	f := c.Flags()
	f.StringVar(&d.config.Listen, "listen", "127.0.0.1:8080", "`address` for http; port 0 takes a free one")
	f.StringVar(&d.config.TLSListen, "tls-listen", "", "`address` for https as well")
	f.StringVar(&d.config.TLSCert, "tls-cert", "", "certificate `file` (PEM); without it a local one is made in the data folder")
	f.StringVar(&d.config.TLSKey, "tls-key", "", "key `file` of the certificate (PEM)")
	f.BoolVar(&d.config.Demo, "demo", false, "furnish an empty store with a made-up cloud and write demo.json")
	f.BoolVar(&d.config.TestClock, "test-clock", false, "let the operator turn the clock, for a customer or the whole house (never on a house with real customers)")
	f.BoolVar(&d.config.Sandbox, "sandbox-payments", false, "take top-ups through a payment provider without money, for tests; --demo does so too (never on a house with real customers)")
	f.StringVar(&d.config.Limits, "limits", "generous", "requests a second for each operation and user: generous (1000), provider (10, orders 20), off, or a `number`")
	f.Func("webhook-allow", "`range` of inside addresses that webhooks may lead to, such as 10.0.0.0/8; may be repeated (--demo allows the machine itself)", func(text string) error {
		p, err := netip.ParsePrefix(text)
		d.config.Webhooks = append(d.config.Webhooks, p)
		return err
	})
	f.Func("provisioner", "who provisions what is bought: default (the house, at once) or external (a cloud that is told by webhook and reports; see docs/operator.md)", func(text string) error {
		d.config.Orders.External = text == "external"
		if text != "default" && text != "external" {
			return errors.New("must be default or external")
		}
		return nil
	})
	d.traceFlags(f)
	f.Bool("portal", true, "serve the pages for customers and the operator at /; --portal=false serves the API alone")
	f.Func("project-quota", "`number` of enterprise projects that an account may have beside the default one (default 100)", func(text string) (err error) {
		if d.config.Projects.Most, err = strconv.Atoi(text); err == nil && (d.config.Projects.Most < 1 || d.config.Projects.Most > projectsMost) {
			err = fmt.Errorf("must be 1 to %d", projectsMost)
		}
		return err
	})
	f.BoolVar(&d.config.Projects.Deletable, "delete-projects", false, "let enterprise projects that hold nothing be deleted")
	f.Func("bill-rounding", "how rows of a month's bill are brought to the minor unit when it is closed: truncate (default) or half-up", func(text string) error {
		d.config.Bills = bill.Rounding(text)
		if d.config.Bills != bill.Truncate && d.config.Bills != bill.HalfUp {
			return errors.New("must be truncate or half-up")
		}
		return nil
	})
	f.Func("bill-latency", "how late bills and costs are shown: none (default), or provider: summaries and costs up to 24:00 of the day before, details after an hour", func(text string) error {
		d.config.BillsLate = text == "provider"
		if text != "none" && text != "provider" {
			return errors.New("must be none or provider")
		}
		return nil
	})
	f.StringVar(&d.config.Replica, "database-replica", "", "standby of the PostgreSQL database, a `URL`: lists of bills, usage and traces are read from it where they may be a little old, and say so (see docs/operator.md)")
	f.Func("replica-lag", "how old an answer from the standby may be, as a `duration` (default 10s)", func(text string) (err error) {
		if d.config.ReplicaLag, err = time.ParseDuration(text); err == nil && (d.config.ReplicaLag < 100*time.Millisecond || d.config.ReplicaLag > time.Hour) {
			err = errors.New("must be 100ms to 1h")
		}
		return err
	})
	f.IntVar(&d.config.ArchiveAfter, "archive-after-months", 0, "`number` of months of usage that stay in a PostgreSQL database; older ones are put away (default 0: all stay)")
	f.StringVar(&d.config.ArchiveTo, "archive-to", "", "`place` where they are written, a folder or s3+https://HOST/BUCKET")
	f.BoolVar(&d.config.ArchiveDrop, "archive-drop", false, "drop what was written and read back; else it stays beside the tables")
	d.queueFlags(f)
	d.ruleFlags(f)
	d.fontFlag(f)
	f.DurationVar(&d.config.Notice, "drain-notice", 0, "how long a stop answers /readyz with 503 and still takes requests, before it drains: longer than a balancer takes to see it")
	f.DurationVar(&d.config.Drain, "drain", 30*time.Second, "how long a stop waits for requests under way")
	return c
}

// projectsMost bounds the setting: an account's projects are read together.
const projectsMost = 1000

func (d *desk) runServer(c *cobra.Command) error {
	ctx := c.Context()
	pages, err := c.Flags().GetBool("portal")
	if err != nil {
		return err
	}
	d.config.NoPortal = !pages
	if err := checkQueue(&d.config.Queue); err != nil {
		return err
	}
	h, err := house.Open(ctx, d.config)
	if err != nil {
		return err
	}
	if d.config.Demo {
		if err := h.Furnish(ctx, func(line string) { fmt.Fprintln(d.err, line) }); err != nil {
			return errors.Join(err, h.Close())
		}
	}
	err = h.Serve(ctx, func(endpoint, tlsEndpoint string) error {
		if !d.config.Demo {
			d.config.Log.Info("serving", "endpoint", endpoint, "tls_endpoint", tlsEndpoint, "version", d.version)
			return nil
		}
		demo, err := h.WriteDemo(endpoint, tlsEndpoint)
		if err != nil {
			return err
		}
		fmt.Fprint(d.out, demo.Welcome())
		return nil
	})
	if err = errors.Join(err, h.Close()); err == nil {
		d.config.Log.Info("stopped")
	}
	return err
}
