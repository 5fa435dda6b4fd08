"""A test log of any length and any bytes, as the lines that parsers take.

A log is read as often as it is asked for, in blocks, so that one of many gigabytes takes no more
memory than its longest line, and of a line only so much as a parser can need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Protocol

from velora.grading.parsers.text import lines

LONGEST = 64 * 1024 * 1024
"""Bytes of one line that are read; whole reports in JSON come on a single line."""

_BLOCK = 256 * 1024
"""Bytes that are read and split at once: what stays in the processor's cache is split faster."""


class Log(Protocol):
    """A log that can be read several times.

    Attributes:
        warnings: what was not read of it, known after it has been read once.
    """

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was not read."""
        ...

    def lines(self, *, raw: bool = False) -> Iterator[tuple[int, str]]:
        """Each line with its number; see `parsers.text.lines`."""
        ...


@dataclass(frozen=True, slots=True)
class TextLog:
    """A log in memory."""

    text: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """None: all of it is read."""
        return ()

    def lines(self, *, raw: bool = False) -> Iterator[tuple[int, str]]:
        """See `Log.lines`."""
        return lines(self.text, raw=raw)


@dataclass(slots=True)
class FileLog:
    """A log on disk; bytes that are no UTF-8 become U+FFFD."""

    path: Path
    longest: int = LONGEST
    _cut: dict[int, int] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The lines that were cut."""
        return tuple(
            f"line {number} has {size:,} bytes; only the first {self.longest:,} were read"
            for number, size in self._cut.items()
        )

    def lines(self, *, raw: bool = False) -> Iterator[tuple[int, str]]:
        """See `Log.lines`.

        Raises:
            OSError: the file cannot be read.
        """
        return chain.from_iterable(
            lines(block.decode("utf-8", "replace"), first=number, raw=raw)
            for number, block in self._blocks()
        )

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Blocks of whole lines, each with its first line's number."""
        number = 1
        begun, size = bytearray(), 0  # a line whose end is yet to come: what is kept, its length
        with self.path.open("rb") as file:
            while chunk := file.read(_BLOCK):
                head, newline, rest = chunk.partition(b"\n")
                begun += head[: self.longest - len(begun)]
                size += len(head)
                if not newline:
                    continue
                self._note(number, size)
                end = rest.rfind(b"\n") + 1
                block = b"".join((begun, newline, rest[:end]))
                yield number, block
                number += block.count(b"\n")
                begun, size = bytearray(rest[end:][: self.longest]), len(rest) - end
        self._note(number, size)
        if begun:
            yield number, bytes(begun)

    def _note(self, number: int, size: int) -> None:
        if size > self.longest:
            self._cut[number] = size
