"""Reads the terminal output of Jasmine (2 to 5): the default reporter, which names failures and
pending specs alone, and jasmine-spec-reporter, which writes a tree.

The default reporter lists failures under `Failures:` by number, each with `Message:` below it,
and messages stand deeper, so a printed look-alike does not count. Its names are suites and spec
joined by blanks. A tree is compared with the line `Executed N of M specs` (see `settle`).
A suite that fails by itself is an ERROR under its own name.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.javascript.settle import RAW, settle
from velora.grading.parsers.javascript.tree import Tree
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_ITEM = re.compile(r"(\d{1,9})\) (.+)\Z", re.DOTALL)
_SUITE = "Suite error: "
_TOTALS = re.compile(r"(\d+) specs?, (\d+) failures?(?:, (\d+) pending specs?)?\Z")
_FINISHED = re.compile(r"Finished in [\d.]+ seconds?\Z")
_EXECUTED = re.compile(
    r"Executed (\d+) of \d+ specs?(?: SUCCESS)?(?: \(\d+ ERRORS?\))?(?: \((\d+) FAILED\))?"
    r"(?: \(\d+ PENDING\))?(?: \(\d+ SKIPPED\))? in .*\Z"
)


class JasmineReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.tree: Tree | None = None
        self.section = ""
        self.next = 1
        self.found: list[tuple[str, TestResult]] = []
        self.item: tuple[str, TestResult] | None = None
        self.totals: tuple[int, int, int] | None = None
        self.open = False
        self.closed = 0
        self.counted = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == " ":
            if self.item is not None:
                self._item(line)
            elif self.tree is not None and line[1:2] == " ":
                self.tree.feed(number, line)
            return
        if not line:
            return
        self.item = None
        if first.isdigit():
            self._numbered(number, line)
        elif first in "SFPJE":
            self._word(number, line)
            return
        self.totals = self.totals if first.isdigit() else None

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.open or self.tree is not None:
            self.warnings.append("the last run has no totals: it was cut off")
            groups = self.tree.groups if self.tree else []
            self._merge([each for group in groups for each in group.tests])
        self._merge(self.found)
        cut = self.open or self.tree is not None
        complete = bool(self.closed) and not cut
        return Parsed(self.results, complete, tuple(self.warnings), self.counted)

    def _numbered(self, number: int, line: str) -> None:
        if self.section and (found := _ITEM.match(line)) is not None:
            if integer(found[1]) == self.next:
                status = Status.FAILED if self.section == "Failures:" else Status.SKIPPED
                self.item = (found[2], TestResult(status, number, line[:RAW]))
        elif (totals := _TOTALS.match(line)) is not None:
            self.totals = (integer(totals[1]), integer(totals[2]), integer(totals[3] or "0"))

    def _item(self, line: str) -> None:
        """The line below a numbered item: `  Message:` or a reason."""
        assert self.item is not None
        name, result = self.item
        self.item = None
        if line == "  Message:" or result.status is Status.SKIPPED:
            self.found.append((name, result))
            self.next += result.status is not Status.ERROR

    def _word(self, number: int, line: str) -> None:
        if line in ("Failures:", "Pending:"):
            self.section, self.next = line, 1
        elif line == "Started":
            self.open = True
        elif line == "Jasmine started":
            self.tree = Tree(skipped="*")
        elif line.startswith(_SUITE):
            self.item = (line[len(_SUITE) :], TestResult(Status.ERROR, number, line[:RAW]))
        elif self.totals is not None and _FINISHED.match(line):
            self._close(number, self.totals)
        elif self.tree is not None and (executed := _EXECUTED.match(line)) is not None:
            self.counted += integer(executed[1])
            passed = integer(executed[1]) - integer(executed[2] or "0")
            groups, warning = settle(self.tree.groups, {"passed": passed})
            if warning:
                self.warnings.append(f"line {number}: {warning}")
            self._merge([each for group in groups for each in group.tests])
            self.tree, self.closed = None, self.closed + 1

    def _close(self, number: int, totals: tuple[int, int, int]) -> None:
        failed = sum(result.status is not Status.SKIPPED for _, result in self.found)
        if failed < totals[1]:
            self.warnings.append(f"line {number}: {totals[1]} failures counted, {failed} named")
        self.counted += totals[0] - totals[2]
        self._merge(self.found)
        self.found, self.totals, self.section = [], None, ""
        self.open, self.closed = False, self.closed + 1

    def _merge(self, tests: list[tuple[str, TestResult]]) -> None:
        for name, result in tests:
            note(self.results, name, result)


FRAMEWORK = Framework(
    name="jasmine",
    reader=JasmineReader,
    names="as the default reporter prints them: `outer inner title`; of a tree `outer > title`",
    signs=r"\d+ specs?, \d+ failures?(?:, \d+ pending specs?)?$|Executed \d+ of \d+ specs?\b",
    begins=r"\dE",
    languages=("javascript", "typescript"),
    hosts=("tap",),
)
