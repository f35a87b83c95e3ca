"""Every operation on yearly/monthly resources, the unhappy paths too: what each refuses is in ../refusals.json."""

import json
import os
import pathlib
from datetime import datetime, timedelta

import pytest
from huaweicloudsdkbssintl import v2 as bss
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException

from buyer import DISK, SERVER, Buyer, Operator, dec
from conftest import build, global_credentials, refused

TABLE = json.loads((pathlib.Path(__file__).parent.parent / "refusals.json").read_text(encoding="utf-8"))
REQUESTS = {
    "renew": bss.RenewalResourcesRequest,
    "price": bss.ListRenewRateOnPeriodRequest,
    "unsubscribe": bss.CancelResourcesSubscriptionRequest,
    "auto_on": bss.AutoRenewalResourcesRequest,
    "on_demand": bss.UpdatePeriodToOnDemandRequest,
    "config": bss.SetResourcesRenewConfigRequest,
    "query": bss.ListPayPerUseCustomerResourcesRequest,
}
CALLS = {
    "renew": "renewal_resources",
    "price": "list_renew_rate_on_period",
    "unsubscribe": "cancel_resources_subscription",
    "auto_on": "auto_renewal_resources",
    "on_demand": "update_period_to_on_demand",
    "config": "set_resources_renew_config",
    "query": "list_pay_per_use_customer_resources",
}


def code_of(error):
    status = 403 if error.error_code in ("CBC.0151", "CBC.0155") else 400
    assert error.status_code == status and error.error_msg and error.request_id, f"{error.status_code} {error.error_code}"
    return error.error_code


def outcome(buyer, call, resource, unit=2):
    """The code with which an operation on one resource is refused; empty when it is done."""
    ids = [resource]
    renewal = {"resource_ids": ids, "period_type": unit, "period_num": 1}
    try:
        if call == "renew":
            buyer.bss.renewal_resources(bss.RenewalResourcesRequest(body=renewal))
        elif call == "price":
            failed = buyer.bss.list_renew_rate_on_period(bss.ListRenewRateOnPeriodRequest(body=renewal)).fail_resource_infos
            return failed[0].error_code if [row.resource_id for row in failed] == ids else ""
        elif call in ("unsubscribe", "unsubscribe_renewals"):
            kind = 1 if call == "unsubscribe" else 2
            buyer.bss.cancel_resources_subscription(buyer.unsubscribe_request(resource, kind=kind))
        elif call == "auto_on":
            buyer.plain.auto_renewal_resources(bss.AutoRenewalResourcesRequest(resource_id=resource))
        elif call == "auto_off":
            buyer.plain.cancel_auto_renewal_resources(bss.CancelAutoRenewalResourcesRequest(resource_id=resource))
        elif call in ("on_demand", "on_demand_off"):
            body = {"operation": "SET_UP" if call == "on_demand" else "CANCEL", "resource_ids": ids}
            failed = buyer.bss.update_period_to_on_demand(bss.UpdatePeriodToOnDemandRequest(body=body)).error_details
            return failed[0].error_code if [row.id for row in failed] == ids else ""
        elif call == "config":
            body = {"config_name": "EXPIRE_DATE", "config_value": "1"}
            buyer.bss.set_resources_renew_config(bss.SetResourcesRenewConfigRequest(body=body))
        elif call == "query":
            buyer.resources(resource_ids=ids)
        elif call == "refund":
            buyer.bss.show_refund_order_details(bss.ShowRefundOrderDetailsRequest(order_id=resource))
        else:
            pytest.fail(f"refusals.json: no call {call}")
    except ServiceResponseException as error:
        return code_of(error)
    return ""


def done(buyer, call, resource, unit=2):
    assert outcome(buyer, call, resource, unit) == ""


def named(failed):
    return {row.resource_id: row.error_code for row in failed}


@pytest.fixture(scope="module")
def operator(demo, endpoint):
    return Operator(endpoint, demo["operator"])


# Few customers, because sign-ins from one address are limited: whose account is frozen, or whose clock is turned, is of no
# use to the other tests.


@pytest.fixture(scope="module")
def buyer(operator, endpoint):
    return Buyer(endpoint, operator.customer("500000"))


@pytest.fixture(scope="module")
def aging(operator, endpoint):
    return Buyer(endpoint, operator.customer("1000"))


@pytest.fixture
def alone(operator, endpoint):
    return Buyer(endpoint, operator.customer("1000"))


def with_disk(**changes):
    return {**SERVER, "attached": [{**DISK, **changes}]}


# Each state, and what brings a resource there: the one who calls and the resource.


def unknown(buyer, _):
    return buyer, "nothing"


def free(buyer, _):
    return buyer, buyer.buy(SERVER)[0].resource_id


def of_another(buyer, operator):
    other = Buyer(buyer.endpoint, operator.customer("100"))
    return buyer, other.buy(SERVER)[0].resource_id


def package(buyer, _):
    order = buyer.order({**SERVER, "cloud_service_type": "hws.service.type.obs", "resource_type": "hws.resource.type.obs",
                         "resource_spec": "obs.package.100gb"})["order_id"]
    buyer.plain.pay_orders(buyer.pay_request(order))
    packages = buyer.bss.list_free_resource_infos(bss.ListFreeResourceInfosRequest(body={"order_id": order}))
    return buyer, packages.free_resource_packages[0].order_instance_id


def unsubscribed(buyer, _):
    resource = buyer.buy(SERVER)[0].resource_id
    done(buyer, "unsubscribe", resource)
    return buyer, resource


def attached(buyer, _):
    return buyer, buyer.buy(with_disk())[1].resource_id


def renewing(buyer, _):
    resource = buyer.buy(SERVER)[0].resource_id
    done(buyer, "renew", resource)
    return buyer, resource


def changing(buyer, _):
    server, disk = buyer.buy(with_disk())
    assert buyer.resize(disk.resource_id, 100)["status"] == 6
    return buyer, server.resource_id


def reviewed(buyer, _):
    resource = buyer.buy({**with_disk(resource_size=30000), "period_num": 9})[0].resource_id
    done(buyer, "unsubscribe", resource)
    assert buyer.resources(resource_ids=[resource]).data[-1].status == 2
    return buyer, resource


def far_ahead(buyer, _):
    resource = buyer.buy(SERVER)[0].resource_id
    for _ in range(3):
        body = {"resource_ids": [resource], "period_type": 3, "period_num": 3, "is_auto_pay": 1}
        answer = buyer.bss.renewal_resources(bss.RenewalResourcesRequest(body=body))
        assert len(answer.order_ids) == 1 and answer.fail_resource_infos == []
    return buyer, resource


def by_days(buyer, _):
    return buyer, buyer.buy({**SERVER, "cloud_service_type": "hws.service.type.vpn", "resource_type": "hws.resource.type.vpn.vgw",
                             "resource_spec": "vpn.vgw.s", "period_type": 0})[0].resource_id


def frozen_account(buyer, operator):
    resource = buyer.buy(SERVER)[0].resource_id
    operator.standing(buyer.who, "frozen")
    return buyer, resource


def aged(days, status):
    def state(buyer, operator):
        resource = buyer.buy(SERVER)[0]
        expires = datetime.strptime(resource.expire_time, "%Y-%m-%dT%H:%M:%SZ")
        operator.turn(buyer.who, expires + timedelta(days=days))
        assert buyer.resources(resource_ids=[resource.resource_id]).data[0].status == status
        return buyer, resource.resource_id
    return state


STATES = {
    "unknown": unknown,
    "another's": of_another,
    "package": package,
    "unsubscribed": unsubscribed,
    "attached": attached,
    "in an unpaid renewal": renewing,
    "attached in an unpaid change": changing,
    "refund under review": reviewed,
    "paid nine years ahead": far_ahead,
    "bought by days": by_days,
    "free": free,
    "free, frozen account": frozen_account,
    "expired": aged(1, 5),
    "frozen": aged(16, 4),
    "released": aged(31, 3),
}


def test_every_state_is_tried():
    assert set(STATES) == set(TABLE["states"])


@pytest.mark.parametrize("state", TABLE["states"])
def test_state(state, buyer, operator, request):
    own = {"free, frozen account": "alone", "expired": "aging", "frozen": "aging", "released": "aging"}
    who, resource = STATES[state](request.getfixturevalue(own.get(state, "buyer")), operator)
    unit = 3 if state == "paid nine years ahead" else 2
    wanted = TABLE["states"][state]
    assert {call: outcome(who, call, resource, unit) for call in wanted} == wanted


@pytest.mark.parametrize("form", TABLE["forms"], ids=lambda form: f"{form['call']}: {form['why']}")
def test_form(form, bss_client):
    path = {"resource_id": "1"} if form["call"] == "auto_on" else {}
    request = REQUESTS[form["call"]](body=form["body"], **path)
    refused(getattr(bss_client, CALLS[form["call"]]), request, 400, form.get("code", "CBC.0100"))


def test_without_permission(demo, endpoint):
    if "PURSER_VIEWER_ACCESS_KEY" not in os.environ:
        pytest.skip("PURSER_VIEWER_ACCESS_KEY is not set")
    owner = Buyer(endpoint, demo["customers"][0])
    resource = owner.buy(SERVER)[0].resource_id
    key = {"access_key": os.environ["PURSER_VIEWER_ACCESS_KEY"], "secret_key": os.environ["PURSER_VIEWER_SECRET_KEY"]}
    viewer = Buyer(endpoint, {**owner.who, **key})
    calls = TABLE["without permission"]
    assert {call: outcome(viewer, call, resource) for call in calls} == dict.fromkeys(calls, "CBC.0151")
    body = {"resource_ids": [resource], "period_type": 2, "period_num": 1}
    price = viewer.bss.list_renew_rate_on_period(bss.ListRenewRateOnPeriodRequest(body=body))
    assert not price.optional_discount_rating_results
    assert price.renew_inquiry_results[0].amount == price.official_website_rating_result.official_website_amount


def test_good_and_bad_together(buyer):
    rows = buyer.buy({**with_disk(), "subscription_num": 2})
    one, two, along = (row.resource_id for row in rows[:3])
    other = buyer.buy(with_disk())[1].resource_id
    ids = ["nothing", one, other, two]
    renewal = {"resource_ids": ids, "period_type": 3, "period_num": 1}
    price = buyer.bss.list_renew_rate_on_period(
        bss.ListRenewRateOnPeriodRequest(body={**renewal, "include_relative_resources": True}))
    assert named(price.fail_resource_infos) == {"nothing": "CBC.30050009", other: "CBC.30050007"}
    assert [row.resource_id for row in price.renew_inquiry_results] == [one, two]
    answer = buyer.bss.renewal_resources(bss.RenewalResourcesRequest(body={**renewal, "is_auto_pay": 1}))
    assert named(answer.fail_resource_infos) == {"nothing": "CBC.99003016", other: "CBC.30010036"}
    orders = [buyer.details(order).order_info for order in answer.order_ids]
    assert [(info.order_type, info.status) for info in orders] == [(2, 5), (2, 5)]
    assert [dec(info.amount_after_discount) for info in orders] == [dec(row.amount) for row in price.renew_inquiry_results]
    for kind in (2, 1):
        body = {"resource_ids": [along, *ids], "unsubscribe_type": kind, "unsubscribe_reason_type": 5, "unsubscribe_reason": "gone"}
        ended = buyer.bss.cancel_resources_subscription(bss.CancelResourcesSubscriptionRequest(body=body))
        assert len(ended.order_ids) == 2
        assert named(ended.fail_resource_infos) == {"nothing": "CBC.99003012", other: "CBC.99003185"}
        status = 2 if kind == 2 else 3
        assert {row.status for row in buyer.resources(resource_ids=[one, two]).data} == {status}
    assert buyer.resources(resource_ids=[other]).data[0].status == 2


def test_payment_of_a_renewal_is_refused(operator, endpoint):
    poor = Buyer(endpoint, operator.customer("40"))
    resource = poor.buy(SERVER)[0].resource_id
    body = {"resource_ids": [resource], "period_type": 3, "period_num": 3, "is_auto_pay": 1}
    answer = poor.bss.renewal_resources(bss.RenewalResourcesRequest(body=body))
    assert named(answer.fail_resource_infos) == {resource: "CBC.30050006"}
    assert poor.details(answer.order_ids[0]).order_info.status == 6


def test_auto_renewal(alone):
    buyer = alone
    server, disk = (row.resource_id for row in buyer.buy(with_disk()))
    for resource, body, policy in [
        (server, None, 3),
        (server, "off", 0),
        (disk, {"auto_renew_times": 99}, 3),
        (server, {"auto_renew_times": 0, "period_type": "YEAR"}, 3),
        (disk, "off", 0),
        (server, {"period_type": "MONTH"}, 3),
    ]:
        if body == "off":
            buyer.plain.cancel_auto_renewal_resources(bss.CancelAutoRenewalResourcesRequest(resource_id=resource))
        else:
            buyer.plain.auto_renewal_resources(bss.AutoRenewalResourcesRequest(resource_id=resource, body=body))
        assert {row.expire_policy for row in buyer.resources(resource_ids=[server]).data} == {policy}
    for name, value in [("DEDUCTION_DATE", "2"), ("DEDUCTION_DATE", "7"), ("EXPIRE_DATE", "1"), ("EXPIRE_DATE", "28"), ("EXPIRE_DATE", "-1")]:
        body = {"config_name": name, "config_value": value}
        answer = buyer.bss.set_resources_renew_config(bss.SetResourcesRenewConfigRequest(body=body))
        assert (answer.error_code, answer.error_msg) == ("CBC.0000", "success")


def test_filters(alone, demo, endpoint):
    buyer = alone
    rows = buyer.buy({**with_disk(), "subscription_num": 2})
    year = buyer.buy({**SERVER, "period_type": 3})[0]
    first, second = rows[0].resource_id, rows[1].resource_id
    disk = next(row for row in rows[2:] if row.parent_resource_id == first)
    assert (disk.is_main_resource, dec(disk.spec_size), disk.spec_size_measure_id, disk.expire_time) == (0, 40, 17, rows[0].expire_time)
    done(buyer, "unsubscribe", second)
    unpaid = buyer.order(SERVER)["order_id"]
    a, z = rows[0].expire_time, year.expire_time

    def shift(at, seconds):
        return (datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ") + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    for query, wanted in [
        ({}, 5),
        ({"resource_ids": [], "status_list": []}, 5),
        ({"order_id": ""}, 5),
        ({"only_main_resource": 1}, 3),
        ({"resource_ids": [first]}, 2),
        ({"resource_ids": [first], "only_main_resource": 1}, 1),
        ({"resource_ids": [disk.resource_id]}, 1),
        ({"resource_ids": [disk.resource_id], "only_main_resource": 1}, 1),
        ({"resource_ids": ["nothing"]}, 0),
        ({"resource_ids": [str(i) for i in range(49)] + [first]}, 2),
        ({"status_list": [2]}, 3),
        ({"status_list": [3]}, 2),
        ({"status_list": [2, 3]}, 5),
        ({"status_list": [4, 5]}, 0),
        ({"service_type_code": "hws.service.type.ebs"}, 2),
        ({"service_type_code": "HWS.Service.Type.EC2"}, 3),
        ({"service_type_code": "hws.service.type.none"}, 0),
        ({"order_id": unpaid}, 0),
        ({"expire_time_begin": z}, 1),
        ({"expire_time_begin": shift(z, 1)}, 0),
        ({"expire_time_end": a, "status_list": [2]}, 2),
        ({"expire_time_end": shift(a, -1), "status_list": [2]}, 0),
        ({"expire_time_begin": a, "expire_time_end": z, "status_list": [2]}, 3),
        ({"customer_id": buyer.who["domain_id"]}, 5),
        ({"resource_ids": [first, second], "status_list": [3], "only_main_resource": 1}, 1),
    ]:
        found = buyer.resources(**query, limit=500)
        assert (found.total_count, len(found.data)) == (wanted, wanted), query
    pages = [buyer.resources(offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [len(page.data) for page in pages] == [2, 2, 1, 0] and {page.total_count for page in pages} == {5}
    assert len({row.resource_id for page in pages for row in page.data}) == 5
    foreign = bss.ListPayPerUseCustomerResourcesRequest(body={"customer_id": demo["customers"][1]["domain_id"]})
    refused(buyer.bss.list_pay_per_use_customer_resources, foreign, 403, "CBC.0151")
    partner = build(bss.BssintlClient, endpoint, global_credentials(demo["partner"]))
    of_its_customer = bss.ListPayPerUseCustomerResourcesRequest(body={"customer_id": demo["customers"][0]["domain_id"]})
    assert partner.list_pay_per_use_customer_resources(of_its_customer).total_count > 0


def test_refunds(buyer, demo, endpoint):
    server, disk = (row.resource_id for row in buyer.buy(with_disk(resource_size=100)))
    before, spent = buyer.cash(), dec(0)

    def rows(order):
        answer = buyer.bss.show_refund_order_details(bss.ShowRefundOrderDetailsRequest(order_id=order))
        found = answer.refund_infos
        assert answer.total_count == len(found) == len({row.id for row in found})
        assert {(row.measure_id, row.customer_id) for row in found} == {("1", buyer.who["domain_id"])}
        return -sum(dec(row.amount) for row in found if dec(row.amount) < 0), {row.base_order_id for row in found}

    def renew():
        body = {"resource_ids": [server], "period_type": 2, "period_num": 1, "is_auto_pay": 1}
        return buyer.bss.renewal_resources(bss.RenewalResourcesRequest(body=body)).order_ids[0]

    def end(kind):
        return buyer.bss.cancel_resources_subscription(buyer.unsubscribe_request(server, kind=kind)).order_ids[0]

    def amount(order):
        return dec(buyer.details(order).order_info.amount_after_discount)

    renewal = renew()
    alone = end(2)
    assert rows(alone) == (amount(renewal), {renewal})
    smaller = buyer.resize(disk, 50)["order_id"]
    back, _ = rows(smaller)
    assert back == -amount(smaller) > 0 and buyer.details(smaller).order_info.order_type == 3
    spent -= back
    renewal = renew()
    spent += amount(renewal)
    whole = end(1)
    back, bases = rows(whole)
    assert back == amount(whole) and renewal in bases and len(bases) == 2
    assert before - buyer.cash() == spent - back

    def show(**query):
        return bss.ShowRefundOrderDetailsRequest(**query)

    refund = buyer.bss.show_refund_order_details
    refused(refund, show(order_id=renewal), 400, "CBC.99005026")
    refused(refund, show(order_id="CS0"), 400, "CBC.99005026")
    refused(refund, show(order_id=whole, customer_id=demo["customers"][1]["domain_id"]), 403, "CBC.0151")
    refused(refund, show(order_id=whole, indirect_partner_id="p"), 400, "CBC.99000037")
    stranger = build(bss.BssintlClient, endpoint, global_credentials(demo["customers"][2]))
    refused(stranger.show_refund_order_details, show(order_id=whole), 400, "CBC.99005026")
