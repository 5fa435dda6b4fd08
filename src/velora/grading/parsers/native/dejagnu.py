"""Reads DejaGnu: what `runtest` prints, best with `-a`, and `.sum` files.

A tool's tests stand between `=== tool tests ===` and `=== tool Summary ===`, a line for each
result; without `-a` only unexpected ones are shown. The summary is a checksum: where it counts
fewer passes than there are lines, none of them is believed.

Names are what follows the word, as in the `.sum` file. Known failures (`KFAIL`) are XFAIL, and
`KPASS` is XPASS; `UNRESOLVED` is ERROR; `UNTESTED` and `UNSUPPORTED` are SKIPPED.
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
    "XFAIL": Status.XFAIL,
    "XPASS": Status.XPASS,
    "KFAIL": Status.XFAIL,
    "KPASS": Status.XPASS,
    "UNRESOLVED": Status.ERROR,
    "UNTESTED": Status.SKIPPED,
    "UNSUPPORTED": Status.SKIPPED,
}
_FIRST = frozenset(word[0] for word in _WORDS)
_COUNTS = {
    "expected passes": "PASS",
    "unexpected failures": "FAIL",
    "unexpected successes": "XPASS",
    "expected failures": "XFAIL",
    "unknown successes": "KPASS",
    "known failures": "KFAIL",
    "unresolved testcases": "UNRESOLVED",
    "untested testcases": "UNTESTED",
    "unsupported tests": "UNSUPPORTED",
}
_TESTS = re.compile(r"\t\t=== .{1,200} tests ===\Z")
_SUMMARY = re.compile(r"\t\t=== .{1,200} Summary ===\Z")
_COUNT = re.compile(r"# of ([a-z ]{1,40})\t+(\d{1,9})\Z")
_RAW = 500


class DejagnuReader:
    """All tools of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.now: dict[str, TestResult] = {}
        self.lines: Counter[str] = Counter()
        self.counts: dict[str, int] | None = None
        self.line = 0
        self.started = False
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first in _FIRST:
            if self.started and self.counts is None:
                self._verdict(number, line)
        elif first == "\t":
            if _TESTS.match(line):
                self._end()
                self.started = True
            elif _SUMMARY.match(line) and (self.started or self.counts is None):
                self.started = True
                self.counts, self.line = {}, number
        elif first == "#" and self.counts is not None and (found := _COUNT.match(line)):
            word = _COUNTS.get(found[1])
            if word:
                self.counts[word] = integer(found[2])

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _verdict(self, number: int, line: str) -> None:
        word, colon, name = line.partition(": ")
        status = _WORDS.get(word) if colon and name else None
        if status is not None:
            self.lines[word] += 1
            note(self.now, name, TestResult(status, number, line[:_RAW]))

    def _end(self) -> None:
        """The log or another tool's tests end the tool."""
        if not self.started:
            return
        self.seen += 1
        if self.counts is None:
            self.cut = True
            self.warnings.append("a tool has no summary: it was cut off")
        else:
            self._check(self.counts)
        merge(self.results, self.now)
        self.now, self.lines = {}, Counter()
        self.started, self.counts = False, None

    def _check(self, counts: dict[str, int]) -> None:
        passed = counts.get("PASS", 0)
        if self.lines["PASS"] > passed:
            self.warnings.append(totals.exceeded(self.line, passed, self.lines["PASS"]))
            self.now = totals.without_passes(self.now)
        shown = ("FAIL", "XPASS", "KPASS") if not self.lines["PASS"] else tuple(_WORDS)
        for word in shown:
            if self.lines[word] != counts.get(word, 0) and (
                word != "PASS" or self.lines[word] < passed
            ):
                self.warnings.append(
                    f"line {self.line}: {counts.get(word, 0)} {word} counted, "
                    f"{self.lines[word]} seen"
                )


FRAMEWORK = Framework(
    name="dejagnu",
    reader=DejagnuReader,
    names="what follows the word, as in the .sum file: gcc.dg/a.c (test for excess errors)",
    signs=r"\t\t=== .{1,200} (?:tests|Summary) ===$",
    begins=" =",
    languages=("c", "cpp"),
    hosts=("pass-fail", "automake"),
)
