"""Reads the tree that JUnit's ConsoleLauncher prints after a run, in Unicode or ASCII.

    ╷
    └─ JUnit Jupiter ✔
       └─ CalcTest ✔
          ├─ testAdd() ✔
          └─ testWrong() ✘ expected: <4> but was: <3>

Leaves are tests, and so is an inner node that failed itself. What tests print comes before the
tree, so of several trees before one set of totals the last counts; after the tree comes a list of
failures, whose messages may look like anything: it ends with the totals. A message within the tree
may hold lines that look like nodes, so passes are believed only if they are as many as the totals
say. The tree has one mark for failures and errors, ✘; an aborted test (■) is SKIPPED.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_STATUSES = {
    "✘": Status.FAILED,
    "[X]": Status.FAILED,
    "■": Status.SKIPPED,
    "[A]": Status.SKIPPED,
    "↷": Status.SKIPPED,
    "[S]": Status.SKIPPED,
}


@dataclass(frozen=True, slots=True)
class _Theme:
    """How a tree is drawn: nodes, columns a level, the mark of a success, the other marks."""

    node: re.Pattern[str]
    width: int
    good: str
    bad: re.Pattern[str]


_THEMES = {
    "╷": _Theme(
        re.compile(r"(?P<indent>(?:│ {2}| {3})*)(?:├─|└─) (?P<text>\S.*)$"),
        3,
        " ✔",
        re.compile(r" (?P<mark>✘|■|↷)(?: |$)"),
    ),
    ".": _Theme(
        re.compile(r"(?P<indent>(?:[| ] )*)(?:\+--|'--) (?P<text>\S.*)$"),
        2,
        " [OK]",
        re.compile(r" (?P<mark>\[X\]|\[A\]|\[S\])(?: |$)"),
    ),
}
_TOTAL = re.compile(
    r"\[ +(?P<count>\d{1,9}) tests (?P<word>found|skipped|aborted|successful|failed) +\]"
)


@dataclass(slots=True)
class _Node:
    """A node of the tree: the names from the engine's child down to it."""

    path: tuple[str, ...]
    result: TestResult
    leaf: bool = True


class ConsoleReader:
    """All runs of a log; `complete` if the last tree has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.nodes: list[_Node] = []
        self.tree: _Theme | None = None  # its lines are being read
        self.closed = False  # until the totals
        self.totals: dict[str, int] = {}
        self.complete = False
        self.doubted = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == "[":
            if "tests" in line and (total := _TOTAL.match(line)):
                self._total(number, total["word"], integer(total["count"]))
        elif self.closed:
            if first == "T" and line.startswith("Test run finished after "):
                self.totals = {}
        elif first in _THEMES and line.rstrip() == first:
            self.nodes = []
            self.tree = _THEMES[first]
            self.complete = False
        elif self.tree is not None:
            if first in "├└│ |+'" and first:
                node = self.tree.node.match(line)
                if node:
                    self._node(number, line, node, self.tree)
            elif line.startswith(("Failures (", "Test run finished after ")):
                self.closed = True
                self.totals = {}

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.nodes:
            self.complete = False
            self.warnings.append("the last tree has no totals")
            self._keep(passes=False)
        if self.doubted:
            self.results = {n: r for n, r in self.results.items() if r.status is not Status.PASSED}
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _node(self, number: int, line: str, found: re.Match[str], theme: _Theme) -> None:
        depth = len(found["indent"]) // theme.width
        text = found["text"]
        bad = theme.bad.search(text)
        if bad:
            name, status = text[: bad.start()], _STATUSES[bad["mark"]]
        elif text.endswith(theme.good):
            name, status = text.removesuffix(theme.good), Status.PASSED
        else:
            return
        above: tuple[str, ...] = ()
        if self.nodes and depth > len(self.nodes[-1].path):
            self.nodes[-1].leaf = False
        if self.nodes:
            above = self.nodes[-1].path[: max(0, depth - 1)]
        path = (*above, name) if depth else ()
        self.nodes.append(_Node(path, TestResult(status, number, line[:_RAW])))

    def _total(self, number: int, word: str, count: int) -> None:
        self.totals[word] = count
        if word != "failed":
            return
        if self.tree is None:
            self.doubted = self.doubted or bool(self.results)
            self.warnings.append(f"line {number}: totals without a tree")
            return
        passed = sum(
            n.leaf and bool(n.path) and n.result.status is Status.PASSED for n in self.nodes
        )
        successful = self.totals.get("successful", 0)
        if passed != successful:
            self.warnings.append(
                f"line {number}: {successful} tests passed, {passed} are in the tree: passes are "
                "not believed"
            )
        self._keep(passes=passed == successful)
        self.tree = None
        self.closed = False
        self.complete = True

    def _keep(self, *, passes: bool) -> None:
        for node in self.nodes:
            status = node.result.status
            if not node.path or (status is Status.PASSED and not (passes and node.leaf)):
                continue
            if node.leaf or status is Status.FAILED:
                note(self.results, " > ".join(node.path), node.result)
        self.nodes = []


FRAMEWORK = Framework(
    name="junit-console",
    reader=ConsoleReader,
    names="the tree below the engine, `CalcTest > WhenEmpty > testAdd()`",
    signs=r"Test run finished after \d+ ms$|(?:└─|├─|'--|\+--) JUnit (?:Jupiter|Vintage|Platform)",
    begins="T└├'+",
    languages=("java", "kotlin"),
)
