"""Customers who order: purser's own operations beside the official client."""

import itertools
import json
import time
import urllib.request
from decimal import Decimal

from huaweicloudsdkbssintl import v2 as bss

from conftest import Checked, build, global_credentials

SERVER = {"id": "1", "cloud_service_type": "hws.service.type.ec2", "resource_type": "hws.resource.type.vm",
          "resource_spec": "s3.small.1.linux", "region": "ap-southeast-1", "period_type": 2, "period_num": 1,
          "subscription_num": 1}
DISK = {"id": "2", "cloud_service_type": "hws.service.type.ebs", "resource_type": "hws.resource.type.volume",
        "resource_spec": "SAS", "region": "ap-southeast-1", "resource_size": 40, "size_measure_id": 17,
        "subscription_num": 1}


def dec(value):
    return Decimal(str(value))


class Caller:
    """An account that calls purser's own operations with a token: its own, or a new one."""

    def __init__(self, endpoint, who):
        self.endpoint, self.who = endpoint, who
        self.token = who.get("token")
        if self.token:
            return
        domain = {"name": who["domain_name"]}
        user = {"name": who["user"], "password": who["password"], "domain": domain}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"domain": domain}}
        self.token = self._open("POST", "/v3/auth/tokens", {"auth": auth}, {}).headers["X-Subject-Token"]

    def _open(self, method, path, body, headers):
        request = urllib.request.Request(self.endpoint + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json", **headers}, method=method)
        return urllib.request.urlopen(request, timeout=60)

    def call(self, method, path, body):
        return json.load(self._open(method, path, body, {"X-Auth-Token": self.token}))


class Operator(Caller):
    """The house's operator."""

    _numbers = itertools.count(int(time.time() * 1000))

    def customer(self, cash):
        """A customer of its own, with so much money and nothing else."""
        name = f"python-{next(self._numbers)}"
        made = self.call("POST", "/purser/v1/customers", {"account_name": name, "user_name": name, "country": "SG"})
        who = {"domain_name": name, "user": name, "password": made["password"], "domain_id": made["customer"]["customer_id"]}
        self.call("POST", f"/purser/v1/customers/{who['domain_id']}/top-ups", {"amount": cash, "reference": name})
        owner = Caller(self.endpoint, who)
        key = owner.call("POST", "/v3.0/OS-CREDENTIAL/credentials", {"credential": {"user_id": made["user_id"]}})["credential"]
        return {**who, "token": owner.token, "access_key": key["access"], "secret_key": key["secret"]}

    def standing(self, who, standing):
        self.call("PATCH", f"/purser/v1/customers/{who['domain_id']}", {"standing": standing})

    def turn(self, who, at):
        """Turns the customer's clock."""
        job = self.call("PUT", "/purser/v1/clocks", {"customer_id": who["domain_id"], "time": at.strftime("%Y-%m-%dT%H:%M:%SZ")})
        assert job["state"] == "done", job


class Buyer(Caller):
    """A customer with the official client, and purser's own operation to order by."""

    def __init__(self, endpoint, who):
        super().__init__(endpoint, who)
        self.plain = build(bss.BssintlClient, endpoint, global_credentials(who))
        self.bss = Checked(self.plain)

    def order(self, *products, **more):
        return self.call("POST", "/purser/v1/orders", {"products": list(products), **more})

    def buy(self, *products):
        """Orders and pays: the resources, the primary ones first."""
        order = self.order(*products)
        self.plain.pay_orders(self.pay_request(order["order_id"]))
        rows = self.resources(order_id=order["order_id"], limit=100).data
        return sorted(rows, key=lambda row: -row.is_main_resource)

    def resize(self, disk, size):
        return self.call("POST", "/purser/v1/resource-changes", {"resource_id": disk, "resource_size": size, "size_measure_id": 17})

    def cash(self):
        answer = self.bss.show_customer_account_balances(bss.ShowCustomerAccountBalancesRequest())
        return next(dec(row.amount) for row in answer.account_balances if row.account_type == 1)

    def details(self, order_id):
        return self.bss.show_customer_order_details(
            bss.ShowCustomerOrderDetailsRequest(order_id=order_id, x_language="en_US"))

    def pay_request(self, order_id, coupon=None, discount=None):
        body = {"order_id": order_id, "use_coupon": "YES" if coupon else "NO", "use_discount": "YES" if discount else "NO"}
        if coupon:
            body["coupon_infos"] = [{"id": coupon, "type": 301}]
        if discount:
            body["discount_infos"] = [{"id": discount, "type": 2}]
        return bss.PayOrdersRequest(body=body)

    def resources(self, **query):
        return self.bss.list_pay_per_use_customer_resources(bss.ListPayPerUseCustomerResourcesRequest(body=query))

    def unsubscribe_request(self, *ids, kind=1):
        return bss.CancelResourcesSubscriptionRequest(body={"resource_ids": list(ids), "unsubscribe_type": kind})
