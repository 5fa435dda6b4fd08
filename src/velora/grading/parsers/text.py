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
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|[@-Z\\^_]"  # two-character sequences
    r")"
)


def plain(text: str) -> str:
    """`text` without ANSI escape sequences."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line's number (from 1) and its text without escapes and line end.

    Only `\\n`, `\\r\\n` and a lone `\\r` end a piece: form feeds and Unicode separators may stand
    in a test's name.
    """
    number = 0
    start = 0
    length = len(text)
    while start < length:
        end = text.find("\n", start)
        if end < 0:
            end = length
        number += 1
        line = text[start:end]
        start = end + 1
        if "\r" in line:
            line = line.removesuffix("\r")
        for piece in plain(line).split("\r"):
            yield number, piece
