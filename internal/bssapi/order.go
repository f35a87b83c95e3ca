package bssapi

import (
	"context"
	"strconv"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/order"
	"github.com/purser-cloud/purser/internal/period"
	"github.com/purser-cloud/purser/internal/rating"
)

// Types of coupons in a payment (api.md 5.4).
const (
	payDiscountCoupon = 300
	payCashCoupon     = 301
)

// systemUser stands for the user of what the house placed by itself (api.md 5.2).
const systemUser = "operations system"

// yearOf refuses a span that is the wrong way round or longer than a year (api.md 5.1).
func yearOf(name string, from, to time.Time) error {
	switch {
	case from.IsZero() || to.IsZero():
		return nil
	case to.Before(from):
		return &contract.Problem{Where: name + "_end", What: "is before " + name + "_begin"}
	case to.After(from.AddDate(1, 0, 0)):
		return &contract.Problem{Where: name + "_end", What: "is more than a year after " + name + "_begin"}
	}
	return nil
}

// ListCustomerOrders lists orders. This operation has no X-Language: names are English.
func (d *Door) ListCustomerOrders(ctx context.Context, r ListCustomerOrdersRequestObject) (ListCustomerOrdersResponseObject, error) {
	in := &r.Params
	if contract.Text(in.IndirectPartnerId) != "" {
		return nil, noReseller()
	}
	q := order.Query{ID: contract.Text(in.OrderId), Status: order.Status(contract.Int(in.Status, 0))}
	if in.OrderType != nil && *in.OrderType != "" {
		n, err := strconv.Atoi(string(*in.OrderType))
		if err != nil {
			return nil, &contract.Problem{Where: "order_type", What: "is not a number"}
		}
		q.Type = order.Type(n)
	}
	var err error
	for _, k := range []struct {
		name  string
		given *string
		into  *time.Time
	}{
		{"create_time_begin", in.CreateTimeBegin, &q.CreatedFrom}, {"create_time_end", in.CreateTimeEnd, &q.CreatedTo},
		{"payment_time_begin", in.PaymentTimeBegin, &q.PaidFrom}, {"payment_time_end", in.PaymentTimeEnd, &q.PaidTo},
	} {
		if *k.into, err = instant(k.name, k.given); err != nil {
			return nil, err
		}
	}
	if err := yearOf("create_time", q.CreatedFrom, q.CreatedTo); err != nil {
		return nil, err
	}
	if err := yearOf("payment_time", q.PaidFrom, q.PaidTo); err != nil {
		return nil, err
	}
	q.OldestFirst = in.OrderBy != nil && len(*in.OrderBy) > 0 && (*in.OrderBy)[0] != '-'
	q.Service = contract.Text(in.ServiceTypeCode)
	forMember := in.Method != nil && *in.Method == "sub_customer"
	list, err := d.counter.ListOrders(ctx, doorway.CallOf(ctx), contract.Text(in.CustomerId), forMember, q, contract.Int(in.Offset, 0), contract.Int(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListCustomerOrders200JSONResponse{TotalCount: contract.Int32(list.Total), OrderInfos: make([]CustomerOrderV2, len(list.Orders))}
	for i := range list.Orders {
		out.OrderInfos[i] = orderOf(&list.Orders[i], list.Shelf, list.Projects)
	}
	return listCustomerOrdersOK{&out}, nil
}

// noReseller is the refusal of what only distributors have.
func noReseller() error {
	return fault.New(fault.Invalid, "CBC.99000037", "indirect_partner_id: you have no permission to operate this reseller")
}

func orderOf(o *order.Order, shelf *catalog.Snapshot, projects operation.ProjectNames) CustomerOrderV2 {
	out := CustomerOrderV2{
		OrderId: o.ID, CustomerId: o.Customer, ServiceTypeCode: o.Service, ServiceTypeName: serviceName(shelf, o.Service, catalog.English),
		SourceType: contract.Int32(o.Source), Status: contract.Int32(o.Status), OrderType: contract.Int32(o.Type), AmountAfterDiscount: amount(o.Amount),
		OfficialAmount: amount(o.Official), MeasureId: measureMoney, CreateTime: o.Created.UTC().Format(stampForm), PaymentTime: stamp(o.PaidAt),
		Currency: money.USD.Code(), ContractId: new(""), AmountInfo: amountsOf(o),
		EnterpriseProjects: []EnterpriseProject{{Id: o.Project, Name: projects.Of(o.Project)}}, AgentPayInfo: &AgentPayInfoV2{},
	}
	if o.Payer != "" && o.Payer != o.Customer {
		out.AgentPayInfo = &AgentPayInfoV2{PayingAgentId: o.Payer, IsAgentPay: true}
	}
	return out
}

func amount(a money.Amount) contract.Decimal { return contract.Decimal(a.String()) }

func amountsOf(o *order.Order) AmountInfomationV2 {
	return amounts(o.DiscountKind, o.Official-o.Amount, o.Paid.Coupon, o.Fee, o.Consumed)
}

func amounts(kind rating.Kind, discount, coupon, fee, consumed money.Amount) AmountInfomationV2 {
	out := AmountInfomationV2{
		Discounts: []DiscountItemV2{}, FlexipurchaseCouponAmount: "0", CouponAmount: amount(coupon), StoredCardAmount: "0",
		CommissionAmount: amount(fee), ConsumedAmount: amount(consumed),
	}
	if kind != 0 && discount != 0 {
		out.Discounts = append(out.Discounts, DiscountItemV2{DiscountType: strconv.Itoa(int(kind)), DiscountAmount: amount(discount)})
	}
	return out
}

// serviceName is a service's name, or its code once the catalogue no longer has it.
func serviceName(shelf *catalog.Snapshot, code string, in catalog.Language) string {
	if s, ok := shelf.Service(code); ok {
		return s.Name.In(in)
	}
	return code
}

func typeName(shelf *catalog.Snapshot, code string, in catalog.Language) string {
	if t, ok := shelf.ResourceType(code); ok {
		return t.Name.In(in)
	}
	return code
}

// specName describes a product: its name in the catalogue, else its spec.
func specName(shelf *catalog.Snapshot, service, resourceType, region, spec string, in catalog.Language) string {
	if p, ok := shelf.Product(service, resourceType, region, spec); ok && p.Name.In(in) != "" {
		return p.Name.In(in)
	}
	return spec
}

// ShowCustomerOrderDetails shows an order with its line items.
func (d *Door) ShowCustomerOrderDetails(ctx context.Context, r ShowCustomerOrderDetailsRequestObject) (ShowCustomerOrderDetailsResponseObject, error) {
	if contract.Text(r.Params.IndirectPartnerId) != "" {
		return nil, noReseller()
	}
	in := languageOf(r.Params.XLanguage)
	o, err := d.counter.ShowOrder(ctx, doorway.CallOf(ctx), "", r.OrderId, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	head := CustomerOrderV3{
		OrderId: o.ID, CustomerId: o.Customer, ServiceTypeCode: o.Service, ServiceTypeName: serviceName(o.Shelf, o.Service, in), SourceType: contract.Int32(o.Source),
		Status: contract.Int32(o.Status), OrderType: contract.Int32(o.Type), AmountAfterDiscount: amount(o.Amount), OfficialAmount: amount(o.Official),
		MeasureId: measureMoney, CreateTime: o.Created.UTC().Format(stampForm), PaymentTime: stamp(o.PaidAt), Currency: money.USD.Code(), ContractId: new(""),
		AmountInfo: amountsOf(&o.Order), UserName: o.User, PendingPaymentEndTime: stamp(o.Deadline),
	}
	if head.UserName == "" {
		head.UserName = systemUser
	}
	out := ShowCustomerOrderDetails200JSONResponse{TotalCount: contract.Int32(o.Total), OrderInfo: head, OrderLineItems: make([]OrderLineItemEntityV2, len(o.Lines))}
	for i := range o.Lines {
		out.OrderLineItems[i] = lineOf(&o.Order, &o.Lines[i], o.Shelf, in)
	}
	return showCustomerOrderDetailsOK{&out}, nil
}

func lineOf(o *order.Order, l *order.Line, shelf *catalog.Snapshot, in catalog.Language) OrderLineItemEntityV2 {
	spec := specName(shelf, l.Service, l.ResourceType, l.Region, l.Spec, in)
	out := OrderLineItemEntityV2{
		OrderLineItemId: l.ID(), OrderId: o.ID, ServiceTypeCode: l.Service, ServiceTypeName: serviceName(shelf, l.Service, in), ProductId: l.Product,
		ProductSpecDesc: spec, PeriodType: contract.Int32(l.Unit.Code()), EffectiveTime: stamp(l.Effective), SubscriptionNum: contract.Int32(l.Num),
		AmountAfterDiscount: amount(l.Amount), OfficialAmount: amount(l.Official), Currency: money.USD.Code(), CategoryCode: l.ResourceType,
		ProductOwnerService: l.Service, CommercialResource: l.ResourceType,
		AmountInfo: amounts(o.DiscountKind, l.Official-l.Amount, l.Coupon, l.Fee, l.Consumed),
		BaseProductInfo: ProductObject{
			ProductId: l.Product, ProductSpecDesc: spec, CategoryCode: l.ResourceType, ProductOwnerService: l.Service, CommercialResource: l.ResourceType,
		},
	}
	if l.Periods > 0 {
		out.PeriodNum = new(contract.Int32(l.Periods))
	}
	if !l.Expires.IsZero() {
		out.ExpireTime = stamp(shownEnd(o, l))
	}
	return out
}

// shownEnd is the end of a line's term as it is shown: its last second; an unsubscription ends at its instant.
func shownEnd(o *order.Order, l *order.Line) time.Time {
	if o.Type == order.Unsubscribe {
		return l.Expires
	}
	return period.LastSecond(l.Expires)
}

// ListOrderDiscounts lists the discounts that an unpaid order can be paid with: commercial, partner-granted and the
// price adjustment; promotions are not among them here (api.md 5.3).
func (d *Door) ListOrderDiscounts(ctx context.Context, r ListOrderDiscountsRequestObject) (ListOrderDiscountsResponseObject, error) {
	o, err := d.counter.ListOrderDiscounts(ctx, doorway.CallOf(ctx), r.Params.OrderId)
	if err != nil {
		return nil, err
	}
	out := ListOrderDiscounts200JSONResponse{Discounts: []DiscountInfoV3{}}
	if o.Hidden {
		out.Discounts = nil
	}
	for i := range o.Offers {
		if offer := &o.Offers[i]; offer.Grant.Kind != rating.Promotion {
			out.Discounts = append(out.Discounts, offerOfOrder(&o, offer))
		}
	}
	return listOrderDiscountsOK{&out}, nil
}

func offerOfOrder(o *operation.OrderOffers, offer *order.Offer) DiscountInfoV3 {
	g := &offer.Grant
	out := DiscountInfoV3{DiscountId: g.ID, DiscountType: contract.Int32(order.PayTypeOf(g.Kind)), DiscountValue: g.Value.String()}
	if g.Mode == rating.ByFixedPrice {
		out.DiscountValue = ""
	}
	items := []OrderLineItemV3{}
	merged := map[string]int{} // same product, spec and final price share an item
	for i := range o.Lines {
		l, quote := &o.Lines[i], &offer.Quote.Lines[i]
		key := l.Product + " " + l.Spec + " " + quote.Amount.String() + " " + quote.Official.String()
		if at, ok := merged[key]; ok && len(items[at].OrderLineItemIds) < 100 {
			items[at].OrderLineItemIds = append(items[at].OrderLineItemIds, l.ID())
			continue
		}
		merged[key] = len(items)
		items = append(items, OrderLineItemV3{
			OrderLineItemIds: []string{l.ID()}, DiscountMode: contract.Int32(g.Mode), DiscountAmount: contract.Decimal(quote.Discount.String()), DiscountRatio: ratioOf(quote),
		})
	}
	out.Orders = []OrderV3{{OrderId: o.ID, OrderLineItems: items}}
	return out
}

// ratioDecimals is how many decimals a shown ratio has.
const ratioDecimals = 4

// ratioOf is what is paid of a line's list price, cut.
func ratioOf(p *rating.Priced) contract.Decimal {
	if p.Official == 0 {
		return "1"
	}
	n, err := money.MulDiv(int64(p.Amount), 10_000, int64(p.Official))
	if err != nil {
		return "1"
	}
	ratio, err := money.NewDecimal(n, ratioDecimals)
	if err != nil {
		return "1"
	}
	return contract.Decimal(ratio.String())
}

// PayOrders pays an order. With use_coupon or use_discount NO a list is refused, with YES a missing one is: an answer
// to a mistake is better than a payment that was not meant (the sources differ, api.md 5.4).
func (d *Door) PayOrders(ctx context.Context, r PayOrdersRequestObject) (PayOrdersResponseObject, error) {
	in := r.Body
	var m order.Means
	wrong := func(where, what string) error { return &contract.Problem{Where: where, What: what} }
	switch use := in.UseDiscount == "YES"; {
	case use && len(in.DiscountInfos) == 0:
		return nil, wrong("discount_infos", "is needed with use_discount YES")
	case !use && len(in.DiscountInfos) > 0:
		return nil, wrong("discount_infos", "must not be there with use_discount NO")
	case use:
		m.Discount, m.DiscountType = in.DiscountInfos[0].Id, order.PayType(in.DiscountInfos[0].Type)
	}
	switch use := in.UseCoupon == "YES"; {
	case use && len(in.CouponInfos) == 0:
		return nil, wrong("coupon_infos", "is needed with use_coupon YES")
	case !use && len(in.CouponInfos) > 0:
		return nil, wrong("coupon_infos", "must not be there with use_coupon NO")
	case use:
		if err := couponOfPayment(in.CouponInfos, &m); err != nil {
			return nil, err
		}
	}
	if err := d.counter.PayOrder(ctx, doorway.CallOf(ctx), in.OrderId, m); err != nil {
		return nil, err
	}
	return PayOrders204Response{}, nil
}

// couponOfPayment takes the one cash coupon of a payment; the other types do not exist on the international site, so no
// customer has one of them.
func couponOfPayment(list []CouponSimpleInfoOrderPayV3, m *order.Means) error {
	types := map[contract.Int32]int{}
	for _, c := range list {
		types[c.Type]++
	}
	switch {
	case types[payCashCoupon] > 1:
		return &contract.Problem{Where: "coupon_infos", What: "one cash coupon for an order"}
	case types[payCashCoupon] > 0 && types[payDiscountCoupon] > 0:
		return fault.New(fault.Invalid, "CBC.99003147", "a cash coupon and a discount coupon cannot be used together")
	case types[payCashCoupon] != len(list):
		for _, c := range list {
			if c.Type != payCashCoupon {
				return fault.New(fault.Invalid, "CBC.99003112", "the customer has no coupon or card %s of type %d", c.Id, c.Type)
			}
		}
	}
	m.Coupon = list[0].Id
	return nil
}

// CancelCustomerOrder cancels an unpaid order.
func (d *Door) CancelCustomerOrder(ctx context.Context, r CancelCustomerOrderRequestObject) (CancelCustomerOrderResponseObject, error) {
	if err := d.counter.CancelOrder(ctx, doorway.CallOf(ctx), r.Body.OrderId); err != nil {
		return nil, err
	}
	return CancelCustomerOrder204Response{}, nil
}

// ShowRefundOrderDetails shows what a refund is made of; names are English, this operation has no X-Language.
func (d *Door) ShowRefundOrderDetails(ctx context.Context, r ShowRefundOrderDetailsRequestObject) (ShowRefundOrderDetailsResponseObject, error) {
	if contract.Text(r.Params.IndirectPartnerId) != "" {
		return nil, noReseller()
	}
	refund, err := d.counter.ShowRefund(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), r.Params.OrderId)
	if err != nil {
		return nil, err
	}
	out := ShowRefundOrderDetails200JSONResponse{TotalCount: contract.Int32(len(refund.Rows)), RefundInfos: make([]OrderRefundInfoV2, len(refund.Rows))}
	for i := range refund.Rows {
		row := &refund.Rows[i]
		out.RefundInfos[i] = OrderRefundInfoV2{
			Id: row.Order + "-" + strconv.Itoa(int(row.No)), Amount: amount(row.Amount), MeasureId: strconv.Itoa(measureMoney), CustomerId: row.Customer,
			ResourceTypeCode: row.ResourceType, ResourceTypeName: typeName(refund.Shelf, row.ResourceType, catalog.English), ServiceTypeCode: row.Service,
			ServiceTypeName: serviceName(refund.Shelf, row.Service, catalog.English), RegionCode: row.Region, BaseOrderId: &row.Base,
		}
	}
	return showRefundOrderDetailsOK{&out}, nil
}
