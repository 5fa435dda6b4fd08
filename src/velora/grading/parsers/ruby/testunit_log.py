"""Reads what test-unit prints, with `-v` or without.

Verbosely the suites are a tree by indentation, and a test is a line `name:<tabs>` with what it
prints and then `.: (0.0001)` behind it; a fault's block, between double rules, comes before the
end. Without `-v` the blocks alone have names. `announced` says what is believed.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.ruby.announced import Announced
from velora.grading.parsers.tally import merge
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_TEST = re.compile(r"( *)([^\t]+):\t+([^\t].*|)$")
_SUITE = re.compile(r"( *)(\S.*): $")
_END = re.compile(r"([.FEOPN]?): \((\d+\.\d+)\)$")
_FAULT = re.compile(r"(Failure|Error|Pending|Omission): (.*)$")
_NAMED = re.compile(r"(.+?)\(((?:[A-Z]\w*(?:::)?)+(?:[^()]|\([^()]*\))*)\)(?::|$)")
_TOTALS = re.compile(
    r"(\d+) tests, \d+ assertions, (\d+) failures, (\d+) errors, (\d+) pendings, (\d+) omissions"
)
_RULE = "=" * 79
_STATUSES = {
    "Failure": Status.FAILED,
    "Error": Status.ERROR,
    "Pending": Status.SKIPPED,
    "Omission": Status.SKIPPED,
}
_LONGEST_END = 32
_LONGEST = 2000  # characters of a heading that are read


class TestUnitReader:
    """All runs of a log; `complete` if the last one has its totals."""

    __test__ = False

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = Announced()
        self.suites: list[tuple[int, str]] = []
        self.last = ""  # the test that was announced last
        self.rule = 0
        self.finished = self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.rule == number - 1 and (fault := _FAULT.match(line)) is not None:
            self._fault(number, line, fault)
        elif line == _RULE:
            self.rule = number
        elif line.endswith(")") and (end := self._end(line)) is not None:
            if "\t" in line:
                self._begin(number, line)
            if len(self.run.running) == 1:
                status = Status.FAILED if end[1] != "." else Status.PASSED
                self.run.end(status, number, line, decimal(end[2]))
            elif self.run.running:
                self.run.running.clear()
        elif "\t" in line:
            self._begin(number, line)
        elif line.endswith(": "):
            if (suite := _SUITE.match(line[:_LONGEST])) is not None:
                self._suite(suite)
        elif line.startswith("Finished in "):
            self.finished = True
        elif self.finished and (totals := _TOTALS.match(line)) is not None:
            self._close(number, *(integer(each) for each in totals.groups()))

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.run.empty:
            self.complete = False
            self.warnings.append("the last run has no totals: it was cut off")
            merge(self.results, self.run.cut())
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _end(self, line: str) -> re.Match[str] | None:
        return _END.search(line, max(0, len(line) - _LONGEST_END))

    def _suite(self, found: re.Match[str]) -> None:
        if self.run.running:
            return  # printed by a test
        indent = len(found[1])
        while self.suites and self.suites[-1][0] >= indent:
            self.suites.pop()
        outer = f"{self.suites[-1][1]}::" if self.suites else ""
        self.suites.append((indent, outer + found[2]))

    def _begin(self, number: int, line: str) -> None:
        found = _TEST.match(line)
        if found is None:
            return
        indent = len(found[1])
        inside = [name for at, name in self.suites if at < indent]
        if inside:
            self.last = f"{inside[-1]}#{found[2].strip()}"
            self.run.begin(self.last, number)

    def _fault(self, number: int, line: str, found: re.Match[str]) -> None:
        text = found[2][:_LONGEST]
        if found[1] == "Omission" and text.endswith("]"):
            text = text[text.rfind(" [") + 2 : -1]
        named = _NAMED.match(text)
        local = self.last.partition("#")
        if self.last and f"{local[2]}({local[0]})" in text:
            name = self.last
        elif named is not None:
            name = f"{named[2]}#{named[1]}"
        else:
            return
        self.run.fault(name, _STATUSES[found[1]], number, line)

    def _close(
        self, number: int, total: int, failed: int, errors: int, pending: int, omitted: int
    ) -> None:
        counts = {Status.FAILED: failed, Status.ERROR: errors, Status.SKIPPED: pending + omitted}
        results, odd = self.run.close(total, counts)
        if odd:
            self.warnings.append(f"line {number}: {odd}")
        merge(self.results, results)
        self.run, self.suites, self.last = Announced(), [], ""
        self.complete, self.finished = True, False


FRAMEWORK = Framework(
    name="test-unit",
    reader=TestUnitReader,
    names="`Class#test_name`, as `CalcTest::in a sub case#test_data[label]`",
    signs=(
        r"Loaded suite |\d+ tests, \d+ assertions, \d+ failures, \d+ errors, \d+ pendings, "
        r"\d+ omissions"
    ),
    begins=r"\dL",
    languages=("ruby",),
)
