package doorway

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/operation"
)

// visit is one request on its way: the answer is gathered here and sent when it is whole, so that a failure in
// the middle never leaves half an answer.
type visit struct {
	under     http.ResponseWriter
	surface   *Surface
	op        *contract.Operation
	call      operation.Call
	requestID string
	began     time.Time
	wall      func() time.Time
	status    int
	code      string // of the refusal
	body      []byte
	sent      int
	streams   bool // it goes out as it is written
	broken    bool // and failed on the way
	inner     bool // the house itself asks, for a call that was let in
}

// bodies keeps the answers' memory between requests.
var bodies = sync.Pool{New: func() any { return new(make([]byte, 0, 4096)) }}

// keptMost is the largest answer whose memory is kept, in bytes.
const keptMost = 1 << 18

func newVisit(w http.ResponseWriter, began time.Time) *visit {
	return &visit{under: w, requestID: newRequestID(), began: began, body: (*bodies.Get().(*[]byte))[:0]}
}

func (v *visit) release() {
	if cap(v.body) <= keptMost {
		body := v.body[:0]
		bodies.Put(&body)
	}
	v.body = nil
}

func (v *visit) name() string {
	if v.op == nil {
		return ""
	}
	return v.op.ID
}

// source is where the request comes from, also when it never became a call.
func (v *visit) source(f *Frame, r *http.Request) string {
	if v.call.Source != "" {
		return v.call.Source
	}
	source, _ := f.origin(r)
	return source
}

// Header is the header of the answer.
func (v *visit) Header() http.Header { return v.under.Header() }

// WriteHeader keeps the status until the answer is whole.
func (v *visit) WriteHeader(status int) { v.status = status }

// Write gathers the answer, or sends it where it streams.
func (v *visit) Write(text []byte) (int, error) {
	if v.streams {
		return v.stream(text)
	}
	v.body = append(v.body, text...)
	return len(text), nil
}

// Stream lets an answer go out as it is written, since it may be too long to be gathered. What fails before the first byte is
// refused as ever; later the connection is broken off, so that nobody takes half an answer for a whole one.
func Stream(w http.ResponseWriter) {
	if v, ok := w.(*visit); ok {
		v.streams = true
	}
}

// streamWithin is how long the other side may take for a piece of a stream.
const streamWithin = 2 * time.Minute

func (v *visit) stream(text []byte) (int, error) {
	if v.sent == 0 && len(text) > 0 {
		v.dated()
		v.under.WriteHeader(v.status)
	}
	http.NewResponseController(v.under).SetWriteDeadline(v.wall().Add(streamWithin)) //nolint:errcheck // within the process there is none
	n, err := v.under.Write(text)
	v.sent += n
	return n, err
}

func (v *visit) send() {
	if v.streams && v.sent > 0 {
		return
	}
	if v.status == 0 {
		v.status = http.StatusOK
	}
	if v.status == http.StatusNoContent {
		v.body = v.body[:0]
		v.Header().Del("Content-Type")
	} else {
		v.Header().Set("Content-Length", strconv.Itoa(len(v.body)))
	}
	v.dated()
	v.under.WriteHeader(v.status)
	v.sent, _ = v.under.Write(v.body)
}

// dated says of when an answer is that was read from a replica.
func (v *visit) dated() {
	if at := v.call.AsOf; !at.IsZero() && v.status < http.StatusBadRequest {
		v.Header().Set(readAsOf, at.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
}

// byteReader reads a body again; unlike bytes.Reader it is small enough to live in the visit.
type byteReader struct{ text []byte }

func (b *byteReader) Read(p []byte) (int, error) {
	if len(b.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}
