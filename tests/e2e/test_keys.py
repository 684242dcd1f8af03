"""The master key is changed while the daemon works: nothing stops, and the old key is not needed
in the end."""
import base64
import hashlib
import hmac
import json
import secrets
import threading
import unittest

import harness

KEY = b"standard-key-of-32-bytes-to-sign"


def key_id(content):
    """As the daemon names a key: the beginning of its SHA-256."""
    return hashlib.sha256(base64.b64decode(content)).hexdigest()[:8]


def genuine(arrival):
    """The signature fits the secret that the endpoint was made with."""
    signed = b".".join([arrival.headers["webhook-id"].encode(),
                        arrival.headers["webhook-timestamp"].encode(), arrival.body])
    expected = "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    return expected in arrival.headers["webhook-signature"].split(" ")


class MasterKey(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.sink = harness.Sink()
        self.addCleanup(self.sink.close)
        self.known = self.daemon.key_path.read_text().strip()
        self.daemon.start()
        self.token = self.daemon.token()
        self.client = self.connected()
        self.shop = harness.Shop(self.client)
        secret = "whsec_" + base64.b64encode(KEY).decode()
        # Many, so that sealing them anew takes more than a moment.
        for _ in range(50):
            self.shop.endpoint("http://127.0.0.1:9/", secret=secret, events=["none.at_all"])
        self.shop.endpoint(self.sink.url + "/", secret=secret)

    def write_key(self, name, content):
        path = self.daemon.directory / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(content + "\n")
        return str(path)

    def put_new_key(self, previous=True):
        """A new key in the place of the known one, which becomes a previous one; its id."""
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        self.write_key(self.daemon.key_path.name, fresh)
        former = [self.write_key("former.key", self.known)] if previous else []
        self.daemon.configure({"secrets": {"previous_master_key_files": former}})
        old, self.known = self.known, fresh
        return key_id(old)

    def connected(self):
        return harness.Client(self.daemon.api, self.token)

    def start(self):
        self.daemon.start()
        self.client = self.shop.client = self.connected()

    def keys(self):
        return json.loads(self.daemon.syndctl("--json", "key", "ls").stdout)

    def wait_settled(self):
        def settled():
            found = self.keys()
            return found if found["state"] == "settled" else None
        return harness.wait_until(settled, 30, "the end of the rotation")

    def deliver(self, count):
        """Each is delivered and genuine."""
        before = len(self.sink.snapshot())
        for _ in range(count):
            self.shop.subscription()
        harness.wait_until(lambda: len(self.sink.snapshot()) >= before + count, 20, "deliveries")
        self.assertTrue(all(genuine(arrival) for arrival in self.sink.snapshot()))

    def test_under_load_and_then_without_the_old_key(self):
        self.deliver(3)
        going = threading.Event()
        failures = []
        keys_used = []
        made = []

        def load():
            client = self.connected()
            shop = harness.Shop.__new__(harness.Shop)
            shop.__dict__.update(self.shop.__dict__, client=client)
            while not going.is_set():
                try:
                    keys_used.append(secrets.token_hex(8))
                    made.append(shop.subscription(key=keys_used[-1])["id"])
                except harness.Refused as why:
                    failures.append(why)

        thread = threading.Thread(target=load)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(going.set)
        harness.wait_until(lambda: len(made) > 5, 20, "the load")
        old = self.put_new_key()
        self.daemon.syndctl("key", "rotate")
        found = self.wait_settled()
        at_change = len(made)
        harness.wait_until(lambda: len(made) > at_change + 5, 20, "the load goes on")
        going.set()
        thread.join()
        self.assertEqual(failures, [])
        self.assertEqual([key["id"] for key in found["keys"]], [key_id(self.known), old])
        self.assertEqual([key["needed"] for key in found["keys"]], [True, False])
        self.assertEqual(found["keys"][1]["values"], 0)
        self.assertGreaterEqual(found["resealed"], 51)
        self.assertIn('"path":"/admin/keys/rotate"', self.daemon.log())
        harness.wait_until(lambda: harness.drained(self.client), 20, "everything is delivered")
        self.assertEqual(len(self.sink.snapshot()), len(made) + 3)
        self.assertTrue(all(genuine(arrival) for arrival in self.sink.snapshot()))
        self.daemon.stop()
        self.daemon.configure({"secrets": {"previous_master_key_files": []}})
        self.start()
        self.deliver(3)
        self.assertEqual(len(self.keys()["keys"]), 1)
        # An answer that was stored before the change is repeated after it.
        again = self.shop.subscription(key=keys_used[0])
        self.assertEqual(again["id"], made[0])

    def test_kills_during_the_change(self):
        for _ in range(3):
            self.put_new_key()
            self.daemon.syndctl("key", "rotate")
            self.daemon.kill()
            self.start()
            self.wait_settled()
            self.deliver(2)
        self.daemon.stop()
        self.daemon.configure({"secrets": {"previous_master_key_files": []}})
        self.start()
        self.deliver(2)

    def test_the_key_in_use_is_never_left_out(self):
        old_content = self.known
        old = self.put_new_key(previous=False)
        refused = self.daemon.syndctl("key", "rotate", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("key_missing", refused.stderr)
        self.assertIn(old, refused.stderr)
        self.deliver(2)
        self.daemon.stop()
        self.daemon.launch()
        self.assertNotEqual(self.daemon.wait_exit(), 0)
        self.assertIn(f"sealed with the master key {old}", self.daemon.tail())
        # A start with both goes on, without a command.
        former = self.write_key("former.key", old_content)
        self.daemon.configure({"secrets": {"previous_master_key_files": [former]}})
        self.start()
        self.assertEqual(self.wait_settled()["keys"][1], {"id": old, "primary": False,
                                                          "needed": False, "values": 0})
        self.deliver(2)


if __name__ == "__main__":
    unittest.main()
