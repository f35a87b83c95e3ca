"""Operations of the contract that are still to come: 501, and readable.

When an operation is built, take its line out of the table and write its tests.
"""

import pytest
from huaweicloudsdkbssintl import v2 as bss
from huaweicloudsdkeps import v1 as eps

from conftest import refused


# Service, operation of the client, a request that would be valid.
NOT_BUILT = [
    ("bss", "show_customer_monthly_sum", bss.ShowCustomerMonthlySumRequest(bill_cycle="2026-05")),
    ("bss", "list_customerself_resource_records", bss.ListCustomerselfResourceRecordsRequest(cycle="2026-05")),
    ("bss", "list_customerself_resource_record_details", bss.ListCustomerselfResourceRecordDetailsRequest(
        body={"cycle": "2026-05"})),
    ("bss", "create_enterprise_project_auth", bss.CreateEnterpriseProjectAuthRequest()),
    ("eps", "list_enterprise_project", eps.ListEnterpriseProjectRequest()),
]


@pytest.mark.parametrize("service, method, request_", NOT_BUILT, ids=[row[1] for row in NOT_BUILT])
def test_not_built(plain_clients, service, method, request_):
    refused(getattr(plain_clients[service], method), request_, 501, "PURSER.0501")
