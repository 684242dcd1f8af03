"""Servers that behave badly, each in its own way (spec/reliability.md 6.7), and certificates.

An animal is a coroutine that gets one connection as a `Peer`. Each has a port of its own, so that
none shares a connection, a breaker or a concurrency limit with another. Standard library, and the
`openssl` command for certificates and for what the ssl module cannot do.
"""
import asyncio
import contextlib
import pathlib
import re
import select
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

import harness

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class Peer:
    """One connection of the daemon, as an animal sees it."""

    def __init__(self, cage, reader, writer):
        self.cage = cage
        self.reader = reader
        self.writer = writer

    async def request(self):
        arrival = await harness.read_request(self.reader)
        self.cage.arrivals.append(arrival)
        return arrival

    async def send(self, data):
        self.writer.write(data if isinstance(data, bytes) else data.encode("latin-1"))
        await self.writer.drain()

    async def dribble(self, data, pause=0.05):
        """Far slower than any attempt lasts, a byte at a time."""
        for number in range(len(data)):
            await self.send(data[number:number + 1])
            await asyncio.sleep(pause)

    async def forever(self, block):
        """Until the daemon has enough of it."""
        while True:
            await self.send(block)

    async def hold(self):
        """Says nothing more until the daemon goes away."""
        await self.reader.read()

    def half_close(self):
        self.writer.write_eof()

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.writer.transport.abort()


class Cage:
    """A listening port, and what was seen at it."""

    def __init__(self, port, host="127.0.0.1", scheme="http"):
        self.port = port
        self.host = host
        self.scheme = scheme
        self.arrivals = []
        self.connections = 0

    @property
    def url(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Zoo:
    """All animals, on one thread."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        # Broken handshakes are the purpose and no news.
        self.loop.set_exception_handler(lambda loop, context: None)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def open(self, animal, tls=None, host="127.0.0.1", port=0):
        """Lets `animal(peer)` loose on each connection to a new port."""
        cage = Cage(port, host, "https" if tls else "http")

        async def meet(reader, writer):
            cage.connections += 1
            try:
                await animal(Peer(cage, reader, writer))
            except (OSError, EOFError, asyncio.LimitOverrunError):
                pass  # the daemon left, as it may
            finally:
                with contextlib.suppress(OSError):
                    writer.close()

        async def begin():
            return await asyncio.start_server(meet, host, port, backlog=1024, ssl=tls)

        server = asyncio.run_coroutine_threadsafe(begin(), self.loop).result(10)
        cage.port = server.sockets[0].getsockname()[1]
        return cage

    def close(self):
        harness.end_loop(self.loop, self.thread)


class Habitat(unittest.TestCase):
    """What the cases of a zoo share. A subclass makes `client`, `events` and `endpoints`."""

    @classmethod
    def endpoint(cls, name, url, settings, events=1, stream=True, path="/in"):
        """Makes an endpoint that hears of `zoo.NAME` only, and the lines that publish it."""
        wanted = {"scope": "platform", "form": "standard", "url": url + path,
                  "events": [f"zoo.{name}"], "timeout_ms": 5000, "retry_schedule": [0, 3600],
                  **settings}
        cls.endpoints[name] = cls.client.post("/v1/endpoints",
                                              {k: v for k, v in wanted.items() if v is not None})
        return [{"name": f"zoo.{name}", "data": {"n": n}, **({"stream": name} if stream else {})}
                for n in range(events)]

    @classmethod
    def publish(cls, events):
        items = cls.client.call("POST", "/v1/events", harness.ndjson(events), harness.LINES)
        for event, item in zip(events, items["items"]):
            cls.events.setdefault(event["name"].removeprefix("zoo."), []).append(item["id"])

    def came_to(self, name, state, seconds=20, which=0):
        """The attempts of the animal's event when it has come to this state."""
        event = self.events[name][which]

        def settled():
            [delivery] = self.client.get(f"/v1/events/{event}")["deliveries"]
            return delivery["state"] == state and delivery["attempts"] > 0
        try:
            harness.wait_until(settled, seconds, f"{name}: {state}")
        except AssertionError as late:
            raise AssertionError(f"{late}; attempts: {self.attempts(event)}") from None
        return self.attempts(event)

    def attempts(self, event):
        return self.client.get(f"/v1/events/{event}/attempts")["items"]

    def expect(self, name, attempts, state, which=0):
        made = self.came_to(name, state, which=which)
        self.assertEqual([a["outcome"] for a in made], [outcome for outcome, _ in attempts], made)
        for one, (_, words) in zip(made, attempts):
            self.assertIn(one["error"], words.split("|"))
        return made


class BlackHole:
    """A port whose queue of connections is full, so that the kernel drops every further SYN. What
    a dropping firewall does needs privileges that tests do not have."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.fillers = []
        # A connection that stays on its way shows that there is no room left.
        for _ in range(16):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)
            if not select.select([], [filler], [], 0.2)[1]:
                return
        raise AssertionError("the queue of connections does not fill")

    def close(self):
        for one in [*self.fillers, self.listener]:
            one.close()


class ClosedPort:
    """Taken, so that nobody else gets it, but without a listener: connections are refused."""

    def __init__(self):
        self.taken = socket.socket()
        self.taken.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.taken.getsockname()[1]}"

    def close(self):
        self.taken.close()


class OpensslServer:
    """`openssl s_server`, for what the ssl module cannot do: speaks when it was spoken to, and
    renegotiates first if it is told to."""

    def __init__(self, certificate, *options, renegotiate=False):
        self.renegotiate = renegotiate
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate[0], "-key",
             certificate[1], "-state", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.said = b""
        self.url = "https://127.0.0.1:" + self.wait(rb"ACCEPT 127\.0\.0\.1:(\d+)")[1].decode()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def wait(self, pattern, seconds=10):
        """Reads what it says until `pattern` is in it."""
        limit = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            if not select.select([self.process.stdout], [], [], limit - time.monotonic())[0]:
                raise AssertionError(f"s_server does not say {pattern}: {self.said[-500:]}")
            more = self.process.stdout.read1()
            if not more:
                raise EOFError
            self.said += more
        self.said = self.said[found.end():]
        return found

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def _serve(self):
        with contextlib.suppress(OSError, EOFError, AssertionError, ValueError):
            while True:
                self.wait(rb"\r\n\r\n", 300)
                if self.renegotiate:
                    self.say(b"r\n")
                    self.wait(rb"read finished")
                self.say(b"HTTP/1.1 204 No Content\r\n\r\n")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.thread.join(10)
        self.process.stdout.close()
        with contextlib.suppress(OSError):
            self.process.stdin.close()


class Authority:
    """Issues certificates into a directory."""

    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.certificate, self.key = self._paths("")
        # Its own certificate would do for a server, too, if anybody trusted it.
        self._openssl("req", "-x509", *self._fresh(self.key), "-days", "2", "-subj", f"/CN={name}",
                      "-addext", "subjectAltName=IP:127.0.0.1", "-out", self.certificate)

    def _paths(self, name):
        stem = self.directory / f"{self.name}{name}"
        return stem.with_suffix(".pem"), stem.with_suffix(".key")

    @staticmethod
    def _fresh(key):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)

    def issue(self, name, san="IP:127.0.0.1", until=None):
        """Certificate and key as files; `until` as in "20200101000000Z"."""
        certificate, key = self._paths("-" + name)
        request, rules = certificate.with_suffix(".csr"), certificate.with_suffix(".cnf")
        self._openssl("req", "-new", *self._fresh(key), "-subj", f"/CN={name}", "-out", request)
        rules.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={rules}.txt\nnew_certs_dir="
                         f"{self.directory}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
                         f"default_days=2\nx509_extensions=x\n[p]\ncommonName=supplied\n"
                         f"[x]\nsubjectAltName={san}\n")
        pathlib.Path(f"{rules}.txt").touch()
        dates = ["-startdate", "20190101000000Z", "-enddate", until] if until else []
        self._openssl("ca", "-batch", "-config", rules, "-cert", self.certificate, "-keyfile",
                      self.key, "-in", request, "-out", certificate, "-notext", *dates)
        return certificate, key


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context
