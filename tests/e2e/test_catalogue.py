"""Products, plans and instances through the API; what is told of them; example templates."""
import json
import unittest

import harness

TEMPLATES = harness.ROOT / "docs" / "examples" / "templates"


class Catalogue(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client("marketplace")
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)

    def load(self, name):
        """What the file describes, made through the API: (product, instance, plans)."""
        template = json.loads((TEMPLATES / name).read_text())
        vendor = self.client.post("/v1/vendors", template["vendor"])
        product = self.client.post("/v1/products", {"vendor_id": vendor["id"],
                                                    **template["product"]})
        instance = self.client.post(f"/v1/products/{product['id']}/instances",
                                    template["instance"])
        plans = [self.client.post("/v1/plans", {"product_id": product["id"], **plan})
                 for plan in template["plans"]]
        return product, instance, plans

    def status(self, method, path, body=None, client=None):
        return (client or self.client).raw(method, path, body)[0]

    def test_every_template_loads(self):
        names = sorted(path.name for path in TEMPLATES.iterdir())
        self.assertEqual(names, ["add_on.json", "flat.json"])
        for name in names:
            product, instance, plans = self.load(name)
            shown = self.client.get(f"/v1/products/{product['id']}")
            self.assertEqual(shown, product)
            self.assertEqual(set(instance["settings"].values()), {"********"})
            for plan in plans:
                self.assertEqual(self.client.get(f"/v1/plans/{plan['id']}"), plan)
                self.assertEqual(plan["state"], "published")
        # The add-on model sells servers by the unit and month.
        quote = self.client.post(f"/v1/plans/{self.plan_of('cloudvps-addon')}/quote",
                                 {"quantities": {"VPS": 4}, "months": 3})
        self.assertEqual(quote["totals"], {"EUR": "150.00"})
        # The flat one has no rate at all.
        quote = self.client.post(f"/v1/plans/{self.plan_of('cloudlib-flat')}/quote", {})
        self.assertEqual(quote["lines"], [])

    def plan_of(self, external_id):
        [plan] = self.client.all(f"/v1/plans?external_id={external_id}")
        return plan["id"]

    def test_changes_are_told_to_the_platform_only(self):
        for form in ("cloudesire", "standard"):
            self.client.post("/v1/endpoints", {"scope": "platform", "form": form,
                                               "url": f"{self.sink.url}/{form}",
                                               "events": ["plan.*", "product.*"]})
        shop = harness.Shop(self.client)
        shop.endpoint(self.sink.url + "/vendor")
        plan = f"/v1/plans/{shop.plan['id']}"
        self.client.patch(plan, {"name": "Large"})
        self.client.post(plan + "/withdraw")
        self.client.post(plan + "/withdraw")  # a repeat
        self.client.post(plan + "/publish")
        self.client.post(plan + "/withdraw")
        self.assertEqual(self.status("DELETE", plan), 204)
        self.assertEqual(self.status("GET", plan), 404)
        wanted = ["plan.created", "plan.updated", "plan.withdrawn", "plan.published",
                  "plan.withdrawn", "plan.deleted"]

        def told(path):
            return [a for a in self.sink.on(path)
                    if a.headers.get("cmw-event-name", a.json["type"]).startswith("plan.")]

        harness.wait_until(lambda: len(told("/standard")) == 6 and len(told("/cloudesire")) == 6,
                           20, "all is told")
        self.assertEqual([a.json["type"] for a in told("/standard")], wanted)
        self.assertEqual([a.json["type"] for a in told("/cloudesire")],
                         ["CREATED", "MODIFIED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"])
        first = told("/cloudesire")[0].json
        self.assertEqual((first["entity"], first["entityUrl"], first["id"]),
                         ("ProductVersion", f"productVersion/{shop.plan['id']}", shop.plan["id"]))
        self.assertEqual([a.json["data"]["seq"] for a in told("/standard")], [1, 2, 3, 4, 5, 6])
        self.assertEqual(self.sink.on("/vendor"), [])
        listed = self.client.all(f"/v1/events?entity=plan&entity_id={shop.plan['id']}")
        self.assertEqual([e["name"] for e in listed], wanted)
        self.assertEqual([e["name"] for e in self.client.all("/v1/events?entity=product")],
                         ["product.published"])

    def test_states_are_kept_and_drafts_hidden_from_customers(self):
        shop = harness.Shop(self.client)
        customer = self.daemon.client("tenant", shop.tenant["id"])
        draft = self.client.post("/v1/plans", {"product_id": shop.product["id"], "name": "Soon",
                                               "state": "draft"})
        path = f"/v1/plans/{draft['id']}"
        self.assertEqual(self.status("GET", path, client=customer), 404)
        self.assertEqual(len(list(customer.all("/v1/plans"))), 1)
        self.assertEqual(self.status("POST", path + "/withdraw", {}), 409)
        self.assertEqual(self.status("POST", path + "/publish", {}, client=customer), 403)
        self.client.post(path + "/publish")
        self.assertEqual(customer.get(path)["state"], "published")
        self.assertEqual(self.status("DELETE", path), 409)
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual([p["state"] for p in self.client.all("/v1/plans?state=published")],
                         ["published", "published"])
        product = f"/v1/products/{shop.product['id']}"
        self.client.post(product + "/withdraw")
        self.assertEqual(self.client.get(product)["state"], "withdrawn")

    def test_instances_keep_their_secrets(self):
        shop = harness.Shop(self.client)
        path = f"/v1/products/{shop.product['id']}/instances"
        made = self.client.post(path, {"name": "eu", "settings": {"login": "canary-login"}})
        one = f"{path}/{made['id']}"
        self.client.patch(one, {"settings": {"login": None, "token": "canary-token"}})
        shown = self.client.get(one)
        self.assertEqual(shown["settings"], {"token": "********"})
        self.assertEqual(list(self.client.all(path)), [shown])
        vendor = self.daemon.client("vendor", shop.vendor["id"])
        self.assertEqual(vendor.get(one), shown)
        other = self.daemon.client("tenant", shop.tenant["id"])
        self.assertEqual(self.status("GET", one, client=other), 404)
        self.assertEqual(self.status("GET", path, client=other), 404)
        self.assertEqual(self.status("PATCH", one, {"settings": {"a": 1}}), 422)
        self.assertEqual(self.status("DELETE", one), 204)
        self.assertEqual(self.status("GET", one), 404)

    def test_a_product_has_all_that_is_sold_with_it(self):
        shop = harness.Shop(self.client)
        path = f"/v1/products/{shop.product['id']}"
        wanted = {
            "type": "CSP", "approval_required": True, "per_customer": "ONE_PER_COMPANY",
            "config_parameters": [{"code": "domain", "required": True}],
            "metrics": [{"name": "users", "url": self.sink.url + "/m", "frequency": "5m",
                         "headers": {"X-Key": "canary-header"}}],
            "order_validation_urls": [self.sink.url + "/v"],
            "provisioning": {"overdue_after_s": 60, "max_attempts": 2},
            "deprovision": {"timeout_s": 3600, "force": False},
            "change_mode": "confirm", "confirmation": {"deadline_s": 30, "on_silence": "reject"},
            "lifecycle": {"profile": "csp", "grace_s": 86400}, "mode": "resource_driven"}
        changed = self.client.patch(path, wanted)
        self.assertEqual(changed["provisioning"],
                         {"overdue_after_s": 60, "fail_after_s": None, "max_attempts": 2})
        self.assertEqual(changed["lifecycle"]["grace_s"], 86400)
        self.assertEqual(changed["metrics"][0]["headers"], {"X-Key": "********"})
        # A metric that comes without headers keeps them; one field alone leaves the rest.
        del wanted["metrics"][0]["headers"]
        again = self.client.patch(path, {"metrics": wanted["metrics"],
                                         "provisioning": {"max_attempts": None}})
        self.assertEqual(again["metrics"], changed["metrics"])
        self.assertEqual(again["provisioning"]["overdue_after_s"], 60)
        self.assertIsNone(again["provisioning"]["max_attempts"])
        self.assertEqual(again["config_parameters"], changed["config_parameters"])
        # Customers do not see where the vendor is asked.
        seen = self.daemon.client("tenant", shop.tenant["id"]).get(path)
        self.assertEqual((seen["order_validation_urls"], seen["metrics"][0]["url"]), ([], ""))
        for body, pointer in (({"type": "VM"}, "/type"),
                              ({"metrics": [{"name": "a", "frequency": "3m"}]},
                               "/metrics/0/frequency"),
                              ({"metrics": [{"name": "a", "headers": {"X": "********"}}]},
                               "/metrics/0/headers/X"),
                              ({"lifecycle": {"cancel_grace_s": 1}}, "/lifecycle/cancel_grace_s"),
                              ({"provisioning": {"fail_after": 1}}, "/provisioning/fail_after")):
            status, _, answer = self.client.raw("PATCH", path, body)
            self.assertEqual(status, 422, answer)
            self.assertIn(pointer, answer.decode())

    def test_built_in_event_types_are_listed_with_what_is_sent(self):
        types = {t["name"]: t for t in self.client.all("/v1/event-types")}
        created = types["subscription.created"]
        self.assertEqual(created["source"], "built_in")
        self.assertEqual(created["examples"]["cloudesire"]["entity"], "Subscription")
        self.assertEqual(created["examples"]["standard"]["type"], "subscription.created")
        self.assertIsNone(types["subscription.purged"]["examples"]["cloudesire"])
        self.assertEqual(types["plan.updated"]["told"],
                         {"platform": "always", "vendor": "never", "tenants": "never",
                          "cloudesire": "always"})
        self.assertEqual(types["tenant.created"]["told"]["cloudesire"], "by_pattern")
        self.assertEqual(types["resource.created"]["told"]["cloudesire"], "never")
        self.client.post("/v1/event-types", {"name": "shop.paid"})
        declared = self.client.all("/v1/event-types?source=declared")
        self.assertEqual([t["name"] for t in declared], ["shop.paid"])
        built_in = list(self.client.all("/v1/event-types?source=built_in"))
        self.assertEqual(len(built_in), len(types))


if __name__ == "__main__":
    unittest.main()
