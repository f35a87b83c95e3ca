package bssapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
)

func failedOf(list []order.FailedResource) []FailResourceInfo {
	out := make([]FailResourceInfo, len(list))
	for i := range list {
		out[i] = FailResourceInfo{ResourceId: list[i].Resource, ErrorCode: &list[i].Why.Code, ErrorMsg: &list[i].Why.Message}
	}
	return out
}

// RenewalResources renews resources, an order for each.
func (d *Door) RenewalResources(ctx context.Context, r RenewalResourcesRequestObject) (RenewalResourcesResponseObject, error) {
	in, call := r.Body, doorway.CallOf(ctx)
	show := func(done operation.OrdersMade) RenewalResources200JSONResponse {
		return RenewalResources200JSONResponse{OrderIds: done.Orders, FailResourceInfos: failedOf(done.Failed)}
	}
	call.Shows = func(answer any) any { return show(answer.(operation.OrdersMade)) }
	done, err := d.counter.RenewResources(ctx, call, in.ResourceIds, int32(in.PeriodType), int(in.PeriodNum), contract.Int(in.IsAutoPay, 0) == 1)
	if err != nil {
		return nil, err
	}
	out := show(done)
	return renewalResourcesOK{&out}, nil
}

// ListRenewRateOnPeriod prices renewals; its amounts are strings. Payment in instalments does not exist here.
func (d *Door) ListRenewRateOnPeriod(ctx context.Context, r ListRenewRateOnPeriodRequestObject) (ListRenewRateOnPeriodResponseObject, error) {
	in := r.Body
	price, err := d.counter.RenewalPrice(ctx, doorway.CallOf(ctx), in.ResourceIds, in.IncludeRelativeResources != nil && *in.IncludeRelativeResources, int32(in.PeriodType), int(in.PeriodNum))
	if err != nil {
		return nil, err
	}
	official := price.List.Official.String()
	out := ListRenewRateOnPeriod200JSONResponse{
		Currency: "USD", OfficialWebsiteRatingResult: OfficialWebsiteRatingResultV2{OfficialWebsiteAmount: official}, FailResourceInfos: failedOf(price.Failed),
		RenewInquiryResults: make([]RenewInquiryResultInfo, len(price.Resources)),
	}
	for i := range price.Resources {
		out.RenewInquiryResults[i] = RenewInquiryResultInfo{ResourceId: price.Resources[i].Resource, Amount: price.Resources[i].Amount.String()}
	}
	for i := range price.Offers {
		o := &price.Offers[i]
		row := OptionalDiscountRatingResultV2{
			DiscountId: o.Discount.ID, DiscountName: o.Discount.Name, DiscountType: contract.Int32(o.Discount.Kind), Amount: o.Quote.Amount.String(),
			OfficialWebsiteAmount: o.Quote.Official.String(), DiscountAmount: o.Quote.Discount.String(),
		}
		if i == price.Best {
			row.BestOffer = 1
		}
		out.OptionalDiscountRatingResults = append(out.OptionalDiscountRatingResults, row)
	}
	return listRenewRateOnPeriodOK{&out}, nil
}

// AutoRenewalResources lets a resource renew by itself.
func (d *Door) AutoRenewalResources(ctx context.Context, r AutoRenewalResourcesRequestObject) (AutoRenewalResourcesResponseObject, error) {
	var times *int
	unit := period.None
	if in := r.Body; in != nil {
		if in.AutoRenewTimes != nil {
			times = new(int(*in.AutoRenewTimes))
		}
		if in.PeriodType != nil {
			switch *in.PeriodType {
			case "MONTH":
				unit = period.Month
			case "YEAR":
				unit = period.Year
			}
		}
	}
	if err := d.counter.SetAutoRenewal(ctx, doorway.CallOf(ctx), r.ResourceId, times, unit); err != nil {
		return nil, err
	}
	return AutoRenewalResources204Response{}, nil
}

// CancelAutoRenewalResources ends that.
func (d *Door) CancelAutoRenewalResources(ctx context.Context, r CancelAutoRenewalResourcesRequestObject) (CancelAutoRenewalResourcesResponseObject, error) {
	if err := d.counter.CancelAutoRenewal(ctx, doorway.CallOf(ctx), r.ResourceId); err != nil {
		return nil, err
	}
	return CancelAutoRenewalResources204Response{}, nil
}

// UpdatePeriodToOnDemand sets, or takes back, that resources turn pay-per-use when they expire.
func (d *Door) UpdatePeriodToOnDemand(ctx context.Context, r UpdatePeriodToOnDemandRequestObject) (UpdatePeriodToOnDemandResponseObject, error) {
	call := doorway.CallOf(ctx)
	show := func(failed []order.FailedResource) UpdatePeriodToOnDemand200JSONResponse {
		out := UpdatePeriodToOnDemand200JSONResponse{ErrorDetails: make([]ErrorDetail, len(failed))}
		for i := range failed {
			out.ErrorDetails[i] = ErrorDetail{Id: failed[i].Resource, ErrorCode: &failed[i].Why.Code, ErrorMsg: &failed[i].Why.Message}
		}
		return out
	}
	call.Shows = func(answer any) any { return show(answer.([]order.FailedResource)) }
	failed, err := d.counter.ToOnDemand(ctx, call, r.Body.ResourceIds, r.Body.Operation == "CANCEL")
	if err != nil {
		return nil, err
	}
	out := show(failed)
	return updatePeriodToOnDemandOK{&out}, nil
}

// SetResourcesRenewConfig changes the account's settings of renewal.
func (d *Door) SetResourcesRenewConfig(ctx context.Context, r SetResourcesRenewConfigRequestObject) (SetResourcesRenewConfigResponseObject, error) {
	if err := d.counter.SetRenewConfig(ctx, doorway.CallOf(ctx), string(r.Body.ConfigName), r.Body.ConfigValue); err != nil {
		return nil, err
	}
	out := SetResourcesRenewConfig200JSONResponse{ErrorCode: "CBC.0000", ErrorMsg: "success"}
	return setResourcesRenewConfigOK{&out}, nil
}
