// Package trace owns who did what, when, from where, and how it ended: one line for each operation that the guide
// (table 10-1) or the console names an event for, done or refused.
//
// It does not own which operations have an event (contract), nor the query of traces (the audit issue), nor plain
// reads, which leave none.
//
// Meanings of time: happened is business time, recorded real time; under a test clock they differ.
//
// Invariants: lines are only added; the line of a deed that was done is in the deed's own transaction, that of a
// refusal in one of its own; no secret is in a line.
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

// Line is one event.
type Line struct {
	Customer     string // whose account it is about
	ID           string
	Happened     time.Time // business time
	Recorded     time.Time // real time
	Service      string    // BSS, IAM …
	ResourceType string    // order, subscription …
	Name         string    // payCustomerOrderV3 …
	ResourceID   string
	ResourceName string
	Rating       string
	Caller       string // user id; empty: the system
	CallerName   string
	CallerDomain string
	Source       string // network address
	RequestID    string
	Operation    string
	Code         string // status of the answer, or the refusal's code
	Message      string
	Request      string // the request's body, secrets masked, cut
}

// bodyMost is how much of a request a line keeps, bytes.
const bodyMost = 2048

// Record adds a line at the transaction's instants and mints its id.
func Record(ctx context.Context, tx *db.Tx, random io.Reader, l *Line) error {
	id, err := ident.NewTraceID(random)
	if err != nil {
		return err
	}
	l.ID, l.Happened, l.Recorded = string(id), tx.Now, tx.Real
	l.Message = cut(l.Message, bodyMost)
	return insert(ctx, tx, l)
}

// masked are the members of a request whose values no line may hold, as parts of their names in lower case.
var masked = []string{"password", "secret", "token", "credential"}

// Body prepares a request's body for a line: secrets masked, cut. A body that is not JSON is left out.
func Body(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return ""
	}
	text, err := json.Marshal(mask(value))
	if err != nil {
		return ""
	}
	return cut(string(text), bodyMost)
}

func mask(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if secret(name) {
				v[name] = "******"
			} else {
				v[name] = mask(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = mask(v[i])
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
