"""Rows out of a Parquet file, one block of a row group at a time (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from velora.errors import UsageError
from velora.instances.rows import Row
from velora.instances.tables.table import Table

SUFFIXES = (".parquet", ".pq")

_BLOCK = 64
"""Rows that become Python values at once; a row of a task set may have megabytes."""


def open_parquet(path: Path) -> Table:
    """Open a Parquet file; nothing but its footer is read before the first row.

    Raises:
        UsageError: the extra is not installed, or it is no Parquet file.
    """
    source = str(path)
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError:
        raise UsageError(
            "reading a Parquet file needs pyarrow, which is not installed",
            where=source,
            hint="pip install 'velora[parquet]'",
        ) from None
    try:
        file = ParquetFile(path, memory_map=True, pre_buffer=False)
    except (ArrowException, OSError) as error:
        raise UsageError(f"is no readable Parquet file: {error}", where=source) from None
    return Table(source, _rows(file, source, ArrowException), tuple(file.schema_arrow.names))


def _rows(file: Any, source: str, broken: type[Exception]) -> Iterator[Row]:
    number = 0
    try:
        with file:
            for batch in file.iter_batches(batch_size=_BLOCK):
                for value in batch.to_pylist():
                    number += 1
                    yield Row(f"{source}: row {number}", value)
    except (broken, OSError) as error:
        raise UsageError(f"cannot be read behind row {number}: {error}", where=source) from None
