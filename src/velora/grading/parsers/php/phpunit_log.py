"""Reads what PHPUnit 8 to 12 prints: dots, `--testdox`, `--debug`, `--teamcity`.

After the tests come `Time: ...`, blocks that name defects (with `--verbose` or `--display-...` the
skipped ones too) and the totals. Dots alone name no passed test. `--debug` and `--teamcity`
announce each test as it begins; what looks like another test before its end was printed by it.
Testdox of PHPUnit 10 and later stands after `Time: ...`, where no test prints any more; before, it
is mixed with output, so more lines than the totals count leave no pass.

`--debug` of PHPUnit 9 shows that a test ended and not how, so its passes are believed only if the
blocks name all others.

A risky test and one with warnings passed: PHPUnit's exit status says so too, unless it is told
otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.php import phpunit_lines as grammar
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_BEGIN = re.compile(r"PHPUnit (\d+)\.\S+ by Sebastian Bergmann|PHPUnit Started \(PHPUnit (\d+)\.")
_LATE_TESTDOX = 10  # the first version whose testdox comes after all tests
_EVENTS = {
    "Passed": Status.PASSED,
    "Failed": Status.FAILED,
    "Errored": Status.ERROR,
    "Skipped": Status.SKIPPED,
    "Marked Incomplete": Status.SKIPPED,
}
_BAD = (Status.FAILED, Status.ERROR)
_RAW = 500  # characters of a line kept as evidence


@dataclass(slots=True)
class _Run:
    """What is known of a run.

    Attributes:
        over: `Time: ...` was seen.
        unsure: PHPUnit 9's `--debug`, which does not say how tests end.
        tests: by events.
        running: the test that began, and the line.
        suites: classes of TeamCity's suites.
        dox: testdox's lines, and how many there are.
        defects: what blocks name, and how many entries of each status.
    """

    version: int = 0
    over: bool = False
    unsure: bool = False
    tests: dict[str, TestResult] = field(default_factory=dict)
    running: str = ""
    line: int = 0
    suites: list[str] = field(default_factory=list)
    heading: str = ""
    dox: dict[str, TestResult] = field(default_factory=dict)
    lines: int = 0
    block: Status | None = None
    entries: int = 0
    risky: set[str] = field(default_factory=set)
    defects: dict[str, TestResult] = field(default_factory=dict)
    counts: Counter[Status] = field(default_factory=Counter)
    first: str = ""  # which came first, a line of testdox or an event

    def dox_fits(self, total: int) -> bool:
        """Testdox is the form of this log, and not printed by a test of a log with events."""
        if not self.dox or not self.tests:
            return bool(self.dox)
        if (self.lines == total) != (len(self.tests) == total):
            return self.lines == total
        return self.first == "dox"

    def overruled(self) -> dict[str, TestResult]:
        """The tests as events and blocks tell of them; the blocks know better."""
        tests = self.tests
        for name in self.risky & (tests.keys() - self.defects.keys()):
            tests[name] = TestResult(Status.PASSED, tests[name].line, tests[name].raw)
        return tests | self.defects


class PhpunitReader:
    """All runs of a log; `complete` if the last one came to its end."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = _Run()
        self.blank = False
        self.begun = self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        blank, self.blank = self.blank, not line
        if not line:
            return
        first = line[0]
        run = self.run
        if first == " ":
            if line[1:2] in grammar.SYMBOLS and run.over == (run.version >= _LATE_TESTDOX):
                self._testdox(number, line)
            return
        if "##teamcity[" in line:
            self._teamcity(number, line)
        elif first == "P" and (begin := _BEGIN.match(line)) is not None and not run.running:
            self._begin(integer(begin[1] or begin[2]))
        elif run.over:
            self._after(number, line, first)
        elif first == "T" and line.startswith("Time: "):
            run.over = not run.running
        elif "Test " in line:
            self._debug(number, line)
        elif line.startswith("PHPUnit Finished (Shell Exit Code:") and not run.running:
            self._close(number, None)
        if blank:
            run.heading = line

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.begun:
            self._cut()
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _begin(self, version: int) -> None:
        if self.begun:
            self._cut()
        self.run, self.begun, self.complete = _Run(version), True, False

    def _testdox(self, number: int, line: str) -> None:
        found = grammar.testdox(line)
        run = self.run
        if found is None or not run.heading or run.heading.startswith("Summary of non-"):
            return
        text, status = found
        run.lines += 1
        run.first = run.first or "dox"
        name = f"{grammar.header(run.heading)} > {text}"
        note(run.dox, name, TestResult(status, number, line[:_RAW]))

    def _debug(self, number: int, line: str) -> None:
        run = self.run
        if line.endswith("'") or line.endswith(("started", "ended")):
            found = grammar.debug(line)
            if found is None:
                return
            what, name = found
            if what == "started" and not run.running:
                run.running, run.line, run.unsure = name, number, True
                run.first = run.first or "event"
            elif what == "ended" and name == run.running:
                run.running = ""
                note(run.tests, name, TestResult(Status.PASSED, number, line[:_RAW]))
            return
        event = grammar.event(line) if line.endswith(")") else None
        if event is None or (run.running and run.running != event[1]):
            return
        what, name = event
        if what == "Preparation Started":
            run.running, run.line = name, number
            run.first = run.first or "event"
            return
        if what in _EVENTS and (run.running or what in ("Skipped", "Errored")):
            note(run.tests, name, TestResult(_EVENTS[what], number, line[-_RAW:]))
        if what in ("Finished", "Errored", "Skipped"):
            run.running = ""

    def _teamcity(self, number: int, line: str) -> None:
        found = grammar.teamcity(line)
        if found is None:
            return
        what, local, place, milliseconds = found
        run = self.run
        if what in ("testSuiteStarted", "testSuiteFinished"):
            if not run.running:
                self._suite(what, place)
            return
        suite = run.suites[-1] if run.suites else ""
        name = f"{suite}::{local}"
        if not suite or (run.running and run.running != name):
            return  # printed by a test
        if what == "testStarted":
            run.running, run.line = name, number
            run.first = run.first or "event"
        elif what == "testFailed":
            note(run.tests, name, TestResult(Status.FAILED, number, line[:_RAW]))
        elif what == "testIgnored":
            note(run.tests, name, TestResult(Status.SKIPPED, number, line[:_RAW]))
        elif what == "testFinished" and run.running:
            run.running = ""
            seconds = milliseconds / 1000 if milliseconds is not None else None
            note(run.tests, name, TestResult(Status.PASSED, number, line[:_RAW], seconds))

    def _suite(self, what: str, place: str) -> None:
        if what == "testSuiteStarted":
            _, _, qualified = place.partition("::\\")
            self.run.suites.append(qualified.partition("::")[0])
        elif self.run.suites:
            self.run.suites.pop()

    def _after(self, number: int, line: str, first: str) -> None:
        """Below `Time: ...`: blocks and totals."""
        run = self.run
        if first in {"T", "O"}:
            if (block := grammar.block(line)) is not None:
                run.block, run.entries = block[1], 0
                run.heading = ""
            elif (totals := grammar.totals(line)) is not None:
                self._close(number, totals)
        elif first.isdigit() and run.block is not None:
            entry = grammar.entry(line)
            if entry is None or entry[0] != run.entries + 1:
                return
            run.entries += 1
            run.counts[run.block] += 1
            if run.block is Status.PASSED:
                run.risky.add(entry[1])
            else:
                note(run.defects, entry[1], TestResult(run.block, number, line[:_RAW]))
        elif line == "--":
            run.block = None

    def _close(self, number: int, totals: tuple[int, dict[str, int]] | None) -> None:
        run, self.run, self.begun, self.complete = self.run, _Run(), False, True
        if totals is None:
            self._take(run.overruled(), passes=True)
            return
        total, counts = totals
        dox = run.dox if run.dox_fits(total) else {}
        results = dox or run.overruled()
        shown = run.lines if dox else len(results)
        skipped = counts.get("Skipped", 0) + counts.get("Incomplete", 0)
        hidden = run.unsure and not dox and skipped != run.counts[Status.SKIPPED]
        if shown > total:
            self.warnings.append(f"line {number}: {total} tests counted, {shown} shown")
        elif hidden:
            self.warnings.append(
                f"line {number}: {skipped} tests were skipped and are not named, so no pass is "
                "believed; --verbose names them"
            )
        bad = sum(result.status in _BAD for result in results.values())
        counted = counts.get("Errors", 0) + counts.get("Failures", 0)
        if bad < counted:
            self.warnings.append(f"line {number}: {counted} defects counted, {bad} named")
        self._take(results, passes=not hidden and shown <= total)

    def _cut(self) -> None:
        """The run has no end."""
        run = self.run
        self.complete = False
        self.warnings.append("the last run has no totals: it was cut off")
        dox = run.dox if run.first == "dox" else {}
        self._take(dox or run.tests | run.defects, passes=not run.unsure or bool(dox))
        if run.running and not dox:
            note(self.results, run.running, TestResult(Status.ERROR, run.line, "it did not end"))

    def _take(self, results: dict[str, TestResult], *, passes: bool) -> None:
        for name, result in results.items():
            if passes or result.status is not Status.PASSED:
                note(self.results, name, result)


FRAMEWORK = Framework(
    name="phpunit",
    reader=PhpunitReader,
    names=(
        '`Ns\\Class::testX`, `Ns\\Class::testX with data set "a"`; of testdox `Ns\\Class > text`, '
        "as it is printed"
    ),
    signs=r"PHPUnit \d+\.\S+ by Sebastian Bergmann|PHPUnit Started \(PHPUnit \d",
    begins="P",
    languages=("php",),
)
