"""Settings of endpoints against a real vendor: credentials, client certificates, the end by 410."""
import base64
import json
import pathlib
import ssl
import subprocess
import unittest

import harness


def certificate(directory, name):
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    directory = pathlib.Path(directory)
    paths = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout",
                    paths[1]], check=True, capture_output=True)
    return paths


class EndpointSettings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = harness.Daemon()
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client()

    def setUp(self):
        self.shop = harness.Shop(self.client)

    def lanes(self, endpoint, state=""):
        return list(self.client.all(f"/v1/endpoints/{endpoint['id']}/lanes{state}"))

    def test_headers_and_credentials_arrive(self):
        sink = harness.Sink()
        self.addCleanup(sink.close)
        self.shop.endpoint(sink.url + "/basic", headers={"X-Tenant": "blue"},
                           auth={"type": "basic", "username": "u", "password": "pass word"})
        self.shop.endpoint(sink.url + "/key",
                           auth={"type": "api_key", "header": "X-Api-Key", "value": "k"})
        self.shop.subscription()
        harness.wait_until(lambda: sink.on("/basic") and sink.on("/key"), 10, "both")
        basic = sink.on("/basic")[0].headers
        self.assertEqual(basic["x-tenant"], "blue")
        self.assertEqual(basic["authorization"],
                         "Basic " + base64.b64encode(b"u:pass word").decode())
        self.assertEqual(sink.on("/key")[0].headers["x-api-key"], "k")
        self.assertNotIn("authorization", sink.on("/key")[0].headers)

    def test_access_tokens_are_fetched_and_renewed(self):
        """A vendor behind OAuth 2 whose tokens are good for three requests."""
        given, used, fetched = [], [], []

        def answer(arrival):
            if arrival.path == "/token":
                fetched.append(arrival.body.decode())
                given.append(f"canary-token-{len(given)}")
                used.clear()
                return 200, {"Content-Type": "application/json"}, json.dumps(
                    {"access_token": given[-1], "token_type": "Bearer", "expires_in": 3600})
            if arrival.headers.get("authorization") != f"Bearer {given[-1]}" or len(used) == 3:
                return 401
            used.append(arrival)
            return 204
        sink = harness.Sink(answer)
        self.addCleanup(sink.close)
        endpoint = self.shop.endpoint(
            sink.url + "/hook", concurrency=1, retry_schedule=[0],
            auth={"type": "oauth2", "token_url": sink.url + "/token", "client_id": "me",
                  "client_secret": "canary-client-secret"})
        for _ in range(9):
            self.shop.subscription()
        harness.wait_until(lambda: not self.lanes(endpoint), 20, "all delivered")
        self.assertEqual(fetched, ["grant_type=client_credentials"] * 3)
        self.assertEqual(len(sink.on("/hook")), 9 + 2)  # two of them met a 401 first
        shown = json.dumps(self.client.get(f"/v1/endpoints/{endpoint['id']}"))
        for needle in ("canary-token", "canary-client-secret"):
            self.assertNotIn(needle, shown + self.daemon.log_path.read_text())

    def test_without_a_token_nothing_is_sent(self):
        sink = harness.Sink(lambda arrival: 403)
        self.addCleanup(sink.close)
        endpoint = self.shop.endpoint(
            sink.url + "/hook", retry_schedule=[0, 2],
            auth={"type": "oauth2", "token_url": sink.url + "/token", "client_id": "me",
                  "client_secret": "s"})
        self.shop.subscription()
        harness.wait_until(lambda: self.lanes(endpoint, "?state=parked"), 20, "the parked one")
        self.assertEqual(sink.on("/hook"), [])
        self.assertEqual(len(sink.on("/token")), 2)
        event = self.lanes(endpoint)[0]["event_id"]
        attempts = self.client.get(f"/v1/events/{event}/attempts")["items"]
        self.assertEqual({a["error"] for a in attempts if a["endpoint_id"] == endpoint["id"]},
                         {"auth"})

    def test_a_vendor_that_wants_a_client_certificate(self):
        server = certificate(self.daemon.directory, "server")
        ours = certificate(self.daemon.directory, "client")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*server)
        context.load_verify_locations(ours[0])
        context.verify_mode = ssl.CERT_REQUIRED
        sink = harness.Sink(tls=context)
        self.addCleanup(sink.close)
        pinned = {"ca": server[0].read_text()}
        known = self.shop.endpoint(sink.url + "/known", client_cert=ours[0].read_text(),
                                   client_key=ours[1].read_text(), **pinned)
        unknown = self.shop.endpoint(sink.url + "/unknown", retry_schedule=[0], **pinned)
        careful = self.shop.endpoint(sink.url + "/careful", retry_schedule=[0])
        self.assertIsNotNone(known["client_cert_expires_at"])
        for _ in range(5):
            self.shop.subscription()
        harness.wait_until(lambda: len(sink.on("/known")) == 5, 20, "the known client")
        for refused in (unknown, careful):
            parked = harness.wait_until(
                lambda e=refused: [lane for lane in self.lanes(e, "?state=parked")
                                   if lane["last_error"] == "exhausted"] or None,
                20, "the parked ones")
            self.assertGreater(len(parked), 0)
        self.assertEqual({a.path for a in sink.snapshot()}, {"/known"})

    def test_gone_parks_all_and_a_restart_goes_on(self):
        sink = harness.Sink(lambda arrival: 410)
        self.addCleanup(sink.close)
        endpoint = self.shop.endpoint(sink.url + "/gone", concurrency=1)
        path = f"/v1/endpoints/{endpoint['id']}"
        self.client.post(path + "/pause")
        for _ in range(40):
            self.shop.subscription()
        self.client.post(path + "/resume")
        harness.wait_until(lambda: self.client.get(path)["state"] == "disabled", 10, "the end")
        self.daemon.kill()
        self.daemon.start()
        harness.wait_until(lambda: len(self.lanes(endpoint, "?state=parked")) == 40, 20,
                           "all parked")
        self.assertEqual({lane["last_error"] for lane in self.lanes(endpoint)}, {"gone"})
        self.assertEqual(self.client.get(path)["state_reason"], "gone")
        # Enabled again, nothing comes by itself; what is new does, and what is replayed.
        sink.answer = lambda arrival: 204
        before = len(sink.on("/gone"))
        self.client.post(path + "/resume")
        fresh = self.shop.subscription()
        harness.wait_until(lambda: len(sink.on("/gone")) > before, 10, "the new one")
        self.assertEqual(sink.on("/gone")[-1].json["data"]["id"], fresh["id"])
        self.assertEqual(len(self.lanes(endpoint, "?state=parked")), 40)
        event = self.lanes(endpoint, "?state=parked")[0]["event_id"]
        self.client.post(f"/v1/events/{event}/replay", {"endpoint_id": endpoint["id"]})
        harness.wait_until(lambda: len(self.lanes(endpoint)) == 39, 10, "the replayed one")


if __name__ == "__main__":
    unittest.main()
