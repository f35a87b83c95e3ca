package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/bill"
	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// ReplayMonth works out what a month would have come to under other terms.
func (d *Door) ReplayMonth(ctx context.Context, r ReplayMonthRequestObject) (ReplayMonthResponseObject, error) {
	in := r.Body
	cycle, err := period.ParseCycle(in.Month)
	if err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "month: %s", err)
	}
	ask := operation.WhatIfAsk{Customer: in.CustomerId, Cycle: cycle, Replace: len(in.Discounts) > 0 || in.WithoutDiscounts != nil && *in.WithoutDiscounts}
	if ask.PricesAt, err = instant("prices_at", in.PricesAt); err != nil {
		return nil, err
	}
	if in.Files != nil {
		documents := make([]catalog.Document, len(in.Files))
		for i, f := range in.Files {
			documents[i] = catalog.Document{Name: f.Name, Text: f.Text}
		}
		ask.Read = func() (*catalog.Content, error) { return catalog.ReadDocuments(documents) }
	}
	for _, one := range in.Discounts {
		g := discount.Grant{
			Customer: in.CustomerId, Kind: rating.Kind(one.DiscountType), Service: contract.Text(one.ServiceTypeCode), ResourceType: contract.Text(one.ResourceTypeCode),
			Region: contract.Text(one.RegionCode),
		}
		if g.Value, err = money.ParseDecimal(one.Ratio); err != nil {
			return nil, fault.New(fault.Invalid, "CBC.0100", "ratio: must be a decimal")
		}
		ask.Discounts = append(ask.Discounts, g)
	}
	found, err := d.counter.ReplayMonth(ctx, doorway.CallOf(ctx), &ask)
	if err != nil {
		return nil, err
	}
	out := ReplayMonth200JSONResponse{
		CustomerId: in.CustomerId, Month: cycle.String(), Final: found.Final, Currency: money.USD.Code(), Unpriced: contract.Int32(found.Unpriced), Billed: replaySum(&found.Billed),
		Then: replaySum(&found.Then), Difference: (found.Then.Consume - found.Billed.Consume).String(), Rows: make([]ReplayRow, len(found.Rows)),
	}
	for i := range found.Rows {
		x := &found.Rows[i]
		out.Rows[i] = ReplayRow{
			BillType: contract.Int32(x.Billed.Type), ChargeMode: contract.Int32(x.Billed.Mode), CloudServiceType: x.Billed.Service, ResourceType: x.Billed.ResourceType,
			EnterpriseProjectId: x.Billed.Project, PayerAccountId: x.Billed.Payer, Billed: replaySum(&x.Billed), Then: replaySum(&x.Then),
		}
	}
	return out, nil
}

func replaySum(r *bill.Row) ReplaySum {
	return ReplaySum{OfficialAmount: r.Official.String(), DiscountAmount: r.Discount.String(), TruncatedAmount: r.Truncated.String(), ConsumeAmount: r.Consume.String()}
}
