"""What tenants use of their offering items: sums over the tree, quotas that are told of once, and
hard ones that refuse, across kills, moves and months."""
import json
import unittest

import harness

APP = "6e6d758d-8e74-3ae3-ac84-50eb0dff12eb"


def uuid_of(tenant):
    return f"01000000-0000-85d1-8000-{tenant:012x}"


def item(name, value=None, overage=None, version=0, unit="bytes", application=APP):
    return {"application_id": application, "name": name, "measurement_unit": unit, "status": 1,
            "quota": {"value": value, "overage": overage, "version": version}}


class Usages(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon({"testing": {"simulated_time": True},
                                      "retention": {"events": "3650d", "attempts": "3650d"}})
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.staff = self.daemon.client()
        self.partner = self.tenant("reseller", 1)
        self.customers = [self.tenant("customer", self.partner) for _ in range(2)]
        self.unit = self.tenant("unit", self.customers[0])
        for tenant in (1, self.partner, *self.customers, self.unit):
            self.offer(tenant, item("storage"), item("hours", unit="seconds"))

    def tenant(self, kind, parent):
        return self.staff.post("/v1/tenants", {"kind": kind, "parent_id": parent,
                                               "name": kind})["id"]

    def offer(self, tenant, *items):
        self.staff.call("PUT", f"/api/2/tenants/{uuid_of(tenant)}/offering_items",
                        {"offering_items": list(items)})

    def push(self, *items, client=None, key=None):
        headers = {"Idempotency-Key": key} if key else {}
        answer = (client or self.staff).call("PUT", "/api/2/usages", {"items": [
            {"tenant_id": uuid_of(tenant), "offering_item": name, "usage_value": value}
            for tenant, name, value in items]}, headers)
        return [one.get("error", {}).get("reason", "") for one in answer["items"]]

    def usage(self, tenant, name="storage"):
        listed = self.staff.get(f"/v1/tenants/{tenant}/usages")["items"]
        return next(one for one in listed if one["name"] == name)

    def total(self, tenant, name="storage"):
        return self.usage(tenant, name)["total"]

    def told(self, tenant):
        events = self.staff.all(f"/v1/events?entity=tenant&entity_id={tenant}")
        return [event["name"] for event in events if event["name"].startswith("quota.")]

    def advance(self, span="1s"):
        self.daemon.syndctl("clock", "--advance", span)

    def kill(self):
        self.daemon.kill()
        self.daemon.start()
        self.staff = self.daemon.client()

    def test_sums_go_over_three_levels_and_a_kill(self):
        first, second = self.customers
        self.assertEqual(self.push((self.unit, "storage", 7), (first, "storage", 10),
                                   (second, "storage", 100), (first, "mail", 1),
                                   (second, "storage", 120)), ["", "", "", "not_offered", ""])
        self.kill()
        self.assertEqual([self.total(t) for t in (1, self.partner, first, second, self.unit)],
                         [137, 137, 17, 120, 7])
        self.assertEqual(self.usage(first)["own"], 10)
        partner = self.daemon.client("tenant", self.partner)
        shown = partner.get(f"/api/2/tenants/{uuid_of(self.partner)}/usages?usage_names=storage")
        self.assertEqual([(one["value"], one["tenant_id"]) for one in shown["items"]],
                         [(137, uuid_of(self.partner))])
        self.assertEqual(partner.raw("GET", f"/api/2/tenants/{uuid_of(1)}/usages")[0], 404)
        self.assertEqual(partner.raw("PUT", "/api/2/usages", {"items": []})[0], 403)
        table = self.daemon.syndctl("tenant", "usages", str(first)).stdout
        self.assertRegex(table, r"storage +bytes +10 +17 +- +- +within +yes")
        self.assertIn('syndicated_tenant_usages_total{outcome="refused"} 0',
                      self.staff.raw("GET", "/metrics")[2].decode())

    def test_a_repeat_with_its_key_is_the_same_answer(self):
        first = self.customers[0]
        self.assertEqual(self.push((first, "storage", 5), key="k"), [""])
        self.push((first, "storage", 9))
        self.assertEqual(self.push((first, "storage", 5), key="k"), [""])
        self.assertEqual(self.total(first), 9)

    def test_a_soft_quota_is_told_once_and_over_a_kill(self):
        sink = harness.Sink()
        self.addCleanup(sink.close)
        self.staff.post("/v1/endpoints", {"scope": "tenant", "scope_id": self.partner,
                                          "url": sink.url, "form": "standard",
                                          "events": ["quota.*"]})
        first, second = self.customers
        self.offer(self.partner, item("storage", value=100))
        self.push((first, "storage", 85))
        self.kill()  # before or after it was told
        self.advance()
        self.assertEqual(self.told(self.partner), ["quota.reached"])
        for value in (20, 14, 16, 50):
            self.push((second, "storage", value))
        self.advance()
        self.assertEqual(self.told(self.partner), ["quota.reached", "quota.exceeded"])
        self.assertEqual(self.told(first), [])
        harness.wait_until(lambda: len(sink.arrivals) >= 2, 30, "both events at the partner")
        change = sink.arrivals[-1].json["data"]["change"]
        self.assertEqual((change["metric"], change["limit"], change["overage"]),
                         ("storage", 100, None))
        self.assertEqual(self.usage(self.partner)["level"], "exceeded")

    def test_a_hard_quota_above_refuses_and_says_whose_it_is(self):
        first, second = self.customers
        self.offer(self.partner, item("storage", value=100, overage=10))
        self.assertEqual(self.push((first, "storage", 100), (second, "storage", 11),
                                   (self.unit, "storage", 10), (self.unit, "storage", 11)),
                         ["", "quota_blocked", "", "quota_blocked"])
        self.advance()
        self.assertEqual(self.told(self.partner),
                         ["quota.reached", "quota.exceeded", "quota.blocked"])
        self.kill()
        self.assertEqual(self.total(self.partner), 110)
        answer = self.staff.call("PUT", "/api/2/usages", {"items": [
            {"tenant_id": uuid_of(second), "offering_item": "storage", "usage_value": 1}]})
        error = answer["items"][0]["error"]
        self.assertEqual((error["code"], error["reason"]), (409, "quota_blocked"))
        self.assertIn(uuid_of(self.partner), error["message"])
        self.advance()
        self.assertEqual(self.told(self.partner).count("quota.blocked"), 1)
        self.assertEqual(self.push((first, "storage", 90), (second, "storage", 10)), ["", ""])
        # Lower than what is used: it is told with the change, and refuses from then on.
        self.offer(self.partner, item("storage", value=50, overage=0, version=1))
        self.assertEqual(self.push((second, "storage", 11), (second, "storage", 9)),
                         ["quota_blocked", ""])

    def test_a_move_takes_usages_along(self):
        first = self.customers[0]
        other = self.tenant("reseller", 1)
        self.offer(other, item("storage", value=20, overage=0), item("hours"))
        self.push((self.unit, "storage", 15), (first, "storage", 6))
        self.advance()
        with self.assertRaises(harness.Refused) as refused:
            self.staff.patch(f"/v1/tenants/{first}", {"parent_id": other})
        self.assertEqual(refused.exception.status, 409)
        self.assertIn("quota_exceeded", str(refused.exception))
        self.push((first, "storage", 5))
        self.staff.patch(f"/v1/tenants/{first}", {"parent_id": other})
        self.kill()  # before or after the sums have moved
        self.advance()
        self.assertEqual([self.total(t) for t in (1, self.partner, other, first)], [20, 0, 20, 20])
        self.assertEqual(self.push((self.unit, "storage", 16)), ["quota_blocked"])

    def test_seconds_begin_anew_with_the_month(self):
        first = self.customers[0]
        self.assertEqual(self.push((first, "hours", 3600), (first, "hours", 3599)),
                         ["", "counter_went_down"])
        self.advance("32d")
        self.assertEqual(self.total(self.partner, "hours"), 0)
        self.assertEqual(self.push((first, "hours", 60)), [""])
        shown = self.staff.get(f"/api/2/tenants/{uuid_of(self.partner)}/usages")["items"]
        hours = next(one for one in shown if one["name"] == "hours")
        self.assertEqual((hours["value"], hours["absolute_value"]), (60, 3660))
        self.assertRegex(hours["range_start"], r"-01T00:00:00\.000\+00:00$")

    def test_a_vendor_tells_of_its_applications_and_subscriptions(self):
        shop = harness.Shop(self.staff)
        application = f"03000000-0000-85d1-8000-{shop.product['id']:012x}"
        mine = item("seats", unit="quantity", application=application)
        for tenant in (1, self.partner, self.customers[0]):
            self.offer(tenant, mine)
        vendor = self.daemon.client("vendor", shop.vendor["id"])
        self.assertEqual(self.push((self.customers[0], "seats", 3),
                                   (self.customers[0], "storage", 3), client=vendor),
                         ["", "not_offered"])
        self.assertEqual(self.total(1, "seats"), 3)
        sold = shop.subscription(tenant_id=self.customers[0])["id"]
        vendor.patch(f"/api/subscription/{sold}", {"deploymentStatus": "DEPLOYED"})
        answer = vendor.call("PUT", "/api/2/usages", {"items": [
            {"resource_id": f"05000000-0000-85d1-8000-{sold:012x}", "usage_type": "disk",
             "usage_value": 31.67}]})
        self.assertEqual(answer["items"][0]["usage_value"], 31.67)
        usage = self.staff.get(f"/v1/subscriptions/{sold}/usage")["items"]
        self.assertEqual([(u["metric"], u["value"]) for u in usage], [("disk", 31.67)])

    def test_what_a_purged_tenant_used_leaves_the_sums(self):
        first, second = self.customers
        self.push((self.unit, "storage", 15), (second, "storage", 6))
        self.staff.post(f"/v1/tenants/{first}/disable")
        self.staff.raw("DELETE", f"/v1/tenants/{first}")
        self.advance("29d")
        self.assertEqual(self.total(1), 21)
        self.advance("3d")
        self.assertEqual(self.total(1), 6)
        self.assertEqual(self.push((first, "storage", 1)), ["not_found"])


if __name__ == "__main__":
    unittest.main()
