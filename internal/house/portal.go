package house

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
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

// inside is the way from the portal to the doors of the same process: requests go straight to the handler.
type inside struct{ doors http.Handler }

// RoundTrip lets the doors answer as if the browser had asked: its address is the request's.
func (t inside) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(doorway.Inside(r.Context()))
	in.RequestURI = r.URL.RequestURI()
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.Host = r.URL.Host
	in.RemoteAddr = net.JoinHostPort(r.Header.Get("X-Forwarded-For"), "0")
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &gathered{header: http.Header{}}
	t.doors.ServeHTTP(w, in)
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// gathered is an answer on its way through the process.
type gathered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *gathered) Header() http.Header { return w.header }
func (w *gathered) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
func (w *gathered) Write(b []byte) (int, error) { w.WriteHeader(http.StatusOK); return w.body.Write(b) }

// portalKey seals the portal's sessions: every process with the same store and key reads the same ones.
func portalKey(key []byte) ([]byte, error) {
	return identity.SubKey(key, "purser: sessions of the portal")
}

// openPortal makes the pages on the doors of this process.
func (h *House) openPortal(doors http.Handler) (*portal.Portal, error) {
	return portal.New(portal.Config{
		Here: true, Proxies: h.config.Proxies, Transport: inside{doors}, Key: h.portalKey, Clock: time.Now, Random: rand.Reader,
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
