package portal

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/purser"
)

// visit is one request of a browser.
type visit struct {
	portal  *Portal
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	real    time.Time // when it came
	now     time.Time // business time of the caller
	lang    language
	theme   string // auto, light or dark
	session *session
	expired bool // there was a session, which is over
	page    *page
	me      *purser.Me // nil: the endpoint does not tell
	api     *client.Client
	log     recorder
	told    *flash
	key     string // of the deed under way, its Idempotency-Key

	accounts map[string]string // names of customers that the page shows, by id
}

// flash is what a page says about the deed before it.
type flash struct {
	Good bool
	Text string
	Deed string // nonce, to show its calls
}

func (p *Portal) visit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{portal: p, w: w, r: r, ctx: r.Context(), real: p.config.Clock(), theme: "auto"}
	v.now = v.real
	v.lang = preferred(r.Header.Get("Accept-Language"))
	if c, err := r.Cookie(lookCookie); err == nil {
		lang, theme, _ := strings.Cut(c.Value, "-")
		v.setLook(lang, theme)
	}
	v.session = v.recall()
	return v
}

func (v *visit) setLook(lang, theme string) {
	switch lang {
	case "en":
		v.lang = english
	case "zh":
		v.lang = chinese
	}
	if theme == "auto" || theme == "light" || theme == "dark" {
		v.theme = theme
	}
}

// begin makes the clients and asks who is signed in.
func (v *visit) begin() error {
	v.connect(client.Credential{Token: v.session.Token})
	if c, err := v.r.Cookie(flashCookie); err == nil && v.r.Method == http.MethodGet {
		var f flash
		if v.portal.unseal("flash", c.Value, &f) {
			v.told = &f
		}
		v.setCookie(flashCookie, "", 0, true)
	}
	if v.real.Sub(v.session.Seen) > seenEvery {
		if err := v.keep(v.session); err != nil {
			return err
		}
	}
	if !v.session.Own {
		return nil
	}
	me := ask(v, func(ctx context.Context) (*purser.ShowMeReply, error) { return v.api.Purser.ShowMeWithResponse(ctx) })
	if err := v.wait(); err != nil {
		return err
	}
	if me.bad != nil {
		return me.bad
	}
	v.me = me.reply.JSON200
	if now, err := time.Parse(time.RFC3339, v.me.Now); err == nil {
		v.now = now
	}
	return nil
}

// turned says whether the caller's business time is not real time.
func (v *visit) turned() bool {
	d := v.now.Sub(v.real)
	return d > 2*time.Minute || d < -2*time.Minute
}

// q is a query argument, trimmed.
func (v *visit) q(name string) string { return strings.TrimSpace(v.r.URL.Query().Get(name)) }

// some is a query argument as an optional one of a call.
func (v *visit) some(name string) *string {
	if text := v.q(name); text != "" {
		return &text
	}
	return nil
}

// qInt is a whole query argument within bounds, or the default.
func (v *visit) qInt(name string, least, most, otherwise int) int {
	n, err := strconv.Atoi(v.q(name))
	if err != nil || n < least || n > most {
		return otherwise
	}
	return n
}

func (v *visit) form(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// someForm is a field of a form as an optional one of a call.
func (v *visit) someForm(name string) *string {
	if text := v.form(name); text != "" {
		return &text
	}
	return nil
}

// with is this page's address with some query arguments changed; an empty value takes one away.
func (v *visit) with(pairs ...string) string {
	q := url.Values{}
	for name, list := range v.r.URL.Query() {
		q[name] = list
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return link(v.r.URL.Path, q)
}

func link(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// to is an address with query arguments; empty ones are left out.
func to(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return link(path, q)
}

// render sends a whole page.
func (v *visit) render(status int, title string, body templ.Component) {
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(status)
	if err := layout(v, title, body).Render(v.ctx, v.w); err != nil {
		v.portal.config.Log.Debug("a page was not sent whole", "path", v.r.URL.Path, "error", err)
	}
}

// fail shows what went wrong in the place of a page.
func (v *visit) fail(err error) {
	var p *problem
	if !errors.As(err, &p) {
		v.portal.config.Log.Error("page failed", "path", v.r.URL.Path, "error", err)
		p = &problem{status: http.StatusInternalServerError, text: v.t("trouble.inside")}
	}
	if p.signedOut() {
		v.forget()
		v.expired = true
		v.toSignIn()
		return
	}
	status := p.status
	if status < 400 {
		status = http.StatusBadGateway
	}
	v.render(status, v.t("trouble.title"), troublePage(v, p))
}

func (v *visit) redirect(to string) { http.Redirect(v.w, v.r, to, http.StatusSeeOther) }

// toSignIn leads to the sign-in, which leads back.
func (v *visit) toSignIn() {
	back := ""
	if v.r.Method == http.MethodGet && v.r.URL.RequestURI() != "/" {
		back = v.r.URL.RequestURI()
	}
	over := ""
	if v.expired {
		over = "1"
	}
	v.redirect(to("/signin", "back", back, "over", over))
}

// outcome is what became of a deed: a text, and where to go on.
type outcome struct {
	good bool
	text string
	to   string // empty: back to the page
	body templ.Component
}

func done(to, text string) outcome           { return outcome{good: true, to: to, text: text} }
func refused(to string, text string) outcome { return outcome{to: to, text: text} }

// refusal is the outcome of a call that was refused, in the API's words.
func (v *visit) refusal(to string, bad *problem) outcome {
	if bad.signedOut() {
		v.expired = true
	}
	return outcome{to: to, text: v.problemText(bad)}
}

// back is the page that a form was on: its own path with what it names as `back`.
func (v *visit) back() string {
	if at := v.form("_back"); local(at) {
		return at
	}
	return v.page.path
}

// local says whether an address leads nowhere but into the portal.
func local(at string) bool {
	u, err := url.Parse(at)
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "//") && !strings.Contains(at, "\\")
}

// act does what a form asks for, once.
func (p *Portal) act(g *page, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, here := p.enter(w, r, g)
		if v == nil {
			return
		}
		do := here.acts[name]
		if do == nil {
			v.render(http.StatusNotFound, v.t("lost.title"), lostPage(v))
			return
		}
		nonce, good := v.token()
		if !good {
			v.tell(flash{Text: v.t("trouble.form")})
			v.redirect(v.back())
			return
		}
		one, mine := p.done.begin(nonce, v.real)
		if mine {
			v.key = nonce
			func() {
				defer close(one.over)
				one.out = refused("", v.t("trouble.inside"))
				one.out, one.calls = do(v), nil
				one.calls = v.log.list()
			}()
		}
		select {
		case <-one.over:
		case <-v.ctx.Done():
			return
		}
		out := one.out
		if v.expired {
			v.forget()
			v.toSignIn()
			return
		}
		if out.body != nil {
			if !mine {
				v.tell(flash{Good: true, Text: v.t("form.was_done"), Deed: nonce})
				v.redirect(v.back())
				return
			}
			v.told = &flash{Good: out.good, Text: out.text}
			v.render(http.StatusOK, v.t(here.title), out.body)
			return
		}
		v.tell(flash{Good: out.good, Text: out.text, Deed: nonce})
		if out.to == "" {
			out.to = v.back()
		}
		v.redirect(out.to)
	}
}

// flashMost bounds what is said about a deed, in bytes: it travels in a cookie.
const flashMost = 1200

// tell keeps a word for the next page.
func (v *visit) tell(f flash) {
	for len(f.Text) > flashMost {
		cut := []rune(f.Text)
		f.Text = string(cut[:len(cut)*3/4]) + "…"
	}
	if text, err := v.portal.seal("flash", f); err == nil {
		v.setCookie(flashCookie, text, 5*time.Minute, true)
	}
}

// problem is a call that did not do what was asked, in words for a person.
type problem struct {
	status int
	code   string
	text   string
}

func (p *problem) Error() string { return p.code + " " + p.text }

// notBuilt says that the endpoint knows the operation and does not have it.
func (p *problem) notBuilt() bool { return p.status == http.StatusNotImplemented }

// lacks says that the endpoint does not know the operation at all.
func (p *problem) lacks() bool { return p.status == http.StatusNotFound && p.code == "APIGW.0101" }

func (p *problem) forbidden() bool { return p.status == http.StatusForbidden }

// signedOut says that the token is no longer good.
func (p *problem) signedOut() bool { return p.status == http.StatusUnauthorized }

// problemText is a refusal in words.
func (v *visit) problemText(p *problem) string {
	switch {
	case p.notBuilt():
		return v.t("trouble.not_built")
	case p.status == 0:
		return v.t("trouble.unreachable")
	case p.code == "":
		return v.said(p.text)
	}
	return v.said(p.text) + v.t("said.code", p.code)
}

// problemOf reads the refusal out of an answer, in the form of any of the contracts.
func problemOf(status int, body []byte) *problem {
	p := &problem{status: status}
	var flat struct {
		ErrorCode string `json:"error_code"`
		ErrorMsg  string `json:"error_msg"`
		Error     struct {
			ErrorCode string          `json:"error_code"`
			ErrorMsg  string          `json:"error_msg"`
			Code      json.RawMessage `json:"code"`
			Message   string          `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &flat) == nil {
		p.code, p.text = flat.ErrorCode, flat.ErrorMsg
		if p.text == "" {
			p.code, p.text = flat.Error.ErrorCode, flat.Error.ErrorMsg
		}
		if p.text == "" {
			p.text = flat.Error.Message
		}
	}
	if p.text == "" {
		p.text = http.StatusText(status)
	}
	return p
}
