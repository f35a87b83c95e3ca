"""The demo cloud's sign-ins and the SDK clients made from them.

Every client is the official one, with nothing changed but the endpoint.
"""

import decimal
import json
import os

import pytest
from huaweicloudsdkbssintl import v2 as bss
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcts import v3 as cts
from huaweicloudsdkeps import v1 as eps
from huaweicloudsdkiam import v3 as iam

import wire

decimal.getcontext().traps[decimal.Inexact] = True  # an inexact sum is a fault of the test


@pytest.fixture(scope="session")
def demo():
    path = os.environ.get("PURSER_DEMO_JSON")
    if not path:
        pytest.exit("PURSER_DEMO_JSON is not set; run this through run.sh", returncode=1)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="session")
def endpoint(demo):
    return demo["endpoint"].rstrip("/")


@pytest.fixture(scope="session")
def region(demo):
    return demo["region"]


@pytest.fixture(scope="session")
def customer(demo):
    """The customer with a commercial discount."""
    return demo["customers"][0]


def config():
    # Short, so that a hanging server fails a test instead of the run.
    return HttpConfig(timeout=(5, 30))


def global_credentials(who):
    return GlobalCredentials(who["access_key"], who["secret_key"], who["domain_id"])


def build(client, endpoint, credentials, http=None):
    return (client.new_builder().with_http_config(http or config())
            .with_credentials(credentials).with_endpoint(endpoint).build())


class Checked:
    """A client whose every answer is held against the SDK's model first."""

    def __init__(self, client, extra_names=False):
        self._client = client
        self._extra_names = extra_names

    def __getattr__(self, name):
        call = getattr(self._client, name)

        def checked(request):
            response = call(request)
            wire.check(response, self._client.model_package, self._extra_names)
            return response

        return checked


@pytest.fixture(scope="session")
def bss_client(endpoint, customer):
    return Checked(build(bss.BssintlClient, endpoint, global_credentials(customer)))


@pytest.fixture(scope="session")
def iam_client(endpoint, customer):
    # IAM's answers hold fields which the SDK's models leave out.
    return Checked(build(iam.IamClient, endpoint, global_credentials(customer)), extra_names=True)


@pytest.fixture(scope="session")
def plain_clients(endpoint, customer):
    """One client a service, unchecked: for calls that must fail."""
    project = BasicCredentials(customer["access_key"], customer["secret_key"], customer["project_id"])
    return {
        "bss": build(bss.BssintlClient, endpoint, global_credentials(customer)),
        "eps": build(eps.EpsClient, endpoint, global_credentials(customer)),
        "cts": build(cts.CtsClient, endpoint, project),
        "iam": build(iam.IamClient, endpoint, global_credentials(customer)),
    }


def refused(call, request, status, code):
    """Makes a call that must fail as given, and hands back the SDK's error."""
    with pytest.raises(ServiceResponseException) as caught:
        call(request)
    error = caught.value
    got = f"HTTP {error.status_code} {error.error_code}: {error.error_msg}"
    assert (error.status_code, error.error_code) == (status, code), f"expected HTTP {status} {code}, got {got}"
    assert error.error_msg and not error.error_msg.lstrip().startswith("{"), f"no readable message: {got}"
    assert error.request_id, f"no X-Request-Id with {got}"
    return error
