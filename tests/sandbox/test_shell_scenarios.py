"""The shell's scenarios on the host, with each of the three kinds of shell."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec
from velora.sandbox.shell import PersistentShell

pytest.register_assert_rewrite("tests.sandbox.scenarios")

from tests.sandbox import scenarios  # noqa: E402


@pytest.fixture(params=[["bash"], ["dash"], ["busybox", "sh"]], ids=" ".join)
def program(request: pytest.FixtureRequest) -> Sequence[str]:
    words: list[str] = request.param
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    return words


@pytest.fixture
def workdir(tmp_path: Path) -> str:
    path = tmp_path / "work"
    path.mkdir()
    return str(path)


@pytest.fixture
async def sandbox(workdir: str, tmp_path: Path) -> AsyncIterator[HostSandbox]:
    home = tmp_path / "home"
    home.mkdir()
    sandbox = HostSandbox(SandboxSpec("", workdir=workdir, env={"HOME": str(home)}))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def shell(
    sandbox: HostSandbox, workdir: str, program: Sequence[str], tmp_path: Path
) -> AsyncIterator[PersistentShell]:
    spill = tmp_path / "spill"
    shell = await sandbox.shell(
        cwd=workdir, max_output=scenarios.CAP, spill_dir=spill, program=program
    )
    yield shell
    await shell.close()


class TestShell(scenarios.ShellScenarios):
    pass


class TestPython(scenarios.PythonScenarios):
    pass


class TestSlow(scenarios.SlowScenarios):
    pass
