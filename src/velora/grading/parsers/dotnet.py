"""Reads `dotnet test`: VSTest's console logger for xUnit, NUnit and MSTest, and from .NET 9 on
Microsoft.Testing.Platform.

    VSTest                                    Microsoft.Testing.Platform
      Passed N.CalcTests.Adds [2 ms]          passed N.CalcTests.Adds (2ms)
      Failed N.CalcTests.Wrong [3 ms]         failed N.CalcTests.Wrong (3ms)
    Total tests: 2                            Test run summary: Failed!
         Passed: 1                              total: 2

SDK 2.1 prints `Passed   Name`, 3.0 `√ Name [2ms]`. With verbosity minimal, VSTest's default, passes
have no rows and no names. What tests print stands below a row, indented by one blank, and may
look like a row itself; so passes are believed only if they are as many as the totals say. NUnit
and MSTest show methods without their classes: names are as printed.
"""

from __future__ import annotations

import re
from collections import Counter

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_WORDS = {
    "Passed": Status.PASSED,
    "√": Status.PASSED,
    "passed": Status.PASSED,
    "Failed": Status.FAILED,
    "X": Status.FAILED,
    "failed": Status.FAILED,
    "Skipped": Status.SKIPPED,
    "!": Status.SKIPPED,
    "skipped": Status.SKIPPED,
}
_ROW = re.compile(r"  (?P<word>Passed|Failed|Skipped|√|X|!) (?P<rest>\S.*)$")
_OLD_ROW = re.compile(r"(?P<word>Passed  |Failed  |Skipped ) (?P<rest>\S.*)$")
_PLATFORM_ROW = re.compile(r"(?P<word>passed|failed|skipped) (?P<rest>\S.*\)) *$")
_XUNIT = re.compile(r"\[xUnit\.net [\d:.]+\] +(?P<name>\S.*) \[FAIL\]$")
_SUMMARY = re.compile(
    r"(?:Passed|Failed|Skipped)! +- Failed: *(?P<failed>\d{1,9}), Passed: *(?P<passed>\d{1,9}), "
    r"Skipped: *(?P<skipped>\d{1,9}), Total: *\d+"
)
_OLD_TOTALS = re.compile(
    r"Total tests: \d+\. Passed: (?P<passed>\d{1,9})\. Failed: (?P<failed>\d{1,9})\. "
    r"Skipped: (?P<skipped>\d{1,9})\."
)
_COUNT = re.compile(
    r" +(?P<word>Passed|Failed|Skipped|failed|succeeded|skipped): (?P<count>\d{1,9})$"
)
_PART = re.compile(r"<? ?(?P<number>[\d.]+) ?(?P<unit>ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"<? ?[\d.]+ ?(?:ms|s|m|h)(?: [\d.]+ ?(?:ms|s|m|h))*$")


class DotnetReader:
    """All test projects of a log; `complete` if each that began has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.passes: dict[str, TestResult] = {}
        self.early: dict[str, TestResult] = {}  # failures that xUnit reports before their rows
        self.warnings: list[str] = []
        self.listed: Counter[Status] = Counter()
        self.counted: Counter[Status] = Counter()
        self.projects = 0
        self.ended = 0
        self.totals = False  # their lines follow
        self.aborted = False
        self.culprit = False  # the next line names the test that crashed

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == " ":
            if self.totals and (count := _COUNT.match(line)):
                self._count(count["word"], integer(count["count"]))
            elif line[:2] == "  " and (row := _ROW.match(line)):
                self._row(number, line, row, "[", "]")
        elif self.culprit and line:
            self.culprit = False
            note(self.results, line.strip(), TestResult(Status.ERROR, number, "it crashed"))
        elif first in "pfs" and first:
            if row := _PLATFORM_ROW.match(line):
                self._row(number, line, row, "(", ")")
        elif first in "PFST[" and first:
            self._heading(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        complete = self.ended > 0 and self.ended >= self.projects and not self.aborted
        listed = self.listed[Status.PASSED]
        honest = listed == self.counted[Status.PASSED] or (not complete and not self.ended)
        for name, result in self.passes.items():
            if honest:
                note(self.results, name, result)
        if not honest and listed:
            self.warnings.append(
                f"{self.counted[Status.PASSED]} passes counted, {listed} listed: none is believed"
            )
        merge(self.results, self.early)
        failed = self.counted[Status.FAILED]
        if complete and failed != self.listed[Status.FAILED]:
            self.warnings.append(f"{failed} failures counted, {self.listed[Status.FAILED]} listed")
        return Parsed(self.results, complete, tuple(self.warnings))

    def _row(self, number: int, line: str, row: re.Match[str], opening: str, closing: str) -> None:
        name, duration = _split(row["rest"], opening, closing)
        if opening == "(" and duration is None:
            return
        status = _WORDS[row["word"].strip()]
        self.totals = False
        self.listed[status] += 1
        target = self.passes if status is Status.PASSED else self.results
        note(target, name, TestResult(status, number, line[:_RAW], duration))

    def _heading(self, number: int, line: str) -> None:
        """A line in the first column."""
        if line.startswith("[xUnit.net"):
            if failed := _XUNIT.match(line):
                self.early[failed["name"]] = TestResult(Status.FAILED, number, line[:_RAW])
        elif line.startswith("T"):
            if line.startswith("Test run for "):
                self.projects += 1
            elif line.startswith(("Total tests: ", "Test run summary: ")):
                self.ended += 1
                if old := _OLD_TOTALS.match(line):
                    self._all(old)
                else:
                    self.totals = True
            elif line.startswith("Test Run Aborted"):
                self.aborted = True
                self.warnings.append(f"line {number}: the run was aborted")
            elif line.startswith("The active test run was aborted"):
                self.aborted = True
            elif line.startswith(("The test running when the crash", "The tests running when")):
                self.culprit = True
        elif summary := _SUMMARY.match(line):
            self.ended += 1
            self._all(summary)
        elif row := _OLD_ROW.match(line):
            self._row(number, line, row, "[", "]")

    def _all(self, found: re.Match[str]) -> None:
        for word in ("passed", "failed", "skipped"):
            self._count(word, integer(found[word]))

    def _count(self, word: str, count: int) -> None:
        word = "passed" if word == "succeeded" else word
        self.counted[_WORDS[word]] += count


def _split(text: str, opening: str, closing: str) -> tuple[str, float | None]:
    """A row's name and duration; None if it has none."""
    text = text.rstrip()
    at = text.rfind(" " + opening)
    if at < 0 or not text.endswith(closing):
        return text, None
    inside = text[at + 2 : -1]
    if len(inside) > 40 or not _DURATION.match(inside):
        return text, None
    seconds = 0.0
    for part in _PART.finditer(inside):
        try:
            seconds += decimal(part["number"]) * _SECONDS[part["unit"]]
        except ValueError:
            return text[:at], None
    return text[:at], seconds


FRAMEWORK = Framework(
    name="dotnet",
    reader=DotnetReader,
    names="as printed: `Calc.Tests.CalcTests.Adds(a: 1)` (xUnit), `Adds(1)` (NUnit, MSTest)",
    signs=r"Test run for .+\.dll|Test run summary: |(?:Passed|Failed)! +- Failed: |"
    r"Starting test execution, please wait",
    begins="TPFS",
    languages=("csharp",),
)

FRAMEWORKS: tuple[Framework, ...] = (FRAMEWORK,)
