package epsapi

import (
	"context"
	"time"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/project"
)

// stampForm is how instants stand on this surface, UTC.
const stampForm = "2006-01-02T15:04:05Z"

func stamp(t time.Time) string { return t.UTC().Format(stampForm) }

// Numbers of a project's state.
const (
	enabled  = 1
	disabled = 2
)

func detail(p *project.Project) EpDetail {
	out := EpDetail{
		Id: p.ID, Name: p.Name, Description: p.Description, Status: disabled, Type: p.Kind, CreatedAt: stamp(p.Created), UpdatedAt: stamp(p.Updated),
		DeleteFlag: !p.Deleted.IsZero(),
	}
	if p.Enabled {
		out.Status = enabled
	}
	return out
}

// ListEnterpriseProject lists the projects that the caller may use.
func (d *Door) ListEnterpriseProject(ctx context.Context, r ListEnterpriseProjectRequestObject) (ListEnterpriseProjectResponseObject, error) {
	in := &r.Params
	q := project.Query{ID: contract.Text(in.Id), Name: contract.Text(in.Name), By: "created_at", Down: true}
	if in.Status != nil {
		q.Enabled = new(*in.Status == enabled)
	}
	if in.Type != nil {
		q.Kind = string(*in.Type)
	}
	if in.SortKey != nil {
		q.By = string(*in.SortKey)
	}
	if in.SortDir != nil {
		q.Down = *in.SortDir != "asc"
	}
	total, page, err := d.counter.ListProjects(ctx, doorway.CallOf(ctx), q, contract.Int(in.Offset, 0), contract.Int(in.Limit, pageMost))
	if err != nil {
		return nil, err
	}
	out := ListEnterpriseProject200JSONResponse{TotalCount: contract.Int32(total), EnterpriseProjects: make([]EpDetail, len(page))}
	for i := range page {
		out.EnterpriseProjects[i] = detail(&page[i])
	}
	return out, nil
}

// pageMost is how many rows a page has at most, and unless it is told.
const pageMost = 1000

// CreateEnterpriseProject makes a project.
func (d *Door) CreateEnterpriseProject(ctx context.Context, r CreateEnterpriseProjectRequestObject) (CreateEnterpriseProjectResponseObject, error) {
	p := project.Project{Name: r.Body.Name, Description: contract.Text(r.Body.Description), Kind: kindOf(r.Body.Type)}
	made, err := d.counter.CreateProject(ctx, doorway.CallOf(ctx), p)
	if err != nil {
		return nil, err
	}
	return CreateEnterpriseProject201JSONResponse{EnterpriseProject: detail(&made)}, nil
}

func kindOf(given *EnterpriseProjectType) string {
	if given == nil {
		return ""
	}
	return string(*given)
}

// ShowEnterpriseProject shows a project.
func (d *Door) ShowEnterpriseProject(ctx context.Context, r ShowEnterpriseProjectRequestObject) (ShowEnterpriseProjectResponseObject, error) {
	p, err := d.counter.ShowProject(ctx, doorway.CallOf(ctx), r.EnterpriseProjectId)
	if err != nil {
		return nil, err
	}
	return ShowEnterpriseProject200JSONResponse{EnterpriseProject: detail(&p)}, nil
}

// UpdateEnterpriseProject renames and describes a project.
func (d *Door) UpdateEnterpriseProject(ctx context.Context, r UpdateEnterpriseProjectRequestObject) (UpdateEnterpriseProjectResponseObject, error) {
	p, err := d.counter.ChangeProject(ctx, doorway.CallOf(ctx), r.EnterpriseProjectId, r.Body.Name, r.Body.Description, kindOf(r.Body.Type))
	if err != nil {
		return nil, err
	}
	return UpdateEnterpriseProject200JSONResponse{EnterpriseProject: detail(&p)}, nil
}

// DeleteEnterpriseProject deletes a project, where that is allowed.
func (d *Door) DeleteEnterpriseProject(ctx context.Context, r DeleteEnterpriseProjectRequestObject) (DeleteEnterpriseProjectResponseObject, error) {
	if err := d.counter.DeleteProject(ctx, doorway.CallOf(ctx), r.EnterpriseProjectId); err != nil {
		return nil, err
	}
	return DeleteEnterpriseProject204Response{}, nil
}

// SwitchEnterpriseProject enables or disables a project.
func (d *Door) SwitchEnterpriseProject(ctx context.Context, r SwitchEnterpriseProjectRequestObject) (SwitchEnterpriseProjectResponseObject, error) {
	if err := d.counter.SwitchProject(ctx, doorway.CallOf(ctx), r.EnterpriseProjectId, r.Body.Action == "enable"); err != nil {
		return nil, err
	}
	return SwitchEnterpriseProject204Response{}, nil
}

// ShowEnterpriseProjectQuota says how many projects there may be, and are.
func (d *Door) ShowEnterpriseProjectQuota(ctx context.Context, _ ShowEnterpriseProjectQuotaRequestObject) (ShowEnterpriseProjectQuotaResponseObject, error) {
	most, used, err := d.counter.ProjectQuota(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	return ShowEnterpriseProjectQuota200JSONResponse{Quotas: QuotasDetail{Resources: []EpQuotas{
		{Type: "enterprise_project", Quota: contract.Int32(most), Used: contract.Int32(used)},
	}}}, nil
}

// ShowEpConfigs shows the feature switches.
func (d *Door) ShowEpConfigs(ctx context.Context, _ ShowEpConfigsRequestObject) (ShowEpConfigsResponseObject, error) {
	deletable, err := d.counter.ProjectsDeletable(ctx, doorway.CallOf(ctx))
	if err != nil {
		return nil, err
	}
	word := "false"
	if deletable {
		word = "true"
	}
	return ShowEpConfigs200JSONResponse{SupportItem: EnterpriseProjectConfig{DeleteEpSupport: word}}, nil
}
