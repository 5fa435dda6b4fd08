"""Reads CppUnit: the brief progress listener, the text and the compiler outputter.

The brief listener writes a test's name when it starts and ` : OK` (or ` : assertion`, ` : error`)
when it ends, so a line is a verdict only if the test printed nothing; a test that did has no name
in the log. Failures are described again at the end by either outputter, and that is believed. The
outputter's count is a checksum: where it leaves fewer passes than there are lines, none of them is
believed.

Names are `Class::test`, as in the XML outputter's file. A failed assertion is FAILED, any other
exception is ERROR.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_BRIEF = re.compile(r"([A-Za-z_][\w:<>,.* -]{0,500}::[\w<>,.-]{1,300})? : (OK|assertion|error)\Z")
_TEXT = re.compile(r"\d{1,9}\) test: (\S.{0,500}) \(([FE])\) ")
_COMPILER = re.compile(r".{1,1000}(?::\d+:| : ?)(Assertion|Error)\Z")
_TEST_NAME = "Test name: "
_OK = re.compile(r"OK \((\d{1,9})(?: tests?)?\)\s*\Z")
_RUN = re.compile(
    r"Run: +(\d{1,9}) +(?:Failure total: (?:\d{1,9}) +)?Failures: (\d{1,9}) +Errors: (\d{1,9})"
)
_WORDS = {
    "OK": Status.PASSED,
    "assertion": Status.FAILED,
    "error": Status.ERROR,
    "Assertion": Status.FAILED,
    "Error": Status.ERROR,
    "F": Status.FAILED,
    "E": Status.ERROR,
}
_RAW = 500


class CppunitReader:
    """All runs of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.now: dict[str, TestResult] = {}
        self.passed = 0  # ` : OK`, with a name and without
        self.failures: dict[str, TestResult] = {}
        self.failed = 0
        self.counts: tuple[int, int, int] | None = None  # the line, how many ran, and failed
        self.kind: Status | None = None  # of the compiler outputter's failure
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if not line:
            return
        kind, self.kind = self.kind, None
        if " : " in line and (found := _BRIEF.match(line)):
            self._brief(number, line, found[1], _WORDS[found[2]])
        elif line[0] == "T":
            if kind is not None and line.startswith(_TEST_NAME):
                self._failure(number, line, line[len(_TEST_NAME) :], kind)
        elif line[0] == "O":
            if found := _OK.match(line):
                self._count(number, integer(found[1]), 0)
        elif line[0] == "R":
            if found := _RUN.match(line):
                self._count(number, integer(found[1]), integer(found[2]) + integer(found[3]))
        elif line[0].isdigit() and (found := _TEXT.match(line)):
            self._failure(number, line, found[1], _WORDS[found[2]])
        elif line[-1] in "nr" and (found := _COMPILER.match(line)):
            self.kind = _WORDS[found[1]]

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _brief(self, number: int, line: str, name: str | None, status: Status) -> None:
        if self.counts is not None and self.failures:
            self._end()  # another run: the outputter had the last word
        self.passed += status is Status.PASSED
        if name:
            note(self.now, name, TestResult(status, number, line[:_RAW]))

    def _failure(self, number: int, line: str, name: str, status: Status) -> None:
        note(self.failures, name, TestResult(status, number, line[:_RAW]))
        self.failed += 1

    def _count(self, number: int, ran: int, failed: int) -> None:
        """An outputter's count; a test may print one too, so the last counts."""
        self.counts = (number, ran, failed)

    def _end(self) -> None:
        """The log or another run's first line ends the run."""
        if not (self.now or self.failures or self.counts):
            return
        self.seen += 1
        if self.counts is None:
            self.cut = True
            self.warnings.append("a run has no count: it was cut off")
            self._distrust_last()
        else:
            self._check(*self.counts)
        merge(self.results, self.now)
        merge(self.results, self.failures)
        self.now, self.failures = {}, {}
        self.passed = self.failed = 0
        self.counts = None

    def _check(self, line: int, ran: int, failed: int) -> None:
        if self.passed > ran - failed:
            self.warnings.append(totals.exceeded(line, ran - failed, self.passed))
            self.now = totals.without_passes(self.now)
        if self.failures and self.failed != failed:
            self.warnings.append(f"line {line}: {failed} failures counted, {self.failed} described")

    def _distrust_last(self) -> None:
        """The last pass before the cut may have been printed by the test that crashed."""
        if self.now:
            name = next(reversed(self.now))
            known = self.now[name]
            if known.status is Status.PASSED:
                raw = "the run was cut off behind its verdict"
                self.now[name] = TestResult(Status.ERROR, known.line, raw)


FRAMEWORK = Framework(
    name="cppunit",
    reader=CppunitReader,
    names="Class::test as in the XML outputter's file: space::Calc::adds",
    signs=(
        r"[A-Za-z_]\w*(?:::\w+)+ : (?:OK|assertion|error)$"
        r"|!!!FAILURES!!!$|Failures !!!$|Run: +\d+ +Fail"
    ),
    begins="A-Za-z_!",
    languages=("cpp",),
)
