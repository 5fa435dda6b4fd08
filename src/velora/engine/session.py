"""One run from its claim on a directory to its report.

The order matters: the directory is claimed and locked, what a crash left behind is put right, what
is owed is worked out, the place is opened with every image known to be there, and only then does
the first attempt start.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from velora.agent.memory.build import build as build_condenser
from velora.config.redact import Redactor
from velora.engine.attempt import conversation_of
from velora.engine.observer import Observer
from velora.engine.prepare import Prepared, checked_place
from velora.engine.runner import Plan, Runner, RunStopped
from velora.journal.ledger import costs
from velora.journal.metadata import RunFacts, command_line, file_digest
from velora.journal.owed import Owed, owed
from velora.journal.projections import reconcile
from velora.journal.report import Summary, report, summarize, write_report
from velora.journal.run import RunDirectory
from velora.llm.factory import build, preload
from velora.llm.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    Attributes:
        complete: every instance wanted has its valid attempts and, where asked for, its verdicts.
        stopped: why the run ended early, or "".
        missing: instances for which there was nothing to grade.
    """

    directory: RunDirectory
    summary: Summary
    complete: bool
    stopped: str = ""
    missing: tuple[str, ...] = ()

    @property
    def report(self) -> dict[str, Any]:
        """The run's `report.json`."""
        return report(self.summary)


@dataclass(frozen=True, slots=True)
class Due:
    """What a run has to do at its beginning: attempts that are gone on with, new ones, gradings of
    patches that are there, and instances that are done."""

    continued: int
    new: int
    gradings: int
    done: int

    @property
    def resumes(self) -> bool:
        """There is something to do, and something was done before."""
        something = self.continued or self.new or self.gradings
        return bool(something and (self.continued or self.gradings or self.done))

    @classmethod
    def of(cls, owed: Sequence[Owed]) -> Due:
        """Count."""
        continued = sum(len(one.continued) for one in owed)
        return cls(
            continued=continued,
            new=sum(one.attempts for one in owed) - continued,
            gradings=sum(len(one.ungraded) for one in owed),
            done=sum(one.done for one in owed),
        )


def unheard(due: Due) -> None:
    """Announce to nobody."""


async def carry_out(
    prepared: Prepared, observe: Observer, announce: Callable[[Due], None] = unheard
) -> Result:
    """Do everything that the run owes.

    Args:
        observe: told of every event.
        announce: told once what there is to do, before anything is started.

    Raises:
        UsageError: before anything is started.
    """
    settings = prepared.settings
    directory = prepared.directory
    redactor = Redactor.of(settings, os.environ)
    ledger = Ledger(settings.run.max_budget, settings.run.max_budget_per_task)
    model = build(settings.llm, budget=settings.run.smallest_budget, ledger=ledger)
    condenser = build_condenser(settings, ledger)
    warming: asyncio.Task[None] | None = None
    try:
        with claimed(prepared, directory, redactor):
            await asyncio.to_thread(reconcile, directory)
            if ledger.capped:
                await asyncio.to_thread(_remember, ledger, directory)
            wanted = [instance.instance_id for instance in prepared.instances]
            evaluate = prepared.request.evaluate
            due = owed(
                wanted,
                settings.run.attempts,
                directory,
                evaluate=evaluate,
                resume=settings.run.resume == "continue",
            )
            announce(Due.of(due))
            stopped = ""
            if not all(one.done for one in due):
                if any(one.attempts for one in due):
                    warming = asyncio.create_task(asyncio.to_thread(preload, settings.llm))
                async with checked_place(prepared, run_name(directory)) as place:
                    runner = Runner(
                        plan=Plan(
                            settings=settings,
                            configuration=prepared.configuration,
                            run=run_name(directory),
                            agent_cls=prepared.agent_cls,
                            language=prepared.environment.language,
                            instances=prepared.instances,
                            owed={one.instance_id: one for one in due},
                            evaluate=evaluate,
                            workers=settings.run.num_workers,
                            graders=settings.evaluation.num_workers or os.cpu_count() or 1,
                            quarantine=prepared.quarantine,
                        ),
                        directory=directory,
                        model=model,
                        condenser=condenser,
                        place=place,
                        redact=redactor,
                        observe=observe,
                        ledger=ledger,
                    )
                    try:
                        await runner.run()
                    except RunStopped as error:
                        stopped = str(error)
            due = owed(wanted, settings.run.attempts, directory, evaluate=evaluate)
            summary = await asyncio.to_thread(summarize, directory, wanted)
            await asyncio.to_thread(write_report, directory, summary)
            return Result(directory, summary, all(one.done for one in due), stopped)
    finally:
        if warming is not None:
            await asyncio.gather(warming, return_exceptions=True)
        await model.close()
        await condenser.close()


def _remember(ledger: Ledger, directory: RunDirectory) -> None:
    """Put what was paid before on the accounts; reads all journals."""
    for (instance_id, attempt), paid in costs(directory).items():
        account = conversation_of(run_name(directory), instance_id, attempt)
        ledger.remember(account, paid)


@contextmanager
def claimed(
    prepared: Prepared, directory: RunDirectory, redactor: Redactor
) -> Iterator[Mapping[str, Any]]:
    """Be the run's only writer, with its `metadata.json` written or found to agree."""
    request = prepared.request
    directory.create()
    with directory.lock():
        if next(directory.attempt_dirs(), None) is None:  # nothing was made with what it says
            directory.metadata_file.unlink(missing_ok=True)
        yield directory.claim(
            RunFacts(
                configuration=prepared.shown,
                digest=prepared.configuration,
                agent=prepared.agent_cls,
                dataset=str(request.dataset),
                dataset_sha256=file_digest(request.dataset),
                dataset_rows=prepared.rows,
                split=prepared.split,
                argv=command_line(),
            ),
            redactor.redact,
        )


def run_name(directory: RunDirectory) -> str:
    """What labels this run's containers: the directory, as this machine knows it."""
    return str(directory.path.resolve())
