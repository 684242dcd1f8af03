"""The large figures: how the daemon does with many subscriptions and with a large backlog.

Scenario, all but the small store of step 1 on the same daemon:

1. growth: CPU per delivered event, calls spread over all subscriptions, with a tenth and all of
   them stored, beside a second daemon with a thousandth. Both have the same load in turns, since
   the speed of a shared machine changes from one minute to the next; of the ratios of the turns
   the median. Each time after the daemon has come to rest;
2. backlog: the vendor is down (its port refuses), every call adds an undelivered event. Resident
   memory at the end;
3. kill: SIGKILL, start, time until ready;
4. drain: another vendor's endpoint is healthy and gets a constant trickle; the first vendor comes
   back. Rate at which its backlog is delivered, relative to the steady rate at the same sink, and
   the healthy endpoint's accept-to-arrival p99 while it is, relative to the p99 while the first
   endpoint is down or paused, in turns. The healthy vendor and its customers have machines of
   their own in life; here their programs go before all others. When the turns are over the rest
   drains by itself.
"""
import concurrent.futures
import socket
import statistics
import time

from common import (CONNECTIONS, SECRET, Sink, arrival_delays, cpu_seconds, note,
                    on_its_own_machine, percentile, rss_mb, run_json)
import harness

STEADY_S = 6
TURNS = 5
TRICKLE_PER_S = 200
TRICKLE_S = 10
DRAIN_EVENTS = 1_000_000  # at most; of a larger backlog the first ones
DRAIN_S = 600
RETRY_S = 30
IDLE_CPU = 0.05  # seconds of CPU in one second


class Market:
    """A daemon with one vendor, its sink, and its subscriptions."""

    def __init__(self, programs, problems, settings=None):
        self.programs = programs
        self.problems = problems
        self.daemon = harness.Daemon(settings or {"log": {"level": "warning"}},
                                     build=programs.parent,
                                     unaudited="a benchmark counts by itself")
        self.sink = Sink(programs)
        self.ids = self.daemon.directory / "ids"
        self.ids.write_text("")

    def open(self):
        self.daemon.start()
        client = self.daemon.client()
        self.token = self.token_file("operator", client)
        self.shop = harness.Shop(client)
        self.endpoint = self.shop.endpoint(f"http://127.0.0.1:{self.sink.port}/hook",
                                           form="cloudesire", secret=SECRET)["id"]
        return client

    def token_file(self, name, client):
        path = self.daemon.directory / f"token-{name}"
        path.touch(mode=0o600)
        path.write_text(client.token)
        return path

    def calls(self, *options, ids, token):
        place = self.daemon.api.rsplit(":", 1)[1]
        return [self.programs / "bench_load", "--port", place, "--token-file", token,
                "--ids", ids, "--connections", CONNECTIONS, *options]

    def fill(self, shop, count, ids):
        """Makes subscriptions and reports them deployed, through the API."""
        fresh = self.daemon.directory / "fresh"
        fresh.write_text("")
        vendor = self.daemon.client("vendor", shop.vendor["id"])
        made = run_json(self.calls("--call", "create", "--count", count,
                                   "--plan", shop.plan["id"], "--tenant", shop.tenant["id"],
                                   ids=fresh, token=self.token))
        run_json(self.calls("--call", "deploy", ids=fresh, token=self.token_file("vendor", vendor)))
        with ids.open("a") as out:
            out.write(fresh.read_text())
        if made["errors"]:
            self.problems.append(f"{made['errors']} refused creations: {made['statuses']}")

    def toggle(self, ids, *options, before=()):
        result = run_json([*before, *self.calls(*options, ids=ids, token=self.token)])
        if result["errors"]:
            self.problems.append(f"{result['errors']} refused calls: {result['statuses']}")
        return result

    def wait_received(self, sink, count, limit_s=120):
        limit = time.monotonic() + limit_s
        while sink.stats()["received"] < count and time.monotonic() < limit:
            time.sleep(0.02)
        received = sink.stats()["received"]
        if received < count:
            self.problems.append(f"{count - received} of {count} notifications did not arrive")

    def settle(self):
        """Compactions of what was just stored are no cost of the deliveries that follow."""
        client = self.daemon.client()
        harness.wait_until(lambda: harness.drained(client), 300, "empty queues")
        harness.wait_until(self.idle, 120, "the daemon has tidied up")

    def nothing_in_flight(self):
        return self.daemon.admin().get("/admin/status")["in_flight"] == 0

    def idle(self):
        before = cpu_seconds(self.daemon.process.pid)
        time.sleep(1)
        return cpu_seconds(self.daemon.process.pid) - before < IDLE_CPU

    def steady(self):
        """CPU in us per event and events/s while the sink takes everything."""
        self.sink.reset()
        before = cpu_seconds(self.daemon.process.pid)
        begun = time.monotonic()
        result = self.toggle(self.ids, "--seconds", STEADY_S)
        self.wait_received(self.sink, result["ok"])
        took = time.monotonic() - begun
        cpu_us = (cpu_seconds(self.daemon.process.pid) - before) / max(result["ok"], 1) * 1e6
        self.problems += self.sink.faults()
        return cpu_us, result["ok"] / took

    def close(self):
        self.sink.close()
        self.daemon.cleanup()


class Scale:
    def __init__(self, programs, subscriptions, backlog):
        self.subscriptions = subscriptions
        self.backlog = backlog
        self.problems = []
        self.small = Market(programs, self.problems)
        self.market = Market(programs, self.problems)
        # Of a healthy vendor beside the one that fails: it and who makes its calls are elsewhere.
        self.elsewhere = on_its_own_machine()
        self.other = Sink(programs, before=self.elsewhere)
        self.other_ids = self.market.daemon.directory / "other-ids"
        self.other_ids.write_text("")

    def growth(self):
        """For each size the turns: (CPU, rate) of the small store and the same of the large one."""
        self.small.fill(self.small.shop, max(self.subscriptions // 1000, CONNECTIONS),
                        self.small.ids)
        self.small.settle()
        turns = {}
        stored = 0
        for size in (self.subscriptions // 10, self.subscriptions):
            note(f"storing {size} subscriptions ...")
            self.market.fill(self.market.shop, size - stored, self.market.ids)
            stored = size
            self.market.settle()
            turns[size] = [(self.small.steady(), self.market.steady()) for _ in range(TURNS)]
            note("CPU per event, a thousandth and all stored: "
                 + ", ".join(f"{few[0]:.1f} {all_[0]:.1f} us" for few, all_ in turns[size]))
        return turns

    def pile_up(self, client):
        """The vendor goes down and a backlog grows; returns the resident memory in MiB."""
        with socket.socket() as closed:  # bound, but nobody listens
            closed.bind(("127.0.0.1", 0))
            down = closed.getsockname()[1]
        client.call("PATCH", f"/v1/endpoints/{self.market.endpoint}",
                    {"url": f"http://127.0.0.1:{down}/hook",
                     "retry_schedule": [0] + [RETRY_S] * 30})
        note(f"a backlog of {self.backlog} events ...")
        result = self.market.toggle(self.market.ids, "--count", self.backlog)
        note(f"{result['rate']:.0f} events/s accepted")
        return rss_mb(self.market.daemon.process.pid)

    def restart(self):
        daemon = self.market.daemon
        before = harness.counters(daemon.client())
        daemon.kill()
        begun = time.monotonic()
        daemon.start()
        took = time.monotonic() - begun
        after = harness.counters(daemon.client())
        if after["accepted"] != before["accepted"]:
            self.problems.append(f"{before['accepted']} accepted, {after['accepted']} after a kill")
        return took

    def trickle(self):
        """Accept-to-arrival times in ms of the healthy vendor at a constant rate."""
        self.other.reset()
        log = self.market.daemon.directory / "trickle"
        result = self.market.toggle(self.other_ids, "--seconds", TRICKLE_S, "--rate",
                                    TRICKLE_PER_S, "--log", log, before=self.elsewhere)
        self.market.wait_received(self.other, result["ok"])
        self.problems += self.other.faults()
        return arrival_delays(log, self.other.arrivals())

    def drain(self, client, steady_per_s):
        endpoint = f"/v1/endpoints/{self.market.endpoint}"
        sink = self.market.sink
        sink.reset()
        wanted = min(harness.counters(client)["pending"], DRAIN_EVENTS)
        calm, busy = [], []
        took = 0
        for turn in range(TURNS):
            calm += self.trickle()
            before = sink.stats()["received"]
            if turn == 0:
                client.call("PATCH", endpoint, {"url": f"http://127.0.0.1:{sink.port}/hook"})
            else:
                client.post(f"{endpoint}/resume")
            harness.wait_until(lambda: sink.stats()["received"] > before, 120, "the vendor is back")
            begun = time.monotonic()
            busy += self.trickle()
            client.post(f"{endpoint}/pause")
            took += time.monotonic() - begun
            harness.wait_until(self.market.nothing_in_flight, 30, "nothing in flight")
        beside_others = sink.stats()["received"]
        if beside_others >= wanted:
            self.problems.append("the backlog was too small for all turns")
        beside_others_per_s = beside_others / took
        client.post(f"{endpoint}/resume")
        begun = time.monotonic()
        self.market.wait_received(sink, wanted, DRAIN_S)
        took += time.monotonic() - begun
        calm_ms, busy_ms = percentile(calm, 0.99), percentile(busy, 0.99)
        return {"drain_per_s": round(wanted / took),
                "drain_ratio": round(wanted / took / steady_per_s, 2),
                "drain_beside_others_per_s": round(beside_others_per_s),
                "drain_others_p99_ratio": round(busy_ms / calm_ms, 2),
                "drain_others_p99_ms": round(busy_ms, 2),
                "drain_calm_p99_ms": round(calm_ms, 2)}

    def run(self):
        self.small.open()
        other = harness.Shop(self.market.open())
        self.market.fill(other, 1000, self.other_ids)
        other.endpoint(f"http://127.0.0.1:{self.other.port}/hook", form="cloudesire", secret=SECRET)
        turns = self.growth()
        self.small.daemon.stop()
        ratios = {size: statistics.median(all_[0] / few[0] for few, all_ in turns[size])
                  for size in turns}
        last = turns[self.subscriptions]
        steady_per_s = statistics.median(all_[1] for _, all_ in last)
        memory = self.pile_up(self.market.daemon.client())
        ready_s = self.restart()
        note(f"{memory:.0f} MiB resident with the backlog, ready {ready_s:.2f} s after SIGKILL")
        figures = self.drain(self.market.daemon.client(), steady_per_s)
        note(f"drain: {figures['drain_per_s']} events/s")
        self.problems += self.market.sink.faults()
        return {
            "scale_subscriptions": self.subscriptions, "scale_backlog": self.backlog,
            "growth_1m": round(ratios[self.subscriptions], 2),
            "growth_ratios": {str(size): round(ratio, 2) for size, ratio in ratios.items()},
            "growth_us_per_event": [round(statistics.median(few[0] for few, _ in last), 1),
                                    round(statistics.median(all_[0] for _, all_ in last), 1)],
            "steady_per_s": round(steady_per_s),
            "rss_backlog_mib": round(memory, 1), "ready_s": round(ready_s, 2), **figures,
        }

    def close(self):
        self.small.close()
        self.market.close()
        self.other.close()


ROWS = [
    ("subscriptions", "scale_subscriptions", "stored"),
    ("CPU growth", "growth_1m", "per event, all stored / a thousandth of them"),
    ("", "growth_ratios", "the same by the number stored"),
    ("", "growth_us_per_event", "us, a thousandth and all stored"),
    ("steady state", "steady_per_s", "events/s with all stored"),
    ("backlog", "scale_backlog", "events, the vendor down"),
    ("memory", "rss_backlog_mib", "MiB resident with the backlog"),
    ("ready", "ready_s", "s after SIGKILL"),
    ("drain", "drain_per_s", "events/s of the backlog"),
    ("drain ratio", "drain_ratio", "drain / steady state"),
    ("", "drain_beside_others_per_s", "events/s of the backlog while others are sent to"),
    ("others", "drain_others_p99_ratio", "p99 of a healthy endpoint while draining / while not"),
    ("", "drain_others_p99_ms", "ms while draining"),
    ("", "drain_calm_p99_ms", "ms while not"),
]
