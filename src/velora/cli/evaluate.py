"""`velora evaluate`: grade the patches of a finished run, again or for the first time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run_dir: Annotated[Path, typer.Argument(help="A run's directory.", show_default=False)],
    again: Annotated[bool, typer.Option("--again", help="Grade what is graded already.")] = False,
    eval_num_workers: Annotated[
        int | None, typer.Option("--eval-num-workers", min=1, help="Gradings at once.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=1, help="Seconds for the test command.")
    ] = None,
    sandbox: Annotated[
        str, typer.Option("--sandbox", help="auto, docker, podman, bubblewrap or host.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> int:
    """Grade patches: apply each in a fresh container and run the task's tests."""
    from velora.cli import evaluating

    return evaluating.evaluate(
        run_dir,
        again=again,
        workers=eval_num_workers,
        timeout=timeout,
        backend=sandbox,
        json=json,
    )
