// Package purserapi is the door of purser's own contract (api/purser.yaml): what an operator does, and what a
// customer's page needs beyond the contracts that purser takes over. Its error form is that of the BSS surface.
//
// It does not own any rule of the business.
package purserapi

import (
	"strings"

	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// Door has the operations that are built.
type Door struct {
	notBuilt //lint:ignore U1000 answers for what a later contract adds
	counter  *operation.Counter
	frame    *doorway.Frame // for operations that are made of others
}

// Surface hangs the door into the frame.
func Surface(counter *operation.Counter, frame *doorway.Frame) *doorway.Surface {
	strict := NewStrictHandlerWithOptions(&Door{counter: counter, frame: frame}, nil, StrictHTTPServerOptions{
		RequestErrorHandlerFunc: frame.Malformed, ResponseErrorHandlerFunc: frame.Failed,
	})
	return &doorway.Surface{
		Name: "purser", Operations: operations,
		Register: func(mux doorway.Mux) {
			HandlerWithOptions(strict, StdHTTPServerOptions{BaseRouter: mux, ErrorHandlerFunc: frame.Malformed})
		},
		Owns: func(path string) bool { return strings.HasPrefix(path, "/purser/") },
		Own:  func(code string) bool { return code != "" },
		Codes: map[fault.Kind]string{
			fault.Invalid: "CBC.0100", fault.TooLarge: "CBC.0100", fault.Unprocessable: "CBC.0100", fault.NotFound: "PURSER.0100", fault.Conflict: "PURSER.0101",
			fault.Unauthenticated: "APIGW.0301", fault.Forbidden: "CBC.0151", fault.Method: "APIGW.0101", fault.TooMany: "CBC.0250",
			fault.Internal: "CBC.0999", fault.Unavailable: "CBC.0999", fault.NotBuilt: "PURSER.0501",
		},
		Render: render,
	}
}

func render(f *fault.Fault, _, _ string) any {
	body := map[string]any{"error_code": f.Code, "error_msg": f.Message}
	for name, value := range f.Detail {
		body[name] = value
	}
	return body
}
