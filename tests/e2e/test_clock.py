"""Simulated time: a year of a subscription's life in seconds, and nothing that goes back."""
import datetime
import json
import threading
import unittest

import harness

DAY = 86_400
FIRST_PAYMENT = datetime.timedelta(days=3)  # lifecycle.first_payment


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class RealTime(unittest.TestCase):
    def test_the_clock_is_not_to_be_moved_by_default(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        daemon.start()
        for body in ({"advance_s": DAY}, {"to": "2099-01-01T00:00:00Z", "jump": True}):
            with self.assertRaises(harness.Refused) as refusal:
                daemon.admin().post("/admin/clock", body)
            self.assertEqual(refusal.exception.status, 409)
            self.assertIn("clock_not_simulated", str(refusal.exception))
        done = daemon.syndctl("clock", "--advance", "1d", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("testing.simulated_time", done.stderr)
        shown = daemon.admin().get("/admin/clock")
        self.assertEqual((shown["simulated"], shown["ahead_ms"]), (False, 0))
        self.assertFalse(daemon.admin().get("/admin/status")["simulated_time"])
        self.assertNotIn("simulated", daemon.log())


class SimulatedTime(harness.SimulatedTime):
    def setUp(self):
        super().setUp()
        self.status = 204
        self.sink = self.new_sink(lambda arrival: self.status)
        self.shop = harness.Shop(self.client)
        self.shop.endpoint(self.sink.url + "/hook")

    def restart(self, settings):
        self.daemon.configure(settings)
        self.daemon.stop()
        self.daemon.start()
        self.client = self.shop.client = self.daemon.client()

    def now(self):
        return instant(self.daemon.admin().get("/admin/clock")["now"])

    def events(self, subscription):
        return list(self.client.all(f"/v1/events?entity=subscription&entity_id={subscription}"))

    def assert_soon_after(self, at, wanted):
        """The work of each step takes real time, in which simulated time goes on."""
        self.assertGreaterEqual(at, wanted)
        self.assertLess(at - wanted, datetime.timedelta(hours=1))

    def test_the_timers_of_a_year_fire_at_their_instants(self):
        unpaid = self.shop.subscription(paid=False)
        deadline = instant(unpaid["created_at"]) + FIRST_PAYMENT
        kept = self.shop.subscription()["id"]
        left = self.shop.subscription()["id"]
        at_vendor = self.daemon.client("vendor", self.shop.vendor["id"])
        for subscription in (kept, left):
            at_vendor.patch(f"/api/subscription/{subscription}", {"deploymentStatus": "DEPLOYED"})
        cancelled = self.client.post(f"/v1/subscriptions/{left}/cancel")
        shown = self.daemon.admin().get("/admin/clock")
        self.assertEqual(instant(shown["next_at"]), deadline)
        there = self.advance("365d")
        self.assertEqual(there["due"], 0)
        self.assertGreater(there["ahead_ms"], 364 * DAY * 1000)
        expired, purged = self.events(unpaid["id"])[-2:]
        self.assertEqual(purged["name"], "subscription.purged")
        self.assertEqual(expired["name"], "subscription.payment_expired")
        self.assert_soon_after(instant(expired["at"]), deadline)
        asked, ended, purged = self.events(left)[-3:]
        self.assertEqual([event["name"] for event in (asked, ended, purged)],
                         ["subscription.deprovision_requested", "subscription.terminated",
                          "subscription.purged"])
        asked_at, ended_at = instant(asked["at"]), instant(ended["at"])
        self.assert_soon_after(asked_at, instant(cancelled["purge_at"]))
        self.assert_soon_after(ended_at, asked_at + datetime.timedelta(days=7))
        self.assertEqual(self.client.get(f"/v1/subscriptions/{kept}")["status"], "DEPLOYED")
        renewals = [e for e in self.events(kept) if e["name"] == "subscription.renewed"]
        self.assertIn(len(renewals), (11, 12))  # a leap year is a day longer than the walk
        # Everything was delivered before the answer came.
        self.assertEqual(harness.counters(self.client)["pending"], 0)
        # The vendor hears of each event at its time.
        last = next(a for a in reversed(self.sink.snapshot())
                    if a.json["type"] == "subscription.terminated")
        self.assert_soon_after(
            datetime.datetime.fromtimestamp(int(last.headers["webhook-timestamp"]) + 1,
                                            datetime.timezone.utc), ended_at)
        self.assertIn("simulated", self.daemon.syndctl("status").stdout)
        self.assertIn("for tests only", self.daemon.log())

    def test_tokens_and_keys_expire(self):
        token = json.loads(self.daemon.syndctl("--json", "token", "create", "--role", "operator",
                                               "--expires-days", "30").stdout)["token"]
        guest = harness.Client(self.daemon.api, token)
        first = self.shop.subscription(key="k")["id"]
        self.assertEqual(self.shop.subscription(key="k")["id"], first)
        self.advance("29d")
        guest.get("/v1/vendors")
        self.assertNotEqual(self.shop.subscription(key="k")["id"], first)
        self.advance("2d")
        with self.assertRaises(harness.Refused) as refusal:
            guest.get("/v1/vendors")
        self.assertEqual(refusal.exception.status, 401)

    def test_a_dead_vendor_is_asked_at_every_retry(self):
        self.restart({"delivery": {"schedule": ["0s", "1h", "1d", "2d"], "jitter": 0,
                                   "breaker_open": "0s"}})
        self.status = 500
        began = self.now()
        subscription = self.shop.subscription()["id"]
        event = self.events(subscription)[0]["id"]
        self.advance("30d")
        attempts = list(self.client.all(f"/v1/events/{event}/attempts"))
        self.assertEqual(len(attempts), 4)
        for attempt, hours in zip(attempts, (0, 1, 25, 73)):
            self.assert_soon_after(instant(attempt["at"]),
                                   began + datetime.timedelta(hours=hours))
        self.assertEqual(harness.counters(self.client)["parked"], 1)

    def test_retention_goes_by_it(self):
        self.restart({"retention": {"events": "90d", "attempts": "30d"}})
        event = self.client.post("/v1/events", {"name": "shop.sold", "data": {}})["id"]
        self.advance("89d")
        self.daemon.syndctl("compact")
        self.client.get(f"/v1/events/{event}")
        self.advance("2d")
        self.daemon.syndctl("compact")
        with self.assertRaises(harness.Refused) as refusal:
            self.client.get(f"/v1/events/{event}")
        self.assertEqual(refusal.exception.status, 410)

    def test_a_kill_on_the_way_keeps_the_time(self):
        unpaid = self.shop.subscription(paid=False)
        deadline = instant(unpaid["created_at"]) + FIRST_PAYMENT
        harness.wait_until(lambda: harness.drained(self.client), 30, "an empty queue")
        self.status = None  # the walk waits for the vendor, which hangs
        walk = threading.Thread(target=self.daemon.syndctl, args=("clock", "--advance", "365d"),
                                kwargs={"check": False})
        walk.start()
        harness.wait_until(lambda: self.now() >= deadline, 30, "the first timer")
        seen = self.daemon.admin().get("/admin/clock")
        self.assertIsNotNone(seen["moving_to"])
        self.daemon.kill()
        walk.join(30)
        self.assertFalse(walk.is_alive())
        self.status = 204
        self.daemon.start()
        self.assertGreaterEqual(self.now(), instant(seen["now"]))
        self.assertLess(self.now(), instant(seen["moving_to"]))
        there = self.advance("365d")
        self.assertGreater(instant(there["now"]), instant(seen["moving_to"]))
        self.assertEqual([event["name"] for event in self.events(unpaid["id"])[-2:]],
                         ["subscription.payment_expired", "subscription.purged"])

    def test_a_moved_store_does_not_open_in_real_time(self):
        moved = self.advance("1d")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.configure({"testing": {"simulated_time": False}})
        self.daemon.launch()
        self.assertEqual(self.daemon.wait_exit(), 78)
        self.daemon.configure({"testing": {"simulated_time": True}})
        self.daemon.start()
        self.assertEqual(self.daemon.admin().get("/admin/clock")["ahead_ms"], moved["ahead_ms"])

    def test_what_cannot_be_is_refused(self):
        admin = self.daemon.admin()
        for body in ({}, {"advance_s": 0}, {"advance_s": 60, "to": "2099-01-01T00:00:00Z"},
                     {"to": "2001-01-01T00:00:00Z"}, {"to": "9999-01-01T00:00:00Z"},
                     {"advance_s": 60, "back": True}):
            with self.assertRaises(harness.Refused) as refusal:
                admin.post("/admin/clock", body)
            self.assertEqual(refusal.exception.status, 422, body)
        for arguments in (["--advance", "yesterday"], ["--jump"],
                          ["--advance", "1d", "--to", "2099-01-01T00:00:00Z"]):
            done = self.daemon.syndctl("clock", *arguments, check=False)
            self.assertEqual(done.returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
