#!/usr/bin/env python3
"""As much of Microsoft's Partner Center as the connector needs, for trying it out and for tests.

    POST  /v1/customers                                   201
    GET   /v1/customers/{c}                               200
    POST  /v1/customers/{c}/orders                        201, one subscription for each line
    GET   /v1/customers/{c}/subscriptions[?order_id=O]    200
    GET   /v1/customers/{c}/subscriptions/{s}             200
    PATCH /v1/customers/{c}/subscriptions/{s}             200; status or quantity

Like the original it fulfils a request once, however often it comes with the same MS-RequestId.
Everything is in memory. Besides:

    GET  /stub/calls      every request that had an effect: [{"method", "path", "body"}]
    POST /stub/trouble    {"kind": "refuse", "status": 503, "times": 2, "path": "orders"}
                          {"kind": "cut", "times": 1, "path": "orders"}: does it, then says nothing
    POST /stub/well       no more trouble
"""
import argparse
import http.server
import json
import re
import signal
import sys
import threading
import urllib.parse
import uuid

STATUSES = ("none", "active", "suspended", "deleted")


class Failure(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def text_in(body, name):
    if not isinstance(body.get(name), str) or not body[name]:
        raise Failure(400, f"{name} is missing")
    return body[name]


def count_in(body, name):
    if type(body.get(name)) is not int or body[name] < 1:
        raise Failure(400, f"{name} must be a positive number")
    return body[name]


class PartnerCenter:
    def __init__(self):
        self.lock = threading.Lock()
        self.customers = {}
        self.subscriptions = {}  # by customer, then by id
        self.answers = {}        # by MS-RequestId
        self.calls = []
        self.trouble = []

    def create_customer(self, body):
        domain = text_in(body.get("companyProfile", {}), "domain")
        if any(c["companyProfile"]["domain"] == domain for c in self.customers.values()):
            raise Failure(409, "the domain is taken")
        customer = {"id": str(uuid.uuid4()), **body}
        self.customers[customer["id"]] = customer
        self.subscriptions[customer["id"]] = {}
        return 201, customer

    def create_order(self, customer, body):
        if body.get("referenceCustomerId") != customer:
            raise Failure(400, "referenceCustomerId is another one")
        order = {"id": str(uuid.uuid4()), "referenceCustomerId": customer,
                 "billingCycle": text_in(body, "billingCycle"), "lineItems": []}
        lines = [(line["lineItemNumber"], text_in(line, "offerId"), count_in(line, "quantity"))
                 for line in body["lineItems"]]
        for number, offer, quantity in lines:
            made = {"id": str(uuid.uuid4()), "offerId": offer, "quantity": quantity,
                    "status": "active", "orderId": order["id"]}
            self.subscriptions[customer][made["id"]] = made
            order["lineItems"].append({"lineItemNumber": number, "offerId": offer,
                                       "quantity": quantity, "subscriptionId": made["id"]})
        return 201, order

    def change(self, subscription, body):
        if subscription["status"] == "deleted":
            raise Failure(409, "the subscription is deleted")
        if "status" in body and body["status"] not in STATUSES:
            raise Failure(400, "unknown status")
        if "quantity" in body:
            subscription["quantity"] = count_in(body, "quantity")
        subscription["status"] = body.get("status", subscription["status"])
        return 200, subscription

    def handle(self, method, url, body):
        parts = url.path.strip("/").split("/")
        if parts[:2] == ["v1", "customers"] and len(parts) <= 5:
            if len(parts) == 2 and method == "POST":
                return self.create_customer(body)
            customer = parts[2] if len(parts) > 2 else ""
            if customer not in self.customers:
                raise Failure(404, "no such customer")
            owned = self.subscriptions[customer]
            if len(parts) == 3 and method == "GET":
                return 200, self.customers[customer]
            if parts[3:] == ["orders"] and method == "POST":
                return self.create_order(customer, body)
            if parts[3:] == ["subscriptions"] and method == "GET":
                order = urllib.parse.parse_qs(url.query).get("order_id")
                items = [s for s in owned.values() if not order or s["orderId"] == order[0]]
                return 200, {"totalCount": len(items), "items": items}
            if len(parts) == 5 and parts[3] == "subscriptions" and parts[4] in owned:
                if method == "GET":
                    return 200, owned[parts[4]]
                if method == "PATCH":
                    return self.change(owned[parts[4]], body)
        raise Failure(404, "no such resource")

    def trouble_for(self, path):
        for one in self.trouble:
            if one["times"] > 0 and re.search(one["path"], path):
                one["times"] -= 1
                return one
        return {"kind": None}

    def answer(self, method, url, body, request_id):
        """(status, content), or None for a connection that ends without a word."""
        with self.lock:
            if url.path == "/stub/calls":
                return 200, self.calls
            if url.path == "/stub/trouble":
                self.trouble.append(body)
                return 204, None
            if url.path == "/stub/well":
                self.trouble.clear()
                return 204, None
            trouble = self.trouble_for(url.path)
            if trouble["kind"] == "refuse":
                return trouble["status"], {"code": trouble["status"], "description": "trouble"}
            known = self.answers.get(request_id)
            try:
                answer = known or self.handle(method, url, body)
            except (KeyError, TypeError, AttributeError):
                return 400, {"code": 400, "description": "not understood"}
            except Failure as why:
                return why.status, {"code": why.status, "description": str(why)}
            if method != "GET" and not known:
                self.calls.append({"method": method, "path": url.path, "body": body})
            if request_id:
                self.answers[request_id] = answer
            return None if trouble["kind"] == "cut" else answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def serve(self):
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self.send(401, {"code": 401, "description": "who are you?"})
        try:
            body = json.loads(data) if data else {}
        except ValueError:
            return self.send(400, {"code": 400, "description": "not JSON"})
        answer = self.server.center.answer(self.command, urllib.parse.urlsplit(self.path), body,
                                           self.headers.get("MS-RequestId"))
        if answer is None:
            self.close_connection = True
            return None
        return self.send(*answer)

    do_GET = do_POST = do_PATCH = serve

    def send(self, status, content):
        text = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--token", default="partner-token")
    options = parser.parse_args()
    host, port = options.listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    server.daemon_threads = True
    server.token = options.token
    server.center = PartnerCenter()
    print(f"http://{host}:{server.server_address[1]}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
