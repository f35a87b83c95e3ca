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

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/purser"
)

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
		operator, customer, other, ctx := of(s.Operator), of(s.Customers[2]), of(s.Customers[1]), t.Context()
		cash := func() string {
			t.Helper()
			r, err := operator.Purser.ShowCustomerWithResponse(ctx, s.Customers[2].DomainID)
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
		if out := s.cli(t, "customer", "topups", s.Customers[2].DomainID, "--state", "failed"); !strings.Contains(out, declined.TopUpId) || strings.Contains(out, a.TopUpId) {
			t.Errorf("purser customer topups: %s", out)
		}
	})
}
