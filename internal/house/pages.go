package house

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"

	"github.com/purser-cloud/purser/api"
)

// pages are what a person or a machine asks beside the contracts: health, metrics, the API's documents.
func (h *House) pages(metrics *prometheus.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { h.ready(w, r, false) })
	mux.HandleFunc("GET /readyz/usage", func(w http.ResponseWriter, r *http.Request) { h.ready(w, r, true) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /docs/api/{name}", contractFile)
	mux.Handle("GET /docs/", reference())
	mux.Handle("GET /docs", http.RedirectHandler("/docs/", http.StatusMovedPermanently))
	return mux
}

// readyMost is how long the store may take to answer before this node is not ready.
const readyMost = 2 * time.Second

// ready tells a balancer the truth: not while draining, and not when the store does not answer. A node whose queue is away goes on with
// all but reports of usage: it is ready and says so, but not to who asks for usage.
func (h *House) ready(w http.ResponseWriter, r *http.Request, usage bool) {
	if h.draining.Load() {
		say(w, http.StatusServiceUnavailable, "draining")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyMost)
	defer cancel()
	if err := h.db.Ping(ctx); err != nil {
		h.log.Error("not ready", "error", err)
		say(w, http.StatusServiceUnavailable, "the store does not answer")
		return
	}
	if q := h.Counter.Queue; q != nil {
		if away := q.Away(); away != "" {
			status := http.StatusOK
			if usage {
				status = http.StatusServiceUnavailable
			}
			say(w, status, "ready, but not for reports of usage: "+away)
			return
		}
	}
	say(w, http.StatusOK, "ready")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

func contractFile(w http.ResponseWriter, r *http.Request) {
	text, err := api.Files.ReadFile(r.PathValue("name"))
	if err != nil {
		say(w, http.StatusNotFound, "no such contract; there are "+strings.Join(api.Names, ", "))
		return
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Write(text) //nolint:errcheck // the reader has gone
}

// reference is the browsable reference: Swagger UI out of a Go module, nothing from outside.
func reference() http.Handler {
	urls := make([]string, len(api.Names))
	for i, name := range api.Names {
		urls[i] = fmt.Sprintf(`{url: "/docs/api/%s", name: "%s"}`, name, strings.TrimSuffix(name, ".yaml"))
	}
	return v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "purser API", SwaggerJSON: "/docs/api/" + api.Names[0], BasePath: "/docs/", ShowTopBar: true, HideCurl: false,
		SettingsUI: map[string]string{
			"urls":                     "[" + strings.Join(urls, ", ") + "]",
			"showExtensions":           "true",
			"docExpansion":             `"none"`,
			"validatorUrl":             "null",
			"tryItOutEnabled":          "false",
			"defaultModelsExpandDepth": "-1",
		},
	})
}

// front greets a browser where the portal is turned off.
func (h *House) front(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	fmt.Fprintf(w, frontPage, html.EscapeString(h.config.Version))
}

const frontPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>purser</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1c2733;background:#fff}
a{color:#0b57d0}code{background:#eef1f4;padding:.1em .35em;border-radius:4px}
@media (prefers-color-scheme:dark){body{color:#dde3ea;background:#14181d}a{color:#8ab4f8}code{background:#232a32}}</style>
<h1>purser</h1>
<p>The business office of a cloud, version %s. This address speaks the Operations Capability (BSS) API and the parts of
IAM, EPS and CTS that go with it: point an official SDK's endpoint here.</p>
<ul>
<li><a href="/docs/">API reference</a> of every contract</li>
<li><a href="/healthz"><code>/healthz</code></a>, <a href="/readyz"><code>/readyz</code></a>, <a href="/metrics"><code>/metrics</code></a></li>
</ul>
<p>Sign-ins and keys of the demo cloud are in <code>demo.json</code> in the data folder.</p>
</html>
`
