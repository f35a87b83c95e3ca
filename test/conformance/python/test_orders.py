"""Orders, refunds and resources of the demo customer: every sum agrees to the last digit."""

import pytest
from huaweicloudsdkbssintl import v2 as bss

from buyer import DISK, SERVER, Buyer, dec
from conftest import build, global_credentials, refused

@pytest.fixture(scope="module")
def buyer(demo, endpoint):
    return Buyer(endpoint, demo["customers"][0])


def test_walk(buyer):
    before = buyer.cash()
    coupons = buyer.bss.list_sub_customer_coupons(bss.ListSubCustomerCouponsRequest(status=2)).user_coupons
    coupon = next(row for row in coupons if row.coupon_version == 2)
    unpaid = buyer.bss.list_customer_orders(bss.ListCustomerOrdersRequest(status=6))
    assert unpaid.total_count >= 3
    order_id = buyer.order(SERVER)["order_id"]
    details = buyer.details(order_id)
    info = details.order_info
    assert (info.status, info.order_type, info.user_name, details.total_count) == (6, 1, buyer.who["user"], 1)
    offers = buyer.bss.list_order_discounts(bss.ListOrderDiscountsRequest(order_id=order_id)).discounts
    assert {offer.discount_type for offer in offers} == {2, 3}
    contract = next(offer for offer in offers if offer.discount_type == 2)
    line = contract.orders[0].order_line_items[0]
    assert contract.discount_value == "0.85" and line.discount_mode == 0
    assert line.order_line_item_ids == [details.order_line_items[0].order_line_item_id]
    refused(buyer.plain.pay_orders, buyer.pay_request(order_id, discount="DI-NONE"), 400, "CBC.99003108")
    refused(buyer.plain.pay_orders, buyer.pay_request(order_id, coupon="CP-NONE"), 400, "CBC.99003112")
    buyer.plain.pay_orders(buyer.pay_request(order_id, coupon.coupon_id, contract.discount_id))
    refused(buyer.plain.pay_orders, buyer.pay_request(order_id), 400, "CBC.99003106")
    paid = buyer.details(order_id).order_info
    assert paid.status == 5 and paid.payment_time
    assert dec(paid.amount_after_discount) == dec(paid.official_amount) - dec(line.discount_amount)
    used = dec(paid.amount_info.coupon_amount)
    assert before - buyer.cash() == dec(paid.amount_after_discount) - used
    after = buyer.bss.list_sub_customer_coupons(bss.ListSubCustomerCouponsRequest(coupon_id=coupon.coupon_id)).user_coupons[0]
    assert dec(coupon.balance) - dec(after.balance) == used
    assert [row.discount_type for row in paid.amount_info.discounts] == ["605"]
    assert buyer.resources(order_id=order_id).data[0].status == 2


def test_cancel(buyer, demo, endpoint):
    order_id = buyer.order(SERVER)["order_id"]
    cancel = bss.CancelCustomerOrderRequest(body={"order_id": order_id})
    foreign = build(bss.BssintlClient, endpoint, global_credentials(demo["customers"][2]))
    refused(foreign.cancel_customer_order, cancel, 400, "CBC.30000010")
    buyer.plain.cancel_customer_order(cancel)
    refused(buyer.plain.cancel_customer_order, cancel, 400, "CBC.99005010")
    assert buyer.details(order_id).order_info.status == 4


def test_refund(buyer):
    before = buyer.cash()
    order = buyer.order({**SERVER, "subscription_num": 2, "attached": [DISK]})
    buyer.plain.pay_orders(buyer.pay_request(order["order_id"]))
    every, primary = buyer.resources(order_id=order["order_id"]), buyer.resources(order_id=order["order_id"], only_main_resource=1)
    assert (every.total_count, primary.total_count) == (4, 2)
    resource = primary.data[0].resource_id
    both = buyer.resources(resource_ids=[resource])
    assert both.total_count == 2 and {row.parent_resource_id for row in both.data} == {None, resource}
    end = buyer.bss.cancel_resources_subscription
    refused(end, buyer.unsubscribe_request("none"), 400, "CBC.99003012")
    refused(end, buyer.unsubscribe_request(resource, kind=2), 400, "CBC.99003128")
    back_id = end(buyer.unsubscribe_request(resource)).order_ids[0]
    refused(end, buyer.unsubscribe_request(resource), 400, "CBC.30000067")
    rows = buyer.bss.show_refund_order_details(bss.ShowRefundOrderDetailsRequest(order_id=back_id)).refund_infos
    back = -sum(dec(row.amount) for row in rows if dec(row.amount) < 0)
    info = buyer.details(back_id).order_info
    assert (info.order_type, info.status) == (4, 5) and dec(info.amount_after_discount) == dec(info.official_amount) == back
    paid = buyer.details(order["order_id"]).order_info
    assert before - buyer.cash() == dec(paid.amount_after_discount) - back
    refused(buyer.bss.show_refund_order_details, bss.ShowRefundOrderDetailsRequest(order_id=order["order_id"]), 400, "CBC.99005026")


def test_list(buyer, demo):
    everything = buyer.bss.list_customer_orders(bss.ListCustomerOrdersRequest(limit=100))
    orders = everything.order_infos
    assert everything.total_count == len(orders) >= 8
    assert [row.create_time for row in orders] == sorted((row.create_time for row in orders), reverse=True)
    page = buyer.bss.list_customer_orders(bss.ListCustomerOrdersRequest(offset=1, limit=2)).order_infos
    assert [row.order_id for row in page] == [row.order_id for row in orders[1:3]]
    oldest = buyer.bss.list_customer_orders(bss.ListCustomerOrdersRequest(order_by="createTime", limit=1)).order_infos
    assert oldest[0].order_id == orders[-1].order_id
    for request, matches in [
        (bss.ListCustomerOrdersRequest(order_id=orders[0].order_id.lower()), lambda row: row.order_id == orders[0].order_id),
        (bss.ListCustomerOrdersRequest(order_type="4"), lambda row: row.order_type == 4),
        (bss.ListCustomerOrdersRequest(status=5), lambda row: row.status == 5),
        (bss.ListCustomerOrdersRequest(service_type_code="HWS.Service.Type.EC2"), lambda row: row.service_type_code == "hws.service.type.ec2"),
        (bss.ListCustomerOrdersRequest(customer_id=demo["customers"][0]["domain_id"]), lambda row: True),
    ]:
        found = buyer.bss.list_customer_orders(request)
        assert found.total_count == sum(map(matches, orders))
    refused(buyer.bss.list_customer_orders, bss.ListCustomerOrdersRequest(limit=101), 400, "CBC.0100")
    refused(buyer.bss.list_customer_orders, bss.ListCustomerOrdersRequest(customer_id=demo["customers"][1]["domain_id"]), 403, "CBC.0151")


def test_renewals(buyer):
    order = buyer.order(SERVER)
    buyer.plain.pay_orders(buyer.pay_request(order["order_id"]))
    resource = buyer.resources(order_id=order["order_id"]).data[0]
    one = resource.resource_id
    period = {"resource_ids": [one, "nothing"], "period_type": 2, "period_num": 1}
    price = buyer.bss.list_renew_rate_on_period(bss.ListRenewRateOnPeriodRequest(body=period))
    assert [row.resource_id for row in price.renew_inquiry_results] == [one]
    assert [(row.resource_id, row.error_code) for row in price.fail_resource_infos] == [("nothing", "CBC.30050009")]
    official = dec(price.official_website_rating_result.official_website_amount)
    placed = buyer.bss.renewal_resources(bss.RenewalResourcesRequest(body=period))
    assert len(placed.order_ids) == 1 and placed.fail_resource_infos[0].error_code == "CBC.99003016"
    assert dec(buyer.details(placed.order_ids[0]).order_info.official_amount) == official
    refused(buyer.bss.renewal_resources, bss.RenewalResourcesRequest(body={**period, "resource_ids": [one]}), 400, "CBC.99003100")
    buyer.plain.pay_orders(buyer.pay_request(placed.order_ids[0]))
    assert buyer.resources(resource_ids=[one]).data[0].expire_time > resource.expire_time
    back = buyer.bss.cancel_resources_subscription(buyer.unsubscribe_request(one, kind=2)).order_ids[0]
    info = buyer.details(back).order_info
    assert dec(info.amount_after_discount) == official and dec(info.amount_info.commission_amount) == 0
    assert buyer.resources(resource_ids=[one]).data[0].expire_time == resource.expire_time

    off = bss.CancelAutoRenewalResourcesRequest(resource_id=one)
    refused(buyer.plain.cancel_auto_renewal_resources, off, 400, "CBC.99003605")
    buyer.plain.auto_renewal_resources(bss.AutoRenewalResourcesRequest(resource_id=one, body={"auto_renew_times": 2, "period_type": "MONTH"}))
    assert buyer.resources(resource_ids=[one]).data[0].expire_policy == 3
    buyer.plain.cancel_auto_renewal_resources(off)
    demand = {"operation": "SET_UP", "resource_ids": [one, "nothing"]}
    failed = buyer.bss.update_period_to_on_demand(bss.UpdatePeriodToOnDemandRequest(body=demand)).error_details
    assert [(row.id, row.error_code) for row in failed] == [("nothing", "CBC.99003012")]
    assert buyer.resources(resource_ids=[one]).data[0].expire_policy == 1
    config = {"config_name": "DEDUCTION_DATE", "config_value": "7"}
    assert buyer.bss.set_resources_renew_config(bss.SetResourcesRenewConfigRequest(body=config)).error_code == "CBC.0000"
    wrong = bss.SetResourcesRenewConfigRequest(body={**config, "config_value": "8"})
    refused(buyer.bss.set_resources_renew_config, wrong, 400, "CBC.0100")
