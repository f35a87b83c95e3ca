// Package iamapi is the door of the identity contract (api/iam.yaml): tokens, look-ups, users, access keys. Its
// error form is keystone's, caller-identity's is flat.
//
// It does not own identities (identity). Operations that the Door lacks are answered by the generated notBuilt.
package iamapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
)

// Door has the operations that are built.
type Door struct {
	notBuilt //lint:ignore U1000 answers for what a later contract adds
	counter  *operation.Counter
}

// Surface hangs the door into the frame.
func Surface(counter *operation.Counter, frame *doorway.Frame) *doorway.Surface {
	strict := NewStrictHandlerWithOptions(&Door{counter: counter}, nil, StrictHTTPServerOptions{
		RequestErrorHandlerFunc: frame.Malformed, ResponseErrorHandlerFunc: frame.Failed,
	})
	return &doorway.Surface{
		Name: "iam", Operations: operations,
		Register: func(mux doorway.Mux) {
			HandlerWithOptions(strict, StdHTTPServerOptions{BaseRouter: mux, ErrorHandlerFunc: frame.Malformed})
		},
		Owns: func(path string) bool {
			return strings.HasPrefix(path, "/v3/auth/") || strings.HasPrefix(path, "/v3.0/OS-") || strings.HasPrefix(path, "/v3/users") ||
				strings.HasPrefix(path, "/v3/projects") || strings.HasPrefix(path, "/v5/")
		},
		Own:    func(code string) bool { return code != "" },
		Render: render,
	}
}

// render writes keystone's form, which repeats the status in the body; the newer caller-identity has the flat form.
func render(f *fault.Fault, operation, _ string) any {
	if operation == "GetCallerIdentity" {
		code := f.Code
		if code == "" {
			code = "IAM.0001"
		}
		return FlatError{ErrorCode: code, ErrorMsg: f.Message}
	}
	status := f.Kind.Status()
	body := Error{Error: ErrorBody{Message: f.Message, Title: http.StatusText(status)}}
	body.Error.Code = int32Of(status)
	return body
}

// stamp is how this surface writes an instant.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
