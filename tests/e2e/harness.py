"""Starts, stops and kills the real daemon, talks to it, and receives what it sends.

Standard library only. Every wait is for a condition with a deadline.
"""
import asyncio
import base64
import hashlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import conservation

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def build_directory():
    return pathlib.Path(os.environ.get("SYNDICATED_BUILD", ROOT / "build" / "dev"))


def wait_until(condition, seconds, what):
    """The first true value of `condition`, looked at every few milliseconds."""
    limit = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def to_toml(sections):
    lines = []
    for section, keys in sections.items():
        lines.append(f"[{section}]")
        for key, value in keys.items():
            # JSON's strings, numbers, truth values and lists are TOML's, too.
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


LINES = {"Content-Type": "application/x-ndjson"}


def ndjson(events):
    return "\n".join(json.dumps(event) for event in events).encode()


class Refused(Exception):
    """The API answered with a status other than the expected one."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body[:300]!r}")
        self.status = status
        self.body = body


class Client:
    """The public API, one kept connection for each thread."""

    def __init__(self, base, token, timeout=15):
        self.place = urllib.parse.urlsplit(base)
        self.token = token
        self.timeout = timeout
        self.local = threading.local()

    def connect(self):
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port,
                                                timeout=self.timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def raw(self, method, path, body=None, headers=None):
        """Status, headers and body; OSError or HTTPException when nothing was answered."""
        try:
            return self.once(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            # A kept connection may have ended with an earlier daemon; reading again is harmless.
            if method != "GET":
                raise
            return self.once(method, path, body, headers)

    def once(self, method, path, body, headers):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = self.connect()
        sent = {"Accept": "application/json"}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.local.connection = None
            raise

    def call(self, method, path, body=None, headers=None):
        """The decoded answer of a successful call."""
        status, _, content = self.raw(method, path, body, headers)
        if status >= 300:
            raise Refused(status, content)
        return json.loads(content) if content else None

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None, headers=None):
        return self.call("POST", path, {} if body is None else body, headers)

    def patch(self, path, body, headers=None):
        return self.call("PATCH", path, body, headers)

    def all(self, path):
        """Every item of a list, page by page."""
        separator = "&" if "?" in path else "?"
        after = ""
        while True:
            page = self.get(f"{path}{separator}limit=500{after}")
            yield from page["items"]
            if not page.get("next"):
                return
            after = "&after=" + urllib.parse.quote(str(page["next"]))


class AdminClient(Client):
    """The admin socket, which needs no token."""

    def __init__(self, path, timeout=15):
        super().__init__("http://localhost", None, timeout)
        self.path = str(path)

    def connect(self):
        connection = http.client.HTTPConnection("localhost", timeout=self.timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(self.timeout)
        connection.sock.connect(self.path)
        return connection


class Daemon:
    """One state directory and the daemon that may be running on it.

    What it accepted is accounted for at the end (conservation.py): a daemon that was stopped or
    killed is started once more for that. `unaudited` says why one cannot or need not be."""

    def __init__(self, settings=None, directory=None, build=None, unaudited=""):
        self.unaudited = unaudited
        self.was_ready = False
        self.build = pathlib.Path(build or build_directory())
        self.program = self.build / "bin" / "syndicated"
        self.ctl = self.build / "bin" / "syndctl"
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="syndicated-"))
        self.runtime = self.directory / "run"
        self.runtime.mkdir(exist_ok=True)
        self.state = self.directory / "state"
        self.socket = self.runtime / "admin.sock"
        self.log_path = self.directory / "log.jsonl"
        self.key_path = self.directory / "master.key"
        if not self.key_path.exists():
            self.key_path.touch(mode=0o600)
            self.key_path.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        self.config_path = self.directory / "syndicated.toml"
        self.settings = {
            "api": {"listen": "127.0.0.1:0"},
            "admin": {"socket": str(self.socket)},
            "store": {"directory": str(self.state), "free_bytes_min": 0},
            "secrets": {"master_key_file": str(self.key_path)},
            "delivery": {"schedule": ["0s", "100ms", "200ms", "400ms", "1s", "2s", "2s", "2s", "2s",
                                      "2s"],
                         # Short, so that an outage of a test ends in its time.
                         "breaker_open": "200ms", "breaker_open_max": "1s", "retry_share": 1},
            "egress": {"allow": ["127.0.0.0/8:*"], "allow_http": True, "allow_ip_literals": True},
            # A build with a sanitizer needs more than the default.
            "limits": {"memory_max": 0},
            "log": {"level": "info"},
        }
        self.configure(settings or {})
        self.process = None
        self.api = None
        self.environment = {}
        self.prefix = []

    def configure(self, changes):
        for section, keys in changes.items():
            self.settings.setdefault(section, {}).update(keys)
        self.config_path.write_text(to_toml(self.settings))

    def launch(self):
        """Starts the process and does not wait."""
        self.addresses_path().unlink(missing_ok=True)
        log = self.log_path.open("ab")
        self.process = subprocess.Popen(
            [*self.prefix, str(self.program), "--config", str(self.config_path)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **self.environment})
        log.close()

    def start(self, seconds=30):
        self.launch()
        wait_until(lambda: self.addresses_path().exists() or self.process.poll() is not None,
                   seconds, "the daemon's addresses")
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.tail()}")
        self.api = json.loads(self.addresses_path().read_text())["api"]
        wait_until(lambda: self.ready() or self.process.poll() is not None, seconds, "/readyz")
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.tail()}")
        self.was_ready = True
        # Later starts listen on the same port, so that clients need not be told.
        if self.settings["api"]["listen"].endswith(":0"):
            self.configure({"api": {"listen": self.api.split("//", 1)[1]}})
        return self

    def addresses_path(self):
        return self.runtime / "addresses.json"

    def ready(self):
        try:
            return Client(self.api, None, 2).raw("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=40):
        """Asks it to end; the exit code."""
        if self.process is None or self.process.poll() is not None:
            return None if self.process is None else self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def wait_exit(self, seconds=20):
        return self.process.wait(seconds)

    def cleanup(self):
        try:
            self.account()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.kill()
            shutil.rmtree(self.directory, ignore_errors=True)

    def account(self):
        """Nothing that it accepted is lost or counted twice."""
        if self.unaudited or not self.was_ready:
            return
        if self.process.poll() is not None:
            self.start()
        dropped = any(key.startswith("attempts") for key in self.settings.get("retention", {}))
        conservation.check(self.admin(), not dropped)

    def admin(self):
        return AdminClient(self.socket)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, lines=20):
        return "\n".join(self.log().splitlines()[-lines:])

    def syndctl(self, *arguments, check=True):
        done = subprocess.run([str(self.ctl), "--socket", str(self.socket), *arguments],
                              capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"syndctl {arguments}: {done.returncode}\n{done.stderr}")
        return done

    def token(self, role="operator", scope=None):
        arguments = ["token", "create", "--role", role]
        if scope is not None:
            arguments += ["--scope", str(scope)]
        return json.loads(self.syndctl("--json", *arguments).stdout)["token"]

    def client(self, role="operator", scope=None):
        return Client(self.api, self.token(role, scope))


class Arrival:
    """One request the sink received."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        self.at = time.monotonic()
        self.wall = time.time()
        self.sha = hashlib.sha256(body).hexdigest()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def event(self):
        """The event's number, the same in both forms."""
        standard = self.headers.get("webhook-id")
        if standard:
            return int(standard.rsplit("_", 1)[1])
        return self.json["eventId"]

    @property
    def seq(self):
        if "webhook-id" in self.headers:
            return self.json["data"]["seq"]
        return int(self.headers["cmw-event-seq"])

    @property
    def entity_id(self):
        content = self.json
        return int(content["data"]["id"] if "data" in content else content["id"])


async def read_request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Arrival(head[0].split(" ")[1], headers, body)


def end_loop(loop, thread, first=lambda: None):
    """Ends an event loop that runs on a thread of its own, and all that goes on in it."""
    async def end():
        first()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        loop.stop()

    asyncio.run_coroutine_threadsafe(end(), loop)
    thread.join(10)


class Sink:
    """An HTTP server that keeps what it gets. `answer(arrival)` gives the status; status, headers
    and perhaps a body; or None to hang until the client gives up. As a coroutine it may take its
    time."""

    def __init__(self, answer=None, port=0, tls=None):
        self.tls = tls  # an ssl.SSLContext, or None
        self.answer = answer or (lambda arrival: 204)
        self.arrivals = []
        self.lock = threading.Lock()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.port = port
        self.connections = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        if not self.ready.wait(10):
            raise AssertionError("the sink does not start")

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024,
                                 ssl=self.tls))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        self.loop.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                arrival = await read_request(reader)
                with self.lock:
                    self.arrivals.append(arrival)
                outcome = self.answer(arrival)
                if asyncio.iscoroutine(outcome):
                    outcome = await outcome
                if outcome is None:
                    await reader.read()
                    return
                outcome = outcome if isinstance(outcome, tuple) else (outcome, {})
                status, extra, text = outcome if len(outcome) == 3 else (*outcome, "")
                lines = [f"HTTP/1.1 {status} X"] + [f"{k}: {v}" for k, v in extra.items()]
                if status != 204:
                    lines.append(f"Content-Length: {len(text.encode())}")
                writer.write(("\r\n".join([*lines, "", ""]) + text).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def snapshot(self):
        with self.lock:
            return list(self.arrivals)

    def on(self, path):
        return [arrival for arrival in self.snapshot() if arrival.path == path]

    def close(self):
        end_loop(self.loop, self.thread, self.server.close)


class Shop:
    """A vendor with one product and one plan, and a customer: what nearly every test needs."""

    def __init__(self, client):
        self.client = client
        self.vendor = client.post("/v1/vendors", {"name": "Acme"})
        self.product = client.post("/v1/products", {"vendor_id": self.vendor["id"], "name": "Mail"})
        self.plan = client.post("/v1/plans", {"product_id": self.product["id"], "name": "Small",
                                              "billing_period_months": 1})
        self.tenant = client.post("/v1/tenants", {"kind": "customer", "parent_id": 1,
                                                  "name": "Customer"})

    def endpoint(self, url, form="standard", secret=..., **more):
        wanted = {"scope": "vendor", "scope_id": self.vendor["id"], "url": url, "form": form,
                  **more}
        if secret is not ...:
            wanted["secret"] = secret
        return self.client.post("/v1/endpoints", wanted)

    def subscription(self, key=None, **more):
        wanted = {"tenant_id": self.tenant["id"], "plan_id": self.plan["id"], "paid": True, **more}
        headers = {"Idempotency-Key": key} if key else None
        return self.client.post("/v1/subscriptions", wanted, headers)


# Nothing of a test is old enough to be forgotten, however far its clock goes.
SIMULATED = {"testing": {"simulated_time": True},
             "retention": {"events": "3650d", "attempts": "3650d"}}


class SimulatedTime(unittest.TestCase):
    """A daemon whose clock the test moves, and an operator's client."""
    settings = SIMULATED

    def setUp(self):
        self.daemon = Daemon(self.settings)
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()

    def new_sink(self, answer=None):
        sink = Sink(answer)
        self.addCleanup(sink.close)
        return sink

    def advance(self, span):
        return json.loads(self.daemon.syndctl("--json", "clock", "--advance", span).stdout)


def counters(client):
    """What became of all notifications, from /metrics."""
    status, _, body = client.raw("GET", "/metrics")
    if status != 200:
        raise Refused(status, body)
    found = {}
    for line in body.decode().splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("syndicated_notifications_total{state="):
            found[name.split('"')[1]] = int(float(value))
        elif name == "syndicated_notifications_pending":
            found["pending"] = int(float(value))
    return found


def drained(client):
    """The counters once nothing is pending, else nothing."""
    now = counters(client)
    return now if now["pending"] == 0 else None
