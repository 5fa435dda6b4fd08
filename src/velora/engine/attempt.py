"""One attempt at one instance, from sandbox to patch.

Whatever happens, the attempt's journal ends with one `AttemptEnded`: errors become outcomes here
and nowhere else. What the model did until then is kept, and its patch is taken, wherever the
sandbox still lives and the outcome is the model's own doing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from velora import __version__, languages
from velora.agent.kinds import kind_of
from velora.agent.loop import CodeActAgent, End, Limits
from velora.agent.memory.protocol import Condenser
from velora.agent.prompts import LanguageFacts, render_instruction, render_system
from velora.config.settings import Settings
from velora.engine.places import Place, Started
from velora.errors import POLICY, AttemptError, Outcome, PatchFailed, TaskInvalid, attribute
from velora.instances.model import Instance
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Event,
    Noted,
    PatchTaken,
    SandboxReady,
    SnapshotTaken,
)
from velora.llm.protocol import Model
from velora.patch.history import seal_history
from velora.patch.protocol import PatchStatus, Snapshot
from velora.patch.snapshot import GIT_METHODS, METHODS, take
from velora.patch.workdir import Workdir, find_workdir
from velora.sandbox.steps import take_steps
from velora.tools.build import Toolset
from velora.tools.build import build as build_tools

Emit = Callable[[Event], None]


def conversation_of(run: str, instance_id: str, attempt: int) -> str:
    """What providers and the run's money know an attempt by; tells nobody where it is made."""
    return hashlib.sha256(f"{run}\0{instance_id}\0{attempt}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to make. `attempt` is its number at the instance, from 1."""

    instance: Instance
    attempt: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that one attempt needs.

    Attributes:
        emit: appends an event to the attempt's journal.
        write_patch: puts the diff beside the journal and waits for the disk.
        spill_dir: host directory for outputs that are too long to show.
    """

    job: Job
    settings: Settings
    configuration: str
    run: str
    agent_cls: str
    language: str
    model: Model
    condenser: Condenser
    place: Place
    emit: Emit
    write_patch: Callable[[bytes], None]
    spill_dir: Path

    @property
    def _language(self) -> languages.Profile:
        return languages.get(self.job.instance.language or self.language)

    async def make(self) -> Outcome:
        """Make the attempt; returns how it ended. Only cancellation gets out, and is recorded."""
        began = time.monotonic()
        steps = 0

        def emit(event: Event) -> None:
            nonlocal steps
            steps += isinstance(event, Answered)
            self.emit(event)

        instance = self.job.instance
        emit(
            AttemptStarted(
                instance_id=instance.instance_id,
                attempt=self.job.attempt,
                run=self.run,
                configuration=self.configuration,
                model=self.settings.llm.model,
                agent=self.agent_cls,
                velora=__version__,
                row=dict(instance.row),
            )
        )
        outcome, detail = Outcome.INTERRUPTED, "stopped by the operator"
        try:
            end = await self._stages(emit)
            outcome, detail = end.outcome, end.detail
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the one boundary: a failure is data
            outcome, detail = attribute(error)
            if outcome is Outcome.INTERNAL_ERROR:
                emit(Noted("traceback", "".join(traceback.format_exception(error))))
        finally:
            emit(AttemptEnded(outcome, detail, steps, time.monotonic() - began))
        return outcome

    async def _stages(self, emit: Emit) -> End:
        instance = self.job.instance
        if instance.problems:
            raise TaskInvalid(f"{instance.source}: {'; '.join(instance.problems)}")
        async with self.place.sandbox(instance, attempt=self.job.attempt) as started:
            workdir = await working_directory(started, instance)
            for note in started.notes:
                emit(Noted("image", note))
            emit(
                SandboxReady(
                    backend=started.sandbox.backend,
                    sandbox_id=started.sandbox.id,
                    image=started.image,
                    digest=started.digest,
                    resolver=started.resolver,
                    workdir=workdir.path,
                    workdir_source=workdir.source,
                )
            )
            await self._start(started, workdir.path, emit)
            toolset = await build_tools(
                self.settings,
                sandbox=started.sandbox,
                workdir=workdir.path,
                spill_dir=self.spill_dir,
                only=kind_of(self.agent_cls).tools,
            )
            try:  # the agent's shell opens while the snapshot is taken
                snapshot = await self._snapshot(started, workdir.path, emit)
                try:
                    end = await self._work(toolset, workdir.path, emit)
                    await toolset.close()  # what the agent left running changes nothing any more
                    await self._patch(snapshot, emit)
                    return end
                finally:
                    await snapshot.close()
            finally:
                await toolset.close()

    async def _start(self, started: Started, workdir: str, emit: Emit) -> None:
        """Bring the container to the task's start, and what it holds of the solution out of it."""
        instance = self.job.instance
        for what, commands in (("setup", instance.setup), ("hide", instance.hide)):
            await take_steps(started.sandbox, commands, workdir=workdir, what=what)
            if commands:
                emit(Noted(what, "\n".join(commands), {"family": instance.family}))

    async def _snapshot(self, started: Started, workdir: str, emit: Emit) -> Snapshot:
        base = self.job.instance.base_commit
        # The engine compares with the image, which knows nothing of what was set up since.
        prepared = self.job.instance.setup or self.job.instance.hide
        methods = GIT_METHODS if prepared else METHODS
        for note in await seal_history(started.sandbox, workdir, base):
            emit(Noted("history_sealed", note))
        snapshot = await take(
            started.sandbox, workdir, base_commit=base, junk=self._language.junk, methods=methods
        )
        emit(
            SnapshotTaken(
                method=snapshot.method,
                tree=snapshot.tree,
                base_commit=base,
                base_commit_found=snapshot.base_commit_found,
                warnings=snapshot.warnings,
            )
        )
        return snapshot

    async def _work(self, toolset: Toolset, workdir: str, emit: Emit) -> End:
        """Let the agent work; ends that are the model's own come back, others rise."""
        instance, settings = self.job.instance, self.settings
        language = self._language
        facts = LanguageFacts(
            name=language.display,
            reproduce=language.reproduction,
            single_test=language.single_test,
            may_add_tests=language.may_add_tests,
        )
        agent = CodeActAgent(
            model=self.model,
            toolset=toolset,
            emit=emit,
            system=render_system(settings.agent, kind_of(self.agent_cls)),
            instruction=render_instruction(
                instance=instance,
                workdir=workdir,
                language=facts,
                hints=settings.run.use_hints,
                template=settings.agent.instruction_template,
                kind=kind_of(self.agent_cls),
            ),
            limits=Limits(
                max_iterations=settings.core.max_iterations,
                max_budget=settings.run.max_budget_per_task,
                deadline=settings.run.attempt_timeout,
            ),
            settings=settings.agent,
            condenser=self.condenser,
            conversation=conversation_of(self.run, instance.instance_id, self.job.attempt),
        )
        try:
            return await agent.run()
        except AttemptError as error:
            if not POLICY[error.outcome].graded:
                raise
            return End(error.outcome, str(error), agent.steps)

    async def _patch(self, snapshot: Snapshot, emit: Emit) -> None:
        result = await snapshot.diff()
        if result.status is PatchStatus.FAILED:
            emit(PatchTaken(status=result.status, detail=result.detail, notes=result.notes))
            raise PatchFailed(result.detail)
        await asyncio.to_thread(self.write_patch, result.diff)
        emit(
            PatchTaken(
                status=result.status,
                size=len(result.diff),
                sha256=hashlib.sha256(result.diff).hexdigest(),
                files=result.files,
                notes=result.notes,
            )
        )


async def working_directory(started: Started, instance: Instance) -> Workdir:
    """The one directory that is prompted, worked in and diffed."""
    if started.fixed:
        return Workdir(started.workdir, "directory")
    return await find_workdir(started.sandbox, instance, started.workdir)
