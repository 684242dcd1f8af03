"""A scripted DNS server, UDP and TCP on one port of loopback. Standard library only.

A role is a function from a `Question` to an `Answer`, or to None for silence.
"""
import collections
import dataclasses
import ipaddress
import socket
import socketserver
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
NO_ERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
UDP_BYTES_MAX = 512
POINTER_TO_QUESTION = b"\xc0\x0c"


@dataclasses.dataclass
class Question:
    name: str
    kind: int
    number: int  # 1, 2 ... of this name and kind
    tcp: bool


@dataclasses.dataclass
class Answer:
    addresses: list = dataclasses.field(default_factory=list)
    rcode: int = NO_ERROR
    ttl: int = 1
    cname: str = ""
    truncated: bool = False
    raw: bytes = b""  # in place of all records


def plain(*addresses, ttl=1):
    """Always the same addresses."""
    return lambda question: Answer(list(addresses), ttl=ttl)


def encoded(name):
    labels = name.encode().split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def records(answer, kind):
    if answer.raw:
        return 1, answer.raw
    found = []
    owner = POINTER_TO_QUESTION
    if answer.cname:
        found.append((owner, CNAME, encoded(answer.cname)))
        owner = encoded(answer.cname)
    for text in answer.addresses:
        address = ipaddress.ip_address(text)
        if kind == (A if address.version == 4 else AAAA):
            found.append((owner, kind, address.packed))
    packed = [whose + struct.pack(">HHIH", what, 1, answer.ttl, len(data)) + data
              for whose, what, data in found]
    return len(packed), b"".join(packed)


class Names:
    def __init__(self):
        self.roles = {}
        self.asked = collections.Counter()  # (name, kind)
        self.lock = threading.Lock()
        self.closing = threading.Event()
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, server = self.request
                reply = outer.reply(data, tcp=False)
                if reply:
                    server.sendto(reply, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                while head := self.rfile.read(2):
                    data = self.rfile.read(struct.unpack(">H", head)[0])
                    reply = outer.reply(data, tcp=True)
                    if reply:
                        self.wfile.write(struct.pack(">H", len(reply)) + reply)

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads = True

        class UdpServer(socketserver.ThreadingUDPServer):
            daemon_threads = True

        for _ in range(20):
            self.tcp = TcpServer(("127.0.0.1", 0), Tcp)
            self.port = self.tcp.server_address[1]
            try:
                self.udp = UdpServer(("127.0.0.1", self.port), Udp)
                break
            except OSError:  # taken for UDP
                self.tcp.server_close()
        else:
            raise AssertionError("no port is free for UDP and TCP")
        self.address = f"127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
                        for server in (self.tcp, self.udp)]
        for thread in self.threads:
            thread.start()

    def reply(self, data, tcp):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        with self.lock:
            self.asked[name, kind] += 1
            number = self.asked[name, kind]
        role = self.roles.get(name, lambda question: Answer(rcode=NXDOMAIN))
        answer = role(Question(name, kind, number, tcp))
        if answer is None or self.closing.is_set():
            return None
        count, content = records(answer, kind)
        question = data[12:at + 5]
        truncated = not tcp and (answer.truncated or len(question) + len(content) > UDP_BYTES_MAX)
        if truncated:
            count, content = 0, b""
        flags = 0x8180 | answer.rcode | (0x0200 if truncated else 0)
        return data[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question + content

    def close(self):
        self.closing.set()
        for server in (self.tcp, self.udp):
            server.shutdown()
            server.server_close()


def set_aside(port, *hosts):
    """Whether the port can be had at each of these addresses."""
    for host in hosts:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            try:
                trial.bind((host, port))
            except OSError:
                return False
    return True
