"""From a started sandbox to the state that the agent finds.

It is the same for an attempt's first stretch, for each further one and for a replay, so that a
diff always is against the task's own start.
"""

from __future__ import annotations

from collections.abc import Callable

from velora.engine.places import Started
from velora.instances.model import Instance
from velora.journal.events import Event, Noted, SandboxReady, SnapshotTaken
from velora.patch.history import seal_history
from velora.patch.protocol import Snapshot
from velora.patch.snapshot import GIT_METHODS, METHODS, take
from velora.patch.workdir import Workdir, find_workdir
from velora.sandbox.steps import take_steps

Emit = Callable[[Event], None]


async def working_directory(started: Started, instance: Instance) -> Workdir:
    """The one directory that is prompted, worked in and diffed."""
    if started.fixed:
        return Workdir(started.workdir, "directory")
    return await find_workdir(started.sandbox, instance, started.workdir)


def ready(started: Started, workdir: Workdir) -> SandboxReady:
    """What the journal says of the sandbox."""
    return SandboxReady(
        backend=started.sandbox.backend,
        sandbox_id=started.sandbox.id,
        image=started.image,
        digest=started.digest,
        resolver=started.resolver,
        workdir=workdir.path,
        workdir_source=workdir.source,
    )


async def set_up(started: Started, workdir: str, instance: Instance, emit: Emit) -> None:
    """Bring the container to the task's start, and what it holds of the solution out of it."""
    for what, commands in (("setup", instance.setup), ("hide", instance.hide)):
        await take_steps(started.sandbox, commands, workdir=workdir, what=what)
        if commands:
            emit(Noted(what, "\n".join(commands), {"family": instance.family}))


async def snapshot(
    started: Started, workdir: str, instance: Instance, *, junk: tuple[str, ...], emit: Emit
) -> Snapshot:
    """Seal the history and take the state that the final diff is against.

    Args:
        junk: names that a diff leaves out, of the instance's language.
    """
    base = instance.base_commit
    # The engine compares with the image, which knows nothing of what was set up since.
    methods = GIT_METHODS if instance.setup or instance.hide else METHODS
    for note in await seal_history(started.sandbox, workdir, base):
        emit(Noted("history_sealed", note))
    taken = await take(started.sandbox, workdir, base_commit=base, junk=junk, methods=methods)
    emit(
        SnapshotTaken(
            method=taken.method,
            tree=taken.tree,
            base_commit=base,
            base_commit_found=taken.base_commit_found,
            warnings=taken.warnings,
        )
    )
    return taken
