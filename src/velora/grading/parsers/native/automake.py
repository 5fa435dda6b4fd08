"""Reads Automake's `make check`: the parallel harness (1.11 and later) and the serial one.

The parallel harness writes tests' output into files and prints a line for each result, `PASS:
name`, then per directory a summary (`# TOTAL: 14`, ...). The log that `VERBOSE=1` shows in
between, `test-suite.log`, quotes the tests and is passed over. The serial harness lets tests print
among its lines. In both the summary is a checksum: where it counts fewer passes than there are
lines, none of them is believed.

Names are as printed: a script's file name, or `file.tap 1 - description` of a TAP test, without
its directive.
"""

from __future__ import annotations

import re
from collections import Counter

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_WORDS = {
    "PASS": Status.PASSED,
    "FAIL": Status.FAILED,
    "SKIP": Status.SKIPPED,
    "XFAIL": Status.XFAIL,
    "XPASS": Status.XPASS,
    "ERROR": Status.ERROR,
}
_FIRST = frozenset(word[0] for word in _WORDS)
_DIRECTIVE = re.compile(r" # (?:SKIP|TODO)\b")
_QUOTED = re.compile(r"   \S.{0,1000}test-suite\.log\Z")
_COUNT = re.compile(r"# (TOTAL|PASS|SKIP|XFAIL|FAIL|XPASS|ERROR): +(\d{1,9})\Z")
_SERIAL = re.compile(
    r"(?:All (?P<all>\d{1,9}) tests? (?:passed|behaved as expected)"
    r"|(?P<bad>\d{1,9}) of (?P<of>\d{1,9}) tests? (?:failed|did not behave as expected))"
    r"(?: \((?P<more>[^()]{1,200})\))?\.?\Z"
)
_RULE = re.compile(r"={5,}\Z")
_SUMMARY = "Testsuite summary for "
_MAKE = ("Making check in ", "make  check-TESTS", "make check-TESTS", "make[")
_RAW = 500


class AutomakeReader:
    """All directories of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.now: dict[str, TestResult] = {}  # of the directory whose summary is to come
        self.lines: Counter[str] = Counter()  # of them, by word
        self.counts: dict[str, int] | None = None  # the summary's so far
        self.quoting = False
        self.rule = False
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        rule, self.rule = self.rule, False
        if first in _FIRST:
            if not self.quoting:
                self._verdict(number, line)
        elif first == "=":
            self.rule = _RULE.match(line) is not None
        elif first == "#":
            if self.counts is not None and (found := _COUNT.match(line)):
                self.counts[found[1]] = integer(found[2])
                if found[1] == "ERROR":
                    self._close(number, self.counts)
        elif first == "T":
            if line.startswith(_SUMMARY) and rule:
                self.counts, self.quoting = {}, False
        elif first in ("M", "m"):
            if self.quoting and line.startswith(_MAKE):
                self.quoting = False
        elif first == " ":
            if rule and _QUOTED.match(line):
                self.quoting = True
        elif rule and (first == "A" or first.isdigit()) and (found := _SERIAL.match(line)):
            self._serial(number, found)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.now:
            self.cut = True
            self.warnings.append("tests without a summary: the run was cut off")
        merge(self.results, self.now)
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _verdict(self, number: int, line: str) -> None:
        word, colon, name = line.partition(": ")
        status = _WORDS.get(word) if colon and name else None
        if status is None:
            return
        directive = _DIRECTIVE.search(name)
        if directive:
            name = name[: directive.start()]
        self.counts = None
        self.lines[word] += 1
        note(self.now, name, TestResult(status, number, line[:_RAW]))

    def _close(self, number: int, counts: dict[str, int]) -> None:
        """A summary of the parallel harness."""
        self.counts = None
        for word in _WORDS:
            if self.lines[word] != counts.get(word, 0) and word != "PASS":
                self.warnings.append(
                    f"line {number}: {counts.get(word, 0)} {word} counted, {self.lines[word]} seen"
                )
        self._settle(number, counts.get("PASS", 0))

    def _serial(self, number: int, found: re.Match[str]) -> None:
        """A summary of the serial harness, which counts expected failures as passes."""
        passed = (
            integer(found["all"]) if found["all"] else integer(found["of"]) - integer(found["bad"])
        )
        self._settle(number, passed - self.lines["XFAIL"])

    def _settle(self, number: int, passed: int) -> None:
        seen = self.lines["PASS"]
        if seen > passed:
            self.warnings.append(totals.exceeded(number, passed, seen))
            self.now = totals.without_passes(self.now)
        elif seen < passed:
            self.warnings.append(f"line {number}: {passed} PASS counted, {seen} seen")
        self.seen += 1
        merge(self.results, self.now)
        self.now, self.lines = {}, Counter()


FRAMEWORK = Framework(
    name="automake",
    reader=AutomakeReader,
    names="as printed: tests/adds.sh, tests/calc.tap 1 - adds numbers",
    signs=(
        r"Testsuite summary for "
        r"|All \d+ tests? (?:passed|behaved as expected)"
        r"|\d+ of \d+ tests? (?:failed|did not behave as expected)"
    ),
    begins=r"\dTA",
    languages=("c", "cpp"),
    hosts=("pass-fail", "gtest", "catch2", "doctest", "boost", "check", "cmocka", "cppunit", "tap"),
)
