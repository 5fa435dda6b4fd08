"""`velora validate`: are the tasks of a data set themselves sound?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import (
    ConfigFile,
    Dataset,
    Family,
    Ids,
    Image,
    Json,
    Limit,
    SandboxName,
    SkipIds,
    Timeout,
    separated,
)


def command(
    dataset: Dataset,
    family: Family = "",
    runs: Annotated[
        int, typer.Option("--runs", min=1, help="Runs with the gold patch of each instance.")
    ] = 2,
    eval_n_limit: Limit = None,
    eval_ids: Ids = "",
    skip_ids: SkipIds = "",
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
    timeout: Timeout = None,
    config_file: ConfigFile = None,
    sandbox: SandboxName = "",
    image: Image = "",
    json: Json = False,
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
