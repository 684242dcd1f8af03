"""What the scenarios share: the programs, the sink, CPU and memory of a process, percentiles."""
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
SECRET = "bench-secret-of-exactly-32-bytes"
BATCH = 100  # events a call
CONNECTIONS = 64


def note(text):
    print(text, file=sys.stderr, flush=True)


class Sink:
    """The sink process and its reports."""

    def __init__(self, programs, *more, before=()):
        command = [*before, programs / "bench_sink", "--secret", SECRET, *more]
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                        text=True)
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

    def faults(self, ordered=True):
        """What it has seen since the last reset and must not see, in words."""
        seen = self.stats()
        names = ["duplicates", "bad_signatures"] + ["order_violations"] * ordered
        return [f"{seen[name]} {name.replace('_', ' ')} at a sink" for name in names if seen[name]]

    def close(self):
        self.process.kill()
        self.process.wait()


def on_its_own_machine():
    """In front of a command: it runs as if no other program shared its processor, so that what it
    measures is not its own wait for one. Empty where that is not permitted."""
    command = ["chrt", "--rr", "1"]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    if tried.returncode == 0:
        return command
    note("no permission for real-time priority: delays include waits for a processor")
    return []


def bare_loop(programs, sink, requests, problems):
    """One run of the bare libcurl loop against the sink, which must be reset before it counts."""
    result = run_json([programs / "bench_curl_baseline", "--port", sink.port, "--requests",
                       requests, "--concurrency", CONNECTIONS])
    if result["failures"]:
        problems.append(f"{result['failures']} failed requests of the bare loop")
    return result


def cpu_seconds(pid):
    """User and system time of all threads of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid, line_of="VmRSS:"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(line_of):
            return int(line.split()[1]) / 1024
    return 0.0


def reset_peak(pid):
    """From now on the peak is a new one."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mb(pid):
    return rss_mb(pid, "VmHWM:")


def run_json(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise SystemExit(f"{command[0]}: {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def arrival_delays(log, arrivals):
    """Milliseconds from each accepted call of the generator's log to its arrival at the sink."""
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
    return delays
