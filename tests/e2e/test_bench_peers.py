"""The adapters for other webhook servers, against a server that notes what it is asked."""
import http.server
import json
import pathlib
import socket
import sys
import threading
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import peers

ANSWERS = {
    "/api/v1/app": {"id": "app_1"},
    "/api/v1/projects/p1/endpoints": {"data": {"uid": "ep_1"}},
}


class NotingServer:
    def __init__(self):
        calls = self.calls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                calls.append((self.command, self.path, self.headers["Authorization"],
                              json.loads(body) if body else None))
                text = json.dumps(ANSWERS.get(self.path, {})).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def send(self, raw):
        place = urllib.parse.urlsplit(self.url)
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(raw)
            connection.recv(4096)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Adapters(unittest.TestCase):
    def asked(self, adapter, project=""):
        """What it asks for one endpoint and for event 1000000007."""
        server = NotingServer()
        self.addCleanup(server.close)
        peer = adapter(server.url, "key", project)
        peer.create_endpoint("http://127.0.0.1:1/hook")
        raw = peer.request()
        self.assertEqual(raw.count(peers.NUMBER.encode()), 1)
        server.send(raw.replace(peers.NUMBER.encode(), b"1000000007"))
        self.assertEqual({call[2] for call in server.calls}, {"Bearer key"})
        return [(method, path, body) for method, path, _, body in server.calls]

    def check_event(self, body, field):
        self.assertEqual(body[field]["bench_number"], 1000000007)
        self.assertGreater(len(json.dumps(body[field])), 280)

    def test_svix(self):
        application, endpoint, event = self.asked(peers.Svix)
        self.assertEqual(application[:2], ("POST", "/api/v1/app"))
        self.assertEqual(endpoint, ("POST", "/api/v1/app/app_1/endpoint",
                                    {"url": "http://127.0.0.1:1/hook"}))
        self.assertEqual(event[:2], ("POST", "/api/v1/app/app_1/msg"))
        self.assertEqual(event[2]["eventType"], "bench.event")
        self.check_event(event[2], "payload")

    def test_convoy(self):
        endpoint, subscription, event = self.asked(peers.Convoy, "p1")
        self.assertEqual(endpoint[:2], ("POST", "/api/v1/projects/p1/endpoints"))
        self.assertEqual(subscription[1], "/api/v1/projects/p1/subscriptions")
        self.assertEqual(subscription[2]["endpoint_id"], "ep_1")
        self.assertEqual(event[1], "/api/v1/projects/p1/events")
        self.assertEqual(event[2]["endpoint_id"], "ep_1")
        self.check_event(event[2], "data")

    def test_outpost(self):
        tenant, destination, event = self.asked(peers.Outpost)
        self.assertEqual(tenant[:2], ("PUT", "/api/v1/tenants/bench"))
        self.assertEqual(destination[1], "/api/v1/tenants/bench/destinations")
        self.assertEqual(destination[2]["config"], {"url": "http://127.0.0.1:1/hook"})
        self.assertEqual(event[1], "/api/v1/publish")
        self.assertEqual(event[2]["tenant_id"], "bench")
        self.check_event(event[2], "data")


if __name__ == "__main__":
    unittest.main()
