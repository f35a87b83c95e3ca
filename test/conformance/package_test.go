package conformance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"

	"github.com/purser-cloud/purser/client"
	"github.com/purser-cloud/purser/client/purser"
)

type packageQuery = bssmodel.ListFreeResourceInfosReq

// packages lists what a query finds, and holds the total against the rows.
func (b *buyer) packages(language string, q packageQuery) []bssmodel.FreeResourcePackageV3 {
	b.Helper()
	list, err := b.ListFreeResourceInfos(&bssmodel.ListFreeResourceInfosRequest{XLanguage: &language, Body: &q})
	if err != nil {
		b.Fatal(err)
	}
	if rows := len(*list.FreeResourcePackages); q.Limit == nil && q.Offset == nil && int(*list.TotalCount) != rows {
		b.Errorf("%d packages of %d", rows, *list.TotalCount)
	}
	return *list.FreeResourcePackages
}

func starter(r *purser.PlaceOrderRequest) {
	p := &r.Products[0]
	p.CloudServiceType, p.ResourceType, p.ResourceSpec = "hws.service.type.obs", "hws.resource.type.obs", "obs.package.starter"
}

// The demo's packages, one bought and one given; one that is bought now, one that begins later; every filter.
func TestGoSDKPackages(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		b := &buyer{t, s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID), s.own(t, c)}
		demo := b.packages("en_US", packageQuery{})
		if len(demo) != 2 {
			t.Fatalf("%d packages in the demo, want 2", len(demo))
		}
		gift, bought := demo[0], demo[1]
		if *gift.SourceType != 1 || *gift.OrderId != "" || *gift.QuotaReuseMode != 2 || *gift.ServiceTypeCode != "hws.service.type.cdn" {
			t.Errorf("the gift: %v", gift)
		}
		if *bought.SourceType != 0 || !strings.HasPrefix(*bought.OrderId, "CS") || *bought.QuotaReuseMode != 1 || *bought.Status != 1 || *bought.BundleType != "ATOMIC_PKG" ||
			*bought.EnterpriseProjectId != "0" || *bought.EnterpriseProjectScope != 0 || *bought.RegionCode != "ap-southeast-1" ||
			*bought.ProductName != "OBS storage package, 100 GB" || *bought.ServiceTypeName != "Object Storage Service" || !strings.HasSuffix(*bought.ExpireTime, "T15:59:59Z") {
			t.Errorf("the one bought: %v", bought)
		}
		item := (*bought.FreeResources)[0]
		if *item.FreeResourceId != *bought.OrderInstanceId+"-01" || *item.UsageTypeName != "Stored size" || *item.Amount != "28" || *item.OriginalAmount != "100" || *item.MeasureId != 17 {
			t.Errorf("its item: %v", item)
		}
		b.uses(item)
		if zh := b.packages("zh_CN", packageQuery{OrderId: bought.OrderId}); len(zh) != 1 || *zh[0].ProductName != "OBS存储包 100GB" || *(*zh[0].FreeResources)[0].UsageTypeName != "存储容量" {
			t.Errorf("in Chinese: %v", zh)
		}
		// The old form, which no SDK has.
		key := client.Credential{AccessKey: c.AccessKey, SecretKey: c.SecretKey, DomainID: c.DomainID}
		for language, want := range map[string]string{"": "Cloud Storage", "zh_CN": "云存储"} {
			headers := map[string]string{}
			if language != "" {
				headers["X-Language"] = language
			}
			answer, out := s.send(t, key, "POST", "/v2/payments/free-resources/usages/query", "", time.Now(), headers)
			if answer.StatusCode != 200 {
				t.Fatal(answer.Status, out)
			}
			rows, found := out["package_usage_infos"].([]any), 0
			for _, row := range rows {
				r := row.(map[string]any)
				if r["order_instance_id"] != *bought.OrderInstanceId {
					continue
				}
				found++
				if !strings.Contains(r["resource_type_name"].(string), want) || r["total"] != 100.0 || r["balance"] != 28.0 || r["quota_reuse_mode"] != 1.0 || r["region_code"] != "ap-southeast-1" ||
					r["measurement_name"] != "GB" || !strings.HasSuffix(r["start_time"].(string), "Z") || !strings.HasSuffix(r["end_time"].(string), "T15:59:59Z") {
					t.Errorf("old usage of the package: %v", r)
				}
			}
			if found != 1 || len(rows) < 2 {
				t.Errorf("%d rows, %d of the package", len(rows), found)
			}
		}
		placed := b.order(2, 1, starter)
		if err := b.pay(placed.OrderId, nil, nil); err != nil {
			t.Fatal(err)
		}
		now := b.packages("en_US", packageQuery{OrderId: &placed.OrderId})
		if len(now) != 1 || *now[0].BundleType != "BUNDLE_PKG" || len(*now[0].FreeResources) != 3 || *now[0].Status != 1 {
			t.Fatalf("bought now: %v", now)
		}
		later := b.order(1, 1, func(r *purser.PlaceOrderRequest) {
			starter(r)
			r.EffectiveTime = new(time.Now().Add(48 * time.Hour).UTC().Format("2006-01-02T15:04:05Z"))
		})
		if err := b.pay(later.OrderId, nil, nil); err != nil {
			t.Fatal(err)
		}
		for name, k := range map[string]struct {
			q    packageQuery
			want int
		}{
			"all":             {packageQuery{}, 4},
			"empty":           {packageQuery{RegionCode: new(""), OrderId: new(""), ProductId: new(""), ProductName: new(""), EnterpriseProjectId: new(""), ServiceTypeCodeList: &[]string{}}, 4},
			"in effect":       {packageQuery{Status: new(int32(1))}, 3},
			"not in effect":   {packageQuery{Status: new(int32(0))}, 1},
			"used up":         {packageQuery{Status: new(int32(2))}, 0},
			"region":          {packageQuery{RegionCode: new("la-north-2")}, 0},
			"product":         {packageQuery{ProductId: bought.ProductId}, 1},
			"name":            {packageQuery{ProductName: new("obs S")}, 3},
			"service":         {packageQuery{ServiceTypeCodeList: &[]string{"HWS.service.type.CDN"}}, 1},
			"two services":    {packageQuery{ServiceTypeCodeList: &[]string{"hws.service.type.cdn", "hws.service.type.obs", "no.such"}}, 4},
			"a project":       {packageQuery{EnterpriseProjectId: new("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")}, 0},
			"default project": {packageQuery{EnterpriseProjectId: new("0")}, 4},
			"a page":          {packageQuery{Offset: new(int32(1)), Limit: new(int32(2))}, 2},
			"behind the end":  {packageQuery{Offset: new(int32(9)), Limit: new(int32(2))}, 0},
		} {
			if got := b.packages("en_US", k.q); len(got) != k.want {
				t.Errorf("%s: %d packages, want %d", name, len(got), k.want)
			}
		}
		_, err := b.CancelResourcesSubscription(&bssmodel.CancelResourcesSubscriptionRequest{Body: &bssmodel.UnsubscribeResourcesReq{ResourceIds: []string{*now[0].OrderInstanceId}, UnsubscribeType: 1}})
		refused(t, "unsubscribe a package", err, 400, "CBC.99003647")
		_, err = b.ListFreeResourceInfos(&bssmodel.ListFreeResourceInfosRequest{Body: &packageQuery{Status: new(int32(5))}})
		refused(t, "status", err, 400, "CBC.0100")
	})
}

// The operator gives a package, once for one idempotency key; a customer gives none.
func TestGivePackage(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		ctx, to := t.Context(), s.Customers[1]
		operator, customer := s.own(t, s.Operator), s.own(t, to)
		gift := purser.GivePackageRequest{
			CustomerId: to.DomainID, Region: "ap-southeast-1", Service: "hws.service.type.ec2", ResourceType: "hws.resource.type.vm", ResourceSpec: "ecs.package.750h", Periods: 2,
		}
		key := &purser.GivePackageParams{IdempotencyKey: new("gift-1")}
		first, err := operator.GivePackageWithResponse(ctx, key, gift)
		if err != nil || first.JSON201 == nil {
			t.Fatalf("%v, %s", err, first.Body)
		}
		again, err := operator.GivePackageWithResponse(ctx, key, gift)
		if err != nil || again.JSON201 == nil || *again.JSON201 != *first.JSON201 {
			t.Errorf("again: %v, %s", err, again.Body)
		}
		if own, err := customer.GivePackageWithResponse(ctx, nil, gift); err != nil || own.StatusCode() != 403 {
			t.Errorf("by a customer: %v, %s", err, own.Body)
		}
		gift.ResourceSpec = "s3.small.1.linux"
		if none, err := operator.GivePackageWithResponse(ctx, nil, gift); err != nil || none.StatusCode() != 400 || !strings.Contains(string(none.Body), "no resource package") {
			t.Errorf("no package: %v, %s", err, none.Body)
		}
		b := &buyer{t, s.bss(t, to.AccessKey, to.SecretKey, "", to.DomainID), customer}
		list := b.packages("en_US", packageQuery{})
		if len(list) != 1 || *list[0].OrderInstanceId != first.JSON201.PackageId || *list[0].SourceType != 1 || *(*list[0].FreeResources)[0].OriginalAmount != "1500" {
			t.Errorf("%v", list)
		}
	})
}

// uses holds what is left of a package's item against each use of it.
func (b *buyer) uses(item bssmodel.FreeResourceV3) {
	b.Helper()
	day := func(back int) string {
		return time.Now().In(time.FixedZone("", 8*3600)).AddDate(0, 0, -back).Format("2006-01-02")
	}
	records, err := b.ListFreeResourcesUsageRecords(&bssmodel.ListFreeResourcesUsageRecordsRequest{
		FreeResourceId: item.FreeResourceId, DeductTimeBegin: day(10), DeductTimeEnd: day(0), Limit: new(int32(100)),
	})
	if err != nil || *records.TotalCount != 24 {
		b.Fatalf("%v, %v", records, err)
	}
	used := 0
	for _, r := range *records.FreeResourceRecords {
		n, err := strconv.Atoi(*r.UsedAmount)
		if err != nil || *r.ResourceId != "archive" || *r.UsageTypeCode != "size" || *r.MeasureId != 17 {
			b.Errorf("%v, %v", r, err)
		}
		used += n
	}
	if used != 72 {
		b.Errorf("%d used", used)
	}
	left, err := b.ListFreeResourceUsages(&bssmodel.ListFreeResourceUsagesRequest{Body: &bssmodel.ListFreeResourceUsagesReq{FreeResourceIds: []string{*item.FreeResourceId, "none"}}})
	if err != nil || len(*left.FreeResources) != 1 || (*left.FreeResources)[0].Amount.String() != "28" || (*left.FreeResources)[0].OriginalAmount.String() != "100" {
		b.Errorf("%v, %v", left, err)
	}
	_, err = b.ListFreeResourcesUsageRecords(&bssmodel.ListFreeResourcesUsageRecordsRequest{DeductTimeBegin: day(91), DeductTimeEnd: day(0)})
	refused(b.T, "over 90 days", err, 400, "CBC.0100")
}
