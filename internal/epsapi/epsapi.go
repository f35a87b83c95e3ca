// Package epsapi is the door of the enterprise project contract (api/eps.yaml). Its error form is nested and its
// codes are EPS.nnnn.
//
// It does not own enterprise projects (project). Operations that the Door lacks are answered by the generated notBuilt.
package epsapi

import (
	"net/http"
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
	Error inner `json:"error"`
}

type inner struct {
	Code    string `json:"error_code"`
	Message string `json:"error_msg"`
}

// Surface hangs the door into the frame.
func Surface(counter *operation.Counter, frame *doorway.Frame) *doorway.Surface {
	strict := NewStrictHandlerWithOptions(&Door{counter: counter}, nil, StrictHTTPServerOptions{
		RequestErrorHandlerFunc: frame.Malformed, ResponseErrorHandlerFunc: frame.Failed,
	})
	return &doorway.Surface{
		Name: "eps", Operations: operations,
		Register: func(mux doorway.Mux) {
			HandlerWithOptions(strict, StdHTTPServerOptions{BaseRouter: mux, ErrorHandlerFunc: frame.Malformed})
		},
		Owns: func(path string) bool {
			return strings.HasPrefix(path, "/v1.0/enterprise-projects") || strings.HasPrefix(path, "/v1/enterprise-projects") || strings.HasPrefix(path, "/v1.0/associated-resources")
		},
		Own: func(code string) bool { return strings.HasPrefix(code, "EPS.") || strings.HasPrefix(code, "PURSER.") },
		// billing-rules 7; the gateway's refusals take this surface's form too.
		Codes: map[fault.Kind]string{
			fault.Invalid: "EPS.0002", fault.TooLarge: "EPS.0002", fault.Unprocessable: "EPS.0002", fault.Unauthenticated: "EPS.0003",
			fault.Forbidden: "EPS.0004", fault.NotFound: "EPS.0005", fault.Method: "EPS.0005", fault.Conflict: "EPS.0010",
			fault.TooMany: "EPS.0006", fault.Internal: "EPS.0001", fault.Unavailable: "EPS.0001",
		},
		Statuses: map[fault.Kind]int{fault.TooMany: http.StatusForbidden},
		Render:   func(f *fault.Fault, _, _ string) any { return errorBody{inner{f.Code, f.Message}} },
	}
}
