// Package bssapi is the door of the Operations Capability contract (api/bss.yaml): it decodes a request, asks the
// counter, and encodes the answer.
//
// It owns the wire's peculiarities of this surface (names, which amounts are strings, the error form). It does not
// own any rule of the business. Operations that the Door lacks are answered by the generated notBuilt.
package bssapi

import (
	"strings"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// Door has the operations that are built.
type Door struct {
	notBuilt //lint:ignore U1000 answers for what a later contract adds
	counter  *operation.Counter
}

// errorBody is the surface's error form; refusals of the gateway (APIGW…, APIG…) also name the request.
type errorBody struct {
	Code      string `json:"error_code"`
	Message   string `json:"error_msg"`
	RequestID string `json:"request_id,omitempty"`
}

// Surface hangs the door into the frame.
func Surface(counter *operation.Counter, frame *doorway.Frame) *doorway.Surface {
	door := &Door{counter: counter}
	frame.Fees = door.fees
	strict := NewStrictHandlerWithOptions(door, nil, StrictHTTPServerOptions{
		RequestErrorHandlerFunc: frame.Malformed, ResponseErrorHandlerFunc: frame.Failed,
	})
	return &doorway.Surface{
		Name: "bss", Operations: operations,
		Register: func(mux doorway.Mux) {
			HandlerWithOptions(strict, StdHTTPServerOptions{BaseRouter: mux, ErrorHandlerFunc: frame.Malformed})
		},
		Own:    func(code string) bool { return code != "" },
		Codes:  codes,
		Render: render,
	}
}

// codes are this surface's codes where a refusal has none of its own (api.md 0.5).
var codes = map[fault.Kind]string{
	fault.Invalid: "CBC.0100", fault.TooLarge: "CBC.0100", fault.Unprocessable: "CBC.0100", fault.NotFound: "CBC.0100", fault.Conflict: "CBC.0100",
	fault.Unauthenticated: "APIGW.0301", fault.Forbidden: "CBC.0151", fault.Method: "APIGW.0101", fault.TooMany: "CBC.0250",
	fault.Internal: "CBC.0999", fault.Unavailable: "CBC.0999", fault.NotBuilt: "PURSER.0501",
}

func render(f *fault.Fault, _, requestID string) any {
	body := errorBody{Code: f.Code, Message: f.Message}
	if strings.HasPrefix(f.Code, "APIG") {
		body.RequestID = requestID
	}
	if len(f.Detail) == 0 {
		return body
	}
	out := map[string]any{"error_code": body.Code, "error_msg": body.Message}
	for name, value := range f.Detail {
		out[name] = value
	}
	return out
}

// languageOf reads X-Language; the default of the Products API is Chinese.
func languageOf(header *string) catalog.Language {
	if header == nil {
		return catalog.Chinese
	}
	return catalog.LanguageOf(*header)
}

// page reads offset and limit; the contract's defaults are already in the query.
func page(offset, limit *contract.Int32) catalog.Page {
	return catalog.Page{Offset: contract.Int(offset, 0), Limit: contract.Int(limit, 10)}
}
