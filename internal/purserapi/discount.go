package purserapi

import (
	"context"
	"strconv"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/discount"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/money"
	"github.com/purser-cloud/purser/internal/rating"
)

// stampForm is how instants stand in this contract, UTC.
const stampForm = "2006-01-02T15:04:05Z"

// ListDiscounts pages through a customer's discounts.
func (d *Door) ListDiscounts(ctx context.Context, r ListDiscountsRequestObject) (ListDiscountsResponseObject, error) {
	total, page, err := d.counter.ListDiscounts(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListDiscounts200JSONResponse{TotalCount: contract.Int32(total), Discounts: []Discount{}}
	for i := range page {
		out.Discounts = append(out.Discounts, discountOf(&page[i]))
	}
	return out, nil
}

// GrantDiscount grants a customer a discount.
func (d *Door) GrantDiscount(ctx context.Context, r GrantDiscountRequestObject) (GrantDiscountResponseObject, error) {
	in := r.Body
	g := discount.Grant{
		Customer: in.CustomerId, Name: in.Name, Kind: rating.Kind(in.DiscountType), Mode: rating.Mode(contract.Int(in.DiscountMode, 0)),
		Order: contract.Text(in.OrderId), Service: contract.Text(in.ServiceTypeCode), ResourceType: contract.Text(in.ResourceTypeCode), Region: contract.Text(in.RegionCode),
	}
	value, name := contract.Text(in.Value), "value"
	if g.Mode == rating.ByRatio {
		value, name = contract.Text(in.Ratio), "ratio"
	}
	var err error
	if g.Value, err = money.ParseDecimal(value); err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "%s: must be a decimal", name)
	}
	if g.Effective, err = instant("effective_time", in.EffectiveTime); err != nil {
		return nil, err
	}
	if g.Expires, err = instant("expire_time", in.ExpireTime); err != nil {
		return nil, err
	}
	if g, err = d.counter.GrantDiscount(ctx, doorway.CallOf(ctx), g); err != nil {
		return nil, err
	}
	return GrantDiscount201JSONResponse(discountOf(&g)), nil
}

// WithdrawDiscount ends a discount.
func (d *Door) WithdrawDiscount(ctx context.Context, r WithdrawDiscountRequestObject) (WithdrawDiscountResponseObject, error) {
	if err := d.counter.WithdrawDiscount(ctx, doorway.CallOf(ctx), r.Params.CustomerId, r.DiscountId); err != nil {
		return nil, err
	}
	return WithdrawDiscount204Response{}, nil
}

func discountOf(g *discount.Grant) Discount {
	out := Discount{
		DiscountId: g.ID, CustomerId: g.Customer, Name: g.Name, DiscountType: contract.Int32(g.Kind), DiscountMode: contract.Int32(g.Mode), OrderId: present(g.Order),
		ServiceTypeCode: present(g.Service), ResourceTypeCode: present(g.ResourceType), RegionCode: present(g.Region),
		EffectiveTime: g.Effective.UTC().Format(stampForm), ExpireTime: g.Expires.UTC().Format(stampForm),
	}
	if value := g.Value.String(); g.Mode == rating.ByRatio {
		out.Ratio = &value
	} else {
		out.Value = &value
	}
	return out
}

func instant(name string, given *string) (time.Time, error) {
	if given == nil || *given == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(stampForm, *given)
	if err != nil {
		return t, fault.New(fault.Invalid, "CBC.0100", "%s: must be an instant in UTC such as 2026-01-31T00:00:00Z", name)
	}
	return t, nil
}

// languageOf reads X-Language; this contract's default is English.
func languageOf(header *string) catalog.Language {
	if header == nil || *header == "" {
		return catalog.English
	}
	return catalog.LanguageOf(*header)
}

func present(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
