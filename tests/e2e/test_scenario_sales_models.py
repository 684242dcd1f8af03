"""The two typical cases of the resource model, with the real daemon and a vendor that provisions:
an unlimited tenant (flat sale), and servers that customers make as they like (add-on sale)."""
import threading
import unittest

import harness

ROOT = {"name": "cloud", "class": "reference", "context": "provider"}


class Vendor:
    """Provisions what it is told about, as a vendor of the standard form would."""

    def __init__(self, test, shop, daemon):
        self.client = daemon.client("vendor", shop.vendor["id"])
        self.told = []
        self.answers = {"resource.created": "ready", "resource.changed": None}
        self.lock = threading.Lock()
        self.sink = harness.Sink(self.take)
        test.addCleanup(self.sink.close)
        shop.endpoint(self.sink.url + "/hook")

    def take(self, arrival):
        event = arrival.json
        with self.lock:
            if event["data"]["seq"] in [seq for seq, _, _ in self.told]:
                return 204
            self.told.append((event["data"]["seq"], event["type"], event["data"]))
        return 204

    def names(self):
        with self.lock:
            return [name for _, name, _ in sorted(self.told, key=lambda entry: entry[0])]

    def resource(self, name, of_type):
        with self.lock:
            for _, told, data in self.told:
                resource = data.get("change", {}).get("resource", {})
                if told == name and resource.get("type") == of_type:
                    return resource
        return None

    def wait_for(self, name, of_type):
        return harness.wait_until(lambda: self.resource(name, of_type), 30, f"{name} {of_type}")

    def report(self, subscription, resource, status):
        self.client.patch(f"/api/subscription/{subscription}/resource/{resource}",
                          {"status": status})


class SalesModels(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)
        self.vendor = Vendor(self, self.shop, self.daemon)

    def sell(self, types, resources, mode):
        product = self.client.post("/v1/products", {
            "vendor_id": self.shop.vendor["id"], "name": "Cloud", "resource_types": types,
            "mode": mode})
        plan = self.client.post("/v1/plans", {"product_id": product["id"], "name": "Plan",
                                              "resources": resources})
        return self.shop.subscription(plan_id=plan["id"])["id"]

    def resources(self, subscription):
        return {r["type"]: r
                for r in self.client.all(f"/v1/subscriptions/{subscription}/resources")}

    def status(self, subscription):
        return self.client.get(f"/v1/subscriptions/{subscription}")["status"]

    def test_an_unlimited_tenant_is_provided_with_the_order(self):
        tenant = {"name": "tenant", "class": "service", "context": "customer",
                  "parent_type": "cloud", "link": "strong"}
        subscription = self.sell(
            [ROOT, tenant],
            [{"name": "cloud", "limit": 1, "overage": 0},
             {"name": "tenant", "limit": 1, "overage": 0, "auto_provide": 1}],
            "resource_driven")
        made = self.vendor.wait_for("resource.created", "tenant")
        self.assertEqual(made["links"][0]["target"], "root")
        self.assertTrue(made["links"][0]["strong"])
        self.vendor.report(subscription, made["id"], "ready")
        self.assertEqual(self.status(subscription), "DEPLOYED")
        with self.assertRaises(harness.Refused) as refusal:
            self.client.post(f"/v1/subscriptions/{subscription}/resources", {"type": "tenant"})
        self.assertIn(b"quota_blocked", refusal.exception.body)
        with self.assertRaises(harness.Refused) as refusal:
            self.client.post(f"/v1/subscriptions/{subscription}/resources", {"type": "cloud"})
        self.assertEqual(refusal.exception.status, 422)
        harness.wait_until(lambda: "subscription.activated" in self.vendor.names(), 30,
                           "the activation")
        self.assertEqual(self.vendor.names(), [
            "subscription.created", "resource.created", "quota.reached", "resource.ready",
            "subscription.activated"])

    def test_servers_are_made_under_a_context_and_go_with_it(self):
        context = {"name": "context", "class": "service", "context": "customer",
                   "parent_type": "cloud", "link": "strong"}
        server = {"name": "vps", "class": "service", "unit": "unit", "context": "customer",
                  "parent_type": "context", "link": "strong"}
        subscription = self.sell(
            [ROOT, context, server],
            [{"name": "cloud", "limit": 1, "overage": 0},
             {"name": "context", "limit": 1, "overage": 0, "auto_provide": 1},
             {"name": "vps", "limit": -1}],
            "vendor_confirms")
        made = self.vendor.wait_for("resource.created", "context")
        self.vendor.report(subscription, made["id"], "ready")
        self.assertEqual(self.status(subscription), "PENDING")
        self.vendor.client.patch(f"/api/subscription/{subscription}",
                                 {"deploymentStatus": "DEPLOYED"})
        base = f"/v1/subscriptions/{subscription}/resources"
        customer = self.daemon.client("tenant", self.shop.tenant["id"])
        servers = [customer.post(base, {"type": "vps", "properties": {"cpu": "2"}})["id"]
                   for _ in range(3)]
        for each in servers[:2]:
            self.vendor.report(subscription, each, "ready")
        # The customer wants a bigger one; the vendor does it.
        wanted = customer.patch(f"{base}/{servers[0]}", {"properties": {"cpu": "4"}})
        self.assertEqual(wanted["status"], "configuring")
        self.vendor.report(subscription, servers[0], "ready")
        self.assertEqual(self.client.get(f"{base}/{servers[0]}")["properties"], {"cpu": "4"})
        # A suspension reaches all of them, a crash in between changes nothing.
        self.client.post(f"/v1/subscriptions/{subscription}/suspend")
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.vendor.client = self.daemon.client("vendor", self.shop.vendor["id"])
        self.client.post(f"/v1/subscriptions/{subscription}/resume")
        statuses = {r["id"]: r["status"] for r in self.client.all(base)}
        self.assertEqual(statuses, {made["id"]: "ready", servers[0]: "ready",
                                    servers[1]: "ready", servers[2]: "provisioning"})
        listed = self.daemon.syndctl("subscription", "resources", str(subscription)).stdout
        self.assertEqual(listed.count("vps"), 3)
        # The context does not go before its servers.
        with self.assertRaises(harness.Refused) as refusal:
            self.client.call("DELETE", f"{base}/{made['id']}")
        self.assertIn(b"has_children", refusal.exception.body)
        self.client.post(f"/v1/subscriptions/{subscription}/terminate")
        at = f"/api/subscription/{subscription}/resource"
        status, headers, _ = self.vendor.client.raw("DELETE", f"{at}/{made['id']}?cascade=true")
        self.assertEqual((status, headers["Retry-After"]), (202, "60"))
        for each in [*servers, made["id"], made["id"]]:
            self.assertEqual(self.vendor.client.raw("DELETE", f"{at}/{each}")[0], 204)
        self.vendor.client.patch(f"/api/subscription/{subscription}",
                                 {"deploymentStatus": "UNDEPLOYED"})
        harness.wait_until(lambda: "subscription.terminated" in self.vendor.names(), 30, "the end")
        names = self.vendor.names()
        self.assertEqual(names[-1], "subscription.terminated")
        self.assertEqual(names.count("resource.removed"), 4)
        self.assertEqual(names.count("resource.disabled"), 3)
        self.assertEqual(names.count("resource.enabled"), 3)


if __name__ == "__main__":
    unittest.main()
