"""Grading what a run left ungraded, or everything again, from the run's directory alone.

The rows are those of the journals, as they were read when the attempts were made; the sandbox is
the run's own unless another is asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from velora.config.environment import from_environment
from velora.config.redact import Redactor
from velora.config.settings import EvaluationSettings, SandboxSettings, Settings
from velora.engine.choice import open_place
from velora.engine.observer import Observer
from velora.engine.runner import Plan, Runner
from velora.engine.session import Result, run_name
from velora.errors import POLICY, UsageError
from velora.instances.fields import instance_of
from velora.instances.model import Instance
from velora.instances.quarantine import Quarantine
from velora.instances.rows import Row
from velora.journal.events import AttemptStarted
from velora.journal.owed import Owed, owed
from velora.journal.report import summarize, wanted_in, write_report
from velora.journal.run import RunDirectory
from velora.journal.store import EVENTS, records


@dataclass(frozen=True, slots=True)
class Regrade:
    """What `velora evaluate` was asked for; None and "" leave the run's own settings.

    `image` is for instances whose own image is not to be found.
    """

    run_dir: Path
    again: bool = False
    workers: int | None = None
    timeout: float | None = None
    backend: str = ""
    image: str = ""
    quarantine: str = ""


async def regrade(request: Regrade, observe: Observer) -> Result:
    """Grade the run's patches.

    Raises:
        UsageError: this is no run, or another process is writing it.
    """
    directory = RunDirectory(request.run_dir)
    metadata = directory.metadata()
    settings = _settings(metadata, request)
    quarantine = Quarantine.named(settings.evaluation.quarantine)
    instances = await asyncio.to_thread(_instances, directory, str(metadata.get("dataset", "")))
    ids = [instance.instance_id for instance in instances]
    with directory.lock():
        due = {one.instance_id: _due(one, request.again) for one in _owed(ids, directory)}
        if any(one.ungraded for one in due.values()):
            async with open_place(
                settings.sandbox,
                run=run_name(directory),
                instances=instances,
                override=request.image,
                prefix=from_environment(os.environ).image_prefix or "mswebench",
            ) as place:
                runner = Runner(
                    plan=Plan(
                        settings=settings,
                        configuration="",
                        run=run_name(directory),
                        agent_cls="",
                        language="",
                        instances=instances,
                        owed=due,
                        evaluate=True,
                        workers=1,
                        graders=settings.evaluation.num_workers or os.cpu_count() or 1,
                        quarantine=quarantine,
                    ),
                    directory=directory,
                    model=None,
                    place=place,
                    redact=Redactor.of(settings, os.environ),
                    observe=observe,
                )
                await runner.run()
        # The run may want instances that nothing was made of: its report goes on saying so.
        wanted = {*ids, *(wanted_in(directory) or ())}
        summary = await asyncio.to_thread(summarize, directory, wanted)
        await asyncio.to_thread(write_report, directory, summary)
        left = any(one.ungraded for one in _owed(ids, directory))
        return Result(directory, summary, complete=not left)


def _owed(ids: list[str], directory: RunDirectory) -> list[Owed]:
    return owed(ids, 0, directory, evaluate=True)


def _due(one: Owed, again: bool) -> Owed:
    if not again:
        return one
    graded = tuple(s.attempt for s in one.states if s.valid and POLICY[s.outcome].graded)
    return Owed(
        instance_id=one.instance_id,
        attempts=0,
        next_attempt=one.next_attempt,
        ungraded=graded,
        valid=one.valid,
        torn=one.torn,
        states=one.states,
    )


def stored_settings(metadata: Mapping[str, Any], *, where: str) -> Settings:
    """The settings that a run's `metadata.json` holds; secrets are masked in them.

    Raises:
        UsageError: they are none of this version.
    """
    try:
        return Settings.model_validate(metadata.get("configuration", {}))
    except ValidationError as error:
        raise UsageError(
            f"its configuration is not one of this version of Velora: {error}", where=where
        ) from None


def _settings(metadata: Mapping[str, Any], request: Regrade) -> Settings:
    settings = stored_settings(metadata, where=str(request.run_dir / "metadata.json"))
    changes = {
        "num_workers": request.workers,
        "timeout": request.timeout,
        "quarantine": request.quarantine or None,
    }
    evaluation = EvaluationSettings.model_validate(
        settings.evaluation.model_dump() | {k: v for k, v in changes.items() if v is not None}
    )
    sandbox = SandboxSettings.model_validate(
        settings.sandbox.model_dump() | ({"backend": request.backend} if request.backend else {})
    )
    return settings.model_copy(update={"evaluation": evaluation, "sandbox": sandbox})


def _instances(directory: RunDirectory, dataset: str) -> tuple[Instance, ...]:
    found: dict[str, Instance] = {}
    for attempt in directory.attempt_dirs():
        if not (attempt / EVENTS).exists():
            continue
        first = next(iter(records(attempt)), None)
        if first is not None and isinstance(first.event, AttemptStarted):
            found[first.event.instance_id] = instance_of(Row(f"{dataset}:0", first.event.row))
    return tuple(found.values())
