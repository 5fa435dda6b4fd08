"""`velora replay`: run a trajectory's actions again and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import Json, SandboxName


def command(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="TRAJECTORY",
            help="An events.jsonl, an attempt's or a run's directory, or an output.jsonl.",
        ),
    ],
    instance_id: Annotated[
        str, typer.Argument(help="Which instance, where there are several.", metavar="[ID]")
    ] = "",
    attempt: Annotated[
        int, typer.Option("--attempt", min=0, help="Which attempt; 0 is the last.")
    ] = 0,
    image: Annotated[str, typer.Option("--image", help="In place of the task's own.")] = "",
    backend: SandboxName = "",
    json: Json = False,
) -> int:
    """Run a trajectory's actions again in a fresh sandbox, without a model, and compare.

    Exit status 0: every result and the patch are the same; 1: something came out otherwise.
    """
    from velora.cli import replaying

    return replaying.run(path, instance_id, attempt, image=image, backend=backend, json=json)
