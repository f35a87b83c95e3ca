package epsapi

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/fault"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/project"
)

// ShowResourceBindEnterpriseProject finds resources of a project.
func (d *Door) ShowResourceBindEnterpriseProject(ctx context.Context, r ShowResourceBindEnterpriseProjectRequestObject) (ShowResourceBindEnterpriseProjectResponseObject, error) {
	in, name := r.Body, ""
	for _, m := range in.Matches {
		name = m.Value
	}
	if len(in.Matches) > 1 {
		return nil, fault.New(fault.Invalid, "EPS.0002", "matches: one condition on resource_name")
	}
	call := doorway.CallOf(ctx)
	page, err := d.counter.FindResources(ctx, call, r.EnterpriseProjectId, in.ResourceTypes, in.Projects, name, contract.Int(in.Offset, 0), contract.Int(in.Limit, pageMost))
	if err != nil {
		return nil, err
	}
	out := ShowResourceBindEnterpriseProject200JSONResponse{TotalCount: contract.Int32(page.Total), Resources: make([]Resources, len(page.List)), Errors: make([]Errors, len(page.Omitted))}
	for i := range page.List {
		h := &page.List[i]
		out.Resources[i] = Resources{
			EnterpriseProjectId: h.Project, ProjectId: h.CloudProject, ProjectName: h.Region, ResourceId: h.ID, ResourceName: h.Name,
			ResourceType: project.ShortType(h.Type), ResourceDetail: ResourceDetail{},
		}
	}
	for i := range page.Omitted {
		o := &page.Omitted[i]
		out.Errors[i] = Errors{ErrorCode: new("EPS.0002"), ErrorMsg: &o.Why, ProjectId: some(o.CloudProject), ResourceType: some(o.Type)}
	}
	return out, nil
}

func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// MigrateResource moves a resource into a project.
func (d *Door) MigrateResource(ctx context.Context, r MigrateResourceRequestObject) (MigrateResourceResponseObject, error) {
	in := r.Body
	m := operation.Moving{
		Resource: in.ResourceId, Type: in.ResourceType, CloudProject: contract.Text(in.ProjectId), Region: contract.Text(in.RegionId),
		Associated: in.Associated != nil && *in.Associated,
	}
	if err := d.counter.MoveResource(ctx, doorway.CallOf(ctx), r.EnterpriseProjectId, m); err != nil {
		return nil, err
	}
	return MigrateResource204Response{}, nil
}

// instant reads UTC YYYY-MM-DDTHH:MM:SSZ, or milliseconds since 1970.
func instant(name string, given *string) (time.Time, error) {
	text := contract.Text(given)
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(stampForm, text); err == nil {
		return t, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n < 1<<43 {
		return time.UnixMilli(n), nil
	}
	return time.Time{}, fault.New(fault.Invalid, "EPS.0002", "%s: must be YYYY-MM-DDTHH:MM:SSZ or milliseconds since 1970", name)
}

// ListMigrationRecord lists what was moved. A project is that which the resource went into: moves are seen from there.
func (d *Door) ListMigrationRecord(ctx context.Context, r ListMigrationRecordRequestObject) (ListMigrationRecordResponseObject, error) {
	in := &r.Params
	q := project.MoveQuery{Resource: contract.Text(in.ResourceId)}
	var err error
	if q.From, err = instant("start_time", in.StartTime); err != nil {
		return nil, err
	}
	if q.To, err = instant("end_time", in.EndTime); err != nil {
		return nil, err
	}
	offset, err := strconv.Atoi(contract.Text(in.Offset))
	if in.Offset != nil && err != nil {
		return nil, fault.New(fault.Invalid, "EPS.0018", "offset: must be a whole number")
	}
	list, regions, err := d.counter.Moves(ctx, doorway.CallOf(ctx), q, offset, contract.Int(in.Limit, pageMost))
	if err != nil {
		return nil, err
	}
	out := ListMigrationRecord200JSONResponse{Records: make([]ResourceMigrateRecord, len(list))}
	for i := range list {
		m := &list[i]
		out.Records[i] = ResourceMigrateRecord{
			Associated: &m.Associated, Code: new("204"), Message: new(""), ProjectId: &m.CloudProject, ProjectName: new(regions[m.CloudProject]), RegionId: &m.Region,
			EventTime: new(stamp(m.At)), UserName: &m.User, OperateType: new("in"), ResourceId: &m.Resource, ResourceName: &m.Name, ResourceType: &m.Type,
			InitiateEpId: &m.Target, InitiateEpName: &m.TargetName, OriginEpId: &m.Origin, OriginEpName: &m.OriginName, TargetEpId: &m.Target,
			TargetEpName: &m.TargetName, ExistFailed: new("false"),
		}
	}
	return out, nil
}

// ShowAssociatedResources lists what would move along with a resource.
func (d *Door) ShowAssociatedResources(ctx context.Context, r ShowAssociatedResourcesRequestObject) (ShowAssociatedResourcesResponseObject, error) {
	in := &r.Params
	one, with, err := d.counter.TiedResources(ctx, doorway.CallOf(ctx), operation.Moving{Resource: r.ResourceId, Type: in.ResourceType, CloudProject: in.ProjectId, Region: in.RegionId})
	if err != nil {
		return nil, err
	}
	out := ShowAssociatedResources200JSONResponse{
		Id: one.ID, Name: one.Name, Type: project.ShortType(one.Type), AssociatedResources: make([]AssociatedResource, len(with)), Errors: []AssociatedResourceError{},
	}
	for i := range with {
		h := &with[i]
		out.AssociatedResources[i] = AssociatedResource{Id: &h.ID, Name: &h.Name, Eip: new(""), ResourceType: new(project.ShortType(h.Type))}
	}
	return out, nil
}

// ListProviders lists the services whose resources can belong to a project: all of the catalogue.
func (d *Door) ListProviders(ctx context.Context, r ListProvidersRequestObject) (ListProvidersResponseObject, error) {
	in, language := &r.Params, catalog.Chinese
	if in.Locale != nil {
		language = catalog.LanguageOf(string(*in.Locale))
	}
	var all []Provider
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		var regions []string
		for _, region := range shelf.Regions() {
			regions = append(regions, region.Code)
		}
		_, services := shelf.ServiceTypes(language, "", everything)
		for i := range services {
			s := &services[i]
			if p := contract.Text(in.Provider); p != "" && p != strings.ToLower(s.Abbreviation) {
				continue
			}
			one := Provider{Provider: strings.ToLower(s.Abbreviation), ProviderI18nDisplayName: s.Name.In(language), ResourceTypes: []ResourceType{}}
			_, types := shelf.ServiceResources(s.Code, everything)
			for _, t := range types {
				one.ResourceTypes = append(one.ResourceTypes, ResourceType{ResourceType: project.ShortType(t.Code), ResourceTypeI18nDisplayName: t.Name.In(language), Regions: regions})
			}
			all = append(all, one)
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Provider) int { return strings.Compare(a.Provider, b.Provider) })
	from := min(contract.Int(in.Offset, 0), len(all))
	out := ListProviders200JSONResponse{TotalCount: contract.Int32(len(all)), Providers: all[from:min(from+contract.Int(in.Limit, 200), len(all))]}
	if out.Providers == nil {
		out.Providers = []Provider{}
	}
	return out, nil
}

// everything is a page of all rows.
var everything = catalog.Page{Limit: 1 << 20}

// ListResourceMapping names resource types in other services.
func (d *Door) ListResourceMapping(ctx context.Context, _ ListResourceMappingRequestObject) (ListResourceMappingResponseObject, error) {
	out := ListResourceMapping200JSONResponse{ResourceMapping: ResourceMapping{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		_, types := shelf.ResourceTypes(everything)
		for i := range types {
			if s, ok := shelf.Service(types[i].Service); ok {
				out.ResourceMapping[project.ShortType(types[i].Code)] = project.Elsewhere(s.Abbreviation, types[i].Code)
			}
		}
	})
	return out, err
}
