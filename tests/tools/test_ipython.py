from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from velora.config.settings import SandboxSettings
from velora.sandbox.host import HostSandbox
from velora.tools.ipython import IPythonTool, available
from velora.tools.protocol import BadArguments, ToolResult


@pytest.fixture
async def cell(sandbox: HostSandbox, repo: Path) -> AsyncIterator[IPythonTool]:
    settings = SandboxSettings(timeout=20, max_output_chars=2000)
    tool = IPythonTool(sandbox, settings, workdir=str(repo))
    yield tool
    await tool.close()


async def run(tool: IPythonTool, code: str, **more: float) -> ToolResult:
    return await tool({"code": code, **more})


async def test_the_host_has_a_python(sandbox: HostSandbox) -> None:
    assert await available(sandbox)


async def test_variables_last_and_a_last_value_is_shown(cell: IPythonTool, repo: Path) -> None:
    assert (await run(cell, "import os\nx = 20")).content == "[done]"
    assert (await run(cell, "print('a')\nx + 1")).content == "a\n21\n[done]"
    assert (await run(cell, "os.getcwd()")).content == f"{str(repo)!r}\n[done]"
    assert (await run(cell, "None")).content == "[done]"


async def test_a_line_for_the_shell(cell: IPythonTool, repo: Path) -> None:
    (repo / "a.txt").write_text("x")
    assert (await run(cell, "!ls\nif True:\n    !echo 'in'")).content == "a.txt\nin\n[done]"


async def test_an_exception_names_the_cell_and_the_session_goes_on(cell: IPythonTool) -> None:
    content = (await run(cell, "y = 1\n1 / 0")).content
    assert 'File "<cell>", line 2' in content
    assert "driver.py" not in content
    assert content.endswith("ZeroDivisionError: division by zero\n[an exception ended the cell]")
    assert (await run(cell, "y")).content == "1\n[done]"
    assert "SyntaxError" in (await run(cell, "def")).content
    assert "SystemExit: 3" in (await run(cell, "import sys; sys.exit(3)")).content
    assert (await run(cell, "y")).content == "1\n[done]"


async def test_an_endless_cell_is_interrupted(cell: IPythonTool) -> None:
    content = (
        await run(cell, "z = 5\nprint('on', flush=True)\nwhile True: pass", timeout=1)
    ).content
    assert content.startswith("on\n")
    assert "KeyboardInterrupt" in content
    assert "[interrupted after 1 s]" in content
    assert (await run(cell, "z")).content == "5\n[done]"


async def test_a_cell_that_cannot_be_interrupted_is_killed(
    cell: IPythonTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("velora.tools.ipython._INTERRUPTED", 0.5)
    code = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)"
    assert "[killed: " in (await run(cell, code, timeout=1)).content
    assert (await run(cell, "1")).content == "1\n[done]"


async def test_a_dead_interpreter_is_told_and_replaced(cell: IPythonTool) -> None:
    content = (await run(cell, "print('last', flush=True)\nimport os; os._exit(3)")).content
    assert content.startswith("last\n[the interpreter is gone")
    assert (await run(cell, "2")).content == "2\n[done]"


async def test_long_output_loses_its_middle(cell: IPythonTool) -> None:
    content = (await run(cell, "print('a' * 5000 + 'b')")).content
    assert "[3002 bytes left out here]" in content
    assert content.endswith("b\n[done]")
    assert len(content) < 2100


async def test_any_text(cell: IPythonTool) -> None:
    assert (await run(cell, "'\N{SNOWMAN}'")).content == "'\N{SNOWMAN}'\n[done]"
    content = (await run(cell, "import sys; sys.stdout.buffer.write(b'\\xff\\0')")).content
    assert content.startswith("\N{REPLACEMENT CHARACTER}")
    with pytest.raises(BadArguments, match="more than 0"):
        await run(cell, "1", timeout=-1)
