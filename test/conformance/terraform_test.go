package conformance

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	cts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3/model"
)

// terraform sends what the Terraform provider sends, in its manner (clients.md): its library signs accept, content-type,
// user-agent and x-sdk-date, says project and account in headers that it does not sign, ends bodies with a newline, and takes
// any status for a failure that it does not expect. It cannot be built here, so its calls are made by hand.
type terraform struct {
	*testing.T
	*server
	credentials
	project string
}

func (f *terraform) do(method, path string, body any, expected ...int) (out map[string]any) {
	f.Helper()
	var text bytes.Buffer
	if body != nil {
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			f.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, f.Endpoint+path, bytes.NewReader(text.Bytes()))
	if err != nil {
		f.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "terraform-provider-iac golangsdk/2.0.0")
	f.sign(r, text.Bytes())
	if f.project != "" {
		r.Header.Set("X-Project-Id", f.project)
	}
	r.Header.Set("X-Language", "en-us")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		f.Fatal(err)
	}
	if !slices.Contains(expected, answer.StatusCode) {
		f.Fatalf("%s %s: %d %s", method, path, answer.StatusCode, got)
	}
	if len(got) > 0 && json.Unmarshal(got, &out) != nil {
		f.Fatalf("%s %s: not JSON: %s", method, path, got)
	}
	if _, failed := out["error_code"]; failed && answer.StatusCode < 300 {
		f.Errorf("%s %s: a success with an error_code: %s", method, path, got)
	}
	return out
}

func (f *terraform) sign(r *http.Request, body []byte) {
	date := time.Now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Sdk-Date", date)
	var names []string
	var headers strings.Builder
	for name := range r.Header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&headers, "%s:%s\n", name, r.Header.Get(name))
	}
	signed := strings.Join(names, ";")
	sum := sha256.Sum256(body)
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	canonical := fmt.Sprintf("%s\n%s/\n%s\n%s\n%s\n%x", r.Method, r.URL.EscapedPath(), query, headers.String(), signed, sum)
	whole := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(f.SecretKey))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n%s\n%x", date, whole)
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%x", f.AccessKey, signed, mac.Sum(nil)))
}

// list is a field of an answer that must be a list.
func (f *terraform) list(of map[string]any, name string) []map[string]any {
	f.Helper()
	rows, ok := of[name].([]any)
	if !ok {
		f.Fatalf("%s is no list: %v", name, of)
	}
	out := make([]map[string]any, len(rows))
	for i := range rows {
		out[i], _ = rows[i].(map[string]any)
	}
	return out
}

// The provider starts: account, project, and which site it talks to. It orders a server for a month, pays, waits for the order and
// its resource, turns auto-renewal on and off, unsubscribes, and waits until the query shows the resource no more.
func TestTerraformProvider(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		f := &terraform{T: t, server: s, credentials: c}
		domains := f.list(f.do("GET", "/v3/auth/domains", nil, 200), "domains")
		if len(domains) != 1 || domains[0]["id"] != c.DomainID {
			t.Fatalf("%v", domains)
		}
		projects := f.list(f.do("GET", "/v3/projects?name="+url.QueryEscape(s.Region), nil, 200), "projects")
		if len(projects) != 1 || projects[0]["id"] != c.ProjectID {
			t.Fatalf("%v", projects)
		}
		f.project = c.ProjectID
		if types := f.do("GET", "/v2/products/service-types?limit=1", nil, 200); len(f.list(types, "service_types")) != 1 {
			t.Errorf("%v", types)
		}
		f.prepaid()
		f.enterpriseProject()
		f.tracker(s.cts(t, c, c.ProjectID))
	})
}

func (f *terraform) prepaid() {
	b := &buyer{f.T, nil, f.own(f.T, f.credentials)}
	order := b.order(1, 1, nil).OrderId
	f.do("POST", "/v3/orders/customer-orders/pay", map[string]any{"order_id": order, "use_coupon": "NO", "use_discount": "NO"}, 204)
	details := f.do("GET", "/v2/orders/customer-orders/details/"+order, nil, 200)
	if info, _ := details["order_info"].(map[string]any); info["status"] != 5.0 {
		f.Fatalf("%v", details)
	}
	main := f.list(f.do("POST", "/v2/orders/suscriptions/resources/query", map[string]any{"order_id": order, "only_main_resource": 1}, 200), "data")
	if len(main) != 1 || main[0]["status"] != 2.0 || main[0]["is_main_resource"] != 1.0 {
		f.Fatalf("%v", main)
	}
	id := fmt.Sprint(main[0]["resource_id"])
	f.do("POST", "/v2/orders/subscriptions/resources/autorenew/"+id, nil, 204)
	f.do("DELETE", "/v2/orders/subscriptions/resources/autorenew/"+id, nil, 204)
	gone := f.do("POST", "/v2/orders/subscriptions/resources/unsubscribe", map[string]any{"resource_ids": []string{id}, "unsubscribe_type": 1}, 200)
	if failed := f.list(gone, "fail_resource_infos"); len(f.list2(gone, "order_ids")) == 0 || len(failed) != 0 {
		f.Errorf("%v", gone)
	}
	left := map[string]any{"resource_ids": []string{id}, "status_list": []int{2}, "only_main_resource": 1, "limit": 100, "offset": 0}
	if rows := f.list(f.do("POST", "/v2/orders/suscriptions/resources/query", left, 200), "data"); len(rows) != 0 {
		f.Errorf("still there: %v", rows)
	}
	again := f.do("POST", "/v2/orders/subscriptions/resources/unsubscribe", map[string]any{"resource_ids": []string{id}, "unsubscribe_type": 1}, 400)
	if again["error_code"] != "CBC.30000067" { // already gone
		f.Errorf("%v", again)
	}
}

// list2 is a list of texts.
func (f *terraform) list2(of map[string]any, name string) []any {
	rows, _ := of[name].([]any)
	return rows
}

// enterpriseProject is made, read, renamed, and at its end only disabled, as the provider does by default.
func (f *terraform) enterpriseProject() {
	const all = "/v1.0/enterprise-projects"
	f.do("POST", "/v2/enterprises/enterprise-projects/authority", nil, 204)
	project := func(body map[string]any) map[string]any {
		p, _ := body["enterprise_project"].(map[string]any)
		return p
	}
	made := project(f.do("POST", all, map[string]any{"name": "as-code", "description": "", "type": "prod"}, 200, 201))
	one := fmt.Sprint(all, "/", made["id"])
	if read := project(f.do("GET", one, nil, 200)); read["name"] != "as-code" || read["status"] != 1.0 || read["type"] != "prod" || read["created_at"] == nil || read["updated_at"] == nil {
		f.Errorf("%v", read)
	}
	if changed := project(f.do("PUT", one, map[string]any{"name": "as-code-2", "description": "renamed", "type": "prod"}, 200)); changed["name"] != "as-code-2" {
		f.Errorf("%v", changed)
	}
	if found := f.list(f.do("GET", all+"?limit=100&name=as-code-2&offset=0", nil, 200), "enterprise_projects"); len(found) != 1 {
		f.Errorf("%v", found)
	}
	f.do("POST", one+"/action", map[string]any{"action": "disable"}, 200, 204)
	if read := project(f.do("GET", one, nil, 200)); read["status"] != 2.0 {
		f.Errorf("%v", read)
	}
	f.do("GET", all+"/not-there", nil, 404)
}

// tracker is the system's, which the provider changes by the official Go client: state first, then where its files go; at its end all
// that is empty again. It reads lts and obs_info without asking whether they are there.
func (f *terraform) tracker(client *cts.CtsClient) {
	system := model.GetUpdateTrackerRequestBodyTrackerTypeEnum().SYSTEM
	update := func(b model.UpdateTrackerRequestBody) {
		f.Helper()
		b.TrackerName, b.TrackerType = "system", system
		if _, err := client.UpdateTracker(&model.UpdateTrackerRequest{Body: &b}); err != nil {
			f.Fatal(err)
		}
	}
	read := func() model.TrackerResponseBody {
		f.Helper()
		answer, err := client.ListTrackers(&model.ListTrackersRequest{TrackerName: new("system")})
		if err != nil || len(*answer.Trackers) != 1 {
			f.Fatal(answer, err)
		}
		tracker := (*answer.Trackers)[0]
		if tracker.Id == nil || tracker.Lts == nil || tracker.Lts.IsLtsEnabled == nil || tracker.IsSupportValidate == nil {
			f.Fatalf("%v", tracker)
		}
		return tracker
	}
	on := model.GetUpdateTrackerRequestBodyStatusEnum().ENABLED
	update(model.UpdateTrackerRequestBody{Status: &on})
	update(model.UpdateTrackerRequestBody{
		IsLtsEnabled: new(false), IsSupportValidate: new(false), IsSupportTraceFilesEncryption: new(false),
		ObsInfo: &model.TrackerObsInfo{BucketName: new(""), FilePrefixName: new("")},
	})
	if tracker := read(); tracker.ObsInfo != nil && tracker.ObsInfo.BucketName == nil {
		f.Errorf("obs_info without its bucket: %v", tracker.ObsInfo)
	}
	update(model.UpdateTrackerRequestBody{IsSupportValidate: new(true), ObsInfo: &model.TrackerObsInfo{BucketName: new("quay-traces"), FilePrefixName: new("north")}})
	if tracker := read(); *tracker.ObsInfo.BucketName != "quay-traces" || *tracker.ObsInfo.FilePrefixName != "north" || !*tracker.IsSupportValidate {
		f.Errorf("%v", tracker)
	}
	update(model.UpdateTrackerRequestBody{
		IsLtsEnabled: new(false), IsSupportValidate: new(false), IsSupportTraceFilesEncryption: new(false), KmsId: new(""),
		ObsInfo: &model.TrackerObsInfo{BucketName: new(""), FilePrefixName: new("")},
	})
	if tracker := read(); tracker.ObsInfo != nil && *tracker.ObsInfo.BucketName != "" {
		f.Errorf("%v", tracker)
	}
}
