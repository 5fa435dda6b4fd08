"""A whole run: what is owed, made by a pool of attempts and graded by a pool of gradings.

One process, one event loop. An attempt that ended for no fault of the model is tried again while
its retries last: it is gone on with where that can be (`journal.owed`), or else a new one, with a
number of its own, follows. Attempts and gradings wait in separate
pools, so that a slow test suite holds up no model and the other way round.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from velora.agent.memory.noop import Noop
from velora.agent.memory.protocol import Condenser
from velora.config.redact import Redactor
from velora.config.settings import Settings
from velora.engine.attempt import Attempt, Job, NotContinued
from velora.engine.grading import grade_attempt
from velora.engine.observer import AttemptKey, Observer
from velora.engine.places import Place
from velora.errors import POLICY, Outcome, UsageError
from velora.instances.model import Instance
from velora.instances.quarantine import Quarantine
from velora.journal.events import Event, Noted, Record
from velora.journal.owed import Owed, attempt_state
from velora.journal.past import NOT_CONTINUED, Past, past_of
from velora.journal.projector import Projector
from velora.journal.run import RunDirectory
from velora.journal.scrub import whole
from velora.journal.store import EVENTS, AttemptJournal, read, read_patch
from velora.llm.ledger import Ledger
from velora.llm.protocol import Model
from velora.sandbox.contained import uninterrupted

REJECTIONS = 3
"""Attempts in a row that the provider rejects before the run stops paying for containers."""


class RunStopped(Exception):
    """The run cannot go on; the text says why. What is finished is kept."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to do.

    Attributes:
        owed: what is still to be done of each instance.
        evaluate: grade patches as they arrive.
        workers: attempts at once.
        graders: gradings at once.
        quarantine: what is known to be unsound in the data set.
    """

    settings: Settings
    configuration: str
    run: str
    agent_cls: str
    language: str
    instances: tuple[Instance, ...]
    owed: dict[str, Owed]
    evaluate: bool
    workers: int
    graders: int
    quarantine: Quarantine | None = None


@dataclass(slots=True)
class Runner:
    """Carries out a plan in a run directory."""

    plan: Plan
    directory: RunDirectory
    model: Model | None
    place: Place
    redact: Redactor
    observe: Observer
    condenser: Condenser = field(default_factory=Noop)
    ledger: Ledger = field(default_factory=Ledger)
    _jobs: asyncio.Queue[Job | None] = field(default_factory=asyncio.Queue)
    _gradings: asyncio.Queue[Job | None] = field(default_factory=asyncio.Queue)
    _next: dict[str, int] = field(default_factory=dict)
    _retries: Counter[tuple[str, str]] = field(default_factory=Counter)
    _rejected: int = 0
    _unpaid: int = 0

    async def run(self) -> None:
        """Do everything that is owed.

        Raises:
            RunStopped: the provider rejects every request, or the run's budget is used up.
            OSError: the run's directory cannot be written.
        """
        self._fill()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.plan.workers):
                    group.create_task(self._serve(self._jobs, self._attempt))
                for _ in range(self.plan.graders):
                    group.create_task(self._serve(self._gradings, self._grade))
                await self._jobs.join()
                await self._gradings.join()
                for _ in range(self.plan.workers):
                    self._jobs.put_nowait(None)
                for _ in range(self.plan.graders):
                    self._gradings.put_nowait(None)
        except* (RunStopped, OSError) as group:
            raise group.exceptions[0] from None
        if self._unpaid or self.ledger.refused:
            left = f"; attempts that were not started: {self._unpaid}" if self._unpaid else ""
            raise RunStopped(f"{self.ledger.exhausted}{left}")

    def _fill(self) -> None:
        for instance in self.plan.instances:
            owed = self.plan.owed[instance.instance_id]
            self._next[instance.instance_id] = owed.next_attempt
            for attempt in owed.ungraded:
                self._gradings.put_nowait(Job(instance, attempt))
            if self.model is not None:
                for attempt in owed.continued:
                    self._jobs.put_nowait(Job(instance, attempt, goes_on=True))
                for _ in range(owed.attempts - len(owed.continued)):
                    self._jobs.put_nowait(self._new(instance))

    def _new(self, instance: Instance, note: str = "") -> Job:
        number = self._next[instance.instance_id]
        self._next[instance.instance_id] = number + 1
        return Job(instance, number, note=note)

    def _retry(self, job: Job, directory: Path) -> Job:
        """The next try after one that is no result."""
        resume = self.plan.settings.run.resume == "continue"
        if resume and attempt_state(directory, job.attempt).continuable:
            return Job(job.instance, job.attempt, goes_on=True)
        return self._new(job.instance)

    async def _serve(
        self, queue: asyncio.Queue[Job | None], work: Callable[[Job], Awaitable[None]]
    ) -> None:
        while (job := await queue.get()) is not None:
            try:
                await work(job)
            finally:
                queue.task_done()

    def _again(self, job: Job, stage: str) -> bool:
        """Is there a retry left for this stage of the instance? Uses it up."""
        key = (job.instance.instance_id, stage)
        if self._retries[key] >= self.plan.settings.run.max_retries:
            return False
        self._retries[key] += 1
        return True

    async def _attempt(self, job: Job) -> None:
        assert self.model is not None
        if self.ledger.exhausted:
            self._unpaid += 1
            return
        directory = self.directory.attempt_dir(job.instance.instance_id, job.attempt)
        projector = self._projector(job)
        with self._journal(job, directory, projector) as journal:
            try:
                past = (
                    await asyncio.to_thread(_past, directory, projector) if job.goes_on else Past()
                )
                attempt = Attempt(
                    job=job,
                    settings=self.plan.settings,
                    configuration=self.plan.configuration,
                    run=self.plan.run,
                    agent_cls=self.plan.agent_cls,
                    language=self.plan.language,
                    model=self.model,
                    condenser=self.condenser,
                    place=self.place,
                    emit=_emitter(journal),
                    written=lambda text: whole(self.redact.redact(text)),
                    write_patch=journal.write_patch,
                    read_patch=partial(read_patch, directory),
                    spill_dir=directory / "outputs",
                    past=past,
                )
                try:
                    outcome = await attempt.make()
                finally:
                    await uninterrupted(asyncio.to_thread(_settle, journal, projector))
            except NotContinued as reason:
                journal.append(Noted(NOT_CONTINUED, str(reason)))
                note = f"in place of attempt {job.attempt}, which is not gone on with: {reason}"
                self._jobs.put_nowait(self._new(job.instance, note))
                return
        policy = POLICY[outcome]
        if policy.graded and self.plan.evaluate:
            self._gradings.put_nowait(job)
        if policy.retried and self._again(job, "attempt"):
            self._jobs.put_nowait(await asyncio.to_thread(self._retry, job, directory))
        self._watch_rejections(outcome)

    def _journal(self, job: Job, directory: Path, projector: Projector) -> AttemptJournal:
        redact, listeners = self.redact.redact, self._listeners(job, projector)
        if job.goes_on and (directory / EVENTS).exists():
            return AttemptJournal.reopen(directory, redact=redact, listeners=listeners)
        return AttemptJournal.create(directory, redact=redact, listeners=listeners)

    def _watch_rejections(self, outcome: Outcome) -> None:
        self._rejected = self._rejected + 1 if outcome is Outcome.PROVIDER_REJECTED else 0
        if self._rejected >= REJECTIONS:
            raise RunStopped(
                f"the provider rejected {REJECTIONS} attempts in a row; nothing more is started"
            )

    async def _grade(self, job: Job) -> None:
        directory = self.directory.attempt_dir(job.instance.instance_id, job.attempt)
        single = self.plan.settings.run.attempts == 1
        with AttemptJournal.reopen(
            directory,
            redact=self.redact.redact,
            listeners=self._listeners(job, self._projector(job)),
        ) as journal:
            event = await grade_attempt(
                job.instance,
                directory,
                attempt=job.attempt,
                place=self.place,
                settings=self.plan.settings,
                out_dir=self.directory.eval_dir(
                    job.instance.instance_id, None if single else job.attempt
                ),
                language=self.plan.language,
                quarantine=self.plan.quarantine,
            )
            journal.append(event)
            await uninterrupted(asyncio.to_thread(journal.sync))
        if event.error and POLICY[Outcome(event.reason)].retried and self._again(job, "grade"):
            self._gradings.put_nowait(job)

    def _projector(self, job: Job) -> Projector:
        return Projector(self.directory, job.instance.instance_id, job.attempt)

    def _listeners(self, job: Job, projector: Projector) -> list[Callable[[Record], None]]:
        key = AttemptKey(job.instance.instance_id, job.attempt)
        return [projector, partial(self.observe, key)]


def _past(directory: Path, projector: Projector) -> Past:
    """What there is of an attempt, its log and calls brought to the same state; for a thread."""
    try:
        records = read(directory)
    except UsageError as damaged:
        raise NotContinued(str(damaged)) from None
    projector.catch_up(records)
    return past_of(records)


def _settle(journal: AttemptJournal, projector: Projector) -> None:
    """Bring an ended attempt to the disk, and only then its row; waits for both."""
    journal.sync()
    projector.finish()


def _emitter(journal: AttemptJournal) -> Callable[[Event], None]:
    def emit(event: Event) -> None:
        journal.append(event)

    return emit
