"""Reads the events of `go test -json` (of test2json), one JSON object a line, packages interleaved.

From Go 1.20 on, which opens each package with a `start` event, the events tell true verdicts from
printed ones. Before, they were made of the text that the tests printed, so there the text of the
`output` events is read as `gotest` reads it, and the events must agree with it.
"""

from __future__ import annotations

from typing import Any

import orjson

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.go import package_text
from velora.grading.parsers.go.package_tests import PackageTests
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, TestResult

_WORDS = {"pass": "PASS", "fail": "FAIL", "skip": "SKIP"}
_RAW = 500  # characters of a line kept as evidence
_TOLD = ("--- ", "=== ", "panic: ", '"PASS\\n', '"FAIL\\n', '"\\t', "[build failed]", "[setup")


class GotestJsonReader:
    """All packages of a log; `complete` if all that began were closed."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.packages: dict[str, PackageTests] = {}
        self.marked = False  # Go 1.20 or later
        self.closed = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:1] != "{":
            return
        if '"Action":"output"' in line and not any(told in line for told in _TOLD):
            return
        try:
            event = orjson.loads(line)
        except ValueError:
            return
        package = event.get("Package")
        action = event.get("Action")
        if not isinstance(package, str) or not isinstance(action, str):
            return
        tests = self.packages.get(package)
        if tests is None:
            tests = self.packages[package] = PackageTests(verbose=True)
        name = event.get("Test")
        if action == "start":
            self.marked = True
        elif action == "output":
            self._output(tests, number, event, package)
        elif isinstance(name, str) and name:
            self._test(tests, number, line, event, name)
        elif action in _WORDS:
            self._close(number, package, passed=action != "fail")

    def finish(self) -> Parsed:
        """The end of the log."""
        complete = self.closed and not self.packages
        for package in list(self.packages):
            self.warnings.append(f"{package} has no end: the run was cut off")
            self._close(0, package, passed=False)
        return Parsed(self.results, complete, tuple(self.warnings))

    def _test(
        self, tests: PackageTests, number: int, line: str, event: dict[str, Any], name: str
    ) -> None:
        action = event["Action"]
        if action == "run":
            tests.run(name, number)
        elif action == "pause":
            tests.pause(name)
        elif action == "cont":
            tests.resume(name)
        elif action in _WORDS:
            elapsed = event.get("Elapsed")
            seconds = float(elapsed) if isinstance(elapsed, int | float) else None
            tests.end(name, _WORDS[action], number, line[:_RAW], seconds)

    def _output(
        self, tests: PackageTests, number: int, event: dict[str, Any], package: str
    ) -> None:
        text = event.get("Output")
        if not isinstance(text, str):
            return
        name = event.get("Test")
        name = name if isinstance(name, str) else ""
        text = text.removesuffix("\n")
        if text.startswith("panic: "):
            tests.panic(number, name)
            tests.listing = number
        elif text.startswith(f"FAIL\t{package} ["):
            self.warnings.append(f"line {number}: {text[5:]}")
        elif not self.marked or text.startswith("\t") or (not name and text in ("PASS", "FAIL")):
            package_text.read(tests, number, text)

    def _close(self, number: int, package: str, *, passed: bool) -> None:
        results, odd = self.packages.pop(package).close(passed=passed)
        self.closed = True
        for name, result in results.items():
            note(self.results, f"{package}/{name}", result)
        if number:
            self.warnings += (f"line {number}: {package} {each}" for each in odd)


FRAMEWORK = Framework(
    name="gotest-json",
    reader=GotestJsonReader,
    names="`package/path/TestName/sub_test`, the events' Package and Test",
    signs=r'\{"(?:Time":"[^"]*","|ImportPath":"[^"]*",")?Action":"[a-z-]+"',
    begins="{",
    languages=("go",),
)
