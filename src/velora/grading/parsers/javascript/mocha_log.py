"""Reads the terminal output of Mocha (3 to 11): spec, and the reporters that name failures alone
(dot, min, nyan, ...).

The spec reporter writes suites and tests as a tree, and tests print into it at any place. Mocha
runs a suite's own tests before the suites in it, so a verdict is believed only right below the
suites that are open, and a failure only with the next number; a line that looks like a suite is
dropped when a verdict comes that does not stand below it. The totals (`12 passing (20ms)` behind a
blank line, `pending`, `failing`) are compared with the tree (see `settle`), and those that do
not fit are taken for printed where others follow. Behind them failures are repeated, by number.

A failing hook is an ERROR under its own name, `suite > "before each" hook for "title"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript.settle import RAW, Group, settle
from velora.grading.parsers.javascript.titles import JOIN, timed_tight
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_VERDICT = re.compile(r"(?:([✔✓√])|(-)|(\d{1,9})\)) (.*)\Z", re.DOTALL)
_HOOK = re.compile(r'"(?:before|after) (?:each|all)" hook')
_PASSING = re.compile(r"  (\d+) passing \([\d.]+(?:ms|s|m|h|d)\)\Z")
_MORE = re.compile(r"  (\d+) (pending|failing)\Z")
_STARTS = frozenset("✔✓√-0123456789")


@dataclass(slots=True)
class _Suite:
    """A heading; `full` once a verdict came in a suite within it, so that no more of its own can
    come."""

    title: str
    full: bool = False


@dataclass(slots=True)
class _Totals:
    """Totals, true or printed.

    Attributes:
        at: how many verdicts had come before.
    """

    line: int
    passed: int
    at: int
    failed: int = 0

    def fits(self, groups: list[Group]) -> bool:
        """They count just these."""
        passed = sum(group.counts["passed"] for group in groups)
        failed = sum(group.counts["failed"] for group in groups)
        return (passed, failed) == (self.passed, self.failed)


class MochaReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.groups: list[Group] = []
        self.suites = [_Suite("")]
        self.root = False  # the line before is a verdict outside of suites
        self.failures = 0
        self.before = ""
        self.totals: _Totals | None = None  # of the run that is open
        self.counting = False
        self.closed = 0
        self.counted = 0
        self.repeated = 0  # failures behind the totals
        self.entry: tuple[int, list[str]] | None = None
        self.named: list[tuple[str, TestResult]] = []

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        before, self.before = self.before, line
        root, self.root = self.root, False
        if self.entry is not None and self._title(line):
            return
        if self.counting and not _MORE.match(line):
            self.counting = False
            if self._closes():
                self.suites = [_Suite("")]
        if line[:2] != "  ":
            return
        text = line.lstrip(" ")
        depth, odd = divmod(len(line) - len(text) - 2, 2)
        if odd or not text:
            return
        if depth == 0 and self._total(number, line, before):
            return
        found = _VERDICT.match(text) if text[0] in _STARTS else None
        begins = root or not before.strip(" ")
        if found is None:
            self._heading(depth, text, begins)
        elif self._repeats(found, depth):
            self.repeated += 1
            self.entry = (number, [found[4]])
        else:
            self._verdict(number, line, depth, found, begins)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.entry is not None:
            self._name()
        totals, rest = self.totals, self.groups
        if totals is not None:
            rest = self.groups[totals.at :]
            self._settle(self.groups[: totals.at], totals)
        if rest and (totals is not None or self.closed):
            # A run that was cut off, or output: a run before it is whole.
            for group in rest:
                group.drop_passes()
            self.warnings.append("verdicts behind the last totals: their passes are not believed")
        elif rest:
            self.warnings.append("the last run has no totals: it was cut off")
        self._merge(rest)
        complete = totals is not None and not rest
        return Parsed(self.results, complete, tuple(self.warnings), self.counted)

    def _heading(self, depth: int, title: str, begins: bool) -> None:
        """Perhaps a suite's title."""
        if depth >= len(self.suites) or (depth == 0 and not begins):
            return
        del self.suites[depth + 1 :]
        self.suites.append(_Suite(title))

    def _verdict(
        self, number: int, line: str, depth: int, found: re.Match[str], begins: bool
    ) -> None:
        title, hook = found[4], False
        if depth >= len(self.suites):
            return
        if found[3]:
            hook = _HOOK.match(title) is not None
            if integer(found[3]) != self._next_failure():
                return
        new = self.totals is not None and len(self.groups) == self.totals.at
        if depth == 0 and (new or self.suites[0].full):
            # A run begins, or with --parallel a file: behind a blank line.
            if not begins:
                return
        elif self.suites[depth].full and not hook:
            return
        self.root = depth == 0
        if self.totals is not None and self._closes():
            self._begin()
        del self.suites[depth + 1 :]
        for suite in self.suites[:-1]:
            suite.full = True
        duration = None
        if found[1]:
            status = Status.PASSED
            title, duration = timed_tight(title)
        elif found[2]:
            status = Status.SKIPPED
        else:
            status = Status.ERROR if hook else Status.FAILED
            self.failures += 1
        name = JOIN.join([*(suite.title for suite in self.suites[1:]), title])
        group = Group(title, [(name, TestResult(status, number, line[:RAW], duration))])
        if status is not Status.SKIPPED:
            group.counts["passed" if status is Status.PASSED else "failed"] = 1
        self.groups.append(group)

    def _next_failure(self) -> int:
        return 1 if self.totals is not None and self._closes() else self.failures + 1

    def _closes(self) -> bool:
        """The totals that came are the end of the run."""
        totals = self.totals
        return totals is not None and totals.fits(self.groups[: totals.at])

    def _begin(self) -> None:
        """A new run begins behind the totals."""
        totals = self.totals
        assert totals is not None
        self._settle(self.groups[: totals.at], totals)
        self.closed += 1
        self.groups = self.groups[totals.at :]
        self.totals, self.failures, self.repeated = None, 0, 0

    def _total(self, number: int, line: str, before: str) -> bool:
        if self.counting and self.totals is not None:
            found = _MORE.match(line)
            if found is not None and found[2] == "failing":
                self.totals.failed = integer(found[1])
            return True
        if before.strip(" ") or (found := _PASSING.match(line)) is None:
            return False
        last = self.totals
        if last is not None:
            # Either totals may be printed: those that do not fit are, where others follow.
            rest = self.groups[last.at :]
            passed = sum(group.counts["passed"] for group in rest)
            if self._closes() or passed == integer(found[1]):
                self._begin()
        self.totals = _Totals(number, integer(found[1]), len(self.groups))
        self.counting, self.repeated = True, 0
        self.named = []
        return True

    def _repeats(self, found: re.Match[str], depth: int) -> bool:
        """The heading of a failure behind the totals."""
        totals = self.totals
        return (
            totals is not None
            and depth == 0
            and bool(found[3])
            and integer(found[3]) == self.repeated + 1 <= totals.failed
        )

    def _title(self, line: str) -> bool:
        """A further line of a failure's heading: each suite and the test a level deeper."""
        assert self.entry is not None
        titles = self.entry[1]
        indent = len(line) - len(line.lstrip(" "))
        if line.strip(" ") and indent == 5 + 2 * len(titles):
            titles.append(line[indent:])
            return True
        self._name()
        return False

    def _name(self) -> None:
        assert self.entry is not None
        number, titles = self.entry
        self.entry = None
        name = JOIN.join(titles)
        if name.endswith(":"):
            status = Status.ERROR if _HOOK.match(titles[-1]) else Status.FAILED
            self.named.append((name[:-1], TestResult(status, number, name[:RAW])))

    def _settle(self, groups: list[Group], totals: _Totals) -> None:
        self.counted += totals.passed + totals.failed
        passed = sum(group.counts["passed"] for group in groups)
        failed = sum(group.counts["failed"] for group in groups)
        if groups and 2 * (passed + failed) <= totals.passed + totals.failed:
            self.warnings.append(f"line {totals.line}: only {passed + failed} verdicts are shown")
            groups = []
        groups, warning = settle(groups, {"passed": totals.passed, "failed": totals.failed})
        if warning:
            self.warnings.append(f"line {totals.line}: {warning}")
        if max(failed, len(self.named)) < totals.failed:
            self.warnings.append(f"line {totals.line}: {totals.failed} failed, {failed} shown")
        self._merge(groups)
        if len(self.named) == totals.failed:
            for name, result in self.named:
                note(self.results, name, result)
        self.named = []

    def _merge(self, groups: list[Group]) -> None:
        for group in groups:
            for name, result in group.tests:
                note(self.results, name, result)


FRAMEWORK = Framework(
    name="mocha",
    reader=MochaReader,
    names='`outer > title`; a failing hook: `outer > "before each" hook for "title"`',
    signs=r"  \d+ passing \([\d.]+(?:ms|s|m|h)\)$|[>$] mocha\b",
    begins=r" \d>$",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
