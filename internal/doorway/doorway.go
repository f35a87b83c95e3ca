// Package doorway is the frame that every door hangs in: it finds the operation that a request asks for, reads
// and bounds the body, has the caller authenticated, throttles, checks the request against the contract, and
// renders whatever is refused in the error form of the door's surface. It also writes the canonical log line
// and the metrics of each request.
//
// It does not own what an operation does (operation), what a request must look like (contract) or who may call
// (identity). Doors know it; it knows no door.
//
// Invariants: a request is answered exactly once, always with X-Request-Id; nothing runs for a request that is
// not authenticated (operations marked open excepted); no secret is logged.
package doorway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// bodyMost is the largest body taken where the contract says nothing, in bytes.
const bodyMost = 2 << 20

// Surface is one contract as it is served.
type Surface struct {
	Name       string // bss, iam …: in logs and metrics
	Operations []contract.Operation
	Register   func(Mux)                                             // hangs the generated handlers in
	Owns       func(path string) bool                                // paths that, when unknown, are answered in this form; the first surface needs none
	Render     func(f *fault.Fault, operation, requestID string) any // the error body
	Codes      map[fault.Kind]string                                 // this surface's own code where a fault has none of its own
	Statuses   map[fault.Kind]int                                    // and its status, where that is not the kind's
	Own        func(code string) bool                                // whether a code belongs to this surface and stays
	mux        *http.ServeMux
}

// Mux takes the routes of a generated server.
type Mux interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
	ServeHTTP(w http.ResponseWriter, r *http.Request)
}

// Frame serves the surfaces.
type Frame struct {
	Counter  *operation.Counter
	Log      *slog.Logger
	Clock    func() time.Time // real time, of the house
	Wall     func() time.Time // the machine's, by which connections are cut
	Limits   *Limits
	Metrics  *Metrics
	Proxies  []netip.Prefix // in front of the house: they are believed about whom they forward
	surfaces []*Surface

	// Fees is a page of fee records for the call of a context, set by the door that has them; without the wire between, and not
	// bound to its page size.
	Fees func(ctx context.Context, in *bss.ListCustomerselfResourceRecordsParams) (*bss.ListCustomerselfResourceRecordsReply, error)
}

// Hang adds a surface. Earlier ones are asked first.
func (f *Frame) Hang(s *Surface) {
	s.mux = http.NewServeMux()
	byPattern := make(map[string]*contract.Operation, len(s.Operations))
	for i := range s.Operations {
		op := &s.Operations[i]
		byPattern[op.Pattern()] = op
		if f.Counter != nil {
			f.Counter.Report(op)
		}
		if f.Metrics != nil {
			f.Metrics.prepare(s.Name, op.ID)
		}
	}
	s.Register(&hook{frame: f, surface: s, operations: byPattern})
	f.surfaces = append(f.surfaces, s)
}

// hook wraps each generated handler with what must happen before it.
type hook struct {
	frame      *Frame
	surface    *Surface
	operations map[string]*contract.Operation
}

func (h *hook) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	op := h.operations[pattern]
	if op == nil {
		panic("doorway: a route that the contract does not have: " + pattern)
	}
	h.surface.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v := w.(*visit)
		v.op = op
		h.frame.admit(v, r, handler)
	})
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.surface.mux.ServeHTTP(w, r) }

// ServeHTTP answers a request of any surface.
func (f *Frame) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := newVisit(w, f.Clock())
	v.wall = f.Wall
	w.Header().Set("X-Request-Id", v.requestID)
	defer f.finish(v, r)
	for _, s := range f.surfaces {
		if _, pattern := s.mux.Handler(r); pattern != "" {
			v.surface = s
			s.mux.ServeHTTP(v, r)
			return
		}
	}
	f.unknown(v, r)
}

// unknown answers a path or a method that no contract has.
func (f *Frame) unknown(v *visit, r *http.Request) {
	v.surface = f.surfaces[0]
	for _, s := range f.surfaces {
		if s.Owns != nil && s.Owns(r.URL.Path) {
			v.surface = s
			break
		}
	}
	if allowed := f.methods(r); len(allowed) > 0 {
		v.Header().Set("Allow", strings.Join(allowed, ", "))
		f.refuse(v, fault.New(fault.Method, "APIGW.0101", "The API does not exist or has not been published in the environment: %s is not allowed here, use %s", r.Method, strings.Join(allowed, " or ")))
		return
	}
	f.refuse(v, fault.New(fault.NotFound, "APIGW.0101", "The API does not exist or has not been published in the environment: no operation at this path"))
}

// methods lists the methods that some contract has at the request's path.
func (f *Frame) methods(r *http.Request) []string {
	found := map[string]bool{}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		for _, s := range f.surfaces {
			if _, pattern := s.mux.Handler(other); pattern != "" {
				found[method] = true
			}
		}
	}
	out := make([]string, 0, len(found))
	for method := range found {
		out = append(out, method)
	}
	sort.Strings(out)
	return out
}

// Headers of our own, of operations that may read from a replica: whether the caller lets it, and of when the answer is (RFC 3339,
// UTC, rounded down) where it is not of now.
const (
	readFrom = "X-Purser-Read"
	readAsOf = "X-Purser-Read-As-Of"
)

type callKey struct{}

// CallOf is the call that a door's operation runs for.
func CallOf(ctx context.Context) *operation.Call {
	call, _ := ctx.Value(callKey{}).(*operation.Call)
	return call
}

// admit does what comes before an operation, in this order: size, who is it, throttle, contract.
func (f *Frame) admit(v *visit, r *http.Request, handler http.HandlerFunc) {
	body, err := readBody(r, v.op)
	if err != nil {
		f.refuse(v, err)
		return
	}
	call := &v.call
	call.Operation, call.RequestID, call.Real, call.Host = v.op, v.requestID, v.began, r.Host
	call.Source, call.Console = f.origin(r)
	call.IdempotencyKey, call.Path = r.Header.Get("Idempotency-Key"), r.URL.Path
	call.Encoding = r.Header.Get("Content-Encoding")
	switch said := r.Header.Get(readFrom); said {
	case "", "replica":
	case "primary":
		call.Fresh = true
	default:
		f.refuse(v, fault.New(fault.Invalid, "", "%s: must be primary or replica, not %s", readFrom, strconv.Quote(said)))
		return
	}
	if inner := innerOf(r.Context()); inner != nil {
		within(call, inner)
		v.inner = true
	} else if v.op.Open {
		call.Header = r.Header
	} else {
		if call.Caller, err = f.Counter.Authenticate(r.Context(), call, r, body); err != nil {
			f.refuse(v, err)
			return
		}
		if err := f.Counter.Date(r.Context(), call); err != nil {
			f.refuse(v, err)
			return
		}
	}
	if !v.inner {
		if err := f.Limits.take(call, v.began); err != nil {
			f.refuse(v, err)
			return
		}
	}
	query, err := check(v.op, r, body)
	if err != nil {
		f.Counter.Refused(r.Context(), call, err)
		f.refuse(v, err)
		return
	}
	call.Body = body
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, call))
	if query != r.URL.RawQuery {
		at := *r.URL
		at.RawQuery = query
		r.URL = &at
	}
	r.Body = io.NopCloser(&byteReader{text: body})
	handler(v, r)
}

// check holds the request against the contract.
func check(op *contract.Operation, r *http.Request, body []byte) (query string, err error) {
	if err = op.CheckPath(r.PathValue); err != nil {
		return "", err
	}
	if err = op.CheckHeader(r.Header.Get); err != nil {
		return "", err
	}
	if query, err = op.CheckQuery(r.URL.RawQuery); err != nil {
		return "", err
	}
	return query, op.CheckBody(body)
}

func readBody(r *http.Request, op *contract.Operation) ([]byte, error) {
	most := op.MaxBody
	if most == 0 {
		most = bodyMost
	}
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > most {
		return nil, tooLarge(most)
	}
	if n := r.ContentLength; n > 0 {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, fault.New(fault.Invalid, "", "the request body could not be read whole")
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "", "the request body could not be read whole")
	}
	if int64(len(body)) > most {
		return nil, tooLarge(most)
	}
	return body, nil
}

func tooLarge(most int64) error {
	return fault.New(fault.TooLarge, "", "the request body is larger than %d bytes", most)
}

// Failed renders an error that a door's operation returned; the generated servers call it.
func (f *Frame) Failed(w http.ResponseWriter, _ *http.Request, err error) {
	f.refuse(w.(*visit), err)
}

// refuse renders an error in the form of the surface.
func (f *Frame) refuse(v *visit, err error) {
	refusal := f.faultOf(v, err)
	code := refusal.Code
	if v.surface.Own == nil || !v.surface.Own(code) {
		if own, ok := v.surface.Codes[refusal.Kind]; ok {
			code = own
		}
	}
	shown := *refusal
	shown.Code = code
	v.code = code
	v.body = v.body[:0]
	v.Header().Set("Content-Type", "application/json;charset=UTF-8")
	v.Header().Del("Content-Length")
	v.Header().Del("Content-Disposition")
	if shown.Retry > 0 {
		v.Header().Set("Retry-After", strconv.Itoa(shown.Retry))
	}
	v.broken = v.streams && v.sent > 0
	v.status = cmp.Or(v.surface.Statuses[shown.Kind], shown.Kind.Status())
	text, _ := json.Marshal(v.surface.Render(&shown, v.name(), v.requestID))
	v.body = append(v.body, text...)
}

// faultOf turns any error into a fault; what is not meant for the caller is logged and shown as an internal error.
func (f *Frame) faultOf(v *visit, err error) *fault.Fault {
	if known, ok := fault.As(err); ok {
		return known
	}
	var wrong *contract.Problem
	if errors.As(err, &wrong) {
		return fault.New(fault.Invalid, wrong.Code, "%s", wrong.Error())
	}
	var missing *contract.NotBuiltError
	if errors.As(err, &missing) {
		return fault.New(fault.NotBuilt, "PURSER.0501", "%s is in the contract, but this purser does not have it yet: see the coverage table of its README", missing.Operation)
	}
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Unavailable, "", "the request was cancelled")
	}
	f.Log.Error("operation failed", "request_id", v.requestID, "operation", v.name(), "error", err)
	if trouble := db.Trouble(err); trouble != "" {
		return &fault.Fault{Kind: fault.Unavailable, Message: trouble + ": ask again later", Retry: 5}
	}
	return fault.New(fault.Internal, "", "internal error; the log names it by request id %s", v.requestID)
}

// finish sends the answer, writes the canonical line and counts.
func (f *Frame) finish(v *visit, r *http.Request) {
	if p := recover(); p != nil {
		f.Log.Error("panic", "request_id", v.requestID, "operation", v.name(), "panic", p, "stack", string(debug.Stack()))
		if v.surface == nil {
			v.surface = f.surfaces[0]
		}
		f.refuse(v, fault.New(fault.Internal, "", "internal error; the log names it by request id %s", v.requestID))
	}
	v.send()
	took := f.Clock().Sub(v.began)
	f.Metrics.count(v, took)
	level := slog.LevelInfo
	if v.status >= 500 && v.status != 501 && r.Context().Err() == nil { // who asked is gone, or the house stops in the middle: nobody's fault
		level = slog.LevelError
	}
	broken := v.broken
	defer func() {
		if broken {
			panic(http.ErrAbortHandler)
		}
	}()
	if !f.Log.Enabled(r.Context(), level) {
		v.release()
		return
	}
	attrs := [...]slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("operation", v.name()),
		slog.Int("status", v.status), slog.Int64("micros", took.Microseconds()), slog.Int("bytes", v.sent),
		slog.String("request_id", v.requestID), slog.String("domain", v.call.Caller.DomainID),
		slog.String("user", v.call.Caller.UserName), slog.String("source", v.source(f, r)), slog.String("code", v.code),
	}
	f.Log.LogAttrs(r.Context(), level, "request", attrs[:]...)
	v.release()
}

func newRequestID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return hex.EncodeToString(b[:])
}

// Malformed renders an error of the generated decoding: the request is at fault.
func (f *Frame) Malformed(w http.ResponseWriter, r *http.Request, err error) {
	f.Failed(w, r, fault.New(fault.Invalid, "", "%s", err))
}
