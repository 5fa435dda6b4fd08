"""Grading a finished run: the rows come from its journals, so that no dataset is needed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from velora.cli.running import watched
from velora.engine.regrade import Regrade, regrade


def evaluate(
    run_dir: Path,
    *,
    again: bool,
    workers: int | None,
    timeout: float | None,
    backend: str,
    json: bool,
) -> int:
    """`velora evaluate`; returns the exit status."""
    request = Regrade(run_dir, again=again, workers=workers, timeout=timeout, backend=backend)
    return watched(partial(regrade, request), 0, json=json)
