"""Fixtures that run one test against every driver."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures_docker import unavailable
from velora.images.engine import Engine
from velora.sandbox.bubblewrap import BubblewrapSandbox, usable
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec

KINDS = [
    pytest.param("host"),
    pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
    pytest.param("docker-debian", marks=pytest.mark.docker),
    pytest.param("docker-busybox", marks=pytest.mark.docker),
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A driver with what to start: `workdir` exists in each sandbox and can be written to."""

    name: str
    image: str
    workdir: str

    @property
    def docker(self) -> bool:
        return self.name.startswith("docker")


Make = Callable[..., Awaitable[Any]]
"""Start a sandbox; keyword arguments replace fields of its specification. The result is `Any` so
that a test may use what only some drivers have."""


@pytest.fixture(scope="session")
def bubblewrap_here() -> None:
    problem = asyncio.run(usable())
    if problem:
        unavailable(problem)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return kind_of(request, tmp_path)


def kind_of(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """The driver that a fixture's parameter names, with its image made."""
    name: str = request.param
    if name.startswith("docker"):
        return Kind(name, request.getfixturevalue(f"{name[7:]}_image"), "/testbed")
    if name == "bubblewrap":
        request.getfixturevalue("bubblewrap_here")
    workdir = tmp_path / "work"
    workdir.mkdir()
    return Kind(name, "", str(workdir))


@pytest.fixture
async def make(kind: Kind) -> AsyncIterator[Make]:
    # On the bare host the shell would read what this machine's user has in their home.
    env = {"HOME": str(Path(kind.workdir).parent)} if kind.name == "host" else {}
    spec = SandboxSpec(kind.image, workdir="" if kind.docker else kind.workdir, env=env)
    async with contextlib.AsyncExitStack() as stack:
        engine = await stack.enter_async_context(await Engine.connect()) if kind.docker else None

        async def start(**changed: Any) -> Sandbox:
            changed["env"] = {**env, **changed.get("env", {})}
            wanted = replace(spec, **changed)
            sandbox: Sandbox
            if engine is not None:
                sandbox = DockerSandbox(engine, wanted)
            elif kind.name == "bubblewrap":
                sandbox = BubblewrapSandbox(wanted)
            else:
                sandbox = HostSandbox(wanted)
            stack.push_async_callback(sandbox.stop)
            await sandbox.start()
            return sandbox

        yield start


@pytest.fixture
async def sandbox(make: Make) -> Any:
    return await make()
