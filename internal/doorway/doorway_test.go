package doorway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db/dbtest"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

var now = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// frame hangs one surface of open operations; each handler does what its test wants.
func frame(t *testing.T, log io.Writer, limits string, handlers map[string]http.HandlerFunc) *Frame {
	t.Helper()
	sealer, err := identity.NewSealer(bytes.Repeat([]byte{1}, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLimits(limits)
	if err != nil {
		t.Fatal(err)
	}
	counter := &operation.Counter{
		DB: dbtest.SQLite(t), Clock: func() time.Time { return now }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Identity: identity.NewDesk(sealer, rand.Reader), Catalogue: &catalog.Shelf{}, Discounts: &discount.Book{},
	}
	f := &Frame{Counter: counter, Log: slog.New(slog.NewTextHandler(log, nil)), Clock: counter.Clock, Limits: l, Metrics: NewMetrics(prometheus.NewRegistry())}
	body := contract.Obj(contract.Field{Name: "id", Required: true, Schema: &contract.Schema{Kind: contract.String}})
	s := &Surface{
		Name:  "test",
		Codes: map[fault.Kind]string{fault.Invalid: "T.400", fault.Internal: "T.500", fault.TooLarge: "T.413", fault.NotBuilt: "T.501"},
		Own:   func(code string) bool { return strings.HasPrefix(code, "T.") || strings.HasPrefix(code, "APIG") },
		Render: func(f *fault.Fault, _, id string) any {
			return map[string]any{"code": f.Code, "message": f.Message, "id": id}
		},
	}
	for name := range handlers {
		op := contract.Operation{ID: name, Method: "POST", Path: "/" + name, Open: name != "closed", MaxBody: 1000, PerSec: 2}
		if name == "checked" {
			op.Body, op.BodyMust = body, true
		}
		s.Operations = append(s.Operations, op)
	}
	s.Register = func(m Mux) {
		for name, h := range handlers {
			m.HandleFunc("POST /"+name, h)
		}
	}
	f.Hang(s)
	return f
}

func post(f *Frame, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// Whatever goes wrong, the answer has the surface's form and X-Request-Id, and what is not for the caller stays in the log.
func TestRefusalsHaveTheSurfacesForm(t *testing.T) {
	var log bytes.Buffer
	var f *Frame
	f = frame(t, &log, "off", map[string]http.HandlerFunc{
		"panics":  func(http.ResponseWriter, *http.Request) { panic("the safe is open") },
		"halfway": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"half":`); panic("halfway") }, //nolint:errcheck // a test
		"breaks":  func(w http.ResponseWriter, r *http.Request) { f.Failed(w, r, errors.New("disk on fire at /secret")) },
		"refuses": func(w http.ResponseWriter, r *http.Request) {
			f.Failed(w, r, fault.New(fault.Conflict, "T.7", "taken"))
		},
		"unbuilt": func(w http.ResponseWriter, r *http.Request) { f.Failed(w, r, contract.NotBuilt("Later")) },
		"checked": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }, //nolint:errcheck // a test
		"closed":  func(w http.ResponseWriter, _ *http.Request) { t.Error("reached without a credential") },
	})
	for _, k := range []struct {
		path, body string
		status     int
		code, text string
	}{
		{"/panics", "", 500, "T.500", "internal error"},
		{"/halfway", "", 500, "T.500", "internal error"},
		{"/breaks", "", 500, "T.500", "internal error"},
		{"/refuses", "", 409, "T.7", "taken"},
		{"/unbuilt", "", 501, "T.501", "Later is in the contract"},
		{"/checked", "{", 400, "T.400", "not valid JSON"},
		{"/checked", "", 400, "T.400", "a JSON body is required"},
		{"/checked", `{"id":"` + strings.Repeat("x", 1000) + `"}`, 413, "T.413", "larger than 1000 bytes"},
		{"/closed", "", 401, "APIGW.0301", "neither"},
		{"/nowhere", "", 404, "APIGW.0101", "does not exist"},
	} {
		w := post(f, k.path, k.body)
		var got struct{ Code, Message, ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Errorf("%s: %q: %v", k.path, w.Body, err)
			continue
		}
		if w.Code != k.status || got.Code != k.code || !strings.Contains(got.Message, k.text) || got.ID == "" || got.ID != w.Header().Get("X-Request-Id") {
			t.Errorf("%s: %d %+v, want %d %s … %s", k.path, w.Code, got, k.status, k.code, k.text)
		}
		if strings.Contains(w.Body.String(), "safe") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s tells too much: %s", k.path, w.Body)
		}
	}
	if w := post(f, "/checked", `{"id":"x"}`); w.Code != 200 || w.Body.String() != "{}" || w.Header().Get("Content-Length") != "2" {
		t.Errorf("good: %d %s", w.Code, w.Body)
	}
	for _, want := range []string{"the safe is open", "disk on fire", "stack=", "operation=panics"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if n := strings.Count(log.String(), "msg=request "); n != 11 {
		t.Errorf("%d canonical lines for 11 requests", n)
	}
	r := httptest.NewRequest("GET", "/checked", nil)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("wrong method: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// A request that is cancelled on the way, because who asked is gone or the house stops, is nobody's error.
func TestWhoGoesAwayIsNoError(t *testing.T) {
	var log bytes.Buffer
	var f *Frame
	f = frame(t, &log, "off", map[string]http.HandlerFunc{"asks": func(w http.ResponseWriter, r *http.Request) { f.Failed(w, r, r.Context().Err()) }})
	ctx, leave := context.WithCancel(t.Context())
	leave()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/asks", nil))
	if text := log.String(); w.Code != http.StatusServiceUnavailable || !strings.Contains(text, "level=INFO msg=request ") || strings.Contains(text, "ERROR") {
		t.Errorf("%d, %s", w.Code, text)
	}
}

func TestLimits(t *testing.T) {
	ok := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	for setting, most := range map[string]int{"provider": 2, "3": 3, "off": 50} {
		f := frame(t, io.Discard, setting, map[string]http.HandlerFunc{"a": ok, "b": ok})
		taken := 0
		for range 50 {
			w := post(f, "/a", "")
			if w.Code == http.StatusNoContent {
				taken++
			} else if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "APIG.0308") {
				t.Fatalf("%s: %d %s", setting, w.Code, w.Body)
			}
		}
		if taken != most {
			t.Errorf("%s: %d of 50 taken in one instant, want %d", setting, taken, most)
		}
		if w := post(f, "/b", ""); w.Code != http.StatusNoContent {
			t.Errorf("%s: one operation's limit holds another: %d", setting, w.Code)
		}
	}
	if _, err := NewLimits("many"); err == nil {
		t.Error("limits \"many\" were taken")
	}
}
