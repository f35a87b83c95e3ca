package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-faster/jx"
)

// Decimal is an exact decimal on the wire: the literal itself. It is written as a JSON number and taken as a
// number or inside a string, which is how the official Go SDK sends it. Empty is written as 0.
type Decimal string

// MarshalJSON writes the literal.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d == "" {
		return []byte("0"), nil
	}
	if !isDecimal([]byte(d)) {
		return nil, fmt.Errorf("%q is not a decimal", string(d))
	}
	return []byte(d), nil
}

// UnmarshalJSON takes a number or a number inside a string.
func (d *Decimal) UnmarshalJSON(raw []byte) error {
	text, err := unquoted(raw)
	if err != nil {
		return err
	}
	if string(text) == "null" {
		return nil
	}
	if !isDecimal(text) {
		return fmt.Errorf("%q is not a decimal", text)
	}
	*d = Decimal(text)
	return nil
}

// Int32 and Int64 are integers on the wire, also taken inside a string, which is how Terraform sends them.
type (
	Int32 int32
	Int64 int64
)

// UnmarshalJSON takes an integer or an integer inside a string.
func (n *Int32) UnmarshalJSON(raw []byte) error {
	v, err := integer(raw, 32)
	if err == nil {
		*n = Int32(v)
	}
	return err
}

// UnmarshalJSON takes an integer or an integer inside a string.
func (n *Int64) UnmarshalJSON(raw []byte) error {
	v, err := integer(raw, 64)
	if err == nil {
		*n = Int64(v)
	}
	return err
}

func integer(raw []byte, bits int) (int64, error) {
	text, err := unquoted(raw)
	if err != nil || string(text) == "null" {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, bits)
}

func unquoted(raw []byte) ([]byte, error) {
	if len(raw) == 0 || raw[0] != '"' {
		return raw, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// EncodeDecimal writes the literal, 0 when it is empty. The doors make decimals from exact amounts only.
func EncodeDecimal(e *jx.Encoder, d Decimal) {
	if d == "" {
		d = "0"
	}
	e.Raw([]byte(d))
}

// Answer sends an answer of JSON.
func Answer(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// Text is an optional string of a request; absent is empty.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Int is an optional integer of a request.
func Int(n *Int32, byDefault int) int {
	if n == nil {
		return byDefault
	}
	return int(*n)
}
