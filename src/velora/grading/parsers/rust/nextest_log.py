"""Reads what cargo-nextest prints: a row for each test, `PASS [   0.003s] (1/9) binary-id name`.

The status word ends in column 12 and what failed tests printed is indented deeper; older versions
print it as it is. So the summary's counts check the rows: where more passes are shown than it
counts, none is believed. Without capture a test's row is believed only after its `START`.

nextest runs a failed test again where it is told to: `TRY 2 PASS` and `FLAKY 2/3` are last words.
"""

from __future__ import annotations

import re

from velora.grading.parsers.framework import Framework
from velora.grading.parsers.tally import note
from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Parsed, Status, TestResult

_ROW = re.compile(
    r"(?P<word> *(?:TRY \d+ )?[A-Z][A-Z+-]*(?: \+ LEAK| SIG \d+| \d+(?:/\d+)?)?)"
    r" \[(?:>?(?P<seconds> *\d+\.\d+)s| +)\]"
    r" (?:\([ \d─]+(?:/\d+)?\) +)?(?P<binary>\S+) (?P<test>.+)$"
)
_STARTING = re.compile(r" *Starting (\d+) tests? across ")
_SUMMARY = re.compile(r" *Summary \[ *[\d.]+s\] (?:(\d+)/)?(\d+) tests? run: (.*)$")
_COUNT = re.compile(r"(\d+) (passed|failed|timed out|exec failed|skipped)\b")
_EXIT = re.compile(r" *\(test failed with exit code (\d+)\)$")
_COLUMN = 12
_LIBTEST = 101  # the exit status of a binary with failed tests
_STATUSES = {
    "PASS": Status.PASSED,
    "LEAK": Status.PASSED,
    "FLAKY": Status.PASSED,
    "TIMEOUT-PASS": Status.PASSED,
    "TMPASS": Status.PASSED,
    "FAIL": Status.FAILED,
    "FAIL + LEAK": Status.FAILED,
    "FL+LK": Status.FAILED,
    "FL-LK": Status.FAILED,
    "FLKY-FL": Status.FAILED,
    "FAIL-LEAK": Status.FAILED,
    "LEAK-FAIL": Status.FAILED,
    "LKFAIL": Status.FAILED,
    "SKIP": Status.SKIPPED,
    "XFAIL": Status.ERROR,  # the program could not be started
    "TIMEOUT": Status.ERROR,
    "TMT": Status.ERROR,
    "ABORT": Status.ERROR,
}
_SIGNALS = frozenset(
    [
        "ABRT",
        "SEGV",
        "KILL",
        "TERM",
        "INT",
        "BUS",
        "FPE",
        "ILL",
        "TRAP",
        "HUP",
        "QUIT",
        "SYS",
        "PIPE",
    ]
)
_BAD = (Status.FAILED, Status.ERROR)
_RAW = 500  # characters of a line kept as evidence


class NextestReader:
    """One run or several; `complete` if the last one has its summary."""

    def __init__(self) -> None:
        self.results: dict[str, TestResult] = {}
        self.warnings: list[str] = []
        self.run: dict[str, TestResult] = {}
        self.flight: dict[str, int] = {}  # tests seen running
        self.started = ""  # without capture, the test that runs
        self.totals = False  # and libtest came to its end
        self.row = ""  # whose row came last
        self.summary = False
        self.complete = False

    def feed(self, number: int, line: str) -> None:
        """Take the next line."""
        if "] " in line:
            found = _ROW.match(line)
            if found is not None:
                self._row(number, line, found)
            elif (summary := _SUMMARY.match(line)) is not None:
                self._summary(number, summary)
        elif line.endswith(")"):
            if (status := _EXIT.match(line)) is not None:
                self._exit(number, integer(status[1]))
        elif self.started and line.startswith("test result: "):
            self.totals = True
        elif "Starting " in line and _STARTING.match(line) is not None and not self.started:
            self._close()
            self.complete = False

    def finish(self) -> Parsed:
        """The end of the log."""
        if not self.summary:
            for name, number in self.flight.items():
                note(self.run, name, TestResult(Status.ERROR, number, "no end: it was cut off"))
            if self.run:
                self.warnings.append("the last run has no summary: it was cut off")
        self._close()
        return Parsed(self.results, self.complete, tuple(self.warnings))

    def _row(self, number: int, line: str, found: re.Match[str]) -> None:
        words = found["word"]
        word = words.strip()
        name = f"{found['binary']}::{found['test']}"
        tried = word.startswith("TRY ")
        if len(words) != _COLUMN and not (len(word) > _COLUMN and words == word):
            return
        if tried:
            word = word.split(" ", 2)[2]
        word = word.partition(" ")[0] if word.startswith("FL") and "/" in word else word
        if word == "START":
            self.started, self.totals = name, False
            self.flight[name] = number
            return
        if word in ("SLOW", "TERMINATING", "TERMINATED", "RETRY"):
            self.flight.setdefault(name, number)
            return
        killed = word.startswith(("SIG", "ABORT SIG")) or (tried and word in _SIGNALS)
        status = Status.ERROR if killed else _STATUSES.get(word)
        if status is None or (self.started and name != self.started and not self.summary):
            return
        if status is Status.FAILED and self.started and not self.totals:
            status = Status.ERROR
        seconds = found["seconds"]
        result = TestResult(status, number, line[:_RAW], decimal(seconds) if seconds else None)
        self.flight.pop(name, None)
        self.started = ""
        self.row = name
        self._take(name, result, tried=tried or word in ("FLAKY", "FLKY-FL"))

    def _take(self, name: str, result: TestResult, *, tried: bool) -> None:
        earlier = self.run.get(name)
        if earlier is not None and tried and not self.summary:
            flaky = earlier.flaky or (earlier.status in _BAD and result.status not in _BAD)
            self.run[name] = result._replace(flaky=flaky)
        elif earlier is not None and self.summary and earlier.status not in _BAD:
            if result.status in _BAD:
                self.warnings.append(f"line {result.line}: {name} failed, not as shown before")
                self.run[name] = result
        else:
            note(self.run, name, result)

    def _exit(self, number: int, status: int) -> None:
        """The process of the row above did not end as libtest does."""
        result = self.run.get(self.row)
        if result is not None and result.status is Status.FAILED and status != _LIBTEST:
            self.run[self.row] = result._replace(status=Status.ERROR)
        self.row = ""

    def _summary(self, number: int, found: re.Match[str]) -> None:
        counts = dict.fromkeys(("passed", "failed", "timed out", "exec failed", "skipped"), 0)
        for count, what in _COUNT.findall(found[3]):
            counts[what] = integer(count)
        passed = sum(each.status is Status.PASSED for each in self.run.values())
        bad = sum(each.status in _BAD for each in self.run.values())
        failed = counts["failed"] + counts["timed out"] + counts["exec failed"]
        if self.run and (passed, bad) != (counts["passed"], failed):
            self.warnings.append(
                f"line {number}: {counts['passed']} passed, {failed} failed counted, "
                f"{passed}, {bad} shown"
            )
        if passed > counts["passed"]:
            self.run = {n: e for n, e in self.run.items() if e.status is not Status.PASSED}
        self.summary = self.complete = True
        self.started = ""

    def _close(self) -> None:
        for name, result in self.run.items():
            note(self.results, name, result)
        self.run = {}
        self.flight = {}
        self.summary = False


FRAMEWORK = Framework(
    name="nextest",
    reader=NextestReader,
    names="`binary-id::path::to::test`, as `my-crate::it::adds`",
    signs=(
        r" *Nextest run ID | *Starting \d+ tests? across \d+ binar"
        r"| *Summary \[ *[\d.]+s\] (?:\d+/)?\d+ tests? run:"
    ),
    begins=" NS",
    languages=("rust",),
    hosts=("cargo",),
)
