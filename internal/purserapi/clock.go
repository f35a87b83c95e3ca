package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
)

// ListClocks lists the test clocks.
func (d *Door) ListClocks(ctx context.Context, _ ListClocksRequestObject) (ListClocksResponseObject, error) {
	list, err := d.counter.TestClocks(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ListClocks200JSONResponse{Clocks: []Clock{}}
	for _, b := range list {
		out.Clocks = append(out.Clocks, Clock{CustomerId: b.Scope, Time: b.At.UTC().Format(stampForm), SetTime: b.Set.UTC().Format(stampForm)})
	}
	return out, nil
}

// MoveClock turns a test clock forward.
func (d *Door) MoveClock(ctx context.Context, r MoveClockRequestObject) (MoveClockResponseObject, error) {
	at, err := instant("time", &r.Body.Time)
	if err != nil {
		return nil, err
	}
	if err := d.counter.MoveClock(ctx, doorway.CallOf(ctx), contract.Text(r.Body.CustomerId), at); err != nil {
		return nil, err
	}
	return MoveClock204Response{}, nil
}
