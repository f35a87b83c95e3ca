package bssapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/fault"
)

// fees answers for code of the house as the wire would (ListCustomerselfResourceRecords, for the call of the context), but without
// JSON on the way there and back, which took two thirds of an export's time. What is refused as bad is an answer too, 400.
func (d *Door) fees(ctx context.Context, in *bss.ListCustomerselfResourceRecordsParams) (*bss.ListCustomerselfResourceRecordsReply, error) {
	reply := &bss.ListCustomerselfResourceRecordsReply{HTTPResponse: &http.Response{StatusCode: http.StatusOK, Status: "200 OK"}}
	answer, err := d.ListCustomerselfResourceRecords(ctx, ListCustomerselfResourceRecordsRequestObject{Params: ListCustomerselfResourceRecordsParams{
		Cycle: in.Cycle, CloudServiceType: in.CloudServiceType, Region: in.Region, ChargeMode: (*ListCustomerselfResourceRecordsParamsChargeMode)(in.ChargeMode),
		BillType: (*contract.Int32)(in.BillType), Offset: (*contract.Int32)(in.Offset), Limit: (*contract.Int32)(in.Limit), ResourceId: in.ResourceId,
		EnterpriseProjectId: in.EnterpriseProjectId, IncludeZeroRecord: in.IncludeZeroRecord, Method: (*ListCustomerselfResourceRecordsParamsMethod)(in.Method),
		SubCustomerId: in.SubCustomerId, TradeId: in.TradeId, BillDateBegin: in.BillDateBegin, BillDateEnd: in.BillDateEnd,
		StatisticType: (*contract.Int32)(in.StatisticType), XLanguage: in.XLanguage,
	}})
	var wrong *contract.Problem
	if refused, ok := fault.As(err); ok && refused.Kind == fault.Invalid || errors.As(err, &wrong) {
		reply.HTTPResponse.StatusCode, reply.HTTPResponse.Status, reply.Body = http.StatusBadRequest, "400 Bad Request", []byte(err.Error())
		return reply, nil
	}
	if err != nil {
		return nil, err
	}
	found := answer.(listCustomerselfResourceRecordsOK)
	reply.JSON200 = &bss.ListCustomerselfResourceRecordsAnswer{Currency: found.Currency, TotalCount: int32(found.TotalCount), FeeRecords: make([]bss.ResFeeRecordV2, len(found.FeeRecords))}
	for i := range found.FeeRecords {
		reply.JSON200.FeeRecords[i] = asClient(&found.FeeRecords[i])
	}
	return reply, nil
}

// asClient is a fee record as the client reads it: the same texts under the names of its own types.
func asClient(f *ResFeeRecordV2) bss.ResFeeRecordV2 {
	return bss.ResFeeRecordV2{
		AccountName: f.AccountName, AdjustmentAmount: json.Number(f.AdjustmentAmount), Amount: json.Number(f.Amount), BillDate: f.BillDate,
		BillType: int32(f.BillType), BonusAmount: json.Number(f.BonusAmount), CashAmount: json.Number(f.CashAmount), ChargeMode: f.ChargeMode,
		CloudServiceType: f.CloudServiceType, CloudServiceTypeName: f.CloudServiceTypeName, ConsumeTime: f.ConsumeTime,
		CouponAmount: json.Number(f.CouponAmount), CreditAmount: json.Number(f.CreditAmount), CustomerId: f.CustomerId,
		DebtAmount: json.Number(f.DebtAmount), DiscountAmount: json.Number(f.DiscountAmount), EffectiveTime: f.EffectiveTime,
		EnterpriseProjectId: f.EnterpriseProjectId, EnterpriseProjectName: f.EnterpriseProjectName, ExpireTime: f.ExpireTime,
		FlexipurchaseCouponAmount: json.Number(f.FlexipurchaseCouponAmount), Formula: f.Formula, FreeResourceMeasureId: int32(f.FreeResourceMeasureId),
		FreeResourceUsage: json.Number(f.FreeResourceUsage), Id: f.Id, MeasureId: int32(f.MeasureId), OfficialAmount: json.Number(f.OfficialAmount),
		OrderId: f.OrderId, PeriodNum: (*json.Number)(f.PeriodNum), PeriodType: f.PeriodType, ProductId: f.ProductId, ProductName: f.ProductName,
		ProductSpecDesc: f.ProductSpecDesc, Region: f.Region, RegionName: f.RegionName, RelativeOrderId: f.RelativeOrderId, ResourceId: f.ResourceId,
		ResourceName: f.ResourceName, ResourceTag: f.ResourceTag, ResourceType: f.ResourceType, ResourceTypeName: f.ResourceTypeName,
		RiUsage: json.Number(f.RiUsage), RiUsageMeasureId: int32(f.RiUsageMeasureId), SkuCode: f.SkuCode, SpecSize: (*json.Number)(f.SpecSize),
		SpecSizeMeasureId: (*int32)(f.SpecSizeMeasureId), StoredCardAmount: json.Number(f.StoredCardAmount), SubResourceId: f.SubResourceId,
		SubResourceName: f.SubResourceName, SubResourceTypeCode: f.SubResourceTypeCode, SubResourceTypeName: f.SubResourceTypeName,
		SubServiceTypeCode: f.SubServiceTypeCode, SubServiceTypeName: f.SubServiceTypeName, TradeId: f.TradeId, TradeTime: f.TradeTime, Unit: f.Unit,
		UnitPrice: (*json.Number)(f.UnitPrice), Usage: json.Number(f.Usage), UsageMeasureId: int32(f.UsageMeasureId), UsageType: f.UsageType,
	}
}
