"""`velora run`: generate trajectories and, with --evaluate, grade them as they arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATASET = "The task file: JSONL or JSON, gzipped or not."
FAMILY = "The dataset's family, as swe_bench; its fields tell unless given."


def command(
    dataset: Annotated[Path, typer.Option("--dataset", help=DATASET, show_default=False)],
    llm_config: Annotated[
        str, typer.Option("--llm-config", "-l", help="The [llm.NAME] section: llm.gpt or gpt.")
    ] = "",
    agent_cls: Annotated[
        str, typer.Option("--agent-cls", "-c", help="The agent; CodeActAgent unless configured.")
    ] = "",
    agent_config: Annotated[
        str, typer.Option("--agent-config", help="The [agent.NAME] section.")
    ] = "",
    max_iterations: Annotated[
        int | None,
        typer.Option("--max-iterations", "-i", min=1, help="Answers of the model per attempt."),
    ] = None,
    max_budget_per_task: Annotated[
        float | None,
        typer.Option("--max-budget-per-task", "-b", min=0, help="US dollars per attempt."),
    ] = None,
    family: Annotated[str, typer.Option("--family", help=FAMILY)] = "",
    split: Annotated[
        str, typer.Option("--split", help="Part of the output path; files have no splits.")
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
    eval_num_workers: Annotated[
        int | None, typer.Option("--eval-num-workers", min=1, help="Attempts at once.")
    ] = None,
    attempts: Annotated[
        int | None, typer.Option("--attempts", min=1, help="Independent attempts per instance.")
    ] = None,
    eval_note: Annotated[
        str, typer.Option("--eval-note", help="Appended to the output directory's name.")
    ] = "",
    eval_output_dir: Annotated[
        Path, typer.Option("--eval-output-dir", help="Where runs are kept.")
    ] = Path("evaluation/evaluation_outputs/outputs"),
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
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Grade each patch as it arrives.")
    ] = False,
    ignore_missing_images: Annotated[
        bool, typer.Option("--ignore-missing-images", help="Run what has an image.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved configuration and stop.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> int:
    """Generate trajectories: run the agent on each task in its container.

    The same command again does only what is still owed.
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
        ignore_missing_images=ignore_missing_images,
        family=family,
    )
    return running.run(request, dry_run=dry_run, json=json)


def separated(text: str) -> tuple[str, ...]:
    """The words of a list that commas separate."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
