"""`velora validate`: are the tasks of a data set themselves sound?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.run import DATASET, FAMILY, separated


def command(
    dataset: Annotated[Path, typer.Option("--dataset", help=DATASET, show_default=False)],
    family: Annotated[str, typer.Option("--family", help=FAMILY)] = "",
    runs: Annotated[
        int, typer.Option("--runs", min=1, help="Runs with the gold patch of each instance.")
    ] = 2,
    eval_n_limit: Annotated[
        int | None, typer.Option("--eval-n-limit", min=1, help="Only the first N instances.")
    ] = None,
    eval_ids: Annotated[
        str, typer.Option("--eval-ids", help="Only these instances, separated by commas.")
    ] = "",
    skip_ids: Annotated[
        str, typer.Option("--skip-ids", help="All but these instances, separated by commas.")
    ] = "",
    output_dir: Annotated[
        Path, typer.Option("--output-dir", help="Where results and the quarantine are kept.")
    ] = Path("evaluation/validations"),
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache",
            help="Where runs without a patch are kept; by default in your cache directory.",
            show_default=False,
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Keep no runs, and use none.")
    ] = False,
    eval_num_workers: Annotated[
        int | None, typer.Option("--eval-num-workers", min=1, help="Runs at once.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=1, help="Seconds for the test command.")
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option("--config-file", help="Default: ./config.toml.", show_default=False),
    ] = None,
    sandbox: Annotated[
        str, typer.Option("--sandbox", help="auto, docker, podman, bubblewrap or host.")
    ] = "",
    image: Annotated[
        str, typer.Option("--image", help="For instances whose own image is not to be found.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> int:
    """Validate tasks: run each without a patch and, several times, with its gold patch.

    FAIL_TO_PASS must fail before and pass after, PASS_TO_PASS pass both times.
    Writes what each instance is, and a quarantine file for --quarantine of run
    and evaluate. The same command again does only what is not known yet.
    """
    from velora.cli import validating
    from velora.engine.validate import Request

    request = Request(
        dataset=dataset,
        family=family,
        ids=separated(eval_ids),
        skip=separated(skip_ids),
        limit=eval_n_limit,
        runs=runs,
        output_dir=output_dir,
        cache=None if no_cache else cache or validating.default_cache(),
        config_file=config_file,
        workers=eval_num_workers,
        timeout=timeout,
        backend=sandbox,
        image=image,
    )
    return validating.validate(request, json=json)
