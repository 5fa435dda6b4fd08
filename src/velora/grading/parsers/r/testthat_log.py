"""testthat's reporters progress, check, summary and location.

The first three name tests in the headings of what is not a success: `Failure ('test-a.R:6'): name`,
with or without a rule around it, below a file's cross or a section's title; they count
expectations, not tests. Location tells of every test
when it starts, each of its expectations, and when it ends; it has no closing line, so such a log is
never complete. A test that is shown while another runs was printed by that one.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note, worse
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 200
_HEADING = re.compile(r"(?:(──|--) )?(?:\d+\. )?(Failure|Error|Skip) \((?:[^()]*)\): (.+)\Z")
_WORDS = {"Failure": Status.FAILED, "Error": Status.ERROR, "Skip": Status.SKIPPED}
_TOTALS = re.compile(r"\[ FAIL (\d+) \| WARN \d+ \| SKIP \d+ \| PASS \d+ \]\Z")
_DONE = re.compile(r"══ DONE ═+\Z")
_START, _STOP = "Start test: ", "End test: "
_EXPECTATION = re.compile(r"  (?:\?\?\?|\S.*:\d+\S*) \[(success|failure|error|skip|warning)\]\Z")
_OUTCOMES = {
    "success": Status.PASSED,
    "warning": Status.PASSED,
    "skip": Status.SKIPPED,
    "failure": Status.FAILED,
    "error": Status.ERROR,
}


def heading(line: str) -> tuple[Status, str] | None:
    """The heading of a failure, an error or a skip: status and test."""
    found = _HEADING.match(line)
    if found is None:
        return None
    name = found[3]
    if found[1]:
        name = name.rstrip(found[1][0])
    return (_WORDS[found[2]], name.strip()) if name.strip() else None


class TestthatReader:
    """All runs of a log; `complete` if the last one's totals were seen."""

    __test__ = False

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.shown = 0
        self.closed = False
        self.listing = False
        self.begun: tuple[str, int] | None = None
        self.worst: TestResult | None = None
        self.ended: list[tuple[str, TestResult]] = []
        self.where: dict[str, int] = {}

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if line[1:3] == " |":
            # A file's counts in progress; problems are listed below a cross, else a file begins.
            self.listing = first in "✖x"
        elif first == " ":
            if line[-1:] == "]" and (found := _EXPECTATION.match(line)) is not None:
                self._expectation(number, line, _OUTCOMES[found[1]])
        elif first in "FSE─-":
            if line.startswith(_START):
                self._start(number, line)
            elif line.startswith(_STOP):
                self._end(number, line[len(_STOP) :])
            elif self.listing and "): " in line and (block := heading(line)) is not None:
                status, name = block
                self.shown += status is not Status.SKIPPED
                note(self.results, name, TestResult(status, number, line[:_RAW]))
        elif first == "[" and (totals := _TOTALS.match(line)) is not None:
            self._totals(integer(totals[1]))
        elif line.startswith("══ "):
            self.listing = True
            self.closed = self.closed or _DONE.match(line) is not None

    def finish(self) -> Parsed:
        """The end of the log."""
        for name, result in self.ended:
            note(self.results, name, result)
        if self.begun is not None:
            name, line = self.begun
            raw = f"{name}: it started and has no end"[:_RAW]
            note(self.results, name, TestResult(Status.ERROR, line, raw))
        complete = self.closed and not self.ended and self.begun is None
        return Parsed(self.results, complete, tuple(self.warnings))

    def _totals(self, failed: int) -> None:
        """They may come before the headings too (check), or be printed by a test."""
        self.closed = True
        if failed and self.shown and failed != self.shown:
            self.warnings.append(f"{failed} expectations failed, {self.shown} are shown")
        self.shown = 0 if failed == self.shown else self.shown

    def _start(self, number: int, line: str) -> None:
        name = line[len(_START) :].strip()
        if self.begun is None and name:
            self.begun, self.worst = (name, number), None

    def _expectation(self, number: int, line: str, status: Status) -> None:
        known = TestResult(status, number, line.strip()[:_RAW])
        if self.begun is None:
            # The test before printed what looks like its own end.
            if self.ended and worse(status, self.ended[-1][1].status):
                self.ended[-1] = (self.ended[-1][0], known)
        elif self.worst is None or worse(status, self.worst.status):
            self.worst = known

    def _end(self, number: int, rest: str) -> None:
        name = rest.strip()
        if self.begun is not None and self.begun[0] == name:
            known = self.worst or TestResult(Status.SKIPPED, number, "an empty test")
            self.where[name] = len(self.ended)
            self.ended.append((name, known))
            self.begun = None
        elif self.begun is None and name in self.where:
            # It had not ended before: what came since was printed by it.
            del self.ended[self.where.pop(name) + 1 :]
            self.warnings.append(f"line {number}: test {name} ends twice")


FRAMEWORK = Framework(
    name="testthat",
    reader=TestthatReader,
    names="the test's description, after those of its `describe`s: `a group: works`",
    signs=r"\[ FAIL \d+ \| WARN \d+ \| SKIP \d+ \| PASS \d+ \]$|[✔v] \| F W +S +OK \| Context$"
    r"|══ (?:Failed|Skipped|Warnings|DONE) ═+$|Start test: ",
    begins=r"✔v\[═S",
    languages=("r",),
)
