package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/job"
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

// ShowHealth says how the house is.
func (d *Door) ShowHealth(ctx context.Context, _ ShowHealthRequestObject) (ShowHealthResponseObject, error) {
	h, err := d.counter.ShowHealth(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	out := ShowHealth200JSONResponse{
		Version: h.Version, StartedTime: h.Started.UTC().Format(stampForm), RealTime: h.Real.UTC().Format(stampForm), Engine: h.Engine, State: h.State(),
		Checks: make([]HealthCheck, len(h.Checks)),
	}
	for i := range h.Checks {
		c := &h.Checks[i]
		one := HealthCheck{Name: c.Name, State: c.State, Count: contract.Int32(c.Count), Message: c.Message, Customers: c.Customers}
		if !c.Since.IsZero() {
			one.Since = c.Since.UTC().Format(stampForm)
		}
		if one.Customers == nil {
			one.Customers = []string{}
		}
		out.Checks[i] = one
	}
	return out, nil
}

// MoveClock turns a test clock forward.
func (d *Door) MoveClock(ctx context.Context, r MoveClockRequestObject) (MoveClockResponseObject, error) {
	at, err := instant("time", &r.Body.Time)
	if err != nil {
		return nil, err
	}
	w, err := d.counter.MoveClock(ctx, doorway.CallOf(ctx), contract.Text(r.Body.CustomerId), at)
	if err != nil {
		return nil, err
	}
	return MoveClock200JSONResponse(jobOf(&w)), nil
}

func jobOf(w *job.Work) Job {
	return Job{
		JobId: w.ID, Kind: w.Kind, CustomerId: w.Scope, TargetTime: w.Target.UTC().Format(stampForm), State: w.State, Done: contract.Int32(w.Count),
		Message: w.Message, CreatedTime: w.Created.UTC().Format(stampForm), UpdatedTime: w.Updated.UTC().Format(stampForm),
	}
}

// ListJobs lists long work.
func (d *Door) ListJobs(ctx context.Context, r ListJobsRequestObject) (ListJobsResponseObject, error) {
	total, page, err := d.counter.Jobs(ctx, doorway.CallOf(ctx), contract.Int(r.Params.Offset, 0), contract.Int(r.Params.Limit, 10))
	if err != nil {
		return nil, err
	}
	out := ListJobs200JSONResponse{TotalCount: contract.Int32(total), Jobs: make([]Job, len(page))}
	for i := range page {
		out.Jobs[i] = jobOf(&page[i])
	}
	return out, nil
}

// ShowJob shows how far long work is.
func (d *Door) ShowJob(ctx context.Context, r ShowJobRequestObject) (ShowJobResponseObject, error) {
	w, err := d.counter.Job(ctx, doorway.CallOf(ctx), r.JobId)
	if err != nil {
		return nil, err
	}
	return ShowJob200JSONResponse(jobOf(&w)), nil
}
