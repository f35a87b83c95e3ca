// Package contract is what the contracts in api/*.yaml say, at run time: the operations of a surface as
// tables, the check of a request against them, and the JSON forms of numbers.
//
// The tables are generated (contract.gen.go of each door), so that no contract is parsed when purser starts.
// It does not own routes, identity or what an operation does.
//
// Invariants: names are exact (a field in another case is refused, not silently taken); integers and decimals
// are also taken as JSON strings, since real clients send them so; nothing here turns a number into a float.
package contract

import "regexp"

// Kind is the JSON type of a value.
type Kind uint8

// The JSON types of the contracts.
const (
	String Kind = iota
	Integer
	Number
	Boolean
	Object
	Array
)

// Empty says what an empty string means.
type Empty uint8

// The rules for an empty string; see the fields of api.md that name one.
const (
	EmptyAbsent  Empty = iota // as if it had not been sent
	EmptyValue                // a value like any other
	EmptyRefused              // not allowed
)

// Schema is what a value must be.
type Schema struct {
	Kind       Kind
	Code       string // of the refusal of a wrong value, where the contract has one for it
	Decimal    bool   // a string that holds a decimal
	Empty      Empty
	FoldCase   bool // an enum whose values are compared without case
	Enum       []string
	Pattern    *regexp.Regexp
	MinLen     int // strings in characters, arrays in items
	MaxLen     int // 0: unbounded
	HasMin     bool
	HasMax     bool
	Min, Max   int64
	Items      *Schema
	Fields     []Field
	ByName     map[string]int // index into Fields
	Additional bool           // an object of free form
}

// Field is a member of an object.
type Field struct {
	Name     string
	Required bool
	Schema   *Schema
}

// Param is an argument in the path, the query or a header.
type Param struct {
	Name     string
	In       string // path, query, header
	Required bool
	Default  string // put in where the query lacks it
	Schema   *Schema
}

// Operation is one operation of a contract.
type Operation struct {
	ID       string
	Service  string // as traces name it: BSS, IAM, EPS, CTS
	Status   int    // of the answer when it is done
	Method   string
	Path     string
	Tag      string
	Params   []Param
	Body     *Schema // nil: takes none
	BodyMust bool
	Open     bool     // needs no credential
	Role     []string // actions of role-style policies, all of them needed
	Identity []string // actions of identity-style policies, all of them needed

	ByProject bool // who is limited to some enterprise projects may do it, within those
	Event     Event
	PerSec    int   // the provider's limit, requests a second for each user
	MaxBody   int64 // bytes; 0: the door's own
}

// Event is the trace that an operation leaves; none when Name is empty.
type Event struct {
	Type, Name string
	Failed     string            // its name when the operation was refused; empty: the same
	Field      string            // member of the body whose value chooses the name
	ByValue    map[string]string // names by that value
}

// Pattern is the operation's route in net/http's form.
func (o *Operation) Pattern() string { return o.Method + " " + o.Path }

// Obj makes an object schema.
func Obj(fields ...Field) *Schema {
	s := &Schema{Kind: Object, Fields: fields, ByName: make(map[string]int, len(fields))}
	for i, f := range fields {
		s.ByName[f.Name] = i
	}
	return s
}

// Re compiles a pattern of the contract; the generator names each once.
func Re(expression string) *regexp.Regexp { return regexp.MustCompile(expression) }

// NotBuiltError says that an operation is in the contract but not in this purser; the door renders it as 501.
type NotBuiltError struct{ Operation string }

func (e *NotBuiltError) Error() string { return e.Operation + " is not built yet" }

// NotBuilt is the answer of an operation that is not built.
func NotBuilt(operation string) error { return &NotBuiltError{operation} }
