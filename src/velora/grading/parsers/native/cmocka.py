"""Reads CMocka's standard output (1.0 to 1.1).

A group is announced (`[==========] Running 3 test(s).`), so is each test (`[ RUN      ] name`), and
tests run one after another: between a test's announcement and its verdict only a verdict on that
very name is believed, alone on its line or behind output without a newline. A verdict stands once
the runner goes on: a test may print its own and then crash. Messages and the lists of failures
are on standard error and may come anywhere; the lists are believed. A test without a verdict
(its set-up failed, and standard error is missing) is an ERROR.

Names are the tests' own, without the group's, which older versions do not print. A group whose
fixture failed is `GROUP SETUP` or `GROUP TEARDOWN`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RUN = "[ RUN      ] "
_MARK = len(_RUN)
_VERDICTS = {
    "[       OK ] ": Status.PASSED,
    "[  FAILED  ] ": Status.FAILED,
    "[  SKIPPED ] ": Status.SKIPPED,
    "[  ERROR   ] ": Status.ERROR,
}
_RUNNING = re.compile(r"\[==========\] (?:.{1,500}: )?Running (\d{1,9}) test\(s\)\.\Z")
_RAN = re.compile(r"\[==========\] (?:.{1,500}: )?(\d{1,9}) test\(s\) run\.\Z")
_PASSED = re.compile(r"\[  PASSED  \] (\d{1,9}) test\(s\)\.\Z")
_LISTED = re.compile(
    r"\[  (?:FAILED  |SKIPPED )\] (?:.{1,500}: )?(\d{1,9}) test\(s\), listed below:\Z"
)
_FIXTURES = ("GROUP SETUP", "GROUP TEARDOWN")
_CRASHED = "[  ERROR   ] --- Test failed with exception: "
_RAW = 500


@dataclass(slots=True)
class _Group:
    """One group of tests."""

    results: dict[str, TestResult] = field(default_factory=dict)
    passed: int = 0
    open: str | None = None  # the test that is running
    line: int = 0
    last: str | None = None  # the test whose verdict came last
    certain: bool = True
    crashed: bool = False
    closed: bool = False
    listing: int = 0  # names that the open list still has
    count: int = 0


class CmockaReader:
    """All groups of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.group: _Group | None = None
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        group = self.group
        if line[:1] == "[":
            mark = line[:_MARK]
            if mark == "[==========] ":
                self._bounds(number, line)
            elif group is None:
                return
            elif mark == _RUN:
                self._start(group, number, line[_MARK:])
            elif mark in _VERDICTS:
                self._marked(group, number, line, _VERDICTS[mark])
            elif mark == "[  PASSED  ] " and group.closed:
                self._check(group, number, line)
            elif group.open is not None:
                self._glued(group, number, line)
        elif group is not None and group.open is not None and "] " in line:
            self._glued(group, number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _start(self, group: _Group, number: int, name: str) -> None:
        if group.closed:
            return
        if group.open is not None:
            # Its set-up failed; or it printed this line, and fails for that.
            raw = "no verdict before the next test"
            note(group.results, group.open, TestResult(Status.ERROR, group.line, raw))
        group.open, group.line, group.certain, group.crashed = name, number, True, False

    def _marked(self, group: _Group, number: int, line: str, status: Status) -> None:
        text = line[_MARK:]
        if line.startswith(_CRASHED):
            group.crashed = True
        elif text in _FIXTURES and status is Status.FAILED:
            note(group.results, text, TestResult(Status.ERROR, number, line))
        elif group.closed:
            if found := _LISTED.match(line):
                group.listing = integer(found[1])
            elif group.listing:
                group.listing -= 1
                known = group.results.get(text)
                if known is not None and known.status is Status.PASSED:
                    self.warnings.append(f"line {number}: {text} passed and is listed as {status}")
                note(group.results, text, TestResult(status, number, line[:_RAW]))
        elif text == (group.open if group.open is not None else group.last):
            self._decide(group, number, line, status)

    def _decide(self, group: _Group, number: int, line: str, status: Status) -> None:
        name = group.open if group.open is not None else group.last
        if name is None:
            return
        if status is Status.FAILED and group.crashed:
            status = Status.ERROR
        if group.open is not None:
            group.passed += status is Status.PASSED
        elif status is not Status.PASSED and group.results[name].status is Status.PASSED:
            group.passed -= 1  # it had printed the pass itself
        note(group.results, name, TestResult(status, number, line[-_RAW:]))
        group.open, group.last, group.certain = None, name, False

    def _glued(self, group: _Group, number: int, line: str) -> None:
        """Output without a newline, and the running test's verdict behind it."""
        name = group.open or ""
        if line.endswith(f"] {name}"):
            at = len(line) - len(name) - _MARK
            status = _VERDICTS.get(line[at : at + _MARK]) if at > 0 else None
            if status is not None:
                self._decide(group, number, line, status)

    def _bounds(self, number: int, line: str) -> None:
        """The first or the last line of a group."""
        group = self.group
        if found := _RUNNING.match(line):
            self._end()
            self.group = _Group(count=integer(found[1]))
        elif group is not None and not group.closed and (found := _RAN.match(line)):
            if group.open is not None:
                raw = "no verdict before the group's end"
                note(group.results, group.open, TestResult(Status.ERROR, group.line, raw))
                group.open = None
            ran = integer(found[1])
            if ran != group.count and "GROUP SETUP" not in group.results and ran:
                self.warnings.append(f"line {number}: {group.count} tests announced, {ran} ran")
            group.closed = group.certain = True

    def _check(self, group: _Group, number: int, line: str) -> None:
        found = _PASSED.match(line)
        count = integer(found[1]) if found else group.passed
        if group.passed > count:
            self.warnings.append(totals.exceeded(number, count, group.passed))
            group.results = totals.without_passes(group.results)
        elif found and count != group.passed:
            self.warnings.append(
                f"line {number}: {found[1]} tests passed, {group.passed} were seen"
            )

    def _end(self) -> None:
        """The log or another group's announcement ends the group."""
        group = self.group
        if group is None:
            return
        self.seen += 1
        if not group.closed:
            self.cut = True
            self.warnings.append("a group has no closing line: it was cut off")
            raw = "the group was cut off in this test"
            name = group.open if group.open is not None else group.last
            if group.open is not None or not group.certain:
                line = group.line
                note(group.results, name or "", TestResult(Status.ERROR, line, raw))
        merge(self.results, group.results)
        self.group = None


FRAMEWORK = Framework(
    name="cmocka",
    reader=CmockaReader,
    names="the test's name as in CMOCKA_MESSAGE_OUTPUT=xml: test_adds",
    signs=r"\[==========\] (?:[^\n:]{1,200}: )?(?:Running )?\d+ test\(s\)",
    begins=r"\[",
    languages=("c",),
)
