"""Tables of any format as one stream of rows, for `velora convert`.

A file's name decides how it is read; what is neither a file nor a directory and looks like
`owner/name` is a data set on a hub. Each reader holds one row, or one block of rows, at a time;
only a workbook's sheet is held as a whole, since that is how its library loads one.
"""

from __future__ import annotations

from pathlib import Path

from velora.errors import UsageError
from velora.instances.read import looks_like_hub
from velora.instances.tables import delimited, excel, hub, lines, parquet
from velora.instances.tables.table import Options, Table

SUFFIXES = (*excel.SUFFIXES, *delimited.SUFFIXES, *parquet.SUFFIXES, *lines.SUFFIXES)


def open_table(source: Path | str, options: Options | None = None) -> Table:
    """Open a table.

    Args:
        source: a file, a directory with a data set, or a data set's name on a hub.

    Raises:
        UsageError: there is no such thing; it is of another format or cannot be read; an extra
            that it needs is not installed; an option does not fit the format.
    """
    options = options or Options()
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix == ".gz":
        suffix = Path(path.stem).suffix.lower()
    local = path.exists()
    is_hub = path.is_dir() or (not local and looks_like_hub(str(source)))
    _check_options(str(source), options, suffix, hub=is_hub)
    if is_hub:
        return hub.open_dataset(str(source), options.split, options.config)
    if not local:
        raise UsageError("there is no such file", where=str(source))
    if suffix in excel.SUFFIXES:
        return excel.open_sheet(path, options.sheet)
    if suffix in delimited.SUFFIXES:
        return delimited.open_delimited(path, options.delimiter)
    if suffix in parquet.SUFFIXES:
        return parquet.open_parquet(path)
    if suffix in lines.SUFFIXES:
        return lines.open_lines(path)
    raise UsageError(
        f"its name does not tell its format; these are read: {', '.join(SUFFIXES)}",
        where=str(source),
    )


def _check_options(source: str, options: Options, suffix: str, *, hub: bool) -> None:
    for flag, value, fits in (
        ("--sheet", options.sheet, suffix in excel.SUFFIXES),
        ("--delimiter", options.delimiter, suffix in delimited.SUFFIXES),
        ("--split", options.split, hub),
        ("--config", options.config, hub),
    ):
        if value and (not fits or (hub and flag in {"--sheet", "--delimiter"})):
            raise UsageError(f"{flag} means nothing for {source}", where=flag)


__all__ = ["SUFFIXES", "Options", "Table", "open_table"]
