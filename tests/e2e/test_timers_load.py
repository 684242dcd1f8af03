"""Two thousand subscriptions have to be renewed at once, twice each: in order, in bounded memory,
and the API answers meanwhile."""
import threading
import unittest

import crowd
import harness

SUBSCRIPTIONS = 2000
AWAY_S = 63 * 86_400  # two ends of a month, wherever one starts; never three
GROWTH_MAX_MIB = 256  # far more than it is, far less than all of them and their work would be


class TimersLoad(harness.SimulatedTime):
    def test_all_are_renewed_twice_and_in_order(self):
        daemon, client = self.daemon, self.client
        sink = self.new_sink()
        shop = harness.Shop(client)
        shop.endpoint(sink.url + "/hook", events=["subscription.*"])
        numbers = crowd.deployed(daemon, shop, [shop.tenant["id"]] * SUBSCRIPTIONS)
        crowd.wait_calm(daemon, client)
        before = crowd.peak_mib(daemon)
        admin = harness.AdminClient(daemon.socket, 300)
        jump = threading.Thread(target=lambda: admin.post(
            "/admin/clock", {"advance_s": AWAY_S, "jump": True}))
        jump.start()
        with crowd.asking(client, numbers) as asked:
            harness.wait_until(lambda: len(sink.snapshot()) >= 4 * SUBSCRIPTIONS, 240,
                               "all are renewed twice")
        jump.join()
        crowd.wait_calm(daemon, client)
        crowd.assert_well(self, asked)
        self.assertLess(crowd.peak_mib(daemon) - before, GROWTH_MAX_MIB)
        life = ["subscription.created", "subscription.activated", "subscription.renewed",
                "subscription.renewed"]
        told = crowd.streams(sink)
        self.assertEqual(set(told), set(numbers))
        for number in numbers:
            self.assertEqual(told[number], list(enumerate(life, 1)), number)
        one = client.get(f"/v1/subscriptions/{numbers[-1]}")
        self.assertEqual((one["status"], one["version"]), ("DEPLOYED", 4))


if __name__ == "__main__":
    unittest.main()
