// Package ctsapi is the door of the trace contract (api/cts.yaml). Its error form is flat and its codes are CTS.nnnn.
//
// It does not own traces (trace). Operations that the Door lacks are answered by the generated notBuilt.
package ctsapi

import (
	"regexp"
	"strings"

	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// Door has the operations that are built.
type Door struct {
	notBuilt //lint:ignore U1000 answers for what a later contract adds
	counter  *operation.Counter
}

type errorBody struct {
	Code    string `json:"error_code"`
	Message string `json:"error_msg"`
}

var owned = regexp.MustCompile(`^/v[13](\.0)?/[^/]+/(traces?|trackers?|quotas|operations|user-resources|notifications|checkbucket|resources)\b`)

// Surface hangs the door into the frame.
func Surface(counter *operation.Counter, frame *doorway.Frame) *doorway.Surface {
	strict := NewStrictHandlerWithOptions(&Door{counter: counter}, nil, StrictHTTPServerOptions{
		RequestErrorHandlerFunc: frame.Malformed, ResponseErrorHandlerFunc: frame.Failed,
	})
	return &doorway.Surface{
		Name: "cts", Operations: operations,
		Register: func(mux doorway.Mux) {
			HandlerWithOptions(strict, StdHTTPServerOptions{BaseRouter: mux, ErrorHandlerFunc: frame.Malformed})
		},
		Owns: owned.MatchString,
		Own:  func(code string) bool { return strings.HasPrefix(code, "CTS.") || strings.HasPrefix(code, "PURSER.") },
		// billing-rules 9; the gateway's refusals take this surface's form too.
		Codes: map[fault.Kind]string{
			fault.Invalid: "CTS.0003", fault.TooLarge: "CTS.0003", fault.Unprocessable: "CTS.0003", fault.Unauthenticated: "CTS.0002",
			fault.Forbidden: "CTS.0002", fault.NotFound: "CTS.0100", fault.Method: "CTS.0100", fault.Conflict: "CTS.0208",
			fault.TooMany: "CTS.0200", fault.Internal: "CTS.0004", fault.Unavailable: "CTS.0004",
		},
		Render: func(f *fault.Fault, _, _ string) any { return errorBody{f.Code, f.Message} },
	}
}
