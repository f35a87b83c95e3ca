package ctsapi

import (
	"context"
	"net/http"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/trace"
)

// page is an answer to ListTraces that is text already: the room writes traces in one form for answers, files and notifications.
type page []byte

// VisitListTracesResponse sends it.
func (p page) VisitListTracesResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(p)
	return err
}

// limitDefault is how many traces a page has when nothing is said.
const limitDefault = 10

// ListTraces finds traces.
func (d *Door) ListTraces(ctx context.Context, r ListTracesRequestObject) (ListTracesResponseObject, error) {
	q := &r.Params
	next := contract.Text(q.Next)
	if next == "" {
		next = contract.Text(q.Marker)
	}
	query := trace.Query{
		Project: r.ProjectId, From: instant(q.From), To: instant(q.To), Next: next, ID: contract.Text(q.TraceId), Tracker: contract.Text(q.TrackerName),
		Service: contract.Text(q.ServiceType), User: contract.Text(q.User), ResourceID: contract.Text(q.ResourceId), ResourceName: contract.Text(q.ResourceName),
		ResourceType: contract.Text(q.ResourceType), Name: contract.Text(q.TraceName), AccessKey: contract.Text(q.AccessKeyId),
		Enterprise: contract.Text(q.EnterpriseProjectId), Limit: contract.Int(q.Limit, limitDefault),
	}
	if q.TraceRating != nil {
		query.Rating = string(*q.TraceRating)
	}
	if query.Limit < 1 { // an empty argument
		query.Limit = limitDefault
	}
	if q.TraceType == "data" { // nothing here keeps data: there are none
		if err := d.counter.TraceProject(ctx, doorway.CallOf(ctx), r.ProjectId); err != nil {
			return nil, err
		}
		return page(trace.PageJSON(nil)), nil
	}
	list, err := d.counter.ListTraces(ctx, doorway.CallOf(ctx), query)
	if err != nil {
		return nil, err
	}
	return page(trace.PageJSON(list)), nil
}

func instant(millis *contract.Int64) time.Time {
	if millis == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*millis)).UTC()
}

// ListOperations lists the events that services report.
func (d *Door) ListOperations(ctx context.Context, r ListOperationsRequestObject) (ListOperationsResponseObject, error) {
	list, err := d.counter.TraceEvents(ctx, doorway.CallOf(ctx), r.ProjectId, contract.Text(r.Params.ServiceType), contract.Text(r.Params.ResourceType))
	if err != nil {
		return nil, err
	}
	out := ListOperations200JSONResponse{Operations: make([]ListOperation, len(list))}
	for i, e := range list {
		out.Operations[i] = ListOperation{ServiceType: &e.Service, ResourceType: &e.ResourceType, OperationList: e.Names}
	}
	return out, nil
}

// ListTraceResources lists the resource types that services report.
func (d *Door) ListTraceResources(ctx context.Context, r ListTraceResourcesRequestObject) (ListTraceResourcesResponseObject, error) {
	list, err := d.counter.TraceTypes(ctx, doorway.CallOf(ctx), r.DomainId)
	if err != nil {
		return nil, err
	}
	out := ListTraceResources200JSONResponse{Resources: []TraceResource{}}
	for _, e := range list {
		if n := len(out.Resources); n == 0 || *out.Resources[n-1].ServiceType != e.Service {
			out.Resources = append(out.Resources, TraceResource{ServiceType: &e.Service})
		}
		last := &out.Resources[len(out.Resources)-1]
		last.Resource = append(last.Resource, e.ResourceType)
	}
	return out, nil
}

// ListUserResources lists who left traces.
func (d *Door) ListUserResources(ctx context.Context, r ListUserResourcesRequestObject) (ListUserResourcesResponseObject, error) {
	names, err := d.counter.TraceUsers(ctx, doorway.CallOf(ctx), r.ProjectId)
	if err != nil {
		return nil, err
	}
	out := ListUserResources200JSONResponse{Users: make([]UserResource, len(names))}
	for i := range names {
		out.Users[i].Name = &names[i]
	}
	return out, nil
}
