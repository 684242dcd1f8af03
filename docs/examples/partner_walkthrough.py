#!/usr/bin/env python3
"""Enables a service for a user of a new customer, as a partner's automation does, over /api/2.

Standard library only. Asks for the base URL, and the client id and secret of a tenant token:

    partner_walkthrough.py http://127.0.0.1:8080 7 syn_7_..._...

Each step asserts the status code that the account management's guide names. The partner must have
the items `workstations` and `storage` (docs/partners.md tells how they get there).
"""
import base64
import json
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request

NIL = "00000000-0000-0000-0000-000000000000"


class Api:
    def __init__(self, base, client_id, client_secret):
        self.base = base.rstrip("/") + "/api/2"
        self.auth = {}
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
        token = self.request("POST", "/idp/token", form, 200, {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded"})
        self.auth = {"Authorization": f"Bearer {token['access_token']}"}

    def request(self, method, path, data, expected, headers):
        asked = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            status, text = refusal.code, refusal.read()
        assert status == expected, f"{method} {path}: {status}, not {expected}: {text[:300]!r}"
        return json.loads(text) if text else None

    def call(self, method, path, body=None, expected=200, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        headers = dict(self.auth)
        if data is not None:
            headers["Content-Type"] = "application/json"
        return self.request(method, path, data, expected, headers)


def main(base, client_id, client_secret):
    api = Api(base, client_id, client_secret)
    partner_id = api.call("GET", "/users/me")["tenant_id"]

    # A customer, in trial.
    customer = api.call("POST", "/tenants", {
        "name": "Customer, Inc", "kind": "customer", "parent_id": partner_id}, expected=201)
    assert customer["version"] == 1 and customer["enabled"] and not customer["has_children"]
    assert customer["parent_id"] == partner_id and customer["kind"] == "customer"
    assert customer["update_lock"] == {"enabled": False, "owner_id": None}
    customer_id = customer["id"]
    assert api.call("GET", f"/tenants/{customer_id}/pricing")["mode"] == "trial"

    # What it may use.
    offered = api.call("GET", f"/tenants/{partner_id}/offering_items/available_for_child",
                       kind="customer")["items"]
    wanted = [item for item in offered if item["name"] in {"workstations", "storage"}]
    assert len(wanted) == 2, offered
    assert all(i["quota"] == {"overage": None, "value": None, "version": 0} for i in wanted)
    enabled = api.call("PUT", f"/tenants/{customer_id}/offering_items",
                       {"offering_items": wanted})["items"]
    assert {item["name"] for item in enabled if item["status"] == 1} == {"workstations", "storage"}

    # A user, not yet activated, with a personal tenant.
    login = "RichardDoe-" + secrets.token_hex(4)
    api.call("GET", "/users/check_login", expected=204, username=login)
    user = api.call("POST", "/users", {
        "tenant_id": customer_id, "login": login,
        "contact": {"email": "richard.doe@example.com", "firstname": "Richard",
                    "lastname": "Doe"}})
    assert user["activated"] is False and user["enabled"] and user["version"] == 1
    assert user["login"] == login and user["personal_tenant_id"]
    api.call("GET", "/users/check_login", expected=409, username=login.upper())
    user_id = user["id"]

    # The role enables the service for the user, with the quotas of the tenant.
    policies = api.call("PUT", f"/users/{user_id}/access_policies", {"items": [{
        "tenant_id": customer_id, "trustee_id": user_id, "role_id": "backup_user", "id": NIL,
        "issuer_id": NIL, "trustee_type": "user", "version": 0}]})["items"]
    assert len(policies) == 1 and policies[0]["id"] != NIL and policies[0]["version"] == 1
    mine = api.call("GET", f"/tenants/{user['personal_tenant_id']}/offering_items")["items"]
    assert {item["name"] for item in mine} == {"workstations", "storage"}

    # The password activates the account.
    api.call("POST", f"/users/{user_id}/password", {"password": "newUserPassword312"}, 204)
    assert api.call("GET", f"/users/{user_id}")["activated"] is True

    # Out of trial: once, and with the version that is present.
    version = api.call("GET", f"/tenants/{customer_id}")["version"]
    api.call("PUT", f"/tenants/{customer_id}/pricing",
             {"mode": "production", "version": version + 7}, 409)
    api.call("PUT", f"/tenants/{customer_id}/pricing", {"mode": "production", "version": version})
    api.call("PUT", f"/tenants/{customer_id}/pricing", {"mode": "trial", "version": version + 1},
             409)

    # What it uses: of each item nothing yet.
    usages = api.call("GET", f"/tenants/{customer_id}/usages")["items"]
    assert {u["name"]: u["value"] for u in usages} == {"workstations": 0, "storage": 0}, usages
    assert all(u["offering_item"]["quota"]["value"] is None for u in usages)

    # Away again: first disabled, then deleted.
    customer = api.call("GET", f"/tenants/{customer_id}")
    refusal = api.call("DELETE", f"/tenants/{customer_id}", expected=400,
                       version=customer["version"])
    assert refusal["error"]["code"] == 1006, refusal
    api.call("PUT", f"/tenants/{customer_id}", {**customer, "enabled": False, "version": 99}, 409)
    customer = api.call("PUT", f"/tenants/{customer_id}", {**customer, "enabled": False})
    assert customer["enabled"] is False
    api.call("DELETE", f"/tenants/{customer_id}", expected=409, version=1)
    api.call("DELETE", f"/tenants/{customer_id}", expected=204, version=customer["version"])
    print("walked through: customer, items, user, role, password, pricing, usages, deletion")
    return customer_id


if __name__ == "__main__":
    main(*sys.argv[1:4])
