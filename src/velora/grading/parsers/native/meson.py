"""Reads `meson test` (0.50 to 1.7): the default, `-v`, `--print-errorlogs`.

Each test has a number and one verdict (` 2/20 sample:core / fails  FAIL  0.02s  exit status 1`);
with `-v` it is announced before (`RUNNING`). A test's output is shown between two rules and is
passed over; before 0.57, and with `-v` and one process, nothing marks it. So of two verdicts on one
number the worse counts, a pass is not believed of a number that has two names, and none is where
the totals count fewer.

Names are as printed, which is `name` in `meson-logs/testlog.json`: the test's own name, with
project and suites in front where the project has several. Signals, time-outs and interrupts are
ERROR. Sub-tests of a TAP test are not results of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note, worse
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_WORDS = {
    "OK": Status.PASSED,
    "FAIL": Status.FAILED,
    "SKIP": Status.SKIPPED,
    "IGNORED": Status.SKIPPED,
    "TIMEOUT": Status.ERROR,
    "ERROR": Status.ERROR,
    "INTERRUPT": Status.ERROR,
    "EXPECTEDFAIL": Status.XFAIL,
    "UNEXPECTEDPASS": Status.XPASS,
}
_TEST = re.compile(r" *(\d{1,9})/(\d{1,9}) (?=\S)")
_VERDICT = re.compile(r"(.*\S) +(" + "|".join(_WORDS) + r") +(\d{1,9}\.\d{1,9}) ?s(?: +(\S.*))?\Z")
_RUNNING = re.compile(r"(.*\S) +RUNNING *\Z")
_TOTAL = re.compile(
    r"(Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Ignored|Timeout|"
    r"OK|FAIL|SKIP|TIMEOUT): +(\d{1,9}) *\Z"
)
_FIRST = frozenset("OEFUSIT")
_OPENS = ("\u2015", "-")
_CUT = ("\u2700", "8<")
_LONGEST = 4096
_RAW = 500


@dataclass(slots=True)
class _Run:
    """One run.

    Attributes:
        total: of the tests' numbers, as the lines say.
        tests: the name and the worst verdict by number.
        odd: names of numbers that have more than one.
        open: tests that are running.
        counts: the totals so far.
        line: of the totals.
    """

    total: str
    tests: dict[int, tuple[str, TestResult]] = field(default_factory=dict)
    odd: dict[str, TestResult] = field(default_factory=dict)
    open: dict[int, tuple[str, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    line: int = 0


class MesonReader:
    """All runs of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run: _Run | None = None
        self.rule = ""  # the rule that will end the test's output which is being shown
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if self.rule:
            if line.endswith(self.rule):
                self.rule = ""
            return
        if first == " " or first.isdigit():
            if "/" in line[:20] and (found := _TEST.match(line)):
                self._test(number, line, found)
        elif first in _FIRST:
            if self.run is not None and (total := _TOTAL.match(line)):
                self.run.counts[total[1].lower()] = integer(total[2])
                self.run.line = number
        elif first in _OPENS and self.run is not None:
            self._opens(line)

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _opens(self, line: str) -> None:
        """A rule above a test's output."""
        if line == "--- command ---":
            self.rule = "-------"
        elif any(mark in line for mark in _CUT) and line.strip("\u2015- ") in _CUT:
            self.rule = line[0] * 40

    def _test(self, number: int, line: str, found: re.Match[str]) -> None:
        if len(line) > _LONGEST:
            return
        rest = line[found.end() :]
        running = _RUNNING.match(rest)
        verdict = None if running else _VERDICT.match(rest)
        index = integer(found[1])
        if running is not None:
            self._at(index, running[1], found[2]).open[index] = (running[1], number)
        elif verdict is not None:
            name, word, spent, detail = verdict.groups()
            status = _WORDS[word]
            killed = (detail or "").startswith(("killed by signal", "(killed by signal"))
            if status is Status.FAILED and killed:
                status = Status.ERROR
            result = TestResult(status, number, line.strip()[:_RAW], decimal(spent))
            self._decide(self._at(index, name, found[2]), index, name, result)

    def _at(self, index: int, name: str, total: str) -> _Run:
        """The run that a line belongs to. A test line behind totals begins another run if the test
        is known; else a test printed the totals."""
        run = self.run
        if run is not None and run.counts and run.total == total:
            whole = bool(run.tests) and not sum(run.counts.values()) % len(run.tests)
            if whole and index in run.tests and run.tests[index][0] == name:
                self._end()
                run = None
            else:
                run.counts = {}
        if run is None or run.total != total:
            self._end()
            run = self.run = _Run(total)
        return run

    def _decide(self, run: _Run, index: int, name: str, result: TestResult) -> None:
        run.open.pop(index, None)
        known = run.tests.get(index)
        if known is not None and known[0] != name:
            self.warnings.append(f"line {result.line}: test {index} has two names")
            for one, each in (known, (name, result)):
                note(run.odd, one, each)
        elif known is None or worse(result.status, known[1].status):
            run.tests[index] = (name, result)

    def _end(self) -> None:
        """The log or another run's first test ends the run."""
        run, self.run = self.run, None
        if run is None:
            return
        self.seen += 1
        results: dict[str, TestResult] = {}
        for name, result in run.tests.values():
            if name not in run.odd:
                note(results, name, result)
        merge(results, totals.without_passes(run.odd))
        for name, number in run.open.values():
            note(results, name, TestResult(Status.ERROR, number, "no verdict: it was running"))
        if not run.counts or run.open:
            self.cut = True
            self.warnings.append("a run has no totals: it was cut off")
        else:
            passed, count = run.counts.get("ok", 0), sum(run.counts.values())
            seen = sum(each.status is Status.PASSED for _, each in run.tests.values())
            if seen - len(run.odd) > passed:
                self.warnings.append(totals.exceeded(run.line, passed, seen))
                results = totals.without_passes(results)
            if count % max(1, len(run.tests)):  # with --repeat a multiple
                self.cut = True
                self.warnings.append(
                    f"line {run.line}: {count} tests counted, {len(run.tests)} seen"
                )
        merge(self.results, results)


FRAMEWORK = Framework(
    name="meson",
    reader=MesonReader,
    names="as in meson-logs/testlog.json: adds, or project:suite / adds",
    signs=r" *\d{1,9}/\d{1,9} \S.{0,400} (?:" + "|".join(_WORDS) + r") +\d+\.\d+ ?s(?: |$)",
    begins=r" \d",
    languages=("c", "cpp"),
    hosts=(
        "pass-fail",
        "tap",
        "gtest",
        "catch2",
        "doctest",
        "boost",
        "check",
        "cmocka",
        "cppunit",
        "pytest",
        "unittest",
    ),
)
