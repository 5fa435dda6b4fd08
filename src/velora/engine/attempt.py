"""One attempt at one instance, from sandbox to patch.

Whatever happens, the attempt's journal ends with one `AttemptEnded`: errors become outcomes here
and nowhere else. What the model did until then is kept, and its patch is taken, wherever the
sandbox still lives and the outcome is the model's own doing.

An attempt that was cut off goes on where it stood. A new sandbox is brought to the task's start and
the snapshot taken; then the recorded calls are run again in it (`repeat`), and the agent begins
with the state that the journal gives. Only what is missing is done: an attempt whose agent was
done needs no model, one whose patch was taken needs no sandbox.
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
from velora.engine.repeat import repeat
from velora.engine.start import Emit, ready, set_up, snapshot, working_directory
from velora.errors import POLICY, AttemptError, Outcome, PatchFailed, TaskInvalid, attribute
from velora.instances.model import Instance
from velora.journal.events import (
    Answered,
    AttemptEnded,
    AttemptStarted,
    Event,
    Noted,
    PatchTaken,
    Repeated,
    Resumed,
    SandboxReady,
)
from velora.journal.past import AGENT_ENDED, CONTINUED, RESTARTED, Past
from velora.llm.protocol import Model
from velora.patch.protocol import PatchStatus, Snapshot
from velora.tools.build import Toolset
from velora.tools.build import build as build_tools


class NotContinued(Exception):
    """The attempt cannot be gone on with; the text says why. Another one is to take its place."""


def conversation_of(run: str, instance_id: str, attempt: int) -> str:
    """What providers and the run's money know an attempt by; tells nobody where it is made."""
    return hashlib.sha256(f"{run}\0{instance_id}\0{attempt}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to make.

    Attributes:
        attempt: its number at the instance, from 1.
        goes_on: it has a journal already, and goes on with it.
        note: why it is made in the place of another one, or "".
    """

    instance: Instance
    attempt: int
    goes_on: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that one attempt needs.

    Attributes:
        emit: appends an event to the attempt's journal.
        written: what the journal makes of a text: secrets masked, fit for JSON.
        write_patch: puts the diff beside the journal and waits for the disk.
        read_patch: the diff beside the journal; b"" where there is none.
        spill_dir: host directory for outputs that are too long to show.
        past: what the journal holds already.
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
    written: Callable[[str], str]
    write_patch: Callable[[bytes], None]
    read_patch: Callable[[], bytes]
    spill_dir: Path
    past: Past = Past()  # noqa: RUF009 - frozen

    @property
    def _language(self) -> languages.Profile:
        return languages.get(self.job.instance.language or self.language)

    async def make(self) -> Outcome:
        """Make the attempt, or what is missing of it; returns how it ended.

        Raises:
            NotContinued: it has been gone on with under other conditions; nothing was done.
            CancelledError: the operator stops it; that is recorded.
        """
        began = time.monotonic()
        steps = self.past.answers

        def emit(event: Event) -> None:
            nonlocal steps
            steps += isinstance(event, Answered)
            self.emit(event)

        self._begin(emit)
        outcome, detail = Outcome.INTERRUPTED, "stopped by the operator"
        try:
            end = await self._missing(emit)
            outcome, detail = end.outcome, end.detail
        except NotContinued:
            raise
        except asyncio.CancelledError:
            self._ended(outcome, detail, steps, began)
            raise
        except Exception as error:  # the one boundary: a failure is data
            outcome, detail = attribute(error)
            if outcome is Outcome.INTERNAL_ERROR:
                emit(Noted("traceback", "".join(traceback.format_exception(error))))
        self._ended(outcome, detail, steps, began)
        return outcome

    def _begin(self, emit: Emit) -> None:
        instance, past = self.job.instance, self.past
        if past.started is not None:
            text = f"gone on with after {past.answers} answers and {past.calls} calls"
            emit(Noted(CONTINUED, text, {"answers": past.answers, "calls": past.calls}))
            return
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
        if self.job.note:
            emit(Noted(RESTARTED, self.job.note))

    def _ended(self, outcome: Outcome, detail: str, steps: int, began: float) -> None:
        duration = self.past.duration + time.monotonic() - began
        self.emit(AttemptEnded(outcome, detail, steps, duration))

    async def _missing(self, emit: Emit) -> End:
        instance, past = self.job.instance, self.past
        if past.started is not None and past.started.velora != __version__:
            raise NotContinued(
                f"it was made by Velora {past.started.velora}; this is {__version__}"
            )
        if instance.problems:
            raise TaskInvalid(f"{instance.source}: {'; '.join(instance.problems)}")
        if past.end is not None:
            there = await asyncio.to_thread(self._patch_is_there)
            if there:
                return End(*past.end, past.answers)
        workdir = past.ready.workdir if past.ready else ""
        async with self.place.sandbox(
            instance, attempt=self.job.attempt, workdir=workdir
        ) as started:
            return await self._stages(started, emit)

    async def _stages(self, started: Started, emit: Emit) -> End:
        instance, past = self.job.instance, self.past
        workdir = await working_directory(started, instance)
        now = ready(started, workdir)
        if past.ready is not None and (changed := _changed(past.ready, now)):
            raise NotContinued(changed)
        for note in started.notes:
            emit(Noted("image", note))
        emit(now)
        await set_up(started, workdir.path, instance, emit)
        toolset = await build_tools(
            self.settings,
            sandbox=started.sandbox,
            workdir=workdir.path,
            spill_dir=self.spill_dir,
            only=kind_of(self.agent_cls).tools,
        )
        try:  # the agent's shell opens while the snapshot is taken
            start = await snapshot(
                started, workdir.path, instance, junk=self._language.junk, emit=emit
            )
            try:
                if past.started is not None:
                    await self._repeat(toolset, emit)
                end = await self._end(toolset, workdir.path, emit)
                await toolset.close()  # what the agent left running changes nothing any more
                await self._patch(start, emit)
                return end
            finally:
                await start.close()
        finally:
            await toolset.close()

    async def _repeat(self, toolset: Toolset, emit: Emit) -> None:
        """Bring the sandbox to where the earlier one was when it was lost."""
        calls = differences = 0
        async for one in repeat(self.past.events, toolset, written=self.written):
            calls += 1
            if not one.same:
                differences += 1
                recorded = one.recorded
                emit(Repeated(recorded.call_id, recorded.tool, one.content, one.exit_code))
        emit(Resumed(self.past.answers, calls, differences))

    async def _end(self, toolset: Toolset, workdir: str, emit: Emit) -> End:
        """How the agent ends, or ended when it was last at work."""
        if self.past.end:
            return End(*self.past.end, self.past.answers)
        end = await self._work(toolset, workdir, emit)
        text = f"the agent is done: {end.outcome}"
        emit(Noted(AGENT_ENDED, text, {"outcome": end.outcome, "detail": end.detail}))
        return end

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
                worked=self.past.worked,
            ),
            settings=settings.agent,
            condenser=self.condenser,
            conversation=conversation_of(self.run, instance.instance_id, self.job.attempt),
        )
        try:
            return await agent.run(self.past.events)
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

    def _patch_is_there(self) -> bool:
        taken = self.past.patch
        return taken is not None and taken.sha256 == hashlib.sha256(self.read_patch()).hexdigest()


def _changed(before: SandboxReady, now: SandboxReady) -> str:
    """Why calls that were made in the sandbox before cannot be run again in this one; "" if they
    can."""
    if before.digest != now.digest:
        return f"the image {now.image} is another one now: {before.digest} → {now.digest}"
    if before.backend != now.backend:
        return f"its sandbox was one of {before.backend}; this one is of {now.backend}"
    if before.workdir != now.workdir:
        return f"its working directory was {before.workdir}; now it is {now.workdir}"
    return ""
