"""A vendor's code as the public templates have it, against the real daemon: notifications in,
reads and reports out; the synchronous questions of an order; help for oneself."""
import json
import threading
import unittest

import harness


class Template:
    """What the Go, Python and Rust templates do: provision when PENDING and paid, suspend when
    STOPPED, unprovision on DELETED and then report UNDEPLOYED, whatever the status. They know
    nothing of UNDEPLOY_SENT and ignore it. Work is done after the answer, as the templates do."""

    def __init__(self, client):
        self.client = client  # with the vendor's token
        self.accounts = {}  # subscription -> "active", "suspended" or "gone"
        self.statuses = []  # of reports
        self.lock = threading.Lock()

    def hear(self, notification):
        if notification["entity"] != "Subscription":
            return
        number = notification["id"]
        assert isinstance(number, int)  # decoded strictly
        with self.lock:
            if notification["type"] == "DELETED":
                self.accounts[number] = "gone"
                self.report(number, "UNDEPLOYED")
                return
            status, _, body = self.client.raw("GET", "/api/" + notification["entityUrl"])
            assert status == 200, status
            subscription = json.loads(body)
            if subscription["deploymentStatus"] == "PENDING" and subscription["paid"]:
                self.accounts[number] = "active"
                self.client.post(f"/api/subscription/{number}/endpoints",
                                 [{"endpoint": "https://app.example.com/", "category": "APP"}])
                self.client.post(f"/api/subscription/{number}/instructions", {"en": "Log in."})
                self.report(number, "DEPLOYED")
            elif subscription["deploymentStatus"] == "DEPLOYED":
                self.accounts[number] = "active"
            elif subscription["deploymentStatus"] == "STOPPED":
                self.accounts[number] = "suspended"

    def report(self, number, status):
        answer, _, _ = self.client.raw("PATCH", f"/api/subscription/{number}",
                                       {"deploymentStatus": status})
        self.statuses.append(answer)


class VendorFace(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client("marketplace")
        self.shop = harness.Shop(self.client)
        self.vendor = self.daemon.client("vendor", self.shop.vendor["id"])
        self.sink = harness.Sink(self.answer)
        self.addCleanup(self.sink.close)
        self.answers = {}  # path -> what it answers, instead of 204
        self.product = f"/v1/products/{self.shop.product['id']}"

    def answer(self, arrival):
        wanted = self.answers.get(arrival.path, 204)
        return wanted if not isinstance(wanted, dict) else (
            200, {"Content-Type": "application/json"}, json.dumps(wanted))

    def status(self, number):
        return self.vendor.get(f"/api/subscription/{number}")["deploymentStatus"]

    def wait_for_status(self, number, status):
        harness.wait_until(lambda: self.status(number) == status, 20, status)

    def run_template(self):
        """Gives what the sink got to the template, in the order in which it came."""
        template = Template(self.vendor)
        ended = threading.Event()
        self.failure = None

        def run():
            done = 0
            try:
                while not ended.is_set():
                    arrivals = self.sink.on("/hook")
                    for arrival in arrivals[done:]:
                        template.hear(arrival.json)
                    done = len(arrivals)
                    ended.wait(0.02)
            except Exception as failure:  # pylint: disable=broad-exception-caught
                self.failure = failure

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def end():
            ended.set()
            thread.join(10)
            self.assertIsNone(self.failure)

        return template, end

    def test_a_template_lives_through_a_subscription(self):
        # Its DELETED must come with the request, or it would wait for ever.
        self.shop.endpoint(self.sink.url + "/hook", "cloudesire", secret="s",
                           termination_signal="deleted")
        self.client.patch(f"/v1/plans/{self.shop.plan['id']}", {"trial_days": 14})
        template, end = self.run_template()
        trial = self.shop.subscription(type="TRIAL", paid=False)["id"]
        self.wait_for_status(trial, "DEPLOYED")  # paid: nothing is owed for it
        number = self.shop.subscription(paid=False)["id"]
        path = f"/v1/subscriptions/{number}"
        self.assertEqual(self.status(number), "WAITING_PAYMENT")
        self.client.post(path + "/pay")
        self.wait_for_status(number, "DEPLOYED")
        shown = self.vendor.get(f"/api/subscription/{number}")
        self.assertEqual(shown["endpoints"][0]["category"], "APP")
        self.assertEqual(shown["endUserInstructions"], "Log in.")
        self.assertIn("RENEW", shown["availableOperations"])
        self.client.post(path + "/suspend")
        harness.wait_until(lambda: template.accounts.get(number) == "suspended", 20, "asleep")
        self.client.post(path + "/resume")
        harness.wait_until(lambda: template.accounts.get(number) == "active", 20, "awake")
        self.client.post(path + "/terminate")
        self.wait_for_status(number, "UNDEPLOYED")
        self.assertEqual(template.accounts[number], "gone")
        # A repeat in the end is a silent success, and makes no event that it would answer again.
        before = len(list(self.client.all(f"/v1/events?entity=subscription&entity_id={number}")))
        with template.lock:
            template.report(number, "UNDEPLOYED")
        after = len(list(self.client.all(f"/v1/events?entity=subscription&entity_id={number}")))
        self.assertEqual(before, after)
        end()
        self.assertEqual(set(template.statuses), {204})
        log = self.vendor.get(f"/api/subscription/{number}/changelog")
        self.assertEqual(log[0]["deploymentStatus"], "WAITING_PAYMENT")
        self.assertEqual(log[-1]["deploymentStatus"], "UNDEPLOYED")
        self.assertEqual([entry["id"] for entry in log], sorted(entry["id"] for entry in log))
        [order] = [o for o in shown["orders"]][:1]
        self.assertEqual(self.vendor.get("/api/" + order["url"])["type"], "NORMAL")

    def test_a_template_that_waits_for_deleted_is_ended_by_force(self):
        self.client.patch(self.product, {"deprovision": {"timeout_s": 1}})
        self.shop.endpoint(self.sink.url + "/hook", "cloudesire", secret="s")
        template, end = self.run_template()
        number = self.shop.subscription()["id"]
        self.wait_for_status(number, "DEPLOYED")
        self.client.post(f"/v1/subscriptions/{number}/terminate")
        harness.wait_until(lambda: template.accounts.get(number) == "gone", 30, "forced")
        end()
        self.assertEqual(self.status(number), "UNDEPLOYED")
        self.assertEqual(set(template.statuses), {204})

    def test_a_vendor_helps_itself(self):
        self.answers["/hook"] = 404
        endpoint = self.shop.endpoint(self.sink.url + "/hook", "cloudesire", secret="s",
                                      retry_schedule=[0], on_exhausted="skip")
        number = self.shop.subscription()["id"]
        [row] = harness.wait_until(
            lambda: [r for r in self.vendor.get("/api/event?type=false") if r["state"] == "parked"],
            20, "parked")
        self.assertEqual((row["entityName"], row["entityId"], row["notified"], row["lastError"]),
                         ("Subscription", number, False, "http_404"))
        self.assertEqual(row["payload"], self.sink.on("/hook")[0].json)
        self.assertEqual(row["endpoint"], endpoint["url"])
        self.answers["/hook"] = 204
        told = len(self.sink.on("/hook"))
        status, _, _ = self.vendor.raw("POST", f"/api/event/{row['id']}/replay")
        self.assertEqual(status, 202)
        harness.wait_until(lambda: len(self.sink.on("/hook")) == told + 1, 20, "again")
        self.assertEqual(self.sink.on("/hook")[-1].body, self.sink.on("/hook")[0].body)
        self.answers["/hook"] = 404
        self.vendor.raw("PATCH", f"/api/subscription/{number}", {"deploymentStatus": "DEPLOYED"})
        parked = harness.wait_until(
            lambda: [r for r in self.vendor.get("/api/event?type=false")
                     if r["state"] == "parked" and r["id"] != row["id"]], 20, "parked, too")
        self.assertEqual(self.vendor.raw("DELETE", f"/api/event/{parked[0]['id']}")[0], 204)
        harness.wait_until(
            lambda: self.vendor.get(f"/api/event/{parked[0]['id']}")["state"] == "cancelled", 20,
            "given up")
        self.client.post(f"/v1/subscriptions/{number}/suspend")
        harness.wait_until(
            lambda: [r for r in self.vendor.get("/api/event?type=false")
                     if r["state"] == "parked"], 20, "parked again")
        self.assertEqual(self.vendor.raw("DELETE", "/api/event?eventType=failed")[0], 204)
        harness.wait_until(
            lambda: not [r for r in self.vendor.get("/api/event?type=false")
                         if r["state"] == "parked"], 20, "all given up")
        test = self.vendor.post("/api/event", {})
        self.assertEqual((test["notified"], test["lastError"], test["endpoint"]),
                         (False, "http_404", endpoint["url"]))
        other = self.daemon.client("vendor", self.client.post("/v1/vendors", {"name": "B"})["id"])
        self.assertEqual(other.get("/api/event"), [])

    def order(self, **more):
        return self.client.raw("POST", "/v1/subscriptions", {
            "tenant_id": self.shop.tenant["id"], "plan_id": self.shop.plan["id"], "paid": True,
            **more})

    def test_orders_are_asked_about(self):
        self.client.patch(self.product, {
            "order_validation_urls": [self.sink.url + "/a", self.sink.url + "/b"]})
        status, _, body = self.order()
        self.assertEqual(status, 201)
        number = json.loads(body)["id"]
        [first], [second] = self.sink.on("/a"), self.sink.on("/b")
        self.assertEqual(first.json, second.json)
        self.assertEqual(first.json["buyerId"], self.shop.tenant["id"])
        self.assertEqual(first.json["orderType"], "NORMAL")
        self.assertEqual(first.headers["content-type"], "application/json; charset=utf-8")
        self.answers["/b"] = {"errors": [{"message": "Not in this country."}]}
        status, _, body = self.order()
        self.assertEqual((status, json.loads(body)["code"], json.loads(body)["detail"]),
                         (422, "order_refused", "Not in this country."))
        self.assertEqual(len(list(self.client.all("/v1/subscriptions"))), 1)
        self.answers["/b"] = 500
        status, _, body = self.order()
        self.assertEqual((status, json.loads(body)["code"]), (422, "order_refused"))
        status, _, _ = self.client.raw("POST", f"/v1/subscriptions/{number}/terminate")
        self.assertEqual(status, 422)
        self.assertEqual(self.status(number), "PENDING")
        estimate = f"/v1/plans/{self.shop.plan['id']}/quote"
        status, _, body = self.client.raw("POST", estimate, {"quantities": {}})
        self.assertEqual((status, json.loads(body)["code"]), (422, "order_refused"))
        self.answers["/b"] = 204
        self.client.post(estimate, {"tenant_id": self.shop.tenant["id"]})
        self.assertEqual(self.sink.on("/a")[-1].json["orderType"], "ESTIMATE")
        self.assertEqual(self.sink.on("/a")[-1].json["buyerId"], self.shop.tenant["id"])
        self.client.post(f"/v1/subscriptions/{number}/terminate")
        self.assertEqual(self.sink.on("/a")[-1].json["orderType"], "TERMINATION")
        self.assertEqual(self.sink.on("/a")[-1].json["subscriptionId"], number)

    def test_a_vendor_that_hangs_holds_nobody_else_up(self):
        slow = harness.Sink(lambda arrival: None)
        self.client.patch(self.product, {"order_validation_urls": [slow.url + "/slow"]})
        outcome = []
        asking = threading.Thread(target=lambda: outcome.append(self.order()))
        asking.start()
        harness.wait_until(lambda: slow.on("/slow"), 10, "the question")
        other = harness.Shop(self.client).subscription()
        self.assertEqual(other["status"], "PENDING")
        self.assertEqual(outcome, [])
        slow.close()  # and so there is no answer
        asking.join(30)
        self.assertEqual(outcome[0][0], 422)
        self.assertEqual(json.loads(outcome[0][2])["code"], "order_refused")

    def test_values_of_parameters_are_the_vendors(self):
        self.client.patch(self.product, {
            "parameter_value_url": self.sink.url + "/values",
            "config_parameters": [{"code": "region", "external_values": True}]})
        self.answers["/values"] = {"values": [{"value": "eu", "description": "Europe"}]}
        path = self.product + "/parameters/region/values"
        self.assertEqual(self.client.get(path), {"values": self.answers["/values"]["values"]})
        self.assertEqual(self.order(config={"region": "moon"})[0], 422)
        status, _, body = self.order(config={"region": "eu"})
        self.assertEqual(status, 201)
        shown = self.vendor.get(f"/api/subscription/{json.loads(body)['id']}")
        [(name, value)] = shown["configurationParameters"].items()
        self.assertEqual(value, "eu")
        self.assertEqual(self.vendor.get("/api/" + name)["identifier"], "region")
        self.answers["/values"] = {"values": None}
        self.assertEqual(self.order(config={"region": "moon"})[0], 201)

    def test_questions_obey_the_egress_policy(self):
        self.client.patch(self.product, {"order_validation_urls": [self.sink.url + "/a"]})
        self.daemon.stop()
        self.daemon.configure({"egress": {"allow": []}})
        self.daemon.start()
        self.assertEqual(list(self.client.all("/v1/subscriptions")), [])
        status, _, body = self.order()
        self.assertEqual((status, json.loads(body)["code"]), (422, "order_refused"))
        self.assertEqual(self.sink.on("/a"), [])


if __name__ == "__main__":
    unittest.main()
