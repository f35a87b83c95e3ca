"""The three bill queries of the first demo customer say the same, to the last digit."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from huaweicloudsdkbssintl import v2 as bss

from conftest import build, global_credentials, refused

NOW = datetime.now(timezone(timedelta(hours=8)))
RUNNING = NOW.strftime("%Y-%m")
LAST = (NOW.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
PARTS = ["cash_amount", "credit_amount", "coupon_amount", "flexipurchase_coupon_amount", "stored_card_amount", "bonus_amount", "debt_amount", "adjustment_amount"]


@pytest.fixture(scope="module")
def client(endpoint, customer):
    return build(bss.BssintlClient, endpoint, global_credentials(customer))


def exact(number):
    return Decimal(str(number))


def parts(row):
    return sum(exact(getattr(row, name)) for name in PARTS)


def every(query, rows):
    """All rows of a query, page by page."""
    out, total = [], 1
    while len(out) < total:
        page = query(len(out))
        total = page.total_count
        out += getattr(page, rows)
        if total == 0:
            break
    return out


def fees(client, month, **more):
    return every(lambda offset: client.list_customerself_resource_records(bss.ListCustomerselfResourceRecordsRequest(
        cycle=month, offset=offset, limit=1000, x_language="en_US", **more)), "fee_records")


def resources(client, month, **more):
    return every(lambda offset: client.list_customerself_resource_record_details(bss.ListCustomerselfResourceRecordDetailsRequest(
        body={"cycle": month, "offset": offset, "limit": 1000, **more})), "monthly_records")


@pytest.mark.parametrize("month", [LAST, RUNNING])
def test_all_say_the_same(client, customer, month):
    summary = client.show_customer_monthly_sum(bss.ShowCustomerMonthlySumRequest(bill_cycle=month, limit=1000))
    assert summary.total_count == len(summary.bill_sums) and summary.currency == "USD"
    assert summary.bill_sums or month == RUNNING and NOW.day == 1  # on its first day there may be nothing yet
    for row in summary.bill_sums:
        assert exact(row.consume_amount) == exact(row.official_amount) - exact(row.official_discount_amount) - exact(row.truncated_amount)
        assert (row.bill_cycle, row.customer_id, row.bill_type in (1, 2, 3)) == (month, customer["domain_id"], True)
    consumed = sum(exact(row.consume_amount) for row in summary.bill_sums)
    assert consumed == exact(summary.consume_amount)
    records = fees(client, month)
    assert len({r.id for r in records}) == len(records)
    for r in records:
        assert exact(r.amount) == parts(r) == exact(r.official_amount) - exact(r.discount_amount)
        assert isinstance(r.charge_mode, str) and isinstance(r.period_type, str) and r.bill_date.startswith(month)
    whole = sum(exact(r.amount) for r in records)
    assert whole - sum(exact(row.truncated_amount) for row in summary.bill_sums) == consumed
    for kind in (1, 2, 3):
        rows = resources(client, month, statistic_type=kind)
        assert sum(exact(r.consume_amount) for r in rows) == whole
        for r in rows:
            assert exact(r.consume_amount) == parts(r)
            assert isinstance(r.charge_mode, int) and r.resource_type_code.startswith("hws.resource.type.")


def test_filters(client):
    records = fees(client, LAST)
    for name, value in (("charge_mode", "3"), ("bill_type", 5), ("cloud_service_type", "hws.service.type.ec2"), ("enterprise_project_id", "0")):
        assert [r.id for r in fees(client, LAST, **{name: value})] == [r.id for r in records if getattr(r, name) == value]
    one = records[len(records) // 2]
    assert {r.resource_id for r in fees(client, LAST, resource_id=one.resource_id)} == {one.resource_id}
    assert {r.trade_id for r in fees(client, LAST, trade_id=one.trade_id)} == {one.trade_id}
    day = one.bill_date
    assert [r.id for r in fees(client, LAST, bill_date_begin=day, bill_date_end=day)] == [r.id for r in records if r.bill_date == day]
    assert fees(client, LAST, cloud_service_type="") == [] and fees(client, LAST, enterprise_project_id="-1") == []
    assert [r.id for r in fees(client, LAST, include_zero_record=False)] == [r.id for r in records if exact(r.amount) != 0]


def test_names_by_language(client):
    def name(language):
        more = {} if language is None else {"x_language": language}
        answer = client.list_customerself_resource_records(bss.ListCustomerselfResourceRecordsRequest(cycle=LAST, cloud_service_type="hws.service.type.ec2", limit=1, **more))
        return answer.fee_records[0].cloud_service_type_name

    def detail(language):
        more = {} if language is None else {"x_language": language}
        answer = client.list_customerself_resource_record_details(bss.ListCustomerselfResourceRecordDetailsRequest(
            body={"cycle": LAST, "cloud_service_type": "hws.service.type.ec2", "limit": 1}, **more))
        return answer.monthly_records[0].cloud_service_type_name
    assert name("en_US") == detail("en_us") == detail(None) == "Elastic Cloud Server"
    assert name(None) == name("zh_CN") == detail("zh_cn") != "Elastic Cloud Server"


@pytest.mark.parametrize("change", [
    {"cycle": "2026-13"}, {"cycle": "2019-01"}, {"limit": 0}, {"limit": 1001}, {"charge_mode": "2"}, {"bill_type": 7}, {"statistic_type": 2},
    {"method": "sub_customer"}, {"bill_date_begin": "2020-01-01", "bill_date_end": "2020-01-02"},
], ids=lambda c: " ".join(c))
def test_bad_fee_queries(client, change):
    refused(client.list_customerself_resource_records, bss.ListCustomerselfResourceRecordsRequest(**{"cycle": LAST, **change}), 400, "CBC.0100")


@pytest.mark.parametrize("change", [
    {"cycle": "2018-12"}, {"query_type": "DAILY"}, {"query_type": "DAILY", "statistic_type": 3}, {"statistic_type": 4}, {"charge_mode": 2}, {"method": "sub_customer"},
], ids=lambda c: " ".join(c))
def test_bad_resource_queries(client, change):
    refused(client.list_customerself_resource_record_details, bss.ListCustomerselfResourceRecordDetailsRequest(body={"cycle": LAST, **change}), 400, "CBC.0100")
