"""Opens the place where a run's sandboxes start, by what its instances' images are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial

from velora.config.settings import SandboxSettings
from velora.engine.places import DirectoryPlace, EnginePlace, Place, directory_of
from velora.images.engine import Engine, EngineError
from velora.instances.model import Instance
from velora.sandbox.choose import choose, look
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.mounts import sweep
from velora.sandbox.reap import reap


@asynccontextmanager
async def open_place(
    settings: SandboxSettings,
    *,
    run: str,
    instances: Iterable[Instance],
    override: str = "",
    prefix: str = "mswebench",
) -> AsyncIterator[Place]:
    """The place for these instances; what earlier runs left in the engine is removed first.

    With `auto`, instances whose images are directories go to bubblewrap, or to the bare host
    where there is none; all others need an engine.

    Raises:
        UsageError: the backend that is named or needed cannot be used here, and why.
    """
    name = await _backend(settings.backend, list(instances), override)
    if name in {"docker", "podman"}:
        async with await Engine.connect(name) as engine:
            await reap(engine)
            make = partial(
                DockerSandbox,
                engine,
                start_timeout=settings.start_timeout,
                keep=settings.keep_runtime_alive,
            )
            try:
                yield EnginePlace(engine, make, settings, run, override, prefix)
            finally:
                if not settings.keep_runtime_alive:
                    with suppress(EngineError):  # an engine that is gone has nothing to remove
                        await reap(engine, run=run, own=True)
        return
    await asyncio.to_thread(sweep)
    if name == "bubblewrap":
        from velora.sandbox.bubblewrap import BubblewrapSandbox as Sandbox
    else:
        from velora.sandbox.host import HostSandbox as Sandbox  # type: ignore[assignment]
    yield DirectoryPlace(name, Sandbox, settings, run, override)


async def _backend(wanted: str, instances: list[Instance], override: str) -> str:
    if wanted != "auto":
        return (await choose(wanted)).name
    other = next((i for i in instances if directory_of(i, override) is None), None)
    if other is not None:
        return (await choose("auto", image=other.image or override or "(computed)")).name
    return "bubblewrap" if (await look("bubblewrap")).usable else "host"
