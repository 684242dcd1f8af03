"""What the running daemon signs, checked by others' code."""
import base64
import hashlib
import hmac
import json
import pathlib
import re
import secrets
import shutil
import subprocess
import unittest

import harness

HERE = pathlib.Path(__file__).resolve().parent


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = harness.Daemon()
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client()
        cls.shop = harness.Shop(cls.client)
        cls.sink = harness.Sink(cls.refuse_once)
        cls.addClassCleanup(cls.sink.close)
        cls.standard = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        cls.shop.endpoint(cls.sink.url + "/standard", "standard", cls.standard)
        cls.shop.endpoint(cls.sink.url + "/cloudesire", "cloudesire", "chève-€")
        cls.shop.endpoint(cls.sink.url + "/unsigned", "cloudesire", None)
        cls.numbers = [cls.shop.subscription()["id"] for _ in range(20)]
        harness.wait_until(lambda: harness.drained(cls.client), 30, "empty queues")
        cls.arrivals = cls.sink.snapshot()

    refused = set()

    def on(self, path):
        return [arrival for arrival in self.arrivals if arrival.path == path]

    @classmethod
    def refuse_once(cls, arrival):
        """The first attempt of each notification fails, so that there are two of each."""
        key = (arrival.path, arrival.event)
        if key in cls.refused:
            return 204
        cls.refused.add(key)
        return 500

    def test_the_standard_webhooks_library_accepts_them(self):
        modules = harness.build_directory() / "npm"
        modules.mkdir(parents=True, exist_ok=True)
        if not (modules / "node_modules" / "standardwebhooks").is_dir():
            npm = shutil.which("npm")
            self.assertIsNotNone(npm, "npm is missing: see tests/packages.txt")
            done = subprocess.run([npm, "install", "--no-package-lock", "--no-save", "--no-audit",
                                   "--no-fund", "standardwebhooks@1"], cwd=modules,
                                  capture_output=True, text=True, timeout=300, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        script = modules / "verify.mjs"
        script.write_text((HERE / "verify.mjs").read_text())
        arrivals = self.on("/standard")
        self.assertEqual(len(arrivals), 2 * len(self.numbers))
        lines = []
        for arrival in arrivals:
            headers = {k: v for k, v in arrival.headers.items() if k.startswith("webhook-")}
            lines.append({"secret": self.standard, "headers": headers,
                          "body": arrival.body.decode()})
        # The library must be able to say no.
        lines.append(lines[0] | {"body": lines[0]["body"] + " "})
        done = subprocess.run(["node", str(script)], input="\n".join(map(json.dumps, lines)),
                              capture_output=True, text=True, timeout=60, cwd=modules, check=False)
        verdicts = done.stdout.splitlines()
        self.assertEqual(len(verdicts), len(lines), done.stderr)
        self.assertEqual(set(verdicts[:-1]), {"ok"})
        self.assertNotEqual(verdicts[-1], "ok")

    def test_the_cloudesire_signature_is_over_the_raw_body(self):
        arrivals = self.on("/cloudesire")
        self.assertEqual(len(arrivals), 2 * len(self.numbers))
        for arrival in arrivals:
            expected = hmac.new("chève-€".encode(), arrival.body, hashlib.sha1).hexdigest()
            self.assertEqual(arrival.headers["cmw-event-signature"], "sha1=" + expected)

    def test_without_a_secret_there_is_no_signature(self):
        for arrival in self.on("/unsigned"):
            self.assertNotIn("cmw-event-signature", arrival.headers)

    def test_the_cloudesire_body_is_exact(self):
        for arrival in self.on("/cloudesire"):
            body = arrival.json
            self.assertEqual(list(body), ["date", "entity", "entityUrl", "eventId", "id", "type"])
            self.assertEqual(arrival.body.decode(), json.dumps(body, separators=(",", ":")))
            self.assertIsInstance(body["id"], int)
            self.assertEqual(body["entityUrl"], f"subscription/{body['id']}")
            self.assertRegex(body["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertEqual(arrival.headers["content-type"], "application/json; charset=utf-8")
            self.assertEqual(arrival.headers["accept"], "application/json")

    def test_the_standard_body_has_state_version_and_sequence(self):
        for arrival in self.on("/standard"):
            body = arrival.json
            self.assertEqual(sorted(body), ["data", "timestamp", "type"])
            self.assertEqual(body["type"], "subscription.created")
            self.assertEqual((body["data"]["seq"], body["data"]["status"]), (1, "PENDING"))
            self.assertIn("version", body["data"])
            self.assertNotIn(".", arrival.headers["webhook-id"])
            self.assertLess(abs(int(arrival.headers["webhook-timestamp"]) - arrival.wall), 5)

    def test_every_attempt_has_the_same_id_and_bytes(self):
        seen = {}
        for arrival in self.arrivals:
            seen.setdefault((arrival.path, arrival.event), set()).add(arrival.sha)
        self.assertEqual(len(seen), 3 * len(self.numbers))
        self.assertEqual({len(variants) for variants in seen.values()}, {1})

    def test_a_rotated_secret_overlaps(self):
        client, shop = self.client, self.shop
        sink = harness.Sink()
        self.addCleanup(sink.close)
        endpoint = shop.endpoint(sink.url + "/rotated", "standard", self.standard)
        fresh = client.post(f"/v1/endpoints/{endpoint['id']}/rotate-secret",
                            {"overlap_s": 3600})["secret"]
        self.assertNotEqual(fresh, self.standard)
        shop.subscription()
        harness.wait_until(lambda: sink.on("/rotated"), 10, "the notification")
        arrival = sink.on("/rotated")[0]
        signatures = arrival.headers["webhook-signature"].split(" ")
        signed = (f"{arrival.headers['webhook-id']}.{arrival.headers['webhook-timestamp']}."
                  .encode() + arrival.body)
        expected = []
        for secret in (fresh, self.standard):
            key = base64.b64decode(re.sub("^whsec_", "", secret))
            expected.append("v1," + base64.b64encode(
                hmac.new(key, signed, hashlib.sha256).digest()).decode())
        self.assertEqual(signatures, expected)


if __name__ == "__main__":
    unittest.main()
