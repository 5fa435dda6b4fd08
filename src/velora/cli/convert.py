"""`velora convert`: a table of tasks → a JSONL task file, with a report of what was damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import Json

TABLE = (
    "A workbook (.xlsx), .csv, .tsv, .parquet, .json or .jsonl, a directory with a data set, or a "
    "data set's name on a hub."
)


def command(
    table: Annotated[str, typer.Argument(help=TABLE, metavar="IN")],
    output: Annotated[Path, typer.Argument(help="The task file.", metavar="OUT.jsonl")],
    per_task: Annotated[
        Path | None,
        typer.Option(
            "--per-task",
            metavar="DIR",
            help="Write a file per task there too, INSTANCE_ID.jsonl.",
            show_default=False,
        ),
    ] = None,
    sheet: Annotated[
        str, typer.Option("--sheet", help="The workbook's sheet; the first one unless given.")
    ] = "",
    delimiter: Annotated[
        str,
        typer.Option("--delimiter", help="Of a CSV file, or tab; the header tells unless given."),
    ] = "",
    split: Annotated[str, typer.Option("--split", help="The data set's split.")] = "",
    config: Annotated[str, typer.Option("--config", help="The data set's configuration.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing and exit with 2 if anything is damaged.")
    ] = False,
    json: Json = False,
) -> int:
    """Convert a table of tasks to JSONL and report, row by row, what is damaged.

    Damaged rows are written all the same, except those without an id or with
    the id of a row above. A workbook's sheet is held in memory as a whole; of
    everything else one block of rows, and the ids.
    """
    from velora.cli import converting
    from velora.instances.tables.table import Options

    request = converting.Request(
        table,
        output,
        per_task=per_task,
        options=Options(sheet=sheet, delimiter=delimiter, split=split, config=config),
        strict=strict,
    )
    return converting.convert(request, json=json)
