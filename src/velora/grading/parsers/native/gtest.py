"""Reads GoogleTest's console output (1.8 to 1.17).

A run is announced (`[==========] Running 3 tests from 1 test suite.`), so is each test
(`[ RUN      ] Suite.Test`), and tests run one after another. So between a test's announcement and
its verdict only a verdict on that very name is believed, alone on its line or behind output
without a newline; everything else was printed by the test. A verdict stands once the runner goes
on: a test may print its own and then crash. After the closing line (`3 tests from 1 test suite
ran.`, the same number as announced) the runner lists what failed, and that list is believed; where
it counts fewer passes than were seen, none of them is.

Names are `Suite.Test`, `Instance/Suite.Test/0` and `Suite/0.Test`, as `--gtest_output` joins its
`classname` and `name`; a suite whose set-up or tear-down failed is an ERROR under the runner's own
words for it. With `--gtest_brief=1` only failures have names. Output that CTest shows with each
test's number in front (`ctest -V`) is read as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RUN = "[ RUN      ] "
_DISABLED = "[ DISABLED ] "
_VERDICTS = {
    "[       OK ] ": Status.PASSED,
    "[  FAILED  ] ": Status.FAILED,
    "[  SKIPPED ] ": Status.SKIPPED,
}
_MARK = len(_RUN)
_GLUED = re.compile(r"\[(?:       OK |  FAILED  |  SKIPPED )\] ")
_RUNNING = re.compile(r"\[==========\] Running (\d{1,9}) tests? from \d+ test (?:suite|case)s?\.")
_RAN = re.compile(r"\[==========\] (\d{1,9}) tests? from \d+ test (?:suite|case)s? ran\.")
_PASSED = re.compile(r"\[  PASSED  \] (\d{1,9}) tests?\.\Z")
_LISTED = re.compile(r"\[  (?:FAILED  |SKIPPED )\] (\d{1,9}) tests?, listed below:\Z")
_TEST = re.compile(r"[\w/]+\.[\w/]+\Z")
_FIXTURE = re.compile(r"[\w/]+: SetUpTest\w+ or TearDownTest\w+\Z")
_TIME = re.compile(r" \((\d{1,9}) ms\)\Z")
_NUMBERED = re.compile(r"(\d{1,9}): (.*)\Z")
_RAW = 500


@dataclass(slots=True)
class _Run:
    """One run: of one program, or one of `--gtest_repeat`'s."""

    announced: int | None = None
    results: dict[str, TestResult] = field(default_factory=dict)
    open: str = ""  # the test that is running
    line: int = 0
    last: str = ""  # the test whose verdict came last: not certain before the runner goes on
    certain: bool = True
    closed: bool = False


class GtestReader:
    """All runs of one stream of output."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.runs = 0
        self.cut = 0
        self.run = _Run()
        self.numbered: dict[str, GtestReader] = {}

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == "[":
            self._marked(number, line)
        elif self.run.open:
            if "] " in line:
                self._glued(number, line)
        elif first.isdigit() and (found := _NUMBERED.match(line)):
            self.numbered.setdefault(found[1], GtestReader())._unnumbered(number, found[2])

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        readers = [self, *self.numbered.values()]
        for reader in self.numbered.values():
            reader._end()
            merge(self.results, reader.results)
            self.warnings += reader.warnings
        complete = any(each.runs for each in readers) and not any(each.cut for each in readers)
        return Parsed(self.results, complete, tuple(self.warnings))

    def _unnumbered(self, number: int, line: str) -> None:
        if line[:1] == "[":
            self._marked(number, line)
        elif self.run.open and "] " in line:
            self._glued(number, line)

    def _marked(self, number: int, line: str) -> None:
        """A line that begins as the runner's do."""
        run = self.run
        mark = line[:_MARK]
        if mark == _RUN:
            if not run.open and not run.closed and run.announced is not None:
                name = line[_MARK:]
                if _TEST.match(name):
                    run.certain = True
                    run.open, run.line = name, number
        elif mark in _VERDICTS:
            self._verdict(number, line, _VERDICTS[mark], line[_MARK:])
        elif mark == _DISABLED:
            name = line[_MARK:]
            if not run.open and run.announced is not None and _TEST.match(name):
                run.certain = True
                note(run.results, name, TestResult(Status.SKIPPED, number, line[:_RAW]))
        elif mark == "[----------] ":
            run.certain = run.certain or not run.open
        elif mark == "[==========] ":
            self._bounds(number, line)
        elif run.open:
            self._glued(number, line)
        elif mark == "[  PASSED  ] " and run.closed and (found := _PASSED.match(line)):
            self._check(number, integer(found[1]))

    def _verdict(self, number: int, line: str, status: Status, text: str) -> None:
        run = self.run
        if run.closed and run.announced is not None:
            self._list(number, line, status, text)
            return
        name = run.open or run.last
        if run.announced is None:  # brief: failures alone are shown, no lists
            name = text.partition(", where ")[0].partition(" (")[0]
            if status is Status.PASSED or not _TEST.match(name):
                return
            run.closed = False
        elif not name or not _names(text, name):
            return
        found = _TIME.search(line, max(0, len(line) - 40))
        duration = integer(found[1]) / 1000 if found else None
        note(run.results, name, TestResult(status, number, line[:_RAW], duration))
        run.open, run.last = "", name
        run.certain = False

    def _glued(self, number: int, line: str) -> None:
        """Output without a newline, and the running test's verdict behind it."""
        at = line.rfind(f"] {self.run.open}") + 2 - _MARK
        if at > 0 and _GLUED.match(line, at):
            status = _VERDICTS[line[at : at + _MARK]]
            self._verdict(number, line[at:], status, line[at + _MARK :])

    def _bounds(self, number: int, line: str) -> None:
        """The first or the last line of a run."""
        if found := _RUNNING.match(line):
            self._end()
            self.run = _Run(integer(found[1]))
        elif found := _RAN.match(line):
            run = self.run
            count = integer(found[1])
            if run.closed or run.open or run.announced not in (None, count):
                return
            if run.announced is not None:
                run.certain = True
                ran = sum(not result.raw.startswith(_DISABLED) for result in run.results.values())
                if ran != count:
                    self.warnings.append(f"line {number}: {count} tests ran, {ran} were seen")
            run.closed = True

    def _list(self, number: int, line: str, status: Status, text: str) -> None:
        """A line of the lists after the run."""
        results = self.run.results
        name = text.partition(", where ")[0]
        if status is Status.PASSED or _LISTED.match(line):
            return
        if _TEST.match(name):
            known = results.get(name)
            if known is None or known.status is Status.PASSED:
                if known is not None:
                    self.warnings.append(f"line {number}: {name} passed and is listed as {status}")
                note(results, name, TestResult(status, number, line[:_RAW]))
        elif status is Status.FAILED and _FIXTURE.match(name):
            results[name] = TestResult(Status.ERROR, number, line[:_RAW])

    def _check(self, number: int, count: int) -> None:
        run = self.run
        if run.announced is not None:
            passed = totals.passes(run.results)
            if passed > count:
                self.warnings.append(totals.exceeded(number, count, passed))
                run.results = totals.without_passes(run.results)
            elif passed < count:
                self.warnings.append(f"line {number}: {count} tests passed, {passed} were seen")

    def _end(self) -> None:
        """The log or another run's announcement ends the run."""
        run = self.run
        started = run.announced is not None
        if run.closed:
            self.runs += 1
        elif started or run.results:
            self.runs += 1
            self.cut += 1
            self.warnings.append("a run has no closing line: it was cut off")
            if run.open:
                result = TestResult(Status.ERROR, run.line, "no verdict: the run was cut off")
                note(run.results, run.open, result)
            elif started and not run.certain:
                line = run.results[run.last].line
                result = TestResult(Status.ERROR, line, "the run was cut off behind its verdict")
                note(run.results, run.last, result)
        merge(self.results, run.results)
        self.run = _Run()


def _names(text: str, name: str) -> bool:
    """`text` is `name`, alone or with its parameter or its time behind it."""
    if not text.startswith(name):
        return False
    rest = text[len(name) :]
    return not rest or rest.startswith((" (", ", where "))


FRAMEWORK = Framework(
    name="gtest",
    reader=GtestReader,
    names="Suite.Test as in --gtest_output: Calc.Adds, Words/Values.Short/0, Typed/1.Small",
    signs=(
        r"(?:\d+: )?\[==========\] (?:Running )?\d+ tests? from \d+ test"
        r" (?:suite|case)s?(?: ran)?\."
    ),
    begins=r"\d\[",
    languages=("cpp", "c"),
)
