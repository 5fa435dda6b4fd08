"""Reads Unity, ThrowTheSwitch's framework for C, with and without its fixture add-on.

A result is one line, `test_calc.c:12:test_adds:PASS`, or `:FAIL: message`, `:IGNORE: message`; with
the fixture and `-v` it is `TEST(group, name) PASS`, and a failure follows its test's name without a
line end. A run ends with a rule and its counts (`3 Tests 1 Failures 0 Ignored`), which are a
checksum: where they leave fewer passes than there are lines, none of them is believed. Everything
is printed on one stream, so a test that prints without a line end hides its verdict.

Names are the test function's, `test_adds`, or `TEST(group, name)`.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_LINE = re.compile(
    r"(.{0,1000}?):(\d{1,9}):(\w{1,300}(?:\([^()]{0,300}\))?)?:(PASS|FAIL|IGNORE)(?::|\Z| \()"
)
_FIXTURE = re.compile(
    r"((?:IGNORE_)?TEST\(\w{1,300}, \w{1,300}\))(?: (PASS)(?: \(\d+ ms\))?\s*\Z)?"
)
_COUNTS = re.compile(r"(\d{1,9}) Tests (\d{1,9}) Failures (\d{1,9}) Ignored\s*\Z")
_WORDS = {"PASS": Status.PASSED, "FAIL": Status.FAILED, "IGNORE": Status.SKIPPED}
_RAW = 500


class UnityReader:
    """All runs of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.now: dict[str, TestResult] = {}
        self.lines = dict.fromkeys(_WORDS.values(), 0)
        self.open = ""  # the fixture's test whose name was printed without a verdict
        self.line = 0
        self.seen = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if ":" in line and (":PASS" in line or ":FAIL" in line or ":IGNORE" in line):
            self._result(number, line)
        elif "TEST(" in line:
            self._fixture(number, line)
        elif self.open and line.endswith(" PASS"):
            self._note(self.open, Status.PASSED, number, line)
            self.open = ""
        elif line[:1].isdigit() and (found := _COUNTS.match(line)):
            self._close(number, *(integer(each) for each in found.groups()))

    def finish(self) -> Parsed:
        """The end of the log."""
        complete = bool(self.seen) and not self.now and not self.open
        if self.now or self.open:
            self.warnings.append("results without counts: the run was cut off")
            if self.open:
                self._note(self.open, Status.ERROR, self.line, "no verdict: it was running")
        merge(self.results, self.now)
        return Parsed(self.results, complete, tuple(self.warnings))

    def _result(self, number: int, line: str) -> None:
        rest = line
        if line.startswith(("TEST(", "IGNORE_TEST(")) and (begun := _FIXTURE.match(line)):
            self.open, self.line = begun[1], number
            rest = line[begun.end() :]
        found = _LINE.match(rest)
        if found is None:
            return
        name = found[3] or self.open
        if name:
            self._note(name, _WORDS[found[4]], number, line)
            self.open = ""

    def _fixture(self, number: int, line: str) -> None:
        found = _FIXTURE.match(line)
        if found is None:
            return
        name = found[1]
        if found[2]:
            self._note(name, Status.PASSED, number, line)
        elif name.startswith("IGNORE_"):
            self._note(name.removeprefix("IGNORE_"), Status.SKIPPED, number, line)
        else:
            self.open, self.line = name, number

    def _note(self, name: str, status: Status, number: int, line: str) -> None:
        if status in self.lines:
            self.lines[status] += 1
        note(self.now, name, TestResult(status, number, line[:_RAW]))

    def _close(self, number: int, tests: int, failures: int, ignored: int) -> None:
        """A run's counts."""
        self.seen += 1
        passed = tests - failures - ignored
        if self.lines[Status.PASSED] > passed:
            self.warnings.append(totals.exceeded(number, passed, self.lines[Status.PASSED]))
            self.now = totals.without_passes(self.now)
        if self.lines[Status.FAILED] != failures:
            self.warnings.append(
                f"line {number}: {failures} failures counted, {self.lines[Status.FAILED]} seen"
            )
        merge(self.results, self.now)
        self.now, self.open = {}, ""
        self.lines = dict.fromkeys(_WORDS.values(), 0)


FRAMEWORK = Framework(
    name="unity",
    reader=UnityReader,
    names="the test function, test_adds, or TEST(group, name)",
    signs=(
        r"\d+ Tests \d+ Failures \d+ Ignored"
        r"|[^\s:]{1,300}:\d+:\w{1,300}:(?:PASS|FAIL|IGNORE)(?::|$)"
    ),
    begins=r"^\s:",
    languages=("c",),
)
