"""An event that is in flight whenever the daemon dies is parked in the end; bystanders are not."""
import unittest

import harness


class Poison(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.token = self.daemon.token("operator")

    def client(self):
        return harness.Client(self.daemon.api, self.token)

    def test_two_kills_in_flight_quarantine_the_event(self):
        hanging = harness.Sink(lambda arrival: None)
        self.addCleanup(hanging.close)
        healthy = harness.Sink()
        self.addCleanup(healthy.close)
        shop = harness.Shop(self.client())
        poisoned = shop.endpoint(hanging.url + "/hanging")
        shop.endpoint(healthy.url + "/healthy")
        shop.subscription()
        for kill in (1, 2):
            harness.wait_until(lambda n=kill: len(hanging.snapshot()) == n, 30,
                               f"attempt {kill} is in flight")
            self.daemon.kill()
            self.daemon.start()
        path = f"/v1/endpoints/{poisoned['id']}/lanes"
        parked = harness.wait_until(
            lambda: [lane for lane in self.client().get(path)["items"]
                     if lane["state"] == "parked"], 30, "the event is parked")
        self.assertEqual(parked[0]["last_error"], "quarantined")
        self.assertEqual(len(hanging.snapshot()), 2)
        self.assertGreaterEqual(len(healthy.snapshot()), 1)
        events = harness.wait_until(
            lambda: self.client().get(
                f"/v1/events?entity=endpoint&entity_id={poisoned['id']}")["items"],
            10, "it is told")
        self.assertEqual(events[0]["name"], "delivery.exhausted")
        self.assertEqual(events[0]["data"]["reason"], "quarantined")
        # Told, it can be sent again.
        hanging.answer = lambda arrival: 204
        self.client().post(f"/v1/events/{events[0]['data']['event_id']}/replay")
        harness.wait_until(lambda: len(hanging.snapshot()) == 3, 30, "the replay")


if __name__ == "__main__":
    unittest.main()
