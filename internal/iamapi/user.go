package iamapi

import (
	"context"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/identity"
)

// KeystoneListAuthDomains names the caller's account.
func (d *Door) KeystoneListAuthDomains(ctx context.Context, _ KeystoneListAuthDomainsRequestObject) (KeystoneListAuthDomainsResponseObject, error) {
	c := &doorway.CallOf(ctx).Caller
	return KeystoneListAuthDomains200JSONResponse{
		Domains: []Domains{{Id: c.DomainID, Name: c.DomainName, Enabled: true, Links: LinksSelf{Self: "/v3/domains/" + c.DomainID}}},
		Links:   LinksSelf{Self: "/v3/auth/domains"},
	}, nil
}

// KeystoneListAuthProjects lists the projects that the caller may enter: all of its account.
func (d *Door) KeystoneListAuthProjects(ctx context.Context, _ KeystoneListAuthProjectsRequestObject) (KeystoneListAuthProjectsResponseObject, error) {
	call := doorway.CallOf(ctx)
	list, err := d.counter.Projects(ctx, call)
	if err != nil {
		return nil, err
	}
	out := KeystoneListAuthProjects200JSONResponse{Links: LinksSelf{Self: "/v3/auth/projects"}, Projects: []AuthProjectResult{}}
	for _, p := range list {
		out.Projects = append(out.Projects, AuthProjectResult{
			Id: p.ID, Name: p.Name, DomainId: call.Caller.DomainID, ParentId: call.Caller.DomainID, Enabled: true,
			Links: LinksSelf{Self: "/v3/projects/" + p.ID},
		})
	}
	return out, nil
}

// KeystoneListProjects lists projects of the caller's account; clients ask for the one named like a region.
func (d *Door) KeystoneListProjects(ctx context.Context, r KeystoneListProjectsRequestObject) (KeystoneListProjectsResponseObject, error) {
	call, q := doorway.CallOf(ctx), &r.Params
	list, err := d.counter.Projects(ctx, call)
	if err != nil {
		return nil, err
	}
	domain := call.Caller.DomainID
	out := KeystoneListProjects200JSONResponse{Links: Links{Self: "/v3/projects"}, Projects: []ProjectResult{}}
	for _, p := range list {
		if q.Name != nil && *q.Name != p.Name || q.DomainId != nil && *q.DomainId != domain || q.ParentId != nil && *q.ParentId != domain ||
			q.Enabled != nil && !*q.Enabled || q.IsDomain != nil && *q.IsDomain {
			continue
		}
		out.Projects = append(out.Projects, ProjectResult{
			Id: p.ID, Name: p.Name, DomainId: domain, ParentId: domain, Enabled: true, Links: Links{Self: "/v3/projects/" + p.ID},
		})
	}
	if q.Page != nil && q.PerPage != nil && *q.Page > 0 && *q.PerPage > 0 {
		from := min(int(*q.Page-1)*int(*q.PerPage), len(out.Projects))
		out.Projects = out.Projects[from:min(from+int(*q.PerPage), len(out.Projects))]
	}
	return out, nil
}

// KeystoneListUsers lists users of the caller's account.
func (d *Door) KeystoneListUsers(ctx context.Context, r KeystoneListUsersRequestObject) (KeystoneListUsersResponseObject, error) {
	call, q := doorway.CallOf(ctx), &r.Params
	list, err := d.counter.Users(ctx, call)
	if err != nil {
		return nil, err
	}
	out := KeystoneListUsers200JSONResponse{Links: Links{Self: "/v3/users"}, Users: []ListedUser{}}
	for i := range list {
		u := &list[i]
		if q.Name != nil && *q.Name != u.Name || q.Enabled != nil && *q.Enabled != u.Enabled || q.DomainId != nil && *q.DomainId != u.DomainID {
			continue
		}
		out.Users = append(out.Users, ListedUser{
			Id: u.ID, Name: u.Name, DomainId: u.DomainID, Enabled: u.Enabled, Description: &u.Description, PwdStatus: new(true),
			Links: Links{Self: "/v3/users/" + u.ID},
		})
	}
	return out, nil
}

// GetCallerIdentity says who the caller is.
func (d *Door) GetCallerIdentity(ctx context.Context, _ GetCallerIdentityRequestObject) (GetCallerIdentityResponseObject, error) {
	c := &doorway.CallOf(ctx).Caller
	return GetCallerIdentity200JSONResponse{
		AccountId: c.DomainID, PrincipalId: c.UserID, PrincipalUrn: "iam::" + c.DomainID + ":user:" + c.UserName,
	}, nil
}

// KeystoneUpdateUserPassword changes the caller's own password.
func (d *Door) KeystoneUpdateUserPassword(ctx context.Context, r KeystoneUpdateUserPasswordRequestObject) (KeystoneUpdateUserPasswordResponseObject, error) {
	u := &r.Body.User
	err := d.counter.ChangePassword(ctx, doorway.CallOf(ctx), r.UserId, identity.Secret(u.OriginalPassword), identity.Secret(u.Password))
	if err != nil {
		return nil, err
	}
	return KeystoneUpdateUserPassword204Response{}, nil
}

// KeystoneUpdateUserByAdmin changes a user of the account.
func (d *Door) KeystoneUpdateUserByAdmin(ctx context.Context, r KeystoneUpdateUserByAdminRequestObject) (KeystoneUpdateUserByAdminResponseObject, error) {
	in := &r.Body.User
	var password *identity.Secret
	if in.Password != nil {
		password = new(identity.Secret(*in.Password))
	}
	u, err := d.counter.UpdateUser(ctx, doorway.CallOf(ctx), r.UserId, identity.UserChange{Name: in.Name, Description: in.Description, Enabled: in.Enabled}, password)
	if err != nil {
		return nil, err
	}
	return KeystoneUpdateUserByAdmin200JSONResponse{User: UpdatedUser{
		Id: u.ID, Name: u.Name, DomainId: u.DomainID, Enabled: u.Enabled, Description: &u.Description, PwdStatus: new(true),
		Links: LinksSelf{Self: "/v3/users/" + u.ID},
	}}, nil
}

// UpdateUserInformation changes a user's e-mail and mobile.
func (d *Door) UpdateUserInformation(ctx context.Context, r UpdateUserInformationRequestObject) (UpdateUserInformationResponseObject, error) {
	if err := d.counter.UpdateContact(ctx, doorway.CallOf(ctx), r.UserId, r.Body.User.Email, r.Body.User.Mobile); err != nil {
		return nil, err
	}
	return UpdateUserInformation204Response{}, nil
}

// ListPermanentAccessKeys lists access keys without their secrets.
func (d *Door) ListPermanentAccessKeys(ctx context.Context, r ListPermanentAccessKeysRequestObject) (ListPermanentAccessKeysResponseObject, error) {
	list, err := d.counter.Keys(ctx, doorway.CallOf(ctx), contract.Text(r.Params.UserId))
	if err != nil {
		return nil, err
	}
	out := ListPermanentAccessKeys200JSONResponse{Credentials: []AccessKey{}}
	for i := range list {
		out.Credentials = append(out.Credentials, keyAnswer(&list[i]))
	}
	return out, nil
}

func keyAnswer(k *identity.Key) AccessKey {
	return AccessKey{Access: k.Access, UserId: k.UserID, Description: k.Description, Status: status(k), CreateTime: stamp(k.Created)}
}

func status(k *identity.Key) string {
	if k.Active {
		return string(Active)
	}
	return string(Inactive)
}

// CreatePermanentAccessKey makes an access key; its secret is in this answer only.
func (d *Door) CreatePermanentAccessKey(ctx context.Context, r CreatePermanentAccessKeyRequestObject) (CreatePermanentAccessKeyResponseObject, error) {
	k, err := d.counter.AddKey(ctx, doorway.CallOf(ctx), r.Body.Credential.UserId, contract.Text(r.Body.Credential.Description))
	if err != nil {
		return nil, err
	}
	return CreatePermanentAccessKey201JSONResponse{Credential: CreatedAccessKey{
		Access: k.Access, Secret: k.Secret.Reveal(), UserId: k.UserID, Description: k.Description, Status: status(&k), CreateTime: stamp(k.Created),
	}}, nil
}

// ShowPermanentAccessKey shows an access key without its secret.
func (d *Door) ShowPermanentAccessKey(ctx context.Context, r ShowPermanentAccessKeyRequestObject) (ShowPermanentAccessKeyResponseObject, error) {
	k, err := d.counter.Key(ctx, doorway.CallOf(ctx), r.AccessKey)
	if err != nil {
		return nil, err
	}
	return ShowPermanentAccessKey200JSONResponse{Credential: ShownAccessKey{
		Access: k.Access, UserId: k.UserID, Description: k.Description, Status: status(&k), CreateTime: stamp(k.Created),
	}}, nil
}

// UpdatePermanentAccessKey turns an access key on or off and describes it.
func (d *Door) UpdatePermanentAccessKey(ctx context.Context, r UpdatePermanentAccessKeyRequestObject) (UpdatePermanentAccessKeyResponseObject, error) {
	in := &r.Body.Credential
	var active *bool
	if in.Status != nil {
		active = new(*in.Status == Active)
	}
	k, err := d.counter.UpdateKey(ctx, doorway.CallOf(ctx), r.AccessKey, active, in.Description)
	if err != nil {
		return nil, err
	}
	return UpdatePermanentAccessKey200JSONResponse{Credential: keyAnswer(&k)}, nil
}

// DeletePermanentAccessKey deletes an access key.
func (d *Door) DeletePermanentAccessKey(ctx context.Context, r DeletePermanentAccessKeyRequestObject) (DeletePermanentAccessKeyResponseObject, error) {
	if err := d.counter.DeleteKey(ctx, doorway.CallOf(ctx), r.AccessKey); err != nil {
		return nil, err
	}
	return DeletePermanentAccessKey204Response{}, nil
}
