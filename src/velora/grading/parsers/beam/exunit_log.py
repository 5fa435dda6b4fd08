"""ExUnit's output: blocks of failures, and with `--trace` a line for every test.

A trace line has no verdict: the test passed unless a block about it follows, or one that says that
its module's `setup_all` failed. So passes stand only where the totals count no more failures than
there are blocks. A trace line counts where the same test began before it. Totals that do not fit
what was shown until then were printed by a test, unless they are the last.
"""

from __future__ import annotations

from velora.grading.parsers.beam import exunit_lines as grammar
from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import merge, note
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 200
_FAR = 4  # lines of a block within which it names a timeout


class _Run:
    """What is shown of one run until its totals."""

    def __init__(self) -> None:
        self.rows: dict[str, TestResult] = {}
        self.count = 0
        self.blocks: dict[int, dict[str, TestResult]] = {}
        self.timeouts: dict[str, TestResult] = {}
        self.modules: dict[str, TestResult] = {}

    def fits(self, totals: grammar.Totals) -> bool:
        """The totals are those of this run."""
        return len(self.blocks) == totals.failures and self.count in (0, totals.tests)


class ExunitReader:
    """All runs of a log; `complete` if each came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = _Run()
        self.module = ""
        self.begun: tuple[grammar.Row, int] | None = None
        self.unsure = False
        self.block = ("", 0)
        self.finished = 0
        self.totals: tuple[int, grammar.Totals] | None = None
        self.closed = 0

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == " ":
            if line.startswith("  * "):
                self._row(number, line)
            elif line[2:3].isdigit():
                self._block(number, line)
            elif line.startswith("     ** (ExUnit.TimeoutError) ") and self.block[1]:
                self._timeout(number, line)
        elif first == "F" and grammar.is_finished(line):
            self.finished = number
        elif first.isdigit():
            if 0 < number - self.finished <= 1 and (found := grammar.totals(line)) is not None:
                self._totals(number, found)
        elif first.isupper() and line[-1:] == "]" and (module := grammar.module(line)) is not None:
            self.module = module

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.unsure:
            self.begun = None
        open_run = self.run.count or self.run.blocks or self.begun
        if self.totals is not None:
            self._close(*self.totals)
        elif open_run:
            self.warnings.append("the last run has no totals")
            self._merge(doubtful=False)
        if self.begun is not None:
            row, line = self.begun
            known = TestResult(
                Status.ERROR, line, f"{row.name}: it began and has no verdict"[:_RAW]
            )
            note(self.results, self._name(row.name), known)
        complete = self.closed > 0 and (self.totals is not None or not open_run)
        return Parsed(self.results, complete and self.begun is None, tuple(self.warnings))

    def _name(self, test: str) -> str:
        return f"{self.module} > {test}" if self.module else test

    def _row(self, number: int, line: str) -> None:
        row = grammar.row(line)
        if row is None:
            return
        if row.status is None:
            self.begun, self.unsure = (row, number), False
            return
        if self.begun is None:
            # The title of a test that begins may look like this, and so may what a test printed.
            self.begun, self.unsure = (grammar.begins(line), number), True
            return
        begun = self.begun[0]
        if (begun.name, begun.where) != (row.name, row.where):
            return
        self.begun = None
        self.run.count += 1
        known = TestResult(row.status, number, line[:_RAW], duration=row.duration)
        note(self.run.rows, self._name(row.name), known)

    def _block(self, number: int, line: str) -> None:
        if (found := grammar.failure(line)) is not None:
            position, test, module = found
            blocks = self.run.blocks.setdefault(position, {})
            if blocks:
                self.warnings.append(f"line {number}: another failure {position}")
            self.block = (f"{module} > {test}", number)
            blocks[self.block[0]] = TestResult(Status.FAILED, number, line[:_RAW])
        elif (module := grammar.setup_all(line) or "") != "":
            self.run.modules[module] = TestResult(Status.ERROR, number, line[:_RAW])

    def _timeout(self, number: int, line: str) -> None:
        name, began = self.block
        if number - began <= _FAR:
            note(self.run.timeouts, name, TestResult(Status.ERROR, number, line[:_RAW]))

    def _totals(self, number: int, totals: grammar.Totals) -> None:
        self.totals = (number, totals)
        if self.run.fits(totals):
            self._close(number, totals)

    def _close(self, number: int, totals: grammar.Totals) -> None:
        """The totals of a run."""
        shown = len(self.run.blocks)
        if shown != totals.failures:
            self.warnings.append(f"line {number}: {totals.failures} failures, {shown} are shown")
        if self.run.count and self.run.count != totals.tests:
            self.warnings.append(
                f"line {number}: {totals.tests} tests ran, {self.run.count} are listed"
            )
        self._merge(doubtful=totals.failures > shown)
        self.closed += 1
        self.totals = None
        self.finished = 0

    def _merge(self, *, doubtful: bool) -> None:
        run, self.run = self.run, _Run()
        for name, result in run.rows.items():
            failed = run.modules.get(name.partition(" > ")[0])
            if failed is not None and result.status is Status.PASSED:
                note(self.results, name, failed)
            elif not (doubtful and result.status is Status.PASSED):
                note(self.results, name, result)
        for blocks in run.blocks.values():
            merge(self.results, blocks)
        merge(self.results, run.timeouts)


FRAMEWORK = Framework(
    name="exunit",
    reader=ExunitReader,
    names="`Module > test describe title`, also `Module > doctest Module.function/1 (1)`",
    signs=r"Running ExUnit with seed: \d+|Finished in [\d.]+ seconds \([\d.]+s (?:async|on load)"
    r"|  \* (?:test|doctest|property) .*\[L#\d+\]"
    r"| +\d+\) (?:test|doctest|property) .+ \([A-Z][\w.]*\)$",
    begins=r" \dRF*",
    languages=("elixir",),
    hosts=("rspec",),  # both print `Randomized with seed`
)
