"""Reads what Maven Surefire and Failsafe print.

A test class is announced (`Running C`), prints, and then has a block: its counts and rows of its
failures, with `reportFormat=plain` of all its tests. After all classes come the results: failures
again, tests that passed when they were run again (flakes), and the totals. Rows are believed in
blocks alone. A pass is believed only in a block whose rows are as many of each kind as its head
says, of a class that was announced as often as it has blocks, in a log whose heads add up to its
totals: an exception's message can hold lines that look like rows, and a test can print whole
blocks. Where only failures are listed, passes have no names and none is made up. JUnit 5 with
2.22 lists methods without their classes: they are taken for the block's own class, unless a stack
trace shows that it has nested ones.

A class without a block when all ends is an ERROR under its own name: its process died. So is a
class whose set-up failed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.jvm import surefire_lines as grammar
from velora.grading.parsers.jvm.surefire_lines import Counts, Row
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_RESULTS = ("Results:", "Results :")
_LISTS = ("Failures: ", "Errors: ", "Failed tests: ", "Tests in error: ", "Flakes: ")


@dataclass(slots=True)
class _Block:
    """The block of one class."""

    counts: Counts
    suite: str
    line: int
    rows: list[tuple[Row, TestResult]] = field(default_factory=list)
    wants_class: bool = False  # the last row lacks it, and its stack trace may say it

    @property
    def sound(self) -> bool:
        """All tests are listed, and nothing else."""
        counts = self.counts
        kinds = Counter(row.status for row, _ in self.rows)
        return (
            len(self.rows) == counts.run
            and kinds[Status.FAILED] == counts.failures
            and kinds[Status.ERROR] == counts.errors
            and kinds[Status.SKIPPED] == counts.skipped
        )


class SurefireReader:
    """All runs of a log; `complete` if Maven came to its end and no class is without a block."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.passes: dict[str, TestResult] = {}
        self.block: _Block | None = None
        self.running: dict[str, list[int]] = {}  # lines that announce classes without a block yet
        self.last = ""
        self.announced = False
        self.threads = False
        self.doubted: set[str] = set()  # classes whose passes prove nothing
        self.before_results: set[str] = set()
        self.in_results = False
        self.flakes: dict[str, int] | None = None  # in the list of flakes
        self.seen_flakes: dict[str, int] = {}
        self.rerun = False
        self.heads = self.totals = 0
        self.total_lines = 0
        self.maven = False
        self.built = False
        self.forged = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        block = self.block
        if block is not None:
            if block.wants_class and line[:1] in "\t ":
                self._frame(block, line)
                return
            if "Time elapsed: " in line or line.endswith(" skipped"):
                self._timed(number, line)
                return
        elif "Time elapsed: " in line:
            self._timed(number, line)
            return
        if line[:1] == "[":
            self._maven(number, line)
            return
        if line.startswith(("Running ", "Results", "Tests run: ")):
            self._plain(number, line)
        elif self.in_results:
            self._in_results(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        self._close_block()
        for suite, lines in self.running.items():
            why = "its process died, or the log was cut off, before its results"
            self.results[suite] = TestResult(Status.ERROR, lines[0], why)
            self.warnings.append(f"line {lines[0]}: class {suite} has no results")
        complete = self.total_lines > 0 and not self.running and (self.built or not self.maven)
        if complete and not self.rerun and not self._adds_up():
            self.forged = True
            self.warnings.append(
                f"classes have {self.heads} tests in all, the totals say {self.totals}"
            )
        for name, result in self.passes.items():
            if not self.forged:
                note(self.results, name, result)
        if self.forged and self.passes:
            self.warnings.append(f"{len(self.passes)} listed passes are not believed")
        return Parsed(self.results, complete, tuple(self.warnings))

    def _adds_up(self) -> bool:
        return self.heads == self.totals if self.announced else self.heads <= self.totals

    def _maven(self, number: int, line: str) -> None:
        """A line that begins with a bracket."""
        text = grammar.bare(line)
        if text is line:
            return
        self.maven = self.maven or line.startswith("[INFO] ")
        if text.startswith("BUILD "):
            self.built = text.rstrip() in ("BUILD SUCCESS", "BUILD FAILURE")
            self.in_results = False
        elif text.startswith("Using the MultiThreadedBuilder"):
            self.threads = True
        elif text.startswith("COMPILATION ERROR"):
            self.warnings.append(f"line {number}: a compilation error")
        else:
            self._plain(number, text)

    def _plain(self, number: int, text: str) -> None:
        if text.startswith("Running "):
            self._announce(number, text[len("Running ") :].strip())
        elif text.rstrip() in _RESULTS:
            self._open_results()
        elif text.startswith("Tests run: "):
            counts = grammar.counts(text)
            if counts is not None and not counts.timed:
                self._close_results(counts)
        elif text.rstrip() + " " in _LISTS:
            if not self.in_results:
                self._open_results()
            self.flakes = {} if text.startswith("Flakes") else None
        elif self.in_results:
            self._in_results(number, text)

    def _announce(self, number: int, suite: str) -> None:
        self._close_block()
        if suite:
            self.announced = True
            self.built = False
            self.last = suite
            self.running.setdefault(suite, []).append(number)

    def _timed(self, number: int, line: str) -> None:
        """A head of a block, or a row."""
        counts = grammar.counts(line)
        if counts is not None and counts.timed:
            self._open_block(number, counts)
            return
        block = self.block
        if block is None:
            return
        row = grammar.row(grammar.bare(line), block.suite)
        if row is None:
            return
        result = TestResult(row.status, number, line[:_RAW], row.duration)
        block.rows.append((row, result))
        block.wants_class = not row.suite and row.status in (Status.FAILED, Status.ERROR)

    def _open_block(self, number: int, counts: Counts) -> None:
        self._close_block()
        suite = counts.suite or self.last
        self.heads += counts.run
        self.block = _Block(counts, suite, number)
        lines = self.running.get(suite, [])
        if lines:
            lines.pop()
            if not lines:
                del self.running[suite]
        elif self.announced:
            self.doubted.add(suite)
            self.warnings.append(f"line {number}: results of {suite}, which was not announced")
        if suite in self.before_results:
            self.forged = True  # the results that came while it ran were its own output

    def _frame(self, block: _Block, line: str) -> None:
        row, result = block.rows[-1]
        owner = grammar.frame(line, row, block.suite)
        if owner:
            block.rows[-1] = (Row(row.test, owner, row.status, row.duration), result)
            block.wants_class = False

    def _close_block(self) -> None:
        block, self.block = self.block, None
        if block is None:
            return
        sound = block.sound
        bad = sum(row.status in (Status.FAILED, Status.ERROR) for row, _ in block.rows)
        if bad != block.counts.failures + block.counts.errors:
            self.warnings.append(
                f"line {block.line}: {block.counts.failures} failures and {block.counts.errors} "
                f"errors counted in {block.suite}, {bad} listed"
            )
        listed = Counter(row.test for row, _ in block.rows)
        nested = any(row.suite.startswith(block.suite + "$") for row, _ in block.rows)
        for row, result in block.rows:
            name = row.name if row.suite else f"{block.suite}.{row.test}"
            if result.status in (Status.FAILED, Status.ERROR):
                note(self.results, name, result)
            elif not sound or block.suite in self.doubted:
                continue
            elif row.suite or (listed[row.test] == 1 and not nested):
                # Elsewhere the row may belong to a nested class as well.
                note(self.passes, name, result)

    def _open_results(self) -> None:
        self._close_block()
        self.in_results = True
        self.flakes = None
        self.seen_flakes = {}
        if not self.threads:
            self.before_results |= self.running.keys()

    def _in_results(self, number: int, text: str) -> None:
        if text.lstrip().startswith("Run 2: "):
            self.rerun = True
        flakes = self.flakes
        if flakes is None:
            return
        name = grammar.flake(text)
        if name:
            flakes[name] = number
            self.seen_flakes = flakes

    def _close_results(self, counts: Counts) -> None:
        """The totals."""
        if not self.in_results:
            return
        self.in_results = False
        self.totals += counts.run
        self.total_lines += 1
        if counts.flakes == len(self.seen_flakes):
            for name, line in self.seen_flakes.items():
                known = self.results.pop(name, None)
                raw = known.raw if known else ""
                self.passes[name] = TestResult(Status.PASSED, line, raw, flaky=True)
        elif counts.flakes:
            self.warnings.append(f"{counts.flakes} flakes counted, {len(self.seen_flakes)} listed")
        self.flakes = None


FRAMEWORK = Framework(
    name="surefire",
    reader=SurefireReader,
    names="`com.acme.CalcTest.testAdd`, `com.acme.Outer$Inner.testX`, parameters as printed; a "
    "class whose set-up or process failed has its own name, `com.acme.CalcTest`",
    signs=r"(?:\[INFO\] )? T E S T S$|\[ERROR\] Tests run: \d+, Failures: \d+, Errors: \d+",
    begins=r" \[T",
    languages=("java", "kotlin"),
)
