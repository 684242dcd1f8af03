#!/usr/bin/env python3
"""Lists or runs the cases of one end-to-end module; writes the names of those that passed."""
import argparse
import os
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


def short(case):
    return "/".join(case.id().split(".")[1:])


class Result(unittest.TextTestResult):
    passed_file = None

    def addSuccess(self, test):
        super().addSuccess(test)
        if self.passed_file:
            print(short(test), file=self.passed_file, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--results", type=pathlib.Path)
    parser.add_argument("module")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_intermixed_args()
    os.environ["SYNDICATED_BUILD"] = str(options.build.resolve())

    found = list(flat(unittest.defaultTestLoader.loadTestsFromName(options.module)))
    if options.list:
        print("\n".join(short(case) for case in found))
        return 0
    if options.cases:
        found = [case for case in found if short(case) in options.cases]
    if options.results:
        Result.passed_file = options.results.open("w")
    runner = unittest.TextTestRunner(verbosity=2, resultclass=Result)
    outcome = runner.run(unittest.TestSuite(found))
    # A skipped case has shown nothing: it does not count as passed.
    return 0 if outcome.wasSuccessful() and not outcome.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
