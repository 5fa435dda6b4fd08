"""What every reader of a table gives: the names of its columns and a stream of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from velora.instances.rows import Row


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is open.

    Attributes:
        where: the place to name for the whole of it, as `tasks.xlsx: sheet 'tasks'`.
        rows: its rows, read on demand and once; blank rows too.
        columns: their names, from the left; None where each row has its own.
        name: of the sheet or split, or "".
        notices: what its reader should know, such as sheets that are not read.
    """

    where: str
    rows: Iterator[Row]
    columns: tuple[str, ...] | None = None
    name: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How to read a table; "" lets the table tell.

    Attributes:
        sheet: of a workbook.
        delimiter: of a CSV file.
        split: of a data set on a hub or in a directory.
        config: the data set's configuration, where it has several.
    """

    sheet: str = ""
    delimiter: str = ""
    split: str = ""
    config: str = ""
