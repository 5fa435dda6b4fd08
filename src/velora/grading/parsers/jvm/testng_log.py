"""Reads TestNG's text report, which it prints from verbosity 2 on, after each `<test>` has run.

    PASSED: testAdd
    FAILED: testWrong
    java.lang.AssertionError: ...
    SKIPPED: testLater
    ===============================================
        Command line test
        Tests run: 3, Failures: 1, Skips: 1

Passed, failed and skipped tests come in this order, and the counts say how many of each there
are; so the rows are found from the counts backwards, and what tests printed before the report, or
exceptions within it, is left out. All counts together have to agree with the suite's totals, or
no pass is believed. TestNG has one word for failures and errors, FAILED.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_ROW = re.compile(r"(?P<word>PASSED|FAILED|SKIPPED)(?P<setup> CONFIGURATION)?: (?P<name>\S.*)$")
_COUNTS = re.compile(
    r"\s*(?P<total>Total t|T)ests run: (?P<run>\d{1,9}),(?: Passes: \d+,)?"
    r" Failures: (?P<failures>\d{1,9}), Skips: (?P<skips>\d{1,9})"
)
_STATUSES = {"PASSED": Status.PASSED, "FAILED": Status.FAILED, "SKIPPED": Status.SKIPPED}
_ORDER = (Status.SKIPPED, Status.FAILED, Status.PASSED)  # from the end

_Row = tuple[str, TestResult]


class TestNGReader:
    """All suites of a log; `complete` if the last one has its totals."""

    __test__ = False

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.rows: list[_Row] = []
        self.suite: list[_Row] = []
        self.counted = (0, 0, 0)
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first in "PFS" and first:
            row = _ROW.match(line)
            if row:
                self._row(number, line, row)
        elif first in "T \t[" and "ests run: " in line:
            counts = _COUNTS.match(line)
            if counts:
                self._counts(number, counts)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.suite or self.rows:
            self.complete = False
            self.warnings.append("the last suite has no totals")
            for name, result in self.suite + self.rows:
                if result.status is not Status.PASSED:
                    note(self.results, name, result)
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _row(self, number: int, line: str, row: re.Match[str]) -> None:
        self.complete = False
        result = TestResult(_STATUSES[row["word"]], number, line[:_RAW])
        if row["setup"]:
            if result.status is Status.FAILED:
                note(self.results, row["name"], TestResult(Status.ERROR, number, line[:_RAW]))
            return
        self.rows.append((row["name"].rstrip(), result))

    def _counts(self, number: int, found: re.Match[str]) -> None:
        run, failures, skips = (
            integer(found["run"]),
            integer(found["failures"]),
            integer(found["skips"]),
        )
        if found["total"] == "T":
            run0, failures0, skips0 = self.counted
            self.counted = (run0 + run, failures0 + failures, skips0 + skips)
            self._report(
                number,
                {
                    Status.PASSED: run - failures - skips,
                    Status.FAILED: failures,
                    Status.SKIPPED: skips,
                },
            )
            return
        honest = self.counted == (run, failures, skips)
        if self.suite and not honest:
            self.warnings.append(
                f"line {number}: {run} tests in all, {self.counted[0]} in the reports: passes are "
                "not believed"
            )
        for name, result in self.suite:
            if honest or result.status is not Status.PASSED:
                note(self.results, name, result)
        self.suite, self.rows, self.counted = [], [], (0, 0, 0)
        self.complete = True

    def _report(self, number: int, wanted: dict[Status, int]) -> None:
        """The counts of one report: its rows are the last ones of each kind."""
        rows, self.rows = self.rows, []
        if not rows:
            return
        taken: list[_Row] = []
        order = [status for status in _ORDER if wanted[status] > 0]
        for row in reversed(rows):
            if not order:
                break
            status = row[1].status
            if status is order[0]:
                taken.append(row)
                wanted[status] -= 1
                if wanted[status] == 0:
                    order.pop(0)
            elif order[0] is Status.PASSED:
                break  # the failures are counted already: this one is not of the report
        if order:
            self.warnings.append(f"line {number}: the report lists fewer tests than it counts")
            taken = [row for row in rows if row[1].status is not Status.PASSED]
        self.suite += reversed(taken)


FRAMEWORK = Framework(
    name="testng",
    reader=TestNGReader,
    names='as printed: `testAdd`, `testLength("a b", 3)`; from 7.5 on `com.acme.CalcTest.testAdd`; '
    "a failed fixture is `@BeforeClass prepare`",
    signs=r"(?:Total )?[tT]ests run: \d+,(?: Passes: \d+,)? Failures: \d+, Skips: \d+",
    begins="tT",
    languages=("java",),
)
