package bssapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/catalog"
	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/db"
	"github.com/purser-cloud/purser/internal/doorway"
)

// ListServiceTypes lists services.
func (d *Door) ListServiceTypes(ctx context.Context, r ListServiceTypesRequestObject) (ListServiceTypesResponseObject, error) {
	q, in := &r.Params, languageOf(r.Params.XLanguage)
	out := ListServiceTypes200JSONResponse{ServiceTypes: []ServiceTypes{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		total, rows := shelf.ServiceTypes(in, contract.Text(q.ServiceTypeName), page(q.Offset, q.Limit))
		out.TotalCount = contract.Int32(total)
		out.ServiceTypes = make([]ServiceTypes, 0, len(rows))
		for i := range rows {
			out.ServiceTypes = append(out.ServiceTypes, ServiceTypes{
				ServiceTypeCode: rows[i].Code, ServiceTypeName: rows[i].Name.In(in), Abbreviation: rows[i].Abbreviation,
			})
		}
	})
	return listServiceTypesOK{&out}, err
}

// ListResourceTypes lists resource types.
func (d *Door) ListResourceTypes(ctx context.Context, r ListResourceTypesRequestObject) (ListResourceTypesResponseObject, error) {
	in := languageOf(r.Params.XLanguage)
	out := ListResourceTypes200JSONResponse{ResourceTypes: []ResourceTypes{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		total, rows := shelf.ResourceTypes(page(r.Params.Offset, r.Params.Limit))
		out.TotalCount = contract.Int32(total)
		out.ResourceTypes = make([]ResourceTypes, 0, len(rows))
		for i := range rows {
			out.ResourceTypes = append(out.ResourceTypes, ResourceTypes{
				ResourceTypeCode: rows[i].Code, ResourceTypeName: rows[i].Name.In(in), ResourceTypeDesc: rows[i].Description.In(in),
				ServiceTypeCode: rows[i].Service,
			})
		}
	})
	return listResourceTypesOK{&out}, err
}

// ListServiceResources lists the resource types of a service; an unknown service has none.
func (d *Door) ListServiceResources(ctx context.Context, r ListServiceResourcesRequestObject) (ListServiceResourcesResponseObject, error) {
	in := languageOf(r.Params.XLanguage)
	out := ListServiceResources200JSONResponse{Infos: []ServiceResourceInfo{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		total, rows := shelf.ServiceResources(r.Params.ServiceTypeCode, page(r.Params.Offset, r.Params.Limit))
		out.TotalCount = contract.Int32(total)
		out.Infos = make([]ServiceResourceInfo, 0, len(rows))
		for _, t := range rows {
			out.Infos = append(out.Infos, ServiceResourceInfo{BasicInfo: ResourceBasicInfo{
				ResourceTypeCode: t.Code, ProductOwnerService: t.Service, Name: t.Name.In(in), Description: t.Description.In(in),
			}})
		}
	})
	return listServiceResourcesOK{&out}, err
}

// ListUsageTypes lists usage types.
func (d *Door) ListUsageTypes(ctx context.Context, r ListUsageTypesRequestObject) (ListUsageTypesResponseObject, error) {
	in := languageOf(r.Params.XLanguage)
	out := ListUsageTypes200JSONResponse{UsageTypes: []UsageType{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		total, rows := shelf.UsageTypes(contract.Text(r.Params.ResourceTypeCode), page(r.Params.Offset, r.Params.Limit))
		out.TotalCount = contract.Int32(total)
		out.UsageTypes = make([]UsageType, 0, len(rows))
		for _, row := range rows {
			out.UsageTypes = append(out.UsageTypes, UsageType{
				Code: row.Usage.Code, Name: row.Usage.Name.In(in), ResourceTypeCode: row.Type.Code, ResourceTypeName: row.Type.Name.In(in),
				ServiceTypeCode: row.Service.Code, ServiceTypeName: row.Service.Name.In(in),
			})
		}
	})
	return listUsageTypesOK{&out}, err
}

// ListMeasureUnits lists measure units.
func (d *Door) ListMeasureUnits(ctx context.Context, r ListMeasureUnitsRequestObject) (ListMeasureUnitsResponseObject, error) {
	in := languageOf(r.Params.XLanguage)
	out := ListMeasureUnits200JSONResponse{MeasureUnits: []MeasureUnitRest{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		out.MeasureUnits = make([]MeasureUnitRest, 0, len(shelf.MeasureUnits()))
		for _, u := range shelf.MeasureUnits() {
			out.MeasureUnits = append(out.MeasureUnits, MeasureUnitRest{
				MeasureId: contract.Int32(u.ID), MeasureName: u.Name.In(in), Abbreviation: u.Abbreviation, MeasureType: contract.Int32(u.Type),
			})
		}
	})
	return listMeasureUnitsOK{&out}, err
}

// ListConversions lists conversions between units.
func (d *Door) ListConversions(ctx context.Context, r ListConversionsRequestObject) (ListConversionsResponseObject, error) {
	out := ListConversions200JSONResponse{Conversions: []Conversion{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, _ *db.View) {
		var measure int32
		if r.Params.MeasureType != nil {
			measure = int32(*r.Params.MeasureType)
		}
		out.Conversions = make([]Conversion, 0, len(shelf.Conversions(measure)))
		for _, v := range shelf.Conversions(measure) {
			out.Conversions = append(out.Conversions, Conversion{
				MeasureId: contract.Int32(v.From), RefMeasureId: contract.Int32(v.To), ConversionRatio: contract.Int64(v.Ratio), MeasureType: contract.Int32(v.Type),
			})
		}
	})
	return listConversionsOK{&out}, err
}

// ListResourceSpecs lists the specs of a resource type that are sold in a region.
func (d *Door) ListResourceSpecs(ctx context.Context, r ListResourceSpecsRequestObject) (ListResourceSpecsResponseObject, error) {
	q, in := r.Body, languageOf(r.Params.XLanguage)
	query := catalog.SpecQuery{
		Service: q.CloudServiceType, ResourceType: q.ResourceType, Region: q.RegionCode, Terms: q.ChargeMode == "1",
		Marker: contract.Text(q.Marker), Limit: contract.Int(q.Limit, 100),
	}
	for _, f := range q.Filters {
		if f.Key != "RESOURCE_SPEC" {
			return nil, &contract.Problem{Where: "filters[0].key", What: "must be RESOURCE_SPEC"}
		}
		query.Text = f.Value
	}
	out := ListResourceSpecs200JSONResponse{CloudServiceBasics: []CloudServiceBasic{}}
	err := d.counter.Browse(ctx, doorway.CallOf(ctx), func(shelf *catalog.Snapshot, v *db.View) {
		rows, next := shelf.ResourceSpecs(query, v.Now)
		if next != "" {
			out.PageInfo.NextMarker = &next
		}
		for _, p := range rows {
			row := CloudServiceBasic{
				CloudServiceType: p.Service, ResourceType: p.ResourceType, ResourceSpec: p.Spec, ResourceSpecName: p.Name.In(in) + " " + p.Spec,
				RegionCode: p.Region, ChargeMode: string(q.ChargeMode),
			}
			if s, ok := shelf.Service(p.Service); ok {
				row.CloudServiceTypeName = s.Name.In(in)
			}
			if t, ok := shelf.ResourceType(p.ResourceType); ok {
				row.ResourceTypeName = t.Name.In(in)
			}
			out.CloudServiceBasics = append(out.CloudServiceBasics, row)
		}
	})
	return listResourceSpecsOK{&out}, err
}
