"""The agent, its tools and a real shell together, with a scripted model."""

from __future__ import annotations

import sys
from pathlib import Path

from velora.agent.loop import CodeActAgent, End, Limits
from velora.agent.prompts import LanguageFacts, render_instruction, render_system
from velora.config.settings import AgentSettings, Settings
from velora.errors import Outcome
from velora.instances.model import Instance
from velora.journal.events import Event, Observed
from velora.llm.scripted import ScriptedModel
from velora.sandbox.host import HostSandbox
from velora.sandbox.protocol import SandboxSpec
from velora.tools.build import build

SCRIPT = """
turns:
  - calls:
      - tool: task_tracker
        arguments:
          command: plan
          task_list: [{{id: "1", title: Fix add, status: in_progress}}]
      - tool: str_replace_editor
        arguments: {{command: view, path: {repo}}}
  - say: Reproduce it.
    calls:
      - tool: execute_bash
        arguments: {{command: "{python} -c 'import calc; assert calc.add(1, 2) == 3'"}}
  - say: I think I know.
  - calls:
      - tool: str_replace_editor
        arguments: '{{"command": "str_replace", "path": "calc.py", "old_str": "-"}}'
      - tool: str_replace_editor
        arguments:
          {{command: str_replace, path: {repo}/calc.py, old_str: a - b, new_str: a + b}}
      - tool: execute_bash
        arguments: {{command: "{python} -c 'import calc; print(calc.add(1, 2))'"}}
finish: add adds.
"""


async def test_an_agent_mends_a_file(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "calc.py").write_bytes(b"def add(a, b):\r\n    return a - b\r\n")
    script = tmp_path / "script.yaml"
    script.write_text(SCRIPT.format(repo=repo, python=f"{sys.executable} -B"))
    settings = AgentSettings()
    env = {"HOME": str(tmp_path)}
    sandbox = HostSandbox(SandboxSpec(image="", workdir=str(repo), env=env))
    await sandbox.start()
    toolset = await build(
        Settings(agent=settings), sandbox=sandbox, workdir=str(repo), spill_dir=None
    )
    events: list[Event] = []
    agent = CodeActAgent(
        model=ScriptedModel.from_file(script),
        toolset=toolset,
        emit=events.append,
        system=render_system(settings),
        instruction=render_instruction(
            instance=Instance("calc-1", "add(1, 2) is -1."),
            workdir=str(repo),
            language=LanguageFacts("Python", "python reproduce.py"),
            hints=False,
        ),
        limits=Limits(max_iterations=10, deadline=60),
    )
    assert await agent.run() == End(Outcome.FINISHED, "", 5)
    await toolset.close()
    await sandbox.stop()
    assert (repo / "calc.py").read_bytes() == b"def add(a, b):\r\n    return a + b\r\n"
    assert [path.name for path in repo.iterdir()] == ["calc.py"]
    observed = [event for event in events if isinstance(event, Observed)]
    assert [(event.tool, event.error, event.exit_code) for event in observed] == [
        ("task_tracker", False, None),
        ("str_replace_editor", False, None),
        ("execute_bash", False, 1),
        ("str_replace_editor", True, None),
        ("str_replace_editor", False, None),
        ("execute_bash", False, 0),
        ("finish", False, None),
    ]
    assert "AssertionError" in observed[2].content
    assert observed[5].content == f"3\n[exit code 0, in {repo}]"
