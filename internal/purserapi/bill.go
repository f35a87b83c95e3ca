package purserapi

import (
	"bytes"
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/period"
)

// ListParkedCloses lists months whose close failed.
func (d *Door) ListParkedCloses(ctx context.Context, r ListParkedClosesRequestObject) (ListParkedClosesResponseObject, error) {
	total, page, err := d.counter.ParkedMonths(ctx, doorway.CallOf(ctx), contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListParkedCloses200JSONResponse{TotalCount: contract.Int32(total), Closes: make([]ParkedClose, len(page))}
	for i := range page {
		out.Closes[i] = ParkedClose{CustomerId: page[i].Customer, Cycle: page[i].Cycle.String(), Reason: page[i].Reason}
	}
	return out, nil
}

// ListCloseProgress says how far the close of each month is.
func (d *Door) ListCloseProgress(ctx context.Context, _ ListCloseProgressRequestObject) (ListCloseProgressResponseObject, error) {
	list, err := d.counter.CloseProgress(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ListCloseProgress200JSONResponse{Months: make([]CloseProgress, len(list))}
	for i := range list {
		p := &list[i]
		out.Months[i] = CloseProgress{
			Cycle: p.Cycle.String(), ClosesTime: p.Cycle.Closes().UTC().Format(stampForm), Closed: contract.Int32(p.Closed), Waiting: contract.Int32(p.Waiting), Parked: contract.Int32(p.Parked),
		}
	}
	return out, nil
}

// RetryClose lets the close of a parked month be tried again.
func (d *Door) RetryClose(ctx context.Context, r RetryCloseRequestObject) (RetryCloseResponseObject, error) {
	cycle, err := period.ParseCycle(r.Body.Cycle)
	if err != nil {
		return nil, fault.New(fault.Invalid, "CBC.0100", "cycle: %s", err)
	}
	if err := d.counter.RetryMonth(ctx, doorway.CallOf(ctx), r.Body.CustomerId, cycle); err != nil {
		return nil, err
	}
	return RetryClose204Response{}, nil
}

// ShowReport shows a report as CSV.
func (d *Door) ShowReport(ctx context.Context, r ShowReportRequestObject) (ShowReportResponseObject, error) {
	months, err := operation.ParseMonths(contract.Text(r.Params.From), contract.Text(r.Params.To))
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := d.counter.WriteReport(ctx, doorway.CallOf(ctx), string(r.Report), months, &text); err != nil {
		return nil, err
	}
	return ShowReport200TextcsvResponse{Body: &text, ContentLength: int64(text.Len())}, nil
}
