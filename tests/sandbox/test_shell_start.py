"""How a shell starts: rc files, environment, what cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from velora.errors import SandboxFailed, SandboxLost
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec, ShellOutput
from velora.sandbox.shell import PersistentShell

BASH = ["bash"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
async def sandbox(tmp_path: Path, home: Path) -> AsyncIterator[HostSandbox]:
    spec = SandboxSpec("", workdir=str(tmp_path / "work"), env={"HOME": str(home)})
    sandbox = HostSandbox(spec)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


async def run(shell: PersistentShell, command: str) -> ShellOutput:
    return await shell.run(command, no_change_timeout=20, timeout=30)


async def test_rc_file_is_read_and_not_shown(sandbox: HostSandbox, home: Path) -> None:
    (home / ".bashrc").write_text(
        "[ -z \"$PS1\" ] && return\necho welcome\nexport PS1='fancy> ' PAGER=less IN_RC=$(pwd)\n"
        "alias cd='echo no' greet='echo hello'\nPROMPT_COMMAND='true; false'\nshopt -s histappend\n"
    )
    shell = await sandbox.shell(cwd="/usr/lib", program=BASH)
    output = await run(shell, 'greet; echo $IN_RC; pwd; echo $PAGER; env | grep -c "^PS1="')
    assert output.text == "hello\n/usr/lib\n/usr/lib\ncat\n0\n"
    assert (output.note, shell.cwd) == ("", "/usr/lib")


@pytest.mark.parametrize("rc", ["exit 3", "exec true", "kill -9 $$", "set -e; false"])
async def test_rc_file_that_ends_the_shell(sandbox: HostSandbox, home: Path, rc: str) -> None:
    (home / ".bashrc").write_text(rc)
    shell = await sandbox.shell(cwd="/", program=BASH)
    output = await run(shell, "echo on")
    assert output.text == "on\n"
    assert "without" in output.note
    assert (await run(shell, "echo on")).note == ""


async def test_environment_is_exported(sandbox: HostSandbox) -> None:
    env = {"ODD": 'a\'b\n"$x" ä', "PAGER": "more"}
    shell = await sandbox.shell(cwd="/", env=env)
    output = await run(shell, "sh -c 'echo \"$ODD\" $PAGER'")
    assert output.text == env["ODD"] + " more\n"
    await run(shell, "unset ODD")
    await run(shell, "exit")
    assert env["ODD"] in (await run(shell, "sh -c 'echo \"$ODD\"'")).text


async def test_no_such_directory(sandbox: HostSandbox) -> None:
    with pytest.raises(FileNotFoundError, match="/no/such"):
        await sandbox.shell(cwd="/no/such")


async def test_no_such_shell(sandbox: HostSandbox) -> None:
    with pytest.raises(SandboxFailed, match="no-such-shell"):
        await sandbox.shell(cwd="/", program=["no-such-shell"])


async def test_two_shells_do_not_meet(sandbox: HostSandbox) -> None:
    one, two = await sandbox.shell(cwd="/"), await sandbox.shell(cwd="/usr")
    await run(one, "x=1; cd /etc")
    assert (await run(two, "echo $x; pwd")).text == "\n/usr\n"
    await one.close()
    assert (await run(two, "echo on")).text == "on\n"


async def test_sandbox_that_is_gone(sandbox: HostSandbox) -> None:
    shell = await sandbox.shell(cwd="/")
    await sandbox.stop()
    with pytest.raises(SandboxLost):
        await run(shell, "echo on")


async def test_without_a_spill_directory_the_middle_is_gone(sandbox: HostSandbox) -> None:
    shell = await sandbox.shell(cwd="/", max_output=100)
    output = await run(shell, "head -c 1000 /dev/zero | tr '\\000' x")
    assert (output.dropped, output.spill) == (900, None)
