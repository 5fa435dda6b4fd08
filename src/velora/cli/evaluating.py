"""Grading a finished run, or predictions that become one.

A run's rows come from its journals, so that no dataset is needed; predictions need one.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from velora.cli.output import say
from velora.cli.running import watched
from velora.engine.predictions import Evaluation, prepare
from velora.engine.predictions import evaluate as grade
from velora.engine.regrade import Regrade, regrade
from velora.errors import UsageError

SHOWN = 20
"""Ids that one notice names."""


def evaluate(
    run_dir: Path | None,
    dataset: Path | None,
    *,
    again: bool,
    workers: int | None,
    timeout: float | None,
    backend: str,
    image: str,
    json: bool,
) -> int:
    """`velora evaluate RUN_DIR`; returns the exit status.

    Raises:
        UsageError: no directory is named, or a dataset is, which would not be used.
    """
    if run_dir is None:
        raise UsageError(
            "nothing to grade is named", hint="name a run's directory, or --predictions P"
        )
    if dataset is not None:
        raise UsageError(
            "a run's journals hold its rows; a dataset belongs to --predictions",
            where="--dataset",
        )
    request = Regrade(
        run_dir, again=again, workers=workers, timeout=timeout, backend=backend, image=image
    )
    return watched(partial(regrade, request), 0, json=json)


def predictions(
    source: str, run_dir: Path | None, dataset: Path | None, *, json: bool, **options: Any
) -> int:
    """`velora evaluate --predictions P --dataset D`; returns the exit status.

    Raises:
        UsageError: there is no dataset, or a run's directory is named besides.
    """
    if run_dir is not None:
        raise UsageError(
            f"{run_dir} is graded by itself; predictions become a run of their own",
            where="--predictions",
        )
    if dataset is None:
        raise UsageError("the predictions' dataset is needed: --dataset", where="--predictions")
    ready = prepare(Evaluation(source, dataset, **options))
    for notice in ready.notices:
        say(f"velora: {notice}", to=sys.stderr)
    if ready.missing:
        more = ", ... (incomplete_ids in report.json)" if len(ready.missing) > SHOWN else ""
        say(
            f"velora: {len(ready.missing)} of {len(ready.instances)} instances have no prediction: "
            f"{', '.join(ready.missing[:SHOWN])}{more}",
            to=sys.stderr,
        )
    total = sum(len(each) for each in ready.predictions.values())
    return watched(partial(grade, ready), total, json=json)
