"""Scenario 10: an annual commitment. Units that were added lately can go back, others wait for the
renewal; what waits can be replaced until the last day; an early end is refused, or has a fee."""
import datetime
import unittest

import harness


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Commitment(harness.SimulatedTime):
    def setUp(self):
        super().setUp()
        self.sink = self.new_sink()
        self.shop = harness.Shop(self.client)
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])
        self.customer = self.daemon.client("tenant", self.shop.tenant["id"])
        self.shop.endpoint(self.sink.url + "/vendor")
        self.client.post("/v1/endpoints", {"scope": "tenant", "scope_id": self.shop.tenant["id"],
                                           "url": self.sink.url + "/tenant", "form": "standard"})

    def commit(self, months=12, **terms):
        plan = self.client.post("/v1/plans", {
            "product_id": self.shop.product["id"], "name": "Annual",
            "billing_period_months": months, "resources": [{"name": "seats", "min": 1}],
            "commitment_options": [{"term_months": 12, **terms}]})
        ordered = self.shop.subscription(plan_id=plan["id"], quantities={"seats": 20},
                                         commitment={"term_months": 12})
        self.subscription = ordered["id"]
        self.vendor.patch(f"/api/subscription/{ordered['id']}", {"deploymentStatus": "DEPLOYED"})
        return self.shown()

    def shown(self):
        return self.client.get(f"/v1/subscriptions/{self.subscription}")

    def act(self, action, body=None, by=None):
        return (by or self.client).post(f"/v1/subscriptions/{self.subscription}/{action}", body)

    def seats(self, count, **more):
        return self.act("change", {"quantities": {"seats": count}, **more})

    def refusal(self, action, body=None, by=None):
        with self.assertRaises(harness.Refused) as refused:
            self.act(action, body, by)
        self.assertEqual(refused.exception.status, 409)
        return str(refused.exception)

    def events(self):
        query = f"entity=subscription&entity_id={self.subscription}"
        return list(self.client.all(f"/v1/events?{query}"))

    def names(self):
        return [event["name"] for event in self.events()]

    def told(self, path):
        harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        return {arrival.json["type"] for arrival in self.sink.on(path)}

    def test_10_units_go_back_while_they_are_new(self):
        first = self.commit()
        self.assertEqual(first["commitment"]["state"], "ACTIVE")
        self.assertEqual(first["commitment"]["ends_at"], first["period_end"])
        self.advance("3d")
        self.assertEqual(self.seats(30)["quantities"], {"seats": 30})
        self.advance("2d")
        self.assertEqual(self.seats(26)["quantities"], {"seats": 26})
        self.advance("25d")
        later = self.seats(16)
        self.assertEqual(later["quantities"], {"seats": 26})
        self.assertEqual(later["scheduled_change"]["quantities_to"], {"seats": 16})
        self.assertEqual(later["scheduled_change"]["effective_at"], first["commitment"]["ends_at"])
        self.assertIn("not_before_renewal", self.refusal(
            "change", {"quantities": {"seats": 16}, "when": "now"}))
        self.advance("330d")
        self.assertEqual(self.shown()["quantities"], {"seats": 26})
        self.advance("10d")
        renewed = self.shown()
        self.assertEqual(renewed["quantities"], {"seats": 16})
        self.assertEqual((renewed["commitment"]["state"], renewed["commitment"]["term"]),
                         ("RENEWED", 2))
        self.assertEqual(renewed["commitment"]["starts_at"], first["commitment"]["ends_at"])
        self.assertEqual(self.names().count("subscription.quantity_changed"), 2)
        self.assertIn("commitment.renewed", self.names())
        # Commitments are not the vendor's to know.
        self.assertIn("commitment.created", self.told("/tenant"))
        self.assertIn("subscription.quantity_changed", self.told("/vendor"))
        self.assertNotIn("commitment.created", self.told("/vendor"))

    def test_what_is_left_of_the_period_is_told_for_who_charges(self):
        self.commit()
        self.advance("3d")
        self.seats(30)
        told = next(event for event in self.events()
                    if event["name"] == "subscription.quantity_changed")
        change = told["data"]["change"]["seats"]
        self.assertEqual(change["proration"]["unit"], "hour")
        days = change["proration"]["total"] / 24
        self.assertIn(days, (365, 366))
        self.assertEqual(change["proration"]["remaining"], (days - 3) * 24)

    def test_a_monthly_bill_keeps_the_term(self):
        first = self.commit(months=1)
        self.advance("10d")
        self.seats(10)
        self.advance("100d")
        kept = self.shown()
        self.assertEqual(kept["quantities"], {"seats": 20})
        self.assertEqual(kept["commitment"]["term"], 1)
        self.assertIn("subscription.renewed", self.names())
        self.advance("270d")
        over = self.shown()
        self.assertEqual(over["quantities"], {"seats": 10})
        self.assertEqual(over["commitment"]["term"], 2)
        self.assertEqual(over["commitment"]["starts_at"], first["commitment"]["ends_at"])

    def test_in_the_last_day_the_renewal_is_locked(self):
        end = instant(self.commit()["commitment"]["ends_at"])
        self.advance("8d")
        self.seats(10)
        self.client.call("POST", f"/v1/subscriptions/{self.subscription}/unschedule")
        self.seats(12)
        now = instant(self.daemon.admin().get("/admin/clock")["now"])
        seconds = int((end - now).total_seconds()) - 12 * 3600
        self.daemon.admin().post("/admin/clock", {"advance_s": seconds})
        self.assertIn("commitment_locked", self.refusal("change", {"quantities": {"seats": 8}}))
        self.assertIn("commitment_locked", self.refusal("unschedule"))
        self.assertEqual(self.seats(25)["quantities"], {"seats": 25})  # more: at any time
        self.advance("1d")
        self.assertEqual(self.shown()["quantities"], {"seats": 12})

    def test_an_early_end_is_free_for_a_week_and_then_has_a_fee(self):
        self.commit(allow_early_cancel=True, cancel_fee=True)
        free = self.act("cancel", by=self.customer)
        self.assertFalse(free["commitment"]["fee"])
        self.act("reinstate", by=self.customer)
        self.advance("8d")
        charged = self.act("cancel", by=self.customer)
        self.assertTrue(charged["commitment"]["fee"])
        self.advance("31d")
        gone = self.shown()["commitment"]
        self.assertEqual((gone["state"], gone["fee"]), ("CANCELLED", True))
        self.assertEqual(self.names().count("commitment.ended"), 1)

    def test_who_is_bound_stays_until_the_term_is_over(self):
        self.commit(auto_renew=False)
        other = self.client.post("/v1/tenants", {"kind": "customer", "parent_id": 1,
                                                 "name": "Other"})["id"]
        self.advance("8d")
        self.assertIn("commitment_in_force", self.refusal("cancel", by=self.customer))
        self.assertIn("commitment_not_transferable", self.refusal("transfer", {"tenant_id": other}))
        self.advance("360d")
        over = self.shown()
        self.assertEqual((over["status"], over["commitment"]["state"]), ("DEPLOYED", "LAPSED"))
        self.assertEqual(self.act("transfer", {"tenant_id": other})["tenant_id"], other)
        self.assertEqual(self.act("cancel")["status"], "STOPPED")


if __name__ == "__main__":
    unittest.main()
