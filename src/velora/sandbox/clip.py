"""Keeping the head and the tail of an output of any length, in bounded memory.

Bytes become text piece by piece: UTF-8 with replacement, and the `\\r\\n` that a terminal makes of
`\\n` turned back. Beyond the cap the middle is left out and the full text goes to a file, written
as it comes: what the page cache takes is not worth a thread.
"""

from __future__ import annotations

import codecs
from collections import deque
from pathlib import Path
from typing import BinaryIO

GAP = "\n[... cut ...]\n"
"""Stands in a text for what was left out of its middle."""


class Decoder:
    """Turns a terminal's bytes into text, however they are chunked."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._return = ""  # a \r that was the last character and waits for what follows

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """The text of the next bytes; `final` does not wait for the rest of a character."""
        text = self._return + self._utf8.decode(data, final)
        self._return = ""
        if text.endswith("\r") and not final:
            text, self._return = text[:-1], "\r"
        return text.replace("\r\n", "\n")


class Clip:
    """Takes one output in pieces.

    Attributes:
        cut: something was left out.
        spill: the file with the full text, once something was left out and if a directory for
            it was given.
    """

    def __init__(self, limit: int, spill_dir: Path | None = None) -> None:
        """Keep `limit` characters, half from the head and half from the tail."""
        self.cut = False
        self.spill: Path | None = None
        self._spill_dir = spill_dir
        self._file: BinaryIO | None = None
        self._head_limit = limit // 2
        self._tail_limit = limit - limit // 2
        self._head = ""
        self._tail: deque[str] = deque()
        self._tail_length = 0
        self._total = 0  # bytes of the text so far

    def finish(self) -> tuple[str, str, int]:
        """The kept head, the kept tail and how many bytes between them were left out.

        The text is their sum where nothing was. Nothing is added after this.
        """
        if self._file is not None:
            self._file.close()
            self._file = None
        tail = "".join(self._tail)
        if not self.cut:
            return self._head + tail, "", 0
        tail = tail[max(0, len(tail) - self._tail_limit) :]
        return self._head, tail, self._total - _size(self._head) - _size(tail)

    def add(self, text: str) -> None:
        """Take the next piece."""
        self._total += _size(text)
        if self._file is not None:
            self._file.write(text.encode())
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += text[:room]
            text = text[room:]
        if not text:
            return
        self._tail.append(text)
        self._tail_length += len(text)
        if not self.cut and self._tail_length > self._tail_limit:
            self._overflow()
        while self._tail and self._tail_length - len(self._tail[0]) >= self._tail_limit:
            self._tail_length -= len(self._tail.popleft())

    def _overflow(self) -> None:
        """The cap is passed for the first time: nothing has been left out so far."""
        self.cut = True
        if self._spill_dir is None:
            return
        self._spill_dir.mkdir(parents=True, exist_ok=True)
        self.spill, self._file = _create(self._spill_dir)
        self._file.write((self._head + "".join(self._tail)).encode())


def _create(directory: Path) -> tuple[Path, BinaryIO]:
    number = 1
    while True:
        path = directory / f"output-{number:04d}.txt"
        try:
            return path, path.open("xb")
        except FileExistsError:
            number += 1


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
