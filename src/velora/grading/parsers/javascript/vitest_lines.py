"""What single lines of Vitest's terminal output mean (Vitest 0.34 to 4). Which lines are looked at
at all is `vitest_log`'s affair."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from velora.grading.parsers.javascript.titles import bare_timed
from velora.grading.parsers.text import integer
from velora.grading.protocol import Status

STATUSES: dict[str, Status] = {
    "✓": Status.PASSED,
    "√": Status.PASSED,
    "×": Status.FAILED,
    "❯": Status.FAILED,
    "↓": Status.SKIPPED,
    "□": Status.SKIPPED,
}

_FILE = re.compile(r"(.*\S) {1,2}\((\d+) tests?((?: \| \d+ \w+)*)\)( [\d.]+m?s)?(?: .*)?\Z")
_AGAIN = re.compile(r" \((?:retry|repeat) x\d+\)\Z")
_SUITE = re.compile(r"(.*\S) \(\d+\)\Z")
_COUNT = re.compile(r"(\d+) (failed|passed|expected fail|skipped|todo)\b")
_LONGEST = 2000  # characters of a line that may be a file's


@dataclass(frozen=True, slots=True)
class File:
    """The line of a file: its path and how many of its tests passed, failed, ..."""

    path: str
    passed: int
    failed: int


class Title(NamedTuple):
    """A test's title without what the reporter puts behind it."""

    text: str
    duration: float | None
    again: bool


def file(text: str) -> File | None:
    """Read what follows the symbol of a file's line: `src/a.test.js (3 tests | 1 failed) 5ms`."""
    if " test" not in text or len(text) > _LONGEST:
        return None
    found = _FILE.match(text)
    if found is None or " > " in found[1]:
        return None
    counts = {word: integer(number) for number, word in _COUNT.findall(found[3])}
    passed = integer(found[2]) - sum(counts.values())
    return File(unlabelled(found[1]), max(0, passed), counts.get("failed", 0))


def title(text: str) -> Title:
    """Read a test's title, `adds 12ms (retry x1)`."""
    again = False
    while text.endswith(")") and (found := _AGAIN.search(text, max(0, len(text) - 24))):
        again = again or " (retry" in found[0]
        text = text[: found.start()]
    text = text.removesuffix(" [skipped]")
    shown, duration = bare_timed(text)
    return Title(shown, duration, again)


def suite(text: str) -> str:
    """The title of a suite's heading in a tree, `calc (16)`; "" if it is none."""
    found = _SUITE.match(text) if text.endswith(")") else None
    return found[1] if found else ""


def unlabelled(text: str) -> str:
    """A path or name without the project's label before it, `|unit| ` or ` unit  `."""
    if text.startswith("|"):
        return text.partition("| ")[2] or text
    if text.startswith(" "):
        return text.lstrip(" ").partition("  ")[2].lstrip(" ") or text.strip(" ")
    return text


def counts(line: str) -> dict[str, int]:
    """The numbers of a line of totals by their words."""
    return {word: integer(number) for number, word in _COUNT.findall(line[:_LONGEST])}


def is_rule(line: str) -> bool:
    """A heading or an end of failures: `⎯⎯⎯ Failed Tests 6 ⎯⎯⎯`, `⎯⎯⎯[1/6]⎯`."""
    return line.startswith("⎯⎯⎯") and line.endswith("⎯")
