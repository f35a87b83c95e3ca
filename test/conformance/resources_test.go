package conformance

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	"github.com/shopspring/decimal"

	"github.com/purser-cloud/purser/client/purser"
)

// refusals is refusals.json: what every operation on resources answers, for the suites of all three languages.
type refusals struct {
	States map[string]map[string]string `json:"states"`
	Forms  []struct {
		Call string          `json:"call"`
		Why  string          `json:"why"`
		Code string          `json:"code"` // CBC.0100 unless it is given
		Body json.RawMessage `json:"body"`
	} `json:"forms"`
	WithoutPermission []string `json:"without permission"`
}

func readRefusals(t *testing.T) (out refusals) {
	t.Helper()
	text, err := os.ReadFile("refusals.json")
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// on does an operation of refusals.json to one resource and says with which code it was refused; nothing when it was done.
func (b *buyer) on(call, id string, unit int32) string {
	b.Helper()
	ids, per := []string{id}, func(code *string) string { return *code }
	var err error
	switch call {
	case "renew":
		_, err = b.RenewalResources(&bssmodel.RenewalResourcesRequest{Body: &bssmodel.RenewalResourcesReq{ResourceIds: ids, PeriodType: unit, PeriodNum: 1}})
	case "price":
		var r *bssmodel.ListRenewRateOnPeriodResponse
		r, err = b.ListRenewRateOnPeriod(&bssmodel.ListRenewRateOnPeriodRequest{Body: &bssmodel.ListRenewRateOnPeriodReq{ResourceIds: ids, PeriodType: unit, PeriodNum: 1}})
		if err == nil && len(*r.FailResourceInfos) == 1 && *(*r.FailResourceInfos)[0].ResourceId == id {
			return per((*r.FailResourceInfos)[0].ErrorCode)
		}
	case "unsubscribe", "unsubscribe_renewals":
		kind := int32(1)
		if call == "unsubscribe_renewals" {
			kind = 2
		}
		_, err = b.CancelResourcesSubscription(&bssmodel.CancelResourcesSubscriptionRequest{Body: &bssmodel.UnsubscribeResourcesReq{ResourceIds: ids, UnsubscribeType: kind}})
	case "auto_on":
		_, err = b.AutoRenewalResources(&bssmodel.AutoRenewalResourcesRequest{ResourceId: id})
	case "auto_off":
		_, err = b.CancelAutoRenewalResources(&bssmodel.CancelAutoRenewalResourcesRequest{ResourceId: id})
	case "on_demand", "on_demand_off":
		operation := "SET_UP"
		if call == "on_demand_off" {
			operation = "CANCEL"
		}
		var r *bssmodel.UpdatePeriodToOnDemandResponse
		r, err = b.UpdatePeriodToOnDemand(&bssmodel.UpdatePeriodToOnDemandRequest{Body: &bssmodel.PeriodToOnDemandReq{Operation: operation, ResourceIds: ids}})
		if err == nil && len(*r.ErrorDetails) == 1 && *(*r.ErrorDetails)[0].Id == id {
			return per((*r.ErrorDetails)[0].ErrorCode)
		}
	case "config":
		_, err = b.SetResourcesRenewConfig(&bssmodel.SetResourcesRenewConfigRequest{Body: &bssmodel.RenewResourceConfigReq{ConfigName: bssmodel.GetRenewResourceConfigReqConfigNameEnum().EXPIRE_DATE, ConfigValue: "1"}})
	case "query":
		_, err = b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &bssmodel.QueryResourcesReq{ResourceIds: &ids}})
	case "refund":
		_, err = b.ShowRefundOrderDetails(&bssmodel.ShowRefundOrderDetailsRequest{OrderId: id})
	default:
		b.Fatalf("refusals.json: no call %q", call)
	}
	if err == nil {
		return ""
	}
	return b.code(err)
}

// code is that of an SDK error, whose status must go with it.
func (b *buyer) code(err error) string {
	b.Helper()
	var e *sdkerr.ServiceResponseError
	if !errors.As(err, &e) {
		b.Fatal(err)
	}
	want := 400
	if e.ErrorCode == "CBC.0151" || e.ErrorCode == "CBC.0155" {
		want = 403
	}
	if e.StatusCode != want || e.ErrorMessage == "" || e.RequestId == "" {
		b.Errorf("%s: status %d, message %q, request %q", e.ErrorCode, e.StatusCode, e.ErrorMessage, e.RequestId)
	}
	return e.ErrorCode
}

// with sends a body that is written out.
func (b *buyer) with(call string, body json.RawMessage) error {
	b.Helper()
	fill := func(into any) {
		if err := json.Unmarshal(body, into); err != nil {
			b.Fatal(err)
		}
	}
	var err error
	switch call {
	case "renew":
		r := bssmodel.RenewalResourcesRequest{Body: &bssmodel.RenewalResourcesReq{}}
		fill(r.Body)
		_, err = b.RenewalResources(&r)
	case "price":
		r := bssmodel.ListRenewRateOnPeriodRequest{Body: &bssmodel.ListRenewRateOnPeriodReq{}}
		fill(r.Body)
		_, err = b.ListRenewRateOnPeriod(&r)
	case "unsubscribe":
		r := bssmodel.CancelResourcesSubscriptionRequest{Body: &bssmodel.UnsubscribeResourcesReq{}}
		fill(r.Body)
		_, err = b.CancelResourcesSubscription(&r)
	case "auto_on":
		r := bssmodel.AutoRenewalResourcesRequest{ResourceId: "1", Body: &bssmodel.AutoRenewalResourcesReq{}}
		fill(r.Body)
		_, err = b.AutoRenewalResources(&r)
	case "on_demand":
		r := bssmodel.UpdatePeriodToOnDemandRequest{Body: &bssmodel.PeriodToOnDemandReq{}}
		fill(r.Body)
		_, err = b.UpdatePeriodToOnDemand(&r)
	case "config":
		r := bssmodel.SetResourcesRenewConfigRequest{Body: &bssmodel.RenewResourceConfigReq{}}
		fill(r.Body)
		_, err = b.SetResourcesRenewConfig(&r)
	case "query":
		r := bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &bssmodel.QueryResourcesReq{}}
		fill(r.Body)
		_, err = b.ListPayPerUseCustomerResources(&r)
	default:
		b.Fatalf("refusals.json: no call %q", call)
	}
	return err
}

// buy orders one server, changed as wanted, and pays: its resources, the primary one first.
func (b *buyer) buy(change func(*purser.PlaceOrderRequest)) []bssmodel.OrderInstanceV2 {
	b.Helper()
	o := b.order(1, 1, change)
	if err := b.pay(o.OrderId, nil, nil); err != nil {
		b.Fatal(err)
	}
	list := b.query(bssmodel.QueryResourcesReq{OrderId: &o.OrderId})
	slices.SortFunc(list, func(x, y bssmodel.OrderInstanceV2) int { return int(*y.IsMainResource - *x.IsMainResource) })
	return list
}

func (b *buyer) query(q bssmodel.QueryResourcesReq) []bssmodel.OrderInstanceV2 {
	b.Helper()
	found, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &q})
	if err != nil {
		b.Fatal(err)
	}
	return *found.Data
}

// withDisk attaches a disk of so many GB.
func withDisk(gb int32) func(*purser.PlaceOrderRequest) {
	return func(r *purser.PlaceOrderRequest) {
		r.Products[0].Attached = []purser.OrderProduct{{
			Id: "2", CloudServiceType: "hws.service.type.ebs", ResourceType: "hws.resource.type.volume", ResourceSpec: "SAS", Region: "ap-southeast-1",
			ResourceSize: &gb, SizeMeasureId: new(int32(17)), SubscriptionNum: 1,
		}}
	}
}

// renewed renews a resource and pays at once.
func (b *buyer) renewed(id string, unit, n int32) string {
	b.Helper()
	r, err := b.RenewalResources(&bssmodel.RenewalResourcesRequest{Body: &bssmodel.RenewalResourcesReq{ResourceIds: []string{id}, PeriodType: unit, PeriodNum: n, IsAutoPay: new(int32(1))}})
	if err != nil || len(*r.OrderIds) != 1 || len(*r.FailResourceInfos) != 0 {
		b.Fatalf("%+v, %v", r, err)
	}
	return (*r.OrderIds)[0]
}

// resize orders another size of a disk.
func (b *buyer) resize(id string, gb int32) purser.PlacedOrder {
	b.Helper()
	r, err := b.own.ChangeResourceWithResponse(b.Context(), nil, purser.ChangeResourceRequest{ResourceId: id, ResourceSize: &gb, SizeMeasureId: new(int32(17))})
	if err != nil || r.JSON201 == nil {
		b.Fatalf("%v, %s", err, r.Body)
	}
	return *r.JSON201
}

// house is the operator, who stands beside the customers.
func (s *server) house(t *testing.T) *buyer { return &buyer{T: t, own: s.own(t, s.Operator)} }

func (b *buyer) topUp(customer, amount string) {
	b.Helper()
	r, err := b.own.TopUpCustomerWithResponse(b.Context(), customer, nil, purser.MovementRequest{Amount: amount, Reference: new("test " + amount)})
	if err != nil || r.JSON201 == nil {
		b.Fatalf("%v, %s", err, r.Body)
	}
}

func (b *buyer) standing(customer, standing string) {
	b.Helper()
	r, err := b.own.ChangeCustomerWithResponse(b.Context(), customer, nil, purser.ChangeCustomerRequest{Standing: new(purser.ChangeCustomerRequestStanding(standing))})
	if err != nil || r.JSON200 == nil {
		b.Fatalf("%v, %s", err, r.Body)
	}
}

// turn moves a customer's clock to some days after an instant.
func (b *buyer) turn(customer, from string, days int) {
	b.Helper()
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		b.Fatal(err)
	}
	r, err := b.own.MoveClockWithResponse(b.Context(), purser.MoveClockRequest{CustomerId: &customer, Time: at.AddDate(0, 0, days).Format("2006-01-02T15:04:05Z")})
	if err != nil || r.JSON200 == nil || r.JSON200.State != "done" {
		b.Fatalf("%v, %s", err, r.Body)
	}
}

// Every state that a resource can be in × every operation: the refusal has the documented code.
func TestGoSDKResourceStates(t *testing.T) {
	table := readRefusals(t)
	onEach(t, func(t *testing.T, s *server) {
		carol, bob, house := s.Customers[2], s.Customers[1], s.house(t)
		me := &buyer{t, s.bss(t, carol.AccessKey, carol.SecretKey, "", carol.DomainID), s.own(t, carol)}
		other := &buyer{t, s.bss(t, bob.AccessKey, bob.SecretKey, "", bob.DomainID), s.own(t, bob)}
		left := len(table.States)
		try := func(b *buyer, state, id string, unit int32) {
			t.Helper()
			left--
			if len(table.States[state]) == 0 {
				t.Fatalf("refusals.json: no state %q", state)
			}
			for call, want := range table.States[state] {
				if got := b.on(call, id, unit); got != want {
					t.Errorf("%s, %s: %q, want %s", state, call, got, want)
				}
			}
		}
		house.topUp(carol.DomainID, "100000")
		free := *me.buy(nil)[0].ResourceId
		try(me, "unknown", "nothing", 2)
		try(me, "free", free, 2)
		aging := other.buy(nil)[0]
		try(me, "another's", *aging.ResourceId, 2)
		storage := me.order(2, 1, starter)
		if err := me.pay(storage.OrderId, nil, nil); err != nil {
			t.Fatal(err)
		}
		try(me, "package", *me.packages("en_US", packageQuery{OrderId: &storage.OrderId})[0].OrderInstanceId, 2)
		gone := *me.buy(nil)[0].ResourceId
		if code := me.on("unsubscribe", gone, 2); code != "" {
			t.Fatal(code)
		}
		try(me, "unsubscribed", gone, 2)
		try(me, "attached", *me.buy(withDisk(40))[1].ResourceId, 2)
		renewing := *me.buy(nil)[0].ResourceId
		if code := me.on("renew", renewing, 2); code != "" {
			t.Fatal(code)
		}
		try(me, "in an unpaid renewal", renewing, 2)
		changing := me.buy(withDisk(40))
		if o := me.resize(*changing[1].ResourceId, 100); o.Status != 6 {
			t.Fatalf("%+v", o)
		}
		try(me, "attached in an unpaid change", *changing[0].ResourceId, 2)
		dear := *me.buy(func(r *purser.PlaceOrderRequest) { withDisk(30_000)(r); r.Products[0].PeriodNum = 9 })[0].ResourceId
		if code := me.on("unsubscribe", dear, 2); code != "" {
			t.Fatal(code)
		}
		if now := me.resource(dear); *now.Status != 2 {
			t.Errorf("its refund is under review: %+v", now)
		}
		try(me, "refund under review", dear, 2)
		long := *me.buy(nil)[0].ResourceId
		for range 3 {
			me.renewed(long, 3, 3)
		}
		try(me, "paid nine years ahead", long, 3)
		daily := me.buy(func(r *purser.PlaceOrderRequest) {
			p := &r.Products[0]
			p.CloudServiceType, p.ResourceType, p.ResourceSpec, p.PeriodType = "hws.service.type.vpn", "hws.resource.type.vpn.vgw", "vpn.vgw.s", 0
		})
		try(me, "bought by days", *daily[0].ResourceId, 2)
		house.standing(carol.DomainID, "frozen")
		try(me, "free, frozen account", free, 2)
		house.standing(carol.DomainID, "active")
		for _, k := range []struct {
			state  string
			days   int
			status int32
		}{{"expired", 1, 5}, {"frozen", 16, 4}, {"released", 31, 3}} {
			house.turn(bob.DomainID, *aging.ExpireTime, k.days)
			if now := other.resource(*aging.ResourceId); *now.Status != k.status {
				t.Errorf("%s: status %d", k.state, *now.Status)
			}
			try(other, k.state, *aging.ResourceId, 2)
		}
		if left != 0 {
			t.Errorf("refusals.json has %d states more", left)
		}
	})
}

// What no operation on resources takes, and who may not call it.
func TestGoSDKResourceForms(t *testing.T) {
	table := readRefusals(t)
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		for _, k := range table.Forms {
			if k.Code == "" {
				k.Code = "CBC.0100"
			}
			if err := b.with(k.Call, k.Body); err == nil || b.code(err) != k.Code {
				t.Errorf("%s, %s: %v, want %s", k.Call, k.Why, err, k.Code)
			}
		}
		one := *b.bought().ResourceId
		s.cli(t, "user", "add", c.DomainName, "tim", "--actions", "bss:balance:view")
		access, secret := s.key(t, c, "tim")
		tim := &buyer{T: t, BssintlClient: s.bss(t, access, secret, "", c.DomainID)}
		for _, call := range table.WithoutPermission {
			if code := tim.on(call, one, 2); code != "CBC.0151" {
				t.Errorf("%s without permission: %q", call, code)
			}
		}
		price, err := tim.ListRenewRateOnPeriod(&bssmodel.ListRenewRateOnPeriodRequest{Body: &bssmodel.ListRenewRateOnPeriodReq{ResourceIds: []string{one}, PeriodType: 2, PeriodNum: 1}})
		if err != nil || price.OptionalDiscountRatingResults != nil && len(*price.OptionalDiscountRatingResults) > 0 || *(*price.RenewInquiryResults)[0].Amount != *price.OfficialWebsiteRatingResult.OfficialWebsiteAmount {
			t.Errorf("discounts are not hidden: %+v, %v", price, err)
		}
	})
}

// key makes an access key of a user.
func (s *server) key(t *testing.T, c credentials, user string) (access, secret string) {
	t.Helper()
	for line := range strings.Lines(s.cli(t, "key", "create", c.DomainName, user)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "access_key":
			access = value
		case "secret_key":
			secret = value
		}
	}
	return access, secret
}

// Good and bad ones in one call: the good ones are done, the bad ones named.
func TestGoSDKGoodAndBadTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		list := b.buy(func(r *purser.PlaceOrderRequest) { withDisk(40)(r); r.Products[0].SubscriptionNum = 2 })
		one, two, disk := *list[0].ResourceId, *list[1].ResourceId, *b.buy(withDisk(40))[1].ResourceId
		along := *list[2].ResourceId // attached to one of them: it goes with that
		named := func(what string, got *[]bssmodel.FailResourceInfo, want map[string]string) {
			t.Helper()
			if len(*got) != len(want) {
				t.Errorf("%s: %+v, want %v", what, *got, want)
			}
			for _, f := range *got {
				if *f.ErrorCode != want[*f.ResourceId] || *f.ErrorMsg == "" {
					t.Errorf("%s: %+v, want %v", what, f, want)
				}
			}
		}
		ids := []string{one, "nothing", disk, two}
		price, err := b.ListRenewRateOnPeriod(&bssmodel.ListRenewRateOnPeriodRequest{Body: &bssmodel.ListRenewRateOnPeriodReq{ResourceIds: ids, PeriodType: 3, PeriodNum: 1, IncludeRelativeResources: new(true)}})
		if err != nil || len(*price.RenewInquiryResults) != 2 {
			t.Fatalf("%+v, %v", price, err)
		}
		named("price", price.FailResourceInfos, map[string]string{"nothing": "CBC.30050009", disk: "CBC.30050007"})
		renewal, err := b.RenewalResources(&bssmodel.RenewalResourcesRequest{Body: &bssmodel.RenewalResourcesReq{ResourceIds: ids, PeriodType: 3, PeriodNum: 1, IsAutoPay: new(int32(1))}})
		if err != nil || len(*renewal.OrderIds) != 2 {
			t.Fatalf("%+v, %v", renewal, err)
		}
		named("renewal", renewal.FailResourceInfos, map[string]string{"nothing": "CBC.99003016", disk: "CBC.30010036"})
		// Paid at once with the best discount, and then a coupon: what is due is what the price promised.
		for i, row := range *price.RenewInquiryResults {
			info := b.details((*renewal.OrderIds)[i]).OrderInfo
			want, err := decimal.NewFromString(*row.Amount)
			if err != nil || !dec(info.AmountAfterDiscount).Equal(want) || *info.Status != 5 || *info.OrderType != 2 {
				t.Errorf("%+v, %v, want %s", info, err, want)
			}
		}
		ids = append([]string{along}, ids...)
		end := func(kind int32) *bssmodel.CancelResourcesSubscriptionResponse {
			t.Helper()
			r, err := b.CancelResourcesSubscription(&bssmodel.CancelResourcesSubscriptionRequest{Body: &bssmodel.UnsubscribeResourcesReq{ResourceIds: ids, UnsubscribeType: kind, UnsubscribeReasonType: new(int32(5)), UnsubscribeReason: new("no longer needed")}})
			if err != nil || len(*r.OrderIds) != 2 {
				t.Fatalf("%+v, %v", r, err)
			}
			return r
		}
		named("renewals ended", end(2).FailResourceInfos, map[string]string{"nothing": "CBC.99003012", disk: "CBC.99003185"})
		if now := b.resource(one); *now.Status != 2 || *now.ExpireTime != *list[0].ExpireTime {
			t.Errorf("its renewal was ended: %+v, before %+v", now, list[0])
		}
		named("ended", end(1).FailResourceInfos, map[string]string{"nothing": "CBC.99003012", disk: "CBC.99003185"})
		for _, r := range b.query(bssmodel.QueryResourcesReq{ResourceIds: &ids}) {
			if (*r.Status == 3) == (*r.ResourceId == disk) {
				t.Errorf("%+v", r)
			}
		}
	})
}

// Automatic renewal of a resource and what is attached to it: on, set again, off; what the later call leaves out stays.
func TestGoSDKAutoRenewal(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		list := b.buy(withDisk(40))
		server, disk := *list[0].ResourceId, *list[1].ResourceId
		for _, k := range []struct {
			id     string
			body   *bssmodel.AutoRenewalResourcesReq
			off    bool
			policy int32
		}{
			{id: server, policy: 3},
			{id: server, off: true},
			{id: disk, body: &bssmodel.AutoRenewalResourcesReq{AutoRenewTimes: new(int32(99))}, policy: 3},
			{id: server, body: &bssmodel.AutoRenewalResourcesReq{AutoRenewTimes: new(int32(0)), PeriodType: new(bssmodel.GetAutoRenewalResourcesReqPeriodTypeEnum().YEAR)}, policy: 3},
			{id: disk, off: true},
			{id: server, body: &bssmodel.AutoRenewalResourcesReq{PeriodType: new(bssmodel.GetAutoRenewalResourcesReqPeriodTypeEnum().MONTH)}, policy: 3},
		} {
			var err error
			if k.off {
				_, err = b.CancelAutoRenewalResources(&bssmodel.CancelAutoRenewalResourcesRequest{ResourceId: k.id})
			} else {
				_, err = b.AutoRenewalResources(&bssmodel.AutoRenewalResourcesRequest{ResourceId: k.id, Body: k.body})
			}
			if now, attached := b.resource(server), b.query(bssmodel.QueryResourcesReq{ResourceIds: &[]string{disk}})[0]; err != nil || *now.ExpirePolicy != k.policy || *attached.ExpirePolicy != k.policy {
				t.Errorf("%+v: %v, policies %d and %d", k, err, *now.ExpirePolicy, *attached.ExpirePolicy)
			}
		}
		names := bssmodel.GetRenewResourceConfigReqConfigNameEnum()
		for _, k := range []struct {
			name  bssmodel.RenewResourceConfigReqConfigName
			value string
		}{{names.DEDUCTION_DATE, "2"}, {names.DEDUCTION_DATE, "7"}, {names.EXPIRE_DATE, "1"}, {names.EXPIRE_DATE, "28"}, {names.EXPIRE_DATE, "-1"}} {
			r, err := b.SetResourcesRenewConfig(&bssmodel.SetResourcesRenewConfigRequest{Body: &bssmodel.RenewResourceConfigReq{ConfigName: k.name, ConfigValue: k.value}})
			if err != nil || *r.ErrorCode != "CBC.0000" || *r.ErrorMsg != "success" {
				t.Errorf("%+v: %+v, %v", k, r, err)
			}
		}
		// With a unified day a renewal ends on it: here on the last of a month, at its last second in GMT+8.
		b.renewed(server, 2, 1)
		end, err := time.Parse(time.RFC3339, *b.resource(server).ExpireTime)
		if err != nil || !strings.HasSuffix(*b.resource(server).ExpireTime, "T15:59:59Z") || end.Add(24*time.Hour).Day() != 1 {
			t.Errorf("%s, %v", end, err)
		}
	})
}

// Every filter of the list of resources, alone and with others.
func TestGoSDKResourceFilters(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c, foreign := s.Customers[2], s.Customers[1]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		month := b.buy(func(r *purser.PlaceOrderRequest) { withDisk(40)(r); r.Products[0].SubscriptionNum = 2 })
		year := b.buy(func(r *purser.PlaceOrderRequest) { r.Products[0].PeriodType = 3 })[0]
		if code := b.on("unsubscribe", *month[1].ResourceId, 2); code != "" {
			t.Fatal(code)
		}
		first, second, disk := *month[0].ResourceId, *month[1].ResourceId, month[2]
		if *disk.ParentResourceId != first {
			disk = month[3]
		}
		if *disk.ParentResourceId != first || *disk.IsMainResource != 0 || disk.SpecSize.String() != "40" || *disk.SpecSizeMeasureId != 17 || *disk.ProjectId != *month[0].ProjectId ||
			*disk.EnterpriseProject.Id != "0" || *disk.ServiceTypeName == "" || *disk.ResourceTypeName == "" || *disk.ProductSpecDesc == "" || *disk.ExpireTime != *month[0].ExpireTime || month[0].ParentResourceId != nil {
			t.Errorf("disk %+v of %+v", disk, month[0])
		}
		order := b.query(bssmodel.QueryResourcesReq{ResourceIds: &[]string{first}})
		if len(order) != 2 {
			t.Fatalf("%+v", order)
		}
		ofMonth := b.order(1, 1, nil)
		a, z := *month[0].ExpireTime, *year.ExpireTime
		shift := func(at string, by time.Duration) *string {
			when, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			return new(when.Add(by).Format("2006-01-02T15:04:05Z"))
		}
		type q = bssmodel.QueryResourcesReq
		ids := func(list ...string) *[]string { return &list }
		statuses := func(list ...int32) *[]int32 { return &list }
		main := new(int32(1))
		for name, k := range map[string]struct {
			q    q
			want int
		}{
			"all":                               {q{}, 5},
			"no ids":                            {q{ResourceIds: ids()}, 5},
			"no statuses":                       {q{StatusList: statuses()}, 5},
			"primary ones":                      {q{OnlyMainResource: main}, 3},
			"by id, with what is attached":      {q{ResourceIds: ids(first)}, 2},
			"by id, primary only":               {q{ResourceIds: ids(first), OnlyMainResource: main}, 1},
			"by ids of two":                     {q{ResourceIds: ids(first, *year.ResourceId)}, 3},
			"attached":                          {q{ResourceIds: ids(*disk.ResourceId)}, 1},
			"attached, primary only is ignored": {q{ResourceIds: ids(*disk.ResourceId), OnlyMainResource: main}, 1},
			"an id of nobody":                   {q{ResourceIds: ids("nothing")}, 0},
			"in use":                            {q{StatusList: statuses(2)}, 3},
			"closed":                            {q{StatusList: statuses(3)}, 2},
			"closed, frozen or expired":         {q{StatusList: statuses(3, 4, 5)}, 2},
			"in use or closed":                  {q{StatusList: statuses(2, 3)}, 5},
			"expired":                           {q{StatusList: statuses(5)}, 0},
			"a service":                         {q{ServiceTypeCode: new("hws.service.type.ebs")}, 2},
			"a service in any case":             {q{ServiceTypeCode: new("HWS.Service.Type.EC2")}, 3},
			"no service":                        {q{ServiceTypeCode: new("hws.service.type.none")}, 0},
			"an unpaid order":                   {q{OrderId: &ofMonth.OrderId}, 0},
			"no order":                          {q{OrderId: new("CS0")}, 0},
			"an empty order is no filter":       {q{OrderId: new("")}, 5},
			"expiring from":                     {q{ExpireTimeBegin: &z}, 1},
			"expiring after":                    {q{ExpireTimeBegin: shift(z, time.Second)}, 0},
			"expiring to":                       {q{ExpireTimeEnd: &a, StatusList: statuses(2)}, 2},
			"expiring before":                   {q{ExpireTimeEnd: shift(a, -time.Second), StatusList: statuses(2)}, 0},
			"expiring between":                  {q{ExpireTimeBegin: &a, ExpireTimeEnd: &z, StatusList: statuses(2)}, 3},
			"of the caller":                     {q{CustomerId: &c.DomainID}, 5},
			"several":                           {q{ResourceIds: ids(first, second), StatusList: statuses(3), ServiceTypeCode: new("hws.service.type.ec2"), OnlyMainResource: main}, 1},
		} {
			if k.q.Limit == nil {
				k.q.Limit = new(int32(500))
			}
			found, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &k.q})
			if err != nil || int(*found.TotalCount) != k.want || len(*found.Data) != k.want {
				t.Errorf("%s: %v, %+v, want %d", name, err, found, k.want)
			}
		}
		var paged []string
		for offset := range int32(6) {
			found, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &q{Offset: &offset, Limit: new(int32(1))}})
			if err != nil || *found.TotalCount != 5 || len(*found.Data) != min(1, int(5-offset)) {
				t.Fatalf("%d: %v, %+v", offset, err, found)
			}
			for _, r := range *found.Data {
				paged = append(paged, *r.ResourceId)
			}
		}
		if slices.Sort(paged); len(slices.Compact(paged)) != 5 {
			t.Errorf("pages: %v", paged)
		}
		_, err := b.ListPayPerUseCustomerResources(&bssmodel.ListPayPerUseCustomerResourcesRequest{Body: &q{CustomerId: &foreign.DomainID}})
		refused(t, "another customer's", err, 403, "CBC.0151")
		partner := &buyer{T: t, BssintlClient: s.bss(t, s.Partner.AccessKey, s.Partner.SecretKey, "", s.Partner.DomainID)}
		if found := partner.query(q{CustomerId: &c.DomainID}); len(found) != 5 {
			t.Errorf("its partner sees %d", len(found))
		}
	})
}

// What every kind of refund is made of: a whole resource with a renewal, a renewal alone, a smaller disk.
func TestGoSDKRefunds(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c, foreign := s.Customers[2], s.Customers[1]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		list := b.buy(withDisk(100))
		server, disk := *list[0].ResourceId, *list[1].ResourceId
		s.still(t)
		before := b.cash()
		// rows reads a refund, holds it against its order and says what went back and what it came from.
		rows := func(order string, n int) (back decimal.Decimal, bases map[string]bool) {
			t.Helper()
			r, err := b.ShowRefundOrderDetails(&bssmodel.ShowRefundOrderDetailsRequest{OrderId: order})
			if err != nil || int(*r.TotalCount) != n || len(*r.RefundInfos) != n {
				t.Fatalf("%+v, %v, want %d rows", r, err, n)
			}
			bases = map[string]bool{}
			seen := map[string]bool{}
			for _, row := range *r.RefundInfos {
				bases[*row.BaseOrderId], seen[row.Id] = true, true
				if row.Amount.IsNegative() {
					back = back.Sub(*row.Amount)
				}
				if row.MeasureId != "1" || row.CustomerId != c.DomainID || row.RegionCode != "ap-southeast-1" || *row.ServiceTypeName == "" || *row.ResourceTypeName == "" {
					t.Errorf("%+v", row)
				}
			}
			if len(seen) != n {
				t.Errorf("ids are not unique: %v", seen)
			}
			return back, bases
		}
		end := func(kind int32) string {
			t.Helper()
			r, err := b.CancelResourcesSubscription(&bssmodel.CancelResourcesSubscriptionRequest{Body: &bssmodel.UnsubscribeResourcesReq{ResourceIds: []string{server}, UnsubscribeType: kind}})
			if err != nil {
				t.Fatal(err)
			}
			return (*r.OrderIds)[0]
		}
		spent := decimal.Zero
		renew := func() string {
			t.Helper()
			r, err := b.RenewalResources(&bssmodel.RenewalResourcesRequest{Body: &bssmodel.RenewalResourcesReq{ResourceIds: []string{server}, PeriodType: 2, PeriodNum: 1}})
			if err != nil {
				t.Fatal(err)
			}
			id := (*r.OrderIds)[0]
			if err := b.pay(id, nil, nil); err != nil {
				t.Fatal(err)
			}
			spent = spent.Add(dec(b.details(id).OrderInfo.AmountAfterDiscount))
			return id
		}
		renewal := renew()
		alone := end(2)
		back, bases := rows(alone, 2)
		if !bases[renewal] || len(bases) != 1 || !back.Equal(dec(b.details(renewal).OrderInfo.AmountAfterDiscount)) {
			t.Errorf("a renewal alone: %s of %v", back, bases)
		}
		spent = spent.Sub(back)
		down := b.resize(disk, 50)
		back, _ = rows(down.OrderId, 1)
		if info := b.details(down.OrderId).OrderInfo; *info.OrderType != 3 || !dec(info.AmountAfterDiscount).Neg().Equal(back) || !back.IsPositive() {
			t.Errorf("a smaller disk: %s, %+v", back, info)
		}
		spent = spent.Sub(back)
		renewal = renew()
		whole := end(1)
		back, bases = rows(whole, len(*must(b.ShowRefundOrderDetails(&bssmodel.ShowRefundOrderDetailsRequest{OrderId: whole})).RefundInfos))
		if info := b.details(whole).OrderInfo; len(bases) != 2 || !bases[renewal] || !dec(info.AmountAfterDiscount).Equal(back) {
			t.Errorf("whole: %s of %v, %+v", back, bases, info)
		}
		if after := b.cash(); !before.Sub(after).Equal(spent.Sub(back)) {
			t.Errorf("cash %s, then %s; want %s less", before, after, spent.Sub(back))
		}
		show := func(b *buyer, r bssmodel.ShowRefundOrderDetailsRequest) error {
			_, err := b.ShowRefundOrderDetails(&r)
			return err
		}
		refused(t, "a renewal", show(b, bssmodel.ShowRefundOrderDetailsRequest{OrderId: renewal}), 400, "CBC.99005026")
		refused(t, "no order", show(b, bssmodel.ShowRefundOrderDetailsRequest{OrderId: "CS0"}), 400, "CBC.99005026")
		refused(t, "another customer's", show(b, bssmodel.ShowRefundOrderDetailsRequest{OrderId: whole, CustomerId: &foreign.DomainID}), 403, "CBC.0151")
		refused(t, "a distributor's", show(b, bssmodel.ShowRefundOrderDetailsRequest{OrderId: whole, IndirectPartnerId: new("p")}), 400, "CBC.99000037")
		stranger := &buyer{T: t, BssintlClient: s.bss(t, foreign.AccessKey, foreign.SecretKey, "", foreign.DomainID)}
		refused(t, "to another customer", show(stranger, bssmodel.ShowRefundOrderDetailsRequest{OrderId: whole}), 400, "CBC.99005026")
		partner := &buyer{T: t, BssintlClient: s.bss(t, s.Partner.AccessKey, s.Partner.SecretKey, "", s.Partner.DomainID)}
		if err := show(partner, bssmodel.ShowRefundOrderDetailsRequest{OrderId: strings.ToLower(whole), CustomerId: &c.DomainID}); err != nil {
			t.Errorf("its partner: %v", err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
