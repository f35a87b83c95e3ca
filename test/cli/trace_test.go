package cli_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/purser-cloud/purser/internal/cli"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/house/housetest"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/trace"
)

// tracing lets the account acme of a store switch traces on two hours ago, with the bucket acme-audit, and leave some in each of two
// hours; carry says whether they are carried, too.
func tracing(ctx context.Context, data, store string, carry bool) (err error) {
	at := time.Now().Truncate(time.Hour).Add(-90 * time.Minute)
	h, err := house.Open(ctx, house.Config{Version: "test", Data: data, TraceStore: store, Clock: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	var call operation.Call
	accounts, err := h.Counter.Accounts(ctx, operation.LocalOperator("test", at))
	for _, a := range accounts {
		if a.Name == "acme" {
			call.Caller = identity.Caller{DomainID: a.ID, DomainName: a.Name, DomainKind: identity.Customer, UserID: "u", UserName: "anna", Owner: true}
		}
	}
	if err != nil {
		return err
	}
	as := func(service, kind, name string) *operation.Call {
		c := call
		c.Real, c.Operation = at, &contract.Operation{ID: name, Service: service, Status: 200, Event: contract.Event{Type: kind, Name: name}}
		return &c
	}
	projects, err := h.Counter.Projects(ctx, as("", "", ""))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(projects, func(p identity.Project) bool { return p.Name == "ap-southeast-1" })
	if _, err := h.Counter.CreateTracker(ctx, as("CTS", "tracker", "createTracker"), projects[i].ID, &trace.Change{Kind: trace.System, Name: trace.System, Bucket: new("acme-audit"), Prefix: new("acme")}); err != nil {
		return err
	}
	for range 2 {
		h.Counter.PayOrder(ctx, as("BSS", "order", "payCustomerOrderV3"), "CS-NONE", order.Means{}) //nolint:errcheck // refused, and traced
		h.Counter.Refused(ctx, as("BSS", "order", "payCustomerOrderV3"), errors.New("it broke"))
		if carry {
			if _, err := h.Counter.CarryTraces(ctx, func() time.Time { return at }); err != nil {
				return err
			}
		}
		at = at.Add(time.Hour)
	}
	if carry {
		at = time.Now()
		_, err = h.Counter.CarryTraces(ctx, func() time.Time { return at })
	}
	return err
}

// inBucket lists the objects in a folder: files of traces, and digests.
func inBucket(root string) (files, digests []string) {
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // a test's
		switch {
		case err != nil || d.IsDir() || strings.HasSuffix(path, ".meta"):
		case strings.Contains(path, "/Digest/"):
			digests = append(digests, path)
		default:
			files = append(files, path)
		}
		return nil
	})
	return files, digests
}

// Commands of transcripts: "tracing DATA STORE" leaves traces and carries them, and puts the names of what lies in the store into
// $FILE and $DIGEST (the oldest); "tamper STORE KEY" changes each byte of each object, one at a time, and wants every change to be found.
var traceCommands = map[string]func(*testscript.TestScript, bool, []string){
	"tracing": func(s *testscript.TestScript, _ bool, args []string) {
		s.Check(tracing(context.Background(), s.MkAbs(args[0]), s.MkAbs(args[1]), true))
		files, digests := inBucket(s.MkAbs(args[1]))
		if len(files) == 0 || len(digests) < 2 {
			s.Fatalf("%q, %q", files, digests)
		}
		s.Setenv("FILE", files[0])
		s.Setenv("DIGEST", digests[0])
	},
	"tamper": func(s *testscript.TestScript, _ bool, args []string) {
		verify := func() (int, string) {
			var out bytes.Buffer
			rc := cli.Main("test", []string{"trace", "verify", s.MkAbs(args[0]), "--bucket", "acme-audit", "--key", s.MkAbs(args[1])}, strings.NewReader(""), &out, io.Discard)
			return rc, out.String()
		}
		files, digests := inBucket(s.MkAbs(args[0]))
		changed := 0
		for _, path := range append(files[:1], digests[1]) {
			whole, err := os.ReadFile(path)
			s.Check(err)
			for i := range whole {
				other := bytes.Clone(whole)
				other[i] ^= 1 << (i % 8)
				s.Check(os.WriteFile(path, other, 0o600))
				if rc, out := verify(); rc != 1 || !strings.Contains(out, "WRONG: ") || !strings.Contains(out, filepath.Base(path)) {
					s.Fatalf("byte %d of %s: %d, %s", i, path, rc, out)
				}
				changed++
			}
			s.Check(os.WriteFile(path, whole, 0o600))
		}
		if rc, out := verify(); rc != 0 {
			s.Fatalf("put back: %s", out)
		}
		s.Logf("%d bytes", changed)
	},
}

// s3 is a bucket in memory that speaks as much of S3 as is needed here. That signatures are right is the bucket's own test.
type s3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	meta    map[string]string
}

const signatureHeader = "X-Amz-Meta-Meta-Signature"

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/vault/")
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=KEY/"):
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/vault":
		type object struct {
			Key  string
			Size int
		}
		page := struct {
			XMLName  xml.Name `xml:"ListBucketResult"`
			Contents []object
		}{}
		for _, key := range slices.Sorted(maps.Keys(s.objects)) {
			if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
				page.Contents = append(page.Contents, object{key, len(s.objects[key])})
			}
		}
		xml.NewEncoder(w).Encode(page) //nolint:errcheck // a test's
	case r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		s.objects[key], s.meta[key] = body, r.Header.Get(signatureHeader)
	case s.objects[key] == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set(signatureHeader, s.meta[key])
		w.Header().Set("X-Amz-Meta-Meta-Signature-Algorithm", "SHA256withRSA")
		w.Write(s.objects[key]) //nolint:errcheck // a test's
	}
}

func (s *s3) keys(part string) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.Contains(key, part) {
			out = append(out, key)
		}
	}
	return out
}

// A server carries traces to an S3 service, and anybody with the public key proves them there.
func TestTracesToS3(t *testing.T) {
	store := &s3{objects: map[string][]byte{}, meta: map[string]string{}}
	server := httptest.NewServer(store)
	defer server.Close()
	place := "s3+" + server.URL + "/vault/house"
	t.Setenv("PURSER_S3_ACCESS_KEY", "KEY")
	t.Setenv("PURSER_S3_SECRET_KEY", "SECRET")
	purser, data := program(t), filepath.Join(t.TempDir(), "data")
	run := func(args ...string) (string, error) {
		out, err := exec.Command(purser, args...).CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := run(args...)
		if err != nil {
			t.Fatalf("purser %v: %v\n%s", args, err, out)
		}
		return out
	}
	must("catalog", "import", "shipped", "--data", data)
	must("user", "add", "acme", "anna", "--data", data)
	if err := tracing(t.Context(), data, t.TempDir(), false); err != nil {
		t.Fatal(err)
	}
	serve := exec.Command(purser, "serve", "--data", data, "--listen", "127.0.0.1:0", "--trace-store", place, "--trace-every", "1s", "--log-level", "error")
	serve.Stderr = os.Stderr
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); len(store.keys("/Digest/")) < 2 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if err := serve.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Error(err)
	}
	day := time.Now().UTC()
	if files := store.keys(fmt.Sprintf("house/acme-audit/CloudTraces/ap-southeast-1/%d/%d/", day.Year(), int(day.Month()))); len(files) < 3 {
		t.Fatalf("in the bucket: %q", files)
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, []byte(must("trace", "key", "--data", data)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must("trace", "verify", place, "--bucket", "acme-audit", "--key", key); !strings.Contains(out, "nothing is missing or changed") {
		t.Error(out)
	}
	first := store.keys("_CloudTrace_")[0]
	store.mu.Lock()
	whole := store.objects[first]
	store.objects[first] = append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1)
	store.mu.Unlock()
	if out, err := run("trace", "verify", place, "--bucket", "acme-audit", "--key", key); err == nil || !strings.Contains(out, "WRONG: ") {
		t.Errorf("%v, %s", err, out)
	}
}

// The trace of enabling enterprise projects has the guide's resource type, or by setting the API reference's.
func TestTraceProjectAuth(t *testing.T) {
	data, _ := housetest.Furnished(t, "")
	for unit, want := range map[bool]string{false: "billing", true: "businessUnit"} {
		h, err := house.Open(t.Context(), house.Config{Version: "test", Data: data, BusinessUnit: unit, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		var customer identity.Domain
		accounts, err := h.Counter.Accounts(t.Context(), operation.LocalOperator("test", time.Now()))
		for _, a := range accounts {
			if a.Kind == identity.Customer {
				customer = a
			}
		}
		call := func() *operation.Call {
			return &operation.Call{
				Operation: &contract.Operation{ID: "CreateEnterpriseProjectAuth", Service: "BSS", Status: 204, Event: contract.Event{Type: "billing", Name: "openEnterpriseProjectAuth"}},
				Caller:    identity.Caller{DomainID: customer.ID, DomainName: customer.Name, DomainKind: identity.Customer, UserID: "u", Owner: true}, Real: time.Now(),
			}
		}
		h.Counter.OpenProjects(t.Context(), call()) //nolint:errcheck // done or refused, it is traced
		read := call()
		read.Operation = &contract.Operation{ID: "ListTraces"}
		projects, failed := h.Counter.Projects(t.Context(), read)
		var list []trace.Line
		for _, p := range projects {
			lines, err := h.Counter.ListTraces(t.Context(), read, trace.Query{Project: p.ID, Name: "openEnterpriseProjectAuth", From: time.Now().Add(-time.Minute), To: time.Now().Add(time.Minute), Limit: 1})
			list, failed = append(list, lines...), errors.Join(failed, err)
		}
		if err := errors.Join(err, failed); err != nil || len(list) != 1 || list[0].ResourceType != want {
			t.Errorf("%v: want %s, got %+v", err, want, list)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
