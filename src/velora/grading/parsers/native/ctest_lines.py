"""What single lines of CTest's output mean. Which of them count is `ctest_log`'s affair."""

from __future__ import annotations

import re
from dataclasses import dataclass

from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status

_START = re.compile(r" +Start +(\d{1,9}): (.+)\Z")
_TEST = re.compile(r" *(?:(\d{1,9})/(\d{1,9}) )? *Test +#(\d{1,9}): ")
_TIME = re.compile(r" +(\d{1,9}\.\d{1,9}) sec\Z")
_TOTALS = re.compile(r"\d+% tests passed, (\d{1,9}) tests? failed out of (\d{1,9})\Z")
_LISTED = re.compile(r"\t *(\d{1,9}) - (.+)\Z")
_REASON = re.compile(r"(.*) \(([A-Za-z_ ]+)\)(?: +\S.*)?\Z")
_LONGEST = 4096
_STARS = (
    ("***Not Run (Disabled)", Status.SKIPPED),
    ("***Skipped", Status.SKIPPED),
    ("***Failed", Status.FAILED),
    ("***Timeout", Status.ERROR),
    ("***Exception", Status.ERROR),
    ("***Not Run", Status.ERROR),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A line that says what a test came to.

    Attributes:
        count: the how-manieth verdict of the run it is; None where the test is run again.
        duration: seconds.
    """

    index: int
    count: int | None
    status: Status
    duration: float | None


def start(line: str) -> tuple[int, str] | None:
    """A test's number and name, from the line that announces it."""
    found = _START.match(line) if len(line) < _LONGEST else None
    return (integer(found[1]), found[2]) if found else None


def verdict(line: str, names: dict[int, str]) -> Verdict | None:
    """The verdict on one of the tests that were announced: its name is in `names`."""
    found = _TEST.match(line) if len(line) < 2 * _LONGEST else None
    if found is None:
        return None
    index = integer(found[3])
    name = names.get(index)
    if name is None or not line.startswith(name + " ", found.end()):
        return None
    rest = line[found.end() + len(name) + 1 :].lstrip(".")
    time = _TIME.search(rest, max(0, len(rest) - 40))
    if time is None:
        return None
    status = _status(rest[: time.start()])
    if status is None:
        return None
    return Verdict(index, integer(found[1]) if found[1] else None, status, decimal(time[1]))


def totals(line: str) -> tuple[int, int] | None:
    """How many failed, out of how many."""
    found = _TOTALS.match(line)
    return (integer(found[1]), integer(found[2])) if found else None


def listed(line: str) -> tuple[int, str, Status] | None:
    """The number, the name and the status in the list of failures."""
    found = _LISTED.match(line) if len(line) < _LONGEST else None
    reason = _REASON.match(found[2]) if found else None
    if found is None or reason is None:
        return None
    status = Status.FAILED if reason[2] == "Failed" else Status.ERROR
    return integer(found[1]), reason[1], status


def _status(text: str) -> Status | None:
    if text.startswith("   Passed"):
        return Status.PASSED
    for words, status in _STARS:
        if words in text[:200]:
            return status
    return None
