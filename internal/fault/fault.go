// Package fault holds the errors that are meant for a caller: a kind, a code of the contract and a message.
//
// It is the only vocabulary that doors translate into a status and a body; every other error is an
// accident of the house and is shown to the caller as "internal error" only.
//
// Invariants: a fault has a code and a message, never empty; neither ever holds a secret.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal this is; a door maps it to an HTTP status.
type Kind uint8

// The kinds, each with the HTTP status that doors give it.
const (
	Internal        Kind = iota // 500
	Invalid                     // 400
	Unauthenticated             // 401
	Forbidden                   // 403
	NotFound                    // 404
	Method                      // 405
	Conflict                    // 409
	TooLarge                    // 413
	Unprocessable               // 422
	TooMany                     // 429
	NotBuilt                    // 501
	Unavailable                 // 503
)

var statuses = [...]int{
	Internal: 500, Invalid: 400, Unauthenticated: 401, Forbidden: 403, NotFound: 404, Method: 405,
	Conflict: 409, TooLarge: 413, Unprocessable: 422, TooMany: 429, NotBuilt: 501, Unavailable: 503,
}

// Status is the HTTP status of a kind.
func (k Kind) Status() int {
	if int(k) < len(statuses) {
		return statuses[k]
	}
	return 500
}

// Fault is a refusal that the caller may read.
type Fault struct {
	Kind    Kind
	Code    string         // of the contract: CBC.0100, EPS.0008, APIGW.0301 …
	Message string         // English, for a person
	Detail  map[string]any // further members of the error body that an operation documents
	Retry   int            // seconds until a retry makes sense; 0 says nothing
}

// New makes a fault.
func New(kind Kind, code, format string, args ...any) *Fault {
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	return &Fault{Kind: kind, Code: code, Message: message}
}

func (f *Fault) Error() string { return f.Code + ": " + f.Message }

// As finds the fault in an error chain.
func As(err error) (*Fault, bool) {
	var f *Fault
	ok := errors.As(err, &f)
	return f, ok
}

// Is says whether err carries a fault with this code.
func Is(err error, code string) bool {
	f, ok := As(err)
	return ok && f.Code == code
}
