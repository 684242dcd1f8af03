"""The same load against another webhook server, side by side with this one, in one run.

For each of the two: a sink of its own, one endpoint that gets everything, single events of about
300 bytes. First as fast as they are answered, over 64 connections: accepted and delivered events a
second. Then half of the delivered rate: accept-to-arrival times. An event that was accepted and has
not arrived when nothing more came for QUIET_S is counted as missing, one that came twice as a
duplicate. CPU is that of the processes named by --peer-pids, and of their children.
"""
import pathlib
import time
import urllib.parse

from common import CONNECTIONS, Sink, arrival_delays, cpu_seconds, note, percentile, run_json
import harness
import peers

QUIET_S = 15


def children_of(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children_of(int(child))
    return found


class Contender:
    """One server under load. `pids`: of its processes; none: its CPU is not known."""

    def __init__(self, programs, peer, directory, pids):
        self.programs = programs
        self.peer = peer
        self.pids = pids
        self.log = directory / f"accepted-{peer.name}"
        self.sink = Sink(programs, "--numbered")
        try:
            peer.create_endpoint(f"http://127.0.0.1:{self.sink.port}/hook")
            self.request = directory / f"request-{peer.name}"
            self.request.write_bytes(peer.request())
        except BaseException:
            self.sink.close()
            raise

    def cpu(self):
        every = {one for pid in self.pids for one in children_of(pid)}
        return sum(cpu_seconds(pid) for pid in every)

    def wait_arrivals(self, count):
        """Until all have come, or nothing more does."""
        seen, since = -1, time.monotonic()
        while seen < count and time.monotonic() - since < QUIET_S:
            stats = self.sink.stats()
            now = stats["received"] - stats["duplicates"]
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.02)

    def phase(self, seconds, rate=None):
        self.sink.reset()
        before = self.cpu()
        port = urllib.parse.urlsplit(self.peer.url).port
        command = [self.programs / "bench_load", "--port", port, "--call", "send", "--request",
                   self.request, "--connections", CONNECTIONS, "--seconds", seconds,
                   "--log", self.log]
        result = run_json(command + (["--rate", rate] if rate else []))
        self.wait_arrivals(result["ok"])
        result["cpu"] = self.cpu() - before
        result["arrivals"] = self.sink.arrivals()
        result["duplicates"] = self.sink.stats()["duplicates"]
        return result

    def run(self, seconds):
        note(f"{self.peer.name}: full load ...")
        full = self.phase(seconds)
        count = len(full["arrivals"])
        if not count:
            raise SystemExit(f"{self.peer.name}: nothing arrived; answers: {full['statuses']}")
        last = max(times[-1] for times in full["arrivals"].values())
        rate = count / ((last - full["begun_ns"]) / 1e9)
        note(f"{self.peer.name}: half load ...")
        half = self.phase(seconds, max(1, int(rate / 2)))
        delays = arrival_delays(self.log, half["arrivals"])
        both = (full, half)
        return {
            "accepted_per_s": round(full["rate"]),
            "delivered_per_s": round(rate),
            "p50_half_load_ms": round(percentile(delays, 0.5), 2),
            "p99_half_load_ms": round(percentile(delays, 0.99), 2),
            "cpu_us_per_event": round(full["cpu"] / count * 1e6, 1) if self.pids else None,
            "missing": sum(one["ok"] - len(one["arrivals"]) for one in both),
            "duplicates": sum(one["duplicates"] for one in both),
            "refused": sum(one["errors"] for one in both),
        }

    def close(self):
        self.sink.close()


def ratio(here, there, figure, digits):
    """None when the other server has none: it delivered nothing at that load."""
    return round(here[figure] / there[figure], digits) if there[figure] else None


def run(programs, options):
    """Both in turn; the other one's figures and the ratios. Needs --against and --peer-url."""
    daemon = harness.Daemon({"log": {"level": "warning"}}, build=programs.parent,
                            unaudited="a benchmark counts by itself")
    contenders = []
    try:
        daemon.start()
        ours = peers.Syndicated(daemon.api, daemon.client().token)
        other = peers.PEERS[options.against](options.peer_url, options.peer_token,
                                             options.peer_project)
        pids = [int(pid) for pid in options.peer_pids.split(",") if pid]
        contenders.append(Contender(programs, ours, daemon.directory, [daemon.process.pid]))
        contenders.append(Contender(programs, other, daemon.directory, pids))
        here, there = (one.run(options.seconds) for one in contenders)
        return {"peer": other.name, "syndicated": here, other.name: there,
                "delivered_ratio": ratio(here, there, "delivered_per_s", 2),
                "p99_ratio": ratio(here, there, "p99_half_load_ms", 3)}
    finally:
        for one in contenders:
            one.close()
        daemon.cleanup()


def print_table(result):
    ours, other = result["syndicated"], result[result["peer"]]
    print(f"{'':20}{'syndicated':>14}{result['peer']:>14}")
    for row, figure in ours.items():
        theirs = "-" if other[row] is None else other[row]
        print(f"{row:20}{figure:>14}{theirs:>14}")
    for name in ("delivered_ratio", "p99_ratio"):
        print(f"{name:20}{result[name]:>14}")
