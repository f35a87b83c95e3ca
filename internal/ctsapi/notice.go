package ctsapi

import (
	"context"
	"strings"

	"github.com/purser-cloud/purser/internal/contract"
	"github.com/purser-cloud/purser/internal/doorway"
	"github.com/purser-cloud/purser/internal/trace"
)

// noticeOf reads what creating and changing a notification have in common.
func noticeOf(project, name, kind string, agency *string, operations []Operations, users []NotificationUsers, topic *string, filter *Filter) trace.Notice {
	n := trace.Notice{Project: project, Name: name, Every: kind == "complete", Agency: contract.Text(agency), Topic: contract.Text(topic)}
	for _, o := range operations {
		n.Operations = append(n.Operations, trace.Operations{Service: o.ServiceType, ResourceType: o.ResourceType, Names: o.TraceNames})
	}
	for _, u := range users {
		n.Users = append(n.Users, trace.Group{Name: u.UserGroup, Users: u.UserList})
	}
	if filter != nil {
		n.Filter = &trace.Filter{Condition: string(filter.Condition), On: filter.IsSupportFilter, Rules: filter.Rule}
	}
	return n
}

func noticeAnswer(n *trace.Notice) Notification {
	word := func(yes bool, is, isNot string) *string {
		if yes {
			return &is
		}
		return &isNot
	}
	out := Notification{
		NotificationId: &n.ID, NotificationName: &n.Name, NotificationType: word(n.Calls(), "fun", "smn"), OperationType: word(n.Every, "complete", "customized"),
		Operations: []Operations{}, NotifyUserList: []NotificationUsers{}, Status: word(n.Enabled, "enabled", "disabled"), TopicId: &n.Topic, ProjectId: &n.Project,
		CreateTime: new(contract.Int64(n.Created.UnixMilli())),
	}
	if n.Agency != "" {
		out.AgencyName = &n.Agency
	}
	for _, o := range n.Operations {
		out.Operations = append(out.Operations, Operations{ServiceType: o.Service, ResourceType: o.ResourceType, TraceNames: o.Names})
	}
	for _, u := range n.Users {
		out.NotifyUserList = append(out.NotifyUserList, NotificationUsers{UserGroup: u.Name, UserList: u.Users})
	}
	if n.Filter != nil {
		out.Filter = &FilterView{Condition: &n.Filter.Condition, IsSupportFilter: &n.Filter.On, Rule: n.Filter.Rules}
	}
	return out
}

func showNotice(answer any) any { n := answer.(trace.Notice); return noticeAnswer(&n) }

// CreateNotification adds a notification.
func (d *Door) CreateNotification(ctx context.Context, r CreateNotificationRequestObject) (CreateNotificationResponseObject, error) {
	in, call := r.Body, doorway.CallOf(ctx)
	call.Shows = showNotice
	n, err := d.counter.CreateNotification(ctx, call, noticeOf(r.ProjectId, in.NotificationName, string(in.OperationType), textOf(in.AgencyName), in.Operations, in.NotifyUserList, in.TopicId, in.Filter))
	if err != nil {
		return nil, err
	}
	return CreateNotification201JSONResponse(noticeAnswer(&n)), nil
}

// UpdateNotification replaces a notification.
func (d *Door) UpdateNotification(ctx context.Context, r UpdateNotificationRequestObject) (UpdateNotificationResponseObject, error) {
	in, call := r.Body, doorway.CallOf(ctx)
	call.Shows = showNotice
	n := noticeOf(r.ProjectId, in.NotificationName, string(in.OperationType), textOf(in.AgencyName), in.Operations, in.NotifyUserList, in.TopicId, in.Filter)
	n.ID, n.Enabled = in.NotificationId, in.Status == UpdateNotificationRequestBodyStatusEnabled
	n, err := d.counter.UpdateNotification(ctx, call, n)
	if err != nil {
		return nil, err
	}
	return UpdateNotification200JSONResponse(noticeAnswer(&n)), nil
}

// DeleteNotification removes notifications.
func (d *Door) DeleteNotification(ctx context.Context, r DeleteNotificationRequestObject) (DeleteNotificationResponseObject, error) {
	if err := d.counter.DeleteNotifications(ctx, doorway.CallOf(ctx), r.ProjectId, strings.Split(r.Params.NotificationId, ",")); err != nil {
		return nil, err
	}
	return DeleteNotification204Response{}, nil
}

// ListNotifications lists notifications.
func (d *Door) ListNotifications(ctx context.Context, r ListNotificationsRequestObject) (ListNotificationsResponseObject, error) {
	list, err := d.counter.Notifications(ctx, doorway.CallOf(ctx), r.ProjectId, r.NotificationType == "fun", contract.Text(r.Params.NotificationName))
	if err != nil {
		return nil, err
	}
	out := ListNotifications200JSONResponse{Notifications: make([]Notification, len(list))}
	for i := range list {
		out.Notifications[i] = noticeAnswer(&list[i])
	}
	return out, nil
}
