"""Reads the output of unittest's text runner, Python 3.6 to 3.14, best with `-v`.

A run first lists its tests: `method (module.Class) ... ` (from 3.11 on
`method (module.Class.method) ... `; a docstring stands on a line of its own), then whatever the
test writes, then the verdict. After the list come blocks that name every failure and error, and
the totals. The list shares the stream with the tests' own output, so a printed `ok` proves
nothing by itself: a name is passed only if no block names it, and a verdict that is glued to
other output is believed only in a run whose blocks are as many as its totals say. Failed
sub-tests leave no verdict for their parent up to 3.10 and indented lines from 3.11 on.

Names are `module.Class.method`; class and module fixtures keep their form,
`setUpClass (module.Class)`. Without `-v` only failures have names, and lines that look like a
list are not believed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.python import unittest_lines as grammar
from velora.grading.parsers.tally import merge, note, worse
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_INNER = 5000  # tests that a test may run itself


@dataclass(slots=True)
class _Test:
    """A test that began; `good` and `bad` are the worst of its verdicts of either kind."""

    name: str
    line: int
    described: bool  # False until the line with its docstring came
    good: TestResult | None = None
    bad: TestResult | None = None
    tail: str = ""  # the end of its output, where a verdict may hide
    open: bool = True  # its output goes on

    @property
    def result(self) -> TestResult | None:
        """The worst of all its verdicts."""
        return self.bad or self.good

    def decide(self, status: Status, number: int, raw: str) -> None:
        """Another verdict, its own or a printed one."""
        result = TestResult(status, number, raw[-_RAW:])
        if status in (Status.FAILED, Status.ERROR):
            if self.bad is None or worse(status, self.bad.status):
                self.bad = result
        elif self.good is None or worse(status, self.good.status):
            self.good = result


@dataclass(slots=True)
class _Run:
    """A run that is open."""

    tests: list[_Test] = field(default_factory=list)
    failures: dict[str, TestResult] = field(default_factory=dict)
    blocks: dict[str, int] = field(default_factory=lambda: {"FAIL": 0, "ERROR": 0})


class UnittestReader:
    """All runs of a log; `complete` if the last one came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = _Run()
        self.listing = True
        self.heading: list[tuple[int, str]] = []
        self.ran: int | None = None
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self._block(number, line):
            return
        if (ran := grammar.ran(line)) is not None:
            self.ran = ran
            return
        if self.ran is not None and line:
            totals = grammar.totals(line)
            if totals is not None:
                self._close(number, self.ran, totals)
                return
        if self.listing:
            self._list(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        run = self.run
        if run.failures or any(test.name not in self.results for test in run.tests):
            self.complete = False
            self.warnings.append("the last run has no totals: it was cut off")
            for test in run.tests:
                if test.result is None:
                    test.decide(Status.ERROR, test.line, "no verdict: the run was cut off")
        elif run.tests:
            self.warnings.append("lines after the totals look like tests")
        self._merge(run.tests, run.failures)
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _block(self, number: int, line: str) -> bool:
        """`=====`, `FAIL: name`, perhaps a docstring, `-----`: the head of a failure's block."""
        if grammar.is_double_rule(line):
            self.heading = [(number, line)]
            return False
        if not self.heading:
            return False
        self.heading.append((number, line))
        if len(self.heading) == 2:
            if grammar.block(line) is None:
                self.heading = []
            return False
        if not grammar.is_rule(line):
            if len(self.heading) > 3:
                self.heading = []
            return False
        number, head = self.heading[1]
        self.heading = []
        found = grammar.block(head)
        if found is None:
            return False
        kind, name = found
        status = Status.FAILED if kind == "FAIL" else Status.ERROR
        self.run.blocks[kind] += 1
        note(self.run.failures, name, TestResult(status, number, head[:_RAW]))
        self.listing = False
        return True

    def _list(self, number: int, line: str) -> None:
        """A line of the list: a test's name, its output, its verdict."""
        tests = self.run.tests
        started = grammar.starts(line)
        rest = line
        if started:
            tests.extend(_Test(start.name, number, start.described) for start in started)
            rest = started[-1].rest
        elif tests and not tests[-1].described:
            tests[-1].described = True
            after = grammar.described(line)
            if after is None:
                tests.pop()  # it only looked like the first of two lines
            else:
                rest = after
        if not tests or not tests[-1].described:
            return
        test = tests[-1]
        sub = grammar.subtest(line)
        status = sub[1] if sub and sub[0] == test.name else grammar.verdict(rest)
        if status is not None:
            test.decide(status, number, line)
        elif grammar.is_rule(line) or grammar.is_double_rule(line):
            test.open = False
        elif rest and test.open:
            test.tail = rest[-_RAW:]

    def _close(self, number: int, ran: int, totals: dict[str, int]) -> None:
        """The totals of a run."""
        run = self.run
        outer = _outer(run.tests, ran)
        tests = run.tests[outer:]
        whole = run.blocks == {"FAIL": totals["failures"], "ERROR": totals["errors"]}
        if not whole:
            self.warnings.append(
                f"line {number}: {totals['failures']} failures and {totals['errors']} errors "
                f"counted, {run.blocks['FAIL']} and {run.blocks['ERROR']} described"
            )
        for test in tests:
            if whole and test.name not in run.failures:
                test.bad = None  # printed by the test, or a class fixture's verdict without a name
                status = grammar.glued_verdict(test.tail)
                if test.good is None and status is not None:
                    test.decide(status, test.line, test.tail)
        if ran and 2 * len(_names(tests)) <= ran:
            # Without -v there is no list: these lines were printed by tests.
            if tests:
                self.warnings.append(
                    f"line {number}: {ran} tests ran, only {len(_names(tests))} are listed: no -v?"
                )
            tests = []
        else:
            self._check(number, ran, totals, tests)
        self._merge(tests, run.failures)
        self.complete = True
        self.listing = True
        self.ran = None
        self.run = _Run(run.tests[:outer])

    def _check(self, number: int, ran: int, totals: dict[str, int], tests: list[_Test]) -> None:
        if not _fits(tests, ran):
            listed = len(_names(tests))
            self.warnings.append(f"line {number}: {ran} tests ran, {listed} are listed")
        counts = Counter(test.result.status for test in tests if test.result is not None)
        for key, status in (
            ("expected failures", Status.XFAIL),
            ("unexpected successes", Status.XPASS),
        ):
            if counts[status] != totals[key]:
                self.warnings.append(
                    f"line {number}: {totals[key]} {key} counted, {counts[status]} listed"
                )

    def _merge(self, tests: list[_Test], failures: dict[str, TestResult]) -> None:
        for test in tests:
            if test.result is not None:
                note(self.results, test.name, test.result)
        merge(self.results, failures)


def _outer(tests: list[_Test], ran: int) -> int:
    """How many of `tests` belong to an outer run, whose last test runs unittest itself: the totals
    cover only what came after it, and it has no verdict yet."""
    if _fits(tests, ran):
        return 0
    for at in range(len(tests) - 1, max(-1, len(tests) - _INNER), -1):
        if tests[at].result is None:
            inner = tests[at + 1 :]
            return at + 1 if not inner or _fits(inner, ran) else 0
    return 0


def _fits(tests: list[_Test], ran: int) -> bool:
    """`tests` may be the list of a run of `ran` tests; some versions do not count skipped ones."""
    skipped = {test.name for test in tests if test.result and test.result.status is Status.SKIPPED}
    names = _names(tests)
    return len(names) - len(skipped) <= ran <= len(names)


def _names(tests: list[_Test]) -> set[str]:
    return {test.name for test in tests if not grammar.is_fixture(test.name)}


FRAMEWORK = Framework(
    name="unittest",
    reader=UnittestReader,
    names="`module.Class.test_method`",
    signs=r"Ran \d+ tests? in [\d.]+s$|\w+ \([\w.<>]+\)(?: \.\.\. .*| \.\.\.)?$",
    languages=("python",),
)
