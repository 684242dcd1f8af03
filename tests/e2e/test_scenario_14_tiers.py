"""Scenario 14: licences of a reseller's customers are counted together. Three customers with 40,
40 and 30 and tiers at 100 and 500: the tier is 2 when the sum passes 100; a commitment to 500
reports a shortfall of 390."""
import json
import unittest

import harness


class Tiers(harness.SimulatedTime):
    def setUp(self):
        super().setUp()
        self.shop = harness.Shop(self.client)
        self.plan = self.client.post("/v1/plans", {
            "product_id": self.shop.product["id"], "name": "Licences",
            "resources": [{"name": "licences", "value_type": "postpaid"}]})
        self.partner = self.tenant("reseller", 1)

    def tenant(self, kind, parent):
        return self.client.post("/v1/tenants", {"kind": kind, "parent_id": parent,
                                                "name": kind})["id"]

    def sell(self, count, parent=None):
        customer = self.tenant("customer", parent or self.partner)
        subscription = self.shop.subscription(tenant_id=customer, plan_id=self.plan["id"],
                                              quantities={"licences": count})["id"]
        vendor = self.daemon.client("vendor", self.shop.vendor["id"])
        vendor.patch(f"/api/subscription/{subscription}", {"deploymentStatus": "DEPLOYED"})
        return subscription

    def commit(self, **more):
        return self.client.post("/v1/commitments", {
            "reseller_id": self.partner, "product_id": self.shop.product["id"],
            "resource": "licences", "tiers": [0, 100, 500], **more})["id"]

    def look(self, commitment):
        return self.client.get(f"/v1/commitments/{commitment}")

    def snapshot(self, commitment):
        return self.client.post(f"/v1/commitments/{commitment}/snapshot")

    def counts(self, commitment, wanted):
        harness.wait_until(lambda: self.look(commitment)["counter"] == wanted, 30,
                           f"a counter of {wanted}")

    def events(self, commitment):
        return list(self.client.all(f"/v1/events?entity=commitment&entity_id={commitment}"))

    def names(self, commitment):
        return [event["name"] for event in self.events(commitment)]

    def test_14_the_tier_rises_with_the_sum(self):
        commitment = self.commit()
        for count in (40, 40):
            self.sell(count)
        self.counts(commitment, 80)
        self.assertEqual(self.snapshot(commitment)["tier"], 1)
        self.sell(30)
        self.counts(commitment, 110)
        self.assertEqual(self.look(commitment)["tier"], 1)  # until it is looked at
        self.advance("32d")
        self.assertEqual(self.look(commitment)["tier"], 2)
        self.assertEqual(self.names(commitment), ["commitment.created", "commitment.tier_changed"])
        change = self.events(commitment)[-1]["data"]["change"]
        self.assertEqual(change, {"from": 1, "to": 2, "tier": 2, "counter": 110})

    def test_14_a_commitment_reports_a_shortfall(self):
        for count in (40, 40, 30):
            self.sell(count)
        commitment = self.commit(committed_tier=3, term_months=12)
        self.counts(commitment, 110)
        snapshot = self.snapshot(commitment)
        self.assertEqual((snapshot["tier"], snapshot["shortfall"]), (3, 390))
        told = self.events(commitment)[-1]
        self.assertEqual(told["name"], "commitment.shortfall")
        self.assertEqual(told["data"]["change"],
                         {"minimum": 500, "counter": 110, "shortfall": 390})
        with self.assertRaises(harness.Refused) as refused:
            self.client.post(f"/v1/commitments/{commitment}/cancel")
        self.assertIn("commitment_in_force", str(refused.exception))
        self.client.post(f"/v1/commitments/{commitment}/step-down", {"tier": 1})
        self.advance("366d")
        renewed = self.look(commitment)
        # The counter holds it at the second tier, whatever was asked for.
        self.assertEqual((renewed["state"], renewed["committed_tier"], renewed["tier"]),
                         ("RENEWED", 2, 2))
        self.assertIn("commitment.renewed", self.names(commitment))
        monthly = self.names(commitment).count("commitment.shortfall")
        self.assertEqual(monthly, 13)  # one by hand, and twelve months

    def test_a_kill_loses_nothing(self):
        commitment = self.commit()
        sold = [self.sell(10) for _ in range(6)]
        for subscription in sold[:3]:
            self.client.post(f"/v1/subscriptions/{subscription}/change",
                             {"quantities": {"licences": 25}})
        self.daemon.kill()
        self.daemon.start()
        self.client = self.shop.client = self.daemon.client()
        self.counts(commitment, 105)
        self.client.post(f"/v1/subscriptions/{sold[0]}/terminate")
        self.counts(commitment, 80)

    def test_the_partner_is_told_and_sees_its_own(self):
        sink = self.new_sink()
        for path, scope, number in (("/partner", "tenant", self.partner),
                                    ("/vendor", "vendor", self.shop.vendor["id"])):
            self.client.post("/v1/endpoints", {"scope": scope, "scope_id": number,
                                               "url": sink.url + path, "form": "standard",
                                               "events": ["commitment.*"]})
        commitment = self.commit(committed_tier=2, term_months=12)
        self.snapshot(commitment)
        harness.wait_until(lambda: len(sink.on("/partner")) == 2, 30, "both events")
        self.assertEqual(sink.on("/vendor"), [])
        data = sink.on("/partner")[0].json["data"]
        self.assertEqual((data["id"], data["seq"], data["tiers"]), (commitment, 1, [0, 100, 500]))
        partner = self.daemon.client("tenant", self.partner)
        self.assertEqual([c["id"] for c in partner.all("/v1/commitments")], [commitment])
        with self.assertRaises(harness.Refused) as refused:
            partner.post(f"/v1/commitments/{commitment}/snapshot")
        self.assertEqual(refused.exception.status, 403)
        stranger = self.daemon.client("tenant", self.tenant("reseller", 1))
        self.assertEqual(list(stranger.all("/v1/commitments")), [])
        listed = self.daemon.syndctl("commitment", "ls", "--reseller", str(self.partner)).stdout
        self.assertIn("ACTIVE", listed)
        shown = self.daemon.syndctl("--json", "commitment", "show", str(commitment)).stdout
        self.assertEqual(json.loads(shown)["shortfall"], 100)


if __name__ == "__main__":
    unittest.main()
