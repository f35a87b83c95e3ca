package purserapi

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/provider"
)

// BeginTopUp begins a payment into the balance.
func (d *Door) BeginTopUp(ctx context.Context, r BeginTopUpRequestObject) (BeginTopUpResponseObject, error) {
	in := r.Body
	a, err := amount("amount", &in.Amount)
	if err != nil {
		return nil, err
	}
	call := doorway.CallOf(ctx)
	begun, err := d.counter.BeginTopUp(ctx, call, operation.Payment{
		Customer: contract.Text(in.CustomerId), Amount: *a, Method: string(in.Method), Provider: contract.Text(in.Provider),
	})
	if err != nil {
		return nil, err
	}
	return BeginTopUp201JSONResponse(topUpOf(&begun, call.Real)), nil
}

// topUpOf shows a top-up as of a real instant.
func topUpOf(a *provider.Attempt, real time.Time) TopUp {
	out := TopUp{
		TopUpId: a.ID, CustomerId: a.Customer, Amount: a.Amount.String(), Currency: a.Currency, Provider: a.Provider, Method: a.Method, State: a.StateAt(real),
		Reference: some(a.Reference), Reason: some(a.Reason), EntryId: some(a.Entry),
		CreatedTime: a.Created.UTC().Format(stampForm), ExpireTime: a.Expires.UTC().Format(stampForm),
	}
	if out.State == provider.Pending {
		out.PayUrl, out.Instructions = some(a.PayURL), some(a.Instructions)
	}
	if !a.Finished.IsZero() {
		out.FinishedTime = new(a.Finished.UTC().Format(stampForm))
	}
	return out
}

// some is a text that is left out when it is empty.
func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// ListTopUps pages through top-ups.
func (d *Door) ListTopUps(ctx context.Context, r ListTopUpsRequestObject) (ListTopUpsResponseObject, error) {
	q := provider.Query{Customer: contract.Text(r.Params.CustomerId)}
	set(&q.State, r.Params.State)
	total, page, now, err := d.counter.TopUps(ctx, doorway.CallOf(ctx), q, contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListTopUps200JSONResponse{TotalCount: contract.Int32(total), TopUps: []TopUp{}}
	for i := range page {
		out.TopUps = append(out.TopUps, topUpOf(&page[i], now))
	}
	return out, nil
}

// ShowTopUp shows one top-up.
func (d *Door) ShowTopUp(ctx context.Context, r ShowTopUpRequestObject) (ShowTopUpResponseObject, error) {
	a, now, err := d.counter.ShowTopUp(ctx, doorway.CallOf(ctx), r.TopUpId)
	if err != nil {
		return nil, err
	}
	return ShowTopUp200JSONResponse(topUpOf(&a, now)), nil
}

// TakePaymentCallback takes what a payment provider tells. What was decoded is not looked at: the provider's own
// signature is over the bytes.
func (d *Door) TakePaymentCallback(ctx context.Context, r TakePaymentCallbackRequestObject) (TakePaymentCallbackResponseObject, error) {
	if err := d.counter.TakeCallback(ctx, doorway.CallOf(ctx), r.Provider); err != nil {
		return nil, err
	}
	return TakePaymentCallback204Response{}, nil
}

// PayInSandbox says how a payment in the sandbox ends.
func (d *Door) PayInSandbox(ctx context.Context, r PayInSandboxRequestObject) (PayInSandboxResponseObject, error) {
	a, now, err := d.counter.PaySandbox(ctx, doorway.CallOf(ctx), r.Reference, r.Body.Outcome == Succeed)
	if err != nil {
		return nil, err
	}
	return PayInSandbox200JSONResponse(topUpOf(&a, now)), nil
}
