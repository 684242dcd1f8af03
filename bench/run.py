#!/usr/bin/env python3
"""Measures the real daemon against a bare libcurl loop, on this machine, in one run.

    bench/run.py --bin build/release/bin [--json] [--only NAME] [--full] [--seconds 10]
    bench/run.py --against svix --peer-url URL --peer-token T    another webhook server beside it
    bench/run.py --micro                                         parts of the daemon by themselves

Four processes on loopback: the daemon, a sink (the vendor), a load generator (the marketplace) and,
between them, a bare libcurl multi loop that sends the same requests to the same sink. Five rounds,
each of

1. the bare loop: requests/s and CPU per request;
2. full load: every connection of the generator sends as fast as it is answered. Each accepted call
   is one synced commit and one signed notification. Delivered events/s, daemon CPU per event;
3. batches: as many events/s as at full load, but each call publishes 100 of them as lines, of
   ten streams;

then half load: a constant rate of half of that. Accept-to-arrival: from the 2xx at the generator to
the notification's arrival at the sink, on one clock. A figure of the rounds is their median, a
ratio the median of the ratios within a round: the speed of a shared machine changes from one minute
to the next.

At the end everything accepted must have arrived once, in order and correctly signed; else exit 1.
Standard library only.
"""
import argparse
import base64
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from common import (BATCH, CONNECTIONS, ROOT, SECRET, Sink, arrival_delays, bare_loop, cpu_seconds,
                    note, percentile, rss_mb, run_json)
import compare
import disk
import harness
import isolation
import lifecycle
import peers
import scale

ROUNDS = 5


class Bench:
    def __init__(self, options):
        self.options = options
        self.programs = pathlib.Path(options.bin).resolve()
        self.sink = Sink(self.programs)
        # Phases must not be disturbed by retries: a failed attempt shows as a late arrival.
        self.daemon = harness.Daemon({"log": {"level": "warning"}}, build=self.programs.parent,
                                     unaudited="a benchmark counts by itself")
        self.problems = []

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
        command += ["--call", "publish", "--batch", batch] if batch else []
        result = run_json(command)
        expected = result["ok"]
        limit = time.monotonic() + 60
        while self.sink.stats()["received"] < expected and time.monotonic() < limit:
            time.sleep(0.02)
        used_us = (cpu_seconds(pid) - before) * 1e6
        result["sink"] = self.sink.stats()
        arrivals = self.sink.arrivals()
        result["delivered"] = sum(len(times) for times in arrivals.values())
        result["cpu_us"] = used_us / max(result["delivered"], 1)
        last = max((times[-1] for times in arrivals.values()), default=result["begun_ns"])
        result["delivered_per_s"] = result["delivered"] / ((last - result["begun_ns"]) / 1e9 or 1)
        result["delays_ms"] = arrival_delays(log, arrivals)
        self.check(result)
        return result

    def check(self, result):
        self.problems += self.sink.faults()
        if result["errors"]:
            self.problems.append(f"{result['errors']} refused calls: {result['statuses']}")
        if result["delivered"] != result["ok"]:
            self.problems.append(f"accepted {result['ok']}, delivered {result['delivered']}")

    def round(self, number):
        """The bare loop, full load and batches, one after the other."""
        note(f"round {number} of {ROUNDS} ...")
        seconds = self.options.seconds / 2
        curl = bare_loop(self.programs, self.sink, self.options.requests, self.problems)
        full = self.load(seconds)
        # The same events/s as at full load: accepting lines is so much cheaper than delivering them
        # that the generator at full speed would measure a growing backlog.
        return curl, full, self.load(seconds, full["delivered_per_s"] / BATCH, BATCH)

    def run(self):
        load_average = os.getloadavg()[0]
        if load_average > 0.5:
            note(f"the machine is busy (load average {load_average:.1f}): the figures will suffer")
        note(f"preparing {self.options.subscriptions} subscriptions ...")
        self.prepare()
        note("warming up ...")
        self.load(2)
        bare_loop(self.programs, self.sink, 5000, self.problems)
        rounds = [self.round(number) for number in range(1, ROUNDS + 1)]

        def middle(figure):
            return statistics.median(figure(*one) for one in rounds)

        delivered_per_s = middle(lambda curl, full, batches: full["delivered_per_s"])
        note(f"half load for {self.options.seconds} s ...")
        half = self.load(self.options.seconds, delivered_per_s / 2)
        memory = rss_mb(self.daemon.process.pid)
        code = self.daemon.stop()
        if code != 0:
            self.problems.append(f"the daemon ended with {code}")
        phases = [half] + [phase for _, *phases in rounds for phase in phases]
        return {
            "cpu_ratio_single": round(middle(
                lambda curl, full, batches: full["cpu_us"] / curl["cpu_us_per_request"]), 2),
            "cpu_ratio_batch": round(middle(
                lambda curl, full, batches: batches["cpu_us"] / curl["cpu_us_per_request"]), 2),
            "delivered_per_s": round(delivered_per_s),
            "throughput_ratio": round(middle(
                lambda curl, full, batches: full["delivered_per_s"] / curl["requests_per_s"]), 3),
            "p99_half_load_ms": round(percentile(half["delays_ms"], 0.99), 2),
            "p50_half_load_ms": round(percentile(half["delays_ms"], 0.50), 2),
            "accepted_per_s": round(middle(lambda curl, full, batches: full["rate"])),
            "cpu_us_per_event": round(middle(lambda curl, full, batches: full["cpu_us"]), 1),
            "cpu_us_per_event_half_load": round(half["cpu_us"], 1),
            "cpu_us_per_event_batch": round(
                middle(lambda curl, full, batches: batches["cpu_us"]), 1),
            "batch_accepted_per_s": round(middle(lambda curl, full, batches: batches["rate"])),
            "batch_delivered_per_s": round(
                middle(lambda curl, full, batches: batches["delivered_per_s"])),
            "curl_us_per_request": middle(lambda curl, full, batches: curl["cpu_us_per_request"]),
            "curl_requests_per_s": middle(lambda curl, full, batches: curl["requests_per_s"]),
            "accept_p50_ms": middle(lambda curl, full, batches: full["latency_ms"]["p50"]),
            "accept_p99_ms": middle(lambda curl, full, batches: full["latency_ms"]["p99"]),
            "accept_p99_half_load_ms": half["latency_ms"]["p99"],
            "half_load_per_s": half["rate"],
            "delivered": sum(one["delivered"] for one in phases),
            "duplicates": sum(one["sink"]["duplicates"] for one in phases),
            "order_violations": sum(one["sink"]["order_violations"] for one in phases),
            "bad_signatures": sum(one["sink"]["bad_signatures"] for one in phases),
            "rss_mb": round(memory, 1),
            "cores": os.cpu_count(),
            "load_average_before": round(load_average, 2),
            "problems": self.problems,
        }

    def close(self):
        self.sink.close()
        self.daemon.cleanup()


SINGLE_ROWS = [
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


def run_single(options, programs):
    return Bench(options), SINGLE_ROWS


def run_scale(options, programs):
    share = 1 if options.full else 10
    return scale.Scale(programs, 1_000_000 // share, 10_000_000 // share), scale.ROWS


def run_isolation(options, programs):
    return isolation.Isolation(options, programs), isolation.ROWS


def run_disk(options, programs):
    return disk.Disk(programs, 1_000_000 if options.full else 100_000), disk.ROWS


def run_timers(options, programs):
    return lifecycle.Timers(programs, 100_000 if options.full else 10_000), lifecycle.TIMERS_ROWS


def run_cascade(options, programs):
    return lifecycle.Cascade(programs, 100_000 if options.full else 10_000), lifecycle.CASCADE_ROWS


# What can be measured alone with --only.
SCENARIOS = {"single": run_single, "isolation": run_isolation, "disk": run_disk,
             "timers": run_timers, "cascade": run_cascade, "scale": run_scale}
TENTHS = ("disk", "timers", "cascade", "scale")


def measure(name, options, programs):
    """Runs one scenario; its figures and the rows of its table."""
    scenario, rows = SCENARIOS[name](options, programs)
    try:
        figures = scenario.run()
    finally:
        if scenario.problems:
            note("\n".join(scenario.problems))
        scenario.close()
    figures["problems"] = scenario.problems
    return figures, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=str(ROOT / "build" / "release" / "bin"))
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--only", choices=sorted(SCENARIOS), help="one scenario")
    parser.add_argument("--full", action="store_true",
                        help="the large scenarios at full size and not at a tenth")
    parser.add_argument("--micro", action="store_true", help="parts by themselves, nothing else")
    parser.add_argument("--against", choices=sorted(set(peers.PEERS) - {"syndicated"}),
                        help="the same load on another server, nothing else")
    parser.add_argument("--peer-url", default="", help="of its API")
    parser.add_argument("--peer-token", default="", help="what it takes as authorization")
    parser.add_argument("--peer-project", default="", help="Convoy: project; Outpost: tenant")
    parser.add_argument("--peer-pids", default="", help="its processes, for their CPU: 12,34")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--subscriptions", type=int, default=2000, help="of the scenario 'single'")
    parser.add_argument("--requests", type=int, default=40_000, help="of the bare loop, each time")
    parser.add_argument("--endpoints", type=int, default=1000, help="of the scenario 'isolation'")
    parser.add_argument("--isolation-rate", type=float, default=400, help="events/s, over all")
    parser.add_argument("--endpoint", type=json.loads, default={},
                        help='delivery settings as JSON, e.g. {"concurrency": 64}')
    options = parser.parse_args()
    programs = pathlib.Path(options.bin).resolve()
    if options.micro:
        style = ["--benchmark_format=json"] if options.json else []
        return subprocess.run([programs / "bench_micro", *style], check=False).returncode
    if options.against:
        if not options.peer_url:
            parser.error("--against needs --peer-url")
        figures = compare.run(programs, options)
        print(json.dumps(figures)) if options.json else compare.print_table(figures)
        return 0
    everything = {"size": "full" if options.full else "a tenth", "problems": []}
    for name in [options.only] if options.only else SCENARIOS:
        figures, rows = measure(name, options, programs)
        everything["problems"] += figures.pop("problems")
        everything |= figures
        if not options.json:
            if name in TENTHS and not options.full:
                print(f"\n{name}, at a tenth of the size (--full for all of it)")
            for title, key, unit in rows:
                print(f"{title:18} {figures[key]!s:>12} {unit}".rstrip())
    if options.json:
        print(json.dumps(everything))
    return 1 if everything["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
