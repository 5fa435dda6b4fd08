"""What nose and nose2 print beyond unittest's lines: functions by their dotted names, a case of a
generator or of parameters as `name:2` with its arguments on the next line (nose2) or behind the
name (nose), layers whose names are sentences, and skips without quotes.
"""

from __future__ import annotations

import re

from velora.grading.parsers.python.unittest_lines import (
    GAP,
    LONGEST,
    Block,
    Grammar,
    Start,
    direct_start,
    split,
)
from velora.grading.protocol import Status

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.\w+)+(?::\d+)?(?:\(.*\))?\Z")
_NUMBERED = re.compile(r"\w+:\d+\Z")
_LAYERED = re.compile(r"test \d+: ")
_CONTENT = re.compile(r"[\w.<>]+\Z")
_FUNCTIONS = ".transplant_class.<locals>.C"  # what nose2 up to 0.9 calls a function's class
_HOLDER = "_ErrorHolder"


class NoseGrammar(Grammar):
    """nose's and nose2's lines."""

    heading = 5
    numbered = True

    def starts(self, line: str, before: str) -> list[Start]:
        """See `Grammar.starts`."""
        if " " in line and not _may_start(line, before):
            return []
        if len(line) <= 2 * LONGEST:
            start = _start(line, before)
            if start is not None:
                return [start]
        return super().starts(line, before)

    def verdict(self, text: str) -> Status | None:
        """See `Grammar.verdict`."""
        if text.startswith(("skipped ", "SKIP: ")) or text in ("skipped", "SKIP"):
            return Status.SKIPPED
        return super().verdict(text)

    def block(self, lines: list[str]) -> Block | None:
        """See `Grammar.block`. A class's set-up that failed has no name."""
        kind, colon, text = lines[0].partition(": ")
        if kind not in ("FAIL", "ERROR") or not colon or not text:
            return None
        if text == _HOLDER:
            return Block(kind, "")
        if _NUMBERED.match(text) and len(lines) > 1:
            start = _start(lines[1], text)
        else:
            start = _start(text, "")
        return Block(kind, start.name) if start else super().block(lines)


def _may_start(line: str, before: str) -> bool:
    """What every line of several words shows that begins a test; it spares output the trial."""
    return (
        line.endswith(")")
        or " ..." in line
        or _FUNCTIONS in line
        or _NUMBERED.match(before) is not None
    )


def _start(line: str, before: str) -> Start | None:
    if line.endswith("..."):
        line += " "
    name, gap, rest = line.partition(GAP)
    if _DOTTED.match(name):
        # nose2's `name:2` has its arguments on the next line.
        return Start(name, rest, described=bool(gap)) if gap or ":" in name else None
    if _NUMBERED.match(before):
        return _numbered(line, before)
    direct = direct_start(line)
    if direct is not None:
        if _FUNCTIONS in direct.name:
            return Start(direct.name.replace(_FUNCTIONS, ""), direct.rest, direct.described)
        return direct
    head, content, after = split(line)
    module = head.removesuffix(_FUNCTIONS)
    if module != head and _CONTENT.match(module):
        function = f"{module}.{content}"
        return Start(function, after[len(GAP) :], described=after.startswith(GAP))
    if _LAYERED.match(line) and " (" in line:
        return _layered(line)
    if _DOTTED.match(head) and _CONTENT.match(content) and after.startswith(GAP):
        name = content if content.endswith("." + head) else f"{content}.{head}"
        return Start(name, after[len(GAP) :], described=True)  # a module that cannot be imported
    return None


def _numbered(line: str, before: str) -> Start | None:
    """The second line of `test_p:1`: `arguments (module.Class)`, or from nose2 0.10 on
    `arguments (module.Class.test_p:1` and a third that repeats the arguments."""
    end = line.find(GAP)
    opened = line.rfind(" (", 0, end if end >= 0 else len(line))
    content = line[opened + 2 :] if opened >= 0 else ""
    if content.endswith("." + before) and _CONTENT.match(content[: -len(before) - 1]):
        return Start(content, "", described=False, closing=1)
    content, closed, after = content.partition(")")
    if not closed or "." not in content or not _CONTENT.match(content):
        return None
    gap = after.startswith(GAP)
    if after and not gap:
        return None
    return Start(f"{content}.{before}", after[len(GAP) :], described=gap)


def _layered(line: str) -> Start | None:
    """`test 0001: should go (module.A layer)`, whose last part may say the first again."""
    text, gap, rest = line.partition(GAP)
    opened = text.find(" (")
    if not text.endswith(")") or opened < 0:
        return None
    head, content = text[:opened], text[opened + 2 : -1]
    name = content if content.endswith("." + head) else f"{content}.{head}"
    return Start(name, rest, described=bool(gap)) if "." in content else None
