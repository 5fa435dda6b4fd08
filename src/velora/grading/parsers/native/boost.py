"""Reads Boost.Test's log and report (1.50 to 1.83), best with `--log_level=test_suite`.

At that level each suite and case is entered and left, one at a time: between the two only the
open case's own `Leaving` is believed, and it passes if no line of error names it. A pass stands
once the runner goes on: a test may print its own end and then crash. Errors carry the full path
(`error: in "suite/case": ...`). At the default level only failures have names. A detailed report
(`--report_level=detailed`) names all; it calls a case that a crash kept from running passed too,
so behind a crash a pass without assertions is not believed.

An expected failure looks like any other in the log; only where the closing line says that all
were expected, or a report names the case, it is XFAIL. Signals and memory errors are ERROR.
Names are the paths, `suite/case`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import boost_report, totals
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RUNNING = re.compile(r"Running (\d{1,9}) test cases?\.\.\.\Z")
_MOVE = re.compile(r"(Entering|Leaving) test (module|suite|case) \"")
_LEFT = re.compile(r"(.*?)\"(?:; testing time: (\d{1,9})(us|mks|ms))?\Z")
_SKIPPED = re.compile(r"Test (case|suite) \"([^\"]+)\" ?is skipped because ")
_ERROR = re.compile(r": (fatal )?error: in \"")
_CRASH = re.compile(
    r"memory access violation|signal: |child has (?:exited|been killed)|timeout while executing"
    r"|unrecognized signal|application abort requested"
)
_CLOSE = re.compile(
    r"\*\*\* (?:No errors detected|[Ee]rrors were detected in|The test module .{0,500} was|"
    r"(\d{1,9}) failures? (?:is|are) detected"
    r"(?: \((\d{1,9}) failures? (?:is|are) expected\))? in)"
)
_A_SECOND = {"us": 1_000_000, "mks": 1_000_000, "ms": 1_000}
_RAW = 500


@dataclass(slots=True)
class _Run:
    """One test module's run."""

    count: int | None = None
    results: dict[str, TestResult] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)  # the suites that are open
    entered: int = 0
    open: str = ""  # the case that is running
    line: int = 0
    last: str = ""
    certain: bool = True
    crashed: bool = False
    left: bool = False
    closed: bool = False
    closing: tuple[int, int, int] | None = None  # its line, failures, expected failures


class BoostReader:
    """All runs of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run: _Run | None = None
        self.report = boost_report.Report()
        self.seen = 0
        self.cut = False
        self.previous = self.latest = 0  # the last two lines that are not empty

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if not line:
            return
        self.previous, self.latest = self.latest, number
        if self.report.feed(number, line):
            return
        if line[0] == "R" and (found := _RUNNING.match(line)):
            self._end()
            self.run = _Run(integer(found[1]))
        elif line[0] == "*" and (found := _CLOSE.match(line)):
            self._close(number, found)
        elif "ing test " in line and (found := _MOVE.search(line)):
            self._move(number, line, found[1] == "Entering", found[2], line[found.end() :])
        elif "error: in " in line and (found := _ERROR.search(line)):
            self._error(number, line, line[found.end() :])
        elif "skipped because" in line and (found := _SKIPPED.search(line)):
            self._skip(number, line, found[1], found[2])

    def finish(self) -> Parsed:
        """The end of the log."""
        self.previous = self.latest
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _move(self, number: int, line: str, entering: bool, kind: str, rest: str) -> None:
        """A suite or a case is entered or left."""
        if self.run is None:
            self.run = _Run()
        run = self.run
        found = _LEFT.match(rest)
        if found is None or (run.open and (entering or kind != "case")):
            return
        name = found[1]
        if kind == "case":
            full = "/".join((*run.path, name))
            if entering:
                run.open, run.line, run.certain = full, number, True
                run.entered += 1
            elif full == run.open:
                run.open, run.last, run.certain = "", full, False
                spent = integer(found[2]) / _A_SECOND[found[3]] if found[2] else None
                known = run.results.get(full)
                if known is None:
                    run.results[full] = TestResult(Status.PASSED, number, line[-_RAW:], spent)
                else:
                    run.results[full] = TestResult(known.status, known.line, known.raw, spent)
            return
        run.certain = True
        if kind == "suite" and entering:
            run.path.append(name)
        elif kind == "suite" and run.path and run.path[-1] == name:
            run.path.pop()
        elif kind == "module" and not entering and not run.path:
            run.closed = run.left = True

    def _error(self, number: int, line: str, rest: str) -> None:
        name, quote, text = rest.partition('": ')
        if not quote or not name:
            return
        if self.run is None:
            self.run = _Run()
        run = self.run
        if run.open and name != run.open:
            return  # printed by a test
        crashed = _CRASH.search(text[:300]) is not None
        run.crashed = run.crashed or crashed
        status = Status.ERROR if crashed else Status.FAILED
        note(run.results, name, TestResult(status, number, line[-_RAW:]))

    def _skip(self, number: int, line: str, kind: str, name: str) -> None:
        run = self.run
        if run is None or run.open or kind != "case":
            return
        full = name if "/" in name else "/".join((*run.path, name))
        note(run.results, full, TestResult(Status.SKIPPED, number, line[-_RAW:]))

    def _close(self, number: int, found: re.Match[str]) -> None:
        """The closing line. A test may print one too: the last counts."""
        run = self.run
        if run is not None and not run.open:
            run.closed = run.certain = True
            run.closing = (number, integer(found[1] or "0"), integer(found[2] or "0"))

    def _expect(self, run: _Run, number: int, failures: int, expected: int) -> None:
        """How many assertions failed, and how many were to. Nothing follows the runner's own line,
        but much what a test prints."""
        bad = [n for n, each in run.results.items() if each.status is Status.FAILED]
        last = number == self.previous
        if not failures and bad and (last or run.left):
            for name in bad:
                known = run.results[name]
                xfail = TestResult(Status.XFAIL, known.line, known.raw, known.duration)
                run.results[name] = xfail
        elif expected and bad:
            self.warnings.append(
                f"line {number}: {expected} failures were expected; the log does not show which"
            )
        elif not failures and bad:
            self.warnings.append(f"line {number}: no errors counted, but some were seen")

    def _end(self) -> None:
        """The log or another module's first line ends the run."""
        run = self.run
        report, self.report = self.report, boost_report.Report()
        if run is None:
            run = _Run(closed=True) if report.results else None
        if run is None:
            return
        self.seen += 1
        if report.results:
            run.closed = True
            self._compare(run, report)
        elif run.closing:
            self._expect(run, *run.closing)
        elif not run.closed:
            self.cut = True
            self.warnings.append("a run has no closing line: it was cut off")
            name = run.open or ("" if run.certain else run.last)
            if name:
                raw = "the run was cut off in this test case"
                note(run.results, name, TestResult(Status.ERROR, run.line, raw))
        skipped = sum(each.status is Status.SKIPPED for each in run.results.values())
        known = run.entered + skipped
        if run.closed and run.entered and run.count and known < run.count and not run.crashed:
            self.warnings.append(f"{run.count} test cases were to run, {known} were seen")
        elif run.count and run.entered > run.count:
            self.warnings.append(totals.exceeded(run.line, run.count, run.entered))
            run.results = totals.without_passes(run.results)
        merge(self.results, run.results)
        self.run = None

    def _compare(self, run: _Run, report: boost_report.Report) -> None:
        """A detailed report says of each case what it came to."""
        for name, (result, assertions) in report.results.items():
            known = run.results.get(name)
            if known is None:
                empty = result.status is Status.PASSED and not assertions
                if not empty or not (run.crashed or report.aborted):
                    run.results[name] = result
            elif result.status is Status.XFAIL and known.status is Status.FAILED:
                run.results[name] = result
            else:
                note(run.results, name, result)


FRAMEWORK = Framework(
    name="boost",
    reader=BoostReader,
    names="the path of suites and case: calc/inner/adds",
    signs=(
        r"Running \d+ test cases?\.\.\.$"
        r"|\*\*\* (?:No errors detected|\d+ failures? (?:is|are) detected .{0,60}in the test "
        r"module)"
    ),
    begins="R*",
    languages=("cpp",),
)
