"""Reads what Gradle's test tasks print with `testLogging`: `com.acme.CalcTest > testAdd PASSED`.

Gradle captures what tests print and shows it, if at all, indented below a `STANDARD_OUT` line of
its test; so it does with stack traces. Its own lines begin in the first column after an empty
line, and only those are believed (a carriage return in the output starts a line in the first
column, too). A task with failures ends with its totals, which have to agree with its lines: where
more tests are listed than were run, the task's passes prove nothing. Without `events "passed"`
passes have no names, and none is made up. With `events "started"` a test without an end is an
ERROR.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_ENDS = ("PASSED", "FAILED", "SKIPPED", "STARTED")
_OUTPUT = (" STANDARD_OUT", " STANDARD_ERROR")
_TASK = re.compile(r"(?:> Task )?(:[\w:.\-]+)(?: [A-Z-]+)?$")
_TOTALS = re.compile(
    r"(?P<run>\d{1,9}) tests? completed"
    r"(?:, (?P<failed>\d{1,9}) failed)?(?:, (?P<skipped>\d{1,9}) skipped)?$"
)
_CLASS = re.compile(r"[\w$]+(?:\.[\w$]+)+")
_RUNNER = re.compile(r"Gradle Test Run \S+ > (?:Gradle Test Executor \d+ > )?")
_STATUSES = {"PASSED": Status.PASSED, "FAILED": Status.FAILED, "SKIPPED": Status.SKIPPED}


@dataclass(slots=True)
class _Task:
    """A test task: what it listed, and the tests that have begun."""

    results: dict[str, TestResult] = field(default_factory=dict)
    listed: Counter[Status] = field(default_factory=Counter)
    begun: dict[str, int] = field(default_factory=dict)
    doubted: bool = False


class GradleReader:
    """All tasks of a log; `complete` if the last build came to its end."""

    def __init__(self) -> None:
        self.tasks: dict[str, _Task] = {}
        self.task = ""
        self.warnings: list[str] = []
        self.complete = False
        self.crashed = False
        self.empty = False  # the line before
        self.output = False  # of a test goes on

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first in " \t":
            self.empty = not line
            return
        if self.output and not self.empty:
            return
        self.empty = False
        if line.endswith(_ENDS):
            if first in ":>":
                self._enter(line)
            elif " > " in line:
                self._event(number, line)
        elif line.endswith(_OUTPUT) and " > " in line:
            self.output = True
        elif first in ":>":
            self._enter(line)
            if "finished with non-zero exit value" in line:
                self.crashed = True
        elif first.isdigit():
            self._totals(number, line)
        elif line.startswith("BUILD "):
            self.complete = line.startswith(("BUILD SUCCESSFUL", "BUILD FAILED"))

    def finish(self) -> Parsed:
        """The end of the log."""
        results: dict[str, TestResult] = {}
        for task in self.tasks.values():
            for name, result in task.results.items():
                if result.status is not Status.PASSED or not task.doubted:
                    note(results, name, result)
            merge(
                results,
                {
                    name: TestResult(Status.ERROR, line, "no verdict: the run broke off")
                    for name, line in task.begun.items()
                },
            )
        complete = self.complete and not self.crashed
        if self.crashed:
            self.warnings.append("a test process died")
        return Parsed(results, complete, tuple(self.warnings))

    def _enter(self, line: str) -> None:
        found = _TASK.match(line)
        if found:
            self.task = found[1]
            self.complete = False

    def _event(self, number: int, line: str) -> None:
        head, _, word = line.rpartition(" ")
        parts = _RUNNER.sub("", head).split(" > ")
        if word not in _ENDS or len(parts) < 2 or not all(parts):
            return
        self.output = False
        name = _name(parts)
        task = self.tasks.setdefault(self.task, _Task())
        self.complete = False
        if word == "STARTED":
            task.begun[name] = number
            return
        task.begun.pop(name, None)
        task.listed[_STATUSES[word]] += 1
        note(task.results, name, TestResult(_STATUSES[word], number, line[:_RAW]))

    def _totals(self, number: int, line: str) -> None:
        found = _TOTALS.match(line)
        task = self.tasks.get(self.task)
        if found is None or task is None:
            return
        run, failed = integer(found["run"]), integer(found["failed"] or "0")
        listed = task.listed
        if listed[Status.PASSED] and listed.total() > run:
            task.doubted = True
            self.warnings.append(
                f"line {number}: {run} tests counted, {listed.total()} listed: the passes of "
                f"{self.task or 'the run'} are not believed"
            )
        if failed != listed[Status.FAILED]:
            self.warnings.append(
                f"line {number}: {failed} failures counted, {listed[Status.FAILED]} listed"
            )
        listed.clear()


def _name(parts: list[str]) -> str:
    """The name of a test below its classes. A last part that begins with a class is enough: a
    suite shows its tests so, and JUnit 5 its invocations."""
    last = parts[-1]
    found = _CLASS.match(last)
    if found and found[0].startswith(parts[0].rpartition(".")[0] + "."):
        return last
    if len(parts) == 2:
        return ".".join(parts)
    return " > ".join(parts)


FRAMEWORK = Framework(
    name="gradle",
    reader=GradleReader,
    names="`com.acme.CalcTest.testAdd`; nested: `CalcTest > WhenEmpty > testAdd()`, as printed",
    signs=r"(?:> Task )?:[\w:.\-]*[tT]est\w*(?: FAILED)?$|BUILD (?:SUCCESSFUL|FAILED) in \d",
    begins=">:B",
    languages=("java", "kotlin"),
)
