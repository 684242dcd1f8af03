"""Starting, refusing to start, checking the configuration, ending."""
import json
import os
import signal
import ssl
import stat
import subprocess
import unittest
import urllib.error
import urllib.request

import harness


class Start(unittest.TestCase):
    def setUp(self):
        self.daemon = harness.Daemon()
        self.addCleanup(self.daemon.cleanup)

    def refused(self):
        """Starts and expects a refusal: the exit code and what was said."""
        self.daemon.launch()
        code = self.daemon.wait_exit()
        self.assertFalse(self.daemon.addresses_path().exists())
        return code, self.daemon.log()

    def run_program(self, *arguments):
        return subprocess.run([self.daemon.program, *arguments], capture_output=True, text=True,
                              timeout=20, check=False)

    def test_addresses_are_told_and_taken_back(self):
        self.daemon.start()
        told = json.loads(self.daemon.addresses_path().read_text())
        self.assertTrue(told["api"].startswith("http://127.0.0.1:"))
        self.assertEqual(told["pid"], self.daemon.process.pid)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertFalse(self.daemon.addresses_path().exists())

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        self.daemon.start()
        second = harness.Daemon({"store": {"directory": str(self.daemon.state)},
                                 "secrets": {"master_key_file": str(self.daemon.key_path)}})
        self.addCleanup(second.cleanup)
        second.launch()
        self.assertNotEqual(second.wait_exit(), 0)
        self.assertIn("in use by another", second.log())
        self.assertTrue(self.daemon.ready())

    def test_a_missing_master_key_is_refused(self):
        self.daemon.key_path.unlink()
        code, said = self.refused()
        self.assertEqual(code, 78)
        self.assertIn("master key", said)

    def test_an_open_master_key_is_refused(self):
        os.chmod(self.daemon.key_path, 0o644)
        code, said = self.refused()
        self.assertEqual(code, 78)
        self.assertIn("0600", said)

    def test_another_master_key_is_refused(self):
        self.daemon.start()
        self.daemon.stop()
        self.daemon.unaudited = "its key is gone for good"
        self.daemon.key_path.write_text("00" * 32)
        code, said = self.refused()
        self.assertNotEqual(code, 0)
        self.assertIn("key", said)

    def test_a_bad_configuration_is_refused_with_its_line(self):
        self.daemon.config_path.write_text("[api]\nlisten = \"127.0.0.1:0\"\nbogus = 1\n")
        code, said = self.refused()
        self.assertEqual(code, 78)
        self.assertIn(f"{self.daemon.config_path}:3: key 'api.bogus': unknown key", said)

    def test_check_config_says_yes_or_why_not(self):
        good = self.run_program("--config", self.daemon.config_path, "--check-config")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertFalse(self.daemon.state.exists(), "checking starts nothing")
        self.daemon.config_path.write_text("[delivery]\njitter = 7\n")
        bad = self.run_program("--config", self.daemon.config_path, "--check-config")
        self.assertEqual(bad.returncode, 78)
        self.assertIn(":2: key 'delivery.jitter'", bad.stderr)

    def test_version_and_usage(self):
        self.assertRegex(self.run_program("--version").stdout, r"^syndicated \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_program("--bogus").returncode, 2)
        self.assertEqual(self.run_program().returncode, 2)

    def test_a_taken_port_is_refused(self):
        self.daemon.start()
        second = harness.Daemon({"api": {"listen": self.daemon.settings["api"]["listen"]}})
        self.addCleanup(second.cleanup)
        second.launch()
        self.assertNotEqual(second.wait_exit(), 0)
        self.assertIn("in use", second.log())

    def test_metrics_may_have_a_port_of_their_own(self):
        self.daemon.configure({"metrics": {"listen": "127.0.0.1:0"}})
        self.daemon.start()
        told = json.loads(self.daemon.addresses_path().read_text())
        self.assertNotEqual(told["metrics"], told["api"])
        apart = harness.Client(told["metrics"], None)
        self.assertIn(b"syndicated_ready 1", apart.raw("GET", "/metrics")[2])
        self.assertEqual(apart.raw("GET", "/healthz")[0], 200)
        self.assertEqual(apart.raw("GET", "/v1/vendors")[0], 404)

    def test_the_api_speaks_tls(self):
        certificate, key = (self.daemon.directory / name for name in ("api.pem", "api.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                        "-out", certificate], check=True, capture_output=True)
        self.daemon.configure({"api": {"tls_certificate": str(certificate), "tls_key": str(key)}})
        self.daemon.launch()
        harness.wait_until(self.daemon.addresses_path().exists, 10, "the addresses")
        told = json.loads(self.daemon.addresses_path().read_text())["api"]
        self.assertTrue(told.startswith("https://"))
        trust = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(told + "/readyz", context=trust, timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(str(certificate))
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(told + "/readyz", context=old, timeout=10)

    def test_the_admin_socket_has_its_mode(self):
        self.daemon.configure({"admin": {"mode": "0600"}})
        self.daemon.start()
        self.assertEqual(stat.S_IMODE(self.daemon.socket.stat().st_mode), 0o600)

    def test_reload_takes_the_log_level_and_keeps_the_rest(self):
        self.daemon.start()
        self.daemon.configure({"log": {"level": "debug"}, "delivery": {"curl_loops": 2}})
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "delivery.curl_loops" in self.daemon.log(), 10, "the reload")
        line = [json.loads(one) for one in self.daemon.log().splitlines()
                if "delivery.curl_loops" in one][-1]
        self.assertIn("log.level", json.dumps(line))
        self.daemon.config_path.write_text("broken = \n")
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: "syndicated.toml:1" in self.daemon.log(), 10, "the complaint")
        self.assertTrue(self.daemon.ready())

    def test_every_log_line_is_one_json_object(self):
        self.daemon.start()
        self.daemon.client().get("/v1/vendors")
        self.daemon.stop()
        lines = self.daemon.log().splitlines()
        self.assertGreater(len(lines), 2)
        for line in lines:
            self.assertIn("message", json.loads(line))


if __name__ == "__main__":
    unittest.main()
