package conformance

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

// The generated client of our own, as the example to copy: the operator changes what is sold, a customer sees it.
func TestOwnClient(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		of := func(c credentials) *client.Client {
			out, err := client.New(s.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		operator, customer, ctx := of(s.Operator), of(s.Customers[1]), t.Context()

		exported, err := operator.Purser.ExportCatalogueWithResponse(ctx)
		if err != nil || exported.JSON200 == nil || len(exported.JSON200.Files) < 30 {
			t.Fatalf("export: %v", err)
		}
		files := exported.JSON200.Files
		imported := func(files []purser.CatalogueFile, dry bool) *purser.ImportCatalogueReply {
			t.Helper()
			r, err := operator.Purser.ImportCatalogueWithResponse(ctx, nil, purser.ImportCatalogueRequest{Files: files, DryRun: &dry})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := imported(files, false); r.JSON200 == nil || r.JSON200.Added+r.JSON200.Changed+r.JSON200.Removed != 0 {
			t.Errorf("what was exported changes something: %s", r.Body)
		}
		broken := append([]purser.CatalogueFile{{Name: "zzz.yaml", Text: "services:\n  - {code: x}\n"}}, files...)
		if r := imported(broken, false); r.StatusCode() != 400 || r.JSONDefault == nil || r.JSONDefault.ErrorCode != "PURSER.0201" || len(r.JSONDefault.Problems) == 0 || !strings.HasPrefix(r.JSONDefault.Problems[0], "zzz.yaml:2:5: ") {
			t.Errorf("a broken file: %s", r.Body)
		}
		renamed := append([]purser.CatalogueFile(nil), files...)
		for i := range renamed {
			renamed[i].Text = strings.ReplaceAll(renamed[i].Text, "Elastic Cloud Server", "Rubber Cloud Server")
		}
		if r := imported(renamed, true); r.JSON200 == nil || r.JSON200.Changed != 1 || !r.JSON200.DryRun {
			t.Errorf("dry run: %s", r.Body)
		}
		named := func(text string) int32 {
			r, err := customer.BSS.ListServiceTypesWithResponse(ctx, &bss.ListServiceTypesParams{ServiceTypeName: &text, XLanguage: new("en_US")})
			if err != nil || r.JSON200 == nil {
				t.Fatalf("%v %s", err, r.Body)
			}
			return r.JSON200.TotalCount
		}
		if named("rubber") != 0 {
			t.Error("a dry run kept something")
		}
		if r := imported(renamed, false); r.JSON200 == nil || r.JSON200.Changed != 1 || named("rubber") != 1 {
			t.Errorf("import: %s; found %d", r.Body, named("rubber"))
		}

		grant := purser.GrantDiscountRequest{CustomerId: s.Customers[1].DomainID, Name: "test", DiscountType: 605, Ratio: "0.5"}
		key := purser.GrantDiscountParams{IdempotencyKey: new("one")}
		first, err := operator.Purser.GrantDiscountWithResponse(ctx, &key, grant)
		if err != nil || first.JSON201 == nil {
			t.Fatalf("%v %s", err, first.Body)
		}
		if again, err := operator.Purser.GrantDiscountWithResponse(ctx, &key, grant); err != nil || again.JSON201 == nil || again.JSON201.DiscountId != first.JSON201.DiscountId {
			t.Errorf("the same key again: %v %s", err, again.Body)
		}
		if r, err := customer.Purser.ListDiscountsWithResponse(ctx, nil); err != nil || r.JSON200 == nil || r.JSON200.TotalCount != 1 {
			t.Errorf("its discounts: %v %s", err, r.Body)
		}
		if r, err := customer.Purser.GrantDiscountWithResponse(ctx, nil, grant); err != nil || r.StatusCode() != 403 {
			t.Errorf("a customer grants: %v %s", err, r.Body)
		}
		if r, err := customer.Purser.ListProductsWithResponse(ctx, &purser.ListProductsParams{Text: new("c7.large.2.linux"), RegionCode: &s.Region}); err != nil || r.JSON200 == nil || len(r.JSON200.Products) != 1 {
			t.Errorf("products: %v %s", err, r.Body)
		} else if announced := r.JSON200.Products[0].Prices; announced[len(announced)-1].From != "2027-01-01T00:00:00+08:00" {
			t.Errorf("an announced price is not shown: %+v", announced)
		}
		topUp := purser.MovementRequest{Amount: "12.34", Reference: new("b-1")}
		if r, err := operator.Purser.TopUpCustomerWithResponse(ctx, s.Customers[2].DomainID, nil, topUp); err != nil || r.JSON201 == nil {
			t.Errorf("top-up: %v %s", err, r.Body)
		}
		if r, err := operator.Purser.TopUpCustomerWithResponse(ctx, s.Customers[2].DomainID, nil, topUp); err != nil || r.StatusCode() != 409 {
			t.Errorf("the same top-up: %v %s", err, r.Body)
		}
		shown, err := operator.Purser.ShowCustomerWithResponse(ctx, s.Customers[2].DomainID)
		if err != nil || shown.JSON200 == nil || shown.JSON200.Cash != "10012.34" {
			t.Errorf("after it: %v %s", err, shown.Body)
		}
		if r, err := of(s.Customers[2]).IAM.KeystoneListAuthDomainsWithResponse(ctx); err != nil || r.JSON200 == nil || r.JSON200.Domains[0].Id != s.Customers[2].DomainID {
			t.Errorf("%v %s", err, r.Body)
		}
		if r, err := http.Get(s.Endpoint + "/docs/api/none.yaml"); err != nil || r.StatusCode != 404 {
			t.Errorf("a contract that is not there: %v", err)
		} else {
			r.Body.Close()
		}
	})
}

// The clock is turned for one customer: tomorrow's price is its price today, and nobody else's.
func TestTurnedClock(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		operator, err := client.New(s.Endpoint, client.Credential{AccessKey: s.Operator.AccessKey, SecretKey: s.Operator.SecretKey}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		price := func(c credentials) string {
			t.Helper()
			products := server100(s, 1)
			products[0].ResourceSpec = "c7.large.2.linux"
			r, err := s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID).ListOnDemandResourceRatings(&bssmodel.ListOnDemandResourceRatingsRequest{Body: &bssmodel.RateOnDemandReq{ProjectId: c.ProjectID, ProductInfos: products}})
			if err != nil {
				t.Fatal(err)
			}
			return r.OfficialWebsiteAmount.String()
		}
		turned, other := s.Customers[1], s.Customers[2]
		before := price(turned)
		move := func(customer, to string) int {
			r, err := operator.Purser.MoveClockWithResponse(t.Context(), purser.MoveClockRequest{CustomerId: &customer, Time: to})
			if err != nil {
				t.Fatal(err)
			}
			return r.StatusCode()
		}
		if status := move(turned.DomainID, "2030-01-01T00:00:00Z"); status != 204 {
			t.Fatalf("turning the clock: %d", status)
		}
		if price(turned) == before || price(other) != before {
			t.Errorf("was %s; turned %s, other %s", before, price(turned), price(other))
		}
		if status := move(turned.DomainID, "2029-01-01T00:00:00Z"); status != 400 {
			t.Errorf("turned back: %d", status)
		}
		if status := move("nobody", "2030-01-01T00:00:00Z"); status != 404 {
			t.Errorf("nobody's: %d", status)
		}
		if r, err := operator.Purser.ListClocksWithResponse(t.Context()); err != nil || r.JSON200 == nil || len(r.JSON200.Clocks) != 1 || r.JSON200.Clocks[0].Time != "2030-01-01T00:00:00Z" {
			t.Errorf("%v %s", err, r.Body)
		}
	})
}

// A customer pays into its balance through the sandbox; the sandbox's callback is signed with a secret that follows
// from the key file, and sent again it changes nothing.
func TestTopUpThroughTheSandbox(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		of := func(c credentials) *client.Client {
			out, err := client.New(s.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		operator, customer, other, ctx := of(s.Operator), of(s.Customers[1]), of(s.Customers[2]), t.Context()
		cash := func() string {
			t.Helper()
			r, err := operator.Purser.ShowCustomerWithResponse(ctx, s.Customers[1].DomainID)
			if err != nil || r.JSON200 == nil {
				t.Fatalf("%v %s", err, r.Body)
			}
			return r.JSON200.Cash
		}
		begin := func(amount string) *purser.TopUp {
			t.Helper()
			r, err := customer.Purser.BeginTopUpWithResponse(ctx, &purser.BeginTopUpParams{IdempotencyKey: new("k-" + amount)}, purser.BeginTopUpRequest{Amount: amount, Method: purser.Card})
			if err != nil || r.JSON201 == nil || r.JSON201.State != "pending" || r.JSON201.PayUrl == nil {
				t.Fatalf("%v %s", err, r.Body)
			}
			return r.JSON201
		}
		a := begin("25.50")
		if again := begin("25.50"); again.TopUpId != a.TopUpId {
			t.Errorf("the same key again: %+v", again)
		}
		if r, err := other.Purser.PayInSandboxWithResponse(ctx, *a.Reference, purser.PayInSandboxRequest{Outcome: purser.Succeed}); err != nil || r.StatusCode() != 404 {
			t.Errorf("another pays it: %v %s", err, r.Body)
		}

		// The callback as the sandbox sends it, by hand.
		text, err := os.ReadFile(filepath.Join(s.data, "purser.key"))
		if err != nil {
			t.Fatal(err)
		}
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		secret, err := hkdf.Key(sha256.New, key, nil, "purser: callbacks of the sandbox payment provider", 32)
		if err != nil {
			t.Fatal(err)
		}
		tell := func(provider, amount, body string) int {
			t.Helper()
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte("callback " + body))
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Endpoint+"/purser/v1/providers/"+provider+"/callbacks", strings.NewReader(strings.ReplaceAll(body, "25.50", amount)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Sandbox-Signature", hex.EncodeToString(mac.Sum(nil)))
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			return answer.StatusCode
		}
		callback := func(id string) string {
			return fmt.Sprintf(`{"event_id": "E1", "top_up_id": %q, "reference": %q, "outcome": "succeeded", "amount": "25.50", "currency": "USD", "extra": [1, {"x": null}]}`, id, *a.Reference)
		}
		if status := tell("sandbox", "99999.50", callback(a.TopUpId)); status != 401 || cash() != "10000" {
			t.Errorf("a tampered callback: %d", status)
		}
		if status := tell("bank", "25.50", callback(a.TopUpId)); status != 404 {
			t.Errorf("a provider that is not there: %d", status)
		}
		if status := tell("sandbox", "25.50", callback("TU0")); status != 404 {
			t.Errorf("a top-up that is not there: %d", status)
		}
		for range 2 {
			if status := tell("sandbox", "25.50", callback(a.TopUpId)); status != 204 || cash() != "10025.5" {
				t.Errorf("the callback: %d, cash %s", status, cash())
			}
		}
		if r, err := customer.Purser.PayInSandboxWithResponse(ctx, *a.Reference, purser.PayInSandboxRequest{Outcome: purser.Succeed}); err != nil || r.JSON200 == nil || r.JSON200.State != "succeeded" || r.JSON200.EntryId == nil || cash() != "10025.5" {
			t.Errorf("paid again: %v %s", err, r.Body)
		}
		declined := begin("7.13")
		if r, err := operator.Purser.PayInSandboxWithResponse(ctx, *declined.Reference, purser.PayInSandboxRequest{Outcome: purser.Succeed}); err != nil || r.JSON200 == nil || r.JSON200.State != "failed" || r.JSON200.Reason == nil {
			t.Errorf("an amount that is declined: %v %s", err, r.Body)
		}
		begin("3")
		for state, want := range map[purser.ListTopUpsParamsState]int32{"succeeded": 1, "failed": 1, "pending": 1, "expired": 0} {
			if r, err := customer.Purser.ListTopUpsWithResponse(ctx, &purser.ListTopUpsParams{State: &state}); err != nil || r.JSON200 == nil || r.JSON200.TotalCount != want {
				t.Errorf("those that are %s: %v %s", state, err, r.Body)
			}
		}
		if r, err := operator.Purser.ListTopUpsWithResponse(ctx, nil); err != nil || r.JSON200 == nil || r.JSON200.TotalCount != 3 {
			t.Errorf("all: %v %s", err, r.Body)
		}
		if r, err := customer.Purser.ShowTopUpWithResponse(ctx, a.TopUpId); err != nil || r.JSON200 == nil || r.JSON200.Amount != "25.5" || r.JSON200.PayUrl != nil {
			t.Errorf("one: %v %s", err, r.Body)
		}
		if out := s.cli(t, "customer", "topups", s.Customers[1].DomainID, "--state", "failed"); !strings.Contains(out, declined.TopUpId) || strings.Contains(out, a.TopUpId) {
			t.Errorf("purser customer topups: %s", out)
		}
	})
}
