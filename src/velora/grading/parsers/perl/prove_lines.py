"""What single lines of TAP::Harness 3 mean, as `prove` and `make test` print them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status

_CLOCK = re.compile(r"\[\d\d:\d\d:\d\d\] ")
_DOTS = re.compile(r" \.{2,}(?: |\Z)")
_OK = re.compile(r"ok(?: {2,}(\d+(?:\.\d+)?) (ms|s)(?: \(.*)?)?\Z")
_SKIPPED = re.compile(r"skipped(?:: .*)?\Z")
_BAD = re.compile(
    r"(Dubious, test returned \d+)|(Failed \d+/\d+ subtests)|All \d+ subtests passed"
    r"|No subtests run"
)
_PROGRESS = re.compile(r"\d+/(?:\d+|\?) ")
_REPORTED = re.compile(r"\(Wstat: (\d+)(?: \([^)]*\))? Tests: \d+ Failed: (\d+)\)\Z")
_NUMBERS = re.compile(r"(?:  Failed tests?: +|\s+)(\d[\d, -]*)\Z")
_FILES = re.compile(r"Files=(\d+), Tests=(\d+), ")
_MOST = 100_000  # numbers of failed tests that are looked at
_RESULT = re.compile(r"Result: (?:PASS|FAIL|NOTESTS)\Z")


@dataclass(frozen=True, slots=True)
class Header:
    """A file's line, `t/basic.t .... ok`: its name, where the dots end, what follows them."""

    name: str
    column: int
    rest: str


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """How a file ended, as its own line says; seconds with `--timer`."""

    status: Status
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A file in the report at the end."""

    name: str
    failed: int
    wait: int


def header(line: str) -> Header | None:
    """A file's line. In one run the dots of all files end at one column."""
    start = 11 if _CLOCK.match(line) else 0
    found = _DOTS.search(line, start)
    if found is None or found.start() == start or line[start].isspace():
        return None
    name = line[start : found.start()]
    return Header(name, len(line[start : found.end()].rstrip()), line[found.end() :])


def verdict(text: str) -> FileVerdict | None:
    """A file's verdict, behind the dots or on a line of its own."""
    if found := _OK.match(text):
        if found[1] is None:
            return FileVerdict(Status.PASSED)
        scale = 1000 if found[2] == "ms" else 1
        return FileVerdict(Status.PASSED, decimal(found[1]) / scale)
    if _SKIPPED.match(text):
        return FileVerdict(Status.SKIPPED)
    bad = _BAD.match(text)
    if bad is None:
        return None
    return FileVerdict(Status.FAILED if bad[2] else Status.ERROR)


def is_progress(text: str) -> bool:
    """Behind the dots, on a terminal, while the file runs: `3/5 `."""
    return _PROGRESS.match(text) is not None


def reported(line: str) -> Reported | None:
    """A file's line in the report."""
    at = line.find(" (Wstat: ")
    found = _REPORTED.match(line, at + 1) if at > 0 else None
    name = line[:at].rstrip()
    return Reported(name, integer(found[2]), integer(found[1])) if found and name else None


def failed_numbers(line: str) -> tuple[int, ...]:
    """The numbers of failed tests in the report: `2, 9, 15-16`."""
    found = _NUMBERS.match(line)
    if found is None:
        return ()
    numbers: list[int] = []
    for part in found[1].split(","):
        first, dash, last = part.strip().partition("-")
        if first.strip().isdecimal() and (not dash or last.strip().isdecimal()):
            begin = integer(first.strip())
            end = integer(last.strip()) if dash else begin
            numbers += range(begin, min(end, begin + _MOST - len(numbers)) + 1)
    return tuple(numbers)


def totals(line: str) -> tuple[int, int] | None:
    """How many files and tests ran."""
    found = _FILES.match(line)
    return (integer(found[1]), integer(found[2])) if found else None


def is_result(line: str) -> bool:
    """The last line of a run."""
    return _RESULT.match(line) is not None
