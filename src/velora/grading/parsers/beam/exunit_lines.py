"""What single lines of ExUnit's terminal output mean (Elixir 1.x, with and without `--trace`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from velora.grading.parsers.text import decimal, integer
from velora.grading.protocol import Status

_ROW = "  * "
_WHERE = re.compile(r" \[L#(\d+)\]")
_END = re.compile(r" \((?:(\d+(?:\.\d+)?)ms|(skipped|excluded|invalid))\)\Z")
_FAILURE = re.compile(r"  (\d+)\) ((?:test|doctest|property|feature) .*) \(([\w.:]+)\)\Z")
_SETUP_ALL = re.compile(r"  \d+\) ([\w.:]+): failure on setup_all callback, ")
_MODULE = re.compile(r"([A-Z][\w.]*) \[[^\]]+\]\Z")
_TOTALS = re.compile(
    r"(?:(\d+) doctests?, )?(?:(\d+) propert(?:y|ies), )?(?:(\d+) features?, )?"
    r"(?:(\d+) tests?, )?(\d+) failures?((?:, \d+ [a-z]+)*)\Z"
)
_FINISHED = re.compile(r"Finished in [\d.]+ seconds")
_INVALID = re.compile(r", (\d+) invalid")
_WORDS = {"skipped": Status.SKIPPED, "excluded": Status.SKIPPED, "invalid": Status.ERROR}


class Row(NamedTuple):
    """`--trace`: a test as it begins (`status` is None) or ends; "passed" may be belied later."""

    name: str
    where: int
    status: Status | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many tests ran, failed, and were invalid for a set-up that failed."""

    tests: int
    failures: int
    invalid: int


def row(line: str) -> Row | None:
    """`  * test adds [L#3]` and `  * test adds (0.1ms) [L#3]`; a test prints behind the first."""
    if not line.startswith(_ROW):
        return None
    found = _WHERE.search(line)
    if found is None:
        return None
    name, where = line[len(_ROW) : found.start()], integer(found[1])
    end = _END.search(name[-40:]) if found.end() == len(line) else None
    if end is None:
        return Row(name, where) if name.strip() else None
    bare = name.removesuffix(end[0])
    if not bare.strip():
        return None
    if end[2]:
        return Row(bare, where, _WORDS[end[2]])
    return Row(bare, where, Status.PASSED, decimal(end[1]) / 1000)


def begins(line: str) -> Row:
    """A line of a test that ends, read as that of one that begins."""
    found = _WHERE.search(line)
    name = line[len(_ROW) : found.start()] if found else line
    return Row(name, integer(found[1]) if found else 0)


def failure(line: str) -> tuple[int, str, str] | None:
    """`  1) test adds (CalcTest)`: its number, the test and the module."""
    found = _FAILURE.match(line)
    return (integer(found[1]), found[2], found[3]) if found else None


def setup_all(line: str) -> str | None:
    """The module whose tests are all invalid."""
    found = _SETUP_ALL.match(line)
    return found[1] if found else None


def module(line: str) -> str | None:
    """`--trace`: the module whose tests follow."""
    found = _MODULE.match(line)
    return found[1] if found else None


def is_finished(line: str) -> bool:
    """The line above the totals."""
    return _FINISHED.match(line) is not None


def totals(line: str) -> Totals | None:
    """The last line of a run."""
    found = _TOTALS.match(line)
    if found is None:
        return None
    invalid = _INVALID.search(found[6])
    tests = sum(integer(count) for count in found.groups()[:4] if count)
    return Totals(tests, integer(found[5]), integer(invalid[1]) if invalid else 0)
