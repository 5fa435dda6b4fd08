"""Reads the output of Check (0.9 to 0.15), best with `CK_VERBOSITY=verbose`.

Check prints `Running suite(s): ...`, then whatever the tests write, then one line of totals
(`50%: Checks: 14, Failures: 4, Errors: 3`), then a line for each result: for all of them if it is
verbose, else for those that did not pass. So only lines behind a run's last totals are believed,
and of those no more than the totals count.

Names are `tcase:test:iteration` as the lines show them, `calc:test_adds:0`. A failure in a
fixture (`S`) is an ERROR.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import merge, note
from velora.grading.parsers.text import integer
from velora.grading.protocol import Parsed, Status, TestResult

_START = "Running suite(s): "
_TOTALS = re.compile(r"\d+%: Checks: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9})\Z")
_RESULT = re.compile(r".{1,1000}?:\d+:([PFES]):(.{0,300}?):(\w{1,300}):(-?\d+): ")
_STATUS = {
    "P": Status.PASSED,
    "F": Status.FAILED,
    "E": Status.ERROR,
    "S": Status.ERROR,
}
_RAW = 500


class CheckReader:
    """All runs of a log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.started = False
        self.totals: tuple[int, int, int] | None = None
        self.line = 0
        self.run: dict[str, TestResult] = {}
        self.counts = dict.fromkeys(_STATUS, 0)
        self.seen = 0
        self.cut = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if not self.started:
            if line.startswith(_START):
                self.started = True
            elif line.endswith(", Errors: 0") or "%: Checks: " in line:
                self._total(number, line)  # glued to the first line, or that is missing
            return
        if "%: Checks: " in line:
            self._total(number, line)
        elif line.startswith(_START):
            self._end()
            self.started = True
        elif self.totals is not None and ":" in line and (found := _RESULT.match(line)):
            self._result(number, line, found)

    def finish(self) -> Parsed:
        """The end of the log."""
        self._end()
        return Parsed(self.results, bool(self.seen) and not self.cut, tuple(self.warnings))

    def _total(self, number: int, line: str) -> None:
        """The totals: what looked like them or like results before was printed by a test."""
        found = _TOTALS.search(line, max(0, len(line) - 100))
        if found:
            self.started = True
            self.totals = (integer(found[1]), integer(found[2]), integer(found[3]))
            self.line = number
            self.run = {}
            self.counts = dict.fromkeys(_STATUS, 0)

    def _result(self, number: int, line: str, found: re.Match[str]) -> None:
        checks, _, _ = self.totals or (0, 0, 0)
        kind, case, test, iteration = found.groups()
        if sum(self.counts.values()) < checks:
            self.counts[kind] += 1
            name = f"{case}:{test}:{iteration}"
            note(self.run, name, TestResult(_STATUS[kind], number, line[:_RAW]))

    def _end(self) -> None:
        """The log or another run's first line ends the run."""
        if not self.started:
            return
        self.seen += 1
        if self.totals is None:
            self.cut = True
            self.warnings.append("a run has no totals: it was cut off")
        else:
            self._check(*self.totals)
        merge(self.results, self.run)
        self.started, self.totals, self.run = False, None, {}

    def _check(self, checks: int, failures: int, errors: int) -> None:
        counts = self.counts
        failed = counts["F"] + counts["S"]
        shown = sum(counts.values())
        if shown and (failed, counts["E"]) != (failures, errors):
            self.warnings.append(
                f"line {self.line}: {failures} failures and {errors} errors counted, "
                f"{failed} and {counts['E']} shown"
            )
            self.cut = self.cut or failed < failures or counts["E"] < errors
        elif counts["P"] and shown != checks:
            self.warnings.append(f"line {self.line}: {checks} checks counted, {shown} shown")
            self.cut = True


FRAMEWORK = Framework(
    name="check",
    reader=CheckReader,
    names="tcase:test:iteration: calc:test_adds:0",
    signs=r"\d+%: Checks: \d+, Failures: \d+, Errors: \d+|Running suite\(s\): ",
    begins=r"\dR",
    languages=("c",),
)
