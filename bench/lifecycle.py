"""Crowds: many subscriptions that have something to do at the same time.

`timers`: all subscriptions have begun within a minute or two, and the clock is set to 63 days later
(simulated time), as after an outage: each has to be renewed twice, one renewal after the other.

`cascade`: a reseller's customers have all the subscriptions. One customer is disabled; then the
reseller is, and enabled again when half of the notifications of that are there. From the moment of
the answer nobody below the reseller has access, although the subscriptions are stopped one after
the other; at the end all is as before, and the one customer is still disabled.

Meanwhile reads and small writes go on, whose 99th percentile is told beside that of the calm
before. Memory is the peak of the resident set during the crowd, beside what was resident before it.
"""
import random
import threading
import time

from common import note, peak_mb, percentile, reset_peak, rss_mb, run_json
import harness
from probe import Probe
from scale import Market

SETTINGS = {"log": {"level": "warning"}, "testing": {"simulated_time": True},
            "retention": {"events": "3650d", "attempts": "3650d"}}
CALM_S = 5
AWAY = 63 * 86_400  # two ends of a month, wherever one starts; never three
CUSTOMERS = 100
CROWD_S = 1800
GROWTH_MAX_MIB = 256  # of the resident set, whatever the number


class Crowd:
    """What both have in common. `name` leads the names of the figures."""

    def __init__(self, programs, name, subscriptions):
        self.name = name
        self.subscriptions = subscriptions
        self.problems = []
        self.market = Market(programs, self.problems, SETTINGS)
        self.figures = {f"{name}_subscriptions": subscriptions}

    def open(self):
        self.client = self.market.open()
        self.pid = self.market.daemon.process.pid

    def connect(self):
        """Connections that waited while subscriptions were stored may have been closed."""
        self.client, self.reader, self.writer = (
            harness.Client(self.market.daemon.api, self.client.token, 60) for _ in range(3))

    def fill(self, tenants):
        """The same number of deployed subscriptions for each tenant."""
        note(f"{self.name}: storing {self.subscriptions} subscriptions ...")
        market, shop = self.market, self.market.shop
        for tenant in tenants:
            made = run_json(market.calls(
                "--call", "create", "--count", self.subscriptions // len(tenants), "--plan",
                shop.plan["id"], "--tenant", tenant, ids=market.ids, token=market.token))
            if made["errors"]:
                self.problems.append(f"{made['errors']} refused creations: {made['statuses']}")
        vendor = market.daemon.client("vendor", shop.vendor["id"])
        run_json(market.calls("--call", "deploy", ids=market.ids,
                              token=market.token_file("vendor", vendor)))
        self.ids = [int(line.split()[0]) for line in market.ids.read_text().splitlines()]
        market.settle()
        market.sink.reset()
        self.connect()

    def get(self, number):
        return self.reader.get(f"/v1/subscriptions/{number}")

    def look(self):
        self.get(random.choice(self.ids))

    def write(self):
        self.writer.post("/v1/events", {"name": "bench.small", "data": {}})

    def calm(self):
        with Probe(get=self.look, write=self.write) as probe:
            time.sleep(CALM_S)
        self.tell(probe, "calm")
        self.before_mb = rss_mb(self.pid)
        reset_peak(self.pid)

    def tell(self, probe, when):
        self.problems += probe.errors
        for name, times in probe.times.items():
            self.figures[f"{self.name}_{name}_p99_{when}_ms"] = round(
                percentile(times, 0.99) * 1000, 2)

    def wait_received(self, wanted):
        """Until the vendor has so many, with the rate told now and then."""
        limit = time.monotonic() + CROWD_S
        while (received := self.market.sink.stats()["received"]) < wanted:
            if time.monotonic() > limit:
                self.problems.append(f"{received} of {wanted} notifications came in {CROWD_S} s")
                return
            time.sleep(0.1)

    def end(self, took, handled):
        growth = peak_mb(self.pid) - self.before_mb
        if growth > GROWTH_MAX_MIB:
            self.problems.append(f"the resident set grew by {growth:.0f} MiB")
        self.problems += self.market.sink.faults()
        self.figures |= {f"{self.name}_per_s": round(handled / took),
                         f"{self.name}_took_s": round(took, 1),
                         f"{self.name}_rss_before_mib": round(self.before_mb, 1),
                         f"{self.name}_rss_growth_mib": round(growth, 1)}
        return self.figures

    def close(self):
        self.market.close()


class Timers(Crowd):
    def __init__(self, programs, subscriptions):
        super().__init__(programs, "timers", subscriptions)

    def jump(self):
        try:
            harness.AdminClient(self.market.daemon.socket, CROWD_S).post(
                "/admin/clock", {"advance_s": AWAY, "jump": True})
        except harness.Refused as why:  # it has moved, and says that this takes long
            if "clock_waits" not in str(why):
                self.problems.append(str(why))

    def run(self):
        self.open()
        self.fill([self.market.shop.tenant["id"]])
        self.calm()
        note("timers: all of them are due ...")
        begun = time.monotonic()
        with Probe(get=self.look, write=self.write) as probe:
            jump = threading.Thread(target=self.jump)
            jump.start()
            self.wait_received(2 * self.subscriptions)
        took = time.monotonic() - begun
        jump.join()
        self.tell(probe, "busy")
        arrived = self.market.sink.arrivals()
        odd = sum(1 for number in self.ids if len(arrived.get(number, [])) != 2)
        if odd:
            self.problems.append(f"{odd} subscriptions were not renewed twice")
        return self.end(took, 2 * self.subscriptions)


class Cascade(Crowd):
    def __init__(self, programs, subscriptions):
        super().__init__(programs, "cascade", subscriptions)

    def switch(self, tenant, action):
        return self.client.post(f"/v1/tenants/{tenant}/{action}")

    def no_access(self):
        number = random.choice(self.ids)
        if self.get(number)["access"]:
            raise AssertionError(f"subscription {number} has access below a disabled reseller")

    def tree(self):
        reseller = self.client.post("/v1/tenants", {"kind": "reseller", "parent_id": 1,
                                                    "name": "Reseller"})["id"]
        return reseller, [self.client.post("/v1/tenants", {
            "kind": "customer", "parent_id": reseller, "name": f"Customer {n}"})["id"]
            for n in range(CUSTOMERS)]

    def nothing_due(self):
        return self.market.daemon.admin().get("/admin/clock")["due"] == 0

    def check_end(self, alone):
        """Everything as before, but for the one customer."""
        wrong = 0
        for one in self.client.all("/v1/subscriptions"):
            expected = "STOPPED" if one["tenant_id"] == alone else "DEPLOYED"
            wrong += one["status"] != expected
        if wrong:
            self.problems.append(f"{wrong} subscriptions are not as they were before")

    def run(self):
        self.open()
        reseller, customers = self.tree()
        self.fill(customers)
        alone = customers[CUSTOMERS // 2]
        below_alone = self.subscriptions // CUSTOMERS
        self.switch(alone, "disable")
        self.wait_received(below_alone)
        self.market.settle()
        self.calm()
        note("cascade: the reseller is disabled ...")
        begun = time.monotonic()
        self.switch(reseller, "disable")
        with Probe(0, get=self.no_access, write=self.write) as probe:
            self.wait_received(below_alone + self.subscriptions // 2)
        told = self.market.sink.stats()["received"]
        self.switch(reseller, "enable")
        harness.wait_until(self.nothing_due, CROWD_S, "the end of the cascades")
        harness.wait_until(lambda: harness.drained(self.client), CROWD_S, "empty queues")
        took = time.monotonic() - begun
        self.tell(probe, "busy")
        self.figures["cascade_told_before_enabled"] = told - below_alone
        self.figures["cascade_reads_without_access"] = len(probe.times["get"])
        if told == below_alone + self.subscriptions:
            self.problems.append("the reseller was enabled too late to be midway")
        self.check_end(alone)
        return self.end(took, self.market.sink.stats()["received"] - below_alone)


def rows(name, unit):
    return [(name, f"{name}_subscriptions", "subscriptions"),
            ("", f"{name}_per_s", unit),
            ("", f"{name}_took_s", "s"),
            ("", f"{name}_rss_before_mib", "MiB resident before"),
            ("", f"{name}_rss_growth_mib", "MiB more at the peak"),
            ("", f"{name}_get_p99_calm_ms", "ms, p99 of a read before"),
            ("", f"{name}_get_p99_busy_ms", "ms, p99 of a read meanwhile"),
            ("", f"{name}_write_p99_calm_ms", "ms, p99 of a small write before"),
            ("", f"{name}_write_p99_busy_ms", "ms, p99 of a small write meanwhile")]


TIMERS_ROWS = rows("timers", "renewals/s, told to the vendor")
CASCADE_ROWS = rows("cascade", "stops and starts/s, told to the vendor") + [
    ("", "cascade_told_before_enabled", "stops told when the reseller was enabled again"),
    ("", "cascade_reads_without_access", "reads until then, none of which showed access")]
