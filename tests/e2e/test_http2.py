"""The endpoint setting `http2` against a vendor that speaks both HTTP/2 and HTTP/1.1."""
import base64
import hashlib
import hmac
import json
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import threading
import unittest

import harness
import zoo

PEER = pathlib.Path(__file__).with_name("http2_peer.mjs")
SECRET = secrets.token_bytes(32)
# Path of the peer: class and word of the attempt.
ROLES = {
    "busy": ("overload", "http_503"),
    "resets": ("overload", "send"),
    "cancels": ("overload", "send"),
    "refuses": ("overload", "send"),
    "ends": ("overload", "send"),
    "goes_away": ("overload", "send"),
    "objects": ("failure", "protocol"),
    "hangs": ("overload", "timeout"),
    "many_headers": ("failure", "response_too_large"),
    "endless": ("delivered", ""),
}


class Vendor:
    def __init__(self, certificate):
        self.arrivals = []
        self.process = subprocess.Popen(["node", PEER, *certificate], stdout=subprocess.PIPE)
        self.url = f"https://127.0.0.1:{int(self.process.stdout.readline())}"
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.arrivals.append(json.loads(line))

    def on(self, path):
        return [arrival for arrival in list(self.arrivals) if arrival["path"] == path]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join(10)
        self.process.stdout.close()


class Http2(zoo.Habitat):
    @classmethod
    def setUpClass(cls):
        place = tempfile.mkdtemp(prefix="http2-")
        cls.addClassCleanup(shutil.rmtree, place)
        authority = zoo.Authority(place, "authority")
        cls.certificate = authority.issue("vendor")
        cls.daemon = harness.Daemon({"delivery": {"breaker_open": "0s"}})
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client()
        cls.events, cls.endpoints = {}, {}
        cls.pinned = {"ca": authority.certificate.read_text(),
                      "secret": "whsec_" + base64.b64encode(SECRET).decode()}

    def setUp(self):
        # An origin of its own for each case: no connection is kept from the one before.
        self.vendor = Vendor(self.certificate)
        self.addCleanup(self.vendor.close)

    def send(self, name, role, events=1, **settings):
        self.publish(self.endpoint(name, self.vendor.url, self.pinned | settings, events,
                                   path=f"/{role}"))

    def check_signature(self, arrival):
        headers, body = arrival["headers"], base64.b64decode(arrival["body"])
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], f"v1,{right}")

    def test_on_it_is_spoken_and_off_it_is_not(self):
        """Also while a connection of the other kind is open."""
        for name, wanted, version, alpn in (("off", False, "1.1", "http/1.1"),
                                            ("on", True, "2.0", "h2"),
                                            ("off_again", False, "1.1", "http/1.1")):
            with self.subTest(http2=name):
                before = len(self.vendor.on("/ok"))
                self.send(name, "ok", 5, http2=wanted)
                for which in range(5):
                    self.expect(name, [("delivered", "")], "delivered", which)
                arrived = harness.wait_until(
                    lambda n=before: self.vendor.on("/ok")[n + 4:] and self.vendor.on("/ok")[n:],
                    10, "five requests")
                self.assertEqual({(a["version"], a["alpn"]) for a in arrived}, {(version, alpn)})
                for arrival in arrived:
                    self.check_signature(arrival)

    def test_what_goes_wrong_has_the_class_that_it_has_over_http_1(self):
        for role in ROLES:
            self.send(role, role, http2=True, timeout_ms=1000 if role == "hangs" else 5000)
        for role, wanted in ROLES.items():
            with self.subTest(role=role):
                self.expect(role, [wanted], "delivered" if wanted[0] == "delivered" else "pending")
                self.assertEqual({a["version"] for a in self.vendor.on(f"/{role}")}, {"2.0"})

    def test_a_refused_stream_is_repeated_once(self):
        self.send("refused", "refuses", http2=True)
        self.expect("refused", [("overload", "send")], "pending")
        self.send("after", "ok", http2=True)  # the vendor's lines keep their order
        harness.wait_until(lambda: self.vendor.on("/ok"), 10, "the next request")
        self.assertEqual(len(self.vendor.on("/refuses")), 2)


if __name__ == "__main__":
    unittest.main()
