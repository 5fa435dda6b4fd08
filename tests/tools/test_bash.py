from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.conftest import homeless
from velora.config.settings import SandboxSettings
from velora.errors import SandboxLost
from velora.sandbox.host import HostSandbox
from velora.tools.bash import BashTool, spec
from velora.tools.protocol import BadArguments, ToolResult

HOW = (
    '[An empty command waits for more output, is_input="true" types a line to it, '
    "C-c interrupts it.]"
)
GATE = "until [ -e go ]; do sleep 0.02; done"
"""Keeps a command silent until the test makes the file."""


@pytest.fixture
def settings() -> SandboxSettings:
    return SandboxSettings(no_change_timeout=0.4, timeout=30, max_output_chars=400)


@pytest.fixture
async def bash(
    sandbox: HostSandbox, settings: SandboxSettings, repo: Path, tmp_path: Path
) -> AsyncIterator[BashTool]:
    tool = BashTool(sandbox, settings, workdir=str(repo), spill_dir=tmp_path / "spill")
    yield tool
    await tool.close()


async def run(bash: BashTool, command: str, **arguments: Any) -> ToolResult:
    return await bash({"command": command, **arguments})


async def passed(repo: Path) -> None:
    """Open the gate, wait until the command has touched `said`, and a little for its output."""
    (repo / "go").touch()
    while not (repo / "said").exists():
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)


def test_the_description_is_short_enough_and_names_the_limits() -> None:
    text = spec(SandboxSettings()).description
    assert len(text) <= 1024
    assert "After 30 s without" in text
    assert "(600 s at most)" in text


async def test_output_status_and_directory(bash: BashTool, repo: Path) -> None:
    result = await run(bash, "echo hi; echo err >&2; (exit 3)")
    assert result == ToolResult(
        f"hi\nerr\n[exit code 3, in {repo}]", exit_code=3, cwd=str(repo), extras={}
    )


async def test_no_output_and_no_final_newline(bash: BashTool, repo: Path) -> None:
    assert (await run(bash, "true")).content == f"[exit code 0, in {repo}]"
    assert (await run(bash, "printf x")).content == f"x\n[exit code 0, in {repo}]"


async def test_the_session_lasts(bash: BashTool, repo: Path) -> None:
    (repo / "sub").mkdir()
    await run(bash, "cd sub; x=1; export Y=2; f() { echo $x$Y; }")
    result = await run(bash, "f; bash -c 'echo $Y'; pwd")
    assert result.content == f"12\n2\n{repo}/sub\n[exit code 0, in {repo}/sub]"
    assert result.cwd == f"{repo}/sub"


async def test_several_lines_run_as_a_script(bash: BashTool) -> None:
    result = await run(bash, "for i in 1 2; do\n  echo $i\ndone\ncat <<E\n a\nE\nfalse\n")
    assert result.content.startswith("1\n2\n a\n[exit code 1, in ")


async def test_a_silent_command_is_handed_back_and_waited_for(bash: BashTool, repo: Path) -> None:
    result = await run(bash, f"echo begun; {GATE}; echo over; (exit 4)")
    assert result.exit_code == -1
    assert not result.error
    assert result.extras == {"running": True, "timed_out": "no_change"}
    assert result.content == (
        f"begun\n[The command still runs and wrote nothing for 0.4 s.]\n{HOW}\n"
        f"[exit code -1, in {repo}]"
    )
    (repo / "go").touch()
    result = await run(bash, "", timeout=20)
    assert result.content == f"over\n[exit code 4, in {repo}]"


async def test_a_new_command_is_refused_while_one_runs(bash: BashTool, repo: Path) -> None:
    await run(bash, f"echo one; {GATE}; echo two; touch said; sleep 60")
    await passed(repo)
    result = await run(bash, "ls")
    assert result.error
    assert result.exit_code == -1
    assert result.content == (
        "two\n[Not run: the command before still runs; its new output is above.]\n"
        f"{HOW}\n[exit code -1, in {repo}]"
    )
    result = await run(bash, " C-c\n")
    assert result.exit_code == 130
    assert (await run(bash, "echo free")).content.startswith("free\n")


async def test_a_chatty_command_does_not_hold_up_the_refusal(bash: BashTool, repo: Path) -> None:
    await run(bash, f"{GATE}; touch said; yes")
    await passed(repo)
    async with asyncio.timeout(20):
        result = await run(bash, "ls")
        assert result.error
        assert "bytes left out here" in result.content
        assert (await run(bash, "C-c")).exit_code == 130


async def test_a_command_that_ended_meanwhile_makes_room(bash: BashTool, repo: Path) -> None:
    await run(bash, f"{GATE}; touch said; echo late; (exit 5)")
    await passed(repo)
    result = await run(bash, "echo new")
    assert result.content == (
        f"late\n[exit code 5, in {repo}]\n[the new command]\nnew\n[exit code 0, in {repo}]"
    )
    assert not result.error


async def test_input_reaches_the_running_program(bash: BashTool, repo: Path) -> None:
    await run(bash, 'read -p "name? " a; read b; echo "<$a|$b>"')
    result = await run(bash, "two words\n", is_input="true")
    assert result.exit_code == -1
    result = await run(bash, "x", is_input="true")
    assert "<two words|x>\n" in result.content
    assert result.content.endswith(f"[exit code 0, in {repo}]")


async def test_keys_with_is_input_are_keys_too(bash: BashTool) -> None:
    await run(bash, "cat")
    assert "hello\n" in (await run(bash, "hello", is_input="true")).content
    assert (await run(bash, "C-d", is_input="true")).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"command": " \n"},
            "The command is empty, and none runs whose output could be waited for.",
        ),
        ({"command": "C-c"}, "No command runs that C-c could be pressed for."),
        ({"command": "C-z", "is_input": "true"}, "No command runs that C-z could be pressed for."),
        (
            {"command": "yes", "is_input": "true"},
            "No command runs that could take input. Leave is_input out to run it as a command.",
        ),
    ],
)
async def test_input_with_nobody_to_take_it_is_explained(
    bash: BashTool, arguments: dict[str, Any], expected: str
) -> None:
    assert await bash(arguments) == ToolResult(expected, error=True)
    assert (await run(bash, "true", is_input="false")).exit_code == 0


async def test_a_time_limit_waits_through_silence_and_then_kills(
    bash: BashTool, repo: Path
) -> None:
    result = await run(bash, "sleep 0.8; echo done", timeout=10)
    assert result.content == f"done\n[exit code 0, in {repo}]"
    result = await run(bash, "echo begun; sleep 60", timeout=0.5)
    assert result.content.startswith("begun\n")
    assert "\n[The limit of 0.5 s was reached.]\n" in result.content
    assert result.exit_code not in (0, -1, None)
    assert result.extras["timed_out"] == "hard"
    assert (await run(bash, "echo alive")).content.startswith("alive\n")


async def test_a_time_limit_is_cut_to_what_is_allowed(sandbox: HostSandbox, repo: Path) -> None:
    bash = BashTool(sandbox, SandboxSettings(timeout=0.5), workdir=str(repo), spill_dir=None)
    result = await run(bash, "sleep 60", timeout=9000)
    assert "[A timeout of 9000 s is more than is allowed: 0.5 s held.]\n" in result.content
    assert "[The limit of 0.5 s was reached.]\n" in result.content
    await bash.close()


@pytest.mark.parametrize("timeout", [0, -1, -0.5])
async def test_a_time_limit_must_be_one(bash: BashTool, timeout: float) -> None:
    with pytest.raises(BadArguments, match="`timeout` must be more than 0 seconds, not "):
        await run(bash, "true", timeout=timeout)


async def test_nul_in_a_command_is_refused(bash: BashTool) -> None:
    with pytest.raises(BadArguments, match="cannot hold a NUL"):
        await run(bash, "echo a\0b")


async def test_long_output_is_cut_in_the_middle_and_kept(bash: BashTool, tmp_path: Path) -> None:
    result = await run(bash, "echo '[... cut ...]'; seq 1000 3000; echo; echo '[... cut ...]'")
    full = (tmp_path / "spill" / result.extras["spill"]).read_text()
    body = result.content[: result.content.rindex("[exit code 0, in ")]
    line = f"\n[{result.extras['dropped']} bytes left out here; the full text is on record]\n"
    head, tail = body.split(line)
    assert full.startswith(head)
    assert full.endswith(tail)
    assert len(head) + len(tail) + result.extras["dropped"] == len(full)
    assert full.count("\n") == 2004


async def test_what_is_cut_without_a_place_to_keep_it_is_said_to_be_gone(
    sandbox: HostSandbox, settings: SandboxSettings, repo: Path
) -> None:
    bash = BashTool(sandbox, settings, workdir=str(repo), spill_dir=None)
    assert "bytes left out here]\n" in (await run(bash, "seq 3000")).content
    await bash.close()


async def test_bytes_that_are_no_text_are_replaced(bash: BashTool) -> None:
    result = await run(bash, r"printf 'a\0b\377c\n'")
    assert result.content.startswith("a\ufffdb\ufffdc\n[")
    result = await run(bash, r"mkdir $'\377' && cd $'\377'")
    result.content.encode()
    assert result.cwd.endswith("/\ufffd")


async def test_a_shell_that_ends_is_said_to_be_new(bash: BashTool, repo: Path) -> None:
    result = await run(bash, "x=1; exit 7")
    assert result.exit_code == 7
    assert "started anew" in result.extras["note"]
    assert f"[{result.extras['note']}]\n[exit code 7, in {repo}]" in result.content
    assert (await run(bash, "echo ${x-unset}")).content.startswith("unset\n")


async def test_the_loss_of_the_sandbox_rises(repo: Path, settings: SandboxSettings) -> None:
    sandbox = HostSandbox(homeless(repo))
    await sandbox.start()
    bash = BashTool(sandbox, settings, workdir=str(repo), spill_dir=None)
    await run(bash, "true")
    await sandbox.stop()
    with pytest.raises(SandboxLost):
        await run(bash, "true")
    await bash.close()


async def test_a_shell_nobody_used_is_closed_opened_or_not(
    sandbox: HostSandbox, settings: SandboxSettings, repo: Path
) -> None:
    early = BashTool(sandbox, settings, workdir=str(repo), spill_dir=None)
    await early.close()
    late = BashTool(sandbox, settings, workdir=str(repo), spill_dir=None)
    await asyncio.sleep(0.5)
    await late.close()


async def test_what_went_wrong_at_opening_is_told_at_use_and_not_at_closing(
    sandbox: HostSandbox, settings: SandboxSettings, repo: Path
) -> None:
    bash = BashTool(sandbox, settings, workdir=str(repo / "gone"), spill_dir=None)
    with pytest.raises(FileNotFoundError):
        await run(bash, "true")
    await bash.close()


async def test_a_repeated_command_is_waited_for(bash: BashTool, repo: Path) -> None:
    """What had ended then ends now, through any silence; what ran on is handed back again."""
    handed_back = await bash.repeat({"command": "sleep 1; echo slept"}, running=True)
    assert handed_back.exit_code == -1
    after = await bash.repeat({"command": "sleep 0.6; echo over"}, running=False)
    assert after.content == (
        f"slept\n[exit code 0, in {repo}]\n[the new command]\nover\n[exit code 0, in {repo}]"
    )
    assert after.exit_code == 0
