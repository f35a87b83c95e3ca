"""Enterprise projects by the official EPS client: opened, made, changed, moved into, and seen by a user of one of them."""

import pytest
from huaweicloudsdkbssintl import v2 as bss
from huaweicloudsdkeps import v1 as eps

from conftest import Checked, build, global_credentials, refused


@pytest.fixture(scope="module")
def owner(demo):
    """A customer without enterprise projects so far."""
    return demo["customers"][2]


@pytest.fixture(scope="module")
def checked(endpoint, owner):
    """The same client for answers with a body: each is held against the SDK's model."""
    return Checked(build(eps.EpsClient, endpoint, global_credentials(owner)))


@pytest.fixture(scope="module")
def client(endpoint, owner):
    return build(eps.EpsClient, endpoint, global_credentials(owner))


@pytest.fixture(scope="module")
def project(endpoint, owner, client, checked):
    refused(client.create_enterprise_project, eps.CreateEnterpriseProjectRequest(body=eps.EnterpriseProject(name="too-early")), 403, "EPS.0039")
    money = build(bss.BssintlClient, endpoint, global_credentials(owner))
    for _ in range(2):
        assert money.create_enterprise_project_auth(bss.CreateEnterpriseProjectAuthRequest()).status_code == 204
    made = checked.create_enterprise_project(eps.CreateEnterpriseProjectRequest(
        body=eps.EnterpriseProject(name="python-quay", description="made by Python", type="poc")))
    return made.enterprise_project


def named(client, **query):
    return [p.name for p in client.list_enterprise_project(eps.ListEnterpriseProjectRequest(**query)).enterprise_projects]


def test_project_as_it_was_made(client, checked, project):
    assert (project.name, project.status, project.type, project.delete_flag) == ("python-quay", 1, "poc", False)
    shown = checked.show_enterprise_project(eps.ShowEnterpriseProjectRequest(project.id)).enterprise_project
    assert shown.description == "made by Python" and shown.id == project.id
    assert named(checked, sort_key="created_at", sort_dir="asc") == ["default", "python-quay"]
    assert named(client, name="QUAY", type="poc", status=1) == ["python-quay"]
    assert named(client, id="0") == ["default"]
    quota = checked.show_enterprise_project_quota(eps.ShowEnterpriseProjectQuotaRequest()).quotas.resources[0]
    assert (quota.type, quota.quota, quota.used) == ("enterprise_project", 100, 1)


def test_a_trial_becomes_commercial_and_stays_so(client, project):
    def change(kind):
        return eps.UpdateEnterpriseProjectRequest(project.id, eps.EnterpriseProject(name="python-quay", type=kind))
    assert client.update_enterprise_project(change("prod")).enterprise_project.type == "prod"
    refused(client.update_enterprise_project, change("poc"), 400, "EPS.0002")


def test_disabled_and_enabled(client, project):
    off = eps.DisableEnterpriseProjectRequest(project.id, eps.DisableAction(action="disable"))
    assert client.disable_enterprise_project(off).status_code == 204
    assert named(client, status=2) == ["python-quay"]
    refused(client.update_enterprise_project, eps.UpdateEnterpriseProjectRequest(
        project.id, eps.EnterpriseProject(name="x")), 400, "EPS.0014")
    on = eps.EnableEnterpriseProjectRequest(project.id, eps.EnableAction(action="enable"))
    assert client.enable_enterprise_project(on).status_code == 204
    assert named(client, status=2) == []


@pytest.mark.parametrize("name, code, status", [
    ("python-quay", "EPS.0010", 409), ("DEFAULT", "EPS.0007", 400), ("a b", "EPS.0007", 400), ("x" * 65, "EPS.0007", 400)])
def test_names_that_are_refused(client, project, name, code, status):
    refused(client.create_enterprise_project, eps.CreateEnterpriseProjectRequest(body=eps.EnterpriseProject(name=name)), status, code)


def test_what_stays_as_it_is(client, project):
    refused(client.update_enterprise_project, eps.UpdateEnterpriseProjectRequest("0", eps.EnterpriseProject(name="x")), 400, "EPS.0012")
    refused(client.disable_enterprise_project, eps.DisableEnterpriseProjectRequest("0", eps.DisableAction(action="disable")), 400, "EPS.0015")
    refused(client.delete_enterprise_project, eps.DeleteEnterpriseProjectRequest(project.id), 403, "EPS.0039")
    refused(client.show_enterprise_project, eps.ShowEnterpriseProjectRequest("nobodys"), 404, "EPS.0005")
    refused(client.list_enterprise_project, eps.ListEnterpriseProjectRequest(limit=1001), 400, "EPS.0017")
    assert client.show_ep_configs(eps.ShowEpConfigsRequest()).support_item.delete_ep_support == "false"


def test_what_was_moved(endpoint, customer, region):
    client = build(eps.EpsClient, endpoint, global_credentials(customer))
    checked = Checked(client)
    ids = {p.name: p.id for p in client.list_enterprise_project(eps.ListEnterpriseProjectRequest()).enterprise_projects}
    here = checked.show_resource_bind_enterprise_project(eps.ShowResourceBindEnterpriseProjectRequest(
        ids["research"], eps.ResqEpResouce(projects=[customer["project_id"]], resource_types=["ecs", "nothing"])))
    assert here.total_count == len(here.resources) == 1 and here.resources[0].resource_name == "lab"
    assert [e.resource_type for e in here.errors] == ["nothing"]
    server = here.resources[0]
    first = checked.list_migration_record(eps.ListMigrationRecordRequest(resource_id=server.resource_id)).records[-1]
    assert (first.origin_ep_name, first.target_ep_name, first.region_id) == ("default", "research", region)

    def move(to):
        return client.migrate_resource(eps.MigrateResourceRequest(ids[to], eps.MigrateResource(
            region_id=region, project_id=customer["project_id"], resource_id=server.resource_id, resource_type="ecs")))
    assert move("default").status_code == 204 and move("research").status_code == 204
    tied = checked.show_associated_resources(eps.ShowAssociatedResourcesRequest(
        resource_id=server.resource_id, project_id=customer["project_id"], region_id=region, resource_type="ecs"))
    assert tied.id == server.resource_id and tied.associated_resources == []


def test_services_and_names(client, checked, project):
    providers = checked.list_providers(eps.ListProvidersRequest(locale="en-us", limit=5))
    assert providers.total_count > len(providers.providers) == 5
    assert all(p.provider and p.resource_types for p in providers.providers)
    assert client.list_resource_mapping(eps.ListResourceMappingRequest()).resource_mapping["ecs"] == "ecs.cloudservers"


def test_a_user_of_one_project(endpoint, demo):
    who = demo["project_user"]
    client = build(eps.EpsClient, endpoint, global_credentials(who))
    assert named(client) == ["webshop"]
    refused(client.show_enterprise_project, eps.ShowEnterpriseProjectRequest("0"), 404, "EPS.0005")
    refused(client.create_enterprise_project, eps.CreateEnterpriseProjectRequest(body=eps.EnterpriseProject(name="mine")), 403, "EPS.0004")
    money = build(bss.BssintlClient, endpoint, global_credentials(who))
    orders = money.list_customer_orders(bss.ListCustomerOrdersRequest())
    assert orders.total_count == 1
    assert [p.id for p in orders.order_infos[0].enterprise_projects] == [who["enterprise_project_id"]]
    refused(money.show_customer_account_balances, bss.ShowCustomerAccountBalancesRequest(), 403, "CBC.0151")
