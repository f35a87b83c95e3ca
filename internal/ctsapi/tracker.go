package ctsapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/trace"
)

func textOf[T ~string](s *T) *string {
	if s == nil {
		return nil
	}
	return new(string(*s))
}

// targetOf reads where files are written; a bucket without a name: nowhere any more.
func targetOf(c *trace.Change, in *TrackerObsInfo) {
	if in == nil {
		return
	}
	c.Bucket, c.Prefix, c.MakeBucket, c.ByService = in.BucketName, in.FilePrefixName, in.IsObsCreated, in.IsSortByService
	if in.BucketLifecycle != nil {
		c.Lifecycle = new(int64(*in.BucketLifecycle))
	}
	if in.CompressType != nil && *in.CompressType != "" {
		c.Plain = new(*in.CompressType == Json)
	}
}

func watchedOf(c *trace.Change, in *DataBucket) {
	if in == nil {
		return
	}
	c.HasData, c.DataBucket = true, in.DataBucketName
	for _, e := range in.DataEvent {
		c.DataEvents = append(c.DataEvents, string(e))
	}
}

func excludedOf(c *trace.Change, in *ManagementEventSelector) {
	if in != nil {
		c.Excluded = append([]string{}, in.ExcludeService...)
	}
}

// CreateTracker adds a tracker.
func (d *Door) CreateTracker(ctx context.Context, r CreateTrackerRequestObject) (CreateTrackerResponseObject, error) {
	in := r.Body
	change := trace.Change{
		Kind: string(in.TrackerType), Name: in.TrackerName, Agency: textOf(in.AgencyName), Organization: in.IsOrganizationTracker, Logged: in.IsLtsEnabled,
		Encrypted: in.IsSupportTraceFilesEncryption, Key: in.KmsId, Validated: in.IsSupportValidate,
	}
	targetOf(&change, in.ObsInfo)
	watchedOf(&change, in.DataBucket)
	excludedOf(&change, in.ManagementEventSelector)
	call := doorway.CallOf(ctx)
	call.Shows = func(answer any) any { t := answer.(trace.Tracker); return trackerOf(&t) }
	t, err := d.counter.CreateTracker(ctx, call, r.ProjectId, &change)
	if err != nil {
		return nil, err
	}
	out := trackerOf(&t)
	out.GroupId, out.StreamId = nil, nil // the list has them, this answer has not
	return CreateTracker201JSONResponse(out), nil
}

// UpdateTracker changes a tracker.
func (d *Door) UpdateTracker(ctx context.Context, r UpdateTrackerRequestObject) (UpdateTrackerResponseObject, error) {
	in := r.Body
	change := trace.Change{
		Kind: string(in.TrackerType), Name: in.TrackerName, Agency: textOf(in.AgencyName), Organization: in.IsOrganizationTracker, Logged: in.IsLtsEnabled,
		Encrypted: in.IsSupportTraceFilesEncryption, Key: in.KmsId, Validated: in.IsSupportValidate,
	}
	if in.Status != nil && *in.Status != "" {
		change.Enabled = new(*in.Status == UpdateTrackerRequestBodyStatusEnabled)
	}
	targetOf(&change, in.ObsInfo)
	watchedOf(&change, in.DataBucket)
	excludedOf(&change, in.ManagementEventSelector)
	if err := d.counter.UpdateTracker(ctx, doorway.CallOf(ctx), r.ProjectId, &change); err != nil {
		return nil, err
	}
	return UpdateTracker200Response{}, nil
}

// ListTrackers lists trackers.
func (d *Door) ListTrackers(ctx context.Context, r ListTrackersRequestObject) (ListTrackersResponseObject, error) {
	list, err := d.counter.Trackers(ctx, doorway.CallOf(ctx), r.ProjectId, contract.Text(textOf(r.Params.TrackerType)), contract.Text(r.Params.TrackerName))
	if err != nil {
		return nil, err
	}
	out := ListTrackers200JSONResponse{Trackers: make([]Tracker, len(list))}
	for i := range list {
		out.Trackers[i] = trackerOf(&list[i])
	}
	return out, nil
}

// DeleteTracker removes trackers.
func (d *Door) DeleteTracker(ctx context.Context, r DeleteTrackerRequestObject) (DeleteTrackerResponseObject, error) {
	kind := trace.Data
	if r.Params.TrackerType != nil && *r.Params.TrackerType != "" {
		kind = string(*r.Params.TrackerType)
	}
	if err := d.counter.DeleteTracker(ctx, doorway.CallOf(ctx), r.ProjectId, kind, contract.Text(r.Params.TrackerName)); err != nil {
		return nil, err
	}
	return DeleteTracker204Response{}, nil
}

func trackerOf(t *trace.Tracker) Tracker {
	status := "enabled"
	switch {
	case !t.Enabled:
		status = "disabled"
	case t.Trouble != "":
		status = "error"
	}
	detail := ""
	if t.Trouble != "" && t.Enabled {
		detail = "noBucket"
	}
	off := false
	out := Tracker{
		Id: &t.ID, CreateTime: new(contract.Int64(t.Created.UnixMilli())), TrackerType: &t.Kind, TrackerName: &t.Name, DomainId: &t.Customer, ProjectId: &t.Project,
		Status: &status, Detail: &detail, KmsId: new(""), IsSupportTraceFilesEncryption: &off, IsOrganizationTracker: &off, GroupId: new(""), StreamId: new(""),
		Lts: &Lts{IsLtsEnabled: &off, LogGroupName: new("CTS"), LogTopicName: new(t.Name + "-trace")},
	}
	if t.Agency != "" {
		out.AgencyName = &t.Agency
	}
	if t.Kind == trace.System {
		out.IsSupportValidate = &t.Validated
		out.ManagementEventSelector = &ManagementEventSelector{ExcludeService: t.Excluded}
	} else {
		out.DataBucket = &DataBucketQuery{DataBucketName: &t.DataBucket, SearchEnabled: &off, DataEvent: t.DataEvents}
	}
	if t.Bucket == "" {
		return out
	}
	compress := string(Gzip)
	if t.Plain {
		compress = string(Json)
	}
	out.ObsInfo = &ObsInfo{
		BucketName: &t.Bucket, FilePrefixName: &t.Prefix, IsObsCreated: &t.MadeBucket, IsAuthorizedBucket: new(true), CompressType: &compress, IsSortByService: &t.ByService,
	}
	if t.Kind == trace.Data {
		out.ObsInfo.BucketLifecycle = new(contract.Int64(t.Lifecycle))
	}
	return out
}

// ListQuotas says how many trackers there may be, and are.
func (d *Door) ListQuotas(ctx context.Context, r ListQuotasRequestObject) (ListQuotasResponseObject, error) {
	list, err := d.counter.Trackers(ctx, doorway.CallOf(ctx), r.ProjectId, "", "")
	if err != nil {
		return nil, err
	}
	used := map[string]int64{}
	for i := range list {
		used[list[i].Kind]++
	}
	row := func(kind string, most int64) CtsQuota {
		return CtsQuota{Type: new(kind + "_tracker"), Used: new(contract.Int64(used[kind])), Quota: new(contract.Int64(most))}
	}
	return ListQuotas200JSONResponse{Resources: []CtsQuota{row(trace.Data, trace.DataMost), row(trace.System, trace.SystemMost)}}, nil
}

// CheckObsBuckets says whether files can be written to buckets.
func (d *Door) CheckObsBuckets(ctx context.Context, r CheckObsBucketsRequestObject) (CheckObsBucketsResponseObject, error) {
	names := make([]string, len(r.Body.Buckets))
	for i := range names {
		names[i] = r.Body.Buckets[i].BucketName
	}
	list, err := d.counter.CheckBuckets(ctx, doorway.CallOf(ctx), r.DomainId, names)
	if err != nil {
		return nil, err
	}
	out := CheckObsBuckets200JSONResponse{Buckets: make([]Bucket, len(list))}
	for i := range list {
		in := &r.Body.Buckets[i]
		one := Bucket{BucketName: in.BucketName, BucketLocation: &in.BucketLocation, CheckBucketResponse: BucketCheck{Success: new(true), ResponseCode: new(contract.Int32(200))}}
		if why := list[i].Why; why != nil {
			one.CheckBucketResponse = BucketCheck{Success: new(false), ResponseCode: new(contract.Int32(why.Kind.Status())), ErrorCode: &why.Code, ErrorMessage: &why.Message} //nolint:gosec // a status
		} else if in.IsSupportTraceFilesEncryption != nil && *in.IsSupportTraceFilesEncryption {
			one.KmsId = in.KmsId
			one.CheckBucketResponse = BucketCheck{Success: new(false), ResponseCode: new(contract.Int32(400)), ErrorCode: new("CTS.0222"), ErrorMessage: new("The encryption key cannot be used: there is no key service here.")}
		}
		out.Buckets[i] = one
	}
	return out, nil
}

// BatchCreateResourceTags puts tags on a tracker.
func (d *Door) BatchCreateResourceTags(ctx context.Context, r BatchCreateResourceTagsRequestObject) (BatchCreateResourceTagsResponseObject, error) {
	tags, valued := tagsOf(r.Body.Tags)
	if err := d.counter.TagTracker(ctx, doorway.CallOf(ctx), r.ProjectId, r.ResourceId, tags, valued, false); err != nil {
		return nil, err
	}
	return BatchCreateResourceTags204Response{}, nil
}

// BatchDeleteResourceTags takes tags off a tracker.
func (d *Door) BatchDeleteResourceTags(ctx context.Context, r BatchDeleteResourceTagsRequestObject) (BatchDeleteResourceTagsResponseObject, error) {
	tags, valued := tagsOf(r.Body.Tags)
	if err := d.counter.TagTracker(ctx, doorway.CallOf(ctx), r.ProjectId, r.ResourceId, tags, valued, true); err != nil {
		return nil, err
	}
	return BatchDeleteResourceTags204Response{}, nil
}

func tagsOf(in []Tags) (out []trace.Tag, valued func(int) bool) {
	for _, t := range in {
		out = append(out, trace.Tag{Key: t.Key, Value: contract.Text(t.Value)})
	}
	return out, func(i int) bool { return in[i].Value != nil }
}
