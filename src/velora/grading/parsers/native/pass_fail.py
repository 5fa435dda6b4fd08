"""Reads plain lines that begin with a word and name a test: `PASS: adds`, `[FAIL] adds`,
`[ok]: adds (3 ms)`, for suites whose runner is a script of their own.

Nothing announces such lines and nothing counts them, so a test that prints one is believed; of
several for one name the worst stays. Where a closing line counts passes and failures
(`3 passed, 1 failed`), it is a checksum: where it counts fewer passes than there are lines, none
of them is believed. Only where nothing else fits does `auto` take this parser.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.native import totals
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_WORDS = {
    "PASS": Status.PASSED,
    "PASSED": Status.PASSED,
    "OK": Status.PASSED,
    "FAIL": Status.FAILED,
    "FAILED": Status.FAILED,
    "ERR": Status.FAILED,
    "ERROR": Status.ERROR,
    "EXCEPTION": Status.ERROR,
    "TIMEOUT": Status.ERROR,
    "UNRESOLVED": Status.ERROR,
    "SKIP": Status.SKIPPED,
    "SKIPPED": Status.SKIPPED,
    "IGNORE": Status.SKIPPED,
    "UNTESTED": Status.SKIPPED,
    "UNSUPPORTED": Status.SKIPPED,
    "XFAIL": Status.XFAIL,
    "XPASS": Status.XPASS,
}
_BARE = re.compile(r"\s{0,8}(PASS|FAIL|SKIP|XFAIL|XPASS|ERROR|UNTESTED|UNSUPPORTED): {1,8}(?=\S)")
_BRACKETS = re.compile(
    r"\s{0,8}\[ {0,8}(PASS(?:ED)?|FAIL(?:ED)?|SKIP(?:PED)?|OK|ERR(?:OR)?|XFAIL|XPASS|TIMEOUT"
    r"|ok|err|skip|ignore|exception|timeout)"
    r" {0,8}\]:? {1,8}(?=\S)"
)
_TIME = re.compile(r" {1,8}\((\d{1,9}(?:\.\d{1,9})?) ?(ms|s|seconds|sec)\)\Z")
_CLOSING = re.compile(r"(?:\w{1,40}: {0,8})?(\d{1,9}) passed, {0,8}(\d{1,9}) failed\b")
_FIRST = frozenset(" \tPFSXEU[")
_RAW = 500


class PassFailReader:
    """The whole log."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.passed = 0
        self.counts: tuple[int, int, int] | None = None

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if line[:1] in _FIRST:
            found = _BRACKETS.match(line) if "]" in line else None
            found = found or (_BARE.match(line) if ": " in line else None)
            if found:
                self._result(number, line, _WORDS[found[1].upper()], line[found.end() :])
                return
        if " passed" in line and (closing := _CLOSING.match(line.lstrip(" =*-"))):
            self.counts = (number, integer(closing[1]), integer(closing[2]))

    def finish(self) -> Parsed:
        """The end of the log."""
        if self.counts is None:
            return Parsed(self.results)
        line, passed, _ = self.counts
        if self.passed > passed:
            warning = totals.exceeded(line, passed, self.passed)
            return Parsed(totals.without_passes(self.results), bool(self.results), (warning,))
        return Parsed(self.results, bool(self.results))

    def _result(self, number: int, line: str, status: Status, name: str) -> None:
        name = name.rstrip()
        time = _TIME.search(name, max(0, len(name) - 40))
        duration = None
        if time:
            name = name[: time.start()]
            duration = decimal(time[1]) / (1000 if time[2] == "ms" else 1)
        self.passed += status is Status.PASSED
        note(self.results, name, TestResult(status, number, line[:_RAW], duration))


FRAMEWORK = Framework(
    name="pass-fail",
    reader=PassFailReader,
    names="what follows the word, without a duration at its end: adds numbers",
    signs=(
        r"\s{0,8}(?:PASS|FAIL): {1,8}\S"
        r"|\s{0,8}\[ {0,8}(?:PASS(?:ED)?|FAIL(?:ED)?|OK|ok|err) {0,8}\]:? {1,8}\S"
    ),
    begins=r" PF\[",
    fallback=True,
)
