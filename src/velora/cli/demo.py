"""`velora demo`: the main job on a task that ships with Velora, with a scripted model.

No key, no container engine, no network and no root is needed: the task's repository is a directory,
so it runs in bubblewrap where the machine has it, else right on the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from velora.cli.options import RUNS


def command(
    sandbox: Annotated[
        str, typer.Option("--sandbox", help="bubblewrap or host; the best there is by default.")
    ] = "",
    output_dir: Annotated[
        Path, typer.Option("--eval-output-dir", help="Where the run is kept.")
    ] = RUNS,
) -> int:
    """Watch an agent repair a small repository, live, and see it graded."""
    from velora.cli import demonstrate

    return demonstrate.demonstrate(sandbox, output_dir)
