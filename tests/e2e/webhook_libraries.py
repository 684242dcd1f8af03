"""The Standard Webhooks libraries of npm and PyPI, installed under the build directory."""
import json
import pathlib
import shutil
import subprocess
import sys

import harness

HERE = pathlib.Path(__file__).resolve().parent


def line_of(arrival, secret):
    """What a library needs to verify a notification."""
    headers = {k: v for k, v in arrival.headers.items() if k.startswith("webhook-")}
    return {"secret": secret, "headers": headers, "body": arrival.body.decode()}


def run(command, lines, directory):
    done = subprocess.run(command, input="\n".join(map(json.dumps, lines)), capture_output=True,
                          text=True, timeout=60, cwd=directory, check=False)
    verdicts = done.stdout.splitlines()
    if len(verdicts) != len(lines):
        raise AssertionError(f"{command}: {done.stderr}")
    return verdicts


def install(command, directory, product):
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / product).is_dir():
        return
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} (see tests/packages.txt): {done.stderr}")


def npm(lines):
    """One verdict for each line: "ok", or what the library says."""
    modules = harness.build_directory() / "npm"
    program = shutil.which("npm")
    if program is None:
        raise AssertionError("npm is missing: see tests/packages.txt")
    install([program, "install", "--no-package-lock", "--no-save", "--no-audit", "--no-fund",
             "standardwebhooks@1"], modules, "node_modules/standardwebhooks")
    script = modules / "verify.mjs"
    script.write_text((HERE / "verify.mjs").read_text())
    return run(["node", str(script)], lines, modules)


def pypi(lines):
    """The same from Python's library."""
    packages = harness.build_directory() / "pypi"
    install([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target",
             str(packages), "standardwebhooks>=1,<2"], packages, "standardwebhooks")
    script = HERE / "verify_pypi.py"
    return run([sys.executable, str(script), str(packages)], lines, packages)
