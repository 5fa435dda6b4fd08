"""`velora convert`: a table of tasks → a JSONL task file, with a report of what was damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    table: Annotated[Path, typer.Argument(help="An Excel workbook.", metavar="IN.xlsx")],
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
        str, typer.Option("--sheet", help="The sheet's name; the first one unless given.")
    ] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing and exit with 2 if anything is damaged.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> int:
    """Convert a workbook of tasks to JSONL and report, row by row, what is damaged.

    Damaged rows are written all the same, except those without an id or with
    the id of a row above. The sheet is held in memory as a whole.
    """
    from velora.cli import converting

    request = converting.Request(table, output, per_task=per_task, sheet=sheet, strict=strict)
    return converting.convert(request, json=json)
