"""The manual page of syndctl names every command there is, and every option of each."""
import re
import subprocess
import tempfile
import unittest

import harness

PAGE = harness.ROOT / "docs" / "man" / "syndctl.1"
EVERYWHERE = {"--help", "--json", "--socket", "--limit"}


def headings():
    """Of the page's paragraphs, without their formatting."""
    found = []
    lines = PAGE.read_text().splitlines()
    for before, line in zip(lines, lines[1:]):
        if before == ".TP":
            plain = re.sub(r"\\f.", "", line).replace("\\-", "-").replace('"', " ")
            found.append(" ".join(re.sub(r"^\.[A-Z]+", "", plain).split()))
    return found


def commands(*path):
    """Each command of the program with its options, found by asking for help."""
    done = subprocess.run([harness.build_directory() / "bin" / "syndctl", *path, "--help"],
                          capture_output=True, text=True, check=True)
    options, _, inner = done.stdout.partition("Subcommands:")
    names = re.findall(r"^  ([a-z][a-z-]*)", inner, re.M)
    if path and not names:
        yield " ".join(path), set(re.findall(r"--[a-z-]+", options.partition("Options:")[2]))
    for name in names:
        yield from commands(*path, name)


class Manual(unittest.TestCase):
    def test_it_knows_every_command_and_option(self):
        written = headings()
        found = dict(commands())
        self.assertGreater(len(found), 30)
        for command, options in found.items():
            mine = [h for h in written if re.match(command + r"( |$)", h)
                    or h.endswith(f"also {command} ...")]
            self.assertEqual(len(mine), 1, command)
            for option in options - EVERYWHERE:
                if "also" not in mine[0].partition(command)[0]:
                    self.assertIn(option, mine[0], command)

    def test_sign_computes_the_examples_that_vendors_are_shown(self):
        text = (harness.ROOT / "docs" / "vendors.md").read_text()
        table = text.partition("| secret | id | timestamp | body | signature |")[2].split("\n\n")[0]
        rows = [re.findall(r"`([^`]+)`", line) for line in table.splitlines()[2:]]
        self.assertEqual(len(rows), 2)
        program = harness.build_directory() / "bin" / "syndctl"
        for secret, event, at, body, signature in rows:
            with tempfile.NamedTemporaryFile("w") as key:
                key.write(secret)
                key.flush()
                done = subprocess.run([program, "sign", "--secret-file", key.name, "--id", event,
                                       "--timestamp", at], input=body, capture_output=True,
                                      text=True, check=True)
            self.assertIn(signature, done.stdout)


if __name__ == "__main__":
    unittest.main()
