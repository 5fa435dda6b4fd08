"""Rows out of a file: JSONL, a JSON array, pretty-printed or concatenated objects, gzip, BOM.

The first bytes and the text decide what a file is. A file of any size takes the memory of its
longest row: a value that is whole on its line is a row, and one that is not ends where its brackets
close; of an array, which may be a single line, as much is read as an element needs.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import IO, Any

from velora.errors import UsageError
from velora.instances.json_text import Broken, Pending, decode, kind

_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")

_OTHER_FORMATS = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_OTHER_SUFFIXES = {".xlsx", ".xls", ".csv", ".tsv", ".parquet", ".arrow", ".yaml", ".yml"}
NOT_READ = "JSON and JSONL are read, also with gzip; `velora convert` makes JSONL of other tables"

_PIECE = 1024 * 1024
"""Characters of an array that are read at once, where its lines are longer."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is written.

    Attributes:
        where: `tasks.jsonl:12`, the line on which it begins; with `(row 3)` where several begin
            on one line.
        value: the object.
        damaged: it held half of a surrogate pair, which no UTF-8 file can; in `value` such stand
            as U+FFFD.
        found: what is wrong with the row as its reader sees it, one sentence each.
    """

    where: str
    value: dict[str, Any]
    damaged: bool = False
    found: tuple[str, ...] = ()


def iter_rows(path: Path | str) -> Iterator[Row]:
    """Read the rows of a file, one by one.

    Raises:
        UsageError: there is no such file, it is of another format, or a row of it is no JSON
            object; with the line.
    """
    source = str(path)
    last = ""
    try:
        with Path(path).open("rb") as file, _text(file, source) as stream:
            for number, (line, value) in enumerate(_values(stream, source), 1):
                where = f"{source}:{line}"
                if where == last:
                    last, where = where, f"{where} (row {number})"
                else:
                    last = where
                if not isinstance(value, dict):
                    raise UsageError(f"a row must be a JSON object, not {kind(value)}", where=where)
                yield _row(where, value)
    except FileNotFoundError:
        raise UsageError("there is no such file", where=source) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"the gzip archive is damaged: {error}", where=source) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=source) from None


def _text(file: BufferedReader, source: str) -> IO[bytes]:
    """The file's bytes, unpacked, at the first one that is no byte order mark."""
    head = file.peek(8)
    if head.startswith(b"\x1f\x8b"):
        file = BufferedReader(gzip.GzipFile(fileobj=file))
        head = file.peek(8)
    other = next((name for magic, name in _OTHER_FORMATS.items() if head.startswith(magic)), "")
    if not other and Path(source).suffix.lower() in _OTHER_SUFFIXES:
        other = f"a {Path(source).suffix.lower()} file"
    if other:
        raise UsageError(f"this is {other}", where=source, hint=NOT_READ)
    if head.startswith(b"\xef\xbb\xbf"):
        file.read(3)
    return file


def _decoded(stream: IO[bytes], source: str) -> Iterator[tuple[int, str]]:
    """Each line with its number."""
    for number, line in enumerate(stream, 1):
        _check_nul(line, number, source)
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise _not_utf8(error, number, source) from None


def _check_nul(line: bytes, number: int, source: str) -> None:
    at = line.find(b"\0")
    if at >= 0:
        raise UsageError(
            f"holds a NUL byte (column {at + 1})",
            where=f"{source}:{number}",
            hint="the file is damaged, or is UTF-16 text: write it as UTF-8",
        )


def _not_utf8(error: UnicodeDecodeError, number: int, source: str) -> UsageError:
    byte = error.object[error.start]
    return UsageError(
        f"is not UTF-8 (byte {error.start + 1} of the line is {byte:#04x})",
        where=f"{source}:{number}",
    )


def _values(stream: IO[bytes], source: str) -> Iterator[tuple[int, Any]]:
    """Each JSON value with the line on which it begins."""
    peek = getattr(stream, "peek", None)
    if peek is not None and peek(1).lstrip()[:1] == b"[":
        yield from _array(_pieces(stream, source), source)
        return
    lines = _decoded(stream, source)
    begun = False
    pending: Pending | None = None
    for number, line in lines:
        at = 0
        while True:
            if pending is None:
                at = _after_space(line, at)
                if at == len(line):
                    break
                if line[at] == "[" and not begun:
                    rest = (text for _, text in lines)
                    yield from _array(chain([line], rest), source, number)
                    return
                begun = True
                try:
                    value, at = decode(line, at)
                except Broken as error:
                    if not error.cut_short:
                        raise error.usage_error(source, number) from None
                    pending = Pending(source, number, at)
                else:
                    yield number, value
                    continue
            end = pending.feed(line, at)
            if end is None:
                break
            at = end
            yield pending.start, pending.value()
            pending = None
    if pending is not None:
        pending.value()


def _pieces(stream: IO[bytes], source: str) -> Iterator[str]:
    """The text, in lines or, where they are long, in parts of them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    number = 1
    while piece := stream.readline(_PIECE):
        _check_nul(piece, number, source)
        try:
            yield decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise _not_utf8(error, number, source) from None
        number += piece.endswith(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_utf8(error, number, source) from None


class _Text:
    """A text that is read on as it is needed, and forgotten behind what has been read.

    Attributes:
        text: what is held of it.
        first: the line on which that begins.
    """

    def __init__(self, pieces: Iterator[str], first: int) -> None:
        self.text = ""
        self.first = first
        self._pieces = pieces
        self._line, self._counted = first, 0

    def more(self, size: int) -> bool:
        """Read `size` further characters, or what there is; False at the end."""
        parts: list[str] = []
        while size > 0 and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            size -= len(piece)
        self.text += "".join(parts)
        return bool(parts)

    def forget(self, at: int) -> int:
        """Drop what stands before `at`, once that is worth copying the rest; the new `at`."""
        if at < _PIECE:
            return at
        self.first, self._counted = self.line(at), 0
        self.text = self.text[at:]
        return 0

    def line(self, at: int) -> int:
        """The line of the character at `at`; asked for with rising offsets."""
        self._line += self.text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def after_space(self, at: int) -> int:
        """The offset of the next character that is no blank, or of the end."""
        while (at := _after_space(self.text, at)) == len(self.text) and self.more(1):
            pass
        return at

    def value(self, at: int) -> tuple[Any, int]:
        """The value that begins at `at`, and the offset behind it.

        Raises:
            Broken: there is none. An error near the end may only be that of a text cut in two.
        """
        while True:
            try:
                return decode(self.text, at)
            except Broken as error:
                held = len(self.text)
                cut = error.message.startswith("Unterminated") or held - error.at < _PIECE
                if not (cut and self.more(held - at)):
                    raise


def _array(pieces: Iterator[str], source: str, first: int = 1) -> Iterator[tuple[int, Any]]:
    """The elements of an array that is the whole text, each with its line."""
    held = _Text(pieces, first)
    at = held.after_space(0) + 1
    separator = ""
    while True:
        at = held.after_space(held.forget(at))
        if held.text.startswith("]", at) and not separator:
            break
        try:
            value, end = held.value(at)
        except Broken as error:
            begin = held.text.rfind("\n", 0, at) + 1
            broken = Broken(error.message, held.text[begin:], error.at - begin)
            raise broken.usage_error(source, held.line(at)) from None
        yield held.line(at), value
        at = held.after_space(end)
        separator = held.text[at : at + 1]
        if separator == "]":
            break
        if separator != ",":
            broken = Broken("Expecting ',' or ']'", held.text, at)
            raise broken.usage_error(source, held.first)
        at += 1
    at = held.after_space(at + 1)
    if at < len(held.text):
        raise Broken("something follows the array", held.text, at).usage_error(source, held.first)


def _row(where: str, value: dict[str, Any]) -> Row:
    if not _damaged(value):
        return Row(where, value)
    repaired = _SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False))
    return Row(where, json.loads(repaired), damaged=True)


def _damaged(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(_damaged(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_damaged(part) for part in value)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
