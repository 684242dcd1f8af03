"""Sending again: jobs through a crash, single events, and what is parked, asked of real vendors."""
import collections
import datetime
import json
import threading
import time
import unittest

import harness

IN_FLIGHT_MAX = 64  # of one endpoint


class Replay(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)

    def endpoint(self, path="/hook", **more):
        return self.client.post("/v1/endpoints", {
            "scope": "platform", "url": self.sink.url + path, "form": "standard",
            "events": ["shop.*"], **more})["id"]

    def publish(self, count, name="shop.sold", stream=None):
        lines = [{"name": name, "data": {"n": n}, **({"stream": stream} if stream else {})}
                 for n in range(count)]
        items = self.client.call("POST", "/v1/events", harness.ndjson(lines),
                                 harness.LINES)["items"]
        return [item["id"] for item in items]

    def drained(self):
        return harness.wait_until(lambda: harness.drained(self.client), 60, "empty queues")

    def event(self, number):
        return self.client.get(f"/v1/events/{number}")

    def job(self, number):
        return self.client.get(f"/v1/jobs/{number}")

    def start_job(self, endpoint, **order):
        return self.client.post(f"/v1/endpoints/{endpoint}/replay",
                                {"since": "2020-01-01T00:00:00Z", **order})["id"]

    def ended(self, number):
        return harness.wait_until(
            lambda: [j for j in [self.job(number)] if j["phase"] != "running"], 60,
            f"job {number} ends")[0]

    def arrived(self, path="/hook"):
        """How often each event came."""
        return collections.Counter(a.event for a in self.sink.on(path))


class Jobs(Replay):
    def test_a_killed_job_goes_on_and_hands_out_each_event_once(self):
        endpoint = self.endpoint()
        events = self.publish(600)
        self.assertEqual(self.drained()["delivered"], 600)
        number = self.start_job(endpoint, rate_per_s=150)
        shown = harness.wait_until(
            lambda: [j for j in [self.job(number)] if j["replayed"] > 0], 30, "progress")[0]
        self.daemon.kill()
        self.assertEqual((shown["phase"], shown["ended_at"]), ("running", None))
        self.assertLess(shown["replayed"], 600, "killed in the middle")
        self.assertLessEqual(shown["replayed"], shown["matched"])
        self.daemon.start()
        done = self.ended(number)
        self.assertEqual((done["phase"], done["problem"]), ("done", ""))
        self.assertEqual((done["matched"], done["replayed"]), (600, 600))
        self.assertGreaterEqual(done["examined"], 600)
        # Accepted again is each of them once, whatever was under way when it died.
        after = self.drained()
        self.assertEqual((after["accepted"], after["delivered"]), (1200, 1200))
        times = self.arrived()
        self.assertEqual(set(times), set(events))
        self.assertEqual({n for n in times.values()} - {2, 3}, set())
        self.assertLessEqual(sum(times.values()), 1200 + IN_FLIGHT_MAX)
        same = {}
        for arrival in self.sink.snapshot():
            self.assertEqual(same.setdefault(arrival.event, arrival.sha), arrival.sha)
        listed = json.loads(self.daemon.syndctl("--json", "job", "ls").stdout)["items"]
        self.assertEqual([(j["id"], j["phase"]) for j in listed], [(number, "done")])

    def test_a_cancelled_job_stops(self):
        endpoint = self.endpoint()
        self.publish(300)
        self.drained()
        number = self.start_job(endpoint, rate_per_s=10)
        harness.wait_until(lambda: self.job(number)["replayed"] >= 10, 30, "progress")
        cancelled = self.client.post(f"/v1/jobs/{number}/cancel")
        self.assertEqual(cancelled["phase"], "cancelled")
        self.assertIsNotNone(cancelled["ended_at"])
        self.assertLess(cancelled["replayed"], 300)
        # What it has handed out stays so; a page is ten events at this rate.
        again = self.drained()["accepted"] - 300
        self.assertGreaterEqual(again, cancelled["replayed"])
        self.assertLessEqual(again, cancelled["replayed"] + 10)
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.job(number)["phase"], "cancelled")
        # A job that has not stopped would be at its next page before this one is through.
        [last] = self.publish(1)
        self.assertEqual(self.drained()["accepted"], 300 + again + 1)
        self.assertEqual(self.arrived()[last], 1)
        self.assertIn("cancelled", self.daemon.syndctl("job", "cancel", str(number)).stdout)

    def test_a_dry_run_counts_and_sends_nothing(self):
        before = self.publish(5, "shop.early")
        endpoint = self.endpoint(retry_schedule=[0], on_exhausted="skip")
        self.sink.answer = lambda arrival: 404 if arrival.json["type"] == "shop.lost" else 204
        first = self.publish(20)
        until = self.event(first[-1])["at"]
        harness.wait_until(lambda: time.time() > seconds(until) + 0.001, 10, "a later time")
        lost = self.publish(7, "shop.lost", stream="s")
        self.assertEqual(self.drained()["parked"], 7)
        came = len(self.sink.snapshot())
        for state, matched in (("sent", 27), ("delivered", 20), ("parked", 7), ("failed", 7),
                               ("never_attempted", 5)):
            done = self.ended(self.start_job(endpoint, state=state, dry_run=True))
            self.assertEqual((done["matched"], done["replayed"]), (matched, 0), state)
        ranged = self.ended(self.start_job(endpoint, until=until, dry_run=True))
        self.assertEqual(ranged["matched"], 20)
        ranged = self.ended(self.start_job(endpoint, since=self.event(lost[0])["at"], dry_run=True))
        self.assertEqual(ranged["matched"], 7)
        self.assertEqual(len(self.sink.snapshot()), came)
        # The same choice without the flag sends just these.
        self.sink.answer = lambda arrival: 204
        done = self.ended(self.start_job(endpoint, state="parked"))
        self.assertEqual((done["matched"], done["replayed"]), (7, 7))
        self.assertEqual(self.drained()["parked"], 0)
        done = self.ended(self.start_job(endpoint, state="never_attempted"))
        self.assertEqual(done["replayed"], 5)
        self.drained()
        times = self.arrived()
        self.assertEqual({times[n] for n in first}, {1})
        self.assertEqual({times[n] for n in lost}, {2})
        self.assertEqual({times[n] for n in before}, {1})


class OneEvent(Replay):
    def test_it_comes_again_with_its_id_and_bytes(self):
        chosen, other = self.endpoint("/chosen"), self.endpoint("/other")
        event, bystander = self.publish(2)
        self.drained()
        self.client.post(f"/v1/events/{event}/replay", {"endpoint_id": chosen})
        harness.wait_until(lambda: len(self.sink.on("/chosen")) == 3, 10, "the chosen one")
        self.client.post(f"/v1/events/{event}/replay")
        harness.wait_until(lambda: self.arrived("/chosen")[event] == 3
                           and self.arrived("/other")[event] == 2, 10, "both")
        self.assertEqual(self.drained()["accepted"], 4 + 3)
        self.assertEqual(self.arrived("/chosen")[bystander], 1)
        copies = [a for a in self.sink.snapshot() if a.event == event]
        self.assertEqual(len({a.body for a in copies}), 1)
        self.assertEqual(len({a.headers["webhook-id"] for a in copies}), 1)
        shown = {d["endpoint_id"]: d["state"] for d in self.event(event)["deliveries"]}
        self.assertEqual(shown, {chosen: "delivered", other: "delivered"})
        with self.assertRaises(harness.Refused) as refusal:
            self.client.post("/v1/events/999999999/replay")
        self.assertEqual(refusal.exception.status, 404)


class Parked(Replay):
    """Three streams of two events; the heads are refused and parked."""

    def setUp(self):
        super().setUp()
        self.open = threading.Event()
        self.sink.answer = lambda arrival: (
            204 if self.open.is_set() else (404, {}, "no such account"))
        self.endpoint_id = self.endpoint(retry_schedule=[0])
        self.heads, self.tails = {}, {}
        for stream in "abc":
            self.heads[stream], self.tails[stream] = self.publish(2, stream=stream)
        self.parked = harness.wait_until(self.three_parked, 20, "three are parked")
        self.open.set()

    def three_parked(self):
        lanes = self.client.get(f"/v1/endpoints/{self.endpoint_id}/lanes?state=parked")["items"]
        return lanes if len(lanes) == 3 else None

    def lane_of(self, stream):
        return next(lane for lane in self.parked if lane["event_id"] == self.heads[stream])

    def counters(self):
        return self.daemon.admin().get(f"/admin/queue/{self.endpoint_id}")["counters"]

    def audited(self):
        """What callers of the API asked for and left a line."""
        whole = self.daemon.log().rpartition("\n")[0]
        lines = [json.loads(line) for line in whole.splitlines()]
        return [(line["by"], line["method"], line["path"], line["status"]) for line in lines
                if line["message"] == "change asked for" and line["component"] == "api"]

    def test_why_is_shown(self):
        for lane in self.parked:
            self.assertEqual((lane["last_error"], lane["last_status"]), ("exhausted", 404))
            self.assertEqual((lane["backlog"], lane["attempts"]), (2, 1))
        shown = self.daemon.syndctl("queue", "show", str(self.endpoint_id)).stdout
        self.assertEqual(shown.count("exhausted"), 3, shown)
        head = self.heads["a"]
        event = json.loads(self.daemon.syndctl("--json", "event", "show", str(head)).stdout)
        [attempt] = event["attempts"]["items"]
        self.assertEqual((attempt["outcome"], attempt["error"], attempt["ended"]),
                         ("failure", "http_404", "parked"))
        self.assertEqual(attempt["excerpt"], "no such account")
        self.assertEqual(event["event"]["deliveries"][0]["state"], "parked")
        listed = self.client.get(
            f"/v1/endpoints/{self.endpoint_id}/attempts?outcome=parked")["items"]
        self.assertEqual({a["event_id"] for a in listed}, set(self.heads.values()))

    def test_replayed_discarded_and_counted(self):
        self.assertEqual(self.counters() | {"attempts": 0}, {
            "accepted": 6, "delivered": 0, "parked": 3, "cancelled": 0, "pending": 3,
            "attempts": 0})
        self.client.post(f"/v1/events/{self.heads['a']}/replay", {"endpoint_id": self.endpoint_id})
        # By its stream on the admin socket, and by its number with a token.
        self.daemon.syndctl("queue", "discard", str(self.endpoint_id), self.lane_of("b")["stream"])
        self.client.post(f"/v1/events/{self.heads['c']}/discard", {"endpoint_id": self.endpoint_id})
        after = self.drained()
        self.assertEqual(self.counters(), {"accepted": 6, "delivered": 4, "parked": 0,
                                           "cancelled": 2, "pending": 0, "attempts": 3 + 4})
        self.assertEqual((after["parked"], after["cancelled"]), (0, 2))
        times = self.arrived()
        self.assertEqual([times[self.heads[s]] for s in "abc"], [2, 1, 1])
        self.assertEqual([times[self.tails[s]] for s in "abc"], [1, 1, 1])
        # The stream went on behind what was replayed, not before.
        came = [a.event for a in self.sink.snapshot()]
        self.assertLess(came.index(self.heads["a"], came.index(self.heads["a"]) + 1),
                        came.index(self.tails["a"]))
        for stream, state in (("a", "delivered"), ("b", "cancelled"), ("c", "cancelled")):
            event = self.event(self.heads[stream])
            self.assertEqual([d["state"] for d in event["deliveries"]], [state], stream)
        self.assertEqual(list(self.client.all(f"/v1/endpoints/{self.endpoint_id}/lanes")), [])
        again = self.daemon.syndctl("event", "discard", str(self.heads["c"]), "--endpoint",
                                    str(self.endpoint_id), check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("404", again.stderr)

    def test_who_ended_them_is_kept_and_told(self):
        token = self.client.token.split("_")[1]
        self.client.post(f"/v1/events/{self.heads['a']}/discard", {"endpoint_id": self.endpoint_id})
        self.client.post(f"/v1/endpoints/{self.endpoint_id}/lanes/discard",
                         {"stream": self.lane_of("b")["stream"]})
        self.daemon.syndctl("event", "discard", str(self.heads["c"]), "--endpoint",
                            str(self.endpoint_id))
        self.drained()
        for stream, who in (("a", f"token/{token}"), ("b", f"token/{token}"),
                            ("c", "admin-socket")):
            path = f"/v1/events/{self.heads[stream]}/attempts"
            refused, discarded = self.client.get(path)["items"]
            self.assertEqual(refused["cause"], "")
            self.assertEqual((discarded["error"], discarded["ended"], discarded["cause"]),
                             ("discarded", "cancelled", f"{who} (operator)"))
        self.client.call("DELETE", f"/v1/endpoints/{self.endpoint_id}")
        asked = harness.wait_until(
            lambda: [a for a in [self.audited()] if len(a) >= 3], 10, "three lines in the log")[0]
        self.assertEqual(asked, [
            (f"token/{token}", "POST", f"/v1/events/{self.heads['a']}/discard", 202),
            (f"token/{token}", "POST", f"/v1/endpoints/{self.endpoint_id}/lanes/discard", 202),
            (f"token/{token}", "DELETE", f"/v1/endpoints/{self.endpoint_id}", 204)])

    def test_a_restart_keeps_them(self):
        self.daemon.kill()
        self.daemon.start()
        self.parked = harness.wait_until(self.three_parked, 20, "still parked")
        self.assertEqual(len(self.sink.snapshot()), 3)
        done = self.ended(self.start_job(self.endpoint_id, state="parked"))
        self.assertEqual((done["matched"], done["replayed"]), (3, 3))
        self.drained()
        self.assertEqual(self.counters()["delivered"], 6)


class PassedOver(Replay):
    def test_what_a_stream_left_behind_is_replayed_or_discarded(self):
        self.sink.answer = lambda arrival: 404 if arrival.json["data"]["n"] < 2 else 204
        endpoint = self.endpoint(retry_schedule=[0], on_exhausted="skip")
        first, second, third = self.publish(3, stream="s")
        end = self.drained()
        self.assertEqual((end["parked"], end["delivered"]), (2, 1))
        self.assertEqual(list(self.client.all(f"/v1/endpoints/{endpoint}/lanes")), [])
        self.sink.answer = lambda arrival: 204
        self.client.post(f"/v1/events/{first}/replay")
        self.daemon.syndctl("event", "discard", str(second), "--endpoint", str(endpoint))
        harness.wait_until(lambda: self.arrived()[first] == 2, 10, "the replay")
        end = self.drained()
        self.assertEqual((end["accepted"], end["delivered"], end["parked"], end["cancelled"]),
                         (3, 2, 0, 1))
        self.assertEqual((self.arrived()[second], self.arrived()[third]), (1, 1))


def seconds(text):
    """Of a time as the API writes it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    unittest.main()
