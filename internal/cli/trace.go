package cli

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/purser-cloud/purser/internal/bucket"
	"github.com/purser-cloud/purser/internal/cycle"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/trace"
)

// traceFlags adds the settings of traces and of where requests come from.
func (d *desk) traceFlags(f *pflag.FlagSet) {
	f.Func("trusted-proxy", "`range` of proxies in front of the server, such as 10.0.0.0/8, whose X-Forwarded-For is believed; may be repeated", func(text string) error {
		p, err := netip.ParsePrefix(text)
		d.config.Proxies = append(d.config.Proxies, p)
		return err
	})
	f.StringVar(&d.config.HomeRegion, "home-region", "ap-southeast-1", "`region` whose projects hold the traces of global services")
	f.StringVar(&d.config.TraceStore, "trace-store", "", "where trace files are written: a folder or `s3+https://HOST/BUCKET[/PREFIX][?region=R]` (keys in PURSER_S3_ACCESS_KEY and PURSER_S3_SECRET_KEY)")
	f.DurationVar(&d.config.TraceEvery, "trace-every", 5*time.Minute, "how often a tracker writes its files")
	days := 0
	f.IntVar(&days, "trace-keep-days", 0, "`days` for which trace files and digests are kept, by real time; 0: for ever")
	f.Lookup("trace-keep-days").Value = &keepDays{f.Lookup("trace-keep-days").Value, &days, &d.config.TraceKeep}
	f.Func("trace-project-auth", "resource type of the trace that enabling enterprise projects leaves: billing (the guide's) or businessUnit (the API reference's)", func(text string) error {
		d.config.BusinessUnit = text == "businessUnit"
		if text != "billing" && text != "businessUnit" {
			return errors.New("must be billing or businessUnit")
		}
		return nil
	})
	f.StringVar(&d.config.ExportTo, "export-to", "", "where everybody's bills are exported each day from 04:00 GMT+8, as CUSTOMER/MONTH/FILE: a folder or `s3+https://HOST/BUCKET[/PREFIX][?region=R]`")
	f.StringSliceVar(&d.config.ExportFiles, "export-files", cycle.PushFiles[:1], "`LIST` of what is exported: "+strings.Join(cycle.PushFiles, ", "))
	d.config.StoreKeys = storeKeys()
}

// keepDays is a number of days that sets a duration.
type keepDays struct {
	pflag.Value
	days *int
	keep *time.Duration
}

func (k *keepDays) Set(text string) error {
	if err := k.Value.Set(text); err != nil {
		return err
	}
	if *k.days < 0 || *k.days > daysMost {
		return fmt.Errorf("must be 0 to %d", daysMost)
	}
	*k.keep = time.Duration(*k.days) * 24 * time.Hour
	return nil
}

// storeKeys are what an S3 service knows us by: in the environment only, no command line shows them.
func storeKeys() bucket.Keys {
	return bucket.Keys{Access: os.Getenv("PURSER_S3_ACCESS_KEY"), Secret: os.Getenv("PURSER_S3_SECRET_KEY"), Token: os.Getenv("PURSER_S3_TOKEN")}
}

func (d *desk) trace() *cobra.Command {
	return group("trace", "Audit traces: prove transferred files, the key of their digests",
		"verify needs the files and the public key only, and may be run anywhere.", d.traceVerify(), d.traceKey())
}

func (d *desk) traceKey() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the public key of the digests", Args: exactly(0),
		Long: "Prints the public half of the key that signs digests, as PEM. Keep a copy of it apart from the files: who verifies needs it.",
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(c.Context(), func(h *house.House) error {
				text, err := h.Counter.TraceKey(c.Context(), time.Now())
				fmt.Fprint(d.out, text)
				return err
			})
		},
	}
}

func (d *desk) traceVerify() *cobra.Command {
	var key, name, from, to string
	c := &cobra.Command{
		Use: "verify FOLDER|s3+https://HOST/BUCKET", Short: "Prove that no trace file is missing or changed", Args: exactly(1),
		Long: `Follows the chain of digests from the newest to the oldest, checks the signature of each, and holds every file against the
hash that its digest gives. What is missing, changed or not named by any digest is listed; exit code 1 says that there was
something, 2 that there is no such place. The place is that of the server's --trace-store; --bucket names the tracker's bucket in it.

With --key FILE nothing but the files is needed. Without, the store is asked for the key, and also for the digests that there
must be. The newest digest must be that of the last whole hour, or reach as far as --to.`,
		RunE: func(c *cobra.Command, args []string) error {
			p := trace.Proof{Bucket: name, Now: time.Now()}
			var err error
			if p.From, err = moment("--from", from); err != nil {
				return err
			}
			if p.To, err = moment("--to", to); err != nil {
				return err
			}
			if p.Store, err = bucket.OpenThere(args[0], storeKeys(), time.Now); err != nil {
				return usageError{err}
			}
			if name != "" {
				p.Store = bucket.Within(p.Store, name)
			}
			if key != "" {
				text, err := os.ReadFile(key)
				if err != nil {
					return err
				}
				return d.verify(c, &p, string(text))
			}
			return d.with(c.Context(), func(h *house.House) error {
				text, err := h.Counter.TraceKey(c.Context(), time.Now())
				if err == nil && name != "" {
					p.Known, err = h.Counter.KnownDigests(c.Context(), time.Now(), name)
				}
				if err != nil {
					return err
				}
				return d.verify(c, &p, text)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&key, "key", "", "public key of the digests, a PEM `file`; without it the store is asked")
	f.StringVar(&name, "bucket", "", "`name` of the tracker's bucket; without it the place itself is the bucket")
	f.StringVar(&from, "from", "", "`time` at which the chain may begin, such as 2026-11-01T00:00:00Z; without it, at its first digest")
	f.StringVar(&to, "to", "", "`time` that the chain must reach; without it, now")
	return c
}

func moment(name, text string) (at time.Time, err error) {
	if text == "" {
		return at, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil {
		return at, usageError{fmt.Errorf("%s: %q is not a time such as 2026-11-01T00:00:00Z", name, text)}
	}
	return at, nil
}

// verify proves a bucket and tells what came of it.
func (d *desk) verify(c *cobra.Command, p *trace.Proof, public string) error {
	block, _ := pem.Decode([]byte(public))
	if block == nil {
		return errors.New("the key is no PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("the key: %w", err)
	}
	var ok bool
	if p.Key, ok = parsed.(*rsa.PublicKey); !ok {
		return errors.New("the key is no RSA key")
	}
	r, err := trace.Verify(c.Context(), p)
	if err != nil {
		return err
	}
	for _, text := range r.Remarks {
		fmt.Fprintln(d.out, "note:", text)
	}
	for _, text := range r.Problems {
		fmt.Fprintln(d.out, "WRONG:", text)
	}
	fmt.Fprintf(d.out, "%d digests, %d files\n", r.Digests, r.Files)
	switch n := len(r.Problems); {
	case n == 1:
		return errors.New("1 thing is wrong")
	case n > 1:
		return fmt.Errorf("%d things are wrong", n)
	}
	fmt.Fprintln(d.out, "nothing is missing or changed")
	return nil
}
