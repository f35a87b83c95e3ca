package identity

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"pgregory.net/rapid"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/fault"
)

var now = time.Date(2026, 11, 23, 4, 59, 12, 0, time.UTC)

func newRequest(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://bss.example.com"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The two vectors of api.md 0.3.
func TestSignatureVectors(t *testing.T) {
	for _, v := range []struct{ method, target, body, want string }{
		{"GET", "/path?limit=1", "", "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624"},
		{"POST", "/path?key=value", "{\"Name\":\"test\",\"Id\":1}\n", "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59"},
	} {
		r := newRequest(t, v.method, v.target, v.body)
		r.Header.Set("X-Sdk-Date", "20060102T150405Z")
		if got := sign(r, []byte(v.body), []string{"x-sdk-date"}, "x-sdk-date", "SecretKey"); string(got) != v.want {
			t.Errorf("%s %s: %s, want %s", v.method, v.target, got, v.want)
		}
	}
}

// What the official SDK signs is verified, whatever the path, query, headers and body.
func TestVerifiesTheSDK(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[A-Za-z0-9 _.~%+/()*'!中文-]{0,12}`)
		builder := request.NewHttpRequestBuilder().WithEndpoint("http://bss.example.com").
			WithPath("/v2/" + rapid.StringMatching(`[A-Za-z0-9_.~-]{1,8}`).Draw(rt, "segment")).WithMethod("POST")
		for i := range rapid.IntRange(0, 4).Draw(rt, "params") {
			builder.AddQueryParam(fmt.Sprintf("p%d", i), rapid.SliceOfN(word, 1, 1).Draw(rt, "value")[0])
		}
		for i := range rapid.IntRange(0, 3).Draw(rt, "headers") {
			builder.AddHeaderParam(fmt.Sprintf("X-H%d", i), rapid.StringMatching(`[a-z ]{0,8}`).Draw(rt, "header"))
		}
		body := map[string]string{"a": word.Draw(rt, "body")}
		builder.WithBody("", body).AddHeaderParam("Content-Type", "application/json")
		req := builder.Build()
		headers, err := signer.Sign(req, "AK", "SK")
		if err != nil {
			rt.Fatal(err)
		}
		wire, err := req.ConvertRequest()
		if err != nil {
			rt.Fatal(err)
		}
		raw, err := io.ReadAll(wire.Body)
		if err != nil {
			rt.Fatal(err)
		}
		for name, value := range headers {
			wire.Header.Set(name, value)
		}
		s, err := parseAuthorization(wire.Header.Get("Authorization"))
		if err != nil {
			rt.Fatal(err)
		}
		if err := s.verify(wire, raw, "SK"); err != nil {
			rt.Fatalf("%s %s: %v", wire.Method, wire.URL, err)
		}
		if err := s.verify(wire, append(raw, ' '), "SK"); err == nil {
			rt.Fatal("another body was verified")
		}
	})
}

// Node leaves ( ) * ' raw and the query unsorted, but signs it encoded and sorted; a bare name was signed with "=".
func TestSignatureQuirks(t *testing.T) {
	signed := newRequest(t, "GET", "/p?a=&b=%28x%29%2A%27&c=1", "")
	signed.Header.Set("X-Sdk-Date", "20261123T045912Z")
	want := sign(signed, nil, []string{"x-sdk-date"}, "x-sdk-date", "SK")
	wire := newRequest(t, "GET", "/p", "")
	wire.URL = &url.URL{Scheme: "http", Host: "bss.example.com", Path: "/p", RawQuery: "c=1&b=(x)*'&a"}
	wire.Header.Set("X-Sdk-Date", "20261123T045912Z")
	if got := sign(wire, nil, []string{"x-sdk-date"}, "x-sdk-date", "SK"); string(got) != string(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// cast is an account with an owner, a plain user, and the owner's key.
type cast struct {
	desk        *Desk
	domain      Domain
	owner, user User
	key         Key
	projects    []Project
}

func setUp(t testing.TB, d *db.DB) *cast {
	t.Helper()
	sealer, err := NewSealer(bytes.Repeat([]byte{7}, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &cast{desk: NewDesk(sealer, rand.Reader), domain: Domain{Name: "acme", Kind: Customer}}
	hash, err := c.desk.HashPassword(context.Background(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	c.do(t, d, now, func(tx *db.Tx) (err error) {
		ctx := context.Background()
		if c.projects, err = c.desk.AddDomain(ctx, tx, &c.domain, []string{"r1", "r2"}); err != nil {
			return err
		}
		c.owner = User{DomainID: c.domain.ID, Name: "owner", Owner: true}
		if err = c.desk.AddUser(ctx, tx, &c.owner, hash); err != nil {
			return err
		}
		c.user = User{DomainID: c.domain.ID, Name: "user"}
		if err = c.desk.AddUser(ctx, tx, &c.user, hash); err != nil {
			return err
		}
		c.key, err = c.desk.AddKey(ctx, tx, c.domain.ID, c.owner.ID, "")
		return err
	})
	return c
}

func (c *cast) do(t testing.TB, d *db.DB, at time.Time, deed func(tx *db.Tx) error) {
	t.Helper()
	if err := d.Update(context.Background(), dbtest.At(at), deed); err != nil {
		t.Fatal(err)
	}
	c.desk.Changed()
}

func (c *cast) authenticate(t testing.TB, d *db.DB, at time.Time, r *http.Request) (caller Caller, err error) {
	t.Helper()
	err = d.View(context.Background(), dbtest.At(at), func(v *db.View) error {
		caller, err = c.desk.Authenticate(context.Background(), v, r, nil)
		return err
	})
	return caller, err
}

func signedBy(t testing.TB, at time.Time, access string, secret Secret, headers map[string]string) *http.Request {
	t.Helper()
	r := newRequest(t, "GET", "/v2/products/service-types?limit=1", "")
	r.Header.Set("X-Sdk-Date", at.UTC().Format(dateLayout))
	names := []string{"x-sdk-date"}
	for name, value := range headers {
		r.Header.Set(name, value)
		names = append(names, strings.ToLower(name))
	}
	listed := strings.Join(names, ";")
	r.Header.Set("Authorization", fmt.Sprintf("%s Access=%s, SignedHeaders=%s, Signature=%s", algorithm, access, listed, sign(r, nil, names, listed, secret)))
	return r
}

func codeOf(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(f.Kind.Status(), " ", f.Code)
}

// Each refusal has its own code and text.
func TestRefusals(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := setUp(t, d)
		good := func() *http.Request { return signedBy(t, now, c.key.Access, c.key.Secret, nil) }
		edit := func(change func(r *http.Request)) *http.Request { r := good(); change(r); return r }
		for name, k := range map[string]struct {
			r    *http.Request
			code string
			text string
		}{
			"nothing":         {newRequest(t, "GET", "/", ""), "401 APIGW.0301", "neither"},
			"another scheme":  {edit(func(r *http.Request) { r.Header.Set("Authorization", "Basic eA==") }), "401 APIGW.0301", algorithm},
			"half a header":   {edit(func(r *http.Request) { r.Header.Set("Authorization", algorithm+" Access=x") }), "401 APIGW.0301", "SignedHeaders"},
			"unknown key":     {signedBy(t, now, "NOSUCHKEY", "x", nil), "401 APIGW.0301", "ak not exist"},
			"wrong secret":    {signedBy(t, now, c.key.Access, "wrong", nil), "401 APIGW.0301", "verify aksk signature fail"},
			"changed query":   {edit(func(r *http.Request) { r.URL.RawQuery = "limit=2" }), "401 APIGW.0301", "verify aksk signature fail"},
			"too old":         {signedBy(t, now.Add(-15*time.Minute-time.Second), c.key.Access, c.key.Secret, nil), "401 APIGW.0301", "expired"},
			"too early":       {signedBy(t, now.Add(15*time.Minute+time.Second), c.key.Access, c.key.Secret, nil), "401 APIGW.0301", "expired"},
			"bad date":        {edit(func(r *http.Request) { r.Header.Set("X-Sdk-Date", "yesterday") }), "401 APIGW.0301", "must look like"},
			"date not signed": {edit(func(r *http.Request) { r.Header.Del("X-Sdk-Date") }), "401 APIGW.0301", "not signed"},
			"foreign account": {signedBy(t, now, c.key.Access, c.key.Secret, map[string]string{"X-Domain-Id": "other"}), "403 CBC.0155", "other"},
			"unknown token":   {edit(func(r *http.Request) { r.Header.Set("X-Auth-Token", "x") }), "401 APIGW.0301", "decrypt token fail"},
		} {
			_, err := c.authenticate(t, d, now, k.r)
			if codeOf(err) != k.code || !strings.Contains(err.Error(), k.text) {
				t.Errorf("%s: %v, want %s … %s", name, err, k.code, k.text)
			}
		}
		caller, err := c.authenticate(t, d, now.Add(14*time.Minute), good())
		if err != nil || caller.DomainID != c.domain.ID || !caller.Owner || caller.By != BySignature {
			t.Errorf("good: %+v, %v", caller, err)
		}
		unsigned := edit(func(r *http.Request) { r.Header.Set("X-Domain-Id", "other") })
		if _, err := c.authenticate(t, d, now, unsigned); err != nil {
			t.Errorf("an unsigned X-Domain-Id is not looked at: %v", err)
		}
		again := good()
		for range 2 { // the same signature twice is legal
			if _, err := c.authenticate(t, d, now, again); err != nil {
				t.Errorf("repeated: %v", err)
			}
		}
	})
}

// Disabling and deleting is seen at once here, and within a second by another process on the same store.
func TestChangesAreSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := setUp(t, d)
		ctx := context.Background()
		r := signedBy(t, now, c.key.Access, c.key.Secret, nil)
		other := &cast{desk: NewDesk(c.desk.sealer, rand.Reader)}
		for _, who := range []*cast{c, other} {
			if _, err := who.authenticate(t, d, now, r); err != nil {
				t.Fatal(err)
			}
		}
		c.do(t, d, now, func(tx *db.Tx) error {
			_, err := c.desk.UpdateKey(ctx, tx, c.domain.ID, c.key.Access, new(false), nil)
			return err
		})
		if _, err := c.authenticate(t, d, now, r); err == nil || !strings.Contains(err.Error(), "inactive") {
			t.Errorf("a key that is off: %v", err)
		}
		if _, err := other.authenticate(t, d, now.Add(1001*time.Millisecond), r); err == nil {
			t.Error("another process still takes the key after a second")
		}
		c.do(t, d, now, func(tx *db.Tx) error {
			if _, err := c.desk.UpdateKey(ctx, tx, c.domain.ID, c.key.Access, new(true), nil); err != nil {
				return err
			}
			return c.desk.SetDomainEnabled(ctx, tx, c.domain.ID, false)
		})
		if _, err := c.authenticate(t, d, now, r); codeOf(err) != "403 CBC.0155" {
			t.Errorf("a shut account: %v", err)
		}
		c.do(t, d, now, func(tx *db.Tx) error {
			if err := c.desk.SetDomainEnabled(ctx, tx, c.domain.ID, true); err != nil {
				return err
			}
			return c.desk.DeleteKey(ctx, tx, c.domain.ID, c.key.Access)
		})
		if _, err := c.authenticate(t, d, now, r); err == nil || !strings.Contains(err.Error(), "not exist") {
			t.Errorf("a deleted key: %v", err)
		}
	})
}

func TestTwoKeysAUser(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := setUp(t, d)
		add := func() (err error) {
			return d.Update(context.Background(), dbtest.At(now), func(tx *db.Tx) error {
				_, err := c.desk.AddKey(context.Background(), tx, c.domain.ID, c.owner.ID, "")
				return err
			})
		}
		if err := add(); err != nil {
			t.Fatal(err)
		}
		if err := add(); err == nil || !strings.Contains(err.Error(), "akSkNumExceed") {
			t.Errorf("a third key: %v", err)
		}
	})
}

func (c *cast) signIn(t testing.TB, d *db.DB, at time.Time, s SignIn) (token Token, refusal error) {
	t.Helper()
	ctx := context.Background()
	var candidate Candidate
	err := d.View(ctx, dbtest.At(at), func(v *db.View) (err error) {
		candidate, err = c.desk.Examine(ctx, v, &s)
		return err
	})
	if err == nil {
		err = d.Update(ctx, dbtest.At(at), func(tx *db.Tx) (err error) {
			token, refusal, err = c.desk.Issue(ctx, tx, candidate, &s)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return token, refusal
}

func TestTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := setUp(t, d)
		ctx := context.Background()
		right := SignIn{UserName: "user", DomainName: "acme", Password: "correct horse"}
		token, refusal := c.signIn(t, d, now, right)
		if refusal != nil || token.Expires.Sub(token.Issued) != 24*time.Hour || token.Project != nil {
			t.Fatalf("%+v, %v", token, refusal)
		}
		use := func(at time.Time) error {
			r := newRequest(t, "GET", "/", "")
			r.Header.Set("X-Auth-Token", token.Text.Reveal())
			_, err := c.authenticate(t, d, at, r)
			return err
		}
		if err := use(now.Add(24*time.Hour - time.Second)); err != nil {
			t.Errorf("within its life: %v", err)
		}
		if err := use(now.Add(24 * time.Hour)); codeOf(err) != "401 CBC.0154" {
			t.Errorf("past its life: %v", err)
		}
		project := right
		project.ProjectName = "r2"
		if inProject, refusal := c.signIn(t, d, now, project); refusal != nil || inProject.Project == nil || inProject.Project.Name != "r2" {
			t.Errorf("project scope: %+v, %v", inProject, refusal)
		}
		project.ProjectName = "nowhere"
		if _, refusal := c.signIn(t, d, now, project); refusal == nil {
			t.Error("a project that is not there")
		}
		hash, err := c.desk.HashPassword(ctx, "another horse")
		if err != nil {
			t.Fatal(err)
		}
		c.do(t, d, now, func(tx *db.Tx) error { return c.desk.SetPassword(ctx, tx, c.domain.ID, c.user.ID, hash) })
		if err := use(now); err == nil {
			t.Error("a token outlived its user's password")
		}
	})
}

// Wrong user and wrong password read the same; five failures lock, the right password too, for a quarter of an hour.
func TestSignInThrottle(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := setUp(t, d)
		right := SignIn{UserName: "user", DomainName: "acme", Password: "correct horse"}
		wrong, nobody := right, right
		wrong.Password, nobody.UserName = "wrong", "nobody"
		_, a := c.signIn(t, d, now, wrong)
		_, b := c.signIn(t, d, now, nobody)
		if a == nil || b == nil || a.Error() != b.Error() {
			t.Errorf("%v and %v tell which it was", a, b)
		}
		for range FailuresMost - 1 {
			c.signIn(t, d, now, wrong)
		}
		if _, refusal := c.signIn(t, d, now, right); refusal == nil || !strings.Contains(refusal.Error(), "locked") {
			t.Errorf("after five failures: %v", refusal)
		}
		if _, refusal := c.signIn(t, d, now.Add(LockTime), right); refusal != nil {
			t.Errorf("after the lock: %v", refusal)
		}
	})
	desk := NewDesk(nil, nil)
	refused := 0
	for range sourceBurst + 5 {
		if desk.Throttle("192.0.2.1", now) != nil {
			refused++
		}
	}
	if refused != 5 || desk.Throttle("192.0.2.2", now) != nil {
		t.Errorf("%d refused from one address, want 5, and none from another", refused)
	}
}

func TestTemporaryKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := setUp(t, d)
		ctx := context.Background()
		var temp Temporary
		c.do(t, d, now, func(tx *db.Tx) (err error) {
			temp, err = c.desk.AddTemporary(ctx, tx, c.domain.ID, c.user.ID, 15*time.Minute)
			return err
		})
		with := map[string]string{"X-Security-Token": temp.SecurityToken.Reveal()}
		if caller, err := c.authenticate(t, d, now, signedBy(t, now, temp.Access, temp.Secret, with)); err != nil || caller.UserName != "user" || caller.By != ByTemporary {
			t.Errorf("%+v, %v", caller, err)
		}
		late := now.Add(15 * time.Minute)
		if _, err := c.authenticate(t, d, late, signedBy(t, late, temp.Access, temp.Secret, with)); codeOf(err) != "401 CBC.0154" {
			t.Errorf("past its life: %v", err)
		}
		if _, err := c.authenticate(t, d, now, signedBy(t, now, temp.Access, temp.Secret, nil)); err == nil {
			t.Error("taken without its security token")
		}
		err := d.Update(ctx, dbtest.At(now), func(tx *db.Tx) error {
			_, err := c.desk.AddTemporary(ctx, tx, c.domain.ID, c.user.ID, time.Minute)
			return err
		})
		if codeOf(err) != "400 IAM.0006" {
			t.Errorf("a minute's life: %v", err)
		}
	})
}

func TestAuthorise(t *testing.T) {
	allow := func(actions ...string) Caller {
		return Caller{DomainID: "d", DomainKind: Customer, policies: []Statement{{"allow", actions}}}
	}
	for name, k := range map[string]struct {
		caller         Caller
		role, identity []string
		want           bool
	}{
		"owner":                    {Caller{Owner: true}, []string{"bss:order:pay"}, nil, true},
		"exact":                    {allow("bss:order:pay"), []string{"bss:order:pay"}, nil, true},
		"case":                     {allow("BSS:Order:Pay"), []string{"bss:order:pay"}, nil, true},
		"part wildcard":            {allow("bss:*:view"), []string{"bss:order:view"}, nil, true},
		"rest wildcard":            {allow("bss:*"), []string{"bss:order:view"}, nil, true},
		"other verb":               {allow("bss:order:view"), []string{"bss:order:pay"}, nil, false},
		"identity style is enough": {allow("billing:order:pay"), []string{"bss:order:pay"}, []string{"billing:order:pay"}, true},
		"all of a list":            {allow("a:b:c"), []string{"a:b:c", "d:e:f"}, nil, false},
		"none needed":              {Caller{}, nil, nil, true},
		"hiding does not refuse":   {Caller{}, []string{"bss:discount:view"}, []string{"billing:contract:viewDiscount"}, true},
		"deny wins":                {Caller{policies: []Statement{{"allow", []string{"bss:*"}}, {"deny", []string{"bss:order:pay"}}}}, []string{"bss:order:pay"}, nil, false},
	} {
		_, err := Authorise(&k.caller, k.role, k.identity, false)
		if (err == nil) != k.want {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (!fault.Is(err, "CBC.0151") || !strings.Contains(err.Error(), "correct permission code is "+k.role[0])) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := allow("bss:order:view")
	if s, err := Authorise(&plain, []string{"bss:order:view"}, nil, false); err != nil || !s.DiscountsHidden {
		t.Errorf("discounts are not hidden: %+v %v", s, err)
	}
}

// A secret is never printed, and never lies open in the store.
func TestSecretsStaySecret(t *testing.T) {
	s := Secret("hunter2hunter2")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "key", Key{Secret: s})
	text, _ := json.Marshal(map[string]any{"a": s, "b": Key{Secret: s}})
	all := fmt.Sprintf("%v %+v %#v %s %q", s, Key{Secret: s}, Key{Secret: s}, s, s) + log.String() + string(text)
	if strings.Contains(all, "hunter2") {
		t.Errorf("printed: %s", all)
	}
	dir := t.TempDir()
	d, err := db.Open(context.Background(), filepath.Join(dir, "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	sealer, _ := NewSealer(bytes.Repeat([]byte{7}, 32), rand.Reader)
	sealed, err := sealer.seal("AK", s)
	if err != nil || bytes.Contains(sealed, []byte("hunter2")) {
		t.Errorf("sealed: %q %v", sealed, err)
	}
	if got, err := sealer.open("AK", sealed); err != nil || got != s {
		t.Errorf("opened: %v", err)
	}
	if _, err := sealer.open("OTHER", sealed); err == nil {
		t.Error("opened under another name")
	}
}

func TestLoadKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	a, err := LoadKey("", file, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if b, err := LoadKey("", file, rand.Reader); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the second time: %v", err)
	}
	if _, err := LoadKey("short", file, rand.Reader); err == nil {
		t.Error("a short key was taken")
	}
}

func BenchmarkVerify(b *testing.B) {
	r := signedBy(b, now, "AK", "SK", map[string]string{"User-Agent": "bench", "X-Domain-Id": "d"})
	s, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.verify(r, nil, "SK"); err != nil {
			b.Fatal(err)
		}
	}
}
