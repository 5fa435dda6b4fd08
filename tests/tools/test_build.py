from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from velora.config.settings import AgentSettings, Settings
from velora.sandbox.host import HostSandbox
from velora.tools import listing
from velora.tools.build import build, enabled

ALL = ("execute_bash", "str_replace_editor", "think", "task_tracker", "finish")


async def test_a_toolset_has_what_is_enabled_and_one_place(
    sandbox: HostSandbox, repo: Path
) -> None:
    toolset = await build(Settings(), sandbox=sandbox, workdir=str(repo), spill_dir=None)
    assert tuple(toolset.tools) == tuple(spec.name for spec in toolset.specs) == ALL
    path = f"{repo}/f"
    await toolset.tools["str_replace_editor"](
        {"command": "create", "path": path, "file_text": "x\n"}
    )
    result = await toolset.tools["execute_bash"]({"command": "cat f"})
    assert result.content == f"x\n[exit code 0, in {repo}]"
    await toolset.close()


async def test_tools_can_be_left_out(sandbox: HostSandbox, repo: Path) -> None:
    settings = AgentSettings(enable_cmd=False, enable_think=False, enable_plan_mode=False)
    toolset = await build(
        Settings(agent=settings), sandbox=sandbox, workdir=str(repo), spill_dir=None
    )
    assert tuple(toolset.tools) == enabled(settings) == ("str_replace_editor", "finish")
    assert toolset.shell is None
    await toolset.close()


@pytest.mark.parametrize("field", ["cmd", "editor", "think", "finish", "plan_mode"])
def test_every_switch_takes_one_tool_away(field: str) -> None:
    assert len(enabled(AgentSettings.model_validate({f"enable_{field}": False}))) == len(ALL) - 1


async def test_specs_are_small_and_closed(sandbox: HostSandbox, repo: Path) -> None:
    toolset = await build(Settings(), sandbox=sandbox, workdir=str(repo), spill_dir=None)
    for spec in toolset.specs:
        assert 0 < len(spec.description) <= 1024
        assert spec.parameters["additionalProperties"] is False
        assert set(spec.parameters["required"]) <= set(spec.parameters["properties"])
        assert "security_risk" not in spec.parameters["properties"]
    await toolset.close()


@pytest.mark.parametrize("shell", ["sh", "dash", "busybox", "bash"])
def test_the_listing_is_the_same_in_every_shell(repo: Path, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} on this machine")
    (repo / "a b" / "c").mkdir(parents=True)
    (repo / "a b" / "c" / "too deep").touch()
    (repo / "a b" / "new\nline").touch()
    (repo / ".hidden").touch()
    (repo / "-n").touch()
    source = listing._SCRIPT.format(path=f"'{repo}'")
    argv = [program, *(["sh"] if shell == "busybox" else []), "-c", source]
    found = subprocess.run(argv, capture_output=True, check=True).stdout
    assert sorted(found.decode().split("\0")[:-1]) == ["-n", "a b/", "a b/c/", "a b/new\nline"]
