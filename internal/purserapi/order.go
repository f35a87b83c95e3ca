package purserapi

import (
	"context"
	"fmt"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/rating"
	"github.com/purser-cloud/purser/internal/subscription"
	"github.com/purser-cloud/purser/internal/tax"
)

// PlaceOrder places an order.
func (d *Door) PlaceOrder(ctx context.Context, r PlaceOrderRequestObject) (PlaceOrderResponseObject, error) {
	in, err := newOrder(r.Body)
	if err != nil {
		return nil, err
	}
	placed, err := d.counter.PlaceOrder(ctx, doorway.CallOf(ctx), in)
	if err != nil {
		return nil, err
	}
	return PlaceOrder201JSONResponse(placedOf(&placed)), nil
}

func newOrder(in *PlaceOrderRequest) (*operation.NewOrder, error) {
	out := &operation.NewOrder{Customer: contract.Text(in.CustomerId), AutoPay: in.AutoPay != nil && *in.AutoPay}
	out.CloudProject, out.Project, out.Coupon = contract.Text(in.ProjectId), contract.Text(in.EnterpriseProjectId), contract.Text(in.CouponId)
	if in.AutoRenew != nil && *in.AutoRenew {
		out.Policy = subscription.AutoRenew
	}
	var err error
	if out.Effective, err = instant("effective_time", in.EffectiveTime); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range in.Products {
		p := &in.Products[i]
		item := order.Item{Name: contract.Text(p.ResourceName), RelatedTo: contract.Text(p.RelatedTo), Wanted: catalog.Wanted{
			ID: p.Id, Service: p.CloudServiceType, ResourceType: p.ResourceType, Spec: p.ResourceSpec, Region: p.Region, Zone: contract.Text(p.AvailableZone),
			Size: sizeOf(p.ResourceSize, p.SizeMeasureId), Num: int32(p.SubscriptionNum), PeriodType: int32(p.PeriodType), Periods: int32(p.PeriodNum),
		}}
		if err := distinct(seen, p.Id); err != nil {
			return nil, err
		}
		for k := range p.Attached {
			a := &p.Attached[k]
			if err := distinct(seen, a.Id); err != nil {
				return nil, err
			}
			item.Attached = append(item.Attached, order.Item{Name: contract.Text(a.ResourceName), Wanted: catalog.Wanted{
				ID: a.Id, Service: a.CloudServiceType, ResourceType: a.ResourceType, Spec: a.ResourceSpec, Region: a.Region, Zone: contract.Text(a.AvailableZone),
				Size: sizeOf(a.ResourceSize, a.SizeMeasureId), Num: int32(a.SubscriptionNum),
			}})
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

func distinct(seen map[string]bool, id string) error {
	if seen[id] {
		return fault.New(fault.Invalid, "CBC.0100", "products: the id %q is there twice", id)
	}
	seen[id] = true
	return nil
}

func sizeOf(size, unit *contract.Int32) rating.Size {
	if size == nil || unit == nil {
		return rating.Size{}
	}
	return rating.Size{Value: money.DecimalOf(int64(*size)), Unit: int32(*unit)}
}

func placedOf(p *operation.Placed) PlacedOrder {
	o := &p.Order
	out := PlacedOrder{
		OrderId: o.ID, Status: contract.Int32(o.Status), OfficialAmount: o.Official.String(), Amount: o.Amount.String(), Tax: o.Tax.String(),
		CouponAmount: o.Paid.Coupon.String(), Currency: money.USD.Code(), CreatedTime: o.Created.UTC().Format(stampForm),
		PendingPaymentEndTime: o.Deadline.UTC().Format(stampForm), TradeId: o.Trade, Lines: make([]PlacedLine, len(p.Lines)),
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		out.Lines[i] = PlacedLine{
			LineId: l.ID(), ServiceTypeCode: l.Service, ResourceTypeCode: l.ResourceType, ResourceSpecCode: l.Spec, RegionCode: l.Region,
			SubscriptionNum: contract.Int32(l.Num), OfficialAmount: l.Official.String(), Amount: l.Amount.String(), Tax: l.Tax.String(),
		}
		if l.Parent > 0 {
			out.Lines[i].ParentLineId = fmt.Sprintf("%s-%06d", o.ID, l.Parent)
		}
	}
	if p.Refused != nil {
		out.PaymentFailure = &Refusal{ErrorCode: p.Refused.Code, ErrorMsg: p.Refused.Message}
	}
	return out
}

// ListWaitingOrders lists what waits for the operator.
func (d *Door) ListWaitingOrders(ctx context.Context, r ListWaitingOrdersRequestObject) (ListWaitingOrdersResponseObject, error) {
	list, err := d.counter.Waiting(ctx, doorway.CallOf(ctx), contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListWaitingOrders200JSONResponse{TotalCount: contract.Int32(list.Total), Orders: make([]WaitingOrder, len(list.Orders))}
	for i := range list.Orders {
		o := &list.Orders[i]
		out.Orders[i] = WaitingOrder{
			CustomerId: o.Customer, OrderId: o.ID, OrderType: contract.Int32(o.Type), Status: contract.Int32(o.Status), Amount: o.Amount.String(),
			CreatedTime: o.Created.UTC().Format(stampForm), Reason: o.Reason,
		}
	}
	return out, nil
}

// ListDiscountsOfOrder lists all discounts that an order can be paid with.
func (d *Door) ListDiscountsOfOrder(ctx context.Context, r ListDiscountsOfOrderRequestObject) (ListDiscountsOfOrderResponseObject, error) {
	o, err := d.counter.ListOrderDiscounts(ctx, doorway.CallOf(ctx), r.OrderId)
	if err != nil {
		return nil, err
	}
	out := ListDiscountsOfOrder200JSONResponse{Discounts: make([]OrderOffer, len(o.Offers))}
	for i := range o.Offers {
		offer := &o.Offers[i]
		g := &offer.Grant
		out.Discounts[i] = OrderOffer{
			DiscountId: g.ID, Name: g.Name, DiscountType: contract.Int32(g.Kind), PayType: contract.Int32(order.PayTypeOf(g.Kind)), DiscountMode: contract.Int32(g.Mode),
			Value: g.Value.String(), OfficialAmount: offer.Quote.Official.String(), Amount: offer.Quote.Amount.String(),
			DiscountAmount: offer.Quote.Discount.String(), BestOffer: offer.Best,
		}
	}
	return out, nil
}

// payCashCoupon is the type under which coupons are named in a payment: all of ours are of money.
const payCashCoupon = 301

// ListCouponsOfOrder works out what each coupon would bring to an order.
func (d *Door) ListCouponsOfOrder(ctx context.Context, r ListCouponsOfOrderRequestObject) (ListCouponsOfOrderResponseObject, error) {
	o, err := d.counter.ListOrderCoupons(ctx, doorway.CallOf(ctx), r.OrderId, contract.Text(r.Params.DiscountId))
	if err != nil {
		return nil, err
	}
	out := ListCouponsOfOrder200JSONResponse{Amount: o.Due.String(), Coupons: make([]CouponOffer, len(o.Coupons))}
	if o.Used != nil {
		out.DiscountId = o.Used.Grant.ID
	}
	for i := range o.Coupons {
		offer := &o.Coupons[i]
		c := &offer.Coupon
		one := CouponOffer{
			CouponId: c.ID, PlanName: c.PlanName, PayType: payCashCoupon, Balance: c.Balance.String(), Brings: offer.Brings.String(), BestOffer: offer.Best,
			ExpireTime: c.Expires.UTC().Format(stampForm),
		}
		if f, ok := fault.As(offer.Why); ok {
			one.ErrorCode, one.ErrorMsg = f.Code, f.Message
		}
		out.Coupons[i] = one
	}
	return out, nil
}

// JudgeOrder decides about an order that waits for it.
func (d *Door) JudgeOrder(ctx context.Context, r JudgeOrderRequestObject) (JudgeOrderResponseObject, error) {
	o, err := d.counter.JudgeOrder(ctx, doorway.CallOf(ctx), r.Body.CustomerId, r.OrderId, operation.Verdict(r.Body.Verdict), contract.Text(r.Body.Reason))
	if err != nil {
		return nil, err
	}
	return JudgeOrder200JSONResponse{OrderId: o.ID, Status: contract.Int32(o.Status)}, nil
}

// ReportProvisioning takes what became of an order's resources.
func (d *Door) ReportProvisioning(ctx context.Context, r ReportProvisioningRequestObject) (ReportProvisioningResponseObject, error) {
	outcomes := make([]order.Outcome, len(r.Body.Resources))
	for i := range r.Body.Resources {
		in := &r.Body.Resources[i]
		outcomes[i] = order.Outcome{
			Instance: in.InstanceId, Resource: contract.Text(in.ResourceId), Name: contract.Text(in.ResourceName), Failed: in.Failed != nil && *in.Failed,
			Reason: contract.Text(in.Reason),
		}
	}
	o, err := d.counter.ReportProvisioning(ctx, doorway.CallOf(ctx), r.Body.CustomerId, r.OrderId, outcomes)
	if err != nil {
		return nil, err
	}
	return ReportProvisioning200JSONResponse{OrderId: o.ID, Status: contract.Int32(o.Status)}, nil
}

// PlaceCombinedOrders places several orders as one purchase.
func (d *Door) PlaceCombinedOrders(ctx context.Context, r PlaceCombinedOrdersRequestObject) (PlaceCombinedOrdersResponseObject, error) {
	in := &operation.NewCombined{}
	for i := range r.Body.Orders {
		one, err := newOrder(&r.Body.Orders[i])
		if err != nil {
			return nil, err
		}
		in.Orders = append(in.Orders, *one)
	}
	trade, list, err := d.counter.PlaceCombined(ctx, doorway.CallOf(ctx), in)
	if err != nil {
		return nil, err
	}
	out := PlaceCombinedOrders201JSONResponse{TradeId: trade, Orders: make([]PlacedOrder, len(list))}
	for i := range list {
		out.Orders[i] = placedOf(&list[i])
	}
	return out, nil
}

// CancelCombinedOrders cancels every order of a purchase.
func (d *Door) CancelCombinedOrders(ctx context.Context, r CancelCombinedOrdersRequestObject) (CancelCombinedOrdersResponseObject, error) {
	if err := d.counter.CancelTogether(ctx, doorway.CallOf(ctx), r.TradeId); err != nil {
		return nil, err
	}
	return CancelCombinedOrders204Response{}, nil
}

// PayTogether pays several orders in one go.
func (d *Door) PayTogether(ctx context.Context, r PayTogetherRequestObject) (PayTogetherResponseObject, error) {
	in := r.Body
	trade := contract.Text(in.TradeId)
	if trade == "" && len(in.Orders) == 0 {
		return nil, fault.New(fault.Invalid, "CBC.0100", "orders: at least one, or trade_id")
	}
	seen := map[string]bool{}
	lines := make([]operation.PayLine, len(in.Orders))
	for i := range in.Orders {
		l := &in.Orders[i]
		if err := distinct(seen, l.OrderId); err != nil {
			return nil, err
		}
		lines[i].Order, lines[i].Discount, lines[i].Coupon = l.OrderId, contract.Text(l.DiscountId), contract.Text(l.CouponId)
		if lines[i].Discount != "" && l.DiscountType == nil {
			return nil, fault.New(fault.Invalid, "CBC.0100", "orders[%d].discount_type: is needed with discount_id", i)
		}
		lines[i].DiscountType = order.PayType(contract.Int(l.DiscountType, 0))
	}
	results, err := d.counter.PayTogether(ctx, doorway.CallOf(ctx), trade, lines, in.Automatic != nil && *in.Automatic)
	if err != nil {
		return nil, err
	}
	out := PayTogether200JSONResponse{Results: make([]PaymentResult, len(results))}
	for i := range results {
		row := &results[i]
		out.Results[i] = PaymentResult{OrderId: row.Order, Paid: row.Refused == nil}
		if row.Refused == nil {
			out.Results[i].Amount = new(row.Paid.String())
		} else {
			out.Results[i].ErrorCode, out.Results[i].ErrorMsg = &row.Refused.Code, &row.Refused.Message
		}
	}
	return out, nil
}

// ChangeResource orders another spec or size of a resource.
func (d *Door) ChangeResource(ctx context.Context, r ChangeResourceRequestObject) (ChangeResourceResponseObject, error) {
	in := r.Body
	if (in.ResourceSize == nil) != (in.SizeMeasureId == nil) {
		return nil, fault.New(fault.Invalid, "CBC.0100", "resource_size and size_measure_id: go together")
	}
	placed, err := d.counter.ChangeResource(ctx, doorway.CallOf(ctx), in.ResourceId, contract.Text(in.ResourceSpec), sizeOf(in.ResourceSize, in.SizeMeasureId), in.AutoPay != nil && *in.AutoPay)
	if err != nil {
		return nil, err
	}
	return ChangeResource201JSONResponse(placedOf(&placed)), nil
}

// ListTaxRates lists the rates of tax.
func (d *Door) ListTaxRates(ctx context.Context, _ ListTaxRatesRequestObject) (ListTaxRatesResponseObject, error) {
	list, err := d.counter.TaxRates(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ListTaxRates200JSONResponse{Rates: make([]TaxRate, len(list))}
	for i := range list {
		out.Rates[i] = taxRateOf(&list[i])
	}
	return out, nil
}

// SetTaxRate sets a rate of tax.
func (d *Door) SetTaxRate(ctx context.Context, r SetTaxRateRequestObject) (SetTaxRateResponseObject, error) {
	in := tax.Rate{Country: r.Body.Country, Class: contract.Text(r.Body.ServiceTypeCode), Inclusive: r.Body.Inclusive != nil && *r.Body.Inclusive}
	var err error
	if in.Rate, err = money.ParseDecimal(r.Body.Rate); err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "rate: must be a decimal")
	}
	if in.From, err = instant("from_time", r.Body.FromTime); err != nil {
		return nil, err
	}
	set(&in.Kind, r.Body.TaxClass)
	for i, part := range r.Body.Parts {
		rate, err := money.ParseDecimal(part.Rate)
		if err != nil {
			return nil, fault.New(fault.Invalid, "CBC.0100", "parts[%d].rate: must be a decimal", i)
		}
		in.Parts = append(in.Parts, tax.Part{Name: string(part.SubTaxClass), Rate: rate})
	}
	if in, err = d.counter.SetTaxRate(ctx, doorway.CallOf(ctx), in); err != nil {
		return nil, err
	}
	return SetTaxRate201JSONResponse(taxRateOf(&in)), nil
}

func taxRateOf(r *tax.Rate) TaxRate {
	kind := TaxRateTaxClass(r.Kind)
	var parts []TaxRatePart
	for _, p := range r.Parts {
		parts = append(parts, TaxRatePart{SubTaxClass: TaxRatePartSubTaxClass(p.Name), Rate: p.Rate.String()})
	}
	return TaxRate{
		TaxClass: &kind, Parts: parts, Country: r.Country, ServiceTypeCode: new(r.Class), Rate: r.Rate.String(), Inclusive: new(r.Inclusive), FromTime: new(r.From.UTC().Format(stampForm)),
	}
}
