"""Reads what Pest (and Laravel's `artisan test`) prints, written from its documented format.

Tests stand below their class, `PASS  Tests\\Unit\\CalcTest`, each with a sign and in Pest 2 and
later with its time. After them come the failures, then `Tests:` with the counts, which check what
was read: where more passes are shown than counted, none is believed.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_CLASS = re.compile(r" {2,4}(?:PASS|FAIL|WARN|TODO|NOTE|DEPR|RISK) +(\S+)$")
_TEST = re.compile(r"  ([✓✔\u2a2f✕✗↓…!✘-]) (\S.*)$")
_TIME = re.compile(r" +(\d+\.\d+)s *$")
_TOTALS = re.compile(r" +Tests: +((?:\d+ [a-z]+(?:, )?)+)(?: \(\d+ assertions?\))?$")
_COUNT = re.compile(r"(\d+) (failed|passed|skipped|todos?|risky|warnings?|incomplete|deprecated)")
_SIGNS = {
    "✓": Status.PASSED,
    "✔": Status.PASSED,
    "\u2a2f": Status.FAILED,  # the cross of Pest 2 and later
    "✕": Status.FAILED,
    "✗": Status.FAILED,
    "✘": Status.FAILED,
    "-": Status.SKIPPED,
    "↓": Status.SKIPPED,
    "…": Status.SKIPPED,
    "!": Status.PASSED,
}
_PASSES = ("passed", "risky", "warning", "warnings", "deprecated")
_RAW = 500  # characters of a line kept as evidence


class PestReader:
    """All runs of a log; `complete` if the last one has its counts."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run: dict[str, TestResult] = {}
        self.suite = ""
        self.lines = dict.fromkeys(Status, 0)
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if not line.startswith("  "):
            return
        if (test := _TEST.match(line)) is not None:
            if self.suite:
                self._test(number, line, test)
        elif (suite := _CLASS.match(line)) is not None:
            self.suite = suite[1]
        elif line.lstrip(" ").startswith(("FAILED ", "────", "• ")):
            self.suite = ""  # the failures' own section
        elif (totals := _TOTALS.match(line)) is not None:
            self._close(number, totals[1])

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.run:
            self.complete = False
            self.warnings.append("the last run has no totals: it was cut off")
            self._take(passes=True)
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _test(self, number: int, line: str, found: re.Match[str]) -> None:
        text, status = found[2].rstrip(" "), _SIGNS[found[1]]
        seconds = None
        if (time := _TIME.search(text, max(0, len(text) - 24))) is not None:
            text, seconds = text[: time.start()].rstrip(" "), decimal(time[1])
        if status is Status.SKIPPED or found[1] == "!":
            text = _without_reason(text)
        self.lines[status] += 1
        result = TestResult(status, number, line[:_RAW], seconds)
        note(self.run, f"{self.suite} > {text}", result)

    def _close(self, number: int, counts: str) -> None:
        passed = failed = 0
        for count, word in _COUNT.findall(counts):
            passed += integer(count) if word in _PASSES else 0
            failed += integer(count) if word == "failed" else 0
        shown = (self.lines[Status.PASSED], self.lines[Status.FAILED])
        if self.run and shown != (passed, failed):
            self.warnings.append(
                f"line {number}: {passed} passed, {failed} failed counted, "
                f"{shown[0]}, {shown[1]} shown"
            )
        self._take(passes=shown[0] <= passed)
        self.complete = True

    def _take(self, *, passes: bool) -> None:
        for name, result in self.run.items():
            if passes or result.status is not Status.PASSED:
                note(self.results, name, result)
        self.run, self.suite = {}, ""
        self.lines = dict.fromkeys(Status, 0)


def _without_reason(text: str) -> str:
    """``` `outer` → it adds → not here ``` without what follows the test."""
    parts = text.split(" → ")
    test = 0
    while test < len(parts) - 1 and parts[test].startswith("`") and parts[test].endswith("`"):
        test += 1
    return " → ".join(parts[: test + 1])


FRAMEWORK = Framework(
    name="pest",
    reader=PestReader,
    names="`Tests\\Unit\\CalcTest > it adds`",
    signs=(
        r" {2,4}(?:PASS|FAIL|WARN|TODO) +\w+(?:\\\w+)+$"
        r"|  Tests: +\d+ (?:failed|passed|skipped|todo|risky|incomplete)\b"
    ),
    begins=" PFWT",
    languages=("php",),
)
