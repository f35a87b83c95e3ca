package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/settlement"
	"github.com/purser-cloud/purser/internal/subscription"
)

// rules are the settings of orders as they were given. What a site has a default for waits until the site is known,
// whichever was given first.
type rules struct {
	site  string
	said  []func(*order.Rules)
	usage []func(*settlement.Rules)
}

// daysMost bounds settings in days: ten years.
const daysMost = 3650

// ruleFlags adds the settings of orders: the server's, and those of commands that let time pass on the store themselves.
func (d *desk) ruleFlags(f *pflag.FlagSet) {
	whole := func(name, usage string, most int, set func(*order.Rules, int)) {
		f.Func(name, usage, func(text string) error {
			n, err := within(text, 0, most)
			d.rules.said = append(d.rules.said, func(r *order.Rules) { set(r, n) })
			return err
		})
	}
	amount := func(into *money.Amount) func(string) error {
		return func(text string) (err error) {
			*into, err = money.ParseAmount(text)
			if err == nil && *into < 0 {
				err = errors.New("must not be below 0")
			}
			return err
		}
	}
	f.DurationVar(&d.config.Orders.Life, "order-life", d.config.Orders.Life, "how long an order can be paid")
	f.StringVar(&d.rules.site, "site", order.International, "`site` of the provider whose days of grace, retention and unconditional unsubscription hold where none are set: international or china")
	whole("grace-days", "`days` after expiry in which a resource is still usable, for customers whose tier has none of its own (default 15; china 1)", daysMost,
		func(r *order.Rules, n int) { r.Grace = n })
	whole("retention-days", "`days` after grace in which a resource is frozen before it is released, for customers whose tier has none of its own (default 15; china 1)", daysMost,
		func(r *order.Rules, n int) { r.Retention = n })
	f.Func("tier-days", "`list` of days of grace and retention by the customer's tier, such as V3=7/7,V0=1/1 (default: none; china V5 and V4 7/15, V3 7/7, V2 and V1 1/7, V0 1/1)", d.tierDays)
	f.Func("review-orders", "`amount` above which orders wait for approval; 0: none (default 0)", amount(&d.config.Orders.ReviewOrders))
	f.Func("review-refunds", "`amount` above which refunds wait for approval; 0: none (default 7000)", amount(&d.config.Orders.ReviewRefunds))
	whole("free-unsubscribe-days", "`days` of 24 hours from its provisioning in which a new resource is unsubscribed without fee and goes back in full, 0 to 28; 0: none (default 0; china 5)",
		order.FreeDaysMost, func(r *order.Rules, n int) { r.FreeDays = n })
	whole("free-unsubscribe-each", "`number` of such unsubscriptions that a customer has in a calendar year of GMT+8 (default 10)", math.MaxInt32,
		func(r *order.Rules, n int) { r.FreeEach = n })
	f.Func("invoice-due-days", "`days` from its date in which an invoice of a month that is still owed is to be paid, as it says; 0: it does not (default 15)", func(text string) error {
		n, err := within(text, 0, dueDaysMost)
		if d.config.PayWithin = n; n == 0 {
			d.config.PayWithin = -1
		}
		return err
	})
	d.usageFlags(f)
}

// dueDaysMost bounds the days in which an invoice is to be paid.
const dueDaysMost = 365

// usageFlags adds the settings of settlement and arrears.
func (d *desk) usageFlags(f *pflag.FlagSet) {
	d.config.Settling = settlement.StandardRules()
	f.DurationVar(&d.config.Settling.Lateness, "usage-lateness", d.config.Settling.Lateness, "how long after its end an hour (day, month) of usage is settled")
	f.DurationVar(&d.config.Settling.Ahead, "usage-ahead", d.config.Settling.Ahead, "usage records further in the future are kept aside")
	f.IntVar(&d.config.Settling.Oldest, "usage-months", d.config.Settling.Oldest, "`months` for which records are taken and their ids remembered; older ones are kept aside")
	days := func(name, usage string, set func(*settlement.Rules, time.Duration)) {
		f.Func(name, usage, func(text string) error {
			n, err := within(text, 0, daysMost)
			d.rules.usage = append(d.rules.usage, func(r *settlement.Rules) { set(r, time.Duration(n)*24*time.Hour) })
			return err
		})
	}
	days("arrears-grace-days", "`days` for which a customer in arrears keeps its pay-per-use resources usable, and charged, where its tier has none of its own (default 15; china 0)",
		func(r *settlement.Rules, d time.Duration) { r.Life.Grace = d })
	days("arrears-retention-days", "`days` after that in which they are frozen before they are released (default 15; china 1)",
		func(r *settlement.Rules, d time.Duration) { r.Life.Retention = d })
	f.Func("arrears-tier-days", "`list` of these days by the customer's tier, such as V3=1/7,V0=0/1 (default: none; china V5 and V4 7/15, V3 1/7, V2 and V1 0/7, V0 0/1)", d.arrearsTierDays)
}

// arrearsTierDays reads V3=1/7,V0=0/1.
func (d *desk) arrearsTierDays(text string) error {
	return eachTier(text, func(tier string, grace, retention int) {
		d.rules.usage = append(d.rules.usage, func(to *settlement.Rules) {
			if to.Tiers == nil {
				to.Tiers = map[string]settlement.Life{}
			}
			const day = 24 * time.Hour
			to.Tiers[tier] = settlement.Life{Grace: time.Duration(grace) * day, Retention: time.Duration(retention) * day}
		})
	})
}

// tierDays reads V3=7/7,V0=1/1; tiers that are not named keep the site's.
func (d *desk) tierDays(text string) error {
	return eachTier(text, func(tier string, grace, retention int) {
		d.rules.said = append(d.rules.said, func(to *order.Rules) {
			if to.Tiers == nil {
				to.Tiers = map[string]subscription.Life{}
			}
			to.Tiers[tier] = subscription.Life{Grace: grace, Retention: retention}
		})
	})
}

// eachTier reads a list of tiers with their days of grace and retention.
func eachTier(text string, set func(tier string, grace, retention int)) error {
	for one := range strings.SplitSeq(text, ",") {
		tier, days, _ := strings.Cut(strings.TrimSpace(one), "=")
		grace, retention, ok := strings.Cut(days, "/")
		g, err := within(grace, 0, daysMost)
		r, err2 := within(retention, 0, daysMost)
		if !ok || err != nil || err2 != nil || !account.IsTier(tier) {
			return fmt.Errorf("%q is not a tier with its days of grace and retention, such as V3=7/7", one)
		}
		set(tier, g, r)
	}
	return nil
}

// apply puts the settings on top of the site's.
func (r *rules) apply(to *order.Rules, usage *settlement.Rules) error {
	if r.site != "" && !to.Follow(r.site) {
		return usageError{fmt.Errorf("--site %q: want %s or %s", r.site, order.International, order.China)}
	}
	for _, set := range r.said {
		set(to)
	}
	if r.site == order.China {
		usage.FollowChina()
	}
	for _, set := range r.usage {
		set(usage)
	}
	return nil
}

// within reads a whole number between bounds.
func within(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("must be a whole number from %d to %d", least, most)
	}
	return n, nil
}
