"""Rows out of CSV and TSV files, also with gzip, one at a time.

Python's own reader takes the text apart: fields may be of any length and hold quoted line breaks.
The header tells the delimiter where none is given, since the cells below it hold every other
character. NUL bytes, bytes that are no UTF-8 and rows of another length than the header's come
through, for the report; a byte order mark does not.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from velora.errors import UsageError
from velora.instances.rows import Row
from velora.instances.tables.table import Table

SUFFIXES = (".csv", ".tsv")

_DELIMITERS = {"tab": "\t", "\\t": "\t"}
_CANDIDATES = ",\t;|"


def open_delimited(path: Path, delimiter: str = "") -> Table:
    """Open a CSV file; its first row that is not blank is the header.

    Args:
        delimiter: one character, or `tab`; "" is what stands most often in the header.

    Raises:
        UsageError: the file cannot be read or is empty; two columns have one name; the delimiter
            is not one character.
    """
    source = str(path)
    given = _DELIMITERS.get(delimiter, delimiter)
    if len(given) > 1:
        raise UsageError(
            f"a delimiter is one character, not '{delimiter}'",
            where="--delimiter",
            hint="'tab' stands for the tabulator",
        )
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a number of this process, not of a reader
    rows = _rows(path, given)
    columns = _columns(next(rows, (0, [])), source)
    return Table(source, (_row(source, columns, at, cells) for at, cells in rows), columns)


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows below it, each with the line on which it begins."""
    source = str(path)
    try:
        with path.open("rb") as file, _text(file, path) as text:
            line, header = _head(text)
            number = line - 1
            begun = line
            chosen = delimiter or _sniff(header)
            # Strict, or a quote that is never closed would swallow all rows below it in silence.
            reader = csv.reader(_from(header, text), delimiter=chosen, strict=True)
            while True:
                begun = number + reader.line_num + 1
                cells = next(reader, None)
                if cells is None:
                    return
                yield begun, cells
    except csv.Error as error:
        raise UsageError(f"is no readable CSV: {error}", where=f"{source}:{begun}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"the gzip archive is damaged: {error}", where=source) from None
    except UnicodeError as error:
        raise UsageError(f"is no text of its encoding: {error}", where=source) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", where=source) from None


def _text(file: IO[bytes], path: Path) -> io.TextIOWrapper:
    stream: Any = gzip.GzipFile(fileobj=file) if path.suffix.lower() == ".gz" else file
    stream = io.BufferedReader(stream)
    head = stream.peek(4)[:4]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return io.TextIOWrapper(stream, "utf-16", newline="")
    if head[1:2] == b"\0" or head[:1] == b"\0":
        raise UsageError(
            "looks like UTF-16 without its mark", where=str(path), hint="save it as UTF-8"
        )
    return io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")


def _head(text: IO[str]) -> tuple[int, str]:
    """The first line that is not blank, and its number."""
    for number, line in enumerate(text, 1):
        if line.strip():
            return number, line
    return 0, ""


def _from(header: str, text: IO[str]) -> Iterator[str]:
    if header:
        yield header
    yield from text


def _sniff(header: str) -> str:
    """What separates the header's names; what stands within quotes does not count."""
    bare = "".join(header.split('"')[::2])
    return max(_CANDIDATES, key=bare.count)


def _columns(header: tuple[int, list[str]], source: str) -> tuple[str, ...]:
    line, cells = header
    if not any(cell.strip() for cell in cells):
        raise UsageError("is empty", where=source)
    names: dict[str, int] = {}
    for at, cell in enumerate(cells, 1):
        name = cell.replace("\0", "").strip() or f"column {at}"
        if name in names:
            raise UsageError(
                f"the columns {names[name]} and {at} are both named '{name}'",
                where=f"{source}:{line}",
                hint="rename or delete one of them",
            )
        names[name] = at
    return tuple(names)


def _row(source: str, columns: tuple[str, ...], line: int, cells: list[str]) -> Row:
    found: tuple[str, ...] = ()
    if len(cells) != len(columns) and any(cells):
        found = (f"has {len(cells)} cells where the header has {len(columns)}",)
    return Row(f"{source}:{line}", dict(zip(columns, cells, strict=False)), found=found)
