"""What single lines of busted's output handlers mean: the terminal ones, TAP and gtest."""

from __future__ import annotations

import re

from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status

_TOTALS = re.compile(
    r"\d+ success(?:es)? / (\d+) failures? / (\d+) errors? / (\d+) pending : [\d.]+ seconds?\Z"
)
_BLOCK = re.compile(r"(Failure|Error|Pending) (?:→|->) \S")
_WORDS = {"Failure": Status.FAILED, "Error": Status.ERROR, "Pending": Status.SKIPPED}
_TAP = re.compile(r"(not )?ok (\d+) - (.*)\Z")
_PLACE = re.compile(r"\S+\.\w+:\d+: ")
_PLAN = re.compile(r"1\.\.(\d+)\Z")
_RUN = "[ RUN      ] "
_TAGS = {
    "[       OK ] ": Status.PASSED,
    "[  FAILED  ] ": Status.FAILED,
    "[  ERROR   ] ": Status.ERROR,
    "[ SKIPPED  ] ": Status.SKIPPED,
}
_TAG = len(_RUN)
_LABEL = re.compile(r"\S.* @ \d+: ")
_TIME = re.compile(r" \((\d+(?:\.\d+)?) ms\)\Z")
_RAN = re.compile(r"\[={10}\] (\d+) tests? from \d+ test files? ran\.")


def totals(line: str) -> tuple[int, int, int] | None:
    """Terminal: how many failures, errors and pending tests are described from here on."""
    found = _TOTALS.match(line)
    return (integer(found[1]), integer(found[2]), integer(found[3])) if found else None


def block(line: str) -> Status | None:
    """Terminal: the line above the name of a test that did not pass, `Failure → file @ 3`."""
    found = _BLOCK.match(line)
    return _WORDS[found[1]] if found else None


def tap(line: str) -> tuple[int, str, Status] | None:
    """TAP: a test's number, name and status. The name of a test that declared itself pending is
    not printed, only where it did: then it is ""."""
    found = _TAP.match(line)
    if found is None:
        return None
    name, status = found[3], Status.FAILED if found[1] else Status.PASSED
    if not found[1] and name.startswith("# SKIP "):
        name, status = name[len("# SKIP ") :], Status.SKIPPED
        if _PLACE.match(name):
            name = ""
    return integer(found[2]), name, status


def plan(line: str) -> int | None:
    """TAP: how many tests there were."""
    found = _PLAN.match(line)
    return integer(found[1]) if found else None


def started(line: str) -> str | None:
    """gtest: the test that begins, `file @ 3: name`."""
    label = line[_TAG:]
    return label if line.startswith(_RUN) and name(label) else None


def ended(line: str, label: str) -> tuple[Status, float] | None:
    """gtest: how the test ended and how many seconds it took; behind what it printed, too."""
    at = line.rfind(f"{label} (")
    if at < _TAG:
        return None
    status = _TAGS.get(line[at - _TAG : at])
    time = _TIME.match(line, at + len(label))
    return (status, decimal(time[1]) / 1000) if status is not None and time is not None else None


def listed(line: str) -> tuple[str, Status] | None:
    """gtest: a test in the lists at the end."""
    status = _TAGS.get(line[:_TAG])
    label = line[_TAG:]
    return (label, status) if status is not None and name(label) else None


def ran(line: str) -> int | None:
    """gtest: how many tests ran."""
    found = _RAN.match(line)
    return integer(found[1]) if found else None


def name(label: str) -> str:
    """gtest: the name in `file @ 3: name`; "" if it is no such label."""
    found = _LABEL.match(label[:_FAR]) if " @ " in label else None
    return label[found.end() :].strip() if found else ""


_FAR = 4096  # characters within which a label's file and line must end
