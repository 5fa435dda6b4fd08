"""`velora show`: one trajectory as a person reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    path: Annotated[
        Path,
        typer.Argument(help="A run's directory, an attempt's, or an events.jsonl."),
    ],
    instance_id: Annotated[
        str, typer.Argument(help="Which instance, where the run has several.", metavar="[ID]")
    ] = "",
    attempt: Annotated[
        int, typer.Option("--attempt", min=0, help="Which attempt; 0 is the last.")
    ] = 0,
    full: Annotated[bool, typer.Option("--full", help="Whole outputs, not their heads.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The events as JSON lines.")] = False,
) -> int:
    """Print a trajectory: what the model said, did and saw, the patch and the verdict."""
    from velora.cli import showing

    return showing.show(path, instance_id, attempt, full=full, json=json)
