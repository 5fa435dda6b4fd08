"""What single lines of PHPUnit's output mean. Which of them count is `phpunit_log`'s affair."""

from __future__ import annotations

import re

from velora.grading.parsers.text import integer
from velora.grading.protocol import Status

SYMBOLS = {
    "✔": Status.PASSED,
    "✘": Status.FAILED,
    "↩": Status.SKIPPED,
    "∅": Status.SKIPPED,  # incomplete
    "☢": Status.PASSED,  # risky: it passed, and asserted nothing or printed
    "⚠": Status.PASSED,  # it passed, with a warning
}
"""Testdox's signs; it does not tell errors from failures."""

_HEADER = re.compile(r".+ \(([\w\\]+)\)$")
_TIMED = re.compile(r" \[\d+\.\d+ m?s\]$")
_STARTED = re.compile(r"Test '(.+)' (started|ended)$")
_EVENT = re.compile(
    r"Test (Preparation Started|Passed|Failed|Errored|Skipped|Marked Incomplete|Finished) \((.+)\)$"
)
_TEAMCITY = re.compile(
    r"##teamcity\[(test(?:Suite)?\w+) name='((?:[^'|]|\|.)*)'"
    r"(?: locationHint='((?:[^'|]|\|.)*)')?"
)
_DURATION = re.compile(r" duration='(\d+)'(?: flowId='\d*')?\]$")
_ESCAPE = re.compile(r"\|(0x[0-9A-Fa-f]{4}|.)")
_ENTRY = re.compile(r"(\d+)\) ([\w\\]+::\w.*)$")
_BLOCK = re.compile(
    r"There (?:was|were) (\d+) (error|failure|warning|risky test|incomplete test|skipped test)s?:$"
)
_TOTALS = re.compile(r"OK \((\d+) tests?, |Tests: (\d+), Assertions: ")
_COUNT = re.compile(r"(Errors|Failures|Skipped|Incomplete): (\d+)")
_DATA = " with data set "
_LONGEST = 4000  # characters of a heading that are read
_SEARCHED = 8  # places where an event may begin: a label may hold the same words

BLOCKS = {
    "error": Status.ERROR,
    "failure": Status.FAILED,
    "warning": Status.PASSED,
    "risky test": Status.PASSED,
    "incomplete test": Status.SKIPPED,
    "skipped test": Status.SKIPPED,
}


def header(line: str) -> str:
    """The class of a testdox heading: `Acme\\Calc` of `Calc (Acme\\Calc)`."""
    found = _HEADER.match(line[:_LONGEST])
    return found[1] if found else line


def testdox(line: str) -> tuple[str, Status] | None:
    """The text and the status of a line such as ` ✔ Adds`."""
    status = SYMBOLS.get(line[1:2])
    if status is None or line[2:3] != " ":
        return None
    text = line[3:]
    timed = _TIMED.search(text, max(0, len(text) - 40))
    return text[: timed.start()] if timed is not None else text, status


def debug(line: str) -> tuple[str, str] | None:
    """`started` or `ended` and the name in PHPUnit 9's `--debug`."""
    at = line.find("Test '") if line.endswith("started") else line.rfind("Test '")
    found = _STARTED.match(line, at) if at >= 0 else None
    return (found[2], bare(found[1])) if found else None


def event(line: str) -> tuple[str, str] | None:
    """What happened and the name in `--debug` of PHPUnit 10 and later."""
    at = len(line)
    for _ in range(_SEARCHED):
        at = line.rfind("Test ", 0, at)
        if at < 0:
            break
        found = _EVENT.match(line, at)
        if found is not None:
            test, mark, label = found[2].partition("#")
            if mark:
                label = f"#{label}" if label.isdigit() else f'"{label}"'
                test = f"{test}{_DATA}{label}"
            return found[1], test
    return None


def teamcity(line: str) -> tuple[str, str, str, int | None] | None:
    """Event, name, location and milliseconds of a TeamCity message."""
    found = _TEAMCITY.match(line, line.rfind("##teamcity["))
    if found is None or not line.endswith("]"):
        return None
    duration = _DURATION.search(line, max(0, len(line) - 80))
    milliseconds = integer(duration[1]) if duration is not None else None
    return found[1], _unescaped(found[2]), _unescaped(found[3] or ""), milliseconds


def block(line: str) -> tuple[int, Status] | None:
    """How many entries of which status a heading announces."""
    found = _BLOCK.match(line)
    return (integer(found[1]), BLOCKS[found[2]]) if found else None


def entry(line: str) -> tuple[int, str] | None:
    """The number and the name of an entry below such a heading."""
    found = _ENTRY.match(line)
    return (integer(found[1]), bare(found[2])) if found else None


def totals(line: str) -> tuple[int, dict[str, int]] | None:
    """The number of tests and the counts of other ends than passing."""
    found = _TOTALS.match(line)
    if found is None:
        return None
    counts = {word: integer(number) for word, number in _COUNT.findall(line[:_LONGEST])}
    return integer(found[1] or found[2]), counts


def bare(name: str) -> str:
    """A test's name without the values of its data set."""
    at = name.find(_DATA)
    if at < 0 or not name.endswith(")"):
        return name
    label = at + len(_DATA)
    end = name.find('" (', label) + 1 if name[label : label + 1] == '"' else name.find(" (", label)
    return name[:end] if end > 0 else name


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        escape = found[1]
        if escape.startswith("0x"):
            return chr(int(escape[2:], 16))
        return {"n": "\n", "r": "\r"}.get(escape, escape)

    return _ESCAPE.sub(plain, text) if "|" in text else text
