"""Adapters: how to send one event through a webhook server, ours or another.

An adapter says two things: how to make an endpoint that gets everything, and what the HTTP request
for one event looks like. The generator sends that request again and again with a number of its own
where `NUMBER` stands; the sink finds the number in whatever body the server makes of it.

The calls are those of the servers' public API descriptions of 2026: Svix `server/openapi.json`,
Convoy `docs/v3/openapi3.json`, Outpost `docs/apis/openapi.yaml`.
"""
import json
import urllib.error
import urllib.parse
import urllib.request

NUMBER = "@@@@@@@@@@"  # bench/load.cpp puts ten digits here
PADDING = "x" * 260    # about 300 bytes of payload, as in the other scenarios


def payload():
    return {"bench_number": NUMBER, "text": PADDING}


class Refused(Exception):
    """The server did not take a call of the preparation."""


class Peer:
    """`url`: of its API. `token`: what it takes as authorization. `project`: where it has some."""

    name = ""

    def __init__(self, url, token, project=""):
        self.url = url.rstrip("/")
        self.token = token
        self.project = project

    def headers(self):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers(), method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            raise Refused(f"{method} {path}: {refusal.code} {refusal.read().decode()}") from refusal
        return json.loads(text) if text else None

    def create_endpoint(self, url):
        """Makes everything that an event needs to reach `url`."""
        raise NotImplementedError

    def event(self):
        """Path and body of the POST that sends one event."""
        raise NotImplementedError

    def request(self):
        """The bytes of that request, with NUMBER in it."""
        path, body = self.event()
        # The number is a JSON number, not a text.
        text = json.dumps(body, separators=(",", ":")).replace(f'"{NUMBER}"', NUMBER)
        place = urllib.parse.urlsplit(self.url)
        lines = [f"POST {place.path}{path} HTTP/1.1", f"Host: {place.netloc}",
                 *(f"{name}: {value}" for name, value in self.headers().items()),
                 f"Content-Length: {len(text)}", "", text]
        return "\r\n".join(lines).encode()


class Syndicated(Peer):
    name = "syndicated"

    def create_endpoint(self, url):
        self.call("POST", "/v1/endpoints", {
            "scope": "platform", "url": url, "form": "standard", "events": ["bench.*"]})

    def event(self):
        return "/v1/events", {"name": "bench.event", "data": payload()}


class Svix(Peer):
    """`token`: as printed by `svix-server jwt generate`."""

    name = "svix"

    def create_endpoint(self, url):
        self.application = self.call("POST", "/api/v1/app", {"name": "bench"})["id"]
        self.call("POST", f"/api/v1/app/{self.application}/endpoint", {"url": url})

    def event(self):
        return (f"/api/v1/app/{self.application}/msg",
                {"eventType": "bench.event", "payload": payload()})


class Convoy(Peer):
    """`token`: a project's API key. `project`: its id."""

    name = "convoy"

    def create_endpoint(self, url):
        made = self.call("POST", f"/api/v1/projects/{self.project}/endpoints",
                         {"name": "bench", "url": url})
        self.endpoint = made["data"]["uid"]
        self.call("POST", f"/api/v1/projects/{self.project}/subscriptions", {
            "name": "bench", "endpoint_id": self.endpoint, "filter_config": {"event_types": ["*"]}})

    def event(self):
        return (f"/api/v1/projects/{self.project}/events",
                {"endpoint_id": self.endpoint, "event_type": "bench.event", "data": payload()})


class Outpost(Peer):
    """`token`: its API_KEY. `project`: the tenant to make; "bench" without."""

    name = "outpost"

    def create_endpoint(self, url):
        self.tenant = self.project or "bench"
        self.call("PUT", f"/api/v1/tenants/{self.tenant}")
        self.call("POST", f"/api/v1/tenants/{self.tenant}/destinations", {
            "type": "webhook", "topics": "*", "config": {"url": url}})

    def event(self):
        return "/api/v1/publish", {"tenant_id": self.tenant, "topic": "bench.event",
                                   "data": payload()}


PEERS = {one.name: one for one in (Syndicated, Svix, Convoy, Outpost)}
