"""The examples of GET /v1/event-types have the members that real events have: a whole life of
everything there is, held against them."""
import unittest

import harness

# A change of these is named by what was changed, so its members are not those of the example.
NAMED_BY_CONTENT = {"subscription.quantity_changed"}
# Members of an operation that only some have.
OPTIONAL = {"plan_from", "plan_to"}
# Told of endpoints, too, where an owner's backlog is meant.
OF_TWO_KINDS = {"quota.reached", "quota.blocked"}
# Must have been seen, or nothing was shown.
WANTED = {"resource.created", "resource.ready", "resource.disabled", "resource.enabled",
          "resource.removed", "operation.requested", "operation.succeeded", "operation.failed",
          "operation.cancelled", "endpoint.paused", "tenant.created", "tenant.updated",
          "tenant.moved", "tenant.disabled", "tenant.enabled", "tenant.access_suspended",
          "tenant.access_restored", "tenant.deleted", "tenant.recovered", "tenant.converted",
          "subscription.created", "subscription.activated", "subscription.suspended",
          "subscription.resumed", "subscription.quantity_changed", "subscription.plan_changed",
          "subscription.change_scheduled", "subscription.change_unscheduled",
          "subscription.renewed", "subscription.renamed", "subscription.auto_renew_changed",
          "subscription.transferred", "subscription.cancelled", "subscription.reinstated",
          "subscription.deprovision_requested", "subscription.terminated", "usage.recorded",
          "usage.window_closed", "quota.exceeded", "commitment.created", "commitment.committed",
          "commitment.tier_changed", "commitment.shortfall", "commitment.renewed",
          "user.created", "user.updated",
          "user.role_granted", "user.role_revoked", "user.disabled", "user.deleted",
          "product.updated", "plan.created", "plan.updated", "delivery.exhausted"}


def shape(name, data):
    """The members of an event's data, those of its change, and of the part that is about."""
    change = data.get("change")
    if change is None:
        return sorted(data), None, None
    if name in NAMED_BY_CONTENT:
        return sorted(data), [sorted(entry) for entry in change.values()], None
    part = change.get("resource") or change.get("usage") or {}
    return sorted(data), sorted(set(change) - OPTIONAL), sorted(part)


class Examples(harness.SimulatedTime):
    settings = {**harness.SIMULATED, "lifecycle": {"tell_usage_records": True}}

    def setUp(self):
        super().setUp()
        self.sink = self.new_sink(lambda arrival: 503 if arrival.path == "/broken" else 204)
        self.shop = harness.Shop(self.client)
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])
        self.client.post("/v1/endpoints", {"scope": "platform", "form": "standard",
                                           "url": self.sink.url + "/platform",
                                           "events": ["*", "usage.recorded"]})

    def post(self, path, body=None):
        return self.client.post(path, body)

    def tenants(self):
        reseller, other = (self.post("/v1/tenants", {"kind": "reseller", "parent_id": 1,
                                                     "name": name})["id"] for name in ("a", "b"))
        customer = self.post("/v1/tenants", {"kind": "customer", "parent_id": reseller,
                                             "name": "Ada"})["id"]
        self.client.patch(f"/v1/tenants/{customer}", {"name": "Ada Ltd"})
        self.client.patch(f"/v1/tenants/{customer}", {"parent_id": other})
        self.post(f"/v1/tenants/{customer}/convert")
        for action in ("disable", "enable"):
            self.post(f"/v1/tenants/{other}/{action}")
            harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        self.post(f"/v1/tenants/{customer}/disable")
        self.client.call("DELETE", f"/v1/tenants/{customer}")
        self.post(f"/v1/tenants/{customer}/recover")
        self.reseller = reseller

    def users(self):
        user = self.post("/v1/users", {"tenant_id": self.reseller, "login": "jane@example.org",
                                       "contact": {"email": "jane@example.org"}})["id"]
        self.client.patch(f"/v1/users/{user}", {"contact": {"email": "jane@example.com"}})
        roles = [{"role": "backup_user", "tenant_id": self.reseller}]
        for given in (roles, []):
            self.client.call("PUT", f"/v1/users/{user}/roles", {"items": given})
        self.post(f"/v1/users/{user}/disable")
        self.client.call("DELETE", f"/v1/users/{user}")

    def catalogue(self):
        server = {"name": "vps", "class": "service", "unit": "unit", "context": "customer"}
        product = self.post("/v1/products", {
            "vendor_id": self.shop.vendor["id"], "name": "Cloud", "change_mode": "confirm",
            "confirmation": {"deadline_s": 3600, "on_silence": "reject"},
            "resource_types": [server, {**server, "name": "seats", "class": "counter"}]})["id"]
        self.plans = [self.post("/v1/plans", {
            "product_id": product, "name": name,
            "resources": [{"name": "vps", "limit": 1}, {"name": "seats", "min": 1, "limit": 50}]})
            ["id"] for name in ("Small", "Large")]
        self.client.patch(f"/v1/products/{product}", {"metadata": {"a": "b"}})
        self.client.patch(f"/v1/plans/{self.plans[0]}", {"metadata": {"a": "b"}})

    def change(self, **what):
        """Asked for, and what the vendor says to it."""
        return self.act("change", what)["operation"]["id"]

    def act(self, action, body=None):
        return self.post(f"/v1/subscriptions/{self.subscription}/{action}", body)

    def subscriptions(self):
        self.subscription = self.shop.subscription(plan_id=self.plans[0],
                                                   quantities={"seats": 5})["id"]
        at = f"/api/subscription/{self.subscription}"
        self.vendor.patch(at, {"deploymentStatus": "DEPLOYED"})
        answers = ("Success", "Failure")
        for seats, answer in zip((9, 12), answers):
            self.vendor.post(f"/api/operation/{self.change(quantities={'seats': seats})}/result",
                             {"status": answer})
        self.post(f"/v1/operations/{self.change(quantities={'seats': 20})}/cancel")
        self.vendor.post(f"/api/operation/{self.change(plan_id=self.plans[1])}/result",
                         {"status": "Success"})
        self.act("change", {"quantities": {"seats": 3}, "when": "renewal"})
        self.act("unschedule")
        made = [self.vendor.post(f"{at}/resource", {"type": "vps"})["id"] for _ in range(2)]
        for each in made:
            self.vendor.patch(f"{at}/resource/{each}", {"status": "ready"})
        self.vendor.post(f"{at}/usage", {"items": [{"metric": "seats", "value": 55}]})
        self.act("suspend")
        self.act("resume")
        self.client.patch(f"/v1/subscriptions/{self.subscription}", {"name": "Mine"})
        self.client.patch(f"/v1/subscriptions/{self.subscription}", {"auto_renew": False})
        self.client.patch(f"/v1/subscriptions/{self.subscription}", {"auto_renew": True})
        self.advance("32d")
        other = self.post("/v1/tenants", {"kind": "customer", "parent_id": 1, "name": "B"})["id"]
        self.act("transfer", {"tenant_id": other})
        self.act("cancel")
        self.act("reinstate")
        self.act("terminate")
        for each in made:
            self.vendor.raw("DELETE", f"{at}/resource/{each}")
            self.vendor.raw("DELETE", f"{at}/resource/{each}")
        self.vendor.patch(at, {"deploymentStatus": "UNDEPLOYED"})

    def commitments(self):
        common = {"reseller_id": self.reseller, "product_id": self.shop.product["id"],
                  "tiers": [0, 10, 20]}
        free = self.post("/v1/commitments", {**common, "resource": "a"})["id"]
        plan = self.post("/v1/plans", {"product_id": self.shop.product["id"], "name": "Seats",
                                       "resources": [{"name": "a"}]})["id"]
        customer = self.post("/v1/tenants", {"kind": "customer", "parent_id": self.reseller,
                                             "name": "C"})["id"]
        sold = self.shop.subscription(tenant_id=customer, plan_id=plan, quantities={"a": 12})["id"]
        self.vendor.patch(f"/api/subscription/{sold}", {"deploymentStatus": "DEPLOYED"})
        harness.wait_until(
            lambda: self.client.get(f"/v1/commitments/{free}")["counter"] == 12, 30, "the count")
        self.post(f"/v1/commitments/{free}/snapshot")
        self.client.patch(f"/v1/commitments/{free}", {"committed_tier": 2, "term_months": 1})
        bound = self.post("/v1/commitments", {**common, "resource": "b", "committed_tier": 2,
                                              "term_months": 1})["id"]
        self.post(f"/v1/commitments/{bound}/snapshot")
        self.advance("32d")

    def endpoints(self):
        broken = self.shop.endpoint(self.sink.url + "/broken", retry_schedule=[0],
                                    on_exhausted="skip")["id"]
        self.shop.subscription()
        harness.wait_until(
            lambda: any(a.json["type"] == "delivery.exhausted" for a in self.heard()), 30,
            "an event that is given up")
        self.post(f"/v1/endpoints/{broken}/pause")

    def heard(self):
        return self.sink.on("/platform")

    def test_the_members_are_those_of_real_events(self):
        examples = {t["name"]: t["examples"]["standard"]["data"]
                    for t in self.client.all("/v1/event-types")}
        self.tenants()
        self.users()
        self.catalogue()
        self.subscriptions()
        self.commitments()
        self.endpoints()
        harness.wait_until(lambda: any(a.json["type"] == "endpoint.paused" for a in self.heard()),
                           30, "the pause")
        seen = set()
        for arrival in self.heard():
            name, data = arrival.json["type"], arrival.json["data"]
            seen.add(name)
            if name in OF_TWO_KINDS and "endpoint_id" in data:
                continue
            with self.subTest(event=name):
                self.assertEqual(shape(name, data), shape(name, examples[name]))
        self.assertEqual(WANTED - seen, set())


if __name__ == "__main__":
    unittest.main()
