"""Calls that go on beside something else, and how long each of them takes."""
import threading
import time


class Probe:
    """Repeats each named call on a thread of its own while the block lasts.

    with Probe(get=lambda: ..., write=lambda: ...) as probe: ...
    probe.times["get"]: seconds of each; probe.errors: what was raised."""

    def __init__(self, pause_s=0.01, **calls):
        self.pause_s = pause_s
        self.times = {name: [] for name in calls}
        self.errors = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.repeat, args=each) for each in calls.items()]

    def repeat(self, name, call):
        while not self.over.wait(self.pause_s):
            begun = time.monotonic()
            try:
                call()
            except Exception as why:  # noqa: BLE001 -- told by whoever looks at the result
                self.errors.append(f"{name}: {why!r}")
                return
            self.times[name].append(time.monotonic() - begun)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
