"""What it costs: on demand and by period, as exact decimals."""

import decimal
from decimal import Decimal

import pytest
from huaweicloudsdkbssintl import v2 as bss

import wire
from conftest import refused

HOUR, MINUTE, SECOND = 4, 5, 6
MONTH, YEAR = 2, 3

VM = {"cloud_service_type": "hws.service.type.ec2", "resource_type": "hws.resource.type.vm",
      "resource_spec": "s3.small.1.linux"}
VOLUME = {"cloud_service_type": "hws.service.type.ebs", "resource_type": "hws.resource.type.volume",
          "resource_spec": "GPSSD", "resource_size": 40, "size_measure_id": 17}
BANDWIDTH = {"cloud_service_type": "hws.service.type.vpc", "resource_type": "hws.resource.type.bandwidth",
             "resource_spec": "19_bgp", "resource_size": 5, "size_measure_id": 15}
PRODUCTS = {"vm": VM, "volume": VOLUME, "bandwidth": BANDWIDTH}


@pytest.fixture
def used(region):
    """A product used for an hour; later arguments change or drop (None) fields."""
    def make(product, name="1", **given):
        fields = {"id": name, "region": region, "usage_factor": "Duration", "usage_value": Decimal(1),
                  "usage_measure_id": HOUR, "subscription_num": 1, **product, **given}
        return {key: value for key, value in fields.items() if value is not None}

    return make


@pytest.fixture
def ordered(region):
    """A product ordered for a month; later arguments change or drop (None) fields."""
    def make(product, name="1", **given):
        fields = {"id": name, "region": region, "period_type": MONTH, "period_num": 1, "subscription_num": 1,
                  **product, **given}
        return {key: value for key, value in fields.items() if value is not None}

    return make


@pytest.fixture
def on_demand(bss_client, customer):
    """Asks for prices on demand and checks what must hold for every answer."""
    def ask(*products, precision=None):
        body = bss.RateOnDemandReq(project_id=customer["project_id"], inquiry_precision=precision,
                                   product_infos=[bss.DemandProductInfo(**product) for product in products])
        answer = bss_client.list_on_demand_resource_ratings(bss.ListOnDemandResourceRatingsRequest(body=body))
        check_on_demand(answer, [product["id"] for product in products], 10 if precision == 1 else 6)
        return answer

    return ask


@pytest.fixture
def by_period(bss_client, customer):
    """Asks for prices by period and checks what must hold for every answer."""
    def ask(*products):
        body = bss.RateOnPeriodReq(project_id=customer["project_id"],
                                   product_infos=[bss.PeriodProductInfo(**product) for product in products])
        answer = bss_client.list_rate_on_period_detail(bss.ListRateOnPeriodDetailRequest(body=body))
        check_by_period(answer, [product["id"] for product in products])
        return answer

    return ask


def check_adds_up(what, row):
    assert row.measure_id == 1, f"{what}: measure_id must be 1, the currency unit"
    assert row.official_website_amount == row.amount + row.discount_amount, \
        f"{what}: official {row.official_website_amount} is not amount {row.amount} + discount {row.discount_amount}"
    assert 0 <= row.amount <= row.official_website_amount, f"{what}: {row.amount} of {row.official_website_amount}"


def check_sums(total, rows, fields):
    for field in fields:
        summed = sum(getattr(row, field) for row in rows)
        assert getattr(total, field) == summed, f"{field}: {getattr(total, field)} is not the products' sum {summed}"


def check_on_demand(answer, names, decimals):
    rows = answer.product_rating_results
    assert [row.id for row in rows] == names, "one result a product, ids echoed in the order asked"
    assert answer.currency in ("USD", "", None)
    for row in rows:
        assert row.product_id, f"{row.id}: no product_id"
        for field in ("amount", "discount_amount", "official_website_amount"):
            value = getattr(row, field)
            assert wire.places(value) <= decimals, f"{row.id}: {field} {value} has more than {decimals} decimals"
        check_adds_up(f"product {row.id}", row)
    check_adds_up("the total", answer)
    check_sums(answer, rows, ("amount", "discount_amount", "official_website_amount"))


def check_by_period(answer, names):
    official = answer.official_website_rating_result
    assert [row.id for row in official.product_rating_results] == names
    assert all(row.product_id and row.measure_id == 1 for row in official.product_rating_results)
    check_sums(official, official.product_rating_results, ("official_website_amount",))
    assert official.measure_id == 1 and answer.currency in ("USD", "", None)
    for offer in answer.optional_discount_rating_results or []:
        what = f"offer {offer.discount_id}"
        assert offer.discount_id and offer.discount_name
        assert offer.discount_type in (605, 606, 607), f"{what}: discount_type {offer.discount_type}"
        assert offer.official_website_amount == official.official_website_amount, what
        check_adds_up(what, offer)
        assert [row.id for row in offer.product_rating_results] == names, what
        for row in offer.product_rating_results:
            check_adds_up(f"{what}, product {row.id}", row)
        check_sums(offer, offer.product_rating_results, ("amount", "discount_amount", "official_website_amount"))


# On demand


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS.keys())
@pytest.mark.parametrize("precision", [None, 0, 1])
def test_on_demand(on_demand, used, product, precision):
    answer = on_demand(used(product), precision=precision)
    assert answer.official_website_amount > 0


def test_on_demand_discount_is_explained(on_demand, used):
    answer = on_demand(used(VM, usage_value=Decimal(100)))
    assert answer.discount_amount > 0, "customers[0] has a commercial discount"
    row = answer.product_rating_results[0]
    results = row.discount_rating_results
    assert results, "discount_rating_results is empty"
    for result in results:
        assert result.discount_type in (605, 606, 607) and result.discount_id and result.discount_name
        assert result.measure_id == 1
    assert row.discount_amount in [result.amount for result in results], \
        f"no discount of {[str(result.amount) for result in results]} is the {row.discount_amount} taken off"


def test_on_demand_grows_with_use_and_number(on_demand, used):
    one = on_demand(used(VM), precision=1).official_website_amount
    assert on_demand(used(VM, usage_value=Decimal(24)), precision=1).official_website_amount == 24 * one
    assert on_demand(used(VM, subscription_num=3), precision=1).official_website_amount == 3 * one
    assert on_demand(used(VM, usage_value=Decimal("1.5")), precision=1).official_website_amount == one * Decimal("1.5")


@pytest.mark.parametrize("unit, number", [(MINUTE, 60), (SECOND, 3600)], ids=["minutes", "seconds"])
def test_on_demand_converts_units(on_demand, used, unit, number):
    hour = on_demand(used(VM), precision=1)
    same = on_demand(used(VM, usage_value=Decimal(number), usage_measure_id=unit), precision=1)
    assert same.official_website_amount == hour.official_website_amount


def test_on_demand_volume_is_linear(on_demand, used):
    forty = on_demand(used(VOLUME), precision=1).official_website_amount
    eighty = on_demand(used(VOLUME, resource_size=80), precision=1).official_website_amount
    assert eighty == 2 * forty


def test_on_demand_bandwidth_never_falls_with_size(on_demand, used):
    amounts = [on_demand(used(BANDWIDTH, resource_size=size), precision=1).official_website_amount
               for size in (1, 5, 6, 20)]
    assert amounts == sorted(set(amounts)), f"1, 5, 6 and 20 Mbit/s cost {[str(amount) for amount in amounts]}"


def test_on_demand_default_precision_cuts(on_demand, used):
    """A quantity whose price has many decimals is cut, not rounded."""
    awkward = used(VM, usage_value=Decimal("0.00377"))
    exact = on_demand(awkward, precision=1).official_website_amount
    cut = on_demand(awkward).official_website_amount
    with decimal.localcontext() as context:
        context.traps[decimal.Inexact] = False
        assert cut == Decimal(exact).quantize(Decimal("0.000001"), decimal.ROUND_DOWN), f"{exact} was cut to {cut}"


def test_on_demand_many_products_in_any_order(on_demand, used):
    products = [used(product, name) for name, product in PRODUCTS.items()]
    forward, backward = on_demand(*products), on_demand(*reversed(products))
    assert forward.amount == backward.amount
    alone = {name: on_demand(used(product, name)).amount for name, product in PRODUCTS.items()}
    assert {row.id: row.amount for row in forward.product_rating_results} == alone


def test_on_demand_hundred_products(on_demand, used):
    answer = on_demand(*[used(VM, str(i), usage_value=Decimal(i + 1)) for i in range(100)])
    assert len(answer.product_rating_results) == 100


def test_on_demand_usage_factor_ignores_case(on_demand, used):
    assert on_demand(used(VM, usage_factor="duration")).amount == on_demand(used(VM)).amount


def test_on_demand_takes_a_bare_number(bss_client, customer, used):
    """The SDK sends 1.5 as a number where the Go SDK quotes it; both are taken."""
    amounts = []
    for value in (1.5, "1.5"):
        body = {"project_id": customer["project_id"], "product_infos": [used(VM, usage_value=value)]}
        request = bss.ListOnDemandResourceRatingsRequest(body=body)
        amounts.append(bss_client.list_on_demand_resource_ratings(request).amount)
    assert amounts[0] == amounts[1]


def quoted(product):
    """The product with its integers as strings, as some clients send them."""
    return {key: str(value) if isinstance(value, int) else value for key, value in product.items()}


def test_on_demand_takes_quoted_integers(bss_client, customer, used, on_demand):
    body = {"project_id": customer["project_id"], "inquiry_precision": "1", "product_infos": [quoted(used(VOLUME))]}
    answer = bss_client.list_on_demand_resource_ratings(bss.ListOnDemandResourceRatingsRequest(body=body))
    assert answer.amount == on_demand(used(VOLUME), precision=1).amount


# By period


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS.keys())
@pytest.mark.parametrize("period", [MONTH, YEAR], ids=["month", "year"])
def test_by_period(by_period, ordered, product, period):
    answer = by_period(ordered(product, period_type=period))
    assert answer.official_website_rating_result.official_website_amount > 0


def test_by_period_marks_one_best_offer(by_period, ordered):
    offers = by_period(ordered(VM), ordered(VOLUME, "2")).optional_discount_rating_results
    assert offers, "customers[0] has a commercial discount"
    best = [offer for offer in offers if offer.best_offer == 1]
    assert len(best) == 1, f"{len(best)} best offers among {len(offers)}"
    assert {offer.best_offer for offer in offers} <= {0, 1}
    assert best[0].discount_amount == max(offer.discount_amount for offer in offers) > 0


def test_by_period_grows_with_number(by_period, ordered):
    def official(**given):
        return by_period(ordered(VM, **given)).official_website_rating_result.official_website_amount

    assert official(subscription_num=3) == 3 * official()
    assert official() < official(period_num=2) <= 2 * official()
    assert official(period_type=YEAR) <= 12 * official()


def test_by_period_many_products_in_any_order(by_period, ordered):
    products = [ordered(product, name) for name, product in PRODUCTS.items()]
    one, other = by_period(*products), by_period(*reversed(products))
    assert one.official_website_rating_result.official_website_amount == \
        other.official_website_rating_result.official_website_amount
    assert [(offer.discount_id, offer.amount, offer.best_offer) for offer in one.optional_discount_rating_results] == \
        [(offer.discount_id, offer.amount, offer.best_offer) for offer in other.optional_discount_rating_results]


def test_by_period_hundred_products(by_period, ordered):
    answer = by_period(*[ordered(VM, str(i)) for i in range(100)])
    assert len(answer.official_website_rating_result.product_rating_results) == 100


def test_by_period_takes_quoted_integers(bss_client, customer, ordered, by_period):
    body = {"project_id": customer["project_id"], "product_infos": [quoted(ordered(VOLUME))]}
    answer = bss_client.list_rate_on_period_detail(bss.ListRateOnPeriodDetailRequest(body=body))
    assert answer.official_website_rating_result.official_website_amount == \
        by_period(ordered(VOLUME)).official_website_rating_result.official_website_amount


# What is refused. Each case: what to change, the code, a word the message must hold.

ON_DEMAND_FAULTS = {
    "unknown spec": ({"resource_spec": "s3.nonsense.linux"}, "CBC.99006006", ""),
    "unknown region": ({"region": "nowhere-1"}, "CBC.99006006", ""),
    "unknown service": ({"cloud_service_type": "hws.service.type.none"}, "CBC.99006006", ""),
    "unit of another kind": ({"usage_measure_id": 10}, "CBC.99006050", ""),
    "unknown unit": ({"usage_measure_id": 987654}, "CBC.99006050", ""),
    "unknown usage factor": ({"usage_factor": "nonsense"}, "CBC.99006074", "nonsense"),
    "no id": ({"id": None}, "CBC.0100", "id"),
    "no region": ({"region": None}, "CBC.0100", "region"),
    "no usage_value": ({"usage_value": None}, "CBC.0100", "usage_value"),
    "negative usage": ({"usage_value": Decimal(-1)}, "CBC.0100", "usage_value"),
    "no subscription_num": ({"subscription_num": None}, "CBC.0100", "subscription_num"),
    "id too long": ({"id": "x" * 65}, "CBC.0100", "id"),
}

PERIOD_FAULTS = {
    "unknown spec": ({"resource_spec": "s3.nonsense.linux"}, "CBC.99006006", ""),
    "no period_num": ({"period_num": None}, "CBC.0100", "period_num"),
    "period_type not listed": ({"period_type": 9}, "CBC.0100", "period_type"),
    "no resource_spec": ({"resource_spec": None}, "CBC.0100", "resource_spec"),
}


def refuse_on_demand(clients, body, code):
    request = bss.ListOnDemandResourceRatingsRequest(body=body)
    return refused(clients["bss"].list_on_demand_resource_ratings, request, 400, code)


def refuse_period(clients, body, code):
    request = bss.ListRateOnPeriodDetailRequest(body=body)
    return refused(clients["bss"].list_rate_on_period_detail, request, 400, code)


@pytest.mark.parametrize("change, code, word", ON_DEMAND_FAULTS.values(), ids=ON_DEMAND_FAULTS.keys())
def test_on_demand_refuses(plain_clients, customer, used, change, code, word):
    body = {"project_id": customer["project_id"], "product_infos": [used(VM, **{"name": "1", **change})]}
    error = refuse_on_demand(plain_clients, body, code)
    assert word in error.error_msg, f"the message must hold {word!r}: {error.error_msg}"


@pytest.mark.parametrize("change, code, word", PERIOD_FAULTS.values(), ids=PERIOD_FAULTS.keys())
def test_by_period_refuses(plain_clients, customer, ordered, change, code, word):
    body = {"project_id": customer["project_id"], "product_infos": [ordered(VM, **change)]}
    error = refuse_period(plain_clients, body, code)
    assert word in error.error_msg, f"the message must hold {word!r}: {error.error_msg}"


@pytest.mark.parametrize("missing", ["project_id", "product_infos"])
def test_ratings_need(plain_clients, customer, used, ordered, missing):
    for refuse, product in ((refuse_on_demand, used(VM)), (refuse_period, ordered(VM))):
        body = {"project_id": customer["project_id"], "product_infos": [product]}
        del body[missing]
        error = refuse(plain_clients, body, "CBC.0100")
        assert missing in error.error_msg, f"the message must name {missing}: {error.error_msg}"


def test_ratings_refuse_equal_ids(plain_clients, customer, used, ordered):
    for refuse, product in ((refuse_on_demand, used(VM, "same")), (refuse_period, ordered(VM, "same"))):
        body = {"project_id": customer["project_id"], "product_infos": [product, product]}
        error = refuse(plain_clients, body, "CBC.0100")
        assert "same" in error.error_msg or "id" in error.error_msg, error.error_msg


def test_ratings_refuse_more_than_a_hundred(plain_clients, customer, used, ordered):
    for refuse, make in ((refuse_on_demand, used), (refuse_period, ordered)):
        body = {"project_id": customer["project_id"], "product_infos": [make(VM, str(i)) for i in range(101)]}
        refuse(plain_clients, body, "CBC.0100")


def test_linear_product_needs_its_size(plain_clients, customer, used):
    body = {"project_id": customer["project_id"],
            "product_infos": [used(VOLUME, resource_size=None, size_measure_id=None)]}
    refuse_on_demand(plain_clients, body, "CBC.0100")


@pytest.mark.parametrize("body", [None, {}, "not json", "[]", '{"project_id": 7, "product_infos": []}'], ids=str)
def test_bodies_that_do_not_fit(plain_clients, body):
    refuse_on_demand(plain_clients, body, "CBC.0100")
