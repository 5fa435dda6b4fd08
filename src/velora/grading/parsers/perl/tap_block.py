"""The TAP of one test file, with subtests: which of its tests are believed.

A program can print TAP lines of its own, and its harness would count them. A test line is believed
where its number is one that the plan has and no other line has, so a line in between that takes
another's number is found out. The tests of a subtest are believed where the subtest was announced
(`# Subtest: name`, which Test::More prints from 0.98 on) and ends with a test line of that name
one level further out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.grading.parsers.generic import tap_lines
from velora.grading.protocol import Status, TestResult

_INDENT = 4
_RAW = 200
_SUBTEST = "# Subtest: "


@dataclass(slots=True)
class _Level:
    """A subtest, or the file itself: its tests, each with its number and those within it."""

    name: str = ""
    plan: int | None = None
    count: int = 0
    tests: list[tuple[int, str, TestResult, _Level | None]] = field(default_factory=list)


class TapBlock:
    """The TAP of a test file, line by line."""

    def __init__(self) -> None:
        self.top = _Level()
        self._open: dict[int, _Level] = {}

    @property
    def count(self) -> int:
        """How many test lines its top level has."""
        return self.top.count

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        text = line.lstrip(" ")
        first = text[:1]
        if first not in ("o", "n", "1", "#"):
            return
        depth = len(line) - len(text)
        if first == "#":
            if text.startswith(_SUBTEST):
                self._announce(depth, text[len(_SUBTEST) :].strip())
            return
        level = self.top if depth == 0 else self._open.get(depth)
        if level is None:
            return
        point = tap_lines.point(text)
        if point is not None:
            self._point(number, line, depth, level, point)
        elif level.plan is None:
            level.plan = tap_lines.plan(text)

    def _announce(self, depth: int, name: str) -> None:
        # Test::More before 1.3 indents the announcement as it does the tests.
        if depth and depth not in self._open:
            self._open[depth] = _Level(name)
        self._open[depth + _INDENT] = _Level(name)

    def _point(
        self, number: int, line: str, depth: int, level: _Level, point: tap_lines.Point
    ) -> None:
        level.count += 1
        position = point.number or level.count
        inner = self._open.pop(depth + _INDENT, None)
        for deeper in [each for each in self._open if each > depth]:
            del self._open[deeper]
        name = point.printed or str(position)
        if inner is not None and inner.name != (point.title or name):
            inner = None
        result = TestResult(point.status, number, line.strip()[:_RAW])
        level.tests.append((position, name, result, inner))

    def results(self) -> tuple[list[tuple[int, str, TestResult]], list[str]]:
        """The tests that are believed: number at the top level, name (` > ` between a subtest and
        its tests) and result; and what was wrong with the others."""
        found: list[tuple[int, str, TestResult]] = []
        warnings: list[str] = []
        stack = [("", 0, self.top)]
        while stack:
            prefix, top, level = stack.pop()
            seen: dict[int, int] = {}
            for position, *_ in level.tests:
                seen[position] = seen.get(position, 0) + 1
            last = level.plan if level.plan is not None else _contiguous(seen)
            for position, name, result, inner in level.tests:
                believed = seen[position] == 1 and position <= last
                if not believed:
                    warnings.append(f"line {result.line}: a test out of sequence")
                if believed or result.status is Status.FAILED:
                    found.append((top or position, prefix + name, result))
                    if inner is not None:
                        stack.append((f"{prefix}{name} > ", top or position, inner))
        return found, warnings


def _contiguous(numbers: dict[int, int]) -> int:
    last = 0
    while last + 1 in numbers:
        last += 1
    return last
