"""A task's own commands, on the bare host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.instances.families.rows import ROWS
from velora.errors import TaskInvalid
from velora.instances.fields import instance_of
from velora.instances.rows import Row
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec
from velora.sandbox.steps import take_steps


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[HostSandbox]:
    sandbox = HostSandbox(SandboxSpec(image="", workdir=str(tmp_path)))
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def test_they_run_in_one_shell_until_one_fails(host: HostSandbox, tmp_path: Path) -> None:
    workdir = str(tmp_path)
    await take_steps(host, (), workdir="/nowhere", what="setup")
    await take_steps(host, ("x=1", "echo $x >one 2>/dev/null"), workdir=workdir, what="setup")
    assert (tmp_path / "one").read_text() == "1\n"
    with pytest.raises(TaskInvalid, match=r"^hide: exit status 3: said$"):
        await take_steps(host, ("(echo said; exit 3)", "touch two"), workdir=workdir, what="hide")
    assert not (tmp_path / "two").exists()
    with pytest.raises(TaskInvalid, match=r"^setup: timed out after 0.5 s"):
        await take_steps(host, ("sleep 30",), workdir=workdir, what="setup", timeout=0.5)


@pytest.mark.parametrize(
    "command", ["rm -rf /x", "echo>/x", "touch ../x", "cat <~/x", 'x="/x"', "ls ok; ls /x"]
)
async def test_nothing_outside_of_the_directory_is_touched_on_the_host(
    host: HostSandbox, tmp_path: Path, command: str
) -> None:
    with pytest.raises(TaskInvalid, match="outside of the working directory"):
        await take_steps(host, ("touch one", command), workdir=str(tmp_path), what="setup")
    assert not (tmp_path / "one").exists()


@pytest.mark.parametrize("name", ["r2e_gym", "multi_swe_bench"])
async def test_what_families_take_out_of_an_image_stays_on_the_host(
    host: HostSandbox, tmp_path: Path, name: str
) -> None:
    one = instance_of(Row("t.jsonl:1", ROWS[name]))
    with pytest.raises(TaskInvalid, match="outside of the working directory"):
        await take_steps(host, one.hide, workdir=str(tmp_path), what="hide")
