"""Who is calling: the look-ups clients make at start, tokens, and refusals."""

import os

import pytest
import requests
from huaweicloudsdkbssintl import v2 as bss
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkiam import v3 as iam

from conftest import build, config, global_credentials, refused

SERVICES = bss.ListServiceTypesRequest(limit=1)


def test_domains(iam_client, customer):
    answer = iam_client.keystone_list_auth_domains(iam.KeystoneListAuthDomainsRequest())
    assert [(row.id, row.name) for row in answer.domains] == [(customer["domain_id"], customer["domain_name"])]


def test_one_project_a_region(iam_client, customer, region):
    answer = iam_client.keystone_list_projects(iam.KeystoneListProjectsRequest(name=region))
    assert [(row.id, row.name) for row in answer.projects] == [(customer["project_id"], region)]
    assert answer.projects[0].domain_id == customer["domain_id"]


def test_projects_of_the_caller(iam_client, customer):
    answer = iam_client.keystone_list_auth_projects(iam.KeystoneListAuthProjectsRequest())
    assert customer["project_id"] in [row.id for row in answer.projects]
    assert {row.domain_id for row in answer.projects} == {customer["domain_id"]}


def test_no_project_of_another_name(iam_client):
    assert iam_client.keystone_list_projects(iam.KeystoneListProjectsRequest(name="nowhere-1")).projects == []


def test_users_by_name(iam_client, customer):
    answer = iam_client.keystone_list_users(iam.KeystoneListUsersRequest(name=customer["user"]))
    assert [row.name for row in answer.users] == [customer["user"]]
    assert answer.users[0].id and answer.users[0].domain_id == customer["domain_id"]
    assert iam_client.keystone_list_users(iam.KeystoneListUsersRequest(name="nobody")).users == []


# Look-ups by the SDK itself, the first time credentials without ids are used.
# Different customers, because the SDK remembers what it found by access key.


def test_sdk_finds_the_domain_by_environment(monkeypatch, demo, endpoint, region):
    who = demo["customers"][0]
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", endpoint)
    credentials = GlobalCredentials(who["access_key"], who["secret_key"])
    client = (bss.BssintlClient.new_builder().with_http_config(config()).with_credentials(credentials)
              .with_region(Region(region, endpoint)).build())
    assert credentials.domain_id == who["domain_id"]
    assert client.list_service_types(SERVICES).total_count > 0


def test_sdk_finds_the_domain_by_setting(demo, endpoint, region):
    who = demo["operator"]
    credentials = GlobalCredentials(who["access_key"], who["secret_key"]).with_iam_endpoint(endpoint)
    client = (bss.BssintlClient.new_builder().with_http_config(config()).with_credentials(credentials)
              .with_region(Region(region, endpoint)).build())
    assert credentials.domain_id == who["domain_id"]
    assert client.list_service_types(SERVICES).total_count > 0


def test_sdk_finds_the_project(customer, endpoint, region):
    credentials = BasicCredentials(customer["access_key"], customer["secret_key"]).with_iam_endpoint(endpoint)
    (iam.IamClient.new_builder().with_http_config(config()).with_credentials(credentials)
     .with_region(Region(region, endpoint)).build())
    assert credentials.project_id == customer["project_id"]


# Tokens


def token_request(who, password=None, scope=None):
    user = iam.PwdPasswordUser(
        name=who["user"], password=password or who["password"],
        domain=iam.PwdPasswordUserDomain(name=who["domain_name"]))
    auth = iam.PwdAuth(
        identity=iam.PwdIdentity(methods=["password"], password=iam.PwdPassword(user=user)), scope=scope)
    return iam.KeystoneCreateUserTokenByPasswordRequest(
        nocatalog="1", body=iam.KeystoneCreateUserTokenByPasswordRequestBody(auth=auth))


def test_token_for_the_domain(iam_client, customer, endpoint):
    scope = iam.AuthScope(domain=iam.AuthScopeDomain(name=customer["domain_name"]))
    answer = iam_client.keystone_create_user_token_by_password(token_request(customer, scope=scope))
    assert answer.status_code == 201
    assert answer.token.domain.id == customer["domain_id"] and answer.token.project is None
    assert answer.token.user.name == customer["user"]
    assert answer.token.user.domain.id == customer["domain_id"]
    assert answer.token.methods == ["password"]
    assert answer.token.issued_at < answer.token.expires_at
    assert answer.x_subject_token, "no X-Subject-Token"

    listed = requests.get(f"{endpoint}/v2/products/service-types",
                          headers={"X-Auth-Token": answer.x_subject_token}, timeout=30)
    assert listed.status_code == 200, f"the token was not taken: {listed.text}"
    assert listed.json()["total_count"] > 0


def test_token_for_the_project(iam_client, customer, region):
    scope = iam.AuthScope(project=iam.AuthScopeProject(name=region))
    answer = iam_client.keystone_create_user_token_by_password(token_request(customer, scope=scope))
    assert answer.token.project.id == customer["project_id"]
    assert answer.token.project.name == region


def test_token_without_scope_is_for_the_domain(iam_client, customer):
    answer = iam_client.keystone_create_user_token_by_password(token_request(customer))
    assert answer.token.domain.id == customer["domain_id"]


def test_token_needs_the_password(plain_clients, customer):
    call = plain_clients["iam"].keystone_create_user_token_by_password
    # IAM's own form holds the HTTP status as its code.
    refused(call, token_request(customer, password="not the password"), 401, 401)


# Refusals


def bss_with(endpoint, credentials):
    return build(bss.BssintlClient, endpoint, credentials).list_service_types


def test_wrong_secret(endpoint, customer):
    credentials = GlobalCredentials(customer["access_key"], "wrong" + customer["secret_key"], customer["domain_id"])
    error = refused(bss_with(endpoint, credentials), SERVICES, 401, "APIGW.0301")
    assert "verify aksk signature fail" in error.error_msg, error.error_msg


def test_unknown_key(endpoint, customer):
    credentials = GlobalCredentials("NOSUCHKEY00000000000", customer["secret_key"], customer["domain_id"])
    error = refused(bss_with(endpoint, credentials), SERVICES, 401, "APIGW.0301")
    assert "ak not exist" in error.error_msg, error.error_msg


def test_secret_is_not_repeated(endpoint, customer):
    credentials = GlobalCredentials(customer["access_key"], "wrong", customer["domain_id"])
    error = refused(bss_with(endpoint, credentials), SERVICES, 401, "APIGW.0301")
    assert customer["secret_key"] not in str(error)


def test_unknown_path(plain_clients):
    """A partner operation of the SDK that is not part of the contract."""
    error = refused(plain_clients["bss"].list_indirect_partners,
                    bss.ListIndirectPartnersRequest(body={"limit": 1}), 404, "APIGW.0101")
    assert "does not exist" in error.error_msg, error.error_msg


def test_operator_signs_in(demo, endpoint):
    client = build(bss.BssintlClient, endpoint, global_credentials(demo["operator"]))
    assert client.list_service_types(SERVICES).total_count > 0


def test_every_customer_signs_in(demo, endpoint):
    for who in demo["customers"]:
        client = build(bss.BssintlClient, endpoint, global_credentials(who))
        assert client.list_service_types(SERVICES).total_count > 0, who["domain_name"]


# TLS, when the runner gives an endpoint with it.


@pytest.fixture
def tls():
    if not os.environ.get("PURSER_TLS_ENDPOINT"):
        pytest.skip("PURSER_TLS_ENDPOINT is not set")
    return os.environ["PURSER_TLS_ENDPOINT"], os.environ.get("PURSER_CA")


def test_tls(tls, customer):
    endpoint, authority = tls
    trusting = HttpConfig(timeout=(5, 30), ssl_ca_cert=authority) if authority else \
        HttpConfig(timeout=(5, 30), ignore_ssl_verification=True)
    client = build(bss.BssintlClient, endpoint, global_credentials(customer), trusting)
    assert client.list_service_types(SERVICES).total_count > 0
