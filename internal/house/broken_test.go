package house_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/purser-cloud/purser/cloud"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/house"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
)

// failing breaks each statement of a transaction.
type failing struct{}

func (failing) Statement() error { return errors.New("secret of the store") }
func (failing) Answer() error    { return nil }

// What fails inside is told in the form and with the code of each door, says nothing of the inside, and nothing of it is kept.
func TestFailuresInsideHaveEachDoorsForm(t *testing.T) {
	ctx := context.Background()
	h, err := house.Open(ctx, house.Config{Version: "test", Data: t.TempDir(), Limits: "off", Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close() //nolint:errcheck // nothing is kept
	handler, err := h.Handler(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	wire := &wire{t: t, to: handler}
	if _, err := h.Counter.ImportCatalogue(ctx, operation.LocalOperator("ImportCatalogue", time.Now()), func() (*catalog.Content, error) { return catalog.Read(cloud.Files) }, false, false); err != nil {
		t.Fatal(err)
	}
	anna, password, err := h.Counter.AddUser(ctx, operation.LocalOperator("AddUser", time.Now()), operation.NewUser{Account: "acme", User: "anna", Kind: identity.Customer})
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := wire.ask("POST", "/v3/auth/tokens", fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"anna","password":%q,"domain":{"name":"acme"}}}},"scope":{"domain":{"name":"acme"}}}}`, password.Reveal()), "")
	token := answer.Get("X-Subject-Token")
	var known struct {
		Projects []struct {
			ID string `json:"id"`
		} `json:"projects"`
	}
	_, body := wire.ask("GET", "/v3/auth/projects", "", token)
	if err := json.Unmarshal([]byte(body), &known); err != nil || len(known.Projects) == 0 {
		t.Fatalf("%v: %s", err, body)
	}
	deeds := []struct{ door, path, body, code string }{
		{"bss", "/v3/orders/customer-orders/pay", `{"order_id":"CS26112304590A1B2C3D4E","use_coupon":"NO","use_discount":"NO"}`, `"error_code":"CBC.0999"`},
		{"eps", "/v1.0/enterprise-projects", `{"name":"of-anna"}`, `"error_code":"EPS.0001"`},
		{"cts", "/v3/" + known.Projects[0].ID + "/tracker", `{"tracker_type":"system","tracker_name":"system"}`, `"error_code":"CTS.0004"`},
		{"iam", "/v3.0/OS-CREDENTIAL/credentials", `{"credential":{"user_id":"` + anna.ID + `"}}`, `"code":500`},
		{"purser", "/purser/v1/orders", `{"products":[{"id":"1","cloud_service_type":"hws.service.type.ec2","resource_type":"hws.resource.type.vm","resource_spec":"s3.small.1.linux","region":"ap-southeast-1","period_type":2,"period_num":1,"subscription_num":1}]}`, `"error_code":"CBC.0999"`},
	}
	h.Counter.DB.Break(failing{})
	for _, d := range deeds {
		r := wire.send("POST", d.path, d.body, token)
		if text := r.Body.String(); r.Code != http.StatusInternalServerError || !strings.Contains(text, d.code) || strings.Contains(text, "secret") || len(r.Header().Get("X-Request-Id")) != 32 {
			t.Errorf("%s: %d %s", d.door, r.Code, text)
		}
	}
	h.Counter.DB.Break(nil)
	for _, d := range deeds {
		if r := wire.send("POST", d.path, d.body, token); r.Code >= http.StatusInternalServerError {
			t.Errorf("%s afterwards: %d %s", d.door, r.Code, r.Body)
		}
	}
}
