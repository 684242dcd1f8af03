"""The sample connector between the daemon and a stub of the Partner Center: order, suspension,
resumption, quantity, termination; killed in between, with a Partner Center that fails."""
import hashlib
import hmac
import http.client
import json
import sqlite3
import subprocess
import sys
import unittest
import urllib.parse

import harness

EXAMPLE = harness.ROOT / "docs" / "examples" / "csp_connector"
OFFER = "031C9E47-4802-4248-838E-778FB1D2CC05"
SECRET = "of the connector: chève"


class Connector(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)
        self.plan = self.make_plan({"offerId": OFFER})
        self.shop.plan = self.plan
        files = {"token": self.daemon.token("vendor", self.shop.vendor["id"]), "secret": SECRET,
                 "partner": "partner-token"}
        for name, text in files.items():
            (self.daemon.directory / name).write_text(text)
        self.state = self.daemon.directory / "connector.sqlite"
        self.port = 0
        stub_url = self.run_program([EXAMPLE / "partner_center_stub.py"])[1]
        self.stub = harness.Client(stub_url, "partner-token")
        self.partner = stub_url
        self.start_connector()
        self.shop.endpoint(self.url + "/hook", form="cloudesire", secret=SECRET)

    def make_plan(self, metadata):
        return self.client.post("/v1/plans", {
            "product_id": self.shop.product["id"], "name": "Business", "metadata": metadata,
            "billing_period_months": 1, "resources": [{"name": "seats", "limit": -1}]})

    def run_program(self, command):
        program = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        return program, program.stdout.readline().strip()

    def start_connector(self):
        files = self.daemon.directory
        self.connector, self.url = self.run_program([
            EXAMPLE / "connector.py", "--listen", f"127.0.0.1:{self.port}",
            "--platform", self.daemon.api, "--token-file", files / "token",
            "--secret-file", files / "secret", "--partner-center", self.partner,
            "--partner-token-file", files / "partner", "--state", self.state])
        self.port = urllib.parse.urlsplit(self.url).port

    def kill_connector(self):
        self.connector.kill()
        self.connector.wait()

    def trouble(self, **what):
        self.stub.post("/stub/trouble", what)

    def calls(self, method, ending):
        return [c for c in self.stub.get("/stub/calls")
                if c["method"] == method and c["path"].endswith(ending)]

    def status(self, subscription):
        return self.client.get(f"/v1/subscriptions/{subscription}")["status"]

    def wait_status(self, subscription, wanted):
        harness.wait_until(lambda: self.status(subscription) == wanted, 30,
                           f"subscription {subscription} {wanted}")

    def bought(self, subscription):
        """What the Partner Center has for it."""
        metadata = self.client.get(f"/api/subscription/{subscription}/metadata")
        return self.stub.get(f"/v1/customers/{metadata['partnerCustomer']}/subscriptions/"
                             f"{metadata['partnerSubscription']}")

    def wait_bought(self, subscription, **wanted):
        harness.wait_until(lambda: wanted.items() <= self.bought(subscription).items(), 30, wanted)

    def jobs(self):
        with sqlite3.connect(self.state) as db:
            return db.execute("SELECT subscription, attempts, last_error FROM jobs").fetchall()

    def ordered(self, seats):
        made = self.shop.subscription(quantities={"seats": seats})["id"]
        self.wait_status(made, "DEPLOYED")
        return made

    def act(self, subscription, action, body=None):
        return self.client.post(f"/v1/subscriptions/{subscription}/{action}", body)

    def test_the_life_of_a_subscription(self):
        made = self.ordered(5)
        found = self.bought(made)
        self.assertEqual((found["offerId"], found["quantity"], found["status"]),
                         (OFFER, 5, "active"))
        shown = self.client.get(f"/api/subscription/{made}")
        self.assertEqual(shown["endpoints"][0]["category"], "APP")
        self.act(made, "suspend")
        self.wait_bought(made, status="suspended")
        # What happens while the connector is down is not lost.
        self.kill_connector()
        self.act(made, "resume")
        self.act(made, "change", {"quantities": {"seats": 8}})
        self.start_connector()
        self.wait_bought(made, status="active", quantity=8)
        # A second order of the same customer needs no second customer.
        self.ordered(1)
        self.assertEqual(len(self.calls("POST", "/customers")), 1)
        self.act(made, "terminate")
        self.wait_status(made, "UNDEPLOYED")
        self.assertEqual(self.bought(made)["status"], "deleted")
        self.assertEqual(len(self.calls("POST", "/orders")), 2)
        harness.wait_until(lambda: harness.drained(self.client), 30, "an empty queue")
        harness.wait_until(lambda: not self.jobs(), 30, "no job")
        patches = [c["body"] for c in self.calls("PATCH", f"/{found['id']}")]
        self.assertEqual([p["status"] for p in patches if "status" in p],
                         ["suspended", "active", "deleted"])
        self.assertEqual([p["quantity"] for p in patches if "quantity" in p], [8])

    def test_jobs_outlive_the_connector_and_orders_are_placed_once(self):
        # The order is taken, but its answer is lost; then the Partner Center is down.
        self.trouble(kind="cut", times=1, path="orders")
        self.trouble(kind="refuse", status=503, times=1000, path="")
        made = self.shop.subscription(quantities={"seats": 3})["id"]
        harness.wait_until(lambda: self.jobs() and self.jobs()[0][1] >= 2, 30, "failing attempts")
        # The marketplace did not wait for it.
        harness.wait_until(lambda: harness.drained(self.client), 30, "an empty queue")
        self.kill_connector()
        self.assertEqual(self.jobs()[0][0], made)
        self.assertEqual(self.status(made), "PENDING")
        self.stub.post("/stub/well")
        self.start_connector()
        self.wait_status(made, "DEPLOYED")
        self.assertEqual(len(self.calls("POST", "/orders")), 1)
        self.assertEqual(self.bought(made)["quantity"], 3)

    def test_a_refused_order_has_failed_and_can_be_redeployed(self):
        wrong = self.make_plan({})
        made = self.shop.subscription(plan_id=wrong["id"], quantities={"seats": 2})["id"]
        self.wait_status(made, "FAILED")
        shown = self.client.get(f"/api/subscription/{made}")
        self.assertIn("offerId", shown["endUserInstructions"])
        self.client.patch(f"/v1/plans/{wrong['id']}", {"metadata": {"offerId": OFFER}})
        self.act(made, "redeploy")
        self.wait_status(made, "DEPLOYED")

    def test_only_the_marketplace_is_heard_and_repeats_are_dropped(self):
        def send(event, secret=SECRET):
            body = json.dumps({"eventId": event, "entity": "Subscription", "id": 999_999,
                               "entityUrl": "subscription/999999", "type": "CREATED"}).encode()
            signed = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
            to = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            to.request("POST", "/hook", body, {"CMW-Event-Signature": signed})
            status = to.getresponse().status
            to.close()
            return status

        self.assertEqual(send(10**12, "another"), 401)
        self.assertEqual([send(10**12 + 1), send(10**12 + 1), send(10**12 + 2)], [204] * 3)
        with sqlite3.connect(self.state) as db:
            seen = db.execute("SELECT event FROM seen WHERE event >= ?", (10**12,)).fetchall()
        self.assertEqual(seen, [(10**12 + 1,), (10**12 + 2,)])
        # The marketplace's own test.
        endpoint = next(iter(self.client.all("/v1/endpoints")))["id"]
        self.assertEqual(self.client.post(f"/v1/endpoints/{endpoint}/test")["status"], 204)
        harness.wait_until(lambda: not self.jobs(), 30, "no job for what does not exist")


if __name__ == "__main__":
    unittest.main()
