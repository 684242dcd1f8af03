"""Scenario 7: a reseller with many subscriptions is disabled and enabled again midway. In between
nobody has access, from the first instant; at the end all is as before, and one customer that was
disabled by itself stays so. Once more with a crash in the middle."""
import unittest

import crowd
import harness

LARGE = 2          # customers with many subscriptions, more than a page of the walk
IN_LARGE = 600
SMALL = 800        # customers with one


class Cascade(harness.SimulatedTime):
    def setUp(self):
        super().setUp()
        self.sink = self.new_sink()
        shop = harness.Shop(self.client)
        self.reseller = self.client.post("/v1/tenants", {
            "kind": "reseller", "parent_id": 1, "name": "Reseller"})["id"]
        customers = crowd.each(range(LARGE + SMALL), lambda n: self.client.post("/v1/tenants", {
            "kind": "customer", "parent_id": self.reseller, "name": f"Customer {n}"})["id"])
        large, small = customers[:LARGE], customers[LARGE:]
        self.alone = small[SMALL // 2]
        self.numbers = crowd.deployed(self.daemon, shop, large * IN_LARGE + small)
        shop.endpoint(self.sink.url + "/hook", events=["subscription.*"])
        self.switch(self.alone, "disable")
        crowd.wait_calm(self.daemon, self.client)
        self.before = self.states()
        self.assertEqual(sum(state[0] == "STOPPED" for state in self.before.values()), 1)

    def switch(self, tenant, action):
        return self.client.post(f"/v1/tenants/{tenant}/{action}")

    def states(self):
        return {one["id"]: (one["status"], one["suspension_reasons"], one["paid"],
                            one["period_end"], one["plan_id"])
                for one in self.client.all("/v1/subscriptions")}

    def stops(self):
        return sum(1 for a in self.sink.snapshot() if a.json["type"] == "subscription.suspended")

    def no_access(self, found):
        if found["access"]:
            raise AssertionError(f"subscription {found['id']} has access")

    def all_have_access_again(self):
        states = self.states()
        self.assertEqual(states, self.before)
        closed = [number for number in self.numbers
                  if not self.client.get(f"/v1/subscriptions/{number}")["access"]]
        self.assertEqual(len(closed), 1)
        self.assertEqual(self.client.get(f"/v1/subscriptions/{closed[0]}")["tenant_id"], self.alone)
        alone = self.client.get(f"/v1/tenants/{self.alone}")
        self.assertEqual(alone["status"], "DISABLED")

    def each_stop_was_taken_back(self):
        for number, told in crowd.streams(self.sink).items():
            self.assertEqual([seq for seq, _ in told], sorted({seq for seq, _ in told}), number)
            names = [name.split(".")[1] for _, name in told]
            turns = ["suspended", "resumed"] * len(names)
            self.assertEqual(names, turns[:len(names)], number)
            last = "suspended" if self.before[number][0] == "STOPPED" else "resumed"
            self.assertEqual(names[-1], last, number)

    def test_07_disabled_and_enabled_again_midway(self):
        before = crowd.peak_mib(self.daemon)
        self.switch(self.reseller, "disable")
        with crowd.asking(self.client, self.numbers, self.no_access) as asked:
            harness.wait_until(lambda: self.stops() > len(self.numbers) // 4, 120, "midway")
        self.switch(self.reseller, "enable")
        crowd.wait_calm(self.daemon, self.client)
        crowd.assert_well(self, asked)
        self.assertLess(crowd.peak_mib(self.daemon) - before, 256)
        self.all_have_access_again()
        self.each_stop_was_taken_back()

    def test_07_with_a_crash_in_the_middle(self):
        self.switch(self.reseller, "disable")
        harness.wait_until(lambda: self.stops() > len(self.numbers) // 4, 120, "midway")
        self.daemon.kill()
        self.daemon.start()
        for number in self.numbers[::50]:
            self.no_access(self.client.get(f"/v1/subscriptions/{number}"))
        crowd.wait_calm(self.daemon, self.client)
        self.assertEqual({state[0] for state in self.states().values()}, {"STOPPED"})
        self.switch(self.reseller, "enable")
        crowd.wait_calm(self.daemon, self.client)
        self.all_have_access_again()


if __name__ == "__main__":
    unittest.main()
