"""The lines that Maven Surefire and Failsafe print, from 2.12 to 3.5, without colours.

From Maven 3.3 and Surefire 2.20 on they carry a level, `[ERROR] `; a block is

    [ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 1 s <<< FAILURE! - in C
    [ERROR] testWrong(com.acme.C)  Time elapsed: 0.004 s  <<< FAILURE!

where up to 2.18 ` - in C` is missing and from 3.1 on it is ` -- in C`. A row names its test as
`method(Class)`, as `Class.method` (3.0 on), or as `method` alone (JUnit 5 with 2.22).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status

_LEVELS = ("[INFO] ", "[ERROR] ", "[WARNING] ")
_COUNTS = re.compile(
    r"Tests run: (?P<run>\d{1,9}), Failures: (?P<failures>\d{1,9}), Errors: (?P<errors>\d{1,9})"
    r"(?:, Skipped: (?P<skipped>\d{1,9}))?(?:, Flakes: (?P<flakes>\d{1,9}))?"
    r"(?P<timed>, Time elapsed: [\d.,]+ s(?:ec)?)?(?: ?<<< (?:FAILURE|ERROR)!)?"
    r"(?: --? in (?P<suite>\S.*))?$"
)
_ELAPSED = "Time elapsed: "
_END = re.compile(r"(?P<seconds>[\d.,]+) s(?:ec)?(?: +<<< (?P<bad>FAILURE|ERROR)!)?\s*$")
_IN_CLASS = re.compile(r"(?P<test>.+)\((?P<suite>[\w$]+(?:\.[\w$]+)*)\)$")
_QUALIFIED = re.compile(r"[\w$]+(?:\.[\w$]+)+")
_FRAME = re.compile(r"\s+at (?:[\w.@-]*//?)?(?P<suite>[\w.$]+)\.(?P<method>[\w$]+)\(")
_METHOD = re.compile(r"[\w$]+")

_BAD = {"FAILURE": Status.FAILED, "ERROR": Status.ERROR}


@dataclass(frozen=True, slots=True)
class Counts:
    """The head of a class's block (`timed`), or the totals. `suite` is "" where it is missing."""

    run: int
    failures: int
    errors: int
    skipped: int
    flakes: int
    timed: bool
    suite: str


class Row(NamedTuple):
    """A test in a block. `suite` is "" where the row does not say it."""

    test: str
    suite: str
    status: Status
    duration: float | None = None

    @property
    def name(self) -> str:
        """`Class.method`; the class alone for its set-up."""
        return f"{self.suite}.{self.test}" if self.suite and self.test else self.suite or self.test


def bare(line: str) -> str:
    """`line` without its level."""
    if line[:1] == "[":
        for level in _LEVELS:
            if line.startswith(level):
                return line[len(level) :]
    return line


def counts(line: str) -> Counts | None:
    """The numbers at the end of a line; what a test printed may be glued before them."""
    at = line.rfind("Tests run: ")
    found = _COUNTS.match(line, at) if at >= 0 else None
    if found is None:
        return None
    return Counts(
        integer(found["run"]),
        integer(found["failures"]),
        integer(found["errors"]),
        integer(found["skipped"] or "0"),
        integer(found["flakes"] or "0"),
        found["timed"] is not None,
        (found["suite"] or "").strip(),
    )


def row(text: str, suite: str) -> Row | None:
    """A test's line, without its level, in the block of `suite`."""
    if text[:1].isspace():
        return None
    at = text.rfind(_ELAPSED)
    if at < 0:
        name = text.removesuffix(" skipped")
        if name == text or not (_IN_CLASS.match(name) or _owned(name, suite) or " " not in name):
            return None
        return Row(*split(name, suite), Status.SKIPPED)
    head = text[:at]
    separator = "  " if head.endswith("  ") else " -- " if head.endswith(" -- ") else ""
    name = head.removesuffix(separator)
    end = _END.match(text, at + len(_ELAPSED))
    if not separator or not name or end is None:
        return None
    if separator == " -- ":
        test, owner = _qualified(name, suite)
    else:
        test, owner = split(name, suite)
    status = _BAD[end["bad"]] if end["bad"] else Status.PASSED
    return Row(test, owner, status, seconds(end["seconds"]))


def flake(text: str) -> str:
    """The test that heads a list of runs, `Class.method(Class)` or `Class.method`; "" if none."""
    if text[:1].isspace() or not _QUALIFIED.match(text):
        return ""
    inside = _IN_CLASS.match(text)
    if inside and inside["test"].startswith(inside["suite"] + "."):
        return inside["test"]
    return text


def frame(line: str, row: Row, suite: str) -> str:
    """The class within `suite` of which a stack frame shows that `row` is a method; "" if none."""
    found = _FRAME.match(line)
    method = _METHOD.match(row.test)
    if found is None or method is None or found["method"] != method[0]:
        return ""
    owner = found["suite"]
    return owner if owner == suite or owner.startswith(suite + "$") else ""


def split(name: str, suite: str) -> tuple[str, str]:
    """A row's method and class, "" where it does not say it."""
    if _owned(name, suite):
        return _qualified(name, suite)
    inside = _IN_CLASS.match(name)
    if inside:
        return inside["test"], inside["suite"]
    found = _QUALIFIED.match(name)
    return _qualified(name, suite) if found and found[0] == name else (name, "")


def _qualified(name: str, suite: str) -> tuple[str, str]:
    """`Class.method`, where the class is `suite`, within it, or unknown: then all is the method."""
    if name == suite:
        return "", suite
    if suite and name.startswith(suite + "."):
        return name[len(suite) + 1 :], suite
    found = _QUALIFIED.match(name)
    if found is None:
        return name, ""
    owner, _, method = found[0].rpartition(".")
    return method + name[found.end() :], owner


def _owned(name: str, suite: str) -> bool:
    return bool(suite) and (name == suite or name.startswith((suite + ".", suite + "$")))


def seconds(text: str) -> float | None:
    """`1,002.5` as a number; None if it is none."""
    try:
        return decimal(text.replace(",", ""))
    except ValueError:
        return None
