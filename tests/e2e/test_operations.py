"""The platform hears when an endpoint fails, is paused, ends and is well again."""
import json
import unittest

import harness


class Operations(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)
        self.operators = harness.Sink()
        self.addCleanup(self.operators.close)
        self.client.post("/v1/endpoints", {
            "scope": "platform", "url": self.operators.url + "/ops", "form": "standard",
            "events": ["endpoint.*", "delivery.*"]})

    def heard(self):
        return [json.loads(arrival.body) for arrival in self.operators.snapshot()]

    def wait_for(self, name):
        return harness.wait_until(
            lambda: [one for one in self.heard() if one["type"] == name], 30, name)[0]

    def test_an_outage_is_told_at_its_begin_and_its_end(self):
        vendor = harness.Sink(lambda arrival: 503)
        self.addCleanup(vendor.close)
        endpoint = self.shop.endpoint(vendor.url + "/hook")
        for _ in range(3):
            self.shop.subscription()
        degraded = self.wait_for("endpoint.degraded")
        self.assertEqual(degraded["data"]["endpoint_id"], endpoint["id"])
        self.assertEqual(degraded["data"]["reason"], "http_503")
        path = f"/v1/endpoints/{endpoint['id']}"
        shown = harness.wait_until(
            lambda: [e for e in [self.client.get(path)] if e["breaker"]["state"] != "closed"], 10,
            "the breaker is shown")[0]
        self.assertEqual(shown["breaker"]["reason"], "http_503")
        vendor.answer = lambda arrival: 204
        recovered = self.wait_for("endpoint.recovered")
        self.assertEqual(recovered["data"]["seq"], 2)
        harness.wait_until(lambda: harness.drained(self.client), 30, "empty queues")
        self.assertEqual(self.client.get(path)["breaker"]["state"], "closed")
        names = [one["type"] for one in self.heard()]
        self.assertEqual(names, ["endpoint.degraded", "endpoint.recovered"])

    def figures(self):
        """All series of /metrics."""
        text = self.client.raw("GET", "/metrics")[2].decode()
        found = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in found}

    def wait_for_figure(self, name, wanted):
        harness.wait_until(lambda: wanted(self.figures().get(name, -1)), 20, name)

    def test_the_figures_are_those_of_what_happens(self):
        vendor = harness.Sink(lambda arrival: 404)
        self.addCleanup(vendor.close)
        endpoint = self.shop.endpoint(vendor.url + "/hook", retry_schedule=[0, 0])
        path = f"/v1/endpoints/{endpoint['id']}"
        self.shop.subscription()
        self.wait_for_figure('syndicated_parked_total{reason="exhausted"}', lambda n: n == 1)
        self.assertEqual(self.figures()['syndicated_attempts_ended_total{class="failure"}'], 2)
        self.assertEqual(self.figures()["syndicated_endpoints_failing"], 1)
        self.wait_for("delivery.exhausted")
        self.wait_for_figure("syndicated_delivery_seconds_count", lambda n: n == 1)
        self.assertEqual(self.figures()["syndicated_attempt_seconds_count"], 3)
        vendor.answer = lambda arrival: 204
        job = self.client.post(path + "/replay", {"since": "2020-01-01T00:00:00Z"})
        harness.wait_until(lambda: self.client.get(f"/v1/jobs/{job['id']}")["phase"] == "done", 20,
                           "the job")
        self.wait_for_figure("syndicated_events_replayed_total", lambda n: n == 1)
        self.wait_for_figure('syndicated_replay_jobs{state="running"}', lambda n: n == 0)
        self.assertEqual(self.figures()['syndicated_endpoints{state="active"}'], 2)
        self.client.post(path + "/pause")
        self.assertEqual(self.figures()['syndicated_endpoints{state="paused"}'], 1)
        self.wait_for_figure("syndicated_pending_oldest_seconds", lambda n: n == 0)
        self.shop.subscription()
        self.wait_for_figure("syndicated_pending_oldest_seconds", lambda n: n > 0)
        self.client.post(path + "/resume")
        self.wait_for_figure("syndicated_pending_oldest_seconds", lambda n: n == 0)
        for part in ("engine", "api", "admin"):
            self.wait_for_figure(f'syndicated_loop_lag_seconds{{part="{part}"}}', lambda n: n > 0)
        parts = {name for name in self.figures() if name.startswith("syndicated_loop_stalls")}
        self.assertEqual(len(parts), 3)

    def test_a_pause_and_an_end_are_told(self):
        vendor = harness.Sink(lambda arrival: 410)
        self.addCleanup(vendor.close)
        endpoint = self.shop.endpoint(vendor.url + "/hook")
        self.client.post(f"/v1/endpoints/{endpoint['id']}/pause", {"reason": "maintenance"})
        self.assertEqual(self.wait_for("endpoint.paused")["data"]["reason"], "maintenance")
        self.client.post(f"/v1/endpoints/{endpoint['id']}/resume")
        self.shop.subscription()
        self.assertEqual(self.wait_for("endpoint.disabled")["data"]["reason"], "gone")


if __name__ == "__main__":
    unittest.main()
