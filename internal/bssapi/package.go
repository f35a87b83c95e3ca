package bssapi

import (
	"context"
	"slices"
	"strings"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/quota"
)

// enterprise_project_scope of a package (api.md 7.1).
const (
	scopeAll     = 0
	scopeProject = 1
)

// ListFreeResourceInfos lists the caller's resource packages.
func (d *Door) ListFreeResourceInfos(ctx context.Context, r ListFreeResourceInfosRequestObject) (ListFreeResourceInfosResponseObject, error) {
	in, language := r.Body, languageOf(r.Params.XLanguage)
	q := quota.Query{
		Region: contract.Text(in.RegionCode), Order: contract.Text(in.OrderId), Product: contract.Text(in.ProductId), Name: contract.Text(in.ProductName),
		Language: language, Project: contract.Text(in.EnterpriseProjectId), Services: in.ServiceTypeCodeList,
	}
	if in.Status != nil {
		q.Status = new(quota.Status(*in.Status))
	}
	list, err := d.counter.ListPackages(ctx, doorway.CallOf(ctx), q, contract.Int(in.Offset, 0), contract.Int(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListFreeResourceInfos200JSONResponse{TotalCount: contract.Int32(list.Total), FreeResourcePackages: make([]FreeResourcePackageV3, len(list.Packages))}
	for i := range list.Packages {
		out.FreeResourcePackages[i] = packageOf(&list.Packages[i], &list, language)
	}
	return listFreeResourceInfosOK{&out}, nil
}

func packageOf(p *quota.Package, list *operation.PackagePage, language catalog.Language) FreeResourcePackageV3 {
	out := FreeResourcePackageV3{
		OrderInstanceId: p.ID, OrderId: p.Order, ProductId: p.Product, ProductName: p.Name.In(language), EnterpriseProjectId: operation.DefaultProject,
		EnterpriseProjectScope: scopeAll, EffectiveTime: stamp(p.Effective), ExpireTime: stamp(period.LastSecond(p.Expires)), Status: contract.Int32(p.Status(list.Now)),
		ServiceTypeCode: p.Service, ServiceTypeName: serviceName(list.Shelf, p.Service, language), RegionCode: p.Region, SourceType: contract.Int32(p.Source),
		BundleType: p.Bundle, QuotaReuseMode: contract.Int32(p.Reuse), FreeResources: make([]FreeResourceV3, len(p.Items)),
	}
	if p.Project != "" {
		out.EnterpriseProjectId, out.EnterpriseProjectScope = p.Project, scopeProject
	}
	for i := range p.Items {
		item := &p.Items[i]
		out.FreeResources[i] = FreeResourceV3{
			FreeResourceId: p.ItemID(item), UsageTypeName: usageName(list.Shelf, item.ResourceType, item.UsageType, language),
			Amount: p.Left(item, list.Now).String(), OriginalAmount: item.Amount.String(), MeasureId: contract.Int32(item.Unit),
		}
	}
	return out
}

func usageName(shelf *catalog.Snapshot, resourceType, code string, in catalog.Language) string {
	if t, ok := shelf.ResourceType(resourceType); ok {
		for _, u := range t.UsageTypes {
			if strings.EqualFold(u.Code, code) {
				return u.Name.In(in)
			}
		}
	}
	return code
}

// ListFreeResourceUsages tells what is left of items of the caller's packages.
func (d *Door) ListFreeResourceUsages(ctx context.Context, r ListFreeResourceUsagesRequestObject) (ListFreeResourceUsagesResponseObject, error) {
	list, err := d.counter.PackageItems(ctx, doorway.CallOf(ctx), r.Body.FreeResourceIds)
	if err != nil {
		return nil, err
	}
	language := languageOf(r.Params.XLanguage)
	out := ListFreeResourceUsages200JSONResponse{FreeResources: []FreeResourceDetail{}}
	for i := range list.Packages {
		p := &list.Packages[i]
		for j := range p.Items {
			item := &p.Items[j]
			_, running := p.Running(list.Now)
			out.FreeResources = append(out.FreeResources, FreeResourceDetail{
				FreeResourceId: p.ItemID(item), FreeResourceTypeName: typeName(list.Shelf, item.ResourceType, language),
				UsageTypeName: usageName(list.Shelf, item.ResourceType, item.UsageType, language), QuotaReuseCycle: contract.Int32(p.Cycle),
				QuotaReuseCycleType: contract.Int32(p.CycleType), StartTime: running.Start.UTC().Format(stampForm), EndTime: period.LastSecond(running.End).Format(stampForm),
				Amount: contract.Decimal(p.Left(item, list.Now).String()), OriginalAmount: contract.Decimal(item.Amount.String()), MeasureId: contract.Int32(item.Unit),
			})
		}
	}
	return listFreeResourceUsagesOK{&out}, nil
}

// ListResourceUsages is the old form of ListFreeResourceUsages: all packages that have begun, one row for each item.
func (d *Door) ListResourceUsages(ctx context.Context, r ListResourceUsagesRequestObject) (ListResourceUsagesResponseObject, error) {
	list, err := d.counter.PackageItems(ctx, doorway.CallOf(ctx), nil)
	if err != nil {
		return nil, err
	}
	language := languageOf(r.Params.XLanguage)
	if r.Params.XLanguage == nil {
		language = catalog.English
	}
	out := ListResourceUsages200JSONResponse{PackageUsageInfos: []PackageUsageInfo{}}
	for i := range list.Packages {
		p := &list.Packages[i]
		if status := p.Status(list.Now); status != quota.InEffect && status != quota.UsedUp {
			continue
		}
		for j := range p.Items {
			item := &p.Items[j]
			_, running := p.Running(list.Now)
			out.PackageUsageInfos = append(out.PackageUsageInfos, PackageUsageInfo{
				OrderInstanceId: p.ID, ResourceTypeName: typeName(list.Shelf, item.ResourceType, language), QuotaReuseMode: contract.Int32(p.Reuse),
				QuotaReuseCycle: contract.Int32(p.Cycle), QuotaReuseCycleType: contract.Int32(p.CycleType), StartTime: running.Start.UTC().Format(stampForm),
				EndTime: period.LastSecond(running.End).Format(stampForm), Balance: contract.Decimal(p.Left(item, list.Now).String()),
				Total: contract.Decimal(item.Amount.String()), MeasurementName: unitName(list.Shelf, item.Unit, language), RegionCode: p.Region,
			})
		}
	}
	return listResourceUsagesOK{&out}, nil
}

// deductDaysMost is how many days lie between the ends of a query of uses (api.md 7.3).
const deductDaysMost = 90

// ListFreeResourcesUsageRecords pages through the uses of the caller's packages, newest first.
func (d *Door) ListFreeResourcesUsageRecords(ctx context.Context, r ListFreeResourcesUsageRecordsRequestObject) (ListFreeResourcesUsageRecordsResponseObject, error) {
	in := &r.Params
	q := quota.UseQuery{Product: contract.Text(in.ProductId), ResourceType: contract.Text(in.ResourceTypeCode)}
	from, err := period.ParseDay(in.DeductTimeBegin)
	if err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "deduct_time_begin: must be a day of the form YYYY-MM-DD")
	}
	to, err := period.ParseDay(in.DeductTimeEnd)
	if err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "deduct_time_end: must be a day of the form YYYY-MM-DD")
	}
	if days := period.DaysBetween(from.Start, to.Start); days < 0 || days > deductDaysMost {
		return nil, fault.New(fault.Invalid, "CBC.0100", "deduct_time_end: must be deduct_time_begin or up to %d days after it", deductDaysMost)
	}
	q.From, q.To = from.Start, to.End
	if id := contract.Text(in.FreeResourceId); id != "" {
		var ok bool
		if q.Package, q.Item, ok = quota.ItemOf(id); !ok {
			q.Package, q.Item = id, -1 // no such item: an empty page
		}
	}
	uses, err := d.counter.PackageUses(ctx, doorway.CallOf(ctx), q, contract.Int(in.Offset, 0), contract.Int(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListFreeResourcesUsageRecords200JSONResponse{TotalCount: contract.Int32(uses.Total), FreeResourceRecords: make([]FreeResourceRecord, len(uses.Uses))}
	for i := range uses.Uses {
		u := &uses.Uses[i]
		item := quota.Item{No: u.Item}
		out.FreeResourceRecords[i] = FreeResourceRecord{
			DeductTime: u.At.UTC().Format(stampForm), FreeResourceId: (&quota.Package{ID: u.Package}).ItemID(&item), ResourceId: u.Resource,
			ResourceTypeCode: u.ResourceType, ResourceTypeName: typeName(uses.Shelf, u.ResourceType, catalog.English), ProductId: u.Product, ProductName: u.Name.In(catalog.English),
			UsageTypeCode: u.UsageType, AvailableAmount: u.Before, UsedAmount: u.Used, RemainingAmount: u.After, MeasureId: contract.Int32(u.Unit),
			EffectiveTime: stamp(u.From), ExpireTime: stamp(u.To), ResourceTag: tagOf(uses.Resources[u.Resource].Tags),
		}
	}
	return listFreeResourcesUsageRecordsOK{&out}, nil
}

// tagOf is a resource's tags as bills write them: key=value;key=value.
func tagOf(tags map[string]string) *string {
	if len(tags) == 0 {
		return nil
	}
	keys := make([]string, 0, len(tags))
	for k := range tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = k + "=" + tags[k]
	}
	return new(strings.Join(keys, ";"))
}

func unitName(shelf *catalog.Snapshot, id int32, in catalog.Language) string {
	for _, u := range shelf.MeasureUnits() {
		if u.ID == id {
			return u.Name.In(in)
		}
	}
	return ""
}
