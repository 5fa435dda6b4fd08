"""Reads the plain and brief formatters of Ant's `junit` and `junitlauncher` tasks.

Each class has a block: its name (`Testsuite: C`), its counts, what it printed, and rows, in the
plain format of all its tests and in the brief one of those that did not pass:

    Testcase: testWrong took 0.001 sec          Testcase: testWrong(com.acme.C):    FAILED
            FAILED

What was printed stands between lines of dashes, or before the counts are repeated; rows there are
none. A pass is believed only if the block has as many rows as its counts say. In the plain format
rows have no class of their own; see `surefire_log` for what that means for nested classes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.jvm import surefire_lines
from velora.grading.parsers.jvm.surefire_lines import Counts, Row
from velora.grading.parsers.tally import note
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_PREFIX = re.compile(r" *\[(?:junit|junitlauncher)\] ?")
_PLAIN = re.compile(r" took (?P<seconds>[\d.,]+) ?(?:sec|milli sec\(s\))$")
_BRIEF = re.compile(r":\t?(?P<word>FAILED|Caused an ERROR|SKIPPED\b.*)$")
_PRINTED = (
    "------------- Standard Output ---------------",
    "------------- Standard Error -----------------",
    "Output:",
)
_PRINTED_END = "------------- ---------------- ---------------"
_VERDICTS = (
    ("\tFAILED", Status.FAILED),
    ("\tCaused an ERROR", Status.ERROR),
    ("\tSKIPPED", Status.SKIPPED),
)
_BAD = (Status.FAILED, Status.ERROR)


@dataclass(slots=True)
class _Suite:
    """The block of a class. `last` has its verdict in the next line, if it has one."""

    name: str
    line: int
    counts: Counts | None = None
    rows: list[tuple[Row, TestResult]] = field(default_factory=list)
    head: str = ""  # the line with the counts
    printed: bool = False  # what follows was printed by the tests
    undecided: bool = False
    wants_class: bool = False

    def add(self, row: Row, number: int, line: str) -> None:
        """Another row; a failed assumption is listed once more."""
        if self.rows:
            last = self.rows[-1][0]
            if last.status is Status.SKIPPED and last.test == row.test:
                return
        self.rows.append((row, TestResult(row.status, number, line[:_RAW], row.duration)))

    def decide(self, status: Status) -> None:
        """The last row's verdict."""
        row, result = self.rows[-1]
        self.rows[-1] = (
            Row(row.test, row.suite, status, row.duration),
            TestResult(status, result.line, result.raw, row.duration),
        )


class AntReader:
    """All blocks of a log; `complete` if Ant came to its end and no block is without counts."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.suite: _Suite | None = None
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "[junit" in line and (prefix := _PREFIX.match(line)):
            line = line[prefix.end() :]
        suite = self.suite
        if suite is not None and suite.printed:
            suite.printed = line not in (_PRINTED_END, suite.head)
            return
        first = line[:1]
        if first == "T":
            if line.startswith("Testcase: "):
                self._row(number, line)
            elif line.startswith("Testsuite: "):
                self._open(number, line)
            elif line.startswith("Tests run: "):
                self._counts(line)
            return
        if suite is None:
            return
        if first == "\t":
            if suite.undecided:
                for text, status in _VERDICTS:
                    if line.startswith(text):
                        suite.decide(status)
                        suite.wants_class = status in _BAD
                        break
            elif suite.wants_class:
                self._frame(suite, line)
        elif first == "B" and line.startswith(("BUILD SUCCESSFUL", "BUILD FAILED")):
            self._close()
            self.complete = True
        elif line in _PRINTED and suite.counts is not None:
            suite.printed = True
        suite.undecided = False

    def finish(self) -> Parsed:
        """The end of the log."""
        self._close()
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _open(self, number: int, line: str) -> None:
        name = line[len("Testsuite: ") :].strip()
        if not name:
            return
        suite = self.suite
        if suite is not None and suite.name == name and suite.counts is None:
            return  # announced again, with its counts, after its process died
        self._close()
        self.suite = _Suite(name, number)
        self.complete = False

    def _counts(self, line: str) -> None:
        suite = self.suite
        if suite is not None and suite.counts is None:
            counts = surefire_lines.counts(line)
            suite.counts = counts if counts is not None and counts.timed else None
            suite.head = line

    def _row(self, number: int, line: str) -> None:
        suite = self.suite
        if suite is None or suite.counts is None:
            return
        text = line[len("Testcase: ") :]
        suite.undecided = suite.wants_class = False
        plain = _PLAIN.search(text, max(0, len(text) - 60))
        if plain:
            name = text[: plain.start()]
            owner = name if name == suite.name else ""
            seconds = surefire_lines.seconds(plain["seconds"])
            if seconds is not None and plain[0].endswith("milli sec(s)"):
                seconds /= 1000
            suite.add(Row("" if owner else name, owner, Status.PASSED, seconds), number, line)
            suite.undecided = True
            return
        brief = _BRIEF.search(text)
        if brief is None:
            return
        test, owner = surefire_lines.split(text[: brief.start()], suite.name)
        word = brief["word"]
        status = Status.SKIPPED
        if not word.startswith("SKIPPED"):
            status = Status.FAILED if word == "FAILED" else Status.ERROR
        suite.add(Row(test, owner, status), number, line)

    def _frame(self, suite: _Suite, line: str) -> None:
        row, result = suite.rows[-1]
        owner = surefire_lines.frame(line, row, suite.name)
        if owner:
            suite.rows[-1] = (Row(row.test, owner, row.status, row.duration), result)
            suite.wants_class = False

    def _close(self) -> None:
        suite, self.suite = self.suite, None
        if suite is None:
            return
        if suite.counts is None:
            why = "its process died, or the log was cut off, before its results"
            note(self.results, suite.name, TestResult(Status.ERROR, suite.line, why))
            self.warnings.append(f"line {suite.line}: class {suite.name} has no results")
            return
        kinds = Counter(row.status for row, _ in suite.rows)
        counts = suite.counts
        bad = counts.failures + counts.errors
        if kinds[Status.FAILED] + kinds[Status.ERROR] != bad:
            self.warnings.append(
                f"line {suite.line}: {counts.failures} failures and {counts.errors} errors counted "
                f"in {suite.name}, {kinds[Status.FAILED] + kinds[Status.ERROR]} listed"
            )
        passed = max(0, counts.run - bad - counts.skipped)
        sound = {
            Status.PASSED: kinds[Status.PASSED] == passed,
            Status.SKIPPED: kinds[Status.SKIPPED] == counts.skipped,
        }
        if kinds[Status.PASSED] and not sound[Status.PASSED]:
            self.warnings.append(
                f"line {suite.line}: {counts.run} tests counted in {suite.name}, "
                f"{len(suite.rows)} listed: its passes are not believed"
            )
        listed = Counter(row.test for row, _ in suite.rows)
        nested = any(row.suite.startswith(suite.name + "$") for row, _ in suite.rows)
        for row, result in suite.rows:
            name = row.name if row.suite else f"{suite.name}.{row.test}"
            known = row.suite or (listed[row.test] == 1 and not nested)
            if row.status in _BAD or (sound[row.status] and known):
                note(self.results, name, result)


FRAMEWORK = Framework(
    name="ant-junit",
    reader=AntReader,
    names="`com.acme.CalcTest.testAdd`; a class whose set-up or process failed has its own name",
    signs=r"(?: *\[junit(?:launcher)?\] ?)?Testsuite: [\w.$]+$",
    begins=r" \[T",
    languages=("java",),
)
