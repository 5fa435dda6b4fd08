"""Reads CTest's output (3.10 to 4): the default, `-V`, `--output-on-failure`, `-j`.

Each test is announced (`Start 2: name`), which tells where its name ends, and gets one verdict
(` 2/22 Test #2: name ....***Failed    0.01 sec`). With `-V` the tests' own lines have a number in
front; with `--output-on-failure` those of failed tests have not, and may look like CTest's. So a
verdict is believed only for a test that is announced and has none yet, the list of failures behind
the totals outweighs it, and the totals must count as many tests as were seen. A test that CTest
itself runs again (`--repeat until-pass`) ends as its last run did.

Crashes, timeouts and tests that could not be run are ERROR; `Disabled` and `Skipped` are SKIPPED.
Names are the tests' own. What the tests print is for the parsers of their frameworks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import ctest_lines as grammar
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import merge, note, worse
from velora.grading.protocol import Parsed, Status, TestResult

_PROJECT = "Test project "
_FAILED = "The following tests FAILED:"
_NONE = "No tests were found!!!"
_RAW = 500


@dataclass(slots=True)
class _Run:
    """One invocation of CTest."""

    names: dict[int, str] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)  # the line that announced it
    results: dict[str, TestResult] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)  # tests whose verdict was one of the count's
    disabled: int = 0
    totals: tuple[int, int, int] | None = None  # the line, how many failed, out of how many
    listing: bool = False
    empty: bool = False


class CtestReader:
    """All runs of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run: _Run | None = None
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == " " or first.isdigit():
            if "Test " in line and " sec" in line:
                self._verdict(number, line)
            elif first == " ":
                if "Start " in line and (found := grammar.start(line)):
                    self._start(number, *found)
            elif "% tests passed" in line and (count := grammar.totals(line)):
                self._run().totals = (number, *count)
        elif first == "\t":
            if self.run is not None and self.run.listing:
                self._listed(number, line)
        elif first == "T":
            if line.startswith(_PROJECT):
                self._end()
                self.run = _Run()
            elif line.startswith("The following tests "):
                self._run().listing = line == _FAILED
        elif first == "N" and line.startswith(_NONE):
            self._run().empty = True

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _run(self) -> _Run:
        if self.run is None:
            self.run = _Run()
        return self.run

    def _start(self, number: int, index: int, name: str) -> None:
        run = self._run()
        if run.names.setdefault(index, name) == name:
            run.open[index] = number

    def _verdict(self, number: int, line: str) -> None:
        run = self.run
        found = grammar.verdict(line, run.names) if run else None
        if run is None or found is None or found.index not in run.open:
            return
        index = found.index
        del run.open[index]
        name = run.names[index]
        known = run.results.get(name)
        again = found.count is None and index in run.counted
        flaky = again and found.status is Status.PASSED
        result = TestResult(found.status, number, line[:_RAW].strip(), found.duration, flaky=flaky)
        if known is not None and not again and not worse(found.status, known.status):
            pass
        else:
            run.results[name] = result
        if found.count is not None:
            run.counted.add(index)
        run.disabled += "***Not Run (Disabled)" in line

    def _listed(self, number: int, line: str) -> None:
        """A line of the list of failures."""
        found = grammar.listed(line)
        if found is None or self.run is None:
            return
        index, name, status = found
        name = self.run.names.get(index, name)
        known = self.run.results.get(name)
        if known is not None and known.status is Status.PASSED:
            self.warnings.append(f"line {number}: {name} passed and is listed as failed")
        if known is None or known.status not in (Status.FAILED, Status.ERROR):
            self.run.results[name] = TestResult(status, number, line[:_RAW].strip())

    def _end(self) -> None:
        """The log or another run's first line ends the run."""
        run = self.run
        if run is None:
            return
        self.run = None
        self.seen += 1
        for index, number in run.open.items():
            result = TestResult(Status.ERROR, number, "no verdict: the run was cut off")
            note(run.results, run.names[index], result)
        if run.open or (run.totals is None and not run.empty):
            self.cut = True
            self.warnings.append("a run has no totals: it was cut off")
        elif run.totals is not None:
            self._check(run, *run.totals)
            if len(run.results) - run.disabled > run.totals[2]:  # some were printed by tests
                run.results = totals.without_passes(run.results)
        merge(self.results, run.results)

    def _check(self, run: _Run, line: int, failed: int, total: int) -> None:
        seen = len(run.results) - run.disabled
        bad = sum(each.status in (Status.FAILED, Status.ERROR) for each in run.results.values())
        if run.names and seen != total:
            self.cut = True
            self.warnings.append(f"line {line}: {total} tests counted, {seen} were seen")
        if bad != failed:
            self.warnings.append(f"line {line}: {failed} failures counted, {bad} were seen")


FRAMEWORK = Framework(
    name="ctest",
    reader=CtestReader,
    names="the test's own name: suite.nested/adds",
    signs=(
        r"Test project (?:/|[A-Za-z]:)"
        r"|\d+% tests passed, \d+ tests? failed out of \d+"
        r"| *\d+/\d+ Test +#\d+: "
    ),
    begins=r" \dT",
    languages=("cpp", "c"),
    hosts=(
        "gtest",
        "catch2",
        "doctest",
        "boost",
        "check",
        "cmocka",
        "unity",
        "cppunit",
        "pass-fail",
        "tap",
        "junit-xml",
        "pytest",
        "unittest",
    ),
)
