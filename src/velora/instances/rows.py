"""Rows out of a file: JSONL, a JSON array, pretty-printed or concatenated objects, gzip, BOM.

The first bytes and the text decide what a file is. Lines are read one at a time, so a JSONL file
of any size takes the memory of its longest row: a value that is whole on its line is a row, and
one that is not ends where its brackets close. Only an array is read as a whole.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
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
NOT_READ = "JSON and JSONL are read, also with gzip; other formats are not read yet"


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is written.

    Attributes:
        where: `tasks.jsonl:12`, the line on which it begins; with `(row 3)` where several begin
            on one line.
        value: the object.
        damaged: it held half of a surrogate pair, which no UTF-8 file can; in `value` such stand
            as U+FFFD.
    """

    where: str
    value: dict[str, Any]
    damaged: bool = False


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
        at = line.find(b"\0")
        if at >= 0:
            raise UsageError(
                f"holds a NUL byte (column {at + 1})",
                where=f"{source}:{number}",
                hint="the file is damaged, or is UTF-16 text: write it as UTF-8",
            )
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"is not UTF-8 (byte {error.start + 1} of the line is {line[error.start]:#04x})",
                where=f"{source}:{number}",
            ) from None


def _values(stream: IO[bytes], source: str) -> Iterator[tuple[int, Any]]:
    """Each JSON value with the line on which it begins."""
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
                    yield from _array(line + "".join(text for _, text in lines), number, source)
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


def _array(text: str, first: int, source: str) -> Iterator[tuple[int, Any]]:
    """The elements of an array that is the whole text, each with its line."""
    at = text.index("[") + 1
    line, counted = first, 0
    separator = ""
    while True:
        at = _after_space(text, at)
        if text.startswith("]", at) and not separator:
            break
        try:
            value, end = decode(text, at)
        except Broken as error:
            raise error.usage_error(source, first) from None
        line += text.count("\n", counted, at)
        counted = at
        yield line, value
        at = _after_space(text, end)
        separator = text[at : at + 1]
        if separator == "]":
            break
        if separator != ",":
            raise Broken("Expecting ',' or ']'", text, at).usage_error(source, first)
        at += 1
    at = _after_space(text, at + 1)
    if at < len(text):
        raise Broken("something follows the array", text, at).usage_error(source, first)


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
