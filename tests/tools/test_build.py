from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from velora.agent.kinds import kind_of
from velora.config.settings import AgentSettings, Settings
from velora.errors import UsageError
from velora.sandbox.host import HostSandbox
from velora.tools import listing
from velora.tools.build import build, check, enabled

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


def words(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "tools.yaml"
    file.write_text(text)
    return Settings(agent=AgentSettings(tools_file=str(file)))


async def test_other_words_by_file(sandbox: HostSandbox, repo: Path, tmp_path: Path) -> None:
    text = "execute_bash:\n  description: Types it.\n  parameters:\n    command: The line.\n"
    settings = words(tmp_path, text)
    check(settings)
    toolset = await build(settings, sandbox=sandbox, workdir=str(repo), spill_dir=None)
    first, second = toolset.specs[:2]
    assert first.description == "Types it."
    assert first.parameters["properties"]["command"]["description"] == "The line."
    assert "timeout" in first.parameters["properties"]
    assert second.description == toolset.tools[second.name].spec.description
    assert toolset.tools["execute_bash"].spec.description != "Types it."
    await toolset.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("execute_bsh:\n  description: x\n", "there is no tool 'execute_bsh'"),
        ("execute_bash:\n  descripton: x\n", "did you mean 'description'?"),
        ("execute_bash:\n  parameters:\n    comand: x\n", "did you mean 'command'?"),
        ("execute_bash: x\n", "must have description or parameters"),
        ("execute_bash:\n  description: [1]\n", "descriptions are texts"),
        ("- a\n", "must be a table of tools"),
        ("a: [\n", "is no YAML"),
    ],
)
def test_wrong_words_are_refused_before_a_run(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        check(words(tmp_path, text))
    assert said in str(error.value)
    assert "tools.yaml" in str(error.value)


async def test_the_bash_agent_has_a_shell_and_an_end(sandbox: HostSandbox, repo: Path) -> None:
    only = kind_of("BashAgent").tools
    toolset = await build(Settings(), sandbox=sandbox, workdir=str(repo), spill_dir=None, only=only)
    assert tuple(toolset.tools) == ("execute_bash", "finish")
    await toolset.close()


async def test_tools_that_are_off_by_default(sandbox: HostSandbox, repo: Path) -> None:
    agent = AgentSettings(enable_jupyter=True, enable_condensation_request=True)
    toolset = await build(Settings(agent=agent), sandbox=sandbox, workdir=str(repo), spill_dir=None)
    assert set(toolset.tools) - set(ALL) == {"execute_ipython_cell", "request_condensation"}
    result = await toolset.tools["execute_ipython_cell"]({"code": "1 + 1"})
    assert result.content == "2\n[done]"
    assert (await toolset.tools["request_condensation"]({})).condense
    await toolset.close()
