"""Rows of a data set on a hub, or in a local directory, through `datasets` (extra `hub`).

It streams: no file of the data set is downloaded as a whole first, and no row but the current one
is held. A directory may be one that `save_to_disk` wrote or one with data files in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from velora.errors import UsageError, nearest
from velora.instances.rows import Row
from velora.instances.tables.table import Table


def open_dataset(source: str, split: str = "", config: str = "") -> Table:
    """Open a data set.

    Args:
        source: its name on the hub, with or without `hub:`, or a directory.
        split: the one that there is where left out; of several one has to be named.
        config: the configuration, where the data set has several.

    Raises:
        UsageError: the extra is not installed, the data set cannot be had, or it has no such
            split.
    """
    name = source.removeprefix("hub:")
    try:
        import datasets
    except ModuleNotFoundError:
        raise UsageError(
            "reading a data set from a hub needs the package datasets, which is not installed",
            where=source,
            hint="pip install 'velora[hub]'",
        ) from None
    try:
        loaded = _load(datasets, name, config)
    except Exception as error:  # its own, its network's, its file system's: no common base
        text = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"the data set cannot be had: {type(error).__name__}: {text}", where=source
        ) from None
    known = list(loaded)
    chosen = split or (known[0] if len(known) == 1 else "")
    if chosen not in known:
        what = f"has no split '{split}'" if split else f"has {len(known)} splits"
        raise UsageError(what, where=source, hint=f"--split: {nearest(split, known)}")
    rows = loaded[chosen]
    columns = tuple(rows.features) if rows.features else None
    where = f"{source}: split '{chosen}'"
    return Table(where, _rows(rows, source, chosen), columns, chosen)


def _load(datasets: Any, name: str, config: str) -> dict[str, Any]:
    if Path(name).is_dir() and any(Path(name).glob("**/dataset_info.json")):
        found = datasets.load_from_disk(name)
        found = found if isinstance(found, dict) else {"train": found}
        return {split: rows.to_iterable_dataset() for split, rows in found.items()}
    loaded: dict[str, Any] = datasets.load_dataset(name, config or None, streaming=True)
    return loaded


def _rows(rows: Any, source: str, split: str) -> Iterator[Row]:
    for number, value in enumerate(rows, 1):
        yield Row(f"{source} {split}: row {number}", dict(value))
