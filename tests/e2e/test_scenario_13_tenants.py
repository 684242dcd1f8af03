"""Tenants as partners see them: the walk-through of the account management, and scenario 13: delete
an enabled tenant, a wrong version, disable, delete, recover, delete, purge."""
import json
import subprocess
import sys
import unittest

import harness

APP = "6e6d758d-8e74-3ae3-ac84-50eb0dff12eb"
ROOT_ID = "01000000-0000-85d1-8000-000000000001"
SCRIPT = harness.ROOT / "docs" / "examples" / "partner_walkthrough.py"
ITEMS = {"offering_items": [
    {"application_id": APP, "infra_id": "019097a6-114f-4418-bd54-e01ef049f209", "name": "storage",
     "locked": False, "measurement_unit": "bytes", "type": "infra", "status": 1,
     "quota": {"value": None, "overage": None, "version": 0}},
    {"application_id": APP, "name": "workstations", "locked": False,
     "measurement_unit": "quantity", "type": "count", "status": 1,
     "quota": {"value": None, "overage": None, "version": 0}}]}


def uuid_of(tenant):
    return f"01000000-0000-85d1-8000-{tenant:012x}"


class Tenants(harness.SimulatedTime):
    def setUp(self):
        super().setUp()
        self.staff = self.client
        self.partner = self.staff.post("/v1/tenants", {
            "kind": "reseller", "parent_id": 1, "name": "partner"})["id"]
        self.token = self.daemon.token("tenant", self.partner)
        self.client = harness.Client(self.daemon.api, self.token)

    def status(self, method, path, body=None):
        status, _, content = self.client.raw(method, path, body)
        return status, json.loads(content) if content else None

    def names(self, entity, number):
        events = self.staff.all(f"/v1/events?entity={entity}&entity_id={number}")
        return [event["name"] for event in events]

    def test_the_walk_through_of_a_partner(self):
        for tenant in (ROOT_ID, uuid_of(self.partner)):
            self.staff.call("PUT", f"/api/2/tenants/{tenant}/offering_items", ITEMS)
        number = self.token.split("_")[1]
        done = subprocess.run(
            [sys.executable, str(SCRIPT), self.daemon.api, number, self.token],
            capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("walked through", done.stdout)

    def test_13_deleted_recovered_deleted_purged(self):
        made = self.client.post("/api/2/tenants", {
            "name": "Customer, Inc", "kind": "customer", "parent_id": uuid_of(self.partner)})
        number = int(made["id"][-12:], 16)
        path = f"/api/2/tenants/{made['id']}"
        user = self.client.post("/api/2/users", {
            "tenant_id": made["id"], "login": "RichardDoe",
            "contact": {"email": "r@example.com"}})
        status, refusal = self.status("DELETE", f"{path}?version=1")
        self.assertEqual((status, refusal["error"]["code"]), (400, 1006))
        self.assertEqual(self.status("PUT", path, {"enabled": False, "version": 7})[0], 409)
        made = self.client.call("PUT", path, {"enabled": False, "version": 1})
        self.assertEqual(self.status("DELETE", f"{path}?version=1")[0], 409)
        self.assertEqual(self.status("DELETE", f"{path}?version={made['version']}")[0], 204)

        # The feed tells of it to whoever asks for deleted ones.
        feed = self.client.get("/api/2/tenants?allow_deleted=true")["items"]
        self.assertTrue(next(t for t in feed if t["id"] == made["id"])["deleted_at"])
        self.assertNotIn(made["id"], [t["id"] for t in self.client.get("/api/2/tenants")["items"]])

        self.advance("29d")
        self.daemon.kill()
        self.daemon.start()
        self.client = harness.Client(self.daemon.api, self.token)
        self.staff = self.daemon.client()
        recovered = self.client.post(f"/v1/tenants/{number}/recover")
        self.assertEqual(recovered["status"], "DISABLED")
        again = self.client.raw("DELETE", f"/v1/tenants/{number}?version={recovered['version']}")
        self.assertEqual(again[0], 204)
        self.advance("29d")
        self.assertEqual(self.client.get(f"/v1/tenants/{number}")["status"], "DELETED")
        # The login is kept until the purge.
        self.assertEqual(self.status("GET", "/api/2/users/check_login?username=richarddoe")[0], 409)
        self.advance("2d")
        self.assertEqual(self.status("GET", path)[0], 410)
        self.assertEqual(self.status("GET", f"/v1/tenants/{number}")[0], 410)
        self.assertEqual(self.status("GET", f"/api/2/users/{user['id']}")[0], 410)
        self.assertEqual(self.status("GET", "/api/2/users/check_login?username=richarddoe")[0], 204)
        # The pricing mode became production by itself in between, in a DISABLED month.
        self.assertEqual(
            [name for name in self.names("tenant", number) if name != "tenant.converted"],
            ["tenant.created", "tenant.disabled", "tenant.deleted", "tenant.recovered",
             "tenant.deleted", "tenant.purged"])
        purged = list(self.staff.all("/v1/tenants?status=PURGED"))
        self.assertIn(number, [t["id"] for t in purged])
        self.assertNotIn("Customer, Inc", json.dumps(purged))

    def test_an_activation_link_works_once(self):
        user = self.client.post("/v1/users", {
            "tenant_id": self.partner, "login": "ann", "contact": {"email": "a@example.com"}})
        self.client.call("POST", f"/v1/users/{user['id']}/request-activation", {})
        self.assertEqual(self.names("user", user["id"])[-1], "user.activation_requested")
        link = f"/v1/users/{user['id']}/activation-link"
        self.assertEqual(self.status("POST", link)[0], 403)
        token = self.staff.post(link)["token"]
        body = {"token": token, "password": "correct horse"}
        self.assertEqual(self.staff.post("/v1/users/activate", body)["status"], "ACTIVE")
        with self.assertRaises(harness.Refused) as refusal:
            self.staff.post("/v1/users/activate", body)
        self.assertEqual(refusal.exception.status, 409)
        login = {"login": "ANN", "password": "correct horse"}
        # Without a role nobody may use anything.
        self.assertEqual(self.staff.raw("POST", "/v1/users/authenticate", login)[0], 403)
        self.client.call("PUT", f"/v1/users/{user['id']}/roles",
                         {"items": [{"role": "partner_admin"}]})
        self.assertEqual(self.staff.post("/v1/users/authenticate", login)["id"], user["id"])
        login["password"] = "wrong"
        self.assertEqual(self.staff.raw("POST", "/v1/users/authenticate", login)[0], 403)
        # Neither the password nor the link stands anywhere.
        self.daemon.stop()
        for secret in ("correct horse", token.split(".")[1]):
            for path in [self.daemon.log_path, *self.daemon.state.rglob("*")]:
                if path.is_file():
                    self.assertNotIn(secret.encode(), path.read_bytes(), path)

    def test_a_partner_sees_his_own_and_nobody_else(self):
        other = self.staff.post("/v1/tenants", {"kind": "reseller", "parent_id": 1, "name": "x"})
        path = f"/api/2/tenants/{uuid_of(other['id'])}"
        self.assertEqual(self.status("GET", path)[0], 404)
        self.assertEqual(self.status("PUT", path, {"name": "y", "version": 1})[0], 404)
        own = f"/api/2/tenants/{uuid_of(self.partner)}"
        self.assertEqual(self.status("PUT", own, {"enabled": False, "version": 1})[0], 403)
        self.assertEqual(self.status("PUT", own, {"parent_id": uuid_of(other["id"]),
                                                  "version": 1})[0], 403)
        self.assertEqual(self.status("PUT", own, {"internal_tag": "t" * 257, "version": 1})[0], 400)
        self.assertEqual(self.status("GET", "/api/2/tenants/42")[0], 404)
        bare = harness.Client(self.daemon.api, None)
        self.assertEqual(bare.raw("GET", "/api/2/users/me")[0], 401)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        wrong = b"grant_type=client_credentials&client_id=1&client_secret=no"
        self.assertEqual(bare.raw("POST", "/api/2/idp/token", wrong, form)[0], 401)


if __name__ == "__main__":
    unittest.main()
