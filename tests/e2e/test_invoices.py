"""Invoices, from the vendor's charge to the suspension and the end, and orders as events; with the
real daemon in simulated time."""
import datetime
import json
import unittest

import harness

LINES = [{"description": "Set-up", "identifier": "setup",
          "price": {"price": "100.0000", "currency": "EUR"}, "quantity": 2.0, "unit": "un"}]


class Invoices(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon({"testing": {"simulated_time": True},
                                      "retention": {"events": "3650d", "attempts": "3650d"}})
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)
        for form in ("cloudesire", "standard"):
            self.client.post("/v1/endpoints", {"scope": "platform", "form": form,
                                               "url": f"{self.sink.url}/{form}"})
        self.shop.endpoint(self.sink.url + "/vendor", form="standard")
        self.clients()

    def clients(self):
        self.client = self.shop.client = self.daemon.client("marketplace")
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])

    def restart(self, **settings):
        if settings:
            self.daemon.configure(settings)
            self.daemon.stop()
        else:
            self.daemon.kill()
        self.daemon.start()
        self.clients()

    def advance(self, span):
        self.daemon.syndctl("clock", "--advance", span)

    def due_in(self, **span):
        now = self.daemon.admin().get("/admin/clock")["now"]
        at = datetime.datetime.fromisoformat(now.replace("Z", "+00:00"))
        return (at + datetime.timedelta(**span)).isoformat()

    def deployed(self):
        subscription = self.shop.subscription()["id"]
        self.vendor.patch(f"/api/subscription/{subscription}", {"deploymentStatus": "DEPLOYED"})
        return subscription

    def issue(self, subscription, **more):
        return self.client.post(f"/v1/subscriptions/{subscription}/invoices", more)["id"]

    def settle(self, invoice, state="PAID"):
        return self.client.patch(f"/v1/invoices/{invoice}", {"state": state})

    def shown(self, subscription):
        found = self.client.get(f"/v1/subscriptions/{subscription}")
        return found["status"], found["paid"]

    def heard(self, path, of, stream):
        """Each event once, in the order of its stream: it may come again after a kill."""
        events = {}
        for arrival in self.sink.on(path):
            about = (arrival.headers.get("cmw-event-name", "").startswith(stream + ".")
                     or arrival.json.get("type", "").startswith(stream + "."))
            if about and arrival.entity_id == of:
                events[arrival.event] = arrival.json["type"]
        return [events[each] for each in sorted(events)]

    def assert_heard(self, path, of, wanted, stream="invoice"):
        """The events are told after the answer, from their own streams."""
        harness.wait_until(lambda: len(self.heard(path, of, stream)) >= len(wanted), 30, wanted)
        harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        self.assertEqual(self.heard(path, of, stream), wanted)

    def told(self, entity, number):
        return [e["name"] for e in self.client.all(
            f"/v1/events?entity={entity}&entity_id={number}")]

    def test_a_vendor_charges_and_the_platform_hears_of_it(self):
        subscription = self.deployed()
        status, headers, body = self.vendor.raw(
            "POST", f"/api/subscription/{subscription}/invoice?type=UPSELL", LINES)
        self.assertEqual(status, 201, body)
        invoice = json.loads(body)["id"]
        self.assertTrue(headers["Location"].endswith(f"/invoice/{invoice}"))
        self.assertEqual(self.shown(subscription), ("DEPLOYED", False))
        self.assert_heard("/cloudesire", invoice, ["CREATED"])
        self.assert_heard("/standard", invoice, ["invoice.issued"])
        first = next(a for a in self.sink.on("/cloudesire") if a.entity_id == invoice)
        self.assertEqual((first.json["entity"], first.json["entityUrl"], first.seq),
                         ("Invoice", f"invoice/{invoice}", 1))
        seen = self.vendor.get(f"/api/{first.json['entityUrl']}")
        self.assertEqual((seen["paid"], seen["entries"][0]["price"]["price"]), (False, "100.00"))
        self.assertEqual(self.vendor.raw("PATCH", f"/api/invoice/{invoice}", {"paid": True})[0],
                         403)
        for _ in range(2):
            code = self.client.raw("PATCH", f"/api/invoice/{invoice}", {"paid": True})[0]
            self.assertEqual(code, 204)
        self.assertEqual(self.shown(subscription), ("DEPLOYED", True))
        self.assert_heard("/cloudesire", invoice, ["CREATED", "MODIFIED"])
        self.assert_heard("/standard", invoice, ["invoice.issued", "invoice.paid"])
        self.assert_heard("/vendor", invoice, [])
        listed = self.vendor.get(f"/api/subscription/{subscription}")["invoices"]
        self.assertEqual(listed, [{"url": f"invoice/{invoice}"}])
        self.assertIn("UPSELL", self.daemon.syndctl("subscription", "invoices",
                                                    str(subscription)).stdout)
        counts = self.client.raw("GET", "/metrics")[2].decode()
        for became in ("issued", "paid"):
            self.assertIn(f'syndicated_invoices_total{{became="{became}"}} 1', counts)

    def test_the_first_invoice_pays_the_order(self):
        order = self.shop.subscription(paid=False)
        invoice = self.issue(order["id"], due_at=self.due_in(days=1))
        self.assertEqual(self.shown(order["id"]), ("WAITING_PAYMENT", False))
        self.settle(invoice)
        self.assertEqual(self.shown(order["id"]), ("PENDING", True))
        self.assertEqual(self.told("subscription", order["id"]),
                         ["subscription.created", "subscription.provisioning_requested"])

    def test_an_overdue_invoice_suspends_and_the_payment_resumes(self):
        subscription = self.deployed()
        invoice = self.issue(subscription, due_at=self.due_in(days=3), reference="2026-0001")
        self.advance("2d")
        self.assertEqual(self.told("invoice", invoice), ["invoice.issued"])
        self.restart()
        self.advance("2d")
        self.assertEqual(self.told("invoice", invoice), ["invoice.issued", "invoice.overdue"])
        self.assertEqual(self.shown(subscription), ("DEPLOYED", False))
        self.advance("2d")
        self.assertEqual(self.shown(subscription), ("STOPPED", False))
        open_ones = self.client.get(f"/v1/subscriptions/{subscription}")["open_invoices"]
        self.assertEqual([(i["id"], i["overdue"]) for i in open_ones], [(invoice, True)])
        self.settle(invoice)
        self.assertEqual(self.shown(subscription), ("DEPLOYED", True))
        self.assert_heard("/standard", invoice,
                          ["invoice.issued", "invoice.overdue", "invoice.paid"])

    def test_what_nobody_paid_expires_with_the_order(self):
        order = self.shop.subscription(paid=False)["id"]
        invoice = self.issue(order)
        self.advance("4d")
        self.assertEqual(self.shown(order), ("PAYMENT_EXPIRED", False))
        self.assert_heard("/cloudesire", invoice, ["CREATED", "MODIFIED"])
        self.assert_heard("/standard", invoice, ["invoice.issued", "invoice.expired"])
        with self.assertRaises(harness.Refused) as late:
            self.settle(invoice)
        self.assertEqual(late.exception.status, 409)
        self.assertIn("PAYMENT_EXPIRED", str(late.exception))
        self.advance("91d")
        self.assertEqual(self.client.get(f"/v1/invoices/{invoice}")["state"], "EXPIRED")

    def test_a_kill_loses_no_invoice_and_tells_each_change_once(self):
        subscription = self.deployed()
        invoices = [self.issue(subscription) for _ in range(20)]
        self.restart()
        for invoice in invoices[:10]:
            self.settle(invoice)
        self.daemon.kill()
        self.daemon.start()
        self.clients()
        for invoice in invoices:
            self.settle(invoice)
        self.restart()
        self.assertEqual(self.shown(subscription), ("DEPLOYED", True))
        for invoice in invoices:
            harness.wait_until(lambda i=invoice: len(self.told("invoice", i)) == 2, 30, "told")
            self.assert_heard("/standard", invoice, ["invoice.issued", "invoice.paid"])

    def test_a_transfer_leaves_earlier_invoices_with_who_got_them(self):
        subscription = self.deployed()
        before = self.issue(subscription)
        self.settle(before)
        other = self.client.post("/v1/tenants", {"kind": "customer", "parent_id": 1,
                                                 "name": "Other"})["id"]
        self.client.post(f"/v1/subscriptions/{subscription}/transfer", {"tenant_id": other})
        after = self.issue(subscription)
        old, new = (self.daemon.client("tenant", each)
                    for each in (self.shop.tenant["id"], other))

        def reads(client):
            def status(path):
                try:
                    return [i["id"] for i in client.get(path).get("items", [])] or 200
                except harness.Refused as refused:
                    return refused.status
            return [status(path) for path in (f"/v1/invoices/{before}", f"/v1/invoices/{after}",
                                              f"/v1/subscriptions/{subscription}/invoices")]

        self.assertEqual(reads(old), [200, 404, 404])
        self.assertEqual(reads(new), [404, 200, [after]])
        self.assertEqual(reads(self.client), [200, 200, [before, after]])
        self.assertEqual(self.client.get(f"/v1/invoices/{before}")["tenant_id"],
                         self.shop.tenant["id"])

    def test_costs_for_later_invoices_reach_the_billing(self):
        subscription = self.deployed()
        target = f"/api/subscription/{subscription}/invoice"
        shown = self.vendor.post(target + "/recurring", LINES)
        self.assertEqual(shown["recurringCosts"][0]["identifier"], "setup")
        self.vendor.post(target + "/recurring", LINES)  # nothing new
        self.assertEqual(self.vendor.post(target + "/recurring", [])["recurringCosts"], [])
        harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        changes = [a.json["data"]["change"] for a in self.sink.on("/standard")
                   if a.json["type"] == "subscription.costs_changed"]
        self.assertEqual([(c["kind"], len(c["lines"])) for c in changes],
                         [("RECURRING", 1), ("RECURRING", 0)])
        self.assertNotIn("subscription.costs_changed",
                         [a.json["type"] for a in self.sink.on("/vendor")])

    def test_orders_are_told_if_that_is_wanted(self):
        quiet = self.deployed()
        self.restart(lifecycle={"order_events": True})
        loud = self.deployed()
        self.client.post(f"/v1/subscriptions/{loud}/renew")
        first, second = (loud << 20) + 1, (loud << 20) + 2
        self.assert_heard("/cloudesire", first, ["CREATED", "MODIFIED"], "order")
        self.assert_heard("/standard", second, ["order.created"], "order")
        self.assert_heard("/vendor", first, [], "order")
        self.assertEqual(self.told("operation", (quiet << 20) + 1), [])
        about = next(a for a in self.sink.on("/cloudesire") if a.entity_id == second)
        self.assertEqual((about.json["entity"], about.json["entityUrl"]),
                         ("Cart", f"order/{second}"))
        self.assertEqual(self.vendor.get(f"/api/{about.json['entityUrl']}")["type"], "RENEWAL")


if __name__ == "__main__":
    unittest.main()
