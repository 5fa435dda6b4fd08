"""Which frameworks' signs a log shows, with few looks at a line that shows none.

Hardly a line of a log is a sign, and there are some fifty frameworks to look for. So a line is
looked up by its first character that is no blank: only those are tried whose signs can begin there
(`Framework.begins`), and these as one alternation without groups, of which the regular expression
engine passes over most of what cannot begin so before it tries it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from velora.grading.parsers.framework import Framework

Matches = Callable[[str], re.Match[str] | None]

_MOST = 4096
"""Beginnings that are remembered; a log may begin its lines with any of a million characters."""


def find(
    frameworks: Iterable[Framework], lines: Iterable[tuple[int, str]]
) -> dict[str, tuple[int, str]]:
    """Those of the frameworks whose signs the lines show, each with the first that shows one."""
    found: dict[str, tuple[int, str]] = {}
    signs = Signs(frameworks)
    if not signs.wanted:
        return found
    for number, line in lines:
        first = line[:1]
        matches = signs[" " + line.lstrip()[:1] if first.isspace() else first]
        if matches is None or matches(line) is None:
            continue
        found.update((one.name, (number, line)) for one in signs.take(line))
        if not signs.wanted:
            break
    return found


class Signs(dict[str, Matches | None]):
    """By how a line begins: what matches if it shows a sign of a framework that is still looked
    for; None where no sign begins so. A line begins with its first character, or with a blank and
    its first character that is none; "" where there is none."""

    def __init__(self, frameworks: Iterable[Framework]) -> None:
        super().__init__()
        self.wanted = [framework for framework in frameworks if framework.signs]

    def __missing__(self, first: str) -> Matches | None:
        signs = "|".join(one.signs for one in self.wanted if _may_begin(one, first))
        matches = re.compile(signs).match if signs else None
        if len(self) < _MOST:
            self[first] = matches
        return matches

    def take(self, line: str) -> list[Framework]:
        """The frameworks whose signs `line` shows; they are looked for no more."""
        shown = [one for one in self.wanted if re.match(one.signs, line) is not None]
        self.wanted = [one for one in self.wanted if one not in shown]
        self.clear()
        return shown


def _may_begin(framework: Framework, first: str) -> bool:
    if not first.strip():
        return False
    begins = framework.begins
    return not begins or re.fullmatch(f"[{begins}]+", first) is not None
