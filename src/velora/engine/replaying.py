"""`velora replay`: a trajectory's actions, run again in a fresh sandbox without a model.

The sandbox is brought to the task's start as for an attempt; each call that was recorded is run
with the arguments of then and its result compared with the one of then (`repeat`). In the end the
diff is compared with the patch of then. A call's result can differ for reasons of no weight (a time
of day, a process id): what they do to the work is what the patch says.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from velora import languages
from velora.agent.kinds import AGENTS, CODEACT
from velora.config.environment import from_environment
from velora.config.redact import Redactor
from velora.config.settings import SandboxSettings, Settings
from velora.engine.choice import open_place
from velora.engine.places import Started
from velora.engine.recorded import Recorded, Step
from velora.engine.repeat import Repetition, repeat, repeatable
from velora.engine.start import set_up, snapshot, working_directory
from velora.errors import TaskInvalid
from velora.journal.events import Event, Observed
from velora.journal.scrub import whole
from velora.patch.protocol import PatchResult, PatchStatus
from velora.tools import arguments
from velora.tools.build import Toolset, build
from velora.tools.protocol import BadArguments

RUN = "velora replay"
"""What labels the containers."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one recorded call; `again` is None where it was not run again."""

    step: Step
    again: Repetition | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay came to.

    Attributes:
        first: the first call that came out otherwise; None where none did.
        patch: `same`, `different`, `failed` (with `detail`), or `none` where none is on record.
        diff: the diff of this time.
    """

    calls: int
    differences: int
    first: Replayed | None
    patch: str
    diff: bytes
    detail: str = ""

    @property
    def same(self) -> bool:
        """Nothing came out otherwise."""
        return not self.differences and self.patch in {"same", "none"}


async def replay(
    recorded: Recorded,
    tell: Callable[[Replayed], None],
    *,
    backend: str = "",
    image: str = "",
    notice: Callable[[str], None],
) -> Result:
    """Run the calls again.

    Args:
        tell: told of each call.
        backend, image: in place of the recorded ones.
        notice: told what else is not as it was.

    Raises:
        UsageError: there is no such sandbox here.
        AttemptError: the sandbox cannot be started or is lost, or the row is no task.
    """
    instance, settings = recorded.instance, _settings(recorded.settings, backend)
    if image:
        instance = replace(instance, image=image)
        recorded = replace(recorded, instance=instance)
    if instance.problems:
        raise TaskInvalid("; ".join(instance.problems))
    place = open_place(
        settings.sandbox,
        run=RUN,
        instances=[instance],
        override=image,
        prefix=from_environment(os.environ).image_prefix or "mswebench",
    )
    async with place as opened:
        sandbox = opened.sandbox(instance, attempt=1, workdir=recorded.workdir)
        async with sandbox as started:
            if recorded.digest and recorded.digest != started.digest:
                notice(f"the image is another one: {recorded.digest} then, {started.digest} now")
            with tempfile.TemporaryDirectory(prefix="velora-replay-") as outputs:
                return await _replay(recorded, settings, started, Path(outputs), tell, notice)


async def _replay(
    recorded: Recorded,
    settings: Settings,
    started: Started,
    outputs: Path,
    tell: Callable[[Replayed], None],
    notice: Callable[[str], None],
) -> Result:
    instance = recorded.instance
    workdir = (await working_directory(started, instance)).path
    if recorded.workdir not in {"", workdir}:
        notice(f"the working directory is another one: {recorded.workdir} then, {workdir} now")
    await set_up(started, workdir, instance, _unheard)
    toolset = await build(
        settings,
        sandbox=started.sandbox,
        workdir=workdir,
        spill_dir=outputs,
        only=AGENTS.get(recorded.agent, AGENTS[CODEACT]).tools,
    )
    try:
        profile = languages.get(instance.language or from_environment(os.environ).language)
        start = await snapshot(started, workdir, instance, junk=profile.junk, emit=_unheard)
        try:
            again = await _calls(recorded, toolset, settings, tell)
            await toolset.close()
            return _result(again, recorded.patch, await start.diff())
        finally:
            await start.close()
    finally:
        await toolset.close()


async def _calls(
    recorded: Recorded, toolset: Toolset, settings: Settings, tell: Callable[[Replayed], None]
) -> list[Replayed]:
    redact = Redactor.of(settings, os.environ).redact
    done = []
    for step in recorded.steps:
        call = _executed(step.call, toolset)
        one = Replayed(step, None)
        if repeatable(call, toolset):
            async for again in repeat([call], toolset, written=lambda text: whole(redact(text))):
                one = Replayed(step, again)
        done.append(one)
        tell(one)
    return done


def _executed(call: Observed, toolset: Toolset) -> Observed:
    """The call with the arguments that its tool makes of those given: a row has them as the model
    wrote them."""
    tool = toolset.tools.get(call.tool)
    if tool is None or call.error:
        return call
    try:
        given = arguments.parse(tool.spec, orjson.dumps(call.arguments).decode())
    except BadArguments:
        return call
    return replace(call, arguments=given)


def _result(done: list[Replayed], patch: bytes | None, now: PatchResult) -> Result:
    odd = [one for one in done if one.again is not None and not one.again.same]
    if now.status is PatchStatus.FAILED:
        word = "failed"
    elif patch is None:
        word = "none"
    else:
        word = "same" if patch == now.diff else "different"
    return Result(
        calls=sum(one.again is not None for one in done),
        differences=len(odd),
        first=odd[0] if odd else None,
        patch=word,
        diff=now.diff,
        detail=now.detail,
    )


def _settings(settings: Settings, backend: str) -> Settings:
    sandbox = settings.sandbox.model_dump() | ({"backend": backend} if backend else {})
    # Tools outside the sandbox are not run again, so their servers need not be there.
    agent = settings.agent.model_copy(update={"enable_mcp": False})
    changes = {"sandbox": SandboxSettings.model_validate(sandbox), "agent": agent}
    return settings.model_copy(update=changes)


def _unheard(event: Event) -> None:
    """A replay keeps no journal."""
