package portal

import (
	"context"
	"sort"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/purser-cloud/purser/client/bss"
	"github.com/purser-cloud/purser/client/purser"
)

// pageSize is how many rows of a list are shown.
const pageSize = 20

// offset is which row of a list comes first.
func (v *visit) offset() int { return v.qInt("offset", 0, 1_000_000_000, 0) }

func showOrders(v *visit) (templ.Component, error) {
	q := &bss.ListCustomerOrdersParams{Limit: new(int32(pageSize)), Offset: new(int32(v.offset())), OrderId: v.some("id"), ServiceTypeCode: v.some("service")}
	if n := v.qInt("status", 1, 13, 0); n > 0 {
		q.Status = new(bss.ListCustomerOrdersParamsStatus(n))
	}
	if kind := v.q("type"); kind != "" {
		q.OrderType = new(bss.ListCustomerOrdersParamsOrderType(kind))
	}
	q.CreateTimeBegin, q.CreateTimeEnd = wireDay(v.q("from"), false), wireDay(v.q("until"), true)
	list := ask(v, func(ctx context.Context) (*bss.ListCustomerOrdersReply, error) {
		return v.api.BSS.ListCustomerOrdersWithResponse(ctx, q)
	})
	services := askServices(v)
	if err := v.wait(); err != nil {
		return nil, err
	}
	return ordersPage(v, list, services), nil
}

// askServices asks for the names of services, for filters.
func askServices(v *visit) *asked[*bss.ListServiceTypesReply] {
	return ask(v, func(ctx context.Context) (*bss.ListServiceTypesReply, error) {
		return v.api.BSS.ListServiceTypesWithResponse(ctx, &bss.ListServiceTypesParams{Limit: new(int32(100))})
	})
}

// serviceChoices are the services of a filter, by name.
func serviceChoices(v *visit, services *asked[*bss.ListServiceTypesReply]) []choice {
	out := []choice{{"", v.t("filter.any")}}
	if services.ok() {
		for _, s := range services.reply.JSON200.ServiceTypes {
			out = append(out, choice{s.ServiceTypeCode, s.ServiceTypeName})
		}
		rest := out[1:]
		sort.Slice(rest, func(i, k int) bool { return rest[i].text < rest[k].text })
	}
	return out
}

func (v *visit) codeChoices(kind string, codes ...string) []choice {
	out := []choice{{"", v.t("filter.any")}}
	for _, code := range codes {
		out = append(out, choice{code, v.code(kind, code)})
	}
	return out
}

// orderView is one order with what it can be paid with.
type orderView struct {
	details   *asked[*bss.ShowCustomerOrderDetailsReply]
	refunds   *asked[*bss.ShowRefundOrderDetailsReply]
	balances  *asked[*bss.ShowCustomerAccountBalancesReply]
	offers    []offer
	coupons   []couponOffer
	brings    bool   // the endpoint says what each coupon brings
	chosen    string // discount that coupons are worked out with; empty: none
	rest      amount // what the order comes to with it
	coupon    string // that was chosen, by type and id; empty: none, or it does not fit
	offerBad  *problem
	couponBad *problem
	order     *bss.CustomerOrderV3
	lines     []bss.OrderLineItemEntityV2
}

// offer is a discount that an order can be paid with.
type offer struct {
	ID, Type, Name string
	Amount, Off    amount
	Best           bool
}

// couponOffer is a coupon with what it would bring to an order.
type couponOffer struct {
	ID, Type, Name, Expires string
	Left, Brings            amount
	Best                    bool
	Unfit                   string // why it brings nothing
}

// value is the coupon in the form of a payment.
func (c *couponOffer) value() string { return c.Type + ":" + c.ID }

const unpaid = 6

// unsubscription is the type of an order that gives back.
const unsubscription = 4

// withoutDiscount asks what coupons bring when no discount is used.
const withoutDiscount = "none"

func showOrder(v *visit) (templ.Component, error) {
	o := &orderView{}
	id := v.q("id")
	o.details = ask(v, func(ctx context.Context) (*bss.ShowCustomerOrderDetailsReply, error) {
		return v.api.BSS.ShowCustomerOrderDetailsWithResponse(ctx, id, &bss.ShowCustomerOrderDetailsParams{Limit: new(int32(100))})
	})
	if err := v.wait(); err != nil {
		return nil, err
	}
	if o.details.bad != nil {
		return nil, o.details.bad
	}
	o.order, o.lines = &o.details.reply.JSON200.OrderInfo, o.details.reply.JSON200.OrderLineItems
	switch {
	case o.order.Status == unpaid:
		if err := o.askMeans(v); err != nil {
			return nil, err
		}
	case o.order.OrderType == 4 || o.order.OrderType == 3:
		o.refunds = ask(v, func(ctx context.Context) (*bss.ShowRefundOrderDetailsReply, error) {
			return v.api.BSS.ShowRefundOrderDetailsWithResponse(ctx, &bss.ShowRefundOrderDetailsParams{OrderId: id})
		})
		if err := v.wait(); err != nil {
			return nil, err
		}
	}
	return orderPage(v, o), nil
}

// askMeans asks what an unpaid order can be paid with.
func (o *orderView) askMeans(v *visit) error {
	o.balances = askBalances(v)
	id := o.order.OrderId
	if v.session.Own {
		_, chosen, _ := strings.Cut(v.q("discount"), ":")
		in := &purser.ListCouponsOfOrderParams{}
		if chosen != "" || v.r.URL.Query().Has("discount") {
			in.DiscountId = new(withoutDiscount)
			if chosen != "" {
				in.DiscountId = &chosen
			}
		}
		coupons := ask(v, func(ctx context.Context) (*purser.ListCouponsOfOrderReply, error) {
			return v.api.Purser.ListCouponsOfOrderWithResponse(ctx, id, in)
		})
		own := ask(v, func(ctx context.Context) (*purser.ListDiscountsOfOrderReply, error) {
			return v.api.Purser.ListDiscountsOfOrderWithResponse(ctx, id)
		})
		if err := v.wait(); err != nil {
			return err
		}
		if o.offerBad = own.bad; own.ok() {
			for _, d := range own.reply.JSON200.Discounts {
				o.offers = append(o.offers, offer{ID: d.DiscountId, Type: strconv.Itoa(int(d.PayType)), Name: d.Name, Amount: amountOf(d.Amount), Off: amountOf(d.DiscountAmount), Best: d.BestOffer})
			}
		}
		if o.couponBad = coupons.bad; coupons.ok() {
			o.brings = true
			o.chosen, o.rest = coupons.reply.JSON200.DiscountId, amountOf(coupons.reply.JSON200.Amount)
			for _, c := range coupons.reply.JSON200.Coupons {
				o.coupons = append(o.coupons, couponOffer{
					ID: c.CouponId, Type: strconv.Itoa(int(c.PayType)), Name: c.PlanName, Left: amountOf(c.Balance), Expires: dayText(when(c.ExpireTime)),
					Brings: amountOf(c.Brings), Best: c.BestOffer, Unfit: v.said(c.ErrorMsg),
				})
			}
			for i := range o.coupons { // the choice stays while the order is worked out with another discount
				if c := &o.coupons[i]; c.Unfit == "" && c.value() == v.q("coupon") {
					o.coupon = c.value()
				}
			}
			sort.SliceStable(o.coupons, func(i, k int) bool { return o.coupons[i].Brings > o.coupons[k].Brings })
		}
	} else {
		coupons := askCoupons(v, 2, 0, 100)
		list := ask(v, func(ctx context.Context) (*bss.ListOrderDiscountsReply, error) {
			return v.api.BSS.ListOrderDiscountsWithResponse(ctx, &bss.ListOrderDiscountsParams{OrderId: id})
		})
		if err := v.wait(); err != nil {
			return err
		}
		if o.offerBad = list.bad; list.ok() {
			o.offers = offersOf(v, list.reply.JSON200, o.due())
		}
		markBest(o.offers)
		for _, d := range o.offers {
			if d.Best {
				o.chosen = d.ID
			}
		}
		if o.couponBad = coupons.bad; coupons.ok() {
			for _, c := range coupons.reply.JSON200.UserCoupons {
				o.coupons = append(o.coupons, couponAsIs(&c))
			}
		}
	}
	return nil
}

func askCoupons(v *visit, state, offset, limit int) *asked[*bss.ListSubCustomerCouponsReply] {
	q := &bss.ListSubCustomerCouponsParams{Limit: new(int32(limit)), Offset: new(int32(offset))}
	if state > 0 {
		q.Status = new(bss.ListSubCustomerCouponsParamsStatus(state))
	}
	return ask(v, func(ctx context.Context) (*bss.ListSubCustomerCouponsReply, error) {
		return v.api.BSS.ListSubCustomerCouponsWithResponse(ctx, q)
	})
}

// due is what the order costs as it stands.
func (o *orderView) due() amount { return amountOf(o.order.AmountAfterDiscount) }

// offersOf reads the discounts of an endpoint that gives amounts by line only.
func offersOf(v *visit, answer *bss.ListOrderDiscountsAnswer, due amount) []offer {
	var out []offer
	for _, d := range answer.Discounts {
		var off amount
		for _, o := range d.Orders {
			for _, line := range o.OrderLineItems {
				off += amountOf(line.DiscountAmount)
			}
		}
		out = append(out, offer{ID: d.DiscountId, Type: strconv.Itoa(int(d.DiscountType)), Name: v.code("pay_discount", d.DiscountType), Amount: due - off, Off: off})
	}
	return out
}

func markBest(list []offer) {
	best := -1
	for i := range list {
		list[i].Best = false
		if list[i].Off > 0 && (best < 0 || list[i].Amount < list[best].Amount) {
			best = i
		}
	}
	if best >= 0 {
		list[best].Best = true
	}
}

// couponAsIs is a coupon of an endpoint that does not say what it would bring.
func couponAsIs(c *bss.IQueryUserCouponsResultV2) couponOffer {
	one := couponOffer{ID: c.CouponId, Type: "301", Name: c.PlanName, Left: amountOf(c.FaceValue), Expires: dayText(whenP(c.ExpireTime))}
	if c.Balance != nil {
		one.Left = numberOf(c.Balance)
	}
	if c.CouponType == 2 {
		one.Type = "300"
	}
	return one
}

// payOrder pays one order with the discount and the coupon that were chosen.
func payOrder(v *visit) outcome {
	id := v.form("id")
	at := to("/order", "id", id)
	in := bss.PayCustomerOrderV3Req{OrderId: id, UseCoupon: "NO", UseDiscount: "NO"}
	if kind, discount, ok := strings.Cut(v.form("discount"), ":"); ok {
		n, err := strconv.Atoi(kind)
		if err != nil {
			return refused(at, v.t("trouble.form"))
		}
		in.UseDiscount, in.DiscountInfos = "YES", []bss.DiscountSimpleInfoV3{{Id: discount, Type: bss.DiscountSimpleInfoV3Type(n)}}
	}
	if kind, coupon, ok := strings.Cut(v.form("coupon"), ":"); ok {
		n, err := strconv.Atoi(kind)
		if err != nil {
			return refused(at, v.t("trouble.form"))
		}
		in.UseCoupon, in.CouponInfos = "YES", []bss.CouponSimpleInfoOrderPayV3{{Id: coupon, Type: bss.CouponSimpleInfoOrderPayV3Type(n)}}
	}
	if _, bad := do(v, func(ctx context.Context) (*bss.PayOrdersReply, error) {
		return v.api.BSS.PayOrdersWithResponse(ctx, in)
	}); bad != nil {
		return v.refusal(at, bad)
	}
	return done(at, v.t("pay.done", id))
}

func cancelOrder(v *visit) outcome {
	id := v.form("id")
	at := to("/order", "id", id)
	_, bad := do(v, func(ctx context.Context) (*bss.CancelCustomerOrderReply, error) {
		return v.api.BSS.CancelCustomerOrderWithResponse(ctx, bss.CancelCustomerOrderReq{OrderId: id})
	})
	if bad != nil {
		return v.refusal(at, bad)
	}
	return done(at, v.t("order.cancelled", id))
}

// payTogether pays several orders, each with its best discount.
func payTogether(v *visit) outcome {
	ids := v.r.PostForm["order"]
	if len(ids) == 0 {
		return refused("", v.t("orders.none_chosen"))
	}
	lines := make([]purser.PaymentLine, len(ids))
	for i, id := range ids {
		lines[i].OrderId = id
	}
	got, bad := do(v, func(ctx context.Context) (*purser.PayTogetherReply, error) {
		return v.api.Purser.PayTogetherWithResponse(ctx, &purser.PayTogetherParams{IdempotencyKey: &v.key}, purser.PayTogetherRequest{Orders: lines, Automatic: new(true)})
	})
	if bad != nil {
		return v.refusal("", bad)
	}
	var sum amount
	paid := 0
	var failed []string
	for _, r := range got.JSON200.Results {
		if r.Paid {
			paid++
			sum += amountOfP(r.Amount)
		} else if r.ErrorMsg != nil {
			failed = append(failed, r.OrderId+": "+v.said(*r.ErrorMsg))
		}
	}
	text := v.t("orders.paid", paid, sum.String(), v.currency())
	if len(failed) > 0 {
		text += " " + strings.Join(failed, "; ")
	}
	return outcome{good: len(failed) == 0, text: text, to: "/orders"}
}

// currency is the house's, as far as it is known.
func (v *visit) currency() string {
	if v.me != nil {
		return v.me.Currency
	}
	return "USD"
}

// orderKind is the colour of an order's state.
func orderKind(status int32) string {
	switch status {
	case 5:
		return "good"
	case 6, 1, 2, 9:
		return "warn"
	case 4:
		return ""
	}
	return ""
}
