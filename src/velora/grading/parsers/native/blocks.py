"""What readers of Catch and doctest share: test cases that stand in blocks, program after program.

A run begins with the program's first line and ends with its totals, which are a checksum. A run
without totals was cut off: the test case whose block was open is an ERROR.
"""

from __future__ import annotations

from collections.abc import Iterable

from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge
from velora.grading.protocol import Parsed, Status, TestResult

_BAD = frozenset({Status.FAILED, Status.ERROR})


class Blocks:
    """All runs of a log; `complete` if each came to its totals.

    Attributes:
        tests: of the run that is open.
        name: the test case whose block is open, from line `line` on.
        running: that test case has not ended.
        closed: the run has its totals.
    """

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.tests: dict[str, TestResult] = {}
        self.name = ""
        self.line = 0
        self.running = self.closed = False
        self._seen = 0
        self._cut = False

    def finish(self) -> Parsed:
        """The end of the log."""
        self.end_run()
        return Parsed(self.results, bool(self._seen) and not self._cut, tuple(self.warnings))

    def begin(self, number: int, name: str) -> None:
        """A block's head."""
        self.name, self.line = name, number
        self.running, self.closed = True, False

    @property
    def failing(self) -> list[str]:
        """The run's test cases that failed so far."""
        return [name for name, each in self.tests.items() if each.status in _BAD]

    def check(self, number: int, failed: int) -> bool:
        """Do the totals count as many failures as are named? Else a warning says so."""
        named = len(self.failing)
        if named != failed:
            self.warnings.append(f"line {number}: {failed} test cases failed, {named} are named")
        return named == failed

    def limit(self, number: int, passed: int, good: Iterable[Status]) -> None:
        """More passes than the totals count, of statuses `good`, are not believed."""
        seen = sum(each.status in good for each in self.tests.values())
        if seen > passed:
            self.warnings.append(totals.exceeded(number, passed, seen))
            self.tests = totals.without_passes(self.tests)

    def end_run(self) -> None:
        """The log or another program's first line ends the run."""
        if not self.closed and (self.tests or self.name):
            self._cut = True
            self.warnings.append("a run has no totals: it was cut off")
            known = self.tests.get(self.name)
            if self.running and (known is None or known.status is Status.PASSED):
                line = known.line if known else self.line
                cut = TestResult(Status.ERROR, line, "the run was cut off in this test case")
                self.tests[self.name] = cut
        self._seen += bool(self.closed or self.tests)
        merge(self.results, self.tests)
        self.tests, self.name = {}, ""
        self.running = self.closed = False
