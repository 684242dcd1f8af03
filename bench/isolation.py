"""Isolation: what healthy vendors notice when half of all others hang.

A thousand vendors with one endpoint each, every one at an address of its own (127.0.x.y), the same
constant load on all of them, twice: all healthy, and with every second endpoint pointing at a sink
that takes requests and never answers. `isolation_p99_ratio` is the 99th percentile of
accept-to-arrival at the endpoints that are healthy in both runs, second run by first.
"""
import time

from common import SECRET, Sink, note, percentile, run_json
import harness

# As installed; the harness's own are short.
SETTINGS = {
    "log": {"level": "error"},
    "delivery": {"schedule": ["0s", "5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"],
                 "breaker_open": "30s", "breaker_open_max": "15m", "retry_share": 0.2},
}
WARM_UP_S = 3
LONGER = 3  # than other phases: the 99th percentile of some thousands of arrivals


class Isolation:
    def __init__(self, options, programs):
        self.options = options
        self.programs = programs
        self.healthy = Sink(programs, "--spread", options.endpoints)
        self.hanging = Sink(programs, "--spread", options.endpoints, "--hang")
        self.daemon = harness.Daemon(SETTINGS, build=programs.parent,
                                     unaudited="a benchmark counts by itself")
        self.problems = []
        self.steady = set()  # subscriptions whose endpoint is healthy in both runs
        self.switched = []   # (endpoint, host) of those that will hang

    def url(self, sink, host):
        return f"http://{host}:{sink.port}/hook"

    def prepare(self):
        self.daemon.start()
        operator = self.daemon.client()
        made = []
        for n in range(self.options.endpoints):
            host = f"127.0.{n // 250 + 1}.{n % 250 + 1}"
            shop = harness.Shop(operator)
            subscription = shop.subscription()["id"]
            vendor = self.daemon.client("vendor", shop.vendor["id"])
            vendor.call("PATCH", f"/api/subscription/{subscription}",
                        {"deploymentStatus": "DEPLOYED"})
            endpoint = shop.endpoint(self.url(self.healthy, host), form="cloudesire", secret=SECRET)
            made.append(subscription)
            if n % 2:
                self.switched.append((endpoint["id"], host))
            else:
                self.steady.add(subscription)
        self.ids = self.daemon.directory / "ids"
        self.ids.write_text("".join(f"{one} 0\n" for one in made))
        self.token = self.daemon.directory / "token"
        self.token.touch(mode=0o600)
        self.token.write_text(operator.token)
        self.operator = operator

    def load(self, seconds):
        """Accept-to-arrival in milliseconds at the endpoints that stay healthy."""
        self.healthy.reset()
        log = self.daemon.directory / "accepted"
        result = run_json([
            self.programs / "bench_load", "--port", self.daemon.api.rsplit(":", 1)[1],
            "--token-file", self.token, "--ids", self.ids, "--connections", 32, "--seconds",
            seconds, "--rate", self.options.isolation_rate, "--log", log])
        if result["errors"]:
            self.problems.append(f"{result['errors']} refused calls: {result['statuses']}")
        accepted = {}
        for line in log.read_text().splitlines():
            entity, _, at = map(int, line.split())
            if entity in self.steady:
                accepted.setdefault(entity, []).append(at)
        expected = sum(len(times) for times in accepted.values())
        limit = time.monotonic() + 30
        arrivals = {}
        while time.monotonic() < limit:
            arrivals = self.healthy.arrivals()
            if sum(len(arrivals.get(one, [])) for one in accepted) >= expected:
                break
            time.sleep(0.2)
        delays = [(arrival - at) / 1e6 for entity, times in accepted.items()
                  for at, arrival in zip(times, arrivals.get(entity, []))]
        if len(delays) != expected:
            self.problems.append(f"healthy endpoints: accepted {expected}, arrived {len(delays)}")
        return delays

    def run(self):
        note(f"isolation: preparing {self.options.endpoints} vendors ...")
        self.prepare()
        self.load(WARM_UP_S)
        note("isolation: all healthy ...")
        before = self.load(LONGER * self.options.seconds)
        for endpoint, host in self.switched:
            self.operator.patch(f"/v1/endpoints/{endpoint}",
                                {"url": self.url(self.hanging, host)})
        self.load(WARM_UP_S)
        note("isolation: half of them hang ...")
        during = self.load(LONGER * self.options.seconds)
        hung = self.hanging.stats()["received"]
        if hung < len(self.switched) // 2:
            self.problems.append(f"only {hung} requests hang")
        healthy, disturbed = percentile(before, 0.99), percentile(during, 0.99)
        return {
            "isolation_p99_ratio": round(disturbed / max(healthy, 0.001), 2),
            "isolation_p99_healthy_ms": round(healthy, 2),
            "isolation_p99_half_hang_ms": round(disturbed, 2),
            "isolation_endpoints": self.options.endpoints,
            "isolation_hanging_requests": hung,
        }

    def close(self):
        self.healthy.close()
        self.hanging.close()
        self.daemon.cleanup()


ROWS = [
    ("isolation", "isolation_p99_ratio", "p99 of healthy endpoints, half hanging / all healthy"),
    ("", "isolation_p99_healthy_ms", "ms, all healthy"),
    ("", "isolation_p99_half_hang_ms", "ms, half hanging"),
    ("", "isolation_endpoints", "endpoints"),
    ("", "isolation_hanging_requests", "requests that were never answered"),
]
