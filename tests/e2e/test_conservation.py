"""The check at the end of every test: each kind of wrong must be seen, or it proves nothing."""
import unittest

import conservation
import harness


def counters(accepted=10, delivered=4, parked=2, cancelled=1, pending=3, attempts=9):
    return {"accepted": accepted, "delivered": delivered, "parked": parked,
            "cancelled": cancelled, "pending": pending, "attempts": attempts}


def account(endpoint=1, waits=3, parks=2, attempts_delivered=4, **shown):
    return conservation.Account(endpoint, counters(**shown), waits, parks, attempts_delivered)


class Doctored(unittest.TestCase):
    def seen(self, total, *accounts, **more):
        return " ".join(conservation.problems(total, accounts, **more))

    def test_good_figures_pass(self):
        self.assertEqual(self.seen(counters(), account()), "")
        self.assertEqual(self.seen(counters(20, 8, 4, 2, 6), account(1), account(2)), "")

    def test_an_event_that_vanished_from_its_lane_is_seen(self):
        self.assertIn("3 pending, its lanes hold 2", self.seen(counters(), account(waits=2)))

    def test_an_event_that_was_not_counted_is_seen(self):
        self.assertIn("3 pending, its lanes hold 4", self.seen(counters(), account(waits=4)))

    def test_a_delivery_counted_twice_is_seen(self):
        shown = {"delivered": 5, "pending": 2}
        self.assertIn("2 pending", self.seen(counters(**shown), account(**shown)))
        self.assertIn("5 delivered", self.seen(counters(**shown), account(waits=2, **shown)))

    def test_a_delivery_that_was_not_counted_is_seen(self):
        self.assertIn("4 delivered", self.seen(counters(), account(attempts_delivered=5)))
        # Attempts that are gone by age or size prove nothing.
        fewer, more = account(attempts_delivered=3), account(attempts_delivered=5)
        self.assertEqual(self.seen(counters(), fewer, attempts_complete=False), "")
        self.assertIn("4 delivered", self.seen(counters(), more, attempts_complete=False))

    def test_a_parked_event_that_was_not_counted_is_seen(self):
        self.assertIn("2 parked", self.seen(counters(), account(parks=3)))

    def test_what_a_deleted_endpoint_leaves_behind_is_seen(self):
        self.assertIn("all: 4 pending", self.seen(counters(accepted=11, pending=4), account()))

    def test_totals_below_their_parts_are_seen(self):
        self.assertIn("the endpoints have 8", self.seen(counters(17, 7, 4, 2, 4), account(1),
                                                        account(2)))

    def test_counters_that_do_not_add_up_are_seen(self):
        self.assertIn("all:", self.seen(counters(accepted=9), account()))
        self.assertIn("endpoint 1:", self.seen(counters(), account(cancelled=2)))
        wrapped = {"delivered": 20, "pending": -13}
        self.assertIn("does not add up", self.seen(counters(**wrapped), account(**wrapped)))


class Real(unittest.TestCase):
    def test_every_counter_of_a_real_daemon_is_checked(self):
        """One of each: delivered, retried, parked, skipped, cancelled, waiting, replayed."""
        daemon = harness.Daemon({"delivery": {"breaker_open": "0s"}})
        self.addCleanup(daemon.cleanup)
        daemon.start()
        client = daemon.client("marketplace")
        sink = harness.Sink(lambda arrival: int(arrival.path.split("/")[1]))
        self.addCleanup(sink.close)
        made = {}
        for name, path, more in (
                ("well", "/204", {}), ("waits", "/500", {"retry_schedule": [0, 3600]}),
                ("parks", "/500", {"retry_schedule": [0]}), ("deleted", "/500", {}),
                ("skips", "/500", {"retry_schedule": [0], "on_exhausted": "skip"}),
                ("gone", "/410", {})):
            made[name] = client.post("/v1/endpoints", {
                "scope": "platform", "url": sink.url + path, "form": "standard",
                "events": ["shop.*"], **more})["id"]
        lines = [{"name": "shop.step", "stream": f"s{n % 2}", "data": {"n": n}} for n in range(6)]
        items = client.call("POST", "/v1/events", harness.ndjson(lines), harness.LINES)["items"]
        admin = daemon.admin()
        client.call("DELETE", f"/v1/endpoints/{made['deleted']}")

        def figures():
            found = {name: admin.get(f"/admin/queue/{one}")["counters"]
                     for name, one in made.items() if name != "deleted"}
            settled = (found["well"]["delivered"], found["waits"]["attempts"],
                       found["parks"]["parked"], found["skips"]["parked"], found["gone"]["parked"])
            return found if settled == (6, 2, 2, 6, 2) else None
        harness.wait_until(figures, 20, "everything came to its end")
        client.post(f"/v1/events/{items[0]['id']}/replay", {"endpoint_id": made["well"]})
        harness.wait_until(lambda: len(sink.on("/204")) == 7, 10, "the replay")
        total = conservation.check(admin)
        self.assertEqual(total["cancelled"], 6)
        self.assertEqual(total["accepted"], 6 * 6 + 1)
        self.assertEqual((total["delivered"], total["parked"], total["pending"]), (7, 10, 14))
        # The same figures with one of them doctored are refused.
        _, accounts = conservation.read_at_rest(admin)
        for index, one in enumerate(accounts):
            for field in ("waiting", "delivered"):
                doctored = list(accounts)
                doctored[index] = one._replace(**{field: getattr(one, field) + 1})
                self.assertTrue(conservation.problems(total, doctored), (one, field))

    def test_a_killed_daemon_is_asked_too(self):
        daemon = harness.Daemon()
        daemon.start()
        daemon.kill()
        asked = []
        real = conservation.check

        def check(admin, *rest):
            asked.append(daemon.ready())
            return real(admin, *rest)
        conservation.check = check
        self.addCleanup(setattr, conservation, "check", real)
        daemon.cleanup()
        self.assertEqual(asked, [True])
        self.assertFalse(daemon.directory.exists())


if __name__ == "__main__":
    unittest.main()
