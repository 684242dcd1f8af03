#!/usr/bin/env python3
"""A marketplace's day, played against the real daemon and the sample vendor.

Exits 0 only if every notification arrived, in order, genuine, whatever happened in between.
"""
import argparse
import base64
import concurrent.futures
import http.client
import json
import pathlib
import secrets
import subprocess
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import audit  # noqa: E402
import harness  # noqa: E402

VENDOR = harness.ROOT / "docs" / "examples" / "sample_vendor.py"
SUBSCRIPTIONS = 320
WORKERS = 4
AWAY_S = 3


class Day:
    def __init__(self, build):
        self.begun = time.monotonic()
        schedule = ["0s", "200ms", "500ms", "1s", "2s", "3s", "5s", "5s", "10s", "10s"]
        self.daemon = harness.Daemon({"delivery": {"schedule": schedule}}, build=build,
                                     unaudited="the day has an account of its own")
        self.vendor = None
        self.vendor_port = 0
        self.ledger = self.daemon.directory / "vendor.jsonl"
        self.secret = secrets.token_hex(16)
        self.client = None
        self.subscriptions = []
        self.reached = threading.Event()

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:6.1f} s] {text}", flush=True)

    # ---- the vendor's program ------------------------------------------------------------------

    def start_vendor(self):
        self.vendor = subprocess.Popen(
            [sys.executable, str(VENDOR), "--listen", f"127.0.0.1:{self.vendor_port}",
             "--api", self.daemon.api, "--token-file", str(self.daemon.directory / "vendor.token"),
             "--secret", self.secret, "--standard-secret", self.standard_secret,
             "--ledger", str(self.ledger)], stdout=subprocess.PIPE, text=True)
        address = self.vendor.stdout.readline().strip()
        self.vendor_port = urllib.parse.urlsplit(address).port
        return address

    def stop_vendor(self):
        self.vendor.terminate()
        self.vendor.wait(10)

    # ---- the marketplace's program -------------------------------------------------------------

    def steady(self, method, path, body=None):
        """A call that is repeated with its key until there is a definite answer."""
        headers = {"Idempotency-Key": secrets.token_hex(12)}
        limit = time.monotonic() + 60
        while True:
            try:
                return self.client.call(method, path, {} if body is None else body, headers)
            except harness.Refused as why:
                if why.status != 503 or time.monotonic() > limit:
                    raise
            except (OSError, http.client.HTTPException):
                if time.monotonic() > limit:
                    raise
            time.sleep(0.1)

    def each(self, items, work):
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(work, items))

    def act(self, chosen, action, body=None):
        self.each(chosen, lambda number: self.steady("POST", f"/v1/subscriptions/{number}/{action}",
                                                     body))

    def count(self, status):
        return sum(1 for _ in self.client.all(f"/v1/subscriptions?status={status}"))

    def wait_count(self, status, number, seconds=90):
        harness.wait_until(lambda: self.count(status) >= number, seconds,
                           f"{number} subscriptions {status}")

    # ---- the day -------------------------------------------------------------------------------

    def open_shop(self):
        self.daemon.start()
        self.client = harness.Client(self.daemon.api, self.daemon.token("operator"))
        self.say(f"daemon {self.daemon.api}, state in {self.daemon.directory}")
        vendor = self.client.post("/v1/vendors", {"name": "Acme Software"})
        token = self.daemon.token("vendor", vendor["id"])
        (self.daemon.directory / "vendor.token").write_text(token)
        product = self.client.post("/v1/products", {"vendor_id": vendor["id"], "name": "Acme Mail"})
        plan = self.client.post("/v1/plans", {"product_id": product["id"], "name": "Business",
                                              "billing_period_months": 1, "trial_days": 14})
        self.plan = plan["id"]
        # The sample vendor needs its secrets, the endpoints need its address: choose both first.
        self.standard_secret = "whsec_" + base64.b64encode(
            secrets.token_bytes(32)).decode()
        address = self.start_vendor()
        self.endpoints = []
        for form, secret in (("cloudesire", self.secret), ("standard", self.standard_secret)):
            self.endpoints.append(self.client.post("/v1/endpoints", {
                "scope": "vendor", "scope_id": vendor["id"], "url": f"{address}/{form}",
                "form": form, "secret": secret})["id"])
        self.say(f"vendor {vendor['id']} listens on {address}, in both forms; product, plan")
        reseller = self.client.post("/v1/tenants", {"kind": "reseller", "parent_id": 1,
                                                    "name": "North Resale"})
        self.customers = [self.client.post("/v1/tenants", {
            "kind": "customer", "parent_id": reseller["id"] if n % 2 else 1,
            "name": f"Customer {n}"})["id"] for n in range(8)]
        self.say("one reseller, eight customers")

    def order(self, number):
        wanted = {"tenant_id": self.customers[number % len(self.customers)], "plan_id": self.plan}
        if number % 4 == 0:
            wanted["type"] = "TRIAL"
        elif number % 4 == 1:
            wanted["paid"] = True
        return self.steady("POST", "/v1/subscriptions", wanted)

    def morning(self):
        made = self.each(range(SUBSCRIPTIONS), self.order)
        self.subscriptions = [s["id"] for s in made]
        waiting = [s["id"] for s in made if s["status"] == "WAITING_PAYMENT"]
        self.normal = [s["id"] for s in made if s["type"] == "NORMAL"]
        self.say(f"{len(made)} subscriptions ordered, {len(waiting)} of them wait for payment")
        self.act(waiting, "pay")
        self.say("paid")
        self.wait_count("DEPLOYED", SUBSCRIPTIONS)
        self.say(f"the vendor has provisioned all {SUBSCRIPTIONS}")
        self.act(self.normal[:100], "renew")
        self.say("100 renewed")
        self.act(self.normal[:80], "suspend", {"reason": "UNPAID"})
        self.say("80 suspended")

    def noon(self):
        self.stop_vendor()
        self.say("the vendor's program is stopped")
        self.act(self.normal[:80], "resume", {"reason": "UNPAID"})
        self.say("80 resumed meanwhile, their notifications wait")
        time.sleep(AWAY_S)
        self.say(f"after {AWAY_S} s `syndctl queue ls` shows:")
        print(self.daemon.syndctl("queue", "ls").stdout, flush=True)

    def afternoon(self):
        killer = threading.Thread(target=self.crash)
        killer.start()
        cancelled = self.normal[80:160]
        for start in range(0, len(cancelled), 8):
            self.act(cancelled[start:start + 8], "cancel")
            if start == 32:
                self.reached.set()
        killer.join()
        self.say("80 cancelled, across the crash; every call got its one answer")
        self.start_vendor()
        self.say("the vendor's program is back")
        self.act(cancelled[:40], "reinstate")
        self.act(cancelled[40:], "terminate")
        self.say("40 reinstated, 40 terminated")

    def crash(self):
        self.reached.wait(60)
        self.daemon.kill()
        self.say("the daemon is killed (SIGKILL)")
        begun = time.monotonic()
        self.daemon.start()
        self.say(f"restarted, ready after {time.monotonic() - begun:.2f} s")

    def evening(self):
        self.wait_count("UNDEPLOYED", 40)
        self.say("the vendor has confirmed the 40 removals")
        return harness.wait_until(lambda: harness.drained(self.client), 90, "empty queues")

    # ---- the account ---------------------------------------------------------------------------

    def entries(self):
        for line in self.ledger.read_text().splitlines():
            entry = json.loads(line)
            if entry["type"] == "test.ping":
                continue
            number = entry["event"]
            if isinstance(number, str):
                number = int(number.rsplit("_", 1)[1])
            yield audit.Entry(entry["form"], number, int(entry["id"]), entry["seq"],
                              entry["body_sha256"], entry["answered"] == 204, entry["signature_ok"])

    def account(self, counted):
        report = audit.audit(
            lambda stream: list(self.client.all(
                f"/v1/events?entity=subscription&entity_id={stream}")),
            list(self.entries()), self.subscriptions)
        rows = [("accepted", counted["accepted"]), ("delivered", counted["delivered"]),
                ("pending", counted["pending"]), ("parked", counted["parked"]),
                ("received by the vendor, once each", report.delivered),
                ("duplicates (allowed after a crash)", report.duplicates),
                ("lost", report.lost), ("never accepted, but sent", report.phantoms),
                ("order violations", report.order_violations),
                ("attempts with other bytes", report.changed_bytes),
                ("signature failures", report.bad_signatures)]
        print()
        for name, value in rows:
            print(f"  {name:<36} {value:>7}")
        adds_up = counted["accepted"] == sum(
            counted[name] for name in ("delivered", "pending", "parked", "cancelled"))
        print(f"  accepted = delivered + pending + parked : {'yes' if adds_up else 'NO'}\n")
        for problem in report.problems:
            print("  " + problem)
        return (adds_up and report.clean() and counted["parked"] == 0
                and report.delivered == counted["delivered"])

    def show(self):
        for arguments in (("queue", "ls"), ("status",)):
            print("$ syndctl " + " ".join(arguments))
            print(self.daemon.syndctl(*arguments).stdout, flush=True)

    def keep(self):
        token = (self.daemon.directory / "operator.token")
        token.touch(mode=0o600)
        token.write_text(self.client.token)
        print(f"Left running. API {self.daemon.api}, admin socket {self.daemon.socket}\n"
              f"operator's token: {self.client.token}\n"
              f"Try:\n"
              f"  {self.daemon.ctl} --socket {self.daemon.socket} status\n"
              f"  curl -s -H 'Authorization: Bearer {self.client.token}' "
              f"'{self.daemon.api}/v1/subscriptions?limit=2'\n"
              f"  {self.daemon.ctl} --socket {self.daemon.socket} "
              f"endpoint test {self.endpoints[0]}\n"
              f"End it with: kill {self.daemon.process.pid} {self.vendor.pid}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=harness.build_directory())
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    options = parser.parse_args()
    day = Day(options.build)
    held = False
    try:
        day.open_shop()
        day.morning()
        day.noon()
        day.afternoon()
        counted = day.evening()
        held = day.account(counted)
        day.show()
        day.say("everything held" if held else "NOT everything held")
        if options.keep:
            day.keep()
    except (AssertionError, harness.Refused, OSError, http.client.HTTPException) as why:
        print(f"failed: {why}\n{day.daemon.tail()}", file=sys.stderr)
    finally:
        if not (options.keep and held):
            if day.vendor is not None:
                day.stop_vendor()
            if held:
                held = day.daemon.stop() == 0
            day.daemon.cleanup()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
