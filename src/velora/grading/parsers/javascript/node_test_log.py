"""Reads the output of Node.js's own runner, `node --test`: the reporters spec and tap.

The spec reporter opens a suite, or a test that has tests, with `▶ title`, and closes it behind
its tests with its verdict. So a verdict is believed only as deep as suites are open around it,
and what stands in a suite only once the suite's own closing line has come. Errors stand deeper than
their test. Tests print at any place, and what they print may look like a verdict of depth 0; so
the totals, eight lines from `tests` to
`duration_ms`, decide (see `settle`). Behind them failures are repeated, which
are passed over. The tap reporter is read as `tap_log` does.

Suites and tests that have tests have a result of their own. A file that cannot be run is named by
its path. A test marked as todo is SKIPPED if it passes and XFAIL if not. Early 18 and 20 close a
suite without a verdict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.generic.tap_log import TapReader
from velora.grading.parsers.javascript.settle import RAW, Group, settle
from velora.grading.parsers.javascript.titles import JOIN
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_STATUSES = {"✔": Status.PASSED, "✖": Status.FAILED, "﹣": Status.SKIPPED, "⚠": Status.XFAIL}
_SYMBOLS = frozenset({*_STATUSES, "▶"})
_TIMED = re.compile(r"(.*) \(([\d.]+)ms\)(?: #( .*)?)?\Z", re.DOTALL)
_TOTAL = re.compile(r"ℹ ([a-z_]+) ([\d.]+)\Z")
_WORDS = ("tests", "suites", "pass", "fail", "cancelled", "skipped", "todo", "duration_ms")
_EPILOGUE = "✖ failing tests:"
_POINTS = "tests and suites"


@dataclass(slots=True)
class _Open:
    """A suite whose closing line is yet to come."""

    title: str
    tests: list[tuple[str, TestResult]] = field(default_factory=list)
    points: int = 0


class SpecReader:
    """All runs of a log that the spec reporter wrote."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.groups: list[Group] = []
        self.open: list[_Open] = []
        self.totals: list[str] = []
        self.epilogue = False
        self.located = False
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line
        if line[:1] == " ":
            text = line.lstrip(" ")
        first = text[:1]
        if first in _SYMBOLS:
            self._point(number, line, text)
        elif first == "ℹ":
            self._total(number, line)
            return
        elif first == "t":
            self.located = line.startswith("test at ")
            return
        self.located = False

    def finish(self) -> Parsed:
        """The end of the log."""
        cut = bool(self.groups or self.open)
        if cut:
            self.warnings.append("the last run has no totals: it was cut off")
            outer: list[str] = []
            for suite in self.open:
                outer.append(suite.title)
                prefix = JOIN.join(outer) + JOIN
                self._merge([(prefix + name, result) for name, result in suite.tests])
            for group in self.groups:
                self._merge(group.tests)
        return Parsed(self.results, bool(self.closed) and not cut, tuple(self.warnings))

    def _point(self, number: int, line: str, text: str) -> None:
        depth, odd = divmod(len(line) - len(text), 2)
        if odd or text[1:2] != " ":
            return
        if depth == 0 and self.epilogue:
            if self.located or text == _EPILOGUE:
                return
            self.epilogue = False
        title, duration, mark = text[2:], None, None
        if (found := _TIMED.match(title)) is not None:
            title, mark = found[1], found[3]
            duration = _seconds(found[2])
        if depth < len(self.open) and title == self.open[depth].title and found is not None:
            self._close_suite(number, line, text[0], depth, duration)
        elif text[0] == "▶":
            self._open_suite(number, depth, title if found is None else text[2:])
        elif depth == len(self.open) and (found is not None or text[0] == "✖"):
            status = _STATUSES[text[0]]
            if mark is not None or (found is not None and title and text.endswith(" #")):
                status = _marked(status)
            self._add(depth, [(title, TestResult(status, number, line[:RAW], duration))])

    def _open_suite(self, number: int, depth: int, title: str) -> None:
        if depth > len(self.open):
            return
        self._drop(number, depth)
        self.open.append(_Open(title))

    def _close_suite(
        self, number: int, line: str, symbol: str, depth: int, duration: float | None
    ) -> None:
        self._drop(number, depth + 1)
        suite = self.open.pop()
        tests = [(suite.title + JOIN + name, result) for name, result in suite.tests]
        if symbol != "▶":
            status = _STATUSES[symbol]
            tests.append((suite.title, TestResult(status, number, line[:RAW], duration)))
        self._add(depth, tests, suite.points + 1)

    def _drop(self, number: int, depth: int) -> None:
        """Suites at `depth` and below have no closing line: they, or what came instead, were
        printed."""
        for suite in self.open[depth:]:
            self.warnings.append(f"line {number}: '{suite.title}' is not closed")
        del self.open[depth:]

    def _add(self, depth: int, tests: list[tuple[str, TestResult]], points: int = 1) -> None:
        if depth:
            self.open[depth - 1].tests += tests
            self.open[depth - 1].points += points
            return
        group = Group(tests[-1][0] if tests else "", tests)
        group.counts[_POINTS] = points
        self.groups.append(group)

    def _total(self, number: int, line: str) -> None:
        found = _TOTAL.match(line)
        word = found[1] if found else ""
        if word == _WORDS[0]:
            self.totals = []
        if found is None or word != _WORDS[len(self.totals)]:
            self.totals = []
            return
        self.totals.append(found[2])
        if len(self.totals) < len(_WORDS):
            return
        self._drop(number, 0)
        counted = sum(integer(count) for count in self.totals[:2] if count.isdigit())
        seen = sum(group.counts[_POINTS] for group in self.groups)
        groups, warning = settle(self.groups, {_POINTS: counted})
        if warning:
            self.warnings.append(f"line {number}: {warning}")
        elif seen < counted:
            self.warnings.append(f"line {number}: {counted} {_POINTS} counted, {seen} shown")
        for group in groups:
            self._merge(group.tests)
        self.closed += 1
        self.groups, self.totals, self.epilogue = [], [], True

    def _merge(self, tests: list[tuple[str, TestResult]]) -> None:
        for name, result in tests:
            note(self.results, name, result)


class NodeTestReader:
    """Reads a log with both readers and takes the one that finds tests."""

    def __init__(self) -> None:
        self.spec = SpecReader()
        self.tap = TapReader(todo_ok=Status.SKIPPED)

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        self.spec.feed(number, line)
        self.tap.feed(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        spec, tap = self.spec.finish(), self.tap.finish()
        if spec.complete or not tap.results:
            return spec
        return tap


def _marked(status: Status) -> Status:
    """The status of a test that is marked as todo."""
    if status is Status.FAILED:
        return Status.XFAIL
    return Status.SKIPPED if status is Status.PASSED else status


def _seconds(number: str) -> float | None:
    try:
        return decimal(number) * 0.001
    except ValueError:
        return None


FRAMEWORK = Framework(
    name="node-test",
    reader=NodeTestReader,
    names="`outer > title`, suites too; a file that cannot be run: its path",
    signs=r"ℹ duration_ms [\d.]+$|# duration_ms [\d.]+$",
    begins="ℹ#",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
