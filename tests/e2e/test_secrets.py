"""Canaries: secrets are planted everywhere and must be found nowhere outside memory."""
import base64
import pathlib
import unittest

import harness

TEXT_SECRET = "canary-endpoint-secret-9f2b7c41"
KEY_BYTES = b"canary-standard-key-32-bytes-xyz"
CREDENTIAL = "canary-credential-value-71aa03"
HEADER = "canary-header-value-5c0e11"
PASSWORD = "canary-password-3d81ab"


class Canaries(unittest.TestCase):
    def test_no_secret_leaves(self):
        daemon = harness.Daemon({"log": {"level": "debug"}})
        self.addCleanup(daemon.cleanup)
        daemon.start()
        token = daemon.token("operator")
        client = harness.Client(daemon.api, token)
        shop = harness.Shop(client)
        vendor_token = daemon.token("vendor", shop.vendor["id"])
        sink = harness.Sink(lambda arrival: 500 if arrival.path == "/broken" else 204)
        self.addCleanup(sink.close)
        standard = "whsec_" + base64.b64encode(KEY_BYTES).decode()
        made = shop.endpoint(sink.url + "/ok", "cloudesire", TEXT_SECRET)
        self.assertEqual(made["secret"], TEXT_SECRET)
        shop.endpoint(sink.url + "/broken", "standard", standard, asymmetric=True,
                      headers={"X-Key": HEADER},
                      auth={"type": "basic", "username": "u", "password": PASSWORD})
        number = shop.subscription()["id"]
        vendor = harness.Client(daemon.api, vendor_token)
        vendor.post(f"/api/subscription/{number}/credentials",
                    [{"key": "Password", "value": CREDENTIAL, "description": {"en": "x"}}])
        harness.wait_until(lambda: sink.on("/ok") and len(sink.on("/broken")) > 1, 20, "deliveries")
        # Refusals and errors must not repeat what they were given.
        for wrong in (token + "x", "canary-wrong-token"):
            with self.assertRaises(harness.Refused):
                harness.Client(daemon.api, wrong).get("/v1/vendors")
        with self.assertRaises(harness.Refused) as broken:
            client.post("/v1/endpoints", {"scope": "platform", "url": "nonsense",
                                          "secret": TEXT_SECRET})

        shown = [broken.exception.body.decode()]
        for path in ("/v1/endpoints", "/v1/subscriptions", "/v1/events", "/metrics",
                     f"/v1/endpoints/{made['id']}", f"/v1/subscriptions/{number}",
                     f"/api/subscription/{number}"):
            shown.append(client.raw("GET", path)[2].decode())
        for arguments in (["status"], ["queue", "ls"], ["endpoint", "ls"], ["token", "ls"],
                          ["--json", "endpoint", "show", str(made["id"])]):
            shown.append(daemon.syndctl(*arguments).stdout)
        process = pathlib.Path("/proc") / str(daemon.process.pid)
        shown += [(process / name).read_bytes().decode(errors="replace")
                  for name in ("cmdline", "environ")]
        daemon.stop()
        key = daemon.key_path.read_text().strip()
        needles = [TEXT_SECRET.encode(), KEY_BYTES, standard.encode(), CREDENTIAL.encode(),
                   HEADER.encode(), PASSWORD.encode(),
                   base64.b64encode(f"u:{PASSWORD}".encode()), token.encode(),
                   vendor_token.encode(), key.encode(), base64.b64decode(key),
                   base64.b64encode(KEY_BYTES)]
        for text in shown:
            for needle in needles:
                self.assertNotIn(needle, text.encode())
        files = [path for path in [*daemon.state.rglob("*"), *daemon.runtime.rglob("*"),
                                   daemon.log_path, daemon.config_path] if path.is_file()]
        self.assertGreater(len(files), 4)
        self.assertTrue(any(b"Acme" in path.read_bytes() for path in daemon.state.rglob("*")
                            if path.is_file()), "the search does not see stored data")
        for path in files:
            content = path.read_bytes()
            for needle in needles:
                self.assertNotIn(needle, content, path)


if __name__ == "__main__":
    unittest.main()
