"""Usage: reported by the vendor and asked for by the daemon, in simulated time."""
import datetime
import json
import unittest

import harness


class Usage(harness.SimulatedTime):
    def setUp(self):
        super().setUp()
        self.status = 200
        self.value = 3.5
        self.sink = self.new_sink(self.answer)
        self.shop = harness.Shop(self.client)
        self.shop.endpoint(self.sink.url + "/hook", events=["usage.*", "quota.*"])
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])

    def answer(self, arrival):
        if arrival.path.startswith("/metric"):
            return self.status, {}, json.dumps({"value": self.value})
        return 204

    def sell(self, **product):
        made = self.client.post("/v1/products", {"vendor_id": self.shop.vendor["id"],
                                                 "name": "Storage", **product})
        plan = self.client.post("/v1/plans", {
            "product_id": made["id"], "name": "Plan",
            "resources": [{"name": "disk", "limit": 10, "overage": 5}]})
        subscription = self.shop.subscription(plan_id=plan["id"])["id"]
        self.vendor.patch(f"/api/subscription/{subscription}", {"deploymentStatus": "DEPLOYED"})
        return subscription

    def now(self):
        text = self.daemon.admin().get("/admin/clock")["now"]
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))

    def push(self, subscription, *values, **more):
        return self.vendor.post(f"/api/subscription/{subscription}/usage", {
            "items": [{"metric": "disk", "value": value, **more} for value in values]})["items"]

    def told(self):
        """Each event once: what was under way when the daemon was killed comes again."""
        events = {a.event: a.json["type"] for a in self.sink.snapshot() if a.path == "/hook"}
        return list(events.values())

    def test_what_is_reported_is_kept_judged_and_closed(self):
        subscription = self.sell()
        hour = self.now().replace(minute=0, second=0, microsecond=0)
        window = {"windowStart": hour.isoformat(),
                  "windowEnd": (hour + datetime.timedelta(hours=1)).isoformat()}
        outcomes = self.push(subscription, 9, 9, 10, 15, 16, **window)
        self.assertEqual([o.get("effect") or o["error"]["code"] for o in outcomes],
                         ["recorded", "repeated", "corrected", "corrected", "quota_blocked"])
        self.daemon.kill()
        self.daemon.start()
        self.client = self.daemon.client()
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])
        self.assertEqual(self.push(subscription, 15, **window)[0]["effect"], "repeated")
        self.advance("3h")
        outcome = self.push(subscription, 15, 14, **window)
        self.assertEqual(outcome[0]["effect"], "repeated")
        self.assertEqual(outcome[0]["record"]["state"], "CLOSED")
        self.assertEqual((outcome[1]["status"], outcome[1]["error"]["code"]),
                         (409, "window_closed"))
        harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        self.assertEqual(self.told(), ["quota.reached", "quota.exceeded", "quota.blocked",
                                       "usage.window_closed"])
        shown = self.daemon.syndctl("subscription", "usage", str(subscription)).stdout
        self.assertIn("CLOSED", shown)
        # After the order to release everything there is one more hour.
        self.client.post(f"/v1/subscriptions/{subscription}/terminate")
        self.assertEqual(self.push(subscription, 1)[0]["effect"], "recorded")
        self.advance("61m")
        self.assertEqual(self.push(subscription, 2)[0]["error"]["code"], "window_closed")

    def test_a_call_about_many_subscriptions_is_answered_item_by_item(self):
        one, two = self.sell(), self.sell()
        body = {"items": [{"subscription_id": each, "metric": "disk", "value": 1}
                          for each in (one, two, 999_999)]}
        first = self.client.post("/v1/usage", body, {"Idempotency-Key": "u-1"})
        self.assertEqual([i["status"] for i in first["items"]], [200, 200, 404])
        self.assertEqual(self.client.post("/v1/usage", body, {"Idempotency-Key": "u-1"}), first)
        again = self.client.post("/v1/usage", body)
        self.assertEqual([i.get("effect") for i in again["items"]], ["repeated", "repeated", None])

    def test_metrics_are_asked_for_and_failures_are_shown(self):
        subscription = self.sell(metrics=[{
            "name": "disk", "kind": "gauge", "function": "peak", "frequency": "5m",
            "url": self.sink.url + "/metric", "headers": {"X-Key": "k"}}])
        self.advance("20m")
        asked = [a for a in self.sink.snapshot() if a.path == "/metric"]
        self.assertGreaterEqual(len(asked), 3)
        self.assertEqual({a.headers["cd-subscription-id"] for a in asked}, {str(subscription)})
        self.assertEqual({a.headers["x-key"] for a in asked}, {"k"})
        records = list(self.client.all(f"/v1/subscriptions/{subscription}/usage"))
        self.assertEqual({(r["source"], r["value"]) for r in records}, {("poll", 3.5)})
        self.value = 12
        self.advance("10m")
        self.assertIn("quota.exceeded", self.told())
        self.status = 503
        self.advance("10m")
        poll = self.client.get(f"/v1/subscriptions/{subscription}/metrics")["items"][0]
        self.assertEqual((poll["problem"], poll["value"]), ("http_503", 12))
        self.assertGreaterEqual(poll["failures"], 1)
        self.assertIn("http_503",
                      self.daemon.syndctl("subscription", "metrics", str(subscription)).stdout)
        self.client.post(f"/v1/subscriptions/{subscription}/terminate")
        self.assertEqual(self.client.get(f"/v1/subscriptions/{subscription}/metrics")["items"], [])


if __name__ == "__main__":
    unittest.main()
