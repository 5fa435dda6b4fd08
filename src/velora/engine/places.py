"""Where attempts run: what turns an instance into a started sandbox, for either kind of image.

`EnginePlace` starts containers from an engine's images. `DirectoryPlace` serves bubblewrap and
host, where an instance's image is a directory: each sandbox works on a private copy of it, so
that attempts and gradings start from the same state as they do in a fresh container.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from velora.config.settings import SandboxSettings
from velora.config.size import parse_size
from velora.errors import ImageMissing, SandboxFailed, TaskInvalid
from velora.images.engine import Engine
from velora.images.resolve import Image, resolve
from velora.instances.model import Instance
from velora.sandbox.contained import uninterrupted
from velora.sandbox.mounts import private_directory, remove
from velora.sandbox.protocol import Limits, Sandbox, SandboxSpec


@dataclass(frozen=True, slots=True)
class Started:
    """A started sandbox and what it was made from.

    Attributes:
        workdir: the image's WORKDIR, or for a directory where its copy lies.
        fixed: `workdir` is certain: there is nothing to look for.
    """

    sandbox: Sandbox
    image: str = ""
    digest: str = ""
    resolver: str = ""
    workdir: str = ""
    fixed: bool = False
    notes: tuple[str, ...] = ()


class Place(Protocol):
    """Where sandboxes come from."""

    @property
    def backend(self) -> str:
        """`docker`, `podman`, `bubblewrap` or `host`."""
        ...

    async def check(self, instance: Instance) -> None:
        """Find the instance's image without starting anything.

        Raises:
            ImageMissing, TaskInvalid: with each resolver and its reason.
        """
        ...

    def sandbox(
        self, instance: Instance, *, attempt: int, network: bool | None = None, workdir: str = ""
    ) -> AbstractAsyncContextManager[Started]:
        """A sandbox that lives for the length of the `async with` block.

        Args:
            network: overrides the settings' choice.
            workdir: where an earlier sandbox had its copy of a directory; the new one lies there
                too if it can. Without a meaning for images.
        """
        ...


def spec(
    settings: SandboxSettings,
    *,
    image: str,
    run: str,
    instance_id: str,
    attempt: int,
    network: bool | None = None,
    workdir: str = "",
) -> SandboxSpec:
    """What to start, from the settings."""
    return SandboxSpec(
        image=image,
        network=settings.use_host_network if network is None else network,
        env=settings.runtime_startup_env_vars,
        labels={
            "velora.run": run,
            "velora.instance": instance_id,
            "velora.attempt": str(attempt),
        },
        limits=Limits(parse_size(settings.memory), settings.cpus, settings.pids),
        user=settings.user,
        platform=settings.platform,
        workdir=workdir,
    )


@dataclass(slots=True)
class EnginePlace:
    """Containers of a Docker or Podman engine.

    Attributes:
        make: the driver: `DockerSandbox` with the engine bound.
        starts: how many containers may be starting at once; more only fight over the disk.
    """

    engine: Engine
    make: Callable[[SandboxSpec], Sandbox]
    settings: SandboxSettings
    run: str
    override: str = ""
    prefix: str = "mswebench"
    starts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    _images: dict[tuple[str, str], Image] = field(default_factory=dict)

    @property
    def backend(self) -> str:
        """The engine's kind."""
        return self.engine.kind

    async def check(self, instance: Instance) -> None:
        """See `Place.check`."""
        await self._image(instance)

    async def _image(self, instance: Instance) -> Image:
        key = (instance.instance_id, instance.source)
        if key not in self._images:
            self._images[key] = await resolve(
                instance, engine=self.engine, override=self.override, prefix=self.prefix
            )
        return self._images[key]

    @asynccontextmanager
    async def sandbox(
        self, instance: Instance, *, attempt: int, network: bool | None = None, workdir: str = ""
    ) -> AsyncIterator[Started]:
        """See `Place.sandbox`."""
        image = await self._image(instance)
        sandbox = self.make(
            spec(
                self.settings,
                image=image.digest,
                run=self.run,
                instance_id=instance.instance_id,
                attempt=attempt,
                network=network,
            )
        )
        keep = False
        try:
            async with self.starts:
                await _start(sandbox, self.settings.start_timeout)
            keep = self.settings.keep_runtime_alive
            yield Started(
                sandbox,
                image=image.reference,
                digest=image.digest,
                resolver=image.resolver,
                workdir=image.workdir,
                notes=image.notes,
            )
        finally:
            if not keep:
                await uninterrupted(sandbox.stop())


@dataclass(slots=True)
class DirectoryPlace:
    """Sandboxes without an engine; an instance's image is a directory with its repository, or one
    with a whole unpacked image (bubblewrap only) in which `repo_path` names the repository."""

    kind: str
    make: Callable[[SandboxSpec], Sandbox]
    settings: SandboxSettings
    run: str
    override: str = ""

    @property
    def backend(self) -> str:
        """The driver's name."""
        return self.kind

    async def check(self, instance: Instance) -> None:
        """See `Place.check`."""
        self._directory(instance)

    def _directory(self, instance: Instance) -> Path:
        found = directory_of(instance, self.override)
        if found is not None and is_root(found) and not instance.repo_path:
            raise TaskInvalid(
                f"{instance.source}: {instance.instance_id}: {found} is an unpacked image; "
                "set repo_path to the repository's directory in it"
            )
        if found is not None:
            return found
        name = instance.image or self.override
        raise ImageMissing(
            f"{instance.source}: {instance.instance_id}: "
            + (f"there is no directory '{name}'" if name else "image_storage_uri is empty")
            + f"; the {self.backend} sandbox has no container images: there, image_storage_uri "
            "names a directory with the repository (from here or from the dataset's directory)"
        )

    @asynccontextmanager
    async def sandbox(
        self, instance: Instance, *, attempt: int, network: bool | None = None, workdir: str = ""
    ) -> AsyncIterator[Started]:
        """See `Place.sandbox`."""
        source = self._directory(instance)
        wanted = Path(workdir).parent if workdir and not is_root(source) else None
        private = await asyncio.to_thread(private_directory, wanted)
        try:
            root, workdir = str(source), instance.repo_path
            if not is_root(source):
                root, workdir = "", str(private / source.name)
                await asyncio.to_thread(shutil.copytree, source, workdir, symlinks=True)
            sandbox = self.make(
                spec(
                    self.settings,
                    image=root,
                    run=self.run,
                    instance_id=instance.instance_id,
                    attempt=attempt,
                    network=network,
                    workdir=workdir,
                )
            )
            try:
                await _start(sandbox, self.settings.start_timeout)
                yield Started(
                    sandbox,
                    image=str(source),
                    resolver="directory",
                    workdir=workdir,
                    fixed=True,
                )
            finally:
                await uninterrupted(sandbox.stop())
        finally:
            await uninterrupted(asyncio.to_thread(remove, private))


async def _start(sandbox: Sandbox, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await sandbox.start()
    except TimeoutError:
        raise SandboxFailed(f"the sandbox did not start within {seconds:g} s") from None


def is_root(directory: Path) -> bool:
    """It is an unpacked image, not a repository."""
    return (directory / "bin" / "sh").exists() or (directory / "bin" / "sh").is_symlink()


def directory_of(instance: Instance, override: str = "") -> Path | None:
    """The directory that the instance's image is, seen from here or from its dataset's place."""
    name = instance.image or override
    dataset = Path(instance.source.rpartition(":")[0] or ".").parent
    return next(
        (path.resolve() for path in (Path(name), dataset / name) if name and path.is_dir()), None
    )
