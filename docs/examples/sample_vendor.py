#!/usr/bin/env python3
"""A vendor, as small as it can be and still right. Standard library only; shares no code with the
daemon.

It receives notifications in both forms (POST /cloudesire and POST /standard), checks the signature
of each with its own few lines, reads the subscription back from the API, does its "provisioning"
and reports the result, as the documentation tells vendors to:

    subscription is PENDING                    -> PATCH {"deploymentStatus": "DEPLOYED"}
    subscription is UNDEPLOY_SENT, or DELETED  -> PATCH {"deploymentStatus": "UNDEPLOYED"}

It answers 204 only after that work is done, otherwise 503: then the notification comes again.
Everything it received goes into a ledger, one JSON object a line.

    sample_vendor.py --listen 127.0.0.1:0 --api http://127.0.0.1:8080 --token-file FILE \
        --secret TEXT --standard-secret whsec_... --ledger FILE

The first line on standard output is the address it listens on. SIGTERM ends it.
"""
import argparse
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import pathlib
import signal
import sys
import threading
import time
import urllib.parse

TOLERANCE_S = 300


def cloudesire_signature_ok(secret, headers, body):
    """CMW-Event-Signature is HMAC-SHA1 over the body, keyed with the secret's text."""
    expected = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return hmac.compare_digest(expected, headers.get("CMW-Event-Signature", ""))


def standard_signature_ok(secret, headers, body):
    """Standard Webhooks: HMAC-SHA256 over "id.timestamp.body", keyed with the decoded secret."""
    message_id = headers.get("webhook-id", "")
    sent_at = headers.get("webhook-timestamp", "")
    if not sent_at.isdigit() or abs(time.time() - int(sent_at)) > TOLERANCE_S:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent_at}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given)
               for given in headers.get("webhook-signature", "").split(" "))


class Ledger:
    """One line per notification received, written before it is answered."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()

    def write(self, entry):
        with self.lock:
            self.file.write(json.dumps(entry) + "\n")


class Platform:
    """Calls to the platform's API; one kept connection for each thread."""

    def __init__(self, base, token):
        self.place = urllib.parse.urlsplit(base)
        self.token = token
        self.local = threading.local()

    def call(self, method, path, payload=None):
        body = None if payload is None else json.dumps(payload)
        headers = {"CMW-Auth-Token": self.token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        for last_try in (False, True):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self.place.hostname, self.place.port,
                                                        timeout=10)
                self.local.connection = connection
            try:
                connection.request(method, "/api/" + path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.local.connection = None
                if last_try:
                    raise
        raise AssertionError("not reached")

    def subscription(self, entity_url):
        status, body = self.call("GET", entity_url)
        return json.loads(body) if status == 200 else None

    def report(self, entity_url, deployment_status):
        status, _ = self.call("PATCH", entity_url, {"deploymentStatus": deployment_status})
        # 409: it has moved on meanwhile, and another notification tells how.
        return status in (200, 204, 409)


def react(platform, notification):
    """What a vendor does about a notification. True when done."""
    if notification.get("entity") != "Subscription":
        return True
    if int(notification["id"]) == 0:
        return True  # a test notification: there is no subscription 0
    url = notification["entityUrl"]
    found = platform.subscription(url)
    if found is None:
        return False
    if found["deploymentStatus"] == "PENDING" and found.get("paid"):
        return platform.report(url, "DEPLOYED")
    if found["deploymentStatus"] == "UNDEPLOY_SENT" or notification["type"] == "DELETED":
        return platform.report(url, "UNDEPLOYED")
    return True


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        vendor = self.server.vendor
        arrived = time.time_ns()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        form = self.path.strip("/")
        if form not in ("cloudesire", "standard"):
            return self.answer(404)
        if form == "cloudesire":
            genuine = cloudesire_signature_ok(vendor.secret, self.headers, body)
        else:
            genuine = standard_signature_ok(vendor.standard_secret, self.headers, body)
        status = 401
        if genuine:
            status = self.handle_notification(form, json.loads(body))
        vendor.ledger.write(self.entry(form, arrived, body, genuine, status))
        return self.answer(status)

    def handle_notification(self, form, notification):
        if form == "standard":
            return 204  # the same changes come in the other form, where they are acted upon
        try:
            return 204 if react(self.server.vendor.platform, notification) else 503
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return 503

    def entry(self, form, arrived, body, genuine, status):
        try:
            content = json.loads(body)
        except ValueError:
            content = {}
        entry = {"arrived_ns": arrived, "form": form, "signature_ok": genuine, "answered": status,
                 "body_sha256": hashlib.sha256(body).hexdigest()}
        if form == "standard":
            data = content.get("data", {})
            entry |= {"event": self.headers.get("webhook-id"), "type": content.get("type"),
                      "entity": "Subscription", "id": data.get("id"), "seq": data.get("seq")}
        else:
            entry |= {"event": content.get("eventId"), "type": content.get("type"),
                      "entity": content.get("entity"), "id": content.get("id"),
                      "seq": int(self.headers.get("CMW-Event-Seq", "0"))}
        return entry

    def answer(self, status):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Vendor:
    def __init__(self, options):
        self.secret = options.secret
        self.standard_secret = options.standard_secret
        self.ledger = Ledger(options.ledger)
        self.platform = Platform(options.api, options.token_file.read_text().strip())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--api", required=True)
    parser.add_argument("--token-file", type=pathlib.Path, required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--standard-secret", required=True)
    parser.add_argument("--ledger", required=True)
    options = parser.parse_args()

    host, port = options.listen.rsplit(":", 1)
    server = Server((host, int(port)), Receiver)
    server.vendor = Vendor(options)
    print(f"http://{host}:{server.server_address[1]}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
