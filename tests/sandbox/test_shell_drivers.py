"""The shell's scenarios in containers and under bubblewrap, all in one sandbox of each kind."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sandbox.drivers import KINDS
from velora.images.engine import Engine
from velora.sandbox.bubblewrap import BubblewrapSandbox
from velora.sandbox.docker import DockerSandbox
from velora.sandbox.protocol import Sandbox, SandboxSpec, Shell

pytest.register_assert_rewrite("tests.sandbox.scenarios")

from tests.sandbox import scenarios  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=[driver for driver in KINDS if driver.values != ("host",)])
def driver(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The driver's name and the image."""
    name: str = request.param
    if name == "bubblewrap":
        request.getfixturevalue("bubblewrap_here")
        return name, ""
    name, _, image = name.partition("-")
    return name, request.getfixturevalue(f"{image}_image")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(
    driver: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sandbox]:
    name, image = driver
    async with contextlib.AsyncExitStack() as stack:
        sandbox: Sandbox
        if name == "bubblewrap":
            work = str(tmp_path_factory.mktemp("work"))
            sandbox = BubblewrapSandbox(SandboxSpec("", workdir=work))
        else:
            engine = await stack.enter_async_context(await Engine.connect())
            sandbox = DockerSandbox(engine, SandboxSpec(image))
        stack.push_async_callback(sandbox.stop)
        await sandbox.start()
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def workdir(sandbox: Sandbox) -> str:
    path = f"/tmp/scenario-{secrets.token_hex(4)}"
    await sandbox.exec(["mkdir", path])
    return path


@pytest_asyncio.fixture(loop_scope="module")
async def shell(sandbox: Sandbox, workdir: str, tmp_path: Path) -> AsyncIterator[Shell]:
    shell = await sandbox.shell(cwd=workdir, max_output=scenarios.CAP, spill_dir=tmp_path / "spill")
    yield shell
    await shell.close()


class TestShell(scenarios.ShellScenarios):
    pass


class TestPython(scenarios.PythonScenarios):
    @pytest_asyncio.fixture(autouse=True, loop_scope="module")
    async def needs_python(self, sandbox: Sandbox) -> None:
        if (await sandbox.exec(["sh", "-c", "command -v python3"])).exit_code:
            pytest.skip("the image has no python3")


class TestSlow(scenarios.SlowScenarios):
    pass
