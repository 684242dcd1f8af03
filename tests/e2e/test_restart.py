"""A crash with 100,000 pending lanes, held back by pauses or by vendors that cannot be reached:
soon ready again, every count the same to the last one, and what was kept is sent."""
import concurrent.futures
import socket
import time
import unittest

import harness

ENDPOINTS = 20
SUBSCRIPTIONS = 5_000
READY_S = 5.0


class Restart(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)

    def start(self):
        """Seconds from the launch to the first answer that it is ready."""
        begun = time.monotonic()
        self.daemon.start()
        return time.monotonic() - begun

    def fill(self, client, url, pause, **settings):
        """Endpoints, and a lane of each subscription to each of them."""
        shop = harness.Shop(client)
        endpoints = [shop.endpoint(f"{url}/{number}", **settings)["id"]
                     for number in range(ENDPOINTS)]
        for endpoint in endpoints if pause else []:
            client.post(f"/v1/endpoints/{endpoint}/pause")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: shop.subscription(), range(SUBSCRIPTIONS)))
        return endpoints

    def test_lanes_of_unreachable_vendors_are_all_there_after_a_kill(self):
        self.start()
        with socket.socket() as closed:  # bound, but nobody listens: refused at once
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            client = self.daemon.client()
            endpoints = self.fill(client, url, pause=False, retry_schedule=[0, 3600])
            before = harness.counters(client)
            self.daemon.kill()
            took = self.start()
        client = self.daemon.client()
        after = harness.counters(client)
        self.assertEqual(before["accepted"], ENDPOINTS * SUBSCRIPTIONS)
        self.assertEqual(after["accepted"], before["accepted"])
        self.assertEqual(after["pending"] + after["parked"], before["accepted"])
        self.assertLess(took, READY_S)
        lanes = list(client.all(f"/v1/endpoints/{endpoints[0]}/lanes"))
        self.assertEqual(len({lane["stream"] for lane in lanes}), SUBSCRIPTIONS)

    def test_counts_are_the_same_after_a_kill_and_after_a_stop(self):
        self.start()
        client = self.daemon.client()
        endpoints = self.fill(client, self.sink.url, pause=True)
        before = harness.counters(client)
        self.assertEqual(before["accepted"], ENDPOINTS * SUBSCRIPTIONS)
        self.assertEqual(before["pending"], ENDPOINTS * SUBSCRIPTIONS)

        self.daemon.kill()
        after_kill = self.start()
        print(f"ready {after_kill:.2f} s after a kill, {before['pending']} pending", flush=True)
        client = self.daemon.client()
        self.assertEqual(harness.counters(client), before)

        self.assertEqual(self.daemon.stop(), 0)
        after_stop = self.start()
        print(f"ready {after_stop:.2f} s after a stop", flush=True)
        client = self.daemon.client()
        self.assertEqual(harness.counters(client), before)
        self.assertEqual(self.sink.snapshot(), [])
        self.assertLess(after_kill, READY_S)
        self.assertLess(after_stop, READY_S)

        client.post(f"/v1/endpoints/{endpoints[7]}/resume")
        harness.wait_until(
            lambda: before["pending"] - harness.counters(client)["pending"] == SUBSCRIPTIONS,
            60, "the backlog of one endpoint")
        arrivals = self.sink.snapshot()
        self.assertEqual({arrival.path for arrival in arrivals}, {"/7"})
        self.assertEqual(len({arrival.entity_id for arrival in arrivals}), SUBSCRIPTIONS)
        self.assertEqual({arrival.seq for arrival in arrivals}, {1})


if __name__ == "__main__":
    unittest.main()
