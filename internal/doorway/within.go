package doorway

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/operation"
)

// Within is the way of a request to a handler of the same process: no network, no limits of time.
type Within struct{ To http.Handler }

// RoundTrip lets the handler answer as if the browser had asked: its address is the request's.
func (t Within) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(Inside(r.Context()))
	in.RequestURI = r.URL.RequestURI()
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.Host = r.URL.Host
	in.RemoteAddr = net.JoinHostPort(r.Header.Get("X-Forwarded-For"), "0")
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &gathered{header: http.Header{}}
	t.To.ServeHTTP(w, in)
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

type innerKey struct{}

// For is a client of this frame's own operations for a call that was let in: what it asks runs as that call's caller, at its
// instant, unsigned; it is not throttled again and leaves no traces, since the call itself is and does. Only code of the house can
// put a call into a request's context.
func (f *Frame) For(call *operation.Call) *http.Client {
	return &http.Client{Transport: inner{call, Within{f}}}
}

type inner struct {
	call *operation.Call
	to   Within
}

func (t inner) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.to.RoundTrip(r.WithContext(context.WithValue(r.Context(), innerKey{}, t.call)))
}

// within makes a call that the house asks for another one run as that one's caller and leave no traces.
func within(call, outer *operation.Call) {
	call.Caller, call.Now, call.Source, call.Console = outer.Caller, outer.Now, outer.Source, outer.Console
	call.Fresh, call.Least, call.Outer = outer.Fresh, outer.Least, outer
	quiet := *call.Operation
	quiet.Event = contract.Event{}
	call.Operation = &quiet
}

// FeesFor lists fee records as For's client would, but straight from the door: pages may be larger than on the wire.
func (f *Frame) FeesFor(call *operation.Call) client.FeesReader { return shortcut{f, call} }

type shortcut struct {
	frame *Frame
	call  *operation.Call
}

func (s shortcut) ListCustomerselfResourceRecordsWithResponse(ctx context.Context, in *bss.ListCustomerselfResourceRecordsParams, _ ...bss.RequestEditorFn) (*bss.ListCustomerselfResourceRecordsReply, error) {
	call := operation.Call{Operation: s.frame.operation("ListCustomerselfResourceRecords"), RequestID: newRequestID(), Real: s.frame.Clock()}
	within(&call, s.call)
	return s.frame.Fees(context.WithValue(ctx, callKey{}, &call), in)
}

// operation finds an operation of a surface by its id, which is there.
func (f *Frame) operation(id string) *contract.Operation {
	for _, s := range f.surfaces {
		for i := range s.Operations {
			if s.Operations[i].ID == id {
				return &s.Operations[i]
			}
		}
	}
	return nil
}

func innerOf(ctx context.Context) *operation.Call {
	call, _ := ctx.Value(innerKey{}).(*operation.Call)
	return call
}
