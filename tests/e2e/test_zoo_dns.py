"""The DNS zoo of spec/reliability.md 6.7 against the real daemon: one case for each animal.

127.0.0.2 and ::1 stand for public addresses: only they may be contacted. 127.0.0.1 stands for
private ones; a trap listens there on the same port and must never see a connection.
"""
import dataclasses
import shutil
import tempfile
import typing
import unittest

import animals
import harness
import names
import zoo

GOOD, TRAP = "127.0.0.2", "127.0.0.1"
DEAF = "127.9.0.0/16"  # may be contacted, but nobody is there
DELIVERED = animals.DELIVERED
BLOCKED = ("blocked_destination", "blocked_destination")
DNS = ("overload", "dns")
NOBODY = ("overload", "connect")
LONGEST_NAME = ".".join(["a" * 63] * 3 + ["b" * 49, "example.com"])


@dataclasses.dataclass
class Name:
    title: str
    role: typing.Callable
    attempts: list
    host: str
    settings: dict


HERD = []


def name(title, role, *attempts, host="", **settings):
    HERD.append(Name(title, role, list(attempts), host or title.replace("_", "-") + ".example.com",
                     settings))


def mixed(question):
    return names.Answer([GOOD, TRAP] if question.number % 2 else [TRAP, GOOD])


def a_thousand(question):
    return names.Answer([f"127.9.{number // 250}.{number % 250 + 1}" for number in range(1000)])


def a_thousand_and_the_trap(question):
    return names.Answer([*a_thousand(question).addresses[:200], TRAP])


def loop_of_names(question):
    return names.Answer(cname={"a": "b", "b": "a"}[question.name[0]] + question.name[1:])


def late(question):
    """After 30 s, or when the test ends."""
    DnsZoo.names.closing.wait(30)
    return names.Answer([GOOD])


def flapping(question):
    if question.number == 1:
        return names.Answer(rcode=names.NXDOMAIN)
    return names.Answer([GOOD]) if question.number > 4 else names.Answer(rcode=names.SERVFAIL)


def truncated(question):
    return names.Answer([GOOD], truncated=True)


def always_truncated(question):
    return None if question.tcp else names.Answer([GOOD], truncated=True)


def points_to_itself(question):
    """A compressed name whose pointer is its own address."""
    at = 12 + len(names.encoded(question.name)) + 4
    return names.Answer(raw=bytes([0xC0 | at >> 8, at & 0xFF]) + b"\0\1\0\1\0\0\0\1\0\4\x7f\0\0\2")


def longest_message(question):
    return names.Answer([f"127.9.{number // 250}.{number % 250 + 1}" for number in range(4000)])


name("public", names.plain(GOOD), DELIVERED)
name("private", names.plain(TRAP), BLOCKED)
name("mixed_public_and_private", mixed, BLOCKED)
name("metadata", names.plain("169.254.169.254"), BLOCKED)
name("a_thousand_addresses", a_thousand, NOBODY)
name("many_addresses_and_a_private_one", a_thousand_and_the_trap, BLOCKED)
name("cname_loop", loop_of_names, DNS, host="a-loop.example.com")
name("cname_to_public", lambda q: names.Answer([GOOD], cname="elsewhere.example.com"), DELIVERED)
name("cname_to_private", lambda q: names.Answer([TRAP], cname="elsewhere.example.com"), BLOCKED)
name("does_not_exist", lambda q: names.Answer(rcode=names.NXDOMAIN), DNS)
name("server_fails", lambda q: names.Answer(rcode=names.SERVFAIL), DNS)
name("no_addresses", lambda q: names.Answer(), DNS)
name("answers_after_30_s", late, DNS, timeout_ms=1000)
name("no_answer_before_the_deadline", lambda q: None, DNS, timeout_ms=1000)
name("no_answer", lambda q: None, DNS, timeout_ms=20_000)
name("truncated", truncated, DELIVERED)
name("truncated_without_tcp", always_truncated, DNS, timeout_ms=1000)
name("longest_name", names.plain(GOOD), DELIVERED, host=LONGEST_NAME)
name("idn", names.plain(GOOD), DELIVERED, host="xn--bcher-kva.example.com")
name("aaaa_only", names.plain("::1"), DELIVERED)
name("aaaa_only_private", names.plain("fd00::1"), BLOCKED)
name("v4_refuses_and_v6_answers", names.plain("127.9.0.1", "::1"), DELIVERED)
name("v4_mapped_aaaa", names.plain(f"::ffff:{TRAP}"), BLOCKED)
name("v4_in_nat64", names.plain("64:ff9b::7f00:1"), BLOCKED)
name("compression_loop", points_to_itself, DNS)
name("longest_message", longest_message, NOBODY)


class DnsZoo(zoo.Habitat):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="zoo-")
        cls.addClassCleanup(shutil.rmtree, cls.place)
        cls.names = names.Names()
        cls.addClassCleanup(cls.names.close)
        cls.zoo = zoo.Zoo()
        cls.addClassCleanup(cls.zoo.close)
        authority = zoo.Authority(cls.place, "authority")
        secure = zoo.server_context(authority.issue("strict", "DNS:strict.example.com"))
        cls.trap, cls.good, cls.good6 = cls.three_listeners()
        cls.strict = cls.zoo.open(cls.strict_script, secure, GOOD)
        cls.port = cls.good.port
        cls.daemon = harness.Daemon({
            "egress": {"allow": [f"{GOOD}/32:*", f"[::1/128]:{cls.port}", f"{DEAF}:{cls.port}"],
                       "allow_http": True, "allow_ip_literals": False,
                       "ports": [443, cls.port]},
            "delivery": {"dns_servers": [cls.names.address], "breaker_open": "0s",
                         "ca_file": str(authority.certificate),
                         "schedule": ["0s"] + ["1s"] * 9}})
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client()
        cls.events, cls.endpoints = {}, {}
        wanted = []
        for one in HERD:
            wanted += cls.name(one.title, one.host, one.role, one.settings)
        wanted += cls.name("flapping", "flapping.example.com", flapping, {"retry_schedule": None})
        wanted += cls.name("rebinding", "rebinding.example.com", cls.rebinding, {})
        wanted += cls.name("ttl_0", "ttl-0.example.com", names.plain(GOOD, ttl=0), {}, 10)
        cls.publish(wanted)

    @classmethod
    def three_listeners(cls):
        """One port at three addresses."""
        for _ in range(20):
            trap = cls.zoo.open(animals.polite, host=TRAP)
            if names.set_aside(trap.port, GOOD, "::1"):
                return trap, *(cls.zoo.open(animals.polite, host=host, port=trap.port)
                               for host in (GOOD, "::1"))
        raise AssertionError("no port is free at three addresses")

    @staticmethod
    async def strict_script(peer):
        while True:
            await peer.request()
            await peer.send("HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000; "
                            "includeSubDomains\r\nContent-Length: 0\r\n\r\n")

    rebound = False

    @classmethod
    def rebinding(cls, question):
        return names.Answer([TRAP if cls.rebound else GOOD], ttl=0)

    @classmethod
    def name(cls, title, host, role, settings, events=1):
        cls.names.roles[host] = role
        if role is loop_of_names:
            cls.names.roles["b" + host[1:]] = role
        return cls.endpoint(title, f"http://{host}:{cls.port}", settings, events)

    def check(self, one):
        made = self.expect(one.title, one.attempts,
                           "delivered" if one.attempts[-1] == DELIVERED else "pending")
        self.assertEqual(made[0]["excerpt"], "")
        self.assertEqual(self.trap.connections, 0)

    # ---- entries that need a look of their own

    def test_flapping(self):
        made = self.came_to("flapping", "delivered", 30)
        self.assertGreaterEqual(len(made), 2)
        self.assertEqual({(a["outcome"], a["error"]) for a in made[:-1]}, {DNS})
        self.assertGreaterEqual(self.names.asked["flapping.example.com", names.A], 5)

    def test_ttl_0(self):
        """Answers are kept for some seconds at least, whatever the server says."""
        for which in range(10):
            self.expect("ttl_0", [DELIVERED], "delivered", which)
        self.assertLess(self.names.asked["ttl-0.example.com", names.A], 10)

    def test_rebinding(self):
        """A kept answer is the one that was judged; the next one is judged again."""
        self.expect("rebinding", [DELIVERED], "delivered")
        type(self).rebound = True
        arrived = len(self.good.arrivals)

        def blocked():
            self.publish([{"name": "zoo.rebinding", "data": {}}])
            event = self.events["rebinding"][-1]
            made = harness.wait_until(lambda: self.attempts(event), 10, "an attempt")
            if made[0]["error"] == "":
                return None
            self.assertEqual((made[0]["outcome"], made[0]["error"]), BLOCKED)
            return True
        harness.wait_until(blocked, 20, "the new answer is asked for")
        self.assertGreater(self.names.asked["rebinding.example.com", names.A], 1)
        self.assertGreaterEqual(len(self.good.arrivals), arrived)
        self.assertEqual(self.trap.connections, 0)

    def test_strict_transport_security_is_not_remembered(self):
        """The rule would be the vendor's; the URL that the endpoint was made with is ours."""
        host = "strict.example.com"
        self.names.roles[host] = names.plain(GOOD)
        self.publish(self.endpoint("strict", f"https://{host}:{self.strict.port}", {}))
        self.expect("strict", [DELIVERED], "delivered")
        self.publish(self.endpoint("plain_after_strict", f"http://{host}:{self.port}", {}))
        self.expect("plain_after_strict", [DELIVERED], "delivered")
        self.assertTrue([a for a in self.good.arrivals
                         if a.headers["host"] == f"{host}:{self.port}"])

    def test_names_that_are_no_names_are_refused(self):
        for host in ("b\u00fccher.example.com", "a" * 64 + ".example.com", "-a.example.com",
                     "a_b.example.com", "a" + LONGEST_NAME, "a..example.com"):
            with self.subTest(host=host[:30]), self.assertRaises(harness.Refused) as refusal:
                self.endpoint("refused", f"http://{host}:{self.port}", {})
            self.assertEqual(refusal.exception.status, 422)


for entry in HERD:
    setattr(DnsZoo, f"test_{entry.title}", lambda self, one=entry: self.check(one))


if __name__ == "__main__":
    unittest.main()
