// Package portal is the self-built sales platform in the browser: Billing Center and console for customers, and the
// operator's pages. It speaks only the public contracts through the generated clients, as the example to copy: nothing
// else of the house is known here, and another endpoint of the same API serves as well.
//
// It owns no rule and no fact: what it shows comes from the API in the same request, what it does is one call of it. Its own
// are the session (a sealed cookie that holds the caller's IAM token; nothing is kept in the house), one-use form tokens,
// texts in two languages, and how things look.
//
// Times: pages think in the caller's business time, which the API tells (`now` of ShowMe); sessions and form tokens use real
// time. Amounts are exact decimals, never floats.
//
// Invariants: at most 8 calls a page, none in a loop, independent ones at once; a form is done once however often it is
// sent; nothing of a page is fetched from elsewhere, no script or style is inline; every text has both languages.
package portal

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Endpoints are where the contracts are spoken. Empty ones are BSS's.
type Endpoints struct{ BSS, IAM, EPS, CTS, Purser string }

func (e Endpoints) filled() Endpoints {
	for _, at := range []*string{&e.IAM, &e.EPS, &e.CTS, &e.Purser} {
		if *at == "" {
			*at = e.BSS
		}
	}
	return e
}

// Config is everything that the portal needs; all but Endpoints and Key have defaults.
type Config struct {
	Endpoints Endpoints
	Here      bool              // the endpoints are where the pages are, in the same process: Transport leads there
	Transport http.RoundTripper // the way to the endpoints; nil: the network
	Key       []byte            // 32 bytes that seal sessions
	Clock     func() time.Time  // real time
	Random    io.Reader
	Proxies   []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	Version   string
	Log       *slog.Logger
	Reference bool // the API reference is served beside, at /docs/
}

// Portal is the pages as an http.Handler.
type Portal struct {
	config Config
	sealer cipher.AEAD
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	done   deeds
	pages  []*page
	byPath map[string]*page
	assets map[string]asset
}

//go:embed assets
var assetFiles embed.FS

// New makes the portal.
func New(c Config) (*Portal, error) {
	if c.Clock == nil || c.Random == nil || len(c.Key) != 32 || c.Endpoints.BSS == "" && !c.Here {
		return nil, errors.New("portal: a clock, randomness, a key of 32 bytes and an endpoint are needed")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	c.Endpoints = c.Endpoints.filled()
	block, err := aes.NewCipher(c.Key)
	if err != nil {
		return nil, err
	}
	p := &Portal{config: c, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), byPath: map[string]*page{}}
	if p.sealer, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	if p.assets, err = readAssets(); err != nil {
		return nil, err
	}
	p.done.known = map[string]*deed{}
	p.hang()
	return p, nil
}

// hang hangs every page, action and asset into the mux.
func (p *Portal) hang() {
	for name := range p.assets {
		p.mux.HandleFunc("GET /assets/"+name, p.asset)
	}
	p.mux.HandleFunc("GET /signin", p.bare(p.showSignIn))
	p.mux.HandleFunc("POST /signin", p.bare(p.signIn))
	p.mux.HandleFunc("POST /signout", p.bare(p.signOut))
	p.mux.HandleFunc("POST /look", p.bare(p.look))
	for _, list := range [][]*page{operatorPages(), customerPages()} {
		for _, one := range list {
			p.pages = append(p.pages, one)
			pattern := one.path
			if pattern == "/" {
				pattern = "/{$}"
			}
			if other := p.byPath[one.path]; other != nil { // the front page of each kind of account
				other.others = append(other.others, one)
				continue
			}
			p.byPath[one.path] = one
			p.mux.HandleFunc("GET "+pattern, p.show(one))
			for name := range one.acts {
				p.mux.HandleFunc("POST "+one.path+"/"+name, p.act(one, name))
			}
			for name := range one.files {
				p.mux.HandleFunc("GET "+one.path+"/"+name, p.file(one, name))
			}
		}
	}
}

// Owns says whether a request is for the portal: one of its pages, or a browser that is lost.
func (p *Portal) Owns(r *http.Request) bool {
	if _, pattern := p.mux.Handler(r); pattern != "" {
		return true
	}
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") && !apiPath(r.URL.Path)
}

// apiPath says whether a path is of the contracts.
func apiPath(path string) bool {
	return len(path) > 2 && path[1] == 'v' && path[2] >= '0' && path[2] <= '9' || strings.HasPrefix(path, "/purser/")
}

// formMost bounds what a form may send, in bytes.
const formMost = 12 << 20

// ServeHTTP answers a browser.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	if err := p.cross.Check(r); err != nil {
		http.Error(w, "this request comes from another site", http.StatusForbidden)
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, formMost)
	}
	if _, pattern := p.mux.Handler(r); pattern == "" {
		v := p.visit(w, r)
		v.render(http.StatusNotFound, v.t("lost.title"), lostPage(v))
		return
	}
	p.mux.ServeHTTP(w, r)
}

// page is one page of the portal with what can be done on it.
type page struct {
	path   string
	title  string   // key of its text
	group  string   // key of the group's text in the navigation; empty: not in it
	kinds  []string // of accounts that it is for
	own    bool     // needs purser's own operations
	parent string   // path of the page that the navigation marks instead
	show   func(*visit) (templ.Component, error)
	acts   map[string]func(*visit) outcome
	files  map[string]func(*visit) (*download, error)
	others []*page // the same path for other kinds of accounts
}

func (g *page) isFor(kind string) bool {
	for _, k := range g.kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// of finds the page of a path for a kind of account.
func (g *page) of(kind string) *page {
	if g.isFor(kind) {
		return g
	}
	for _, other := range g.others {
		if other.isFor(kind) {
			return other
		}
	}
	return nil
}

// bare handles what needs no session.
func (p *Portal) bare(handle func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { handle(p.visit(w, r)) }
}

// enter begins a visit of somebody who is signed in, or leads to the sign-in.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request, g *page) (*visit, *page) {
	v := p.visit(w, r)
	if v.session == nil {
		v.toSignIn()
		return nil, nil
	}
	here := g.of(v.session.Kind)
	if here == nil || here.own && !v.session.Own {
		v.render(http.StatusNotFound, v.t("lost.title"), lostPage(v))
		return nil, nil
	}
	v.page = here
	if err := v.begin(); err != nil {
		v.fail(err)
		return nil, nil
	}
	return v, here
}

func (p *Portal) show(g *page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, here := p.enter(w, r, g)
		if v == nil {
			return
		}
		body, err := here.show(v)
		if err != nil {
			v.fail(err)
			return
		}
		v.render(http.StatusOK, v.t(here.title), body)
	}
}

// download is a file that a page offers.
type download struct {
	name, kind string
	content    []byte
	stream     io.ReadCloser         // instead of content, of what may be long
	write      func(io.Writer) error // the same, made while it is sent
}

func (p *Portal) file(g *page, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, here := p.enter(w, r, g)
		if v == nil {
			return
		}
		f, err := here.files[name](v)
		if err != nil {
			v.fail(err)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", f.name))
		h.Set("Cache-Control", "no-store")
		if f.stream != nil {
			defer f.stream.Close()
			if _, err := io.Copy(w, f.stream); err != nil {
				p.config.Log.Warn("a file was not sent whole", "path", r.URL.Path, "error", err)
				panic(http.ErrAbortHandler) // half a file must not look like a whole one
			}
			return
		}
		if f.write != nil {
			if err := f.write(w); err != nil {
				p.config.Log.Warn("a file was not sent whole", "path", r.URL.Path, "error", err)
				panic(http.ErrAbortHandler)
			}
			return
		}
		w.Write(f.content) //nolint:errcheck // the reader has gone
	}
}

// asset is a file that goes with the pages, under a name that changes with its content.
type asset struct {
	kind    string
	content []byte
	mark    string
}

func readAssets() (map[string]asset, error) {
	out := map[string]asset{}
	err := fs.WalkDir(assetFiles, "assets", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := assetFiles.ReadFile(path)
		if err != nil {
			return err
		}
		kinds := map[string]string{"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
		name := strings.TrimPrefix(path, "assets/")
		out[name] = asset{kind: kinds[name[strings.LastIndex(name, ".")+1:]], content: content, mark: digest(content)}
		return nil
	})
	return out, err
}

func (p *Portal) asset(w http.ResponseWriter, r *http.Request) {
	a := p.assets[strings.TrimPrefix(r.URL.Path, "/assets/")]
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Etag", `"`+a.mark+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
}

// assetURL is where a file of the pages is, with a mark of its content.
func (p *Portal) assetURL(name string) string { return "/assets/" + name + "?" + p.assets[name].mark }

// source is the browser's address: of the connection, or as a believed proxy says.
func (p *Portal) source(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 && p.believes(r) {
		list := strings.Split(forwarded[len(forwarded)-1], ",")
		if last, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			return last.Unmap().String()
		}
	}
	return at.Addr().Unmap().String()
}

func (p *Portal) believes(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	for _, range_ := range p.config.Proxies {
		if range_.Contains(at.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// secure says whether the browser came over TLS: then its cookies never leave it.
func (p *Portal) secure(r *http.Request) bool {
	return r.TLS != nil || p.believes(r) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// callTime bounds how long a page waits for the API.
const callTime = 30 * time.Second

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, callTime)
}
