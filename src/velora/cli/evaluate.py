"""`velora evaluate`: grade the patches of a run, or those that somebody else made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.run import DATASET, FAMILY, separated

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
    dataset: Annotated[
        Path | None, typer.Option("--dataset", help=DATASET, show_default=False)
    ] = None,
    family: Annotated[str, typer.Option("--family", help=FAMILY)] = "",
    split: Annotated[
        str, typer.Option("--split", help="Part of the output path; files have no splits.")
    ] = "",
    output_dir: Annotated[
        Path, typer.Option("--output-dir", "--eval-output-dir", help="Where runs are kept.")
    ] = Path("evaluation/evaluation_outputs/outputs"),
    eval_note: Annotated[
        str, typer.Option("--eval-note", help="Appended to the output directory's name.")
    ] = "",
    eval_n_limit: Annotated[
        int | None, typer.Option("--eval-n-limit", min=1, help="Only the first N instances.")
    ] = None,
    eval_ids: Annotated[
        str, typer.Option("--eval-ids", help="Only these instances, separated by commas.")
    ] = "",
    skip_ids: Annotated[
        str, typer.Option("--skip-ids", help="All but these instances, separated by commas.")
    ] = "",
    config_file: Annotated[
        Path | None,
        typer.Option("--config-file", help="Default: ./config.toml.", show_default=False),
    ] = None,
    image: Annotated[
        str, typer.Option("--image", help="For instances whose own image is not to be found.")
    ] = "",
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
        )
    return evaluating.evaluate(
        run_dir,
        dataset,
        again=again,
        workers=eval_num_workers,
        timeout=timeout,
        backend=sandbox,
        image=image,
        json=json,
    )
