#!/usr/bin/env python3
"""Sells what Microsoft's Partner Center has through a marketplace. Standard library only.

    marketplace --notification--> Receiver --> Store (jobs on disk) --> Worker --> Partner Center
                <------- what the subscription is; endpoints; DEPLOYED / UNDEPLOYED --

A notification says that something changed, not what it is now. So it becomes a job "look at
subscription N", which is on disk before the notification is answered; repeats (the same eventId)
are dropped. A job reads the subscription as it is now, compares it with what was bought for it at
the Partner Center, and does what is missing. So the order of notifications, repeats and crashes do
not matter; what makes something new at the Partner Center carries an MS-RequestId derived from the
subscription, by which the Partner Center makes it once only.

    connector.py --listen 127.0.0.1:0 --platform http://127.0.0.1:8080 --token-file FILE
        --secret-file FILE --partner-center http://127.0.0.1:9000 --partner-token-file FILE
        --state connector.sqlite

The first line on standard output is the address to register as the product's endpoint (form
"cloudesire"). SIGTERM ends it, and so may anything else at any time.
"""
import argparse
import hashlib
import hmac
import http.client
import http.server
import json
import pathlib
import signal
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid

BODY_BYTES_MAX = 65_536  # a notification has some hundred
SEEN_DAYS = 14           # longer than any notification is repeated
PAUSE_MAX_S = 300
LAUNCH_URL = "https://portal.office.com/"
GONE = ("UNDEPLOY_SENT", "UNDEPLOYED")


class Refused(Exception):
    """The other side understood, and said no: repeating will not help."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text[:200]}")
        self.status = status


class Api:
    """JSON over HTTP, with a token. 4xx is Refused; anything else that fails is an OSError."""

    def __init__(self, base, token):
        self.base = base.rstrip("/") + "/"
        self.token = token

    def call(self, method, path, body=None, request_id=None):
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if request_id:
            headers["MS-RequestId"] = str(request_id)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        asked = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            # The caller's identity (401, 403) and its haste (429) are for the operator and for time
            # to mend: they say nothing about the order.
            if refusal.code >= 500 or refusal.code in (401, 403, 408, 429):
                raise OSError(f"{method} {path}: {refusal.code}") from refusal
            raise Refused(refusal.code, refusal.read().decode(errors="replace")) from refusal
        except http.client.HTTPException as broken:
            raise OSError(f"{method} {path}: {broken!r}") from broken
        return json.loads(text) if text else None


class Store:
    """Jobs, notifications seen, and what was bought for whom. A method is one transaction."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;  -- a notification that was answered does not come again
            CREATE TABLE IF NOT EXISTS seen (event INTEGER PRIMARY KEY, at REAL NOT NULL);
            CREATE TABLE IF NOT EXISTS jobs (subscription INTEGER PRIMARY KEY,
                wanted INTEGER NOT NULL, attempts INTEGER NOT NULL, due REAL NOT NULL,
                last_error TEXT);
            CREATE TABLE IF NOT EXISTS customers (company INTEGER PRIMARY KEY, partner_id TEXT);
            CREATE TABLE IF NOT EXISTS accounts (subscription INTEGER PRIMARY KEY,
                customer TEXT NOT NULL, partner_id TEXT NOT NULL, status TEXT NOT NULL,
                quantity INTEGER NOT NULL);
            """)

    def run(self, sql, *values):
        with self.lock, self.db:
            return self.db.execute(sql, values).fetchall()

    def accept(self, event, subscription):
        """A notification came; repeats change nothing."""
        now = time.time()
        with self.lock, self.db:
            if self.db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (event, now)).rowcount:
                # `wanted` tells the job that is running now that there is more to see.
                self.db.execute(
                    "INSERT INTO jobs VALUES (?, 1, 0, ?, NULL) ON CONFLICT (subscription) DO "
                    "UPDATE SET wanted = wanted + 1, attempts = 0, due = excluded.due",
                    (subscription, now))

    def next_job(self):
        """(subscription, wanted, attempts) of the one that waits longest, and seconds to wait."""
        rows = self.run("SELECT subscription, wanted, attempts, due FROM jobs ORDER BY due LIMIT 1")
        if not rows:
            return None, None
        *job, due = rows[0]
        return job, max(0.0, due - time.time())

    def done(self, subscription, wanted):
        self.run("DELETE FROM jobs WHERE subscription = ? AND wanted = ?", subscription, wanted)
        self.run("DELETE FROM seen WHERE at < ?", time.time() - SEEN_DAYS * 86_400)

    def failed(self, subscription, wanted, attempts, why):
        pause = min(PAUSE_MAX_S, 0.25 * 2 ** min(attempts, 20))
        self.run("UPDATE jobs SET attempts = ?, due = ?, last_error = ? "
                 "WHERE subscription = ? AND wanted = ?",
                 attempts + 1, time.time() + pause, why, subscription, wanted)

    def customer(self, company):
        rows = self.run("SELECT partner_id FROM customers WHERE company = ?", company)
        return rows[0][0] if rows else None

    def add_customer(self, company, partner_id):
        self.run("INSERT OR REPLACE INTO customers VALUES (?, ?)", company, partner_id)

    def account(self, subscription):
        rows = self.run("SELECT customer, partner_id, status, quantity FROM accounts "
                        "WHERE subscription = ?", subscription)
        return dict(zip(("customer", "id", "status", "quantity"), rows[0])) if rows else None

    def put_account(self, subscription, account):
        self.run("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)", subscription,
                 account["customer"], account["id"], account["status"], account["quantity"])


def number_of(reference):
    """The id in {"url": "company/7"}."""
    return int(reference["url"].rsplit("/", 1)[1])


def once(kind, number):
    """The same for each repeat of the same wish, so that it is fulfilled once."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"csp-connector/{kind}/{number}")


class Connector:
    """What a subscription of the marketplace means at the Partner Center."""

    def __init__(self, store, platform, partner):
        self.store = store
        self.platform = platform
        self.partner = partner

    def look_at(self, number):
        url = f"subscription/{number}"
        try:
            found = self.platform.call("GET", url)
        except Refused as why:
            if why.status not in (404, 410):
                raise
            found = {"deploymentStatus": "UNDEPLOYED"}
        status = found["deploymentStatus"]
        account = self.store.account(number)
        if status == "PENDING" and found["paid"]:
            self.provision(number, found, account)
        elif account and status in GONE:
            self.change(number, account, status="deleted")
        elif account and status == "STOPPED":
            self.change(number, account, status="suspended")
        elif account and status == "DEPLOYED":
            self.change(number, account, status="active")
            self.change(number, account, quantity=self.seats(found, self.plan(found)))
        if status == "UNDEPLOY_SENT":
            self.report(url, "UNDEPLOYED")

    def provision(self, number, found, account):
        url = f"subscription/{number}"
        plan = self.plan(found)
        try:
            if account is None:
                account = self.order(number, found, plan)
        except Refused as why:
            # A person must look at this; "redeploy" at the marketplace tries again.
            self.platform.call("POST", f"{url}/instructions",
                               {"en": f"The order could not be placed: {why}"})
            return self.report(url, "FAILED")
        self.platform.call("PUT", f"{url}/metadata", {"partnerCustomer": account["customer"],
                                                      "partnerSubscription": account["id"]})
        self.platform.call("POST", f"{url}/endpoints", [{
            "endpoint": plan.get("launchUrl", LAUNCH_URL), "category": "APP",
            "description": "Sign in"}])
        return self.report(url, "DEPLOYED")

    def plan(self, found):
        """The integration metadata of what was bought: offerId, and perhaps seats, launchUrl."""
        return self.platform.call("GET", found["productVersion"]["url"])["metadata"]

    def seats(self, found, plan):
        """The quantity of the item that counts licences."""
        name = plan.get("seats", "seats")
        return next((int(item["value"]) for item in found["billingItems"]
                     if item["identifier"] == name), 1)

    def order(self, number, found, plan):
        if "offerId" not in plan:
            raise Refused(422, "the plan's metadata has no offerId")
        customer = self.customer(number_of(found["company"]))
        quantity = self.seats(found, plan)
        placed = self.partner.call("POST", f"v1/customers/{customer}/orders", {
            "referenceCustomerId": customer, "billingCycle": plan.get("billingCycle", "monthly"),
            "lineItems": [{"lineItemNumber": 0, "offerId": plan["offerId"],
                           "quantity": quantity}]}, once("order", number))
        account = {"customer": customer, "id": placed["lineItems"][0]["subscriptionId"],
                   "status": "active", "quantity": quantity}
        self.store.put_account(number, account)
        return account

    def customer(self, company):
        known = self.store.customer(company)
        if known:
            return known
        found = self.platform.call("GET", f"company/{company}")
        made = self.partner.call("POST", "v1/customers", {
            "companyProfile": {"companyName": found["name"],
                               "domain": f"customer{company}.onmicrosoft.com"},
            "billingProfile": {"email": found["email"], "companyName": found["name"]},
        }, once("customer", company))
        self.store.add_customer(company, made["id"])
        return made["id"]

    def change(self, number, account, **wanted):
        """One field of the partner's subscription, if it is not so already."""
        (field, value), = wanted.items()
        if account[field] == value or account["status"] == "deleted":
            return
        self.partner.call("PATCH", f"v1/customers/{account['customer']}/subscriptions/"
                                   f"{account['id']}", wanted)
        account[field] = value
        self.store.put_account(number, account)

    def report(self, url, status):
        try:
            self.platform.call("PATCH", url, {"deploymentStatus": status})
        except Refused as why:
            if why.status != 409:  # it has moved on, and another notification tells how
                raise


class Worker(threading.Thread):
    """Works the jobs off, one after the other."""

    def __init__(self, connector):
        super().__init__(daemon=True)
        self.connector = connector
        self.news = threading.Event()

    def run(self):
        store = self.connector.store
        while True:
            self.news.clear()
            job, wait_s = store.next_job()
            if job is None or wait_s > 0:
                self.news.wait(wait_s)
                continue
            number, wanted, attempts = job
            try:
                self.connector.look_at(number)
                store.done(number, wanted)
            # One job that this program does not understand must not stop the others.
            except Exception as why:  # noqa: BLE001
                print(f"subscription {number}, attempt {attempts + 1}: {why!r}", file=sys.stderr)
                store.failed(number, wanted, attempts, repr(why))


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes notifications: verified, on disk, answered; all else comes later."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(length)
        signed = "sha1=" + hmac.new(self.server.secret, body, hashlib.sha1).hexdigest()
        given = self.headers.get("CMW-Event-Signature", "")
        if not hmac.compare_digest(signed.encode(), given.encode()):
            return self.answer(401)
        try:
            told = json.loads(body)
            event, subscription = int(told["eventId"]), int(told["id"])
        except (ValueError, KeyError, TypeError):
            return self.answer(400)
        # Subscription 0 is the one of test notifications.
        if told.get("entity") == "Subscription" and subscription != 0:
            self.server.store.accept(event, subscription)
            self.server.worker.news.set()
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--platform", required=True, help="the marketplace, without /api")
    parser.add_argument("--partner-center", required=True)
    for name in ("--token-file", "--secret-file", "--partner-token-file"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--state", type=pathlib.Path, required=True, help="an SQLite file")
    options = parser.parse_args()

    host, port = options.listen.rsplit(":", 1)
    store = Store(options.state)
    connector = Connector(
        store, Api(options.platform + "/api", options.token_file.read_text().strip()),
        Api(options.partner_center, options.partner_token_file.read_text().strip()))
    server = Server((host, int(port)), Receiver)
    server.secret = options.secret_file.read_bytes().strip()
    server.store = store
    server.worker = Worker(connector)
    server.worker.start()
    print(f"http://{host}:{server.server_address[1]}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
