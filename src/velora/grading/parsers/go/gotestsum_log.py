"""Reads what gotestsum prints, in its formats that name tests.

`testname` has a row for each test. The `standard-` formats are go's own text, which `gotest`
reads. Others (`dots`, `pkgname`) name only the failed and skipped tests, in the summary before the
`DONE` line, whose totals check what was read. What a failed test printed stands between the
announcement of that test and its row, and is not read.

With `--rerun-fails` each further run follows a `DONE` line: its verdicts replace earlier ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.go.gotest_log import GotestReader
from velora.grading.parsers.go.package_tests import STATUSES
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_NAME = r"(?P<test>(?:Test|Example|Fuzz|Benchmark)\S*)"
_END = r"(?: \(re-run \d+\))? \((?P<seconds>-?\d+\.\d+s|unknown)\)$"
_ROW = re.compile(r"(?P<word>PASS|FAIL|SKIP) (?:(?P<package>\S*?)\.)?" + _NAME + _END)
_ENTRY = re.compile(r"=== (?P<word>FAIL|SKIP): (?P<package>\S+) " + _NAME + _END)
_WHOLE = re.compile(r"=== FAIL: (\S+)  \(")
_DONE = re.compile(
    r"DONE (?:\d+ runs, )?(\d+) tests?(?:, (\d+) skipped)?(?:, (\d+) failures?)?"
    r"(?:, \d+ errors?)? in [\d.]+s$"
)
_HEADINGS = ("=== Skipped", "=== Failed", "=== Errors")
_BAD = (Status.FAILED, Status.ERROR)
_RAW = 500  # characters of a line kept as evidence


@dataclass(slots=True)
class _Run:
    """What is known of a run until its `DONE` line.

    Attributes:
        rows: of the format `testname`.
        entries: of the summary.
        shown: the test whose output is shown, by its bare name.
        entry: the same in the summary, by its full name.
        failed: the failure that was told last, by its full name.
        panic: the line of a panic within what is shown; `panicked` once its stack follows.
        wholes: packages that failed without a test.
        ended: the failures that a panic ended.
    """

    text: GotestReader = field(default_factory=GotestReader)
    rows: dict[str, TestResult] = field(default_factory=dict)
    entries: dict[str, TestResult] = field(default_factory=dict)
    summary: bool = False
    shown: str = ""
    entry: str = ""
    failed: str = ""
    wholes: int = 0
    panic: int = 0
    panicked: bool = False
    ended: set[str] = field(default_factory=set)

    @property
    def empty(self) -> bool:
        """Nothing was told of any test."""
        return not (self.rows or self.entries or self.text.results or not self.text.package.empty)

    def results(self) -> dict[str, TestResult]:
        """The run is over."""
        if self.rows:
            results = dict(self.rows)
            for name, entry in self.entries.items():
                if entry.status is Status.SKIPPED:
                    results.setdefault(name, entry)  # some versions have no rows for them
        else:
            results = dict(self.text.finish().results or self.entries)
        for panicked in self.ended:
            for name, result in results.items():
                if result.status is Status.FAILED and _within(panicked, name):
                    results[name] = result._replace(status=Status.ERROR)
        return results

    def end_by_panic(self, name: str) -> None:
        """A panic stands in what `name` printed: it ended that test or its last sub-test."""
        self.ended.add(name)
        if _within(self.failed, name):
            self.ended.add(self.failed)


class GotestsumReader:
    """All runs of a log; `complete` if the last one has its `DONE` line."""

    def __init__(self) -> None:
        self.tests: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.counts = dict.fromkeys(STATUSES.values(), 0)
        self.runs = 0
        self.run = _Run()

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        run = self.run
        first = line[:1]
        if first == "D" and (done := _DONE.match(line)) is not None:
            self._done(number, done)
            return
        if first == "=" and line in _HEADINGS:
            run.summary = True
        elif first == "p" and line.startswith("panic: "):
            run.panic = number
        elif first == "g" and 0 < run.panic >= number - 4 and line.startswith("goroutine "):
            run.panicked = True
            if run.entry:
                run.end_by_panic(run.entry)
        if run.summary:
            if first == "=" and (entry := _ENTRY.match(line)) is not None:
                run.failed, run.panic = run.entry, 0
                run.entry = _note(run.entries, entry, number, line)
            elif first == "=" and (whole := _WHOLE.match(line)) is not None:
                run.wholes += 1
                self.warnings.append(f"line {number}: {whole[1]} failed as a whole")
            return
        if first == "=" and line.startswith("=== RUN   ") and not run.shown:
            run.shown, run.panic, run.panicked = line[10:], 0, False
        elif (first in {"P", "F", "S"}) and line.endswith(")"):
            row = _ROW.match(line)
            if row is not None and run.shown in ("", row["test"]):
                self._row(number, line, row)
        run.text.feed(number, line)

    def finish(self) -> Parsed:
        """The end of the log."""
        complete = self.runs > 0 and self.run.empty
        if not self.run.empty:
            self.warnings.append("the last run has no DONE line: it was cut off")
            self._merge()
        return Parsed(self.tests, complete, tuple(self.warnings))

    def _row(self, number: int, line: str, found: re.Match[str]) -> None:
        run = self.run
        name = _note(run.rows, found, number, line)
        self.counts[STATUSES[found["word"]]] += 1
        if found["word"] == "FAIL":
            if run.shown and run.panicked:
                run.end_by_panic(name)
            run.failed = name
        run.shown, run.panicked = "", False

    def _done(self, number: int, found: re.Match[str]) -> None:
        total, skipped, failed = (integer(each or "0") for each in found.groups())
        rows, entries = self.run.rows, self.run.entries
        counts = self.counts
        hidden = sum(each.status is Status.SKIPPED for n, each in entries.items() if n not in rows)
        counts[Status.SKIPPED] += hidden if rows else 0
        read = (
            sum(counts.values()),
            counts[Status.SKIPPED],
            counts[Status.FAILED] + self.run.wholes,
        )
        if rows and read != (total, skipped, failed):
            self.warnings.append(
                f"line {number}: {total} tests, {skipped} skipped, {failed} failures counted, "
                f"{read[0]}, {read[1]}, {read[2]} shown"
            )
        self._merge()
        self.runs += 1
        if self.runs == 1:
            for name, entry in entries.items():
                shown = self.tests.get(name)
                if entry.status in _BAD and shown and shown.status not in _BAD:
                    self.warnings.append(f"line {entry.line}: {name} failed, not as shown before")
                    self.tests[name] = entry

    def _merge(self) -> None:
        """A run is over."""
        run, self.run = self.run, _Run()
        results = run.results()
        self.warnings += run.text.warnings if not run.rows else ()
        if self.runs and not run.rows and not run.text.results:
            return  # its summary repeats all failures, also of tests that passed at last
        for name, result in results.items():
            earlier = self.tests.get(name)
            if self.runs and earlier is not None:
                flaky = earlier.status in _BAD and result.status not in _BAD
                self.tests[name] = result._replace(flaky=flaky or earlier.flaky)
            else:
                note(self.tests, name, result)


def _note(results: dict[str, TestResult], found: re.Match[str], number: int, line: str) -> str:
    """Put a row's or an entry's result under its name, which is returned."""
    package, test, seconds = found["package"] or "", found["test"], found["seconds"]
    name = test if package in ("", ".") else f"{package}/{test}"
    known = seconds != "unknown" and not seconds.startswith("-")
    status = STATUSES[found["word"]]
    if not known and status is Status.FAILED:
        status = Status.ERROR  # it had no end
    duration = decimal(seconds[:-1]) if known else None
    note(results, name, TestResult(status, number, line[:_RAW], duration))
    return name


def _within(name: str, test: str) -> bool:
    return name == test or name.startswith(test + "/")


FRAMEWORK = Framework(
    name="gotestsum",
    reader=GotestsumReader,
    names="`package/TestName/sub_test`, the package's path within the module, as it is shown",
    signs=(
        r"DONE (?:\d+ runs, )?\d+ tests?(?:, | in )|=== (?:FAIL|SKIP): \S+ (?:Test|Example|Fuzz)"
        r"|(?:PASS|FAIL|SKIP) (?:\S+\.)?(?:Test|Example|Fuzz)\S* \(-?\d+\.\d+s\)$"
    ),
    begins="D=PFS",
    languages=("go",),
    hosts=("gotest", "gotest-json"),
)
