"""busted's output (2.x), in the form of its output handlers utfTerminal, plainTerminal, TAP, gtest.

A log has one form, that whose closing line comes last. The terminal forms name only what did not
pass, in blocks behind the totals, which say how many blocks there are. In TAP a test is believed
whose number the plan at the end has and no other test has. In the gtest form a verdict is believed
for the test that began last.
"""

from __future__ import annotations

from collections import Counter

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.lua import busted_lines as grammar
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 200
_BLOCKS = ("Failure ", "Error ", "Pending ")


class _Terminal:
    """The totals and the blocks behind them; totals that a test printed have no blocks."""

    def __init__(self) -> None:
        self.line = 0
        self.expected: Counter[Status] = Counter()
        self.blocks: Counter[Status] = Counter()
        self.results: dict[str, TestResult] = {}
        self.next: Status | None = None

    def feed(self, number: int, line: str) -> None:
        if self.next is not None:
            status, self.next = self.next, None
            if line.strip():
                note(self.results, line.strip(), TestResult(status, number, line[:_RAW]))
        elif self.line and line.startswith(_BLOCKS):
            self.next = grammar.block(line)
            if self.next is not None:
                self.blocks[self.next] += 1
        elif " pending : " in line and (totals := grammar.totals(line)) is not None:
            self.line = number
            kinds = (Status.FAILED, Status.ERROR, Status.SKIPPED)
            self.expected = Counter(dict(zip(kinds, totals, strict=True)))
            self.blocks.clear()

    @property
    def complete(self) -> bool:
        return self.line > 0 and all(self.blocks[s] >= n for s, n in self.expected.items())


class _Tap:
    """One run's tests by number; the plan comes last."""

    def __init__(self) -> None:
        self.tests: list[tuple[int, str, TestResult]] = []
        self.plan = 0
        self.line = 0

    def feed(self, number: int, line: str) -> None:
        if line[0] == "1":
            planned = grammar.plan(line) if self.tests else None
            if planned is not None:
                self.plan, self.line = max(self.plan, planned), number
        elif (found := grammar.tap(line)) is not None:
            position, name, status = found
            self.tests.append((position, name, TestResult(status, number, line[:_RAW])))

    def read(self, results: dict[str, TestResult], warnings: list[str]) -> None:
        """Put what is believed into `results`."""
        counts = Counter(position for position, *_ in self.tests)
        for position, name, result in self.tests:
            believed = counts[position] == 1 and position <= self.plan
            if self.line and not believed:
                warnings.append(f"line {result.line}: a test out of sequence")
            if name.strip() and (believed or result.status is Status.FAILED):
                note(results, name, result)


class BustedReader:
    """All forms at once; `complete` if the one that the log has came to its end."""

    def __init__(self) -> None:
        self.terminal = _Terminal()
        self.tap = _Tap()
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.begun: tuple[str, int] | None = None
        self.ran = 0
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == "[":
            self._gtest(number, line)
        elif self.begun is not None:
            if "[" in line:
                self._verdict(number, line, *self.begun)
        elif self.terminal.next is not None or first in ("F", "E", "P", *"0123456789"):
            self.terminal.feed(number, line)
        if first in ("o", "n", "1"):
            self.tap.feed(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        last = max(self.closed, self.tap.line, self.terminal.line)
        complete = last > 0 and self.begun is None
        if self.begun is not None:
            label, line = self.begun
            raw = f"{label}: it began and has no verdict"
            known = TestResult(Status.ERROR, line, raw[:_RAW])
            note(self.results, grammar.name(label), known)
        elif last == self.terminal.line and last:
            self.results = self.terminal.results
            if not self.terminal.complete:
                complete = False
                self.warnings.append(
                    f"line {last}: {self.terminal.expected.total()} tests did not pass, "
                    f"{self.terminal.blocks.total()} are described"
                )
        elif last == self.tap.line and not self.results:
            self.tap.read(self.results, self.warnings)
        return Parsed(self.results, complete, tuple(self.warnings))

    def _gtest(self, number: int, line: str) -> None:
        if (label := grammar.started(line)) is not None:
            self.begun = (label, number)
            self.ran += 1
        elif self.begun is not None:
            self._verdict(number, line, *self.begun)
        elif (count := grammar.ran(line)) is not None:
            self.closed = number
            if count != self.ran:
                self.warnings.append(f"line {number}: {count} tests ran, {self.ran} are shown")
            self.ran = 0
        elif self.closed and (found := grammar.listed(line)) is not None:
            label, status = found
            note(self.results, grammar.name(label), TestResult(status, number, line[:_RAW]))

    def _verdict(self, number: int, line: str, label: str, _: int) -> None:
        found = grammar.ended(line, label)
        if found is not None:
            status, duration = found
            known = TestResult(status, number, line[-_RAW:], duration=duration)
            note(self.results, grammar.name(label), known)
            self.begun = None


FRAMEWORK = Framework(
    name="busted",
    reader=BustedReader,
    names="the titles of all groups and of the test, joined by blanks: `calc when nested adds`",
    signs=r"\d+ success(?:es)? / \d+ failures? / \d+ errors? / \d+ pending : "
    r"|# \S+ @ \d+$|\[ RUN      \] \S+ @ \d+: ",
    begins=r"\d#\[",
    languages=("lua",),
    hosts=("tap", "gtest"),
)
