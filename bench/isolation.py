"""Isolation: what healthy vendors notice when half of all others hang.

Two daemons, each with a thousand vendors with one endpoint each, every one at an address of its own
(127.0.x.y). With one daemon all are healthy, with the other every second endpoint points at a sink
that takes requests and never answers. Both get the same constant load, in turns, since the speed of
a shared machine changes from one minute to the next. `isolation_p99_ratio` is the 99th percentile
of accept-to-arrival at the same half of the endpoints, over all turns, second daemon by first.
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
TURNS = 5


class Fleet:
    """A daemon with its vendors."""

    def __init__(self, options, programs, healthy, problems):
        self.options = options
        self.programs = programs
        self.healthy = healthy  # the sink
        self.problems = problems
        self.daemon = harness.Daemon(SETTINGS, build=programs.parent,
                                     unaudited="a benchmark counts by itself")
        self.steady = set()  # subscriptions whose endpoint is always healthy
        self.others = []     # (endpoint, host) of the other half

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
                self.others.append((endpoint["id"], host))
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
        self.problems += self.healthy.faults()
        return delays

    def let_hang(self, hanging):
        """From now on half of the vendors take requests at `hanging` and never answer."""
        for endpoint, host in self.others:
            self.operator.patch(f"/v1/endpoints/{endpoint}", {"url": self.url(hanging, host)})


class Isolation:
    def __init__(self, options, programs):
        self.options = options
        self.problems = []
        self.healthy = Sink(programs, "--spread", options.endpoints)
        self.hanging = Sink(programs, "--spread", options.endpoints, "--hang")
        self.fleets = [Fleet(options, programs, self.healthy, self.problems) for _ in range(2)]

    def run(self):
        calm, disturbed = self.fleets
        for fleet in self.fleets:
            note(f"isolation: preparing {self.options.endpoints} vendors ...")
            fleet.prepare()
        disturbed.let_hang(self.hanging)
        for fleet in self.fleets:
            fleet.load(WARM_UP_S)
        note(f"isolation: all healthy and half of them hanging, {TURNS} turns ...")
        delays = {calm: [], disturbed: []}
        for _ in range(TURNS):
            for fleet in self.fleets:
                delays[fleet] += fleet.load(self.options.seconds)
        hung = self.hanging.stats()["received"]
        if hung < len(disturbed.others) // 2:
            self.problems.append(f"only {hung} requests hang")
        calm_ms, disturbed_ms = (percentile(delays[fleet], 0.99) for fleet in self.fleets)
        return {
            "isolation_p99_ratio": round(disturbed_ms / max(calm_ms, 0.001), 2),
            "isolation_p99_healthy_ms": round(calm_ms, 2),
            "isolation_p99_half_hang_ms": round(disturbed_ms, 2),
            "isolation_endpoints": self.options.endpoints,
            "isolation_hanging_requests": hung,
        }

    def close(self):
        self.healthy.close()
        self.hanging.close()
        for fleet in self.fleets:
            fleet.daemon.cleanup()


ROWS = [
    ("isolation", "isolation_p99_ratio", "p99 of healthy endpoints, half hanging / all healthy"),
    ("", "isolation_p99_healthy_ms", "ms, all healthy"),
    ("", "isolation_p99_half_hang_ms", "ms, half hanging"),
    ("", "isolation_endpoints", "endpoints"),
    ("", "isolation_hanging_requests", "requests that were never answered"),
]
