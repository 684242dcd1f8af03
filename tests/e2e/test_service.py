"""systemd: readiness, watchdog, socket activation, the unit files."""
import ipaddress
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness

UNITS = harness.ROOT / "systemd"


class NotifySocket:
    """Receives what a service tells its manager."""

    def __init__(self, directory):
        self.path = str(pathlib.Path(directory) / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            self.messages.append((time.monotonic(), data.decode()))

    def has(self, word):
        return [at for at, text in list(self.messages) if word in text.split("\n")]

    def close(self):
        self.socket.close()


class Notify(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)
        self.manager = NotifySocket(self.daemon.directory)
        self.addCleanup(self.manager.close)
        self.daemon.environment = {"NOTIFY_SOCKET": self.manager.path}

    def test_ready_status_and_stopping(self):
        self.daemon.start()
        harness.wait_until(lambda: self.manager.has("READY=1"), 10, "READY=1")
        self.assertTrue(any("STATUS=" in text for _, text in self.manager.messages))
        self.assertFalse(self.manager.has("STOPPING=1"))
        self.assertEqual(self.daemon.stop(), 0)
        harness.wait_until(lambda: self.manager.has("STOPPING=1"), 5, "STOPPING=1")

    def test_the_watchdog_is_kicked_in_time(self):
        self.daemon.environment |= {"WATCHDOG_USEC": "1000000"}
        self.daemon.start()
        harness.wait_until(lambda: len(self.manager.has("WATCHDOG=1")) >= 5, 10, "five kicks")
        kicks = self.manager.has("WATCHDOG=1")
        self.assertLess(max(b - a for a, b in zip(kicks, kicks[1:])), 1.0)

    def test_a_stopped_process_is_not_alive(self):
        self.daemon.environment |= {"WATCHDOG_USEC": "400000"}
        self.daemon.start()
        harness.wait_until(lambda: self.manager.has("WATCHDOG=1"), 10, "a kick")
        self.daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(0.3)  # what was on its way
        before = len(self.manager.has("WATCHDOG=1"))
        time.sleep(1.0)
        self.assertEqual(len(self.manager.has("WATCHDOG=1")), before)
        self.daemon.process.send_signal(signal.SIGCONT)
        harness.wait_until(lambda: len(self.manager.has("WATCHDOG=1")) > before, 10, "a kick again")


class Drain(unittest.TestCase):
    def test_sigterm_ends_what_is_in_flight_and_exits_zero(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        daemon.start()
        client = daemon.client()
        shop = harness.Shop(client)
        sink = harness.Sink()
        self.addCleanup(sink.close)
        shop.endpoint(sink.url + "/standard")
        numbers = [shop.subscription()["id"] for _ in range(200)]
        begun = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - begun, 30)
        daemon.start()
        client = daemon.client()
        harness.wait_until(lambda: harness.drained(client), 30, "empty queues")
        self.assertEqual({a.entity_id for a in sink.snapshot()}, set(numbers))
        # An orderly end repeats nothing.
        self.assertEqual(len(sink.snapshot()), len(numbers))


class Activation(unittest.TestCase):
    def launch(self, daemon, port, admin):
        """With the sockets that systemd-socket-activate hands over on the first connection."""
        daemon.launched = subprocess.Popen(
            ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", "--listen", str(admin),
             "--fdname=api:admin", str(daemon.program), "--config", str(daemon.config_path)],
            stdout=daemon.log_path.open("ab"), stderr=subprocess.STDOUT)
        return daemon.launched

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "no systemd-socket-activate")
    def test_the_handed_over_sockets_are_served(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        admin = daemon.runtime / "activated.sock"
        process = self.launch(daemon, port, admin)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        daemon.api = f"http://127.0.0.1:{port}"
        harness.wait_until(daemon.ready, 20, "the first connection starts the daemon")
        harness.wait_until(daemon.addresses_path().exists, 20, "the addresses are told")
        told = json.loads(daemon.addresses_path().read_text())
        self.assertEqual(told["api"], daemon.api)
        daemon.socket = admin
        self.assertEqual(daemon.client().get("/v1/vendors")["items"], [])

    def test_a_restart_refuses_no_connection(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(listener.close)
        address = listener.getsockname()

        def start():
            # What systemd does: the socket is file 3, the process knows its own number.
            pid = os.fork()
            if pid == 0:
                log = os.open(daemon.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                os.dup2(log, 1)
                os.dup2(log, 2)
                os.dup2(listener.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="api", LISTEN_PID=str(os.getpid()))
                os.execv(daemon.program, [str(daemon.program), "--config", str(daemon.config_path)])
            return pid

        pid = start()
        daemon.api = f"http://127.0.0.1:{address[1]}"
        harness.wait_until(daemon.ready, 20, "the daemon")
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        # Nobody runs for a while, yet every connection is taken and waits.
        with socket.create_connection(address, timeout=20) as waiting:
            waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            pid = start()
            answer = b""
            while chunk := waiting.recv(4096):
                answer += chunk
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer[:60])
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def test_lies_about_sockets_are_refused(self):
        daemon = harness.Daemon()
        self.addCleanup(daemon.cleanup)
        with socket.socket() as plain:  # not listening
            pid = os.fork()
            if pid == 0:
                log = os.open(daemon.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                os.dup2(log, 2)
                os.dup2(plain.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="api", LISTEN_PID=str(os.getpid()))
                os.execv(daemon.program, [str(daemon.program), "--config", str(daemon.config_path)])
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(code, 78)
        self.assertIn("api", daemon.log())


class Units(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.units = []
        for source in sorted([*UNITS.glob("*.service"), *UNITS.glob("*.socket")]):
            text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", source.read_text(), flags=re.M)
            target = pathlib.Path(directory.name) / source.name
            target.write_text(text)
            self.units.append(str(target))

    def test_the_units_are_clean(self):
        done = subprocess.run(["systemd-analyze", "verify", *self.units], capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_wall_for_addresses_can_be_put_up(self):
        service = [unit for unit in self.units if unit.endswith(".service")][0]
        text = pathlib.Path(service).read_text()
        up, lines = re.subn(r"^#(IPAddress\w+=)", r"\1", text, flags=re.M)
        self.assertEqual(lines, 2)
        pathlib.Path(service).write_text(up)
        self.test_the_units_are_clean()
        denied = re.search(r"^IPAddressDeny=(.*)", up, flags=re.M)[1].split()
        networks = [ipaddress.ip_network(one) for one in denied]
        for address in ("10.1.2.3", "127.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1",
                        "172.31.0.1", "0.0.0.0", "::1", "fe80::1", "fd00:ec2::254"):
            wanted = ipaddress.ip_address(address)
            self.assertTrue(any(wanted in n for n in networks if n.version == wanted.version),
                            address)

    def test_the_exposure_is_small(self):
        service = [unit for unit in self.units if unit.endswith(".service")][0]
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15",
                               service], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-200:])
        level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)[1]
        self.assertLessEqual(float(level), 1.5)

    def test_the_users_and_directories_can_be_made(self):
        with tempfile.TemporaryDirectory() as root:
            for name in ("sysusers", "tmpfiles"):
                (pathlib.Path(root) / "etc").mkdir(exist_ok=True)
                command = [f"systemd-{name}", f"--root={root}", UNITS / f"syndicated.{name}"]
                if name == "tmpfiles":
                    command.insert(1, "--create")
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("syndicated", (pathlib.Path(root) / "etc" / "passwd").read_text())
            self.assertTrue((pathlib.Path(root) / "var/lib/syndicated").is_dir())


if __name__ == "__main__":
    unittest.main()
