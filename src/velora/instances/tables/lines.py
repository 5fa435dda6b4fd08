"""JSON and JSON lines as a table: every row has the columns that it has."""

from __future__ import annotations

from pathlib import Path

from velora.instances.rows import iter_rows
from velora.instances.tables.table import Table

SUFFIXES = (".jsonl", ".ndjson", ".json")


def open_lines(path: Path) -> Table:
    """Open a JSON file; what is wrong with it is raised when its rows are read."""
    return Table(str(path), iter_rows(path))
