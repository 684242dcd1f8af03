"""What an endpoint may wish for, as a real vendor sees it; and data that fits no schema."""
import asyncio
import collections
import json
import unittest

import harness


class Settings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = harness.Daemon()
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client()

    def setUp(self):
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)

    def endpoint(self, path="/hook", **more):
        """Its own kind of events, so that the cases do not hear of each other."""
        self.kind = f"{self._testMethodName[5:]}.told"
        made = self.client.post("/v1/endpoints", {
            "scope": "platform", "url": self.sink.url + path, "form": "standard",
            "events": [self.kind], **more})["id"]
        # What is left of a case must not wait for its sink for ever.
        self.addCleanup(self.client.call, "DELETE", f"/v1/endpoints/{made}")
        return made

    def publish(self, *data, streams=()):
        lines = [{"name": self.kind, "data": d} for d in data]
        for line, stream in zip(lines, streams):
            line["stream"] = f"{self.kind}/{stream}"
        items = self.client.call("POST", "/v1/events", harness.ndjson(lines),
                                 harness.LINES)["items"]
        return [item["id"] for item in items]

    def came(self, path="/hook"):
        return [a.event for a in self.sink.on(path)]

    def wait_for(self, count, path="/hook", seconds=30):
        harness.wait_until(lambda: len(self.sink.on(path)) >= count, seconds,
                           f"{count} requests at {path}")

    def lanes(self, endpoint, state=""):
        return list(self.client.all(f"/v1/endpoints/{endpoint}/lanes{state}"))

    def wait_empty(self, *endpoints):
        harness.wait_until(lambda: not any(self.lanes(e) for e in endpoints), 30, "empty lanes")


class Rate(Settings):
    def test_requests_keep_to_the_rate(self):
        self.endpoint("/slow", rate_limit={"per_s": 10, "burst": 5})
        self.endpoint("/free")
        events = self.publish(*({"n": n} for n in range(25)))
        self.wait_for(25, "/slow")
        slow, free = self.sink.on("/slow"), self.sink.on("/free")
        self.assertEqual(sorted(self.came("/slow")), sorted(events))
        # Twenty beyond the burst take two seconds; half of that is far from none.
        self.assertGreater(slow[-1].at - slow[0].at, 1.0)
        self.assertEqual(len(free), 25)
        self.assertLess(max(a.at for a in free), slow[-1].at)

    def test_retries_count_as_well(self):
        seen = set()

        def answer(arrival):
            first = arrival.event not in seen
            seen.add(arrival.event)
            return 404 if first else 204
        self.sink.answer = answer
        endpoint = self.endpoint(rate_limit={"per_s": 10, "burst": 5}, retry_schedule=[0, 0, 0])
        self.publish(*({"n": n} for n in range(12)))
        self.wait_empty(endpoint)
        arrivals = self.sink.on("/hook")
        self.assertEqual(set(collections.Counter(self.came()).values()), {2})
        self.assertGreater(arrivals[-1].at - arrivals[0].at, 0.95)


class Crowd:
    """Answers when released, and counts how many requests are there at the same time."""

    def __init__(self):
        self.now = 0
        self.most = 0
        self.held = collections.Counter()  # by stream
        self.most_of_stream = 0
        self.until = 0  # holds everybody until so many are there together

    async def answer(self, arrival):
        stream = arrival.headers.get("webhook-stream", arrival.event)
        self.now += 1
        self.held[stream] += 1
        self.most = max(self.most, self.now)
        self.most_of_stream = max(self.most_of_stream, self.held[stream])
        while self.most < self.until:
            await asyncio.sleep(0.005)
        # Long enough for another one to come in, if the daemon would send it.
        await asyncio.sleep(0.02)
        self.now -= 1
        self.held[stream] -= 1
        return 204


class Ordering(Settings):
    STREAMS = [n % 4 for n in range(24)]

    def numbered(self):
        return self.publish(*({"n": n} for n in range(24)), streams=self.STREAMS)

    def warm(self, endpoint):
        """The daemon begins with one request at a time, and takes more from answer to answer."""
        self.publish(*({"warm": n} for n in range(40)))
        self.wait_empty(endpoint)

    def test_streams_go_side_by_side_and_each_in_order(self):
        endpoint = self.endpoint()
        self.warm(endpoint)
        crowd = Crowd()
        crowd.until = 2
        self.sink.answer = crowd.answer
        events = self.numbered()
        self.wait_empty(endpoint)
        self.assertGreaterEqual(crowd.most, 2)
        self.assertEqual(crowd.most_of_stream, 1)
        for stream in range(4):
            mine = [e for e, s in zip(events, self.STREAMS) if s == stream]
            self.assertEqual([e for e in self.came() if e in mine], mine)

    def test_one_line_for_the_whole_endpoint(self):
        endpoint = self.endpoint(ordering="endpoint")
        self.warm(endpoint)
        crowd = Crowd()
        refused = []

        async def answer(arrival):
            await crowd.answer(arrival)
            if arrival.json["data"].get("n") == 5 and len(refused) < 2:
                refused.append(arrival.event)
                return 404
            return 204
        self.sink.answer = answer
        before = len(self.came())
        # One call each: events of one call are as old as each other.
        events = [self.publish({"n": n}, streams=[stream])[0]
                  for n, stream in enumerate(self.STREAMS)]
        self.wait_empty(endpoint)
        self.assertEqual(crowd.most, 1)
        # The one that failed twice held up all the others, of whatever stream.
        self.assertEqual(self.came()[before:], events[:5] + [events[5]] * 3 + events[6:])

    def test_each_event_by_itself(self):
        endpoint = self.endpoint(ordering="none", retry_schedule=[0, 3600])
        self.warm(endpoint)
        crowd = Crowd()
        crowd.until = 2

        async def answer(arrival):
            await crowd.answer(arrival)
            return 404 if arrival.json["data"]["n"] == 0 else 204
        self.sink.answer = answer
        events = self.publish(*({"n": n} for n in range(12)), streams=[0] * 12)
        harness.wait_until(lambda: [lane["event_id"] for lane in self.lanes(endpoint)]
                           == events[:1], 30, "all but the first of the stream")
        self.assertEqual(set(events) - set(self.came()), set())
        self.assertGreaterEqual(crowd.most_of_stream, 2)


class Coalescing(Settings):
    def test_only_the_newest_of_waiting_changes_is_told(self):
        shop = harness.Shop(self.client)
        paths = {}
        for name, wish in (("/thin", True), ("/all", False)):
            made = shop.endpoint(self.sink.url + name, "cloudesire", coalesce_modified=wish)
            paths[name] = f"/v1/endpoints/{made['id']}"
            self.client.post(paths[name] + "/pause")
        number = shop.subscription()["id"]
        self.client.patch(f"/api/subscription/{number}", {"deploymentStatus": "DEPLOYED"})
        for action in ("suspend", "resume", "suspend", "resume"):
            self.client.post(f"/v1/subscriptions/{number}/{action}")
        for path in paths.values():
            self.client.post(path + "/resume")
        self.wait_for(6, "/all")
        for path in paths.values():
            harness.wait_until(lambda p=path: not list(self.client.all(p + "/lanes")), 20, "empty")
        told = {name: [(a.event, a.json["type"]) for a in self.sink.on(name)] for name in paths}
        self.assertEqual([kind for _, kind in told["/all"]], ["CREATED"] + ["MODIFIED"] * 5)
        self.assertEqual(told["/thin"], [told["/all"][0], told["/all"][-1]])
        thin = int(paths["/thin"].rsplit("/", 1)[1])
        counted = self.daemon.admin().get(f"/admin/queue/{thin}")["counters"]
        self.assertEqual((counted["accepted"], counted["delivered"], counted["cancelled"]),
                         (6, 2, 4))
        left_out = self.client.get(f"/v1/events/{told['/all'][2][0]}/attempts")["items"]
        self.assertEqual([a["error"] for a in left_out if a["endpoint_id"] == thin], ["coalesced"])
        # What waits without a change before it is never left out, and the end is told, too.
        self.client.post(f"/v1/subscriptions/{number}/terminate")
        self.client.patch(f"/api/subscription/{number}", {"deploymentStatus": "UNDEPLOYED"})
        self.wait_for(2, "/thin")
        harness.wait_until(lambda: self.sink.on("/thin")[-1].json["type"] == "DELETED", 20,
                           "the end")


class Control(Settings):
    def test_one_event_is_refused_for_good(self):
        self.sink.answer = lambda arrival: (
            (422, {"webhook-delivery": "abort-message"}) if arrival.json["data"]["n"] == 1 else 204)
        heeds = self.endpoint("/heeds", receiver_control=True)
        repeats = self.endpoint("/repeats", retry_schedule=[0, 0, 0])
        events = self.publish({"n": 0}, {"n": 1}, {"n": 2}, streams=[0, 1, 2])
        for endpoint in (heeds, repeats):
            harness.wait_until(lambda e=endpoint: [lane["state"] for lane in self.lanes(e)]
                               == ["parked"], 20, "one is parked, two are delivered")
        self.assertEqual(collections.Counter(self.came("/heeds")), dict.fromkeys(events, 1))
        self.assertEqual(self.came("/repeats").count(events[1]), 3)
        self.assertEqual(self.lanes(heeds)[0]["last_error"], "aborted_by_receiver")
        self.assertEqual(self.lanes(repeats)[0]["last_error"], "exhausted")

    def test_the_endpoint_is_ended(self):
        self.sink.answer = lambda arrival: (500, {"webhook-delivery": "disable"})
        endpoint = self.endpoint(receiver_control=True, concurrency=1)
        path = f"/v1/endpoints/{endpoint}"
        self.publish(*({"n": n} for n in range(6)))
        harness.wait_until(lambda: self.client.get(path)["state"] == "disabled", 20, "the end")
        self.assertEqual(self.client.get(path)["state_reason"], "disabled_by_receiver")
        harness.wait_until(lambda: len(self.lanes(endpoint, "?state=parked")) == 6, 20,
                           "all parked")
        self.assertEqual(len(self.came()), 1)
        self.sink.answer = lambda arrival: 204
        self.client.post(path + "/resume")
        [fresh] = self.publish({"n": 6})
        self.wait_for(2)
        self.assertEqual(self.came()[1:], [fresh])


class Schemas(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon({"publish": {"unknown_types": "refuse"}})
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)
        self.client.post("/v1/endpoints", {
            "scope": "platform", "url": self.sink.url + "/hook", "form": "standard",
            "events": ["shop.*"]})

    def declare(self, schema):
        self.client.post("/v1/event-types", {"name": "shop.paid", "schema": schema})

    def lines(self, *events):
        return self.client.call("POST", "/v1/events", harness.ndjson(events),
                                harness.LINES)["items"]

    def test_what_does_not_fit_is_not_sent(self):
        self.declare({"type": "object", "required": ["total"], "additionalProperties": False,
                      "properties": {"total": {"type": "integer", "minimum": 0}}})
        good, bad = {"total": 1}, {"total": -1}
        with self.assertRaises(harness.Refused) as refusal:
            self.client.post("/v1/events", {"name": "shop.paid", "data": bad})
        self.assertEqual(refusal.exception.status, 422)
        self.assertIn("/data/total", json.loads(refusal.exception.body)["errors"][0]["pointer"])
        items = self.lines(*({"name": name, "data": data} for name, data in (
            ("shop.paid", good), ("shop.paid", bad), ("shop.paid", {"sum": 1}),
            ("shop.paid", {"total": "1"}), ("shop.unheard", good), ("shop.paid", {"total": 2}))))
        self.assertEqual(["id" in item for item in items],
                         [True, False, False, False, False, True])
        self.assertEqual([item["error"]["pointer"] for item in items if "error" in item],
                         ["/data/total", "/data", "/data/total", "/name"])
        end = harness.wait_until(lambda: harness.drained(self.client), 20, "empty queues")
        self.assertEqual(end["accepted"], 2)
        self.assertEqual(sorted(a.json["data"]["total"] for a in self.sink.snapshot()), [1, 2])

    def test_the_schema_of_the_moment_counts_after_a_restart_too(self):
        self.declare({"type": "object", "required": ["total"]})
        self.client.patch("/v1/event-types/shop.paid", {"schema": {"required": ["sum"]}})
        self.daemon.kill()
        self.daemon.start()
        self.client = harness.Client(self.daemon.api, self.client.token)
        items = self.lines({"name": "shop.paid", "data": {"total": 1}},
                           {"name": "shop.paid", "data": {"sum": 1}})
        self.assertEqual(["id" in item for item in items], [False, True])
        harness.wait_until(lambda: harness.drained(self.client), 20, "empty queues")
        self.assertEqual([a.json["data"] for a in self.sink.snapshot()], [{"sum": 1}])


if __name__ == "__main__":
    unittest.main()
