"""Costs of the first demo customer: groups come to the whole, months to their row; amounts are strings."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from huaweicloudsdkbssintl import v2 as bss

from conftest import build, global_credentials, refused

HERE = timezone(timedelta(hours=8))


def query(cost="ORIGINAL_COST", *groups, **change):
    end = datetime.now(HERE)
    begin = end.replace(day=1) - timedelta(days=1)
    return bss.ListCostsRequest(body={
        "time_condition": {"time_measure_id": 2, "begin_time": begin.strftime("%Y-%m"), "end_time": end.strftime("%Y-%m")},
        "groupby": [{"type": "dimension", "key": key} for key in groups or ["CLOUD_SERVICE_TYPE"]],
        "cost_type": cost, "amount_type": "PAYMENT_AMOUNT", "limit": 1000, **change})


@pytest.fixture(scope="module")
def client(endpoint, customer):
    return build(bss.BssintlClient, endpoint, global_credentials(customer))


def total(answer):
    assert answer.currency == "USD" and answer.total_count == len(answer.cost_data) > 0
    for row in answer.cost_data:
        assert isinstance(row.amount_by_costs, str)
        assert sum(Decimal(c.amount) for c in row.costs) == Decimal(row.amount_by_costs)
        assert all(c.time_measure_id == 2 and len(c.time_dimension_value) == 7 for c in row.costs)
    return sum(Decimal(row.amount_by_costs) for row in answer.cost_data)


def test_groups_come_to_the_whole(client):
    whole = total(client.list_costs(query()))
    assert whole > 0
    for groups in (["REGION_CODE", "CHARGING_MODE"], ["RESOURCE_ID"]):
        assert total(client.list_costs(query("ORIGINAL_COST", *groups))) == whole
    assert 0 < total(client.list_costs(query("AMORTIZED_COST"))) < whole


def test_a_filter_and_its_opposite(client):
    def only(operator):
        return total(client.list_costs(query(filters=[{"operator": operator, "filter_factor": {"key": "CHARGING_MODE", "value": ["1"]}}])))
    assert only(0) + only(1) == total(client.list_costs(query()))


@pytest.mark.parametrize("change", [
    {"groupby": [{"type": "dimension", "key": "COLOUR"}]}, {"groupby": [{"type": "cost_unit", "key": "x"}]}, {"cost_type": "COST"}, {"limit": 1001},
    {"time_condition": {"time_measure_id": 1, "begin_time": "2026-05", "end_time": "2026-06"}},
    {"filters": [{"operator": 0, "filter_factor": {"key": "COST_UNIT", "value": ["x"]}}]},
], ids=["dimension", "cost unit", "cost type", "limit", "days", "filter"])
def test_refused(client, change):
    refused(client.list_costs, query(**change), 400, "CBC.0100")
