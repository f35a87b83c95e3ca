package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/cts"
	"github.com/purser-cloud/purser/client/eps"
	"github.com/purser-cloud/purser/client/iam"
	"github.com/purser-cloud/purser/client/purser"
)

// call is one call of the API that a page made, as it is shown; secrets are left out.
type call struct {
	Contract  string // bss, iam, eps, cts, purser
	Operation string
	Method    string
	URL       string
	Query     map[string][]string
	Body      []byte
	Status    int
	Took      time.Duration
}

// recorder keeps the calls of a visit, in the order in which they were begun.
type recorder struct {
	mu      sync.Mutex
	calls   []*call
	waiting sync.WaitGroup
}

func (l *recorder) list() []call {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]call, len(l.calls))
	for i, c := range l.calls {
		out[i] = *c
	}
	return out
}

type callKey struct{}

// transport records each call and says on whose behalf it is made.
type transport struct{ v *visit }

// bodyShown is how much of a request's body is shown, in bytes.
const bodyShown = 4096

// RoundTrip sends a request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	v := t.v
	if r.Header.Get("X-Language") == "" {
		r.Header.Set("X-Language", v.lang.wire())
	}
	r.Header.Set("X-Forwarded-For", v.portal.source(v.r))
	r.Header.Set("X-Purser-Console", "1")
	if one, ok := r.Context().Value(callKey{}).(*call); ok {
		one.Method, one.URL, one.Query = r.Method, r.URL.Scheme+"://"+r.URL.Host+r.URL.EscapedPath(), r.URL.Query()
		if r.Body != nil && r.Body != http.NoBody {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			one.Body = withoutSecrets(body)
		}
		began := v.portal.config.Clock()
		defer func() { one.Took = v.portal.config.Clock().Sub(began) }()
	}
	return v.portal.config.Transport.RoundTrip(r)
}

// secretNames are fields whose values are never shown.
var secretNames = map[string]bool{"password": true, "original_password": true, "secret": true, "token": true, "passcode": true}

// withoutSecrets is a body as it may be shown.
func withoutSecrets(body []byte) []byte {
	var thing any
	read := json.NewDecoder(bytes.NewReader(body))
	read.UseNumber()
	if read.Decode(&thing) != nil {
		return nil
	}
	hide(thing)
	out, err := json.MarshalIndent(thing, "", "  ")
	if err != nil || len(out) > bodyShown {
		return append(out[:min(len(out), bodyShown)], "…"...)
	}
	return out
}

func hide(thing any) {
	switch thing := thing.(type) {
	case map[string]any:
		for name, value := range thing {
			if _, text := value.(string); text && secretNames[strings.ToLower(name)] {
				thing[name] = "***"
				continue
			}
			hide(value)
		}
	case []any:
		for _, one := range thing {
			hide(one)
		}
	}
}

// connect makes the clients of a visit.
func (v *visit) connect(credential client.Credential) {
	doer := &http.Client{Transport: transport{v}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	edit := func(_ context.Context, r *http.Request) error { return credential.Apply(r, v.portal.config.Clock()) }
	at := v.portal.config.Endpoints
	if v.portal.config.Here {
		at = Endpoints{BSS: v.origin()}.filled()
	}
	var c client.Client
	var errs [5]error
	c.BSS, errs[0] = bss.NewClientWithResponses(at.BSS, bss.WithHTTPClient(doer), bss.WithRequestEditorFn(edit))
	c.IAM, errs[1] = iam.NewClientWithResponses(at.IAM, iam.WithHTTPClient(doer), iam.WithRequestEditorFn(edit))
	c.EPS, errs[2] = eps.NewClientWithResponses(at.EPS, eps.WithHTTPClient(doer), eps.WithRequestEditorFn(edit))
	c.CTS, errs[3] = cts.NewClientWithResponses(at.CTS, cts.WithHTTPClient(doer), cts.WithRequestEditorFn(edit))
	c.Purser, errs[4] = purser.NewClientWithResponses(at.Purser, purser.WithHTTPClient(doer), purser.WithRequestEditorFn(edit))
	if err := errors.Join(errs[:]...); err != nil {
		v.portal.config.Log.Debug("an address that is none", "error", err) // of a Host that is none; calls will fail
	}
	v.api = &c
}

// origin is where the browser found these pages.
func (v *visit) origin() string {
	if v.portal.secure(v.r) {
		return "https://" + v.r.Host
	}
	return "http://" + v.r.Host
}

// reply is what the generated clients answer with.
type reply interface {
	StatusCode() int
	GetBody() []byte
}

// asked is a call under way; after wait, reply is there unless bad says why not.
type asked[R reply] struct {
	reply R
	bad   *problem
}

// ok says that there is an answer.
func (a *asked[R]) ok() bool { return a != nil && a.bad == nil }

// ask begins a call; calls that are begun before wait run at once.
func ask[R reply](v *visit, do func(context.Context) (R, error)) *asked[R] {
	out := &asked[R]{}
	kind := strings.TrimPrefix(fmt.Sprintf("%T", out.reply), "*")
	contract, name, _ := strings.Cut(kind, ".")
	one := &call{Contract: contract, Operation: strings.TrimSuffix(name, "Reply")}
	v.log.mu.Lock()
	v.log.calls = append(v.log.calls, one)
	v.log.mu.Unlock()
	v.log.waiting.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				v.portal.config.Log.Error("panic in a call", "operation", one.Operation, "panic", p)
				out.bad = &problem{text: "internal"}
			}
		}()
		ctx, cancel := bounded(context.WithValue(v.ctx, callKey{}, one))
		defer cancel()
		got, err := do(ctx)
		if err != nil {
			v.portal.config.Log.Warn("call failed", "operation", one.Operation, "error", err)
			out.bad = &problem{text: err.Error()}
			return
		}
		one.Status = got.StatusCode()
		if one.Status >= 400 || one.Status < 200 {
			out.bad = problemOf(one.Status, got.GetBody())
			return
		}
		out.reply = got
	})
	return out
}

// wait waits for the calls under way.
func (v *visit) wait() error {
	v.log.waiting.Wait()
	return v.ctx.Err()
}

// do makes one call and waits for it.
func do[R reply](v *visit, call func(context.Context) (R, error)) (R, *problem) {
	a := ask(v, call)
	v.log.waiting.Wait()
	return a.reply, a.bad
}

// curl is a call as a command.
func (c *call) curl() string {
	var b strings.Builder
	fmt.Fprintf(&b, "curl -X %s '%s%s'", c.Method, c.URL, c.queryText())
	if c.Operation != "KeystoneCreateUserTokenByPassword" {
		b.WriteString(" \\\n  -H \"X-Auth-Token: $TOKEN\"")
	}
	if len(c.Body) > 0 {
		b.WriteString(" \\\n  -H 'Content-Type: application/json' \\\n  -d '" + strings.ReplaceAll(string(c.Body), "'", `'\''`) + "'")
	}
	return b.String()
}

func (c *call) queryText() string {
	if len(c.Query) == 0 {
		return ""
	}
	names := c.queryNames()
	var pairs []string
	for _, name := range names {
		for _, value := range c.Query[name] {
			pairs = append(pairs, name+"="+strings.NewReplacer(" ", "%20", "&", "%26", "+", "%2B", "'", "%27", "#", "%23").Replace(value))
		}
	}
	return "?" + strings.Join(pairs, "&")
}

func (c *call) queryNames() []string {
	names := make([]string, 0, len(c.Query))
	for name := range c.Query {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// sdk is a call as code: of the provider's own SDK for Python, and of purser's client for Go for its own operations.
func (c *call) sdk() string {
	if c.Contract == "purser" {
		return c.goCode()
	}
	module := map[string]string{"bss": "bss", "iam": "iam", "eps": "eps", "cts": "cts"}[c.Contract]
	var args []string
	for _, name := range c.queryNames() {
		args = append(args, strings.ReplaceAll(name, "-", "_")+"="+literal(c.Query[name][0]))
	}
	if len(c.Body) > 0 {
		args = append(args, "body="+python(string(c.Body)))
	}
	return fmt.Sprintf("%s.%s(%sRequest(%s))", module, snake(c.Operation), c.Operation, strings.Join(args, ", "))
}

func (c *call) goCode() string {
	var b strings.Builder
	args := []string{"ctx"}
	if len(c.Body) > 0 {
		fmt.Fprintf(&b, "body := strings.NewReader(`%s`)\n", c.Body)
	}
	if len(c.Query) > 0 {
		var fields []string
		for _, name := range c.queryNames() {
			fields = append(fields, camel(name)+": new("+literal(c.Query[name][0])+")")
		}
		args = append(args, "&purser."+c.Operation+"Params{"+strings.Join(fields, ", ")+"}")
	}
	name := c.Operation + "WithResponse"
	if len(c.Body) > 0 {
		name = c.Operation + "WithBodyWithResponse"
		args = append(args, `"application/json"`, "body")
	}
	fmt.Fprintf(&b, "api.Purser.%s(%s)", name, strings.Join(args, ", "))
	return b.String()
}

func literal(text string) string {
	for _, r := range text {
		if r < '0' || r > '9' {
			return fmt.Sprintf("%q", text)
		}
	}
	if text == "" || len(text) > 9 || len(text) > 1 && text[0] == '0' {
		return fmt.Sprintf("%q", text)
	}
	return text
}

func python(body string) string {
	return strings.NewReplacer(": true", ": True", ": false", ": False", ": null", ": None").Replace(body)
}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func camel(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
