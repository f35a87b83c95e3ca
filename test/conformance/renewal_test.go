package conformance

import (
	"testing"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	"github.com/shopspring/decimal"
)

// bought is the primary resource of a new order that was paid.
func (b *buyer) bought() bssmodel.OrderInstanceV2 {
	b.Helper()
	o := b.order(1, 1, nil)
	if err := b.pay(o.OrderId, nil, nil); err != nil {
		b.Fatal(err)
	}
	found, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &bssmodel.QueryResourcesReq{OrderId: &o.OrderId}})
	if err != nil || *found.TotalCount != 1 {
		b.Fatalf("%+v, %v", found, err)
	}
	return (*found.Data)[0]
}

func (b *buyer) resource(id string) bssmodel.OrderInstanceV2 {
	b.Helper()
	found, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &bssmodel.QueryResourcesReq{ResourceIds: &[]string{id}, OnlyMainResource: new(int32(1))}})
	if err != nil || *found.TotalCount != 1 {
		b.Fatalf("%+v, %v", found, err)
	}
	return (*found.Data)[0]
}

// Renewals by the Go SDK: price, order, payment; automatic ones; what happens at expiry; settings; and how each is refused.
func TestGoSDKRenewals(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		one := b.bought()
		id := *one.ResourceId
		rate := func(kind, n int32, ids ...string) (*bssmodel.ListRenewRateOnPeriodResponse, error) {
			return b.ListRenewRateOnPeriod(&bssmodel.ListRenewRateOnPeriodRequest{Body: &bssmodel.ListRenewRateOnPeriodReq{ResourceIds: ids, PeriodType: kind, PeriodNum: n}})
		}
		price, err := rate(2, 2, id, "nothing")
		if err != nil || len(*price.RenewInquiryResults) != 1 || len(*price.FailResourceInfos) != 1 || *(*price.FailResourceInfos)[0].ErrorCode != "CBC.30050009" || len(*price.OptionalDiscountRatingResults) != 2 {
			t.Fatalf("%+v, %v", price, err)
		}
		official, err := decimal.NewFromString(*price.OfficialWebsiteRatingResult.OfficialWebsiteAmount)
		if err != nil || !official.IsPositive() {
			t.Errorf("%v, %s", err, official)
		}
		_, err = rate(2, 12, id)
		refused(t, "twelve months", err, 400, "CBC.0100")
		_, err = rate(2, 1, id, id)
		refused(t, "the same twice", err, 400, "CBC.30050012")
		renew := func(n, autoPay int32, ids ...string) (*bssmodel.RenewalResourcesResponse, error) {
			return b.RenewalResources(&bssmodel.RenewalResourcesRequest{Body: &bssmodel.RenewalResourcesReq{ResourceIds: ids, PeriodType: 2, PeriodNum: n, IsAutoPay: &autoPay}})
		}
		_, err = renew(1, 0, "nothing")
		refused(t, "nothing", err, 400, "CBC.99003016")
		placed, err := renew(2, 0, id, "nothing")
		if err != nil || len(*placed.OrderIds) != 1 || len(*placed.FailResourceInfos) != 1 {
			t.Fatalf("%+v, %v", placed, err)
		}
		order := (*placed.OrderIds)[0]
		if o := b.details(order).OrderInfo; *o.OrderType != 2 || *o.Status != 6 || !dec(o.OfficialAmount).Equal(official) {
			t.Errorf("%+v, price %s", o, official)
		}
		_, err = renew(1, 0, id)
		refused(t, "in an unpaid order", err, 400, "CBC.99003100")
		if price, err := rate(2, 1, id); err != nil || *(*price.FailResourceInfos)[0].ErrorCode != "CBC.30050010" {
			t.Errorf("%+v, %v", price, err)
		}
		if err := b.pay(order, nil, nil); err != nil {
			t.Fatal(err)
		}
		if now := b.resource(id); *now.ExpireTime <= *one.ExpireTime {
			t.Errorf("expires %s, then %s", *one.ExpireTime, *now.ExpireTime)
		}
		if paid, err := renew(1, 1, id); err != nil || *b.details((*paid.OrderIds)[0]).OrderInfo.Status != 5 {
			t.Errorf("paid at once: %+v, %v", paid, err)
		}

		auto := func(id string, times *int32) error {
			_, err := b.AutoRenewalResources(&bssmodel.AutoRenewalResourcesRequest{ResourceId: id, Body: &bssmodel.AutoRenewalResourcesReq{AutoRenewTimes: times}})
			return err
		}
		off := func(id string) error {
			_, err := b.CancelAutoRenewalResources(&bssmodel.CancelAutoRenewalResourcesRequest{ResourceId: id})
			return err
		}
		refused(t, "nothing renews", auto("nothing", nil), 400, "CBC.99003012")
		refused(t, "it is off", off(id), 400, "CBC.99003605")
		if err := auto(id, new(int32(3))); err != nil || *b.resource(id).ExpirePolicy != 3 {
			t.Errorf("on: %v", err)
		}
		if err := off(id); err != nil || *b.resource(id).ExpirePolicy != 0 {
			t.Errorf("off: %v", err)
		}

		onDemand := func(operation string, ids ...string) []bssmodel.ErrorDetail {
			t.Helper()
			r, err := b.UpdatePeriodToOnDemand(&bssmodel.UpdatePeriodToOnDemandRequest{Body: &bssmodel.PeriodToOnDemandReq{Operation: operation, ResourceIds: ids}})
			if err != nil {
				t.Fatal(err)
			}
			return *r.ErrorDetails
		}
		if failed := onDemand("SET_UP", id, "nothing"); len(failed) != 1 || *failed[0].ErrorCode != "CBC.99003012" || *b.resource(id).ExpirePolicy != 1 {
			t.Errorf("pay-per-use at expiry: %+v", failed)
		}
		if failed := onDemand("CANCEL", id); len(failed) != 0 || *b.resource(id).ExpirePolicy != 0 {
			t.Errorf("taken back: %+v", failed)
		}
		if failed := onDemand("CANCEL", id); len(failed) != 1 {
			t.Errorf("taken back twice: %+v", failed)
		}

		config := func(name bssmodel.RenewResourceConfigReqConfigName, value string) (*bssmodel.SetResourcesRenewConfigResponse, error) {
			return b.SetResourcesRenewConfig(&bssmodel.SetResourcesRenewConfigRequest{Body: &bssmodel.RenewResourceConfigReq{ConfigName: name, ConfigValue: value}})
		}
		names := bssmodel.GetRenewResourceConfigReqConfigNameEnum()
		if r, err := config(names.DEDUCTION_DATE, "3"); err != nil || *r.ErrorCode != "CBC.0000" {
			t.Errorf("%+v, %v", r, err)
		}
		_, err = config(names.DEDUCTION_DATE, "8")
		refused(t, "eight days before", err, 400, "CBC.0100")
		_, err = config(names.EXPIRE_DATE, "29")
		refused(t, "the 29th", err, 400, "CBC.0100")
	})
}
