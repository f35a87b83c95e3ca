package bssapi

import (
	"context"
	"strings"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
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
