"""What the running daemon signs, checked by others' code."""
import base64
import hashlib
import hmac
import json
import secrets
import unittest

import harness
import webhook_libraries


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
        return 404  # unlike 500, no reason for the breaker to open

    def test_the_standard_webhooks_libraries_accept_them(self):
        arrivals = self.on("/standard")
        self.assertEqual(len(arrivals), 2 * len(self.numbers))
        lines = [webhook_libraries.line_of(arrival, self.standard) for arrival in arrivals]
        # A library must be able to say no.
        lines.append(lines[0] | {"body": lines[0]["body"] + " "})
        for library in (webhook_libraries.npm, webhook_libraries.pypi):
            verdicts = library(lines)
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

    def test_a_rotation_of_both_kinds_overlaps(self):
        """While old and new keys overlap, whoever knows one of the four accepts a notification."""
        client, shop = self.client, self.shop
        sink = harness.Sink()
        self.addCleanup(sink.close)
        first = shop.endpoint(sink.url + "/rotated", "standard", self.standard, asymmetric=True)
        path = f"/v1/endpoints/{first['id']}"
        second = client.post(path + "/rotate-secret", {"overlap_s": 3600, "kind": "both"})
        self.assertNotEqual(second["secret"], self.standard)
        self.assertNotEqual(second["public_key"], first["public_key"])
        shop.subscription()
        harness.wait_until(lambda: sink.on("/rotated"), 10, "the notification")
        arrival = sink.on("/rotated")[0]
        kinds = [word.split(",")[0] for word in arrival.headers["webhook-signature"].split(" ")]
        self.assertEqual(kinds, ["v1", "v1", "v1a", "v1a"])
        lines = [webhook_libraries.line_of(arrival, secret)
                 for secret in (second["secret"], self.standard,
                                "whsec_" + base64.b64encode(bytes(32)).decode())]
        for library in (webhook_libraries.npm, webhook_libraries.pypi):
            verdicts = library(lines)
            self.assertEqual(verdicts[:2], ["ok", "ok"])
            self.assertNotEqual(verdicts[2], "ok")
        published = {key["x"] for key in client.get("/.well-known/webhook-keys")["keys"]}
        for key in (first["public_key"], second["public_key"]):
            raw = base64.b64decode(key.removeprefix("whpk_"))
            self.assertIn(base64.urlsafe_b64encode(raw).decode().rstrip("="), published)
            self.assertEqual(self.check_v1a(key, arrival, arrival.body), 0)
            self.assertEqual(self.check_v1a(key, arrival, arrival.body + b" "), 1)
        # The overlap ends by rotating once more without one.
        client.post(path + "/rotate-secret", {"overlap_s": 0, "kind": "both"})
        shop.subscription()
        harness.wait_until(lambda: len(sink.on("/rotated")) > 1, 10, "the next notification")
        last = sink.on("/rotated")[-1].headers["webhook-signature"]
        self.assertEqual(len(last.split(" ")), 2)
        self.assertEqual(webhook_libraries.npm(
            [webhook_libraries.line_of(sink.on("/rotated")[-1], self.standard)])[0] == "ok", False)

    def check_v1a(self, key, arrival, body):
        """Exit code of `syndctl verify` with a public key."""
        directory = self.daemon.directory
        (directory / "key").write_text(key + "\n")
        (directory / "body").write_bytes(body)
        return self.daemon.syndctl(
            "verify", "--form", "standard", "--secret-file", str(directory / "key"),
            "--id", arrival.headers["webhook-id"],
            "--timestamp", arrival.headers["webhook-timestamp"],
            "--signature", arrival.headers["webhook-signature"], str(directory / "body"),
            check=False).returncode


class Overlaps(harness.SimulatedTime):
    """From a rotation to the end of the old keys by time, over a restart."""

    def kids(self):
        keys = json.loads(self.client.raw("GET", "/.well-known/webhook-keys")[2])["keys"]
        return {key["kid"] for key in keys}

    def kinds(self):
        """Of the signatures of one more notification."""
        before = len(self.sink.on("/"))
        self.shop.subscription()
        harness.wait_until(lambda: len(self.sink.on("/")) > before, 10, "the notification")
        words = self.sink.on("/")[-1].headers["webhook-signature"].split(" ")
        return [word.split(",")[0] for word in words]

    def test_old_keys_end_with_their_overlap_and_are_kept_nowhere(self):
        self.sink = self.new_sink()
        self.shop = harness.Shop(self.client)
        first = self.shop.endpoint(self.sink.url + "/", "standard", asymmetric=True)
        path = f"/v1/endpoints/{first['id']}"
        self.assertEqual(self.kids(), {first["kid"]})
        second = self.client.post(path + "/rotate-secret", {"overlap_s": 3600, "kind": "both"})
        with self.assertRaises(harness.Refused) as refusal:
            self.client.post(path + "/rotate-secret", {"overlap_s": 3600, "kind": "asymmetric"})
        self.assertEqual(refusal.exception.status, 409)
        self.assertIn(b"overlap_running", refusal.exception.body)
        self.daemon.kill()
        self.daemon.start()
        self.client = self.shop.client = self.daemon.client()
        self.assertEqual(self.kids(), {first["kid"], second["kid"]})
        self.assertEqual(self.kinds(), ["v1", "v1", "v1a", "v1a"])
        self.advance("59m")
        self.assertEqual(self.kinds(), ["v1", "v1", "v1a", "v1a"])
        self.assertIsNotNone(self.client.get(path)["previous_secret_until"])
        self.advance("3m")
        self.assertEqual(self.kinds(), ["v1", "v1a"])
        self.assertEqual(self.kids(), {second["kid"]})
        harness.wait_until(lambda: self.client.get(path)["previous_secret_until"] is None, 10,
                           "the old secret is erased")
        self.assertIsNone(self.client.get(path)["previous_public_key_until"])
        third = self.client.post(path + "/rotate-secret", {"overlap_s": 60, "kind": "both"})
        self.client.post(path + "/rotate-secret", {"overlap_s": 0, "kind": "both"})
        self.assertNotIn(third["kid"], self.kids())
        self.client.call("DELETE", path)
        self.assertEqual(self.kids(), set())


if __name__ == "__main__":
    unittest.main()
