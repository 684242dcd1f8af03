"""A disk that fails: no 2xx any more, the process ends with 70, and after the restart the
Idempotency-Key tells the one true outcome (reliability.md R3, R19)."""
import http.client
import json
import pathlib
import subprocess
import time
import unittest

import harness

SOURCE = pathlib.Path(__file__).with_name("failing_sync.c")


class FailingLog(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        library = self.daemon.directory / "failing_sync.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        self.trigger = self.daemon.directory / "fail"
        # With the sanitizer built in, its library is not the first one then.
        self.daemon.environment = {"LD_PRELOAD": str(library), "FAIL_SYNC": str(self.trigger),
                                   "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)

    def order(self, key):
        """One order over a connection of its own: (status, subscription or problem)."""
        body = json.dumps({"tenant_id": self.shop.tenant["id"], "plan_id": self.shop.plan["id"],
                           "paid": True})
        connection = http.client.HTTPConnection(self.daemon.api.split("//", 1)[1], timeout=10)
        connection.request("POST", "/v1/subscriptions", body, {
            "Authorization": f"Bearer {self.client.token}", "Content-Type": "application/json",
            "Idempotency-Key": key})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_the_first_failed_sync_is_the_last(self):
        before = self.order("before")
        self.assertEqual(before[0], 201)
        self.trigger.touch()
        begun = time.monotonic()
        try:
            during = self.order("during")[0]
        except (OSError, http.client.HTTPException):
            during = None  # gone without an answer: as honest as a 5xx
        self.assertFalse(during is not None and 200 <= during < 300, during)
        self.assertEqual(self.daemon.wait_exit(5), 70)
        self.assertLess(time.monotonic() - begun, 5)

        self.trigger.unlink()
        self.daemon.start()
        self.assertEqual(self.order("before"), before)
        first = self.order("during")
        self.assertEqual(first[0], 201)
        self.assertEqual(self.order("during"), first)
        ids = [one["id"] for one in self.client.all("/v1/subscriptions")]
        self.assertEqual(sorted(ids), sorted({before[1]["id"], first[1]["id"]}))


if __name__ == "__main__":
    unittest.main()
