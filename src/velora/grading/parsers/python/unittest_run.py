"""One run of unittest as it is read: the list of its tests, its failures, and what of both its
totals bear out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.python import unittest_lines as grammar
from velora.grading.parsers.tally import merge, note, worse
from velora.grading.protocol import Status, TestResult

RAW = 500
"""Characters of a line kept as evidence."""

_INNER = 5000  # tests that a test may run itself
_FEW = 200  # tests that are always looked at as a whole
_WORK = 1_000_000  # tests looked at again and again, as runs within end


@dataclass(slots=True)
class Test:
    """A test that began.

    Attributes:
        described: False until the line with its docstring came.
        closing: lines of its name that come first.
        twice: its line says its method twice, as from Python 3.11 on.
        nested: it began while the one before had no verdict.
        alien: it ended badly, but the blocks do not know it.
        echoed: it began behind `Stdout:` or `Stderr:`, where `-b` shows a failed test's output.
        good, bad: the worst of its verdicts of either kind.
        final: its last verdict.
        stray: a skip that came after its verdict, perhaps of the next class.
        tail: the end of its output, where a verdict may hide.
        open: its output goes on.
    """

    name: str
    line: int
    described: bool
    closing: int = 0
    twice: bool = False
    nested: bool = False
    alien: bool = False
    echoed: bool = False
    good: TestResult | None = None
    bad: TestResult | None = None
    final: TestResult | None = None
    stray: TestResult | None = None
    tail: str = ""
    open: bool = True

    @property
    def result(self) -> TestResult | None:
        """The worst of all its verdicts."""
        return self.bad or self.good

    def decide(self, status: Status, number: int, raw: str) -> None:
        """Another verdict, its own or a printed one."""
        result = self.final = TestResult(status, number, raw[-RAW:])
        if status in (Status.FAILED, Status.ERROR):
            if self.bad is None or worse(status, self.bad.status):
                self.bad = result
        elif self.good is None or worse(status, self.good.status):
            self.good = result

    def keep_stray(self) -> None:
        """The skip was its own."""
        if self.stray is not None:
            self.decide(self.stray.status, self.stray.line, self.stray.raw)
            self.stray = None


@dataclass(slots=True)
class Run:
    """A run that is open.

    Attributes:
        failures: what its blocks say; `subs` of them were of sub-tests, and `fixtures` is how many
            were of a class's or a module's fixture.
        echoes: names of tests that captured output in its blocks lists.
        last: the last line of the list.
        guests: results of runs that tests of this one may have run.
        resumed: it goes on behind the end of such a run.
        work: how many tests were looked at so far when runs within it ended.
    """

    tests: list[Test] = field(default_factory=list)
    failures: dict[str, TestResult] = field(default_factory=dict)
    subs: set[str] = field(default_factory=set)
    fixtures: int = 0
    blocks: dict[str, int] = field(default_factory=lambda: {"FAIL": 0, "ERROR": 0})
    echoes: set[str] = field(default_factory=set)
    durations: dict[str, float] = field(default_factory=dict)
    last: str = ""
    guests: dict[str, TestResult] = field(default_factory=dict)
    resumed: bool = False
    work: int = 0

    def close(
        self, number: int, ran: int, totals: dict[str, int], lines: grammar.Grammar
    ) -> tuple[dict[str, TestResult], list[str], list[Test]]:
        """Its totals came: the results, warnings, and the tests of an outer run at whose end
        nothing is known yet."""
        warnings: list[str] = []
        whole = self.blocks == {"FAIL": totals["failures"], "ERROR": totals["errors"]}
        if not whole:
            warnings.append(
                f"line {number}: {totals['failures']} failures and {totals['errors']} errors "
                f"counted, {self.blocks['FAIL']} and {self.blocks['ERROR']} described"
            )
        rest: list[Test] = []
        inner_run = len(self.tests) > 2 * ran + _FEW or self.work > _WORK
        outer = _outer(self.tests, ran) if inner_run else 0
        if not outer:
            self.work += len(self.tests)
            self.tests = self._own(self.tests, ran, whole=whole)
            outer = 0 if _fits(self.tests, ran) else _outer(self.tests, ran)
        tests = self.tests[outer:]
        if outer:
            # In place: a long outer run must not be copied at the end of each inner one.
            rest = self.tests
            del rest[outer:]
        for test in tests:
            if whole:
                test.bad = None  # the blocks say it, or it was printed, or is a class fixture's
            if whole and test.good is None and test.name not in self.failures:
                status = lines.glued_verdict(test.tail)
                if status is not None:
                    test.decide(status, test.line, test.tail)
        if ran and (2 * len(_names(tests)) <= ran or grammar.is_dots(self.last)):
            # Without -v there is no list: these lines were printed by tests.
            if tests:
                warnings.append(
                    f"line {number}: {ran} tests ran, only {len(_names(tests))} are listed: no -v?"
                )
            tests = []
        else:
            warnings += _check(number, ran, totals, tests)
        return self.results(tests), warnings, rest

    def results(self, tests: list[Test]) -> dict[str, TestResult]:
        """What `tests` and the blocks say."""
        results: dict[str, TestResult] = {}
        for test in tests:
            if (result := test.result) is not None:
                note(results, test.name, result)
        merge(results, self.failures)
        for name, seconds in self.durations.items():
            if name in results:
                results[name] = results[name]._replace(duration=seconds)
        return results

    def _own(self, tests: list[Test], ran: int, *, whole: bool) -> list[Test]:
        """`tests` without those that tests printed, as far as that can be told."""
        kept = [test for test in tests if not (test.echoed and test.name in self.echoes)]
        if whole:
            self._mark_aliens(kept)
        own: list[Test] = []
        printed: list[tuple[Test, Test]] = []
        for test in kept:
            nested = test.nested and own and own[-1].name not in self.subs
            if own and (nested or test.alien):
                printed.append((own[-1], test))
            else:
                own.append(test)
        if printed and _fits(own, ran):
            for test, inner in printed:
                # The last verdict is that of the test which printed this one.
                if inner.final is not None and test.result is None:
                    test.decide(inner.final.status, inner.final.line, inner.final.raw)
            return own
        for test in kept:
            if test.alien:
                test.good = None
        if _fits(kept, ran):
            return kept
        return tests if _fits(tests, ran) or _outer(tests, ran) else own

    def _mark_aliens(self, tests: list[Test]) -> None:
        """Tests that ended badly and that no block describes: the end is that of a test before,
        which printed the line. The end of a class's fixture stands alone up to 3.10."""
        errors: list[Test] = []
        for test in tests:
            if test.final is None or test.name in self.failures:
                continue
            test.alien = test.final.status is Status.FAILED
            if test.final.status is Status.ERROR:
                errors.append(test)
        if len(errors) > self.fixtures:
            for test in errors:
                test.alien = True


def _check(number: int, ran: int, totals: dict[str, int], tests: list[Test]) -> list[str]:
    """Warnings where totals and list differ."""
    warnings = []
    if not _fits(tests, ran):
        warnings.append(f"line {number}: {ran} tests ran, {len(_names(tests))} are listed")
    ends = (test.result for test in tests)
    counts = Counter(end.status for end in ends if end is not None)
    for key, status in (
        ("expected failures", Status.XFAIL),
        ("unexpected successes", Status.XPASS),
    ):
        if counts[status] != totals[key]:
            warnings.append(f"line {number}: {totals[key]} {key} counted, {counts[status]} listed")
    return warnings


def _outer(tests: list[Test], ran: int) -> int:
    """How many of `tests` belong to an outer run, whose last test runs unittest itself: the totals
    cover only what came after it, and it has no verdict yet."""
    for at in range(len(tests) - 1, max(-1, len(tests) - _INNER), -1):
        if tests[at].result is None:
            inner = tests[at + 1 :]
            return at + 1 if not inner or _fits(inner, ran) else 0
    return 0


def _fits(tests: list[Test], ran: int) -> bool:
    """`tests` may be the list of a run of `ran` tests; Python 3.12 does not count skipped ones."""
    if 2 * sum(test.twice for test in tests) <= len(tests):
        return len(_names(tests)) == ran
    ends = ((test.name, test.result) for test in tests)
    skipped = {name for name, end in ends if end is not None and end.status is Status.SKIPPED}
    names = _names(tests)
    return len(names) - len(skipped) <= ran <= len(names)


def _names(tests: list[Test]) -> set[str]:
    return {
        test.name for test in tests if test.name[-1:] != ")" or not grammar.is_fixture(test.name)
    }
