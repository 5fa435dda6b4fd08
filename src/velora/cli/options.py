"""Options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATASET = "The task file: JSONL or JSON, gzipped or not."

Dataset = Annotated[Path, typer.Option("--dataset", help=DATASET, show_default=False)]
AnyDataset = Annotated[Path | None, typer.Option("--dataset", help=DATASET, show_default=False)]
Family = Annotated[
    str,
    typer.Option("--family", help="The dataset's family, as swe_bench; its fields tell else."),
]
Split = Annotated[
    str, typer.Option("--split", help="Part of the output path; files have no splits.")
]
Limit = Annotated[
    int | None, typer.Option("--eval-n-limit", min=1, help="Only the first N instances.")
]
Ids = Annotated[str, typer.Option("--eval-ids", help="Only these instances, separated by commas.")]
SkipIds = Annotated[
    str, typer.Option("--skip-ids", help="All but these instances, separated by commas.")
]
Note = Annotated[str, typer.Option("--eval-note", help="Appended to the output directory's name.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config-file", help="Default: ./config.toml.", show_default=False),
]
SandboxName = Annotated[
    str, typer.Option("--sandbox", help="auto, docker, podman, bubblewrap or host.")
]
Image = Annotated[
    str, typer.Option("--image", help="For instances whose own image is not to be found.")
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=1, help="Seconds for the test command.")
]
QuarantineFile = Annotated[
    str, typer.Option("--quarantine", help="The quarantine.json of `velora validate`.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]

RUNS = Path("evaluation/evaluation_outputs/outputs")
"""Where runs are kept unless the user says otherwise."""


def separated(text: str) -> tuple[str, ...]:
    """The words of a list that commas separate."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
