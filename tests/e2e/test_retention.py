"""Old events and attempts go, the space returns, and nothing goes that somebody waits for."""
import http.client
import json
import random
import threading
import time
import unittest

import harness

STREAMS = 4
KILLS = 12


def publish(client, stream, number):
    return client.post("/v1/events", {"name": "shop.sold", "stream": stream, "data": {
        "stream": stream, "number": number, "filler": f"{random.getrandbits(2400):x}"}})["id"]


class Ages(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon({"retention": {"events": "1s", "attempts": "1s"}})
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.gate = {"status": 413}
        self.good, self.bad = harness.Sink(), harness.Sink(lambda arrival: self.gate["status"])
        self.addCleanup(self.good.close)
        self.addCleanup(self.bad.close)
        self.endpoints = [self.client.post("/v1/endpoints", {
            "scope": "platform", "url": sink.url + "/hook", "form": "standard",
            "events": [pattern]})["id"]
            for sink, pattern in ((self.good, "shop.sold"), (self.bad, "shop.lost"))]

    def compact(self):
        return json.loads(self.daemon.syndctl("--json", "compact").stdout)

    def numbers(self, name):
        return [event["id"] for event in self.client.all(f"/v1/events?name={name}")]

    def gone_after(self, name, left):
        """Compacts until the second is over."""
        def look():
            self.compact()
            return len(self.numbers(name)) == left
        harness.wait_until(look, 30, f"{left} of {name}")

    def test_delivered_events_go_and_parked_ones_stay(self):
        sold = [publish(self.client, "s", n) for n in range(300)]
        lost = self.client.post("/v1/events", {"name": "shop.lost", "data": {}})["id"]
        settled = harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        self.assertEqual(settled["parked"], 1)
        self.gone_after("shop.sold", 0)
        attempts = f"/v1/endpoints/{self.endpoints[0]}/attempts"
        harness.wait_until(lambda: self.compact() and not list(self.client.all(attempts)), 30,
                           "attempts, which are younger than their events, are gone")
        self.assertEqual(self.numbers("shop.lost"), [lost])
        shown = self.client.get(f"/v1/events/{lost}")
        self.assertEqual(shown["deliveries"][0]["state"], "parked")
        self.assertEqual(len(self.client.get(f"/v1/events/{lost}/attempts")["items"]), 3)
        for path, method in ((f"/v1/events/{sold[0]}", "GET"),
                             (f"/v1/events/{sold[0]}/replay", "POST")):
            with self.assertRaises(harness.Refused) as refusal:
                self.client.call(method, path, {} if method == "POST" else None)
            self.assertEqual(refusal.exception.status, 410)
        self.assertEqual(harness.counters(self.client), settled)
        self.gate["status"] = 204
        self.client.post(f"/v1/events/{lost}/replay", {})
        after = harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        self.assertEqual((after["delivered"], after["parked"]), (settled["delivered"] + 1, 0))
        self.gone_after("shop.lost", 0)
        status = json.loads(self.daemon.syndctl("--json", "status").stdout)
        self.assertGreaterEqual(status["retention"]["events_dropped"], 301)
        self.assertLess(status["store_families"]["events"], 100_000)
        self.assertIn('syndicated_retention_dropped_total{kind="event"}',
                      self.client.raw("GET", "/metrics")[2].decode())
        again = publish(self.client, "s", 300)
        self.assertEqual(self.client.get(f"/v1/events/{again}")["seq"], 301)


class Publisher(threading.Thread):
    """One stream; what was answered, and where the answer was lost, is its ledger."""

    def __init__(self, daemon, token, stream, stop):
        super().__init__(daemon=True)
        self.client = harness.Client(daemon.api, token, timeout=5)
        self.stream, self.stop_asked = stream, stop
        self.accepted = []
        self.problem = None

    def run(self):
        number = 0
        while not self.stop_asked.is_set():
            try:
                self.client.post("/v1/events", {
                    "name": "shop.sold", "stream": self.stream,
                    "dedup_id": f"{self.stream}{number}",
                    "data": {"stream": self.stream, "number": number, "filler": "x" * 300}})
                self.accepted.append(number)
                number += 1
            except harness.Refused as why:
                if why.status != 503:
                    self.problem = why
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)  # the daemon was killed: the same one again


class Kills(unittest.TestCase):
    def test_nothing_is_lost_when_it_dies_while_it_drops(self):
        # Everything is behind the horizon at once, so that each round looks at what is under way.
        daemon = harness.Daemon({"retention": {"events_max": 1, "attempts_max": 1}})
        self.addCleanup(daemon.cleanup)
        daemon.start()
        client = daemon.client()
        sink = harness.Sink(lambda arrival: 404 if random.random() < 0.02 else 204)
        self.addCleanup(sink.close)
        client.post("/v1/endpoints", {"scope": "platform", "url": sink.url + "/hook",
                                      "form": "standard", "events": ["shop.*"]})
        stop = threading.Event()
        self.addCleanup(stop.set)
        publishers = [Publisher(daemon, client.token, f"s{n}", stop) for n in range(STREAMS)]
        for publisher in publishers:
            publisher.start()
        for _ in range(KILLS):
            before = sum(len(one.accepted) for one in publishers)
            harness.wait_until(lambda before=before:
                               sum(len(one.accepted) for one in publishers) > before + 100
                               or any(one.problem for one in publishers), 30, "accepted events")
            compaction = threading.Thread(target=daemon.syndctl, args=("compact",),
                                          kwargs={"check": False})
            compaction.start()
            compaction.join(random.uniform(0, 0.3))
            daemon.kill()
            compaction.join()
            daemon.start()
        stop.set()
        for publisher in publishers:
            publisher.join()
            self.assertIsNone(publisher.problem)
        client = daemon.client()
        end = harness.wait_until(lambda: harness.drained(client), 60, "empty queues")
        daemon.syndctl("compact")
        self.assertEqual(end["accepted"], end["delivered"])
        self.assertGreater(end["delivered"], KILLS * 100)
        delivered = {}
        for arrival in sink.snapshot():
            data = arrival.json["data"]
            delivered.setdefault(data["stream"], []).append(data["number"])
        for publisher in publishers:
            seen = delivered[publisher.stream]
            self.assertEqual(set(publisher.accepted) - set(seen), set(), publisher.stream)
            firsts = list(dict.fromkeys(seen))
            self.assertEqual(firsts, sorted(firsts), "in order")
        self.assertEqual(list(client.all("/v1/events?name=shop.*")), [])
        self.assertNotIn("cannot be read", daemon.log())


if __name__ == "__main__":
    unittest.main()
