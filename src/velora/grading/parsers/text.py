"""A log as lines that a parser can trust: no escape sequences, no carriage returns.

A carriage return that is not part of a line end starts a new piece with the same line number, so
progress lines that overwrite each other are all seen. Everything here takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ESCAPES = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|[ -/]+[0-~]"  # character sets, which terminfo's reset chooses: ESC ( B
    r"|[@-Z\\^_]"  # two-character sequences
    r")"
)


def plain(text: str) -> str:
    """`text` without ANSI escape sequences."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def integer(digits: str) -> int:
    """`int` of a run of digits of any length: more than eighteen count nothing, and Python takes
    no more than 4,300."""
    return int(digits[:18])


def decimal(digits: str) -> float:
    """`float` of digits with or without a point, of any length; never infinite."""
    return float(digits[:18])


def lines(text: str, *, first: int = 1, raw: bool = False) -> Iterator[tuple[int, str]]:
    """Each line's number and its text without escapes and line end.

    Only `\\n`, `\\r\\n` and a lone `\\r` end a piece: form feeds and Unicode separators may stand
    in a test's name. A line end at the end of the text begins no further line.

    Args:
        first: the first line's number.
        raw: leave escapes and carriage returns in.
    """
    if not raw:
        text = plain(text)
        if "\r" in text:
            unix = text.replace("\r\n", "\n")
            if "\r" in unix:
                return _overwritten(text, first)
            text = unix
    return enumerate(_pieces(text), first)


def _overwritten(text: str, first: int) -> Iterator[tuple[int, str]]:
    """`lines` of a text in which carriage returns stand within lines."""
    for number, line in enumerate(_pieces(text), first):
        if "\r" in line:
            for piece in line.removesuffix("\r").split("\r"):
                yield number, piece
        else:
            yield number, line


def _pieces(text: str) -> list[str]:
    pieces = text.split("\n")
    if not pieces[-1]:
        pieces.pop()
    return pieces
