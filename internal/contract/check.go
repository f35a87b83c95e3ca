package contract

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// Problem is one thing that is wrong with a request: where and what, and the contract's code where it has one for that.
type Problem struct{ Where, What, Code string }

func (p *Problem) Error() string { return p.Where + ": " + p.What }

func problem(where, format string, args ...any) error {
	if where == "" {
		where = "body"
	}
	return &Problem{Where: where, What: fmt.Sprintf(format, args...)}
}

// coded gives a problem the schema's own code, unless it has one from further inside.
func (s *Schema) coded(err error) error {
	if p := (*Problem)(nil); s.Code != "" && errors.As(err, &p) && p.Code == "" {
		p.Code = s.Code
	}
	return err
}

// where is the place of a value, built only when something is wrong there.
type where struct {
	up    *where
	name  string
	index int
}

func (w *where) String() string {
	if w == nil {
		return ""
	}
	up := w.up.String()
	if w.name == "" {
		return up + "[" + strconv.Itoa(w.index) + "]"
	}
	if up == "" {
		return w.name
	}
	return up + "." + w.name
}

var decoders = sync.Pool{New: func() any { return jx.DecodeStr("") }}

// CheckBody checks a JSON body against the operation. The first problem found is returned, a *Problem.
func (o *Operation) CheckBody(body []byte) error {
	if o.Body == nil {
		return nil
	}
	if len(body) == 0 {
		if o.BodyMust {
			return problem("", "a JSON body is required")
		}
		return nil
	}
	if !utf8.Valid(body) {
		return problem("", "not valid UTF-8")
	}
	d := decoders.Get().(*jx.Decoder)
	d.ResetBytes(body)
	defer decoders.Put(d)
	c := checker{d: d}
	if err := c.value(o.Body, nil); err != nil {
		return err
	}
	if err := d.Skip(); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return problem("", "more text after the JSON value")
	}
	return nil
}

// depthMost bounds how deep a body may be nested.
const depthMost = 32

type checker struct {
	d     *jx.Decoder
	depth int
}

// broken turns an error of the JSON reader into a problem.
func broken(at *where, err error) error {
	if p := (*Problem)(nil); errors.As(err, &p) {
		return p // the reader wraps what a callback returned
	}
	return problem(at.String(), "not valid JSON")
}

func (c *checker) value(s *Schema, at *where) error {
	if err := c.plain(s, at); err != nil {
		return s.coded(err)
	}
	return nil
}

func (c *checker) plain(s *Schema, at *where) error {
	found := c.d.Next()
	switch s.Kind {
	case Object:
		if found != jx.Object {
			return c.mismatch(at, "an object", found)
		}
		return c.object(s, at)
	case Array:
		if found != jx.Array {
			return c.mismatch(at, "an array", found)
		}
		return c.array(s, at)
	case String:
		if found != jx.String {
			return c.mismatch(at, "a string", found)
		}
		text, err := c.d.StrBytes()
		if err != nil {
			return broken(at, err)
		}
		return s.text(text, at)
	case Boolean:
		if found != jx.Bool {
			return c.mismatch(at, "true or false", found)
		}
		if _, err := c.d.Bool(); err != nil {
			return broken(at, err)
		}
		return nil
	default:
		return c.number(s, at, found)
	}
}

func (c *checker) mismatch(at *where, want string, found jx.Type) error {
	if found == jx.Invalid {
		return problem(at.String(), "not valid JSON")
	}
	if found == jx.Null {
		return problem(at.String(), "must not be null")
	}
	if err := c.d.Skip(); err != nil {
		return broken(at, err)
	}
	return problem(at.String(), "must be %s, not %s", want, found)
}

// number takes integers and decimals, also inside a string.
func (c *checker) number(s *Schema, at *where, found jx.Type) error {
	var literal []byte
	switch found {
	case jx.Number:
		raw, err := c.d.Raw()
		if err != nil {
			return broken(at, err)
		}
		literal = raw
	case jx.String:
		text, err := c.d.StrBytes()
		if err != nil {
			return broken(at, err)
		}
		literal = text
		if len(text) == 0 && s.Empty == EmptyAbsent {
			return problem(at.String(), "must be a number, not an empty string")
		}
	default:
		want := "a number"
		if s.Kind == Integer {
			want = "an integer"
		}
		return c.mismatch(at, want, found)
	}
	return s.literal(literal, at)
}

func (s *Schema) literal(text []byte, at *where) error {
	if s.Kind == Number {
		if !isDecimal(text) {
			return problem(at.String(), "must be a decimal number")
		}
		if s.HasMin && s.Min == 0 && text[0] == '-' {
			return problem(at.String(), "must be at least 0")
		}
		return nil
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
			return problem(at.String(), "is too large")
		}
		return problem(at.String(), "must be an integer")
	}
	switch {
	case s.HasMin && n < s.Min && s.HasMax:
		return problem(at.String(), "must be from %d to %d", s.Min, s.Max)
	case s.HasMin && n < s.Min:
		return problem(at.String(), "must be at least %d", s.Min)
	case s.HasMax && n > s.Max && s.HasMin:
		return problem(at.String(), "must be from %d to %d", s.Min, s.Max)
	case s.HasMax && n > s.Max:
		return problem(at.String(), "must be at most %d", s.Max)
	}
	if len(s.Enum) > 0 && !s.listed(string(text)) {
		return problem(at.String(), "must be one of %s", strings.Join(s.Enum, ", "))
	}
	return nil
}

// isDecimal says whether the text is a JSON number without exponent games: an optional sign, digits, a fraction.
func isDecimal(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	digits, point := 0, -1
	for i, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && point < 0 && i > 0:
			point = i
		default:
			return false
		}
	}
	return digits > 0 && digits <= 40 && point != len(text)-1
}

func (s *Schema) listed(text string) bool {
	for _, e := range s.Enum {
		if e == text || s.FoldCase && strings.EqualFold(e, text) {
			return true
		}
	}
	return false
}

func (s *Schema) text(text []byte, at *where) error {
	if len(text) == 0 {
		switch s.Empty {
		case EmptyRefused:
			return problem(at.String(), "must not be empty")
		default:
			return nil
		}
	}
	length := utf8.RuneCount(text)
	if length < s.MinLen {
		return problem(at.String(), "must have at least %d characters", s.MinLen)
	}
	if s.MaxLen > 0 && length > s.MaxLen {
		return problem(at.String(), "must have at most %d characters", s.MaxLen)
	}
	if s.Decimal && !isDecimal(text) {
		return problem(at.String(), "must hold a decimal number")
	}
	if len(s.Enum) > 0 && !s.listed(string(text)) {
		return problem(at.String(), "must be one of %s", strings.Join(s.Enum, ", "))
	}
	if s.Pattern != nil && !s.Pattern.Match(text) {
		return problem(at.String(), "must look like %s", s.Pattern)
	}
	return nil
}

func (c *checker) object(s *Schema, at *where) error {
	if c.depth++; c.depth > depthMost {
		return problem(at.String(), "nested too deep")
	}
	defer func() { c.depth-- }()
	var seen [4]uint64 // 256 fields are more than any object of the contracts has
	err := c.d.ObjBytes(func(d *jx.Decoder, key []byte) error {
		i, known := s.ByName[string(key)]
		if !known {
			if name := s.inOtherCase(string(key)); name != "" {
				return problem((&where{up: at, name: string(key)}).String(), "unknown field; did you mean %q?", name)
			}
			return d.Skip()
		}
		f := &s.Fields[i]
		seen[i>>6&3] |= 1 << (i & 63)
		here := where{up: at, name: f.Name}
		if d.Next() == jx.Null {
			if f.Required {
				return f.Schema.coded(problem(here.String(), "must not be null"))
			}
			return d.Null()
		}
		return c.value(f.Schema, &here)
	})
	if err != nil {
		return broken(at, err)
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Required && seen[i>>6&3]&(1<<(i&63)) == 0 {
			return f.Schema.coded(problem((&where{up: at, name: f.Name}).String(), "is required"))
		}
	}
	return nil
}

// inOtherCase finds the field that was probably meant: the decoder behind this check would take it, the contract does not.
func (s *Schema) inOtherCase(key string) string {
	if s.Additional {
		return ""
	}
	for i := range s.Fields {
		if strings.EqualFold(s.Fields[i].Name, key) {
			return s.Fields[i].Name
		}
	}
	return ""
}

func (c *checker) array(s *Schema, at *where) error {
	if c.depth++; c.depth > depthMost {
		return problem(at.String(), "nested too deep")
	}
	defer func() { c.depth-- }()
	n := 0
	err := c.d.Arr(func(d *jx.Decoder) error {
		here := where{up: at, index: n}
		if n++; s.MaxLen > 0 && n > s.MaxLen {
			return problem(at.String(), "must have at most %d items", s.MaxLen)
		}
		if d.Next() == jx.Null {
			return problem(here.String(), "must not be null")
		}
		return c.value(s.Items, &here)
	})
	if err != nil {
		return broken(at, err)
	}
	if n < s.MinLen {
		return problem(at.String(), "must have at least %d items", s.MinLen)
	}
	return nil
}

// CheckPath checks the arguments in the path.
func (o *Operation) CheckPath(value func(name string) string) error {
	for i := range o.Params {
		p := &o.Params[i]
		if p.In != "path" {
			continue
		}
		if err := p.check(value(p.Name)); err != nil {
			return err
		}
	}
	return nil
}

// CheckHeader checks the arguments in headers.
func (o *Operation) CheckHeader(value func(name string) string) error {
	for i := range o.Params {
		p := &o.Params[i]
		if p.In != "header" {
			continue
		}
		text := value(p.Name)
		if text == "" {
			if p.Required {
				return problem(p.Name, "is required")
			}
			continue
		}
		if err := p.check(text); err != nil {
			return err
		}
	}
	return nil
}

// CheckQuery checks the arguments in the query and returns the query as the operation means it: what counts
// as absent is gone, defaults are in, enums have their own case. same says that nothing had to change.
func (o *Operation) CheckQuery(raw string) (query string, err error) {
	wants := false
	for i := range o.Params {
		if o.Params[i].In == "query" {
			wants = true
			break
		}
	}
	if !wants {
		return raw, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", problem("query", "is not well-formed")
	}
	out := make(url.Values, len(values))
	for i := range o.Params {
		p := &o.Params[i]
		if p.In != "query" {
			continue
		}
		given, present := values[p.Name]
		if p.Schema.Kind == Array {
			for _, text := range given {
				if err := p.check(text); err != nil {
					return "", err
				}
			}
			if present {
				out[p.Name] = given
			}
			continue
		}
		if len(given) > 1 {
			return "", problem(p.Name, "is given %d times", len(given))
		}
		if !present || given[0] == "" && p.Schema.absentWhenEmpty() {
			if p.Required {
				return "", p.Schema.coded(problem(p.Name, "is required"))
			}
			if p.Default != "" {
				out[p.Name] = []string{p.Default}
			}
			continue
		}
		if err := p.check(given[0]); err != nil {
			return "", err
		}
		out[p.Name] = []string{p.Schema.canonical(given[0])}
	}
	return out.Encode(), nil
}

func (s *Schema) absentWhenEmpty() bool {
	return s.Kind != String || s.Empty == EmptyAbsent
}

func (s *Schema) canonical(text string) string {
	if s.FoldCase {
		for _, e := range s.Enum {
			if strings.EqualFold(e, text) {
				return e
			}
		}
	}
	return text
}

// check checks one textual argument.
func (p *Param) check(text string) error {
	if err := p.plain(text); err != nil {
		return p.Schema.coded(err)
	}
	return nil
}

func (p *Param) plain(text string) error {
	at := &where{name: p.Name}
	s := p.Schema
	if s.Kind == Array {
		s = s.Items
	}
	switch s.Kind {
	case String:
		return s.text([]byte(text), at)
	case Boolean:
		if text != "true" && text != "false" {
			return problem(p.Name, "must be true or false")
		}
		return nil
	case Integer, Number:
		return s.literal([]byte(text), at)
	default:
		return nil
	}
}

// Bounds of int32, which the generator puts on integers of that format.
const (
	MinInt32 = math.MinInt32
	MaxInt32 = math.MaxInt32
)
