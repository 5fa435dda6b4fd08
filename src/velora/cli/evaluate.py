"""`velora evaluate`: grade the patches of a run, or those that somebody else made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import (
    RUNS,
    AnyDataset,
    ConfigFile,
    Family,
    Ids,
    Image,
    Json,
    Limit,
    Note,
    QuarantineFile,
    SandboxName,
    SkipIds,
    Split,
    Timeout,
    separated,
)

PREDICTIONS = (
    "Patches to grade: SWE-bench's JSON or JSONL, OpenHands' output.jsonl, mini-swe-agent's "
    "preds.json, Multi-SWE-bench's rows; or gold, the data set's own."
)


def command(
    run_dir: Annotated[
        Path | None,
        typer.Argument(help="A run's directory, or none with --predictions.", show_default=False),
    ] = None,
    predictions: Annotated[str, typer.Option("--predictions", "-p", help=PREDICTIONS)] = "",
    dataset: AnyDataset = None,
    family: Family = "",
    split: Split = "",
    output_dir: Annotated[
        Path, typer.Option("--output-dir", "--eval-output-dir", help="Where runs are kept.")
    ] = RUNS,
    eval_note: Note = "",
    eval_n_limit: Limit = None,
    eval_ids: Ids = "",
    skip_ids: SkipIds = "",
    config_file: ConfigFile = None,
    image: Image = "",
    again: Annotated[bool, typer.Option("--again", help="Grade what is graded already.")] = False,
    eval_num_workers: Annotated[
        int | None, typer.Option("--eval-num-workers", min=1, help="Gradings at once.")
    ] = None,
    timeout: Timeout = None,
    quarantine: QuarantineFile = "",
    sandbox: SandboxName = "",
    json: Json = False,
) -> int:
    """Grade patches: apply each in a fresh container and run the task's tests.

    With --predictions and --dataset the patches become a run of their own, which
    can be shown, graded again and resumed: the same command again goes on.
    """
    from velora.cli import evaluating

    if predictions:
        return evaluating.predictions(
            predictions,
            run_dir,
            dataset,
            json=json,
            family=family,
            split=split,
            output_dir=output_dir,
            note=eval_note,
            limit=eval_n_limit,
            ids=separated(eval_ids),
            skip=separated(skip_ids),
            config_file=config_file,
            image=image,
            again=again,
            workers=eval_num_workers,
            timeout=timeout,
            backend=sandbox,
            quarantine=quarantine,
        )
    return evaluating.evaluate(
        run_dir,
        dataset,
        again=again,
        workers=eval_num_workers,
        timeout=timeout,
        backend=sandbox,
        image=image,
        quarantine=quarantine,
        json=json,
    )
