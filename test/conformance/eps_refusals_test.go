package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/internal/house/housetest"
)

// Every code of enterprise projects comes on the wire, in their own form (billing-rules 7); and opening them names the check that failed.
func TestEnterpriseProjectCodes(t *testing.T) {
	onEngines(t, func(t *testing.T, address string) {
		s := start(t, address)
		c := s.Customers[0]
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		limited := client.Credential{AccessKey: s.ProjectUser.AccessKey, SecretKey: s.ProjectUser.SecretKey, DomainID: c.DomainID}
		const all = "/v1.0/enterprise-projects"
		ask := func(who client.Credential, method, path, body string) (int, string, map[string]any) {
			t.Helper()
			answer, out := s.send(t, who, method, path, body, time.Now(), nil)
			inner, _ := out["error"].(map[string]any)
			if answer.StatusCode >= http.StatusBadRequest && (inner["error_code"] == nil || inner["error_msg"] == "" || len(answer.Header.Get("X-Request-Id")) != 32) {
				t.Errorf("%s %s: its form: %v", method, path, out)
			}
			return answer.StatusCode, fmt.Sprint(inner["error_code"]), out
		}
		add := func(name string) (id string) {
			t.Helper()
			status, code, out := ask(key, http.MethodPost, all, fmt.Sprintf(`{"name":%q}`, name))
			if status != http.StatusCreated {
				t.Fatal(name, status, code)
			}
			return fmt.Sprint(out["enterprise_project"].(map[string]any)["id"])
		}
		made := add("of-codes")
		off := add("switched-off")
		if status, code, _ := ask(key, http.MethodPost, all+"/"+off+"/action", `{"action":"disable"}`); status != http.StatusNoContent {
			t.Fatal(status, code)
		}
		long := strings.Repeat("n", 65)
		for _, k := range []struct {
			what, method, path, body string
			status                   int
			code                     string
		}{
			{"no JSON", "POST", all, `{`, 400, "EPS.0002"},
			{"an unknown project", "GET", all + "/nope", "", 404, "EPS.0005"},
			{"an unknown path", "GET", all + "/1/2/3/4", "", 404, "EPS.0005"},
			{"a long name", "POST", all, `{"name":"` + long + `"}`, 400, "EPS.0007"},
			{"the default's name", "POST", all, `{"name":"deFault"}`, 400, "EPS.0007"},
			{"a name of other characters", "POST", all, `{"name":"a b"}`, 400, "EPS.0007"},
			{"a new name of other characters", "PUT", all + "/" + made, `{"name":"a/b"}`, 400, "EPS.0007"},
			{"a long description", "POST", all, `{"name":"x","description":"` + strings.Repeat("d", 513) + `"}`, 400, "EPS.0008"},
			{"a name that is taken", "POST", all, `{"name":"of-codes"}`, 409, "EPS.0010"},
			{"a new name that is taken", "PUT", all + "/" + made, `{"name":"switched-off"}`, 409, "EPS.0010"},
			{"change the default one", "PUT", all + "/0", `{"name":"x"}`, 400, "EPS.0012"},
			{"an unknown action", "POST", all + "/" + made + "/action", `{"action":"close"}`, 400, "EPS.0013"},
			{"change a disabled one", "PUT", all + "/" + off, `{"name":"x"}`, 400, "EPS.0014"},
			{"disable the default one", "POST", all + "/0/action", `{"action":"disable"}`, 400, "EPS.0015"},
			{"enable the default one", "POST", all + "/0/action", `{"action":"enable"}`, 400, "EPS.0015"},
			{"limit 0", "GET", all + "?limit=0", "", 400, "EPS.0017"},
			{"limit 1001", "GET", all + "?limit=1001", "", 400, "EPS.0017"},
			{"offset -1", "GET", all + "?offset=-1", "", 400, "EPS.0018"},
			{"offset x", "GET", all + "?offset=x", "", 400, "EPS.0018"},
			{"records by limit 0", "GET", all + "/migrate-record/list?limit=0", "", 400, "EPS.0017"},
			{"records by offset -1", "GET", all + "/migrate-record/list?offset=-1", "", 400, "EPS.0018"},
			{"move into a disabled one", "POST", all + "/" + off + "/resources-migrate", `{"resource_id":"r","resource_type":"ecs"}`, 400, "EPS.0034"},
			{"delete", "DELETE", all + "/" + made, "", 403, "EPS.0039"},
			{"a long id", "GET", all + "/" + long, "", 400, "EPS.0044"},
			{"change by a long id", "PUT", all + "/" + long, `{"name":"x"}`, 400, "EPS.0044"},
		} {
			if status, code, out := ask(key, k.method, k.path, k.body); status != k.status || code != k.code {
				t.Errorf("%s: %d %s, want %d %s: %v", k.what, status, code, k.status, k.code, out)
			}
		}
		if status, code, _ := ask(client.Credential{}, http.MethodGet, all, ""); status != 401 || code != "EPS.0003" {
			t.Errorf("nobody: %d %s", status, code)
		}
		if status, code, _ := ask(limited, http.MethodPost, all, `{"name":"mine"}`); status != 403 || code != "EPS.0004" {
			t.Errorf("without the permission: %d %s", status, code)
		}
		// An unfinished order of the project.
		order := fmt.Sprintf(`{"enterprise_project_id":%q,"products":[{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","period_type":2,"period_num":1,"subscription_num":1}]}`, made)
		if answer, out := s.send(t, key, http.MethodPost, "/purser/v1/orders", order, time.Now(), nil); answer.StatusCode != http.StatusCreated {
			t.Fatalf("%d %v", answer.StatusCode, out)
		}
		if status, code, _ := ask(key, http.MethodPost, all+"/"+made+"/action", `{"action":"disable"}`); status != 400 || code != "EPS.0037" {
			t.Errorf("with an unfinished order: %d %s", status, code)
		}
		// As many as there may be.
		status, code := http.StatusCreated, ""
		for i := 0; status == http.StatusCreated && i <= 100; i++ {
			status, code, _ = ask(key, http.MethodPost, all, fmt.Sprintf(`{"name":"one-of-many-%d"}`, i))
		}
		if status != 400 || code != "EPS.0009" {
			t.Errorf("one too many: %d %s", status, code)
		}
		// Enterprise projects are for enterprises.
		person := s.Customers[2]
		operator := client.Credential{AccessKey: s.Operator.AccessKey, SecretKey: s.Operator.SecretKey, DomainID: s.Operator.DomainID}
		if answer, out := s.send(t, operator, http.MethodPatch, "/purser/v1/customers/"+person.DomainID, `{"kind":"individual"}`, time.Now(), nil); answer.StatusCode != http.StatusOK {
			t.Fatalf("%d %v", answer.StatusCode, out)
		}
		answer, out := s.send(t, client.Credential{AccessKey: person.AccessKey, SecretKey: person.SecretKey, DomainID: person.DomainID}, http.MethodPost, "/v2/enterprises/enterprise-projects/authority", "", time.Now(), nil)
		if answer.StatusCode != 400 || out["error_code"] != "CBC.99007004" || fmt.Sprint(out["fail_check_items"]) != "[SELF_OPEN_ONLY_FOR_ENT_AND_INTR_CUST]" {
			t.Errorf("a person opens them: %d %v", answer.StatusCode, out)
		}
		// Too many at once, at a server with the provider's own limits.
		data, database := housetest.Furnished(t, address)
		s = startOn(t, data, database, "--limits", "provider")
		c = s.Customers[0]
		key = client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		var hands sync.WaitGroup
		var often atomic.Int32
		for range 8 {
			hands.Go(func() {
				for range 50 {
					if often.Load() > 0 {
						return
					}
					switch status, code, _ := ask(key, http.MethodGet, all, ""); {
					case status == 403 && code == "EPS.0006":
						often.Add(1)
					case status != http.StatusOK:
						t.Errorf("too often: %d %s", status, code)
					}
				}
			})
		}
		hands.Wait()
		if often.Load() == 0 {
			t.Error("nothing was too often")
		}
	})
}
