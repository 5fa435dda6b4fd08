"""Reads what minitest prints, with `-v` or without; also Rails' own reporter.

Verbosely a test begins with `Class#test_name = `, then comes what it prints, then
`0.01 s = .`. Parallel tests begin before others end, and their ends have no names; the blocks
`1) Failure:` and the totals tell which is which: see `announced`. Without `-v` only failures and
errors have names.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.ruby.announced import Announced
from velora.grading.parsers.tally import merge
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_MARK = "#test_"
_GAP = " = "
_END = re.compile(r"(\d+\.\d\d) s = ([.FES])$")
_WHOLE = re.compile(r" = \d+\.\d\d s = [.FES]$")
_HEADING = re.compile(r"(?: *\d+\) )?(Failure|Error|Skipped):$")
_TOTALS = re.compile(
    r"(\d+) (?:runs|tests), \d+ assertions, (\d+) failures, (\d+) errors, (\d+) skips$"
)
_LETTERS = {
    ".": Status.PASSED,
    "F": Status.FAILED,
    "E": Status.ERROR,
    "S": Status.SKIPPED,
}
_LONGEST_END = 24


class MinitestReader:
    """All runs of a log; `complete` if the last one has its totals."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run = Announced()
        self.heading: Status | None = None
        self.finished = self.complete = self.ended = False
        self.unnamed = 0  # ends of parallel tests

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if self.heading is not None:
            status, self.heading = self.heading, None
            self._block(number, line, status)
        elif " = " in line:
            self._verbose(number, line)
        elif line.endswith(":"):
            heading = _HEADING.match(line)
            if heading is not None:
                self.heading = _LETTERS[heading[1][0]]
        elif line.startswith("Finished in "):
            self.finished = True
        elif line.endswith(" skips") and self.finished:
            totals = _TOTALS.match(line)
            if totals is not None:
                self._close(number, *(integer(each) for each in totals.groups()))

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.run.empty:
            self.complete = False
            self.warnings.append("the last run has no totals: it was cut off")
            merge(self.results, self.run.cut())
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _verbose(self, number: int, line: str) -> None:
        end = _END.search(line, max(0, len(line) - _LONGEST_END))
        if _MARK in line:
            whole = _WHOLE.search(line, max(0, len(line) - _LONGEST_END))
            for name in _names(line[: whole.start()] if whole else line, whole=whole is not None):
                self.run.begin(name, number)
        if end is None or not self.run.running:
            return
        if len(self.run.running) == 1:
            self.run.end(_LETTERS[end[2]], number, line, decimal(end[1]))
            return
        self.unnamed += 1
        if self.unnamed >= len(self.run.running):
            self.run.running.clear()
            self.unnamed = 0

    def _block(self, number: int, line: str, status: Status) -> None:
        """The line below a block's heading."""
        if not line.endswith(":") or "#" not in line:
            return
        name = line[:-1]
        if status is not Status.ERROR and name.endswith("]"):
            name = name[: name.rfind(" [")]
        self.run.fault(name, status, number, line)

    def _close(self, number: int, total: int, failed: int, errors: int, skipped: int) -> None:
        counts = {Status.FAILED: failed, Status.ERROR: errors}
        if self.run.tests:
            counts[Status.SKIPPED] = skipped
        results, odd = self.run.close(total, {Status.SKIPPED: 0, **counts})
        if 2 * len(self.run.tests) < total:
            # Without -v tests are not announced: what looks so was printed.
            results = {n: each for n, each in results.items() if n in self.run.faults}
            odd = ""
        if odd:
            self.warnings.append(f"line {number}: {odd}")
        merge(self.results, results)
        self.run, self.complete, self.finished, self.unnamed = Announced(), True, False, 0


def _names(text: str, *, whole: bool) -> list[str]:
    """The tests that begin in a line; a name may have ` = ` in it, as output behind it may."""
    names: list[str] = []
    for piece in text.split(_GAP):
        if _MARK in piece:
            names.append(piece)
        elif whole and names:
            names[-1] += _GAP + piece
    if not whole and names and text.endswith(names[-1]):
        names.pop()  # nothing follows its name
    return names


FRAMEWORK = Framework(
    name="minitest",
    reader=MinitestReader,
    names="`Class#test_name`, as `Stack::with two#test_0001_has a size`",
    signs=(
        r"Run options: .*--seed \d+"
        r"|\d+ (?:runs|tests), \d+ assertions, \d+ failures, \d+ errors, \d+ skips$"
    ),
    begins=r"\dR",
    languages=("ruby",),
)
