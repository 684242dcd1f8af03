"""Kill loop: SIGKILL at random moments under load, audited against ledgers kept outside."""
import http.client
import random
import secrets
import threading
import time
import unittest

import audit
import harness

KILLS = 30
WORKERS = 4
# One subscription's life: the call, and the one event that it must have.
LIFE = [
    ("create", "subscription.created"),
    ("deployed", "subscription.activated"),
    ("suspend", "subscription.suspended"),
    ("resume", "subscription.resumed"),
    ("cancel", "subscription.cancelled"),
    ("reinstate", "subscription.reinstated"),
    ("terminate", "subscription.deprovision_requested"),
    ("undeployed", "subscription.terminated"),
]


class Caller(threading.Thread):
    """Plays lives one after the other; its notes are the ledger of what was accepted."""

    def __init__(self, daemon, token, shop, stop):
        super().__init__(daemon=True)
        self.client = harness.Client(daemon.api, token, timeout=5)
        self.shop = shop
        self.stop_asked = stop
        self.accepted = {}  # subscription -> names of the events that must exist
        self.answers = []   # (method, path, body, key, answer) of some calls, to ask again
        self.unknown = 0
        self.problem = None

    def run(self):
        try:
            while not self.stop_asked.is_set():
                self.life()
        except Exception as why:  # noqa: BLE001 - shown by the test
            self.problem = why

    def call(self, method, path, body):
        """Asks with the same key until the answer is definite."""
        key = secrets.token_hex(12)
        limit = time.monotonic() + 60
        while True:
            try:
                answer = self.client.call(method, path, body, {"Idempotency-Key": key})
                if random.random() < 0.05:
                    self.answers.append((method, path, body, key, answer))
                return answer
            except harness.Refused as why:
                if why.status != 503 or time.monotonic() > limit:
                    raise
            except (OSError, http.client.HTTPException):
                self.unknown += 1
                if time.monotonic() > limit:
                    raise
            time.sleep(0.02)

    def life(self):
        wanted = {"tenant_id": self.shop.tenant["id"], "plan_id": self.shop.plan["id"],
                  "paid": True}
        number = self.call("POST", "/v1/subscriptions", wanted)["id"]
        names = self.accepted[number] = [LIFE[0][1]]
        for action, name in LIFE[1:]:
            if action in ("deployed", "undeployed"):
                self.call("PATCH", f"/api/subscription/{number}",
                          {"deploymentStatus": action.upper()})
            else:
                self.call("POST", f"/v1/subscriptions/{number}/{action}", {})
            names.append(name)
            if self.stop_asked.is_set():
                return


class KillLoop(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.token = self.daemon.token("operator")
        self.client = harness.Client(self.daemon.api, self.token)
        self.shop = harness.Shop(self.client)
        # A tenth of the notifications is refused once, so that retries are in flight as well.
        self.sink = harness.Sink(lambda arrival: 500 if random.random() < 0.1 else 204)
        self.addCleanup(self.sink.close)
        self.answered = {}
        plain = self.sink.answer

        def remember(arrival):
            status = plain(arrival)
            self.answered[id(arrival)] = status
            return status

        self.sink.answer = remember
        self.shop.endpoint(self.sink.url + "/cloudesire", "cloudesire")
        self.shop.endpoint(self.sink.url + "/standard", "standard")

    def entries(self):
        for arrival in self.sink.snapshot():
            yield audit.Entry(arrival.path.strip("/"), arrival.event, arrival.entity_id,
                              arrival.seq, arrival.sha, self.answered[id(arrival)] == 204, True)

    def test_nothing_accepted_is_lost_and_nothing_else_is_sent(self):
        stop = threading.Event()
        callers = [Caller(self.daemon, self.token, self.shop, stop) for _ in range(WORKERS)]
        for caller in callers:
            caller.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.05, 1.5))
            self.daemon.kill()
            self.daemon.start()
        stop.set()
        for caller in callers:
            caller.join(90)
            self.assertIsNone(caller.problem)
            self.assertFalse(caller.is_alive(), "a caller got no definite answer")

        accepted = {}
        for caller in callers:
            accepted |= caller.accepted
        counted = harness.wait_until(lambda: harness.drained(self.client), 120, "empty queues")
        self.assertGreater(len(accepted), KILLS)
        self.assertGreater(sum(caller.unknown for caller in callers), 0, "no kill hit a call")

        events = {number: list(self.client.all(
            f"/v1/events?entity=subscription&entity_id={number}")) for number in accepted}
        for number, names in accepted.items():
            self.assertEqual([event["name"] for event in events[number]], names)
        report = audit.audit(lambda number: events[number], list(self.entries()), accepted)
        self.assertTrue(report.clean(), "\n".join(report.problems))
        self.assertEqual(counted["parked"], 0)
        self.assertEqual(counted["accepted"], counted["delivered"])
        self.assertEqual(counted["delivered"], report.delivered)
        # Without a crash there are none; a crash may repeat what was in flight.
        self.assertLess(report.duplicates, KILLS * 64)

        for caller in callers:
            for method, path, body, key, answer in caller.answers:
                again = self.client.call(method, path, body, {"Idempotency-Key": key})
                self.assertEqual(again, answer, "the same key has the same answer")


class QuietRun(unittest.TestCase):
    def test_without_a_fault_there_is_no_duplicate(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        daemon.start()
        client = daemon.client()
        shop = harness.Shop(client)
        sink = harness.Sink()
        self.addCleanup(sink.close)
        shop.endpoint(sink.url + "/standard")
        numbers = [shop.subscription()["id"] for _ in range(50)]
        harness.wait_until(lambda: harness.drained(client), 30, "empty queues")
        arrivals = sink.snapshot()
        self.assertEqual(sorted(a.entity_id for a in arrivals), sorted(numbers))
        self.assertEqual(len({a.event for a in arrivals}), 50)


if __name__ == "__main__":
    unittest.main()
