package cli

import (
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/purser-cloud/purser/internal/house"
)

func (d *desk) portal() *cobra.Command {
	p := house.PortalConfig{}
	c := &cobra.Command{
		Use: "portal", Short: "Serve the pages alone, on any endpoint of the API", Args: exactly(0),
		Long: `Serves the pages for customers against an endpoint of the same API, purser's or the real cloud's. What that endpoint
does not offer is hidden. Nothing is kept here: sessions are sealed cookies. PURSER_KEY seals them; without it a new key
is made and sessions end with the process.`,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.Endpoints.BSS == "" {
				return usageError{fmt.Errorf("--endpoint is needed: where the API is")}
			}
			p.Key, p.Version, p.Log = d.config.Key, d.version, d.config.Log
			return house.ServePortal(c.Context(), p, func(address string) { fmt.Fprintln(d.out, "the pages are at", address) })
		},
	}
	f := c.Flags()
	f.StringVar(&p.Listen, "listen", "127.0.0.1:8090", "`address` for http; put TLS in front of it")
	f.StringVar(&p.Endpoints.BSS, "endpoint", "", "`URL` of the API (BSS)")
	f.StringVar(&p.Endpoints.IAM, "iam-endpoint", "", "`URL` of IAM; default --endpoint")
	f.StringVar(&p.Endpoints.EPS, "eps-endpoint", "", "`URL` of EPS; default --endpoint")
	f.StringVar(&p.Endpoints.CTS, "cts-endpoint", "", "`URL` of CTS; default --endpoint")
	f.Func("trusted-proxy", "`range` of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; may be repeated", func(text string) error {
		one, err := netip.ParsePrefix(text)
		p.Proxies = append(p.Proxies, one)
		return err
	})
	return c
}
