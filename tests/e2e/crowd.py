"""Many subscriptions at once, for tests: made over the API, and the API asked meanwhile."""
import concurrent.futures
import pathlib
import random

import harness
import probe

WORKERS = 8


def each(items, work):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))


def deployed(daemon, shop, tenants):
    """One subscription for each entry of `tenants`, reported deployed."""
    vendor = daemon.client("vendor", shop.vendor["id"])

    def make(tenant):
        number = shop.subscription(tenant_id=tenant)["id"]
        vendor.patch(f"/api/subscription/{number}", {"deploymentStatus": "DEPLOYED"})
        return number

    return each(tenants, make)


def asking(client, numbers, check=lambda found: None):
    """Reads of random subscriptions, looked at by `check`, and small writes."""
    return probe.Probe(
        get=lambda: check(client.get(f"/v1/subscriptions/{random.choice(numbers)}")),
        write=lambda: client.post("/v1/events", {"name": "shop.small", "data": {}}))


def peak_mib(daemon):
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def assert_well(test, asked):
    """Nothing failed, and nobody had to wait for the crowd."""
    test.assertEqual(asked.errors, [])
    for name, times in asked.times.items():
        test.assertTrue(times, name)
        test.assertLess(sorted(times)[int(len(times) * 0.99)], 2, name)


def streams(sink):
    """For each subscription what its vendor was told, in the order of arrival: (seq, name)."""
    told = {}
    for arrival in sink.snapshot():
        told.setdefault(arrival.entity_id, []).append((arrival.seq, arrival.json["type"]))
    return told


def nothing_due(daemon):
    return daemon.admin().get("/admin/clock")["due"] == 0


def wait_calm(daemon, client):
    harness.wait_until(lambda: nothing_due(daemon), 120, "nothing is due")
    harness.wait_until(lambda: harness.drained(client), 120, "an empty queue")
