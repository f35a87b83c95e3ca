// Package trace owns who did what, when, from where, and how it ended: one line for each operation that the guide
// (table 10-1) or the console names an event for, done or refused; the trackers that switch this on for an account and carry
// lines further into files; the digests that prove these files; and the notifications of key events.
//
// It does not own which operations have an event (contract), who may ask (operation), where objects lie (bucket) nor how a
// notification is sent (outbox).
//
// An account without a management tracker leaves no lines. A tracker without a bucket carries none.
//
//	line → waiting (in the line's own transaction) → planned file → written file → digest
//
// A file is planned, with its name and its bytes, in the transaction in which its lines wait no more; only then it is written, and
// after a crash once more, the same file. A line that comes in meanwhile, older than what was read, lets the plan be made anew.
//
// Meanings of time: happened is business time, recorded real time; under a test clock they differ. Queries go by happened.
// Files, digests, leases and retention go by real time.
//
// Invariants: lines are only added; the line of a deed that was done is in the deed's own transaction, that of a refusal in
// one of its own; no secret is in a line; a line is in one file, a file in one digest, a digest names the one before.
package trace

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/ident"
)

// Ratings of a line.
const (
	Normal   = "normal"   // done
	Warning  = "warning"  // refused
	Incident = "incident" // an accident of the house
)

// Kinds of a line: how it came about.
const (
	ByAPI     = "ApiCall"
	ByConsole = "ConsoleAction" // through the house's own pages
	BySystem  = "SystemAction"  // by the house itself, because time passed
)

// Line is one event.
type Line struct {
	Customer        string // whose account it is about
	Project         string // where it lies: of global services the account's home project
	ID              string
	Happened        time.Time // business time
	Recorded        time.Time // real time
	Kind            string    // ByAPI …
	Service         string    // BSS, IAM …
	ResourceType    string    // order, subscription …
	Name            string    // payCustomerOrderV3 …
	ResourceID      string
	ResourceName    string
	ResourceAccount string // account of the resource, where it is not the caller's
	Enterprise      string // enterprise project of the resource
	Rating          string
	Caller          string // user id; empty: the system
	CallerName      string
	CallerAccount   string // id of the caller's account
	CallerDomain    string // its name
	Root            bool   // the account's own user
	AccessKey       string
	SignedIn        time.Time // when the token or temporary key was issued; zero: a permanent key
	Console         bool
	Source          string // network address
	RequestID       string
	Operation       string
	APIVersion      string
	Endpoint, URL   string // host that was asked, and path
	ReadOnly        bool
	Code            string // HTTP status of the answer
	Message         string // of a refusal: its code and text
	Request         string // the request's body, secrets masked, cut
	Response        string // the answer's body, likewise
}

// bodyMost is how much of a request or an answer a line keeps, bytes.
const bodyMost = 2048

// New mints the id of a line that happens in a transaction: ids of later lines sort behind.
func New(tx *db.Tx, random io.Reader, l *Line) error {
	real := tx.Real
	if l.Kind == BySystem {
		real = tx.Now // what the clock makes is the same whenever it is turned
	}
	id, err := ident.NewTraceID(random, tx.Now, real)
	if err != nil {
		return err
	}
	l.ID, l.Happened, l.Recorded = string(id), tx.Now, tx.Real
	for text, most := range map[*string]int{&l.Message: bodyMost, &l.Response: bodyMost, &l.ResourceID: idMost, &l.ResourceName: idMost, &l.Source: idMost, &l.Endpoint: idMost, &l.URL: bodyMost} {
		*text = cut(clean(*text), most)
	}
	return nil
}

// idMost bounds what callers name, in bytes.
const idMost = 350

// clean takes out what no engine keeps in a text.
func clean(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "?")
}

// Record adds a line at the transaction's instants and mints its id; with carry it also waits for its tracker's next file.
// Two statements at most.
func Record(ctx context.Context, tx *db.Tx, random io.Reader, l *Line, carry bool) error {
	if err := New(tx, random, l); err != nil {
		return err
	}
	if err := insert(ctx, tx, l); err != nil || !carry {
		return err
	}
	return insertWaiting(ctx, tx, l)
}

// masked are the members of a body whose values no line may hold, as parts of their names in lower case.
var masked = []string{"password", "secret", "token", "credential", "activation_code", "authorization", "signature"}

// mask is what stands for a secret (billing-rules 9).
const mask = "********"

// Body prepares a body for a line: secrets masked, cut. A body that is not JSON is left out.
func Body(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return ""
	}
	text, err := json.Marshal(hide(value))
	if err != nil {
		return ""
	}
	return cut(strings.ReplaceAll(string(text), `\u0000`, "?"), bodyMost)
}

// hide masks what a secret name holds: texts and numbers; of objects and lists their own members are looked at.
func hide(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			switch member.(type) {
			case map[string]any:
				v[name] = hide(member)
			case []any:
				if secret(name) {
					v[name] = mask
				} else {
					v[name] = hide(member)
				}
			default:
				if secret(name) && member != nil {
					v[name] = mask
				}
			}
		}
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	}
	return value
}

func secret(name string) bool {
	name = strings.ToLower(name)
	for _, part := range masked {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// Latest lists a customer's lines, newest first.
func Latest(ctx context.Context, r db.Reader, customer string, limit int) ([]Line, error) {
	return latest(ctx, r, customer, limit)
}
