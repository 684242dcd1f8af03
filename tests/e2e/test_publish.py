"""Publishing: what arrives, in which order, and that a call cut by a crash is completed once."""
import collections
import threading
import unittest

import harness

class Publish(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client("marketplace")
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)

    def endpoint(self, path, **more):
        return self.client.post("/v1/endpoints", {
            "scope": "platform", "url": self.sink.url + path, "form": "standard", **more})

    def publish(self, events, key=None):
        headers = harness.LINES | ({"Idempotency-Key": key} if key else {})
        return self.client.call("POST", "/v1/events", harness.ndjson(events), headers)["items"]

    def wait_drained(self):
        return harness.wait_until(lambda: harness.drained(self.client), 30, "all is delivered")

    def test_an_event_arrives_as_it_was_given(self):
        self.endpoint("/all")
        self.endpoint("/gold", filter={"field": "plan.tier", "eq": "gold"})
        self.endpoint("/other", events=["bill.*"])
        self.client.post("/v1/endpoints", {"scope": "platform", "url": self.sink.url + "/old"})
        body = (b'{"name":"shop.paid","stream":"caf\xc3\xa9 1","data":'
                b'{ "amount": 1.50, "plan":{"tier":"gold"} }}')
        made = self.client.call("POST", "/v1/events", body, {"Content-Type": "application/json"})
        self.client.post("/v1/events", {"name": "shop.paid", "data": {"plan": {"tier": "tin"}}})
        self.wait_drained()
        arrived = collections.Counter(a.path for a in self.sink.snapshot())
        self.assertEqual(arrived, {"/all": 2, "/gold": 1})
        [gold] = self.sink.on("/gold")
        self.assertIn(b'"data":{ "amount": 1.50, "plan":{"tier":"gold"} }}', gold.body)
        self.assertEqual(gold.json["type"], "shop.paid")
        self.assertEqual(gold.event, made["id"])
        self.assertEqual(gold.headers["webhook-stream"], "caf%C3%A9%201")
        self.assertEqual(gold.headers["webhook-seq"], "1")
        [listed] = self.client.all("/v1/events?stream=caf%C3%A9%201")
        self.assertEqual(listed["id"], made["id"])
        self.assertEqual(listed["stream_name"], "café 1")
        shown = self.client.get(f"/v1/events/{made['id']}")
        self.assertEqual({d["state"] for d in shown["deliveries"]}, {"delivered"})
        attempts = self.client.get(f"/v1/events/{made['id']}/attempts")["items"]
        self.assertEqual([a["status"] for a in attempts], [204, 204])
        self.client.post(f"/v1/events/{made['id']}/replay")
        harness.wait_until(lambda: len(self.sink.on("/gold")) == 2, 10, "it is sent again")

    def test_lines_keep_the_order_of_their_streams(self):
        self.endpoint("/all")
        events = [{"name": "shop.step", "stream": f"s{n % 7}", "data": {"n": n}}
                  for n in range(700)]
        events[5] = {"name": "shop.step"}
        items = self.publish(events)
        self.assertEqual([i for i, item in enumerate(items) if "error" in item], [5])
        self.publish([{"name": "shop.step", "data": {"n": n}} for n in range(700, 1000)])
        self.wait_drained()
        streams = collections.defaultdict(list)
        loose = []
        for arrival in self.sink.snapshot():
            number = arrival.json["data"]["n"]
            if "webhook-seq" in arrival.headers:
                streams[arrival.headers["webhook-stream"]].append(
                    (int(arrival.headers["webhook-seq"]), number))
            else:
                loose.append(number)
        self.assertEqual(sorted(loose), list(range(700, 1000)))
        self.assertEqual(len(streams), 7)
        for arrived in streams.values():
            self.assertEqual([seq for seq, _ in arrived], list(range(1, len(arrived) + 1)))
            self.assertEqual([n for _, n in arrived], sorted(n for _, n in arrived))

    def test_a_stuck_stream_stops_nobody_else(self):
        self.sink.answer = lambda a: 500 if a.headers.get("webhook-stream") == "stuck" else 204
        self.endpoint("/all")
        self.publish([{"name": "shop.step", "stream": "stuck", "data": {"n": 0}},
                      {"name": "shop.step", "stream": "stuck", "data": {"n": 1}},
                      {"name": "shop.step", "stream": "free", "data": {"n": 2}},
                      {"name": "shop.step", "data": {"n": 3}}])
        harness.wait_until(
            lambda: {0, 2, 3} <= {a.json["data"]["n"] for a in self.sink.snapshot()}, 10,
            "the others arrive")
        self.assertNotIn(1, {a.json["data"]["n"] for a in self.sink.snapshot()})

    def test_a_call_cut_by_a_crash_is_completed_once(self):
        self.endpoint("/all")
        calls = {}
        for number in range(40):
            calls[f"key-{number}"] = [
                {"name": "shop.step", "data": {"id": f"{number}/{line}"},
                 **({"stream": f"s{line % 5}"} if line % 2 else {})}
                for line in range(150)]
        answers = {}
        killed = threading.Event()

        def send(keys):
            client = self.daemon.client("marketplace")
            client.token = self.client.token  # one publisher: keys are the token's
            for key in keys:
                try:
                    answers[key] = client.call("POST", "/v1/events", harness.ndjson(calls[key]),
                                               harness.LINES | {"Idempotency-Key": key})
                except (OSError, harness.http.client.HTTPException, harness.Refused):
                    return
                if len(answers) >= 8:
                    killed.set()

        keys = list(calls)
        threads = [threading.Thread(target=send, args=(keys[part::4],)) for part in range(4)]
        for thread in threads:
            thread.start()
        killed.wait(30)
        self.daemon.kill()
        for thread in threads:
            thread.join()
        before = dict(answers)
        self.daemon.start()
        again_as = self.daemon.client("marketplace")
        again_as.token = self.client.token
        self.client = again_as
        for key in keys:
            again = self.client.call("POST", "/v1/events", harness.ndjson(calls[key]),
                                     harness.LINES | {"Idempotency-Key": key})
            if key in before:
                self.assertEqual(again, before[key])
        status, _, _ = self.client.raw("POST", "/v1/events", harness.ndjson(calls["key-1"]),
                                       harness.LINES | {"Idempotency-Key": "key-0"})
        self.assertEqual(status, 422)
        found = collections.Counter(e["data"]["id"] for e in self.client.all("/v1/events"))
        wanted = {e["data"]["id"] for events in calls.values() for e in events}
        self.assertEqual(set(found), wanted)
        self.assertEqual(set(found.values()), {1})
        now = self.wait_drained()
        self.assertEqual(now["delivered"], now["accepted"])
        self.assertEqual({a.json["data"]["id"] for a in self.sink.snapshot()}, wanted)

    def test_large_bodies_are_taken_here_only(self):
        line = {"name": "shop.step", "data": {"x": "y" * 1000}}
        self.assertEqual(len(self.publish([line] * 900)), 900)
        status, _, _ = self.client.raw("POST", "/v1/events", harness.ndjson([line] * 1100),
                                       harness.LINES)
        self.assertEqual(status, 413)


if __name__ == "__main__":
    unittest.main()
