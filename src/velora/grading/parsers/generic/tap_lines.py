"""What single lines of TAP 12 to 14 mean, for the parsers of runners that speak it. Which lines
are looked at is their affair."""

from __future__ import annotations

import re
from typing import NamedTuple

from velora.grading.parsers.text import decimal
from velora.grading.protocol import Status

_POINT = re.compile(
    r"(not )?ok\b(?: +(\d+)(?=[\s#-]|\Z))?(?:\s+-(?:\s+|\Z)|(?<=\d)-\s*|\s+|(?=#)|\Z)(.*)\Z",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"#\s*(skip|todo)(?:ped|\b)", re.IGNORECASE)
_TIME = re.compile(r"\s*# (?:time|duration_ms)[= ]([\d.]+) ?(ms|s)?\s*\Z")
_PLAN = re.compile(r"1\.\.(\d+)\s*(?:#.*)?\Z")
_YAML_TIME = re.compile(r"\s*duration_ms: ([\d.]+)\Z")
_ESCAPED = re.compile(r"\\([\\#])")
_LONGEST = 4000  # characters of a point that are searched for a directive


class Point(NamedTuple):
    """A test point: `not ok 3 - adds # TODO later`.

    Attributes:
        number: None where the producer gives none.
        printed: the description with TAP's escapes, without its directive and the `- ` before it.
        opens: its own tests follow in braces, as old node-tap writes them.
    """

    number: int | None
    printed: str
    status: Status
    duration: float | None = None
    opens: bool = False

    @property
    def title(self) -> str:
        """The description as it was before TAP's escaping of `#` and the backslash."""
        return _ESCAPED.sub(r"\1", self.printed) if "\\" in self.printed else self.printed


def point(text: str, todo_ok: Status = Status.XPASS) -> Point | None:
    """Read a test point without its indentation.

    Args:
        todo_ok: the status of a test that passes and is marked TODO.
    """
    found = _POINT.match(text)
    if found is None:
        return None
    failed, rest = bool(found[1]), found[3].rstrip()
    opens = rest.endswith(" {")
    if opens:
        rest = rest[:-2]
    duration = None
    if (time := _TIME.search(rest, max(0, len(rest) - 60))) is not None:
        duration = seconds(time[1], time[2] or "s")
        rest = rest[: time.start()]
    status = Status.FAILED if failed else Status.PASSED
    at = _directive(rest)
    if at >= 0 and (directive := _DIRECTIVE.match(rest, at)) is not None:
        if directive[1].lower() == "skip":
            status = Status.SKIPPED
        else:
            status = Status.XFAIL if failed else todo_ok
        rest = rest[:at].rstrip()
    number = int(found[2]) if found[2] and len(found[2]) < 10 else None
    return Point(number, rest, status, duration, opens)


def plan(text: str) -> int | None:
    """How many points the line `1..N` announces."""
    found = _PLAN.match(text) if len(text) < _LONGEST else None
    return int(found[1]) if found and len(found[1]) < 10 else None


def yaml_time(text: str) -> float | None:
    """The seconds that a line of a point's YAML block says."""
    found = _YAML_TIME.match(text) if "duration_ms" in text else None
    return seconds(found[1], "ms") if found else None


def seconds(number: str, unit: str) -> float | None:
    """A printed time in seconds."""
    try:
        return decimal(number) * (0.001 if unit == "ms" else 1.0)
    except ValueError:
        return None


def _directive(text: str) -> int:
    """Where the first `#` stands behind a blank that begins a directive; -1 without one."""
    at = text.find("#", 0, _LONGEST)
    while at >= 0:
        if (at == 0 or text[at - 1].isspace()) and _DIRECTIVE.match(text, at):
            return at
        at = text.find("#", at + 1, _LONGEST)
    return -1
