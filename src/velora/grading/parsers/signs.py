"""Which frameworks' signs a line shows, with few looks at a line that shows none.

Hardly a line of a log is a sign, and there are some fifty frameworks to look for. So a line is
looked up by its first character: only those are tried whose signs can begin there
(`Framework.begins`), and these as one alternation without groups, of which the regular expression
engine passes over what cannot begin so before it tries it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from velora.grading.parsers.framework import Framework

Matches = Callable[[str], re.Match[str] | None]

_MOST = 4096
"""First characters that are remembered; a log may begin its lines with any of a million."""


class Signs(dict[str, Matches | None]):
    """By a line's first character ("" for an empty line): what matches if the line shows a sign of
    a framework that is still looked for; None where no sign begins so."""

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
        shown = [
            one
            for one in self.wanted
            if _may_begin(one, line[:1]) and re.match(one.signs, line) is not None
        ]
        self.wanted = [one for one in self.wanted if one not in shown]
        self.clear()
        return shown


def _may_begin(framework: Framework, first: str) -> bool:
    begins = framework.begins
    return bool(first) and (not begins or re.match(f"[{begins}]", first) is not None)
