"""The endpoint zoo of spec/reliability.md 6.7 against the real daemon: one case for each animal.

All are let loose at once. Not shown here: a firewall that drops packets (a full queue of
connections takes its place) and a 1 GB header as such (it is endless, and cut at its limit).
"""
import pathlib
import shutil
import socket
import ssl
import tempfile
import unittest

import animals
import harness
import zoo

CHAIN_LINKS_OVER_THE_LIMIT = 400  # OpenSSL takes 100 KiB of certificates
MEMORY_GROWTH_KIB_MAX = 128 * 1024
HEALTHY, RANDOM, LIMITED = 50, 20, 6  # events
STATUSES = [0, *range(100, 600), 600, 999]
OPENSSL_SERVERS = {
    "tls_renegotiates": ["-tls1_2"],
    "tls_alpn_refused": ["-alpn", "spdy/9"],
    "tls_1_3_wants_a_client_certificate": ["-tls1_3", "-Verify", "1"],
    "tls_1_2_wants_a_client_certificate": ["-tls1_2", "-Verify", "1"],
}


def most_memory_kib(pid):
    """The most that it ever had resident."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def contexts(directory):
    """The servers' sides of TLS, by name, and the authority that the daemon trusts."""
    trusted = zoo.Authority(directory, "trusted")
    stranger = zoo.Authority(directory, "stranger")
    good = trusted.issue("good")
    made = {
        "good": zoo.server_context(good),
        "expired": zoo.server_context(trusted.issue("expired", until="20200101000000Z")),
        "wrong_name": zoo.server_context(trusted.issue("other", "DNS:other.example.com")),
        "untrusted": zoo.server_context(stranger.issue("good")),
        "self_signed": zoo.server_context((stranger.certificate, stranger.key)),
        "tls_1_0": zoo.server_context(good),
        "alpn": zoo.server_context(good),
    }
    made["tls_1_0"].set_ciphers("ALL:@SECLEVEL=0")
    made["tls_1_0"].minimum_version = ssl.TLSVersion.TLSv1
    made["tls_1_0"].maximum_version = ssl.TLSVersion.TLSv1
    made["alpn"].set_alpn_protocols(["spdy/9"])
    for name, links in (("huge_chain", CHAIN_LINKS_OVER_THE_LIMIT), ("long_chain", 20)):
        chain = pathlib.Path(directory) / f"{name}.pem"
        chain.write_text(good[0].read_text() + trusted.certificate.read_text() * links)
        made[name] = zoo.server_context((chain, good[1]))
    return made, trusted, good


class Zoo(zoo.Habitat):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.mkdtemp(prefix="zoo-")
        cls.addClassCleanup(shutil.rmtree, cls.place)
        cls.tls, cls.authority, cls.good = contexts(cls.place)
        cls.daemon = harness.Daemon({
            # Each animal is judged by itself, so no breaker spares it an attempt.
            "delivery": {"breaker_open": "0s", "ca_file": str(cls.authority.certificate),
                         "schedule": ["0s"] + ["200ms"] * 9}})
        cls.addClassCleanup(cls.daemon.cleanup)
        cls.daemon.start()
        cls.client = cls.daemon.client()
        cls.zoo = zoo.Zoo()
        cls.addClassCleanup(cls.zoo.close)
        cls.trap = cls.zoo.open(animals.polite)
        cls.secure_trap = cls.zoo.open(animals.polite, cls.tls["good"])
        cls.healthy = cls.zoo.open(animals.polite)
        cls.answering = cls.zoo.open(animals.any_status)
        cls.events, cls.endpoints, cls.cages = {}, {}, {}
        wanted = [line for status in STATUSES for line in cls.status_endpoint(status)]
        cls.memory_before = most_memory_kib(cls.daemon.process.pid)
        cls.publish(wanted)
        wanted = []
        for one in animals.HERD:
            cage = cls.cages[one.name] = cls.let_loose(one)
            wanted += cls.endpoint(one.name, cage.url, one.settings, one.events)
        for name, address, settings in cls.places():
            wanted += cls.endpoint(name, address, settings)
        wanted += cls.endpoint("healthy", cls.healthy.url, {}, HEALTHY)
        cls.one_at_a_time = animals.OneAtATime()
        for name, script, events in (("one_connection_at_a_time", cls.one_at_a_time, LIMITED),
                                     ("half_fails_at_random", animals.random_failures(67), RANDOM)):
            cage = cls.zoo.open(script)
            wanted += cls.endpoint(name, cage.url, {"retry_schedule": None}, events, stream=False)
        cls.publish(wanted)

    @classmethod
    def let_loose(cls, one):
        fill = {"TRAP_PORT": f":{cls.secure_trap.port}", "TRAP": cls.trap.url}

        async def script(peer):
            plain = peer.send

            async def send(data):
                if isinstance(data, str):
                    for word, value in fill.items():
                        data = data.replace(word, value)
                await plain(data)
            peer.send = send
            await one.script(peer)
        cage = cls.zoo.open(script, cls.tls.get(one.tls))
        if one.tls:
            cage.scheme = "https"
        return cage

    @classmethod
    def places(cls):
        """What is no coroutine: ports without a server, and OpenSSL's own server."""
        for name, made, settings in (("syn_black_hole", zoo.BlackHole(), {"timeout_ms": 1000}),
                                     ("refuses", zoo.ClosedPort(), {})):
            cls.addClassCleanup(made.close)
            yield name, made.url, settings
        for name, options in OPENSSL_SERVERS.items():
            server = zoo.OpensslServer(cls.good, *options, renegotiate="renegotiates" in name)
            cls.addClassCleanup(server.close)
            yield name, server.url, {}

    @classmethod
    def status_endpoint(cls, status):
        return cls.endpoint(f"status_{status:03}", cls.answering.url, {}, path=f"/{status:03}")

    def check(self, one):
        made = self.expect(one.name, one.attempts, one.state)
        for which in range(1, one.events):
            self.expect(one.name, one.attempts, one.state, which)
        self.assertLessEqual(max(len(a["excerpt"]) for a in made), 4096)
        shown = self.client.get(f"/v1/endpoints/{self.endpoints[one.name]['id']}")
        gone = one.attempts[-1][0] == "gone"
        self.assertEqual(shown["state"], "disabled" if gone else "active")

    # ---- entries that need a look of their own

    def test_every_status(self):
        for status in STATUSES:
            with self.subTest(status=status):
                wanted = animals.class_of_status(status)
                state = {"delivered": "delivered", "gone": "parked"}.get(wanted[0], "pending")
                [attempt] = self.expect(f"status_{status:03}", [wanted], state)
                self.assertEqual(attempt["status"], status if 200 <= status <= 599 else 0)

    def test_half_fails_at_random(self):
        for which in range(RANDOM):
            made = self.came_to("half_fails_at_random", "delivered", which=which)
            self.assertLessEqual({(a["outcome"], a["error"]) for a in made[:-1]},
                                 {("overload", "http_503"), animals.CUT, animals.BROKEN})

    def test_one_connection_at_a_time(self):
        for which in range(LIMITED):
            self.came_to("one_connection_at_a_time", "delivered", which=which)
        self.assertGreater(self.one_at_a_time.refused, 0, "the limit was never met")

    def test_no_animal_troubles_a_healthy_endpoint(self):
        for which in range(HEALTHY):
            self.assertEqual(len(self.came_to("healthy", "delivered", which=which)), 1)
        self.assertEqual(len(self.healthy.arrivals), HEALTHY)

    def test_nothing_is_fetched_from_where_answers_point_to(self):
        for one in animals.HERD:
            if one.name.startswith(("redirect", "refresh", "names_an_alternative")):
                self.came_to(one.name, one.state, which=one.events - 1)
        self.assertEqual((self.trap.connections, self.secure_trap.connections), (0, 0))
        self.assertEqual(len(self.cages["redirect_to_itself"].arrivals), 1)

    def test_nothing_of_an_answer_is_kept_for_the_next_request(self):
        """No cookie comes back, and no password is tried."""
        for name in ("sets_a_cookie", "asks_for_a_password", "names_an_alternative"):
            self.came_to(name, next(a for a in animals.HERD if a.name == name).state)
            for arrival in self.cages[name].arrivals:
                self.assertFalse({"cookie", "authorization", "alt-used"} & set(arrival.headers))
        self.came_to("sets_a_cookie", "delivered", which=2)
        self.assertEqual(len(self.cages["sets_a_cookie"].arrivals), 3)

    def test_what_is_packed_is_not_unpacked(self):
        [attempt] = self.came_to("gzip_bomb", "delivered")
        self.assertTrue(attempt["excerpt"].startswith("\x1f"))
        self.assertNotIn("accept-encoding", self.cages["gzip_bomb"].arrivals[0].headers)

    def test_memory_is_bounded_whatever_comes(self):
        for one in animals.HERD:
            self.came_to(one.name, one.state, which=one.events - 1)
        grown = most_memory_kib(self.daemon.process.pid) - self.memory_before
        self.assertLess(grown, MEMORY_GROWTH_KIB_MAX)

    def test_refuses(self):
        self.expect("refuses", [("overload", "connect")], "pending")

    def test_syn_black_hole(self):
        self.expect("syn_black_hole", [animals.TIMEOUT], "pending")

    def test_tls_alpn_refused(self):
        self.expect("tls_alpn_refused", [animals.TLS], "pending")

    def test_tls_renegotiates(self):
        self.expect("tls_renegotiates", [animals.DELIVERED], "delivered")

    def test_the_server_of_tls_1_0_serves_whoever_speaks_it(self):
        """Or its refusal by the daemon would say nothing."""
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
        old.load_verify_locations(self.authority.certificate)
        place = "127.0.0.1", self.cages["tls_1_0_only"].port
        with socket.create_connection(place, timeout=10) as plain, \
                old.wrap_socket(plain, server_hostname=place[0]) as spoken:
            self.assertEqual(spoken.version(), "TLSv1")

    def test_tls_wants_a_client_certificate(self):
        # In TLS 1.3 it is told after the handshake, and a reset may overtake the telling.
        for version, words in (("1_3", "tls|send"), ("1_2", "tls")):
            with self.subTest(version=version):
                self.expect(f"tls_{version}_wants_a_client_certificate", [("overload", words)],
                            "pending")


for entry in animals.HERD:
    setattr(Zoo, f"test_{entry.name}", lambda self, one=entry: self.check(one))


if __name__ == "__main__":
    unittest.main()
