"""Reads doctest's console reporter, best with `-s -d`.

What happens in a test case stands in a block: a rule, the place, perhaps description and suite,
`TEST CASE:  name` with its subcases indented below it, a blank line; then `file:line: ERROR:`,
`SUCCESS:` (with `-s`) and the like. `-d` shows each test case and ends it with its duration.
Without either only failures have names, and no pass is made up. What doctest says of expected
failures follows the block's assertions. The totals are a checksum.

Names are the test cases', without suite and subcases; a scenario's begins with `Scenario: `.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native.blocks import Blocks
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status, TestResult

_RULE = "=" * 79
_CASE = "TEST CASE:  "
_SCENARIO = "  Scenario:"
_MARKS = (
    ("FATAL ERROR: test case CRASHED", Status.ERROR),
    ("FATAL ERROR: ", Status.FAILED),
    ("ERROR: ", Status.FAILED),
    ("SUCCESS: ", Status.PASSED),
)
_RESULT = re.compile(r"(?::\d+|\(\d+\)): (?:FATAL ERROR: |ERROR: |SUCCESS: )")
_PLACE = re.compile(r".{1,1000}(?::\d+|\(\d+\)):\Z")
_NOT_FAILED = re.compile(
    r"(?:Failed as expected|Allowed to fail|Failed exactly \d+ times as expected)"
    r" so marking it as not failed"
)
_FAILED = re.compile(
    r"(?:Should have failed but didn't! M|Didn't fail exactly \d+ times so m)arking it as failed!"
    r"|Test case exceeded time limit of "
)
_DURATION = re.compile(r"(\d{1,9}\.\d{1,9}) s: (.*)\Z")
_TOTALS = re.compile(
    r"\[doctest\] test cases: *(\d{1,9}) \| *(\d{1,9}) passed \| *(\d{1,9}) failed "
)
_RAW = 500


class DoctestReader(Blocks):
    """All runs of a log."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0  # 1: the place comes, 2: the other lines of a head

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.step:
            self._head(number, line)
        first = line[:1]
        if line.endswith(_RULE):
            self.step = 1
        elif first == "[" and line.startswith("[doctest] "):
            self._own(number, line)
        elif self.name:
            if ": " in line and (found := _RESULT.search(line)):
                self._verdict(number, line, found.start())
            elif first in ("F", "A") and _NOT_FAILED.match(line):
                self._settle(number, line, Status.XFAIL)
            elif first in ("S", "D", "T") and _FAILED.match(line):
                self._settle(number, line, Status.FAILED)
            elif first.isdigit() and (found := _DURATION.match(line)):
                self._ended(number, line, decimal(found[1]), found[2].strip())

    def _head(self, number: int, line: str) -> None:
        """The next line of a block's head; another than it needs ends it."""
        if self.step == 1:
            self.step = 2 if _PLACE.match(line) else 0
        elif line.startswith((_CASE, _SCENARIO)):
            self.step = 0
            self.begin(number, line.removeprefix(_CASE).strip())
        elif not line.startswith(("DESCRIPTION: ", "TEST SUITE: ")):
            self.step = 0

    def _verdict(self, number: int, line: str, at: int) -> None:
        text = line[at:].partition(": ")[2]
        for words, status in _MARKS:
            if text.startswith(words):
                note(self.tests, self.name, TestResult(status, number, line[-_RAW:]))
                break

    def _settle(self, number: int, line: str, status: Status) -> None:
        """What the runner makes of the assertions of a test case that was to fail."""
        known = self.tests.get(self.name)
        if known is None or known.status is not Status.ERROR:
            spent = known.duration if known else None
            self.tests[self.name] = TestResult(status, number, line[:_RAW], spent)

    def _ended(self, number: int, line: str, spent: float, name: str) -> None:
        if name != self.name:
            return
        known = self.tests.get(name) or TestResult(Status.PASSED, number, line[:_RAW])
        self.tests[name] = known._replace(duration=spent)
        self.running = False

    def _own(self, number: int, line: str) -> None:
        """A line of the runner about the whole run."""
        if line.startswith("[doctest] doctest version is "):
            self.end_run()
        elif found := _TOTALS.match(line):
            self.name, self.running, self.closed = "", False, True
            self.check(number, integer(found[3]))
            self.limit(number, integer(found[2]), {Status.PASSED, Status.XFAIL})


FRAMEWORK = Framework(
    name="doctest",
    reader=DoctestReader,
    names="the test case's name, without suite and subcases: adds numbers",
    signs=r"\[doctest\] (?:doctest version|test cases:|Status:)",
    begins=r"\[",
    languages=("cpp",),
)
