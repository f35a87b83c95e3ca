"""What is sold: the six lists and the resource specs, in both languages."""

import re

import pytest
from huaweicloudsdkbssintl import v2 as bss

from conftest import refused

ECS = "hws.service.type.ec2"
VM = "hws.resource.type.vm"

# Name, request, the field with the rows, what makes a row itself, what is translated.
LISTS = {
    "ListServiceTypes": (
        "list_service_types", bss.ListServiceTypesRequest, "service_types",
        lambda row: row.service_type_code, lambda row: row.service_type_name, {}),
    "ListResourceTypes": (
        "list_resource_types", bss.ListResourceTypesRequest, "resource_types",
        lambda row: (row.service_type_code, row.resource_type_code), lambda row: row.resource_type_name, {}),
    "ListServiceResources": (
        "list_service_resources", bss.ListServiceResourcesRequest, "infos",
        lambda row: row.basic_info.resource_type_code, lambda row: row.basic_info.name,
        {"service_type_code": ECS}),
    "ListUsageTypes": (
        "list_usage_types", bss.ListUsageTypesRequest, "usage_types",
        lambda row: (row.service_type_code, row.resource_type_code, row.code), lambda row: row.name, {}),
}


@pytest.fixture(params=LISTS.values(), ids=LISTS.keys())
def listing(request, bss_client):
    """One paged list as a function: parameters in, total and rows out."""
    method, request_type, field, key, name, always = request.param

    def read(**given):
        answer = getattr(bss_client, method)(request_type(**{**always, **given}))
        return answer.total_count, getattr(answer, field)

    read.key, read.name = key, name
    return read


def chinese(text):
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def test_first_page_is_ten_rows_at_most(listing):
    total, rows = listing()
    assert total > 0, "the demo cloud must have rows"
    assert len(rows) == min(total, 10), "the default limit is 10"


def test_pages_differ_and_cover_all_once(listing):
    total, _ = listing(limit=1)
    size = min(100, max(1, (total + 2) // 3))
    keys = []
    for offset in range(0, total, size):
        again, rows = listing(offset=offset, limit=size)
        assert again == total, f"total_count changed from {total} to {again} at offset {offset}"
        keys += [listing.key(row) for row in rows]
    assert len(keys) == total, f"the pages hold {len(keys)} rows, total_count says {total}"
    assert len(set(keys)) == total, "the pages overlap"


def test_offset_counts_records(listing):
    total, rows = listing(limit=3)
    _, shifted = listing(offset=1, limit=2)
    assert [listing.key(row) for row in shifted] == [listing.key(row) for row in rows[1:3]], \
        "offset=1 must begin at the second row"


def test_offset_beyond_the_end_is_empty(listing):
    total, rows = listing(offset=1_000_000, limit=10)
    assert rows == [], "rows beyond the end"
    assert total > 0, "total_count must not depend on the page"


def test_names_follow_the_language(listing):
    _, english = listing(limit=50, x_language="en_US")
    _, other = listing(limit=50, x_language="zh_CN")
    _, default = listing(limit=50)
    assert [listing.key(row) for row in english] == [listing.key(row) for row in other], \
        "the language must not change which rows come, nor their order"
    assert not any(chinese(listing.name(row)) for row in english), "a Chinese name in the English answer"
    assert any(chinese(listing.name(row)) for row in other), "no Chinese name in the Chinese answer"
    assert [listing.name(row) for row in default] == [listing.name(row) for row in other], \
        "without X-Language the names are Chinese"


@pytest.mark.parametrize("given", [{"limit": 0}, {"limit": 1_000_000}, {"offset": -1}], ids=str)
def test_page_out_of_bounds(plain_clients, given):
    error = refused(plain_clients["bss"].list_service_types, bss.ListServiceTypesRequest(**given), 400, "CBC.0100")
    assert next(iter(given)) in error.error_msg, f"the message must name the field: {error.error_msg}"


@pytest.mark.parametrize("part", ["prefix", "middle", "suffix"])
def test_service_name_is_fuzzy(bss_client, part):
    def search(text):
        return bss_client.list_service_types(
            bss.ListServiceTypesRequest(x_language="en_US", service_type_name=text, limit=1000))

    whole = next(row for row in search("Elastic").service_types if row.service_type_code == ECS)
    name = whole.service_type_name
    text = {"prefix": name[:7], "middle": name[3:-3], "suffix": name[-6:]}[part]
    found = search(text)
    assert found.total_count == len(found.service_types), "total_count counts the matches"
    assert ECS in [row.service_type_code for row in found.service_types], f"{text!r} must find {name!r}"
    for row in found.service_types:
        assert text.lower() in row.service_type_name.lower(), f"{text!r} found {row.service_type_name!r}"


def test_service_name_is_searched_in_the_language_asked(bss_client):
    every = bss_client.list_service_types(bss.ListServiceTypesRequest(limit=1000)).service_types
    name = next(row.service_type_name for row in every if row.service_type_code == ECS)
    part = name[1:3]
    answer = bss_client.list_service_types(bss.ListServiceTypesRequest(service_type_name=part, limit=1000))
    assert ECS in [row.service_type_code for row in answer.service_types], f"{part!r} must find {name!r}"


@pytest.mark.parametrize(
    "text", ["no such service", "%", "_", "a+b c", "(x)*'!~", "50% & more=#?/", "\u00fc\u4e00\u4e00"])
def test_service_name_is_taken_literally(bss_client, text):
    """Characters that mean something to a database, a query string or a signature."""
    answer = bss_client.list_service_types(bss.ListServiceTypesRequest(service_type_name=text))
    assert (answer.total_count, answer.service_types) == (0, []), f"{text!r} must find nothing"


@pytest.mark.parametrize("language", ["en_us", "en-us", "EN_US"])
def test_language_in_other_spellings(bss_client, language):
    def names(value):
        answer = bss_client.list_service_types(bss.ListServiceTypesRequest(x_language=value))
        return [row.service_type_name for row in answer.service_types]

    assert names(language) == names("en_US")


def test_catalogue_is_whole(bss_client):
    services = bss_client.list_service_types(bss.ListServiceTypesRequest(limit=1000))
    resources = bss_client.list_resource_types(bss.ListResourceTypesRequest(limit=1000))
    assert services.total_count >= 33 and len(services.service_types) == services.total_count
    assert resources.total_count >= 95 and len(resources.resource_types) == resources.total_count
    known = {row.service_type_code for row in services.service_types}
    # Marketplace services are left out of the list of services, as the provider does.
    strays = {row.service_type_code for row in resources.resource_types} - known - {"hws.service.type.marketplace"}
    assert not strays, f"resource types of services that are not listed: {strays}"
    assert all(row.service_type_name and row.abbreviation for row in services.service_types)
    assert all(row.resource_type_name and row.resource_type_desc for row in resources.resource_types)


def test_service_resources_belong_to_the_service(bss_client):
    answer = bss_client.list_service_resources(bss.ListServiceResourcesRequest(service_type_code=ECS, limit=100))
    assert VM in [row.basic_info.resource_type_code for row in answer.infos]
    assert {row.basic_info.product_owner_service for row in answer.infos} == {ECS}


def test_service_resources_of_an_unknown_service(bss_client):
    request = bss.ListServiceResourcesRequest(service_type_code="hws.service.type.none")
    answer = bss_client.list_service_resources(request)
    assert (answer.total_count, answer.infos) == (0, [])


def test_service_resources_need_the_service(plain_clients):
    request = bss.ListServiceResourcesRequest(limit=10)
    error = refused(plain_clients["bss"].list_service_resources, request, 400, "CBC.0100")
    assert "service_type_code" in error.error_msg, error.error_msg


def test_usage_types_by_resource(bss_client):
    every = bss_client.list_usage_types(bss.ListUsageTypesRequest(limit=100))
    some = bss_client.list_usage_types(bss.ListUsageTypesRequest(resource_type_code=VM, limit=100))
    assert 0 < some.total_count < every.total_count
    assert {row.resource_type_code for row in some.usage_types} == {VM}
    assert "duration" in [row.code.lower() for row in some.usage_types]


def test_units(bss_client):
    english = bss_client.list_measure_units(bss.ListMeasureUnitsRequest(x_language="en_US")).measure_units
    other = bss_client.list_measure_units(bss.ListMeasureUnitsRequest()).measure_units
    by_id = {unit.measure_id: unit for unit in english}
    assert len(by_id) == len(english), "a unit is listed twice"
    expected = {1: 1, 4: 2, 10: 3, 14: 12, 15: 16, 17: 7}
    assert {i: by_id[i].measure_type for i in expected if i in by_id} == expected
    assert by_id[10].abbreviation == "GB"
    assert [(unit.measure_id, unit.abbreviation, unit.measure_type) for unit in english] == \
        [(unit.measure_id, unit.abbreviation, unit.measure_type) for unit in other], \
        "only measure_name is translated"
    assert any(chinese(unit.measure_name) for unit in other)
    assert not any(chinese(unit.measure_name) for unit in english)


def test_conversions(bss_client):
    every = bss_client.list_conversions(bss.ListConversionsRequest()).conversions
    traffic = bss_client.list_conversions(bss.ListConversionsRequest(measure_type=3)).conversions
    assert traffic == [row for row in every if row.measure_type == 3] != []
    ratios = {(row.measure_id, row.ref_measure_id): row.conversion_ratio for row in every}
    assert ratios[10, 11] == 1024, "1 GB is 1024 MB"
    kinds = {unit.measure_id: unit.measure_type
             for unit in bss_client.list_measure_units(bss.ListMeasureUnitsRequest()).measure_units}
    for row in every:
        assert kinds.get(row.measure_id) == kinds.get(row.ref_measure_id) == row.measure_type, \
            f"{row.measure_id} -> {row.ref_measure_id} joins units of different types"
        assert row.conversion_ratio > 0


def specs(client, region, **given):
    body = bss.ResourceSpecsQueryReq(
        cloud_service_type=ECS, resource_type=VM, region_code=region, charge_mode="3", **given)
    return client.list_resource_specs(bss.ListResourceSpecsRequest(x_language="en_US", body=body))


def test_resource_specs_by_marker(bss_client, region):
    whole = specs(bss_client, region)
    wanted = [row.resource_spec for row in whole.cloud_service_basics]
    assert "s3.small.1.linux" in wanted
    for row in whole.cloud_service_basics:
        assert (row.cloud_service_type, row.resource_type, row.region_code, row.charge_mode) == (ECS, VM, region, "3")
        assert row.cloud_service_type_name and row.resource_type_name and row.resource_spec_name
    size = max(1, (len(wanted) + 2) // 3)
    got, marker = [], None
    for _ in range(10 * len(wanted)):
        page = specs(bss_client, region, limit=size, marker=marker)
        assert len(page.cloud_service_basics) <= size
        got += [row.resource_spec for row in page.cloud_service_basics]
        marker = page.page_info.next_marker if page.page_info else None
        if not marker or len(got) >= len(wanted):
            break
    assert got[:len(wanted)] == wanted, "the pages by marker differ from the whole"


def test_resource_specs_by_name(bss_client, region):
    answer = specs(bss_client, region,
                   filters=[bss.ResourceSpecsFilter(key="RESOURCE_SPEC", value="s3.small.1.linux")])
    assert [row.resource_spec for row in answer.cloud_service_basics] == ["s3.small.1.linux"]


@pytest.mark.parametrize("field", ["cloud_service_type", "resource_type", "region_code", "charge_mode"])
def test_resource_specs_need(plain_clients, region, field):
    body = {"cloud_service_type": ECS, "resource_type": VM, "region_code": region, "charge_mode": "3"}
    del body[field]
    error = refused(plain_clients["bss"].list_resource_specs, bss.ListResourceSpecsRequest(body=body), 400, "CBC.0100")
    assert field in error.error_msg, f"the message must name {field}: {error.error_msg}"
