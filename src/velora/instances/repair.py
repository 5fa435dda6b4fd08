"""Cells that a spreadsheet or an export has changed: what they were, where that can be proved.

- A number that is an id comes back with all its digits as long as the table kept them.
- A patch whose line breaks have become the characters `\\n` is unescaped if exactly one reading of
  it is a diff: the counts in a hunk's header must agree with its lines, and a backslash that
  belonged to the code itself would make them disagree.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

MOST_DIGITS = 15
"""Digits of a number that Excel keeps; it puts zeros for the others."""

_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E(\+?)(\d{1,3})")
_BREAKS = (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"))
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_HEADER = re.compile(
    r"diff |index [0-9a-f]|--- |\+\+\+ |(?:old|new|new file|deleted file) mode |similarity |"
    r"dissimilarity |rename |copy |Binary files |\\ |\s*\Z"
)


def whole_number(text: str) -> int | None:
    """The whole number that a text such as `6.0591074528704E14` stands for; None for any other.

    A spreadsheet writes `E+14` for what it shows, and rounds that; without the sign all digits
    that the number had are there.
    """
    found = _SCIENTIFIC.fullmatch(text)
    if found is None:
        return None
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else None


def rounded(text: str) -> bool:
    """It is a number in the form in which a spreadsheet shows those that it has rounded."""
    found = _SCIENTIFIC.fullmatch(text)
    if found is None or not found[1]:
        return False
    return len(text.partition("E")[0].replace(".", "")) <= int(found[2])


def why_no_diff(text: str) -> str:
    """What is wrong with a diff, or ""."""
    try:
        return "" if PatchSet(text) else "is no unified diff"
    except UnidiffParseError as error:
        return f"is a broken diff: {error}"


def unescaped(text: str) -> str:
    """The diff that an escaped text stands for; "" where none or more than one could be meant."""
    if "\n" in text.strip() or "\\n" not in text:
        return ""
    readings = {_as_json(text), _as_breaks(text)} - {""}
    sound = [reading for reading in readings if not why_no_diff(reading) and _whole(reading)]
    return sound[0] if len(sound) == 1 else ""


def _whole(text: str) -> bool:
    """No line is left over: each is a header's or counted by one. A diff's readers pass over what
    stands between its hunks, such as the rest of a line that was broken in two."""
    old = new = 0
    for line in text.split("\n"):
        if old > 0 or new > 0:
            old -= line[:1] not in {"+", "\\"}
            new -= line[:1] not in {"-", "\\"}
        elif hunk := _HUNK.match(line):
            old, new = (int(count or 1) for count in hunk.groups())
        elif not _HEADER.match(line):
            return False
    return True


def _as_json(text: str) -> str:
    """Every escape undone, as JSON has them."""
    try:
        decoded = json.loads(f'"{text.strip()}"', strict=False)
    except ValueError:
        return ""
    return decoded if isinstance(decoded, str) else ""


def _as_breaks(text: str) -> str:
    """Only the line breaks and tabulators undone."""
    for escape, character in _BREAKS:
        text = text.replace(escape, character)
    return text
