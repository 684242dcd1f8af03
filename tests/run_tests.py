#!/usr/bin/env python3
"""Runs the test cases whose name contains or matches a pattern and counts each one.

C++ cases are called FOLDER/SUITE/CASE, Python ones e2e/MODULE/CLASS/CASE. A case that did not
report its end (a crash, a hang) has failed. Standard library only.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM_SECONDS_MAX = 900

ENTER = re.compile(r'Entering test case "([^"]+)"')
LEAVE = re.compile(r'Leaving test case "([^"]+)"')
SUITE_IN = re.compile(r'Entering test suite "([^"]+)"')
SUITE_OUT = re.compile(r'Leaving test suite "([^"]+)"')
BROKEN = re.compile(r'error: in "([^"]+)"')


def sanitizer_environment():
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "detect_container_overflow=0:abort_on_error=0")
    env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    supp = ROOT / "tests" / "tsan.supp"
    if supp.exists():
        env.setdefault("TSAN_OPTIONS", f"suppressions={supp}")
    return env


class BoostProgram:
    """One test executable."""

    def __init__(self, path):
        self.path = path
        self.name = path.name.removeprefix("test_")

    def cases(self):
        listed = subprocess.run([self.path, "--list_content"], capture_output=True, text=True,
                                timeout=60, check=True)
        found, parents = [], []
        for line in (listed.stderr or listed.stdout).splitlines():
            depth = (len(line) - len(line.lstrip())) // 4
            word = line.strip().split(":")[0].rstrip("*")
            del parents[depth:]
            parents.append(word)
            found.append("/".join(parents))
        inner = {path.rsplit("/", 1)[0] for path in found if "/" in path}
        return [path for path in found if path not in inner]

    def run(self, cases, everything, report):
        command = [self.path, "--log_level=test_suite", "--color_output=no",
                   "--catch_system_errors=no"]
        if not everything:
            command.append("--run_test=" + ":".join(cases))
        done, broken, suites, current, output = set(), set(), [], None, []
        limit = time.monotonic() + PROGRAM_SECONDS_MAX
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=sanitizer_environment(), cwd=ROOT) as program:
            for line in program.stdout:
                output.append(line)
                if found := SUITE_IN.search(line):
                    suites.append(found[1])
                elif SUITE_OUT.search(line) and suites:
                    suites.pop()
                elif found := ENTER.search(line):
                    current = "/".join(suites + [found[1]])
                elif (found := LEAVE.search(line)) and current:
                    done.add(current)
                    current = None
                elif BROKEN.search(line):
                    broken.add(current or BROKEN.search(line)[1])
                if time.monotonic() > limit:
                    program.kill()
                    output.append("the program was stopped after %d s\n" % PROGRAM_SECONDS_MAX)
        passed = [case for case in cases if case in done and case not in broken]
        failed = [case for case in cases if case not in passed]
        # A sanitizer's report at the end of the program belongs to no case, but it is a failure.
        if program.returncode != 0 and not failed:
            failed, passed = [passed[-1]], passed[:-1]
        if failed:
            report("".join(line for line in output
                           if not re.search(r"(Entering|Leaving) test (case|suite|module)", line)))
        return len(passed), failed


class PythonProgram:
    """The end-to-end cases; each module runs in a process of its own."""

    def __init__(self, module, build):
        self.module = module
        self.build = build
        self.name = "e2e/" + module

    def command(self, *arguments):
        return [sys.executable, str(ROOT / "tests" / "e2e" / "cases.py"),
                "--build", str(self.build), self.module, *arguments]

    def cases(self):
        listed = subprocess.run(self.command("--list"), capture_output=True, text=True, timeout=60)
        if listed.returncode != 0:
            sys.exit(listed.stderr)
        return listed.stdout.split()

    def run(self, cases, everything, report):
        del everything
        with tempfile.NamedTemporaryFile("r", suffix=".txt") as results:
            command = self.command("--results", results.name, *cases)
            code = 1
            try:
                program = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         text=True, errors="replace", env=sanitizer_environment(),
                                         timeout=PROGRAM_SECONDS_MAX, check=False, cwd=ROOT)
                output, code = program.stdout, program.returncode
            except subprocess.TimeoutExpired as late:
                output = (late.stdout or b"").decode(errors="replace") + "\nstopped: it hangs\n"
            passed = set(results.read().split())
        failed = [case for case in cases if case not in passed]
        # What went wrong after the last case, such as a daemon's account, is a failure, too.
        if code != 0 and not failed:
            failed = [cases[-1]]
        if failed:
            report(output)
        return len(cases) - len(failed), failed


def programs(build, driven):
    for path in sorted((build / "bin").glob("test_*")):
        if os.access(path, os.X_OK):
            yield BoostProgram(path)
    for path in sorted((ROOT / "tests" / "e2e").glob("test_*.py")):
        yield PythonProgram(path.stem, driven)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help="where the C++ cases are")
    parser.add_argument("--programs", type=pathlib.Path,
                        help="the build whose daemon the end-to-end cases run (as --build)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("pattern", nargs="?", default="")
    options = parser.parse_args()
    options.build = options.build.resolve()
    driven = (options.programs or options.build).resolve()
    try:
        wanted = re.compile(options.pattern)
    except re.error as why:
        sys.exit(f"bad pattern: {why}")

    passed, failures = 0, []
    for program in programs(options.build, driven):
        everything = program.cases()
        cases = [case for case in everything if wanted.search(f"{program.name}/{case}")]
        if options.list and cases:
            print("\n".join(f"{program.name}/{case}" for case in cases))
        if options.list or not cases:
            continue
        begun = time.monotonic()
        good, bad = program.run(cases, cases == everything, lambda text: print(text, flush=True))
        passed += good
        failures += [f"{program.name}/{case}" for case in bad]
        print(f"{program.name:<24} {good:>5} passed {len(bad):>4} failed "
              f"{time.monotonic() - begun:>7.1f} s", flush=True)
    if options.list:
        return 0
    for name in failures:
        print("FAILED", name)
    if passed + len(failures) == 0:
        print("no test has such a name")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
