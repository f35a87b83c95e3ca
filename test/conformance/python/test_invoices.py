"""Invoices of the first demo customer: offset is a page here, and fields are in camelCase on the wire."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from huaweicloudsdkbssintl.v2 import ListInvoicesRequest

from conftest import refused

NOW = datetime.now(timezone.utc)
FROM, UNTIL = ((NOW + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ") for days in (-60, 1))


def ask(client, **change):
    return client.list_invoices(ListInvoicesRequest(**{"start_time": FROM, "end_time": UNTIL, "offset": 1, "limit": 100, **change}))


def test_list(bss_client):
    answer = ask(bss_client)
    assert answer.count == len(answer.invoices) >= 4
    rows = {row.request_id: row for row in answer.invoices}
    for row in answer.invoices:
        if row.invoice_state == 0:  # of an order of other tests; its number follows within seconds
            assert row.invoice_no == ""
        else:
            assert row.invoice_no.startswith("INV-") and row.invoice_state in (8, 9)
        assert row.trade_type in (3, 8)  # a month's usage, and orders
        assert (row.title_type, row.channel_type, row.invoice_type, row.invoice_method, row.invoice_mode) == (1, 0, 1, 2, "0")
        assert row.address_info.recipients == "Alice Example" and row.email.endswith("@example.com")
        assert row.tax_list == []  # the demo takes no tax
        if row.request_mode == "1":
            assert Decimal(str(row.invoice_amount)) < 0 and rows[row.src_request_id].request_mode in ("0", "2")
    assert any(row.request_mode == "1" for row in answer.invoices)
    second = ask(bss_client, offset=2, limit=1)
    assert second.count == answer.count and second.invoices[0].request_id == answer.invoices[1].request_id


@pytest.mark.parametrize("change", [{"offset": 0}, {"limit": 101}, {"offset": 100000}, {"start_time": "today"}, {"start_time": UNTIL, "end_time": FROM}])
def test_refusals(plain_clients, change):
    request = ListInvoicesRequest(**{"start_time": FROM, "end_time": UNTIL, "offset": 1, "limit": 10, **change})
    refused(plain_clients["bss"].list_invoices, request, 400, "CBC.0100")
