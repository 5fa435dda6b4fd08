"""Reads `swift test` and `xcodebuild test`: XCTest and Swift Testing, which may share a log.

    Test Case 'CalcTests.testAdd' started at 2024-05-01 10:00:00.000        (XCTest, Linux)
    Test Case '-[Calc.CalcTests testAdd]' passed (0.001 seconds).           (XCTest, macOS)
    ◇ Test adds() started.                                                  (Swift Testing)
    ✔ Test adds() passed after 0.001 seconds.

Both announce each test, and a pass is believed only of a test that was announced and is still
open; a failure is always believed, so a test that prints its own pass gains nothing. An announced
test without an end is an ERROR. Output without a line end may stand before XCTest's lines. Totals
that are smaller than what is listed take away all passes of their framework.

Swift Testing does not show the suite of a test: equal names in several suites are one result, the
worst. A known issue is XFAIL.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_CASE = re.compile(
    r"Test Case '(?:-\[(?P<suite>[^' ]+) (?P<method>[^'\]]+)\]|(?P<name>[^']+))' "
    r"(?:(?P<started>started\b)"
    r"|(?P<word>passed|failed|skipped) \((?P<seconds>[\d.]+) seconds\)\.?$)"
)
_SUITE = re.compile(r"Test Suite '[^']*' (?P<word>started|passed|failed)\b")
_EXECUTED = re.compile(r"\s*Executed (?P<run>\d{1,9}) tests?, with ")
_TEST = re.compile(
    r"(?:\S+ )?Test (?:\"(?P<title>.*)\"|(?P<name>[\w`$.]+\(.*\)))"
    r"(?: with \d+ test cases?)? (?:(?P<started>started\.?$)|(?P<skipped>skipped(?:\.|: .*)?$)"
    r"|(?P<word>passed|failed) after (?P<seconds>[\d.]+) seconds(?P<issues> with .*)?\.?$)"
)
_RUN = re.compile(
    r"(?:\S+ )?Test run (?:(?P<started>started)|with (?P<run>\d{1,9}) tests?\b.* after )"
)
_STATUSES = {"passed": Status.PASSED, "failed": Status.FAILED, "skipped": Status.SKIPPED}


@dataclass(slots=True)
class _Run:
    """What one of the two frameworks printed."""

    results: dict[str, TestResult] = field(default_factory=dict)
    passes: dict[str, TestResult] = field(default_factory=dict)
    open: dict[str, list[int]] = field(default_factory=dict)
    listed: Counter[Status] = field(default_factory=Counter)
    total: int = 0
    begun: bool = False
    ended: bool = False

    def start(self, name: str, number: int) -> None:
        """A test is announced."""
        self.open.setdefault(name, []).append(number)
        self.begun = True
        self.ended = False

    def end(self, name: str, result: TestResult) -> None:
        """A test's verdict."""
        lines = self.open.get(name)
        if lines:
            lines.pop()
            if not lines:
                del self.open[name]
        elif result.status is Status.PASSED:
            return
        self.listed[result.status] += 1
        note(self.passes if result.status is Status.PASSED else self.results, name, result)


class SwiftReader:
    """All runs of a log; `complete` if XCTest's outermost suite and Swift Testing's run ended."""

    def __init__(self) -> None:
        self.xctest = _Run()
        self.testing = _Run()
        self.depth = 0
        self.executed = 0
        self.warnings: list[str] = []

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        at = line.find("Test ")
        if at < 0:
            if self.depth == 0 and "Executed " in line and (found := _EXECUTED.match(line)):
                self.xctest.total += integer(found["run"])
            return
        if line.startswith("Test Case '", at):
            if case := _CASE.match(line, at):
                self._case(number, line, case)
        elif line.startswith("Test Suite '", at):
            if suite := _SUITE.match(line, at):
                self._suite(suite["word"])
        elif at <= 4:
            if run := _RUN.match(line):
                self.testing.begun = True
                self.testing.ended = run["started"] is None
                self.testing.total += integer(run["run"] or "0")
            elif test := _TEST.match(line):
                self._test(number, line, test)

    def finish(self) -> Parsed:
        """The end of the log."""
        results: dict[str, TestResult] = {}
        runs = (self.xctest, self.testing)
        for run in runs:
            for name, result in run.results.items():
                note(results, name, result)
            for name, lines in run.open.items():
                note(results, name, TestResult(Status.ERROR, lines[0], "no verdict: it broke off"))
            excess = run.ended and run.listed.total() > run.total
            if excess:
                self.warnings.append(
                    f"{run.total} tests counted, {run.listed.total()} listed: no pass is believed"
                )
            for name, result in run.passes.items():
                if not excess:
                    note(results, name, result)
        begun = [run for run in runs if run.begun]
        complete = bool(begun) and all(run.ended and not run.open for run in begun)
        return Parsed(results, complete, tuple(self.warnings))

    def _case(self, number: int, line: str, case: re.Match[str]) -> None:
        name = case["name"] or f"{case['suite']}.{case['method']}"
        if case["started"]:
            self.xctest.start(name, number)
            return
        status = _STATUSES[case["word"]]
        self.xctest.end(name, TestResult(status, number, line[:_RAW], _seconds(case["seconds"])))

    def _suite(self, word: str) -> None:
        run = self.xctest
        if word == "started":
            run.begun = True
            run.ended = False
            self.depth += 1
            return
        self.depth = max(0, self.depth - 1)
        run.ended = self.depth == 0

    def _test(self, number: int, line: str, test: re.Match[str]) -> None:
        name = test["title"] or test["name"] or ""
        if test["started"]:
            self.testing.start(name, number)
        elif test["skipped"]:
            note(self.testing.results, name, TestResult(Status.SKIPPED, number, line[:_RAW]))
        else:
            status = _STATUSES[test["word"]]
            if status is Status.PASSED and "known issue" in (test["issues"] or ""):
                status = Status.XFAIL
            result = TestResult(status, number, line[:_RAW], _seconds(test["seconds"]))
            self.testing.end(name, result)


def _seconds(text: str) -> float | None:
    try:
        return decimal(text)
    except ValueError:
        return None


FRAMEWORK = Framework(
    name="swift-test",
    reader=SwiftReader,
    names="`CalcTests.testAdd` (Linux), `Calc.CalcTests.testAdd` (macOS); Swift Testing: `adds()`, "
    "or the test's title",
    signs=r"Test Suite '[^']*' started|(?:\S+ )?Test run started\.|Test Case '",
    begins=r"\S",
    languages=("swift",),
)

FRAMEWORKS: tuple[Framework, ...] = (FRAMEWORK,)
