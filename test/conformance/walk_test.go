package conformance

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/shopspring/decimal"
)

// sdkWalk holds one contract against one client of the official SDK. Nothing is taken on trust: the operations are
// the methods of the client, so that a new one in a newer SDK is noticed.
type sdkWalk struct {
	file   string                                // of the contract, in api/
	client any                                   // a nil pointer to the SDK's client
	defs   map[string]func() *def.HttpRequestDef // operation → how it goes over the wire
	others []string                              // operations of the SDK that the contract leaves out on purpose
	own    []string                              // operations of the contract that the SDK lacks
	odd    map[string]string                     // difference found → why it is meant
}

// run reports every difference that is not in the table of odd ones, and every odd one that is not found any more.
func (w *sdkWalk) run(t *testing.T) {
	t.Helper()
	doc := loadContract(t, w.file)
	contract := map[string]*walked{}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			contract[o.OperationID] = &walked{
				name: o.OperationID, method: method, path: path, Operation: o,
				params: append(slices.Clone(item.Parameters), o.Parameters...),
			}
		}
	}
	found := w.missing(contract)
	for _, name := range sortedKeys(contract) {
		o := contract[name]
		if gen, ok := w.defs[name]; ok {
			method, _ := reflect.TypeOf(w.client).MethodByName(name)
			o.compare(method.Type.In(1).Elem(), gen())
		}
		found = append(found, o.found...)
	}
	for _, f := range found {
		if w.odd[f] == "" {
			t.Error(f)
		}
	}
	for _, f := range sortedKeys(w.odd) {
		if !slices.Contains(found, f) {
			t.Errorf("no longer found, so no longer odd: %s", f)
		}
	}
}

// missing gives the operations that only one side has and that nobody accounts for.
func (w *sdkWalk) missing(contract map[string]*walked) (found []string) {
	client := reflect.TypeOf(w.client)
	inSDK := map[string]bool{}
	for i := range client.NumMethod() {
		m := client.Method(i)
		// An operation takes its request and gives its answer and an error; its twin "…Invoker" gives one value.
		if m.Type.NumIn() != 2 || m.Type.NumOut() != 2 {
			continue
		}
		inSDK[m.Name] = true
		switch other := slices.Contains(w.others, m.Name); {
		case other && contract[m.Name] != nil:
			found = append(found, m.Name+": in the contract, yet listed as left out")
		case !other && contract[m.Name] == nil:
			found = append(found, m.Name+": an operation of the SDK, not in the contract")
		case !other && w.defs[m.Name] == nil:
			found = append(found, m.Name+": not compared")
		}
	}
	for _, name := range sortedKeys(contract) {
		if own := slices.Contains(w.own, name); own == inSDK[name] {
			found = append(found, fmt.Sprintf("%s: own is %t, in the SDK is %t", name, own, inSDK[name]))
		}
	}
	for _, name := range append(slices.Clone(w.others), sortedKeys(w.defs)...) {
		if !inSDK[name] {
			found = append(found, name+": the SDK has it no more")
		}
	}
	return found
}

// walked is one operation of the contract with the differences found in it.
type walked struct {
	*openapi3.Operation
	name, method, path string
	params             openapi3.Parameters
	found              []string
}

func (o *walked) differ(where, format string, args ...any) {
	o.found = append(o.found, o.name+" "+where+": "+fmt.Sprintf(format, args...))
}

func (o *walked) compare(request reflect.Type, wire *def.HttpRequestDef) {
	if o.method != wire.Method || o.path != wire.Path {
		o.differ("path", "the SDK sends %s %s", wire.Method, wire.Path)
	}
	o.compareRequest(request, wire)
	o.compareAnswer(reflect.TypeOf(wire.Response).Elem())
}

// compareRequest compares parameters and body, both ways: names, places, types, and what must be given.
func (o *walked) compareRequest(request reflect.Type, wire *def.HttpRequestDef) {
	known, body := map[string]bool{}, false
	for _, f := range wire.RequestFields {
		sf, ok := request.FieldByName(f.Name)
		if !ok {
			o.differ(f.Name, "named by the SDK's request definition, not in its type")
			continue
		}
		name, optional := jsonName(sf)
		if f.LocationType == def.Body {
			body = true
			o.compareBody(sf.Type)
			continue
		}
		in := map[def.LocationType]string{def.Path: "path", def.Query: "query", def.Header: "header"}[f.LocationType]
		if name != f.JsonTag {
			o.differ(in+" "+name, "the SDK's request definition says %s", f.JsonTag)
		}
		known[in+" "+name] = true
		p := o.params.GetByInAndName(in, name)
		if p == nil {
			o.differ(in+" "+name, "not in the contract")
			continue
		}
		o.must(in+" "+name, p.Required, !optional)
		o.value(in+" "+name, sf.Type, p.Schema.Value, true)
	}
	for _, p := range o.params {
		if in, name := p.Value.In, p.Value.Name; !known[in+" "+name] {
			o.differ(in+" "+name, "not in the SDK")
		}
	}
	if !body && o.RequestBody != nil {
		o.differ("body", "not in the SDK")
	}
}

func (o *walked) compareBody(gt reflect.Type) {
	if o.RequestBody == nil {
		o.differ("body", "not in the contract")
		return
	}
	media := o.RequestBody.Value.GetMediaType("application/json")
	// The SDK's "body" is a pointer everywhere: it says nothing of whether a body must be there. What must be is
	// told by the fields: a body with a required field is required.
	if must := len(media.Schema.Value.Required) > 0; must && !o.RequestBody.Value.Required {
		o.differ("body", "has required fields and is not required")
	}
	o.value("body", gt, media.Schema.Value, true)
}

// must says where one side asks for what the other may leave out.
func (o *walked) must(where string, contract, sdk bool) {
	switch {
	case contract && !sdk:
		o.differ(where, "asked for, the SDK may leave it out")
	case sdk && !contract:
		o.differ(where, "may be left out, the SDK always sends it")
	}
}

// compareAnswer compares the body of success.
func (o *walked) compareAnswer(answer reflect.Type) {
	fields := structFields(answer, map[string]bool{"HttpStatusCode": true})
	successes, media := 0, (*openapi3.MediaType)(nil)
	for status, r := range o.Responses.Map() {
		if strings.HasPrefix(status, "2") {
			successes++
			media = r.Value.Content.Get("application/json")
			if (status == "204") != (media == nil) {
				o.differ("answer", "status %s, body %t", status, media != nil)
			}
		}
	}
	if successes != 1 {
		o.differ("answer", "%d ways to succeed", successes)
	}
	if (len(fields) == 0) != (media == nil) {
		o.differ("answer", "%d fields in the SDK, body in the contract: %t", len(fields), media != nil)
		return
	}
	if media != nil {
		o.object("answer", fields, media.Schema.Value, false)
	}
}

// value compares one Go type with one schema.
func (o *walked) value(where string, gt reflect.Type, s *openapi3.Schema, request bool) {
	for gt.Kind() == reflect.Pointer {
		gt = gt.Elem()
	}
	want, formats := wireType(gt)
	if !s.Type.Is(want) || !slices.Contains(formats, s.Format) {
		o.differ(where, "%s %q, in the SDK %s", strings.Join(s.Type.Slice(), "|"), s.Format, gt)
		return
	}
	switch want {
	case "array":
		o.value(where+"[]", gt.Elem(), s.Items.Value, request)
	case "object":
		o.object(where, structFields(gt, nil), s, request)
	}
}

// object compares fields by their exact name, both ways. The SDK's required answer fields must be promised by the
// contract; the contract may promise more, since a server may always answer what a client need not find.
func (o *walked) object(where string, fields map[string]reflect.StructField, s *openapi3.Schema, request bool) {
	for _, name := range sortedKeys(fields) {
		prop := s.Properties[name]
		if prop == nil {
			o.differ(where+"."+name, "not in the contract")
			continue
		}
		_, optional := jsonName(fields[name])
		must := slices.Contains(s.Required, name)
		if request || !must {
			o.must(where+"."+name, must, !optional)
		}
		if must && prop.Value.Nullable {
			o.differ(where+"."+name, "required and null at once")
		}
		o.value(where+"."+name, fields[name].Type, prop.Value, request)
	}
	for _, name := range sortedKeys(s.Properties) {
		if _, ok := fields[name]; !ok {
			o.differ(where+"."+name, "not in the SDK")
		}
	}
}

// wireType says as what a Go type of the SDK travels, and which formats a contract may give it.
func wireType(gt reflect.Type) (typ string, formats []string) {
	switch {
	case gt == reflect.TypeFor[decimal.Decimal](), gt.Kind() == reflect.Float64:
		return "number", []string{"decimal"}
	case gt.Kind() == reflect.String:
		return "string", []string{"", "decimal"}
	}
	typ, format := jsonType(gt)
	return typ, []string{format}
}
