"""Names and times as JavaScript's test runners print them."""

from __future__ import annotations

import re

from velora.grading.parsers.text import decimal

JOIN = " > "
"""Between the parts of a name."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIMED = re.compile(r"(.*) \(([\d.]+) (ms|s|m|h)\)\Z", re.DOTALL)
_TIGHT = re.compile(r"(.*) \(([\d.]+)(ms|s|m|h)\)\Z", re.DOTALL)
_BARE = re.compile(r"(.*) ([\d.]+)(ms|s)\Z", re.DOTALL)


def timed(title: str) -> tuple[str, float | None]:
    """A title without the time after it, `(12 ms)` or `(1.5 s)`, and the seconds."""
    return _split(_TIMED, title) if title.endswith(")") else (title, None)


def timed_tight(title: str) -> tuple[str, float | None]:
    """A title without the time after it, `(12ms)`, and the seconds."""
    return _split(_TIGHT, title) if title.endswith(")") else (title, None)


def bare_timed(title: str) -> tuple[str, float | None]:
    """A title without the time after it, `12ms`, and the seconds."""
    return _split(_BARE, title) if title.endswith("s") else (title, None)


def _split(pattern: re.Pattern[str], title: str) -> tuple[str, float | None]:
    found = pattern.match(title)
    if found is None:
        return title, None
    try:
        return found[1], decimal(found[2]) * _UNITS[found[3]]
    except ValueError:
        return title, None


class Stack:
    """The suites around the line that is being read, by their depth."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def enter(self, depth: int, title: str) -> None:
        """A suite's heading; those at its depth and below are closed."""
        del self.titles[depth:]
        self.titles.append(title)

    def name(self, depth: int, title: str, *, first: str = "") -> str:
        """The full name of a test at `depth`, within `first` where given."""
        parts = [first] if first else []
        return JOIN.join([*parts, *self.titles[:depth], title])
