"""The large figures: how the daemon does with many subscriptions and with a large backlog.

Scenario, each step on the same daemon and store:

1. growth: CPU per delivered event, calls spread over all subscriptions, with a thousandth, a tenth
   and all of them stored, each time after the daemon has come to rest. Of three runs the median;
2. backlog: the vendor is down (its port refuses), every call adds an undelivered event. Resident
   memory at the end;
3. kill: SIGKILL, start, time until ready;
4. drain: another vendor's endpoint is healthy and gets a constant trickle; the first vendor comes
   back. Rate at which its backlog is delivered, relative to the steady rate at the same sink, and
   the healthy endpoint's accept-to-arrival p99, relative to the time before.
"""
import concurrent.futures
import socket
import statistics
import time

from common import (CONNECTIONS, SECRET, Sink, arrival_delays, cpu_seconds, note, percentile,
                    rss_mb, run_json)
import harness

STEADY_S = 10
ROUNDS = 3
TRICKLE_PER_S = 200
TRICKLE_S = 30
DRAIN_EVENTS = 1_000_000  # at most; of a larger backlog the first ones
DRAIN_S = 600
RETRY_S = 30
IDLE_CPU = 0.05  # seconds of CPU in one second


class Scale:
    def __init__(self, programs, subscriptions, backlog):
        self.programs = programs
        self.subscriptions = subscriptions
        self.backlog = backlog
        self.daemon = harness.Daemon({"log": {"level": "warning"}}, build=programs.parent,
                                     unaudited="a benchmark counts by itself")
        self.sink = Sink(programs)       # the vendor that fails
        self.other = Sink(programs)      # the healthy one
        self.problems = []

    def calls(self, *options, ids, token):
        place = self.daemon.api.rsplit(":", 1)[1]
        return [self.programs / "bench_load", "--port", place, "--token-file", token,
                "--ids", ids, "--connections", CONNECTIONS, *options]

    def token_file(self, name, client):
        path = self.daemon.directory / f"token-{name}"
        path.touch(mode=0o600)
        path.write_text(client.token)
        return path

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
        return made["rate"]

    def toggle(self, ids, *options):
        result = run_json(self.calls(*options, ids=ids, token=self.token))
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

    def steady(self, ids):
        """CPU per event and events/s while the sink takes everything."""
        self.sink.reset()
        before = cpu_seconds(self.daemon.process.pid)
        begun = time.monotonic()
        result = self.toggle(ids, "--seconds", STEADY_S)
        self.wait_received(self.sink, result["ok"])
        took = time.monotonic() - begun
        cpu_us = (cpu_seconds(self.daemon.process.pid) - before) / max(result["ok"], 1) * 1e6
        self.check_sink()
        return cpu_us, result["ok"] / took

    def idle(self):
        """Compactions of what was just stored are no cost of the deliveries that follow."""
        before = cpu_seconds(self.daemon.process.pid)
        time.sleep(1)
        return cpu_seconds(self.daemon.process.pid) - before < IDLE_CPU

    def growth(self, shop, ids):
        figures = {}
        stored = 0
        for step in (max(self.subscriptions // 1000, CONNECTIONS), self.subscriptions // 10,
                     self.subscriptions):
            note(f"storing {step} subscriptions ...")
            self.fill(shop, step - stored, ids)
            stored = step
            drained = self.daemon.client()
            harness.wait_until(lambda: harness.counters(drained)["pending"] == 0, 300, "fill")
            harness.wait_until(self.idle, 120, "the daemon has tidied up after the filling")
            rounds = [self.steady(ids) for _ in range(ROUNDS)]
            cpu_us, rate = (statistics.median(figure) for figure in zip(*rounds))
            note(f"{step} stored: {cpu_us:.1f} us per event, {rate:.0f} events/s")
            figures[step] = (cpu_us, rate)
        return figures

    def pile_up(self, client, endpoint, ids):
        """The vendor goes down and a backlog grows; returns the resident memory in MiB."""
        with socket.socket() as closed:  # bound, but nobody listens
            closed.bind(("127.0.0.1", 0))
            self.down = closed.getsockname()[1]
        client.call("PATCH", f"/v1/endpoints/{endpoint}",
                    {"url": f"http://127.0.0.1:{self.down}/hook",
                     "retry_schedule": [0] + [RETRY_S] * 30})
        note(f"a backlog of {self.backlog} events ...")
        result = self.toggle(ids, "--count", self.backlog)
        note(f"{result['rate']:.0f} events/s accepted")
        return rss_mb(self.daemon.process.pid)

    def restart(self):
        before = harness.counters(self.daemon.client())
        self.daemon.kill()
        begun = time.monotonic()
        self.daemon.start()
        took = time.monotonic() - begun
        after = harness.counters(self.daemon.client())
        if after["accepted"] != before["accepted"]:
            self.problems.append(f"{before['accepted']} accepted, {after['accepted']} after a kill")
        return took

    def trickle(self, ids, seconds):
        """Accept-to-arrival times in ms of the healthy vendor at a constant rate."""
        self.other.reset()
        log = self.daemon.directory / "trickle"
        result = self.toggle(ids, "--seconds", seconds, "--rate", TRICKLE_PER_S, "--log", log)
        self.wait_received(self.other, result["ok"])
        return arrival_delays(log, self.other.arrivals())

    def drain(self, client, endpoint, other_ids, steady_per_s):
        calm_ms = percentile(self.trickle(other_ids, TRICKLE_S), 0.99)
        self.sink.reset()
        wanted = min(harness.counters(client)["pending"], DRAIN_EVENTS)
        client.call("PATCH", f"/v1/endpoints/{endpoint}",
                    {"url": f"http://127.0.0.1:{self.sink.port}/hook"})
        harness.wait_until(lambda: self.sink.stats()["received"] > 0, 120, "the vendor is back")
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            busy = pool.submit(self.trickle, other_ids, TRICKLE_S)
            self.wait_received(self.sink, wanted, DRAIN_S)
            took = time.monotonic() - begun
            busy_ms = percentile(busy.result(), 0.99)
        return {"drain_per_s": round(wanted / took),
                "drain_ratio": round(wanted / took / steady_per_s, 2),
                "drain_others_p99_ratio": round(busy_ms / calm_ms, 2),
                "drain_others_p99_ms": round(busy_ms, 2),
                "drain_calm_p99_ms": round(calm_ms, 2)}

    def check_sink(self):
        found = self.sink.stats()
        for name in ("duplicates", "order_violations", "bad_signatures"):
            if found[name]:
                self.problems.append(f"{found[name]} {name} at the sink")

    def run(self):
        self.daemon.start()
        client = self.daemon.client()
        self.token = self.token_file("operator", client)
        shop, other = harness.Shop(client), harness.Shop(client)
        endpoint = shop.endpoint(f"http://127.0.0.1:{self.sink.port}/hook", form="cloudesire",
                                 secret=SECRET)["id"]
        ids, other_ids = self.daemon.directory / "ids", self.daemon.directory / "other-ids"
        ids.write_text("")
        other_ids.write_text("")
        self.fill(other, 1000, other_ids)
        other.endpoint(f"http://127.0.0.1:{self.other.port}/hook", form="cloudesire", secret=SECRET)
        growth = self.growth(shop, ids)
        steps = sorted(growth)
        memory = self.pile_up(self.daemon.client(), endpoint, ids)
        ready_s = self.restart()
        note(f"{memory:.0f} MiB resident with the backlog, ready {ready_s:.2f} s after SIGKILL")
        client = self.daemon.client()
        figures = self.drain(client, endpoint, other_ids, growth[steps[-1]][1])
        note(f"drain: {figures['drain_per_s']} events/s")
        self.check_sink()
        return {
            "scale_subscriptions": self.subscriptions, "scale_backlog": self.backlog,
            "growth_1m": round(growth[steps[-1]][0] / growth[steps[0]][0], 2),
            "growth_us_per_event": {str(n): round(growth[n][0], 1) for n in steps},
            "rss_backlog_mib": round(memory, 1), "ready_s": round(ready_s, 2), **figures,
        }

    def close(self):
        self.sink.close()
        self.other.close()
        self.daemon.cleanup()


ROWS = [
    ("subscriptions", "scale_subscriptions", "stored"),
    ("CPU growth", "growth_1m", "per event, all stored / a thousandth of them"),
    ("backlog", "scale_backlog", "events, the vendor down"),
    ("memory", "rss_backlog_mib", "MiB resident with the backlog"),
    ("ready", "ready_s", "s after SIGKILL"),
    ("drain", "drain_per_s", "events/s of the backlog"),
    ("drain ratio", "drain_ratio", "drain / steady state"),
    ("others", "drain_others_p99_ratio", "p99 of a healthy endpoint while draining / before"),
]
