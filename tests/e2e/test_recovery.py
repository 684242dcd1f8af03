"""A start after a crash, with a large backlog: soon ready, and nothing forgotten."""
import concurrent.futures
import socket
import time
import unittest

import harness

ENDPOINTS = 50
SUBSCRIPTIONS = 2_000
READY_S = 5.0


class Backlog(unittest.TestCase):
    def test_ready_in_time_with_100000_pending_lanes(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        daemon.start()
        client = daemon.client()
        shop = harness.Shop(client)
        with socket.socket() as closed:  # bound, but nobody listens: refused at once
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
            for number in range(ENDPOINTS):
                shop.endpoint(f"{url}{number}", retry_schedule=[0, 3600])
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda _: shop.subscription(), range(SUBSCRIPTIONS)))
            before = harness.counters(client)
            self.assertEqual(before["accepted"], ENDPOINTS * SUBSCRIPTIONS)
            daemon.kill()
            begun = time.monotonic()
            daemon.start()
            took = time.monotonic() - begun
        client = daemon.client()
        after = harness.counters(client)
        self.assertEqual(after["accepted"], before["accepted"])
        self.assertEqual(after["pending"] + after["parked"], before["accepted"])
        self.assertLess(took, READY_S)
        # One page of one endpoint's lanes, to see that they are what was accepted.
        endpoint = next(client.all("/v1/endpoints"))["id"]
        lanes = list(client.all(f"/v1/endpoints/{endpoint}/lanes"))
        self.assertEqual(len({lane["stream"] for lane in lanes}), SUBSCRIPTIONS)


if __name__ == "__main__":
    unittest.main()
