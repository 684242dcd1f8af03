"""Forbidden destinations: refused when an endpoint is made, and never contacted afterwards."""
import http.server
import signal
import threading
import unittest

import harness
import names

# Spellings of 127.0.0.1 and of other private places (reliability.md, 5.1).
REFUSED = [
    "http://127.0.0.1/x", "https://127.0.0.1/x", "https://127.1/x", "https://2130706433/x",
    "https://0x7f.1/x", "https://017700000001/x", "https://0x7f000001/x", "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x", "https://[::ffff:7f00:1]/x", "https://[64:ff9b::7f00:1]/x",
    "https://[2002:7f00:1::]/x", "https://[fe80::1%25eth0]/x", "https://169.254.169.254/x",
    "https://10.0.0.1/x", "https://192.168.0.1/x", "https://172.16.0.1/x", "https://100.64.0.1/x",
    "https://0.0.0.0/x", "https://[::]/x", "https://localhost/x", "https://localhost./x",
    "https://printer.local/x", "https://metadata.google.internal/x", "https://nas.home.arpa/x",
    "https://intranet/x", "https://user:pass@example.com/x", "https://example.com:25/x",
    "https://example.com:0/x", "https://example.com:65536/x", "ftp://example.com/x",
    "file:///etc/passwd", "gopher://example.com/x", "https:///x", "https:/example.com/x",
    "https://exa mple.com/x", "https://example.com\\@127.0.0.1/x", "https://example.com/a\nb",
    "https://example.com/x#fragment", "https://①②⑦.⓪.⓪.①/x", "https://127。0。0。1/x",
    "https://example.com./x", "https://", "", "https://[::1", "https://" + "a" * 2100 + ".com/",
]


class Egress(unittest.TestCase):
    def start(self):
        daemon = harness.Daemon({"egress": {"allow": [], "allow_http": False,
                                            "allow_ip_literals": False}})
        self.addCleanup(daemon.cleanup)
        return daemon.start()

    def test_forbidden_spellings_are_refused(self):
        client = self.start().client()
        for url in REFUSED:
            with self.subTest(url=url[:60]):
                with self.assertRaises(harness.Refused) as refusal:
                    client.post("/v1/endpoints", {"scope": "platform", "url": url})
                self.assertEqual(refusal.exception.status, 422)
        self.assertEqual(client.get("/v1/endpoints")["items"], [])

    def test_the_url_rules_accept_an_ordinary_address(self):
        client = self.start().client()
        made = client.post("/v1/endpoints", {"scope": "platform",
                                             "url": "https://Hooks.Example.com/in?a=b"})
        self.assertEqual(made["url"], "https://hooks.example.com/in?a=b")


class Resolved(unittest.TestCase):
    """Names that resolve to forbidden addresses."""

    def setUp(self):
        self.hits = 0
        outer = self

        class Trap(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.hits += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.trap = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
        threading.Thread(target=self.trap.serve_forever, daemon=True).start()
        self.addCleanup(self.trap.server_close)
        self.addCleanup(self.trap.shutdown)
        self.port = self.trap.server_address[1]
        self.names = names.Names()
        self.addCleanup(self.names.close)
        self.daemon = harness.Daemon({
            "egress": {"allow": [], "allow_http": True, "allow_ip_literals": False,
                       "ports": [443, self.port]},
            "delivery": {"dns_servers": [self.names.address], "attempt_timeout_ms": 2000}})
        self.addCleanup(self.daemon.cleanup)
        self.daemon.start()
        self.client = self.daemon.client()
        self.shop = harness.Shop(self.client)

    def try_name(self, name, addresses):
        self.names.roles[name] = names.plain(*addresses)
        endpoint = self.shop.endpoint(f"http://{name}:{self.port}/in")
        return self.client.post(f"/v1/endpoints/{endpoint['id']}/test")

    def test_private_and_mixed_answers_are_blocked(self):
        for name, answers in {
                "loop.example.com": ["127.0.0.1"],
                "mixed.example.com": ["93.184.216.34", "127.0.0.1"],
                "meta.example.com": ["169.254.169.254"],
                "zero.example.com": ["0.0.0.0"],
                "private.example.com": ["10.0.0.1"]}.items():
            with self.subTest(name=name):
                outcome = self.try_name(name, answers)
                self.assertEqual(outcome["error"], "blocked_destination", outcome)
        self.assertEqual(self.hits, 0)

    def test_a_name_that_does_not_exist_is_a_dns_failure(self):
        outcome = self.try_name("nothing.example.com", [])
        self.assertEqual(outcome["error"], "dns", outcome)

    def test_an_exception_opens_and_a_reload_closes_again(self):
        self.names.roles["open.example.com"] = names.plain("127.0.0.1")
        self.daemon.configure({"egress": {"allow": [f"127.0.0.1/32:{self.port}"]}})
        self.reload("egress.allow")
        endpoint = self.shop.endpoint(f"http://open.example.com:{self.port}/in")
        test = f"/v1/endpoints/{endpoint['id']}/test"
        self.assertEqual(self.client.post(test)["status"], 204)
        self.assertEqual(self.hits, 1)
        self.daemon.configure({"egress": {"allow": []}})
        self.reload("egress.allow")
        # The connection of the first test is still warm, and must not be used.
        self.assertEqual(self.client.post(test)["error"], "blocked_destination")
        self.assertEqual(self.hits, 1)

    def reload(self, key):
        seen = self.daemon.log().count(key)
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: self.daemon.log().count(key) > seen, 10, "the reload")

    def test_proxy_variables_are_ignored(self):
        self.daemon.stop()
        proxy = harness.Sink()
        self.addCleanup(proxy.close)
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            self.daemon.environment[name] = proxy.url
        self.daemon.configure({"egress": {"allow": [f"127.0.0.1/32:{self.port}"]}})
        self.daemon.start()
        self.client = self.daemon.client()
        self.names.roles["direct.example.com"] = names.plain("127.0.0.1")
        endpoint = self.client.post("/v1/endpoints", {
            "scope": "platform", "url": f"http://direct.example.com:{self.port}/in"})
        self.assertEqual(self.client.post(f"/v1/endpoints/{endpoint['id']}/test")["status"], 204)
        self.assertEqual((self.hits, len(proxy.snapshot())), (1, 0))

    def test_redirects_are_not_followed(self):
        elsewhere = harness.Sink()
        self.addCleanup(elsewhere.close)
        here = harness.Sink(lambda arrival: (307, {"Location": elsewhere.url + "/stolen"}))
        self.addCleanup(here.close)
        self.daemon.configure({"egress": {"allow": ["127.0.0.0/8:*"], "allow_ip_literals": True}})
        self.reload("egress.allow")
        endpoint = self.shop.endpoint(here.url + "/in")
        outcome = self.client.post(f"/v1/endpoints/{endpoint['id']}/test")
        self.assertEqual(outcome["status"], 307)
        self.assertEqual((len(here.snapshot()), len(elsewhere.snapshot())), (1, 0))


if __name__ == "__main__":
    unittest.main()
