"""The grading stage: an attempt's patch in a fresh sandbox, and the event with the verdict.

A grading that breaks is an event too, with `error` set and no verdict: the attempt stays owed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from velora.config.settings import Settings
from velora.engine.places import Place
from velora.engine.start import working_directory
from velora.errors import attribute
from velora.grading.grade import grade, grade_empty
from velora.grading.protocol import Verdict
from velora.instances.model import Instance
from velora.instances.quarantine import Quarantine
from velora.journal.events import Graded
from velora.journal.store import read_patch
from velora.sandbox.protocol import Sandbox


async def grade_attempt(
    instance: Instance,
    directory: Path,
    *,
    attempt: int,
    place: Place,
    settings: Settings,
    out_dir: Path,
    language: str = "",
    quarantine: Quarantine | None = None,
) -> Graded:
    """Grade the patch of an ended attempt.

    Args:
        directory: the attempt's, with its journal and patch.
        out_dir: where the evidence goes.
        language: of rows that name none.
        quarantine: what is known to be unsound.
    """
    patch = read_patch(directory)
    entry = quarantine.of(instance.instance_id) if quarantine else None
    try:
        if not patch:
            return _graded(grade_empty(instance, out_dir, entry, language))
        network = settings.evaluation.network

        @asynccontextmanager
        async def fresh() -> AsyncIterator[tuple[Sandbox, str]]:
            async with place.sandbox(instance, attempt=attempt, network=network) as another:
                yield another.sandbox, (await working_directory(another, instance)).path

        async with place.sandbox(instance, attempt=attempt, network=network) as started:
            workdir = await working_directory(started, instance)
            verdict = await grade(
                instance,
                patch,
                sandbox=started.sandbox,
                workdir=workdir.path,
                out_dir=out_dir,
                settings=settings.evaluation,
                language=instance.language or language,
                quarantine=entry,
                fresh=fresh,
            )
            return _graded(verdict)
    except Exception as error:  # the boundary of this stage: a broken grading is data
        outcome, detail = attribute(error)
        return Graded(resolved=None, reason=outcome, error=detail or outcome)


def _graded(verdict: Verdict) -> Graded:
    report: dict[str, Any] = asdict(verdict)
    return Graded(resolved=verdict.resolved, reason=verdict.reason, report=report)
