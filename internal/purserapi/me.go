package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/account"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/money"
)

// ShowMe shows the caller to itself.
func (d *Door) ShowMe(ctx context.Context, _ ShowMeRequestObject) (ShowMeResponseObject, error) {
	me, err := d.counter.ShowMe(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ShowMe200JSONResponse{
		AccountId: me.Domain.ID, AccountName: me.Domain.Name, Kind: me.Domain.Kind, UserId: me.User.ID, UserName: me.User.Name, Owner: me.User.Owner,
		Email: me.User.Email, Mobile: me.User.Mobile, Now: me.Now.UTC().Format(stampForm), RealTime: me.Real.UTC().Format(stampForm),
		TestClocks: me.TestClocks, Currency: me.Currency,
	}
	if c := me.Customer; c != nil {
		out.Customer = new(customerOf(&c.Customer, &c.Relations))
		out.RenewDay, out.RenewAhead = new(contract.Int32(c.RenewDay)), new(contract.Int32(c.RenewAhead))
	}
	return out, nil
}

// ChangeMe changes what a customer decides about itself.
func (d *Door) ChangeMe(ctx context.Context, r ChangeMeRequestObject) (ChangeMeResponseObject, error) {
	alert, err := amount("alert_below", r.Body.AlertBelow)
	if err != nil {
		return nil, err
	}
	c, err := d.counter.ChangeMe(ctx, doorway.CallOf(ctx), func(c *account.Customer) {
		set(&c.InvoiceMethod, r.Body.InvoiceMethod)
		if alert != nil {
			c.AlertBelow = *alert
		}
	})
	if err != nil {
		return nil, err
	}
	return ChangeMe200JSONResponse(customerOf(&c.Customer, &c.Relations)), nil
}

// PreviewUnsubscription works out what unsubscribing would give back.
func (d *Door) PreviewUnsubscription(ctx context.Context, r PreviewUnsubscriptionRequestObject) (PreviewUnsubscriptionResponseObject, error) {
	only := r.Body.UnsubscribeType != nil && int32(*r.Body.UnsubscribeType) == 2
	list, err := d.counter.PreviewUnsubscription(ctx, doorway.CallOf(ctx), r.Body.ResourceIds, only)
	if err != nil {
		return nil, err
	}
	out := PreviewUnsubscription200JSONResponse{Currency: money.USD.String(), Resources: []PreviewedUnsubscription{}}
	for i := range list {
		e := &list[i]
		one := PreviewedUnsubscription{
			ResourceId: e.Resource, ResourceIds: e.Resources, PaidAmount: e.Paid.String(), ConsumedAmount: e.Consumed.String(), FeeAmount: e.Fee.String(),
			RefundAmount: e.Back.String(), CouponAmount: e.Coupon.String(), TaxAmount: e.Tax.String(), Unconditional: e.Unconditional, Review: e.Review,
		}
		if one.ResourceIds == nil {
			one.ResourceIds = []string{}
		}
		if e.Refused != nil {
			one.ErrorCode, one.ErrorMsg = &e.Refused.Code, &e.Refused.Message
		}
		out.Resources = append(out.Resources, one)
	}
	return out, nil
}
