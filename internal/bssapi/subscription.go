package bssapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/subscription"
)

// ListPayPerUseCustomerResources lists yearly/monthly resources (the name is the SDK's); names are English, this
// operation has no X-Language.
func (d *Door) ListPayPerUseCustomerResources(ctx context.Context, r ListPayPerUseCustomerResourcesRequestObject) (ListPayPerUseCustomerResourcesResponseObject, error) {
	in := r.Body
	if in == nil {
		in = &ListPayPerUseCustomerResourcesJSONRequestBody{}
	}
	q := subscription.Query{IDs: in.ResourceIds, Order: contract.Text(in.OrderId), Service: contract.Text(in.ServiceTypeCode)}
	onlyMain := contract.Int(in.OnlyMainResource, 0) == 1
	q.OnlyMain, q.WithAttachedOfThem = onlyMain && len(in.ResourceIds) == 0, !onlyMain
	for _, status := range in.StatusList {
		q.Statuses = append(q.Statuses, subscription.Status(status))
	}
	var err error
	if q.ExpiresFrom, err = instant("expire_time_begin", in.ExpireTimeBegin); err != nil {
		return nil, err
	}
	if q.ExpiresTo, err = instant("expire_time_end", in.ExpireTimeEnd); err != nil {
		return nil, err
	}
	list, err := d.counter.ListResources(ctx, doorway.CallOf(ctx), contract.Text(in.CustomerId), q, contract.Int(in.Offset, 0), contract.Int(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListPayPerUseCustomerResources200JSONResponse{TotalCount: contract.Int32(list.Total), Data: make([]OrderInstanceV2, len(list.Resources))}
	for i := range list.Resources {
		out.Data[i] = resourceOf(&list.Resources[i], &list)
	}
	return listPayPerUseCustomerResourcesOK{&out}, nil
}

func resourceOf(r *subscription.Resource, list *operation.ResourcePage) OrderInstanceV2 {
	out := OrderInstanceV2{
		Id: r.Instance, ResourceId: r.ID, ResourceName: r.Name, RegionCode: r.Region, ServiceTypeCode: r.Service, ResourceTypeCode: r.ResourceType,
		ServiceTypeName: serviceName(list.Shelf, r.Service, catalog.English), ResourceTypeName: typeName(list.Shelf, r.ResourceType, catalog.English),
		ResourceSpecCode: r.Spec, ProjectId: r.CloudProject, ProductId: r.Product, IsMainResource: 1, Status: contract.Int32(r.Status),
		ProductSpecDesc: specName(list.Shelf, r.Service, r.ResourceType, r.Region, r.Spec, catalog.English), ExpirePolicy: contract.Int32(r.Policy),
		EffectiveTime: stamp(r.Effective), UpdateTime: r.Updated.UTC().Format(stampForm), EnterpriseProject: &EnterpriseProject{Id: r.Project, Name: list.Projects.Of(r.Project)},
	}
	if !r.Expires.IsZero() {
		out.ExpireTime = stamp(period.LastSecond(r.Expires))
	}
	if r.Parent != "" {
		out.IsMainResource = 0
		out.ParentResourceId = new(list.Parents[r.Parent])
	}
	if r.Size.Unit != 0 {
		out.SpecSize, out.SpecSizeMeasureId = new(contract.Decimal(r.Size.Value.String())), new(contract.Int32(r.Size.Unit))
	}
	return out
}

// onlyRenewals is the unsubscribe_type that leaves the resource in use.
const onlyRenewals = 2

// CancelResourcesSubscription unsubscribes resources, an order for each.
func (d *Door) CancelResourcesSubscription(ctx context.Context, r CancelResourcesSubscriptionRequestObject) (CancelResourcesSubscriptionResponseObject, error) {
	in, call := r.Body, doorway.CallOf(ctx)
	show := func(done operation.OrdersMade) CancelResourcesSubscription200JSONResponse {
		return CancelResourcesSubscription200JSONResponse{OrderIds: done.Orders, FailResourceInfos: failedOf(done.Failed)}
	}
	call.Shows = func(answer any) any { return show(answer.(operation.OrdersMade)) }
	done, err := d.counter.Unsubscribe(ctx, call, in.ResourceIds, in.UnsubscribeType == onlyRenewals, contract.Text(in.UnsubscribeReason))
	if err != nil {
		return nil, err
	}
	out := show(done)
	return cancelResourcesSubscriptionOK{&out}, nil
}
