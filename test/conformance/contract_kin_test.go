// Here the contracts of identity, enterprise projects and traces are held against the types of the official Go SDK.
package conformance

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdktime"
	cts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3"
	ctsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3/model"
	eps "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eps/v1"
	epsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/eps/v1/model"
	iam "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3"
	iammodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3/model"
	sts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sts/v1"
	stsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sts/v1/model"
)

// sdkOp is one operation of an official SDK: how it goes over the wire, and the type of its request.
type sdkOp struct {
	def     *def.HttpRequestDef
	request any
}

// kinContract is one contract, what the SDK knows of it, and where the two may differ.
type kinContract struct {
	file string
	ops  []sdkOp
	own  []string          // operations no SDK has
	odd  map[string]string // difference found → why it is meant
}

var kinContracts = []kinContract{
	{
		file: "iam.yaml",
		ops: []sdkOp{
			{iam.GenReqDefForKeystoneCreateUserTokenByPassword(), iammodel.KeystoneCreateUserTokenByPasswordRequest{}},
			{iam.GenReqDefForKeystoneCreateUserTokenByPasswordAndMfa(), iammodel.KeystoneCreateUserTokenByPasswordAndMfaRequest{}},
			{iam.GenReqDefForKeystoneValidateToken(), iammodel.KeystoneValidateTokenRequest{}},
			{iam.GenReqDefForKeystoneListAuthDomains(), iammodel.KeystoneListAuthDomainsRequest{}},
			{iam.GenReqDefForKeystoneListAuthProjects(), iammodel.KeystoneListAuthProjectsRequest{}},
			{iam.GenReqDefForKeystoneListProjects(), iammodel.KeystoneListProjectsRequest{}},
			{iam.GenReqDefForKeystoneListUsers(), iammodel.KeystoneListUsersRequest{}},
			{iam.GenReqDefForKeystoneUpdateUserByAdmin(), iammodel.KeystoneUpdateUserByAdminRequest{}},
			{iam.GenReqDefForKeystoneUpdateUserPassword(), iammodel.KeystoneUpdateUserPasswordRequest{}},
			{iam.GenReqDefForUpdateUserInformation(), iammodel.UpdateUserInformationRequest{}},
			{iam.GenReqDefForListPermanentAccessKeys(), iammodel.ListPermanentAccessKeysRequest{}},
			{iam.GenReqDefForCreatePermanentAccessKey(), iammodel.CreatePermanentAccessKeyRequest{}},
			{iam.GenReqDefForShowPermanentAccessKey(), iammodel.ShowPermanentAccessKeyRequest{}},
			{iam.GenReqDefForUpdatePermanentAccessKey(), iammodel.UpdatePermanentAccessKeyRequest{}},
			{iam.GenReqDefForDeletePermanentAccessKey(), iammodel.DeletePermanentAccessKeyRequest{}},
			{iam.GenReqDefForCreateTemporaryAccessKeyByToken(), iammodel.CreateTemporaryAccessKeyByTokenRequest{}},
			{iam.GenReqDefForCreateTemporaryAccessKeyByAgency(), iammodel.CreateTemporaryAccessKeyByAgencyRequest{}},
			{sts.GenReqDefForGetCallerIdentity(), stsmodel.GetCallerIdentityRequest{}},
		},
		own: []string{"KeystoneCheckToken"},
		odd: map[string]string{
			"GetCallerIdentity header X-Security-Token: not in the contract": "part of the signature, as on every call",

			"KeystoneCreateUserTokenByPassword body.auth.scope.project.domain: not in the SDK": "older clients name the account of the project",
			"KeystoneCreateUserTokenByPassword body.auth.identity.totp: not in the SDK":        "of the twin operation",

			"KeystoneCreateUserTokenByPasswordAndMfa body.auth.scope.project.domain: not in the SDK": "older clients name the account of the project",

			"CreateTemporaryAccessKeyByToken body.auth.identity.assume_role: not in the SDK": "of the twin operation",
			"CreateTemporaryAccessKeyByAgency body.auth.identity.token: not in the SDK":      "of the twin operation",
		},
	},
	{
		file: "eps.yaml",
		ops: []sdkOp{
			{eps.GenReqDefForListEnterpriseProject(), epsmodel.ListEnterpriseProjectRequest{}},
			{eps.GenReqDefForCreateEnterpriseProject(), epsmodel.CreateEnterpriseProjectRequest{}},
			{eps.GenReqDefForShowEnterpriseProject(), epsmodel.ShowEnterpriseProjectRequest{}},
			{eps.GenReqDefForUpdateEnterpriseProject(), epsmodel.UpdateEnterpriseProjectRequest{}},
			{eps.GenReqDefForDeleteEnterpriseProject(), epsmodel.DeleteEnterpriseProjectRequest{}},
			{eps.GenReqDefForEnableEnterpriseProject(), epsmodel.EnableEnterpriseProjectRequest{}},
			{eps.GenReqDefForDisableEnterpriseProject(), epsmodel.DisableEnterpriseProjectRequest{}},
			{eps.GenReqDefForShowEnterpriseProjectQuota(), epsmodel.ShowEnterpriseProjectQuotaRequest{}},
			{eps.GenReqDefForShowResourceBindEnterpriseProject(), epsmodel.ShowResourceBindEnterpriseProjectRequest{}},
			{eps.GenReqDefForMigrateResource(), epsmodel.MigrateResourceRequest{}},
			{eps.GenReqDefForListMigrationRecord(), epsmodel.ListMigrationRecordRequest{}},
			{eps.GenReqDefForShowAssociatedResources(), epsmodel.ShowAssociatedResourcesRequest{}},
			{eps.GenReqDefForListProviders(), epsmodel.ListProvidersRequest{}},
			{eps.GenReqDefForListResourceMapping(), epsmodel.ListResourceMappingRequest{}},
			{eps.GenReqDefForShowEpConfigs(), epsmodel.ShowEpConfigsRequest{}},
		},
	},
	{
		file: "cts.yaml",
		ops: []sdkOp{
			{cts.GenReqDefForListTraces(), ctsmodel.ListTracesRequest{}},
			{cts.GenReqDefForListOperations(), ctsmodel.ListOperationsRequest{}},
			{cts.GenReqDefForListTraceResources(), ctsmodel.ListTraceResourcesRequest{}},
			{cts.GenReqDefForListUserResources(), ctsmodel.ListUserResourcesRequest{}},
			{cts.GenReqDefForCreateTracker(), ctsmodel.CreateTrackerRequest{}},
			{cts.GenReqDefForUpdateTracker(), ctsmodel.UpdateTrackerRequest{}},
			{cts.GenReqDefForListTrackers(), ctsmodel.ListTrackersRequest{}},
			{cts.GenReqDefForDeleteTracker(), ctsmodel.DeleteTrackerRequest{}},
			{cts.GenReqDefForListQuotas(), ctsmodel.ListQuotasRequest{}},
			{cts.GenReqDefForCheckObsBuckets(), ctsmodel.CheckObsBucketsRequest{}},
			{cts.GenReqDefForCreateNotification(), ctsmodel.CreateNotificationRequest{}},
			{cts.GenReqDefForUpdateNotification(), ctsmodel.UpdateNotificationRequest{}},
			{cts.GenReqDefForDeleteNotification(), ctsmodel.DeleteNotificationRequest{}},
			{cts.GenReqDefForListNotifications(), ctsmodel.ListNotificationsRequest{}},
			{cts.GenReqDefForBatchCreateResourceTags(), ctsmodel.BatchCreateResourceTagsRequest{}},
			{cts.GenReqDefForBatchDeleteResourceTags(), ctsmodel.BatchDeleteResourceTagsRequest{}},
		},
		odd: map[string]string{
			"ListTraces query marker: not in the SDK": "what some other clients send for next",

			"CheckObsBuckets body.buckets: asked for, the SDK may leave it out":            "nothing to check otherwise",
			"BatchCreateResourceTags body.tags: asked for, the SDK may leave it out":       "nothing to do otherwise",
			"BatchDeleteResourceTags body.tags: asked for, the SDK may leave it out":       "nothing to do otherwise",
			"BatchCreateResourceTags body.tags[].key: asked for, the SDK may leave it out": "the field's own text says it cannot be empty",
			"BatchDeleteResourceTags body.tags[].key: asked for, the SDK may leave it out": "the field's own text says it cannot be empty",

			"CreateTracker answer.group_id: not in the SDK":  "of the list, which shows the same trackers",
			"CreateTracker answer.stream_id: not in the SDK": "of the list, which shows the same trackers",
		},
	},
}

// TestContractsAreValid: each contract is valid OpenAPI, its examples included.
func TestContractsAreValid(t *testing.T) {
	for _, c := range kinContracts {
		t.Run(c.file, func(t *testing.T) {
			if err := loadContract(t, c.file).Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestContractsMatchSDK: the SDK and the contract know the same operations, parameters, fields, names and JSON types,
// and the contract asks for nothing that the SDK may leave out. Every entry of the odd list must still be found.
func TestContractsMatchSDK(t *testing.T) {
	for _, c := range kinContracts {
		t.Run(c.file, func(t *testing.T) {
			doc := loadContract(t, c.file)
			met := map[*openapi3.Operation]bool{}
			var found []string
			for _, op := range c.ops {
				cmp := comparison{name: strings.TrimSuffix(reflect.TypeOf(op.request).Name(), "Request")}
				met[cmp.operation(doc, op)] = true
				found = append(found, cmp.found...)
			}
			for path, item := range doc.Paths.Map() {
				for method, op := range item.Operations() {
					if !met[op] && !slices.Contains(c.own, op.OperationID) {
						found = append(found, fmt.Sprintf("%s %s %s: no SDK operation", op.OperationID, method, path))
					}
				}
			}
			for _, f := range found {
				if c.odd[f] == "" {
					t.Error(f)
				}
			}
			for f := range c.odd {
				if !slices.Contains(found, f) {
					t.Errorf("no longer found, so no longer odd: %s", f)
				}
			}
		})
	}
}

func loadContract(t *testing.T, file string) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../api/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// comparison collects the differences of one operation.
type comparison struct {
	name  string
	found []string
}

func (c *comparison) differ(where, format string, args ...any) {
	c.found = append(c.found, c.name+" "+where+": "+fmt.Sprintf(format, args...))
}

// operation compares one operation of the SDK with the contract's of the same method and path, which it returns.
func (c *comparison) operation(doc *openapi3.T, op sdkOp) *openapi3.Operation {
	item := doc.Paths.Value(op.def.Path)
	if item == nil || item.GetOperation(op.def.Method) == nil {
		c.differ(op.def.Method+" "+op.def.Path, "not in the contract")
		return nil
	}
	o := item.GetOperation(op.def.Method)
	names := []string{o.OperationID}
	if many, ok := o.Extensions["x-sdk-operations"].([]any); ok {
		for _, n := range many {
			names = append(names, fmt.Sprint(n))
		}
	}
	if !slices.Contains(names, c.name) {
		c.differ("name", "the contract says %s", o.OperationID)
	}
	c.parameters(append(slices.Clone(item.Parameters), o.Parameters...), op)
	c.request(o, op)
	c.answer(o, op)
	return o
}

// parameters compares what goes in the path, the query and the headers, both ways.
func (c *comparison) parameters(params openapi3.Parameters, op sdkOp) {
	known := map[string]bool{}
	rt := reflect.TypeOf(op.request)
	for _, f := range op.def.RequestFields {
		if f.LocationType == def.Body {
			continue
		}
		sf, _ := rt.FieldByName(f.Name)
		name, optional := jsonName(sf)
		in := map[def.LocationType]string{def.Path: "path", def.Query: "query", def.Header: "header"}[f.LocationType]
		known[in+" "+name] = true
		p := params.GetByInAndName(in, name)
		if p == nil {
			c.differ(in+" "+name, "not in the contract")
			continue
		}
		if p.Required && optional {
			c.differ(in+" "+name, "asked for, the SDK may leave it out")
		}
		c.value(in+" "+name, sf.Type, p.Schema.Value, false)
	}
	for _, p := range params {
		in, name := p.Value.In, p.Value.Name
		// The SDK fills the project of the path from its credentials: no field of its own.
		if !known[in+" "+name] && !(in == "path" && name == "project_id") {
			c.differ(in+" "+name, "not in the SDK")
		}
	}
}

// request compares the body that is sent.
func (c *comparison) request(o *openapi3.Operation, op sdkOp) {
	body, has := reflect.TypeOf(op.request).FieldByName("Body")
	if has != (o.RequestBody != nil) {
		c.differ("body", "in one of the two only")
		return
	}
	if has {
		c.value("body", body.Type, o.RequestBody.Value.GetMediaType("application/json").Schema.Value, false)
	}
}

// answer compares the one success answer: its headers and its body.
func (c *comparison) answer(o *openapi3.Operation, op sdkOp) {
	rt := reflect.TypeOf(op.def.Response).Elem()
	var ok *openapi3.Response
	for status, r := range o.Responses.Map() {
		if strings.HasPrefix(status, "2") {
			ok = r.Value
		}
	}
	inHeader := map[string]bool{"HttpStatusCode": true}
	for _, f := range op.def.ResponseFields {
		if f.LocationType == def.Header {
			inHeader[f.Name] = true
			if ok.Headers[f.JsonTag] == nil {
				c.differ("answer header "+f.JsonTag, "not in the contract")
			}
		}
	}
	fields := structFields(rt, inHeader)
	mt := ok.Content.Get("application/json")
	if (len(fields) == 0) != (mt == nil) {
		c.differ("answer", "in one of the two only")
		return
	}
	if mt != nil {
		c.object("answer", fields, mt.Schema.Value, true)
	}
}

// value compares one Go type with one schema.
func (c *comparison) value(where string, gt reflect.Type, s *openapi3.Schema, answer bool) {
	for gt.Kind() == reflect.Pointer {
		gt = gt.Elem()
	}
	want, format := jsonType(gt)
	if want == "" { // any JSON value: nothing to hold the contract to
		return
	}
	if !s.Type.Is(want) || s.Format != format {
		c.differ(where, "the contract says %v %s, the SDK %s %s", s.Type.Slice(), s.Format, want, format)
		return
	}
	switch {
	case gt.Kind() == reflect.Slice:
		c.value(where+"[]", gt.Elem(), s.Items.Value, answer)
	case gt.Kind() == reflect.Map:
		if s.AdditionalProperties.Schema == nil {
			c.differ(where, "a map in the SDK")
			return
		}
		c.value(where+"{}", gt.Elem(), s.AdditionalProperties.Schema.Value, answer)
	case want == "object":
		c.object(where, structFields(gt, nil), s, answer)
	}
}

// object compares fields by name, both ways.
func (c *comparison) object(where string, fields map[string]reflect.StructField, s *openapi3.Schema, answer bool) {
	for _, name := range sortedKeys(fields) {
		prop := s.Properties[name]
		if prop == nil {
			c.differ(where+"."+name, "not in the contract")
			continue
		}
		if _, optional := jsonName(fields[name]); optional && !answer && slices.Contains(s.Required, name) {
			c.differ(where+"."+name, "asked for, the SDK may leave it out")
		}
		c.value(where+"."+name, fields[name].Type, prop.Value, answer)
	}
	for _, name := range sortedKeys(s.Properties) {
		if _, ok := fields[name]; !ok {
			c.differ(where+"."+name, "not in the SDK")
		}
	}
}

// structFields gives the fields that travel in JSON, by their names there.
func structFields(gt reflect.Type, skip map[string]bool) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for i := range gt.NumField() {
		f := gt.Field(i)
		if name, _ := jsonName(f); name != "" && name != "-" && !skip[f.Name] {
			fields[name] = f
		}
	}
	return fields
}

func jsonName(f reflect.StructField) (name string, optional bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, strings.Contains(rest, "omitempty")
}

// jsonType says as what a Go type of the SDK travels; "" for any value.
func jsonType(gt reflect.Type) (typ, format string) {
	switch gt.Kind() {
	case reflect.String:
		return "string", ""
	case reflect.Bool:
		return "boolean", ""
	case reflect.Int32:
		return "integer", "int32"
	case reflect.Int64:
		return "integer", "int64"
	case reflect.Slice:
		return "array", ""
	case reflect.Map:
		return "object", ""
	case reflect.Interface:
		return "", ""
	case reflect.Struct:
		// Choices of the SDK are structs around one hidden value that write themselves as text; so are times.
		if gt == reflect.TypeFor[sdktime.SdkTime]() || gt.NumField() == 1 && gt.Field(0).Name == "value" {
			return "string", ""
		}
		return "object", ""
	default:
		panic("a type that no SDK model had before: " + gt.String())
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// TestContractsKeepHouseRules: what the generators rely on in every operation and every named schema.
func TestContractsKeepHouseRules(t *testing.T) {
	for _, c := range kinContracts {
		t.Run(c.file, func(t *testing.T) {
			doc := loadContract(t, c.file)
			answered := map[*openapi3.Schema]bool{}
			for path, item := range doc.Paths.Map() {
				for method, o := range item.Operations() {
					ruleOperation(t, method+" "+path, o, answered)
				}
			}
			for name, s := range doc.Components.Schemas {
				ruleSchema(t, name, s.Value, answered[s.Value])
			}
		})
	}
}

// ruleOperation checks one operation and marks the schemas that only answers carry or that answers share.
func ruleOperation(t *testing.T, where string, o *openapi3.Operation, answered map[*openapi3.Schema]bool) {
	if o.OperationID == "" || len(o.Tags) != 1 || o.Summary == "" || o.Responses.Default() == nil {
		t.Errorf("%s: needs an operationId, one tag, a summary and a default answer", where)
	}
	for _, x := range []string{"x-errors", "x-actions", "x-limit"} {
		if o.Extensions[x] == nil {
			t.Errorf("%s: needs %s", where, x)
		}
	}
	if o.RequestBody != nil {
		for _, mt := range o.RequestBody.Value.Content {
			if mt.Example == nil || mt.Schema.Ref == "" {
				t.Errorf("%s: the body needs an example and a named schema", where)
			}
		}
	}
	for status, r := range o.Responses.Map() {
		for _, mt := range r.Value.Content {
			if mt.Example == nil || mt.Schema.Ref == "" {
				t.Errorf("%s %s: the answer needs an example and a named schema", where, status)
			}
			markAnswered(mt.Schema.Value, answered)
		}
	}
}

func markAnswered(s *openapi3.Schema, answered map[*openapi3.Schema]bool) {
	if answered[s] {
		return
	}
	answered[s] = true
	for _, p := range s.Properties {
		markAnswered(p.Value, answered)
	}
	if s.Items != nil {
		markAnswered(s.Items.Value, answered)
	}
}

// ruleSchema checks one named schema: objects in it are named too, an answer lists no choices (clients would break on
// a new one), and no format changes the Go type.
func ruleSchema(t *testing.T, where string, s *openapi3.Schema, answer bool) {
	if answer && len(s.Enum) > 0 {
		t.Errorf("%s: an answer lists choices", where)
	}
	if !slices.Contains([]string{"", "int32", "int64", "decimal"}, s.Format) || s.Type.Is("integer") && s.Format == "" {
		t.Errorf("%s: format %q", where, s.Format)
	}
	inner := map[string]*openapi3.SchemaRef{}
	for name, p := range s.Properties {
		inner["."+name] = p
	}
	if s.Items != nil {
		inner["[]"] = s.Items
	}
	for name, p := range inner {
		if p.Ref != "" {
			continue
		}
		if p.Value.Type.Is("object") {
			t.Errorf("%s%s: an object without a name", where, name)
		}
		ruleSchema(t, where+name, p.Value, answer)
	}
}
