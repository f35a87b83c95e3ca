package conformance

import (
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	bssmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/bssintl/v2/model"
	cts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cts/v3/model"
)

func (s *server) cts(t *testing.T, c credentials, project string) *cts.CtsClient {
	t.Helper()
	credential, err := basic.NewCredentialsBuilder().WithAk(c.AccessKey).WithSk(c.SecretKey).WithProjectId(project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	client, err := cts.CtsClientBuilder().WithEndpoint(s.Endpoint).WithCredential(credential).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return cts.NewCtsClient(client)
}

// The official Go SDK lists traces to the last page, by every filter that it has, and runs trackers and notifications.
func TestGoSDKTraces(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		c := s.Customers[0]
		me, bss := s.cts(t, c, c.ProjectID), s.bss(t, c.AccessKey, c.SecretKey, "", c.DomainID)
		for range 5 {
			_, err := bss.PayOrders(&bssmodel.PayOrdersRequest{Body: &bssmodel.PayCustomerOrderV3Req{OrderId: "CS2611231300NONE", UseCoupon: "NO", UseDiscount: "NO"}})
			refused(t, "pay", err, 400, "CBC.30000010")
		}
		system := model.GetListTracesRequestTraceTypeEnum().SYSTEM
		list := func(q model.ListTracesRequest) *model.ListTracesResponse {
			t.Helper()
			q.TraceType = system
			r, err := me.ListTraces(&q)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		rated := model.GetListTracesRequestTraceRatingEnum().WARNING
		seen, pages := map[string]bool{}, 0
		for q := (model.ListTracesRequest{Limit: new(int32(2)), TraceName: new("payCustomerOrderV3"), TraceRating: &rated, ServiceType: new("BSS"), ResourceType: new("order"), ResourceId: new("CS2611231300NONE"), AccessKeyId: &c.AccessKey, User: &c.User, TrackerName: new("system")}); ; pages++ {
			r := list(q)
			if len(*r.Traces) == 0 {
				if r.MetaData.Marker != nil && *r.MetaData.Marker != "" || *r.MetaData.Count != 0 {
					t.Errorf("behind the last page: %+v", r.MetaData)
				}
				break
			}
			for _, one := range *r.Traces {
				seen[*one.TraceId] = true
				if *one.Code != "400" || !strings.HasPrefix(*one.Message, "CBC.30000010") || *one.SourceIp != "127.0.0.1" || *one.User.Name != c.User || *one.TraceType != "ApiCall" || *one.ApiVersion != "v3" || *one.OperationId != "PayOrders" {
					t.Errorf("%+v", one)
				}
			}
			if q.Next = r.MetaData.Marker; pages > 10 {
				t.Fatal("pages without end")
			}
		}
		if len(seen) != 5 || pages != 3 {
			t.Errorf("%d traces on %d pages", len(seen), pages)
		}
		if r := list(model.ListTracesRequest{TraceId: new("none")}); len(*r.Traces) != 0 {
			t.Errorf("%+v", r)
		}
		_, err := me.ListTraces(&model.ListTracesRequest{TraceType: system, From: new(int64(1))})
		refused(t, "from without to", err, 400, "CTS.0003")
		_, err = s.cts(t, c, s.Customers[1].ProjectID).ListTraces(&model.ListTracesRequest{TraceType: system})
		refused(t, "another's project", err, 403, "CTS.0012")
		s.trackersBySDK(t, me, c)
	})
}

func (s *server) trackersBySDK(t *testing.T, me *cts.CtsClient, c credentials) {
	t.Helper()
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	trackers, err := me.ListTrackers(&model.ListTrackersRequest{})
	if must("list", err); len(*trackers.Trackers) != 1 || *(*trackers.Trackers)[0].TrackerName != "system" || (*trackers.Trackers)[0].Status.Value() != "enabled" {
		t.Fatalf("%+v", trackers)
	}
	kinds := model.GetCreateTrackerRequestBodyTrackerTypeEnum()
	create := func(kind model.CreateTrackerRequestBodyTrackerType, name string) (*model.CreateTrackerResponse, error) {
		return me.CreateTracker(&model.CreateTrackerRequest{Body: &model.CreateTrackerRequestBody{TrackerType: kind, TrackerName: name, DataBucket: map[bool]*model.DataBucket{true: {DataBucketName: new("quay-files")}}[kind == kinds.DATA]}})
	}
	_, err = create(kinds.SYSTEM, "system")
	refused(t, "a second management tracker", err, 400, "CTS.0201")
	made, err := create(kinds.DATA, "uploads")
	if must("create", err); *made.TrackerName != "uploads" || made.Id == nil {
		t.Fatalf("%+v", made)
	}
	_, err = create(kinds.DATA, "bad name")
	refused(t, "a bad name", err, 400, "CTS.0203")
	quotas, err := me.ListQuotas(&model.ListQuotasRequest{})
	if must("quotas", err); len(*quotas.Resources) != 2 || *(*quotas.Resources)[0].Used != 1 {
		t.Errorf("%+v", quotas)
	}
	tag := model.GetBatchCreateResourceTagsRequestResourceTypeEnum().CTS_TRACKER
	_, err = me.BatchCreateResourceTags(&model.BatchCreateResourceTagsRequest{ResourceId: *made.Id, ResourceType: tag, Body: &model.BatchCreateResourceTagsRequestBody{Tags: &[]model.Tags{{Key: new("quay"), Value: new("north")}}}})
	must("tag", err)
	off := model.GetBatchDeleteResourceTagsRequestResourceTypeEnum().CTS_TRACKER
	_, err = me.BatchDeleteResourceTags(&model.BatchDeleteResourceTagsRequest{ResourceId: *made.Id, ResourceType: off, Body: &model.BatchDeleteResourceTagsRequestBody{Tags: &[]model.Tags{{Key: new("quay")}}}})
	must("untag", err)
	disabled := model.GetUpdateTrackerRequestBodyStatusEnum().DISABLED
	_, err = me.UpdateTracker(&model.UpdateTrackerRequest{Body: &model.UpdateTrackerRequestBody{TrackerType: model.GetUpdateTrackerRequestBodyTrackerTypeEnum().DATA, TrackerName: "uploads", Status: &disabled}})
	must("update", err)
	_, err = me.DeleteTracker(&model.DeleteTrackerRequest{TrackerName: new("uploads")})
	must("delete", err)
	_, err = me.ListTrackers(&model.ListTrackersRequest{TrackerName: new("uploads")})
	refused(t, "a tracker that is gone", err, 404, "CTS.0214")
	operations, err := me.ListOperations(&model.ListOperationsRequest{ServiceType: new("BSS"), ResourceType: new("order")})
	if must("operations", err); len(*operations.Operations) != 1 || !strings.Contains(strings.Join(*(*operations.Operations)[0].OperationList, ","), "payCustomerOrderV3") {
		t.Errorf("%+v", operations)
	}
	users, err := me.ListUserResources(&model.ListUserResourcesRequest{})
	if must("users", err); len(*users.Users) != 1 || *(*users.Users)[0].Name != c.User {
		t.Errorf("%+v", users)
	}
	types, err := me.ListTraceResources(&model.ListTraceResourcesRequest{DomainId: c.DomainID})
	if must("types", err); len(*types.Resources) < 4 {
		t.Errorf("%+v", types)
	}
	checked, err := me.CheckObsBuckets(&model.CheckObsBucketsRequest{DomainId: c.DomainID, Body: &model.CheckObsBucketsRequestBody{Buckets: &[]model.CheckBucketRequest{{BucketName: "quay-audit", BucketLocation: s.Region}}}})
	if must("check buckets", err); len(*checked.Buckets) != 1 || !*(*checked.Buckets)[0].CheckBucketResponse.Success {
		t.Errorf("%+v", checked)
	}
	notice, err := me.CreateNotification(&model.CreateNotificationRequest{Body: &model.CreateNotificationRequestBody{NotificationName: "payments", OperationType: model.GetCreateNotificationRequestBodyOperationTypeEnum().COMPLETE, TopicId: new("urn:smn:x:orders")}})
	if must("notification", err); notice.Status.Value() != "enabled" {
		t.Errorf("%+v", notice)
	}
	notices, err := me.ListNotifications(&model.ListNotificationsRequest{NotificationType: model.GetListNotificationsRequestNotificationTypeEnum().SMN})
	if must("notifications", err); len(*notices.Notifications) != 1 {
		t.Errorf("%+v", notices)
	}
	_, err = me.DeleteNotification(&model.DeleteNotificationRequest{NotificationId: *notice.NotificationId})
	must("delete notification", err)
	r, err := me.ListTraces(&model.ListTracesRequest{TraceType: model.GetListTracesRequestTraceTypeEnum().SYSTEM, ServiceType: new("CTS"), Limit: new(int32(200))})
	must("traces of trackers", err)
	var names []string
	for _, one := range *r.Traces {
		names = append(names, *one.TraceName)
	}
	if want := "deleteNotification createNotification deleteTracker updateTracker createTracker createTracker createTracker"; strings.Join(names, " ") != want {
		t.Errorf("%q", names)
	}
}
