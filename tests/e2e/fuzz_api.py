#!/usr/bin/env python3
"""Holds the real daemon against its own OpenAPI document: generated requests with the token of each
role, to all that is reachable on the port. `./dev fuzz-api [MINUTES]`.

Found is any answer 5xx, a status, a media type or a header that the document does not name, and a
body that its schema does not allow. schemathesis comes from PyPI into a venv of its own below the
build directory. Each role has a daemon of its own, seeded, so that requests find something.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import venv

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import harness  # noqa: E402

SCHEMATHESIS = "schemathesis==4.32.5"
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
          "response_headers_conformance", "response_schema_conformance", "allow_header_conformance")
FIRST_IDS = list(range(1, 25))  # each kind counts from 1
MINUTES_DEFAULT = 10
# Methods that no server knows are answered 501, as HTTP wants it: none of those.
SETTINGS = """
[phases.coverage]
unexpected-methods = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]
"""


def install(directory):
    """The path of schemathesis, installed once for each version."""
    program = directory / SCHEMATHESIS / "bin" / "schemathesis"
    if not program.exists():
        venv.create(directory / SCHEMATHESIS, with_pip=True)
        subprocess.run([program.parent / "pip", "install", "--quiet",
                        "--disable-pip-version-check", SCHEMATHESIS], check=True)
    return program


class Target:
    """A daemon in which there is something of every kind."""

    def __init__(self, build):
        self.daemon = harness.Daemon({"log": {"level": "warning"}}, build=build)
        self.sink = harness.Sink()

    def seed(self):
        self.daemon.start()
        self.client = self.daemon.client()
        post = self.client.post
        shop = harness.Shop(self.client)
        self.vendor = shop.vendor["id"]
        types = [{"name": "cloud", "class": "reference", "context": "provider"},
                 {"name": "vps", "class": "service", "unit": "unit", "context": "customer",
                  "parent_type": "cloud", "link": "strong"}]
        product = post("/v1/products", {"vendor_id": self.vendor, "name": "Cloud",
                                        "resource_types": types})["id"]
        plans = [shop.plan["id"], post("/v1/plans", {
            "product_id": product, "name": "Servers", "trial_days": 14,
            "resources": [{"name": "cloud", "limit": 1, "overage": 0},
                          {"name": "vps", "limit": -1}]})["id"]]
        self.reseller = post("/v1/tenants", {"kind": "reseller", "parent_id": 1,
                                             "name": "Reseller"})["id"]
        self.customers = [post("/v1/tenants", {"kind": "customer", "parent_id": self.reseller,
                                               "name": f"Customer {n}"})["id"] for n in range(8)]
        shop.endpoint(self.sink.url + "/standard")
        shop.endpoint(self.sink.url + "/cloudesire", form="cloudesire")
        vendor = self.daemon.client("vendor", self.vendor)
        for n in range(20):
            made = post("/v1/subscriptions", {
                "tenant_id": self.customers[n % len(self.customers)], "plan_id": plans[n % 2],
                "paid": n % 5 != 0})["id"]
            if n % 5 > 1:
                vendor.patch(f"/api/subscription/{made}", {"deploymentStatus": "DEPLOYED"})
            if n % 2 and n % 5 != 0:
                post(f"/v1/subscriptions/{made}/resources", {"type": "vps"})
        for n, tenant in enumerate(self.customers):
            post("/v1/users", {"tenant_id": tenant, "login": f"user{n}",
                               "contact": {"email": f"user{n}@example.com"}})
        for _ in range(10):
            post("/v1/events", {"name": "shop.sold", "data": {"amount": 1}})

    def seeded(self):
        """By the names that parameters have in the document."""
        tenants = [t["id"] for t in self.client.get("/api/2/tenants?lod=basic")["items"]]
        users = [u["id"] for u in self.client.get("/api/2/users")["items"]]
        everybody = [1, self.reseller, *self.customers]
        return {"id": FIRST_IDS, "resource_id": FIRST_IDS, "instance_id": FIRST_IDS,
                "tenant": tenants, "user": users, "tenant_id": everybody, "parent_id": everybody,
                "vendor_id": [1], "product_id": [1, 2], "plan_id": [1, 2], "scope_id": [1, 2],
                "subscription_id": FIRST_IDS, "endpoint_id": [1, 2]}

    def close(self):
        self.sink.close()
        self.daemon.cleanup()


# Whose token: role and what it is for.
CALLERS = {
    "operator": lambda t: t.daemon.token("operator"),
    "marketplace": lambda t: t.daemon.token("marketplace"),
    "vendor": lambda t: t.daemon.token("vendor", t.vendor),
    "reseller": lambda t: t.daemon.token("tenant", t.reseller),
    "customer": lambda t: t.daemon.token("tenant", t.customers[0]),
    "nobody": lambda t: "syn_0_nobody",
}


def run(name, options, program, seconds):
    target = Target(options.build)
    try:
        target.seed()
        return fuzz(target, name, options, program, seconds)
    finally:
        target.close()


def fuzz(target, name, options, program, seconds):
    reports = options.build / "fuzz" / name
    environment = {**os.environ, "FUZZ_SEEDED": json.dumps(target.seeded()),
                   "SCHEMATHESIS_HOOKS": "fuzz_hooks",
                   "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    settings = options.build / "fuzz" / "schemathesis.toml"
    settings.write_text(SETTINGS)
    command = [program, "--config-file", settings, "run", target.daemon.api + "/openapi.json",
               "--no-color", "--header", f"Authorization: Bearer {CALLERS[name](target)}",
               "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
               "--max-time", str(seconds), "--max-examples", "1000", "--continue-on-failure",
               # /admin is on the socket only.
               "--exclude-path-regex", "^/admin", "--warnings", "off",
               "--suppress-health-check", "all", "--no-shrink", "--generation-database", "none",
               # Wrong tokens again and again would shut this address out.
               "--generation-with-security-parameters", "false",
               "--report", "ndjson", "--report-dir", str(reports)]
    if options.seed is not None:
        command += ["--seed", str(options.seed)]
    if options.only_path:
        command += ["--include-path-regex", options.only_path]
    print(f"==== {name}, {seconds} s", flush=True)
    code = subprocess.run(command, env=environment, check=False, cwd=options.build).returncode
    if target.daemon.process.poll() is not None:
        print(f"the daemon ended with {target.daemon.process.returncode}\n"
              + target.daemon.tail(), flush=True)
        return False
    return code == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--caller", choices=CALLERS, help="one of them")
    parser.add_argument("--only-path", help="a regular expression")
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat it")
    parser.add_argument("minutes", nargs="?", type=float, default=MINUTES_DEFAULT)
    options = parser.parse_args()
    options.build = options.build.resolve()
    program = install(options.build / "fuzz")
    names = [options.caller] if options.caller else list(CALLERS)
    seconds = max(1, round(options.minutes * 60 / len(names)))
    bad = [name for name in names if not run(name, options, program, seconds)]
    print("found something as " + ", ".join(bad) if bad else "found nothing")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
