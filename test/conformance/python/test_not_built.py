"""Operations of the contract that are still to come: 501, and readable.

When an operation is built, take its line out of the table and write its tests.
"""

import pytest
from huaweicloudsdkbssintl import v2 as bss

from conftest import refused


# Service, operation of the client, a request that would be valid.
NOT_BUILT = [
    ("bss", "list_invoices", bss.ListInvoicesRequest(
        start_time="2026-05-01T00:00:00Z", end_time="2026-05-31T00:00:00Z", offset=1, limit=10)),
]


@pytest.mark.parametrize("service, method, request_", NOT_BUILT, ids=[row[1] for row in NOT_BUILT])
def test_not_built(plain_clients, service, method, request_):
    refused(getattr(plain_clients[service], method), request_, 501, "PURSER.0501")
