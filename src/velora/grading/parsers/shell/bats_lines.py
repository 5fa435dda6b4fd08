"""What single lines of bats mean: TAP, and the pretty form that it writes on terminals.

The pretty form writes a test's line twice, first its name and position (`3/12`), then, from the
line's beginning (`ESC [1G`), its verdict: ` ✓ name`, ` ✗ name`, ` - name (skipped: why)`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from velora.grading.parsers.text import integer, plain
from velora.grading.protocol import Status

HOME = "\x1b[1G"
"""The cursor goes to the line's beginning; in pretty output before every test's name."""

_TEST = re.compile(r"(not )?ok (\d+) (.*)\Z")
_SKIP = re.compile(r" # (?:skip|SKIP)(?: |\Z)")
_SKIP_13 = re.compile(r" # SKIP(?: |\Z)")  # `not ok` in the TAP 13 of some versions
_PLAN = re.compile(r"1\.\.(\d+)\Z")
_TIME = re.compile(r" (?:# )?in (\d+) ?(ms|sec)\Z")
_BEGUN = re.compile(r" {3}(.*)\x1b\[K\x1b\[\d+G *\d+/\d+(?: in \d+ sec)?\x1b\[2G(?:\x1b\[[\d;]*m)?")
_MARKS = {" ✓ ": Status.PASSED, " ✗ ": Status.FAILED, " - ": Status.SKIPPED}
_TIMING = "\x1b[32;22m ["
_TOTALS = re.compile(r"(\d+) tests?, (\d+) failures?((?:, \d+ [a-z ]+)*)(?: in \d+ seconds)?\Z")


class Verdict(NamedTuple):
    """A test's end. `name` may still end in the time that `--timing` adds in TAP."""

    number: int
    name: str
    status: Status


def test(line: str) -> Verdict | None:
    """A TAP line: `ok 2 name`, `ok 3 name # skip why`, `not ok 4 name # timeout after 1s`."""
    found = _TEST.match(line)
    if found is None:
        return None
    name, status = found[3], Status.FAILED if found[1] else Status.PASSED
    if (skipped := (_SKIP_13 if found[1] else _SKIP).search(name)) is not None:
        name, status = name[: skipped.start()], Status.SKIPPED
    elif found[1] and (at := name.rfind(" # timeout after ")) >= 0:
        name, status = name[:at], Status.ERROR
    return Verdict(integer(found[2]), name.strip(), status)


def timed(name: str) -> tuple[str, float] | None:
    """A name without the time at its end, and that time in seconds."""
    found = _TIME.search(name[-32:])
    if found is None:
        return None
    scale = 1000 if found[2] == "ms" else 1
    return name.removesuffix(found[0]), integer(found[1]) / scale


def plan(line: str) -> int | None:
    """The number of tests that will run."""
    found = _PLAN.match(line)
    return integer(found[1]) if found else None


def begun(piece: str) -> str | None:
    """Pretty: the name of the test that begins."""
    found = _BEGUN.match(piece)
    return found[1].strip() if found else None


def ended(piece: str, name: str) -> Status | None:
    """Pretty: how the test `name`, which began on this line, ended."""
    text, bracket, timing = piece.partition(_TIMING)
    text = plain(text).rstrip()
    status = _MARKS.get(text[:3])
    text = text[3:]
    if status is Status.SKIPPED:
        text = text[: text.rfind(" (skipped")]
    short = timed(name)  # some versions take the end of such a name for the time
    cut = name.endswith("...") and text.startswith(name[:-3])
    if text != name and not cut and (short is None or text != short[0]):
        return None
    return Status.ERROR if bracket and timing.startswith("timeout") else status


def totals(line: str) -> tuple[int, int] | None:
    """Pretty: how many tests there were, and how many of them failed or ran out of time."""
    found = _TOTALS.match(line)
    if found is None:
        return None
    more = re.search(r", (\d+) timed out", found[3])
    return integer(found[1]), integer(found[2]) + (integer(more[1]) if more else 0)
