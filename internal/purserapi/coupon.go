package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/coupon"
	"github.com/purser-cloud/purser/internal/doorway"
)

// IssueCoupons issues a coupon to customers.
func (d *Door) IssueCoupons(ctx context.Context, r IssueCouponsRequestObject) (IssueCouponsResponseObject, error) {
	in := r.Body
	face, err := amount("face_value", &in.FaceValue)
	if err != nil {
		return nil, err
	}
	pattern := coupon.Coupon{
		Version: int32(in.Version), Face: *face, Plan: contract.Text(in.PlanId), PlanName: contract.Text(in.PlanName), PlanDesc: contract.Text(in.PlanDesc), Purpose: contract.Text(in.Purpose),
	}
	if pattern.Effective, err = instant("effective_time", in.EffectiveTime); err != nil {
		return nil, err
	}
	if pattern.Expires, err = instant("expire_time", in.ExpireTime); err != nil {
		return nil, err
	}
	for _, l := range in.Limits {
		pattern.Limits = append(pattern.Limits, coupon.Limit{Key: l.LimitKey, Value1: l.Value1, Value2: contract.Text(l.Value2), Unit: contract.Text(l.ValueUnit)})
	}
	issued, err := d.counter.IssueCoupons(ctx, doorway.CallOf(ctx), in.CustomerIds, pattern, in.Offline != nil && *in.Offline)
	if err != nil {
		return nil, err
	}
	out := IssueCoupons201JSONResponse{Coupons: make([]IssuedCoupon, len(issued))}
	for i := range issued {
		out.Coupons[i] = IssuedCoupon{CustomerId: issued[i].Customer, CouponId: issued[i].ID, CouponCode: issued[i].Code}
	}
	return out, nil
}

// ActOnCoupon freezes, unfreezes, withdraws or activates a coupon.
func (d *Door) ActOnCoupon(ctx context.Context, r ActOnCouponRequestObject) (ActOnCouponResponseObject, error) {
	if err := d.counter.ActOnCoupon(ctx, doorway.CallOf(ctx), r.Body.CustomerId, r.CouponId, string(r.Body.Action)); err != nil {
		return nil, err
	}
	return ActOnCoupon204Response{}, nil
}
