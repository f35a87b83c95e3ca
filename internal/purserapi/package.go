package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

// GivePackage gives a customer a resource package.
func (d *Door) GivePackage(ctx context.Context, r GivePackageRequestObject) (GivePackageResponseObject, error) {
	in := r.Body
	gift := operation.Gift{Customer: in.CustomerId, OwnTerm: in.PeriodType == nil, Wanted: catalog.Wanted{
		ID: in.ResourceSpec, Service: in.Service, ResourceType: in.ResourceType, Spec: in.ResourceSpec, Region: in.Region, Num: 1, Periods: int32(in.Periods),
	}}
	if in.PeriodType != nil {
		gift.PeriodType = int32(*in.PeriodType)
	}
	if project := contract.Text(in.EnterpriseProjectId); project != operation.DefaultProject {
		gift.Project = project
	}
	p, err := d.counter.GivePackage(ctx, doorway.CallOf(ctx), gift)
	if err != nil {
		return nil, err
	}
	return GivePackage201JSONResponse{
		CustomerId: p.Customer, PackageId: p.ID, ProductId: p.Product, EffectiveTime: p.Effective.UTC().Format(stampForm), ExpireTime: period.LastSecond(p.Expires).Format(stampForm),
	}, nil
}
