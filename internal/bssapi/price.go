package bssapi

import (
	"context"
	"fmt"
	"github.com/purser-cloud/purser/internal/catalog"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// measureMoney is the measure id of the currency's unit.
const measureMoney = 1

// ListOnDemandResourceRatings prices pay-per-use products.
func (d *Door) ListOnDemandResourceRatings(ctx context.Context, r ListOnDemandResourceRatingsRequestObject) (ListOnDemandResourceRatingsResponseObject, error) {
	in := r.Body
	wanted := make([]catalog.Wanted, len(in.ProductInfos))
	for i := range in.ProductInfos {
		p := &in.ProductInfos[i]
		usage, err := money.ParseDecimal(string(p.UsageValue))
		if err != nil {
			return nil, &contract.Problem{Where: fmt.Sprintf("product_infos[%d].usage_value", i), What: "has too many digits"}
		}
		wanted[i] = catalog.Wanted{
			ID: p.Id, Service: p.CloudServiceType, ResourceType: p.ResourceType, Spec: p.ResourceSpec, Region: p.Region, Zone: contract.Text(p.AvailableZone),
			Size: sizeOf(p.ResourceSize, p.SizeMeasureId), Num: int32(p.SubscriptionNum), Factor: p.UsageFactor, Usage: usage, UsageUnit: int32(p.UsageMeasureId),
		}
	}
	precision := 0
	if in.InquiryPrecision != nil {
		precision = int(*in.InquiryPrecision)
	}
	answer, err := d.counter.RateOnDemand(ctx, doorway.CallOf(ctx), in.ProjectId, int32(precision), wanted)
	if err != nil {
		return nil, err
	}
	out := ListOnDemandResourceRatings200JSONResponse{
		Amount: decimal(answer.Amount), DiscountAmount: decimal(answer.Discount), OfficialWebsiteAmount: decimal(answer.Official),
		MeasureId: measureMoney, Currency: answer.Currency.Code(), ProductRatingResults: make([]DemandProductRatingResult, len(answer.Lines)),
	}
	for i := range answer.Lines {
		line := &answer.Lines[i]
		out.ProductRatingResults[i] = DemandProductRatingResult{
			Id: line.ID, ProductId: line.ProductID, Amount: decimal(line.Amount), DiscountAmount: decimal(line.Discount),
			OfficialWebsiteAmount: decimal(line.Official), MeasureId: measureMoney, DiscountRatingResults: discountsOf(line.Offers),
		}
	}
	return listOnDemandResourceRatingsOK{&out}, nil
}

// discountsOf lists what each discount would take off one pay-per-use product.
func discountsOf(offers []rating.Offer) []DemandDiscountRatingResult {
	out := make([]DemandDiscountRatingResult, len(offers))
	for i := range offers {
		o := &offers[i]
		out[i] = DemandDiscountRatingResult{
			DiscountId: o.Discount.ID, DiscountName: o.Discount.Name, DiscountType: contract.Int32(o.Discount.Kind),
			Amount: decimal(o.Quote.Discount), MeasureId: measureMoney,
		}
	}
	return out
}

// ListRateOnPeriodDetail prices yearly/monthly products.
func (d *Door) ListRateOnPeriodDetail(ctx context.Context, r ListRateOnPeriodDetailRequestObject) (ListRateOnPeriodDetailResponseObject, error) {
	in := r.Body
	wanted := make([]catalog.Wanted, len(in.ProductInfos))
	for i := range in.ProductInfos {
		p := &in.ProductInfos[i]
		wanted[i] = catalog.Wanted{
			ID: p.Id, Service: p.CloudServiceType, ResourceType: p.ResourceType, Spec: p.ResourceSpec, Region: p.Region, Zone: contract.Text(p.AvailableZone),
			Size: sizeOf(p.ResourceSize, p.SizeMeasureId), Num: int32(p.SubscriptionNum), PeriodType: int32(p.PeriodType), Periods: int32(p.PeriodNum),
		}
	}
	answer, err := d.counter.RateByTerm(ctx, doorway.CallOf(ctx), in.ProjectId, wanted)
	if err != nil {
		return nil, err
	}
	official := OfficialWebsiteRatingResult{
		OfficialWebsiteAmount: decimal(answer.List.Official), MeasureId: measureMoney, ProductRatingResults: make([]PeriodProductOfficialRatingResult, len(wanted)),
	}
	for i := range answer.List.Lines {
		official.ProductRatingResults[i] = PeriodProductOfficialRatingResult{
			Id: answer.List.Lines[i].ID, ProductId: answer.ProductIDs[i], OfficialWebsiteAmount: decimal(answer.List.Lines[i].Official), MeasureId: measureMoney,
		}
	}
	out := ListRateOnPeriodDetail200JSONResponse{Currency: answer.Currency.Code(), OfficialWebsiteRatingResult: official}
	for i := range answer.Offers {
		out.OptionalDiscountRatingResults = append(out.OptionalDiscountRatingResults, offerOf(&answer.Offers[i], i == answer.Best, answer.ProductIDs))
	}
	return listRateOnPeriodDetailOK{&out}, nil
}

func offerOf(o *rating.Offer, best bool, products []string) OptionalDiscountRatingResult {
	out := OptionalDiscountRatingResult{
		DiscountId: o.Discount.ID, DiscountName: o.Discount.Name, DiscountType: contract.Int32(o.Discount.Kind), Amount: decimal(o.Quote.Amount),
		OfficialWebsiteAmount: decimal(o.Quote.Official), DiscountAmount: decimal(o.Quote.Discount), MeasureId: measureMoney,
		ProductRatingResults: make([]PeriodProductRatingResult, len(o.Quote.Lines)),
	}
	if best {
		out.BestOffer = 1
	}
	for i := range o.Quote.Lines {
		line := &o.Quote.Lines[i]
		out.ProductRatingResults[i] = PeriodProductRatingResult{
			Id: line.ID, ProductId: products[i], Amount: decimal(line.Amount), OfficialWebsiteAmount: decimal(line.Official),
			DiscountAmount: decimal(line.Discount), MeasureId: measureMoney,
		}
	}
	return out
}

func sizeOf(size, unit *contract.Int32) rating.Size {
	if size == nil || unit == nil {
		return rating.Size{}
	}
	return rating.Size{Value: money.DecimalOf(int64(*size)), Unit: int32(*unit)}
}

func decimal(q money.Quoted) contract.Decimal { return contract.Decimal(q.String()) }
