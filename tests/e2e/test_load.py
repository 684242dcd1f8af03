"""More than the daemon should take: who is refused, how, and who is not (delivery.md, 3)."""
import json
import pathlib
import socket
import subprocess
import threading
import unittest

import harness

PRELOADED = pathlib.Path(__file__).with_name("failing_sync.c")


class Overload(unittest.TestCase):
    def begin(self, settings, environment=None):
        self.daemon = harness.Daemon(settings)
        self.addCleanup(self.daemon.cleanup)
        self.daemon.environment = environment or {}
        self.daemon.start()
        self.client = self.daemon.client()
        self.up = threading.Event()
        self.sink = harness.Sink(lambda arrival: 204 if self.up.is_set() else 503)
        self.addCleanup(self.sink.close)

    def refusal(self, method, path, body=None):
        """(status, code) of a refused call, which must say when to come back; else None."""
        status, headers, content = self.client.raw(method, path, body)
        if status < 300:
            return None
        self.assertIn(int(headers["Retry-After"]), range(1, 31))
        return status, json.loads(content)["code"]

    def order(self, shop):
        return self.refusal("POST", "/v1/subscriptions",
                            {"tenant_id": shop.tenant["id"], "plan_id": shop.plan["id"],
                             "paid": True})

    def publish(self, vendor):
        return self.refusal("POST", "/v1/events", {
            "name": "shop.paid", "data": {"n": 1},
            "endpoint_scope": {"scope": "vendor", "scope_id": vendor["id"]}})

    def test_backlogs_are_bounded_and_work_that_was_taken_can_end(self):
        self.begin({"limits": {"pending_events_max": 60, "pending_events_per_owner_max": 20},
                    "delivery": {"schedule": ["0s"] + ["3s"] * 9}})
        flooded, calm = harness.Shop(self.client), harness.Shop(self.client)
        operators = harness.Sink()
        self.addCleanup(operators.close)
        self.client.post("/v1/endpoints", {"scope": "platform", "url": operators.url,
                                           "form": "standard", "events": ["quota.*"]})
        flooded.endpoint(self.sink.url + "/flooded")
        calm.endpoint(self.sink.url + "/calm")
        known = flooded.subscription()
        at_vendor = self.daemon.client("vendor", flooded.vendor["id"])

        seen = harness.wait_until(lambda: self.publish(flooded.vendor), 20, "a refusal")
        self.assertEqual(seen, (429, "tenant_backlog_full"))
        self.assertEqual(self.order(flooded), (429, "tenant_backlog_full"))
        lines = b"".join(json.dumps({
            "name": "shop.paid", "data": {},
            "endpoint_scope": {"scope": "vendor", "scope_id": shop.vendor["id"]},
        }).encode() + b"\n" for shop in (calm, flooded))
        answers = self.client.call("POST", "/v1/events", lines,
                                   {"Content-Type": "application/x-ndjson"})["items"]
        self.assertIn("id", answers[0])
        self.assertEqual(answers[1]["error"]["code"], "tenant_backlog_full")
        self.assertIsNone(self.order(calm))
        # What the vendor completes and what ends something is taken, and everything is readable.
        at_vendor.patch(f"/api/subscription/{known['id']}", {"deploymentStatus": "DEPLOYED"})
        self.client.post(f"/v1/subscriptions/{known['id']}/cancel")
        self.assertIn("owners with too large", self.daemon.syndctl("status").stdout)

        self.daemon.configure({"limits": {"pending_events_max": 20}})
        self.daemon.process.send_signal(harness.signal.SIGHUP)
        seen = harness.wait_until(lambda: self.order(calm), 20, "a refusal")
        while seen == (429, "tenant_backlog_full"):  # it reached its own bound first
            seen = self.order(calm)
        self.assertEqual(seen, (503, "backlog_full"))
        self.assertEqual(self.client.raw("GET", "/readyz")[0], 200)
        self.client.post(f"/v1/subscriptions/{known['id']}/terminate")
        metrics = self.client.raw("GET", "/metrics")[2].decode()
        self.assertIn('syndicated_load_refused{reason="backlog_full"} 1', metrics)

        self.up.set()
        harness.wait_until(lambda: harness.drained(self.client), 30, "the end of the backlog")
        harness.wait_until(lambda: self.order(flooded) is None, 20, "new load")
        self.assertIsNone(self.publish(calm.vendor))
        self.check_quotas(operators, flooded.vendor["id"])

    def test_the_platform_hears_of_its_own_quota(self):
        """The quota is the owner's: an endpoint that is well hears of it, also the oldest one."""
        self.begin({"limits": {"pending_events_per_owner_max": 20},
                    "delivery": {"schedule": ["0s"] + ["3s"] * 9}})
        operators = harness.Sink()
        self.addCleanup(operators.close)
        for url, events in ((operators.url, ["quota.*"]), (self.sink.url, ["shop.*"])):
            self.client.post("/v1/endpoints", {"scope": "platform", "url": url,
                                               "form": "standard", "events": events})

        def published():
            return self.refusal("POST", "/v1/events", {"name": "shop.paid", "data": {"n": 1}})

        self.assertEqual(harness.wait_until(published, 20, "a refusal"),
                         (429, "tenant_backlog_full"))

        def told():
            return [a.json for a in list(operators.arrivals)
                    if a.json["type"] == "quota.blocked"]

        data = harness.wait_until(told, 20, "quota.blocked")[0]["data"]
        self.assertEqual((data["owner_scope"], data["limit"]), ("platform", 20))
        self.up.set()
        harness.wait_until(lambda: operators.arrivals[-1].json["type"] == "quota.recovered", 30,
                           "the end of the quota")

    def check_quotas(self, operators, vendor):
        """The platform heard that the vendor's backlog was refused, and that this is over."""
        def told():
            return [a.json["type"] for a in list(operators.arrivals)
                    if a.json["data"]["owner_id"] == vendor]

        harness.wait_until(lambda: "quota.recovered" in told(), 20, "the end of the quota")
        self.assertIn("quota.blocked", told())
        for before, after in zip(told(), told()[1:]):
            self.assertNotEqual(before, after)  # transitions only
        data = next(a.json["data"] for a in operators.arrivals
                    if a.json["type"] == "quota.blocked" and a.json["data"]["owner_id"] == vendor)
        self.assertEqual((data["owner_scope"], data["metric"], data["limit"]),
                         ("vendor", "pending_events", 20))
        self.assertGreaterEqual(data["value"], 20)

    def test_memory(self):
        self.begin({})
        self.daemon.configure({"limits": {"memory_max": "1MiB"}})
        self.daemon.process.send_signal(harness.signal.SIGHUP)
        def published():
            return self.refusal("POST", "/v1/events", {"name": "a.b", "data": {}})

        seen = harness.wait_until(published, 20, "a refusal")
        self.assertEqual(seen, (503, "memory"))
        status, _, body = self.client.raw("GET", "/readyz")
        self.assertEqual((status, json.loads(body)["reason"]), (503, "memory"))
        self.client.post("/v1/vendors", {"name": "administration goes on"})
        self.daemon.configure({"limits": {"memory_max": 0}})
        self.daemon.process.send_signal(harness.signal.SIGHUP)
        harness.wait_until(lambda: published() is None, 20, "new load")

    def test_a_token_has_a_rate(self):
        self.begin({"limits": {"requests_per_token_per_s": 20}})
        other = self.daemon.client()
        seen = harness.wait_until(lambda: self.refusal("GET", "/v1/vendors"), 20, "a refusal")
        self.assertEqual(seen, (429, "rate_limited"))
        other.get("/v1/vendors")
        metrics = other.raw("GET", "/metrics")[2].decode()
        self.assertRegex(metrics, r"(?m)^syndicated_rate_refusals_total [1-9]")
        self.daemon.configure({"limits": {"requests_per_token_per_s": 0}})
        self.daemon.process.send_signal(harness.signal.SIGHUP)
        harness.wait_until(lambda: all(self.refusal("GET", "/v1/vendors") is None
                                       for _ in range(100)), 20, "no bound")

    def test_bodies_of_strangers_are_not_kept(self):
        """Who has no token is told so before the body, however much of it comes."""
        self.begin({})
        host, port = self.daemon.api.removeprefix("http://").split(":")

        def resident():
            text = self.client.raw("GET", "/metrics")[2].decode()
            return next(float(line.split()[1]) for line in text.splitlines()
                        if line.startswith("process_resident_memory_bytes "))

        before = resident()
        head = f"POST /v1/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n"
        strangers = []
        for _ in range(150):
            stranger = socket.create_connection((host, int(port)), 20)
            self.addCleanup(stranger.close)
            stranger.sendall(f"{head}\r\n".encode() + b"x" * 500000)
            strangers.append(stranger)
        for stranger in strangers:
            self.assertTrue(stranger.recv(4096).startswith(b"HTTP/1.1 401 "))
        self.assertLess(resident() - before, 150 * 500000 / 2)
        # The same connection serves who shows a token, once the rest of the body is there.
        event = b'{"name": "a.b", "data": {}}'
        own = (f"POST /v1/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(event)}\r\n"
               f"Content-Type: application/json\r\nAuthorization: Bearer {self.client.token}\r\n")
        strangers[0].sendall(b"x" * 500000 + f"{own}\r\n".encode())
        strangers[0].sendall(event)
        self.assertTrue(strangers[0].recv(4096).startswith(b"HTTP/1.1 202 "))

    def test_a_disk_that_hangs(self):
        directory = harness.Daemon()
        self.addCleanup(directory.cleanup)
        library = directory.directory / "hanging_sync.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, PRELOADED, "-ldl"],
                       check=True)
        trigger = directory.directory / "hang"
        self.begin({}, {"LD_PRELOAD": str(library), "HANG_SYNC": str(trigger),
                        "ASAN_OPTIONS": "verify_asan_link_order=0"})
        shop = harness.Shop(self.client)
        trigger.touch()
        self.addCleanup(trigger.unlink, missing_ok=True)
        answered = []
        thread = threading.Thread(target=lambda: answered.append(shop.subscription()))
        thread.start()
        self.addCleanup(thread.join)
        other = harness.Client(self.daemon.api, self.client.token)
        harness.wait_until(lambda: other.raw("GET", "/readyz")[0] == 503, 20, "not ready")
        self.client = other
        self.assertEqual(self.order(shop), (503, "store_stalled"))
        self.assertEqual(answered, [])
        self.assertEqual(len(list(other.all("/v1/vendors"))), 1)  # reads go on
        metrics = other.raw("GET", "/metrics")[2].decode()
        self.assertIn('syndicated_load_refused{reason="store_stalled"} 1', metrics)
        trigger.unlink()
        thread.join()
        self.assertEqual(answered[0]["status"], "PENDING")
        harness.wait_until(lambda: self.order(shop) is None, 20, "new load")


if __name__ == "__main__":
    unittest.main()
