"""One vendor hangs, one answers 500, one is healthy: the healthy one does not notice."""
import statistics
import time
import unittest

import harness

EVENTS = 60


class Isolation(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon({"delivery": {"attempt_timeout_ms": 2000}})
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)
        self.healthy = harness.Sink()
        self.addCleanup(self.healthy.close)
        self.shop.endpoint(self.healthy.url + "/healthy")

    def delays(self):
        """Seconds from a call's answer to its arrival at the healthy vendor."""
        answered = {}
        for _ in range(EVENTS):
            number = self.shop.subscription()["id"]
            answered[number] = time.monotonic()
            time.sleep(0.02)
        harness.wait_until(
            lambda: set(answered) <= {a.entity_id for a in self.healthy.snapshot()}, 30,
            "the healthy vendor has everything")
        first = {}
        for arrival in self.healthy.snapshot():
            first.setdefault(arrival.entity_id, arrival.at)
        return [max(0.0, first[number] - at) for number, at in answered.items()]

    def test_the_healthy_vendor_keeps_its_delay(self):
        before = self.delays()
        hanging = harness.Sink(lambda arrival: None)
        self.addCleanup(hanging.close)
        failing = harness.Sink(lambda arrival: 500)
        self.addCleanup(failing.close)
        self.shop.endpoint(hanging.url + "/hanging")
        self.shop.endpoint(failing.url + "/failing")
        during = self.delays()
        self.assertTrue(hanging.snapshot(), "the hanging vendor was never asked")
        self.assertTrue(failing.snapshot(), "the failing vendor was never asked")
        # A busy machine moves both alike; an attempt that waits for the others costs two seconds.
        allowed = max(10 * statistics.median(before), 0.25)
        self.assertLess(statistics.median(during), allowed)
        self.assertLess(sorted(during)[int(len(during) * 0.95)], 1.5)


if __name__ == "__main__":
    unittest.main()
