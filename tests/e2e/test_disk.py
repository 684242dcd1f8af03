"""A full disk: writes are refused and nothing is lost; with space again it goes on by itself."""
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import harness

TMPFS_BYTES = 128 * 1024 * 1024


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.mount = pathlib.Path(tempfile.mkdtemp(prefix="syndicated-disk-"))
        self.addCleanup(self.mount.rmdir)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs",
                               self.mount], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.fail(f"this test mounts a small disk and needs root: {done.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount], check=False)

    def write_until_refused(self, shop, accepted):
        """Creates subscriptions with much metadata until one is refused; the refusal."""
        bulk = {f"key{n}": os.urandom(900).hex() for n in range(30)}
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            try:
                accepted.append(shop.subscription(metadata=bulk)["id"])
            except harness.Refused as why:
                return why
        self.fail("the disk does not become full")

    def test_a_disk_filled_by_others_stops_everything_until_there_is_space(self):
        daemon, client, shop, sink = self.begin(32 * 1024 * 1024)
        gate = {"status": 503}
        sink.answer = lambda arrival: gate["status"]
        accepted = [shop.subscription()["id"] for _ in range(50)]
        ballast = self.fill(0)
        with self.assertRaises(harness.Refused) as refusal:
            harness.wait_until(lambda: not self.accepts(shop, accepted), 10, "a refusal")
            shop.subscription()
        self.assertEqual(refusal.exception.status, 503)
        # Attempts would be made in vain: what is answered now cannot be recorded.
        gate["status"] = 204
        admin = daemon.admin()
        harness.wait_until(lambda: admin.get("/admin/status")["in_flight"] == 0, 30, "no attempts")
        taken = len(sink.snapshot())
        before = self.refused(client)
        harness.wait_until(lambda: self.refused(client) > before + 6, 60,
                           "as many looks for space as a repeat would have needed")
        self.assertEqual(len(sink.snapshot()), taken)
        self.assertIsNone(daemon.process.poll(), "it stays up")
        self.assertEqual(len(list(client.all("/v1/subscriptions"))), len(accepted))
        ballast.unlink()
        harness.wait_until(lambda: self.accepts(shop, accepted), 10, "writes are accepted again")
        harness.wait_until(lambda: harness.drained(client), 60, "empty queues")
        self.assertEqual(set(accepted) - {a.entity_id for a in sink.snapshot()}, set())
        self.assertIsNone(daemon.process.poll(), "it stayed up")

    def refused(self, client):
        """Batches that found no space; one a second looks for it."""
        text = client.raw("GET", "/metrics")[2].decode()
        return int(re.search(r"^syndicated_commits_refused_total (\d+)", text, re.M)[1])

    def fill(self, left):
        """Fills the disk but for about `left` bytes."""
        ballast = self.mount / f"ballast{len(list(self.mount.iterdir()))}"
        now = os.statvfs(self.mount)
        size = now.f_bavail * now.f_frsize - left
        with ballast.open("wb") as file:
            try:
                for _ in range(size // 65536):
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        return ballast

    def leave(self, ballast, wanted):
        """Gives so much of the ballast back that this is free."""
        now = os.statvfs(self.mount)
        missing = wanted - now.f_bavail * now.f_frsize
        if missing > 0:
            os.truncate(ballast, ballast.stat().st_size - missing)

    @staticmethod
    def completes(vendor, subscription):
        try:
            vendor.patch(f"/api/subscription/{subscription}", {"deploymentStatus": "DEPLOYED"})
            return True
        except harness.Refused as why:
            if why.status != 503:
                raise
            return False

    def begin(self, free_bytes_min):
        daemon = harness.Daemon({"store": {"directory": str(self.mount / "state"),
                                           "free_bytes_min": free_bytes_min,
                                           "wal_bytes_max": 8 * 1024 * 1024,
                                           "block_cache_bytes": 8 * 1024 * 1024}})
        self.addCleanup(daemon.cleanup)
        daemon.start()
        client = daemon.client()
        shop = harness.Shop(client)
        sink = harness.Sink()
        self.addCleanup(sink.close)
        shop.endpoint(sink.url + "/standard")
        return daemon, client, shop, sink

    def test_below_the_mark_it_refuses_and_recovers(self):
        mark = 32 * 1024 * 1024
        daemon, client, shop, sink = self.begin(mark)
        vendor = daemon.client("vendor", shop.vendor["id"])
        accepted = [shop.subscription()["id"]]
        ballast = self.fill(mark + 4 * 1024 * 1024)
        refused = self.write_until_refused(shop, accepted)
        self.assertEqual(refused.status, 503)
        self.assertIn(b"no_space", refused.body)
        self.assertIsNone(daemon.process.poll(), "it stays up")
        # What ends or repairs something is taken, and needs little.
        self.leave(ballast, mark * 3 // 4)
        harness.wait_until(lambda: self.completes(vendor, accepted[0]), 10, "a vendor's word")
        endpoint = next(iter(client.all("/v1/endpoints")))["id"]
        self.assertEqual(client.post(f"/v1/endpoints/{endpoint}/pause")["state"], "paused")
        self.assertEqual(client.post(f"/v1/endpoints/{endpoint}/resume")["state"], "active")
        # Reading goes on.
        self.assertEqual(client.get(f"/v1/subscriptions/{accepted[0]}")["id"], accepted[0])
        # The store gives space back when it drops a log, so what the probes say is asked for
        # only when others have taken that, too.
        more = self.fill(mark // 2)
        probe = harness.Client(daemon.api, None)
        harness.wait_until(lambda: probe.raw("GET", "/readyz")[0] == 503, 10, "not ready")

        more.unlink()
        ballast.unlink()
        harness.wait_until(lambda: self.accepts(shop, accepted), 10, "writes are accepted again")
        harness.wait_until(lambda: harness.drained(client), 30, "empty queues")
        daemon.kill()
        daemon.start()
        client = daemon.client()
        found = {s["id"] for s in client.all("/v1/subscriptions")}
        self.assertEqual(set(accepted) - found, set())
        self.assertEqual(set(accepted) - {a.entity_id for a in sink.snapshot()}, set())

    @staticmethod
    def accepts(shop, accepted):
        try:
            accepted.append(shop.subscription()["id"])
            return True
        except harness.Refused as why:
            if why.status != 503:
                raise
            return False


if __name__ == "__main__":
    unittest.main()
