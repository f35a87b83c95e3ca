package bssapi

import (
	"context"
	"strconv"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/money"
)

// What every coupon of this house is (api.md 4.1).
const (
	typeCash        = 1
	mediaElectronic = 1
	fetchIssued     = 3
	fetchOffline    = 4
)

// stampForm is how instants stand on this surface, UTC.
const stampForm = "2006-01-02T15:04:05Z"

// stamp writes an instant; none is null.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(stampForm))
}

// instant reads an optional instant; the contract has checked its form, not that there is such a day.
func instant(name string, given *string) (time.Time, error) {
	if given == nil || *given == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(stampForm, *given)
	if err != nil {
		return t, &contract.Problem{Where: name, What: "is not a day and time that exists"}
	}
	return t, nil
}

// ListSubCustomerCoupons lists the caller's coupons.
func (d *Door) ListSubCustomerCoupons(ctx context.Context, r ListSubCustomerCouponsRequestObject) (ListSubCustomerCouponsResponseObject, error) {
	in := &r.Params
	out := ListSubCustomerCoupons200JSONResponse{UserCoupons: []IQueryUserCouponsResultV2{}}
	if in.CouponType != nil && *in.CouponType != typeCash {
		return listSubCustomerCouponsOK{&out}, nil // the international site has cash coupons only
	}
	q := coupon.Query{ID: contract.Text(in.CouponId), Order: contract.Text(in.OrderId), Plan: contract.Text(in.PromotionPlanId), Issuer: contract.Text(in.SourceId)}
	if in.Status != nil {
		q.Status = coupon.Status(*in.Status)
	}
	var err error
	if q.ActiveFrom, err = instant("active_start_time", in.ActiveStartTime); err != nil {
		return nil, err
	}
	if q.ActiveTo, err = instant("active_end_time", in.ActiveEndTime); err != nil {
		return nil, err
	}
	total, list, now, err := d.counter.Coupons(ctx, doorway.CallOf(ctx), q, contract.Int(in.Offset, 0), contract.Int(in.Limit, 10))
	if err != nil {
		return nil, err
	}
	out.Count = contract.Int32(total)
	for i := range list {
		out.UserCoupons = append(out.UserCoupons, couponOf(&list[i], now))
	}
	return listSubCustomerCouponsOK{&out}, nil
}

func couponOf(c *coupon.Coupon, now time.Time) IQueryUserCouponsResultV2 {
	row := IQueryUserCouponsResultV2{
		CouponId: c.ID, CouponCode: c.Code, Status: contract.Int32(c.Status(now)), CustomerId: c.Customer, CouponType: typeCash, MeasureId: measureMoney,
		FaceValue: contract.Decimal(c.Face.String()), ValidTime: c.Effective.UTC().Format(stampForm), ExpireTime: stamp(c.Expires), OrderId: c.UsedBy,
		PromotionPlanId: c.Plan, PlanName: c.PlanName, PlanDesc: c.PlanDesc, PromotionId: c.Plan, MediaType: mediaElectronic, FetchMethod: fetchIssued,
		UseLimits: []ICouponUseLimitInfoV2{}, CreateTime: c.Created.UTC().Format(stampForm), CouponVersion: contract.Int32(c.Version), ReserveTime: stamp(c.UsedAt),
		Currency: money.USD.Code(), SourceId: c.Issuer, CouponUsage: c.Purpose, IsFrozen: "0",
	}
	if c.Activated.IsZero() {
		row.FetchMethod = fetchOffline
	} else {
		row.ActiveTime = c.Activated.UTC().Format(stampForm)
	}
	if c.Frozen {
		row.IsFrozen = "1"
	}
	if c.Version == 2 {
		row.Balance, row.LockOrderId = new(contract.Decimal(c.Balance.String())), &c.LockedBy
	}
	for i, l := range c.Limits {
		row.UseLimits = append(row.UseLimits, ICouponUseLimitInfoV2{
			UseLimitiInfoId: c.ID + "-" + strconv.Itoa(i+1), LimitKey: l.Key, Value1: l.Value1, Value2: l.Value2, ValueUnit: l.Unit, LimitType: "1", PromotionPlanId: c.Plan,
		})
	}
	return row
}
