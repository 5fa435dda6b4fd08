"""Reads the terminal output of Jest (24 to 30), best with `--verbose`.

Jest writes a file's results in one go: `PASS file` or `FAIL file`, with `--verbose` (or with one
file alone) at once the tree of its tests, then a `●` block for each failure. A verdict is believed
in the tree, whose lines no output can come between, and a failure in a `●` heading two blanks
deep; console output and messages stand deeper. What a test writes past the console may still look
like a file's block, so the totals decide (see `settle`). They are the four lines `Test Suites:` to
`Time:` together. Without `--verbose` only failing tests have names.

A file that cannot be loaded or fails outside of its tests is an ERROR under its own name. Tests
that Jest ran again show their last status alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript.settle import RAW, Group, settle
from velora.grading.parsers.javascript.titles import JOIN, Stack, timed
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_HEADER = re.compile(r" ?(PASS|FAIL) {1,3}(\S.*)\Z")
_COUNT = re.compile(r"(\d+) (failed|passed|skipped|todo|total)\b")
_SYMBOLS = {
    "✓": Status.PASSED,
    "√": Status.PASSED,
    "✕": Status.FAILED,
    "×": Status.FAILED,
    "○": Status.SKIPPED,
    "✎": Status.SKIPPED,
}
_PREFIXES = {"○": "skipped ", "✎": "todo "}
_SUMMED = re.compile(r"\d+ tests?\Z")
_SUITE = "Test suite failed to run"
_STARTS = frozenset({"PAS", "FAI", " PA", " FA", "  ●", "Tes", "Sna", "Tim", "Sum"})
_TOTALS = ("Test Suites:", "Tests:", "Snapshots:", "Time:")


@dataclass(slots=True)
class _File:
    """A file's block that is being read."""

    group: Group
    failed: bool
    stack: Stack = field(default_factory=Stack)
    by_heading: dict[str, str] = field(default_factory=dict)
    tree: bool = False


class JestReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.groups: list[Group] = []
        self.file: _File | None = None
        self.in_tree = False
        self.summary = False
        self.totals: list[tuple[int, str]] = []
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.in_tree:
            if not line:
                self.in_tree = False
                return
            if line[:2] == "  " and line[:3] != "  ●":
                self._leaf(number, line)
                return
        if line[:3] not in _STARTS:
            self.totals = []
            return
        if line[:3] == "  ●":
            self.in_tree = False
            self._failure(number, line)
        elif line.startswith(_TOTALS):
            self._total(number, line)
        elif line == "Summary of all failing tests":
            self.summary = True
        else:
            self._header(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        cut = bool(self.groups)
        if cut:
            self.warnings.append("the last run has no totals: it was cut off")
            self._merge(self.groups)
        return Parsed(self.results, bool(self.closed) and not cut, tuple(self.warnings))

    def _header(self, number: int, line: str) -> None:
        found = _HEADER.match(line)
        if found is None or JOIN in found[2]:
            return
        path, _ = timed(found[2].rpartition("  ")[2])
        path = path.removeprefix("./")
        failed = found[1] == "FAIL"
        known = [group for group in self.groups if group.title == path] if self.summary else []
        group = known[0] if known else Group(path)
        if not known:
            group.counts["files failed" if failed else "files passed"] = 1
            self.groups.append(group)
        self.file = _File(group, failed)
        self.in_tree = not known

    def _leaf(self, number: int, line: str) -> None:
        """A line of the tree: a suite's title or a test's verdict."""
        file = self.file
        assert file is not None
        text = line.lstrip(" ")
        depth = (len(line) - len(text)) // 2 - 1
        symbol, _, title = text.partition(" ")
        status = _SYMBOLS.get(symbol)
        if status is None or not title:
            file.stack.enter(depth, text)
            return
        duration = None
        if status is Status.SKIPPED:
            title = title.removeprefix(_PREFIXES[symbol])
            if _SUMMED.match(title):
                return
        else:
            title, duration = timed(title)
        group = file.group
        name = file.stack.name(depth, title, first=group.title)
        file.tree = True
        file.by_heading[" › ".join([*file.stack.titles[:depth], title])] = name
        group.tests.append((name, TestResult(status, number, line[:RAW], duration)))
        if status is not Status.SKIPPED:
            group.counts["failed" if status is Status.FAILED else "passed"] += 1

    def _failure(self, number: int, line: str) -> None:
        """The heading of a failure."""
        file = self.file
        heading = line[3:].strip()
        if file is None or not file.failed or heading == "Console":
            return
        name, status = file.by_heading.get(heading, ""), Status.FAILED
        if heading == _SUITE:
            name, status = file.group.title, Status.ERROR
        elif not name:
            if file.tree or self.summary:
                return
            name = JOIN.join([file.group.title, *heading.split(" › ")])
            file.group.counts["failed"] += 1
        file.group.tests.append((name, TestResult(status, number, line[:RAW])))

    def _total(self, number: int, line: str) -> None:
        if not line.startswith(_TOTALS[len(self.totals)]):
            self.totals = []
            if not line.startswith(_TOTALS[0]):
                return
        self.totals.append((number, line))
        if len(self.totals) == len(_TOTALS):
            self._close()

    def _close(self) -> None:
        files, tests = _counts(self.totals[0][1]), _counts(self.totals[1][1])
        number = self.totals[1][0]
        self.totals = []
        totals = {
            "files failed": files.get("failed", 0),
            "files passed": files.get("passed", 0),
            "failed": tests.get("failed", 0),
            "passed": tests.get("passed", 0),
        }
        groups, warning = settle(self.groups, totals)
        if warning:
            self.warnings.append(f"line {number}: {warning}")
        shown = sum(group.counts["failed"] for group in groups)
        if shown < totals["failed"]:
            self.warnings.append(
                f"line {number}: {totals['failed']} failed tests counted, {shown} shown"
            )
        self._merge(groups)
        self.closed += 1
        self.groups, self.file = [], None
        self.in_tree = self.summary = False

    def _merge(self, groups: list[Group]) -> None:
        for group in groups:
            for name, result in group.tests:
                note(self.results, name, result)


def _counts(line: str) -> dict[str, int]:
    return {word: integer(number) for number, word in _COUNT.findall(line[:RAW])}


FRAMEWORK = Framework(
    name="jest",
    reader=JestReader,
    names="`src/a.test.js > outer > title`; a file that fails by itself: `src/a.test.js`",
    signs=r" ?(?:PASS|FAIL) {1,3}(?:\S+  )?[^ >]+\.[\w.]+(?: \([\d.]+ m?s\))?$"
    r"|Test Suites: (?:\d+ \w+, )*\d+ (?:of \d+ )?total$",
    begins=" PFT",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
