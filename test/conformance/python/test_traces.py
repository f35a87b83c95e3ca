"""The official Python SDK lists traces and runs trackers."""

import pytest
from huaweicloudsdkbssintl import v2 as bss
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcts import v3 as cts

from conftest import Checked, build, refused

ORDER = "CS2611231300PYTHON"


@pytest.fixture(scope="module")
def cts_client(endpoint, customer):
    credentials = BasicCredentials(customer["access_key"], customer["secret_key"], customer["project_id"])
    return Checked(build(cts.CtsClient, endpoint, credentials))


def test_traces_to_the_last_page(cts_client, plain_clients, customer):
    for _ in range(3):
        body = bss.PayCustomerOrderV3Req(order_id=ORDER, use_coupon="NO", use_discount="NO")
        refused(plain_clients["bss"].pay_orders, bss.PayOrdersRequest(body=body), 400, "CBC.30000010")
    seen, marker = [], None
    for _ in range(10):
        answer = cts_client.list_traces(cts.ListTracesRequest(
            trace_type="system", limit=2, resource_id=ORDER, trace_rating="warning", user=customer["user"], next=marker))
        assert answer.meta_data.count == len(answer.traces)
        if not answer.traces:
            assert answer.meta_data.marker is None
            break
        seen += answer.traces
        marker = answer.meta_data.marker
    assert [t.trace_name for t in seen] == ["payCustomerOrderV3"] * 3
    assert len({t.trace_id for t in seen}) == 3
    assert {(t.code, t.trace_type, t.user.access_key_id, t.resource_type) for t in seen} == {
        ("400", "ApiCall", customer["access_key"], "order")}


def test_refusals(plain_clients):
    refused(plain_clients["cts"].list_traces, cts.ListTracesRequest(trace_type="system", to=1), 400, "CTS.0003")
    refused(plain_clients["cts"].list_trackers, cts.ListTrackersRequest(tracker_name="nobody"), 404, "CTS.0214")
    body = cts.CreateTrackerRequestBody(tracker_type="system", tracker_name="system")
    refused(plain_clients["cts"].create_tracker, cts.CreateTrackerRequest(body=body), 400, "CTS.0201")


def test_trackers(cts_client, plain_clients):
    plain = plain_clients["cts"]  # answers without a body
    assert [t.tracker_name for t in cts_client.list_trackers(cts.ListTrackersRequest(tracker_type="system")).trackers] == ["system"]
    body = cts.CreateTrackerRequestBody(tracker_type="data", tracker_name="python", data_bucket=cts.DataBucket(data_bucket_name="python-files"))
    made = cts_client.create_tracker(cts.CreateTrackerRequest(body=body))
    assert made.tracker_name == "python" and made.status == "enabled"
    plain.update_tracker(cts.UpdateTrackerRequest(body=cts.UpdateTrackerRequestBody(
        tracker_type="data", tracker_name="python", status="disabled")))
    listed = cts_client.list_trackers(cts.ListTrackersRequest(tracker_name="python")).trackers
    assert [t.status for t in listed] == ["disabled"]
    plain.delete_tracker(cts.DeleteTrackerRequest(tracker_name="python"))
    assert {q.type: q.used for q in cts_client.list_quotas(cts.ListQuotasRequest()).resources} == {"data_tracker": 0, "system_tracker": 1}
    names = [t.trace_name for t in cts_client.list_traces(cts.ListTracesRequest(
        trace_type="system", service_type="CTS", resource_name="python")).traces]
    assert names == ["deleteTracker", "updateTracker", "createTracker"]


def test_notifications(cts_client, plain_clients):
    body = cts.CreateNotificationRequestBody(
        notification_name="python", operation_type="customized", topic_id="urn:smn:x:python",
        operations=[cts.Operations(service_type="BSS", resource_type="order", trace_names=["payCustomerOrderV3"])])
    made = cts_client.create_notification(cts.CreateNotificationRequest(body=body))
    listed = cts_client.list_notifications(cts.ListNotificationsRequest(notification_type="smn", notification_name="python"))
    assert [n.notification_id for n in listed.notifications] == [made.notification_id]
    plain_clients["cts"].delete_notification(cts.DeleteNotificationRequest(notification_id=made.notification_id))
