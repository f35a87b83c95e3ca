package conformance

import (
	"net/http"
	"strings"
	"testing"

	bss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2"
	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	"github.com/shopspring/decimal"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/purser"
)

// buyer is a customer of the demo with the official client and purser's own, beside which it orders.
type buyer struct {
	*testing.T
	*bss.BssintlClient
	own *purser.ClientWithResponses
}

func (b *buyer) cash() decimal.Decimal {
	b.Helper()
	balances, err := b.ShowCustomerAccountBalances(&bssmodel.ShowCustomerAccountBalancesRequest{})
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range *balances.AccountBalances {
		if a.AccountType == 1 {
			return *a.Amount
		}
	}
	b.Fatal("no balance")
	return decimal.Zero
}

// order places an order that nobody has paid.
func (b *buyer) order(months, num int32, change func(*purser.PlaceOrderRequest)) purser.PlacedOrder {
	b.Helper()
	body := purser.PlaceOrderRequest{Products: []purser.PrimaryProduct{{
		Id: "1", CloudServiceType: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "s3.small.1.linux", Region: "ap-southeast-1",
		PeriodType: 2, PeriodNum: months, SubscriptionNum: num,
	}}}
	if change != nil {
		change(&body)
	}
	placed, err := b.own.PlaceOrderWithResponse(b.Context(), nil, body)
	if err != nil || placed.JSON201 == nil {
		b.Fatalf("%v, %s", err, placed.Body)
	}
	return *placed.JSON201
}

func (b *buyer) details(id string) *bssmodel.ShowCustomerOrderDetailsResponse {
	b.Helper()
	d, err := b.ShowCustomerOrderDetails(&bssmodel.ShowCustomerOrderDetailsRequest{OrderId: id, XLanguage: new("en_US")})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

func (b *buyer) pay(id string, coupon, discount *string) error {
	body := bssmodel.PayCustomerOrderV3Req{OrderId: id, UseCoupon: "NO", UseDiscount: "NO"}
	if coupon != nil {
		body.UseCoupon, body.CouponInfos = "YES", &[]bssmodel.CouponSimpleInfoOrderPayV3{{Id: *coupon, Type: 301}}
	}
	if discount != nil {
		body.UseDiscount, body.DiscountInfos = "YES", &[]bssmodel.DiscountSimpleInfoV3{{Id: *discount, Type: 2}}
	}
	_, err := b.PayOrders(&bssmodel.PayOrdersRequest{Body: &body})
	return err
}

// own is purser's own client of an account.
func (s *server) own(t *testing.T, c credentials) *purser.ClientWithResponses {
	t.Helper()
	out, err := client.New(s.Endpoint, client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out.Purser
}

func dec(v *float64) decimal.Decimal { return decimal.NewFromFloat(*v) }

// The whole walk: balance, coupons, order list, details, discounts, pay, balance; and every sum agrees.
func TestGoSDKOrders(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		s.still(t)
		before := b.cash()
		coupons, err := b.ListSubCustomerCoupons(&bssmodel.ListSubCustomerCouponsRequest{Status: new(int32(2))})
		if err != nil || *coupons.Count < 1 {
			t.Fatalf("coupons: %v", err)
		}
		var coupon *bssmodel.IQueryUserCouponsResultV2
		for i, row := range *coupons.UserCoupons {
			if *row.CouponVersion == 2 {
				coupon = &(*coupons.UserCoupons)[i]
			}
		}
		unpaid, err := b.ListCustomerOrders(&bssmodel.ListCustomerOrdersRequest{Status: new(int32(6)), OrderBy: new("createTime")})
		if err != nil || *unpaid.TotalCount < 3 || len(*unpaid.OrderInfos) != int(*unpaid.TotalCount) {
			t.Fatalf("unpaid orders: %+v, %v", unpaid, err)
		}
		first := (*unpaid.OrderInfos)[0]
		details := b.details(*first.OrderId)
		if *details.OrderInfo.Status != 6 || *details.TotalCount != 1 || *details.OrderInfo.UserName != c.User || *details.OrderInfo.PendingPaymentEndTime == "" || *(*details.OrderLineItems)[0].ProductSpecDesc == "" {
			t.Errorf("details: %+v", details)
		}
		offers, err := b.ListOrderDiscounts(&bssmodel.ListOrderDiscountsRequest{OrderId: *first.OrderId})
		if err != nil || len(*offers.Discounts) != 2 {
			t.Fatalf("discounts: %+v, %v", offers, err)
		}
		var contract bssmodel.DiscountInfoV3
		for _, d := range *offers.Discounts {
			if d.DiscountType == 609 {
				t.Error("a price adjustment")
			}
			if d.DiscountType == 2 {
				contract = d
			}
		}
		off := contract.Orders[0].OrderLineItems
		if contract.DiscountValue != "0.85" || len(off) != 1 || !off[0].DiscountRatio.IsPositive() || off[0].DiscountMode != 0 {
			t.Errorf("discount: %+v", contract)
		}
		refused(t, "not its discount", b.pay(*first.OrderId, nil, new("DI-NONE")), 400, "CBC.99003108")
		refused(t, "not its coupon", b.pay(*first.OrderId, new("CP-NONE"), nil), 400, "CBC.99003112")
		if err := b.pay(*first.OrderId, coupon.CouponId, &contract.DiscountId); err != nil {
			t.Fatal(err)
		}
		refused(t, "paid twice", b.pay(*first.OrderId, nil, nil), 400, "CBC.99003106")
		refused(t, "no such order", b.pay("CS-NONE", nil, nil), 400, "CBC.30000010")
		paid := b.details(*first.OrderId)
		info := paid.OrderInfo
		due := dec(info.OfficialAmount).Sub(*off[0].DiscountAmount)
		if *info.Status != 5 || info.PaymentTime == nil || !dec(info.AmountAfterDiscount).Equal(due) {
			t.Errorf("paid: %+v, due %s", info, due)
		}
		spent := dec(info.AmountAfterDiscount).Sub(dec(info.AmountInfo.CouponAmount))
		if after := b.cash(); !before.Sub(after).Equal(spent) {
			t.Errorf("cash %s, then %s; the order took %s", before, after, spent)
		}
		again, err := b.ListSubCustomerCoupons(&bssmodel.ListSubCustomerCouponsRequest{CouponId: coupon.CouponId})
		if err != nil || !dec(coupon.Balance).Sub(dec((*again.UserCoupons)[0].Balance)).Equal(dec(info.AmountInfo.CouponAmount)) {
			t.Errorf("coupon: %+v, %v", again, err)
		}
		resources, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &bssmodel.QueryResourcesReq{OrderId: first.OrderId}})
		if err != nil || *resources.TotalCount != 1 || *(*resources.Data)[0].Status != 2 {
			t.Fatalf("resources: %+v, %v", resources, err)
		}
		if note := s.cli(t, "check"); !strings.Contains(note, "nothing differs") && !strings.Contains(note, "add up") {
			t.Logf("check says: %s", note)
		}
	})
}

// Cancel and refund, with every way in which they are refused.
func TestGoSDKCancelAndRefund(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c, other := s.Customers[0], s.Customers[2]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		foreign := &buyer{t, s.bss(t, other.AccessKey, other.SecretKey, "", other.DomainID), s.own(t, other)}
		cancel := func(who *buyer, id string) error {
			_, err := who.CancelCustomerOrder(&bssmodel.CancelCustomerOrderRequest{Body: &bssmodel.CancelCustomerOrderReq{OrderId: id}})
			return err
		}
		o := b.order(1, 1, nil)
		refused(t, "another's order", cancel(foreign, o.OrderId), 400, "CBC.30000010")
		if err := cancel(b, strings.ToLower(o.OrderId)); err != nil {
			t.Fatal(err)
		}
		refused(t, "cancelled twice", cancel(b, o.OrderId), 400, "CBC.99005010")
		refused(t, "cancelled, paid", b.pay(o.OrderId, nil, nil), 400, "CBC.99003106")

		s.still(t)
		before := b.cash()
		o = b.order(1, 2, func(r *purser.PlaceOrderRequest) {
			r.Products[0].Attached = []purser.OrderProduct{{Id: "2", CloudServiceType: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", ResourceSpec: "SAS", Region: "ap-southeast-1", ResourceSize: new(int32(40)), SizeMeasureId: new(int32(17)), SubscriptionNum: 1}}
		})
		if o.Status != 6 || len(o.Lines) != 2 || o.Lines[1].ParentLineId != o.Lines[0].LineId {
			t.Fatalf("placed: %+v", o)
		}
		if err := b.pay(o.OrderId, nil, nil); err != nil {
			t.Fatal(err)
		}
		query := func(r *bssmodel.QueryResourcesReq) []bssmodel.OrderInstanceV2 {
			t.Helper()
			found, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: r})
			if err != nil || int(*found.TotalCount) != len(*found.Data) {
				t.Fatalf("resources: %+v, %v", found, err)
			}
			return *found.Data
		}
		all := query(&bssmodel.QueryResourcesReq{OrderId: &o.OrderId})
		primaries := query(&bssmodel.QueryResourcesReq{OrderId: &o.OrderId, OnlyMainResource: new(int32(1))})
		if len(all) != 4 || len(primaries) != 2 {
			t.Fatalf("%d resources, %d primary", len(all), len(primaries))
		}
		both := query(&bssmodel.QueryResourcesReq{ResourceIds: &[]string{*primaries[0].ResourceId}})
		if len(both) != 2 {
			t.Errorf("a primary brings %d along", len(both))
		}
		end := func(kind int32, ids ...string) (*bssmodel.CancelResourcesSubscriptionResponse, error) {
			return b.CancelResourcesSubscription(&bssmodel.CancelResourcesSubscriptionRequest{Body: &bssmodel.UnsubscribeResourcesReq{ResourceIds: ids, UnsubscribeType: kind}})
		}
		_, err := end(1, "none")
		refused(t, "no such resource", err, 400, "CBC.99003012")
		_, err = end(2, *primaries[0].ResourceId)
		refused(t, "nothing renewed", err, 400, "CBC.99003128")
		ended, err := end(1, *primaries[0].ResourceId)
		if err != nil || len(*ended.OrderIds) != 1 {
			t.Fatalf("%+v, %v", ended, err)
		}
		_, err = end(1, *primaries[0].ResourceId)
		refused(t, "ended twice", err, 400, "CBC.30000067")
		id := (*ended.OrderIds)[0]
		refund, err := b.ShowRefundOrderDetails(&bssmodel.ShowRefundOrderDetailsRequest{OrderId: id})
		if err != nil {
			t.Fatal(err)
		}
		back := decimal.Zero
		for _, row := range *refund.RefundInfos {
			if row.Amount.IsNegative() {
				back = back.Sub(*row.Amount)
			}
			if *row.BaseOrderId != o.OrderId || row.MeasureId != "1" {
				t.Errorf("refund: %+v", row)
			}
		}
		order := b.details(id).OrderInfo
		if *order.OrderType != 4 || *order.Status != 5 || !dec(order.AmountAfterDiscount).Equal(back) || !dec(order.AmountInfo.CommissionAmount).IsPositive() || *order.OfficialAmount != *order.AmountAfterDiscount {
			t.Errorf("%+v; back %s", order, back)
		}
		paid := b.details(o.OrderId).OrderInfo
		spent := dec(paid.AmountAfterDiscount).Sub(dec(paid.AmountInfo.CouponAmount)).Sub(back)
		if after := b.cash(); !before.Sub(after).Equal(spent) {
			t.Errorf("cash %s, then %s, want %s less", before, after, spent)
		}
		_, err = b.ShowRefundOrderDetails(&bssmodel.ShowRefundOrderDetailsRequest{OrderId: o.OrderId})
		refused(t, "a purchase is no refund", err, 400, "CBC.99005026")
	})
}

// The list's filters, orders and pages.
func TestGoSDKOrderList(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		list := func(r bssmodel.ListCustomerOrdersRequest) (int32, []bssmodel.CustomerOrderV2) {
			t.Helper()
			found, err := b.ListCustomerOrders(&r)
			if err != nil {
				t.Fatalf("%+v: %v", r, err)
			}
			return *found.TotalCount, *found.OrderInfos
		}
		total, all := list(bssmodel.ListCustomerOrdersRequest{Limit: new(int32(100))})
		if int(total) != len(all) || total < 8 {
			t.Fatalf("%d orders, %d rows", total, len(all))
		}
		for i := range all[1:] {
			if *all[i].CreateTime < *all[i+1].CreateTime {
				t.Error("not the newest first")
			}
		}
		_, second := list(bssmodel.ListCustomerOrdersRequest{Limit: new(int32(2)), Offset: new(int32(1))})
		if len(second) != 2 || *second[0].OrderId != *all[1].OrderId {
			t.Error("offset counts orders")
		}
		match := func(f func(*bssmodel.CustomerOrderV2) bool) (n int32) {
			for i := range all {
				if f(&all[i]) {
					n++
				}
			}
			return n
		}
		mid := *all[len(all)/2].CreateTime
		for name, k := range map[string]struct {
			r    bssmodel.ListCustomerOrdersRequest
			want int32
		}{
			"by id, in any case":   {bssmodel.ListCustomerOrdersRequest{OrderId: new(strings.ToLower(*all[0].OrderId))}, 1},
			"by type":              {bssmodel.ListCustomerOrdersRequest{OrderType: new("4")}, match(func(o *bssmodel.CustomerOrderV2) bool { return *o.OrderType == 4 })},
			"by status":            {bssmodel.ListCustomerOrdersRequest{Status: new(int32(4))}, match(func(o *bssmodel.CustomerOrderV2) bool { return *o.Status == 4 })},
			"by service, any case": {bssmodel.ListCustomerOrdersRequest{ServiceTypeCode: new("HWS.service.type.EC2")}, match(func(o *bssmodel.CustomerOrderV2) bool { return *o.ServiceTypeCode == "hws.service.type.ec2" })},
			"created from":         {bssmodel.ListCustomerOrdersRequest{CreateTimeBegin: &mid}, match(func(o *bssmodel.CustomerOrderV2) bool { return *o.CreateTime >= mid })},
			"created to":           {bssmodel.ListCustomerOrdersRequest{CreateTimeEnd: &mid}, match(func(o *bssmodel.CustomerOrderV2) bool { return *o.CreateTime <= mid })},
			"paid from":            {bssmodel.ListCustomerOrdersRequest{PaymentTimeBegin: &mid}, match(func(o *bssmodel.CustomerOrderV2) bool { return o.PaymentTime != nil && *o.PaymentTime >= mid })},
			"paid to":              {bssmodel.ListCustomerOrdersRequest{PaymentTimeEnd: &mid}, match(func(o *bssmodel.CustomerOrderV2) bool { return o.PaymentTime != nil && *o.PaymentTime <= mid })},
			"its own id":           {bssmodel.ListCustomerOrdersRequest{CustomerId: &c.DomainID}, total},
			"paid for a member":    {bssmodel.ListCustomerOrdersRequest{CustomerId: &s.Customers[1].DomainID, Method: new(bssmodel.GetListCustomerOrdersRequestMethodEnum().SUB_CUSTOMER)}, 0},
			"two at once":          {bssmodel.ListCustomerOrdersRequest{Status: new(int32(5)), OrderType: new("1")}, match(func(o *bssmodel.CustomerOrderV2) bool { return *o.Status == 5 && *o.OrderType == 1 })},
		} {
			if n, _ := list(k.r); n != k.want {
				t.Errorf("%s: %d, want %d", name, n, k.want)
			}
		}
		for name, r := range map[string]bssmodel.ListCustomerOrdersRequest{
			"span over a year": {CreateTimeBegin: new("2024-01-01T00:00:00Z"), CreateTimeEnd: new("2026-01-01T00:00:00Z")},
			"wrong way round":  {PaymentTimeBegin: new("2026-02-01T00:00:00Z"), PaymentTimeEnd: new("2026-01-01T00:00:00Z")},
			"limit":            {Limit: new(int32(101))},
			"status":           {Status: new(int32(7))},
		} {
			_, err := b.ListCustomerOrders(&r)
			refused(t, name, err, http.StatusBadRequest, "CBC.0100")
		}
		_, err := b.ListCustomerOrders(&bssmodel.ListCustomerOrdersRequest{CustomerId: &s.Customers[1].DomainID})
		refused(t, "another customer", err, 403, "CBC.0151")
		_, err = b.ListCustomerOrders(&bssmodel.ListCustomerOrdersRequest{IndirectPartnerId: new("p")})
		refused(t, "a distributor's", err, 400, "CBC.99000037")
		partner := s.bss(t, s.Partner.AccessKey, s.Partner.SecretKey, "", s.Partner.DomainID)
		if found, err := partner.ListCustomerOrders(&bssmodel.ListCustomerOrdersRequest{CustomerId: &c.DomainID}); err != nil || *found.TotalCount != total {
			t.Errorf("its partner: %v", err)
		}
	})
}
