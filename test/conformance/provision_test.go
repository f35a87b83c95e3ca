package conformance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"

	"github.com/purser-cloud/purser/internal/house/housetest"
)

// told is what a cloud hears of a paid order.
type told struct {
	Topic     string `json:"topic"`
	Customer  string `json:"customer_id"`
	Order     string `json:"order_id"`
	Resources []struct {
		Instance string `json:"instance_id"`
		Name     string `json:"resource_name"`
	} `json:"resources"`
}

// A cloud of its own provisions: it is told by signed webhook what was paid for, makes one resource, fails at the
// other, and reports; the failed one is given back without fee.
func TestExternalCloudProvisions(t *testing.T) {
	onEngines(t, func(t *testing.T, address string) {
		data, database := housetest.Furnished(t, address)
		_, demo := openServer(t, data, database, "--provisioner", "external")
		operator, me, ctx := ownClient(t, demo, demo.Operator), ownClient(t, demo, demo.Customers[2]), t.Context()
		secret, heard := make(chan string, 1), make(chan told, 10)
		cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			key := <-secret
			secret <- key
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(r.Header.Get("X-Purser-Timestamp") + "." + string(body)))
			if r.Header.Get("X-Purser-Signature") != "v1="+hex.EncodeToString(mac.Sum(nil)) {
				t.Errorf("the signature of %s", body)
			}
			var m told
			if err := json.Unmarshal(body, &m); err != nil {
				t.Error(err)
			}
			heard <- m
		}))
		defer cloud.Close()
		hook, err := operator.Purser.AddWebhookWithResponse(ctx, nil, purser.AddWebhookRequest{Url: cloud.URL, Topics: []string{"order.*"}})
		if err != nil || hook.JSON201 == nil || hook.JSON201.Secret == nil {
			t.Fatalf("%v %s", err, hook.Body)
		}
		secret <- *hook.JSON201.Secret
		if list, err := operator.Purser.ListWebhooksWithResponse(ctx); err != nil || list.JSON200 == nil || len(list.JSON200.Webhooks) != 2 || list.JSON200.Webhooks[0].WebhookId != hook.JSON201.WebhookId || list.JSON200.Webhooks[0].Secret != nil || list.JSON200.Webhooks[1].Active { // the demo's is off
			t.Errorf("%v %s", err, list.Body)
		}
		if r, err := me.Purser.ListWebhooksWithResponse(ctx); err != nil || r.StatusCode() != 403 {
			t.Errorf("by a customer: %v %s", err, r.Body)
		}
		placed, err := me.Purser.PlaceOrderWithResponse(ctx, nil, purser.PlaceOrderRequest{AutoPay: new(true), Products: []purser.PrimaryProduct{{
			Id: "1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux", Region: "ap-southeast-1",
			PeriodType: 2, PeriodNum: 12, SubscriptionNum: 2, ResourceName: new("web"),
		}}})
		if err != nil || placed.JSON201 == nil || placed.JSON201.Status != 3 {
			t.Fatalf("%v %s", err, placed.Body)
		}
		var m told
		select {
		case m = <-heard:
		case <-time.After(20 * time.Second):
			t.Fatal("the cloud heard nothing")
		}
		if m.Topic != "order.paid" || m.Order != placed.JSON201.OrderId || m.Customer != demo.Customers[2].DomainID || len(m.Resources) != 2 || m.Resources[1].Name != "web-0002" {
			t.Fatalf("heard %+v", m)
		}
		body := purser.ReportProvisioningRequest{CustomerId: m.Customer, Resources: []purser.ProvisionedResource{
			{InstanceId: m.Resources[0].Instance, ResourceId: new("vm-1")}, {InstanceId: m.Resources[1].Instance, Failed: new(true), Reason: new("no room")},
		}}
		for range 2 { // a report may be repeated
			r, err := operator.Purser.ReportProvisioningWithResponse(ctx, m.Order, nil, body)
			if err != nil || r.JSON200 == nil || r.JSON200.Status != 5 {
				t.Fatalf("%v %s", err, r.Body)
			}
		}
		list, err := me.BSS.ListPayPerUseCustomerResourcesWithResponse(ctx, bss.ListPayPerUseCustomerResourcesJSONRequestBody{OrderId: &m.Order, StatusList: []bss.QueryResourcesReqStatusList{2}})
		if err != nil || list.JSON200 == nil || list.JSON200.TotalCount != 1 || list.JSON200.Data[0].ResourceId != "vm-1" {
			t.Errorf("%v %s", err, list.Body)
		}
		if m = <-heard; m.Topic != "order.unsubscribed" {
			t.Errorf("heard %+v", m)
		}
		back, err := me.BSS.ShowCustomerOrderDetailsWithResponse(ctx, m.Order, nil)
		if err != nil || back.JSON200 == nil || back.JSON200.OrderInfo.AmountInfo.CommissionAmount != "0" || back.JSON200.OrderInfo.AmountInfo.ConsumedAmount != "0" {
			t.Errorf("%v %s", err, back.Body)
		}
	})
}
