"""Balances and quota of the demo customers."""

from decimal import Decimal

from huaweicloudsdkbssintl import v2 as bss

from buyer import SERVER, Buyer
from conftest import Checked, build, global_credentials


def client_of(demo, endpoint, number):
    return Checked(build(bss.BssintlClient, endpoint, global_credentials(demo["customers"][number])))


def test_balances(demo, endpoint):
    answer = client_of(demo, endpoint, 2).show_customer_account_balances(bss.ShowCustomerAccountBalancesRequest())
    rows = {row.account_type: row for row in answer.account_balances}
    assert set(rows) == {1, 2, 5, 7}
    assert len({row.account_id for row in rows.values()}) == 4 and all(len(row.account_id) == 18 for row in rows.values())
    assert {row.currency for row in rows.values()} == {"USD"} and {row.measure_id for row in rows.values()} == {1}
    assert Decimal(str(rows[1].amount)) == 10000 and Decimal(str(rows[5].amount)) == 50
    assert Decimal(str(rows[2].amount)) == 0 and Decimal(str(answer.debt_amount)) == 0


def test_credit_account_shows_the_limit_in_all(demo, endpoint):
    answer = client_of(demo, endpoint, 1).show_customer_account_balances(bss.ShowCustomerAccountBalancesRequest())
    credit = next(row for row in answer.account_balances if row.account_type == 2)
    assert Decimal(str(credit.amount)) == Decimal(str(credit.credit_amount)) == 5000


def test_quota_of_a_monthly_customer(demo, endpoint):
    Buyer(endpoint, demo["customers"][1]).buy(SERVER)
    answer = client_of(demo, endpoint, 1).show_customer_expenditure_quota(bss.ShowCustomerExpenditureQuotaRequest())
    granted, used = Decimal(str(answer.granting_amount)), Decimal(str(answer.granting_amount_used))
    assert granted == 2000 and 0 < used < granted
    cents = int(used * 10000) // int(granted)  # cut at two decimals
    assert int(Decimal(str(answer.percentage_granting_amount_used)) * 100) == cents and answer.currency == "USD"


def test_prepaid_customers_have_no_quota(demo, endpoint):
    answer = client_of(demo, endpoint, 0).show_customer_expenditure_quota(bss.ShowCustomerExpenditureQuotaRequest())
    assert Decimal(str(answer.granting_amount)) == 0


def test_coupons(demo, endpoint):
    mine = client_of(demo, endpoint, 0)
    both = mine.list_sub_customer_coupons(bss.ListSubCustomerCouponsRequest())
    assert both.count == 2 and {row.coupon_version for row in both.user_coupons} == {1, 2}
    for row in both.user_coupons:
        assert (row.status, row.coupon_type, row.is_frozen, row.currency) == (2, 1, "0", "USD")
        assert row.customer_id == demo["customers"][0]["domain_id"]
        if row.coupon_version == 2:
            assert 0 < Decimal(str(row.balance)) < Decimal(str(row.face_value)) == 100  # usage is paid with it
        else:
            assert row.balance is None and row.lock_order_id is None
            assert [(limit.limit_key, limit.value1) for limit in row.use_limits] == [("serviceType", "hws.service.type.ec2")]
    one = mine.list_sub_customer_coupons(bss.ListSubCustomerCouponsRequest(offset=1, limit=1))
    assert one.count == 2 and one.user_coupons[0].coupon_id == both.user_coupons[1].coupon_id
    for request, count in [
        (bss.ListSubCustomerCouponsRequest(coupon_id=one.user_coupons[0].coupon_id), 1),
        (bss.ListSubCustomerCouponsRequest(promotion_plan_id="demo-welcome"), 1),
        (bss.ListSubCustomerCouponsRequest(source_id=demo["partner"]["domain_id"]), 2),
        (bss.ListSubCustomerCouponsRequest(status=3), 0),
        (bss.ListSubCustomerCouponsRequest(coupon_type=2), 0),
        (bss.ListSubCustomerCouponsRequest(active_start_time="2000-01-01T00:00:00Z", active_end_time="2001-01-01T00:00:00Z"), 0),
    ]:
        assert mine.list_sub_customer_coupons(request).count == count, request
