from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from velora.config.settings import AgentSettings, McpServer, McpSettings, Settings
from velora.errors import SandboxFailed, UsageError
from velora.sandbox.host import HostSandbox
from velora.tools import mcp
from velora.tools.build import build
from velora.tools.protocol import Tool
from velora.tools.think import ThinkTool

ROOT = Path(__file__).resolve().parents[2]
SERVER = McpServer(
    name="sums",
    command=sys.executable,
    args=("-m", "tests.servers.mcp_server"),
    env={"PYTHONPATH": str(ROOT)},
)


def settings(*stdio: McpServer, **more: Any) -> Settings:
    return Settings(mcp=McpSettings(stdio_servers=stdio, **more))


@pytest.fixture
async def tools() -> AsyncIterator[dict[str, Tool]]:
    async with AsyncExitStack() as stack:
        yield await mcp.connect(
            settings(SERVER), taken={"think": ThinkTool()}, stack=stack, log_dir=None
        )


async def test_tools_of_a_program(tools: dict[str, Tool]) -> None:
    assert tuple(tools) == ("add", "sums_think", "dotted_name", "fail", "picture", "count")
    spec = tools["add"].spec
    assert (spec.description, spec.parameters["required"]) == ("Add two numbers.", ["a", "b"])
    assert (await tools["add"]({"a": 2, "b": 3})).content == "5"
    assert (await tools["sums_think"]({"thought": "x"})).content == "elsewhere: x"
    assert (await tools["dotted_name"]({})).content == "dotted"


async def test_failures_are_observations(tools: dict[str, Tool]) -> None:
    result = await tools["fail"]({})
    assert result.error
    assert "fail" in result.content
    wrong = await tools["add"]({"a": "x", "b": 1})
    assert wrong.error


async def test_pictures(tools: dict[str, Tool]) -> None:
    result = await tools["picture"]({})
    assert [one.media_type for one in result.images] == ["image/png"]
    assert "picture" in result.content


async def test_each_attempt_has_a_server_of_its_own(sandbox: HostSandbox, repo: Path) -> None:
    for _ in range(2):
        toolset = await build(settings(SERVER), sandbox=sandbox, workdir=str(repo), spill_dir=None)
        assert "think" in toolset.tools
        assert (await toolset.tools["count"]({})).content == "1"
        await toolset.close()
    off = Settings(agent=AgentSettings(enable_mcp=False), mcp=settings(SERVER).mcp)
    toolset = await build(off, sandbox=sandbox, workdir=str(repo), spill_dir=None)
    assert "add" not in toolset.tools
    await toolset.close()


async def test_a_server_over_http() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.servers.mcp_server", "--port", str(port), cwd=ROOT
    )
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.1)
        given = settings(shttp_servers=(f"http://127.0.0.1:{port}/mcp",))
        async with AsyncExitStack() as stack:
            tools = await mcp.connect(given, taken={}, stack=stack, log_dir=None)
            assert (await tools["add"]({"a": 1, "b": 1})).content == "2"
    finally:
        process.terminate()
        await process.wait()


async def test_a_server_that_does_not_start_is_named() -> None:
    broken = McpServer(name="broken", command=sys.executable, args=("-c", "print('no')"))
    async with AsyncExitStack() as stack:
        with pytest.raises(SandboxFailed, match="MCP server 'broken' fails"):
            await mcp.connect(settings(broken), taken={}, stack=stack, log_dir=None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (settings(McpServer(name="x")), r"stdio server 'x': it has no command"),
        (settings(shttp_servers=("nowhere",)), r"url 'nowhere' is no URL"),
    ],
)
def test_what_is_refused_before_a_run(given: Settings, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        mcp.check(given)
