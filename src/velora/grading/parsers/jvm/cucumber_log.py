"""Reads Cucumber's pretty format of Ruby, and the lists of problems in the progress formats of
Ruby, JavaScript and the JVM.

    Feature: Adding
      Scenario: adds       # features/calc.feature:6
        When I add 1 and 2 # features/step_definitions/steps.rb:2
    Failing Scenarios:
    cucumber features/calc.feature:10 # Scenario: is wrong
    9 scenarios (3 failed, 1 undefined, 1 pending, 4 passed)

Only the pretty format names what passes: the scenarios that the list of failures leaves out, if
that list is as long as the totals say, and if as many undefined and pending ones were seen in
their steps. The rows of an outline have no names unless they fail. What steps print is indented
deeper than a scenario. An undefined step makes an ERROR, a pending one SKIPPED.
"""

from __future__ import annotations

import re
from collections import Counter

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_RAW = 500  # characters of a line kept as evidence
_SCENARIO = re.compile(r"  (?:Scenario|Example): (?P<name>.*\S) +# (?P<file>\S+):(?P<line>\d+)$")
_LISTED = re.compile(
    r"(?:cucumber )?(?:file:(?://)?)?(?P<file>[^\s:]+):(?P<line>\d+) # (?P<name>\S.*)$"
)
_NUMBERED = re.compile(
    r"\d+\) (?:Scenario|Example): (?P<name>.*\S) # (?P<file>\S+):(?P<line>\d+)"
    r"(?P<again> \(attempt \d+, retried\))?"
)
_TOTALS = re.compile(r"(?P<all>\d{1,9}) [sS]cenarios? \((?P<counts>[^()]+)\)$")
_STEP = re.compile(r" +(?:Given|When|Then|And|But|\*) .* # (?P<file>\S+):\d+$")
_LISTS = ("Failing Scenarios:", "Failed scenarios:")


class CucumberReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.scenarios: dict[str, TestResult] = {}  # of the open run, by place
        self.names: dict[str, str] = {}
        self.bad: dict[str, TestResult] = {}  # by name
        self.failed: set[str] = set()  # places
        self.place = ""
        self.file = ""
        self.section = ""
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        first = line[:1]
        if first == " ":
            if " # " in line:
                self._indented(number, line)
            elif self.place and "TODO (Cucumber::Pending)" in line:
                self._mark(Status.SKIPPED, number, line)
            elif self.place and line.startswith("       Undefined. "):
                self._undefined(number, line)
        elif first.isdigit():
            if totals := _TOTALS.match(line):
                self._close(number, totals)
            elif self.section and (found := _NUMBERED.match(line)):
                self._numbered(number, line, found)
        elif line in _LISTS or line in ("Failures:", "Warnings:"):
            self.section = line
            self.place = ""
        elif self.section in _LISTS and (found := _LISTED.match(line)):
            self._fail(number, line, found)

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.scenarios or self.bad:
            self.complete = False
            self.warnings.append("the last run has no totals")
            self._keep(passes=False)
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _indented(self, number: int, line: str) -> None:
        if line[2:3] != " " and line.startswith("  "):
            self.place = ""
            if found := _SCENARIO.match(line):
                self._begin(number, line, found)
        elif self.place and (step := _STEP.match(line)) and step["file"] == self.file:
            self._mark(Status.ERROR, number, line)  # it has no definition elsewhere

    def _begin(self, number: int, line: str, found: re.Match[str]) -> None:
        self.section = ""
        self.complete = False
        self.file = found["file"]
        self.place = f"{found['file']}:{found['line']}"
        self.names[self.place] = f"{found['file']} > {found['name']}"
        self.scenarios[self.place] = TestResult(Status.PASSED, number, line[:_RAW])

    def _mark(self, status: Status, number: int, line: str) -> None:
        self.scenarios[self.place] = TestResult(status, number, line[:_RAW])

    def _undefined(self, number: int, line: str) -> None:
        """JavaScript lists undefined scenarios among the failures."""
        if self.section == "Failures:":
            self.failed.discard(self.place)
            self.names[self.place] = name = next(reversed(self.bad), "")
            self.bad.pop(name, None)
        if self.section and self.place in self.names:
            self._mark(Status.ERROR, number, line)

    def _numbered(self, number: int, line: str, found: re.Match[str]) -> None:
        if found["again"]:
            return
        if self.section == "Failures:":
            self._fail(number, line, found)
            self.place = f"{found['file']}:{found['line']}"
        elif self.section == "Warnings:":
            self._begin(number, line, found)
            self.section = "Warnings:"
            self._mark(Status.SKIPPED, number, line)

    def _fail(self, number: int, line: str, found: re.Match[str]) -> None:
        place = f"{found['file']}:{found['line']}"
        name = found["name"]
        for keyword in ("Scenario: ", "Scenario Outline: ", "Example: "):
            name = name.removeprefix(keyword)
        self.failed.add(place)
        self.complete = False
        full = self.names.get(place, f"{found['file']} > {name}")
        note(self.bad, full, TestResult(Status.FAILED, number, line[:_RAW]))

    def _close(self, number: int, totals: re.Match[str]) -> None:
        counts: Counter[str] = Counter()
        for part in totals["counts"].split(", "):
            count, _, word = part.partition(" ")
            if count.isascii() and count.isdigit() and len(count) < 10:
                counts[word] += integer(count)
        rest = {p: r for p, r in self.scenarios.items() if p not in self.failed}
        kinds = Counter(result.status for result in rest.values())
        sound = (
            len(self.failed) == counts["failed"]
            and kinds[Status.ERROR] == counts["undefined"] + counts["ambiguous"]
            and kinds[Status.SKIPPED] == counts["pending"] + counts["skipped"]
            and kinds[Status.PASSED] <= counts["passed"]
        )
        if not sound and (kinds[Status.PASSED] or len(self.failed) != counts["failed"]):
            self.warnings.append(
                f"line {number}: {totals['counts']} counted, {len(self.failed)} failed and "
                f"{len(rest)} others listed: passes are not believed"
            )
        self._keep(passes=sound)
        self.section = self.place = ""
        self.complete = True

    def _keep(self, *, passes: bool) -> None:
        for place, result in self.scenarios.items():
            if place not in self.failed and (passes or result.status is not Status.PASSED):
                note(self.results, self.names[place], result)
        for name, result in self.bad.items():
            note(self.results, name, result)
        self.scenarios, self.bad, self.failed, self.names = {}, {}, set(), {}


FRAMEWORK = Framework(
    name="cucumber",
    reader=CucumberReader,
    names="`features/calc.feature > adds`; a failing row: `features/calc.feature > adds <a>, "
    "Examples (#2)` (Ruby)",
    signs=r"\d+ [sS]cenarios? \(\d+ [a-z]+(?:, \d+ [a-z]+)*\)$",
    begins=r"\d",
    languages=("java", "ruby", "javascript"),
)
