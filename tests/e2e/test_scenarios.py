"""The scenarios that the domain names (a subscription's life as vendors see it), against the real
daemon. Each test bears the number of its scenario; what needs days runs in simulated time."""
import hashlib
import hmac
import json
import unittest

import harness

SECRET = "MY_SECRET_TOKEN"


class Scenario(harness.SimulatedTime):
    """A vendor in Cloudesire's form, its own client, and a platform that hears everything."""

    def setUp(self):
        super().setUp()
        self.answer = 204
        self.sink = self.new_sink(lambda arrival: self.answer)
        self.shop = harness.Shop(self.client)
        self.shop.endpoint(self.sink.url + "/vendor", form="cloudesire", secret=SECRET)
        self.client.post("/v1/endpoints", {"scope": "platform", "form": "standard",
                                           "url": self.sink.url + "/platform"})
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])

    def settle(self):
        harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")

    def act(self, subscription, action, body=None):
        return self.client.post(f"/v1/subscriptions/{subscription}/{action}", body)

    def report(self, subscription, status):
        """The vendor's PATCH; the status of the answer, and what it says."""
        code, _, content = self.vendor.raw("PATCH", f"/api/subscription/{subscription}",
                                           {"deploymentStatus": status})
        return code, content

    def deployed(self, **more):
        subscription = self.shop.subscription(**more)["id"]
        self.assertEqual(self.report(subscription, "DEPLOYED")[0], 204)
        return subscription

    def status(self, subscription):
        return self.client.get(f"/v1/subscriptions/{subscription}")["status"]

    def heard(self, subscription):
        """What the vendor got: (type, seq)."""
        self.settle()
        return [(a.json["type"], a.seq) for a in self.sink.on("/vendor")
                if a.json["entity"] == "Subscription" and a.entity_id == subscription]

    def names(self, subscription):
        """What the platform got."""
        self.settle()
        return [a.json["type"] for a in self.sink.on("/platform")
                if a.json["type"].startswith(("subscription.", "operation."))
                and a.json["data"]["id"] == subscription]


class VendorsView(Scenario):
    def test_scenario_01_an_unpaid_order(self):
        order = self.shop.subscription(paid=False)
        self.assertEqual((order["status"], order["paid"]), ("WAITING_PAYMENT", False))
        [first] = self.client.all(f"/v1/subscriptions/{order['id']}/operations")
        self.assertEqual((first["kind"], first["state"]), ("NEW", "PENDING"))
        shown = self.vendor.get(f"/api/order/{first['id']}")
        self.assertEqual((shown["type"], shown["status"]), ("NORMAL", "PENDING"))
        seen = self.vendor.get(f"/api/subscription/{order['id']}")
        self.assertEqual(seen["deploymentStatus"], "WAITING_PAYMENT")
        self.act(order["id"], "pay")
        seen = self.vendor.get(f"/api/subscription/{order['id']}")
        self.assertEqual((seen["deploymentStatus"], seen["paid"]), ("PENDING", True))
        self.assertEqual(self.vendor.get(f"/api/order/{first['id']}")["status"], "IN_PROGRESS")
        self.assertEqual(self.report(order["id"], "DEPLOYED")[0], 204)
        self.assertEqual(self.client.get(f"/v1/operations/{first['id']}")["state"], "SUCCEEDED")
        self.assertEqual(self.heard(order["id"]), [("CREATED", 1), ("MODIFIED", 2),
                                                   ("MODIFIED", 3)])

    def test_scenario_02_a_stored_card_and_a_trial(self):
        self.client.patch(f"/v1/plans/{self.shop.plan['id']}", {"trial_days": 14})
        for more in ({"paid": True}, {"type": "TRIAL", "paid": False}):
            order = self.shop.subscription(**more)
            self.assertEqual((order["status"], order["paid"]), ("PENDING", True))
            self.assertEqual(self.heard(order["id"]), [("CREATED", 1)])

    def test_scenario_03_a_vendor_that_only_knows_deleted(self):
        silent = self.deployed()
        self.act(silent, "terminate")
        self.assertEqual(self.heard(silent)[-1][0], "MODIFIED")
        self.assertEqual(self.status(silent), "UNDEPLOY_SENT")
        self.advance("8d")  # a vendor that waits for DELETED never confirms
        self.assertEqual(self.status(silent), "UNDEPLOYED")
        heard = self.heard(silent)
        self.assertEqual(heard[-1][0], "DELETED")
        for _ in range(2):  # templates answer DELETED so
            self.assertEqual(self.report(silent, "UNDEPLOYED")[0], 204)
        self.assertEqual(self.heard(silent), heard)

    def test_scenario_03_the_profile_that_sends_deleted_at_once(self):
        self.shop.endpoint(self.sink.url + "/template", form="cloudesire",
                           termination_signal="deleted")
        subscription = self.deployed()
        self.act(subscription, "terminate")
        self.assertEqual(self.report(subscription, "UNDEPLOYED")[0], 204)
        self.settle()
        types = [a.json["type"] for a in self.sink.on("/template")]
        self.assertEqual(types, ["CREATED", "MODIFIED", "DELETED"])

    def test_scenario_04_deployed_twice_is_one_event(self):
        subscription = self.deployed()
        self.assertEqual(self.report(subscription, "DEPLOYED")[0], 204)
        self.assertEqual(len(self.heard(subscription)), 2)

    def test_scenario_05_deployed_after_kill(self):
        subscription = self.shop.subscription()["id"]
        kill = self.client.raw("PATCH", f"/api/subscription/{subscription}", {"action": "kill"})
        self.assertEqual(kill[0], 204)
        code, content = self.report(subscription, "DEPLOYED")
        self.assertEqual(code, 409)
        self.assertIn(b"UNDEPLOY_SENT", content)
        self.assertEqual(self.status(subscription), "UNDEPLOY_SENT")
        self.assertEqual(self.report(subscription, "UNDEPLOYED")[0], 204)
        self.assertEqual(self.names(subscription)[-2:], ["subscription.deprovision_requested",
                                                         "subscription.terminated"])

    def test_scenario_06_one_reason_lifted_lifts_no_other(self):
        subscription = self.deployed()
        self.act(subscription, "overdue")
        self.advance("49h")
        self.assertIn("is STOPPED", self.daemon.syndctl("subscription", "suspend",
                                                        str(subscription)).stdout)
        shown = self.client.get(f"/v1/subscriptions/{subscription}")
        self.assertEqual(shown["suspension_reasons"], ["UNPAID", "ADMIN_HOLD"])
        self.assertEqual(self.act(subscription, "pay")["status"], "STOPPED")
        self.assertEqual(self.act(subscription, "resume")["status"], "DEPLOYED")
        self.assertEqual(self.names(subscription).count("subscription.resumed"), 1)

    def test_scenario_08_cancel_reinstate_and_cancel_again(self):
        subscription = self.deployed()
        self.act(subscription, "cancel")
        self.advance("29d")
        self.assertEqual(self.act(subscription, "reinstate")["status"], "DEPLOYED")
        self.act(subscription, "cancel")
        self.advance("29d")
        self.assertNotIn("subscription.deprovision_requested", self.names(subscription))
        self.advance("2d")
        self.assertEqual(self.names(subscription)[-1], "subscription.deprovision_requested")
        self.report(subscription, "UNDEPLOYED")
        self.assertEqual(self.names(subscription)[-1], "subscription.terminated")

    def test_scenario_09_a_downgrade_comes_with_the_renewal(self):
        small = self.client.post("/v1/plans", {"product_id": self.shop.product["id"],
                                               "name": "Tiny"})
        subscription = self.deployed()
        before = self.heard(subscription)
        shown = self.act(subscription, "change", {"plan_id": small["id"], "when": "renewal"})
        self.assertEqual(shown["plan_id"], self.shop.plan["id"])
        self.assertEqual(shown["scheduled_change"]["plan_to"], small["id"])
        self.assertEqual(self.heard(subscription), before)  # nothing in this form yet
        self.assertIn("subscription.change_scheduled", self.names(subscription))
        self.advance("31d")
        after = self.heard(subscription)
        self.assertEqual(len(after), len(before) + 1)
        self.assertEqual(after[-1][0], "MODIFIED")
        seen = self.vendor.get(f"/api/subscription/{subscription}")
        self.assertEqual(seen["productVersion"]["url"], f"productVersion/{small['id']}")
        self.assertGreater(seen["endDate"], shown["end_date"])

    def test_scenario_11_trouble_keeps_order_bytes_and_signature(self):
        self.daemon.configure({"delivery": {"schedule": ["0s", "5m", "30m", "2h", "5h"],
                                            "jitter": 0, "breaker_open": "0s"}})
        self.daemon.stop()
        self.daemon.start()
        self.client = self.shop.client = self.daemon.client()
        self.answer = 503
        subscription = self.shop.subscription()["id"]
        self.client.patch(f"/v1/subscriptions/{subscription}", {"name": "renamed"})
        self.advance("2h")
        self.answer = (429, {"Retry-After": "60"})
        self.advance("3h")
        self.answer = 204
        self.advance("12h")
        arrivals = [a for a in self.sink.on("/vendor") if a.entity_id == subscription]
        first, second = ([a for a in arrivals if a.seq == seq] for seq in (1, 2))
        self.assertGreater(len(first), 3)
        self.assertEqual(len({(a.body, a.headers["cmw-event-signature"]) for a in first}), 1)
        self.assertLess(arrivals.index(first[-1]), arrivals.index(second[0]))
        self.assertEqual(len(second), 1)

    def test_scenario_12_a_crash_loses_nothing(self):
        self.answer = None  # it never answers
        before = self.shop.subscription()["id"]
        harness.wait_until(lambda: self.sink.on("/vendor"), 20, "the first attempt")
        self.daemon.kill()  # the vendor may have acted: the event comes again under its number
        self.answer = 204
        self.daemon.start()
        self.client = self.shop.client = self.daemon.client()
        self.settle()
        arrivals = [a for a in self.sink.on("/vendor") if a.entity_id == before]
        self.assertGreaterEqual(len(arrivals), 2)
        self.assertEqual(len({(a.event, a.body) for a in arrivals}), 1)

    def test_scenario_16_signatures(self):
        subscription = self.shop.subscription()["id"]
        self.settle()
        arrival = next(a for a in self.sink.on("/vendor") if a.entity_id == subscription)
        expected = "sha1=" + hmac.new(SECRET.encode(), arrival.body, hashlib.sha1).hexdigest()
        self.assertEqual(arrival.headers["cmw-event-signature"], expected)
        vectors = [
            ("MY_SECRET_TOKEN", "", "sha1=c7ef69965ad26c0e1310ed03d98e0ea23233ce9a"),
            ("ch\u00e8ve-\u20ac", '{"entity":"User","metadata":{"name":"Zo\u00eb"}}',
             "sha1=5d1bd1b3d950091b516890cacaa193512428fd49"),
            ("key", "The quick brown fox jumps over the lazy dog",
             "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"),
        ]
        for key, body, header in vectors:
            with self.subTest(key=key):
                self.assertEqual(self.signed(key, body), header)

    def signed(self, key, body):
        """As `syndctl sign` shows it, from files."""
        secret, text = self.daemon.directory / "secret", self.daemon.directory / "body"
        secret.write_bytes(key.encode())
        text.write_bytes(body.encode())
        done = self.daemon.syndctl("sign", "--form", "cloudesire", "--secret-file", str(secret),
                                   str(text))
        return done.stdout.split()[-1]


class Actions(Scenario):
    """What Cloudesire's clients ask for by PATCH, and the orders that come of it."""

    def patch(self, subscription, body):
        code, _, content = self.vendor.raw("PATCH", f"/api/subscription/{subscription}", body)
        return code, content and json.loads(content)

    def orders(self, subscription):
        listed = self.vendor.get(f"/api/subscription/{subscription}")["orders"]
        return [self.vendor.get("/api/" + order["url"])["type"] for order in listed]

    def test_scenario_upgrades_and_renewals_leave_orders(self):
        big = self.client.post("/v1/plans", {"product_id": self.shop.product["id"],
                                             "name": "Big",
                                             "resources": [{"name": "seats", "min": 1}]})
        subscription = self.deployed()
        self.assertEqual(self.patch(subscription, {"action": "renew"}), (204, b""))
        code, answer = self.patch(subscription, {"action": "SYNDICATED_UPGRADE",
                                                 "productVersion":
                                                     {"url": f"productVersion/{big['id']}"}})
        self.assertEqual((code, answer["upgrade"]), (200, "PAID"))
        order = self.vendor.get("/api/" + answer["order"]["url"])
        self.assertEqual((order["type"], order["status"]), ("SYNDICATED_UPGRADE", "COMPLETED"))
        for items in ({"billingItem/seats": 9}, [{"identifier": "seats", "value": 12}]):
            code, answer = self.patch(subscription, {"action": "billing_item_upgrade",
                                                     "billingItems": items})
            self.assertEqual((code, answer["upgrade"]), (200, "PAID"))
        code, answer = self.patch(subscription, {"action": "BILLING_ITEM_UPGRADE",
                                                 "billingItems": {"seats": 4}})
        self.assertEqual((code, answer["upgrade"]), (200, "DEFERRED"))
        self.assertEqual(self.orders(subscription),
                         ["NORMAL", "RENEWAL", "SYNDICATED_UPGRADE", "BILLING_ITEM_UPGRADE",
                          "BILLING_ITEM_UPGRADE", "BILLING_ITEM_UPGRADE"])
        self.assertEqual(self.patch(subscription, {"action": "UPGRADE",
                                                   "productVersion": "nonsense"})[0], 400)

    def test_scenario_a_vendor_stops_and_starts_by_action(self):
        subscription = self.deployed()
        self.assertEqual(self.patch(subscription, {"action": "STOP"})[0], 204)
        shown = self.client.get(f"/v1/subscriptions/{subscription}")
        self.assertEqual(shown["suspension_reasons"], ["VENDOR_HOLD"])
        self.assertEqual(self.patch(subscription, {"action": "START"})[0], 204)
        self.assertEqual(self.status(subscription), "DEPLOYED")
        self.assertEqual(self.patch(subscription, {"action": "REFRESH_BILLING_CONFIGURATION"})[0],
                         204)
        self.assertEqual(self.patch(subscription, {"action": "DANCE"})[0], 400)

    def test_scenario_the_auditor_decides_orders(self):
        self.client.patch(f"/v1/plans/{self.shop.plan['id']}", {"needs_approval": True})
        for word, status in (("approve", "PENDING"), ("reject", "REJECTED")):
            order = self.shop.subscription()
            self.assertEqual(order["status"], "REQUIRES_APPROVAL")
            first = self.vendor.get(f"/api/subscription/{order['id']}")["orders"][0]["url"]
            self.assertEqual(self.vendor.get(f"/api/{first}")["status"], "REQUIRES_APPROVAL")
            self.assertEqual(self.vendor.raw("POST", f"/api/{first}/{word}", {})[0], 204)
            self.assertEqual(self.status(order["id"]), status)


class OneYear(Scenario):
    """Trial, conversion, renewals, unpaid, grace, purge."""

    def setUp(self):
        super().setUp()
        self.client.patch(f"/v1/plans/{self.shop.plan['id']}", {"trial_days": 14})

    def test_scenario_a_year_of_a_life(self):
        subscription = self.deployed(type="TRIAL", paid=False)
        self.advance("15d")
        shown = self.client.get(f"/v1/subscriptions/{subscription}")
        self.assertEqual((shown["type"], shown["status"]), ("NORMAL", "DEPLOYED"))
        self.advance("65d")
        self.assertEqual(self.names(subscription).count("subscription.renewed"), 2)
        self.act(subscription, "overdue")
        self.advance("3d")
        self.assertEqual(self.status(subscription), "STOPPED")
        self.act(subscription, "pay")
        self.assertEqual(self.status(subscription), "DEPLOYED")
        self.client.patch(f"/v1/subscriptions/{subscription}", {"auto_renew": False})
        self.advance("40d")
        names = self.names(subscription)
        self.assertIn("subscription.expiring", names)
        self.assertEqual(names[-1], "subscription.cancelled")
        self.assertEqual(self.status(subscription), "STOPPED")
        self.advance("150d")
        self.assertEqual(self.names(subscription)[-3:], ["subscription.deprovision_requested",
                                                         "subscription.terminated",
                                                         "subscription.purged"])
        heard = self.heard(subscription)
        self.assertEqual((heard[0][0], heard[-1][0]), ("CREATED", "DELETED"))
        self.assertEqual([kind for kind, _ in heard].count("DELETED"), 1)
        self.assertEqual(self.status(subscription), "PURGED")
        self.assertEqual(self.vendor.raw("GET", f"/api/subscription/{subscription}")[0], 410)

    def test_scenario_products_bring_their_own_times(self):
        self.client.patch(f"/v1/products/{self.shop.product['id']}",
                          {"lifecycle": {"profile": "csp"}})
        subscription = self.deployed(auto_renew=False)
        self.advance("35d")
        shown = self.client.get(f"/v1/subscriptions/{subscription}")
        self.assertEqual(shown["status"], "DEPLOYED")
        self.assertIsNotNone(shown["grace_until"])
        self.advance("30d")
        self.assertEqual(self.status(subscription), "STOPPED")
        self.assertEqual(self.act(subscription, "renew")["status"], "DEPLOYED")


class ConfirmedChanges(Scenario):
    def setUp(self):
        super().setUp()
        self.client.patch(f"/v1/products/{self.shop.product['id']}",
                          {"change_mode": "confirm",
                           "confirmation": {"deadline_s": 3600, "on_silence": "reject"}})
        self.client.patch(f"/v1/plans/{self.shop.plan['id']}",
                          {"resources": [{"name": "seats", "min": 1}]})

    def test_scenario_a_vendor_confirms_a_change(self):
        subscription = self.deployed(quantities={"seats": 5})
        asked = self.act(subscription, "change", {"quantities": {"seats": 9}})
        self.assertEqual(asked["quantities"], {"seats": 5})
        operation = asked["operation"]["id"]
        self.assertEqual(self.vendor.get(f"/api/operation/{operation}")["state"], "IN_PROGRESS")
        listed = self.daemon.syndctl("subscription", "operations", str(subscription)).stdout
        self.assertIn("IN_PROGRESS", listed)
        done = self.vendor.post(f"/api/operation/{operation}/result",
                                {"status": "Success", "message": "nine it is"})
        self.assertEqual((done["state"], done["message"]), ("SUCCEEDED", "nine it is"))
        shown = self.client.get(f"/v1/subscriptions/{subscription}")
        self.assertEqual((shown["quantities"], shown["operation"]), ({"seats": 9}, None))
        code, _, content = self.vendor.raw("POST", f"/api/operation/{operation}/result",
                                           {"status": "Failure"})
        self.assertEqual(code, 409, content)
        self.assertEqual(self.names(subscription)[-3:],
                         ["operation.requested", "operation.succeeded",
                          "subscription.quantity_changed"])

    def test_scenario_silence_rejects_and_strangers_see_nothing(self):
        subscription = self.deployed(quantities={"seats": 5})
        operation = self.act(subscription, "change",
                             {"quantities": {"seats": 9}})["operation"]["id"]
        stranger = self.daemon.client("vendor", self.client.post("/v1/vendors",
                                                                 {"name": "Other"})["id"])
        code, _, _ = stranger.raw("POST", f"/api/operation/{operation}/result",
                                  {"status": "Success"})
        self.assertEqual(code, 404)
        self.advance("2h")
        shown = self.client.get(f"/v1/operations/{operation}")
        self.assertEqual((shown["state"], shown["message"]),
                         ("FAILED", "the vendor was silent"))


if __name__ == "__main__":
    unittest.main()
