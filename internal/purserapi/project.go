package purserapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/identity"
	"github.com/purser-cloud/purser/internal/operation"
	"github.com/purser-cloud/purser/internal/project"
)

// ListProjectGrants lists what users and groups may do in single enterprise projects.
func (d *Door) ListProjectGrants(ctx context.Context, r ListProjectGrantsRequestObject) (ListProjectGrantsResponseObject, error) {
	list, names, err := d.counter.Grants(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), contract.Text(r.Params.EnterpriseProjectId))
	if err != nil {
		return nil, err
	}
	out := ListProjectGrants200JSONResponse{Grants: make([]ProjectGrant, len(list))}
	for i := range list {
		g := &list[i]
		out.Grants[i] = ProjectGrant{
			EnterpriseProjectId: g.Project, EnterpriseProjectName: names.Of(g.Project), UserName: some(g.User), GroupName: some(g.Group), Actions: g.Actions,
		}
	}
	return out, nil
}

// SetProjectGrant lets a user or a group do something in one enterprise project.
func (d *Door) SetProjectGrant(ctx context.Context, r SetProjectGrantRequestObject) (SetProjectGrantResponseObject, error) {
	in := r.Body
	g := identity.Grant{Project: in.EnterpriseProjectId, User: contract.Text(in.UserName), Group: contract.Text(in.GroupName), Actions: in.Actions}
	if _, err := d.counter.Grant(ctx, doorway.CallOf(ctx), contract.Text(in.CustomerId), g); err != nil {
		return nil, err
	}
	return SetProjectGrant204Response{}, nil
}

// ListUserGroups lists groups of users.
func (d *Door) ListUserGroups(ctx context.Context, r ListUserGroupsRequestObject) (ListUserGroupsResponseObject, error) {
	list, err := d.counter.Groups(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId))
	if err != nil {
		return nil, err
	}
	out := ListUserGroups200JSONResponse{Groups: make([]UserGroup, len(list))}
	for i := range list {
		out.Groups[i] = UserGroup{Name: list[i].Name, UserNames: append([]string{}, list[i].Users...)}
	}
	return out, nil
}

// SetUserGroup makes a group of users, changes it, or forgets it.
func (d *Door) SetUserGroup(ctx context.Context, r SetUserGroupRequestObject) (SetUserGroupResponseObject, error) {
	if _, err := d.counter.SetGroup(ctx, doorway.CallOf(ctx), contract.Text(r.Body.CustomerId), r.Body.Name, r.Body.UserNames); err != nil {
		return nil, err
	}
	return SetUserGroup204Response{}, nil
}

// ListProjectBudgets lists the budgets of enterprise projects.
func (d *Door) ListProjectBudgets(ctx context.Context, r ListProjectBudgetsRequestObject) (ListProjectBudgetsResponseObject, error) {
	list, err := d.counter.Budgets(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId))
	if err != nil {
		return nil, err
	}
	out := ListProjectBudgets200JSONResponse{BillCycle: list.Cycle.String(), Budgets: make([]ProjectBudget, len(list.List))}
	for i := range list.List {
		out.Budgets[i] = budgetOf(&list.List[i], list.Names)
	}
	return out, nil
}

func budgetOf(s *project.Spending, names operation.ProjectNames) ProjectBudget {
	out := ProjectBudget{
		EnterpriseProjectId: s.Project, EnterpriseProjectName: names.Of(s.Project), Budget: s.Amount.String(), Quota: s.Quota.String(),
		AlertShares: make([]contract.Int32, len(s.Shares)), Spent: s.Spent.String(), AlertedShare: contract.Int32(s.Alerted),
	}
	for i, share := range s.Shares {
		out.AlertShares[i] = contract.Int32(share)
	}
	return out
}

// SetProjectBudget sets the budget and the fund quota of an enterprise project.
func (d *Door) SetProjectBudget(ctx context.Context, r SetProjectBudgetRequestObject) (SetProjectBudgetResponseObject, error) {
	in, b := r.Body, project.Budget{Project: r.EnterpriseProjectId}
	limit, err := amount("budget", in.Budget)
	if err != nil {
		return nil, err
	}
	most, err := amount("quota", in.Quota)
	if err != nil {
		return nil, err
	}
	if limit != nil {
		b.Amount = *limit
	}
	if most != nil {
		b.Quota = *most
	}
	for _, share := range in.AlertShares {
		b.Shares = append(b.Shares, int(share))
	}
	call := doorway.CallOf(ctx)
	set, err := d.counter.SetBudget(ctx, call, contract.Text(in.CustomerId), b)
	if err != nil {
		return nil, err
	}
	return SetProjectBudget200JSONResponse(budgetOf(&set.Spending, set.Names)), nil
}

// DropProjectBudget takes the budget and the fund quota of an enterprise project away.
func (d *Door) DropProjectBudget(ctx context.Context, r DropProjectBudgetRequestObject) (DropProjectBudgetResponseObject, error) {
	if err := d.counter.DropBudget(ctx, doorway.CallOf(ctx), contract.Text(r.Params.CustomerId), r.EnterpriseProjectId); err != nil {
		return nil, err
	}
	return DropProjectBudget204Response{}, nil
}
