from __future__ import annotations

import io
import tarfile

import pytest

from velora.errors import SandboxLost
from velora.sandbox.fake import FakeSandbox
from velora.sandbox.protocol import ExecResult, Sandbox, Shell, ShellBusy, ShellOutput

NO_LIMIT = {"no_change_timeout": None, "timeout": None}


def test_is_a_sandbox() -> None:
    sandbox: Sandbox = FakeSandbox()
    assert sandbox.backend == "fake"


async def test_files() -> None:
    sandbox = FakeSandbox(files={"/w/a": b"1"})
    await sandbox.write_file("/w/d/b", b"22")
    assert await sandbox.read_file("/w/d/b") == b"22"
    with pytest.raises(FileNotFoundError):
        await sandbox.read_file("/w/no")
    with pytest.raises(IsADirectoryError):
        await sandbox.read_file("/w")
    with pytest.raises(NotADirectoryError):
        await sandbox.write_file("/w/a/b", b"")
    with pytest.raises(OSError, match="too large"):
        await sandbox.read_file("/w/d/b", limit=1)


async def test_export() -> None:
    sandbox = FakeSandbox(files={"/w/a": b"1", "/x": b""})
    await sandbox.write_file("/w/b", b"2")

    async def names(*, original: bool) -> list[str]:
        data = await sandbox.export("/w", original=original)
        assert data is not None
        return tarfile.open(fileobj=io.BytesIO(data)).getnames()

    assert await names(original=False) == ["w/a", "w/b"]
    assert await names(original=True) == ["w/a"]
    with pytest.raises(FileNotFoundError):
        await sandbox.export("/nowhere")


async def test_shell() -> None:
    sandbox = FakeSandbox()
    sandbox.on_shell("ls", "a\n", ShellOutput("", 2, "/w"))
    sandbox.on_shell("read x", ShellOutput("", None, "", running=True))
    sandbox.on_shell("yes", lambda text: ShellOutput(f"got {text}", 0, "/v"))
    shell: Shell = await sandbox.shell(cwd="/w")
    outputs = [await shell.run("ls", **NO_LIMIT) for _ in range(3)]
    assert [output.exit_code for output in outputs] == [0, 2, 2]
    assert (await shell.run("read x", **NO_LIMIT)).cwd == "/w"
    assert shell.busy
    with pytest.raises(ShellBusy):
        await shell.run("ls", **NO_LIMIT)
    assert (await shell.send("yes", **NO_LIMIT)).text == "got yes"
    assert (shell.busy, shell.cwd) == (False, "/v")
    assert sandbox.shells[0].commands == ["ls"] * 3 + ["read x"]
    with pytest.raises(LookupError, match="no answer to 'pwd'"):
        await shell.run("pwd", **NO_LIMIT)


async def test_exec_and_script() -> None:
    sandbox = FakeSandbox()
    sandbox.on_exec(["git", "status"], ExecResult(1, b"o", b"e"))
    sandbox.on_script("true", ExecResult(0, b"", b""))
    sink = io.BytesIO()
    assert await sandbox.exec(["git", "status"], output=sink) == ExecResult(1, b"", b"")
    assert sink.getvalue() == b"oe"
    assert (await sandbox.script("true")).exit_code == 0
    assert (sandbox.executed, sandbox.scripts) == ([["git", "status"]], ["true"])


async def test_lost() -> None:
    sandbox = FakeSandbox(files={"/a": b""})
    shell = await sandbox.shell(cwd="/")
    sandbox.lose("out of memory")
    with pytest.raises(SandboxLost, match="out of memory"):
        await sandbox.read_file("/a")
    with pytest.raises(SandboxLost):
        await shell.run("ls", **NO_LIMIT)
    await sandbox.stop()
