package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client"
)

// send signs a request and returns the answer with its body as JSON.
func (s *server) send(t *testing.T, c client.Credential, method, path, body string, at time.Time, headers map[string]string) (*http.Response, map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, s.Endpoint+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if err := c.Apply(r, at); err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if len(text) > 0 && json.Unmarshal(text, &out) != nil && strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%s %s: not JSON: %s", method, path, text)
	}
	return answer, out
}

// Each surface refuses in its own form, always with X-Request-Id.
func TestErrorForms(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		now := time.Now()
		const price = "/v2/bills/ratings/on-demand-resources"
		flat := func(o map[string]any) (string, string) {
			return fmt.Sprint(o["error_code"]), fmt.Sprint(o["error_msg"])
		}
		nested := func(o map[string]any) (string, string) {
			inner, _ := o["error"].(map[string]any)
			return flat(inner)
		}
		keystone := func(o map[string]any) (string, string) {
			inner, _ := o["error"].(map[string]any)
			return fmt.Sprint(inner["code"], " ", inner["title"]), fmt.Sprint(inner["message"])
		}
		for name, k := range map[string]struct {
			credential         client.Credential
			method, path, body string
			at                 time.Time
			status             int
			form               func(map[string]any) (string, string)
			code, text         string
		}{
			"bad JSON":         {key, "POST", price, "{", now, 400, flat, "CBC.0100", "body: not valid JSON"},
			"wrong type":       {key, "POST", price, `{"project_id":1}`, now, 400, flat, "CBC.0100", "project_id: must be a string"},
			"missing field":    {key, "POST", price, `{"project_id":"x"}`, now, 400, flat, "CBC.0100", "product_infos: is required"},
			"no body":          {key, "POST", price, "", now, 400, flat, "CBC.0100", "a JSON body is required"},
			"bad enum":         {key, "GET", "/v2/bases/conversions?measure_type=5", "", now, 400, flat, "CBC.0100", "measure_type: must be one of"},
			"over the limit":   {key, "GET", "/v2/products/service-types?limit=1001", "", now, 400, flat, "CBC.0100", "limit: must be from 1 to 1000"},
			"unknown path":     {key, "GET", "/v2/nothing", "", now, 404, flat, "APIGW.0101", "does not exist"},
			"wrong method":     {key, "DELETE", price, "", now, 405, flat, "APIGW.0101", "use POST"},
			"oversized":        {key, "POST", price, `{"project_id":"` + strings.Repeat("x", 3<<20) + `"}`, now, 413, flat, "CBC.0100", "larger than"},
			"too old":          {key, "GET", "/v2/products/service-types", "", now.Add(-16 * time.Minute), 401, flat, "APIGW.0301", "expired"},
			"nobody":           {client.Credential{}, "GET", "/v2/products/service-types", "", now, 401, flat, "APIGW.0301", "neither"},
			"foreign account":  {client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: "other"}, "GET", "/v2/products/service-types", "", now, 403, flat, "CBC.0155", "X-Domain-Id"},
			"EPS unknown":      {key, "GET", "/v1.0/enterprise-projects/nope", "", now, 404, nested, "EPS.0005", "nope"},
			"EPS nobody":       {client.Credential{}, "GET", "/v1.0/enterprise-projects", "", now, 401, nested, "EPS.0003", "neither"},
			"EPS bad":          {key, "GET", "/v1.0/enterprise-projects?limit=0", "", now, 400, nested, "EPS.", "limit"},
			"CTS nobody":       {client.Credential{}, "GET", "/v3/" + c.ProjectID + "/traces?trace_type=system", "", now, 401, flat, "CTS.", "neither"},
			"IAM nobody":       {client.Credential{}, "GET", "/v3/auth/domains", "", now, 401, keystone, "401 Unauthorized", "neither"},
			"IAM bad":          {client.Credential{}, "POST", "/v3/auth/tokens", `{"auth":{}}`, now, 400, keystone, "400 Bad Request", "auth.identity: is required"},
			"IAM v5 nobody":    {client.Credential{}, "GET", "/v5/caller-identity", "", now, 401, flat, "APIGW.0301", "neither"},
			"purser not yours": {key, "GET", "/purser/v1/catalogue", "", now, 403, flat, "CBC.0151", "operator"},
		} {
			answer, out := s.send(t, k.credential, k.method, k.path, k.body, k.at, nil)
			code, text := k.form(out)
			if answer.StatusCode != k.status || !strings.HasPrefix(code, k.code) || !strings.Contains(text, k.text) {
				t.Errorf("%s: %d %v, want %d %s … %s", name, answer.StatusCode, out, k.status, k.code, k.text)
			}
			if len(answer.Header.Get("X-Request-Id")) != 32 {
				t.Errorf("%s: no X-Request-Id", name)
			}
			if strings.HasPrefix(code, "APIGW.") && !strings.HasPrefix(k.path, "/v5/") && out["request_id"] != answer.Header.Get("X-Request-Id") {
				t.Errorf("%s: the gateway's form names the request: %v", name, out)
			}
		}
	})
}

// What clients.md saw on the wire: integers in strings, an unsigned project header, language forms.
func TestWhatClientsSend(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey}
		body := fmt.Sprintf(`{"project_id":%q,"product_infos":[{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":%q,"period_type":"2","period_num":"1","subscription_num":"1"}]}`, c.ProjectID, s.Region)
		answer, out := s.send(t, key, "POST", "/v2/bills/ratings/period-resources/subscribe-rate", body, time.Now(), map[string]string{"Content-Type": "application/json", "Accept-Encoding": "gzip"})
		if answer.StatusCode != 200 {
			t.Errorf("quoted integers: %v", out)
		}
		r, _ := http.NewRequest("GET", s.Endpoint+"/v2/products/service-types?limit=1", nil)
		r.Header.Set("X-Language", "en-us")
		if err := key.Sign(r, time.Now()); err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Project-Id", "not signed")
		r.Header.Set("X-Domain-Id", "not signed")
		unsigned, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(unsigned.Body)
		unsigned.Body.Close()
		if unsigned.StatusCode != 200 || !strings.Contains(string(text), "Bare Metal Server") {
			t.Errorf("%d %s", unsigned.StatusCode, text)
		}
		if _, out := s.send(t, key, "GET", "/v5/caller-identity", "", time.Now(), nil); out["account_id"] != c.DomainID {
			t.Errorf("caller-identity: %v", out)
		}
	})
}

// A token signs in; wrong passwords lock; a changed password ends tokens.
func TestTokenOnTheWire(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[1]
		signIn := func(password string) (*http.Response, map[string]any) {
			body := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"password":%q,"domain":{"name":%q}}}},"scope":{"domain":{"name":%q}}}}`, c.User, password, c.DomainName, c.DomainName)
			return s.send(t, client.Credential{}, "POST", "/v3/auth/tokens", body, time.Now(), nil)
		}
		answer, out := signIn(c.Password)
		token := answer.Header.Get("X-Subject-Token")
		if answer.StatusCode != 201 || token == "" || out["token"] == nil {
			t.Fatalf("%d %v", answer.StatusCode, out)
		}
		with := client.Credential{Token: token}
		if answer, out := s.send(t, with, "GET", "/v2/products/service-types?limit=1", "", time.Now(), nil); answer.StatusCode != 200 {
			t.Errorf("%v", out)
		}
		user := out["token"].(map[string]any)["user"].(map[string]any)["id"].(string)
		change := fmt.Sprintf(`{"user":{"original_password":%q,"password":"a new password"}}`, c.Password)
		if answer, out := s.send(t, with, "POST", "/v3/users/"+user+"/password", change, time.Now(), nil); answer.StatusCode != 204 {
			t.Fatalf("%d %v", answer.StatusCode, out)
		}
		if answer, _ := s.send(t, with, "GET", "/v2/products/service-types?limit=1", "", time.Now(), nil); answer.StatusCode != 401 {
			t.Errorf("the token outlived the password: %d", answer.StatusCode)
		}
		for range 5 {
			signIn("wrong")
		}
		if answer, out := signIn("a new password"); answer.StatusCode != 401 || !strings.Contains(fmt.Sprint(out), "locked") {
			t.Errorf("after five wrong passwords: %d %v", answer.StatusCode, out)
		}
	})
}

// The pages beside the contracts, over http and over TLS with the self-made certificate.
func TestPages(t *testing.T) {
	s := start(t, "")
	pool := x509.NewCertPool()
	text, err := os.ReadFile(s.TLSCA)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate", err)
	}
	// Readiness answers also after many have read at once.
	var wg sync.WaitGroup
	key := client.Credential{AccessKey: s.Customers[0].AccessKey, SecretKey: s.Customers[0].SecretKey}
	for i := range 32 {
		wg.Go(func() { s.send(t, key, "GET", fmt.Sprintf("/purser/v1/discounts?offset=%d", i), "", time.Now(), nil) })
	}
	wg.Wait()
	plain := &http.Client{Timeout: 10 * time.Second}
	secure := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for path, want := range map[string]string{
		"/": "billing center", "/healthz": "ok", "/readyz": "ready", "/metrics": "go_goroutines", "/docs/": "swagger", "/docs/api/bss.yaml": "openapi: 3.0.3",
	} {
		for endpoint, c := range map[string]*http.Client{s.Endpoint: plain, s.TLSEndpoint: secure} {
			answer, err := c.Get(endpoint + path)
			if err != nil {
				t.Errorf("%s%s: %v", endpoint, path, err)
				continue
			}
			text, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 200 || !strings.Contains(strings.ToLower(string(text)), want) {
				t.Errorf("%s%s: %d, without %q", endpoint, path, answer.StatusCode, want)
			}
		}
	}
}
