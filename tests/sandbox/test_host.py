"""What the host driver has beyond the conformance suite."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from velora.errors import SandboxFailed, SandboxLost
from velora.sandbox.host import HostSandbox
from velora.sandbox.process import LocalStream, session_members
from velora.sandbox.protocol import SandboxSpec


async def test_only_named_variables_are_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    sandbox = HostSandbox(SandboxSpec("", workdir=str(tmp_path), env={"A": "1"}))
    await sandbox.start()
    env = (await sandbox.exec(["env"], env={"B": "2"})).stdout.decode().splitlines()
    await sandbox.stop()
    assert {"A=1", "B=2"} <= set(env)
    assert any(line.startswith("PATH=") for line in env)
    assert not any("SOME_API_KEY" in line for line in env)


async def test_an_image_is_refused() -> None:
    with pytest.raises(SandboxFailed, match="debian:12"):
        await HostSandbox(SandboxSpec("debian:12")).start()


async def test_stop_kills_what_was_left_behind(tmp_path: Path) -> None:
    sandbox = HostSandbox(SandboxSpec("", workdir=str(tmp_path / "made")))
    await sandbox.start()
    await sandbox.exec(["sh", "-c", "(sleep 7541 & sleep 7541) >/dev/null 2>&1 & :"])
    assert session_members(sandbox._sessions)
    await sandbox.stop()
    assert session_members(sandbox._sessions) == []
    with pytest.raises(SandboxLost):
        await sandbox.exec(["true"])


async def test_a_held_pipe_does_not_keep_a_stream_open(tmp_path: Path) -> None:
    stream = await LocalStream.start(["sh", "-c", "echo a; sleep 7542 & exit 3"])
    seen = b""
    while (chunk := await stream.read())[0]:
        seen += chunk[1]
    assert (seen, await stream.exit_code()) == (b"a\n", 3)
    stream.kill()
    await stream.close()


async def test_a_terminals_last_words_are_read() -> None:
    for _ in range(20):
        stream = await LocalStream.start(["sh", "-c", "tty >/dev/null && echo last"], tty=True)
        seen = b""
        while (chunk := await stream.read())[0]:
            seen += chunk[1]
        assert (seen, await stream.exit_code()) == (b"last\r\n", 0)
        await stream.close()


async def test_write_waits_and_can_be_cancelled() -> None:
    stream = await LocalStream.start(["sleep", "7543"])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await stream.write(b"x" * 1_000_000)
    stream.kill()
    assert await stream.exit_code() == 137
    with pytest.raises(BrokenPipeError):
        await stream.write(b"x")
    await stream.close()
