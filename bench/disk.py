"""Bytes on disk for each delivered event.

Scenario: events of 300 bytes of data each, published 1,000 lines a call without a stream, to one
endpoint that takes each at the first attempt; attempts are kept. When all are delivered the store
is compacted (`POST /admin/compact`). The figure is what the state directory's database holds then,
divided by the events: nothing is subtracted for what it held before.

Two thirds of a payload is text that does not compress (random base64), as ids, tokens and hashes
are; compression gains little on it, and what it gains elsewhere is the same in real life.
"""
import base64
import json
import random

from common import SECRET, Sink, note
import harness

DATA_BYTES = 300
LINES = 1000


def payload(source, number):
    """A JSON object of DATA_BYTES bytes."""
    head = {"order_id": number, "customer": f"customer-{source.randrange(10 ** 6)}",
            "currency": "EUR", "amount": source.randrange(10 ** 5), "paid": True, "token": ""}
    room = DATA_BYTES - len(json.dumps(head, separators=(",", ":")))
    head["token"] = base64.b64encode(source.randbytes(room)).decode()[:room]
    return json.dumps(head, separators=(",", ":"))


class Disk:
    def __init__(self, programs, events):
        self.events = events
        self.sink = Sink(programs)
        self.daemon = harness.Daemon({"log": {"level": "warning"}}, build=programs.parent,
                                     unaudited="a benchmark counts by itself")
        self.problems = []

    def publish(self, client):
        source = random.Random(1)
        for first in range(0, self.events, LINES):
            lines = "".join(f'{{"name":"shop.order_paid","data":{payload(source, n)}}}\n'
                            for n in range(first, first + LINES))
            status, _, answer = client.raw("POST", "/v1/events", lines.encode(),
                                           {"Content-Type": "application/x-ndjson"})
            if status != 202:
                raise SystemExit(f"publishing: {status} {answer}")

    def run(self):
        self.daemon.start()
        client = self.daemon.client()
        client.post("/v1/endpoints", {
            "scope": "platform", "url": f"http://127.0.0.1:{self.sink.port}/hook",
            "form": "standard", "events": ["shop.*"],
            "secret": "whsec_" + base64.b64encode(SECRET.encode()).decode()})
        note(f"publishing {self.events} events ...")
        self.publish(client)
        end = harness.wait_until(lambda: harness.drained(client), 300, "all delivered")
        if end["delivered"] != self.events:
            self.problems.append(f"{self.events} accepted, {end['delivered']} delivered")
        self.problems += self.sink.faults(ordered=False)  # no streams
        note("compacting ...")
        done = json.loads(self.daemon.syndctl("--json", "compact").stdout)
        per_event = {name: round(size / self.events, 1)
                     for name, size in done["store_families"].items()}
        return {
            "disk_bytes_per_event": round(done["bytes_after"] / self.events, 1),
            "disk_payload_bytes": DATA_BYTES,
            "disk_events": self.events,
            "disk_bytes_by_family": {name: size for name, size in per_event.items() if size >= 0.1},
        }

    def close(self):
        self.sink.close()
        self.daemon.cleanup()


ROWS = [
    ("disk", "disk_bytes_per_event", "bytes per delivered event, compacted, attempts kept"),
    ("", "disk_payload_bytes", "bytes of data in each"),
    ("", "disk_events", "events"),
    ("", "disk_bytes_by_family", ""),
]
