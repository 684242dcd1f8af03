#!/usr/bin/env python3
"""Measures the real daemon against a bare libcurl loop, on this machine, in one run.

    bench/run.py --bin build/release/bin [--json] [--seconds 10] [--subscriptions 2000]
                 [--only main|isolation]

Four processes on loopback: the daemon, a sink (the vendor), a load generator (the marketplace) and,
before them, a bare libcurl multi loop that sends the same requests to the same sink.

1. baseline: requests/s and CPU per request of the bare loop;
2. full load: every connection of the generator sends as fast as it is answered. Each accepted call
   is one synced commit and one signed notification. Delivered events/s, daemon CPU per event;
3. half load: a constant rate of half of that. Accept-to-arrival: from the 2xx at the generator to
   the notification's arrival at the sink, on one clock;
4. batches: as many events/s as at full load, but each call publishes 100 of them as lines, of
   ten streams.

Then what healthy vendors notice when others hang (bench/isolation.py).

At the end everything accepted must have arrived once, in order and correctly signed; else exit 1.
Standard library only.
"""
import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.path.insert(0, str(ROOT / "bench"))
import harness  # noqa: E402

SECRET = "bench-secret-of-exactly-32-bytes"
BATCH = 100  # events a call
CONNECTIONS = 64


def note(text):
    print(text, file=sys.stderr, flush=True)


class Sink:
    """The sink process and its reports."""

    def __init__(self, programs, *more):
        self.process = subprocess.Popen([str(programs / "bench_sink"), "--secret", SECRET, *more],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return answer.read().decode()

    def stats(self):
        return json.loads(self.get("/stats"))

    def reset(self):
        self.get("/reset")

    def arrivals(self):
        """For each entity the times of its arrivals, in order."""
        found = {}
        for line in self.get("/arrivals").splitlines():
            entity, _, at = line.split()
            found.setdefault(int(entity), []).append(int(at))
        return found

    def close(self):
        self.process.kill()
        self.process.wait()


def cpu_seconds(pid):
    """User and system time of all threads of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def run_json(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(f"{command[0]}: {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Bench:
    def __init__(self, options):
        self.options = options
        self.programs = pathlib.Path(options.bin).resolve()
        self.sink = Sink(self.programs)
        # Phases must not be disturbed by retries: a failed attempt shows as a late arrival.
        self.daemon = harness.Daemon({"log": {"level": "warning"}}, build=self.programs.parent)
        self.problems = []

    def baseline(self):
        command = [self.programs / "bench_curl_baseline", "--port", self.sink.port,
                   "--requests", self.options.requests, "--concurrency", CONNECTIONS]
        run_json([*command[:3], "--requests", 5000, *command[5:]])  # warm
        # The bare loop gets cheaper in bursts when other work delays it: the median of three.
        results = sorted((run_json(command) for _ in range(3)),
                         key=lambda one: one["cpu_us_per_request"])
        failures = sum(one["failures"] for one in results)
        if failures:
            self.problems.append(f"{failures} failed requests of the baseline")
        return results[1]

    def prepare(self):
        """A vendor with an endpoint at the sink, and provisioned subscriptions."""
        self.daemon.start()
        operator = self.daemon.client()
        shop = harness.Shop(operator)
        tenants = [shop.tenant["id"]] + [operator.post("/v1/tenants", {
            "kind": "customer", "parent_id": 1, "name": f"Customer {n}"})["id"]
            for n in range(15)]
        vendor = self.daemon.client("vendor", shop.vendor["id"])
        made = []
        for n in range(self.options.subscriptions):
            one = operator.post("/v1/subscriptions", {
                "tenant_id": tenants[n % len(tenants)], "plan_id": shop.plan["id"], "paid": True})
            vendor.call("PATCH", f"/api/subscription/{one['id']}",
                        {"deploymentStatus": "DEPLOYED"})
            made.append(one["id"])
        # Only now the endpoint: what happened before is not sent to it.
        shop.endpoint(f"http://127.0.0.1:{self.sink.port}/hook", form="cloudesire", secret=SECRET,
                      **self.options.endpoint)
        operator.post("/v1/endpoints", {
            "scope": "platform", "url": f"http://127.0.0.1:{self.sink.port}/hook",
            "form": "standard", "events": ["bench.*"],
            "secret": "whsec_" + base64.b64encode(SECRET.encode()).decode(),
            **self.options.endpoint})
        self.ids = self.daemon.directory / "ids"
        self.ids.write_text("".join(f"{one} 0\n" for one in made))
        self.token = self.daemon.directory / "token"
        self.token.touch(mode=0o600)
        self.token.write_text(operator.token)
        self.operator = operator

    def load(self, seconds, rate=None, batch=None):
        """One phase: the generator's result, the sink's, CPU and the accept-to-arrival times."""
        self.sink.reset()
        log = self.daemon.directory / "accepted"
        pid = self.daemon.process.pid
        before = cpu_seconds(pid)
        place = self.daemon.api.rsplit(":", 1)[1]
        command = [self.programs / "bench_load", "--port", place, "--token-file", self.token,
                   "--ids", self.ids, "--connections", CONNECTIONS, "--seconds", seconds,
                   "--log", log]
        command += ["--rate", rate] if rate else []
        command += ["--batch", batch] if batch else []
        result = run_json(command)
        expected = result["ok"]
        limit = time.monotonic() + 60
        while self.sink.stats()["received"] < expected and time.monotonic() < limit:
            time.sleep(0.02)
        result["daemon_cpu_seconds"] = cpu_seconds(pid) - before
        result["sink"] = self.sink.stats()
        arrivals = self.sink.arrivals()
        result["delivered"] = sum(len(times) for times in arrivals.values())
        last = max((times[-1] for times in arrivals.values()), default=result["begun_ns"])
        result["delivered_per_s"] = result["delivered"] / ((last - result["begun_ns"]) / 1e9 or 1)
        # The n-th accepted call of a subscription is its n-th arrival: lanes are FIFO.
        position = {}
        delays = []
        for line in log.read_text().splitlines():
            entity, _, at = map(int, line.split())
            index = position.get(entity, 0)
            position[entity] = index + 1
            times = arrivals.get(entity, [])
            if index < len(times):
                delays.append((times[index] - at) / 1e6)
        result["delays_ms"] = delays
        self.check(result)
        return result

    def check(self, result):
        for name in ("duplicates", "order_violations", "bad_signatures"):
            if result["sink"][name]:
                self.problems.append(f"{result['sink'][name]} {name}")
        if result["errors"]:
            self.problems.append(f"{result['errors']} refused calls: {result['statuses']}")
        if result["delivered"] != result["ok"]:
            self.problems.append(f"accepted {result['ok']}, delivered {result['delivered']}")

    def run(self):
        load_average = os.getloadavg()[0]
        if load_average > 0.5:
            note(f"the machine is busy (load average {load_average:.1f}): the figures will suffer")
        note("baseline: a bare libcurl loop ...")
        curl = self.baseline()
        note(f"preparing {self.options.subscriptions} subscriptions ...")
        self.prepare()
        note("warming up ...")
        self.load(2)
        note(f"full load for {self.options.seconds} s ...")
        full = self.load(self.options.seconds)
        note(f"half load for {self.options.seconds} s ...")
        half = self.load(self.options.seconds, full["delivered_per_s"] / 2)
        note(f"batches of {BATCH} for {self.options.seconds} s ...")
        # The same events/s as at full load: accepting lines is so much cheaper than delivering them
        # that the generator at full speed would measure a growing backlog.
        batches = self.load(self.options.seconds, full["delivered_per_s"] / BATCH, BATCH)
        memory = rss_mb(self.daemon.process.pid)
        code = self.daemon.stop()
        if code != 0:
            self.problems.append(f"the daemon ended with {code}")
        cpu_us = full["daemon_cpu_seconds"] / max(full["delivered"], 1) * 1e6
        batch_cpu_us = batches["daemon_cpu_seconds"] / max(batches["delivered"], 1) * 1e6
        half_cpu_us = half["daemon_cpu_seconds"] / max(half["delivered"], 1) * 1e6
        return {
            "cpu_ratio_single": round(cpu_us / curl["cpu_us_per_request"], 2),
            "cpu_ratio_batch": round(batch_cpu_us / curl["cpu_us_per_request"], 2),
            "delivered_per_s": round(full["delivered_per_s"]),
            "throughput_ratio": round(full["delivered_per_s"] / curl["requests_per_s"], 3),
            "p99_half_load_ms": round(percentile(half["delays_ms"], 0.99), 2),
            "p50_half_load_ms": round(percentile(half["delays_ms"], 0.50), 2),
            "accepted_per_s": full["rate"],
            "cpu_us_per_event": round(cpu_us, 1),
            "cpu_us_per_event_half_load": round(half_cpu_us, 1),
            "cpu_us_per_event_batch": round(batch_cpu_us, 1),
            "batch_accepted_per_s": batches["rate"],
            "batch_delivered_per_s": round(batches["delivered_per_s"]),
            "curl_us_per_request": curl["cpu_us_per_request"],
            "curl_requests_per_s": curl["requests_per_s"],
            "accept_p50_ms": full["latency_ms"]["p50"],
            "accept_p99_ms": full["latency_ms"]["p99"],
            "accept_p99_half_load_ms": half["latency_ms"]["p99"],
            "half_load_per_s": half["rate"],
            "delivered": sum(one["delivered"] for one in (full, half, batches)),
            "duplicates": sum(one["sink"]["duplicates"] for one in (full, half, batches)),
            "order_violations": sum(
                one["sink"]["order_violations"] for one in (full, half, batches)),
            "bad_signatures": sum(one["sink"]["bad_signatures"] for one in (full, half, batches)),
            "rss_mb": round(memory, 1),
            "cores": os.cpu_count(),
            "load_average_before": round(load_average, 2),
            "problems": self.problems,
        }

    def close(self):
        self.sink.close()
        self.daemon.cleanup()


ROWS = [
    ("accepted", "accepted_per_s", "events/s at full load"),
    ("delivered", "delivered_per_s", "events/s, accepted, synced, signed, answered 204"),
    ("daemon CPU", "cpu_us_per_event", "us per delivered event, at full load"),
    ("bare libcurl CPU", "curl_us_per_request", "us per request"),
    ("CPU ratio", "cpu_ratio_single", "daemon / bare libcurl"),
    ("", "cpu_us_per_event_batch", "us per delivered event, published 100 a call"),
    ("", "cpu_ratio_batch", "daemon / bare libcurl, published 100 a call"),
    ("", "batch_delivered_per_s", "events/s, published 100 a call"),
    ("bare libcurl", "curl_requests_per_s", "requests/s"),
    ("throughput ratio", "throughput_ratio", "delivered / bare libcurl"),
    ("half load", "half_load_per_s", "events/s"),
    ("accept to arrival", "p50_half_load_ms", "ms, median at half load"),
    ("", "p99_half_load_ms", "ms, 99th percentile at half load"),
    ("answer time", "accept_p99_half_load_ms", "ms, 99th percentile at half load"),
    ("memory", "rss_mb", "MiB resident at the end"),
    ("duplicates", "duplicates", ""),
    ("order violations", "order_violations", ""),
    ("bad signatures", "bad_signatures", ""),
]


def main_scenario(options):
    bench = Bench(options)
    try:
        return bench.run()
    finally:
        bench.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(ROOT / "build" / "release" / "bin"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--subscriptions", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=60_000, help="of the baseline")
    parser.add_argument("--endpoint", type=json.loads, default={},
                        help='delivery settings as JSON, e.g. {"concurrency": 64}')
    parser.add_argument("--only", choices=["main", "isolation"], help="one scenario")
    parser.add_argument("--endpoints", type=int, default=1000, help="of the isolation scenario")
    parser.add_argument("--isolation-rate", type=float, default=400, help="events/s, over all")
    options = parser.parse_args()
    figures = {"problems": []}
    rows = []
    if options.only in (None, "main"):
        figures |= main_scenario(options)
        rows += ROWS
    if options.only in (None, "isolation"):
        import isolation  # itself uses what is above
        found = isolation.figures(options, pathlib.Path(options.bin).resolve())
        found["problems"] += figures["problems"]
        figures |= found
        rows += isolation.ROWS
    if figures["problems"]:
        note("\n".join(figures["problems"]))
    if options.json:
        print(json.dumps(figures))
    else:
        for title, key, unit in rows:
            print(f"{title:18} {figures[key]:>12} {unit}".rstrip())
    return 1 if figures["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
