package house

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/portal"
)

// portalKey seals the portal's sessions: every process with the same store and key reads the same ones.
func portalKey(key []byte) ([]byte, error) {
	return identity.SubKey(key, "purser: sessions of the portal")
}

// openPortal makes the pages on the doors of this process.
func (h *House) openPortal(doors http.Handler) (*portal.Portal, error) {
	return portal.New(portal.Config{
		Here: true, Proxies: h.config.Proxies, Transport: doorway.Within{To: doors}, Key: h.portalKey, Clock: time.Now, Random: rand.Reader,
		Version: h.config.Version, Log: h.log, Reference: true,
	})
}

// PortalConfig is a portal that is served alone, on any endpoint of the API.
type PortalConfig struct {
	Listen    string
	Endpoints portal.Endpoints
	Key       string // as of Config; empty: a new one, sessions end with the process
	Proxies   []netip.Prefix
	Version   string
	Log       *slog.Logger
}

// ServePortal serves the pages alone until ctx ends.
func ServePortal(ctx context.Context, c PortalConfig, started func(address string)) error {
	for _, at := range []string{c.Endpoints.BSS, c.Endpoints.IAM, c.Endpoints.EPS, c.Endpoints.CTS, c.Endpoints.Purser} {
		if u, err := url.Parse(at); at != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("endpoint %q: want http://… or https://…", at)
		}
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if c.Key != "" {
		given, err := identity.LoadKey(c.Key, "", rand.Reader)
		if err != nil {
			return err
		}
		if key, err = portalKey(given); err != nil {
			return err
		}
	}
	pages, err := portal.New(portal.Config{
		Endpoints: c.Endpoints, Key: key, Clock: time.Now, Random: rand.Reader, Proxies: c.Proxies, Version: c.Version, Log: c.Log,
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.Handle("/", pages)
	on, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go serve(server, on, failed)
	started("http://" + on.Addr().String())
	select {
	case err := <-failed:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return server.Shutdown(wait)
}
