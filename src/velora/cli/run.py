"""`velora run`: generate trajectories and, with --evaluate, grade them as they arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import (
    RUNS,
    ConfigFile,
    Dataset,
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
    separated,
)


def command(
    dataset: Dataset,
    llm_config: Annotated[
        str, typer.Option("--llm-config", "-l", help="The section \\[llm.NAME]: llm.gpt or gpt.")
    ] = "",
    agent_cls: Annotated[
        str, typer.Option("--agent-cls", "-c", help="The agent; CodeActAgent unless configured.")
    ] = "",
    agent_config: Annotated[
        str, typer.Option("--agent-config", help="The section \\[agent.NAME].")
    ] = "",
    max_iterations: Annotated[
        int | None,
        typer.Option("--max-iterations", "-i", min=1, help="Answers of the model per attempt."),
    ] = None,
    max_budget_per_task: Annotated[
        float | None,
        typer.Option("--max-budget-per-task", "-b", min=0, help="US dollars per attempt."),
    ] = None,
    max_budget: Annotated[
        float | None,
        typer.Option(
            "--max-budget",
            min=0,
            help="US dollars for the whole run, what was paid in its directory before included.",
        ),
    ] = None,
    family: Family = "",
    split: Split = "",
    eval_n_limit: Limit = None,
    eval_ids: Ids = "",
    skip_ids: SkipIds = "",
    eval_num_workers: Annotated[
        int | None, typer.Option("--eval-num-workers", min=1, help="Attempts at once.")
    ] = None,
    attempts: Annotated[
        int | None, typer.Option("--attempts", min=1, help="Independent attempts per instance.")
    ] = None,
    eval_note: Note = "",
    eval_output_dir: Annotated[
        Path, typer.Option("--eval-output-dir", help="Where runs are kept.")
    ] = RUNS,
    config_file: ConfigFile = None,
    sandbox: SandboxName = "",
    image: Image = "",
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Grade each patch as it arrives.")
    ] = False,
    quarantine: QuarantineFile = "",
    ignore_missing_images: Annotated[
        bool, typer.Option("--ignore-missing-images", help="Run what has an image.")
    ] = False,
    resume: Annotated[
        str,
        typer.Option(
            "--resume",
            help="continue goes on with attempts that were cut off; restart makes new ones.",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved configuration and stop.")
    ] = False,
    json: Json = False,
) -> int:
    """Generate trajectories: run the agent on each task in its container.

    The same command again does only what is still owed, and goes on with what was cut off.
    """
    from velora.cli import running
    from velora.engine.prepare import Request

    request = Request(
        dataset=dataset,
        split=split,
        config_file=config_file,
        llm_config=llm_config,
        agent_config=agent_config,
        agent_cls=agent_cls,
        max_iterations=max_iterations,
        max_budget_per_task=max_budget_per_task,
        max_budget=max_budget,
        limit=eval_n_limit,
        ids=separated(eval_ids),
        skip=separated(skip_ids),
        workers=eval_num_workers,
        attempts=attempts,
        note=eval_note,
        output_dir=eval_output_dir,
        backend=sandbox,
        image=image,
        evaluate=evaluate,
        quarantine=quarantine,
        ignore_missing_images=ignore_missing_images,
        family=family,
        resume=resume,
    )
    return running.run(request, dry_run=dry_run, json=json)
