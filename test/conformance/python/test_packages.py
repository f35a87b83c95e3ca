"""Resource packages of the first demo customer: what is left of them and each use."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from huaweicloudsdkbssintl import v2 as bss

from conftest import build, global_credentials, refused

HERE = timezone(timedelta(hours=8))


def days(back, forward=0):
    now = datetime.now(HERE)
    return (now - timedelta(days=back)).strftime("%Y-%m-%d"), (now + timedelta(days=forward)).strftime("%Y-%m-%d")


def uses(client, **query):
    begin, end = days(10)
    return bss.ListFreeResourcesUsageRecordsRequest(**{"deduct_time_begin": begin, "deduct_time_end": end, "limit": 100, **query})


@pytest.fixture(scope="module")
def client(endpoint, customer):
    return build(bss.BssintlClient, endpoint, global_credentials(customer))


@pytest.fixture(scope="module")
def storage(client):
    packages = client.list_free_resource_infos(bss.ListFreeResourceInfosRequest(body={"service_type_code_list": ["hws.service.type.obs"]}))
    return next(p for p in packages.free_resource_packages if p.source_type == 0 and p.bundle_type == "ATOMIC_PKG")


def test_what_is_left_is_what_was_not_used(client, storage):
    item = storage.free_resources[0]
    records = client.list_free_resources_usage_records(uses(client, free_resource_id=item.free_resource_id))
    assert records.total_count == len(records.free_resource_records) == 24
    used = sum(Decimal(r.used_amount) for r in records.free_resource_records)
    assert used == 72 and Decimal(item.amount) == Decimal(item.original_amount) - used
    for r in records.free_resource_records:
        assert Decimal(r.available_amount) - Decimal(r.used_amount) == Decimal(r.remaining_amount)
        assert (r.resource_id, r.usage_type_code, r.measure_id) == ("archive", "size", 17)
    newest_first = [r.deduct_time for r in records.free_resource_records]
    assert newest_first == sorted(newest_first, reverse=True)


def test_usages_are_numbers(client, storage):
    item = storage.free_resources[0]
    rows = client.list_free_resource_usages(bss.ListFreeResourceUsagesRequest(
        x_language="en_US", body={"free_resource_ids": [item.free_resource_id, "no-such-item"]})).free_resources
    assert len(rows) == 1
    row = rows[0]
    assert (row.free_resource_id, row.usage_type_name, row.quota_reuse_cycle, row.quota_reuse_cycle_type) == (item.free_resource_id, "Stored size", 4, 2)
    assert Decimal(str(row.amount)) == Decimal(item.amount) and Decimal(str(row.original_amount)) == 100
    assert row.start_time < row.end_time and row.end_time.endswith("T15:59:59Z")


def test_pages_and_filters(client, storage):
    everything = client.list_free_resources_usage_records(uses(client))
    page = client.list_free_resources_usage_records(uses(client, offset=2, limit=3))
    assert page.total_count == everything.total_count and page.free_resource_records == everything.free_resource_records[2:5]
    traffic = client.list_free_resources_usage_records(uses(client, resource_type_code="hws.resource.type.cdn"))
    assert {r.resource_id for r in traffic.free_resource_records} == {"www"}
    assert all(r.resource_tag == "team=web" for r in traffic.free_resource_records)
    assert client.list_free_resources_usage_records(uses(client, product_id="none")).total_count == 0
    assert client.list_free_resources_usage_records(uses(client, free_resource_id="none")).total_count == 0


def test_another_customer_sees_nothing(endpoint, demo, storage):
    other = build(bss.BssintlClient, endpoint, global_credentials(demo["customers"][2]))
    asked = {"free_resource_ids": [storage.free_resources[0].free_resource_id]}
    assert other.list_free_resource_usages(bss.ListFreeResourceUsagesRequest(body=asked)).free_resources == []


@pytest.mark.parametrize("query", [
    {"deduct_time_begin": "2026-13-01"}, {"deduct_time_end": "2020-01-01"}, {"deduct_time_begin": days(92)[0]}, {"limit": 0},
], ids=["no month", "backwards", "over 90 days", "limit"])
def test_bad_queries(client, query):
    refused(client.list_free_resources_usage_records, uses(client, **query), 400, "CBC.0100")


@pytest.mark.parametrize("ids", [[], ["x" * 65], ["x"] * 101], ids=["none", "too long", "too many"])
def test_bad_ids(client, ids):
    refused(client.list_free_resource_usages, bss.ListFreeResourceUsagesRequest(body={"free_resource_ids": ids}), 400, "CBC.0100")
