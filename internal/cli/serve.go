package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/subscription"
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
	d.config.Orders, d.config.Settling = order.StandardRules(), settlement.StandardRules()
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
	f.DurationVar(&d.config.Orders.Life, "order-life", d.config.Orders.Life, "how long an order can be paid")
	f.IntVar(&d.config.Orders.Grace, "grace-days", d.config.Orders.Grace, "`days` after expiry in which a resource is still usable")
	f.IntVar(&d.config.Orders.Retention, "retention-days", d.config.Orders.Retention, "`days` after grace in which a resource is frozen before it is released")
	f.IntVar(&d.config.Orders.FreeDays, "free-unsubscribe-days", d.config.Orders.FreeDays, "`days` of 24 hours after provisioning in which what was newly bought is unsubscribed in full, without a fee; 0: never")
	f.IntVar(&d.config.Orders.FreeEach, "free-unsubscribe-each", d.config.Orders.FreeEach, "how many `times` a customer has that in a calendar year")
	f.Func("site", "grace and retention as on a site of the provider: international (15 and 15 days) or china (by tier: V5, V4 7/15, V3 7/7, V2, V1 1/7, V0 1/1)", func(text string) error {
		return site(text, &d.config)
	})
	f.Func("tier-days", "grace/retention `days` of a tier, such as V3=7/7, of yearly/monthly and of pay-per-use resources; may be repeated", func(text string) error {
		return tierDays(text, &d.config)
	})
	amount := func(into *money.Amount) func(string) error {
		return func(text string) (err error) {
			*into, err = money.ParseAmount(text)
			if err == nil && *into < 0 {
				err = errors.New("must not be below 0")
			}
			return err
		}
	}
	f.Func("review-orders", "`amount` above which orders wait for approval; 0: none (default 0)", amount(&d.config.Orders.ReviewOrders))
	f.Func("review-refunds", "`amount` above which refunds wait for approval; 0: none (default 7000)", amount(&d.config.Orders.ReviewRefunds))
	f.DurationVar(&d.config.Settling.Lateness, "usage-lateness", d.config.Settling.Lateness, "how long after its end an hour (day, month) of usage is settled")
	f.DurationVar(&d.config.Settling.Ahead, "usage-ahead", d.config.Settling.Ahead, "usage records further in the future are kept aside")
	f.IntVar(&d.config.Settling.Oldest, "usage-months", d.config.Settling.Oldest, "`months` for which records are taken and their ids remembered; older ones are kept aside")
	days := func(into *time.Duration) func(string) error {
		return func(text string) error {
			n, err := strconv.Atoi(text)
			if err == nil && (n < 0 || n > 3650) {
				err = errors.New("must be 0 to 3650")
			}
			*into = time.Duration(n) * 24 * time.Hour
			return err
		}
	}
	f.Func("arrears-grace-days", "`days` for which a customer in arrears keeps its pay-per-use resources usable, and charged (default 15)", days(&d.config.Settling.Life.Grace))
	f.Func("arrears-retention-days", "`days` after that in which they are frozen before they are released (default 15)", days(&d.config.Settling.Life.Retention))
	f.DurationVar(&d.config.Drain, "drain", 30*time.Second, "how long a stop waits for requests under way")
	return c
}

// site sets grace and retention as on a site of the provider (billing-rules 2.2).
func site(name string, c *house.Config) error {
	switch name {
	case "international":
	case "china":
		const day = 24 * time.Hour
		c.Orders.Tiers, c.Settling.Tiers = map[string]subscription.Life{}, map[string]settlement.Life{}
		for tier, d := range map[string][4]int{"V5": {7, 15, 7, 15}, "V4": {7, 15, 7, 15}, "V3": {7, 7, 1, 7}, "V2": {1, 7, 0, 7}, "V1": {1, 7, 0, 7}, "V0": {1, 1, 0, 1}} {
			c.Orders.Tiers[tier] = subscription.Life{Grace: d[0], Retention: d[1]}
			c.Settling.Tiers[tier] = settlement.Life{Grace: time.Duration(d[2]) * day, Retention: time.Duration(d[3]) * day}
		}
		c.Orders.Grace, c.Orders.Retention = 1, 1 // who has no tier is as V0
		c.Settling.Life = c.Settling.Tiers["V0"]
	default:
		return errors.New("must be international or china")
	}
	return nil
}

// tierDays reads V3=7/7.
func tierDays(text string, c *house.Config) error {
	wrong := errors.New("must be of the form V3=7/7: tier, days of grace, days of retention")
	tier, days, ok := strings.Cut(text, "=")
	grace, retention, also := strings.Cut(days, "/")
	g, err := strconv.Atoi(grace)
	r, err2 := strconv.Atoi(retention)
	if !ok || !also || err != nil || err2 != nil || g < 0 || r < 0 || g > 3650 || r > 3650 || len(tier) != 2 || tier[0] != 'V' || tier[1] < '0' || tier[1] > '5' {
		return wrong
	}
	if c.Orders.Tiers == nil {
		c.Orders.Tiers = map[string]subscription.Life{}
	}
	if c.Settling.Tiers == nil {
		c.Settling.Tiers = map[string]settlement.Life{}
	}
	c.Orders.Tiers[tier] = subscription.Life{Grace: g, Retention: r}
	c.Settling.Tiers[tier] = settlement.Life{Grace: time.Duration(g) * 24 * time.Hour, Retention: time.Duration(r) * 24 * time.Hour}
	return nil
}

func (d *desk) runServer(c *cobra.Command) error {
	ctx := c.Context()
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
	return errors.Join(err, h.Close())
}
