"""What single lines of the Test Anything Protocol mean, for the parsers of runners that speak it.

Descriptions stay as printed, escapes included; directives and the leading `- ` are no part of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from velora.grading.parsers.text import integer
from velora.grading.protocol import Status

_TEST = re.compile(r"(not )?ok\b(?: +(\d+)\b)?(.*)\Z")
_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#.*)?\Z")
_DIRECTIVE = re.compile(r"#\s*(skip|todo)(?:ped)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TapTest:
    """A test line: `not ok 3 - adds # TODO later`. `number` is None where the line has none."""

    ok: bool
    number: int | None
    description: str
    directive: str
    rest: str

    @property
    def status(self) -> Status:
        """What the line says; an unfinished test (`TODO`) is expected to fail."""
        if self.directive == "SKIP":
            return Status.SKIPPED
        if self.directive == "TODO":
            return Status.XPASS if self.ok else Status.XFAIL
        return Status.PASSED if self.ok else Status.FAILED


def test(text: str) -> TapTest | None:
    """The test line that `text` is, without its indentation."""
    found = _TEST.match(text)
    if found is None:
        return None
    rest = found[3].strip()
    if found[3][:1] not in ("", " ", "\t", "-", "#"):
        return None
    description, directive = rest, ""
    at = _hash(rest)
    if at >= 0 and (word := _DIRECTIVE.match(rest, at)) is not None:
        description, directive = rest[:at].rstrip(), word[1].upper()
    if description.startswith("-"):
        description = description[1:].lstrip()
    number = integer(found[2]) if found[2] else None
    return TapTest(found[1] is None, number, description, directive, rest)


def plan(text: str) -> int | None:
    """How many tests a plan, `1..3`, announces."""
    found = _PLAN.match(text)
    return integer(found[1]) if found else None


def _hash(text: str) -> int:
    """Where the first `#` stands that no backslash escapes; -1 if none does."""
    at = text.find("#")
    while at > 0:
        backslashes = at - len(text[:at].rstrip("\\"))
        if backslashes % 2 == 0:
            break
        at = text.find("#", at + 1)
    return at
